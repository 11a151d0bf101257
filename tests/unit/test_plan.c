/* SPDX-License-Identifier: MIT */

/*
 * Trees in, ops out.  A plan is shown in one line, the makes, then the drops, then the notes:
 *
 *      mkdir d|put d/x / drop gone|droptree tree (2, 7) / unfit bad
 *
 * where a put of something known is `reput`, "^" stands for after_drop, and "=file 5", "=dir",
 * "=nothing" for what a listing has shown.
 */

#include "lib/core/plan.h"

#include "lib/core/disguise.h"
#include "tests/unit/check.h"
#include "tests/unit/seed.h"
#include "tests/unit/tree.h"

#include <errno.h>

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

/* ---- showing --------------------------------------------------------------------------------- */

struct shown {
        struct str makes, drops, notes;
        struct plan_totals totals;
        unsigned fail_after; /* the sink gives up at this op; 0: never */
        unsigned ops;
};

static const char *show_verb(const struct op *op)
{
        switch (op->verb) {
        case OP_MKDIR:
                return "mkdir";
        case OP_PUT:
                return op->was_known ? "reput" : "put";
        case OP_ADOPT:
                return "adopt";
        case OP_TOUCH:
                return "touch";
        case OP_DROP:
                return "drop";
        case OP_DROP_TREE:
                return "droptree";
        case OP_FORGET:
                return "forget";
        case OP_MOVE:
                return "move";
        }
        return "?";
}

static void show_op(struct str *s, const struct op *op)
{
        str_addf(s, "%s%s%s %s", s->len ? "|" : "", show_verb(op), op->after_drop ? "^" : "",
                 op->entry.key);
        if (op->verb == OP_DROP_TREE)
                str_addf(s, " (%" PRIu64 ", %" PRIu64 ")", op->files, op->bytes);
        switch (op->there) {
        case OP_THERE_UNKNOWN:
                break;
        case OP_THERE_NOTHING:
                str_adds(s, " =nothing");
                break;
        case OP_THERE_FILE:
                str_addf(s, " =file %" PRIu64, op->there_size);
                break;
        case OP_THERE_DIR:
                str_adds(s, " =dir");
                break;
        }
}

static int show_made(struct shown *s, struct str *where, const struct op *op)
{
        show_op(where, op);
        return s->fail_after && ++s->ops == s->fail_after ? -ENOSPC : 0;
}

static int show_make(void *userdata, const struct op *op)
{
        return show_made(userdata, &((struct shown *)userdata)->makes, op);
}

static int show_drop(void *userdata, const struct op *op)
{
        return show_made(userdata, &((struct shown *)userdata)->drops, op);
}

static void show_note(void *userdata, enum plan_note note, const char *key, int err,
                      const char *why)
{
        static const char *const names[] = {
                [PLAN_NOTE_UNFIT] = "unfit",
                [PLAN_NOTE_HIDDEN] = "hidden",
                [PLAN_NOTE_UNSEEN] = "unseen",
        };
        struct str *s = &((struct shown *)userdata)->notes;

        check((note == PLAN_NOTE_UNFIT) == (why != NULL));
        str_addf(s, "%s%s %s", s->len ? "|" : "", names[note], key);
        if (err)
                str_addf(s, " %s", tree_errno(err));
}

static void shown_finish(struct shown *s)
{
        str_finish(&s->makes);
        str_finish(&s->drops);
        str_finish(&s->notes);
}

/* `remote` may be NULL. */
static int run(struct shown *s, const struct plan_policy *policy, const char *known_text,
               const char *seen_text, const char *remote_text)
{
        struct plan_sink sink = {
                .make = show_make, .drop = show_drop, .note = show_note, .userdata = s};
        struct tree known, seen, remote;
        struct diff diff;
        int r;

        s->makes = s->drops = s->notes = STR_NULL(1 << 20);
        tree_init(&known, known_text);
        tree_init(&seen, seen_text);
        tree_init(&remote, remote_text ? remote_text : "");
        diff_init(&diff, &known.iter, &seen.iter, 0);
        r = plan_run(policy, &diff, remote_text ? &remote.iter : NULL, &sink, &s->totals);
        diff_finish(&diff);
        tree_finish(&known);
        tree_finish(&seen);
        tree_finish(&remote);
        return r;
}

