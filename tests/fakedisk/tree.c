/* SPDX-License-Identifier: MIT */

/*
 * The index is one hash table over (parent, name) for the whole tree.  Since it is keyed by the
 * parent's address, a folder with a million files below it moves by changing one entry.
 *
 * Children are an array that is put into order only when somebody lists it: new ones are appended,
 * removed ones leave a hole.  So a folder may take 100,000 files in any order for one append each,
 * and a listing page by page sorts once.  A page in between of changes costs one pass over the
 * array, which is still nothing beside the page itself.
 *
 * Nothing here recurses: the depth of the tree has no limit.
 */

#include "tree.h"

void tree_init(struct tree *t, struct store *s)
{
        *t = (struct tree){.store = s, .buckets = 1024};
        t->bucket = xcalloc(t->buckets, sizeof *t->bucket);
}

void tree_finish(struct tree *t)
{
        free(t->bucket);
        *t = (struct tree){};
}

static uint32_t hash_of(const struct node *dir, const char *name, size_t n)
{
        uint64_t h = mix64(dir->id * 0x9e3779b97f4a7c15ULL + n), w;

        for (; n >= 8; name += 8, n -= 8) {
                memcpy(&w, name, 8);
                h = mix64(h ^ w);
        }
        w = 0;
        memcpy(&w, name, n);
        return (uint32_t)mix64(h ^ w);
}

static struct node **slot_of(const struct tree *t, uint32_t hash)
{
        return &t->bucket[hash & (t->buckets - 1)];
}

static void index_grow(struct tree *t)
{
        struct node **old = t->bucket;
        size_t n = t->buckets;

        t->buckets *= 2;
        t->bucket = xcalloc(t->buckets, sizeof *t->bucket);
        for (size_t i = 0; i < n; i++)
                while (old[i]) {
                        struct node *e = old[i], **at = slot_of(t, e->hash);

                        old[i] = e->next;
                        e->next = *at;
                        *at = e;
                }
        free(old);
}

static void index_add(struct tree *t, struct node *n)
{
        struct node **at;

        n->hash = hash_of(n->parent, n->name, n->name_len);
        at = slot_of(t, n->hash);
        n->next = *at;
        *at = n;
        if (++t->count > t->buckets)
                index_grow(t);
}

static void index_remove(struct tree *t, struct node *n)
{
        struct node **at = slot_of(t, n->hash);

        while (*at != n)
                at = &(*at)->next;
        *at = n->next;
        t->count--;
}

static void add_bytes(struct node *dir, int64_t bytes)
{
        if (bytes == 0)
                return;
        for (; dir; dir = dir->parent)
                dir->kids->bytes += bytes;
}

static void kids_add(struct node *dir, struct node *n)
{
        struct kids *k = dir->kids;

        if (!k)
                k = dir->kids = xcalloc(1, sizeof *k);
        if (k->n == k->cap) {
                k->cap = k->cap ? k->cap * 2 : 4;
                k->v = xrealloc(k->v, k->cap * sizeof *k->v);
        }
        n->index = k->n;
        k->v[k->n++] = n;
        k->live++;
        k->dirs += n->is_dir;
        k->version++;
}

static void kids_remove(struct node *dir, struct node *n)
{
        struct kids *k = dir->kids;

        k->v[n->index] = NULL;
        k->live--;
        k->dirs -= n->is_dir;
        k->version++;
        if (n->index == k->n - 1)
                k->n--;
        if (k->sorted > k->n)
                k->sorted = k->n;
}

static void attach(struct tree *t, struct node *n, struct node *dir)
{
        n->parent = dir;
        index_add(t, n);
        kids_add(dir, n);
        add_bytes(dir, tree_bytes(n));
}

static void detach(struct tree *t, struct node *n)
{
        add_bytes(n->parent, -tree_bytes(n));
        index_remove(t, n);
        kids_remove(n->parent, n);
        n->parent = NULL;
}

static void set_name(struct node *n, const char *name, size_t len)
{
        char *copy = xstrndup(name, len);

        free(n->name);
        n->name = copy;
        n->name_len = (uint32_t)len;
        if (!n->is_dir)
                n->media = media_of_name(copy, len);
}

static struct node *make(struct tree *t, const char *name, size_t len, struct content *c)
{
        struct node *n = xcalloc(1, sizeof *n);

        n->id = ++t->last_id;
        n->is_dir = !c;
        n->content = c;
        set_name(n, name, len);
        return n;
}

struct node *tree_root(struct tree *t, const char *name)
{
        return make(t, name, strlen(name), NULL);
}

struct node *tree_child(const struct tree *t, const struct node *dir, const char *name, size_t n)
{
        uint32_t hash = hash_of(dir, name, n);

