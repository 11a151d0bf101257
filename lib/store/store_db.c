/* SPDX-License-Identifier: MIT */

/*
 * One connection to SQLite: how it is set up, its statements, and what its errors mean.
 *
 * Nothing outside the store sees a result code of SQLite.  All that says "this file is not what we
 * wrote" becomes EUCLEAN, because there is one remedy for all of it: a new snapshot.
 */

#include "lib/store/store_priv.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define BUSY_MS 2000          /* longer than any commit of ours, shorter than a watchdog */
#define STATEMENT_MAX 100000  /* bytes of SQL; ours are far shorter */

#define ROW "key, kind, unverified, racy, size, mtime_ns, ctime_ns, ino, dev, md5, sum"
#define REMOTE_ROW "key, kind, 0, 0, size, 0, 0, 0, 0, md5, sum"

/* _NEW does nothing when the row is there already: sqlite3_changes() tells, and then comes _SET. */
static const char *const store_sql[STMT_COUNT] = {
        [STMT_BEGIN] = "BEGIN",
        [STMT_BEGIN_WRITE] = "BEGIN IMMEDIATE",
        [STMT_COMMIT] = "COMMIT",
        [STMT_ROLLBACK] = "ROLLBACK",
        [STMT_META_GET] = "SELECT value, sum FROM meta WHERE name = ?1",
        [STMT_META_ALL] = "SELECT value, sum, name FROM meta",
        [STMT_META_NEW] = "INSERT INTO meta VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        [STMT_META_SET] = "UPDATE meta SET value = ?2, sum = ?3 WHERE name = ?1",
        [STMT_META_FORGET] = "DELETE FROM meta WHERE name = ?1",
        [STMT_ENTRY_ALL] = "SELECT " ROW " FROM entry ORDER BY key",
        [STMT_ENTRY_GET] = "SELECT " ROW " FROM entry WHERE key = ?1",
        [STMT_ENTRY_RANGE] = "SELECT " ROW " FROM entry WHERE key >= ?1 AND key < ?2 ORDER BY key",
        [STMT_ENTRY_FROM] = "SELECT " ROW " FROM entry WHERE key >= ?1 ORDER BY key",
        [STMT_ENTRY_AFTER] = "SELECT " ROW " FROM entry WHERE key > ?1 ORDER BY key",
        [STMT_ENTRY_COUNT] = "SELECT count(*) FROM entry WHERE key >= ?1 AND key < ?2",
        [STMT_ENTRY_NEW] = "INSERT INTO entry VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
                           " ON CONFLICT DO NOTHING",
        [STMT_ENTRY_SET] = "UPDATE entry SET kind = ?2, unverified = ?3, racy = ?4, size = ?5,"
                           " mtime_ns = ?6, ctime_ns = ?7, ino = ?8, dev = ?9, md5 = ?10,"
                           " sum = ?11 WHERE key = ?1",
        [STMT_ENTRY_FORGET] = "DELETE FROM entry WHERE key = ?1",
        [STMT_ENTRY_FORGET_RANGE] = "DELETE FROM entry WHERE key >= ?1 AND key < ?2",
        [STMT_ENTRY_UNVERIFIED] = "SELECT " ROW " FROM entry INDEXED BY entry_unverified"
                                  " WHERE unverified = 1 ORDER BY key",
        [STMT_INTENT_ALL] = "SELECT key, wire, size, when_ms, sum FROM intent"
                            " ORDER BY when_ms, wire",
        [STMT_INTENT_BELOW] = "SELECT key, wire, size, when_ms, sum FROM intent"
                              " WHERE key >= ?1 AND key < ?2 LIMIT 1",
        [STMT_INTENT_NEW] = "INSERT INTO intent VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
        [STMT_INTENT_SET] = "UPDATE intent SET key = ?2, size = ?3, when_ms = ?4, sum = ?5"
                            " WHERE wire = ?1",
        [STMT_INTENT_FORGET] = "DELETE FROM intent WHERE wire = ?1",
        [STMT_DOUBT_ALL] = "SELECT key, kind, looked, size, when_ms, md5, sum FROM doubt"
                           " ORDER BY key",
        [STMT_DOUBT_NEW] = "INSERT INTO doubt VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
                           " ON CONFLICT DO NOTHING",
        [STMT_DOUBT_SET] = "UPDATE doubt SET kind = ?2, looked = ?3, size = ?4, when_ms = ?5,"
                           " md5 = ?6, sum = ?7 WHERE key = ?1",
        [STMT_DOUBT_FORGET] = "DELETE FROM doubt WHERE key = ?1",
        [STMT_DOUBT_FORGET_RANGE] = "DELETE FROM doubt WHERE key >= ?1 AND key < ?2",
        [STMT_REMOTE_ALL] = "SELECT " REMOTE_ROW " FROM remote ORDER BY key",
        [STMT_REMOTE_NEW] = "INSERT INTO remote VALUES (?1, ?2, ?5, ?10, ?11)"
                            " ON CONFLICT DO NOTHING",
        [STMT_REMOTE_SET] = "UPDATE remote SET kind = ?2, size = ?5, md5 = ?10, sum = ?11"
                            " WHERE key = ?1",
        [STMT_REMOTE_CLEAR] = "DELETE FROM remote",
};

