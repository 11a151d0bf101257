/* SPDX-License-Identifier: MIT */
#pragma once

/* The smallest flow: have records written, then end. */

#include "lib/core/flow.h"

#define FLOW_WRITE_MAX 16

/* Strings in the records are copied.  At most FLOW_WRITE_MAX.  NULL: no memory. */
struct flow *flow_write(const struct record *records, size_t n);
