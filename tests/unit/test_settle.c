/* SPDX-License-Identifier: MIT */

/* Doubts: when flows write them down, and how they are settled.  How rows are read: play.h. */

#include "lib/yadisk/flow_mkdir.h"
#include "lib/yadisk/flow_settle.h"
#include "tests/unit/check.h"
#include "tests/unit/play.h"

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

#define FOLDER "error DiskPathPointsToExistentDirectoryError"
#define EXISTS "error DiskResourceAlreadyExistsError"
#define LOCKED "error DiskResourceLockedError"
#define TRAFFIC "error DiskUploadTrafficLimitExceeded"

/* ---- settling -------------------------------------------------------------------------------- */

#define YOUNG 5000
#define OLD 60000

struct settle {
        const char *becomes; /* an entry as in tree.h; "n KEY": nothing */
        const char *row;     /* NULL: none */
        int64_t age_ms;
        bool looked;
};

static struct flow *settle_flow(const struct settle *s)
{
        struct settle_args args = {.yadisk = &play_yadisk,
                                   .when_ms = PLAY_WALL_MS + 1000 - s->age_ms,
                                   .due = s->age_ms >= OLD,
                                   .looked = s->looked};
        struct tree becomes, row;
        struct flow *f;

        tree_init(&becomes, s->becomes);
        tree_init(&row, s->row ? s->row : "");
        args.becomes = becomes.items[0];
        args.row = s->row ? &row.items[0] : NULL;
        f = flow_settle(&args);
        tree_finish(&becomes);
        tree_finish(&row);
        return f;
}

#define settle(...) settle_flow(&(struct settle){__VA_ARGS__})

/* What stands there is what it was to become: at any age. */
TEST(what_was_begun_is_found)
{
        PLAY_DOUBTS(settle("f d/a 5 #c1", NULL, YOUNG),
                    {"start", "look /d/a"},
                    {"200 file 5 c1", "record row f d/a 5 #c1; settled d/a"},
                    {"ok", "end DONE"});
        PLAY_DOUBTS(settle("f d/a 5 #c1", "f d/a 7 #c0 u r", OLD, true),
                    {"start", "look /d/a"},
                    {"200 file 5 c1", "record row f d/a 5 #c1; settled d/a"},
                    {"ok", "end DONE"});
        PLAY_DOUBTS(settle("d d", NULL, YOUNG),
                    {"start", "look /d"},
                    {"200 dir", "record row d d; settled d"},
                    {"ok", "end DONE"});
        PLAY_DOUBTS(settle("n d/a", "f d/a 5 #c1", YOUNG),
                    {"start", "look /d/a"},
                    {"404", "record forget-tree d/a; settled d/a"},
                    {"ok", "end DONE"});
        PLAY_DOUBTS(settle("n d", "d d", YOUNG),
                    {"start", "look /d"},
                    {"404", "record forget-tree d; settled d"},
                    {"err EIO", "end STORE: the store's words"});
}

/* Until it is due, anything else may only be on its way, or an old view. */
TEST(what_was_begun_may_yet_come)
{
        static const struct settle rows[] = {{"f d/a 5 #c1", NULL, YOUNG},
                                             {"f d/a 5 #c1", "f d/a 7 #c0", YOUNG},
                                             {"d d/a", NULL, YOUNG},
                                             {"n d/a", "f d/a 7 #c0", OLD - 1}};
        static const char *const found[] = {"200 file 7 c0", "200 file 5 ee"};
        static const char *const becomes[] = {"f d/a 5 #c1", "f d/a 5 #c1", "d d/a", "n d/a"};

        for (size_t i = 0; i < ARRAY_SIZE(rows) * ARRAY_SIZE(found); i++) {
                struct settle looked = rows[i / 2];
                char want[100];
                struct play p;

                snprintf(want, sizeof(want), "record doubt %s looked", becomes[i / 2]);
                play_begin(&p, settle_flow(&looked));
                p.doubts = true;
                play_step(&p, "start", "look /d/a");
                play_step(&p, found[i % 2], want);
                check_eq(p.ask.records[0].when_ms, PLAY_WALL_MS + 1000 - looked.age_ms);
                play_step(&p, "ok", "end NOTHING");
                play_finish(&p);
                looked.looked = true; /* which needs to be written down but once */
                play_begin(&p, settle_flow(&looked));
                play_step(&p, "start", "look /d/a");
                play_step(&p, found[i % 2], "end NOTHING");
                play_finish(&p);
        }
        PLAY_DOUBTS(settle("f d/a 5 #c1", "f d/a 7 #c0", YOUNG),
                    {"start", "look /d/a"},
                    {"404", "record doubt f d/a 5 #c1 looked"},
                    {"err ENOSPC", "end STORE"});
}

