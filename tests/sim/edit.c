/* SPDX-License-Identifier: MIT */

#include "tests/sim/edit.h"

#include "lib/core/disguise.h"
#include "tests/sim/disk.h"
#include "tests/sim/rule.h"
#include "tests/sim/snap.h"
#include "tests/sim/tree.h"

#include <errno.h>
#include <stdio.h>

#define EDIT_MAX 256

static struct {
        char cloud_root[DISK_PATH_MAX];
        struct node *mount;        /* where another file system is mounted; NULL: nowhere */
        unsigned per_mille[SIM_COUNT_N]; /* of the moments at which something may come */
        unsigned just_read;        /* … and of those right after a file was read */
        bool coming;               /* something has come, and is being done */
        int64_t last_ns;           /* when a file was changed last … */
        struct node *last;         /* … and which */
} edit;

/* Names that meet often, that want escapes, that are slow, that cannot be mirrored. */
static const char *const edit_names[] = {
        "a", "b", "a!", "ab", "dir", "c.zip", "d.mp4", "e f+%41#?.txt", "Жук", "q\"\\u0041",
        "bad\nname", "ydsync-upload-0123456789abcdef01234567", "keep.md",
};

static const char *edit_name(void)
{
        /* The strange ones at the end are few. */
        return edit_names[sim_below(sim_chance(900) ? 9 : ARRAY_SIZE(edit_names))];
}

static uint64_t edit_content(void)
{
        return content_new(false, sim_below(CONTENT_SIZES));
}

/* ---- picking ---------------------------------------------------------------------------------- */

static struct node *edit_pick(enum kind kind)
{
        struct node *all[EDIT_MAX], *some[EDIT_MAX];
        size_t n = tree_list(all, EDIT_MAX), k = 0;

        for (size_t i = 0; i < n; i++)
                if (kind == KIND_NONE || all[i]->kind == kind)
                        some[k++] = all[i];
        return k > 0 ? some[sim_below((unsigned)k)] : NULL;
}

static struct node *edit_pick_dir(void)
{
        struct node *n = sim_chance(400) ? NULL : edit_pick(KIND_DIR);

        return n ? n : tree.home;
}

/* A mount in it keeps it where it is. */
static bool edit_pinned(const struct node *n)
{
        return edit.mount && tree_within(edit.mount, n);
}

static size_t edit_depth(const struct node *n)
{
        size_t depth = 0;

        for (; n->parent; n = n->parent)
                depth++;
        return depth;
}

static void edit_says(const char *what, const struct node *n)
{
        char key[TREE_KEY_MAX] = "?";

        tree_key(n, key);
        sim_trace("edit: %s %s%s (content %llx)", what, key, n->kind == KIND_DIR ? "/" : "",
                  (unsigned long long)n->content);
}

/* ---- the watched folder ----------------------------------------------------------------------- */

static void edit_grow(struct node *dir, unsigned depth)
{
        unsigned n = sim_below(5);

        for (unsigned i = 0; i < n && tree.n < 60; i++) {
                const char *name = edit_name();
                bool is_dir = depth < 3 && sim_chance(350);

                if (tree_child(dir, name))
                        continue;
                if (is_dir)
                        edit_grow(tree_make(dir, name, KIND_DIR, 0), depth + 1);
                else
                        tree_make(dir, name, KIND_FILE, edit_content());
        }
}

static bool edit_create(bool is_dir)
{
        struct node *dir = edit_pick_dir();
        const char *name = edit_name();
        struct node *n;

        if (tree_child(dir, name) || tree.n > 200)
                return false;
        n = tree_make(dir, name, is_dir ? KIND_DIR : KIND_FILE, is_dir ? 0 : edit_content());
        if (is_dir)
                edit_grow(n, 2);
        edit_says("create", n);
        edit.last = n;
        edit.last_ns = loop.now_ns;
        return true;
}

static bool edit_modify(void)
{
        struct node *n = edit_pick(KIND_FILE);

        if (!n)
                return false;
        tree_write(n, edit_content());
        edit_says("modify", n);
        edit.last = n;
        edit.last_ns = loop.now_ns;
        return true;
}

