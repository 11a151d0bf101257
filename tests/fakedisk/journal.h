/* SPDX-License-Identifier: MIT */
#pragma once

/* What was asked for: one line per request, and counters. */

#include <stdbool.h>
#include <stdint.h>

#include "endpoint.h"
#include "util.h"

struct journal;

/* One request.  Texts are borrowed and may be NULL. */
struct entry {
        int64_t start_us;               /* monotonic, when its headers were there */
        enum origin origin;
        enum endpoint endpoint;
        const char *method, *url, *query;
        const char *path;               /* "disk:/…": what it is about */
        const char *from;               /* of a copy or move */
        const char *user_agent;
        const char *error;              /* machine name of the error that was answered */
        int status;                     /* 0 when no answer will come */
        int64_t body_bytes;             /* received */
        int64_t expected_length;        /* Content-Length, -1 when there was none */
        int64_t client_port;            /* tells connections apart */
        bool auth;                      /* an Authorization header was sent */
        bool fault;                     /* a rule struck */
        bool aborted;                   /* the client went away */
        bool slow;                      /* a throttled upload */
};

struct journal *journal_create(void);
void journal_destroy(struct journal *j);

/* A request has come in. */
void journal_begin(struct journal *j, enum origin origin, enum endpoint ep);

/* Its answer is decided.  With `keep` false only counters change; `max` bounds the text. */
void journal_end(struct journal *j, const struct entry *e, bool keep, int64_t max);

void journal_put_begin(struct journal *j);
void journal_put_end(struct journal *j);

void journal_clear(struct journal *j);

/* Gives `to` the entries and counters of `from`; what is under way goes on.  One call at a time. */
void journal_copy(struct journal *to, struct journal *from);

/* Everything as NDJSON. */
void journal_print(struct journal *j, struct buf *ret);

/* The counters as one JSON object. */
void journal_counts(struct journal *j, struct buf *ret);
