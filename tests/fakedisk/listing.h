/* SPDX-License-Identifier: MIT */
#pragma once

/* Pages of folders: which children, in which order. */

#include <stdbool.h>
#include <stdint.h>

#include "tree.h"

enum sort {
        SORT_NONE,      /* the service's own: folders first, then by name */
        SORT_NAME,
        SORT_PATH,      /* within one folder the same as by name */
        SORT_CREATED,
        SORT_MODIFIED,
        SORT_SIZE,
};

struct page {
        int64_t limit, offset;  /* entries */
        enum sort sort;
        bool descending;
        bool dirs_first;        /* in the orders other than SORT_NONE */
};

/* Orders that were computed lately, so that the next page need not sort again. */
struct orders {
        struct order {
                uint64_t dir;           /* id of the folder, 0 = unused */
                uint32_t version;       /* of its children */
                struct page page;       /* only the order of it */
                struct node **v;        /* owned */
        } slot[8];
        unsigned next;
};

void listing_orders_finish(struct orders *o);

/*
 * The nodes of one page of `dir`: the caller frees *ret.  `now_us` hides what is not visible yet,
 * 0 hides nothing.  `ret_total` is the number of children that can be seen.
 */
size_t listing_page(struct orders *o, struct node *dir, const struct page *page, int64_t now_us,
                    struct node ***ret, int64_t *ret_total);

/* "name", "-size"…: false when it is none of them. */
bool listing_parse_sort(const char *s, struct page *ret);
