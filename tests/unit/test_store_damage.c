/* SPDX-License-Identifier: MIT */

/*
 * Snapshots that are not what they were: -EUCLEAN or what is right, never a crash or a wrong row.
 *
 * A snapshot of some forty pages is made once; each test writes a changed copy of it and compares
 * whatever it gives with the original.
 */

#include "lib/store/store_priv.h"
#include "tests/unit/store_kit.h"

#include <dirent.h>
#include <errno.h>

#define PAGE 4096
#define ROWS 700

static struct scratch scratch;
static char db_path[512], dir_path[512];
static char *good; /* the bytes of the whole snapshot */
static size_t good_n;

static char keys[ROWS][64];
static struct record rows[ROWS], remotes[ROWS];

/* ---- the original -------------------------------------------------------------------------- */

static void make_rows(void)
{
        for (int i = 0; i < ROWS; i++) {
                int folder = i / 100;

                if (i % 100 == 0)
                        snprintf(keys[i], sizeof(keys[i]), "folder-%d", folder);
                else
                        snprintf(keys[i], sizeof(keys[i]), "folder-%d/%s-%03d.jpeg", folder,
                                 "a picture with a name", i);
                rows[i] = i % 100 == 0 ? kit_dir(keys[i])
                          : i % 3      ? kit_file(keys[i], 100 + (uint64_t)i)
                                       : kit_unverified(keys[i], 100 + (uint64_t)i);
                remotes[i] = rows[i];
                remotes[i].verb = RECORD_REMOTE;
        }
}

static void make_good(void)
{
        struct scratch s;
        struct store *store;
        char path[512];

        make_rows();
        scratch_init(&s);
        store = kit_open(&s);
        kit_commit(store, rows, ROWS);
        kit_commit(store, remotes, ROWS / 2);
        kit_do(store, kit_meta("root.ino", "123456"), kit_meta("adopted", "yes"),
               kit_intent("wire-1", keys[1], 101, 1000), kit_intent("wire-2", keys[2], 102, 2000));
        kit_do(store, kit_doubt(kit_on(RECORD_ROW, keys[3]), 1000), kit_doubt(kit_file("new", 5), 2000));
        kit_do(store, kit_file("gone", 1));
        kit_do(store, kit_on(RECORD_FORGET, "gone"));
        store_close(store);
        kit_path(&s, "state.db", path);
        good = kit_slurp(path, &good_n);
        scratch_finish(&s);
}

static void begin(void)
{
        if (!good)
                make_good();
        scratch_init(&scratch);
        kit_path(&scratch, NULL, dir_path);
        kit_path(&scratch, "state.db", db_path);
        scratch_dir(&scratch, "state");
}

static void end(void)
{
        scratch_finish(&scratch);
}

static void clear(void)
{
        static const char *const names[] = {"state/state.db", "state/state.db-wal",
                                            "state/state.db-shm"};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (faccessat(scratch.fd, names[i], F_OK, 0) == 0)
                        scratch_remove(&scratch, names[i]);
}

/* ---- is what it tells right? --------------------------------------------------------------- */

static int compare_row(const void *key, const void *row)
{
        return entry_key_cmp(key, ((const struct record *)row)->entry.key);
}

/* The original row with this key, or NULL. */
static const struct entry *original(const char *key)
{
        const struct record *r = bsearch(key, rows, ROWS, sizeof(*rows), compare_row);

        return r ? &r->entry : NULL;
}

static bool right(const struct entry *e, bool remote)
{
        const struct entry *was = original(e->key);
        struct entry want;

        if (strcmp(e->key, "added") == 0)
                return e->size == 77;
        if (!was)
                return false;
        want = *was;
        if (remote)
                want.flags = 0, want.stamp = (struct stamp){0};
        return kit_entry_eq(e, &want);
}

/* Every row right, and either all of them or -EUCLEAN. */
static int check_stream(struct store *store, bool remote, int expected)
{
        struct entry_iter *it;
        const struct entry *e;
        int n = 0, r;

        check_eq(remote ? store_remote_iter(store, &it, NULL) : store_known_iter(store, &it, NULL),
                 0);
        for (; (r = entry_iter_next(it, &e)) > 0; n++)
                if (!right(e, remote))
                        check_fail("a wrong row: %s", e->key);
        check(r == 0 || r == -EUCLEAN);
        if (r == 0)
                check_eq(n, expected);
        else
                check_eq(entry_iter_next(it, &e), r);
        store_iter_destroy(it);
        return r;
}

