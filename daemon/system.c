/* SPDX-License-Identifier: MIT */

/*
 * Root could do all that a command needs, but what root leaves in the state folder (a snapshot, a
 * lock, an approval) the service could not open any more.  So root is the service for the time of
 * the command.
 */

#include "daemon/system.h"

#include "lib/base/str.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SYSTEM_USER "ydsync"
#define SYSTEM_ETC "/etc/ydsync/"
#define SYSTEM_STATE "/var/lib/ydsync"

char *system_state_dir(const char *env_file)
{
        const char *rest = env_file && str_starts(env_file, SYSTEM_ETC)
                                   ? env_file + sizeof(SYSTEM_ETC) - 1
                                   : "";
        size_t n = strcspn(rest, "/");
        char *dir;

        if (str_eq(rest, ".env"))
                return str_dup(SYSTEM_STATE);
        if (n == 0 || *rest == '.' || !str_eq(rest + n, "/.env") ||
            asprintf(&dir, SYSTEM_STATE "/%.*s", (int)n, rest) < 0)
                return NULL;
        return dir;
}

static int system_make(const char *dir, const struct passwd *pw)
{
        if (mkdir(dir, 0700) == 0)
                return lchown(dir, pw->pw_uid, pw->pw_gid);
        return errno == EEXIST ? 0 : -1;
}

/* Whom the service runs as: the owner of the folder, which is made if it is missing. */
static int system_owner(const char *state_dir, uid_t *ret_uid, gid_t *ret_gid, struct err *err)
{
        struct passwd pw, *found = NULL;
        char buf[4096];
        struct stat st;

        if (stat(state_dir, &st) == 0) {
                *ret_uid = st.st_uid;
                *ret_gid = st.st_gid;
                return 0;
        }
        if (getpwnam_r(SYSTEM_USER, &pw, buf, sizeof(buf), &found) != 0 || !found) {
                *ret_uid = 0;
                *ret_gid = 0;
                return 0;
        }
        if (system_make(SYSTEM_STATE, &pw) < 0 || system_make(state_dir, &pw) < 0)
                return err_errno(err, errno, "the state folder %s cannot be made", state_dir);
        *ret_uid = pw.pw_uid;
        *ret_gid = pw.pw_gid;
        return 0;
}

/* Gives up every capability but that of reading all folders; where that is not had (in a container),
 * this one too. */
static int system_limit(void)
{
        struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

        data[0].permitted = data[0].effective = 1u << CAP_DAC_READ_SEARCH;
        if (syscall(SYS_capset, &head, data) == 0)
                return 0;
        data[0].permitted = data[0].effective = 0;
        return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

int system_become(const char *state_dir, struct err *err)
{
        uid_t uid;
        gid_t gid;
        int r;

        if (geteuid() != 0)
                return 0;
        r = system_owner(state_dir, &uid, &gid, err);
        if (r < 0 || uid == 0)
                return r;
        if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
            setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0 || system_limit() < 0)
                return err_errno(err, errno, "root cannot become the user of the service");
        return 0;
}
