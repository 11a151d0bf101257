/* SPDX-License-Identifier: MIT */

/*
 * Each change has two halves: checks, which may refuse, and an effect, which for an operation
 * comes later and then runs the checks again, because the tree may have changed meanwhile.
 */

#include <strings.h>

#include "change.h"
#include "link.h"
#include "op.h"

static int64_t now_s(void)
{
        return now_real_us() / 1000000;
}

static bool is_root(const struct path *p)
{
        return p->len == 0;
}

static struct path copy_path(const struct path *p)
{
        return (struct path){p->area, p->app, xstrndup(p->s, p->len), p->len};
}

static void stamp(struct disk *d, struct node *n)
{
        n->created = n->modified = now_s();
        n->revision = disk_bump(d);
}

static struct node *add_dir(struct disk *d, struct node *parent, const char *name, size_t n)
{
        struct node *e = tree_add_dir(&d->tree, parent, name, n);

        stamp(d, e);
        return e;
}

/* Is a destructive change of `p` and everything below forbidden now? */
static bool is_locked(const struct disk *d, const struct path *p)
{
        return op_locked(d, p, true) || (d->cfg.lock_uploads && link_busy_below(d, p));
}

/* Schedules `apply` or does it now; `ret_op` tells which. */
static enum svc_error start(struct disk *d, op_apply_fn *apply, const struct op *what, bool async,
                            char ret_op[65])
{
        struct op *op, now = *what;

        ret_op[0] = '\0';
        if (!async)
                return apply(d, &now);
        op = op_create(d);
        op->apply = apply;
        op->from = copy_path(&what->from);
        if (what->to.s)
                op->to = copy_path(&what->to);
        op->overwrite = what->overwrite;
        op->permanently = what->permanently;
        op->locks = true;
        memcpy(ret_op, op->id, sizeof op->id);
        op_schedule(d, op, d->cfg.op_ms);
        return SVC_OK;
}

enum svc_error change_mkdir(struct disk *d, const struct path *p)
{
        size_t len, parent_len;
        const char *name = path_name(p, &len, &parent_len);
        struct node *parent, *n;
        enum svc_error e = SVC_OK;

        disk_lock(d);
        n = disk_find(d, p);
        parent = disk_find_parent(d, p);
        if (n)
                e = n->is_dir ? SVC_DIR_EXISTS : SVC_EXISTS;
        else if (!parent)
                e = SVC_NO_PARENT;
        else if (op_locked(d, p, false))
                e = SVC_LOCKED;
        else
                add_dir(d, parent, name, len);
        disk_unlock(d);
        return e;
}

static void throw_away(struct disk *d, struct node *n)
{
        const struct media *media = n->media;
        struct buf origin = {}, name = {};
        char hash[65];

        buf_str(&origin, "disk:");
        tree_path(n, &origin);
        hex_name(hash, rng_next(&d->rng), rng_next(&d->rng));
        buf_add(&name, n->name, n->name_len);
        buf_printf(&name, "_%.40s", hash);
        n->grave = xcalloc(1, sizeof *n->grave);
        n->grave->origin = origin.s;
        n->grave->deleted = n->modified = now_s();
        n->revision = disk_bump(d);
        tree_move(&d->tree, n, d->trash, name.s, name.len);
        n->media = media;
        buf_finish(&name);
}

static enum svc_error apply_remove(struct disk *d, struct op *op)
{
        struct node *n = disk_find(d, &op->from);

        if (!n)
                return SVC_NOT_FOUND;
        if (op->permanently) {
                tree_free(&d->tree, n);
                disk_bump(d);
        } else {
                throw_away(d, n);
        }
        return SVC_OK;
}

static bool md5_differs(const struct node *n, const char *md5)
{
        char have[33];

        if (n->is_dir)
                return true;
        hex_encode(have, n->content->md5, 16);
        return strcasecmp(have, md5) != 0;
}

