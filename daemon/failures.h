/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What did not work, and when it is worth trying again.
 *
 * A failing path is tried again after 30 s, a minute, two … up to a day, or at once when the thing
 * itself has changed.  What arrived and was not what was sent is sent again at once, then after 30 s
 * and so on: that it was sent once more is no success before a look at the cloud has shown it.
 * Remarks about paths (unreadable, unfit names) are kept likewise, so that each is said once and not
 * once a scan.
 *
 * A restart forgets it all, on purpose: whoever restarts the program has changed something, or wants
 * to see.  A path that fails costs a start one round of tries; how often a start may happen is for
 * the service manager to limit.  What concerns the account outlives a restart (quota.h).
 */

#include "lib/core/entry.h"
#include "lib/core/stir.h"

struct failures;

struct failures *failures_create(void); /* NULL: no memory */
void failures_destroy(struct failures *f);

/* Whether `e` failed before, unchanged, and its time has not come. */
bool failures_waiting(const struct failures *f, const struct entry *e, int64_t now_ms);

struct failure_told {
        int64_t delay_ms;  /* until the next try */
        unsigned times;    /* it has failed, in a row */
        enum { FAILURE_QUIET, FAILURE_NEWS, FAILURE_STILL } say; /* nothing: it was said; that it
                              fails; that it still does, which is worth a line every six hours */
};

/* Notes a failure.  `least_ms`: no next try before that. */
struct failure_told failures_add(struct failures *f, const struct entry *e, const char *text,
                                 int64_t least_ms, int64_t now_ms);

/* Notes that what stands in the cloud is not what was sent. */
struct failure_told failures_wrong(struct failures *f, const struct entry *e, int64_t now_ms);

void failures_clear(struct failures *f, const char *key);  /* it worked */
void failures_proven(struct failures *f, const char *key); /* … and is there as it was sent, or is
                                                               no longer wanted there */

/* Remarks of a scan: begin, add each (true: it is news), end (those not added are forgotten).  With
 * `looked` the scan was of these folders, and remarks about others stay. */
void failures_remarks_begin(struct failures *f, const struct stir *looked);
bool failures_remark(struct failures *f, const char *key, int what);
void failures_remarks_end(struct failures *f);

struct failure_view {
        const char *key, *text;
        unsigned times;
        int64_t next_ms;
};

/* What fails, in no order, until `show` returns false. */
void failures_each(const struct failures *f,
                   bool (*show)(void *userdata, const struct failure_view *v), void *userdata);

/* False when this does not fail. */
bool failures_find(const struct failures *f, const char *key, struct failure_view *ret);

size_t failures_count(const struct failures *f);
