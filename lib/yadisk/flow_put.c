/* SPDX-License-Identifier: MIT */

/*
 * Put one file on the Disk.
 *
 *                        ┌──────────── known or listed there, same size
 *                        ▼
 *   START ─▶ RESUME? ─▶ COMPARE ─▶ LOOK ─▶ INTENT ─▶ LINK ─▶ SEND ─▶ POLL ─▶ CLEAR ─▶ NAME ─▶ RECORD
 *              │           │same     ▲     (wire)     ▲  │      │202    ▲   (foreign) (wire)   ▲
 *              │           └─────────│────────────────│──│──────│───────│──────────────────────┘
 *              │                     └── 409 exists ──│──┘      ▼       │
 *              └── arrived under its wire name ───────│───▶  DOUBT ─────┘
 *                                                     └─ absent ┘
 *
 * Not drawn: what goes up under its own name is read once more for its digest (EXPECT) and, like
 * what is moved onto it, written down as a doubt (OWN) right before SEND, CLEAR or NAME.
 *
 * A state names the step whose answer is awaited.  The rules it keeps:
 *
 *   - A large file, or one larger than the account took before, is sent only once the account was
 *     asked (ROOM) whether there is room for it; so is one that was refused, to learn why.
 *   - Where nothing is known to stand, the link is asked for without `overwrite`, the one condition
 *     the service offers: what somebody else put there is met as 409, looked at, and adopted when it
 *     is the same content.
 *   - Where our older version stands, one look makes sure that it is still ours.  The service has no
 *     condition for an upload or a move that replaces, so between that look and the replacement
 *     somebody else's version can come and be lost.  For a file of 8 MiB and more, which takes its
 *     time, ours goes up under a wire name and a second look (RELOOK) comes right before the move:
 *     what remains is the time between two calls.  (Where there is no room for both beside each
 *     other, it goes in place all the same.)  For smaller ones it is the time of the upload,
 *     and two calls more for each would cost more than they are worth.  (Moving our older version
 *     to the Trash on condition of its md5 would close the gap, and leave no version at the name for
 *     a while, and fill the Trash with every version there was.)
 *   - A new file of 8 MiB and more goes up under a wire name, too, unless that is not wanted at all
 *     (DISGUISE_NEVER): so long an upload may well be cut off, and what has arrived of it should not
 *     stand under the file's own name.
 *   - Other people's content is never overwritten: ours goes up under a wire name first, then theirs
 *     goes to the Trash (on condition of its md5), then ours gets the name.
 *   - Once every byte was sent, a lost answer is a doubt, not a failure: the Disk is looked at until
 *     the content is there or could no longer come.  Only then are bytes sent again, with a new link.
 *   - The intent is on disk before the first byte under a wire name leaves (even before its link is
 *     asked for); the row replaces it in one transaction once the name is right.  A crash between
 *     the two leaves an intent, and the next run's RESUME finds what arrived.  The other way round
 *     would leave half a file that nobody knows, or a row for a file that never got its name.  All
 *     such orders, and what each prevents: store_commit.c.
 */

#include "lib/yadisk/flow_put.h"

#include "lib/yadisk/errand.h"

#include <errno.h>

#define PUT_STATES(X)                                                                              \
        X(START)      /* nothing asked yet */                                                      \
        X(RESUME)     /* is the content there under the wire name of an interrupted run? */        \
        X(MATCH)      /* md5 of the file here, to compare with what RESUME found */                \
        X(COMPARE)    /* md5 of the file here, to compare with what stands there */                \
        X(LOOK)       /* what stands at the file's own name */                                     \
        X(UNWIRE)     /* removing what stands under the wire name and is not wanted */             \
        X(INTENT)     /* writing down what is about to go up under a wire name */                  \
        X(ROOM)       /* whether the account has room for a file like this */                      \
        X(LINK)       /* a place to send to */                                                     \
        X(DEMAND)     /* writing down that a folder above is missing */                            \
        X(PARENTS)    /* making the folders above, which have vanished */                          \
        X(EXPECT)     /* md5 of the file here, which is to stand at its own name */                \
        X(OWN)        /* writing down what is about to stand at the own name */                    \
        X(SEND)       /* the bytes */                                                              \
        X(POLL)       /* 202: received, not yet in place */                                        \
        X(DOUBT)      /* sent, and no answer: did it arrive? */                                    \
        X(CLEAR)      /* moving other content out of the way, into the Trash */                    \
        X(CLEAR_POLL)                                                                              \
        X(RELOOK)     /* does our older version still stand at the name? */                       \
        X(NAME)       /* the move from the wire name onto the file's own */                        \
        X(NAME_POLL)                                                                               \
        X(NAME_LOOK)  /* the move was refused or its answer lost: what stands there now? */        \
        X(CHECK)      /* does the Disk hold what was read? */                                      \
        X(RECORD)     /* writing down that it is done */                                           \
        X(NO_DOUBT)   /* writing down that nothing can have changed at the own name */

enum put_state {
#define PUT_STATE_ENUM(id) PUT_##id,
        PUT_STATES(PUT_STATE_ENUM)
#undef PUT_STATE_ENUM
};

static const char *const put_names[] = {
#define PUT_STATE_NAME(id) #id,
        PUT_STATES(PUT_STATE_NAME)
#undef PUT_STATE_NAME
};

/* What stands at the file's own name in the cloud. */
enum put_there {
        PUT_THERE_UNKNOWN,
        PUT_THERE_NOTHING,
        PUT_THERE_OURS,   /* the version the snapshot knows: may be replaced */
        PUT_THERE_OTHER,  /* a file of there_size and there_md5 that is not ours */
};

