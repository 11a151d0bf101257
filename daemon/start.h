/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What must be there before the first pass.  Memory, threads and descriptors may be short at any
 * time; later that costs one operation, here it is the end, with a sentence.
 */

#include "lib/base/err.h"

#include <uv.h>

/* The libraries.  To be called once, before there are threads. */
int start_libraries(struct err *err);
void start_libraries_finish(void);

/* The loop, its threads, and a signal handler in it for SIGTERM and SIGINT each. */
int start_loop(uv_loop_t *loop, uv_signal_t signals[2], uv_signal_cb stop, struct err *err);
