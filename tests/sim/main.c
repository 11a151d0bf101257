/* SPDX-License-Identifier: MIT */

/*
 *      sim --seeds N [--from S] [--jobs J] [--first FILE]     many worlds, those in FILE first
 *      sim --seed S [--steps K] [--trace]                     one of them again
 *
 * In the worlds from 1000000000 on the daemon is told of changes.
 *
 * A broken rule ends a run: the world's number is printed with the fewest steps that still break
 * it, as the command that plays it again.
 */

#include "tests/sim/world.h"

#include "lib/base/log.h"

#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

/* A run of so many worlds has met everything there is. */
#define MAIN_WHOLE_RUN 10000
/* Every so-manieth world is played twice, and must be the same. */
#define MAIN_TWICE 50

struct run {
        uint64_t from, n;
        unsigned job, jobs;
};

static uint64_t main_seed; /* at hand */

/* When the program's code breaks down altogether, the number is still wanted. */
static void main_broke_down(int number)
{
        printf("not ok sim_worlds\n# signal %d in world %" PRIu64 ": sim --seed %" PRIu64
               " --trace\n", number, main_seed, main_seed);
        fflush(stdout);
        signal(number, SIG_DFL);
        raise(number);
}

/* Fewer steps that break a rule too. */
static unsigned main_shrink(uint64_t seed, unsigned steps)
{
        char why[sizeof(sim.why)];
        unsigned fewest = steps;

        memcpy(why, sim.why, sizeof(why));
        for (unsigned k = 0; k < steps; k++) {
                world_play(seed, k);
                if (sim.failed) {
                        fewest = k;
                        memcpy(why, sim.why, sizeof(why));
                        break;
                }
        }
        memcpy(sim.why, why, sizeof(why));
        return fewest;
}

static bool main_play(uint64_t seed)
{
        unsigned steps;
        uint64_t trace;

        main_seed = seed;
        steps = world_play(seed, UINT_MAX);
        trace = sim.trace;
        if (!sim.failed && seed % MAIN_TWICE == 0) {
                struct sim_counts counts = sim.counts;

                world_play(seed, UINT_MAX);
                sim.counts = counts;
                if (sim.trace != trace)
                        sim_fail("(8) played twice, it is not the same");
        }
        if (!sim.failed)
                return true;
        steps = main_shrink(seed, steps);
        printf("not ok sim_worlds\n# world %" PRIu64 ": %s\n# to play it again: sim --seed %" PRIu64
               " --steps %u --trace\n", seed, sim.why, seed, steps);
        fflush(stdout);
        return false;
}

/* The worlds of one job; the counters go to `out`. */
static int main_job(const struct run *run, FILE *out)
{
        for (uint64_t i = run->job; i < run->n; i += run->jobs)
                if (!main_play(run->from + i))
                        return 1;
        return fwrite(&sim.counts, sizeof(sim.counts), 1, out) == 1 && fflush(out) == 0 ? 0 : 1;
}

static void main_add(struct sim_counts *sum, const struct sim_counts *one)
{
        sum->worlds += one->worlds;
        sum->passes += one->passes;
        sum->in_part += one->in_part;
        sum->requests += one->requests;
        sum->events += one->events;
        for (size_t i = 0; i < SIM_COUNT_N; i++)
                sum->by[i] += one->by[i];
}

static bool main_join(FILE *from, pid_t pid, struct sim_counts *sum)
{
        struct sim_counts one;
        bool whole = fread(&one, sizeof(one), 1, from) == 1;
        int status;

        fclose(from);
        if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
                whole = false;
        if (whole)
                main_add(sum, &one);
        return whole;
}

/* Each job in a process of its own; what one process has met, no other sees. */
static bool main_jobs(const struct run *run, struct sim_counts *sum)
{
        FILE *from[64];
        pid_t pids[64];
        bool ok = true;

        for (unsigned i = 0; i < run->jobs; i++) {
                struct run mine = *run;
                int ends[2];

                mine.job = i;
                if (pipe(ends) < 0 || fflush(stdout) != 0 || (pids[i] = fork()) < 0)
                        exit(2);
                if (pids[i] == 0) {
                        FILE *out = fdopen(ends[1], "w");

                        _exit(out ? main_job(&mine, out) : 2);
                }
                close(ends[1]);
                from[i] = fdopen(ends[0], "r");
                if (!from[i])
                        exit(2);
        }
        for (unsigned i = 0; i < run->jobs; i++)
                ok &= main_join(from[i], pids[i], sum);
        return ok;
}

