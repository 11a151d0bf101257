/* SPDX-License-Identifier: MIT */

#include "tests/sim/wire.h"

#include "tests/sim/disk.h"
#include "tests/sim/fault.h"
#include "tests/sim/rule.h"

#include <stdio.h>

#define WIRE_UPLOAD "https://uploader.sim:443/upload-target/"
#define WIRE_LINK_LIFE (30 * 60 * SECOND)

/* ---- questions -------------------------------------------------------------------------------- */

struct question {
        enum http_method method;
        char endpoint[64];
        char path[DISK_PATH_MAX], from[DISK_PATH_MAX];
        bool overwrite, permanently;
        char md5[33];
        unsigned limit, offset;
};

/* One value of a query; true when the name is there. */
static bool question_get(const char *query, const char *name, char *ret, size_t size)
{
        size_t len = 0, skip = strlen(name);

        while (*query && !(strncmp(query, name, skip) == 0 && query[skip] == '=')) {
                query += strcspn(query, "&");
                query += *query == '&';
        }
        if (!*query)
                return false;
        for (query += skip + 1; *query && *query != '&' && len + 1 < size; query++) {
                uint8_t byte;
                char hex[3] = "";

                if (*query == '%') {
                        memcpy(hex, query + 1, 2);
                        if (!str_unhex(&byte, 1, hex))
                                sim_fail("a wrong escape in %s", query);
                        ret[len++] = (char)byte;
                        query += 2;
                } else {
                        ret[len++] = *query == '+' ? ' ' : *query;
                }
        }
        ret[len] = '\0';
        return true;
}

/* "disk:/a/b" -> "a/b"; what the service would not take fails. */
static void question_path(const char *query, const char *name, char ret[DISK_PATH_MAX])
{
        char value[DISK_PATH_MAX];

        *ret = '\0';
        if (!question_get(query, name, value, sizeof(value)))
                return;
        if (!str_starts(value, "disk:/") || strstr(value, "//") || value[strlen(value) - 1] == '/')
                sim_fail("a path that is none: %s", value);
        else
                str_copy(ret, DISK_PATH_MAX, value + strlen("disk:/"));
}

static void question_read(struct question *q, enum http_method method, const char *url)
{
        const char *query = url + strcspn(url, "?");
        char text[64];

        *q = (struct question){.method = method, .limit = 20};
        if (!str_starts(url, WIRE_API "/v1/disk"))
                sim_fail("a request to somebody else: %s", url);
        url += strlen(WIRE_API "/v1/disk");
        snprintf(q->endpoint, sizeof(q->endpoint), "%.*s", (int)strcspn(url, "?"), url);
        query += *query == '?';
        question_path(query, "path", q->path);
        question_path(query, "from", q->from);
        q->overwrite = question_get(query, "overwrite", text, sizeof(text)) && str_eq(text, "true");
        q->permanently =
                question_get(query, "permanently", text, sizeof(text)) && str_eq(text, "true");
        question_get(query, "md5", q->md5, sizeof(q->md5));
        if (question_get(query, "limit", text, sizeof(text)))
                q->limit = (unsigned)strtoul(text, NULL, 10);
        if (question_get(query, "offset", text, sizeof(text)))
                q->offset = (unsigned)strtoul(text, NULL, 10);
}

/* ---- replies ---------------------------------------------------------------------------------- */

static void say_string(struct str *s, const char *z)
{
        str_addc(s, '"');
        for (; *z; z++)
                if (*z == '"' || *z == '\\')
                        str_addf(s, "\\%c", *z);
                else if ((unsigned char)*z < 0x20)
                        str_addf(s, "\\u%04x", (unsigned)*z);
                else
                        str_addc(s, *z);
        str_addc(s, '"');
}

static void say_status(struct reply *r, int status)
{
        r->status = status;
        str_clear(&r->body);
}

static const struct {
        const char *name;
        int status;
} say_statuses[] = {
        {"DiskNotFoundError", 404},
        {"DiskOperationNotFoundError", 404},
        {"DiskPathDoesntExistsError", 409},
        {"DiskPathPointsToExistentDirectoryError", 409},
        {"DiskResourceAlreadyExistsError", 409},
        {"MD5DifferError", 409},
        {"DiskResourceLockedError", 423},
        {"DiskUploadTrafficLimitExceeded", 423},
        {"DiskServiceReadOnlyError", 423},
        {"TooManyRequestsError", 429},
        {"UnauthorizedError", 401},
        {"FieldValidationError", 400},
        {"InternalServerError", 500},
        {"DiskStorageQuotaExhaustedError", 507},
};

