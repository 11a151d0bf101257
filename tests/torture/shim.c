/* SPDX-License-Identifier: MIT */

/*
 * Put before the program with LD_PRELOAD, this library counts the calls that the program and its
 * libraries make into the C library, over all threads, and lets one of them go wrong: see page.h.
 * Nothing before main() counts, and nothing in the dynamic linker.
 *
 * Counted are calls on regular files, folders and sockets only.  The pipes and eventfds by which
 * libuv wakes itself, and epoll, are left alone: when those fail it calls abort(), on purpose; and
 * of what the driver has put at 0, 1 and 2, nothing is counted.
 *
 * Time.  A loop that has nothing to do for a moment is told that the time it wanted to wait is over:
 * the monotonic clock jumps.  So a backoff of a minute takes a moment.
 *
 * Serving.  Loading and setting up some thirty libraries takes longer than all the rest.  With
 * TORTURE_SERVE the process stops at the end of curl_global_init(), the last thing before the
 * configuration is read, and makes a child for each byte that it reads; the child goes on.
 */

#undef _FILE_OFFSET_BITS

#include "tests/torture/page.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define IDLE_MS 20 /* a loop that has waited this long without an event is idle */

#define REAL(name)                                                                                 \
        ({                                                                                         \
                static __typeof__(&name) real_;                                                    \
                if (!real_)                                                                        \
                        real_ = (__typeof__(&name))dlsym(RTLD_NEXT, #name);                        \
                real_;                                                                             \
        })

enum way { GO, FAIL, HALF, DIE_AFTER };

static struct page *page;
static bool armed, starting;
static atomic_int_fast64_t skipped_ns;

/* ---- the count -------------------------------------------------------------------------------- */

static void die(void)
{
        syscall(SYS_kill, getpid(), SIGKILL);
}

static void note(const char *call, const void *caller)
{
        Dl_info info;

        snprintf(page->call, sizeof(page->call), "%s", call);
        if (dladdr(caller, &info) && info.dli_fname)
                snprintf(page->where, sizeof(page->where), "%s%s%s+%#lx",
                         strrchr(info.dli_fname, '/') ? strrchr(info.dli_fname, '/') + 1
                                                      : info.dli_fname,
                         info.dli_sname ? ":" : "", info.dli_sname ? info.dli_sname : "",
                         (unsigned long)((const char *)caller - (const char *)info.dli_fbase));
        atomic_store(&page->hit, 1);
}

/* Counts one call, and says what is to become of it. */
static enum way tick(enum page_set set, const char *call, const void *caller)
{
        uint64_t n;

        if (!armed)
                return GO;
        if (starting)
                set = PAGE_START;
        n = atomic_fetch_add(&page->count[set], 1) + 1;
        if (set != page->set || n < page->at || page->mode == PAGE_COUNT)
                return GO;
        if (n > page->at && page->mode != PAGE_STICKY && page->mode != PAGE_SHORT)
                return GO;
        if (n == page->at)
                note(call, caller);
        switch (page->mode) {
        case PAGE_COUNT:
        case PAGE_MODES:
                return GO;
        case PAGE_ERR:
        case PAGE_STICKY:
        case PAGE_EINTR:
                return FAIL;
        case PAGE_SHORT:
                return HALF;
        case PAGE_KILL:
                die();
                return GO;
        case PAGE_KILLAFTER:
                return DIE_AFTER;
        }
        return GO;
}

/* Which of two errors a call fails with; the number of the call decides, so that a replay is one. */
static int fail(int one, int other)
{
        int err = page->at & 1 ? one : other;

        if (page->mode == PAGE_EINTR)
                err = EINTR;
        page->err = err;
        errno = err;
        return -1;
}

/* The set that a call on this descriptor belongs to; PAGE_SETS: to none. */
static enum page_set set_of(int fd)
{
        struct stat st;
        int e = errno, r;

        if (!armed || fd <= STDERR_FILENO)
                return PAGE_SETS;
        r = (int)syscall(SYS_newfstatat, fd, "", &st, AT_EMPTY_PATH);
        errno = e;
        if (r < 0)
                return PAGE_SETS;
        if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
                return PAGE_IO;
        return S_ISSOCK(st.st_mode) ? PAGE_NET : PAGE_SETS;
}

static enum way tick_fd(int fd, const char *call, const void *caller)
{
        enum page_set set = set_of(fd);

        return set == PAGE_SETS ? GO : tick(set, call, caller);
}

#define CALLER __builtin_return_address(0)

/* A call that is made after it was decided what becomes of it. */
#define ACT(how, failed, real)                                                                     \
        ({                                                                                         \
                enum way way_ = (how);                                                             \
                __typeof__(real) r_ = way_ == FAIL ? (failed) : (real);                            \
                if (way_ == DIE_AFTER)                                                             \
                        die();                                                                     \
                r_;                                                                                \
        })

/* The same for calls that no signal interrupts. */
#define ACT_WHOLE(how, failed, real)                                                               \
        ({                                                                                         \
                enum way whole_ = (how);                                                           \
                if (whole_ == FAIL && page->mode == PAGE_EINTR)                                    \
                        whole_ = GO;                                                               \
                ACT(whole_, failed, real);                                                         \
        })

/* And for those that move `n` bytes. */
#define ACT_BYTES(fd, call, n, failed, real)                                                       \
        ({                                                                                         \
                enum way bytes_ = tick_fd(fd, call, CALLER);                                       \
                if (bytes_ == HALF && (n) > 1)                                                     \
                        (n) /= 2;                                                                  \
                ACT(bytes_, failed, real);                                                         \
        })

/* ---- files ------------------------------------------------------------------------------------ */

ssize_t read(int fd, void *buf, size_t n)
{
        bool net = set_of(fd) == PAGE_NET;

        return ACT_BYTES(fd, "read", n, net ? fail(ECONNRESET, ETIMEDOUT) : fail(EIO, ENOMEM),
                         REAL(read)(fd, buf, n));
}

ssize_t pread64(int fd, void *buf, size_t n, off64_t at)
{
        return ACT_BYTES(fd, "pread64", n, fail(EIO, ESTALE), REAL(pread64)(fd, buf, n, at));
}

ssize_t pread(int fd, void *buf, size_t n, off_t at)
{
        return ACT_BYTES(fd, "pread", n, fail(EIO, ESTALE), REAL(pread)(fd, buf, n, at));
}

ssize_t write(int fd, const void *buf, size_t n)
{
        bool net = set_of(fd) == PAGE_NET;

        return ACT_BYTES(fd, "write", n, net ? fail(ECONNRESET, EPIPE) : fail(ENOSPC, EIO),
                         REAL(write)(fd, buf, n));
}

ssize_t pwrite64(int fd, const void *buf, size_t n, off64_t at)
{
        return ACT_BYTES(fd, "pwrite64", n, fail(ENOSPC, EIO), REAL(pwrite64)(fd, buf, n, at));
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t at)
{
        return ACT_BYTES(fd, "pwrite", n, fail(ENOSPC, EIO), REAL(pwrite)(fd, buf, n, at));
}

ssize_t writev(int fd, const struct iovec *iov, int n)
{
        bool net = set_of(fd) == PAGE_NET;

        return ACT(tick_fd(fd, "writev", CALLER),
                   net ? fail(ECONNRESET, EPIPE) : fail(ENOSPC, EIO), REAL(writev)(fd, iov, n));
}

int fsync(int fd)
{
        return ACT(tick_fd(fd, "fsync", CALLER), fail(EIO, ENOSPC), REAL(fsync)(fd));
}

int fdatasync(int fd)
{
        return ACT(tick_fd(fd, "fdatasync", CALLER), fail(EIO, ENOSPC), REAL(fdatasync)(fd));
}

int ftruncate64(int fd, off64_t n)
{
        return ACT(tick_fd(fd, "ftruncate64", CALLER), fail(EIO, ENOSPC), REAL(ftruncate64)(fd, n));
}

/* The descriptor is gone in any case, as Linux has it. */
int close(int fd)
{
        enum way way = tick_fd(fd, "close", CALLER);
        int r = REAL(close)(fd);

        if (way == DIE_AFTER)
                die();
        return way == FAIL ? fail(EIO, ENOSPC) : r;
}

int rename(const char *from, const char *to)
{
        return ACT_WHOLE(tick(PAGE_IO, "rename", CALLER), fail(EIO, ENOSPC), REAL(rename)(from, to));
}

int unlink(const char *path)
{
        return ACT_WHOLE(tick(PAGE_IO, "unlink", CALLER), fail(EIO, EACCES), REAL(unlink)(path));
}

int mkdir(const char *path, mode_t mode)
{
        return ACT_WHOLE(tick(PAGE_IO, "mkdir", CALLER), fail(ENOSPC, EACCES),
                         REAL(mkdir)(path, mode));
}

int open64(const char *path, int flags, ...)
{
        mode_t mode = 0;
        va_list ap;

        va_start(ap, flags);
        if (flags & (O_CREAT | O_TMPFILE))
                mode = va_arg(ap, mode_t);
        va_end(ap);
        return ACT(tick(PAGE_IO, "open64", CALLER), fail(EMFILE, EIO),
                   REAL(open64)(path, flags, mode));
}

int open(const char *path, int flags, ...)
{
        mode_t mode = 0;
        va_list ap;

        va_start(ap, flags);
        if (flags & (O_CREAT | O_TMPFILE))
                mode = va_arg(ap, mode_t);
        va_end(ap);
        return ACT(tick(PAGE_IO, "open", CALLER), fail(EMFILE, EACCES),
                   REAL(open)(path, flags, mode));
}

int openat64(int fd, const char *path, int flags, ...)
{
        mode_t mode = 0;
        va_list ap;

        va_start(ap, flags);
        if (flags & (O_CREAT | O_TMPFILE))
                mode = va_arg(ap, mode_t);
        va_end(ap);
        return ACT(tick(PAGE_IO, "openat64", CALLER), fail(EMFILE, EIO),
                   REAL(openat64)(fd, path, flags, mode));
}

FILE *fopen64(const char *path, const char *mode)
{
        return ACT(tick(PAGE_IO, "fopen64", CALLER), (fail(EMFILE, EIO), NULL),
                   REAL(fopen64)(path, mode));
}

FILE *fopen(const char *path, const char *mode)
{
        return ACT(tick(PAGE_IO, "fopen", CALLER), (fail(EMFILE, EACCES), NULL),
                   REAL(fopen)(path, mode));
}

int mkostemp64(char *path, int flags)
{
        return ACT(tick(PAGE_IO, "mkostemp64", CALLER), fail(EMFILE, ENOSPC),
                   REAL(mkostemp64)(path, flags));
}

ssize_t getdents64(int fd, void *buf, size_t n)
{
        return ACT_WHOLE(tick_fd(fd, "getdents64", CALLER), fail(EIO, ENOMEM),
                         REAL(getdents64)(fd, buf, n));
}

int stat64(const char *path, struct stat64 *st)
{
        return ACT_WHOLE(tick(PAGE_IO, "stat64", CALLER), fail(EIO, EACCES), REAL(stat64)(path, st));
}

int lstat64(const char *path, struct stat64 *st)
{
        return ACT_WHOLE(tick(PAGE_IO, "lstat64", CALLER), fail(EIO, EACCES),
                         REAL(lstat64)(path, st));
}

int fstat64(int fd, struct stat64 *st)
{
        return ACT_WHOLE(tick_fd(fd, "fstat64", CALLER), fail(EIO, ENOMEM), REAL(fstat64)(fd, st));
}

int statx(int fd, const char *restrict path, int flags, unsigned mask, struct statx *restrict sx)
{
        return ACT_WHOLE(tick(PAGE_IO, "statx", CALLER), fail(EIO, EACCES),
                         REAL(statx)(fd, path, flags, mask, sx));
}

int fstatfs64(int fd, struct statfs64 *fs)
{
        return ACT_WHOLE(tick_fd(fd, "fstatfs64", CALLER), fail(EIO, ENOMEM),
                         REAL(fstatfs64)(fd, fs));
}

int faccessat(int fd, const char *path, int mode, int flags)
{
        return ACT_WHOLE(tick(PAGE_IO, "faccessat", CALLER), fail(EIO, EACCES),
                         REAL(faccessat)(fd, path, mode, flags));
}

int access(const char *path, int mode)
{
        return ACT_WHOLE(tick(PAGE_IO, "access", CALLER), fail(EIO, EACCES),
                         REAL(access)(path, mode));
}

int flock(int fd, int how)
{
        return ACT(tick_fd(fd, "flock", CALLER), fail(ENOLCK, EIO), REAL(flock)(fd, how));
}

int fcntl64(int fd, int command, ...)
{
        void *arg;
        va_list ap;

        va_start(ap, command);
        arg = va_arg(ap, void *);
        va_end(ap);
        return ACT_WHOLE(tick_fd(fd, "fcntl64", CALLER),
                         command == F_DUPFD_CLOEXEC ? fail(EMFILE, EMFILE) : fail(ENOLCK, EIO),
                         REAL(fcntl64)(fd, command, arg));
}

int fcntl(int fd, int command, ...)
{
        void *arg;
        va_list ap;

        va_start(ap, command);
        arg = va_arg(ap, void *);
        va_end(ap);
        return ACT_WHOLE(tick_fd(fd, "fcntl", CALLER), fail(EINVAL, EBADF),
                         REAL(fcntl)(fd, command, arg));
}

void *mmap64(void *at, size_t n, int how, int flags, int fd, off64_t from)
{
        return ACT_WHOLE(tick_fd(fd, "mmap64", CALLER), (fail(ENOMEM, EACCES), MAP_FAILED),
                         REAL(mmap64)(at, n, how, flags, fd, from));
}

/* Only the calls that have no function of their own. */
long syscall(long number, ...)
{
        static long (*real)(long, ...);
        long a[6];
        va_list ap;

        va_start(ap, number);
        for (int i = 0; i < 6; i++)
                a[i] = va_arg(ap, long);
        va_end(ap);
        if (!real)
                real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
        if (number != SYS_openat2)
                return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
        return ACT(tick(PAGE_IO, "openat2", CALLER), (long)fail(EMFILE, EIO),
                   real(number, a[0], a[1], a[2], a[3], a[4], a[5]));
}

/* ---- sockets ---------------------------------------------------------------------------------- */

int socket(int domain, int type, int protocol)
{
        return ACT_WHOLE(tick(PAGE_NET, "socket", CALLER), fail(EMFILE, ENOBUFS),
                         REAL(socket)(domain, type, protocol));
}

int connect(int fd, const struct sockaddr *address, socklen_t n)
{
        return ACT(tick(PAGE_NET, "connect", CALLER), fail(ENETUNREACH, EADDRNOTAVAIL),
                   REAL(connect)(fd, address, n));
}

ssize_t send(int fd, const void *buf, size_t n, int flags)
{
        return ACT_BYTES(fd, "send", n, fail(ECONNRESET, EPIPE), REAL(send)(fd, buf, n, flags));
}

ssize_t recv(int fd, void *buf, size_t n, int flags)
{
        return ACT_BYTES(fd, "recv", n, fail(ECONNRESET, ETIMEDOUT), REAL(recv)(fd, buf, n, flags));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
        return ACT(tick(PAGE_NET, "sendmsg", CALLER), fail(ECONNRESET, ENOBUFS),
                   REAL(sendmsg)(fd, message, flags));
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t n)
{
        return ACT_WHOLE(tick(PAGE_NET, "setsockopt", CALLER), fail(ENOPROTOOPT, ENOBUFS),
                         REAL(setsockopt)(fd, level, name, value, n));
}

int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict n)
{
        return ACT_WHOLE(tick(PAGE_NET, "getsockopt", CALLER), fail(ENOPROTOOPT, ENOBUFS),
                         REAL(getsockopt)(fd, level, name, value, n));
}

