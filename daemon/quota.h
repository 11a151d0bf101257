/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether uploads are paused, kept from pass to pass.
 *
 * Without room on the Disk: the account is asked now and then how much there is (what is in the Trash
 * counts as used), which costs no body, and what fits is sent.  Without an upload allowance, or when
 * the token may not ask, nothing but an upload shows whether it is over: one is let through now and
 * then.  The times between grow from a minute to an hour, or from an hour to six for the allowance,
 * which is for a month.
 *
 * Folders, moves and removals do not come here: they go on.
 */

#include "lib/core/flow.h"

enum quota_pause { QUOTA_OPEN, QUOTA_NO_ROOM, QUOTA_NO_ALLOWANCE };

struct quota {
        enum quota_pause pause;
        unsigned tries;    /* in vain */
        int64_t next_ms;   /* no try before this */
        uint64_t room;     /* NO_ROOM: so much is known to be free */
        bool blind;        /* NO_ROOM: nobody says how much */
        unsigned tickets;  /* uploads that may go to see what becomes of them */
        bool missed;       /* this pass left something out */
        bool said;         /* that uploads are paused */
        bool sent;         /* something arrived in spite of the pause */
        bool roomy;        /* NO_ROOM: in this pass the account had room for all that was wanted */
        uint64_t largest;  /* file that is taken, as far as is known; 0: it is not */
};

void quota_pass_begins(struct quota *q, int64_t now_ms);

/* Whether it is time to ask for the room; then quota_asked() with how that ended. */
bool quota_must_ask(const struct quota *q, int64_t now_ms);
void quota_asked(struct quota *q, const struct flow_end *end, int64_t now_ms);

/* Whether a file of this size may go up now. */
bool quota_admits(struct quota *q, uint64_t size);

/* How an upload ended, or anything else that may have met the limit.  True: uploads are paused from
 * now on. */
bool quota_ended(struct quota *q, const struct flow_end *end, int64_t now_ms);

/* True: uploads are no longer paused. */
bool quota_pass_ended(struct quota *q);

/* True once when uploads are paused since an earlier run, and something is left out because of it. */
bool quota_unsaid(struct quota *q);

/* How it is kept in the snapshot: "" when nothing is paused.  The next start begins with a try, since
 * that costs no body, and goes on with the schedule.  What cannot be read is as if nothing were
 * paused. */
#define QUOTA_TEXT_MAX 64
void quota_save(const struct quota *q, char ret[QUOTA_TEXT_MAX]);
void quota_load(struct quota *q, const char *text, int64_t now_ms);
