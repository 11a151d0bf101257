/* SPDX-License-Identifier: MIT */

/* The small questions: facts, one folder, what is unverified, intents, doubts, totals. */

#include "lib/store/store_priv.h"

#include <errno.h>

#define LIST_START 16

int store_meta_get(struct store *s, const char *name, char **ret, struct err *err)
{
        return store_meta_read(&s->db, name, ret, err);
}

int store_meta_read(struct store_db *db, const char *name, char **ret, struct err *err)
{
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        const char *value;
        char *copy;
        int r = store_db_stmt(db, STMT_META_GET, &stmt, err);

        if (r == 0)
                r = store_bind_text(db, stmt, 1, name, err);
        if (r == 0)
                r = store_db_step(db, stmt, err);
        if (r < 0)
                return r;
        if (r == 0) {
                *ret = NULL;
                return 0;
        }
        value = store_column_text(stmt, 0);
        if (!value || sqlite3_column_int64(stmt, 1) != store_meta_sum(name, value))
                return store_db_damaged(db, err, "the fact \"%s\" is not what it was", name);
        copy = strdup(value);
        if (!copy)
                return store_db_fail(db, SQLITE_NOMEM, err);
        *ret = copy;
        return 0;
}

void store_facts_free(struct store_fact *facts, size_t n)
{
        for (size_t i = 0; facts && i < n; i++) {
                free(facts[i].name);
                free(facts[i].value);
        }
        free(facts);
}

/* The one that `stmt` stands on, checked; doubles the room whenever the count is a power of two. */
static int fact_add(struct store_db *db, sqlite3_stmt *stmt, struct store_fact **facts, size_t *n,
                    struct err *err)
{
        const char *value = store_column_text(stmt, 0), *name = store_column_text(stmt, 2);
        struct store_fact *grown = *facts, *fact;

        if (!name || !value || sqlite3_column_int64(stmt, 1) != store_meta_sum(name, value))
                return store_db_damaged(db, err, "a fact in it is not what it was");
        if ((*n & (*n - 1)) == 0)
                grown = reallocarray(*facts, *n ? 2 * *n : 1, sizeof(**facts));
        if (!grown)
                return store_db_fail(db, SQLITE_NOMEM, err);
        *facts = grown;
        fact = &grown[(*n)++];
        *fact = (struct store_fact){.name = strdup(name), .value = strdup(value)};
        return fact->name && fact->value ? 0 : store_db_fail(db, SQLITE_NOMEM, err);
}

int store_facts(struct store *s, const char *prefix, struct store_fact **ret, size_t *ret_n,
                struct err *err)
{
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        struct store_fact *facts = NULL;
        size_t n = 0;
        int r = store_db_stmt(&s->db, STMT_META_ALL, &stmt, err);

        while (r == 0 && (r = store_db_step(&s->db, stmt, err)) > 0) {
                const char *name = store_column_text(stmt, 2);

                r = name && !str_starts(name, prefix)
                            ? 0
                            : fact_add(&s->db, stmt, &facts, &n, err);
        }
        if (r < 0) {
                store_facts_free(facts, n);
                return r;
        }
        *ret = facts;
        *ret_n = n;
        return 0;
}

/* ---- lists --------------------------------------------------------------------------------- */

/* Doubles whenever the count is a power of two, so that no size needs to be kept. */
static int list_add(struct store_db *db, struct entry_list *l, const struct entry *e, size_t len,
                    struct err *err)
{
        char *key = strndup(e->key, len);

        if (key && (l->n == 0 || (l->n >= LIST_START && (l->n & (l->n - 1)) == 0))) {
                size_t room = l->n < LIST_START ? LIST_START : l->n * 2;
                struct entry *items = reallocarray(l->items, room, sizeof(*items));

                if (items) {
                        l->items = items;
                } else {
                        free(key);
                        key = NULL;
                }
        }
        if (!key)
                return store_db_fail(db, SQLITE_NOMEM, err);
        l->items[l->n] = *e;
        l->items[l->n++].key = key;
        return 0;
}

