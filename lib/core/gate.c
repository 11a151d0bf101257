/* SPDX-License-Identifier: MIT */

#include "lib/core/gate.h"

#include "lib/core/backoff.h"

#define GATE_WINDOW_MOST 64

int64_t gate_wait(const struct gate *g, int64_t now_ms)
{
        if (!g->shut)
                return g->window > 0 && g->under_way >= g->window ? GATE_BUSY : 0;
        if (now_ms < g->until_ms)
                return g->until_ms - now_ms;
        return g->under_way > 0 ? GATE_BUSY : 0;
}

uint32_t gate_pass(struct gate *g)
{
        g->under_way++;
        return g->era;
}

void gate_back(struct gate *g, uint32_t era)
{
        if (era == g->era && g->under_way > 0)
                g->under_way--;
}

bool gate_good(struct gate *g, uint32_t era)
{
        g->n_suspects = 0;
        if (era != g->era)
                return false;
        if (g->times > 0)
                g->times--;
        if (g->shut) {
                g->shut = false;
                g->window = 2;
                return true;
        }
        if (g->window > 0)
                g->window = g->window < GATE_WINDOW_MOST ? 2 * g->window : 0;
        return false;
}

/* True when so many different things have failed that it cannot be any of them. */
static bool gate_suspect(struct gate *g, uint64_t subject)
{
        for (unsigned i = 0; i < g->n_suspects; i++)
                if (g->suspects[i] == subject)
                        return false;
        g->suspects[g->n_suspects++] = subject;
        return g->n_suspects == GATE_SUSPECTS;
}

int64_t gate_bad(struct gate *g, uint32_t era, uint64_t subject, bool sure, int64_t hint_ms,
                 int64_t now_ms, uint32_t random)
{
        int64_t wait_ms;

        if (era != g->era) /* one of those that were under way when the gate moved */
                return 0;
        if (!sure && !g->shut && !gate_suspect(g, subject))
                return 0;
        wait_ms = backoff_ms(++g->times, hint_ms, random);
        g->shut = true;
        g->until_ms = now_ms + wait_ms;
        g->under_way = g->n_suspects = 0;
        g->era++;
        return wait_ms;
}
