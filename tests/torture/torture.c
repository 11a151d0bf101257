/* SPDX-License-Identifier: MIT */

/*
 * torture -b BUILD [-t FOLDER] [-j JOBS] [--every K] [--seed S] [--set SET] [--mode MODE]
 *         [--point N] [PATTERN]
 *
 * Scenarios of the real binary against the emulator, in which one call at a time goes wrong: see
 * shim.c for which calls, and how.  For each point the start is restored, the program is run with
 * the fault, and the end of that is judged:
 *
 *   - it ended by itself, in time, with a documented status (or by the SIGKILL that was ordered);
 *   - the watched folder is as it was;
 *   - what is still here is still in the cloud, in the version of before or in that of now, never in
 *     another; what is not ours is there untouched, in the Trash if its name was needed;
 *   - a run without a fault then makes the two trees equal, without remnants, and after a kill
 *     nothing that had arrived was sent again;
 *   - and one more run makes no call.
 *
 * Prints a line a scenario, set and mode; a point that fails is told with the command that plays it
 * again.
 */

#include "tests/torture/world.h"

#include <getopt.h>
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Threads do not always come in the same order: so many calls more are tried than were counted. */
#define SLACK 8

/* Further failures of one group are not told of. */
#define TOLD_MAX 10

static const char *const set_names[PAGE_SETS] = {
        [PAGE_IO] = "io", [PAGE_NET] = "net",     [PAGE_MEM] = "mem",
        [PAGE_THREAD] = "thread", [PAGE_START] = "start",
};

static const char *const mode_names[PAGE_MODES] = {
        [PAGE_COUNT] = "count", [PAGE_ERR] = "err",   [PAGE_STICKY] = "sticky",
        [PAGE_SHORT] = "short", [PAGE_EINTR] = "eintr", [PAGE_KILL] = "kill",
        [PAGE_KILLAFTER] = "killafter",
};

/* ---- scenarios -------------------------------------------------------------------------------- */

/* Names of files beginning with "theirs" belong to somebody else.  No two files have the same
 * size, so that what is sent can be told by it. */
struct scenario {
        const char *name;
        const char *env;             /* a further line of the .env */
        void (*make)(struct world *w);
        const char *command;         /* that the fault strikes */
        int whole;                   /* with what `once` ends when nothing goes wrong */
        bool deletes;                /* what is gone here may be gone there */
        bool approves;               /* the clean run begins with `approve` */
        bool unknown;                /* the snapshot knows nothing of what is in the cloud */
};

static void plain(struct world *w, int want)
{
        int status;

        world_no_fault(w);
        status = world_run(w, &w->once);
        if (status < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != want)
                world_die("a run without a fault ended with %#x instead of %d: %s", (unsigned)status,
                          want, world_read(w, "log"));
}

/* As if somebody else had put it. */
static void theirs(struct world *w, const char *name, const char *text)
{
        char path[256];

        snprintf(path, sizeof(path), "put?path=disk:/" WORLD_CLOUD "%s", name);
        free(world_ask(w, "POST", path, text, strlen(text)));
}

static void make_first(struct world *w)
{
        theirs(w, "1", "the file of somebody else");
        theirs(w, "theirs", "that nobody needs");
        world_sh(w, "cd src && mkdir -p d/e && echo 1 >1 && echo 22 >d/2 && echo 333 >d/e/3 && "
                    "head -c 70000 /dev/zero >d/f.zip");
}

static void make_changes(struct world *w)
{
        world_sh(w, "cd src && mkdir -p d/e x && echo 1 >1 && echo 22 >d/2 && echo 333 >d/e/3 && "
                    "echo 4444 >k && echo 55555 >x/5 && head -c 70000 /dev/zero >g.mp4");
        plain(w, 0);
        theirs(w, "d/theirs", "in the middle of ours");
        world_sh(w, "cd src && echo 666666 >1 && rm -r d/2 d/e k x && mkdir k && echo 7777777 >k/in && "
                    "echo 88888888 >x && head -c 80000 /dev/zero | tr '\\0' y >g.mp4");
}

