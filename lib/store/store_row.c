/* SPDX-License-Identifier: MIT */

/*
 * Keys and rows to and from SQLite.
 *
 * What comes from the disk is hostile until every check here has passed: types, ranges, checksum,
 * a key that could be in a tree and that comes after the one before.
 */

#include "lib/store/store_priv.h"
#include "lib/store/sum.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

enum { COL_KEY, COL_KIND, COL_UNVERIFIED, COL_RACY, COL_SIZE, COL_MTIME, COL_CTIME, COL_INO,
       COL_DEV, COL_MD5, COL_SUM };

_Static_assert(KIND_FILE == 1 && KIND_DIR == 2, "these numbers stand in databases");

/* ---- keys ---------------------------------------------------------------------------------- */

static void store_key_swap(struct str *s, char from, char to)
{
        for (size_t i = 0; i < s->len; i++)
                s->s[i] = s->s[i] == from ? to : s->s[i];
}

int store_key_encode(struct str *ret, const char *key, struct err *err)
{
        str_clear(ret);
        str_adds(ret, key);
        if (ret->failed)
                return err_set(err, ENOMEM, "there is not enough memory for a path");
        store_key_swap(ret, '/', '\0');
        return 0;
}

int store_key_range(struct str *ret_first, struct str *ret_end, const char *key, struct err *err)
{
        int r = store_key_encode(ret_first, key, err);

        if (r == 0)
                r = store_key_encode(ret_end, key, err);
        if (r < 0)
                return r;
        if (ret_first->len > 0)
                str_addc(ret_first, '\0');
        else
                str_addc(ret_first, '\x01'); /* everything but the watched folder itself */
        str_addc(ret_end, ret_end->len > 0 ? '\x01' : '\xff'); /* no UTF-8 holds an ff */
        if (ret_first->failed || ret_end->failed)
                return err_set(err, ENOMEM, "there is not enough memory for a path");
        return 0;
}

const char *store_key_unfit(const char *key)
{
        return *key == '\0' ? NULL : entry_key_unfit(key); /* "" is the watched folder */
}

int store_key_read(struct store_db *db, sqlite3_stmt *stmt, int column, struct str *ret,
                   struct err *err)
{
        const char *why;
        const void *blob;
        size_t n;

        if (sqlite3_column_type(stmt, column) != SQLITE_BLOB)
                return store_db_damaged(db, err, "a path is not a blob");
        blob = sqlite3_column_blob(stmt, column);
        n = (size_t)sqlite3_column_bytes(stmt, column);
        if (n > 0 && !blob)
                return store_db_fail(db, SQLITE_NOMEM, err);
        str_clear(ret);
        str_add(ret, blob, n);
        if (ret->failed)
                return store_db_fail(db, SQLITE_NOMEM, err);
        if (n > 0 && memchr(blob, '/', n)) /* would be a second spelling of the same path */
                return store_db_damaged(db, err, "a path holds a slash");
        store_key_swap(ret, '\0', '/');
        why = store_key_unfit(str_z(ret));
        return why ? store_db_damaged(db, err, "of a row, %s", tr(why)) : 0;
}

/* ---- values -------------------------------------------------------------------------------- */

int store_bind_str(struct store_db *db, sqlite3_stmt *stmt, int at, const struct str *blob,
                   struct err *err)
{
        /* str_z(): a NULL pointer would bind NULL, not an empty blob. */
        int rc = sqlite3_bind_blob(stmt, at, str_z(blob), (int)blob->len, SQLITE_STATIC);

        return rc == SQLITE_OK ? 0 : store_db_fail(db, rc, err);
}

int store_bind_text(struct store_db *db, sqlite3_stmt *stmt, int at, const char *text,
                    struct err *err)
{
        int rc = sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC);

        return rc == SQLITE_OK ? 0 : store_db_fail(db, rc, err);
}

int store_bind_int(struct store_db *db, sqlite3_stmt *stmt, int at, int64_t value,
                   struct err *err)
{
        int rc = sqlite3_bind_int64(stmt, at, value);

        return rc == SQLITE_OK ? 0 : store_db_fail(db, rc, err);
}

const char *store_column_text(sqlite3_stmt *stmt, int column)
{
        const char *z;

        if (sqlite3_column_type(stmt, column) != SQLITE_TEXT)
                return NULL;
        z = (const char *)sqlite3_column_text(stmt, column);
        if (!z || strlen(z) != (size_t)sqlite3_column_bytes(stmt, column))
                return NULL;
        return z;
}

