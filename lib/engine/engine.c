/* SPDX-License-Identifier: MIT */

/*
 * A flow under way sits in a slot.  A slot is in exactly one place at a time:
 *
 *   GATE    its API request waits for the pace
 *   QUEUE   its transfer waits until fewer are under way
 *   HTTP    a request is out
 *   RECORD  with the recorder
 *   POOL    a look or a digest is on the thread pool
 *   ASLEEP  it asked to wait; it takes no room then, so that a failing file blocks no other
 */

#include "lib/engine/engine.h"

#include "lib/base/die.h"
#include "lib/base/str.h"
#include "lib/core/pace.h"
#include "lib/engine/http.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define ENGINE_ASLEEP_MAX 512
#define ENGINE_LINGER_MS 60000 /* nobody waits at a gate that stays shut for longer … */
#define ENGINE_LINGER_TIMES 3  /* … or was shut so often without anything good between */
#define ENGINE_LASTING_TIMES 8 /* two minutes or so: nothing more is to be hoped for in this pass */

enum slot_place { SLOT_GATE, SLOT_QUEUE, SLOT_HTTP, SLOT_RECORD, SLOT_POOL, SLOT_ASLEEP, SLOT_DEAD };

struct slot {
        struct slot *prev, *next; /* of engine.slots */
        struct engine *engine;
        struct flow *flow;
        engine_done done;
        void *userdata;
        enum slot_place place;

        uint64_t id;
        struct slot *gate_next; /* GATE and QUEUE */
        int64_t asked_ms;    /* when its request began to wait for its turn */
        bool passed[ENGINE_LANES];     /* the lanes it is under way in … */
        uint32_t era[ENGINE_LANES];    /* … since */
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
        unsigned haste;      /* how fast our clock goes: 1 but in tests */
        unsigned parallel;
        struct gate gates[ENGINE_LANES];
        enum gate_news (*judge)(const struct outcome *in);
        char why[160];       /* a gate was shut last: what was heard */
        bool refused;        /* nothing more is sent with this token … */
        char refusal[1024];  /* … for this reason */
        uint64_t ids;
        atomic_bool stop;    /* for digests */

        struct slot *slots;
        struct slot *gate, **gate_end; /* first come, first served */
        struct slot *queue, **queue_end;
        unsigned active, asleep, transferring;
        unsigned busy;       /* slots in RECORD or POOL, dead ones too */
        uint64_t api_calls, transfers;
        int store_err;
        void (*room)(void *userdata);
        void *room_userdata;
        void (*trouble)(void *userdata, enum engine_lane lane, const struct outcome *in,
                        int64_t wait_ms);
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
        return (int64_t)(uv_now(e->loop) * e->haste);
}

