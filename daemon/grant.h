/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What `ydsync login` got: the tokens, and whose program they were given to.  It is kept in the file
 * `token` of the state folder, as JSON, for its owner alone.
 *
 * The service gives a new refresh token each time and forgets the old one: so the new one is on the
 * disk before anything of it is used.
 */

#include "lib/base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define GRANT_NAME "token"

struct grant {
        char *access, *refresh, *client; /* secret, but for the client's id */
        char *secret;                    /* of the client; NULL: it has none */
        int64_t since_s, until_s;        /* wall clock: the life of the access token */
        uint64_t ino;                    /* of the file it was read from … */
        int64_t mtime_ns;                /* … and its time, to see that it is another one */
};

void grant_finish(struct grant *g); /* wipes */

/* -ENOENT: nobody has signed in; -EACCES, -EUCLEAN (no grant is in it) …: the sentence says what. */
int grant_read(struct grant *ret, const char *state_dir, struct err *err);

/* Whether the file is another one than that which *g was read from; a missing one is not. */
bool grant_is_stale(const struct grant *g, const char *state_dir);

/* Atomically and durably, mode 0600, for the owner of the folder, which must be there.  Fills in
 * `ino` and `mtime_ns`. */
int grant_write(struct grant *g, const char *state_dir, struct err *err);

/* A quarter of its life is over: the service advises to renew then. */
bool grant_is_due(const struct grant *g, int64_t now_s);
