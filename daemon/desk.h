/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the daemon answers at its control socket:
 *
 *      GET  /status          what goes on
 *      GET  /explain?path=P  what is thought of one path, absolute or below the watched folder
 *      POST /verify?repair=1 compare the cloud with the snapshot (and put it right): begins that
 *      GET  /verify          what that has found so far
 *      POST /sync            look at the folder now
 *      POST /pause, /resume  also over a restart
 *      POST /approve?id=ID   release a held plan
 *
 * Answers are JSON objects whose keys stay what they are; a refusal has the key "error".
 */

#include "daemon/mirror.h"
#include "lib/base/err.h"

#include <uv.h>

struct desk;

/* All are borrowed. */
int desk_open(struct desk **ret, uv_loop_t *loop, struct mirror *mirror, const char *state_dir,
              struct err *err);

/* Nothing is answered any more, and the mirror not spoken to; the rest goes with the next turns of
 * the loop.  NULL is fine. */
void desk_close(struct desk *d);
