/* SPDX-License-Identifier: MIT */

#include "daemon/client.h"
#include "daemon/cmd.h"
#include "daemon/command.h"
#include "daemon/exit.h"
#include "daemon/signals.h"
#include "daemon/status.h"

int cmd_status(const struct call *call)
{
        _cleanup_(client_answer_finish) struct client_answer answer = {0};
        _cleanup_(str_finish) struct str text = STR_NULL(1 << 24);
        int status;

        signals_leave();
        status = client_tell(&answer, &call->config, "GET", "/status");
        if (status != EXIT_OK)
                return status;
        if (call->options & OPTION_JSON) {
                char *json = cJSON_Print(answer.json);

                puts(json ? json : "");
                cJSON_free(json);
        } else {
                status_text(&text, answer.json);
                fputs(str_z(&text), stdout);
        }
        return EXIT_OK;
}