static void engine_timer(const struct engine *e, uv_timer_t *timer, uv_timer_cb cb, int64_t ms)
{
        uv_timer_start(timer, cb, (uint64_t)(ms + e->haste - 1) / e->haste, 0);
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
        e->haste = die_haste();
        e->parallel = options->parallel;
        e->judge = options->judge;
        e->gate_end = &e->gate;
        e->queue_end = &e->queue;
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
        e->refused = false;
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

static enum engine_lane engine_shut(const struct engine *e)
{
        enum engine_lane lane = ENGINE_ANY;

        while (lane < ENGINE_LANES && !e->gates[lane].shut)
                lane++;
        return lane;
}

struct engine_stats engine_stats(const struct engine *e)
{
        return (struct engine_stats){.api_calls = e->api_calls,
                                     .transfers = e->transfers,
                                     .bytes_sent = http_sent(e->http),
                                     .active = e->active,
                                     .asleep = e->asleep,
                                     .shut = engine_shut(e),
                                     .store_err = e->store_err};
}

void engine_transfers(const struct engine *e,
                      void (*show)(void *userdata, const struct entry *file, uint64_t sent),
                      void *userdata)
{
        for (const struct slot *s = e->slots; s; s = s->next)
                if (s->place == SLOT_HTTP && s->op && s->req->file)
                        show(userdata, s->req->file, http_op_sent(s->op));
}

static struct slot *engine_overdue(const struct engine *e);

/* How many may be under way now.  Those whose bytes go out leave room for others, which meanwhile
 * ask for what they need; so the next transfer begins when one ends, and not two answers later.  But
 * no more than `parallel` ask: what is refused for one is refused for all of those. */
static unsigned engine_errands(const struct engine *e)
{
        return e->parallel > 1 ? e->parallel + e->transferring : 1;
}

unsigned engine_room(const struct engine *e)
{
        if (e->stopping || e->active >= engine_errands(e) || e->asleep >= ENGINE_ASLEEP_MAX ||
            (e->asleep > 0 && engine_overdue(e)))
                return 0;
        return engine_errands(e) - e->active;
}

void engine_on_room(struct engine *e, void (*room)(void *userdata), void *userdata)
{
        e->room = room;
        e->room_userdata = userdata;
}

void engine_on_trouble(struct engine *e,
                       void (*trouble)(void *userdata, enum engine_lane lane,
                                       const struct outcome *in, int64_t wait_ms),
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
static void engine_open_gate(struct engine *e);

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

/* A slot that is back goes on.  Should it end, or wait, what it held is free for others. */
static void slot_go_on(struct slot *s, struct outcome *in)
{
        struct engine *e = s->engine;

        if (slot_back(s))
                return;
        slot_tell(s, in);
        engine_open_gate(e);
}

static void slot_recorded(void *userdata, struct recorder_job *job _unused_,
                          const struct outcome *in)
{
        struct slot *s = userdata;
        struct outcome mine = *in;

        if (in->err)
                s->engine->store_err = in->err;
        slot_go_on(s, &mine);
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
                s->result = source_look_there(&e->root, s->ask.key, &s->look);
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
        slot_go_on(s, &in);
}

static void slot_pool(struct slot *s, const struct ask *ask)
{
        s->place = SLOT_POOL;
        s->ask = *ask;
        s->look = (struct entry){0};
        s->engine->busy++;
        uv_queue_work(s->engine->loop, &s->work, slot_work, slot_worked);
}

/* ---- the gates: API requests at the agreed pace, and not while there is no point in them -------- */

static void engine_on_gate(uv_timer_t *timer)
{
        engine_open_gate(timer->data);
}

static enum engine_lane slot_lane(const struct slot *s)
{
        if (!s->req->api || s->req->begins_upload)
                return ENGINE_UPLOAD;
        return s->req->method == HTTP_GET ? ENGINE_ANY : ENGINE_CHANGE;
}

static int64_t slot_wait(const struct slot *s)
{
        int64_t most = 0;

        for (enum engine_lane lane = ENGINE_ANY; lane <= slot_lane(s); lane++) {
                int64_t wait_ms = gate_wait(&s->engine->gates[lane], engine_now(s->engine));

                most = wait_ms > most ? wait_ms : most;
        }
        return most;
}

static void slot_pass(struct slot *s)
{
        for (enum engine_lane lane = ENGINE_ANY; lane <= slot_lane(s); lane++) {
                s->era[lane] = gate_pass(&s->engine->gates[lane]);
                s->passed[lane] = true;
        }
}

static void slot_leave(struct slot *s, enum engine_lane lane)
{
        if (s->passed[lane])
                gate_back(&s->engine->gates[lane], s->era[lane]);
        s->passed[lane] = false;
}

static void engine_say_trouble(struct engine *e, enum engine_lane lane, const struct outcome *in,
                               int64_t wait_ms)
{
        if (e->trouble)
                e->trouble(e->trouble_userdata, lane, in, wait_ms);
}

static void slot_good(struct slot *s, enum engine_lane lane, const struct outcome *in)
{
        struct engine *e = s->engine;

        if (s->passed[lane] && gate_good(&e->gates[lane], s->era[lane]))
                engine_say_trouble(e, lane, in, 0);
}

/* True when this has shut the lane. */
static bool slot_bad(struct slot *s, enum engine_lane lane, bool sure, const struct outcome *in)
{
        struct engine *e = s->engine;
        int64_t wait_ms;

        if (!s->passed[lane])
                return false;
        wait_ms = gate_bad(&e->gates[lane], s->era[lane], s->id, sure, in->retry_after_ms,
                           engine_now(e), engine_random());
        if (wait_ms == 0)
                return false;
        if (in->kind == OUTCOME_HTTP && in->status == 429)
                pace_refused(&e->pace, engine_now(e), wait_ms);
        if (in->kind == OUTCOME_HTTP)
                snprintf(e->why, sizeof(e->why), "HTTP %d", in->status);
        else
                str_copy(e->why, sizeof(e->why), in->text ? in->text : "");
        engine_say_trouble(e, lane, in, wait_ms);
        return true;
}

/* What an answer, or its absence, says for everybody.  Returns the lane it has shut, if any. */
static enum engine_lane slot_learn(struct slot *s, const struct outcome *in)
{
        enum engine_lane lane = slot_lane(s);

        switch (s->engine->judge(in)) {
        case GATE_NEWS_NONE:
                break;
        case GATE_NEWS_GOOD:
                if (!s->req->api)
                        slot_good(s, ENGINE_UPLOAD, in);
                else
                        for (int l = ENGINE_ANY; l <= (int)lane && l < ENGINE_UPLOAD; l++)
                                slot_good(s, (enum engine_lane)l, in);
                break;
        case GATE_NEWS_KIND:
                if (lane == ENGINE_UPLOAD && s->req->api)
                        lane = ENGINE_CHANGE;
                return slot_bad(s, lane, s->req->api, in) ? lane : ENGINE_LANES;
        case GATE_NEWS_ALL:
                if (s->req->api)
                        return slot_bad(s, ENGINE_ANY, true, in) ? ENGINE_ANY : ENGINE_LANES;
                return slot_bad(s, lane, false, in) ? lane : ENGINE_LANES;
        case GATE_NEWS_REFUSED:
                s->engine->refused |= s->req->api;
                break;
        case GATE_NEWS_PERHAPS:
                if (s->req->api && slot_bad(s, ENGINE_ANY, false, in))
                        return ENGINE_ANY;
                return lane > ENGINE_ANY && slot_bad(s, lane, false, in) ? lane : ENGINE_LANES;
        }
        return ENGINE_LANES;
}

/* How long there is nothing to wait for in these lanes, for a flow that would; -1: not that long. */
static int64_t engine_lasting(const struct engine *e, enum engine_lane lane)
{
        for (enum engine_lane l = ENGINE_ANY; l <= lane; l++)
                if (e->gates[l].shut && e->gates[l].times >= ENGINE_LASTING_TIMES)
                        return ENGINE_LINGER_MS + 1;
        return -1;
}

static void slot_turn_away(struct slot *s)
{
        struct outcome in = {.kind = OUTCOME_FAULT,
                             .fault = HTTP_FAULT_SHUT,
                             .text = s->engine->why,
                             .retry_after_ms = engine_lasting(s->engine, slot_lane(s))};

        slot_tell(s, &in);
}

static void slot_enqueue(struct slot *s)
{
        struct engine *e = s->engine;

        s->place = SLOT_GATE;
        s->gate_next = NULL;
        *e->gate_end = s;
        e->gate_end = &s->gate_next;
}

static void slot_dequeue(struct slot *s)
{
        struct engine *e = s->engine;
        struct slot **link = &e->gate;

        while (*link != s)
                link = &(*link)->gate_next;
        *link = s->gate_next;
        if (!*link)
                e->gate_end = link;
}

/* Those who wait for a lane that has just been shut learn what they would have heard. */
static void engine_turn_away(struct engine *e, enum engine_lane lane)
{
        unsigned n = 0;

        for (struct slot *s = e->gate; s; s = s->gate_next)
                n++;
        while (n-- > 0 && e->gate && !e->stopping) {
                struct slot *s = e->gate;

                slot_dequeue(s);
                if (slot_lane(s) >= lane)
                        slot_turn_away(s);
                else
                        slot_enqueue(s);
        }
}

static void slot_end(struct slot *s, const struct flow_end *end);

static void slot_end_refused(struct slot *s)
{
        struct flow_end end = {.kind = END_REFUSED, .text = s->engine->refusal};

        if (s->place == SLOT_HTTP) {
                s->engine->transferring -= !s->req->api;
                http_cancel(s->op);
        }
        if (s->place == SLOT_ASLEEP) {
                s->engine->asleep--;
                s->engine->active++;
        }
        slot_end(s, &end);
}

static void engine_forget_waiting(struct engine *e)
{
        e->gate = e->queue = NULL;
        e->gate_end = &e->gate;
        e->queue_end = &e->queue;
}

/* Nothing may be asked any more: whoever would ask next ends here. */
static void engine_end_refused(struct engine *e)
{
        engine_forget_waiting(e);
        for (struct slot *s = e->slots; s && e->refused && !e->stopping;) {
                if (s->place == SLOT_GATE || s->place == SLOT_QUEUE || s->place == SLOT_HTTP ||
                    s->place == SLOT_ASLEEP) {
                        slot_end_refused(s);
                        s = e->slots; /* the list may look quite different now */
                } else {
                        s = s->next;
                }
        }
}

static void engine_next_transfer(struct engine *e);

static void slot_answered(void *userdata, struct outcome *in)
{
        struct slot *s = userdata;
        struct engine *e = s->engine;
        enum engine_lane shut;

        s->op = NULL;
        e->transferring -= !s->req->api;
        shut = slot_learn(s, in);
        slot_leave(s, ENGINE_ANY);
        slot_leave(s, ENGINE_CHANGE);
        /* An upload that may begin has yet to show that it arrives. */
        if (!s->req->api || shut < ENGINE_LANES)
                slot_leave(s, ENGINE_UPLOAD);
        if (shut < ENGINE_LANES && in->retry_after_ms < engine_lasting(e, shut))
                in->retry_after_ms = engine_lasting(e, shut);
        slot_tell(s, in);
        if (e->refused)
                engine_end_refused(e);
        else if (shut < ENGINE_LANES && e->gates[shut].times >= ENGINE_LINGER_TIMES)
                engine_turn_away(e, shut);
        engine_next_transfer(e);
        engine_open_gate(e);
}

static void engine_has_room(struct engine *e)
{
        if (e->room && !e->stopping)
                e->room(e->room_userdata);
}

static void slot_send(struct slot *s)
{
        struct engine *e = s->engine;
        struct outcome in = {.kind = OUTCOME_FAULT,
                             .fault = HTTP_FAULT_LOCAL,
                             .err = ENOMEM,
                             .retry_after_ms = -1};

        s->place = SLOT_HTTP;
        if (s->req->api)
                e->api_calls++;
        else
                e->transfers++, e->transferring++;
        s->op = http_start(e->http, s->req, slot_answered, s);
        if (s->op) {
                if (!s->req->api)
                        engine_has_room(e);
                return;
        }
        e->transferring -= !s->req->api;
        for (enum engine_lane lane = ENGINE_ANY; lane < ENGINE_LANES; lane++)
                slot_leave(s, lane); /* it was not even asked: others may be */
        slot_tell(s, &in);
        engine_open_gate(e);
}

static void slot_queue(struct slot *s)
{
        struct engine *e = s->engine;

        s->place = SLOT_QUEUE;
        s->gate_next = NULL;
        *e->queue_end = s;
        e->queue_end = &s->gate_next;
        engine_next_transfer(e);
}

static void engine_next_transfer(struct engine *e)
{
        while (e->queue && !e->stopping && e->transferring < e->parallel) {
                struct slot *s = e->queue;

                e->queue = s->gate_next;
                if (!e->queue)
                        e->queue_end = &e->queue;
                slot_send(s);
        }
}

/* The first in the queue that may go, or NULL and after how many ms one may. */
static struct slot *engine_first_to_go(struct engine *e, int64_t *ret_wait_ms)
{
        *ret_wait_ms = GATE_BUSY;
        for (struct slot *s = e->gate; s; s = s->gate_next) {
                int64_t wait_ms = slot_wait(s);

                if (wait_ms == 0)
                        wait_ms = pace_take(&e->pace, 1, engine_now(e));
                if (wait_ms == 0)
                        return s;
                if (wait_ms < *ret_wait_ms)
                        *ret_wait_ms = wait_ms;
        }
        return NULL;
}

/* What it rests on may have changed while it waited for its turn. */
static bool slot_is_late(const struct slot *s)
{
        return s->req->fresh_ms > 0 && engine_now(s->engine) - s->asked_ms > s->req->fresh_ms;
}

static void engine_open_gate(struct engine *e)
{
        int64_t wait_ms;

        while (e->gate && !e->stopping) {
                struct slot *s = engine_first_to_go(e, &wait_ms);

                if (!s && wait_ms < GATE_BUSY)
                        engine_timer(e, &e->gate_timer, engine_on_gate, wait_ms);
                if (!s)
                        return;
                slot_dequeue(s);
                if (slot_is_late(s)) {
                        slot_turn_away(s);
                        continue;
                }
                slot_pass(s);
                slot_send(s);
        }
}

static void slot_http(struct slot *s, const struct http_req *req)
{
        int64_t wait_ms;

        s->req = req;
        if (req->api)
                slot_leave(s, ENGINE_UPLOAD);
        if (s->engine->refused) {
                s->place = SLOT_GATE;
                slot_end_refused(s);
                return;
        }
        if (!req->api) {
                slot_queue(s);
                return;
        }
        wait_ms = slot_wait(s);
        if (wait_ms > ENGINE_LINGER_MS && wait_ms < GATE_BUSY) {
                s->place = SLOT_GATE;
                slot_turn_away(s);
                return;
        }
        s->asked_ms = engine_now(s->engine);
        slot_enqueue(s);
        engine_open_gate(s->engine);
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

        while (e->active < engine_errands(e) && (s = engine_overdue(e))) {
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
        if (first == INT64_MAX || e->active >= engine_errands(e)) /* planned anew when there is room */
                uv_timer_stop(&e->wake_timer);
        else
                engine_timer(e, &e->wake_timer, engine_on_wake, first > now ? first - now : 0);
}

void engine_set_limits(struct engine *e, unsigned parallel, unsigned api_rate,
                       uint64_t upload_rate)
{
        e->parallel = parallel;
        pace_change(&e->pace, api_rate, api_rate / 4.0, engine_now(e));
        http_set_upload_rate(e->http, upload_rate);
        engine_plan_waking(e);
        if (e->room && !e->stopping)
                e->room(e->room_userdata);
}

static void slot_sleep(struct slot *s, int64_t delay_ms)
{
        struct engine *e = s->engine;

        slot_leave(s, ENGINE_UPLOAD);
        s->place = SLOT_ASLEEP;
        s->wake_ms = engine_now(e) + (delay_ms > 0 ? delay_ms : 1);
        e->active--;
        e->asleep++;
        engine_plan_waking(e);
        engine_has_room(e);
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void slot_end(struct slot *s, const struct flow_end *end)
{
        struct engine *e = s->engine;

        slot_leave(s, ENGINE_UPLOAD);
        if (end->kind == END_REFUSED && end->text != e->refusal)
                str_copy(e->refusal, sizeof(e->refusal), end->text);
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
                           .id = ++e->ids,
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
        engine_forget_waiting(e);
        e->transferring = 0;
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
