/* SPDX-License-Identifier: MIT */

/*
 * Open addressing.  What is removed leaves no trace: what was put further on because of it moves up.
 */

#include "daemon/watched.h"

#include "lib/base/mem.h"
#include "lib/base/str.h"

#include <stdlib.h>
#include <string.h>

#define WATCHED_LEAST 64

void watched_finish(struct watched *w)
{
        free(w->slots);
        free(w->keys);
        *w = (struct watched){0};
}

static size_t watched_home(const struct watched *w, int number)
{
        return ((uint32_t)number * 0x9e3779b1u) & (w->size - 1);
}

/* Its slot, or the empty one where it would be. */
static size_t watched_find(const struct watched *w, int number)
{
        size_t i = watched_home(w, number);

        while (w->slots[i].number != 0 && w->slots[i].number != number)
                i = (i + 1) & (w->size - 1);
        return i;
}

/* One slot in three stays empty. */
static bool watched_grow(struct watched *w)
{
        struct watched bigger = *w;

        if (w->slots && (w->n + 1) * 3 <= w->size * 2)
                return true;
        bigger.size = w->slots ? 2 * w->size : WATCHED_LEAST;
        bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
        if (!bigger.slots)
                return false;
        for (size_t i = 0; i < w->size; i++)
                if (w->slots[i].number != 0)
                        bigger.slots[watched_find(&bigger, w->slots[i].number)] = w->slots[i];
        free(w->slots);
        *w = bigger;
        return true;
}

/* Room for so many bytes more; what is dead is left behind. */
static bool watched_reserve(struct watched *w, size_t more)
{
        size_t room = w->len - w->dead + more, len = 0;
        char *keys;

        if (more <= w->room - w->len)
                return true;
        room += room / 2;
        keys = room <= UINT32_MAX ? malloc(room) : NULL;
        if (!keys)
                return false;
        for (size_t i = 0; i < w->size; i++) {
                struct watched_slot *slot = &w->slots[i];
                size_t n = slot->number != 0 ? strlen(w->keys + slot->at) + 1 : 0;

                if (n == 0)
                        continue;
                memcpy(keys + len, w->keys + slot->at, n);
                slot->at = (uint32_t)len;
                len += n;
        }
        free(w->keys);
        w->keys = keys;
        w->len = len;
        w->room = room;
        w->dead = 0;
        return true;
}

bool watched_set(struct watched *w, int number, const char *key)
{
        const char *old = watched_key(w, number);
        size_t n = strlen(key) + 1;
        struct watched_slot *slot;

        if (old && str_eq(old, key))
                return true;
        watched_remove(w, number);
        if (!watched_grow(w) || !watched_reserve(w, n))
                return false;
        slot = &w->slots[watched_find(w, number)];
        *slot = (struct watched_slot){.number = number, .at = (uint32_t)w->len};
        memcpy(w->keys + w->len, key, n);
        w->len += n;
        w->n++;
        return true;
}

void watched_remove(struct watched *w, int number)
{
        size_t hole, i;

        if (!watched_key(w, number))
                return;
        hole = i = watched_find(w, number);
        w->dead += strlen(w->keys + w->slots[hole].at) + 1;
        for (;;) {
                size_t home;

                i = (i + 1) & (w->size - 1);
                if (w->slots[i].number == 0)
                        break;
                home = watched_home(w, w->slots[i].number);
                /* It may move up unless its home lies behind the hole. */
                if (((i - home) & (w->size - 1)) < ((i - hole) & (w->size - 1)))
                        continue;
                w->slots[hole] = w->slots[i];
                hole = i;
        }
        w->slots[hole] = (struct watched_slot){0};
        w->n--;
}

const char *watched_key(const struct watched *w, int number)
{
        const struct watched_slot *slot = w->slots ? &w->slots[watched_find(w, number)] : NULL;

        return slot && slot->number != 0 ? w->keys + slot->at : NULL;
}
