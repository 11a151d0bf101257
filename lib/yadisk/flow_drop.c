/* SPDX-License-Identifier: MIT */

/*
 *   START ─▶ DOUBT ─▶ HERE (lstat) ──────────────────────▶ DELETE ─▶ POLL? ─▶ RECORD
 *     └─ a folder: HERE ─▶ KNOWN ─▶ LISTED ─▶ … ─▶ DOUBT ─▶ HERE2 ─▶┘
 *                            ▲  every folder in it  │          └─ is back: BACK
 *                            └──────────────────────┘
 *
 * A look here comes right before the call; of a folder one comes first, too, so that nothing is asked
 * of the cloud for what is back.  After a wait or an operation a folder is listed anew: what somebody
 * has put into it meanwhile stays.
 */

#include "lib/yadisk/flow_drop.h"

#include "lib/yadisk/errand.h"

#include <errno.h>
#include <stdio.h>

#define DROP_PATIENCE_MS 4000

enum drop_state {
        DROP_START,
        DROP_HERE,   /* is it really not there any more? */
        DROP_KNOWN,  /* what the snapshot has in the folder at hand */
        DROP_LISTED, /* what the cloud has in it */
        DROP_DOUBT,
        DROP_HERE2,
        DROP_DELETE,
        DROP_POLL,
        DROP_RECORD,
        DROP_BACK,   /* nothing was asked for: no doubt about it */
};

static const char *const drop_names[] = {
        [DROP_START] = "START", [DROP_HERE] = "HERE", [DROP_KNOWN] = "KNOWN",
        [DROP_LISTED] = "LISTED", [DROP_DOUBT] = "DOUBT", [DROP_HERE2] = "HERE2",
        [DROP_DELETE] = "DELETE", [DROP_POLL] = "POLL", [DROP_RECORD] = "RECORD",
        [DROP_BACK] = "BACK",
};

struct flow_drop {
        struct errand e;
        struct op op;
        char *key;
        bool permanently, replaces;
        struct str cloud;

        char **folders; /* keys of folders still to be compared; the last is at hand */
        size_t n_folders, size_folders;
        struct entry_list known; /* copies: what the snapshot has in the folder at hand */
        struct errand_pages pages;
        int here_err;   /* of the last look here, when that did not prove that it is gone */
        bool nothing;   /* … though it is gone */
        bool disk_gone; /* … for the disk that it was on is not mounted any more */
        bool doubted;
        bool asked;     /* it was asked for, or may have been: only looking tells what came of it */
        bool was_there; /* the service had something to remove */
        bool foreign;   /* what it has is not what we put there */
};

static struct flow_drop *drop_of(struct errand *e)
{
        return CONTAINER_OF(e, struct flow_drop, e);
}

static const char *drop_path(struct flow_drop *f, const char *key)
{
        yadisk_path(&f->cloud, f->e.yadisk, key);
        return str_z(&f->cloud);
}

static const char *drop_folder(const struct flow_drop *f)
{
        return f->folders[f->n_folders - 1];
}

static bool drop_push(struct flow_drop *f, char *key)
{
        if (!key)
                return false;
        if (f->n_folders == f->size_folders) {
                size_t size = f->size_folders ? 2 * f->size_folders : 16;
                char **folders = reallocarray(f->folders, size, sizeof(char *));

                if (!folders) {
                        free(key);
                        return false;
                }
                f->folders = folders;
                f->size_folders = size;
        }
        f->folders[f->n_folders++] = key;
        return true;
}

static struct ask drop_ask(struct errand *e)
{
        struct flow_drop *f = drop_of(e);
        const uint8_t *md5 = f->op.verb == OP_DROP ? f->op.entry.md5 : NULL;