struct row {
        const char *known;
        const char *seen;
        const char *want;
        const char *remote;
};

static const struct plan_policy usual = {
        .max_delete = 100, .max_delete_percent = 10, .known_total = 1000, .now_ns = 1000};

static void check_row(const struct plan_policy *policy, const struct row *row)
{
        _cleanup_(shown_finish) struct shown s = {0};
        _cleanup_(str_finish) struct str got = STR_NULL(1 << 20);
        int r = run(&s, policy, row->known, row->seen, row->remote);

        str_addf(&got, "%s / %s / %s", str_z(&s.makes), str_z(&s.drops), str_z(&s.notes));
        while (got.len > 0 && strchr(" /", got.s[got.len - 1]))
                str_truncate(&got, got.len - 1);
        if (r < 0)
                str_addf(&got, "!%s", tree_errno(-r));
        if (!str_eq(str_z(&got), row->want))
                check_fail("known <%s> seen <%s>: <%s>, not <%s>", row->known, row->seen,
                           str_z(&got), row->want);
}

static void check_rows(const struct plan_policy *policy, const struct row *rows, size_t n)
{
        for (size_t i = 0; i < n; i++)
                check_row(policy, &rows[i]);
}

/* ---- tables ---------------------------------------------------------------------------------- */

TEST(each_change_is_one_op)
{
        static const struct row rows[] = {
                {"", "d .", ""},
                {"d a|f a/x", "d .|d a|f a/x", ""},
                {"", "d .|d a", "mkdir a"},
                {"", "d .|f a", "put a"},
                {"f a 1", "d .|f a 2", "reput a"},
                {"d a i1", "d .|d a i2", "touch a"},
                {"f a", "d .", " / drop a"},
                {"d a", "d .", " / droptree a (0, 0)"},
                {"f a", "d .|f a x", "forget a"},
                {"d a|f a/x", "d .|d a x", "forget a"},
                {"f a", "d .|o a", " /  / unseen a ELOOP"},
                {"", "d .|o a", ""},
                {"", "d .|f a x", ""},
                {"", "d .|n a !EACCES", " /  / hidden a EACCES"},
        };

        check_rows(&usual, rows, ARRAY_SIZE(rows));
}

TEST(makes_go_down_and_drops_come_after)
{
        static const struct row rows[] = {
                {"", "d .|d a|d a/b|f a/b/x|f a/y|f a!",
                 "mkdir a|mkdir a/b|put a/b/x|put a/y|put a!"},
                {"f a|d c|f c/x|f d", "d .|d b|f b/x", "mkdir b|put b/x / "
                                                       "drop a|droptree c (1, 0)|drop d"},
                {"d a|f a/x|f b 1", "d .|f b 2|f c", "reput b|put c / droptree a (1, 0)"},
        };

        check_rows(&usual, rows, ARRAY_SIZE(rows));
}

TEST(a_folder_that_is_gone_is_one_op)
{
        static const struct row rows[] = {
                {"d a|f a/x 3|d a/y|f a/y/z 4|f b", "d .|f b", " / droptree a (3, 7)"},
                {"d a|f a/x|d b|f b/x|f c", "d .", " / droptree a (1, 0)|droptree b (1, 0)|drop c"},
                {"d a|f a/x|f a!|f ab", "d .", " / droptree a (1, 0)|drop a!|drop ab"},
                {"d a|d a/b|f a/b/x|f a/c", "d .|d a", " / droptree a/b (1, 0)|drop a/c"},
                {"d a|d a/b|f a/b/x", "d .|d a|f a!", "put a! / droptree a/b (1, 0)"},
        };

        check_rows(&usual, rows, ARRAY_SIZE(rows));
}

