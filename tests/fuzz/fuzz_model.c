/* SPDX-License-Identifier: MIT */

/*
 * Flows against a model of the service, as in the unit tests, with faults, lost answers and kills
 * of the fuzzer's choosing in the place of a seed's: the file gets there, nobody else's is lost.
 */

int flow_model_main(int argc, char **argv);
#define main flow_model_main /* what is wanted of it are its games */
#include "tests/unit/test_flow_model.c"
#undef main

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static void (*const games[])(struct seed *) = {play_put_whole, play_put_killed, play_drop};
        struct seed s = {.bytes = data, .n_bytes = size};

        check_failed = false;
        games[seed_below(&s, ARRAY_SIZE(games))](&s);
        must(!check_failed);
        return 0;
}
