/* SPDX-License-Identifier: MIT */

/*
 * The life of one world.
 *
 *   begun ─▶ things are done to it, while the program starts, passes, dies and starts again ─▶ rest
 *
 * The part of daemon/main.c (when the next pass comes, when the snapshot is set aside, when the
 * program ends) is played here as it stands there.  At rest nothing is done to the world any more
 * and nothing goes wrong; after a bounded number of passes there must be nothing left to do, and
 * the rules judge.
 */

#include "tests/sim/world.h"

#include "daemon/cycle.h"
#include "tests/sim/disk.h"
#include "tests/sim/edit.h"
#include "tests/sim/fault.h"
#include "tests/sim/look.h"
#include "tests/sim/net.h"
#include "tests/sim/rule.h"
#include "tests/sim/snap.h"
#include "tests/sim/tree.h"
#include "tests/sim/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define WORLD_EVENTS_MAX 300000
#define WORLD_PASS_CALLS_MAX 4000
#define WORLD_QUIET 2        /* passes without a call that end it */
#define WORLD_ONCE_PASSES 10 /* as main.c has it */
#define WORLD_REOPENS 3
#define WORLD_PAUSE_MS 200
#define WORLD_TOLD UINT64_C(1000000000) /* in the worlds from here on the daemon is told of changes */

static struct {
        uv_loop_t uv; /* nothing of it is ever read */
        struct config config;
        char cloud[64];
        struct store *store;
        struct cycle *cycle;
        struct event *timer;   /* the next pass, or the next start */
        bool once;             /* as `ydsync once` does it */
        bool stopping;         /* an orderly stop, or a reopening, is under way */
        int reopen_err;
        unsigned reopened, passes;
        unsigned crashes;      /* per mille of events */
        unsigned clouds, hides, lives; /* per cent of deeds */
        unsigned quiet;        /* passes at rest without a call, in a row */
        unsigned gap;          /* which pause comes next, at rest */
        struct pass_end last;
        uint64_t calls_before;
        bool over;
        bool passing;          /* a pass is under way */
        struct stir stir;      /* of a daemon that is told: what is to be looked at, … */
        bool whole;            /* … unless the next pass must look at everything */
} world;

static void world_start(void *userdata);

/* ---- passes: main.c's part --------------------------------------------------------------------- */

static void world_pass_done(void *userdata, const struct pass_end *end);

/* What mirror.c does with what it is told.  At rest the periodic pass has the last word. */
static bool world_in_part(void)
{
        bool may = tree.told && sim.doing && !world.once && !world.whole && sim_chance(800);

        if (!tree.told)
                return false;
        stir_merge(&world.stir, &tree.stir);
        stir_finish(&tree.stir);
        return may && !stir_is_empty(&world.stir);
}

static void world_passed(const struct pass_end *end)
{
        bool sound = end->status == EXIT_OK || end->status == EXIT_TRY_AGAIN;

        sim.counts.in_part += end->in_part;
        world.whole = !sound || (end->again && !(end->in_part && end->young > 0));
        if (!end->in_part || !end->again)
                stir_finish(&world.stir);
}

static void world_pass(void *userdata _unused_)
{
        bool in_part = world_in_part();

        world.timer = NULL;
        world.passes++;
        sim.counts.passes++;
        world.calls_before = sim.counts.requests;
        world.passing = true;
        rule_pass_begins();
        sim_trace("pass %u%s", world.passes, in_part ? ", in part" : "");
        cycle_set_stir(world.cycle, in_part ? &world.stir : NULL);
        cycle_pass(world.cycle, world_pass_done, NULL);
}

static void world_pass_after(int64_t ms)
{
        world.timer = loop_after(ms * MS, SIDE_WORLD, world_pass, NULL);
}

static void world_start_after(int64_t ms)
{
        world.timer = loop_after(ms * MS, SIDE_WORLD, world_start, NULL);
}

