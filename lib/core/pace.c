/* SPDX-License-Identifier: MIT */

#include "lib/core/pace.h"

/* A server that refuses everything is still asked this often. */
#define PACE_SLOWEST 0.5

void pace_init(struct pace *p, double rate, double burst, int64_t now_ms)
{
        *p = (struct pace){.rate_max = rate,
                           .rate = rate,
                           .burst = burst < 1 ? 1 : burst,
                           .tokens = burst < 1 ? 1 : burst,
                           .at_ms = now_ms,
                           .grown_ms = now_ms};
}

static void pace_recover(struct pace *p, int64_t now_ms)
{
        while (p->rate < p->rate_max && now_ms - p->grown_ms >= PACE_RECOVER_MS) {
                p->rate += p->rate_max / 10;
                p->grown_ms += PACE_RECOVER_MS;
        }
        if (p->rate >= p->rate_max) {
                p->rate = p->rate_max;
                p->grown_ms = now_ms;
        }
}

static void pace_fill(struct pace *p, int64_t now_ms)
{
        if (now_ms > p->at_ms)
                p->tokens += (double)(now_ms - p->at_ms) / 1000 * p->rate;
        if (p->tokens > p->burst)
                p->tokens = p->burst;
        p->at_ms = now_ms;
}

void pace_change(struct pace *p, double rate, double burst, int64_t now_ms)
{
        struct pace was = *p;

        pace_init(p, rate, burst, now_ms);
        p->closed_ms = was.closed_ms;
        if (was.rate_max <= 0)
                return;
        p->rate = rate * was.rate / was.rate_max;
        p->grown_ms = was.grown_ms;
        if (was.tokens < p->tokens)
                p->tokens = was.tokens;
}

int64_t pace_take(struct pace *p, double n, int64_t now_ms)
{
        if (now_ms < p->closed_ms)
                return p->closed_ms - now_ms;
        if (p->rate_max <= 0)
                return 0;
        pace_recover(p, now_ms);
        pace_fill(p, now_ms);
        /* More than the bucket holds is let through once it is full, and paid for afterwards. */
        if (p->tokens >= n || p->tokens >= p->burst) {
                p->tokens -= n;
                return 0;
        }
        return 1 + (int64_t)(((n < p->burst ? n : p->burst) - p->tokens) / p->rate * 1000);
}

void pace_close(struct pace *p, int64_t now_ms, int64_t wait_ms)
{
        if (now_ms + wait_ms > p->closed_ms)
                p->closed_ms = now_ms + wait_ms;
}

void pace_refused(struct pace *p, int64_t now_ms, int64_t wait_ms)
{
        bool first = now_ms >= p->closed_ms; /* those under way are refused together: count once */

        pace_close(p, now_ms, wait_ms);
        if (!first || p->rate_max <= 0)
                return;
        p->rate /= 2;
        if (p->rate < PACE_SLOWEST)
                p->rate = PACE_SLOWEST < p->rate_max ? PACE_SLOWEST : p->rate_max;
        p->tokens = 0;
        p->at_ms = p->closed_ms;
        p->grown_ms = p->closed_ms;
}
