/* SPDX-License-Identifier: MIT */

/*
 * An option is known everywhere and allowed where the table says so: that it is written before the
 * command, when nobody knows yet which command it will be, is fine as well.
 */

#include "daemon/command.h"

#include "daemon/cmd.h"
#include "daemon/exit.h"
#include "lib/base/tr.h"

#include <getopt.h>

static const struct command_option command_options[] = {
        {OPTION_ENV, "env", "FILE",
         N_("the configuration; else $YDSYNC_ENV, /etc/ydsync/.env for root,\n"
            "$XDG_CONFIG_HOME/ydsync/.env for others")},
        {OPTION_JSON, "json", NULL, N_("write JSON, for programs")},
        {OPTION_ONCE, "once", NULL, N_("show it once, on a terminal too")},
        {OPTION_REPAIR, "repair", NULL, N_("put right what is not as it was sent")},
        {OPTION_HELP, "help", NULL, N_("this text; of a command: what it does and takes")},
        {OPTION_VERSION, "version", NULL, N_("the version")},
        {OPTION_DUMP, "dump-options", NULL, NULL},
};

static const struct command command_table[] = {
        {.name = "run",
         .run = cmd_run,
         .flags = COMMAND_DAEMON,
         .summary = N_("mirror, and go on mirroring every SYNCHRONIZATION_PERIOD")},
        {.name = "once",
         .run = cmd_once,
         .summary = N_("one full pass: scan, carry everything out, exit")},
        {.name = "login",
         .run = cmd_login,
         .flags = COMMAND_CLIENT,
         .summary = N_("sign in to Yandex: shows a link and a code, and keeps the token"),
         .details = N_("The token is kept in the state folder and renewed there.  It is that of a\n"
                       "program of your own, registered at https://oauth.yandex.ru/client/new with the\n"
                       "rights cloud_api:disk.read, cloud_api:disk.write and cloud_api:disk.info; its id\n"
                       "and secret are YDSYNC_CLIENT_ID and YDSYNC_CLIENT_SECRET, or asked for.\n"
                       "Exit status: 0 signed in, 69 no answer, 73 the token cannot be kept, 77 refused,\n"
                       "declined or too late.\n")},
        {.name = "plan",
         .run = cmd_plan,
         .options = OPTION_JSON,
         .summary = N_("show what `once` would do, changing nothing"),
         .details = N_("With --json each operation is one object on a line of its own: \"op\", \"path\",\n"
                       "\"bytes\" of a file, \"entries\" of a folder that is removed, and \"held\".\n"
                       "Exit status: 0 nothing to do, 1 something to do.\n")},
        {.name = "status",
         .run = cmd_status,
         .flags = COMMAND_CLIENT,
         .options = OPTION_JSON | OPTION_ONCE,
         .summary = N_("what the running daemon is doing, and what it waits for"),
         .details = N_("On a terminal it is shown anew every second; q ends that.\n"
                       "Exit status: 0 it runs, 3 it does not.\n")},
        {.name = "explain",
         .run = cmd_explain,
         .flags = COMMAND_CLIENT,
         .args = "PATH",
         .n_args = 1,
         .options = OPTION_JSON,
         .summary = N_("what ydsync thinks of one path: its state, the rule, the last error"),
         .details = N_("PATH is absolute, or below the current folder if that is watched, else below\n"
                       "the watched folder.  Without a daemon the snapshot answers.\n")},
        {.name = "check",
         .run = cmd_check,
         .flags = COMMAND_BARE,
         .options = OPTION_JSON,
         .summary = N_("configuration, folder, state, service, token and room: whether it would work"),
         .details = N_("Each has a verdict (ok, warning, wrong) and, where something can be done, a remedy.\n"
                       "Changes nothing.  Exit status: 0 nothing is wrong, else that of `once`.\n")},
        {.name = "verify",
         .run = cmd_verify,
         .flags = COMMAND_CLIENT,
         .options = OPTION_JSON | OPTION_REPAIR,
         .summary = N_("compare the cloud with what is known to be there, by size and md5"),
         .details = N_("Changes nothing, unless --repair: then what is missing or changed is sent again, by\n"
                       "the running daemon or at once.  Exit status: 0 no difference, 1 differences; with\n"
                       "--repair and without a daemon that of `once`.\n")},
        {.name = "sync",
         .run = cmd_sync,
         .flags = COMMAND_CLIENT,
         .summary = N_("tell the running daemon to scan now")},
        {.name = "pause",
         .run = cmd_pause,
         .flags = COMMAND_CLIENT,
         .summary = N_("tell the running daemon to do nothing until `resume`, over restarts too")},
        {.name = "resume",
         .run = cmd_resume,
         .flags = COMMAND_CLIENT,
         .summary = N_("tell the running daemon to go on")},
        {.name = "approve",
         .run = cmd_approve,
         .flags = COMMAND_CLIENT,
         .args = "ID",
         .n_args = 1,
         .summary = N_("let the next pass carry out a held plan")},
};

/* ---- help ------------------------------------------------------------------------------------ */

/* "  left   help", further lines of the help below its first. */
static void command_row(FILE *out, const char *left, const char *help)
{
        fprintf(out, "  %-15s", left);
        for (const char *line = help; *line;) {
                int n = (int)strcspn(line, "\n");

                fprintf(out, "%*s%.*s\n", line == help ? 0 : 17, "", n, line);
                line += n + (line[n] == '\n');
        }
}

static void command_help_options(FILE *out, unsigned options)
{
        fprintf(out, "\n%s\n", tr("Options:"));
        for (size_t i = 0; i < ARRAY_SIZE(command_options); i++) {
                const struct command_option *o = &command_options[i];
                char left[64];

                if (!(o->flag & options) || !o->help)
                        continue;
                snprintf(left, sizeof(left), "--%s%s%s", o->name, o->arg ? " " : "",
                         o->arg ? o->arg : "");
                command_row(out, left, tr(o->help));
        }
}

