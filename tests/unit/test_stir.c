/* SPDX-License-Identifier: MIT */

/*
 * Which folders a scan looks at, and that it comes to the same as a scan of everything, where it looks.
 */

#include "lib/core/stir.h"

#include "daemon/watched.h"
#include "lib/base/str.h"
#include "lib/core/diff.h"
#include "tests/unit/check.h"
#include "tests/unit/seed.h"
#include "tests/unit/tree.h"

#include <inttypes.h>
#include <stdio.h>

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

TEST(what_is_needed_of_a_folder)
{
        struct stir s = {0};

        check(stir_is_empty(&s));
        check_eq(stir_need(&s, ""), STIR_NOTHING);
        stir_add(&s, "a/b/c", false);
        stir_add(&s, "a/b!", true);
        stir_add(&s, "d", false);
        stir_add(&s, "d", true);
        stir_add(&s, "d", false);
        check_eq(s.n, 3);
        check_eq(stir_need(&s, ""), STIR_THROUGH);
        check_eq(stir_need(&s, "a"), STIR_THROUGH);
        check_eq(stir_need(&s, "a/b"), STIR_THROUGH);
        check_eq(stir_need(&s, "a/b/c"), STIR_ITSELF);
        check_eq(stir_need(&s, "a/b/c/d"), STIR_NOTHING);
        check_eq(stir_need(&s, "a/b!"), STIR_WHOLE);
        check_eq(stir_need(&s, "a/b\x01"), STIR_NOTHING);
        check_eq(stir_need(&s, "d"), STIR_WHOLE);
        check_eq(stir_need(&s, "d/e/f"), STIR_WHOLE);
        check_eq(stir_need(&s, "dd"), STIR_NOTHING);
        stir_add(&s, "", false);
        check_eq(stir_need(&s, ""), STIR_ITSELF);
        stir_add_all(&s);
        check(!stir_is_empty(&s));
        check_eq(stir_need(&s, "dd"), STIR_WHOLE);
        stir_finish(&s);
        check(stir_is_empty(&s));
}

static void check_through(const struct stir *s, const char *key, const char *expected)
{
        _cleanup_(str_finish) struct str text = STR_NULL(4096);
        const char *name;
        size_t at = 0, len;

        while (stir_through(s, key, &at, &name, &len))
                str_addf(&text, "<%.*s>", (int)len, name);
        check_str(str_z(&text), expected);
}

TEST(the_names_that_lead_on)
{
        struct stir s = {0};

        check_through(&s, "", "");
        stir_add(&s, "a/b/c", false);
        stir_add(&s, "a/b/d/e", false);
        stir_add(&s, "a/bc", false);
        stir_add(&s, "f", false);
        stir_add(&s, "a", false);
        check_through(&s, "", "<a><f>");
        check_through(&s, "a", "<b><bc>");
        check_through(&s, "a/b", "<c><d>");
        check_through(&s, "a/b/c", "");
        check_through(&s, "b", "");
        stir_finish(&s);
}

TEST(too_many_are_all)
{
        struct stir s = {0}, other = {0};
        char key[16];

        for (int i = 0; i < STIR_MAX; i++) {
                snprintf(key, sizeof(key), "%d", i);
                stir_add(&s, key, false);
        }
        check(!s.all);
        check_eq(s.n, STIR_MAX);
        stir_add(&s, "7", true); /* is there */
        check(!s.all);
        stir_merge(&other, &s);
        check_eq(other.n, STIR_MAX);
        stir_add(&s, "one more", false);
        check(s.all);
        check_eq(s.n, 0);
        stir_merge(&other, &s);
        check(other.all);
        stir_add(&other, "a", false);
        check_eq(other.n, 0);
        stir_finish(&s);
        stir_finish(&other);
}

/* ---- the same as a scan of everything, where it looks ------------------------------------------- */

/* A tree of folders a, b, c and files x, y, z, three deep; with `other`, changed in places. */
static void tree_grow(struct tree *t, struct seed *seed, const char *dir, int depth, bool other)
{
        static const char *const names[] = {"a", "b", "c", "x", "y", "z"};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                struct entry e = {.kind = i < 3 ? KIND_DIR : KIND_FILE, .stamp = {1, 1, i + 1, 0}};
                char key[64];

                check(snprintf(key, sizeof(key), "%s%s%s", dir, *dir ? "/" : "", names[i]) <
                      (int)sizeof(key));
                if (seed_chance(seed, 5))
                        e.kind = e.kind == KIND_DIR ? KIND_FILE : KIND_DIR;
                if (seed_chance(seed, 40) || (e.kind == KIND_DIR && depth == 3))
                        continue;
                if (other && seed_below(seed, 5) == 0)
                        e.stamp.mtime_ns = 2;
                e.key = key;
                tree_add(t, &e);
                if (e.kind == KIND_DIR)
                        tree_grow(t, seed, key, depth + 1, other);
        }
}

static void stir_some(struct stir *s, struct seed *seed, const struct tree *t)
{
        for (size_t i = 0; i < t->n; i++)
                if (t->items[i].kind == KIND_DIR && seed_below(seed, 6) == 0)
                        stir_add(s, t->items[i].key, seed_below(seed, 3) == 0);
        if (seed_below(seed, 5) == 0 || stir_is_empty(s))
                stir_add(s, "", false);
}

