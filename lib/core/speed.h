/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How fast it goes, from a count of bytes that is looked at now and then: an average in which the
 * last ten seconds or so count.  Pure: the clock comes in.
 */

#include <stdbool.h>
#include <stdint.h>

struct speed {
        bool begun;
        int64_t at_ms;     /* the last look … */
        uint64_t bytes;    /* … showed so many */
        double rate;       /* bytes a second */
        double weight;     /* 0 to 1: how much of the average was seen yet */
};

/* The count, which only grows (steady clock). */
void speed_note(struct speed *s, uint64_t bytes, int64_t now_ms);

/* Bytes a second; 0 while nothing is known. */
uint64_t speed_rate(const struct speed *s);

/* Milliseconds until so many bytes have gone; -1: that cannot be told. */
int64_t speed_eta_ms(const struct speed *s, uint64_t left);
