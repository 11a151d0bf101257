/* SPDX-License-Identifier: MIT */

#include "daemon/approval.h"

#include "lib/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

static char *approval_path(const char *state_dir, const char *suffix)
{
        char *path;

        return asprintf(&path, "%s/approved%s", state_dir, suffix) < 0 ? NULL : path;
}

int approval_leave(const char *state_dir, const char *id, struct err *err)
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
