/* SPDX-License-Identifier: MIT */

#include "tests/sim/rule.h"

#include "daemon/cycle.h"
#include "daemon/root.h"
#include "lib/core/disguise.h"
#include "lib/core/match.h"
#include "lib/engine/walk.h"
#include "lib/yadisk/flow_move.h"
#include "tests/sim/edit.h"
#include "tests/sim/fault.h"
#include "tests/sim/snap.h"
#include "tests/sim/tree.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* How old a look may be that a removal rests on: what the wires take. */
#define RULE_LOOK_NS (10 * SECOND)
/* … and a listing, of one folder among others. */
#define RULE_LISTED_NS (60 * SECOND)
/* What stands there so long has been seen by whoever looks. */
#define RULE_ARRIVED_NS (15 * SECOND)
#define RULE_IS_DIR UINT64_MAX

/* One thing remembered by its path. */
struct note {
        char path[DISK_PATH_MAX];
        enum kind kind;
        int err;
        uint64_t number;
        int64_t at_ns;
};

struct notes {
        struct note *items;
        size_t n, size;
};

static struct {
        const struct config *config;
        struct pairs held;      /* (path, content) that stood in the cloud */
        struct pairs claimed;   /* that the service said to have stored */
        struct notes looked;    /* by key: the last look here */
        struct notes seen;      /* by path: what the cloud showed last; number: the content */
        struct notes serials;   /* by path: as of which serial that was */
        struct notes listed;    /* by path of a folder: number: as of which serial */
        struct notes wires;     /* by wire name: `path` of the map is the key, in `keys` */
        struct notes touched;   /* paths at which the second writer was */
        struct notes foreign;   /* path: "", number: content */
        struct notes plan, held_plan, approved; /* keys of what goes */
        struct notes makes;     /* of what comes; number: something goes before */
        int64_t pass_ns;        /* when it began */
        struct notes dropped;   /* keys that this pass removed */
        char wire_keys[256][TREE_KEY_MAX];
        uint64_t known, drops;  /* of this pass */
        uint64_t edits;         /* while walking, when the scan began */
        bool adopting, root_proper, root_again;
        bool lost;              /* the snapshot, or what it knew last */
        bool rebound;           /* the cloud folder is another one than at the beginning */
        struct notes excused;   /* paths that only a person can put right */
} rule;

/* ---- notes ------------------------------------------------------------------------------------ */

static struct note *notes_find(const struct notes *t, const char *path)
{
        for (size_t i = 0; i < t->n; i++)
                if (str_eq(t->items[i].path, path))
                        return &t->items[i];
        return NULL;
}

static struct note *notes_add(struct notes *t, const char *path)
{
        struct note *n;

        if (t->n == t->size) {
                t->size = t->size ? 2 * t->size : 32;
                t->items = reallocarray(t->items, t->size, sizeof(struct note));
                if (!t->items)
                        abort();
        }
        n = &t->items[t->n++];
        n->kind = KIND_NONE;
        n->err = 0;
        n->number = 0;
        str_copy(n->path, sizeof(n->path), path);
        n->at_ns = loop.now_ns;
        return n;
}

static struct note *notes_set(struct notes *t, const char *path)
{
        struct note *n = notes_find(t, path);

        if (!n)
                n = notes_add(t, path);
        n->at_ns = loop.now_ns;
        return n;
}

static void notes_copy(struct notes *to, const struct notes *from)
{
        for (size_t i = 0; i < from->n; i++)
                if (!notes_find(to, from->items[i].path))
                        notes_add(to, from->items[i].path);
}

static void notes_finish(struct notes *t)
{
        free(t->items);
        *t = (struct notes){0};
}

/* ---- paths ------------------------------------------------------------------------------------ */

static const char *rule_root_path(void)
{
        return rule.config->cloud + strlen("disk:/");
}

/* The key of what is below the cloud folder; NULL for what is not, or is the folder itself. */
static const char *rule_key(const char *path)
{
        const char *root = rule_root_path();

        return entry_key_below(path, root) ? path + strlen(root) + 1 : NULL;
}

static void rule_path(const char *key, char ret[DISK_PATH_MAX])
{
        snprintf(ret, DISK_PATH_MAX, "%s/%s", rule_root_path(), key);
}

static bool rule_is_wire(const char *path)
{
        return disguise_is_wire(entry_key_name(path));
}

/* ---- life ------------------------------------------------------------------------------------- */

void rule_begin(const struct config *config)
{
        memset(&rule, 0, sizeof(rule));
        rule.config = config;
}

