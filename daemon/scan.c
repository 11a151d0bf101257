/* SPDX-License-Identifier: MIT */

#include "daemon/scan.h"

#include "daemon/mounts.h"
#include "lib/base/str.h"
#include "lib/core/match.h"
#include "lib/engine/ahead.h"
#include "lib/engine/walk.h"

#include <errno.h>
#include <time.h>

struct scan {
        uv_work_t work;
        struct scan_args args;
        struct scan_result result;
        atomic_bool stop;
        void (*done)(void *userdata, struct scan_result *result);
        void *userdata;
};

DEFINE_CLEANUP(struct entry_iter *, store_iter_destroy)

static int64_t scan_clock_ns(clockid_t clock)
{
        struct timespec ts;

        clock_gettime(clock, &ts);
        return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int scan_make(void *userdata, const struct op *op)
{
        struct scan *s = userdata;

        return spool_add(s->result.makes, op, &s->result.err);
}

static int scan_drop(void *userdata, const struct op *op)
{
        struct scan *s = userdata;

        return spool_add(s->result.drops, op, &s->result.err);
}

/* A spool that most scans do not need. */
static int scan_aside(struct scan *s, struct spool **spool, const struct op *op)
{
        int r = *spool ? 0 : spool_create(spool, s->args.state_dir, &s->result.err);

        return r < 0 ? r : spool_add(*spool, op, &s->result.err);
}

static int scan_left(void *userdata, const struct entry *known)
{
        struct scan *s = userdata;
        struct op op = {.verb = OP_TOUCH, .entry = *known}; /* whatever: the entry matters */

        return scan_aside(s, &s->result.left, &op);
}

static int scan_young(void *userdata, const struct op *op)
{
        struct scan *s = userdata;

        return scan_aside(s, &s->result.young, op);
}

static void scan_note(void *userdata, enum plan_note note, const char *key, int err,
                      const char *why)
{
        struct scan_result *r = &((struct scan *)userdata)->result;
        char *copy = NULL;

        if (r->n_notes < SCAN_NOTES_MAX)
                copy = str_dup(key);
        if (!copy) {
                r->more_notes++;
                return;
        }
        r->notes[r->n_notes++] =
                (struct scan_note){.note = note, .key = copy, .err = err, .why = why};
}

static int scan_plan(struct scan *s, struct entry_iter *seen, struct mounts *mounts)
{
        struct scan_args *a = &s->args;
        struct scan_result *result = &s->result;
        _cleanup_(store_iter_destroyp) struct entry_iter *known = NULL;
        _cleanup_(store_iter_destroyp) struct entry_iter *remote = NULL;
        struct plan_sink sink = {
                .make = scan_make, .drop = scan_drop, .note = scan_note, .userdata = s};
        struct store_totals totals;
        struct diff diff;
        int r;

        if (a->moves) {
                sink.left = scan_left;
                sink.young = scan_young;
        }
        r = store_totals(a->store, &totals, &result->err);
        if (r == 0)
                r = store_known_iter(a->store, &known, &result->err);
        if (r == 0 && a->use_remote)
                r = store_remote_iter(a->store, &remote, &result->err);
        if (r < 0)
                return r;
        a->policy.known_total = totals.files + totals.dirs;
        a->policy.now_ns = result->began_ns;
        r = mounts_begin(mounts, a->root_fd, a->mounts, seen);
        if (r < 0)
                return err_set(&result->err, ENOMEM, "no memory");
        diff_init(&diff, known, &mounts->iter, a->known_root_dev);
        diff_set_mounts(&diff, mounts->verdicts, mounts->n_verdicts);
        r = plan_run(&a->policy, &diff, remote, &sink, &result->totals);
        diff_finish(&diff);
        if (r == 0 && result->in_part)
                result->not_enough = mounts->n_found > 0 || result->totals.held ||
                                     result->totals.unseen > 0 || result->n_notes > 0 ||
                                     result->more_notes > 0;
        else if (r == 0)
                result->mounts = mounts_fact(mounts, a->root_fd, a->mounts);
        if (r < 0 && result->err.code == 0)
                store_iter_err(known, &result->err);
        if (r < 0 && result->err.code == 0)
                err_errno(&result->err, -r, "the scan ended early");
        return r;
}

static int scan_all(struct scan *s)
{
        struct scan_args *a = &s->args;
        struct scan_result *result = &s->result;
        _cleanup_(match_destroyp) struct match *match = NULL;
        _cleanup_(walk_destroyp) struct walk *walk = NULL;
        _cleanup_(ahead_destroyp) struct ahead *ahead = NULL; /* ends before what it reads */
        struct walk_options options = {.follow = a->follow,
                                       .stir = a->stir,
                                       .enter = a->enter,
                                       .userdata = a->enter_userdata,
                                       .stop = &s->stop};
        struct mounts mounts = {0};
        int r;

        result->in_part = a->stir && !a->stir->all && !a->follow;
        result->notes = calloc(SCAN_NOTES_MAX, sizeof(struct scan_note));
        if (!result->notes)
                return err_set(&result->err, ENOMEM, "no memory");
        r = match_create(&match, a->exclude, &result->err);
        options.match = match;
        if (r == 0)
                r = walk_create(&walk, a->root_fd, &options, &result->err);
        if (r == 0)
                r = spool_create(&result->makes, a->state_dir, &result->err);
        if (r == 0)
                r = spool_create(&result->drops, a->state_dir, &result->err);
        if (r == 0)
                r = ahead_create(&ahead, walk_iter(walk), &result->err);
        if (r == 0)
                r = scan_plan(s, ahead_iter(ahead), &mounts);
        mounts_finish(&mounts);
        if (r == 0)
                r = spool_rewind(result->makes, &result->err);
        if (r == 0)
                r = spool_rewind(result->drops, &result->err);
        if (r == 0 && result->young)
                r = spool_rewind(result->young, &result->err);
        return r;
}

static void scan_work(uv_work_t *work)
{
        struct scan *s = CONTAINER_OF(work, struct scan, work);
        int64_t began = scan_clock_ns(CLOCK_MONOTONIC);

        s->result.began_ns = scan_clock_ns(CLOCK_REALTIME);
        s->result.r = scan_all(s);
        s->result.seconds = (double)(scan_clock_ns(CLOCK_MONOTONIC) - began) / 1e9;
}

static void scan_worked(uv_work_t *work, int status _unused_)
{
        struct scan *s = CONTAINER_OF(work, struct scan, work);

        s->done(s->userdata, &s->result);
        free(s);
}

int scan_start(struct scan **ret, uv_loop_t *loop, const struct scan_args *args,
               void (*done)(void *userdata, struct scan_result *result), void *userdata)
{
        struct scan *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        s->args = *args;
        s->done = done;
        s->userdata = userdata;
        r = uv_queue_work(loop, &s->work, scan_work, scan_worked);
        if (r < 0) {
                free(s);
                return r;
        }
        *ret = s;
        return 0;
}

void scan_cancel(struct scan *s)
{
        atomic_store(&s->stop, true);
}

void scan_result_finish(struct scan_result *r)
{
        spool_destroy(r->makes);
        spool_destroy(r->drops);
        spool_destroy(r->left);
        spool_destroy(r->young);
        for (size_t i = 0; i < r->n_notes; i++)
                free(r->notes[i].key);
        free(r->notes);
        free(r->mounts);
        *r = (struct scan_result){0};
}
