/* SPDX-License-Identifier: MIT */

#include "daemon/report.h"

#include "lib/base/log.h"
#include "lib/yadisk/verdict.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define REPORT_TROUBLE_STAYS_MS 60000
#define REPORT_TROUBLE_AGAIN_MS 300000
#define REPORT_WAIT_LONG_MS 60000

void report_begin(struct report *r)
{
        r->failed = false;
}

void report_end(struct report *r)
{
        if (!r->failed)
                *r->said = '\0';
}

void report_error(struct report *r, enum event event, const struct event_about *about,
                  const char *fmt, ...)
{
        char text[2048];
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vsnprintf(text, sizeof(text), tr(fmt), ap);
        va_end(ap);
        r->failed = true;
        if (n < 0 || str_eq(text, r->said))
                return;
        str_copy(r->said, sizeof(r->said), text);
        event_say(event, about, "%s", text);
}

static const char *report_trouble_what(enum engine_lane lane, const struct verdict *v)
{
        switch (lane) {
        case ENGINE_UPLOAD:
                return N_("uploads do not get through");
        case ENGINE_ANY:
        case ENGINE_CHANGE:
        case ENGINE_LANES:
                break;
        }
        return v->text;
}

static void report_trouble_begins(enum engine_lane lane, const struct outcome *in, int64_t wait_ms)
{
        _cleanup_(str_finish) struct str why = STR_NULL(1024);
        _cleanup_(str_finish) struct str when = STR_NULL(512);
        _cleanup_(str_finish) struct str span = STR_NULL(64);
        struct verdict v = verdict(in);
        struct event_about about = {.http_status = in->kind == OUTCOME_HTTP ? in->status : 0};

        if (in->kind == OUTCOME_HTTP)
                str_addf(&why, "HTTP %d%s%s", in->status, *v.description ? ": " : "",
                         v.description);
        else
                str_add_printable(&why, in->text ? in->text : tr("no answer"));
        if (in->kind == OUTCOME_FAULT && in->fault == HTTP_FAULT_TLS)
                str_adds(&when, strstr(str_z(&why), "expired") || strstr(str_z(&why), "not yet")
                                        ? tr("nothing was sent to it; is the clock of this machine right? ")
                                        : tr("nothing was sent to it; "));
        if (wait_ms > REPORT_WAIT_LONG_MS) {
                str_add_span(&span, wait_ms);
                str_addf(&when, tr("it asks to wait %s"), str_z(&span));
        } else if (in->status == 429) {
                str_adds(&when, tr("going on more slowly"));
        } else {
                str_adds(&when, tr("trying again, at least once a minute"));
        }
        about.reason = str_z(&why);
        event_say(EVENT_TROUBLE, &about, "%s (%s); %s%s", tr(report_trouble_what(lane, &v)),
                  str_z(&why), str_z(&when),
                  lane == ENGINE_UPLOAD ? tr("; everything else goes on") : "");
}

void report_trouble(struct report *r, enum engine_lane lane, const struct outcome *in,
                    int64_t wait_ms, int64_t now_ms)
{
        bool stays;

        if (wait_ms == 0) {
                if (r->trouble[lane].said)
                        event_say(EVENT_TROUBLE_OVER, NULL,
                                  lane == ENGINE_UPLOAD ? N_("uploads get through again")
                                                        : N_("the service works again"));
                r->trouble[lane].on = r->trouble[lane].said = false;
                return;
        }
        if (!r->trouble[lane].on)
                r->trouble[lane].since_ms = now_ms;
        r->trouble[lane].on = true;
        stays = now_ms - r->trouble[lane].since_ms >= REPORT_TROUBLE_STAYS_MS;
        if (!r->trouble[lane].said &&
            (stays || r->trouble[lane].said_ms == 0 ||
             now_ms - r->trouble[lane].said_ms >= REPORT_TROUBLE_AGAIN_MS)) {
                r->trouble[lane].said = true;
                r->trouble[lane].said_ms = now_ms;
                report_trouble_begins(lane, in, wait_ms);
        }
        log_debug("nothing gets through; the next try in %.1f s", (double)wait_ms / 1000);
}

