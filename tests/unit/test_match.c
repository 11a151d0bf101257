/* SPDX-License-Identifier: MIT */

#include "lib/base/str.h"
#include "lib/core/match.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <time.h>

TEST(the_pattern_that_decides_is_told)
{
        static const char text[] = "# a comment\n\n*.log\r\n!keep.log\n[bad\n";
        struct match *m = NULL;
        struct err err = ERR_NONE;
        struct match_why why;

        require(match_create(&m, "*.tmp, /top/", &err) == 0);
        require(match_enter(m, "d", text, strlen(text)) == 0);
        check(match_explain(m, "d/a.log", false, &why));
        check_str(why.pattern, "*.log");
        check_str(why.dir, "d");
        check_eq(why.line, 3);
        check(!match_explain(m, "d/keep.log", false, &why));
        check_str(why.pattern, "!keep.log");
        check_eq(why.line, 4);
        check(match_explain(m, "d/a.tmp", false, &why));
        check_str(why.pattern, "*.tmp");
        check_eq(why.line, 0);
        check(match_explain(m, "top", true, &why));
        check_str(why.pattern, "/top/");
        check(!match_explain(m, "d/other", false, &why));
        check(!why.pattern);
        match_destroy(m);
}

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

enum verdict { IN, OUT };

struct row {
        const char *patterns; /* the lines of a .ydignore */
        const char *key;      /* with a slash at its end: a folder */
        enum verdict want;
};

/* Asks as the walk does: for the folders on the way first. */
static enum verdict ask(const struct match *m, const char *key)
{
        _cleanup_(freep) char *path = strdup(key);
        size_t n = strlen(key);
        const bool is_dir = n > 0 && key[n - 1] == '/';

        if (!path)
                abort();
        if (is_dir)
                path[n - 1] = '\0';
        for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                if (match_excludes(m, path, true))
                        return OUT;
                *slash = '/';
        }
        return match_excludes(m, path, is_dir) ? OUT : IN;
}

static struct match *create(const char *patterns)
{
        struct match *m = NULL;
        struct err err = ERR_NONE;

        if (match_create(&m, patterns, &err) < 0)
                check_fail("%s: %s", patterns, err.text);
        return m;
}

/* Enters a copy without a NUL at its end, so that a byte too far is noticed. */
static void enter(struct match *m, const char *dir, const char *text)
{
        size_t len = strlen(text);
        char *exact = malloc(len ? len : 1);

        if (!exact)
                abort();
        memcpy(exact, text, len);
        check_eq(match_enter(m, dir, exact, len), 0);
        free(exact);
}

static void check_rows(const struct row *rows, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                struct match *m = create("");

                enter(m, "", rows[i].patterns);
                if (ask(m, rows[i].key) != rows[i].want)
                        check_fail("<%s> should %s \"%s\"", rows[i].patterns,
                                   rows[i].want == OUT ? "leave out" : "keep", rows[i].key);
                match_destroy(m);
        }
}

