/* SPDX-License-Identifier: MIT */

/*
 * A flow under way sits in a slot.  A slot is in exactly one place at a time:
 *
 *   GATE    its API request waits for the pace
 *   HTTP    a request is out
 *   RECORD  with the recorder
 *   POOL    a look or a digest is on the thread pool
 *   ASLEEP  it asked to wait; it takes no room then, so that a failing file blocks no other
 */

#include "lib/engine/engine.h"

#include "lib/core/backoff.h"
#include "lib/core/pace.h"
#include "lib/engine/http.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define ENGINE_ASLEEP_MAX 512

enum slot_place { SLOT_GATE, SLOT_HTTP, SLOT_RECORD, SLOT_POOL, SLOT_ASLEEP, SLOT_DEAD };

struct slot {
        struct slot *prev, *next; /* of engine.slots */
        struct engine *engine;
        struct flow *flow;
        engine_done done;
        void *userdata;
        enum slot_place place;

        struct slot *gate_next;
        const struct http_req *req;
        struct http_op *op;
        struct recorder_job job;
        uv_work_t work;
        struct ask ask;      /* POOL: what is being done … */
        int result;          /* … and how it went */
        uint8_t md5[16];
        struct entry look;
        int64_t read_ns;
        int64_t wake_ms;     /* ASLEEP */
};

struct engine {
        uv_loop_t *loop;
        struct http *http;
        struct recorder *recorder;
        uv_timer_t gate_timer, wake_timer;
        struct source_root root;
        struct pace pace;
        unsigned parallel;
        unsigned refusals;   /* in a row */
        atomic_bool stop;    /* for digests */

        struct slot *slots;
        struct slot *gate, **gate_end; /* first come, first served */
        unsigned active, asleep;
        unsigned busy;       /* slots in RECORD or POOL, dead ones too */
        uint64_t api_calls, transfers;
        bool unreachable;
        int store_err;
        void (*room)(void *userdata);
        void *room_userdata;
        void (*trouble)(void *userdata, const struct outcome *in, int64_t wait_ms);
        void *trouble_userdata;

        bool stopping;
        void (*stopped)(void *userdata);
        void *stopped_userdata;
        unsigned closing;    /* handles still to be closed */
        void (*closed)(void *userdata);
        void *closed_userdata;
};

static int64_t engine_now(const struct engine *e)
{
        return (int64_t)uv_now(e->loop);
}

static int64_t engine_wall_ns(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_REALTIME, &ts);
        return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static uint32_t engine_random(void)
{
        uint32_t r;

        if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != sizeof(r))
                r = (uint32_t)engine_wall_ns() * 2654435761u;
        return r;
}

int engine_create(struct engine **ret, uv_loop_t *loop, const struct engine_options *options,
                  struct err *err)
{
        struct engine *e = calloc(1, sizeof(*e));
        struct http_options http = {.user_agent = options->user_agent,
                                    .parallel = options->parallel,
                                    .upload_rate = options->upload_rate};
        int r;

        if (!e)
                return err_set(err, ENOMEM, "no memory");
        e->loop = loop;
        e->parallel = options->parallel;
        e->gate_end = &e->gate;
        e->root.fd = -1;
        r = recorder_create(&e->recorder, loop, &options->desk);
        if (r == 0)
                r = http_create(&e->http, loop, &http, err);
        if (r < 0) {
                recorder_destroy(e->recorder);
                free(e);
                return r;
        }
        pace_init(&e->pace, options->api_rate, options->api_rate / 4.0, engine_now(e));
        uv_timer_init(loop, &e->gate_timer);
        uv_timer_init(loop, &e->wake_timer);
        e->gate_timer.data = e->wake_timer.data = e;
        *ret = e;
        return 0;
}

int engine_set_token(struct engine *e, const char *token)
{
        return http_set_token(e->http, token);
}

void engine_set_root(struct engine *e, const struct source_root *root)
{
        e->root = *root;
        http_set_root(e->http, root);
}

uv_loop_t *engine_loop(const struct engine *e)
{
        return e->loop;
}

