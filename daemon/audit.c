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

#include "daemon/audit.h"

#include "daemon/event.h"
#include "daemon/reread.h"
#include "lib/core/flow_write.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define AUDIT_FOLDERS 256        /* a round */
#define AUDIT_FILES 4096         /* read again in one batch, at most */
#define AUDIT_PATIENCE_MS 30000  /* so long the service may show an old state after a change */
#define AUDIT_ALARM_MS 300000    /* until the second look when much is lost */
#define AUDIT_SLICE_MS 10000
#define AUDIT_SAY_MAX 1000       /* lines about single paths, an audit */
#define AUDIT_AT_MAX 60000       /* a longer key is not noted as the place: a fact has its bounds */

enum audit_part { PART_CLOUD, PART_READ };

/* A folder in which something is not as it is known. */
struct suspect {
        char *key;
        size_t n; /* entries right in it, or 1 for itself */
};

struct audit_counts {
        uint64_t folders, missing, changed, foreign, remnants, unlisted;
        uint64_t read, other, unreadable;
        uint64_t lost; /* entries that were forgotten, or would be, with what is below them */
        uint64_t said;
};

struct audit {
        struct audit_args args;

        /* When. */
        bool recalled;
        int64_t due_ms;          /* steady clock */
        bool under_way;
        bool again;              /* another one is to follow at once */
        int64_t alarm_ms;        /* steady clock: the second look may come then; 0: no alarm */

        /* Where. */
        enum audit_part part;
        char *at;                /* the last folder or file that is done; NULL: none yet */
        struct audit_counts counts;
        uint64_t left;           /* what the one before could not compare */

        /* The slice. */
        bool whole;
        int root_fd;
        struct tally *tally;
        int64_t end_ms;
        audit_done done;
        void *userdata;

        /* The round. */
        struct entry_list folders;
        size_t next;             /* of folders */
        unsigned flows;
        bool mending, pumping;
        struct suspect *suspects; /* room for each folder */
        size_t n_suspects, n_mended;
        struct entry_list gone;  /* folders that are missing: KIND_DIR, a listing above has shown it;
                                    KIND_NONE, they were not found themselves */
        size_t size_gone;
        uint64_t known, lost;    /* of the snapshot; in this round */

        struct reread reread;

        /* The job on the pool, if one is under way. */
        uv_work_t work;
        bool working, stopping;
        void (*job)(struct audit *a);
        void (*after)(struct audit *a);
        int result;
        struct err err;
};

static void audit_round(struct audit *a);
static void audit_read(struct audit *a);
static void audit_go_on(struct audit *a);

/* ---- small tools ------------------------------------------------------------------------------ */

static int64_t audit_now(const struct audit *a)
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

/* Who audits every few seconds looks again soon enough anyway. */
static int64_t audit_scaled(const struct audit *a, int64_t ms)
{
        int64_t quarter = a->args.config->audit_ms / 4;

        return quarter > 0 && quarter < ms ? quarter : ms;
}

static void audit_ended(struct audit *a)
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

static void audit_job(struct audit *a, void (*job)(struct audit *a),
                      void (*after)(struct audit *a))
{
        a->job = job;
        a->after = after;
        a->result = 0;
        a->err = ERR_NONE;
        a->working = true;
        uv_queue_work(a->args.loop, &a->work, audit_job_work, audit_job_done);
}

static void audit_forget_round(struct audit *a)
{
        entry_list_finish(&a->folders);
        entry_list_finish(&a->gone);
        a->size_gone = 0;
        for (size_t i = 0; i < a->n_suspects; i++)
                free(a->suspects[i].key);
        a->n_suspects = a->next = a->n_mended = 0;
}

static void audit_move(struct audit *a, const char *key)
{
        free(a->at);
        a->at = str_dup(key);
}

/* Ends the slice. */
static void audit_leave(struct audit *a)
{
        struct err err = a->err;
        int r = a->result;

        audit_forget_round(a);
        a->result = 0;
        a->done(a->userdata, r, &err);
}

static void audit_no_memory(struct audit *a)
{
        a->result = err_set(&a->err, ENOMEM, "no memory");
        audit_leave(a);
}

/* ---- what is said ----------------------------------------------------------------------------- */

