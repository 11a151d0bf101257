/* SPDX-License-Identifier: MIT */

#include "daemon/headline.h"

#include <inttypes.h>
#include <time.h>

static void headline_files(struct str *s, uint64_t n)
{
        str_addf(s, trn("%" PRIu64 " file", "%" PRIu64 " files", n), n);
}

static void headline_folders(struct str *s, uint64_t n)
{
        str_addf(s, trn("%" PRIu64 " folder", "%" PRIu64 " folders", n), n);
}

/* The whole minute is enough: a line that is the same is not sent again. */
static void headline_next(struct str *s, const struct mirror_view *v)
{
        time_t then;
        struct tm tm;
        char text[16];

        if (v->next_ms < 0)
                return;
        then = time(NULL) + (time_t)((v->next_ms - (int64_t)(uv_hrtime() / 1000000)) / 1000);
        if (!localtime_r(&then, &tm))
                return;
        strftime(text, sizeof(text), "%H:%M", &tm);
        str_addf(s, tr(", next look at %s"), text);
}

static void headline_rests(struct str *s, const struct mirror_view *v)
{
        const struct cycle_view *c = v->cycle;
        size_t failing = failures_count(c->failures);

        if (*c->error) {
                str_adds(s, c->error);
                return;
        }
        if (*c->held) {
                str_addf(s,
                         trn("held: %" PRIu64 " removal, `ydsync approve %s` lets it go",
                             "held: %" PRIu64 " removals, `ydsync approve %s` lets them go",
                             c->plan.drops),
                         c->plan.drops, c->held);
                return;
        }
        str_adds(s, v->left ? tr("some work is left; see the log: ")
                            : tr("everything is mirrored: "));
        headline_files(s, c->known.files);
        str_adds(s, tr(" in "));
        headline_folders(s, c->known.dirs);
        if (failing > 0)
                str_addf(s, tr(", %zu failing"), failing);
        headline_next(s, v);
}

static void headline_sends(struct str *s, const struct mirror_view *v)
{
        const struct cycle_view *c = v->cycle;

        str_addf(s,
                 trn("uploading: %" PRIu64 " of %" PRIu64 " file, ",
                     "uploading: %" PRIu64 " of %" PRIu64 " files, ", c->plan.puts),
                 c->tally.puts_over, c->plan.puts);
        str_add_size(s, speed_rate(&v->speed));
        str_adds(s, tr("/s"));
}

static void headline_works(struct str *s, const struct mirror_view *v)
{
        const struct cycle_view *c = v->cycle;

        switch (c->stage) {
        case CYCLE_RESTS:
                break;
        case CYCLE_PREPARES:
        case CYCLE_SCANS:
                str_adds(s, tr("looking through the folder"));
                break;
        case CYCLE_LISTS:
                str_adds(s, tr("listing the cloud folder"));
                break;
        case CYCLE_MOVES:
                str_adds(s, tr("moving what was moved here"));
                break;
        case CYCLE_SENDS:
                headline_sends(s, v);
                break;
        case CYCLE_VERIFIES:
                str_adds(s, tr("comparing what has arrived"));
                break;
        case CYCLE_REMOVES:
                str_addf(s, tr("removing: %" PRIu64 " of %" PRIu64), c->tally.removed, c->plan.drops);
                break;
        case CYCLE_AUDITS:
                str_adds(s, tr("comparing the cloud with the snapshot"));
                break;
        }
}

void headline(struct str *ret, const struct mirror_view *v)
{
        const struct cycle_view *c = v->cycle;

        if (v->paused || !c) {
                str_adds(ret, v->paused ? tr("paused") : tr("taking over another configuration"));
                return;
        }
        for (int lane = ENGINE_ANY; lane < ENGINE_LANES; lane++)
                if (c->trouble[lane].on) {
                        str_addf(ret, tr("waiting: %s"), tr(c->trouble[lane].text));
                        return;
                }
        if (c->stage == CYCLE_RESTS)
                headline_rests(ret, v);
        else
                headline_works(ret, v);
}