/* What a search among the children of one folder carries along. */
struct children {
        struct store_db *db;
        const char *folder;
        size_t skip;           /* of each key: the folder's own part */
        struct str first, end; /* the range still to be read */
        struct store_row row;
        struct entry_list list;
        struct err *err;
};

static void children_finish(struct children *c)
{
        str_finish(&c->first);
        str_finish(&c->end);
        store_row_finish(&c->row);
        entry_list_finish(&c->list);
}

/*
 * Reads children until something deeper comes: then sets `first` behind the subfolder it is in, and
 * returns 1.  So a subfolder of a million rows costs one row and one more search, and neither a
 * column nor an index for the parent needs to be kept.
 */
static int children_run(struct children *c)
{
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        int r = store_db_stmt(c->db, STMT_ENTRY_RANGE, &stmt, c->err);

        if (r == 0)
                r = store_bind_str(c->db, stmt, 1, &c->first, c->err);
        if (r == 0)
                r = store_bind_str(c->db, stmt, 2, &c->end, c->err);
        while (r == 0) {
                const char *slash;

                r = store_db_step(c->db, stmt, c->err);
                if (r <= 0)
                        return r;
                r = store_row_read(c->db, stmt, STORE_ENTRY, &c->row, c->err);
                if (r < 0)
                        return r;
                if (!entry_key_below(c->row.entry.key, c->folder))
                        return store_db_damaged(c->db, c->err, "a row stands in the wrong place");
                slash = strchr(c->row.entry.key + c->skip, '/');
                if (slash) {
                        size_t len = (size_t)(slash - c->row.entry.key);

                        /* The key in `raw` is the same with 00 for '/'. */
                        str_clear(&c->first);
                        str_add(&c->first, c->row.raw.s, len);
                        str_addc(&c->first, '\x01');
                        return c->first.failed ? store_db_fail(c->db, SQLITE_NOMEM, c->err) : 1;
                }
                r = list_add(c->db, &c->list, &c->row.entry, strlen(c->row.entry.key), c->err);
        }
        return r;
}

int store_children(struct store *s, const char *key, struct entry_list *ret, struct err *err)
{
        _cleanup_(children_finish) struct children c = {
                .db = &s->db,
                .folder = key,
                .skip = *key ? strlen(key) + 1 : 0,
                .first = STR_NULL(STORE_STR_MAX),
                .end = STR_NULL(STORE_STR_MAX),
                .row = STORE_ROW_NULL,
                .err = err,
        };
        int r = store_key_range(&c.first, &c.end, key, err);

        if (r < 0)
                return r;
        do
                r = children_run(&c);
        while (r > 0);
        if (r < 0)
                return r;
        *ret = c.list;
        c.list = (struct entry_list){0};
        return 0;
}

/* ---- one after another ---------------------------------------------------------------------- */

static int next_run(struct store_db *db, sqlite3_stmt *stmt, enum kind kind, size_t max,
                    struct entry_list *list, struct err *err)
{
        _cleanup_(store_row_finish) struct store_row row = STORE_ROW_NULL;
        int r = 0;

        while (r == 0 && list->n < max) {
                r = store_db_step(db, stmt, err);
                if (r <= 0)
                        break;
                r = store_row_read(db, stmt, STORE_ENTRY, &row, err);
                if (r == 0 && row.entry.kind == kind)
                        r = list_add(db, list, &row.entry, strlen(row.entry.key), err);
        }
        return r;
}

int store_next(struct store *s, enum kind kind, const char *after, size_t max,
               struct entry_list *ret, struct err *err)
{
        _cleanup_(str_finish) struct str raw = STR_NULL(STORE_STR_MAX);
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        struct entry_list list = {0};
        int r = store_db_stmt(&s->db, after ? STMT_ENTRY_AFTER : STMT_ENTRY_ALL, &stmt, err);

