/* SPDX-License-Identifier: MIT */

#include "lib/yadisk/errand.h"

#include "lib/core/backoff.h"
#include "lib/yadisk/flow_audit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define ERRAND_RACY_NS 2000000000 /* coarser than any file system's clock tick we know of */
#define ERRAND_SKEW_NS 86400000000000 /* no file server's clock is further ahead of ours */

static struct ask errand_next(struct flow *flow, const struct outcome *in)
{
        struct errand *e = errand_of(flow);

        e->bytes += in->sent;
        e->wall_ms = in->wall_ms;
        if (in->kind == OUTCOME_WOKE)
                return e->ask(e);
        return e->took(e, in);
}

static const char *errand_where(const struct flow *flow)
{
        const struct errand *e = CONTAINER_OF((struct flow *)flow, struct errand, flow);

        return e->names[e->state];
}

void errand_init(struct errand *e, const struct yadisk *y, const char *const *names,
                 struct ask (*ask)(struct errand *),
                 struct ask (*took)(struct errand *, const struct outcome *),
                 void (*destroy)(struct flow *))
{
        *e = (struct errand){
                .flow = {.next = errand_next, .where = errand_where, .destroy = destroy},
                .yadisk = y,
                .ask = ask,
                .took = took,
                .names = names,
                .path = STR_NULL(YADISK_URL_MAX),
                .url = STR_NULL(YADISK_URL_MAX),
                .text = STR_NULL(4096),
                .reason = STR_NULL(4096),
                .operation = STR_NULL(1024),
                .folder = STR_NULL(YADISK_URL_MAX),
                .since_ms = -1,
        };
}

void errand_finish(struct errand *e)
{
        str_finish(&e->path);
        str_finish(&e->url);
        str_finish(&e->text);
        str_finish(&e->reason);
        str_finish(&e->operation);
        str_finish(&e->folder);
}

struct ask errand_go(struct errand *e, int state)
{
        e->state = state;
        e->tries = e->looks = 0;
        e->since_ms = -1;
        return e->ask(e);
}

struct ask errand_back(struct errand *e, int state, const struct verdict *v)
{
        const char *last = v->text && *v->text ? v->text : N_("the cloud keeps changing");
        struct ask ask;

        if (++e->rounds <= ERRAND_ROUNDS)
                return errand_go(e, state);
        ask = errand_end(e, END_LATER, 0, "tried %u times in vain; last: %s", e->rounds, tr(last));
        ask.end.reason = last;
        return ask;
}

static struct ask errand_request(struct errand *e)
{
        if (e->url.failed || e->path.failed)
                return errand_end(e, END_STUCK, 0, "its path is too long to be asked for");
        e->calls++;
        return (struct ask){.want = ASK_HTTP, .http = &e->http};
}

struct ask errand_http(struct errand *e, enum http_method method)
{
        e->http = (struct http_req){.method = method,
                                    .url = str_z(&e->url),
                                    .api = true,
                                    .reply_max = ERRAND_REPLY_MAX};
        return errand_request(e);
}

struct ask errand_promptly(struct errand *e, enum http_method method)
{
        struct ask ask = errand_http(e, method);

        e->http.fresh_ms = ERRAND_FRESH_MS;
        return ask;
}

struct ask errand_list(struct errand *e)
{
        e->http = (struct http_req){.method = HTTP_GET,
                                    .url = str_z(&e->url),
                                    .api = true,
                                    .reply_max = ERRAND_LIST_MAX};
        return errand_request(e);
}

struct ask errand_link(struct errand *e)
{
        e->http = (struct http_req){.method = HTTP_GET,
                                    .url = str_z(&e->url),
                                    .api = true,
                                    .begins_upload = true,
                                    .reply_max = ERRAND_REPLY_MAX};
        return errand_request(e);
}

struct ask errand_send(struct errand *e, const char *href, const struct entry *file,
                       int64_t patience_ms)
{
        e->http = (struct http_req){.method = HTTP_PUT,
                                    .url = href,
                                    .file = file,
                                    .patience_ms = patience_ms,
                                    .reply_max = ERRAND_REPLY_MAX};
        return errand_request(e);
}

