/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The Disk itself, without HTTP: one tree, one trash, a quota, revisions, asynchronous operations
 * and upload links, all behind one lock.
 *
 *   disk.c     the lock, looking things up
 *   report.c   dumps of the tree for tests
 *   change.c   everything that changes the tree
 *   op.c       asynchronous operations and what they lock
 *   link.c     upload links and the commit of what was sent
 *
 * Functions that say "locked" want the caller to hold the lock.  All others take it themselves and
 * may be called from any thread.
 */

#include <pthread.h>

#include "config.h"
#include "listing.h"
#include "path.h"
#include "snapshot.h"
#include "svc_error.h"
#include "tree.h"

struct op;
struct link;


struct disk {
        pthread_mutex_t lock;           /* of everything below */
        struct config cfg;              /* the knobs as of now */
        struct tree tree;
        struct node *root, *trash;
        struct orders orders;
        struct rng rng;
        uint64_t revision;              /* of the last change anywhere, microseconds */
        int64_t reg_time;               /* seconds */
        int64_t invisible_until_us;     /* some file may have no metadata until then */
        int64_t uploaded_bytes;         /* counted against upload_limit_bytes */
        uint64_t secret;                /* of download links */
        struct node **flat;             /* all files by name, or NULL */
        size_t flat_n;
        uint64_t flat_revision;         /* the revision `flat` was made at */
        struct op *ops[65536];           /* by id */
        struct op *op_oldest, *op_newest;
        struct op *op_due;              /* scheduled ones, the next first */
        size_t op_count;
        struct link *links[65536];       /* by token */
        struct link *link_oldest, *link_newest;
        struct link *link_busy;         /* with a PUT under way */
        size_t link_count;
        uint64_t link_serial;
        int64_t copied_us;              /* of a copy: when it was made, monotonic */
};

struct disk_info {
        int64_t total, used, trash;     /* bytes */
        int64_t max_file_size;
        uint64_t revision;
        int64_t reg_time;
};

void disk_init(struct disk *d, struct store *s, const struct config *cfg);
void disk_finish(struct disk *d);

/* Empty again: no files, no trash, no operations, no links. */
void disk_reset(struct disk *d);

/*
 * Makes `to` what `from` is: files, Trash, operations that are still to take effect, the bytes that
 * count.  Links and finished operations are not copied.  What is being sent to `to` meanwhile will
 * find that its link is void.  Not locked; one call at a time.
 */
void disk_copy(struct disk *to, struct disk *from);

/* New knobs. */
void disk_configure(struct disk *d, const struct config *cfg);

/* Takes the lock and first carries out every operation that is due. */
void disk_lock(struct disk *d);
void disk_unlock(struct disk *d);

void disk_get_info(struct disk *d, struct disk_info *ret);

/* One resource, and with `page` a page of its children if it is a folder. */
enum svc_error disk_stat(struct disk *d, const struct path *p, const struct page *page,
                         struct snapshot *ret);

/* A page of all files by name; `media` (comma list, may be NULL) picks media types. */
void disk_files(struct disk *d, const struct page *page, const char *media, struct snapshot *ret);

/* The files uploaded last, the latest first. */
void disk_last_uploaded(struct disk *d, int64_t limit, const char *media, struct snapshot *ret);

/* Content of a file, with a reference; NULL when there is no such file. */
struct content *disk_content(struct disk *d, const struct path *p);

/* locked: the node at `p`, NULL when it is missing. */
struct node *disk_find(struct disk *d, const struct path *p);

/* locked: the folder that holds or would hold `p`; NULL when missing or no folder. */
struct node *disk_find_parent(struct disk *d, const struct path *p);

/* locked: something changed; the next revision. */
uint64_t disk_bump(struct disk *d);

/* locked: bytes in use, the trash included. */
int64_t disk_used(const struct disk *d);
