/* SPDX-License-Identifier: MIT */

/*
 * The bodies of the service, key by key.  Success says "application/json; charset=utf-8", errors
 * say "application/json"; that is how the service tells them.
 */

#include <stdio.h>
#include <unistd.h>

#include "download.h"
#include "reply.h"
#include "server.h"

void reply_init(struct reply *r)
{
        *r = (struct reply){.fd = -1};
}

void reply_finish(struct reply *r)
{
        buf_finish(&r->body);
        if (r->fd >= 0)
                close(r->fd);
        reply_init(r);
}

void reply_header(struct reply *r, const char *name, const char *format, ...)
{
        struct header *h = &r->headers[r->header_count];
        va_list args;

        if (r->header_count == ARRAY_SIZE(r->headers))
                return;
        r->header_count++;
        h->name = name;
        va_start(args, format);
        vsnprintf(h->value, sizeof h->value, format, args);
        va_end(args);
}

static void start(struct request *rq, int status, const char *type)
{
        reply_finish(&rq->reply);
        rq->reply.status = status;
        rq->reply.type = type;
}

/* `text` with `detail` in place of its %s, as a JSON string. */
static void add_text(struct buf *b, const char *text, const char *detail)
{
        const char *at = strstr(text, "%s");
        _cleanup_(buf_finish) struct buf s = {};

        buf_add(&s, text, at ? (size_t)(at - text) : strlen(text));
        if (at) {
                buf_str(&s, detail ? detail : "");
                buf_str(&s, at + 2);
        }
        buf_json(b, s.s, s.len);
}

void reply_error(struct request *rq, enum svc_error e, const char *detail)
{
        const struct svc_error_info *info = svc_error_info(e);
        struct object o;

        start(rq, info->status, "application/json");
        rq->reply.error = info->name;
        object_begin(&o, &rq->reply.body, NULL, rq->cfg.shuffle);
        if (object_key(&o, "message", NULL))
                add_text(&rq->reply.body, info->message, detail);
        if (object_key(&o, "description", NULL))
                add_text(&rq->reply.body, info->description, detail);
        object_str(&o, "error", info->name);
        if (e == SVC_TOO_LARGE)
                object_int(&o, "limit", rq->cfg.max_file_size);
        object_end(&o);
        if (e == SVC_TOO_MANY && rq->cfg.retry_after >= 0)
                reply_header(&rq->reply, "Retry-After", "%lld", (long long)rq->cfg.retry_after);
}

void reply_path_error(struct request *rq, enum svc_error e, const struct path *p)
{
        _cleanup_(buf_finish) struct buf shown = {};

        path_print(p, &shown);
        reply_error(rq, e, shown.s);
}

void reply_bad_field(struct request *rq, const char *field, const char *why)
{
        char detail[200];

        snprintf(detail, sizeof detail, "\"%s\": %s", field, why);
        reply_error(rq, SVC_BAD_FIELD, detail);
}

void reply_status(struct request *rq, int status)
{
        start(rq, status, NULL);
}

void reply_html(struct request *rq, int status)
{
        start(rq, status, REPLY_HTML);
        buf_printf(&rq->reply.body,
                   "<html>\r\n<head><title>%d</title></head>\r\n<body>\r\n"
                   "<center><h1>%d</h1></center>\r\n<hr><center>nginx</center>\r\n"
                   "</body>\r\n</html>\r\n", status, status);
}

void reply_no_content(struct request *rq)
{
        start(rq, 204, REPLY_JSON);
}

struct buf *reply_json(struct request *rq, int status)
{
        start(rq, status, REPLY_JSON);
        return &rq->reply.body;
}

void reply_base(const struct request *rq, enum origin origin, struct buf *ret)
{
        buf_str(ret, rq->cfg.href_scheme);
        buf_str(ret, "://");
        buf_str(ret, rq->cfg.href_host);
        buf_char(ret, ':');
        buf_int(ret, rq->server->port[origin]);
}

static void unknown_key(const struct request *rq, struct object *o)
{
        char name[24];

        if (!rq->cfg.extra_keys || o->fields)
                return;
        snprintf(name, sizeof name, "x_unheard_of_%u", rng_below(rng_thread(), 1000));
        if (object_key(o, name, NULL))
                buf_str(o->b, "{\"a\":[null,1.5e3,\"\\u0007\"]}");
}

static void link_body(struct request *rq, int status, const char *href)
{
        struct object o;

        object_begin(&o, reply_json(rq, status), rq->fields, rq->cfg.shuffle);
        object_str(&o, "href", href);
        object_str(&o, "method", "GET");
        object_bool(&o, "templated", false);
        unknown_key(rq, &o);
        object_end(&o);
}

