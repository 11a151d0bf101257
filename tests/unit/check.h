/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The smallest harness that serves: a test program is a list of functions.
 *
 *      TEST(keys_sort_in_tree_order)
 *      {
 *              check(entry_key_cmp("a", "a/b") < 0);
 *              check_eq(1 + 1, 2);
 *              check_str("x", "x");
 *      }
 *      int main(int argc, char **argv) { return check_main(argc, argv); }
 *
 * Every TEST registers itself.  `./prog` runs all, `./prog NAME…` some, `./prog --list` lists them.
 * Prints `ok NAME` or `not ok NAME` a test; the exit status is 1 if any failed.
 */

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check_test {
        const char *name;
        void (*run)(void);
        struct check_test *next;
};

extern struct check_test *check_first, **check_last;
extern bool check_failed; /* the running test has failed */

#define TEST(id)                                                                                   \
        static void test_##id(void);                                                               \
        __attribute__((constructor)) static void test_register_##id(void)                          \
        {                                                                                          \
                static struct check_test t = {.name = #id, .run = test_##id};                      \
                *check_last = &t;                                                                  \
                check_last = &t.next;                                                              \
        }                                                                                          \
        static void test_##id(void)

#define check_fail(...)                                                                            \
        do {                                                                                       \
                check_failed = true;                                                               \
                printf("# %s:%d: ", __FILE__, __LINE__);                                           \
                printf(__VA_ARGS__);                                                               \
                printf("\n");                                                                      \
        } while (0)

/* Goes on after a failure. */
#define check(cond)                                                                                \
        do {                                                                                       \
                if (!(cond))                                                                       \
                        check_fail("not true: %s", #cond);                                         \
        } while (0)

/* Leaves the test after a failure. */
#define require(cond)                                                                              \
        do {                                                                                       \
                if (!(cond)) {                                                                     \
                        check_fail("not true: %s", #cond);                                         \
                        return;                                                                    \
                }                                                                                  \
        } while (0)

#define check_eq(a, b)                                                                             \
        do {                                                                                       \
                int64_t _a = (int64_t)(a), _b = (int64_t)(b);                                      \
                if (_a != _b)                                                                      \
                        check_fail("%s is %" PRId64 ", not %" PRId64, #a, _a, _b);                 \
        } while (0)

#define check_str(a, b)                                                                            \
        do {                                                                                       \
                const char *_a = (a), *_b = (b);                                                   \
                if (!_a || !_b || strcmp(_a, _b) != 0)                                             \
                        check_fail("%s is \"%s\", not \"%s\"", #a, _a ? _a : "(null)",             \
                                   _b ? _b : "(null)");                                            \
        } while (0)

int check_main(int argc, char **argv);
