/* SPDX-License-Identifier: MIT */

/*
 * Flows whose every ask is answered at random, sensibly or not.  Whatever the world says, a flow
 * comes to an end, stays in its cloud folder, and removes or overwrites only what it has looked at.
 */

#include "lib/yadisk/flow_audit.h"
#include "lib/yadisk/flow_list.h"
#include "lib/yadisk/flow_mkdir.h"
#include "lib/yadisk/yadisk_json.h"
#include "tests/unit/alloc.h"
#include "tests/unit/check.h"
#include "tests/unit/play.h"
#include "tests/unit/seed.h"

#include <errno.h>

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

#define ASKS_MAX 5000

enum flow_kind { PUT, MKDIR, NOTE, DROP, DROP_TREE, APART, LIST, CHECK, AUDIT, SWEEP, KINDS };

struct game {
        struct seed *seed;
        struct play play;
        enum flow_kind kind;
        const char *key;
        char known[32], there[32];
        struct str before; /* the ask that was answered */
        struct str answer; /* and how */
        uint8_t older;     /* each byte of the md5 of our older version, where there is one */
        bool ours_there;   /* the last look at the own name showed that */
        bool row_written;
        bool looks_only;   /* AUDIT */
        unsigned stubborn; /* per cent: how often the same answer comes again */
        char again[256];
};

/* ---- answers --------------------------------------------------------------------------------- */

#define ONE_OF(seed, list) ((list)[seed_below((seed), ARRAY_SIZE(list))])

static const char *any_trouble(struct seed *s)
{
        static const char *const answers[] = {
                "500", "502 html", "503", "504 html", "429", "429 retry=5000",
                "429 retry=999999999999", "423", "423 error DiskResourceLockedError",
                "423 error DiskUploadTrafficLimitExceeded", "507", "413", "401", "403", "400",
                "404", "404 error DiskNotFoundError", "409", "409 error DiskPathDoesntExistsError",
                "409 error DiskPathPointsToExistentDirectoryError",
                "409 error DiskResourceAlreadyExistsError", "409 error MD5DifferError", "409 html",
                "410", "412", "405", "406", "422", "302 html", "0", "100", "206", "999",
                "200", "200 html", "200 raw {}", "200 raw []", "200 raw {\"href\":7}", "202", "204",
                "fault unreachable", "fault broken", "fault stalled", "fault tls", "fault large",
                "fault broken all c1", "fault stalled all c2", "fault none",
        };

        return ONE_OF(s, answers);
}

static const char *any_look(struct seed *s)
{
        static const char *const answers[] = {
                "200 file 5 c1", "200 file 5 c2", "200 file 5 c0", "200 file 4 c1", "200 file 9 ee",
                "200 file 5", "200 dir", "200 other", "404 error DiskNotFoundError",
                "200 file 9000000 c1",
        };

        return ONE_OF(s, answers);
}

static const char *any_page(struct seed *s)
{
        static const char *const answers[] = {
                "200 page 0 0 ", "200 page 2 0 f a 5 #c1|d d", "200 page 3 0 f a 5 #c1|d d",
                "200 page 3 2 f z 1 #01", "200 page 2 0 f a 5 #ee|f b 5", "200 page 1 0 d d",
                "200 page 1 0 f W3 7 #c3", "200 page 9999999 0 f a 5 #c1", "200 page 1 0 d ..",
                "200 page 1 7 d d", "200 page 2 0 d d|d d", "200 raw {\"type\":\"file\"}",
                "404 error DiskNotFoundError",
        };

        return ONE_OF(s, answers);
}

static const char *any_link(struct seed *s)
{
        static const char *const answers[] = {
                "200 link", "200 link https://up/2 ab12", "200 link https://up/3 ../x",
                "200 link http://127.0.0.1/x", "200 link http://evil/x", "200 link file:///x",
                "200 link https://", "200 raw {\"href\":\"\"}",
        };

        return seed_chance(s, 80) ? answers[seed_below(s, 2)] : ONE_OF(s, answers);
}

static const char *any_sent(struct seed *s)
{
        static const char *const answers[] = {
                "201 all c1", "201 all c2", "202 all c1", "200 all c1", "201 sent=3", "500 all c1",
                "503 all c1", "409 all c1", "fault broken all c1", "fault stalled all c1",
                "fault local ESTALE", "fault local EIO", "507 all c1", "410",
        };

        return ONE_OF(s, answers);
}

static const char *any_done(struct seed *s)
{
        static const char *const answers[] = {
                "201", "204", "202 op 77", "202", "202 html", "202 op ../x",
                "404 error DiskNotFoundError", "409 error MD5DifferError",
                "409 error DiskResourceAlreadyExistsError",
        };

        return ONE_OF(s, answers);
}

