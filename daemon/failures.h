/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What did not work, and when it is worth trying again.
 *
 * A failing path is tried again after 30 s, a minute, two … up to a day, or at once when the thing
 * itself has changed.  Remarks about paths (unreadable, unfit names) are kept likewise, so that each
 * is said once and not once a scan.
 */

#include "lib/core/entry.h"

struct failures;

struct failures *failures_create(void); /* NULL: no memory */
void failures_destroy(struct failures *f);

/* Whether `e` failed before, unchanged, and its time has not come. */
bool failures_waiting(const struct failures *f, const struct entry *e, int64_t now_ms);

/* Notes a failure.  Returns the delay until the next try; *ret_news is false when the same was said
 * of the same path last time. */
int64_t failures_add(struct failures *f, const struct entry *e, const char *text, int64_t now_ms,
                     bool *ret_news);

void failures_clear(struct failures *f, const char *key); /* it worked */

/* Remarks of a scan: begin, add each (true: it is news), end (those not added are forgotten). */
void failures_remarks_begin(struct failures *f);
bool failures_remark(struct failures *f, const char *key, int what);
void failures_remarks_end(struct failures *f);

size_t failures_count(const struct failures *f);
