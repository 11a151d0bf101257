/* SPDX-License-Identifier: MIT */

/* When requests are held back, and how they are let go again. */

#include "lib/core/gate.h"

#include "lib/core/backoff.h"

#include "tests/unit/check.h"
#include "tests/unit/seed.h"

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

#define MOST UINT32_MAX /* the longest wait that chance can give */

static int64_t bad(struct gate *g, uint64_t subject, bool sure, int64_t now_ms)
{
        return gate_bad(g, g->era, subject, sure, -1, now_ms, MOST);
}

TEST(open_lets_everything_pass)
{
        struct gate g = {0};

        for (int i = 0; i < 1000; i++) {
                check_eq(gate_wait(&g, i), 0);
                gate_pass(&g);
        }
        check(!gate_good(&g, 0));
}

TEST(sure_news_shuts_at_once)
{
        struct gate g = {0};

        check_eq(bad(&g, 1, true, 1000), 499);
        check(g.shut);
        check_eq(gate_wait(&g, 1000), 499);
        check_eq(gate_wait(&g, 1499), 0);
}

TEST(one_thing_alone_shuts_nothing)
{
        struct gate g = {0};

        for (int i = 0; i < 100; i++)
                check_eq(bad(&g, 7, false, i), 0);
        check_eq(bad(&g, 8, false, 100), 0);
        for (int i = 0; i < 100; i++)
                check_eq(bad(&g, 7 + (uint64_t)(i & 1), false, i), 0);
        check(!g.shut);
}

TEST(three_things_in_a_row_shut_it)
{
        struct gate g = {0};

        check_eq(bad(&g, 1, false, 0), 0);
        check_eq(bad(&g, 2, false, 0), 0);
        check(bad(&g, 3, false, 0) > 0);
        check(g.shut);
}

TEST(something_good_between_clears_the_suspicion)
{
        struct gate g = {0};

        for (uint64_t i = 0; i < 100; i += 2) {
                check_eq(bad(&g, i, false, 0), 0);
                check_eq(bad(&g, i + 1, false, 0), 0);
                check(!gate_good(&g, g.era));
        }
}

TEST(one_tries_and_the_others_wait_for_it)
{
        struct gate g = {0};
        uint32_t era;

        bad(&g, 1, true, 0);
        check_eq(gate_wait(&g, 500), 0);
        era = gate_pass(&g);
        check_eq(gate_wait(&g, 500), GATE_BUSY);
        check_eq(gate_wait(&g, 100000), GATE_BUSY);
        check(gate_good(&g, era));
        gate_back(&g, era);
        check_eq(gate_wait(&g, 501), 0);
}

TEST(one_that_comes_back_without_news_makes_room_for_another)
{
        struct gate g = {0};
        uint32_t era;

        bad(&g, 1, true, 0);
        era = gate_pass(&g);
        gate_back(&g, era);
        check(g.shut);
        check_eq(gate_wait(&g, 500), 0);
}

TEST(waits_double_up_to_a_minute)
{
        static const int64_t waits[] = {499, 999, 1999, 3999, 7999, 15999, 31999, 59999, 59999};
        struct gate g = {0};
        int64_t now = 0;

        for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
                check_eq(bad(&g, 1, true, now), waits[i]);
                now = g.until_ms;
                check_eq(gate_wait(&g, now), 0);
                gate_pass(&g);
        }
}

TEST(what_the_server_asks_for_is_kept_and_capped)
{
        struct gate g = {0};

        check_eq(gate_bad(&g, 0, 1, true, 120000, 0, 0), 120000);
        check_eq(gate_wait(&g, 119999), 1);
        check_eq(gate_bad(&g, 1, 1, true, INT64_MAX / 4, 120000, 0), BACKOFF_HINT_MOST_MS);
        check_eq(gate_bad(&g, 2, 1, true, -1, 0, 0), 1000);
}

TEST(what_was_under_way_when_it_shut_says_nothing_any_more)
{
        struct gate g = {0};
        uint32_t before = gate_pass(&g);

        gate_pass(&g);
        check(bad(&g, 1, true, 0) > 0);
        check_eq(gate_bad(&g, before, 2, true, -1, 1, MOST), 0);
        check(!gate_good(&g, before));
        check(g.shut);
        check_eq(gate_wait(&g, 499), 0); /* nor does it stand in the way of the one that tries */
        gate_back(&g, before);
        check_eq(g.under_way, 0);
}

TEST(those_that_waited_do_not_come_all_at_once)
{
        static const unsigned windows[] = {2, 4, 8, 16, 32, 64};
        struct gate g = {0};
        uint32_t era;

        bad(&g, 1, true, 0);
        era = gate_pass(&g);
        check(gate_good(&g, era));
        gate_back(&g, era);
        for (size_t i = 0; i < sizeof(windows) / sizeof(*windows); i++) {
                for (unsigned n = 0; n < windows[i]; n++) {
                        check_eq(gate_wait(&g, 600), 0);
                        gate_pass(&g);
                }
                check_eq(gate_wait(&g, 600), GATE_BUSY);
                check(!gate_good(&g, era));
                for (unsigned n = 0; n < windows[i]; n++)
                        gate_back(&g, era);
        }
        check(!gate_good(&g, era));
        for (int i = 0; i < 1000; i++) {
                check_eq(gate_wait(&g, 600), 0);
                gate_pass(&g);
        }
}

/* Eight in parallel ask whenever they may, for 61 minutes, of a server that answers nobody. */
static void storm(struct seed *s)
{
        struct gate g = {0};
        unsigned first = 0, after = 0;

        for (int64_t now = 0; now < 61 * 60000; now += 10) {
                uint32_t eras[8];
                unsigned out = 0;

                while (out < 8 && gate_wait(&g, now) == 0)
                        eras[out++] = gate_pass(&g);
                for (unsigned i = 0; i < out; i++) {
                        gate_bad(&g, eras[i], i, false, -1, now, (uint32_t)seed_next(s));
                        gate_back(&g, eras[i]);
                }
                *(now < 60000 ? &first : &after) += out;
        }
        check(first <= 8 + 10);
        check(after <= 60 * 3); /* an hour, at one or two a minute */
        check(after >= 60);     /* and its end is noticed within a minute */
}

TEST(a_storm_is_met_with_few_requests)
{
        seed_run(50, storm);
}
