/* SPDX-License-Identifier: MIT */

/*
 * inotify(7) on the folder, since editors replace files; in its own words and not through libuv, which
 * does not tell when a file that was written to is closed.  Where the `.env` is a link, the folder that
 * it leads to is watched as well.  A watch can be deaf (a network file system, a link in the middle
 * that was bent), so the file is compared with what was read before each pass, too.
 *
 * Reading happens on the pool: the names in the file may lead to a disk that does not answer.
 */

#include "daemon/reload.h"

#include "daemon/config_key.h"
#include "daemon/event.h"
#include "daemon/root.h"
#include "daemon/sandbox.h"
#include "daemon/speak.h"
#include "lib/base/str.h"

#include <errno.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#define RELOAD_SETTLE_MS 250    /* several writes are one edit */
#define RELOAD_OPEN_MS 60000    /* somebody has it open for writing, but has stopped */
#define RELOAD_GONE_MS 2000     /* it was taken away, surely to be replaced */
#define RELOAD_YOUNG_S 1        /* nobody told of it, and it was changed less than this ago */
#define RELOAD_WATCHES 2
#define RELOAD_TEXT_MAX (1 << 20)

#define RELOAD_DONE (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB)
#define RELOAD_MASK (RELOAD_DONE | IN_MODIFY | IN_CREATE | IN_ONLYDIR)

/* What tells one content of a file from another. */
struct reload_stamp {
        dev_t dev;
        ino_t ino;
        off_t size;
        struct timespec mtime, ctime;
};

struct reload_watch {
        int wd;     /* -1: none */
        char *name; /* in that folder */
};

enum reload_found {
        RELOAD_SAME,  /* what was read last */
        RELOAD_YOUNG, /* something else, but too new */
        RELOAD_GONE,  /* nothing, for a moment */
        RELOAD_READ,  /* it was read: see `result` */
};

struct reload {
        struct reload_args args;
        char *file; /* the one that is watched; NULL: none was found */
        struct reload_watch watches[RELOAD_WATCHES];
        int fd;     /* of inotify, or -1 */
        uv_poll_t poll;
        uv_timer_t timer;
        unsigned handles; /* that are not closed */
        bool closing;
        bool began;       /* the first job is over */

        /* The job on the pool. */
        uv_work_t work;
        bool working, again;
        bool asked, answers; /* somebody did since it began, and by then */
        bool settled;        /* it was given its time */
        bool waits;          /* for a folder that is not there yet: looked for before each pass */
        enum reload_found found;
        struct reload_watch watches_new[RELOAD_WATCHES];
        char *folder;        /* that is mirrored now */
        struct reload_stamp stamp, stamp_new; /* of what was read last; all 0: nothing there */
        struct config next;
        int result;
        struct str errors, warnings;
        struct str said, doubted; /* what was said of them last */
};

static void reload_free(struct reload *r)
{
        if (r->fd >= 0)
                close(r->fd);
        for (size_t i = 0; i < RELOAD_WATCHES; i++) {
                free(r->watches[i].name);
                free(r->watches_new[i].name);
        }
        config_finish(&r->next);
        free(r->file);
        free(r->folder);
        str_finish(&r->errors);
        str_finish(&r->warnings);
        str_finish(&r->said);
        str_finish(&r->doubted);
        free(r);
}

/* ---- what is said ----------------------------------------------------------------------------- */

/* "FILE:LINE: KEY: what is wrong". */
static void reload_mistake(struct str *to, const struct config *next, const char *key,
                           const char *text)
{
        size_t i = (size_t)(config_key_find(key) - config_key_table);

        if (next->file && next->lines[i] > 0) {
                str_add_printable(to, next->file);
                str_addf(to, ":%u: ", next->lines[i]);
        }
        str_addf(to, "%s: %s\n", key, text);
}

static void reload_say_kept(const char *errors)
{
        speak_lines(EVENT_CONFIG_WRONG, errors);
        event_say(EVENT_CONFIG_KEPT, NULL, "the configuration stays as it was");
}

void reload_refuse(struct reload *r, const struct config *next, const char *key,
                   const struct err *err)
{
        str_clear(&r->said);
        reload_mistake(&r->said, next, key, err->text);
        reload_say_kept(str_z(&r->said));
}

/* ---- reading it, on the pool ------------------------------------------------------------------ */

static struct reload_stamp reload_stamp(const char *file)
{
        struct reload_stamp s = {0};
        struct stat st;

        if (file && stat(file, &st) == 0)
                s = (struct reload_stamp){.dev = st.st_dev,
                                          .ino = st.st_ino,
                                          .size = st.st_size,
                                          .mtime = st.st_mtim,
                                          .ctime = st.st_ctim};
        return s;
}

static bool reload_same_stamp(const struct reload_stamp *a, const struct reload_stamp *b)
{
        return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
               a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec &&
               a->ctime.tv_sec == b->ctime.tv_sec && a->ctime.tv_nsec == b->ctime.tv_nsec;
}

