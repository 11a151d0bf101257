/* SPDX-License-Identifier: MIT */

/*
 * The small things of util.h.  The buffer is the only way in which this program makes text, so
 * that no reply has a length limit of its own.
 */

#include <stdio.h>
#include <time.h>

#include "util.h"

void *xmalloc(size_t n)
{
        void *p = malloc(n ? n : 1);

        if (!p)
                abort();
        return p;
}

void *xcalloc(size_t n, size_t size)
{
        void *p = calloc(n ? n : 1, size ? size : 1);

        if (!p)
                abort();
        return p;
}

void *xrealloc(void *p, size_t n)
{
        p = realloc(p, n ? n : 1);
        if (!p)
                abort();
        return p;
}

char *xstrndup(const char *s, size_t n)
{
        char *p = xmalloc(n + 1);

        memcpy(p, s, n);
        p[n] = '\0';
        return p;
}

char *xstrdup(const char *s)
{
        return xstrndup(s, strlen(s));
}

void buf_finish(struct buf *b)
{
        free(b->s);
        *b = (struct buf){};
}

void buf_reserve(struct buf *b, size_t more)
{
        size_t need = b->len + more + 1;

        if (need <= b->cap)
                return;
        if (need < b->cap * 2)
                need = b->cap * 2;
        if (need < 256)
                need = 256;
        b->s = xrealloc(b->s, need);
        b->cap = need;
}

void buf_add(struct buf *b, const void *s, size_t n)
{
        buf_reserve(b, n);
        if (n > 0)
                memcpy(b->s + b->len, s, n);
        b->len += n;
        b->s[b->len] = '\0';
}

void buf_str(struct buf *b, const char *s)
{
        buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
        buf_add(b, &c, 1);
}

void buf_int(struct buf *b, int64_t v)
{
        char digits[24];
        size_t at = sizeof digits;
        uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;

        do
                digits[--at] = (char)('0' + u % 10);
        while (u /= 10);
        if (v < 0)
                digits[--at] = '-';
        buf_add(b, digits + at, sizeof digits - at);
}

void buf_printf(struct buf *b, const char *format, ...)
{
        va_list args, again;
        int n;

        va_start(args, format);
        va_copy(again, args);
        n = vsnprintf(NULL, 0, format, args);
        va_end(args);
        if (n > 0) {
                buf_reserve(b, (size_t)n);
                vsnprintf(b->s + b->len, (size_t)n + 1, format, again);
                b->len += (size_t)n;
        }
        va_end(again);
}

void hex_encode(char *ret, const uint8_t *bytes, size_t n)
{
        static const char digit[] = "0123456789abcdef";

        for (size_t i = 0; i < n; i++) {
                ret[2 * i] = digit[bytes[i] >> 4];
                ret[2 * i + 1] = digit[bytes[i] & 15];
        }
        ret[2 * n] = '\0';
}

void buf_hex(struct buf *b, const uint8_t *bytes, size_t n)
{
        buf_reserve(b, 2 * n);
        hex_encode(b->s + b->len, bytes, n);
        b->len += 2 * n;
}

static void json_escape(struct buf *b, unsigned char c)
{
        switch (c) {
        case '"':
                buf_add(b, "\\\"", 2);
                break;
        case '\\':
                buf_add(b, "\\\\", 2);
                break;
        case '\n':
                buf_add(b, "\\n", 2);
                break;
        case '\r':
                buf_add(b, "\\r", 2);
                break;
        case '\t':
                buf_add(b, "\\t", 2);
                break;
        default:
                buf_printf(b, "\\u%04x", c);
                break;
        }
}

void buf_json(struct buf *b, const char *s, size_t n)
{
        size_t from = 0;

        buf_reserve(b, n + 2);
        buf_char(b, '"');
        for (size_t i = 0; i < n; i++) {
                unsigned char c = (unsigned char)s[i];

                if (c >= 0x20 && c != '"' && c != '\\')
                        continue;
                buf_add(b, s + from, i - from);
                json_escape(b, c);
                from = i + 1;
        }
        buf_add(b, s + from, n - from);
        buf_char(b, '"');
}

static bool unreserved(unsigned char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.' || c == '_' || c == '~';
}

