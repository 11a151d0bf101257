/* SPDX-License-Identifier: MIT */

/* What the snapshot keeps and tells, on a real SQLite. */

#include "lib/core/plan.h"
#include "lib/store/store_priv.h"
#include "tests/unit/store_kit.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <sys/stat.h>

/* Every test has a folder and an open, empty snapshot in it. */
static struct scratch scratch;
static struct store *store;

static void begin(void)
{
        scratch_init(&scratch);
        store = kit_open(&scratch);
}

static void end(void)
{
        store_close(store);
        store = NULL;
        scratch_finish(&scratch);
}

static void reopen(void)
{
        store_close(store);
        store = kit_open(&scratch);
}

static unsigned file_mode(const char *sub)
{
        char path[512];
        struct stat st;

        kit_path(&scratch, sub, path);
        return stat(path, &st) < 0 ? 0 : st.st_mode & 07777;
}

/* ---- opening ------------------------------------------------------------------------------- */

TEST(files_are_for_the_owner_only)
{
        char path[512], *pid;
        size_t n;

        begin();
        kit_do(store, kit_file("a", 1));
        check_eq(file_mode(NULL), 0700);
        check_eq(file_mode("state.db"), 0600);
        check_eq(file_mode("state.db-wal"), 0600);
        check_eq(file_mode("lock"), 0600);
        check_eq(file_mode("state.db.new"), 0);
        kit_path(&scratch, "lock", path);
        pid = kit_slurp(path, &n);
        check_eq(atol(pid), getpid());
        free(pid);
        end();
}

TEST(only_the_last_folder_is_made)
{
        char path[512];
        struct err err;

        scratch_init(&scratch);
        snprintf(path, sizeof(path), "%s/no/state", scratch.path);
        check_eq(store_open(&store, path, 0, &err), -ENOENT);
        check(strstr(err.text, "state folder") != NULL);
        scratch_finish(&scratch);
}

TEST(what_was_committed_is_there_again)
{
        char *value = NULL;

        begin();
        kit_do(store, kit_dir("d"), kit_unverified("d/f", 7), kit_meta("adopted", "1"),
               kit_intent("w", "d/f", 7, 1));
        reopen();
        check_str(kit_keys(store), "d d/f");
        kit_check_totals(store);
        check_eq(store_meta_get(store, "adopted", &value, NULL), 0);
        check_str(value, "1");
        free(value);
        end();
}

TEST(a_clean_close_leaves_one_file)
{
        begin();
        kit_do(store, kit_file("a", 1));
        reopen();
        store_close(store);
        check_eq(file_mode("state.db-wal"), 0);
        check_eq(file_mode("state.db-shm"), 0);
        store = kit_open(&scratch);
        end();
}

TEST(half_made_snapshots_are_cleaned_away)
{
        begin();
        store_close(store);
        scratch_remove(&scratch, "state/state.db");
        scratch_file(&scratch, "state/state.db.new", "half");
        scratch_file(&scratch, "state/state.db.new-wal", "half");
        store = kit_open(&scratch);
        check_str(kit_keys(store), "");
        check_eq(file_mode("state.db.new"), 0);
        check_eq(file_mode("state.db.new-wal"), 0);
        end();
}

TEST(a_folder_in_its_place_is_named)
{
        char path[512];
        struct err err;

        scratch_init(&scratch);
        scratch_dir(&scratch, "state");
        scratch_dir(&scratch, "state/state.db");
        kit_path(&scratch, NULL, path);
        check_eq(store_open(&store, path, 0, &err), -EISDIR);
        scratch_remove(&scratch, "state/state.db");
        scratch_fifo(&scratch, "state/state.db");
        check_eq(store_open(&store, path, 0, &err), -EINVAL); /* and does not wait for a writer */
        scratch_finish(&scratch);
}

TEST(a_relative_folder_stays_found)
{
        char here[PATH_MAX], *cwd = getcwd(here, sizeof(here));
        struct err err = ERR_NONE;

        scratch_init(&scratch);
        require(cwd && chdir(scratch.path) == 0);
        check_eq(store_open(&store, "state", 0, &err), 0);
        require(chdir("/") == 0);
        kit_do(store, kit_file("a", 1));
        check_str(kit_keys(store), "a");
        require(chdir(here) == 0);
        end();
}

/* ---- keys ---------------------------------------------------------------------------------- */

/* From `key` on, or past what is below it; the first two keys that come then. */
static void check_seek(const char *key, bool past, const char *expected)
{
        _cleanup_(str_finish) struct str text = STR_NULL(4096);
        struct entry_iter *it = NULL;
        const struct entry *e;
        int r = 1;

        check_eq(store_known_iter(store, &it, NULL), 0);
        check_eq(entry_iter_next(it, &e), 1);
        check_str(e->key, "a");
        entry_iter_seek(it, key, past);
        for (int i = 0; i < 2 && (r = entry_iter_next(it, &e)) > 0; i++)
                str_addf(&text, "<%s>", e->key);
        check_str(str_z(&text), expected);
        while (r > 0)
                r = entry_iter_next(it, &e);
        check_eq(r, 0); /* that rows were left out is no damage */
        store_iter_destroy(it);
}

TEST(rows_are_passed_over)
{
        begin();
        kit_do(store, kit_dir("a"), kit_file("a/x", 1), kit_dir("a/y"), kit_file("a/y/z", 2),
               kit_file("a!", 3), kit_dir("b"), kit_file("b/c", 4));
        check_seek("a", true, "<a!><b>");
        check_seek("a/y", true, "<a!><b>");
        check_seek("a/y", false, "<a/y><a/y/z>");
        check_seek("a/xx", false, "<a/y><a/y/z>");
        check_seek("a/x", true, "<a/y><a/y/z>");
        check_seek("b", true, "");
        check_seek("b/c", false, "<b/c>");
        check_seek("z", false, "");
        check_seek("", true, "");
        end();
}

TEST(rows_come_in_tree_order)
{
        begin();
        kit_do(store, kit_file("a-b", 1), kit_file("a!", 2), kit_dir("a"), kit_dir("a/b"),
               kit_file("a/b/c", 3), kit_file("a/b!", 4), kit_file("Ж", 5), kit_file("a b", 6),
               kit_dir("Я"), kit_file("Я/щ", 7), kit_file("ab", 8), kit_file("😀", 9), kit_dir(""),
               kit_file("A", 10));
        check_str(kit_keys(store), ". A a a/b a/b/c a/b! a b a! a-b ab Ж Я Я/щ 😀");
        kit_check_totals(store);
        end();
}

