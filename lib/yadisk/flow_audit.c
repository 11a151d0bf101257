/* SPDX-License-Identifier: MIT */

/*
 *   START ─▶ KNOWN ─▶ PAGES ─▶ RECORD
 *                      ▲ │
 *                      └─┘ something differs: looked at again for a while
 */

#include "lib/core/disguise.h"
#include "lib/yadisk/errand.h"
#include "lib/yadisk/flow_audit.h"

#include <stdio.h>

enum audit_state { AUDIT_START, AUDIT_KNOWN, AUDIT_PAGES, AUDIT_RECORD };

static const char *const audit_names[] = {
        [AUDIT_START] = "START", [AUDIT_KNOWN] = "KNOWN", [AUDIT_PAGES] = "PAGES",
        [AUDIT_RECORD] = "RECORD",
};

struct flow_audit {
        struct errand e;
        char *key;
        int64_t patience_ms;
        struct str cloud;
        struct entry_list rows;    /* what is known right below, in byte order of names; keys owned */
        struct errand_pages pages;
        struct record *records;    /* as of the last listing … */
        size_t n_records;
        struct entry_list remnants; /* … keys and names of the wire names in it, owned */
        struct audit_find *items;
        struct audit_finds finds;
};

static struct flow_audit *audit_of(struct errand *e)
{
        return CONTAINER_OF(e, struct flow_audit, e);
}

static struct ask audit_ask(struct errand *e)
{
        struct flow_audit *f = audit_of(e);

        switch ((enum audit_state)e->state) {
        case AUDIT_START:
                break;
        case AUDIT_KNOWN:
                return (struct ask){.want = ASK_KNOWN, .key = f->key};
        case AUDIT_PAGES:
                yadisk_path(&f->cloud, e->yadisk, f->key);
                return errand_pages_ask(e, &f->pages, str_z(&f->cloud));
        case AUDIT_RECORD:
                return (struct ask){
                        .want = ASK_RECORD, .records = f->records, .n_records = f->n_records};
        }
        return errand_end(e, END_STUCK, 0, "internal: no such state");
}

static void audit_forget_list(struct entry_list *l)
{
        for (size_t i = 0; i < l->n; i++)
                free((char *)l->items[i].key);
        free(l->items);
        *l = (struct entry_list){0};
}

/* Away with what the last listing showed. */
static void audit_forget_listing(struct flow_audit *f)
{
        audit_forget_list(&f->remnants);
        free(f->records);
        free(f->items);
        f->records = NULL;
        f->items = NULL;
        f->n_records = 0;
        f->finds = (struct audit_finds){0};
        errand_pages_finish(&f->pages);
}

static struct ask audit_no_memory(struct flow_audit *f)
{
        return errand_end(&f->e, END_LATER, 0, "no memory");
}

static struct ask audit_took_known(struct flow_audit *f, const struct outcome *in)
{
        if (in->err)
                return errand_end(&f->e, END_STORE, 0, "%s", in->text ? in->text : "");
        /* Whether the folder itself is there was seen where it is listed. */
        if (in->known.n == 0)
                return errand_end(&f->e, END_NOTHING, 0, "%s", "");
        return entry_list_copy(&f->rows, &in->known) ? errand_go(&f->e, AUDIT_PAGES)
                                                     : audit_no_memory(f);
}

static void audit_record(struct flow_audit *f, enum record_verb verb, const struct entry *entry)
{
        f->records[f->n_records++] = (struct record){.verb = verb, .entry = *entry};
}

static void audit_found(struct flow_audit *f, const struct entry *row, enum audit_find_kind kind)
{
        f->items[f->finds.n++] =
                (struct audit_find){.key = row->key, .known = row->kind, .kind = kind};
        f->finds.items = f->items;
        audit_record(f, row->kind == KIND_DIR ? RECORD_FORGET_TREE : RECORD_FORGET, row);
}

/* `there`: what the listing shows under the row's name, or NULL. */
static void audit_judge(struct flow_audit *f, const struct entry *row, const struct entry *there)
{
        f->finds.compared++;
        if (!there) {
                /* It might be one of those that could not be told. */
                if (f->pages.strange == 0)
                        audit_found(f, row, AUDIT_MISSING);
                return;
        }
        if (there->kind != row->kind) {
                audit_found(f, row, AUDIT_RETYPED);
                return;
        }
        if (row->kind == KIND_DIR || errand_holds(row, there)) {
                if (row->flags & ENTRY_UNVERIFIED)
                        audit_record(f, RECORD_VERIFIED, row);
                return;
        }
        /* Just stored by somebody, and not hashed yet: nothing can be said. */
        if (there->has_md5 || there->size != row->size)
                audit_found(f, row, AUDIT_CHANGED);
}

/* What nobody knows: left alone, unless an interrupted upload of ours is all it can be. */
static bool audit_unknown(struct flow_audit *f, const struct entry *there)
{
        struct entry remnant = *there;
        struct record *r = &f->records[f->n_records];
        char *key;

        if (there->kind != KIND_FILE || !disguise_is_wire(there->key)) {
                f->finds.foreign++;
                return true;
        }
        if (asprintf(&key, "%s%s%s", f->key, *f->key ? "/" : "", there->key) < 0)
                return false;
        remnant.key = key;
        f->remnants.items[f->remnants.n++] = remnant;
        f->finds.remnants++;
        audit_record(f, RECORD_REMNANT, &remnant);
        r->wire = entry_key_name(key);
        return true;
}