struct flow_put {
        struct errand e;
        enum disguise_policy disguise;
        enum put_verify verify;
        struct op op;
        char *key;
        char wire[DISGUISE_WIRE_LEN + 1];
        char leftover[DISGUISE_WIRE_LEN + 1]; /* "": none */
        bool leftover_old;                    /* nothing can come of it any more */

        enum put_there there;
        uint64_t there_size;
        uint8_t there_md5[16];

        bool has_md5;        /* `md5` is that of the file here, and of what was sent */
        uint8_t md5[16];
        int64_t read_ns;     /* wall clock when it was read */
        bool via_wire;       /* goes up, or went up, under `wire` */
        bool resumed;        /* `wire` is a leftover that holds the right content */
        bool sent;           /* bytes went out and arrived */
        bool seen_there;     /* a look or listing has shown size and md5 to be right */
        bool in_place;       /* replaces our older version without a second look: see PUT_LARGE */
        bool unwire_last;    /* UNWIRE is followed by RECORD, not by another try */
        bool name_doubt;     /* the move may yet be made: it was accepted, and nothing tells of it */
        bool wire_gone;      /* the move did not find what was sent */
        bool late;           /* something may yet come to stand under `wire`: its intent is kept */
        bool said_to_exist;  /* a link was refused because something stands there: it may show late */
        bool parents_made;
        uint64_t largest;    /* what the account took at most when last asked; 0: not known */
        bool knows_room;     /* `room` was asked for by this flow */
        struct yadisk_room room;
        int refused_status;  /* 403, 413: refused so, before ROOM; 0: not refused */
        struct verdict refused;
        enum put_state after_parents, after_own;
        bool doubted;        /* what is about to stand at the own name was written down, … */
        bool begun;          /* … and a request was made that may have it so, by this flow or before */
        struct flow_end end; /* for after NO_DOUBT */
        struct yadisk_link link;
        struct str cloud;    /* scratch: cloud paths */
        struct str cloud2;
};

#define PUT_ROOM_SIZE (1u << 30) /* more than this no account without payment takes */
#define PUT_LARGE (8u << 20) /* takes long enough for somebody else, or a crash, to come between */

static struct flow_put *put_of(struct errand *e)
{
        return CONTAINER_OF(e, struct flow_put, e);
}

/* ---- paths ------------------------------------------------------------------------------------ */

static const char *put_own_path(struct flow_put *f)
{
        yadisk_path(&f->cloud, f->e.yadisk, f->key);
        return str_z(&f->cloud);
}

static const char *put_wire_path(struct flow_put *f, const char *wire)
{
        yadisk_path_beside(&f->cloud2, f->e.yadisk, f->key, wire);
        return str_z(&f->cloud2);
}

static const char *put_sent_path(struct flow_put *f)
{
        return f->via_wire ? put_wire_path(f, f->wire) : put_own_path(f);
}

/* ---- how long to be patient ------------------------------------------------------------------- */

/* The service hashes and stores after the last byte, in silence: up to two minutes a GiB. */
static int64_t put_scaled_ms(const struct flow_put *f, int64_t base_ms, int64_t per_gib_ms)
{
        return base_ms + (int64_t)((double)f->op.entry.size / (1u << 30) * (double)per_gib_ms);
}

static int64_t put_patience_ms(const struct flow_put *f)
{
        int64_t ms = put_scaled_ms(f, 120000, 150000);

        /* A throttled upload may be taken in fast and answered as late as if it had been slow. */
        if (!f->via_wire && disguise_speed(f->key) != DISGUISE_FAST)
                ms += (int64_t)(f->op.entry.size * 1500 / DISGUISE_SLOW_RATE);
        return ms;
}

/* ---- the wishes ------------------------------------------------------------------------------- */

static struct ask put_ask_digest(struct flow_put *f)
{
        return (struct ask){.want = ASK_DIGEST, .entry = &f->op.entry};
}

static struct ask put_ask_intent(struct flow_put *f)
{
        f->e.records[0] = (struct record){.verb = RECORD_INTENT,
                                          .entry = f->op.entry,
                                          .wire = f->wire,
                                          .when_ms = f->e.wall_ms};
        return errand_record(&f->e, 1);
}

static struct ask put_ask_link(struct flow_put *f)
{
        yadisk_url_upload(&f->e.url, f->e.yadisk, put_sent_path(f),
                          !f->via_wire && f->there == PUT_THERE_OURS);
        return errand_link(&f->e);
}

static struct ask put_ask_unwire(struct flow_put *f)
{
        const char *wire = f->unwire_last ? f->wire : f->leftover;

        yadisk_url_delete(&f->e.url, f->e.yadisk, put_wire_path(f, wire), NULL, true);
        return errand_http(&f->e, HTTP_DELETE);
}

static struct ask put_ask_clear(struct flow_put *f)
{
        yadisk_url_delete(&f->e.url, f->e.yadisk, put_own_path(f), f->there_md5, false);
        return errand_http(&f->e, HTTP_DELETE);
}

static struct ask put_ask_name(struct flow_put *f)
{
        yadisk_url_move(&f->e.url, f->e.yadisk, put_wire_path(f, f->wire), put_own_path(f),
                        f->there == PUT_THERE_OURS);
        return errand_http(&f->e, HTTP_POST);
}

static struct ask put_ask_record(struct flow_put *f)
{
        struct record *r = f->e.records;
        struct entry *row = &r[0].entry;
        bool racy = errand_racy(&f->op.entry, f->read_ns);
        bool unverified = f->sent ? f->verify == PUT_VERIFY_LATER && !f->seen_there
                                  : f->op.known_unverified && !f->seen_there;
        size_t n = 1;

