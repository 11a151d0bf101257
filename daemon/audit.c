/* SPDX-License-Identifier: MIT */

/*
 *                 ┌──────────────────────────── more folders ◀────────────┐
 *                 ▼                                                       │
 *   slice ─▶ next folders ─▶ look ─▶ how much is lost? ─▶ brake ─▶ mend ─▶ note the place
 *     │                                                     └─▶ wait for a second look
 *     └───▶ take what was read ─▶ mark ─▶ note the place ─▶ read the next files (on the pool)
 *
 * Looking comes before mending so that the brake knows the numbers before anything is forgotten;
 * what is mended is listed a second time, and looked at for a while.
 */

#include "daemon/audit_impl.h"

#include "lib/core/flow_write.h"

#include <stdio.h>
#include <time.h>

#define AUDIT_SLICE_MS 10000
#define AUDIT_AT_MAX 60000 /* a longer key is not noted as the place: a fact has its bounds */

/* ---- small tools ----------------------------------------------------------------------------- */

int64_t audit_now(const struct audit *a)
{
        return (int64_t)uv_now(a->args.loop);
}

static int64_t audit_wall_ms(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_REALTIME, &ts);
        return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void audit_stamp(char ret[24])
{
        snprintf(ret, 24, "%" PRId64, audit_wall_ms());
}

int64_t audit_scaled(const struct audit *a, int64_t ms)
{
        int64_t quarter = a->args.config->audit_ms / 4;

        return quarter > 0 && quarter < ms ? quarter : ms;
}

void audit_ended(struct audit *a)
{
        if (a->stopping && audit_idle(a))
                a->args.idle(a->args.userdata);
}

static void audit_job_work(uv_work_t *work)
{
        struct audit *a = CONTAINER_OF(work, struct audit, work);

        a->job(a);
}

static void audit_job_done(uv_work_t *work, int status _unused_)
{
        struct audit *a = CONTAINER_OF(work, struct audit, work);

        a->working = false;
        if (a->stopping)
                audit_ended(a);
        else
                a->after(a);
}

void audit_job(struct audit *a, void (*job)(struct audit *a),
                      void (*after)(struct audit *a))
{
        a->job = job;
        a->after = after;
        a->result = 0;
        a->err = ERR_NONE;
        a->working = true;
        uv_queue_work(a->args.loop, &a->work, audit_job_work, audit_job_done);
}

void audit_forget_round(struct audit *a)
{
        entry_list_finish(&a->folders);
        entry_list_finish(&a->gone);
        a->size_gone = 0;
        for (size_t i = 0; i < a->n_suspects; i++)
                free(a->suspects[i].key);
        a->n_suspects = a->next = a->n_mended = 0;
}

void audit_move(struct audit *a, const char *key)
{
        free(a->at);
        a->at = str_dup(key);
}

void audit_leave(struct audit *a)
{
        struct err err = a->err;
        int r = a->result;

        audit_forget_round(a);
        a->result = 0;
        a->done(a->userdata, r, &err);
}

void audit_no_memory(struct audit *a)
{
        a->result = err_set(&a->err, ENOMEM, "no memory");
        audit_leave(a);
}

/* ---- noting the place ------------------------------------------------------------------------ */

void audit_write(struct audit *a, const struct record *records, size_t n, engine_done after)
{
        struct flow_end end = {.kind = END_STORE, .text = "no memory"};

        if (engine_start(a->args.engine, flow_write(records, n), after, a) < 0)
                after(a, NULL, &end);
}

void audit_note(struct audit *a, engine_done after)
{
        _cleanup_(str_finish) struct str at = STR_NULL(AUDIT_AT_MAX + 16);
        struct record record = {.verb = RECORD_META, .name = AUDIT_AT};

        str_adds(&at, a->part == PART_CLOUD ? AUDIT_AT_BEGINNING : "read");
        if (a->at && strlen(a->at) <= AUDIT_AT_MAX) {
                str_addc(&at, ' ');
                str_adds(&at, a->at);
        }
        record.value = str_z(&at);
        audit_write(a, &record, 1, after);
}

static void audit_parse_at(struct audit *a, const char *at)
{
        const char *space = strchr(at, ' ');

        a->part = str_starts(at, "read") ? PART_READ : PART_CLOUD;
        if (space)
                audit_move(a, space + 1);
}

void audit_noted(void *userdata, struct flow *flow _unused_, const struct flow_end *end)
{
        struct audit *a = userdata;

        tally_end(a->tally, a->args.engine, end);
        audit_go_on(a);
}