struct engine_stats engine_stats(const struct engine *e)
{
        return (struct engine_stats){.api_calls = e->api_calls,
                                     .transfers = e->transfers,
                                     .bytes_sent = http_sent(e->http),
                                     .active = e->active,
                                     .asleep = e->asleep,
                                     .unreachable = e->unreachable,
                                     .store_err = e->store_err};
}

static struct slot *engine_overdue(const struct engine *e);

unsigned engine_room(const struct engine *e)
{
        if (e->stopping || e->active >= e->parallel || e->asleep >= ENGINE_ASLEEP_MAX ||
            (e->asleep > 0 && engine_overdue(e)))
                return 0;
        return e->parallel - e->active;
}

void engine_on_room(struct engine *e, void (*room)(void *userdata), void *userdata)
{
        e->room = room;
        e->room_userdata = userdata;
}

void engine_on_trouble(struct engine *e,
                       void (*trouble)(void *userdata, const struct outcome *in, int64_t wait_ms),
                       void *userdata)
{
        e->trouble = trouble;
        e->trouble_userdata = userdata;
}

/* ---- slots ----------------------------------------------------------------------------------- */

static void slot_free(struct slot *s)
{
        struct engine *e = s->engine;

        if (s->prev)
                s->prev->next = s->next;
        else
                e->slots = s->next;
        if (s->next)
                s->next->prev = s->prev;
        flow_destroy(s->flow);
        free(s);
}

static void engine_check_stopped(struct engine *e)
{
        if (!e->stopping || e->busy > 0 || !e->stopped)
                return;
        void (*stopped)(void *) = e->stopped;

        e->stopped = NULL;
        e->stopping = false;
        atomic_store(&e->stop, false);
        stopped(e->stopped_userdata);
}

static void slot_tell(struct slot *s, struct outcome *in);

/* A slot whose work on the pool is over: true when the engine has meanwhile dropped it. */
static bool slot_back(struct slot *s)
{
        struct engine *e = s->engine;

        e->busy--;
        if (s->place != SLOT_DEAD)
                return false;
        slot_free(s);
        engine_check_stopped(e);
        return true;
}

static void slot_recorded(void *userdata, struct recorder_job *job _unused_,
                          const struct outcome *in)
{
        struct slot *s = userdata;
        struct outcome mine = *in;

        if (in->err)
                s->engine->store_err = in->err;
        if (!slot_back(s))
                slot_tell(s, &mine);
}

static void slot_record(struct slot *s, const struct ask *ask)
{
        s->place = SLOT_RECORD;
        s->engine->busy++;
        s->job = (struct recorder_job){.done = slot_recorded, .userdata = s};
        if (ask->want == ASK_KNOWN) {
                s->job.key = ask->key;
        } else {
                s->job.records = ask->records;
                s->job.n = ask->n_records;
        }
        recorder_add(s->engine->recorder, &s->job);
}

static void slot_work(uv_work_t *work)
{
        struct slot *s = CONTAINER_OF(work, struct slot, work);
        struct engine *e = s->engine;

        if (s->ask.want == ASK_LOOK) {
                s->result = source_look(&e->root, s->ask.key, &s->look);
        } else {
                s->read_ns = engine_wall_ns();
                s->result = source_digest(&e->root, s->ask.entry, &e->stop, s->md5);
        }
}

static void slot_worked(uv_work_t *work, int status _unused_)
{
        struct slot *s = CONTAINER_OF(work, struct slot, work);
        struct outcome in = {.kind = OUTCOME_LOCAL,
                             .err = -s->result,
                             .look = s->look,
                             .read_ns = s->read_ns,
                             .retry_after_ms = -1};

        memcpy(in.md5, s->md5, sizeof(in.md5));
        if (!slot_back(s))
                slot_tell(s, &in);
}

static void slot_pool(struct slot *s, const struct ask *ask)
{
        s->place = SLOT_POOL;
        s->ask = *ask;
        s->look = (struct entry){0};
        s->engine->busy++;
        uv_queue_work(s->engine->loop, &s->work, slot_work, slot_worked);
}

/* ---- the gate: API requests at the agreed pace ------------------------------------------------ */

static void engine_open_gate(struct engine *e);

