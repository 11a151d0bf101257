/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The `.env` of a running daemon: noticed when it was edited, read again, checked, handed over.
 *
 * Whoever edits it is given time: a file that is open for writing is not read, and one that was just
 * changed, or taken away to be replaced, a moment later.  What is wrong with it is said with its line,
 * once for each time that it is edited, and the configuration in force stays.  A folder that is to be
 * mirrored from now on must be there.
 */

#include "daemon/config.h"
#include "lib/base/err.h"

#include <uv.h>

struct reload;

struct reload_args {
        uv_loop_t *loop;
        const char *env_file;        /* of --env, or NULL */
        const struct config *config; /* the one in force; its content may be exchanged at any time */

        /* From the loop: `next` is right and differs.  It is the callee's to config_finish(). */
        void (*changed)(void *userdata, struct config *next);

        /* From the loop: all that was asked for by reload_ask() is done, one way or the other. */
        void (*answered)(void *userdata);
        void *userdata;
};

/* All in `args` is borrowed.  Where changes cannot be watched, they are seen by reload_look(). */
int reload_create(struct reload **ret, const struct reload_args *args, struct err *err);

/* Read it now, whether it looks changed or not; mistakes are said again. */
void reload_ask(struct reload *r);

/* Read it if it is not the file that was read last. */
void reload_look(struct reload *r);

/* From `changed`: it cannot be taken after all; says so, with the line of that key. */
void reload_refuse(struct reload *r, const struct config *next, const char *key,
                   const struct err *err);

/* No call back from now on; the rest goes with the next turns of the loop.  NULL is fine. */
void reload_close(struct reload *r);
