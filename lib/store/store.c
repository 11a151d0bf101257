/* SPDX-License-Identifier: MIT */

/*
 * The life of the snapshot's files.
 *
 * A new snapshot is made under another name and renamed when it is complete, so that a `state.db`
 * without a schema, or of no length, never is one we were about to make: it is damaged.
 *
 * Opening looks at the schema and the small tables only, which takes the same time for ten rows and
 * for ten million.  `PRAGMA quick_check` would read the whole file and still not notice a changed
 * byte in a row; each pass over the rows does (see store_priv.h), and the first cycle is one.
 */

#include "lib/store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

/* Where a database tells which version may write it, and the highest there is. */
#define STORE_HEADER_WRITE_VERSION 18
#define STORE_WRITE_VERSION_MAX 2

/* What SQLite may have put beside a database. */
static const char *const store_suffixes[] = {"", "-wal", "-shm", "-journal"};

/* ---- the folder ---------------------------------------------------------------------------- */

static int store_sync_dir(const char *dir, const char *below, struct err *err)
{
        _cleanup_(closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(closep) int at = fd < 0 ? -1 : openat(fd, below, O_RDONLY | O_DIRECTORY |
                                                                           O_CLOEXEC);

        /* Some file systems cannot sync a folder; that is their promise to keep, not ours. */
        if (at < 0 || (fsync(at) < 0 && errno != EINVAL))
                return err_errno(err, errno, "cannot write the folder %s to its disk", dir);
        return 0;
}

static int store_make_dir(const char *dir, struct err *err)
{
        if (mkdir(dir, 0700) == 0)
                return store_sync_dir(dir, "..", err);
        if (errno == EEXIST)
                return 0;
        return err_errno(err, errno, "cannot create the state folder %s", dir);
}

/* DIR/state.db, so that it stays true when the program changes its folder. */
static int store_resolve(char **ret, const char *dir, struct err *err)
{
        _cleanup_(freep) char *real = realpath(dir, NULL);

        if (!real)
                return err_errno(err, errno, "cannot find the state folder %s", dir);
        if (asprintf(ret, "%s/" STORE_FILE, real) < 0)
                return err_set(err, ENOMEM, "there is not enough memory for a path");
        return 0;
}

static int store_lock_taken(const char *dir, int fd, struct err *err)
{
        char pid[16] = "";
        ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);
        long number = n > 0 ? strtol(pid, NULL, 10) : 0;

        if (number <= 0)
                return err_set(err, EBUSY, "another ydsync uses the state folder %s", dir);
        return err_set(err, EBUSY, "another ydsync (process %ld) uses the state folder %s", number,
                       dir);
}

/* The lock goes with the descriptor, however the process ends.  The file itself stays. */
static int store_lock(int *ret, const char *dir, struct err *err)
{
        _cleanup_(freep) char *path = NULL;
        _cleanup_(closep) int fd = -1;
        char pid[16];
        int n;

        if (asprintf(&path, "%s/lock", dir) < 0)
                return err_set(err, ENOMEM, "there is not enough memory for a path");
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        if (fd < 0)
                return err_errno(err, errno, "cannot open %s", path);
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                if (errno == EWOULDBLOCK)
                        return store_lock_taken(dir, fd, err);
                return err_errno(err, errno, "cannot lock %s", path);
        }
        /* The pid is for people: a full disk must not keep us from starting. */
        n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
        if (ftruncate(fd, 0) == 0 && pwrite(fd, pid, (size_t)n, 0) < 0)
                errno = 0;
        *ret = TAKE_FD(fd);
        return 0;
}

/* 1: a file is there and may be opened; 0: there is none. */
static int store_look(const char *path, int access_mode, struct err *err)
{
        struct stat st;

        if (lstat(path, &st) < 0)
                return errno == ENOENT ? 0 : err_errno(err, errno, "cannot look at %s", path);
        if (S_ISDIR(st.st_mode))
                return err_set(err, EISDIR, "%s is a folder, where the snapshot should be", path);
        if (!S_ISREG(st.st_mode))
                return err_set(err, EINVAL, "%s is no regular file, where the snapshot should be",
                               path);
        /* Not by opening it: closing it again would drop the locks that SQLite has on it. */
        if (faccessat(AT_FDCWD, path, access_mode, AT_EACCESS) < 0)
                return err_errno(err, errno, "cannot open the snapshot %s", path);
        if (st.st_size == 0)
                return err_set(err, EUCLEAN, "the snapshot %s is damaged: it is empty", path);
        return 1;
}

