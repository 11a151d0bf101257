/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Dying on purpose, for tests (meson -Dtest_hooks=true; otherwise it is nothing at all).
 *
 * The program passes a numbered step before and after everything that changes the world: each
 * commit of the snapshot, each request.  With YDSYNC_DIE_AT=N in the environment it is killed at
 * the N-th; with YDSYNC_STEPS=FILE the number of steps passed is in FILE, kept up to date.
 */

#ifdef YDSYNC_TEST_HOOKS
void die_step(void);
#else
static inline void die_step(void)
{
}
#endif
