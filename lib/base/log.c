/* SPDX-License-Identifier: MIT */

#include "lib/base/log.h"

#include <stdarg.h>
#include <stdio.h>

static struct {
        enum log_level max;
        log_sink sink;
        void *userdata;
} log_state = {.max = LOG_INFO};

void log_init(enum log_level max, log_sink sink, void *userdata)
{
        log_state.max = max;
        log_state.sink = sink;
        log_state.userdata = userdata;
}

void log_set_level(enum log_level max)
{
        log_state.max = max;
}

bool log_wants(enum log_level level)
{
        return log_state.sink && level <= log_state.max;
}

void log_line(enum log_level level, const char *fmt, ...)
{
        char line[8192];
        va_list ap;

        if (!log_wants(level))
                return;
        va_start(ap, fmt);
        vsnprintf(line, sizeof(line), fmt, ap);
        va_end(ap);
        log_state.sink(level, line, log_state.userdata);
}
