/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What an answer means for the errand: decided here and nowhere else.
 *
 * By HTTP status and by the service's error name; a body that is not JSON, or a name nobody knows,
 * counts by its status alone.  What depends on the question (a 404 is success for a delete) is
 * ASKER: the flow that asked decides, and must.
 */

#include "lib/core/flow.h"
#include "lib/core/gate.h"
#include "lib/yadisk/yadisk_json.h"

enum verdict_act {
        VERDICT_OK,      /* 2xx; or a local step that went well */
        VERDICT_ASKER,   /* the meaning depends on what was asked: 404, 409, 410, 412, local errors */
        VERDICT_AGAIN,   /* the same again after a while */
        VERDICT_LOCKED,  /* another operation holds the thing: again soon */
        VERDICT_STUCK,   /* the same again would fail again */
        VERDICT_FULL,    /* no upload will work for a while */
        VERDICT_REFUSED, /* nothing will work until a person does something */
};

struct verdict {
        enum verdict_act act;
        enum yadisk_error error;
        const char *text;      /* for a person; "" for OK */
        char description[160]; /* the service's own words, may be "" */
};

struct verdict verdict(const struct outcome *in);

/* As verdict(), of a request that changes something.  No such endpoint answers 200, and only a
 * removal 204: a proxy does, with a page of its own, and then nothing was done. */
struct verdict verdict_change(const struct outcome *in);
struct verdict verdict_removal(const struct outcome *in);

/* What it says about requests in general. */
enum gate_news verdict_news(const struct outcome *in);
