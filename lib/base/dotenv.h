/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The text of a `.env` -> pairs and mistakes.  Pure: no file, no environment, no expansion.
 *
 *      # a comment on its own line
 *      KEY=plain value # a comment after white space
 *      export KEY = 'literally, a # and a \ too'
 *      KEY="with \\ \" \$ \n \t"
 *
 * UTF-8, a BOM and CRLF are fine.  A value ends with its line.  Plain values are taken literally,
 * backslashes too, and trimmed.  A mistake costs its own line only: parsing goes on with the next.
 */

#include <stddef.h>

#define DOTENV_MAX (64 * 1024)  /* bytes of text */
#define DOTENV_PAIRS_MAX 1000   /* keys */
#define DOTENV_MISTAKES_MAX 100 /* after so many the rest of the text is not looked at */

struct dotenv_pair {
        char *key;     /* [A-Za-z_][A-Za-z0-9_]*; no two pairs have the same */
        char *value;   /* unquoted; may be a secret */
        unsigned line; /* from 1 */
};

struct dotenv_mistake {
        unsigned line; /* from 1; 0 when it is the whole text */
        char *key;     /* whose value it is, or NULL */
        char *text;    /* what is wrong and what to write; never anything of the value */
};

struct dotenv {
        struct dotenv_pair *pairs; /* in the order of the text */
        size_t n_pairs;
        struct dotenv_mistake *mistakes; /* likewise */
        size_t n_mistakes;
};

/* Any `len` bytes; they need no NUL at their end.  Returns 0, mistakes or not, or -ENOMEM. */
int dotenv_parse(struct dotenv *ret, const char *text, size_t len);

/* Frees and wipes; safe on a zeroed struct and twice. */
void dotenv_finish(struct dotenv *d);