void rule_finish(void)
{
        struct notes *all[] = {&rule.looked,    &rule.seen,    &rule.serials, &rule.listed,
                               &rule.wires,     &rule.touched, &rule.foreign, &rule.plan,
                               &rule.held_plan, &rule.approved, &rule.dropped, &rule.excused, &rule.makes};

        for (size_t i = 0; i < ARRAY_SIZE(all); i++)
                notes_finish(all[i]);
        pairs_finish(&rule.held);
        pairs_finish(&rule.claimed);
}

static void rule_forget_sent(void)
{
        for (struct thing *t = disk.all; t; t = t->all)
                t->sent = false;
}

void rule_pass_begins(void)
{
        _cleanup_(freep) char *binding = cycle_binding(rule.config);
        const char *now = snap_meta("binding");

        rule.adopting = !snap_meta("adopted") || !now || !str_eq(now, binding);
        if (rule.adopting) /* what was sent before is found by looking, or not at all */
                rule_forget_sent();
        rule.root_proper = rule.root_again = false;
        rule.pass_ns = loop.now_ns;
        rule.known = snap_total();
        rule.drops = 0;
        rule.plan.n = rule.dropped.n = rule.makes.n = 0;
}

void rule_root(bool proper, bool again)
{
        if (again)
                rule.root_again = proper;
        else
                rule.root_proper = proper;
}

/* What goes in the end was absent when it was scanned, unless that was changed on the way. */
static void rule_planned_drop(const struct op *op, bool at_last)
{
        const struct node *n = tree_really(op->entry.key);

        if (snap.damage) /* such a plan is thrown away at the end of the rows */
                return;
        if (n && n->kind == op->entry.kind && !edit_is_over_bare(op->entry.key) &&
            rule.edits == sim.counts.by[SIM_EDIT_IN_WALK])
                sim_fail("(4) %s is to go%s, and it is here", op->entry.key,
                         at_last ? "" : " to make room");
}

void rule_scan_begins(void)
{
        rule.known = snap_total(); /* what was begun is settled by now, what was moved written down */
        rule.edits = sim.counts.by[SIM_EDIT_IN_WALK];
}

static void rule_makes(const struct op *op)
{
        struct note *n = notes_add(&rule.makes, op->entry.key);

        n->kind = op->entry.kind;
        n->number = op->after_drop;
}

void rule_planned(const struct op *op, bool at_last)
{
        char path[DISK_PATH_MAX];
        struct thing *t;

        if (op->verb == OP_DROP || op->verb == OP_DROP_TREE)
                rule_planned_drop(op, at_last);
        if (op->verb == OP_DROP || op->verb == OP_DROP_TREE)
                notes_add(&rule.plan, op->entry.key)->number =
                        at_last && !tree_really(op->entry.key);
        if (op->verb == OP_PUT || op->verb == OP_MKDIR)
                rule_makes(op);
        if (op->verb != OP_FORGET)
                return;
        rule_path(op->entry.key, path); /* excluded: from now on nobody's */
        rule_touched(path);
        t = disk_find(disk.root, path);
        if (t)
                t->alien = true;
}

void rule_approved(void)
{
        notes_copy(&rule.approved, &rule.held_plan);
}

void rule_touched(const char *path)
{
        notes_set(&rule.touched, path);
}

void rule_hidden(const char *key)
{
        char path[DISK_PATH_MAX];

        rule_path(key, path);
        rule_touched(path);
}

bool rule_was_touched(const char *path)
{
        for (size_t i = 0; i < rule.touched.n; i++)
                if (str_eq(path, rule.touched.items[i].path) ||
                    entry_key_below(path, rule.touched.items[i].path) ||
                    entry_key_below(rule.touched.items[i].path, path))
                        return true;
        return false;
}

void rule_foreign(uint64_t content)
{
        notes_add(&rule.foreign, "")->number = content;
}

void rule_foreign_gone(uint64_t content)
{
        for (size_t i = 0; i < rule.foreign.n; i++)
                if (rule.foreign.items[i].number == content)
                        rule.foreign.items[i].number = 0;
}

void rule_rebound(void)
{
        rule.rebound = true;
        rule_lost_snapshot();
}

void rule_lost_snapshot(void)
{
        rule.lost = true;
        for (struct thing *t = disk.all; t; t = t->all) {
                t->alien = true;
                t->sent = false;
        }
}

/* ---- (4) proof -------------------------------------------------------------------------------- */