static void world_create(void)
{
        struct err err = ERR_NONE;

        if (cycle_create(&world.cycle, &world.uv, &world.config, world.store, "/spool", &err) < 0)
                sim_fail("the cycle cannot be made: %s", err.text);
        else if (!world.once)
                cycle_set_slices(world.cycle);
        world.whole = true;
        stir_finish(&world.stir);
}

static void world_start(void *userdata _unused_)
{
        struct err err = ERR_NONE;
        int r;

        sim_trace("start");
        world.stopping = false;
        world.reopened = world.passes = 0;
        r = store_open(&world.store, "/state", 0, &err);
        if (r < 0)
                sim_fail("the snapshot cannot be opened: %s", err.text);
        world_create();
        world_pass(NULL);
}

static void world_stopped(void *userdata _unused_)
{
        world.cycle = NULL;
        world.stopping = false;
        store_close(TAKE_PTR(world.store));
        sim_trace("stopped");
        if (!loop.dead)
                world_start_after(1 + sim_below(60000));
}

static void world_stop(void)
{
        loop_cancel(TAKE_PTR(world.timer));
        world.stopping = true;
        world.passing = false;
        cycle_stop(world.cycle, world_stopped, NULL);
}

static void world_reopen(void *userdata)
{
        struct err err = ERR_NONE;

        if (loop.dead) {
                world_stopped(userdata);
                return;
        }
        world.cycle = NULL;
        world.stopping = false;
        store_close(TAKE_PTR(world.store));
        if (world.reopen_err == EUCLEAN) {
                store_set_aside("/state", &err);
                rule_lost_snapshot();
        }
        store_open(&world.store, "/state", 0, &err);
        world_create();
        if (world.reopen_err == EIO || world.reopened > WORLD_REOPENS)
                world_pass_after(world.config.period_ms);
        else
                world_pass(NULL);
}

static void world_crash(void);

/* The snapshot is removed by hand. */
static void world_begin_anew(void *userdata _unused_)
{
        world_crash();
        snap_lose();
        rule_lost_snapshot();
}

/* Growing pauses, so that what waits for its next try comes to it; then two short ones. */
static const int64_t world_gaps_ms[] = {
        1000, 5000, 30000, 60000, 90000, 300000, 300000, 900000, 3600000, 7200000, 14400000,
        43200000, 90000000, 90000000, 90000000, 300000, 300000, 300000, 30000, 30000, 30000, 30000,
        30000, 30000, 30000, 30000, 30000, 30000, 30000, 30000, 3600000, 30000, 30000, 30000, 30000,
};

static void world_rests(const struct pass_end *end)
{
        uint64_t calls = end->api_calls + end->transfers;

        world.quiet = calls == 0 && !end->again &&
                                      ((end->status == EXIT_OK && snap_intents() == 0 &&
                                        snap_doubts() == 0) ||
                                       world.gap > 12)
                              ? world.quiet + 1
                              : 0;
        if (*snap.approval == '\0' && snap_meta("held")) {
                rule_approved();
                str_copy(snap.approval, sizeof(snap.approval), snap_meta("held"));
                world.quiet = 0;
        }
        /* It was begun while another folder stood there, or a mount was away; a person does as the
         * message says. */
        if ((end->status == EXIT_NO_FOLDER && world.gap == 3) ||
            (end->status == EXIT_TRY_AGAIN && world.gap == 5 && edit_mount_is_strange())) {
                world.gap++;
                loop_after(0, SIDE_WORLD, world_begin_anew, NULL);
                return;
        }
        if (world.quiet > WORLD_QUIET && (end->status == EXIT_OK || world.gap + 1 >= ARRAY_SIZE(world_gaps_ms))) {
                world.over = true;
                return;
        }
        if (world.gap >= ARRAY_SIZE(world_gaps_ms)) {
                sim_fail("(5) no rest: status %d, %" PRIu64 " calls%s", (int)end->status, calls,
                         end->again ? ", again" : "");
                return;
        }
        world_pass_after(world_gaps_ms[world.gap++]);
}