void buf_query(struct buf *b, const char *s, size_t n)
{
        static const char digit[] = "0123456789ABCDEF";

        buf_reserve(b, 3 * n);
        for (size_t i = 0; i < n; i++) {
                unsigned char c = (unsigned char)s[i];

                if (unreserved(c)) {
                        b->s[b->len++] = (char)c;
                } else if (c == ' ') {
                        b->s[b->len++] = '+';
                } else {
                        b->s[b->len++] = '%';
                        b->s[b->len++] = digit[c >> 4];
                        b->s[b->len++] = digit[c & 15];
                }
        }
        b->s[b->len] = '\0';
}

static void two_digits(char *at, unsigned v)
{
        at[0] = (char)('0' + v / 10 % 10);
        at[1] = (char)('0' + v % 10);
}

/* By hand: gmtime_r() and snprintf() would be half the cost of a listing. */
void buf_time(struct buf *b, int64_t epoch_s)
{
        char text[] = "0000-00-00T00:00:00+00:00";
        int64_t days = epoch_s / 86400, secs = epoch_s % 86400;
        int64_t z = days + 719468, era = z / 146097, doe = z % 146097;
        int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
        int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
        unsigned day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
        unsigned month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
        unsigned year = (unsigned)(yoe + era * 400 + (month <= 2));

        two_digits(text, year / 100);
        two_digits(text + 2, year);
        two_digits(text + 5, month);
        two_digits(text + 8, day);
        two_digits(text + 11, (unsigned)(secs / 3600));
        two_digits(text + 14, (unsigned)(secs / 60 % 60));
        two_digits(text + 17, (unsigned)(secs % 60));
        buf_add(b, text, sizeof text - 1);
}

static int64_t clock_us(clockid_t clock)
{
        struct timespec t;

        clock_gettime(clock, &t);
        return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t now_mono_us(void)
{
        return clock_us(CLOCK_MONOTONIC);
}

int64_t now_real_us(void)
{
        return clock_us(CLOCK_REALTIME);
}

uint64_t mix64(uint64_t x)
{
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
        return x ^ (x >> 31);
}

uint64_t rng_next(struct rng *r)
{
        return mix64(r->state += 0x9e3779b97f4a7c15ULL);
}

uint32_t rng_below(struct rng *r, uint32_t n)
{
        return (uint32_t)(((rng_next(r) >> 32) * n) >> 32);
}

struct rng *rng_thread(void)
{
        static _Thread_local struct rng r;

        if (r.state == 0)
                r.state = mix64((uint64_t)now_mono_us() ^ (uintptr_t)&r) | 1;
        return &r;
}

void hex_name(char ret[65], uint64_t kind, uint64_t id)
{
        uint8_t bytes[32];

        for (size_t i = 0; i < 4; i++) {
                uint64_t w = mix64(mix64(kind + i * 0x632be59bd9b4e019ULL) ^ id);

                memcpy(bytes + 8 * i, &w, 8);
        }
        hex_encode(ret, bytes, sizeof bytes);
}

bool parse_number(const char *s, int64_t max, int64_t *ret)
{
        int64_t v = 0;

        if (!*s)
                return false;
        for (; *s; s++) {
                if (*s < '0' || *s > '9' || v > (max - (*s - '0')) / 10)
                        return false;
                v = v * 10 + (*s - '0');
        }
        *ret = v;
        return true;
}

/* Length of the well-formed sequence at `s`, 0 when there is none. */
static size_t utf8_sequence(const unsigned char *s, size_t n)
{
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        uint32_t c = s[0];
        size_t len;

        if (c < 0x80)
                return 1;
        if (c >= 0xc2 && c <= 0xdf)
                len = 2, c &= 0x1f;
        else if (c >= 0xe0 && c <= 0xef)
                len = 3, c &= 0x0f;
        else if (c >= 0xf0 && c <= 0xf4)
                len = 4, c &= 0x07;
        else
                return 0;
        if (n < len)
                return 0;
        for (size_t i = 1; i < len; i++) {
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (s[i] & 0x3f);
        }
        if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                return 0;
        return len;
}

bool utf8_valid(const char *s, size_t n, size_t *ret_chars)
{
        size_t chars = 0;

        for (size_t i = 0; i < n; chars++) {
                size_t len = utf8_sequence((const unsigned char *)s + i, n - i);

                if (len == 0)
                        return false;
                i += len;
        }
        if (ret_chars)
                *ret_chars = chars;
        return true;
}