/* Both sides are in byte order of names. */
static bool audit_compare(struct flow_audit *f)
{
        size_t rows = f->rows.n, items = f->pages.items.n, r = 0, i = 0;

        f->records = calloc(rows + items + 1, sizeof(struct record));
        f->items = calloc(rows + 1, sizeof(struct audit_find));
        f->remnants.items = calloc(items + 1, sizeof(struct entry));
        if (!f->records || !f->items || !f->remnants.items)
                return false;
        while (r < rows || i < items) {
                const struct entry *row = &f->rows.items[r], *there = &f->pages.items.items[i];
                int order = r == rows    ? 1
                            : i == items ? -1
                                         : strcmp(entry_key_name(row->key), there->key);

                if (order > 0 && !audit_unknown(f, there))
                        return false;
                if (order <= 0)
                        audit_judge(f, row, order == 0 ? there : NULL);
                r += order <= 0;
                i += order >= 0;
        }
        return true;
}

/* The folder itself is not there, or is none. */
static bool audit_gone(struct flow_audit *f, enum audit_find_kind kind)
{
        struct entry self = {.key = f->key, .kind = KIND_DIR};

        f->records = calloc(2, sizeof(struct record));
        f->items = calloc(1, sizeof(struct audit_find));
        if (!f->records || !f->items)
                return false;
        audit_found(f, &self, kind);
        f->finds.compared = 1;
        if (*f->key == '\0')
                f->records[f->n_records++] =
                        (struct record){.verb = RECORD_META, .name = "cloud.made"};
        return true;
}

static struct ask audit_decide(struct flow_audit *f, int64_t waited_ms)
{
        if (f->finds.n == 0 && f->n_records == 0)
                return errand_end(&f->e, END_NOTHING, 0, "%s", "");
        if (f->finds.n == 0 || (f->patience_ms >= 0 && waited_ms >= f->patience_ms))
                return errand_go(&f->e, AUDIT_RECORD);
        if (f->patience_ms == AUDIT_LOOK_ONLY)
                return errand_end(&f->e, END_CHANGED, 0, "%zu entries are not there as they were",
                                  f->finds.n);
        audit_forget_listing(f);
        return errand_not_yet(&f->e, 500);
}

static struct ask audit_took_pages(struct flow_audit *f, const struct outcome *in)
{
        struct ask ask;
        int64_t waited_ms = errand_waited(&f->e, in);
        bool ok = false;

        switch (errand_pages_took(&f->e, &f->pages, in, &ask)) {
        case ERRAND_LIST_MORE:
                return ask;
        case ERRAND_LIST_MISSING:
                if (verdict(in).error != YADISK_ERROR_NOT_FOUND)
                        return errand_garbled(&f->e, in);
                ok = audit_gone(f, AUDIT_MISSING);
                break;
        case ERRAND_LIST_FILE:
                if (*f->key == '\0')
                        return errand_end(&f->e, END_STUCK, 0,
                                          "a file stands in the cloud where the folder must be");
                ok = audit_gone(f, AUDIT_RETYPED);
                break;
        case ERRAND_LIST_WHOLE:
                ok = audit_compare(f);
                break;
        }
        f->e.tries = 0;
        return ok ? audit_decide(f, waited_ms) : audit_no_memory(f);
}

static struct ask audit_took_record(struct flow_audit *f, const struct outcome *in)
{
        struct ask ask;

        if (in->err)
                return errand_end(&f->e, END_STORE, 0, "%s", in->text ? in->text : "");
        ask = errand_end(&f->e, END_DONE, 0, "%s", "");
        ask.end.vanished = f->finds.n > 0;
        return ask;
}

static struct ask audit_took(struct errand *e, const struct outcome *in)
{
        struct flow_audit *f = audit_of(e);

        switch ((enum audit_state)e->state) {
        case AUDIT_START:
                return errand_go(e, AUDIT_KNOWN);
        case AUDIT_KNOWN:
                return audit_took_known(f, in);
        case AUDIT_PAGES:
                return audit_took_pages(f, in);
        case AUDIT_RECORD:
                return audit_took_record(f, in);
        }
        return errand_end(e, END_STUCK, 0, "internal: no such state");
}

static void audit_destroy(struct flow *flow)
{
        struct flow_audit *f = audit_of(errand_of(flow));

        audit_forget_listing(f);
        audit_forget_list(&f->rows);
        str_finish(&f->cloud);
        free(f->key);
        errand_finish(&f->e);
        free(f);
}

struct flow *flow_audit(const struct yadisk *y, const char *key, int64_t patience_ms)
{
        struct flow_audit *f = calloc(1, sizeof(*f));

        if (!f)
                return NULL;
        errand_init(&f->e, y, audit_names, audit_ask, audit_took, audit_destroy);
        f->cloud = STR_NULL(YADISK_URL_MAX);
        f->patience_ms = patience_ms;
        f->key = str_dup(key);
        if (!f->key) {
                audit_destroy(&f->e.flow);
                return NULL;
        }
        return &f->e.flow;
}

const struct audit_finds *flow_audit_finds(const struct flow *flow)
{
        return &CONTAINER_OF((struct flow *)flow, struct flow_audit, e.flow)->finds;
}

const char *flow_audit_key(const struct flow *flow)
{
        return CONTAINER_OF((struct flow *)flow, struct flow_audit, e.flow)->key;
}
