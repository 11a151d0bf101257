/* SPDX-License-Identifier: MIT */

/*
 * What was moved here is moved there before anything is made or removed, and the folder is scanned
 * anew: then the snapshot knows the new places, and the plan is what is left.  So a folder that was
 * moved is one call, whatever else happened to what is in it; and what was moved out of it is found
 * in the next round.
 */

#include "daemon/cycle_impl.h"

#define CYCLE_MOVE_ROUNDS 100 /* of looking for moves, moving, and scanning anew, in one pass */

/* So many moves were made, or shown, in this pass; what was only moved aside counts too: the plan at
 * hand has it at its old place. */
static uint64_t cycle_moves_so_far(const struct cycle *c)
{
        return c->show ? c->shown : c->tally.moved + c->tally.parked;
}

static void cycle_moves_over(struct cycle *c)
{
        bool moved = cycle_moves_so_far(c) > c->moved_before;

        cycle_forget_moves(c);
        if (c->tally.halted) {
                cycle_stage_finish(c);
                return;
        }
        c->moves_over = !moved || ++c->move_rounds == CYCLE_MOVE_ROUNDS;
        if (!moved) {
                cycle_planned(c);
                return;
        }
        scan_result_finish(&c->plan);
        store_intents_free(c->intents, c->n_intents);
        c->intents = NULL;
        c->n_intents = 0;
        cycle_stage_scan(c);
}

static void cycle_next_wave(struct cycle *c);

static void cycle_wave_done(void *userdata)
{
        struct cycle *c = userdata;

        c->ops = NULL;
        if (c->tally.halted)
                cycle_moves_over(c);
        else
                cycle_next_wave(c);
}

static void cycle_wave_ready(struct cycle *c)
{
        struct work_args args = cycle_work_args(c);

        if (c->job_result < 0) {
                cycle_fail(c, EXIT_IO_ERROR);
        } else if (!c->wave) {
                cycle_moves_over(c);
        } else if (work_start(&c->ops, &args, c->wave, false, cycle_wave_done, c) < 0) {
                err_set(&c->err, ENOMEM, "no memory");
                cycle_fail(c, EXIT_IO_ERROR);
        }
}

static void cycle_job_wave(struct cycle *c)
{
        spool_destroy(c->wave);
        c->job_result = moves_wave(c->moves, c->spool_dir, &c->wave, &c->err);
}

static void cycle_next_wave(struct cycle *c)
{
        cycle_job(c, cycle_job_wave, cycle_wave_ready);
}

static void cycle_begin_moves(struct cycle *c)
{
        cycle_enter(c, CYCLE_MOVES);
        cycle_next_wave(c);
}

static void cycle_moves_checked(struct cycle *c)
{
        if (c->job_result < 0)
                cycle_fail(c, EXIT_NO_FOLDER);
        else
                cycle_begin_moves(c);
}

/* Shows the moves and makes them in a copy of the snapshot, so that what follows is what would be. */
static void cycle_job_show_moves(struct cycle *c)
{
        struct record move = {.verb = RECORD_MOVE};
        struct op op;
        int r = 0;

        if (!c->scratch) {
                r = store_copy(c->store, c->spool_dir, &c->scratch, &c->err);
                c->store = r < 0 ? c->store : c->scratch;
        }
        while (r == 0 && (r = moves_wave(c->moves, c->spool_dir, &c->wave, &c->err)) == 0 &&
               c->wave) {
                while ((r = spool_next(c->wave, &op, &c->err)) > 0) {
                        if (op.verb != OP_MOVE)
                                continue;
                        c->shown += !op.parks;
                        if (!op.parks)
                                c->show(c->show_userdata, &op, false);
                        move.from = op.from;
                        move.entry = op.entry;
                        r = store_commit(c->store, &move, 1, &c->err);
                        if (r < 0)
                                break;
                        moves_made(c->moves, op.from);
                }
                spool_destroy(c->wave);
                c->wave = NULL;
        }
        c->job_result = r;
}

static void cycle_moves_shown(struct cycle *c)
{
        if (c->job_result < 0)
                cycle_fail(c, EXIT_IO_ERROR);
        else
                cycle_moves_over(c);
}

static void cycle_moves_found(struct cycle *c)
{
        c->moved_before = cycle_moves_so_far(c);
        if (c->job_result < 0)
                cycle_fail(c, EXIT_IO_ERROR);
        else if (!c->moves)
                cycle_planned(c);
        else if (c->show)
                cycle_job(c, cycle_job_show_moves, cycle_moves_shown);
        else
                cycle_job(c, cycle_job_root_check, cycle_moves_checked);
}

static void cycle_job_moves(struct cycle *c)
{
        c->job_result = moves_find(&c->moves, &c->plan, c->vain, cycle_now_ms(), &c->err);
}

void cycle_stage_moves(struct cycle *c)
{
        cycle_job(c, cycle_job_moves, cycle_moves_found);
}
