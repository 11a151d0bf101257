/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The inside of the circle, for its own files.  Each stage is in the file that its question names:
 *
 *      cycle.c         what they share: jobs on the pool, ending, and the life of it all
 *      cycle_begin.c   what is remembered, is it our folder, whose Disk is it
 *      cycle_settle.c  what an earlier run has begun and not written down
 *      cycle_adopt.c   listing the cloud folder (the first time), making it
 *      cycle_scan.c    the look at the folder
 *      cycle_moves.c   what was moved here is moved there, and the folder is scanned anew
 *      cycle_ops.c     the plan stands: held, shown, or carried out
 *      cycle_check.c   sweeping remnants, verifying what was sent
 *      cycle_audit.c   audits, and comparisons for those who want to know
 *      cycle_end.c     what is written down of the pass, and its status
 *
 * Every stage ends by starting the next.  What is blocking runs on the thread pool, and the snapshot
 * is touched by one thread at a time: by these jobs while the engine is idle, by the engine's
 * recorder while it is not, and by the scan through the reading side.
 */

#include "daemon/account.h"
#include "daemon/audit.h"
#include "daemon/cycle.h"
#include "daemon/doubts.h"
#include "daemon/event.h"
#include "daemon/moves.h"
#include "daemon/report.h"
#include "daemon/root.h"
#include "daemon/scan.h"
#include "daemon/work.h"
#include "lib/core/flow_write.h"
#include "lib/yadisk/verdict.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

struct cycle {
        uv_loop_t *loop;
        const struct config *config;
        struct store *store;
        struct engine *engine;
        struct yadisk yadisk;
        struct failures *failures;
        struct vain *vain; /* moves */
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
        uint64_t shown;        /* in this pass: moves first, then the rest */
        struct store *scratch; /* a copy of the snapshot, in which moves that are only shown are made */
        bool renewable;
        void (*enter)(void *userdata, const char *key, int dir_fd);
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
        const struct stir *stir;   /* the folders to be looked at; NULL: all */
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
        uint64_t moved_before;   /* moves made or shown before this round */
        struct entry row;        /* of what is settled */
        struct work *ops;
        struct engine_stats before;

        /* Folders to list or to verify, and how many flows are out for them. */
        char **folders;
        size_t n_folders, size_folders;
        unsigned flows;
        uint64_t checks_failed;
};

/* ---- what they share: cycle.c ----------------------------------------------------------------- */

/* Runs `job` on the pool, then `after` on the loop. */
void cycle_job(struct cycle *c, void (*job)(struct cycle *c), void (*after)(struct cycle *c));

/* Writes records through the engine, so that the loop does not wait for the disk. */
void cycle_write(struct cycle *c, const struct record *records, size_t n, engine_done after);

/* Says what is in c->err and ends the pass. */
void cycle_fail(struct cycle *c, enum exit_status status);

void cycle_enter(struct cycle *c, enum cycle_stage stage);
int64_t cycle_now_ms(void); /* of the steady clock */

/* A job: whether it is still our folder. */
void cycle_job_root_check(struct cycle *c);

/* One more of c->folders; false: no memory. */
bool cycle_push(struct cycle *c, const char *key);

void cycle_forget_folders(struct cycle *c);
void cycle_forget_moves(struct cycle *c);
void cycle_forget_pass(struct cycle *c);

/* We are being stopped, and something that had to end first has ended. */
void cycle_stop_further(struct cycle *c);

/* ---- the stages, in their order ---------------------------------------------------------------- */

/* cycle_begin.c: the records that keep whose the token is; their number, two at most. */
size_t cycle_account_records(const struct cycle *c, struct record *ret);

/* cycle_adopt.c.  With `rebind` the snapshot is of something else and is forgotten first. */
void cycle_stage_adopt(struct cycle *c, bool rebind);
void cycle_stage_cloud(struct cycle *c);

/* cycle_settle.c: moves that were begun come before the cloud folder, doubts after it. */
void cycle_stage_moving(struct cycle *c);
void cycle_stage_settle(struct cycle *c);

/* cycle_scan.c */
void cycle_stage_scan(struct cycle *c);

/* cycle_moves.c */
void cycle_stage_moves(struct cycle *c);

/* cycle_ops.c */
void cycle_planned(struct cycle *c);
void cycle_stage_drops(struct cycle *c);
void cycle_plan_id(const struct cycle *c, char ret[CYCLE_ID_LEN + 1]);
struct work_args cycle_work_args(struct cycle *c);

/* cycle_check.c */
void cycle_stage_sweep(struct cycle *c);

/* cycle_audit.c */
void cycle_stage_audit(struct cycle *c);
void cycle_compare_alone(struct cycle *c); /* instead of all other stages */
void cycle_found(void *userdata, const struct audit_find *find);
void cycle_forget_finds(struct cycle *c);

/* cycle_end.c */
enum exit_status cycle_status(const struct cycle *c); /* what it has come to so far */
void cycle_stage_finish(struct cycle *c);
void cycle_finish(struct cycle *c, enum exit_status status);
