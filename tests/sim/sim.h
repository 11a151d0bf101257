/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A simulated world: the program's own deciding code over models of all it touches.
 *
 *      cycle, work, scan, failures, engine, recorder, core, yadisk      as they are
 *      ────────────────────────────────────────────────────────────
 *      uv, clocks  http  walk, source, root  store, spool, approval     models, linked in their place
 *      loop.c      net.c  look.c              snap.c
 *                  wire.c tree.c
 *                  disk.c
 *
 * One thread, one seed: what happens next is drawn from the seed and from nothing else, so that the
 * same seed gives the same trace, byte for byte.  Time is a number that jumps to the next event.
 *
 *      edit.c   what people and programs do to the folder and to the cloud
 *      fault.c  how often what goes wrong
 *      rule.c   what must hold, at each step and at the end
 *      world.c  the life of one world; the part of daemon/main.c
 *      main.c   many worlds
 */

#include "lib/base/str.h"
#include "tests/unit/seed.h"

/* All that can happen, by kind; each must have occurred in a large run, or the run has shown
 * nothing of it. */
#define SIM_COUNTS(X)                                                                              \
        X(EDIT_CREATE, "edit create")                                                              \
        X(EDIT_MKDIR, "edit mkdir")                                                                \
        X(EDIT_MODIFY, "edit modify")                                                              \
        X(EDIT_RACY, "edit racy")                                                                  \
        X(EDIT_BACKDATE, "edit backdate")                                                          \
        X(EDIT_TOUCH, "edit touch")                                                                \
        X(EDIT_RENAME, "edit rename")                                                              \
        X(EDIT_SWAP, "edit swap")                                                                  \
        X(EDIT_SAVE, "edit save by rename")                                                        \
        X(EDIT_RETYPE, "edit file<->folder")                                                       \
        X(EDIT_SPECIAL, "edit special file")                                                       \
        X(EDIT_REMOVE, "edit remove")                                                              \
        X(EDIT_REMOVE_TREE, "edit remove tree")                                                    \
        X(EDIT_BULK, "edit bulk remove")                                                           \
        X(EDIT_IGNORE, "edit .ydignore")                                                           \
        X(EDIT_IN_WALK, "edit while walking")                                                      \
        X(EDIT_IN_READ, "edit while reading")                                                      \
        X(EDIT_IN_SEND, "edit while sending")                                                      \
        X(HIDE_DIR, "unreadable folder")                                                           \
        X(HIDE_HALF, "half-read folder")                                                           \
        X(HIDE_LOOK, "failing lstat")                                                              \
        X(HIDE_READ, "unreadable file")                                                            \
        X(HIDE_MOUNT, "vanished mount")                                                            \
        X(ROOT_MISSING, "root missing")                                                            \
        X(ROOT_EMPTY, "root an empty folder")                                                      \
        X(ROOT_OTHER, "root another disk")                                                         \
        X(OTHER_PUT, "second writer puts")                                                         \
        X(OTHER_TWIN, "second writer puts the same")                                               \
        X(OTHER_REPLACE, "second writer replaces")                                                 \
        X(OTHER_REMOVE, "second writer removes")                                                   \
        X(OTHER_TRASH, "second writer trashes")                                                    \
        X(OTHER_MOVE, "second writer moves")                                                       \
        X(OTHER_MKDIR, "second writer makes a folder")                                             \
        X(OTHER_RETYPE, "second writer file<->folder")                                             \
        X(FAULT_UNREACHABLE, "unreachable")                                                        \
        X(FAULT_TLS, "tls")                                                                        \
        X(FAULT_LOST_REQUEST, "lost request")                                                      \
        X(FAULT_LOST_REPLY, "lost reply")                                                          \
        X(FAULT_500, "5xx, not done")                                                              \
        X(FAULT_500_DONE, "5xx, done")                                                             \
        X(FAULT_429, "429")                                                                        \
        X(FAULT_429_HINT, "429 with hint")                                                         \
        X(FAULT_LOCKED, "423 locked")                                                              \
        X(FAULT_READ_ONLY, "423 read-only")                                                        \
        X(FAULT_TRAFFIC, "423 traffic limit")                                                      \
        X(FAULT_FULL, "507")                                                                       \
        X(FAULT_REFUSED, "401")                                                                    \
        X(FAULT_TOO_LARGE, "413")                                                                  \
        X(FAULT_HTML, "html page")                                                                 \
        X(FAULT_GARBLED, "garbled json")                                                           \
        X(FAULT_CUT_LISTING, "cut listing")                                                        \
        X(FAULT_STALE, "stale view")                                                               \
        X(FAULT_MD5_LATE, "md5 late")                                                              \
        X(FAULT_LINK_EXPIRED, "expired link")                                                      \
        X(FAULT_RESET_MIDDLE, "reset mid-body")                                                    \
        X(FAULT_RESET_END, "reset after the body")                                                 \
        X(FAULT_STORED_LOST, "stored, answer lost")                                                \
        X(FAULT_STORED_LATE, "answer lost, stored later")                                          \
        X(FAULT_CORRUPT, "stored corrupt")                                                         \
        X(FAULT_FORGOTTEN, "201, not stored")                                                      \
        X(FAULT_ASYNC, "202 done later")                                                           \
        X(FAULT_ASYNC_FAILED, "202 failed")                                                        \
        X(FAULT_OP_GONE, "operation unknown")                                                      \
        X(STORE_ENOSPC, "snapshot ENOSPC")                                                         \
        X(STORE_EIO, "snapshot EIO")                                                               \
        X(STORE_LOST, "snapshot lost")                                                             \
        X(STORE_RESTORED, "snapshot of last week")                                                 \
        X(STORE_DAMAGED, "snapshot damaged")                                                       \
        X(STORE_STALE, "snapshot removed while open")                                              \
        X(SPOOL_ENOSPC, "spool ENOSPC")                                                            \
        X(LIFE_CRASH, "crash")                                                                     \
        X(LIFE_STOP, "orderly stop")                                                               \
        X(LIFE_REBOOT, "reboot")                                                                   \
        X(LIFE_REBIND, "another cloud folder")                                                     \
        X(LIFE_CLOCK, "clock jump")                                                                \
        X(LIFE_APPROVE, "approval")                                                                \
        X(LIFE_APPROVE_OLD, "approval of another plan")                                            \
        X(LIFE_HELD, "held plan")                                                                  \
        X(LIFE_EXCLUDE, "other exclude patterns")

