/* SPDX-License-Identifier: MIT */

/*
 * Random trees, and a model of the cloud that the ops are carried out on.
 *
 * What must come of it is worked out here for each key by itself, from what is seen at the key and
 * at the folders above it; the planner's single pass has to come to the same.
 */

#include "lib/base/str.h"
#include "lib/core/order.h"
#include "lib/core/plan.h"
#include "tests/unit/check.h"
#include "tests/unit/seed.h"
#include "tests/unit/tree.h"

#include <errno.h>

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

struct ops {
        struct op *items; /* keys owned */
        size_t n, size;
};

struct world {
        struct seed *seed;
        struct tree known; /* the snapshot */
        struct tree seen;
        struct tree cloud;
        struct plan_policy policy;
        struct ops makes, drops;
        struct plan_totals totals;
};

#define OTHER_DEVICE 5

static const struct op_name {
        const char *name;
} op_names[] = {
        [OP_MKDIR] = {"mkdir"}, [OP_PUT] = {"put"},   [OP_ADOPT] = {"adopt"},
        [OP_TOUCH] = {"touch"}, [OP_DROP] = {"drop"}, [OP_DROP_TREE] = {"droptree"},
        [OP_FORGET] = {"forget"},
};

/* ---- random trees ---------------------------------------------------------------------------- */

static const char *const names[] = {"a", "a!", "ab", "b"};

static void grow_in(struct seed *seed, struct tree *t, const char *folder, unsigned depth,
                    unsigned percent)
{
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                struct entry e = {.stamp = {1, 1, 1, 0}};
                char key[64];

                snprintf(key, sizeof(key), "%s%s%s", folder, *folder ? "/" : "", names[i]);
                e.key = key;
                if (!seed_chance(seed, percent) || tree_find(t, key))
                        continue;
                e.kind = depth < 4 && seed_chance(seed, 45) ? KIND_DIR : KIND_FILE;
                e.size = e.kind == KIND_FILE ? 1 + seed_below(seed, 3) : 0;
                tree_add(t, &e);
                if (e.kind == KIND_DIR)
                        grow_in(seed, t, key, depth + 1, percent);
        }
}

static void cut_below(struct tree *t, const char *key)
{
        for (size_t i = t->n; i-- > 0;)
                if (entry_key_below(t->items[i].key, key))
                        tree_remove(t, t->items[i].key);
}

static void copy_all(struct tree *to, const struct tree *from)
{
        for (size_t i = 0; i < from->n; i++)
                tree_add(to, &from->items[i]);
}

/* What happens to a tree between two looks. */
static void live_on(struct world *w)
{
        unsigned changes = seed_below(w->seed, 6);

        for (unsigned i = 0; i < changes && w->seen.n > 0; i++) {
                struct entry *e = &w->seen.items[seed_below(w->seed, (unsigned)w->seen.n)];
                _cleanup_(freep) char *key = str_dup(e->key);

                switch (seed_below(w->seed, 4)) {
                case 0: /* removed */
                        cut_below(&w->seen, key);
                        tree_remove(&w->seen, key);
                        break;
                case 1: /* replaced by the other kind */
                        e->kind = e->kind == KIND_FILE ? KIND_DIR : KIND_FILE;
                        e->size = e->kind == KIND_FILE;
                        cut_below(&w->seen, key);
                        break;
                case 2: /* changed */
                        e->stamp.mtime_ns++;
                        e->stamp.ino++;
                        e->size += e->kind == KIND_FILE;
                        break;
                case 3: /* joined */
                        if (e->kind == KIND_DIR)
                                grow_in(w->seed, &w->seen, key, 3, 50);
                        else
                                grow_in(w->seed, &w->seen, "", 1, 30);
                        break;
                }
        }
}

