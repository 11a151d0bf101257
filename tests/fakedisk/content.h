/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What files hold.  Equal bytes are kept once, below DIR/objects/xx/ by their digest.  A body is
 * content that is still arriving.  Everything here may be called from any thread; one body belongs
 * to one thread at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;
struct body;

struct content {
        struct content *next;   /* in its bucket; the store's */
        uint32_t refs;          /* the store's */
        bool kept;              /* false: the bytes were thrown away */
        bool has_sha256;        /* false: nobody wanted it */
        int64_t size;           /* bytes */
        uint8_t md5[16];        /* also the name by which content_find() knows it */
        uint8_t sha256[32];     /* zeros without has_sha256 */
};

/*
 * `dir` is created; with `keep` false bodies are hashed and thrown away.  Returns 0 or a negative
 * errno.
 */
int store_create(const char *dir, bool keep, struct store **ret);

/* No body and no content may be in use any more; `remove` deletes what is in the directory. */
void store_destroy(struct store *s, bool remove);

struct content *content_ref(struct store *s, struct content *c);

/* The file behind it goes with the last reference. */
void content_unref(struct store *s, struct content *c);

/* A new reference to the content with this md5, NULL when there is none. */
struct content *content_find(struct store *s, const uint8_t md5[16]);

/* Opens the bytes for reading: a file descriptor or a negative errno. */
int content_open(struct store *s, const struct content *c);

struct body *body_create(struct store *s, bool want_sha256);

/* Gives it up; whatever arrived is removed. */
void body_destroy(struct body *b);

/* 0 or a negative errno of the disk underneath. */
int body_write(struct body *b, const void *bytes, size_t n);

int64_t body_size(const struct body *b);

/* Before the first byte: turns it over, so that what is stored is not what was sent. */
void body_corrupt(struct body *b);

/*
 * The whole body is there: destroys `b` and returns a reference to the content, or NULL when it
 * could not be kept.
 */
struct content *body_commit(struct body *b);
