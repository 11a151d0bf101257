/* SPDX-License-Identifier: MIT */

/*
 *      link_create          link_claim             link_commit
 *   ------------------> FRESH ---------> BUSY -------------------> SPENT
 *                         ^               |  \    link_spoil         ^
 *                         |  link_abandon |   `----------------------'
 *                         `---------------'      (link_abandon, unless links can be used again)
 *
 * A busy link belongs to one request; nothing else changes it, and it is not forgotten.  A link
 * whose request outlives a reset of the disk then finds its folder missing, as it would in life.
 */

#include <stdio.h>
#include <time.h>

#include "change.h"
#include "link.h"
#include "op.h"

#define KEPT 200000

static struct link **bucket_of(struct disk *d, const char *token)
{
        uint64_t h = 0;

        for (; *token; token++)
                h = h * 31 + (unsigned char)*token;
        return &d->links[mix64(h) % ARRAY_SIZE(d->links)];
}

static void link_destroy(struct link *l)
{
        path_finish(&l->path);
        body_destroy(l->partial);
        free(l);
}

static bool over(const struct link *l)
{
        return l->state == LINK_SPENT ||
               (l->state == LINK_FRESH && l->expires_us < now_mono_us());
}

static void forget_oldest(struct disk *d)
{
        struct link *l = d->link_oldest, **at = bucket_of(d, l->token);

        while (*at != l)
                at = &(*at)->next;
        *at = l->next;
        d->link_oldest = l->later;
        if (!d->link_oldest)
                d->link_newest = NULL;
        d->link_count--;
        link_destroy(l);
}

static void name_link(struct disk *d, struct link *l)
{
        static const char digit[] = "abcdefghijklmnopqrstuvwxyz0123456789";
        int64_t now = now_real_us(), moscow = now / 1000000 + 3 * 3600;
        char name[26], stamp[20];
        struct tm tm;

        for (size_t i = 0; i < 25; i++)
                name[i] = digit[rng_below(&d->rng, 36)];
        name[25] = '\0';
        gmtime_r(&moscow, &tm);
        strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%S", &tm);
        snprintf(l->token, sizeof l->token, "%s.%03d.utd.%s-k1f.%llu", stamp,
                 (int)(now / 1000 % 1000), name, (unsigned long long)++d->link_serial % 10000000);
}

static struct link *make(struct disk *d, const struct path *p)
{
        struct link *l = xcalloc(1, sizeof *l), **at;

        name_link(d, l);
        l->path = (struct path){p->area, p->app, xstrndup(p->s, p->len), p->len};
        l->expires_us = now_mono_us() + d->cfg.link_life_ms * 1000;
        at = bucket_of(d, l->token);
        l->next = *at;
        *at = l;
        if (d->link_newest)
                d->link_newest->later = l;
        else
                d->link_oldest = l;
        d->link_newest = l;
        d->link_count++;
        while (d->link_count > KEPT && over(d->link_oldest))
                forget_oldest(d);
        return l;
}

static enum svc_error check_account(const struct disk *d)
{
        int64_t used = disk_used(d);

        if (d->cfg.upload_limit_bytes >= 0 && d->uploaded_bytes >= d->cfg.upload_limit_bytes)
                return SVC_TRAFFIC;
        if (used > d->cfg.quota)
                return SVC_FORBIDDEN;
        return used == d->cfg.quota ? SVC_QUOTA : SVC_OK;
}

enum svc_error link_create(struct disk *d, const struct path *p, bool overwrite, bool slow,
                           char ret_token[72], char ret_op[65])
{
        struct link *l;
        struct op *op;
        enum svc_error e;

        disk_lock(d);
        e = change_check_commit(d, p, overwrite);
        if (e == SVC_OK)
                e = check_account(d);
        if (e == SVC_OK) {
                l = make(d, p);
                op = op_create(d);
                memcpy(l->op_id, op->id, sizeof l->op_id);
                l->overwrite = overwrite;
                l->slow = slow;
                memcpy(ret_token, l->token, sizeof l->token);
                memcpy(ret_op, op->id, sizeof op->id);
        }
        disk_unlock(d);
        return e;
}

static struct link *find(struct disk *d, const char *token)
{
        struct link *l = *bucket_of(d, token);

        while (l && strcmp(l->token, token) != 0)
                l = l->next;
        return l;
}