        r[0] = (struct record){.verb = RECORD_ROW, .entry = f->op.entry};
        row->has_md5 = true;
        memcpy(row->md5, f->md5, sizeof(row->md5));
        row->flags = (racy ? ENTRY_RACY : 0) | (unverified ? ENTRY_UNVERIFIED : 0);
        if (f->via_wire && f->late) /* counted from now on: it may have been sent again and again */
                r[n++] = (struct record){.verb = RECORD_INTENT,
                                         .entry = f->op.entry,
                                         .wire = f->wire,
                                         .when_ms = f->e.wall_ms};
        else if (f->via_wire)
                r[n++] = (struct record){.verb = RECORD_INTENT_DONE, .wire = f->wire};
        if (*f->leftover)
                r[n++] = (struct record){.verb = RECORD_INTENT_DONE, .wire = f->leftover};
        if (f->doubted)
                n = errand_settled(&f->e, n, f->key);
        return errand_record(&f->e, n);
}

static struct ask put_ask_own(struct flow_put *f)
{
        struct entry becomes = f->op.entry;

        memcpy(becomes.md5, f->md5, sizeof(becomes.md5));
        return errand_doubt(&f->e, f->key, &becomes);
}

static struct ask put_ask(struct errand *e)
{
        struct flow_put *f = put_of(e);

        switch ((enum put_state)e->state) {
        case PUT_START:
                break;
        case PUT_RESUME:
                return errand_look_ask(e, put_wire_path(f, f->leftover));
        case PUT_MATCH:
        case PUT_COMPARE:
        case PUT_EXPECT:
                return put_ask_digest(f);
        case PUT_LOOK:
        case PUT_RELOOK:
        case PUT_NAME_LOOK:
        case PUT_CHECK:
                return errand_look_ask(e, put_own_path(f));
        case PUT_UNWIRE:
                return put_ask_unwire(f);
        case PUT_INTENT:
                return put_ask_intent(f);
        case PUT_ROOM:
                return errand_room_ask(e);
        case PUT_LINK:
                return put_ask_link(f);
        case PUT_DEMAND:
                return errand_parents_demand(e);
        case PUT_PARENTS:
                return errand_parents_ask(e);
        case PUT_OWN:
                return put_ask_own(f);
        case PUT_SEND:
                return errand_send(e, f->link.href, &f->op.entry, put_patience_ms(f));
        case PUT_POLL:
        case PUT_CLEAR_POLL:
        case PUT_NAME_POLL:
                return errand_operation_ask(e);
        case PUT_DOUBT:
                return errand_look_ask(e, put_sent_path(f));
        case PUT_CLEAR:
                f->begun = true;
                return put_ask_clear(f);
        case PUT_NAME:
                f->begun = true;
                return put_ask_name(f);
        case PUT_RECORD:
                return put_ask_record(f);
        case PUT_NO_DOUBT:
                return errand_no_doubt(e, f->key);
        }
        return errand_end(e, END_STUCK, 0, "internal: asked in state %s", put_names[e->state]);
}

/* ---- turns that several states take ----------------------------------------------------------- */

/* The file here could not be read, or is not what the scan saw any more. */
static struct ask put_local(struct flow_put *f, const struct outcome *in)
{
        switch (in->err) {
        case ESTALE:
        case ENOENT:
        case ENOTDIR:
        case EISDIR:
        case EINVAL:
        case ELOOP:
                return errand_end(&f->e, END_CHANGED, 0, "it changed while it was being read");
        }
        return errand_end(&f->e, END_LATER, 0, "it cannot be read: %s", strerror(in->err));
}

static struct ask put_folder_there(struct flow_put *f)
{
        return errand_end(&f->e, END_STUCK, 0,
                          "a folder that is not ours stands in the cloud under this name; rename "
                          "or remove one of the two");
}

static struct ask put_send_it(struct flow_put *f)
{
        return errand_go(&f->e, f->via_wire ? PUT_INTENT : PUT_LINK);
}

/* Refused for a reason that may be the account's: what it has room for tells. */
static struct ask put_refused(struct flow_put *f, const struct outcome *in,
                              const struct verdict *v)
{
        if (f->knows_room || in->kind != OUTCOME_HTTP)
                return errand_trouble(&f->e, in, v);
        f->refused = *v;
        f->refused_status = in->status;
        return errand_go(&f->e, PUT_ROOM);
}

/* Whether another look is worth its call before our older version is replaced. */
static bool put_relooks(const struct flow_put *f)
{
        return f->there == PUT_THERE_OURS && f->op.entry.size >= PUT_LARGE && !f->in_place;
}

/* There is no room for two versions beside each other, but perhaps for one in place of the other. */
static bool put_takes_its_place(struct flow_put *f)
{
        if (!f->via_wire || !put_relooks(f) ||
            disguise_wanted(f->disguise, f->key, f->op.entry.size))
                return false;
        f->in_place = true;
        f->via_wire = false;
        return true;
}

/* Whether it goes up under a wire name. */
static bool put_wants_wire(const struct flow_put *f)
{
        return f->there == PUT_THERE_OTHER || put_relooks(f) ||
               disguise_wanted(f->disguise, f->key, f->op.entry.size) ||
               (f->there == PUT_THERE_NOTHING && f->op.entry.size >= PUT_LARGE &&
                f->disguise != DISGUISE_NEVER);
}

/* What is about to happen at the own name is written down, and then happens. */
static struct ask put_own(struct flow_put *f, enum put_state then)
{
        f->after_own = then;
        return errand_go(&f->e, f->has_md5 ? PUT_OWN : PUT_EXPECT);
}

