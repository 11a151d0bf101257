/* SPDX-License-Identifier: MIT */

/*
 * A download link is a bearer secret: a signature over the content and the time at which it
 * expires.  It redirects to a storage address that needs none.  Errors are pages of nginx.
 */

#include <stdio.h>
#include <unistd.h>

#include "download.h"
#include "reply.h"
#include "server.h"

#define LIFE_S (8 * 3600)

static void sign(const struct request *rq, const char *md5, uint64_t expires, char ret[65])
{
        uint64_t w[4] = {};

        memcpy(w, md5, 32);
        hex_name(ret, mix64(w[0] ^ mix64(w[1] ^ rq->server->disk.secret)),
                 mix64(w[2] ^ mix64(w[3] ^ expires)));
}

void download_href(const struct request *rq, const struct resource *r, const char *name,
                   size_t n, struct buf *ret)
{
        uint64_t expires = (uint64_t)now_real_us() / 1000000 + LIFE_S;
        char md5[33], signature[65];

        hex_encode(md5, r->md5, 16);
        sign(rq, md5, expires, signature);
        reply_base(rq, ORIGIN_DOWNLOADER, ret);
        buf_printf(ret, "/disk/%s/%llx/%s?uid=" SERVER_UID "&filename=", signature,
                   (unsigned long long)expires, md5);
        buf_query(ret, name, n);
        buf_str(ret, "&disposition=attachment&hash=&limit=0&content_type=");
        buf_query(ret, r->media->mime, strlen(r->media->mime));
        buf_str(ret, "&owner_uid=" SERVER_UID);
        if (r->size > 0)
                buf_printf(ret, "&fsize=%lld", (long long)r->size);
        buf_printf(ret, "&hid=%s&media_type=%s&tknv=v2&etag=%s", md5, r->media->type, md5);
}

void download_link(struct request *rq)
{
        char signature[65], md5[33], real[65];
        _cleanup_(buf_finish) struct buf to = {};
        unsigned long long expires;

        if (sscanf(rq->tail, "%64[0-9a-f]/%llx/%32[0-9a-f]", signature, &expires, md5) != 3 ||
            strlen(md5) != 32) {
                reply_html(rq, 404);
                return;
        }
        sign(rq, md5, expires, real);
        if (strcmp(real, signature) != 0) {
                reply_html(rq, 403);
                return;
        }
        if (expires < (uint64_t)now_real_us() / 1000000) {
                reply_html(rq, 410);
                return;
        }
        if (!rq->cfg.download_redirect) {
                rq->tail = strrchr(rq->url, '/') + 1;
                download_content(rq);
                return;
        }
        reply_html(rq, 302);
        reply_base(rq, ORIGIN_DOWNLOADER, &to);
        reply_header(&rq->reply, "Location", "%s/rdisk/%s", to.s, md5);
}

/*
 * "bytes=a-b", "bytes=a-", "bytes=-n" of `size` bytes.  1 = that part, 0 = all of it (no range, or
 * one that is to be ignored), -1 = nothing there.
 */
static int parse_range(const char *s, int64_t size, int64_t *ret_at, int64_t *ret_n)
{
        char first[24] = "", last[24] = "";
        int64_t a = 0, b = size - 1;
        bool has_a, has_b;

        if (!s || strncmp(s, "bytes=", 6) != 0 || strchr(s, ','))
                return 0;
        s += 6;
        if (strspn(s, "0123456789") >= sizeof first)
                return 0;
        memcpy(first, s, strspn(s, "0123456789"));
        s += strlen(first);
        if (*s++ != '-' || strlen(s) >= sizeof last || strspn(s, "0123456789") != strlen(s))
                return 0;
        memcpy(last, s, strlen(s));
        has_a = parse_number(first, INT64_MAX / 4, &a);
        has_b = parse_number(last, INT64_MAX / 4, &b);
        if ((!has_a && !has_b) || (has_a && has_b && b < a))
                return 0;
        if (!has_a) {
                a = b < size ? size - b : 0;
                b = size - 1;
        }
        if (b >= size)
                b = size - 1;
        if (a > b)
                return -1;
        *ret_at = a;
        *ret_n = b - a + 1;
        return 1;
}

static bool hex_bytes(const char *s, uint8_t ret[16])
{
        unsigned v;

        if (strlen(s) != 32 || strspn(s, "0123456789abcdef") != 32)
                return false;
        for (size_t i = 0; i < 16; i++) {
                sscanf(s + 2 * i, "%2x", &v);
                ret[i] = (uint8_t)v;
        }
        return true;
}

static void send_range(struct request *rq, const struct content *c, const char *etag)
{
        const char *range = request_header(rq, "Range"), *if_range = request_header(rq, "If-Range");
        struct reply *r = &rq->reply;
        int64_t at = 0, n = c->size;
        int part = parse_range(range, c->size, &at, &n), fd;

        if (if_range && !strstr(if_range, etag))
                part = 0, at = 0, n = c->size;
        if (part < 0) {
                reply_html(rq, 416);
                reply_header(r, "Content-Range", "bytes */%lld", (long long)c->size);
                return;
        }
        fd = store_open(rq->server->store, c);
        if (fd < 0) {
                reply_html(rq, 500);
                return;
        }
        reply_finish(r);
        r->status = part ? 206 : 200;
        r->type = "application/octet-stream";
        reply_header(r, "ETag", "\"%s\"", etag);
        reply_header(r, "Accept-Ranges", "bytes");
        if (part)
                reply_header(r, "Content-Range", "bytes %lld-%lld/%lld", (long long)at,
                             (long long)(at + n - 1), (long long)c->size);
        if (n == 0) {
                close(fd);
                return;
        }
        r->fd = fd;
        r->fd_at = at;
        r->fd_size = n;
}

void download_content(struct request *rq)
{
        struct content *c = NULL;
        uint8_t md5[16];

        if (hex_bytes(rq->tail, md5))
                c = store_find(rq->server->store, md5);
        if (!c) {
                reply_html(rq, 404);
                return;
        }
        send_range(rq, c, rq->tail);
        store_unref(rq->server->store, c);
}