static bool audit_may_say(struct audit *a)
{
        return a->counts.said++ < AUDIT_SAY_MAX;
}

static void audit_say_find(struct audit *a, const struct audit_find *find)
{
        _cleanup_(str_finish) struct str name = STR_NULL(65536);
        struct event_about about = {
                .op = "audit", .path = find->key, .root = a->args.yadisk->root};

        if (a->args.found) {
                a->args.found(a->args.userdata, find);
                return;
        }
        if (!audit_may_say(a))
                return;
        if (*find->key)
                str_add_printable(&name, find->key);
        else
                str_adds(&name, a->args.yadisk->root);
        switch (find->kind) {
        case AUDIT_MISSING:
                about.reason = "missing";
                event_say(EVENT_DRIFT, &about,
                          find->known == KIND_DIR
                                  ? N_("folder %s is missing in the cloud; it is sent again")
                                  : N_("%s is missing in the cloud; it is sent again"),
                          str_z(&name));
                return;
        case AUDIT_CHANGED:
                about.reason = "changed";
                event_say(EVENT_DRIFT, &about,
                          "%s was changed in the cloud by somebody else; that goes to the Trash, and "
                          "it is sent again",
                          str_z(&name));
                return;
        case AUDIT_RETYPED:
                about.reason = "retyped";
                event_say(EVENT_DRIFT, &about,
                          find->known == KIND_DIR
                                  ? N_("something else stands in the cloud where folder %s was; it "
                                       "is sent again where that can be moved to the Trash")
                                  : N_("something else stands in the cloud where %s was; it is sent "
                                       "again where that can be moved to the Trash"),
                          str_z(&name));
                return;
        }
}

static void audit_say_reread(struct audit *a, const struct entry *file, int result)
{
        _cleanup_(str_finish) struct str name = STR_NULL(65536);
        struct event_about about = {
                .op = "audit", .path = file->key, .root = a->args.yadisk->root};

        str_add_printable(&name, file->key);
        if (result == REREAD_OTHER) {
                if (audit_may_say(a))
                        event_say(EVENT_CONTENT_CHANGED, &about,
                                  "the content of %s is no longer what was sent, although its size "
                                  "and times are; it is compared again and sent",
                                  str_z(&name));
                return;
        }
        if (failures_add(a->args.failures, file, strerror(result), 0, audit_now(a)).say !=
            FAILURE_QUIET) {
                about.err = result;
                event_say(EVENT_UNREADABLE, &about,
                          "cannot read %s again: %s; what is in the cloud stays", str_z(&name),
                          strerror(result));
        }
}

static void audit_say_alarm(const struct audit *a)
{
        event_say(EVENT_AUDIT_WAITS, NULL,
                  "the audit: %" PRIu64 " of %" PRIu64 " known entries are not in %s as they were "
                  "sent.  Nothing is done about it before a second look; if that shows the same, "
                  "they are sent again",
                  a->counts.lost + a->lost, a->known, a->args.yadisk->root);
}

static void audit_say_end(const struct audit *a)
{
        const struct audit_counts *c = &a->counts;
        bool found = c->lost || c->other || c->remnants || c->unlisted || c->unreadable;

        if (c->said > AUDIT_SAY_MAX)
                event_say(EVENT_AND_MORE, NULL,
                          trn("and %" PRIu64 " more such entry", "and %" PRIu64 " more such entries",
                              c->said - AUDIT_SAY_MAX),
                          c->said - AUDIT_SAY_MAX);
        event_say(found ? EVENT_AUDIT_DONE : EVENT_AUDIT_CLEAN, NULL,
                  "audit done: %" PRIu64 " folders listed, %" PRIu64 " files read; %" PRIu64
                  " missing and %" PRIu64 " changed in the cloud (%" PRIu64
                  " entries to be sent again), %" PRIu64 " changed here unseen, %" PRIu64
                  " not known and left alone, %" PRIu64 " could not be compared",
                  c->folders, c->read, c->missing, c->changed, c->lost, c->other, c->foreign,
                  c->unlisted + c->unreadable);
}

/* ---- noting the place ------------------------------------------------------------------------- */

