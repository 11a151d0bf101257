/* SPDX-License-Identifier: MIT */

/*
 * The only file that knows the circle.  Every stage ends by starting the next; a stage that finds
 * that nothing may go on ends the pass.  What is blocking runs on the thread pool, and the snapshot
 * is touched by one thread at a time: by these jobs while the engine is idle, by the engine's
 * recorder while it is not, and by the scan through the reading side.
 */

#include "daemon/cycle.h"

#include "daemon/account.h"
#include "daemon/approval.h"
#include "daemon/audit.h"
#include "daemon/doubts.h"
#include "daemon/event.h"
#include "daemon/moves.h"
#include "daemon/report.h"
#include "daemon/root.h"
#include "daemon/scan.h"
#include "daemon/work.h"
#include "lib/core/flow_write.h"
#include "lib/yadisk/flow_account.h"
#include "lib/yadisk/flow_audit.h"
#include "lib/yadisk/flow_list.h"
#include "lib/yadisk/flow_mkdir.h"
#include "lib/yadisk/flow_move.h"
#include "lib/yadisk/flow_room.h"
#include "lib/yadisk/verdict.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define CYCLE_CHECKS 256 /* folders verified a round */
#define CYCLE_MOVE_ROUNDS 100 /* of looking for moves, moving, and scanning anew, in one pass */

struct cycle {
        uv_loop_t *loop;
        const struct config *config;
        struct store *store;
        struct engine *engine;
        struct yadisk yadisk;
        struct failures *failures;
        struct quota quota;
        struct audit *audit;
        struct audit *comparer; /* NULL: nobody has asked for a comparison */
        struct cycle_compare *compare;
        bool compared;          /* in this pass */
        void (*compare_ended)(void *userdata, const struct cycle_compare *compare);
        void *compare_userdata; /* … a pass that does nothing else, when set */
        bool slices; /* audits go on in slices between passes */
        const char *spool_dir;
        char *binding; /* what the snapshot is of: service, cloud folder, watched folder … */
        char token[ACCOUNT_FINGERPRINT_LEN + 1]; /* … with a token of which this is left, … */
        char uid[YADISK_UID_MAX];                /* … of this account; "": not asked, or not told */
        bool noted; /* both, in this pass */

        cycle_show_op show; /* a dry run, when set */
        void *show_userdata;
        uint64_t shown;
        uint64_t shown_moves;  /* of this round */
        uint64_t moves_told;   /* of all rounds */
        struct store *scratch; /* a copy of the snapshot, in which moves that are only shown are made */
        bool renewable;
        void (*enter)(void *userdata, int dir_fd);
        void *enter_userdata;
        bool stopping;
        struct report report;
        uint64_t passes; /* begun so far */
        struct cycle_view view;
        int64_t relist_ms; /* steady clock: an adoption with a hole lists anew then; it … */
        unsigned relists;  /* … has been in vain so often */
        bool recalled; /* what is remembered of an earlier run was taken up */
        bool swept; /* remnants were looked for since the start */
        void (*done)(void *userdata, const struct pass_end *end);
        void (*stopped)(void *userdata);
        void *userdata;

        /* The job on the pool, if one is under way. */
        uv_work_t work;
        bool working;
        void (*job)(struct cycle *c);
        void (*after)(struct cycle *c);
        int job_result;
        atomic_bool stop_job;
        struct err err;

        /* Of the pass. */
        struct root root;
        struct store_totals known; /* what the snapshot holds */
        char *meta_binding, *meta_identity, *meta_dev, *meta_adopted, *meta_made, *meta_approved,
                *meta_held, *meta_audit_last, *meta_audit_at, *meta_audit_alarm, *meta_token, *meta_uid,
                *meta_paused, *meta_mounts;
        bool adopting;
        bool listed;        /* … and the listing tells what stands in the cloud, … */
        uint64_t unlisted;  /* … but for this many folders, … */
        bool root_unlisted; /* … the topmost among them */
        bool cloud_missing;
        bool held;
        struct intent *intents;
        size_t n_intents;
        struct doubts *doubts; /* NULL: there are none, or the pass is a dry run */
        uint64_t unsettled;    /* so many could not be looked at */
        struct tally tally;
        char fault[1024]; /* what ends it early */
        struct scan *scan;
        struct scan_result plan;
        struct store_fact *moving; /* moves that were under way when we were killed */
        size_t n_moving, moving_at;
        struct moves *moves;
        struct spool *wave;      /* of moves, being carried out */
        unsigned move_rounds;
        bool moves_over;         /* what is left of them is removed and sent */
        uint64_t moved_before;   /* this round */
        struct entry row;        /* of what is settled */
        struct work *ops;
        struct engine_stats before;

        /* Folders to list or to verify, and how many flows are out for them. */
        char **folders;
        size_t n_folders, size_folders;
        unsigned flows;
        uint64_t checks_failed;
};

static void cycle_finish(struct cycle *c, enum exit_status status);
static void cycle_stage_finish(struct cycle *c);
static void cycle_stage_compare(struct cycle *c);

/* ---- small tools ----------------------------------------------------------------------------- */

static void cycle_job_work(uv_work_t *work)
{
        struct cycle *c = CONTAINER_OF(work, struct cycle, work);

        c->job(c);
}

