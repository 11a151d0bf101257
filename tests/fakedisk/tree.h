/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The tree of resources as a data structure: nodes, the index by name, the order of children, the
 * bytes below a folder.  No rules of the service in here, and no lock: disk.c has it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store.h"
#include "media.h"
#include "util.h"

struct node;

/* What only the top entry of something thrown away has. */
struct grave {
        int64_t deleted;        /* seconds since the epoch */
        char *origin;           /* "disk:/…", owned */
};

/* The children of a folder, made with the first of them. */
struct kids {
        struct node **v;        /* holes are NULL; only v[0..sorted) is in order */
        uint32_t n;             /* slots used, holes included */
        uint32_t cap;           /* slots allocated */
        uint32_t live;          /* children */
        uint32_t dirs;          /* folders among them */
        uint32_t sorted;        /* slots in order: folders by name, then files by name */
        uint32_t version;       /* grows whenever a listing would change */
        int64_t bytes;          /* content of all files below, at any depth */
};

struct node {
        struct node *parent;            /* NULL for a root */
        struct node *next;              /* in its bucket of the index */
        struct kids *kids;              /* of a folder; NULL while it had none */
        struct content *content;        /* of a file, never NULL; NULL for a folder */
        char *name;                     /* owned */
        const struct media *media;      /* of a file */
        char *props;                    /* custom properties as JSON, owned, or NULL */
        struct grave *grave;            /* owned, or NULL */
        struct node *newer, *older;     /* files in the order of their upload */
        uint64_t id;                    /* never used twice */
        uint64_t revision;              /* microseconds since the epoch */
        int64_t created, modified;      /* seconds since the epoch */
        int64_t visible_us;             /* monotonic; metadata says 404 until then */
        int64_t uploaded_us;            /* monotonic; 0 when it never was */
        uint32_t hash;                  /* of parent and name */
        uint32_t index;                 /* its slot in the parent's kids */
        uint32_t name_len;              /* bytes */
        bool is_dir;
};

struct tree {
        struct store *store;
        struct node **bucket;           /* the index by (parent, name) */
        size_t buckets;
        size_t count;                   /* nodes, roots not counted */
        uint64_t last_id;
        struct node *newest;            /* head of the list of uploads */
};

void tree_init(struct tree *t, struct store *s);
void tree_finish(struct tree *t);

/* A folder without parent and not in the index; freed with tree_free(). */
struct node *tree_root(struct tree *t, const char *name);

/* The child of this name or NULL. */
struct node *tree_child(const struct tree *t, const struct node *dir, const char *name, size_t n);

/* Walks "a/b/c" (no slash at either end, may be empty) down from `dir`; NULL when not there. */
struct node *tree_walk(const struct tree *t, struct node *dir, const char *path, size_t n);

/* A new child; the name must be free.  A file takes over the reference to `c`. */
struct node *tree_add_dir(struct tree *t, struct node *dir, const char *name, size_t n);
struct node *tree_add_file(struct tree *t, struct node *dir, const char *name, size_t n,
                           struct content *c);

/* Gives a file other content, taking over the reference. */
void tree_set_content(struct tree *t, struct node *file, struct content *c);

/* Puts a file at the newest end of the list of uploads. */
void tree_uploaded(struct tree *t, struct node *file);

/* Something that a listing of the parent shows has changed. */
void tree_touched(struct node *n);

/* Moves a node with all below it; the name must be free in `dir`, which must not be below it. */
void tree_move(struct tree *t, struct node *n, struct node *dir, const char *name, size_t len);

/* Removes a node with all below it, roots included. */
void tree_free(struct tree *t, struct node *n);

/* Brings the children into order, without holes: then v[0..dirs) are the folders. */
void tree_sort(struct node *dir);

bool tree_is_empty(const struct node *dir);
bool tree_is_below(const struct node *n, const struct node *top);   /* or the same */
int64_t tree_bytes(const struct node *n);                           /* of all files in it */

/* Adds "/a/b" relative to the root that `n` hangs from; "/" for the root itself. */
void tree_path(const struct node *n, struct buf *ret);

/*
 * Copies all that is below `from`, a root of another tree, below `to`, which is empty.  Moments that
 * are monotonic become `later_us` later.
 */
void tree_copy(struct tree *t, struct node *to, struct node *from, int64_t later_us);

/* Compares names as bytes. */
int tree_compare(const struct node *a, const struct node *b);

/* Called for each node below `top` in tree order; `path` is relative to `top`. */
typedef void tree_visit_fn(const struct node *n, const char *path, size_t len, void *arg);
void tree_each(struct node *top, tree_visit_fn *visit, void *arg);