/* Also those that the service cannot carry: the order must not depend on what is allowed. */
TEST(blob_order_is_tree_order)
{
        static const char *const keys[] = {
                "", "a", "a/b", "a/b/c", "a\x01", "a\x01/b", "a\001b", "a/\x01", "a!", "a-b",
                "a b", "a.", "a0", "ab", "a\x7f", "a\xc2\x80", "\x01", "\x01/a", "\x02", "Ж", "Ж/б",
                "Жб", "\xff", "\xff/a", "a/\xff", "a\xff", "/", "//", "a/", "a//",
        };
        struct str x = STR_NULL(100), y = STR_NULL(100);

        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
                        int want = entry_key_cmp(keys[i], keys[k]), is;

                        store_key_encode(&x, keys[i], NULL);
                        store_key_encode(&y, keys[k], NULL);
                        is = memcmp(str_z(&x), str_z(&y), x.len < y.len ? x.len : y.len);
                        if (is == 0)
                                is = (x.len > y.len) - (x.len < y.len);
                        check_eq((want > 0) - (want < 0), (is > 0) - (is < 0));
                }
        str_finish(&x);
        str_finish(&y);
}

TEST(keys_that_cannot_be_are_refused)
{
        static const char *const bad[] = {"/", "a/", "/a", "a//b", ".", "a/..", "a\x01", "\xff",
                                          "a\n", "\xc0\x80"};
        struct err err;

        begin();
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                struct record row = kit_file(bad[i], 1), remote = row;

                remote.verb = RECORD_REMOTE;
                check_eq(store_commit(store, &row, 1, &err), -EINVAL);
                check_eq(store_commit(store, &remote, 1, &err), -EINVAL);
        }
        check(strstr(err.text, "UTF-8") != NULL);
        check_str(kit_keys(store), "");
        end();
}

TEST(the_longest_keys_fit)
{
        struct str deep = STR_NULL(1 << 20), name = STR_NULL(4096);
        struct entry found;

        begin();
        for (int i = 0; i < ENTRY_NAME_MAX; i++)
                str_adds(&name, "😀");
        for (int i = 0; i < 124; i++)
                str_addf(&deep, "%s%s", i ? "/" : "", str_z(&name));
        check(entry_key_unfit(str_z(&deep)) == NULL);
        kit_do(store, kit_file(str_z(&deep), 5), kit_file("z", 6));
        check(kit_find(store, str_z(&deep), &found));
        check_eq(found.size, 5);
        str_adds(&deep, "/!");
        kit_do(store, kit_file(str_z(&deep), 7));
        str_truncate(&deep, deep.len - 2);
        kit_do(store, kit_on(RECORD_FORGET_TREE, str_z(&deep)));
        check_str(kit_keys(store), "z");
        str_finish(&deep);
        str_finish(&name);
        end();
}

/* ---- rows ---------------------------------------------------------------------------------- */

static void round_trip(const struct entry *e)
{
        struct record r = {.verb = RECORD_ROW, .entry = *e};
        struct entry found = {0};

        kit_commit(store, &r, 1);
        check(kit_find(store, e->key, &found));
        check(kit_entry_eq(e, &found));
        check_eq(found.err, 0);
}

TEST(every_field_comes_back)
{
        struct entry e = {.key = "x", .kind = KIND_FILE};

        begin();
        round_trip(&e);
        e.size = INT64_MAX;
        round_trip(&e);
        e.size = 1;
        e.stamp = (struct stamp){INT64_MIN, INT64_MAX, UINT64_MAX, UINT64_MAX};
        round_trip(&e);
        e.stamp = (struct stamp){-1, -2, 1ull << 63, 1};
        round_trip(&e);
        e.has_md5 = true;
        round_trip(&e); /* a digest of zeros is not none */
        memset(e.md5, 0xff, sizeof(e.md5));
        e.flags = ENTRY_RACY;
        round_trip(&e);
        e.flags = ENTRY_UNVERIFIED;
        round_trip(&e);
        e.flags = ENTRY_UNVERIFIED | ENTRY_RACY;
        round_trip(&e);
        kit_check_totals(store);
        reopen();
        round_trip(&e);
        end();
}

TEST(what_is_not_of_a_row_is_not_kept)
{
        struct record r = kit_file("x", 1);
        struct entry found;

        begin();
        r.entry.err = EACCES;
        r.entry.flags = ENTRY_EXCLUDED | ENTRY_RACY;
        kit_commit(store, &r, 1);
        require(kit_find(store, "x", &found));
        check_eq(found.err, 0);
        check_eq(found.flags, ENTRY_RACY);
        end();
}

TEST(rows_that_cannot_be_are_refused)
{
        struct record r[] = {kit_file("a", 1), kit_file("a", 1), kit_file("a", 1), kit_dir("a"),
                             kit_file("", 1)};
        struct err err;

        begin();
        r[0].entry.kind = KIND_NONE;
        r[1].entry.kind = KIND_OTHER;
        r[2].entry.size = 1ull << 63;
        r[3].entry.size = 4096;
        for (size_t i = 0; i < ARRAY_SIZE(r); i++)
                check_eq(store_commit(store, &r[i], 1, &err), -EINVAL);
        check_str(kit_keys(store), "");
        end();
}

TEST(a_row_replaces_the_one_before)
{
        struct entry found;

        begin();
        kit_do(store, kit_file("a", 5), kit_unverified("a", 6));
        kit_check_totals(store);
        require(kit_find(store, "a", &found));
        check_eq(found.size, 6);
        check_eq(found.flags, ENTRY_UNVERIFIED);
        kit_do(store, kit_file("a", 7));
        kit_check_totals(store);
        kit_do(store, kit_dir("a"));
        kit_check_totals(store);
        require(kit_find(store, "a", &found));
        check_eq(found.kind, KIND_DIR);
        check(!found.has_md5);
        end();
}

TEST(forgetting_one_row_leaves_what_is_below)
{
        begin();
        kit_do(store, kit_dir("a"), kit_unverified("a/b", 2), kit_file("b", 3));
        kit_do(store, kit_on(RECORD_FORGET, "a"));
        check_str(kit_keys(store), "a/b b");
        kit_do(store, kit_on(RECORD_FORGET, "a"), kit_on(RECORD_FORGET, "nothing"));
        kit_do(store, kit_on(RECORD_FORGET, "a/b"));
        check_str(kit_keys(store), "b");
        kit_check_totals(store);
        end();
}

TEST(forgetting_a_tree_stops_at_its_edge)
{
        begin();
        kit_do(store, kit_dir("a"), kit_file("a/x", 1), kit_dir("a/y"), kit_unverified("a/y/z", 2),
               kit_file("a!x", 3), kit_file("ab", 4), kit_file("a ", 5), kit_file("A", 6),
               kit_file("a/\xf4\x8f\xbf\xbf", 7));
        kit_do(store, kit_on(RECORD_FORGET_TREE, "a"));
        check_str(kit_keys(store), "A a  a!x ab");
        kit_check_totals(store);
        kit_do(store, kit_on(RECORD_FORGET_TREE, "a"), kit_on(RECORD_FORGET_TREE, "a!"));
        check_str(kit_keys(store), "A a  a!x ab");
        kit_do(store, kit_on(RECORD_FORGET_TREE, "ab"));
        check_str(kit_keys(store), "A a  a!x");
        kit_do(store, kit_dir(""), kit_on(RECORD_FORGET_TREE, ""));
        check_str(kit_keys(store), "");
        kit_check_totals(store);
        end();
}

