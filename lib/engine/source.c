/* SPDX-License-Identifier: MIT */

/*
 * Reading files that others may be writing.
 *
 * Nothing stops a program from changing a file while it is read, so the only safe statement is made
 * afterwards: what was handed out is the file that was expected if, after its last byte was read,
 * both the open descriptor and the name still show the size, times and inode from before.  The
 * bytes that complete the file are held back until then; whoever sends them has never sent a whole
 * file that was not whole.
 */

#include "lib/engine/source.h"

#include "lib/base/str.h"
#include "lib/engine/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>

#define MIB ((uint64_t)1024 * 1024)
#define SEQUENTIAL_MIN MIB   /* smaller ones are read at once anyway */
#define UNCACHED_MIN (64 * MIB)
#define UNCACHED_STEP (8 * MIB)
#define LOOK_STEP (8 * MIB)
#define DIGEST_BUFFER (256u * 1024u)

struct source {
        struct source_root root;
        char *key;
        uint64_t size;
        struct stamp stamp;
        int fd;
        uint64_t offset;   /* bytes read so far */
        uint64_t looked;   /* at which offset the file was looked at last */
        uint64_t uncached; /* up to here the page cache was given back */
        bool whole;        /* all was read and has been verified */
        int failed;        /* the negative errno that every further call returns */
        EVP_MD_CTX *md;
        uint8_t md5[16];
};

/* Not for secrecy but because the service names contents so: also where FIPS rules forbid it.
 * Fetched once; a fetch that found no memory is followed by another. */
static const EVP_MD *source_md(void)
{
        static _Atomic(EVP_MD *) fetched;
        EVP_MD *md = atomic_load(&fetched), *none = NULL;

        if (md)
                return md;
        md = EVP_MD_fetch(NULL, "MD5", "-fips");
        if (!md || atomic_compare_exchange_strong(&fetched, &none, md))
                return md;
        EVP_MD_free(md);
        return none;
}

int source_prepare(void)
{
        return source_md() ? 0 : -ENOTSUP;
}

static int source_md_start(EVP_MD_CTX **ret)
{
        const EVP_MD *md5 = source_md();
        EVP_MD_CTX *md;

        if (!md5)
                return -ENOTSUP;
        md = EVP_MD_CTX_new();
        if (!md || !EVP_DigestInit_ex2(md, md5, NULL)) {
                EVP_MD_CTX_free(md);
                return -ENOMEM;
        }
        *ret = md;
        return 0;
}

/* ---- looks --------------------------------------------------------------------------------- */

int source_look(const struct source_root *root, const char *key, struct entry *ret)
{
        _cleanup_(closep) int fd = -1;

        if (root->follow) {
                fd = beneath_open(root->fd, key, O_PATH, true);
                if (fd < 0 && !beneath_astray(-fd))
                        return fd;
        }
        /* A link that leads nowhere in the tree is there all the same. */
        if (fd < 0)
                fd = beneath_open(root->fd, key, O_PATH | O_NOFOLLOW, root->follow);
        if (fd < 0)
                return beneath_astray(-fd) ? -ENOENT : fd;
        return beneath_look(fd, "", ret);
}

static int source_look_above(const struct source_root *root, const char *key, struct entry *ret)
{
        _cleanup_(freep) char *above = str_dup(key);
        int r = above ? -ENOENT : -ENOMEM;

        while (r == -ENOENT && *above) {
                above[entry_key_parent(above)] = '\0';
                r = source_look(root, above, ret);
        }
        return r;
}

int source_look_there(const struct source_root *root, const char *key, struct entry *ret)
{
        struct entry top = {0};
        int r = source_look(root, key, ret), above;

        if (r == -ENOENT) {
                above = source_look_above(root, key, ret);
                if (above < 0)
                        return above == -ENOENT ? -ESTALE : above;
                ret->kind = KIND_NONE;
        }
        if (r == 0 || r == -ENOENT) {
                above = beneath_look(root->fd, "", &top);
                if (above < 0)
                        return above;
                if (ret->stamp.dev == top.stamp.dev)
                        ret->stamp.dev = 0;
        }
        return r;
}

/* Not the device: it may have another number after a restart, and `expected` may be that old. */
static bool source_agrees(const struct source *s, const struct entry *seen)
{
        return seen->kind == KIND_FILE && seen->size == s->size &&
               seen->stamp.ino == s->stamp.ino && seen->stamp.mtime_ns == s->stamp.mtime_ns &&
               seen->stamp.ctime_ns == s->stamp.ctime_ns;
}

/* A byte beyond the end: some file systems and all of /proc tell sizes that are not so. */
static int source_grew(const struct source *s)
{
        char byte;
        ssize_t n;

        do
                n = pread(s->fd, &byte, 1, (off_t)s->size);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : n > 0;
}

/* The look that everything depends on; to be made after the last byte was read. */
static int source_verify(const struct source *s)
{
        struct entry open = {0}, named = {0};
        int r = source_grew(s);

        if (r != 0)
                return r < 0 ? r : -ESTALE;
        r = beneath_look(s->fd, "", &open);
        if (r < 0)
                return r;
        r = source_look(&s->root, s->key, &named);
        if (r < 0)
                return r == -ENOENT ? -ESTALE : r;
        if (!source_agrees(s, &open) || !source_agrees(s, &named) ||
            open.stamp.dev != named.stamp.dev)
                return -ESTALE;
        return 0;
}

