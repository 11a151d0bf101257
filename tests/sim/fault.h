/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What goes wrong, and how often.
 *
 * A world has few kinds of trouble, each often, rather than all of them seldom: so the rare
 * meetings of two are met.  Some kinds last for a while once they have come.
 */

#include "tests/sim/sim.h"

/* Chooses the kinds of this world. */
void fault_begin(void);

/* Whether it goes wrong now, this way; counted. */
bool fault_strikes(enum sim_count kind);

/* For kinds that last: whether it is so now. */
bool fault_lasts(enum sim_count kind);

/* Whether it may strike in this world at all. */
bool fault_possible(enum sim_count kind);

/* No false "stored": for worlds in which nothing is verified. */
void fault_forbid_lies(void);
