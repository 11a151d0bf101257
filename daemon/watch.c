/* SPDX-License-Identifier: MIT */

#include "daemon/watch.h"

#include "daemon/watched.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/engine/walk.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

/* A file that is open for long is told of when it is closed; each write would be a flood. */
#define WATCH_EVENTS                                                                               \
        (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |        \
         IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)

struct watch {
        uv_poll_t poll;
        int fd;
        atomic_int failed; /* errno of a folder that could not be watched; 0: none */
        uv_mutex_t mutex;  /* for `watched`, which scans fill */
        struct watched watched;
        struct stir stir;  /* not taken yet */
        void (*stirred)(void *userdata);
        void *userdata;
};

/* The key of something in the folder, or of the folder itself. */
static char *watch_key(const char *folder, const char *name)
{
        struct str key = STR_NULL(SIZE_MAX / 4);

        str_adds(&key, folder);
        if (*folder && *name)
                str_addc(&key, '/');
        str_adds(&key, name);
        return str_take(&key);
}

/* What is new, or may have become readable, is looked at with all that is in it; so is what is under
 * other patterns. */
static void watch_note(struct watch *w, const struct inotify_event *event, const char *folder)
{
        const char *name = event->len > 0 ? event->name : "";
        bool inside = (event->mask & IN_ISDIR) &&
                      (event->mask & (IN_CREATE | IN_MOVED_TO | IN_ATTRIB));
        char *key;

        if (!inside) {
                stir_add(&w->stir, folder, str_eq(name, WALK_IGNORE_NAME));
                return;
        }
        if (*name)
                stir_add(&w->stir, folder, false);
        key = watch_key(folder, name);
        if (key)
                stir_add(&w->stir, key, true);
        else
                stir_add_all(&w->stir);
        free(key);
}

/* One that was moved has another key now: it is watched anew when it is read there. */
static void watch_take_event(struct watch *w, const struct inotify_event *event)
{
        const char *folder;

        if (event->mask & (IN_Q_OVERFLOW | IN_UNMOUNT)) {
                stir_add_all(&w->stir);
                return;
        }
        if (event->mask & IN_MOVE_SELF)
                inotify_rm_watch(w->fd, event->wd);
        uv_mutex_lock(&w->mutex);
        folder = watched_key(&w->watched, event->wd);
        if (event->mask & (IN_MOVE_SELF | IN_IGNORED))
                watched_remove(&w->watched, event->wd);
        else if (folder)
                watch_note(w, event, folder);
        uv_mutex_unlock(&w->mutex);
}

static void watch_on_event(uv_poll_t *poll, int status _unused_, int events _unused_)
{
        struct watch *w = CONTAINER_OF(poll, struct watch, poll);
        char bytes[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
        ssize_t n;

        while ((n = read(w->fd, bytes, sizeof(bytes))) > 0)
                for (size_t at = 0; at + sizeof(struct inotify_event) <= (size_t)n;) {
                        const struct inotify_event *event = (const void *)(bytes + at);

                        watch_take_event(w, event);
                        at += sizeof(*event) + event->len;
                }
        if (!stir_is_empty(&w->stir))
                w->stirred(w->userdata);
}

int watch_open(struct watch **ret, uv_loop_t *loop, void (*stirred)(void *userdata), void *userdata,
               struct err *err)
{
        struct watch *w = calloc(1, sizeof(*w));
        int r;

        if (!w || uv_mutex_init(&w->mutex) < 0) {
                free(w);
                return err_set(err, ENOMEM, "no memory");
        }
        w->stirred = stirred;
        w->userdata = userdata;
        w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        r = w->fd < 0 ? -errno : uv_poll_init(loop, &w->poll, w->fd);
        if (r < 0) {
                if (w->fd >= 0)
                        close(w->fd);
                uv_mutex_destroy(&w->mutex);
                free(w);
                return err_errno(err, -r, "inotify cannot be had");
        }
        uv_poll_start(&w->poll, UV_READABLE, watch_on_event);
        uv_unref((uv_handle_t *)&w->poll);
        *ret = w;
        return 0;
}

void watch_folder(void *watch, const char *key, int dir_fd)
{
        struct watch *w = watch;
        char path[40];
        int number;

        /* By the descriptor, and so by the folder that is read, whatever stands at its path. */
        snprintf(path, sizeof(path), "/proc/self/fd/%d", dir_fd);
        uv_mutex_lock(&w->mutex);
        number = inotify_add_watch(w->fd, path, WATCH_EVENTS);
        if (number < 0)
                atomic_store(&w->failed, errno);
        else if (!watched_set(&w->watched, number, key))
                atomic_store(&w->failed, ENOMEM);
        uv_mutex_unlock(&w->mutex);
}

void watch_take(struct watch *w, struct stir *stir)
{
        stir_merge(stir, &w->stir);
        stir_finish(&w->stir);
}

bool watch_knows_where(const struct watch *w)
{
        return !w->stir.all;
}

int watch_trouble(struct watch *w, struct err *ret)
{
        int failed = atomic_exchange(&w->failed, 0);

        if (failed == 0)
                return 0;
        if (failed == ENOSPC)
                err_set(ret, failed, "there are more folders than watches to be had; "
                                     "`sysctl fs.inotify.max_user_watches=1000000` gives more");
        else
                err_errno(ret, failed, "inotify refuses it");
        return 1;
}

const char *watch_blind(const char *folder)
{
        static const struct {
                long magic;
                const char *name;
        } remote[] = {
                {NFS_SUPER_MAGIC, "NFS"},     {SMB_SUPER_MAGIC, "SMB"},   {0xff534d42, "CIFS"},
                {0xfe534d42, "SMB"},          {FUSE_SUPER_MAGIC, "FUSE"}, {V9FS_MAGIC, "9P"},
                {CEPH_SUPER_MAGIC, "CephFS"}, {AFS_SUPER_MAGIC, "AFS"},   {CODA_SUPER_MAGIC, "Coda"},
        };
        struct statfs fs;

        if (statfs(folder, &fs) < 0)
                return NULL;
        for (size_t i = 0; i < ARRAY_SIZE(remote); i++)
                if ((fs.f_type & 0xffffffff) == remote[i].magic)
                        return remote[i].name;
        return NULL;
}

static void watch_free(uv_handle_t *handle)
{
        struct watch *w = CONTAINER_OF((uv_poll_t *)handle, struct watch, poll);

        watched_finish(&w->watched);
        stir_finish(&w->stir);
        uv_mutex_destroy(&w->mutex);
        free(w);
}

void watch_close(struct watch *w)
{
        if (!w)
                return;
        uv_poll_stop(&w->poll);
        close(w->fd);
        uv_close((uv_handle_t *)&w->poll, watch_free);
}
