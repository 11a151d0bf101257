/* SPDX-License-Identifier: MIT */

#include "lib/core/speed.h"
#include "tests/unit/check.h"

TEST(nothing_is_known_before_two_looks)
{
        struct speed s = {0};

        check_eq(speed_rate(&s), 0);
        check_eq(speed_eta_ms(&s, 1), -1);
        check_eq(speed_eta_ms(&s, 0), 0);
        speed_note(&s, 5000, 1000);
        check_eq(speed_rate(&s), 0);
        speed_note(&s, 6000, 2000);
        check_eq(speed_rate(&s), 1000);
        check_eq(speed_eta_ms(&s, 10000), 10000);
}

TEST(a_steady_speed_is_shown_as_it_is)
{
        struct speed s = {0};

        for (int i = 0; i < 100; i++)
                speed_note(&s, (uint64_t)i * 2500, i * 500);
        check_eq(speed_rate(&s), 5000);
}

TEST(a_change_is_followed_within_half_a_minute)
{
        struct speed s = {0};
        uint64_t bytes = 0;
        int64_t now = 0;

        for (int i = 0; i < 60; i++)
                speed_note(&s, bytes += 1000, now += 1000);
        for (int i = 0; i < 3; i++)
                speed_note(&s, bytes += 10000, now += 1000);
        check(speed_rate(&s) > 1500 && speed_rate(&s) < 6000);
        for (int i = 0; i < 27; i++)
                speed_note(&s, bytes += 10000, now += 1000);
        check(speed_rate(&s) > 9000 && speed_rate(&s) <= 10000);
        for (int i = 0; i < 60; i++)
                speed_note(&s, bytes, now += 1000);
        check(speed_rate(&s) < 100);
}

TEST(looks_too_close_and_clocks_and_counts_that_go_back)
{
        struct speed s = {0};

        speed_note(&s, 0, 1000);
        speed_note(&s, 1000, 1001);
        check_eq(speed_rate(&s), 0);
        speed_note(&s, 1000, 2000);
        check_eq(speed_rate(&s), 1000);
        speed_note(&s, 1000, 1500);
        check_eq(speed_rate(&s), 0);
        speed_note(&s, 2000, 2500);
        check_eq(speed_rate(&s), 1000);
        speed_note(&s, 10, 3500);
        check_eq(speed_rate(&s), 0);
        speed_note(&s, UINT64_MAX, 4500);
        check_eq(speed_rate(&s), 1000000000000000000);
}

TEST(no_end_in_sight)
{
        struct speed s = {0};

        speed_note(&s, 0, 0);
        speed_note(&s, 1, 1000);
        check_eq(speed_eta_ms(&s, UINT64_MAX), -1);
}

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}
