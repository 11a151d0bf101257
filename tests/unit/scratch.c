/* SPDX-License-Identifier: MIT */

#include "tests/unit/scratch.h"

#include "lib/base/mem.h"
#include "tests/unit/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#define must(expression)                                                                           \
        do {                                                                                       \
                if ((expression) < 0) {                                                            \
                        printf("# %s:%d: %s: %s\n", __FILE__, __LINE__, #expression,               \
                               strerror(errno));                                                   \
                        exit(2);                                                                   \
                }                                                                                  \
        } while (0)

void scratch_init(struct scratch *s)
{
        const char *tmp = getenv("TMPDIR");

        snprintf(s->path, sizeof(s->path), "%s/ydsync-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
        must(mkdtemp(s->path) ? 0 : -1);
        must(chmod(s->path, 0755));
        must(s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/* Removes what can be removed at once; the descriptor of a folder that is in the way, or -1. */
static int scratch_sweep(int fd)
{
        DIR *d = fdopendir(dup(fd));
        struct dirent *e;
        int below = -1;

        must(d ? 0 : -1);
        rewinddir(d);
        while (below < 0 && (e = readdir(d))) {
                if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
                        continue;
                if (unlinkat(fd, e->d_name, 0) == 0 || unlinkat(fd, e->d_name, AT_REMOVEDIR) == 0)
                        continue;
                fchmodat(fd, e->d_name, 0700, 0);
                must(below = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        }
        closedir(d);
        return below;
}

void scratch_finish(struct scratch *s)
{
        int fd = s->fd;

        for (size_t depth = 0;;) {
                int next = scratch_sweep(fd);

                if (next >= 0)
                        depth++;
                else if (depth-- > 0)
                        must(next = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
                close(fd);
                if (next < 0)
                        break;
                fd = next;
        }
        must(rmdir(s->path));
}

void scratch_dir(const struct scratch *s, const char *path)
{
        must(mkdirat(s->fd, path, 0755));
}

static void scratch_write(const struct scratch *s, const char *path, const char *text, int flags)
{
        _cleanup_(closep) int fd = -1;

        must(fd = openat(s->fd, path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644));
        must(write(fd, text, strlen(text)));
}

void scratch_file(const struct scratch *s, const char *path, const char *text)
{
        scratch_write(s, path, text, O_TRUNC);
}

void scratch_append(const struct scratch *s, const char *path, const char *text)
{
        scratch_write(s, path, text, O_APPEND);
}

void scratch_link(const struct scratch *s, const char *target, const char *path)
{
        must(symlinkat(target, s->fd, path));
}

void scratch_fifo(const struct scratch *s, const char *path)
{
        must(mkfifoat(s->fd, path, 0644));
}

void scratch_socket(const struct scratch *s, const char *path)
{
        _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un a = {.sun_family = AF_UNIX};

        must(fd);
        must((int)sizeof(a.sun_path) - 1 -
             snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/%s", s->fd, path));
        must(bind(fd, (struct sockaddr *)&a, sizeof(a)));
}

void scratch_rename(const struct scratch *s, const char *from, const char *to)
{
        must(renameat(s->fd, from, s->fd, to));
}

void scratch_remove(const struct scratch *s, const char *path)
{
        if (unlinkat(s->fd, path, 0) < 0)
                must(unlinkat(s->fd, path, AT_REMOVEDIR));
}

void scratch_mode(const struct scratch *s, const char *path, unsigned mode)
{
        must(fchmodat(s->fd, path, mode, 0));
}

char *scratch_deep(const struct scratch *s, unsigned levels, unsigned width)
{
        char *key = malloc((size_t)levels * (width + 1)), *at = key;
        int fd = dup(s->fd);

        must(key ? fd : -1);
        for (unsigned i = 0; i < levels; i++) {
                int file, next;

                memset(at, 'a' + (int)(i % 26), width);
                at[width] = '\0';
                must(mkdirat(fd, at, 0755));
                must(file = openat(fd, "~", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
                must(next = openat(fd, at, O_PATH | O_DIRECTORY | O_CLOEXEC));
                close(file);
                close(fd);
                fd = next;
                at[width] = '/';
                at += width + 1;
        }
        at[-1] = '\0';
        close(fd);
        return key;
}

void scratch_child(void (*f)(const void *arg), const void *arg)
{
        int status;
        pid_t pid;

        fflush(stdout);
        must(pid = fork());
        if (pid == 0) {
                alarm(120);
                f(arg);
                fflush(stdout);
                _exit(check_failed);
        }
        must(waitpid(pid, &status, 0));
        check_eq(status, 0);
}

void scratch_be_nobody(void)
{
        if (geteuid() != 0)
                return;
        must(setresgid(65534, 65534, 65534));
        must(setresuid(65534, 65534, 65534));
}

bool scratch_forbid(int syscall_number, int errnum)
{
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)syscall_number, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)errnum),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = {.len = ARRAY_SIZE(code), .filter = code};

        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
               prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

size_t scratch_count_fds(void)
{
        DIR *d = opendir("/proc/self/fd");
        size_t n = 0;

        must(d ? 0 : -1);
        while (readdir(d))
                n++;
        closedir(d);
        return n - 3; /* ".", ".." and this one */
}