int getsockname(int fd, struct sockaddr *restrict address, socklen_t *restrict n)
{
        return ACT_WHOLE(tick(PAGE_NET, "getsockname", CALLER), fail(ENOBUFS, ENOTCONN),
                         REAL(getsockname)(fd, address, n));
}

int getpeername(int fd, struct sockaddr *restrict address, socklen_t *restrict n)
{
        return ACT_WHOLE(tick(PAGE_NET, "getpeername", CALLER), fail(ENOTCONN, ENOBUFS),
                         REAL(getpeername)(fd, address, n));
}

int getaddrinfo(const char *restrict node, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict ret)
{
        return ACT_WHOLE(tick(PAGE_NET, "getaddrinfo", CALLER),
                         (fail(EAGAIN, EAGAIN), page->at & 1 ? EAI_AGAIN : EAI_MEMORY),
                         REAL(getaddrinfo)(node, service, hints, ret));
}

/* ---- memory ----------------------------------------------------------------------------------- */

void *malloc(size_t n)
{
        return ACT_WHOLE(tick(PAGE_MEM, "malloc", CALLER), (fail(ENOMEM, ENOMEM), NULL),
                         REAL(malloc)(n));
}

void *calloc(size_t n, size_t size)
{
        return ACT_WHOLE(tick(PAGE_MEM, "calloc", CALLER), (fail(ENOMEM, ENOMEM), NULL),
                         REAL(calloc)(n, size));
}

