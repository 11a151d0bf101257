/* SPDX-License-Identifier: MIT */

/*
 * The scan, and where it leads: to the moves that it shows, or to the plan.
 */

#include "daemon/cycle_impl.h"

static void cycle_start_scan(struct cycle *c);

/* A scan of some folders says nothing of how many there are. */
static void cycle_show_scan(struct cycle *c)
{
        const struct plan_totals before = c->view.plan;

        c->view.plan = c->plan.totals;
        if (c->plan.in_part) {
                c->view.plan.seen_files = before.seen_files;
                c->view.plan.seen_dirs = before.seen_dirs;
                return;
        }
        c->view.scan_began_ns = c->plan.began_ns;
        c->view.scan_seconds = c->plan.seconds;
}

static void cycle_scanned(void *userdata, struct scan_result *result)
{
        struct cycle *c = userdata;

        c->scan = NULL;
        c->plan = *result;
        *result = (struct scan_result){0};
        if (c->stopping) {
                cycle_stop_further(c);
                return;
        }
        if (c->plan.r < 0) {
                c->err = c->plan.err;
                cycle_fail(c, EXIT_IO_ERROR);
                return;
        }
        cycle_show_scan(c);
        log_debug("%s: %" PRIu64 " files, %" PRIu64 " folders, %" PRIu64 " to upload, %" PRIu64
                  " to remove, %.3f s",
                  c->plan.in_part ? "scan in part" : "scan", c->plan.totals.seen_files, c->plan.totals.seen_dirs, c->plan.totals.puts,
                  c->plan.totals.drops, c->plan.seconds);
        if (c->plan.not_enough) {
                scan_result_finish(&c->plan);
                c->stir = NULL;
                cycle_start_scan(c);
                return;
        }
        if (c->plan.left && !c->moves_over)
                cycle_stage_moves(c);
        else
                cycle_planned(c);
}

/* What an earlier pass has left is settled by one that looks at everything. */
static bool cycle_may_look_in_part(const struct cycle *c)
{
        return c->meta_adopted && !c->adopting && !c->listed && !c->show && !c->doubts &&
               c->n_intents == 0 && !c->meta_held && !c->meta_approved;
}

static void cycle_start_scan(struct cycle *c)
{
        const struct config *config = c->config;
        struct source_root source = {.fd = c->root.fd, .follow = config->follow};
        struct scan_args args = {
                .store = c->store,
                .state_dir = c->spool_dir,
                .root_fd = c->root.fd,
                .known_root_dev = c->meta_dev ? strtoull(c->meta_dev, NULL, 10) : 0,
                .mounts = c->meta_mounts,
                .follow = config->follow,
                .enter = c->enter,
                .enter_userdata = c->enter_userdata,
                /* With YDSYNC_DELETE=never nothing leaves its place in the cloud. */
                .moves = !c->adopting && !c->moves_over && config->delete_mode != DELETE_NEVER,
                .use_remote = c->listed,
                .stir = cycle_may_look_in_part(c) ? c->stir : NULL,
                .exclude = config->exclude,
                .policy = {.adopting = c->adopting,
                           .never_delete = config->delete_mode == DELETE_NEVER,
                           .max_delete = config->max_delete,
                           .max_delete_percent = config->max_delete_percent,
                           .settle_ns = config->settle_ms * 1000000},
        };

        if (c->job_result < 0) {
                cycle_fail(c, EXIT_IO_ERROR);
                return;
        }
        engine_set_root(c->engine, &source);
        cycle_enter(c, CYCLE_SCANS);
        if (scan_start(&c->scan, c->loop, &args, cycle_scanned, c) < 0) {
                err_set(&c->err, ENOMEM, "no memory for a scan");
                cycle_fail(c, EXIT_IO_ERROR);
        }
}

static void cycle_job_intents(struct cycle *c)
{
        c->job_result = store_intents(c->store, &c->intents, &c->n_intents, &c->err);
        if (c->job_result < 0 || c->show)
                return;
        /* What was settled since the beginning of the pass may have been of the approved plan. */
        free(TAKE_PTR(c->meta_approved));
        c->job_result = store_meta_get(c->store, "approved", &c->meta_approved, &c->err);
}

void cycle_stage_scan(struct cycle *c)
{
        if (c->tally.halted)
                cycle_finish(c, cycle_status(c));
        else
                cycle_job(c, cycle_job_intents, cycle_start_scan);
}
