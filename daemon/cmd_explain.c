/* SPDX-License-Identifier: MIT */

#include "daemon/client.h"
#include "daemon/cmd.h"
#include "daemon/command.h"
#include "daemon/exit.h"
#include "daemon/explain.h"
#include "daemon/signals.h"

#include <errno.h>
#include <stdio.h>

/* A relative path is one of where we are, if that is in the watched folder, else of that folder. */
static int cmd_explain_key(const struct config *config, const char *path, char **ret,
                           struct err *err)
{
        _cleanup_(freep) char *here = *path == '/' ? NULL : get_current_dir_name();
        _cleanup_(freep) char *whole = NULL;

        if (here && asprintf(&whole, "%s/%s", here, path) < 0)
                whole = NULL;
        if (whole && explain_key(config, whole, ret, err) == 0)
                return 0;
        return explain_key(config, path, ret, err);
}

#define CMD_EXPLAIN_ASK_MAX 32768 /* bytes that the daemon is asked with */

/* Asks the daemon; -ENOENT: none runs, or the path is longer than it listens to. */
static int cmd_explain_ask(const struct config *config, const char *key, cJSON **ret,
                           struct err *err)
{
        _cleanup_(client_answer_finish) struct client_answer answer = {0};
        _cleanup_(str_finish) struct str target = STR_NULL(1 << 20);
        _cleanup_(freep) char *escaped = client_escape(key);
        const char *why;
        int r;

        str_addf(&target, "/explain?path=%s", escaped ? escaped : "");
        if (!escaped || target.failed)
                return err_set(err, ENOMEM, "no memory");
        if (target.len > CMD_EXPLAIN_ASK_MAX)
                return err_set(err, ENOENT, "the path is too long");
        r = client_ask(&answer, config->state_dir, "GET", str_z(&target), err);
        if (r < 0)
                return r;
        if (answer.status == 200) {
                *ret = TAKE_PTR(answer.json);
                return 0;
        }
        why = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer.json, "error"));
        return err_set(err, EIO, "%s", why ? tr(why) : tr("the running ydsync refuses"));
}

static void cmd_explain_print(const cJSON *o, bool json)
{
        _cleanup_(str_finish) struct str text = STR_NULL(1 << 22);

        if (json) {
                char *printed = cJSON_Print(o);

                puts(printed ? printed : "");
                cJSON_free(printed);
                return;
        }
        explain_text(&text, o);
        fputs(str_z(&text), stdout);
}

int cmd_explain(const struct call *call)
{
        _cleanup_(freep) char *key = NULL;
        struct err err = ERR_NONE;
        cJSON *o = NULL;
        int r;

        signals_leave();
        r = cmd_explain_key(&call->config, call->args[0], &key, &err);
        if (r < 0) {
                log_error("%s", err.text);
                return EXIT_USAGE_ERROR;
        }
        r = cmd_explain_ask(&call->config, key, &o, &err);
        if (r == -ENOENT)
                r = explain_path(&call->config, key, &o, &err);
        if (r < 0) {
                log_error("%s", err.text);
                return r == -EACCES ? EXIT_NO_PERMISSION : EXIT_IO_ERROR;
        }
        cmd_explain_print(o, call->options & OPTION_JSON);
        cJSON_Delete(o);
        return EXIT_OK;
}