static bool world_must_reopen(const struct pass_end *end)
{
        bool daemon = !(world.once && sim.doing);

        if (!end->state_err)
                world.reopened = 0;
        if (!end->state_err)
                return false;
        if (end->state_err == EIO)
                return daemon;
        return world.reopened++ < WORLD_REOPENS || daemon;
}

static void world_pass_done(void *userdata _unused_, const struct pass_end *end)
{
        int64_t wait_ms = world.config.period_ms;

        if (loop.dead || world.stopping)
                return;
        if (!world.passing)
                sim_fail("a pass ends that is not under way");
        world.passing = false;
        world.last = *end;
        world_passed(end);
        sim_trace("pass ends: status %d%s, %" PRIu64 " calls, %" PRIu64 " transfers",
                  (int)end->status, end->again ? " again" : "", end->api_calls, end->transfers);
        if (sim.counts.requests - world.calls_before > WORLD_PASS_CALLS_MAX)
                sim_fail("(5) a pass of %" PRIu64 " calls", sim.counts.requests - world.calls_before);
        if (world_must_reopen(end)) {
                world.reopen_err = end->state_err;
                world.stopping = true;
                cycle_stop(world.cycle, world_reopen, NULL);
                return;
        }
        if (end->status == EXIT_NO_PERMISSION) {
                world_stop();
                return;
        }
        if (!sim.doing) {
                world_rests(end);
                return;
        }
        if (world.once && (!end->again || world.passes >= WORLD_ONCE_PASSES)) {
                world_stop();
                return;
        }
        if (end->again && end->again_ms + 10 * end->scan_ms + WORLD_PAUSE_MS < wait_ms)
                wait_ms = end->again_ms + 10 * end->scan_ms + WORLD_PAUSE_MS;
        world_pass_after(wait_ms);
}

/* ---- what is done to the program --------------------------------------------------------------- */

/* From this moment on nothing of it is carried out; its memory is given back. */
static void world_crash(void)
{
        sim_trace("crash");
        sim_count(SIM_LIFE_CRASH);
        loop.dead = true;
        world.passing = false;
        loop_cancel(TAKE_PTR(world.timer));
        if (world.cycle && !world.stopping)
                cycle_stop(world.cycle, world_stopped, NULL);
        loop_drain();
        if (world.cycle || world.store)
                sim_fail("the program does not come to its end");
        loop.dead = false;
        world.reopen_err = 0;
        if (sim_chance(200)) {
                sim_count(SIM_LIFE_REBOOT);
                for (int i = 0; i < FS_N; i++)
                        tree.dev[i] += FS_N;
                if (sim_chance(300)) /* numbers are given out anew, old ones too */
                        tree.dev[FS_MOUNT] = tree.dev[FS_ROOT] - FS_N;
        }
        world_start_after(sim_below(60000));
}

static void world_rebind(void)
{
        sim_count(SIM_LIFE_REBIND);
        rule_rebound();
        str_copy(world.cloud, sizeof(world.cloud),
                 str_eq(world.cloud, "disk:/M") ? "disk:/Backup/Docs" : "disk:/M");
        edit_set_root(world.cloud + strlen("disk:/"));
        sim_trace("the cloud folder is %s now", world.cloud);
}

/* While the program does not run. */
static void world_meddle(void)
{
        switch (sim_below(6)) {
        case 0:
                snap_lose();
                rule_lost_snapshot();
                sim_count(SIM_STORE_LOST);
                sim_trace("the snapshot is lost");
                return;
        case 1:
                if (!snap_restore())
                        return;
                rule_lost_snapshot();
                sim_count(SIM_STORE_RESTORED);
                sim_trace("the snapshot is an old one");
                return;
        case 2:
                world_rebind();
                return;
        case 3:
                world.config.exclude = sim_chance(500) ? (char *)"*.zip,ab" : (char *)"";
                sim_count(SIM_LIFE_EXCLUDE);
                sim_trace("left out: %s", world.config.exclude);
                return;
        default:
                return;
        }
}