/* ---- opening ------------------------------------------------------------------------------- */

/* Before anything is opened: a device could already take offence at that. */
static int source_judge(const struct source *s, const struct entry *seen)
{
        if (seen->kind == KIND_DIR)
                return -EISDIR;
        if (seen->kind != KIND_FILE)
                return -EINVAL;
        return source_agrees(s, seen) ? 0 : -ESTALE;
}

static int source_open_fd(const struct source *s)
{
        int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | (s->root.follow ? 0 : O_NOFOLLOW);
        int fd = beneath_open(s->root.fd, s->key, flags | O_NOATIME, s->root.follow);

        if (fd == -EPERM) /* another user's file */
                fd = beneath_open(s->root.fd, s->key, flags, s->root.follow);
        return fd;
}

/* Opens, and makes sure that it is what was looked at a moment ago. */
static int source_begin(struct source *s)
{
        struct entry seen = {0};
        int flags, r;

        r = source_look(&s->root, s->key, &seen);
        if (r == 0)
                r = source_judge(s, &seen);
        if (r < 0)
                return r;
        s->fd = source_open_fd(s);
        if (s->fd < 0) /* a link came between: the next look will tell */
                return s->fd == -ELOOP || s->fd == -ENOTDIR ? -ESTALE : s->fd;
        r = beneath_look(s->fd, "", &seen);
        if (r == 0)
                r = source_judge(s, &seen);
        if (r < 0)
                return r;
        /* It was for pipes; file systems in user space may take it at its word. */
        flags = fcntl(s->fd, F_GETFL);
        if (flags < 0 || fcntl(s->fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
                return -errno;
        if (s->size >= SEQUENTIAL_MIN)
                posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        return 0;
}

int source_open(struct source **ret, const struct source_root *root, const struct entry *expected)
{
        _cleanup_(source_closep) struct source *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        s->fd = -1;
        s->root = *root;
        s->size = expected->size;
        s->stamp = expected->stamp;
        s->key = strdup(expected->key);
        if (!s->key)
                return -ENOMEM;
        r = source_md_start(&s->md);
        if (r == 0)
                r = source_begin(s);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

void source_close(struct source *s)
{
        if (!s)
                return;
        closep(&s->fd);
        EVP_MD_CTX_free(s->md);
        free(s->key);
        free(s);
}

/* ---- reading ------------------------------------------------------------------------------- */

/* A mirror reads each file once; the memory serves others better.  Behind the reading point only:
 * what lies ahead may be there because somebody works with it. */
static void source_uncache(struct source *s)
{
        uint64_t fresh = s->offset - s->uncached;

        if (s->size <= UNCACHED_MIN || (fresh < UNCACHED_STEP && s->offset < s->size))
                return;
        posix_fadvise(s->fd, (off_t)s->uncached, (off_t)fresh, POSIX_FADV_DONTNEED);
        s->uncached = s->offset;
}

/* A look on the way, so that of a large file that has changed not all is sent in vain. */
static int source_look_on_the_way(struct source *s)
{
        struct entry seen = {0};
        int r;

        if (s->offset - s->looked < LOOK_STEP)
                return 0;
        s->looked = s->offset;
        r = beneath_look(s->fd, "", &seen);
        if (r < 0)
                return r;
        return source_agrees(s, &seen) ? 0 : -ESTALE;
}

/* All of `size` bytes; fewer means that the file has shrunk. */
static int source_fill(struct source *s, char *buffer, size_t size)
{
        size_t got = 0;

        while (got < size) {
                ssize_t n = read(s->fd, buffer + got, size - got);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return -ESTALE;
                got += (size_t)n;
        }
        if (!EVP_DigestUpdate(s->md, buffer, size))
                return -EIO;
        s->offset += size;
        source_uncache(s);
        return source_look_on_the_way(s);
}

static int source_complete(struct source *s)
{
        int r = source_verify(s);

        if (r < 0)
                return r;
        if (!EVP_DigestFinal_ex(s->md, s->md5, NULL))
                return -EIO;
        s->whole = true;
        return 0;
}

ssize_t source_read(struct source *s, void *buffer, size_t size)
{
        uint64_t left = s->size - s->offset;

        if (s->failed)
                return s->failed;
        if (s->whole)
                return 0;
        if (size == 0 && left > 0)
                return -EINVAL;
        if (size > left)
                size = (size_t)left;
        s->failed = source_fill(s, buffer, size);
        if (s->failed == 0 && s->offset == s->size)
                s->failed = source_complete(s);
        return s->failed ? s->failed : (ssize_t)size;
}

void source_md5(struct source *s, uint8_t ret_md5[16])
{
        memcpy(ret_md5, s->md5, sizeof(s->md5));
}

int source_digest(const struct source_root *root, const struct entry *expected,
                  const atomic_bool *stop, uint8_t ret_md5[16])
{
        _cleanup_(source_closep) struct source *s = NULL;
        _cleanup_(freep) char *buffer = NULL;
        ssize_t n;
        int r;

        r = source_open(&s, root, expected);
        if (r < 0)
                return r;
        buffer = malloc(DIGEST_BUFFER);
        if (!buffer)
                return -ENOMEM;
        do {
                if (stop && atomic_load_explicit(stop, memory_order_relaxed))
                        return -ECANCELED;
                n = source_read(s, buffer, DIGEST_BUFFER);
        } while (n > 0);
        if (n == 0)
                source_md5(s, ret_md5);
        return (int)n;
}