static const char *any_progress(struct seed *s)
{
        static const char *const answers[] = {
                "200 status in-progress", "200 status in-progress", "200 status success",
                "200 status failed", "200 status failure", "200 status odd", "404",
        };

        return ONE_OF(s, answers);
}

/* A body of bytes that nobody has chosen; where a fuzzer is the seed, bytes that it has. */
static const char *any_bytes(struct seed *s, char answer[256])
{
        static const char *const beginnings[] = {"200 raw ", "201 raw ", "202 raw ", "404 raw ",
                                                 "409 raw ", "423 raw "};
        const char *beginning = ONE_OF(s, beginnings);
        size_t len = strlen(beginning), n = seed_below(s, 200);

        memcpy(answer, beginning, len);
        for (size_t i = 0; i < n; i++)
                answer[len + i] = (char)(1 + seed_below(s, 255));
        answer[len + n] = '\0';
        return answer;
}

static const char *any_http(struct game *g, char answer[256])
{
        const char *shown = str_z(&g->play.shown);

        if (seed_chance(g->seed, 5))
                return any_bytes(g->seed, answer);
        if (seed_chance(g->seed, 30))
                return any_trouble(g->seed);
        if (str_starts(shown, "look"))
                return any_look(g->seed);
        if (str_starts(shown, "list"))
                return any_page(g->seed);
        if (str_starts(shown, "link"))
                return any_link(g->seed);
        if (str_starts(shown, "send"))
                return any_sent(g->seed);
        if (str_starts(shown, "poll"))
                return any_progress(g->seed);
        return any_done(g->seed);
}

static const char *any_here(struct seed *s)
{
        static const char *const answers[] = {"here gone", "here gone", "here gone", "here f x 5",
                                              "here d x", "here o x", "err EACCES", "err EIO"};

        return ONE_OF(s, answers);
}

/* The snapshot is no liar: rows right below the folder, a few levels deep at most. */
static const char *any_known(struct game *g, char answer[256])
{
        const char *key = g->play.ask.key;
        bool deep = strlen(key) > 8;

        switch (seed_below(g->seed, 6)) {
        case 0:
                return "known ";
        case 1:
                return "err EIO";
        case 2:
                snprintf(answer, 256, "known f %s/a 5 #c1 u|f %s/b 5 #c2 u", key, key);
                return answer;
        default:
                snprintf(answer, 256, "known f %s/a 5 #c1 u|%s %s/d 5 #c2", key, deep ? "f" : "d",
                         key);
                return answer;
        }
}

static const char *any_answer(struct game *g, char answer[256])
{
        switch (g->play.ask.want) {
        case ASK_HTTP:
                return any_http(g, answer);
        case ASK_RECORD:
                return seed_chance(g->seed, 98) ? "ok" : "err ENOSPC";
        case ASK_DIGEST:
                return seed_chance(g->seed, 95) ? "md5 c1" : "err ESTALE";
        case ASK_LOOK:
                return any_here(g->seed);
        case ASK_KNOWN:
                return any_known(g, answer);
        case ASK_WAIT:
                return "woke";
        case ASK_DONE:
                break;
        }
        return "";
}

/* ---- what must hold -------------------------------------------------------------------------- */

/* "trash /d/a #c1" */
static bool names_path(const struct game *g, const char *verb, const char *path)
{
        const char *shown = str_z(&g->play.shown);
        size_t n = strlen(verb), len = strlen(path);

        return strncmp(shown, verb, n) == 0 && shown[n] == ' ' &&
               strncmp(shown + n + 1, path, len) == 0 &&
               (shown[n + 1 + len] == '\0' || shown[n + 1 + len] == ' ');
}

static void check_stays_inside(const struct game *g)
{
        const char *shown = str_z(&g->play.shown);

        if (g->play.ask.want == ASK_HTTP && strstr(shown, "disk:") &&
            !str_eq(shown, "mkdir disk:/B"))
                check_fail("outside of the cloud folder: %s", shown);
        if (str_starts(shown, "move") && strchr(shown, 'W') == NULL)
                check_fail("not from a wire name: %s", shown);
}

/* Nothing there, or something of the other kind: then what was known is gone. */
static bool proves_absence(const struct game *g)
{
        const char *answer = str_z(&g->answer);

        return str_eq(answer, "here gone") || (g->kind == DROP && str_eq(answer, "here d x")) ||
               (g->kind == DROP_TREE && str_eq(answer, "here f x 5"));
}