int store_db_damaged(struct store_db *db, struct err *err, const char *fmt, ...)
{
        char why[512];
        va_list ap;

        /* For want of memory SQLite gives NULL for what is there. */
        if (sqlite3_errcode(db->sqlite) == SQLITE_NOMEM)
                return store_db_fail(db, SQLITE_NOMEM, err);
        va_start(ap, fmt);
        vsnprintf(why, sizeof(why), tr(fmt), ap);
        va_end(ap);
        return err_set(err, EUCLEAN, "the snapshot %s is damaged: %s", db->path, why);
}

/*
 * What the system said when SQLite could not read or write the database or its log; 0 when it said
 * nothing.  Asked of the files, because what sqlite3_system_errno() tells may come from the undoing
 * that followed.
 */
static int store_db_errno(struct store_db *db)
{
        static const int files[] = {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER};
        int code = 0;

        for (size_t i = 0; code == 0 && i < ARRAY_SIZE(files); i++) {
                sqlite3_file *file = NULL;

                sqlite3_file_control(db->sqlite, "main", files[i], &file);
                if (file && file->pMethods)
                        file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &code);
        }
        return code;
}

static int store_db_fail_open(struct store_db *db, struct err *err)
{
        int code = sqlite3_system_errno(db->sqlite);

        return err_errno(err, code ? code : EIO, "cannot open the snapshot %s", db->path);
}

/*
 * After a failed fsync nobody knows what is on the disk, whatever the reason was: EIO.  Otherwise a
 * lack of space heals, and must not end the writing.
 */
static int store_db_fail_io(struct store_db *db, int rc, struct err *err)
{
        int code = store_db_errno(db), hint = sqlite3_system_errno(db->sqlite);

        if (rc == SQLITE_IOERR_NOMEM)
                return err_set(err, ENOMEM, "there is not enough memory for the snapshot %s",
                               db->path);
        if (code == 0 && (hint == ENOSPC || hint == EDQUOT)) /* the file beside the log */
                code = hint;
        if ((code == ENOSPC || code == EDQUOT) && rc != SQLITE_IOERR_FSYNC &&
            rc != SQLITE_IOERR_DIR_FSYNC)
                return err_errno(err, code, "the snapshot %s cannot be written", db->path);
        err_errno(err, code ? code : EIO, "the disk failed under the snapshot %s (%s)", db->path,
                  sqlite3_errstr(rc));
        if (err)
                err->code = EIO;
        return -EIO;
}

/* SQLite takes a read that failed with EIO for a damaged file; but the next disk may be a better
 * one, and the snapshot on it whole. */
static int store_db_fail_damaged(struct store_db *db, struct err *err)
{
        int code = store_db_errno(db);

        if (code == EIO || code == ENXIO)
                return store_db_fail_io(db, SQLITE_IOERR_READ, err);
        return store_db_damaged(db, err, "%s", sqlite3_errmsg(db->sqlite));
}

