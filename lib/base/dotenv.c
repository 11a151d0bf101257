/* SPDX-License-Identifier: MIT */

/*
 * One parser, one meaning.  The same line means different things to systemd, bash, python-dotenv
 * and docker (`A=600 # ten` alone has two values), so ydsync reads its `.env` itself, takes what
 * they agree on, and calls the rest a mistake with a remedy instead of guessing.  No sentence holds
 * any part of a value or of a line that could not be split: it may be a token.
 */

#include "lib/base/dotenv.h"

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/base/tr.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

struct parser {
        struct dotenv out;
        const char *p;   /* what is left of the line … */
        const char *end; /* … up to here */
        unsigned line;
};

static void wipe_free(char *s)
{
        if (s)
                mem_wipe(s, strlen(s));
        free(s);
}

static void wipe_freep(char **s)
{
        wipe_free(*s);
}

void dotenv_finish(struct dotenv *d)
{
        for (size_t i = 0; i < d->n_pairs; i++) {
                free(d->pairs[i].key);
                wipe_free(d->pairs[i].value);
        }
        for (size_t i = 0; i < d->n_mistakes; i++) {
                free(d->mistakes[i].key);
                free(d->mistakes[i].text);
        }
        free(d->pairs);
        free(d->mistakes);
        *d = (struct dotenv){0};
}

/* Room for one more element after `n`; grows by doubling. */
static int grow(void *array, size_t n, size_t size)
{
        void **a = array, *bigger;

        if (n & (n - 1)) /* neither 0 nor a power of two: there is room */
                return 0;
        bigger = reallocarray(*a, n ? 2 * n : 1, size);
        if (!bigger)
                return -ENOMEM;
        *a = bigger;
        return 0;
}

static int mistake(struct parser *s, const char *key, const char *fmt, ...) _printf_(3, 4);

static int mistake(struct parser *s, const char *key, const char *fmt, ...)
{
        _cleanup_(freep) char *text = NULL, *copy = str_dup(key);
        struct dotenv *d = &s->out;
        va_list ap;
        int n;

        if (d->n_mistakes >= DOTENV_MISTAKES_MAX)
                return 0;
        va_start(ap, fmt);
        n = vasprintf(&text, tr(fmt), ap);
        va_end(ap);
        if (n < 0)
                text = NULL;
        if (!text || (key && !copy) || grow(&d->mistakes, d->n_mistakes, sizeof(*d->mistakes)) < 0)
                return -ENOMEM;
        d->mistakes[d->n_mistakes++] = (struct dotenv_mistake){
                .line = s->line,
                .key = TAKE_PTR(copy),
                .text = TAKE_PTR(text),
        };
        return 0;
}

static bool is_blank(char c)
{
        return c == ' ' || c == '\t';
}

static bool is_key_byte(char c, bool first)
{
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
               (!first && c >= '0' && c <= '9');
}

static void skip_blanks(struct parser *s)
{
        while (s->p < s->end && is_blank(*s->p))
                s->p++;
}

static const char *find(const struct parser *s, char c)
{
        return s->p < s->end ? memchr(s->p, c, (size_t)(s->end - s->p)) : NULL;
}

/* `export KEY=…`; but a key may be called "export" as well. */
static void skip_export(struct parser *s)
{
        static const char word[] = "export";
        const size_t n = sizeof(word) - 1;
        const char *start = s->p;

        if ((size_t)(s->end - s->p) <= n || memcmp(s->p, word, n) != 0 || !is_blank(s->p[n]))
                return;
        s->p += n;
        skip_blanks(s);
        if (s->p == s->end || *s->p == '=')
                s->p = start;
}

