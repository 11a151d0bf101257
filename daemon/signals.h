/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the program is told by signals, from its first moment to its last.
 *
 *   SIGTERM, SIGINT   end, and well; whatever does not let it end is left behind after four seconds
 *   SIGHUP            `run` only: look at the folder now
 *
 * A signal that comes before the loop turns is kept for it; one that comes after it is only noted.
 */

#include <stdbool.h>
#include <uv.h>

enum signals_word {
        SIGNALS_END = 1 << 0,
        SIGNALS_LOOK = 1 << 1,
};

/* From here on nothing of the above kills.  `daemon`: also SIGHUP, and SIGUSR1 and SIGUSR2, which
 * mean nothing.  Negative errno. */
int signals_begin(bool daemon);

/* Back to what the system does with them: for commands that are over at once. */
void signals_leave(void);

/* `heard` comes from the loop, with what was said since the last time (enum signals_word). */
int signals_watch(uv_loop_t *loop, void (*heard)(void *userdata, unsigned words), void *userdata);
void signals_unwatch(void);
