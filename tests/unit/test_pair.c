/* SPDX-License-Identifier: MIT */

/*
 * What left and what came, as trees (tree.h), and the waves that follow:
 *
 *      "a/f>b/f c>d | e>c"      two moves, then one; "+b" a folder made, "a>(a)" a parked
 *
 * A key that both left and came was known where it came.  Files come as OP_PUT, folders as OP_MKDIR,
 * or OP_TOUCH where they were known.
 */

#include "lib/core/pair.h"

#include "lib/base/str.h"
#include "tests/unit/check.h"
#include "tests/unit/tree.h"

#include <errno.h>

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

static const char *show_key(const char *key, char ret[64])
{
        if (!pair_is_parked(key))
                return key;
        snprintf(ret, 64, "(%.*s)", (int)entry_key_parent(key), key);
        return ret;
}

/* The moves of a wave, to be told of when it is over; without what is told to fail. */
static char made[8][16];
static size_t n_made;
static const char *fails = "";

static int show(void *userdata, const struct op *op)
{
        struct str *s = userdata;
        char from[64], to[64];

        if (s->len > 0)
                str_addc(s, ' ');
        if (op->verb == OP_MKDIR)
                str_addf(s, "+%s", op->entry.key);
        else
                str_addf(s, "%s>%s", show_key(op->from, from), show_key(op->entry.key, to));
        check(op->verb == OP_MKDIR || op->parks == pair_is_parked(op->entry.key));
        if (op->verb == OP_MOVE && strcmp(op->from, fails) != 0 && n_made < ARRAY_SIZE(made))
                snprintf(made[n_made++], sizeof(made[0]), "%s", op->from);
        return 0;
}

static int wave(struct pairs *p, struct str *shown)
{
        int n;

        n_made = 0;
        n = pair_wave(p, show, shown);
        for (size_t i = 0; i < n_made; i++)
                pair_made(p, made[i]);
        return n;
}

static void feed(struct pairs *p, struct tree *left, struct tree *came)
{
        for (size_t i = 0; i < left->n; i++)
                check(pair_gone(p, &left->items[i]) == 0);
        for (size_t i = 0; i < came->n; i++) {
                const struct entry *e = &came->items[i];
                struct op op = {.entry = *e, .was_known = tree_find(left, e->key)};

                op.verb = e->kind == KIND_FILE ? OP_PUT : op.was_known ? OP_TOUCH : OP_MKDIR;
                op.after_drop = e->flags & ENTRY_EXCLUDED; /* "x" */
                check(pair_came(p, &op) == 0);
        }
        for (size_t i = 0; i < left->n; i++)
                check(pair_left(p, &left->items[i]) == 0);
}

/* What is known to be vain, as "from>to". */
static const char *vain = "";

static bool is_vain(void *userdata _unused_, const char *from, const struct entry *seen)
{
        char text[256], to[64];

        snprintf(text, sizeof(text), "%s>%s", from, show_key(seen->key, to));
        return strcmp(text, vain) == 0;
}

static void pairs_are(const char *left_text, const char *came_text, const char *want)
{
        _cleanup_(str_finish) struct str shown = STR_NULL(100000);
        struct pairs *p = pairs_create(is_vain, NULL);
        struct tree left, came;
        int n;

        require(p);
        tree_init(&left, left_text);
        tree_init(&came, came_text);
        feed(p, &left, &came);
        check(pair_choose(p) == 0);
        while ((n = wave(p, &shown)) > 0)
                str_adds(&shown, " |");
        if (shown.len > 1)
                str_truncate(&shown, shown.len - 2);
        check_str(str_z(&shown), want);
        tree_finish(&left);
        tree_finish(&came);
        pairs_destroy(p);
}

TEST(a_file_by_inode_size_and_time)
{
        pairs_are("f a 5 i7 #c1", "f b 5 i7", "a>b");
        pairs_are("f a 5 i7 #c1", "f b 5 i7 ~9", "a>b"); /* a move stamps ctime */
        pairs_are("f a 5 i7 #c1", "f b 5 i8", "");
        pairs_are("f a 5 i7 #c1", "f b 6 i7", "");
        pairs_are("f a 5 i7 #c1", "f b 5 i7 @9", "");
        pairs_are("f a 5 i7 %2 #c1", "f b 5 i7 %3", ""); /* another disk */
        pairs_are("f a 5 i7 %2 #c1|f b 5 i7 %1 #c1|f c 5 i7 %3 #c1", "f x 5 i7 %3|f y 5 i7 %1|f z 5 i7 %2",
                  "c>x b>y a>z");
        pairs_are("f a 5 i7 #c1", "f a 5 i7", ""); /* it is where it was */
        pairs_are("f a 5 i7", "f b 5 i7", "");           /* its content is not known */
        pairs_are("f a 5 i7 #c1 u", "f b 5 i7", "");     /* nor compared */
        pairs_are("f a 5 i7 #c1", "d b i7", "");
        pairs_are("", "f b 5 i7", "");
        pairs_are("f a 5 i7 #c1", "", "");
}