        switch ((enum drop_state)e->state) {
        case DROP_START:
                break;
        case DROP_HERE:
        case DROP_HERE2:
                return (struct ask){.want = ASK_LOOK, .key = f->key};
        case DROP_KNOWN:
                return (struct ask){.want = ASK_KNOWN, .key = drop_folder(f)};
        case DROP_LISTED:
                return errand_pages_ask(e, &f->pages, drop_path(f, drop_folder(f)));
        case DROP_DOUBT:
                return errand_doubt(e, f->key, NULL);
        case DROP_DELETE:
                f->asked = true;
                /* A folder always goes to the Trash: what somebody has put into it since the
                 * listing can be got back. */
                yadisk_url_delete(&e->url, e->yadisk, drop_path(f, f->key), md5,
                                  f->permanently && f->op.verb == OP_DROP);
                return errand_promptly(e, HTTP_DELETE);
        case DROP_POLL:
                return errand_operation_ask(e);
        case DROP_RECORD:
                e->records[0] = (struct record){
                        .verb = f->op.verb == OP_DROP ? RECORD_FORGET : RECORD_FORGET_TREE,
                        .entry = f->op.entry,
                        .removed = true};
                return errand_record(e, f->doubted ? errand_settled(e, 1, f->key) : 1);
        case DROP_BACK:
                return errand_no_doubt(e, f->key);
        }
        return errand_end(e, END_STUCK, 0, "internal: no such state");
}

/* Proven absent: ENOENT, or something of the other mirrored kind stands there; on a
 * disk that is still mounted. */
static bool drop_proven(const struct flow_drop *f, const struct outcome *in)
{
        if (errand_disk_is_away(&f->op.entry, in))
                return false;
        if (in->err)
                return in->err == ENOENT && !f->replaces;
        if (in->look.kind == KIND_FILE)
                return f->op.verb == OP_DROP_TREE;
        return in->look.kind == KIND_DIR && f->op.verb == OP_DROP;
}

/* A folder, compared to its end before, is to be listed from its top again. */
static bool drop_begin_anew(struct flow_drop *f)
{
        return f->op.verb == OP_DROP || drop_push(f, str_dup(f->key));
}

/* The same again after a wait.  The steps on the way have tries of their own, so those of a folder's
 * removal are counted as rounds. */
static struct ask drop_again(struct flow_drop *f, const struct outcome *in,
                             const struct verdict *v)
{
        unsigned tries = f->e.rounds < ERRAND_TRIES ? f->e.rounds : ERRAND_TRIES - 1;

        if (!drop_begin_anew(f))
                return errand_end(&f->e, END_LATER, 0, "no memory");
        f->e.state = f->op.verb == OP_DROP ? DROP_DOUBT : DROP_HERE;
        if (f->op.verb == OP_DROP_TREE)
                f->e.tries = ++f->e.rounds > ERRAND_ROUNDS ? 2 * ERRAND_TRIES : tries;
        return errand_trouble(&f->e, in, v);
}

static struct ask drop_is_back(struct flow_drop *f)
{
        if (f->here_err)
                return errand_end(&f->e, END_LATER, 0, "whether it is gone here cannot be seen: %s",
                                  strerror(f->here_err));
        return errand_end(&f->e, END_CHANGED, 0,
                          f->disk_gone ? N_("the disk that it was on is not there now")
                          : f->nothing ? N_("what stood in its place is gone, too")
                                       : N_("it is there again"));
}

static struct ask drop_took_here(struct flow_drop *f, const struct outcome *in)
{
        if (!drop_proven(f, in)) {
                f->here_err = in->err == ENOENT ? 0 : in->err;
                f->nothing = in->err == ENOENT;
                f->disk_gone = errand_disk_is_away(&f->op.entry, in);
                return f->doubted && !f->asked ? errand_go(&f->e, DROP_BACK) : drop_is_back(f);
        }
        if (f->e.state == DROP_HERE && f->op.verb == OP_DROP_TREE)
                return errand_go(&f->e, DROP_KNOWN);
        f->e.state = DROP_DELETE; /* with the tries it has had */
        return drop_ask(&f->e);
}

static struct ask drop_took_doubt(struct flow_drop *f, const struct outcome *in)
{
        if (in->err)
                return errand_end(&f->e, END_STORE, 0, "%s", in->text ? in->text : "");
        f->doubted = true;
        f->e.state = f->op.verb == OP_DROP ? DROP_HERE : DROP_HERE2;
        return drop_ask(&f->e);
}

