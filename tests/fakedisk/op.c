/* SPDX-License-Identifier: MIT */

/*
 * Nobody waits for an operation: whoever takes the disk's lock next carries out what has become
 * due meanwhile, in the order of the due times.  To everybody outside this is the same as if it
 * had happened on the dot.
 *
 * Operations are remembered for later polls, up to KEPT of them.
 */

#include "op.h"

#define KEPT 200000

static struct op **bucket_of(struct disk *d, const char *id)
{
        uint32_t h = 0;

        for (size_t i = 0; i < 8 && id[i]; i++)
                h = h * 31 + (unsigned char)id[i];
        return &d->ops[h % ARRAY_SIZE(d->ops)];
}

static void op_destroy(struct disk *d, struct op *op)
{
        path_finish(&op->from);
        path_finish(&op->to);
        store_unref(d->tree.store, op->content);
        free(op);
}

static void forget_oldest(struct disk *d)
{
        struct op *op = d->op_oldest, **at = bucket_of(d, op->id);

        while (*at != op)
                at = &(*at)->next;
        *at = op->next;
        d->op_oldest = op->later;
        if (!d->op_oldest)
                d->op_newest = NULL;
        d->op_count--;
        op_destroy(d, op);
}

static void enter(struct disk *d, struct op *op)
{
        struct op **at = bucket_of(d, op->id);

        op->next = *at;
        *at = op;
        if (d->op_newest)
                d->op_newest->later = op;
        else
                d->op_oldest = op;
        d->op_newest = op;
        d->op_count++;
        while (d->op_count > KEPT && d->op_oldest->state != OP_RUNNING)
                forget_oldest(d);
}

struct op *op_create(struct disk *d)
{
        struct op *op = xcalloc(1, sizeof *op);

        hex_name(op->id, rng_next(&d->rng), rng_next(&d->rng));
        enter(d, op);
        return op;
}

struct op *op_find(struct disk *d, const char *id)
{
        struct op *op = *bucket_of(d, id);

        while (op && strcmp(op->id, id) != 0)
                op = op->next;
        return op;
}

void op_end(struct disk *d, struct op *op, bool ok)
{
        if (!op || op->state != OP_RUNNING)
                return;
        op->state = ok ? OP_DONE : OP_FAILED;
        op->finished_us = now_mono_us();
        store_unref(d->tree.store, TAKE_PTR(op->content));
}

static void carry_out(struct disk *d, struct op *op)
{
        bool ok = d->cfg.op_result == OP_RESULT_SUCCESS;

        op->locks = false;
        op_end(d, op, ok && op->apply(d, op) == SVC_OK);
}

static void queue(struct disk *d, struct op *op, int64_t due_us)
{
        struct op **at = &d->op_due;

        op->scheduled = true;
        op->due_us = due_us;
        while (*at && (*at)->due_us <= op->due_us)
                at = &(*at)->due_next;
        op->due_next = *at;
        *at = op;
}

void op_schedule(struct disk *d, struct op *op, int64_t ms)
{
        op->polls = d->cfg.op_polls;
        if (ms == 0)
                carry_out(d, op);
        else
                queue(d, op, now_mono_us() + ms * 1000);
}

void op_run_due(struct disk *d)
{
        while (d->op_due && d->op_due->due_us <= now_mono_us()) {
                struct op *op = d->op_due;

                d->op_due = op->due_next;
                op->scheduled = false;
                carry_out(d, op);
        }
}

static bool in_the_way(const struct path *held, const struct path *p, bool whole)
{
        if (!held->s)
                return false;
        return path_is_below(p, held) || (whole && path_is_below(held, p));
}

bool op_locked(const struct disk *d, const struct path *p, bool whole)
{
        for (const struct op *op = d->op_due; op; op = op->due_next)
                if (op->locks && (in_the_way(&op->from, p, whole) || in_the_way(&op->to, p, whole)))
                        return true;
        return false;
}

static struct path copy_path(const struct path *p)
{
        return (struct path){p->area, p->app, p->s ? xstrndup(p->s, p->len) : NULL, p->len};
}

void op_copy(struct disk *d, const struct op *op, int64_t later_us)
{
        struct op *copy = xcalloc(1, sizeof *copy);

        memcpy(copy->id, op->id, sizeof copy->id);
        enter(d, copy);
        copy->locks = op->locks;
        copy->polls = op->polls;
        copy->apply = op->apply;
        copy->from = copy_path(&op->from);
        copy->to = copy_path(&op->to);
        copy->overwrite = op->overwrite;
        copy->permanently = op->permanently;
        copy->content = op->content ? store_ref(d->tree.store, op->content) : NULL;
        queue(d, copy, op->due_us + later_us);
}

void op_reset(struct disk *d)
{
        d->op_due = NULL;
        while (d->op_oldest)
                forget_oldest(d);
}

const char *op_status(struct disk *d, const char *id)
{
        const char *status = "in-progress";
        struct op *op;

        disk_lock(d);
        op = op_find(d, id);
        if (!op || (op->state != OP_RUNNING && d->cfg.op_retention_ms > 0 &&
                    op->finished_us + d->cfg.op_retention_ms * 1000 < now_mono_us()))
                status = NULL;
        else if (op->state != OP_RUNNING && op->polls > 0)
                op->polls--;
        else if (op->state == OP_DONE)
                status = "success";
        else if (op->state == OP_FAILED)
                status = d->cfg.op_result == OP_RESULT_FAILURE ? "failure" : "failed";
        disk_unlock(d);
        return status;
}
