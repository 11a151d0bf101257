/* SPDX-License-Identifier: MIT */

/* The flows but for the largest (test_flow_put.c); how rows are read is told in play.h. */

#include "lib/core/flow_write.h"
#include "lib/yadisk/flow_account.h"
#include "lib/yadisk/flow_audit.h"
#include "lib/yadisk/flow_list.h"
#include "lib/yadisk/flow_mkdir.h"
#include "lib/yadisk/flow_move.h"
#include "tests/unit/check.h"
#include "tests/unit/play.h"

#include <errno.h>

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

#define PARENT "error DiskPathDoesntExistsError"
#define FOLDER "error DiskPathPointsToExistentDirectoryError"
#define EXISTS "error DiskResourceAlreadyExistsError"
#define DIFFERS "error MD5DifferError"
#define LOCKED "error DiskResourceLockedError"
#define MISSING "error DiskNotFoundError"

/* ---- moves ----------------------------------------------------------------------------------- */

static struct flow *move_flow(const char *entry, const char *from, bool parks)
{
        struct op op = *play_op(OP_MOVE, entry);

        op.from = from;
        op.parks = parks;
        op.known_size = op.entry.size;
        memcpy(op.known_md5, op.entry.md5, sizeof(op.known_md5));
        return flow_move(&play_yadisk, &op, true);
}

TEST(move_of_a_file)
{
        PLAY(move_flow("f b/x 5 #c1 i7", "a", false),
             {"start", "record meta moving/a=b/x"},
             {"ok", "here a"},
             {"here gone", "digest b/x"},
             {"md5 c1", "move /a /b/x"},
             {"201 link", "record move a to b/x; meta moving/a=; row f b/x 5 #c1 u"},
             {"ok", "end DONE"});
        PLAY(move_flow("f b 5 #c1 i7", "a", false),
             {"start", "record meta moving/a=b"},
             {"err EIO", "end STORE: the store's words"});
        PLAY(move_flow("f b 5 #c1 i7", "a", false),
             {"start", "record meta moving/a=b"},
             {"ok", "here a"},
             {"here f a 5 i9", "digest b"}, /* another one stands there now */
             {"md5 c1", "move /a /b"},
             {"202 link https://api/v1/disk/operations/o1", "poll o1"},
             {"200 status in-progress", "wait"},
             {"woke", "poll o1"},
             {"200 status success", "record move a to b; meta moving/a=; row f b 5 #c1 u"},
             {"err EIO", "end STORE"});
}

TEST(move_of_what_did_not_move)
{
        PLAY(move_flow("f b 5 #c1 i7", "a", false),
             {"start", "record meta moving/a=b"},
             {"ok", "here a"},
             {"here f a 5 i7", "record meta moving/a="},
             {"ok", "end NOTHING: still at its old place"});
        PLAY(move_flow("f b 5 #c1 i7", "a", false),
             {"start", "record meta moving/a=b"},
             {"ok", "here a"},
             {"err EACCES", "record meta moving/a="});
        PLAY(move_flow("f b 5 #c1 i7", "a", false),
             {"start", "record meta moving/a=b"},
             {"ok", "here a"},
             {"here gone", "digest b"},
             {"md5 c2", "record meta moving/a="},
             {"ok", "end NOTHING: its content"});
        PLAY(move_flow("f b 5 #c1 i7", "a", false),
             {"start", "record meta moving/a=b"},
             {"ok", "here a"},
             {"here gone", "digest b"},
             {"err ESTALE", "record meta moving/a="},
             {"err EIO", "end STORE"});
        PLAY(move_flow("d b i7", "a", false),
             {"start", "record meta moving/a=b"},
             {"ok", "here a"},
             {"here gone", "here b"},
             {"here d b i8", "record meta moving/a="},
             {"ok", "end NOTHING: left its new place"});
}

/* It looks anew before it asks again. */
TEST(move_that_has_to_wait)
{
        PLAY(move_flow("d b i7", "a", false),
             {"start", "record meta moving/a=b"},
             {"ok", "here a"},
             {"here gone", "here b"},
             {"here d b i7", "move /a /b"},
             {"423 " LOCKED, "wait"},
             {"woke", "here a"},
             {"here d a i7", "record meta moving/a="},
             {"ok", "end NOTHING"});
        PLAY(move_flow("d b i7", "a", false),
             {"start", "record meta moving/a=b"},
             {"ok", "here a"},
             {"here gone", "here b"},
             {"here d b i7", "move /a /b"},
             {"401", "end REFUSED"});
}

/* Moved back, or edited, while the answer was lost: what was done there is found out first. */
TEST(move_that_is_not_wanted_any_more)
{
        PLAY(move_flow("f b 5 #c1 i7", "a", false),
             {"start", "record meta moving/a=b"},
             {"ok", "here a"},
             {"here gone", "digest b"},
             {"md5 c1", "move /a /b"},
             {"fault broken", "wait"},
             {"woke", "here a"},
             {"here f a 5 i7", "look /b"},
             {"200 file 5 c1", "look /a"},
             {"404 " MISSING, "record move a to b; meta moving/a="},
             {"ok", "end DONE"});
        PLAY(move_flow("f b 5 #c1 i7", "a", false),
             {"start", "record meta moving/a=b"},
             {"ok", "here a"},
             {"here gone", "digest b"},
             {"md5 c1", "move /a /b"},
             {"502 html", "wait"},
             {"woke", "here a"},
             {"here gone", "digest b"},
             {"md5 c2", "look /b"},
             {"404 " MISSING, "record meta moving/a="},
             {"ok", "end NOTHING"});
}

/* The answer was lost: was it moved? */
TEST(move_that_may_have_been_made)
{
        PLAY(move_flow("f b 5 #c1 i7", "a", false),
             {"start", "record meta moving/a=b"},
             {"ok", "here a"},
             {"here gone", "digest b"},
             {"md5 c1", "move /a /b"},
             {"fault broken", "wait"},
             {"woke", "here a"},
             {"here gone", "digest b"},
             {"md5 c1", "move /a /b"},
             {"404 " MISSING, "look /b"},
             {"200 file 5 c1", "look /a"},
             {"404 " MISSING, "record move a to b; meta moving/a=; row f b 5 #c1 u"},
             {"ok", "end DONE"});
        /* somebody's stands there */
        PLAY(move_flow("f b 5 #c1 i7", "a", false),
             {"start", "record meta moving/a=b"},
             {"ok", "here a"},
             {"here gone", "digest b"},
             {"md5 c1", "move /a /b"},
             {"409 " EXISTS, "look /b"},
             {"200 file 5 c2", "record meta moving/a="},
             {"ok", "end NOTHING: something else stands"});
        /* his has the same content: both are there */
        PLAY(move_flow("f b 5 #c1 i7", "a", false),
             {"start", "record meta moving/a=b"},
             {"ok", "here a"},
             {"here gone", "digest b"},
             {"md5 c1", "move /a /b"},
             {"409 " EXISTS, "look /b"},
             {"200 file 5 c1", "look /a"},
             {"200 file 5 c1", "record meta moving/a="});
        PLAY(move_flow("f b 5 #c1 i7", "a", false),
             {"start", "record meta moving/a=b"},
             {"ok", "here a"},
             {"here gone", "digest b"},
             {"md5 c1", "move /a /b"},
             {"409 " PARENT, "look /b"},
             {"404 " MISSING, "record meta moving/a="});
}

/* A folder is the one that was moved if what is known in the old one stands in it. */
TEST(move_of_a_folder_that_may_have_been_made)
{
        PLAY(move_flow("d b i7", "a", false),
             {"start", "record meta moving/a=b"},
             {"ok", "here a"},
             {"here gone", "here b"},
             {"here d b i7", "move /a /b"},
             {"404 " MISSING, "look /b"},
             {"200 dir", "look /a"},
             {"404 " MISSING, "known a"},
             {"known f a/x 5 #c1|d a/y", "list /b 0"},
             {"200 page 3 0 f w 5 #c3|f x 5 #c1|d y",
              "record move a to b; meta moving/a=; row d b"},
             {"ok", "end DONE"});
        PLAY(move_flow("d b i7", "a", false),
             {"start", "record meta moving/a=b"},
             {"ok", "here a"},
             {"here gone", "here b"},
             {"here d b i7", "move /a /b"},
             {"404 " MISSING, "look /b"},
             {"200 dir", "look /a"},
             {"404 " MISSING, "known a"},
             {"known f a/x 5 #c1|d a/y", "list /b 0"},
             {"200 page 2 0 f x 5 #c2|d y", "record meta moving/a="},
             {"ok", "end NOTHING: something else"});
}

TEST(move_aside)
{
        PLAY(move_flow("f p 5 #c1 i7", "a", true),
             {"start", "record meta moving/a=p"},
             {"ok", "here a"},
             {"here f a 9 i3", "move /a /p"},
             {"201 link", "record move a to p; meta moving/a="},
             {"ok", "end DONE"});
}

TEST(move_that_an_earlier_run_began)
{
        struct tree row;

        tree_init(&row, "f a 5 #c1");
        PLAY(flow_move_settle(&play_yadisk, row.items, "b"),
             {"start", "look /b"},
             {"200 file 5 c1", "look /a"},
             {"404 " MISSING, "record move a to b; meta moving/a="},
             {"ok", "end DONE"});
        PLAY(flow_move_settle(&play_yadisk, row.items, "b"),
             {"start", "look /b"},
             {"404 " MISSING, "record meta moving/a="},
             {"ok", "end NOTHING"});
        tree_finish(&row);
}

/* ---- folders --------------------------------------------------------------------------------- */

static struct flow *mkdir_flow(const char *entry)
{
        return flow_mkdir(&play_yadisk, play_op(OP_MKDIR, entry));
}