static struct ask drop_took_known(struct flow_drop *f, const struct outcome *in)
{
        if (in->err)
                return errand_end(&f->e, END_STORE, 0, "%s", in->text ? in->text : "");
        entry_list_finish(&f->known);
        if (!entry_list_copy(&f->known, &in->known))
                return errand_end(&f->e, END_LATER, 0, "no memory");
        return errand_go(&f->e, DROP_LISTED);
}

/* The first item in the cloud that the snapshot does not know just so; NULL: all is ours. */
static const struct entry *drop_foreign(const struct flow_drop *f)
{
        size_t k = 0;

        for (size_t i = 0; i < f->pages.items.n; i++) { /* both in byte order of names */
                const struct entry *item = &f->pages.items.items[i], *known;

                while (k < f->known.n &&
                       strcmp(entry_key_name(f->known.items[k].key), item->key) < 0)
                        k++;
                known = k < f->known.n ? &f->known.items[k] : NULL;
                if (!known || !str_eq(entry_key_name(known->key), item->key) ||
                    known->kind != item->kind)
                        return item;
                if (item->kind == KIND_FILE &&
                    (!item->has_md5 || item->size != known->size ||
                     memcmp(item->md5, known->md5, sizeof(item->md5)) != 0))
                        return item;
        }
        return NULL;
}

static char *drop_join(const char *folder, const char *name)
{
        char *key = NULL;

        if (asprintf(&key, "%s/%s", folder, name) < 0)
                return NULL;
        return key;
}

/* The folder at hand is as the snapshot has it: on to those in it. */
static struct ask drop_compared(struct flow_drop *f)
{
        char *folder = f->folders[--f->n_folders];
        bool ok = true;

        for (size_t i = 0; ok && i < f->pages.items.n; i++)
                if (f->pages.items.items[i].kind == KIND_DIR)
                        ok = drop_push(f, drop_join(folder, f->pages.items.items[i].key));
        free(folder);
        errand_pages_finish(&f->pages);
        if (!ok)
                return errand_end(&f->e, END_LATER, 0, "no memory");
        return errand_go(&f->e, f->n_folders > 0 ? DROP_KNOWN : DROP_DOUBT);
}

static struct ask drop_took_listed(struct flow_drop *f, const struct outcome *in)
{
        int64_t waited = errand_waited(&f->e, in);
        const struct entry *foreign;
        struct ask ask;

        switch (errand_pages_took(&f->e, &f->pages, in, &ask)) {
        case ERRAND_LIST_MORE:
                return ask;
        case ERRAND_LIST_FILE:
                return errand_end(&f->e, END_FOREIGN, 0, "%s is a file in the cloud now",
                                  drop_folder(f));
        case ERRAND_LIST_MISSING:
                if (f->n_folders != 1 || !str_eq(drop_folder(f), f->key))
                        break;
                /* A view that lags behind does not show what was made a moment ago. */
                if (waited < DROP_PATIENCE_MS)
                        return errand_not_yet(&f->e, 500);
                return errand_go(&f->e, DROP_RECORD);
        case ERRAND_LIST_WHOLE:
                break;
        }
        foreign = f->pages.strange ? &(struct entry){.key = tr("a strange name")} : drop_foreign(f);
        if (foreign)
                return errand_end(&f->e, END_FOREIGN, 0, "%s/%s in the cloud is not ours",
                                  drop_folder(f), foreign->key);
        return drop_compared(f);
}

static struct ask drop_took_delete(struct flow_drop *f, const struct outcome *in)
{
        struct verdict unnamed = {.act = VERDICT_AGAIN, .text = N_("the service is at work on it")};
        struct verdict v = verdict_removal(in);

