/* SPDX-License-Identifier: MIT */
#pragma once

/* Moving on the server what was moved here. */

#include "lib/core/flow.h"
#include "lib/core/op.h"
#include "lib/yadisk/yadisk.h"

/*
 * `op` (copied) is an OP_MOVE.  Just before the call it is looked whether the thing has really left
 * its old key and stands at the new one; a file is read and must have the content that is known.
 * Nothing is ever overwritten.  Whatever speaks against the move ends with END_NOTHING and nothing
 * done: then the thing is removed at its old key and sent to the new one, as if it were another.
 * END_DONE: the rows have their new keys.
 *
 * The service has no condition for a move, so somebody else's version of a file may have gone along.
 * With `unverified` the row says that it has yet to be compared.
 */
struct flow *flow_move(const struct yadisk *y, const struct op *op, bool unverified);

/*
 * Before the call the fact FLOW_MOVE_FACT FROM = TO is written down, and it goes with the commit that
 * knows what became of it.  One that is still there at a start is of a move that was under way when
 * we were killed: this looks whether it was made, and if so gives the rows their new keys.  `row`
 * is that of `from`.  END_DONE: it was made; END_NOTHING: it was not.
 */
#define FLOW_MOVE_FACT "moving/"
struct flow *flow_move_settle(const struct yadisk *y, const struct entry *row, const char *to);
