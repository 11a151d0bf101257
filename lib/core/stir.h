/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The folders in which something is said to have happened: a scan may look at these alone.
 *
 * Only a hint.  What is said may be late, wrong or nothing at all; what is found comes from looking,
 * and what was not looked at proves nothing (diff.h).  One that names more than STIR_MAX folders, or
 * for which there is no memory, is "all": then everything is looked at.
 */

#include "lib/base/mem.h"

#include <stdbool.h>
#include <stddef.h>

#define STIR_MAX 256

struct stir_folder {
        char *key;
        bool whole; /* with everything below it */
};

struct stir {
        struct stir_folder folders[STIR_MAX]; /* in tree order, no two of one key */
        size_t n;
        bool all;
};

void stir_finish(struct stir *s);

void stir_add(struct stir *s, const char *key, bool whole);
void stir_add_all(struct stir *s);

/* Adds what `from` names. */
void stir_merge(struct stir *s, const struct stir *from);

static inline bool stir_is_empty(const struct stir *s)
{
        return s->n == 0 && !s->all;
}

enum stir_need {
        STIR_NOTHING, /* neither the folder nor anything below it */
        STIR_THROUGH, /* not what is right in it, but something further down */
        STIR_ITSELF,  /* all that is right in it, and of that below only what is named itself */
        STIR_WHOLE,   /* all of it */
};

enum stir_need stir_need(const struct stir *s, const char *key);

/* The names in the folder `key` that lead on to what is named below it, one after the other: `at`
 * begins as 0; false after the last.  *ret is not terminated, and good as long as `s` is. */
bool stir_through(const struct stir *s, const char *key, size_t *at, const char **ret, size_t *ret_len);