static void blind(struct world *w, struct entry *e)
{
        _cleanup_(freep) char *key = str_dup(e->key);

        switch (seed_below(w->seed, 6)) {
        case 0: /* cannot be looked at */
                e->kind = KIND_NONE;
                e->err = EACCES;
                break;
        case 1: /* not a file any more */
                e->kind = KIND_OTHER;
                break;
        case 2:
                e->flags |= ENTRY_EXCLUDED;
                break;
        case 3: /* cannot be opened */
                if (e->kind != KIND_DIR)
                        return;
                e->err = EACCES;
                break;
        case 4: /* read half */
                if (e->kind == KIND_DIR)
                        e->err = EIO;
                return;
        case 5: /* a mount went or came; what is in the folder now may be anything */
                if (e->kind == KIND_DIR)
                        e->stamp.dev = OTHER_DEVICE;
                return;
        }
        cut_below(&w->seen, key);
}

/* A folder is moved away under the walk: the rest of it is not shown. */
static void lose_the_way(struct world *w)
{
        size_t at = 1 + seed_below(w->seed, (unsigned)w->seen.n - 1);
        _cleanup_(freep) char *folder = str_dup(w->seen.items[at].key);
        struct entry again = {.key = folder, .kind = KIND_DIR, .err = ESTALE};
        size_t last = at;

        if (w->seen.items[at].kind != KIND_DIR)
                return;
        while (last + 1 < w->seen.n && entry_key_below(w->seen.items[last + 1].key, folder))
                last++;
        last = at + seed_below(w->seed, (unsigned)(last - at) + 1);
        while (last + 1 < w->seen.n && entry_key_below(w->seen.items[last + 1].key, folder))
                tree_remove(&w->seen, w->seen.items[last + 1].key);
        tree_add(&w->seen, &again);
        again = w->seen.items[w->seen.n - 1];
        memmove(&w->seen.items[last + 2], &w->seen.items[last + 1],
                (w->seen.n - last - 2) * sizeof(again));
        w->seen.items[last + 1] = again;
}

static void world_init(struct world *w, struct seed *seed)
{
        struct entry root = {.key = "", .kind = KIND_DIR};
        unsigned percent = 25 + seed_below(seed, 30);

        *w = (struct world){.seed = seed};
        tree_init(&w->known, "");
        tree_init(&w->seen, "");
        tree_init(&w->cloud, "");
        w->policy = (struct plan_policy){
                .max_delete = 1000, .max_delete_percent = 100, .now_ns = 1000};
        grow_in(seed, &w->known, "", 1, percent);
        if (seed_chance(seed, 20))
                grow_in(seed, &w->seen, "", 1, percent);
        else
                copy_all(&w->seen, &w->known);
        live_on(w);
        for (unsigned i = seed_chance(seed, 50) ? seed_below(seed, 4) : 0; i > 0; i--)
                if (w->seen.n > 0)
                        blind(w, &w->seen.items[seed_below(seed, (unsigned)w->seen.n)]);
        if (seed_chance(seed, 5))
                root.err = EIO;
        tree_add(&w->seen, &root);
        tree_sort(&w->known);
        tree_sort(&w->seen);
        copy_all(&w->cloud, &w->known);
        w->policy.known_total = w->known.n;
        if (w->seen.n > 1 && seed_chance(seed, 10))
                lose_the_way(w);
}

static void ops_clear(struct ops *ops)
{
        for (size_t i = 0; i < ops->n; i++)
                free((char *)ops->items[i].entry.key);
        ops->n = 0;
}

static void world_finish(struct world *w)
{
        ops_clear(&w->makes);
        ops_clear(&w->drops);
        free(w->makes.items);
        free(w->drops.items);
        tree_finish(&w->known);
        tree_finish(&w->seen);
        tree_finish(&w->cloud);
}

/* ---- what must come of it -------------------------------------------------------------------- */

static bool known_as(const struct world *w, const char *key, enum kind kind)
{
        const struct entry *e = tree_find(&w->known, key);

        return e && e->kind == kind;
}

