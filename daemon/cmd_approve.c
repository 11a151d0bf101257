/* SPDX-License-Identifier: MIT */

#include "daemon/approval.h"
#include "daemon/client.h"
#include "daemon/cmd.h"
#include "daemon/command.h"
#include "daemon/exit.h"
#include "daemon/signals.h"

#include <errno.h>

/* Tells the daemon; -ENOENT: there is none. */
static int approve_ask(const char *state_dir, const char *id, struct err *err)
{
        _cleanup_(client_answer_finish) struct client_answer answer = {0};
        _cleanup_(freep) char *escaped = client_escape(id);
        _cleanup_(str_finish) struct str target = STR_NULL(1 << 20);
        const char *why;
        int r;

        str_addf(&target, "/approve?id=%s", escaped ? escaped : "");
        if (!escaped || target.failed)
                return err_set(err, ENOMEM, "no memory");
        r = client_ask(&answer, state_dir, "POST", str_z(&target), err);
        if (r < 0 || answer.status == 200)
                return r;
        why = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer.json, "error"));
        return err_set(err, answer.status >= 500 ? EIO : ESRCH, "%s",
                       why ? tr(why) : tr("the running ydsync refuses"));
}

int cmd_approve(const struct call *call)
{
        const char *state_dir = call->config.state_dir, *id = call->args[0];
        struct err err = ERR_NONE;
        int r;

        signals_leave();
        r = approve_ask(state_dir, id, &err);
        if (r == -ENOENT)
                r = approval_give(state_dir, id, &err);
        if (r < 0) {
                log_error("%s", err.text);
                return r == -ESRCH ? EXIT_USAGE_ERROR : EXIT_IO_ERROR;
        }
        printf(tr("plan %s is approved; the next pass carries it out if it is still the same\n"), id);
        return EXIT_OK;
}