static int store_remove(const char *path, const char *suffix, struct err *err)
{
        _cleanup_(freep) char *file = NULL;

        if (asprintf(&file, "%s%s", path, suffix) < 0)
                return err_set(err, ENOMEM, "there is not enough memory for a path");
        if (unlink(file) < 0 && errno != ENOENT)
                return err_errno(err, errno, "cannot remove %s", file);
        return 0;
}

/* ---- a new snapshot ------------------------------------------------------------------------ */

static int store_fill(const char *path, struct err *err)
{
        struct store_tally none = {0};
        struct store_db db;
        int r = store_db_open(&db, path, STORE_DB_WRITE, err);

        if (r < 0)
                return r;
        r = store_db_wal(&db, err);
        if (r == 0)
                r = store_db_begin(&db, STMT_BEGIN_WRITE, err);
        if (r == 0) {
                int rc = sqlite3_exec(db.sqlite, store_schema, NULL, NULL, NULL);

                r = rc == SQLITE_OK ? 0 : store_db_fail(&db, rc, err);
        }
        if (r == 0)
                r = store_tally_write(&db, &none, true, err);
        if (r == 0)
                r = store_db_do(&db, STMT_COMMIT, err);
        if (r == 0) { /* closing does this too, but tells nobody when it fails */
                int rc = sqlite3_wal_checkpoint_v2(db.sqlite, "main", SQLITE_CHECKPOINT_TRUNCATE,
                                                   NULL, NULL);

                r = rc == SQLITE_OK ? 0 : store_db_fail(&db, rc, err);
        }
        store_db_close(&db, true);
        return r;
}

static int store_create_at(const char *fresh, struct err *err)
{
        _cleanup_(closep) int fd = -1;
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(store_suffixes); i++) {
                r = store_remove(fresh, store_suffixes[i], err);
                if (r < 0)
                        return r;
        }
        fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                return err_errno(err, errno, "cannot create the snapshot %s", fresh);
        r = store_fill(fresh, err);
        if (r < 0)
                return r;
        if (fsync(fd) < 0)
                return err_errno(err, errno, "cannot write the snapshot %s to its disk", fresh);
        return 0;
}

/* A log left from a snapshot that is gone would be taken for the log of the new one. */
static int store_remove_stale(const char *path, struct err *err)
{
        int r = 0;

        for (size_t i = 1; r == 0 && i < ARRAY_SIZE(store_suffixes); i++)
                r = store_remove(path, store_suffixes[i], err);
        return r;
}

static int store_create(const char *path, const char *dir, struct err *err)
{
        _cleanup_(freep) char *fresh = NULL;
        int r;

        if (asprintf(&fresh, "%s.new", path) < 0)
                return err_set(err, ENOMEM, "there is not enough memory for a path");
        r = store_create_at(fresh, err);
        if (r == 0)
                r = store_remove_stale(path, err);
        if (r < 0)
                return r;
        if (rename(fresh, path) < 0)
                return err_errno(err, errno, "cannot create the snapshot %s", path);
        return store_sync_dir(dir, ".", err);
}

/* ---- is it ours? --------------------------------------------------------------------------- */

static int store_check_ids(struct store_db *db, int64_t *ret_version, struct err *err)
{
        int64_t application, version;
        int r = store_db_number(db, "PRAGMA application_id", &application, err);

        if (r == 0)
                r = store_db_number(db, "PRAGMA user_version", &version, err);
        if (r < 0)
                return r;
        if (application != STORE_APPLICATION_ID)
                return store_db_damaged(db, err, "it is not a database of ydsync");
        if (version > STORE_VERSION)
                return err_set(err, ENOTSUP,
                               "the snapshot %s was written by a newer version of ydsync",
                               db->path);
        if (version < 1)
                return store_db_damaged(db, err, "it has no version");
        *ret_version = version;
        return 0;
}

