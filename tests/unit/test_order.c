/* SPDX-License-Identifier: MIT */

/*
 * Scripts of what is added and what ends, and what may start when:
 *
 *      +a       an op at the key a is added ("." for the watched folder)
 *      a ok     the op at a that has run longest ends well
 *      a no     … ends badly
 *
 * What starts is shown as "a", what is doomed as "a!", each step's between bars.
 */

#include "lib/core/order.h"

#include "lib/base/str.h"
#include "lib/core/entry.h"
#include "tests/unit/check.h"
#include "tests/unit/seed.h"

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

struct op {
        struct order_item order;
        char key[32];
        bool started, ended;
};

struct play {
        struct order *order;
        struct op ops[64];
        size_t n;
        struct str shown;
};

static void start(void *userdata, struct order_item *item)
{
        struct play *p = userdata;
        struct op *op = CONTAINER_OF(item, struct op, order);

        check(!op->started && !op->ended);
        op->started = true;
        if (p->shown.len > 0 && p->shown.s[p->shown.len - 1] != '|')
                str_addc(&p->shown, ' ');
        str_addf(&p->shown, "%s%s", *op->key ? op->key : ".", item->doomed ? "!" : "");
}

static void add(struct play *p, const char *key)
{
        struct op *op = &p->ops[p->n++];
        int r;

        str_copy(op->key, sizeof(op->key), str_eq(key, ".") ? "" : key);
        op->order.key = op->key;
        r = order_add(p->order, &op->order);
        check(r == 0 || r == 1);
        if (r == 1)
                start(p, &op->order);
}

static void finish(struct play *p, const char *key, bool ok)
{
        for (size_t i = 0; i < p->n; i++) {
                struct op *op = &p->ops[i];

                if (!op->started || op->ended || !str_eq(op->key, str_eq(key, ".") ? "" : key))
                        continue;
                op->ended = true;
                order_end(p->order, &op->order, ok, start, p);
                /* the item may be freed now */
                memset(&op->order, 0xee, sizeof(op->order));
                return;
        }
        check_fail("nothing runs at %s", key);
}

static void step(struct play *p, char *text)
{
        char *key = strsep(&text, " ");

        if (*key == '+')
                add(p, key + 1);
        else
                finish(p, key, str_eq(text, "ok"));
}

static void check_script(const char *script, const char *want)
{
        _cleanup_(freep) char *copy = str_dup(script);
        struct play p = {.order = order_create(), .shown = STR_NULL(65536)};
        char *rest = copy, *one;

        while ((one = strsep(&rest, ","))) {
                step(&p, one + strspn(one, " "));
                if (rest)
                        str_addc(&p.shown, '|');
        }
        if (!str_eq(str_z(&p.shown), want))
                check_fail("%s: <%s>, not <%s>", script, str_z(&p.shown), want);
        order_destroy(p.order);
        str_finish(&p.shown);
}

struct row {
        const char *script;
        const char *want;
};

static void check_rows(const struct row *rows, size_t n)
{
        for (size_t i = 0; i < n; i++)
                check_script(rows[i].script, rows[i].want);
}