        if (r == 0 && after)
                r = store_key_encode(&raw, after, err);
        if (r == 0 && after)
                r = store_bind_str(&s->db, stmt, 1, &raw, err);
        if (r == 0)
                r = next_run(&s->db, stmt, kind, max, &list, err);
        if (r < 0) {
                entry_list_finish(&list);
                return r;
        }
        *ret = list;
        return 0;
}

int store_get(struct store *s, const char *key, struct entry *ret, struct err *err)
{
        _cleanup_(str_finish) struct str raw = STR_NULL(STORE_STR_MAX);
        _cleanup_(store_row_finish) struct store_row row = STORE_ROW_NULL;
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        int r = store_db_stmt(&s->db, STMT_ENTRY_GET, &stmt, err);

        if (r == 0)
                r = store_key_encode(&raw, key, err);
        if (r == 0)
                r = store_bind_str(&s->db, stmt, 1, &raw, err);
        if (r == 0)
                r = store_db_step(&s->db, stmt, err);
        if (r <= 0)
                return r;
        r = store_row_read(&s->db, stmt, STORE_ENTRY, &row, err);
        if (r < 0)
                return r;
        *ret = row.entry;
        ret->key = NULL;
        return 1;
}

int store_below(struct store *s, const char *key, uint64_t *ret, struct err *err)
{
        _cleanup_(str_finish) struct str first = STR_NULL(STORE_STR_MAX);
        _cleanup_(str_finish) struct str end = STR_NULL(STORE_STR_MAX);
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        int r = store_key_range(&first, &end, key, err);

        if (r == 0)
                r = store_db_stmt(&s->db, STMT_ENTRY_COUNT, &stmt, err);
        if (r == 0)
                r = store_bind_str(&s->db, stmt, 1, &first, err);
        if (r == 0)
                r = store_bind_str(&s->db, stmt, 2, &end, err);
        if (r == 0)
                r = store_db_step(&s->db, stmt, err);
        if (r < 0)
                return r;
        *ret = (uint64_t)sqlite3_column_int64(stmt, 0);
        return 0;
}

/* ---- what is unverified -------------------------------------------------------------------- */

/* Folders found, and which of them lie on the way to the last row: only one of those can come
 * again, because in tree order what is below a folder comes in one piece. */
struct unverified {
        struct store_db *db;
        size_t max;
        struct entry_list list;
        size_t *open; /* indices into list.items, as large as that */
        size_t depth;
        struct store_row row;
        struct err *err;
};

static void unverified_finish(struct unverified *u)
{
        entry_list_finish(&u->list);
        free(u->open);
        store_row_finish(&u->row);
}

/* Takes the row; 1 when its folder would be one too many. */
static int unverified_take(struct unverified *u)
{
        const char *key = u->row.entry.key;
        struct entry folder = {.key = key, .kind = KIND_DIR};
        size_t len = entry_key_parent(key), *open;
        int r;

        while (u->depth > 0) {
                const char *top = u->list.items[u->open[u->depth - 1]].key;

                if (strlen(top) == len && strncmp(top, key, len) == 0)
                        return 0;
                if (entry_key_below(key, top))
                        break;
                u->depth--;
        }
        if (u->list.n == u->max)
                return 1;
        open = reallocarray(u->open, u->depth + 1, sizeof(*open));
        if (!open)
                return store_db_fail(u->db, SQLITE_NOMEM, u->err);
        u->open = open;
        r = list_add(u->db, &u->list, &folder, len, u->err);
        if (r == 0)
                u->open[u->depth++] = u->list.n - 1;
        return r;
}