void rule_looked(const char *key, enum kind kind, int err)
{
        struct note *n = notes_set(&rule.looked, key);

        n->kind = kind;
        n->err = err;
        n->number = err == ENOENT && tree_really(key) && !edit_is_over_bare(key); /* it is only hidden: that proves nothing */
        sim_trace("look: %s -> %s", key, err ? strerror(err) : kind == KIND_DIR ? "folder" : "file");
}

/* Whether a look right before has shown that what the cloud has (`kind`) is not here: at the key
 * itself or at a folder above it. */
static bool rule_proven(const char *key, enum kind kind)
{
        char above[DISK_PATH_MAX];

        str_copy(above, sizeof(above), key);
        for (;;) {
                const struct note *n = notes_find(&rule.looked, above);

                if (n && loop.now_ns - n->at_ns <= RULE_LOOK_NS && !n->number &&
                    (n->err == ENOENT ||
                     (!n->err && n->kind != KIND_OTHER && n->kind != kind)))
                        return true;
                if (!*above)
                        return false;
                above[entry_key_parent(above)] = '\0';
                kind = KIND_DIR;
        }
}

static bool rule_in_plan(const struct notes *plan, const char *key)
{
        for (size_t i = 0; i < plan->n; i++)
                if (str_eq(plan->items[i].path, key) || entry_key_below(key, plan->items[i].path))
                        return true;
        return false;
}

static void rule_check_brake(const char *key)
{
        const struct config *config = rule.config;

        if (rule_in_plan(&rule.dropped, key)) /* also with a folder that could not go as a whole */
                return;
        notes_add(&rule.dropped, key);
        rule.drops += snap_count(key);
        if (rule.drops > config->max_delete &&
            rule.drops * 100 > rule.known * config->max_delete_percent &&
            !rule_in_plan(&rule.approved, key))
                sim_fail("(4) %s goes: %" PRIu64 " of %" PRIu64 " entries, and nobody has approved",
                         key, rule.drops, rule.known);
}

/* Whether the plan has it because something else stood in its place, and not because it is gone. */
static bool rule_replaced(const char *key)
{
        for (size_t i = 0; i < rule.plan.n; i++)
                if (!rule.plan.items[i].number &&
                    (str_eq(rule.plan.items[i].path, key) ||
                     entry_key_below(key, rule.plan.items[i].path)))
                        return true;
        return tree_really(key) != NULL;
}

/* Whether a newer version of the file stands beside it under a wire name. */
static bool rule_waits_beside(const struct thing *t, const char *key)
{
        for (const struct thing *c = t->parent->first; c; c = c->next)
                if (c->kind == KIND_FILE && disguise_is_wire(c->name) &&
                    pairs_has(&tree.had, key, c->content))
                        return true;
        /* or the service has said so */
        return fault_possible(SIM_FAULT_CORRUPT) || fault_possible(SIM_FAULT_FORGOTTEN);
}

static bool rule_in_makes(const char *key)
{
        const struct note *n = notes_find(&rule.makes, key);

        return n && (!n->number || !snap_row(key));
}

static void rule_check_removal(const struct job *j, const char *key)
{
        const struct thing *t = disk_find(disk.root, j->path);
        const struct node *n = tree_really(key);
        enum kind kind = j->has_md5 ? KIND_FILE : KIND_DIR; /* of what could go */
        bool replaced = rule_replaced(key);

        if (!t || j->since_ns < rule.pass_ns)
                return; /* it was on its way before: by a run that was killed, or by a pass that gave up */
        if (n && n->kind == KIND_FILE && kind == KIND_FILE)
                return; /* an older version makes room */
        if (kind == KIND_FILE && rule_in_makes(key))
                return; /* what is not ours makes room for what the scan saw */
        if (kind == KIND_FILE && t->kind == KIND_FILE && rule_waits_beside(t, key))
                return; /* so it does for what is to get its name, and is gone here since */
        if (t->kind == KIND_DIR && !t->first)
                return; /* an empty folder: nothing is lost with it */
        if (!rule_proven(key, kind))
                sim_fail("(4) %s goes, and no look has shown that it is not here", key);
        if (rule.adopting)
                sim_fail("(4) %s goes while adopting", key);
        if (!rule.root_proper)
                sim_fail("(4) %s goes, and it is not the right folder", key);
        if (!replaced && !rule.root_again)
                sim_fail("(4) %s goes, and the folder was not checked again", key);
        if (!replaced && rule.config->delete_mode == DELETE_NEVER)
                sim_fail("(4) %s goes, and nothing may", key);
        rule_check_brake(key);
}