enum svc_error change_remove(struct disk *d, const struct path *p, bool permanently,
                             const char *md5, bool force_async, char ret_op[65])
{
        struct op what = {.from = *p, .permanently = permanently};
        struct node *n;
        enum svc_error e;

        if (is_root(p))
                return SVC_ROOT;
        disk_lock(d);
        n = disk_find(d, p);
        if (!n)
                e = SVC_NOT_FOUND;
        else if (is_locked(d, p))
                e = SVC_LOCKED;
        else if (md5 && md5_differs(n, md5))
                e = SVC_MD5_DIFFERS;
        else
                e = start(d, apply_remove, &what,
                          force_async || (n->is_dir && !tree_is_empty(n)), ret_op);
        disk_unlock(d);
        return e;
}

/* What stands at the target of a move or copy, and whether it may go. */
static enum svc_error check_target(struct disk *d, const struct path *to, bool overwrite,
                                   struct node **ret_parent, struct node **ret_old)
{
        struct node *old = disk_find(d, to), *parent = disk_find_parent(d, to);

        if (is_root(to))
                return SVC_ROOT;
        if (!parent)
                return SVC_NO_PARENT;
        if (old && (old->is_dir || !overwrite))
                return SVC_EXISTS;
        *ret_parent = parent;
        *ret_old = old;
        return SVC_OK;
}

struct ends {
        struct node *from, *parent, *old;
};

static enum svc_error check_ends(struct disk *d, const struct path *from, const struct path *to,
                                 bool overwrite, struct ends *ret)
{
        struct node *n = disk_find(d, from);
        enum svc_error e;

        if (is_root(from))
                return SVC_ROOT;
        if (!n)
                return SVC_NOT_FOUND;
        e = check_target(d, to, overwrite, &ret->parent, &ret->old);
        if (ret->parent && tree_is_below(ret->parent, n))
                return SVC_INTO_ITSELF;
        if (e != SVC_OK)
                return e;
        if (ret->old == n || (ret->old && n->is_dir))
                return SVC_EXISTS;
        ret->from = n;
        return SVC_OK;
}

static void move_node(struct disk *d, const struct ends *ends, const struct path *to)
{
        size_t len, parent_len;
        const char *name = path_name(to, &len, &parent_len);

        if (ends->old)
                tree_free(&d->tree, ends->old);
        ends->from->revision = disk_bump(d);
        tree_move(&d->tree, ends->from, ends->parent, name, len);
}

static enum svc_error apply_move(struct disk *d, struct op *op)
{
        struct ends ends = {};
        enum svc_error e = check_ends(d, &op->from, &op->to, op->overwrite, &ends);

        if (e == SVC_OK)
                move_node(d, &ends, &op->to);
        return e;
}

enum svc_error change_move(struct disk *d, const struct transfer *t, char ret_op[65])
{
        struct op what = {.from = t->from, .to = t->to, .overwrite = t->overwrite};
        struct ends ends = {};
        enum svc_error e;

        disk_lock(d);
        if (d->cfg.move_overwrite == MOVE_OVERWRITE_REFUSED)
                what.overwrite = false;
        e = check_ends(d, &t->from, &t->to, what.overwrite, &ends);
        if (e == SVC_OK && (is_locked(d, &t->from) || is_locked(d, &t->to)))
                e = SVC_LOCKED;
        if (e == SVC_OK)
                e = start(d, apply_move, &what,
                          t->force_async || (ends.from->is_dir && !tree_is_empty(ends.from)),
                          ret_op);
        disk_unlock(d);
        return e;
}

static struct node *copy_one(struct disk *d, const struct node *n, struct node *parent,
                             const char *name, size_t len)
{
        struct node *copy;

        if (n->is_dir)
                copy = tree_add_dir(&d->tree, parent, name, len);
        else
                copy = tree_add_file(&d->tree, parent, name, len,
                                     store_ref(d->tree.store, n->content));
        if (n->props)
                copy->props = xstrdup(n->props);
        stamp(d, copy);
        return copy;
}

/* Folders still to be copied, each with its copy. */
struct todo {
        struct node *from, *to;
};

