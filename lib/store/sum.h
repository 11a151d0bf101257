/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A 32-bit checksum against bit rot and our own mistakes, not against an adversary.
 *
 * Eight bytes a step, and each step is a bijection: a change within one word always changes the
 * 64-bit state.  The result does not depend on the byte order of the machine.
 */

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Fold a number, or bytes with their length, into `state`; it starts as anything but the same for
 * things that must not be taken for each other. */
static inline void sum_int(uint64_t *state, uint64_t word)
{
        uint64_t h = (*state ^ word) * UINT64_C(0x9e3779b97f4a7c15);

        *state = h ^ h >> 29;
}

static inline void sum_bytes(uint64_t *state, const void *bytes, size_t n)
{
        const uint8_t *p = bytes;
        uint64_t word;

        sum_int(state, n);
        for (; n >= sizeof(word); n -= sizeof(word), p += sizeof(word)) {
                memcpy(&word, p, sizeof(word));
                sum_int(state, le64toh(word));
        }
        if (n > 0) {
                word = 0;
                memcpy(&word, p, n);
                sum_int(state, le64toh(word));
        }
}

static inline uint32_t sum_end(uint64_t state)
{
        return (uint32_t)(state ^ state >> 32);
}
