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
 * out.  A folder that was moved away while what is below it was walked, and is found again neither
 * through ".." nor by its key, ends with err ESTALE (or why it could not be opened) on a *second*
 * entry for the same key, which comes after the entries below it, so that a reader knows that not
 * everything was shown.  A folder that is one of those it lies in (a bind mount) has err ELOOP and
 * is not entered.
 *
 * Files and folders carry kind, size and stamp; KIND_OTHER and excluded entries only their kind,
 * because nothing else is needed of them and not asking saves a call.
 *
 * With `stir`, only the folders that it names are read, and what is new on the way down from them is not
 * gone into unless it is named too: a folder that is shown and not read whole has ENTRY_PARTIAL, no errno
 * for what would have come of it, and of what is in it only the folders that lead on to a named one.
 *
 * A folder whose `.ydignore` is there but cannot be read (or is longer than 64 KiB, EFBIG) carries
 * that `err` and shows nothing but this file, as KIND_NONE with the same `err`: what must not be
 * sent is not known then.
 *
 * Never opens anything but folders and `.ydignore` files, never blocks on a pipe, writes nothing
 * (O_NOATIME where permitted).  Blocking; for a thread of the pool.
 */

#include "lib/base/err.h"
#include "lib/core/entry_iter.h"
#include "lib/core/match.h"
#include "lib/core/stir.h"

#include <stdatomic.h>
#include <stdbool.h>

struct walk_options {
        struct match *match;     /* may be NULL; walk enters and leaves its levels */
        bool follow;             /* symlinks: to files and folders inside the tree, never in a
                                    circle and never out of it (as an absolute link is); a link
                                    that is not followed is KIND_OTHER.  Needs openat2 */
        unsigned max_open;       /* folders open at once, at least 2; 0 = 64.  A look may take two
                                    descriptors more for a moment */
        const struct stir *stir; /* borrowed; NULL, or with `follow`: everything */
        void (*enter)(void *userdata, const char *key, int dir_fd); /* may be NULL; called with each
                                    folder before it is read, by the thread that reads it */
        void *userdata;
        const atomic_bool *stop; /* may be NULL; when it becomes true, next() returns -ECANCELED */
};

struct walk;

/* `root_fd` and `options->match` are borrowed and must stay; the options themselves are copied. */
int walk_create(struct walk **ret, int root_fd, const struct walk_options *options,
                struct err *err);
void walk_destroy(struct walk *w);
DEFINE_CLEANUP(struct walk *, walk_destroy)

struct entry_iter *walk_iter(struct walk *w);

/* The text of the folder's `.ydignore` into `buffer`; its length, -ENOENT when there is no regular
 * file of that name, -EFBIG, or why it cannot be read. */
#define WALK_IGNORE_NAME ".ydignore"
#define WALK_IGNORE_SIZE (64 * 1024 + 1) /* of the buffer */
ssize_t walk_read_ignore(int dir_fd, char *buffer);