/* Then what stands there says what is true. */
TEST(what_was_begun_did_not_happen)
{
        PLAY_DOUBTS(settle("f d/a 5 #c1", "f d/a 7 #c0", OLD),
                    {"start", "look /d/a"},
                    {"200 file 7 c0", "record settled d/a"},
                    {"ok", "end DONE"});
        PLAY_DOUBTS(settle("n d/a", "f d/a 7 #c0", OLD, true),
                    {"start", "look /d/a"},
                    {"200 file 7 c0", "record settled d/a"},
                    {"ok", "end DONE"});
        PLAY_DOUBTS(settle("f d/a 5 #c1", NULL, OLD, true),
                    {"start", "look /d/a"},
                    {"404", "record settled d/a"},
                    {"ok", "end DONE"});
        PLAY_DOUBTS(settle("n d", "d d", OLD),
                    {"start", "look /d"},
                    {"200 dir", "record settled d"},
                    {"ok", "end DONE"});
}

/* What is neither the one nor the other is not ours: the row goes, and the next scan decides. */
TEST(somebody_else_was_there)
{
        static const char *const found[] = {"200 file 5 ee", "200 file 6 c1", "200 dir", "404"};

        for (size_t i = 0; i < ARRAY_SIZE(found); i++) {
                struct play p;

                play_begin(&p, settle("f d/a 5 #c1", "f d/a 7 #c0", OLD));
                p.doubts = true;
                play_step(&p, "start", "look /d/a");
                play_step(&p, found[i], "record forget-tree d/a; settled d/a");
                play_step(&p, "ok", "end DONE");
                play_finish(&p);
        }
        PLAY_DOUBTS(settle("d d", "d d", OLD), /* a row of an earlier life of it */
                    {"start", "look /d"},
                    {"200 file 5 ee", "record forget-tree d; settled d"});
}

TEST(what_grows_with_the_file_is_waited_for)
{
        struct entry large = {.kind = KIND_FILE, .size = 1u << 30}, none = {.kind = KIND_NONE};

        check(!flow_settle_due(&none, 59999));
        check(flow_settle_due(&none, 60000));
        check(!flow_settle_due(&large, 359999));
        check(flow_settle_due(&large, 360000));
}

/* Everything else waits for it: it is tried a few times only, and stays in doubt. */
TEST(a_look_that_does_not_succeed)
{
        static const char *const answers[] = {"503", "200 html", "fault broken", "200 other",
                                              "200 file 5"};

        for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
                struct play p;

                play_begin(&p, settle("n a", "f a 7 #c0", OLD));
                play_step(&p, "start", "look /a");
                for (int j = 0; j < 3; j++) {
                        play_step(&p, answers[i], "wait");
                        play_step(&p, "woke", "look /a");
                }
                play_step(&p, answers[i], "end LATER: cannot be looked at");
                play_finish(&p);
        }
        PLAY(settle("n a", "f a 7 #c0", OLD), {"start", "look /a"}, {"401", "end REFUSED"});
        PLAY(settle("n a", "f a 7 #c0", OLD), {"start", "look /a"}, {"503 retry=61000", "end LATER"});
}

/* ---- who writes them down -------------------------------------------------------------------- */

TEST(a_folder_is_in_doubt_before_it_is_made)
{
        PLAY_DOUBTS(flow_mkdir(&play_yadisk, play_op(OP_MKDIR, "d d/e")),
                    {"start", "record doubt d d/e"},
                    {"ok", "mkdir /d/e"},
                    {"201", "record row d d/e; settled d/e"},
                    {"ok", "end DONE"});
        PLAY_DOUBTS(flow_mkdir(&play_yadisk, play_op(OP_MKDIR, "d d")),
                    {"start", "record doubt d d"},
                    {"err ENOSPC", "end STORE"});
        PLAY_DOUBTS(flow_mkdir(&play_yadisk, play_op(OP_MKDIR, "d .")),
                    {"start", "mkdir /"},
                    {"201", "record meta cloud.made=1"},
                    {"ok", "end DONE"});
        PLAY_DOUBTS(flow_note(&play_yadisk, play_op(OP_TOUCH, "d d")),
                    {"start", "record row d d"},
                    {"ok", "end NOTHING"});
}

