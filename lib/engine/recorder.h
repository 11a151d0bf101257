/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Writes to, and looks into, the snapshot, off the loop.
 *
 * One job at a time on the thread pool.  What is asked for while it runs is gathered and committed
 * together by the next: under load many rows share one fsync, alone a row waits for nothing.
 */

#include "lib/base/err.h"
#include "lib/core/flow.h"

#include <uv.h>

/* The snapshot as the engine sees it; called on the thread pool, one call at a time. */
struct engine_desk {
        int (*commit)(void *userdata, const struct record *records, size_t n, struct err *err);
        /* Fills *ret; released with free_children(). */
        int (*children)(void *userdata, const char *key, struct entry_list *ret, struct err *err);
        void (*free_children)(struct entry_list *l);
        void *userdata;
};

struct recorder_job {
        const struct record *records;      /* to commit; NULL: look up the children of `key` */
        size_t n;
        const char *key;
        void (*done)(void *userdata, struct recorder_job *job, const struct outcome *in);
        void *userdata;
        struct recorder_job *next;         /* below: the recorder's */
        int result;
        struct err err;
        struct entry_list children;
};

struct recorder;

int recorder_create(struct recorder **ret, uv_loop_t *loop, const struct engine_desk *desk);
/* Only while nothing is queued. */
void recorder_destroy(struct recorder *r);

/* The job and what it points at must stay until `done`, which comes from the loop, never before
 * this returns. */
void recorder_add(struct recorder *r, struct recorder_job *job);
