/* SPDX-License-Identifier: MIT */

#include "lib/core/diff.h"

#include <errno.h>

void diff_init(struct diff *d, struct entry_iter *known, struct entry_iter *seen,
               uint64_t known_root_dev)
{
        *d = (struct diff){
                .known_iter = known,
                .seen_iter = seen,
                .known_root_dev = known_root_dev,
                .cover.key = STR_NULL(SIZE_MAX / 4),
                .seen_key = STR_NULL(SIZE_MAX / 4),
                .advance_known = true,
                .advance_seen = true,
        };
}

void diff_finish(struct diff *d)
{
        str_finish(&d->cover.key);
        str_finish(&d->seen_key);
}

static int diff_cover(struct diff *d, const char *key, bool excluded, int err)
{
        if (d->cover.on && (str_eq(key, str_z(&d->cover.key)) ||
                            entry_key_below(key, str_z(&d->cover.key))))
                return 0; /* something further up covers it already */
        str_clear(&d->cover.key);
        str_adds(&d->cover.key, key);
        d->cover.on = true;
        d->cover.excluded = excluded;
        d->cover.err = err;
        return d->cover.key.failed ? -ENOMEM : 0;
}

static bool diff_covered(const struct diff *d, const char *key)
{
        return d->cover.on && entry_key_below(key, str_z(&d->cover.key));
}

/*
 * Whether a folder stands on the device it stood on.  Device numbers change with a reboot or a
 * replug, so what counts beside the number is the relation to the watched folder's own device: a
 * mount that has gone away, or come, below the watched folder changes that relation.
 */
static bool diff_same_device(const struct diff *d, const struct entry *known,
                             const struct entry *seen)
{
        if (known->stamp.dev == seen->stamp.dev || d->known_root_dev == 0)
                return true;
        if (d->known_root_dev == d->seen_root_dev)
                return false;
        return (known->stamp.dev == d->known_root_dev) == (seen->stamp.dev == d->seen_root_dev);
}

static int diff_step_known(struct diff *d)
{
        int r = entry_iter_next(d->known_iter, &d->known);

        if (r == 0)
                d->known = NULL;
        return r;
}

/*
 * The next seen entry that is news.  The watched folder itself only tells whether it could be read;
 * a second entry for a folder that was left behind (it was moved while it was walked) covers the
 * rest of it.
 */
static int diff_step_seen(struct diff *d)
{
        for (;;) {
                int r = entry_iter_next(d->seen_iter, &d->seen);

                if (r <= 0) {
                        d->seen = NULL;
                        return r;
                }
                if (!d->begun && *d->seen->key == '\0') {
                        d->begun = true;
                        d->seen_root_dev = d->seen->stamp.dev;
                        r = d->seen->err ? diff_cover(d, "", false, d->seen->err) : 0;
                } else if (d->seen_key.len > 0 &&
                           entry_key_cmp(d->seen->key, str_z(&d->seen_key)) <= 0) {
                        if (!d->seen->err)
                                return -EILSEQ; /* not in tree order: nothing can be concluded */
                        r = diff_cover(d, d->seen->key, false, d->seen->err);
                } else {
                        str_truncate(&d->seen_key, 0);
                        str_adds(&d->seen_key, d->seen->key);
                        return d->seen_key.failed ? -ENOMEM : 1;
                }
                if (r < 0)
                        return r;
        }
}

static bool diff_same(const struct entry *known, const struct entry *seen)
{
        if (known->kind == KIND_DIR)
                return known->stamp.ino == seen->stamp.ino && known->stamp.dev == seen->stamp.dev;
        return known->size == seen->size && entry_stamp_eq(&known->stamp, &seen->stamp) &&
               !(known->flags & ENTRY_RACY);
}

static int diff_both(struct diff *d, struct change *c)
{
        const struct entry *known = d->known, *seen = d->seen;
        int r = 0;

        *c = (struct change){.seen = seen, .known = known};
        if (seen->flags & ENTRY_EXCLUDED) {
                c->kind = CHANGE_EXCLUDED;
                r = diff_cover(d, known->key, true, 0);
        } else if (seen->kind == KIND_NONE || seen->kind == KIND_OTHER) {
                c->kind = CHANGE_UNSEEN;
                c->err = seen->kind == KIND_NONE ? seen->err : ELOOP;
                r = diff_cover(d, known->key, false, c->err);
        } else if (seen->kind != known->kind) {
                c->kind = CHANGE_RETYPED;
                if (seen->err)
                        r = diff_cover(d, seen->key, false, seen->err);
        } else if (seen->kind == KIND_DIR && (seen->err || !diff_same_device(d, known, seen))) {
                c->kind = CHANGE_UNSEEN;
                c->err = seen->err ? seen->err : EXDEV;
                r = diff_cover(d, seen->key, false, c->err);
        } else {
                c->kind = diff_same(known, seen) ? CHANGE_NONE : CHANGE_MODIFIED;
        }
        return r < 0 ? r : 1;
}

static int diff_only_seen(struct diff *d, struct change *c)
{
        const struct entry *seen = d->seen;

        *c = (struct change){.seen = seen, .err = seen->err, .kind = CHANGE_NEW};
        if ((seen->flags & ENTRY_EXCLUDED) || seen->kind == KIND_OTHER || seen->kind == KIND_NONE)
                c->kind = CHANGE_OMITTED;
        return 1;
}

/* Returns 0 for what an excluded folder hides: it was told of once. */
static int diff_only_known(struct diff *d, struct change *c)
{
        *c = (struct change){.known = d->known, .kind = CHANGE_GONE};
        if (!diff_covered(d, d->known->key))
                return 1;
        if (d->cover.excluded)
                return 0;
        c->kind = CHANGE_UNSEEN;
        c->err = d->cover.err;
        return 1;
}

int diff_next(struct diff *d, struct change *ret)
{
        for (;;) {
                int r = 0, order;

                if (d->advance_seen)
                        r = diff_step_seen(d);
                if (r >= 0 && d->advance_known)
                        r = diff_step_known(d);
                if (r < 0)
                        return r;
                d->advance_known = d->advance_seen = false;
                if (!d->known && !d->seen)
                        return 0;
                order = !d->known ? 1 : !d->seen ? -1 : entry_key_cmp(d->known->key, d->seen->key);
                d->advance_known = order <= 0;
                d->advance_seen = order >= 0;
                if (order == 0)
                        r = diff_both(d, ret);
                else if (order > 0)
                        r = diff_only_seen(d, ret);
                else
                        r = diff_only_known(d, ret);
                if (r != 0)
                        return r;
        }
}
