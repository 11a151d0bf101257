/* SPDX-License-Identifier: MIT */

/*
 * All texts of a snapshot go into one buffer, and the entries say where: a page of a thousand
 * files costs a handful of allocations.
 */

#include "snapshot.h"

void snapshot_finish(struct snapshot *s)
{
        free(s->v);
        buf_finish(&s->text);
        *s = (struct snapshot){};
}

static void snap_names(const struct node *n, const struct node *top, struct snapshot *s,
                       struct resource *r)
{
        struct buf *t = &s->text;
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

void snapshot_add(const struct node *n, struct snapshot *ret)
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
