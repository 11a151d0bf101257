/* SPDX-License-Identifier: MIT */

#include "daemon/client.h"
#include "daemon/cmd.h"
#include "daemon/command.h"
#include "daemon/exit.h"
#include "daemon/screen.h"
#include "daemon/signals.h"
#include "daemon/status.h"

#define STATUS_EVERY_MS 1000

static void status_print(const cJSON *o, bool json)
{
        _cleanup_(str_finish) struct str text = STR_NULL(1 << 24);

        if (json) {
                char *printed = cJSON_Print(o);

                puts(printed ? printed : "");
                cJSON_free(printed);
                return;
        }
        status_text(&text, o);
        fputs(str_z(&text), stdout);
}

static void status_draw(struct screen *s, const cJSON *o)
{
        _cleanup_(str_finish) struct str text = STR_NULL(1 << 24);

        status_text(&text, o);
        screen_show(s, str_z(&text), tr("q ends this; ydsync goes on"));
}

/* Once more every second, until somebody has seen enough or the daemon ends. */
static int status_live(const struct call *call, const cJSON *first)
{
        struct screen screen;
        int status = EXIT_OK;

        screen_begin(&screen);
        status_draw(&screen, first);
        while (status == EXIT_OK && !screen_wait(&screen, STATUS_EVERY_MS)) {
                _cleanup_(client_answer_finish) struct client_answer answer = {0};
                struct err err = ERR_NONE;

                if (client_ask(&answer, call->config.state_dir, "GET", "/status", &err) < 0)
                        status = EXIT_NOT_RUNNING;
                else
                        status_draw(&screen, answer.json);
        }
        screen_end(&screen);
        if (status != EXIT_OK)
                log_error("ydsync has ended");
        return status;
}

int cmd_status(const struct call *call)
{
        _cleanup_(client_answer_finish) struct client_answer answer = {0};
        int status;

        signals_leave();
        status = client_tell(&answer, &call->config, "GET", "/status");
        if (status != EXIT_OK)
                return status;
        if (!(call->options & (OPTION_JSON | OPTION_ONCE)) && screen_is_there())
                return status_live(call, answer.json);
        status_print(answer.json, call->options & OPTION_JSON);
        return EXIT_OK;
}
