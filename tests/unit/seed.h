/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Tests that are played many times, each time from a number.
 *
 * $SEEDS says how many numbers are played (the caller knows a default that takes a moment), $SEED=N
 * plays N alone.  The first number with a failed check ends the run and is printed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seed {
        uint64_t number;
        uint64_t state;
        const uint8_t *bytes; /* come first, each as a number of its own (tests/fuzz) */
        size_t n_bytes;
};

void seed_run(unsigned count, void (*play)(struct seed *s));

uint64_t seed_next(struct seed *s);
unsigned seed_below(struct seed *s, unsigned n); /* 0 to n - 1 */
bool seed_chance(struct seed *s, unsigned percent);