static const char *intents_text(void);

/* ---- moves --------------------------------------------------------------------------------- */

static struct record moved(const char *from, const char *to)
{
        return (struct record){.verb = RECORD_MOVE, .from = from, .entry = {.key = to}};
}

TEST(moving_a_tree_takes_all_of_it_and_nothing_else)
{
        struct entry e;

        begin();
        kit_do(store, kit_dir("a"), kit_file("a/x", 1), kit_dir("a/y"), kit_unverified("a/y/z", 2),
               kit_file("a!x", 3), kit_file("ab", 4));
        kit_do(store, moved("a", "c/d"));
        check_str(kit_keys(store), "a!x ab c/d c/d/x c/d/y c/d/y/z");
        check(kit_find(store, "c/d/y/z", &e) && e.size == 2 && (e.flags & ENTRY_UNVERIFIED));
        kit_check_totals(store);
        /* what was known at the new place is not there any more */
        kit_do(store, moved("c/d/y", "ab"));
        check_str(kit_keys(store), "a!x ab ab/z c/d c/d/x");
        kit_do(store, moved("a!x", "ab/z"), moved("no such thing", "c/d/x"));
        check_str(kit_keys(store), "ab ab/z c/d c/d/x"); /* what is not there takes nobody's place */
        check(kit_find(store, "ab/z", &e) && e.size == 3);
        kit_check_totals(store);
        end();
}

TEST(moving_takes_the_intents_below_along)
{
        begin();
        kit_do(store, kit_dir("a"), kit_intent("w1", "a/x", 1, 100), kit_intent("w2", "a", 2, 200),
               kit_intent("w3", "ab", 3, 300), kit_intent("w4", "a/y/z", 4, 400));
        kit_do(store, moved("a", "b/c"));
        check_str(intents_text(), "w1>b/c/x:1@100 w2>a:2@200 w3>ab:3@300 w4>b/c/y/z:4@400");
        kit_check_totals(store);
        end();
}

TEST(what_cannot_be_moved)
{
        struct record bad[] = {moved("a", "a"), moved("a", "a/b"), moved("a/b", "a"), moved("", "a"),
                               moved("a", ""), moved(NULL, "a"), moved("a", NULL),
                               moved("a", "b\nc")};
        struct err err;

        begin();
        kit_do(store, kit_dir("a"), kit_file("a/b", 1));
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                check_eq(store_commit(store, &bad[i], 1, &err), -EINVAL);
        check_str(kit_keys(store), "a a/b");
        end();
}

/* A million rows go one by one, in one transaction. */
TEST(moving_many_rows)
{
        char key[32];
        uint64_t n;

        begin();
        kit_do(store, kit_dir("a"));
        for (int i = 0; i < 3000; i++) {
                snprintf(key, sizeof(key), "a/%d", i);
                kit_do(store, kit_file(key, 1));
        }
        kit_do(store, moved("a", "b"));
        check_eq(store_below(store, "b", &n, NULL), 0);
        check_eq(n, 3000);
        check_eq(store_below(store, "a", &n, NULL), 0);
        check_eq(n, 0);
        kit_check_totals(store);
        end();
}

/* ---- a copy to try things in ---------------------------------------------------------------- */

TEST(a_copy_is_alike_and_apart)
{
        struct scratch elsewhere;
        struct store *copy = NULL;

        begin();
        scratch_init(&elsewhere);
        kit_do(store, kit_dir("a"), kit_file("a/x", 1));
        check_eq(store_copy(store, elsewhere.path, &copy, NULL), 0);
        require(copy);
        check_str(kit_keys(copy), "a a/x");
        kit_do(copy, moved("a", "b"));
        check_str(kit_keys(copy), "b b/x");
        check_str(kit_keys(store), "a a/x");
        store_close(copy);
        scratch_finish(&elsewhere);
        end();
}

/* ---- verification -------------------------------------------------------------------------- */

static unsigned flags_of(const char *key)
{
        struct entry found = {0};

        check(kit_find(store, key, &found));
        return found.flags;
}

TEST(only_what_is_still_so_is_verified)
{
        struct record was = kit_unverified("a", 5), now = kit_unverified("a", 6), mixed = now;

        begin();
        was.entry.flags = now.entry.flags |= ENTRY_RACY;
        kit_commit(store, &now, 1);
        was.verb = mixed.verb = RECORD_VERIFIED;
        kit_commit(store, &was, 1); /* neither size nor digest */
        check_eq(flags_of("a"), ENTRY_UNVERIFIED | ENTRY_RACY);
        mixed.entry.md5[15] ^= 1; /* the size only */
        kit_commit(store, &mixed, 1);
        mixed.entry = now.entry;
        mixed.entry.size++; /* the digest only */
        kit_commit(store, &mixed, 1);
        mixed.entry = now.entry;
        mixed.entry.has_md5 = false;
        kit_commit(store, &mixed, 1);
        check_eq(flags_of("a"), ENTRY_UNVERIFIED | ENTRY_RACY);
        kit_check_totals(store);

        now.verb = RECORD_VERIFIED;
        kit_commit(store, &now, 1);
        check_eq(flags_of("a"), ENTRY_RACY);
        kit_commit(store, &now, 1);
        now.entry.key = "nothing";
        kit_commit(store, &now, 1);
        kit_check_totals(store);
        check_str(kit_unverified_folders(store, 9), "");
        end();
}

TEST(folders_to_verify_come_once)
{
        begin();
        kit_do(store, kit_unverified("1", 1), kit_dir("a"), kit_unverified("a/1", 1),
               kit_dir("a/b"), kit_unverified("a/b/1", 1), kit_unverified("a/b/2", 1),
               kit_unverified("a/b!", 1), kit_dir("c"), kit_file("c/1", 1), kit_dir("d"),
               kit_dir("d/e"), kit_unverified("d/e/1", 1), kit_unverified("d/f", 1),
               kit_unverified("z", 1));
        check_str(kit_unverified_folders(store, 99), ". a a/b d/e d");
        check_str(kit_unverified_folders(store, 5), ". a a/b d/e d");
        check_str(kit_unverified_folders(store, 2), ". a");
        check_str(kit_unverified_folders(store, 0), "");
        end();
}

TEST(an_unverified_root_is_its_own_folder)
{
        struct record root = kit_dir("");

        begin();
        root.entry.flags = ENTRY_UNVERIFIED;
        kit_do(store, root, kit_unverified("a", 1));
        check_str(kit_unverified_folders(store, 9), ".");
        end();
}