static void check_removal(const struct game *g)
{
        const char *shown = g->play.shown.s, *before = str_z(&g->before);
        bool erase = str_starts(shown, "erase "), with_md5 = strchr(shown, '#');
        bool wire = strstr(shown, "/W1") || strstr(shown, "/W2") || strstr(shown, "/W3");
        bool looked = str_starts(before, "here ") && proves_absence(g);

        if (!erase && !str_starts(shown, "trash "))
                return;
        switch (g->kind) {
        case PUT:
        case MKDIR:
        case SWEEP:
                /* what is erased was never anything but ours under way */
                if (erase != wire || (!with_md5 && !(wire && g->kind == PUT)))
                        check_fail("%s, after %s", shown, before);
                return;
        case DROP:
                if (!with_md5 || !looked)
                        check_fail("%s, after %s", shown, before);
                return;
        case DROP_TREE:
                if (with_md5 || !looked || !(names_path(g, "trash", "/t") ||
                                             names_path(g, "erase", "/t")))
                        check_fail("%s, after %s", shown, before);
                return;
        case APART:
                if (with_md5 ? !str_eq(str_z(&g->answer), "here gone")
                             : erase || !str_starts(before, "list "))
                        check_fail("%s, after %s: %s", shown, before, str_z(&g->answer));
                return;
        case NOTE:
        case LIST:
        case CHECK:
        case AUDIT:
        case KINDS:
                break;
        }
        check_fail("%s by a flow that removes nothing", shown);
}

static void check_overwriting(const struct game *g)
{
        const char *shown = str_z(&g->play.shown);

        if ((str_starts(shown, "link! ") || str_starts(shown, "move! ")) && !g->ours_there)
                check_fail("%s, and nobody has seen that it is ours", shown);
        if (str_starts(shown, "send") && !str_starts(str_z(&g->before), "link"))
                check_fail("a link is used twice: %s after %s", shown, str_z(&g->before));
        if (str_starts(shown, "link!") && strchr(shown, 'W'))
                check_fail("%s: nothing of ours stands at a wire name", shown);
}

/* An audit forgets only on the strength of what the service itself said of the whole folder. */
static void check_forgetting(const struct game *g)
{
        const char *shown = g->play.shown.s, *answer = str_z(&g->answer);

        if (g->kind != AUDIT || g->play.ask.want != ASK_RECORD || !strstr(shown, "forget"))
                return;
        if (g->looks_only || !str_starts(str_z(&g->before), "list ") ||
            !(str_starts(answer, "200 page") || str_eq(answer, "404 error DiskNotFoundError") ||
              str_eq(answer, "404") || /* the same: play.c names it */
              str_eq(answer, "200 raw {\"type\":\"file\"}")))
                check_fail("%s, after %s: %s", shown, str_z(&g->before), answer);
}

static void check_end(const struct game *g)
{
        const struct flow_end *end = &g->play.ask.end;

        if (g->play.ask.want != ASK_DONE)
                return;
        check(end->text != NULL && end->calls <= g->play.asks);
        if (g->kind == PUT && (end->kind == END_DONE || end->kind == END_NOTHING))
                check(g->row_written);
        if (end->kind != END_DONE && end->kind != END_NOTHING)
                check(*end->text != '\0' || end->kind == END_STORE);
        for (const char *c = end->text; *c; c++)
                check((unsigned char)*c >= 0x20);
}

/* Whether the answer shows a file with the content of our older version. */
static bool shows_ours(const struct outcome *in, uint8_t byte)
{
        struct entry e;

        if (in->kind != OUTCOME_HTTP || in->status != 200 ||
            yadisk_read_resource(in->body, in->body_len, &e) < 0 || !e.has_md5)
                return false;
        for (size_t i = 0; i < sizeof(e.md5); i++)
                if (e.md5[i] != byte)
                        return false;
        return e.size == 4 || e.size == 5;
}

static void notice(struct game *g, const struct outcome *in)
{
        _cleanup_(str_finish) struct str mine = STR_NULL(100);

        str_addf(&mine, "look /%s", g->key);
        if (str_eq(str_z(&g->before), str_z(&mine)))
                g->ours_there = shows_ours(in, g->older);
        if (str_starts(str_z(&g->before), "record row") && str_eq(str_z(&g->answer), "ok"))
                g->row_written = true;
}

/* ---- the game -------------------------------------------------------------------------------- */

static struct flow *random_put(struct game *g)
{
        static const char *const known[] = {NULL, NULL, "5 #c1", "5 #c0", "4 #c0", "5 #c0 u"};
        static const char *const there[] = {NULL, NULL, "-", "5 #c1", "5 #ee", "6 #ee", "d"};
        struct play_put put = {.entry = "f a 5",
                               .known = ONE_OF(g->seed, known),
                               .disguise = (enum disguise_policy)seed_below(g->seed, 3),
                               .verify = (enum put_verify)seed_below(g->seed, 3),
                               .leftover = seed_chance(g->seed, 30)};

