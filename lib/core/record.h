/* SPDX-License-Identifier: MIT */
#pragma once

/* What flows ask to have written down, and what they get to read.  The store carries it out. */

#include "lib/core/entry.h"

/* One change of the snapshot. */
enum record_verb {
        RECORD_ROW,          /* entry: insert or replace */
        RECORD_FORGET,       /* entry.key: remove that one row */
        RECORD_FORGET_TREE,  /* entry.key: remove it and every row and doubt below it */
        RECORD_MOVE,         /* from, entry.key: that row and every row below it are of the other key
                                from now on, and so are the intents below; what rows there were is
                                forgotten.  Without a row for `from` nothing changes */
        RECORD_VERIFIED,     /* entry.key: clear ENTRY_UNVERIFIED, if size and md5 are still these */
        RECORD_INTENT,       /* intent: about to upload entry.key (entry.size) under a wire name */
        RECORD_REMNANT,      /* a wire name that a listing showed: an intent for it, unless there is
                                one, which knows better what it is for */
        RECORD_INTENT_DONE,  /* wire: that intent is over */
        RECORD_REMOTE,       /* entry: what a listing showed (the `remote` table) */
        RECORD_REMOTE_CLEAR, /* empties the `remote` table */
        RECORD_META,         /* name, value (NULL removes) */
        RECORD_DOUBT,        /* entry.key is about to become what `entry` says, in the cloud: a file of
                                this size and md5, a folder, or nothing (KIND_NONE).  It is in doubt
                                from now on; an older doubt about it is replaced */
        RECORD_DOUBT_DONE,   /* entry.key: what stands there is known, and the row says so */
};

struct record {
        enum record_verb verb;
        struct entry entry;
        bool removed;        /* FORGET, FORGET_TREE: since it was removed, here and then in the cloud.
                                What goes is taken from the plan that is approved (the fact "approved",
                                see plan.h), which is under way then and not held any more */
        const char *from;    /* MOVE */
        const char *wire;    /* INTENT, REMNANT, INTENT_DONE: the name it goes up under, without folder */
        int64_t when_ms;     /* INTENT, REMNANT, DOUBT: wall clock, since 1970 */
        bool looked;         /* DOUBT: it was looked at since, and that has not settled it */
        const char *name;    /* META */
        const char *value;   /* META */
};
