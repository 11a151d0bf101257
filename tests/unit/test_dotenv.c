/* SPDX-License-Identifier: MIT */

#include "lib/base/dotenv.h"
#include "lib/base/str.h"
#include "tests/unit/check.h"

#include <errno.h>

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

/* Parses a copy without a NUL at its end, so that a byte too far is noticed. */
static struct dotenv parse(const char *text, size_t len)
{
        char *exact = malloc(len ? len : 1);
        struct dotenv d = {0};

        if (!exact)
                abort();
        memcpy(exact, text, len);
        if (dotenv_parse(&d, exact, len) < 0)
                abort();
        free(exact);
        return d;
}

/* What was read, a line each: "LINE KEY [value]" for pairs, then "LINE! KEY: text" for mistakes. */
static char *render(const struct dotenv *d)
{
        struct str s = STR_NULL(1 << 20);

        for (size_t i = 0; i < d->n_pairs; i++)
                str_addf(&s, "%u %s [%s]\n", d->pairs[i].line, d->pairs[i].key, d->pairs[i].value);
        for (size_t i = 0; i < d->n_mistakes; i++)
                str_addf(&s, "%u! %s%s%s\n", d->mistakes[i].line,
                         d->mistakes[i].key ? d->mistakes[i].key : "",
                         d->mistakes[i].key ? ": " : "", d->mistakes[i].text);
        return str_take(&s);
}

#define NO_EQUALS                                                                                  \
        "there is no \"=\": write KEY=value, or begin the line with # to make it a comment"
#define AFTER(quote)                                                                               \
        "text follows the closing " quote ": put the whole value into one pair of quotes, and a "  \
        "space before a # comment"
#define UNCLOSED(quote)                                                                            \
        "the opening " quote " is not closed: write " quote " at the end of the value, in the "    \
        "same line"

struct row {
        const char *text;
        const char *want;
};

static void check_rows(const struct row *rows, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                struct dotenv d = parse(rows[i].text, strlen(rows[i].text));
                char *got = render(&d);

                if (!got || !str_eq(got, rows[i].want))
                        check_fail("<%s>\n# gives\n%s# not\n%s", rows[i].text, got ? got : "",
                                   rows[i].want);
                free(got);
                dotenv_finish(&d);
        }
}