static void engine_on_gate(uv_timer_t *timer)
{
        engine_open_gate(timer->data);
}

static void engine_say_trouble(struct engine *e, const struct outcome *in, int64_t wait_ms)
{
        if (e->trouble)
                e->trouble(e->trouble_userdata, in, wait_ms);
}

/* What an answer, or its absence, says about the pace for everybody. */
static void engine_learn(struct engine *e, const struct outcome *in)
{
        int64_t now = engine_now(e), wait_ms;
        bool refused = in->kind == OUTCOME_HTTP && in->status == 429;
        bool unreachable = in->kind == OUTCOME_FAULT && in->fault == HTTP_FAULT_UNREACHABLE;

        e->unreachable = unreachable;
        if (!refused && !unreachable) {
                if (e->refusals > 0)
                        engine_say_trouble(e, in, 0);
                e->refusals = 0;
                return;
        }
        if (now < e->pace.closed_ms) /* one of those that were under way when the gate closed */
                return;
        wait_ms = backoff_ms(++e->refusals, in->retry_after_ms, engine_random());
        if (refused)
                pace_refused(&e->pace, now, wait_ms);
        else
                pace_close(&e->pace, now, wait_ms);
        engine_say_trouble(e, in, wait_ms);
}

static void slot_answered(void *userdata, struct outcome *in)
{
        struct slot *s = userdata;

        s->op = NULL;
        if (s->req->api)
                engine_learn(s->engine, in);
        slot_tell(s, in);
}

static void slot_send(struct slot *s)
{
        struct outcome in = {.kind = OUTCOME_FAULT,
                             .fault = HTTP_FAULT_LOCAL,
                             .err = ENOMEM,
                             .retry_after_ms = -1};

        s->place = SLOT_HTTP;
        if (s->req->api)
                s->engine->api_calls++;
        else
                s->engine->transfers++;
        s->op = http_start(s->engine->http, s->req, slot_answered, s);
        if (!s->op)
                slot_tell(s, &in);
}

static void engine_open_gate(struct engine *e)
{
        while (e->gate && !e->stopping) {
                struct slot *s = e->gate;
                int64_t wait_ms = pace_take(&e->pace, 1, engine_now(e));

                if (wait_ms > 0) {
                        uv_timer_start(&e->gate_timer, engine_on_gate, (uint64_t)wait_ms, 0);
                        return;
                }
                e->gate = s->gate_next;
                if (!e->gate)
                        e->gate_end = &e->gate;
                slot_send(s);
        }
}

static void slot_http(struct slot *s, const struct http_req *req)
{
        struct engine *e = s->engine;

        s->req = req;
        if (!req->api) {
                slot_send(s);
                return;
        }
        s->place = SLOT_GATE;
        s->gate_next = NULL;
        *e->gate_end = s;
        e->gate_end = &s->gate_next;
        if (e->gate == s)
                engine_open_gate(e);
}

/* ---- sleepers -------------------------------------------------------------------------------- */

static void engine_plan_waking(struct engine *e);

/* The sleeper whose time has come longest ago, or NULL. */
static struct slot *engine_overdue(const struct engine *e)
{
        struct slot *first = NULL;

        for (struct slot *s = e->slots; s; s = s->next)
                if (s->place == SLOT_ASLEEP && s->wake_ms <= engine_now(e) &&
                    (!first || s->wake_ms < first->wake_ms))
                        first = s;
        return first;
}

/* Sleepers take room when they wake, and come before what is new. */
static void engine_on_wake(uv_timer_t *timer)
{
        struct engine *e = timer->data;
        struct slot *s;

        while (e->active < e->parallel && (s = engine_overdue(e))) {
                struct outcome in = {.kind = OUTCOME_WOKE, .retry_after_ms = -1};

                e->asleep--;
                e->active++;
                s->place = SLOT_GATE;
                slot_tell(s, &in);
        }
        engine_plan_waking(e);
}

