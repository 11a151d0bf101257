/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Being told that something changes in the watched folder, so that the next scan need not wait for
 * its period.
 *
 * Only an accelerator: what is told is that something happened, and the scan finds out what.  Where
 * nothing is told (a network file system, too few watches, a queue that overflowed) the periodic scan
 * finds it all the same.
 */

#include "lib/base/err.h"

#include <uv.h>

struct watch;

/* `stirred` comes from the loop, once for many changes. */
int watch_open(struct watch **ret, uv_loop_t *loop, void (*stirred)(void *userdata), void *userdata,
               struct err *err);

/* A folder that is about to be read, whose descriptor this is; from any thread.  It stays watched until
 * it is removed or moved. */
void watch_folder(void *watch, int dir_fd);

/* 1: since the last call some folders could not be watched, and `ret` says why. */
int watch_trouble(struct watch *w, struct err *ret);

/* NULL, or the kind of file system whose changes by others nobody tells of. */
const char *watch_blind(const char *folder);

/* No watch_folder() any more.  It is freed when the loop has turned. */
void watch_close(struct watch *w);