/* ---- one folder ---------------------------------------------------------------------------- */

TEST(children_are_one_level)
{
        begin();
        kit_do(store, kit_dir(""), kit_dir("a"), kit_dir("a/b"), kit_file("a/b/c", 1),
               kit_file("a/b/d", 1), kit_file("a/b!", 2), kit_dir("a/e"), kit_file("a/f", 3),
               kit_dir("a/g"), kit_dir("a/g/h"), kit_file("a/g/h/i", 1), kit_file("a!", 4),
               kit_file("orphan/x/y", 5), kit_file("orphan/z", 5));
        check_str(kit_children(store, ""), "a a!");
        check_str(kit_children(store, "a"), "a/b a/b! a/e a/f a/g");
        check_str(kit_children(store, "a/b"), "a/b/c a/b/d");
        check_str(kit_children(store, "a/e"), "");
        check_str(kit_children(store, "a/f"), "");
        check_str(kit_children(store, "nothing"), "");
        check_str(kit_children(store, "orphan"), "orphan/z");
        end();
}

TEST(next_goes_on_from_any_place)
{
        begin();
        check_str(kit_next(store, KIND_DIR, NULL, 9), "");
        kit_do(store, kit_dir("a"), kit_dir("a/b"), kit_file("a/b/c", 1), kit_file("a/b!", 2),
               kit_dir("a/e"), kit_file("a/f", 3), kit_file("a!", 4), kit_dir("z"));
        check_str(kit_next(store, KIND_DIR, NULL, 9), "a a/b a/e z");
        check_str(kit_next(store, KIND_DIR, NULL, 2), "a a/b");
        check_str(kit_next(store, KIND_DIR, "a/b", 9), "a/e z");
        check_str(kit_next(store, KIND_DIR, "a/c", 1), "a/e"); /* is not there */
        check_str(kit_next(store, KIND_DIR, "z", 9), "");
        check_str(kit_next(store, KIND_FILE, NULL, 9), "a/b/c a/b! a/f a!");
        check_str(kit_next(store, KIND_FILE, "", 9), "a/b/c a/b! a/f a!");
        check_str(kit_next(store, KIND_FILE, "a/b", 2), "a/b/c a/b!");
        check_str(kit_next(store, KIND_FILE, "a/b!", 0), "");
        end();
}

TEST(next_shows_no_damaged_row)
{
        char path[512];

        begin();
        kit_do(store, kit_file("a", 1), kit_file("b", 2));
        kit_path(&scratch, "state.db", path);
        kit_sql(path, "UPDATE entry SET size = 9 WHERE key = CAST('b' AS BLOB)");
        check_str(kit_next(store, KIND_FILE, NULL, 1), "a");
        check_str(kit_next(store, KIND_FILE, NULL, 9), "!117");
        end();
}

TEST(get_gives_one_row)
{
        struct record was = kit_unverified("a/b", 7);
        struct entry e;

        begin();
        kit_do(store, kit_dir("a"), was);
        check_eq(store_get(store, "a/b", &e, NULL), 1);
        check(!e.key && kit_entry_eq(&e, &was.entry));
        check_eq(store_get(store, "a", &e, NULL), 1);
        check_eq(e.kind, KIND_DIR);
        check_eq(store_get(store, "a/c", &e, NULL), 0);
        end();
}

TEST(below_counts_a_subtree)
{
        uint64_t n = 9;

        begin();
        kit_do(store, kit_dir("a"), kit_dir("a/b"), kit_file("a/b/c", 1), kit_file("a!", 2));
        check_eq(store_below(store, "a", &n, NULL), 0);
        check_eq(n, 2);
        check_eq(store_below(store, "", &n, NULL), 0);
        check_eq(n, 4);
        check_eq(store_below(store, "a!", &n, NULL), 0);
        check_eq(n, 0);
        end();
}

TEST(children_do_not_read_large_subfolders)
{
        enum { SUBS = 20, EACH = 2000 };
        struct record *r = calloc(SUBS * (EACH + 1), sizeof(*r));
        char (*keys)[16] = calloc(SUBS * (EACH + 1), sizeof(*keys));
        struct entry_list l = {0};
        sqlite3_stmt *stmt = NULL;
        size_t n = 0;

        begin();
        for (int d = 0; d < SUBS; d++)
                for (int f = 0; f <= EACH; f++, n++) {
                        snprintf(keys[n], sizeof(*keys), f ? "d/%02d/%d" : "d/%02d", d, f);
                        r[n] = f ? kit_file(keys[n], 1) : kit_dir(keys[n]);
                }
        kit_commit(store, r, n);
        check_eq(store_children(store, "d", &l, NULL), 0);
        check_eq(l.n, SUBS);
        check_str(l.items[SUBS - 1].key, "d/19");
        check_eq(l.items[0].kind, KIND_DIR);
        entry_list_finish(&l);
        /* Counted by SQLite: steps of its machine, some thirty a row. */
        check_eq(store_db_stmt(&store->db, STMT_ENTRY_RANGE, &stmt, NULL), 0);
        check(sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 0) < SUBS * 100);
        free(keys);
        free(r);
        end();
}

/* ---- intents, facts, remote ---------------------------------------------------------------- */

static const char *intents_text(void)
{
        static char text[1024];
        struct intent *in = NULL;
        size_t n = 0, at = 0;

        text[0] = '\0';
        check_eq(store_intents(store, &in, &n, NULL), 0);
        for (size_t i = 0; i < n; i++)
                at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s>%s:%d@%d", i ? " " : "",
                                       in[i].wire, in[i].key, (int)in[i].size, (int)in[i].when_ms);
        store_intents_free(in, n);
        return text;
}

TEST(intents_come_oldest_first)
{
        begin();
        check_str(intents_text(), "");
        kit_do(store, kit_intent("w1", "a/x.zip", 10, 300), kit_intent("w2", "b", 20, 100),
               kit_intent("w3", "c", 30, 200));
        check_str(intents_text(), "w2>b:20@100 w3>c:30@200 w1>a/x.zip:10@300");
        kit_do(store, kit_intent("w3", "d", 31, 400));
        reopen();
        check_str(intents_text(), "w2>b:20@100 w1>a/x.zip:10@300 w3>d:31@400");
        kit_do(store, {.verb = RECORD_INTENT_DONE, .wire = "w1"});
        kit_do(store, {.verb = RECORD_INTENT_DONE, .wire = "w1"});
        kit_do(store, {.verb = RECORD_INTENT_DONE, .wire = "w3"}, kit_file("d", 31));
        check_str(intents_text(), "w2>b:20@100");
        end();
}

