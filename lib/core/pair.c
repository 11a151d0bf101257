/* SPDX-License-Identifier: MIT */

#include "lib/core/pair.h"

#include "lib/base/map.h"
#include "lib/base/str.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define PAIR_PARKING "ydsync-moving-"

struct pair_inode {
        uint64_t dev, ino;
};

/* Where a thing that came is known to have been. */
struct pair_source {
        char *key;
        struct entry known;
        uint64_t children; /* of a folder: rows right below that left … */
        uint64_t matched;  /* … and came right below the other one as they were */
};

struct pair_thing {
        char *key;
        struct entry seen;
        bool was_known;             /* something is known at its key */
        struct pair_source *source; /* NULL: nothing fits */
        uint64_t children;          /* of a folder: what came right below, as long as it was looked at */
        bool chosen;
        bool marked;                /* met on the way along a chain */
        struct pair_thing *blocker; /* what must leave its place first */
        char *parked;               /* the key it waits at, if it is to be parked */
        bool asked, left;           /* it was given a first move, and that was made */
        bool arrives;               /* its last move was given */
};

/* A new folder above something that came. */
struct pair_folder {
        char *key;
        struct op op;
        bool needed;
};

/* A folder on the way to where we are. */
struct pair_above {
        char *key;
        struct op op;
        struct pair_thing *thing; /* if it may have been moved itself */
        bool listed;              /* among `folders` */
};

struct pairs {
        pair_vain_op vain;
        void *userdata;
        struct pair_inode *gone;
        size_t n_gone, size_gone;
        bool sorted;
        struct pair_thing *things; /* room for PAIR_MOST: they do not move */
        size_t n_things;
        struct pair_thing **by_inode;
        struct map *by_key;        /* things */
        struct map *sources;       /* folders that left: key -> thing */
        struct map *leaving;       /* chosen: key it leaves -> thing */
        struct map *folder_keys;
        struct pair_folder **folders;
        size_t n_folders, size_folders;
        struct pair_above *above;
        size_t n_above, size_above;
        uint64_t count;
        bool under_way;
};

/* ---- life ------------------------------------------------------------------------------------- */

struct pairs *pairs_create(pair_vain_op vain, void *userdata)
{
        struct pairs *p = calloc(1, sizeof(*p));

        if (!p)
                return NULL;
        p->vain = vain;
        p->userdata = userdata;
        p->things = calloc(PAIR_MOST, sizeof(*p->things));
        p->by_key = map_create();
        p->sources = map_create();
        p->leaving = map_create();
        p->folder_keys = map_create();
        if (!p->things || !p->by_key || !p->sources || !p->leaving || !p->folder_keys) {
                pairs_destroy(p);
                return NULL;
        }
        return p;
}

static void pair_source_free(struct pair_source *s)
{
        if (s)
                free(s->key);
        free(s);
}

void pairs_destroy(struct pairs *p)
{
        struct map *maps[4];

        if (!p)
                return;
        memcpy(maps, (struct map *[]){p->by_key, p->sources, p->leaving, p->folder_keys},
               sizeof(maps));
        for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
                if (maps[i])
                        map_destroy(maps[i]);
        for (size_t i = 0; i < p->n_things; i++) {
                pair_source_free(p->things[i].source);
                free(p->things[i].parked);
                free(p->things[i].key);
        }
        for (size_t i = 0; i < p->n_folders; i++) {
                free(p->folders[i]->key);
                free(p->folders[i]);
        }
        for (size_t i = 0; i < p->n_above; i++)
                free(p->above[i].key);
        free(p->folders);
        free(p->above);
        free(p->things);
        free(p->by_inode);
        free(p->gone);
        free(p);
}

static bool pair_grow(void *array, size_t n, size_t *size, size_t each)
{
        void *grown;

        if (n < *size)
                return true;
        grown = reallocarray(*(void **)array, 2 * *size + 16, each);
        if (!grown)
                return false;
        *(void **)array = grown;
        *size = 2 * *size + 16;
        return true;
}