struct ask errand_record(struct errand *e, size_t n)
{
        return (struct ask){.want = ASK_RECORD, .records = e->records, .n_records = n};
}

struct ask errand_doubt(struct errand *e, const char *key, const struct entry *becomes)
{
        e->records[0] = (struct record){
                .verb = RECORD_DOUBT, .entry.key = key, .when_ms = e->wall_ms};
        if (becomes) {
                struct entry *what = &e->records[0].entry;

                what->kind = becomes->kind;
                what->size = becomes->kind == KIND_FILE ? becomes->size : 0;
                what->has_md5 = becomes->kind == KIND_FILE;
                memcpy(what->md5, becomes->md5, sizeof(what->md5));
        }
        return errand_record(e, 1);
}

size_t errand_settled(struct errand *e, size_t n, const char *key)
{
        e->records[n] = (struct record){.verb = RECORD_DOUBT_DONE, .entry.key = key};
        return n + 1;
}

struct ask errand_no_doubt(struct errand *e, const char *key)
{
        return errand_record(e, errand_settled(e, 0, key));
}

struct ask errand_wait(int64_t delay_ms)
{
        return (struct ask){.want = ASK_WAIT, .delay_ms = delay_ms};
}

struct ask errand_not_yet(struct errand *e, int64_t first_ms)
{
        e->tries = 0;
        return errand_wait(first_ms << (e->looks < 4 ? e->looks++ : 4));
}

static void errand_vtell(struct str *s, const char *fmt, va_list ap) _printf_(2, 0);
static void errand_tell(struct str *s, const char *fmt, ...) _printf_(2, 3);

static void errand_vtell(struct str *s, const char *fmt, va_list ap)
{
        char text[2048];

        vsnprintf(text, sizeof(text), fmt, ap);
        str_clear(s);
        str_add_printable(s, text);
}

static void errand_tell(struct str *s, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        errand_vtell(s, fmt, ap);
        va_end(ap);
}

struct ask errand_end(struct errand *e, enum end_kind kind, int status, const char *fmt, ...)
{
        va_list ap, again;

        va_start(ap, fmt);
        va_copy(again, ap);
        errand_vtell(&e->text, tr(fmt), ap);
        errand_vtell(&e->reason, fmt, again);
        va_end(again);
        va_end(ap);
        return (struct ask){.want = ASK_DONE,
                            .end = {.kind = kind,
                                    .status = status,
                                    .bytes = e->bytes,
                                    .calls = e->calls,
                                    .folder_gone = e->folder_gone,
                                    .text = e->text.failed ? tr("there is not enough memory")
                                                           : str_z(&e->text),
                                    .reason = str_z(&e->reason)}};
}

/* The sentence of a verdict: what it means, then what the other side said. */
static struct ask errand_end_verdict(struct errand *e, enum end_kind kind,
                                     const struct outcome *in, const struct verdict *v)
{
        int status = in->kind == OUTCOME_HTTP ? in->status : 0;
        const char *said = *v->description ? v->description : in->text ? in->text : "";
        const char *what = *v->text ? v->text : N_("the service's answer makes no sense here");
        char detail[1024] = "";
        struct ask ask;

        if (status)
                snprintf(detail, sizeof(detail), " (HTTP %d%s%s)", status, *said ? ": " : "", said);
        else if (*said)
                snprintf(detail, sizeof(detail), " (%s)", said);
        ask = errand_end(e, kind, status, "%s%s", tr(what), detail);
        errand_tell(&e->reason, "%s%s", what, detail);
        ask.end.reason = str_z(&e->reason);
        return ask;
}

struct ask errand_trouble(struct errand *e, const struct outcome *in, const struct verdict *v)
{
        int64_t hint = in->retry_after_ms;
        struct ask ask;

