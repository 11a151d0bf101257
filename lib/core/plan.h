/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Changes + policy -> ops, in an order in which every prefix leaves a cloud that is no worse.
 *
 * The makes come in tree order, so a folder is made before what is in it; the drops come after all
 * makes.  The exception is a thing that changed its kind: what stood there is dropped first, among
 * the makes, since the name must be free:
 *
 *      known            seen               makes                          drops
 *      a/    (folder)   a   (file)         drop tree a, put a
 *      b/x   (file)     b/x (changed)      put b/x
 *      c/    (folder)                                                     drop tree c
 *      d     (file)                                                       drop d
 *
 * A folder that is gone is one op however much was in it.
 *
 * The brake: when a scan would remove more than `max_delete` entries *and* more than
 * `max_delete_percent` of what is known, the plan is *held*: its drops, and the makes that need one,
 * are not carried out until somebody approves exactly this plan, known by its id.  The id is a sum, to
 * which every entry that would go adds a share of its own.  Whoever takes from it the shares of those
 * that have gone has the id of exactly the rest.
 */

#include "lib/core/diff.h"
#include "lib/core/op.h"

struct plan_policy {
        bool adopting;               /* the snapshot is empty, lost or of another folder: nothing
                                        is removed in this pass */
        bool never_delete;           /* YDSYNC_DELETE=never */
        uint64_t max_delete;
        unsigned max_delete_percent;
        uint64_t known_total;        /* entries in the snapshot */
        int64_t now_ns;              /* wall clock at the start of the scan */
        int64_t settle_ns;           /* a file changed later than now - settle waits */
};

/* What a person should hear of, beside the ops. */
enum plan_note {
        PLAN_NOTE_UNFIT,    /* new, and its name cannot stand in the cloud; `why` says it */
        PLAN_NOTE_HIDDEN,   /* new, and it (or the folder's end) could not be read: `err` */
        PLAN_NOTE_UNSEEN,   /* known, and what became of it cannot be said: `err` */
};

struct plan_sink {
        int (*make)(void *userdata, const struct op *op); /* negative errno ends the planning */
        int (*drop)(void *userdata, const struct op *op);
        void (*note)(void *userdata, enum plan_note note, const char *key, int err,
                     const char *why);
        /* What moves are found by (pair.h), where they are wanted; NULL where not.  A row whose thing
         * is proven not to be at its key any more, each in tree order; and what would be put but for
         * its youth, which comes of a move as much as of an edit. */
        int (*left)(void *userdata, const struct entry *known);
        int (*young)(void *userdata, const struct op *op);
        void *userdata;
};

struct plan_totals {
        uint64_t seen_files, seen_dirs;    /* mirrored kinds only */
        uint64_t mkdirs, puts, put_bytes;
        uint64_t drops;                    /* entries that would go, those in folders counted */
        uint64_t unseen, omitted, young;
        uint64_t away;                     /* folders known on another device, and unseen */
        uint64_t put_off;                  /* gone, but nothing is removed while adopting */
        int64_t settled_ns;                /* wall clock by which the youngest file has settled */
        bool held;                         /* the drops are over the brake */
        uint64_t id;                       /* the shares of the entries that would go; 0 without */
};

/* What `known` adds to the id of a plan by which it goes. */
uint64_t plan_share(const struct entry *known);

/*
 * Runs the whole pass.  `remote` is NULL or what a listing of the cloud folder showed, in tree
 * order.  Returns 0, or the negative errno of an iterator or the sink; then nothing may be removed
 * on the strength of this plan.
 */
int plan_run(const struct plan_policy *policy, struct diff *diff, struct entry_iter *remote,
             const struct plan_sink *sink, struct plan_totals *ret);
