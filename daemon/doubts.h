/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What earlier runs, or earlier passes, began to change in the cloud and did not come to write down.
 * Before anything is planned on the strength of the snapshot, each is looked at: once when it is
 * first met, and once when the service must have come to its end with it.
 */

#include "daemon/work.h"

struct doubts;

/* Reads them, with the rows they are about; on the pool.  NULL in *ret when there are none. */
int doubts_load(struct doubts **ret, struct store *store, struct err *err);
void doubts_destroy(struct doubts *d);
DEFINE_CLEANUP(struct doubts *, doubts_destroy)

/* Looks at those whose time it is.  `done` comes with the number of those that could not be looked
 * at; it may come before this returns.  All is borrowed until then. */
void doubts_settle(struct doubts *d, struct engine *engine, const struct yadisk *yadisk,
                   struct tally *tally, void (*done)(void *userdata, uint64_t failed),
                   void *userdata);

/* Whether something that was under way may yet come to stand at `key` or below it: then that is not
 * to be removed now, or it would stay and be taken for somebody else's. */
bool doubts_await(const struct doubts *d, const char *key);

/* Whether something else than this may yet come to stand at its key.  What is begun there now would
 * be written down in the place of that, and what was meant first be taken for somebody else's. */
bool doubts_other(const struct doubts *d, const struct entry *becomes);

/* Whether it is not settled what stands at `key`, or there or below. */
bool doubts_open(const struct doubts *d, const char *key);
bool doubts_below(const struct doubts *d, const char *key);
