/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What was moved here, found among what is new and what is no longer at its place.
 *
 * A thing keeps its inode when it is renamed.  But an inode is given to somebody else as soon as
 * its thing is removed, so it proves little alone:
 *
 *   - a file must have its size and its time of modification too, and the flow that moves it reads
 *     it first and compares its content (flow_move.h);
 *   - a folder must show what was in it: at least one thing, and half of what is right in it at the
 *     least, under the same name and with the stamp it had (what is in a folder that is renamed is
 *     not touched by that).
 *
 * What is moved as part of a folder is not moved alone.  What was moved out of, into or across such
 * a folder is left to a later look, when the snapshot knows of the folder's new place.
 *
 * Where a thing is to go, another may stand that goes on itself (a → b → c): moves come in *waves*,
 * each of which needs nothing but the places that those before it have left.  Things that change
 * places in a circle need one place more: one of them is *parked* first, beside its own place under
 * a name of ours, and goes on from there in a later wave.  A move is given only when those that it
 * needs have been told of with pair_made(): where one did not work, those behind it are not tried.
 *
 * What is known not to work is not chosen: see pair_vain_op.
 *
 * The calls, in this order: pair_gone() for everything that left, in any order; pair_came() for
 * everything that came, in tree order; pair_left() for everything that left again, in tree order;
 * pair_choose(); pair_wave(), and pair_made() for each move of it that worked, until it gives none.  All return 0 or -ENOMEM.
 */

#include "lib/core/op.h"

#include <stdbool.h>

/* Longer keys are not looked at: what is written down of a move must hold them. */
#define PAIR_KEY_MAX 16000

/* So many things that came are looked at; the rest is for a later look. */
#define PAIR_MOST 16384

struct pairs;

/* Whether it is known not to work: `seen` stands here at the new place, which is its key (or is to be
 * parked there). */
typedef bool (*pair_vain_op)(void *userdata, const char *from, const struct entry *seen);

struct pairs *pairs_create(pair_vain_op vain, void *userdata); /* `vain` NULL: nothing is known */
void pairs_destroy(struct pairs *p);

/* A row whose thing is not at its key any more. */
int pair_gone(struct pairs *p, const struct entry *known);

/* An op that brings something up, OP_PUT or OP_MKDIR among them; others are passed over. */
int pair_came(struct pairs *p, const struct op *op);

int pair_left(struct pairs *p, const struct entry *known);

int pair_choose(struct pairs *p);

/* Whether something at this key is parked. */
bool pair_is_parked(const char *key);

uint64_t pair_count(const struct pairs *p); /* moves found */

/*
 * The ops of the next wave: folders that must be there first (the first wave), then OP_MOVE, each
 * given to `add`, whose negative errno ends it.  Returns how many, 0 when there is no more to give.
 */
int pair_wave(struct pairs *p, int (*add)(void *userdata, const struct op *op), void *userdata);

/* An OP_MOVE of the last wave with this `from` has worked. */
void pair_made(struct pairs *p, const char *from);
