/* SPDX-License-Identifier: MIT */

/*
 * The lock, lookups, and everything that only reads.  Readers take a snapshot of what they need
 * under the lock and write their JSON after it.
 */

#include "change.h"
#include "disk.h"
#include "link.h"
#include "op.h"

static void make_roots(struct disk *d)
{
        d->root = tree_root(&d->tree, "disk");
        d->trash = tree_root(&d->tree, "trash");
        d->root->created = d->root->modified = d->reg_time;
        d->trash->created = d->trash->modified = d->reg_time;
        d->root->revision = d->trash->revision = disk_bump(d);
}

void disk_init(struct disk *d, struct store *s, const struct config *cfg)
{
        memset(d, 0, sizeof *d);
        pthread_mutex_init(&d->lock, NULL);
        d->cfg = *cfg;
        d->rng.state = (uint64_t)cfg->seed;
        d->secret = rng_next(&d->rng);
        d->reg_time = 1484408483;
        tree_init(&d->tree, s);
        make_roots(d);
}

static void clear(struct disk *d)
{
        op_reset(d);
        link_reset(d);
        free(TAKE_PTR(d->flat));
        listing_orders_finish(&d->orders);
        tree_free(&d->tree, d->root);
        tree_free(&d->tree, d->trash);
        d->uploaded_bytes = 0;
}

void disk_finish(struct disk *d)
{
        clear(d);
        tree_finish(&d->tree);
        pthread_mutex_destroy(&d->lock);
}

void disk_reset(struct disk *d)
{
        disk_lock(d);
        clear(d);
        make_roots(d);
        disk_unlock(d);
}

/* The list of uploads in the same order; the roots of both trees correspond. */
static void copy_uploads(struct disk *to, struct disk *from)
{
        _cleanup_(buf_finish) struct buf path = {};
        struct node *n = from->tree.newest, *top;

        while (n && n->older)
                n = n->older;
        for (; n; n = n->newer) {
                top = tree_is_below(n, from->root) ? to->root : to->trash;
                path.len = 0;
                tree_path(n, &path);
                tree_uploaded(&to->tree, tree_walk(&to->tree, top, path.s + 1, path.len - 1));
        }
}

void disk_copy(struct disk *to, struct disk *from)
{
        int64_t now = now_mono_us(), later_us = from->copied_us ? now - from->copied_us : 0;

        pthread_mutex_lock(&from->lock);
        pthread_mutex_lock(&to->lock);
        link_void(to);
        clear(to);
        make_roots(to);
        tree_copy(&to->tree, to->root, from->root, later_us);
        tree_copy(&to->tree, to->trash, from->trash, later_us);
        if (to->tree.last_id < from->tree.last_id)
                to->tree.last_id = from->tree.last_id;
        copy_uploads(to, from);
        for (const struct op *op = from->op_due; op; op = op->due_next)
                op_copy(to, op, later_us);
        to->invisible_until_us = from->invisible_until_us ? from->invisible_until_us + later_us : 0;
        to->uploaded_bytes = from->uploaded_bytes;
        if (to->copied_us)
                to->copied_us = now;
        pthread_mutex_unlock(&to->lock);
        pthread_mutex_unlock(&from->lock);
}

void disk_configure(struct disk *d, const struct config *cfg)
{
        disk_lock(d);
        if (cfg->seed != d->cfg.seed)
                d->rng.state = (uint64_t)cfg->seed;
        d->cfg = *cfg;
        disk_unlock(d);
}

void disk_lock(struct disk *d)
{
        pthread_mutex_lock(&d->lock);
        if (d->op_due)
                op_run_due(d);
}

void disk_unlock(struct disk *d)
{
        pthread_mutex_unlock(&d->lock);
}

uint64_t disk_bump(struct disk *d)
{
        uint64_t now = (uint64_t)now_real_us();

        d->revision = now > d->revision ? now : d->revision + 1;
        return d->revision;
}

int64_t disk_used(const struct disk *d)
{
        return tree_bytes(d->root) + tree_bytes(d->trash);
}

void disk_get_info(struct disk *d, struct disk_info *ret)
{
        disk_lock(d);
        *ret = (struct disk_info){
                .total = d->cfg.quota,
                .used = disk_used(d),
                .trash = tree_bytes(d->trash),
                .max_file_size = d->cfg.max_file_size,
                .revision = d->revision,
                .reg_time = d->reg_time,
        };
        disk_unlock(d);
}