void *realloc(void *p, size_t n)
{
        return ACT_WHOLE(n ? tick(PAGE_MEM, "realloc", CALLER) : GO, (fail(ENOMEM, ENOMEM), NULL),
                         REAL(realloc)(p, n));
}

int posix_memalign(void **ret, size_t alignment, size_t n)
{
        return ACT_WHOLE(tick(PAGE_MEM, "posix_memalign", CALLER), (fail(ENOMEM, ENOMEM), ENOMEM),
                         REAL(posix_memalign)(ret, alignment, n));
}

/* ---- threads ---------------------------------------------------------------------------------- */

int pthread_create(pthread_t *restrict ret, const pthread_attr_t *restrict attributes,
                   void *(*start)(void *), void *restrict userdata)
{
        return ACT_WHOLE(tick(PAGE_THREAD, "pthread_create", CALLER),
                         (fail(EAGAIN, EAGAIN), EAGAIN),
                         REAL(pthread_create)(ret, attributes, start, userdata));
}

/* ---- time ------------------------------------------------------------------------------------- */

int clock_gettime(clockid_t clock, struct timespec *ts)
{
        int r = REAL(clock_gettime)(clock, ts);
        int64_t ns;

        if (r < 0 || !armed || clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ||
            clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID)
                return r;
        ns = ts->tv_nsec + atomic_load(&skipped_ns);
        ts->tv_sec += ns / 1000000000;
        ts->tv_nsec = ns % 1000000000;
        return 0;
}

