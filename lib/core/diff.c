/* SPDX-License-Identifier: MIT */

#include "lib/core/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void diff_init(struct diff *d, struct entry_iter *known, struct entry_iter *seen,
               uint64_t known_root_dev)
{
        *d = (struct diff){
                .known_iter = known,
                .seen_iter = seen,
                .known_root_dev = known_root_dev,
                .cover.key = STR_NULL(SIZE_MAX / 4),
                .elsewhere.key = STR_NULL(SIZE_MAX / 4),
                .replaced.key = STR_NULL(SIZE_MAX / 4),
                .seen_key = STR_NULL(SIZE_MAX / 4),
                .advance_known = true,
                .advance_seen = true,
        };
}

void diff_finish(struct diff *d)
{
        str_finish(&d->cover.key);
        str_finish(&d->elsewhere.key);
        str_finish(&d->replaced.key);
        str_finish(&d->seen_key);
        free(d->way);
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

static bool diff_hidden(const struct diff *d, const char *key)
{
        return diff_covered(d, key) || (d->cover.on && str_eq(key, str_z(&d->cover.key)));
}

static int diff_enter(struct diff_below *b, const char *key)
{
        str_clear(&b->key);
        str_adds(&b->key, key);
        b->on = !b->key.failed;
        return b->on ? 0 : -ENOMEM;
}

static bool diff_within(struct diff_below *b, const char *key)
{
        b->on = b->on && entry_key_below(key, str_z(&b->key));
        return b->on;
}

void diff_set_mounts(struct diff *d, const struct diff_mount *mounts, size_t n)
{
        d->mounts = mounts;
        d->n_mounts = n;
}

/* Whether the two numbers are known to be of one disk, and (*ret_told) whether anything is known. */
static bool diff_is_disk(const struct diff *d, uint64_t known_dev, uint64_t seen_dev,
                         bool *ret_told)
{
        *ret_told = (known_dev == 0) != (seen_dev == 0);
        for (size_t i = 0; known_dev != 0 && seen_dev != 0 && i < d->n_mounts; i++) {
                if (d->mounts[i].known_dev != known_dev)
                        continue;
                *ret_told = true;
                if (d->mounts[i].seen_dev == seen_dev)
                        return true;
        }
        return false;
}

/*
 * Whether a folder stands on the device it stood on.  A mount that has gone away, or come, below
 * the watched folder changes the relation to the watched folder's own device.  Where both are
 * mounts, it was looked which disk that is; where that could not be told, their numbers tell them
 * apart, unless the watched folder's own number shows a reboot.
 */
static bool diff_same_device(const struct diff *d, const struct entry *known,
                             const struct entry *seen)
{
        bool told;

        /* Written down after a look at the cloud alone: where it stands here was not known. */
        if (known->stamp.ino == 0)
                return true;
        if (diff_is_disk(d, known->stamp.dev, seen->stamp.dev, &told))
                return true;
        if (told)
                return false;
        return known->stamp.dev == seen->stamp.dev || d->known_root_dev == 0 ||
               d->known_root_dev != d->seen_root_dev;
}

static size_t diff_depth(const char *key)
{
        size_t depth = 0;

        for (; *key; key++)
                depth += *key == '/';
        return depth;
}

/* The folder that what comes next may be in. */
static int diff_note_folder(struct diff *d, const char *key, uint64_t dev, bool partial)
{
        size_t depth = diff_depth(key);

        if (depth >= d->n_way) {
                size_t n = 2 * depth + 16;
                struct diff_folder *way = reallocarray(d->way, n, sizeof(*way));

                if (!way)
                        return -ENOMEM;
                memset(way + d->n_way, 0, (n - d->n_way) * sizeof(*way));
                d->way = way;
                d->n_way = n;
        }
        d->way[depth] = (struct diff_folder){.dev = dev, .partial = partial};
        d->deep = depth + 1;
        return 0;
}

/*
 * Whether what is missing was on a disk that the folder it is missing from is not on.  The rows
 * of files keep the number they were written with, however often their disk gets another; so two
 * numbers of disks of which nothing is known tell nothing.
 */
static bool diff_went_with_its_disk(const struct diff *d, const struct entry *known)
{
        size_t depth = diff_depth(known->key);
        uint64_t here = depth > 0 && depth <= d->n_way ? d->way[depth - 1].dev : 0;
        bool told;

        return known->stamp.dev != 0 && known->stamp.dev != here &&
               !diff_is_disk(d, known->stamp.dev, here, &told) && told;
}

/* Whether it is missing from a folder of which not all was to be shown; also where its folder was not
 * met at all, in a scan that does not show all. */
static bool diff_passed_over(const struct diff *d, const char *key)
{
        size_t depth = diff_depth(key);

        if (depth == 0)
                return d->partial;
        return depth <= d->deep ? d->way[depth - 1].partial : d->sparse;
}

/* On to where the known side may have something to say again: to what was shown next of that folder,
 * or behind the folder. */
static int diff_pass_over(struct diff *d)
{
        _cleanup_(str_finish) struct str folder = STR_NULL(SIZE_MAX / 4);

        str_add(&folder, d->known->key, entry_key_parent(d->known->key));
        if (folder.failed)
                return -ENOMEM;
        if (d->seen && entry_key_below(d->seen->key, str_z(&folder)))
                entry_iter_seek(d->known_iter, d->seen->key, false);
        else
                entry_iter_seek(d->known_iter, str_z(&folder), true);
        return 0;
}

static int diff_step_known(struct diff *d)
{
        int r = entry_iter_next(d->known_iter, &d->known);

        if (r == 0)
                d->known = NULL;
        return r;
}

/* The watched folder itself only tells whether it could be read, and which device is its own. */
static int diff_begin(struct diff *d)
{
        if (*d->seen->key != '\0')
                return -EILSEQ;
        d->begun = true;
        d->seen_root_dev = d->seen->stamp.dev;
        d->root_err = d->seen->err;
        d->partial = d->seen->flags & ENTRY_PARTIAL;
        d->sparse = d->partial;
        return d->seen->err ? diff_cover(d, "", false, d->seen->err) : 0;
}

/* A second entry for a folder that was left behind (it was moved while it was walked) covers the
 * rest of it. */
static int diff_left_behind(struct diff *d)
{
        const char *at = str_z(&d->seen_key);

        if (!d->seen->err ||
            (!str_eq(at, d->seen->key) && !entry_key_below(at, d->seen->key)))
                return -EILSEQ; /* not in tree order: nothing can be concluded */
        return diff_cover(d, d->seen->key, false, d->seen->err);
}

static int diff_took_seen(struct diff *d)
{
        str_truncate(&d->seen_key, 0);
        str_adds(&d->seen_key, d->seen->key);
        if (d->seen_key.failed)
                return -ENOMEM;
        d->seen_here = *d->seen;
        if (d->seen_here.stamp.dev == d->seen_root_dev)
                d->seen_here.stamp.dev = 0;
        d->sparse |= (d->seen->flags & ENTRY_PARTIAL) != 0;
        d->seen = &d->seen_here;
        return 1;
}

/* The next seen entry that is news. */
static int diff_step_seen(struct diff *d)
{
        for (;;) {
                int r = entry_iter_next(d->seen_iter, &d->seen);

                if (r == 0 && !d->begun)
                        r = -EILSEQ; /* nobody has looked */
                if (r <= 0) {
                        d->seen = NULL;
                        return r;
                }
                if (!d->begun)
                        r = diff_begin(d);
                else if (entry_key_cmp(d->seen->key, str_z(&d->seen_key)) <= 0)
                        r = diff_left_behind(d);
                else
                        return diff_took_seen(d);
                if (r < 0)
                        return r;
        }
}

static bool diff_same(const struct entry *known, const struct entry *seen)
{
        /* What has become of a folder that was not looked into is left to a scan that does. */
        if (known->kind == KIND_DIR)
                return (seen->flags & ENTRY_PARTIAL) ||
                       (known->stamp.ino == seen->stamp.ino && known->stamp.dev == seen->stamp.dev);
        return known->size == seen->size && entry_stamp_eq(&known->stamp, &seen->stamp) &&
               !(known->flags & ENTRY_RACY);
}

static int diff_retyped(struct diff *d, struct change *c)
{
        c->kind = CHANGE_RETYPED;
        if (c->known->kind == KIND_DIR)
                return diff_enter(&d->replaced, c->known->key);
        return c->seen->err ? diff_cover(d, c->seen->key, false, c->seen->err) : 0;
}

static int diff_foreign_device(struct diff *d, struct change *c)
{
        int r = diff_cover(d, c->known->key, false, EXDEV);

        c->kind = CHANGE_UNSEEN;
        c->err = EXDEV;
        return r < 0 ? r : diff_enter(&d->elsewhere, c->known->key);
}

static int diff_both(struct diff *d, struct change *c)
{
        const struct entry *known = d->known, *seen = d->seen;
        int r = 0;

        *c = (struct change){.seen = seen, .known = known};
        if (known->kind == KIND_DIR && seen->kind != KIND_DIR)
                r = diff_note_folder(d, known->key, seen->stamp.dev, false);
        if (r < 0)
                return r;
        if (seen->flags & ENTRY_EXCLUDED) {
                c->kind = CHANGE_EXCLUDED;
                r = diff_cover(d, known->key, true, 0);
        } else if (diff_within(&d->elsewhere, known->key)) {
                *c = (struct change){.kind = CHANGE_UNSEEN, .known = known, .err = EXDEV};
                if (known->kind == KIND_FILE && seen->kind == KIND_DIR)
                        r = diff_enter(&d->replaced, known->key);
        } else if (seen->kind == KIND_NONE || seen->kind == KIND_OTHER) {
                c->kind = CHANGE_UNSEEN;
                c->err = seen->kind == KIND_NONE ? seen->err : ELOOP;
                r = diff_cover(d, known->key, false, c->err);
        } else if (seen->kind != known->kind) {
                r = diff_retyped(d, c);
        } else if (seen->kind == KIND_DIR && !diff_same_device(d, known, seen)) {
                r = diff_foreign_device(d, c);
        } else if (seen->kind == KIND_DIR && seen->err) {
                c->kind = CHANGE_UNSEEN;
                c->err = seen->err;
                r = diff_cover(d, seen->key, false, c->err);
        } else {
                c->kind = diff_same(known, seen) ? CHANGE_NONE : CHANGE_MODIFIED;
        }
        return r < 0 ? r : 1;
}

/* The snapshot should have no row below a key that it does not have; if it has, nothing follows
 * from what could not be read here either. */
static int diff_only_seen(struct diff *d, struct change *c)
{
        const struct entry *seen = d->seen;
        int r = 0;

        *c = (struct change){.seen = seen, .err = seen->err, .kind = CHANGE_NEW};
        if (diff_within(&d->replaced, seen->key)) {
                c->kind = CHANGE_OMITTED; /* the file that is known there stays */
                c->err = EXDEV;
                return 1;
        }
        if ((seen->flags & ENTRY_EXCLUDED) || seen->kind == KIND_OTHER || seen->kind == KIND_NONE)
                c->kind = CHANGE_OMITTED;
        if (c->kind == CHANGE_OMITTED || seen->err)
                r = diff_cover(d, seen->key, seen->flags & ENTRY_EXCLUDED,
                               seen->err ? seen->err : ELOOP);
        return r < 0 ? r : 1;
}

/* Returns 0 for what an excluded folder hides: it was told of once; and for what is passed over. */
static int diff_only_known(struct diff *d, struct change *c)
{
        bool passed = diff_passed_over(d, d->known->key);
        int r = 0;

        *c = (struct change){.known = d->known, .kind = CHANGE_GONE};
        if (passed && d->known->kind == KIND_DIR)
                r = diff_note_folder(d, d->known->key, d->known->stamp.dev, true);
        if (r < 0 || passed)
                return r < 0 ? r : diff_pass_over(d);
        if (!diff_covered(d, d->known->key) && diff_went_with_its_disk(d, d->known)) {
                c->with_disk = true;
                r = diff_cover(d, d->known->key, false, EXDEV);
        }
        if (r == 0 && d->known->kind == KIND_DIR)
                r = diff_note_folder(d, d->known->key, d->known->stamp.dev, false);
        if (r < 0)
                return r;
        if (!diff_hidden(d, d->known->key) || diff_within(&d->replaced, d->known->key))
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
                if (order >= 0 && d->seen->kind == KIND_DIR)
                        r = diff_note_folder(d, d->seen->key, d->seen->stamp.dev,
                                             d->seen->flags & ENTRY_PARTIAL);
                if (r < 0)
                        return r;
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
