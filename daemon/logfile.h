/* SPDX-License-Identifier: MIT */
#pragma once

/* The log file that PATH_FILE_LOG asks for: one line an entry, TIME LEVEL [KIND] TEXT. */

#include "lib/base/err.h"
#include "lib/base/log.h"

#include <stdint.h>

/* `dir`/ydsync.log is appended to, and made when missing; `dir` must exist.  When the file was moved
 * away or removed, the next entry makes a new one.  An earlier file is closed, if this works. */
int logfile_open(const char *dir, struct err *err);

/* Nothing while none is open.  What cannot be written is counted. */
void logfile_write(const struct log_entry *entry);

/* How many entries were lost since this was last asked; 0 as long as more would be. */
uint64_t logfile_take_lost(void);

void logfile_close(void);
