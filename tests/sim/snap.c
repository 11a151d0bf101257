/* SPDX-License-Identifier: MIT */

#include "tests/sim/snap.h"

#include "daemon/account.h"
#include "daemon/approval.h"
#include "lib/core/plan.h"
#include "lib/store/spool.h"
#include "tests/sim/rule.h"
#include "tests/sim/tree.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

struct fact {
        char *name, *value;
};

struct rows {
        struct entry *items; /* keys owned, in tree order */
        size_t n, size;
};

struct snap_data {
        struct rows known, remote;
        struct intent *intents;
        size_t n_intents, size_intents;
        struct doubt *doubts; /* in no order */
        size_t n_doubts, size_doubts;
        struct fact *facts;
        size_t n_facts, size_facts;
};

struct store {
        int broken; /* an errno, from now on */
};

struct snap snap;

static void *snap_grow(void *items, size_t n, size_t *size, size_t one)
{
        if (n < *size)
                return items;
        *size = *size ? 2 * *size : 16;
        items = reallocarray(items, *size, one);
        if (!items)
                abort();
        return items;
}

/* ---- rows ------------------------------------------------------------------------------------- */

/* Where the key is, or would be. */
static size_t rows_at(const struct rows *t, const char *key)
{
        size_t low = 0, high = t->n;

        while (low < high) {
                size_t middle = (low + high) / 2;

                if (entry_key_cmp(t->items[middle].key, key) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static struct entry *rows_find(const struct rows *t, const char *key)
{
        size_t i = rows_at(t, key);

        return i < t->n && str_eq(t->items[i].key, key) ? &t->items[i] : NULL;
}

static void rows_set(struct rows *t, const struct entry *e)
{
        struct entry *there = rows_find(t, e->key);
        size_t i = rows_at(t, e->key);

        if (!there) {
                t->items = snap_grow(t->items, t->n, &t->size, sizeof(struct entry));
                there = &t->items[i];
                memmove(there + 1, there, (t->n - i) * sizeof(struct entry));
                t->n++;
                there->key = str_dup(e->key);
        }
        *there = (struct entry){.key = there->key, .kind = e->kind, .flags = e->flags,
                                .size = e->size, .stamp = e->stamp, .has_md5 = e->has_md5};
        memcpy(there->md5, e->md5, sizeof(e->md5));
}

/* Those from `i` on that are the key's own or below it. */
static size_t rows_below(const struct rows *t, size_t i, const char *key)
{
        size_t n = 0;

        while (i + n < t->n && (str_eq(t->items[i + n].key, key) ||
                                entry_key_below(t->items[i + n].key, key)))
                n++;
        return n;
}

static void rows_cut(struct rows *t, size_t i, size_t n)
{
        for (size_t k = i; k < i + n; k++)
                free((char *)t->items[k].key);
        if (n > 0)
                memmove(&t->items[i], &t->items[i + n], (t->n - i - n) * sizeof(struct entry));
        t->n -= n;
}

static void rows_copy(struct rows *to, const struct rows *from)
{
        *to = (struct rows){.n = from->n, .size = from->n};
        to->items = calloc(from->n + 1, sizeof(struct entry));
        for (size_t i = 0; i < from->n; i++) {
                to->items[i] = from->items[i];
                to->items[i].key = str_dup(from->items[i].key);
        }
}

static void rows_finish(struct rows *t)
{
        rows_cut(t, 0, t->n);
        free(t->items);
        *t = (struct rows){0};
}

/* ---- all of it -------------------------------------------------------------------------------- */

static void data_free(struct snap_data *d)
{
        if (!d)
                return;
        rows_finish(&d->known);
        rows_finish(&d->remote);
        for (size_t i = 0; i < d->n_intents; i++) {
                free(d->intents[i].key);
                free(d->intents[i].wire);
        }
        for (size_t i = 0; i < d->n_facts; i++) {
                free(d->facts[i].name);
                free(d->facts[i].value);
        }
        for (size_t i = 0; i < d->n_doubts; i++)
                free(d->doubts[i].key);
        free(d->intents);
        free(d->doubts);
        free(d->facts);
        free(d);
}

static struct snap_data *data_new(void)
{
        struct snap_data *d = calloc(1, sizeof(*d));

        if (!d)
                abort();
        return d;
}

static void data_add_intent(struct snap_data *d, const struct intent *in)
{
        d->intents = snap_grow(d->intents, d->n_intents, &d->size_intents, sizeof(struct intent));
        d->intents[d->n_intents] = *in;
        d->intents[d->n_intents].key = str_dup(in->key);
        d->intents[d->n_intents++].wire = str_dup(in->wire);
}

static void data_add_doubt(struct snap_data *d, const struct doubt *doubt)
{
        d->doubts = snap_grow(d->doubts, d->n_doubts, &d->size_doubts, sizeof(struct doubt));
        d->doubts[d->n_doubts] = *doubt;
        d->doubts[d->n_doubts++].key = str_dup(doubt->key);
}

static void data_cut_doubt(struct snap_data *d, size_t i)
{
        free(d->doubts[i].key);
        d->doubts[i] = d->doubts[--d->n_doubts];
}

static void data_set_fact(struct snap_data *d, const char *name, const char *value)
{
        size_t i = 0;

        while (i < d->n_facts && !str_eq(d->facts[i].name, name))
                i++;
        if (i < d->n_facts) {
                free(d->facts[i].name);
                free(d->facts[i].value);
                d->facts[i] = d->facts[--d->n_facts];
        }
        if (!value)
                return;
        d->facts = snap_grow(d->facts, d->n_facts, &d->size_facts, sizeof(struct fact));
        d->facts[d->n_facts++] = (struct fact){str_dup(name), str_dup(value)};
}

static struct snap_data *data_copy(const struct snap_data *from)
{
        struct snap_data *d = data_new();

        rows_copy(&d->known, &from->known);
        rows_copy(&d->remote, &from->remote);
        for (size_t i = 0; i < from->n_intents; i++)
                data_add_intent(d, &from->intents[i]);
        for (size_t i = 0; i < from->n_doubts; i++)
                data_add_doubt(d, &from->doubts[i]);
        for (size_t i = 0; i < from->n_facts; i++)
                data_set_fact(d, from->facts[i].name, from->facts[i].value);
        return d;
}

void snap_begin(void)
{
        snap = (struct snap){.data = data_new()};
}

void snap_finish(void)
{
        data_free(snap.data);
        data_free(snap.backup);
        snap = (struct snap){0};
}

void snap_lose(void)
{
        data_free(snap.data);
        snap.data = data_new();
}

void snap_back_up(void)
{
        data_free(snap.backup);
        snap.backup = data_copy(snap.data);
}

bool snap_restore(void)
{
        if (!snap.backup)
                return false;
        data_free(snap.data);
        snap.data = data_copy(snap.backup);
        return true;
}

const char *snap_meta(const char *name)
{
        for (size_t i = 0; i < snap.data->n_facts; i++)
                if (str_eq(snap.data->facts[i].name, name))
                        return snap.data->facts[i].value;
        return NULL;
}

const struct entry *snap_row(const char *key)
{
        return rows_find(&snap.data->known, key);
}

uint64_t snap_count(const char *key)
{
        return rows_below(&snap.data->known, rows_at(&snap.data->known, key), key);
}

uint64_t snap_total(void)
{
        return snap.data->known.n;
}

size_t snap_intents(void)
{
        return snap.data->n_intents;
}

size_t snap_doubts(void)
{
        return snap.data->n_doubts;
}

const struct doubt *snap_doubt(const char *key)
{
        for (size_t i = 0; i < snap.data->n_doubts; i++)
                if (str_eq(snap.data->doubts[i].key, key))
                        return &snap.data->doubts[i];
        return NULL;
}

const struct entry *snap_at(size_t i)
{
        return i < snap.data->known.n ? &snap.data->known.items[i] : NULL;
}

/* ---- store.h ---------------------------------------------------------------------------------- */

int store_open(struct store **ret, const char *dir _unused_, unsigned flags _unused_,
               struct err *err _unused_)
{
        struct store *s = calloc(1, sizeof(*s));

        if (!s)
                abort();
        if (snap.open)
                sim_fail("the snapshot is opened twice");
        snap.open = true;
        snap.stale = false;
        *ret = s;
        return 0;
}

void store_close(struct store *s)
{
        if (s)
                snap.open = false;
        free(s);
}

int store_set_aside(const char *dir _unused_, struct err *err)
{
        snap_lose();
        snap.damage = SNAP_SOUND;
        err_set(err, 0, "the damaged snapshot is kept");
        return 0;
}

static int store_trouble(struct err *err)
{
        if (snap.stale)
                return err_set(err, ESTALE, "the snapshot was removed");
        if (snap.damage == SNAP_UNREADABLE)
                return err_set(err, EUCLEAN, "the snapshot is damaged");
        return 0;
}

int store_meta_get(struct store *s _unused_, const char *name, char **ret, struct err *err)
{
        int r = store_trouble(err);

        if (r == 0)
                *ret = str_dup(snap_meta(name));
        return r;
}

void store_facts_free(struct store_fact *facts, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                free(facts[i].name);
                free(facts[i].value);
        }
        free(facts);
}

int store_facts(struct store *s _unused_, const char *prefix, struct store_fact **ret, size_t *ret_n,
                struct err *err)
{
        int r = store_trouble(err);

        if (r < 0)
                return r;
        *ret = calloc(snap.data->n_facts + 1, sizeof(**ret));
        *ret_n = 0;
        for (size_t i = 0; i < snap.data->n_facts; i++)
                if (str_starts(snap.data->facts[i].name, prefix))
                        (*ret)[(*ret_n)++] =
                                (struct store_fact){.name = str_dup(snap.data->facts[i].name),
                                                    .value = str_dup(snap.data->facts[i].value)};
        return 0;
}

static void store_forget_intent(struct snap_data *d, const char *wire)
{
        for (size_t i = 0; i < d->n_intents; i++)
                if (str_eq(d->intents[i].wire, wire)) {
                        free(d->intents[i].key);
                        free(d->intents[i].wire);
                        memmove(&d->intents[i], &d->intents[i + 1],
                                (d->n_intents - i - 1) * sizeof(struct intent));
                        d->n_intents--;
                        return;
                }
}

static bool store_has_intent(const struct snap_data *d, const char *wire)
{
        for (size_t i = 0; i < d->n_intents; i++)
                if (str_eq(d->intents[i].wire, wire))
                        return true;
        return false;
}

static void store_verified(struct snap_data *d, const struct entry *e)
{
        struct entry *row = rows_find(&d->known, e->key);

        if (row && row->size == e->size && memcmp(row->md5, e->md5, sizeof(e->md5)) == 0)
                row->flags &= ~(unsigned)ENTRY_UNVERIFIED;
}

static void store_move_intents(struct snap_data *d, const char *from, const char *to)
{
        for (size_t i = 0; i < d->n_intents; i++) {
                struct intent *in = &d->intents[i];
                char key[TREE_KEY_MAX];

                if (!entry_key_below(in->key, from))
                        continue;
                snprintf(key, sizeof(key), "%s%s", to, in->key + strlen(from));
                free(in->key);
                in->key = str_dup(key);
        }
}

static void store_move(struct rows *t, const char *from, const char *to)
{
        size_t i = rows_at(t, to);

        if (!rows_find(t, from))
                return;
        rows_cut(t, i, rows_below(t, i, to));
        for (;;) {
                char key[TREE_KEY_MAX];
                struct entry row;

                i = rows_at(t, from);
                if (rows_below(t, i, from) == 0)
                        return;
                row = t->items[i];
                snprintf(key, sizeof(key), "%s%s", to, row.key + strlen(from));
                row.key = key;
                rows_cut(t, i, 1);
                rows_set(t, &row);
        }
}

static void store_forget_doubt(struct snap_data *d, const char *key)
{
        for (size_t i = 0; i < d->n_doubts; i++)
                if (str_eq(d->doubts[i].key, key)) {
                        data_cut_doubt(d, i);
                        return;
                }
}

static void store_doubt(struct snap_data *d, const struct record *r)
{
        struct doubt doubt = {.key = (char *)r->entry.key,
                              .kind = r->entry.kind,
                              .size = r->entry.size,
                              .when_ms = r->when_ms,
                              .looked = r->looked};

        memcpy(doubt.md5, r->entry.md5, sizeof(doubt.md5));
        store_forget_doubt(d, doubt.key);
        data_add_doubt(d, &doubt);
}

static void store_forget_tree(struct snap_data *d, const char *key)
{
        size_t i = rows_at(&d->known, key);

        rows_cut(&d->known, i, rows_below(&d->known, i, key));
        for (size_t k = d->n_doubts; k-- > 0;)
                if (entry_key_below(d->doubts[k].key, key))
                        data_cut_doubt(d, k);
}

/* The rows that `r` is about to forget go with the approved plan. */
static void store_spend(struct snap_data *d, const struct record *r)
{
        const char *approved = snap_meta("approved");
        size_t i = rows_at(&d->known, r->entry.key), n = rows_below(&d->known, i, r->entry.key);
        uint64_t rest = approved ? strtoull(approved, NULL, 16) : 0;
        char id[17];

        if (!r->removed || !approved || n == 0)
                return;
        while (n-- > 0)
                rest -= plan_share(&d->known.items[i++]);
        snprintf(id, sizeof(id), "%016" PRIx64, rest);
        data_set_fact(d, "approved", rest != 0 ? id : NULL);
        data_set_fact(d, "held", NULL);
}

static void store_apply(struct snap_data *d, const struct record *r)
{
        struct intent in = {.wire = (char *)r->wire,
                            .key = (char *)r->entry.key,
                            .size = r->entry.size,
                            .when_ms = r->when_ms};

        switch (r->verb) {
        case RECORD_ROW:
                rows_set(&d->known, &r->entry);
                return;
        case RECORD_FORGET:
                store_spend(d, r);
                if (rows_find(&d->known, r->entry.key))
                        rows_cut(&d->known, rows_at(&d->known, r->entry.key), 1);
                return;
        case RECORD_FORGET_TREE:
                store_spend(d, r);
                store_forget_tree(d, r->entry.key);
                return;
        case RECORD_MOVE:
                store_move(&d->known, r->from, r->entry.key);
                store_move_intents(d, r->from, r->entry.key);
                return;
        case RECORD_VERIFIED:
                store_verified(d, &r->entry);
                return;
        case RECORD_INTENT:
                store_forget_intent(d, r->wire);
                data_add_intent(d, &in);
                return;
        case RECORD_REMNANT:
                if (!store_has_intent(d, r->wire))
                        data_add_intent(d, &in);
                return;
        case RECORD_INTENT_DONE:
                store_forget_intent(d, r->wire);
                return;
        case RECORD_REMOTE:
                rows_set(&d->remote, &r->entry);
                return;
        case RECORD_REMOTE_CLEAR:
                rows_cut(&d->remote, 0, d->remote.n);
                return;
        case RECORD_META:
                data_set_fact(d, r->name, r->value);
                return;
        case RECORD_DOUBT:
                store_doubt(d, r);
                return;
        case RECORD_DOUBT_DONE:
                store_forget_doubt(d, r->entry.key);
                return;
        }
}

static bool store_refuses(const struct record *r)
{
        if (r->verb == RECORD_DOUBT || r->verb == RECORD_DOUBT_DONE)
                return entry_key_unfit(r->entry.key);
        return (r->verb == RECORD_ROW || r->verb == RECORD_REMOTE || r->verb == RECORD_INTENT) &&
               *r->entry.key && entry_key_unfit(r->entry.key);
}

int store_commit(struct store *s, const struct record *records, size_t n, struct err *err)
{
        int fail = snap.fail, r = store_trouble(err);

        if (r < 0)
                return r;
        if (s->broken)
                return err_set(err, s->broken, "its disk has failed");
        for (size_t i = 0; i < n; i++)
                if (store_refuses(&records[i])) {
                        sim_fail("a record of %s, which cannot be right", records[i].entry.key);
                        return err_set(err, EINVAL, "a record cannot be right");
                }
        snap.fail = 0;
        s->broken = fail == EIO ? EIO : 0;
        if (fail == ENOSPC || (fail == EIO && sim_chance(500)))
                return err_set(err, fail, "the disk fails");
        for (size_t i = 0; i < n; i++) {
                rule_recorded(&records[i]);
                store_apply(snap.data, &records[i]);
        }
        return fail ? err_set(err, fail, "the disk fails") : 0;
}

struct store_iter {
        struct entry_iter iter;
        struct rows rows;
        size_t at;
        bool known;
};

static int store_iter_next(struct entry_iter *iter, const struct entry **ret)
{
        struct store_iter *it = CONTAINER_OF(iter, struct store_iter, iter);

        if (it->at == it->rows.n)
                return it->known && snap.damage ? -EUCLEAN : 0;
        *ret = &it->rows.items[it->at++];
        return 1;
}

static int store_iter(struct entry_iter **ret, const struct rows *rows, bool known, struct err *err)
{
        struct store_iter *it = calloc(1, sizeof(*it));

        if (!it)
                abort();
        if (snap.stale) {
                free(it);
                return err_set(err, ESTALE, "the snapshot was removed");
        }
        it->iter.next = store_iter_next;
        it->known = known;
        rows_copy(&it->rows, rows);
        /* Rows are missing that nobody can tell of before the end. */
        if (known && snap.damage)
                for (size_t i = it->rows.n; i-- > 0;)
                        if (sim_chance(300))
                                rows_cut(&it->rows, i, 1);
        *ret = &it->iter;
        return 0;
}

int store_known_iter(struct store *s _unused_, struct entry_iter **ret, struct err *err)
{
        return store_iter(ret, &snap.data->known, true, err);
}

int store_remote_iter(struct store *s _unused_, struct entry_iter **ret, struct err *err)
{
        return store_iter(ret, &snap.data->remote, false, err);
}

void store_iter_err(const struct entry_iter *it _unused_, struct err *ret)
{
        if (snap.damage)
                err_set(ret, EUCLEAN, "the snapshot is damaged: rows are missing in it");
}

void store_iter_destroy(struct entry_iter *iter)
{
        struct store_iter *it;

        if (!iter)
                return;
        it = CONTAINER_OF(iter, struct store_iter, iter);
        rows_finish(&it->rows);
        free(it);
}

static void list_add(struct entry_list *l, const struct entry *e, size_t key_len)
{
        l->items = reallocarray(l->items, l->n + 1, sizeof(struct entry));
        if (!l->items)
                abort();
        l->items[l->n] = *e;
        l->items[l->n++].key = strndup(e->key, key_len);
}

int store_children(struct store *s _unused_, const char *key, struct entry_list *ret,
                   struct err *err)
{
        const struct rows *t = &snap.data->known;
        int r = store_trouble(err);

        *ret = (struct entry_list){0};
        for (size_t i = 0; r == 0 && i < t->n; i++)
                if (entry_key_below(t->items[i].key, key) &&
                    entry_key_parent(t->items[i].key) == strlen(key))
                        list_add(ret, &t->items[i], strlen(t->items[i].key));
        return r;
}

int store_next(struct store *s _unused_, enum kind kind, const char *after, size_t max,
               struct entry_list *ret, struct err *err)
{
        const struct rows *t = &snap.data->known;
        int r = store_trouble(err);

        *ret = (struct entry_list){0};
        for (size_t i = 0; r == 0 && i < t->n && ret->n < max; i++)
                if (t->items[i].kind == kind &&
                    (!after || entry_key_cmp(t->items[i].key, after) > 0))
                        list_add(ret, &t->items[i], strlen(t->items[i].key));
        return r;
}

int store_get(struct store *s _unused_, const char *key, struct entry *ret, struct err *err)
{
        const struct entry *row = snap_row(key);
        int r = store_trouble(err);

        if (r < 0 || !row)
                return r;
        *ret = *row;
        ret->key = NULL;
        return 1;
}

int store_below(struct store *s _unused_, const char *key, uint64_t *ret, struct err *err)
{
        int r = store_trouble(err);

        *ret = snap_count(key) - (snap_row(key) != NULL);
        return r;
}

int store_unverified(struct store *s _unused_, size_t max, struct entry_list *ret, struct err *err)
{
        const struct rows *t = &snap.data->known;
        int r = store_trouble(err);

        *ret = (struct entry_list){0};
        for (size_t i = 0; r == 0 && i < t->n && ret->n < max; i++) {
                size_t len = entry_key_parent(t->items[i].key);
                bool twice = false;

                if (!(t->items[i].flags & ENTRY_UNVERIFIED))
                        continue;
                for (size_t k = 0; k < ret->n; k++)
                        twice |= strlen(ret->items[k].key) == len &&
                                 memcmp(ret->items[k].key, t->items[i].key, len) == 0;
                if (!twice)
                        list_add(ret, &t->items[i], len);
        }
        return r;
}

int store_intents(struct store *s _unused_, struct intent **ret, size_t *ret_n, struct err *err)
{
        const struct snap_data *d = snap.data;
        struct intent *all;
        int r = store_trouble(err);

        if (r < 0)
                return r;
        all = calloc(d->n_intents + 1, sizeof(*all));
        for (size_t i = 0; i < d->n_intents; i++) {
                size_t at = i;

                while (at > 0 && all[at - 1].when_ms > d->intents[i].when_ms) {
                        all[at] = all[at - 1];
                        at--;
                }
                all[at] = d->intents[i];
                all[at].key = str_dup(d->intents[i].key);
                all[at].wire = str_dup(d->intents[i].wire);
        }
        *ret = all;
        *ret_n = d->n_intents;
        return 0;
}

void store_intents_free(struct intent *intents, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                free(intents[i].key);
                free(intents[i].wire);
        }
        free(intents);
}

static int doubt_by_key(const void *a, const void *b)
{
        return entry_key_cmp(((const struct doubt *)a)->key, ((const struct doubt *)b)->key);
}

int store_doubts(struct store *s _unused_, struct doubt **ret, size_t *ret_n, struct err *err)
{
        const struct snap_data *d = snap.data;
        struct doubt *all;
        int r = store_trouble(err);

        if (r < 0)
                return r;
        all = calloc(d->n_doubts + 1, sizeof(*all));
        for (size_t i = 0; i < d->n_doubts; i++) {
                all[i] = d->doubts[i];
                all[i].key = str_dup(all[i].key);
        }
        qsort(all, d->n_doubts, sizeof(*all), doubt_by_key);
        *ret = all;
        *ret_n = d->n_doubts;
        return 0;
}

void store_doubts_free(struct doubt *doubts, size_t n)
{
        for (size_t i = 0; i < n; i++)
                free(doubts[i].key);
        free(doubts);
}

int store_totals(struct store *s _unused_, struct store_totals *ret, struct err *err)
{
        const struct rows *t = &snap.data->known;
        int r = store_trouble(err);

        *ret = (struct store_totals){0};
        for (size_t i = 0; i < t->n; i++) {
                ret->files += t->items[i].kind == KIND_FILE;
                ret->dirs += t->items[i].kind == KIND_DIR;
                ret->bytes += t->items[i].size;
                ret->unverified += (t->items[i].flags & ENTRY_UNVERIFIED) != 0;
        }
        return r;
}

/* ---- spool.h ---------------------------------------------------------------------------------- */

struct spool {
        struct op *items; /* keys owned */
        size_t n, size, at;
        bool drops; /* a scan makes two: that of the makes first */
};

static unsigned spools;

int spool_create(struct spool **ret, const char *dir _unused_, struct err *err _unused_)
{
        *ret = calloc(1, sizeof(struct spool));
        if (!*ret)
                abort();
        (*ret)->drops = spools++ > 0;
        return 0;
}

void spool_destroy(struct spool *s)
{
        for (size_t i = 0; s && i < s->n; i++) {
                free((char *)s->items[i].entry.key);
                free((char *)s->items[i].from);
        }
        if (s) {
                free(s->items);
                spools--;
        }
        free(s);
}

int spool_add(struct spool *s, const struct op *op, struct err *err)
{
        if (snap.spool_fail) {
                snap.spool_fail = 0;
                return err_set(err, ENOSPC, "the disk is full");
        }
        s->items = snap_grow(s->items, s->n, &s->size, sizeof(struct op));
        s->items[s->n] = *op;
        s->items[s->n].from = str_dup(op->from);
        s->items[s->n++].entry.key = str_dup(op->entry.key);
        rule_planned(op, s->drops);
        return 0;
}

int spool_rewind(struct spool *s, struct err *err _unused_)
{
        s->at = 0;
        return 0;
}

int spool_next(struct spool *s, struct op *ret, struct err *err _unused_)
{
        if (s->at == s->n)
                return 0;
        *ret = s->items[s->at++];
        return 1;
}

uint64_t spool_count(const struct spool *s)
{
        return s->n;
}

int store_copy(struct store *s _unused_, const char *dir _unused_, struct store **ret _unused_,
               struct err *err)
{
        return err_set(err, ENOTSUP, "nothing is only shown here");
}

/* ---- account.h -------------------------------------------------------------------------------- */

bool account_fingerprint(const char *token, char ret[ACCOUNT_FINGERPRINT_LEN + 1])
{
        str_copy(ret, ACCOUNT_FINGERPRINT_LEN + 1, token);
        return true;
}

/* ---- approval.h ------------------------------------------------------------------------------- */

bool approval_read(const char *state_dir _unused_, char *ret_id, size_t size)
{
        str_copy(ret_id, size, snap.approval);
        return *snap.approval;
}

void approval_remove(const char *state_dir _unused_)
{
        *snap.approval = '\0';
}
