/* SPDX-License-Identifier: MIT */

/* The handlers of control.h.  Their errors are one line of text with status 400 or 404. */

#include "auth.h"
#include "change.h"
#include "control.h"
#include "reply.h"
#include "report.h"
#include "save.h"
#include "server.h"

static void say(struct request *rq, int status, const char *text)
{
        struct buf *b = reply_json(rq, status);

        rq->reply.type = REPLY_TEXT;
        buf_str(b, text);
        buf_char(b, '\n');
}

static void say_error(struct request *rq, enum svc_error e)
{
        const struct svc_error_info *info = svc_error_info(e);

        say(rq, info->status, info->name);
}

static void delete_json(cJSON **o)
{
        cJSON_Delete(*o);
}

static cJSON *body_json(struct request *rq)
{
        cJSON *o = cJSON_ParseWithLength(rq->in.s ? rq->in.s : "", rq->in.len);

        if (!o)
                say(rq, 400, "the body is not JSON");
        return o;
}

void control_config_get(struct request *rq)
{
        struct buf *b = reply_json(rq, 200);
        _cleanup_(freep) char *text = config_print(&rq->cfg);

        buf_str(b, text);
        buf_char(b, '\n');
}

void control_config_set(struct request *rq)
{
        _cleanup_(delete_json) cJSON *o = body_json(rq);
        char why[256];

        if (!o)
                return;
        if (server_configure(rq->server, o, why))
                say(rq, 200, "ok");
        else
                say(rq, 400, why);
}

void control_fault_get(struct request *rq)
{
        fault_print(rq->server->faults, reply_json(rq, 200));
}

void control_fault_add(struct request *rq)
{
        _cleanup_(delete_json) cJSON *o = body_json(rq);
        char why[256];

        if (!o)
                return;
        if (fault_add(rq->server->faults, o, why))
                say(rq, 200, "ok");
        else
                say(rq, 400, why);
}

void control_fault_clear(struct request *rq)
{
        fault_clear(rq->server->faults);
        say(rq, 200, "ok");
}

void control_journal(struct request *rq)
{
        journal_print(rq->server->journal, reply_json(rq, 200));
        rq->reply.type = "application/x-ndjson";
}

void control_journal_clear(struct request *rq)
{
        journal_clear(rq->server->journal);
        say(rq, 200, "ok");
}

void control_count(struct request *rq)
{
        journal_counts(rq->server->journal, reply_json(rq, 200));
}

void control_reset(struct request *rq)
{
        const char *what = request_param(rq, "what");
        bool all = !what || strcmp(what, "all") == 0, known = all;

        if (all || strcmp(what, "faults") == 0)
                known = true, fault_clear(rq->server->faults);
        if (all || strcmp(what, "config") == 0)
                known = true, server_unconfigure(rq->server);
        if (all || strcmp(what, "tokens") == 0)
                known = true, auth_reset(rq->server->auth);
        if (all || strcmp(what, "disk") == 0)
                known = true, disk_reset(&rq->server->disk);
        if (all || strcmp(what, "journal") == 0)
                known = true, journal_clear(rq->server->journal);
        if (all || strcmp(what, "saves") == 0)
                known = true, save_clear(rq->server->saves);
        if (known)
                say(rq, 200, "ok");
        else
                say(rq, 400, "what must be journal, disk, faults, config, tokens, saves or all");
}

void control_save(struct request *rq)
{
        const char *name = request_param(rq, "name");

        if (name)
                save_put(rq->server, name);
        say(rq, name ? 200 : 400, name ? "ok" : "name=NAME");
}

void control_restore(struct request *rq)
{
        const char *name = request_param(rq, "name");
        bool ok = name && save_take(rq->server, name);

        say(rq, ok ? 200 : 404, ok ? "ok" : "no state was saved under this name");
}

/* The path of the request; without one the root of `area`. */
static bool path_of(struct request *rq, const char *name, enum area area, struct path *ret)
{
        const struct param *p = request_find(rq, name);
        const char *why;

        if (p)
                why = path_parse(ret, p->value, p->len, CONTROL_NAMES_ALLOWED);
        else
                why = path_parse(ret, area == AREA_TRASH ? "trash:/" : "disk:/",
                                 area == AREA_TRASH ? 7 : 6, CONTROL_NAMES_ALLOWED);
        if (why)
                say(rq, 400, why);
        return !why;
}

