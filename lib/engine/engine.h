/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Carries flows: asks each what it wants, does it, tells it how that went.
 *
 * It knows no files, no policy and no service: only how many transfers may be under way, how many
 * API requests may go out in a second, who is asleep, and that nobody is to ask while nobody is
 * answered.
 */

#include "lib/base/err.h"
#include "lib/core/flow.h"
#include "lib/core/gate.h"
#include "lib/engine/recorder.h"
#include "lib/engine/source.h"

#include <uv.h>

struct engine;

struct engine_options {
        const char *user_agent;
        unsigned parallel;     /* transfers under way at once; as many errands again prepare theirs */
        unsigned api_rate;     /* API requests a second, 0: no limit */
        uint64_t upload_rate;  /* bytes a second, 0: no limit */
        enum gate_news (*judge)(const struct outcome *in); /* HTTP and FAULT */
        struct engine_desk desk;
};

/* What can fail as a whole.  A request needs its own lane and all above it. */
enum engine_lane {
        ENGINE_ANY,    /* every API request */
        ENGINE_CHANGE, /* those that change something */
        ENGINE_UPLOAD, /* those that an upload begins with; the bytes themselves follow them */
        ENGINE_LANES,
};

struct engine_stats {
        uint64_t api_calls, transfers; /* requests sent, by kind */
        uint64_t bytes_sent;           /* body bytes */
        unsigned active, asleep;
        enum engine_lane shut;         /* the widest lane that does not work, ENGINE_LANES: none */
        int store_err;                 /* errno of the last write or look of the snapshot that
                                          failed, 0: none did */
};

int engine_create(struct engine **ret, uv_loop_t *loop, const struct engine_options *options,
                  struct err *err);

/* NULL: requests carry no token.  Copied; the old one is wiped.  After GATE_NEWS_REFUSED every flow
 * that wants to send something ends with END_REFUSED, until this is called. */
int engine_set_token(struct engine *e, const char *token);

/* As in the options, from now on; what is under way goes on. */
void engine_set_limits(struct engine *e, unsigned parallel, unsigned api_rate,
                       uint64_t upload_rate);

/* Where files are; the descriptor must stay open while flows are under way. */
void engine_set_root(struct engine *e, const struct source_root *root);

/* Comes once a flow; before engine_start() returns if the flow has nothing to do.  The flow is
 * destroyed when it returns. */
typedef void (*engine_done)(void *userdata, struct flow *flow, const struct flow_end *end);

/* Takes the flow over.  May be called from engine_done. */
int engine_start(struct engine *e, struct flow *flow, engine_done done, void *userdata);

/* How many flows may be started now. */
unsigned engine_room(const struct engine *e);

/* Called from the loop, or from engine_start(), when a flow has gone to sleep, or its bytes go out,
 * and so left room. */
void engine_on_room(struct engine *e, void (*room)(void *userdata), void *userdata);

/*
 * While a lane does not work, its requests are held back, but for one at a time that tries.  Flows
 * that wait learn of it (HTTP_FAULT_SHUT) when that has failed again and again, or is not to be tried
 * for long.  `trouble` is called when a lane is shut for `wait_ms` because of `in`, and with wait_ms
 * 0 once it works again.
 */
void engine_on_trouble(struct engine *e,
                       void (*trouble)(void *userdata, enum engine_lane lane,
                                       const struct outcome *in, int64_t wait_ms),
                       void *userdata);

/* Drops every flow: no engine_done comes for them.  `stopped` is called from the loop once nothing
 * is under way (a commit that has begun is finished first). */
void engine_stop(struct engine *e, void (*stopped)(void *userdata), void *userdata);

/* Only when nothing is under way; `closed` comes from the loop. */
void engine_close(struct engine *e, void (*closed)(void *userdata), void *userdata);

/* Every file that is being sent now, with how much of it is. */
void engine_transfers(const struct engine *e,
                      void (*show)(void *userdata, const struct entry *file, uint64_t sent),
                      void *userdata);

uv_loop_t *engine_loop(const struct engine *e);

struct engine_stats engine_stats(const struct engine *e);
