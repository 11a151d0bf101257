/* SPDX-License-Identifier: MIT */

#include "daemon/work.h"

#include "daemon/doubts.h"
#include "daemon/event.h"
#include "lib/core/disguise.h"
#include "lib/core/order.h"
#include "lib/core/pair.h"
#include "lib/yadisk/flow_drop.h"
#include "lib/yadisk/flow_list.h"
#include "lib/yadisk/flow_mkdir.h"
#include "lib/yadisk/flow_move.h"
#include "lib/yadisk/flow_put.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

/* Ops in memory: those under way, and those read ahead that wait for a folder. */
#define WORK_WINDOW 1024
#define WORK_STUCK_MS 900000 /* the same would fail again: no hurry */

/*
 * What is big may take long.  So a quarter of the transfers, one at least, is for the rest as long as
 * there is any; and no more of the big ones are begun than transfers may be under way, since an
 * upload link that waits for hours is worth nothing in the end.
 */
#define WORK_BIG (1u << 20)

enum work_lane { WORK_SMALL, WORK_LARGE, WORK_LANES };

struct work_item {
        struct order_item order;
        struct work_item *prev, *next; /* of work.items */
        struct work_item *ready_next;
        struct work *work;
        struct op op;
        char *key, *from;
        bool apart; /* the folder is being taken apart */
        bool begun; /* its flow was started */
};

struct work {
        struct work_args args;
        struct spool *spool;
        struct order *order;
        bool held;
        bool spool_ended;
        bool pumping;
        struct work_item *items;
        size_t n_items;
        struct work_item *ready[WORK_LANES], **ready_end[WORK_LANES];
        unsigned n_large; /* of those that were begun */
        uv_idle_t kick; /* the first pump, and `done`, come from the loop */
        void (*done)(void *userdata);
        void *userdata;
};

/* ---- speaking -------------------------------------------------------------------------------- */

static const char *work_printable(struct str *s, const char *key)
{
        str_clear(s);
        str_add_printable(s, key);
        return str_z(s);
}

/* What the journal calls it. */
static const char *work_op(const struct op *op)
{
        switch (op->verb) {
        case OP_PUT:
                return op->was_known ? "replace" : "upload";
        case OP_MKDIR:
                return "make-folder";
        case OP_ADOPT:
        case OP_TOUCH:
                return "note";
        case OP_DROP:
                return "remove";
        case OP_DROP_TREE:
                return "remove-folder";
        case OP_FORGET:
                return "forget";
        case OP_MOVE:
                return "move";
        }
        return "";
}

static struct event_about work_about(const struct work *w, const struct work_item *item,
                                     const struct flow_end *end)
{
        return (struct event_about){.op = work_op(&item->op),
                                    .path = item->key,
                                    .from = item->from,
                                    .root = w->args.yadisk->root,
                                    .reason = end->reason ? end->reason : end->text,
                                    .md5 = end->md5,
                                    .http_status = end->status};
}

static void work_say_moved(const struct work_item *item, const struct event_about *about)
{
        _cleanup_(str_finish) struct str from = STR_NULL(65536);
        _cleanup_(str_finish) struct str to = STR_NULL(65536);

        work_printable(&from, item->from);
        work_printable(&to, item->key);
        if (item->op.parks)
                event_say(EVENT_MOVED, about, "moved %s aside, since another takes its place",
                          str_z(&from));
        else if (pair_is_parked(item->from))
                event_say(EVENT_MOVED, about, "moved what was set aside to %s", str_z(&to));
        else
                event_say(EVENT_MOVED, about, "moved %s to %s", str_z(&from), str_z(&to));
}

/* What cannot be moved is removed and sent, which may work. */
static void work_say_not_moved(const struct work *w, const struct work_item *item,
                               const struct flow_end *end)
{
        _cleanup_(str_finish) struct str from = STR_NULL(65536);
        _cleanup_(str_finish) struct str to = STR_NULL(65536);
        struct event_about about = work_about(w, item, end);

        event_say(EVENT_NOT_MOVED, &about, "cannot move %s to %s: %s; it is sent anew",
                  work_printable(&from, item->from), work_printable(&to, item->key), end->text);
}

