/* SPDX-License-Identifier: MIT */

/*
 * Bodies are hashed while they arrive.  Up to SMALL bytes are collected in memory, so that a small
 * file costs one open, one write and one rename; anything longer goes to a temporary file at once.
 * The rename into the object's name happens under the lock, so that an object that is in the table
 * is also on the disk.
 */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "content.h"
#include "util.h"

#define SMALL 65536

struct store {
        pthread_mutex_t lock;           /* of the table and of all `refs` */
        struct content **bucket;
        size_t buckets, count;
        bool keep;
        int dir_fd;
        char *dir;
        atomic_uint_fast64_t serial;    /* names of temporary files */
        EVP_MD *md5, *sha256;
};

struct body {
        struct store *store;
        EVP_MD_CTX *md5, *sha256;       /* sha256 is NULL when nobody wants it */
        int64_t size;
        struct buf small;               /* all of it while fd < 0 and the store keeps bodies */
        int fd;
        bool corrupt;                   /* turn the first byte over */
        char tmp[40];                   /* name of the temporary file, relative to the store */
};

static void object_name(const struct content *c, char ret[96])
{
        char hex[65];

        if (c->has_sha256)
                hex_encode(hex, c->sha256, 32);
        else
                hex_encode(hex, c->md5, 16);
        snprintf(ret, 96, "objects/%.2s/%s", hex, hex + 2);
}

static int make_dirs(struct store *s)
{
        char name[16];

        if (mkdirat(s->dir_fd, "tmp", 0700) < 0 && errno != EEXIST)
                return -errno;
        if (mkdirat(s->dir_fd, "objects", 0700) < 0 && errno != EEXIST)
                return -errno;
        for (unsigned i = 0; i < 256; i++) {
                snprintf(name, sizeof name, "objects/%02x", i);
                if (mkdirat(s->dir_fd, name, 0700) < 0 && errno != EEXIST)
                        return -errno;
        }
        return 0;
}

