/* SPDX-License-Identifier: MIT */
#pragma once

/* Whose Disk it is that the token opens. */

#include "lib/core/flow.h"
#include "lib/yadisk/yadisk.h"

/* Ends with END_NOTHING when that was told, or when it will not be: a token may lack the right to
 * know. */
struct flow *flow_account(const struct yadisk *y);

/* "" while it is not told; good until the flow is destroyed. */
const char *flow_account_uid(const struct flow *f);