/* A new, empty database of that version in memory. */
static int store_model(sqlite3 **ret, int64_t version)
{
        int rc = sqlite3_open(":memory:", ret);

        if (rc == SQLITE_OK)
                rc = sqlite3_exec(*ret, store_schema, NULL, NULL, NULL);
        if (rc == SQLITE_OK && version < 2)
                rc = sqlite3_exec(*ret, "DROP TABLE doubt", NULL, NULL, NULL);
        return rc;
}

/* Whether both statements give the same texts. */
static int store_check_same(struct store_db *db, sqlite3_stmt *is, sqlite3_stmt *should,
                            struct err *err)
{
        for (;;) {
                int r = store_db_step(db, is, err);
                int rc = sqlite3_step(should);

                if (r < 0 || (rc != SQLITE_ROW && rc != SQLITE_DONE))
                        return r < 0 ? r : store_db_fail(db, rc, err);
                if ((r > 0) != (rc == SQLITE_ROW))
                        return store_db_damaged(db, err, "its tables are not what they should be");
                if (r == 0)
                        return 0;
                for (int col = 0; col < sqlite3_column_count(should); col++) {
                        const char *a = store_column_text(is, col);
                        const char *b = store_column_text(should, col);

                        if (!b) /* we made that ourselves */
                                return store_db_fail(db, SQLITE_NOMEM, err);
                        if (!a || strcmp(a, b) != 0)
                                return store_db_damaged(db, err,
                                                        "its tables are not what they should be");
                }
        }
}

/* The schema is compared with that of a new database in memory, letter by letter. */
static int store_check_schema(struct store_db *db, int64_t version, struct err *err)
{
        static const char sql[] = "SELECT type, name, tbl_name, sql FROM sqlite_schema"
                                  " WHERE substr(name, 1, 7) <> 'sqlite_' ORDER BY name";
        sqlite3 *model = NULL;
        sqlite3_stmt *is = NULL, *should = NULL;
        int r, rc = store_model(&model, version);

        if (rc == SQLITE_OK)
                rc = sqlite3_prepare_v2(model, sql, -1, &should, NULL);
        if (rc == SQLITE_OK)
                rc = sqlite3_prepare_v2(db->sqlite, sql, -1, &is, NULL);
        r = rc == SQLITE_OK ? store_check_same(db, is, should, err) : store_db_fail(db, rc, err);
        sqlite3_finalize(is);
        sqlite3_finalize(should);
        sqlite3_close(model);
        return r;
}

static int store_check_meta(struct store_db *db, struct err *err)
{
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        struct store_tally tally;
        int64_t rows = -1; /* the tally's own is not counted */
        int r = store_tally_read(db, &tally, err);

        if (r == 0)
                r = store_db_stmt(db, STMT_META_ALL, &stmt, err);
        if (r < 0)
                return r;
        while ((r = store_db_step(db, stmt, err)) > 0) {
                const char *value = store_column_text(stmt, 0);
                const char *name = store_column_text(stmt, 2);

                if (!name || !value || ++rows > tally.n[TALLY_META] ||
                    sqlite3_column_int64(stmt, 1) != store_meta_sum(name, value))
                        return store_db_damaged(db, err, "a fact in it is not what it was");
        }
        if (r == 0 && rows != tally.n[TALLY_META])
                return store_db_damaged(db, err, "facts are missing in it");
        return r;
}

static int store_check(struct store_db *db, int64_t *ret_version, struct err *err)
{
        int r = store_db_begin(db, STMT_BEGIN, err); /* another program may be writing */

        if (r == 0)
                r = store_check_ids(db, ret_version, err);
        if (r == 0)
                r = store_check_schema(db, *ret_version, err);
        if (r == 0)
                r = store_check_meta(db, err);
        store_db_rollback(db);
        return r;
}

/* ---- from an older version ------------------------------------------------------------------ */

/* Carries out the statement that made `table` in the model. */
static int store_add_table(struct store_db *db, sqlite3 *model, const char *table)
{
        sqlite3_stmt *stmt = NULL;
        const char *sql = NULL;
        int rc = sqlite3_prepare_v2(model, "SELECT sql FROM sqlite_schema WHERE name = ?1", -1,
                                    &stmt, NULL);

        if (rc == SQLITE_OK)
                rc = sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC);
        if (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
                sql = store_column_text(stmt, 0);
        if (rc == SQLITE_OK)
                rc = sql ? sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL) : SQLITE_NOMEM;
        sqlite3_finalize(stmt);
        return rc;
}

