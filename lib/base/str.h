/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A growing string with a ceiling.
 *
 * Growth beyond `max` or the end of memory sets `failed`; the content then stays as it was and
 * every later append does nothing, so that a chain of appends is checked once, at its end.
 */

#include "lib/base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
        char *s;     /* always ends with a NUL once anything was appended; NULL before */
        size_t len;  /* without that NUL */
        size_t size; /* bytes allocated */
        size_t max;  /* ceiling for len */
        bool failed; /* something did not fit */
};

#define STR_NULL(ceiling) ((struct str){.max = (ceiling)})

void str_finish(struct str *s);
void str_clear(struct str *s); /* keeps the memory, forgets `failed` */
void str_truncate(struct str *s, size_t len);
void str_add(struct str *s, const void *bytes, size_t n);
void str_adds(struct str *s, const char *z);
void str_addc(struct str *s, char c);
void str_addf(struct str *s, const char *fmt, ...) _printf_(2, 3);

/* The content as a C string, "" while empty. */
static inline const char *str_z(const struct str *s)
{
        return s->s ? s->s : "";
}

/* Gives the memory away (free() it); the str is empty afterwards.  NULL when `failed`. */
char *str_take(struct str *s);

static inline bool str_eq(const char *a, const char *b)
{
        return strcmp(a, b) == 0;
}

static inline bool str_starts(const char *s, const char *prefix)
{
        return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Copies into a buffer, cut to its size, always with a NUL. */
void str_copy(char *ret, size_t size, const char *z);

/* strdup() that takes NULL. */
char *str_dup(const char *z);

/* A path for a log line: control bytes and invalid UTF-8 as \xHH, a backslash as it is. */
void str_add_printable(struct str *s, const char *z);

/* `text`, filled up to `width` characters with spaces, of which there is at least one. */
void str_add_padded(struct str *s, const char *text, size_t width);

/* As a part of an URL or a form: all but letters, digits and "-._~" as %XX. */
void str_add_escaped(struct str *s, const char *z);

/* "30 s", "4 min", "3 h", "2 d"; never one of a unit but the smallest, which says too little. */
void str_add_span(struct str *s, int64_t ms);

/* "512 B", "1.4 KB", "2.0 MB" …: powers of 1000, as disks and Yandex count. */
void str_add_size(struct str *s, uint64_t bytes);

/* 32 lower-case hex digits and a NUL <-> 16 bytes. */
void str_hex(char *ret_hex, const uint8_t *bytes, size_t n);
bool str_unhex(uint8_t *ret_bytes, size_t n, const char *hex);

/* Length of the valid UTF-8 sequence at `s` (1 to 4), or 0 when it is not valid. */
size_t str_utf8(const char *s);
