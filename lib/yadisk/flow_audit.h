/* SPDX-License-Identifier: MIT */
#pragma once

/* Comparing what is known of a folder with what stands in the cloud, long after it was sent. */

#include "lib/core/flow.h"
#include "lib/yadisk/yadisk.h"

#define AUDIT_LOOK_ONLY (-1)

/* The fact that keeps the place of an audit under way, and its value at the beginning: whoever writes
 * that demands one, of this process or the next. */
#define AUDIT_AT "audit.at"
#define AUDIT_AT_BEGINNING "cloud"

/*
 * Lists the cloud folder of `key` and compares it with the rows right below it.  What is not there
 * as it is known is looked at again for `patience_ms`, since the service may show an old state for a
 * while after a change, and is then forgotten, a folder with all that is below it: the next scan
 * finds it new, and what others put in its place goes to the Trash, not away.  Nothing is forgotten
 * on the strength of a listing that is not whole, or that shows things which cannot be told.
 *
 * With AUDIT_LOOK_ONLY a difference is only told of (END_CHANGED).  END_NOTHING: all is right;
 * END_DONE: something was written (end.vanished: something was forgotten).
 */
struct flow *flow_audit(const struct yadisk *y, const char *key, int64_t patience_ms);

enum audit_find_kind {
        AUDIT_MISSING, /* known, and nothing stands there */
        AUDIT_CHANGED, /* a file, and its content is another */
        AUDIT_RETYPED, /* a file is known and a folder stands there, or the reverse */
};

struct audit_find {
        const char *key;
        enum kind known; /* KIND_FILE or KIND_DIR */
        enum audit_find_kind kind;
};

struct audit_finds {
        const struct audit_find *items; /* as of the last listing; the folder itself, if it is gone */
        size_t n;
        uint64_t compared; /* rows */
        uint64_t foreign;  /* stand there and are not known: left alone */
        uint64_t remnants; /* of interrupted uploads: written down, to be swept */
};

/* Both are good until the flow is destroyed. */
const struct audit_finds *flow_audit_finds(const struct flow *f);
const char *flow_audit_key(const struct flow *f);
