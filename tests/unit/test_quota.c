/* SPDX-License-Identifier: MIT */

/* When uploads are paused, what is let through, and when that is over. */

#include "daemon/quota.h"

#include "tests/unit/check.h"

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

#define MINUTE 60000
#define HOUR 3600000

static struct flow_end ended(enum end_kind kind, int status)
{
        return (struct flow_end){.kind = kind, .status = status, .text = ""};
}

static struct flow_end room(uint64_t bytes)
{
        return (struct flow_end){.kind = END_NOTHING, .knows_room = true, .room = bytes,
                                 .largest = 1000, .text = ""};
}

static void full(struct quota *q, int status, int64_t now)
{
        struct flow_end end = ended(END_FULL, status);

        check(quota_ended(q, &end, now));
}

TEST(open_admits_everything)
{
        struct quota a = {0};
        struct flow_end done = ended(END_DONE, 0);

        quota_pass_begins(&a, 0);
        check(!quota_must_ask(&a, 0));
        for (int i = 0; i < 100; i++) {
                check(quota_admits(&a, UINT64_MAX));
                check(!quota_ended(&a, &done, 0));
        }
        check(!quota_pass_ended(&a));
}

TEST(no_room_pauses_uploads_and_is_asked_about)
{
        struct quota a = {0};
        struct flow_end again = ended(END_FULL, 507), answer = room(0);
        int64_t now = 5, delay = MINUTE;

        full(&a, 507, now);
        check(!quota_ended(&a, &again, now)); /* others that were under way: no news */
        check(!quota_admits(&a, 0));
        check(!quota_pass_ended(&a));
        for (int i = 0; i < 10; i++) {
                quota_pass_begins(&a, now + delay - 1);
                check(!quota_must_ask(&a, now + delay - 1));
                check(quota_must_ask(&a, now + delay));
                now += delay;
                quota_asked(&a, &answer, now);
                delay = delay < HOUR / 2 ? 2 * delay : HOUR;
                check(!quota_admits(&a, 1));
                check(!quota_pass_ended(&a));
        }
}

TEST(what_fits_is_sent)
{
        struct quota a = {0};
        struct flow_end answer = room(100), done = ended(END_DONE, 0);

        full(&a, 507, 0);
        quota_pass_begins(&a, MINUTE);
        quota_asked(&a, &answer, MINUTE);
        check_eq(a.largest, 1000);
        check(quota_admits(&a, 60));
        check(!quota_admits(&a, 60)); /* no longer */
        check(quota_admits(&a, 40));
        check(!quota_ended(&a, &done, MINUTE));
        check(!quota_pass_ended(&a)); /* something was left out */
        quota_pass_begins(&a, 4 * MINUTE);
        answer.room = 1000000;
        quota_asked(&a, &answer, 4 * MINUTE);
        check(quota_admits(&a, 60));
        check(!quota_ended(&a, &done, 4 * MINUTE));
        check(quota_pass_ended(&a));
        check_eq(a.pause, QUOTA_OPEN);
        check_eq(a.largest, 1000);
}

TEST(room_for_all_and_nothing_left_to_send)
{
        struct quota a = {0};
        struct flow_end answer = room(100);

        full(&a, 507, 0);
        quota_pass_begins(&a, MINUTE);
        quota_asked(&a, &answer, MINUTE);
        check(!quota_admits(&a, 101));
        check(!quota_pass_ended(&a)); /* it waits for more room */
        quota_pass_begins(&a, 2 * MINUTE);
        check(!quota_pass_ended(&a)); /* not asked */
        quota_pass_begins(&a, 4 * MINUTE);
        quota_asked(&a, &answer, 4 * MINUTE);
        check(quota_admits(&a, 100)); /* and it was there already */
        check(quota_pass_ended(&a));
        check(a.pause == QUOTA_OPEN);
}

TEST(room_that_was_none_after_all)
{
        struct quota a = {0};
        struct flow_end answer = room(100), no = ended(END_FULL, 507);

        full(&a, 507, 0);
        quota_asked(&a, &answer, MINUTE);
        check(quota_admits(&a, 60));
        check(!quota_ended(&a, &no, MINUTE)); /* not said again */
        check(!quota_admits(&a, 10));
        check(!quota_must_ask(&a, 3 * MINUTE - 1)); /* two minutes after the last answer */
        check(quota_must_ask(&a, 3 * MINUTE));
}

