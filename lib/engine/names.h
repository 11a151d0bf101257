/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The names read on the way down to where a walk is: one stack for all folders, so that memory is
 * asked for seldom and what a folder took goes back when it ends.  16 bytes and its own a name.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct name {
        uint64_t head;     /* for sorting: eight of its bytes, big-endian, zero-filled */
        uint64_t off : 40; /* where its bytes begin; no NUL after them */
        uint64_t len : 16;
        uint64_t type : 8; /* DT_* as the folder gave it */
};

struct names {
        struct name *v;
        size_t n;
        size_t room; /* of v, in names */
        char *bytes;
        size_t len;
        size_t size; /* of bytes */
};

/* A height of the stack, to come back to. */
struct names_mark {
        size_t n;
        size_t len;
};

void names_finish(struct names *s);

/* -ENOMEM leaves it as it was. */
int names_push(struct names *s, const char *name, size_t len, unsigned char type);

/* Sorts what was pushed since the mark by the bytes of the names. */
void names_sort(struct names *s, struct names_mark from);

/* Its bytes; valid until the next push. */
static inline const char *names_at(const struct names *s, const struct name *name)
{
        return s->bytes + name->off;
}

static inline struct names_mark names_mark(const struct names *s)
{
        return (struct names_mark){.n = s->n, .len = s->len};
}

/* Forgets what was pushed since the mark and gives memory back when much is unused. */
void names_pop(struct names *s, struct names_mark mark);
