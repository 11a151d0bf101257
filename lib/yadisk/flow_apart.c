/* SPDX-License-Identifier: MIT */

/*
 * Taking a folder apart, for the case that it holds what is not ours.
 *
 *   START ─▶ KNOWN ─▶ (a child: DOUBT ─▶ HERE ─▶ DELETE ─▶ RECORD)* ─▶ …
 *              ▲                │ a folder
 *              └────────────────┘            … ─▶ DOUBT_DIR ─▶ LISTED ─▶ RMDIR ─▶ RECORD_DIR ─▶ …
 *
 * What interrupted uploads left in a folder, and nobody remembers any more, is written down (REMNANTS)
 * to be swept; then the folder can go.
 *
 * Depth first.  Each file of ours is removed on condition of its md5; a folder is removed once it
 * is empty.  What is not ours stays, with the folders it is in, and is no longer in the snapshot.
 * After a wait or an operation the look (HERE, LISTED) that a removal rests on is taken anew.
 */

#include "lib/core/disguise.h"
#include "lib/yadisk/errand.h"
#include "lib/yadisk/flow_drop.h"

#include <errno.h>
#include <stdio.h>

#define APART_PATIENCE_MS 5000
#define APART_REMNANTS_MAX 4 /* written down at once; the others have their turn after them */

enum apart_state {
        APART_START,
        APART_KNOWN,
        APART_DOUBT,
        APART_HERE,
        APART_DELETE,
        APART_RECORD,
        APART_DOUBT_DIR,
        APART_LISTED,
        APART_REMNANTS,
        APART_RMDIR,
        APART_POLL,
        APART_RECORD_DIR,
};

static const char *const apart_names[] = {
        [APART_START] = "START", [APART_KNOWN] = "KNOWN", [APART_DOUBT] = "DOUBT",
        [APART_HERE] = "HERE", [APART_DELETE] = "DELETE", [APART_RECORD] = "RECORD",
        [APART_DOUBT_DIR] = "DOUBT_DIR", [APART_LISTED] = "LISTED",
        [APART_REMNANTS] = "REMNANTS", [APART_RMDIR] = "RMDIR", [APART_POLL] = "POLL",
        [APART_RECORD_DIR] = "RECORD_DIR",
};

struct apart_level {
        char *key;
        struct entry *children; /* keys owned */
        size_t n, at;
};

struct flow_apart {
        struct errand e;
        bool permanently;
        struct str cloud;
        struct apart_level *levels;
        size_t n_levels, size_levels;
        struct errand_pages pages;
        char *remnants[APART_REMNANTS_MAX]; /* their keys */
        unsigned left; /* files and folders that stay */
};

static struct flow_apart *apart_of(struct errand *e)
{
        return CONTAINER_OF(e, struct flow_apart, e);
}

static struct apart_level *apart_level(struct flow_apart *f)
{
        return &f->levels[f->n_levels - 1];
}

static struct entry *apart_child(struct flow_apart *f)
{
        return &apart_level(f)->children[apart_level(f)->at];
}

static void apart_pop(struct flow_apart *f)
{
        struct apart_level *l = apart_level(f);

        for (size_t i = 0; i < l->n; i++)
                free((char *)l->children[i].key);
        free(l->children);
        free(l->key);
        f->n_levels--;
}

static bool apart_push(struct flow_apart *f, const char *key)
{
        char *copy = str_dup(key);

        if (copy && f->n_levels == f->size_levels) {
                size_t size = f->size_levels ? 2 * f->size_levels : 16;
                struct apart_level *levels =
                        reallocarray(f->levels, size, sizeof(struct apart_level));

                if (!levels) {
                        free(copy);
                        return false;
                }
                f->levels = levels;
                f->size_levels = size;
        }
        if (copy)
                f->levels[f->n_levels++] = (struct apart_level){.key = copy};
        return copy;
}

static const char *apart_path(struct flow_apart *f, const char *key)
{
        yadisk_path(&f->cloud, f->e.yadisk, key);
        return str_z(&f->cloud);
}

