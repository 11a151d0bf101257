/* SPDX-License-Identifier: MIT */

/*
 * Entries are kept as the text they will be printed as, in blocks of a megabyte: a busy benchmark
 * makes hundreds of thousands of them.  Peaks are exact: the arrival times of the last second are
 * in a ring.
 */

#include <pthread.h>

#include "journal.h"

#define BLOCK (1 << 20)

struct block {
        struct block *next;
        struct buf text;
};

struct journal {
        pthread_mutex_t lock;
        struct block *first, *last;
        int64_t bytes;                  /* of all blocks */
        uint64_t seq, dropped;
        uint64_t open;                  /* requests whose answer is not decided */
        int64_t epoch_us;               /* when t_ms was 0 */
        uint64_t count[EP_COUNT_];
        uint64_t total, by_origin[ORIGIN_COUNT_];
        uint64_t bytes_in;
        uint64_t puts, max_puts;
        int64_t *ring;                  /* arrivals of API requests, the oldest at `head` */
        size_t head, n, cap;
        size_t max_rps;
};

static const char *const origins[] = {
        [ORIGIN_API] = "api",
        [ORIGIN_UPLOADER] = "uploader",
        [ORIGIN_DOWNLOADER] = "downloader",
};

struct journal *journal_create(void)
{
        struct journal *j = xcalloc(1, sizeof *j);

        pthread_mutex_init(&j->lock, NULL);
        j->epoch_us = now_mono_us();
        return j;
}

static void drop_first(struct journal *j)
{
        struct block *b = j->first;

        for (const char *s = b->text.s; s && (s = strchr(s, '\n')); s++)
                j->dropped++;
        j->bytes -= (int64_t)b->text.len;
        j->first = b->next;
        if (!j->first)
                j->last = NULL;
        buf_finish(&b->text);
        free(b);
}

static struct block *add_block(struct journal *j)
{
        struct block *b = xcalloc(1, sizeof *b);

        buf_reserve(&b->text, BLOCK);
        *(j->last ? &j->last->next : &j->first) = b;
        j->last = b;
        return b;
}

void journal_clear(struct journal *j)
{
        pthread_mutex_lock(&j->lock);
        while (j->first)
                drop_first(j);
        memset(j->count, 0, sizeof j->count);
        memset(j->by_origin, 0, sizeof j->by_origin);
        j->total = j->bytes_in = j->dropped = 0;
        j->max_puts = j->puts;
        j->max_rps = j->n = j->head = 0;
        pthread_mutex_unlock(&j->lock);
}

void journal_copy(struct journal *to, struct journal *from)
{
        journal_clear(to);
        pthread_mutex_lock(&from->lock);
        pthread_mutex_lock(&to->lock);
        for (const struct block *b = from->first; b; b = b->next) {
                struct block *copy = add_block(to);

                buf_add(&copy->text, b->text.s, b->text.len);
        }
        memcpy(to->count, from->count, sizeof to->count);
        memcpy(to->by_origin, from->by_origin, sizeof to->by_origin);
        to->bytes = from->bytes;
        to->seq = from->seq;
        to->dropped = from->dropped;
        to->total = from->total;
        to->bytes_in = from->bytes_in;
        to->max_puts = from->max_puts;
        to->max_rps = from->max_rps;
        pthread_mutex_unlock(&to->lock);
        pthread_mutex_unlock(&from->lock);
}

void journal_destroy(struct journal *j)
{
        if (!j)
                return;
        journal_clear(j);
        pthread_mutex_destroy(&j->lock);
        free(j->ring);
        free(j);
}

static void ring_grow(struct journal *j)
{
        size_t cap = j->cap ? j->cap * 2 : 1024;
        int64_t *ring = xmalloc(cap * sizeof *ring);

        for (size_t i = 0; i < j->n; i++)
                ring[i] = j->ring[(j->head + i) % j->cap];
        free(j->ring);
        j->ring = ring;
        j->head = 0;
        j->cap = cap;
}

static void arrived(struct journal *j)
{
        int64_t now = now_mono_us();

        while (j->n > 0 && j->ring[j->head] <= now - 1000000) {
                j->head = (j->head + 1) % j->cap;
                j->n--;
        }
        if (j->n == j->cap)
                ring_grow(j);
        j->ring[(j->head + j->n++) % j->cap] = now;
        if (j->n > j->max_rps)
                j->max_rps = j->n;
}

