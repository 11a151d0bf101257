/* SPDX-License-Identifier: MIT */

#include "tests/sim/tree.h"

#include <errno.h>
#include <stdio.h>

struct tree_model tree;

static int64_t tree_clock(void)
{
        int64_t wall = loop_wall_ns();

        return wall - wall % tree.tick_ns;
}

static struct node *tree_node(const char *name, enum kind kind, enum fs fs)
{
        struct node *n = calloc(1, sizeof(*n));

        if (!n)
                abort();
        str_copy(n->name, sizeof(n->name), name);
        n->kind = kind;
        n->fs = fs;
        n->ino = tree.free_ino && kind == KIND_FILE && sim_chance(500) ? tree.free_ino
                                                                      : ++tree.last_ino;
        if (n->ino == tree.free_ino)
                tree.free_ino = 0;
        n->mtime_ns = n->ctime_ns = tree_clock();
        n->btime_ns = loop_wall_ns();
        n->epoch = loop.epoch;
        n->all = tree.all;
        tree.all = n;
        tree.n++;
        return n;
}

struct node *tree_root(enum fs fs)
{
        return tree_node("", KIND_DIR, fs);
}

void tree_begin(void)
{
        static const int64_t ticks[] = {1, 10 * MS, SECOND, SECOND};

        tree = (struct tree_model){.tick_ns = ticks[sim_below(ARRAY_SIZE(ticks))],
                                   .last_ino = 100,
                                   .dev = {64, 65, 66}};
        tree.home = tree.at_path = tree_root(FS_ROOT);
}

void tree_finish(void)
{
        while (tree.all) {
                struct node *n = tree.all;

                tree.all = n->all;
                free(n);
        }
        pairs_finish(&tree.had);
        stir_finish(&tree.stir);
}

/* ---- finding ---------------------------------------------------------------------------------- */

struct node *tree_seen(struct node *dir)
{
        return dir->mounted ? dir->mounted : dir;
}

struct node *tree_child(struct node *dir, const char *name)
{
        for (struct node *n = tree_seen(dir)->first; n; n = n->next)
                if (str_eq(n->name, name))
                        return n;
        return NULL;
}

static struct node *tree_step(struct node *dir, const char **key)
{
        size_t len = strcspn(*key, "/");
        char name[TREE_NAME_MAX];

        if (len >= sizeof(name))
                return NULL;
        memcpy(name, *key, len);
        name[len] = '\0';
        *key += len + ((*key)[len] == '/');
        return tree_child(dir, name);
}

struct node *tree_find(struct node *root, const char *key, int *ret_err)
{
        struct node *n = root;
        int err = 0;

        while (n && *key && !err) {
                if (n->kind != KIND_DIR)
                        err = ENOENT;
                else if (tree_seen(n)->open_err) /* without a right to search nothing is found */
                        err = tree_seen(n)->open_err;
                else
                        n = tree_step(n, &key);
                if (n && n->look_err)
                        err = n->look_err;
        }
        if (!n)
                err = ENOENT;
        if (ret_err)
                *ret_err = err;
        return err ? NULL : n;
}

struct node *tree_really(const char *key)
{
        struct node *n = tree.home;

        while (n && *key) {
                if (n->kind != KIND_DIR)
                        return NULL;
                n = tree_step(n->unmounted ? n->unmounted : n, &key);
        }
        return n;
}

bool tree_key(const struct node *n, char ret[TREE_KEY_MAX])
{
        const char *names[32];
        size_t depth = 0, len = 0;

        for (; n->parent; n = n->parent) {
                if (n->dead || depth == ARRAY_SIZE(names))
                        return false;
                if (*n->name) /* the root of a mount has the name of what it is mounted on */
                        names[depth++] = n->name;
        }
        if (*n->name || n->dead) /* it hangs nowhere */
                return false;
        *ret = '\0';
        while (depth-- > 0)
                len += (size_t)snprintf(ret + len, TREE_KEY_MAX - len, "%s%s", len ? "/" : "",
                                        names[depth]);
        return true;
}

bool tree_within(const struct node *n, const struct node *dir)
{
        for (; n; n = n->parent)
                if (n == dir)
                        return true;
        return false;
}