static void make_adopt(struct world *w)
{
        world_sh(w, "cd src && mkdir -p d/e && echo 1 >1 && echo 22 >d/2 && echo 333 >d/e/3 && "
                    "head -c 70000 /dev/zero >g.mp4");
        plain(w, 0);
        theirs(w, "d/theirs", "in the middle of ours");
        world_sh(w, "cd src && echo 4444 >1 && echo 55555 >d/new && rm -r ../state");
}

static void make_many(struct world *w)
{
        world_sh(w, "cd src && mkdir -p d/e && echo 1 >1 && echo 22 >d/2 && echo 333 >d/e/3 && "
                    "echo 4444 >4");
        plain(w, 0);
        theirs(w, "theirs", "that nobody needs");
        world_sh(w, "cd src && rm -r 1 d/e && echo 55555 >new");
}

static void make_held(struct world *w)
{
        make_many(w);
        plain(w, 75);
}

/* The id that the log of a held plan names. */
static void held_id(struct world *w, char ret[32])
{
        char *log = world_read(w, "log"), *at = strstr(log, "ydsync approve ");

        if (!at || sscanf(at, "ydsync approve %31s", ret) != 1)
                world_die("the log names no plan: %s", log);
        free(log);
}

static void make_approve(struct world *w)
{
        char id[32];

        make_held(w);
        held_id(w, id);
        world_serve(w, &w->other, "approve", id);
}

static void make_approved(struct world *w)
{
        make_approve(w);
        world_no_fault(w);
        if (world_run(w, &w->other) != 0)
                world_die("the plan cannot be approved: %s", world_read(w, "log"));
        world_serve_end(&w->other);
}

/* Killed when its disguised upload had arrived and had not got its name. */
static void make_resume(struct world *w)
{
        world_sh(w, "cd src && mkdir d && echo 1 >1 && head -c 70000 /dev/zero >d/f.zip");
        for (unsigned at = 1; at < 2000; at++) {
                struct leaves cloud;
                bool found = false;

                world_sh(w, "rm -rf state");
                free(world_ask(w, "POST", "reset?what=all", NULL, 0));
                world_no_fault(w);
                w->page->set = PAGE_NET;
                w->page->mode = PAGE_KILL;
                w->page->at = at;
                world_run(w, &w->once);
                cloud = world_cloud(w);
                for (size_t i = 0; i < cloud.n; i++)
                        found |= strstr(cloud.items[i].path, "ydsync-upload-") != NULL;
                leaves_finish(&cloud);
                if (found)
                        return;
        }
        world_die("no kill leaves an upload without a name");
}

static const struct scenario scenarios[] = {
        {"first", "", make_first, "once", 0, .deletes = true, .unknown = true},
        {"changes", "", make_changes, "once", 0, .deletes = true},
        {"adopt", "", make_adopt, "once", 0, .deletes = true, .unknown = true},
        {"held", "YDSYNC_MAX_DELETE=0/0%", make_many, "once", 75},
        {"approve", "YDSYNC_MAX_DELETE=0/0%", make_approve, "approve", 0, .approves = true},
        {"approved", "YDSYNC_MAX_DELETE=0/0%", make_approved, "once", 0, .deletes = true},
        {"resume", "", make_resume, "once", 0, .deletes = true},
};

/* ---- what is tried ---------------------------------------------------------------------------- */

struct group {
        const struct scenario *scenario;
        enum page_set set;
        enum page_mode mode;
        /* Shared by the workers. */
        atomic_uint next, points, failed, told;
        atomic_ulong ms;
};

struct torture {
        const char *build, *dir;
        unsigned jobs, every, seed, point;
        int set, mode; /* -1: all */
        regex_t pattern;
        struct group *groups;
        size_t n_groups;
};

