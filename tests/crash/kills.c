/* SPDX-License-Identifier: MIT */

/*
 * kills [--build FOLDER] [--seed N] [--rounds N] [--base FOLDER]
 *
 * Somebody works in the watched folder, the service and the network misbehave, and the program is
 * killed again and again, at random instants, also in the middle of an upload.  Every twenty rounds
 * the service behaves: then the mirror must become equal, nothing may be left of what was
 * interrupted, a further pass must be silent, and nothing may lie in the Trash that is still here.
 *
 * Edits, faults and the instants of the kills come from the seed; what the kernel makes of them
 * does not.
 */

#include "kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define QUIET_EVERY 20

/* One misfortune: what the rule says besides "times" and "probability", and how often at most. */
static const struct misfortune {
        const char *rule;
        unsigned percent;
} misfortunes[] = {
        {"\"on\":\"any\",\"do\":{\"status\":500,\"error\":\"InternalServerError\"}", 6},
        {"\"on\":\"any\",\"do\":{\"html\":502}", 6},
        {"\"on\":\"any\",\"do\":{\"reset\":\"before\"}", 6},
        {"\"on\":\"mkdir|move|delete|put\",\"do\":{\"reset\":\"after\"}", 12},
        {"\"on\":\"put\",\"do\":{\"reset\":\"middle\"}", 12},
        {"\"on\":\"put\",\"do\":{\"reset\":\"end\"}", 12},
        {"\"on\":\"any\",\"do\":{\"delay_ms\":120}", 20},
        {"\"on\":\"mkdir|move|delete|put\",\"do\":{\"drop-answer\":true}", 6},
        {"\"on\":\"any\",\"do\":{\"status\":429,\"error\":\"TooManyRequestsError\"}", 6},
        {"\"on\":\"link|list|move|delete\",\"do\":{\"truncate\":true}", 6},
        {"\"on\":\"move|delete|link\",\"do\":{\"error\":\"DiskResourceLockedError\"}", 8},
};

static const char *const knobs[] = {
        "{\"put_reply\":\"202\",\"put_commit_ms\":60,\"op_polls\":1}",
        "{\"put_reply\":\"no-length\",\"put_bps\":3000000}",
        "{\"put_reply\":\"length0\",\"put_pause_ms\":40}",
        "{\"visibility_ms\":80}",
        "{\"op_ms\":50}",
        "{\"latency_ms\":4,\"latency_jitter_ms\":8}",
        "{\"move_overwrite\":\"refused\"}",
        "{}",
};

static void ask(struct kit *k, const char *what, const char *body)
{
        free(kit_fake(k, what, body));
}

static void misbehave(struct kit *k)
{
        unsigned n = sizeof(misfortunes) / sizeof(*misfortunes);

        ask(k, "reset?what=faults", "");
        ask(k, "reset?what=config", "");
        ask(k, "config", knobs[kit_below(k, sizeof(knobs) / sizeof(*knobs))]);
        for (unsigned i = 0; i < 3; i++) {
                const struct misfortune *m = &misfortunes[kit_below(k, n)];
                char *rule = kit_text("{%s,\"times\":-1,\"probability\":0.%02u}", m->rule,
                                      1 + kit_below(k, m->percent));

                /* put together: the object's own keys come first */
                ask(k, "fault", rule);
                free(rule);
        }
}

/* Mostly early, when little is done yet; now and then late. */
static unsigned instant_ms(struct kit *k)
{
        switch (kit_below(k, 10)) {
        case 0:
                return kit_below(k, 15);
        case 1:
                return 300 + kit_below(k, 700);
        }
        return 10 + kit_below(k, 240);
}

static void one_round(struct kit *k)
{
        unsigned before = 1 + kit_below(k, 5), during = kit_below(k, 3), ms = instant_ms(k);
        pid_t pid;

        if (kit_below(k, 3) == 0)
                misbehave(k);
        while (before-- > 0)
                kit_edit(k);
        pid = kit_start(k, kit_below(k, 3) ? "run" : "once");
        for (unsigned i = 0; i < during; i++) {
                kit_nap(ms / (during + 1));
                kit_edit(k);
        }
        kit_nap(ms / (during + 1));
        kit_kill(k, pid);
}

static void be_good(struct kit *k, unsigned n)
{
        char when[64];

        snprintf(when, sizeof(when), "after round %u", n);
        ask(k, "reset?what=faults", "");
        ask(k, "reset?what=config", "");
        kit_converge(k, when);
}

int main(int argc, char **argv)
{
        struct kit k = {.name = "kills", .build = "build", .seed = 1};
        const char *tmp = getenv("TMPDIR");
        char *base = kit_text("%s/ydsync-kills-XXXXXX", tmp ? tmp : "/tmp"), *state;
        unsigned rounds = 200;
        time_t from = time(NULL);

        for (int i = 1; i + 1 < argc; i += 2)
                if (strcmp(argv[i], "--build") == 0)
                        k.build = argv[i + 1];
                else if (strcmp(argv[i], "--seed") == 0)
                        k.seed = strtoull(argv[i + 1], NULL, 10);
                else if (strcmp(argv[i], "--rounds") == 0)
                        rounds = (unsigned)atoi(argv[i + 1]);
                else
                        return 64;
        if (!mkdtemp(base))
                kit_fail(&k, "no folder to work in");
        state = kit_text("%s/state", base);
        kit_begin(&k, base, state);
        for (unsigned n = 1; n <= rounds; n++) {
                one_round(&k);
                if (n % QUIET_EVERY == 0 || n == rounds)
                        be_good(&k, n);
        }
        printf("ok kills (%ld s) %u rounds of edits, faults and SIGKILL, seed %llu\n",
               (long)(time(NULL) - from), rounds, (unsigned long long)k.seed);
        kit_end(&k);
        free(state);
        free(base);
        return 0;
}
