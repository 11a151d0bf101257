/* SPDX-License-Identifier: MIT */
#pragma once

/* A request as a value: what to send, described, and how long to be patient. */

#include "lib/core/entry.h"

enum http_method { HTTP_GET, HTTP_PUT, HTTP_POST, HTTP_DELETE };

struct http_req {
        enum http_method method;
        const char *url;         /* a secret when it is an upload link: never logged */
        bool api;                /* to the API: carries the token, counts against the request rate.
                                    Otherwise to an upload host: no token. */
        bool begins_upload;      /* asks where to send to: in vain while nothing sent arrives */
        const struct entry *file; /* the body: this file's bytes; NULL: no body */
        int64_t fresh_ms;        /* API: what it rests on is no longer true after so long, then it is
                                    not sent (HTTP_FAULT_SHUT); 0: it can wait */
        int64_t patience_ms;     /* longest silence between our last byte and the first of the
                                    answer; 0: the usual */
        size_t reply_max;        /* a longer answer body is a fault */
};

/* Why there is no answer. */
enum http_fault {
        HTTP_FAULT_NONE,
        HTTP_FAULT_UNREACHABLE, /* no address, no connection */
        HTTP_FAULT_TLS,         /* the other side could not prove who it is */
        HTTP_FAULT_BROKEN,      /* the connection ended or spoke nonsense before the answer was whole */
        HTTP_FAULT_STALLED,     /* nothing moved for too long */
        HTTP_FAULT_TOO_LARGE,   /* more answer than reply_max */
        HTTP_FAULT_SHUT,        /* not asked: others were refused just now, or not answered; or its
                                   turn came later than ->fresh_ms */
        HTTP_FAULT_LOCAL,       /* we could not send: `err` of the outcome says why */
};