static void say_error(struct reply *r, const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(say_statuses); i++)
                if (str_eq(say_statuses[i].name, name))
                        say_status(r, say_statuses[i].status);
        str_addf(&r->body, "{\"message\":\"Ошибка\",\"description\":\"As it is.\",\"error\":\"%s\"}",
                 name);
}

static void say_html(struct reply *r, int status)
{
        say_status(r, status);
        str_adds(&r->body, "<html><body>A page.</body></html>");
}

static void say_link(struct reply *r, int status, const char *href)
{
        say_status(r, status);
        str_addf(&r->body, "{\"method\":\"GET\",\"href\":\"%s\",\"templated\":false}", href);
}

static void say_operation(struct reply *r, unsigned id)
{
        char href[128];

        snprintf(href, sizeof(href), WIRE_API "/v1/disk/operations/op%u", id);
        say_link(r, 202, href);
}

static void say_fields(struct str *s, const struct thing *t)
{
        uint8_t md5[16];
        char hex[33];

        str_addf(s, "\"type\":\"%s\"", t->kind == KIND_DIR ? "dir" : "file");
        if (t->kind != KIND_FILE)
                return;
        str_addf(s, ",\"size\":%llu", (unsigned long long)content_size(t->content));
        content_md5(t->content, md5);
        str_hex(hex, md5, sizeof(md5));
        if (loop.now_ns >= t->md5_ns)
                str_addf(s, ",\"md5\":\"%s\"", hex);
}

/* ---- reading ---------------------------------------------------------------------------------- */

static int wire_by_name(const void *a, const void *b)
{
        return strcmp((*(struct thing *const *)a)->name, (*(struct thing *const *)b)->name);
}

static void wire_list(struct reply *r, const struct question *q, struct thing *dir)
{
        struct thing *items[256];
        unsigned n = 0, end, limit = q->limit < disk.page ? q->limit : disk.page;
        bool cut = limit > 0 && fault_strikes(SIM_FAULT_CUT_LISTING);

        for (struct thing *t = dir->first; t && n < ARRAY_SIZE(items); t = t->next)
                items[n++] = t;
        if (n > 0)
                qsort(items, n, sizeof(*items), wire_by_name);
        say_status(r, 200);
        str_addf(&r->body, "{\"type\":\"dir\",\"_embedded\":{\"total\":%u,\"limit\":%u,\"items\":[",
                 n, limit);
        end = q->offset + limit < n ? q->offset + limit : n;
        for (unsigned i = q->offset; i < end; i++) {
                if (cut && sim_chance(600))
                        continue;
                str_adds(&r->body, r->body.s[r->body.len - 1] == '[' ? "{" : ",{");
                say_fields(&r->body, items[i]);
                str_adds(&r->body, ",\"name\":");
                say_string(&r->body, items[i]->name);
                str_adds(&r->body, "}");
        }
        str_addf(&r->body, "],\"offset\":%u,\"sort\":\"name\"}}", q->offset);
}

static void wire_read(struct reply *r, const struct question *q)
{
        bool old = disk.old && loop.now_ns - disk.old_ns <= DISK_LAG_NS &&
                   fault_strikes(SIM_FAULT_STALE);
        struct thing *t = disk_find(old ? disk.old : disk.root, q->path);

        rule_shows(q->path, t, old ? disk.old_serial : disk.serial, q->limit > 0);
        if (!t) {
                say_error(r, "DiskNotFoundError");
        } else if (t->kind == KIND_DIR) {
                wire_list(r, q, t);
        } else {
                say_status(r, 200);
                str_addc(&r->body, '{');
                say_fields(&r->body, t);
                str_addc(&r->body, '}');
        }
}

static void wire_operation(struct reply *r, const char *id)
{
        const struct job *j = disk_job_of(str_starts(id, "op") ? (unsigned)atoi(id + 2) : 0);

        if (!j || fault_strikes(SIM_FAULT_OP_GONE)) {
                say_error(r, "DiskOperationNotFoundError");
                return;
        }
        say_status(r, 200);
        str_addf(&r->body, "{\"status\":\"%s\"}", j->state == JOB_DONE     ? "success"
                                                  : j->state == JOB_FAILED ? "failed"
                                                                           : "in-progress");
}

static void wire_about(struct reply *r)
{
        say_status(r, 200);
        str_addf(&r->body, "{\"total_space\":10000000000000,\"used_space\":%s,\"trash_size\":10,"
                           "\"max_file_size\":%llu,\"paid_max_file_size\":53687091200,"
                           "\"is_paid\":false,\"user\":{\"uid\":\"1000\",\"login\":\"somebody\"}}",
                 fault_lasts(SIM_FAULT_FULL) ? "9999999999900" : "100",
                 (unsigned long long)disk.max_file);
}

