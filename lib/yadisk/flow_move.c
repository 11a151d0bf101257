/* SPDX-License-Identifier: MIT */

/*
 *   START ─▶ NOTE ─▶ LEFT (lstat) ─▶ CAME (digest, lstat) ─▶ MOVE ─▶ POLL? ─▶ RECORD
 *     │                                                       │ 404, 409: perhaps it was moved
 *     │                                                       │ already, and the answer lost
 *     └─ settling ───────────────────────────────────────────▶┴─▶ TARGET ─▶ SOURCE ─▶ RECORD
 *                                                                   └ a folder: KNOWN ─▶ LISTED ─▶┘
 *
 * Whatever speaks against it ends with UNNOTE; but once it was asked for and the answer has not said
 * what became of it, only after a look at the cloud: it may have been moved all the same.
 */

#include "lib/yadisk/flow_move.h"

#include "lib/yadisk/errand.h"

#include <errno.h>
#include <stdio.h>

#define MOVE_PATIENCE_MS 600000 /* for an operation: a folder may hold a million files */

enum move_state {
        MOVE_START,
        MOVE_NOTE,   /* a restart will know what we were up to */
        MOVE_LEFT,   /* is it really not at its old key any more? */
        MOVE_CAME,   /* is it what stands at the new one? */
        MOVE_MOVE,
        MOVE_POLL,
        MOVE_TARGET, /* what stands in the cloud at the new key … */
        MOVE_SOURCE, /* … and at the old one */
        MOVE_KNOWN,  /* a folder: what the snapshot has in it … */
        MOVE_LISTED, /* … and the cloud, at the new key */
        MOVE_RECORD,
        MOVE_UNNOTE, /* nothing was moved */
};

static const char *const move_names[] = {
        [MOVE_START] = "START",   [MOVE_LEFT] = "LEFT",     [MOVE_CAME] = "CAME",
        [MOVE_MOVE] = "MOVE",     [MOVE_POLL] = "POLL",     [MOVE_TARGET] = "TARGET",
        [MOVE_SOURCE] = "SOURCE", [MOVE_KNOWN] = "KNOWN",   [MOVE_LISTED] = "LISTED",
        [MOVE_RECORD] = "RECORD", [MOVE_NOTE] = "NOTE",     [MOVE_UNNOTE] = "UNNOTE",
};

struct flow_move {
        struct errand e;
        struct op op;
        bool unverified;
        bool asked;              /* it may have been moved: the answer did not say */
        bool settles;            /* it may have been moved, and is not to be any more */
        char *from, *to;
        char *fact;              /* name of the fact that it is being moved */
        const char *why_not;
        struct entry known;      /* what is to be moved, as the snapshot has it */
        int64_t read_ns;         /* when its content was read here */
        struct entry_list below; /* copies: what is known right below a folder */
        struct errand_pages pages;
        struct str cloud_from, cloud_to;
};

static struct flow_move *move_of(struct errand *e)
{
        return CONTAINER_OF(e, struct flow_move, e);
}

static const char *move_path(struct flow_move *f, struct str *cloud, const char *key)
{
        yadisk_path(cloud, f->e.yadisk, key);
        return str_z(cloud);
}

/* ---- the wishes ------------------------------------------------------------------------------- */

/* `value` NULL: it is over. */
static struct record move_fact(const struct flow_move *f, const char *value)
{
        return (struct record){.verb = RECORD_META, .name = f->fact, .value = value};
}

static struct ask move_ask_record(struct flow_move *f)
{
        struct record *r = f->e.records;

        r[0] = (struct record){
                .verb = RECORD_MOVE, .from = f->from, .entry = {.key = f->to}};
        r[1] = move_fact(f, NULL);
        if (f->op.parks || f->settles) /* what stands here at the new key is not known */
                return errand_record(&f->e, 2);
        r[2] = (struct record){.verb = RECORD_ROW, .entry = f->op.entry};
        r[2].entry.flags = 0;
        if (f->op.entry.kind == KIND_FILE) {
                r[2].entry.has_md5 = true;
                memcpy(r[2].entry.md5, f->op.known_md5, sizeof(r[2].entry.md5));
                r[2].entry.flags = (errand_racy(&f->op.entry, f->read_ns) ? ENTRY_RACY : 0) |
                                   (f->unverified ? ENTRY_UNVERIFIED : 0);
        } else {
                r[2].entry.size = 0;
        }
        return errand_record(&f->e, 3);
}

