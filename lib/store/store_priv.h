/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the files of the store share.
 *
 *      store.c         the life of the files: lock, create, open, check, close, set aside
 *      store_db.c      one connection: settings, statements, errors as sentences
 *      store_row.c     keys and rows to and from SQLite; here hostile rows are stopped
 *      store_tally.c   how many rows there must be
 *      store_commit.c  one batch of records
 *      store_copy.c    a second one that is alike
 *      store_iter.c    the streams
 *      store_query.c   the small questions
 *
 * Why counts and checksums: SQLite notices broken pages, not changed bytes, and a row that is gone
 * without a trace would look like a file that was never sent.  With a checksum in each row, keys
 * that must ascend and counts that must come out, a pass over the tree proves itself; so nothing
 * but the small tables is checked when the snapshot is opened, however large it is.
 */

#include "lib/base/str.h"
#include "lib/store/store.h"

#include <sqlite3.h>
#include <stdatomic.h>

#define STORE_FILE "state.db"
#define STORE_APPLICATION_ID 0x79647379
#define STORE_VERSION 2
#define STORE_CHECKPOINT_PAGES 1000 /* carry the log over each time it has grown by so many */

extern const char store_schema[];

/* ---- store_db.c ---------------------------------------------------------------------------- */

enum store_how {
        STORE_DB_WRITE,     /* the writing side */
        STORE_DB_READ,      /* a reader beside it; may carry the log over into the database */
        STORE_DB_READ_ONLY, /* beside another program */
        STORE_DB_IMMUTABLE, /* nobody can write, nor can we: no log, no locks */
};

enum store_stmt {
        STMT_BEGIN,
        STMT_BEGIN_WRITE,
        STMT_COMMIT,
        STMT_ROLLBACK,
        STMT_META_GET,
        STMT_META_ALL,
        STMT_META_NEW,
        STMT_META_SET,
        STMT_META_FORGET,
        STMT_ENTRY_ALL,
        STMT_ENTRY_GET,
        STMT_ENTRY_RANGE,
        STMT_ENTRY_FROM,
        STMT_ENTRY_AFTER,
        STMT_ENTRY_COUNT,
        STMT_ENTRY_NEW,
        STMT_ENTRY_SET,
        STMT_ENTRY_FORGET,
        STMT_ENTRY_FORGET_RANGE,
        STMT_ENTRY_UNVERIFIED,
        STMT_INTENT_ALL,
        STMT_INTENT_BELOW,
        STMT_INTENT_NEW,
        STMT_INTENT_SET,
        STMT_INTENT_FORGET,
        STMT_DOUBT_ALL,
        STMT_DOUBT_NEW,
        STMT_DOUBT_SET,
        STMT_DOUBT_FORGET,
        STMT_DOUBT_FORGET_RANGE,
        STMT_REMOTE_ALL,
        STMT_REMOTE_NEW,
        STMT_REMOTE_SET,
        STMT_REMOTE_CLEAR,
        STMT_COUNT,
};

struct store_db {
        sqlite3 *sqlite;
        char *path;                      /* for sentences */
        sqlite3_stmt *stmts[STMT_COUNT]; /* each prepared when first asked for */
};

int store_db_open(struct store_db *db, const char *path, enum store_how how, struct err *err);
/* Leaves the log (-wal) to the next one who opens, unless `tidy`. */
void store_db_close(struct store_db *db, bool tidy);

/* The statement, ready for binding; give it back with _cleanup_(store_db_resetp). */
int store_db_stmt(struct store_db *db, enum store_stmt id, sqlite3_stmt **ret, struct err *err);
void store_db_resetp(sqlite3_stmt **stmt);

/* The one number that a statement gives. */
int store_db_number(struct store_db *db, const char *sql, int64_t *ret, struct err *err);
/* The fact of that name, malloced; NULL: none. */
int store_meta_read(struct store_db *db, const char *name, char **ret, struct err *err);
/* Makes sure of the write-ahead log. */
int store_db_wal(struct store_db *db, struct err *err);

/* 1: a row is there; 0: the end; negative errno. */
int store_db_step(struct store_db *db, sqlite3_stmt *stmt, struct err *err);
/* For statements without parameters and without rows. */
int store_db_do(struct store_db *db, enum store_stmt id, struct err *err);
/* STMT_BEGIN or STMT_BEGIN_WRITE. */
int store_db_begin(struct store_db *db, enum store_stmt id, struct err *err);
/* Ends an open transaction by undoing it; does nothing when there is none. */
void store_db_rollback(struct store_db *db);

/* What a result code of SQLite means to us: a negative errno and its sentence. */
int store_db_fail(struct store_db *db, int rc, struct err *err);
/* -EUCLEAN and "the snapshot PATH is damaged: WHY". */
int store_db_damaged(struct store_db *db, struct err *err, const char *fmt, ...) _printf_(3, 4);

/* ---- store_row.c --------------------------------------------------------------------------- */

#define STORE_STR_MAX (1 << 20) /* the longest key or value that SQLite is allowed to hand out */
#define STORE_META_MAX (64 << 10)

