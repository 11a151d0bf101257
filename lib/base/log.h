/* SPDX-License-Identifier: MIT */
#pragma once

/* Levels, and a sink that the program installs.  Only daemon/ calls log_*; tests may.  Formats are
 * looked up in the language of the reader (tr.h). */

#include "lib/base/mem.h"

#include <stdarg.h>
#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

/* What an entry tells to machines, beside its line: never translated, without control bytes. */
struct log_field {
        const char *name; /* as the journal wants it: A to Z, 0 to 9, _ */
        const char *value;
};

struct log_entry {
        enum log_level level;
        const char *line; /* finished, without a newline; valid UTF-8 without control bytes */
        const struct log_field *fields;
        size_t n_fields;
};

/* The field that names the kind of entry (daemon/event.h). */
#define LOG_FIELD_EVENT "YDSYNC_EVENT"

/* The entry and all it points at are only good during the call. */
typedef void (*log_sink)(const struct log_entry *entry, void *userdata);

void log_init(enum log_level max, log_sink sink, void *userdata);
void log_set_level(enum log_level max);
bool log_wants(enum log_level level);
void log_line(enum log_level level, const char *fmt, ...) _printf_(2, 3);
void log_fields(enum log_level level, const struct log_field *fields, size_t n, const char *fmt,
                va_list ap) _printf_(4, 0);

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)                                                                             \
        do {                                                                                       \
                if (log_wants(LOG_DEBUG))                                                          \
                        log_line(LOG_DEBUG, __VA_ARGS__);                                          \
        } while (0)
