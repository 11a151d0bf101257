/* SPDX-License-Identifier: MIT */

/*
 * powercut [--build FOLDER] [--seed N] [--states N]
 *
 * The state folder lies on an ext4 image, the image on an XFS that can clone files.  A power cut is
 * a clone of the image as it is at that instant: it holds what has been written to the disk, and
 * nothing of what the kernel still had in memory.  While somebody works in the watched folder and
 * the real binary mirrors it, the current is cut at random instants.  In each clone
 *
 *      the snapshot opens, and every row, the tally and the intents hold;
 *      every upload whose link had been asked for under a wire name is known by its intent, unless
 *      its name was given, it was removed, or a later run has looked and found nothing.
 *
 * From every tenth the program goes on, with the Disk as it was at that instant: all becomes equal,
 * nothing is removed that is here, and nothing is sent that had arrived.  Now and then the state is
 * made anew, so that its creation is cut too.
 *
 * Edits and instants come from the seed.  What this cannot show: a disk that carries writes out in
 * another order than they were given, or lies about having done so.
 *
 * All of it happens in a mount namespace and on a tmpfs of our own, with loop devices that vanish
 * with their mounts: nothing is left behind, however it ends.
 */

#include "kit.h"

#include "lib/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GO_ON_EVERY 10
#define ANEW_EVERY 50
#define XFS_BYTES (400L << 20)
#define EXT4_BYTES (24L << 20)

static char base[64] = "";
static char *xfs_image, *xfs, *live_image, *live, *cut_image, *cut;

static void forget_base(void)
{
        if (!*base)
                return;
        umount2(base, MNT_DETACH); /* with all that is mounted in it */
        rmdir(base);
}

static void on_signal(int number)
{
        forget_base();
        _exit(128 + number);
}

__attribute__((noreturn)) static void skip(const char *why)
{
        printf("skip powercut # %s\n", why);
        exit(0);
}

/* ---- images ------------------------------------------------------------------------------------ */

static bool make_image(const char *path, long bytes, const char *const *mkfs)
{
        int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), status = -1;
        pid_t pid;

        if (fd < 0 || ftruncate(fd, bytes) < 0)
                return false;
        close(fd);
        pid = fork();
        if (pid == 0) {
                if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
                        _exit(126);
                execvp(mkfs[0], (char *const *)mkfs);
                _exit(127);
        }
        return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* Mounts the image through a loop device that goes when the mount goes. */
static bool mount_image(const char *image, const char *on, const char *type)
{
        struct loop_config loop = {.info.lo_flags = LO_FLAGS_AUTOCLEAR};
        int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
        int file = open(image, O_RDWR | O_CLOEXEC), device = -1, r = -1;
        char name[32];

        loop.fd = (unsigned)file;
        for (int i = 0; control >= 0 && file >= 0 && i < 50 && r < 0; i++) {
                snprintf(name, sizeof(name), "/dev/loop%d", ioctl(control, LOOP_CTL_GET_FREE));
                device = open(name, O_RDWR | O_CLOEXEC);
                r = device < 0 ? -1 : ioctl(device, LOOP_CONFIGURE, &loop);
                if (r < 0 && device >= 0)
                        close(device);
                if (r < 0 && errno != EBUSY) /* somebody else was faster */
                        break;
        }
        if (r == 0) {
                r = mount(name, on, type, MS_NOATIME, "");
                close(device);
        }
        if (control >= 0)
                close(control);
        if (file >= 0)
                close(file);
        return r == 0;
}

static void prepare(struct kit *k)
{
        const char *tmp = getenv("TMPDIR");
        struct sigaction act = {.sa_handler = on_signal};

        if (geteuid() != 0)
                skip("needs root for mounts");
        snprintf(base, sizeof(base), "%s/ydsync-cut-XXXXXX", tmp ? tmp : "/tmp");
        if (!mkdtemp(base))
                kit_fail(k, "no folder to work in");
        atexit(forget_base);
        sigaction(SIGTERM, &act, NULL);
        sigaction(SIGINT, &act, NULL);
        sigaction(SIGHUP, &act, NULL);
        if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("tmpfs", base, "tmpfs", 0, "size=1g") < 0)
                skip("no mount namespace can be made");
        xfs_image = kit_text("%s/xfs.img", base);
        xfs = kit_text("%s/xfs", base);
        live_image = kit_text("%s/live.img", xfs);
        cut_image = kit_text("%s/cut.img", xfs);
        live = kit_text("%s/live", base);
        cut = kit_text("%s/cut", base);
        if (mkdir(xfs, 0700) < 0 || mkdir(live, 0700) < 0 || mkdir(cut, 0700) < 0)
                kit_fail(k, "cannot make folders in %s", base);
        if (!make_image(xfs_image, XFS_BYTES,
                        (const char *const[]){"mkfs.xfs", "-q", "-m", "reflink=1", xfs_image, NULL}))
                skip("no mkfs.xfs that makes file systems which clone");
        if (!mount_image(xfs_image, xfs, "xfs"))
                skip("no loop device, or no XFS in this kernel");
        if (!make_image(live_image, EXT4_BYTES,
                        (const char *const[]){"mkfs.ext4", "-q", "-F", "-J", "size=4", live_image,
                                              NULL}) ||
            !mount_image(live_image, live, "ext4"))
                skip("no ext4 in this kernel");
}

