/* SPDX-License-Identifier: MIT */

#include "daemon/desk.h"

#include "daemon/approval.h"
#include "daemon/control.h"
#include "daemon/pause.h"
#include "daemon/status.h"

#include <cjson/cJSON.h>
#include <errno.h>

#define DESK_OK 200
#define DESK_BAD 400
#define DESK_NOT_FOUND 404
#define DESK_CONFLICT 409
#define DESK_FAILED 500

/* Something that may have to wait for a disk: on the thread pool. */
struct desk_job {
        uv_work_t work;
        struct desk_job *prev, *next;
        struct desk *desk;              /* NULL: closed meanwhile, and `ask` is gone */
        struct control_ask *ask;
        void (*run)(struct desk_job *job);
        void (*done)(struct desk_job *job);
        char *state_dir, *argument;
        bool pause;
        int result;
        struct err err;
};

struct desk {
        uv_loop_t *loop;
        struct mirror *mirror;
        const char *state_dir;
        struct control *control;
        struct desk_job *jobs;
};

/* ---- jobs ------------------------------------------------------------------------------------- */

static void desk_job_free(struct desk_job *job)
{
        free(job->state_dir);
        free(job->argument);
        free(job);
}

static void desk_job_work(uv_work_t *work)
{
        struct desk_job *job = CONTAINER_OF(work, struct desk_job, work);

        job->run(job);
}

static void desk_job_forget(struct desk_job *job)
{
        if (job->prev)
                job->prev->next = job->next;
        else
                job->desk->jobs = job->next;
        if (job->next)
                job->next->prev = job->prev;
}

static void desk_job_worked(uv_work_t *work, int status _unused_)
{
        struct desk_job *job = CONTAINER_OF(work, struct desk_job, work);

        if (job->desk) {
                desk_job_forget(job);
                job->done(job);
        }
        desk_job_free(job);
}

static struct desk_job *desk_job(struct desk *d, struct control_ask *ask, const char *argument)
{
        struct desk_job *job = calloc(1, sizeof(*job));

        if (!job)
                return NULL;
        job->desk = d;
        job->ask = ask;
        job->state_dir = str_dup(d->state_dir);
        job->argument = str_dup(argument);
        if (job->state_dir && (job->argument || !argument))
                return job;
        desk_job_free(job);
        return NULL;
}

/* Takes `job` over; NULL: there was no memory for one. */
static void desk_start(struct desk_job *job, struct control_ask *ask,
                       void (*run)(struct desk_job *job), void (*done)(struct desk_job *job))
{
        struct desk *d;

        if (!job) {
                control_refuse(ask, DESK_FAILED, "no memory");
                return;
        }
        d = job->desk;
        job->run = run;
        job->done = done;
        job->next = d->jobs;
        if (d->jobs)
                d->jobs->prev = job;
        d->jobs = job;
        uv_queue_work(d->loop, &job->work, desk_job_work, desk_job_worked);
}

/* ---- answers ---------------------------------------------------------------------------------- */

static void desk_say(struct control_ask *ask, const char *key, const char *text)
{
        cJSON *o = cJSON_CreateObject();

        cJSON_AddStringToObject(o, key, text);
        control_reply(ask, DESK_OK, cJSON_PrintUnformatted(o));
        cJSON_Delete(o);
}

static void desk_status(void *userdata, struct control_ask *ask)
{
        struct desk *d = userdata;
        struct mirror_view view;

        mirror_view(d->mirror, &view);
        control_reply(ask, DESK_OK, status_json(&view, control_path(d->control)));
}

static void desk_sync(void *userdata, struct control_ask *ask)
{
        struct desk *d = userdata;

        if (mirror_look(d->mirror) < 0)
                control_refuse(ask, DESK_CONFLICT, "ydsync is paused; ydsync resume goes on");
        else
                desk_say(ask, "done", "a scan begins now");
}

static void desk_run_pause(struct desk_job *job)
{
        job->result = pause_set(job->state_dir, job->pause, &job->err);
}

static void desk_paused(struct desk_job *job)
{
        if (job->result < 0) {
                control_refuse(job->ask, DESK_FAILED, "%s", job->err.text);
                return;
        }
        if (job->pause)
                mirror_pause(job->desk->mirror);
        else
                mirror_resume(job->desk->mirror);
        desk_say(job->ask, "done",
                 job->pause ? "paused, over restarts too; ydsync resume goes on" : "going on");
}

static void desk_set_pause(struct desk *d, struct control_ask *ask, bool pause)
{
        struct desk_job *job = desk_job(d, ask, NULL);

        if (job)
                job->pause = pause;
        desk_start(job, ask, desk_run_pause, desk_paused);
}

static void desk_pause(void *userdata, struct control_ask *ask)
{
        desk_set_pause(userdata, ask, true);
}

static void desk_resume(void *userdata, struct control_ask *ask)
{
        desk_set_pause(userdata, ask, false);
}

static void desk_run_approve(struct desk_job *job)
{
        job->result = approval_give(job->state_dir, job->argument, &job->err);
}

static void desk_approved(struct desk_job *job)
{
        if (job->result < 0) {
                control_refuse(job->ask, job->result == -ESRCH ? DESK_NOT_FOUND : DESK_FAILED, "%s",
                               job->err.text);
                return;
        }
        mirror_look(job->desk->mirror);
        desk_say(job->ask, "done", "approved");
}

static void desk_approve(void *userdata, struct control_ask *ask)
{
        const char *id = control_argument(ask, "id");

        if (!id || !*id)
                control_refuse(ask, DESK_BAD, "write the id of the held plan as ?id=ID");
        else
                desk_start(desk_job(userdata, ask, id), ask, desk_run_approve, desk_approved);
}

static const struct control_route desk_routes[] = {
        {"GET", "/status", false, desk_status},
        {"POST", "/sync", true, desk_sync},
        {"POST", "/pause", true, desk_pause},
        {"POST", "/resume", true, desk_resume},
        {"POST", "/approve", true, desk_approve},
        {0},
};

/* ---- life ------------------------------------------------------------------------------------- */

int desk_open(struct desk **ret, uv_loop_t *loop, struct mirror *mirror, const char *state_dir,
              struct err *err)
{
        struct desk *d = calloc(1, sizeof(*d));
        int r;

        if (!d)
                return err_set(err, ENOMEM, "no memory");
        d->loop = loop;
        d->mirror = mirror;
        d->state_dir = state_dir;
        r = control_create(&d->control, loop, state_dir, desk_routes, d, err);
        if (r < 0)
                free(d);
        else
                *ret = d;
        return r;
}

void desk_close(struct desk *d)
{
        if (!d)
                return;
        for (struct desk_job *job = d->jobs; job; job = job->next)
                job->desk = NULL;
        control_close(d->control);
        free(d);
}
