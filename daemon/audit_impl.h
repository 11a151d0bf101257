/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The inside of the audit, for its own files:
 *
 *      audit.c         when one is due, where it stands, a slice of it, and the life of it all
 *      audit_cloud.c   folders, round by round: looked at, counted against the brake, mended
 *      audit_files.c   the files here, read again
 *      audit_say.c     what is said of it
 *
 * A part ends its step by noting the place (audit_note(…, audit_noted)), after which audit_go_on()
 * takes the next one, or the slice ends with audit_leave().  What is blocking is a job on the pool;
 * everything else runs on the loop.
 */

#include "daemon/audit.h"
#include "daemon/event.h"
#include "daemon/reread.h"

#include <errno.h>
#include <inttypes.h>

#define AUDIT_ALARM_MS 300000 /* until the second look when much is lost */

enum audit_part { PART_CLOUD, PART_READ };

/* A folder in which something is not as it is known. */
struct suspect {
        char *key;
        size_t n; /* entries right in it, or 1 for itself */
};

struct audit_counts {
        uint64_t folders, missing, changed, foreign, remnants, unlisted;
        uint64_t read, other, unreadable;
        uint64_t lost; /* entries that were forgotten, or would be, with what is below them */
        uint64_t said;
};

struct audit {
        struct audit_args args;

        /* When. */
        bool recalled;
        int64_t due_ms;          /* steady clock */
        bool under_way;
        bool again;              /* another one is to follow at once */
        int64_t alarm_ms;        /* steady clock: the second look may come then; 0: no alarm */

        /* Where. */
        enum audit_part part;
        char *at;                /* the last folder or file that is done; NULL: none yet */
        struct audit_counts counts;
        uint64_t left;           /* what the one before could not compare */

        /* The slice. */
        bool whole;
        int root_fd;
        struct tally *tally;
        int64_t end_ms;
        audit_done done;
        void *userdata;

        /* The round. */
        struct entry_list folders;
        size_t next;             /* of folders */
        unsigned flows;
        bool mending, pumping;
        struct suspect *suspects; /* room for each folder */
        size_t n_suspects, n_mended;
        struct entry_list gone;  /* folders that are missing: KIND_DIR, a listing above has shown it;
                                    KIND_NONE, they were not found themselves */
        size_t size_gone;
        uint64_t known, lost;    /* of the snapshot; in this round */

        struct reread reread;

        /* The job on the pool, if one is under way. */
        uv_work_t work;
        bool working, stopping;
        void (*job)(struct audit *a);
        void (*after)(struct audit *a);
        int result;
        struct err err;
};

/* audit.c */

int64_t audit_now(const struct audit *a);

/* A wait of so long, or less: who audits every few seconds looks again soon enough anyway. */
int64_t audit_scaled(const struct audit *a, int64_t ms);

/* `job` on the pool, then `after` on the loop, with a->result and a->err as the job left them. */
void audit_job(struct audit *a, void (*job)(struct audit *a), void (*after)(struct audit *a));

/* For what is told once it is idle, if it is to stop. */
void audit_ended(struct audit *a);

void audit_forget_round(struct audit *a);
void audit_move(struct audit *a, const char *key); /* the place */

/* Ends the slice, with a->result and a->err. */
void audit_leave(struct audit *a);
void audit_no_memory(struct audit *a);

void audit_write(struct audit *a, const struct record *records, size_t n, engine_done after);
void audit_note(struct audit *a, engine_done after);
void audit_noted(void *userdata, struct flow *flow, const struct flow_end *end);
void audit_go_on(struct audit *a);

/* All is compared: that is written down, said, and the slice ends. */
void audit_finish(struct audit *a);

/* audit_cloud.c: the next folders */
void audit_round(struct audit *a);

/* audit_files.c: what was read is taken, or the next files are begun with */
void audit_read(struct audit *a);

/* audit_say.c */
void audit_say_find(struct audit *a, const struct audit_find *find);
void audit_say_unlisted(struct audit *a, const char *key, const struct flow_end *end);
void audit_say_reread(struct audit *a, const struct entry *file, int result);
void audit_say_alarm(const struct audit *a);
void audit_say_end(const struct audit *a);