static void audit_write(struct audit *a, const struct record *records, size_t n, engine_done after)
{
        struct flow_end end = {.kind = END_STORE, .text = "no memory"};

        if (engine_start(a->args.engine, flow_write(records, n), after, a) < 0)
                after(a, NULL, &end);
}

static void audit_note(struct audit *a, engine_done after)
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

/* ---- the end ---------------------------------------------------------------------------------- */

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

static void audit_finish(struct audit *a)
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

/* ---- the cloud: mending ----------------------------------------------------------------------- */

static void audit_noted(void *userdata, struct flow *flow _unused_, const struct flow_end *end)
{
        struct audit *a = userdata;

        tally_end(a->tally, a->args.engine, end);
        audit_go_on(a);
}

static void audit_go_on(struct audit *a)
{
        audit_forget_round(a);
        if (a->tally->halted || (!a->whole && audit_now(a) >= a->end_ms))
                audit_leave(a);
        else if (a->part == PART_CLOUD)
                audit_round(a);
        else
                audit_read(a);
}

/* Where it ended early, the rest of the round comes with the next slice. */
static void audit_round_done(struct audit *a)
{
        a->counts.folders += a->next;
        a->counts.lost += a->lost;
        audit_move(a, a->folders.items[a->next - 1].key);
        if (a->args.found)
                audit_go_on(a);
        else
                audit_note(a, audit_noted);
}

static void audit_unlisted(struct audit *a, const char *key, const struct flow_end *end)
{
        _cleanup_(str_finish) struct str name = STR_NULL(65536);
        struct event_about about = {.op = "audit",
                                    .path = key,
                                    .root = a->args.yadisk->root,
                                    .reason = end->reason ? end->reason : end->text,
                                    .http_status = end->status};

        a->counts.unlisted++;
        if (!*end->text || !audit_may_say(a))
                return;
        str_add_printable(&name, *key ? key : a->args.yadisk->root);
        event_say(EVENT_AUDIT_UNLISTED, &about,
                  "the folder %s cannot be compared with the cloud: %s; the next audit tries again",
                  str_z(&name), end->text);
}

static void audit_pump(struct audit *a);
static void audit_fill(struct audit *a, bool mending);

static void audit_mended(void *userdata, struct flow *flow, const struct flow_end *end)
{
        struct audit *a = userdata;
        const struct audit_finds *finds = flow_audit_finds(flow);

        a->flows--;
        tally_end(a->tally, a->args.engine, end);
        if (end->kind != END_DONE && end->kind != END_NOTHING) {
                if (!a->tally->halted)
                        audit_unlisted(a, flow_audit_key(flow), end);
        } else if (end->vanished) {
                a->tally->repaired++;
                for (size_t i = 0; i < finds->n; i++) {
                        a->counts.missing += finds->items[i].kind == AUDIT_MISSING;
                        a->counts.changed += finds->items[i].kind != AUDIT_MISSING;
                        audit_say_find(a, &finds->items[i]);
                }
        }
        audit_pump(a);
}

/* The second look of one that only tells: what is still not as it was sent, is not. */
static void audit_seen_again(void *userdata, struct flow *flow, const struct flow_end *end)
{
        struct audit *a = userdata;
        const struct audit_finds *finds = flow_audit_finds(flow);

        a->flows--;
        tally_end(a->tally, a->args.engine, end);
        if (end->kind == END_CHANGED) {
                for (size_t i = 0; i < finds->n; i++) {
                        a->counts.missing += finds->items[i].kind == AUDIT_MISSING;
                        a->counts.changed += finds->items[i].kind != AUDIT_MISSING;
                        audit_say_find(a, &finds->items[i]);
                }
        } else if (end->kind != END_DONE && end->kind != END_NOTHING && !a->tally->halted) {
                audit_unlisted(a, flow_audit_key(flow), end);
        }
        audit_pump(a);
}

/* ---- the cloud: the brake --------------------------------------------------------------------- */

static void audit_alarm_noted(void *userdata, struct flow *flow _unused_, const struct flow_end *end)
{
        struct audit *a = userdata;

        tally_end(a->tally, a->args.engine, end);
        audit_leave(a);
}