TEST(each_once)
{
        /* hard links */
        pairs_are("f a 5 i7 #c1|f b 5 i7 #c1", "f c 5 i7|f d 5 i7", "a>c b>d");
        pairs_are("f a 5 i7 #c1", "f c 5 i7|f d 5 i7", "a>c");
        pairs_are("f a 5 i7 #c1|f b 5 i7 #c1", "f c 5 i7", "a>c");
}

TEST(a_folder_shows_what_was_in_it)
{
        pairs_are("d a i1|f a/x 5 i7 #c1", "d b i1|f b/x 5 i7", "a>b");
        pairs_are("d a i1|f a/x 5 i7 #c1", "d b i1|f b/x 5 i7 ~9", "+b a/x>b/x"); /* touched */
        pairs_are("d a i1|f a/x 5 i7 #c1", "d b i1|f b/y 5 i7", "+b a/x>b/y");
        pairs_are("d a i1", "d b i1", "");
        pairs_are("d a i1|f a/x 5 i7 #c1", "d b i1", "");
        pairs_are("d a i1|f a/x 5 i7 #c1", "d b i1|f b/x 5 i8", "");
        pairs_are("d a i1|f a/x 5 i7 #c1", "d b i1|d b/x i7", "");
        pairs_are("d a i1|f a/x 5 i7|f y 5 i8 #c1", "d b i1|f b/x 5 i8", "+b y>b/x");
        /* what is deeper down says nothing of it */
        pairs_are("d a i1|f a/x 5 i7 #c1|f y 5 i8 #c1", "d b i1|f b/c/y 5 i8|f b/x 5 i7", "a>b");
        /* half of it is enough … */
        pairs_are("d a i1|f a/w 1 i2 #c1|f a/x 5 i7 #c1", "d b i1|f b/x 5 i7|f b/y 5 i9", "a>b");
        pairs_are("d a i1|f a/u 1 i3 #c1|f a/w 1 i2 #c1|f a/x 5 i7 #c1", "d b i1|f b/x 5 i7", "a>b");
        /* … and less is not */
        pairs_are("d a i1|f a/u 1 i3 #c1|f a/w 1 i2 #c1|f a/x 5 i7 #c1",
                  "d b i1|f b/x 5 i7|f b/y 5 i9|f b/z 5 i10", "+b a/x>b/x");
}

TEST(what_goes_with_its_folder_does_not_go_alone)
{
        pairs_are("d a i1|d a/b i2|f a/b/x 5 i7 #c1", "d c i1|d c/b i2|f c/b/x 5 i7", "a>c");
        /* what was moved out of it, or into it, is for the next look */
        pairs_are("d a i1|f a/x 5 i7 #c1|f a/y 5 i8 #c1", "d b i1|f b/x 5 i7|f out 5 i8", "a>b");
        pairs_are("d a i1|f a/x 5 i7 #c1|f in 5 i8 #c1", "d b i1|f b/in 5 i8|f b/x 5 i7", "a>b");
        /* and so is what stands where the folder stood */
        pairs_are("d a i1|f a/x 5 i7 #c1|f y 5 i8 #c1", "d a i9|f a/y 5 i8|d b i1|f b/x 5 i7", "a>b");
}

TEST(new_folders_come_first)
{
        pairs_are("f a 5 i7 #c1", "d n i20|d n/m i21|f n/m/a 5 i7|d o i22", "+n +n/m a>n/m/a");
        pairs_are("d a i1|f a/x 5 i7 #c1", "d n i20|d n/b i1|f n/b/x 5 i7", "+n a>n/b");
        /* not where something else is in the way */
        pairs_are("f a 5 i7 #c1", "d n i20 x|f n/a 5 i7", "");
}

TEST(chains_from_their_free_end)
{
        pairs_are("f a 5 i1 #c1|f b 5 i2 #c2|f c 5 i3 #c3", "f b 5 i1|f c 5 i2|f d 5 i3",
                  "c>d | b>c | a>b");
        pairs_are("d a i1|f a/x 5 i7 #c1|d b i2|f b/x 5 i8 #c2",
                  "d b i1|f b/x 5 i7|d c i2|f c/x 5 i8", "b>c | a>b");
        /* the end is not free: an edit stands there */
        pairs_are("f a 5 i1 #c1|f b 5 i2 #c2|f c 5 i3 #c3", "f b 5 i1|f c 5 i2", "");
        pairs_are("f a 5 i1 #c1|f b 5 i2 #c2", "f b 5 i1", "");
        pairs_are("f a 5 i1 #c1|f b 5 i2 #c2", "f a 9 i2|f b 5 i1", ""); /* b went on, and changed */
}

TEST(circles_by_a_parking_place)
{
        pairs_are("f a 5 i1 #c1|f b 5 i2 #c2", "f a 5 i2|f b 5 i1", "b>() | a>b | ()>a");
        pairs_are("f d/a 5 i1 #c1|f d/b 5 i2 #c2", "f d/a 5 i2|f d/b 5 i1",
                  "d/b>(d) | d/a>d/b | (d)>d/a");
        pairs_are("f a 5 i1 #c1|f b 5 i2 #c2|f c 5 i3 #c3", "f a 5 i3|f b 5 i1|f c 5 i2",
                  "c>() | b>c | a>b | ()>a");
        pairs_are("d a i1|f a/x 5 i7 #c1|d b i2|f b/y 5 i8 #c2",
                  "d a i2|f a/y 5 i8|d b i1|f b/x 5 i7", "b>() | a>b | ()>a");
}

