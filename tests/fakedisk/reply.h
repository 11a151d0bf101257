/* SPDX-License-Identifier: MIT */
#pragma once

/* Answers: statuses, headers and the JSON bodies of the service. */

#include "request.h"

#define REPLY_JSON "application/json; charset=utf-8"
#define REPLY_TEXT "text/plain; charset=utf-8"
#define REPLY_HTML "text/html"

void reply_init(struct reply *r);
void reply_finish(struct reply *r);

void reply_header(struct reply *r, const char *name, const char *format, ...) _printf_(3, 4);

/* An error of the API; `detail` fills the %s of its texts (may be NULL). */
void reply_error(struct request *rq, enum svc_error e, const char *detail);

/* The same with the path as the detail. */
void reply_path_error(struct request *rq, enum svc_error e, const struct path *p);

/* 400: one field is wrong. */
void reply_bad_field(struct request *rq, const char *field, const char *why);

/* An answer without a body, as the uploader gives them. */
void reply_status(struct request *rq, int status);

/* A page of nginx, as the hosts give that do not speak JSON. */
void reply_html(struct request *rq, int status);

/* 204 with the headers that the service sends. */
void reply_no_content(struct request *rq);

/* Begins a JSON answer: the caller fills reply.body. */
struct buf *reply_json(struct request *rq, int status);

/* A link to a resource. */
void reply_resource_link(struct request *rq, int status, const struct path *p);

/* 202 and a link to an operation. */
void reply_operation_link(struct request *rq, const char *op_id);

/* "http://127.0.0.1:PORT" of an origin. */
void reply_base(const struct request *rq, enum origin origin, struct buf *ret);

/* A resource of a listing as JSON. */
void reply_resource(const struct request *rq, const struct snapshot *l, const struct resource *r,
                    const struct fields *f, struct buf *ret);

/* A whole resource, with the page of its children if `page` is given and it is a folder. */
void reply_stat(struct request *rq, const struct snapshot *l, const struct page *page);

/* An array of resources, from v[first] on. */
void reply_items(const struct request *rq, const struct snapshot *l, size_t first,
                 const struct fields *f, struct buf *ret);
