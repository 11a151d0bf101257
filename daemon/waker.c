/* SPDX-License-Identifier: MIT */

#include "daemon/waker.h"

#include "lib/base/mem.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

static void waker_on_due(uv_poll_t *poll, int status _unused_, int events _unused_)
{
        struct waker *w = poll->data;
        uint64_t times;

        if (read(w->fd, &times, sizeof(times)) == sizeof(times))
                w->due(w->userdata);
}

int waker_init(struct waker *w, uv_loop_t *loop, void (*due)(void *userdata), void *userdata)
{
        int r;

        w->fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
        if (w->fd < 0)
                return -errno;
        w->due = due;
        w->userdata = userdata;
        w->poll.data = w;
        r = uv_poll_init(loop, &w->poll, w->fd);
        if (r < 0) {
                close(w->fd);
                return r;
        }
        return uv_poll_start(&w->poll, UV_READABLE, waker_on_due);
}

void waker_set(struct waker *w, int64_t ms)
{
        struct itimerspec at = {0};

        if (ms <= 0) /* 0 would stop it, and so would what is 0 for a clock that runs faster */
                ms = 1;
        at.it_value = (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
        timerfd_settime(w->fd, 0, &at, NULL);
}

void waker_stop(struct waker *w)
{
        timerfd_settime(w->fd, 0, &(struct itimerspec){0}, NULL);
}

void waker_close(struct waker *w)
{
        uv_poll_stop(&w->poll);
        uv_close((uv_handle_t *)&w->poll, NULL);
        close(w->fd);
}