bool rule_expects(const char *path, enum kind kind, uint64_t content)
{
        const char *key = rule_key(path);
        const struct doubt *doubt = key ? snap_doubt(key) : NULL;

        return doubt && doubt->kind == kind &&
               (kind == KIND_DIR || content_of_md5(doubt->md5) == content);
}

/* Folders above a thing are made when they have vanished; an audit was demanded then. */
static void rule_check_doubt(enum deed what, const char *path)
{
        const char *key = rule_key(path);

        if (!key || rule_is_wire(key) || snap_doubt(key) || rule.lost)
                return;
        if (what != DEED_MKDIR || !snap_meta("audit.at"))
                sim_fail("(9) %s changes, and no doubt was written down", path);
}

/* What is moved from its own name has a note instead. */
static bool rule_is_noted(const char *path)
{
        const char *key = rule_key(path);
        char fact[TREE_KEY_MAX + 16];

        snprintf(fact, sizeof(fact), FLOW_MOVE_FACT "%s", key ? key : "");
        return snap_meta(fact);
}

void rule_asks(const struct job *j)
{
        const char *root = rule_root_path(), *key = rule_key(j->path);

        if (rule.rebound) /* it may have been on its way since before */
                return;
        if (!key && !str_eq(j->path, root) &&
            !(j->what == DEED_MKDIR && entry_key_below(root, j->path)))
                sim_fail("a change outside the cloud folder: %s", j->path);
        if (*j->to && !rule_key(j->to))
                sim_fail("a move out of the cloud folder: %s", j->to);
        /* What is sent is checked then: rule_sends(). */
        if (j->what != DEED_STORE && !(j->what == DEED_MOVE && rule_is_noted(j->path)))
                rule_check_doubt(j->what, *j->to ? j->to : j->path);
        if (j->what != DEED_DELETE)
                return;
        if (!key)
                sim_fail("(4) the cloud folder itself goes");
        else if (!rule_is_wire(key))
                rule_check_removal(j, key);
}

/* ---- (2) and (3) losses ----------------------------------------------------------------------- */

/* What the service has shown may not have been seen. */
static bool rule_loses_answers(void)
{
        return fault_possible(SIM_FAULT_500_DONE) || fault_possible(SIM_FAULT_LOST_REPLY) ||
               fault_possible(SIM_FAULT_GARBLED);
}

/* The scan has seen a folder there, a moment ago. */
static bool rule_makes_dir(const char *key)
{
        const struct note *n = notes_find(&rule.makes, key);

        return n && n->kind == KIND_DIR;
}

static void rule_loses_foreign(const struct job *j, const char *path, const struct thing *t)
{
        const struct note *seen = notes_find(&rule.seen, path);
        const struct note *serial = notes_find(&rule.serials, path);
        const struct note *listed;
        const char *key = rule_key(path);
        char folder[DISK_PATH_MAX];
        bool later = t->since_ns > j->since_ns; /* it came when this was asked for already */

        if (j->what == DEED_STORE || j->what == DEED_MOVE) {
                /* The service overwrites without a condition: what came after the last look is
                 * lost, or after a body was sent that is stored late, and nobody can help it. */
                if (!(j->what == DEED_STORE && later) &&
                    (!seen || seen->kind != KIND_FILE || (seen->number & CONTENT_FOREIGN) ||
                     t->serial <= serial->number))
                        sim_fail("(2) %s, which is foreign, is overwritten", path);
                rule_foreign_gone(t->content);
                return;
        }
        if (j->permanently)
                sim_fail("(2) %s, which is foreign, is erased", path);
        if (str_eq(path, j->path) && j->has_md5) {
                const struct node *n = key ? tree_really(key) : NULL;

                if (n && n->kind == KIND_FILE && !rule_makes_dir(key) &&
                    !rule_waits_beside(t, key))
                        sim_fail("(2) %s, which is foreign, makes room before ours has arrived",
                                 path);
                return;
        }
        /* What came after the folder was listed goes with it, and nobody can help it. */
        if (later)
                return;
        str_copy(folder, sizeof(folder), path);
        if (!str_eq(path, j->path))
                folder[entry_key_parent(path)] = '\0';
        while (!(listed = notes_find(&rule.listed, folder)) && *folder)
                folder[entry_key_parent(folder)] = '\0'; /* a folder that is new itself */
        if (!listed || (t->serial <= listed->number && !rule_loses_answers()) || j->since_ns - listed->at_ns > RULE_LISTED_NS)
                sim_fail("(2) %s, which is foreign, is trashed with its folder", path);
}

