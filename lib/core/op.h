/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One thing to do, as the plan decided it.
 *
 * Ops come in two streams, each in tree order: the *makes* (everything that adds) and, carried out
 * after them, the *drops*.  An op may start once every earlier op at its own key or at one of the
 * folders above it has ended (core/order.h).
 */

#include "lib/core/entry.h"

enum op_verb {
        OP_MKDIR,     /* make a folder */
        OP_PUT,       /* bring a file's content up, or find that it is there already */
        OP_ADOPT,     /* a folder that stands in the cloud already: only write it down */
        OP_TOUCH,     /* a folder known whose stamp is new: only write it down */
        OP_DROP,      /* remove one file */
        OP_DROP_TREE, /* remove a folder with all that is in it */
        OP_FORGET,    /* excluded since: write down that it is no longer ours, leave the cloud alone */
        OP_MOVE,      /* on the server, from `from`: it was moved here */
};

/* What stands in the cloud at the op's key, where a listing has told. */
enum op_there {
        OP_THERE_UNKNOWN, /* not asked */
        OP_THERE_NOTHING, /* listed, and not there */
        OP_THERE_FILE,    /* a file of `there_size` and `there_md5` */
        OP_THERE_DIR,     /* a folder */
};

struct op {
        enum op_verb verb;
        bool was_known;       /* the snapshot has a row for this key: `known_*` are its values */
        bool after_drop;      /* something of another kind stands at the key and is dropped first */
        bool known_unverified; /* it was sent, but not yet compared with what the cloud holds */
        enum op_there there;
        struct entry entry;   /* what was seen here; for drops what was known */
        uint64_t known_size;
        uint8_t known_md5[16];
        uint64_t there_size;
        uint8_t there_md5[16];
        const char *from;     /* OP_MOVE: the key it was known by, with the inode of `entry` and the
                                 values `known_*`; else NULL */
        bool parks;           /* OP_MOVE: only to make its place free; nothing stands at `entry.key` */
        uint64_t files;       /* OP_DROP_TREE: files and folders below */
        uint64_t bytes;       /* OP_DROP_TREE: their bytes */
};
