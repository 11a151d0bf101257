/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the tests of the store share: records in one line, and a snapshot as a text.
 *
 * What "must" succeed ends the program when it does not, with the sentence of the store.
 */

#include "lib/store/store.h"
#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

/* A file whose stamp and digest follow from its size; a folder. */
struct record kit_file(const char *key, uint64_t size);
struct record kit_unverified(const char *key, uint64_t size);
struct record kit_dir(const char *key);
struct record kit_on(enum record_verb verb, const char *key);
struct record kit_meta(const char *name, const char *value);
struct record kit_intent(const char *wire, const char *key, uint64_t size, int64_t when_ms);
/* About to become what the record `r` says, or to go when that says nothing of a kind. */
struct record kit_doubt(struct record r, int64_t when_ms);

/* In the subfolder "state" of the scratch folder; `sub` may be NULL for "state". */
void kit_path(const struct scratch *s, const char *sub, char ret[512]);
struct store *kit_open(const struct scratch *s);
struct store *kit_open_read_only(const struct scratch *s);
void kit_commit(struct store *store, const struct record *records, size_t n);
#define kit_do(store, ...)                                                                         \
        do {                                                                                       \
                struct record _records[] = {__VA_ARGS__};                                          \
                kit_commit((store), _records, sizeof(_records) / sizeof(*_records));               \
        } while (0)

/* "a a/b a!", "." for the watched folder, "!117" for an early end; valid until the next call. */
const char *kit_keys(struct store *store);
const char *kit_remote_keys(struct store *store);
const char *kit_children(struct store *store, const char *key);
const char *kit_unverified_folders(struct store *store, size_t max);
const char *kit_next(struct store *store, enum kind kind, const char *after, size_t max);
const char *kit_list(struct entry_iter *it);

/* Counts the rows and compares the totals with that. */
void kit_check_totals(struct store *store);

/* Finds the row `key`; false when there is none.  The entry's own key is NULL. */
bool kit_find(struct store *store, const char *key, struct entry *ret);

bool kit_entry_eq(const struct entry *a, const struct entry *b);

/* The bytes of a file, malloced, and back. */
char *kit_slurp(const char *path, size_t *ret_n);
void kit_spill(const char *path, const char *bytes, size_t n);

/* SQL behind the store's back. */
void kit_sql(const char *path, const char *sql);
