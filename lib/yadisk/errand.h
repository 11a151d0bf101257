/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What all flows of this service have in common: building the next ask, counting tries, polling an
 * operation, and ending with a sentence.
 *
 * A flow embeds a struct errand first.  Its machine has two halves: `ask` says what to wish for in
 * a state, `took` says which state follows from an outcome.  A wait changes no state: when it is
 * over, the same thing is asked again.
 */

#include "lib/base/tr.h"
#include "lib/core/flow.h"
#include "lib/yadisk/verdict.h"
#include "lib/yadisk/yadisk.h"

#define ERRAND_TRIES 8     /* of one step, with growing waits: about two minutes */
#define ERRAND_ROUNDS 12   /* of going back to an earlier step */
#define ERRAND_FRESH_MS 2000 /* so long a look here is good for what rests on it */
#define ERRAND_LATE_MS 40000 /* what was changed may show so late */
#define ERRAND_REPLY_MAX (64 * 1024)
#define ERRAND_LIST_MAX (16 * 1024 * 1024)
#define ERRAND_ITEMS_MAX 10000000 /* in one folder: they are held in memory */

struct errand {
        struct flow flow;
        const struct yadisk *yadisk;
        struct ask (*ask)(struct errand *e);                            /* the wish of this state */
        struct ask (*took)(struct errand *e, const struct outcome *in); /* what follows */
        const char *const *names; /* of the states, for where() */
        int state;

        struct str path, url, text, reason;
        struct http_req http;
        struct record records[5];

        unsigned tries;          /* of this step, without a good answer between */
        unsigned looks;          /* of this step: good answers that said "not yet" */
        unsigned rounds;         /* back to earlier steps */
        unsigned calls;
        uint64_t bytes;
        struct str operation;    /* the one being waited for; empty: none */
        struct str folder;       /* the cloud folder that is being made with all above it */
        size_t folder_at;        /* how much of it is asked for now */
        unsigned folders_made;   /* of them: they had not been there */
        bool folder_gone;        /* for the end: a folder above was missing */
        int64_t wall_ms;         /* wall clock of the last outcome */
        int64_t since_ms;        /* steady clock when the present waiting began; -1: not waiting */
};

void errand_init(struct errand *e, const struct yadisk *y, const char *const *names,
                 struct ask (*ask)(struct errand *),
                 struct ask (*took)(struct errand *, const struct outcome *),
                 void (*destroy)(struct flow *));
void errand_finish(struct errand *e);

/* To the next state: a fresh count of tries, and its ask. */
struct ask errand_go(struct errand *e, int state);

/* Back to an earlier state; ends with END_LATER when that has happened too often. */
struct ask errand_back(struct errand *e, int state, const struct verdict *v);

/* The wishes.  Those for HTTP send what e->url holds, except upload. */
struct ask errand_http(struct errand *e, enum http_method method);
struct ask errand_list(struct errand *e); /* GET with room for a listing */
/* On the strength of a look just now: not sent when it would have to wait. */
struct ask errand_promptly(struct errand *e, enum http_method method);
struct ask errand_link(struct errand *e); /* GET that an upload begins with */
struct ask errand_send(struct errand *e, const char *href, const struct entry *file,
                       int64_t patience_ms);
struct ask errand_record(struct errand *e, size_t n);

/*
 * Doubts.  Before anything is asked for that changes the cloud under a thing's own name, it is
 * written down that `key` is about to become `becomes` (a file with its md5, a folder; NULL: to go).
 * The commit that knows what stands there then ends that: errand_settled() adds its record behind
 * the `n` there are, and returns their new number.  What is left, of a flow that was killed or gave
 * up, the next pass settles by looking (flow_settle.h).
 */
struct ask errand_doubt(struct errand *e, const char *key, const struct entry *becomes);
size_t errand_settled(struct errand *e, size_t n, const char *key);
/* The request was not made, or cannot have done anything: the doubt is over, and nothing else. */
struct ask errand_no_doubt(struct errand *e, const char *key);
struct ask errand_wait(int64_t delay_ms);

/* The answer was good and said "not yet": the same again after a wait that grows from `first_ms` to
 * sixteen times that.  How long that may go on is the caller's to know. */
struct ask errand_not_yet(struct errand *e, int64_t first_ms);

/* The same again after a wait, or the end when it was tried often enough, the server wants a longer
 * wait than a pass has patience for, or it must not be.  For every verdict but OK; ASKER counts as
 * "the service's answer makes no sense here". */
struct ask errand_trouble(struct errand *e, const struct outcome *in, const struct verdict *v);

