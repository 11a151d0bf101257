/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One request from its first line to its answer.  Handlers see only this: they read parameters
 * and leave an answer in `reply`.
 */

#include <microhttpd.h>

#include "config.h"
#include "body.h"
#include "disk.h"
#include "endpoint.h"
#include "fault.h"
#include "journal.h"
#include "object.h"

struct server;
struct request;

struct param {
        char *name, *value;     /* decoded, terminated; the request owns them */
        size_t len;             /* bytes of the value, which may contain NUL */
};

struct header {
        const char *name;       /* static */
        char value[200];
};

struct reply {
        int status;             /* 0 = no handler has answered yet */
        const char *type;       /* static or the fault's; NULL = no Content-Type */
        const char *error;      /* machine name of the error, static, or NULL */
        struct buf body;
        struct header headers[4];
        unsigned header_count;
        bool no_length;         /* no Content-Length, the end of the connection ends it */
        int64_t length_only;    /* of the answer to a HEAD: its Content-Length; 0 = by the body */
        int fd;                 /* a file to send instead of `body`, -1 = none */
        int64_t fd_at, fd_size; /* which part of it */
};

/* How a request with a large body is handled.  All may leave an answer in rq->reply. */
struct stream {
        /* The headers are there; with an answer now, the body is read and thrown away. */
        void (*begin)(struct request *rq);

        /* Some of the body.  Not called once there is an answer. */
        void (*data)(struct request *rq, const void *bytes, size_t n);

        /* All of it was there.  Returns a monotonic time to be called again at, or 0. */
        int64_t (*end)(struct request *rq);

        /* It will never be complete; end() is not called, or not again. */
        void (*abandon)(struct request *rq);
};

struct route {
        enum origin origin;
        const char *method;
        const char *url;        /* one that ends with '*' takes everything that begins so */
        enum endpoint endpoint;
        void (*handle)(struct request *rq);     /* NULL with `stream` */
        const struct stream *stream;
        unsigned flags;
};

#define ROUTE_AUTH 1u           /* needs a token */
#define ROUTE_WRITE 2u          /* changes something: refused when read-only */

enum phase {
        PHASE_HEADERS,          /* nothing was decided */
        PHASE_BODY,             /* reading it */
        PHASE_END,              /* all read; stream->end() may want to be called again */
        PHASE_ANSWER,           /* the answer is decided and waits for its time */
        PHASE_SILENT,           /* there will be none */
};

struct request {
        struct server *server;
        struct MHD_Connection *connection;
        enum origin origin;
        enum phase phase;
        const struct route *route;      /* NULL for an unknown method or path */
        enum endpoint endpoint;
        char *method, *url, *query;     /* as they were sent; owned */
        const char *tail;               /* what of the url stood for the '*' */
        struct param *params;
        size_t param_count;
        struct config cfg;              /* the knobs as they were when it came */
        struct fields *fields;
        struct fault *fault;
        struct path path, from;         /* what it is about; s is NULL when there is none */
        struct buf in;                  /* a small body */
        struct reply reply;
        int64_t start_us;               /* monotonic */
        int64_t wake_us;                /* not before this */
        int64_t body_bytes;             /* received */
        int64_t expected_length;        /* Content-Length, -1 = none */
        int64_t bps, burst;             /* how fast its body is read, 0 = as it comes */
        size_t sent;                    /* of a trickling answer */
        bool counted;                   /* as a PUT under way */
        bool stream_open;               /* begin() was called, and neither end() nor abandon() */
        bool logged;                    /* in the journal */
        bool hung_up;                   /* the client went away while we were silent */
        bool body_too_large;            /* a small body that is not */
        bool others_came;               /* what the fault wants others to do before was done */

        /* The uploader's. */
        struct link *link;              /* claimed */
        struct body *body;
        struct content *content;        /* complete, waits for its commit */
        int64_t range_from, range_total; /* Content-Range, -1 = none */
        bool late;                      /* end() waited already */
};

/* A parameter of the query or of a form; NULL when it was not given. */
const char *request_param(const struct request *rq, const char *name);
const struct param *request_find(const struct request *rq, const char *name);

/* Adds the parameters of "a=b&c=d". */
void request_parse_params(struct request *rq, const char *text, size_t n);

const char *request_header(const struct request *rq, const char *name);

/*
 * The parameters that many endpoints share.  On nonsense they leave a 400 in the reply and return
 * false; a missing one leaves *ret alone, but request_path() then answers 400 too.
 */
bool request_bool(struct request *rq, const char *name, bool *ret);
bool request_number(struct request *rq, const char *name, int64_t max, int64_t *ret);
bool request_path(struct request *rq, const char *name, enum area area, struct path *ret);
