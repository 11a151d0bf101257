/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which folder each watch is on: number -> key, in one table and one piece of memory, for there may be
 * a million of them.
 *
 * Only as true as the last scan: a folder that lies in one that was moved has its old key until it is
 * scanned again.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct watched_slot {
        int number; /* from 1; 0: empty */
        uint32_t at; /* of its key, in `keys` */
};

struct watched {
        struct watched_slot *slots;
        size_t size, n; /* of slots: a power of two; taken */
        char *keys;     /* one after the other, each with its NUL */
        size_t len, room, dead; /* of keys: written, to be had, written and not needed any more */
};

void watched_finish(struct watched *w);

/* Sets or replaces; false: no memory, and then nothing is known of that number. */
bool watched_set(struct watched *w, int number, const char *key);
void watched_remove(struct watched *w, int number);

/* NULL: not known.  Good until the next call that changes something. */
const char *watched_key(const struct watched *w, int number);