static void engine_plan_waking(struct engine *e)
{
        int64_t first = INT64_MAX, now = engine_now(e);

        for (struct slot *s = e->slots; s; s = s->next)
                if (s->place == SLOT_ASLEEP && s->wake_ms < first)
                        first = s->wake_ms;
        if (first == INT64_MAX || e->active >= e->parallel) /* planned anew when there is room */
                uv_timer_stop(&e->wake_timer);
        else
                uv_timer_start(&e->wake_timer, engine_on_wake,
                               first > now ? (uint64_t)(first - now) : 0, 0);
}

static void slot_sleep(struct slot *s, int64_t delay_ms)
{
        struct engine *e = s->engine;

        s->place = SLOT_ASLEEP;
        s->wake_ms = engine_now(e) + (delay_ms > 0 ? delay_ms : 1);
        e->active--;
        e->asleep++;
        engine_plan_waking(e);
        if (e->room && !e->stopping)
                e->room(e->room_userdata);
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void slot_end(struct slot *s, const struct flow_end *end)
{
        struct engine *e = s->engine;

        s->place = SLOT_DEAD;
        e->active--;
        s->done(s->userdata, s->flow, end);
        slot_free(s);
        engine_plan_waking(e);
}

static void slot_tell(struct slot *s, struct outcome *in)
{
        struct engine *e = s->engine;
        struct ask ask;

        in->now_ms = engine_now(e);
        in->wall_ms = engine_wall_ns() / 1000000;
        in->random = engine_random();
        ask = flow_next(s->flow, in);
        switch (ask.want) {
        case ASK_HTTP:
                slot_http(s, ask.http);
                return;
        case ASK_RECORD:
        case ASK_KNOWN:
                slot_record(s, &ask);
                return;
        case ASK_DIGEST:
        case ASK_LOOK:
                slot_pool(s, &ask);
                return;
        case ASK_WAIT:
                slot_sleep(s, ask.delay_ms);
                return;
        case ASK_DONE:
                slot_end(s, &ask.end);
                return;
        }
}

int engine_start(struct engine *e, struct flow *flow, engine_done done, void *userdata)
{
        struct slot *s = calloc(1, sizeof(*s));
        struct outcome in = {.kind = OUTCOME_START, .retry_after_ms = -1};

        if (!s || !flow) {
                free(s);
                flow_destroy(flow);
                return -ENOMEM;
        }
        *s = (struct slot){.engine = e,
                           .flow = flow,
                           .done = done,
                           .userdata = userdata,
                           .next = e->slots};
        if (e->slots)
                e->slots->prev = s;
        e->slots = s;
        e->active++;
        slot_tell(s, &in);
        return 0;
}

void engine_stop(struct engine *e, void (*stopped)(void *userdata), void *userdata)
{
        e->stopping = true;
        e->stopped = stopped;
        e->stopped_userdata = userdata;
        atomic_store(&e->stop, true);
        uv_timer_stop(&e->gate_timer);
        uv_timer_stop(&e->wake_timer);
        e->gate = NULL;
        e->gate_end = &e->gate;
        for (struct slot *s = e->slots, *next; s; s = next) {
                next = s->next;
                if (s->place == SLOT_HTTP)
                        http_cancel(s->op);
                if (s->place == SLOT_RECORD || s->place == SLOT_POOL)
                        s->place = SLOT_DEAD; /* freed when it comes back */
                else if (s->place != SLOT_DEAD)
                        slot_free(s);
        }
        e->active = e->asleep = 0;
        engine_check_stopped(e);
}

static void engine_part_closed(struct engine *e)
{
        void (*closed)(void *) = e->closed;
        void *userdata = e->closed_userdata;

        if (--e->closing > 0)
                return;
        recorder_destroy(e->recorder);
        free(e);
        closed(userdata);
}

static void engine_timer_closed(uv_handle_t *handle)
{
        engine_part_closed(handle->data);
}

static void engine_http_closed(void *userdata)
{
        engine_part_closed(userdata);
}

void engine_close(struct engine *e, void (*closed)(void *userdata), void *userdata)
{
        e->closed = closed;
        e->closed_userdata = userdata;
        e->closing = 3;
        uv_close((uv_handle_t *)&e->gate_timer, engine_timer_closed);
        uv_close((uv_handle_t *)&e->wake_timer, engine_timer_closed);
        http_close(e->http, engine_http_closed, e);
}
