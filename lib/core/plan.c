/* SPDX-License-Identifier: MIT */

#include "lib/core/plan.h"

#include "lib/base/tr.h"
#include "lib/core/disguise.h"

#include <errno.h>

struct plan {
        const struct plan_policy *policy;
        struct entry_iter *remote_iter;
        const struct entry *remote; /* next of the listing, NULL at its end */
        const struct plan_sink *sink;
        struct plan_totals totals;

        /* A folder that is gone gathers what was in it until the first key that is not below. */
        bool tree_open;
        struct op tree;
        struct str tree_key;
        bool tree_unseen;     /* something in it cannot be seen: it stays as it is */
        uint64_t id_before;   /* that tree */
        /* When it was replaced by a file, that file waits for the same moment. */
        bool after_tree_open;
        struct op after_tree;
        struct str away_dir;  /* it was said that a disk is missing from this folder */
        bool away_on;
        struct str unfit_dir; /* a folder that cannot be carried hides what is in it */
        bool unfit_on;
};

/* FNV-1a, and the finish of MurmurHash3: without that the sums of a1 and b2, and of a2 and b1, would
 * often be the same. */
uint64_t plan_share(const struct entry *known)
{
        uint64_t h = (0xcbf29ce484222325u ^ (uint64_t)known->kind) * 0x100000001b3u;

        for (const char *s = known->key; *s; s++)
                h = (h ^ (unsigned char)*s) * 0x100000001b3u;
        h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
        h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
        return h ^ h >> 33;
}

static int plan_make(struct plan *p, const struct op *op)
{
        if (op->verb == OP_PUT) {
                p->totals.puts++;
                p->totals.put_bytes += op->entry.size;
        } else if (op->verb == OP_MKDIR) {
                p->totals.mkdirs++;
        }
        return p->sink->make(p->sink->userdata, op);
}

static int plan_drop(struct plan *p, const struct op *op, bool among_makes)
{
        p->totals.drops += op->verb == OP_DROP_TREE ? op->files + 1 : 1;
        p->totals.id += plan_share(&op->entry);
        return among_makes ? p->sink->make(p->sink->userdata, op)
                           : p->sink->drop(p->sink->userdata, op);
}

/* What the listing shows at `key`; moves the listing on.  *ret is NULL when nothing is there. */
static int plan_remote_at(struct plan *p, const char *key, const struct entry **ret)
{
        *ret = NULL;
        while (p->remote) {
                int order = entry_key_cmp(p->remote->key, key), r;

                if (order > 0)
                        return 0;
                if (order == 0) {
                        *ret = p->remote;
                        return 0;
                }
                r = entry_iter_next(p->remote_iter, &p->remote);
                if (r < 0)
                        return r;
                if (r == 0)
                        p->remote = NULL;
        }
        return 0;
}

static int plan_there(struct plan *p, struct op *op)
{
        const struct entry *there;
        int r;

        if (!p->remote_iter)
                return 0;
        r = plan_remote_at(p, op->entry.key, &there);
        if (r < 0)
                return r;
        op->there = OP_THERE_NOTHING;
        if (there && there->kind == KIND_DIR) {
                op->there = OP_THERE_DIR;
        } else if (there) {
                op->there = OP_THERE_FILE;
                op->there_size = there->size;
                memcpy(op->there_md5, there->md5, sizeof(op->there_md5));
        }
        return 0;
}

static void plan_note(struct plan *p, enum plan_note note, const char *key, int err,
                      const char *why)
{
        p->sink->note(p->sink->userdata, note, key, err, why);
}

/* The clock of the file's system stamped ctime; a stamp from the future says nothing of now. */
static bool plan_young(struct plan *p, const struct entry *seen)
{
        int64_t settled;

        if (seen->stamp.ctime_ns > p->policy->now_ns ||
            seen->stamp.ctime_ns <= p->policy->now_ns - p->policy->settle_ns)
                return false;
        settled = seen->stamp.ctime_ns + p->policy->settle_ns;
        p->totals.young++;
        if (settled > p->totals.settled_ns)
                p->totals.settled_ns = settled;
        return true;
}

/* A file under a wire name would be taken for what an interrupted upload left, and be swept. */
static const char *plan_why_unfit(const struct entry *seen)
{
        if (seen->kind == KIND_FILE && disguise_is_wire(entry_key_name(seen->key)))
                return N_("its name is one of those that uploads under way have in the cloud");
        return entry_key_unfit(seen->key);
}

static bool plan_unfit(struct plan *p, const struct entry *seen)
{
        const char *why;

        if (p->unfit_on && entry_key_below(seen->key, str_z(&p->unfit_dir)))
                return true;
        why = plan_why_unfit(seen);
        if (!why)
                return false;
        plan_note(p, PLAN_NOTE_UNFIT, seen->key, 0, why);
        p->totals.omitted++;
        if (seen->kind == KIND_DIR) {
                str_clear(&p->unfit_dir);
                str_adds(&p->unfit_dir, seen->key);
                p->unfit_on = !p->unfit_dir.failed;
        }
        return true;
}

