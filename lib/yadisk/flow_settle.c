/* SPDX-License-Identifier: MIT */

/*
 *   START ─▶ LOOK ─▶ RECORD
 *
 *   there is …                  before it is due        after that
 *   what it was to become       ours, settled           ours, settled
 *   what the row says           kept in doubt           settled: it did not happen
 *   nothing, or anything else   kept in doubt           the row is forgotten, settled
 *
 * Before it is due only a good end is believed: the service may yet do what it was asked for, and for
 * a while it may show an old state.  What is kept in doubt is looked at once more, when it is due.
 *
 * A row that is written here has no stamp, so that the next scan compares the file with it, and
 * removes what is gone here or sends what is another.  Nor does it say on which disk it stands
 * (diff.c).
 *
 * Of a folder that was to go and stands there still, only its name is known then.  Somebody may have
 * made it anew, so that what is believed to be in it is not: whoever asked has it listed.
 */

#include "lib/yadisk/flow_settle.h"

#include "lib/yadisk/errand.h"

#define SETTLE_DUE_MS 60000     /* nothing takes longer, … */
#define SETTLE_GIB_MS 300000    /* … but for what grows with the file */
#define SETTLE_TRIES 3          /* all else waits for it */

enum settle_state { SETTLE_START, SETTLE_LOOK, SETTLE_RECORD };

static const char *const settle_names[] = {
        [SETTLE_START] = "START", [SETTLE_LOOK] = "LOOK", [SETTLE_RECORD] = "RECORD",
};

enum settle_found {
        SETTLE_OURS,   /* it has become what it was to become */
        SETTLE_AS_WAS, /* what the row says */
        SETTLE_OTHER,
};

struct flow_settle {
        struct errand e;
        struct settle_args args;
        char *key;
        struct entry row;
        struct str cloud;
        enum settle_found found;
};

static struct flow_settle *settle_of(struct errand *e)
{
        return CONTAINER_OF(e, struct flow_settle, e);
}

/* The row, and the end of the doubt. */
static size_t settle_records(struct flow_settle *f)
{
        struct record *r = f->e.records;
        struct entry gone = {.key = f->key};
        size_t n = 0;

        if (f->found == SETTLE_OURS && f->args.becomes.kind != KIND_NONE)
                r[n++] = (struct record){.verb = RECORD_ROW, .entry = f->args.becomes};
        else if (f->found != SETTLE_AS_WAS)
                r[n++] = (struct record){.verb = RECORD_FORGET_TREE,
                                         .entry = gone,
                                         .removed = f->args.becomes.kind == KIND_NONE};
        return errand_settled(&f->e, n, f->key);
}

static struct ask settle_ask(struct errand *e)
{
        struct flow_settle *f = settle_of(e);
        struct ask ask;

        switch ((enum settle_state)e->state) {
        case SETTLE_START:
                break;
        case SETTLE_LOOK:
                yadisk_path(&f->cloud, e->yadisk, f->key);
                return errand_look_ask(e, str_z(&f->cloud));
        case SETTLE_RECORD:
                if (f->args.due || f->found == SETTLE_OURS)
                        return errand_record(e, settle_records(f));
                ask = errand_doubt(e, f->key, &f->args.becomes);
                e->records[0].when_ms = f->args.when_ms;
                e->records[0].looked = true;
                return ask;
        }
        return errand_end(e, END_STUCK, 0, "internal: no such state");
}

static bool settle_is(const struct entry *what, const struct entry *found)
{
        if (what->kind == KIND_FILE)
                return errand_holds(what, found);
        return what->kind == found->kind;
}

static struct ask settle_took_look(struct flow_settle *f, const struct outcome *in)
{
        struct entry found = {.kind = KIND_NONE};
        struct ask ask;

        if (errand_look_took(&f->e, in, &found, &ask) == ERRAND_LOOK_TROUBLE) {
                if (ask.want == ASK_WAIT && f->e.tries > SETTLE_TRIES)
                        return errand_end(&f->e, END_LATER, 0, "it cannot be looked at");
                return ask;
        }
        f->found = settle_is(&f->args.becomes, &found) ? SETTLE_OURS
                   : settle_is(&f->row, &found)        ? SETTLE_AS_WAS
                                                       : SETTLE_OTHER;
        if (!f->args.due && f->found != SETTLE_OURS && f->args.looked)
                return errand_end(&f->e, END_NOTHING, 0, "%s", "");
        return errand_go(&f->e, SETTLE_RECORD);
}

static struct ask settle_took(struct errand *e, const struct outcome *in)
{
        struct flow_settle *f = settle_of(e);

        switch ((enum settle_state)e->state) {
        case SETTLE_START:
                return errand_go(e, SETTLE_LOOK);
        case SETTLE_LOOK:
                return settle_took_look(f, in);
        case SETTLE_RECORD:
                if (in->err)
                        return errand_end(e, END_STORE, 0, "%s", in->text ? in->text : "");
                return errand_end(e, f->args.due || f->found == SETTLE_OURS ? END_DONE : END_NOTHING, 0,
                                  "%s", "");
        }
        return errand_end(e, END_STUCK, 0, "internal: no such state");
}

static void settle_destroy(struct flow *flow)
{
        struct flow_settle *f = settle_of(errand_of(flow));

        str_finish(&f->cloud);
        free(f->key);
        errand_finish(&f->e);
        free(f);
}

bool flow_settle_due(const struct entry *becomes, int64_t since_ms)
{
        int64_t size_ms = (int64_t)((double)becomes->size / (1u << 30) * SETTLE_GIB_MS);

        return since_ms >= SETTLE_DUE_MS + size_ms;
}

const char *flow_settle_key(const struct flow *f)
{
        return settle_of(errand_of((struct flow *)f))->key;
}

bool flow_settle_folder_stands(const struct flow *flow)
{
        const struct flow_settle *f = settle_of(errand_of((struct flow *)flow));

        return f->args.due && f->found == SETTLE_AS_WAS && f->row.kind == KIND_DIR;
}

struct flow *flow_settle(const struct settle_args *args)
{
        struct flow_settle *f = calloc(1, sizeof(*f));

        if (!f)
                return NULL;
        errand_init(&f->e, args->yadisk, settle_names, settle_ask, settle_took, settle_destroy);
        f->args = *args;
        f->args.row = NULL;
        if (args->row)
                f->row = *args->row;
        f->cloud = STR_NULL(YADISK_URL_MAX);
        f->key = str_dup(args->becomes.key);
        if (!f->key) {
                settle_destroy(&f->e.flow);
                return NULL;
        }
        f->args.becomes.key = f->row.key = f->key;
        return &f->e.flow;
}
