/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The seam between thinking and doing.
 *
 * A flow is one errand (put this file, drop that folder) as a declared state machine.  It is told
 * how its last wish went (an *outcome*) and answers with its next wish (an *ask*).  It never looks
 * at a clock, a socket or a file: time and randomness come in with the outcome.  The engine carries
 * asks out; tests play them from tables.
 *
 * Everything an ask points at belongs to the flow and stays as it is until the next flow_next() or
 * flow_destroy().  Everything an outcome points at belongs to the caller and is only good during
 * the call.
 */

#include "lib/core/http_req.h"
#include "lib/core/record.h"

enum ask_want {
        ASK_HTTP,   /* send ->http */
        ASK_RECORD, /* write ->records, all or nothing, durably */
        ASK_DIGEST, /* md5 of the file ->entry, which must still be that file */
        ASK_LOOK,   /* lstat of ->key; its device as rows have it, and if it is not there, that of the
                       folder nearest above */
        ASK_KNOWN,  /* the snapshot's rows right below the folder ->key */
        ASK_WAIT,   /* nothing to do now; wake me in ->delay_ms */
        ASK_DONE,   /* the errand is over: ->end */
};

enum end_kind {
        END_DONE,     /* done, something was changed in the cloud */
        END_NOTHING,  /* done, it was right already */
        END_CHANGED,  /* the thing changed here meanwhile: the next scan sees it anew */
        END_LATER,    /* did not work now; worth trying at a later pass */
        END_STUCK,    /* will not work until the thing itself, or the cloud, is changed */
        END_FOREIGN,  /* somebody else's content stands there: left alone, no longer ours */
        END_FULL,     /* no room or no upload allowance: no upload of anything will work now */
        END_REFUSED,  /* token refused or access denied: nothing will work */
        END_STORE,    /* the snapshot could not be written: nothing may go on */
};

struct flow_end {
        enum end_kind kind;
        int status;        /* HTTP status behind it, or 0 */
        int64_t again_ms;  /* LATER: there is no point before that; 0: nobody says so */
        bool vanished;     /* a row was found untrue: the snapshot no longer describes the cloud there */
        bool folder_gone;  /* a folder above was missing in the cloud, and was made: what is known to
                              stand in it is in doubt */
        bool knows_room;   /* the account was asked, and … */
        uint64_t room;     /* … has so many bytes free, */
        uint64_t largest;  /* … takes no larger file; 0: it did not say */
        const uint8_t *md5; /* of the content that was put or found at the name; NULL: not told */
        uint64_t bytes;    /* body bytes sent on the way, failed tries included */
        unsigned calls;    /* requests made */
        const char *text;  /* what happened, half a sentence for a person; "" when all went well */
        const char *reason; /* the same in English, for programs; NULL: as `text` */
};

struct ask {
        enum ask_want want;
        union {
                const struct http_req *http;
                struct {
                        const struct record *records;
                        size_t n_records;
                };
                const struct entry *entry;
                const char *key;
                int64_t delay_ms;
                struct flow_end end;
        };
};

enum outcome_kind {
        OUTCOME_START,    /* the first call */
        OUTCOME_HTTP,     /* an answer came: status, body, retry_after_ms */
        OUTCOME_FAULT,    /* none came: fault, sent_all, err */
        OUTCOME_LOCAL,    /* RECORD, DIGEST, LOOK, KNOWN: err is 0 or a positive errno */
        OUTCOME_WOKE,     /* after a WAIT */
};

struct outcome {
        enum outcome_kind kind;
        int status;
        const char *body;        /* answer body, NUL-terminated beyond `body_len` */
        size_t body_len;
        int64_t retry_after_ms;  /* there is no point before that; < 0: nobody says so */
        enum http_fault fault;
        bool sent_all;           /* FAULT: the whole request may have arrived */
        int err;                 /* LOCAL; or with HTTP_FAULT_LOCAL, of reading the file (ESTALE:
                                    it changed under our hands) */
        const char *text;        /* FAULT, LOCAL: what the system said, or NULL */
        uint8_t md5[16];         /* DIGEST; after a body was sent whole: of what was sent */
        uint64_t sent;           /* body bytes handed to the network by the last request */
        int64_t read_ns;         /* DIGEST or body: wall clock when reading began */
        struct entry look;       /* LOOK; with ENOENT its device alone */
        struct entry_list known; /* KNOWN */
        int64_t now_ms;          /* steady clock */
        int64_t wall_ms;         /* wall clock since 1970 */
        uint32_t random;
};

struct flow {
        struct ask (*next)(struct flow *f, const struct outcome *in);
        const char *(*where)(const struct flow *f); /* name of the state, for traces and status */
        void (*destroy)(struct flow *f);
};

static inline struct ask flow_next(struct flow *f, const struct outcome *in)
{
        return f->next(f, in);
}

static inline void flow_destroy(struct flow *f)
{
        if (f)
                f->destroy(f);
}
