/* SPDX-License-Identifier: MIT */

#include "daemon/root.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

/* Others make their id from the number of the device, which is another one after a reboot. */
static bool root_has_lasting_id(const struct statfs *fs)
{
        return fs->f_type == EXT4_SUPER_MAGIC || fs->f_type == BTRFS_SUPER_MAGIC;
}

int root_identify(int fd, struct root *ret)
{
        struct statx sx;
        struct statfs fs;
        struct root r;
        uint64_t fsid = 0;
        int n;

        if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &sx) < 0 ||
            fstatfs(fd, &fs) < 0)
                return -errno;
        r.dev = makedev(sx.stx_dev_major, sx.stx_dev_minor);
        n = snprintf(r.identity, sizeof(r.identity), "%" PRIu64, (uint64_t)sx.stx_ino);
        if (sx.stx_mask & STATX_BTIME)
                n += snprintf(r.identity + n, sizeof(r.identity) - (size_t)n,
                              ":%" PRId64 ".%09u", (int64_t)sx.stx_btime.tv_sec,
                              sx.stx_btime.tv_nsec);
        memcpy(&fsid, &fs.f_fsid, sizeof(fs.f_fsid) < sizeof(fsid) ? sizeof(fs.f_fsid)
                                                                   : sizeof(fsid));
        if (!(sx.stx_mask & STATX_BTIME) || root_has_lasting_id(&fs))
                snprintf(r.identity + n, sizeof(r.identity) - (size_t)n, ":fs%" PRIx64, fsid);
        r.lasting = (sx.stx_mask & STATX_BTIME) || root_has_lasting_id(&fs) || fsid == 0;
        r.fd = ret->fd;
        *ret = r;
        return 0;
}

int root_open(struct root *ret, const char *path, struct err *err)
{
        struct root r = {.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
        int e = errno;

        if (r.fd >= 0) {
                e = -root_identify(r.fd, &r);
                if (e == 0) {
                        *ret = r;
                        return 0;
                }
                close(r.fd);
        }
        if (e == ENOENT)
                return err_set(err, e,
                               "the watched folder %s is not there; is its disk mounted?  Nothing "
                               "is removed from the cloud",
                               path);
        if (e == ENOTDIR)
                return err_set(err, e, "%s is not a folder; correct PATH_TO_FOLDER_ON_PC", path);
        return err_errno(err, e, "the watched folder %s cannot be opened", path);
}

int root_check(const struct root *r, const char *path, struct err *err)
{
        struct root now;
        bool same;
        int e = root_open(&now, path, err);

        if (e < 0)
                return e;
        same = strcmp(now.identity, r->identity) == 0 && now.dev == r->dev;
        root_close(&now);
        if (!same)
                return err_set(err, ESTALE,
                               "%s is another folder than a moment ago; nothing is removed", path);
        return 0;
}

void root_close(struct root *r)
{
        if (r->fd >= 0)
                close(r->fd);
        r->fd = -1;
}