static void rule_loses_ours(const struct job *j, const char *path, const struct thing *t,
                            uint64_t content)
{
        const char *key = rule_key(path);
        const struct node *n = key ? tree_really(key) : NULL;

        if (!key || rule_is_wire(key))
                return;
        if (j->what == DEED_DELETE && !j->has_md5 && t->since_ns > j->since_ns) {
                /* A folder's removal, asked for twice and carried out twice, takes what has come to
                 * stand in its place: it has no condition, and the audit finds it. */
                rule_touched(path);
                return;
        }
        if (j->what == DEED_STORE || j->what == DEED_MOVE) {
                if (!pairs_has(&tree.had, key, content) && !fault_possible(SIM_FAULT_CORRUPT))
                        sim_fail("(3) %s is overwritten with what it never held here", path);
                return;
        }
        if (n && n->kind != KIND_DIR && !rule_proven(key, KIND_FILE) && !rule_makes_dir(key) &&
            !rule_waits_beside(t, key))
                sim_fail("(3) %s is removed, and it is here", path);
}

void rule_loses(const struct job *j, const char *path, const struct thing *t, uint64_t content)
{
        char below[DISK_PATH_MAX];

        if (j->what == DEED_DELETE && t->kind == KIND_DIR && j->permanently)
                sim_fail("(2) the folder %s is erased", path);
        for (const struct thing *c = t->first; c; c = c->next) {
                snprintf(below, sizeof(below), "%s/%s", path, c->name);
                rule_loses(j, below, c, 0);
        }
        if (t->kind == KIND_FILE && (t->content & CONTENT_FOREIGN))
                rule_loses_foreign(j, path, t);
        else if (t->kind == KIND_FILE)
                rule_loses_ours(j, path, t, content);
}

/* What an upload has put there gets its name, or what was moved here is moved there. */
void rule_moves(const struct job *j, const struct thing *from)
{
        const char *key = rule_key(j->path);
        const struct note *look = key ? notes_find(&rule.looked, key) : NULL;

        if (from->kind == KIND_FILE && rule_is_wire(j->path) && j->overwrite)
                return;
        if (!key || rule.rebound || j->since_ns < rule.pass_ns)
                return;
        if (j->overwrite)
                sim_fail("(2) %s is moved over what may stand there", key);
        if (rule_is_wire(j->path))
                return;
        if (!look || loop.now_ns - look->at_ns > RULE_LOOK_NS)
                sim_fail("(4) %s is moved, and nobody has looked", key);
        if (rule.adopting || !rule.root_proper || !rule.root_again)
                sim_fail("(4) %s is moved, and the folder was not checked", key);
        if (rule.config->delete_mode == DELETE_NEVER)
                sim_fail("(4) %s leaves its place, and nothing may", key);
}

/* What comes to stand under a file's own name is a state that the file had. */
void rule_brings(const char *path, uint64_t content)
{
        const char *key = rule_key(path);

        if (!key || rule_is_wire(key) || fault_possible(SIM_FAULT_CORRUPT))
                return;
        if (!pairs_has(&tree.had, key, content))
                sim_fail("(3) %s gets a content that the file never had here", path);
}

/* ---- (5) nothing twice ------------------------------------------------------------------------ */

void rule_sends(const char *url, uint64_t content)
{
        const char *slash = strrchr(url, '/');
        const struct job *j = disk_job_of((unsigned)strtoul(slash + 1, NULL, 10));
        const struct note *wire;
        const struct thing *t;
        char path[DISK_PATH_MAX];

        if (j)
                rule_check_doubt(DEED_STORE, j->path);
        if (!j || fault_possible(SIM_FAULT_STALE) || fault_possible(SIM_FAULT_STORED_LATE) ||
            fault_possible(SIM_FAULT_MD5_LATE) ||
            (fault_possible(SIM_FAULT_ASYNC) && fault_possible(SIM_FAULT_OP_GONE)))
                return; /* doubts that looking does not always resolve in time */
        str_copy(path, sizeof(path), j->path);
        if (rule_is_wire(path)) {
                wire = notes_find(&rule.wires, entry_key_name(path));
                if (!wire)
                        sim_fail("(5) %s goes up, and it was not written down before", path);
                else
                        rule_path(rule.wire_keys[wire->number], path);
        }
        t = disk_find(disk.root, path);
        if (t && t->kind == KIND_FILE && t->content == content && t->sent &&
            loop.now_ns - t->since_ns > RULE_ARRIVED_NS && !rule_was_touched(path))
                sim_fail("(5) %s is sent, and has arrived before", path);
}

