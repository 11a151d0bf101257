/* SPDX-License-Identifier: MIT */

#include "daemon/approval.h"
#include "daemon/cmd.h"
#include "daemon/command.h"
#include "daemon/exit.h"
#include "daemon/signals.h"
#include "lib/store/store.h"

#include <errno.h>
#include <stdio.h>

/* The plan that is held, malloced; NULL: none. */
static int approve_held(const char *state_dir, char **ret, struct err *err)
{
        _cleanup_(store_closep) struct store *store = NULL;
        int r = store_open(&store, state_dir, STORE_READ_ONLY, err);

        return r < 0 ? r : store_meta_get(store, "held", ret, err);
}

static int approve_write(const char *state_dir, const char *id, struct err *err)
{
        const struct record approve = {.verb = RECORD_META, .name = "approved", .value = (char *)id};
        _cleanup_(store_closep) struct store *store = NULL;
        int r = store_open(&store, state_dir, 0, err);

        if (r == -EBUSY) /* by the daemon, which takes it from there */
                return approval_leave(state_dir, id, err);
        return r < 0 ? r : store_commit(store, &approve, 1, err);
}

int cmd_approve(const struct call *call)
{
        const char *state_dir = call->config.state_dir, *id = call->args[0];
        _cleanup_(freep) char *held = NULL;
        struct err err = ERR_NONE;

        signals_leave();
        if (approve_held(state_dir, &held, &err) < 0) {
                log_error("%s", err.text);
                return EXIT_IO_ERROR;
        }
        if (!held || !str_eq(held, id)) {
                if (held)
                        log_error("%s is not the plan that is held; that is %s", id, held);
                else
                        log_error("no plan is held");
                return EXIT_USAGE_ERROR;
        }
        if (approve_write(state_dir, id, &err) < 0) {
                log_error("%s", err.text);
                return EXIT_IO_ERROR;
        }
        printf("plan %s is approved; the next pass carries it out if it is still the same\n", id);
        return EXIT_OK;
}
