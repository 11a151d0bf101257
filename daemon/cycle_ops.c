/* SPDX-License-Identifier: MIT */

/*
 * The plan stands: whether it is held, shown, or carried out, first what makes, then (when everything
 * else has gone its way) what removes.
 */

#include "daemon/cycle_impl.h"

#include "lib/yadisk/flow_room.h"

void cycle_plan_id(const struct cycle *c, char ret[CYCLE_ID_LEN + 1])
{
        snprintf(ret, CYCLE_ID_LEN + 1, "%016" PRIx64, c->plan.totals.id);
}

static void cycle_makes_done(void *userdata)
{
        struct cycle *c = userdata;

        c->ops = NULL;
        cycle_stage_sweep(c);
}

static void cycle_brake(struct cycle *c)
{
        char id[CYCLE_ID_LEN + 1];

        cycle_plan_id(c, id);
        c->held = c->plan.totals.held && (!c->meta_approved || !str_eq(c->meta_approved, id));
        if (c->held)
                report_held(&c->report, &c->plan.totals, id);
        str_copy(c->view.held, sizeof(c->view.held), c->held ? id : "");
}

/* Whether the file's content is what the snapshot or the listing has, so that nothing is to be
 * sent although its stamp is new. */
static bool cycle_same_content(struct cycle *c, const struct op *op)
{
        struct source_root root = {.fd = c->root.fd, .follow = c->config->follow};
        const uint8_t *other = op->was_known ? op->known_md5 : op->there_md5;
        uint64_t other_size = op->was_known ? op->known_size : op->there_size;
        uint8_t md5[16];

        if (op->verb != OP_PUT || (!op->was_known && op->there != OP_THERE_FILE) ||
            other_size != op->entry.size)
                return false;
        return source_digest(&root, &op->entry, &c->stop_job, md5) == 0 &&
               memcmp(md5, other, sizeof(md5)) == 0;
}

static void cycle_job_show(struct cycle *c)
{
        struct spool *spools[] = {c->plan.makes, c->plan.drops};
        struct op op;
        int r = 0;

        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(spools); i++)
                while (!atomic_load(&c->stop_job) &&
                       (r = spool_next(spools[i], &op, &c->err)) > 0) {
                        if (op.verb == OP_ADOPT || op.verb == OP_TOUCH ||
                            cycle_same_content(c, &op))
                                continue;
                        c->shown++;
                        c->show(c->show_userdata, &op, c->held);
                }
        c->job_result = r;
}

static void cycle_showed(struct cycle *c)
{
        if (c->job_result < 0)
                cycle_fail(c, EXIT_IO_ERROR);
        else
                cycle_finish(c, c->shown > 0 ? EXIT_DIFFERENT : EXIT_OK);
}

static void cycle_stage_makes(struct cycle *c)
{
        struct work_args args = cycle_work_args(c);

        cycle_enter(c, CYCLE_SENDS);
        if (c->tally.halted) {
                cycle_stage_finish(c);
        } else if (work_start(&c->ops, &args, c->plan.makes, c->held, cycle_makes_done, c) < 0) {
                err_set(&c->err, ENOMEM, "no memory");
                cycle_fail(c, EXIT_IO_ERROR);
        }
}

/* Uploads are paused, and some are wanted: whether the account has room again. */
static void cycle_asked_room(void *userdata, struct flow *flow _unused_,
                             const struct flow_end *end)
{
        struct cycle *c = userdata;

        tally_end(&c->tally, c->engine, end);
        quota_asked(&c->quota, end, cycle_now_ms());
        cycle_stage_makes(c);
}

static void cycle_stage_room(struct cycle *c)
{
        if (engine_start(c->engine, flow_room(&c->yadisk), cycle_asked_room, c) < 0)
                cycle_stage_makes(c);
}

/* The plan stands. */
void cycle_planned(struct cycle *c)
{
        cycle_forget_moves(c);
        report_notes(c->failures, c->yadisk.root, &c->plan, c->plan.in_part ? c->stir : NULL);
        cycle_brake(c);
        if (c->show)
                cycle_job(c, cycle_job_show, cycle_showed);
        else if (c->plan.totals.puts > 0 && quota_must_ask(&c->quota, cycle_now_ms()))
                cycle_stage_room(c);
        else
                cycle_stage_makes(c);
}

/* ---- drops ----------------------------------------------------------------------------------- */

static void cycle_drops_done(void *userdata)
{
        struct cycle *c = userdata;

        c->ops = NULL;
        cycle_stage_audit(c);
}

struct work_args cycle_work_args(struct cycle *c)
{
        return (struct work_args){
                .engine = c->engine,
                .yadisk = &c->yadisk,
                .config = c->config,
                .failures = c->failures,
                .vain = c->vain,
                .moves = c->moves,
                .quota = &c->quota,
                .tally = &c->tally,
                .intents = c->intents,
                .n_intents = c->n_intents,
                .doubts = c->doubts,
        };
}

static void cycle_root_checked(struct cycle *c)
{
        struct work_args args = cycle_work_args(c);

        if (c->job_result < 0) {
                cycle_fail(c, EXIT_NO_FOLDER);
                return;
        }
        cycle_enter(c, CYCLE_REMOVES);
        if (work_start(&c->ops, &args, c->plan.drops, c->held, cycle_drops_done, c) < 0) {
                err_set(&c->err, ENOMEM, "no memory");
                cycle_fail(c, EXIT_IO_ERROR);
        }
}

void cycle_stage_drops(struct cycle *c)
{
        if (c->tally.halted || c->held || spool_count(c->plan.drops) == 0)
                cycle_stage_audit(c);
        else
                cycle_job(c, cycle_job_root_check, cycle_root_checked);
}
