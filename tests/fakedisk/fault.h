/* SPDX-License-Identifier: MIT */
#pragma once

/* Rules that make requests go wrong. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "endpoint.h"
#include "util.h"

enum fault_reset {
        RESET_NONE,
        RESET_BEFORE,   /* on the headers, not processed */
        RESET_MIDDLE,   /* PUT: after half the body; others: after half the answer */
        RESET_END,      /* PUT: after the whole body, nothing stored; others: not processed */
        RESET_AFTER,    /* processed, then no answer */
};

/* What a rule does to a request.  Shared between the rule and the requests it hits. */
struct fault {
        atomic_int refs;
        int status;             /* answer with this, do not process; 0 = process */
        char *body;             /* of that answer, or with `garbage` of the real one; owned */
        char *type;             /* its content type, owned */
        cJSON *headers;         /* further headers of it, owned, or NULL */
        bool garbage;           /* processed, but the body is replaced */
        bool truncate;          /* processed, but the body is cut in the middle */
        bool silent;            /* neither processed nor answered */
        bool drop_answer;       /* processed, never answered */
        bool corrupt;           /* PUT: what is stored differs in one byte */
        bool forget;            /* PUT: 201, but nothing is stored */
        enum fault_reset reset;
        cJSON *before, *after;  /* what others do before and after it is processed, or NULL */
        int64_t delay_ms;       /* before the answer */
        int64_t slow_bps;       /* the answer trickles, bytes a second; 0 = no */
};

struct faults;

struct faults *fault_create(uint64_t seed);
void fault_destroy(struct faults *f);

/* Adds a rule or an array of them; false with a sentence in `ret_why`, then none was added. */
bool fault_add(struct faults *f, const cJSON *rules, char ret_why[256]);

/* Makes `to` what `from` is, with what has struck so far.  One call at a time. */
void fault_copy(struct faults *to, struct faults *from);

void fault_clear(struct faults *f);
void fault_seed(struct faults *f, uint64_t seed);

/* The rules as a JSON array, each as it was given plus "matches" and "hits". */
void fault_print(struct faults *f, struct buf *ret);

/*
 * The fault for a request, with a reference, or NULL.  Either path may be NULL.  Every rule that
 * matches counts; the first that strikes wins.
 */
struct fault *fault_match(struct faults *f, enum endpoint ep, const char *path, const char *from);

void fault_unref(struct fault *f);
