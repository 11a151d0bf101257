/* SPDX-License-Identifier: MIT */
#pragma once

/* Asking what the account has room for. */

#include "lib/core/flow.h"
#include "lib/yadisk/yadisk.h"

/* Ends with END_NOTHING, and with `knows_room` unless the token may not ask.  NULL: no memory. */
struct flow *flow_room(const struct yadisk *y);
