/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Being told that something changes in the watched folder, so that the next scan need not wait for
 * its period, and need not look at everything.
 *
 * Only an accelerator: what is told is in which folders something happened, and the scan finds out
 * what.  Where nothing is told (a network file system, too few watches), or not all (a queue that
 * overflowed), the periodic scan of everything finds it all the same.
 */

#include "lib/base/err.h"
#include "lib/core/stir.h"

#include <uv.h>

struct watch;

/* `stirred` comes from the loop, once for many changes. */
int watch_open(struct watch **ret, uv_loop_t *loop, void (*stirred)(void *userdata), void *userdata,
               struct err *err);

/* A folder that is about to be read, whose descriptor this is; from any thread.  It stays watched until
 * it is removed or moved. */
void watch_folder(void *watch, const char *key, int dir_fd);

/* Where something has happened since this was called last: is added to `stir`.  What is new, was moved
 * here, or has other patterns or rights is named with all that is below it. */
void watch_take(struct watch *w, struct stir *stir);
/* Whether it is told of single folders, and not of all of them. */
bool watch_knows_where(const struct watch *w);

/* 1: since the last call some folders could not be watched, and `ret` says why. */
int watch_trouble(struct watch *w, struct err *ret);

/* NULL, or the kind of file system whose changes by others nobody tells of. */
const char *watch_blind(const char *folder);

/* No watch_folder() any more.  It is freed when the loop has turned. */
void watch_close(struct watch *w);
