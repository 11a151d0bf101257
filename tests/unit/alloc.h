/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Memory that runs out when a test says so, for what the program itself asks for (not for what a
 * library does on its behalf).  Only in programs that meson.build links for it.
 *
 *      alloc_fail(3, false);           the third request from now on fails, and no other
 *      r = what_is_tested();
 *      if (alloc_well())               … and so it did
 *              check_eq(r, -ENOMEM);
 */

#include "lib/core/flow.h"

#include <stdbool.h>

/* 1: the next request; `for_good`: all after it, too. */
void alloc_fail(unsigned nth, bool for_good);

/* All is well again; whether any request has failed since alloc_fail(). */
bool alloc_well(void);

/* Nothing fails, and nothing is counted, between the two. */
void alloc_pause(void);
void alloc_resume(void);

/* A flow whose requests count and may be refused, while those of the test that plays it do not.
 * Belongs to the caller; `inner` goes with its destroy(). */
struct alloc_flow {
        struct flow flow;
        struct flow *inner;
};
struct flow *alloc_flow(struct alloc_flow *f, struct flow *inner);
