/* SPDX-License-Identifier: MIT */

#include "daemon/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define STATUS_PATHS 100 /* failing ones that are named */

/* ---- values -> JSON --------------------------------------------------------------------------- */

static void status_number(cJSON *o, const char *key, uint64_t n)
{
        cJSON_AddNumberToObject(o, key, (double)n);
}

/* Text that may come from anywhere: JSON is UTF-8. */
static void status_words(cJSON *o, const char *key, const char *text)
{
        _cleanup_(str_finish) struct str s = STR_NULL(65536);

        str_add_printable(&s, text);
        cJSON_AddStringToObject(o, key, str_z(&s));
}

/* Wall clock, as RFC 3339 has it. */
static void status_time(cJSON *o, const char *key, int64_t ms)
{
        time_t seconds = (time_t)(ms / 1000);
        char text[64];
        struct tm tm;

        if (!gmtime_r(&seconds, &tm))
                return;
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
        cJSON_AddStringToObject(o, key, text);
}

static int64_t status_wall_ms(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_REALTIME, &ts);
        return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t status_steady_ms(void)
{
        return (int64_t)(uv_hrtime() / 1000000);
}

/* Whole seconds until then, none when it has passed. */
static void status_until(cJSON *o, const char *key, int64_t then_ms)
{
        int64_t left = then_ms - status_steady_ms();

        cJSON_AddNumberToObject(o, key, left > 0 ? (double)((left + 999) / 1000) : 0);
}

static const char *status_stage(enum cycle_stage stage)
{
        switch (stage) {
        case CYCLE_RESTS:
                return N_("idle");
        case CYCLE_LISTS:
                return N_("listing");
        case CYCLE_PREPARES:
        case CYCLE_SCANS:
                return N_("scanning");
        case CYCLE_MOVES:
                return N_("moving");
        case CYCLE_SENDS:
                return N_("uploading");
        case CYCLE_VERIFIES:
                return N_("verifying");
        case CYCLE_REMOVES:
                return N_("removing");
        case CYCLE_AUDITS:
                return N_("auditing");
        }
        return "";
}

/* The widest lane that does not work; ENGINE_LANES: all do. */
static enum engine_lane status_trouble(const struct cycle_view *c)
{
        enum engine_lane lane = ENGINE_ANY;

        while (lane < ENGINE_LANES && !c->trouble[lane].on)
                lane++;
        return lane;
}

static const char *status_state(const struct mirror_view *v)
{
        const struct cycle_view *c = v->cycle;

        if (v->paused || !c)
                return N_("paused");
        if (status_trouble(c) < ENGINE_LANES)
                return N_("waiting");
        if (c->stage != CYCLE_RESTS)
                return status_stage(c->stage);
        if (*c->error)
                return c->tally.halted && c->tally.end == END_LATER ? N_("waiting") : N_("failing");
        return *c->held ? N_("held") : N_("idle");
}

static void status_add_scan(cJSON *o, const struct cycle_view *c)
{
        int64_t ago_ms;
        cJSON *scan;

        if (!c->scan_began_ns)
                return;
        scan = cJSON_AddObjectToObject(o, "last_scan");
        status_time(scan, "at", c->scan_began_ns / 1000000);
        ago_ms = status_wall_ms() - c->scan_began_ns / 1000000;
        cJSON_AddNumberToObject(scan, "ago_seconds", ago_ms > 0 ? (double)(ago_ms / 1000) : 0);
        cJSON_AddNumberToObject(scan, "seconds", c->scan_seconds);
        status_number(scan, "files", c->plan.seen_files);
        status_number(scan, "folders", c->plan.seen_dirs);
}

struct status_transfers {
        cJSON *list;
        uint64_t sent;
};

static void status_add_transfer(void *userdata, const struct entry *file, uint64_t sent)
{
        struct status_transfers *t = userdata;
        cJSON *o = cJSON_CreateObject();

        if (sent > file->size)
                sent = file->size;
        t->sent += sent;
        cJSON_AddStringToObject(o, "path", file->key);
        status_number(o, "bytes", file->size);
        status_number(o, "sent", sent);
        cJSON_AddItemToArray(t->list, o);
}

