/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a thing in a tree is.
 *
 * A *key* is the path below the watched folder, in bytes, "a/b/c"; the folder itself is "".
 * *Tree order* compares keys with '/' lower than every other byte: a folder comes right before
 * what is in it, and the children of a folder come in byte order of their names.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kind {
        KIND_NONE,  /* nothing there, or it could not be seen (then `err` says why) */
        KIND_FILE,  /* a regular file */
        KIND_DIR,   /* a folder */
        KIND_OTHER, /* symlink, pipe, socket, device: never mirrored, never opened */
};

/* What the file system says of one state of a thing; equal stamps and sizes: not touched. */
struct stamp {
        int64_t mtime_ns; /* since 1970, may be negative */
        int64_t ctime_ns;
        uint64_t ino;
        uint64_t dev; /* in ops and rows: 0 for the device of the watched folder itself (diff.h) */
};

enum entry_flag {
        ENTRY_UNVERIFIED = 1 << 0, /* known: sent, but not yet compared with what the cloud holds */
        ENTRY_EXCLUDED = 1 << 1,   /* seen: left out by a pattern; nothing below it is walked */
        ENTRY_RACY = 1 << 2,       /* known: changed so shortly before it was read that a further
                                      change may have left the stamp as it is */
        ENTRY_PARTIAL = 1 << 3,    /* seen, a folder: not all that is in it was looked at, for this scan
                                      has no need; what is not shown below it proves nothing */
};

struct entry {
        const char *key;
        enum kind kind;
        int err;           /* positive errno: the thing could not be seen, or, for a folder, it could
                              not be read to its end; absence below it proves nothing */
        unsigned flags;    /* enum entry_flag */
        uint64_t size;     /* bytes; 0 for folders */
        struct stamp stamp;
        bool has_md5;
        uint8_t md5[16];   /* of the content, where known */
};

/* An owned array of entries with their keys. */
struct entry_list {
        struct entry *items;
        size_t n;
};

/* Copies all; false: no memory, and nothing is left. */
bool entry_list_copy(struct entry_list *ret, const struct entry_list *from);
void entry_list_finish(struct entry_list *l);

/* Negative, 0, positive: tree order. */
int entry_key_cmp(const char *a, const char *b);

/* Whether `key` lies below the folder `dir` (not the folder itself); all but "" lie below "". */
bool entry_key_below(const char *key, const char *dir);

/* Length of the parent's key: 0 for things right below the watched folder. */
size_t entry_key_parent(const char *key);

/* The last component. */
const char *entry_key_name(const char *key);

/*
 * Whether the service can carry this name or key: valid UTF-8, no control characters, no "." or
 * ".." component, at most 255 characters a name and `ENTRY_PATH_MAX` a path.  Returns NULL when it
 * can, otherwise the reason as half a sentence ("its name is not valid UTF-8").
 */
#define ENTRY_NAME_MAX 255
#define ENTRY_PATH_MAX 32000 /* of the 32760 characters; the rest is the cloud folder's own */
const char *entry_key_unfit(const char *key);

/* Same times and inode.  The device is left out: its number changes with a reboot, and then a
 * million files would count as touched. */
bool entry_stamp_eq(const struct stamp *a, const struct stamp *b);