static void copy_tree(struct disk *d, struct node *from, struct node *parent, const char *name,
                      size_t len)
{
        _cleanup_(freep) struct todo *todo = xmalloc(16 * sizeof *todo);
        size_t n = 0, cap = 16;

        todo[n++] = (struct todo){from, copy_one(d, from, parent, name, len)};
        while (n > 0) {
                struct todo t = todo[--n];

                tree_sort(t.from);
                for (uint32_t i = 0; t.from->kids && i < t.from->kids->n; i++) {
                        struct node *kid = t.from->kids->v[i];
                        struct node *copy = copy_one(d, kid, t.to, kid->name, kid->name_len);

                        if (!kid->is_dir)
                                continue;
                        if (n == cap)
                                todo = xrealloc(todo, (cap *= 2) * sizeof *todo);
                        todo[n++] = (struct todo){kid, copy};
                }
        }
}

static enum svc_error apply_copy(struct disk *d, struct op *op)
{
        struct ends ends = {};
        size_t len, parent_len;
        const char *name = path_name(&op->to, &len, &parent_len);
        enum svc_error e = check_ends(d, &op->from, &op->to, op->overwrite, &ends);

        if (e == SVC_OK && disk_used(d) + tree_bytes(ends.from) > d->cfg.quota)
                e = SVC_QUOTA;
        if (e != SVC_OK)
                return e;
        if (ends.old)
                tree_free(&d->tree, ends.old);
        copy_tree(d, ends.from, ends.parent, name, len);
        return SVC_OK;
}

enum svc_error change_copy(struct disk *d, const struct transfer *t, char ret_op[65])
{
        struct op what = {.from = t->from, .to = t->to, .overwrite = t->overwrite};
        struct ends ends = {};
        enum svc_error e;

        disk_lock(d);
        e = check_ends(d, &t->from, &t->to, t->overwrite, &ends);
        if (e == SVC_OK && (op_locked(d, &t->from, true) || op_locked(d, &t->to, true)))
                e = SVC_LOCKED;
        if (e == SVC_OK)
                e = start(d, apply_copy, &what,
                          t->force_async || (ends.from->is_dir && !tree_is_empty(ends.from)),
                          ret_op);
        disk_unlock(d);
        return e;
}

/* The merged properties as JSON: *ret is NULL when none are left, to be freed with free(). */
static bool merge_props(const char *old, const cJSON *props, char **ret)
{
        cJSON *all = old ? cJSON_Parse(old) : cJSON_CreateObject();
        size_t chars = 0;
        const cJSON *v;
        bool fits;

        *ret = NULL;
        cJSON_ArrayForEach(v, props) {
                cJSON_DeleteItemFromObjectCaseSensitive(all, v->string);
                if (!cJSON_IsNull(v))
                        cJSON_AddItemToObject(all, v->string, cJSON_Duplicate(v, true));
        }
        if (cJSON_GetArraySize(all) > 0)
                *ret = cJSON_PrintUnformatted(all);
        cJSON_Delete(all);
        if (!*ret)
                return true;
        fits = utf8_valid(*ret, strlen(*ret), &chars) && chars <= 1024;
        if (!fits)
                free(TAKE_PTR(*ret));
        return fits;
}

enum svc_error change_patch(struct disk *d, const struct path *p, const cJSON *props,
                            struct snapshot *ret)
{
        struct node *n;
        enum svc_error e = SVC_OK;
        char *merged = NULL;
        bool early = false;

        disk_lock(d);
        n = disk_find(d, p);
        if (n)
                early = n->uploaded_us > 0 && d->cfg.patch_settle_ms > 0 &&
                        now_mono_us() < n->uploaded_us + d->cfg.patch_settle_ms * 1000;
        if (!n)
                e = SVC_NOT_FOUND;
        else if (op_locked(d, p, false))
                e = SVC_LOCKED;
        else if (early && d->cfg.patch_settle == PATCH_SETTLE_ERROR)
                e = SVC_INTERNAL;
        else if (!merge_props(n->props, props, &merged))
                e = SVC_BAD_FIELD;
        if (n && e == SVC_OK) {
                char *before = n->props;

                n->props = merged;
                n->revision = disk_bump(d);
                n->modified = now_s();
                tree_touched(n);
                snapshot_add(n, ret);
                if (early) {
                        n->props = before;
                        free(merged);
                } else {
                        free(before);
                }
        }
        disk_unlock(d);
        return e;
}