TEST(mkdir_of_a_new_folder)
{
        PLAY(mkdir_flow("d d/e"),
             {"start", "mkdir /d/e"},
             {"201 link", "record row d d/e"},
             {"ok", "end DONE"});
        PLAY(mkdir_flow("d d"),
             {"start", "mkdir /d"},
             {"409 " FOLDER, "record row d d"},
             {"ok", "end NOTHING"});
        PLAY(mkdir_flow("d d"),
             {"start", "mkdir /d"},
             {"200 html", "wait 250"},
             {"woke", "mkdir /d"},
             {"423 " LOCKED, "wait 200"},
             {"woke", "mkdir /d"},
             {"429 retry=9000", "wait 9000"},
             {"woke", "mkdir /d"},
             {"201", "record row d d"},
             {"err EIO", "end STORE: the store's words"});
}

TEST(mkdir_that_cannot_be)
{
        PLAY(mkdir_flow("d d"), {"start", "mkdir /d"}, {"401", "end REFUSED: token"});
        PLAY(mkdir_flow("d d"), {"start", "mkdir /d"}, {"400", "end STUCK: refuses"});
        PLAY(mkdir_flow("d d"), {"start", "mkdir /d"}, {"507", "end FULL"});
}

TEST(mkdir_without_a_parent)
{
        PLAY(mkdir_flow("d d/e"),
             {"start", "mkdir /d/e"},
             {"409 " PARENT, "record meta audit.at=cloud"},
             {"ok", "mkdir disk:/B"},
             {"409 " FOLDER, "mkdir /"},
             {"409 " FOLDER, "mkdir /d"},
             {"201", "mkdir /d/e"},
             {"201", "record row d d/e"},
             {"ok", "end DONE folder-gone"});
        PLAY(mkdir_flow("d d/e"),
             {"start", "mkdir /d/e"},
             {"409 " PARENT, "record meta audit.at=cloud"},
             {"ok", "mkdir disk:/B"},
             {"409 " FOLDER, "mkdir /"},
             {"409 " FOLDER, "mkdir /d"},
             {"409 " FOLDER, "mkdir /d/e"},
             {"201", "record row d d/e"},
             {"ok", "end DONE"});
        PLAY(mkdir_flow("d d/e"),
             {"start", "mkdir /d/e"},
             {"409 " PARENT, "record meta audit.at=cloud"},
             {"ok", "mkdir disk:/B"},
             {"409 " EXISTS, "end STUCK: disk:/B must be"});
        PLAY(mkdir_flow("d d/e"),
             {"start", "mkdir /d/e"},
             {"409 " PARENT, "record meta audit.at=cloud"},
             {"err EIO", "end STORE"});
}

/* The cloud folder itself: with all above it, and without a row. */
TEST(mkdir_of_the_cloud_folder)
{
        PLAY(mkdir_flow("d ."),
             {"start", "mkdir /"},
             {"409 " PARENT, "mkdir disk:/B"},
             {"201", "mkdir /"},
             {"201", "record meta cloud.made=1"},
             {"ok", "end DONE"});
        PLAY(mkdir_flow("d ."),
             {"start", "mkdir /"},
             {"409 " FOLDER, "record meta cloud.made=1"},
             {"ok", "end NOTHING"});
}

TEST(mkdir_where_a_file_is)
{
        PLAY(mkdir_flow("d d"),
             {"start", "mkdir /d"},
             {"409 " EXISTS, "look /d"},
             {"200 file 5 ee", "trash /d #ee"},
             {"204", "mkdir /d"},
             {"201", "record row d d"});
        PLAY(mkdir_flow("d d"),
             {"start", "mkdir /d"},
             {"409 " EXISTS, "look /d"},
             {"200 file 5 ee", "trash /d #ee"},
             {"409 " DIFFERS, "look /d"},
             {"200 file 6 ef", "trash /d #ef"},
             {"202 op 9", "poll 9"},
             {"200 status in-progress", "wait 100"},
             {"woke", "poll 9"},
             {"200 status success", "mkdir /d"},
             {"201", "record row d d"});
        PLAY(mkdir_flow("d d"),
             {"start", "mkdir /d"},
             {"409 error PlatformResourceAlreadyExists", "look /d"},
             {"404", "mkdir /d"},
             {"409 " EXISTS, "look /d"},
             {"200 dir", "record row d d"},
             {"ok", "end NOTHING"});
        PLAY(mkdir_flow("d d"),
             {"start", "mkdir /d"},
             {"409 " EXISTS, "look /d"},
             {"200 file 5 ee", "trash /d #ee"},
             {"404", "mkdir /d"},
             {"409 " EXISTS, "look /d"},
             {"503", "wait 250"},
             {"woke", "look /d"},
             {"200 file 5 ee", "trash /d #ee"},
             {"503", "wait 250"},
             {"woke", "trash /d #ee"},
             {"401", "end REFUSED"});
        /* the removal failed: asking again tells what stands there */
        PLAY(mkdir_flow("d d"),
             {"start", "mkdir /d"},
             {"409 " EXISTS, "look /d"},
             {"200 file 5 ee", "trash /d #ee"},
             {"202 op 9", "poll 9"},
             {"200 status failed", "mkdir /d"});
}

TEST(mkdir_after_a_listing)
{
        struct op op = *play_op(OP_MKDIR, "d d");

        op.there = OP_THERE_FILE;
        op.there_size = 5;
        PLAY(flow_mkdir(&play_yadisk, &op),
             {"start", "look /d"},
             {"200 file 5 ee", "trash /d #ee"},
             {"204", "mkdir /d"});
        op.there = OP_THERE_NOTHING;
        PLAY(flow_mkdir(&play_yadisk, &op), {"start", "mkdir /d"});
}

TEST(mkdir_of_what_keeps_changing)
{
        struct play p;

        play_begin(&p, mkdir_flow("d d"));
        play_step(&p, "start", "mkdir /d");
        for (int i = 0; i < 6; i++) {
                play_step(&p, "409 " EXISTS, "look /d");
                play_step(&p, "404", "mkdir /d");
        }
        play_step(&p, "409 " EXISTS, "end LATER: tried 13 times in vain");
        play_finish(&p);
}

TEST(notes_are_only_written_down)
{
        PLAY(flow_note(&play_yadisk, play_op(OP_TOUCH, "d d @7 i8")),
             {"start", "record row d d"}, {"ok", "end NOTHING"});
        PLAY(flow_note(&play_yadisk, play_op(OP_ADOPT, "d d")),
             {"start", "record row d d"}, {"ok", "end NOTHING"});
        PLAY(flow_note(&play_yadisk, play_op(OP_FORGET, "f f 5")),
             {"start", "record forget-tree f"}, {"ok", "end NOTHING"});
        PLAY(flow_note(&play_yadisk, play_op(OP_FORGET, "d d")),
             {"start", "record forget-tree d"}, {"err EIO", "end STORE"});
}

/* ---- dropping a file ------------------------------------------------------------------------- */

static struct flow *drop_flow(enum op_verb verb, const char *entry, bool permanently)
{
        struct drop_args args = {.yadisk = &play_yadisk,
                                 .op = play_op(verb, entry),
                                 .permanently = permanently};

        return flow_drop(&args);
}

#define drop_file() drop_flow(OP_DROP, "f d/a 5 #c1", false)

TEST(drop_of_a_file)
{
        PLAY(drop_file(),
             {"start", "here d/a"},
             {"here gone", "trash /d/a #c1"},
             {"204", "record forget d/a"},
             {"ok", "end DONE"});
        PLAY(drop_flow(OP_DROP, "f d/a 5 #c1", true),
             {"start", "here d/a"},
             {"here gone", "erase /d/a #c1"},
             {"204", "record forget d/a"});
        /* it is not there any more, or its folder is not */
        PLAY(drop_file(),
             {"start", "here d/a"},
             {"here gone", "trash /d/a #c1"},
             {"404 " MISSING, "record forget d/a"},
             {"ok", "end NOTHING"});
        PLAY(drop_file(),
             {"start", "here d/a"},
             {"here gone", "trash /d/a #c1"},
             {"409 " PARENT, "record forget d/a"},
             {"ok", "end NOTHING"});
        PLAY(drop_file(),
             {"start", "here d/a"},
             {"here gone", "trash /d/a #c1"},
             {"204", "record forget d/a"},
             {"err EIO", "end STORE"});
        /* a folder stands in its place here */
        PLAY(drop_file(),
             {"start", "here d/a"},
             {"here d x", "trash /d/a #c1"});
}

TEST(drop_only_what_is_proven_gone)
{
        PLAY(drop_file(), {"start", "here d/a"}, {"here f x 5", "end CHANGED: there again"});
        PLAY(drop_file(), {"start", "here d/a"}, {"here o x", "end CHANGED"});
        PLAY(drop_file(), {"start", "here d/a"}, {"err EACCES", "end LATER: cannot be seen"});
        PLAY(drop_file(), {"start", "here d/a"}, {"err EIO", "end LATER"});
        PLAY(drop_file(), {"start", "here d/a"}, {"err ENOTDIR", "end LATER"});
        /* it was on a disk that is not mounted any more */
        PLAY(drop_flow(OP_DROP, "f d/a 5 #c1 %2", false),
             {"start", "here d/a"},
             {"here gone", "end CHANGED: disk that it was on is not there"});
        PLAY(drop_flow(OP_DROP, "f d/a 5 #c1 %2", false),
             {"start", "here d/a"},
             {"here d x", "end CHANGED: disk that it was on is not there"});
}

/* With YDSYNC_DELETE=never. */
TEST(drop_only_what_was_replaced)
{
        struct drop_args args = {.yadisk = &play_yadisk, .op = play_op(OP_DROP, "f d/a 5 #c1"),
                                 .replaces = true};

        PLAY(flow_drop(&args), {"start", "here d/a"}, {"here d x", "trash /d/a #c1"});
        PLAY(flow_drop(&args),
             {"start", "here d/a"},
             {"here gone", "end CHANGED: what stood in its place is gone"});
}

TEST(drop_leaves_what_somebody_else_changed)
{
        PLAY(drop_file(),
             {"start", "here d/a"},
             {"here gone", "trash /d/a #c1"},
             {"409 " DIFFERS, "record forget d/a"}, /* it is no longer ours */
             {"ok", "end FOREIGN: changed by somebody else"});
}