        switch (v->act) {
        case VERDICT_STUCK:
                return errand_end_verdict(e, END_STUCK, in, v);
        case VERDICT_FULL:
                return errand_end_verdict(e, END_FULL, in, v);
        case VERDICT_REFUSED:
                return errand_end_verdict(e, END_REFUSED, in, v);
        case VERDICT_LOCKED:
                if (++e->tries > 2 * ERRAND_TRIES)
                        break;
                return errand_wait(backoff_locked_ms(e->tries, in->random));
        case VERDICT_OK:
        case VERDICT_ASKER:
        case VERDICT_AGAIN:
                if (++e->tries > ERRAND_TRIES || hint > BACKOFF_MOST_MS)
                        break;
                return errand_wait(backoff_ms(e->tries, hint, in->random));
        }
        ask = errand_end_verdict(e, END_LATER, in, v);
        ask.end.again_ms = hint > BACKOFF_HINT_MOST_MS ? BACKOFF_HINT_MOST_MS : hint > 0 ? hint : 0;
        return ask;
}

struct ask errand_garbled(struct errand *e, const struct outcome *in)
{
        struct verdict v = {.act = VERDICT_AGAIN, .text = N_("the answer is not what the service gives")};

        return errand_trouble(e, in, &v);
}

bool errand_operation_begin(struct errand *e, const struct outcome *in)
{
        struct yadisk_link link;
        bool named;

        str_clear(&e->operation);
        if (yadisk_read_link(in->body, in->body_len, &link) < 0)
                return false;
        named = yadisk_operation(&e->operation, link.href);
        yadisk_link_finish(&link);
        return named;
}

bool errand_operation_named(struct errand *e, const char *id)
{
        str_clear(&e->operation);
        return id && yadisk_operation(&e->operation, id);
}

struct ask errand_operation_ask(struct errand *e)
{
        yadisk_url_operation(&e->url, e->yadisk, str_z(&e->operation));
        return errand_http(e, HTTP_GET);
}

int64_t errand_waited(struct errand *e, const struct outcome *in)
{
        if (e->since_ms < 0)
                e->since_ms = in->now_ms;
        return in->now_ms - e->since_ms;
}

enum errand_progress errand_operation_took(struct errand *e, const struct outcome *in,
                                           int64_t most_ms, struct ask *ret_ask)
{
        struct verdict v = verdict(in);
        enum yadisk_progress progress;

        if (v.act == VERDICT_ASKER && in->kind == OUTCOME_HTTP && in->status == 404)
                return ERRAND_GONE;
        if (v.act != VERDICT_OK) {
                *ret_ask = errand_trouble(e, in, &v);
                return ERRAND_RUNNING;
        }
        if (yadisk_read_operation(in->body, in->body_len, &progress) < 0) {
                *ret_ask = errand_garbled(e, in);
                return ERRAND_RUNNING;
        }
        switch (progress) {
        case YADISK_SUCCEEDED:
                return ERRAND_SUCCEEDED;
        case YADISK_FAILED:
                return ERRAND_FAILED;
        case YADISK_RUNNING:
                break;
        }
        e->tries = 0;
        if (errand_waited(e, in) > most_ms)
                *ret_ask = errand_end(e, END_LATER, 0, "the service is still at work on it");
        else
                *ret_ask = errand_wait(backoff_locked_ms(++e->looks, in->random));
        return ERRAND_RUNNING;
}

/* Moves to the end of the next component behind "disk:/". */
static void errand_parents_step(struct errand *e)
{
        const char *folder = str_z(&e->folder), *from = folder + e->folder_at;

        e->folder_at = (size_t)(from - folder) + strcspn(from + 1, "/") + 1;
}

bool errand_parents_begin(struct errand *e, const char *folder)
{
        const char *slash = strchr(folder, '/');

        str_clear(&e->folder);
        str_adds(&e->folder, folder);
        if (e->folder.failed || !slash)
                return false;
        e->folder_at = (size_t)(slash - folder);
        errand_parents_step(e);
        return true;
}

struct ask errand_parents_demand(struct errand *e)
{
        e->records[0] = (struct record){
                .verb = RECORD_META, .name = AUDIT_AT, .value = AUDIT_AT_BEGINNING};
        return errand_record(e, 1);
}

