/* SPDX-License-Identifier: MIT */
#pragma once

/* Levels, and a sink that the program installs.  Only daemon/ calls log_*; tests may. */

#include "lib/base/mem.h"

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

/* Gets one finished line without a newline. */
typedef void (*log_sink)(enum log_level level, const char *line, void *userdata);

void log_init(enum log_level max, log_sink sink, void *userdata);
void log_set_level(enum log_level max);
bool log_wants(enum log_level level);
void log_line(enum log_level level, const char *fmt, ...) _printf_(2, 3);

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)                                                                             \
        do {                                                                                       \
                if (log_wants(LOG_DEBUG))                                                          \
                        log_line(LOG_DEBUG, __VA_ARGS__);                                          \
        } while (0)