TEST(drop_by_and_by)
{
        PLAY(drop_file(),
             {"start", "here d/a"},
             {"here gone", "trash /d/a #c1"},
             {"202 op 5", "poll 5"},
             {"200 status in-progress", "wait 100"},
             {"woke", "poll 5"},
             {"200 status success", "record forget d/a"},
             {"ok", "end DONE"});
        /* failed or forgotten: asking once more tells */
        PLAY(drop_file(),
             {"start", "here d/a"},
             {"here gone", "trash /d/a #c1"},
             {"202 op 5", "poll 5"},
             {"200 status failed", "here d/a"},
             {"here gone", "trash /d/a #c1"},
             {"202 op 6", "poll 6"},
             {"404", "here d/a"},
             {"here gone", "trash /d/a #c1"},
             {"404", "record forget d/a"},
             {"ok", "end DONE"});
        PLAY(drop_file(),
             {"start", "here d/a"},
             {"here gone", "trash /d/a #c1"},
             {"202 html", "wait"}, /* accepted is not done, and nobody can be asked */
             {"woke", "here d/a"},
             {"here gone", "trash /d/a #c1"},
             {"404", "record forget d/a"});
        PLAY(drop_file(),
             {"start", "here d/a"},
             {"here gone", "trash /d/a #c1"},
             {"403", "end STUCK"});
}

/* A look is good for the call that follows it, not for one after a wait. */
TEST(drop_looks_again_after_a_wait)
{
        PLAY(drop_file(),
             {"start", "here d/a"},
             {"here gone", "trash /d/a #c1"},
             {"429 retry=60000", "wait 60000"},
             {"woke", "here d/a"},
             {"here f x 5", "end CHANGED: there again"});
        PLAY(drop_file(),
             {"start", "here d/a"},
             {"here gone", "trash /d/a #c1"},
             {"423 " LOCKED, "wait 100"},
             {"woke", "here d/a"},
             {"here gone", "trash /d/a #c1"},
             {"200 html", "wait 500"}, /* each wait is longer, all the same */
             {"woke", "here d/a"},
             {"here gone", "trash /d/a #c1"},
             {"409", "wait 1000"},
             {"woke", "here d/a"},
             {"err EIO", "end LATER"});
}

TEST(drop_does_not_try_for_ever)
{
        static const struct {
                const char *answer;
                int times;
        } rows[] = {{"503", 8}, {"423 " LOCKED, 16}, {"409", 8}, {"fault unreachable", 8}};

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct play p;

                play_begin(&p, drop_file());
                play_step(&p, "start", "here d/a");
                for (int j = 0; j < rows[i].times; j++) {
                        play_step(&p, "here gone", "trash /d/a #c1");
                        play_step(&p, rows[i].answer, "wait");
                        play_step(&p, "woke", "here d/a");
                }
                play_step(&p, "here gone", "trash /d/a #c1");
                play_step(&p, rows[i].answer, "end LATER");
                play_finish(&p);
        }
}

/* ---- dropping a folder ----------------------------------------------------------------------- */

#define drop_tree() drop_flow(OP_DROP_TREE, "d t", false)

static struct flow *apart_flow(bool permanently)
{
        struct drop_args args = {.yadisk = &play_yadisk,
                                 .op = play_op(OP_DROP_TREE, "d t"),
                                 .permanently = permanently};

        return flow_apart(&args);
}

TEST(drop_of_a_folder)
{
        PLAY(drop_tree(),
             {"start", "here t"},
             {"here gone", "known t"},
             {"known f t/a 5 #c1|f t/b 6 #c2", "list /t 0"},
             {"200 page 2 0 f a 5 #c1|f b 6 #c2", "here t"},
             {"here gone", "trash /t"},
             {"202 op 5", "poll 5"},
             {"200 status success", "record forget-tree t"},
             {"ok", "end DONE"});
        PLAY(drop_flow(OP_DROP_TREE, "d t", true),
             {"start", "here t"},
             {"here gone", "known t"},
             {"known ", "list /t 0"},
             {"200 page 0 0 ", "here t"},
             {"here gone", "trash /t"},
             {"204", "record forget-tree t"});
        /* what the cloud has lost already is no hindrance */
        PLAY(drop_tree(),
             {"start", "here t"},
             {"here gone", "known t"},
             {"known f t/a 5 #c1|f t/b 6 #c2|d t/c", "list /t 0"},
             {"200 page 1 0 f b 6 #c2", "here t"},
             {"here gone", "trash /t"},
             {"404", "record forget-tree t"},
             {"ok", "end NOTHING"});
        PLAY(drop_tree(),
             {"start", "here t"},
             {"here gone", "known t"},
             {"known f t/a 5 #c1", "list /t 0"},
             {"404", "wait 500"}, /* a view may lag behind */
             {"woke", "list /t 0"},
             {"+5000 404", "record forget-tree t"},
             {"ok", "end NOTHING"});
        /* a file stands in its place here */
        PLAY(drop_tree(),
             {"start", "here t"},
             {"here f x 5", "known t"},
             {"known ", "list /t 0"},
             {"200 page 0 0 ", "here t"},
             {"here f x 6", "trash /t"});
}

TEST(drop_of_a_folder_with_folders)
{
        PLAY(drop_tree(),
             {"start", "here t"},
             {"here gone", "known t"},
             {"known f t/a 5 #c1|d t/d|d t/e", "list /t 0"},
             {"200 page 3 0 d d|d e|f a 5 #c1", "known t/e"},
             {"known f t/e/x 7 #c3", "list /t/e 0"},
             {"200 page 1 0 f x 7 #c3", "known t/d"},
             {"known d t/d/f", "list /t/d 0"},
             {"200 page 1 0 d f", "known t/d/f"},
             {"known ", "list /t/d/f 0"},
             {"200 page 0 0 ", "here t"},
             {"here gone", "trash /t"});
        /* a folder that is not in the cloud is not asked for */
        PLAY(drop_tree(),
             {"start", "here t"},
             {"here gone", "known t"},
             {"known d t/d|f t/e 5 #c1", "list /t 0"},
             {"200 page 1 0 f e 5 #c1", "here t"});
        /* gone between the two listings */
        PLAY(drop_tree(),
             {"start", "here t"},
             {"here gone", "known t"},
             {"known d t/d", "list /t 0"},
             {"200 page 1 0 d d", "known t/d"},
             {"known f t/d/x 5 #c1", "list /t/d 0"},
             {"404", "here t"});
        /* … with another still to be compared */
        PLAY(drop_tree(),
             {"start", "here t"},
             {"here gone", "known t"},
             {"known d t/d|d t/e", "list /t 0"},
             {"200 page 2 0 d d|d e", "known t/e"},
             {"known ", "list /t/e 0"},
             {"404", "known t/d"},
             {"known ", "list /t/d 0"},
             {"200 page 1 0 f x 7 #c3", "end FOREIGN: t/d/x"});
}

TEST(drop_of_a_folder_in_pages)
{
        PLAY(drop_tree(),
             {"start", "here t"},
             {"here gone", "known t"},
             {"known f t/a 5 #c1|f t/b 6 #c2|d t/c", "list /t 0"},
             {"200 page 3 0 f b 6 #c2|d c", "list /t 2"},
             {"503", "wait 250"},
             {"woke", "list /t 2"},
             {"200 page 3 2 f a 5 #c1", "known t/c"},
             {"known ", "list /t/c 0"},
             {"200 page 0 0 ", "here t"},
             {"here gone", "trash /t"});
}

TEST(drop_stops_at_what_is_not_ours)
{
        static const char *const listings[] = {
                "200 page 2 0 f a 5 #c1|f new 1 #01",    /* a file that came from elsewhere */
                "200 page 2 0 d d|f a 5 #c1",            /* a folder */
                "200 page 1 0 f a 5 #ee",                /* changed there */
                "200 page 1 0 f a 6 #c1",
                "200 page 1 0 f a 5",                    /* of unknown content */
                "200 page 1 0 d a",                      /* of another kind */
                "200 page 1 0 f b",                      /* there too */
                "200 page 1 0 o a",                      /* of a kind nobody knows */
                "200 page 1 0 f 0 5 #c1",                /* sorts before all of ours */
                "200 page 1 0 f zz 5 #c1",               /* after all */
                "200 raw {\"type\":\"file\"}",           /* the folder is a file */
                ("200 raw {\"_embedded\":{\"total\":1,\"offset\":0,\"items\":[{\"name\":\"..\","
                 "\"type\":\"file\",\"size\":1}]}}"),
        };

        for (size_t i = 0; i < ARRAY_SIZE(listings); i++) {
                struct play p;

                play_begin(&p, drop_tree());
                play_step(&p, "start", "here t");
                play_step(&p, "here gone", "known t");
                play_step(&p, "known f t/a 5 #c1|d t/b", "list /t 0");
                play_step(&p, listings[i], "end FOREIGN");
                play_finish(&p);
        }
        PLAY(drop_tree(),
             {"start", "here t"},
             {"here gone", "known t"},
             {"known d t/d", "list /t 0"},
             {"200 page 1 0 d d", "known t/d"},
             {"known f t/d/x 5 #c1", "list /t/d 0"},
             {"200 page 2 0 f x 5 #c1|f y 1 #01", "end FOREIGN: t/d/y in the cloud is not ours"});
}

/* The name came from the service; what a person gets to read holds no control characters. */
TEST(drop_says_strange_names_printably)
{
        PLAY(drop_tree(),
             {"start", "here t"},
             {"here gone", "known t"},
             {"known ", "list /t 0"},
             {"200 raw {\"_embedded\":{\"total\":1,\"offset\":0,\"items\":[{\"name\":\"a\\nb\xff\","
              "\"type\":\"dir\"}]}}",
              "end FOREIGN: t/a\\x0ab\\xff in the cloud"});
}

