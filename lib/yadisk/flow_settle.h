/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What has become of a change that was begun and not written down: the program was killed in
 * between, or gave up before the service had answered.
 */

#include "lib/core/flow.h"
#include "lib/yadisk/yadisk.h"

struct settle_args {
        const struct yadisk *yadisk; /* borrowed, must outlive the flow */
        struct entry becomes;        /* what was about to stand at its `key`: a file of this size and
                                        md5, a folder, or nothing (KIND_NONE); copied */
        const struct entry *row;     /* what the snapshot says of the key; NULL: nothing; copied */
        int64_t when_ms;             /* of the request, wall clock: kept with the doubt */
        bool due;                    /* flow_settle_due() */
        bool looked;                 /* an earlier look has not settled it, and that is written down */
};

/* Whether so much time has passed since it was asked for that the service has done it by now, or
 * does not do it any more. */
bool flow_settle_due(const struct entry *becomes, int64_t since_ms);

/*
 * One look.  What was begun and stands there now is written down as ours; where it does not, and is
 * not to be expected any more, the row is kept as long as the cloud agrees with it, and is forgotten
 * otherwise.  Nothing in the cloud is changed.
 *
 * END_DONE: it is settled.  END_NOTHING: it cannot be told before it is due; that it was looked at is
 * written down.
 */
struct flow *flow_settle(const struct settle_args *args);
/* Good until it is destroyed. */
const char *flow_settle_key(const struct flow *f);
/* It is settled that the folder was not removed, and what is known to be in it is to be compared. */
bool flow_settle_folder_stands(const struct flow *f);
