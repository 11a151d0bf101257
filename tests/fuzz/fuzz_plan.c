/* SPDX-License-Identifier: MIT */

/*
 * The planner against a model of the cloud, as in the unit tests, with trees of the fuzzer's making
 * in the place of a seed's: what it removes was proven to be gone, and stopped anywhere it goes on
 * to the same end.
 */

int plan_model_main(int argc, char **argv);
#define main plan_model_main /* what is wanted of it are its games */
#include "tests/unit/test_plan_model.c"
#undef main

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static void (*const games[])(struct seed *) = {play_whole, play_stopped, play_at_once,
                                                       play_held, play_adopting};
        struct seed s = {.bytes = data, .n_bytes = size};

        check_failed = false;
        games[seed_below(&s, ARRAY_SIZE(games))](&s);
        must(!check_failed);
        return 0;
}