TEST(drop_of_a_folder_that_is_back)
{
        PLAY(drop_tree(), {"start", "here t"}, {"here d x", "end CHANGED: there again"});
        PLAY(drop_tree(), {"start", "here t"}, {"here o x", "end CHANGED"});
        PLAY(drop_tree(), {"start", "here t"}, {"err EIO", "end LATER"});
        PLAY(drop_tree(),
             {"start", "here t"},
             {"here gone", "known t"},
             {"known ", "list /t 0"},
             {"200 page 0 0 ", "here t"},
             {"here d x", "end CHANGED: there again"});
        PLAY(drop_tree(),
             {"start", "here t"},
             {"here gone", "known t"},
             {"known ", "list /t 0"},
             {"200 page 0 0 ", "here t"},
             {"here gone", "trash /t"},
             {"429 retry=60000", "wait 60000"},
             {"woke", "here t"},
             {"here d x", "end CHANGED: there again"});
}

/* A page of a balancer: neither is the folder missing nor the file. */
TEST(drop_believes_no_404_without_a_name)
{
        PLAY(drop_file(),
             {"start", "here d/a"},
             {"here gone", "trash /d/a #c1"},
             {"404 html", "wait 250"},
             {"woke", "here d/a"});
        PLAY(drop_tree(),
             {"start", "here t"},
             {"here gone", "known t"},
             {"known ", "list /t 0"},
             {"404 html", "wait 250"},
             {"woke", "list /t 0"});
        PLAY(apart_flow(false),
             {"start", "known t"},
             {"known f t/a 5 #c1", "here t/a"},
             {"here gone", "trash /t/a #c1"},
             {"404 html", "wait 250"},
             {"woke", "here t/a"});
        PLAY(flow_list(&play_yadisk, ""),
             {"start", "list / 0"},
             {"404 html", "wait 250"},
             {"woke", "list / 0"});
}

/* More folders than there is room for at first. */
TEST(drop_of_a_folder_with_many_folders)
{
        _cleanup_(str_finish) struct str rows = STR_NULL(4000), page = STR_NULL(4000);
        struct play p;

        for (int i = 10; i < 60; i++) {
                str_addf(&rows, "%sd t/%d", i > 10 ? "|" : "known ", i);
                str_addf(&page, "%sd %d", i > 10 ? "|" : "200 page 50 0 ", i);
        }
        play_begin(&p, drop_tree());
        play_step(&p, "start", "here t");
        play_step(&p, "here gone", "known t");
        play_step(&p, str_z(&rows), "list /t 0");
        play_step(&p, str_z(&page), "known t/59");
        for (int i = 59; i >= 10; i--) {
                char want[40];

                snprintf(want, sizeof(want), "list /t/%d 0", i);
                play_step(&p, "known ", want);
                snprintf(want, sizeof(want), "known t/%d", i - 1);
                play_step(&p, "200 page 0 0 ", i > 10 ? want : "here t");
        }
        play_finish(&p);
}

TEST(drop_of_a_folder_in_trouble)
{
        PLAY(drop_tree(),
             {"start", "here t"},
             {"here gone", "known t"},
             {"err EIO", "end STORE: the store's words"});
        PLAY(drop_tree(),
             {"start", "here t"},
             {"here gone", "known t"},
             {"known ", "list /t 0"},
             {"401", "end REFUSED"});
        PLAY(drop_tree(),
             {"start", "here t"},
             {"here gone", "known t"},
             {"known ", "list /t 0"},
             {"200 page 0 0 ", "here t"},
             {"here gone", "trash /t"},
             {"202 op 5", "poll 5"},
             {"200 status failed", "here t"},
             {"here gone", "known t"},
             {"known ", "list /t 0"},
             {"200 page 0 0 ", "here t"},
             {"here gone", "trash /t"},
             {"202 op 6", "poll 6"},
             {"404", "here t"},
             {"here gone", "known t"},
             {"known ", "list /t 0"},
             {"200 page 0 0 ", "here t"},
             {"here gone", "trash /t"},
             {"404", "record forget-tree t"},
             {"err EIO", "end STORE"});
        /* what somebody puts into it while the call is waited for stays */
        PLAY(drop_tree(),
             {"start", "here t"},
             {"here gone", "known t"},
             {"known ", "list /t 0"},
             {"200 page 0 0 ", "here t"},
             {"here gone", "trash /t"},
             {"503 html", "wait"},
             {"woke", "here t"},
             {"here gone", "known t"},
             {"known ", "list /t 0"},
             {"200 page 1 0 f x 1 #f0", "end FOREIGN"});
        PLAY(drop_tree(),
             {"start", "here t"},
             {"here gone", "known t"},
             {"known ", "list /t 0"},
             {"200 page 0 0 ", "here t"},
             {"here gone", "trash /t"},
             {"503 html", "wait"},
             {"woke", "here t"},
             {"here gone", "known t"},
             {"known ", "list /t 0"},
             {"200 raw {\"type\":\"file\"}", "end FOREIGN"});
        /* a removal that goes on and on */
        PLAY(drop_tree(),
             {"start", "here t"},
             {"here gone", "known t"},
             {"known ", "list /t 0"},
             {"200 page 0 0 ", "here t"},
             {"here gone", "trash /t"},
             {"202 op 5", "poll 5"},
             {"200 status in-progress", "wait"},
             {"woke", "poll 5"},
             {"+61000 200 status in-progress", "end LATER: still at work"});
}

/* A minute, and a tenth of a second for each thing in the folder. */
TEST(drop_of_a_large_folder_takes_its_time)
{
        struct op op = *play_op(OP_DROP_TREE, "d t");
        struct drop_args args = {.yadisk = &play_yadisk, .op = &op};
        static const struct play_row rows[] = {
                {"start", "here t"},
                {"here gone", "known t"},
                {"known ", "list /t 0"},
                {"200 page 0 0 ", "here t"},
                {"here gone", "trash /t"},
                {"202 op 5", "poll 5"},
                {"200 status in-progress", "wait"},
                {"woke", "poll 5"},
                {"+150000 200 status in-progress", "wait"},
                {"woke", "poll 5"},
                {"+9000 200 status in-progress", "wait"},
                {"woke", "poll 5"},
                {"+1000 200 status in-progress", "end LATER: still at work"},
        };

        op.files = 1000;
        play_rows(flow_drop(&args), false, rows, ARRAY_SIZE(rows));
}

/* It ends; what it does not do is ask for something. */
static void check_woken_early(struct flow *flow)
{
        struct play p;

        play_begin(&p, flow);
        play_tell(&p, &(struct outcome){.kind = OUTCOME_WOKE});
        check_str(str_z(&p.shown), "end STUCK: internal: no such state");
        play_finish(&p);
}

TEST(a_removal_woken_before_it_began_removes_nothing)
{
        struct drop_args args = {.yadisk = &play_yadisk, .op = play_op(OP_DROP_TREE, "d t")};

        check_woken_early(flow_drop(&args));
        check_woken_early(flow_apart(&args));
        args.op = play_op(OP_DROP, "f d/a 5 #c1");
        check_woken_early(flow_drop(&args));
}

/* The store failed, and has nothing to say about it. */
static void fail_wordless(struct play *p)
{
        play_tell(p, &(struct outcome){.kind = OUTCOME_LOCAL, .err = EIO});
        check_str(str_z(&p->shown), "end STORE");
        play_finish(p);
}

TEST(a_removal_ends_with_a_store_that_fails_without_a_word)
{
        struct drop_args args = {.yadisk = &play_yadisk, .op = play_op(OP_DROP_TREE, "d t")};
        struct play p;

        play_begin(&p, flow_drop(&args));
        play_step(&p, "start", "here t");
        play_step(&p, "here gone", "known t");
        fail_wordless(&p);
        play_begin(&p, flow_apart(&args));
        play_step(&p, "start", "known t");
        fail_wordless(&p);
        play_begin(&p, flow_apart(&args));
        play_step(&p, "start", "known t");
        play_step(&p, "known f t/a 5 #c1", "here t/a");
        play_step(&p, "here gone", "trash /t/a #c1");
        play_step(&p, "204", "record forget t/a");
        fail_wordless(&p);
        play_begin(&p, flow_apart(&args));
        play_step(&p, "start", "known t");
        play_step(&p, "known ", "list /t 0");
        play_step(&p, "200 page 1 0 f W1 5 #c1", "record remnant W1 t/W1 5");
        fail_wordless(&p);
        args.op = play_op(OP_DROP, "f d/a 5 #c1");
        play_begin(&p, flow_drop(&args));
        play_step(&p, "start", "here d/a");
        play_step(&p, "here gone", "trash /d/a #c1");
        play_step(&p, "204", "record forget d/a");
        fail_wordless(&p);
}

static void fail_to_write(struct play *p, bool words)
{
        if (!words) {
                fail_wordless(p);
                return;
        }
        play_step(p, "err EIO", "end STORE");
        play_finish(p);
}

/* What cannot be written down as begun is not begun. */
TEST(a_removal_needs_its_doubt_written_down)
{
        struct drop_args args = {.yadisk = &play_yadisk, .op = play_op(OP_DROP, "f d/a 5 #c1")};
        struct play p;

        for (int words = 0; words < 2; words++) {
                play_begin(&p, flow_drop(&args));
                p.doubts = true;
                play_step(&p, "start", "record doubt n d/a");
                fail_to_write(&p, words);
        }
}

TEST(taking_apart_needs_each_doubt_written_down)
{
        struct drop_args args = {.yadisk = &play_yadisk, .op = play_op(OP_DROP_TREE, "d t")};
        struct play p;

        for (int words = 0; words < 2; words++) {
                play_begin(&p, flow_apart(&args));
                p.doubts = true;
                play_step(&p, "start", "known t");
                play_step(&p, "known f t/a 5 #c1", "record doubt n t/a");
                fail_to_write(&p, words);
        }
}

/* More of them than are written down at once: the others have their turn when these are gone. */
TEST(apart_has_many_remnants_swept)
{
        PLAY(apart_flow(false),
             {"start", "known t"},
             {"known ", "list /t 0"},
             {"200 page 5 0 f W1 5 #c1|f W2 5 #c1|f W3 5 #c1|f W4 5 #c1|f W5 5 #c1",
              "record remnant W1 t/W1 5; remnant W2 t/W2 5; remnant W3 t/W3 5; remnant W4 t/W4 5"},
             {"ok", "end LATER: an interrupted upload"});
}

