/* SPDX-License-Identifier: MIT */

/*
 * A map holds, for each key, the last item added there that has not ended.  An item that must wait
 * hangs on its nearest blocker and is looked at again when that one ends.  Failed keys stay in the
 * map as a tombstone, for what comes later.
 */

#include "lib/core/order.h"

#include "lib/base/map.h"
#include "lib/core/entry.h"

#include <errno.h>
#include <string.h>

struct order {
        struct map *items;
};

static struct order_item order_tombstone;

struct order *order_create(void)
{
        struct order *o = calloc(1, sizeof(*o));

        if (!o)
                return NULL;
        o->items = map_create();
        if (!o->items) {
                free(o);
                return NULL;
        }
        return o;
}

void order_destroy(struct order *o)
{
        if (!o)
                return;
        map_destroy(o->items);
        free(o);
}

/* The nearest folder above the item that has an entry in the map, or NULL. */
static struct order_item *order_above(const struct order *o, const char *key)
{
        size_t len = strlen(key);

        for (;;) {
                struct order_item *found;

                while (len > 0 && key[len - 1] != '/')
                        len--;
                if (len == 0)
                        break;
                len--;
                found = map_get(o->items, key, len);
                if (found)
                        return found;
        }
        return map_get(o->items, "", 0);
}

/* Hangs the item on its blocker; true when there is none. */
static bool order_try(struct order_item *item, struct order_item *blocker)
{
        if (blocker == &order_tombstone)
                item->doomed = true;
        if (!blocker || item->doomed)
                return true;
        item->next = blocker->waiters;
        blocker->waiters = item;
        return false;
}

int order_add(struct order *o, struct order_item *item)
{
        size_t len = strlen(item->key);
        struct order_item *blocker = map_get(o->items, item->key, len);

        if (!blocker)
                blocker = order_above(o, item->key);
        if (map_set(o->items, item->key, len, item) < 0)
                return -ENOMEM;
        return order_try(item, blocker);
}

void order_end(struct order *o, struct order_item *item, bool ok,
               void (*released)(void *userdata, struct order_item *item), void *userdata)
{
        size_t len = strlen(item->key);
        struct order_item *waiters = item->waiters, *in_order = NULL;

        if (map_get(o->items, item->key, len) == item) {
                if (ok)
                        map_remove(o->items, item->key, len);
                else /* the key is there: this takes no memory */
                        map_set(o->items, item->key, len, &order_tombstone);
        }
        while (waiters) { /* they were hung on last first */
                struct order_item *w = waiters;

                waiters = w->next;
                w->next = in_order;
                in_order = w;
        }
        while (in_order) {
                struct order_item *w = in_order;

                in_order = w->next;
                w->next = NULL;
                w->doomed |= !ok;
                if (order_try(w, *w->key ? order_above(o, w->key) : NULL))
                        released(userdata, w);
        }
}
