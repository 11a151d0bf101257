/* SPDX-License-Identifier: MIT */
#pragma once

/* Reading the watched folder: walk.h, source.h and root.h are answered from tree.c. */

#include "lib/engine/source.h"

/* A file being read while others may write it. */
struct reading {
        char *key;
        struct entry expected; /* its key is ->key */
        int root_fd;
        uint64_t content;      /* when it was opened */
};

/* 0 or a negative errno, as source_open(). */
int reading_begin(struct reading *r, const struct source_root *root, const struct entry *expected);
/* What was read, a mixture too; a negative errno when it is not what it was. */
int reading_end(struct reading *r, uint64_t *ret_content);
void reading_finish(struct reading *r);

/* Once a world: no descriptor may be open. */
void look_finish(void);