/* With a path cut short, the folder above would go. */
TEST(drop_of_a_path_too_long_to_be_asked_for)
{
        size_t len = YADISK_URL_MAX + 10;
        char *key = malloc(len + 1);
        struct op op = {.verb = OP_DROP, .entry = {.kind = KIND_FILE}};
        struct drop_args args = {.yadisk = &play_yadisk, .op = &op};
        struct play p;

        require(key != NULL);
        memset(key, 'a', len);
        key[len] = '\0';
        op.entry.key = key;
        play_begin(&p, flow_drop(&args));
        play_tell(&p, &(struct outcome){.kind = OUTCOME_START});
        play_step(&p, "here gone", "end STUCK: too long");
        play_finish(&p);

        op.verb = OP_DROP_TREE;
        play_begin(&p, flow_drop(&args));
        play_tell(&p, &(struct outcome){.kind = OUTCOME_START});
        play_tell(&p, &(struct outcome){.kind = OUTCOME_LOCAL, .err = ENOENT});
        play_step(&p, "known ", "end STUCK: too long");
        play_finish(&p);

        op.verb = OP_MKDIR;
        play_begin(&p, flow_mkdir(&play_yadisk, &op));
        play_step(&p, "start", "end STUCK: too long");
        play_finish(&p);
        play_begin(&p, flow_list(&play_yadisk, key));
        play_step(&p, "start", "end STUCK: too long");
        play_finish(&p);
        free(key);
}

/* ---- taking a folder apart ------------------------------------------------------------------- */

TEST(apart_piece_by_piece)
{
        PLAY(apart_flow(false),
             {"start", "known t"},
             {"known f t/a 5 #c1|d t/d|f t/e 6 #c2", "here t/a"},
             {"here gone", "trash /t/a #c1"},
             {"204", "record forget t/a"},
             {"ok", "known t/d"},
             {"known f t/d/x 7 #c3", "here t/d/x"},
             {"here gone", "trash /t/d/x #c3"},
             {"404", "record forget t/d/x"},
             {"ok", "list /t/d 0"},
             {"200 page 0 0 ", "trash /t/d"},
             {"204", "record forget t/d"},
             {"ok", "here t/e"},
             {"here gone", "trash /t/e #c2"},
             {"409 " DIFFERS, "record forget t/e"},
             {"ok", "list /t 0"},
             {"200 page 2 0 f e 6 #ee|f new 1 #01", "wait 300"}, /* e was ours: it may lag behind */
             {"woke", "list /t 0"},
             {"+6000 200 page 2 0 f e 6 #ee|f new 1 #01", "record forget t"},
             {"ok", "end DONE: not ours was left"});
        PLAY(apart_flow(true),
             {"start", "known t"},
             {"known f t/a 5 #c1", "here t/a"},
             {"here gone", "erase /t/a #c1"},
             {"409 " PARENT, "record forget t/a"},
             {"ok", "list /t 0"},
             {"200 page 0 0 ", "trash /t"}, /* what came in since can be got back */
             {"202 op 5", "poll 5"},
             {"200 status in-progress", "wait 100"},
             {"woke", "poll 5"},
             {"200 status success", "record forget t"},
             {"ok", "end DONE"});
        PLAY(apart_flow(false),
             {"start", "known t"},
             {"known f t/a 5 #c1", "here t/a"},
             {"here gone", "trash /t/a #c1"},
             {"202 html", "wait"},
             {"woke", "here t/a"},
             {"here gone", "trash /t/a #c1"},
             {"404", "record forget t/a"},
             {"ok", "list /t 0"},
             {"200 page 1 0 f a 5 #c1", "wait 300"}, /* it goes, and a view lags behind */
             {"woke", "list /t 0"},
             {"200 page 0 0 ", "trash /t"},
             {"202 html", "wait"},
             {"woke", "list /t 0"},
             {"404", "record forget t"},
             {"ok", "end DONE"});
        PLAY(apart_flow(false),
             {"start", "known t"},
             {"known ", "list /t 0"},
             {"404", "record forget t"},
             {"ok", "end DONE"});
        PLAY(apart_flow(false),
             {"start", "known t"},
             {"known ", "list /t 0"},
             {"200 raw {\"type\":\"file\"}", "record forget t"},
             {"ok", "end DONE"});
        PLAY(apart_flow(false),
             {"start", "known t"},
             {"known ", "list /t 0"},
             {"200 page 3 0 d a|d b", "list /t 2"},
             {"200 page 3 2 d c", "record forget t"},
             {"ok", "end DONE: left"});
}

TEST(apart_goes_deep)
{
        _cleanup_(str_finish) struct str key = STR_NULL(4000);
        struct play p;

        str_adds(&key, "t");
        play_begin(&p, apart_flow(false));
        play_step(&p, "start", "known t");
        for (int i = 0; i < 50; i++) {
                char give[400], want[400];

                str_adds(&key, "/d");
                snprintf(give, sizeof(give), "known d %s", str_z(&key));
                snprintf(want, sizeof(want), "known %s", str_z(&key));
                play_step(&p, give, want);
        }
        play_tell(&p, &(struct outcome){.kind = OUTCOME_LOCAL});
        for (int i = 0; i < 50; i++) {
                char want[400];

                snprintf(want, sizeof(want), "record forget %s", str_z(&key));
                play_step(&p, "404", want);
                str_truncate(&key, key.len - 2);
                snprintf(want, sizeof(want), "list /%s 0", str_z(&key));
                play_step(&p, "ok", want);
        }
        play_step(&p, "200 page 0 0 ", "trash /t");
        play_finish(&p);
}

TEST(apart_only_what_is_proven_gone)
{
        static const char *const looks[] = {"here f x 5", "here d x", "here o x", "err EACCES",
                                            "err EIO"};

        for (size_t i = 0; i < ARRAY_SIZE(looks); i++) {
                struct play p;

                play_begin(&p, apart_flow(false));
                play_step(&p, "start", "known t");
                play_step(&p, "known f t/a 5 #c1", "here t/a");
                play_step(&p, looks[i], "end CHANGED: t/a is there again, or cannot be seen");
                play_finish(&p);
        }
        PLAY(apart_flow(false), /* its disk is not mounted any more */
             {"start", "known t"},
             {"known f t/a 5 #c1 %2", "here t/a"},
             {"here gone", "end CHANGED: t/a is there again, or cannot be seen"});
        PLAY(apart_flow(false),
             {"start", "known t"},
             {"known f t/a 5 #c1", "here t/a"},
             {"here gone", "trash /t/a #c1"},
             {"200 html", "wait 250"},
             {"woke", "here t/a"},
             {"here gone", "trash /t/a #c1"},
             {"503", "wait 500"},
             {"woke", "here t/a"},
             {"here f x 5", "end CHANGED"});
}

TEST(apart_in_trouble)
{
        PLAY(apart_flow(false), {"start", "known t"}, {"err EIO", "end STORE"});
        PLAY(apart_flow(false),
             {"start", "known t"},
             {"known f t/a 5 #c1", "here t/a"},
             {"here gone", "trash /t/a #c1"},
             {"204", "record forget t/a"},
             {"err EIO", "end STORE"});
        PLAY(apart_flow(false),
             {"start", "known t"},
             {"known f t/a 5 #c1", "here t/a"},
             {"here gone", "trash /t/a #c1"},
             {"401", "end REFUSED"});
        PLAY(apart_flow(false),
             {"start", "known t"},
             {"known ", "list /t 0"},
             {"200 page 0 0 ", "trash /t"},
             {"423 " LOCKED, "wait 100"},
             {"woke", "list /t 0"},
             {"200 page 0 0 ", "trash /t"},
             {"404", "record forget t"},
             {"err EIO", "end STORE"});
        PLAY(apart_flow(false),
             {"start", "known t"},
             {"known ", "list /t 0"},
             {"503", "wait 250"},
             {"woke", "list /t 0"},
             {"403", "end STUCK"});
        PLAY(apart_flow(false),
             {"start", "known t"},
             {"known ", "list /t 0"},
             {"200 page 0 0 ", "trash /t"},
             {"403", "end STUCK"});
}

/* Beside what an upload has left there is something of somebody else's: then that is what counts. */
TEST(apart_leaves_what_is_foreign_beside_a_remnant)
{
        PLAY(apart_flow(false),
             {"start", "known t"},
             {"known ", "list /t 0"},
             {"200 page 2 0 f W1 5 #c1|f z 1 #ee", "record forget t"},
             {"ok", "end DONE: what is not ours"});
        PLAY(apart_flow(false),
             {"start", "known t"},
             {"known ", "list /t 0"},
             {"200 page 2 0 f W1 5 #c1|o x", "record forget t"},
             {"ok", "end DONE: what is not ours"});
}

/* Only the answers that are about this thing let it be forgotten. */
TEST(apart_forgets_nothing_for_an_answer_of_another_kind)
{
        static const char *const answers[] = {
                "409 error DiskResourceAlreadyExistsError", "409 html", "410", "412",
                "409 error DiskPathPointsToExistentDirectoryError", "404 html",
        };
        struct play p;

        for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
                play_begin(&p, apart_flow(false));
                play_step(&p, "start", "known t");
                play_step(&p, "known f t/a 5 #c1", "here t/a");
                play_step(&p, "here gone", "trash /t/a #c1");
                play_step(&p, answers[i], "wait 250");
                play_step(&p, "woke", "here t/a");
                play_finish(&p);

                play_begin(&p, apart_flow(false));
                play_step(&p, "start", "known t");
                play_step(&p, "known ", "list /t 0");
                play_step(&p, "200 page 0 0 ", "trash /t");
                play_step(&p, answers[i], "wait 250");
                play_step(&p, "woke", "list /t 0");
                play_finish(&p);
        }
        /* gone already: nothing was left there */
        play_begin(&p, apart_flow(false));
        play_step(&p, "start", "known t");
        play_step(&p, "known f t/a 5 #c1", "here t/a");
        play_step(&p, "here gone", "trash /t/a #c1");
        play_step(&p, "404", "record forget t/a");
        play_step(&p, "ok", "list /t 0");
        play_step(&p, "200 page 0 0 ", "trash /t");
        play_step(&p, "204", "record forget t");
        play_step(&p, "ok", "end DONE");
        check_str(str_z(&p.shown), "end DONE");
        play_finish(&p);
}