TEST(facts_by_their_beginning)
{
        struct store_fact *facts;
        size_t n;

        begin();
        kit_do(store, kit_meta("m/b", "2"), kit_meta("m/a", "1"), kit_meta("m", "0"),
               kit_meta("n/a", "3"));
        check_eq(store_facts(store, "m/", &facts, &n, NULL), 0);
        require(n == 2);
        check_str(facts[0].name, "m/a");
        check_str(facts[0].value, "1");
        check_str(facts[1].name, "m/b");
        store_facts_free(facts, n);
        check_eq(store_facts(store, "x", &facts, &n, NULL), 0);
        check_eq(n, 0);
        store_facts_free(facts, n);
        end();
}

TEST(intents_need_names)
{
        struct record bad[] = {kit_intent("a/b", "k", 1, 1), kit_intent("", "k", 1, 1),
                               kit_intent(NULL, "k", 1, 1), kit_intent("w", "", 1, 1),
                               kit_intent("w", "k", 1ull << 63, 1), kit_intent("w", NULL, 1, 1),
                               {.verb = RECORD_INTENT_DONE}};

        begin();
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                check_eq(store_commit(store, &bad[i], 1, NULL), -EINVAL);
        check_str(intents_text(), "");
        end();
}

/* ---- doubts -------------------------------------------------------------------------------- */

static const char *doubts_text(void)
{
        static char text[1024];
        struct doubt *d = NULL;
        size_t n = 0, at = 0;

        text[0] = '\0';
        check_eq(store_doubts(store, &d, &n, NULL), 0);
        for (size_t i = 0; i < n; i++) {
                struct record file = kit_file("", d[i].size);

                check(d[i].kind != KIND_FILE || memcmp(d[i].md5, file.entry.md5, 16) == 0);
                at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s=%c%d@%d%s", i ? " " : "",
                                       d[i].key, "nfd"[d[i].kind], (int)d[i].size,
                                       (int)d[i].when_ms, d[i].looked ? "!" : "");
        }
        store_doubts_free(d, n);
        return text;
}

TEST(doubts_are_kept_until_they_are_settled)
{
        struct record looked = kit_doubt(kit_file("d/f", 8), 40);

        looked.looked = true;
        begin();
        check_str(doubts_text(), "");
        kit_do(store, kit_doubt(kit_on(RECORD_ROW, "x"), 10), kit_doubt(kit_file("d/f", 7), 20),
               kit_doubt(kit_dir("d"), 30));
        reopen();
        check_str(doubts_text(), "d=d0@30 d/f=f7@20 x=n0@10");
        kit_do(store, looked);
        kit_do(store, kit_on(RECORD_DOUBT_DONE, "d"), kit_dir("d"));
        kit_do(store, kit_on(RECORD_DOUBT_DONE, "d"));
        reopen();
        check_str(doubts_text(), "d/f=f8@40! x=n0@10");
        kit_check_totals(store);
        end();
}

TEST(a_forgotten_folder_takes_the_doubts_below_it_along)
{
        begin();
        kit_do(store, kit_dir("d"), kit_file("d/f", 1), kit_doubt(kit_file("d/f", 2), 1),
               kit_doubt(kit_dir("d/e/g"), 2), kit_doubt(kit_dir("d"), 3),
               kit_doubt(kit_dir("d.x"), 4));
        kit_do(store, kit_on(RECORD_FORGET_TREE, "d"));
        check_str(doubts_text(), "d=d0@3 d.x=d0@4");
        kit_do(store, kit_on(RECORD_FORGET, "d"));
        check_str(doubts_text(), "d=d0@3 d.x=d0@4");
        kit_do(store, kit_on(RECORD_FORGET_TREE, ""));
        check_str(doubts_text(), "");
        reopen();
        check_str(doubts_text(), "");
        end();
}

TEST(doubts_need_sense)
{
        struct record no_md5 = kit_doubt(kit_file("f", 1), 1), large = kit_doubt(kit_file("f", 1), 1);
        struct record bad[] = {kit_doubt(kit_dir(""), 1), kit_doubt(kit_dir("a//b"), 1),
                               kit_on(RECORD_DOUBT, NULL), kit_on(RECORD_DOUBT_DONE, NULL),
                               kit_on(RECORD_DOUBT_DONE, ""), no_md5, large,
                               {.verb = RECORD_DOUBT, .entry = {.key = "k", .kind = KIND_OTHER}},
                               {.verb = RECORD_DOUBT, .entry = {.key = "k", .size = 1}}};

        bad[5].entry.has_md5 = false;
        bad[6].entry.size = 1ull << 63;
        begin();
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                check_eq(store_commit(store, &bad[i], 1, NULL), -EINVAL);
        check_str(doubts_text(), "");
        end();
}

/* ---- from version 1 ------------------------------------------------------------------------ */

/* The state folder holds what version 1 has written, with everything it knew of. */
static void begin_version_1(void)
{
        char path[512], *sql;
        size_t n;

        begin();
        store_close(store);
        store = NULL;
        scratch_remove(&scratch, "state/state.db");
        sql = kit_slurp("tests/unit/snapshot-v1.sql", &n);
        kit_path(&scratch, "state.db", path);
        scratch_file(&scratch, "state/state.db", "");
        kit_sql(path, sql);
        free(sql);
}

static const char *meta(const char *name);

static void check_version_1(void)
{
        struct store_totals totals;
        struct entry e;

        check_str(kit_keys(store), ". d d/Жук f");
        check_str(kit_unverified_folders(store, 9), "d");
        check_eq(kit_find(store, "f", &e), true);
        check_eq(e.flags, ENTRY_RACY);
        check_eq(e.stamp.mtime_ns, -5);
        check(memcmp(e.md5, "fedcba9876543210", 16) == 0);
        check_str(kit_remote_keys(store), "theirs");
        check_str(meta("adopted"), "1");
        check_str(meta("binding"), "https://cloud-api.yandex.net disk:/B /home/me/B");
        check_eq(store_totals(store, &totals, NULL), 0);
        check_eq(totals.files, 2);
        check_eq(totals.bytes, 307);
        kit_check_totals(store);
}

TEST(a_snapshot_of_version_1_is_kept)
{
        begin_version_1();
        store = kit_open(&scratch);
        check_version_1();
        check_str(intents_text(), "ydsync-upload-0123456789abcdef01234567>d/big.zip:70000@-807049216");
        check_str(doubts_text(), "");
        kit_do(store, kit_doubt(kit_file("new", 7), 20));
        reopen();
        check_version_1();
        check_str(doubts_text(), "new=f7@20");
        end();
}

/* `plan` beside, or before, a daemon that makes it new: nothing is written. */
TEST(a_snapshot_of_version_1_can_be_read_as_it_is)
{
        char path[512], *before, *after;
        size_t n, m;

        begin_version_1();
        kit_path(&scratch, "state.db", path);
        before = kit_slurp(path, &n);
        store = kit_open_read_only(&scratch);
        check_version_1();
        store_close(store);
        after = kit_slurp(path, &m);
        check(n == m && memcmp(before, after, n) == 0);
        free(before);
        free(after);
        store = kit_open(&scratch);
        check_version_1();
        end();
}