/* A folder that was mirrored may be away for a while; one that is to be mirrored is a mistake then. */
static void reload_check_folder(struct reload *r)
{
        struct root root = {.fd = -1};
        struct err err = ERR_NONE;

        r->waits = false;
        if (r->result < 0 || str_eq(r->next.folder, r->folder))
                return;
        r->result = sandbox_check(r->next.folder, &err);
        if (r->result == 0)
                r->result = root_open(&root, r->next.folder, &err);
        root_close(&root);
        if (r->result == 0)
                return;
        r->waits = true;
        reload_mistake(&r->errors, &r->next, "PATH_TO_FOLDER_ON_PC", err.text);
        config_finish(&r->next);
}

static bool reload_is_young(const struct reload_stamp *s)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return now.tv_sec >= s->mtime.tv_sec && now.tv_sec - s->mtime.tv_sec <= RELOAD_YOUNG_S;
}

static enum reload_found reload_find(const struct reload *r)
{
        if (r->answers || r->waits)
                return RELOAD_READ;
        if (reload_same_stamp(&r->stamp_new, &r->stamp))
                return RELOAD_SAME;
        if (r->settled)
                return RELOAD_READ;
        if (r->stamp_new.ino == 0)
                return RELOAD_GONE;
        return reload_is_young(&r->stamp_new) ? RELOAD_YOUNG : RELOAD_READ;
}

/* Watches the folder of `path`; one that is watched already keeps its watch. */
static void reload_watch_one(const struct reload *r, struct reload_watch *w, const char *path)
{
        const char *slash = path ? strrchr(path, '/') : NULL;
        _cleanup_(freep) char *dir = NULL;

        free(w->name);
        *w = (struct reload_watch){.wd = -1};
        if (!path || r->fd < 0)
                return;
        w->name = str_dup(slash ? slash + 1 : path);
        dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : str_dup(".");
        if (w->name && dir)
                w->wd = inotify_add_watch(r->fd, dir, RELOAD_MASK);
}

static void reload_watch(struct reload *r, const char *file)
{
        _cleanup_(freep) char *target = file ? realpath(file, NULL) : NULL;

        reload_watch_one(r, &r->watches_new[0], file);
        reload_watch_one(r, &r->watches_new[1], target && !str_eq(target, file) ? target : NULL);
}

static void reload_work(uv_work_t *work)
{
        struct reload *r = CONTAINER_OF(work, struct reload, work);

        r->stamp_new = reload_stamp(r->file);
        r->found = reload_find(r);
        if (r->found == RELOAD_READ) {
                r->result = config_load(&r->next, r->args.env_file, &r->errors, &r->warnings);
                reload_check_folder(r);
        }
        reload_watch(r, r->found == RELOAD_READ && r->result == 0 ? r->next.file : r->file);
}

/* ---- what becomes of it ----------------------------------------------------------------------- */

static bool reload_differs(const struct config *a, const struct config *b)
{
        for (size_t i = 0; i < CONFIG_KEYS; i++)
                if (!config_key_same(&config_key_table[i], a, b))
                        return true;
        return false;
}

/* At the start they were said by whoever read it first. */
static void reload_doubt(struct reload *r)
{
        if (r->began && !str_eq(str_z(&r->warnings), str_z(&r->doubted)))
                speak_lines(EVENT_CONFIG_DOUBTFUL, str_z(&r->warnings));
        r->began = true;
        str_clear(&r->doubted);
        str_adds(&r->doubted, str_z(&r->warnings));
}

/* Mistakes that were said already are said again when somebody asks. */
static void reload_judge(struct reload *r)
{
        const bool news = !str_eq(str_z(&r->errors), str_z(&r->said)) || r->answers;
        const bool wrong = r->said.len > 0;

        str_clear(&r->said);
        str_adds(&r->said, str_z(&r->errors));
        if (r->result < 0) {
                if (news)
                        reload_say_kept(r->errors.len > 0 ? str_z(&r->errors)
                                                          : "there is not enough memory to read it\n");
        } else if (reload_differs(r->args.config, &r->next)) {
                r->args.changed(r->args.userdata, &r->next);
                r->next = (struct config){0};
        } else if (wrong) {
                event_say(EVENT_CONFIG_CHANGED, NULL, "the configuration is right again, and as before");
        }
}

static void reload_take_watches(struct reload *r)
{
        for (size_t i = 0; i < RELOAD_WATCHES; i++) {
                int wd = r->watches[i].wd;

                if (wd >= 0 && wd != r->watches_new[0].wd && wd != r->watches_new[1].wd)
                        inotify_rm_watch(r->fd, wd);
                free(r->watches[i].name);
        }
        memcpy(r->watches, r->watches_new, sizeof(r->watches));
        memset(r->watches_new, 0, sizeof(r->watches_new));
}

static void reload_later(struct reload *r, uint64_t ms);

static void reload_take(struct reload *r)
{
        r->stamp = r->stamp_new;
        if (r->result == 0) {
                free(r->file);
                r->file = str_dup(r->next.file);
        }
        reload_doubt(r);
        reload_judge(r);
        config_finish(&r->next);
}

static void reload_start(struct reload *r, bool settled);

