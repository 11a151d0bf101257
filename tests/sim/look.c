/* SPDX-License-Identifier: MIT */

/*
 * As lib/engine/{walk,source}.c and daemon/root.c say of themselves, over the model: a folder is
 * read whole when it is entered and each name looked at later, by the folder's descriptor and not
 * by its path; a file is looked at before and after it is read.  Between any two of these things
 * somebody may come and change something.
 */

#include "tests/sim/look.h"

#include "daemon/root.h"
#include "lib/engine/ahead.h"
#include "lib/engine/beneath.h"
#include "lib/engine/walk.h"
#include "tests/sim/edit.h"
#include "tests/sim/rule.h"
#include "tests/sim/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

/* ---- descriptors ------------------------------------------------------------------------------ */

#define LOOK_FDS 8
#define LOOK_FD_FIRST 1000

static struct node *look_fds[LOOK_FDS];

static struct node *look_fd(int fd)
{
        return look_fds[fd - LOOK_FD_FIRST];
}

static int look_open(struct node *n)
{
        for (int i = 0; i < LOOK_FDS; i++)
                if (!look_fds[i]) {
                        look_fds[i] = n;
                        return LOOK_FD_FIRST + i;
                }
        sim_fail("the watched folder is opened again and again");
        return -1;
}

void look_finish(void)
{
        for (int i = 0; i < LOOK_FDS; i++)
                if (look_fds[i])
                        sim_fail("the watched folder is still open at the end");
        memset(look_fds, 0, sizeof(look_fds));
}

/* What the program does with the descriptor itself. */
int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
        if (fd < LOOK_FD_FIRST)
                return __real_close(fd);
        look_fds[fd - LOOK_FD_FIRST] = NULL;
        return 0;
}

int __wrap_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...)
{
        if (command != F_DUPFD_CLOEXEC || fd < LOOK_FD_FIRST)
                abort();
        return look_open(look_fd(fd));
}

/* ---- root.h ----------------------------------------------------------------------------------- */

int root_identify(int fd, struct root *ret)
{
        const struct node *n = look_fd(fd);

        ret->dev = tree.dev[n->fs];
        ret->lasting = true;
        snprintf(ret->identity, sizeof(ret->identity), "%llu:%lld", (unsigned long long)n->ino,
                 (long long)n->btime_ns);
        return 0;
}

/* What is mounted below the watched folder. */
int beneath_open(int root_fd, const char *key, int flags _unused_, bool follow _unused_)
{
        int err;
        struct node *n = tree_find(look_fd(root_fd), key, &err);

        return n ? look_open(n) : -err;
}

int root_open(struct root *ret, const char *path, struct err *err)
{
        struct node *n = tree.at_path;
        int r = n ? tree.path_err : ENOENT;

        if (r)
                return err_errno(err, r, "the watched folder %s cannot be opened", path);
        *ret = (struct root){.fd = look_open(n)};
        root_identify(ret->fd, ret);
        rule_root(n == tree.home, false);
        return 0;
}

int root_check(const struct root *r, const char *path, struct err *err)
{
        struct root now;
        bool same;
        int e;

        edit_may_come(SIM_EDIT_IN_READ);
        e = root_open(&now, path, err);
        if (e < 0)
                return e;
        same = str_eq(now.identity, r->identity) && now.dev == r->dev;
        root_close(&now);
        rule_root(same && tree.at_path == tree.home, true);
        return same ? 0 : err_set(err, ESTALE, "%s is another folder than a moment ago", path);
}

void root_close(struct root *r)
{
        if (r->fd >= 0)
                look_fds[r->fd - LOOK_FD_FIRST] = NULL;
        r->fd = -1;
}

/* ---- walk.h ----------------------------------------------------------------------------------- */

#define WALK_DEPTH 40
#define WALK_WIDTH 64

struct level {
        struct node *dir;
        char names[WALK_WIDTH][TREE_NAME_MAX];
        size_t n, next, key_len;
        bool matched, shut;
        int ignore_err;
};

struct walk {
        struct entry_iter iter;
        struct node *root;
        struct match *match;
        const struct stir *stir;
        struct level *levels;
        size_t n_levels;
        bool begun;
        bool shallow; /* folders further up are closed on the way down, and found again */
        struct str key;
        struct entry entry;
};

static struct level *walk_top(struct walk *w)
{
        return &w->levels[w->n_levels - 1];
}

static int walk_by_name(const void *a, const void *b)
{
        return strcmp(a, b);
}

/* The patterns that a .ydignore of this content holds. */
static const char *walk_ignore_text(uint64_t content)
{
        static const char *const texts[] = {"b\n", "*.mp4\n!d.mp4\n", "# nothing\n", "dir/\n"};

        return texts[content / CONTENT_SIZES % ARRAY_SIZE(texts)];
}

