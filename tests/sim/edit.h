/* SPDX-License-Identifier: MIT */
#pragma once

/* What is done to the world: in the watched folder, in the cloud, to the snapshot. */

#include "tests/sim/sim.h"

/* The watched folder and the cloud as they are at the beginning. */
void edit_begin(const char *cloud_root);
void edit_set_root(const char *cloud_root);

/* One thing, of any kind. */
void edit_local(void);
void edit_cloud(void);
void edit_hide(void);

/* A moment at which something may be changed while the program is at it; counted as `when`. */
void edit_may_come(enum sim_count when);

/* Whether the snapshot knows the mount's place on another device than it is on, for good. */
bool edit_mount_is_strange(void);
bool edit_has_mount(void);
/* Whether the key lies on the mount, and the snapshot was begun while that was away: it knows the bare
 * folder, and takes what is mounted over it later for what came into it. */
bool edit_is_over_bare(const char *key);

/* The file was read a moment ago: what is written to it in the same tick of the clock, its stamp does
 * not show. */
void edit_just_read(const char *key);

/* All that hides is taken away; what stands at the folder's path is the folder. */
void edit_heal(void);