/* The line is no `KEY=…`; s->p stands at the byte where that showed. */
static int mistake_in_key(struct parser *s, bool first)
{
        unsigned char c = s->p < s->end ? (unsigned char)*s->p : 0;

        if (first && c == ';')
                return mistake(s, NULL, "\";\" does not begin a comment: write #");
        if (!find(s, '=') || c == '#')
                return mistake(s, NULL, "there is no \"=\": write KEY=value, or begin the line "
                                        "with # to make it a comment");
        if (first && c == '=')
                return mistake(s, NULL, "nothing stands before \"=\": write KEY=value");
        if (first && c >= '0' && c <= '9')
                return mistake(s, NULL, "a key cannot begin with a digit: write KEY=value");
        if (is_key_byte((char)c, false))
                return mistake(s, NULL, "there is a space in the key: write KEY=value");
        if (c < 0x20 || c >= 0x7f)
                return mistake(s, NULL, "a key cannot hold the byte \\x%02x: write letters A to Z, "
                                        "digits and _ only", c);
        return mistake(s, NULL, "a key cannot hold \"%c\": write letters, digits and _ only", c);
}

/* Leaves s->p behind the "=".  *ret stays NULL after a mistake. */
static int parse_key(struct parser *s, char **ret)
{
        const char *start = s->p;
        size_t n;

        while (s->p < s->end && is_key_byte(*s->p, s->p == start))
                s->p++;
        n = (size_t)(s->p - start);
        skip_blanks(s);
        if (n == 0 || s->p == s->end || *s->p != '=')
                return mistake_in_key(s, n == 0);
        s->p++;
        *ret = strndup(start, n);
        return *ret ? 0 : -ENOMEM;
}

/* Literal up to a comment or the end of the line; a quote inside is a byte like any other. */
static void parse_plain(struct parser *s, char *value)
{
        const char *start, *end;

        skip_blanks(s);
        start = end = s->p;
        for (; s->p < s->end; s->p++) {
                if (*s->p == '#' && is_blank(s->p[-1])) /* at least the "=" stands before it */
                        break;
                if (!is_blank(*s->p))
                        end = s->p + 1;
        }
        memcpy(value, start, (size_t)(end - start));
        value[end - start] = '\0';
}

/* What a backslash and `c` stand for inside "…"; 0 for nothing. */
static char unescape(char c)
{
        switch (c) {
        case '\\':
        case '"':
        case '$':
                return c;
        case 'n':
                return '\n';
        case 't':
                return '\t';
        default:
                return 0;
        }
}

static int mistake_in_escape(struct parser *s, const char *key, char c)
{
        const char *remedy = tr("write \\\\ for a backslash, or put the value into '…'");

        if (c > 0x20 && c < 0x7f)
                return mistake(s, key, "\\%c means nothing inside \"…\": %s", c, remedy);
        return mistake(s, key, "a backslash inside \"…\" needs one of \\ \" $ n t behind it: %s",
                       remedy);
}

static int mistake_unclosed(struct parser *s, const char *key, char quote)
{
        return mistake(s, key, "the opening %c is not closed: write %c at the end of the value, "
                               "in the same line", quote, quote);
}

/* s->p stands at the opening quote.  *ret_ok says whether the value is whole. */
static int parse_quoted(struct parser *s, const char *key, char *value, bool *ret_ok)
{
        const char quote = *s->p++;
        const char *close;

        for (; s->p < s->end && *s->p != quote; s->p++) {
                char c = *s->p;

                if (quote == '"' && c == '\\') {
                        if (++s->p == s->end)
                                break;
                        c = unescape(*s->p);
                        if (!c)
                                return mistake_in_escape(s, key, *s->p);
                }
                *value++ = c;
        }
        *value = '\0';
        if (s->p == s->end)
                return mistake_unclosed(s, key, quote);
        close = s->p++;
        skip_blanks(s);
        if (s->p < s->end && (*s->p != '#' || s->p == close + 1))
                return mistake(s, key, "text follows the closing %c: put the whole value into one "
                                       "pair of quotes, and a space before a # comment", quote);
        *ret_ok = true;
        return 0;
}

static bool is_utf8(const char *z)
{
        for (size_t n; *z; z += n) {
                n = str_utf8(z);
                if (n == 0)
                        return false;
        }
        return true;
}

