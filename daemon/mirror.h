/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Pass after pass: the machine of `run`, `once` and `plan`.  Decides when the next pass comes, opens
 * a snapshot that went bad anew, and ends when it is told to (signals.h).
 */

#include "daemon/cycle.h"

/* Passes of `once` before it leaves the rest to the next run: a file that is written to for ever
 * must not keep it. */
#define MIRROR_PASSES 10

struct mirror_args {
        const struct config *config;
        struct store *store;    /* the mirror's from then on: it closes it */
        const char *spool_dir;  /* where plans are kept for the length of a pass */
        bool daemon;            /* goes on until it is told to end */
        unsigned passes;        /* otherwise: so many at most */
        cycle_show_op show;     /* a dry run, when set: cycle_set_show() */
        void *show_userdata;
};

/* Returns when all is over.  All in `args` must stay. */
enum exit_status mirror_run(const struct mirror_args *args);