        for (struct node *e = *slot_of(t, hash); e; e = e->next)
                if (e->hash == hash && e->parent == dir && e->name_len == n &&
                    memcmp(e->name, name, n) == 0)
                        return e;
        return NULL;
}

struct node *tree_walk(const struct tree *t, struct node *dir, const char *path, size_t n)
{
        while (n > 0 && dir) {
                const char *slash = memchr(path, '/', n);
                size_t len = slash ? (size_t)(slash - path) : n;

                dir = tree_child(t, dir, path, len);
                path += slash ? len + 1 : len;
                n -= slash ? len + 1 : len;
        }
        return dir;
}

struct node *tree_add_dir(struct tree *t, struct node *dir, const char *name, size_t n)
{
        struct node *e = make(t, name, n, NULL);

        attach(t, e, dir);
        return e;
}

struct node *tree_add_file(struct tree *t, struct node *dir, const char *name, size_t n,
                           struct content *c)
{
        struct node *e = make(t, name, n, c);

        attach(t, e, dir);
        return e;
}

void tree_set_content(struct tree *t, struct node *file, struct content *c)
{
        add_bytes(file->parent, c->size - file->content->size);
        store_unref(t->store, file->content);
        file->content = c;
        tree_touched(file);
}

static void uploads_remove(struct tree *t, struct node *n)
{
        if (n->newer)
                n->newer->older = n->older;
        else if (t->newest == n)
                t->newest = n->older;
        if (n->older)
                n->older->newer = n->newer;
        n->newer = n->older = NULL;
}

void tree_uploaded(struct tree *t, struct node *file)
{
        uploads_remove(t, file);
        file->older = t->newest;
        if (t->newest)
                t->newest->newer = file;
        t->newest = file;
}

void tree_touched(struct node *n)
{
        if (n->parent)
                n->parent->kids->version++;
}

void tree_move(struct tree *t, struct node *n, struct node *dir, const char *name, size_t len)
{
        detach(t, n);
        set_name(n, name, len);
        attach(t, n, dir);
}

static void free_one(struct tree *t, struct node *n)
{
        uploads_remove(t, n);
        store_unref(t->store, n->content);
        if (n->kids)
                free(n->kids->v);
        free(n->kids);
        if (n->grave)
                free(n->grave->origin);
        free(n->grave);
        free(n->props);
        free(n->name);
        free(n);
}

/* Takes the last child off `n`; NULL when there is none left. */
static struct node *pop_child(struct tree *t, struct node *n)
{
        struct kids *k = n->kids;

        while (k && k->n > 0) {
                struct node *child = k->v[--k->n];

                if (child) {
                        index_remove(t, child);
                        return child;
                }
        }
        return NULL;
}

void tree_free(struct tree *t, struct node *n)
{
        if (n && n->parent)
                detach(t, n);
        while (n) {
                struct node *child = pop_child(t, n), *up;

                if (child) {
                        n = child;
                        continue;
                }
                up = n->parent;
                free_one(t, n);
                n = up;
        }
}

int tree_compare(const struct node *a, const struct node *b)
{
        size_t n = a->name_len < b->name_len ? a->name_len : b->name_len;
        int r = memcmp(a->name, b->name, n);

        if (r != 0)
                return r;
        return (a->name_len > b->name_len) - (a->name_len < b->name_len);
}

static int compare_kids(const void *x, const void *y)
{
        const struct node *a = *(struct node *const *)x, *b = *(struct node *const *)y;

        if (a->is_dir != b->is_dir)
                return a->is_dir ? -1 : 1;
        return tree_compare(a, b);
}

/* Closes the holes; returns how many slots from the left are in order. */
static uint32_t compact(struct kids *k)
{
        uint32_t to = 0, left = 0;

        for (uint32_t i = 0; i < k->n; i++) {
                if (!k->v[i])
                        continue;
                k->v[to++] = k->v[i];
                if (i < k->sorted)
                        left = to;
        }
        k->n = to;
        return left;
}

static void merge(struct kids *k, uint32_t left)
{
        struct node **tail = xmalloc((k->n - left) * sizeof *tail);
        uint32_t i = left, j = k->n - left, at = k->n;

        memcpy(tail, k->v + left, j * sizeof *tail);
        while (j > 0)
                if (i > 0 && compare_kids(&k->v[i - 1], &tail[j - 1]) > 0)
                        k->v[--at] = k->v[--i];
                else
                        k->v[--at] = tail[--j];
        free(tail);
}

