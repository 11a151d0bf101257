/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Yandex.Disk as its documents describe it, without the wire: a tree, the Trash, upload links,
 * operations.
 *
 * Paths are without scheme and leading slash: "Backup/a".  What a client changes is told to the
 * rules; what the second writer changes is his to change.
 */

#include "tests/sim/sim.h"

#include "lib/core/entry.h"

#define DISK_NAME_MAX 64
#define DISK_PATH_MAX 512
#define DISK_MAX_FILE (UINT64_C(50) << 30)

struct thing {
        struct thing *all;
        struct thing *parent, *first, *next;
        char name[DISK_NAME_MAX];
        enum kind kind;
        uint64_t content;
        bool alien;       /* not ours, as far as anybody can know: no row and no doubt says so */
        bool sent;        /* by us, and nothing has taken the knowledge of it from us */
        uint64_t serial;  /* of the change that put it there */
        int64_t since_ns; /* when that was */
        int64_t md5_ns;   /* its md5 is shown from then on */
};

enum deed { DEED_STORE, DEED_MOVE, DEED_DELETE, DEED_MKDIR };

/* Something a client asked for. */
struct job {
        struct job *next;
        enum deed what;
        unsigned id;
        char path[DISK_PATH_MAX], to[DISK_PATH_MAX];
        bool overwrite, permanently;
        bool has_md5;
        uint8_t md5[16];
        uint64_t content;
        enum { JOB_OPEN, JOB_PENDING, JOB_DONE, JOB_FAILED } state;
        bool used;        /* a link, by a PUT */
        int64_t since_ns; /* when it was asked for by the program */
};

extern struct disk_model {
        struct thing *all;
        struct thing *root;
        struct thing *old;   /* as it was at old_ns; for views that lag behind */
        int64_t old_ns;
        uint64_t old_serial, serial;
        struct pairs trashed; /* ("", content) of what was moved into the Trash */
        struct job *jobs;
        unsigned last_id;
        int64_t asked_ns;    /* when the request that is being answered was sent */
        unsigned page;       /* most items a listing gives at once */
        uint64_t max_file;
} disk;

void disk_begin(void);
void disk_finish(void);

/* How far a view may lag behind the truth. */
#define DISK_LAG_NS (3500 * MS)

struct thing *disk_find(struct thing *root, const char *path);
struct thing *disk_child(struct thing *dir, const char *name);
bool disk_path(const struct thing *t, char ret[DISK_PATH_MAX]);

struct job *disk_job(enum deed what, const char *path);
struct job *disk_job_of(unsigned id); /* NULL: none */
/* Whether a job that has not ended has to do with the path. */
bool disk_locked(const char *path);
/* Carries it out: NULL, or the service's name for what is wrong. */
const char *disk_do(struct job *j);
/* As disk_do() would answer, of a link that is asked for. */
const char *disk_would_store(const char *path, bool overwrite);

/* The second writer's hand. */
struct thing *disk_put(struct thing *dir, const char *name, enum kind kind, uint64_t content);
void disk_take_out(struct thing *t);
void disk_trash(struct thing *t);
void disk_hang(struct thing *t, struct thing *dir, const char *name);