static void audit_raise_alarm(struct audit *a)
{
        char now[24];
        struct record record = {.verb = RECORD_META, .name = "audit.alarm", .value = now};

        audit_stamp(now);
        audit_say_alarm(a);
        a->alarm_ms = audit_now(a) + audit_scaled(a, AUDIT_ALARM_MS);
        audit_write(a, &record, 1, audit_alarm_noted);
}

static void audit_judged(struct audit *a)
{
        const struct config *config = a->args.config;
        uint64_t lost = a->counts.lost + a->lost;
        bool much = lost > config->max_delete && lost * 100 > a->known * config->max_delete_percent;

        if (a->result < 0) {
                audit_leave(a);
        } else if (much && a->alarm_ms == 0 && !a->args.found) {
                audit_raise_alarm(a);
        } else {
                if (!much)
                        a->alarm_ms = 0; /* a false one, or none */
                audit_fill(a, true);
        }
}

/* In tree order; what a listing above has shown to be missing, before what was not found itself. */
static int audit_gone_cmp(const void *a, const void *b)
{
        const struct entry *x = a, *y = b;
        int order = entry_key_cmp(x->key, y->key);

        return order ? order : (x->kind == KIND_NONE) - (y->kind == KIND_NONE);
}

/* Leaves the topmost of what is gone. */
static void audit_gone_top(struct audit *a)
{
        size_t n = 0;

        if (a->gone.n > 1)
                qsort(a->gone.items, a->gone.n, sizeof(*a->gone.items), audit_gone_cmp);
        for (size_t i = 0; i < a->gone.n; i++) {
                const char *top = n > 0 ? a->gone.items[n - 1].key : NULL;
                struct entry *e = &a->gone.items[i];

                if (top && (str_eq(e->key, top) || entry_key_below(e->key, top)))
                        free((char *)e->key);
                else
                        a->gone.items[n++] = *e;
        }
        a->gone.n = n;
}

/* Whether mending a folder above mends this one. */
static bool audit_covered(const struct audit *a, const char *key)
{
        for (size_t i = 0; i < a->gone.n; i++) {
                const struct entry *gone = &a->gone.items[i];

                if (entry_key_below(key, gone->key) ||
                    (gone->kind == KIND_DIR && str_eq(key, gone->key)))
                        return true;
        }
        return false;
}

/* How much is lost, and what is to be mended. */
static void audit_job_judge(struct audit *a)
{
        size_t n = 0;

        a->lost = 0;
        audit_gone_top(a);
        for (size_t i = 0; i < a->n_suspects; i++) {
                struct suspect *d = &a->suspects[i];

                if (audit_covered(a, d->key)) {
                        free(d->key);
                        continue;
                }
                a->lost += d->n;
                a->suspects[n++] = *d;
        }
        a->n_suspects = n;
        for (size_t i = 0; a->result == 0 && i < a->gone.n; i++) {
                uint64_t below = 0;

                a->result = store_below(a->args.store, a->gone.items[i].key, &below, &a->err);
                a->lost += below;
        }
}

/* ---- the cloud: looking ----------------------------------------------------------------------- */

static bool audit_add_gone(struct audit *a, const char *key, enum kind kind)
{
        char *copy = str_dup(key);

        if (copy && a->gone.n == a->size_gone) {
                size_t size = a->size_gone ? 2 * a->size_gone : 16;
                struct entry *items = reallocarray(a->gone.items, size, sizeof(*items));

                if (!items) {
                        free(copy);
                        return false;
                }
                a->gone.items = items;
                a->size_gone = size;
        }
        if (copy)
                a->gone.items[a->gone.n++] = (struct entry){.key = copy, .kind = kind};
        return copy;
}

static bool audit_suspect(struct audit *a, const char *key, const struct audit_finds *finds)
{
        struct suspect *d = &a->suspects[a->n_suspects];
        bool ok = true;

        *d = (struct suspect){.key = str_dup(key), .n = finds->n};
        if (!d->key)
                return false;
        a->n_suspects++;
        if (finds->n == 1 && str_eq(finds->items[0].key, key)) { /* the folder itself */
                d->n = *key != '\0'; /* the cloud folder has no row */
                return audit_add_gone(a, key, KIND_NONE);
        }
        for (size_t i = 0; i < finds->n; i++)
                if (finds->items[i].known == KIND_DIR)
                        ok = audit_add_gone(a, finds->items[i].key, KIND_DIR) && ok;
        return ok;
}