/* Where a restored entry goes; SVC_BAD_FIELD when `name` is no name and no path. */
static enum svc_error restore_target(const struct node *n, const char *name, int control,
                                     struct path *ret)
{
        const char *slash = strrchr(n->grave->origin, '/');
        _cleanup_(buf_finish) struct buf text = {};

        if (!name) {
                buf_str(&text, n->grave->origin);
        } else if (strchr(name, '/')) {
                buf_str(&text, name);
        } else {
                buf_add(&text, n->grave->origin, (size_t)(slash - n->grave->origin) + 1);
                buf_str(&text, name);
        }
        if (path_parse(ret, text.s, text.len, control))
                return SVC_BAD_FIELD;
        return ret->area == AREA_DISK ? SVC_OK : SVC_BAD_FIELD;
}

static enum svc_error apply_restore(struct disk *d, struct op *op)
{
        struct ends ends = {.from = disk_find(d, &op->from)};
        enum svc_error e;

        if (!ends.from || !ends.from->grave)
                return SVC_NOT_FOUND;
        e = check_target(d, &op->to, op->overwrite, &ends.parent, &ends.old);
        if (e != SVC_OK)
                return e;
        free(ends.from->grave->origin);
        free(TAKE_PTR(ends.from->grave));
        move_node(d, &ends, &op->to);
        return SVC_OK;
}

enum svc_error change_restore(struct disk *d, const struct path *p, const char *name,
                              bool overwrite, bool force_async, struct path *ret_to,
                              char ret_op[65])
{
        struct op what = {.from = *p, .overwrite = overwrite};
        struct node *n, *parent = NULL, *old = NULL;
        enum svc_error e = SVC_NOT_FOUND;

        disk_lock(d);
        n = disk_find(d, p);
        if (n && n->grave)
                e = restore_target(n, name, d->cfg.control_names, ret_to);
        if (e == SVC_OK)
                e = check_target(d, ret_to, overwrite, &parent, &old);
        if (e == SVC_OK && (op_locked(d, p, true) || op_locked(d, ret_to, true)))
                e = SVC_LOCKED;
        if (n && e == SVC_OK) {
                what.to = *ret_to;
                e = start(d, apply_restore, &what,
                          force_async || (n->is_dir && !tree_is_empty(n)), ret_op);
        }
        disk_unlock(d);
        return e;
}

static enum svc_error apply_trash_remove(struct disk *d, struct op *op)
{
        struct node *n = disk_find(d, &op->from);

        if (!n)
                return SVC_NOT_FOUND;
        if (n != d->trash)
                tree_free(&d->tree, n);
        tree_sort(d->trash);
        while (n == d->trash && !tree_is_empty(n))
                tree_free(&d->tree, n->kids->v[n->kids->n - 1]);
        disk_bump(d);
        return SVC_OK;
}

enum svc_error change_trash_remove(struct disk *d, const struct path *p, bool force_async,
                                   char ret_op[65])
{
        struct op what = {.from = *p};
        struct node *n;
        enum svc_error e;

        disk_lock(d);
        n = disk_find(d, p);
        if (!n)
                e = SVC_NOT_FOUND;
        else if (op_locked(d, p, true))
                e = SVC_LOCKED;
        else
                e = start(d, apply_trash_remove, &what,
                          force_async || (n->is_dir && !tree_is_empty(n)), ret_op);
        disk_unlock(d);
        return e;
}

enum svc_error change_check_commit(struct disk *d, const struct path *p, bool overwrite)
{
        struct node *n = disk_find(d, p);

        if (is_root(p) || (n && n->is_dir))
                return SVC_DIR_EXISTS;
        if (!disk_find_parent(d, p))
                return SVC_NO_PARENT;
        if (op_locked(d, p, false))
                return SVC_LOCKED;
        return n && !overwrite ? SVC_EXISTS : SVC_OK;
}

