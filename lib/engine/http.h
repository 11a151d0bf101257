/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * HTTP on the loop: libcurl's multi interface over libuv.
 *
 * A request under way is an object: http_cancel() ends it, and its callback never comes.  The
 * callback comes exactly once otherwise, from the loop, never before http_start() has returned.
 *
 * Patience is by phase, never one figure for a whole transfer: so long for a connection, so long
 * without a byte moving while sending, so long (the request says) for the answer after the last
 * byte, so long without a byte while receiving.
 */

#include "lib/base/err.h"
#include "lib/core/flow.h"
#include "lib/engine/source.h"

#include <uv.h>

struct http;
struct http_op;

struct http_options {
        const char *user_agent;
        unsigned parallel;      /* connections worth keeping */
        uint64_t upload_rate;   /* bytes a second of all bodies together; 0: no limit */
};

int http_create(struct http **ret, uv_loop_t *loop, const struct http_options *options,
                struct err *err);

/* No request may be under way.  `closed` is called once nothing refers to `h` any more. */
void http_close(struct http *h, void (*closed)(void *userdata), void *userdata);

/* The token that requests with ->api carry; copied, the old one wiped.  NULL: none. */
int http_set_token(struct http *h, const char *token);

/* From now on; 0: no limit. */
void http_set_upload_rate(struct http *h, uint64_t bytes);

/* Where bodies are read; the descriptor must stay open while requests with a file are under way. */
void http_set_root(struct http *h, const struct source_root *root);

/* `in` (OUTCOME_HTTP or OUTCOME_FAULT) and all it points at are good during the call only. */
typedef void (*http_done)(void *userdata, struct outcome *in);

/* `req` with all it points at must stay until the end.  NULL: no memory. */
struct http_op *http_start(struct http *h, const struct http_req *req, http_done done,
                           void *userdata);
void http_cancel(struct http_op *op);

/* Body bytes of this request that have left us, as of a second ago or so. */
uint64_t http_op_sent(const struct http_op *op);

uint64_t http_sent(const struct http *h); /* body bytes ever handed to the network */
