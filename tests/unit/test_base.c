/* SPDX-License-Identifier: MIT */

#include "lib/base/err.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/core/entry.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <fcntl.h>

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

/* ---- mem --------------------------------------------------------------- */

TEST(mem_take_moves_ownership)
{
        char *p = strdup("x"), *q = TAKE_PTR(p);
        int fd = 7, taken = TAKE_FD(fd);

        check(p == NULL);
        check_str(q, "x");
        check_eq(fd, -1);
        check_eq(taken, 7);
        free(q);
}

TEST(mem_cleanup_releases_at_the_end_of_the_scope)
{
        int ends[2];

        require(pipe(ends) == 0);
        {
                _cleanup_(closep) int fd = ends[0];
                _cleanup_(freep) char *memory = strdup("freed, or the sanitizer says so");

                check(memory != NULL);
                check(fcntl(fd, F_GETFD) >= 0);
        }
        check_eq(fcntl(ends[0], F_GETFD), -1);
        close(ends[1]);
}

TEST(mem_wipe_wipes)
{
        char secret[] = "secret";

        mem_wipe(secret, sizeof(secret) - 2);
        check_eq(secret[0], 0);
        check_eq(secret[4], 0);
        check_eq(secret[5], 't');
}

TEST(mem_container_of)
{
        struct {
                int a;
                int b;
        } s = {1, 2};

        check(CONTAINER_OF(&s.b, __typeof__(s), b) == &s);
}

/* ---- str --------------------------------------------------------------- */

TEST(str_is_empty_at_first)
{
        struct str s = STR_NULL(10);

        check_str(str_z(&s), "");
        check_eq(s.len, 0);
        str_finish(&s);
        str_finish(&s);
        check_eq(s.max, 10);
}

TEST(str_appends)
{
        struct str s = STR_NULL(1000);

        str_adds(&s, "one");
        str_addc(&s, ' ');
        str_add(&s, "two!", 3);
        str_addf(&s, " %s %d", "three", 4);
        check_str(str_z(&s), "one two three 4");
        check_eq(s.len, 15);
        str_truncate(&s, 3);
        str_truncate(&s, 100);
        check_str(str_z(&s), "one");
        str_finish(&s);
}

TEST(str_holds_nul_bytes)
{
        struct str s = STR_NULL(10);

        str_add(&s, "a\0b", 3);
        check_eq(s.len, 3);
        check_eq(memcmp(s.s, "a\0b", 4), 0);
        str_finish(&s);
}

TEST(str_has_a_ceiling)
{
        struct str s = STR_NULL(5);

        str_adds(&s, "12345");
        check(!s.failed);
        str_addc(&s, '6');
        check(s.failed);
        check_str(str_z(&s), "12345");
        str_truncate(&s, 0);
        str_adds(&s, "x"); /* a chain stays failed until it is cleared */
        check_str(str_z(&s), "");
        check(str_take(&s) == NULL);
        str_clear(&s);
        str_addf(&s, "%s", "abcde");
        check(!s.failed);
        check_str(str_z(&s), "abcde");
        str_addf(&s, "%d", 1);
        check(s.failed);
        check_str(str_z(&s), "abcde");
        str_finish(&s);
}

TEST(str_grows_to_its_ceiling)
{
        struct str s = STR_NULL(100000);

        for (int i = 0; i < 100000; i++)
                str_addc(&s, 'x');
        check(!s.failed);
        check_eq(strlen(str_z(&s)), 100000);
        str_addc(&s, 'x');
        check(s.failed);
        str_finish(&s);
}

TEST(str_take_gives_the_memory_away)
{
        struct str s = STR_NULL(10);
        char *p;

        str_adds(&s, "abc");
        p = str_take(&s);
        check_str(p, "abc");
        free(p);
        check_str(str_z(&s), "");
        p = str_take(&s); /* an empty one is a string too */
        check_str(p, "");
        free(p);
}

TEST(str_small_helpers)
{
        char *copy = str_dup("x");

        check_str(copy, "x");
        free(copy);
        check(str_dup(NULL) == NULL);
        check(str_eq("a", "a"));
        check(!str_eq("a", "ab"));
        check(str_starts("abc", "ab"));
        check(str_starts("abc", ""));
        check(!str_starts("ab", "abc"));
}

