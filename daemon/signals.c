/* SPDX-License-Identifier: MIT */

/*
 * One handler for all, which stays for as long as the process lives: it notes the word and wakes the
 * loop through a descriptor that is never closed.  So there is no moment at which a signal is lost or
 * takes the way that the system has for it.
 *
 * An end has to come within five seconds, and a thread that is stuck in the kernel (a network file
 * system, a disk that does not answer) cannot be called back.  So the first word to end also sets an
 * alarm, whose handler ends the process where it stands, also when it is the loop that is stuck.
 * That is no worse than a crash: all that counts was on disk before it counted.
 */

#include "daemon/signals.h"

#include "daemon/exit.h"
#include "lib/base/mem.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SIGNALS_PATIENCE_S 4

static struct {
        int fd; /* an eventfd */
        atomic_uint words;
        uv_poll_t poll;
        void (*heard)(void *userdata, unsigned words);
        void *userdata;
} signals = {.fd = -1};

static void signals_handle(int number)
{
        unsigned word = number == SIGHUP ? SIGNALS_LOOK : SIGNALS_END;
        static atomic_flag ending = ATOMIC_FLAG_INIT;
        const uint64_t one = 1;
        int e = errno;
        ssize_t n _unused_;

        if (word == SIGNALS_END && !atomic_flag_test_and_set(&ending))
                alarm(SIGNALS_PATIENCE_S);
        atomic_fetch_or(&signals.words, word);
        n = write(signals.fd, &one, sizeof(one));
        errno = e;
}

/* Whoever reads our messages may be what does not answer, so nothing is written that would wait. */
static void signals_overdue(int number _unused_)
{
        static const char text[] =
                "warning: something does not answer (a disk or a file system); ending without it.  "
                "The next start goes on from here\n";
        struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
        ssize_t n _unused_;

        if (poll(&out, 1, 0) == 1 && (out.revents & POLLOUT))
                n = write(STDERR_FILENO, text, sizeof(text) - 1);
        _exit(EXIT_OK);
}

static void signals_set(int number, void (*handler)(int))
{
        struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

        sigemptyset(&action.sa_mask);
        sigaction(number, &action, NULL);
}

int signals_begin(bool daemon)
{
        signals.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (signals.fd < 0)
                return -errno;
        signals_set(SIGALRM, signals_overdue);
        signals_set(SIGTERM, signals_handle);
        signals_set(SIGINT, signals_handle);
        if (daemon) {
                signals_set(SIGHUP, signals_handle);
                signals_set(SIGUSR1, SIG_IGN);
                signals_set(SIGUSR2, SIG_IGN);
        }
        return 0;
}

void signals_leave(void)
{
        signals_set(SIGTERM, SIG_DFL);
        signals_set(SIGINT, SIG_DFL);
        if (atomic_load(&signals.words) & SIGNALS_END)
                raise(SIGTERM);
}

static void signals_on_words(uv_poll_t *poll _unused_, int status _unused_, int events _unused_)
{
        uint64_t times;
        unsigned words;
        ssize_t n _unused_;

        n = read(signals.fd, &times, sizeof(times));
        words = atomic_exchange(&signals.words, 0);
        if (words)
                signals.heard(signals.userdata, words);
}

int signals_watch(uv_loop_t *loop, void (*heard)(void *userdata, unsigned words), void *userdata)
{
        int r = uv_poll_init(loop, &signals.poll, signals.fd);

        if (r < 0)
                return r;
        signals.heard = heard;
        signals.userdata = userdata;
        return uv_poll_start(&signals.poll, UV_READABLE, signals_on_words);
}

void signals_unwatch(void)
{
        uv_poll_stop(&signals.poll);
        uv_close((uv_handle_t *)&signals.poll, NULL);
}
