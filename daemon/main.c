/* SPDX-License-Identifier: MIT */

/*
 * ydsync mirrors one local folder to Yandex.Disk, one way.
 *
 * The map.  Values go round a circle; the effects stand at its rim:
 *
 *      walk ──▶ diff ──▶ plan ──▶ engine ──▶ record
 *       ▲        ▲                  │ ▲         │
 *     folder   snapshot ◀───────────│─│─────────┘
 *                               ask ▼ │ outcome
 *                                  flows
 *
 *   daemon/main.c        this file: what every command needs before it runs
 *   daemon/command.c     the table of the commands and their options; each is a daemon/cmd_*.c
 *   daemon/mirror.c      pass after pass: run, once, plan
 *   daemon/signals.c     being told to end, or to look
 *   daemon/config.c      .env, environment, credential -> struct config
 *   daemon/cycle.c       the circle: one pass, stage by stage
 *   daemon/report.c      what a pass says
 *   daemon/event.h       all that can be said, as a table; speak.c, where it goes
 *   daemon/scan.c        lib/engine/walk.c -> lib/core/diff.c -> lib/core/plan.c -> lib/store/spool.c
 *   daemon/moves.c       what of it was moved: lib/core/pair.c
 *   daemon/audit.c       what is believed against what is there, now and then
 *   daemon/mounts.c      whether a disk mounted below is still the one it was
 *   daemon/work.c        the plan's ops -> flows, in the order of lib/core/order.c
 *   lib/yadisk/flow_*.c  what is asked of the service, step by step
 *   lib/yadisk/verdict.c what its answers mean
 *   lib/engine/engine.c  carries flows: lib/engine/http.c, source.c, recorder.c
 *   lib/store/store.c    the snapshot
 *
 * Why was this removed?  lib/core/plan.c.  Why is it slow?  lib/core/pace.c, disguise.c.  Why did it
 * try again?  lib/yadisk/verdict.c.  What is on the wire?  lib/yadisk/yadisk.c.
 */

#include "daemon/command.h"
#include "daemon/exit.h"
#include "daemon/notify.h"
#include "daemon/signals.h"
#include "daemon/speak.h"
#include "daemon/start.h"
#include "daemon/system.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* With a configuration of the system, root acts on the service's own state, as the service. */
static int main_become(const struct config *c, struct err *err)
{
        _cleanup_(freep) char *dir = system_state_dir(c->file);

        return dir && str_eq(dir, c->state_dir) ? system_become(dir, err) : 0;
}

/* What it means that the configuration could not be read; without a word of what is wrong with it
 * there was no memory for one. */
static enum exit_status main_config_unread(const struct str *errors)
{
        if (errors->len > 0)
                return EXIT_BAD_CONFIG;
        log_error("there is not enough memory to read the configuration");
        return EXIT_IO_ERROR;
}

/* Remarks about the file are for those who run it, and for `check`. */
static int main_configure_client(struct config *c, const char *env_file)
{
        _cleanup_(str_finish) struct str errors = STR_NULL(1 << 20);
        _cleanup_(str_finish) struct str warnings = STR_NULL(1 << 20);
        struct err err = ERR_NONE;

        if (config_load_for_client(c, env_file, &errors, &warnings) < 0) {
                speak_lines(EVENT_CONFIG_WRONG, str_z(&errors));
                return main_config_unread(&errors);
        }
        if (main_become(c, &err) == 0)
                return EXIT_OK;
        log_error("%s", err.text);
        return EXIT_NO_PERMISSION;
}

