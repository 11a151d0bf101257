/* SPDX-License-Identifier: MIT */
#pragma once

/* The service's side of the wire: a URL in, a status and JSON text out. */

#include "tests/sim/sim.h"

#include "lib/core/http_req.h"

struct reply {
        int status;
        int64_t retry_after_ms; /* < 0: nothing said */
        struct str body;
};

#define WIRE_API "https://api.sim"

/* An API request. */
void wire_api(struct reply *ret, enum http_method method, const char *url);
/* A body that has arrived whole at an upload address. */
void wire_upload(struct reply *ret, const char *url, uint64_t content);