struct ask errand_parents_ask(struct errand *e)
{
        str_clear(&e->path);
        str_add(&e->path, str_z(&e->folder), e->folder_at);
        yadisk_url_mkdir(&e->url, e->yadisk, str_z(&e->path));
        return errand_http(e, HTTP_PUT);
}

enum errand_parents errand_parents_took(struct errand *e, const struct outcome *in,
                                        struct ask *ret_ask)
{
        struct verdict v = verdict_change(in);

        if (v.act == VERDICT_ASKER &&
            (v.error == YADISK_ERROR_EXISTS || v.error == YADISK_ERROR_EXISTS_OLD)) {
                /* One that we know: the audit makes room for it. */
                e->folder_gone = e->folder_at > strlen(e->yadisk->root);
                *ret_ask = errand_end(e, END_STUCK, in->status,
                                      "a file stands in the cloud where the folder %s must be",
                                      str_z(&e->path));
                return ERRAND_PARENTS_MORE;
        }
        if (v.act != VERDICT_OK && v.error != YADISK_ERROR_FOLDER_EXISTS) {
                *ret_ask = errand_trouble(e, in, &v);
                return ERRAND_PARENTS_MORE;
        }
        e->folders_made += v.act == VERDICT_OK;
        if (e->folder_at >= e->folder.len)
                return ERRAND_PARENTS_MADE;
        errand_parents_step(e);
        e->tries = 0;
        *ret_ask = errand_parents_ask(e);
        return ERRAND_PARENTS_MORE;
}

void errand_pages_finish(struct errand_pages *p)
{
        for (size_t i = 0; i < p->items.n; i++)
                free((char *)p->items.items[i].key);
        free(p->items.items);
        *p = (struct errand_pages){0};
}

struct ask errand_pages_ask(struct errand *e, const struct errand_pages *p, const char *path)
{
        yadisk_url_list(&e->url, e->yadisk, path, p->got);
        return errand_list(e);
}

