/* SPDX-License-Identifier: MIT */
#pragma once

/* Which keys of an answer are wanted. */

#include <stddef.h>

/* The parameter `fields`: "name,_embedded.items.path" as a tree. */
struct fields {
        char *name;             /* owned */
        struct fields *sub;     /* what is wanted of it; NULL = all */
        struct fields *next;    /* its sibling */
};

/* NULL for an empty text, which means everything. */
struct fields *fields_parse(const char *text, size_t n);
void fields_destroy(struct fields *f);
