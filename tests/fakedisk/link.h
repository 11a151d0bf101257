/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Upload links: from the moment one is given out until its body has become a file, or never does.
 */

#include "body.h"
#include "disk.h"

enum link_state {
        LINK_FRESH,     /* given out, nothing sent yet */
        LINK_BUSY,      /* a body is arriving */
        LINK_SPENT,     /* it was used */
};

/* What came of asking for a link by its token. */
enum link_claim {
        LINK_CLAIMED,   /* it is yours now, end it with one of the three functions below */
        LINK_UNKNOWN,   /* there is no such link */
        LINK_EXPIRED,   /* too late */
        LINK_USED,      /* a body was sent to it before, or is being sent now */
};

struct link {
        char token[72];                 /* last part of the href */
        char op_id[65];                 /* of its operation */
        struct link *next;              /* in its bucket */
        struct link *later;             /* made after this one */
        struct link *busy_next, *busy_prev;
        enum link_state state;
        struct path path;               /* the target, owned */
        bool overwrite;
        bool slow;                      /* throttled */
        bool void_;                     /* what comes is not stored: the Disk became another */
        int64_t expires_us;             /* monotonic */
        struct body *partial;           /* what a resumable upload has so far, or NULL */
};

/* Gives out a link; `slow` is what the caller thinks of its name and user agent. */
enum svc_error link_create(struct disk *d, const struct path *p, bool overwrite, bool slow,
                           char ret_token[72], char ret_op[65]);

/* Takes a link to send a body to.  While it is claimed it does not move or vanish. */
enum link_claim link_claim(struct disk *d, const char *token, struct link **ret);

/* The target of a link, for journals and fault rules; false for an unknown one. */
bool link_target(struct disk *d, const char *token, struct path *ret);

/* Bytes that a resumable upload holds already, -1 for an unknown link. */
int64_t link_held(struct disk *d, const char *token);

/* The body never arrived as a whole; `partial` (may be NULL) is kept if uploads can be resumed. */
void link_abandon(struct disk *d, struct link *l, struct body *partial);

/* The body is there: makes it a file.  Takes over the reference to `c`. */
enum svc_error link_commit(struct disk *d, struct link *l, struct content *c);

/* The same after `ms`, when nobody will be told; the operation knows. */
void link_commit_later(struct disk *d, struct link *l, struct content *c, int64_t ms);

/* A claimed link was refused before its body counted: it is spent, its operation failed. */
void link_spoil(struct disk *d, struct link *l);

/* locked: is a body arriving for something below `p`? */
bool link_busy_below(const struct disk *d, const struct path *p);

/* locked: whoever is sending will find no place for it. */
void link_void(struct disk *d);

/* locked: forgets all that are not busy. */
void link_reset(struct disk *d);
