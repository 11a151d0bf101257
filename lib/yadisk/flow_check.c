/* SPDX-License-Identifier: MIT */

/*
 *   START ─▶ KNOWN ─▶ LISTING ─▶ RECORD          many unverified rows in the folder
 *                └──▶ LOOK … ──▶ RECORD          few: one look each costs less
 *
 * The service may show an old state for some seconds after a change, so a difference is looked at
 * again for a while before it is believed.
 */

#include "lib/yadisk/errand.h"
#include "lib/yadisk/flow_list.h"

enum check_state { CHECK_START, CHECK_KNOWN, CHECK_LISTING, CHECK_LOOK, CHECK_RECORD };

static const char *const check_names[] = {
        [CHECK_START] = "START", [CHECK_KNOWN] = "KNOWN", [CHECK_LISTING] = "LISTING",
        [CHECK_LOOK] = "LOOK", [CHECK_RECORD] = "RECORD",
};

#define CHECK_PATIENCE_MS ERRAND_LATE_MS

struct flow_check {
        struct errand e;
        char *key;
        struct str cloud;
        struct entry *rows;      /* the unverified ones, keys owned */
        struct record *records;  /* one a row: VERIFIED, or FORGET while it is not there as sent */
        size_t n, at;
        bool judged;             /* and written down */
        size_t wrong;            /* rows whose record is FORGET */
        struct errand_pages pages;
};

static struct flow_check *check_of(struct errand *e)
{
        return CONTAINER_OF(e, struct flow_check, e);
}

static struct ask check_ask(struct errand *e)
{
        struct flow_check *f = check_of(e);

        switch ((enum check_state)e->state) {
        case CHECK_START:
                break;
        case CHECK_KNOWN:
                return (struct ask){.want = ASK_KNOWN, .key = f->key};
        case CHECK_LISTING:
                yadisk_path(&f->cloud, e->yadisk, f->key);
                return errand_pages_ask(e, &f->pages, str_z(&f->cloud));
        case CHECK_LOOK:
                yadisk_path(&f->cloud, e->yadisk, f->rows[f->at].key);
                return errand_look_ask(e, str_z(&f->cloud));
        case CHECK_RECORD:
                return (struct ask){.want = ASK_RECORD, .records = f->records, .n_records = f->n};
        }
        return errand_end(e, END_STUCK, 0, "internal: no such state");
}

static struct ask check_took_known(struct flow_check *f, const struct outcome *in)
{
        size_t n = in->known.n;

        if (in->err)
                return errand_end(&f->e, END_STORE, 0, "%s", in->text ? in->text : "");
        f->rows = calloc(n + 1, sizeof(struct entry));
        f->records = calloc(n + 1, sizeof(struct record));
        for (size_t i = 0; f->rows && f->records && i < n; i++) {
                const struct entry *known = &in->known.items[i];

                if (known->kind != KIND_FILE || !(known->flags & ENTRY_UNVERIFIED))
                        continue;
                f->rows[f->n] = *known;
                f->rows[f->n].key = str_dup(known->key);
                if (!f->rows[f->n].key)
                        return errand_end(&f->e, END_LATER, 0, "no memory");
                f->n++;
        }
        if (!f->rows || !f->records)
                return errand_end(&f->e, END_LATER, 0, "no memory");
        if (f->n == 0)
                return errand_end(&f->e, END_NOTHING, 0, "%s", "");
        /* Listing the folder takes a call for every page of it. */
        if (f->n <= n / YADISK_LIST_LIMIT + 1)
                return errand_go(&f->e, CHECK_LOOK);
        return errand_go(&f->e, CHECK_LISTING);
}

static void check_judge(struct flow_check *f, size_t i, const struct entry *found)
{
        const struct entry *row = &f->rows[i];
        bool right = found && errand_holds(row, found);

        f->records[i] = (struct record){.verb = right ? RECORD_VERIFIED : RECORD_FORGET,
                                        .entry = *row};
        f->wrong += !right;
}

