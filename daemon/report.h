/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a pass says: its troubles, its remarks about paths, its summary.
 *
 * What ends pass after pass is said once, and again only when it is something else.
 */

#include "daemon/event.h"
#include "daemon/failures.h"
#include "daemon/scan.h"
#include "daemon/work.h"

struct report {
        bool failed;     /* this pass has said what is wrong … */
        char said[2048]; /* … and this is what was said last; "" once a pass went well */
        struct {
                bool on;          /* it does not work, since … */
                int64_t since_ms;
                bool said;        /* … and that was said, last at … */
                int64_t said_ms;  /* … or 0 */
        } trouble[ENGINE_LANES];
};

void report_begin(struct report *r); /* of a pass */
void report_end(struct report *r);

/* What ends the pass, or leaves work undone. */
void report_error(struct report *r, enum event event, const struct event_about *about,
                  const char *fmt, ...) _printf_(4, 5);

/* A lane of the engine does not work, or (wait_ms 0) works again: said when it begins and when it
 * ends.  One that comes and goes is not said each time, only when it stays. */
void report_trouble(struct report *r, enum engine_lane lane, const struct outcome *in,
                    int64_t wait_ms, int64_t now_ms);

/* Why uploads are paused, or everything is; nothing when neither is so. */
void report_halted(struct report *r, const struct tally *t, const struct config *config);

/* At the end of a pass: uploads are no longer paused (true: what was left out may go), or still are
 * since an earlier run. */
bool report_pause(struct quota *q);

/* The plan is over the brake. */
void report_held(struct report *r, const struct plan_totals *totals, const char *id);

/* What arrived is not what was sent.  True when that is so for the first time: then it is sent again
 * at once, and nothing was said. */
bool report_wrong(struct failures *f, const char *root, const struct entry *e);

/* The scan's remarks, each once. */
void report_notes(struct failures *f, const char *root, const struct scan_result *scan,
                  const struct stir *looked);

/* One line of what was done; silent when there was nothing to do. */
void report_summary(const struct tally *t, uint64_t api_calls);
