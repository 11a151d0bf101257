/* SPDX-License-Identifier: MIT */

/*
 * The streams: every row of a table, in the order in which they stand there.
 *
 * Each has a connection of its own, which costs less than a millisecond.  Only so is its view that
 * of its own first next(): statements of one connection share one view.
 */

#include "lib/store/store_priv.h"

#include <errno.h>

enum iter_state { ITER_NEW, ITER_RUNNING, ITER_ENDED };

struct store_iter {
        struct entry_iter iter; /* what the user holds */
        struct store *store;
        struct store_db db;
        enum store_table table;
        enum iter_state state;
        int result;             /* once it has ended: 0 or a negative errno */
        struct err why;
        sqlite3_stmt *rows;
        struct store_row row;
        struct store_tally expected, seen;
        struct str sought;      /* where it goes on, encoded, if it is told to */
        bool seeks, sparse;     /* … and has not yet; it has left rows out */
};

static int iter_begin(struct store_iter *it)
{
        int r = store_db_begin(&it->db, STMT_BEGIN, &it->why);

        if (r == 0)
                r = store_tally_read(&it->db, &it->expected, &it->why);
        if (r == 0)
                r = store_db_stmt(&it->db,
                                  it->table == STORE_ENTRY ? STMT_ENTRY_ALL : STMT_REMOTE_ALL,
                                  &it->rows, &it->why);
        return r;
}

static bool iter_complete(const struct store_iter *it)
{
        const int64_t *seen = it->seen.n, *expected = it->expected.n;

        if (it->sparse)
                return true;
        if (it->table == STORE_REMOTE)
                return seen[TALLY_REMOTE] == expected[TALLY_REMOTE];
        return seen[TALLY_FILES] == expected[TALLY_FILES] &&
               seen[TALLY_DIRS] == expected[TALLY_DIRS] &&
               seen[TALLY_BYTES] == expected[TALLY_BYTES] &&
               seen[TALLY_UNVERIFIED] == expected[TALLY_UNVERIFIED];
}

/* The view is given back at once: as long as it stands, the log can only grow. */
static int iter_end(struct store_iter *it, int r)
{
        it->state = ITER_ENDED;
        it->result = r;
        store_db_resetp(&it->rows);
        store_db_rollback(&it->db);
        return r;
}

static void iter_seek(struct entry_iter *iter, const char *key, bool past)
{
        struct store_iter *it = CONTAINER_OF(iter, struct store_iter, iter);

        if (store_key_encode(&it->sought, key, &it->why) == 0 && past)
                str_addc(&it->sought, *key ? '\x01' : '\xff'); /* as in store_key_range() */
        it->seeks = it->sparse = true;
}

static int iter_go_there(struct store_iter *it)
{
        int r = it->sought.failed ? err_set(&it->why, ENOMEM, "there is not enough memory for a path")
                                  : 0;

        it->seeks = false;
        store_db_resetp(&it->rows);
        if (r == 0)
                r = store_db_stmt(&it->db, STMT_ENTRY_FROM, &it->rows, &it->why);
        if (r == 0)
                r = store_bind_str(&it->db, it->rows, 1, &it->sought, &it->why);
        return r;
}

static int iter_next(struct entry_iter *iter, const struct entry **ret)
{
        struct store_iter *it = CONTAINER_OF(iter, struct store_iter, iter);
        int r = 0;

        if (it->state == ITER_ENDED)
                return it->result;
        if (it->state == ITER_NEW)
                r = iter_begin(it);
        it->state = ITER_RUNNING;
        if (r == 0 && it->seeks)
                r = iter_go_there(it);
        if (r == 0)
                r = store_db_step(&it->db, it->rows, &it->why);
        if (r == 0 && !iter_complete(it))
                r = store_db_damaged(&it->db, &it->why, "rows are missing in it");
        if (r <= 0)
                return iter_end(it, r);
        r = store_row_read(&it->db, it->rows, it->table, &it->row, &it->why);
        if (r < 0)
                return iter_end(it, r);
        it->seen.n[TALLY_REMOTE]++;
        if (!store_tally_entry(&it->seen, &it->row.entry, 1))
                return iter_end(it, store_db_damaged(&it->db, &it->why, "its sizes are too large"));
        *ret = &it->row.entry;
        return 1;
}

static int store_iter_create(struct store *s, enum store_table table, struct entry_iter **ret,
                             struct err *err)
{
        enum store_how how = s->how == STORE_DB_WRITE ? STORE_DB_READ : s->how;
        struct store_iter *it;
        int r = store_still_there(s, err);

        if (r < 0)
                return r;
        it = calloc(1, sizeof(*it));
        if (!it)
                return err_set(err, ENOMEM, "there is not enough memory for the snapshot %s",
                               s->path);
        it->iter.next = iter_next;
        it->iter.seek = table == STORE_ENTRY ? iter_seek : NULL;
        it->store = s;
        it->table = table;
        it->row = STORE_ROW_NULL;
        it->sought = STR_NULL(STORE_STR_MAX);
        r = store_db_open(&it->db, s->path, how, err);
        if (r < 0) {
                free(it);
                return r;
        }
        *ret = &it->iter;
        return 0;
}

int store_known_iter(struct store *s, struct entry_iter **ret, struct err *err)
{
        return store_iter_create(s, STORE_ENTRY, ret, err);
}

int store_remote_iter(struct store *s, struct entry_iter **ret, struct err *err)
{
        return store_iter_create(s, STORE_REMOTE, ret, err);
}

void store_iter_err(const struct entry_iter *iter, struct err *ret)
{
        *ret = CONTAINER_OF(iter, const struct store_iter, iter)->why;
}

void store_iter_destroy(struct entry_iter *iter)
{
        struct store_iter *it;

        if (!iter)
                return;
        it = CONTAINER_OF(iter, struct store_iter, iter);
        if (it->state == ITER_RUNNING)
                iter_end(it, 0);
        /* While this reader stood in the way, the writer may not have got its log over. */
        if (it->store->how == STORE_DB_WRITE && !atomic_load(&it->store->broken))
                store_checkpoint(it->store, &it->db);
        store_row_finish(&it->row);
        str_finish(&it->sought);
        store_db_close(&it->db, false);
        free(it);
}