/* ---- inodes ----------------------------------------------------------------------------------- */

static int pair_inode_cmp(const struct pair_inode *a, const struct pair_inode *b)
{
        if (a->dev != b->dev)
                return a->dev < b->dev ? -1 : 1;
        return a->ino < b->ino ? -1 : a->ino > b->ino;
}

static int pair_sort_gone(const void *a, const void *b)
{
        return pair_inode_cmp(a, b);
}

static struct pair_inode pair_inode_of(const struct entry *e)
{
        return (struct pair_inode){.dev = e->stamp.dev, .ino = e->stamp.ino};
}

static int pair_sort_things(const void *a, const void *b)
{
        const struct pair_thing *x = *(struct pair_thing *const *)a;
        const struct pair_thing *y = *(struct pair_thing *const *)b;
        struct pair_inode i = pair_inode_of(&x->seen), j = pair_inode_of(&y->seen);
        int order = pair_inode_cmp(&i, &j);

        return order ? order : (x > y) - (x < y);
}

int pair_gone(struct pairs *p, const struct entry *known)
{
        if (!pair_grow(&p->gone, p->n_gone, &p->size_gone, sizeof(*p->gone)))
                return -ENOMEM;
        p->gone[p->n_gone++] = pair_inode_of(known);
        return 0;
}

static bool pair_may_have_moved(struct pairs *p, const struct entry *seen)
{
        struct pair_inode inode = pair_inode_of(seen);

        if (!p->sorted)
                qsort(p->gone, p->n_gone, sizeof(*p->gone), pair_sort_gone);
        p->sorted = true;
        return p->n_gone > 0 &&
               bsearch(&inode, p->gone, p->n_gone, sizeof(*p->gone), pair_sort_gone);
}

/* ---- what came -------------------------------------------------------------------------------- */

static void pair_leave_folders(struct pairs *p, const char *key)
{
        while (p->n_above > 0 && !entry_key_below(key, p->above[p->n_above - 1].key))
                free(p->above[--p->n_above].key);
}

static int pair_enter_folder(struct pairs *p, const struct op *op, struct pair_thing *thing)
{
        char *key = str_dup(op->entry.key);

        if (!key || !pair_grow(&p->above, p->n_above, &p->size_above, sizeof(*p->above))) {
                free(key);
                return -ENOMEM;
        }
        p->above[p->n_above++] = (struct pair_above){.key = key, .op = *op, .thing = thing};
        return 0;
}

/* The folders above must be there before the thing can be moved into them. */
static int pair_list_folders(struct pairs *p)
{
        for (size_t i = 0; i < p->n_above; i++) {
                struct pair_above *above = &p->above[i];
                struct pair_folder *folder;

                if (above->listed || above->op.verb != OP_MKDIR)
                        continue;
                folder = calloc(1, sizeof(*folder));
                if (!folder || !pair_grow(&p->folders, p->n_folders, &p->size_folders,
                                          sizeof(struct pair_folder *))) {
                        free(folder);
                        return -ENOMEM;
                }
                p->folders[p->n_folders++] = folder;
                folder->op = above->op;
                folder->key = str_dup(above->key);
                if (!folder->key ||
                    map_set(p->folder_keys, folder->key, strlen(folder->key), folder) < 0)
                        return -ENOMEM;
                folder->op.entry.key = folder->key;
                above->listed = true;
        }
        return 0;
}

static int pair_add_thing(struct pairs *p, const struct op *op, struct pair_thing **ret)
{
        struct pair_thing *t = &p->things[p->n_things];

        t->key = str_dup(op->entry.key);
        if (!t->key || map_set(p->by_key, t->key, strlen(t->key), t) < 0) {
                free(TAKE_PTR(t->key));
                return -ENOMEM;
        }
        t->seen = op->entry;
        t->seen.key = t->key;
        t->was_known = op->was_known;
        p->n_things++;
        *ret = t;
        return pair_list_folders(p);
}

