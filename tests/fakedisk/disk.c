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
        orders_finish(&d->orders);
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

void listing_finish(struct listing *l)
{
        free(l->v);
        buf_finish(&l->text);
        *l = (struct listing){};
}

static void snap_names(const struct node *n, const struct node *top, struct listing *l,
                       struct resource *r)
{
        struct buf *t = &l->text;
        const char *origin = n->grave ? n->grave->origin : NULL;

        r->path = t->len;
        buf_str(t, strcmp(top->name, "trash") == 0 ? "trash:" : "disk:");
        tree_path(n, t);
        r->path_len = t->len - r->path;
        r->name = r->path + r->path_len - n->name_len;
        r->name_len = n->name_len;
        if (!n->parent) {
                r->name = t->len;
                buf_str(t, n->name);
        }
        if (!origin)
                return;
        r->origin = t->len;
        r->origin_len = strlen(origin);
        buf_add(t, origin, r->origin_len);
        r->name_len = strlen(strrchr(origin, '/') + 1);
        r->name = r->origin + r->origin_len - r->name_len;
        r->deleted = n->grave->deleted;
}

void disk_snap(struct disk *d, const struct node *n, struct listing *ret)
{
        const struct node *top = n;
        struct resource r = {
                .id = n->id, .revision = n->revision, .created = n->created,
                .modified = n->modified, .media = n->media, .deleted = -1,
        };

        while (top->parent)
                top = top->parent;
        if (n->content) {
                r.size = n->content->size;
                r.has_sha256 = n->content->has_sha256;
                memcpy(r.md5, n->content->md5, 16);
                memcpy(r.sha256, n->content->sha256, 32);
        }
        snap_names(n, top, ret, &r);
        if (n->props) {
                r.props = ret->text.len;
                r.props_len = strlen(n->props);
                buf_add(&ret->text, n->props, r.props_len);
        }
        if ((ret->n & (ret->n - 1)) == 0)
                ret->v = xrealloc(ret->v, (ret->n ? ret->n * 2 : 1) * sizeof *ret->v);
        ret->v[ret->n++] = r;
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
                         struct listing *ret)
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
        disk_snap(d, n, ret);
        if (n->is_dir && page) {
                count = listing_page(&d->orders, n, page, now, &v, &ret->total);
                for (size_t i = 0; i < count; i++)
                        disk_snap(d, v[i], ret);
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

void disk_files(struct disk *d, const struct page *page, const char *media, struct listing *ret)
{
        int64_t seen = 0;

        disk_lock(d);
        flatten(d);
        for (size_t i = 0; i < d->flat_n && (int64_t)ret->n < page->limit; i++) {
                size_t at = page->descending ? d->flat_n - 1 - i : i;

                if (wanted(media, d->flat[at]->media->type) && seen++ >= page->offset)
                        disk_snap(d, d->flat[at], ret);
        }
        disk_unlock(d);
}

void disk_last_uploaded(struct disk *d, int64_t limit, const char *media, struct listing *ret)
{
        disk_lock(d);
        for (struct node *n = d->tree.newest; n && (int64_t)ret->n < limit; n = n->older)
                if (tree_is_below(n, d->root) && wanted(media, n->media->type))
                        disk_snap(d, n, ret);
        disk_unlock(d);
}

struct content *disk_content(struct disk *d, const struct path *p)
{
        struct content *c = NULL;
        struct node *n;

        disk_lock(d);
        n = disk_find(d, p);
        if (n && !n->is_dir)
                c = content_ref(d->tree.store, n->content);
        disk_unlock(d);
        return c;
}

static void add_escaped(struct buf *b, const char *s, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                unsigned char c = (unsigned char)s[i];

                if (c == '\\')
                        buf_add(b, "\\\\", 2);
                else if (c < 0x20 || c == 0x7f)
                        buf_printf(b, "\\x%02x", c);
                else
                        buf_char(b, s[i]);
        }
}

/* Where in the trash something is matters little: its first name is replaced by its origin. */
static void add_shown(const struct node *n, const char *path, size_t len, struct buf *b)
{
        const struct node *top = n, *up = n->parent;
        const char *rest;

        while (up && up->parent) {
                top = up;
                up = up->parent;
        }
        if (!top->grave) {
                add_escaped(b, path, len);
                return;
        }
        add_escaped(b, top->grave->origin, strlen(top->grave->origin));
        rest = memchr(path, '/', len);
        if (rest)
                add_escaped(b, rest, len - (size_t)(rest - path));
}

static void text_line(const struct node *n, const char *path, size_t len, void *arg)
{
        struct buf *b = arg;

        if (n->is_dir) {
                buf_str(b, "d ");
        } else {
                buf_str(b, "f ");
                buf_int(b, n->content->size);
                buf_char(b, ' ');
                buf_hex(b, n->content->md5, 16);
                buf_char(b, ' ');
        }
        add_shown(n, path, len, b);
        buf_char(b, '\n');
}

static void json_object(const struct node *n, const char *path, size_t len, void *arg)
{
        struct buf *b = arg;

        if (b->s[b->len - 1] != '[')
                buf_str(b, ",\n");
        buf_str(b, n->is_dir ? "{\"type\":\"dir\"" : "{\"type\":\"file\"");
        buf_str(b, ",\"path\":");
        buf_json(b, path, len);
        if (!n->is_dir) {
                buf_printf(b, ",\"size\":%lld,\"md5\":\"", (long long)n->content->size);
                buf_hex(b, n->content->md5, 16);
                buf_char(b, '"');
        }
        buf_printf(b, ",\"id\":%llu,\"revision\":%llu", (unsigned long long)n->id,
                   (unsigned long long)n->revision);
        if (n->props)
                buf_printf(b, ",\"custom_properties\":%s", n->props);
        if (n->grave) {
                buf_str(b, ",\"origin_path\":");
                buf_json(b, n->grave->origin, strlen(n->grave->origin));
        }
        buf_char(b, '}');
}

static enum svc_error each(struct disk *d, const struct path *p, tree_visit_fn *visit, void *arg)
{
        struct node *n;

        disk_lock(d);
        n = disk_find(d, p);
        if (n)
                tree_each(n, visit, arg);
        disk_unlock(d);
        return n ? SVC_OK : SVC_NOT_FOUND;
}

enum svc_error disk_tree_text(struct disk *d, const struct path *p, struct buf *ret)
{
        return each(d, p, text_line, ret);
}

enum svc_error disk_tree_json(struct disk *d, const struct path *p, struct buf *ret)
{
        enum svc_error e;

        buf_char(ret, '[');
        e = each(d, p, json_object, ret);
        buf_str(ret, "]\n");
        return e;
}