static void command_help_program(FILE *out)
{
        fputs(tr("Usage: ydsync [--env FILE] COMMAND [OPTION]...\n"
                 "Mirrors one local folder to Yandex.Disk, one way.\n\n"
                 "Commands:\n"),
              out);
        for (size_t i = 0; i < ARRAY_SIZE(command_table); i++) {
                const struct command *c = &command_table[i];
                char left[64];

                snprintf(left, sizeof(left), "%s%s%s", c->name, c->args ? " " : "",
                         c->args ? c->args : "");
                command_row(out, left, tr(c->summary));
        }
        command_help_options(out, OPTION_COMMON);
        putc('\n', out);
        fputs(tr("Exit status: 0 done, 1 plan or verify found a difference, 3 no daemon runs, 64\n"
                 "usage, 66 watched folder missing or another one, 69 service unreachable, 73 no\n"
                 "state, 74 input/output error, 75 some work left, 77 token refused, 78\n"
                 "configuration.\n"),
              out);
}

void command_help(FILE *out, const struct command *c)
{
        if (!c) {
                command_help_program(out);
                return;
        }
        fprintf(out, tr("Usage: ydsync %s%s%s [OPTION]...\n%s\n"), c->name, c->args ? " " : "",
                c->args ? c->args : "", tr(c->summary));
        if (c->details)
                fprintf(out, "\n%s", tr(c->details));
        command_help_options(out, OPTION_COMMON | c->options);
}

/* ---- the table ------------------------------------------------------------------------------- */

/* A help text in one line. */
static void command_dump_text(FILE *out, const char *text)
{
        for (; text && *text; text++)
                putc(*text == '\n' || *text == '\t' ? ' ' : *text, out);
}

static void command_dump_options(FILE *out, const char *command, unsigned options)
{
        for (size_t i = 0; i < ARRAY_SIZE(command_options); i++) {
                const struct command_option *o = &command_options[i];

                if (!(o->flag & options) || !o->help)
                        continue;
                fprintf(out, "option\t%s\t--%s\t%s\t", command, o->name, o->arg ? o->arg : "");
                command_dump_text(out, o->help);
                putc('\n', out);
        }
}

void command_dump(FILE *out)
{
        command_dump_options(out, "-", OPTION_COMMON);
        for (size_t i = 0; i < ARRAY_SIZE(command_table); i++) {
                const struct command *c = &command_table[i];

                fprintf(out, "command\t%s\t%s\t", c->name, c->args ? c->args : "");
                command_dump_text(out, c->summary);
                putc('\n', out);
                command_dump_options(out, c->name, c->options);
        }
}

/* ---- the command line ------------------------------------------------------------------------ */

static const struct command *command_find(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(command_table); i++)
                if (str_eq(command_table[i].name, name))
                        return &command_table[i];
        return NULL;
}

static void command_getopt_table(struct option ret[ARRAY_SIZE(command_options) + 1])
{
        for (size_t i = 0; i < ARRAY_SIZE(command_options); i++)
                ret[i] = (struct option){
                        .name = command_options[i].name,
                        .has_arg = command_options[i].arg ? required_argument : no_argument,
                        .val = (int)command_options[i].flag,
                };
        ret[ARRAY_SIZE(command_options)] = (struct option){0};
}

/* Whether the command takes these options; complains if not. */
static bool command_takes(const struct command *c, unsigned options)
{
        unsigned foreign = options & ~(c->options | OPTION_COMMON);

        for (size_t i = 0; i < ARRAY_SIZE(command_options); i++)
                if (foreign & command_options[i].flag) {
                        fprintf(stderr, tr("ydsync: %s takes no --%s\n"), c->name,
                                command_options[i].name);
                        return false;
                }
        return true;
}

static bool command_counts(const struct command *c, int n_args)
{
        if (n_args == c->n_args)
                return true;
        if (c->n_args == 0)
                fprintf(stderr, tr("ydsync: %s takes no arguments\n"), c->name);
        else
                fprintf(stderr, tr("ydsync: it is: ydsync %s %s\n"), c->name, c->args);
        return false;
}

static int command_complete(struct call *call, int n_words, char **words)
{
        const bool told = call->options & (OPTION_HELP | OPTION_VERSION | OPTION_DUMP);

        if (n_words == 0 && told)
                return EXIT_OK;
        call->command = n_words > 0 ? command_find(words[0]) : NULL;
        if (!call->command) {
                if (n_words > 0)
                        fprintf(stderr, tr("ydsync: no such command: %s\n"), words[0]);
                command_help(stderr, NULL);
                return EXIT_USAGE_ERROR;
        }
        call->args = words + 1;
        if (told || (command_takes(call->command, call->options) &&
                     command_counts(call->command, n_words - 1)))
                return EXIT_OK;
        fprintf(stderr, tr("Try: ydsync %s --help\n"), call->command->name);
        return EXIT_USAGE_ERROR;
}

int command_parse(struct call *ret, int argc, char **argv)
{
        struct option options[ARRAY_SIZE(command_options) + 1];
        int option;

        *ret = (struct call){0};
        command_getopt_table(options);
        while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
                if (option == '?') {
                        fputs(tr("Try: ydsync --help\n"), stderr);
                        return EXIT_USAGE_ERROR;
                }
                ret->options |= (unsigned)option;
                if (option == OPTION_ENV)
                        ret->env_file = optarg;
        }
        return command_complete(ret, argc - optind, argv + optind);
}
