/* SPDX-License-Identifier: MIT */

#include "daemon/failures.h"

#include "lib/base/map.h"
#include "lib/base/str.h"

#include <stdio.h>

#define FAILURES_FIRST_MS 30000
#define FAILURES_MOST_MS 86400000
#define FAILURES_SAY_AGAIN_MS 21600000
#define FAILURES_MAX 100000 /* more are simply tried at every pass */

struct failure {
        struct failure *prev, *next;
        char *key;
        char text[256];
        struct stamp stamp;
        uint64_t size;
        unsigned times;
        bool wrong;        /* it was sent, and something else stands there */
        int64_t next_ms;
        int64_t said_ms;
};

struct remark {
        struct remark *next;
        char *key;
        int what;
        bool current; /* said by the scan at hand */
};

struct failures {
        struct map *by_key;
        struct failure *all;
        struct map *remarks;
        struct remark *all_remarks;
};

struct failures *failures_create(void)
{
        struct failures *f = calloc(1, sizeof(*f));

        if (!f)
                return NULL;
        f->by_key = map_create();
        f->remarks = map_create();
        if (f->by_key && f->remarks)
                return f;
        failures_destroy(f);
        return NULL;
}

void failures_destroy(struct failures *f)
{
        if (!f)
                return;
        while (f->all)
                failures_proven(f, f->all->key);
        failures_remarks_begin(f, NULL);
        failures_remarks_end(f);
        if (f->by_key)
                map_destroy(f->by_key);
        if (f->remarks)
                map_destroy(f->remarks);
        free(f);
}

static bool failures_same(const struct failure *known, const struct entry *e)
{
        return known->size == e->size && entry_stamp_eq(&known->stamp, &e->stamp);
}

bool failures_waiting(const struct failures *f, const struct entry *e, int64_t now_ms)
{
        const struct failure *known = map_get(f->by_key, e->key, strlen(e->key));

        return known && now_ms < known->next_ms && failures_same(known, e);
}

static struct failure *failures_new(struct failures *f, const char *key)
{
        struct failure *n = map_count(f->by_key) < FAILURES_MAX ? calloc(1, sizeof(*n)) : NULL;

        if (!n)
                return NULL;
        n->key = str_dup(key);
        if (!n->key || map_set(f->by_key, key, strlen(key), n) < 0) {
                free(n->key);
                free(n);
                return NULL;
        }
        n->next = f->all;
        if (f->all)
                f->all->prev = n;
        f->all = n;
        return n;
}

static struct failure_told failures_note(struct failures *f, const struct entry *e, bool wrong,
                                         const char *text, int64_t least_ms, int64_t now_ms)
{
        struct failure *known = map_get(f->by_key, e->key, strlen(e->key));
        struct failure_told told = {.delay_ms = FAILURES_FIRST_MS, .times = 1, .say = FAILURE_NEWS};
        bool same_text = known && strncmp(known->text, text, sizeof(known->text) - 1) == 0;

        if (!known)
                known = failures_new(f, e->key);
        if (!known)
                return told;
        if (!failures_same(known, e))
                known->times = 0;
        for (unsigned i = 0; i < known->times && told.delay_ms < FAILURES_MOST_MS; i++)
                told.delay_ms *= 2;
        if (wrong) /* the first time it is sent again at once */
                told.delay_ms = known->times == 0 ? 0 : told.delay_ms / 2;
        if (told.delay_ms < least_ms)
                told.delay_ms = least_ms;
        if (told.delay_ms > FAILURES_MOST_MS)
                told.delay_ms = FAILURES_MOST_MS;
        told.times = ++known->times;
        if (same_text && known->times > 1)
                told.say = now_ms - known->said_ms >= FAILURES_SAY_AGAIN_MS ? FAILURE_STILL
                                                                            : FAILURE_QUIET;
        if (told.say != FAILURE_QUIET)
                known->said_ms = now_ms;
        known->wrong = wrong;
        known->size = e->size;
        known->stamp = e->stamp;
        known->next_ms = now_ms + told.delay_ms;
        str_copy(known->text, sizeof(known->text), text);
        return told;
}

struct failure_told failures_add(struct failures *f, const struct entry *e, const char *text,
                                 int64_t least_ms, int64_t now_ms)
{
        return failures_note(f, e, false, text, least_ms, now_ms);
}

struct failure_told failures_wrong(struct failures *f, const struct entry *e, int64_t now_ms)
{
        return failures_note(f, e, true, "what arrived is not what was sent", 0, now_ms);
}

void failures_clear(struct failures *f, const char *key)
{
        const struct failure *known = map_get(f->by_key, key, strlen(key));

        if (known && !known->wrong)
                failures_proven(f, key);
}

void failures_proven(struct failures *f, const char *key)
{
        struct failure *known = map_remove(f->by_key, key, strlen(key));

        if (!known)
                return;
        if (known->prev)
                known->prev->next = known->next;
        else
                f->all = known->next;
        if (known->next)
                known->next->prev = known->prev;
        free(known->key);
        free(known);
}

void failures_remarks_begin(struct failures *f, const struct stir *looked)
{
        for (struct remark *r = f->all_remarks; r; r = r->next)
                r->current = looked && stir_need(looked, r->key) < STIR_ITSELF;
}

bool failures_remark(struct failures *f, const char *key, int what)
{
        struct remark *r = map_get(f->remarks, key, strlen(key));
        bool news = !r || r->what != what;

        if (!r && map_count(f->remarks) < FAILURES_MAX) {
                r = calloc(1, sizeof(*r));
                if (r)
                        r->key = str_dup(key);
                if (!r || !r->key || map_set(f->remarks, key, strlen(key), r) < 0) {
                        if (r)
                                free(r->key);
                        free(r);
                        return true;
                }
                r->next = f->all_remarks;
                f->all_remarks = r;
        }
        if (r) {
                r->what = what;
                r->current = true;
        }
        return news;
}

void failures_remarks_end(struct failures *f)
{
        for (struct remark **link = &f->all_remarks, *r; (r = *link);) {
                if (r->current) {
                        link = &r->next;
                        continue;
                }
                *link = r->next;
                map_remove(f->remarks, r->key, strlen(r->key));
                free(r->key);
                free(r);
        }
}

static struct failure_view failures_view(const struct failure *f)
{
        return (struct failure_view){
                .key = f->key, .text = f->text, .times = f->times, .next_ms = f->next_ms};
}

void failures_each(const struct failures *f,
                   bool (*show)(void *userdata, const struct failure_view *v), void *userdata)
{
        for (const struct failure *known = f->all; known; known = known->next) {
                struct failure_view v = failures_view(known);

                if (!show(userdata, &v))
                        return;
        }
}

bool failures_find(const struct failures *f, const char *key, struct failure_view *ret)
{
        const struct failure *known = map_get(f->by_key, key, strlen(key));

        if (known)
                *ret = failures_view(known);
        return known;
}

size_t failures_count(const struct failures *f)
{
        return map_count(f->by_key);
}