int32_t store_meta_sum(const char *name, const char *value)
{
        uint64_t state = STORE_META;

        sum_bytes(&state, name, strlen(name));
        sum_bytes(&state, value, strlen(value));
        return (int32_t)sum_end(state);
}

int32_t store_intent_sum(const char *wire, const struct str *raw, uint64_t size, int64_t when_ms)
{
        uint64_t state = STORE_INTENT;

        sum_int(&state, size);
        sum_int(&state, (uint64_t)when_ms);
        sum_bytes(&state, wire, strlen(wire));
        sum_bytes(&state, str_z(raw), raw->len);
        return (int32_t)sum_end(state);
}

int32_t store_doubt_sum(const struct doubt *d, const struct str *raw)
{
        uint64_t state = STORE_DOUBT;

        sum_int(&state, d->kind | (uint64_t)d->looked << 8);
        sum_int(&state, d->size);
        sum_int(&state, (uint64_t)d->when_ms);
        if (d->kind == KIND_FILE)
                sum_bytes(&state, d->md5, sizeof(d->md5));
        sum_bytes(&state, str_z(raw), raw->len);
        return (int32_t)sum_end(state);
}

const char *store_doubt_unfit(const struct doubt *d)
{
        if (d->kind != KIND_NONE && d->kind != KIND_FILE && d->kind != KIND_DIR)
                return N_("it can become no such thing");
        if (d->size > INT64_MAX || (d->kind != KIND_FILE && d->size != 0))
                return N_("its size is impossible");
        return NULL;
}

/* ---- rows ---------------------------------------------------------------------------------- */

void store_row_finish(struct store_row *row)
{
        str_finish(&row->key);
        str_finish(&row->raw);
}

void store_row_restart(struct store_row *row)
{
        row->entry.key = NULL;
}

/* Over what the table keeps of the entry. */
static int32_t store_row_sum(enum store_table table, const struct entry *e, const struct str *raw)
{
        uint64_t state = table;

        sum_int(&state, e->kind | (uint64_t)e->has_md5 << 8);
        sum_int(&state, e->size);
        if (table == STORE_ENTRY) {
                sum_int(&state, e->flags & (ENTRY_UNVERIFIED | ENTRY_RACY));
                sum_int(&state, (uint64_t)e->stamp.mtime_ns);
                sum_int(&state, (uint64_t)e->stamp.ctime_ns);
                sum_int(&state, e->stamp.ino);
                sum_int(&state, e->stamp.dev);
        }
        if (e->has_md5)
                sum_bytes(&state, e->md5, sizeof(e->md5));
        sum_bytes(&state, str_z(raw), raw->len);
        return (int32_t)sum_end(state);
}

const char *store_row_unfit(const struct entry *e)
{
        if (e->kind != KIND_FILE && e->kind != KIND_DIR)
                return N_("it is neither a file nor a folder");
        if (*e->key == '\0' && e->kind != KIND_DIR)
                return N_("the watched folder is not a folder");
        if (e->size > INT64_MAX)
                return N_("its size is impossible");
        if (e->kind == KIND_DIR && e->size != 0)
                return N_("a folder has no size");
        return NULL;
}

int store_row_bind(struct store_db *db, sqlite3_stmt *stmt, enum store_table table,
                   const struct entry *e, const struct str *raw, struct err *err)
{
        const int64_t numbers[] = {
                [COL_KIND] = e->kind,
                [COL_UNVERIFIED] = (e->flags & ENTRY_UNVERIFIED) != 0,
                [COL_RACY] = (e->flags & ENTRY_RACY) != 0,
                [COL_SIZE] = (int64_t)e->size,
                [COL_MTIME] = e->stamp.mtime_ns,
                [COL_CTIME] = e->stamp.ctime_ns,
                [COL_INO] = (int64_t)e->stamp.ino,
                [COL_DEV] = (int64_t)e->stamp.dev,
        };
        int r = store_bind_str(db, stmt, COL_KEY + 1, raw, err);

        for (int col = COL_KIND; r == 0 && col <= COL_DEV; col++)
                r = store_bind_int(db, stmt, col + 1, numbers[col], err);
        if (r == 0 && e->has_md5) { /* otherwise the NULL of store_db_resetp() stands there */
                int rc = sqlite3_bind_blob(stmt, COL_MD5 + 1, e->md5, sizeof(e->md5),
                                           SQLITE_STATIC);

                r = rc == SQLITE_OK ? 0 : store_db_fail(db, rc, err);
        }
        if (r == 0)
                r = store_bind_int(db, stmt, COL_SUM + 1, store_row_sum(table, e, raw), err);
        return r;
}

