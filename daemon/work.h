/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Carrying out a stream of ops: each becomes a flow, as many at once as the engine has room for, in
 * the order that core/order keeps.  Says what was done, once, and counts.
 */

#include "daemon/quota.h"
#include "daemon/config.h"
#include "daemon/failures.h"
#include "daemon/moves.h"
#include "daemon/vain.h"
#include "lib/core/flow.h"
#include "lib/engine/engine.h"
#include "lib/store/spool.h"
#include "lib/store/store.h"
#include "lib/yadisk/yadisk.h"

struct doubts;

/* What a pass has done and left undone. */
struct tally {
        uint64_t uploaded, uploaded_bytes, made, moved, removed, adopted;
        uint64_t parked;       /* moved aside, for a while */
        uint64_t changed;      /* changed under our hands: to be seen anew */
        uint64_t later, stuck; /* failed; each path was named */
        uint64_t waiting;      /* not tried: failed before, and the time has not come */
        uint64_t awaiting;     /* put off: what was under way may yet come to stand there */
        uint64_t foreign;      /* left alone: somebody else's */
        uint64_t skipped;      /* not tried, or given up, because of what is below */
        uint64_t repaired;     /* rows found untrue: a further pass puts it right */
        uint64_t puts_over, put_bytes_over; /* files that were to be sent, and have ended any way */
        uint64_t folders_gone; /* met by uploads and folders to be made: see flow_end */
        bool cut_off;          /* uploads do not get through */
        bool halted;           /* nothing goes on: see `end` */
        bool renewable;        /* a token that is refused may be had anew */
        enum end_kind end;     /* END_REFUSED, END_STORE, or END_LATER: the service does not work */
        char text[512];        /* why it halted */
};

struct work_args {
        struct engine *engine;
        const struct yadisk *yadisk;
        const struct config *config;
        struct failures *failures;
        struct vain *vain;
        struct moves *moves;      /* that the OP_MOVEs are of */
        struct quota *quota;
        struct tally *tally;
        struct intent *intents;   /* of interrupted uploads; one is taken (wire set to "") when the
                                     file it is for is sent */
        size_t n_intents;
        const struct doubts *doubts; /* what waits for one of them is left out; NULL: none */
};

struct work;

/* `spool` is read from its beginning.  With `held`, drops and what depends on them are left out.
 * `done` comes from the loop when every op has ended; not before this returns. */
int work_start(struct work **ret, const struct work_args *args, struct spool *spool, bool held,
               void (*done)(void *userdata), void *userdata);

/* After engine_stop(): frees everything, `done` does not come. */
void work_abandon(struct work *w);

/* What any end means for the whole pass: cut off, halted. */
void tally_end(struct tally *t, const struct engine *engine, const struct flow_end *end);