/* ---- (7) the snapshot ------------------------------------------------------------------------- */

void rule_stands(const char *path, const struct thing *t)
{
        pairs_add(&rule.held, path, t->kind == KIND_DIR ? RULE_IS_DIR : t->content);
}

void rule_claims(const char *path, uint64_t content)
{
        const struct note *wire = notes_find(&rule.wires, entry_key_name(path));
        char own[DISK_PATH_MAX];

        pairs_add(&rule.claimed, path, content);
        if (!wire)
                return;
        rule_path(rule.wire_keys[wire->number], own);
        pairs_add(&rule.claimed, own, content);
}

static void rule_shows_one(const char *path, const struct thing *t, uint64_t serial)
{
        struct note *n = notes_set(&rule.seen, path);

        n->kind = t ? t->kind : KIND_NONE;
        n->number = t ? t->content : 0;
        notes_set(&rule.serials, path)->number = serial;
}

void rule_shows(const char *path, const struct thing *t, uint64_t serial, bool listing)
{
        char below[DISK_PATH_MAX];

        rule_shows_one(path, t, serial);
        if (!listing || !t)
                return;
        notes_set(&rule.listed, path)->number = serial;
        for (const struct thing *c = t->first; c; c = c->next) {
                snprintf(below, sizeof(below), "%s/%s", path, c->name);
                rule_shows_one(below, c, serial);
        }
}

static void rule_row(const struct entry *e, bool unverified)
{
        uint64_t content = e->kind == KIND_DIR ? RULE_IS_DIR : content_of_md5(e->md5);
        char path[DISK_PATH_MAX];
        struct thing *t;

        rule_path(e->key, path);
        if (!pairs_has(&rule.held, path, content) &&
            !(unverified && pairs_has(&rule.claimed, path, content)) &&
            !(rule_was_touched(path) && (unverified || rule.config->verify == VERIFY_OFF)))
                sim_fail("(7) a row says of %s what the cloud never held", path);
        if (e->kind == KIND_FILE && e->size != content_size(content))
                sim_fail("(7) a row says of %s what cannot be", path);
        t = disk_find(disk.root, path);
        if (t && t->kind == e->kind && (e->kind == KIND_DIR || t->content == content))
                t->alien = false;
}

/* A row that a lie of the service has made is taken back; what stood there before is known no more. */
static void rule_forgotten(const char *key)
{
        char path[DISK_PATH_MAX];
        struct thing *t;

        if (!*key) /* bound to another folder: what was begun for the last is nobody's */
                for (t = disk.all; t; t = t->all)
                        t->alien = true;
        rule_path(key, path);
        t = disk_find(disk.root, path);
        if (t && (fault_possible(SIM_FAULT_CORRUPT) || fault_possible(SIM_FAULT_FORGOTTEN)))
                t->alien = true;
}

/* An upload that got its name before a crash is known by its intent alone; once that is swept, nobody
 * knows that the file has arrived. */
static void rule_intent_over(const char *wire)
{
        const struct note *n = notes_find(&rule.wires, wire);
        char path[DISK_PATH_MAX];
        struct thing *t;

        if (!n || snap_row(rule.wire_keys[n->number]))
                return;
        rule_path(rule.wire_keys[n->number], path);
        t = disk_find(disk.root, path);
        if (t)
                t->sent = false;
}

static void rule_wires_moved(const char *from, const char *to)
{
        for (size_t i = 0; i < rule.wires.n; i++) {
                char *own = rule.wire_keys[rule.wires.items[i].number], key[TREE_KEY_MAX];

                if (!entry_key_below(own, from))
                        continue;
                snprintf(key, sizeof(key), "%s%s", to, own + strlen(from));
                str_copy(own, TREE_KEY_MAX, key);
        }
}

/* What rows say of a place they say of the new one now. */
static void rule_rows_moved(const char *from, const char *to)
{
        const struct entry *row;

        rule_wires_moved(from, to);

        for (size_t i = 0; (row = snap_at(i)); i++) {
                char key[TREE_KEY_MAX / 2], path[DISK_PATH_MAX], old[DISK_PATH_MAX];
                struct entry moved = *row;
                uint64_t content;

                if (!str_eq(row->key, from) && !entry_key_below(row->key, from))
                        continue;
                snprintf(key, sizeof(key), "%s%s", to, row->key + strlen(from));
                moved.key = key;
                rule_path(key, path);
                rule_path(row->key, old);
                content = row->kind == KIND_DIR ? RULE_IS_DIR : content_of_md5(row->md5);
                if (pairs_has(&rule.held, old, content)) /* though it may not be there any more */
                        pairs_add(&rule.held, path, content);
                if (pairs_has(&rule.held, path, content))
                        rule_row(&moved, row->flags & ENTRY_UNVERIFIED);
        }
}

