/* SPDX-License-Identifier: MIT */
#pragma once

/* String -> pointer.  Keys are copied; values are the caller's. */

#include "lib/base/mem.h"

#include <stdbool.h>
#include <stddef.h>

struct map;

struct map *map_create(void); /* NULL: no memory */
void map_destroy(struct map *m);
DEFINE_CLEANUP(struct map *, map_destroy)

/* Inserts or replaces; `value` must not be NULL.  0 or -ENOMEM. */
int map_set(struct map *m, const char *key, size_t len, void *value);
void *map_get(const struct map *m, const char *key, size_t len); /* NULL: not there */
void *map_remove(struct map *m, const char *key, size_t len);    /* the value it had, or NULL */
size_t map_count(const struct map *m);
