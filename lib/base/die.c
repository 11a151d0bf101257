/* SPDX-License-Identifier: MIT */

#include "lib/base/die.h"

#ifdef YDSYNC_TEST_HOOKS

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void die_step(void)
{
        static atomic_uint steps;
        const char *at = getenv("YDSYNC_DIE_AT"), *file = getenv("YDSYNC_STEPS");
        unsigned step = atomic_fetch_add(&steps, 1) + 1;

        if (at && strtoul(at, NULL, 10) == step)
                kill(getpid(), SIGKILL);
        if (file) {
                FILE *f = fopen(file, "w");

                if (f) {
                        fprintf(f, "%u\n", step);
                        fclose(f);
                }
        }
}

unsigned die_haste(void)
{
        const char *text = getenv("YDSYNC_HASTE");
        unsigned long n = text ? strtoul(text, NULL, 10) : 1;

        return n >= 1 && n <= 1000 ? (unsigned)n : 1;
}

#endif
