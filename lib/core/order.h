/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which op may start now.
 *
 * Ops are added in the order of the plan.  One waits while an earlier one at its own key, or at a
 * folder above it, has not ended; when that one failed, what waited for it is doomed: it ends
 * without having been tried.  A failed key dooms what is added below it later, too.
 */

#include <stdbool.h>

struct order_item {
        const char *key;              /* the caller's; stable while the item is in */
        bool doomed;                  /* what it needed has failed */
        struct order_item *waiters;   /* below: order's own */
        struct order_item *next;
};

struct order;

struct order *order_create(void); /* NULL: no memory */
void order_destroy(struct order *o);

/* 1: may start now (or is doomed: look); 0: waits, order_end() of another will release it;
 * -ENOMEM. */
int order_add(struct order *o, struct order_item *item);

/* The item has ended and may be freed after the call.  Every item that may start now is given to
 * `released`, which must not call order_end() before it returns. */
void order_end(struct order *o, struct order_item *item, bool ok,
               void (*released)(void *userdata, struct order_item *item), void *userdata);
