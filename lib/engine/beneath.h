/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Finding things below a folder and never anywhere else.
 *
 * For the walk and for the source; the two must agree on what a stamp is and on which symlinks
 * lead somewhere, so both are decided here.
 */

#include "lib/core/entry.h"

/*
 * Opens `key` (of any length; "" is the folder itself) below `root_fd`; `flags` as for open(2),
 * close-on-exec always.  Returns the descriptor or a negative errno.
 *
 * Without `follow` no symlink is gone through: -ELOOP or -ENOTDIR where one stands on the way or,
 * unless `flags` holds O_NOFOLLOW|O_PATH (which opens the link itself), at the end; give O_NOFOLLOW
 * always then.  With `follow` links are gone through as long as they stay below `root_fd`; -EXDEV
 * for one that leaves it, and any absolute one does.  Two things are not tried but said to be
 * unknown, so that nobody takes such a link for one that leads nowhere: links where the kernel has
 * no openat2 or a sandbox forbids it (-ENOSYS), and links in keys beyond PATH_MAX that climb
 * further than the piece of the key they are in (-ENAMETOOLONG).
 */
int beneath_open(int root_fd, const char *key, int flags, bool follow);

/*
 * lstat of `name` in a folder, or of the descriptor itself where `name` is "".  Fills kind, size
 * and stamp, touches nothing else.  Times beyond the year 2262 wrap around: still different when
 * they differ, no longer in order.
 */
int beneath_look(int dir_fd, const char *name, struct entry *ret);

/* Whether this (positive) errno of beneath_open() says that a link on the way cannot be followed
 * into the tree: dangling, circular, out of the tree, or through something that is not a folder. */
bool beneath_astray(int errnum);
