/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Small things that every file here needs: memory that does not fail, a growing buffer, time,
 * random numbers, hex.  This is a test tool: without memory it aborts.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(a, b) __attribute__((format(printf, a, b), nonnull(a)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define TAKE_PTR(p)                     \
        ({                              \
                __auto_type _t = (p);   \
                (p) = NULL;             \
                _t;                     \
        })

static inline void freep(void *p)
{
        free(*(void **)p);
}

/* Allocation that aborts instead of failing; xcalloc clears. */
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);

/* Text or bytes that grow.  `s` is always terminated once something was added. */
struct buf {
        char *s;        /* owned; NULL while nothing was added */
        size_t len;     /* bytes without the terminator */
        size_t cap;     /* bytes allocated */
};

void buf_finish(struct buf *b);
void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *s, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_int(struct buf *b, int64_t v);
void buf_printf(struct buf *b, const char *format, ...) _printf_(2, 3);
void buf_hex(struct buf *b, const uint8_t *bytes, size_t n);

/* Adds a JSON string with its quotes; non-ASCII stays as it is. */
void buf_json(struct buf *b, const char *s, size_t n);

/* Adds `s` percent-encoded for a query value: space becomes '+', only unreserved bytes stay. */
void buf_query(struct buf *b, const char *s, size_t n);

/* Adds a time as 2024-07-11T18:02:06+00:00. */
void buf_time(struct buf *b, int64_t epoch_s);

int64_t now_mono_us(void);      /* CLOCK_MONOTONIC, microseconds */
int64_t now_real_us(void);      /* CLOCK_REALTIME, microseconds */

/* splitmix64: one word of state, good enough to shuffle and to name things. */
struct rng {
        uint64_t state;
};

uint64_t rng_next(struct rng *r);
uint32_t rng_below(struct rng *r, uint32_t n);

/* A generator of the calling thread, for choices that need not be repeatable. */
struct rng *rng_thread(void);

uint64_t mix64(uint64_t x);

/* Writes 2 * n digits and a terminator. */
void hex_encode(char *ret, const uint8_t *bytes, size_t n);

/* 64 hex digits that depend on the two words only. */
void hex_name(char ret[65], uint64_t kind, uint64_t id);

/* Whole string as a non-negative number; false when it is anything else or over `max`. */
bool parse_number(const char *s, int64_t max, int64_t *ret);

/* Valid UTF-8 without surrogates and overlong forms; `ret_chars` may be NULL. */
bool utf8_valid(const char *s, size_t n, size_t *ret_chars);