void journal_begin(struct journal *j, enum origin origin, enum endpoint ep)
{
        bool oauth = endpoint_is_oauth(ep);

        if (ep >= EP_COUNT_)
                return;
        pthread_mutex_lock(&j->lock);
        j->total++;
        j->count[ep]++;
        j->open++;
        if (!oauth)
                j->by_origin[origin]++;
        if (origin == ORIGIN_API && !oauth)
                arrived(j);
        pthread_mutex_unlock(&j->lock);
}

void journal_put_begin(struct journal *j)
{
        pthread_mutex_lock(&j->lock);
        if (++j->puts > j->max_puts)
                j->max_puts = j->puts;
        pthread_mutex_unlock(&j->lock);
}

void journal_put_end(struct journal *j)
{
        pthread_mutex_lock(&j->lock);
        j->puts--;
        pthread_mutex_unlock(&j->lock);
}

static void member(struct buf *b, const char *name, const char *value)
{
        if (!value)
                return;
        buf_printf(b, ",\"%s\":", name);
        buf_json(b, value, strlen(value));
}

static void print(const struct journal *j, const struct entry *e, struct buf *b)
{
        bool oauth = endpoint_is_oauth(e->endpoint);
        int64_t now = now_mono_us();

        buf_printf(b, "{\"seq\":%llu,\"t_ms\":%lld,\"ms\":%lld", (unsigned long long)j->seq,
                   (long long)(e->start_us - j->epoch_us) / 1000,
                   (long long)(now - e->start_us) / 1000);
        member(b, "origin", oauth ? "oauth" : origins[e->origin]);
        member(b, "endpoint", endpoint_name(e->endpoint));
        member(b, "method", e->method);
        member(b, "url", e->url);
        member(b, "query", e->query ? e->query : "");
        member(b, "path", e->path);
        member(b, "from", e->from);
        buf_printf(b, ",\"status\":%d", e->status);
        member(b, "error", e->error);
        buf_printf(b, ",\"auth\":%s,\"body_bytes\":%lld,\"expected_length\":",
                   e->auth ? "true" : "false", (long long)e->body_bytes);
        if (e->expected_length < 0)
                buf_str(b, "null");
        else
                buf_int(b, e->expected_length);
        member(b, "user_agent", e->user_agent ? e->user_agent : "");
        buf_printf(b, ",\"client_port\":%lld,\"fault\":%s,\"aborted\":%s,\"slow\":%s}\n",
                   (long long)e->client_port, e->fault ? "true" : "false",
                   e->aborted ? "true" : "false", e->slow ? "true" : "false");
}

void journal_end(struct journal *j, const struct entry *e, bool keep, int64_t max)
{
        size_t before;

        if (e->endpoint >= EP_COUNT_)
                return;
        pthread_mutex_lock(&j->lock);
        j->bytes_in += (uint64_t)e->body_bytes;
        j->seq++;
        j->open--;
        if (keep) {
                if (!j->last || j->last->text.len > BLOCK - 4096)
                        add_block(j);
                before = j->last->text.len;
                print(j, e, &j->last->text);
                j->bytes += (int64_t)(j->last->text.len - before);
                while (j->bytes > max && j->first != j->last)
                        drop_first(j);
        }
        pthread_mutex_unlock(&j->lock);
}

void journal_print(struct journal *j, struct buf *ret)
{
        pthread_mutex_lock(&j->lock);
        for (struct block *b = j->first; b; b = b->next)
                buf_add(ret, b->text.s, b->text.len);
        pthread_mutex_unlock(&j->lock);
}

void journal_counts(struct journal *j, struct buf *ret)
{
        pthread_mutex_lock(&j->lock);
        buf_printf(ret, "{\"total\":%llu", (unsigned long long)j->total);
        for (size_t i = 0; i < ORIGIN_COUNT_; i++)
                buf_printf(ret, ",\"%s\":%llu", origins[i], (unsigned long long)j->by_origin[i]);
        for (size_t i = 0; i < EP_COUNT_; i++)
                buf_printf(ret, ",\"%s\":%llu", endpoint_name((enum endpoint)i),
                           (unsigned long long)j->count[i]);
        buf_printf(ret, ",\"bytes_in\":%llu,\"max_rps\":%zu,\"max_parallel_put\":%llu"
                   ",\"parallel_put\":%llu,\"open\":%llu,\"journal_dropped\":%llu}\n",
                   (unsigned long long)j->bytes_in, j->max_rps, (unsigned long long)j->max_puts,
                   (unsigned long long)j->puts, (unsigned long long)j->open,
                   (unsigned long long)j->dropped);
        pthread_mutex_unlock(&j->lock);
}