static void audit_looked(void *userdata, struct flow *flow, const struct flow_end *end)
{
        struct audit *a = userdata;
        const struct audit_finds *finds = flow_audit_finds(flow);

        a->flows--;
        tally_end(a->tally, a->args.engine, end);
        a->counts.foreign += finds->foreign;
        switch (end->kind) {
        case END_NOTHING:
                break;
        case END_DONE: /* verified, or remnants written down */
                a->counts.remnants += finds->remnants;
                a->tally->repaired += finds->remnants > 0;
                break;
        case END_CHANGED:
                if (!audit_suspect(a, flow_audit_key(flow), finds))
                        a->counts.unlisted++;
                break;
        case END_LATER:
        case END_STUCK:
        case END_FOREIGN:
        case END_FULL:
        case END_REFUSED:
        case END_STORE:
                if (!a->tally->halted)
                        audit_unlisted(a, flow_audit_key(flow), end);
                break;
        }
        audit_pump(a);
}

static void audit_start(struct audit *a, const char *key, int64_t patience_ms, engine_done done)
{
        a->flows++;
        if (engine_start(a->args.engine, flow_audit(a->args.yadisk, key, patience_ms), done, a) < 0) {
                a->flows--;
                a->counts.unlisted++;
        }
}

/* Starts one more flow; false when there is none to be started now. */
static bool audit_start_next(struct audit *a)
{
        if (a->tally->halted || engine_room(a->args.engine) == 0)
                return false;
        if (a->mending) {
                if (a->n_mended == a->n_suspects)
                        return false;
                if (a->args.found)
                        audit_start(a, a->suspects[a->n_mended++].key, AUDIT_LOOK_ONLY,
                                    audit_seen_again);
                else
                        audit_start(a, a->suspects[a->n_mended++].key,
                                    audit_scaled(a, AUDIT_PATIENCE_MS), audit_mended);
                return true;
        }
        if (a->next == a->folders.n ||
            (a->next > 0 && !a->whole && audit_now(a) >= a->end_ms))
                return false;
        audit_start(a, a->folders.items[a->next++].key, AUDIT_LOOK_ONLY, audit_looked);
        return true;
}

/* Fills the engine.  Not re-entered: a flow that ends or sleeps at once calls back in here. */
static void audit_pump(struct audit *a)
{
        if (a->pumping)
                return;
        a->pumping = true;
        while (audit_start_next(a))
                ;
        a->pumping = false;
        if (a->flows > 0)
                return;
        engine_on_room(a->args.engine, NULL, NULL);
        if (a->tally->halted)
                audit_leave(a);
        else if (!a->mending && a->n_suspects > 0)
                audit_job(a, audit_job_judge, audit_judged);
        else
                audit_round_done(a);
}

static void audit_has_room(void *userdata)
{
        audit_pump(userdata);
}

static void audit_fill(struct audit *a, bool mending)
{
        a->mending = mending;
        engine_on_room(a->args.engine, audit_has_room, a);
        audit_pump(a);
}

static void audit_job_folders(struct audit *a)
{
        struct entry root = {.key = "", .kind = KIND_DIR};
        struct store_totals totals;

        a->result = store_totals(a->args.store, &totals, &a->err);
        if (a->result == 0)
                a->result = store_next(a->args.store, KIND_DIR, a->at, AUDIT_FOLDERS, &a->folders,
                                       &a->err);
        if (a->result < 0)
                return;
        a->known = totals.files + totals.dirs;
        /* The watched folder itself comes first, and has no row. */
        if (!a->at && (a->folders.n == 0 || *a->folders.items[0].key)) {
                struct entry *items = reallocarray(a->folders.items, a->folders.n + 1,
                                                   sizeof(*items));

                root.key = str_dup("");
                if (items)
                        a->folders.items = items;
                if (!items || !root.key) {
                        free((char *)root.key);
                        a->result = err_set(&a->err, ENOMEM, "no memory");
                        return;
                }
                memmove(items + 1, items, a->folders.n++ * sizeof(*items));
                items[0] = root;
        }
        free(a->suspects);
        a->suspects = calloc(a->folders.n + 1, sizeof(*a->suspects));
        if (!a->suspects)
                a->result = err_set(&a->err, ENOMEM, "no memory");
}

