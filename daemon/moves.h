/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a scan has found to be moved (lib/core/pair.h), and in which order it is moved on the server.
 *
 * Blocking; on the thread pool.
 */

#include "daemon/scan.h"

struct moves;

/* Reads the plan, which is as it was afterwards.  *ret is NULL when nothing was moved. */
int moves_find(struct moves **ret, struct scan_result *plan, struct err *err);
void moves_destroy(struct moves *m);

uint64_t moves_count(const struct moves *m);

/* The ops of the next wave, in a spool in the folder `dir`; NULL: all have been given. */
int moves_wave(struct moves *m, const char *dir, struct spool **ret, struct err *err);
