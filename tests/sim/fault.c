/* SPDX-License-Identifier: MIT */

#include "tests/sim/fault.h"

static struct {
        unsigned per_mille[SIM_COUNT_N];
        int64_t until_ns[SIM_COUNT_N];
} fault;

static const enum sim_count fault_kinds[] = {
        SIM_FAULT_UNREACHABLE, SIM_FAULT_TLS, SIM_FAULT_LOST_REQUEST, SIM_FAULT_LOST_REPLY,
        SIM_FAULT_500, SIM_FAULT_500_DONE, SIM_FAULT_429, SIM_FAULT_429_HINT, SIM_FAULT_LOCKED,
        SIM_FAULT_READ_ONLY, SIM_FAULT_TRAFFIC, SIM_FAULT_FULL, SIM_FAULT_REFUSED,
        SIM_FAULT_HTML, SIM_FAULT_GARBLED, SIM_FAULT_CUT_LISTING, SIM_FAULT_STALE,
        SIM_FAULT_MD5_LATE, SIM_FAULT_LINK_EXPIRED, SIM_FAULT_RESET_MIDDLE, SIM_FAULT_RESET_END,
        SIM_FAULT_STORED_LOST, SIM_FAULT_STORED_LATE, SIM_FAULT_CORRUPT, SIM_FAULT_FORGOTTEN,
        SIM_FAULT_ASYNC, SIM_FAULT_ASYNC_FAILED, SIM_FAULT_OP_GONE, SIM_STORE_ENOSPC,
        SIM_STORE_EIO,
};

/* Those that last are rare, or nothing else would be seen. */
static bool fault_is_phase(enum sim_count kind)
{
        return kind == SIM_FAULT_UNREACHABLE || kind == SIM_FAULT_READ_ONLY ||
               kind == SIM_FAULT_TRAFFIC || kind == SIM_FAULT_FULL || kind == SIM_FAULT_REFUSED ||
               kind == SIM_FAULT_HTML;
}

void fault_begin(void)
{
        unsigned n = sim_below(7);

        memset(&fault, 0, sizeof(fault));
        for (unsigned i = 0; i < n; i++) {
                enum sim_count kind = fault_kinds[sim_below(ARRAY_SIZE(fault_kinds))];

                fault.per_mille[kind] = fault_is_phase(kind) ? 1 + sim_below(15)
                                                             : 20 + sim_below(sim_below(600) + 1);
        }
        if (n == 6) /* and some have everything */
                for (size_t i = 0; i < ARRAY_SIZE(fault_kinds); i++)
                        if (fault.per_mille[fault_kinds[i]] == 0)
                                fault.per_mille[fault_kinds[i]] = sim_below(8);
}

bool fault_possible(enum sim_count kind)
{
        return fault.per_mille[kind] > 0;
}

bool fault_strikes(enum sim_count kind)
{
        if (!sim.doing || !sim_chance(fault.per_mille[kind]))
                return false;
        sim_count(kind);
        return true;
}

bool fault_lasts(enum sim_count kind)
{
        if (!sim.doing)
                return false;
        if (loop.now_ns >= fault.until_ns[kind] && sim_chance(fault.per_mille[kind]))
                fault.until_ns[kind] = loop.now_ns + (1 + sim_below(180)) * SECOND;
        if (loop.now_ns >= fault.until_ns[kind])
                return false;
        sim_count(kind);
        return true;
}

void fault_forbid_lies(void)
{
        fault.per_mille[SIM_FAULT_CORRUPT] = fault.per_mille[SIM_FAULT_FORGOTTEN] = 0;
}
