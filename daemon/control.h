/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The control socket (socket.h) as an HTTP server on the loop: who asks, what, and is it allowed.
 * What is answered is for desk.c.
 *
 * Only root and the daemon's own user may ask.  Where an administrator has opened the socket to its
 * group, members of that group may ask too, but change nothing.  Whoever says nothing, or not
 * enough, for long is put out, and sooner when the places are needed.
 */

#include "lib/base/err.h"

#include <uv.h>

struct control;
struct control_ask; /* a request that waits for its answer */

struct control_route {
        const char *method, *path; /* "GET", "/status" */
        bool changes;
        void (*answer)(void *userdata, struct control_ask *ask);
};

/* `routes` end with one whose path is NULL. */
int control_create(struct control **ret, uv_loop_t *loop, const char *state_dir,
                   const struct control_route *routes, void *userdata, struct err *err);

/* Answers what waits (503); its asks are gone when this returns.  The rest goes with the next turns
 * of the loop. */
void control_close(struct control *c);

const char *control_path(const struct control *c); /* of the socket */

/* The value of a query argument, "" without one: NULL when it is not there.  Good until the reply. */
const char *control_argument(const struct control_ask *ask, const char *name);

/* To be called once for each ask, at once or later, from the loop; the ask is gone then.  `json` is
 * taken over (free()); NULL: there was no memory for it. */
void control_reply(struct control_ask *ask, unsigned status, char *json);

/* {"error": text} */
void control_refuse(struct control_ask *ask, unsigned status, const char *fmt, ...)
        _printf_(3, 4);
