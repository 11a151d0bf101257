/* SPDX-License-Identifier: MIT */

/*
 * The walk.
 *
 * An array of levels is the way down to where we are, a stack of names is what was read on that way
 * and not shown yet.  So nothing calls itself, a deep tree costs a few words a level, and what a
 * folder took is given back when it ends.
 *
 * A folder is opened by its name and then looked at through its descriptor: its stamp belongs to
 * the very folder whose children follow.  It is read whole before it is shown, because its entry
 * must say whether it could be read to the end.
 *
 * getdents64 and not readdir: the kernel's type of each name comes along either way, but here a
 * folder that fails half-way is seen as what it is, and one large buffer serves all folders.
 */

#include "lib/engine/walk.h"

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/engine/beneath.h"
#include "lib/engine/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define BUFFER_SIZE (128u * 1024u) /* for getdents64 and for a .ydignore */
#define OPEN_DEFAULT 64u
#define CHANGES_MAX 8 /* how often one name may become something else under our eyes */

static const char ignore_name[] = WALK_IGNORE_NAME;

/* What became of a name. */
enum { LEFT_OUT, SHOWN, CHANGED };

struct level {
        int fd;           /* -1 while closed to save descriptors */
        bool matched;     /* match_enter() holds patterns of it */
        int ignore_err;   /* its .ydignore could not be read: only that is shown */
        uint64_t dev;
        uint64_t ino;
        size_t key_len;   /* of its own key */
        size_t next;      /* its next name on the stack */
        struct names_mark mark;
};

struct walk {
        struct entry_iter iter;
        struct entry entry;      /* what next() points at */
        int root_fd;
        struct match *match;
        bool follow;
        size_t max_open;
        const struct stir *stir; /* NULL: everything */
        void (*enter)(void *userdata, const char *key, int dir_fd);
        void *userdata;
        const atomic_bool *stop;
        bool begun;
        int failed;              /* the negative errno that ended it */
        struct str key;          /* of what is shown, or of the folder we are in */
        struct level *level;     /* the way down */
        size_t n_levels;
        size_t room;             /* of level */
        size_t n_shut;           /* the first so many of them are closed, the others open */
        struct names names;
        char *buffer;
};

static struct level *walk_top(struct walk *w)
{
        return &w->level[w->n_levels - 1];
}

static bool walk_stopped(const struct walk *w)
{
        return w->stop && atomic_load_explicit(w->stop, memory_order_relaxed);
}

static int walk_open(int dir_fd, const char *name, int flags)
{
        int fd;

        flags |= O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
        for (;;) {
                fd = openat(dir_fd, name, flags | O_NOATIME);
                if (fd < 0 && errno == EPERM) /* another user's */
                        fd = openat(dir_fd, name, flags);
                if (fd >= 0 || errno != EINTR)
                        return fd >= 0 ? fd : -errno;
        }
}

/* ---- one folder ---------------------------------------------------------------------------- */

/* Puts the names of the folder on the stack.  What was read before an error stays there. */
static int walk_read(struct walk *w, int fd)
{
        for (;;) {
                ssize_t n = getdents64(fd, w->buffer, BUFFER_SIZE);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : 0;
                if (walk_stopped(w))
                        return -ECANCELED;
                for (ssize_t i = 0; i < n;) {
                        const struct dirent64 *d = (const void *)(w->buffer + i);
                        size_t len = strlen(d->d_name);

                        i += d->d_reclen;
                        if (d->d_name[0] == '.' &&
                            (len == 1 || (len == 2 && d->d_name[1] == '.')))
                                continue;
                        if (names_push(&w->names, d->d_name, len, d->d_type) < 0)
                                return -ENOMEM;
                }
        }
}

/* Of a folder that is only passed through, the names that lead on. */
static int walk_read_through(struct walk *w)
{
        const char *name;
        size_t at = 0, len;

        while (stir_through(w->stir, str_z(&w->key), &at, &name, &len))
                if (names_push(&w->names, name, len, DT_DIR) < 0)
                        return -ENOMEM;
        return 0;
}

