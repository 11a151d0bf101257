/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reading files again, one after the other on one thread of the pool, behind everybody else: the
 * disk is asked with idle priority.
 */

#include "lib/core/record.h"
#include "lib/engine/source.h"

#include <uv.h>

#define REREAD_OTHER (-1) /* a result: other content under the same stamp; errno values are others */

struct reread {
        uv_work_t work;
        struct source_root root;  /* the descriptor is its own */
        struct entry_list files;  /* owned */
        int *results;             /* of the first `n_done`: 0 the same, REREAD_OTHER, or an errno */
        size_t n_done;
        atomic_bool stop;
        bool busy;
        void (*done)(void *userdata);
        void *userdata;
};

#define REREAD_NULL ((struct reread){.root.fd = -1})

/* Takes the files over, also when it fails.  Not all need be done in the end: a batch is also bounded
 * by its bytes.  `done` comes from the loop. */
int reread_start(struct reread *r, uv_loop_t *loop, const struct source_root *root,
                 struct entry_list *files, void (*done)(void *userdata), void *userdata);

void reread_stop(struct reread *r); /* soon; `done` still comes */

void reread_finish(struct reread *r); /* not while it is busy */