/* Another content of the same size, which within the clock's tick leaves the stamp as it is. */
static bool edit_racy(void)
{
        struct node *n = edit.last && loop.now_ns - edit.last_ns < tree.tick_ns ? edit.last
                                                                               : edit_pick(KIND_FILE);
        struct entry before = {0}, after = {0};

        if (!n || n->kind != KIND_FILE || n->content == 0 || n->dead)
                return false;
        tree_entry(n, &before);
        tree_write(n, content_mixed(n->content));
        tree_entry(n, &after);
        edit.last = n;
        edit.last_ns = loop.now_ns;
        edit_says(entry_stamp_eq(&before.stamp, &after.stamp) ? "rewrite, same stamp" : "rewrite",
                  n);
        return entry_stamp_eq(&before.stamp, &after.stamp);
}

static bool edit_times(bool back)
{
        struct node *n = edit_pick(KIND_FILE);

        if (!n)
                return false;
        if (back)
                tree_backdate(n, sim_chance(500) ? (int64_t)sim_below(1000) * SECOND
                                                 : loop_wall_ns() + 86400 * SECOND);
        else
                tree_touch(n);
        edit_says(back ? "set the time of" : "touch", n);
        return true;
}

static bool edit_rename(void)
{
        struct node *n = edit_pick(KIND_NONE), *dir = edit_pick_dir(), *there;
        const char *name = edit_name();

        if (!n || edit_pinned(n) || tree_within(dir, n) || edit_depth(dir) > 4 ||
            tree_seen(dir)->fs != n->fs)
                return false;
        there = tree_child(dir, name);
        if (there && (there == n || edit_pinned(there) || tree_within(n, there)))
                return false;
        edit_says("move", n);
        tree_move(n, dir, name);
        edit_says("to", n);
        return true;
}

static bool edit_swap(void)
{
        struct node *a = edit_pick(KIND_NONE), *b = edit_pick(KIND_NONE), *dir_a, *dir_b;
        char name_a[TREE_NAME_MAX], name_b[TREE_NAME_MAX];

        if (!a || !b || tree_within(a, b) || tree_within(b, a) || edit_pinned(a) ||
            edit_pinned(b) || a->fs != b->fs)
                return false;
        edit_says("swap", a);
        edit_says("with", b);
        dir_a = a->parent;
        dir_b = b->parent;
        memcpy(name_a, a->name, sizeof(name_a));
        memcpy(name_b, b->name, sizeof(name_b));
        tree_move(a, dir_a, "swapping");
        tree_move(b, dir_a, name_a);
        tree_move(a, dir_b, name_b);
        return true;
}

/* As editors do: a new file, and then it gets the name. */
static bool edit_save(void)
{
        struct node *n = edit_pick(KIND_FILE), *fresh;

        if (!n)
                return false;
        fresh = tree_make(n->parent, "saving~", KIND_FILE,
                          sim_chance(300) ? n->content : edit_content());
        tree_move(fresh, n->parent, n->name);
        edit_says("save", fresh);
        return true;
}

static bool edit_retype(bool special)
{
        struct node *n = edit_pick(KIND_NONE), *dir;
        char name[TREE_NAME_MAX];
        enum kind kind;

        if (!n || edit_pinned(n))
                return false;
        dir = n->parent;
        kind = special ? KIND_OTHER : n->kind == KIND_DIR ? KIND_FILE : KIND_DIR;
        memcpy(name, n->name, sizeof(name));
        tree_remove(n);
        n = tree_make(dir, name, kind, kind == KIND_FILE ? edit_content() : 0);
        if (kind == KIND_DIR)
                edit_grow(n, 2);
        edit_says(special ? "make a pipe of" : "retype", n);
        return true;
}

static bool edit_remove(enum kind kind)
{
        struct node *n = edit_pick(kind);

        if (!n || edit_pinned(n))
                return false;
        edit_says("remove", n);
        tree_remove(n);
        return true;
}

static bool edit_bulk(void)
{
        unsigned n = 3 + sim_below(6);

        for (unsigned i = 0; i < n; i++)
                edit_remove(KIND_NONE);
        return true;
}

static bool edit_ignore(void)
{
        struct node *dir = edit_pick_dir(), *n = tree_child(dir, ".ydignore");

        if (n && sim_chance(400)) {
                edit_says("remove", n);
                tree_remove(n);
                return true;
        }
        if (n)
                tree_write(n, content_new(false, 1));
        else
                n = tree_make(dir, ".ydignore", KIND_FILE, content_new(false, 1));
        edit_says("write", n);
        return true;
}