/* A reply that should have been JSON of a certain kind was not: as trouble. */
struct ask errand_garbled(struct errand *e, const struct outcome *in);

struct ask errand_end(struct errand *e, enum end_kind kind, int status, const char *fmt, ...)
        _printf_(4, 5);

/*
 * Waiting for an operation.  errand_operation_begin() takes the 202 answer (or an id) and returns
 * false when it names no operation.  errand_operation_ask() asks for its state.
 * errand_operation_took() returns what is known: RUNNING means *ret_ask is to be returned (a wait,
 * or the end); GONE means the service no longer knows it.
 */
enum errand_progress { ERRAND_RUNNING, ERRAND_SUCCEEDED, ERRAND_FAILED, ERRAND_GONE };
bool errand_operation_begin(struct errand *e, const struct outcome *in);
bool errand_operation_named(struct errand *e, const char *id);
struct ask errand_operation_ask(struct errand *e);
enum errand_progress errand_operation_took(struct errand *e, const struct outcome *in,
                                           int64_t most_ms, struct ask *ret_ask);

/* Time waited so far in this step's doubt; the first call starts the clock. */
int64_t errand_waited(struct errand *e, const struct outcome *in);

static inline struct errand *errand_of(struct flow *f)
{
        return CONTAINER_OF(f, struct errand, flow);
}

/*
 * Making every folder of a cloud path, from the top.  errand_parents_took() returns MORE (the
 * *ret_ask is to be returned), or MADE.
 */
enum errand_parents { ERRAND_PARENTS_MORE, ERRAND_PARENTS_MADE };
bool errand_parents_begin(struct errand *e, const char *folder); /* false: no memory */
/* To be written down before the first is asked for: should we be killed once it is made, nothing
 * else would tell that what is known to be in it is not there. */
struct ask errand_parents_demand(struct errand *e);
struct ask errand_parents_ask(struct errand *e);
enum errand_parents errand_parents_took(struct errand *e, const struct outcome *in,
                                        struct ask *ret_ask);

/*
 * Reading a cloud folder to its end, page by page.  The service has no snapshot: when the total
 * changes on the way, or a page is short, it begins anew.  WHOLE: `pages.items` holds every item
 * once, in byte order of names.
 */
struct errand_pages {
        struct entry_list items; /* owned; keys are plain names */
        uint64_t total;
        uint64_t got;            /* items shown so far, strange ones counted */
        uint64_t strange;
};
enum errand_listed { ERRAND_LIST_MORE, ERRAND_LIST_WHOLE, ERRAND_LIST_MISSING, ERRAND_LIST_FILE };
void errand_pages_finish(struct errand_pages *p);
struct ask errand_pages_ask(struct errand *e, const struct errand_pages *p, const char *path);
enum errand_listed errand_pages_took(struct errand *e, struct errand_pages *p,
                                     const struct outcome *in, struct ask *ret_ask);

/* The item of that name, or NULL. */
const struct entry *errand_pages_find(const struct errand_pages *p, const char *name);

/* Whether a file whose content was read at `read_ns` may be changed after that without its stamp
 * showing it: ENTRY_RACY. */
bool errand_racy(const struct entry *file, int64_t read_ns);

/* Whether what was found is the file that the row describes: size and md5. */
bool errand_holds(const struct entry *row, const struct entry *found);

/* Whether a look here (ASK_LOOK) may have missed the row's thing for its disk is not mounted any more: it
 * was on one below the watched folder, and what is seen there is the watched folder's own.  Which one of
 * several it was cannot be told from numbers (core/diff.h). */
bool errand_disk_is_away(const struct entry *row, const struct outcome *look);

/* A look at a path in the cloud: what LOOK's answer says. */
enum errand_look { ERRAND_LOOK_TROUBLE, ERRAND_LOOK_NOTHING, ERRAND_LOOK_FILE, ERRAND_LOOK_DIR };
struct ask errand_look_ask(struct errand *e, const char *path);
/* FILE: size and md5 are in *ret (its md5 is always there); TROUBLE: return *ret_ask. */
enum errand_look errand_look_took(struct errand *e, const struct outcome *in, struct entry *ret,
                                  struct ask *ret_ask);

/* What the account has room for.  UNKNOWN: the token may not ask, or the answer makes no sense; then
 * only trying shows it.  TROUBLE: return *ret_ask. */
enum errand_room { ERRAND_ROOM_TROUBLE, ERRAND_ROOM_UNKNOWN, ERRAND_ROOM_KNOWN };
struct ask errand_room_ask(struct errand *e);
enum errand_room errand_room_took(struct errand *e, const struct outcome *in,
                                  struct yadisk_room *ret, struct ask *ret_ask);
