/* SPDX-License-Identifier: MIT */

/* Exact figures of pace and backoff, by a clock that is only a number. */

#include "lib/core/backoff.h"
#include "lib/core/pace.h"

#include "tests/unit/check.h"
#include "tests/unit/seed.h"

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

/* ---- pace ------------------------------------------------------------------------------------ */

/* How many of one token go within `ms`, asked as soon as the last answer allows. */
static unsigned count(struct pace *p, int64_t *now_ms, int64_t ms)
{
        int64_t end = *now_ms + ms;
        unsigned n = 0;

        while (*now_ms < end) {
                int64_t wait = pace_take(p, 1, *now_ms);

                n += wait == 0;
                *now_ms += wait;
        }
        *now_ms = end;
        return n;
}

TEST(a_burst_and_then_the_rate)
{
        struct pace p;

        pace_init(&p, 10, 3, 1000);
        check_eq(pace_take(&p, 1, 1000), 0);
        check_eq(pace_take(&p, 1, 1000), 0);
        check_eq(pace_take(&p, 1, 1000), 0);
        check_eq(pace_take(&p, 1, 1000), 101);
        check_eq(pace_take(&p, 1, 1050), 51);
        check_eq(pace_take(&p, 1, 1101), 0);
        check_eq(pace_take(&p, 1, 1101), 100); /* the odd ms was not lost */
}

TEST(another_rate_counts_at_once)
{
        struct pace p;
        int64_t now = 0;

        pace_init(&p, 10, 1, now);
        check_eq(count(&p, &now, 1000), 10);
        pace_change(&p, 100, 1, now);
        check(count(&p, &now, 1000) > 80);
        pace_change(&p, 0, 1, now);
        check_eq(pace_take(&p, 1000, now), 0);
        pace_change(&p, 10, 1, now);
        check_eq(pace_take(&p, 1, now), 0);
        check_eq(pace_take(&p, 1, now), 101);
        pace_refused(&p, now, 500);
        pace_change(&p, 20, 1, now);
        check_eq(pace_take(&p, 1, now), 500); /* still closed … */
        check_eq(p.rate, 10);                 /* … and half of what is allowed */
}

TEST(the_bucket_has_a_bottom_and_a_rim)
{
        struct pace p;
        int64_t now = 1000000;

        pace_init(&p, 10, 3, 0);
        for (int i = 0; i < 3; i++)
                check_eq(pace_take(&p, 1, now), 0);
        check_eq(pace_take(&p, 1, now), 101);
        pace_init(&p, 10, 0, 0); /* one can always go */
        check_eq(pace_take(&p, 1, 0), 0);
        check_eq(pace_take(&p, 1, 0), 101);
}

TEST(what_is_refused_takes_nothing)
{
        struct pace p;

        pace_init(&p, 10, 2, 0);
        check_eq(pace_take(&p, 2, 0), 0);
        for (int i = 0; i < 100; i++)
                check_eq(pace_take(&p, 2, 0), 201);
        check_eq(pace_take(&p, 2, 201), 0);
}

TEST(more_than_the_bucket_holds_is_paid_for_afterwards)
{
        struct pace p;

        pace_init(&p, 1000, 100, 0);
        check_eq(pace_take(&p, 500, 0), 0);  /* the bucket is full */
        check_eq(pace_take(&p, 1, 0), 402);  /* 400 owed, and one */
        check_eq(pace_take(&p, 500, 400), 101); /* not before it is full again */
        check_eq(pace_take(&p, 500, 501), 0);
}

TEST(no_rate_is_no_limit)
{
        struct pace p;

        pace_init(&p, 0, 0, 0);
        for (int i = 0; i < 1000; i++)
                check_eq(pace_take(&p, 1000000, 0), 0);
        pace_refused(&p, 0, 5000); /* but the gate closes all the same */
        check_eq(pace_take(&p, 1, 1), 4999);
        check_eq(pace_take(&p, 1, 5000), 0);
        check_eq(pace_take(&p, 1, 5000), 0);
}

TEST(the_rate_is_kept_over_a_minute)
{
        struct pace p;
        int64_t now = 5;

        pace_init(&p, 20, 5, now);
        check_eq(count(&p, &now, 60000), 5 + 20 * 60 - 1); /* the last is due at its very end */
        pace_init(&p, 40, 10, now);
        check_eq(count(&p, &now, 1000), 10 + 40 - 1);
        check_eq(count(&p, &now, 1000), 40);
}

TEST(a_closed_gate)
{
        struct pace p;

        pace_init(&p, 10, 2, 0);
        pace_close(&p, 0, 700);
        check_eq(pace_take(&p, 1, 0), 700);
        check_eq(pace_take(&p, 1, 699), 1);
        pace_close(&p, 0, 300); /* does not open it earlier */
        check_eq(pace_take(&p, 1, 300), 400);
        pace_close(&p, 300, 500);
        check_eq(pace_take(&p, 1, 700), 100);
        check_eq(pace_take(&p, 1, 800), 0);
        check_eq(pace_take(&p, 1, 800), 0); /* nobody refused: the tokens are still there */
}