static struct ask move_ask(struct errand *e)
{
        struct flow_move *f = move_of(e);

        switch ((enum move_state)e->state) {
        case MOVE_START:
                break;
        case MOVE_NOTE:
                e->records[0] = move_fact(f, f->to);
                return errand_record(e, 1);
        case MOVE_UNNOTE:
                e->records[0] = move_fact(f, NULL);
                return errand_record(e, 1);
        case MOVE_LEFT:
                return (struct ask){.want = ASK_LOOK, .key = f->from};
        case MOVE_CAME:
                if (f->op.entry.kind == KIND_FILE)
                        return (struct ask){.want = ASK_DIGEST, .entry = &f->op.entry};
                return (struct ask){.want = ASK_LOOK, .key = f->to};
        case MOVE_MOVE:
                yadisk_url_move(&e->url, e->yadisk, move_path(f, &f->cloud_from, f->from),
                                move_path(f, &f->cloud_to, f->to), false);
                return errand_promptly(e, HTTP_POST);
        case MOVE_POLL:
                return errand_operation_ask(e);
        case MOVE_TARGET:
                return errand_look_ask(e, move_path(f, &f->cloud_to, f->to));
        case MOVE_SOURCE:
                return errand_look_ask(e, move_path(f, &f->cloud_from, f->from));
        case MOVE_KNOWN:
                return (struct ask){.want = ASK_KNOWN, .key = f->from};
        case MOVE_LISTED:
                return errand_pages_ask(e, &f->pages, move_path(f, &f->cloud_to, f->to));
        case MOVE_RECORD:
                return move_ask_record(f);
        }
        return errand_end(e, END_STUCK, 0, "internal: no such state");
}

/* ---- what follows ----------------------------------------------------------------------------- */

static struct ask move_not(struct flow_move *f, const char *why)
{
        f->why_not = why;
        return errand_go(&f->e, MOVE_UNNOTE);
}

static struct ask move_store_failed(struct flow_move *f, const struct outcome *in)
{
        return errand_end(&f->e, END_STORE, 0, "%s", in->text ? in->text : "");
}

/* It is not to be moved after all. */
static struct ask move_not_any_more(struct flow_move *f, const char *why)
{
        if (!f->asked)
                return move_not(f, why);
        f->settles = true;
        return errand_go(&f->e, MOVE_TARGET);
}

static struct ask move_took_left(struct flow_move *f, const struct outcome *in)
{
        bool there = in->err == 0 && in->look.stamp.ino == f->op.entry.stamp.ino;

        if (there || (in->err && in->err != ENOENT))
                return move_not_any_more(f, N_("it is still at its old place here"));
        return errand_go(&f->e, f->op.parks ? MOVE_MOVE : MOVE_CAME);
}

static struct ask move_took_came(struct flow_move *f, const struct outcome *in)
{
        if (in->err)
                return move_not_any_more(f, N_("it has left its new place here"));
        if (f->op.entry.kind == KIND_FILE) {
                f->read_ns = in->read_ns;
                if (memcmp(in->md5, f->op.known_md5, sizeof(in->md5)) != 0)
                        return move_not_any_more(f, N_("its content is another one"));
        } else if (in->look.kind != KIND_DIR || in->look.stamp.ino != f->op.entry.stamp.ino) {
                return move_not_any_more(f, N_("it has left its new place here"));
        }
        return errand_go(&f->e, MOVE_MOVE);
}

/* The same again after a wait, beginning with a look here.  That has tries of its own, so these are
 * counted as rounds. */
