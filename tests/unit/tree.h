/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Trees written in one line, for tests of what reads entries.
 *
 *      d .|d a|f a/x 5 @7|o link|n locked !EACCES|!EIO
 *
 * An entry is a kind (`d` folder, `f` file, `o` other, `n` none), a key ("." for the watched
 * folder) and, in any order:
 *
 *      5       size                       !EIO    could not be seen, or not be read to its end
 *      @7      mtime and ctime, in ns     x       excluded
 *      ~7      ctime alone                r       racy
 *      i3      inode                      u       unverified
 *      %2      device                     #a1     md5: sixteen times this byte
 *                                         p       partial
 *
 * Times and inode are 1, the device is 0 where nothing is said.  A last `!EIO` ends the side early.
 * Whatever cannot be read ends the program.
 */

#include "lib/core/entry_iter.h"

struct tree {
        struct entry_iter iter;
        struct entry *items; /* keys owned */
        size_t n, size;
        int end;             /* what comes after the last: 0 or a negative errno */
        size_t at;
        struct entry *shown; /* a copy that is freed with the next, so that late looks are seen */
};

void tree_init(struct tree *t, const char *text);
void tree_finish(struct tree *t);
void tree_rewind(struct tree *t);
/* From now on it is passed over in one step what nobody asks for. */
void tree_seeks(struct tree *t);

/* The key is copied. */
void tree_add(struct tree *t, const struct entry *e);
/* In tree order, which tree_add() does not see to. */
void tree_sort(struct tree *t);
/* NULL: not there. */
struct entry *tree_find(const struct tree *t, const char *key);
void tree_remove(struct tree *t, const char *key);

/* "EIO", or the number where the name is not known here. */
const char *tree_errno(int err);