/* What stands there is known: send, now that nothing is in doubt. */
static struct ask put_upload(struct flow_put *f)
{
        f->via_wire = put_wants_wire(f);
        if (f->op.entry.size > PUT_ROOM_SIZE ||
            (f->largest > 0 && f->op.entry.size > f->largest))
                return errand_go(&f->e, PUT_ROOM);
        return put_send_it(f);
}

/* It stands under its own name: look at it first, where that is wanted. */
static struct ask put_named(struct flow_put *f)
{
        return errand_go(&f->e, f->verify == PUT_VERIFY_NOW && !f->seen_there ? PUT_CHECK
                                                                               : PUT_RECORD);
}

/* The content is up, under whichever name it was sent. */
static struct ask put_arrived(struct flow_put *f)
{
        f->sent = true;
        if (!f->via_wire)
                return put_named(f);
        if (f->there == PUT_THERE_OTHER)
                return put_own(f, PUT_CLEAR);
        /* What was resumed was looked for a moment ago. */
        return put_own(f, put_relooks(f) && !f->resumed ? PUT_RELOOK : PUT_NAME);
}

/*
 * After a doubt or a failure of the sending itself: a fresh link, after a while.  Where our older
 * version stood, another look comes first: much time may have passed since the last.
 */
static struct ask put_resend(struct flow_put *f, const struct outcome *in,
                             const struct verdict *v)
{
        unsigned tries = f->e.rounds < ERRAND_TRIES ? f->e.rounds : ERRAND_TRIES - 1;

        f->e.tries = ++f->e.rounds > ERRAND_ROUNDS ? 2 * ERRAND_TRIES : tries;
        f->e.looks = 0;
        f->e.since_ms = -1;
        f->e.state = !f->via_wire && f->there == PUT_THERE_OURS ? PUT_LOOK : PUT_LINK;
        return errand_trouble(&f->e, in, v);
}

static struct ask put_make_parents(struct flow_put *f, enum put_state then)
{
        _cleanup_(str_finish) struct str parent = STR_NULL(YADISK_URL_MAX);

        if (f->parents_made)
                return errand_end(&f->e, END_LATER, 409,
                                  "its folder in the cloud keeps vanishing");
        f->parents_made = true;
        f->after_parents = then;
        yadisk_path(&parent, f->e.yadisk, "");
        if (entry_key_parent(f->key) > 0) {
                str_addc(&parent, '/');
                str_add(&parent, f->key, entry_key_parent(f->key));
        }
        if (parent.failed || !errand_parents_begin(&f->e, str_z(&parent)))
                return errand_end(&f->e, END_LATER, 0, "no memory");
        return errand_go(&f->e, PUT_DEMAND);
}

static bool put_is_exists(enum yadisk_error error)
{
        return error == YADISK_ERROR_EXISTS || error == YADISK_ERROR_EXISTS_OLD;
}

/* Whether what was found in the cloud is the content of the file here. */
static bool put_same(const struct flow_put *f, const struct entry *found)
{
        return found->size == f->op.entry.size &&
               memcmp(found->md5, f->md5, sizeof(f->md5)) == 0;
}

/* It is sent, and this stands at its name: the very same, or what has to make room. */
static struct ask put_other_there(struct flow_put *f, const struct entry *found)
{
        struct verdict gone = {.act = VERDICT_AGAIN, .text = N_("what was sent has vanished")};

        if (put_same(f, found)) {
                f->seen_there = f->unwire_last = true;
                return errand_go(&f->e, PUT_UNWIRE);
        }
        f->there = PUT_THERE_OTHER;
        f->there_size = found->size;
        memcpy(f->there_md5, found->md5, sizeof(f->there_md5));
        if (f->wire_gone)
                return errand_back(&f->e, PUT_DOUBT, &gone);
        return errand_go(&f->e, PUT_CLEAR);
}

/* ---- what follows from each answer ------------------------------------------------------------ */

static struct ask put_begin(struct flow_put *f)
{
        const struct op *op = &f->op;

        if (op->there == OP_THERE_DIR)
                return put_folder_there(f);
        if (op->there == OP_THERE_FILE) {
                f->there = PUT_THERE_OTHER;
                f->there_size = op->there_size;
                memcpy(f->there_md5, op->there_md5, sizeof(f->there_md5));
                if (op->there_size == op->entry.size)
                        return errand_go(&f->e, PUT_COMPARE);
                return put_upload(f);
        }
        if (op->was_known && op->known_size == op->entry.size)
                return errand_go(&f->e, PUT_COMPARE);
        if (op->was_known)
                return errand_go(&f->e, PUT_LOOK);
        f->there = PUT_THERE_NOTHING;
        return put_upload(f);
}

static struct ask put_took_resume(struct flow_put *f, const struct outcome *in)
{
        struct entry found;
        struct ask ask;

        switch (errand_look_took(&f->e, in, &found, &ask)) {
        case ERRAND_LOOK_TROUBLE:
                return ask;
        case ERRAND_LOOK_NOTHING:
                /* It may still be on its way inside the service: its intent is kept, to be swept,
                 * unless it is too old for that.  Or it has got its name already. */
                if (!f->leftover_old)
                        *f->leftover = '\0';
                if (f->op.was_known || f->op.there != OP_THERE_UNKNOWN)
                        return put_begin(f);
                return errand_go(&f->e, PUT_LOOK);
        case ERRAND_LOOK_FILE:
                f->there_size = found.size;
                memcpy(f->there_md5, found.md5, sizeof(f->there_md5));
                if (found.size == f->op.entry.size)
                        return errand_go(&f->e, PUT_MATCH);
                return errand_go(&f->e, PUT_UNWIRE);
        case ERRAND_LOOK_DIR:
                *f->leftover = '\0'; /* not ours, whatever it is */
                return put_begin(f);
        }
        return ask;
}