static int add_pair(struct parser *s, char **key, char **value)
{
        struct dotenv *d = &s->out;

        for (size_t i = 0; i < d->n_pairs; i++)
                if (str_eq(d->pairs[i].key, *key))
                        return mistake(s, *key, "it stands already in line %u: keep one of the two",
                                       d->pairs[i].line);
        if (!is_utf8(*value))
                return mistake(s, *key, "the value is not valid UTF-8: save the file as UTF-8");
        if (d->n_pairs >= DOTENV_PAIRS_MAX)
                return mistake(s, *key, "it is one too many: %d keys are the limit",
                               DOTENV_PAIRS_MAX);
        if (grow(&d->pairs, d->n_pairs, sizeof(*d->pairs)) < 0)
                return -ENOMEM;
        d->pairs[d->n_pairs++] = (struct dotenv_pair){
                .key = TAKE_PTR(*key),
                .value = TAKE_PTR(*value),
                .line = s->line,
        };
        return 0;
}

/* The value behind the "=" and the pair it makes. */
static int parse_value(struct parser *s, char **key)
{
        _cleanup_(wipe_freep) char *value = calloc(1, (size_t)(s->end - s->p) + 1);
        const char *start = s->p;
        bool ok = false;

        if (!value)
                return -ENOMEM;
        skip_blanks(s);
        if (s->p < s->end && (*s->p == '"' || *s->p == '\'')) {
                int r = parse_quoted(s, *key, value, &ok);

                if (r < 0 || !ok)
                        return r;
        } else {
                s->p = start;
                parse_plain(s, value);
        }
        return add_pair(s, key, &value);
}

static int parse_line(struct parser *s)
{
        _cleanup_(freep) char *key = NULL;
        int r;

        if (find(s, '\0'))
                return mistake(s, NULL, "there is a NUL byte in this line: save the file as plain "
                                        "UTF-8 text");
        if (find(s, '\r'))
                return mistake(s, NULL, "there is a carriage return inside this line: end the "
                                        "lines of the file with LF or CRLF");
        skip_blanks(s);
        if (s->p == s->end || *s->p == '#')
                return 0;
        skip_export(s);
        r = parse_key(s, &key);
        if (r < 0 || !key)
                return r;
        return parse_value(s, &key);
}

static int parse_lines(struct parser *s, const char *text, size_t len)
{
        while (len > 0 && s->out.n_mistakes < DOTENV_MISTAKES_MAX) {
                const char *lf = memchr(text, '\n', len);
                size_t n = lf ? (size_t)(lf - text) : len;
                int r;

                s->line++;
                s->p = text;
                s->end = text + n;
                if (n > 0 && s->end[-1] == '\r')
                        s->end--;
                r = parse_line(s);
                if (r < 0)
                        return r;
                n += lf != NULL;
                text += n;
                len -= n;
        }
        return 0;
}

static bool starts_with(const char *text, size_t len, const char *prefix)
{
        size_t n = strlen(prefix);

        return len >= n && memcmp(text, prefix, n) == 0;
}

static int parse_text(struct parser *s, const char *text, size_t len)
{
        if (len > DOTENV_MAX)
                return mistake(s, NULL, "the file is larger than %d KiB: leave out what does not "
                                        "belong there", DOTENV_MAX / 1024);
        if (starts_with(text, len, "\xff\xfe") || starts_with(text, len, "\xfe\xff"))
                return mistake(s, NULL, "the file is UTF-16: save it as UTF-8");
        if (starts_with(text, len, "\xef\xbb\xbf")) {
                text += 3;
                len -= 3;
        }
        return parse_lines(s, text, len);
}

int dotenv_parse(struct dotenv *ret, const char *text, size_t len)
{
        struct parser s = {0};
        int r;

        r = parse_text(&s, text, len);
        if (r < 0) {
                dotenv_finish(&s.out);
                return r;
        }
        *ret = s.out;
        return 0;
}