TEST(a_snapshot_of_version_1_must_be_one)
{
        static const char *const wrong[] = {
                "CREATE TABLE doubt (x)", "DROP TABLE remote",
                "UPDATE meta SET value = 'files=2' WHERE name = 'store.tally'"};
        char path[512], state[512];

        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
                begin_version_1();
                kit_path(&scratch, "state.db", path);
                kit_path(&scratch, NULL, state);
                kit_sql(path, wrong[i]);
                check_eq(store_open(&store, state, 0, NULL), -EUCLEAN);
                store = NULL;
                end();
        }
}

static const char *meta(const char *name)
{
        static char text[256];
        char *value = NULL;

        check_eq(store_meta_get(store, name, &value, NULL), 0);
        snprintf(text, sizeof(text), "%s", value ? value : "(none)");
        free(value);
        return text;
}

/* The id of a plan by which these go. */
static const char *plan_of(const struct record *r, size_t n)
{
        static char id[17];
        uint64_t sum = 0;

        while (n-- > 0)
                sum += plan_share(&r[n].entry);
        snprintf(id, sizeof(id), "%016" PRIx64, sum);
        return id;
}

static struct record gone(enum record_verb verb, const char *key)
{
        struct record r = kit_on(verb, key);

        r.removed = true;
        return r;
}

TEST(what_is_removed_is_taken_from_the_approved_plan)
{
        struct record r[] = {kit_file("f", 1), kit_file("k", 2), kit_dir("d"), kit_file("d/x", 3)};

        begin();
        kit_do(store, r[0], r[1], r[2], r[3], kit_file("stays", 4), kit_meta("held", "17"));
        kit_do(store, gone(RECORD_FORGET, "stays"));
        check_str(meta("held"), "17"); /* nothing is approved */
        kit_do(store, kit_file("stays", 4), kit_meta("approved", plan_of(r, 4)));
        kit_do(store, kit_on(RECORD_FORGET, "stays"), gone(RECORD_FORGET, "nothing"));
        check_str(meta("approved"), plan_of(r, 4));
        check_str(meta("held"), "17");
        kit_do(store, gone(RECORD_FORGET, "f"));
        check_str(meta("approved"), plan_of(r + 1, 3));
        check_str(meta("held"), "(none)");
        kit_do(store, gone(RECORD_FORGET_TREE, "d"));
        check_str(meta("approved"), plan_of(r + 1, 1));
        kit_check_totals(store);
        kit_do(store, gone(RECORD_FORGET, "k"));
        check_str(meta("approved"), "(none)");
        kit_do(store, r[0], kit_meta("approved", "no id"), gone(RECORD_FORGET, "f"));
        check_str(meta("approved"), "(none)");
        kit_check_totals(store);
        end();
}

TEST(facts_are_kept)
{
        begin();
        check_str(meta("root.ino"), "(none)");
        kit_do(store, kit_meta("root.ino", "123"), kit_meta("empty", ""), kit_meta("Ж", "😀 /\n"));
        check_str(meta("root.ino"), "123");
        check_str(meta("empty"), "");
        reopen();
        check_str(meta("Ж"), "😀 /\n");
        kit_do(store, kit_meta("root.ino", "124"), kit_meta("empty", NULL));
        check_str(meta("root.ino"), "124");
        check_str(meta("empty"), "(none)");
        kit_do(store, kit_meta("never", NULL));
        reopen();
        check_str(meta("root.ino"), "124");
        end();
}

TEST(facts_have_limits)
{
        char *longest = calloc(1, STORE_META_MAX + 2);
        struct record bad[] = {kit_meta("store.tally", "0"), kit_meta("store.x", NULL),
                               kit_meta("", "x"), kit_meta(NULL, "x"), kit_meta("x", longest)};

        begin();
        memset(longest, 'x', STORE_META_MAX + 1);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                check_eq(store_commit(store, &bad[i], 1, NULL), -EINVAL);
        longest[STORE_META_MAX] = '\0';
        kit_do(store, kit_meta("x", longest));
        reopen();
        check_eq(strlen(meta("x")), 255);
        free(longest);
        end();
}

static struct record remote(const char *key, uint64_t size)
{
        struct record r = size ? kit_unverified(key, size) : kit_dir(key);

        r.verb = RECORD_REMOTE;
        return r;
}

TEST(remote_is_apart_from_what_is_known)
{
        struct entry_iter *it;
        const struct entry *e;

        begin();
        kit_do(store, kit_file("known", 1), remote("b", 2), remote("a", 0), remote("a/x", 3));
        check_str(kit_remote_keys(store), "a a/x b");
        check_str(kit_keys(store), "known");
        kit_do(store, remote("b", 4), kit_on(RECORD_FORGET_TREE, ""));
        check_str(kit_remote_keys(store), "a a/x b");
        check_str(kit_keys(store), "");
        kit_check_totals(store);
        check_eq(store_remote_iter(store, &it, NULL), 0);
        for (int i = 0; i < 3; i++)
                check_eq(entry_iter_next(it, &e), 1);
        check_eq(e->size, 4);
        check(e->has_md5);
        check(memcmp(e->md5, kit_file("", 4).entry.md5, 16) == 0);
        check_eq(e->flags, 0);
        check_eq(e->stamp.ino, 0);
        store_iter_destroy(it);
        kit_do(store, {.verb = RECORD_REMOTE_CLEAR}, remote("new", 1));
        check_str(kit_remote_keys(store), "new");
        end();
}

/* ---- commits ------------------------------------------------------------------------------- */

TEST(a_refused_record_leaves_nothing)
{
        struct record r[] = {kit_file("b", 1), kit_meta("m", "1"), kit_file("../x", 1),
                             kit_file("c", 1)};
        struct err err;

        begin();
        kit_do(store, kit_file("a", 1));
        check_eq(store_commit(store, r, ARRAY_SIZE(r), &err), -EINVAL);
        check(strstr(err.text, "../x") != NULL);
        check_str(kit_keys(store), "a");
        check_str(meta("m"), "(none)");
        check_eq(store_commit(store, NULL, 0, &err), 0);
        end();
}

/* Sizes that add up to too much are only found when they are added up. */
TEST(a_failure_half_way_leaves_nothing)
{
        struct record r[] = {kit_on(RECORD_FORGET_TREE, "a"), kit_file("x", INT64_MAX),
                             kit_intent("w", "x", 1, 1), kit_meta("m", "1"), kit_file("y", 1)};

        begin();
        kit_do(store, kit_dir("a"), kit_unverified("a/b", 1));
        check_eq(store_commit(store, r, ARRAY_SIZE(r), NULL), -EOVERFLOW);
        check_str(kit_keys(store), "a a/b");
        check_str(meta("m"), "(none)");
        check_str(intents_text(), "");
        kit_check_totals(store);
        kit_do(store, kit_file("c", 1));
        reopen();
        check_str(kit_keys(store), "a a/b c");
        end();
}