static void replace(struct disk *d, struct node *n, struct content *c)
{
        tree_set_content(&d->tree, n, c);
        n->modified = now_s();
        n->revision = disk_bump(d);
        if (d->cfg.overwrite_created == OVERWRITE_CREATED_RESET)
                n->created = n->modified;
        if (!d->cfg.overwrite_keeps_id)
                n->id = ++d->tree.last_id;
        if (!d->cfg.overwrite_keeps_props)
                free(TAKE_PTR(n->props));
}

static void store(struct disk *d, const struct path *p, struct content *c)
{
        size_t len, parent_len;
        const char *name = path_name(p, &len, &parent_len);
        struct node *n = disk_find(d, p);

        if (n) {
                replace(d, n, c);
        } else {
                n = tree_add_file(&d->tree, disk_find_parent(d, p), name, len, c);
                stamp(d, n);
                n->visible_us = now_mono_us() + d->cfg.visibility_ms * 1000;
                if (d->cfg.visibility_ms > 0)
                        d->invisible_until_us = n->visible_us;
        }
        n->uploaded_us = now_mono_us();
        tree_uploaded(&d->tree, n);
}

enum svc_error change_commit(struct disk *d, const struct path *p, bool overwrite,
                             struct content *c)
{
        enum svc_error e = change_check_commit(d, p, overwrite);
        struct node *n = disk_find(d, p);
        int64_t more = c->size - (n && !n->is_dir ? n->content->size : 0);

        if (e == SVC_OK && disk_used(d) + more > d->cfg.quota)
                e = SVC_QUOTA;
        if (e != SVC_OK) {
                store_unref(d->tree.store, c);
                return e;
        }
        d->uploaded_bytes += c->size;
        store(d, p, c);
        return SVC_OK;
}

/* locked: the folder at the first `len` bytes of the path, made with all parents. */
static struct node *make_dirs(struct disk *d, const char *s, size_t len)
{
        struct node *n = d->root;

        while (len > 0 && n && n->is_dir) {
                const char *slash = memchr(s, '/', len);
                size_t name = slash ? (size_t)(slash - s) : len;
                struct node *next = tree_child(&d->tree, n, s, name);

                n = next ? next : add_dir(d, n, s, name);
                s += slash ? name + 1 : name;
                len -= slash ? name + 1 : name;
        }
        return n && n->is_dir ? n : NULL;
}

void change_make_app(struct disk *d)
{
        disk_lock(d);
        make_dirs(d, PATH_APP, strlen(PATH_APP));
        disk_unlock(d);
}

enum svc_error change_others_mkdir(struct disk *d, const struct path *p)
{
        struct node *n;

        disk_lock(d);
        n = make_dirs(d, p->s, p->len);
        disk_unlock(d);
        return n ? SVC_OK : SVC_EXISTS;
}

enum svc_error change_others_put(struct disk *d, const struct path *p, struct content *c)
{
        size_t len, parent_len;
        struct node *n;
        enum svc_error e = SVC_OK;

        path_name(p, &len, &parent_len);
        disk_lock(d);
        n = disk_find(d, p);
        if (is_root(p) || (n && n->is_dir) || !make_dirs(d, p->s, parent_len))
                e = SVC_EXISTS;
        if (e == SVC_OK)
                store(d, p, c);
        else
                store_unref(d->tree.store, c);
        disk_unlock(d);
        return e;
}

enum svc_error change_others_remove(struct disk *d, const struct path *p)
{
        struct node *n;

        if (is_root(p))
                return SVC_ROOT;
        disk_lock(d);
        n = disk_find(d, p);
        if (n) {
                tree_free(&d->tree, n);
                disk_bump(d);
        }
        disk_unlock(d);
        return n ? SVC_OK : SVC_NOT_FOUND;
}

enum svc_error change_others_move(struct disk *d, const struct path *from, const struct path *to)
{
        struct op what = {.from = *from, .to = *to, .overwrite = true};
        enum svc_error e;

        disk_lock(d);
        e = apply_move(d, &what);
        disk_unlock(d);
        return e;
}
