/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The commands and their options: one table from which the command line is read, and the help and
 * the completions are made.
 */

#include "daemon/config.h"

#include <stdio.h>

enum option_flag {
        OPTION_ENV = 1 << 0,
        OPTION_HELP = 1 << 1,
        OPTION_VERSION = 1 << 2,
        OPTION_DUMP = 1 << 3, /* the table itself; for completions and manual pages */
        OPTION_JSON = 1 << 4,
        OPTION_ONCE = 1 << 5,
        OPTION_REPAIR = 1 << 6,
};

/* Every command has these. */
#define OPTION_COMMON (OPTION_ENV | OPTION_HELP | OPTION_VERSION)

struct command_option {
        enum option_flag flag;
        const char *name; /* without its dashes */
        const char *arg;  /* what it takes, as the help writes it; NULL: nothing */
        const char *help; /* half a sentence; NULL: it is not shown */
};

enum command_flag {
        COMMAND_DAEMON = 1 << 0, /* lasts: SIGHUP has a meaning, and several signals have none */
        COMMAND_CLIENT = 1 << 2, /* speaks to a daemon: config_load_for_client(), and says nothing in
                                    the log file */
        COMMAND_BARE = 1 << 1,   /* reads the configuration itself, if at all; `config` is empty */
};

struct call;

struct command {
        const char *name;
        int (*run)(const struct call *call); /* an exit status */
        const char *args;     /* as the help writes them: "PATH"; NULL: none … */
        int n_args;           /* … and exactly so many */
        unsigned flags;       /* enum command_flag */
        unsigned options;     /* enum option_flag, beside OPTION_COMMON */
        const char *summary;  /* half a sentence */
        const char *details;  /* lines for `ydsync COMMAND --help`, or NULL */
};

/* The command line, read. */
struct call {
        const struct command *command; /* NULL with --help, --version and --dump-options only */
        unsigned options;              /* enum option_flag: those that were given */
        const char *env_file;          /* of --env, or NULL */
        char **args;                   /* n_args of the command */
        struct config config;          /* read and checked before the command runs; its to change */
};

/* Options may stand before and after the command; "--" ends them.  0, or, after a complaint on
 * stderr, the exit status. */
int command_parse(struct call *ret, int argc, char **argv);

/* Of one command, or (NULL) of the program. */
void command_help(FILE *out, const struct command *c);

/*
 * The table as lines, their parts separated by tabs:
 *
 *      command NAME ARGS SUMMARY
 *      option  COMMAND --NAME ARG HELP     COMMAND is "-" for those that every command has
 */
void command_dump(FILE *out);
