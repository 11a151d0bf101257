/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Moves in the cloud that did not work, and when each is worth trying again: on the schedule of
 * failures.h, or at once when what is to be moved has changed.  Until then the same thing is not taken
 * for moved between the same places: it is sent and removed like any other, or is the other end of
 * another move.
 */

#include "lib/core/entry.h"

#include <stdbool.h>
#include <stdint.h>

struct vain;

struct vain *vain_create(void); /* NULL: no memory */
void vain_destroy(struct vain *v);

/* `seen`: what stands here at the new place, which is its key. */
bool vain_waiting(const struct vain *v, const char *from, const struct entry *seen, int64_t now_ms);

/* `least_ms`: no next try before that. */
void vain_add(struct vain *v, const char *from, const struct entry *seen, int64_t least_ms,
              int64_t now_ms);

void vain_clear(struct vain *v, const char *from, const char *to); /* it worked */