void audit_go_on(struct audit *a)
{
        audit_forget_round(a);
        if (a->tally->halted || (!a->whole && audit_now(a) >= a->end_ms))
                audit_leave(a);
        else if (a->part == PART_CLOUD)
                audit_round(a);
        else
                audit_read(a);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void audit_over(struct audit *a)
{
        a->under_way = a->again;
        a->again = false;
        a->alarm_ms = 0;
        a->left = a->counts.unlisted + a->counts.unreadable;
        a->part = PART_CLOUD;
        a->counts = (struct audit_counts){0};
        free(a->at);
        a->at = NULL;
        a->due_ms = audit_now(a) + a->args.config->audit_ms;
}

static void audit_end_noted(void *userdata, struct flow *flow _unused_, const struct flow_end *end)
{
        struct audit *a = userdata;

        tally_end(a->tally, a->args.engine, end);
        if (!a->tally->halted) {
                audit_say_end(a);
                audit_over(a);
        }
        audit_leave(a);
}

void audit_finish(struct audit *a)
{
        char now[24];
        struct record records[] = {
                {.verb = RECORD_META, .name = "audit.last", .value = now},
                {.verb = RECORD_META, .name = AUDIT_AT},
                {.verb = RECORD_META, .name = "audit.alarm"},
        };

        audit_stamp(now);
        audit_write(a, records, ARRAY_SIZE(records), audit_end_noted);
}

/* ---- when ------------------------------------------------------------------------------------ */

/* How long ago, by the wall clock; INT64_MAX when that was never or is to come. */
static int64_t audit_ago(const char *stamp)
{
        char *end;
        int64_t when, now = audit_wall_ms();

        if (!stamp)
                return INT64_MAX;
        errno = 0;
        when = strtoll(stamp, &end, 10);
        if (errno || *end || when < 0 || when > now)
                return INT64_MAX;
        return now - when;
}

void audit_recall(struct audit *a, const char *last, const char *at, const char *alarm)
{
        int64_t ago = audit_ago(last), wait = audit_scaled(a, AUDIT_ALARM_MS);

        if (a->recalled)
                return;
        a->recalled = true;
        a->due_ms = audit_now(a) + (ago < a->args.config->audit_ms ? a->args.config->audit_ms - ago : 0);
        if (at) {
                a->under_way = true;
                audit_parse_at(a, at);
        }
        if (alarm) {
                ago = audit_ago(alarm);
                a->under_way = true;
                a->alarm_ms = audit_now(a) + (ago < wait ? wait - ago : 0);
                a->alarm_ms += a->alarm_ms == 0;
        }
}

void audit_was_made(struct audit *a)
{
        a->recalled = true;
        audit_over(a);
}

void audit_demand(struct audit *a)
{
        if (a->part == PART_READ) {
                a->again = true;
                return;
        }
        a->under_way = true;
        a->recalled = true; /* where the one before was is of no matter */
        free(a->at);
        a->at = NULL;
}

void audit_begin(struct audit *a)
{
        a->counts = (struct audit_counts){0};
        audit_demand(a);
}

bool audit_under_way(const struct audit *a)
{
        return a->under_way;
}

struct audit_found audit_found(const struct audit *a)
{
        const struct audit_counts *c = &a->counts;

        return (struct audit_found){.folders = c->folders,
                                    .missing = c->missing,
                                    .changed = c->changed,
                                    .lost = c->lost,
                                    .foreign = c->foreign,
                                    .unlisted = c->unlisted};
}

bool audit_wanted(const struct audit *a)
{
        if (a->under_way)
                return true;
        return a->args.config->audit_ms > 0 && audit_now(a) >= a->due_ms;
}

bool audit_complete(const struct audit *a)
{
        return a->left == 0 && a->counts.unlisted == 0 && a->counts.unreadable == 0 &&
               a->alarm_ms <= audit_now(a);
}

void audit_slice(struct audit *a, int root_fd, bool whole, struct tally *tally, audit_done done,
                 void *userdata)
{
        int64_t half = a->args.config->period_ms / 2;

        a->root_fd = root_fd;
        a->whole = whole;
        a->tally = tally;
        a->done = done;
        a->userdata = userdata;
        a->under_way = true;
        a->err = ERR_NONE;
        a->result = 0;
        a->end_ms = audit_now(a) + (half > AUDIT_SLICE_MS ? half : AUDIT_SLICE_MS);
        if (a->alarm_ms > audit_now(a)) {
                audit_leave(a); /* the time of the second look has not come */
        } else if (a->part == PART_CLOUD) {
                audit_round(a);
        } else {
                audit_read(a);
        }
}

/* ---- life ------------------------------------------------------------------------------------ */

struct audit *audit_create(const struct audit_args *args)
{
        struct audit *a = calloc(1, sizeof(*a));

        if (!a)
                return NULL;
        a->args = *args;
        a->reread = REREAD_NULL;
        return a;
}

void audit_stop(struct audit *a)
{
        a->stopping = true;
        if (a->reread.busy)
                reread_stop(&a->reread);
}

bool audit_idle(const struct audit *a)
{
        return !a->working && !a->reread.busy;
}

void audit_destroy(struct audit *a)
{
        if (!a)
                return;
        audit_forget_round(a);
        reread_finish(&a->reread);
        free(a->suspects);
        free(a->at);
        free(a);
}
