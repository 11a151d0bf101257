/* SPDX-License-Identifier: MIT */
#pragma once

/* What the service thinks of a file because of its name. */

#include <stdbool.h>
#include <stddef.h>

struct media {
        const char *ext;        /* lower case, without the dot */
        const char *type;       /* media_type */
        const char *mime;       /* mime_type */
        bool slow;              /* links for such names are throttled */
};

/*
 * The row for a file of this name; never NULL.  Rows live for ever.  A name without an extension
 * gives a row whose `ext` is "", an extension that is in no table one whose `ext` is NULL.
 */
const struct media *media_of_name(const char *name, size_t n);
