/* SPDX-License-Identifier: MIT */

/*
 * The reader of the snapshot, given a state.db that somebody has been at: bytes changed, cut off, a
 * log beside it; or rows with any values at all and checksums that are right.  Whatever comes out
 * is a row that could be one, in order, and as many as were counted; or there is a sentence.
 */

#include "lib/base/str.h"
#include "lib/store/store_priv.h"
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char folder[] = "snapshot"; /* in the folder that the runner has made for us */
static char *whole;      /* the bytes of a snapshot in good health */
static size_t whole_len;

/* ---- a snapshot in good health --------------------------------------------------------------- */

static const char *path_of(const char *name)
{
        static char path[128];

        snprintf(path, sizeof(path), "%s/%s", folder, name);
        return path;
}

static void remove_files(void)
{
        static const char *const names[] = {"state.db", "state.db-wal", "state.db-shm",
                                            "state.db-journal", "lock"};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                unlink(path_of(names[i]));
}

static void remove_all(void)
{
        remove_files();
        rmdir(folder);
}

static void fill(struct store *s)
{
        static const char wire[] = "ydsync-upload-00000000000000000000000a";
        static const char *const keys[] = {"", "a", "a/b", "a/b/c", "a/d", "e", "\xd1\x8f.txt"};
        struct record records[16] = {
                {.verb = RECORD_INTENT, .wire = wire, .when_ms = 5, .entry = {.key = "a/z"}},
                {.verb = RECORD_META, .name = "root.ino", .value = "12"},
                {.verb = RECORD_REMOTE, .entry = {.key = "r", .kind = KIND_DIR}},
                {.verb = RECORD_DOUBT, .when_ms = 6, .entry = {.key = "a/q"}},
                {.verb = RECORD_DOUBT,
                 .when_ms = 7,
                 .entry = {.key = "a/b/p", .kind = KIND_FILE, .size = 5, .has_md5 = true}},
        };
        size_t n = 5;
        struct err err = ERR_NONE;

        for (size_t i = 0; i < ARRAY_SIZE(keys); i++, n++) {
                bool dir = i < 3;

                records[n] = (struct record){
                        .verb = RECORD_ROW,
                        .entry = {.key = keys[i],
                                  .kind = dir ? KIND_DIR : KIND_FILE,
                                  .flags = i % 2 ? ENTRY_UNVERIFIED : 0,
                                  .size = dir ? 0 : 1000 + i,
                                  .stamp = {.mtime_ns = 7, .ctime_ns = 8, .ino = 9 + i},
                                  .has_md5 = !dir}};
        }
        must(store_commit(s, records, n, &err) == 0);
}

static void read_whole(void)
{
        struct stat st;
        int fd = open(path_of("state.db"), O_RDONLY | O_CLOEXEC);

        must(fd >= 0 && fstat(fd, &st) == 0);
        whole_len = (size_t)st.st_size;
        whole = malloc(whole_len);
        must(whole && read(fd, whole, whole_len) == st.st_size);
        close(fd);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
        struct store *s = NULL;
        struct err err = ERR_NONE;

        (void)argc, (void)argv;
        atexit(remove_all);
        must(store_open(&s, folder, 0, &err) == 0);
        fill(s);
        store_close(s);
        read_whole();
        return 0;
}

/* ---- somebody has been at it ----------------------------------------------------------------- */

