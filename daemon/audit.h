/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The audit: what is believed is held against what is there (YDSYNC_AUDIT_PERIOD).
 *
 *   cloud ─▶ every folder we know is listed and compared with its rows.  What is not there as it was
 *            sent is forgotten, so that the next pass sends it again; other people's things stay
 *   read  ─▶ every file we know is read again where its stamp says that it is unchanged.  Other
 *            content is marked, so that the next pass compares by content and sends it
 *
 * It goes through the tree in tree order, in slices between the passes of a daemon, and its place is
 * kept in the snapshot: "audit.at"; "audit.last" is when the last one ended.  An audit is due a
 * period after that, by the steady clock within a process and by the wall clock across starts; a
 * moment in the future is no excuse.
 *
 * The brake: when it would forget more than YDSYNC_MAX_DELETE entries (the whole cloud folder was
 * moved to the Trash, the service shows an empty one), that is said and not believed at once: only
 * when a second look, some minutes later, shows the same, everything is sent again.  Nothing is
 * removed either way; it is about the bytes.
 */

#include "daemon/failures.h"
#include "daemon/work.h"
#include "lib/yadisk/flow_audit.h"

#include <uv.h>

struct audit;

struct audit_args {
        uv_loop_t *loop;
        struct engine *engine;
        const struct yadisk *yadisk;
        const struct config *config;
        struct store *store;
        struct failures *failures;
        void (*idle)(void *userdata); /* after audit_stop(): nothing is on the pool any more */
        void (*found)(void *userdata, const struct audit_find *find); /* when set: differences are only
                                         told of, here, and nothing is mended, read again or noted;
                                         audits begin with audit_begin() */
        void *userdata;
};

/* All in `args` is borrowed.  NULL: no memory. */
struct audit *audit_create(const struct audit_args *args);
void audit_destroy(struct audit *a); /* only when audit_idle() and the engine is stopped */

/* What the snapshot says: "audit.last", "audit.at" and "audit.alarm", each may be NULL.  Only the
 * first call counts: from then on the steady clock does. */
void audit_recall(struct audit *a, const char *last, const char *at, const char *alarm);

/* The cloud was listed and every file compared just now: counts as an audit. */
void audit_was_made(struct audit *a);

/* Something was found untrue: an audit is due, from the beginning. */
void audit_demand(struct audit *a);

/* Of an audit that only tells: from the beginning. */
void audit_begin(struct audit *a);
bool audit_under_way(const struct audit *a);

struct audit_found {
        uint64_t folders;  /* listed */
        uint64_t missing, changed;
        uint64_t lost;     /* entries that are not there as they were sent, with what is below them */
        uint64_t foreign;  /* not known, and left alone */
        uint64_t unlisted; /* folders that could not be compared */
};
struct audit_found audit_found(const struct audit *a);

/* Whether audit_slice() has something to do; it may be on the pool. */
bool audit_wanted(const struct audit *a);

/* Whether all that was looked at could be compared, and nothing waits for a second look. */
bool audit_complete(const struct audit *a);

/*
 * One slice, while the engine is idle; `whole`: the audit to its end.  `done` comes from the loop,
 * with a negative errno (and its sentence) when the snapshot could not be read.  Files are read on
 * the pool beyond that, from a descriptor of its own.
 */
typedef void (*audit_done)(void *userdata, int r, const struct err *err);
void audit_slice(struct audit *a, int root_fd, bool whole, struct tally *tally, audit_done done,
                 void *userdata);

/* Ends what is on the pool, soon; `done` does not come.  See args.idle. */
void audit_stop(struct audit *a);
bool audit_idle(const struct audit *a);

/* The present moment as "audit.last" is written; 24 bytes. */
void audit_stamp(char ret[24]);