int epoll_pwait(int fd, struct epoll_event *events, int n, int timeout, const sigset_t *mask)
{
        bool skip = armed && timeout > IDLE_MS;
        int r = REAL(epoll_pwait)(fd, events, n, skip ? IDLE_MS : timeout, mask);

        if (r == 0 && skip)
                atomic_fetch_add(&skipped_ns, (int64_t)(timeout - IDLE_MS) * 1000000);
        return r;
}

int epoll_wait(int fd, struct epoll_event *events, int n, int timeout)
{
        return epoll_pwait(fd, events, n, timeout, NULL);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *at, struct itimerspec *old)
{
        struct itimerspec soon = *at;

        if (armed && (at->it_value.tv_sec > 0 || at->it_value.tv_nsec > 1000000))
                soon.it_value = (struct timespec){.tv_nsec = 1000000};
        return REAL(timerfd_settime)(fd, flags, &soon, old);
}

int usleep(useconds_t us)
{
        if (!armed)
                return REAL(usleep)(us);
        atomic_fetch_add(&skipped_ns, (int64_t)us * 1000);
        return 0;
}

/* ---- the process ------------------------------------------------------------------------------ */

/* Makes a child for each byte; only children return. */
static void serve(int in, int out)
{
        int32_t number;
        char byte;
        pid_t pid;

        signal(SIGPIPE, SIG_DFL);
        while (REAL(read)(in, &byte, 1) == 1) {
                pid = fork();
                if (pid == 0) {
                        prctl(PR_SET_PDEATHSIG, SIGKILL);
                        signal(SIGPIPE, SIG_IGN);
                        REAL(close)(in);
                        REAL(close)(out);
                        return;
                }
                number = pid;
                if (REAL(write)(out, &number, sizeof(number)) != sizeof(number))
                        break;
                waitpid(pid, &number, 0);
                if (REAL(write)(out, &number, sizeof(number)) != sizeof(number))
                        break;
        }
        _exit(0);
}

