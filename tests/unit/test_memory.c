/* SPDX-License-Identifier: MIT */

/*
 * Memory that runs out, at every single request of the pure parts: what fails says so, leaves
 * everything as it was and nothing behind, and nobody takes half an answer for a whole one.
 */

#include "lib/base/dotenv.h"
#include "lib/base/map.h"
#include "lib/core/flow_write.h"
#include "lib/core/match.h"
#include "lib/core/order.h"
#include "lib/core/pair.h"
#include "lib/core/plan.h"
#include "lib/yadisk/flow_account.h"
#include "lib/yadisk/flow_audit.h"
#include "lib/yadisk/errand.h"
#include "lib/yadisk/flow_list.h"
#include "lib/yadisk/flow_mkdir.h"
#include "lib/yadisk/yadisk_json.h"
#include "tests/unit/alloc.h"
#include "tests/unit/check.h"
#include "tests/unit/play.h"

#include <errno.h>

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

#define REQUESTS_MAX 1000

/* Plays with the first, the second, … request refused, until there are no more requests. */
static void refuse_each(void (*play)(bool for_good), unsigned at_least)
{
        for (int for_good = 0; for_good < 2; for_good++) {
                unsigned n = 1;

                for (; n < REQUESTS_MAX && !check_failed; n++) {
                        alloc_fail(n, for_good);
                        alloc_pause();
                        play(for_good);
                        if (!alloc_well())
                                break;
                }
                if (n <= at_least || n == REQUESTS_MAX)
                        check_fail("%u requests, of at least %u", n - 1, at_least);
        }
}

/* ---- strings, maps, order -------------------------------------------------------------------- */

static void play_strings(bool for_good)
{
        struct str s = STR_NULL(1000);
        char *taken;

        (void)for_good;
        alloc_resume();
        str_adds(&s, "a");
        str_addf(&s, "%0100d", 7); /* grows */
        str_adds(&s, "z");
        taken = str_take(&s);
        alloc_pause();
        if (alloc_well())
                check(!taken && (s.len == 0 || s.len == 1));
        else
                check(taken && strlen(taken) == 102);
        free(taken);
        str_finish(&s);
}

TEST(a_string_stays_as_it_was)
{
        refuse_each(play_strings, 2);
}

static void play_map(bool for_good)
{
        static int values[200];
        struct map *m;
        size_t refused = 0;

        (void)for_good;
        alloc_resume();
        m = map_create();
        for (size_t i = 0; m && i < ARRAY_SIZE(values); i++) {
                char key[8];
                int r;

                snprintf(key, sizeof(key), "k%zu", i);
                r = map_set(m, key, strlen(key), &values[i]);
                check(r == 0 || r == -ENOMEM);
                refused += r < 0;
                check(map_get(m, key, strlen(key)) == (r == 0 ? &values[i] : NULL));
                check(map_get(m, "k0", 2) == &values[0] || i == 0 || refused > 0);
        }
        alloc_pause();
        map_destroy(m);
}

TEST(a_map_keeps_what_it_has)
{
        refuse_each(play_map, 200);
}

static void released(void *userdata, struct order_item *item)
{
        check(!item->doomed);
        (*(unsigned *)userdata)++;
}

static void play_order(bool for_good)
{
        struct order_item a = {.key = "a"}, b = {.key = "a/b"}, c = {.key = "c"};
        unsigned n = 0;
        struct order *o;
        int r;

        (void)for_good;
        alloc_resume();
        o = order_create();
        if (o) {
                r = order_add(o, &a);
                check(r == 1 || r == -ENOMEM);
                if (r == 1) {
                        r = order_add(o, &b);
                        check(r == 0 || r == -ENOMEM);
                        order_end(o, &a, true, released, &n);
                        check_eq(n, r == 0 ? 1 : 0);
                        if (r == 0)
                                order_end(o, &b, true, released, &n);
                }
                r = order_add(o, &c);
                check(r == 1 || r == -ENOMEM);
                if (r == 1)
                        order_end(o, &c, false, released, &n);
        }
        alloc_pause();
        order_destroy(o);
}

TEST(an_op_that_cannot_be_kept_in_order_is_refused)
{
        refuse_each(play_order, 4);
}

TEST(a_failure_is_kept_in_mind_without_more_memory)
{
        struct order *o = order_create();
        struct order_item other = {.key = "x"}, a = {.key = "a"}, after = {.key = "a/b"};
        unsigned n = 0;

        check_eq(order_add(o, &other), 1);
        check_eq(order_add(o, &a), 1);
        alloc_fail(1, true);
        order_end(o, &a, false, released, &n);
        check(!alloc_well());
        check_eq(order_add(o, &after), 1);
        check(after.doomed);
        order_destroy(o);
}

