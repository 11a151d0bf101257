/* SPDX-License-Identifier: MIT */
#pragma once

/* Removing from the cloud what was removed here. */

#include "lib/core/flow.h"
#include "lib/core/op.h"
#include "lib/yadisk/yadisk.h"

struct drop_args {
        const struct yadisk *yadisk;
        const struct op *op;    /* OP_DROP or OP_DROP_TREE; copied */
        bool permanently;       /* files; folders go to the Trash in any case */
        bool replaces;    /* only what has made room here for something of the other kind goes: that it
                             is gone is not enough */
        bool doubtful;          /* an earlier doubt about it is not settled: then this flow's must not
                                   be withdrawn, which takes its place */
};

/*
 * A file is removed on condition of the md5 the snapshot knows.  A folder is removed in one call,
 * after a listing of it and of every folder in it has shown nothing that is not ours; otherwise it
 * ends with END_FOREIGN and nothing done: it must be taken apart piece by piece.  Both look here
 * once more, just before: unless the thing is proven to be absent (or to be of the other kind now),
 * they end with END_CHANGED.
 */
struct flow *flow_drop(const struct drop_args *args);

/* A folder piece by piece, for when flow_drop() found what is not ours in it: our files go, each on
 * condition of its md5, and the folders that are empty then; the rest stays and is forgotten. */
struct flow *flow_apart(const struct drop_args *args);