TEST(room_that_the_refusal_itself_told_of)
{
        struct quota a = {0};
        struct flow_end no = ended(END_FULL, 507);

        no.knows_room = true;
        no.room = 50;
        check(quota_ended(&a, &no, 0));
        check(quota_admits(&a, 50));
        check(!quota_admits(&a, 1));
}

TEST(who_may_not_ask_tries_one)
{
        struct quota a = {0};
        struct flow_end unknown = ended(END_NOTHING, 0), done = ended(END_DONE, 0);

        full(&a, 507, 0);
        quota_asked(&a, &unknown, MINUTE);
        check(quota_admits(&a, 1000000));
        check(!quota_admits(&a, 1));
        check(!quota_ended(&a, &done, MINUTE));
        check(quota_pass_ended(&a));
}

TEST(a_question_without_an_answer_is_asked_again)
{
        struct quota a = {0};
        struct flow_end later = ended(END_LATER, 0);

        full(&a, 507, 0);
        quota_asked(&a, &later, MINUTE);
        check(quota_must_ask(&a, MINUTE));
        check(!quota_admits(&a, 0));
}

TEST(no_allowance_lets_one_try)
{
        struct quota a = {0};
        struct flow_end no = ended(END_FULL, 423), done = ended(END_DONE, 0);
        struct flow_end later = ended(END_LATER, 0);
        int64_t now = 0, delay = HOUR;

        full(&a, 423, now);
        for (int i = 0; i < 5; i++) {
                quota_pass_begins(&a, now + delay - 1);
                check(!quota_must_ask(&a, now + delay));
                check(!quota_admits(&a, 0));
                now += delay;
                quota_pass_begins(&a, now);
                check(quota_admits(&a, UINT64_MAX));
                check(!quota_admits(&a, 0));
                check(!quota_ended(&a, &no, now));
                check(!quota_pass_ended(&a));
                delay = delay < 4 * HOUR ? 2 * delay : 6 * HOUR;
        }
        now += delay;
        quota_pass_begins(&a, now);
        check(quota_admits(&a, 1));
        check(!quota_ended(&a, &later, now)); /* says nothing: another may try */
        check(!quota_pass_ended(&a));
        quota_pass_begins(&a, now + 1);
        check(quota_admits(&a, 1));
        check(!quota_ended(&a, &done, now + 1));
        check(quota_pass_ended(&a));
        check(quota_admits(&a, 1));
}

TEST(a_restart_remembers_and_begins_with_a_try)
{
        struct quota a = {0}, b = {0}, c = {0};
        struct flow_end answer = room(0);
        char text[QUOTA_TEXT_MAX];

        quota_save(&a, text);
        check_str(text, "");
        full(&a, 507, 1000);
        quota_asked(&a, &answer, 61000);
        check(!quota_unsaid(&a));
        quota_save(&a, text);
        check_str(text, "room 1");
        quota_load(&b, text, 7);
        quota_pass_begins(&b, 7);
        check(quota_must_ask(&b, 7));
        check(!quota_unsaid(&b)); /* nothing was left out so far */
        quota_asked(&b, &answer, 7);
        check(!quota_admits(&b, 1));
        check(!quota_must_ask(&b, 6 + 4 * MINUTE));
        check(quota_must_ask(&b, 7 + 4 * MINUTE));
        check(quota_unsaid(&b));
        check(!quota_unsaid(&b));
        quota_load(&c, "allowance 2", 7);
        quota_pass_begins(&c, 7);
        check(quota_admits(&c, 1));
        check(!quota_admits(&c, 1));
}

TEST(what_cannot_be_read_pauses_nothing)
{
        static const char *const texts[] = {"", "room", "room x", "what 1", " ", "1 1"};

        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
                struct quota a = {0};

                quota_load(&a, texts[i], 0);
                check_eq(a.pause, QUOTA_OPEN);
        }
}
