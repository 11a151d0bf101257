/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * "The next entry, in tree order": the common face of a walk, a query and an array.
 *
 * next() returns 1 and points *ret at an entry that stays valid until the next call, 0 at the end,
 * or a negative errno when the side ended early: then what was not shown proves nothing.
 *
 * seek(), which may be NULL where it cannot be done, lets the next one be the first at `key` or after
 * it; with `past`, the first that is neither that nor below it.  It goes forward only.
 */

#include "lib/core/entry.h"

struct entry_iter {
        int (*next)(struct entry_iter *it, const struct entry **ret);
        void (*seek)(struct entry_iter *it, const char *key, bool past);
};

static inline int entry_iter_next(struct entry_iter *it, const struct entry **ret)
{
        return it->next(it, ret);
}

static inline void entry_iter_seek(struct entry_iter *it, const char *key, bool past)
{
        if (it->seek)
                it->seek(it, key, past);
}