static void work_say_done(const struct work *w, const struct work_item *item,
                          const struct flow_end *end)
{
        _cleanup_(str_finish) struct str name = STR_NULL(65536);
        _cleanup_(str_finish) struct str size = STR_NULL(64);
        struct event_about about = work_about(w, item, end);
        const char *key = work_printable(&name, item->key);
        const char *but = *end->text ? "; " : "";

        str_add_size(&size, item->op.entry.size);
        switch (item->op.verb) {
        case OP_PUT:
                about.bytes = &item->op.entry.size;
                if (item->op.was_known)
                        event_say(EVENT_REPLACED, &about, "replaced %s (%s)", key, str_z(&size));
                else
                        event_say(EVENT_UPLOADED, &about, "uploaded %s (%s)", key, str_z(&size));
                return;
        case OP_MKDIR:
                event_say(EVENT_FOLDER_MADE, &about, "made folder %s%s%s", key, but, end->text);
                return;
        case OP_DROP:
                about.bytes = &item->op.entry.size;
                event_say(EVENT_REMOVED, &about, "removed %s%s%s", key, but, end->text);
                return;
        case OP_DROP_TREE:
                about.bytes = &item->op.bytes;
                event_say(EVENT_FOLDER_REMOVED, &about,
                          trn("removed folder %s with %" PRIu64 " entry%s%s",
                              "removed folder %s with %" PRIu64 " entries%s%s", item->op.files),
                          key, item->op.files, but, end->text);
                return;
        case OP_ADOPT:
        case OP_TOUCH:
                return; /* nothing in the cloud has changed */
        case OP_FORGET:
                event_say(EVENT_NO_LONGER_MIRRORED, &about,
                          "no longer mirrored: %s; what is in the cloud stays", key);
                return;
        case OP_MOVE:
                work_say_moved(item, &about);
                return;
        }
}

static void work_say_adopted(const struct work *w, const struct work_item *item,
                             const struct flow_end *end)
{
        _cleanup_(str_finish) struct str name = STR_NULL(65536);
        struct event_about about = work_about(w, item, end);

        about.op = "adopt";
        about.bytes = &item->op.entry.size;
        event_say(EVENT_ADOPTED, &about, "%s is in the cloud already",
                  work_printable(&name, item->key));
}

static void work_say_foreign(const struct work *w, const struct work_item *item,
                             const struct flow_end *end)
{
        _cleanup_(str_finish) struct str name = STR_NULL(65536);
        struct event_about about = work_about(w, item, end);

        event_say(EVENT_LEFT_ALONE, &about, "left alone in the cloud: %s: %s",
                  work_printable(&name, item->key), end->text);
}

static void work_add_cannot(struct str *s, const struct op *op, const char *name)
{
        switch (op->verb) {
        case OP_PUT:
                str_addf(s, tr("cannot upload %s"), name);
                return;
        case OP_MKDIR:
                str_addf(s, tr("cannot make folder %s"), name);
                return;
        case OP_DROP:
                str_addf(s, tr("cannot remove %s"), name);
                return;
        case OP_DROP_TREE:
                str_addf(s, tr("cannot remove folder %s"), name);
                return;
        case OP_ADOPT:
        case OP_TOUCH:
        case OP_FORGET:
        case OP_MOVE:
                str_addf(s, tr("cannot note %s"), name);
                return;
        }
}

static void work_say_failed(struct work *w, const struct work_item *item,
                            const struct flow_end *end)
{
        _cleanup_(str_finish) struct str name = STR_NULL(65536);
        _cleanup_(str_finish) struct str what = STR_NULL(65536);
        _cleanup_(str_finish) struct str when = STR_NULL(64);
        struct event_about about = work_about(w, item, end);
        int64_t least_ms = end->kind == END_STUCK ? WORK_STUCK_MS : end->again_ms;
        struct failure_told told = failures_add(w->args.failures, &item->op.entry, about.reason,
                                                least_ms, (int64_t)(uv_hrtime() / 1000000));

        if (told.say == FAILURE_QUIET)
                return;
        work_add_cannot(&what, &item->op, work_printable(&name, item->key));
        str_add_span(&when, told.delay_ms);
        if (told.say == FAILURE_NEWS)
                event_say(EVENT_FAILED, &about, "%s: %s; next try in %s, or when it changes",
                          str_z(&what), end->text, str_z(&when));
        else
                event_say(EVENT_FAILED, &about,
                          trn("%s: %s; tried %u time; next try in %s, or when it changes",
                              "%s: %s; tried %u times; next try in %s, or when it changes",
                              told.times),
                          str_z(&what), end->text, told.times, str_z(&when));
}