static void world_approve(void)
{
        const char *held = snap_meta("held");

        if (!held || sim_chance(300)) {
                snprintf(snap.approval, sizeof(snap.approval), "%016" PRIx64, seed_next(&sim.seed));
                sim_count(SIM_LIFE_APPROVE_OLD);
        } else {
                rule_approved();
                str_copy(snap.approval, sizeof(snap.approval), held);
                sim_count(SIM_LIFE_APPROVE);
        }
        sim_trace("approved: %s", snap.approval);
}

static void world_jump(void)
{
        static const int64_t jumps[] = {1, 60, 3600, 86400, 10 * 365 * 86400};
        int64_t by = jumps[sim_below(ARRAY_SIZE(jumps))] * SECOND;

        loop.wall_ahead_ns += sim_chance(500) ? by : -by;
        loop.epoch++;
        tree.free_ino = 0;
        sim_count(SIM_LIFE_CLOCK);
        sim_trace("the clock jumps by %" PRId64 " s", by / SECOND);
}

static void world_live(void)
{
        switch (sim_below(10)) {
        case 0:
                snap_back_up();
                return;
        case 1:
                if (world.cycle && !world.stopping) {
                        sim_count(SIM_LIFE_STOP);
                        world_stop();
                }
                return;
        case 2:
        case 3:
                world_approve();
                return;
        case 4:
                world_jump();
                return;
        case 5:
                world_crash();
                world_meddle();
                return;
        case 6:
                snap.damage = sim_chance(500) ? SNAP_ROWS_MISSING : SNAP_UNREADABLE;
                sim_count(SIM_STORE_DAMAGED);
                sim_trace("the snapshot is damaged");
                return;
        case 7:
                if (!world.store)
                        return;
                snap_lose();
                snap.stale = true;
                rule_lost_snapshot();
                sim_count(SIM_STORE_STALE);
                sim_trace("the snapshot is removed");
                return;
        case 8:
                snap.spool_fail = ENOSPC;
                sim_count(SIM_SPOOL_ENOSPC);
                return;
        default:
                if (sim_chance(500)) {
                        snap.fail = ENOSPC;
                        sim_count(SIM_STORE_ENOSPC);
                } else {
                        snap.fail = EIO;
                        sim_count(SIM_STORE_EIO);
                }
                return;
        }
}

/* ---- deeds ------------------------------------------------------------------------------------- */

static void world_rest(void)
{
        sim.doing = false;
        sim_trace("at rest");
        edit_heal();
        snap.fail = snap.spool_fail = 0;
        disk.max_file = DISK_MAX_FILE;
        /* A person who sees a held plan agrees; one who sees a full pass is content. */
        if (world.timer && world.cycle) {
                loop_cancel(TAKE_PTR(world.timer));
                world_pass_after(1000);
        }
}

static void world_deed(void *userdata _unused_)
{
        unsigned which = sim_below(100);

        if (sim.failed)
                return;
        if (sim.steps == 0) {
                world_rest();
                return;
        }
        sim.steps--;
        if (which < world.clouds)
                edit_cloud();
        else if (which < world.clouds + world.hides)
                edit_hide();
        else if (which < world.clouds + world.hides + world.lives)
                world_live();
        else
                edit_local();
        /* Somebody asks for a pass, or the time has come just now. */
        if (world.timer && world.cycle && !world.stopping && sim_chance(200)) {
                loop_cancel(TAKE_PTR(world.timer));
                world_pass_after(sim_below(400));
        }
        loop_after((int64_t)sim_below(sim_chance(300) ? 200 : 40000) * MS, SIDE_WORLD, world_deed,
                   NULL);
}

/* ---- life -------------------------------------------------------------------------------------- */

