/* SPDX-License-Identifier: MIT */

#include "daemon/audit_impl.h"

#define AUDIT_FOLDERS 256       /* a round */
#define AUDIT_PATIENCE_MS 30000 /* so long the service may show an old state after a change */

/* ---- mending --------------------------------------------------------------------------------- */

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
        a->counts.unlisted++;
        if (*end->text)
                audit_say_unlisted(a, key, end);
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

/* ---- the brake ------------------------------------------------------------------------------- */

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

/* ---- looking --------------------------------------------------------------------------------- */

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

void audit_round(struct audit *a)
{
        audit_job(a, audit_job_folders, audit_got_folders);
}
