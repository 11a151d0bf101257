/* SPDX-License-Identifier: MIT */

#include "daemon/approval.h"

#include "lib/base/str.h"
#include "lib/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

static char *approval_path(const char *state_dir, const char *suffix)
{
        char *path;

        return asprintf(&path, "%s/approved%s", state_dir, suffix) < 0 ? NULL : path;
}

static int approval_leave(const char *state_dir, const char *id, struct err *err)
{
        _cleanup_(freep) char *path = approval_path(state_dir, "");
        _cleanup_(freep) char *draft = approval_path(state_dir, ".new");
        _cleanup_(closep) int fd = -1;

        if (!path || !draft)
                return err_set(err, ENOMEM, "no memory");
        fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0 || write(fd, id, strlen(id)) != (ssize_t)strlen(id) || fsync(fd) < 0 ||
            rename(draft, path) < 0)
                return err_errno(err, errno, "the approval cannot be written into %s", state_dir);
        return 0;
}

bool approval_read(const char *state_dir, char *ret_id, size_t size)
{
        _cleanup_(freep) char *path = approval_path(state_dir, "");
        _cleanup_(closep) int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
                                        : -1;
        ssize_t n;

        if (fd < 0)
                return false;
        n = read(fd, ret_id, size - 1);
        if (n <= 0)
                return false;
        ret_id[n] = '\0';
        return strspn(ret_id, "0123456789abcdef") == (size_t)n;
}

void approval_remove(const char *state_dir)
{
        _cleanup_(freep) char *path = approval_path(state_dir, "");

        if (path)
                unlink(path);
}

/* The plan that is held, malloced; NULL: none. */
static int approval_held(const char *state_dir, char **ret, struct err *err)
{
        _cleanup_(store_closep) struct store *store = NULL;
        int r = store_open(&store, state_dir, STORE_READ_ONLY, err);

        return r < 0 ? r : store_meta_get(store, "held", ret, err);
}

static int approval_write(const char *state_dir, const char *id, struct err *err)
{
        const struct record approve = {.verb = RECORD_META, .name = "approved", .value = (char *)id};
        _cleanup_(store_closep) struct store *store = NULL;
        int r = store_open(&store, state_dir, 0, err);

        if (r == -EBUSY) /* by a daemon, which takes it from there */
                return approval_leave(state_dir, id, err);
        return r < 0 ? r : store_commit(store, &approve, 1, err);
}

int approval_give(const char *state_dir, const char *id, struct err *err)
{
        _cleanup_(freep) char *held = NULL;
        _cleanup_(str_finish) struct str name = STR_NULL(200);
        int r = approval_held(state_dir, &held, err);

        if (r < 0)
                return r;
        if (!held)
                return err_set(err, ESRCH, "no plan is held");
        str_add_printable(&name, id);
        if (!str_eq(held, id))
                return err_set(err, ESRCH, "%s is not the plan that is held; that is %s",
                               str_z(&name), held);
        return approval_write(state_dir, id, err);
}
