/* SPDX-License-Identifier: MIT */

/*
 * How many rows there must be, changed in the transaction that changes the rows.
 *
 * It answers store_totals() at once, and it is what a pass over a table is held against: a page
 * that went missing with all its rows leaves no other trace.
 *
 * Kept as one row of meta, "files=2 dirs=1 bytes=300 …", which has a checksum like any other.
 */

#include "lib/store/store_priv.h"

#include <errno.h>
#include <inttypes.h>

static const char *const tally_names[TALLY_COUNT] = {
        [TALLY_FILES] = "files",
        [TALLY_DIRS] = "dirs",
        [TALLY_BYTES] = "bytes",
        [TALLY_UNVERIFIED] = "unverified",
        [TALLY_REMOTE] = "remote",
        [TALLY_INTENTS] = "intents",
        [TALLY_META] = "meta",
        [TALLY_DOUBTS] = "doubts",
};

/* What version 1 did not count, there is none of. */
static bool tally_parse(const char *z, struct store_tally *ret)
{
        *ret = (struct store_tally){0};
        for (int i = 0; i < TALLY_COUNT; i++) {
                size_t n = strlen(tally_names[i]);
                char *end;

                if (strncmp(z, tally_names[i], n) != 0 || z[n] != '=')
                        return false;
                errno = 0;
                ret->n[i] = strtoll(z + n + 1, &end, 10);
                if (errno != 0 || ret->n[i] < 0)
                        return false;
                if (*end == '\0')
                        return i >= TALLY_META;
                if (*end != ' ')
                        return false;
                z = end + 1;
        }
        return false;
}

int store_tally_read(struct store_db *db, struct store_tally *ret, struct err *err)
{
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        struct store_tally tally;
        const char *value;
        int r = store_db_stmt(db, STMT_META_GET, &stmt, err);

        if (r == 0)
                r = store_bind_text(db, stmt, 1, STORE_TALLY_NAME, err);
        if (r == 0)
                r = store_db_step(db, stmt, err);
        if (r < 0)
                return r;
        value = r > 0 ? store_column_text(stmt, 0) : NULL;
        if (!value || sqlite3_column_type(stmt, 1) != SQLITE_INTEGER ||
            sqlite3_column_int64(stmt, 1) != store_meta_sum(STORE_TALLY_NAME, value) ||
            !tally_parse(value, &tally))
                return store_db_damaged(db, err, "its row counts cannot be read");
        *ret = tally;
        return 0;
}

int store_tally_write(struct store_db *db, const struct store_tally *tally, bool fresh,
                      struct err *err)
{
        _cleanup_(str_finish) struct str text = STR_NULL(STORE_META_MAX);
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        int r = store_db_stmt(db, fresh ? STMT_META_NEW : STMT_META_SET, &stmt, err);

        for (int i = 0; i < TALLY_COUNT; i++) {
                if (tally->n[i] < 0)
                        return store_db_damaged(db, err, "it held fewer rows than it told");
                str_addf(&text, "%s%s=%" PRId64, i > 0 ? " " : "", tally_names[i], tally->n[i]);
        }
        if (text.failed)
                return store_db_fail(db, SQLITE_NOMEM, err);
        if (r == 0)
                r = store_bind_text(db, stmt, 1, STORE_TALLY_NAME, err);
        if (r == 0)
                r = store_bind_text(db, stmt, 2, str_z(&text), err);
        if (r == 0)
                r = store_bind_int(db, stmt, 3, store_meta_sum(STORE_TALLY_NAME, str_z(&text)),
                                   err);
        return r < 0 ? r : store_db_step(db, stmt, err);
}

bool store_tally_entry(struct store_tally *tally, const struct entry *entry, int sign)
{
        tally->n[entry->kind == KIND_DIR ? TALLY_DIRS : TALLY_FILES] += sign;
        if (entry->flags & ENTRY_UNVERIFIED)
                tally->n[TALLY_UNVERIFIED] += sign;
        return !__builtin_add_overflow(tally->n[TALLY_BYTES], sign * (int64_t)entry->size,
                                       &tally->n[TALLY_BYTES]);
}
