/* SPDX-License-Identifier: MIT */

#include "lib/core/backoff.h"

static int64_t backoff_jitter(int64_t first, int64_t most, unsigned attempt, uint32_t random)
{
        int64_t delay = first;

        for (unsigned i = 1; i < attempt && delay < most; i++)
                delay *= 2;
        if (delay > most)
                delay = most;
        return delay / 2 + (int64_t)((uint64_t)random * (uint64_t)(delay / 2) >> 32);
}

int64_t backoff_ms(unsigned attempt, int64_t hint_ms, uint32_t random)
{
        int64_t own = backoff_jitter(BACKOFF_FIRST_MS, BACKOFF_MOST_MS, attempt, random);

        if (hint_ms > BACKOFF_HINT_MOST_MS)
                hint_ms = BACKOFF_HINT_MOST_MS;
        return hint_ms > own ? hint_ms : own;
}

int64_t backoff_locked_ms(unsigned attempt, uint32_t random)
{
        return backoff_jitter(200, 5000, attempt, random);
}
