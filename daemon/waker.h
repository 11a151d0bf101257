/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A timer that also counts the time that the machine sleeps.
 *
 * The loop's own timers stand still while the machine is suspended: what is due in a day would come
 * a day of being awake later.  This one is due at once when the machine wakes up.  Nobody's wall
 * clock is asked.
 */

#include <uv.h>

struct waker {
        uv_poll_t poll;
        int fd;
        void (*due)(void *userdata);
        void *userdata;
};

/* Negative errno; then nothing is to be closed. */
int waker_init(struct waker *w, uv_loop_t *loop, void (*due)(void *userdata), void *userdata);

/* `due` is called once, from the loop, in so many milliseconds; what was set before is forgotten. */
void waker_set(struct waker *w, int64_t ms);
void waker_stop(struct waker *w);

/* `due` is not called any more; `w` must stay until the loop has turned once. */
void waker_close(struct waker *w);