enum sim_count {
#define SIM_COUNT_ENUM(id, name) SIM_##id,
        SIM_COUNTS(SIM_COUNT_ENUM)
#undef SIM_COUNT_ENUM
        SIM_COUNT_N
};

struct sim {
        struct seed seed;
        bool show;           /* print the trace */
        bool failed;         /* a rule was broken; the world ends */
        bool doing;          /* things are done to it; false once it is at rest */
        unsigned steps;      /* of what may still be done */
        uint64_t trace;      /* hash of all lines so far */
        char why[512];
        struct sim_counts {
                uint64_t worlds, passes, in_part, requests, events;
                uint64_t by[SIM_COUNT_N];
        } counts;
};

extern struct sim sim;

static inline unsigned sim_below(unsigned n)
{
        return seed_below(&sim.seed, n);
}

static inline bool sim_chance(unsigned per_mille)
{
        return per_mille > 0 && seed_below(&sim.seed, 1000) < per_mille;
}

/* One line of what happened; it becomes part of the hash. */
void sim_trace(const char *fmt, ...) _printf_(1, 2);
/* A rule is broken.  The first one counts. */
void sim_fail(const char *fmt, ...) _printf_(1, 2);
/* It happened. */
void sim_count(enum sim_count what);
const char *sim_count_name(enum sim_count what);

/* ---- contents: numbers, whose size and md5 follow from them ------------------------------------ */

/* Foreign ones are the second writer's alone; they must survive. */
#define CONTENT_FOREIGN (UINT64_C(1) << 40)
#define CONTENT_SIZES 6

uint64_t content_new(bool foreign, unsigned size_class);
uint64_t content_mixed(uint64_t content); /* another one of that size */
uint64_t content_size(uint64_t content);
void content_md5(uint64_t content, uint8_t ret[16]);
uint64_t content_of_md5(const uint8_t md5[16]);
void content_begin(void); /* numbers begin anew */

/* ---- a set of pairs (key, number) -------------------------------------------------------------- */

struct pairs {
        uint64_t *slots;
        size_t n, size;
};

void pairs_add(struct pairs *p, const char *key, uint64_t number);
bool pairs_has(const struct pairs *p, const char *key, uint64_t number);
void pairs_finish(struct pairs *p);

/* ---- the loop ---------------------------------------------------------------------------------- */

#define MS INT64_C(1000000)
#define SECOND (1000 * MS)

enum side {
        SIDE_CLIENT, /* the program's own: ends with it */
        SIDE_WORLD,  /* goes on whatever becomes of the program */
};

struct event;

extern struct loop {
        struct event *events;  /* next first */
        int64_t now_ns;        /* steady */
        int64_t wall_ahead_ns; /* wall clock = now + this */
        unsigned epoch;        /* how often the wall clock jumped */
        bool dead;             /* the program has crashed: no job does anything any more */
} loop;

/* `fire` comes after `delay_ns`, once.  Of events due together the seed chooses. */
struct event *loop_after(int64_t delay_ns, enum side side, void (*fire)(void *userdata),
                         void *userdata);
void loop_cancel(struct event *e);
/* Time goes to the next event, and it happens.  False: there is none. */
bool loop_step(void);
/* The program's own events until none is left; time stands still. */
void loop_drain(void);
void loop_finish(void);
int64_t loop_wall_ns(void);
