/* SPDX-License-Identifier: MIT */

#include "lib/base/str.h"

#include "lib/base/tr.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void str_finish(struct str *s)
{
        free(s->s);
        *s = STR_NULL(s->max);
}

void str_clear(struct str *s)
{
        str_truncate(s, 0);
        s->failed = false;
}

void str_truncate(struct str *s, size_t len)
{
        if (len >= s->len)
                return;
        s->len = len;
        s->s[len] = '\0';
}

/* Room for n more bytes and a NUL. */
static bool str_reserve(struct str *s, size_t n)
{
        size_t size;
        char *p;

        if (s->failed || n > s->max || s->len > s->max - n)
                goto fail;
        if (s->len + n + 1 <= s->size)
                return true;
        size = s->size ? s->size : 64;
        while (size < s->len + n + 1)
                size *= 2;
        p = realloc(s->s, size);
        if (!p)
                goto fail;
        s->s = p;
        s->size = size;
        return true;
fail:
        s->failed = true;
        return false;
}

void str_add(struct str *s, const void *bytes, size_t n)
{
        if (!str_reserve(s, n))
                return;
        if (n > 0)
                memcpy(s->s + s->len, bytes, n);
        s->len += n;
        s->s[s->len] = '\0';
}

void str_adds(struct str *s, const char *z)
{
        str_add(s, z, strlen(z));
}

void str_addc(struct str *s, char c)
{
        str_add(s, &c, 1);
}

void str_addf(struct str *s, const char *fmt, ...)
{
        va_list ap, again;
        int n;

        va_start(ap, fmt);
        va_copy(again, ap);
        n = vsnprintf(NULL, 0, fmt, ap);
        va_end(ap);
        if (n >= 0 && str_reserve(s, (size_t)n)) {
                vsnprintf(s->s + s->len, (size_t)n + 1, fmt, again);
                s->len += (size_t)n;
        }
        va_end(again);
}

char *str_take(struct str *s)
{
        char *p;

        if (s->failed)
                return NULL;
        if (!s->s)
                str_add(s, "", 0);
        p = s->s;
        s->s = NULL;
        s->len = s->size = 0;
        return p;
}

void str_copy(char *ret, size_t size, const char *z)
{
        size_t n = strlen(z);

        if (n >= size)
                n = size - 1;
        memcpy(ret, z, n);
        ret[n] = '\0';
}

char *str_dup(const char *z)
{
        return z ? strdup(z) : NULL;
}

size_t str_utf8(const char *s)
{
        const unsigned char *u = (const unsigned char *)s;
        size_t n;
        uint32_t c;

        if (u[0] < 0x80)
                return u[0] ? 1 : 0;
        if ((u[0] & 0xe0) == 0xc0)
                n = 2, c = u[0] & 0x1f;
        else if ((u[0] & 0xf0) == 0xe0)
                n = 3, c = u[0] & 0x0f;
        else if ((u[0] & 0xf8) == 0xf0)
                n = 4, c = u[0] & 0x07;
        else
                return 0;
        for (size_t i = 1; i < n; i++) {
                if ((u[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (u[i] & 0x3f);
        }
        if (c < (n == 2 ? 0x80u : n == 3 ? 0x800u : 0x10000u)) /* overlong */
                return 0;
        if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) /* not a character */
                return 0;
        return n;
}

void str_add_escaped(struct str *s, const char *z)
{
        static const char digits[] = "0123456789ABCDEF";

        for (; *z; z++) {
                unsigned char c = (unsigned char)*z;
                char escaped[3] = {'%', digits[c >> 4], digits[c & 15]};

                if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    strchr("-._~", c))
                        str_addc(s, (char)c);
                else
                        str_add(s, escaped, sizeof(escaped));
        }
}

void str_add_printable(struct str *s, const char *z)
{
        while (*z) {
                size_t n = str_utf8(z);
                unsigned char c = (unsigned char)*z;

                if (n == 0 || c < 0x20 || c == 0x7f) {
                        str_addf(s, "\\x%02x", c);
                        z++;
                } else {
                        str_add(s, z, n);
                        z += n;
                }
        }
}

void str_add_padded(struct str *s, const char *text, size_t width)
{
        size_t n = 0, chars = 0;

        for (const char *z = text; *z; z += n ? n : 1, chars++)
                n = str_utf8(z);
        str_adds(s, text);
        do
                str_addc(s, ' ');
        while (++chars < width);
}

void str_add_span(struct str *s, int64_t ms)
{
        static const struct {
                int64_t ms;
                const char *name;
        } units[] = {{86400000, N_("d")}, {3600000, N_("h")}, {60000, N_("min")}, {1000, N_("s")}};
        size_t i = 0;

        while (i + 1 < ARRAY_SIZE(units) && ms < 2 * units[i].ms)
                i++;
        str_addf(s, "%" PRId64 " %s", (ms + units[i].ms / 2) / units[i].ms,
                 tr(units[i].name));
}

void str_add_size(struct str *s, uint64_t bytes)
{
        static const char *const units[] = {N_("B"),  N_("KB"), N_("MB"), N_("GB"),
                                            N_("TB"), N_("PB"), N_("EB")};
        size_t unit = 0;
        double n = (double)bytes;

        while (n >= 999.95 && unit + 1 < ARRAY_SIZE(units)) {
                n /= 1000;
                unit++;
        }
        str_addf(s, unit == 0 ? "%.0f %s" : "%.1f %s", n, tr(units[unit]));
}

void str_hex(char *ret_hex, const uint8_t *bytes, size_t n)
{
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < n; i++) {
                ret_hex[2 * i] = digits[bytes[i] >> 4];
                ret_hex[2 * i + 1] = digits[bytes[i] & 15];
        }
        ret_hex[2 * n] = '\0';
}

static int str_hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

bool str_unhex(uint8_t *ret_bytes, size_t n, const char *hex)
{
        for (size_t i = 0; i < n; i++) {
                int high = str_hex_digit(hex[2 * i]);
                int low = high < 0 ? -1 : str_hex_digit(hex[2 * i + 1]);

                if (low < 0)
                        return false;
                ret_bytes[i] = (uint8_t)(high << 4 | low);
        }
        return hex[2 * n] == '\0';
}