/* ---- the plan -------------------------------------------------------------------------------- */

struct planned {
        unsigned makes, drops;
        uint64_t in_trees;
};

/* A side that needs memory of its own, which is not what is tested. */
struct side {
        struct entry_iter iter;
        struct tree tree;
};

static int side_next(struct entry_iter *it, const struct entry **ret)
{
        int r;

        alloc_pause();
        r = entry_iter_next(&CONTAINER_OF(it, struct side, iter)->tree.iter, ret);
        alloc_resume();
        return r;
}

static void side_init(struct side *s, const char *text)
{
        s->iter = (struct entry_iter){.next = side_next};
        tree_init(&s->tree, text);
        tree_sort(&s->tree);
}

static int planned_make(void *userdata, const struct op *op)
{
        (void)op;
        ((struct planned *)userdata)->makes++;
        return 0;
}

static int planned_drop(void *userdata, const struct op *op)
{
        struct planned *p = userdata;

        p->drops++;
        p->in_trees += op->files;
        return 0;
}

static void planned_note(void *userdata, enum plan_note note, const char *key, int err,
                         const char *why)
{
        (void)userdata, (void)note, (void)key, (void)err, (void)why;
}

/* As who looks for moves, it keeps in mind what is no longer at its place. */
static int planned_left(void *userdata, const struct entry *known)
{
        char *copy = str_dup(known->key);

        (void)userdata;
        free(copy);
        return copy ? 0 : -ENOMEM;
}

/* Longer than what a string begins with, so that it has to grow. */
#define LONG "a-name-longer-than-what-a-string-begins-with-so-that-it-has-to-grow-on-its-way"

/* Each keeps something in mind for what is below it. */
static const struct {
        const char *known, *seen;
} plans[] = {
        {"d gone|f gone/1 1|f gone/2 1", "d ."},
        {"d " LONG "|f " LONG "/1 1|f b 1", "d ."},
        {"d t|f t/x 1", "d .|f t 5"},
        {"f t 1", "d .|d t|f t/x 5"},
        {"d a|f a/x 1|f b 1", "d .|d a !EIO"},
        {"d a|f a/x 1|f b 1", "d .|d a x"},
        {"d a|f a/x 1|f b 1", "d .|o a"},
        {"d a|f a/x 1|d a/t|f b 1", "d .|d a %8|f a/t 1|f a/x 2"},
        {"f b 1", "d .|d a !EIO|f a/x 1"},
        {"f b 1", "d .|o a"},
        {"f b 1", "d .|d \x01|f \x01/x 1"},
        {"f b 1", "d . !EIO|f c 1"},
        {"f b 1 i5", "d .|f b 2 i6"},
        {"d m %8|f m/x %2|f m/y %8|f b 1", "d . %1|d m %8|f b 1"},
        {"d m %8|d m/" LONG " %2|f m/" LONG "/x %2|f b 1", "d . %1|d m %8|f b 1"},
        {"d m|d m/" LONG " %2|f m/" LONG "/x %2|f b 1", "d . %1|d m %1|f b 1"},
        {"d a|f a/x 1|d " LONG "|f " LONG "/x 1|f c 1", "d . p|d c"},
        {"d " LONG "|d " LONG "/d|f " LONG "/x 1|f c 1", "d . p|d " LONG " p|d c"},
};

static size_t plan_at_hand;

static int make_plan(struct planned *planned, struct plan_totals *totals)
{
        struct plan_policy policy = {.max_delete = 100, .max_delete_percent = 100,
                                     .known_total = 3, .now_ns = 1000};
        struct plan_sink sink = {.make = planned_make, .drop = planned_drop,
                                 .note = planned_note, .left = planned_left,
                                 .userdata = planned};
        struct side known, seen;
        struct diff diff;
        int r;

        side_init(&known, plans[plan_at_hand].known);
        side_init(&seen, plans[plan_at_hand].seen);
        diff_init(&diff, &known.iter, &seen.iter, 0);
        alloc_resume();
        r = plan_run(&policy, &diff, NULL, &sink, totals);
        alloc_pause();
        diff_finish(&diff);
        tree_finish(&known.tree);
        tree_finish(&seen.tree);
        return r;
}

static struct planned planned_whole; /* of the plan at hand, with all the memory it wants */

static void play_plan(bool for_good)
{
        struct planned planned = {0};
        struct plan_totals totals = {.drops = 77};
        int r = make_plan(&planned, &totals);

        (void)for_good;
        check(r == 0 || (r == -ENOMEM && totals.drops == 77 && alloc_well()));
        if (r == 0) /* then what was refused has cost a note at most */
                check(memcmp(&planned, &planned_whole, sizeof(planned)) == 0);
}