/* The row's thing is not where it was known. */
static int plan_left(struct plan *p, const struct entry *known)
{
        return p->sink->left ? p->sink->left(p->sink->userdata, known) : 0;
}

/* Its place is taken by another. */
static int plan_supplanted(struct plan *p, const struct change *c)
{
        return c->seen->stamp.ino != c->known->stamp.ino ? plan_left(p, c->known) : 0;
}

static struct op plan_op(enum op_verb verb, const struct change *c)
{
        struct op op = {.verb = verb, .entry = c->seen ? *c->seen : *c->known};

        if (c->known) {
                op.was_known = true;
                op.known_unverified = c->known->flags & ENTRY_UNVERIFIED;
                op.known_size = c->known->size;
                memcpy(op.known_md5, c->known->md5, sizeof(op.known_md5));
        }
        return op;
}

static int plan_wait(struct plan *p, const struct op *op)
{
        return p->sink->young ? p->sink->young(p->sink->userdata, op) : 0;
}

static int plan_new(struct plan *p, const struct change *c)
{
        struct op op = plan_op(c->seen->kind == KIND_DIR ? OP_MKDIR : OP_PUT, c);
        int r;

        if (plan_unfit(p, c->seen))
                return 0;
        if (c->seen->err) {
                plan_note(p, PLAN_NOTE_HIDDEN, c->seen->key, c->seen->err, NULL);
                p->totals.unseen++;
        }
        if (c->seen->kind == KIND_FILE && plan_young(p, c->seen))
                return plan_wait(p, &op);
        r = plan_there(p, &op);
        if (r < 0)
                return r;
        if (op.verb == OP_MKDIR && op.there == OP_THERE_DIR)
                op.verb = OP_ADOPT;
        return plan_make(p, &op);
}

static int plan_modified(struct plan *p, const struct change *c)
{
        struct op op = plan_op(c->seen->kind == KIND_DIR ? OP_TOUCH : OP_PUT, c);
        int r = plan_supplanted(p, c);

        if (r < 0)
                return r;
        if (c->seen->kind == KIND_FILE && plan_young(p, c->seen))
                return plan_wait(p, &op);
        return plan_make(p, &op);
}

static void plan_open_tree(struct plan *p, const struct change *c, bool among_makes)
{
        p->tree_open = true;
        p->tree_unseen = false;
        p->id_before = p->totals.id;
        p->tree = (struct op){.verb = OP_DROP_TREE, .was_known = true, .entry = *c->known};
        str_clear(&p->tree_key);
        str_adds(&p->tree_key, c->known->key);
        p->tree.entry.key = str_z(&p->tree_key);
        p->after_tree_open = among_makes;
        if (among_makes) {
                p->after_tree = plan_op(OP_PUT, c);
                p->after_tree.was_known = false;
                p->after_tree.after_drop = true;
                p->after_tree.entry.key = str_z(&p->tree_key);
        }
}

static int plan_close_tree(struct plan *p)
{
        int r;

        if (!p->tree_open)
                return 0;
        p->tree_open = false;
        if (p->tree_unseen) { /* the whole folder would go in one call */
                p->totals.id = p->id_before;
                return 0;
        }
        r = plan_drop(p, &p->tree, p->after_tree_open);
        if (r < 0 || !p->after_tree_open)
                return r;
        return plan_make(p, &p->after_tree);
}

static int plan_gone(struct plan *p, const struct change *c)
{
        struct op op = plan_op(OP_DROP, c);
        int r = plan_left(p, c->known);

        if (r < 0)
                return r;
        if (p->tree_open) { /* plan_step() has closed trees that this key is not below */
                p->tree.files++;
                p->tree.bytes += c->known->size;
                p->totals.id += plan_share(c->known);
                return 0;
        }
        if (p->policy->adopting) {
                p->totals.put_off++; /* for a pass that may remove */
                return 0;
        }
        if (p->policy->never_delete)
                return 0;
        if (c->known->kind == KIND_DIR) {
                plan_open_tree(p, c, false);
                return 0;
        }
        return plan_drop(p, &op, false);
}

/*
 * The name must be free before the new kind can stand there, so the drop goes among the makes.
 * `never` keeps what was removed here; what is replaced here goes to the Trash all the same.
 */
