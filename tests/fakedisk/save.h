/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The state of the service put aside under a name and taken back: the Disk, the fault rules with
 * what has struck, the journal with its counters.  Knobs and tokens stay as they are.
 */

#include <stdbool.h>

struct server;
struct saves;

struct saves *save_create(void);
void save_destroy(struct saves *all);

/* Puts the state aside, in place of one of the same name. */
void save_put(struct server *s, const char *name);

/* Takes it back, as often as wanted; false when there is none of this name. */
bool save_take(struct server *s, const char *name);

/* Forgets all. */
void save_clear(struct saves *all);
