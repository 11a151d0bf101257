/* SPDX-License-Identifier: MIT */

/* Walks the tree under the lock and writes a line or an object per entry. */

#include "report.h"

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

/* Of something in the trash: where it was, instead of where it is. */
static void add_shown(const struct node *n, const char *path, size_t len, struct buf *b)
{
        _cleanup_(buf_finish) struct buf whole = {};
        const struct node *top = n;
        const char *rest;

        while (top->parent && top->parent->parent)
                top = top->parent;
        if (!top->grave) {
                add_escaped(b, path, len);
                return;
        }
        tree_path(n, &whole);
        rest = strchrnul(whole.s + 1, '/');
        add_escaped(b, top->grave->origin, strlen(top->grave->origin));
        add_escaped(b, rest, strlen(rest));
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

enum svc_error report_text(struct disk *d, const struct path *p, struct buf *ret)
{
        return each(d, p, text_line, ret);
}

enum svc_error report_json(struct disk *d, const struct path *p, struct buf *ret)
{
        enum svc_error e;

        buf_char(ret, '[');
        e = each(d, p, json_object, ret);
        buf_str(ret, "]\n");
        return e;
}

/* A line of the trash, which stands in `text`. */
struct line {
        const struct buf *text;
        size_t at, len, path;           /* where it and its path begin, and its length */
};

static void split(const struct buf *text, struct line *v)
{
        size_t at = 0;

        for (size_t n = 0; at < text->len; n++) {
                size_t len = (size_t)(strchr(text->s + at, '\n') - (text->s + at)) + 1;

                v[n] = (struct line){text, at, len,
                                     (size_t)(strstr(text->s + at, "disk:/") - text->s)};
                at += len;
        }
}

static int compare_lines(const void *x, const void *y)
{
        const struct line *a = x, *b = y;
        const unsigned char *s = (const unsigned char *)a->text->s + a->path;
        const unsigned char *t = (const unsigned char *)b->text->s + b->path;

        while (*s == *t && *s != '\n')
                s++, t++;
        if (*s == *t)
                return (a->at > b->at) - (a->at < b->at);
        if (*s == '\n' || *t == '\n')
                return *s == '\n' ? -1 : 1;
        if (*s == '/' || *t == '/')
                return *s == '/' ? -1 : 1;
        return *s < *t ? -1 : 1;
}

enum svc_error report_trash_text(struct disk *d, const struct path *p, struct buf *ret)
{
        _cleanup_(buf_finish) struct buf text = {};
        _cleanup_(freep) struct line *v = NULL;
        enum svc_error e = report_text(d, p, &text);
        size_t n = 0;

        for (size_t i = 0; i < text.len; i++)
                n += text.s[i] == '\n';
        v = xcalloc(n, sizeof *v);
        split(&text, v);
        qsort(v, n, sizeof *v, compare_lines);
        for (size_t i = 0; i < n; i++)
                buf_add(ret, text.s + v[i].at, v[i].len);
        return e;
}
