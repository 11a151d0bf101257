/* SPDX-License-Identifier: MIT */

/* One file's way up, state by state; how rows are read is told in play.h. */

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
#define EXISTS_OLD "error PlatformResourceAlreadyExists"
#define DIFFERS "error MD5DifferError"
#define LOCKED "error DiskResourceLockedError"
#define TRAFFIC "error DiskUploadTrafficLimitExceeded"
#define MISSING "error DiskNotFoundError"

/* ---- new files ------------------------------------------------------------------------------- */

TEST(a_new_file)
{
        PLAY(play_put(.entry = "f a 5"),
             {"start", "link /a"},
             {"200 link https://up/1 ab12", "send https://up/1"},
             {"201 all c1", "record row f a 5 #c1 u"},
             {"ok", "end DONE"});
        PLAY(play_put(.entry = "f d/a 5", .there = "-"),
             {"start", "link /d/a"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "record row f d/a 5 #c1 u"},
             {"ok", "end DONE"});
        PLAY(play_put(.entry = "f empty 0"),
             {"start", "link /empty"},
             {"200 link", "send https://up/1"},
             {"201 all d4", "record row f empty 0 #d4 u"},
             {"ok", "end DONE"});
}

TEST(verified_at_once_or_not_at_all)
{
        PLAY(play_put(.entry = "f a 5", .verify = PUT_VERIFY_NOT),
             {"start", "link /a"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "record row f a 5 #c1"});
        PLAY(play_put(.entry = "f a 5", .verify = PUT_VERIFY_NOW),
             {"start", "link /a"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "look /a"},
             {"200 file 5 c1", "record row f a 5 #c1"},
             {"ok", "end DONE"});
        /* late to show */
        PLAY(play_put(.entry = "f a 5", .verify = PUT_VERIFY_NOW),
             {"start", "link /a"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "look /a"},
             {"404 " MISSING, "wait 300"},
             {"woke", "look /a"},
             {"200 file 5 c0", "wait 600"},
             {"woke", "look /a"},
             {"200 dir", "wait 1200"},
             {"woke", "look /a"},
             {"503", "wait 250"},
             {"woke", "look /a"},
             {"200 file 5", "wait 500"}, /* no md5 yet: no answer */
             {"woke", "look /a"},
             {"200 file 5 c1", "record row f a 5 #c1"});
        /* and not at all as it was sent */
        PLAY(play_put(.entry = "f a 5", .verify = PUT_VERIFY_NOW),
             {"start", "link /a"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "look /a"},
             {"200 file 4 c1", "wait"},
             {"woke", "look /a"},
             {"+41000 200 file 4 c1", "end LATER vanished: not what was sent"});
}

/* Waiting for it to show takes none of the tries that trouble has. */
TEST(looks_in_vain_are_no_failures)
{
        struct play p;

        play_begin(&p, play_put(.entry = "f a 1000000000", .verify = PUT_VERIFY_NOW,
                                .disguise = DISGUISE_NEVER));
        play_step(&p, "start", "link /a");
        play_step(&p, "200 link", "send https://up/1");
        play_step(&p, "201 all c1", "look /a");
        for (int i = 0; i < 12; i++) {
                play_step(&p, "404", "wait");
                play_step(&p, "woke", "look /a");
                play_step(&p, "503", "wait 250");
                play_step(&p, "woke", "look /a");
        }
        play_step(&p, "200 file 1000000000 c1", "record row f a 1000000000 #c1");
        play_finish(&p);
}

TEST(changed_shortly_before_it_was_read)
{
        /* read at 5 s: what was changed within the last two may have been changed once more */
        PLAY(play_put(.entry = "f a 5 @3000000000"),
             {"start", "link /a"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "record row f a 5 #c1 u"});
        PLAY(play_put(.entry = "f a 5 @3000000001"),
             {"start", "link /a"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "record row f a 5 #c1 u r"});
        PLAY(play_put(.entry = "f a 5 @4900000000", .known = "5 #c1"),
             {"start", "digest a"},
             {"md5 c1", "record row f a 5 #c1 r"});
        /* a clock that is ahead of ours, as a file server's may be, and one that was wrong */
        PLAY(play_put(.entry = "f a 5 @86404999999999", .known = "5 #c1"),
             {"start", "digest a"},
             {"md5 c1", "record row f a 5 #c1 r"});
        PLAY(play_put(.entry = "f a 5 @86405000000000", .known = "5 #c1"),
             {"start", "digest a"},
             {"md5 c1", "record row f a 5 #c1"});
}

TEST(received_but_not_yet_in_place)
{
        PLAY(play_put(.entry = "f a 5"),
             {"start", "link /a"},
             {"200 link https://up/1 ab12", "send https://up/1"},
             {"202 all c1", "poll ab12"},
             {"200 status in-progress", "wait 100"},
             {"woke", "poll ab12"},
             {"200 status in-progress", "wait 200"},
             {"woke", "poll ab12"},
             {"200 status success", "record row f a 5 #c1 u"},
             {"ok", "end DONE"});
        /* it failed: with a fresh link */
        PLAY(play_put(.entry = "f a 5"),
             {"start", "link /a"},
             {"200 link https://up/1 ab12", "send https://up/1"},
             {"202 all c1", "poll ab12"},
             {"200 status failed", "wait 250"},
             {"woke", "link /a"},
             {"200 link https://up/2", "send https://up/2"});
        /* the service has forgotten it: what stands there tells */
        PLAY(play_put(.entry = "f a 5"),
             {"start", "link /a"},
             {"200 link https://up/1 ab12", "send https://up/1"},
             {"202 all c1", "poll ab12"},
             {"404 error DiskOperationNotFoundError", "look /a"},
             {"200 file 5 c1", "record row f a 5 #c1"});
        /* no operation is named */
        PLAY(play_put(.entry = "f a 5"),
             {"start", "link /a"},
             {"200 link", "send https://up/1"},
             {"202 all c1", "look /a"},
             {"404", "wait 300"},
             {"woke", "look /a"},
             {"200 file 5 c1", "record row f a 5 #c1"});
        PLAY(play_put(.entry = "f a 5"),
             {"start", "link /a"},
             {"200 link https://up/1 ../x", "send https://up/1"},
             {"202 all c1", "look /a"});
}

TEST(an_operation_that_never_ends)
{
        struct play p;

        play_begin(&p, play_put(.entry = "f a 5"));
        play_step(&p, "start", "link /a");
        play_step(&p, "200 link https://up/1 ab12", "send https://up/1");
        play_step(&p, "202 all c1", "poll ab12");
        for (int i = 0; i < 23; i++) { /* trouble on the way changes nothing */
                play_step(&p, "200 status in-progress", "wait");
                play_step(&p, "woke", "poll ab12");
                play_step(&p, i % 2 ? "503" : "200 html", "wait 250");
                play_step(&p, "woke", "poll ab12");
        }
        play_step(&p, "+10000 200 status in-progress", "end LATER: still at work");
        play_finish(&p);
}

TEST(trouble_with_an_operation)
{
        struct play p;

        play_begin(&p, play_put(.entry = "f a 5"));
        play_step(&p, "start", "link /a");
        play_step(&p, "200 link https://up/1 ab12", "send https://up/1");
        play_step(&p, "202 all c1", "poll ab12");
        for (int i = 0; i < 8; i++) {
                play_step(&p, "500", "wait");
                play_step(&p, "woke", "poll ab12");
        }
        play_step(&p, "500", "end LATER: the service has trouble (HTTP 500)");
        play_finish(&p);
        PLAY(play_put(.entry = "f a 5"),
             {"start", "link /a"},
             {"200 link https://up/1 ab12", "send https://up/1"},
             {"202 all c1", "poll ab12"},
             {"401", "end REFUSED: token"});
}

