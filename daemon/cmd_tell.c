/* SPDX-License-Identifier: MIT */

/* The commands that tell the running daemon something: sync, pause, resume. */

#include "daemon/client.h"
#include "daemon/cmd.h"
#include "daemon/command.h"
#include "daemon/exit.h"
#include "daemon/signals.h"

static int tell(const struct call *call, const char *target)
{
        _cleanup_(client_answer_finish) struct client_answer answer = {0};
        int status;

        signals_leave();
        status = client_tell(&answer, &call->config, "POST", target);
        if (status == EXIT_OK)
                {
                const char *done = cJSON_GetStringValue(
                        cJSON_GetObjectItemCaseSensitive(answer.json, "done"));

                puts(done ? tr(done) : "");
        }
        return status;
}

int cmd_sync(const struct call *call)
{
        return tell(call, "/sync");
}

int cmd_pause(const struct call *call)
{
        return tell(call, "/pause");
}

int cmd_resume(const struct call *call)
{
        return tell(call, "/resume");
}
