/* SPDX-License-Identifier: MIT */
#pragma once

/* The keys of the configuration: one table that drives reading, defaults and advice.  For config.c,
 * for documentation and for the test of .env.template. */

#include "daemon/config.h"
#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_TOKEN "YANDEX_TOKEN"
#define CONFIG_TOKEN_MAX 4096            /* bytes */
#define CONFIG_CREDENTIAL "ydsync.token" /* what systemd calls the token */

struct config_unit;

struct config_key {
        const char *name;
        /* Checks `text`, never empty, and puts it into *c; or says in `err` what is wrong and what
         * to write. */
        int (*read)(const struct config_key *k, const char *text, struct config *c,
                    struct err *err);
        size_t offset, size;      /* of the field in struct config */
        const char *fallback;     /* the default, as one would write it; NULL: none … */
        char *(*derive)(void);    /* … or one that the surroundings decide; NULL: they do not */
        bool text;                /* the field is a string, NULL or malloced */
        bool live;                /* may change while a pass is under way */
        bool required;            /* it must be written */
        const char *write;        /* what to write, as the end of a sentence */
        const char *const *words; /* the choices, in the order of the enum; NULL at the end */
        const struct config_unit *units;
        uint64_t min, max;        /* in the smallest unit … */
        bool zero;                /* … and 0 is fine as well */
};

/* In the order of the product's table. */
extern const struct config_key config_key_table[CONFIG_KEYS];

/* NULL when there is none. */
const struct config_key *config_key_find(const char *name);

/* Whether the two have the same value for the key. */
bool config_key_same(const struct config_key *k, const struct config *a, const struct config *b);

/* Gives `to`, which loses its own, the value that `from` has. */
int config_key_copy(const struct config_key *k, struct config *to, const struct config *from);

/* The known name that looks most like `name`; NULL when none does. */
const char *config_key_nearest(const char *name);
