/* SPDX-License-Identifier: MIT */

#include "daemon/notify.h"

#include "lib/base/str.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#define NOTIFY_STATUS_MAX 512

static struct {
        char status[NOTIFY_STATUS_MAX]; /* what was said last */
        uv_timer_t timer;
        bool watched;
} notify;

void notify_ready(void)
{
        sd_notify(0, "READY=1");
}

/* A line end would begin a word of its own, and half a letter at the end would spoil the line. */
static void notify_line(char ret[NOTIFY_STATUS_MAX], const char *text)
{
        size_t n = 0, letter;

        while (text[n] && (letter = str_utf8(text + n)) > 0 && n + letter < NOTIFY_STATUS_MAX) {
                memcpy(ret + n, text + n, letter);
                if ((unsigned char)ret[n] < ' ')
                        ret[n] = ' ';
                n += letter;
        }
        ret[n] = '\0';
}

void notify_status(const char *text)
{
        char line[NOTIFY_STATUS_MAX];

        notify_line(line, text);
        if (str_eq(line, notify.status))
                return;
        memcpy(notify.status, line, sizeof(line));
        sd_notifyf(0, "STATUS=%s", line);
}

/* In one datagram: a manager that knows Type=notify-reload wants to see both at once. */
void notify_reloading(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
                   (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void notify_stopping(void)
{
        sd_notify(0, "STOPPING=1");
}

void notify_failed(int err, const char *text)
{
        notify_status(text);
        if (err > 0)
                sd_notifyf(0, "ERRNO=%d", err);
}

static void notify_feed(uv_timer_t *timer _unused_)
{
        sd_notify(0, "WATCHDOG=1");
}

int notify_watch(uv_loop_t *loop)
{
        uint64_t usec, ms;
        int r;

        if (sd_watchdog_enabled(0, &usec) <= 0)
                return 0;
        ms = usec / 2000;
        r = uv_timer_init(loop, &notify.timer);
        if (r < 0)
                return r;
        notify.watched = true;
        return uv_timer_start(&notify.timer, notify_feed, 0, ms > 0 ? ms : 1);
}

void notify_unwatch(void)
{
        if (!notify.watched)
                return;
        notify.watched = false;
        uv_close((uv_handle_t *)&notify.timer, NULL);
}
