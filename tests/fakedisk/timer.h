/* SPDX-License-Identifier: MIT */
#pragma once

/* One thread that calls functions at given times, so that no handler ever sleeps. */

#include <stdint.h>

struct timers;

typedef void timer_fn(void *arg);

struct timers *timer_create_thread(void);

/*
 * Calls fn(arg) in the timer's thread at `at_us` (monotonic), or at once in the calling thread
 * when the timers have been stopped.
 */
void timer_add(struct timers *t, int64_t at_us, timer_fn *fn, void *arg);

/* Calls everything that is waiting, now, and ends the thread. */
void timer_stop(struct timers *t);

void timer_destroy(struct timers *t);
