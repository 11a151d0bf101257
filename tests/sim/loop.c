/* SPDX-License-Identifier: MIT */

/*
 * Time, and the part of libuv that the program uses.
 *
 * Jobs of the thread pool are carried out one at a time, each at a moment of its own between its
 * being queued and its being told of: nothing else is seen of threads by code that shares nothing.
 * Of the program's handles only the reserved fields are used.
 */

#include "tests/sim/sim.h"

#include <errno.h>
#include <time.h>
#include <uv.h>

struct event {
        struct event *next;
        int64_t at_ns;
        uint32_t tie;
        enum side side;
        void (*fire)(void *userdata);
        void *userdata;
};

struct loop loop;

struct event *loop_after(int64_t delay_ns, enum side side, void (*fire)(void *userdata),
                         void *userdata)
{
        struct event *e = malloc(sizeof(*e)), **link = &loop.events;

        if (!e)
                abort();
        *e = (struct event){.at_ns = loop.now_ns + (delay_ns > 0 ? delay_ns : 0),
                            .tie = (uint32_t)seed_next(&sim.seed),
                            .side = side,
                            .fire = fire,
                            .userdata = userdata};
        while (*link && ((*link)->at_ns < e->at_ns ||
                         ((*link)->at_ns == e->at_ns && (*link)->tie <= e->tie)))
                link = &(*link)->next;
        e->next = *link;
        *link = e;
        return e;
}

void loop_cancel(struct event *e)
{
        struct event **link = &loop.events;

        if (!e)
                return;
        while (*link != e)
                link = &(*link)->next;
        *link = e->next;
        free(e);
}

static void loop_fire(struct event *e)
{
        void (*fire)(void *) = e->fire;
        void *userdata = e->userdata;

        loop_cancel(e);
        fire(userdata);
}

bool loop_step(void)
{
        if (!loop.events)
                return false;
        if (loop.events->at_ns > loop.now_ns)
                loop.now_ns = loop.events->at_ns;
        sim.counts.events++;
        loop_fire(loop.events);
        return true;
}

void loop_drain(void)
{
        struct event *e = loop.events;

        while (e) {
                if (e->side == SIDE_WORLD) {
                        e = e->next;
                        continue;
                }
                loop_fire(e);
                e = loop.events; /* the list may look quite different now */
        }
}

void loop_finish(void)
{
        while (loop.events)
                loop_cancel(loop.events);
}

int64_t loop_wall_ns(void)
{
        return loop.now_ns + loop.wall_ahead_ns;
}

/* ---- clocks and chance ------------------------------------------------------------------------ */

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
        int64_t ns = clock == CLOCK_REALTIME ? loop_wall_ns() : loop.now_ns;

        *ret = (struct timespec){.tv_sec = ns / SECOND, .tv_nsec = ns % SECOND};
        return 0;
}

ssize_t __wrap_getrandom(void *buffer, size_t n, unsigned flags);
ssize_t __wrap_getrandom(void *buffer, size_t n, unsigned flags _unused_)
{
        for (size_t i = 0; i < n; i++)
                ((unsigned char *)buffer)[i] = (unsigned char)seed_next(&sim.seed);
        return (ssize_t)n;
}

uint64_t uv_hrtime(void)
{
        return (uint64_t)loop.now_ns;
}

uint64_t uv_now(const uv_loop_t *uv _unused_)
{
        return (uint64_t)(loop.now_ns / MS);
}

/* ---- handles: reserved[0] is the event that is on its way, reserved[1] says "closing" ----------- */

static struct event *handle_take(uv_handle_t *h)
{
        struct event *e = h->u.reserved[0];

        h->u.reserved[0] = NULL;
        return e;
}

int uv_is_closing(const uv_handle_t *h)
{
        return h->u.reserved[1] != NULL;
}

static void handle_closed(void *userdata)
{
        uv_handle_t *h = userdata;

        h->u.reserved[0] = NULL;
        if (h->close_cb)
                h->close_cb(h);
}

void uv_close(uv_handle_t *h, uv_close_cb closed)
{
        loop_cancel(handle_take(h));
        h->u.reserved[1] = h;
        h->close_cb = closed;
        loop_after(0, SIDE_CLIENT, handle_closed, h);
}

int uv_idle_init(uv_loop_t *uv _unused_, uv_idle_t *idle)
{
        memset(idle->u.reserved, 0, sizeof(idle->u.reserved));
        return 0;
}

static void idle_fired(void *userdata)
{
        uv_idle_t *idle = userdata;

        /* Idle handles fire until they are stopped. */
        idle->u.reserved[0] = loop_after(0, SIDE_CLIENT, idle_fired, idle);
        idle->idle_cb(idle);
}

int uv_idle_start(uv_idle_t *idle, uv_idle_cb fire)
{
        idle->idle_cb = fire;
        idle->u.reserved[0] = loop_after(0, SIDE_CLIENT, idle_fired, idle);
        return 0;
}

int uv_idle_stop(uv_idle_t *idle)
{
        loop_cancel(handle_take((uv_handle_t *)idle));
        return 0;
}

int uv_timer_init(uv_loop_t *uv _unused_, uv_timer_t *timer)
{
        memset(timer->u.reserved, 0, sizeof(timer->u.reserved));
        return 0;
}

static void timer_fired(void *userdata)
{
        uv_timer_t *timer = userdata;

        timer->u.reserved[0] = NULL;
        timer->timer_cb(timer);
}

int uv_timer_start(uv_timer_t *timer, uv_timer_cb fire, uint64_t delay_ms, uint64_t repeat _unused_)
{
        uv_timer_stop(timer);
        timer->timer_cb = fire;
        timer->u.reserved[0] = loop_after((int64_t)delay_ms * MS, SIDE_CLIENT, timer_fired, timer);
        return 0;
}

int uv_timer_stop(uv_timer_t *timer)
{
        loop_cancel(handle_take((uv_handle_t *)timer));
        return 0;
}

/* ---- the pool --------------------------------------------------------------------------------- */

static void work_told(void *userdata)
{
        uv_work_t *work = userdata;

        work->after_work_cb(work, 0);
}

static void work_done(void *userdata)
{
        uv_work_t *work = userdata;

        if (!loop.dead)
                work->work_cb(work);
        loop_after((int64_t)sim_below(3) * MS, SIDE_CLIENT, work_told, work);
}

int uv_queue_work(uv_loop_t *uv _unused_, uv_work_t *work, uv_work_cb job, uv_after_work_cb after)
{
        work->work_cb = job;
        work->after_work_cb = after;
        loop_after((int64_t)sim_below(20) * MS, SIDE_CLIENT, work_done, work);
        return 0;
}