static int check_list(int r, struct entry_list *l, bool folders)
{
        check(r == 0 || r == -EUCLEAN);
        for (size_t i = 0; r == 0 && i < l->n; i++)
                if (folders ? !original(l->items[i].key) : !right(&l->items[i], false))
                        check_fail("a wrong row: %s", l->items[i].key);
        entry_list_finish(l);
        return r;
}

static int check_small(struct store *store)
{
        struct intent *in = NULL;
        struct doubt *doubts = NULL;
        struct store_totals totals;
        char *value = NULL;
        size_t n = 0;
        int r = store_meta_get(store, "root.ino", &value, NULL), worst = r;

        check(r == 0 || r == -EUCLEAN);
        if (r == 0)
                check_str(value, "123456");
        free(value);
        r = store_intents(store, &in, &n, NULL);
        check(r == 0 || r == -EUCLEAN);
        if (r == 0) {
                check_eq(n, 2);
                check_str(in[0].wire, "wire-1");
                check_str(in[1].key, keys[2]);
        }
        store_intents_free(in, n);
        worst = r < 0 ? r : worst;
        n = 0;
        r = store_doubts(store, &doubts, &n, NULL);
        check(r == 0 || r == -EUCLEAN);
        if (r == 0) {
                check_eq(n, 2);
                check_str(doubts[0].key, keys[3]);
                check_str(doubts[1].key, "new");
        }
        store_doubts_free(doubts, n);
        worst = r < 0 ? r : worst;
        r = store_totals(store, &totals, NULL);
        check(r == 0 || r == -EUCLEAN);
        if (r == 0)
                check_eq(totals.dirs, ROWS / 100);
        return r < 0 ? r : worst;
}

/* 0 when everything is there and right, -EUCLEAN when some of it is known to be damaged. */
static int check_all(struct store *store, int extra)
{
        struct entry_list l = {0};
        int r[6], worst = 0;

        r[0] = check_stream(store, false, ROWS + extra);
        r[1] = check_stream(store, true, ROWS / 2);
        r[2] = check_small(store);
        r[3] = check_list(store_children(store, "folder-3", &l, NULL), &l, false);
        l = (struct entry_list){0};
        r[4] = check_list(store_children(store, "", &l, NULL), &l, false);
        l = (struct entry_list){0};
        r[5] = check_list(store_unverified(store, 1000, &l, NULL), &l, true);
        for (size_t i = 0; i < ARRAY_SIZE(r); i++)
                worst = r[i] < 0 ? r[i] : worst;
        return worst;
}

/* Opens what lies in db_path, reads all of it, writes to it, reads it again. */
static int check_file(const char *what, size_t at)
{
        struct record add = kit_file("added", 77);
        struct store *store;
        struct err err = ERR_NONE;
        int r = store_open(&store, dir_path, 0, &err), c;

        if (r < 0) {
                if (r != -EUCLEAN && r != -ENOTSUP)
                        check_fail("%s at %zu: open says %d, %s", what, at, r, err.text);
                return r;
        }
        r = check_all(store, 0);
        c = store_commit(store, &add, 1, &err);
        if (c != 0 && c != -EUCLEAN)
                check_fail("%s at %zu: commit says %d, %s", what, at, c, err.text);
        if (c == 0)
                c = check_all(store, 1);
        store_close(store);
        if (check_failed)
                printf("# ... after %s at %zu\n", what, at);
        return r < 0 ? r : c;
}

/* ---- whole files --------------------------------------------------------------------------- */

static int open_bytes(const char *bytes, size_t n)
{
        struct store *store;
        struct err err = ERR_NONE;
        int r;

        clear();
        kit_spill(db_path, bytes, n);
        r = store_open(&store, dir_path, 0, &err);
        if (r == 0)
                store_close(store);
        else
                check(strstr(err.text, db_path) != NULL);
        return r;
}

TEST(the_original_is_right)
{
        begin();
        check_eq(open_bytes(good, good_n), 0);
        check_eq(check_file("nothing", 0), 0);
        check(good_n / PAGE > 30);
        end();
}

TEST(other_files_are_no_snapshot)
{
        static char zeros[3 * PAGE];
        const char *text = "YDSYNC_TOKEN=not a database, but a text that somebody put there\n";

        begin();
        check_eq(open_bytes("", 0), -EUCLEAN);
        check_eq(open_bytes("x", 1), -EUCLEAN);
        check_eq(open_bytes(text, strlen(text)), -EUCLEAN);
        check_eq(open_bytes(zeros, 100), -EUCLEAN);
        check_eq(open_bytes(zeros, sizeof(zeros)), -EUCLEAN);
        check_eq(open_bytes(good, 16), -EUCLEAN);
        check_eq(open_bytes(good, 100), -EUCLEAN);
        check_eq(open_bytes(good, PAGE - 1), -EUCLEAN);
        check_eq(open_bytes(good + PAGE, good_n - PAGE), -EUCLEAN);
        end();
}

