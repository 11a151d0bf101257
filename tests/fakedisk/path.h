/* SPDX-License-Identifier: MIT */
#pragma once

/* Paths as the service takes them: "disk:/a/b", "/a/b", "a/b", "trash:/x_0f…", "app:/a". */

#include <stdbool.h>
#include <stddef.h>

#include "util.h"

#define PATH_MAX_CHARS 32760
#define NAME_MAX_CHARS 255

/* Where app:/ is. */
#define PATH_APP "Приложения/fakedisk"

enum area {
        AREA_DISK,      /* what the user sees */
        AREA_TRASH,     /* what was thrown away */
};

struct path {
        enum area area;
        bool app;       /* was written as app:/, already replaced in `s` */
        char *s;        /* "a/b" without slashes at the ends, "" for the root; owned */
        size_t len;     /* bytes of it */
};

void path_finish(struct path *p);

/*
 * Parses what came in a request; `control` is the knob control_names.  Returns NULL, or what is
 * wrong with it, in English.
 */
const char *path_parse(struct path *ret, const char *raw, size_t n, int control);

/* "disk:/a/b" or "trash:/a/b". */
void path_print(const struct path *p, struct buf *ret);

/* The last name, and the length of what is before its slash (0 for an entry of the root). */
const char *path_name(const struct path *p, size_t *ret_len, size_t *ret_parent_len);

/* Is `p` equal to `top` or below it? */
bool path_is_below(const struct path *p, const struct path *top);