static void walk_ignore(struct walk *w)
{
        struct level *l = walk_top(w);
        struct node *n = w->match ? tree_child(l->dir, ".ydignore") : NULL;
        const char *text;

        if (!n || n->kind != KIND_FILE)
                return;
        l->ignore_err = n->look_err ? n->look_err : n->read_err;
        if (l->ignore_err) {
                w->entry.err = l->ignore_err;
                str_copy(l->names[0], TREE_NAME_MAX, ".ydignore");
                l->n = 1;
                return;
        }
        text = walk_ignore_text(n->content);
        l->matched = match_enter(w->match, str_z(&w->key), text, strlen(text)) >= 0;
}

static enum stir_need walk_need(const struct walk *w)
{
        return w->stir ? stir_need(w->stir, str_z(&w->key)) : STIR_WHOLE;
}

static void walk_read_through(struct walk *w, struct level *l)
{
        const char *name;
        size_t at = 0, len;

        while (l->n < WALK_WIDTH && stir_through(w->stir, str_z(&w->key), &at, &name, &len)) {
                memset(l->names[l->n], 0, TREE_NAME_MAX);
                memcpy(l->names[l->n++], name, len);
        }
        w->entry.flags |= ENTRY_PARTIAL;
}

/* Reads the folder, shows it and goes into it. */
static int walk_enter(struct walk *w, struct node *dir)
{
        enum stir_need need = walk_need(w);
        struct level *l;

        if (w->n_levels == WALK_DEPTH)
                abort();
        w->levels[w->n_levels++] =
                (struct level){.dir = tree_seen(dir), .key_len = w->key.len};
        l = walk_top(w);
        tree_entry(l->dir, &w->entry);
        if (need == STIR_THROUGH)
                walk_read_through(w, l);
        for (struct node *c = l->dir->first; c && need != STIR_THROUGH && l->n < WALK_WIDTH;
             c = c->next) {
                if (l->dir->half && l->n == l->dir->half - 1) {
                        w->entry.err = EIO;
                        break;
                }
                memcpy(l->names[l->n++], c->name, TREE_NAME_MAX);
        }
        qsort(l->names, l->n, TREE_NAME_MAX, walk_by_name);
        if (w->shallow)
                for (size_t i = 0; i + 1 < w->n_levels; i++)
                        w->levels[i].shut = true;
        walk_ignore(w);
        return 1;
}

static int walk_show(struct walk *w, struct node *n)
{
        struct entry *e = &w->entry;

        if (n->look_err) {
                e->err = n->look_err;
                return 1;
        }
        e->kind = n->kind;
        if (w->match && match_excludes(w->match, str_z(&w->key), n->kind == KIND_DIR)) {
                e->flags |= ENTRY_EXCLUDED;
                return 1;
        }
        if (n->kind == KIND_OTHER)
                return 1;
        tree_entry(n, e);
        if (n->kind == KIND_FILE)
                return 1;
        if (walk_need(w) == STIR_NOTHING) {
                e->flags |= ENTRY_PARTIAL;
                return 1;
        }
        if (!tree_seen(n)->open_err)
                return walk_enter(w, n);
        e->err = tree_seen(n)->open_err;
        return 1;
}

static int walk_name(struct walk *w)
{
        struct level *l = walk_top(w);
        const char *name = l->names[l->next++];
        struct node *n;

        str_truncate(&w->key, l->key_len);
        if (l->key_len > 0)
                str_addc(&w->key, '/');
        str_adds(&w->key, name);
        w->entry = (struct entry){.err = l->ignore_err};
        if (l->ignore_err)
                return 1;
        edit_may_come(SIM_EDIT_IN_WALK);
        n = tree_child(l->dir, name);
        return n ? walk_show(w, n) : 0;
}

/* Leaves the folder at hand.  1: the one above it is not found again, and is shown once more. */
static int walk_leave(struct walk *w)
{
        struct level *left = walk_top(w), *l;

        str_truncate(&w->key, left->key_len);
        if (left->matched)
                match_leave(w->match, str_z(&w->key));
        w->n_levels--;
        if (w->n_levels == 0 || !walk_top(w)->shut)
                return 0;
        l = walk_top(w);
        l->shut = false;
        str_truncate(&w->key, l->key_len);
        if ((!left->dir->dead && left->dir->parent == l->dir) || l->next == l->n ||
            tree_find(w->root, str_z(&w->key), NULL) == l->dir)
                return 0;
        l->next = l->n;
        w->entry = (struct entry){.kind = KIND_DIR, .err = ESTALE};
        return 1;
}

static int walk_begin(struct walk *w)
{
        w->begun = true;
        w->entry = (struct entry){0};
        if (!w->root->open_err)
                return walk_enter(w, w->root);
        tree_entry(w->root, &w->entry);
        w->entry.err = w->root->open_err;
        return 1;
}

