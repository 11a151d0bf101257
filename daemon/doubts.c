/* SPDX-License-Identifier: MIT */

#include "daemon/doubts.h"

#include "lib/base/die.h"
#include "lib/yadisk/flow_audit.h"
#include "lib/yadisk/flow_settle.h"

#include <errno.h>
#include <time.h>

struct doubts {
        struct doubt *items;
        struct entry *rows; /* of their keys; KIND_NONE: none */
        bool *open;         /* not settled */
        size_t n, next;     /* the first that was not started yet */

        struct engine *engine;
        const struct yadisk *yadisk;
        struct tally *tally;
        void (*done)(void *userdata, uint64_t failed);
        void *userdata;
        unsigned flows;
        uint64_t failed;
};

static int64_t doubts_now_ms(void)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- reading ---------------------------------------------------------------------------------- */

static int doubts_read_rows(struct doubts *d, struct store *store, struct err *err)
{
        d->rows = calloc(d->n, sizeof(*d->rows));
        d->open = calloc(d->n, sizeof(*d->open));
        if (!d->rows || !d->open)
                return err_set(err, ENOMEM, "no memory");
        for (size_t i = 0; i < d->n; i++) {
                int r = store_get(store, d->items[i].key, &d->rows[i], err);

                if (r < 0)
                        return r;
                d->open[i] = true;
        }
        return 0;
}

int doubts_load(struct doubts **ret, struct store *store, struct err *err)
{
        _cleanup_(doubts_destroyp) struct doubts *d = calloc(1, sizeof(*d));
        int r;

        if (!d)
                return err_set(err, ENOMEM, "no memory");
        r = store_doubts(store, &d->items, &d->n, err);
        if (r == 0 && d->n > 0)
                r = doubts_read_rows(d, store, err);
        if (r == 0)
                *ret = d->n > 0 ? TAKE_PTR(d) : NULL;
        return r;
}

void doubts_destroy(struct doubts *d)
{
        if (!d)
                return;
        store_doubts_free(d->items, d->n);
        free(d->rows);
        free(d->open);
        free(d);
}

/* ---- looking ---------------------------------------------------------------------------------- */

static struct entry doubts_becomes(const struct doubt *doubt)
{
        struct entry e = {.key = doubt->key,
                          .kind = doubt->kind,
                          .size = doubt->size,
                          .has_md5 = doubt->kind == KIND_FILE};

        memcpy(e.md5, doubt->md5, sizeof(e.md5));
        return e;
}

static void doubts_pump(struct doubts *d);

/* A flow has ended; the next begins while this one still counts: it may end at once. */
static void doubts_ended(struct doubts *d, const struct flow_end *end)
{
        tally_end(d->tally, d->engine, end);
        d->failed += end->kind != END_DONE && end->kind != END_NOTHING;
        doubts_pump(d);
        if (--d->flows == 0)
                d->done(d->userdata, d->failed);
}

static void doubts_compared(void *userdata, struct flow *flow _unused_,
                            const struct flow_end *end)
{
        doubts_ended(userdata, end);
}

static void doubts_start(struct doubts *d, struct flow *flow, engine_done done)
{
        d->flows++;
        if (engine_start(d->engine, flow, done, d) < 0) {
                d->flows--;
                d->failed++;
        }
}

static void doubts_looked(void *userdata, struct flow *flow, const struct flow_end *end)
{
        struct doubts *d = userdata;
        const char *key = flow_settle_key(flow);
        size_t i = 0;

        while (!str_eq(d->items[i].key, key))
                i++;
        d->open[i] = end->kind != END_DONE;
        if (!d->open[i] && flow_settle_folder_stands(flow))
                doubts_start(d, flow_audit(d->yadisk, key, 0), doubts_compared);
        doubts_ended(d, end);
}

/* Unless there was a look already, and there is no point in another. */
static void doubts_look(struct doubts *d, size_t i)
{
        int64_t now_ms = doubts_now_ms();
        struct settle_args args = {.yadisk = d->yadisk,
                                   .becomes = doubts_becomes(&d->items[i]),
                                   .row = &d->rows[i],
                                   .when_ms = d->items[i].when_ms,
                                   .looked = d->items[i].looked};

        if (now_ms < args.when_ms) { /* a clock that was set back must not keep it for ever */
                args.when_ms = now_ms;
                args.looked = false;
        }
        args.due = flow_settle_due(&args.becomes, (now_ms - args.when_ms) * die_haste());
        if (!args.looked || args.due)
                doubts_start(d, flow_settle(&args), doubts_looked);
}

static void doubts_pump(struct doubts *d)
{
        for (; d->next < d->n && !d->tally->halted && engine_room(d->engine) > 0; d->next++)
                doubts_look(d, d->next);
}

void doubts_settle(struct doubts *d, struct engine *engine, const struct yadisk *yadisk,
                   struct tally *tally, void (*done)(void *userdata, uint64_t failed),
                   void *userdata)
{
        d->engine = engine;
        d->yadisk = yadisk;
        d->tally = tally;
        d->done = done;
        d->userdata = userdata;
        d->flows = 1; /* this function itself */
        doubts_pump(d);
        if (--d->flows == 0)
                done(userdata, d->failed);
}

static bool doubts_is_at(const struct doubts *d, size_t i, const char *key)
{
        return d->open[i] && str_eq(d->items[i].key, key);
}

static bool doubts_is_below(const struct doubts *d, size_t i, const char *key)
{
        return d->open[i] && entry_key_below(d->items[i].key, key);
}

bool doubts_await(const struct doubts *d, const char *key)
{
        for (size_t i = 0; d && i < d->n; i++)
                if (d->items[i].kind != KIND_NONE &&
                    (doubts_is_at(d, i, key) || doubts_is_below(d, i, key)))
                        return true;
        return false;
}

/* The content of a file is not known before it is read; that of one that grew or shrank is another. */
bool doubts_other(const struct doubts *d, const struct entry *becomes)
{
        for (size_t i = 0; d && i < d->n; i++) {
                const struct doubt *doubt = &d->items[i];

                if (doubt->kind != KIND_NONE && doubts_is_at(d, i, becomes->key) &&
                    (doubt->kind != becomes->kind ||
                     (doubt->kind == KIND_FILE && doubt->size != becomes->size)))
                        return true;
        }
        return false;
}

bool doubts_open(const struct doubts *d, const char *key)
{
        for (size_t i = 0; d && i < d->n; i++)
                if (doubts_is_at(d, i, key))
                        return true;
        return false;
}

bool doubts_below(const struct doubts *d, const char *key)
{
        for (size_t i = 0; d && i < d->n; i++)
                if (doubts_is_at(d, i, key) || doubts_is_below(d, i, key))
                        return true;
        return false;
}