/* All but the key; NULL, or half a sentence that says what is wrong. */
static const char *store_row_values(sqlite3_stmt *stmt, struct entry *e)
{
        int64_t kind, size, unverified, racy;

        for (int col = COL_KIND; col <= COL_SUM; col++)
                if (col != COL_MD5 && sqlite3_column_type(stmt, col) != SQLITE_INTEGER)
                        return N_("a value is not a number");
        kind = sqlite3_column_int64(stmt, COL_KIND);
        size = sqlite3_column_int64(stmt, COL_SIZE);
        unverified = sqlite3_column_int64(stmt, COL_UNVERIFIED);
        racy = sqlite3_column_int64(stmt, COL_RACY);
        if (kind != KIND_FILE && kind != KIND_DIR)
                return N_("it is neither a file nor a folder");
        if (size < 0 || unverified < 0 || unverified > 1 || racy < 0 || racy > 1)
                return N_("a value is out of its range");
        *e = (struct entry){
                .kind = (enum kind)kind,
                .flags = (unverified ? ENTRY_UNVERIFIED : 0) | (racy ? ENTRY_RACY : 0),
                .size = (uint64_t)size,
                .stamp.mtime_ns = sqlite3_column_int64(stmt, COL_MTIME),
                .stamp.ctime_ns = sqlite3_column_int64(stmt, COL_CTIME),
                .stamp.ino = (uint64_t)sqlite3_column_int64(stmt, COL_INO),
                .stamp.dev = (uint64_t)sqlite3_column_int64(stmt, COL_DEV),
                .has_md5 = sqlite3_column_type(stmt, COL_MD5) != SQLITE_NULL,
        };
        if (!e->has_md5)
                return NULL;
        if (sqlite3_column_type(stmt, COL_MD5) != SQLITE_BLOB ||
            sqlite3_column_bytes(stmt, COL_MD5) != sizeof(e->md5))
                return N_("a digest is not one");
        memcpy(e->md5, sqlite3_column_blob(stmt, COL_MD5), sizeof(e->md5));
        return NULL;
}

/* Whether the key that stmt stands on comes after the one before; then keeps it. */
static bool store_row_ascends(sqlite3_stmt *stmt, struct store_row *row)
{
        const void *blob = sqlite3_column_blob(stmt, COL_KEY);
        size_t n = (size_t)sqlite3_column_bytes(stmt, COL_KEY);

        if (row->entry.key) {
                size_t common = n < row->raw.len ? n : row->raw.len;
                int order = common > 0 ? memcmp(row->raw.s, blob, common) : 0;

                if (order > 0 || (order == 0 && row->raw.len >= n))
                        return false;
        }
        str_clear(&row->raw);
        str_add(&row->raw, blob, n);
        return true;
}

int store_row_read(struct store_db *db, sqlite3_stmt *stmt, enum store_table table,
                   struct store_row *row, struct err *err)
{
        const char *why;
        bool ascends;
        int r = store_key_read(db, stmt, COL_KEY, &row->key, err);

        if (r < 0)
                return r;
        ascends = store_row_ascends(stmt, row);
        if (row->raw.failed)
                return store_db_fail(db, SQLITE_NOMEM, err);
        why = store_row_values(stmt, &row->entry);
        row->entry.key = str_z(&row->key);
        if (!why && !ascends)
                why = N_("it stands in the wrong place");
        if (!why &&
            sqlite3_column_int64(stmt, COL_SUM) != store_row_sum(table, &row->entry, &row->raw))
                why = N_("its checksum does not match");
        if (!why)
                why = store_row_unfit(&row->entry);
        if (why) {
                _cleanup_(str_finish) struct str name = STR_NULL(STORE_STR_MAX);

                str_add_printable(&name, row->entry.key);
                return store_db_damaged(db, err, "the row of \"%s\": %s", str_z(&name), tr(why));
        }
        return 0;
}
