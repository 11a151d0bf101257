/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The snapshot, in memory: store.h, spool.h and approval.h.
 *
 * A commit is all or nothing; what was committed outlives the program.  What may become of the file
 * otherwise is done from outside, by the functions here.
 */

#include "tests/sim/sim.h"

#include "lib/core/op.h"
#include "lib/store/store.h"

extern struct snap {
        struct snap_data *data, *backup;
        enum {
                SNAP_SOUND,
                SNAP_ROWS_MISSING,   /* shows at the end of a pass over them */
                SNAP_UNREADABLE,     /* shows at once */
        } damage;
        bool stale;          /* state.db was removed while it was open: ESTALE */
        int fail;            /* the next commit fails: ENOSPC, or EIO for good */
        int spool_fail;      /* the next plan does not fit on the disk */
        char approval[32];   /* left by a person; "": none */
        bool open;
} snap;

void snap_begin(void);
void snap_finish(void);
void snap_lose(void);
void snap_back_up(void);
bool snap_restore(void);     /* false: there is no backup */
/* NULL: no such fact. */
const char *snap_meta(const char *name);
const struct entry *snap_row(const char *key);
/* Rows at the key and below it. */
uint64_t snap_count(const char *key);
uint64_t snap_total(void);
size_t snap_intents(void);
size_t snap_doubts(void);
/* NULL: there is none about it. */
const struct doubt *snap_doubt(const char *key);
const struct entry *snap_at(size_t i);
