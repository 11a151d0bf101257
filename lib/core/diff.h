/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The merge-join of what we knew and what we see.
 *
 * Both sides come in tree order, so one pass with two open hands is enough.  Nothing is decided
 * here but what differs, and what *proves* nothing:
 *
 *   - a folder that was not read to its end makes what was not shown below it unseen, not gone;
 *   - a folder that stands on another device than before makes everything known below it unseen,
 *     also what is shown there: it is not what was mirrored;
 *   - so is what was on a mounted disk, when the folder that it is missing from is not on that: the
 *     disk was mounted over that folder, or at the place itself, and has gone away;
 *   - a thing that could not be looked at is unseen, with all that is below it;
 *   - so is one that is a symlink, a pipe or a device now: it is not what was mirrored, and it is
 *     not absent either;
 *   - of a folder that was not looked at whole on purpose (ENTRY_PARTIAL) what was not shown is passed
 *     over without a word.
 *
 * Device numbers change with a reboot, and then one disk may have the number that another had.  So
 * from here on, in changes, ops and rows, the device of the watched folder itself is 0; only what
 * is mounted below it has a number.  A row without an inode was written after a look at the cloud
 * alone (yadisk/flow_settle.h), and says nothing of the device.
 */

#include "lib/base/str.h"
#include "lib/core/entry_iter.h"

enum change_kind {
        CHANGE_NONE,     /* seen as known: same kind, size and stamp */
        CHANGE_NEW,      /* seen, not known */
        CHANGE_MODIFIED, /* both; size or stamp differ (for a folder: only the stamp) */
        CHANGE_RETYPED,  /* known as a file and seen as a folder, or the reverse */
        CHANGE_GONE,     /* known, and proven to be absent: its folder was read to the end */
        CHANGE_UNSEEN,   /* known, and it cannot be said what became of it; `err` says why */
        CHANGE_EXCLUDED, /* known, and left out by a pattern now (shown once for a whole folder) */
        CHANGE_OMITTED,  /* seen, not known, and not to be mirrored: `err` for what could not be
                            looked at and for what stands where a file on another device is known,
                            0 for excluded entries, symlinks and special files */
};

struct change {
        enum change_kind kind;
        const struct entry *seen;  /* NULL for GONE and most UNSEEN; valid until the next call */
        const struct entry *known; /* NULL for NEW and OMITTED; valid until the next call */
        int err;                   /* positive errno, ELOOP for "is a special file now" */
        bool with_disk;            /* UNSEEN: missing from its folder, with the disk it was on */
};

/* What covers the keys below a folder, so that nothing is concluded from their absence. */
struct diff_cover {
        struct str key;
        bool on;
        bool excluded; /* left out on purpose; otherwise: cannot be seen */
        int err;
};

/* One of the folders that lead to where we are. */
struct diff_folder {
        uint64_t dev; /* which it stands on */
        bool partial;
};

/* A folder for whose descendants, too, something holds; off once one was met that is not below. */
struct diff_below {
        struct str key;
        bool on;
};

/* What is known of a device number that rows carry, of a disk mounted below the watched folder. */
struct diff_mount {
        uint64_t known_dev;
        uint64_t seen_dev; /* the number which that same disk has now; 0: it is not there */
};

struct diff {
        struct entry_iter *known_iter, *seen_iter;
        const struct entry *known, *seen; /* the next of each side, NULL at its end */
        struct entry seen_here;           /* *seen, with its device as above */
        uint64_t known_root_dev, seen_root_dev;
        const struct diff_mount *mounts;
        size_t n_mounts;
        int root_err;         /* why the watched folder could not be read to its end, or 0 */
        struct diff_cover cover;
        struct diff_below elsewhere;      /* a folder that is on another device */
        struct diff_below replaced;       /* a folder in whose place a file stands; elsewhere, a
                                             file in whose place a folder stands */
        struct diff_folder *way; /* the folders that lead to where we are, by depth; */
        size_t n_way;         /* so many have room, … */
        size_t deep;          /* … and so many were met */
        bool partial;         /* the watched folder itself */
        bool sparse;          /* any was, so far */
        struct str seen_key;              /* where the seen side last was: it must go up */
        bool begun, advance_known, advance_seen;
};

/*
 * `seen` begins with the watched folder itself and is in tree order, but that a folder may come a
 * second time, with an errno, after some of what is in it; otherwise diff_next() ends with -EILSEQ.
 * `known_root_dev`: device of the watched folder when the snapshot was written, 0 if not known.
 */
void diff_init(struct diff *d, struct entry_iter *known, struct entry_iter *seen,
               uint64_t known_root_dev);
void diff_finish(struct diff *d);

/* Before the first diff_next(); they must stay.  Numbers of which nothing is said here are compared
 * as they are. */
void diff_set_mounts(struct diff *d, const struct diff_mount *mounts, size_t n);

/* 1 and the next change, 0 at the end, or the negative errno of a side that ended early: then what
 * was shown so far may be used to add, and nothing to remove. */
int diff_next(struct diff *d, struct change *ret);