static struct flow *drop_flow(enum op_verb verb, const char *entry, bool doubtful)
{
        struct drop_args args = {
                .yadisk = &play_yadisk, .op = play_op(verb, entry), .doubtful = doubtful};

        return flow_drop(&args);
}

TEST(a_file_is_in_doubt_before_it_is_removed)
{
        PLAY_DOUBTS(drop_flow(OP_DROP, "f a 5 #c1", false),
                    {"start", "record doubt n a"},
                    {"ok", "here a"},
                    {"here gone", "trash /a #c1"},
                    {"423 " LOCKED, "wait"},
                    {"woke", "record doubt n a"}, /* it counts from the last time it was asked for */
                    {"ok", "here a"},
                    {"here gone", "trash /a #c1"},
                    {"204", "record forget a; settled a"},
                    {"ok", "end DONE"});
        /* it is back, and nothing was asked for */
        PLAY_DOUBTS(drop_flow(OP_DROP, "f a 5 #c1", false),
                    {"start", "record doubt n a"},
                    {"ok", "here a"},
                    {"here f x 5", "record settled a"},
                    {"ok", "end CHANGED: there again"});
        PLAY_DOUBTS(drop_flow(OP_DROP, "f a 5 #c1", false),
                    {"start", "record doubt n a"},
                    {"ok", "here a"},
                    {"err EACCES", "record settled a"},
                    {"ok", "end LATER: cannot be seen"});
        PLAY_DOUBTS(drop_flow(OP_DROP, "f a 5 #c1", false),
                    {"start", "record doubt n a"},
                    {"ok", "here a"},
                    {"here f x 5", "record settled a"},
                    {"err EIO", "end STORE"});
        /* … but was before */
        PLAY_DOUBTS(drop_flow(OP_DROP, "f a 5 #c1", true),
                    {"start", "record doubt n a"},
                    {"ok", "here a"},
                    {"here f x 5", "end CHANGED: there again"});
        PLAY_DOUBTS(drop_flow(OP_DROP, "f a 5 #c1", false),
                    {"start", "record doubt n a"},
                    {"ok", "here a"},
                    {"here gone", "trash /a #c1"},
                    {"503", "wait"},
                    {"woke", "record doubt n a"},
                    {"ok", "here a"},
                    {"here f x 5", "end CHANGED: there again"});
        PLAY_DOUBTS(drop_flow(OP_DROP, "f a 5 #c1", false),
                    {"start", "record doubt n a"},
                    {"err ENOSPC", "end STORE"});
}

TEST(a_folder_is_in_doubt_before_it_is_removed)
{
        struct drop_args args = {.yadisk = &play_yadisk, .op = play_op(OP_DROP_TREE, "d t")};

        PLAY_DOUBTS(flow_drop(&args),
                    {"start", "here t"},
                    {"here gone", "known t"},
                    {"known ", "list /t 0"},
                    {"200 page 0 0 ", "record doubt n t"},
                    {"ok", "here t"},
                    {"here gone", "trash /t"},
                    {"204", "record forget-tree t; settled t"},
                    {"ok", "end DONE"});
        PLAY_DOUBTS(flow_apart(&args),
                    {"start", "known t"},
                    {"known f t/a 5 #c1", "record doubt n t/a"},
                    {"ok", "here t/a"},
                    {"here gone", "trash /t/a #c1"},
                    {"204", "record forget t/a; settled t/a"},
                    {"ok", "record doubt n t"},
                    {"ok", "list /t 0"},
                    {"200 page 0 0 ", "trash /t"},
                    {"204", "record forget t; settled t"},
                    {"ok", "end DONE"});
}

/* Uploads that nobody remembers would keep the folder for ever. */
TEST(what_is_left_in_a_folder_is_written_down_to_be_swept)
{
        struct drop_args args = {.yadisk = &play_yadisk, .op = play_op(OP_DROP_TREE, "d t")};

        PLAY(flow_apart(&args),
             {"start", "known t"},
             {"known ", "list /t 0"},
             {"200 page 2 0 f W1 5 #c1|f W2 6 #c2", "record remnant W1 t/W1 5; remnant W2 t/W2 6"},
             {"ok", "end LATER: what an interrupted upload has left"});
}