static int errand_by_name(const void *a, const void *b)
{
        return strcmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

/* Sorts; false when an item was shown twice: then another was pushed over a page's edge unseen. */
static bool errand_pages_sort(struct errand_pages *p)
{
        qsort(p->items.items, p->items.n, sizeof(struct entry), errand_by_name);
        for (size_t i = 1; i < p->items.n; i++)
                if (str_eq(p->items.items[i - 1].key, p->items.items[i].key))
                        return false;
        return true;
}

/* Takes the items of a page over; -EAGAIN when the folder changed under the reading. */
static int errand_pages_add(struct errand_pages *p, struct yadisk_listing *page)
{
        struct entry *all;
        uint64_t shown = page->items.n + page->strange;

        if (page->offset != p->got || (p->got > 0 && page->total != p->total) ||
            shown > page->total - p->got || page->total < p->got ||
            page->total > ERRAND_ITEMS_MAX || (shown == 0 && p->got < page->total))
                return -EAGAIN;
        all = reallocarray(p->items.items, p->items.n + page->items.n + 1, sizeof(struct entry));
        if (!all)
                return -ENOMEM;
        memcpy(all + p->items.n, page->items.items, page->items.n * sizeof(struct entry));
        p->items.items = all;
        p->items.n += page->items.n;
        page->items.n = 0; /* the keys have a new owner */
        p->total = page->total;
        p->got += shown;
        p->strange += page->strange;
        return 0;
}

enum errand_listed errand_pages_took(struct errand *e, struct errand_pages *p,
                                     const struct outcome *in, struct ask *ret_ask)
{
        struct verdict v = verdict(in);
        struct yadisk_listing page;
        int r;

        if (v.act == VERDICT_ASKER && in->kind == OUTCOME_HTTP && in->status == 404)
                return ERRAND_LIST_MISSING;
        if (v.act != VERDICT_OK) {
                *ret_ask = errand_trouble(e, in, &v);
                return ERRAND_LIST_MORE;
        }
        r = yadisk_read_listing(in->body, in->body_len, &page);
        if (r == -ENOTDIR)
                return ERRAND_LIST_FILE;
        if (r == 0) {
                r = errand_pages_add(p, &page);
                yadisk_listing_finish(&page);
        }
        if (r == 0 && p->got >= p->total && errand_pages_sort(p))
                return ERRAND_LIST_WHOLE;
        if (r == 0 && p->got < p->total) {
                e->tries = 0;
                *ret_ask = e->ask(e);
                return ERRAND_LIST_MORE;
        }
        errand_pages_finish(p);
        if (++e->rounds > ERRAND_ROUNDS)
                *ret_ask = errand_end(e, END_LATER, 0,
                                      "the cloud folder keeps changing while it is listed");
        else
                *ret_ask = errand_garbled(e, in);
        return ERRAND_LIST_MORE;
}

const struct entry *errand_pages_find(const struct errand_pages *p, const char *name)
{
        struct entry wanted = {.key = name};

        if (p->items.n == 0)
                return NULL;
        return bsearch(&wanted, p->items.items, p->items.n, sizeof(struct entry), errand_by_name);
}

bool errand_racy(const struct entry *file, int64_t read_ns)
{
        int64_t ctime_ns = file->stamp.ctime_ns;

        /* A stamp of next year is one of a clock that was wrong: what is changed from now on gets
         * another.  Else such a file would be read at each scan until then. */
        return ctime_ns > read_ns - ERRAND_RACY_NS && ctime_ns < read_ns + ERRAND_SKEW_NS;
}

bool errand_holds(const struct entry *row, const struct entry *found)
{
        return found->kind == KIND_FILE && found->has_md5 && found->size == row->size &&
               memcmp(found->md5, row->md5, sizeof(row->md5)) == 0;
}

bool errand_disk_is_away(const struct entry *row, const struct outcome *look)
{
        if (look->err && look->err != ENOENT)
                return false;
        return row->stamp.dev != 0 && look->look.stamp.dev == 0;
}

struct ask errand_look_ask(struct errand *e, const char *path)
{
        yadisk_url_look(&e->url, e->yadisk, path);
        return errand_http(e, HTTP_GET);
}

enum errand_look errand_look_took(struct errand *e, const struct outcome *in, struct entry *ret,
                                  struct ask *ret_ask)
{
        struct verdict v = verdict(in);

        if (v.act == VERDICT_ASKER && in->kind == OUTCOME_HTTP && in->status == 404)
                return ERRAND_LOOK_NOTHING;
        if (v.act != VERDICT_OK) {
                *ret_ask = errand_trouble(e, in, &v);
                return ERRAND_LOOK_TROUBLE;
        }
        if (yadisk_read_resource(in->body, in->body_len, ret) < 0 || ret->kind == KIND_OTHER ||
            (ret->kind == KIND_FILE && !ret->has_md5)) {
                *ret_ask = errand_garbled(e, in);
                return ERRAND_LOOK_TROUBLE;
        }
        return ret->kind == KIND_DIR ? ERRAND_LOOK_DIR : ERRAND_LOOK_FILE;
}

struct ask errand_room_ask(struct errand *e)
{
        yadisk_url_disk(&e->url, e->yadisk);
        return errand_http(e, HTTP_GET);
}

enum errand_room errand_room_took(struct errand *e, const struct outcome *in,
                                  struct yadisk_room *ret, struct ask *ret_ask)
{
        struct verdict v = verdict(in);

        switch (v.act) {
        case VERDICT_OK:
                break;
        case VERDICT_ASKER:
        case VERDICT_STUCK:
        case VERDICT_FULL:
                return ERRAND_ROOM_UNKNOWN;
        case VERDICT_AGAIN:
        case VERDICT_LOCKED:
        case VERDICT_REFUSED:
                *ret_ask = errand_trouble(e, in, &v);
                return ERRAND_ROOM_TROUBLE;
        }
        return yadisk_read_room(in->body, in->body_len, ret) < 0 ? ERRAND_ROOM_UNKNOWN
                                                                  : ERRAND_ROOM_KNOWN;
}