TEST(what_changed_its_kind_is_dropped_among_the_makes)
{
        static const struct row rows[] = {
                {"d a|f a/x 3|d a/y|f b", "d .|f a|f b", "droptree a (2, 3)|put^ a"},
                {"d a", "d .|f a", "droptree a (0, 0)|put^ a"},
                {"d a|f a/x", "d .|f a|f a!", "droptree a (1, 0)|put^ a|put a!"},
                {"f a", "d .|d a|f a/x", "drop a|mkdir^ a|put a/x"},
                {"f a|d b|f b/x|d c", "d .|d a|f b", "drop a|mkdir^ a|droptree b (1, 0)|put^ b / "
                                                     "droptree c (0, 0)"},
                {"f a", "d .|d a !EACCES", "drop a|mkdir^ a"},
                /* below a folder that could only be read half, too */
                {"d p|d p/a|f p/a/x|f p/b", "d .|d p !EIO|f p/a",
                 "droptree p/a (1, 0)|put^ p/a /  / unseen p EIO"},
        };

        check_rows(&usual, rows, ARRAY_SIZE(rows));
}

/* The file is still being written, the folder is gone for certain. */
TEST(a_young_file_in_a_folders_place_waits)
{
        static const struct plan_policy policy = {
                .max_delete = 100, .known_total = 1000, .now_ns = 1000, .settle_ns = 100};
        static const struct row rows[] = {
                {"d a|f a/x", "d .|f a @950", " / droptree a (1, 0)"},
                {"d a|f a/x", "d .|f a @900", "droptree a (1, 0)|put^ a"},
        };

        check_rows(&policy, rows, ARRAY_SIZE(rows));
}

TEST(what_cannot_be_seen_is_left_alone)
{
        static const struct row rows[] = {
                {"d a|f a/x|d a/y|f a/y/z", "d .|d a !EACCES", " /  / unseen a EACCES"},
                {"d a|f a/x|f a/y|f b", "d .|d a !EIO|f a/y 2",
                 "reput a/y / drop b / unseen a EIO"},
                {"f a|f b", "d . !EIO", " /  / unseen  EIO"},
                {"d a|f a/x", "d .|d a|d a !ESTALE", ""},
                {"", "d .|d a !EACCES|f b", "mkdir a|put b /  / hidden a EACCES"},
                {"d m %2|f m/x|d m/y %2|f m/y/z", "d .|d m|d m/y", " /  / unseen m EXDEV"},
                /* a folder is not removed with a disk in it that has gone away */
                {"d a|f a/l|d a/m %2|f a/m/x %2|f b|d c|f c/x", "d .",
                 " / drop b|droptree c (1, 0) / unseen a/m EXDEV"},
                /* the disk was mounted over a folder: a word for that one */
                {"d a|f a/x %2|f a/y %2", "d .|d a", " /  / unseen a EXDEV"},
                {"f x %2|f y %2", "d .", " /  / unseen x EXDEV|unseen y EXDEV"},
                {"d m %2|d m/x %2|f m/y 1", "d .|d m|f m/x|f m/y 2", " /  / unseen m EXDEV"},
        };

        check_rows(&usual, rows, ARRAY_SIZE(rows));
}

TEST(unseen_entries_are_counted)
{
        _cleanup_(shown_finish) struct shown s = {0};

        check_eq(run(&s, &usual, "d a|f a/x|f a/y|f b", "d .|d a !EIO|o b|n c !EACCES|o e", NULL),
                 0);
        check_eq(s.totals.unseen, 4); /* a, a/x, a/y, c; b was seen to be a special file */
        check_eq(s.totals.omitted, 2); /* c, e */
        check_eq(s.totals.drops, 0);
}

TEST(folders_on_disks_that_are_away_are_counted)
{
        _cleanup_(shown_finish) struct shown s = {0};

        check_eq(run(&s, &usual, "d m %2|f m/x %2|d m/y %2|d n|f n/x|d o %3",
                     "d .|d m|d n !EIO|d o %3", NULL),
                 0);
        check_eq(s.totals.away, 2); /* m, m/y: n is only unreadable, and o is there */
}

