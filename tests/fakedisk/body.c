/* SPDX-License-Identifier: MIT */

/*
 * Bodies are hashed while they arrive.  Up to SMALL bytes are collected in memory, so that a small
 * file costs one open, one write and one rename, and nothing at all when its content is known
 * already; anything longer goes to a temporary file at once.
 */

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "body.h"
#include "util.h"

#define SMALL 65536

struct body {
        struct store *store;
        struct digest *digest;
        bool want_sha256;
        int64_t size;
        struct buf small;               /* all of it while fd < 0 and the store keeps bodies */
        int fd;
        bool corrupt;                   /* turn the first byte over */
        char tmp[40];                   /* name of the temporary file, relative to the store */
};

struct body *body_create(struct store *s, bool want_sha256)
{
        struct body *b = xcalloc(1, sizeof *b);

        b->store = s;
        b->fd = -1;
        b->digest = digest_create(store_helper(s), want_sha256);
        b->want_sha256 = want_sha256;
        return b;
}

void body_destroy(struct body *b)
{
        if (!b)
                return;
        if (b->fd >= 0)
                close(b->fd);
        if (b->tmp[0])
                store_remove_tmp(b->store, b->tmp);
        digest_destroy(b->digest);
        buf_finish(&b->small);
        free(b);
}

int64_t body_size(const struct body *b)
{
        return b->size;
}

void body_corrupt(struct body *b)
{
        b->corrupt = true;
}

static int write_all(int fd, const char *s, size_t n)
{
        while (n > 0) {
                ssize_t done = write(fd, s, n);

                if (done < 0 && errno == EINTR)
                        continue;
                if (done < 0)
                        return -errno;
                s += done;
                n -= (size_t)done;
        }
        return 0;
}

static int spill(struct body *b)
{
        int r;

        b->fd = store_open_tmp(b->store, b->tmp);
        if (b->fd < 0)
                return b->fd;
        r = write_all(b->fd, b->small.s ? b->small.s : "", b->small.len);
        buf_finish(&b->small);
        return r;
}

static int keep(struct body *b, const void *bytes, size_t n)
{
        int r;

        if (!store_keeps(b->store))
                return 0;
        if (b->fd < 0 && b->small.len + n <= SMALL) {
                buf_add(&b->small, bytes, n);
                return 0;
        }
        if (b->fd < 0) {
                r = spill(b);
                if (r < 0)
                        return r;
        }
        return write_all(b->fd, bytes, n);
}

int body_write(struct body *b, const void *bytes, size_t n)
{
        _cleanup_(freep) uint8_t *turned = NULL;

        if (n == 0)
                return 0;
        if (b->corrupt && b->size == 0) {
                turned = xmalloc(n);
                memcpy(turned, bytes, n);
                turned[0] ^= 0xff;
                bytes = turned;
        }
        digest_add(b->digest, bytes, n);
        b->size += (int64_t)n;
        return keep(b, bytes, n);
}

/* Gets everything written into the temporary file; false when that fails. */
static bool write_out(struct body *b)
{
        return !store_keeps(b->store) || b->fd >= 0 || spill(b) == 0;
}

struct content *body_commit(struct body *b)
{
        struct store *s = b->store;
        struct content *c = xcalloc(1, sizeof *c), *known;

        c->size = b->size;
        c->kept = store_keeps(s);
        c->has_sha256 = b->want_sha256;
        digest_end(b->digest, c->md5, c->sha256);
        known = store_find(s, c->md5);
        if (!known && write_out(b)) {
                known = store_enter(s, TAKE_PTR(c), store_keeps(s) ? b->tmp : NULL);
                b->tmp[0] = '\0';
        }
        free(c);
        body_destroy(b);
        return known;
}