/* Whether a folder above is to stand where something else is in the way. */
static bool pair_is_below_obstacle(const struct pairs *p)
{
        for (size_t i = 0; i < p->n_above; i++)
                if (p->above[i].op.after_drop)
                        return true;
        return false;
}

int pair_came(struct pairs *p, const struct op *op)
{
        struct pair_thing *thing = NULL;
        size_t parent = entry_key_parent(op->entry.key);
        bool full = p->n_things == PAIR_MOST;
        bool folder = op->verb == OP_MKDIR || (op->verb == OP_TOUCH && op->entry.kind == KIND_DIR);
        int r = 0;

        pair_leave_folders(p, op->entry.key);
        if (p->n_above > 0 && !full && strlen(p->above[p->n_above - 1].key) == parent &&
            p->above[p->n_above - 1].thing)
                p->above[p->n_above - 1].thing->children++;
        if (!full && (folder || op->verb == OP_PUT) && !op->after_drop &&
            !pair_is_below_obstacle(p) && pair_may_have_moved(p, &op->entry))
                r = pair_add_thing(p, op, &thing);
        return r == 0 && folder ? pair_enter_folder(p, op, thing) : r;
}

/* ---- what left -------------------------------------------------------------------------------- */

static int pair_index(struct pairs *p)
{
        if (p->by_inode)
                return 0;
        p->by_inode = calloc(p->n_things + 1, sizeof(struct pair_thing *));
        if (!p->by_inode)
                return -ENOMEM;
        for (size_t i = 0; i < p->n_things; i++)
                p->by_inode[i] = &p->things[i];
        qsort(p->by_inode, p->n_things, sizeof(struct pair_thing *), pair_sort_things);
        return 0;
}

