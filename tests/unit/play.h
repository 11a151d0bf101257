/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Playing a flow without a loop: a row gives it an outcome and says what it must ask for then.
 *
 *      PLAY(play_put(.entry = "f a 5"),
 *           {"start", "link /a"},
 *           {"200 link", "send https://up/1"},
 *           {"201 all c1", "record row f a 5 #c1 u"},
 *           {"ok", "end DONE"});
 *
 * Given:
 *
 *      start · woke                    the clock goes on by what was asked for
 *      ok · err EIO                    of a record, a digest, a look here, a question for rows
 *      md5 c1                          of a digest: sixteen times this byte
 *      here f a 5 · here gone          of a look
 *      known f a/x 5 #c1|d a/y         rows, as in tree.h
 *      fault broken [all c1]           no answer; `all`: every byte of the file had gone out
 *      503 [retry=5000] [all c1] [sent=3] BODY
 *
 * where BODY is one of
 *
 *      link [HREF] [ID]                a link, and the operation's id
 *      op ID                           a link to that operation
 *      status WORD                     the state of one
 *      file 5 c1 · dir · other         a resource; `file 5`: without md5
 *      page TOTAL OFFSET ITEMS         a page of a listing, items as in tree.h ("f x 5 #c1|d y")
 *      error NAME · html · raw TEXT · or nothing
 *
 * and `+5000 ` before any of it lets that much time go by first.  Asked:
 *
 *      account · look P · list P OFFSET · mkdir P · link P · link! P (overwrite) · move P P · move! P P
 *      trash P [#c1] · erase P [#c1] · poll ID · send HREF · digest KEY · here KEY · known KEY
 *      wait MS · record RECORD; RECORD · end KIND [vanished] [folder-gone][: TEXT]
 *
 * What only leads up to a change, the writing down of a doubt and the digest that it wants (of a
 * file of c1), is answered well without a row, and the end of a doubt is not shown, unless
 * `doubts` is set: there are more interesting things in most rows.  That no change is asked for
 * without a doubt, and that none is left behind by what went well, is checked in all of them.
 *
 * Paths are shown from the cloud folder, which is "/".  A `wait` or `end` without more agrees with
 * any; the text of an end needs only to be a part of it.  W1 stands for a wire name.  At random
 * numbers comes 0 alone, so that waits are half of their most.
 */

#include "lib/base/str.h"
#include "lib/core/flow.h"
#include "lib/yadisk/flow_drop.h"
#include "lib/yadisk/flow_put.h"
#include "tests/unit/tree.h"

#define PLAY_WALL_MS 1700000000000

extern const struct yadisk play_yadisk;

struct play {
        struct flow *flow;
        struct ask ask;
        struct str shown; /* the ask */
        int64_t now_ms;
        unsigned asks;
        bool over;        /* it has ended, or failed */
        bool doubts;      /* show them */
        char doubted[4][256]; /* keys in doubt; "": none */
        char link_for[256]; /* the key that the last upload link is for; "": a wire name's */
        bool demanded;    /* an audit was, so that folders above may be made */
};

struct play_row {
        const char *give;
        const char *want;
};

void play_begin(struct play *p, struct flow *flow);
void play_step(struct play *p, const char *give, const char *want);
/* Destroys the flow, wherever it is. */
void play_finish(struct play *p);

void play_rows(struct flow *flow, bool doubts, const struct play_row *rows, size_t n);
#define PLAY_WITH(flow, doubts, ...)                                                               \
        do {                                                                                       \
                static const struct play_row _rows[] = {__VA_ARGS__};                              \
                play_rows((flow), (doubts), _rows, ARRAY_SIZE(_rows));                             \
        } while (0)
#define PLAY(flow, ...) PLAY_WITH(flow, false, __VA_ARGS__)
#define PLAY_DOUBTS(flow, ...) PLAY_WITH(flow, true, __VA_ARGS__)

/* Gives an outcome and shows what is asked for.  What every ask must keep to is checked. */
void play_tell(struct play *p, const struct outcome *in);

/* Fills an outcome with the body; both to be freed with play_outcome_finish(). */
void play_outcome(struct play *p, const char *give, struct outcome *ret);
void play_outcome_finish(struct outcome *in);

/* "W1" as a wire name; static memory for ten of them. */
const char *play_wire(unsigned n);

struct play_put {
        const char *entry; /* as in tree.h */
        const char *known; /* size and md5: "5 #c1", "u" added: unverified; NULL: not known */
        const char *there; /* of a listing: "-", "d", "5 #c1"; NULL: not asked */
        enum disguise_policy disguise;
        enum put_verify verify;
        bool leftover;     /* W2 is one; W1 is fresh */
        uint64_t largest;  /* file the account took when last asked */
        bool doubtful;     /* an earlier doubt about it is open */
        bool leftover_old; /* and nothing can come of it any more */
};
struct flow *play_put_flow(const struct play_put *args);
#define play_put(...) play_put_flow(&(struct play_put){__VA_ARGS__})

/* An op on an entry as in tree.h; static memory. */
const struct op *play_op(enum op_verb verb, const char *entry);