TEST(other_databases_are_no_snapshot)
{
        struct store *store;
        struct err err;

        begin();
        kit_sql(db_path, "CREATE TABLE entry (key)");
        check_eq(store_open(&store, dir_path, 0, &err), -EUCLEAN);
        check(strstr(err.text, "not a database of ydsync") != NULL);
        kit_sql(db_path, "PRAGMA application_id = 0x79647379; PRAGMA user_version = 1");
        check_eq(store_open(&store, dir_path, 0, &err), -EUCLEAN);
        kit_sql(db_path, "PRAGMA user_version = 0");
        check_eq(store_open(&store, dir_path, 0, &err), -EUCLEAN);
        end();
}

/* Somebody opened it with sqlite3 and did this. */
static int open_after(const char *sql)
{
        struct store *store;
        int r = open_bytes(good, good_n);

        check_eq(r, 0);
        kit_sql(db_path, sql);
        r = store_open(&store, dir_path, 0, NULL);
        if (r == 0) {
                r = check_all(store, 0);
                store_close(store);
        }
        return r;
}

TEST(the_schema_must_be_ours)
{
        begin();
        check_eq(open_after("CREATE TABLE more (x)"), -EUCLEAN);
        check_eq(open_after("DROP TABLE intent"), -EUCLEAN);
        check_eq(open_after("DROP INDEX entry_unverified"), -EUCLEAN);
        check_eq(open_after("ALTER TABLE entry ADD COLUMN more INTEGER"), -EUCLEAN);
        check_eq(open_after("CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM meta; END"),
                 -EUCLEAN);
        check_eq(open_after("ANALYZE"), 0); /* does no harm */
        check_eq(open_after("PRAGMA journal_mode = DELETE"), 0);
        check_eq(open_after("VACUUM"), 0);
        end();
}

TEST(newer_versions_are_left_alone)
{
        begin();
        check_eq(open_after("PRAGMA user_version = 3"), -ENOTSUP);
        check_eq(open_after("PRAGMA user_version = 3; CREATE TABLE more (x)"), -ENOTSUP);
        check_eq(open_after("PRAGMA user_version = 2"), 0);
        check_eq(open_after("PRAGMA user_version = 1"), -EUCLEAN); /* it has too many tables */
        check_eq(open_after("PRAGMA user_version = -1"), -EUCLEAN);
        end();
}

TEST(changes_behind_our_back_are_noticed)
{
        begin();
        check_eq(open_after("DELETE FROM entry WHERE key = x'666f6c6465722d33'"), -EUCLEAN);
        check_eq(open_after("UPDATE entry SET size = size + 1 WHERE kind = 1"), -EUCLEAN);
        check_eq(open_after("UPDATE entry SET unverified = 0 WHERE unverified = 1"), -EUCLEAN);
        check_eq(open_after("UPDATE entry SET md5 = NULL"), -EUCLEAN);
        check_eq(open_after("UPDATE entry SET mtime_ns = 0"), -EUCLEAN);
        check_eq(open_after("UPDATE remote SET size = 0"), -EUCLEAN);
        check_eq(open_after("DELETE FROM remote WHERE kind = 2"), -EUCLEAN);
        check_eq(open_after("INSERT INTO remote SELECT key, kind, size, md5, sum FROM entry"
                            " WHERE true ON CONFLICT DO NOTHING"), -EUCLEAN);
        check_eq(open_after("DELETE FROM intent"), -EUCLEAN);
        check_eq(open_after("UPDATE intent SET wire = 'other' WHERE wire = 'wire-1'"), -EUCLEAN);
        check_eq(open_after("DELETE FROM doubt"), -EUCLEAN);
        check_eq(open_after("UPDATE doubt SET looked = 1"), -EUCLEAN);
        check_eq(open_after("UPDATE doubt SET key = x'6f' WHERE kind = 0"), -EUCLEAN);
        check_eq(open_after("DELETE FROM meta WHERE name = 'adopted'"), -EUCLEAN);
        check_eq(open_after("DELETE FROM meta WHERE name = 'store.tally'"), -EUCLEAN);
        check_eq(open_after("UPDATE meta SET value = 'no' WHERE name = 'adopted'"), -EUCLEAN);
        check_eq(open_after("INSERT INTO meta VALUES ('x', 'y', 0)"), -EUCLEAN);
        end();
}

