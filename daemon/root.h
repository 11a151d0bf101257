/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The watched folder itself: opening it, and telling it from another one at the same place.
 *
 * An empty mount point, another disk, a folder that somebody made anew: all are folders at the right
 * path, and none is the one that was mirrored.  The identity is the inode number with the moment the
 * inode was born, both of which belong to the content and survive a reboot; then, where it is made
 * from what is on the disk and not from the disk's number, the file system's id: the top folders of
 * two disks that were formatted in the same second have the rest in common.  Where the file system
 * keeps no birth time, its id takes the place of that in any case.
 */

#include "lib/base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define ROOT_IDENTITY_MAX 96

struct root {
        int fd;
        uint64_t dev;
        char identity[ROOT_IDENTITY_MAX];
        bool lasting; /* the identity is the same after a reboot */
};

/* Fills all but the descriptor; `fd` may be an O_PATH one.  Negative errno. */
int root_identify(int fd, struct root *ret);

/* -ENOENT, -ENOTDIR, -EACCES …: the sentence says what to do. */
int root_open(struct root *ret, const char *path, struct err *err);

/* Whether `path` still leads to the folder that was opened. */
int root_check(const struct root *r, const char *path, struct err *err);

void root_close(struct root *r);