int store_db_fail(struct store_db *db, int rc, struct err *err)
{
        switch (rc & 0xff) { /* the rest of the bits tell details */
        case SQLITE_NOMEM:
                return err_set(err, ENOMEM, "there is not enough memory for the snapshot %s",
                               db->path);
        case SQLITE_FULL:
                return err_set(err, ENOSPC,
                               "the snapshot %s cannot grow: no space left on its disk", db->path);
        case SQLITE_IOERR:
                return store_db_fail_io(db, rc, err);
        case SQLITE_CANTOPEN:
                return store_db_fail_open(db, err);
        case SQLITE_READONLY:
                return err_set(err, EROFS,
                               "the snapshot %s cannot be written: it, its folder or its file"
                               " system is read-only", db->path);
        case SQLITE_PERM:
        case SQLITE_AUTH:
                return err_set(err, EACCES, "the snapshot %s may not be accessed", db->path);
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_PROTOCOL:
                return err_set(err, EBUSY, "another program holds the snapshot %s locked",
                               db->path);
        case SQLITE_MISUSE:
        case SQLITE_RANGE:
                return err_set(err, EINVAL, "the snapshot %s was asked wrongly: %s", db->path,
                               sqlite3_errmsg(db->sqlite));
        default:
                return store_db_fail_damaged(db, err);
        }
}

/* "file:/a%3fb?immutable=1" */
static char *store_db_uri(const char *path)
{
        _cleanup_(str_finish) struct str uri = STR_NULL(STORE_STR_MAX);

        str_adds(&uri, "file:");
        for (; *path; path++)
                if (isalnum((unsigned char)*path) || *path == '/' || *path == '.')
                        str_addc(&uri, *path);
                else
                        str_addf(&uri, "%%%02x", (unsigned char)*path);
        str_adds(&uri, "?immutable=1");
        return str_take(&uri);
}

/*
 * The cache is the same however large the tree is.  Nothing is mapped: a failing disk must give an
 * error, not SIGBUS.  cell_size_check and trusted_schema: the file may be hostile.  secure_delete
 * is off because some distributions turn it on, and it writes every freed page once more.
 */
static int store_db_settle(struct store_db *db, enum store_how how, struct err *err)
{
        int rc;

        sqlite3_busy_timeout(db->sqlite, BUSY_MS);
        sqlite3_limit(db->sqlite, SQLITE_LIMIT_LENGTH, STORE_STR_MAX);
        sqlite3_limit(db->sqlite, SQLITE_LIMIT_SQL_LENGTH, STATEMENT_MAX);
        sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        rc = sqlite3_exec(db->sqlite,
                          "PRAGMA trusted_schema = OFF;"
                          "PRAGMA cell_size_check = ON;"
                          "PRAGMA mmap_size = 0;"
                          "PRAGMA temp_store = MEMORY;"
                          "PRAGMA cache_size = -2048;"
                          "PRAGMA secure_delete = OFF;"
                          "PRAGMA synchronous = FULL;"
                          "PRAGMA journal_size_limit = 16777216;",
                          NULL, NULL, NULL);
        if (rc == SQLITE_OK && how != STORE_DB_WRITE)
                rc = sqlite3_exec(db->sqlite, "PRAGMA query_only = ON", NULL, NULL, NULL);
        return rc == SQLITE_OK ? 0 : store_db_fail(db, rc, err);
}

int store_db_open(struct store_db *db, const char *path, enum store_how how, struct err *err)
{
        _cleanup_(freep) char *uri = NULL;
        int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
        int r, rc;

        *db = (struct store_db){.path = strdup(path)};
        if (how == STORE_DB_IMMUTABLE)
                uri = store_db_uri(path);
        if (!db->path || (how == STORE_DB_IMMUTABLE && !uri)) {
                free(db->path);
                return err_set(err, ENOMEM, "there is not enough memory for the snapshot %s", path);
        }
        flags |= how == STORE_DB_WRITE || how == STORE_DB_READ ? SQLITE_OPEN_READWRITE
                                                               : SQLITE_OPEN_READONLY;
        rc = sqlite3_open_v2(uri ? uri : path, &db->sqlite, uri ? flags | SQLITE_OPEN_URI : flags,
                             NULL);
        if (!db->sqlite) /* then it is only memory that can have been missing */
                r = err_set(err, ENOMEM, "there is not enough memory for the snapshot %s", path);
        else if (rc != SQLITE_OK)
                r = store_db_fail(db, rc, err);
        else
                r = store_db_settle(db, how, err);
        if (r < 0)
                store_db_close(db, false);
        return r;
}

