/* SPDX-License-Identifier: MIT */

#include "daemon/headline.h"

#include <inttypes.h>
#include <time.h>

static void headline_count(struct str *s, uint64_t n, const char *one, const char *many)
{
        str_addf(s, "%" PRIu64 " %s", n, n == 1 ? one : many);
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
        str_addf(s, ", next look at %s", text);
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
                str_adds(s, "held: ");
                headline_count(s, c->plan.drops, "removal", "removals");
                str_addf(s, ", `ydsync approve %s` lets them go", c->held);
                return;
        }
        if (v->left)
                str_adds(s, "some work is left; see the log: ");
        else
                str_adds(s, "everything is mirrored: ");
        headline_count(s, c->known.files, "file", "files");
        str_adds(s, " in ");
        headline_count(s, c->known.dirs, "folder", "folders");
        if (failing > 0)
                str_addf(s, ", %zu failing", failing);
        headline_next(s, v);
}

static void headline_sends(struct str *s, const struct mirror_view *v)
{
        const struct cycle_view *c = v->cycle;

        str_addf(s, "uploading: %" PRIu64 " of ", c->tally.puts_over);
        headline_count(s, c->plan.puts, "file", "files");
        str_adds(s, ", ");
        str_add_size(s, speed_rate(&v->speed));
        str_adds(s, "/s");
}

static void headline_works(struct str *s, const struct mirror_view *v)
{
        const struct cycle_view *c = v->cycle;

        switch (c->stage) {
        case CYCLE_RESTS:
                break;
        case CYCLE_PREPARES:
        case CYCLE_SCANS:
                str_adds(s, "looking through the folder");
                break;
        case CYCLE_LISTS:
                str_adds(s, "listing the cloud folder");
                break;
        case CYCLE_MOVES:
                str_adds(s, "moving what was moved here");
                break;
        case CYCLE_SENDS:
                headline_sends(s, v);
                break;
        case CYCLE_VERIFIES:
                str_adds(s, "comparing what has arrived");
                break;
        case CYCLE_REMOVES:
                str_addf(s, "removing: %" PRIu64 " of %" PRIu64, c->tally.removed, c->plan.drops);
                break;
        case CYCLE_AUDITS:
                str_adds(s, "comparing the cloud with the snapshot");
                break;
        }
}

void headline(struct str *ret, const struct mirror_view *v)
{
        const struct cycle_view *c = v->cycle;

        if (v->paused || !c) {
                str_adds(ret, v->paused ? "paused" : "taking over another configuration");
                return;
        }
        for (int lane = ENGINE_ANY; lane < ENGINE_LANES; lane++)
                if (c->trouble[lane].on) {
                        str_addf(ret, "waiting: %s", c->trouble[lane].text);
                        return;
                }
        if (c->stage == CYCLE_RESTS)
                headline_rests(ret, v);
        else
                headline_works(ret, v);
}
