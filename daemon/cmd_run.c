/* SPDX-License-Identifier: MIT */

#include "daemon/cmd.h"
#include "daemon/command.h"
#include "daemon/mirror.h"
#include "daemon/notify.h"
#include "daemon/sandbox.h"
#include "daemon/speak.h"
#include "daemon/xdg.h"

#include <errno.h>

static void run_say_failed(const struct err *err)
{
        event_say(EVENT_STATE_FAILED, &(struct event_about){.err = err->code}, "%s", err->text);
        notify_failed(err->code, err->text);
}

static int run_open_store(const struct config *config, struct store **ret)
{
        struct err err = ERR_NONE;
        int r;

        xdg_make_parents(config->state_dir);
        r = store_open(ret, config->state_dir, 0, &err);
        if (r == -EUCLEAN) {
                run_say_failed(&err);
                r = store_set_aside(config->state_dir, &err);
                if (r == 0) {
                        event_say(EVENT_STATE_RENEWED, NULL,
                                  "%s; the folder is compared with the cloud anew", err.text);
                        r = store_open(ret, config->state_dir, 0, &err);
                }
        }
        if (r == 0)
                return EXIT_OK;
        run_say_failed(&err);
        return r == -EIO || r == -ENOSPC ? EXIT_IO_ERROR : EXIT_NO_STATE;
}

static int run_mirror(const struct call *call, bool daemon)
{
        struct mirror_args args = {
                .config = &call->config,
                .env_file = call->env_file,
                .daemon = daemon,
                .passes = MIRROR_PASSES,
        };
        int status = run_open_store(&call->config, &args.store);

        return status ? status : (int)mirror_run(&args);
}

/* A folder that is not there yet is waited for; one that the unit hides will not come. */
int cmd_run(const struct call *call)
{
        struct err err = ERR_NONE;

        speak_with_time();
        if (sandbox_check(call->config.folder, &err) < 0) {
                event_say(EVENT_FOLDER_WRONG, &(struct event_about){.err = err.code}, "%s", err.text);
                notify_failed(err.code, err.text);
                return EXIT_NO_FOLDER;
        }
        return run_mirror(call, true);
}

int cmd_once(const struct call *call)
{
        return run_mirror(call, false);
}
