/* SPDX-License-Identifier: MIT */

#include "tests/unit/seed.h"

#include "tests/unit/check.h"

#include <errno.h>

/* splitmix64: small, and any number is a good beginning. */
uint64_t seed_next(struct seed *s)
{
        uint64_t z = s->state += 0x9e3779b97f4a7c15u;

        if (s->n_bytes > 0) {
                s->n_bytes--;
                return *s->bytes++;
        }
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        return z ^ z >> 31;
}

unsigned seed_below(struct seed *s, unsigned n)
{
        return (unsigned)(seed_next(s) % n);
}

bool seed_chance(struct seed *s, unsigned percent)
{
        return seed_below(s, 100) < percent;
}

void seed_run(unsigned count, void (*play)(struct seed *s))
{
        const char *many = getenv("SEEDS"), *one = getenv("SEED");
        uint64_t first = one ? strtoull(one, NULL, 10) : 1;
        uint64_t n = one ? 1 : many ? strtoull(many, NULL, 10) : count;

        for (uint64_t number = first; number < first + n; number++) {
                struct seed s = {.number = number, .state = number};

                play(&s);
                if (!check_failed)
                        continue;
                printf("# to play this again: SEED=%" PRIu64 " %s\n", number,
                       program_invocation_short_name);
                return;
        }
}