static void status_add_pass(cJSON *o, const struct mirror_view *v)
{
        const struct cycle_view *c = v->cycle;
        const struct tally *t = &c->tally;
        bool planned = c->stage == CYCLE_RESTS || c->stage >= CYCLE_SENDS;
        struct status_transfers transfers = {.list = cJSON_AddArrayToObject(o, "transfers")};
        uint64_t total = planned ? c->plan.put_bytes : 0, over;
        cJSON *pass;
        int64_t eta;

        engine_transfers(c->engine, status_add_transfer, &transfers);
        over = t->put_bytes_over + transfers.sent;
        over = over < total ? over : total;
        pass = cJSON_AddObjectToObject(o, "pass");
        status_number(pass, "uploads", planned ? c->plan.puts : 0);
        status_number(pass, "uploads_over", t->puts_over);
        status_number(pass, "bytes", total);
        status_number(pass, "bytes_over", over);
        status_number(pass, "uploaded", t->uploaded);
        status_number(pass, "uploaded_bytes", t->uploaded_bytes);
        status_number(pass, "folders_made", t->made);
        status_number(pass, "moved", t->moved);
        status_number(pass, "removed", t->removed);
        status_number(pass, "failed", t->later + t->stuck);
        status_number(pass, "not_tried", t->waiting + t->skipped);
        if (c->stage != CYCLE_SENDS)
                return;
        status_number(o, "speed", speed_rate(&v->speed));
        eta = speed_eta_ms(&v->speed, total - over);
        if (eta >= 0)
                cJSON_AddNumberToObject(o, "eta_seconds", (double)((eta + 999) / 1000));
}

static void status_add_held(cJSON *o, const struct cycle_view *c)
{
        cJSON *held;

        if (!*c->held)
                return;
        held = cJSON_AddObjectToObject(o, "held");
        cJSON_AddStringToObject(held, "id", c->held);
        status_number(held, "removals", c->plan.drops);
        status_number(held, "of", c->plan.drops + c->plan.seen_files + c->plan.seen_dirs);
}

static void status_add_quota(cJSON *o, const struct quota *q)
{
        cJSON *paused;

        if (q->pause == QUOTA_OPEN)
                return;
        paused = cJSON_AddObjectToObject(o, "uploads_paused");
        cJSON_AddStringToObject(paused, "why",
                                q->pause == QUOTA_NO_ROOM
                                        ? N_("there is no room on the Disk")
                                        : N_("the upload allowance of the account is used up"));
        if (q->pause == QUOTA_NO_ROOM && !q->blind)
                status_number(paused, "room", q->room);
        status_until(paused, "next_try_seconds", q->next_ms);
}

static void status_add_trouble(cJSON *o, const struct cycle_view *c)
{
        enum engine_lane lane = status_trouble(c);
        cJSON *trouble;

        if (lane == ENGINE_LANES)
                return;
        trouble = cJSON_AddObjectToObject(o, "trouble");
        status_words(trouble, "why", c->trouble[lane].text);
        cJSON_AddBoolToObject(trouble, "uploads_only", lane == ENGINE_UPLOAD);
        status_until(trouble, "next_try_seconds", c->trouble[lane].until_ms);
}

struct status_failing {
        struct failure_view paths[STATUS_PATHS];
        size_t n;
};

static bool status_gather(void *userdata, const struct failure_view *v)
{
        struct status_failing *f = userdata;

        if (f->n == STATUS_PATHS)
                return false;
        f->paths[f->n++] = *v;
        return true;
}

static int status_failure_cmp(const void *a, const void *b)
{
        const struct failure_view *x = a, *y = b;

        return entry_key_cmp(x->key, y->key);
}

static void status_add_failing(cJSON *o, const struct failures *failures)
{
        struct status_failing f = {.n = 0};
        cJSON *list;

        status_number(o, "failing", failures_count(failures));
        list = cJSON_AddArrayToObject(o, "failing_paths");
        failures_each(failures, status_gather, &f);
        qsort(f.paths, f.n, sizeof(*f.paths), status_failure_cmp);
        for (size_t i = 0; i < f.n; i++) {
                cJSON *one = cJSON_CreateObject();

                cJSON_AddStringToObject(one, "path", f.paths[i].key);
                status_words(one, "why", f.paths[i].text);
                status_number(one, "times", f.paths[i].times);
                status_until(one, "next_try_seconds", f.paths[i].next_ms);
                cJSON_AddItemToArray(list, one);
        }
}

