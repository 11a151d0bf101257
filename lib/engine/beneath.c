/* SPDX-License-Identifier: MIT */

/*
 * openat2 does the whole way in one call and cannot be tricked out of the tree by somebody who
 * exchanges folders for links meanwhile.  Where it is missing, the way is gone component by
 * component, and no link is followed at all.
 */

#include "lib/engine/beneath.h"

#include "lib/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

/* The kernel gives EAGAIN when a folder was moved while ".." in a link was judged. */
#define RACES_MAX 32

static int beneath_open2(int dir, const char *path, int flags, bool follow)
{
        struct open_how how = {
                .flags = (unsigned)(flags | O_CLOEXEC),
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS |
                           (follow ? 0 : RESOLVE_NO_SYMLINKS),
        };
        int races = 0;

        for (;;) {
                long fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));

                if (fd >= 0)
                        return (int)fd;
                if (errno == EINTR || (errno == EAGAIN && ++races < RACES_MAX))
                        continue;
                return -errno;
        }
}

static int beneath_step(int dir, const char *name, int flags, bool follow)
{
        char byte;
        int fd;

        if (strcmp(name, "..") == 0)
                return -EXDEV;
        if (follow && !(flags & O_NOFOLLOW) && readlinkat(dir, name, &byte, 1) >= 0)
                return -ENOSYS;
        do
                fd = openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC);
        while (fd < 0 && errno == EINTR);
        return fd >= 0 ? fd : -errno;
}

/* Component by component; writes into `path`. */
static int beneath_steps(int dir, char *path, int flags, bool follow)
{
        _cleanup_(closep) int at = -1;

        for (;;) {
                char *slash = strchr(path, '/');
                int fd;

                if (!slash)
                        return beneath_step(at >= 0 ? at : dir, path, flags, follow);
                *slash = '\0';
                fd = beneath_step(at >= 0 ? at : dir, path, O_PATH | O_DIRECTORY, follow);
                if (fd < 0)
                        return fd;
                closep(&at);
                at = fd;
                path = slash + 1;
        }
}

/* EPERM: a sandbox that does not know openat2, or O_NOATIME on another user's file; in the second
 * case the steps say so as well. */
static int beneath_piece(int dir, char *path, int flags, bool follow)
{
        int r = beneath_open2(dir, path, flags, follow);

        if (r == -ENOSYS || r == -EPERM)
                r = beneath_steps(dir, path, flags, follow);
        return r;
}

/* The length of the piece of `key` that one call can take. */
static size_t beneath_piece_len(const char *key)
{
        size_t n = strnlen(key, PATH_MAX);
        const char *slash;

        if (n < PATH_MAX)
                return n;
        slash = memrchr(key, '/', PATH_MAX);
        return slash ? (size_t)(slash - key) : 0;
}

int beneath_open(int root_fd, const char *key, int flags, bool follow)
{
        _cleanup_(closep) int at = -1;
        char piece[PATH_MAX];

        if (*key == '\0')
                key = ".";
        for (;;) {
                size_t n = beneath_piece_len(key);
                bool last = key[n] == '\0';
                int fd;

                if (n == 0)
                        return -ENAMETOOLONG;
                memcpy(piece, key, n);
                piece[n] = '\0';
                fd = beneath_piece(at >= 0 ? at : root_fd, piece,
                                   last ? flags : O_PATH | O_DIRECTORY | (follow ? 0 : O_NOFOLLOW),
                                   follow);
                if (fd == -EXDEV && at >= 0)
                        return -ENAMETOOLONG;
                if (fd < 0 || last)
                        return fd;
                closep(&at);
                at = fd;
                key += n + 1;
        }
}

static enum kind beneath_kind(unsigned mode)
{
        if (S_ISREG(mode))
                return KIND_FILE;
        return S_ISDIR(mode) ? KIND_DIR : KIND_OTHER;
}

/* Wraps where it must: a signed overflow would be undefined, a far future no reason to stop. */
static int64_t beneath_ns(const struct statx_timestamp *t)
{
        return (int64_t)((uint64_t)t->tv_sec * 1000000000u + t->tv_nsec);
}

int beneath_look(int dir_fd, const char *name, struct entry *ret)
{
        int flags = *name ? AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT : AT_EMPTY_PATH;
        struct statx st;
        int r;

        do
                r = statx(dir_fd, name, flags,
                          STATX_TYPE | STATX_SIZE | STATX_MTIME | STATX_CTIME | STATX_INO, &st);
        while (r < 0 && errno == EINTR);
        if (r < 0)
                return -errno;
        ret->kind = beneath_kind(st.stx_mode);
        ret->size = ret->kind == KIND_DIR ? 0 : st.stx_size;
        ret->stamp = (struct stamp){
                .mtime_ns = beneath_ns(&st.stx_mtime),
                .ctime_ns = beneath_ns(&st.stx_ctime),
                .ino = st.stx_ino,
                .dev = makedev(st.stx_dev_major, st.stx_dev_minor),
        };
        return 0;
}

bool beneath_astray(int errnum)
{
        return errnum == ENOENT || errnum == ENOTDIR || errnum == ELOOP || errnum == EXDEV;
}
