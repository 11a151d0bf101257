/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where entries go: the journal if stderr leads there, else stderr, for a person; and the log file if
 * one is wanted (PATH_FILE_LOG).  An error or a warning that is the same as the one before it is not
 * said again but counted, for an hour or until something else is said.
 */

#include "daemon/event.h"
#include "lib/base/err.h"

/* Entries go to the journal or to stderr from now on. */
void speak_init(enum log_level max);

/* On a terminal, lines begin with the time from now on. */
void speak_with_time(void);

/* Says each of these lines; on stderr without a word for its level, since they begin with a place. */
void speak_lines(enum event event, const char *lines);

/* Entries also go to `dir`/ydsync.log.  `dir` must exist; NULL: no longer. */
int speak_to_file(const char *dir, struct err *err);

void speak_finish(void);
