/* SPDX-License-Identifier: MIT */

/*
 * The rename into an object's name happens under the lock, so that an object that is in the table
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

#include "store.h"
#include "util.h"

struct store {
        pthread_mutex_t lock;           /* of the table and of all `refs` */
        struct content **bucket;
        size_t buckets, count;
        bool keep;
        int dir_fd;
        char *dir;
        atomic_uint_fast64_t serial;    /* names of temporary files */
        struct digest_helper *helper;
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
        s->helper = digest_helper_create();
        r = make_dirs(s);
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
        digest_helper_destroy(s->helper);
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

struct content *store_ref(struct store *s, struct content *c)
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

void store_unref(struct store *s, struct content *c)
{
        if (!c)
                return;
        pthread_mutex_lock(&s->lock);
        if (--c->refs == 0)
                drop(s, c);
        pthread_mutex_unlock(&s->lock);
}

struct content *store_find(struct store *s, const uint8_t md5[16])
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

int store_open(struct store *s, const struct content *c)
{
        char name[96];
        int fd;

        if (!c->kept)
                return -ENOENT;
        object_name(c, name);
        fd = openat(s->dir_fd, name, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

struct digest_helper *store_helper(struct store *s)
{
        return s->helper;
}

bool store_keeps(const struct store *s)
{
        return s->keep;
}

int store_open_tmp(struct store *s, char ret_name[40])
{
        int fd;

        snprintf(ret_name, 40, "tmp/%llu",
                 (unsigned long long)atomic_fetch_add(&s->serial, 1));
        fd = openat(s->dir_fd, ret_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        return fd < 0 ? -errno : fd;
}

void store_remove_tmp(struct store *s, const char *name)
{
        unlinkat(s->dir_fd, name, 0);
}

/* Under the lock: puts the file into its place and the content into the table. */
static struct content *enter(struct store *s, struct content *c, const char *tmp)
{
        struct content **at = &s->bucket[bucket_of(s, c->md5)], *old = *at;
        char name[96];

        while (old && memcmp(old->md5, c->md5, 16) != 0)
                old = old->next;
        if (old) {
                old->refs++;
                return old;
        }
        if (tmp) {
                object_name(c, name);
                if (renameat(s->dir_fd, tmp, s->dir_fd, name) < 0)
                        return NULL;
        }
        c->next = *at;
        c->refs = 1;
        *at = c;
        if (++s->count > s->buckets)
                grow(s);
        return c;
}

struct content *store_enter(struct store *s, struct content *c, const char *tmp)
{
        struct content *entered;

        pthread_mutex_lock(&s->lock);
        entered = enter(s, c, tmp);
        pthread_mutex_unlock(&s->lock);
        if (entered == c)
                return c;
        if (tmp)
                store_remove_tmp(s, tmp);
        free(c);
        return entered;
}