/* Becomes part of the checksum: a row of one table is not a row of another. */
enum store_table {
        STORE_META = 'm',
        STORE_ENTRY = 'e',
        STORE_INTENT = 'i',
        STORE_DOUBT = 'd',
        STORE_REMOTE = 'r',
};

/* The last row read. */
struct store_row {
        struct entry entry; /* entry.key points into `key` */
        struct str key;
        struct str raw; /* the key as it stands in the database */
};
#define STORE_ROW_NULL                                                                             \
        ((struct store_row){.key = STR_NULL(STORE_STR_MAX), .raw = STR_NULL(STORE_STR_MAX)})
void store_row_finish(struct store_row *row);

/*
 * Takes the columns key, kind, unverified, racy, size, mtime_ns, ctime_ns, ino, dev, md5, sum of
 * the row that `stmt` stands on.  Its key must come after that of the row read before into `row`
 * (store_row_restart() forgets that one).  -EUCLEAN when anything cannot be right.
 */
int store_row_read(struct store_db *db, sqlite3_stmt *stmt, enum store_table table,
                   struct store_row *row, struct err *err);
void store_row_restart(struct store_row *row);

/* Binds them in that order from ?1 on; `raw` is entry's key and stays alive until the reset. */
int store_row_bind(struct store_db *db, sqlite3_stmt *stmt, enum store_table table,
                   const struct entry *entry, const struct str *raw, struct err *err);

/* NULL, or half a sentence that says why this cannot be a row, or a key. */
const char *store_row_unfit(const struct entry *entry);
const char *store_key_unfit(const char *key);

/* key <-> BLOB: '/' as 00.  store_key_range() gives the bounds of what is below `key`. */
int store_key_encode(struct str *ret, const char *key, struct err *err);
int store_key_range(struct str *ret_first, struct str *ret_end, const char *key, struct err *err);
/* A key from column 0, checked. */
int store_key_read(struct store_db *db, sqlite3_stmt *stmt, int column, struct str *ret,
                   struct err *err);

int store_bind_str(struct store_db *db, sqlite3_stmt *stmt, int at, const struct str *blob,
                   struct err *err);
int store_bind_text(struct store_db *db, sqlite3_stmt *stmt, int at, const char *text,
                    struct err *err);
int store_bind_int(struct store_db *db, sqlite3_stmt *stmt, int at, int64_t value,
                   struct err *err);

/* A text column, checked to be one and to hold no 00; NULL when it is not. */
const char *store_column_text(sqlite3_stmt *stmt, int column);

/* Takes the columns key, wire, size, when_ms, sum of the row that `stmt` stands on, checked; both
 * texts of *ret are malloced, one may be NULL after -ENOMEM.  `key`: scratch. */
int store_intent_read(struct store_db *db, sqlite3_stmt *stmt, struct str *key, struct intent *ret,
                      struct err *err);

/* Signed, because then SQLite needs four bytes for them and not six. */
int32_t store_meta_sum(const char *name, const char *value);
int32_t store_intent_sum(const char *wire, const struct str *raw, uint64_t size, int64_t when_ms);
/* Of a doubt without its key. */
int32_t store_doubt_sum(const struct doubt *doubt, const struct str *raw);

/* NULL, or half a sentence that says why this cannot be a doubt. */
const char *store_doubt_unfit(const struct doubt *doubt);

/* ---- store_tally.c ------------------------------------------------------------------------- */

enum tally {
        TALLY_FILES,
        TALLY_DIRS,
        TALLY_BYTES,
        TALLY_UNVERIFIED,
        TALLY_REMOTE,
        TALLY_INTENTS,
        TALLY_META, /* rows of meta, without the tally's own */
        TALLY_DOUBTS, /* since version 2 */
        TALLY_COUNT,
};

struct store_tally {
        int64_t n[TALLY_COUNT];
};

#define STORE_TALLY_NAME "store.tally"

int store_tally_read(struct store_db *db, struct store_tally *ret, struct err *err);
/* `fresh`: there is none yet. */
int store_tally_write(struct store_db *db, const struct store_tally *tally, bool fresh,
                      struct err *err);
/* Adds (sign 1) or takes away (-1) a row of `entry`; false when the bytes overflow. */
bool store_tally_entry(struct store_tally *tally, const struct entry *entry, int sign);

/* ---- store.c ------------------------------------------------------------------------------- */

struct store {
        struct store_db db;  /* the writing side; in a read-only store all questions but streams */
        enum store_how how;  /* of `db` */
        char *path;          /* of state.db, absolute */
        int lock_fd;
        uint64_t dev, ino;   /* of state.db when it was opened */
        atomic_int broken;   /* errno after which nothing more is written; 0 while all is well */
        int log_pages;       /* in the log after the last commit */
        int checkpoint_at;   /* carry the log over when it has this many */
};

/* Whether state.db is still the file that was opened: 0 or -ESTALE. */
int store_still_there(struct store *s, struct err *err);

/* Carries the log over into the database, as far as readers allow; returns the pages left in it.
 * A failure does not undo what was committed, but it may end the writing (see `broken`). */
int store_checkpoint(struct store *s, struct store_db *db);

/* Keeps in mind that the disk has failed, if that is what `r` says; returns `r`. */
int store_note(struct store *s, int r);