static void work_say_paused(const struct quota *q, const struct flow_end *end)
{
        _cleanup_(str_finish) struct str when = STR_NULL(64);
        struct event_about about = {.reason = end->reason ? end->reason : end->text,
                                    .http_status = end->status};

        str_add_span(&when, q->next_ms - (int64_t)(uv_hrtime() / 1000000));
        event_say(EVENT_UPLOADS_PAUSED, &about,
                  "uploads are paused: %s; next try in %s; everything else goes on", end->text,
                  str_z(&when));
}

/* ---- what an end means ------------------------------------------------------------------------ */

/* It gave up because nothing gets through: that is no failure of its own. */
static bool tally_blameless(const struct engine *engine, const struct flow_end *end)
{
        return end->kind == END_LATER && engine_stats(engine).shut < ENGINE_LANES;
}

void tally_end(struct tally *t, const struct engine *engine, const struct flow_end *end)
{
        bool blameless = tally_blameless(engine, end);

        t->cut_off |= blameless;
        blameless = blameless && engine_stats(engine).shut < ENGINE_UPLOAD;
        if (t->halted || (end->kind != END_REFUSED && end->kind != END_STORE && !blameless))
                return;
        t->halted = true;
        t->end = end->kind;
        str_copy(t->text, sizeof(t->text), end->text);
}

/* What was not moved is sent and removed in this very pass; that may have to wait for its own time, and
 * then the move is not to be tried at each pass. */
static void work_end_move(struct work *w, const struct work_item *item, const struct flow_end *end)
{
        if (end->kind == END_DONE) {
                vain_clear(w->args.vain, item->from, item->key);
                moves_made(w->args.moves, item->from);
        } else if (end->kind == END_NOTHING || end->kind == END_LATER || end->kind == END_STUCK) {
                vain_add(w->args.vain, item->from, &item->op.entry, end->again_ms,
                         (int64_t)(uv_hrtime() / 1000000));
        }
}

static void work_clear(struct work *w, const struct work_item *item)
{
        if (item->op.verb == OP_PUT && w->args.config->verify == VERIFY_BATCH)
                failures_clear(w->args.failures, item->key);
        else
                failures_proven(w->args.failures, item->key);
}

/* Failed, now or for good, and not for what befalls all. */
static void work_count_failure(struct work *w, const struct work_item *item,
                               const struct flow_end *end)
{
        struct tally *t = w->args.tally;

        if (item->op.verb == OP_MOVE) { /* it is removed and sent instead: nothing is left undone */
                work_say_not_moved(w, item, end);
                return;
        }
        t->later += end->kind == END_LATER;
        t->stuck += end->kind == END_STUCK;
        work_say_failed(w, item, end);
}

/* Counts; returns whether what waits for this op may go on. */
static bool work_count(struct work *w, const struct work_item *item, const struct flow_end *end)
{
        struct tally *t = w->args.tally;
        enum op_verb verb = item->op.verb;
        bool blameless = tally_blameless(w->args.engine, end);

        tally_end(t, w->args.engine, end);
        t->repaired += end->vanished;
        t->folders_gone += end->folder_gone;
        switch (end->kind) {
        case END_DONE:
                t->uploaded += verb == OP_PUT;
                t->uploaded_bytes += verb == OP_PUT ? item->op.entry.size : 0;
                t->made += verb == OP_MKDIR;
                t->moved += verb == OP_MOVE && !item->op.parks;
                t->parked += verb == OP_MOVE && item->op.parks;
                t->removed += verb == OP_DROP ? 1 : verb == OP_DROP_TREE ? item->op.files + 1 : 0;
                work_say_done(w, item, end);
                break;
        case END_NOTHING:
                if (verb == OP_FORGET)
                        work_say_done(w, item, end);
                if (verb != OP_PUT || item->op.was_known)
                        break;
                t->adopted++;
                work_say_adopted(w, item, end);
                break;
        case END_CHANGED:
                t->changed++;
                break;
        case END_LATER:
                t->skipped += blameless;
                if (!blameless)
                        work_count_failure(w, item, end);
                break;
        case END_STUCK:
                work_count_failure(w, item, end);
                break;
        case END_FOREIGN:
                t->foreign++;
                work_say_foreign(w, item, end);
                break;
        case END_FULL:
        case END_REFUSED:
        case END_STORE:
                t->skipped++;
                break;
        }
        if (verb == OP_PUT || end->kind == END_FULL)
                if (quota_ended(w->args.quota, end, (int64_t)(uv_hrtime() / 1000000)))
                        work_say_paused(w->args.quota, end);
        if (end->kind == END_DONE || (end->kind == END_NOTHING && verb != OP_MOVE))
                work_clear(w, item);
        if (verb == OP_MOVE && !blameless)
                work_end_move(w, item, end);
        /* What is to stand where somebody else's content was left has its own way with that. */
        return end->kind == END_DONE || end->kind == END_NOTHING || end->kind == END_FOREIGN;
}