/* All or nothing: what is there is kept, and what this version has more is added. */
static int store_upgrade(struct store_db *db, struct err *err)
{
        sqlite3 *model = NULL;
        int rc, r = store_db_begin(db, STMT_BEGIN_WRITE, err);

        if (r < 0)
                return r;
        rc = store_model(&model, STORE_VERSION);
        if (rc == SQLITE_OK)
                rc = store_add_table(db, model, "doubt");
        if (rc == SQLITE_OK)
                rc = sqlite3_exec(db->sqlite, "PRAGMA user_version = 2", NULL, NULL, NULL);
        sqlite3_close(model);
        r = rc == SQLITE_OK ? store_db_do(db, STMT_COMMIT, err) : store_db_fail(db, rc, err);
        store_db_rollback(db);
        return r;
}

/* ---- opening ------------------------------------------------------------------------------- */

/* The hook stands in for SQLite's own, which carries the log over too, but hides its failures. */
static int store_on_commit(void *userdata, sqlite3 *sqlite _unused_, const char *name _unused_,
                           int pages)
{
        struct store *s = userdata;

        s->log_pages = pages;
        return SQLITE_OK;
}

/* SQLite falls back to reading when a damaged header asks for it, but also when the file could not be
 * opened for writing. */
static int store_fail_readonly(struct store *s, struct err *err)
{
        sqlite3_file *file = NULL;
        unsigned char version = 0;

        sqlite3_file_control(s->db.sqlite, "main", SQLITE_FCNTL_FILE_POINTER, &file);
        if (file && file->pMethods &&
            file->pMethods->xRead(file, &version, 1, STORE_HEADER_WRITE_VERSION) == SQLITE_OK &&
            version > STORE_WRITE_VERSION_MAX)
                return store_db_damaged(&s->db, err, "it cannot be written");
        return err_set(err, EACCES, "the snapshot %s could be opened for reading only", s->path);
}

static int store_open_db(struct store *s, enum store_how how, struct err *err)
{
        int64_t version = 0;
        struct stat st;
        int r = store_db_open(&s->db, s->path, how, err);

        if (r == 0)
                r = store_check(&s->db, &version, err);
        if (r == 0 && how == STORE_DB_WRITE) {
                if (sqlite3_db_readonly(s->db.sqlite, "main") != 0)
                        r = store_fail_readonly(s, err);
                else
                        r = store_db_wal(&s->db, err);
                if (r == 0 && version < STORE_VERSION)
                        r = store_upgrade(&s->db, err);
        }
        if (r == 0 && stat(s->path, &st) < 0)
                r = err_errno(err, errno, "cannot look at the snapshot %s", s->path);
        if (r < 0) {
                store_db_close(&s->db, false);
                return r;
        }
        sqlite3_wal_hook(s->db.sqlite, store_on_commit, s);
        s->how = how;
        s->dev = st.st_dev;
        s->ino = st.st_ino;
        return 0;
}

static int store_open_writer(struct store *s, const char *dir, struct err *err)
{
        int r = store_make_dir(dir, err);

        if (r == 0)
                r = store_resolve(&s->path, dir, err);
        if (r == 0)
                r = store_lock(&s->lock_fd, dir, err);
        if (r == 0)
                r = store_look(s->path, R_OK | W_OK, err);
        if (r == 0)
                r = store_create(s->path, dir, err);
        return r < 0 ? r : store_open_db(s, STORE_DB_WRITE, err);
}

/* Whether nothing stands in a log; then state.db alone is the whole truth. */
static bool store_has_no_log(const char *path)
{
        _cleanup_(freep) char *wal = NULL;
        struct stat st;

        if (asprintf(&wal, "%s-wal", path) < 0)
                return false;
        return stat(wal, &st) < 0 ? errno == ENOENT : st.st_size == 0;
}

