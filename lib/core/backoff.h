/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How long to wait before the next try.
 *
 * Doubling from BACKOFF_FIRST_MS to BACKOFF_MOST_MS, half of it random, so that many clients (and
 * our own transfers) do not come back in step.  What the server asked for (Retry-After) wins over
 * our figure when it is longer, up to BACKOFF_HINT_MOST_MS: a server that says "in thirty years"
 * must not stop us until a restart.
 */

#include <stdint.h>

#define BACKOFF_FIRST_MS 500
#define BACKOFF_MOST_MS 60000
#define BACKOFF_HINT_MOST_MS 3600000

/* `attempt` counts from 1; `hint_ms` < 0: the server said nothing; `random`: any 32 bits. */
int64_t backoff_ms(unsigned attempt, int64_t hint_ms, uint32_t random);

/* As backoff_ms(), for a resource that another operation holds (423): short waits, since such
 * operations take seconds. */
int64_t backoff_locked_ms(unsigned attempt, uint32_t random);
