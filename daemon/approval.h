/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An approval on its way to a running daemon: a small file in the state folder, which the daemon's
 * next pass writes into the snapshot before anything else.  Without a daemon the approval goes into the snapshot itself.
 */

#include "lib/base/err.h"

/* Approves the plan `id`, which must be the one that is held (-ESRCH): in the snapshot, or, where a
 * daemon (this process, too) has that locked, in the file.  Whole or not at all; blocks. */
int approval_give(const char *state_dir, const char *id, struct err *err);

/* Reads what was left; false when there is nothing, or nothing that can be an id. */
bool approval_read(const char *state_dir, char *ret_id, size_t size);

/* Takes it away, once it stands in the snapshot. */
void approval_remove(const char *state_dir);
