/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What files hold.  Equal bytes are kept once, below DIR/objects/xx/ by their digest.  Everything
 * here may be called from any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "digest.h"

struct store;

struct content {
        struct content *next;   /* in its bucket; the store's */
        uint32_t refs;          /* the store's */
        bool kept;              /* false: the bytes were thrown away */
        bool has_sha256;        /* false: nobody wanted it */
        int64_t size;           /* bytes */
        uint8_t md5[16];        /* also the name by which store_find() knows it */
        uint8_t sha256[32];     /* zeros without has_sha256 */
};

/*
 * `dir` is created; with `keep` false bodies are hashed and thrown away.  Returns 0 or a negative
 * errno.
 */
int store_create(const char *dir, bool keep, struct store **ret);

/* No body and no content may be in use any more; `remove` deletes what is in the directory. */
void store_destroy(struct store *s, bool remove);

struct content *store_ref(struct store *s, struct content *c);

/* The file behind it goes with the last reference. */
void store_unref(struct store *s, struct content *c);

/* A new reference to the content with this md5, NULL when there is none. */
struct content *store_find(struct store *s, const uint8_t md5[16]);

/* Opens the bytes for reading: a file descriptor or a negative errno. */
int store_open(struct store *s, const struct content *c);

/* The rest is for body.c. */

/* What computes digests, and whether bytes are kept at all. */
struct digest_helper *store_helper(struct store *s);
bool store_keeps(const struct store *s);

/* Opens a new temporary file for writing: a file descriptor or a negative errno. */
int store_open_tmp(struct store *s, char ret_name[40]);
void store_remove_tmp(struct store *s, const char *name);

/*
 * Makes the temporary file `tmp` (NULL if bytes are not kept) the bytes of a content that is
 * described by `c`, and returns a reference to it; if there is an equal one already, to that.
 * Takes over `c` and the file in any case.  NULL when the file could not be put into its place.
 */
struct content *store_enter(struct store *s, struct content *c, const char *tmp);
