/* SPDX-License-Identifier: MIT */

/*
 * Rows of three lines: what was known, what is seen, what differs.  A change is shown as
 *
 *      = a          seen as known              - a          gone
 *      + a          new                        ? a EIO      unseen; "?? a EIO" with what was seen
 *      ~ a          modified                   x a          excluded
 *      t a          retyped                    o a          omitted, "o a EIO" with an errno
 *
 * and an early end as "!EIO".
 */

#include "lib/core/diff.h"

#include "tests/unit/check.h"
#include "tests/unit/tree.h"

#include <errno.h>

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

struct row {
        const char *known;
        const char *seen;
        const char *want;
        uint64_t root_dev; /* of the snapshot */
};

/* What the header promises of the two sides and the errno, kind by kind. */
static void check_sides(const struct change *c)
{
        bool ok = false;

        switch (c->kind) {
        case CHANGE_NONE:
        case CHANGE_MODIFIED:
        case CHANGE_RETYPED:
        case CHANGE_EXCLUDED:
                ok = c->seen && c->known && c->err == 0;
                break;
        case CHANGE_NEW:
                ok = c->seen && !c->known && (c->err == 0 || c->seen->kind == KIND_DIR);
                break;
        case CHANGE_GONE:
                ok = !c->seen && c->known && c->err == 0;
                break;
        case CHANGE_UNSEEN:
                ok = c->known && c->err > 0;
                break;
        case CHANGE_OMITTED:
                ok = c->seen && !c->known;
                break;
        }
        if (!ok)
                check_fail("change %d: seen %d, known %d, err %d", (int)c->kind, c->seen != NULL,
                           c->known != NULL, c->err);
        if (c->seen && c->known)
                check_str(c->seen->key, c->known->key);
}

static void show(struct str *s, const struct change *c)
{
        static const char *const signs[] = {
                [CHANGE_NONE] = "=",    [CHANGE_NEW] = "+",      [CHANGE_MODIFIED] = "~",
                [CHANGE_RETYPED] = "t", [CHANGE_GONE] = "-",     [CHANGE_UNSEEN] = "?",
                [CHANGE_EXCLUDED] = "x", [CHANGE_OMITTED] = "o",
        };

        check_sides(c);
        str_addf(s, "%s%s%s %s", s->len ? "|" : "", signs[c->kind],
                 c->kind == CHANGE_UNSEEN && c->seen ? "?" : "",
                 c->seen ? c->seen->key : c->known->key);
        if (c->err)
                str_addf(s, " %s", tree_errno(c->err));
}

static void check_row_so(const struct row *row, bool seeks)
{
        _cleanup_(str_finish) struct str got = STR_NULL(65536);
        struct tree known, seen;
        struct diff diff;
        struct change c;
        int r;

        tree_init(&known, row->known);
        tree_init(&seen, row->seen);
        if (seeks)
                tree_seeks(&known);
        diff_init(&diff, &known.iter, &seen.iter, row->root_dev);
        while ((r = diff_next(&diff, &c)) > 0)
                show(&got, &c);
        if (r == 0) { /* the end stays the end, and nobody is asked again */
                known.end = seen.end = -EIO;
                check_eq(diff_next(&diff, &c), 0);
        }
        if (r < 0)
                str_addf(&got, "%s!%s", got.len ? "|" : "", tree_errno(-r));
        if (!str_eq(str_z(&got), row->want))
                check_fail("known <%s> seen <%s>: <%s>, not <%s>", row->known, row->seen,
                           str_z(&got), row->want);
        diff_finish(&diff);
        tree_finish(&known);
        tree_finish(&seen);
}

static void check_row(const struct row *row)
{
        check_row_so(row, false);
        check_row_so(row, true);
}

static void check_rows(const struct row *rows, size_t n)
{
        for (size_t i = 0; i < n; i++)
                check_row(&rows[i]);
}

