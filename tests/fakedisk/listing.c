/* SPDX-License-Identifier: MIT */

/*
 * Clients ask for a big folder page by page, each page a request of its own, often with an
 * explicit order.  The order is kept in a few slots, valid while the folder's version is the same.
 */

#include "listing.h"

void listing_orders_finish(struct orders *o)
{
        for (size_t i = 0; i < ARRAY_SIZE(o->slot); i++)
                free(o->slot[i].v);
        *o = (struct orders){};
}

bool listing_parse_sort(const char *s, struct page *ret)
{
        static const char *const name[] = {
                [SORT_NAME] = "name",         [SORT_PATH] = "path",
                [SORT_CREATED] = "created",   [SORT_MODIFIED] = "modified",
                [SORT_SIZE] = "size",
        };

        ret->descending = *s == '-';
        s += *s == '-';
        for (size_t i = SORT_NAME; i < ARRAY_SIZE(name); i++)
                if (strcmp(name[i], s) == 0) {
                        ret->sort = (enum sort)i;
                        return true;
                }
        return false;
}

static int64_t key_of(const struct node *n, enum sort sort)
{
        switch (sort) {
        case SORT_CREATED:
                return n->created;
        case SORT_MODIFIED:
                return n->modified;
        case SORT_SIZE:
                return n->is_dir ? 0 : n->content->size;
        case SORT_NONE:
        case SORT_NAME:
        case SORT_PATH:
                break;
        }
        return 0;
}

static int compare(const void *x, const void *y, void *arg)
{
        const struct node *a = *(struct node *const *)x, *b = *(struct node *const *)y;
        const struct page *p = arg;
        int64_t i = key_of(a, p->sort), j = key_of(b, p->sort);
        int r;

        if (p->dirs_first && a->is_dir != b->is_dir)
                return a->is_dir ? -1 : 1;
        r = i != j ? (i > j ? 1 : -1) : tree_compare(a, b);
        return p->descending ? -r : r;
}

static bool same_order(const struct page *a, const struct page *b)
{
        return a->sort == b->sort && a->descending == b->descending &&
               a->dirs_first == b->dirs_first;
}

/* All children of `dir` in the order of `page`; valid until the next call. */
static struct node **ordered(struct orders *o, struct node *dir, const struct page *page)
{
        struct kids *k = dir->kids;
        struct order *e;

        tree_sort(dir);
        if (page->sort == SORT_NONE)
                return k->v;
        for (e = o->slot; e < o->slot + ARRAY_SIZE(o->slot); e++)
                if (e->dir == dir->id && e->version == k->version && same_order(&e->page, page))
                        return e->v;
        e = &o->slot[o->next++ % ARRAY_SIZE(o->slot)];
        free(e->v);
        *e = (struct order){.dir = dir->id, .version = k->version, .page = *page};
        e->v = xmalloc(k->n * sizeof *e->v);
        memcpy(e->v, k->v, k->n * sizeof *e->v);
        qsort_r(e->v, k->n, sizeof *e->v, compare, &e->page);
        return e->v;
}

static int64_t at_most(int64_t a, int64_t b)
{
        return a < b ? a : b;
}

size_t listing_page(struct orders *o, struct node *dir, const struct page *page, int64_t now_us,
                    struct node ***ret, int64_t *ret_total)
{
        struct node **v, **out;
        int64_t total = 0, n = 0;

        *ret = NULL;
        *ret_total = 0;
        if (tree_is_empty(dir))
                return 0;
        v = ordered(o, dir, page);
        *ret = out = xmalloc((size_t)at_most(page->limit, dir->kids->n) * sizeof *out);
        if (now_us == 0) {
                *ret_total = dir->kids->n;
                for (int64_t i = page->offset; i < *ret_total && n < page->limit; i++)
                        out[n++] = v[i];
                return (size_t)n;
        }
        for (uint32_t i = 0; i < dir->kids->n; i++) {
                if (v[i]->visible_us > now_us)
                        continue;
                if (total++ >= page->offset && n < page->limit)
                        out[n++] = v[i];
        }
        *ret_total = total;
        return (size_t)n;
}
