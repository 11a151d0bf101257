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

/* The loop and its threads. */
int start_loop(uv_loop_t *loop, struct err *err);

/* Closes what is still open in it. */
void start_loop_finish(uv_loop_t *loop);
