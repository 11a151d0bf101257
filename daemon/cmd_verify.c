/* SPDX-License-Identifier: MIT */

/*
 * Asks the running daemon, and waits for what it finds; where none runs, one pass that does nothing
 * else.  What is found is put right by an audit: the daemon's, or that of a full pass.
 */

#include "daemon/client.h"
#include "daemon/cmd.h"
#include "daemon/command.h"
#include "daemon/mirror.h"
#include "daemon/signals.h"
#include "daemon/verify.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#define VERIFY_FIRST_MS 50
#define VERIFY_MOST_MS 2000

static void cmd_verify_print(const cJSON *o, bool json)
{
        _cleanup_(str_finish) struct str text = STR_NULL(1 << 26);

        if (json) {
                char *printed = cJSON_Print(o);

                puts(printed ? printed : "");
                cJSON_free(printed);
                return;
        }
        verify_text(&text, o);
        fputs(str_z(&text), stdout);
        fflush(stdout);
}

static double cmd_verify_n(const cJSON *o, const char *key)
{
        return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(o, key));
}

static int cmd_verify_status(const cJSON *o)
{
        if (cmd_verify_n(o, "missing") + cmd_verify_n(o, "changed") > 0)
                return EXIT_DIFFERENT;
        return cmd_verify_n(o, "not_compared") > 0 ? EXIT_TRY_AGAIN : EXIT_OK;
}

static void cmd_verify_wait(int ms)
{
        struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

        nanosleep(&ts, NULL);
}

/* Until the daemon has compared everything. */
static int cmd_verify_follow(const struct call *call, struct client_answer *answer)
{
        int status = EXIT_OK, ms = VERIFY_FIRST_MS;

        while (status == EXIT_OK &&
               cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer->json, "under_way"))) {
                cmd_verify_wait(ms);
                ms = 2 * ms < VERIFY_MOST_MS ? 2 * ms : VERIFY_MOST_MS;
                client_answer_finish(answer);
                status = client_tell(answer, &call->config, "GET", "/verify");
        }
        return status;
}

static int cmd_verify_daemon(const struct call *call, const char *target)
{
        _cleanup_(client_answer_finish) struct client_answer answer = {0};
        int status;

        signals_leave();
        status = client_tell(&answer, &call->config, "POST", target);
        if (status == EXIT_OK)
                status = cmd_verify_follow(call, &answer);
        if (status != EXIT_OK)
                return status;
        cmd_verify_print(answer.json, call->options & OPTION_JSON);
        status = cmd_verify_status(answer.json);
        if (status == EXIT_DIFFERENT && (call->options & OPTION_REPAIR))
                log_notice("the running ydsync puts it right now; its log tells how");
        return status;
}

static void cmd_verify_ended(void *userdata, const struct cycle_compare *compare)
{
        const struct call *call = userdata;
        char *json = verify_json(compare);
        cJSON *o = json ? cJSON_Parse(json) : NULL;

        cmd_verify_print(o, call->options & OPTION_JSON);
        cJSON_Delete(o);
        cJSON_free(json);
}

static int cmd_verify_pass(const struct call *call, bool repair)
{
        struct mirror_args args = {
                .config = &call->config,
                .spool_dir = call->config.state_dir,
                .passes = repair ? MIRROR_PASSES : 1,
                .compared = repair ? NULL : cmd_verify_ended,
                .compared_userdata = (void *)call,
                .audit = repair,
        };
        struct err err = ERR_NONE;

        if (store_open(&args.store, call->config.state_dir, 0, &err) == 0)
                return (int)mirror_run(&args);
        log_error("%s", err.text);
        return EXIT_NO_STATE;
}

int cmd_verify(const struct call *call)
{
        const bool repair = call->options & OPTION_REPAIR;
        _cleanup_(client_answer_finish) struct client_answer answer = {0};
        struct err err = ERR_NONE;
        int status;

        if (client_ask(&answer, call->config.state_dir, "GET", "/status", &err) != -ENOENT)
                return cmd_verify_daemon(call, repair ? "/verify?repair=1" : "/verify");
        if (!call->config.token) {
                log_error("no ydsync runs, and there is no YANDEX_TOKEN to compare with");
                return EXIT_BAD_CONFIG;
        }
        status = cmd_verify_pass(call, false);
        return status == EXIT_DIFFERENT && repair ? cmd_verify_pass(call, true) : status;
}