TEST(apart_removes_a_file_by_and_by)
{
        PLAY(apart_flow(false),
             {"start", "known t"},
             {"known f t/a 5 #c1", "here t/a"},
             {"here gone", "trash /t/a #c1"},
             {"202 op 5", "poll 5"},
             {"200 status failed", "here t/a"},
             {"here gone", "trash /t/a #c1"},
             {"202 op 6", "poll 6"},
             {"200 status in-progress", "wait 100"},
             {"woke", "poll 6"},
             {"200 status success", "record forget t/a"},
             {"ok", "list /t 0"});
}

/* A folder that could not be removed is not taken for one that was. */
TEST(apart_removes_a_folder_for_certain)
{
        PLAY(apart_flow(false),
             {"start", "known t"},
             {"known ", "list /t 0"},
             {"200 page 0 0 ", "trash /t"},
             {"202 op 5", "poll 5"},
             {"200 status failed", "list /t 0"},
             {"200 page 0 0 ", "trash /t"},
             {"202 op 6", "poll 6"},
             {"404", "list /t 0"},
             {"404", "record forget t"},
             {"ok", "end DONE"});
        /* something came in meanwhile */
        PLAY(apart_flow(false),
             {"start", "known t"},
             {"known ", "list /t 0"},
             {"200 page 0 0 ", "trash /t"},
             {"202 op 5", "poll 5"},
             {"200 status failure", "list /t 0"},
             {"200 page 1 0 f new 1 #01", "record forget t"},
             {"ok", "end DONE: left"});
}

/* Emptied it was when it was listed, not after a wait. */
TEST(apart_lists_again_after_a_wait)
{
        PLAY(apart_flow(false),
             {"start", "known t"},
             {"known ", "list /t 0"},
             {"200 page 0 0 ", "trash /t"},
             {"200 html", "wait 250"},
             {"woke", "list /t 0"},
             {"200 page 0 0 ", "trash /t"},
             {"429 retry=60000", "wait 60000"},
             {"woke", "list /t 0"},
             {"200 page 1 0 f new 1 #01", "record forget t"},
             {"ok", "end DONE: left"});
}

/* ---- listing --------------------------------------------------------------------------------- */

TEST(list_of_a_folder)
{
        PLAY(flow_list(&play_yadisk, ""),
             {"start", "list / 0"},
             {"200 page 3 0 d d|f b 5 #c2|f a 6 #c1", "record remote f a 6 #c1; remote f b 5 #c2; "
                                                      "remote d d"},
             {"ok", "end DONE"});
        PLAY(flow_list(&play_yadisk, "p/q"),
             {"start", "list /p/q 0"},
             {"200 page 1 0 f a 6 #c1", "record remote f p/q/a 6 #c1"},
             {"err EIO", "end STORE: the store's words"});
        PLAY(flow_list(&play_yadisk, "p"),
             {"start", "list /p 0"},
             {"200 page 0 0 ", "record "},
             {"ok", "end DONE"});
        PLAY(flow_list(&play_yadisk, "p"),
             {"start", "list /p 0"},
             {"404 " MISSING, "end NOTHING"});
        PLAY(flow_list(&play_yadisk, "p"),
             {"start", "list /p 0"},
             {"200 raw {\"type\":\"file\"}", "end NOTHING: a file"});
        PLAY(flow_list(&play_yadisk, ""),
             {"start", "list / 0"},
             {"200 raw {\"type\":\"file\"}", "end STUCK: a file"});
        PLAY(flow_list(&play_yadisk, ""),
             {"start", "list / 0"},
             {"401", "end REFUSED"});
}

TEST(list_names_the_folders_in_it)
{
        const struct entry_list *folders;
        struct play p;

        play_begin(&p, flow_list(&play_yadisk, "p"));
        check_eq(flow_list_folders(p.flow)->n, 0);
        play_step(&p, "start", "list /p 0");
        play_step(&p, "200 page 3 0 d d|f b 5 #c2|d a", "record remote d p/a; remote f p/b 5 #c2; "
                                                        "remote d p/d");
        play_step(&p, "ok", "end DONE");
        folders = flow_list_folders(p.flow);
        check_eq(folders->n, 2);
        check_str(folders->n > 0 ? folders->items[0].key : "", "p/a");
        check_str(folders->n > 1 ? folders->items[1].key : "", "p/d");
        play_finish(&p);
}

TEST(list_in_pages)
{
        /* the service gives fewer than were asked for */
        PLAY(flow_list(&play_yadisk, ""),
             {"start", "list / 0"},
             {"200 page 5 0 d a|d b", "list / 2"},
             {"200 page 5 2 d c", "list / 3"},
             {"502 html", "wait 250"},
             {"woke", "list / 3"},
             {"200 page 5 3 d d|d e", "record remote d a; remote d b; remote d c; remote d d; "
                                      "remote d e"});
        /* names with other than their own count */
        PLAY(flow_list(&play_yadisk, ""),
             {"start", "list / 0"},
             {"200 page 4 0 d a|d ..|o v", "list / 3"},
             {"200 page 4 3 d b", "record remote d a; remote d b"});
}

/* Begun anew: what was shown before proves nothing. */
TEST(list_of_a_folder_that_changes)
{
        static const char *const second[] = {
                "200 page 4 2 d c",     /* the total is another */
                "200 page 2 2 d c",
                "200 page 3 1 d c",     /* not the page that was asked for */
                "200 page 3 2 ",        /* short */
                "200 page 3 2 d c|d e", /* more than the total */
                "200 page 3 2 d a",     /* shown twice, so another was pushed over the edge */
                "200 html",
                "200 page 1 2 ",        /* the total is less than was shown */
        };

        for (size_t i = 0; i < ARRAY_SIZE(second); i++) {
                struct play p;

                play_begin(&p, flow_list(&play_yadisk, ""));
                play_step(&p, "start", "list / 0");
                play_step(&p, "200 page 3 0 d a|d b", "list / 2");
                play_step(&p, second[i], "wait 250");
                play_step(&p, "woke", "list / 0");
                play_step(&p, "200 page 1 0 d z", "record remote d z");
                play_finish(&p);
        }
        PLAY(flow_list(&play_yadisk, ""),
             {"start", "list / 0"},
             {"200 page 2 0 d a|d a", "wait 250"},
             {"woke", "list / 0"},
             {"200 page 5 5 d a", "wait 500"},
             {"woke", "list / 0"},
             {"200 page 1 0 ", "wait 1000"});
}

TEST(list_of_a_folder_that_never_stops_changing)
{
        struct play p;

        play_begin(&p, flow_list(&play_yadisk, ""));
        play_step(&p, "start", "list / 0");
        for (int i = 0; i < 12; i++) {
                play_step(&p, "200 page 3 0 d a|d b", "list / 2");
                play_step(&p, "200 page 4 2 d c", "wait");
                play_step(&p, "woke", "list / 0");
        }
        play_step(&p, "200 page 3 0 d a|d b", "list / 2");
        play_step(&p, "200 page 4 2 d c", "end LATER: keeps changing");
        play_finish(&p);
}

/* A total beyond all reason would fill the memory, page by page. */
TEST(list_has_an_end)
{
        struct play p;

        play_begin(&p, flow_list(&play_yadisk, ""));
        play_step(&p, "start", "list / 0");
        for (int i = 0; i < 8; i++) {
                play_step(&p, "200 page 9000000000 0 d a", "wait");
                play_step(&p, "woke", "list / 0");
        }
        play_step(&p, "200 page 9000000000 0 d a", "end LATER");
        play_finish(&p);
}

TEST(list_passes_over_what_can_be_nobodys_twin)
{
        PLAY(flow_list(&play_yadisk, "p"),
             {"start", "list /p 0"},
             {"200 raw {\"_embedded\":{\"total\":5,\"offset\":0,\"items\":["
              "{\"name\":\"a\\u0001\",\"type\":\"dir\"},{\"name\":\"a\xff\",\"type\":\"dir\"},"
              "{\"name\":\"no md5\",\"type\":\"file\",\"size\":5},"
              "{\"name\":\"vd\",\"type\":\"vd\"},{\"name\":\"b\",\"type\":\"dir\"}]}}",
              "record remote d p/b"});
}

TEST(list_makes_remnants_of_wire_names)
{
        PLAY(flow_list(&play_yadisk, "p"),
             {"start", "list /p 0"},
             {"200 page 3 0 f W3 7 #c3|f a 5 #c1|d W4", "record remote f p/a 5 #c1; "
                                                        "remnant W3 p/W3 7; "
                                                        "remote d p/W4"});
}

/* ---- verifying ------------------------------------------------------------------------------- */

TEST(check_with_nothing_to_do)
{
        PLAY(flow_check(&play_yadisk, "d"),
             {"start", "known d"},
             {"known f d/a 5 #c1|d d/b", "end NOTHING"});
        PLAY(flow_check(&play_yadisk, ""),
             {"start", "known ."},
             {"known ", "end NOTHING"});
        PLAY(flow_check(&play_yadisk, "d"),
             {"start", "known d"},
             {"err EIO", "end STORE"});
}