static size_t tree_gather(struct node *dir, struct node **ret, size_t n, size_t max)
{
        for (struct node *c = tree_seen(dir)->first; c && n < max; c = c->next) {
                ret[n++] = c;
                if (c->kind == KIND_DIR)
                        n = tree_gather(c, ret, n, max);
        }
        return n;
}

size_t tree_list(struct node **ret, size_t max)
{
        return tree_gather(tree.home, ret, 0, max);
}

void tree_entry(const struct node *n, struct entry *ret)
{
        if (n->kind == KIND_DIR)
                n = n->mounted ? n->mounted : n;
        ret->kind = n->kind;
        ret->size = n->kind == KIND_FILE ? content_size(n->content) : 0;
        ret->stamp = (struct stamp){.mtime_ns = n->mtime_ns,
                                    .ctime_ns = n->ctime_ns,
                                    .ino = n->ino,
                                    .dev = tree.dev[n->fs]};
}

/* ---- changing --------------------------------------------------------------------------------- */

static void tree_note(struct node *n)
{
        char key[TREE_KEY_MAX];

        if (n->kind == KIND_FILE && tree_key(n, key))
                pairs_add(&tree.had, key, n->content);
        for (struct node *c = n->first; c; c = c->next)
                tree_note(c);
        if (n->mounted)
                tree_note(n->mounted);
}

/* As inotify does it: of what lies in a folder that is watched; and now and then a word is lost. */
static void tree_tell(struct node *n)
{
        char key[TREE_KEY_MAX];

        if (!tree.told || !n->parent || sim_chance(20) || !tree_key(n->parent, key))
                return;
        stir_add(&tree.stir, key, str_eq(n->name, ".ydignore"));
        if (n->kind == KIND_DIR && !sim_chance(20) && tree_key(n, key))
                stir_add(&tree.stir, key, true);
}

static void tree_unhang(struct node *n)
{
        struct node **link;

        if (!n->parent)
                return;
        tree_tell(n);
        for (link = &n->parent->first; *link != n; link = &(*link)->next)
                ;
        *link = n->next;
        n->parent = n->next = NULL;
}

static void tree_hang(struct node *n, struct node *dir, const char *name)
{
        dir = tree_seen(dir);
        str_copy(n->name, sizeof(n->name), name);
        n->parent = dir;
        n->next = dir->first;
        dir->first = n;
        tree_note(n);
        tree_tell(n);
}

/*
 * The change time of what was just done.  That two changes leave the same stamp is for the clock's
 * tick alone: when the wall clock was set back to the very same tick, nobody could tell.
 */
static void tree_stamp(struct node *n)
{
        int64_t now = tree_clock();

        if (now == n->ctime_ns && n->epoch != loop.epoch)
                now += tree.tick_ns;
        n->ctime_ns = now;
        n->epoch = loop.epoch;
}

struct node *tree_make(struct node *dir, const char *name, enum kind kind, uint64_t content)
{
        struct node *n = tree_node(name, kind, tree_seen(dir)->fs);

        n->content = content;
        tree_hang(n, dir, name);
        return n;
}

void tree_write(struct node *n, uint64_t content)
{
        n->content = content;
        tree_stamp(n);
        n->mtime_ns = n->ctime_ns;
        tree_note(n);
        tree_tell(n);
}

void tree_touch(struct node *n)
{
        tree_stamp(n);
        tree_tell(n);
        n->mtime_ns = n->ctime_ns;
}

void tree_backdate(struct node *n, int64_t mtime_ns)
{
        tree_stamp(n);
        tree_tell(n);
        n->mtime_ns = mtime_ns;
}

void tree_remove(struct node *n)
{
        if (n->mounted) /* busy: nobody can remove it */
                return;
        while (n->first)
                tree_remove(n->first);
        tree_unhang(n);
        n->dead = true;
        if (n->kind == KIND_FILE)
                tree.free_ino = n->ino;
}

void tree_move(struct node *n, struct node *dir, const char *name)
{
        struct node *there = tree_child(dir, name);

        if (there && there != n)
                tree_remove(there);
        tree_unhang(n);
        tree_stamp(n);
        tree_hang(n, dir, name);
}