void store_db_close(struct store_db *db, bool tidy)
{
        for (size_t i = 0; i < STMT_COUNT; i++)
                sqlite3_finalize(db->stmts[i]);
        if (db->sqlite && tidy)
                sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
        sqlite3_close(db->sqlite);
        free(db->path);
        *db = (struct store_db){0};
}

int store_db_stmt(struct store_db *db, enum store_stmt id, sqlite3_stmt **ret, struct err *err)
{
        if (!db->stmts[id]) {
                int rc = sqlite3_prepare_v3(db->sqlite, store_sql[id], -1,
                                            SQLITE_PREPARE_PERSISTENT, &db->stmts[id], NULL);

                if (rc != SQLITE_OK)
                        return store_db_fail(db, rc, err);
        }
        *ret = db->stmts[id];
        return 0;
}

int store_db_number(struct store_db *db, const char *sql, int64_t *ret, struct err *err)
{
        sqlite3_stmt *stmt = NULL;
        int rc = sqlite3_prepare_v2(db->sqlite, sql, -1, &stmt, NULL);
        int r = rc == SQLITE_OK ? store_db_step(db, stmt, err) : store_db_fail(db, rc, err);

        if (r > 0)
                *ret = sqlite3_column_int64(stmt, 0);
        else if (r == 0)
                r = store_db_damaged(db, err, "it does not answer");
        sqlite3_finalize(stmt);
        return r < 0 ? r : 0;
}

int store_db_wal(struct store_db *db, struct err *err)
{
        sqlite3_stmt *stmt = NULL;
        int rc = sqlite3_prepare_v2(db->sqlite, "PRAGMA journal_mode = WAL", -1, &stmt, NULL);
        int r = rc == SQLITE_OK ? store_db_step(db, stmt, err) : store_db_fail(db, rc, err);
        const char *mode = r > 0 ? store_column_text(stmt, 0) : NULL;

        if (r >= 0 && (!mode || strcmp(mode, "wal") != 0))
                r = err_set(err, ENOSYS,
                            "the file system of %s cannot hold the snapshot (it shares no memory);"
                            " the state folder must be on a local disk", db->path);
        sqlite3_finalize(stmt);
        return r < 0 ? r : 0;
}

void store_db_resetp(sqlite3_stmt **stmt)
{
        if (!*stmt)
                return;
        sqlite3_reset(*stmt); /* its result is that of the last step, which was told already */
        sqlite3_clear_bindings(*stmt);
}

int store_db_step(struct store_db *db, sqlite3_stmt *stmt, struct err *err)
{
        int rc = sqlite3_step(stmt);

        if (rc == SQLITE_ROW)
                return 1;
        return rc == SQLITE_DONE ? 0 : store_db_fail(db, rc, err);
}

int store_db_do(struct store_db *db, enum store_stmt id, struct err *err)
{
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        int r = store_db_stmt(db, id, &stmt, err);

        return r < 0 ? r : store_db_step(db, stmt, err);
}

int store_db_begin(struct store_db *db, enum store_stmt id, struct err *err)
{
        /* The end of the last one may have found no memory. */
        store_db_rollback(db);
        if (!sqlite3_get_autocommit(db->sqlite))
                return store_db_fail(db, SQLITE_NOMEM, err);
        return store_db_do(db, id, err);
}

void store_db_rollback(struct store_db *db)
{
        /* After some errors SQLite has done it by itself. */
        if (!sqlite3_get_autocommit(db->sqlite))
                store_db_do(db, STMT_ROLLBACK, NULL);
}