TEST(a_folder_comes_before_what_is_in_it)
{
        static const struct row rows[] = {
                {"+a, +b, +c", "a|b|c"},
                {"+a, +a/b, a ok", "a||a/b"},
                {"+a, a ok, +a/b", "a||a/b"},
                {"+a, +a/b/c/d, a ok", "a||a/b/c/d"},
                {"+a, +a/b, +a/b/c, a ok, a/b ok", "a|||a/b|a/b/c"},
                {"+a, +a/b, +a/c, +a/d, a ok", "a||||a/b a/c a/d"},
                {"+a, +ab, +a!, +a-/b", "a|ab|a!|a-/b"},
                {"+., +a, +a/b, . ok, a ok", ".|||a|a/b"},
                {"+., +a/b, +c, . ok", ".|||a/b c"},
                {"+a/b, +a/c", "a/b|a/c"},
                /* what held it has ended, and something else above it has come meanwhile */
                {"+a/b, +a, +a/b/c, a/b ok, a ok", "a/b|a|||a/b/c"},
                {"+a/b, +., +a/b/c, a/b ok, . ok", "a/b|.|||a/b/c"},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

TEST(one_key_is_one_queue)
{
        static const struct row rows[] = {
                {"+a, +a, a ok, a ok", "a||a|"},
                {"+a, +a, +a, a ok, a ok, a ok", "a|||a|a|"},
                {"+a, +a, +a/b, a ok, a ok", "a|||a|a/b"},
                {"+a, +a, +a/b, a ok, +a/c, a ok", "a|||a||a/b a/c"},
                {"+., +a, +a, . ok, a ok", ".|||a|a"},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

TEST(what_needed_the_failed_is_doomed)
{
        static const struct row rows[] = {
                {"+a, +a/b, +c, a no", "a||c|a/b!"},
                {"+a, +a/b, +a/b/c, a no, a/b no", "a|||a/b!|a/b/c!"},
                {"+a, a no, +a/b", "a||a/b!"},
                {"+a, a no, +a/b/c/d", "a||a/b/c/d!"},
                {"+a, a no, +a", "a||a!"},
                {"+a, a no, +a, a no, +a/b", "a||a!||a/b!"},
                {"+a, a no, +ab, +a!", "a||ab|a!"},
                {"+a, +a, +a/b, a no, a no", "a|||a!|a/b!"},
                {"+a, +a/b, a ok, a/b no, +a/b/c, +a/d", "a||a/b||a/b/c!|a/d"},
                {"+., . no, +a", ".||a!"},
                {"+., +a, . no", ".||a!"},
                {"+a, +a, a ok, a no, +a/b", "a||a||a/b!"},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

TEST(nothing_is_left_behind)
{
        struct order *o = order_create();

        order_destroy(o);
        order_destroy(NULL);
        check_script("+a, +a/b, a no", "a||a/b!");
        check_script("+a, +a/b", "a|"); /* ended under way */
}

/* ---- any tree, any ends ---------------------------------------------------------------------- */

#define SEED_OPS 40

struct random_op {
        struct order_item order;
        char key[16];
        bool started, ended, ok;
};

struct random_play {
        struct random_op ops[SEED_OPS];
        size_t n;
};

static bool comes_before(const struct random_op *a, const struct random_op *b)
{
        return str_eq(a->key, b->key) || entry_key_below(b->key, a->key);
}

/* What the header says, of this op and all that were added before it. */
static void check_start(struct random_play *p, struct random_op *op)
{
        bool doomed = false;

        for (struct random_op *before = p->ops; before < op; before++) {
                if (!comes_before(before, op))
                        continue;
                doomed |= before->ended && !before->ok;
                if (!before->ended)
                        check_fail("%s starts while %s is under way", op->key, before->key);
        }
        check(!op->started);
        check_eq(op->order.doomed, doomed);
        op->started = true;
}

static void random_released(void *userdata, struct order_item *item)
{
        check_start(userdata, CONTAINER_OF(item, struct random_op, order));
}

static void random_key(struct seed *s, char key[16])
{
        unsigned depth = seed_below(s, 4);

        *key = '\0';
        for (unsigned i = 0; i < depth; i++)
                sprintf(key + strlen(key), "%s%c", i ? "/" : "", "ab!"[seed_below(s, 3)]);
}

static int by_key(const void *a, const void *b)
{
        return entry_key_cmp(a, b);
}

/* Ends one that runs; false when none does. */
static bool random_end(struct seed *s, struct random_play *p, struct order *o)
{
        size_t at = seed_below(s, SEED_OPS);

        for (size_t i = 0; i < p->n; i++) {
                struct random_op *op = &p->ops[(at + i) % p->n];

                if (!op->started || op->ended)
                        continue;
                op->ended = true;
                op->ok = !op->order.doomed && !seed_chance(s, 15);
                order_end(o, &op->order, op->ok, random_released, p);
                return true;
        }
        return false;
}

static void play_random(struct seed *s)
{
        char keys[SEED_OPS][16];
        struct random_play p = {0};
        struct order *o = order_create();
        unsigned width = 1 + seed_below(s, 60);

        for (size_t i = 0; i < SEED_OPS; i++)
                random_key(s, keys[i]);
        qsort(keys, SEED_OPS, sizeof(keys[0]), by_key);
        for (size_t i = 0; i < SEED_OPS; i++) {
                struct random_op *op = &p.ops[p.n++];

                memcpy(op->key, keys[i], sizeof(op->key));
                op->order.key = op->key;
                if (order_add(o, &op->order) == 1)
                        check_start(&p, op);
                while (seed_chance(s, width) && random_end(s, &p, o))
                        ;
        }
        while (random_end(s, &p, o))
                ;
        for (size_t i = 0; i < p.n; i++)
                if (!p.ops[i].ended)
                        check_fail("%s never started", p.ops[i].key);
        order_destroy(o);
}

TEST(any_tree_ending_anyhow)
{
        seed_run(10000, play_random);
}