TEST(every_kind_of_change)
{
        static const struct row rows[] = {
                {"", "d .", ""},
                {"f a", "d .|f a", "= a"},
                {"", "d .|f a", "+ a"},
                {"", "d .|d a", "+ a"},
                {"f a", "d .", "- a"},
                {"d a", "d .", "- a"},
                {"f a 1", "d .|f a 2", "~ a"},
                {"f a @1", "d .|f a @2", "~ a"},
                {"f a @1 ~1", "d .|f a @1 ~2", "~ a"},
                {"f a i1", "d .|f a i2", "~ a"},
                {"f a r", "d .|f a", "~ a"},
                {"f a u", "d .|f a", "= a"},
                {"f a #1", "d .|f a", "= a"},
                {"d a", "d .|d a", "= a"},
                {"d a @1", "d .|d a @2", "= a"}, /* something in it changed: its own rows tell */
                {"d a i1", "d .|d a i2", "~ a"},
                {"f a", "d .|d a", "t a"},
                {"d a", "d .|f a", "t a"},
                {"", "d .|o a", "o a"},
                {"", "d .|n a !EACCES", "o a EACCES"},
                {"", "d .|f a x", "o a"},
                {"f a", "d .|f a x", "x a"},
                {"f a", "d .|o a", "?? a ELOOP"},
                {"d a", "d .|o a", "?? a ELOOP"},
                {"f a", "d .|n a !EACCES", "?? a EACCES"},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

TEST(both_sides_in_step)
{
        static const struct row rows[] = {
                {"f a|f b|f c", "d .|f b|f d", "- a|= b|- c|+ d"},
                {"f b", "d .|f a|f b|f c", "+ a|= b|+ c"},
                {"d a|f a/x|f b", "d .|f b", "- a|- a/x|= b"},
                {"f b", "d .|d a|f a/x|f b", "+ a|+ a/x|= b"},
                {"d a|f a/x|d a/y|f a/y/z", "d .|d a|f a/x|d a/y|f a/y/z",
                 "= a|= a/x|= a/y|= a/y/z"},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

/* '!' sorts before '/' as a byte; in tree order a folder's children come right after it. */
TEST(tree_order)
{
        static const struct row rows[] = {
                {"d a|f a/b|f a!", "d .|d a|f a/b|f a!", "= a|= a/b|= a!"},
                {"d a|f a/b|f a!", "d .|d a|f a!", "= a|- a/b|= a!"},
                {"d a|f a!", "d .|d a|f a/b|f a!", "= a|+ a/b|= a!"},
                {"d a|f a/b|f a-|f ab", "d .", "- a|- a/b|- a-|- ab"},
                {"", "d .|f a!|d a|f a/b", "+ a!|!EILSEQ"},
                {"", "d .|d a|f a!|f a/b", "+ a|+ a!|!EILSEQ"},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

TEST(unreadable_folders_hide_what_is_in_them)
{
        static const struct row rows[] = {
                {"d a|f a/x|d a/y|f a/y/z|f b", "d .|d a !EACCES|f b",
                 "?? a EACCES|? a/x EACCES|? a/y EACCES|? a/y/z EACCES|= b"},
                /* read half: what was shown counts */
                {"d a|f a/x|f a/y|f a/z", "d .|d a !EIO|f a/w|f a/y 2",
                 "?? a EIO|+ a/w|? a/x EIO|~ a/y|? a/z EIO"},
                {"d a|f a/x|f a!", "d .|d a !EIO", "?? a EIO|? a/x EIO|- a!"},
                {"d a|f a/x|f ab", "d .|d a !EIO", "?? a EIO|? a/x EIO|- ab"},
                {"d a|f a/x", "d .|n a !EIO", "?? a EIO|? a/x EIO"},
                {"d a|f a/x", "d .|o a", "?? a ELOOP|? a/x ELOOP"},
                {"f a|f b", "d . !EIO|f a", "= a|? b EIO"},
                {"d a|f a/x|f b", "d . !EACCES", "? a EACCES|? a/x EACCES|? b EACCES"},
                /* one within another: the outer one covers */
                {"d a|d a/b|f a/b/c|f a/d", "d .|d a !EIO|d a/b !EACCES",
                 "?? a EIO|?? a/b EACCES|? a/b/c EIO|? a/d EIO"},
                {"d a|d a/b|f a/b/c|d b|f b/c", "d .|d a|d a/b !EIO|d b !EACCES",
                 "= a|?? a/b EIO|? a/b/c EIO|?? b EACCES|? b/c EACCES"},
                {"", "d .|d a !EACCES", "+ a EACCES"},
                {"f a", "d .|d a !EACCES", "t a"},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

/* A row without the row of its folder is nothing the snapshot should have; but it happens below
 * something that cannot be seen, and nothing follows from that. */
TEST(what_is_new_and_unreadable_hides_rows_too)
{
        static const struct row rows[] = {
                {"f a/x|f b", "d .|d a !EACCES|f b", "+ a EACCES|? a/x EACCES|= b"},
                {"f a/x|f b", "d .|n a !EIO|f b", "o a EIO|? a/x EIO|= b"},
                {"f a/x|f b", "d .|o a|f b", "o a|? a/x ELOOP|= b"},
                {"f a/x|f b", "d .|d a x|f b", "o a|= b"},
                {"f a|f a/x|f b", "d .|d a !EIO|f b", "t a|? a/x EIO|= b"},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

TEST(excluded_folders_are_told_of_once)
{
        static const struct row rows[] = {
                {"d a|f a/x|d a/y|f a/y/z|f b", "d .|d a x|f b", "x a|= b"},
                {"d a|f a/x|f a!", "d .|d a x|f a!", "x a|= a!"},
                {"f a|f b", "d .|f a x|o b x", "x a|x b"},
                {"d a|d a/b|f a/b/c|f a/d", "d .|d a|d a/b x", "= a|x a/b|- a/d"},
                {"f a", "d .|d a x", "x a"},
                {"d a|f a/x", "d .|f a x", "x a"},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

/* The second entry of a folder that was moved away while it was walked. */
TEST(a_folder_moved_away_under_the_walk)
{
        static const struct row rows[] = {
                {"d a|f a/x|f a/y|f b", "d .|d a|f a/x|d a !ESTALE|f b",
                 "= a|= a/x|? a/y ESTALE|= b"},
                {"d a|d a/b|f a/b/c|f a/d|f e", "d .|d a|d a/b|d a/b !ESTALE|d a !ESTALE|f e",
                 "= a|= a/b|? a/b/c ESTALE|? a/d ESTALE|= e"},
                {"d a|d a/b|f a/b/c|f a/d", "d .|d a|d a/b|d a !ESTALE",
                 "= a|= a/b|? a/b/c ESTALE|? a/d ESTALE"},
                /* an excluded folder within it has been told of */
                {"d a|d a/b|f a/b/c|f a/d", "d .|d a|d a/b x|d a !ESTALE",
                 "= a|x a/b|? a/b/c ESTALE|? a/d ESTALE"},
                {"d a|f a/x", "d .|d a|d a !ESTALE", "= a|? a/x ESTALE"},
                {"d a|f a/x|f b", "d .|d a|f a/x|d . !ESTALE", "= a|= a/x|? b ESTALE"},
                {"f a", "d .|d . !ESTALE", "? a ESTALE"},
                {"f a", "d .|d .", "!EILSEQ"},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

TEST(a_side_that_ends_early)
{
        static const struct row rows[] = {
                {"f a|f b", "d .|f a|!EIO", "= a|!EIO"},
                {"f a|f b", "d .|!ECANCELED", "!ECANCELED"},
                {"f a|f b", "!ENOMEM", "!ENOMEM"},
                {"f a|!EIO", "d .|f a|f b", "= a|!EIO"},
                {"!EBADMSG", "d .|f b", "!EBADMSG"},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

TEST(out_of_order_nothing_is_concluded)
{
        static const struct row rows[] = {
                {"f a|f b", "d .|f b|f a", "- a|= b|!EILSEQ"},
                {"f a", "d .|f a|f a", "= a|!EILSEQ"},
                {"f a", "d .|d b|f b/x|d a", "- a|+ b|+ b/x|!EILSEQ"},
                /* an early entry again, with an error, but not one of a folder it is in */
                {"f a|f b|f c", "d .|f b|d a !ESTALE", "- a|= b|!EILSEQ"},
                {"d c|f c/x|f d", "d .|d b|d c !EIO|d b !ESTALE", "+ b|?? c EIO|!EILSEQ"},
                /* a side that never showed the watched folder has not looked */
                {"f a", "", "!EILSEQ"},
                {"f a", "f a", "!EILSEQ"},
                {"", "", "!EILSEQ"},
                {"f a", "f a|d .", "!EILSEQ"},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

/* The snapshot has 0 for the device of the watched folder itself. */
TEST(a_nested_mount_that_went_or_came)
{
        static const struct row rows[] = {
                {"d a|f a/x", "d . %1|d a %1|f a/x %1", "= a|= a/x", 1},
                {"d m %2|f m/x", "d . %1|d m %2|f m/x", "= m|= m/x", 1},
                /* gone: its folder is empty, on the watched folder's own device */
                {"d m %2|f m/x %2|f z", "d . %1|d m %1|f z", "?? m EXDEV|? m/x EXDEV|= z", 1},
                /* come, over a folder that was mirrored */
                {"d m|f m/x", "d . %1|d m %2", "?? m EXDEV|? m/x EXDEV", 1},
                /* another disk in the same place */
                {"d m %2|f m/x", "d . %1|d m %3", "?? m EXDEV|? m/x EXDEV", 1},
                /* deep down */
                {"d a|d a/m %2|f a/m/x|f a/n", "d . %1|d a %1|d a/m %1|f a/n",
                 "= a|?? a/m EXDEV|? a/m/x EXDEV|= a/n", 1},
                /* no device of the watched folder is known yet: the relation is, all the same */
                {"d a|d m %2|f m/x %2", "d . %1|d a %1|d m %3", "= a|~ m|- m/x", 0},
                {"d m %2|f m/x", "d . %1|d m %1", "?? m EXDEV|? m/x EXDEV", 0},
                {"d m|f m/x", "d . %1|d m %2", "?? m EXDEV|? m/x EXDEV", 0},
                /* made by a run that was killed: its row was written without a look at it */
                {"d m i0|f m/x i0", "d . %1|d m %2|f m/x %2|f m/y %2", "~ m|~ m/x|+ m/y", 1},
                {"d m i0|f m/x %2", "d . %1|d m %1", "~ m|? m/x EXDEV", 1},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

/* What stands there is not what was mirrored: it neither replaces nor removes that. */
TEST(below_a_foreign_device_nothing_known_is_touched)
{
        static const struct row rows[] = {
                {"d m %2|f m/x 1", "d . %1|d m %1|f m/x 2", "?? m EXDEV|? m/x EXDEV", 1},
                {"d m %2|f m/x", "d . %1|d m %1|f m/x", "?? m EXDEV|? m/x EXDEV", 1},
                {"d m %2|d m/a %2|f m/a/x", "d . %1|d m %1|f m/a",
                 "?? m EXDEV|? m/a EXDEV|? m/a/x EXDEV", 1},
                {"d m %2|f m/a", "d . %1|d m %1|d m/a %1|f m/a/x",
                 "?? m EXDEV|? m/a EXDEV|o m/a/x EXDEV", 1},
                {"d m %2|f m/a", "d . %1|d m %1|d m/a %1|d m/a/x|f m/a/x/y|f m/b",
                 "?? m EXDEV|? m/a EXDEV|o m/a/x EXDEV|o m/a/x/y EXDEV|+ m/b", 1},
                {"d m %2|d m/a %2|f m/a/x", "d . %1|d m %1|d m/a %1",
                 "?? m EXDEV|? m/a EXDEV|? m/a/x EXDEV", 1},
                {"d m %2|f m/x", "d . %1|d m %1|o m/x", "?? m EXDEV|? m/x EXDEV", 1},
                {"d m %2|f m/x", "d . %1|d m %1|f m/x x", "?? m EXDEV|x m/x", 1},
                {"d m %2", "d . %1|d m %1|f m/new", "?? m EXDEV|+ m/new", 1},
                {"d m %2|f m/x", "d . %1|d m %1 !EIO", "?? m EXDEV|? m/x EXDEV", 1},
                /* inside a folder that could only be read half */
                {"d a|d a/m %2|f a/m/x 1|f a/n", "d . %1|d a %1 !EIO|d a/m %1|f a/m/x 2",
                 "?? a EIO|?? a/m EXDEV|? a/m/x EXDEV|? a/n EIO", 1},
                {"d m %2|f m/x 1|f n 1", "d . %1|d m %1|f m/x 2|f n 2",
                 "?? m EXDEV|? m/x EXDEV|~ n", 1},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

/* What was on a disk went with it, wherever that was mounted; on the watched folder's own device
 * nothing of it is missing. */
TEST(what_went_with_its_disk_is_not_gone)
{
        static const struct row rows[] = {
                /* it was mounted over a mirrored folder */
                {"d m|f m/a|f m/x %2", "d . %1|d m %1|f m/a %1", "= m|= m/a|? m/x EXDEV", 1},
                {"d m|f m/a|d m/y %2|f m/y/z %2|f n", "d . %1|d m %1",
                 "= m|- m/a|? m/y EXDEV|? m/y/z EXDEV|- n", 1},
                {"d m|d m/y|f m/y/x %2|f m/y/z", "d . %1|d m %1|d m/y %1",
                 "= m|= m/y|? m/y/x EXDEV|- m/y/z", 1},
                /* … and the machine was started anew */
                {"d m|f m/x %2", "d . %2|d m %2", "= m|? m/x EXDEV", 1},
                /* the place it was mounted at went with it */
                {"d m %2|f m/x %2|f n", "d . %1", "? m EXDEV|? m/x EXDEV|- n", 1},
                {"d a|d a/m %2|f a/m/x %2|f a/n", "d . %1|d a %1",
                 "= a|? a/m EXDEV|? a/m/x EXDEV|- a/n", 1},
                {"d a|f a/l|d a/m %2|f a/m/x %2|f b", "d . %1",
                 "- a|- a/l|? a/m EXDEV|? a/m/x EXDEV|- b", 1},
                /* the rows of files keep the number of a disk that got another since */
                {"d m %8|f m/x %2|f m/y %8", "d . %1|d m %8", "= m|- m/x|- m/y", 1},
                {"d m %8|d m/a %8|f m/a/x %2", "d . %1|d m %8", "= m|- m/a|- m/a/x", 1},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

/* A row whose folder has none. */
TEST(a_row_alone_is_no_proof)
{
        static const struct row rows[] = {
                {"f a/x %2|f b", "d .|f b", "? a/x EXDEV|= b", 0},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

TEST(devices_renumbered_by_a_reboot)
{
        static const struct row rows[] = {
                /* no alarm: the watched folder's own number changed, and all with it */
                {"d a|f a/x", "d . %9|d a %9|f a/x", "= a|= a/x", 1},
                {"d a|f a/x", "d . %9|d a %9", "= a|- a/x", 1},
                /* a nested mount that is still one */
                {"d m %2|f m/x %2", "d . %9|d m %8", "~ m|- m/x", 1},
                /* gone, or come, while the machine was down */
                {"d m %2|f m/x", "d . %9|d m %9", "?? m EXDEV|? m/x EXDEV", 1},
                {"d m|f m/x", "d . %9|d m %8", "?? m EXDEV|? m/x EXDEV", 1},
                /* the disks have changed numbers, so that equal ones mean nothing */
                {"d m %2|f m/x", "d . %2|d m %2", "?? m EXDEV|? m/x EXDEV", 1},
                {"d m|f m/x", "d . %2|d m %1", "?? m EXDEV|? m/x EXDEV", 1},
                {"d m %2|f m/x", "d . %2|d m %1|f m/x", "~ m|= m/x", 1},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

TEST(the_own_device_is_shown_as_0)
{
        struct tree known, seen;
        struct diff diff;
        struct change c;

        tree_init(&known, "");
        tree_init(&seen, "d . %7|f a %7|d m %8");
        diff_init(&diff, &known.iter, &seen.iter, 7);
        check(diff_next(&diff, &c) == 1 && c.seen->stamp.dev == 0);
        check(diff_next(&diff, &c) == 1 && c.seen->stamp.dev == 8);
        check_eq(diff_next(&diff, &c), 0);
        diff_finish(&diff);
        tree_finish(&known);
        tree_finish(&seen);
}

/* A file stands where a folder was: what was in that is gone, whatever covers the two. */
TEST(a_retyped_folder_has_lost_what_was_in_it)
{
        static const struct row rows[] = {
                {"d a|f a/x|d a/y|f a/y/z|f b", "d .|f a|f b", "t a|- a/x|- a/y|- a/y/z|= b"},
                {"d p|d p/a|f p/a/x|f p/b", "d .|d p !EIO|f p/a",
                 "?? p EIO|t p/a|- p/a/x|? p/b EIO"},
                {"d a|f a/x", "d . !EIO|f a", "t a|- a/x"},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

TEST(a_link_in_the_place_of_something)
{
        static const struct row rows[] = {
                {"f a|f b", "d .|o a|f b", "?? a ELOOP|= b"},
                {"d a|f a/x|f b", "d .|o a|f b", "?? a ELOOP|? a/x ELOOP|= b"},
                {"f a", "d .|o a !EACCES", "?? a ELOOP"},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

static void nest(struct tree *t, unsigned depth, bool seen)
{
        _cleanup_(str_finish) struct str key = STR_NULL(1 << 20);
        struct entry e = {.key = "", .kind = KIND_DIR};

        tree_init(t, "");
        if (seen)
                tree_add(t, &e);
        for (unsigned i = 0; i < depth; i++) {
                str_adds(&key, key.len ? "/dir" : "dir");
                e.key = str_z(&key);
                tree_add(t, &e);
        }
}

TEST(deep_nesting)
{
        struct tree known, seen;
        struct diff diff;
        struct change c;
        unsigned same = 0, gone = 0;

        nest(&known, 1000, false);
        nest(&seen, 500, true);
        diff_init(&diff, &known.iter, &seen.iter, 1);
        while (diff_next(&diff, &c) > 0) {
                same += c.kind == CHANGE_NONE;
                gone += c.kind == CHANGE_GONE;
        }
        check_eq(same, 500);
        check_eq(gone, 500);
        diff_finish(&diff);
        tree_finish(&known);
        tree_finish(&seen);
}

/* A disk that is mounted below: it was looked whose number that is. */
TEST(disks_below_are_told_by_what_they_are)
{
        static const struct {
                const char *known, *seen, *want;
                struct diff_mount mounts[2];
                uint64_t root_dev;
        } rows[] = {
                /* the same disk under another number, the watched folder's unchanged */
                {"d m %8|f m/a 1 %8", "d . %1|d m %9|f m/a 1 %9", "~ m|= m/a", {{8, 9}}, 1},
                /* … and both changed */
                {"d m %8|f m/a 1 %8", "d . %2|d m %9|f m/a 1 %9", "~ m|= m/a", {{8, 9}}, 1},
                /* another disk under the same number */
                {"d m %8|f m/a 1 %8", "d . %1|d m %8", "?? m EXDEV|? m/a EXDEV", {{8, 0}}, 1},
                {"d m %8|f m/a 1 %8", "d . %2|d m %8", "?? m EXDEV|? m/a EXDEV", {{8, 0}}, 1},
                /* the two have changed places */
                {"d m %8|d n %9", "d . %1|d m %9|d n %8", "~ m|~ n", {{8, 9}, {9, 8}}, 1},
                /* a number that two disks had: the one that is there counts */
                {"d m %8|f m/a 1 %8", "d . %1|d m %8", "= m|- m/a", {{8, 0}, {8, 8}}, 1},
                /* nothing is said of it: as before */
                {"d m %8|f m/a 1 %8", "d . %1|d m %9", "?? m EXDEV|? m/a EXDEV", {{7, 9}}, 1},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct tree known, seen;
                _cleanup_(str_finish) struct str got = STR_NULL(1 << 16);
                struct change c;
                struct diff diff;
                int r;

                tree_init(&known, rows[i].known);
                tree_init(&seen, rows[i].seen);
                diff_init(&diff, &known.iter, &seen.iter, rows[i].root_dev);
                diff_set_mounts(&diff, rows[i].mounts, ARRAY_SIZE(rows[i].mounts));
                while ((r = diff_next(&diff, &c)) > 0)
                        show(&got, &c);
                check_eq(r, 0);
                check_str(str_z(&got), rows[i].want);
                diff_finish(&diff);
                tree_finish(&known);
                tree_finish(&seen);
        }
}

/* Of what was not looked into nothing is said, neither of the folder nor of what is in it. */
TEST(what_was_not_looked_into_is_passed_over)
{
        static const struct row rows[] = {
                {"d a|f a/x|d b|f b/y|f z", "d . p|d b|f b/y 2", "= b|~ b/y", 0},
                {"d a|f a/x|d b|f b/y|f z", "d . p|d b", "= b|- b/y", 0},
                {"d a|f a/x|d b|f b/y|f z", "d .|d a p|d b p|f z", "= a|= b|= z", 0},
                {"d a|f a/x|d b|f b/y|f z", "d .|d a p", "= a|- b|- b/y|- z", 0},
                {"d a|f a/x|d b|f b/y|f z", "d .|d a p i7|d b p i8", "= a|= b|- z", 0},
                /* on the way to what was */
                {"d a|f a/1|d a/b|f a/b/x|f a/c|f z", "d . p|d a p|d a/b|f a/b/x 2",
                 "= a|= a/b|~ a/b/x", 0},
                {"d a|f a/1|d a/b|d a/b/c|f a/b/c/d|f a/c|f z", "d . p|d a p|d a/b",
                 "= a|= a/b|- a/b/c|- a/b/c/d", 0},
                {"d a|f a/1|d a/b|f a/b/x|f a/c|f z", "d . p|d a p", "= a", 0},
                {"d a|f a/1|d a/b|f a/b/x|f a/c|f z", "d . p", "", 0},
                {"d a|d a/b|d a/b/c|f a/b/c/1|f a/b/d|f a/e|d f|f f/1",
                 "d . p|d a p|d a/b p|d a/b/c|d f", "= a|= a/b|= a/b/c|- a/b/c/1|= f|- f/1", 0},
                /* new, or another kind of thing */
                {"f z", "d .|d a p", "+ a|- z", 0},
                {"d a|f a/x|d b", "d .|f a|d b p", "t a|- a/x|= b", 0},
                {"f a|d b|f b/x", "d .|d a p|d b p", "t a|= b", 0},
                {"d a|f a/x|f z", "d .|o a|f z", "?? a ELOOP|? a/x ELOOP|= z", 0},
                {"d a|f a/x|d b|f b/1", "d .|d a x|d b p", "x a|= b", 0},
                /* on another disk */
                {"d a|f a/x|d b|f b/x", "d . %1 p|d b %2 p", "?? b EXDEV", 1},
                /* which could not be read */
                {"d a|f a/x|d b|f b/x", "d . p|d b !EIO", "?? b EIO|? b/x EIO", 0},
                {"d a|f a/x|d b|f b/x", "d . p !EIO", "", 0},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}