TEST(a_file_is_in_doubt_before_it_is_sent)
{
        PLAY_DOUBTS(play_put(.entry = "f a 5"),
                    {"start", "link /a"},
                    {"200 link", "digest a"},
                    {"md5 c1", "record doubt f a 5 #c1"},
                    {"ok", "send https://up/1"},
                    {"201 all c1", "record row f a 5 #c1 u; settled a"},
                    {"ok", "end DONE"});
        /* and each time it is */
        PLAY_DOUBTS(play_put(.entry = "f a 5"),
                    {"start", "link /a"},
                    {"200 link", "digest a"},
                    {"md5 c1", "record doubt f a 5 #c1"},
                    {"ok", "send https://up/1"},
                    {"fault broken", "wait"},
                    {"woke", "link /a"},
                    {"200 link", "record doubt f a 5 #c1"},
                    {"ok", "send https://up/1"});
        PLAY_DOUBTS(play_put(.entry = "f a 5"),
                    {"start", "link /a"},
                    {"200 link", "digest a"},
                    {"err ESTALE", "end CHANGED"});
        PLAY_DOUBTS(play_put(.entry = "f a 5"),
                    {"start", "link /a"},
                    {"200 link", "digest a"},
                    {"md5 c1", "record doubt f a 5 #c1"},
                    {"err EIO", "end STORE"});
        /* what is found to be there already never was in doubt */
        PLAY_DOUBTS(play_put(.entry = "f a 5", .known = "5 #c1"),
                    {"start", "digest a"},
                    {"md5 c1", "record row f a 5 #c1"},
                    {"ok", "end NOTHING"});
}

/* A wire name is no name of its own; the move from it is. */
TEST(a_file_is_in_doubt_before_it_gets_its_name)
{
        PLAY_DOUBTS(play_put(.entry = "f a.zip 100000"),
                    {"start", "record intent W1 a.zip 100000 at 1000"},
                    {"ok", "link /W1"},
                    {"200 link", "send https://up/1"},
                    {"201 all c1", "record doubt f a.zip 100000 #c1"},
                    {"ok", "move /W1 /a.zip"},
                    {"201", "record row f a.zip 100000 #c1 u; done W1; settled a.zip"},
                    {"ok", "end DONE"});
        PLAY_DOUBTS(play_put(.entry = "f a 5", .there = "7 #ee"),
                    {"start", "record intent W1 a 5 at 1000"},
                    {"ok", "link /W1"},
                    {"200 link", "send https://up/1"},
                    {"201 all c1", "record doubt f a 5 #c1"},
                    {"ok", "trash /a #ee"},
                    {"204", "move /W1 /a"},
                    {"201", "record row f a 5 #c1 u; done W1; settled a"},
                    {"ok", "end DONE"});
}

/* What was cut off did not arrive, unless an earlier request may yet. */
TEST(a_body_that_was_cut_off_leaves_no_doubt)
{
        PLAY_DOUBTS(play_put(.entry = "f a 5"),
                    {"start", "link /a"},
                    {"200 link", "digest a"},
                    {"md5 c1", "record doubt f a 5 #c1"},
                    {"ok", "send https://up/1"},
                    {"fault local ESTALE", "record settled a"},
                    {"ok", "end CHANGED"});
        PLAY_DOUBTS(play_put(.entry = "f a 5"),
                    {"start", "link /a"},
                    {"200 link", "digest a"},
                    {"md5 c1", "record doubt f a 5 #c1"},
                    {"ok", "send https://up/1"},
                    {"423 sent=2 " TRAFFIC, "record settled a"},
                    {"err EIO", "end STORE"});
        PLAY_DOUBTS(play_put(.entry = "f a 5"),
                    {"start", "link /a"},
                    {"200 link", "digest a"},
                    {"md5 c1", "record doubt f a 5 #c1"},
                    {"ok", "send https://up/1"},
                    {"423 all c1 " TRAFFIC, "end FULL"});
        PLAY_DOUBTS(play_put(.entry = "f a 5", .doubtful = true),
                    {"start", "link /a"},
                    {"200 link", "digest a"},
                    {"md5 c1", "record doubt f a 5 #c1"},
                    {"ok", "send https://up/1"},
                    {"fault local ESTALE", "end CHANGED"});
}
