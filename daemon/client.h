/* SPDX-License-Identifier: MIT */
#pragma once

/* Asking the running daemon, through its control socket. */

#include "daemon/config.h"
#include "lib/base/err.h"

#include <cjson/cJSON.h>

struct client_answer {
        long status;   /* of HTTP */
        cJSON *json;   /* an object */
};

/* The daemon of this state folder; `target` is a path and a query, "/status".
 *
 *   -ENOENT   none runs
 *   -EACCES   it may not be asked by this user
 */
int client_ask(struct client_answer *ret, const char *state_dir, const char *method,
               const char *target, struct err *err);

void client_answer_finish(struct client_answer *a);

/* As client_ask(), for a command that wants a 200: 0, or, after it has said why not, the exit
 * status. */
int client_tell(struct client_answer *ret, const struct config *config, const char *method,
                const char *target);

/* A query value; malloced. */
char *client_escape(const char *value);