TEST(what_cannot_be_mirrored_is_counted)
{
        _cleanup_(shown_finish) struct shown s = {0};

        check_eq(run(&s, &usual, "", "d .|d a\001|f a\001/x|f b\001|d h !EACCES|d i !EIO", NULL),
                 0);
        check_eq(s.totals.omitted, 2); /* a folder once, not what is in it */
        check_eq(s.totals.unseen, 2);
        check_eq(s.totals.mkdirs, 2);
}

TEST(names_that_the_service_cannot_carry)
{
        static const struct row rows[] = {
                {"", "d .|f a\001", " /  / unfit a\001"},
                {"", "d .|f a\xff|f b", "put b /  / unfit a\xff"},
                /* a folder once, not with all that is in it */
                {"", "d .|d a\x7f|f a\x7f/x|d a\x7f/y|f a\x7f/y/z|f b",
                 "put b /  / unfit a\x7f"},
                {"", "d .|d a\n|f a\n/x|d b\n|f b\n/x", " /  / unfit a\n|unfit b\n"},
                {"", "d .|f a\n|f a\nb", " /  / unfit a\n|unfit a\nb"},
                {"", "d .|d a|f a/b\n|f a/c", "mkdir a|put a/c /  / unfit a/b\n"},
        };

        check_rows(&usual, rows, ARRAY_SIZE(rows));
}

/* It would be taken for the remains of an interrupted upload, and be swept from the cloud. */
TEST(files_with_a_wire_name_are_left_alone)
{
        static const struct row rows[] = {
                {"", "d .|f ydsync-upload-0123456789abcdef01234567|f z",
                 "put z /  / unfit ydsync-upload-0123456789abcdef01234567"},
                {"", "d .|d d|f d/ydsync-upload-0123456789abcdef01234567",
                 "mkdir d /  / unfit d/ydsync-upload-0123456789abcdef01234567"},
                {"", "d .|f ydsync-upload-0123456789abcdef0123456",
                 "put ydsync-upload-0123456789abcdef0123456"},
                {"", "d .|d ydsync-upload-0123456789abcdef01234567|"
                     "f ydsync-upload-0123456789abcdef01234567/x",
                 "mkdir ydsync-upload-0123456789abcdef01234567|"
                 "put ydsync-upload-0123456789abcdef01234567/x"},
                /* the folder may be called so, what stands in its place may not */
                {"d ydsync-upload-0123456789abcdef01234567",
                 "d .|f ydsync-upload-0123456789abcdef01234567",
                 " / droptree ydsync-upload-0123456789abcdef01234567 (0, 0) / "
                 "unfit ydsync-upload-0123456789abcdef01234567"},
        };

        check_rows(&usual, rows, ARRAY_SIZE(rows));
}

TEST(never_delete_keeps_what_was_removed_here)
{
        static const struct plan_policy policy = {
                .never_delete = true, .max_delete = 100, .known_total = 1000, .now_ns = 1000};
        static const struct row rows[] = {
                {"f a|d b|f b/x|f c 1", "d .|f c 2", "reput c"},
                /* but what was replaced makes room, into the Trash */
                {"d a|f a/x", "d .|f a", "droptree a (1, 0)|put^ a"},
                {"f a", "d .|d a", "drop a|mkdir^ a"},
        };

        check_rows(&policy, rows, ARRAY_SIZE(rows));
}

TEST(adopting_puts_removals_off)
{
        static const struct plan_policy policy = {
                .adopting = true, .max_delete = 0, .known_total = 1000, .now_ns = 1000};
        static const struct row rows[] = {
                {"f a|d b|f b/x|f c", "d .|f c", ""},
                {"d a|f a/x", "d .|f a", "put a"},
                {"f a", "d .|d a", "mkdir a"},
                {"d a|f a/x", "d .|f a", "put a =dir", "d a|f a/x"},
                {"f a", "d .|d a", "mkdir a =file 5", "f a 5"},
        };

        check_rows(&policy, rows, ARRAY_SIZE(rows));
}