static void put_take_md5(struct flow_put *f, const struct outcome *in)
{
        f->has_md5 = true;
        memcpy(f->md5, in->md5, sizeof(f->md5));
        f->read_ns = in->read_ns;
}

static struct ask put_took_match(struct flow_put *f, const struct outcome *in)
{
        if (in->err)
                return put_local(f, in);
        put_take_md5(f, in);
        if (memcmp(f->md5, f->there_md5, sizeof(f->md5)) != 0)
                return errand_go(&f->e, PUT_UNWIRE);
        memcpy(f->wire, f->leftover, sizeof(f->wire));
        *f->leftover = '\0';
        f->resumed = f->via_wire = true;
        return errand_go(&f->e, PUT_LOOK);
}

static struct ask put_took_compare(struct flow_put *f, const struct outcome *in)
{
        if (in->err)
                return put_local(f, in);
        put_take_md5(f, in);
        if (f->there == PUT_THERE_OTHER && f->there_size == f->op.entry.size &&
            memcmp(f->md5, f->there_md5, sizeof(f->md5)) == 0) {
                f->seen_there = true;
                return errand_go(&f->e, PUT_RECORD);
        }
        if (f->there == PUT_THERE_UNKNOWN && f->op.was_known &&
            f->op.known_size == f->op.entry.size &&
            memcmp(f->md5, f->op.known_md5, sizeof(f->md5)) == 0)
                return errand_go(&f->e, PUT_RECORD);
        if (f->there == PUT_THERE_UNKNOWN)
                return errand_go(&f->e, PUT_LOOK);
        return put_upload(f);
}

static struct ask put_after_look(struct flow_put *f)
{
        if (!f->resumed)
                return put_upload(f);
        return put_arrived(f);
}

static struct ask put_took_look(struct flow_put *f, const struct outcome *in)
{
        struct entry found;
        struct ask ask;

        switch (errand_look_took(&f->e, in, &found, &ask)) {
        case ERRAND_LOOK_TROUBLE:
                return ask;
        case ERRAND_LOOK_NOTHING:
                if (f->said_to_exist && errand_waited(&f->e, in) < ERRAND_LATE_MS)
                        return errand_not_yet(&f->e, 500);
                f->there = PUT_THERE_NOTHING;
                return put_after_look(f);
        case ERRAND_LOOK_DIR:
                return put_folder_there(f);
        case ERRAND_LOOK_FILE:
                break;
        }
        f->there_size = found.size;
        memcpy(f->there_md5, found.md5, sizeof(f->there_md5));
        if (f->has_md5 && put_same(f, &found)) {
                f->seen_there = true;
                f->unwire_last = f->resumed;
                return errand_go(&f->e, f->resumed ? PUT_UNWIRE : PUT_RECORD);
        }
        if (f->op.was_known && found.size == f->op.known_size &&
            memcmp(found.md5, f->op.known_md5, sizeof(found.md5)) == 0) {
                f->there = PUT_THERE_OURS;
                return put_after_look(f);
        }
        f->there = PUT_THERE_OTHER;
        if (!f->has_md5 && found.size == f->op.entry.size)
                return errand_go(&f->e, PUT_COMPARE);
        return put_after_look(f);
}

static struct ask put_took_unwire(struct flow_put *f, const struct outcome *in)
{
        struct verdict v = verdict_removal(in);

        if (v.act != VERDICT_OK && !(v.act == VERDICT_ASKER && in->status == 404))
                return errand_trouble(&f->e, in, &v);
        /* Accepted is not removed: its intent is kept, to be swept. */
        if (f->unwire_last) {
                f->late |= in->status == 202;
                return errand_go(&f->e, PUT_RECORD);
        }
        if (in->status == 202)
                *f->leftover = '\0';
        f->there_size = 0;
        return put_begin(f);
}

static struct ask put_took_link(struct flow_put *f, const struct outcome *in)
{
        struct verdict v = verdict(in);

        if (v.act == VERDICT_ASKER && (v.error == YADISK_ERROR_NO_PARENT || in->status == 404))
                return put_make_parents(f, PUT_LINK);
        if (v.act == VERDICT_ASKER && v.error == YADISK_ERROR_FOLDER_EXISTS)
                return put_folder_there(f);
        if (v.act == VERDICT_ASKER && put_is_exists(v.error)) {
                /* At a wire name only an earlier try of this flow can stand. */
                if (f->via_wire && f->has_md5)
                        return errand_back(&f->e, PUT_DOUBT, &v);
                f->said_to_exist = true;
                return errand_back(&f->e, PUT_LOOK, &v);
        }
        if (v.act == VERDICT_STUCK && (in->status == 403 || in->status == 413))
                return put_refused(f, in, &v);
        if (v.act == VERDICT_FULL && in->status == 507 && put_takes_its_place(f))
                return errand_back(&f->e, PUT_LOOK, &v);
        if (v.act != VERDICT_OK)
                return errand_trouble(&f->e, in, &v);
        yadisk_link_finish(&f->link);
        if (yadisk_read_link(in->body, in->body_len, &f->link) < 0)
                return errand_garbled(&f->e, in);
        if (!yadisk_link_allowed(f->e.yadisk, f->link.href))
                return errand_end(&f->e, END_LATER, 0,
                                  "the service named an upload address that is not safe to use");
        return f->via_wire ? errand_go(&f->e, PUT_SEND) : put_own(f, PUT_SEND);
}