/* Whoever is called from here may close it, and asks in vain for another job before the end. */
static void reload_worked(uv_work_t *work, int status _unused_)
{
        struct reload *r = CONTAINER_OF(work, struct reload, work);

        if (!r->closing) {
                reload_take_watches(r);
                if (r->found == RELOAD_READ)
                        reload_take(r);
                else if (r->found != RELOAD_SAME)
                        reload_later(r, r->found == RELOAD_GONE ? RELOAD_GONE_MS
                                                                : RELOAD_SETTLE_MS);
        }
        if (!r->closing && r->answers && !r->asked)
                r->args.answered(r->args.userdata);
        r->working = r->answers = false;
        if (r->closing && r->handles == 0)
                reload_free(r);
        else if (!r->closing && r->again)
                reload_start(r, false);
}

static void reload_start(struct reload *r, bool settled)
{
        if (r->working) {
                r->again = true;
                return;
        }
        uv_timer_stop(&r->timer);
        free(r->folder);
        r->folder = str_dup(r->args.config->folder);
        r->again = false;
        r->settled = settled;
        r->answers = r->asked;
        r->asked = false;
        r->result = 0;
        str_clear(&r->errors);
        str_clear(&r->warnings);
        r->working = r->folder && uv_queue_work(r->args.loop, &r->work, reload_work, reload_worked) == 0;
        if (!r->working && r->answers)
                r->args.answered(r->args.userdata);
}

void reload_ask(struct reload *r)
{
        r->asked = true;
        reload_start(r, true);
}

/* ---- being told that it was edited ------------------------------------------------------------ */

static void reload_on_time(uv_timer_t *timer)
{
        reload_start(CONTAINER_OF(timer, struct reload, timer), true);
}

static void reload_later(struct reload *r, uint64_t ms)
{
        uv_timer_start(&r->timer, reload_on_time, ms, 0);
}

void reload_look(struct reload *r)
{
        if (!r->working && !uv_is_active((uv_handle_t *)&r->timer))
                reload_start(r, false);
}

static void reload_take_event(struct reload *r, const struct inotify_event *e)
{
        bool ours = e->mask & IN_Q_OVERFLOW;

        for (size_t i = 0; i < RELOAD_WATCHES; i++) {
                struct reload_watch *w = &r->watches[i];

                if (w->wd < 0 || w->wd != e->wd)
                        continue;
                if (e->mask & IN_IGNORED)
                        w->wd = -1; /* the folder is gone; reload_look() sees what comes instead */
                ours |= e->len > 0 && str_eq(e->name, w->name);
        }
        if (!ours)
                return;
        if (!(e->mask & (RELOAD_DONE | IN_Q_OVERFLOW)))
                reload_later(r, RELOAD_OPEN_MS);
        else
                reload_later(r, e->mask & (IN_DELETE | IN_MOVED_FROM) ? RELOAD_GONE_MS
                                                                      : RELOAD_SETTLE_MS);
}

static void reload_on_events(uv_poll_t *poll, int status _unused_, int events _unused_)
{
        struct reload *r = CONTAINER_OF(poll, struct reload, poll);
        _Alignas(struct inotify_event) char buffer[4096];
        const struct inotify_event *e;
        ssize_t n;

        while ((n = read(r->fd, buffer, sizeof(buffer))) > 0)
                for (char *at = buffer; at < buffer + n; at += sizeof(*e) + e->len) {
                        e = (const struct inotify_event *)(void *)at;
                        reload_take_event(r, e);
                }
}

/* ---- life ------------------------------------------------------------------------------------- */

static void reload_closed(uv_handle_t *handle)
{
        struct reload *r = handle->data;

        if (--r->handles == 0 && !r->working)
                reload_free(r);
}

void reload_close(struct reload *r)
{
        if (!r)
                return;
        r->closing = true;
        if (r->fd >= 0)
                uv_close((uv_handle_t *)&r->poll, reload_closed);
        uv_close((uv_handle_t *)&r->timer, reload_closed);
}

static void reload_listen(struct reload *r)
{
        r->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (r->fd >= 0 && uv_poll_init(r->args.loop, &r->poll, r->fd) < 0) {
                close(r->fd);
                r->fd = -1;
        }
        if (r->fd < 0)
                return;
        r->handles++;
        r->poll.data = r;
        uv_poll_start(&r->poll, UV_READABLE, reload_on_events);
}

int reload_create(struct reload **ret, const struct reload_args *args, struct err *err)
{
        struct reload *r = calloc(1, sizeof(*r));

        if (!r)
                return err_set(err, ENOMEM, "no memory");
        r->args = *args;
        r->errors = r->warnings = r->said = r->doubted = STR_NULL(RELOAD_TEXT_MAX);
        for (size_t i = 0; i < RELOAD_WATCHES; i++)
                r->watches[i].wd = r->watches_new[i].wd = -1;
        uv_timer_init(args->loop, &r->timer);
        r->timer.data = r;
        r->handles = 1;
        reload_listen(r);
        r->file = str_dup(args->config->file);
        reload_start(r, true); /* it may have been edited since it was read */
        *ret = r;
        return 0;
}