void edit_local(void)
{
        static const struct {
                enum sim_count what;
                unsigned weight;
        } choices[] = {
                {SIM_EDIT_CREATE, 18}, {SIM_EDIT_MKDIR, 6}, {SIM_EDIT_MODIFY, 18},
                {SIM_EDIT_RACY, 12},   {SIM_EDIT_BACKDATE, 3}, {SIM_EDIT_TOUCH, 5},
                {SIM_EDIT_RENAME, 10}, {SIM_EDIT_SWAP, 4}, {SIM_EDIT_SAVE, 6},
                {SIM_EDIT_RETYPE, 6},  {SIM_EDIT_SPECIAL, 1}, {SIM_EDIT_REMOVE, 14},
                {SIM_EDIT_REMOVE_TREE, 6}, {SIM_EDIT_BULK, 3}, {SIM_EDIT_IGNORE, 3},
        };
        unsigned at = sim_below(115), i = 0;
        bool done = false;

        while (at >= choices[i].weight)
                at -= choices[i++].weight;
        switch ((int)choices[i].what) {
        case SIM_EDIT_CREATE:
        case SIM_EDIT_MKDIR:
                done = edit_create(choices[i].what == SIM_EDIT_MKDIR);
                break;
        case SIM_EDIT_MODIFY:
                done = edit_modify();
                break;
        case SIM_EDIT_RACY:
                done = edit_racy();
                break;
        case SIM_EDIT_BACKDATE:
        case SIM_EDIT_TOUCH:
                done = edit_times(choices[i].what == SIM_EDIT_BACKDATE);
                break;
        case SIM_EDIT_RENAME:
                done = edit_rename();
                break;
        case SIM_EDIT_SWAP:
                done = edit_swap();
                break;
        case SIM_EDIT_SAVE:
                done = edit_save();
                break;
        case SIM_EDIT_RETYPE:
        case SIM_EDIT_SPECIAL:
                done = edit_retype(choices[i].what == SIM_EDIT_SPECIAL);
                break;
        case SIM_EDIT_REMOVE:
                done = edit_remove(KIND_FILE);
                break;
        case SIM_EDIT_REMOVE_TREE:
                done = edit_remove(KIND_DIR);
                break;
        case SIM_EDIT_BULK:
                done = edit_bulk();
                break;
        case SIM_EDIT_IGNORE:
                done = edit_ignore();
                break;
        }
        if (done)
                sim_count(choices[i].what);
}

void edit_may_come(enum sim_count when)
{
        if (!sim.doing || sim.steps == 0 || loop.dead || edit.coming ||
            !sim_chance(edit.per_mille[when]))
                return;
        edit.coming = true;
        sim.steps--;
        sim_count(when);
        edit_local();
        loop.now_ns += (int64_t)sim_below(300) * MS;
        if (sim_chance(300))
                edit_racy();
        edit.coming = false;
}

void edit_just_read(const char *key)
{
        struct node *n = tree_really(key);

        if (!sim.doing || sim.steps == 0 || loop.dead || edit.coming || !n ||
            loop_wall_ns() - n->ctime_ns >= tree.tick_ns || !sim_chance(edit.just_read))
                return;
        edit.coming = true;
        edit.last = n;
        edit.last_ns = loop.now_ns;
        if (edit_racy())
                sim_count(SIM_EDIT_RACY);
        edit.coming = false;
}

/* ---- what hides ------------------------------------------------------------------------------- */

static void edit_hide_root(void)
{
        struct node *n;

        switch (sim_below(3)) {
        case 0:
                if (sim_chance(500))
                        tree.at_path = NULL;
                else
                        tree.path_err = EACCES;
                sim_count(SIM_ROOT_MISSING);
                sim_trace("edit: the watched folder is not there");
                return;
        case 1:
                tree.at_path = tree_root(FS_ROOT);
                sim_count(SIM_ROOT_EMPTY);
                sim_trace("edit: an empty folder stands in the watched folder's place");
                return;
        default:
                n = tree_root(FS_OTHER);
                edit_grow(n, 1);
                tree.at_path = n;
                sim_count(SIM_ROOT_OTHER);
                sim_trace("edit: another disk stands in the watched folder's place");
                return;
        }
}