TEST(what_does_not_work_is_needed_by_nobody)
{
        const char *chain = "f a 5 i1 #c1|f b 5 i2 #c2", *came = "f b 5 i1|f c 5 i2";

        pairs_are(chain, came, "b>c | a>b");
        fails = "b";
        pairs_are(chain, came, "b>c");
        fails = "b"; /* a circle: it cannot be parked, or not go on from there */
        pairs_are("f a 5 i1 #c1|f b 5 i2 #c2", "f a 5 i2|f b 5 i1", "b>()");
        fails = "a";
        pairs_are("f a 5 i1 #c1|f b 5 i2 #c2", "f a 5 i2|f b 5 i1", "b>() | a>b");
        fails = "";
}

TEST(what_is_known_to_be_vain_is_not_chosen)
{
        const char *left = "f a 5 i1 #c1|f b 5 i2 #c2", *circle = "f a 5 i2|f b 5 i1";

        vain = "a>c";
        pairs_are("f a 5 i7 #c1", "f c 5 i7", "");
        pairs_are("f a 5 i7 #c1", "f c 5 i7|f d 5 i7", "a>d"); /* hard links */
        pairs_are(left, "f b 5 i1|f c 5 i2", "b>c | a>b");
        vain = "b>c";
        pairs_are(left, "f b 5 i1|f c 5 i2", "");
        vain = "a>b";
        pairs_are(left, circle, "");
        vain = "b>()";
        pairs_are(left, circle, "");
        vain = "a>b"; /* a folder: then what is in it goes one by one */
        pairs_are("d a i1|f a/x 5 i7 #c1", "d b i1|f b/x 5 i7", "+b a/x>b/x");
        vain = "";
}

/* Should we be killed while something is parked, the next start looks for it at the same place. */
TEST(the_parking_place_is_the_same_each_time)
{
        struct tree left, came;
        char *seen[2] = {0};

        for (int i = 0; i < 2; i++) {
                struct str shown = STR_NULL(1000);
                struct pairs *p = pairs_create(NULL, NULL);

                require(p);
                tree_init(&left, "f a 5 i1 #c1|f b 5 i2 #c2");
                tree_init(&came, "f a 5 i2|f b 5 i1");
                feed(p, &left, &came);
                check(pair_choose(p) == 0);
                for (int n = 0; n < 3; n++)
                        check(wave(p, &shown) == 1);
                seen[i] = str_take(&shown);
                tree_finish(&left);
                tree_finish(&came);
                pairs_destroy(p);
        }
        check_str(seen[0], seen[1]);
        free(seen[0]);
        free(seen[1]);
}

static int refuse(void *userdata, const struct op *op)
{
        unsigned *left = userdata;

        (void)op;
        return (*left)-- > 0 ? 0 : -ENOSPC;
}

/* A wave that cannot be written down whole is none. */
TEST(a_wave_ends_with_what_its_taker_says)
{
        for (unsigned taken = 0; taken <= 2; taken++) {
                struct pairs *p = pairs_create(NULL, NULL);
                unsigned left = taken;
                struct tree gone, came;

                require(p);
                tree_init(&gone, "f a 5 i7 #c1");
                tree_init(&came, "d n i20|f n/a 5 i7");
                feed(p, &gone, &came);
                check(pair_choose(p) == 0);
                check_eq(pair_wave(p, refuse, &left), taken == 2 ? 2 : -ENOSPC);
                tree_finish(&gone);
                tree_finish(&came);
                pairs_destroy(p);
        }
}

TEST(so_many_and_the_rest_later)
{
        const struct op folder = {.verb = OP_MKDIR, .entry = {.key = "b", .kind = KIND_DIR}};
        struct pairs *p = pairs_create(NULL, NULL);
        char from[32], to[32];

        require(p);
        check(pair_came(p, &folder) == 0);
        for (int pass = 0; pass < 3; pass++)
                for (int i = 0; i < PAIR_MOST + 500; i++) {
                        struct entry e = {.key = from, .kind = KIND_FILE, .size = 5,
                                          .has_md5 = true, .stamp.ino = (uint64_t)i + 1};
                        struct op op = {.verb = OP_PUT, .entry = e};

                        snprintf(from, sizeof(from), "a%06d", i);
                        snprintf(to, sizeof(to), "b/%06d", i);
                        op.entry.key = to;
                        check((pass == 0   ? pair_gone(p, &e)
                               : pass == 1 ? pair_came(p, &op)
                                           : pair_left(p, &e)) == 0);
                }
        check(pair_choose(p) == 0);
        check_eq(pair_count(p), PAIR_MOST);
        pairs_destroy(p);
}