/* The lines about which systemd, python-dotenv, bash and docker compose disagree. */
TEST(dialects)
{
        static const struct row rows[] = {
                {"A=600 # ten", "1 A [600]\n"},
                {"D=a#b", "1 D [a#b]\n"},
                {"B=\"x # y\"", "1 B [x # y]\n"},
                {"C='x # y'", "1 C [x # y]\n"},
                {"E = v", "1 E [v]\n"},
                {"export H=v", "1 H [v]\n"},
                {"; W=x", "1! \";\" does not begin a comment: write #\n"},
                {"O=\\bar", "1 O [\\bar]\n"},
                {"P=C:\\dir\\new", "1 P [C:\\dir\\new]\n"},
                {"M=\"a\\nb\"", "1 M [a\nb]\n"},
                {"Y=a'b c'd", "1 Y [a'b c'd]\n"},
                {"I=$HOME/x", "1 I [$HOME/x]\n"},
                {"J=\"${HOME}/x\"", "1 J [${HOME}/x]\n"},
                {"K='${HOME}/x'", "1 K [${HOME}/x]\n"},
                {"G='it'\\''s'", "1! G: " AFTER("'") "\n"},
                {"X=\"q\" tail", "1! X: " AFTER("\"") "\n"},
                {"A=\"x\nB=y\nC='z\nD=w", "2 B [y]\n4 D [w]\n1! A: " UNCLOSED("\"") "\n"
                                          "3! C: " UNCLOSED("'") "\n"},
                {"A=x\r\nB=y\r\n", "1 A [x]\n2 B [y]\n"},
                {"\xef\xbb\xbf" "A=x", "1 A [x]\n"},
                {"R", "1! " NO_EQUALS "\n"},
                {"A=x\nA=y\n", "1 A [x]\n2! A: it stands already in line 1: keep one of the two\n"},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

TEST(values)
{
        static const struct row rows[] = {
                {"", ""},
                {"\n\n", ""},
                {"# c\n  # c\n\t#c\n#", ""},
                {"A=", "1 A []\n"},
                {"A=  ", "1 A []\n"},
                {"A= # c", "1 A []\n"},
                {"A=\t# c", "1 A []\n"},
                {"A=#c", "1 A [#c]\n"},
                {"A=''", "1 A []\n"},
                {"A=\"\"", "1 A []\n"},
                {"A='' # c", "1 A []\n"},
                {"A=\"x\"\t# c", "1 A [x]\n"},
                {"A=x y  z \t ", "1 A [x y  z]\n"},
                {"A=x #", "1 A [x]\n"},
                {"A=x# y #z", "1 A [x# y]\n"},
                {"A=x\t#y", "1 A [x]\n"},
                {"  A\t=\t x", "1 A [x]\n"},
                {"A=b=c==", "1 A [b=c==]\n"},
                {"A=x'", "1 A [x']\n"},
                {"A=x\"y\"", "1 A [x\"y\"]\n"},
                {"A=it's", "1 A [it's]\n"},
                {"A=x\\ # y", "1 A [x\\]\n"},
                {"A=\\", "1 A [\\]\n"},
                {"A='\\'", "1 A [\\]\n"},
                {"A='\"'", "1 A [\"]\n"},
                {"A=\"'\"", "1 A [']\n"},
                {"A='a\\nb'", "1 A [a\\nb]\n"},
                {"A=\"\\\\ \\\" \\$ \\n \\t\"", "1 A [\\ \" $ \n \t]\n"},
                {"A=\" x \"", "1 A [ x ]\n"},
                {"A=' x '", "1 A [ x ]\n"},
                {"A=Документы/Ёж 😀 # да", "1 A [Документы/Ёж 😀]\n"},
                {"_a1=x", "1 _a1 [x]\n"},
                {"a=1\nA=2", "1 a [1]\n2 A [2]\n"},
                {"export A=x", "1 A [x]\n"},
                {"export\tA = x", "1 A [x]\n"},
                {"  export   A=x", "1 A [x]\n"},
                {"export=x", "1 export [x]\n"},
                {"export =x", "1 export [x]\n"},
                {"exportA=x", "1 exportA [x]\n"},
                {"export export=x", "1 export [x]\n"},
                {"A=x\r", "1 A [x]\n"},
                {"A='x'\r\n", "1 A [x]\n"},
                {"\r\n\r\nA=x", "3 A [x]\n"},
                {"#\xff\xfe in a comment\nA=x # \xff", "2 A [x]\n"},
                {"\xef\xbb\xbf", ""},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

TEST(mistakes)
{
        static const struct row rows[] = {
                {"A: x", "1! " NO_EQUALS "\n"},
                {"A x", "1! " NO_EQUALS "\n"},
                {"A # b=c", "1! " NO_EQUALS "\n"},
                {"export", "1! " NO_EQUALS "\n"},
                {"export A", "1! " NO_EQUALS "\n"},
                {"=x", "1! nothing stands before \"=\": write KEY=value\n"},
                {"1A=x", "1! a key cannot begin with a digit: write KEY=value\n"},
                {"A B=x", "1! there is a space in the key: write KEY=value\n"},
                {"A-B=x", "1! a key cannot hold \"-\": write letters, digits and _ only\n"},
                {"A.B=x", "1! a key cannot hold \".\": write letters, digits and _ only\n"},
                {"'A'=x", "1! a key cannot hold \"'\": write letters, digits and _ only\n"},
                {"\xd0\x96=x", "1! a key cannot hold the byte \\xd0: write letters A to Z, digits "
                               "and _ only\n"},
                {"A=x\n\xef\xbb\xbf" "B=y", "1 A [x]\n2! a key cannot hold the byte \\xef: write "
                                            "letters A to Z, digits and _ only\n"},
                {"A=\"", "1! A: " UNCLOSED("\"") "\n"},
                {"A='", "1! A: " UNCLOSED("'") "\n"},
                {"A=\"x\\\"", "1! A: " UNCLOSED("\"") "\n"},
                {"A=\"x\\", "1! A: " UNCLOSED("\"") "\n"},
                {"A='x\" # c", "1! A: " UNCLOSED("'") "\n"},
                {"A=\"x\"#c", "1! A: " AFTER("\"") "\n"},
                {"A='x'y", "1! A: " AFTER("'") "\n"},
                {"A=\"C:\\dir\"", "1! A: \\d means nothing inside \"…\": write \\\\ for a "
                                  "backslash, or put the value into '…'\n"},
                {"A=\"\\ж\"", "1! A: a backslash inside \"…\" needs one of \\ \" $ n t behind it: "
                              "write \\\\ for a backslash, or put the value into '…'\n"},
                {"A=\xff", "1! A: the value is not valid UTF-8: save the file as UTF-8\n"},
                {"A=x\rB=y", "1! there is a carriage return inside this line: end the lines of "
                             "the file with LF or CRLF\n"},
                {"A=x\nB=y\nA=z\nA=w", "1 A [x]\n2 B [y]\n"
                                       "3! A: it stands already in line 1: keep one of the two\n"
                                       "4! A: it stands already in line 1: keep one of the two\n"},
                {"\xff\xfe" "A", "0! the file is UTF-16: save it as UTF-8\n"},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

TEST(nul_bytes_cost_their_line_only)
{
        static const char text[] = "A=x\nB=y\0z\n# c\0\nC=w";
        struct dotenv d = parse(text, sizeof(text) - 1);
        char *got = render(&d);

        check_str(got, "1 A [x]\n4 C [w]\n"
                       "2! there is a NUL byte in this line: save the file as plain UTF-8 text\n"
                       "3! there is a NUL byte in this line: save the file as plain UTF-8 text\n");
        free(got);
        dotenv_finish(&d);
}

TEST(size_has_a_limit)
{
        char *text = malloc(DOTENV_MAX + 1);
        struct dotenv d;

        require(text);
        memset(text, '#', DOTENV_MAX + 1);
        d = parse(text, DOTENV_MAX);
        check_eq(d.n_mistakes, 0);
        dotenv_finish(&d);
        d = parse(text, DOTENV_MAX + 1);
        require(d.n_mistakes == 1);
        check_eq(d.mistakes[0].line, 0);
        check_str(d.mistakes[0].text,
                  "the file is larger than 64 KiB: leave out what does not belong there");
        dotenv_finish(&d);
        free(text);
}

TEST(counts_have_limits)
{
        struct str s = STR_NULL(DOTENV_MAX);
        struct dotenv d;

        for (int i = 0; i < DOTENV_PAIRS_MAX + 2; i++)
                str_addf(&s, "K%d=v\n", i);
        d = parse(str_z(&s), s.len);
        check_eq(d.n_pairs, DOTENV_PAIRS_MAX);
        check_eq(d.n_mistakes, 2);
        dotenv_finish(&d);
        str_clear(&s);
        for (int i = 0; i < 5000; i++)
                str_adds(&s, "x\n");
        d = parse(str_z(&s), s.len);
        check_eq(d.n_mistakes, DOTENV_MISTAKES_MAX);
        dotenv_finish(&d);
        str_finish(&s);
}

TEST(finish_is_safe_twice)
{
        struct dotenv d = parse("A=x\nB", 5);

        dotenv_finish(&d);
        check(d.pairs == NULL);
        dotenv_finish(&d);
}

TEST(no_sentence_holds_a_secret)
{
        static const char *const lines[] = {
                "y0_Secret", "YANDEX_TOKEN y0_Secret", "YANDEX_TOKEN: y0_Secret", "y0_Secret-x=1",
                "YANDEX_TOKEN=\"y0_Secret", "YANDEX_TOKEN='y0_Secret' y0_Secret",
                "YANDEX_TOKEN=\"y0_\\Secret\"", "YANDEX_TOKEN=y0_Secret\xff", "TOKEN y0_Secret=1",
                "YANDEX_TOKEN=y0_Secret\rA=y0_Secret", ";YANDEX_TOKEN=y0_Secret",
                "YANDEX_TOKEN=x\nYANDEX_TOKEN=y0_Secret",
        };

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                struct dotenv d = parse(lines[i], strlen(lines[i]));

                check_eq(d.n_mistakes, 1);
                for (size_t j = 0; j < d.n_mistakes; j++)
                        if (strstr(d.mistakes[j].text, "ecret"))
                                check_fail("%s", d.mistakes[j].text);
                dotenv_finish(&d);
        }
}

static uint64_t next_random(uint64_t *state)
{
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        return *state;
}

/* Whatever came in, what comes out keeps its promises. */
static void check_promises(const struct dotenv *d)
{
        for (size_t i = 0; i < d->n_pairs; i++) {
                const struct dotenv_pair *p = &d->pairs[i];

                check(p->line >= 1 && (i == 0 || p->line > p[-1].line));
                check(*p->key && strspn(p->key, "ABabnt_0") == strlen(p->key) && *p->key != '0');
                for (size_t n, at = 0; p->value[at]; at += n) {
                        n = str_utf8(p->value + at);
                        require(n > 0);
                }
                for (size_t j = 0; j < i; j++)
                        check(!str_eq(d->pairs[j].key, p->key));
        }
        for (size_t i = 0; i < d->n_mistakes; i++)
                check(d->mistakes[i].line >= 1 && *d->mistakes[i].text);
}

TEST(any_bytes_at_all)
{
        static const char bytes[] = "AAABBabb_0===== \t\t##''\"\"\\\\nt$\n\n\n\n\r;.\xc3\xa9\xff";
        uint64_t state = 88172645463325252u;

        for (int round = 0; round < 20000 && !check_failed; round++) {
                char text[64];
                size_t len = next_random(&state) % sizeof(text);
                struct dotenv d;

                for (size_t i = 0; i < len; i++) /* the NUL at the end of `bytes` takes part */
                        text[i] = bytes[next_random(&state) % sizeof(bytes)];
                d = parse(text, len);
                if (d.n_mistakes == 0 || d.mistakes[0].line > 0)
                        check_promises(&d);
                dotenv_finish(&d);
        }
}