static void status_add_cycle(cJSON *o, const struct mirror_view *v)
{
        const struct cycle_view *c = v->cycle;
        cJSON *known = cJSON_AddObjectToObject(o, "mirrored");

        status_number(known, "files", c->known.files);
        status_number(known, "folders", c->known.dirs);
        status_number(known, "bytes", c->known.bytes);
        status_add_scan(o, c);
        status_add_pass(o, v);
        status_add_held(o, c);
        status_add_quota(o, c->quota);
        status_add_trouble(o, c);
        status_add_failing(o, c->failures);
        if (*c->error)
                status_words(o, "problem", c->error);
}

char *status_json(const struct mirror_view *v, const char *socket)
{
        cJSON *o = cJSON_CreateObject();
        char *text;

        cJSON_AddStringToObject(o, "version", YDSYNC_VERSION);
        cJSON_AddNumberToObject(o, "pid", getpid());
        status_words(o, "socket", socket);
        cJSON_AddStringToObject(o, "state", status_state(v));
        status_words(o, "folder", v->config->folder);
        status_words(o, "cloud", v->config->cloud);
        status_words(o, "state_dir", v->config->state_dir);
        status_time(o, "since", v->began_ms);
        status_time(o, "now", status_wall_ms());
        if (v->next_ms >= 0)
                status_until(o, "next_scan_seconds", v->next_ms);
        if (v->cycle)
                status_add_cycle(o, v);
        text = cJSON_PrintUnformatted(o);
        cJSON_Delete(o);
        return text;
}

/* ---- JSON -> text ----------------------------------------------------------------------------- */

static const cJSON *status_at(const cJSON *o, const char *key)
{
        return cJSON_GetObjectItemCaseSensitive(o, key);
}

static uint64_t status_n(const cJSON *o, const char *key)
{
        double n = cJSON_GetNumberValue(status_at(o, key));

        return n > 0 && n < 1e18 ? (uint64_t)n : 0;
}

static const char *status_s(const cJSON *o, const char *key)
{
        const char *s = cJSON_GetStringValue(status_at(o, key));

        return s ? s : "";
}

static void status_row(struct str *s, const char *name)
{
        str_add_padded(s, *name ? tr(name) : "", 11);
}

/* A reason, of which the part before what the service said can be looked up. */
static void status_why(struct str *s, const char *why)
{
        const char *detail = strstr(why, " (");
        _cleanup_(freep) char *head = strndup(why, detail ? (size_t)(detail - why) : strlen(why));

        str_add_printable(s, head ? tr(head) : why);
        if (head && detail)
                str_add_printable(s, detail);
}

static void status_amount(struct str *s, uint64_t seconds)
{
        if (seconds < 120)
                str_addf(s, tr("%u s"), (unsigned)seconds);
        else
                str_add_span(s, (int64_t)(seconds < INT32_MAX ? seconds : INT32_MAX) * 1000);
}

static void status_span(struct str *s, const cJSON *o, const char *key)
{
        uint64_t seconds = status_n(o, key);

        str_adds(s, seconds == 0 ? tr("now") : tr("in "));
        if (seconds > 0)
                status_amount(s, seconds);
}

static void status_text_mirrored(struct str *s, const cJSON *o)
{
        const cJSON *known = status_at(o, "mirrored");

        if (!known)
                return;
        status_row(s, N_("mirrored"));
        str_addf(s, tr("%" PRIu64 " files in %" PRIu64 " folders, "), status_n(known, "files"),
                 status_n(known, "folders"));
        str_add_size(s, status_n(known, "bytes"));
        str_addc(s, '\n');
}

static void status_text_scans(struct str *s, const cJSON *o)
{
        const cJSON *scan = status_at(o, "last_scan");

        if (scan) {
                status_row(s, N_("last scan"));
                status_amount(s, status_n(scan, "ago_seconds"));
                str_addf(s, tr(" ago, took %.2f s\n"),
                         cJSON_GetNumberValue(status_at(scan, "seconds")));
        }
        if (status_at(o, "next_scan_seconds")) {
                status_row(s, N_("next scan"));
                status_span(s, o, "next_scan_seconds");
                str_addc(s, '\n');
        }
}