TEST(check_by_one_look)
{
        PLAY(flow_check(&play_yadisk, "d"),
             {"start", "known d"},
             {"known f d/a 5 #c1 u|f d/b 6 #c2", "look /d/a"},
             {"200 file 5 c1", "record verified d/a"},
             {"ok", "end NOTHING"});
        PLAY(flow_check(&play_yadisk, "d"),
             {"start", "known d"},
             {"known f d/a 5 #c1 u", "look /d/a"},
             {"404", "wait 500"},
             {"woke", "look /d/a"},
             {"503", "wait 250"},
             {"woke", "look /d/a"},
             {"200 file 5 c0", "wait 1000"},
             {"woke", "look /d/a"},
             {"200 file 5 c1", "record verified d/a"},
             {"err EIO", "end STORE"});
        PLAY(flow_check(&play_yadisk, "d"),
             {"start", "known d"},
             {"known f d/a 5 #c1 u", "look /d/a"},
             {"404", "wait 500"},
             {"woke", "look /d/a"},
             {"+40000 404", "record forget d/a"},
             {"ok", "end LATER vanished: 1 of 1 files"});
        PLAY(flow_check(&play_yadisk, "d"),
             {"start", "known d"},
             {"known f d/a 5 #c1 u", "look /d/a"},
             {"401", "end REFUSED"});
        PLAY(flow_check(&play_yadisk, "d"),
             {"start", "known d"},
             {"known f d/a 5 #c1 u", "look /d/a"},
             {"200 dir", "wait 500"},
             {"woke", "look /d/a"},
             {"+40000 200 dir", "record forget d/a"});
}

TEST(check_by_a_listing)
{
        PLAY(flow_check(&play_yadisk, "d"),
             {"start", "known d"},
             {"known f d/a 5 #c1 u|f d/b 6 #c2 u|f d/c 7 #c3|d d/d", "list /d 0"},
             {"200 page 5 0 d d|f new 1 #01|f a 5 #c1", "list /d 3"},
             {"200 page 5 3 f b 6 #c2|f c 0 #ee", "record verified d/a; verified d/b"},
             {"ok", "end NOTHING"});
        /* one is late, one never comes */
        PLAY(flow_check(&play_yadisk, "d"),
             {"start", "known d"},
             {"known f d/a 5 #c1 u|f d/b 6 #c2 u|f d/c 7 #c3 u", "list /d 0"},
             {"200 page 2 0 f a 5 #c1|f c 7 #ee", "wait 500"},
             {"woke", "list /d 0"},
             {"+40000 200 page 3 0 f a 5 #c1|f b 6 #c2|f c 7 #ee",
              "record verified d/a; verified d/b; forget d/c"},
             {"ok", "end LATER vanished: 1 of 3 files"});
        /* of another kind, without md5, of a kind nobody knows */
        PLAY(flow_check(&play_yadisk, "d"),
             {"start", "known d"},
             {"known f d/a 5 #c1 u|f d/b 6 #c2 u|f d/c 7 #c3 u", "list /d 0"},
             {"200 page 3 0 d a|f b 6|o c", "wait 500"},
             {"woke", "list /d 0"},
             {"+40000 200 page 3 0 d a|f b 6|o c", "record forget d/a; forget d/b; forget d/c"},
             {"ok", "end LATER vanished: 3 of 3"});
        /* the whole folder is gone */
        PLAY(flow_check(&play_yadisk, "d"),
             {"start", "known d"},
             {"known f d/a 5 #c1 u|f d/b 6 #c2 u", "list /d 0"},
             {"404", "wait 500"},
             {"woke", "list /d 0"},
             {"+40000 404", "record forget d/a; forget d/b"},
             {"ok", "end LATER vanished: 2 of 2"});
        PLAY(flow_check(&play_yadisk, "d"),
             {"start", "known d"},
             {"known f d/a 5 #c1 u|f d/b 6 #c2 u", "list /d 0"},
             {"200 raw {\"type\":\"file\"}", "wait 500"},
             {"woke", "list /d 0"},
             {"403", "end STUCK"});
}

/* With many rows one page costs as much as some looks. */
TEST(check_takes_the_fewer_calls)
{
        _cleanup_(str_finish) struct str known = STR_NULL(1 << 20);
        struct play p;

        str_adds(&known, "known ");
        for (int i = 0; i < 2000; i++)
                str_addf(&known, "%sf d/%05d 5 #c1%s", i ? "|" : "", i,
                         i == 3 || i == 7 || i == 1999 ? " u" : "");
        play_begin(&p, flow_check(&play_yadisk, "d"));
        play_step(&p, "start", "known d");
        play_step(&p, str_z(&known), "look /d/00003");
        play_step(&p, "200 file 5 c1", "look /d/00007");
        play_step(&p, "200 file 5 c1", "look /d/01999");
        play_step(&p, "200 file 5 c0", "wait 500");
        play_step(&p, "woke", "look /d/00003"); /* from the start: nothing may change meanwhile */
        play_step(&p, "200 file 5 c1", "look /d/00007");
        play_step(&p, "200 file 5 c1", "look /d/01999");
        play_step(&p, "200 file 5 c1", "record verified d/00003; verified d/00007; "
                                       "verified d/01999");
        play_finish(&p);
}

/* ---- the audit ------------------------------------------------------------------------------- */

#define audit_look(key) flow_audit(&play_yadisk, key, AUDIT_LOOK_ONLY)
#define audit_mend(key) flow_audit(&play_yadisk, key, 30000)

TEST(audit_of_a_folder_that_is_right)
{
        PLAY(audit_look("d"),
             {"start", "known d"},
             {"known ", "end NOTHING"});
        PLAY(audit_look("d"),
             {"start", "known d"},
             {"known f d/a 5 #c1|d d/b", "list /d 0"},
             {"200 page 2 0 f a 5 #c1|d b", "end NOTHING"});
        PLAY(audit_look(""),
             {"start", "known ."},
             {"known f a 5 #c1|f b 6 #c2", "list / 0"},
             {"200 page 4 0 f zz 1 #01|f b 6 #c2", "list / 2"},
             {"200 page 4 2 d foreign|f a 5 #c1", "end NOTHING"});
        PLAY(audit_look("d"),
             {"start", "known d"},
             {"err EIO", "end STORE: the store's words"});
}

/* What was sent and never compared is compared by this. */
TEST(audit_verifies)
{
        PLAY(audit_look("d"),
             {"start", "known d"},
             {"known f d/a 5 #c1 u|f d/b 6 #c2", "list /d 0"},
             {"200 page 2 0 f a 5 #c1|f b 6 #c2", "record verified d/a"},
             {"ok", "end DONE"});
        PLAY(audit_look("d"),
             {"start", "known d"},
             {"known f d/a 5 #c1 u", "list /d 0"},
             {"200 page 1 0 f a 5 #c1", "record verified d/a"},
             {"err EIO", "end STORE: the store's words"});
}

TEST(audit_only_looks_first)
{
        PLAY(audit_look("d"),
             {"start", "known d"},
             {"known f d/a 5 #c1 u|f d/b 6 #c2", "list /d 0"},
             {"200 page 1 0 f a 5 #c1", "end CHANGED: 1 entries"});
        PLAY(audit_look("d"),
             {"start", "known d"},
             {"known f d/a 5 #c1|f d/b 6 #c2", "list /d 0"},
             {"404 " MISSING, "end CHANGED"});
}

TEST(audit_forgets_what_stays_wrong)
{
        /* another content, another size, of another kind, gone; a foreign file is nobody's business */
        PLAY(audit_mend("d"),
             {"start", "known d"},
             {"known f d/a 5 #c1|f d/b 6 #c2|f d/c 7 #c3|f d/d 8 #c4|d d/e|d d/f", "list /d 0"},
             {"200 page 5 0 f a 5 #ee|f b 9 #c2|d c|f e 1 #01|f x 1 #01", "wait 500"},
             {"woke", "list /d 0"},
             {"+29000 200 page 5 0 f a 5 #ee|f b 9 #c2|d c|f e 1 #01|f x 1 #01", "wait 1000"},
             {"woke", "list /d 0"},
             {"200 page 5 0 f a 5 #ee|f b 9 #c2|d c|f e 1 #01|f x 1 #01",
              "record forget d/a; forget d/b; forget d/c; forget d/d; forget-tree d/e; "
              "forget-tree d/f"},
             {"ok", "end DONE vanished"});
        PLAY(audit_mend("d"),
             {"start", "known d"},
             {"known f d/a 5 #c1", "list /d 0"},
             {"200 page 0 0 ", "wait 500"},
             {"woke", "list /d 0"},
             {"+30000 200 page 0 0 ", "record forget d/a"},
             {"err ENOSPC", "end STORE"});
}

/* The service may show an old state for a while after a change. */
TEST(audit_is_patient)
{
        PLAY(audit_mend("d"),
             {"start", "known d"},
             {"known f d/a 5 #c1|f d/b 6 #c2", "list /d 0"},
             {"200 page 1 0 f a 5 #ee", "wait 500"},
             {"woke", "list /d 0"},
             {"200 page 2 0 f a 5 #c1|f b 6", "end NOTHING"}); /* b has no md5 yet */
        PLAY(audit_mend("d"),
             {"start", "known d"},
             {"known f d/a 5 #c1", "list /d 0"},
             {"404 " MISSING, "wait 500"},
             {"woke", "list /d 0"},
             {"503", "wait 250"},
             {"woke", "list /d 0"},
             {"200 page 1 0 f a 5 #c1", "end NOTHING"});
}

TEST(audit_of_a_folder_that_is_gone)
{
        PLAY(audit_mend("d/e"),
             {"start", "known d/e"},
             {"known f d/e/a 5 #c1", "list /d/e 0"},
             {"404 " MISSING, "wait 500"},
             {"woke", "list /d/e 0"},
             {"+30000 404 " MISSING, "record forget-tree d/e"},
             {"ok", "end DONE vanished"});
        PLAY(audit_mend("d"),
             {"start", "known d"},
             {"known f d/a 5 #c1", "list /d 0"},
             {"200 raw {\"type\":\"file\"}", "wait 500"},
             {"woke", "list /d 0"},
             {"+30000 200 raw {\"type\":\"file\"}", "record forget-tree d"},
             {"ok", "end DONE vanished"});
        PLAY(audit_mend(""),
             {"start", "known ."},
             {"known f a 5 #c1", "list / 0"},
             {"404 " MISSING, "wait 500"},
             {"woke", "list / 0"},
             {"+30000 404 " MISSING, "record forget-tree .; meta cloud.made="},
             {"ok", "end DONE vanished"});
        PLAY(audit_mend(""),
             {"start", "known ."},
             {"known f a 5 #c1", "list / 0"},
             {"200 raw {\"type\":\"file\"}", "end STUCK: a file stands"});
}

