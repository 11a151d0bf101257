/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How many requests may go out at time t: a token bucket that learns from refusals.
 *
 * Tokens come at `rate` a second up to `burst`.  A 429 (or an unreachable server) closes the gate
 * until a given time and halves the rate; every PACE_RECOVER_MS without a refusal adds a tenth of
 * the configured rate back: additive increase, multiplicative decrease, the rule of TCP (RFC 5681).
 * Time is given in, in ms of any steady clock.
 */

#include <stdbool.h>
#include <stdint.h>

#define PACE_RECOVER_MS 2000

struct pace {
        double rate_max;    /* configured, a second; 0 = no limit */
        double rate;        /* now */
        double burst;       /* most tokens that can gather */
        double tokens;
        int64_t at_ms;      /* when `tokens` was right */
        int64_t closed_ms;  /* nothing goes before this */
        int64_t grown_ms;   /* when the rate last changed */
};

void pace_init(struct pace *p, double rate, double burst, int64_t now_ms);

/* Another configured rate; what was learnt from refusals, and a closed gate, stay. */
void pace_change(struct pace *p, double rate, double burst, int64_t now_ms);

/* Takes n tokens and returns 0, or takes nothing and returns the ms after which to ask again. */
int64_t pace_take(struct pace *p, double n, int64_t now_ms);

/* The server said "too many": closed for `wait_ms`, then at half the rate. */
void pace_refused(struct pace *p, int64_t now_ms, int64_t wait_ms);

/* Nothing gets through anyway: closed for `wait_ms`; the rate stays. */
void pace_close(struct pace *p, int64_t now_ms, int64_t wait_ms);