/* A mirrored folder that is on another device now. */
static bool is_elsewhere(const struct world *w, const char *key)
{
        const struct entry *e = tree_find(&w->seen, key);

        return e && e->kind == KIND_DIR && e->stamp.dev == OTHER_DEVICE &&
               !(e->flags & ENTRY_EXCLUDED) && known_as(w, key, KIND_DIR);
}

/* The walk left the folder before it came to `key`. */
static bool left_before(const struct world *w, const char *folder, const char *key)
{
        for (size_t i = 1; i < w->seen.n; i++)
                if (w->seen.items[i].err == ESTALE && str_eq(w->seen.items[i].key, folder))
                        return entry_key_cmp(key, w->seen.items[i - 1].key) > 0;
        return false;
}

enum proof { PROVES_NOTHING, PROVES_ABSENCE, HIDES };

static enum proof proof_of(const struct world *w, const char *folder, const char *key)
{
        const struct entry *e = tree_find(&w->seen, folder);

        if (left_before(w, folder, key))
                return HIDES;
        if (!e)
                return PROVES_NOTHING;
        if ((e->flags & ENTRY_EXCLUDED) || e->kind == KIND_NONE || e->kind == KIND_OTHER || e->err)
                return HIDES;
        return e->kind == KIND_FILE ? PROVES_ABSENCE : PROVES_NOTHING;
}

static bool below_elsewhere(const struct world *w, const char *key)
{
        for (size_t i = 0; i < w->known.n; i++)
                if (entry_key_below(key, w->known.items[i].key) &&
                    is_elsewhere(w, w->known.items[i].key))
                        return true;
        return false;
}

/* Whether a known key that is not seen is proven to be gone. */
static bool is_gone(const struct world *w, const char *key)
{
        _cleanup_(freep) char *folder = str_dup(key);

        if (below_elsewhere(w, key))
                return false;
        while (*folder) {
                enum proof proof;

                folder[entry_key_parent(folder)] = '\0';
                proof = proof_of(w, folder, key);
                if (proof != PROVES_NOTHING)
                        return proof == PROVES_ABSENCE;
        }
        return true;
}

/* What must stand in the cloud in the end: NULL for nothing. */
static const struct entry *must_be(const struct world *w, const char *key)
{
        const struct entry *known = tree_find(&w->known, key), *seen = tree_find(&w->seen, key);
        bool mirrored = seen && !(seen->flags & ENTRY_EXCLUDED) &&
                        (seen->kind == KIND_FILE || seen->kind == KIND_DIR);

        if (!known) {
                _cleanup_(freep) char *folder = str_dup(key);

                while (mirrored && *folder) { /* a file that stays has nothing in it */
                        folder[entry_key_parent(folder)] = '\0';
                        if (known_as(w, folder, KIND_FILE) && below_elsewhere(w, folder))
                                return NULL;
                }
                return mirrored ? seen : NULL;
        }
        if (!seen)
                return !w->policy.never_delete && is_gone(w, key) ? NULL : known;
        return mirrored && !below_elsewhere(w, key) && !is_elsewhere(w, key) ? seen : known;
}

static const char *show_entry(const struct entry *e)
{
        static char text[2][64];
        static unsigned at;

        at ^= 1;
        if (!e)
                return "nothing";
        snprintf(text[at], sizeof(text[at]), "%s %" PRIu64,
                 e->kind == KIND_DIR ? "folder" : "file", e->size);
        return text[at];
}

static void check_key(const struct world *w, const struct tree *wanted, const char *key)
{
        const struct entry *want = tree_find(wanted, key), *got = tree_find(&w->cloud, key);

        if (!want != !got || (want && (want->kind != got->kind || want->size != got->size)))
                check_fail("%s is %s in the cloud, not %s", key, show_entry(got),
                           show_entry(want));
}

