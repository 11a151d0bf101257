/* SPDX-License-Identifier: MIT */

#include "lib/base/dialect.h"

#include <string.h>

struct dialect {
        const char *value; /* behind the '=', blanks at both ends taken off */
        size_t len;
        bool exported;     /* "export " stands before the key */
        bool spaced;       /* blanks round the '=' */
        bool cr;           /* it ends with CR LF */
};

static bool dialect_blank(char c)
{
        return c == ' ' || c == '\t';
}

static bool dialect_split(const char *line, size_t len, struct dialect *ret)
{
        const char *at, *end = line + len, *equals;

        *ret = (struct dialect){0};
        ret->cr = len > 0 && end[-1] == '\r';
        end -= ret->cr;
        while (line < end && dialect_blank(*line))
                line++;
        ret->exported = (size_t)(end - line) > 7 && memcmp(line, "export", 6) == 0 &&
                        dialect_blank(line[6]);
        equals = line < end ? memchr(line, '=', (size_t)(end - line)) : NULL;
        if (!equals)
                return false;
        at = equals + 1;
        ret->spaced = (equals > line && dialect_blank(equals[-1])) ||
                      (at < end && dialect_blank(*at));
        while (at < end && dialect_blank(*at))
                at++;
        while (end > at && dialect_blank(end[-1]))
                end--;
        ret->value = at;
        ret->len = (size_t)(end - at);
        return true;
}

static bool dialect_is(const struct dialect *d, size_t from, size_t n, const char *value)
{
        return strlen(value) == n && memcmp(d->value + from, value, n) == 0;
}

/* In quotes of one kind from end to end, with nothing special between them, and read as that. */
static bool dialect_quoted(const struct dialect *d, const char *special, const char *value)
{
        char quote = d->len >= 2 ? *d->value : '\0';

        if ((quote != '"' && quote != '\'') || d->value[d->len - 1] != quote)
                return false;
        for (size_t i = 1; i + 1 < d->len; i++)
                if (d->value[i] == quote || (quote == '"' && strchr(special, d->value[i])))
                        return false;
        return dialect_is(d, 1, d->len - 2, value);
}

bool dialect_systemd_agrees(const char *line, size_t len, const char *value)
{
        struct dialect d;

        if (!dialect_split(line, len, &d) || d.exported)
                return false;
        if (d.len > 0 && (*d.value == '"' || *d.value == '\''))
                return dialect_quoted(&d, "\\", value);
        /* A comment behind it belongs to the value there; a backslash takes the next character. */
        return dialect_is(&d, 0, d.len, value) && !memchr(d.value, '\\', d.len);
}

bool dialect_bash_agrees(const char *line, size_t len, const char *value)
{
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                    "_./:@%+,=-";
        size_t n = 0;
        struct dialect d;

        if (!dialect_split(line, len, &d) || d.spaced || d.cr)
                return false;
        if (d.len > 0 && (*d.value == '"' || *d.value == '\''))
                return dialect_quoted(&d, "\\$`!", value);
        while (n < d.len && d.value[n] && (strchr(plain, d.value[n]) || (d.value[n] & 0x80)))
                n++;
        /* Where the value ends, a comment may follow. */
        return dialect_is(&d, 0, n, value) && (n == d.len || dialect_blank(d.value[n]));
}
