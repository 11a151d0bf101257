/* SPDX-License-Identifier: MIT */

#include "daemon/pause.h"

#include "lib/base/mem.h"

#include <errno.h>
#include <fcntl.h>

#define PAUSE_NAME "paused"

int pause_set(const char *state_dir, bool paused, struct err *err)
{
        _cleanup_(closep) int dir = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(closep) int fd = -1;
        bool done = dir >= 0;

        if (done && paused) {
                fd = openat(dir, PAUSE_NAME, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
                done = fd >= 0;
        } else if (done) {
                done = unlinkat(dir, PAUSE_NAME, 0) == 0 || errno == ENOENT;
        }
        if (!done || fsync(dir) < 0)
                return err_errno(err, errno, "it cannot be noted in %s", state_dir);
        return 0;
}

bool pause_is_set(const char *state_dir)
{
        _cleanup_(closep) int dir = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return dir >= 0 && faccessat(dir, PAUSE_NAME, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