static void apart_forget_remnants(struct flow_apart *f)
{
        for (size_t i = 0; i < APART_REMNANTS_MAX; i++) {
                free(f->remnants[i]);
                f->remnants[i] = NULL;
        }
}

/* They are so old that nobody knows of them: swept at once. */
static struct ask apart_ask_remnants(struct flow_apart *f)
{
        const struct entry_list *items = &f->pages.items;
        size_t n = 0;

        apart_forget_remnants(f);
        for (; n < items->n && n < APART_REMNANTS_MAX; n++) {
                struct entry remnant = items->items[n];

                if (asprintf(&f->remnants[n], "%s/%s", apart_level(f)->key, remnant.key) < 0) {
                        f->remnants[n] = NULL;
                        return errand_end(&f->e, END_LATER, 0, "no memory");
                }
                remnant.key = f->remnants[n];
                f->e.records[n] = (struct record){.verb = RECORD_REMNANT,
                                                  .entry = remnant,
                                                  .wire = entry_key_name(f->remnants[n])};
        }
        return errand_record(&f->e, n);
}

static struct ask apart_ask(struct errand *e)
{
        struct flow_apart *f = apart_of(e);

        switch ((enum apart_state)e->state) {
        case APART_START:
                break;
        case APART_KNOWN:
                return (struct ask){.want = ASK_KNOWN, .key = apart_level(f)->key};
        case APART_DOUBT:
                return errand_doubt(e, apart_child(f)->key, NULL);
        case APART_HERE:
                return (struct ask){.want = ASK_LOOK, .key = apart_child(f)->key};
        case APART_DELETE:
                yadisk_url_delete(&e->url, e->yadisk, apart_path(f, apart_child(f)->key),
                                  apart_child(f)->md5, f->permanently);
                return errand_promptly(e, HTTP_DELETE);
        case APART_DOUBT_DIR:
                return errand_doubt(e, apart_level(f)->key, NULL);
        case APART_LISTED:
                return errand_pages_ask(e, &f->pages, apart_path(f, apart_level(f)->key));
        case APART_REMNANTS:
                return apart_ask_remnants(f);
        case APART_RMDIR:
                /* Always into the Trash: what came in since the listing can be got back. */
                yadisk_url_delete(&e->url, e->yadisk, apart_path(f, apart_level(f)->key), NULL,
                                  false);
                return errand_promptly(e, HTTP_DELETE);
        case APART_POLL:
                return errand_operation_ask(e);
        case APART_RECORD:
                e->records[0] = (struct record){
                        .verb = RECORD_FORGET, .entry = *apart_child(f), .removed = true};
                return errand_record(e, errand_settled(e, 1, apart_child(f)->key));
        case APART_RECORD_DIR:
                e->records[0] = (struct record){.verb = RECORD_FORGET,
                                                .entry = {.key = apart_level(f)->key,
                                                          .kind = KIND_DIR},
                                                .removed = true};
                return errand_record(e, errand_settled(e, 1, apart_level(f)->key));
        }
        return errand_end(e, END_STUCK, 0, "internal: no such state");
}

/* The next child, or the folder itself once there is none. */
static struct ask apart_next(struct flow_apart *f)
{
        struct apart_level *l = apart_level(f);

        f->e.rounds = 0;
        if (l->at == l->n)
                return errand_go(&f->e, APART_DOUBT_DIR);
        if (l->children[l->at].kind != KIND_DIR)
                return errand_go(&f->e, APART_DOUBT);
        if (!apart_push(f, l->children[l->at].key))
                return errand_end(&f->e, END_LATER, 0, "no memory");
        return errand_go(&f->e, APART_KNOWN);
}

static struct ask apart_took_known(struct flow_apart *f, const struct outcome *in)
{
        struct apart_level *l = apart_level(f);