static void write_file(const char *name, const void *bytes, size_t n)
{
        int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        must(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
        close(fd);
}

/* Bytes over bytes, then perhaps an end that is not there, then perhaps a log. */
static void damage_bytes(struct input *in)
{
        char *bytes = malloc(whole_len);
        size_t n = whole_len;
        uint8_t how = input_byte(in);

        must(bytes);
        memcpy(bytes, whole, whole_len);
        for (int i = how & 15; i > 0; i--) {
                size_t at = (input_byte(in) << 8 | input_byte(in)) % whole_len;

                for (int left = input_byte(in) % 16 + 1; left > 0 && at < whole_len; left--)
                        bytes[at++] = (char)input_byte(in);
        }
        if (how & 16)
                n = input_u32(in) % (whole_len + 1);
        write_file("state.db", bytes, n);
        if (how & 32)
                write_file("state.db-wal", in->at, in->left);
        free(bytes);
}

static void run_sql(sqlite3 *db, const char *sql)
{
        must(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
}

/* Binds the values, which may be of any kind; then `sum`; what SQLite itself refuses is no row. */
static void insert_row(sqlite3 *db, const char *sql, sqlite3_stmt **ret)
{
        must(sqlite3_prepare_v2(db, sql, -1, ret, NULL) == SQLITE_OK);
}

static void finish_row(sqlite3_stmt *stmt)
{
        sqlite3_step(stmt);
        sqlite3_finalize(stmt);
}

/* A row whose checksum is right, written by the store's own hand. */
static void damage_entry(sqlite3 *sqlite, struct input *in)
{
        struct store_db db = {.sqlite = sqlite, .path = (char *)"fuzz"};
        uint8_t how = input_byte(in), n_key = input_byte(in);
        bool remote = how & 1;
        char *key = input_string(in, n_key % 64);
        struct str raw = STR_NULL(STORE_STR_MAX);
        struct err err = ERR_NONE;
        sqlite3_stmt *stmt;
        struct entry e = {.key = key,
                          .kind = (enum kind)(how >> 1 & 3),
                          .flags = how >> 3 & 7,
                          .has_md5 = how & 64,
                          .size = input_u64(in),
                          .stamp = {.mtime_ns = (int64_t)input_u64(in),
                                    .ctime_ns = input_byte(in),
                                    .ino = input_byte(in),
                                    .dev = input_byte(in)}};

        memset(e.md5, input_byte(in), sizeof(e.md5));
        str_adds(&raw, key);
        for (size_t i = 0; i < raw.len; i++)
                if (raw.s[i] == '/')
                        raw.s[i] = '\0';
        if (raw.len == 0)
                str_add(&raw, "", 0);
        insert_row(sqlite,
                   remote ? "INSERT OR REPLACE INTO remote VALUES (?1, ?2, ?5, ?10, ?11)"
                          : "INSERT OR REPLACE INTO entry"
                            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                   &stmt);
        if (store_row_bind(&db, stmt, remote ? STORE_REMOTE : STORE_ENTRY, &e, &raw, &err) == 0) {
                if (how & 128) /* and now it is not right */
                        sqlite3_bind_int64(stmt, 11, input_byte(in));
                sqlite3_step(stmt);
        }
        sqlite3_finalize(stmt);
        str_finish(&raw);
        free(key);
}

static void damage_intent(sqlite3 *sqlite, struct input *in)
{
        uint8_t n_wire = input_byte(in), n_key = input_byte(in);
        char *wire = input_string(in, n_wire % 64), *key = input_string(in, n_key % 64);
        uint64_t size = input_u64(in);
        struct str raw = STR_NULL(STORE_STR_MAX);
        sqlite3_stmt *stmt;

        str_adds(&raw, key);
        insert_row(sqlite, "INSERT OR REPLACE INTO intent VALUES (?1, ?2, ?3, ?4, ?5)", &stmt);
        sqlite3_bind_text(stmt, 1, wire, -1, SQLITE_TRANSIENT);
        sqlite3_bind_blob(stmt, 2, str_z(&raw), (int)raw.len, SQLITE_TRANSIENT);
        sqlite3_bind_int64(stmt, 3, (sqlite3_int64)size);
        sqlite3_bind_int64(stmt, 4, 77);
        sqlite3_bind_int64(stmt, 5, store_intent_sum(wire, &raw, size, 77));
        finish_row(stmt);
        str_finish(&raw);
        free(wire);
        free(key);
}

static void damage_doubt(sqlite3 *sqlite, struct input *in)
{
        uint8_t how = input_byte(in), n_key = input_byte(in);
        char *key = input_string(in, n_key % 64);
        struct doubt d = {.kind = (enum kind)(how & 3),
                          .looked = how & 4,
                          .size = how & 8 ? input_u64(in) : 0,
                          .when_ms = 78};
        struct str raw = STR_NULL(STORE_STR_MAX);
        sqlite3_stmt *stmt;

        str_adds(&raw, key);
        insert_row(sqlite, "INSERT OR REPLACE INTO doubt VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                   &stmt);
        sqlite3_bind_blob(stmt, 1, str_z(&raw), (int)raw.len, SQLITE_TRANSIENT);
        sqlite3_bind_int64(stmt, 2, d.kind);
        sqlite3_bind_int64(stmt, 3, d.looked);
        sqlite3_bind_int64(stmt, 4, (sqlite3_int64)d.size);
        sqlite3_bind_int64(stmt, 5, d.when_ms);
        if (how & 16)
                sqlite3_bind_blob(stmt, 6, d.md5, how & 32 ? 3 : sizeof(d.md5), SQLITE_TRANSIENT);
        sqlite3_bind_int64(stmt, 7, how & 64 ? 0 : store_doubt_sum(&d, &raw));
        finish_row(stmt);
        str_finish(&raw);
        free(key);
}

/* Among others the count of all rows, "store.tally". */
static void damage_meta(sqlite3 *sqlite, struct input *in)
{
        uint8_t which = input_byte(in), n_value = input_byte(in);
        char *value = input_string(in, n_value % 128);
        const char *name = which & 1 ? STORE_TALLY_NAME : "root.ino";
        sqlite3_stmt *stmt;

        insert_row(sqlite, "INSERT OR REPLACE INTO meta VALUES (?1, ?2, ?3)", &stmt);
        sqlite3_bind_text(stmt, 1, name, -1, SQLITE_TRANSIENT);
        sqlite3_bind_text(stmt, 2, value, -1, SQLITE_TRANSIENT);
        sqlite3_bind_int64(stmt, 3, store_meta_sum(name, value));
        finish_row(stmt);
        free(value);
}

/* The count as it ought to be, so that the rows themselves are looked at. */
static void mend_tally(sqlite3 *sqlite)
{
        struct store_db db = {.path = (char *)"fuzz"};
        struct store_tally tally = {0};
        struct err err = ERR_NONE;
        static const char *const sql[TALLY_COUNT] = {
                [TALLY_FILES] = "SELECT count(*) FROM entry WHERE kind = 1",
                [TALLY_DIRS] = "SELECT count(*) FROM entry WHERE kind = 2 AND length(key) > 0",
                [TALLY_BYTES] = "SELECT coalesce(total(size), 0) FROM entry WHERE kind = 1",
                [TALLY_UNVERIFIED] = "SELECT count(*) FROM entry WHERE unverified = 1",
                [TALLY_REMOTE] = "SELECT count(*) FROM remote",
                [TALLY_INTENTS] = "SELECT count(*) FROM intent",
                [TALLY_META] = "SELECT count(*) - 1 FROM meta",
                [TALLY_DOUBTS] = "SELECT count(*) FROM doubt",
        };

        db.sqlite = sqlite;
        for (size_t i = 0; i < TALLY_COUNT; i++)
                must(store_db_number(&db, sql[i], &tally.n[i], &err) == 0);
        (void)store_tally_write(&db, &tally, false, &err);
        for (size_t i = 0; i < STMT_COUNT; i++)
                sqlite3_finalize(db.stmts[i]);
}

static void damage_rows(struct input *in)
{
        uint8_t how = input_byte(in);
        sqlite3 *db = NULL;

        write_file("state.db", whole, whole_len);
        must(sqlite3_open(path_of("state.db"), &db) == SQLITE_OK);
        run_sql(db, "PRAGMA ignore_check_constraints = ON; PRAGMA synchronous = OFF; BEGIN");
        for (int i = how & 7; i > 0; i--) {
                uint8_t table = input_byte(in) % 5;

                if (table == 0)
                        damage_intent(db, in);
                else if (table == 4)
                        damage_doubt(db, in);
                else if (table == 1)
                        damage_meta(db, in);
                else
                        damage_entry(db, in);
        }
        if (how & 8)
                mend_tally(db);
        run_sql(db, "COMMIT");
        must(sqlite3_close(db) == SQLITE_OK);
}

/* ---- what is read ---------------------------------------------------------------------------- */

static void check_row(const struct entry *e)
{
        must(!store_row_unfit(e));
        must(e->kind == KIND_FILE || e->kind == KIND_DIR);
        must(!(e->flags & ~(unsigned)(ENTRY_UNVERIFIED | ENTRY_RACY)));
        must(e->err == 0 && e->size <= INT64_MAX);
}

/* Reads a stream to its end; returns its last word. */
static int read_all(struct entry_iter *it, uint64_t *ret_files, uint64_t *ret_dirs)
{
        struct str before = STR_NULL(STORE_STR_MAX);
        const struct entry *e;
        struct err err = ERR_NONE;
        bool first = true;
        int r;

        *ret_files = *ret_dirs = 0;
        while ((r = entry_iter_next(it, &e)) > 0) {
                check_row(e);
                must(first || entry_key_cmp(str_z(&before), e->key) < 0);
                first = false;
                str_clear(&before);
                str_adds(&before, e->key);
                *ret_files += e->kind == KIND_FILE;
                *ret_dirs += e->kind == KIND_DIR;
        }
        store_iter_err(it, &err);
        must(r == 0 || err.text[0]);
        store_iter_destroy(it);
        str_finish(&before);
        return r;
}

static void read_streams(struct store *s)
{
        struct store_totals totals;
        struct entry_iter *it;
        struct err err = ERR_NONE;
        uint64_t files, dirs;

        if (store_known_iter(s, &it, &err) == 0 && read_all(it, &files, &dirs) == 0 &&
            store_totals(s, &totals, &err) == 0)
                must(files == totals.files);
        if (store_remote_iter(s, &it, &err) == 0)
                read_all(it, &files, &dirs);
}

static void read_children(struct store *s, const char *key)
{
        struct entry_list list = {0};
        struct err err = ERR_NONE;

        if (store_children(s, key, &list, &err) < 0)
                must(err.text[0]);
        for (size_t i = 0; i < list.n; i++) {
                check_row(&list.items[i]);
                must(entry_key_below(list.items[i].key, key));
                must(entry_key_parent(list.items[i].key) == strlen(key));
        }
        entry_list_finish(&list);
}

static void read_questions(struct store *s)
{
        struct entry_list list = {0};
        struct intent *intents = NULL;
        struct doubt *doubts = NULL;
        struct err err = ERR_NONE;
        char *value = NULL;
        size_t n = 0;

        if (store_unverified(s, 3, &list, &err) < 0)
                must(err.text[0]);
        must(list.n <= 3);
        for (size_t i = 0; i < list.n; i++)
                must(*list.items[i].key == '\0' || !entry_key_unfit(list.items[i].key));
        entry_list_finish(&list);
        if (store_intents(s, &intents, &n, &err) < 0)
                must(err.text[0] && n == 0);
        for (size_t i = 0; i < n; i++)
                must(!strchr(intents[i].wire, '/') && !entry_key_unfit(intents[i].wire) &&
                     !entry_key_unfit(intents[i].key));
        store_intents_free(intents, n);
        n = 0;
        if (store_doubts(s, &doubts, &n, &err) < 0)
                must(err.text[0] && n == 0);
        for (size_t i = 0; i < n; i++)
                must(!entry_key_unfit(doubts[i].key) && !store_doubt_unfit(&doubts[i]));
        store_doubts_free(doubts, n);
        if (store_meta_get(s, "root.ino", &value, &err) < 0)
                must(err.text[0] && !value);
        free(value);
}

static void write_one(struct store *s)
{
        struct record records[] = {
                {.verb = RECORD_ROW, .entry = {.key = "a/new", .kind = KIND_FILE, .size = 1}},
                {.verb = RECORD_FORGET_TREE, .entry = {.key = "a/b"}},
        };
        struct err err = ERR_NONE;

        if (store_commit(s, records, ARRAY_SIZE(records), &err) < 0)
                must(err.text[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        uint8_t how = input_byte(&in);
        struct store *s = NULL;
        struct err err = ERR_NONE;

        remove_files();
        if (how & 1)
                damage_rows(&in);
        else
                damage_bytes(&in);
        if (store_open(&s, folder, how & 2 ? 0 : STORE_READ_ONLY, &err) < 0) {
                must(!s && err.text[0]);
                return 0;
        }
        read_streams(s);
        read_children(s, "");
        read_children(s, "a");
        read_questions(s);
        if (how & 4) {
                write_one(s);
                read_streams(s);
        }
        store_close(s);
        return 0;
}
