/* SPDX-License-Identifier: MIT */
#pragma once

/* Whether a daemon was told to pause: a small file in the state folder, so that it outlives a restart
 * and the snapshot. */

#include "lib/base/err.h"

/* Durable on return. */
int pause_set(const char *state_dir, bool paused, struct err *err);

bool pause_is_set(const char *state_dir);
