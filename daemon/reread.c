/* SPDX-License-Identifier: MIT */

#include "daemon/reread.h"

#include "lib/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REREAD_BYTES_MAX (UINT64_C(4) << 30) /* a batch: minutes, also of a slow disk */

static int reread_file(struct reread *r, const struct entry *file)
{
        uint8_t md5[16];
        int e;

        if (!file->has_md5 || (file->flags & ENTRY_RACY)) /* compared by the next scan anyway */
                return 0;
        e = source_digest(&r->root, file, &r->stop, md5);
        if (e < 0)
                return -e;
        return memcmp(md5, file->md5, sizeof(md5)) == 0 ? 0 : REREAD_OTHER;
}

static void reread_files(struct reread *r)
{
        uint64_t bytes = 0;

        for (size_t i = 0; i < r->files.n && bytes < REREAD_BYTES_MAX; i++) {
                r->results[i] = reread_file(r, &r->files.items[i]);
                if (atomic_load(&r->stop))
                        return;
                bytes += r->files.items[i].size;
                r->n_done = i + 1;
        }
}

/* The thread belongs to the pool: what it had is given back.  Where this is not allowed (or the disk
 * knows no priorities), it is read all the same. */
static void reread_work(uv_work_t *work)
{
        struct reread *r = CONTAINER_OF(work, struct reread, work);
        long before = syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);

        syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
        reread_files(r);
        if (before >= 0)
                syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, before);
}

static void reread_worked(uv_work_t *work, int status _unused_)
{
        struct reread *r = CONTAINER_OF(work, struct reread, work);

        r->busy = false;
        r->done(r->userdata);
}

int reread_start(struct reread *r, uv_loop_t *loop, const struct source_root *root,
                 struct entry_list *files, void (*done)(void *userdata), void *userdata)
{
        *r = (struct reread){.files = *files, .done = done, .userdata = userdata, .root = *root};
        *files = (struct entry_list){0};
        r->root.fd = fcntl(root->fd, F_DUPFD_CLOEXEC, 0);
        r->results = calloc(r->files.n + 1, sizeof(*r->results));
        if (r->root.fd < 0 || !r->results ||
            uv_queue_work(loop, &r->work, reread_work, reread_worked) < 0) {
                reread_finish(r);
                return -ENOMEM;
        }
        r->busy = true;
        return 0;
}

void reread_stop(struct reread *r)
{
        atomic_store(&r->stop, true);
}

void reread_finish(struct reread *r)
{
        closep(&r->root.fd);
        entry_list_finish(&r->files);
        free(r->results);
        *r = REREAD_NULL;
}