static const struct {
        enum page_set set;
        enum page_mode mode;
} tried[] = {
        {PAGE_IO, PAGE_ERR},     {PAGE_IO, PAGE_STICKY}, {PAGE_IO, PAGE_SHORT},
        {PAGE_IO, PAGE_EINTR},   {PAGE_IO, PAGE_KILL},   {PAGE_IO, PAGE_KILLAFTER},
        {PAGE_NET, PAGE_ERR},    {PAGE_NET, PAGE_STICKY}, {PAGE_NET, PAGE_SHORT},
        {PAGE_NET, PAGE_KILL},   {PAGE_NET, PAGE_KILLAFTER},
        {PAGE_MEM, PAGE_ERR},    {PAGE_MEM, PAGE_STICKY},
        {PAGE_THREAD, PAGE_ERR}, {PAGE_THREAD, PAGE_STICKY},
        {PAGE_START, PAGE_ERR},  {PAGE_START, PAGE_STICKY},
};

/* One point, on its way through the checks. */
struct trial {
        struct torture *t;
        struct world *w;
        struct group *group;
        unsigned at;
        bool failed;
        bool killed;
};

static void wrong(struct trial *trial, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Tells of it once a point, in one piece. */
static void wrong(struct trial *trial, const char *fmt, ...)
{
        struct group *g = trial->group;
        struct page *page = trial->w->page;
        char what[2048], *log, *line;
        va_list ap;

        if (trial->failed)
                return;
        trial->failed = true;
        atomic_fetch_add(&g->failed, 1);
        if (atomic_fetch_add(&g->told, 1) >= TOLD_MAX)
                return;
        va_start(ap, fmt);
        vsnprintf(what, sizeof(what), fmt, ap);
        va_end(ap);
        log = world_read(trial->w, "log");
        line = NULL;
        if (asprintf(&line,
                     "not ok torture_%s_%s_%s point %u: %s\n"
                     "#   %s (%s) in %s\n"
                     "#   again: tests/torture/run -b %s --set %s --mode %s --point %u --seed %u "
                     "'^%s$'\n"
                     "#   last log: %.1500s\n",
                     g->scenario->name, set_names[g->set], mode_names[g->mode], trial->at, what,
                     page->call, strerrorname_np(page->err) ? strerrorname_np(page->err) : "-",
                     page->where, trial->t->build, set_names[g->set], mode_names[g->mode],
                     trial->at, trial->t->seed, g->scenario->name, log) > 0) {
                fputs(line, stdout);
                fflush(stdout);
        }
        free(line);
        free(log);
}

/* ---- checks ----------------------------------------------------------------------------------- */

static bool is_theirs(const char *path)
{
        const char *name = strrchr(path, '/');

        return strncmp(name ? name + 1 : path, "theirs", 6) == 0;
}

static bool is_wire(const char *path)
{
        const char *name = strrchr(path, '/');

        return strncmp(name ? name + 1 : path, "ydsync-upload-", 14) == 0;
}

/* The part of a path of the Disk that is below the cloud folder, or NULL. */
static const char *below(const char *path)
{
        size_t n = strlen(WORLD_CLOUD);

        return strncmp(path, WORLD_CLOUD, n) == 0 ? path + n : NULL;
}

static void check_ended(struct trial *trial, int status)
{
        static const int documented[] = {0, 66, 69, 73, 74, 75, 77, 78};
        char *log;

        if (status < 0) {
                wrong(trial, "it hangs");
                return;
        }
        trial->killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL &&
                        (trial->group->mode == PAGE_KILL || trial->group->mode == PAGE_KILLAFTER);
        if (trial->killed)
                return;
        if (WIFSIGNALED(status)) {
                wrong(trial, "it died of signal %d", WTERMSIG(status));
                return;
        }
        log = world_read(trial->w, "log");
        if (WEXITSTATUS(status) != 0 && !*log)
                wrong(trial, "it ended with %d and says nothing", WEXITSTATUS(status));
        if (strstr(log, "Sanitizer") || strstr(log, "runtime error"))
                wrong(trial, "a sanitizer has spoken");
        free(log);
        for (size_t i = 0; i < ARRAY_SIZE(documented); i++)
                if (WEXITSTATUS(status) == documented[i])
                        return;
        wrong(trial, "it ended with %d", WEXITSTATUS(status));
}

static bool arrived_as_wire(const struct leaves *cloud, const struct leaf *here)
{
        for (size_t i = 0; i < cloud->n; i++)
                if (is_wire(cloud->items[i].path) && leaf_same(&cloud->items[i], here))
                        return true;
        return false;
}

/* What was in the cloud at the start, after the fault. */
static void check_old(struct trial *trial, const struct leaf *old, const struct leaves *cloud)
{
        const struct world *w = trial->w;
        const char *name = below(old->path);
        const struct leaf *here = name ? leaves_find(&w->source, name) : NULL;
        const struct leaf *there = leaves_find(cloud, old->path);

        if (is_wire(old->path))
                return;
        if (!name || is_theirs(old->path)) {
                if (!leaf_same(old, there))
                        wrong(trial, "%s is not ours and is not what it was", old->path);
        } else if (!here) {
                if (!trial->group->scenario->deletes && !leaf_same(old, there))
                        wrong(trial, "%s was removed or changed before it was allowed", old->path);
        } else if (!there && trial->group->scenario->unknown && arrived_as_wire(cloud, here)) {
                return; /* theirs is in the Trash, and ours is about to get its name */
        } else if (here->dir == old->dir && !leaf_same(old, there) && !leaf_same(here, there)) {
                wrong(trial, "%s is here, and in the cloud it is %s", name,
                      there ? "something else" : "gone");
        }
}

static void check_cloud(struct trial *trial)
{
        const struct world *w = trial->w;
        struct leaves cloud = world_cloud(trial->w);

        for (size_t i = 0; i < w->cloud.n; i++)
                check_old(trial, &w->cloud.items[i], &cloud);
        for (size_t i = 0; i < cloud.n; i++) {
                const struct leaf *there = &cloud.items[i];
                const char *name = below(there->path);

                if (leaf_same(leaves_find(&w->cloud, there->path), there) || is_wire(there->path) ||
                    strncmp(WORLD_CLOUD, there->path, strlen(there->path)) == 0)
                        continue;
                if (!name || !leaf_same(leaves_find(&w->source, name), there))
                        wrong(trial, "in the cloud there is a %s that never was here",
                              there->path);
        }
        leaves_finish(&cloud);
}

/* What somebody else had put where a file of ours had to go is in the Trash. */
static void check_trash(struct trial *trial)
{
        struct world *w = trial->w;
        char *trash;

        if (trial->group->scenario->make != make_first)
                return;
        trash = world_ask(w, "GET", "trash.txt", NULL, 0);
        if (!strstr(trash, "f 25 "))
                wrong(trial, "what somebody else had put is gone for good");
        free(trash);
}

static void check_equal(struct trial *trial)
{
        const struct world *w = trial->w;
        struct leaves cloud = world_cloud(trial->w);

        for (size_t i = 0; i < w->source.n; i++) {
                char path[512];

                snprintf(path, sizeof(path), WORLD_CLOUD "%s", w->source.items[i].path);
                if (!leaf_same(&w->source.items[i], leaves_find(&cloud, path)))
                        wrong(trial, "the clean run does not bring %s", path);
        }
        for (size_t i = 0; i < cloud.n; i++) {
                const char *name = below(cloud.items[i].path);

                if (!name || is_theirs(name) || leaves_find(&w->source, name))
                        continue;
                if (is_wire(name))
                        wrong(trial, "the clean run leaves %s", name);
                else if (trial->group->scenario->deletes || trial->group->scenario->approves)
                        wrong(trial, "the clean run leaves %s, which is gone here", name);
        }
        for (size_t i = 0; i < w->cloud.n; i++) {
                const struct leaf *old = &w->cloud.items[i];

                if (is_theirs(old->path) && !leaf_same(old, leaves_find(&cloud, old->path)))
                        wrong(trial, "the clean run does away with %s", old->path);
        }
        leaves_finish(&cloud);
}

/* Whether a line of the journal tells of an upload that arrived, and of which size. */
static bool arrived(const char *line, size_t len, long *ret_size)
{
        char text[2048];
        const char *at;

        if (len >= sizeof(text))
                return false;
        memcpy(text, line, len);
        text[len] = '\0';
        at = strstr(text, "\"body_bytes\":");
        return strstr(text, "\"endpoint\":\"put\"") && strstr(text, "\"status\":201") && at &&
               sscanf(at, "\"body_bytes\":%ld", ret_size) == 1;
}

static void check_sent_once(struct trial *trial)
{
        char *journal = world_ask(trial->w, "GET", "journal", NULL, 0);
        long sizes[64], size;
        size_t n = 0;

        for (char *line = journal, *end; (end = strchr(line, '\n')); line = end + 1) {
                if (!arrived(line, (size_t)(end - line), &size))
                        continue;
                for (size_t i = 0; i < n; i++)
                        if (sizes[i] == size)
                                wrong(trial, "%ld bytes that had arrived were sent again", size);
                if (n < ARRAY_SIZE(sizes))
                        sizes[n++] = size;
        }
        free(journal);
}

/* A pass with nothing to do may still look for a remnant that could appear late.  A request that was
 * given up is of the run before: it is written down when the emulator notices. */
static void check_quiet(struct trial *trial)
{
        char *journal = world_ask(trial->w, "GET", "journal", NULL, 0);

        for (char *line = journal, *end; (end = strchr(line, '\n')); line = end + 1) {
                *end = '\0';
                if (!strstr(line, "ydsync-upload-") && !strstr(line, "\"aborted\":true"))
                        wrong(trial, "a further run makes calls: %.300s", line);
        }
        free(journal);
}

static void check_run(struct trial *trial, struct server *server, int want, const char *what)
{
        int status = world_run(trial->w, server);

        if (status < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != want)
                wrong(trial, "%s ended with %#x, not %d", what, (unsigned)status, want);
}

/* What is left of a plan that was approved is another plan, and asks again. */
static void approve_the_rest(struct trial *trial)
{
        struct world *w = trial->w;
        char *log = world_read(w, "log");
        char id[32];

        if (strstr(log, "ydsync approve ")) {
                held_id(w, id);
                world_serve(w, &w->other, "approve", id);
                check_run(trial, &w->other, 0, "`approve` of the rest");
                world_serve_end(&w->other);
        }
        free(log);
}

static void check_clean(struct trial *trial)
{
        struct world *w = trial->w;
        const struct scenario *s = trial->group->scenario;
        enum page_mode mode = w->page->mode;

        w->page->mode = PAGE_COUNT;
        if (s->approves)
                check_run(trial, &w->other, 0, "`approve` after it");
        if (s->make == make_approved) {
                world_run(w, &w->once);
                approve_the_rest(trial);
        }
        check_run(trial, &w->once, s->whole, "the clean run");
        if (trial->failed)
                return;
        check_equal(trial);
        check_trash(trial);
        if (trial->killed)
                check_sent_once(trial);
        free(world_ask(w, "DELETE", "journal", NULL, 0));
        check_run(trial, &w->once, s->whole, "a further run");
        check_quiet(trial);
        if (world_source_sum(w) != w->source_sum)
                wrong(trial, "the watched folder is not as it was");
        w->page->mode = mode;
}

/* ---- points ----------------------------------------------------------------------------------- */

static long now_ms(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int run_it(struct world *w, const struct group *g)
{
        if (g->set == PAGE_START)
                return world_run_anew(w, g->scenario->command);
        return world_run(w, g->scenario->approves ? &w->other : &w->once);
}

/* What a process that was killed had sent may be on its way still. */
static void wait_for_quiet(struct world *w)
{
        char *last = calloc(1, 1), *count;
        bool quiet = false;

        for (int i = 0; i < 1000 && !quiet; i++) {
                usleep(2000);
                count = world_ask(w, "GET", "count", NULL, 0);
                quiet = strcmp(count, last) == 0 && strstr(count, "\"parallel_put\":0");
                free(last);
                last = count;
        }
        free(last);
}

/* False when it did not come to that call. */
static bool play(struct torture *t, struct world *w, struct group *g, unsigned at)
{
        struct trial trial = {.t = t, .w = w, .group = g, .at = at};
        int status;

        world_restore(w);
        world_no_fault(w);
        w->page->set = g->set;
        w->page->mode = g->mode;
        w->page->at = at;
        status = run_it(w, g);
        if (!atomic_load(&w->page->hit))
                return false;
        check_ended(&trial, status);
        if (trial.killed)
                wait_for_quiet(w);
        check_cloud(&trial);
        check_clean(&trial);
        atomic_fetch_add(&g->points, 1);
        return true;
}

static unsigned count(struct world *w, const struct group *g)
{
        int status;

        world_restore(w);
        world_no_fault(w);
        status = run_it(w, g);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != g->scenario->whole)
                world_die("%s without a fault ended with %#x: %s", g->scenario->name,
                          (unsigned)status, world_read(w, "log"));
        return (unsigned)atomic_load(&w->page->count[g->set]);
}

static void play_group(struct torture *t, struct world *w, struct group *g)
{
        long began = now_ms();
        unsigned last, at;

        if (t->point > 0) {
                if (atomic_fetch_add(&g->next, 1) <= 1 && !play(t, w, g, t->point))
                        world_die("it does not come to that call");
                return;
        }
        last = count(w, g) + SLACK;
        while ((at = atomic_fetch_add(&g->next, t->every)) <= last)
                play(t, w, g, at);
        atomic_fetch_add(&g->ms, (unsigned long)(now_ms() - began));
}

static void set_up(struct world *w, const struct scenario *s)
{
        world_clear(w, s->env);
        if (w->once.pid == 0)
                world_serve(w, &w->once, "once", NULL);
        s->make(w);
        world_keep(w);
        usleep(2100000); /* so that nothing is young any more */
}

static void work(struct torture *t, unsigned number)
{
        const struct scenario *last = NULL;
        char dir[256];
        struct world w;

        snprintf(dir, sizeof(dir), "%s/%u", t->dir, number);
        world_create(&w, t->build, dir);
        for (size_t i = 0; i < t->n_groups; i++) {
                struct group *g = &t->groups[i];

                if (g->scenario != last)
                        set_up(&w, g->scenario);
                last = g->scenario;
                play_group(t, &w, g);
        }
        world_destroy(&w);
}

/* ---- all of it -------------------------------------------------------------------------------- */

static bool wanted(const struct torture *t, const struct scenario *s, enum page_set set,
                   enum page_mode mode)
{
        if (regexec(&t->pattern, s->name, 0, NULL, 0) != 0)
                return false;
        if ((t->set >= 0 && (int)set != t->set) || (t->mode >= 0 && (int)mode != t->mode))
                return false;
        /* What the libraries set up is the same in all of them. */
        return set != PAGE_START || s == &scenarios[0];
}

static void choose(struct torture *t)
{
        size_t size = ARRAY_SIZE(scenarios) * ARRAY_SIZE(tried) * sizeof(struct group);

        t->groups = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (t->groups == MAP_FAILED)
                world_die("no memory");
        for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++)
                for (size_t j = 0; j < ARRAY_SIZE(tried); j++) {
                        struct group *g = &t->groups[t->n_groups];

                        if (!wanted(t, &scenarios[i], tried[j].set, tried[j].mode))
                                continue;
                        g->scenario = &scenarios[i];
                        g->set = tried[j].set;
                        g->mode = tried[j].mode;
                        /* Another of every K points in each group, and with each seed. */
                        atomic_store(&g->next, 1 + (t->seed + (unsigned)t->n_groups) % t->every);
                        t->n_groups++;
                }
        if (t->n_groups == 0)
                world_die("nothing is called that");
}