/* ---- the link -------------------------------------------------------------------------------- */

TEST(no_link)
{
        PLAY(play_put(.entry = "f a 5"), {"start", "link /a"},
             {"401 error UnauthorizedError", "end REFUSED: the token is not accepted "
                                             "(HTTP 401: said)"});
        PLAY(play_put(.entry = "f a 5"), {"start", "link /a"},
             {"403 error ForbiddenError", "room"},
             {"200 room 1000 900 500", "end STUCK: access is denied (HTTP 403: said)"});
        PLAY(play_put(.entry = "f a 5"), {"start", "link /a"},
             {"403 error ForbiddenError", "room"},
             {"200 room 1000 1000 500", "end FULL: the account holds more than it has room for"});
        PLAY(play_put(.entry = "f a 5"), {"start", "link /a"},
             {"403 error ForbiddenError", "room"},
             {"403 error ForbiddenError", "end STUCK: access is denied (HTTP 403: said)"});
        PLAY(play_put(.entry = "f a 5"), {"start", "link /a"},
             {"400 error FieldValidationError", "end STUCK: refuses"});
        PLAY(play_put(.entry = "f a 5"), {"start", "link /a"},
             {"413", "room"},
             {"200 room 1000 0 4", "end STUCK: it is larger than the account allows (at most 4 B)"});
        PLAY(play_put(.entry = "f a 5"), {"start", "link /a"}, {"413", "room"},
             {"200 html", "end STUCK: larger than the account allows (HTTP 413)"});
        PLAY(play_put(.entry = "f a 5"), {"start", "link /a"}, {"507", "end FULL: full"});
        PLAY(play_put(.entry = "f a 5"), {"start", "link /a"},
             {"423 " TRAFFIC, "end FULL: allowance"});
}

TEST(a_link_after_a_while)
{
        PLAY(play_put(.entry = "f a 5"),
             {"start", "link /a"},
             {"503", "wait 250"},
             {"woke", "link /a"},
             {"500 html", "wait 500"},
             {"woke", "link /a"},
             {"429 retry=20000 error TooManyRequestsError", "wait 20000"},
             {"woke", "link /a"},
             {"429 retry=60000", "wait 60000"},
             {"woke", "link /a"},
             {"423", "wait 4000"}, /* read-only for now */
             {"woke", "link /a"},
             {"fault shut", "wait 8000"},
             {"woke", "link /a"},
             {"fault large", "wait 16000"},
             {"woke", "link /a"},
             {"200 html", "wait 30000"},
             {"woke", "link /a"},
             {"200 link", "send https://up/1"});
}

TEST(a_wait_too_long_for_a_pass_ends_it)
{
        PLAY(play_put(.entry = "f a 5"),
             {"start", "link /a"},
             {"503 retry=60001", "end LATER: the service has trouble (HTTP 503)"});
        PLAY(play_put(.entry = "f a 5"),
             {"start", "link /a"},
             {"429 retry=99999999", "end LATER: too many requests (HTTP 429)"});
}

TEST(a_link_that_never_comes)
{
        static const char *const answers[] = {
                "500", "200", "200 html", "200 raw {}", "200 raw {\"href\":7}", "429", "423",
                "302 html", "fault broken", "fault tls", "409 error SomethingNew", "410", "412",
        };

        for (size_t a = 0; a < ARRAY_SIZE(answers); a++) {
                struct play p;

                play_begin(&p, play_put(.entry = "f a 5"));
                play_step(&p, "start", "link /a");
                for (int i = 0; i < 8; i++) {
                        play_step(&p, answers[a], "wait");
                        play_step(&p, "woke", "link /a");
                }
                play_step(&p, answers[a], "end LATER");
                check_eq(p.ask.end.calls, 9);
                play_finish(&p);
        }
}

TEST(a_locked_link)
{
        struct play p;

        play_begin(&p, play_put(.entry = "f a 5"));
        play_step(&p, "start", "link /a");
        for (int i = 0; i < 16; i++) {
                play_step(&p, "423 " LOCKED, i == 0 ? "wait 100" : i == 15 ? "wait 2500" : "wait");
                play_step(&p, "woke", "link /a");
        }
        play_step(&p, "423 " LOCKED, "end LATER: another operation holds it (HTTP 423: said)");
        play_finish(&p);
}

TEST(a_link_that_is_not_safe)
{
        static const char *const links[] = {
                "200 link http://up/1", "200 link http://127.0.0.1/x", "200 link file:///etc/x",
                "200 link https://@", "200 raw {\"href\":\"\"}",
                "200 raw {\"href\":\"https://up/a\\u000d\\u000aX: y\"}",
        };

        for (size_t i = 0; i + 2 < ARRAY_SIZE(links); i++) {
                struct play p;

                play_begin(&p, play_put(.entry = "f a 5"));
                play_step(&p, "start", "link /a");
                if (!strstr(links[i], "@"))
                        play_step(&p, links[i], "end LATER: not safe");
                play_finish(&p);
        }
        for (size_t i = ARRAY_SIZE(links) - 2; i < ARRAY_SIZE(links); i++) {
                struct play p;

                play_begin(&p, play_put(.entry = "f a 5"));
                play_step(&p, "start", "link /a");
                play_step(&p, links[i], "end LATER: not safe");
                play_finish(&p);
        }
}

TEST(the_three_meanings_of_409)
{
        /* the folder above has vanished: it is made anew, with all above it */
        PLAY(play_put(.entry = "f d/e/a 5"),
             {"start", "link /d/e/a"},
             {"409 " PARENT, "record meta audit.at=cloud"},
             {"ok", "mkdir disk:/B"},
             {"409 " FOLDER, "mkdir /"},
             {"409 " FOLDER, "mkdir /d"},
             {"201 op x", "mkdir /d/e"},
             {"201 op x", "link /d/e/a"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "record row f d/e/a 5 #c1 u"},
             {"ok", "end DONE folder-gone"});
        /* it was there all the time, and not to be seen */
        PLAY(play_put(.entry = "f d/a 5"),
             {"start", "link /d/a"},
             {"409 " PARENT, "record meta audit.at=cloud"},
             {"ok", "mkdir disk:/B"},
             {"409 " FOLDER, "mkdir /"},
             {"409 " FOLDER, "mkdir /d"},
             {"409 " FOLDER, "link /d/a"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "record row f d/a 5 #c1 u"},
             {"ok", "end DONE"});
        PLAY(play_put(.entry = "f a 5"),
             {"start", "link /a"},
             {"404 " MISSING, "record meta audit.at=cloud"},
             {"ok", "mkdir disk:/B"},
             {"409 " FOLDER, "mkdir /"},
             {"201 op x", "link /a"},
             {"409 " PARENT, "end LATER folder-gone: its folder in the cloud keeps vanishing"});
        PLAY(play_put("f d/e/a 5"),
             {"start", "link /d/e/a"},
             {"409 " PARENT, "record meta audit.at=cloud"},
             {"err EIO", "end STORE"});
        /* a folder stands there */
        PLAY(play_put(.entry = "f a 5"),
             {"start", "link /a"},
             {"409 " FOLDER, "end STUCK: a folder that is not ours"});
        /* a file stands there */
        PLAY(play_put(.entry = "f a 5"),
             {"start", "link /a"},
             {"409 " EXISTS, "look /a"},
             {"200 file 5 c1", "digest a"},
             {"md5 c1", "record row f a 5 #c1"},
             {"ok", "end NOTHING"});
        PLAY(play_put(.entry = "f a 5"),
             {"start", "link /a"},
             {"409 " EXISTS_OLD, "look /a"},
             {"404 " MISSING, "wait 500"},
             {"woke", "look /a"},
             {"+40000 404 " MISSING, "link /a"},
             {"200 link", "send https://up/1"});
        PLAY(play_put(.entry = "f a 5"),
             {"start", "link /a"},
             {"409 " EXISTS, "look /a"},
             {"200 dir", "end STUCK: a folder that is not ours"});
}