/* The first place in by_inode that is not below this inode. */
static size_t pair_at(const struct pairs *p, const struct pair_inode *inode)
{
        size_t low = 0, high = p->n_things;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                struct pair_inode i = pair_inode_of(&p->by_inode[middle]->seen);

                if (pair_inode_cmp(&i, inode) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static bool pair_is_vain(const struct pairs *p, const char *from, const struct pair_thing *t,
                         const char *to)
{
        struct entry seen = t->seen;

        seen.key = to;
        return p->vain && p->vain(p->userdata, from, &seen);
}

static bool pair_fits(const struct pairs *p, const struct pair_thing *t, const struct entry *known)
{
        if (strlen(known->key) > PAIR_KEY_MAX || strlen(t->key) > PAIR_KEY_MAX)
                return false;
        if (t->source || t->seen.kind != known->kind || str_eq(t->key, known->key))
                return false;
        if (known->kind != KIND_DIR &&
            (!known->has_md5 || (known->flags & ENTRY_UNVERIFIED) || t->seen.size != known->size ||
             t->seen.stamp.mtime_ns != known->stamp.mtime_ns))
                return false;
        return !pair_is_vain(p, known->key, t, t->key);
}

static struct pair_thing *pair_fitting(const struct pairs *p, const struct entry *known)
{
        struct pair_inode inode = pair_inode_of(known);

        for (size_t i = pair_at(p, &inode); i < p->n_things; i++) {
                struct pair_inode here = pair_inode_of(&p->by_inode[i]->seen);

                if (pair_inode_cmp(&here, &inode) != 0)
                        break;
                if (pair_fits(p, p->by_inode[i], known))
                        return p->by_inode[i];
        }
        return NULL;
}

/* What was right below a folder that may have moved tells of it. */
static int pair_testify(struct pairs *p, const struct entry *known)
{
        _cleanup_(str_finish) struct str key = STR_NULL(SIZE_MAX / 4);
        const struct pair_thing *folder, *t;

        folder = map_get(p->sources, known->key, entry_key_parent(known->key));
        if (!folder)
                return 0;
        folder->source->children++;
        str_addf(&key, "%s/%s", folder->key, entry_key_name(known->key));
        if (key.failed)
                return -ENOMEM;
        t = map_get(p->by_key, str_z(&key), key.len);
        if (t && t->seen.kind == known->kind && t->seen.stamp.ino == known->stamp.ino &&
            (known->kind == KIND_DIR || (t->seen.size == known->size &&
                                         entry_stamp_eq(&t->seen.stamp, &known->stamp))))
                folder->source->matched++;
        return 0;
}

int pair_left(struct pairs *p, const struct entry *known)
{
        struct pair_source *s;
        struct pair_thing *t;
        int r = pair_index(p);

        if (r == 0)
                r = pair_testify(p, known);
        t = r == 0 ? pair_fitting(p, known) : NULL;
        if (!t)
                return r;
        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->known = *known;
        s->key = str_dup(known->key);
        s->known.key = s->key;
        t->source = s;
        if (!s->key || (known->kind == KIND_DIR &&
                        map_set(p->sources, s->key, strlen(s->key), t) < 0))
                return -ENOMEM;
        return 0;
}

/* ---- choosing --------------------------------------------------------------------------------- */

static bool pair_proven(const struct pair_thing *t)
{
        uint64_t of = t->children;

        if (!t->source)
                return false;
        if (t->seen.kind == KIND_FILE)
                return true;
        if (t->source->children < of)
                of = t->source->children;
        return t->source->matched > 0 && 2 * t->source->matched >= of;
}

/* Whether a folder above this key is among `folders`. */
static bool pair_has_above(const struct map *folders, const char *key)
{
        for (size_t len = entry_key_parent(key); len > 0;) {
                if (map_get(folders, key, len))
                        return true;
                while (len > 0 && key[len - 1] != '/')
                        len--;
                len -= len > 0; /* the slash */
        }
        return false;
}

/* Those whose places are not touched by the move of a folder above. */
static int pair_choose_outermost(struct pairs *p)
{
        _cleanup_(map_destroyp) struct map *moved = map_create();
        int r = moved ? 0 : -ENOMEM;

        for (size_t i = 0; r == 0 && i < p->n_things; i++) {
                struct pair_thing *t = &p->things[i];

                t->chosen = pair_proven(t);
                if (!t->chosen || t->seen.kind != KIND_DIR)
                        continue;
                r = map_set(moved, t->key, strlen(t->key), t);
                if (r == 0)
                        r = map_set(moved, t->source->key, strlen(t->source->key), t);
        }
        for (size_t i = 0; r == 0 && i < p->n_things; i++) {
                struct pair_thing *t = &p->things[i];

                t->chosen = t->chosen && !pair_has_above(moved, t->key) &&
                            !pair_has_above(moved, t->source->key);
                if (t->chosen)
                        r = map_set(p->leaving, t->source->key, strlen(t->source->key), t);
        }
        return r;
}

/* A thing whose place does not become free is not moved; nor is, then, what wanted its place. */
static void pair_give_up(struct pairs *p, struct pair_thing *t)
{
        while (t && t->chosen) {
                t->chosen = false;
                map_remove(p->leaving, t->source->key, strlen(t->source->key));
                t = map_get(p->by_key, t->source->key, strlen(t->source->key));
        }
}

static void pair_find_blockers(struct pairs *p)
{
        for (size_t i = 0; i < p->n_things; i++) {
                struct pair_thing *t = &p->things[i];

                if (t->chosen && t->was_known && !map_get(p->leaving, t->key, strlen(t->key)))
                        pair_give_up(p, t);
        }
        for (size_t i = 0; i < p->n_things; i++) {
                struct pair_thing *t = &p->things[i];

                if (t->chosen && t->was_known)
                        t->blocker = map_get(p->leaving, t->key, strlen(t->key));
        }
}

/* A name that says what it is, and is the same each time: should we be killed when it was moved there
 * and that is not yet written down, the next start finds it. */
static int pair_park(struct pair_thing *t)
{
        struct str key = STR_NULL(SIZE_MAX / 4);
        size_t parent = entry_key_parent(t->source->key);
        uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */

        for (const char *c = t->source->key; *c; c++)
                h = (h ^ (unsigned char)*c) * 0x100000001b3u;
        str_add(&key, t->source->key, parent);
        if (parent > 0)
                str_addc(&key, '/');
        str_addf(&key, PAIR_PARKING "%016" PRIx64 "%08" PRIx64, h,
                 t->seen.stamp.ino & 0xffffffff);
        t->parked = str_take(&key);
        return t->parked ? 0 : -ENOMEM;
}

bool pair_is_parked(const char *key)
{
        return str_starts(entry_key_name(key), PAIR_PARKING);
}

/* Whoever is met twice on the way from one blocker to the next stands in a circle. */
static int pair_open_circles(struct pairs *p)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < p->n_things; i++) {
                struct pair_thing *t = &p->things[i], *at = t;

                while (at && at->chosen && !at->marked) {
                        at->marked = true;
                        at = at->blocker;
                        if (at != t)
                                continue;
                        r = pair_park(t);
                        if (r == 0 && pair_is_vain(p, t->source->key, t, t->parked))
                                pair_give_up(p, t);
                }
        }
        return r;
}