static struct node *top_of(struct disk *d, enum area area)
{
        return area == AREA_TRASH ? d->trash : d->root;
}

struct node *disk_find(struct disk *d, const struct path *p)
{
        return tree_walk(&d->tree, top_of(d, p->area), p->s, p->len);
}

struct node *disk_find_parent(struct disk *d, const struct path *p)
{
        size_t len, parent_len;
        struct node *n;

        path_name(p, &len, &parent_len);
        n = tree_walk(&d->tree, top_of(d, p->area), p->s, parent_len);
        return n && n->is_dir ? n : NULL;
}

/* The moment to judge visibility by, 0 when everything can be seen anyway. */
static int64_t seeing_us(const struct disk *d)
{
        int64_t now;

        if (d->invisible_until_us == 0)
                return 0;
        now = now_mono_us();
        return now < d->invisible_until_us ? now : 0;
}

enum svc_error disk_stat(struct disk *d, const struct path *p, const struct page *page,
                         struct snapshot *ret)
{
        _cleanup_(freep) struct node **v = NULL;
        struct node *n;
        int64_t now;
        size_t count;

        disk_lock(d);
        n = disk_find(d, p);
        now = seeing_us(d);
        if (!n || (now > 0 && n->visible_us > now)) {
                disk_unlock(d);
                return SVC_NOT_FOUND;
        }
        snapshot_add(n, ret);
        if (n->is_dir && page) {
                count = listing_page(&d->orders, n, page, now, &v, &ret->total);
                for (size_t i = 0; i < count; i++)
                        snapshot_add(v[i], ret);
        }
        disk_unlock(d);
        return SVC_OK;
}

/* Is `type` one of the comma list? */
static bool wanted(const char *media, const char *type)
{
        size_t n = strlen(type);

        if (!media || !*media)
                return true;
        for (;; media++) {
                size_t len = strcspn(media, ",");

                if (len == n && memcmp(media, type, n) == 0)
                        return true;
                media += len;
                if (!*media)
                        return false;
        }
}

struct collect {
        struct node **v;
        size_t n, cap;
};

static void collect_file(const struct node *n, const char *path, size_t len, void *arg)
{
        struct collect *c = arg;

        if (n->is_dir)
                return;
        if (c->n == c->cap)
                c->v = xrealloc(c->v, (c->cap = c->cap ? c->cap * 2 : 256) * sizeof *c->v);
        c->v[c->n++] = n->parent->kids->v[n->index];
}

static int compare_files(const void *x, const void *y)
{
        const struct node *a = *(struct node *const *)x, *b = *(struct node *const *)y;
        int r = tree_compare(a, b);

        return r != 0 ? r : (a->id > b->id) - (a->id < b->id);
}

static void flatten(struct disk *d)
{
        struct collect c = {};

        if (d->flat && d->flat_revision == d->revision)
                return;
        tree_each(d->root, collect_file, &c);
        if (c.n > 0)
                qsort(c.v, c.n, sizeof *c.v, compare_files);
        free(d->flat);
        d->flat = c.v;
        d->flat_n = c.n;
        d->flat_revision = d->revision;
}

void disk_files(struct disk *d, const struct page *page, const char *media, struct snapshot *ret)
{
        int64_t seen = 0;

        disk_lock(d);
        flatten(d);
        for (size_t i = 0; i < d->flat_n && (int64_t)ret->n < page->limit; i++) {
                size_t at = page->descending ? d->flat_n - 1 - i : i;

                if (wanted(media, d->flat[at]->media->type) && seen++ >= page->offset)
                        snapshot_add(d->flat[at], ret);
        }
        disk_unlock(d);
}

void disk_last_uploaded(struct disk *d, int64_t limit, const char *media, struct snapshot *ret)
{
        disk_lock(d);
        for (struct node *n = d->tree.newest; n && (int64_t)ret->n < limit; n = n->older)
                if (tree_is_below(n, d->root) && wanted(media, n->media->type))
                        snapshot_add(n, ret);
        disk_unlock(d);
}

struct content *disk_content(struct disk *d, const struct path *p)
{
        struct content *c = NULL;
        struct node *n;

        disk_lock(d);
        n = disk_find(d, p);
        if (n && !n->is_dir)
                c = store_ref(d->tree.store, n->content);
        disk_unlock(d);
        return c;
}