TEST(str_utf8_knows_valid_sequences)
{
        static const struct {
                const char *bytes;
                size_t n;
        } rows[] = {
                {"", 0},
                {"a", 1},
                {"\x7f", 1},
                {"\xc2\x80", 2},
                {"é", 2},
                {"€", 3},
                {"\xed\x9f\xbf", 3},
                {"\xee\x80\x80", 3},
                {"😀", 4},
                {"\xf4\x8f\xbf\xbf", 4},
                {"\x80", 0},             /* a tail without a head */
                {"\xc3", 0},             /* a head without a tail */
                {"\xc3z", 0},
                {"\xe2\x82", 0},
                {"\xf0\x9f\x98", 0},
                {"\xc0\xaf", 0},         /* overlong */
                {"\xc1\xbf", 0},
                {"\xe0\x9f\xbf", 0},
                {"\xf0\x8f\xbf\xbf", 0},
                {"\xed\xa0\x80", 0},     /* half a surrogate pair */
                {"\xed\xbf\xbf", 0},
                {"\xf4\x90\x80\x80", 0}, /* beyond Unicode */
                {"\xf5\x80\x80\x80", 0},
                {"\xff", 0},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (str_utf8(rows[i].bytes) != rows[i].n)
                        check_fail("row %zu: %zu", i, str_utf8(rows[i].bytes));
}

TEST(str_printable_hides_what_would_spoil_a_line)
{
        struct str s = STR_NULL(1000);

        str_add_printable(&s, "a\nb\x1b[1m \xff Привет\x7f\\n");
        check_str(str_z(&s), "a\\x0ab\\x1b[1m \\xff Привет\\x7f\\n");
        str_finish(&s);
}

TEST(str_escapes_all_but_what_needs_no_escape)
{
        _cleanup_(str_finish) struct str s = STR_NULL(100);

        str_add_escaped(&s, "aZ09-._~ +&=/%\xd0\x96\x01");
        check_str(str_z(&s), "aZ09-._~%20%2B%26%3D%2F%25%D0%96%01");
}

TEST(str_hex_there_and_back)
{
        static const uint8_t bytes[] = {0x00, 0x9f, 0xa0, 0xff};
        uint8_t back[4] = {1, 1, 1, 1};
        char hex[9];

        str_hex(hex, bytes, 4);
        check_str(hex, "009fa0ff");
        check(str_unhex(back, 4, hex));
        check_eq(memcmp(back, bytes, 4), 0);
        check(str_unhex(back, 4, "009FA0FF"));
        check(!str_unhex(back, 4, "009fa0f"));
        check(!str_unhex(back, 4, "009fa0ff0"));
        check(!str_unhex(back, 4, "009fa0fg"));
        check(!str_unhex(back, 4, ""));
}

/* ---- err --------------------------------------------------------------- */

TEST(err_set_and_wrap)
{
        struct err e = ERR_NONE;

        check_eq(e.code, 0);
        check_eq(err_set(&e, EINVAL, "%d is no good", 3), -EINVAL);
        check_eq(e.code, EINVAL);
        check_str(e.text, "3 is no good");
        check_eq(err_wrap(&e, "cannot use \"%s\"", "x"), -EINVAL);
        check_str(e.text, "cannot use \"x\": 3 is no good");
        check_eq(err_errno(&e, ENOENT, "cannot open %s", "y"), -ENOENT);
        check_str(e.text, "cannot open y: No such file or directory");
}

TEST(err_may_be_nobodys_business)
{
        check_eq(err_set(NULL, EIO, "x"), -EIO);
        check_eq(err_errno(NULL, EIO, "x"), -EIO);
        err_wrap(NULL, "x");
}

TEST(err_is_cut_and_not_overrun)
{
        struct err e = ERR_NONE;
        char large[3000];

        memset(large, 'x', sizeof(large) - 1);
        large[sizeof(large) - 1] = '\0';
        err_set(&e, EIO, "%s", large);
        check_eq(strlen(e.text), sizeof(e.text) - 1);
        err_errno(&e, EIO, "%s", large);
        check_eq(strlen(e.text), sizeof(e.text) - 1);
        err_wrap(&e, "%s", large);
        check_eq(strlen(e.text), sizeof(e.text) - 1);
        check_eq(e.code, EIO);
}

/* ---- log --------------------------------------------------------------- */

TEST(str_pads_by_characters)
{
        struct str s = STR_NULL(100);

        str_add_padded(&s, "ab", 4);
        str_add_padded(&s, "\xd0\xbf\xd1\x83\xd1\x82\xd1\x8c", 5);
        str_add_padded(&s, "long", 2);
        check_str(str_z(&s), "ab  \xd0\xbf\xd1\x83\xd1\x82\xd1\x8c long ");
        str_finish(&s);
}

struct logged {
        int lines;
        enum log_level level;
        char last[9000];
};

static void sink(const struct log_entry *entry, void *userdata)
{
        struct logged *l = userdata;

        l->lines++;
        l->level = entry->level;
        snprintf(l->last, sizeof(l->last), "%s", entry->line);
}

TEST(log_goes_to_the_sink_up_to_its_level)
{
        struct logged l = {0};

        log_init(LOG_NOTICE, sink, &l);
        log_error("one %d", 1);
        check_eq(l.lines, 1);
        check_eq(l.level, LOG_ERROR);
        check_str(l.last, "one 1");
        log_notice("two");
        log_info("three");
        log_debug("four");
        check_eq(l.lines, 2);
        check(log_wants(LOG_WARNING));
        check(!log_wants(LOG_INFO));
        log_set_level(LOG_DEBUG);
        log_debug("five");
        check_eq(l.lines, 3);
        check_str(l.last, "five");
        log_init(LOG_INFO, NULL, NULL);
        check(!log_wants(LOG_ERROR));
        log_error("nobody listens");
        check_eq(l.lines, 3);
}

TEST(log_cuts_endless_lines)
{
        static char large[20000];
        struct logged l = {0};

        memset(large, 'x', sizeof(large) - 1);
        log_init(LOG_INFO, sink, &l);
        log_info("%s", large);
        check_eq(strlen(l.last), 8191);
        log_init(LOG_INFO, NULL, NULL);
}

/* ---- keys of entries --------------------------------------------------- */

TEST(key_order_puts_a_folder_right_before_its_children)
{
        static const char *const sorted[] = {
                "", "a", "a/b", "a/b/c", "a/c", "a ", "a!", "a-b", "a.txt", "a0", "aa", "b", "á",
        };

        for (size_t i = 0; i < ARRAY_SIZE(sorted); i++)
                for (size_t j = 0; j < ARRAY_SIZE(sorted); j++) {
                        int got = entry_key_cmp(sorted[i], sorted[j]);
                        int want = (i > j) - (i < j);

                        if ((got > 0) - (got < 0) != want)
                                check_fail("\"%s\" against \"%s\": %d", sorted[i], sorted[j], got);
                }
}

TEST(key_below)
{
        check(entry_key_below("a", ""));
        check(!entry_key_below("", ""));
        check(entry_key_below("a/b", "a"));
        check(entry_key_below("a/b/c", "a"));
        check(!entry_key_below("a", "a"));
        check(!entry_key_below("ab", "a"));
        check(!entry_key_below("a-/b", "a"));
        check(!entry_key_below("b/a", "a"));
}

TEST(key_parent_and_name)
{
        check_eq(entry_key_parent("a/b/c"), 3);
        check_eq(entry_key_parent("a"), 0);
        check_eq(entry_key_parent(""), 0);
        check_str(entry_key_name("a/b/c"), "c");
        check_str(entry_key_name("a"), "a");
        check_str(entry_key_name(""), "");
}

TEST(key_fit_and_unfit)
{
        static const char *const fit[] = {
                "a", "a/b", " ", " a ", "a.", "...", ".a", "..a", "a..", "+%#&?:\\\"'", "Ёж/😀",
                "\x7e", "e\xcc\x81", "\xc3\xa9", "\xc2\x80",
        };
        static const char *const unfit[] = {
                "", "/", "a/", "/a", "a//b", ".", "..", "a/.", "a/..", "../a", "a/./b", "\n",
                "a\tb", "\x7f", "\x1b", "\xff", "\xc3", "a\xc3/b", "\xed\xa0\x80",
        };

        for (size_t i = 0; i < ARRAY_SIZE(fit); i++)
                if (entry_key_unfit(fit[i]))
                        check_fail("\"%s\": %s", fit[i], entry_key_unfit(fit[i]));
        for (size_t i = 0; i < ARRAY_SIZE(unfit); i++)
                if (!entry_key_unfit(unfit[i]))
                        check_fail("row %zu was taken", i);
        check_str(entry_key_unfit("a\xff"), "its name is not valid UTF-8");
        check_str(entry_key_unfit("a\rb"), "its name holds a control character");
        check_str(entry_key_unfit("a/../b"), "its path holds a \".\" or \"..\"");
}

/* `n` times the letter, then `tail`. */
static char *many(const char *letter, size_t n, const char *tail)
{
        struct str s = STR_NULL(1 << 20);

        for (size_t i = 0; i < n; i++)
                str_adds(&s, letter);
        str_adds(&s, tail);
        return str_take(&s);
}

TEST(key_lengths_are_counted_in_characters)
{
        _cleanup_(freep) char *longest = many("ж", 255, ""), *longer = many("ж", 256, "");
        _cleanup_(freep) char *deep = many("a/", 15999, "a"), *deeper = many("a/", 16000, "a");

        check(entry_key_unfit(longest) == NULL);
        check_str(entry_key_unfit(longer), "its name is longer than 255 characters");
        check(entry_key_unfit(deep) == NULL);
        check_str(entry_key_unfit(deeper), "its path is longer than the service allows");
}

TEST(spans_are_said_in_round_figures)
{
        static const struct {
                int64_t ms;
                const char *text;
        } rows[] = {{0, "0 s"}, {499, "0 s"}, {500, "1 s"}, {30000, "30 s"}, {119999, "120 s"},
                    {120000, "2 min"}, {240000, "4 min"}, {7199999, "120 min"}, {7200000, "2 h"},
                    {86400000, "24 h"}, {172800000, "2 d"}, {INT64_C(31536000000), "365 d"}};

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(str_finish) struct str s = STR_NULL(64);

                str_add_span(&s, rows[i].ms);
                check_str(str_z(&s), rows[i].text);
        }
}
