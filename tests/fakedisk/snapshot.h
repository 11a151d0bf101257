/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What resources looked like at one moment, free of the tree: taken under the lock, turned into
 * JSON after it.
 */

#include "tree.h"

/* What a resource looked like at one moment.  Texts are places in snapshot.text. */
struct resource {
        uint64_t id, revision;
        int64_t created, modified;      /* seconds since the epoch */
        int64_t deleted;                /* seconds, -1 when it is not the top of a trashed thing */
        int64_t size;                   /* bytes; files only */
        const struct media *media;      /* NULL for a folder */
        bool has_sha256;
        uint8_t md5[16], sha256[32];
        size_t path, path_len;          /* "disk:/a/b" */
        size_t name, name_len;
        size_t props, props_len;        /* JSON; props_len 0 when there are none */
        size_t origin, origin_len;      /* "disk:/a/b" */
};

struct snapshot {
        struct resource *v;             /* owned; v[0] is the resource itself in disk_stat() */
        size_t n;
        struct buf text;
        int64_t total;                  /* children of a folder, also those off the page */
};

void snapshot_finish(struct snapshot *s);

/* Appends what `n` looks like now.  Wants the lock of the tree. */
void snapshot_add(const struct node *n, struct snapshot *ret);