static int report(const struct torture *t)
{
        unsigned points = 0, failed = 0;

        for (size_t i = 0; i < t->n_groups; i++) {
                const struct group *g = &t->groups[i];
                unsigned n = atomic_load(&g->points), bad = atomic_load(&g->failed);

                points += n;
                failed += bad;
                if (bad > 0)
                        printf("not ok torture_%s_%s_%s (%u of %u points)\n", g->scenario->name,
                               set_names[g->set], mode_names[g->mode], bad, n);
                else
                        printf("ok torture_%s_%s_%s (%u points, %.1f s)\n", g->scenario->name,
                               set_names[g->set], mode_names[g->mode], n,
                               (double)atomic_load(&g->ms) / 1000 / t->jobs);
        }
        printf("# %u points, %u failed\n", points, failed);
        return failed > 0 || points == 0;
}

static int find(const char *const *names, int n, const char *name)
{
        for (int i = 0; i < n; i++)
                if (strcmp(names[i], name) == 0)
                        return i;
        world_die("there is no %s", name);
}

static void parse(struct torture *t, int argc, char **argv)
{
        static const struct option options[] = {
                {"every", required_argument, NULL, 'e'}, {"seed", required_argument, NULL, 's'},
                {"set", required_argument, NULL, 'S'},   {"mode", required_argument, NULL, 'm'},
                {"point", required_argument, NULL, 'p'}, {NULL, 0, NULL, 0},
        };
        int option;

        while ((option = getopt_long(argc, argv, "b:t:j:", options, NULL)) != -1) {
                if (option == 'b')
                        t->build = optarg;
                else if (option == 't')
                        t->dir = optarg;
                else if (option == 'j')
                        t->jobs = (unsigned)strtoul(optarg, NULL, 10);
                else if (option == 'e')
                        t->every = (unsigned)strtoul(optarg, NULL, 10);
                else if (option == 's')
                        t->seed = (unsigned)strtoul(optarg, NULL, 10);
                else if (option == 'S')
                        t->set = find(set_names, PAGE_SETS, optarg);
                else if (option == 'm')
                        t->mode = find(mode_names, PAGE_MODES, optarg);
                else if (option == 'p')
                        t->point = (unsigned)strtoul(optarg, NULL, 10);
                else
                        exit(64);
        }
        if (!t->build || !t->dir || t->jobs == 0 || t->every == 0 ||
            regcomp(&t->pattern, optind < argc ? argv[optind] : ".", REG_EXTENDED | REG_NOSUB) != 0)
                world_die("see the top of tests/torture/torture.c for how it is called");
}

int main(int argc, char **argv)
{
        struct torture t = {.jobs = 1, .every = 1, .set = -1, .mode = -1};
        int status = 0, one;

        parse(&t, argc, argv);
        choose(&t);
        for (unsigned i = 0; i < t.jobs; i++)
                if (fork() == 0) {
                        prctl(PR_SET_PDEATHSIG, SIGKILL);
                        work(&t, i);
                        exit(0);
                }
        for (unsigned i = 0; i < t.jobs; i++)
                if (wait(&one) < 0 || one != 0)
                        status = 1;
        return report(&t) || status;
}