static struct ask move_again(struct flow_move *f, const struct outcome *in,
                             const struct verdict *v)
{
        unsigned tries = f->e.rounds < ERRAND_TRIES ? f->e.rounds : ERRAND_TRIES - 1;

        f->asked |= v->act == VERDICT_AGAIN;
        f->e.state = MOVE_LEFT;
        f->e.tries = ++f->e.rounds > ERRAND_ROUNDS ? 2 * ERRAND_TRIES : tries;
        return errand_trouble(&f->e, in, v);
}

static struct ask move_took_move(struct flow_move *f, const struct outcome *in)
{
        struct verdict unnamed = {.act = VERDICT_AGAIN, .text = N_("the service is at work on it")};
        struct verdict v = verdict_change(in);

        if (v.act == VERDICT_ASKER)
                return errand_go(&f->e, MOVE_TARGET);
        if (v.act != VERDICT_OK)
                return move_again(f, in, &v);
        if (in->status != 202)
                return errand_go(&f->e, MOVE_RECORD);
        if (errand_operation_begin(&f->e, in))
                return errand_go(&f->e, MOVE_POLL);
        return move_again(f, in, &unnamed); /* asking again tells what became of it */
}

static struct ask move_took_poll(struct flow_move *f, const struct outcome *in)
{
        struct verdict failed = {.act = VERDICT_AGAIN, .text = N_("the service could not move it")};
        struct ask ask;

        switch (errand_operation_took(&f->e, in, MOVE_PATIENCE_MS, &ask)) {
        case ERRAND_RUNNING:
                return ask;
        case ERRAND_FAILED:
        case ERRAND_GONE:
                return move_again(f, in, &failed);
        case ERRAND_SUCCEEDED:
                break;
        }
        return errand_go(&f->e, MOVE_RECORD);
}

static struct ask move_took_target(struct flow_move *f, const struct outcome *in)
{
        struct entry found;
        struct ask ask;

        switch (errand_look_took(&f->e, in, &found, &ask)) {
        case ERRAND_LOOK_TROUBLE:
                return ask;
        case ERRAND_LOOK_NOTHING:
                return move_not(f, N_("it cannot be moved in the cloud"));
        case ERRAND_LOOK_DIR:
        case ERRAND_LOOK_FILE:
                break;
        }
        if (found.kind != f->known.kind ||
            (found.kind == KIND_FILE && !errand_holds(&f->known, &found)))
                return move_not(f, N_("something else stands in the cloud at its new place"));
        return errand_go(&f->e, MOVE_SOURCE);
}

static struct ask move_took_source(struct flow_move *f, const struct outcome *in)
{
        struct entry found;
        struct ask ask;

        switch (errand_look_took(&f->e, in, &found, &ask)) {
        case ERRAND_LOOK_TROUBLE:
                return ask;
        case ERRAND_LOOK_NOTHING:
                return errand_go(&f->e, f->known.kind == KIND_DIR ? MOVE_KNOWN : MOVE_RECORD);
        case ERRAND_LOOK_DIR:
        case ERRAND_LOOK_FILE:
                break;
        }
        return move_not(f, N_("something stands in the cloud at its new place already"));
}

static struct ask move_took_known(struct flow_move *f, const struct outcome *in)
{
        if (in->err)
                return move_store_failed(f, in);
        entry_list_finish(&f->below);
        if (!entry_list_copy(&f->below, &in->known))
                return errand_end(&f->e, END_LATER, 0, "no memory");
        return errand_go(&f->e, MOVE_LISTED);
}

/* Whether all that is known right below the folder stands in it at its new place. */
static bool move_holds_all(const struct flow_move *f)
{
        for (size_t i = 0; i < f->below.n; i++) {
                const struct entry *row = &f->below.items[i];
                const struct entry *item = errand_pages_find(&f->pages, entry_key_name(row->key));

                if (!item || item->kind != row->kind ||
                    (row->kind == KIND_FILE && !errand_holds(row, item)))
                        return false;
        }
        return true;
}

static struct ask move_took_listed(struct flow_move *f, const struct outcome *in)
{
        struct ask ask;

