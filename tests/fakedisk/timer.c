/* SPDX-License-Identifier: MIT */

/* A heap of times, and a thread that sleeps until the earliest of them. */

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "timer.h"
#include "util.h"

struct alarm {
        int64_t at_us;
        timer_fn *fn;
        void *arg;
};

struct timers {
        pthread_mutex_t lock;
        pthread_cond_t changed;
        pthread_t thread;
        struct alarm *heap;
        size_t n, cap;
        bool stopped;
};

static void sift_up(struct alarm *h, size_t i)
{
        while (i > 0 && h[i].at_us < h[(i - 1) / 2].at_us) {
                struct alarm a = h[i];

                h[i] = h[(i - 1) / 2];
                h[(i - 1) / 2] = a;
                i = (i - 1) / 2;
        }
}

static void sift_down(struct alarm *h, size_t n)
{
        for (size_t i = 0, child; (child = 2 * i + 1) < n; i = child) {
                struct alarm a = h[i];

                if (child + 1 < n && h[child + 1].at_us < h[child].at_us)
                        child++;
                if (a.at_us <= h[child].at_us)
                        return;
                h[i] = h[child];
                h[child] = a;
        }
}

static struct alarm pop(struct timers *t)
{
        struct alarm first = t->heap[0];

        t->heap[0] = t->heap[--t->n];
        sift_down(t->heap, t->n);
        return first;
}

static void wait_until(struct timers *t, int64_t at_us)
{
        struct timespec at = {at_us / 1000000, at_us % 1000000 * 1000};

        pthread_cond_timedwait(&t->changed, &t->lock, &at);
}

static void *run(void *arg)
{
        struct timers *t = arg;

        pthread_mutex_lock(&t->lock);
        while (!t->stopped || t->n > 0) {
                struct alarm a;

                if (t->n == 0) {
                        pthread_cond_wait(&t->changed, &t->lock);
                        continue;
                }
                if (!t->stopped && t->heap[0].at_us > now_mono_us()) {
                        wait_until(t, t->heap[0].at_us);
                        continue;
                }
                a = pop(t);
                pthread_mutex_unlock(&t->lock);
                a.fn(a.arg);
                pthread_mutex_lock(&t->lock);
        }
        pthread_mutex_unlock(&t->lock);
        return NULL;
}

struct timers *timer_create_thread(void)
{
        struct timers *t = xcalloc(1, sizeof *t);
        pthread_condattr_t attr;

        pthread_mutex_init(&t->lock, NULL);
        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_cond_init(&t->changed, &attr);
        pthread_condattr_destroy(&attr);
        if (pthread_create(&t->thread, NULL, run, t) != 0)
                abort();
        return t;
}

void timer_add(struct timers *t, int64_t at_us, timer_fn *fn, void *arg)
{
        pthread_mutex_lock(&t->lock);
        if (t->stopped) {
                pthread_mutex_unlock(&t->lock);
                fn(arg);
                return;
        }
        if (t->n == t->cap)
                t->heap = xrealloc(t->heap, (t->cap = t->cap ? t->cap * 2 : 64) * sizeof *t->heap);
        t->heap[t->n] = (struct alarm){at_us, fn, arg};
        sift_up(t->heap, t->n++);
        if (t->heap[0].at_us == at_us)
                pthread_cond_signal(&t->changed);
        pthread_mutex_unlock(&t->lock);
}

void timer_stop(struct timers *t)
{
        pthread_mutex_lock(&t->lock);
        t->stopped = true;
        pthread_cond_signal(&t->changed);
        pthread_mutex_unlock(&t->lock);
        pthread_join(t->thread, NULL);
}

void timer_destroy(struct timers *t)
{
        if (!t)
                return;
        pthread_mutex_destroy(&t->lock);
        pthread_cond_destroy(&t->changed);
        free(t->heap);
        free(t);
}