static int store_open_reader(struct store *s, const char *dir, struct err *err)
{
        int r = store_resolve(&s->path, dir, err);

        if (r < 0)
                return r;
        r = store_look(s->path, R_OK, err);
        if (r < 0)
                return r;
        if (r == 0)
                return err_set(err, ENOENT, "there is no snapshot in %s yet", dir);
        r = store_open_db(s, STORE_DB_READ_ONLY, err);
        /* A log, even an empty one, wants a file beside it, which a folder that is read-only for us
         * does not take. */
        if ((r == -EROFS || r == -EACCES || r == -ENOENT) && store_has_no_log(s->path)) {
                r = store_open_db(s, STORE_DB_IMMUTABLE, err);
                if (r == 0 && err)
                        *err = ERR_NONE;
        }
        return r;
}

int store_open(struct store **ret, const char *dir, unsigned flags, struct err *err)
{
        _cleanup_(store_closep) struct store *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return err_set(err, ENOMEM, "there is not enough memory for the snapshot");
        s->lock_fd = -1;
        s->checkpoint_at = STORE_CHECKPOINT_PAGES;
        r = flags & STORE_READ_ONLY ? store_open_reader(s, dir, err)
                                    : store_open_writer(s, dir, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

void store_close(struct store *s)
{
        if (!s)
                return;
        /* After a failure the log is the better witness: the next start reads it. */
        store_db_close(&s->db, s->how == STORE_DB_WRITE && !atomic_load(&s->broken));
        free(s->path);
        if (s->lock_fd >= 0)
                close(s->lock_fd);
        free(s);
}

/* ---- while it is open ---------------------------------------------------------------------- */

int store_still_there(struct store *s, struct err *err)
{
        struct stat st;

        if (stat(s->path, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino)
                return 0;
        return err_set(err, ESTALE,
                       "the snapshot %s was moved, removed or replaced while ydsync was running;"
                       " it must be opened anew", s->path);
}

int store_note(struct store *s, int r)
{
        if (r == -EIO)
                atomic_store(&s->broken, EIO);
        return r;
}

int store_checkpoint(struct store *s, struct store_db *db)
{
        int pages = 0, carried = 0;
        int rc = sqlite3_wal_checkpoint_v2(db->sqlite, "main", SQLITE_CHECKPOINT_PASSIVE, &pages,
                                           &carried);

        if (rc != SQLITE_OK)
                store_note(s, store_db_fail(db, rc, NULL));
        return pages > carried ? pages : 0;
}

/* ---- set aside ----------------------------------------------------------------------------- */

/* "PATH.damaged-20240131T235959Z", a name that is not taken. */
static int store_damaged_name(char **ret, const char *path, struct err *err)
{
        char when[32];
        time_t now = time(NULL);
        struct tm tm;

        strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
        for (int i = 1; i < 1000; i++) {
                _cleanup_(freep) char *name = NULL;
                int n = i == 1 ? asprintf(&name, "%s.damaged-%s", path, when)
                               : asprintf(&name, "%s.damaged-%s-%d", path, when, i);

                if (n < 0)
                        return err_set(err, ENOMEM, "there is not enough memory for a path");
                if (faccessat(AT_FDCWD, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT) {
                        *ret = TAKE_PTR(name);
                        return 0;
                }
        }
        return err_set(err, EEXIST, "there are too many damaged snapshots beside %s", path);
}

static int store_rename(const char *from, const char *to, const char *suffix, struct err *err)
{
        _cleanup_(freep) char *a = NULL, *b = NULL;

        if (asprintf(&a, "%s%s", from, suffix) < 0 || asprintf(&b, "%s%s", to, suffix) < 0)
                return err_set(err, ENOMEM, "there is not enough memory for a path");
        if (rename(a, b) == 0 || (errno == ENOENT && *suffix))
                return 0;
        return err_errno(err, errno, "cannot rename %s to %s", a, b);
}

int store_set_aside(const char *dir, struct err *err)
{
        _cleanup_(freep) char *path = NULL, *name = NULL;
        _cleanup_(closep) int lock_fd = -1;
        int r = store_resolve(&path, dir, err);

        if (r == 0)
                r = store_lock(&lock_fd, dir, err);
        if (r == 0)
                r = store_damaged_name(&name, path, err);
        /* The database first: should we end in between, its log is known to be stale. */
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(store_suffixes); i++)
                r = store_rename(path, name, store_suffixes[i], err);
        if (r == 0)
                r = store_sync_dir(dir, ".", err);
        if (r < 0)
                return r;
        err_set(err, 0, "the damaged snapshot is kept as %s", name);
        return 0;
}