TEST(adopting_deletes_nothing_whatever_is_gone)
{
        struct plan_policy policy = usual;
        _cleanup_(shown_finish) struct shown s = {0};

        policy.adopting = true;
        policy.max_delete = 0;
        policy.max_delete_percent = 0;
        check_eq(run(&s, &policy, "f a|d b|f b/x", "d .", "f a|d b|f b/x"), 0);
        check_eq(s.totals.drops, 0);
        check_eq(s.totals.put_off, 3);
        check_eq(s.totals.id, 0);
        check(!s.totals.held);
}

TEST(what_a_listing_has_shown)
{
        static const struct row rows[] = {
                {"", "d .|f a 5|f b|d c|d d|f e", "put a =file 7|put b =nothing|adopt c =dir|"
                                                  "mkdir d =nothing|put e =dir",
                 "f a 7 #1|d c|f c/x|d e"},
                {"", "d .|d a|f a/x", "mkdir a =file 3|put a/x =nothing", "f a 3"},
                {"", "d .|d a|f a/x|f a!", "adopt a =dir|put a/x =file 1|put a! =file 2",
                 "d a|f a/w|f a/x 1|f a/y|f a! 2"},
                {"", "d .|f b", "put b =nothing", "f a|f c"},
                {"", "d .|f b", "put b =nothing", ""},
                /* only for what is new */
                {"f a 1", "d .|f a 2", "reput a", "f a 9"},
                {"", "d .|f a", "!EIO", "!EIO"},
                {"", "d .|f a|f c", "put a =file 0!EIO", "f a|!EIO"},
        };

        check_rows(&usual, rows, ARRAY_SIZE(rows));
}

/* The listing says what stands there; of what was known the snapshot says it. */
static int take_op(void *userdata, const struct op *op)
{
        *(struct op *)userdata = *op;
        ((struct op *)userdata)->entry.key = "";
        return 0;
}

static struct op one_op(const char *known_text, const char *seen_text, const char *remote_text)
{
        struct op op = {0};
        struct plan_sink sink = {
                .make = take_op, .drop = take_op, .note = show_note, .userdata = &op};
        struct tree known, seen, remote;
        struct plan_totals totals;
        struct diff diff;

        tree_init(&known, known_text);
        tree_init(&seen, seen_text);
        tree_init(&remote, remote_text ? remote_text : "");
        diff_init(&diff, &known.iter, &seen.iter, 0);
        check_eq(plan_run(&usual, &diff, remote_text ? &remote.iter : NULL, &sink, &totals), 0);
        diff_finish(&diff);
        tree_finish(&known);
        tree_finish(&seen);
        tree_finish(&remote);
        return op;
}

TEST(an_op_carries_what_its_flow_needs)
{
        struct op op = one_op("f a 5 #a1 u", "d .|f a 6 @7 i8 %9", NULL);

        check_eq(op.verb, OP_PUT);
        check(op.was_known && op.known_unverified);
        check_eq(op.known_size, 5);
        check_eq(op.known_md5[0], 0xa1);
        check_eq(op.entry.size, 6);
        check_eq(op.entry.stamp.mtime_ns, 7);
        check_eq(op.entry.stamp.ino, 8);
        check_eq(op.entry.stamp.dev, 9);
        check_eq(op.there, OP_THERE_UNKNOWN);

        op = one_op("", "d .|f a 6", "f a 4 #b2");
        check(!op.was_known);
        check_eq(op.there, OP_THERE_FILE);
        check_eq(op.there_size, 4);
        check_eq(op.there_md5[15], 0xb2);

        op = one_op("f a 5 #a1", "d .", NULL);
        check_eq(op.verb, OP_DROP);
        check_eq(op.entry.size, 5);
        check(op.entry.has_md5 && op.entry.md5[3] == 0xa1);

        op = one_op("d a|f a/x 5|d a/d", "d .", NULL);
        check_eq(op.verb, OP_DROP_TREE);
        check(op.was_known && !op.after_drop);
        check_eq(op.files, 2);
        check_eq(op.bytes, 5);

        op = one_op("d a|f a/x 5", "d .|f a 3", NULL);
        check_eq(op.verb, OP_PUT);
        check(!op.was_known && op.after_drop);
        check_eq(op.entry.size, 3);
        check_eq(op.entry.kind, KIND_FILE);
}