static void cycle_stop_further(struct cycle *c);

static void cycle_job_done(uv_work_t *work, int status _unused_)
{
        struct cycle *c = CONTAINER_OF(work, struct cycle, work);

        c->working = false;
        if (c->stopping)
                cycle_stop_further(c);
        else
                c->after(c);
}

/* Runs `job` on the pool, then `after` on the loop. */
static void cycle_job(struct cycle *c, void (*job)(struct cycle *c), void (*after)(struct cycle *c))
{
        c->job = job;
        c->after = after;
        c->err = ERR_NONE;
        c->working = true;
        uv_queue_work(c->loop, &c->work, cycle_job_work, cycle_job_done);
}

static void cycle_fail(struct cycle *c, enum exit_status status)
{
        enum event event = status == EXIT_NO_FOLDER   ? EVENT_FOLDER_WRONG
                           : status == EXIT_TRY_AGAIN ? EVENT_CLOUD_UNMADE
                                                      : EVENT_STATE_FAILED;

        report_error(&c->report, event, &(struct event_about){.err = c->err.code}, "%s",
                     c->err.text);
        str_copy(c->fault, sizeof(c->fault), c->err.text);
        cycle_finish(c, status);
}

static bool cycle_push(struct cycle *c, const char *key)
{
        char *copy = str_dup(key);

        if (copy && c->n_folders == c->size_folders) {
                size_t size = c->size_folders ? 2 * c->size_folders : 64;
                char **folders = reallocarray(c->folders, size, sizeof(char *));

                if (!folders) {
                        free(copy);
                        return false;
                }
                c->folders = folders;
                c->size_folders = size;
        }
        if (copy)
                c->folders[c->n_folders++] = copy;
        return copy;
}

static void cycle_forget_folders(struct cycle *c)
{
        while (c->n_folders > 0)
                free(c->folders[--c->n_folders]);
}

static void cycle_forget_moves(struct cycle *c)
{
        moves_destroy(c->moves);
        c->moves = NULL;
        spool_destroy(c->wave);
        c->wave = NULL;
}

static void cycle_forget_pass(struct cycle *c)
{
        char **metas[] = {&c->meta_binding,    &c->meta_identity, &c->meta_dev,
                          &c->meta_adopted,    &c->meta_made,     &c->meta_approved,
                          &c->meta_held,       &c->meta_audit_last, &c->meta_audit_at,
                          &c->meta_audit_alarm, &c->meta_token,   &c->meta_uid,
                          &c->meta_paused,     &c->meta_mounts};

        for (size_t i = 0; i < ARRAY_SIZE(metas); i++) {
                free(*metas[i]);
                *metas[i] = NULL;
        }
        store_intents_free(c->intents, c->n_intents);
        c->intents = NULL;
        c->n_intents = 0;
        doubts_destroy(TAKE_PTR(c->doubts));
        cycle_forget_folders(c);
        store_facts_free(c->moving, c->n_moving);
        c->moving = NULL;
        c->n_moving = c->moving_at = 0;
        cycle_forget_moves(c);
        scan_result_finish(&c->plan);
        root_close(&c->root);
}

/* Writes records through the engine, so that the loop does not wait for the disk. */
static void cycle_write(struct cycle *c, const struct record *records, size_t n, engine_done after)
{
        struct flow_end end = {.kind = END_STORE, .text = "no memory"};

        if (engine_start(c->engine, flow_write(records, n), after, c) < 0)
                after(c, NULL, &end);
}

static void cycle_plan_id(const struct cycle *c, char ret[CYCLE_ID_LEN + 1])
{
        snprintf(ret, CYCLE_ID_LEN + 1, "%016" PRIx64, c->plan.totals.id);
}

static int64_t cycle_now_ms(void)
{
        return (int64_t)(uv_hrtime() / 1000000);
}

/* ---- the end of a pass ------------------------------------------------------------------------ */

static enum exit_status cycle_status(const struct cycle *c)
{
        const struct tally *t = &c->tally;