TEST(half_a_plan_is_no_plan)
{
        for (plan_at_hand = 0; plan_at_hand < ARRAY_SIZE(plans); plan_at_hand++) {
                struct plan_totals totals;

                planned_whole = (struct planned){0};
                check_eq(make_plan(&planned_whole, &totals), 0);
                refuse_each(play_plan, 1);
        }
}

/* ---- moves ----------------------------------------------------------------------------------- */

/* Two that change places, a folder under a new name, new folders above what came, and a chain whose
 * end is not free. */
static const char pairs_left[] = "f a 5 i1 #c1|f b 5 i2 #c2|d d i3|d d/" LONG " i4|f d/" LONG "/x 5 i5 #c3|"
                                 "f d/y 5 i6 #c4|f k 5 i7 #c5|f l 5 i8 #c6";
static const char pairs_came[] = "f a 5 i2|f b 5 i1|f l 5 i7|d n i20|d n/m i21|d n/m/e i3|d n/m/e/" LONG
                                 " i4|f n/m/e/" LONG "/x 5 i5|f n/m/e/y 5 i6";

static int pairs_take(void *userdata, const struct op *op)
{
        struct str *s = userdata;

        alloc_pause();
        str_addf(s, "%d %s %s|", op->verb, op->from ? op->from : "", op->entry.key);
        alloc_resume();
        return 0;
}

static int pairs_feed(struct pairs *p, const struct tree *left, const struct tree *came)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < left->n; i++)
                r = pair_gone(p, &left->items[i]);
        for (size_t i = 0; r == 0 && i < came->n; i++) {
                const struct entry *e = &came->items[i];
                struct op op = {.entry = *e, .was_known = tree_find(left, e->key)};

                op.verb = e->kind == KIND_FILE ? OP_PUT : OP_MKDIR;
                r = pair_came(p, &op);
        }
        for (size_t i = 0; r == 0 && i < left->n; i++)
                r = pair_left(p, &left->items[i]);
        return r == 0 ? pair_choose(p) : r;
}

static int find_pairs(struct str *shown)
{
        struct tree left, came;
        struct pairs *p;
        int r;

        tree_init(&left, pairs_left);
        tree_init(&came, pairs_came);
        alloc_resume();
        p = pairs_create(NULL, NULL);
        r = p ? pairs_feed(p, &left, &came) : -ENOMEM;
        while (r == 0 && pair_wave(p, pairs_take, shown) > 0)
                ;
        alloc_pause();
        pairs_destroy(p);
        tree_finish(&left);
        tree_finish(&came);
        return r;
}

static struct str pairs_whole = STR_NULL(10000);

static void play_pairs(bool for_good)
{
        struct str shown = STR_NULL(10000);
        int r = find_pairs(&shown);

        (void)for_good;
        check(r == (alloc_well() ? -ENOMEM : 0));
        check_str(str_z(&shown), r == 0 ? str_z(&pairs_whole) : "");
        str_finish(&shown);
}

TEST(moves_are_found_whole_or_not_at_all)
{
        check_eq(find_pairs(&pairs_whole), 0);
        check(strstr(str_z(&pairs_whole), " d n/m/e|"));
        check(strstr(str_z(&pairs_whole), "ydsync-moving-"));
        refuse_each(play_pairs, 40);
        str_finish(&pairs_whole);
}

/* ---- patterns and the .env ------------------------------------------------------------------- */

static void play_match(bool for_good)
{
        struct match *m = NULL;
        struct err err = ERR_NONE;
        int r;

        (void)for_good;
        alloc_resume();
        r = match_create(&m, "*.tmp,[a-c]x,q", &err);
        alloc_pause();
        check(r == 0 || (r == -ENOMEM && !m && err.code == ENOMEM));
        if (r < 0)
                return;
        alloc_resume();
        r = match_enter(m, "d", "*.o\n!k.o\n[0-9]\n", 16);
        alloc_pause();
        check(r == 0 || r == -ENOMEM);
        check(match_excludes(m, "d/x.tmp", false));
        check_eq(match_excludes(m, "d/x.o", false), r == 0);
        match_destroy(m);
}

TEST(a_list_of_patterns_is_whole_or_not_there)
{
        refuse_each(play_match, 12);
}