int pair_choose(struct pairs *p)
{
        int r = pair_index(p);

        if (r == 0)
                r = pair_choose_outermost(p);
        if (r < 0)
                return r;
        pair_find_blockers(p);
        r = pair_open_circles(p);
        for (size_t i = 0; r == 0 && i < p->n_things; i++) {
                const char *key = p->things[i].key;

                if (!p->things[i].chosen)
                        continue;
                p->count++;
                for (size_t len = strlen(key); len > 0; len--) {
                        struct pair_folder *f =
                                key[len] == '/' ? map_get(p->folder_keys, key, len) : NULL;

                        if (f)
                                f->needed = true;
                }
        }
        return r;
}

uint64_t pair_count(const struct pairs *p)
{
        return p->count;
}

/* ---- waves ------------------------------------------------------------------------------------ */

static struct op pair_op(const struct pair_thing *t, const char *from)
{
        struct op op = {.verb = OP_MOVE, .entry = t->seen, .from = from};

        op.known_size = t->source->known.size;
        memcpy(op.known_md5, t->source->known.md5, sizeof(op.known_md5));
        return op;
}

/* 1: it has its turn in this wave, 0: not. */
static int pair_give(struct pair_thing *t, int (*add)(void *userdata, const struct op *op),
                     void *userdata)
{
        struct op op;
        int r;

        if (!t->chosen || t->arrives || (t->asked && !t->left))
                return 0;
        op = pair_op(t, t->left ? t->parked : t->source->key);
        if (t->parked && !t->asked) {
                op.parks = true;
                op.entry.key = t->parked;
        } else if (t->blocker && !t->blocker->left) {
                return 0;
        } else {
                t->arrives = true;
        }
        t->asked = true;
        r = add(userdata, &op);
        return r < 0 ? r : 1;
}

int pair_wave(struct pairs *p, int (*add)(void *userdata, const struct op *op), void *userdata)
{
        int given = 0, r = 0;

        for (size_t i = 0; r >= 0 && !p->under_way && i < p->n_folders; i++) {
                if (!p->folders[i]->needed)
                        continue;
                r = add(userdata, &p->folders[i]->op);
                given++;
        }
        for (size_t i = 0; r >= 0 && i < p->n_things; i++) {
                r = pair_give(&p->things[i], add, userdata);
                given += r > 0;
        }
        p->under_way = true;
        return r < 0 ? r : given;
}

void pair_made(struct pairs *p, const char *from)
{
        struct pair_thing *t = map_get(p->leaving, from, strlen(from));

        if (t && t->asked)
                t->left = true;
}