/* ---- settling -------------------------------------------------------------------------------- */

TEST(young_files_wait)
{
        static const struct plan_policy policy = {
                .max_delete = 100, .known_total = 1000, .now_ns = 1000, .settle_ns = 100};
        static const struct row rows[] = {
                {"", "d .|f a @899|f b @900|f c @901|f d @1000|f e @1001", "put a|put b|put e"},
                {"f a 1", "d .|f a 2 @950", ""},
                {"f a 1", "d .|f a 2 @900", "reput a"},
                /* what was changed with touch -d long ago, was changed now */
                {"f a", "d .|f a @5 ~950", ""},
                /* folders do not wait */
                {"", "d .|d a @950|f a/x @10", "mkdir a|put a/x"},
                {"", "d .|f a @-5", "put a"},
                {"", "d .|f a @9223372036854775807", "put a"},
                {"", "d .|f a @-9223372036854775808", "put a"},
        };

        check_rows(&policy, rows, ARRAY_SIZE(rows));
}

TEST(without_settling_nothing_waits)
{
        static const struct row rows[] = {{"", "d .|f a @999|f b @1000", "put a|put b"}};

        check_rows(&usual, rows, ARRAY_SIZE(rows));
}

TEST(it_is_said_when_the_youngest_has_settled)
{
        static const struct plan_policy policy = {
                .max_delete = 100, .known_total = 1000, .now_ns = 1000, .settle_ns = 100};
        _cleanup_(shown_finish) struct shown s = {0};

        check_eq(run(&s, &policy, "f b 1", "d .|f a @950|f b 2 @970|f c @960", NULL), 0);
        check_eq(s.totals.young, 3);
        check_eq(s.totals.settled_ns, 1070);
        check_eq(s.totals.puts, 0);
}

/* ---- totals and the brake -------------------------------------------------------------------- */

TEST(totals)
{
        _cleanup_(shown_finish) struct shown s = {0};

        check_eq(run(&s, &usual, "f a 1|d b|f b/x 2|f b/y 3|f c", "d .|f a 10|d d|f d/x 20|d e|o f",
                     NULL),
                 0);
        check_eq(s.totals.seen_files, 2);
        check_eq(s.totals.seen_dirs, 2);
        check_eq(s.totals.mkdirs, 2);
        check_eq(s.totals.puts, 2);
        check_eq(s.totals.put_bytes, 30);
        check_eq(s.totals.drops, 4); /* b with its two files, and c */
        check_eq(s.totals.omitted, 1);
        check(!s.totals.held);
}

/* `files` of the known ones are gone: some in a folder, which counts too. */
static bool held_with(uint64_t gone, bool in_a_folder, uint64_t known_total, uint64_t max,
                      unsigned percent)
{
        _cleanup_(shown_finish) struct shown s = {0};
        _cleanup_(str_finish) struct str known = STR_NULL(1 << 20);
        struct plan_policy policy = {.max_delete = max,
                                     .max_delete_percent = percent,
                                     .known_total = known_total,
                                     .now_ns = 1000};

        for (uint64_t i = in_a_folder; i < gone; i++)
                str_addf(&known, "|f %s%05" PRIu64, in_a_folder ? "d/" : "", i);
        if (in_a_folder) {
                _cleanup_(freep) char *files = str_take(&known);

                str_addf(&known, "d d%s", files);
        }
        check_eq(run(&s, &policy, str_z(&known), "d .", NULL), 0);
        check_eq(s.totals.drops, gone);
        return s.totals.held;
}

TEST(the_brake_takes_both_limits)
{
        for (int in_a_folder = 0; in_a_folder <= 1; in_a_folder++) {
                check(!held_with(100, in_a_folder, 100, 100, 10)); /* 100 is not more than 100 */
                check(held_with(101, in_a_folder, 101, 100, 10));
                check(held_with(101, in_a_folder, 1009, 100, 10));
                check(!held_with(101, in_a_folder, 1010, 100, 10)); /* 10 % is not more than 10 % */
                check(!held_with(101, in_a_folder, 1011, 100, 10));
        }
        check(held_with(1, false, 100, 0, 0));
        check(held_with(2, false, 199, 0, 1));
        check(!held_with(2, false, 200, 0, 1));
        check(!held_with(1, false, 1, 0, 100));
        check(!held_with(0, false, 0, 0, 0));
}