void rule_recorded(const struct record *r)
{
        struct note *n;

        switch (r->verb) {
        case RECORD_ROW:
                sim_trace("row: %s%s%s", r->entry.key,
                          r->entry.flags & ENTRY_UNVERIFIED ? " unverified" : "",
                          r->entry.flags & ENTRY_RACY ? " racy" : "");
                rule_row(&r->entry, r->entry.flags & ENTRY_UNVERIFIED);
                return;
        case RECORD_VERIFIED:
                sim_trace("row: %s is verified", r->entry.key);
                rule_row(&r->entry, false);
                return;
        case RECORD_INTENT:
                sim_trace("row: intent %s for %s", r->wire, r->entry.key);
                n = notes_set(&rule.wires, r->wire);
                n->number = (uint64_t)(n - rule.wires.items) % ARRAY_SIZE(rule.wire_keys);
                str_copy(rule.wire_keys[n->number], TREE_KEY_MAX, r->entry.key);
                return;
        case RECORD_MOVE:
                sim_trace("row: %s is at %s now", r->from, r->entry.key);
                rule_rows_moved(r->from, r->entry.key);
                return;
        case RECORD_META:
                sim_trace("row: %s = %s", r->name, r->value ? r->value : "nothing");
                if (!str_eq(r->name, "held") || !r->value)
                        return;
                sim_count(SIM_LIFE_HELD);
                rule.held_plan.n = 0;
                notes_copy(&rule.held_plan, &rule.plan);
                return;
        case RECORD_FORGET:
        case RECORD_FORGET_TREE:
                sim_trace("row: %s is forgotten", r->entry.key);
                rule_forgotten(r->entry.key);
                return;
        case RECORD_INTENT_DONE:
                sim_trace("row: intent %s is over", r->wire);
                rule_intent_over(r->wire);
                return;
        case RECORD_DOUBT:
                sim_trace("row: doubt: %s becomes %s%s", r->entry.key,
                          r->entry.kind == KIND_NONE   ? "nothing"
                          : r->entry.kind == KIND_FILE ? "a file"
                                                       : "a folder",
                          r->looked ? ", looked at" : "");
                return;
        case RECORD_DOUBT_DONE:
                sim_trace("row: doubt about %s is over", r->entry.key);
                return;
        case RECORD_REMNANT:
        case RECORD_REMOTE:
        case RECORD_REMOTE_CLEAR:
                return;
        }
}

/* ---- (1), (2) and (6) at rest ----------------------------------------------------------------- */

/* Whether something in it is not ours. */
static bool rule_holds_alien(const struct thing *t)
{
        if (t->alien)
                return true;
        for (const struct thing *c = t->first; c; c = c->next)
                if (rule_holds_alien(c))
                        return true;
        return false;
}

/* A body of an older version, stored most of a minute after its answer was lost, overwrites what was
 * sent since: the service has no condition that could prevent it, and the audit finds it. */
static bool rule_came_late(const char *key, const struct thing *t)
{
        return fault_possible(SIM_FAULT_STORED_LATE) && t && t->kind == KIND_FILE &&
               (pairs_has(&tree.had, key, t->content) || fault_possible(SIM_FAULT_CORRUPT));
}

static void rule_judge_here(const struct entry *e)
{
        char path[DISK_PATH_MAX];
        const struct thing *t;
        const struct node *n = tree_really(e->key);

        rule_path(e->key, path);
        t = disk_find(disk.root, path);
        if (t && t->kind == e->kind && (e->kind == KIND_DIR || t->content == n->content))
                return;
        /* A folder that holds what is not ours keeps its name: a person has to say which of the
         * two is to go. */
        if (rule_was_touched(path) || rule_came_late(e->key, t) || (t && t->kind == KIND_DIR && rule_holds_alien(t)))
                notes_set(&rule.excused, path);
        else
                sim_fail("(1) %s is here (%" PRIx64 "), and the cloud has %s (%" PRIx64 ")", e->key,
                         n->content, !t ? "nothing" : t->kind == KIND_DIR ? "a folder" : "a file",
                         t ? t->content : 0);
}