        if (in->err)
                return errand_end(&f->e, END_STORE, 0, "%s", in->text ? in->text : "");
        l->children = calloc(in->known.n + 1, sizeof(struct entry));
        for (size_t i = 0; l->children && i < in->known.n; i++) {
                l->children[i] = in->known.items[i];
                l->children[i].key = str_dup(in->known.items[i].key);
                if (!l->children[i].key)
                        break;
                l->n++;
        }
        if (!l->children || l->n < in->known.n)
                return errand_end(&f->e, END_LATER, 0, "no memory");
        return apart_next(f);
}

static struct ask apart_took_doubt(struct flow_apart *f, const struct outcome *in)
{
        if (in->err)
                return errand_end(&f->e, END_STORE, 0, "%s", in->text ? in->text : "");
        f->e.state = f->e.state == APART_DOUBT ? APART_HERE : APART_LISTED; /* with its tries */
        return apart_ask(&f->e);
}

static struct ask apart_took_here(struct flow_apart *f, const struct outcome *in)
{
        if (in->err != ENOENT || errand_disk_is_away(apart_child(f), in))
                return errand_end(&f->e, END_CHANGED, 0, "%s is there again, or cannot be seen",
                                  apart_child(f)->key);
        f->e.state = APART_DELETE; /* with the tries it has had */
        return apart_ask(&f->e);
}

/* Accepted is not done: an operation is waited for, or, where it has no name, all is asked again. */
static struct ask apart_removed(struct flow_apart *f, const struct outcome *in,
                                enum apart_state again, enum apart_state done)
{
        struct verdict unnamed = {.act = VERDICT_AGAIN, .text = N_("the service is at work on it")};

        if (in->status != 202)
                return errand_go(&f->e, done);
        if (errand_operation_begin(&f->e, in))
                return errand_go(&f->e, APART_POLL);
        f->e.state = again;
        return errand_trouble(&f->e, in, &unnamed);
}

static struct ask apart_took_delete(struct flow_apart *f, const struct outcome *in)
{
        struct verdict v = verdict_removal(in);

        if (v.act == VERDICT_ASKER && v.error == YADISK_ERROR_MD5_DIFFERS) {
                f->left++;
        } else if (v.act != VERDICT_OK &&
                   !(v.act == VERDICT_ASKER &&
                     (in->status == 404 || v.error == YADISK_ERROR_NO_PARENT))) {
                f->e.state = APART_DOUBT;
                return errand_trouble(&f->e, in, &v);
        }
        return v.act == VERDICT_OK ? apart_removed(f, in, APART_DOUBT, APART_RECORD)
                                   : errand_go(&f->e, APART_RECORD);
}

/* The listing shows what was removed a moment ago: for some seconds the service may show an old
 * state. */
static bool apart_lags(const struct flow_apart *f)
{
        const struct apart_level *l = &f->levels[f->n_levels - 1];

        for (size_t i = 0; i < l->n; i++)
                if (errand_pages_find(&f->pages, entry_key_name(l->children[i].key)))
                        return true;
        return false;
}

/* All that is left in it are the remains of uploads. */
static bool apart_remnants(const struct flow_apart *f)
{
        const struct entry_list *items = &f->pages.items;
        size_t n = 0;

        while (n < items->n && items->items[n].kind == KIND_FILE &&
               disguise_is_wire(items->items[n].key))
                n++;
        return n > 0 && n == f->pages.total;
}

static struct ask apart_took_listed(struct flow_apart *f, const struct outcome *in)
{
        struct ask ask;
        bool empty, remnants;

        switch (errand_pages_took(&f->e, &f->pages, in, &ask)) {
        case ERRAND_LIST_MORE:
                return ask;
        case ERRAND_LIST_MISSING:
        case ERRAND_LIST_FILE:
                return errand_go(&f->e, APART_RECORD_DIR);
        case ERRAND_LIST_WHOLE:
                break;
        }
        empty = f->pages.total == 0;
        if (apart_lags(f) && errand_waited(&f->e, in) < APART_PATIENCE_MS) {
                errand_pages_finish(&f->pages);
                return errand_not_yet(&f->e, 300);
        }
        remnants = apart_remnants(f);
        if (remnants)
                return errand_go(&f->e, APART_REMNANTS);
        errand_pages_finish(&f->pages);
        if (empty) {
                f->e.state = APART_RMDIR;
                return apart_ask(&f->e);
        }
        f->left++;
        return errand_go(&f->e, APART_RECORD_DIR);
}