TEST(a_replaced_database_is_noticed)
{
        struct record r = kit_file("b", 1);
        struct entry_iter *it;
        char path[512];
        struct err err;
        char *bytes;
        size_t n;

        begin();
        kit_do(store, kit_file("a", 1));
        kit_path(&scratch, "state.db", path);
        bytes = kit_slurp(path, &n);
        scratch_remove(&scratch, "state/state.db");
        check_eq(store_commit(store, &r, 1, &err), -ESTALE);
        check_eq(store_known_iter(store, &it, &err), -ESTALE);
        kit_spill(path, bytes, n); /* "yesterday's backup" */
        check_eq(store_commit(store, &r, 1, &err), -ESTALE);
        free(bytes);
        end();
}

/* ---- streams ------------------------------------------------------------------------------- */

TEST(a_stream_shows_one_moment)
{
        struct entry_iter *it, *later;
        const struct entry *e;

        begin();
        kit_do(store, kit_file("a", 1), kit_file("b", 1), kit_file("c", 1));
        check_eq(store_known_iter(store, &it, NULL), 0);
        kit_do(store, kit_file("d", 1)); /* before the first next(): shown */
        check_eq(entry_iter_next(it, &e), 1);
        kit_do(store, kit_on(RECORD_FORGET, "b"), kit_file("e", 1), kit_meta("m", "1"));
        check_eq(store_known_iter(store, &later, NULL), 0);
        check_str(kit_list(later), "a c d e");
        check_str(kit_list(it), "b c d");
        kit_check_totals(store);
        end();
}

TEST(a_stream_may_be_left_early)
{
        struct entry_iter *it;
        const struct entry *e;

        begin();
        kit_do(store, kit_file("a", 1), kit_file("b", 1));
        check_eq(store_known_iter(store, &it, NULL), 0);
        store_iter_destroy(it);
        check_eq(store_known_iter(store, &it, NULL), 0);
        check_eq(entry_iter_next(it, &e), 1);
        store_iter_destroy(it);
        check_eq(store_known_iter(store, &it, NULL), 0);
        while (entry_iter_next(it, &e) > 0)
                ;
        check_eq(entry_iter_next(it, &e), 0);
        check_eq(entry_iter_next(it, &e), 0);
        store_iter_destroy(it);
        store_iter_destroy(NULL);
        end();
}

static off_t log_size(void)
{
        char path[512];
        struct stat st;

        kit_path(&scratch, "state.db-wal", path);
        return stat(path, &st) < 0 ? 0 : st.st_size;
}

/* Rows that fill pages, so that the log grows. */
static void fill_log(int commits)
{
        enum { EACH = 500 };
        static struct record r[EACH];
        static char keys[EACH][32];
        static int round;

        for (int c = 0; c < commits; c++, round++) {
                for (int i = 0; i < EACH; i++) {
                        snprintf(keys[i], sizeof(keys[i]), "%d-%05d", i % 7, round * EACH + i);
                        r[i] = kit_file(keys[i], 1);
                }
                kit_commit(store, r, EACH);
        }
}

TEST(the_log_does_not_grow_for_ever)
{
        struct entry_iter *it;
        const struct entry *e;
        off_t alone, held;

        begin();
        fill_log(100);
        alone = log_size();
        check(alone > 0 && alone < 8 << 20);
        check_eq(store_known_iter(store, &it, NULL), 0);
        check_eq(entry_iter_next(it, &e), 1);
        fill_log(100);
        held = log_size();
        check(held > alone);
        store_iter_destroy(it);
        fill_log(100);
        check(log_size() <= held);
        kit_check_totals(store);
        end();
}

/* Each view must be one that a commit has left: a count, and that many rows. */
static void *read_views(void *stop)
{
        while (!atomic_load((atomic_bool *)stop)) {
                struct entry_iter *it;
                const struct entry *e;
                uint64_t n = 0, told = 0;
                int r;

                check_eq(store_known_iter(store, &it, NULL), 0);
                while ((r = entry_iter_next(it, &e)) > 0)
                        told = n++ == 0 ? e->size : told;
                check_eq(r, 0);
                check_eq(n, told);
                store_iter_destroy(it);
        }
        return NULL;
}

TEST(two_threads_read_while_one_writes)
{
        atomic_bool stop = false;
        pthread_t readers[2];

        begin();
        kit_do(store, kit_file("!", 1));
        for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
                require(pthread_create(&readers[i], NULL, read_views, &stop) == 0);
        for (unsigned i = 0; i < 300; i++) {
                char key[32];

                snprintf(key, sizeof(key), "%05u", i * 7919 % 1000);
                kit_do(store, kit_file(key, 1), kit_file("!", i + 2));
        }
        atomic_store(&stop, true);
        for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
                pthread_join(readers[i], NULL);
        kit_check_totals(store);
        end();
}

/* ---- read-only ----------------------------------------------------------------------------- */

TEST(reading_only_makes_no_snapshot)
{
        struct store *none;
        char path[512];
        struct err err;

        scratch_init(&scratch);
        kit_path(&scratch, NULL, path);
        check_eq(store_open(&none, path, STORE_READ_ONLY, &err), -ENOENT);
        scratch_dir(&scratch, "state");
        check_eq(store_open(&none, path, STORE_READ_ONLY, &err), -ENOENT);
        check_eq(file_mode("state.db"), 0);
        check_eq(file_mode("lock"), 0);
        scratch_finish(&scratch);
}

TEST(reading_only_works_beside_a_writer)
{
        struct record r = kit_file("x", 1);
        struct store *reader;
        struct entry_iter *it;
        const struct entry *e;
        struct err err;

        begin();
        kit_do(store, kit_dir("a"), kit_unverified("a/b", 1), kit_meta("m", "1"));
        reader = kit_open_read_only(&scratch);
        check_str(kit_keys(reader), "a a/b");
        kit_check_totals(reader);
        check_eq(store_known_iter(reader, &it, NULL), 0);
        check_eq(entry_iter_next(it, &e), 1);
        kit_do(store, kit_file("c", 1));
        fill_log(20);
        kit_do(store, kit_on(RECORD_FORGET_TREE, ""), kit_file("d", 1));
        check_str(kit_list(it), "a/b");
        check_str(kit_keys(reader), "d");
        check_str(kit_children(reader, ""), "d");
        check_eq(store_commit(reader, &r, 1, &err), -EROFS);
        store_close(reader);
        kit_do(store, kit_file("e", 1));
        end();
}

/* As somebody who may read the folder and not write to it. */
static void read_as_nobody(const void *want)
{
        struct store *reader;

        scratch_be_nobody();
        reader = kit_open_read_only(&scratch);
        check_str(kit_keys(reader), want);
        kit_check_totals(reader);
        store_close(reader);
}