static void status_text_transfers(struct str *s, const cJSON *o)
{
        const cJSON *t;

        cJSON_ArrayForEach(t, status_at(o, "transfers"))
        {
                uint64_t bytes = status_n(t, "bytes"), sent = status_n(t, "sent");

                str_addf(s, "  %3u %%  ", bytes ? (unsigned)((double)sent * 100 / (double)bytes) : 0);
                str_add_printable(s, status_s(t, "path"));
                str_adds(s, " (");
                str_add_size(s, bytes);
                str_adds(s, ")\n");
        }
}

static void status_text_progress(struct str *s, const cJSON *o)
{
        const cJSON *pass = status_at(o, "pass");

        if (!status_at(o, "speed") || status_n(pass, "uploads") == 0)
                return;
        status_row(s, N_("uploads"));
        str_addf(s, tr("%" PRIu64 " of %" PRIu64 " files, "), status_n(pass, "uploads_over"),
                 status_n(pass, "uploads"));
        str_add_size(s, status_n(pass, "bytes_over"));
        str_adds(s, tr(" of "));
        str_add_size(s, status_n(pass, "bytes"));
        str_adds(s, ", ");
        str_add_size(s, status_n(o, "speed"));
        str_adds(s, tr("/s"));
        if (status_at(o, "eta_seconds")) {
                str_adds(s, tr(", done "));
                status_span(s, o, "eta_seconds");
        }
        str_addc(s, '\n');
        status_text_transfers(s, o);
}

static void status_text_held(struct str *s, const cJSON *o)
{
        const cJSON *held = status_at(o, "held");

        if (!held)
                return;
        status_row(s, N_("held"));
        str_addf(s, tr("%" PRIu64 " of %" PRIu64
                       " known entries are gone here; they stay in the cloud\n"),
                 status_n(held, "removals"), status_n(held, "of"));
        status_row(s, "");
        str_addf(s, tr("until you run: ydsync approve %.32s\n"), status_s(held, "id"));
}

static void status_text_troubles(struct str *s, const cJSON *o)
{
        const cJSON *trouble = status_at(o, "trouble"), *paused = status_at(o, "uploads_paused");

        if (trouble) {
                status_row(s, cJSON_IsTrue(status_at(trouble, "uploads_only")) ? N_("uploads")
                                                                              : N_("service"));
                status_why(s, status_s(trouble, "why"));
                str_adds(s, tr("; next try "));
                status_span(s, trouble, "next_try_seconds");
                str_addc(s, '\n');
        }
        if (paused) {
                status_row(s, N_("uploads"));
                str_addf(s, tr("paused: %s; next try "), tr(status_s(paused, "why")));
                status_span(s, paused, "next_try_seconds");
                str_addc(s, '\n');
        }
        if (status_at(o, "problem")) {
                status_row(s, N_("problem"));
                str_add_printable(s, status_s(o, "problem"));
                str_addc(s, '\n');
        }
}

static void status_text_failing(struct str *s, const cJSON *o)
{
        const cJSON *f;

        if (status_n(o, "failing") == 0)
                return;
        status_row(s, N_("failing"));
        str_addf(s, "%" PRIu64 "\n", status_n(o, "failing"));
        cJSON_ArrayForEach(f, status_at(o, "failing_paths"))
        {
                str_adds(s, "  ");
                str_add_printable(s, status_s(f, "path"));
                str_adds(s, ": ");
                status_why(s, status_s(f, "why"));
                str_addf(s,
                         trn("; tried %" PRIu64 " time, next try ",
                             "; tried %" PRIu64 " times, next try ", status_n(f, "times")),
                         status_n(f, "times"));
                status_span(s, f, "next_try_seconds");
                str_addc(s, '\n');
        }
}

void status_text(struct str *ret, const cJSON *status)
{
        status_row(ret, N_("state"));
        str_addf(ret, "%s\n", tr(status_s(status, "state")));
        status_row(ret, N_("folder"));
        str_add_printable(ret, status_s(status, "folder"));
        str_addc(ret, '\n');
        status_row(ret, N_("cloud"));
        str_add_printable(ret, status_s(status, "cloud"));
        str_addc(ret, '\n');
        status_text_mirrored(ret, status);
        status_text_scans(ret, status);
        status_text_progress(ret, status);
        status_text_held(ret, status);
        status_text_troubles(ret, status);
        status_text_failing(ret, status);
}