static struct ask put_no_room(struct flow_put *f, int status, const char *what)
{
        _cleanup_(str_finish) struct str size = STR_NULL(64);
        _cleanup_(str_finish) struct str room = STR_NULL(64);
        struct ask ask;

        str_add_size(&size, f->op.entry.size);
        str_add_size(&room, yadisk_room_free(&f->room));
        ask = errand_end(&f->e, END_FULL, status, "%s (%s free, %s wanted)", tr(what),
                         str_z(&room), str_z(&size));
        ask.end.reason = what;
        return ask;
}

static struct ask put_too_large(struct flow_put *f)
{
        _cleanup_(str_finish) struct str most = STR_NULL(64);

        str_add_size(&most, f->room.largest);
        return errand_end(&f->e, END_STUCK, 413,
                          "it is larger than the account allows (at most %s)", str_z(&most));
}

static struct ask put_took_room(struct flow_put *f, const struct outcome *in)
{
        struct outcome refused = {
                .kind = OUTCOME_HTTP, .status = f->refused_status, .retry_after_ms = -1};
        uint64_t size = f->op.entry.size, room;
        struct ask ask;

        switch (errand_room_took(&f->e, in, &f->room, &ask)) {
        case ERRAND_ROOM_TROUBLE:
                return ask;
        case ERRAND_ROOM_UNKNOWN:
                f->room = (struct yadisk_room){.total = UINT64_MAX};
                break;
        case ERRAND_ROOM_KNOWN:
                f->knows_room = true;
                break;
        }
        if (f->room.largest > 0 && size > f->room.largest)
                return put_too_large(f);
        room = yadisk_room_free(&f->room);
        if (f->refused_status == 403 && room == 0)
                return put_no_room(f, 403, "the account holds more than it has room for");
        if (f->refused_status)
                return errand_trouble(&f->e, &refused, &f->refused);
        /* What is replaced in place makes room for what replaces it. */
        if (!f->via_wire && f->there == PUT_THERE_OURS)
                room += f->op.known_size;
        else if (size > room && size <= room + f->op.known_size && put_takes_its_place(f))
                room += f->op.known_size;
        if (size > room)
                return put_no_room(f, 507, "the Disk is full");
        return put_send_it(f);
}

static struct ask put_took_parents(struct flow_put *f, const struct outcome *in)
{
        struct ask ask;

        if (errand_parents_took(&f->e, in, &ask) == ERRAND_PARENTS_MORE)
                return ask;
        f->e.folder_gone |= f->e.folders_made > 0;
        return errand_go(&f->e, f->after_parents);
}

static struct ask put_took_expect(struct flow_put *f, const struct outcome *in)
{
        if (in->err)
                return put_local(f, in);
        put_take_md5(f, in);
        return errand_go(&f->e, PUT_OWN);
}

static struct ask put_took_sent(struct flow_put *f, const struct outcome *in)
{
        struct verdict early = {.act = VERDICT_AGAIN, .text = N_("it was accepted before its end")};

        if (in->sent != f->op.entry.size || !f->has_md5)
                return put_resend(f, in, &early);
        if (in->status != 202)
                return put_arrived(f);
        return errand_go(&f->e, errand_operation_named(&f->e, f->link.operation_id) ? PUT_POLL
                                                                                    : PUT_DOUBT);
}

static struct ask put_took_send(struct flow_put *f, const struct outcome *in)
{
        struct verdict v = verdict_change(in);
        bool whole = in->sent == f->op.entry.size;

        f->begun |= whole || (in->kind == OUTCOME_FAULT && in->sent_all);
        if (whole && in->read_ns) /* nothing is sent of an empty file, read or not */
                put_take_md5(f, in);
        if (in->kind == OUTCOME_FAULT && in->fault == HTTP_FAULT_LOCAL)
                return put_local(f, in);
        switch (v.act) {
        case VERDICT_OK:
                return put_took_sent(f, in);
        case VERDICT_AGAIN:
        case VERDICT_LOCKED:
                if (whole && f->has_md5 &&
                    (in->kind == OUTCOME_FAULT ? in->sent_all
                                               : in->status >= 500 || in->status < 300))
                        return errand_go(&f->e, PUT_DOUBT);
                return put_resend(f, in, &v);
        case VERDICT_ASKER:
        case VERDICT_REFUSED: /* the link's, not the account's: no token was sent */
                v.act = VERDICT_AGAIN;
                return put_resend(f, in, &v);
        case VERDICT_STUCK:
                if (in->status == 413)
                        return put_refused(f, in, &v);
                v.act = VERDICT_AGAIN; /* 400: the link was used before */
                return put_resend(f, in, &v);
        case VERDICT_FULL:
                if (in->status == 507 && put_takes_its_place(f))
                        return errand_back(&f->e, PUT_LOOK, &v);
                return put_resend(f, in, &v);
        }
        return put_resend(f, in, &v);
}

static struct ask put_took_poll(struct flow_put *f, const struct outcome *in)
{
        struct verdict failed = {.act = VERDICT_AGAIN, .text = N_("the service could not store it")};
        struct ask ask;

        switch (errand_operation_took(&f->e, in, put_scaled_ms(f, 60000, 240000), &ask)) {
        case ERRAND_RUNNING:
                return ask;
        case ERRAND_SUCCEEDED:
                return put_arrived(f);
        case ERRAND_FAILED:
                return put_resend(f, in, &failed);
        case ERRAND_GONE:
                return errand_go(&f->e, PUT_DOUBT);
        }
        return ask;
}

