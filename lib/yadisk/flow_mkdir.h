/* SPDX-License-Identifier: MIT */
#pragma once

/* Making a folder, and the small errands that only write something down. */

#include "lib/core/flow.h"
#include "lib/core/op.h"
#include "lib/yadisk/yadisk.h"

/*
 * Makes the folder op->entry.key and records its row.  A folder that is there already is as good; a
 * foreign file in its place goes to the Trash first.  For the key "" it makes the cloud folder
 * itself with all above it, and records nothing but the fact "cloud.made".
 */
struct flow *flow_mkdir(const struct yadisk *y, const struct op *op);

/* OP_ADOPT, OP_TOUCH: the row of op->entry; OP_FORGET: no row any more, nor below it. */
struct flow *flow_note(const struct yadisk *y, const struct op *op);
