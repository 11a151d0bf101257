/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where log lines go: stderr, as the journal or a person reads it, and the log file if one is
 * wanted (PATH_FILE_LOG).
 */

#include "lib/base/err.h"
#include "lib/base/log.h"

/* Lines go to stderr from now on. */
void speak_init(enum log_level max);

/* Lines also go to `dir`/ydsync.log, each with its time.  `dir` must exist. */
int speak_to_file(const char *dir, struct err *err);

void speak_finish(void);
