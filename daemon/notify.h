/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the service manager is told (sd_notify(3)); nothing happens where there is none.
 */

#include <uv.h>

/* All is verified that a start can verify; also at the end of a reload. */
void notify_ready(void);

/* One line of what goes on; the same again is not sent. */
void notify_status(const char *text);

/* The configuration is being read again; notify_ready() must follow. */
void notify_reloading(void);

void notify_stopping(void);

/* Why it is about to end: a positive errno, and a sentence. */
void notify_failed(int err, const char *text);

/*
 * Feeds the watchdog from the loop, if the manager has set one for this process, twice in the time
 * that it grants.  Each callback of the loop has to return for that: a loop that is stuck in one is
 * found out.  What hangs in a thread of the pool (a disk) is nothing to be shot for.  Negative errno.
 */
int notify_watch(uv_loop_t *loop);
void notify_unwatch(void);
