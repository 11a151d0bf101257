/* SPDX-License-Identifier: MIT */

#include "daemon/desk.h"

#include "daemon/approval.h"
#include "daemon/control.h"
#include "daemon/explain.h"
#include "daemon/pause.h"
#include "daemon/status.h"
#include "daemon/verify.h"

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
        struct config config;           /* what of it an explanation needs, its own */
        cJSON *json;                    /* what came of it */
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
        cJSON_Delete(job->json);
        config_finish(&job->config);
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
                desk_say(ask, "done", N_("a scan begins now"));
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
                 job->pause ? N_("paused, over restarts too; ydsync resume goes on")
                            : N_("going on"));
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
        desk_say(job->ask, "done", N_("approved"));
}

static void desk_approve(void *userdata, struct control_ask *ask)
{
        const char *id = control_argument(ask, "id");

        if (!id || !*id)
                control_refuse(ask, DESK_BAD, "write the id of the held plan as ?id=ID");
        else
                desk_start(desk_job(userdata, ask, id), ask, desk_run_approve, desk_approved);
}

/* ---- explain ---------------------------------------------------------------------------------- */

static void desk_run_explain(struct desk_job *job)
{
        _cleanup_(freep) char *key = NULL;

        job->result = explain_key(&job->config, job->argument, &key, &job->err);
        if (job->result == 0)
                job->result = explain_path(&job->config, key, &job->json, &job->err);
}

static void desk_set(cJSON *o, const char *key, const char *text)
{
        cJSON_ReplaceItemInObjectCaseSensitive(o, key, cJSON_CreateString(text));
}

static void desk_add_failing(cJSON *o, const struct failure_view *v)
{
        int64_t left = v->next_ms - (int64_t)(uv_hrtime() / 1000000);
        cJSON *failing = cJSON_AddObjectToObject(o, "failing");

        desk_set(o, "state", "failing");
        desk_set(o, "why", v->text);
        cJSON_AddNumberToObject(failing, "times", v->times);
        cJSON_AddNumberToObject(failing, "next_try_seconds",
                                left > 0 ? (double)((left + 999) / 1000) : 0);
}

static void desk_find_transfer(void *userdata, const struct entry *file, uint64_t sent _unused_)
{
        cJSON *o = userdata;
        const char *path = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "path"));

        if (!path || !str_eq(path, file->key))
                return;
        desk_set(o, "state", "uploading");
        desk_set(o, "why", N_("it is being sent now"));
}

/* What only the running daemon knows. */
static void desk_add_live(cJSON *o, const struct cycle_view *c)
{
        const char *path = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "path"));
        const char *state = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, "state"));
        struct failure_view failure;

        if (path && failures_find(c->failures, path, &failure))
                desk_add_failing(o, &failure);
        else if (state && str_eq(state, EXPLAIN_GONE) && *c->held) {
                desk_set(o, "state", "held");
                desk_set(o, "why",
                         N_("it is no longer here, and too much is; its copy stays until the held "
                            "plan is approved"));
        } else {
                engine_transfers(c->engine, desk_find_transfer, o);
        }
}

static void desk_explained(struct desk_job *job)
{
        struct mirror_view view;

        if (job->result < 0) {
                control_refuse(job->ask, job->result == -EINVAL ? DESK_BAD : DESK_FAILED, "%s",
                               job->err.text);
                return;
        }
        mirror_view(job->desk->mirror, &view);
        if (view.cycle)
                desk_add_live(job->json, view.cycle);
        control_reply(job->ask, DESK_OK, cJSON_PrintUnformatted(job->json));
}

/* The one at hand may be replaced while the job is under way. */
static bool desk_copy_config(struct config *ret, const struct config *c)
{
        *ret = (struct config){
                .folder = str_dup(c->folder),
                .state_dir = str_dup(c->state_dir),
                .exclude = str_dup(c->exclude),
                .follow = c->follow,
                .settle_ms = c->settle_ms,
        };
        return ret->folder && ret->state_dir && ret->exclude;
}

static void desk_explain(void *userdata, struct control_ask *ask)
{
        const char *path = control_argument(ask, "path");
        struct desk_job *job;
        struct mirror_view view;

        if (!path) {
                control_refuse(ask, DESK_BAD, "write the path as ?path=PATH");
                return;
        }
        job = desk_job(userdata, ask, path);
        if (job) {
                mirror_view(job->desk->mirror, &view);
                if (!desk_copy_config(&job->config, view.config)) {
                        desk_job_free(job);
                        job = NULL;
                }
        }
        desk_start(job, ask, desk_run_explain, desk_explained);
}

/* ---- verify ----------------------------------------------------------------------------------- */

static void desk_reply_verify(struct desk *d, struct control_ask *ask)
{
        struct mirror_view view;

        mirror_view(d->mirror, &view);
        if (!view.cycle)
                control_refuse(ask, DESK_CONFLICT, "ydsync is paused; ydsync resume goes on");
        else if (!view.cycle->compare)
                control_refuse(ask, DESK_NOT_FOUND, "nothing was compared yet");
        else
                control_reply(ask, DESK_OK, verify_json(view.cycle->compare));
}

static void desk_verify(void *userdata, struct control_ask *ask)
{
        desk_reply_verify(userdata, ask);
}

static void desk_begin_verify(void *userdata, struct control_ask *ask)
{
        struct desk *d = userdata;
        const char *repair = control_argument(ask, "repair");
        int r = mirror_compare(d->mirror, repair && str_eq(repair, "1"));

        if (r == -EBUSY)
                control_refuse(ask, DESK_CONFLICT, "ydsync is paused; ydsync resume goes on");
        else if (r < 0)
                control_refuse(ask, DESK_FAILED, "no memory");
        else
                desk_reply_verify(d, ask);
}

static const struct control_route desk_routes[] = {
        {"GET", "/status", false, desk_status},
        {"GET", "/explain", false, desk_explain},
        {"GET", "/verify", false, desk_verify},
        {"POST", "/verify", true, desk_begin_verify},
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
