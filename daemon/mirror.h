/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Pass after pass: the machine of `run`, `once` and `plan`.  Decides when the next pass comes, opens
 * a snapshot that went bad anew, takes another configuration over (reload.h), and ends when it is told
 * to (signals.h).
 */

#include "daemon/cycle.h"
#include "lib/core/speed.h"

/* Passes of `once` before it leaves the rest to the next run: a file that is written to for ever
 * must not keep it. */
#define MIRROR_PASSES 10

struct mirror_args {
        const struct config *config; /* a daemon's may be replaced by what the .env says later */
        const char *env_file;        /* of --env, or NULL: where that is */
        struct store *store;    /* the mirror's from then on: it closes it */
        const char *spool_dir;  /* where plans are kept for the length of a pass; NULL: in the state
                                   folder */
        bool daemon;            /* goes on until it is told to end */
        unsigned passes;        /* otherwise: so many at most */
        cycle_show_op show;     /* a dry run, when set: cycle_set_show() */
        void *show_userdata;
        void (*compared)(void *userdata, const struct cycle_compare *compare); /* one pass that only
                                   compares, when set: cycle_set_compare() */
        void *compared_userdata;
        bool audit;             /* begins with cycle_demand_audit() */
};

/* Returns when all is over.  All in `args` must stay. */
enum exit_status mirror_run(const struct mirror_args *args);

/* ---- what a daemon is told while it runs (desk.h) --------------------------------------------- */

struct mirror;

struct mirror_view {
        const struct config *config;
        const struct cycle_view *cycle; /* NULL: there is none while it pauses */
        bool paused;
        bool left;           /* the last pass left something to be done */
        int64_t began_ms;    /* wall clock */
        int64_t next_ms;     /* of uv_hrtime(): when the next pass is due; -1: it is under way, or none
                                is to come */
        struct speed speed;  /* of the bytes that this pass sends */
};

/* Good until the loop turns. */
void mirror_view(struct mirror *m, struct mirror_view *ret);

/* A pass now, or another one soon after the one under way; -EBUSY: paused. */
int mirror_look(struct mirror *m);

/* cycle_compare(), and a pass now; -EBUSY: paused. */
int mirror_compare(struct mirror *m, bool repair);

/* No pass from now on; one under way is given up.  That it lasts over a restart is for the caller
 * (pause.h). */
void mirror_pause(struct mirror *m);
void mirror_resume(struct mirror *m);