/* What never happened was not tested. */
static bool main_report(const struct sim_counts *c)
{
        bool all = true;

        for (size_t i = 0; i < SIM_COUNT_N; i++) {
                printf("# %-34s %" PRIu64 "\n", sim_count_name((enum sim_count)i), c->by[i]);
                if (c->by[i] > 0 || c->worlds < MAIN_WHOLE_RUN)
                        continue;
                printf("not ok sim_has_met %s\n", sim_count_name((enum sim_count)i));
                all = false;
        }
        printf("ok sim_worlds %" PRIu64 " seeds, %" PRIu64 " passes (%" PRIu64 " in part), %" PRIu64
               " requests, %" PRIu64 " crashes, %" PRIu64 " events\n", c->worlds, c->passes, c->in_part, c->requests,
               c->by[SIM_LIFE_CRASH], c->events);
        return all;
}

/* Numbers of worlds, one a line, with comments: those that once broke a rule. */
static bool main_first(const char *path)
{
        char line[256];
        FILE *f = fopen(path, "r");
        bool ok = f;

        if (!f)
                printf("not ok sim_worlds\n# cannot read %s\n", path);
        while (ok && fgets(line, sizeof(line), f)) {
                uint64_t seed = strtoull(line, NULL, 10);

                ok = seed == 0 || main_play(seed);
        }
        if (f)
                fclose(f);
        return ok;
}

/* What the program says; not part of the trace's hash. */
static void main_said(const struct log_entry *entry, void *userdata _unused_)
{
        printf("%10s  says: %s\n", "", entry->line);
}

static int main_one(uint64_t seed, unsigned steps, bool show)
{
        main_seed = seed;
        sim.show = show;
        if (show)
                log_init(LOG_DEBUG, main_said, NULL);
        world_play(seed, steps);
        if (sim.failed)
                printf("not ok sim_world %" PRIu64 ": %s\n", seed, sim.why);
        else
                printf("ok sim_world %" PRIu64 ": trace %016" PRIx64 "\n", seed, sim.trace);
        return sim.failed;
}

int main(int argc, char **argv)
{
        static const struct option options[] = {
                {"seeds", required_argument, NULL, 'n'}, {"from", required_argument, NULL, 'f'},
                {"jobs", required_argument, NULL, 'j'},  {"seed", required_argument, NULL, 's'},
                {"first", required_argument, NULL, 'i'},
                {"steps", required_argument, NULL, 'k'}, {"trace", no_argument, NULL, 't'},
                {NULL, 0, NULL, 0},
        };
        struct run run = {.from = 1, .n = 1000, .jobs = 1};
        struct sim_counts sum = {0};
        const char *first = NULL;
        unsigned steps = UINT_MAX;
        uint64_t one = 0;
        bool show = false;
        int option;

        while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
                if (option == 'n')
                        run.n = strtoull(optarg, NULL, 10);
                else if (option == 'f')
                        run.from = strtoull(optarg, NULL, 10);
                else if (option == 'j')
                        run.jobs = (unsigned)strtoul(optarg, NULL, 10);
                else if (option == 's')
                        one = strtoull(optarg, NULL, 10);
                else if (option == 'i')
                        first = optarg;
                else if (option == 'k')
                        steps = (unsigned)strtoul(optarg, NULL, 10);
                else if (option == 't')
                        show = true;
                else
                        return 64;
        if (run.jobs < 1 || run.jobs > 64)
                return 64;
        signal(SIGSEGV, main_broke_down);
        signal(SIGABRT, main_broke_down);
        if (one)
                return main_one(one, steps, show);
        if (first && !main_first(first))
                return 1;
        return !(main_jobs(&run, &sum) && main_report(&sum));
}