void report_halted(struct report *r, const struct tally *t, const struct config *config)
{
        struct event_about about = {.reason = t->text};

        if (!t->halted)
                return;
        switch (t->end) {
        case END_REFUSED:
                if (t->renewable) /* whoever can do something about it will try, and say how it went */
                        return;
                if (config->signed_in) {
                        report_error(r, EVENT_TOKEN_REFUSED, &about,
                                     "stopped: %s.  Sign in again with `ydsync login`", t->text);
                        return;
                }
                report_error(r, EVENT_TOKEN_REFUSED, &about,
                             "stopped: %s.  Get a new token and write it as YANDEX_TOKEN in %s",
                             t->text, config->file ? config->file : tr("the .env file"));
                return;
        case END_STORE:
                report_error(r, EVENT_STATE_FAILED, &about,
                             "stopped: the snapshot cannot be written: %s", t->text);
                return;
        case END_DONE:
        case END_NOTHING:
        case END_CHANGED:
        case END_LATER:
        case END_STUCK:
        case END_FOREIGN:
        case END_FULL:
                break;
        }
        /* The same words whatever was heard last: it has been said, and may change every minute. */
        report_error(r, EVENT_SERVICE_AWAY, &about,
                     "stopped: the service does not work for now; what is left is done when it "
                     "does");
}

bool report_pause(struct quota *q)
{
        _cleanup_(str_finish) struct str when = STR_NULL(64);
        struct event_about about = {0};

        if (quota_pass_ended(q)) {
                event_say(EVENT_UPLOADS_RESUMED, NULL, "uploads go on again");
                return true;
        }
        if (!quota_unsaid(q))
                return false;
        str_add_span(&when, q->next_ms - (int64_t)(uv_hrtime() / 1000000));
        about.reason = q->pause == QUOTA_NO_ROOM ? N_("the Disk has no room for what is left")
                                                 : N_("the account's upload allowance is used up");
        event_say(EVENT_UPLOADS_PAUSED, &about,
                  "uploads are still paused: %s; next try in %s; everything else goes on",
                  tr(about.reason), str_z(&when));
        return false;
}

void report_held(struct report *r, const struct plan_totals *totals, const char *id)
{
        struct event_about about = {.op = "remove", .reason = id};

        report_error(r, EVENT_HELD, &about,
                     "HELD: %" PRIu64 " of %" PRIu64 " known entries are gone here, more than "
                     "YDSYNC_MAX_DELETE allows at once; nothing is removed from the cloud until you "
                     "run: ydsync approve %s",
                     totals->drops, totals->drops + totals->seen_files + totals->seen_dirs, id);
}

bool report_wrong(struct failures *f, const char *root, const struct entry *e)
{
        _cleanup_(str_finish) struct str name = STR_NULL(65536);
        _cleanup_(str_finish) struct str when = STR_NULL(64);
        struct failure_told told = failures_wrong(f, e, (int64_t)(uv_hrtime() / 1000000));
        struct event_about about = {
                .op = "verify", .path = e->key, .root = root, .bytes = &e->size};

        if (told.times == 1)
                return true;
        str_add_printable(&name, e->key);
        str_add_span(&when, told.delay_ms);
        if (told.times == 2 || told.say != FAILURE_QUIET)
                event_say(EVENT_ARRIVED_WRONG, &about,
                          "%s was sent %u times and is not in the cloud as it was sent; next try "
                          "in %s, or when it changes",
                          str_z(&name), told.times, str_z(&when));
        return false;
}

static void report_unseen(const struct event_about *about, const char *name)
{
        if (about->err == ELOOP)
                event_say(EVENT_UNSEEN, about,
                          "%s is no longer a regular file or folder; its copy in the cloud stays",
                          name);
        else if (about->err == EXDEV)
                event_say(EVENT_UNSEEN, about,
                          "%s stands on another device than before; nothing below it is removed "
                          "from the cloud",
                          name);
        else
                event_say(EVENT_UNSEEN, about,
                          "cannot see %s: %s; nothing there is removed from the cloud", name,
                          strerror(about->err));
}

