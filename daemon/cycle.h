/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The circle: one pass from a look at the folder to the written record.  Its stages and their files
 * are in cycle_impl.h.
 *
 *                                                             moves
 *                                                          anew ▼ ▲
 *   prepare ─▶ list (first time) ─▶ make the cloud folder ─▶ scan ─▶ makes ─▶ sweep ─▶ verify
 *                                                                                        │
 *                                   finish ◀─ audit ◀─ drops ◀─ is it still our folder?┘
 *
 * Removals come last, and only when everything else has gone its way; an audit that is due, after
 * that.
 */

#include "daemon/audit.h"
#include "daemon/config.h"
#include "daemon/exit.h"
#include "daemon/work.h"
#include "lib/core/op.h"
#include "lib/core/plan.h"
#include "lib/core/stir.h"
#include "lib/engine/engine.h"
#include "lib/store/store.h"

#include <uv.h>

struct cycle;

struct pass_end {
        enum exit_status status;
        bool in_part;      /* only what cycle_set_stir() named was looked at */
        bool again;        /* something changed while the pass ran, or has yet to settle */
        int64_t again_ms;  /* … and is worth another pass after this */
        int state_err;           /* EUCLEAN: the snapshot is damaged and must be set aside; ESTALE:
                                    it was removed or replaced and must be opened anew; EIO: its
                                    disk has failed, and nothing is written until it was opened
                                    anew; 0 otherwise */
        uint64_t young;          /* files that were changed a moment ago and wait */
        int64_t scan_ms;
        uint64_t api_calls, transfers, bytes_sent;
};

/* Where in the circle it is. */
enum cycle_stage {
        CYCLE_RESTS,    /* no pass is under way */
        CYCLE_PREPARES,
        CYCLE_LISTS,    /* the cloud folder, the first time */
        CYCLE_SCANS,
        CYCLE_MOVES,
        CYCLE_SENDS,
        CYCLE_VERIFIES,
        CYCLE_REMOVES,
        CYCLE_AUDITS,
};

/* What a comparison of the snapshot with the cloud (`verify`) has found. */
#define CYCLE_FINDS_MAX 1000 /* that are named */
struct cycle_find {
        char *key;
        enum kind known;
        enum audit_find_kind kind;
};

struct cycle_compare {
        uint64_t runs;               /* begun so far */
        bool under_way;
        bool repair;                 /* what is found is to be put right */
        struct audit_found found;
        struct cycle_find finds[CYCLE_FINDS_MAX];
        size_t n_finds;
};

#define CYCLE_ID_LEN 16 /* hex digits of a plan's id */

/* What goes on, for those who ask: of the pass under way, or of the last. */
struct cycle_view {
        enum cycle_stage stage;
        struct store_totals known;      /* when the pass began */
        int64_t scan_began_ns;          /* wall clock; 0: there was no scan yet */
        double scan_seconds;
        struct plan_totals plan;        /* of that scan */
        struct tally tally;
        char held[CYCLE_ID_LEN + 1];    /* the plan that waits for an approval, or "" */
        char error[1024];               /* what ended the last pass early, or "" */
        struct {
                bool on;
                char text[256];         /* what was heard last */
                int64_t until_ms;       /* of uv_hrtime(): nothing is tried before that */
        } trouble[ENGINE_LANES];
        const struct cycle_compare *compare; /* NULL: there was none */
        const struct failures *failures;
        const struct quota *quota;
        const struct engine *engine;
};

/* All are borrowed and must outlive the cycle.  `spool_dir`: where the plan is kept for the length
 * of a pass. */
int cycle_create(struct cycle **ret, uv_loop_t *loop, const struct config *config,
                 struct store *store, const char *spool_dir, struct err *err);

/*
 * Passes from now on change nothing in the cloud: each op of the plan is shown instead (from a
 * thread of the pool), and the status is EXIT_DIFFERENT when there is one.  Files whose stamp alone
 * is new are compared by content first.  The store may be open for reading only when it was adopted
 * before.
 */
typedef void (*cycle_show_op)(void *userdata, const struct op *op, bool held);
void cycle_set_show(struct cycle *c, cycle_show_op show, void *userdata);

/* Another token from the next pass on; whose it is, is asked then.  Between passes only. */
int cycle_set_token(struct cycle *c, const char *token);

/* Whether a pass that ends because the token was refused says nothing of it. */
void cycle_set_renewable(struct cycle *c, bool renewable);

/* `enter` is called with each folder that a scan reads, just before, by the scan's thread. */
void cycle_on_enter(struct cycle *c, void (*enter)(void *userdata, const char *key, int dir_fd),
                    void *userdata);

/* The next pass need only look at these folders; they must stay until it ends.  It looks at everything
 * all the same when there is more to be done than to mirror what has changed since the last that did
 * (an adoption, something interrupted, a held plan), or when what it sees there cannot be judged alone:
 * see `in_part` of its end. */
void cycle_set_stir(struct cycle *c, const struct stir *stir);

/* Compares the whole cloud folder with the snapshot, beside the passes to come, and with `repair` has
 * an audit put right what it finds; one that is under way goes on.  -ENOMEM. */
int cycle_compare(struct cycle *c, bool repair);

/* The pass does nothing but that, from its beginning to its end: EXIT_DIFFERENT when something is not
 * there as it was sent.  `ended` is told what was found, from the loop. */
void cycle_set_compare(struct cycle *c,
                       void (*ended)(void *userdata, const struct cycle_compare *compare),
                       void *userdata);

/* The next pass looks at the cloud and puts right what others have changed there. */
void cycle_demand_audit(struct cycle *c);

/* Audits go on in slices between the passes from now on, as a daemon wants it; otherwise a due audit
 * is part of the pass. */
void cycle_set_slices(struct cycle *c);

/* The configuration has other limits (parallel, api_rate, upload_rate): they count at once. */
void cycle_set_limits(struct cycle *c);

/* What a snapshot made under this configuration is of; malloced.  It is kept as the fact "binding",
 * and a snapshot that is of something else is adopted anew. */
char *cycle_binding(const struct config *config);

/* Good until the loop turns. */
const struct cycle_view *cycle_view(struct cycle *c);

/* One pass; `done` comes from the loop.  Not while another is under way. */
void cycle_pass(struct cycle *c, void (*done)(void *userdata, const struct pass_end *end),
                void *userdata);

/* Ends what is under way without `done`, then frees everything; `stopped` comes from the loop. */
void cycle_stop(struct cycle *c, void (*stopped)(void *userdata), void *userdata);
