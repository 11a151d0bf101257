/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The watched tree as entries in tree order.
 *
 * Goes by directory descriptors, reads one folder whole, sorts it, then shows its children, each
 * folder's children right after it.  Memory grows with the widest folders on the way down, not
 * with the tree.  At most `max_open` descriptors stay open however deep the tree is: beyond that
 * ancestors are closed and found again through "..", device and inode compared.
 *
 * The first entry is the watched folder itself (key "").  Errors are data: a folder that cannot be
 * opened or not be read to its end carries `err` (its children seen so far are still shown, for a
 * folder that could not be opened there are none); an entry that cannot be looked at has KIND_NONE
 * and `err`.  What vanished between the reading of its folder and the look at it (ENOENT) is left
 * out.  A folder that was moved away while it was walked (".." leads elsewhere) ends with err
 * ESTALE on a *second* entry for the same key, so that a reader knows that not everything below it
 * was shown.
 *
 * Never opens anything but folders and `.ydignore` files, never blocks on a pipe, writes nothing
 * (O_NOATIME where permitted).  Blocking; for a thread of the pool.
 */

#include "lib/base/err.h"
#include "lib/core/entry_iter.h"
#include "lib/core/match.h"

#include <stdatomic.h>
#include <stdbool.h>

struct walk_options {
        struct match *match;     /* may be NULL; walk enters and leaves its levels */
        bool follow;             /* symlinks: to files and folders inside the tree, never in a circle
                                    and never out of it; a link that is not followed is KIND_OTHER */
        unsigned max_open;       /* descriptors at once, at least 2; 0 = 64 */
        const atomic_bool *stop; /* may be NULL; when it becomes true, next() returns -ECANCELED */
};

struct walk;

/* `root_fd` is borrowed and must stay open. */
int walk_create(struct walk **ret, int root_fd, const struct walk_options *options,
                struct err *err);
void walk_destroy(struct walk *w);
DEFINE_CLEANUP(struct walk *, walk_destroy)

struct entry_iter *walk_iter(struct walk *w);