TEST(names)
{
        static const struct row rows[] = {
                {"", "a", IN},
                {"a", "a", OUT},
                {"a", "a/", OUT},
                {"a", "b/a", OUT},
                {"a", "b/c/a/", OUT},
                {"a", "a/b", OUT},
                {"a", "ab", IN},
                {"a", "A", IN},
                {"a.b", "axb", IN},
                {"*", "a", OUT},
                {"*.o", "a.o", OUT},
                {"*.o", ".o", OUT},
                {"*.o", "d/a.o", OUT},
                {"*.o", "a.oo", IN},
                {"*.o", "a.o.c", IN},
                {"a*", "a", OUT},
                {"a*", "abc", OUT},
                {"a*c", "abbbc", OUT},
                {"a*c", "abcd", IN},
                {"a*b*c", "axbxbxc", OUT},
                {"*a*", "xxaxx", OUT},
                {"?", "a", OUT},
                {"?", "ab", IN},
                {"??", "\xc3\xa9", OUT}, /* bytes, not characters */
                {"a?c", "abc", OUT},
                {"a?c", "ac", IN},
                {"**", "a", OUT},
                {"a**", "abc", OUT},
                {"a**c", "d/abbc", OUT},
                {"***", "a", OUT},
                {" a", " a", OUT},
                {"a  ", "a", OUT},
                {"a\\ ", "a ", OUT},
                {"a\\ ", "a", IN},
                {"a\t", "a", IN},
                {"x y", "x y", OUT},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

TEST(folders_and_anchors)
{
        static const struct row rows[] = {
                {"a/", "a/", OUT},
                {"a/", "a", IN},
                {"a/", "b/a/", OUT},
                {"a/", "b/a", IN},
                {"a/", "a/b", OUT},
                {"*/", "a/", OUT},
                {"*/", "a", IN},
                {"/a", "a", OUT},
                {"/a", "b/a", IN},
                {"/a/", "a/", OUT},
                {"/a/", "a", IN},
                {"/*", "a", OUT},
                {"/*.c", "a.c", OUT},
                {"/*.c", "b/a.c", IN},
                {"a/b", "a/b", OUT},
                {"a/b", "c/a/b", IN},
                {"a/b", "a/b/c", OUT},
                {"a/b/", "a/b/", OUT},
                {"a/b/", "a/b", IN},
                {"a/*", "a/b", OUT},
                {"a/*", "a/", IN},
                {"a/*/c", "a/b/c", OUT},
                {"a/*/c", "a/b/d/c", IN},
                {"a/*/c", "a/c", IN},
                {"a/?", "a/b", OUT},
                {"a?b", "a/b", IN},
                {"/a?b", "a/b", IN},
                {"/a*b", "a/b", IN},
                {"/a[/]b", "a/b", IN},
                {"/a[!x]b", "a/b", IN},
                {"/", "a", IN},
                {"a//", "a/", IN},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

TEST(double_stars)
{
        static const struct row rows[] = {
                {"**/a", "a", OUT},
                {"**/a", "b/a", OUT},
                {"**/a", "b/c/a", OUT},
                {"**/a", "ba", IN},
                {"**/a/b", "a/b", OUT},
                {"**/a/b", "c/a/b", OUT},
                {"**/a/b", "a/c/b", IN},
                {"a/**", "a/b", OUT},
                {"a/**", "a/b/c", OUT},
                {"a/**", "a/", IN},
                {"a/**", "a", IN},
                {"a/**", "b/a/c", IN},
                {"a/**/b", "a/b", OUT},
                {"a/**/b", "a/x/b", OUT},
                {"a/**/b", "a/x/y/b", OUT},
                {"a/**/b", "a/xb", IN},
                {"a/**/b", "ab", IN},
                {"a/**/", "a/b/", OUT},
                {"a/**/", "a/b", IN},
                {"/**", "a", OUT},
                {"**/", "a/", OUT},
                {"**/", "a", IN},
                {"**/**/a", "a", OUT},
                {"**/**/a", "b/c/a", OUT},
                {"a/**/**/b", "a/b", OUT},
                {"**/*", "a/b", OUT},
                {"**/*.c", "a/b.c", OUT},
                {"a/***/b", "a/x/y/b", OUT},
                /* Elsewhere it is a star. */
                {"a/x**", "a/xyz", OUT},
                {"a/x**y/b", "a/x/y/b", IN},
                {"a/**y", "a/xy", OUT},
                {"a/**y", "a/x/y", IN},
                {"a**/b", "ax/b", OUT},
                {"a**/b", "ax/y/b", IN},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

TEST(classes)
{
        static const struct row rows[] = {
                {"[abc]", "b", OUT},
                {"[abc]", "d", IN},
                {"[abc]", "ab", IN},
                {"[a-c]x", "bx", OUT},
                {"[a-c]x", "dx", IN},
                {"[!a-c]", "d", OUT},
                {"[!a-c]", "b", IN},
                {"[^a-c]", "b", IN},
                {"[^a-c]", "d", OUT},
                {"[]]", "]", OUT},
                {"[]a]", "a", OUT},
                {"[!]]", "a", OUT},
                {"[!]]", "]", IN},
                {"[a-]", "-", OUT},
                {"[-a]", "-", OUT},
                {"[--0]", ".", OUT},
                {"[a-c-e]", "-", OUT},
                {"[a-c-e]", "d", IN},
                {"[a!]", "!", OUT},
                {"[\\]]", "]", OUT},
                {"[\\a-c]", "b", OUT},
                {"[a\\-c]", "b", IN},
                {"[a\\-c]", "-", OUT},
                {"[c-a]", "b", IN},
                {"[[]", "[", OUT},
                {"[[:digit:]]", "5", OUT},
                {"[[:digit:]]", "a", IN},
                {"[[:digit:]a]", "a", OUT},
                {"[![:alpha:]]", "5", OUT},
                {"[![:alpha:]]", "x", IN},
                {"[[:upper:][:space:]]", " ", OUT},
                {"[[:alpha:]]", "\xe9", IN},
                {"[[:]", ":", OUT},
                {"[[:a]", "a", OUT},
                {"[a,b]*", "bc", OUT},
                {"[?*]", "?", OUT},
                {"[?*]", "a", IN},
                {"\\[a]", "[a]", OUT},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

TEST(lines)
{
        static const struct row rows[] = {
                {"# a\n\n  \nb", "b", OUT},
                {"#a", "#a", IN},
                {"\\#a", "#a", OUT},
                {"a#b", "a#b", OUT},
                {"a\r\nb\r\n", "a", OUT},
                {"a\r\nb\r\n", "b", OUT},
                {"a\r", "a", OUT},
                {"\xef\xbb\xbf" "a", "a", OUT},
                {"a\nb", "b", OUT},
                {"\\!a", "!a", OUT},
                {"a,b", "a", IN},
                {"a,b", "a,b", OUT},
                {"\\a", "a", OUT},
                {"\\*", "*", OUT},
                {"\\*", "a", IN},
                {"a\\\\", "a\\", OUT},
                /* What cannot be a pattern is passed over. */
                {"[a\nb", "b", OUT},
                {"[a\nb", "[a", IN},
                {"a\\\nb", "a\\", IN},
                {"a\\\nb", "b", OUT},
                {"[[:nonsense:]]\nb", "n", IN},
                {"!\n/\nb", "b", OUT},
                /* The last that matches decides. */
                {"*\n!a", "a", IN},
                {"*\n!a", "b", OUT},
                {"!a\n*", "a", OUT},
                {"*.c\n!a.c\na.*", "a.c", OUT},
                {"!a/\na", "a/", OUT},
                {"a\n!a/", "a/", IN},
                {"a\n!a/", "a", OUT},
                /* Not out of a folder that is left out. */
                {"d\n!d/a", "d/a", OUT},
                {"d/*\n!d/a", "d/a", IN},
                {"d/*\n!d/a", "d/b", OUT},
                {"/*\n!/d\n/d/*\n!/d/e", "d/e/f", IN},
                {"/*\n!/d\n/d/*\n!/d/e", "d/f", OUT},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

TEST(nul_byte_is_no_pattern)
{
        static const char text[] = "a\0b\nc";
        struct match *m = create("");

        check_eq(match_enter(m, "", text, sizeof(text) - 1), 0);
        check_eq(ask(m, "a"), IN);
        check_eq(ask(m, "c"), OUT);
        match_destroy(m);
}

TEST(list_with_commas)
{
        static const struct row rows[] = {
                {"", "a", IN},
                {",", "a", IN},
                {" , ,", " ", IN},
                {"a,b", "a", OUT},
                {"a,b", "b", OUT},
                {"a,b", "a,b", IN},
                {"a\\,b", "a,b", OUT},
                {"a\\,b", "a", IN},
                {"a, b ,\tc", "b", OUT},
                {"a, b ,\tc", "c", OUT},
                {"a, b ,\tc", " b", IN},
                {"\\ b", " b", OUT},
                {"b\\ ,c", "b ", OUT},
                {"#*#", "#a#", OUT},
                {"\\#*#", "#a#", OUT},
                {"a\\\\,b", "a\\", OUT},
                {"a\\\\,b", "b", OUT},
                {"*,!b", "b", IN},
                {"*,!b", "c", OUT},
                {"/a/*,!/a/b", "a/b", IN},
                {"System Volume Information/", "System Volume Information/", OUT},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct match *m = create(rows[i].patterns);

                if (m && ask(m, rows[i].key) != rows[i].want)
                        check_fail("\"%s\" should %s \"%s\"", rows[i].patterns,
                                   rows[i].want == OUT ? "leave out" : "keep", rows[i].key);
                match_destroy(m);
        }
}

TEST(list_names_its_wrong_pattern)
{
        static const struct {
                const char *patterns, *want;
        } rows[] = {
                {"a,[b,c", "the pattern \"[b\" matches nothing: its [ is not closed by a ]"},
                {"[", "the pattern \"[\" matches nothing: its [ is not closed by a ]"},
                {"[]", "the pattern \"[]\" matches nothing: its [ is not closed by a ]"},
                {"[!]", "the pattern \"[!]\" matches nothing: its [ is not closed by a ]"},
                {"[a-", "the pattern \"[a-\" matches nothing: its [ is not closed by a ]"},
                {"[a\\]", "the pattern \"[a\\]\" matches nothing: its [ is not closed by a ]"},
                {"[a\\", "the pattern \"[a\\\" matches nothing: its [ is not closed by a ]"},
                {"[[:x:]]", "the pattern \"[[:x:]]\" matches nothing: it holds an unknown "
                            "[:class:]"},
                {"[[:alpha:]", "the pattern \"[[:alpha:]\" matches nothing: its [ is not closed by "
                               "a ]"},
                {"a\\", "the pattern \"a\\\" matches nothing: a single backslash stands at its "
                        "end"},
                {"!", "the pattern \"!\" matches nothing: it names nothing"},
                {"a,/", "the pattern \"/\" matches nothing: it names nothing"},
                {"[\x01", "the pattern \"[\\x01\" matches nothing: its [ is not closed by a ]"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct match *m = NULL;
                struct err err = ERR_NONE;

                check_eq(match_create(&m, rows[i].patterns, &err), -EINVAL);
                check(m == NULL);
                check_str(err.text, rows[i].want);
                match_create(&m, rows[i].patterns, NULL);
        }
}

TEST(inner_folders_win)
{
        struct match *m = create("*.o,/top,d/x");

        check_eq(ask(m, "d/a.o"), OUT);
        enter(m, "", "!keep.o\n");
        enter(m, "d", "!*.o\n/y\nz/w\nv/\n");
        check_eq(ask(m, "a.o"), OUT);
        check_eq(ask(m, "keep.o"), IN);
        check_eq(ask(m, "d/a.o"), IN);
        check_eq(ask(m, "d/e/a.o"), IN);
        check_eq(ask(m, "da.o"), OUT);
        check_eq(ask(m, "top"), OUT);
        check_eq(ask(m, "d/top"), IN);
        check_eq(ask(m, "d/x"), OUT);
        check_eq(ask(m, "d/y"), OUT);
        check_eq(ask(m, "y"), IN);
        check_eq(ask(m, "d/e/y"), IN);
        check_eq(ask(m, "d/z/w"), OUT);
        check_eq(ask(m, "d/v/"), OUT);
        enter(m, "d/e", "a.o");
        check_eq(ask(m, "d/e/a.o"), OUT);
        match_leave(m, "d/e");
        check_eq(ask(m, "d/e/a.o"), IN);
        match_leave(m, "d");
        check_eq(ask(m, "d/a.o"), OUT);
        match_leave(m, "");
        check_eq(ask(m, "keep.o"), OUT);
        match_leave(m, ""); /* the list itself stays */
        check_eq(ask(m, "a.o"), OUT);
        match_destroy(m);
}

TEST(leaving_what_was_not_entered_changes_nothing)
{
        struct match *m = create("a");

        enter(m, "d", "b");
        match_leave(m, "e");
        check_eq(ask(m, "d/b"), OUT);
        match_destroy(m);
        match_destroy(NULL);
}

TEST(large_files_are_refused)
{
        size_t len = 1024 * 1024 + 1;
        char *text = malloc(len);
        struct match *m = create("");

        require(text);
        memset(text, '\n', len);
        check_eq(match_enter(m, "", text, len - 1), 0);
        check_eq(match_enter(m, "", text, len), -E2BIG);
        free(text);
        match_destroy(m);
}

/* ---- time -------------------------------------------------------------- */

static double seconds(void)
{
        struct timespec t;

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* `n` times `piece`, then `tail`. */
static char *many(const char *piece, size_t n, const char *tail)
{
        struct str s = STR_NULL(1 << 22);

        for (size_t i = 0; i < n; i++)
                str_adds(&s, piece);
        str_adds(&s, tail);
        return str_take(&s);
}

/* No pattern may take more than bytes times tokens; valgrind's slowness is allowed for. */
TEST(hostile_patterns_take_no_longer)
{
        static const struct {
                const char *piece;
                size_t n;
                const char *tail;
                const char *key;
                size_t key_n;
        } rows[] = {
                {"a*", 100, "b", "a", 4000},
                {"*a", 100, "b", "a", 4000},
                {"?*", 100, "b", "a", 4000},
                {"[a-z]*", 100, "b", "a", 4000},
                {"**/", 1000, "x", "a/", 4000},
                {"**/a/", 100, "x", "a/", 4000},
                {"**/*/", 100, "x", "a/", 4000},
                {"**/*a*/", 100, "x", "aaa/", 2000},
                {"*", 4000, "b", "a", 4000},
        };
        const double start = seconds();

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(freep) char *pattern = many(rows[i].piece, rows[i].n, rows[i].tail);
                _cleanup_(freep) char *key = many(rows[i].key, rows[i].key_n, "a");
                struct match *m = create(pattern);

                check(!match_excludes(m, key, false));
                match_destroy(m);
        }
        check(seconds() - start < 20);
}

TEST(thousands_of_lines)
{
        struct str s = STR_NULL(1 << 20);
        struct match *m = create("");
        const double start = seconds();

        for (int i = 0; i < 20000; i++)
                str_addf(&s, "some*%d\n", i);
        enter(m, "", str_z(&s));
        for (int i = 0; i < 100; i++)
                check_eq(ask(m, "another name"), IN);
        check_eq(ask(m, "some name 0"), OUT);
        check_eq(ask(m, "d/some name 19999"), OUT);
        check(seconds() - start < 20);
        match_destroy(m);
        str_finish(&s);
}

TEST(long_patterns_end_somewhere)
{
        _cleanup_(freep) char *fits = many("a", 4096, ""), *too_long = many("a", 4097, "");
        struct match *m = create(fits);
        struct err err = ERR_NONE;

        check_eq(ask(m, fits), OUT);
        match_destroy(m);
        m = NULL;
        check_eq(match_create(&m, too_long, &err), -EINVAL);
        check(strstr(err.text, "it is longer than 4096 bytes") != NULL);
}

/* ---- any bytes at all -------------------------------------------------- */

static uint64_t next_random(uint64_t *state)
{
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        return *state;
}

TEST(random_patterns)
{
        static const char bytes[] = "aabb**??[[]]!^-\\//::\n\r #\xc3\xa9\xff";
        static const char *const keys[] = {"a", "b", "a/b", "a/b/a", "ab", "é", "[a]", "a-b/\xff"};
        uint64_t state = 88172645463325252u;

        for (int round = 0; round < 20000 && !check_failed; round++) {
                char text[49] = "";
                size_t len = next_random(&state) % (sizeof(text) - 1);
                struct match *m = create("");
                struct match *list = NULL;

                for (size_t i = 0; i < len; i++)
                        text[i] = bytes[next_random(&state) % (sizeof(bytes) - 1)];
                enter(m, "", text);
                match_create(&list, text, NULL);
                for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                        match_excludes(m, keys[i], i & 1);
                        if (list)
                                match_excludes(list, keys[i], i & 1);
                }
                match_destroy(list);
                match_destroy(m);
        }
}