static void edit_show_root(void)
{
        tree.at_path = tree.home;
        tree.path_err = 0;
        sim_trace("edit: the watched folder is back");
}

static void edit_unmount(void)
{
        struct node *m = edit.mount;

        if (m->mounted) {
                m->unmounted = m->mounted;
                m->mounted = NULL;
                sim_count(SIM_HIDE_MOUNT);
                sim_trace("edit: %s is not mounted any more", m->name);
        } else {
                m->mounted = m->unmounted;
                m->unmounted = NULL;
                sim_trace("edit: %s is mounted again", m->name);
        }
}

static bool edit_is_hidden(void)
{
        return tree.at_path != tree.home || tree.path_err;
}

static void edit_show_all(void)
{
        for (struct node *n = tree.all; n; n = n->all) {
                n->open_err = n->look_err = n->read_err = 0;
                n->half = 0;
        }
}

void edit_hide(void)
{
        static const int errs[] = {EACCES, EIO};
        int err = errs[sim_below(2)];
        struct node *dir = edit_pick_dir(), *file = edit_pick(KIND_FILE), *any = edit_pick(KIND_NONE);

        if (edit_is_hidden() && sim_chance(600)) {
                edit_show_root();
                return;
        }
        switch (sim_below(7)) {
        case 0:
                sim_trace("edit: all can be read");
                edit_show_all();
                return;
        case 1:
                tree_seen(dir)->open_err = err;
                edit_says("cannot open", dir);
                sim_count(SIM_HIDE_DIR);
                return;
        case 2:
                tree_seen(dir)->half = 1 + sim_below(3);
                edit_says("read only half of", dir);
                sim_count(SIM_HIDE_HALF);
                return;
        case 3:
                if (!any || edit_pinned(any))
                        return;
                any->look_err = err;
                edit_says("cannot look at", any);
                sim_count(SIM_HIDE_LOOK);
                return;
        case 4:
                if (!file)
                        return;
                file->read_err = err;
                edit_says("cannot read", file);
                sim_count(SIM_HIDE_READ);
                return;
        case 5:
                if (edit.mount)
                        edit_unmount();
                return;
        default:
                if (!edit_is_hidden())
                        edit_hide_root();
                return;
        }
}

bool edit_is_over_bare(const char *key)
{
        char mount[TREE_KEY_MAX];
        const struct entry *row;

        if (!edit.mount || !tree_key(edit.mount, mount) || !entry_key_below(key, mount))
                return false;
        row = snap_row(mount);
        return !row || row->stamp.dev == 0;
}

bool edit_has_mount(void)
{
        return edit.mount;
}

bool edit_mount_is_strange(void)
{
        char key[TREE_KEY_MAX];
        const struct entry *row;

        if (!edit.mount || !tree_key(edit.mount, key))
                return false;
        for (size_t i = 0; (row = snap_at(i)); i++)
                if (row->kind == KIND_DIR && row->stamp.dev != tree.dev[FS_MOUNT] &&
                    (str_eq(row->key, key) || entry_key_below(row->key, key)))
                        return true;
        return false;
}

void edit_heal(void)
{
        edit_show_all();
        if (edit.mount && !edit.mount->mounted)
                edit_unmount();
        /* What was put on the bare mount point is hidden, and neither here nor gone. */
        if (edit.mount && edit.mount->first)
                rule_hidden(edit.mount->name);
        edit_show_root();
}

/* ---- the cloud -------------------------------------------------------------------------------- */

static size_t cloud_list(struct thing *dir, struct thing **ret, size_t n)
{
        for (struct thing *t = dir->first; t && n < EDIT_MAX; t = t->next) {
                ret[n++] = t;
                n = cloud_list(t, ret, n);
        }
        return n;
}

static struct thing *cloud_root(void)
{
        return disk_find(disk.root, edit.cloud_root);
}

static struct thing *cloud_pick(enum kind kind)
{
        struct thing *all[EDIT_MAX], *some[EDIT_MAX], *root = cloud_root();
        size_t n = root && root->kind == KIND_DIR ? cloud_list(root, all, 0) : 0, k = 0;