static void world_configure(void)
{
        static const int64_t settles[] = {0, 3000};
        static const uint64_t brakes[] = {0, 2, 5, 100};
        static const int64_t periods[] = {5000, 30000, 30000, 300000};
        static const int64_t audits[] = {0, 3600000, 86400000};

        str_copy(world.cloud, sizeof(world.cloud), sim_chance(500) ? "disk:/M" : "disk:/Backup/Docs");
        world.config = (struct config){
                .token = (char *)"token",
                .folder = (char *)"/home/somebody/Docs",
                .cloud = world.cloud,
                .state_dir = (char *)"/state",
                .api_url = (char *)WIRE_API,
                .exclude = (char *)"",
                .period_ms = periods[sim_below(ARRAY_SIZE(periods))],
                .parallel = 1 + sim_below(8),
                .api_rate = sim_chance(500) ? 0 : 20,
                .settle_ms = settles[sim_below(ARRAY_SIZE(settles))],
                .disguise = (enum disguise_policy)sim_below(3),
                .delete_mode = sim_chance(700) ? DELETE_TRASH : (enum config_delete)sim_below(3),
                .max_delete = brakes[sim_below(ARRAY_SIZE(brakes))],
                .max_delete_percent = sim_below(60),
                .verify = (enum config_verify)sim_below(3),
                .audit_ms = audits[sim_below(ARRAY_SIZE(audits))],
        };
        if (world.config.verify == VERIFY_OFF) /* nobody would notice */
                fault_forbid_lies();
}

static void world_begin(uint64_t seed, unsigned steps)
{
        sim.seed = (struct seed){.number = seed, .state = seed};
        sim.failed = false;
        sim.doing = true;
        sim.trace = 0xcbf29ce484222325u;
        *sim.why = '\0';
        memset(&world, 0, sizeof(world));
        memset(&loop, 0, sizeof(loop));
        loop.now_ns = (int64_t)(1 + sim_below(100000)) * SECOND;
        loop.wall_ahead_ns = INT64_C(1700000000) * SECOND + (int64_t)sim_below(1000) * MS;
        content_begin();
        fault_begin();
        world_configure();
        rule_begin(&world.config);
        tree_begin();
        tree.told = seed >= WORLD_TOLD;
        disk_begin();
        snap_begin();
        edit_begin(world.cloud + strlen("disk:/"));
        world.once = sim_chance(300);
        world.crashes = sim_chance(500) ? sim_below(12) : 0;
        world.clouds = sim_chance(500) ? sim_below(50) : 0;
        world.hides = sim_chance(400) ? sim_below(25) : 0;
        world.lives = sim_chance(500) ? sim_below(25) : 0;
        if (sim_chance(100))
                disk.max_file = 100000;
        sim.steps = 3 + sim_below(30);
        if (sim.steps > steps)
                sim.steps = steps;
        loop_after((int64_t)sim_below(20000) * MS, SIDE_WORLD, world_deed, NULL);
        world_start_after(0);
}

static void world_end(void)
{
        /* Whatever the verdict, the program's memory is its own to give back. */
        if (world.cycle) {
                loop.dead = true;
                loop_cancel(TAKE_PTR(world.timer));
                if (!world.stopping)
                        cycle_stop(world.cycle, world_stopped, NULL);
                loop_drain();
        }
        net_finish();
        look_finish();
        loop_finish();
        store_close(TAKE_PTR(world.store));
        rule_finish();
        snap_finish();
        disk_finish();
        tree_finish();
        stir_finish(&world.stir);
}

unsigned world_play(uint64_t seed, unsigned steps)
{
        unsigned planned;
        uint64_t events;

        world_begin(seed, steps);
        planned = sim.steps;
        sim.counts.worlds++;
        events = sim.counts.events;
        while (!sim.failed && !world.over) {
                if (!loop_step())
                        sim_fail("(5) nothing happens any more");
                if (sim.counts.events - events > WORLD_EVENTS_MAX)
                        sim_fail("(5) no end");
                if (sim.doing && !sim.failed && world.cycle && sim_chance(world.crashes))
                        world_crash();
        }
        if (!sim.failed)
                rule_judge();
        if (!sim.failed && world.last.status != EXIT_OK && !rule_excuses() && !edit_has_mount())
                sim_fail("(1) all is mirrored, and the status is %d", (int)world.last.status);
        world_end();
        return planned;
}
