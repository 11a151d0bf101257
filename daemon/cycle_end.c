/* SPDX-License-Identifier: MIT */

/*
 * How a pass ends: what is written down of it, what it comes to, and whether another one is wanted.
 */

#include "daemon/cycle_impl.h"

enum exit_status cycle_status(const struct cycle *c)
{
        const struct tally *t = &c->tally;

        if (t->halted)
                return t->end == END_REFUSED ? EXIT_NO_PERMISSION
                       : t->end == END_STORE ? EXIT_IO_ERROR
                                             : EXIT_UNAVAILABLE;
        if (t->later || t->stuck || t->waiting || t->awaiting || t->skipped || c->held ||
            c->checks_failed || c->unlisted || c->unsettled || !audit_complete(c->audit) ||
            c->plan.totals.unseen)
                return EXIT_TRY_AGAIN;
        return EXIT_OK;
}

static int64_t cycle_again_ms(const struct cycle *c)
{
        struct timespec ts;
        int64_t wait_ms;

        if (c->plan.totals.young == 0)
                return 0;
        clock_gettime(CLOCK_REALTIME, &ts);
        wait_ms = (c->plan.totals.settled_ns -
                   ((int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec)) / 1000000 + 1;
        return wait_ms < 0 ? 0 : wait_ms > c->config->settle_ms ? c->config->settle_ms : wait_ms;
}

/* What is wrong with the snapshot itself, in whichever stage it showed. */
static int cycle_state_err(const struct cycle *c, const struct engine_stats *now,
                           enum exit_status status)
{
        const int seen[] = {-c->job_result, -c->plan.r, now->store_err};

        if (status != EXIT_IO_ERROR)
                return 0;
        for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
                if (seen[i] == EUCLEAN || seen[i] == ESTALE || seen[i] == EIO)
                        return seen[i];
        return 0;
}

void cycle_finish(struct cycle *c, enum exit_status status)
{
        struct engine_stats now = engine_stats(c->engine);
        struct pass_end end = {
                .status = status,
                .in_part = c->plan.in_part,
                .again = !c->tally.halted && (c->tally.changed || c->tally.repaired ||
                                              c->plan.totals.young ||
                                              (c->plan.totals.put_off && !c->unlisted)),
                .again_ms = cycle_again_ms(c),
                .state_err = cycle_state_err(c, &now, status),
                .young = c->plan.totals.young,
                .scan_ms = (int64_t)(c->plan.seconds * 1000),
                .api_calls = now.api_calls - c->before.api_calls,
                .transfers = now.transfers - c->before.transfers,
                .bytes_sent = now.bytes_sent - c->before.bytes_sent,
        };

        end.again |= c->compared && (c->compare->under_way || c->compare->repair);
        end.again |= report_pause(&c->quota);
        end.again &= !c->compare_ended;
        report_halted(&c->report, &c->tally, c->config);
        report_summary(&c->tally, end.api_calls);
        report_end(&c->report);
        event_set_cycle(0);
        str_copy(c->view.error, sizeof(c->view.error),
                 c->tally.halted ? c->tally.text : c->fault);
        c->view.tally = c->tally;
        cycle_enter(c, CYCLE_RESTS);
        cycle_forget_pass(c);
        c->done(c->userdata, &end);
}

static void cycle_job_count(struct cycle *c)
{
        c->job_result = store_totals(c->store, &c->known, &c->err);
}

static void cycle_counted(struct cycle *c)
{
        if (c->job_result < 0) {
                cycle_fail(c, EXIT_IO_ERROR);
                return;
        }
        c->view.known = c->known;
        cycle_finish(c, cycle_status(c));
}

/* What is known now, for those who ask. */
static void cycle_over(struct cycle *c)
{
        if (!c->tally.halted)
                cycle_job(c, cycle_job_count, cycle_counted);
        else
                cycle_finish(c, cycle_status(c));
}

static void cycle_written_last(void *userdata, struct flow *flow _unused_,
                               const struct flow_end *end)
{
        struct cycle *c = userdata;

        tally_end(&c->tally, c->engine, end);
        cycle_over(c);
}

/* Whether the snapshot has another idea of whether uploads are paused. */
static bool cycle_pause_is_news(const struct cycle *c, char ret[QUOTA_TEXT_MAX])
{
        quota_save(&c->quota, ret);
        return !str_eq(ret, c->meta_paused ? c->meta_paused : "");
}

/* Writes down that the pass was whole; silent when nothing is new. */
void cycle_stage_finish(struct cycle *c)
{
        char dev[32], id[CYCLE_ID_LEN + 1], now[24], paused[QUOTA_TEXT_MAX];
        struct record records[FLOW_WRITE_MAX];
        size_t n = 0;

        /* It stands for the numbers that rows have, which are those of before a reboot as long as a
         * mount has not been seen. */
        snprintf(dev, sizeof(dev), "%" PRIu64, c->root.dev);
        if (!c->plan.in_part && c->plan.totals.away == 0 && (!c->meta_dev || !str_eq(c->meta_dev, dev)))
                records[n++] =
                        (struct record){.verb = RECORD_META, .name = "root.dev", .value = dev};
        if (c->plan.mounts)
                records[n++] = (struct record){
                        .verb = RECORD_META, .name = "mounts", .value = c->plan.mounts};
        if (c->listed)
                records[n++] = (struct record){.verb = RECORD_REMOTE_CLEAR};
        if (c->adopting && !c->unlisted) {
                records[n++] =
                        (struct record){.verb = RECORD_META, .name = "adopted", .value = "1"};
                audit_stamp(now); /* every folder was listed, every file compared */
                records[n++] =
                        (struct record){.verb = RECORD_META, .name = "audit.last", .value = now};
                records[n++] = (struct record){.verb = RECORD_META, .name = AUDIT_AT};
                records[n++] = (struct record){.verb = RECORD_META, .name = "audit.alarm"};
                audit_was_made(c->audit);
        }
        /* What is carried out is taken from it by each removal's own record; it is over when it was
         * not needed. */
        if (c->meta_approved && !c->plan.totals.held)
                records[n++] = (struct record){.verb = RECORD_META, .name = "approved"};
        cycle_plan_id(c, id);
        if (c->held && (!c->meta_held || !str_eq(c->meta_held, id)))
                records[n++] =
                        (struct record){.verb = RECORD_META, .name = "held", .value = id};
        if (!c->held && c->meta_held)
                records[n++] = (struct record){.verb = RECORD_META, .name = "held"};
        if (cycle_pause_is_news(c, paused))
                records[n++] = (struct record){.verb = RECORD_META,
                                               .name = "uploads.paused",
                                               .value = *paused ? paused : NULL};
        if (n == 0 || c->tally.halted)
                cycle_over(c);
        else
                cycle_write(c, records, n, cycle_written_last);
}