        for (size_t i = 0; i < n; i++)
                if ((kind == KIND_NONE || all[i]->kind == kind) && !disguise_is_wire(all[i]->name))
                        some[k++] = all[i];
        return k > 0 ? some[sim_below((unsigned)k)] : NULL;
}

static struct thing *cloud_pick_dir(void)
{
        struct thing *t = sim_chance(400) ? NULL : cloud_pick(KIND_DIR);

        return t ? t : cloud_root();
}

static void cloud_touched(const char *what, const struct thing *t)
{
        char path[DISK_PATH_MAX];

        if (!disk_path(t, path))
                return;
        rule_touched(path);
        sim_trace("somebody: %s %s%s (content %llx)", what, path, t->kind == KIND_DIR ? "/" : "",
                  (unsigned long long)t->content);
}

/* What is somebody's own, and destroyed by him, is nobody's to keep. */
static void cloud_owner_destroys(const struct thing *t)
{
        if (t->kind == KIND_FILE && (t->content & CONTENT_FOREIGN))
                rule_foreign_gone(t->content);
        for (const struct thing *c = t->first; c; c = c->next)
                cloud_owner_destroys(c);
}

static void cloud_alien(struct thing *t)
{
        t->alien = true;
        for (struct thing *c = t->first; c; c = c->next)
                cloud_alien(c);
}

static struct thing *cloud_file(struct thing *dir, const char *name, uint64_t content)
{
        struct thing *t = disk_child(dir, name);

        if (t)
                cloud_owner_destroys(t);
        if (content & CONTENT_FOREIGN)
                rule_foreign(content);
        t = disk_put(dir, name, KIND_FILE, content);
        t->alien = true;
        t->sent = false;
        return t;
}

/* Names that nobody takes for an upload of ours. */
static const char *cloud_name(void)
{
        return edit_names[sim_below(10)];
}

static bool cloud_put(bool twin)
{
        struct thing *dir = cloud_pick_dir(), *there;
        struct node *n = edit_pick(KIND_FILE);
        const char *name = twin && n ? n->name : cloud_name();

        if (!dir || (twin && !n) || disguise_is_wire(name))
                return false;
        there = disk_child(dir, name);
        if (there && there->kind == KIND_DIR)
                return false;
        cloud_touched("puts", cloud_file(dir, name,
                                         twin ? n->content
                                              : content_new(true, sim_below(CONTENT_SIZES))));
        return true;
}

static bool cloud_replace(void)
{
        struct thing *t = cloud_pick(KIND_FILE);

        if (!t)
                return false;
        cloud_touched("replaces", cloud_file(t->parent, t->name,
                                             content_new(true, sim_below(CONTENT_SIZES))));
        return true;
}

static bool cloud_remove(bool to_trash)
{
        struct thing *t = sim_chance(30) ? cloud_root() : cloud_pick(KIND_NONE);

        if (!t || t == disk.root)
                return false;
        cloud_touched(to_trash ? "trashes" : "removes", t);
        if (to_trash) {
                disk_trash(t);
        } else {
                cloud_owner_destroys(t);
                disk_take_out(t);
        }
        return true;
}

static bool cloud_move(void)
{
        struct thing *t = cloud_pick(KIND_NONE), *dir = cloud_pick_dir();
        const char *name = cloud_name();

        if (!t || !dir || disk_child(dir, name))
                return false;
        for (const struct thing *up = dir; up; up = up->parent)
                if (up == t)
                        return false;
        cloud_touched("moves", t);
        disk_hang(t, dir, name);
        cloud_alien(t);
        cloud_touched("to", t);
        return true;
}

static bool cloud_mkdir(void)
{
        struct thing *dir = cloud_pick_dir();
        const char *name = cloud_name();
        struct thing *t;

        if (!dir || disk_child(dir, name))
                return false;
        t = disk_put(dir, name, KIND_DIR, 0);
        t->alien = true;
        cloud_touched("makes", t);
        if (sim_chance(500))
                cloud_file(t, cloud_name(), content_new(true, 2));
        return true;
}