/* ---- items ----------------------------------------------------------------------------------- */

static struct work_item *work_item(struct work *w, const struct op *op)
{
        struct work_item *item = calloc(1, sizeof(*item));

        if (!item)
                return NULL;
        item->key = str_dup(op->entry.key);
        item->from = str_dup(op->from);
        if (!item->key || (op->from && !item->from)) {
                free(item->key);
                free(item);
                return NULL;
        }
        item->work = w;
        item->op = *op;
        item->op.entry.key = item->key;
        item->op.from = item->from;
        item->order.key = item->key;
        item->next = w->items;
        if (w->items)
                w->items->prev = item;
        w->items = item;
        w->n_items++;
        return item;
}

static void work_item_free(struct work_item *item)
{
        struct work *w = item->work;

        if (item->prev)
                item->prev->next = item->next;
        else
                w->items = item->next;
        if (item->next)
                item->next->prev = item->prev;
        w->n_items--;
        free(item->key);
        free(item->from);
        free(item);
}

static enum work_lane work_lane(const struct work_item *item)
{
        return item->op.verb == OP_PUT && item->op.entry.size >= WORK_BIG ? WORK_LARGE : WORK_SMALL;
}

static void work_ready(struct work *w, struct work_item *item)
{
        enum work_lane lane = work_lane(item);

        item->ready_next = NULL;
        *w->ready_end[lane] = item;
        w->ready_end[lane] = &item->ready_next;
}

/* Whether one more of the large ones may be under way; `alone`: there is nothing else to do.  Those
 * that sleep take no transfer from anybody. */
static bool work_takes_large(const struct work *w, bool alone)
{
        unsigned parallel = w->args.config->parallel;
        unsigned reserved = alone || parallel == 1 ? 0 : (parallel + 3) / 4;

        return w->n_large < parallel - reserved + engine_stats(w->args.engine).asleep;
}

/* The next that may start in the lane, or NULL. */
static struct work_item *work_take(struct work *w, enum work_lane lane)
{
        struct work_item *item = w->ready[lane];

        if (!item)
                return NULL;
        w->ready[lane] = item->ready_next;
        if (!w->ready[lane])
                w->ready_end[lane] = &w->ready[lane];
        return item;
}

static void work_released(void *userdata, struct order_item *order)
{
        work_ready(userdata, CONTAINER_OF(order, struct work_item, order));
}

static void work_pump(struct work *w);

static void work_end(struct work_item *item, bool ok)
{
        struct work *w = item->work;

        if (item->op.verb == OP_PUT) {
                w->args.tally->puts_over++;
                w->args.tally->put_bytes_over += item->op.entry.size;
        }
        w->n_large -= item->begun && work_lane(item) == WORK_LARGE;
        order_end(w->order, &item->order, ok, work_released, w);
        work_item_free(item);
}

/* ---- flows ----------------------------------------------------------------------------------- */

static struct intent *work_intent(const struct work *w, const char *key)
{
        /* The newest is the one whose bytes may have arrived. */
        for (size_t i = w->args.n_intents; i-- > 0;) {
                struct intent *intent = &w->args.intents[i];

                if (*intent->wire && str_eq(intent->key, key))
                        return intent;
        }
        return NULL;
}