static void check_cloud(const struct world *w, const struct tree *wanted)
{
        for (size_t i = 0; i < wanted->n; i++)
                check_key(w, wanted, wanted->items[i].key);
        for (size_t i = 0; i < w->cloud.n; i++)
                check_key(w, wanted, w->cloud.items[i].key);
}

static void want(const struct world *w, struct tree *wanted)
{
        const struct tree *both[] = {&w->known, &w->seen};

        tree_init(wanted, "");
        for (size_t b = 0; b < ARRAY_SIZE(both); b++)
                for (size_t i = 0; i < both[b]->n; i++) {
                        const char *key = both[b]->items[i].key;
                        const struct entry *e = *key ? must_be(w, key) : NULL;

                        if (e && !tree_find(wanted, key))
                                tree_add(wanted, e);
                }
}

/* ---- planning -------------------------------------------------------------------------------- */

static int gather(struct ops *ops, const struct op *op)
{
        if (ops->n > 0)
                check(entry_key_cmp(ops->items[ops->n - 1].entry.key, op->entry.key) <= 0);
        if (ops->n == ops->size) {
                ops->size = ops->size ? 2 * ops->size : 32;
                ops->items = reallocarray(ops->items, ops->size, sizeof(struct op));
                if (!ops->items)
                        abort();
        }
        ops->items[ops->n] = *op;
        ops->items[ops->n++].entry.key = str_dup(op->entry.key);
        return 0;
}

static int gather_make(void *userdata, const struct op *op)
{
        return gather(&((struct world *)userdata)->makes, op);
}

static int gather_drop(void *userdata, const struct op *op)
{
        check(op->verb == OP_DROP || op->verb == OP_DROP_TREE);
        return gather(&((struct world *)userdata)->drops, op);
}

static void gather_note(void *userdata _unused_, enum plan_note note _unused_, const char *key,
                        int err _unused_, const char *why _unused_)
{
        check(key != NULL);
}

static void plan(struct world *w, struct tree *remote)
{
        struct plan_sink sink = {
                .make = gather_make, .drop = gather_drop, .note = gather_note, .userdata = w};
        struct diff diff;

        ops_clear(&w->makes);
        ops_clear(&w->drops);
        tree_rewind(&w->known);
        tree_rewind(&w->seen);
        diff_init(&diff, &w->known.iter, &w->seen.iter, 0);
        check_eq(plan_run(&w->policy, &diff, remote ? &remote->iter : NULL, &sink, &w->totals), 0);
        diff_finish(&diff);
}

/* ---- carrying ops out ------------------------------------------------------------------------ */

static bool stands_in_a_folder(const struct world *w, const char *key)
{
        _cleanup_(freep) char *folder = str_dup(key);
        const struct entry *e;

        if (!strchr(key, '/'))
                return true;
        folder[entry_key_parent(folder)] = '\0';
        e = tree_find(&w->cloud, folder);
        return e && e->kind == KIND_DIR;
}

/* Nothing that goes is seen, and all of it is proven to be absent. */
static void check_drop(const struct world *w, const struct tree *known_at_first, const char *key)
{
        const struct entry *seen = tree_find(&w->seen, key);
        const struct entry *known = tree_find(known_at_first, key);
        struct world first = *w;

        first.known = *known_at_first;
        check(known != NULL);
        if (seen ? seen->kind == known->kind || seen->kind == KIND_NONE ||
                           seen->kind == KIND_OTHER || (seen->flags & ENTRY_EXCLUDED)
                 : !is_gone(&first, key))
                check_fail("%s goes, and nobody has proven its absence", key);
}

static void put(struct tree *t, const struct entry *e)
{
        tree_remove(t, e->key);
        tree_add(t, e);
}

