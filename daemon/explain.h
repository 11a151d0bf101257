/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What ydsync thinks of one path: what stands here, what is known of it, which pattern leaves it
 * out, and what follows from that.  Made from the folder and the snapshot alone; what only a running
 * daemon knows (failures, transfers, held plans) is added by desk.c.
 */

#include "daemon/config.h"
#include "lib/base/err.h"

#include <cjson/cJSON.h>

#define EXPLAIN_UNCHANGED N_("mirrored") /* the states that a daemon may know better */
#define EXPLAIN_GONE N_("gone")

/*
 * The key of `path`, which is absolute or, if not, below the watched folder: "" for that folder
 * itself.  malloced.  -EINVAL: it is not in the folder, and the sentence says so.
 */
int explain_key(const struct config *config, const char *path, char **ret, struct err *err);

/* {"path", "state", "why", "here", "known", "rule"}.  Blocks. */
int explain_path(const struct config *config, const char *key, cJSON **ret, struct err *err);

/* The same for a person. */
void explain_text(struct str *ret, const cJSON *o);