static bool work_intent_is_old(const struct intent *intent)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return flow_sweep_due(intent->size, intent->when_ms,
                              (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

static struct flow *work_put(struct work *w, struct work_item *item)
{
        static const enum put_verify verify[] = {
                [VERIFY_BATCH] = PUT_VERIFY_LATER,
                [VERIFY_EACH] = PUT_VERIFY_NOW,
                [VERIFY_OFF] = PUT_VERIFY_NOT,
        };
        char wire[DISGUISE_WIRE_LEN + 1];
        uint8_t random[12];
        struct intent *intent = work_intent(w, item->key);
        struct put_args args = {.yadisk = w->args.yadisk,
                                .op = &item->op,
                                .disguise = w->args.config->disguise,
                                .verify = verify[w->args.config->verify],
                                .largest = w->args.quota->largest,
                                .wire = wire,
                                .leftover = intent ? intent->wire : NULL,
                                .doubtful = doubts_open(w->args.doubts, item->key),
                                .leftover_old = intent && work_intent_is_old(intent)};
        struct flow *flow;

        if (getrandom(random, sizeof(random), 0) != sizeof(random))
                return NULL;
        disguise_wire_name(wire, random);
        flow = flow_put(&args);
        if (flow && intent) /* the flow sees to it now */
                *intent->wire = '\0';
        return flow;
}

static struct flow *work_flow(struct work *w, struct work_item *item)
{
        struct drop_args drop = {.yadisk = w->args.yadisk,
                                 .op = &item->op,
                                 .doubtful = doubts_open(w->args.doubts, item->key),
                                 .permanently = w->args.config->delete_mode == DELETE_PERMANENT,
                                 .replaces = w->args.config->delete_mode == DELETE_NEVER};

        switch (item->op.verb) {
        case OP_MKDIR:
                return flow_mkdir(w->args.yadisk, &item->op);
        case OP_PUT:
                return work_put(w, item);
        case OP_ADOPT:
        case OP_TOUCH:
        case OP_FORGET:
                return flow_note(w->args.yadisk, &item->op);
        case OP_DROP:
        case OP_DROP_TREE:
                return item->apart ? flow_apart(&drop) : flow_drop(&drop);
        case OP_MOVE:
                return flow_move(w->args.yadisk, &item->op,
                                 w->args.config->verify != VERIFY_OFF);
        }
        return NULL;
}

static void work_flow_done(void *userdata, struct flow *flow, const struct flow_end *end);

/* Starts the item's flow; ends the item if that cannot be. */
static void work_begin(struct work *w, struct work_item *item)
{
        w->n_large += !item->begun && work_lane(item) == WORK_LARGE;
        item->begun = true;
        if (engine_start(w->args.engine, work_flow(w, item), work_flow_done, item) < 0) {
                w->args.tally->later++;
                work_end(item, false);
        }
}

static void work_flow_done(void *userdata, struct flow *flow _unused_, const struct flow_end *end)
{
        struct work_item *item = userdata;
        struct work *w = item->work;

        if (end->kind == END_FOREIGN && item->op.verb == OP_DROP_TREE && !item->apart) {
                item->apart = true;
                work_begin(w, item);
                work_pump(w); /* it may have ended */
                return;
        }
        work_end(item, work_count(w, item, end));
        work_pump(w);
}

/* Whether the op is to be left out, and if so, counted as what. */
static bool work_leaves_out(struct work *w, const struct work_item *item)
{
        struct tally *t = w->args.tally;
        enum op_verb verb = item->op.verb;

        if (t->halted || (t->cut_off && verb == OP_PUT)) {
                t->skipped++;
                return true;
        }
        if (item->order.doomed)
                return true; /* what it needed was told of */
        if (w->held && (verb == OP_DROP || verb == OP_DROP_TREE || item->op.after_drop))
                return true;
        if (((verb == OP_DROP || verb == OP_DROP_TREE) &&
             doubts_await(w->args.doubts, item->key)) ||
            ((verb == OP_PUT || verb == OP_MKDIR) &&
             doubts_other(w->args.doubts, &item->op.entry))) {
                t->awaiting++;
                return true;
        }
        if (verb == OP_MOVE && doubts_below(w->args.doubts, item->op.from))
                return true; /* then it is removed and sent, when that is known */
        if (verb != OP_MOVE && failures_waiting(w->args.failures, &item->op.entry,
                             (int64_t)(uv_hrtime() / 1000000))) {
                t->waiting++;
                return true;
        }
        if (verb == OP_PUT && !quota_admits(w->args.quota, item->op.entry.size)) {
                t->skipped++;
                return true;
        }
        return false;
}

static void work_run(struct work *w, struct work_item *item)
{
        struct intent *intent;

        if (!work_leaves_out(w, item)) {
                work_begin(w, item);
                return;
        }
        /* What has arrived for it is not swept: the file is still to be put. */
        intent = item->op.verb == OP_PUT ? work_intent(w, item->key) : NULL;
        if (intent)
                *intent->wire = '\0';
        work_end(item, false);
}

/* Reads one op; 1 when an item was added, 0 when there is none. */
static int work_read(struct work *w)
{
        struct work_item *item;
        struct err err = ERR_NONE;
        struct op op;
        int r;

        if (w->spool_ended || w->n_items >= WORK_WINDOW)
                return 0;
        r = spool_next(w->spool, &op, &err);
        if (r <= 0) {
                w->spool_ended = true;
                if (r < 0) {
                        struct flow_end end = {.kind = END_STORE, .text = err.text};

                        tally_end(w->args.tally, w->args.engine, &end);
                }
                return 0;
        }
        item = work_item(w, &op);
        if (!item) {
                w->args.tally->later++;
                return 1;
        }
        r = order_add(w->order, &item->order);
        if (r < 0) {
                w->args.tally->later++;
                work_item_free(item);
        } else if (r > 0) {
                work_ready(w, item);
        }
        return 1;
}

static void work_kicked(uv_idle_t *idle)
{
        struct work *w = CONTAINER_OF(idle, struct work, kick);

        uv_idle_stop(idle);
        work_pump(w);
}

static void work_free(uv_handle_t *handle)
{
        struct work *w = CONTAINER_OF((uv_idle_t *)handle, struct work, kick);

        order_destroy(w->order);
        free(w);
}

static void work_finished(uv_handle_t *handle)
{
        struct work *w = CONTAINER_OF((uv_idle_t *)handle, struct work, kick);
        void (*done)(void *) = w->done;
        void *userdata = w->userdata;

        work_free(handle);
        if (done)
                done(userdata);
}

/* The next item to start: a large one while there is room for these, else any other, however far
 * ahead it has to be read for. */
static struct work_item *work_next(struct work *w)
{
        struct work_item *item;

        do {
                item = work_takes_large(w, false) ? work_take(w, WORK_LARGE) : NULL;
                if (!item)
                        item = work_take(w, WORK_SMALL);
        } while (!item && work_read(w));
        if (!item && work_takes_large(w, true))
                item = work_take(w, WORK_LARGE);
        return item;
}

/* Fills the engine.  Not re-entered: a flow that ends at once calls back in here. */
static void work_pump(struct work *w)
{
        if (w->pumping)
                return;
        w->pumping = true;
        while (engine_room(w->args.engine) > 0) {
                struct work_item *item = work_next(w);

                if (!item)
                        break;
                work_run(w, item);
        }
        w->pumping = false;
        if (w->n_items == 0 && w->spool_ended && !uv_is_closing((uv_handle_t *)&w->kick)) {
                engine_on_room(w->args.engine, NULL, NULL);
                uv_close((uv_handle_t *)&w->kick, work_finished);
        }
}

static void work_has_room(void *userdata)
{
        work_pump(userdata);
}

int work_start(struct work **ret, const struct work_args *args, struct spool *spool, bool held,
               void (*done)(void *userdata), void *userdata)
{
        struct work *w = calloc(1, sizeof(*w));

        if (!w)
                return -ENOMEM;
        w->order = order_create();
        if (!w->order) {
                free(w);
                return -ENOMEM;
        }
        w->args = *args;
        w->spool = spool;
        w->held = held;
        for (enum work_lane lane = WORK_SMALL; lane < WORK_LANES; lane++)
                w->ready_end[lane] = &w->ready[lane];
        w->done = done;
        w->userdata = userdata;
        uv_idle_init(engine_loop(args->engine), &w->kick);
        uv_idle_start(&w->kick, work_kicked);
        engine_on_room(args->engine, work_has_room, w);
        *ret = w;
        return 0;
}

void work_abandon(struct work *w)
{
        engine_on_room(w->args.engine, NULL, NULL);
        w->done = NULL; /* it may be on its way already, and its owner will be gone */
        while (w->items)
                work_item_free(w->items);
        if (!uv_is_closing((uv_handle_t *)&w->kick))
                uv_close((uv_handle_t *)&w->kick, work_free);
}