static void report_note(struct failures *f, const char *root, const struct scan_note *note)
{
        _cleanup_(str_finish) struct str name = STR_NULL(65536);
        struct event_about about = {
                .op = "scan", .path = note->key, .root = root, .err = note->err};

        if (!failures_remark(f, note->key, note->note << 16 | note->err))
                return;
        if (*note->key)
                str_add_printable(&name, note->key);
        else
                str_adds(&name, tr("the watched folder"));
        switch (note->note) {
        case PLAN_NOTE_UNFIT:
                about.reason = note->why;
                event_say(EVENT_NAME_UNFIT, &about, "left alone: %s: %s", str_z(&name),
                          tr(note->why));
                return;
        case PLAN_NOTE_HIDDEN:
                event_say(EVENT_UNREADABLE, &about,
                          "cannot read %s: %s; it is mirrored once it can be read", str_z(&name),
                          strerror(note->err));
                return;
        case PLAN_NOTE_UNSEEN:
                report_unseen(&about, str_z(&name));
                return;
        }
}

void report_notes(struct failures *f, const char *root, const struct scan_result *scan,
                  const struct stir *looked)
{
        failures_remarks_begin(f, looked);
        for (size_t i = 0; i < scan->n_notes; i++)
                report_note(f, root, &scan->notes[i]);
        failures_remarks_end(f);
        if (scan->more_notes > 0)
                event_say(EVENT_AND_MORE, NULL,
                          trn("and %" PRIu64 " more such entry", "and %" PRIu64 " more such entries",
                              scan->more_notes),
                          scan->more_notes);
}

/* "3 uploaded (1.2 MB), 1 removed": only what there was.  `fmt` is for `n` alone. */
static void report_count(struct str *s, uint64_t n, const char *fmt, ...) _printf_(3, 4);

static void report_count(struct str *s, uint64_t n, const char *fmt, ...)
{
        char text[256];
        va_list ap;

        if (n == 0)
                return;
        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), tr(fmt), ap);
        va_end(ap);
        str_addf(s, "%s%s", s->len > 0 ? ", " : "", text);
}

/* Silent when a pass found nothing to do. */
void report_summary(const struct tally *t, uint64_t api_calls)
{
        _cleanup_(str_finish) struct str s = STR_NULL(4096);

        report_count(&s, t->uploaded, "%" PRIu64 " uploaded", t->uploaded);
        if (t->uploaded > 0) {
                str_adds(&s, " (");
                str_add_size(&s, t->uploaded_bytes);
                str_adds(&s, ")");
        }
        report_count(&s, t->made,
                     trn("%" PRIu64 " folder made", "%" PRIu64 " folders made", t->made), t->made);
        report_count(&s, t->moved, "%" PRIu64 " moved", t->moved);
        report_count(&s, t->removed, "%" PRIu64 " removed", t->removed);
        report_count(&s, t->adopted, "%" PRIu64 " found in the cloud already", t->adopted);
        report_count(&s, t->foreign, "%" PRIu64 " of somebody else left alone", t->foreign);
        report_count(&s, t->later + t->stuck, "%" PRIu64 " failed", t->later + t->stuck);
        report_count(&s, t->awaiting,
                     "%" PRIu64 " put off: what was interrupted there may still end",
                     t->awaiting);
        if (s.len == 0)
                return;
        report_count(&s, t->waiting, "%" PRIu64 " failing ones wait for their next try", t->waiting);
        report_count(&s, t->skipped, "%" PRIu64 " not tried", t->skipped);
        event_say(EVENT_PASS_DONE, &(struct event_about){.bytes = &t->uploaded_bytes},
                  trn("pass done: %s; %" PRIu64 " API call", "pass done: %s; %" PRIu64 " API calls",
                      api_calls),
                  str_z(&s), api_calls);
}
