/* SPDX-License-Identifier: MIT */

/* Tables of mounts as systemd 252 leaves them in a unit; tests/booted makes real ones. */

#include "daemon/sandbox.h"
#include "tests/unit/check.h"

#include <errno.h>

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

#define ROOT "700 699 254:0 / / ro,relatime shared:1 - ext4 /dev/vda rw\n"
#define INACCESSIBLE(at)                                                                           \
        "710 700 0:25 /systemd/inaccessible/dir " at                                               \
        " ro,nosuid,noexec shared:11 - tmpfs tmpfs rw,size=1024k,mode=755\n"
#define TMPFS(at) "711 700 0:61 / " at " ro,nosuid,nodev shared:12 master:7 - tmpfs tmpfs rw\n"

static const char *blamed(const char *table, const char *folder, int e)
{
        FILE *f = fmemopen((char *)(uintptr_t)table, strlen(table), "r");
        const struct sandbox_blame *b;

        if (!f)
                abort();
        b = sandbox_blame(f, folder, e);
        fclose(f);
        return b ? b->directive : "none";
}

TEST(a_hidden_home)
{
        check_str(blamed(ROOT INACCESSIBLE("/home"), "/home/a/Docs", ENOENT), "ProtectHome=yes");
        check_str(blamed(ROOT INACCESSIBLE("/home"), "/home/a/Docs", EACCES), "ProtectHome=yes");
        check_str(blamed(ROOT INACCESSIBLE("/root"), "/root/Docs", ENOENT), "ProtectHome=yes");
        check_str(blamed(ROOT "435 429 0:44 /host/inaccessible/dir /home ro - tmpfs tmpfs rw\n",
                         "/home/a/Docs", ENOENT),
                  "ProtectHome=yes"); /* in a container */
        check_str(blamed(ROOT INACCESSIBLE("/home"), "/srv/Docs", ENOENT), "none");
        check_str(blamed(ROOT INACCESSIBLE("/home"), "/homes/Docs", ENOENT), "none");
}

TEST(an_emptied_home)
{
        check_str(blamed(ROOT TMPFS("/home"), "/home/a/Docs", ENOENT), "ProtectHome=tmpfs");
        check_str(blamed(ROOT TMPFS("/home"), "/home/a/Docs", 0), "none");
        check_str(blamed(ROOT TMPFS("/home") "712 711 254:0 /home/a/Docs /home/a/Docs ro - ext4 x rw\n",
                         "/home/a/Docs", 0),
                  "none");
}

TEST(paths_that_are_inaccessible_or_emptied)
{
        check_str(blamed(ROOT INACCESSIBLE("/srv"), "/srv/Docs", ENOENT), "InaccessiblePaths=");
        check_str(blamed(ROOT INACCESSIBLE("/srv/Docs"), "/srv/Docs", 0), "InaccessiblePaths=");
        check_str(blamed(ROOT TMPFS("/srv"), "/srv/Docs", ENOENT), "TemporaryFileSystem=");
        check_str(blamed(ROOT TMPFS("/srv"), "/srv/Docs", 0), "none");
        check_str(blamed(ROOT INACCESSIBLE("/srv/my\\040files"), "/srv/my files/a", ENOENT),
                  "InaccessiblePaths=");
}

TEST(a_tmp_of_its_own)
{
        static const char table[] =
                ROOT "720 700 254:0 /tmp/systemd-private-0f-ydsync.service-5nkXdJ/tmp /tmp "
                     "rw,relatime shared:9 - ext4 /dev/vda rw\n";

        check_str(blamed(table, "/tmp/docs", ENOENT), "PrivateTmp=yes");
        check_str(blamed(table, "/tmp/docs", 0), "none");
}

TEST(nothing_is_blamed_for_what_is_just_missing)
{
        check_str(blamed(ROOT, "/home/a/Docs", ENOENT), "none");
        check_str(blamed(ROOT, "/home/a/Docs", EACCES), "none");
        check_str(blamed(ROOT TMPFS("/run"), "/run/media/a", ENOENT), "none");
        check_str(blamed(ROOT TMPFS("/dev/shm"), "/dev/shm/a", ENOENT), "none");
        check_str(blamed("", "/home/a/Docs", ENOENT), "none");
        check_str(blamed("no table at all\n1 2 3 - \n", "/home/a/Docs", ENOENT), "none");
}

TEST(of_several_mounts_at_one_place_the_last_counts)
{
        check_str(blamed(ROOT TMPFS("/srv") INACCESSIBLE("/srv"), "/srv/a", ENOENT),
                  "InaccessiblePaths=");
        check_str(blamed(ROOT INACCESSIBLE("/srv") "713 710 254:9 / /srv rw - ext4 /dev/vdb rw\n",
                         "/srv/a", ENOENT),
                  "none");
}
