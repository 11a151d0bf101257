/* SPDX-License-Identifier: MIT */

#include "lib/engine/recorder.h"

#include "lib/base/die.h"

#include <errno.h>
#include <string.h>

struct recorder {
        uv_work_t work;
        uv_loop_t *loop;
        struct engine_desk desk;
        struct recorder_job *queued, **queued_end; /* for the next round */
        struct recorder_job *taken;                /* of the round under way */
        bool working;
};

int recorder_create(struct recorder **ret, uv_loop_t *loop, const struct engine_desk *desk)
{
        struct recorder *r = calloc(1, sizeof(*r));

        if (!r)
                return -ENOMEM;
        r->loop = loop;
        r->desk = *desk;
        r->queued_end = &r->queued;
        *ret = r;
        return 0;
}

void recorder_destroy(struct recorder *r)
{
        free(r);
}

/* All records of a round in one transaction; they succeed or fail together. */
static void recorder_commit(struct recorder *r)
{
        struct record *all = NULL;
        struct err err = ERR_NONE;
        size_t n = 0, at = 0;
        int result;

        for (struct recorder_job *j = r->taken; j; j = j->next)
                n += j->records ? j->n : 0;
        if (n == 0)
                return;
        all = reallocarray(NULL, n, sizeof(*all));
        if (all) {
                for (struct recorder_job *j = r->taken; j; j = j->next)
                        if (j->records) {
                                memcpy(all + at, j->records, j->n * sizeof(*all));
                                at += j->n;
                        }
                die_step();
                result = r->desk.commit(r->desk.userdata, all, n, &err);
                die_step();
        } else {
                result = err_set(&err, ENOMEM, "no memory");
        }
        free(all);
        for (struct recorder_job *j = r->taken; j; j = j->next)
                if (j->records) {
                        j->result = result;
                        j->err = err;
                }
}

static void recorder_work(uv_work_t *work)
{
        struct recorder *r = CONTAINER_OF(work, struct recorder, work);

        recorder_commit(r);
        for (struct recorder_job *j = r->taken; j; j = j->next)
                if (!j->records)
                        j->result = r->desk.children(r->desk.userdata, j->key, &j->children,
                                                     &j->err);
}

static void recorder_start(struct recorder *r);

static void recorder_worked(uv_work_t *work, int status _unused_)
{
        struct recorder *r = CONTAINER_OF(work, struct recorder, work);
        struct recorder_job *job = r->taken;

        r->working = false;
        r->taken = NULL;
        recorder_start(r); /* the next round is on its way while this one is told of */
        while (job) {
                struct recorder_job *next = job->next;
                struct entry_list children = job->children;
                struct outcome in = {.kind = OUTCOME_LOCAL,
                                     .err = -job->result,
                                     .text = job->err.text,
                                     .known = children,
                                     .retry_after_ms = -1};

                job->done(job->userdata, job, &in); /* the job may be gone after this */
                r->desk.free_children(&children);
                job = next;
        }
}

static void recorder_start(struct recorder *r)
{
        if (r->working || !r->queued)
                return;
        r->taken = r->queued;
        r->queued = NULL;
        r->queued_end = &r->queued;
        r->working = true;
        /* Fails only without a callback. */
        uv_queue_work(r->loop, &r->work, recorder_work, recorder_worked);
}

void recorder_add(struct recorder *r, struct recorder_job *job)
{
        job->next = NULL;
        job->result = 0;
        job->err = ERR_NONE;
        job->children = (struct entry_list){0};
        *r->queued_end = job;
        r->queued_end = &job->next;
        recorder_start(r);
}