void reply_resource_link(struct request *rq, int status, const struct path *p)
{
        _cleanup_(buf_finish) struct buf href = {}, shown = {};

        path_print(p, &shown);
        reply_base(rq, ORIGIN_API, &href);
        buf_str(&href, "/v1/disk/resources?path=");
        buf_query(&href, shown.s, shown.len);
        link_body(rq, status, href.s);
}

void reply_operation_link(struct request *rq, const char *op_id)
{
        _cleanup_(buf_finish) struct buf href = {};

        reply_base(rq, ORIGIN_API, &href);
        buf_str(&href, "/v1/disk/operations");
        buf_str(&href, rq->cfg.op_href == OP_HREF_PATH ? "/" : "?id=");
        buf_str(&href, op_id);
        link_body(rq, 202, href.s);
}

static void file_members(const struct request *rq, const struct snapshot *l,
                         const struct resource *r, struct object *o)
{
        _cleanup_(buf_finish) struct buf url = {};

        object_int(o, "size", r->size);
        object_str(o, "mime_type", r->media->mime);
        object_str(o, "media_type", r->media->type);
        object_hex(o, "md5", r->md5, 16);
        if (r->has_sha256)
                object_hex(o, "sha256", r->sha256, 32);
        object_str(o, "antivirus_status", "clean");
        if (object_key(o, "file", NULL)) {
                download_href(rq, r, l->text.s + r->name, r->name_len, &url);
                buf_json(o->b, url.s, url.len);
        }
}

static void ids(const struct resource *r, struct object *o)
{
        char hex[65], id[128];

        hex_name(hex, 'r', r->id);
        snprintf(id, sizeof id, SERVER_UID ":%s", hex);
        object_str(o, "resource_id", id);
        if (object_key(o, "comment_ids", NULL))
                buf_printf(o->b, "{\"private_resource\":\"%s\",\"public_resource\":\"%s\"}", id,
                           id);
}

static void members(const struct request *rq, const struct snapshot *l, const struct resource *r,
                    struct object *o)
{
        const char *t = l->text.s;

        object_strn(o, "path", t + r->path, r->path_len);
        object_str(o, "type", r->media ? "file" : "dir");
        object_strn(o, "name", t + r->name, r->name_len);
        object_time(o, "created", r->created);
        object_time(o, "modified", r->modified);
        object_int(o, "revision", (int64_t)r->revision);
        ids(r, o);
        if (object_key(o, "exif", NULL))
                buf_str(o->b, "{}");
        if (r->media)
                file_members(rq, l, r, o);
        if (r->props_len > 0 && object_key(o, "custom_properties", NULL))
                buf_add(o->b, t + r->props, r->props_len);
        if (r->deleted >= 0) {
                object_time(o, "deleted", r->deleted);
                object_strn(o, "origin_path", t + r->origin, r->origin_len);
        }
        unknown_key(rq, o);
}

void reply_resource(const struct request *rq, const struct snapshot *l, const struct resource *r,
                    const struct fields *f, struct buf *ret)
{
        struct object o;

        object_begin(&o, ret, f, rq->cfg.shuffle);
        members(rq, l, r, &o);
        object_end(&o);
}

void reply_items(const struct request *rq, const struct snapshot *l, size_t first,
                 const struct fields *f, struct buf *ret)
{
        buf_char(ret, '[');
        for (size_t i = first; i < l->n; i++) {
                if (i > first)
                        buf_char(ret, ',');
                reply_resource(rq, l, &l->v[i], f, ret);
        }
        buf_char(ret, ']');
}

static void embedded(struct request *rq, const struct snapshot *l, const struct page *page,
                     const struct fields *f)
{
        struct buf *b = &rq->reply.body;
        const char *sort = request_param(rq, "sort");
        const struct fields *sub;
        struct object o;

        object_begin(&o, b, f, rq->cfg.shuffle);
        object_str(&o, "sort", sort ? sort : "");
        if (object_key(&o, "items", &sub))
                reply_items(rq, l, 1, sub, b);
        object_int(&o, "limit", page->limit);
        object_int(&o, "offset", page->offset);
        object_strn(&o, "path", l->text.s + l->v[0].path, l->v[0].path_len);
        object_int(&o, "total", l->total);
        object_end(&o);
}

void reply_stat(struct request *rq, const struct snapshot *l, const struct page *page)
{
        const struct fields *sub;
        struct object o;

        object_begin(&o, reply_json(rq, 200), rq->fields, rq->cfg.shuffle);
        members(rq, l, &l->v[0], &o);
        if (page && !l->v[0].media && object_key(&o, "_embedded", &sub))
                embedded(rq, l, page, sub);
        object_end(&o);
}