static bool cloud_retype(void)
{
        struct thing *t = cloud_pick(KIND_NONE), *dir;
        char name[DISK_NAME_MAX];

        if (!t)
                return false;
        dir = t->parent;
        memcpy(name, t->name, sizeof(name));
        cloud_touched("retypes", t);
        cloud_owner_destroys(t);
        disk_take_out(t);
        if (t->kind == KIND_DIR)
                cloud_file(dir, name, content_new(true, 3));
        else
                disk_put(dir, name, KIND_DIR, 0)->alien = true;
        return true;
}

void edit_cloud(void)
{
        static const enum sim_count choices[] = {
                SIM_OTHER_PUT,   SIM_OTHER_PUT,   SIM_OTHER_TWIN, SIM_OTHER_REPLACE,
                SIM_OTHER_REPLACE, SIM_OTHER_REMOVE, SIM_OTHER_TRASH, SIM_OTHER_MOVE,
                SIM_OTHER_MKDIR, SIM_OTHER_RETYPE,
        };
        enum sim_count what = choices[sim_below(ARRAY_SIZE(choices))];
        bool done = false;

        switch ((int)what) {
        case SIM_OTHER_PUT:
        case SIM_OTHER_TWIN:
                done = cloud_put(what == SIM_OTHER_TWIN);
                break;
        case SIM_OTHER_REPLACE:
                done = cloud_replace();
                break;
        case SIM_OTHER_REMOVE:
        case SIM_OTHER_TRASH:
                done = cloud_remove(what == SIM_OTHER_TRASH);
                break;
        case SIM_OTHER_MOVE:
                done = cloud_move();
                break;
        case SIM_OTHER_MKDIR:
                done = cloud_mkdir();
                break;
        case SIM_OTHER_RETYPE:
                done = cloud_retype();
                break;
        }
        if (done)
                sim_count(what);
}

/* ---- the beginning ---------------------------------------------------------------------------- */

/* Some of what is here stands there already, some other things too. */
static void cloud_grow(struct node *dir, struct thing *to)
{
        for (struct node *n = tree_seen(dir)->first; n; n = n->next) {
                if (sim_chance(400) || entry_key_unfit(n->name) || disguise_is_wire(n->name))
                        continue;
                if (n->kind == KIND_DIR) {
                        struct thing *t = disk_put(to, n->name, KIND_DIR, 0);

                        t->alien = true;
                        cloud_grow(n, t);
                } else if (n->kind == KIND_FILE) {
                        cloud_file(to, n->name,
                                   sim_chance(700) ? n->content
                                                   : content_new(true, sim_below(CONTENT_SIZES)));
                }
        }
        if (sim_chance(300) && !disk_child(to, "keep.md"))
                cloud_file(to, "keep.md", content_new(true, 2));
}

void edit_set_root(const char *cloud_root_path)
{
        str_copy(edit.cloud_root, sizeof(edit.cloud_root), cloud_root_path);
}

void edit_begin(const char *cloud_root_path)
{
        char path[DISK_PATH_MAX];
        struct thing *t = disk.root;

        memset(&edit, 0, sizeof(edit));
        edit_set_root(cloud_root_path);
        edit.per_mille[SIM_EDIT_IN_WALK] = sim_chance(500) ? sim_below(60) : 0;
        edit.per_mille[SIM_EDIT_IN_READ] = sim_chance(500) ? sim_below(100) : 0;
        edit.per_mille[SIM_EDIT_IN_SEND] = sim_chance(500) ? sim_below(200) : 0;
        edit.just_read = sim_chance(400) ? 300 + sim_below(700) : 0;
        edit_grow(tree.home, 0);
        if (sim_chance(250)) {
                struct node *m = tree_child(tree.home, "dir");

                if (!m)
                        m = tree_make(tree.home, "dir", KIND_DIR, 0);
                if (m->kind == KIND_DIR && !m->first) {
                        m->mounted = tree_root(FS_MOUNT);
                        m->mounted->parent = m;
                        edit.mount = m;
                        edit_grow(m, 1);
                }
        }
        if (!sim_chance(400))
                return;
        str_copy(path, sizeof(path), edit.cloud_root);
        for (char *name = strtok(path, "/"); name; name = strtok(NULL, "/")) {
                t = disk_put(t, name, KIND_DIR, 0);
                t->alien = true;
        }
        cloud_grow(tree.home, t);
}