        if (seed_chance(g->seed, 50))
                put.entry = "f d/a 5", g->key = "d/a";
        else if (seed_chance(g->seed, 30))
                put.entry = "f a 9000000";
        if (!put.known)
                put.there = ONE_OF(g->seed, there);
        else if (strstr(put.known, "#c1"))
                g->older = 0xc1;
        return play_put_flow(&put);
}

static struct flow *random_flow(struct game *g)
{
        struct drop_args drop = {.yadisk = &play_yadisk, .permanently = seed_chance(g->seed, 30)};
        struct op op;

        g->key = "a";
        g->older = 0xc0;
        switch (g->kind) {
        case PUT:
                return random_put(g);
        case MKDIR:
                op = *play_op(OP_MKDIR, seed_chance(g->seed, 20) ? "d ." : "d d/e");
                op.there = seed_chance(g->seed, 30) ? OP_THERE_FILE : OP_THERE_UNKNOWN;
                return flow_mkdir(&play_yadisk, &op);
        case NOTE:
                return flow_note(&play_yadisk, play_op(OP_TOUCH, "d d"));
        case DROP:
                drop.op = play_op(OP_DROP, "f d/a 5 #c1");
                return flow_drop(&drop);
        case DROP_TREE:
                drop.op = play_op(OP_DROP_TREE, "d t");
                return flow_drop(&drop);
        case APART:
                drop.op = play_op(OP_DROP_TREE, "d t");
                return flow_apart(&drop);
        case LIST:
                return flow_list(&play_yadisk, seed_chance(g->seed, 50) ? "" : "d");
        case CHECK:
                return flow_check(&play_yadisk, "d");
        case AUDIT:
                g->looks_only = seed_chance(g->seed, 30);
                return flow_audit(&play_yadisk, "d", g->looks_only ? AUDIT_LOOK_ONLY : 30000);
        case SWEEP:
                return flow_sweep(&play_yadisk, "d/a", play_wire(3), 5, PLAY_WALL_MS - 100000);
        case KINDS:
                break;
        }
        return NULL;
}

/* Some worlds say the same for a long time. */
static const char *choose(struct game *g, char answer[256])
{
        const char *chosen;

        if (*g->again && g->play.ask.want == ASK_HTTP && seed_chance(g->seed, g->stubborn) &&
            str_eq(str_z(&g->before), str_z(&g->play.shown)))
                return g->again;
        chosen = any_answer(g, answer);
        if (g->play.ask.want == ASK_HTTP)
                snprintf(g->again, sizeof(g->again), "%s", chosen);
        return chosen;
}

static void turn(struct game *g, const char *give)
{
        struct outcome in;
        uint32_t random = (uint32_t)seed_next(g->seed);

        str_clear(&g->answer);
        str_adds(&g->answer, give);
        play_outcome(&g->play, give, &in);
        in.random = random;
        if (seed_chance(g->seed, 10))
                g->play.now_ms += seed_below(g->seed, 20000);
        if (g->play.ask.want != ASK_WAIT) {
                str_clear(&g->before);
                str_adds(&g->before, str_z(&g->play.shown));
        }
        notice(g, &in);
        play_tell(&g->play, &in);
        play_outcome_finish(&in);
        check_stays_inside(g);
        check_removal(g);
        check_forgetting(g);
        check_overwriting(g);
        check_end(g);
}

/* The flow, or it within `around`. */
static void play_within(struct seed *s, struct alloc_flow *around)
{
        struct game g = {.seed = s, .before = STR_NULL(1 << 24), .answer = STR_NULL(1 << 16)};
        struct flow *flow;

        g.kind = seed_chance(s, 40) ? PUT : (enum flow_kind)seed_below(s, KINDS);
        g.stubborn = seed_chance(s, 30) ? 98 : 0;
        flow = random_flow(&g);
        play_begin(&g.play, around ? alloc_flow(around, flow) : flow);
        turn(&g, "start");
        while (!g.play.over && g.play.asks < ASKS_MAX && !check_failed) {
                char answer[256];

                turn(&g, choose(&g, answer));
        }
        if (!g.play.over && !check_failed)
                check_fail("no end after %u asks: %s", g.play.asks, str_z(&g.play.shown));
        play_finish(&g.play);
        str_finish(&g.before);
        str_finish(&g.answer);
}

static void play_random(struct seed *s)
{
        play_within(s, NULL);
}

static void play_short_of_memory(struct seed *s)
{
        struct alloc_flow around;

        alloc_fail(1 + seed_below(s, seed_chance(s, 50) ? 12 : 60), seed_chance(s, 50));
        alloc_pause();
        play_within(s, &around);
        alloc_well();
}

TEST(whatever_the_world_says)
{
        seed_run(6000, play_random);
}

TEST(whenever_memory_ends)
{
        seed_run(6000, play_short_of_memory);
}
