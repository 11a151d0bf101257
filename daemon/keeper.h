/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Keeps the token that `ydsync login` got: renews it in time and when it is refused, and takes up the
 * one of another login while the daemon runs.  What is slow happens on the thread pool.
 */

#include "daemon/config.h"

#include <uv.h>

struct keeper;

/* NULL: no memory.  `config` has a token of `login`; nothing of it needs to stay. */
struct keeper *keeper_create(uv_loop_t *loop, const struct config *config);

/* Good until the next keeper_look(); NULL before the first has found one. */
const char *keeper_token(const struct keeper *k);

enum keeper_end {
        KEEPER_SAME,    /* it is as it was: it could not be renewed now */
        KEEPER_CHANGED, /* keeper_token() is what is in force from now on */
        KEEPER_REFUSED, /* it will not be renewed: somebody must sign in again */
};

/*
 * Looks whether something is to be done before a pass (or, with `refused`, since the token was
 * refused).  False: nothing, go on.  True: `done` is called, now or from the loop.  Says what went
 * wrong.
 */
bool keeper_look(struct keeper *k, bool refused,
                 void (*done)(void *userdata, enum keeper_end end), void *userdata);

/* `done` does not come any more; it is freed when nothing is under way. */
void keeper_close(struct keeper *k);
