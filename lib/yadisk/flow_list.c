/* SPDX-License-Identifier: MIT */

/* START ─▶ PAGES ─▶ RECORD (once a batch) */

#include "lib/core/disguise.h"
#include "lib/yadisk/errand.h"
#include "lib/yadisk/flow_list.h"

#include <stdio.h>

enum list_state { LIST_START, LIST_PAGES, LIST_RECORD };

static const char *const list_names[] = {
        [LIST_START] = "START", [LIST_PAGES] = "PAGES", [LIST_RECORD] = "RECORD",
};

struct flow_list {
        struct errand e;
        char *key;
        struct str cloud;
        struct errand_pages pages;
        struct record *records;
        size_t n_records;
        struct entry_list folders; /* keys borrowed from `pages` once they are whole keys */
};

static struct flow_list *list_of(struct errand *e)
{
        return CONTAINER_OF(e, struct flow_list, e);
}

static struct ask list_ask(struct errand *e)
{
        struct flow_list *f = list_of(e);

        switch ((enum list_state)e->state) {
        case LIST_START:
                break;
        case LIST_PAGES:
                yadisk_path(&f->cloud, e->yadisk, f->key);
                return errand_pages_ask(e, &f->pages, str_z(&f->cloud));
        case LIST_RECORD:
                return (struct ask){
                        .want = ASK_RECORD, .records = f->records, .n_records = f->n_records};
        }
        return errand_end(e, END_STUCK, 0, "internal: no such state");
}

/* Names become keys, items records.  A name that no local file can have is nobody's twin. */
static bool list_gather(struct flow_list *f)
{
        f->records = calloc(f->pages.items.n + 1, sizeof(struct record));
        f->folders.items = calloc(f->pages.items.n + 1, sizeof(struct entry));
        if (!f->records || !f->folders.items)
                return false;
        for (size_t i = 0; i < f->pages.items.n; i++) {
                struct entry *item = &f->pages.items.items[i];
                struct record *r = &f->records[f->n_records];
                char *key = NULL;

                if (item->kind == KIND_OTHER || entry_key_unfit(item->key) ||
                    (item->kind == KIND_FILE && !item->has_md5))
                        continue;
                if (asprintf(&key, "%s%s%s", f->key, *f->key ? "/" : "", item->key) < 0)
                        return false;
                free((char *)item->key);
                item->key = key;
                *r = (struct record){.verb = RECORD_REMOTE, .entry = *item};
                if (item->kind == KIND_FILE && disguise_is_wire(entry_key_name(key))) {
                        r->verb = RECORD_REMNANT;
                        r->wire = entry_key_name(key);
                        r->when_ms = 0;
                }
                f->n_records++;
                if (item->kind == KIND_DIR)
                        f->folders.items[f->folders.n++] = *item;
        }
        return true;
}

static struct ask list_took_pages(struct flow_list *f, const struct outcome *in)
{
        struct ask ask;

        switch (errand_pages_took(&f->e, &f->pages, in, &ask)) {
        case ERRAND_LIST_MORE:
                return ask;
        case ERRAND_LIST_MISSING:
                return errand_end(&f->e, END_NOTHING, 0, "%s", "");
        case ERRAND_LIST_FILE:
                return errand_end(&f->e, *f->key ? END_NOTHING : END_STUCK, 0,
                                  "a file stands in the cloud where the folder must be");
        case ERRAND_LIST_WHOLE:
                break;
        }
        if (!list_gather(f))
                return errand_end(&f->e, END_LATER, 0, "no memory");
        return errand_go(&f->e, LIST_RECORD);
}

static struct ask list_took(struct errand *e, const struct outcome *in)
{
        struct flow_list *f = list_of(e);

        switch ((enum list_state)e->state) {
        case LIST_START:
                return errand_go(e, LIST_PAGES);
        case LIST_PAGES:
                return list_took_pages(f, in);
        case LIST_RECORD:
                if (in->err)
                        return errand_end(e, END_STORE, 0, "%s", in->text ? in->text : "");
                return errand_end(e, END_DONE, 0, "%s", "");
        }
        return errand_end(e, END_STUCK, 0, "internal: no such state");
}

static void list_destroy(struct flow *flow)
{
        struct flow_list *f = list_of(errand_of(flow));

        free(f->records);
        free(f->folders.items);
        errand_pages_finish(&f->pages);
        str_finish(&f->cloud);
        free(f->key);
        errand_finish(&f->e);
        free(f);
}

struct flow *flow_list(const struct yadisk *y, const char *key)
{
        struct flow_list *f = calloc(1, sizeof(*f));

        if (!f)
                return NULL;
        errand_init(&f->e, y, list_names, list_ask, list_took, list_destroy);
        f->cloud = STR_NULL(YADISK_URL_MAX);
        f->key = str_dup(key);
        if (!f->key) {
                list_destroy(&f->e.flow);
                return NULL;
        }
        return &f->e.flow;
}

const struct entry_list *flow_list_folders(const struct flow *flow)
{
        return &CONTAINER_OF((struct flow *)flow, struct flow_list, e.flow)->folders;
}

const char *flow_list_key(const struct flow *flow)
{
        return CONTAINER_OF((struct flow *)flow, struct flow_list, e.flow)->key;
}
