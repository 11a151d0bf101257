/* SPDX-License-Identifier: MIT */

/* The trace, the counters, contents, and sets of pairs. */

#include "tests/sim/sim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct sim sim;

static uint64_t sim_hash(uint64_t h, const void *bytes, size_t n)
{
        const unsigned char *c = bytes;

        for (size_t i = 0; i < n; i++)
                h = (h ^ c[i]) * 0x100000001b3u;
        return h;
}

void sim_trace(const char *fmt, ...)
{
        char line[1024];
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vsnprintf(line, sizeof(line), fmt, ap);
        va_end(ap);
        if (n >= (int)sizeof(line))
                n = sizeof(line) - 1;
        sim.trace = sim_hash(sim.trace, &loop.now_ns, sizeof(loop.now_ns));
        sim.trace = sim_hash(sim.trace, line, (size_t)n);
        if (sim.show)
                printf("%10.3f  %s\n", (double)loop.now_ns / 1e9, line);
}

void sim_fail(const char *fmt, ...)
{
        va_list ap;

        if (sim.failed)
                return;
        sim.failed = true;
        va_start(ap, fmt);
        vsnprintf(sim.why, sizeof(sim.why), fmt, ap);
        va_end(ap);
        sim_trace("BROKEN %s", sim.why);
}

static const char *const sim_names[] = {
#define SIM_COUNT_NAME(id, name) name,
        SIM_COUNTS(SIM_COUNT_NAME)
#undef SIM_COUNT_NAME
};

void sim_count(enum sim_count what)
{
        sim.counts.by[what]++;
}

const char *sim_count_name(enum sim_count what)
{
        return sim_names[what];
}

/* ---- contents --------------------------------------------------------------------------------- */

/* Empty; small, twice, so that different contents are often of one size; below and above where a
 * disguise gains; large enough for the patience that grows with the size. */
static const uint64_t content_sizes[CONTENT_SIZES] = {
        0, 5, 5, 60000, 200000, UINT64_C(3) << 30,
};

static uint64_t content_last;

uint64_t content_new(bool foreign, unsigned size_class)
{
        if (size_class == 0 && !foreign)
                return 0; /* there is but one empty content */
        if (size_class == 0)
                size_class = 1;
        content_last++;
        return (foreign ? CONTENT_FOREIGN : 0) | (content_last * CONTENT_SIZES + size_class);
}

uint64_t content_mixed(uint64_t content)
{
        return content_new(false, (content & (CONTENT_FOREIGN - 1)) % CONTENT_SIZES);
}

void content_begin(void)
{
        content_last = 0;
}

uint64_t content_size(uint64_t content)
{
        return content_sizes[(content & (CONTENT_FOREIGN - 1)) % CONTENT_SIZES];
}

void content_md5(uint64_t content, uint8_t ret[16])
{
        uint64_t h = (content + 1) * 0x9e3779b97f4a7c15u;

        memcpy(ret, &content, 8);
        memcpy(ret + 8, &h, 8);
}

uint64_t content_of_md5(const uint8_t md5[16])
{
        uint64_t content;

        memcpy(&content, md5, sizeof(content));
        return content;
}

/* ---- pairs ------------------------------------------------------------------------------------ */

static uint64_t pairs_of(const char *key, uint64_t number)
{
        uint64_t h = sim_hash(0xcbf29ce484222325u, key, strlen(key) + 1);

        h = sim_hash(h, &number, sizeof(number));
        return h ? h : 1;
}

static void pairs_put(struct pairs *p, uint64_t h)
{
        size_t i = h & (p->size - 1);

        while (p->slots[i] && p->slots[i] != h)
                i = (i + 1) & (p->size - 1);
        p->n += p->slots[i] == 0;
        p->slots[i] = h;
}

void pairs_add(struct pairs *p, const char *key, uint64_t number)
{
        if (2 * p->n >= p->size) {
                struct pairs old = *p;

                *p = (struct pairs){.size = old.size ? 2 * old.size : 256};
                p->slots = calloc(p->size, sizeof(*p->slots));
                if (!p->slots)
                        abort();
                for (size_t i = 0; i < old.size; i++)
                        if (old.slots[i])
                                pairs_put(p, old.slots[i]);
                free(old.slots);
        }
        pairs_put(p, pairs_of(key, number));
}

bool pairs_has(const struct pairs *p, const char *key, uint64_t number)
{
        uint64_t h = pairs_of(key, number);

        if (p->size == 0)
                return false;
        for (size_t i = h & (p->size - 1); p->slots[i]; i = (i + 1) & (p->size - 1))
                if (p->slots[i] == h)
                        return true;
        return false;
}

void pairs_finish(struct pairs *p)
{
        free(p->slots);
        *p = (struct pairs){0};
}