static struct ask put_took_doubt(struct flow_put *f, const struct outcome *in)
{
        struct verdict lost = {.act = VERDICT_AGAIN, .text = N_("what was sent did not arrive")};
        struct entry found;
        struct ask ask;
        enum errand_look look = errand_look_took(&f->e, in, &found, &ask);

        if (look == ERRAND_LOOK_TROUBLE)
                return ask;
        if (look == ERRAND_LOOK_DIR && !f->via_wire)
                return put_folder_there(f);
        if (look == ERRAND_LOOK_FILE && put_same(f, &found)) {
                f->seen_there = !f->via_wire;
                return put_arrived(f);
        }
        if (errand_waited(&f->e, in) < put_scaled_ms(f, 4000, 150000))
                return errand_not_yet(&f->e, 300);
        if (f->name_doubt) { /* it is not there because it has its own name by now */
                f->name_doubt = false;
                return errand_back(&f->e, PUT_NAME_LOOK, &lost);
        }
        f->late = true;
        return put_resend(f, in, &lost);
}

static struct ask put_took_relook(struct flow_put *f, const struct outcome *in)
{
        struct entry found;
        struct ask ask;

        switch (errand_look_took(&f->e, in, &found, &ask)) {
        case ERRAND_LOOK_TROUBLE:
                return ask;
        case ERRAND_LOOK_DIR:
                return put_folder_there(f);
        case ERRAND_LOOK_NOTHING:
                f->there = PUT_THERE_NOTHING;
                return errand_go(&f->e, PUT_NAME);
        case ERRAND_LOOK_FILE:
                break;
        }
        if (found.size == f->op.known_size &&
            memcmp(found.md5, f->op.known_md5, sizeof(found.md5)) == 0)
                return errand_go(&f->e, PUT_NAME);
        return put_other_there(f, &found);
}

static struct ask put_took_clear(struct flow_put *f, const struct outcome *in)
{
        struct verdict v = verdict_removal(in);

        if (v.act == VERDICT_ASKER && v.error == YADISK_ERROR_MD5_DIFFERS)
                return errand_back(&f->e, PUT_NAME_LOOK, &v);
        if (v.act != VERDICT_OK && !(v.act == VERDICT_ASKER && in->status == 404))
                return errand_trouble(&f->e, in, &v);
        if (in->status == 202 && errand_operation_begin(&f->e, in))
                return errand_go(&f->e, PUT_CLEAR_POLL);
        f->there = PUT_THERE_NOTHING;
        return errand_go(&f->e, PUT_NAME);
}

static struct ask put_took_clear_poll(struct flow_put *f, const struct outcome *in)
{
        struct verdict failed = {.act = VERDICT_AGAIN, .text = N_("the old version cannot be moved")};
        struct ask ask;

        switch (errand_operation_took(&f->e, in, 60000, &ask)) {
        case ERRAND_RUNNING:
                return ask;
        case ERRAND_FAILED:
                return errand_back(&f->e, PUT_NAME_LOOK, &failed);
        case ERRAND_SUCCEEDED:
        case ERRAND_GONE:
                break;
        }
        f->there = PUT_THERE_NOTHING;
        return errand_go(&f->e, PUT_NAME);
}

static struct ask put_took_name(struct flow_put *f, const struct outcome *in)
{
        struct verdict v = verdict_change(in);

        if (v.act == VERDICT_ASKER && v.error == YADISK_ERROR_NO_PARENT)
                return put_make_parents(f, PUT_NAME);
        f->wire_gone = v.act == VERDICT_ASKER && in->status == 404;
        if (v.act == VERDICT_ASKER)
                return errand_back(&f->e, PUT_NAME_LOOK, &v);
        if (v.act != VERDICT_OK)
                return errand_trouble(&f->e, in, &v);
        if (in->status != 202)
                return put_named(f);
        f->name_doubt = !errand_operation_begin(&f->e, in);
        return errand_go(&f->e, f->name_doubt ? PUT_NAME_LOOK : PUT_NAME_POLL);
}

static struct ask put_took_name_poll(struct flow_put *f, const struct outcome *in)
{
        struct verdict failed = {.act = VERDICT_AGAIN, .text = N_("the service could not rename it")};
        struct ask ask;

        switch (errand_operation_took(&f->e, in, put_scaled_ms(f, 60000, 240000), &ask)) {
        case ERRAND_RUNNING:
                return ask;
        case ERRAND_SUCCEEDED:
                return put_named(f);
        case ERRAND_FAILED:
        case ERRAND_GONE:
                return errand_back(&f->e, PUT_NAME_LOOK, &failed);
        }
        return ask;
}

/*
 * The move was refused.  Either it had been made already (its answer was lost), or something stands
 * at the name: our older version, if the service does not overwrite on a move, or somebody else's.
 * Both go to the Trash, on condition of their md5, as long as there is something to take their
 * place.
 */
static struct ask put_took_name_look(struct flow_put *f, const struct outcome *in)
{
        struct verdict gone = {.act = VERDICT_AGAIN, .text = N_("what was sent has vanished")};
        struct entry found;
        struct ask ask;

        switch (errand_look_took(&f->e, in, &found, &ask)) {
        case ERRAND_LOOK_TROUBLE:
                return ask;
        case ERRAND_LOOK_DIR:
                return put_folder_there(f);
        case ERRAND_LOOK_NOTHING:
                f->there = PUT_THERE_NOTHING;
                /* A time round is two rounds; every second one the wire name is in doubt. */
                if (f->e.rounds % 4 == 1)
                        return errand_back(&f->e, PUT_NAME, &gone);
                return errand_back(&f->e, PUT_DOUBT, &gone);
        case ERRAND_LOOK_FILE:
                break;
        }
        return put_other_there(f, &found);
}