static void set_busy(struct disk *d, struct link *l)
{
        l->state = LINK_BUSY;
        l->busy_prev = NULL;
        l->busy_next = d->link_busy;
        if (d->link_busy)
                d->link_busy->busy_prev = l;
        d->link_busy = l;
}

static void set_idle(struct disk *d, struct link *l, enum link_state state)
{
        l->state = state;
        if (l->busy_prev)
                l->busy_prev->busy_next = l->busy_next;
        else
                d->link_busy = l->busy_next;
        if (l->busy_next)
                l->busy_next->busy_prev = l->busy_prev;
}

enum link_claim link_claim(struct disk *d, const char *token, struct link **ret)
{
        enum link_claim claim = LINK_CLAIMED;
        struct link *l;

        disk_lock(d);
        l = find(d, token);
        if (!l)
                claim = LINK_UNKNOWN;
        else if (l->state == LINK_BUSY)
                claim = LINK_USED;
        else if (l->state == LINK_SPENT && d->cfg.link_reuse == LINK_REUSE_REFUSED)
                claim = LINK_USED;
        else if (l->expires_us < now_mono_us())
                claim = LINK_EXPIRED;
        else
                set_busy(d, *ret = l);
        disk_unlock(d);
        return claim;
}

bool link_target(struct disk *d, const char *token, struct path *ret)
{
        struct link *l;

        disk_lock(d);
        l = find(d, token);
        if (l)
                *ret = (struct path){l->path.area, l->path.app,
                                     xstrndup(l->path.s, l->path.len), l->path.len};
        disk_unlock(d);
        return l != NULL;
}

int64_t link_held(struct disk *d, const char *token)
{
        int64_t held = -1;
        struct link *l;

        disk_lock(d);
        l = find(d, token);
        if (l && l->state == LINK_FRESH)
                held = l->partial ? body_size(l->partial) : 0;
        disk_unlock(d);
        return held;
}

void link_abandon(struct disk *d, struct link *l, struct body *partial)
{
        bool again;

        disk_lock(d);
        again = d->cfg.resume || d->cfg.link_reuse == LINK_REUSE_ALLOWED;
        set_idle(d, l, again ? LINK_FRESH : LINK_SPENT);
        if (d->cfg.resume)
                l->partial = TAKE_PTR(partial);
        if (!again)
                op_end(d, op_find(d, l->op_id), false);
        disk_unlock(d);
        body_destroy(partial);
}

void link_spoil(struct disk *d, struct link *l)
{
        disk_lock(d);
        set_idle(d, l, LINK_SPENT);
        op_end(d, op_find(d, l->op_id), false);
        disk_unlock(d);
}

enum svc_error link_commit(struct disk *d, struct link *l, struct content *c)
{
        enum svc_error e;

        disk_lock(d);
        if (l->void_) {
                store_unref(d->tree.store, c);
                e = SVC_NO_PARENT;
        } else {
                e = change_commit(d, &l->path, l->overwrite, c);
        }
        set_idle(d, l, LINK_SPENT);
        op_end(d, op_find(d, l->op_id), e == SVC_OK);
        disk_unlock(d);
        return e;
}

static enum svc_error apply_commit(struct disk *d, struct op *op)
{
        return change_commit(d, &op->from, op->overwrite, TAKE_PTR(op->content));
}

void link_commit_later(struct disk *d, struct link *l, struct content *c, int64_t ms)
{
        struct op *op;

        disk_lock(d);
        op = op_find(d, l->op_id);
        if (op && op->state == OP_RUNNING) {
                op->apply = apply_commit;
                op->content = TAKE_PTR(c);
                op->overwrite = l->overwrite;
                op->from = (struct path){l->path.area, l->path.app,
                                         xstrndup(l->path.s, l->path.len), l->path.len};
                op_schedule(d, op, ms);
        }
        set_idle(d, l, LINK_SPENT);
        disk_unlock(d);
        store_unref(d->tree.store, c);
}

bool link_busy_below(const struct disk *d, const struct path *p)
{
        for (const struct link *l = d->link_busy; l; l = l->busy_next)
                if (path_is_below(&l->path, p))
                        return true;
        return false;
}

void link_void(struct disk *d)
{
        for (struct link *l = d->link_busy; l; l = l->busy_next)
                l->void_ = true;
}

void link_reset(struct disk *d)
{
        while (d->link_oldest && d->link_oldest->state != LINK_BUSY)
                forget_oldest(d);
}
