/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Disks that are mounted below the watched folder, and whether each is still the one it was.
 *
 * Rows carry device numbers, which a restart deals out anew: the same disk may come back with another
 * one, and another disk with the same.  So for each number that rows may carry it is kept whose it
 * was: the identity of the mounted folder (see root.h), as lines "DEVICE IDENTITY KEY" in the fact
 * "mounts".
 */

#include "daemon/root.h"
#include "lib/core/diff.h"

#define MOUNTS_MAX 256 /* lines; the oldest go */

struct mount {
        char *key;
        uint64_t dev; /* as rows have it */
        char identity[ROOT_IDENTITY_MAX];
};

struct mounts {
        struct entry_iter iter;   /* what passes through is watched for mounts */
        struct entry_iter *inner;
        uint64_t root_dev;
        bool begun;
        struct mount *known;      /* of the fact, and then of this scan */
        size_t n_known;
        struct diff_mount verdicts[MOUNTS_MAX]; /* one a line of the fact */
        size_t n_verdicts;
        struct mount found[MOUNTS_MAX]; /* of this scan; no identity yet */
        size_t n_found;
};

/* Reads the fact (NULL: there is none) and looks what is mounted there now. */
int mounts_begin(struct mounts *m, int root_fd, const char *fact, struct entry_iter *seen);

/* After the scan: the fact as it should be, malloced; NULL when it stays as it is. */
char *mounts_fact(struct mounts *m, int root_fd, const char *fact);

void mounts_finish(struct mounts *m);