/* Nothing is forgotten on the strength of an answer that is not a whole listing by the service. */
TEST(audit_believes_only_whole_listings)
{
        struct play p;

        static const char *const answers[] = {
                "404 html", "404 error SomethingElse", "200 html", "200 raw {}", "200 dir",
                "204", "503", "200 page 1 1 ", "200 page 5 0 ", "fault broken",
        };

        for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
                play_begin(&p, audit_mend("d"));
                play_step(&p, "start", "known d");
                play_step(&p, "known f d/a 5 #c1|d d/b", "list /d 0");
                for (int n = 0; n < 8; n++) {
                        play_step(&p, answers[i], "wait");
                        play_step(&p, "woke", "list /d 0");
                }
                play_step(&p, answers[i], "end LATER");
                play_finish(&p);
        }
        PLAY(audit_mend("d"),
             {"start", "known d"},
             {"known f d/a 5 #c1", "list /d 0"},
             {"403", "end STUCK"});
        PLAY(audit_mend("d"),
             {"start", "known d"},
             {"known f d/a 5 #c1", "list /d 0"},
             {"401", "end REFUSED"});
        /* a total that changes on the way: begun anew */
        PLAY(audit_mend("d"),
             {"start", "known d"},
             {"known f d/a 5 #c1|f d/b 6 #c2", "list /d 0"},
             {"200 page 2 0 f a 5 #c1", "list /d 1"},
             {"200 page 1 1 ", "wait 250"},
             {"woke", "list /d 0"},
             {"200 page 2 0 f a 5 #c1|f b 6 #c2", "end NOTHING"});
}

/* What is not shown may be one of those that cannot be told. */
TEST(audit_forgets_nothing_beside_what_is_strange)
{
        PLAY(audit_mend("d"),
             {"start", "known d"},
             {"known f d/a 5 #c1|f d/b 6 #c2", "list /d 0"},
             {"200 page 2 0 f a 5 #c1|o ?", "end NOTHING"});
}

TEST(audit_makes_remnants_of_wire_names)
{
        PLAY(audit_look("p"),
             {"start", "known p"},
             {"known f p/a 5 #c1", "list /p 0"},
             {"200 page 3 0 f W3 7 #c3|f a 5 #c1|d W4", "record remnant W3 p/W3 7"},
             {"ok", "end DONE"});
}

TEST(audit_tells_what_it_found)
{
        const struct audit_finds *finds;
        struct play p;

        play_begin(&p, audit_look("d"));
        play_step(&p, "start", "known d");
        check_eq(flow_audit_finds(p.flow)->n, 0);
        play_step(&p, "known f d/a 5 #c1|f d/b 6 #c2|d d/c|f d/e 7 #c5", "list /d 0");
        play_step(&p, "200 page 5 0 f b 6 #ee|f c 1 #01|d x|f y 2 #02|f e 7 #c5", "end CHANGED");
        finds = flow_audit_finds(p.flow);
        check_eq(finds->compared, 4);
        check_eq(finds->foreign, 2);
        check_eq(finds->n, 3);
        for (size_t i = 0; i < finds->n; i++) {
                static const char *const keys[] = {"d/a", "d/b", "d/c"};
                static const enum audit_find_kind kinds[] = {AUDIT_MISSING, AUDIT_CHANGED,
                                                             AUDIT_RETYPED};

                check_str(finds->items[i].key, keys[i]);
                check_eq(finds->items[i].kind, kinds[i]);
                check_eq(finds->items[i].known, i == 2 ? KIND_DIR : KIND_FILE);
        }
        play_finish(&p);
}

/* ---- the account ----------------------------------------------------------------------------- */

TEST(account_tells_whose_disk_it_is)
{
        struct play p;

        play_begin(&p, flow_account(&play_yadisk));
        check_str(flow_account_uid(p.flow), "");
        play_step(&p, "start", "account");
        play_step(&p, "503", "wait 250");
        play_step(&p, "woke", "account");
        play_step(&p, "200 raw {\"user\":{\"uid\":\"4711\"}}", "end NOTHING");
        check_str(flow_account_uid(p.flow), "4711");
        play_finish(&p);
}

TEST(account_that_is_not_told)
{
        static const struct {
                const char *answer, *end;
        } rows[] = {
                {"403", "end NOTHING"}, {"404", "end NOTHING"}, {"400", "end NOTHING"},
                {"401", "end REFUSED"},
        };
        struct play p;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                play_begin(&p, flow_account(&play_yadisk));
                play_step(&p, "start", "account");
                play_step(&p, rows[i].answer, rows[i].end);
                check_str(flow_account_uid(p.flow), "");
                play_finish(&p);
        }
        play_begin(&p, flow_account(&play_yadisk));
        play_step(&p, "start", "account");
        for (int n = 0; n < 8; n++) {
                play_step(&p, "200 html", "wait");
                play_step(&p, "woke", "account");
        }
        play_step(&p, "200 html", "end LATER");
        check_str(flow_account_uid(p.flow), "");
        play_finish(&p);
}

/* ---- sweeping -------------------------------------------------------------------------------- */

TEST(sweep_of_a_remnant)
{
        PLAY(flow_sweep(&play_yadisk, "d/a.zip", play_wire(3), 5, PLAY_WALL_MS),
             {"start", "look /d/W3"},
             {"200 file 5 c1", "erase /d/W3 #c1"},
             {"204", "record done W3"},
             {"ok", "end DONE"});
        PLAY(flow_sweep(&play_yadisk, "a", play_wire(3), 5, PLAY_WALL_MS),
             {"start", "look /W3"},
             {"200 file 5 c1", "erase /W3 #c1"},
             {"409 " DIFFERS, "look /W3"}, /* it was still coming in */
             {"200 file 6 c2", "erase /W3 #c2"},
             {"503", "wait 250"},
             {"woke", "erase /W3 #c2"},
             {"200 html", "wait 500"},
             {"woke", "erase /W3 #c2"},
             {"404", "record done W3"},
             {"err EIO", "end STORE"});
        PLAY(flow_sweep(&play_yadisk, "a", play_wire(3), 5, PLAY_WALL_MS),
             {"start", "look /W3"},
             {"200 file 5 c1", "erase /W3 #c1"},
             {"202 op 5", "end DONE"}); /* accepted is not removed: its intent is kept */
        PLAY(flow_sweep(&play_yadisk, "a", play_wire(3), 5, PLAY_WALL_MS),
             {"start", "look /W3"},
             {"200 dir", "record done W3"}, /* not ours, whatever it is */
             {"ok", "end NOTHING"});
        PLAY(flow_sweep(&play_yadisk, "a", play_wire(3), 5, PLAY_WALL_MS),
             {"start", "look /W3"},
             {"500", "wait 250"},
             {"woke", "look /W3"},
             {"200 file 5", "wait 500"}, /* no md5 yet */
             {"woke", "look /W3"},
             {"401", "end REFUSED"});
}

TEST(sweep_of_nothing)
{
        /* what was under way may still come: the intent stays */
        PLAY(flow_sweep(&play_yadisk, "a", play_wire(3), 5, PLAY_WALL_MS),
             {"start", "look /W3"},
             {"404", "end NOTHING"});
        PLAY(flow_sweep(&play_yadisk, "a", play_wire(3), 0, PLAY_WALL_MS),
             {"start", "look /W3"},
             {"+58999 404", "end NOTHING"});
        PLAY(flow_sweep(&play_yadisk, "a", play_wire(3), 0, PLAY_WALL_MS),
             {"start", "look /W3"},
             {"+59000 404", "record done W3"},
             {"ok", "end NOTHING"});
        PLAY(flow_sweep(&play_yadisk, "a", play_wire(3), 1073741824, PLAY_WALL_MS),
             {"start", "look /W3"},
             {"+358999 404", "end NOTHING"});
        PLAY(flow_sweep(&play_yadisk, "a", play_wire(3), 1073741824, PLAY_WALL_MS),
             {"start", "look /W3"},
             {"+359000 404", "record done W3"});
        /* of an unknown time; of one to come */
        PLAY(flow_sweep(&play_yadisk, "a", play_wire(3), 5, 0),
             {"start", "look /W3"},
             {"404", "record done W3"});
        PLAY(flow_sweep(&play_yadisk, "a", play_wire(3), 5, PLAY_WALL_MS + 2000),
             {"start", "look /W3"},
             {"404", "record done W3"});
}

/* ---- writing --------------------------------------------------------------------------------- */

TEST(write_only_writes)
{
        struct record records[FLOW_WRITE_MAX + 1] = {
                {.verb = RECORD_META, .name = "held", .value = "17"},
                {.verb = RECORD_META, .name = "approved"},
                {.verb = RECORD_REMOTE_CLEAR},
                {.verb = RECORD_FORGET_TREE, .entry = {.key = "", .kind = KIND_DIR}},
        };

        PLAY(flow_write(records, 4),
             {"start", "record meta held=17; meta approved=; clear; forget-tree ."},
             {"ok", "end NOTHING"});
        PLAY(flow_write(records, 1),
             {"start", "record meta held=17"},
             {"err EIO", "end STORE: the store's words"});
        PLAY(flow_write(records, 0), {"start", "record "}, {"ok", "end NOTHING"});
        check(flow_write(records, FLOW_WRITE_MAX + 1) == NULL);
}

TEST(write_keeps_copies)
{
        char *name = strdup("name"), *value = strdup("value");
        struct record r = {.verb = RECORD_META, .name = name, .value = value};
        struct flow *flow = flow_write(&r, 1);

        free(name);
        free(value);
        PLAY(flow, {"start", "record meta name=value"});
        flow_destroy(NULL);
}