static int plan_retyped(struct plan *p, const struct change *c)
{
        struct change as_new = {.kind = CHANGE_NEW, .seen = c->seen, .err = c->err};
        struct op drop = plan_op(OP_DROP, c), make;
        int r;

        if (p->policy->adopting)
                return plan_new(p, &as_new);
        r = plan_left(p, c->known);
        if (r < 0)
                return r;
        if (c->known->kind == KIND_DIR) {
                plan_open_tree(p, c, !plan_unfit(p, c->seen) && !plan_young(p, c->seen));
                return 0;
        }
        drop.entry = *c->known;
        r = plan_drop(p, &drop, true);
        if (r < 0)
                return r;
        make = plan_op(OP_MKDIR, &as_new);
        make.after_drop = true;
        return plan_make(p, &make);
}

/* The disk's own top folder, or the one it was mounted over: a word for that, and not for each file
 * that went from it. */
static int plan_note_disk(struct plan *p, const struct entry *known)
{
        struct str folder = STR_NULL(SIZE_MAX / 4);
        size_t parent = entry_key_parent(known->key);
        bool itself = known->kind == KIND_DIR || parent == 0;
        int r = 0;

        str_add(&folder, known->key, itself ? strlen(known->key) : parent);
        if (folder.failed)
                r = -ENOMEM;
        else if (!p->away_on || !str_eq(str_z(&folder), str_z(&p->away_dir)))
                plan_note(p, PLAN_NOTE_UNSEEN, str_z(&folder), EXDEV, NULL);
        str_finish(&p->away_dir);
        p->away_dir = folder;
        p->away_on = true;
        return r;
}

static int plan_change(struct plan *p, const struct change *c)
{
        struct op forget;

        switch (c->kind) {
        case CHANGE_NONE:
                return 0;
        case CHANGE_NEW:
                return plan_new(p, c);
        case CHANGE_MODIFIED:
                return plan_modified(p, c);
        case CHANGE_RETYPED:
                return plan_retyped(p, c);
        case CHANGE_GONE:
                return plan_gone(p, c);
        case CHANGE_UNSEEN:
                p->totals.unseen += c->err != ELOOP; /* that one was seen well enough */
                p->totals.away += c->known->kind == KIND_DIR && c->known->stamp.dev != 0;
                p->tree_unseen = true;
                if (c->seen) /* what is below it follows without a word each */
                        plan_note(p, PLAN_NOTE_UNSEEN, c->known->key, c->err, NULL);
                return c->with_disk ? plan_note_disk(p, c->known) : 0;
        case CHANGE_EXCLUDED:
                forget = plan_op(OP_FORGET, c);
                forget.entry = *c->known;
                return plan_make(p, &forget);
        case CHANGE_OMITTED:
                p->totals.omitted++;
                if (c->err) {
                        plan_note(p, PLAN_NOTE_HIDDEN, c->seen->key, c->err, NULL);
                        p->totals.unseen++;
                }
                return 0;
        }
        return -EINVAL;
}

static int plan_step(struct plan *p, const struct change *c)
{
        const char *key = c->seen ? c->seen->key : c->known->key;

        if (p->tree_open && !entry_key_below(key, str_z(&p->tree_key))) {
                int r = plan_close_tree(p);

                if (r < 0)
                        return r;
        }
        if (c->seen && c->seen->kind == KIND_FILE)
                p->totals.seen_files++;
        else if (c->seen && c->seen->kind == KIND_DIR)
                p->totals.seen_dirs++;
        return plan_change(p, c);
}

static void plan_brake(struct plan *p)
{
        const struct plan_policy *policy = p->policy;

        p->totals.held = p->totals.drops > policy->max_delete &&
                         p->totals.drops * 100 >
                                 policy->known_total * policy->max_delete_percent;
}

int plan_run(const struct plan_policy *policy, struct diff *diff, struct entry_iter *remote,
             const struct plan_sink *sink, struct plan_totals *ret)
{
        struct plan p = {.policy = policy,
                         .remote_iter = remote,
                         .sink = sink,
                         .tree_key = STR_NULL(SIZE_MAX / 4),
                         .away_dir = STR_NULL(SIZE_MAX / 4),
                         .unfit_dir = STR_NULL(SIZE_MAX / 4)};
        struct change c;
        int r = 0;

        if (remote)
                r = entry_iter_next(remote, &p.remote);
        if (r == 0)
                p.remote = NULL;
        while (r >= 0 && (r = diff_next(diff, &c)) > 0) {
                r = plan_step(&p, &c);
                if (p.tree_key.failed)
                        r = -ENOMEM;
        }
        if (r == 0)
                r = plan_close_tree(&p);
        if (r == 0 && diff->root_err) {
                plan_note(&p, PLAN_NOTE_UNSEEN, "", diff->root_err, NULL);
                p.totals.unseen++;
        }
        str_finish(&p.tree_key);
        str_finish(&p.unfit_dir);
        str_finish(&p.away_dir);
        if (r < 0)
                return r;
        plan_brake(&p);
        *ret = p.totals;
        return 0;
}
