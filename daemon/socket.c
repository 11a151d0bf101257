/* SPDX-License-Identifier: MIT */

#include "daemon/socket.h"

#include "lib/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define SOCKET_NAME "control"
#define SOCKET_BACKLOG 64

/* ---- places ----------------------------------------------------------------------------------- */

static char *socket_join(const char *dir, const char *name)
{
        char *path;

        return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

/* FNV-1a: not to be told from one another by accident is enough, the lock of the state does the rest. */
static uint64_t socket_hash(const char *s)
{
        uint64_t h = UINT64_C(14695981039346656037);

        for (; *s; s++)
                h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
        return h;
}

static char *socket_below_xdg(const char *xdg, const char *state_dir)
{
        _cleanup_(freep) char *dir = socket_join(xdg, "ydsync");
        char *path;

        if (!dir || (mkdir(dir, 0700) < 0 && errno != EEXIST))
                return NULL;
        if (asprintf(&path, "%s/" SOCKET_NAME "-%016" PRIx64, dir, socket_hash(state_dir)) < 0)
                return NULL;
        return path;
}

/* $RUNTIME_DIRECTORY may be a list; systemd gives one entry a folder. */
static char *socket_place(const char *state_dir)
{
        const char *runtime = getenv("RUNTIME_DIRECTORY"), *xdg = getenv("XDG_RUNTIME_DIR");
        char *path = NULL;

        if (runtime && *runtime == '/') {
                _cleanup_(freep) char *dir = strndup(runtime, strcspn(runtime, ":"));

                return dir ? socket_join(dir, SOCKET_NAME) : NULL;
        }
        if (xdg && *xdg == '/')
                path = socket_below_xdg(xdg, state_dir);
        return path ? path : socket_join(state_dir, SOCKET_NAME);
}

int socket_shorten(const char *path, char ret[SOCKET_PATH_SIZE], int *ret_fd)
{
        const char *name = strrchr(path, '/');
        _cleanup_(freep) char *dir = name ? strndup(path, (size_t)(name - path)) : NULL;
        int fd;

        *ret_fd = -1;
        if (strlen(path) < SOCKET_PATH_SIZE) {
                str_copy(ret, SOCKET_PATH_SIZE, path);
                return 0;
        }
        if (!dir)
                return -ENAMETOOLONG;
        fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (snprintf(ret, SOCKET_PATH_SIZE, "/proc/self/fd/%d%s", fd, name) >= SOCKET_PATH_SIZE) {
                close(fd);
                return -ENAMETOOLONG;
        }
        *ret_fd = fd;
        return 0;
}

/* Where the symlink leads, or `path` itself when it is none. */
static char *socket_follow(const char *path)
{
        char to[4096];
        ssize_t n = readlink(path, to, sizeof(to) - 1);

        if (n < 0)
                return access(path, F_OK) == 0 ? str_dup(path) : NULL;
        to[n] = '\0';
        return *to == '/' ? str_dup(to) : NULL;
}

/* The state of a system service is closed to others, its runtime folder perhaps not: "/var/lib/a/b"
 * goes with "/run/a@b". */
static char *socket_beside(const char *state_dir)
{
        static const char states[] = "/var/lib/";
        _cleanup_(freep) char *unit = NULL;
        char *path;

        if (!str_starts(state_dir, states))
                return NULL;
        unit = str_dup(state_dir + sizeof(states) - 1);
        for (char *at = unit; at && (at = strchr(at, '/'));)
                *at = '@';
        if (!unit || asprintf(&path, "/run/%s/" SOCKET_NAME, unit) < 0)
                return NULL;
        if (access(path, F_OK) == 0)
                return path;
        free(path);
        return NULL;
}

char *socket_find(const char *state_dir)
{
        _cleanup_(freep) char *path = socket_join(state_dir, SOCKET_NAME);
        char *found = path ? socket_follow(path) : NULL;

        return found ? found : socket_beside(state_dir);
}

/* ---- listening -------------------------------------------------------------------------------- */

static int socket_make(void)
{
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        return fd < 0 ? -errno : fd;
}

/* Whether somebody listens there: all but a refusal may be a sign of life. */
static bool socket_is_live(const struct sockaddr_un *address)
{
        _cleanup_(closep) int fd = socket_make();

        return fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
               errno != ECONNREFUSED;
}

/* Takes away what a daemon that was killed has left. */
static int socket_clear(const struct sockaddr_un *address, const char *path, struct err *err)
{
        struct stat st;

        if (lstat(path, &st) < 0)
                return errno == ENOENT ? 0 : err_errno(err, errno, "%s cannot be looked at", path);
        if (!S_ISSOCK(st.st_mode))
                return err_set(err, EEXIST, "%s is there already and is no socket", path);
        if (socket_is_live(address))
                return err_set(err, EADDRINUSE, "another program listens at %s", path);
        return unlink(path) < 0 ? err_errno(err, errno, "%s cannot be removed", path) : 0;
}

static int socket_bind(struct socket *s, struct err *err)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_(closep) int dir = -1;
        struct stat st;
        int r = socket_shorten(s->path, address.sun_path, &dir);

        if (r < 0)
                return err_errno(err, -r, "%s cannot be used", s->path);
        r = socket_clear(&address, s->path, err);
        if (r < 0)
                return r;
        s->fd = socket_make();
        /* The mode is that of the socket when it gets its name. */
        if (s->fd < 0 || fchmod(s->fd, 0600) < 0 ||
            bind(s->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
            listen(s->fd, SOCKET_BACKLOG) < 0 || lstat(s->path, &st) < 0)
                return err_errno(err, errno, "%s cannot be made", s->path);
        s->dev = st.st_dev;
        s->ino = st.st_ino;
        return 0;
}

/* STATE/control leads to the socket.  The state is locked by us: what stands there is left over. */
static int socket_link(struct socket *s, const char *state_dir, struct err *err)
{
        _cleanup_(freep) char *link = socket_join(state_dir, SOCKET_NAME);
        _cleanup_(freep) char *draft = socket_join(state_dir, SOCKET_NAME ".new");

        if (!link || !draft)
                return err_set(err, ENOMEM, "no memory");
        if (str_eq(link, s->path))
                return 0;
        unlink(draft);
        if (symlink(s->path, draft) < 0 || rename(draft, link) < 0)
                return err_errno(err, errno, "%s cannot be made", link);
        s->link = TAKE_PTR(link);
        return 0;
}

int socket_listen(struct socket *ret, const char *state_dir, struct err *err)
{
        struct socket s = SOCKET_NULL;
        int r;

        s.path = socket_place(state_dir);
        r = s.path ? socket_bind(&s, err) : err_set(err, ENOMEM, "no memory");
        if (r == 0)
                r = socket_link(&s, state_dir, err);
        if (r < 0)
                socket_close(&s);
        else
                *ret = s;
        return r;
}

void socket_close(struct socket *s)
{
        struct stat st;

        if (s->path && s->ino && lstat(s->path, &st) == 0 && st.st_dev == s->dev &&
            st.st_ino == s->ino) {
                unlink(s->path);
                if (s->link)
                        unlink(s->link);
        }
        closep(&s->fd);
        free(s->path);
        free(s->link);
        *s = SOCKET_NULL;
}
