/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a scan has found to be moved (lib/core/pair.h), and in which order it is moved on the server.
 *
 * Blocking; on the thread pool.
 */

#include "daemon/scan.h"
#include "daemon/vain.h"

struct moves;

/* Reads the plan, which is as it was afterwards.  *ret is NULL when nothing was moved, or nothing that
 * `vain` leaves to try. */
int moves_find(struct moves **ret, struct scan_result *plan, const struct vain *vain,
               int64_t now_ms, struct err *err);
void moves_destroy(struct moves *m);

uint64_t moves_count(const struct moves *m);

/* The ops of the next wave, in a spool in the folder `dir`; NULL: there is no more to give. */
int moves_wave(struct moves *m, const char *dir, struct spool **ret, struct err *err);

/* An OP_MOVE of the wave has worked: what needs the place that it left may have its turn in the next. */
void moves_made(struct moves *m, const char *from);
