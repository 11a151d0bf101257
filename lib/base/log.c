/* SPDX-License-Identifier: MIT */

#include "lib/base/log.h"

#include "lib/base/str.h"
#include "lib/base/tr.h"

#include <stdio.h>

#define LOG_LINE_MAX 8192

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

/* As str_add_printable() does it, but asks for no memory, which may be what is missing. */
static void log_clean(char *ret, const char *line)
{
        size_t at = 0, n;

        for (; *line; line += n) {
                char hex[8];
                const char *piece = line;
                size_t len = n = str_utf8(line);

                if (n == 0 || (unsigned char)*line < 0x20 || *line == 0x7f) {
                        piece = hex;
                        len = (size_t)snprintf(hex, sizeof(hex), "\\x%02x", (unsigned char)*line);
                        n = 1;
                }
                if (at + len >= LOG_LINE_MAX)
                        break;
                memcpy(ret + at, piece, len);
                at += len;
        }
        ret[at] = '\0';
}

void log_fields(enum log_level level, const struct log_field *fields, size_t n, const char *fmt,
                va_list ap)
{
        char raw[LOG_LINE_MAX], line[LOG_LINE_MAX];
        struct log_entry entry = {
                .level = level, .line = line, .fields = fields, .n_fields = n};

        if (!log_wants(level))
                return;
        vsnprintf(raw, sizeof(raw), tr(fmt), ap);
        log_clean(line, raw);
        log_state.sink(&entry, log_state.userdata);
}

void log_line(enum log_level level, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        log_fields(level, NULL, 0, fmt, ap);
        va_end(ap);
}
