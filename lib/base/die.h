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

/*
 * Waiting less, for the same tests: with YDSYNC_HASTE=N (1 to 1000) the engine's clock goes N times
 * as fast as the world's, so that every back-off, pace and patience takes an N-th.  1 otherwise.
 */
#ifdef YDSYNC_TEST_HOOKS
unsigned die_haste(void);
#else
static inline unsigned die_haste(void)
{
        return 1;
}
#endif