void tree_sort(struct node *dir)
{
        struct kids *k = dir->kids;
        uint32_t left;

        if (!k || (k->sorted == k->n && k->live == k->n))
                return;
        left = compact(k);
        if (left < k->n) {
                qsort(k->v + left, k->n - left, sizeof *k->v, compare_kids);
                merge(k, left);
        }
        for (uint32_t i = 0; i < k->n; i++)
                k->v[i]->index = i;
        k->sorted = k->n;
}

bool tree_is_empty(const struct node *dir)
{
        return !dir->kids || dir->kids->live == 0;
}

bool tree_is_below(const struct node *n, const struct node *top)
{
        while (n && n != top)
                n = n->parent;
        return n == top;
}

int64_t tree_bytes(const struct node *n)
{
        if (!n->is_dir)
                return n->content->size;
        return n->kids ? n->kids->bytes : 0;
}

void tree_path(const struct node *n, struct buf *ret)
{
        size_t len = 0, at;

        for (const struct node *e = n; e->parent; e = e->parent)
                len += e->name_len + 1;
        if (len == 0) {
                buf_char(ret, '/');
                return;
        }
        buf_reserve(ret, len);
        at = ret->len += len;
        ret->s[at] = '\0';
        for (; n->parent; n = n->parent) {
                at -= n->name_len;
                memcpy(ret->s + at, n->name, n->name_len);
                ret->s[--at] = '/';
        }
}

/* Where tree_each() is in one folder: the heads of its two runs, folders and files. */
struct level {
        struct node *dir;
        uint32_t next_dir, next_file;
        size_t path_len;                /* of the folder itself */
};

static struct node *next_of(struct level *l)
{
        struct kids *k = l->dir->kids;
        bool dirs, files;

        if (!k)
                return NULL;
        dirs = l->next_dir < k->dirs;
        files = l->next_file < k->n;
        if (dirs && files) {
                dirs = tree_compare(k->v[l->next_dir], k->v[l->next_file]) < 0;
                files = !dirs;
        }
        if (dirs)
                return k->v[l->next_dir++];
        return files ? k->v[l->next_file++] : NULL;
}

static struct level level_of(struct node *dir, size_t path_len)
{
        tree_sort(dir);
        return (struct level){dir, 0, dir->kids ? dir->kids->dirs : 0, path_len};
}

void tree_each(struct node *top, tree_visit_fn *visit, void *arg)
{
        _cleanup_(buf_finish) struct buf path = {};
        _cleanup_(freep) struct level *stack = NULL;
        size_t depth = 0, cap = 0;

        if (!top->is_dir)
                return;
        stack = xmalloc((cap = 32) * sizeof *stack);
        stack[depth++] = level_of(top, 0);
        while (depth > 0) {
                struct level *l = &stack[depth - 1];
                struct node *n = next_of(l);

                if (!n) {
                        depth--;
                        continue;
                }
                path.len = l->path_len;
                if (path.len > 0)
                        buf_char(&path, '/');
                buf_add(&path, n->name, n->name_len);
                visit(n, path.s, path.len, arg);
                if (!n->is_dir)
                        continue;
                if (depth == cap)
                        stack = xrealloc(stack, (cap *= 2) * sizeof *stack);
                stack[depth++] = level_of(n, path.len);
        }
}

/* What tree_copy() goes about with. */
struct copying {
        struct tree *tree;
        struct node *top;
        int64_t later_us;
};

static void copy_facts(struct node *to, const struct node *from, int64_t later_us)
{
        to->id = from->id;
        to->revision = from->revision;
        to->created = from->created;
        to->modified = from->modified;
        to->visible_us = from->visible_us ? from->visible_us + later_us : 0;
        to->uploaded_us = from->uploaded_us ? from->uploaded_us + later_us : 0;
        to->props = from->props ? xstrdup(from->props) : NULL;
        if (!from->grave)
                return;
        to->grave = xcalloc(1, sizeof *to->grave);
        to->grave->deleted = from->grave->deleted;
        to->grave->origin = xstrdup(from->grave->origin);
}

static void copy_one(const struct node *n, const char *path, size_t len, void *arg)
{
        struct copying *c = arg;
        size_t parent_len = len - n->name_len;
        struct node *dir = tree_walk(c->tree, c->top, path, parent_len ? parent_len - 1 : 0), *copy;

        if (n->is_dir)
                copy = tree_add_dir(c->tree, dir, n->name, n->name_len);
        else
                copy = tree_add_file(c->tree, dir, n->name, n->name_len,
                                     store_ref(c->tree->store, n->content));
        copy_facts(copy, n, c->later_us);
}

void tree_copy(struct tree *t, struct node *to, struct node *from, int64_t later_us)
{
        struct copying c = {t, to, later_us};

        copy_facts(to, from, later_us);
        tree_each(from, copy_one, &c);
}
