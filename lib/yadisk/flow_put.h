/* SPDX-License-Identifier: MIT */
#pragma once

/* Bringing one file's content up, or finding that it is there already. */

#include "lib/core/disguise.h"
#include "lib/core/flow.h"
#include "lib/core/op.h"
#include "lib/yadisk/yadisk.h"

enum put_verify {
        PUT_VERIFY_LATER, /* the row is written as ENTRY_UNVERIFIED: a listing of the folder follows */
        PUT_VERIFY_NOW,   /* one look at the file first */
        PUT_VERIFY_NOT,
};

struct put_args {
        const struct yadisk *yadisk; /* borrowed, must outlive the flow */
        const struct op *op;         /* copied */
        enum disguise_policy disguise;
        enum put_verify verify;
        uint64_t largest;            /* file that the account took when last asked; 0: not known */
        const char *wire;            /* a fresh wire name, in case one is needed; copied */
        const char *leftover;        /* wire name an interrupted run may have sent this file under,
                                        or NULL; copied */
        bool doubtful;               /* an earlier doubt about it is not settled: then this flow's must
                                        not be withdrawn, which takes its place */
        bool leftover_old;           /* flow_sweep_due(): what is not there now does not come */
};

/* NULL: no memory. */
struct flow *flow_put(const struct put_args *args);
