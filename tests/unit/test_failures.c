/* SPDX-License-Identifier: MIT */

/* What fails is tried again ever more rarely, and said ever more rarely. */

#include "daemon/failures.h"

#include "tests/unit/check.h"

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

#define HOUR 3600000
#define DAY 86400000

static struct entry file(const char *key, uint64_t size)
{
        return (struct entry){.key = key, .kind = KIND_FILE, .size = size,
                              .stamp = {.mtime_ns = 7, .ctime_ns = 7, .ino = 7, .dev = 7}};
}

TEST(the_schedule)
{
        static const int64_t delays[] = {30000, 60000, 120000, 240000, 480000, 960000, 1920000,
                                         3840000, 7680000, 15360000, 30720000, 61440000, DAY, DAY};
        struct failures *f = failures_create();
        struct entry e = file("a", 5), other = file("b", 5);
        int64_t now = 1000;

        for (size_t i = 0; i < sizeof(delays) / sizeof(*delays); i++) {
                struct failure_told told = failures_add(f, &e, "why", 0, now);

                check_eq(told.delay_ms, delays[i]);
                check_eq(told.times, i + 1);
                check(failures_waiting(f, &e, now + delays[i] - 1));
                check(!failures_waiting(f, &e, now + delays[i]));
                check(!failures_waiting(f, &other, now));
                now += delays[i];
        }
        failures_destroy(f);
}

TEST(what_changed_is_tried_at_once)
{
        struct failures *f = failures_create();
        struct entry e = file("a", 5), longer = file("a", 6), touched = file("a", 5);

        touched.stamp.mtime_ns++;
        for (int i = 0; i < 5; i++)
                failures_add(f, &e, "why", 0, 0);
        check(failures_waiting(f, &e, 1));
        check(!failures_waiting(f, &longer, 1));
        check(!failures_waiting(f, &touched, 1));
        check_eq(failures_add(f, &longer, "why", 0, 0).delay_ms, 30000);
        failures_destroy(f);
}

TEST(no_sooner_than_is_asked_for)
{
        struct failures *f = failures_create();
        struct entry e = file("a", 5);

        check_eq(failures_add(f, &e, "why", HOUR, 0).delay_ms, HOUR);
        check_eq(failures_add(f, &e, "why", 100 * (int64_t)DAY, 0).delay_ms, DAY);
        check_eq(failures_add(f, &e, "why", 0, 0).delay_ms, 120000);
        failures_destroy(f);
}

TEST(said_once_and_then_rarely)
{
        struct failures *f = failures_create();
        struct entry e = file("a", 5);
        int64_t now = 0;
        unsigned said = 0;

        check_eq(failures_add(f, &e, "why", 0, now).say, FAILURE_NEWS);
        for (int i = 0; i < 24; i++) {
                now += HOUR;
                said += failures_add(f, &e, "why", 0, now).say == FAILURE_STILL;
        }
        check_eq(said, 4);
        check_eq(failures_add(f, &e, "something else", 0, now).say, FAILURE_NEWS);
        check_eq(failures_add(f, &e, "something else", 0, now).say, FAILURE_QUIET);
        e.size++; /* another version that fails in the same way is news */
        check_eq(failures_add(f, &e, "something else", 0, now).say, FAILURE_NEWS);
        failures_destroy(f);
}

TEST(success_clears)
{
        struct failures *f = failures_create();
        struct entry e = file("a", 5);

        failures_add(f, &e, "why", 0, 0);
        check_eq(failures_count(f), 1);
        failures_clear(f, "a");
        failures_clear(f, "a");
        failures_clear(f, "b");
        check_eq(failures_count(f), 0);
        check(!failures_waiting(f, &e, 0));
        failures_destroy(f);
}

/* Sent, looked at, not there as it was sent, sent again …: not at each pass. */
TEST(what_arrives_wrong_has_a_schedule_too)
{
        static const int64_t delays[] = {0, 30000, 60000, 120000};
        struct failures *f = failures_create();
        struct entry e = file("a", 5);

        for (size_t i = 0; i < sizeof(delays) / sizeof(*delays); i++) {
                check_eq(failures_wrong(f, &e, 0).delay_ms, delays[i]);
                check_eq(failures_waiting(f, &e, 0), delays[i] > 0);
                failures_clear(f, "a"); /* it was sent once more */
                check_eq(failures_count(f), 1);
        }
        failures_proven(f, "a");
        check_eq(failures_count(f), 0);
        check_eq(failures_wrong(f, &e, 0).delay_ms, 0);
        failures_destroy(f);
}