struct rule_seen {
        struct pairs mirrored; /* (key, kind) of what is to be mirrored */
        struct pairs other;    /* (key, 0): left out, for whatever reason, with all below it */
};

static void rule_see(struct rule_seen *s, const struct entry *e, char unfit[TREE_KEY_MAX])
{
        bool below = *unfit && entry_key_below(e->key, unfit);

        if (!below)
                *unfit = '\0';
        if (below || !*e->key)
                return;
        if (e->err || (e->flags & ENTRY_EXCLUDED) ||
            (e->kind != KIND_FILE && e->kind != KIND_DIR) || entry_key_unfit(e->key) ||
            (e->kind == KIND_FILE && rule_is_wire(e->key))) {
                str_copy(unfit, TREE_KEY_MAX, e->key);
                pairs_add(&s->other, e->key, 0);
                return;
        }
        pairs_add(&s->mirrored, e->key, e->kind);
        rule_judge_here(e);
}

static bool rule_left_out(const struct rule_seen *s, const char *key)
{
        char above[DISK_PATH_MAX];

        str_copy(above, sizeof(above), key);
        while (*above) {
                if (pairs_has(&s->other, above, 0))
                        return true;
                above[entry_key_parent(above)] = '\0';
        }
        return false;
}

/* A body may come to be stored most of a minute after its answer was lost, and several times when it
 * was sent again; what came after the sweep is the audit's to find. */
static bool rule_may_lag(void)
{
        return fault_possible(SIM_FAULT_STORED_LATE) || rule.lost; /* or its intent was lost */
}

/* What has arrived and cannot get its name waits under the wire name until it can. */
static bool rule_waits_for_somebody(const char *key)
{
        const struct note *wire = notes_find(&rule.wires, entry_key_name(key));
        char own[DISK_PATH_MAX];

        if (!wire)
                return false;
        rule_path(rule.wire_keys[wire->number], own);
        return notes_find(&rule.excused, own);
}

static void rule_judge_there(const struct rule_seen *s, const struct thing *t, const char *path)
{
        char below[DISK_PATH_MAX];
        const char *key = rule_key(path);

        if (key && t->kind == KIND_FILE && rule_is_wire(key) && !rule_waits_for_somebody(key) &&
            !rule_was_touched(path) && !rule_may_lag())
                sim_fail("(6) %s stays in the cloud", path);
        else if (key && !pairs_has(&s->mirrored, key, t->kind) && !rule_holds_alien(t) &&
                 !rule_left_out(s, key) && rule.config->delete_mode != DELETE_NEVER &&
                 !rule_was_touched(path))
                sim_fail("(1) %s is not here, and the cloud has it (%" PRIx64 ")", path, t->content);
        for (const struct thing *c = t->first; c; c = c->next) {
                snprintf(below, sizeof(below), "%s/%s", path, c->name);
                rule_judge_there(s, c, below);
        }
}

static bool rule_somewhere(const struct thing *t, uint64_t content)
{
        if (t->kind == KIND_FILE && t->content == content)
                return true;
        for (const struct thing *c = t->first; c; c = c->next)
                if (rule_somewhere(c, content))
                        return true;
        return false;
}

static void rule_judge_foreign(void)
{
        for (size_t i = 0; i < rule.foreign.n; i++) {
                uint64_t content = rule.foreign.items[i].number;

                if (content && !pairs_has(&disk.trashed, "", content) &&
                    !rule_somewhere(disk.root, content))
                        sim_fail("(2) the foreign content %" PRIx64 " is nowhere any more", content);
        }
}

void rule_judge(void)
{
        struct rule_seen seen = {0};
        char unfit[TREE_KEY_MAX] = "";
        struct walk_options options = {0};
        const struct entry *e;
        struct match *match = NULL;
        struct walk *walk = NULL;
        struct root root;
        const struct thing *t = disk_find(disk.root, rule_root_path());

        if (root_open(&root, "/", NULL) < 0 || match_create(&match, rule.config->exclude, NULL) < 0)
                abort();
        options.match = match;
        walk_create(&walk, root.fd, &options, NULL);
        while (entry_iter_next(walk_iter(walk), &e) > 0)
                rule_see(&seen, e, unfit);
        walk_destroy(walk);
        match_destroy(match);
        root_close(&root);
        if (t)
                rule_judge_there(&seen, t, rule_root_path());
        rule_judge_foreign();
        pairs_finish(&seen.mirrored);
        pairs_finish(&seen.other);
}

bool rule_excuses(void)
{
        return rule.excused.n > 0 || rule.touched.n > 0;
}