static struct ask check_again(struct flow_check *f)
{
        f->at = f->wrong = 0;
        errand_pages_finish(&f->pages);
        return errand_not_yet(&f->e, 500);
}

static struct ask check_took_listing(struct flow_check *f, const struct outcome *in)
{
        struct ask ask;
        int64_t waited = errand_waited(&f->e, in);

        switch (errand_pages_took(&f->e, &f->pages, in, &ask)) {
        case ERRAND_LIST_MORE:
                return ask;
        case ERRAND_LIST_MISSING:
        case ERRAND_LIST_FILE:
                errand_pages_finish(&f->pages);
                break;
        case ERRAND_LIST_WHOLE:
                break;
        }
        for (size_t i = 0; i < f->n; i++)
                check_judge(f, i, errand_pages_find(&f->pages, entry_key_name(f->rows[i].key)));
        if (f->wrong > 0 && waited < CHECK_PATIENCE_MS)
                return check_again(f);
        return errand_go(&f->e, CHECK_RECORD);
}

static struct ask check_took_look(struct flow_check *f, const struct outcome *in)
{
        struct entry found;
        struct ask ask;
        int64_t waited = errand_waited(&f->e, in);
        enum errand_look look = errand_look_took(&f->e, in, &found, &ask);

        if (look == ERRAND_LOOK_TROUBLE)
                return ask;
        check_judge(f, f->at, look == ERRAND_LOOK_FILE ? &found : NULL);
        if (f->wrong > 0 && waited < CHECK_PATIENCE_MS)
                return check_again(f);
        f->e.tries = 0;
        if (++f->at < f->n)
                return check_ask(&f->e);
        return errand_go(&f->e, CHECK_RECORD);
}

static struct ask check_took_record(struct flow_check *f, const struct outcome *in)
{
        struct ask ask;

        if (in->err)
                return errand_end(&f->e, END_STORE, 0, "%s", in->text ? in->text : "");
        f->judged = true;
        if (f->wrong == 0)
                return errand_end(&f->e, END_NOTHING, 0, "%s", "");
        ask = errand_end(&f->e, END_LATER, 0,
                         "%zu of %zu files just sent are not in the cloud as they were sent",
                         f->wrong, f->n);
        ask.end.vanished = true;
        return ask;
}

static struct ask check_took(struct errand *e, const struct outcome *in)
{
        struct flow_check *f = check_of(e);

        switch ((enum check_state)e->state) {
        case CHECK_START:
                return errand_go(e, CHECK_KNOWN);
        case CHECK_KNOWN:
                return check_took_known(f, in);
        case CHECK_LISTING:
                return check_took_listing(f, in);
        case CHECK_LOOK:
                return check_took_look(f, in);
        case CHECK_RECORD:
                return check_took_record(f, in);
        }
        return errand_end(e, END_STUCK, 0, "internal: no such state");
}

static void check_destroy(struct flow *flow)
{
        struct flow_check *f = check_of(errand_of(flow));

        for (size_t i = 0; i < f->n; i++)
                free((char *)f->rows[i].key);
        free(f->rows);
        free(f->records);
        errand_pages_finish(&f->pages);
        str_finish(&f->cloud);
        free(f->key);
        errand_finish(&f->e);
        free(f);
}

struct flow *flow_check(const struct yadisk *y, const char *key)
{
        struct flow_check *f = calloc(1, sizeof(*f));

        if (!f)
                return NULL;
        errand_init(&f->e, y, check_names, check_ask, check_took, check_destroy);
        f->cloud = STR_NULL(YADISK_URL_MAX);
        f->key = str_dup(key);
        if (!f->key) {
                check_destroy(&f->e.flow);
                return NULL;
        }
        return &f->e.flow;
}

size_t flow_check_rows(const struct flow *f, const struct entry **ret)
{
        const struct flow_check *check = check_of(errand_of((struct flow *)f));

        *ret = check->rows;
        return check->judged ? check->n : 0;
}

bool flow_check_right(const struct flow *f, size_t row)
{
        return check_of(errand_of((struct flow *)f))->records[row].verb == RECORD_VERIFIED;
}