/* ---- changing --------------------------------------------------------------------------------- */

static void wire_due(void *userdata)
{
        struct job *j = userdata;
        const char *no;

        if (sim.failed || j->state != JOB_PENDING)
                return;
        if (fault_strikes(SIM_FAULT_ASYNC_FAILED)) {
                j->state = JOB_FAILED;
                sim_trace("disk: op%u fails", j->id);
                return;
        }
        no = disk_do(j);
        sim_trace("disk: op%u is done: %s", j->id, no ? no : "well");
}

static void wire_later(struct job *j)
{
        j->state = JOB_PENDING;
        loop_after((int64_t)sim_below(6000) * MS, SIDE_WORLD, wire_due, j);
}

static bool wire_goes_async(const struct job *j)
{
        const struct thing *t = disk_find(disk.root, j->path);

        if (j->what == DEED_DELETE && t && t->first)
                return true;
        return j->what != DEED_MKDIR && fault_strikes(SIM_FAULT_ASYNC);
}

/* What would be refused is refused at once, whether the rest takes time or not. */
static const char *wire_refuses(const struct job *j)
{
        const struct thing *t = disk_find(disk.root, j->path);
        uint8_t md5[16];

        if (j->what == DEED_MKDIR)
                return NULL;
        if (!t)
                return "DiskNotFoundError";
        content_md5(t->content, md5);
        if (j->has_md5 && (t->kind != KIND_FILE || memcmp(md5, j->md5, sizeof(md5)) != 0))
                return "MD5DifferError";
        return NULL;
}

static void wire_change(struct reply *r, const struct question *q, enum deed what)
{
        struct job *j = disk_job(what, what == DEED_MOVE ? q->from : q->path);
        const char *no;

        if (what == DEED_MOVE)
                str_copy(j->to, sizeof(j->to), q->path);
        j->overwrite = q->overwrite;
        j->permanently = q->permanently;
        j->has_md5 = str_unhex(j->md5, sizeof(j->md5), q->md5) && *q->md5;
        no = wire_refuses(j);
        rule_asks(j);
        if (!no && wire_goes_async(j)) {
                wire_later(j);
                say_operation(r, j->id);
                return;
        }
        no = disk_do(j);
        if (no)
                say_error(r, no);
        else if (what == DEED_DELETE)
                say_status(r, 204);
        else
                say_link(r, 201, WIRE_API "/v1/disk/resources?path=disk%3A%2Fit");
}

static void wire_ask_upload(struct reply *r, const struct question *q)
{
        const char *no = disk_would_store(q->path, q->overwrite);
        struct job *j;

        if (!no && fault_lasts(SIM_FAULT_TRAFFIC))
                no = "DiskUploadTrafficLimitExceeded";
        if (!no && fault_lasts(SIM_FAULT_FULL))
                no = "DiskStorageQuotaExhaustedError";
        if (no) {
                say_error(r, no);
                return;
        }
        j = disk_job(DEED_STORE, q->path);
        j->overwrite = q->overwrite;
        rule_asks(j);
        say_status(r, 200);
        str_addf(&r->body, "{\"operation_id\":\"op%u\",\"href\":\"" WIRE_UPLOAD "%u\","
                           "\"templated\":false,\"method\":\"PUT\"}", j->id, j->id);
}

/* ---- dispatch --------------------------------------------------------------------------------- */

static void wire_answer(struct reply *r, const struct question *q)
{
        bool on_resources = str_eq(q->endpoint, "/resources");

        if (q->method == HTTP_GET && *q->endpoint == '\0')
                wire_about(r);
        else if (q->method == HTTP_GET && on_resources)
                wire_read(r, q);
        else if (q->method == HTTP_GET && str_eq(q->endpoint, "/resources/upload"))
                wire_ask_upload(r, q);
        else if (q->method == HTTP_GET && str_starts(q->endpoint, "/operations/"))
                wire_operation(r, q->endpoint + strlen("/operations/"));
        else if (q->method == HTTP_PUT && on_resources)
                wire_change(r, q, DEED_MKDIR);
        else if (q->method == HTTP_DELETE && on_resources)
                wire_change(r, q, DEED_DELETE);
        else if (q->method == HTTP_POST && str_eq(q->endpoint, "/resources/move"))
                wire_change(r, q, DEED_MOVE);
        else
                sim_fail("a request that the service does not know: %s", q->endpoint);
}