TEST(refused_is_closed_and_then_half_the_rate)
{
        struct pace p;
        int64_t now = 0;

        pace_init(&p, 20, 5, now);
        pace_refused(&p, now, 1000);
        check_eq(pace_take(&p, 1, 0), 1000);
        now = 1000;
        check_eq(pace_take(&p, 1, now), 101); /* no burst, 10 a second */
        check_eq(count(&p, &now, 1900), 18);
}

TEST(those_under_way_are_refused_together)
{
        struct pace p;

        pace_init(&p, 16, 4, 0);
        for (int i = 0; i < 8; i++)
                pace_refused(&p, 10 + i, 500);
        check(p.rate == 8);
        check_eq(pace_take(&p, 1, 100), 417); /* the last one's word */
        pace_refused(&p, 600, 500); /* a new one */
        check(p.rate == 4);
}

TEST(a_tenth_comes_back_every_two_seconds)
{
        struct pace p;

        pace_init(&p, 20, 1, 0);
        pace_refused(&p, 0, 1000);
        check(p.rate == 10);
        pace_take(&p, 1, 2999);
        check(p.rate == 10);
        pace_take(&p, 1, 3000);
        check(p.rate == 12);
        pace_take(&p, 1, 4999);
        check(p.rate == 12);
        pace_take(&p, 1, 9000);
        check(p.rate == 18);
        pace_take(&p, 1, 11000);
        check(p.rate == 20);
        pace_take(&p, 1, 1000000);
        check(p.rate == 20);
        pace_refused(&p, 1000000, 1000); /* the two seconds count from here */
        pace_take(&p, 1, 1002999);
        check(p.rate == 10);
        pace_take(&p, 1, 1003000);
        check(p.rate == 12);
}

TEST(refused_for_ever_it_still_asks)
{
        struct pace p;
        int64_t now = 0;

        pace_init(&p, 20, 5, 0);
        for (int i = 0; i < 50; i++) {
                pace_refused(&p, now, 100);
                now += 100;
        }
        check(p.rate == 0.5);
        check_eq(pace_take(&p, 1, now), 2001);
        pace_init(&p, 0.25, 1, 0); /* less than that was configured */
        pace_refused(&p, 0, 1);
        check(p.rate == 0.25);
}

/* No second with more than the burst and one second's rate; no wait that is too short. */
static void play_pace(struct seed *s)
{
        double rate = 1 + seed_below(s, 50), burst = 1 + seed_below(s, 10);
        int64_t now = 0, second = 0;
        unsigned taken = 0;
        struct pace p;

        pace_init(&p, rate, burst, 0);
        for (int i = 0; i < 300; i++) {
                int64_t wait = pace_take(&p, 1, now);

                check(wait >= 0);
                taken += wait == 0;
                if (wait > 0 && now >= p.closed_ms && seed_chance(s, 50)) {
                        check_eq(pace_take(&p, 1, now + wait), 0);
                        now += wait;
                        taken++;
                }
                if (seed_chance(s, 2))
                        pace_refused(&p, now, seed_below(s, 3000));
                now += seed_below(s, 40);
                if (now - second >= 1000) {
                        check(taken <= burst + rate * (double)(now - second) / 1000 + 1);
                        second = now;
                        taken = 0;
                }
        }
}

TEST(never_more_than_agreed)
{
        seed_run(2000, play_pace);
}

/* ---- backoff --------------------------------------------------------------------------------- */

TEST(delays_double_up_to_a_minute)
{
        static const int64_t most[] = {500,  500,   1000,  2000,  4000,  8000,
                                       16000, 32000, 60000, 60000, 60000};

        for (unsigned i = 0; i < sizeof(most) / sizeof(*most); i++) {
                check_eq(backoff_ms(i, -1, 0), most[i] / 2);
                check_eq(backoff_ms(i, -1, UINT32_MAX), most[i] - 1);
                check_eq(backoff_ms(i, -1, UINT32_MAX / 2 + 1), most[i] * 3 / 4);
        }
        check_eq(backoff_ms(UINT32_MAX, -1, 0), 30000);
}

TEST(what_the_server_asks_for)
{
        check_eq(backoff_ms(1, 0, 0), 250);
        check_eq(backoff_ms(1, 249, 0), 250);
        check_eq(backoff_ms(1, 10000, 0), 10000);
        check_eq(backoff_ms(8, 10000, 0), 30000); /* ours is longer */
        check_eq(backoff_ms(1, 3600000, 0), 3600000);
        check_eq(backoff_ms(1, 3600001, 0), 3600000);
        check_eq(backoff_ms(1, INT64_MAX, 0), 3600000);
        check_eq(backoff_ms(1, INT64_MIN, 0), 250);
}

TEST(locked_is_a_matter_of_seconds)
{
        static const int64_t most[] = {200, 200, 400, 800, 1600, 3200, 5000, 5000};

        for (unsigned i = 0; i < sizeof(most) / sizeof(*most); i++) {
                check_eq(backoff_locked_ms(i, 0), most[i] / 2);
                check_eq(backoff_locked_ms(i, UINT32_MAX), most[i] - 1);
        }
        check_eq(backoff_locked_ms(UINT32_MAX, 0), 2500);
}
