/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The local file system: inodes with stamps, a watched folder, a mount in it, and what hides.
 *
 * Nodes live until the world ends, so that an open descriptor outlives a removal.
 */

#include "lib/core/stir.h"
#include "tests/sim/sim.h"

#include "lib/core/entry.h"

#define TREE_NAME_MAX 48
#define TREE_KEY_MAX 512

enum fs { FS_ROOT, FS_MOUNT, FS_OTHER, FS_N };

struct node {
        struct node *all;            /* the next of all that ever were */
        struct node *parent, *first, *next;
        char name[TREE_NAME_MAX];
        enum kind kind;
        uint64_t content;
        int64_t mtime_ns, ctime_ns;
        int64_t btime_ns;
        unsigned epoch;              /* of the wall clock, when ctime was set */
        uint64_t ino;
        enum fs fs;
        int open_err;                /* a folder that cannot be opened */
        unsigned half;               /* a folder whose reading ends with EIO after half - 1 names */
        int look_err;                /* it cannot be looked at */
        int read_err;                /* a file that cannot be read */
        struct node *mounted;        /* what is mounted over this folder */
        struct node *unmounted;      /* what was, and will be again */
        bool dead;                   /* removed; only descriptors know it */
};

extern struct tree_model {
        struct node *all;
        struct node *home;    /* the folder that is mirrored */
        struct node *at_path; /* what stands at its path: usually home; NULL: nothing */
        int path_err;         /* the path cannot be opened at all */
        uint64_t dev[FS_N];   /* numbers, which change with a reboot */
        int64_t tick_ns;      /* of the file system's clock */
        uint64_t last_ino;
        uint64_t free_ino;    /* of the file removed last; 0: none */
        struct pairs had;     /* every (key, content) that ever stood in the folder */
        bool told;            /* somebody is told of changes: */
        struct stir stir;     /* where, since it was taken */
        size_t n;             /* nodes ever made */
} tree;

void tree_begin(void);
void tree_finish(void);

/* A folder that hangs nowhere: the root of a file system. */
struct node *tree_root(enum fs fs);
/* What is seen at a folder: what is mounted there, or itself. */
struct node *tree_seen(struct node *dir);
struct node *tree_child(struct node *dir, const char *name); /* NULL: no such name */
/* NULL: nothing there.  *ret_err (may be NULL): ENOENT, or why nobody can tell. */
struct node *tree_find(struct node *root, const char *key, int *ret_err);
/* What is really at the key of the watched folder, whether it can be seen or not. */
struct node *tree_really(const char *key);
/* Below the root of its own tree; false when it hangs nowhere any more. */
bool tree_key(const struct node *n, char ret[TREE_KEY_MAX]);

struct node *tree_make(struct node *dir, const char *name, enum kind kind, uint64_t content);
void tree_write(struct node *n, uint64_t content);
void tree_touch(struct node *n);
void tree_backdate(struct node *n, int64_t mtime_ns);
/* `dir` must not lie in `n`; what stands at the name is removed. */
void tree_move(struct node *n, struct node *dir, const char *name);
void tree_remove(struct node *n);
bool tree_within(const struct node *n, const struct node *dir);

/* Every node of the watched folder that is there, itself not; `mounted` ones as they are seen. */
size_t tree_list(struct node **ret, size_t max);
void tree_entry(const struct node *n, struct entry *ret);
