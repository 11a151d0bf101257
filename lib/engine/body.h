/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The bytes of an upload: read and digested on the thread pool, handed to the network on the loop.
 *
 * Two buffers take turns: while one is being sent, the next is read.  The loop never waits for the
 * disk.  The last bytes of a file are only handed out once the file was found unchanged
 * (source_read()), so what a server receives whole is a state the file really had.
 */

#include "lib/engine/source.h"

#include <uv.h>

struct body;

/*
 * Begins to read.  `ready` is called on the loop, never before this returns, whenever something new
 * is to be had: the first bytes, the bytes after BODY_WAIT, the end, or an error.  `root` and
 * `expected` are only read during the call.
 */
int body_create(struct body **ret, uv_loop_t *loop, const struct source_root *root,
                const struct entry *expected, void (*ready)(void *userdata), void *userdata);

/* `ready` is not called any more; a read under way ends by itself. */
void body_destroy(struct body *b);

#define BODY_WAIT (-1) /* nothing to hand out yet */
#define BODY_ERROR (-2)

/* Up to `size` bytes: their number, 0 at the end, BODY_WAIT or BODY_ERROR. */
ssize_t body_read(struct body *b, void *buffer, size_t size);

bool body_ready(const struct body *b);            /* body_read() would not return BODY_WAIT */
int body_error(const struct body *b);             /* positive errno, 0: none so far */
bool body_whole(const struct body *b);            /* read to its end; the md5 is known */
void body_md5(const struct body *b, uint8_t ret_md5[16]);
int64_t body_began_ns(const struct body *b);      /* wall clock when it was opened */