/* ---- hostile rows: with a checksum that is right ------------------------------------------- */

static int read_hostile(const char *raw, size_t n, const struct entry *e)
{
        struct str blob = STR_NULL(STORE_STR_MAX);
        struct store *store;
        sqlite3_stmt *stmt = NULL;
        struct entry_iter *it;
        const struct entry *seen;
        int r, shown = 0;

        clear();
        store = kit_open(&scratch);
        str_add(&blob, raw, n);
        check_eq(store_db_stmt(&store->db, STMT_ENTRY_NEW, &stmt, NULL), 0);
        check_eq(store_row_bind(&store->db, stmt, STORE_ENTRY, e, &blob, NULL), 0);
        check_eq(store_db_step(&store->db, stmt, NULL), 0);
        store_db_resetp(&stmt);
        check_eq(store_known_iter(store, &it, NULL), 0);
        while ((r = entry_iter_next(it, &seen)) > 0)
                shown++;
        store_iter_destroy(it);
        check(r == -EUCLEAN);
        store_close(store);
        str_finish(&blob);
        return shown;
}

TEST(hostile_keys_are_not_shown)
{
        static const struct {
                const char *raw;
                size_t n;
        } bad[] = {
                {"..", 2}, {"a\0..", 4}, {"..\0a", 4}, {".", 1}, {"a/b", 3}, {"/", 1}, {"\0", 1},
                {"a\0", 2}, {"\0a", 2}, {"a\0\0b", 4}, {"\xff", 1}, {"\xc0\xaf", 2}, {"a\n", 2},
                {"\xed\xa0\x80", 3}, {"\x01", 1},
        };
        struct entry e = kit_file("x", 1).entry;

        begin();
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                check_eq(read_hostile(bad[i].raw, bad[i].n, &e), 0);
        check_eq(read_hostile("", 0, &e), 0); /* the watched folder as a file */
        check_eq(read_hostile("good", 4, &e), 1); /* shown, but it was not counted */
        e.kind = KIND_DIR; /* a folder with a size */
        check_eq(read_hostile("good", 4, &e), 0);
        end();
}

/* ---- pages --------------------------------------------------------------------------------- */

TEST(truncated_files)
{
        begin();
        for (size_t n = good_n - 1; n > 0; n -= n > 2000 ? 1999 : n) {
                clear();
                kit_spill(db_path, good, n);
                check_eq(check_file("truncation", n), -EUCLEAN);
        }
        end();
}

/* A copy in which the page `i` is something else. */
static int check_page(const char *what, size_t i, const char *page)
{
        char *bytes = malloc(good_n);
        int r;

        memcpy(bytes, good, good_n);
        memcpy(bytes + i * PAGE, page, PAGE);
        clear();
        kit_spill(db_path, bytes, good_n);
        free(bytes);
        r = check_file(what, i * PAGE);
        return r;
}

TEST(zeroed_pages)
{
        static char zeros[PAGE];

        begin();
        for (size_t i = 0; i < good_n / PAGE; i++)
                check_eq(check_page("zeros", i, zeros), -EUCLEAN);
        end();
}

TEST(random_pages)
{
        char page[PAGE];

        begin();
        srand(2);
        for (size_t i = 0; i < good_n / PAGE; i++) {
                for (size_t k = 0; k < sizeof(page); k++)
                        page[k] = (char)rand();
                check_eq(check_page("noise", i, page), -EUCLEAN);
        }
        end();
}

/* Each is a page that SQLite finds nothing wrong with. */
TEST(pages_in_the_place_of_others)
{
        begin();
        for (size_t i = 1; i < good_n / PAGE; i++)
                for (size_t k = 1; k < good_n / PAGE; k += 7)
                        if (i != k)
                                check_page("another page", i, good + k * PAGE);
        end();
}

/* In every page all of its header and a choice of the rest: cell pointers, free space, cells. */
TEST(bit_flips)
{
        enum { HEAD = 16, REST = 16 };
        size_t harmless = 0, noticed = 0;

        begin();
        srand(3);
        clear();
        for (size_t page = 0; page < good_n / PAGE; page++)
                for (size_t i = 0; i < HEAD + REST; i++) {
                        size_t at = page * PAGE + (i < HEAD ? i : (size_t)rand() % PAGE);
                        char flip = (char)(1 << (rand() % 8)), was = good[at];
                        int r;

                        clear();
                        good[at] ^= flip;
                        kit_spill(db_path, good, good_n);
                        r = check_file("bit flip", at);
                        good[at] = was;
                        check(r == 0 || r == -EUCLEAN || (r == -ENOTSUP && at >= 60 && at < 64));
                        *(r == 0 ? &harmless : &noticed) += 1;
                }
        printf("# %zu flips noticed, %zu without effect\n", noticed, harmless);
        check(noticed > harmless);
        end();
}