static void apply_make(struct world *w, const struct op *op)
{
        const struct entry *there = tree_find(&w->cloud, op->entry.key);

        check(stands_in_a_folder(w, op->entry.key));
        if (op->verb == OP_PUT && there && there->kind != KIND_FILE)
                check_fail("put %s onto a folder", op->entry.key);
        if (op->verb == OP_MKDIR && there)
                check_fail("mkdir %s where something is", op->entry.key);
        if (op->verb == OP_TOUCH && (!there || there->kind != KIND_DIR))
                check_fail("touch %s, which is no folder", op->entry.key);
        put(&w->cloud, &op->entry);
        put(&w->known, &op->entry);
        tree_sort(&w->known);
}

static void forget(struct tree *t, const char *key)
{
        cut_below(t, key);
        tree_remove(t, key);
}

static void apply(struct world *w, const struct tree *known_at_first, const struct op *op)
{
        const struct entry *there = tree_find(&w->cloud, op->entry.key);
        enum kind kind = op->verb == OP_DROP ? KIND_FILE : KIND_DIR;
        uint64_t below = 0;

        switch (op->verb) {
        case OP_MKDIR:
        case OP_PUT:
        case OP_ADOPT:
        case OP_TOUCH:
                apply_make(w, op);
                return;
        case OP_MOVE:
                check_fail("the plan itself moves nothing");
                return;
        case OP_FORGET:
                forget(&w->known, op->entry.key);
                return;
        case OP_DROP:
        case OP_DROP_TREE:
                break;
        }
        if (!there || there->kind != kind)
                check_fail("%s %s, which is %s", op_names[op->verb].name, op->entry.key,
                           show_entry(there));
        for (size_t i = 0; i < w->cloud.n; i++)
                if (entry_key_below(w->cloud.items[i].key, op->entry.key)) {
                        check_drop(w, known_at_first, w->cloud.items[i].key);
                        below++;
                }
        check_drop(w, known_at_first, op->entry.key);
        check_eq(op->verb == OP_DROP_TREE ? op->files : 0, below);
        forget(&w->cloud, op->entry.key);
        forget(&w->known, op->entry.key);
}

/* The first `n` of all ops; returns whether that was all. */
static bool carry_out(struct world *w, size_t n)
{
        struct tree first;

        tree_init(&first, "");
        copy_all(&first, &w->known);
        for (size_t i = 0; i < n && i < w->makes.n; i++)
                apply(w, &first, &w->makes.items[i]);
        for (size_t i = w->makes.n; i < n && i - w->makes.n < w->drops.n; i++)
                apply(w, &first, &w->drops.items[i - w->makes.n]);
        tree_finish(&first);
        return n >= w->makes.n + w->drops.n;
}

static void show_world(const char *what, const struct tree *t)
{
        printf("# %s:", what);
        for (size_t i = 0; i < t->n; i++) {
                const struct entry *e = &t->items[i];

                printf(" %c %s", "nfdo"[e->kind], *e->key ? e->key : ".");
                if (e->kind == KIND_FILE)
                        printf(" %" PRIu64, e->size);
                if (e->stamp.dev)
                        printf(" %%%" PRIu64, e->stamp.dev);
                printf("%s%s%s|", e->flags & ENTRY_EXCLUDED ? " x" : "", e->err ? " !" : "",
                       e->err ? tree_errno(e->err) : "");
        }
        printf("\n");
}

static void explain(const struct world *w, const struct tree *known_at_first)
{
        const struct ops *both[] = {&w->makes, &w->drops};

        show_world("known", known_at_first);
        show_world("seen", &w->seen);
        printf("# ops:");
        for (size_t b = 0; b < ARRAY_SIZE(both); b++)
                for (size_t i = 0; i < both[b]->n; i++)
                        printf(" %s %s|", op_names[both[b]->items[i].verb].name,
                               both[b]->items[i].entry.key);
        printf("\n");
}

/* ---- the properties -------------------------------------------------------------------------- */