/* 1 when there was more than `max` wanted; then the count of rows says nothing. */
static int unverified_run(struct unverified *u, int64_t *ret_rows)
{
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        int64_t rows = 0;
        int r = store_db_stmt(u->db, STMT_ENTRY_UNVERIFIED, &stmt, u->err);

        while (r == 0) {
                r = store_db_step(u->db, stmt, u->err);
                if (r <= 0)
                        break;
                rows++;
                r = store_row_read(u->db, stmt, STORE_ENTRY, &u->row, u->err);
                if (r == 0 && !(u->row.entry.flags & ENTRY_UNVERIFIED))
                        r = store_db_damaged(u->db, u->err, "its index does not match its rows");
                if (r == 0)
                        r = unverified_take(u);
        }
        *ret_rows = rows;
        return r;
}

int store_unverified(struct store *s, size_t max, struct entry_list *ret, struct err *err)
{
        _cleanup_(unverified_finish) struct unverified u = {
                .db = &s->db,
                .max = max,
                .row = STORE_ROW_NULL,
                .err = err,
        };
        struct store_tally tally;
        int64_t rows;
        int r = store_tally_read(&s->db, &tally, err);

        if (r < 0)
                return r;
        r = unverified_run(&u, &rows);
        if (r < 0)
                return r;
        if (r == 0 && rows != tally.n[TALLY_UNVERIFIED])
                return store_db_damaged(&s->db, err, "its index does not match its rows");
        *ret = u.list;
        u.list = (struct entry_list){0};
        return 0;
}

/* ---- intents ------------------------------------------------------------------------------- */

void store_intents_free(struct intent *intents, size_t n)
{
        for (size_t i = 0; intents && i < n; i++) {
                free(intents[i].wire);
                free(intents[i].key);
        }
        free(intents);
}

int store_intent_read(struct store_db *db, sqlite3_stmt *stmt, struct str *key, struct intent *ret,
                      struct err *err)
{
        _cleanup_(str_finish) struct str raw = STR_NULL(STORE_STR_MAX);
        const char *wire = store_column_text(stmt, 1);
        int64_t size = sqlite3_column_int64(stmt, 2);
        int64_t when_ms = sqlite3_column_int64(stmt, 3);
        struct intent in;
        int r = store_key_read(db, stmt, 0, key, err);

        if (r == 0)
                r = store_key_encode(&raw, str_z(key), err);
        if (r < 0)
                return r;
        if (!wire || entry_key_unfit(wire) || strchr(wire, '/') || key->len == 0 || size < 0 ||
            sqlite3_column_int64(stmt, 4) != store_intent_sum(wire, &raw, (uint64_t)size, when_ms))
                return store_db_damaged(db, err, "an intent in it is not what it was");
        in = (struct intent){
                .wire = strdup(wire),
                .key = strdup(str_z(key)),
                .size = (uint64_t)size,
                .when_ms = when_ms,
        };
        *ret = in;
        return in.wire && in.key ? 0 : store_db_fail(db, SQLITE_NOMEM, err);
}

int store_intents(struct store *s, struct intent **ret, size_t *ret_n, struct err *err)
{
        _cleanup_(str_finish) struct str key = STR_NULL(STORE_STR_MAX);
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        struct store_tally tally;
        struct intent *all;
        int64_t n = 0, expected;
        int r = store_tally_read(&s->db, &tally, err);

        if (r == 0)
                r = store_db_stmt(&s->db, STMT_INTENT_ALL, &stmt, err);
        if (r < 0)
                return r;
        expected = tally.n[TALLY_INTENTS];
        all = calloc((size_t)expected + 1, sizeof(*all));
        if (!all)
                return store_db_fail(&s->db, SQLITE_NOMEM, err);
        while ((r = store_db_step(&s->db, stmt, err)) > 0) {
                if (n < expected)
                        r = store_intent_read(&s->db, stmt, &key, &all[n], err);
                if (++n > expected || r < 0)
                        break;
        }
        if (r >= 0 && n != expected)
                r = store_db_damaged(&s->db, err, "it holds %s intents than it tells",
                                     n > expected ? "more" : "fewer");
        if (r < 0) {
                store_intents_free(all, (size_t)expected);
                return r;
        }
        *ret = all;
        *ret_n = (size_t)n;
        return 0;
}

/* ---- doubts -------------------------------------------------------------------------------- */