TEST(making_the_folders_above)
{
        PLAY(play_put(.entry = "f d/a 5"),
             {"start", "link /d/a"},
             {"409 " PARENT, "record meta audit.at=cloud"},
             {"ok", "mkdir disk:/B"},
             {"503", "wait 250"},
             {"woke", "mkdir disk:/B"},
             {"201", "mkdir /"},
             {"423 " LOCKED, "wait 100"},
             {"woke", "mkdir /"},
             {"409 " PARENT, "wait 500"}, /* not yet to be seen */
             {"woke", "mkdir /"},
             {"201", "mkdir /d"},
             {"409 " EXISTS, "end STUCK folder-gone: a file stands in the cloud where the folder disk:/B/R/d "
                             "must be"});
        PLAY(play_put(.entry = "f d/a 5"),
             {"start", "link /d/a"},
             {"409 " PARENT, "record meta audit.at=cloud"},
             {"ok", "mkdir disk:/B"},
             {"401", "end REFUSED"});
        PLAY(play_put(.entry = "f d/a 5"),
             {"start", "link /d/a"},
             {"409 " PARENT, "record meta audit.at=cloud"},
             {"ok", "mkdir disk:/B"},
             {"507", "end FULL"});
}

/* It is there, and goes, and is there … */
TEST(a_cloud_that_keeps_changing)
{
        struct play p;

        play_begin(&p, play_put(.entry = "f a 5"));
        play_step(&p, "start", "link /a");
        for (int i = 0; i < 12; i++) {
                play_step(&p, "409 " EXISTS, "look /a");
                play_step(&p, "404", "wait 500"); /* it may show late */
                play_step(&p, "woke", "look /a");
                play_step(&p, "+39000 404", "wait 1000");
                play_step(&p, "woke", "look /a");
                play_step(&p, "+1000 404", "link /a");
        }
        play_step(&p, "409 " EXISTS, "end LATER: tried 13 times in vain");
        play_finish(&p);
}

/* It is there, it shows late, and it is ours: nothing is sent again. */
TEST(what_exists_and_shows_late)
{
        PLAY(play_put(.entry = "f a 5"),
             {"start", "link /a"},
             {"409 " EXISTS, "look /a"},
             {"404", "wait 500"},
             {"woke", "look /a"},
             {"+29000 404", "wait 1000"},
             {"woke", "look /a"},
             {"200 file 5 c1", "digest a"},
             {"md5 c1", "record row f a 5 #c1"},
             {"ok", "end NOTHING"});
}

/* ---- the sending ----------------------------------------------------------------------------- */

TEST(a_refused_put_asks_for_a_fresh_link)
{
        static const char *const answers[] = {
                "200", "204 sent=4", "400", "401", "403", "404", "408", "409", "410", "412", "415",
                "429", "423", ("423 " LOCKED), "500", "503", "504", "302 html", "fault unreachable",
                "fault broken", "fault stalled", "fault tls",
        };

        for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
                struct play p;

                play_begin(&p, play_put(.entry = "f a 5"));
                play_step(&p, "start", "link /a");
                play_step(&p, "200 link https://up/1", "send https://up/1");
                play_step(&p, answers[i], "wait");
                play_step(&p, "woke", "link /a");
                play_step(&p, "200 link https://up/2", "send https://up/2");
                play_step(&p, "201 all c1", "record row f a 5 #c1 u");
                play_finish(&p);
        }
}

/* Whatever it is: a bounded number of times. */
TEST(a_put_that_is_always_refused)
{
        static const char *const answers[] = {
                "400", "403", "409", "410", "429", "423", ("423 " LOCKED), "503", "201 sent=3",
                "fault unreachable", "fault broken",
        };

        for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
                struct play p;

                play_begin(&p, play_put(.entry = "f a 5"));
                play_step(&p, "start", "link /a");
                play_step(&p, "200 link", "send https://up/1");
                for (int j = 0; j < 12; j++) {
                        play_step(&p, answers[i], "wait");
                        play_step(&p, "woke", "link /a");
                        play_step(&p, "200 link", "send https://up/1");
                }
                play_step(&p, answers[i], "end LATER");
                play_finish(&p);
        }
}

TEST(waits_grow_from_link_to_link)
{
        PLAY(play_put(.entry = "f a 5"),
             {"start", "link /a"},
             {"200 link", "send https://up/1"},
             {"503", "wait 250"},
             {"woke", "link /a"},
             {"200 link", "send https://up/1"},
             {"503", "wait 500"},
             {"woke", "link /a"},
             {"200 link", "send https://up/1"},
             {"503 retry=7000", "wait 7000"},
             {"woke", "link /a"},
             {"200 link", "send https://up/1"},
             {"503", "wait 2000"});
}

/* Minutes may lie between the look and the last byte: a large file replaces our older version only
 * after a second look, made when nothing but a name is left to give. */
#define LARGE "f a 9000000"

