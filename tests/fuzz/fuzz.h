/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the fuzz targets share.  A target is one function that is given bytes, any bytes, and must
 * come back: with nothing read or written out of bounds, nothing leaked, and every `must` true.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* What holds whatever the bytes are; the fuzzer keeps the input for which it does not. */
#define must(cond)                                                                                 \
        do {                                                                                       \
                if (!(cond)) {                                                                     \
                        fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #cond);       \
                        abort();                                                                   \
                }                                                                                  \
        } while (0)

/* The input, taken piece by piece.  Behind its end everything is 0 and empty. */
struct input {
        const uint8_t *at;
        size_t left;
};

static inline uint8_t input_byte(struct input *in)
{
        if (in->left == 0)
                return 0;
        in->left--;
        return *in->at++;
}

static inline uint32_t input_u32(struct input *in)
{
        uint32_t n = 0;

        for (int i = 0; i < 4; i++)
                n = n << 8 | input_byte(in);
        return n;
}

static inline uint64_t input_u64(struct input *in)
{
        uint64_t high = input_u32(in);

        return high << 32 | input_u32(in);
}

/* The next `n` bytes, or as many as there are, as a string of its own; a NUL ends it early. */
static inline char *input_string(struct input *in, size_t n)
{
        char *s;

        if (n > in->left)
                n = in->left;
        s = calloc(1, n + 1);
        must(s);
        if (n > 0)
                memcpy(s, in->at, n);
        in->at += n;
        in->left -= n;
        return s;
}

/* Everything up to `end` (which is taken, too) or the last byte. */
static inline char *input_until(struct input *in, char end)
{
        const uint8_t *hit = in->left ? memchr(in->at, end, in->left) : NULL;
        size_t n = hit ? (size_t)(hit - in->at) : in->left;
        char *s = input_string(in, n);

        if (hit)
                input_byte(in);
        return s;
}
