/* SPDX-License-Identifier: MIT */

/* /v1/disk/trash/resources. */

#include "api.h"
#include "change.h"
#include "reply.h"
#include "server.h"

/* Without the parameter the whole trash is meant. */
static bool trash_path(struct request *rq, struct path *ret)
{
        if (request_find(rq, "path"))
                return request_path(rq, "path", AREA_TRASH, ret);
        path_parse(ret, "trash:/", 7, CONTROL_NAMES_ALLOWED);
        return true;
}

void api_trash_list(struct request *rq)
{
        _cleanup_(path_finish) struct path p = {};
        _cleanup_(snapshot_finish) struct snapshot l = {};
        struct page page;
        enum svc_error e;

        if (!trash_path(rq, &p) || !api_page(rq, &page))
                return;
        e = disk_stat(&rq->server->disk, &p, &page, &l);
        if (e != SVC_OK)
                reply_path_error(rq, e, &p);
        else
                reply_stat(rq, &l, &page);
}

void api_trash_delete(struct request *rq)
{
        _cleanup_(path_finish) struct path p = {};
        bool force_async = false;
        char op[65];
        enum svc_error e;

        if (!trash_path(rq, &p) || !request_bool(rq, "force_async", &force_async))
                return;
        e = change_trash_remove(&rq->server->disk, &p, force_async, op);
        if (e != SVC_OK)
                reply_path_error(rq, e, &p);
        else if (op[0])
                reply_operation_link(rq, op);
        else
                reply_no_content(rq);
}

void api_restore(struct request *rq)
{
        _cleanup_(path_finish) struct path p = {}, to = {};
        bool overwrite = false, force_async = false;
        char op[65];
        enum svc_error e;

        if (!request_path(rq, "path", AREA_TRASH, &p) ||
            !request_bool(rq, "overwrite", &overwrite) ||
            !request_bool(rq, "force_async", &force_async))
                return;
        e = change_restore(&rq->server->disk, &p, request_param(rq, "name"), overwrite,
                           force_async, &to, op);
        if (e == SVC_BAD_FIELD)
                reply_bad_field(rq, "name", "Not a name.");
        else if (e != SVC_OK)
                reply_path_error(rq, e, to.s ? &to : &p);
        else if (op[0])
                reply_operation_link(rq, op);
        else
                reply_resource_link(rq, 201, &to);
}