TEST(damage_while_it_is_open)
{
        static char zeros[PAGE];
        struct record add = kit_file("folder-3/new", 77);
        struct store *store;
        struct entry_list l = {0};
        char *bytes = NULL;

        begin();
        check_eq(open_bytes(good, good_n), 0);
        store = kit_open(&scratch);
        bytes = malloc(good_n);
        memcpy(bytes, good, good_n);
        for (size_t i = 1; i < good_n / PAGE; i++)
                memcpy(bytes + i * PAGE, zeros, PAGE);
        kit_spill(db_path, bytes, good_n); /* the same file, other bytes */
        check_eq(check_stream(store, false, ROWS), -EUCLEAN);
        check_eq(store_children(store, "folder-3", &l, NULL), -EUCLEAN);
        check_eq(store_unverified(store, 9, &l, NULL), -EUCLEAN);
        check_eq(store_commit(store, &add, 1, NULL), -EUCLEAN);
        store_close(store);
        free(bytes);
        end();
}

/* ---- setting aside ------------------------------------------------------------------------- */

static size_t count_damaged(void)
{
        DIR *d = opendir(dir_path);
        struct dirent *e;
        size_t n = 0;

        while ((e = readdir(d)))
                n += str_starts(e->d_name, "state.db.damaged-");
        closedir(d);
        return n;
}

TEST(set_aside_makes_room)
{
        struct store *store;
        struct err err = {.code = 1};

        begin();
        for (size_t i = 1; i <= 3; i++) { /* all within one second */
                kit_spill(db_path, "garbage", 7);
                check_eq(store_open(&store, dir_path, 0, NULL), -EUCLEAN);
                check_eq(store_set_aside(dir_path, &err), 0);
                check_eq(err.code, 0);
                check(strstr(err.text, "state.db.damaged-20") != NULL);
                check_eq(count_damaged(), i);
        }
        store = kit_open(&scratch);
        check_str(kit_keys(store), "");
        check_eq(store_set_aside(dir_path, &err), -EBUSY);
        store_close(store);
        clear();
        check_eq(store_set_aside(dir_path, &err), -ENOENT);
        check_eq(count_damaged(), 3);
        end();
}

TEST(set_aside_takes_the_log_with_it)
{
        begin();
        kit_spill(db_path, "garbage", 7);
        scratch_file(&scratch, "state/state.db-wal", "log");
        scratch_file(&scratch, "state/state.db-shm", "index");
        check_eq(store_set_aside(dir_path, NULL), 0);
        check_eq(count_damaged(), 3);
        check(faccessat(scratch.fd, "state/state.db-wal", F_OK, 0) < 0);
        end();
}

/* A log left alone must not become the log of the new snapshot: it is a valid one. */
TEST(a_stale_log_is_not_read)
{
        char wal_path[512], *wal;
        struct store *store;
        size_t n;

        begin();
        store = kit_open(&scratch);
        kit_do(store, kit_file("old", 1));
        kit_path(&scratch, "state.db-wal", wal_path);
        wal = kit_slurp(wal_path, &n);
        check(n > 0);
        store_close(store);
        clear();
        kit_spill(wal_path, wal, n);
        store = kit_open(&scratch);
        check_str(kit_keys(store), "");
        kit_check_totals(store);
        store_close(store);
        free(wal);
        end();
}

TEST(a_damaged_log_is_an_older_snapshot)
{
        char wal_path[512], *db, *wal;
        struct store *store;
        size_t db_n, wal_n;

        begin();
        store = kit_open(&scratch);
        for (int i = 0; i < 20; i++)
                kit_do(store, kit_file(keys[i + 1], 100 + (uint64_t)i + 1));
        kit_path(&scratch, "state.db-wal", wal_path);
        db = kit_slurp(db_path, &db_n);
        wal = kit_slurp(wal_path, &wal_n);
        store_close(store);
        for (size_t at = 0; at < wal_n; at += 1000) {
                clear();
                wal[at] ^= 16;
                kit_spill(db_path, db, db_n);
                kit_spill(wal_path, wal, wal_n);
                store = kit_open(&scratch);
                kit_check_totals(store);
                store_close(store);
                wal[at] ^= 16;
        }
        free(db);
        free(wal);
        end();
}

int main(int argc, char **argv)
{
        int r = check_main(argc, argv);

        free(good);
        return r;
}
