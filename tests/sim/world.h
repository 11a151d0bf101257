/* SPDX-License-Identifier: MIT */
#pragma once

#include "tests/sim/sim.h"

/* Plays one world from its beginning to its rest.  At most `steps` things are done to it (UINT_MAX:
 * as many as the seed says).  What came of it is in `sim`; returns how many things were done. */
unsigned world_play(uint64_t seed, unsigned steps);
