/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One scan, on the thread pool: walk -> diff with the snapshot -> plan -> two spools of ops.
 *
 * Everything streams; what is kept is the plan, on disk, and a bounded list of remarks.
 *
 * A scan of some folders (`stir`) gives the plan for these alone, if that can be told from them:
 * nothing in them is hidden, unfit or on another disk, and no brake is wanted.  Else it is not enough,
 * and everything is to be scanned.
 */

#include "lib/base/err.h"
#include "lib/core/plan.h"
#include "lib/core/stir.h"
#include "lib/store/spool.h"
#include "lib/store/store.h"

#include <stdatomic.h>
#include <uv.h>

#define SCAN_NOTES_MAX 1000

struct scan_args {
        struct store *store;
        const char *state_dir;
        int root_fd;
        uint64_t known_root_dev; /* 0: not known */
        const char *mounts;      /* the fact about nested disks, or NULL */
        bool follow;
        bool moves;              /* it is wanted what moves are found by */
        bool use_remote;         /* the `remote` table holds a whole listing */
        const struct stir *stir; /* NULL: everything is looked at */
        const char *exclude;
        void (*enter)(void *userdata, const char *key, int dir_fd); /* of walk.h */
        void *enter_userdata;
        struct plan_policy policy; /* now_ns and known_total are filled in */
};

struct scan_note {
        enum plan_note note;
        char *key;
        int err;
        const char *why; /* static text */
};

struct scan_result {
        int r; /* 0, or the negative errno that ended the scan early: `err` tells */
        struct err err;
        struct plan_totals totals;
        bool in_part;            /* not everything was looked at, and … */
        bool not_enough;         /* … what was seen is to be judged with all the rest: nothing of this
                                    is to be carried out */
        char *mounts; /* the fact as it should be, or NULL: as it is */
        struct spool *makes, *drops; /* NULL after an early end */
        struct spool *left, *young;  /* for moves (plan.h); NULL: nothing */
        struct scan_note *notes;
        size_t n_notes;
        uint64_t more_notes;         /* not kept */
        int64_t began_ns;            /* wall clock */
        double seconds;
};

struct scan;

/* `args` is copied, what it points at must stay.  `done` comes from the loop; the result is the
 * callee's to scan_result_finish(). */
int scan_start(struct scan **ret, uv_loop_t *loop, const struct scan_args *args,
               void (*done)(void *userdata, struct scan_result *result), void *userdata);

/* Ends it soon, with -ECANCELED; `done` still comes. */
void scan_cancel(struct scan *s);

void scan_result_finish(struct scan_result *r);
