/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The one validated configuration: `.env`, environment, credential -> struct config.
 *
 * All mistakes are gathered, each as "FILE:LINE: KEY: what is wrong and what to write", so that a
 * person mends them in one go.  Warnings (unknown keys, a token that others can read) do not fail.
 */

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/core/disguise.h"

#include <stdbool.h>
#include <stdint.h>

enum config_delete { DELETE_TRASH, DELETE_PERMANENT, DELETE_NEVER };
enum config_verify { VERIFY_BATCH, VERIFY_EACH, VERIFY_OFF };

#define CONFIG_KEYS 22 /* config_key.h */

struct config {
        char *file;            /* the .env it came from; NULL when none was found */
        char *token;           /* wiped by config_finish(); never logged */
        char *folder;          /* absolute, no slash at its end */
        char *cloud;           /* normalised: "disk:/Backup/Docs" or "app:/Docs", no slash at its end */
        int64_t period_ms;
        char *log_dir;         /* NULL: no log file */
        char *state_dir;       /* absolute */
        char *api_url;         /* no slash at its end */
        char *oauth_url;
        char *client_id;       /* of the person's own program, for `login`; NULL: not written */
        char *client_secret;   /* wiped by config_finish(); NULL likewise */
        bool signed_in;        /* the token is one that `login` got (grant.h) */
        char *exclude;         /* comma-separated patterns */
        unsigned parallel;     /* 1 to 64 */
        unsigned api_rate;     /* requests a second, 0 = no limit */
        uint64_t upload_rate;  /* bytes a second, 0 = no limit */
        int64_t settle_ms;
        enum disguise_policy disguise;
        enum config_delete delete_mode;
        uint64_t max_delete;         /* entries … */
        unsigned max_delete_percent; /* … and percent of what is known; both must be exceeded */
        enum config_verify verify;
        int64_t audit_ms;            /* 0 = never */
        bool follow;
        enum log_level log_level;
        unsigned lines[CONFIG_KEYS]; /* where in `file` each key stands, in the order of
                                        config_key_table; 0: it does not */
};

/*
 * Finds and reads the configuration.  `env_file`: the value of --env, or NULL for the search order
 * of the product (product.md: $YDSYNC_ENV, /etc/ydsync/.env for root and the system service,
 * $XDG_CONFIG_HOME/ydsync/.env).  `errors` and `warnings` get one line per remark, each ending with
 * a newline.  Returns 0, or -EINVAL with at least one line in `errors`.
 */
int config_load(struct config *ret, const char *env_file, struct str *errors, struct str *warnings);

/* The same for those who only speak to a running daemon: a token may be missing, and `token` is NULL
 * then.  The daemon may have it from elsewhere, as a credential. */
int config_load_for_client(struct config *ret, const char *env_file, struct str *errors,
                           struct str *warnings);

/* Frees and wipes; safe on a zeroed struct and twice. */
void config_finish(struct config *c);

/* A configuration of its own with the same values. */
int config_copy(struct config *ret, const struct config *from);

/* The path without symlinks, as far as it exists; "" for the root.  malloced; NULL: no memory. */
char *config_resolve(const char *path);