        if (t->halted)
                return t->end == END_REFUSED ? EXIT_NO_PERMISSION
                       : t->end == END_STORE ? EXIT_IO_ERROR
                                             : EXIT_UNAVAILABLE;
        if (t->later || t->stuck || t->waiting || t->awaiting || t->skipped || c->held ||
            c->checks_failed || c->unlisted || c->unsettled || !audit_complete(c->audit) || c->plan.totals.unseen)
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

static void cycle_enter(struct cycle *c, enum cycle_stage stage)
{
        c->view.stage = stage;
}

static void cycle_finish(struct cycle *c, enum exit_status status)
{
        struct engine_stats now = engine_stats(c->engine);
        struct pass_end end = {
                .status = status,
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

/* Writes down that the pass was whole; silent when nothing is new. */
/* Whether the snapshot has another idea of whether uploads are paused. */
static bool cycle_pause_is_news(const struct cycle *c, char ret[QUOTA_TEXT_MAX])
{
        quota_save(&c->quota, ret);
        return !str_eq(ret, c->meta_paused ? c->meta_paused : "");
}

static void cycle_stage_finish(struct cycle *c)
{
        char dev[32], id[CYCLE_ID_LEN + 1], now[24], paused[QUOTA_TEXT_MAX];
        struct record records[FLOW_WRITE_MAX];
        size_t n = 0;

        /* It stands for the numbers that rows have, which are those of before a reboot as long as a
         * mount has not been seen. */
        snprintf(dev, sizeof(dev), "%" PRIu64, c->root.dev);
        if (c->plan.totals.away == 0 && (!c->meta_dev || !str_eq(c->meta_dev, dev)))
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
        /* Until something of it was carried out, or it was not needed. */
        if (c->meta_approved && !c->held && (c->tally.removed > 0 || c->plan.totals.drops == 0))
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

/* ---- comparing, for those who want to know ---------------------------------------------------- */

static void cycle_forget_finds(struct cycle *c)
{
        while (c->compare && c->compare->n_finds > 0)
                free(c->compare->finds[--c->compare->n_finds].key);
}

static void cycle_found(void *userdata, const struct audit_find *find)
{
        struct cycle *c = userdata;
        struct cycle_find *f;

        if (c->compare->n_finds == CYCLE_FINDS_MAX)
                return;
        f = &c->compare->finds[c->compare->n_finds];
        *f = (struct cycle_find){
                .key = str_dup(find->key), .known = find->known, .kind = find->kind};
        c->compare->n_finds += f->key != NULL;
}

static bool cycle_differs(const struct audit_found *found)
{
        return found->missing + found->changed > 0;
}

/* True: it is over. */
static bool cycle_compare_over(struct cycle *c)
{
        struct cycle_compare *compare = c->compare;

        compare->found = audit_found(c->comparer);
        if (audit_under_way(c->comparer))
                return false;
        compare->under_way = false;
        if (compare->repair && cycle_differs(&compare->found))
                audit_demand(c->audit);
        return true;
}

static void cycle_compared(void *userdata, int r, const struct err *err)
{
        struct cycle *c = userdata;

        c->compared = true;
        c->job_result = r;
        c->err = *err;
        if (r < 0) {
                cycle_fail(c, EXIT_IO_ERROR);
                return;
        }
        cycle_compare_over(c);
        cycle_stage_finish(c);
}

static void cycle_stage_compare(struct cycle *c)
{
        if (c->tally.halted || c->adopting || !c->compare || !c->compare->under_way) {
                cycle_stage_finish(c);
                return;
        }
        cycle_enter(c, CYCLE_AUDITS);
        audit_slice(c->comparer, c->root.fd, !c->slices, &c->tally, cycle_compared, c);
}

static void cycle_compared_alone(void *userdata, int r, const struct err *err)
{
        struct cycle *c = userdata;
        const struct audit_found *found = &c->compare->found;

        c->job_result = r;
        c->err = *err;
        if (r < 0) {
                cycle_fail(c, EXIT_IO_ERROR);
                return;
        }
        if (!cycle_compare_over(c)) {
                cycle_finish(c, c->tally.halted ? cycle_status(c) : EXIT_TRY_AGAIN);
                return;
        }
        c->compare_ended(c->compare_userdata, c->compare);
        cycle_finish(c, cycle_differs(found)  ? EXIT_DIFFERENT
                        : found->unlisted > 0 ? EXIT_TRY_AGAIN
                                              : EXIT_OK);
}

/* A pass that only compares: the snapshot must be of this very folder, cloud folder and token. */
static void cycle_compare_alone(struct cycle *c)
{
        bool known = c->meta_adopted && c->meta_binding && str_eq(c->meta_binding, c->binding) &&
                     c->meta_token && str_eq(c->meta_token, c->token);

        if (!known) {
                err_set(&c->err, ENOENT, "the folder was not compared with this cloud folder yet; "
                        "`ydsync once` does that");
                cycle_fail(c, EXIT_TRY_AGAIN);
                return;
        }
        if (cycle_compare(c, false) < 0) {
                err_set(&c->err, ENOMEM, "no memory");
                cycle_fail(c, EXIT_IO_ERROR);
                return;
        }
        cycle_enter(c, CYCLE_AUDITS);
        audit_slice(c->comparer, c->root.fd, true, &c->tally, cycle_compared_alone, c);
}

/* ---- the audit -------------------------------------------------------------------------------- */

static void cycle_audited(void *userdata, int r, const struct err *err)
{
        struct cycle *c = userdata;

        c->job_result = r;
        c->err = *err;
        if (r < 0)
                cycle_fail(c, EXIT_IO_ERROR);
        else
                cycle_stage_compare(c);
}

static void cycle_stage_audit(struct cycle *c)
{
        if (!c->tally.halted && !c->adopting && c->tally.folders_gone > 0)
                audit_demand(c->audit);
        if (c->tally.halted || c->adopting || !audit_wanted(c->audit)) {
                cycle_stage_compare(c);
                return;
        }
        cycle_enter(c, CYCLE_AUDITS);
        audit_slice(c->audit, c->root.fd, !c->slices, &c->tally, cycle_audited, c);
}

/* ---- drops ------------------------------------------------------------------------------------ */

static void cycle_drops_done(void *userdata)
{
        struct cycle *c = userdata;

        c->ops = NULL;
        cycle_stage_audit(c);
}

static struct work_args cycle_work_args(struct cycle *c)
{
        return (struct work_args){
                .engine = c->engine,
                .yadisk = &c->yadisk,
                .config = c->config,
                .failures = c->failures,
                .quota = &c->quota,
                .tally = &c->tally,
                .intents = c->intents,
                .n_intents = c->n_intents,
                .doubts = c->doubts,
        };
}

static void cycle_job_root_check(struct cycle *c)
{
        c->job_result = root_check(&c->root, c->config->folder, &c->err);
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

static void cycle_stage_drops(struct cycle *c)
{
        if (c->tally.halted || c->held || spool_count(c->plan.drops) == 0)
                cycle_stage_audit(c);
        else
                cycle_job(c, cycle_job_root_check, cycle_root_checked);
}

/* ---- flows for many folders: listing, verifying, sweeping -------------------------------------- */

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
static void cycle_stage_sweep(struct cycle *c)
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

/* ---- makes ------------------------------------------------------------------------------------ */

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
                cycle_finish(c, c->shown + c->moves_told > 0 ? EXIT_DIFFERENT : EXIT_OK);
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
static void cycle_planned(struct cycle *c)
{
        cycle_forget_moves(c);
        report_notes(c->failures, c->yadisk.root, &c->plan);
        cycle_brake(c);
        if (c->show)
                cycle_job(c, cycle_job_show, cycle_showed);
        else if (c->plan.totals.puts > 0 && quota_must_ask(&c->quota, cycle_now_ms()))
                cycle_stage_room(c);
        else
                cycle_stage_makes(c);
}

/* ---- moves ------------------------------------------------------------------------------------ */

/*
 * What was moved here is moved there before anything is made or removed, and the folder is scanned
 * anew: then the snapshot knows the new places, and the plan is what is left.  So a folder that was
 * moved is one call, whatever else happened to what is in it; and what was moved out of it is found
 * in the next round.
 */

static void cycle_stage_scan(struct cycle *c);

static void cycle_moves_over(struct cycle *c)
{
        bool moved = c->shown_moves || c->tally.moved > c->moved_before;

        c->moves_told += c->shown_moves;
        c->shown_moves = 0;
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
                        c->shown_moves += !op.parks;
                        if (!op.parks)
                                c->show(c->show_userdata, &op, false);
                        move.from = op.from;
                        move.entry = op.entry;
                        r = store_commit(c->store, &move, 1, &c->err);
                        if (r < 0)
                                break;
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
        c->moved_before = c->tally.moved;
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
        c->job_result = moves_find(&c->moves, &c->plan, &c->err);
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
        c->view.scan_began_ns = c->plan.began_ns;
        c->view.scan_seconds = c->plan.seconds;
        c->view.plan = c->plan.totals;
        log_debug("scan: %" PRIu64 " files, %" PRIu64 " folders, %" PRIu64 " to upload, %" PRIu64
                  " to remove, %.3f s",
                  c->plan.totals.seen_files, c->plan.totals.seen_dirs, c->plan.totals.puts,
                  c->plan.totals.drops, c->plan.seconds);
        if (c->plan.left && !c->moves_over)
                cycle_job(c, cycle_job_moves, cycle_moves_found);
        else
                cycle_planned(c);
}

/* ---- scan ------------------------------------------------------------------------------------- */

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
}

static void cycle_stage_scan(struct cycle *c)
{
        if (c->tally.halted)
                cycle_finish(c, cycle_status(c));
        else
                cycle_job(c, cycle_job_intents, cycle_start_scan);
}

/* ---- what was begun and not written down ------------------------------------------------------- */

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

static void cycle_stage_settle(struct cycle *c)
{
        if (c->tally.halted || c->show)
                cycle_stage_scan(c);
        else
                cycle_job(c, cycle_job_doubts, cycle_doubts_read);
}

/* ---- the cloud folder: listing it the first time, making it ------------------------------------ */

static void cycle_cloud_made(void *userdata, struct flow *flow _unused_,
                             const struct flow_end *end)
{
        struct cycle *c = userdata;
        struct event_about about = {.op = "make-folder", .path = "", .root = c->yadisk.root};

        tally_end(&c->tally, c->engine, end);
        if (end->kind == END_DONE)
                event_say(EVENT_FOLDER_MADE, &about, "made the cloud folder %s", c->yadisk.root);
        if (end->kind != END_DONE && end->kind != END_NOTHING && !c->tally.halted) {
                err_set(&c->err, EIO, "cannot make the cloud folder %s: %s", c->yadisk.root,
                        end->text);
                c->tally.later++;
                cycle_fail(c, EXIT_TRY_AGAIN);
                return;
        }
        cycle_stage_settle(c);
}

static void cycle_stage_cloud(struct cycle *c)
{
        struct op op = {.verb = OP_MKDIR, .entry = {.key = "", .kind = KIND_DIR}};
        struct flow_end end = {.kind = END_LATER, .text = "no memory"};

        if (c->tally.halted || c->show || (c->meta_made && !c->cloud_missing))
                cycle_stage_settle(c);
        else if (engine_start(c->engine, flow_mkdir(&c->yadisk, &op), cycle_cloud_made, c) < 0)
                cycle_cloud_made(c, NULL, &end);
}

static void cycle_list_done(void *userdata, struct flow *flow, const struct flow_end *end);

static void cycle_pump_lists(struct cycle *c)
{
        while (c->n_folders > 0 && !c->tally.halted && engine_room(c->engine) > 0) {
                char *key = c->folders[--c->n_folders];

                c->flows++;
                if (engine_start(c->engine, flow_list(&c->yadisk, key), cycle_list_done, c) < 0) {
                        c->flows--;
                        c->unlisted++;
                }
                free(key);
        }
}

static void cycle_say_unlisted(struct cycle *c, const char *key, const struct flow_end *end)
{
        _cleanup_(str_finish) struct str name = STR_NULL(65536);
        struct event_about about = {.op = "list",
                                    .path = key,
                                    .root = c->yadisk.root,
                                    .reason = end->reason ? end->reason : end->text,
                                    .http_status = end->status};

        c->unlisted++;
        c->root_unlisted |= *key == '\0';
        str_add_printable(&name, key);
        report_error(&c->report, EVENT_CLOUD_UNLISTED, &about,
                     "the cloud folder %s%s%s cannot be listed: %s%s", c->yadisk.root,
                     *key ? "/" : "", str_z(&name), end->text,
                     *key ? tr("; what is in it is met file by file, and nothing is removed before it "
                               "is listed")
                          : "");
}

/*
 * A folder that could not be listed is unknown: what goes there is put without overwriting, so that
 * what stands there is met and looked at.  The adoption is not over before all was listed; that is
 * tried again after half a minute, a minute, two … up to a day.
 */
static void cycle_listed(struct cycle *c)
{
        const int64_t first = 30000, most = 86400000;
        int64_t delay = first << (c->relists < 12 ? c->relists : 12);

        cycle_forget_folders(c);
        if (c->tally.halted) {
                cycle_stage_cloud(c);
                return;
        }
        if (c->root_unlisted || (c->show && c->unlisted)) {
                cycle_finish(c, EXIT_TRY_AGAIN);
                return;
        }
        c->relists = c->unlisted ? c->relists + 1 : 0;
        c->relist_ms = (int64_t)uv_now(c->loop) + (delay < most ? delay : most);
        c->listed = true;
        cycle_stage_cloud(c);
}

static void cycle_list_done(void *userdata, struct flow *flow, const struct flow_end *end)
{
        struct cycle *c = userdata;
        const struct entry_list *folders = flow_list_folders(flow);

        tally_end(&c->tally, c->engine, end);
        if (end->kind == END_NOTHING)
                c->cloud_missing = true; /* if it was the top one; the others do no harm */
        else if (end->kind != END_DONE && !c->tally.halted)
                cycle_say_unlisted(c, flow_list_key(flow), end);
        for (size_t i = 0; i < folders->n; i++)
                c->unlisted += !cycle_push(c, folders->items[i].key);
        cycle_pump_lists(c); /* while this one still counts: the next may end at once */
        if (--c->flows == 0)
                cycle_listed(c);
}

static void cycle_list_begin(void *userdata, struct flow *flow _unused_,
                             const struct flow_end *end)
{
        struct cycle *c = userdata;
        struct event_about about = {.path = "", .root = c->yadisk.root};

        tally_end(&c->tally, c->engine, end);
        if (c->tally.halted || !cycle_push(c, "")) {
                cycle_finish(c, cycle_status(c));
                return;
        }
        event_say(EVENT_COMPARING, &about,
                  "comparing %s with %s; nothing is removed in this pass", c->config->folder,
                  c->yadisk.root);
        cycle_enter(c, CYCLE_LISTS);
        c->flows = 1; /* this function itself */
        cycle_pump_lists(c);
        if (--c->flows == 0)
                cycle_listed(c);
}

/* What is to be kept of whom the token is of: nothing as long as that may still be told. */
static size_t cycle_account_records(const struct cycle *c, struct record *ret)
{
        if (!c->noted)
                return 0;
        ret[0] = (struct record){.verb = RECORD_META, .name = "account.token", .value = c->token};
        ret[1] = (struct record){
                .verb = RECORD_META, .name = "account.uid", .value = *c->uid ? c->uid : NULL};
        return 2;
}

/* ---- moves that an earlier run has begun ------------------------------------------------------- */

static void cycle_stage_moving(struct cycle *c);

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
static void cycle_stage_moving(struct cycle *c)
{
        if (c->moving_at == c->n_moving || c->tally.halted)
                cycle_stage_cloud(c);
        else
                cycle_job(c, cycle_job_moving, cycle_moving_read);
}

static void cycle_stage_adopt(struct cycle *c, bool rebind);

static void cycle_adopt_anew(struct cycle *c)
{
        if (c->job_result < 0)
                cycle_fail(c, EXIT_IO_ERROR);
        else
                cycle_stage_adopt(c, true);
}

/* They are of another folder, or another account. */
static void cycle_job_forget_moving(struct cycle *c)
{
        c->job_result = 0;
        while (c->moving_at < c->n_moving && c->job_result == 0) {
                struct record over = {.verb = RECORD_META, .name = c->moving[c->moving_at++].name};

                c->job_result = store_commit(c->store, &over, 1, &c->err);
        }
}

/* First run, lost snapshot, or another folder: what is there already is recognised. */
static void cycle_stage_adopt(struct cycle *c, bool rebind)
{
        struct record records[FLOW_WRITE_MAX];
        size_t n = 0;

        c->adopting = true;
        if (rebind && c->moving_at < c->n_moving) {
                cycle_job(c, cycle_job_forget_moving, cycle_adopt_anew);
                return;
        }
        if (!rebind && c->relists > 0 && (int64_t)uv_now(c->loop) < c->relist_ms) {
                c->unlisted = 1;
                cycle_stage_cloud(c);
                return;
        }
        records[n++] = (struct record){.verb = RECORD_REMOTE_CLEAR};
        if (rebind) {
                free(c->meta_made);
                free(c->meta_dev);
                c->meta_made = c->meta_dev = NULL;
                records[n++] =
                        (struct record){.verb = RECORD_FORGET_TREE, .entry = {.key = "",
                                                                              .kind = KIND_DIR}};
                records[n++] = (struct record){
                        .verb = RECORD_META, .name = "binding", .value = c->binding};
                records[n++] = (struct record){
                        .verb = RECORD_META, .name = "root.identity", .value = c->root.identity};
                records[n++] = (struct record){.verb = RECORD_META, .name = "root.dev"};
                records[n++] = (struct record){.verb = RECORD_META, .name = "adopted"};
                records[n++] = (struct record){.verb = RECORD_META, .name = "cloud.made"};
                records[n++] = (struct record){.verb = RECORD_META, .name = "mounts"};
                records[n++] = (struct record){.verb = RECORD_META, .name = "held"};
                records[n++] = (struct record){.verb = RECORD_META, .name = "approved"};
                n += cycle_account_records(c, records + n);
        }
        cycle_write(c, records, n, cycle_list_begin);
}

/* ---- prepare ---------------------------------------------------------------------------------- */

static int cycle_read_metas(struct cycle *c)
{
        const struct {
                const char *name;
                char **ret;
        } metas[] = {
                {"binding", &c->meta_binding}, {"root.identity", &c->meta_identity},
                {"root.dev", &c->meta_dev},    {"adopted", &c->meta_adopted},
                {"cloud.made", &c->meta_made}, {"approved", &c->meta_approved},
                {"held", &c->meta_held},
                {"audit.last", &c->meta_audit_last},
                {AUDIT_AT, &c->meta_audit_at},
                {"audit.alarm", &c->meta_audit_alarm},
                {"account.token", &c->meta_token},
                {"account.uid", &c->meta_uid},
                {"mounts", &c->meta_mounts},
                {"uploads.paused", &c->meta_paused},
        };
        int r = 0;

        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(metas); i++)
                r = store_meta_get(c->store, metas[i].name, metas[i].ret, &c->err);
        return r;
}

/* An approval that was given while we run; a dry run leaves it where it is. */
static int cycle_take_approval(struct cycle *c)
{
        char id[CYCLE_ID_LEN + 1] = "";
        struct record approved = {.verb = RECORD_META, .name = "approved", .value = id};
        int r = 0;

        if (!approval_read(c->config->state_dir, id, sizeof(id)))
                return 0;
        if (!c->show) {
                r = store_commit(c->store, &approved, 1, &c->err);
                if (r < 0)
                        return r;
                approval_remove(c->config->state_dir);
        }
        free(c->meta_approved);
        c->meta_approved = str_dup(id);
        return 0;
}

static void cycle_job_prepare(struct cycle *c)
{
        c->job_result = root_open(&c->root, c->config->folder, &c->err);
        if (c->job_result < 0)
                return;
        c->job_result = cycle_read_metas(c);
        if (c->job_result == 0)
                c->job_result = store_totals(c->store, &c->known, &c->err);
        if (c->job_result == 0)
                c->job_result = store_facts(c->store, FLOW_MOVE_FACT, &c->moving, &c->n_moving,
                                            &c->err);
        if (c->job_result == 0)
                c->job_result = cycle_take_approval(c);
}

/* An earlier run met the limit: the first pass of this one does not send a file to see it again. */
static void cycle_recall_pause(struct cycle *c)
{
        if (!c->recalled && c->meta_paused) {
                quota_load(&c->quota, c->meta_paused, cycle_now_ms());
                quota_pass_begins(&c->quota, cycle_now_ms());
        }
        c->recalled = true;
}

static void cycle_bound(struct cycle *c)
{
        cycle_recall_pause(c);
        if (!c->meta_binding || !str_eq(c->meta_binding, c->binding)) {
                cycle_stage_adopt(c, true);
                return;
        }
        if ((!c->meta_identity || !str_eq(c->meta_identity, c->root.identity)) &&
            c->known.files + c->known.dirs == 0) {
                /* Its disk came after us, say.  Nothing is known, so nothing can be taken for gone. */
                cycle_stage_adopt(c, true);
                return;
        }
        if (!c->meta_identity || !str_eq(c->meta_identity, c->root.identity)) {
                err_set(&c->err, ESTALE,
                        "the folder at %s is not the one that was mirrored: another disk, an empty "
                        "mount point, or a folder made anew.  Nothing is done.  If it is the right "
                        "one now, remove %s/state.db: the next start compares it with the cloud "
                        "and removes nothing",
                        c->config->folder, c->config->state_dir);
                cycle_fail(c, EXIT_NO_FOLDER);
                return;
        }
        if (!c->meta_adopted) {
                cycle_stage_adopt(c, false);
                return;
        }
        audit_recall(c->audit, c->meta_audit_last, c->meta_audit_at, c->meta_audit_alarm);
        if (c->show)
                cycle_stage_cloud(c);
        else
                cycle_stage_moving(c);
}

/* ---- whose Disk it is -------------------------------------------------------------------------- */

static void cycle_account_noted(void *userdata, struct flow *flow _unused_,
                                const struct flow_end *end)
{
        struct cycle *c = userdata;

        tally_end(&c->tally, c->engine, end);
        if (c->tally.halted)
                cycle_finish(c, cycle_status(c));
        else
                cycle_bound(c);
}

/*
 * Another token than last time.  When it is of the same account, that is noted.  When it is of
 * another one, or it cannot be told, nothing that is known is known of this Disk: it is compared
 * anew, and nothing is removed.
 */
static void cycle_account_told(void *userdata, struct flow *flow, const struct flow_end *end)
{
        struct cycle *c = userdata;
        const char *uid = flow ? flow_account_uid(flow) : "";
        struct record records[2];

        tally_end(&c->tally, c->engine, end);
        if (c->tally.halted) {
                cycle_finish(c, cycle_status(c));
                return;
        }
        str_copy(c->uid, sizeof(c->uid), uid);
        c->noted = end->kind == END_NOTHING;
        if (c->meta_token && (!*uid || !c->meta_uid || !str_eq(uid, c->meta_uid))) {
                event_say(EVENT_OTHER_ACCOUNT, NULL,
                          *uid && c->meta_uid
                                  ? N_("the token is of another account than before")
                                  : N_("the token is another one, and whose it is cannot be told"));
                cycle_stage_adopt(c, true);
        } else if (c->noted && c->meta_binding && str_eq(c->meta_binding, c->binding)) {
                cycle_write(c, records, cycle_account_records(c, records), cycle_account_noted);
        } else {
                cycle_bound(c); /* a new snapshot, which is bound to all of it at once */
        }
}

static void cycle_prepared(struct cycle *c)
{
        struct flow_end end = {.kind = END_LATER, .text = "no memory"};

        c->view.known = c->known;
        if (c->job_result < 0)
                cycle_fail(c, c->root.fd < 0 ? EXIT_NO_FOLDER : EXIT_IO_ERROR);
        else if (c->compare_ended)
                cycle_compare_alone(c);
        else if (c->show || (c->meta_token && str_eq(c->meta_token, c->token)))
                cycle_bound(c);
        else if (engine_start(c->engine, flow_account(&c->yadisk), cycle_account_told, c) < 0)
                cycle_account_told(c, NULL, &end);
}

void cycle_pass(struct cycle *c, void (*done)(void *userdata, const struct pass_end *end),
                void *userdata)
{
        c->done = done;
        c->userdata = userdata;
        report_begin(&c->report);
        event_set_cycle(++c->passes);
        c->adopting = c->cloud_missing = c->held = c->noted = false;
        c->listed = c->root_unlisted = false;
        c->unlisted = c->unsettled = 0;
        c->move_rounds = 0;
        c->moves_over = false;
        c->shown = c->shown_moves = c->moves_told = 0;
        c->checks_failed = 0;
        c->tally = (struct tally){.renewable = c->renewable};
        *c->fault = '\0';
        c->compared = false;
        c->known = (struct store_totals){0};
        cycle_enter(c, CYCLE_PREPARES);
        quota_pass_begins(&c->quota, cycle_now_ms());
        c->before = engine_stats(c->engine);
        cycle_job(c, cycle_job_prepare, cycle_prepared);
}

/* ---- life ------------------------------------------------------------------------------------- */

char *cycle_binding(const struct config *config)
{
        char *binding;

        if (asprintf(&binding, "%s %s %s", config->api_url, config->cloud, config->folder) < 0)
                return NULL;
        return binding;
}

void cycle_set_show(struct cycle *c, cycle_show_op show, void *userdata)
{
        c->show = show;
        c->show_userdata = userdata;
}

const struct cycle_view *cycle_view(struct cycle *c)
{
        if (c->compare && c->compare->under_way)
                c->compare->found = audit_found(c->comparer);
        c->view.compare = c->compare;
        c->view.failures = c->failures;
        c->view.quota = &c->quota;
        c->view.engine = c->engine;
        if (c->view.stage != CYCLE_RESTS)
                c->view.tally = c->tally;
        return &c->view;
}

int cycle_set_token(struct cycle *c, const char *token)
{
        if (!account_fingerprint(token, c->token))
                return -ENOMEM;
        return engine_set_token(c->engine, token);
}

void cycle_set_renewable(struct cycle *c, bool renewable)
{
        c->renewable = renewable;
}

void cycle_on_enter(struct cycle *c, void (*enter)(void *userdata, int dir_fd), void *userdata)
{
        c->enter = enter;
        c->enter_userdata = userdata;
}

void cycle_set_slices(struct cycle *c)
{
        c->slices = true;
}

void cycle_set_limits(struct cycle *c)
{
        engine_set_limits(c->engine, c->config->parallel, c->config->api_rate,
                          c->config->upload_rate);
}

static int cycle_commit(void *userdata, const struct record *records, size_t n, struct err *err)
{
        return store_commit(((struct cycle *)userdata)->store, records, n, err);
}

static int cycle_children(void *userdata, const char *key, struct entry_list *ret, struct err *err)
{
        return store_children(((struct cycle *)userdata)->store, key, ret, err);
}

static void cycle_trouble(void *userdata, enum engine_lane lane, const struct outcome *in,
                          int64_t wait_ms)
{
        struct cycle *c = userdata;

        c->view.trouble[lane].on = wait_ms > 0;
        c->view.trouble[lane].until_ms = cycle_now_ms() + wait_ms;
        str_copy(c->view.trouble[lane].text, sizeof(c->view.trouble[lane].text),
                 verdict(in).text);
        report_trouble(&c->report, lane, in, wait_ms, (int64_t)(uv_hrtime() / 1000000));
}

static void cycle_free(void *userdata)
{
        struct cycle *c = userdata;

        free(c->folders);
        audit_destroy(c->audit);
        audit_destroy(c->comparer);
        cycle_forget_finds(c);
        free(c->compare);
        failures_destroy(c->failures);
        free(c->binding);
        if (c->scratch)
                store_close(c->scratch);
        if (c->stopped)
                c->stopped(c->userdata);
        free(c);
}

static void cycle_stop_further(struct cycle *c);

static void cycle_audit_idle(void *userdata)
{
        cycle_stop_further(userdata);
}

static struct audit *cycle_audit(struct cycle *c,
                                 void (*found)(void *userdata, const struct audit_find *find))
{
        struct audit_args args = {.loop = c->loop,
                                  .engine = c->engine,
                                  .yadisk = &c->yadisk,
                                  .config = c->config,
                                  .store = c->store,
                                  .failures = c->failures,
                                  .idle = cycle_audit_idle,
                                  .found = found,
                                  .userdata = c};

        return audit_create(&args);
}

int cycle_compare(struct cycle *c, bool repair)
{
        struct cycle_compare *compare = c->compare ? c->compare : calloc(1, sizeof(*compare));

        c->compare = compare;
        if (!c->comparer)
                c->comparer = cycle_audit(c, cycle_found);
        if (!c->comparer || !compare)
                return -ENOMEM;
        if (compare->under_way) {
                compare->repair |= repair;
                return 0;
        }
        cycle_forget_finds(c);
        compare->runs++;
        compare->under_way = true;
        compare->repair = repair;
        audit_begin(c->comparer);
        return 0;
}

void cycle_set_compare(struct cycle *c,
                       void (*ended)(void *userdata, const struct cycle_compare *compare),
                       void *userdata)
{
        c->compare_ended = ended;
        c->compare_userdata = userdata;
}

void cycle_demand_audit(struct cycle *c)
{
        audit_demand(c->audit);
}

int cycle_create(struct cycle **ret, uv_loop_t *loop, const struct config *config,
                 struct store *store, const char *spool_dir, struct err *err)
{
        struct cycle *c = calloc(1, sizeof(*c));
        struct engine_options options = {
                .user_agent = "ydsync/" YDSYNC_VERSION,
                .parallel = config->parallel,
                .api_rate = config->api_rate,
                .upload_rate = config->upload_rate,
                .judge = verdict_news,
                .desk = {.commit = cycle_commit,
                         .children = cycle_children,
                         .free_children = entry_list_finish,
                         .userdata = c},
        };
        int r;

        if (!c)
                return err_set(err, ENOMEM, "no memory");
        c->loop = loop;
        c->config = config;
        c->store = store;
        c->spool_dir = spool_dir;
        c->root.fd = -1;
        c->yadisk = (struct yadisk){.api_url = config->api_url, .root = config->cloud};
        c->failures = failures_create();
        c->binding = cycle_binding(config);
        if (!c->failures || !c->binding || !account_fingerprint(config->token, c->token)) {
                cycle_free(c);
                return err_set(err, ENOMEM, "no memory");
        }
        r = engine_create(&c->engine, loop, &options, err);
        if (r < 0) {
                cycle_free(c);
                return r;
        }
        c->audit = cycle_audit(c, NULL);
        if (!c->audit) {
                engine_close(c->engine, cycle_free, c);
                return err_set(err, ENOMEM, "no memory");
        }
        engine_on_trouble(c->engine, cycle_trouble, c);
        r = engine_set_token(c->engine, config->token);
        *ret = c;
        return r;
}

static void cycle_engine_stopped(void *userdata)
{
        struct cycle *c = userdata;

        if (c->ops)
                work_abandon(c->ops);
        c->ops = NULL;
        cycle_forget_pass(c);
        engine_close(c->engine, cycle_free, c);
}

static void cycle_stop_further(struct cycle *c)
{
        if (c->working || c->scan || !audit_idle(c->audit) ||
            (c->comparer && !audit_idle(c->comparer)))
                return; /* comes back here when that has ended */
        engine_stop(c->engine, cycle_engine_stopped, c);
}

void cycle_stop(struct cycle *c, void (*stopped)(void *userdata), void *userdata)
{
        c->stopping = true;
        atomic_store(&c->stop_job, true);
        c->stopped = stopped;
        c->userdata = userdata;
        if (c->scan)
                scan_cancel(c->scan);
        audit_stop(c->audit);
        if (c->comparer)
                audit_stop(c->comparer);
        cycle_stop_further(c);
}
