/* SPDX-License-Identifier: MIT */
#pragma once

/* Content that is still arriving.  A body belongs to one thread at a time. */

#include "store.h"

struct body;

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