/* What is refused before anybody looks at the question; NULL: nothing. */
static bool wire_turns_away(struct reply *r, const struct question *q)
{
        static const int hints[] = {1, 5, 30, 600, 1000000000};

        if (fault_lasts(SIM_FAULT_HTML)) {
                static const int statuses[] = {200, 204, 302, 404, 502};

                say_html(r, statuses[sim_below(ARRAY_SIZE(statuses))]);
                if (r->status == 204 && q->method == HTTP_DELETE)
                        r->status = 200; /* that would be what the service says */
        } else if (fault_lasts(SIM_FAULT_REFUSED)) {
                say_error(r, "UnauthorizedError");
        } else if (fault_strikes(SIM_FAULT_429)) {
                say_error(r, "TooManyRequestsError");
        } else if (fault_strikes(SIM_FAULT_429_HINT)) {
                say_error(r, "TooManyRequestsError");
                r->retry_after_ms = hints[sim_below(ARRAY_SIZE(hints))] * INT64_C(1000);
        } else if (q->method != HTTP_GET && fault_lasts(SIM_FAULT_READ_ONLY)) {
                say_error(r, "DiskServiceReadOnlyError");
        } else if (fault_strikes(SIM_FAULT_500)) {
                say_html(r, 500 + (int)sim_below(5));
        } else if (*q->path && (disk_locked(q->path) || (*q->from && disk_locked(q->from))) &&
                   sim_chance(700)) {
                say_error(r, "DiskResourceLockedError");
        } else if (q->method != HTTP_GET && fault_strikes(SIM_FAULT_LOCKED)) {
                say_error(r, "DiskResourceLockedError");
        } else {
                return false;
        }
        return true;
}

static const char *wire_verb(enum http_method method)
{
        switch (method) {
        case HTTP_GET:
                return "GET";
        case HTTP_PUT:
                return "PUT";
        case HTTP_POST:
                return "POST";
        case HTTP_DELETE:
                return "DELETE";
        }
        return "";
}

void wire_api(struct reply *r, enum http_method method, const char *url)
{
        struct question q;

        question_read(&q, method, url);
        if (!wire_turns_away(r, &q)) {
                wire_answer(r, &q);
                if (fault_strikes(SIM_FAULT_500_DONE))
                        say_html(r, 500 + (int)sim_below(5));
                else if (r->body.len > 0 && fault_strikes(SIM_FAULT_GARBLED))
                        str_truncate(&r->body, sim_below((unsigned)r->body.len));
        }
        sim_trace("disk: %s %s %s%s%s%s%s%s -> %d %.400s", wire_verb(method), q.endpoint, q.path,
                  *q.from ? " from " : "", q.from, q.overwrite ? " overwrite" : "",
                  q.permanently ? " permanently" : "", *q.md5 ? " md5" : "", r->status,
                  str_z(&r->body));
}

/* ---- uploads ---------------------------------------------------------------------------------- */

static void wire_stored(struct reply *r, struct job *j)
{
        const char *no;

        rule_claims(j->path, j->content);
        if (fault_strikes(SIM_FAULT_CORRUPT))
                j->content = content_mixed(j->content);
        if (fault_strikes(SIM_FAULT_FORGOTTEN)) {
                j->state = JOB_DONE;
                say_status(r, 201);
                return;
        }
        no = disk_do(j);
        if (no)
                say_error(r, no);
        else if (fault_strikes(SIM_FAULT_500_DONE))
                say_html(r, 502);
        else
                say_status(r, 201);
}

void wire_upload(struct reply *r, const char *url, uint64_t content)
{
        struct job *j = disk_job_of((unsigned)strtoul(url + strlen(WIRE_UPLOAD), NULL, 10));

        if (!j || j->what != DEED_STORE || j->used || !str_starts(url, WIRE_UPLOAD)) {
                say_status(r, 400);
        } else if (loop.now_ns - j->since_ns > WIRE_LINK_LIFE ||
                   fault_strikes(SIM_FAULT_LINK_EXPIRED)) {
                say_html(r, sim_chance(500) ? 404 : 410);
        } else if (content_size(content) > disk.max_file) {
                sim_count(SIM_FAULT_TOO_LARGE);
                say_status(r, 413);
        } else if (fault_lasts(SIM_FAULT_FULL)) {
                say_status(r, 507);
        } else if (fault_strikes(SIM_FAULT_500)) {
                say_html(r, 500 + (int)sim_below(5));
        } else {
                j->used = true;
                j->content = content;
                if (fault_strikes(SIM_FAULT_ASYNC)) {
                        wire_later(j);
                        say_status(r, 202);
                } else {
                        wire_stored(r, j);
                }
        }
        sim_trace("disk: upload %s of %llx -> %d", j ? j->path : "?", (unsigned long long)content,
                  r->status);
}
