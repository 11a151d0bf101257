/* SPDX-License-Identifier: MIT */

/*
 * Between what makes and what removes: remnants of interrupted uploads are swept away, and what was
 * sent is verified, folder by folder.
 */

#include "daemon/cycle_impl.h"

#include "lib/yadisk/flow_list.h"

#define CYCLE_CHECKS 256 /* folders verified a round */

static void cycle_stage_verify(struct cycle *c);

static void cycle_check_done(void *userdata, struct flow *flow _unused_,
                             const struct flow_end *end);

static void cycle_pump_checks(struct cycle *c)
{
        while (c->n_folders > 0 && !c->tally.halted && engine_room(c->engine) > 0) {
                char *key = c->folders[--c->n_folders];

                c->flows++;
                if (engine_start(c->engine, flow_check(&c->yadisk, key), cycle_check_done, c) < 0) {
                        c->flows--;
                        c->checks_failed++;
                }
                free(key);
        }
}

static void cycle_checks_over(struct cycle *c)
{
        cycle_forget_folders(c);
        if (c->checks_failed > 0 || c->tally.halted)
                cycle_stage_drops(c);
        else
                cycle_stage_verify(c); /* there may be more than one round holds */
}

/* Which files are there as they were sent; true when one is not for the first time. */
static bool cycle_take_check(struct cycle *c, const struct flow *flow)
{
        const struct entry *rows = NULL;
        size_t n = flow ? flow_check_rows(flow, &rows) : 0;
        bool first = false;

        for (size_t i = 0; i < n; i++) {
                if (flow_check_right(flow, i))
                        failures_proven(c->failures, rows[i].key);
                else
                        first |= report_wrong(c->failures, c->yadisk.root, &rows[i]);
        }
        return first;
}

static void cycle_check_done(void *userdata, struct flow *flow, const struct flow_end *end)
{
        struct cycle *c = userdata;
        bool first = cycle_take_check(c, flow);
        struct event_about about = {
                .op = "verify",
                .reason = end->reason ? end->reason : end->text,
                .http_status = end->status};

        c->flows--;
        tally_end(&c->tally, c->engine, end);
        if (end->vanished) {
                c->tally.repaired++;
                if (first)
                        event_say(EVENT_ARRIVED_WRONG, &about, "%s; they are sent again",
                                  end->text);
        } else if (end->kind != END_NOTHING && end->kind != END_DONE) {
                c->checks_failed++;
                if (*end->text)
                        event_say(EVENT_NOT_VERIFIED, &about,
                                  "uploads could not be verified: %s; will try again", end->text);
        }
        cycle_pump_checks(c);
        if (c->flows == 0)
                cycle_checks_over(c);
}

static void cycle_job_unverified(struct cycle *c)
{
        struct entry_list list;

        c->job_result = store_unverified(c->store, CYCLE_CHECKS, &list, &c->err);
        if (c->job_result < 0)
                return;
        for (size_t i = 0; i < list.n; i++)
                if (!cycle_push(c, list.items[i].key))
                        c->job_result = err_set(&c->err, ENOMEM, "no memory");
        entry_list_finish(&list);
}

static void cycle_unverified(struct cycle *c)
{
        if (c->job_result < 0) {
                cycle_fail(c, EXIT_IO_ERROR);
                return;
        }
        if (c->n_folders == 0) {
                cycle_stage_drops(c);
                return;
        }
        c->flows = 1; /* this function itself: there may be no memory for a single flow */
        cycle_pump_checks(c);
        if (--c->flows == 0)
                cycle_checks_over(c);
}

static void cycle_stage_verify(struct cycle *c)
{
        cycle_enter(c, CYCLE_VERIFIES);
        if (c->tally.halted || c->config->verify == VERIFY_OFF)
                cycle_stage_drops(c);
        else
                cycle_job(c, cycle_job_unverified, cycle_unverified);
}

static void cycle_sweep_done(void *userdata, struct flow *flow _unused_,
                             const struct flow_end *end)
{
        struct cycle *c = userdata;

        tally_end(&c->tally, c->engine, end);
        if (end->kind == END_DONE)
                event_say(EVENT_REMNANT_REMOVED, &(struct event_about){.op = "sweep"},
                          "removed what an interrupted upload had left in the cloud");
        if (--c->flows == 0)
                cycle_stage_verify(c);
}

/* What interrupted uploads left behind and no upload of this pass has taken up.  It is looked for
 * when the program starts, and once more when nothing can come any more. */
void cycle_stage_sweep(struct cycle *c)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        c->flows = 1; /* this function itself */
        for (size_t i = 0; i < c->n_intents && !c->tally.halted; i++) {
                struct intent *intent = &c->intents[i];

                if (*intent->wire == '\0' ||
                    (c->swept && !flow_sweep_due(intent->size, intent->when_ms,
                                                 (int64_t)now.tv_sec * 1000 +
                                                         now.tv_nsec / 1000000)))
                        continue;
                c->flows++;
                if (engine_start(c->engine,
                                 flow_sweep(&c->yadisk, intent->key, intent->wire, intent->size,
                                            intent->when_ms),
                                 cycle_sweep_done, c) < 0)
                        c->flows--;
        }
        c->swept = true;
        if (--c->flows == 0)
                cycle_stage_verify(c);
}
