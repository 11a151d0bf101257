/* SPDX-License-Identifier: MIT */

#include "daemon/cmd.h"
#include "daemon/command.h"
#include "daemon/mirror.h"
#include "daemon/xdg.h"

#include <errno.h>

static int run_open_store(const struct config *config, struct store **ret)
{
        struct err err = ERR_NONE;
        int r;

        xdg_make_parents(config->state_dir);
        r = store_open(ret, config->state_dir, 0, &err);
        if (r == -EUCLEAN) {
                log_error("%s", err.text);
                r = store_set_aside(config->state_dir, &err);
                if (r == 0) {
                        log_notice("%s; the folder is compared with the cloud anew", err.text);
                        r = store_open(ret, config->state_dir, 0, &err);
                }
        }
        if (r == 0)
                return EXIT_OK;
        log_error("%s", err.text);
        return r == -EIO || r == -ENOSPC ? EXIT_IO_ERROR : EXIT_NO_STATE;
}

static int run_mirror(const struct call *call, bool daemon)
{
        struct mirror_args args = {
                .config = &call->config,
                .spool_dir = call->config.state_dir,
                .daemon = daemon,
                .passes = MIRROR_PASSES,
        };
        int status = run_open_store(&call->config, &args.store);

        return status ? status : (int)mirror_run(&args);
}

int cmd_run(const struct call *call)
{
        return run_mirror(call, true);
}

int cmd_once(const struct call *call)
{
        return run_mirror(call, false);
}