/* What a walk would show of the tree (walk.h). */
static bool is_shown(const struct stir *s, const struct entry *e)
{
        char parent[64];
        enum stir_need above;

        snprintf(parent, sizeof(parent), "%.*s", (int)entry_key_parent(e->key), e->key);
        above = stir_need(s, parent);
        if (above == STIR_ITSELF || above == STIR_WHOLE)
                return true;
        return above == STIR_THROUGH && stir_need(s, e->key) != STIR_NOTHING;
}

static void prune(struct tree *ret, const struct tree *t, const struct stir *s)
{
        tree_init(ret, "d .");
        if (stir_need(s, "") == STIR_THROUGH)
                ret->items[0].flags |= ENTRY_PARTIAL;
        for (size_t i = 0; i < t->n; i++) {
                struct entry e = t->items[i];
                enum stir_need need = stir_need(s, e.key);

                if (!*e.key || !is_shown(s, &e))
                        continue;
                if (e.kind == KIND_DIR && (need == STIR_NOTHING || need == STIR_THROUGH))
                        e.flags |= ENTRY_PARTIAL;
                tree_add(ret, &e);
        }
}

/* Whether all that is right in the folder of this was looked at. */
static bool is_judged(const struct stir *s, const struct tree *seen, const char *key)
{
        char above[64];
        const struct entry *e;

        snprintf(above, sizeof(above), "%s", key);
        do { /* what is in a folder that is gone, or is none any more, goes with it */
                above[entry_key_parent(above)] = '\0';
                e = tree_find(seen, above);
        } while (*above && (!e || e->kind != KIND_DIR));
        return stir_need(s, above) >= STIR_ITSELF;
}

/* Changes as lines "KIND KEY": what is judged, and what else was said. */
struct said {
        struct str judged, else_;
};

static void compare(struct said *ret, struct tree *known, struct tree *seen, const struct tree *all,
                    const struct stir *s)
{
        struct diff diff;
        struct change c;
        int r;

        *ret = (struct said){STR_NULL(1 << 20), STR_NULL(1 << 20)};
        tree_rewind(known);
        tree_rewind(seen);
        diff_init(&diff, &known->iter, &seen->iter, 0);
        while ((r = diff_next(&diff, &c)) > 0) {
                const char *key = c.seen ? c.seen->key : c.known->key;

                str_addf(is_judged(s, all, key) ? &ret->judged : &ret->else_, "%d %s\n", (int)c.kind,
                         key);
        }
        check_eq(r, 0);
        diff_finish(&diff);
}

/* A scan in part says of what it judges what one of everything says, and nothing else that is not
 * true. */
static void check_said(uint64_t number, struct said *whole, struct said *part)
{
        char *rest = part->else_.s, *line;

        if (!str_eq(str_z(&whole->judged), str_z(&part->judged)))
                check_fail("seed %" PRIu64 ": whole\n%sin part\n%s", number, str_z(&whole->judged),
                           str_z(&part->judged));
        while (rest && (line = strsep(&rest, "\n")) && *line) {
                char with_end[80];

                snprintf(with_end, sizeof(with_end), "%s\n", line);
                if (!strstr(str_z(&whole->else_), with_end))
                        check_fail("seed %" PRIu64 ": in part alone: %s", number, line);
        }
        str_finish(&whole->judged);
        str_finish(&whole->else_);
        str_finish(&part->judged);
        str_finish(&part->else_);
}

static void check_seed(struct seed *seed)
{
        struct tree known, seen, some;
        struct said whole, part;
        struct stir s = {0};

        tree_init(&known, "d .");
        tree_remove(&known, "");
        tree_grow(&known, seed, "", 0, false);
        tree_sort(&known);
        if (seed_chance(seed, 50))
                tree_seeks(&known);
        tree_init(&seen, "d .");
        tree_grow(&seen, seed, "", 0, true);
        tree_sort(&seen);
        stir_some(&s, seed, seed_chance(seed, 50) ? &seen : &known);
        prune(&some, &seen, &s);
        compare(&whole, &known, &seen, &seen, &s);
        compare(&part, &known, &some, &seen, &s);
        check_said(seed->number, &whole, &part);
        stir_finish(&s);
        tree_finish(&known);
        tree_finish(&seen);
        tree_finish(&some);
}

TEST(where_it_looks_it_finds_what_a_scan_of_everything_finds)
{
        seed_run(2000, check_seed);
}

/* ---- which folder a watch is on ------------------------------------------------------------------ */

TEST(watches_know_their_folders)
{
        struct watched w = {0};
        char key[32];

        check(!watched_key(&w, 1));
        watched_remove(&w, 1);
        for (int round = 0; round < 4; round++) {
                for (int i = 1; i <= 5000; i++) {
                        snprintf(key, sizeof(key), "%d/%d", round, i);
                        check(watched_set(&w, i, key));
                }
                for (int i = round + 1; i <= 5000; i += 3)
                        watched_remove(&w, i);
                for (int i = 1; i <= 5000; i++) {
                        bool gone = i > round && (i - round - 1) % 3 == 0;

                        snprintf(key, sizeof(key), "%d/%d", round, i);
                        check_str(watched_key(&w, i) ? watched_key(&w, i) : "-", gone ? "-" : key);
                }
        }
        check_eq(w.size, 8192);
        check(w.room < 5000 * 16);
        watched_finish(&w);
}