static void play_dotenv(bool for_good)
{
        static const char text[] = "A=1\nB=\"x\\n\"\nC='y'\nA=2\nexport D=4 # c\nE=\"\n";
        struct dotenv d = {0};
        int r;

        (void)for_good;
        alloc_resume();
        r = dotenv_parse(&d, text, sizeof(text) - 1);
        alloc_pause();
        if (alloc_well())
                check_eq(r, -ENOMEM);
        else
                check(r == 0 && d.n_pairs == 4 && d.n_mistakes == 2);
        dotenv_finish(&d);
}

TEST(a_file_is_read_whole_or_not_at_all)
{
        refuse_each(play_dotenv, 10);
}

/* ---- answers and flows ----------------------------------------------------------------------- */

#define LISTING                                                                                    \
        "{\"type\":\"dir\",\"_embedded\":{\"items\":[{\"name\":\"a\",\"type\":\"dir\"},"           \
        "{\"name\":\"b\",\"type\":\"dir\"}],\"total\":2,\"offset\":0}}"
#define LINK "{\"href\":\"https://up/1\",\"operation_id\":\"ab\"}"

static void play_answers(bool for_good)
{
        struct yadisk_listing listing = {0};
        struct yadisk_link link = {0};
        int r, q;

        (void)for_good;
        alloc_resume();
        r = yadisk_read_listing(LISTING, strlen(LISTING), &listing);
        q = yadisk_read_link(LINK, strlen(LINK), &link);
        alloc_pause();
        check(r == 0 ? listing.items.n == 2 : r == -ENOMEM && !listing.items.items);
        check(q == 0 ? link.href && link.operation_id : q == -ENOMEM && !link.href);
        if (alloc_well())
                check(r < 0 || q < 0);
        yadisk_listing_finish(&listing);
        yadisk_link_finish(&link);
}

TEST(an_answer_is_read_whole_or_not_at_all)
{
        refuse_each(play_answers, 5);
}

static const struct op *op_of(enum op_verb verb, const char *entry)
{
        return play_op(verb, entry);
}

static struct flow *make_flow(unsigned which)
{
        struct drop_args drop = {.yadisk = &play_yadisk};
        struct put_args put = {.yadisk = &play_yadisk, .wire = play_wire(1),
                               .leftover = play_wire(2)};
        struct record record = {.verb = RECORD_META, .name = "a", .value = "b"};
        struct flow *flow = NULL;
        const struct op *op = op_of(which == 1   ? OP_DROP_TREE
                                    : which == 2 ? OP_MKDIR
                                                 : OP_PUT,
                                    which == 1 || which == 2 ? "d d/e" : "f d/e 5 #c1");
        struct op dropped = *op;

        dropped.verb = OP_DROP;
        drop.op = which == 0 ? &dropped : op;
        put.op = op;
        alloc_resume();
        switch (which) {
        case 0:
        case 1:
                flow = flow_drop(&drop);
                break;
        case 2:
                flow = flow_mkdir(&play_yadisk, op);
                break;
        case 3:
                flow = flow_note(&play_yadisk, op);
                break;
        case 4:
                flow = flow_put(&put);
                break;
        case 5:
                flow = flow_list(&play_yadisk, "d");
                break;
        case 6:
                flow = flow_check(&play_yadisk, "d");
                break;
        case 7:
                flow = flow_sweep(&play_yadisk, "d/a", play_wire(3), 5, PLAY_WALL_MS);
                break;
        case 8:
                flow = flow_write(&record, 1);
                break;
        case 9:
                flow = flow_apart(&drop);
                break;
        case 11:
                flow = flow_account(&play_yadisk);
                break;
        case 10:
                flow = flow_audit(&play_yadisk, "d", AUDIT_LOOK_ONLY);
                break;
        }
        alloc_pause();
        return flow;
}

static unsigned flow_at_hand;

static void play_creation(bool for_good)
{
        struct flow *flow = make_flow(flow_at_hand);

        (void)for_good;
        check_eq(flow == NULL, alloc_well());
        flow_destroy(flow);
}

TEST(a_flow_is_whole_or_not_there)
{
        for (flow_at_hand = 0; flow_at_hand < 12; flow_at_hand++)
                refuse_each(play_creation, 1);
}

/* ---- a folder that is removed only when all in it was compared ------------------------------- */

struct told {
        const char *ask, *answer;
};

/* Everything is as the snapshot has it, but deep down lies something that is not ours. */
static const struct told deep_world[] = {
        {"here t", "here gone"},
        {"known t", "known d t/d|d t/e|f t/f 5 #c1"},
        {"list /t 0", "200 page 3 0 d d|d e|f f 5 #c1"},
        {"known t/d", "known d t/d/deep"},
        {"list /t/d 0", "200 page 1 0 d deep"},
        {"known t/d/deep", "known "},
        {"list /t/d/deep 0", "200 page 1 0 f foreign 1 #ee"},
        {"known t/e", "known f t/e/x 5 #c2"},
        {"list /t/e 0", "200 page 1 0 f x 5 #c2"},
        {NULL, NULL},
};