void store_doubts_free(struct doubt *doubts, size_t n)
{
        for (size_t i = 0; doubts && i < n; i++)
                free(doubts[i].key);
        free(doubts);
}

/* The values of a row; false when they cannot be right. */
static bool doubt_values(sqlite3_stmt *stmt, struct doubt *ret)
{
        int64_t kind = sqlite3_column_int64(stmt, 1), looked = sqlite3_column_int64(stmt, 2);
        int64_t size = sqlite3_column_int64(stmt, 3);

        if (kind < KIND_NONE || kind > KIND_DIR || looked < 0 || looked > 1 || size < 0)
                return false;
        *ret = (struct doubt){.kind = (enum kind)kind,
                              .looked = looked,
                              .size = (uint64_t)size,
                              .when_ms = sqlite3_column_int64(stmt, 4)};
        if (kind != KIND_FILE)
                return sqlite3_column_type(stmt, 5) == SQLITE_NULL;
        if (sqlite3_column_type(stmt, 5) != SQLITE_BLOB ||
            sqlite3_column_bytes(stmt, 5) != sizeof(ret->md5))
                return false;
        memcpy(ret->md5, sqlite3_column_blob(stmt, 5), sizeof(ret->md5));
        return true;
}

static int doubt_read(struct store_db *db, sqlite3_stmt *stmt, struct str *key, struct doubt *ret,
                      struct err *err)
{
        _cleanup_(str_finish) struct str raw = STR_NULL(STORE_STR_MAX);
        int r = store_key_read(db, stmt, 0, key, err);

        if (r == 0)
                r = store_key_encode(&raw, str_z(key), err);
        if (r < 0)
                return r;
        if (!doubt_values(stmt, ret) || key->len == 0 || store_doubt_unfit(ret) ||
            sqlite3_column_int64(stmt, 6) != store_doubt_sum(ret, &raw))
                return store_db_damaged(db, err, "a doubt in it is not what it was");
        ret->key = strdup(str_z(key));
        return ret->key ? 0 : store_db_fail(db, SQLITE_NOMEM, err);
}

int store_doubts(struct store *s, struct doubt **ret, size_t *ret_n, struct err *err)
{
        _cleanup_(str_finish) struct str key = STR_NULL(STORE_STR_MAX);
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        struct store_tally tally;
        struct doubt *all;
        int64_t n = 0, expected;
        int r = store_tally_read(&s->db, &tally, err);

        if (r == 0)
                r = store_db_stmt(&s->db, STMT_DOUBT_ALL, &stmt, err);
        if (r < 0)
                return r;
        expected = tally.n[TALLY_DOUBTS];
        all = calloc((size_t)expected + 1, sizeof(*all));
        if (!all)
                return store_db_fail(&s->db, SQLITE_NOMEM, err);
        while ((r = store_db_step(&s->db, stmt, err)) > 0) {
                if (n < expected)
                        r = doubt_read(&s->db, stmt, &key, &all[n], err);
                if (++n > expected || r < 0)
                        break;
        }
        if (r >= 0 && n != expected)
                r = store_db_damaged(&s->db, err, "it holds %s doubts than it tells",
                                     n > expected ? "more" : "fewer");
        if (r < 0) {
                store_doubts_free(all, (size_t)expected);
                return r;
        }
        *ret = all;
        *ret_n = (size_t)n;
        return 0;
}

int store_totals(struct store *s, struct store_totals *ret, struct err *err)
{
        struct store_tally tally;
        int r = store_tally_read(&s->db, &tally, err);

        if (r < 0)
                return r;
        *ret = (struct store_totals){
                .files = (uint64_t)tally.n[TALLY_FILES],
                .dirs = (uint64_t)tally.n[TALLY_DIRS],
                .bytes = (uint64_t)tally.n[TALLY_BYTES],
                .unverified = (uint64_t)tally.n[TALLY_UNVERIFIED],
        };
        return 0;
}