/* All of it, and then there is nothing left to do. */
static void play_whole(struct seed *s)
{
        struct tree wanted, first;
        struct world w;

        world_init(&w, s);
        w.policy.never_delete = seed_chance(s, 10);
        tree_init(&first, "");
        copy_all(&first, &w.known);
        want(&w, &wanted);
        plan(&w, NULL);
        if (w.policy.never_delete)
                check_eq(w.drops.n, 0);
        carry_out(&w, SIZE_MAX);
        if (!w.policy.never_delete)
                check_cloud(&w, &wanted);
        if (check_failed)
                explain(&w, &first);
        plan(&w, NULL);
        if (w.makes.n + w.drops.n > 0) {
                check_fail("a second pass finds something to do");
                explain(&w, &first);
        }
        tree_finish(&wanted);
        tree_finish(&first);
        world_finish(&w);
}

TEST(the_cloud_becomes_what_is_seen)
{
        seed_run(4000, play_whole);
}

/* Stopped anywhere and begun anew, the end is the same. */
static void play_stopped(struct seed *s)
{
        struct tree wanted, first;
        struct world w;
        size_t stops = 0;

        world_init(&w, s);
        tree_init(&first, "");
        copy_all(&first, &w.known);
        want(&w, &wanted);
        do {
                plan(&w, NULL);
                if (stops++ == 0 && w.makes.n + w.drops.n > 0)
                        check(!carry_out(&w, seed_below(s, (unsigned)(w.makes.n + w.drops.n))));
        } while (stops == 1);
        carry_out(&w, SIZE_MAX);
        check_cloud(&w, &wanted);
        if (check_failed)
                explain(&w, &first);
        tree_finish(&wanted);
        tree_finish(&first);
        world_finish(&w);
}

TEST(stopped_anywhere_it_goes_on_to_the_same_end)
{
        seed_run(4000, play_stopped);
}

struct running {
        struct order_item order;
        const struct op *op;
        bool fails;
};

struct runner {
        struct world *w;
        const struct tree *first;
        struct order *order;
        struct running *items;
        struct running *ready[256];
        size_t n_ready;
};

static void runner_ready(void *userdata, struct order_item *item)
{
        struct runner *r = userdata;

        if (r->n_ready == ARRAY_SIZE(r->ready))
                abort();
        r->ready[r->n_ready++] = CONTAINER_OF(item, struct running, order);
}

static void runner_end_one(struct runner *r)
{
        size_t at = seed_below(r->w->seed, (unsigned)r->n_ready);
        struct running *one = r->ready[at];
        bool ok = !one->order.doomed && !one->fails;

        r->ready[at] = r->ready[--r->n_ready];
        if (ok)
                apply(r->w, r->first, one->op);
        order_end(r->order, &one->order, ok, runner_ready, r);
}

/* As the daemon does: several at once, ending in any order, some of them failing.  With `held`,
 * what removes something, or needs that, is left out. */
static void carry_out_at_once(struct world *w, const struct tree *first, const struct ops *ops,
                              unsigned failing, bool held)
{
        struct runner r = {.w = w, .first = first, .order = order_create()};

        r.items = calloc(ops->n + 1, sizeof(struct running));
        if (!r.order || !r.items)
                abort();
        for (size_t i = 0; i < ops->n; i++) {
                struct running *one = &r.items[i];

                one->op = &ops->items[i];
                one->order.key = one->op->entry.key;
                one->fails = seed_chance(w->seed, failing) ||
                             (held && (one->op->after_drop || one->op->verb == OP_DROP ||
                                       one->op->verb == OP_DROP_TREE));
                if (order_add(r.order, &one->order))
                        runner_ready(&r, &one->order);
                while (r.n_ready > 0 && (r.n_ready > 8 || seed_chance(w->seed, 50)))
                        runner_end_one(&r);
        }
        while (r.n_ready > 0)
                runner_end_one(&r);
        free(r.items);
        order_destroy(r.order);
}

