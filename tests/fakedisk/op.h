/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Asynchronous operations.  One that is scheduled takes effect when it is due, and until then
 * locks what it is going to change.  All of these functions want the disk's lock, but op_status().
 */

#include "disk.h"

enum op_state {
        OP_RUNNING,     /* nothing happened yet */
        OP_DONE,        /* it took effect */
        OP_FAILED,      /* it never will */
};

typedef enum svc_error op_apply_fn(struct disk *d, struct op *op);

struct op {
        char id[65];                    /* 64 hex digits */
        struct op *next;                /* in its bucket */
        struct op *later;               /* made after this one */
        struct op *due_next;            /* scheduled after this one */
        enum op_state state;
        bool scheduled;
        bool locks;                     /* others must keep off `from` and `to` while it runs */
        int64_t due_us, finished_us;    /* monotonic */
        int64_t polls;                  /* so many polls still say in-progress */
        op_apply_fn *apply;             /* when it is due */
        struct path from, to;           /* `to.s` is NULL when there is only one; owned */
        bool overwrite;
        bool permanently;
        struct content *content;        /* of a delayed commit, owned */
};

/* A running operation that waits for somebody to call op_end(), or for op_schedule(). */
struct op *op_create(struct disk *d);

struct op *op_find(struct disk *d, const char *id);

/* Lets `op->apply` happen in `ms`; with 0 it happens now. */
void op_schedule(struct disk *d, struct op *op, int64_t ms);

/* Ends an operation; NULL is fine. */
void op_end(struct disk *d, struct op *op, bool ok);

/* Carries out what is due. */
void op_run_due(struct disk *d);

/*
 * Is a change of `p` forbidden now?  `whole` tells that everything below `p` would change too.
 */
bool op_locked(const struct disk *d, const struct path *p, bool whole);

/* A scheduled operation of another disk, due `later_us` later than there. */
void op_copy(struct disk *d, const struct op *op, int64_t later_us);

/* Forgets all of them. */
void op_reset(struct disk *d);

/* Not locked.  The status to tell, NULL for an unknown id. */
const char *op_status(struct disk *d, const char *id);