static int walk_next(struct entry_iter *it, const struct entry **ret)
{
        struct walk *w = CONTAINER_OF(it, struct walk, iter);

        while (!w->begun || w->n_levels > 0) {
                int shown = !w->begun                                  ? walk_begin(w)
                            : walk_top(w)->next < walk_top(w)->n ? walk_name(w)
                                                                 : walk_leave(w);

                if (!shown)
                        continue;
                w->entry.key = str_z(&w->key);
                *ret = &w->entry;
                return 1;
        }
        return 0;
}

int walk_create(struct walk **ret, int root_fd, const struct walk_options *options,
                struct err *err _unused_)
{
        struct walk *w = calloc(1, sizeof(*w));

        if (w)
                w->levels = calloc(WALK_DEPTH, sizeof(*w->levels));
        if (!w || !w->levels)
                abort();
        w->iter.next = walk_next;
        w->root = look_fd(root_fd);
        rule_scan_begins();
        w->match = options->match;
        w->stir = options->stir;
        w->shallow = sim_chance(200);
        w->key = STR_NULL(TREE_KEY_MAX);
        *ret = w;
        return 0;
}

void walk_destroy(struct walk *w)
{
        str_finish(&w->key);
        free(w->levels);
        free(w);
}

struct entry_iter *walk_iter(struct walk *w)
{
        return &w->iter;
}

/* ---- ahead.h: here everything happens in one order only ---------------------------------------- */

struct ahead {
        struct entry_iter *inner;
};

int ahead_create(struct ahead **ret, struct entry_iter *inner, struct err *err _unused_)
{
        struct ahead *a = calloc(1, sizeof(*a));

        if (!a)
                abort();
        a->inner = inner;
        *ret = a;
        return 0;
}

void ahead_destroy(struct ahead *a)
{
        free(a);
}

struct entry_iter *ahead_iter(struct ahead *a)
{
        return a->inner;
}

/* ---- source.h --------------------------------------------------------------------------------- */

int source_look(const struct source_root *root, const char *key, struct entry *ret)
{
        struct node *n;
        int err;

        edit_may_come(SIM_EDIT_IN_READ);
        n = tree_find(look_fd(root->fd), key, &err);
        if (n)
                tree_entry(n, ret);
        rule_looked(key, n ? n->kind : KIND_NONE, err);
        return n ? 0 : -err;
}

int source_look_there(const struct source_root *root, const char *key, struct entry *ret)
{
        char above[TREE_KEY_MAX];
        struct node *n;
        int r = source_look(root, key, ret);

        str_copy(above, sizeof(above), key);
        do {
                n = r == -ENOENT ? tree_find(look_fd(root->fd), above, NULL) : NULL;
                if (n)
                        tree_entry(n, ret);
                above[entry_key_parent(above)] = '\0';
        } while (r == -ENOENT && !n);
        if (ret->stamp.dev == tree.dev[look_fd(root->fd)->fs])
                ret->stamp.dev = 0;
        return r;
}

static int reading_judge(const struct reading *r, uint64_t *ret_content)
{
        struct entry seen = {0};
        struct node *n;
        int err;

        n = tree_find(look_fd(r->root_fd), r->key, &err);
        if (!n)
                return -err;
        if (n->kind != KIND_FILE)
                return n->kind == KIND_DIR ? -EISDIR : -EINVAL;
        tree_entry(n, &seen);
        if (seen.size != r->expected.size || !entry_stamp_eq(&seen.stamp, &r->expected.stamp))
                return -ESTALE;
        *ret_content = n->content;
        return -n->read_err;
}

int reading_begin(struct reading *r, const struct source_root *root, const struct entry *expected)
{
        int err;

        *r = (struct reading){.key = str_dup(expected->key), .expected = *expected,
                              .root_fd = root->fd};
        r->expected.key = r->key;
        err = reading_judge(r, &r->content);
        if (err < 0)
                reading_finish(r);
        return err;
}

int reading_end(struct reading *r, uint64_t *ret_content)
{
        int err = reading_judge(r, ret_content);

        if (err < 0)
                return err == -ENOENT ? -ESTALE : err;
        /* It was rewritten within a tick of the clock, and its stamp says nothing of that. */
        if (*ret_content != r->content && sim_chance(500))
                *ret_content = sim_chance(500) ? r->content : content_mixed(r->content);
        pairs_add(&tree.had, r->key, *ret_content);
        edit_just_read(r->key);
        return 0;
}

void reading_finish(struct reading *r)
{
        free(r->key);
        r->key = NULL;
}

int source_digest(const struct source_root *root, const struct entry *expected,
                  const atomic_bool *stop _unused_, uint8_t ret_md5[16])
{
        struct reading r;
        uint64_t content;
        int err;

        edit_may_come(SIM_EDIT_IN_READ);
        err = reading_begin(&r, root, expected);
        if (err < 0)
                return err;
        edit_may_come(SIM_EDIT_IN_READ);
        err = reading_end(&r, &content);
        if (err == 0)
                content_md5(content, ret_md5);
        reading_finish(&r);
        return err;
}