static void play_at_once(struct seed *s)
{
        struct tree wanted, first;
        struct world w;
        unsigned failing = seed_chance(s, 50) ? 20 : 0;

        world_init(&w, s);
        tree_init(&first, "");
        copy_all(&first, &w.known);
        want(&w, &wanted);
        for (unsigned pass = 0; pass < 2; pass++) {
                struct tree before;

                tree_init(&before, "");
                copy_all(&before, &w.known);
                plan(&w, NULL);
                carry_out_at_once(&w, &before, &w.makes, failing, false);
                carry_out_at_once(&w, &before, &w.drops, failing, false);
                failing = 0;
                tree_finish(&before);
        }
        check_cloud(&w, &wanted);
        if (check_failed)
                explain(&w, &first);
        tree_finish(&wanted);
        tree_finish(&first);
        world_finish(&w);
}

TEST(many_at_once_and_some_failing)
{
        seed_run(4000, play_at_once);
}

/* A held plan removes nothing; approved, it is the plan it was. */
static void play_held(struct seed *s)
{
        struct tree wanted, first;
        struct world w;
        uint64_t id;

        world_init(&w, s);
        w.policy.max_delete = seed_below(s, 4);
        w.policy.max_delete_percent = seed_below(s, 100);
        tree_init(&first, "");
        copy_all(&first, &w.known);
        want(&w, &wanted);
        plan(&w, NULL);
        check_eq(w.totals.held,
                 w.totals.drops > w.policy.max_delete &&
                         w.totals.drops * 100 > first.n * w.policy.max_delete_percent);
        id = w.totals.id;
        carry_out_at_once(&w, &first, &w.makes, 0, true);
        for (size_t i = 0; i < first.n; i++)
                if (!tree_find(&w.cloud, first.items[i].key))
                        check_fail("%s went from a held plan", first.items[i].key);
        plan(&w, NULL);
        check(id == w.totals.id);
        carry_out(&w, SIZE_MAX);
        check_cloud(&w, &wanted);
        if (check_failed)
                explain(&w, &first);
        tree_finish(&wanted);
        tree_finish(&first);
        world_finish(&w);
}

TEST(held_plans_remove_nothing)
{
        seed_run(3000, play_held);
}

static void check_adopting_op(const struct world *w, const struct op *op)
{
        const struct entry *there = tree_find(&w->cloud, op->entry.key);
        bool is_new = !tree_find(&w->known, op->entry.key);

        check(op->verb != OP_DROP && op->verb != OP_DROP_TREE && !op->after_drop);
        if (!is_new || op->verb == OP_FORGET)
                return;
        if (op->there != (!there                      ? OP_THERE_NOTHING
                          : there->kind == KIND_DIR ? OP_THERE_DIR
                                                    : OP_THERE_FILE))
                check_fail("%s: told that %d is there", op->entry.key, (int)op->there);
        if (op->there == OP_THERE_FILE)
                check_eq(op->there_size, there->size);
        check((op->verb == OP_ADOPT) ==
              (op->entry.kind == KIND_DIR && op->there == OP_THERE_DIR));
}

/* Some of the snapshot is lost, the cloud is what it was. */
static void play_adopting(struct seed *s)
{
        struct world w;

        world_init(&w, s);
        w.policy.adopting = true;
        w.policy.max_delete = 0;
        w.policy.max_delete_percent = 0;
        if (seed_chance(s, 50))
                cut_below(&w.known, "");
        else if (w.known.n > 0)
                forget(&w.known, w.known.items[seed_below(s, (unsigned)w.known.n)].key);
        plan(&w, &w.cloud);
        tree_rewind(&w.cloud);
        check_eq(w.drops.n, 0);
        check_eq(w.totals.drops, 0);
        check(!w.totals.held);
        for (size_t i = 0; i < w.makes.n; i++)
                check_adopting_op(&w, &w.makes.items[i]);
        if (check_failed)
                explain(&w, &w.known);
        world_finish(&w);
}

TEST(adopting_removes_nothing)
{
        seed_run(3000, play_adopting);
}