static void audit_got_folders(struct audit *a)
{
        a->lost = 0;
        if (a->result < 0) {
                audit_leave(a);
        } else if (a->folders.n > 0) {
                audit_fill(a, false);
        } else if (a->args.found) {
                a->under_way = false;
                audit_leave(a);
        } else {
                a->part = PART_READ;
                free(a->at);
                a->at = NULL;
                audit_note(a, audit_noted);
        }
}

static void audit_round(struct audit *a)
{
        audit_job(a, audit_job_folders, audit_got_folders);
}

/* ---- reading again ---------------------------------------------------------------------------- */

static void audit_reread_done(void *userdata)
{
        struct audit *a = userdata;

        if (a->stopping)
                audit_ended(a);
        else if (a->done && a->whole)
                audit_read(a);
}

static void audit_job_files(struct audit *a)
{
        a->result = store_next(a->args.store, KIND_FILE, a->at, AUDIT_FILES, &a->folders, &a->err);
}

static void audit_got_files(struct audit *a)
{
        struct source_root root = {.fd = a->root_fd, .follow = a->args.config->follow};

        if (a->result < 0)
                audit_leave(a);
        else if (a->folders.n == 0)
                audit_finish(a);
        else if (reread_start(&a->reread, a->args.loop, &root, &a->folders, audit_reread_done, a) < 0)
                audit_no_memory(a);
        else if (!a->whole)
                audit_leave(a); /* it goes on beside the passes */
}

/* A row that is still what it was when its file was read is compared by content from now on. */
static int audit_mark(struct audit *a, const struct entry *file)
{
        struct record mark = {.verb = RECORD_ROW};
        int r = store_get(a->args.store, file->key, &mark.entry, &a->err);

        if (r <= 0)
                return r;
        if (mark.entry.size != file->size || !entry_stamp_eq(&mark.entry.stamp, &file->stamp) ||
            memcmp(mark.entry.md5, file->md5, sizeof(file->md5)) != 0)
                return 0;
        mark.entry.key = file->key;
        mark.entry.flags |= ENTRY_RACY;
        return store_commit(a->args.store, &mark, 1, &a->err);
}

static void audit_job_mark(struct audit *a)
{
        for (size_t i = 0; a->result == 0 && i < a->reread.n_done; i++)
                if (a->reread.results[i] == REREAD_OTHER)
                        a->result = audit_mark(a, &a->reread.files.items[i]);
}

/* What changed or went away meanwhile is the next scan's. */
static bool audit_scans(int result)
{
        return result == ESTALE || result == ENOENT || result == ENOTDIR || result == EISDIR ||
               result == EINVAL || result == ELOOP;
}

static void audit_count_reread(struct audit *a, const struct entry *file, int result)
{
        a->counts.read++;
        if (result == 0) {
                failures_clear(a->args.failures, file->key);
        } else if (result == REREAD_OTHER) {
                a->counts.other++;
                a->tally->repaired++;
                audit_say_reread(a, file, result);
        } else if (!audit_scans(result)) {
                a->counts.unreadable++;
                audit_say_reread(a, file, result);
        }
}

static void audit_marked(struct audit *a)
{
        if (a->result < 0) {
                audit_leave(a);
                return;
        }
        for (size_t i = 0; i < a->reread.n_done; i++)
                audit_count_reread(a, &a->reread.files.items[i], a->reread.results[i]);
        if (a->reread.n_done > 0)
                audit_move(a, a->reread.files.items[a->reread.n_done - 1].key);
        reread_finish(&a->reread);
        audit_note(a, audit_noted);
}

static void audit_read(struct audit *a)
{
        if (a->reread.busy) {
                if (!a->whole)
                        audit_leave(a);
                return;
        }
        if (a->reread.files.n > 0)
                audit_job(a, audit_job_mark, audit_marked);
        else
                audit_job(a, audit_job_files, audit_got_files);
}

/* ---- when ------------------------------------------------------------------------------------- */

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

/* ---- life ------------------------------------------------------------------------------------- */

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
