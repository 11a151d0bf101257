/* SPDX-License-Identifier: MIT */

/*
 * What an earlier run has begun and not written down: moves, and doubts of what may have arrived.
 */

#include "daemon/cycle_impl.h"

#include "lib/yadisk/flow_move.h"

static void cycle_moving_settled(void *userdata, struct flow *flow _unused_,
                                 const struct flow_end *end)
{
        struct cycle *c = userdata;
        const struct store_fact *fact = &c->moving[c->moving_at++];

        tally_end(&c->tally, c->engine, end);
        if (end->kind == END_DONE)
                log_debug("%s was moved to %s", fact->name + strlen(FLOW_MOVE_FACT), fact->value);
        cycle_stage_moving(c);
}

/* The row of what was being moved goes with the fact; without one there is nothing to be settled. */
static void cycle_moving_read(struct cycle *c)
{
        const struct store_fact *fact = &c->moving[c->moving_at];
        struct record over = {.verb = RECORD_META, .name = fact->name};
        struct flow_end end = {.kind = END_LATER, .text = "no memory"};
        struct flow *flow;

        if (c->job_result < 0) {
                cycle_fail(c, EXIT_IO_ERROR);
                return;
        }
        c->row.key = fact->name + strlen(FLOW_MOVE_FACT);
        flow = c->job_result > 0 ? flow_move_settle(&c->yadisk, &c->row, fact->value)
                                 : flow_write(&over, 1);
        if (engine_start(c->engine, flow, cycle_moving_settled, c) < 0)
                cycle_moving_settled(c, NULL, &end);
}

static void cycle_job_moving(struct cycle *c)
{
        c->job_result = store_get(c->store,
                                  c->moving[c->moving_at].name + strlen(FLOW_MOVE_FACT),
                                  &c->row, &c->err);
}

/* One after the other: there are no more than were on their way at once. */
void cycle_stage_moving(struct cycle *c)
{
        if (c->moving_at == c->n_moving || c->tally.halted)
                cycle_stage_cloud(c);
        else
                cycle_job(c, cycle_job_moving, cycle_moving_read);
}

static void cycle_settled(void *userdata, uint64_t failed)
{
        struct cycle *c = userdata;

        c->unsettled = failed;
        cycle_stage_scan(c);
}

static void cycle_job_doubts(struct cycle *c)
{
        c->job_result = doubts_load(&c->doubts, c->store, &c->err);
}

static void cycle_doubts_read(struct cycle *c)
{
        if (c->job_result < 0)
                cycle_fail(c, EXIT_IO_ERROR);
        else if (c->doubts)
                doubts_settle(c->doubts, c->engine, &c->yadisk, &c->tally, cycle_settled, c);
        else
                cycle_stage_scan(c);
}

void cycle_stage_settle(struct cycle *c)
{
        if (c->tally.halted || c->show)
                cycle_stage_scan(c);
        else
                cycle_job(c, cycle_job_doubts, cycle_doubts_read);
}
