/* SPDX-License-Identifier: MIT */
#pragma once

/* Looking at the cloud: a folder for adoption, a folder after uploads, the remains of a crash. */

#include "lib/core/flow.h"
#include "lib/yadisk/yadisk.h"

/*
 * Lists the cloud folder of `key` and writes every item into the `remote` table.  Wire names, which
 * only an interrupted ydsync can have left, become intents instead, to be swept.  END_NOTHING when
 * the folder does not exist, END_DONE otherwise.
 */
struct flow *flow_list(const struct yadisk *y, const char *key);
/* The keys of the folders it showed; both are good until the flow is destroyed. */
const struct entry_list *flow_list_folders(const struct flow *f);
const char *flow_list_key(const struct flow *f);

/*
 * Compares the unverified rows of the folder `key` with what the cloud holds: one listing, or a look
 * at each file where that is fewer calls.  A file that is not there as it was sent, and does not
 * come within a while, is forgotten: the next scan finds it new (end.vanished).
 */
struct flow *flow_check(const struct yadisk *y, const char *key);
/* The rows it has judged, and whether each is there as it was sent; none before its good end.  Good
 * until the flow is destroyed. */
size_t flow_check_rows(const struct flow *f, const struct entry **ret);
bool flow_check_right(const struct flow *f, size_t row);

/* Whether so much time has passed since an upload of this size began that it can no longer appear. */
bool flow_sweep_due(uint64_t size, int64_t when_ms, int64_t now_ms);

/*
 * Removes what an interrupted upload left under a wire name and clears its intent.  When nothing is
 * there, the intent is kept until it is certain that nothing can come any more.  `key`, `wire` are
 * copied.
 */
struct flow *flow_sweep(const struct yadisk *y, const char *key, const char *wire, uint64_t size,
                        int64_t when_ms);