int store_create(const char *dir, bool keep, struct store **ret)
{
        struct store *s;
        int fd, r;

        if (mkdir(dir, 0700) < 0 && errno != EEXIST)
                return -errno;
        fd = open(dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        s = xcalloc(1, sizeof *s);
        pthread_mutex_init(&s->lock, NULL);
        s->buckets = 1024;
        s->bucket = xcalloc(s->buckets, sizeof *s->bucket);
        s->keep = keep;
        s->dir_fd = fd;
        s->dir = xstrdup(dir);
        s->md5 = EVP_MD_fetch(NULL, "MD5", NULL);
        s->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
        r = s->md5 && s->sha256 ? make_dirs(s) : -ENOTSUP;
        if (r < 0) {
                store_destroy(s, false);
                return r;
        }
        *ret = s;
        return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
        remove(path);
        return 0;
}

void store_destroy(struct store *s, bool remove)
{
        if (!s)
                return;
        for (size_t i = 0; i < s->buckets; i++)
                while (s->bucket[i]) {
                        struct content *c = s->bucket[i];

                        s->bucket[i] = c->next;
                        free(c);
                }
        if (remove)
                nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        free(s->bucket);
        close(s->dir_fd);
        free(s->dir);
        EVP_MD_free(s->md5);
        EVP_MD_free(s->sha256);
        pthread_mutex_destroy(&s->lock);
        free(s);
}

static size_t bucket_of(const struct store *s, const uint8_t md5[16])
{
        uint64_t h;

        memcpy(&h, md5, sizeof h);
        return h & (s->buckets - 1);
}

static void grow(struct store *s)
{
        struct content **old = s->bucket;
        size_t n = s->buckets;

        s->buckets *= 2;
        s->bucket = xcalloc(s->buckets, sizeof *s->bucket);
        for (size_t i = 0; i < n; i++)
                while (old[i]) {
                        struct content *c = old[i], **at;

                        old[i] = c->next;
                        at = &s->bucket[bucket_of(s, c->md5)];
                        c->next = *at;
                        *at = c;
                }
        free(old);
}

struct content *content_ref(struct store *s, struct content *c)
{
        pthread_mutex_lock(&s->lock);
        c->refs++;
        pthread_mutex_unlock(&s->lock);
        return c;
}

static void drop(struct store *s, struct content *c)
{
        struct content **at = &s->bucket[bucket_of(s, c->md5)];
        char name[96];

        while (*at != c)
                at = &(*at)->next;
        *at = c->next;
        s->count--;
        if (c->kept) {
                object_name(c, name);
                unlinkat(s->dir_fd, name, 0);
        }
        free(c);
}

void content_unref(struct store *s, struct content *c)
{
        if (!c)
                return;
        pthread_mutex_lock(&s->lock);
        if (--c->refs == 0)
                drop(s, c);
        pthread_mutex_unlock(&s->lock);
}

struct content *content_find(struct store *s, const uint8_t md5[16])
{
        struct content *c;

        pthread_mutex_lock(&s->lock);
        for (c = s->bucket[bucket_of(s, md5)]; c; c = c->next)
                if (memcmp(c->md5, md5, 16) == 0)
                        break;
        if (c)
                c->refs++;
        pthread_mutex_unlock(&s->lock);
        return c;
}

int content_open(struct store *s, const struct content *c)
{
        char name[96];
        int fd;

        if (!c->kept)
                return -ENOENT;
        object_name(c, name);
        fd = openat(s->dir_fd, name, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

struct body *body_create(struct store *s, bool want_sha256)
{
        struct body *b = xcalloc(1, sizeof *b);

        b->store = s;
        b->fd = -1;
        b->md5 = EVP_MD_CTX_new();
        if (!b->md5 || EVP_DigestInit_ex2(b->md5, s->md5, NULL) != 1)
                abort();
        if (want_sha256) {
                b->sha256 = EVP_MD_CTX_new();
                if (!b->sha256 || EVP_DigestInit_ex2(b->sha256, s->sha256, NULL) != 1)
                        abort();
        }
        return b;
}

void body_destroy(struct body *b)
{
        if (!b)
                return;
        if (b->fd >= 0)
                close(b->fd);
        if (b->tmp[0])
                unlinkat(b->store->dir_fd, b->tmp, 0);
        EVP_MD_CTX_free(b->md5);
        EVP_MD_CTX_free(b->sha256);
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

static int open_tmp(struct body *b)
{
        snprintf(b->tmp, sizeof b->tmp, "tmp/%llu",
                 (unsigned long long)atomic_fetch_add(&b->store->serial, 1));
        b->fd = openat(b->store->dir_fd, b->tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        return b->fd < 0 ? -errno : 0;
}

static int spill(struct body *b)
{
        int r = open_tmp(b);

        if (r < 0)
                return r;
        r = write_all(b->fd, b->small.s ? b->small.s : "", b->small.len);
        buf_finish(&b->small);
        return r;
}

static int keep(struct body *b, const void *bytes, size_t n)
{
        int r;

        if (!b->store->keep)
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
        EVP_DigestUpdate(b->md5, bytes, n);
        if (b->sha256)
                EVP_DigestUpdate(b->sha256, bytes, n);
        b->size += (int64_t)n;
        return keep(b, bytes, n);
}

/* Under the lock: one more reference to the content that equals `c`, which is freed or taken. */
static struct content *enter(struct store *s, struct content *c)
{
        struct content **at = &s->bucket[bucket_of(s, c->md5)], *old;

        for (old = *at; old; old = old->next)
                if (old->size == c->size && memcmp(old->md5, c->md5, 16) == 0) {
                        if (!old->has_sha256 && c->has_sha256 && !old->kept) {
                                memcpy(old->sha256, c->sha256, 32);
                                old->has_sha256 = true;
                        }
                        old->refs++;
                        free(c);
                        return old;
                }
        c->next = *at;
        c->refs = 1;
        *at = c;
        if (++s->count > s->buckets)
                grow(s);
        return c;
}

struct content *body_commit(struct body *b)
{
        struct store *s = b->store;
        struct content *c = xcalloc(1, sizeof *c), *old;
        char name[96];
        int r = 0;

        c->size = b->size;
        c->kept = s->keep;
        c->has_sha256 = b->sha256 != NULL;
        EVP_DigestFinal_ex(b->md5, c->md5, NULL);
        if (b->sha256)
                EVP_DigestFinal_ex(b->sha256, c->sha256, NULL);

        old = content_find(s, c->md5);
        if (old) {
                free(c);
                body_destroy(b);
                return old;
        }
        if (r == 0 && s->keep && b->fd < 0)
                r = spill(b);
        pthread_mutex_lock(&s->lock);
        if (r == 0 && s->keep) {
                object_name(c, name);
                r = renameat(s->dir_fd, b->tmp, s->dir_fd, name) < 0 ? -errno : 0;
                if (r == 0)
                        b->tmp[0] = '\0';
        }
        if (r == 0)
                c = enter(s, c);
        pthread_mutex_unlock(&s->lock);
        if (r < 0) {
                free(c);
                c = NULL;
        }
        body_destroy(b);
        return c;
}