/* ---- a cut ------------------------------------------------------------------------------------- */

static void clone_disk(struct kit *k)
{
        int from = open(live_image, O_RDONLY | O_CLOEXEC);
        int to = open(cut_image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        if (from < 0 || to < 0 || ioctl(to, FICLONE, from) < 0)
                kit_fail(k, "cannot clone the disk: %s", strerror(errno));
        close(from);
        close(to);
}

static void check_rows(struct kit *k, struct store *s, unsigned n)
{
        struct entry_iter *it = NULL;
        const struct entry *entry;
        struct store_totals totals;
        struct err err = ERR_NONE;
        uint64_t rows = 0;
        int r = store_known_iter(s, &it, &err);

        while (r == 0 && (r = it->next(it, &entry)) > 0) {
                rows++;
                r = 0;
        }
        if (r < 0 && it)
                store_iter_err(it, &err);
        if (it)
                store_iter_destroy(it);
        if (r == 0)
                r = store_totals(s, &totals, &err);
        if (r < 0)
                kit_fail(k, "state %u: the snapshot does not hold: %s", n, err.text);
        if (totals.files + totals.dirs != rows)
                kit_fail(k, "state %u: %llu rows, counted as %llu", n, (unsigned long long)rows,
                         (unsigned long long)(totals.files + totals.dirs));
}

/* The wire name at `at`, which is as long as all are. */
#define WIRE "ydsync-upload-"
#define WIRE_LEN (sizeof(WIRE) - 1 + 24)

static bool has_intent(const struct intent *intents, size_t n, const char *wire)
{
        for (size_t i = 0; i < n; i++)
                if (strncmp(intents[i].wire, wire, WIRE_LEN) == 0)
                        return true;
        return false;
}

/* Whether the journal has a move from that name, a removal of it, or a look: a later run asked after
 * it, found nothing and may have forgotten it.  A name that is new is never looked at. */
static bool is_over(const char *journal, const char *wire)
{
        char name[WIRE_LEN + 1];
        const char *at = journal, *line;

        snprintf(name, sizeof(name), "%s", wire);
        while ((at = strstr(at, name))) {
                line = at;
                while (line > journal && line[-1] != '\n')
                        line--;
                if (memmem(line, (size_t)(at - line), "\"endpoint\":\"move\"", 17) ||
                    memmem(line, (size_t)(at - line), "\"endpoint\":\"list\"", 17) ||
                    memmem(line, (size_t)(at - line), "\"endpoint\":\"delete\"", 19))
                        return true;
                at += WIRE_LEN;
        }
        return false;
}

/* Every wire name for which a link was asked for before the cut. */
static unsigned check_intents(struct kit *k, struct store *s, unsigned n, const char *before)
{
        char *after = kit_fake(k, "journal", NULL);
        struct intent *intents = NULL;
        struct err err = ERR_NONE;
        unsigned checked = 0;
        size_t n_intents = 0;

        if (store_intents(s, &intents, &n_intents, &err) < 0)
                kit_fail(k, "state %u: the intents cannot be read: %s", n, err.text);
        for (const char *at = before; (at = strstr(at, "\"endpoint\":\"link\"")); at++) {
                const char *end = strchr(at, '\n'), *wire = strstr(at, WIRE);

                if (!wire || (end && wire > end))
                        continue;
                checked++;
                if (!has_intent(intents, n_intents, wire) && !is_over(after, wire))
                        kit_fail(k, "state %u: bytes may leave as %.*s, and no intent says so", n,
                                 (int)WIRE_LEN, wire);
        }
        store_intents_free(intents, n_intents);
        free(after);
        return checked;
}

/* Opens what the power cut left. */
static void check_state(struct kit *k, unsigned n, const char *before)
{
        char *dir = kit_text("%s/state", cut);
        struct store *s = NULL;
        struct err err = ERR_NONE;
        int r = store_open(&s, dir, 0, &err);

        if (r < 0)
                kit_fail(k, "state %u: the snapshot does not open: %s", n, err.text);
        check_rows(k, s, n);
        check_intents(k, s, n, before);
        store_close(s);
        free(dir);
}

/* ---- going on from a cut ----------------------------------------------------------------------- */

static void settle(struct kit *k)
{
        for (int i = 0; i < 500 && kit_count(k, "open") > 0; i++)
                kit_nap(10);
}

/* With the state of the cut, on the Disk as it was then. */
static void go_on(struct kit *k, unsigned n)
{
        char *env = k->env, *when = kit_text("going on from state %u", n);
        unsigned need, kills = k->kills;
        long sent;

        k->env = kit_text("%s/env-cut", base);
        need = kit_missing(k);
        sent = kit_count(k, "put");
        kit_converge(k, when);
        sent = k->puts - sent;
        if (sent > (long)need)
                kit_fail(k, "%s: %ld bodies were sent, %u were missing", when, sent, need);
        free(k->env);
        k->env = env;
        k->kills = kills;
        free(when);
}

/* ---- the work ---------------------------------------------------------------------------------- */

static pid_t worker;

static void keep_working(struct kit *k)
{
        int status;

        if (worker > 0 && waitpid(worker, &status, WNOHANG) == 0)
                return;
        worker = kit_start(k, "once");
}

static void stop_working(struct kit *k)
{
        if (worker > 0)
                kit_kill(k, worker);
        worker = 0;
}

static void make_anew(struct kit *k)
{
        char *command = kit_text("rm -rf '%s/state'", live);

        stop_working(k);
        kit_converge(k, "before the state is made anew");
        free(kit_fake(k, "reset?what=disk", "")); /* what is not known any more would stay */
        if (system(command) != 0)
                kit_fail(k, "cannot remove the state");
        free(command);
}

static void one_cut(struct kit *k, unsigned n)
{
        char *before;

        if (n % ANEW_EVERY == 1)
                make_anew(k);
        for (unsigned i = kit_below(k, 3); i > 0; i--)
                kit_edit(k);
        keep_working(k);
        kit_nap(kit_below(k, n % ANEW_EVERY < 8 ? 9 : 30));
        before = kit_fake(k, "journal", NULL);
        clone_disk(k);
        if (n % GO_ON_EVERY == 0) {
                stop_working(k);
                settle(k);
        }
        if (!mount_image(cut_image, cut, "ext4"))
                kit_fail(k, "state %u: the file system does not mount: %s", n, strerror(errno));
        check_state(k, n, before);
        if (n % GO_ON_EVERY == 0) {
                free(kit_fake(k, "save?name=live", ""));
                go_on(k, n);
                free(kit_fake(k, "restore?name=live", ""));
        }
        if (umount(cut) < 0)
                kit_fail(k, "state %u: cannot unmount: %s", n, strerror(errno));
        free(before);
}

static void write_env(struct kit *k)
{
        char *path = kit_text("%s/env-cut", base), line[1024];
        FILE *from = fopen(k->env, "r"), *to = fopen(path, "w");

        while (from && to && fgets(line, sizeof(line), from))
                if (strncmp(line, "YDSYNC_STATE_DIR=", 17) != 0)
                        fputs(line, to);
        if (!from || !to)
                kit_fail(k, "cannot write %s", path);
        fprintf(to, "YDSYNC_STATE_DIR=%s/state\n", cut);
        fclose(from);
        fclose(to);
        chmod(path, 0600);
        free(path);
}

int main(int argc, char **argv)
{
        struct kit k = {.name = "powercut", .build = "build", .seed = 1};
        unsigned states = 500;
        time_t from = time(NULL);
        char *work, *state;

        for (int i = 1; i + 1 < argc; i += 2)
                if (strcmp(argv[i], "--build") == 0)
                        k.build = argv[i + 1];
                else if (strcmp(argv[i], "--seed") == 0)
                        k.seed = strtoull(argv[i + 1], NULL, 10);
                else if (strcmp(argv[i], "--states") == 0)
                        states = (unsigned)atoi(argv[i + 1]);
                else
                        return 64;
        prepare(&k);
        work = kit_text("%s/work", base);
        state = kit_text("%s/state", live);
        kit_begin(&k, work, state);
        write_env(&k);
        for (unsigned n = 1; n <= states; n++)
                one_cut(&k, n);
        stop_working(&k);
        printf("ok powercut (%ld s) %u states, seed %llu\n", (long)(time(NULL) - from), states,
               (unsigned long long)k.seed);
        kit_end(&k);
        free(work);
        free(state);
        return 0;
}