static int main_configure(struct config *c, const char *env_file)
{
        _cleanup_(str_finish) struct str errors = STR_NULL(1 << 20);
        _cleanup_(str_finish) struct str warnings = STR_NULL(1 << 20);
        struct err err = ERR_NONE;
        int r = config_load(c, env_file, &errors, &warnings);

        speak_lines(EVENT_CONFIG_DOUBTFUL, str_z(&warnings));
        speak_lines(EVENT_CONFIG_WRONG, str_z(&errors));
        if (r < 0 && errors.len == 0)
                return main_config_unread(&errors);
        if (r < 0) {
                notify_failed(EINVAL, tr("there are mistakes in the configuration; the log names them"));
                return EXIT_BAD_CONFIG;
        }
        if (main_become(c, &err) < 0) {
                log_error("%s", err.text);
                return EXIT_NO_PERMISSION;
        }
        speak_init(c->log_level);
        if (c->log_dir && speak_to_file(c->log_dir, &err) < 0) {
                event_say(EVENT_LOG_FILE_FAILED, &(struct event_about){.err = err.code}, "%s",
                          err.text);
                return EXIT_BAD_CONFIG;
        }
        return EXIT_OK;
}

/* A core that is piped to a program is written whatever the limit says: this leaves the memory out.
 * (Were the process not dumpable, its own user could not look into it with strace either.) */
static void main_keep_memory_out_of_cores(void)
{
        _cleanup_(closep) int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
        ssize_t n _unused_;

        if (fd >= 0)
                n = write(fd, "0", 1);
}

/* A core file would hold the token; a write to a closed pipe or past a limit is an error like any
 * other; the pool must not be so small that one scan fills it. */
static void main_prepare_process(void)
{
        struct rlimit none = {0, 0};
        int fd;

        /* What is opened must not take the place of a closed stream, and get its lines. */
        while ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0 && fd <= STDERR_FILENO)
                ;
        if (fd >= 0)
                close(fd);
        setrlimit(RLIMIT_CORE, &none);
        main_keep_memory_out_of_cores();
        signal(SIGPIPE, SIG_IGN);
        signal(SIGXFSZ, SIG_IGN);
        setenv("UV_THREADPOOL_SIZE", "8", 0);
        umask(0077);
}

static int main_begin(const struct command *c)
{
        struct err err = ERR_NONE;

        if (signals_begin(c->flags & COMMAND_DAEMON) < 0) {
                log_error("no descriptor can be had: %s", strerror(errno));
                return EXIT_IO_ERROR;
        }
        main_prepare_process();
        if (start_libraries(&err) == 0)
                return EXIT_OK;
        log_error("%s", err.text);
        return EXIT_IO_ERROR;
}

static int main_command(struct call *call)
{
        int status = main_begin(call->command);

        if (status != EXIT_OK)
                return status;
        if (call->command->flags & COMMAND_CLIENT)
                status = main_configure_client(&call->config, call->env_file);
        else if (!(call->command->flags & COMMAND_BARE))
                status = main_configure(&call->config, call->env_file);
        if (status == EXIT_OK)
                status = call->command->run(call);
        config_finish(&call->config);
        speak_finish();
        start_libraries_finish();
        return status;
}

/* Messages and the words of the system in the language of the environment; numbers as ever, since
 * programs read them. */
static void main_choose_language(void)
{
        const char *dir = YDSYNC_LOCALEDIR;

#ifdef YDSYNC_TEST_HOOKS
        if (getenv("YDSYNC_LOCALEDIR"))
                dir = getenv("YDSYNC_LOCALEDIR");
#endif
        setlocale(LC_CTYPE, "");
        setlocale(LC_MESSAGES, "");
        bindtextdomain(TR_DOMAIN, dir);
        bind_textdomain_codeset(TR_DOMAIN, "UTF-8");
}

int main(int argc, char **argv)
{
        struct call call;
        int status;

        main_choose_language();
        speak_init(LOG_INFO);
        status = command_parse(&call, argc, argv);
        if (status != EXIT_OK)
                return status;
        if (call.options & OPTION_JSON) /* for programs, which are the same everywhere */
                setlocale(LC_MESSAGES, "C");
        if (call.options & OPTION_VERSION)
                puts("ydsync " YDSYNC_VERSION);
        else if (call.options & OPTION_HELP)
                command_help(stdout, call.command);
        else if (call.options & OPTION_DUMP)
                command_dump(stdout);
        else
                return main_command(&call);
        return EXIT_OK;
}