TEST(what_is_replaced_counts_for_the_brake)
{
        struct plan_policy policy = usual;
        _cleanup_(shown_finish) struct shown s = {0};

        policy.max_delete = 3;
        policy.known_total = 10;
        check_eq(run(&s, &policy, "d p|d p/a|f p/a/x|f p/a/y|f q", "d .|d p !EIO|f p/a|d q", NULL),
                 0);
        check_eq(s.totals.drops, 4);
        check(s.totals.held);
}

static uint64_t id_of(const char *known, const char *seen)
{
        _cleanup_(shown_finish) struct shown s = {0};

        check_eq(run(&s, &usual, known, seen, NULL), 0);
        return s.totals.id;
}

TEST(the_id_names_the_set_of_drops)
{
        const struct entry a = {.key = "a", .kind = KIND_FILE};
        static const char *const sets[][2] = {
                {"f a|f b", "d .|f b"},
                {"f a|f b", "d .|f a"},
                {"f a|f b", "d ."},
                {"f ab", "d ."},
                {"f abc", "d ."},
                {"d a|f a/x", "d ."},
                {"d a|f a/x|f a/y", "d ."},
                {"d a|f a/x|f a/y", "d .|d a"},
                {"d a|d a/x|f a/x/y", "d .|d a"},
                {"d a|f a/xy", "d ."},
                {"d ax|f ax/y", "d ."},
                {"f a1|f b2", "d ."},
                {"f a2|f b1", "d ."},
                {"d a1|f b2", "d ."},
                {"f c", "d ."},
                {"d b", "d ."}, /* kinds and letters that could make up for each other */
                {"d c", "d ."},
                {"f b|d c", "d ."},
                {"d b|f c", "d ."},
        };

        for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
                uint64_t id = id_of(sets[i][0], sets[i][1]);

                check(id != 0);
                check(id == id_of(sets[i][0], sets[i][1]));
                for (size_t j = 0; j < i; j++)
                        if (id == id_of(sets[j][0], sets[j][1]))
                                check_fail("sets %zu and %zu have the same id", i, j);
        }
        check_eq(id_of("f a", "d .|f a|f b"), 0);
        /* what is not removed says nothing */
        check(id_of("f a|f b 1|d c", "d .|f b 2|d c|f new") == id_of("f a|f b|d c", "d .|f b|d c"));
        check(id_of("f a 1 @1 #1", "d .") == id_of("f a 2 @2 #2", "d ."));
        /* what has gone of it leaves the rest */
        check(id_of("f a|d b|f b/x", "d .") - plan_share(&a) == id_of("d b|f b/x", "d ."));
        /* a file where the folder was: the same things go */
        check(id_of("d a|f a/x", "d .|f a") == id_of("d a|f a/x", "d ."));
}

/* ---- early ends ------------------------------------------------------------------------------ */

TEST(an_early_end_is_no_plan)
{
        struct plan_totals untouched = {.id = 77};
        _cleanup_(shown_finish) struct shown s = {.totals = untouched};

        check_eq(run(&s, &usual, "f a|f b|f c", "d .|f a|!EIO", NULL), -EIO);
        check_eq(s.totals.id, 77);
        check_str(str_z(&s.drops), "");
}

TEST(a_sink_that_gives_up_ends_it)
{
        static const char known[] = "d a|f a/x|f b|f c 1|f g", seen[] = "d .|f a|d b|f c 2|f d";

        /* droptree a, put a, drop b, mkdir b, reput c, put d, drop g */
        for (unsigned i = 1; i <= 8; i++) {
                _cleanup_(shown_finish) struct shown s = {.fail_after = i};

                check_eq(run(&s, &usual, known, seen, NULL), i < 8 ? -ENOSPC : 0);
                check_eq(s.ops, i < 8 ? i : 7);
        }
}