static struct ask apart_took_rmdir(struct flow_apart *f, const struct outcome *in)
{
        struct verdict v = verdict_removal(in);

        if (v.act != VERDICT_OK && !(v.act == VERDICT_ASKER && in->status == 404)) {
                f->e.state = APART_DOUBT_DIR;
                return errand_trouble(&f->e, in, &v);
        }
        return v.act == VERDICT_OK ? apart_removed(f, in, APART_DOUBT_DIR, APART_RECORD_DIR)
                                   : errand_go(&f->e, APART_RECORD_DIR);
}

static struct ask apart_took_poll(struct flow_apart *f, const struct outcome *in)
{
        struct verdict failed = {.act = VERDICT_AGAIN, .text = N_("the service could not remove it")};
        bool child = apart_level(f)->at < apart_level(f)->n;
        struct ask ask;

        switch (errand_operation_took(&f->e, in, 60000, &ask)) {
        case ERRAND_RUNNING:
                return ask;
        case ERRAND_FAILED:
        case ERRAND_GONE:
                return errand_back(&f->e, child ? APART_DOUBT : APART_DOUBT_DIR, &failed);
        case ERRAND_SUCCEEDED:
                break;
        }
        return errand_go(&f->e, child ? APART_RECORD : APART_RECORD_DIR);
}

static struct ask apart_took_recorded(struct flow_apart *f, const struct outcome *in)
{
        if (in->err)
                return errand_end(&f->e, END_STORE, 0, "%s", in->text ? in->text : "");
        if (f->e.state == APART_RECORD_DIR)
                apart_pop(f);
        if (f->n_levels == 0)
                return errand_end(&f->e, END_DONE, 0, "%s",
                                  f->left ? tr("what is not ours was left in the cloud") : "");
        apart_level(f)->at++;
        return apart_next(f);
}

static struct ask apart_took(struct errand *e, const struct outcome *in)
{
        struct flow_apart *f = apart_of(e);

        switch ((enum apart_state)e->state) {
        case APART_START:
                return errand_go(e, APART_KNOWN);
        case APART_KNOWN:
                return apart_took_known(f, in);
        case APART_DOUBT:
        case APART_DOUBT_DIR:
                return apart_took_doubt(f, in);
        case APART_HERE:
                return apart_took_here(f, in);
        case APART_DELETE:
                return apart_took_delete(f, in);
        case APART_LISTED:
                return apart_took_listed(f, in);
        case APART_REMNANTS:
                if (in->err)
                        return apart_took_recorded(f, in);
                return errand_end(e, END_LATER, 0,
                                  "what an interrupted upload has left is still in it");
        case APART_RMDIR:
                return apart_took_rmdir(f, in);
        case APART_POLL:
                return apart_took_poll(f, in);
        case APART_RECORD:
        case APART_RECORD_DIR:
                return apart_took_recorded(f, in);
        }
        return errand_end(e, END_STUCK, 0, "internal: no such state");
}

static void apart_destroy(struct flow *flow)
{
        struct flow_apart *f = apart_of(errand_of(flow));

        while (f->n_levels > 0)
                apart_pop(f);
        apart_forget_remnants(f);
        free(f->levels);
        errand_pages_finish(&f->pages);
        str_finish(&f->cloud);
        errand_finish(&f->e);
        free(f);
}

struct flow *flow_apart(const struct drop_args *args)
{
        struct flow_apart *f = calloc(1, sizeof(*f));

        if (!f)
                return NULL;
        errand_init(&f->e, args->yadisk, apart_names, apart_ask, apart_took, apart_destroy);
        f->permanently = args->permanently;
        f->cloud = STR_NULL(YADISK_URL_MAX);
        if (!apart_push(f, args->op->entry.key)) {
                apart_destroy(&f->e.flow);
                return NULL;
        }
        return &f->e.flow;
}