typedef enum svc_error dump_fn(struct disk *d, const struct path *p, struct buf *ret);

static void dump(struct request *rq, enum area area, dump_fn *print, const char *type)
{
        _cleanup_(path_finish) struct path p = {};
        enum svc_error e;

        if (!path_of(rq, "path", area, &p))
                return;
        e = print(&rq->server->disk, &p, reply_json(rq, 200));
        rq->reply.type = type;
        if (e != SVC_OK)
                say_error(rq, e);
}

void control_tree(struct request *rq)
{
        dump(rq, AREA_DISK, report_json, REPLY_JSON);
}

void control_tree_text(struct request *rq)
{
        dump(rq, AREA_DISK, report_text, REPLY_TEXT);
}

void control_trash(struct request *rq)
{
        dump(rq, AREA_TRASH, report_json, REPLY_JSON);
}

void control_trash_text(struct request *rq)
{
        dump(rq, AREA_TRASH, report_trash_text, REPLY_TEXT);
}

static void say_result(struct request *rq, enum svc_error e)
{
        if (e == SVC_OK)
                say(rq, 200, "ok");
        else
                say_error(rq, e);
}

void control_mkdir(struct request *rq)
{
        _cleanup_(path_finish) struct path p = {};

        if (path_of(rq, "path", AREA_DISK, &p))
                say_result(rq, change_others_mkdir(&rq->server->disk, &p));
}

void control_remove(struct request *rq)
{
        _cleanup_(path_finish) struct path p = {};

        if (path_of(rq, "path", AREA_DISK, &p))
                say_result(rq, change_others_remove(&rq->server->disk, &p));
}

void control_move(struct request *rq)
{
        _cleanup_(path_finish) struct path from = {}, to = {};

        if (path_of(rq, "from", AREA_DISK, &from) && path_of(rq, "path", AREA_DISK, &to))
                say_result(rq, change_others_move(&rq->server->disk, &from, &to));
}

void control_content(struct request *rq)
{
        _cleanup_(path_finish) struct path p = {};
        struct content *c;
        int fd;

        if (!path_of(rq, "path", AREA_DISK, &p))
                return;
        c = disk_content(&rq->server->disk, &p);
        if (!c) {
                say_error(rq, SVC_NOT_FOUND);
                return;
        }
        fd = store_open(rq->server->store, c);
        if (fd < 0) {
                say(rq, 500, "the content was not kept");
        } else {
                reply_status(rq, 200);
                rq->reply.type = "application/octet-stream";
                rq->reply.fd = fd;
                rq->reply.fd_size = c->size;
        }
        store_unref(rq->server->store, c);
}

void control_token(struct request *rq)
{
        const char *add = request_param(rq, "add"), *revoke = request_param(rq, "revoke");
        int64_t life_s = 0;

        if (!request_number(rq, "life_s", INT32_MAX, &life_s))
                return;
        if (add)
                auth_add(rq->server->auth, add, life_s);
        if (revoke)
                auth_revoke(rq->server->auth, revoke);
        if (add || revoke)
                say(rq, 200, "ok");
        else
                say(rq, 400, "add=TOKEN or revoke=TOKEN");
}

/* ---- what others upload --------------------------------------------------------------- */

static void put_begin(struct request *rq)
{
        if (path_of(rq, "path", AREA_DISK, &rq->from))
                rq->body = body_create(rq->server->store, rq->cfg.sha256);
}

static void put_data(struct request *rq, const void *bytes, size_t n)
{
        if (body_write(rq->body, bytes, n) == 0)
                return;
        body_destroy(TAKE_PTR(rq->body));
        say(rq, 500, "cannot keep the content");
}

static int64_t put_end(struct request *rq)
{
        struct content *c = body_commit(TAKE_PTR(rq->body));

        if (c)
                say_result(rq, change_others_put(&rq->server->disk, &rq->from, c));
        else
                say(rq, 500, "cannot keep the content");
        return 0;
}

static void put_abandon(struct request *rq)
{
        body_destroy(TAKE_PTR(rq->body));
}

const struct stream control_put_stream = {
        .begin = put_begin,
        .data = put_data,
        .end = put_end,
        .abandon = put_abandon,
};
