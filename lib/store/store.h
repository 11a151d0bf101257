/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The snapshot: what we know to stand in the cloud because we put it there or recognised it.
 *
 * A SQLite database `state.db` in the state folder, WAL, synchronous=FULL: a commit that returned 0
 * survives a power cut.  `lock` beside it keeps a second program out.  What an older version of
 * ydsync has written is kept, and brought up to this one's when it is opened for writing.
 *
 * A row is checked when it is read (checksum, order), a whole pass also against the number of rows
 * there must be; what does not hold is -EUCLEAN, never a wrong row.
 *
 * Threads: calls are blocking.  Each iterator reads through a connection of its own and may be used
 * by one thread at a time, beside everything else.  All other calls are the writing side: one
 * thread at a time.  store_close() comes after the last store_iter_destroy().
 */

#include "lib/base/err.h"
#include "lib/core/entry.h"
#include "lib/core/entry_iter.h"
#include "lib/core/record.h"

#include <stdint.h>

struct store;

enum store_flag {
        STORE_READ_ONLY = 1 << 0, /* for `plan` while a daemon may run: takes no lock, makes
                                     no snapshot (SQLite may put an empty -wal and -shm beside
                                     one); -ENOENT when there is none */
};

/*
 * Opens or creates the snapshot in the folder `dir` (which is created, mode 0700, when only its
 * last component is missing).
 *
 *   -EBUSY    another ydsync uses this state (the sentence names its pid)
 *   -EUCLEAN  the file is damaged or no database: store_set_aside() makes room for a new one
 *   -ENOTSUP  written by a newer version of ydsync
 *   other     what the system said (EACCES, ENOSPC, EROFS, EIO …)
 */
int store_open(struct store **ret, const char *dir, unsigned flags, struct err *err);
void store_close(struct store *s);
DEFINE_CLEANUP(struct store *, store_close)

/* Makes a snapshot in the folder `dir`, which has none, that is as this one is now, and opens it for
 * writing.  This one may be open for reading only. */
int store_copy(struct store *s, const char *dir, struct store **ret, struct err *err);

/*
 * Renames a damaged state.db (with -wal, -shm) to state.db.damaged-TIME.  On success err->code is 0
 * and err->text says "the damaged snapshot is kept as NAME".  -EBUSY as above, -ENOENT when there
 * is nothing to rename.
 */
int store_set_aside(const char *dir, struct err *err);

/*
 * Small facts by name ("root.ino", "adopted", …; those that begin with "store." are the store's
 * own).  *ret is malloced, NULL when there is none.
 */
int store_meta_get(struct store *s, const char *name, char **ret, struct err *err);

struct store_fact {
        char *name, *value;
};
/* Those whose names begin with `prefix` (writing side); *ret is one malloced block, free it with
 * store_facts_free(). */
int store_facts(struct store *s, const char *prefix, struct store_fact **ret, size_t *ret_n,
                struct err *err);
void store_facts_free(struct store_fact *facts, size_t n);

/*
 * All or nothing, durable on return.  Strings are only read during the call.
 *
 * A row is a file or a folder with a key that entry_key_unfit() lets pass, or the watched folder
 * itself (""); folders have size 0.  `err` is not kept, of a RECORD_REMOTE neither flags nor stamp.
 * RECORD_INTENT replaces one of the same wire name, RECORD_DOUBT one of the same key.
 *
 *   -EINVAL   a record cannot be right (the sentence says which); nothing was tried
 *   -ENOSPC   the disk is full; a later commit may succeed
 *   -EBUSY    another program (a person's sqlite3) has held the database locked for 2 s
 *   -EIO      the disk failed: from now on every commit fails.  What was to be written may be there
 *             after the next store_open(), or not
 *   -ESTALE   state.db was removed or replaced: close and open again
 *   -EUCLEAN  damaged
 *   -EROFS    opened with STORE_READ_ONLY
 */
int store_commit(struct store *s, const struct record *records, size_t n, struct err *err);

/*
 * Every known entry in tree order, as of the first next(); end it with store_iter_destroy().
 * `flags` of the entries: ENTRY_UNVERIFIED, ENTRY_RACY.  Missing rows show only at the end, as
 * -EUCLEAN, and not at all after a seek().  As long as a view is held the log on disk grows with every commit.
 */
int store_known_iter(struct store *s, struct entry_iter **ret, struct err *err);
/* The same over the `remote` table. */
int store_remote_iter(struct store *s, struct entry_iter **ret, struct err *err);
/* After next() returned a negative errno: the sentence for it. */
void store_iter_err(const struct entry_iter *it, struct err *ret);
void store_iter_destroy(struct entry_iter *it);

/* The rows right below the folder `key`, in tree order (writing side). */
int store_children(struct store *s, const char *key, struct entry_list *ret, struct err *err);

/* At most `max` rows of one kind, in tree order: those that come after the key `after`, which need
 * not be there any more; NULL: from the beginning (writing side). */
int store_next(struct store *s, enum kind kind, const char *after, size_t max,
               struct entry_list *ret, struct err *err);

/* 1 and the row of `key` (its own `key` is NULL then), or 0 when there is none (writing side). */
int store_get(struct store *s, const char *key, struct entry *ret, struct err *err);

/* How many rows there are below the folder `key` (writing side). */
int store_below(struct store *s, const char *key, uint64_t *ret, struct err *err);

/* Folders with rows right below that are ENTRY_UNVERIFIED, at most `max`, each once, keys only
 * (writing side). */
int store_unverified(struct store *s, size_t max, struct entry_list *ret, struct err *err);

struct intent {
        char *wire;         /* name under which it went up, in the folder of `key` */
        char *key;          /* the file it is for */
        uint64_t size;
        int64_t when_ms;
};
/* All intents, oldest first (writing side); *ret is one malloced block, free it with
 * store_intents_free(). */
int store_intents(struct store *s, struct intent **ret, size_t *ret_n, struct err *err);
void store_intents_free(struct intent *intents, size_t n);

/* What was about to change in the cloud when ydsync ended, or was tried in vain. */
struct doubt {
        char *key;
        enum kind kind;     /* what it was to become: KIND_FILE, KIND_DIR, or KIND_NONE: nothing */
        uint64_t size;      /* of a file, … */
        uint8_t md5[16];    /* … and of its content */
        int64_t when_ms;    /* of the request, wall clock since 1970 */
        bool looked;        /* it was looked at since, and that has not settled it */
};
/* All of them in tree order (writing side), one malloced block; store_doubts_free() frees it. */
int store_doubts(struct store *s, struct doubt **ret, size_t *ret_n, struct err *err);
void store_doubts_free(struct doubt *doubts, size_t n);

struct store_totals {
        uint64_t files, dirs, bytes, unverified;
};
int store_totals(struct store *s, struct store_totals *ret, struct err *err);