        switch (errand_pages_took(&f->e, &f->pages, in, &ask)) {
        case ERRAND_LIST_MORE:
                return ask;
        case ERRAND_LIST_MISSING:
        case ERRAND_LIST_FILE:
                return move_not(f, N_("it cannot be moved in the cloud"));
        case ERRAND_LIST_WHOLE:
                break;
        }
        if (!move_holds_all(f))
                return move_not(f, N_("something else stands in the cloud at its new place"));
        return errand_go(&f->e, MOVE_RECORD);
}

static struct ask move_took(struct errand *e, const struct outcome *in)
{
        struct flow_move *f = move_of(e);
        struct ask ask;

        switch ((enum move_state)e->state) {
        case MOVE_START:
                return errand_go(e, f->settles ? MOVE_TARGET : MOVE_NOTE);
        case MOVE_NOTE:
                if (in->err)
                        return move_store_failed(f, in);
                return errand_go(e, MOVE_LEFT);
        case MOVE_LEFT:
                return move_took_left(f, in);
        case MOVE_CAME:
                return move_took_came(f, in);
        case MOVE_MOVE:
                return move_took_move(f, in);
        case MOVE_POLL:
                return move_took_poll(f, in);
        case MOVE_TARGET:
                return move_took_target(f, in);
        case MOVE_SOURCE:
                return move_took_source(f, in);
        case MOVE_KNOWN:
                return move_took_known(f, in);
        case MOVE_LISTED:
                return move_took_listed(f, in);
        case MOVE_RECORD:
                if (in->err)
                        return move_store_failed(f, in);
                return errand_end(e, END_DONE, 0, "%s", "");
        case MOVE_UNNOTE:
                if (in->err)
                        return move_store_failed(f, in);
                ask = errand_end(e, END_NOTHING, 0, "%s", tr(f->why_not));
                ask.end.reason = f->why_not;
                return ask;
        }
        return errand_end(e, END_STUCK, 0, "internal: no such state");
}

/* ---- life ------------------------------------------------------------------------------------- */

static void move_destroy(struct flow *flow)
{
        struct flow_move *f = move_of(errand_of(flow));

        entry_list_finish(&f->below);
        errand_pages_finish(&f->pages);
        str_finish(&f->cloud_from);
        str_finish(&f->cloud_to);
        free(f->fact);
        free(f->from);
        free(f->to);
        errand_finish(&f->e);
        free(f);
}

static struct flow_move *move_create(const struct yadisk *y, const struct op *op)
{
        struct flow_move *f = calloc(1, sizeof(*f));

        if (!f)
                return NULL;
        errand_init(&f->e, y, move_names, move_ask, move_took, move_destroy);
        f->op = *op;
        f->cloud_from = f->cloud_to = STR_NULL(YADISK_URL_MAX);
        f->from = str_dup(op->from);
        f->to = str_dup(op->entry.key);
        if (!f->from || !f->to || asprintf(&f->fact, FLOW_MOVE_FACT "%s", f->from) < 0) {
                f->fact = NULL;
                move_destroy(&f->e.flow);
                return NULL;
        }
        f->op.entry.key = f->to;
        f->known = (struct entry){
                .key = f->from, .kind = op->entry.kind, .size = op->known_size, .has_md5 = true};
        memcpy(f->known.md5, op->known_md5, sizeof(f->known.md5));
        return f;
}

struct flow *flow_move(const struct yadisk *y, const struct op *op, bool unverified)
{
        struct flow_move *f = move_create(y, op);

        if (!f)
                return NULL;
        f->unverified = unverified;
        return &f->e.flow;
}

struct flow *flow_move_settle(const struct yadisk *y, const struct entry *row, const char *to)
{
        struct op op = {.verb = OP_MOVE,
                        .from = row->key,
                        .entry = {.key = to, .kind = row->kind},
                        .known_size = row->size};
        struct flow_move *f;

        memcpy(op.known_md5, row->md5, sizeof(op.known_md5));
        f = move_create(y, &op);
        if (!f)
                return NULL;
        f->settles = true;
        return &f->e.flow;
}
