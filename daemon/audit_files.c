/* SPDX-License-Identifier: MIT */

#include "daemon/audit_impl.h"

#define AUDIT_FILES 4096 /* read again in one batch, at most */

static void audit_reread_done(void *userdata)
{
        struct audit *a = userdata;

        if (a->stopping)
                audit_ended(a);
        else if (a->done && a->whole)
                audit_read(a);
}

static void audit_job_files(struct audit *a)
{
        a->result = store_next(a->args.store, KIND_FILE, a->at, AUDIT_FILES, &a->folders, &a->err);
}

static void audit_got_files(struct audit *a)
{
        struct source_root root = {.fd = a->root_fd, .follow = a->args.config->follow};

        if (a->result < 0)
                audit_leave(a);
        else if (a->folders.n == 0)
                audit_finish(a);
        else if (reread_start(&a->reread, a->args.loop, &root, &a->folders, audit_reread_done, a) < 0)
                audit_no_memory(a);
        else if (!a->whole)
                audit_leave(a); /* it goes on beside the passes */
}

/* A row that is still what it was when its file was read is compared by content from now on. */
static int audit_mark(struct audit *a, const struct entry *file)
{
        struct record mark = {.verb = RECORD_ROW};
        int r = store_get(a->args.store, file->key, &mark.entry, &a->err);

        if (r <= 0)
                return r;
        if (mark.entry.size != file->size || !entry_stamp_eq(&mark.entry.stamp, &file->stamp) ||
            memcmp(mark.entry.md5, file->md5, sizeof(file->md5)) != 0)
                return 0;
        mark.entry.key = file->key;
        mark.entry.flags |= ENTRY_RACY;
        return store_commit(a->args.store, &mark, 1, &a->err);
}

static void audit_job_mark(struct audit *a)
{
        for (size_t i = 0; a->result == 0 && i < a->reread.n_done; i++)
                if (a->reread.results[i] == REREAD_OTHER)
                        a->result = audit_mark(a, &a->reread.files.items[i]);
}

/* What changed or went away meanwhile is the next scan's. */
static bool audit_scans(int result)
{
        return result == ESTALE || result == ENOENT || result == ENOTDIR || result == EISDIR ||
               result == EINVAL || result == ELOOP;
}

static void audit_count_reread(struct audit *a, const struct entry *file, int result)
{
        a->counts.read++;
        if (result == 0) {
                failures_clear(a->args.failures, file->key);
        } else if (result == REREAD_OTHER) {
                a->counts.other++;
                a->tally->repaired++;
                audit_say_reread(a, file, result);
        } else if (!audit_scans(result)) {
                a->counts.unreadable++;
                audit_say_reread(a, file, result);
        }
}

static void audit_marked(struct audit *a)
{
        if (a->result < 0) {
                audit_leave(a);
                return;
        }
        for (size_t i = 0; i < a->reread.n_done; i++)
                audit_count_reread(a, &a->reread.files.items[i], a->reread.results[i]);
        if (a->reread.n_done > 0)
                audit_move(a, a->reread.files.items[a->reread.n_done - 1].key);
        reread_finish(&a->reread);
        audit_note(a, audit_noted);
}

void audit_read(struct audit *a)
{
        if (a->reread.busy) {
                if (!a->whole)
                        audit_leave(a);
                return;
        }
        if (a->reread.files.n > 0)
                audit_job(a, audit_job_mark, audit_marked);
        else
                audit_job(a, audit_job_files, audit_got_files);
}