static struct ask put_took_check(struct flow_put *f, const struct outcome *in)
{
        struct entry found;
        struct ask ask;
        enum errand_look look = errand_look_took(&f->e, in, &found, &ask);

        if (look == ERRAND_LOOK_TROUBLE)
                return ask;
        if (look == ERRAND_LOOK_FILE && put_same(f, &found)) {
                f->seen_there = true;
                return errand_go(&f->e, PUT_RECORD);
        }
        if (errand_waited(&f->e, in) < put_scaled_ms(f, ERRAND_LATE_MS, 60000))
                return errand_not_yet(&f->e, 300);
        ask = errand_end(&f->e, END_LATER, 0, "what arrived is not what was sent");
        ask.end.vanished = true;
        return ask;
}

static struct ask put_took_record(struct flow_put *f, const struct outcome *in)
{
        struct ask ask;

        if (in->err)
                return errand_end(&f->e, END_STORE, 0, "%s", in->text ? in->text : "");
        ask = errand_end(&f->e, f->sent ? END_DONE : END_NOTHING, 0, "%s", "");
        ask.end.md5 = f->has_md5 ? f->md5 : NULL;
        return ask;
}

static struct ask put_step(struct flow_put *f, const struct outcome *in)
{
        struct errand *e = &f->e;

        switch ((enum put_state)e->state) {
        case PUT_START:
                return *f->leftover ? errand_go(e, PUT_RESUME) : put_begin(f);
        case PUT_RESUME:
                return put_took_resume(f, in);
        case PUT_MATCH:
                return put_took_match(f, in);
        case PUT_COMPARE:
                return put_took_compare(f, in);
        case PUT_LOOK:
                return put_took_look(f, in);
        case PUT_UNWIRE:
                return put_took_unwire(f, in);
        case PUT_INTENT:
                if (in->err)
                        return put_took_record(f, in);
                return errand_go(e, PUT_LINK);
        case PUT_ROOM:
                return put_took_room(f, in);
        case PUT_LINK:
                return put_took_link(f, in);
        case PUT_DEMAND:
                if (in->err)
                        return put_took_record(f, in);
                return errand_go(e, PUT_PARENTS);
        case PUT_PARENTS:
                return put_took_parents(f, in);
        case PUT_EXPECT:
                return put_took_expect(f, in);
        case PUT_OWN:
                if (in->err)
                        return put_took_record(f, in);
                f->doubted = true;
                return errand_go(e, f->after_own);
        case PUT_SEND:
                return put_took_send(f, in);
        case PUT_POLL:
                return put_took_poll(f, in);
        case PUT_DOUBT:
                return put_took_doubt(f, in);
        case PUT_RELOOK:
                return put_took_relook(f, in);
        case PUT_CLEAR:
                return put_took_clear(f, in);
        case PUT_CLEAR_POLL:
                return put_took_clear_poll(f, in);
        case PUT_NAME:
                return put_took_name(f, in);
        case PUT_NAME_POLL:
                return put_took_name_poll(f, in);
        case PUT_NAME_LOOK:
                return put_took_name_look(f, in);
        case PUT_CHECK:
                return put_took_check(f, in);
        case PUT_RECORD:
                return put_took_record(f, in);
        case PUT_NO_DOUBT:
                if (in->err)
                        return put_took_record(f, in);
                return (struct ask){.want = ASK_DONE, .end = f->end};
        }
        return errand_end(e, END_STUCK, 0, "internal: no such state");
}

/* It ends, and what was written down about the own name cannot have happened. */
static bool put_is_in_no_doubt(const struct flow_put *f, const struct ask *ask)
{
        return ask->want == ASK_DONE && f->doubted && !f->begun && ask->end.kind != END_STORE &&
               f->e.state != PUT_NO_DOUBT;
}

static struct ask put_took(struct errand *e, const struct outcome *in)
{
        struct flow_put *f = put_of(e);
        struct ask ask = put_step(f, in);

        if (ask.want == ASK_DONE && f->knows_room) {
                ask.end.knows_room = true;
                ask.end.room = yadisk_room_free(&f->room);
                ask.end.largest = f->room.largest;
        }
        if (put_is_in_no_doubt(f, &ask)) {
                f->end = ask.end;
                return errand_go(e, PUT_NO_DOUBT);
        }
        return ask;
}

static void put_destroy(struct flow *flow)
{
        struct flow_put *f = put_of(errand_of(flow));

        yadisk_link_finish(&f->link);
        str_finish(&f->cloud);
        str_finish(&f->cloud2);
        free(f->key);
        errand_finish(&f->e);
        free(f);
}

struct flow *flow_put(const struct put_args *args)
{
        struct flow_put *f = calloc(1, sizeof(*f));

        if (!f)
                return NULL;
        errand_init(&f->e, args->yadisk, put_names, put_ask, put_took, put_destroy);
        f->disguise = args->disguise;
        f->verify = args->verify;
        f->largest = args->largest;
        f->op = *args->op;
        f->cloud = STR_NULL(YADISK_URL_MAX);
        f->cloud2 = STR_NULL(YADISK_URL_MAX);
        str_copy(f->wire, sizeof(f->wire), args->wire);
        f->leftover_old = args->leftover_old;
        f->begun = args->doubtful;
        str_copy(f->leftover, sizeof(f->leftover), args->leftover ? args->leftover : "");
        f->key = str_dup(args->op->entry.key);
        if (!f->key) {
                put_destroy(&f->e.flow);
                return NULL;
        }
        f->op.entry.key = f->key;
        return &f->e.flow;
}