/* Every piece is there until it is removed. */
static const struct told apart_world[] = {
        {"known t", "known d t/d|f t/f 5 #c1"},
        {"known t/d", "known d t/d/e|f t/d/x 5 #c1"},
        {"known t/d/e", "known "},
        {"here", "here gone"},
        {"list", "200 page 0 0 "},
        {"trash", "204"},
        {"record", "ok"},
        {NULL, NULL},
};

/* All is ours, and the service does not get it done. */
static const struct told busy_world[] = {
        {"here t", "here gone"}, {"known t", "known "}, {"list /t 0", "200 page 0 0 "},
        {"trash", "503"},        {NULL, NULL},
};
static const struct told failing_world[] = {
        {"here t", "here gone"}, {"known t", "known "}, {"list /t 0", "200 page 0 0 "},
        {"trash", "202 op 5"},   {"poll", "200 status failed"}, {NULL, NULL},
};

static const char *answer_of(const struct told *world, const char *ask)
{
        for (; world->ask; world++)
                if (str_eq(ask, world->ask) ||
                    (str_starts(ask, world->ask) && !strchr(world->ask, ' ')))
                        return world->answer;
        return str_starts(ask, "wait") ? "woke" : NULL;
}

/* Plays to the end, or to something that the world has no answer for; counts what was removed. */
static unsigned play_in(const struct told *world, struct play *p)
{
        const char *answer = "start";
        unsigned removed = 0;

        while (!p->over && answer && p->asks < 200) {
                struct outcome in;

                play_outcome(p, answer, &in);
                play_tell(p, &in);
                play_outcome_finish(&in);
                answer = answer_of(world, str_z(&p->shown));
                removed += str_starts(str_z(&p->shown), "trash");
        }
        if (!p->over)
                check_fail("asked for \"%s\"", str_z(&p->shown));
        return removed;
}

/* STUCK: a URL without memory is "too long". */
static void check_ended_early(const struct play *p)
{
        check(alloc_well() && (p->ask.end.kind == END_LATER || p->ask.end.kind == END_STUCK));
}

static void play_deep(bool for_good)
{
        struct drop_args args = {.yadisk = &play_yadisk, .op = play_op(OP_DROP_TREE, "d t")};
        struct alloc_flow around;
        struct play p;

        (void)for_good;
        play_begin(&p, alloc_flow(&around, flow_drop(&args)));
        check_eq(play_in(deep_world, &p), 0);
        if (p.ask.end.kind != END_FOREIGN)
                check_ended_early(&p);
        play_finish(&p);
}

TEST(nothing_is_removed_that_there_was_no_memory_to_compare)
{
        refuse_each(play_deep, 20);
}

/* However often it is tried, each removal rests on a comparison of its own. */
static void play_in_vain(const struct told *world)
{
        struct drop_args args = {.yadisk = &play_yadisk, .op = play_op(OP_DROP_TREE, "d t")};
        struct alloc_flow around;
        unsigned removed;
        struct play p;

        play_begin(&p, alloc_flow(&around, flow_drop(&args)));
        removed = play_in(world, &p);
        check(p.ask.end.kind == END_LATER || (alloc_well() && p.ask.end.kind == END_STUCK));
        if (!alloc_well())
                check_eq(removed, ERRAND_ROUNDS + 1);
        play_finish(&p);
}

static void play_busy(bool for_good)
{
        (void)for_good;
        play_in_vain(busy_world);
}

static void play_failing(bool for_good)
{
        (void)for_good;
        play_in_vain(failing_world);
}

TEST(a_removal_in_vain_ends_some_time)
{
        refuse_each(play_busy, 30);
        refuse_each(play_failing, 30);
}

static void play_apart(bool for_good)
{
        struct drop_args args = {.yadisk = &play_yadisk, .op = play_op(OP_DROP_TREE, "d t")};
        struct alloc_flow around;
        unsigned removed;
        struct play p;

        (void)for_good;
        play_begin(&p, alloc_flow(&around, flow_apart(&args)));
        removed = play_in(apart_world, &p);
        if (p.ask.end.kind == END_DONE)
                check_eq(removed, 5);
        else
                check_ended_early(&p);
        play_finish(&p);
}

TEST(a_folder_is_taken_apart_wholly_or_later)
{
        refuse_each(play_apart, 15);
}