        if (v.act == VERDICT_ASKER && v.error == YADISK_ERROR_MD5_DIFFERS) {
                f->foreign = true; /* and so no row of ours any more */
                return errand_go(&f->e, DROP_RECORD);
        }
        if (v.act == VERDICT_ASKER &&
            (in->status == 404 || v.error == YADISK_ERROR_NO_PARENT))
                return errand_go(&f->e, DROP_RECORD);
        if (v.act != VERDICT_OK)
                return drop_again(f, in, &v);
        f->was_there = true;
        if (in->status != 202)
                return errand_go(&f->e, DROP_RECORD);
        if (errand_operation_begin(&f->e, in))
                return errand_go(&f->e, DROP_POLL);
        return drop_again(f, in, &unnamed); /* accepted is not done, and nobody can be asked */
}

static struct ask drop_took_poll(struct flow_drop *f, const struct outcome *in)
{
        struct verdict failed = {.act = VERDICT_AGAIN, .text = N_("the service could not remove it")};
        int64_t most_ms = 60000 + (int64_t)f->op.files * 100;
        struct ask ask;

        switch (errand_operation_took(&f->e, in, most_ms, &ask)) {
        case ERRAND_RUNNING:
                return ask;
        case ERRAND_FAILED:
        case ERRAND_GONE: /* asking to remove it again tells which of the two it was */
                if (!drop_begin_anew(f))
                        return errand_end(&f->e, END_LATER, 0, "no memory");
                return errand_back(&f->e, f->op.verb == OP_DROP ? DROP_DOUBT : DROP_HERE, &failed);
        case ERRAND_SUCCEEDED:
                break;
        }
        return errand_go(&f->e, DROP_RECORD);
}

static struct ask drop_took_record(struct flow_drop *f, const struct outcome *in)
{
        if (in->err)
                return errand_end(&f->e, END_STORE, 0, "%s", in->text ? in->text : "");
        if (f->foreign)
                return errand_end(&f->e, END_FOREIGN, 0,
                                  "its content in the cloud was changed by somebody else");
        return errand_end(&f->e, f->was_there ? END_DONE : END_NOTHING, 0, "%s", "");
}

static struct ask drop_took(struct errand *e, const struct outcome *in)
{
        struct flow_drop *f = drop_of(e);

        switch ((enum drop_state)e->state) {
        case DROP_START:
                return errand_go(e, f->op.verb == OP_DROP ? DROP_DOUBT : DROP_HERE);
        case DROP_HERE:
        case DROP_HERE2:
                return drop_took_here(f, in);
        case DROP_DOUBT:
                return drop_took_doubt(f, in);
        case DROP_KNOWN:
                return drop_took_known(f, in);
        case DROP_LISTED:
                return drop_took_listed(f, in);
        case DROP_DELETE:
                return drop_took_delete(f, in);
        case DROP_POLL:
                return drop_took_poll(f, in);
        case DROP_RECORD:
                return drop_took_record(f, in);
        case DROP_BACK:
                return in->err ? drop_took_record(f, in) : drop_is_back(f);
        }
        return errand_end(e, END_STUCK, 0, "internal: no such state");
}

static void drop_destroy(struct flow *flow)
{
        struct flow_drop *f = drop_of(errand_of(flow));

        for (size_t i = 0; i < f->n_folders; i++)
                free(f->folders[i]);
        free(f->folders);
        entry_list_finish(&f->known);
        errand_pages_finish(&f->pages);
        str_finish(&f->cloud);
        free(f->key);
        errand_finish(&f->e);
        free(f);
}

struct flow *flow_drop(const struct drop_args *args)
{
        struct flow_drop *f = calloc(1, sizeof(*f));

        if (!f)
                return NULL;
        errand_init(&f->e, args->yadisk, drop_names, drop_ask, drop_took, drop_destroy);
        f->op = *args->op;
        f->permanently = args->permanently;
        f->replaces = args->replaces;
        f->asked = args->doubtful;
        f->cloud = STR_NULL(YADISK_URL_MAX);
        f->key = str_dup(args->op->entry.key);
        if (!f->key || (f->op.verb == OP_DROP_TREE && !drop_push(f, str_dup(f->key)))) {
                drop_destroy(&f->e.flow);
                return NULL;
        }
        f->op.entry.key = f->key;
        return &f->e.flow;
}
