/* SPDX-License-Identifier: MIT */

/*
 * A sliding window: a request passes unless the one `per_second` before it passed less than a
 * second ago.  Refused requests do not count, so whoever slows down gets through at once.
 */

#include <pthread.h>

#include "rate.h"
#include "util.h"

struct rate {
        pthread_mutex_t lock;
        int64_t *passed;        /* when the last ones passed, a ring */
        int64_t size;           /* slots of it: per_second */
        int64_t next;
};

struct rate *rate_create(void)
{
        struct rate *r = xcalloc(1, sizeof *r);

        pthread_mutex_init(&r->lock, NULL);
        return r;
}

void rate_destroy(struct rate *r)
{
        if (!r)
                return;
        pthread_mutex_destroy(&r->lock);
        free(r->passed);
        free(r);
}

bool rate_admit(struct rate *r, int64_t per_second)
{
        int64_t now = now_mono_us();
        bool ok;

        if (per_second == 0)
                return true;
        pthread_mutex_lock(&r->lock);
        if (r->size != per_second) {
                free(r->passed);
                r->passed = xcalloc((size_t)per_second, sizeof *r->passed);
                r->size = per_second;
                r->next = 0;
        }
        ok = r->passed[r->next] == 0 || r->passed[r->next] <= now - 1000000;
        if (ok) {
                r->passed[r->next] = now;
                r->next = (r->next + 1) % r->size;
        }
        pthread_mutex_unlock(&r->lock);
        return ok;
}
