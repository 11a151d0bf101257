/* SPDX-License-Identifier: MIT */

/*
 * Whole flows whose every answer the fuzzer chooses, by kind or byte by byte, under the rules of
 * the random player in the unit tests: the same game, with bytes in the place of a seed.
 */

int flow_random_main(int argc, char **argv);
#define main flow_random_main /* what is wanted of it is play_random() */
#include "tests/unit/test_flow_random.c"
#undef main

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct seed s = {.bytes = data, .n_bytes = size};

        check_failed = false;
        play_random(&s);
        must(!check_failed);
        return 0;
}