static void open_for_all(void)
{
        static const char *const files[] = {"state/state.db", "state/state.db-wal",
                                            "state/state.db-shm"};

        for (size_t i = 0; i < ARRAY_SIZE(files); i++)
                if (faccessat(scratch.fd, files[i], F_OK, 0) == 0)
                        scratch_mode(&scratch, files[i], 0644);
        scratch_mode(&scratch, "state", 0555);
}

TEST(reading_only_works_in_a_read_only_folder)
{
        begin();
        kit_do(store, kit_file("a", 1));
        store_close(store);
        open_for_all();
        scratch_child(read_as_nobody, "a");
        scratch_mode(&scratch, "state", 0755);
        store = kit_open(&scratch);
        end();
}

TEST(reading_only_works_in_a_read_only_folder_beside_a_writer)
{
        begin();
        kit_do(store, kit_file("a", 1));
        open_for_all();
        scratch_child(read_as_nobody, "a");
        kit_do(store, kit_file("b", 1));
        scratch_child(read_as_nobody, "a b");
        scratch_mode(&scratch, "state", 0755);
        end();
}

/* ---- for people ---------------------------------------------------------------------------- */

static int take_paths(void *text, int n, char **values, char **names _unused_)
{
        check_eq(n, 6);
        strcat(text, values[0]);
        strcat(text, ";");
        return 0;
}

TEST(a_view_shows_paths)
{
        char path[512], text[256] = "";
        sqlite3 *db;

        begin();
        kit_do(store, kit_dir(""), kit_dir("Ж"), kit_dir("Ж/б"), kit_file("Ж/б/00/7 z", 5),
               kit_file("P\x30/\x33", 2));
        kit_path(&scratch, "state.db", path);
        check_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
        check_eq(sqlite3_exec(db, "SELECT * FROM readable", take_paths, text, NULL), SQLITE_OK);
        check_str(text, ";P0/3;Ж;Ж/б;Ж/б/00/7 z;");
        sqlite3_close(db);
        end();
}

/* ---- against a model ----------------------------------------------------------------------- */

enum { MODEL_MAX = 64 };

struct model {
        char key[MODEL_MAX][16];
        struct record row[MODEL_MAX];
        size_t n;
};

static void model_remove(struct model *m, size_t i)
{
        m->n--;
        memmove(&m->key[i], &m->key[i + 1], (m->n - i) * sizeof(*m->key));
        memmove(&m->row[i], &m->row[i + 1], (m->n - i) * sizeof(*m->row));
}

static void model_put(struct model *m, const struct record *r)
{
        size_t i = 0;

        while (i < m->n && entry_key_cmp(m->key[i], r->entry.key) < 0)
                i++;
        if (i == m->n || strcmp(m->key[i], r->entry.key) != 0) {
                memmove(&m->key[i + 1], &m->key[i], (m->n - i) * sizeof(*m->key));
                memmove(&m->row[i + 1], &m->row[i], (m->n - i) * sizeof(*m->row));
                m->n++;
                snprintf(m->key[i], sizeof(m->key[i]), "%s", r->entry.key);
        }
        m->row[i] = *r;
}

static void model_apply(struct model *m, const struct record *r)
{
        const char *key = r->entry.key;

        if (r->verb == RECORD_ROW) {
                model_put(m, r);
                return;
        }
        for (size_t i = 0; i < m->n;) {
                bool self = strcmp(m->key[i], key) == 0;

                if (r->verb == RECORD_VERIFIED) {
                        if (self && m->row[i].entry.size == r->entry.size &&
                            m->row[i].entry.has_md5 == r->entry.has_md5)
                                m->row[i].entry.flags = 0;
                        i++;
                } else if (self || (r->verb == RECORD_FORGET_TREE &&
                                    entry_key_below(m->key[i], key))) {
                        model_remove(m, i);
                } else {
                        i++;
                }
        }
}

static void model_compare(const struct model *m)
{
        struct entry_iter *it;
        const struct entry *e;
        size_t i = 0;
        int r;

        check_eq(store_known_iter(store, &it, NULL), 0);
        for (; (r = entry_iter_next(it, &e)) > 0; i++) {
                require(i < m->n);
                check_str(e->key, m->key[i]);
                check(kit_entry_eq(e, &m->row[i].entry));
        }
        check_eq(r, 0);
        check_eq(i, m->n);
        store_iter_destroy(it);
}

static void model_compare_children(const struct model *m, const char *key)
{
        struct entry_list l = {0};
        size_t k = 0;

        check_eq(store_children(store, key, &l, NULL), 0);
        for (size_t i = 0; i < m->n; i++)
                if (*m->key[i] && entry_key_below(m->key[i], key) &&
                    entry_key_parent(m->key[i]) == strlen(key)) {
                        require(k < l.n);
                        check_str(l.items[k++].key, m->key[i]);
                }
        check_eq(k, l.n);
        entry_list_finish(&l);
}

static const char *random_key(void)
{
        static const char *const names[] = {"a", "b", "a!", "ab"};
        static char ring[8][16];
        static unsigned turn;
        char *key = ring[turn++ % ARRAY_SIZE(ring)];
        int depth = rand() % 3;

        strcpy(key, names[rand() % 4]);
        for (int i = 0; i < depth; i++) {
                strcat(key, "/");
                strcat(key, names[rand() % 3]);
        }
        return key;
}

TEST(any_sequence_gives_what_a_list_would)
{
        static const enum record_verb verbs[] = {RECORD_ROW, RECORD_ROW, RECORD_ROW, RECORD_ROW,
                                                 RECORD_FORGET, RECORD_FORGET_TREE,
                                                 RECORD_VERIFIED};
        static struct model m;
        struct record r[8];

        srand(1);
        begin();
        for (int round = 0; round < 400 && !check_failed; round++) {
                size_t n = 1 + (size_t)rand() % ARRAY_SIZE(r);

                for (size_t i = 0; i < n; i++) {
                        const char *key = random_key();

                        r[i] = rand() % 4 ? kit_unverified(key, (uint64_t)(rand() % 3))
                                          : kit_dir(key);
                        r[i].verb = verbs[(size_t)rand() % ARRAY_SIZE(verbs)];
                        if (r[i].verb == RECORD_ROW && rand() % 2)
                                r[i].entry.flags = 0;
                        if (m.n + 1 == MODEL_MAX && r[i].verb == RECORD_ROW)
                                r[i].verb = RECORD_FORGET;
                        model_apply(&m, &r[i]);
                }
                kit_commit(store, r, n);
                model_compare(&m);
                model_compare_children(&m, round % 2 ? "a" : "");
                kit_check_totals(store);
                if (round % 50 == 0)
                        reopen();
        }
        end();
}

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}