/* What is wanted of the folder at w->key. */
static enum stir_need walk_need(const struct walk *w)
{
        return w->stir ? stir_need(w->stir, str_z(&w->key)) : STIR_WHOLE;
}

ssize_t walk_read_ignore(int dir_fd, char *buffer)
{
        _cleanup_(closep) int fd = -1;
        struct entry e = {0};
        size_t len = 0;
        int r;

        r = beneath_look(dir_fd, ignore_name, &e);
        if (r < 0 || e.kind != KIND_FILE)
                return r < 0 ? r : -ENOENT;
        fd = walk_open(dir_fd, ignore_name, 0);
        if (fd < 0)
                return fd == -ELOOP || fd == -ENXIO ? -ENOENT : fd;
        r = beneath_look(fd, "", &e);
        if (r < 0 || e.kind != KIND_FILE)
                return r < 0 ? r : -ENOENT;
        while (len < WALK_IGNORE_SIZE) {
                ssize_t n = read(fd, buffer + len, WALK_IGNORE_SIZE - len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : (ssize_t)len;
                len += (size_t)n;
        }
        return -EFBIG;
}

/*
 * The patterns of the folder on top.  Asked for by name and not taken from what was read: a reading
 * that failed, or during which an editor put a new file in the old one's place, may lack it.  If
 * they cannot be read, nobody knows what must not be sent: then nothing of the folder is shown but
 * the file with its error, and the folder is incomplete.
 */
static void walk_ignore(struct walk *w)
{
        struct level *l = walk_top(w);
        ssize_t r;

        if (!w->match)
                return;
        r = walk_read_ignore(l->fd, w->buffer);
        if (r == -ENOENT)
                return;
        if (r >= 0)
                r = match_enter(w->match, str_z(&w->key), w->buffer, (size_t)r);
        l->matched = r >= 0;
        if (r >= 0)
                return;
        l->ignore_err = w->entry.err = (int)-r;
        names_pop(&w->names, l->mark);
        if (names_push(&w->names, ignore_name, sizeof(ignore_name) - 1, DT_REG) < 0)
                l->ignore_err = 0; /* the folder alone must say it then */
}

/* Whether the folder is one that we are in: a bind mount or a symlink to one further up. */
static bool walk_circle(const struct walk *w, const struct stamp *s)
{
        for (size_t i = w->n_levels; i-- > 0;)
                if (w->level[i].ino == s->ino && w->level[i].dev == s->dev)
                        return true;
        return false;
}

/* Makes the folder the top level and takes `fd`. */
static int walk_push(struct walk *w, int fd, struct names_mark mark)
{
        const struct stamp *s = &w->entry.stamp;

        if (w->n_levels == w->room) {
                size_t room = w->room ? w->room * 2 : 16;
                void *p = reallocarray(w->level, room, sizeof(*w->level));

                if (!p)
                        return -ENOMEM;
                w->level = p;
                w->room = room;
        }
        w->level[w->n_levels++] = (struct level){
                .fd = fd, .dev = s->dev, .ino = s->ino, .key_len = w->key.len,
                .next = mark.n, .mark = mark,
        };
        return 0;
}

/* Shows the folder that `fd_in` has open and goes into it.  Closes `fd_in` if it does not.  CHANGED
 * when it was removed meanwhile: something else may stand in its place. */
static int walk_enter(struct walk *w, int fd_in, bool linked)
{
        _cleanup_(closep) int fd = fd_in;
        struct names_mark mark = names_mark(&w->names);
        enum stir_need need = walk_need(w);
        struct entry *e = &w->entry;
        int r;

        e->kind = KIND_DIR;
        r = beneath_look(fd, "", e);
        if (r < 0 || walk_circle(w, &e->stamp)) {
                e->err = r < 0 ? -r : ELOOP;
                if (linked && r == 0)
                        e->err = 0, e->kind = KIND_OTHER;
                return SHOWN;
        }
        if (need == STIR_THROUGH) {
                e->flags |= ENTRY_PARTIAL;
                r = walk_read_through(w);
        } else {
                if (w->enter)
                        w->enter(w->userdata, str_z(&w->key), fd);
                r = walk_read(w, fd);
        }
        if (r == -ECANCELED)
                return r;
        if (r == -ENOENT) {
                names_pop(&w->names, mark);
                return CHANGED;
        }
        e->err = -r;
        names_sort(&w->names, mark);
        if (walk_push(w, fd, mark) < 0)
                return -ENOMEM;
        TAKE_FD(fd);
        walk_ignore(w);
        return SHOWN;
}

/* Closes folders far up until one more descriptor is allowed; the one we are in stays. */
static void walk_make_room(struct walk *w)
{
        while (w->n_shut + 1 < w->n_levels && w->n_levels - w->n_shut >= w->max_open) {
                close(w->level[w->n_shut].fd);
                w->level[w->n_shut++].fd = -1;
        }
}

/* ---- one name ------------------------------------------------------------------------------ */

static int walk_show_error(struct walk *w, int errnum)
{
        w->entry.kind = KIND_NONE;
        w->entry.err = errnum;
        return SHOWN;
}

/* Looks at the name itself.  CHANGED (and *type) when it is not what its folder said. */
static int walk_stat(struct walk *w, const char *name, unsigned char *type)
{
        static const unsigned char types[] = {
                [KIND_FILE] = DT_REG, [KIND_DIR] = DT_DIR, [KIND_OTHER] = DT_LNK,
        };
        int r = beneath_look(walk_top(w)->fd, name, &w->entry);

        if (r < 0)
                return r == -ENOENT ? LEFT_OUT : walk_show_error(w, -r);
        if (*type == types[w->entry.kind])
                return SHOWN;
        *type = types[w->entry.kind];
        return CHANGED;
}

/* A folder that is not gone into. */
static int walk_show_unread(struct walk *w, const char *name, unsigned char *type)
{
        int r = walk_stat(w, name, type);

        if (r == SHOWN && w->entry.kind == KIND_DIR)
                w->entry.flags |= ENTRY_PARTIAL;
        return r;
}

static int walk_show_dir(struct walk *w, const char *name, unsigned char *type)
{
        int fd, r = CHANGED;

        if (walk_need(w) == STIR_NOTHING)
                return walk_show_unread(w, name, type);
        walk_make_room(w);
        fd = walk_open(walk_top(w)->fd, name, O_DIRECTORY);
        if (fd == -ENOENT)
                return LEFT_OUT;
        if (fd >= 0)
                r = walk_enter(w, fd, false);
        else if (fd != -ENOTDIR && fd != -ELOOP)
                r = walk_stat(w, name, type);
        if (fd < 0 && r == SHOWN && w->entry.kind == KIND_DIR)
                w->entry.err = -fd;
        if (r == CHANGED)
                *type = DT_UNKNOWN;
        return r;
}

/* The folder behind a link; `path_fd` only finds it. */
static int walk_show_linked_dir(struct walk *w, int path_fd)
{
        int fd;

        if (walk_circle(w, &w->entry.stamp)) {
                w->entry.kind = KIND_OTHER;
                return SHOWN;
        }
        walk_make_room(w);
        fd = walk_open(path_fd, ".", O_DIRECTORY);
        if (fd >= 0)
                return walk_enter(w, fd, true);
        w->entry.err = -fd;
        return SHOWN;
}

/* Found again from the top and not through its folder: a link may go up, but not beyond the top. */
static int walk_show_link(struct walk *w, const char *name)
{
        struct entry *e = &w->entry, link = {0};
        _cleanup_(closep) int fd = -1;
        int r;

        fd = beneath_open(w->root_fd, w->key.s, O_PATH, true);
        r = fd < 0 ? fd : beneath_look(fd, "", e);
        if (r < 0) {
                if (r == -ENOENT && beneath_look(walk_top(w)->fd, name, &link) == -ENOENT)
                        return LEFT_OUT;
                e->kind = KIND_OTHER;
                if (!beneath_astray(-r))
                        return walk_show_error(w, -r);
        }
        if (w->match && match_excludes(w->match, w->key.s, e->kind == KIND_DIR)) {
                e->flags |= ENTRY_EXCLUDED;
                return SHOWN;
        }
        return e->kind == KIND_DIR ? walk_show_linked_dir(w, fd) : SHOWN;
}

static enum kind walk_kind(unsigned char type)
{
        if (type == DT_REG)
                return KIND_FILE;
        return type == DT_DIR ? KIND_DIR : KIND_OTHER;
}

static int walk_show_as(struct walk *w, const char *name, unsigned char *type)
{
        if (*type == DT_UNKNOWN)
                return walk_stat(w, name, type);
        if (*type == DT_LNK && w->follow)
                return walk_show_link(w, name);
        w->entry.kind = walk_kind(*type);
        if (w->match && match_excludes(w->match, w->key.s, *type == DT_DIR)) {
                w->entry.flags |= ENTRY_EXCLUDED;
                return SHOWN;
        }
        if (*type == DT_DIR)
                return walk_show_dir(w, name, type);
        return *type == DT_REG ? walk_stat(w, name, type) : SHOWN;
}

/* A folder that is changed while it is read may give a name twice. */
static bool walk_twice(const struct walk *w, size_t at)
{
        const struct name *n = &w->names.v[at];

        return at > w->level[w->n_levels - 1].mark.n && n->len == n[-1].len &&
               memcmp(names_at(&w->names, n), names_at(&w->names, n - 1), n->len) == 0;
}

static int walk_name(struct walk *w)
{
        struct level *l = walk_top(w);
        size_t key_len = l->key_len;
        const struct name *n = &w->names.v[l->next++];
        unsigned char type = n->type;

        if (walk_twice(w, l->next - 1))
                return LEFT_OUT;
        str_truncate(&w->key, key_len);
        if (key_len > 0)
                str_addc(&w->key, '/');
        str_add(&w->key, names_at(&w->names, n), n->len);
        if (w->key.failed)
                return -ENOMEM;
        w->entry = (struct entry){0};
        if (l->ignore_err)
                return walk_show_error(w, l->ignore_err);
        for (int i = 0; i < CHANGES_MAX; i++) {
                int r = walk_show_as(w, w->key.s + key_len + (key_len > 0), &type);

                if (r != CHANGED)
                        return r;
                w->entry = (struct entry){0};
        }
        return walk_show_error(w, EAGAIN);
}

/* ---- and up again -------------------------------------------------------------------------- */

static int walk_same(const struct level *l, int fd)
{
        struct entry e = {0};
        int r = beneath_look(fd, "", &e);

        if (r < 0)
                return r;
        return e.stamp.ino == l->ino && e.stamp.dev == l->dev ? 0 : -ESTALE;
}

/*
 * Opens the level on top again after the one below it, `left`, has ended: through ".." if that
 * leads there, otherwise by its key: `left` may have been moved, or entered through a symlink.
 */
static int walk_reopen(struct walk *w, const struct level *left)
{
        struct level *l = walk_top(w);
        _cleanup_(closep) int fd = -1;
        int r;

        if (left->fd >= 0) {
                fd = openat(left->fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (fd >= 0 && walk_same(l, fd) == 0)
                        goto found;
        }
        if (l->next == w->names.n) /* all of it was shown */
                return 0;
        closep(&fd);
        fd = beneath_open(w->root_fd, str_z(&w->key),
                          O_PATH | O_DIRECTORY | (w->follow ? 0 : O_NOFOLLOW), w->follow);
        r = fd < 0 ? fd : walk_same(l, fd);
        if (r < 0)
                return beneath_astray(-r) ? -ESTALE : r;
found:
        l->fd = TAKE_FD(fd);
        w->n_shut = w->n_levels - 1;
        return 0;
}

/* Leaves the level on top.  SHOWN: the one above it was lost, and a second entry says so. */
static int walk_leave(struct walk *w)
{
        struct level left = *walk_top(w);
        _cleanup_(closep) _unused_ int fd = left.fd;
        int r;

        str_truncate(&w->key, left.key_len);
        if (left.matched)
                match_leave(w->match, str_z(&w->key));
        names_pop(&w->names, left.mark);
        w->n_levels--;
        if (w->n_shut < w->n_levels || w->n_levels == 0)
                return LEFT_OUT;
        w->n_shut = w->n_levels;
        str_truncate(&w->key, walk_top(w)->key_len);
        r = walk_reopen(w, &left);
        if (r == 0)
                return LEFT_OUT;
        walk_top(w)->next = w->names.n;
        w->entry = (struct entry){.kind = KIND_DIR, .err = -r};
        return SHOWN;
}

static int walk_begin(struct walk *w)
{
        int fd, r;

        w->begun = true;
        w->entry = (struct entry){0};
        fd = walk_open(w->root_fd, ".", O_DIRECTORY);
        r = fd >= 0 ? walk_enter(w, fd, false) : fd;
        if (r == SHOWN || r == -ECANCELED || r == -ENOMEM)
                return r;
        beneath_look(w->root_fd, "", &w->entry);
        w->entry.kind = KIND_DIR;
        w->entry.err = r < 0 ? -r : ENOENT;
        return SHOWN;
}

static int walk_step(struct walk *w)
{
        if (walk_stopped(w))
                return -ECANCELED;
        if (!w->begun)
                return walk_begin(w);
        return walk_top(w)->next < w->names.n ? walk_name(w) : walk_leave(w);
}

static int walk_next(struct entry_iter *it, const struct entry **ret)
{
        struct walk *w = CONTAINER_OF(it, struct walk, iter);

        while (!w->failed && (w->n_levels > 0 || !w->begun)) {
                int r = walk_step(w);

                if (r < 0)
                        w->failed = r;
                if (r != SHOWN)
                        continue;
                w->entry.key = str_z(&w->key);
                *ret = &w->entry;
                return 1;
        }
        return w->failed;
}

int walk_create(struct walk **ret, int root_fd, const struct walk_options *options, struct err *err)
{
        _cleanup_(walk_destroyp) struct walk *w = calloc(1, sizeof(*w));

        if (w)
                w->buffer = malloc(BUFFER_SIZE);
        if (!w || !w->buffer)
                return err_set(err, ENOMEM, "there is no memory to walk the folder");
        w->iter.next = walk_next;
        w->root_fd = root_fd;
        w->match = options->match;
        w->follow = options->follow;
        w->stir = options->follow ? NULL : options->stir; /* a link leads where nobody told of */
        w->max_open = options->max_open ? options->max_open : OPEN_DEFAULT;
        if (w->max_open < 2)
                w->max_open = 2;
        w->enter = options->enter;
        w->userdata = options->userdata;
        w->stop = options->stop;
        w->key = STR_NULL(SIZE_MAX / 4);
        *ret = TAKE_PTR(w);
        return 0;
}

void walk_destroy(struct walk *w)
{
        if (!w)
                return;
        for (size_t i = w->n_levels; i-- > 0;) {
                closep(&w->level[i].fd);
                if (!w->level[i].matched)
                        continue;
                str_truncate(&w->key, w->level[i].key_len);
                match_leave(w->match, str_z(&w->key));
        }
        free(w->level);
        names_finish(&w->names);
        str_finish(&w->key);
        free(w->buffer);
        free(w);
}

struct entry_iter *walk_iter(struct walk *w)
{
        return &w->iter;
}
