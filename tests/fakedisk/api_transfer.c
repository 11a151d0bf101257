/* SPDX-License-Identifier: MIT */

/* Copies, moves, links to upload and download with, and the operations that come of them. */

#include "api.h"
#include "change.h"
#include "download.h"
#include "link.h"
#include "op.h"
#include "reply.h"
#include "server.h"

typedef enum svc_error transfer_fn(struct disk *d, const struct transfer *t, char ret_op[65]);

static void transfer(struct request *rq, transfer_fn *change)
{
        _cleanup_(path_finish) struct path from = {}, to = {};
        struct transfer t = {};
        char op[65];
        enum svc_error e;

        if (!api_disk_path(rq, "from", &from) || !api_disk_path(rq, "path", &to) ||
            !request_bool(rq, "overwrite", &t.overwrite) ||
            !request_bool(rq, "force_async", &t.force_async))
                return;
        t.from = from;
        t.to = to;
        e = change(&rq->server->disk, &t, op);
        if (e != SVC_OK)
                reply_path_error(rq, e, &to);
        else if (op[0])
                reply_operation_link(rq, op);
        else
                reply_resource_link(rq, 201, &to);
}

void api_copy(struct request *rq)
{
        transfer(rq, change_copy);
}

void api_move(struct request *rq)
{
        transfer(rq, change_move);
}

/* The class is chosen here, by the name and the User-Agent; the bytes do not matter. */
static bool is_slow(const struct request *rq, const struct path *p)
{
        const char *agent = request_header(rq, "User-Agent");
        size_t len, parent_len;
        const char *name = path_name(p, &len, &parent_len);
        const struct media *m = media_of_name(name, len);

        if (!rq->cfg.throttle || (agent && strncmp(agent, "Yandex.Disk {", 13) == 0))
                return false;
        return m->slow || (!m->ext && rq->cfg.throttle_unlisted);
}

void api_link(struct request *rq)
{
        _cleanup_(path_finish) struct path p = {};
        struct buf *b;
        bool overwrite = false;
        char token[72], op[65];
        enum svc_error e;
        struct object o;

        if (!api_disk_path(rq, "path", &p) || !request_bool(rq, "overwrite", &overwrite))
                return;
        e = link_create(&rq->server->disk, &p, overwrite, is_slow(rq, &p), token, op);
        if (e != SVC_OK) {
                reply_path_error(rq, e, &p);
                return;
        }
        b = reply_json(rq, 200);
        object_begin(&o, b, rq->fields, rq->cfg.shuffle);
        object_str(&o, "operation_id", op);
        if (object_key(&o, "href", NULL)) {
                buf_char(b, '"');
                reply_base(rq, ORIGIN_UPLOADER, b);
                buf_printf(b, "/upload-target/%s\"", token);
        }
        object_str(&o, "method", "PUT");
        object_bool(&o, "templated", false);
        object_end(&o);
}

void api_url(struct request *rq)
{
        reply_error(rq, SVC_NOT_DONE, NULL);
}

void api_download(struct request *rq)
{
        _cleanup_(path_finish) struct path p = {};
        _cleanup_(snapshot_finish) struct snapshot l = {};
        struct buf *b;
        struct object o;
        enum svc_error e;

        if (!api_disk_path(rq, "path", &p))
                return;
        e = disk_stat(&rq->server->disk, &p, NULL, &l);
        if (e == SVC_OK && !l.v[0].media)
                e = SVC_NOT_FOUND;
        if (e != SVC_OK) {
                reply_path_error(rq, e, &p);
                return;
        }
        b = reply_json(rq, 200);
        object_begin(&o, b, rq->fields, rq->cfg.shuffle);
        if (object_key(&o, "href", NULL)) {
                buf_char(b, '"');
                download_href(rq, &l.v[0], l.text.s + l.v[0].name, l.v[0].name_len, b);
                buf_char(b, '"');
        }
        object_str(&o, "method", "GET");
        object_bool(&o, "templated", false);
        object_end(&o);
}

void api_operation(struct request *rq)
{
        const char *id = rq->tail ? rq->tail : request_param(rq, "id"), *status;
        struct object o;

        if (!id) {
                reply_bad_field(rq, "id", "This field is required.");
                return;
        }
        status = op_status(&rq->server->disk, id);
        if (!status) {
                reply_error(rq, SVC_NO_OPERATION, NULL);
                return;
        }
        object_begin(&o, reply_json(rq, 200), rq->fields, rq->cfg.shuffle);
        object_str(&o, "status", status);
        object_end(&o);
}