TEST(a_large_file_looks_again_before_it_replaces)
{
        struct play p;

        static const struct {
                const char *found, *want;
        } rows[] = {
                {"200 file 5 c0", "move! /W1 /a"},
                {"200 file 7 ee", "trash /a #ee"},
                {"200 file 9000000 ee", "trash /a #ee"},
                {"404 " MISSING, "move /W1 /a"},
                {"200 file 9000000 c1", "erase /W1"}, /* somebody else had the same */
                {"200 dir", "end STUCK: a folder that is not ours"},
                {"503", "wait 250"},
                {"401", "end REFUSED"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                play_begin(&p, play_put(.entry = LARGE, .known = "5 #c0"));
                play_step(&p, "start", "look /a");
                play_step(&p, "200 file 5 c0", "record intent W1 a 9000000 at 1000");
                play_step(&p, "ok", "link /W1");
                play_step(&p, "200 link", "send https://up/1");
                play_step(&p, "201 all c1", "look /a");
                play_step(&p, rows[i].found, rows[i].want);
                play_finish(&p);
        }
        PLAY(play_put(.entry = LARGE, .known = "5 #c0"),
             {"start", "look /a"},
             {"200 file 5 c0", "record intent W1 a 9000000 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "look /a"},
             {"200 file 5 c0", "move! /W1 /a"},
             {"201", "record row f a 9000000 #c1 u; done W1"},
             {"ok", "end DONE"});
        PLAY(play_put(.entry = LARGE, .known = "5 #c0"),
             {"start", "look /a"},
             {"200 file 5 c0", "record intent W1 a 9000000 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "look /a"},
             {"200 file 7 ee", "trash /a #ee"},
             {"204", "move /W1 /a"},
             {"201", "record row f a 9000000 #c1 u; done W1"});
        /* no room for both: in place */
        for (int at_link = 0; at_link < 2; at_link++) {
                play_begin(&p, play_put(.entry = LARGE, .known = "5 #c0"));
                play_step(&p, "start", "look /a");
                play_step(&p, "200 file 5 c0", "record intent W1 a 9000000 at 1000");
                play_step(&p, "ok", "link /W1");
                if (!at_link)
                        play_step(&p, "200 link", "send https://up/1");
                play_step(&p, "507", "look /a");
                play_step(&p, "200 file 5 c0", "link! /a");
                play_step(&p, "200 link", "send https://up/1");
                play_step(&p, "507", "end FULL");
                play_finish(&p);
        }
        /* where nothing stood, and where theirs goes to the Trash anyway, there is no need */
        PLAY(play_put(.entry = LARGE),
             {"start", "record intent W1 a 9000000 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "move /W1 /a"});
        PLAY(play_put(.entry = LARGE, .disguise = DISGUISE_NEVER), {"start", "link /a"});
        PLAY(play_put(.entry = LARGE, .known = "5 #c0"),
             {"start", "look /a"},
             {"200 file 7 ee", "record intent W1 a 9000000 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "trash /a #ee"});
}

TEST(no_room)
{
        PLAY(play_put(.entry = "f a 5"), {"start", "link /a"}, {"200 link", "send https://up/1"},
             {"507", "end FULL: the Disk is full"});
        PLAY(play_put(.entry = "f a 5"), {"start", "link /a"}, {"200 link", "send https://up/1"},
             {"423 " TRAFFIC, "end FULL: allowance"});
        PLAY(play_put(.entry = "f a 5"), {"start", "link /a"}, {"200 link", "send https://up/1"},
             {"413", "room"}, {"503", "wait 250"}, {"woke", "room"},
             {"200 room 1000 0 4", "end STUCK: it is larger than the account allows (at most 4 B)"});
}

/* What would be sent in vain is not sent. */
TEST(asked_before_it_is_sent)
{
        PLAY(play_put(.entry = "f a 1073741825"), {"start", "room"},
             {"200 room 9000000000 0 1073741824",
              "end STUCK: it is larger than the account allows (at most 1.1 GB)"});
        PLAY(play_put(.entry = "f a 1073741825"), {"start", "room"},
             {"200 room 2000000000 1000000000 50000000000",
              "end FULL: the Disk is full (1.0 GB free, 1.1 GB wanted)"});
        PLAY(play_put(.entry = "f a 1073741825"), {"start", "room"},
             {"200 room 2000000000 3000000000", "end FULL: the Disk is full (0 B free"});
        PLAY(play_put(.entry = "f a 1073741825"), {"start", "room"},
             {"200 room 9000000000 0", "record intent W1 a 1073741825 at 1000"});
        PLAY(play_put(.entry = "f a 1073741825"), {"start", "room"}, {"200 html", "record intent W1 a 1073741825 at 1000"});
        PLAY(play_put(.entry = "f a.zip 1073741825"), {"start", "room"},
             {"200 room 9000000000 0 50000000000", "record intent W1 a.zip 1073741825 at 1000"});
        PLAY(play_put(.entry = "f a 6", .largest = 5), {"start", "room"},
             {"200 room 9000 0 7", "link /a"});
        PLAY(play_put(.entry = "f a 5", .largest = 5), {"start", "link /a"});
}

TEST(the_file_changed_while_it_was_sent)
{
        static const struct {
                const char *given, *want;
        } rows[] = {
                {"fault local ESTALE", "end CHANGED: changed while it was being read"},
                {"fault local ENOENT", "end CHANGED"},
                {"fault local ENOTDIR", "end CHANGED"},
                {"fault local EISDIR", "end CHANGED"},
                {"fault local EINVAL", "end CHANGED"},
                {"fault local ELOOP", "end CHANGED"},
                {"fault local EACCES", "end LATER: cannot be read: Permission denied"},
                {"fault local EIO", "end LATER: cannot be read"},
                {"fault local EMFILE", "end LATER"},
                {"fault local ENOMEM", "end LATER"},
                /* also when all of it was out */
                {"fault local all c1 ESTALE", "end CHANGED"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct play p;

                play_begin(&p, play_put(.entry = "f a 5"));
                play_step(&p, "start", "link /a");
                play_step(&p, "200 link", "send https://up/1");
                play_step(&p, rows[i].given, rows[i].want);
                play_finish(&p);
        }
}

/* An answer before the last byte: whatever is stored there now, it is not the file.  The link is
 * used up. */
TEST(accepted_too_early)
{
        PLAY(play_put(.entry = "f a 5"),
             {"start", "link /a"},
             {"200 link", "send https://up/1"},
             {"201 sent=4", "wait 250"},
             {"woke", "link /a"},
             {"409 " EXISTS, "look /a"},
             {"200 file 4 ee", "record intent W1 a 5 at 1250"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "trash /a #ee"},
             {"204", "move /W1 /a"},
             {"201", "record row f a 5 #c1 u; done W1"},
             {"ok", "end DONE"});
}

/* ---- doubt ----------------------------------------------------------------------------------- */

TEST(lost_after_the_last_byte)
{
        static const char *const answers[] = {
                "fault broken all c1", "fault stalled all c1", "500 all c1", "502 all c1 html",
                "503 all c1", "504 all c1 html", "200 all c1 html", "206 all c1",
        };

        for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
                struct play p;

                play_begin(&p, play_put(.entry = "f a 5"));
                play_step(&p, "start", "link /a");
                play_step(&p, "200 link", "send https://up/1");
                play_step(&p, answers[i], "look /a");
                play_step(&p, "404 " MISSING, "wait 300");
                play_step(&p, "woke", "look /a");
                play_step(&p, "200 file 5 c1", "record row f a 5 #c1"); /* verified by the way */
                play_step(&p, "ok", "end DONE");
                play_finish(&p);
        }
}

TEST(lost_and_not_stored)
{
        PLAY(play_put(.entry = "f a 5"),
             {"start", "link /a"},
             {"200 link", "send https://up/1"},
             {"fault broken all c1", "look /a"},
             {"404", "wait 300"},
             {"woke", "look /a"},
             {"404", "wait 600"},
             {"woke", "look /a"},
             {"404", "wait 1200"},
             {"woke", "look /a"},
             {"404", "wait 2400"},
             {"woke", "look /a"},
             {"404", "wait 250"}, /* four seconds are over */
             {"woke", "link /a"},
             {"200 link https://up/2", "send https://up/2"},
             {"201 all c1", "record row f a 5 #c1 u"});
        /* a folder has come there meanwhile */
        PLAY(play_put(.entry = "f a 5"),
             {"start", "link /a"},
             {"200 link", "send https://up/1"},
             {"fault broken all c1", "look /a"},
             {"200 dir", "end STUCK"});
}

/* The window grows with the file: the service takes up to two minutes a GiB. */
TEST(a_gigabyte_in_doubt)
{
        PLAY(play_put(.entry = "f a 1073741824", .disguise = DISGUISE_NEVER),
             {"start", "link /a"},
             {"200 link", "send https://up/1"},
             {"fault stalled all c1", "look /a"},
             {"404", "wait 300"},
             {"woke", "look /a"},
             {"+153000 404", "wait 600"},
             {"woke", "look /a"},
             {"+1000 404", "wait 250"},
             {"woke", "link /a"});
}

/* Trouble with a look is not an answer, and does not end the doubt. */
TEST(doubt_and_trouble)
{
        struct play p;

        play_begin(&p, play_put(.entry = "f a 1073741824", .disguise = DISGUISE_NEVER));
        play_step(&p, "start", "link /a");
        play_step(&p, "200 link", "send https://up/1");
        play_step(&p, "fault broken all c1", "look /a");
        for (int i = 0; i < 10; i++) {
                play_step(&p, "500", "wait 250");
                play_step(&p, "woke", "look /a");
                play_step(&p, "404", "wait");
                play_step(&p, "woke", "look /a");
        }
        play_step(&p, "200 file 1073741824 c1", "record row f a 1073741824 #c1");
        play_finish(&p);
        PLAY(play_put(.entry = "f a 5"),
             {"start", "link /a"},
             {"200 link", "send https://up/1"},
             {"fault broken all c1", "look /a"},
             {"401", "end REFUSED"});
}

/* Bytes went out, and the answer said at which end it failed: that is no doubt. */
TEST(no_doubt)
{
        static const char *const answers[] = {
                "409 all c1", "410 all c1", "400 all c1", "429 all c1", ("423 all c1 " LOCKED),
                "302 all c1",
        };

        for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
                struct play p;

                play_begin(&p, play_put(.entry = "f a 5"));
                play_step(&p, "start", "link /a");
                play_step(&p, "200 link", "send https://up/1");
                play_step(&p, answers[i], "wait");
                play_step(&p, "woke", "link /a");
                play_finish(&p);
        }
}

/* ---- what was there -------------------------------------------------------------------------- */

TEST(touched_but_the_same)
{
        PLAY(play_put(.entry = "f a 5 @7", .known = "5 #c1"),
             {"start", "digest a"},
             {"md5 c1", "record row f a 5 #c1"},
             {"ok", "end NOTHING"});
        /* what was not compared yet stays so */
        PLAY(play_put(.entry = "f a 5 @7", .known = "5 #c1 u"),
             {"start", "digest a"},
             {"md5 c1", "record row f a 5 #c1 u"},
             {"ok", "end NOTHING"});
        PLAY(play_put(.entry = "f a 5 @7", .known = "5 #c1"),
             {"start", "digest a"},
             {"err ESTALE", "end CHANGED"});
        PLAY(play_put(.entry = "f a 5 @7", .known = "5 #c1"),
             {"start", "digest a"},
             {"err EIO", "end LATER: cannot be read"});
}

TEST(our_older_version_is_replaced)
{
        PLAY(play_put(.entry = "f a 6", .known = "5 #c0"),
             {"start", "look /a"},
             {"200 file 5 c0", "link! /a"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "record row f a 6 #c1 u"},
             {"ok", "end DONE"});
        PLAY(play_put(.entry = "f a 5", .known = "5 #c0"),
             {"start", "digest a"},
             {"md5 c1", "look /a"},
             {"200 file 5 c0", "link! /a"});
        /* the new version is there already */
        PLAY(play_put(.entry = "f a 5", .known = "5 #c0"),
             {"start", "digest a"},
             {"md5 c1", "look /a"},
             {"200 file 5 c1", "record row f a 5 #c1"},
             {"ok", "end NOTHING"});
        PLAY(play_put(.entry = "f a 6", .known = "5 #c0"),
             {"start", "look /a"},
             {"200 file 6 c1", "digest a"},
             {"md5 c1", "record row f a 6 #c1"},
             {"ok", "end NOTHING"});
        /* it has gone from the cloud */
        PLAY(play_put(.entry = "f a 6", .known = "5 #c0"),
             {"start", "look /a"},
             {"404", "link /a"});
        PLAY(play_put(.entry = "f a 6", .known = "5 #c0"),
             {"start", "look /a"},
             {"200 dir", "end STUCK: a folder"});
        PLAY(play_put(.entry = "f a 6", .known = "5 #c0"),
             {"start", "look /a"},
             {"200 other", "wait 250"},
             {"woke", "look /a"},
             {"403", "end STUCK"});
}

/* Somebody else's content goes to the Trash, once ours is up, and only as it was seen. */
TEST(other_content_is_moved_out_of_the_way)
{
        PLAY(play_put(.entry = "f a 6", .known = "5 #c0"),
             {"start", "look /a"},
             {"200 file 7 ee", "record intent W1 a 6 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "trash /a #ee"},
             {"204", "move /W1 /a"},
             {"201", "record row f a 6 #c1 u; done W1"},
             {"ok", "end DONE"});
        PLAY(play_put(.entry = "f d/a 5"),
             {"start", "link /d/a"},
             {"409 " EXISTS, "look /d/a"},
             {"200 file 5 ee", "digest d/a"},
             {"md5 c1", "record intent W1 d/a 5 at 1000"},
             {"ok", "link /d/W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "trash /d/a #ee"},
             {"202 op 77", "poll 77"},
             {"200 status in-progress", "wait 100"},
             {"woke", "poll 77"},
             {"200 status success", "move /d/W1 /d/a"},
             {"202 op 78", "poll 78"},
             {"200 status success", "record row f d/a 5 #c1 u; done W1"});
        /* gone by itself */
        PLAY(play_put(.entry = "f a 6", .known = "5 #c0"),
             {"start", "look /a"},
             {"200 file 7 ee", "record intent W1 a 6 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "trash /a #ee"},
             {"404 " MISSING, "move /W1 /a"});
}

TEST(other_content_that_changes_again)
{
        PLAY(play_put(.entry = "f a 6", .known = "5 #c0"),
             {"start", "look /a"},
             {"200 file 7 ee", "record intent W1 a 6 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "trash /a #ee"},
             {"409 " DIFFERS, "look /a"},
             {"200 file 8 ef", "trash /a #ef"},
             {"503", "wait 250"},
             {"woke", "trash /a #ef"},
             {"202 op 7", "poll 7"},
             {"200 status failed", "look /a"},
             {"200 file 8 ef", "trash /a #ef"},
             {"202 op 8", "poll 8"},
             {"404", "move /W1 /a"},
             {"409 " EXISTS, "look /a"},
             {"200 file 9 f0", "trash /a #f0"},
             {"204", "move /W1 /a"},
             {"201", "record row f a 6 #c1 u; done W1"});
        /* into ours, by somebody else */
        PLAY(play_put(.entry = "f a 6", .known = "5 #c0"),
             {"start", "look /a"},
             {"200 file 7 ee", "record intent W1 a 6 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "trash /a #ee"},
             {"409 " DIFFERS, "look /a"},
             {"200 file 6 c1", "erase /W1"},
             {"204", "record row f a 6 #c1; done W1"});
        /* into a folder */
        PLAY(play_put(.entry = "f a 6", .known = "5 #c0"),
             {"start", "look /a"},
             {"200 file 7 ee", "record intent W1 a 6 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "trash /a #ee"},
             {"409 " DIFFERS, "look /a"},
             {"200 dir", "end STUCK: a folder"});
}

TEST(a_listing_has_told)
{
        /* the same content: adopted */
        PLAY(play_put(.entry = "f a 5", .there = "5 #c1"),
             {"start", "digest a"},
             {"md5 c1", "record row f a 5 #c1"},
             {"ok", "end NOTHING"});
        PLAY(play_put(.entry = "f a 5", .there = "5 #ee"),
             {"start", "digest a"},
             {"md5 c1", "record intent W1 a 5 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "trash /a #ee"},
             {"204", "move /W1 /a"});
        PLAY(play_put(.entry = "f a 5", .there = "6 #ee"),
             {"start", "record intent W1 a 5 at 1000"});
        PLAY(play_put(.entry = "f a 5", .there = "d"),
             {"start", "end STUCK: a folder"});
        PLAY(play_put(.entry = "f a 5", .there = "5 #c1"),
             {"start", "digest a"},
             {"err ENOENT", "end CHANGED"});
}

/* While ours was in doubt, hours perhaps, somebody else may have written there: before it is
 * overwritten once more, it must still be our older version. */
TEST(resending_looks_again_before_it_overwrites)
{
        PLAY(play_put(.entry = "f a 6", .known = "5 #c0"),
             {"start", "look /a"},
             {"200 file 5 c0", "link! /a"},
             {"200 link", "send https://up/1"},
             {"fault broken all c1", "look /a"},
             {"200 file 7 ee", "wait 300"},
             {"woke", "look /a"},
             {"+5000 200 file 7 ee", "wait 250"},
             {"woke", "look /a"},
             {"200 file 7 ee", "record intent W1 a 6 at 6550"},
             {"ok", "link /W1"});
        PLAY(play_put(.entry = "f a 6", .known = "5 #c0"),
             {"start", "look /a"},
             {"200 file 5 c0", "link! /a"},
             {"200 link", "send https://up/1"},
             {"503", "wait 250"},
             {"woke", "look /a"},
             {"200 file 5 c0", "link! /a"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "record row f a 6 #c1 u"},
             {"ok", "end DONE"});
        /* late, but there */
        PLAY(play_put(.entry = "f a 6", .known = "5 #c0"),
             {"start", "look /a"},
             {"200 file 5 c0", "link! /a"},
             {"200 link", "send https://up/1"},
             {"fault broken all c1", "look /a"},
             {"+1 200 file 5 c0", "wait 300"},
             {"woke", "look /a"},
             {"+5000 200 file 5 c0", "wait 250"},
             {"woke", "look /a"},
             {"200 file 6 c1", "record row f a 6 #c1"},
             {"ok", "end NOTHING"});
}

/* ---- in disguise ----------------------------------------------------------------------------- */

TEST(a_new_file_in_disguise)
{
        PLAY(play_put(.entry = "f d/a.zip 70000"),
             {"start", "record intent W1 d/a.zip 70000 at 1000"},
             {"ok", "link /d/W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "move /d/W1 /d/a.zip"},
             {"201", "record row f d/a.zip 70000 #c1 u; done W1"},
             {"ok", "end DONE"});
        PLAY(play_put(.entry = "f a.zip 70000", .disguise = DISGUISE_NEVER),
             {"start", "link /a.zip"});
        PLAY(play_put(.entry = "f a.zip 100"),
             {"start", "link /a.zip"});
        PLAY(play_put(.entry = "f a 5", .disguise = DISGUISE_ALWAYS),
             {"start", "record intent W1 a 5 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "move /W1 /a"},
             {"201", "record row f a 5 #c1 u; done W1"});
        PLAY(play_put(.entry = "f a 5", .disguise = DISGUISE_ALWAYS, .verify = PUT_VERIFY_NOW),
             {"start", "record intent W1 a 5 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "move /W1 /a"},
             {"201", "look /a"},
             {"200 file 5 c1", "record row f a 5 #c1; done W1"});
}

TEST(no_byte_before_its_intent)
{
        PLAY(play_put(.entry = "f a 5", .disguise = DISGUISE_ALWAYS),
             {"start", "record intent W1 a 5 at 1000"},
             {"err EIO", "end STORE: the store's words"});
        PLAY(play_put(.entry = "f a 5", .disguise = DISGUISE_ALWAYS),
             {"+500 start", "record intent W1 a 5 at 1500"});
}

TEST(an_older_version_in_disguise)
{
        PLAY(play_put(.entry = "f a 6", .known = "5 #c0", .disguise = DISGUISE_ALWAYS),
             {"start", "look /a"},
             {"200 file 5 c0", "record intent W1 a 6 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "move! /W1 /a"},
             {"201", "record row f a 6 #c1 u; done W1"});
        /* a service that does not overwrite on a move: the old one goes to the Trash */
        PLAY(play_put(.entry = "f a 6", .known = "5 #c0", .disguise = DISGUISE_ALWAYS),
             {"start", "look /a"},
             {"200 file 5 c0", "record intent W1 a 6 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "move! /W1 /a"},
             {"409 " EXISTS, "look /a"},
             {"200 file 5 c0", "trash /a #c0"},
             {"204", "move /W1 /a"},
             {"201", "record row f a 6 #c1 u; done W1"});
}

/* The service has lost what was sent: nothing makes room for it before it is there again. */
TEST(what_is_to_be_named_is_gone)
{
        PLAY(play_put(.entry = "f a 6", .known = "5 #c0", .disguise = DISGUISE_ALWAYS),
             {"start", "look /a"},
             {"200 file 5 c0", "record intent W1 a 6 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "move! /W1 /a"},
             {"404 " MISSING, "look /a"},
             {"200 file 5 c0", "look /W1"},
             {"200 file 6 c1", "trash /a #c0"},
             {"204", "move /W1 /a"},
             {"201", "record row f a 6 #c1 u; done W1"});
        PLAY(play_put(.entry = "f a 5", .there = "7 #f0"),
             {"start", "record intent W1 a 5 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "trash /a #f0"},
             {"409 error MD5DifferError", "look /a"},
             {"200 file 7 f1", "trash /a #f1"},
             {"204", "move /W1 /a"},
             {"404 " MISSING, "look /a"},
             {"200 file 7 f2", "look /W1"},
             {"404", "wait 300"});
}

/* Only a removal is answered 204: to anything else a proxy says that. */
TEST(a_move_answered_204_is_looked_at)
{
        PLAY(play_put(.entry = "f a 5", .disguise = DISGUISE_ALWAYS),
             {"start", "record intent W1 a 5 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "move /W1 /a"},
             {"204", "wait 250"},
             {"woke", "move /W1 /a"},
             {"201", "record row f a 5 #c1 u; done W1"});
        PLAY(play_put(.entry = "f a 5"),
             {"start", "link /a"},
             {"200 link", "send https://up/1"},
             {"204 all c1", "look /a"},
             {"200 file 5 c1", "record row f a 5 #c1"});
}

TEST(the_move_to_its_own_name)
{
        /* asynchronous */
        PLAY(play_put(.entry = "f a 5", .disguise = DISGUISE_ALWAYS),
             {"start", "record intent W1 a 5 at 1000"},
             {"ok", "link /W1"},
             {"200 link https://up/1 11", "send https://up/1"},
             {"202 all c1", "poll 11"},
             {"200 status success", "move /W1 /a"},
             {"202 op 12", "poll 12"},
             {"200 status in-progress", "wait 100"},
             {"woke", "poll 12"},
             {"200 status failure", "look /a"},
             {"404", "move /W1 /a"},
             {"201", "record row f a 5 #c1 u; done W1"});
        /* 202 that names no operation: look */
        PLAY(play_put(.entry = "f a 5", .disguise = DISGUISE_ALWAYS),
             {"start", "record intent W1 a 5 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "move /W1 /a"},
             {"202 html", "look /a"},
             {"200 file 5 c1", "erase /W1"},
             {"404", "record row f a 5 #c1; done W1"},
             {"ok", "end DONE"});
        /* the answer was lost, and it had been made */
        PLAY(play_put(.entry = "f a 5", .disguise = DISGUISE_ALWAYS),
             {"start", "record intent W1 a 5 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "move /W1 /a"},
             {"fault broken", "wait 250"},
             {"woke", "move /W1 /a"},
             {"404 " MISSING, "look /a"},
             {"200 file 5 c1", "erase /W1"},
             {"404", "record row f a 5 #c1; done W1"});
        /* the operation is forgotten */
        PLAY(play_put(.entry = "f a 5", .disguise = DISGUISE_ALWAYS),
             {"start", "record intent W1 a 5 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "move /W1 /a"},
             {"202 op 12", "poll 12"},
             {"404", "look /a"},
             {"200 file 5 c1", "erase /W1"},
             {"202 op 13", "record row f a 5 #c1; intent W1 a 5 at 1000"}, /* accepted is not removed: to be swept */
             {"ok", "end DONE"});
        /* a proxy's page is no answer */
        PLAY(play_put(.entry = "f a 5", .disguise = DISGUISE_ALWAYS),
             {"start", "record intent W1 a 5 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "move /W1 /a"},
             {"200 html", "wait 250"},
             {"woke", "move /W1 /a"},
             {"409 " EXISTS, "look /a"},
             {"404 html", "wait 250"},
             {"woke", "look /a"},
             {"503", "wait 500"},
             {"woke", "look /a"},
             {"200 file 5 c1", "erase /W1"},
             {"404 html", "wait 250"},
             {"woke", "erase /W1"});
        /* locked, then not */
        PLAY(play_put(.entry = "f a 5", .disguise = DISGUISE_ALWAYS),
             {"start", "record intent W1 a 5 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "move /W1 /a"},
             {"423 " LOCKED, "wait 100"},
             {"woke", "move /W1 /a"},
             {"500", "wait 500"},
             {"woke", "move /W1 /a"},
             {"201", "record row f a 5 #c1 u; done W1"});
        PLAY(play_put(.entry = "f a 5", .disguise = DISGUISE_ALWAYS),
             {"start", "record intent W1 a 5 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "move /W1 /a"},
             {"401", "end REFUSED"});
}

/* The folder was removed in the cloud while the bytes went up: the wire name is gone with it. */
TEST(what_was_sent_has_vanished)
{
        PLAY(play_put(.entry = "f d/a 5", .disguise = DISGUISE_ALWAYS),
             {"start", "record intent W1 d/a 5 at 1000"},
             {"ok", "link /d/W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "move /d/W1 /d/a"},
             {"409 " PARENT, "record meta audit.at=cloud"},
             {"ok", "mkdir disk:/B"},
             {"409 " FOLDER, "mkdir /"},
             {"409 " FOLDER, "mkdir /d"},
             {"201", "move /d/W1 /d/a"},
             {"404 " MISSING, "look /d/a"},
             {"404", "move /d/W1 /d/a"},
             {"404 " MISSING, "look /d/a"},
             {"404", "look /d/W1"},
             {"404", "wait 300"},
             {"woke", "look /d/W1"},
             {"+5000 404", "wait"},
             {"woke", "link /d/W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "move /d/W1 /d/a"},
             {"201", "record row f d/a 5 #c1 u; intent W1 d/a 5 at 10300"}); /* the first may still come:
                                                                              to be swept */
}

TEST(a_move_that_never_works)
{
        struct play p;

        play_begin(&p, play_put(.entry = "f a 5", .disguise = DISGUISE_ALWAYS));
        play_step(&p, "start", "record intent W1 a 5 at 1000");
        play_step(&p, "ok", "link /W1");
        play_step(&p, "200 link", "send https://up/1");
        play_step(&p, "201 all c1", "move /W1 /a");
        for (int i = 0; i < 3; i++) {
                play_step(&p, "409", "look /a");
                play_step(&p, "404", "move /W1 /a");
                play_step(&p, "409", "look /a");
                play_step(&p, "404", "look /W1"); /* is it still there? */
                play_step(&p, "200 file 5 c1", "move /W1 /a");
        }
        play_step(&p, "409", "end LATER");
        play_finish(&p);
}

TEST(the_wire_name_in_doubt)
{
        PLAY(play_put(.entry = "f a 5", .disguise = DISGUISE_ALWAYS),
             {"start", "record intent W1 a 5 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"fault broken all c1", "look /W1"},
             {"200 file 5 c1", "move /W1 /a"},
             {"201", "record row f a 5 #c1 u; done W1"});
        /* sent again, and then the first one has come after all */
        PLAY(play_put(.entry = "f a 5", .disguise = DISGUISE_ALWAYS),
             {"start", "record intent W1 a 5 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"fault broken all c1", "look /W1"},
             {"404", "wait"},
             {"woke", "look /W1"},
             {"+5000 404", "wait"},
             {"woke", "link /W1"},
             {"409 " EXISTS, "look /W1"},
             {"200 file 5 c1", "move /W1 /a"});
        /* a folder there is nobody's answer */
        PLAY(play_put(.entry = "f a 5", .disguise = DISGUISE_ALWAYS),
             {"start", "record intent W1 a 5 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"fault broken all c1", "look /W1"},
             {"200 dir", "wait 300"});
}

/* ---- after an interruption ------------------------------------------------------------------- */

TEST(a_leftover_that_is_right)
{
        PLAY(play_put(.entry = "f a.zip 5", .leftover = true),
             {"start", "look /W2"},
             {"200 file 5 c1", "digest a.zip"},
             {"md5 c1", "look /a.zip"},
             {"404", "move /W2 /a.zip"},
             {"201", "record row f a.zip 5 #c1 u; done W2"},
             {"ok", "end DONE"});
        /* onto our older version */
        PLAY(play_put(.entry = "f a 5", .known = "4 #c0", .leftover = true),
             {"start", "look /W2"},
             {"200 file 5 c1", "digest a"},
             {"md5 c1", "look /a"},
             {"200 file 4 c0", "move! /W2 /a"},
             {"201", "record row f a 5 #c1 u; done W2"});
        /* onto somebody else's */
        PLAY(play_put(.entry = "f a 5", .leftover = true),
             {"start", "look /W2"},
             {"200 file 5 c1", "digest a"},
             {"md5 c1", "look /a"},
             {"200 file 7 ee", "trash /a #ee"},
             {"204", "move /W2 /a"},
             {"201", "record row f a 5 #c1 u; done W2"});
        /* it had got its name before the end */
        PLAY(play_put(.entry = "f a 5", .leftover = true),
             {"start", "look /W2"},
             {"200 file 5 c1", "digest a"},
             {"md5 c1", "look /a"},
             {"200 file 5 c1", "erase /W2"},
             {"503", "wait 250"},
             {"woke", "erase /W2"},
             {"204", "record row f a 5 #c1; done W2"},
             {"ok", "end NOTHING"});
        PLAY(play_put(.entry = "f a 5", .leftover = true),
             {"start", "look /W2"},
             {"200 file 5 c1", "digest a"},
             {"md5 c1", "look /a"},
             {"200 dir", "end STUCK: a folder"});
}

TEST(a_leftover_that_is_not_right)
{
        /* of another size */
        PLAY(play_put(.entry = "f a 5", .leftover = true),
             {"start", "look /W2"},
             {"200 file 4 c1", "erase /W2"},
             {"204", "link /a"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "record row f a 5 #c1 u; done W2"},
             {"ok", "end DONE"});
        /* of other content */
        PLAY(play_put(.entry = "f a 5", .disguise = DISGUISE_ALWAYS, .leftover = true),
             {"start", "look /W2"},
             {"200 file 5 ee", "digest a"},
             {"md5 c1", "erase /W2"},
             {"404", "record intent W1 a 5 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "move /W1 /a"},
             {"201", "record row f a 5 #c1 u; done W1; done W2"});
        PLAY(play_put(.entry = "f a 5", .leftover = true),
             {"start", "look /W2"},
             {"200 file 5 c1", "digest a"},
             {"err ESTALE", "end CHANGED"});
        PLAY(play_put(.entry = "f a 5", .leftover = true),
             {"start", "look /W2"},
             {"200 file 4 c1", "erase /W2"},
             {"401", "end REFUSED"});
        PLAY(play_put(.entry = "f a 5", .leftover = true),
             {"start", "look /W2"},
             {"200 file 4 c1", "erase /W2"},
             {"200 html", "wait 250"},
             {"woke", "erase /W2"},
             {"202 op 5", "link /a"}, /* its intent is kept, to be swept */
             {"200 link", "send https://up/1"},
             {"201 all c1", "record row f a 5 #c1 u"});
        PLAY(play_put(.entry = "f a 5", .known = "5 #c1", .leftover = true),
             {"start", "look /W2"},
             {"200 file 4 c1", "erase /W2"},
             {"204", "digest a"},
             {"md5 c1", "record row f a 5 #c1; done W2"},
             {"ok", "end NOTHING"});
}

/* Two wire names in one flow: each is removed under its own. */
TEST(the_wire_name_that_is_to_go)
{
        PLAY(play_put(.entry = "f a 5", .disguise = DISGUISE_ALWAYS, .leftover = true),
             {"start", "look /W2"},
             {"200 file 4 ee", "erase /W2"},
             {"204", "record intent W1 a 5 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "move /W1 /a"},
             {"409 " EXISTS, "look /a"},
             {"200 file 5 c1", "erase /W1"},
             {"204", "record row f a 5 #c1; done W1; done W2"});
}

TEST(a_leftover_that_is_not_there)
{
        /* its intent stays: it may still come, and is swept then */
        PLAY(play_put(.entry = "f a 5", .leftover = true),
             {"start", "look /W2"},
             {"404 " MISSING, "look /a"},
             {"404 " MISSING, "link /a"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "record row f a 5 #c1 u"});
        /* after a while nothing comes any more, or every pass would look for it */
        PLAY(play_put(.entry = "f a 5", .leftover = true, .leftover_old = true),
             {"start", "look /W2"},
             {"404 " MISSING, "look /a"},
             {"404 " MISSING, "link /a"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "record row f a 5 #c1 u; done W2"});
        /* or it has got its name already */
        PLAY(play_put(.entry = "f a 5", .disguise = DISGUISE_ALWAYS, .leftover = true),
             {"start", "look /W2"},
             {"404 " MISSING, "look /a"},
             {"200 file 5 c1", "digest a"},
             {"md5 c1", "record row f a 5 #c1"},
             {"ok", "end NOTHING"});
        PLAY(play_put(.entry = "f a 5", .there = "-", .leftover = true),
             {"start", "look /W2"},
             {"404 " MISSING, "link /a"});
        PLAY(play_put(.entry = "f a 6", .known = "5 #c0", .leftover = true),
             {"start", "look /W2"},
             {"404 " MISSING, "look /a"},
             {"200 file 5 c0", "link! /a"});
        PLAY(play_put(.entry = "f a 5", .leftover = true),
             {"start", "look /W2"},
             {"200 dir", "link /a"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "record row f a 5 #c1 u"});
        PLAY(play_put(.entry = "f a 5", .leftover = true),
             {"start", "look /W2"},
             {"404 html", "wait 250"}, /* a balancer's page proves nothing */
             {"woke", "look /W2"},
             {"200 html", "wait 500"},
             {"woke", "look /W2"},
             {"401", "end REFUSED"});
}

/* ---- the rest -------------------------------------------------------------------------------- */

TEST(a_row_that_cannot_be_written)
{
        PLAY(play_put(.entry = "f a 5"),
             {"start", "link /a"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "record row f a 5 #c1 u"},
             {"err ENOSPC", "end STORE: the store's words"});
}

TEST(a_failed_clearing_is_tried_again)
{
        PLAY(play_put(.entry = "f a 5", .there = "6 #ee"),
             {"start", "record intent W1 a 5 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "trash /a #ee"},
             {"423 " LOCKED, "wait 100"},
             {"woke", "trash /a #ee"},
             {"202 op 5", "poll 5"},
             {"503", "wait 250"},
             {"woke", "poll 5"},
             {"200 status success", "move /W1 /a"});
        PLAY(play_put(.entry = "f a 5", .there = "6 #ee"),
             {"start", "record intent W1 a 5 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "trash /a #ee"},
             {"403", "end STUCK"});
        /* 202 that names no operation: the move will tell */
        PLAY(play_put(.entry = "f a 5", .there = "6 #ee"),
             {"start", "record intent W1 a 5 at 1000"},
             {"ok", "link /W1"},
             {"200 link", "send https://up/1"},
             {"201 all c1", "trash /a #ee"},
             {"202", "move /W1 /a"});
}

/* How long the uploader may be silent after the last byte. */
static int64_t patience(const char *entry, enum disguise_policy disguise)
{
        struct play p;
        int64_t ms;

        play_begin(&p, play_put(.entry = entry, .disguise = disguise));
        play_step(&p, "start", disguise == DISGUISE_NEVER ? "link /a.zip" : "record intent W1 "
                               "a.zip 1073741824 at 1000");
        if (disguise != DISGUISE_NEVER)
                play_step(&p, "ok", "link /W1");
        play_step(&p, "200 link", "send https://up/1");
        ms = p.ask.want == ASK_HTTP ? p.ask.http->patience_ms : 0;
        play_finish(&p);
        return ms;
}

TEST(patience_grows_with_the_file)
{
        check_eq(patience("f a.zip 0", DISGUISE_NEVER), 120000);
        check_eq(patience("f a.zip 1073741824", DISGUISE_AUTO), 270000);
        /* slowed down: what was taken in fast may be answered as late as if it had been slow */
        check_eq(patience("f a.zip 1073741824", DISGUISE_NEVER), 270000 + 12288000);
}

TEST(what_it_took_is_told)
{
        struct play p;

        play_begin(&p, play_put(.entry = "f a 5"));
        play_step(&p, "start", "link /a");
        play_step(&p, "200 link", "send https://up/1");
        play_step(&p, "410 sent=3", "wait");
        play_step(&p, "woke", "link /a");
        play_step(&p, "200 link", "send https://up/1");
        play_step(&p, "201 all c1", "record row f a 5 #c1 u");
        play_step(&p, "ok", "end DONE");
        check_eq(p.ask.end.bytes, 8);
        check_eq(p.ask.end.calls, 4);
        check_eq(p.ask.end.status, 0);
        play_finish(&p);
}

TEST(a_path_too_long_to_be_asked_for)
{
        size_t len = YADISK_URL_MAX + 10;
        char *entry = malloc(len + 10);
        struct op op = {.verb = OP_PUT, .entry = {.kind = KIND_FILE, .size = 5}};
        struct put_args put = {.yadisk = &play_yadisk, .op = &op, .wire = play_wire(1)};
        struct play p;

        require(entry != NULL);
        memset(entry, 'a', len);
        entry[5] = '/';
        entry[len] = '\0';
        op.entry.key = entry;
        play_begin(&p, flow_put(&put));
        play_step(&p, "start", "end STUCK: too long");
        play_finish(&p);
        put.disguise = DISGUISE_ALWAYS;
        play_begin(&p, flow_put(&put));
        play_tell(&p, &(struct outcome){.kind = OUTCOME_START});
        play_step(&p, "ok", "link /aaaaa/W1"); /* only the name itself is too long */
        play_step(&p, "200 link", "send https://up/1");
        play_step(&p, "201 all c1", "end STUCK: too long");
        play_finish(&p);
        free(entry);
}
