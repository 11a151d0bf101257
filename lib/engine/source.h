/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reading what is mirrored: looks, whole-file digests and the stream that an upload sends.
 *
 * Everything is found below a descriptor of the watched folder, component by component where the
 * key is longer than PATH_MAX, and (unless `follow`) without going through any symlink; with
 * `follow` never out of the tree (openat2 RESOLVE_BENEATH).  Only regular files are opened, with
 * O_NONBLOCK so that a pipe put in a file's place cannot block.  Blocking; for the pool.
 */

#include "lib/base/err.h"
#include "lib/core/entry.h"

#include <stdatomic.h>

/* Makes sure of the digest, so that no file has to wait for memory to do so. */
int source_prepare(void);

struct source_root {
        int fd;      /* the watched folder */
        bool follow; /* YDSYNC_SYMLINKS=follow */
};

/* lstat (with follow: stat inside the tree; a link that leads nowhere in it is KIND_OTHER, as it is
 * for the walk).  Fills kind, size, stamp; the key is not touched.
 * -ENOENT only if that very name, or a folder on the way to it, is proven not to exist
 * (ENOENT; ENOTDIR when a non-folder, which a link that is not followed is too, stands on the way).
 * -ENOSYS where links should be followed and cannot be (no openat2): nothing is known then. */
int source_look(const struct source_root *root, const char *key, struct entry *ret);

/* The same for who asks whether something is still gone: the device is as rows have it (0: that of the
 * watched folder itself), and with -ENOENT it is that of the folder nearest above which is there. */
int source_look_there(const struct source_root *root, const char *key, struct entry *ret);

/* A file being read from its beginning to its end. */
struct source;

/*
 * Opens the file that `expected` describes (key, size, stamp).
 *   -ESTALE  it is there but is not what `expected` says: changed or replaced since.  The device
 *            is not compared: it may have another number after a restart
 *   -EISDIR / -EINVAL  something else than a regular file stands there
 *   other    ENOENT, EACCES, EIO, EMFILE …
 * `root->fd` must stay open until source_close(); `root` and `expected` are copied.
 */
int source_open(struct source **ret, const struct source_root *root, const struct entry *expected);
void source_close(struct source *s);
DEFINE_CLEANUP(struct source *, source_close)

/*
 * Reads `size` bytes (at least 1), fewer only at the end; the md5 is kept up on the way.  Returns
 * the number of bytes, 0 once the whole file has been returned.  The call that returns the last
 * bytes looks at the file again (through its descriptor and by its name) *before* it returns them,
 * so that bytes of a file that changed meanwhile are never all handed out: -ESTALE when it changed,
 * shrank, grew, was replaced or removed.  On the way it is looked at every 8 MiB, through its
 * descriptor.  After an error every call returns the same.  An empty file: the look is made by the
 * first call, which returns 0.
 */
ssize_t source_read(struct source *s, void *buffer, size_t size);

/* The md5 of the whole file; valid once source_read() has returned 0. */
void source_md5(struct source *s, uint8_t ret_md5[16]);

/* Opens, reads all, closes.  -ECANCELED when *stop (may be NULL) becomes true. */
int source_digest(const struct source_root *root, const struct entry *expected,
                  const atomic_bool *stop, uint8_t ret_md5[16]);
