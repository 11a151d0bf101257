/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A queue of ops on disk: the plan of a million files must not stand in memory.
 *
 * Ops are appended once and then read in the same order, as often as wanted.  The file has no
 * name (O_TMPFILE, or unlinked at once) in the state folder; a crash leaves nothing behind.
 * Blocking calls; one thread at a time.
 */

#include "lib/base/err.h"
#include "lib/core/op.h"

struct spool;

int spool_create(struct spool **ret, const char *dir, struct err *err);
void spool_destroy(struct spool *s);
DEFINE_CLEANUP(struct spool *, spool_destroy)

/* Appends; the op's key is copied.  Buffered: a full disk may show only at spool_rewind(). */
int spool_add(struct spool *s, const struct op *op, struct err *err);

/* Flushes and goes to the beginning; adding is over. */
int spool_rewind(struct spool *s, struct err *err);

/* 1 and the next op (its keys valid until the next call), 0 at the end, or a negative errno. */
int spool_next(struct spool *s, struct op *ret, struct err *err);

uint64_t spool_count(const struct spool *s); /* ops added */
