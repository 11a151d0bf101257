/* SPDX-License-Identifier: MIT */

/*
 * The traces that systemd leaves in our table of mounts: what is inaccessible is one of its own empty
 * nodes, a private /tmp has its name, an emptied /home is a tmpfs.  No unit is read: it may be
 * anywhere and say anything, and what counts is what became of it.
 */

#include "daemon/sandbox.h"

#include "daemon/config.h"
#include "lib/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <systemd/sd-login.h>

/* Of the mount that a path is on. */
struct sandbox_mount {
        char *root;  /* which part of the file system is seen */
        char *point; /* where */
        char *type;
};

static void sandbox_mount_finish(struct sandbox_mount *m)
{
        free(m->root);
        free(m->point);
        free(m->type);
        *m = (struct sandbox_mount){0};
}

/* Undoes the octal escapes of the table, in place. */
static void sandbox_unescape(char *s)
{
        char *to = s;

        while (*s) {
                if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
                    s[3] >= '0' && s[3] <= '7') {
                        *to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
                        s += 4;
                } else {
                        *to++ = *s++;
                }
        }
        *to = '\0';
}

/* Whether `path` is `top` or below it. */
static bool sandbox_covers(const char *top, const char *path)
{
        size_t n = strlen(top);

        if (str_eq(top, "/"))
                return true;
        return strncmp(top, path, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* One line of the table; false when it is not one. */
static bool sandbox_parse(char *line, struct sandbox_mount *ret)
{
        struct sandbox_mount m = {0};
        char *tail = strstr(line, " - ");

        if (!tail || sscanf(line, "%*s %*s %*s %ms %ms", &m.root, &m.point) != 2 ||
            sscanf(tail, " - %ms", &m.type) != 1) {
                sandbox_mount_finish(&m);
                return false;
        }
        sandbox_unescape(m.root);
        sandbox_unescape(m.point);
        *ret = m;
        return true;
}

/* The mount that `path` is on: the longest, and of several at one place the last. */
static bool sandbox_find(FILE *mountinfo, const char *path, struct sandbox_mount *ret)
{
        _cleanup_(freep) char *line = NULL;
        struct sandbox_mount m;
        size_t size = 0;

        *ret = (struct sandbox_mount){0};
        while (getline(&line, &size, mountinfo) >= 0) {
                if (!sandbox_parse(line, &m))
                        continue;
                if (sandbox_covers(m.point, path) &&
                    (!ret->point || strlen(m.point) >= strlen(ret->point))) {
                        sandbox_mount_finish(ret);
                        *ret = m;
                } else {
                        sandbox_mount_finish(&m);
                }
        }
        return ret->point;
}

static const struct sandbox_blame sandbox_home = {
        "ProtectHome=yes", "ProtectHome=read-only", false};
static const struct sandbox_blame sandbox_home_emptied = {
        "ProtectHome=tmpfs", "BindReadOnlyPaths=", true};
static const struct sandbox_blame sandbox_inaccessible = {
        "InaccessiblePaths=", "InaccessiblePaths= (an empty one takes back those above it)", false};
static const struct sandbox_blame sandbox_emptied = {
        "TemporaryFileSystem=", "BindReadOnlyPaths=", true};
static const struct sandbox_blame sandbox_tmp = {"PrivateTmp=yes", "PrivateTmp=no", false};
static const struct sandbox_blame sandbox_capability = {
        "the missing capability CAP_DAC_READ_SEARCH",
        "AmbientCapabilities=CAP_DAC_READ_SEARCH and CapabilityBoundingSet=CAP_DAC_READ_SEARCH",
        false};
static const struct sandbox_blame sandbox_users = {"PrivateUsers=yes", "PrivateUsers=no", false};

static bool sandbox_is_home(const char *point)
{
        return str_eq(point, "/home") || str_eq(point, "/root") || str_eq(point, "/run/user");
}

const struct sandbox_blame *sandbox_blame(FILE *mountinfo, const char *folder, int e)
{
        _cleanup_(sandbox_mount_finish) struct sandbox_mount m = {0};

        if (!sandbox_find(mountinfo, folder, &m))
                return NULL;
        /* Of the system's manager, of a user's, of one in a container. */
        if (strstr(m.root, "/inaccessible/dir") && str_eq(m.type, "tmpfs"))
                return sandbox_is_home(m.point) ? &sandbox_home : &sandbox_inaccessible;
        if (e != ENOENT && e != EACCES)
                return NULL;
        if (strstr(m.root, "/systemd-private-"))
                return &sandbox_tmp;
        if (e == ENOENT && str_eq(m.type, "tmpfs") && str_eq(m.root, "/")) {
                if (sandbox_is_home(m.point))
                        return &sandbox_home_emptied;
                if (!str_eq(m.point, "/") && !str_eq(m.point, "/run") &&
                    !str_starts(m.point, "/dev"))
                        return &sandbox_emptied;
        }
        return NULL;
}

/* ---- the process itself ---------------------------------------------------------------------- */

static bool sandbox_may_read_all(void)
{
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

        return syscall(SYS_capget, &header, data) == 0 &&
               (data[0].effective & (1U << CAP_DAC_READ_SEARCH | 1U << CAP_DAC_OVERRIDE));
}

/* In a user namespace of its own, capabilities are worth nothing on the files of others. */
static bool sandbox_is_user_namespace(void)
{
        FILE *f = fopen("/proc/self/uid_map", "re");
        unsigned long inside, outside, n;
        bool whole = true;

        if (!f)
                return false;
        if (fscanf(f, "%lu %lu %lu", &inside, &outside, &n) == 3)
                whole = inside == 0 && outside == 0 && n == 4294967295UL;
        fclose(f);
        return !whole;
}

static const struct sandbox_blame *sandbox_blame_rights(int e, bool of_user)
{
        if (e != EACCES || of_user)
                return NULL;
        if (sandbox_is_user_namespace())
                return &sandbox_users;
        return sandbox_may_read_all() ? NULL : &sandbox_capability;
}

static const struct sandbox_blame *sandbox_blame_mounts(const char *folder, int e)
{
        _cleanup_(freep) char *real = config_resolve(folder);
        const struct sandbox_blame *blame = NULL;
        FILE *f = fopen("/proc/self/mountinfo", "re");

        if (!f)
                return NULL;
        if (real)
                blame = sandbox_blame(f, real, e);
        fclose(f);
        return blame;
}

static void sandbox_say(const char *folder, int e, const struct sandbox_blame *b, bool of_user,
                        struct err *err)
{
        _cleanup_(str_finish) struct str path = STR_NULL(PATH_MAX * 4);
        _cleanup_(freep) char *unit = NULL;
        const char *who = of_user ? " --user" : "", *name;

        str_add_printable(&path, folder);
        if ((of_user ? sd_pid_get_user_unit(0, &unit) : sd_pid_get_unit(0, &unit)) < 0)
                unit = NULL;
        name = unit ? unit : "ydsync";
        err_set(err, e ? e : ENOENT,
                "the watched folder %s cannot be seen from inside the service: probably %s of its "
                "unit hides it.  Write with `systemctl%s edit %s`, below [Service]: %s%s; then "
                "`systemctl%s restart %s`",
                str_z(&path), b->directive, who, name, b->remedy,
                b->names_folder ? str_z(&path) : "", who, name);
}

int sandbox_check(const char *folder, struct err *err)
{
        const bool of_user = getenv("MANAGERPID"); /* set by a user's service manager */
        const struct sandbox_blame *blame;
        int fd, e = 0;

        if (!getenv("INVOCATION_ID"))
                return 0;
        fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                e = errno;
        else
                close(fd);
        blame = sandbox_blame_mounts(folder, e);
        if (!blame)
                blame = sandbox_blame_rights(e, of_user);
        if (!blame)
                return 0;
        sandbox_say(folder, e, blame, of_user, err);
        return e ? -e : -ENOENT;
}
