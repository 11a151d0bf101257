/* SPDX-License-Identifier: MIT */

/*
 * An average that forgets by halves would need exp(3); t / (t + T) is as good for looks that come
 * every second or so, and never more than 1 for those that come late.
 */

#include "lib/core/speed.h"

#define SPEED_MEMORY_MS 10000
#define SPEED_MOST 1e18
#define SPEED_LEAST_MS 100 /* looks that follow one another more closely say too little */

void speed_note(struct speed *s, uint64_t bytes, int64_t now_ms)
{
        int64_t ms = now_ms - s->at_ms;
        double share = (double)ms / (double)(ms + SPEED_MEMORY_MS);

        if (!s->begun || ms < 0 || bytes < s->bytes) {
                *s = (struct speed){.begun = true, .at_ms = now_ms, .bytes = bytes};
                return;
        }
        if (ms < SPEED_LEAST_MS)
                return;
        s->rate += share * ((double)(bytes - s->bytes) * 1000 / (double)ms - s->rate);
        s->weight += share * (1 - s->weight);
        s->at_ms = now_ms;
        s->bytes = bytes;
}

/* What was not seen yet is taken to be like what was. */
uint64_t speed_rate(const struct speed *s)
{
        double rate = s->weight > 0 ? s->rate / s->weight + 0.5 : 0;

        return rate < SPEED_MOST ? (uint64_t)rate : (uint64_t)SPEED_MOST;
}

int64_t speed_eta_ms(const struct speed *s, uint64_t left)
{
        double rate = (double)speed_rate(s), ms;

        if (left == 0)
                return 0;
        if (rate < 1)
                return -1;
        ms = (double)left * 1000 / rate;
        return ms < 1e15 ? (int64_t)ms : -1;
}