int curl_global_init(long flags);

int curl_global_init(long flags)
{
        const char *pipes = getenv(PAGE_SERVE);
        int r = REAL(curl_global_init)(flags);
        int in, out;

        starting = false;
        if (!pipes || sscanf(pipes, "%d,%d", &in, &out) != 2)
                return r;
        serve(in, out);
        armed = true;
        return r;
}

static int (*real_main)(int, char **, char **);

static int counted_main(int argc, char **argv, char **envp)
{
        int status;

        starting = true;
        armed = page && !getenv(PAGE_SERVE);
        status = real_main(argc, argv, envp);
        armed = false;
        return status;
}

int __libc_start_main(int (*entry)(int, char **, char **), int argc, char **argv,
                      void (*init)(void), void (*fini)(void), void (*rtld_fini)(void), void *stack);

int __libc_start_main(int (*entry)(int, char **, char **), int argc, char **argv,
                      void (*init)(void), void (*fini)(void), void (*rtld_fini)(void), void *stack)
{
        const char *path = getenv(PAGE_ENV);
        int fd = path ? REAL(open64)(path, O_RDWR | O_CLOEXEC) : -1;
        void *p = MAP_FAILED;

        if (fd >= 0) {
                p = REAL(mmap64)(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
                REAL(close)(fd);
        }
        page = p == MAP_FAILED ? NULL : p;
        real_main = entry;
        return REAL(__libc_start_main)(counted_main, argc, argv, init, fini, rtld_fini, stack);
}
