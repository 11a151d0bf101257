/* SPDX-License-Identifier: MIT */

/*
 * What the world does to a snapshot: other processes, kills, full disks, failing disks.
 *
 * Disks fail by way of a VFS of SQLite's that stands between it and the real one and lets the n-th
 * call of a kind fail.
 */

#include "lib/store/store_priv.h"
#include "tests/unit/store_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

static struct scratch scratch;
static char dir_path[512];

static void begin(void)
{
        scratch_init(&scratch);
        kit_path(&scratch, NULL, dir_path);
}

static void end(void)
{
        scratch_finish(&scratch);
}

/* ---- locks --------------------------------------------------------------------------------- */

/* A child that opens the snapshot, says so, and waits to be killed (or ends when `leave`). */
static pid_t holder(bool leave)
{
        int pipe_fds[2];
        char byte;
        pid_t pid;

        if (pipe(pipe_fds) < 0 || (pid = fork()) < 0)
                exit(2);
        if (pid == 0) {
                struct store *store = kit_open(&scratch);

                kit_do(store, kit_file("held", 1));
                if (write(pipe_fds[1], "x", 1) < 0 || leave)
                        _exit(0); /* without store_close() */
                for (;;)
                        pause();
        }
        close(pipe_fds[1]);
        check_eq(read(pipe_fds[0], &byte, 1), 1);
        close(pipe_fds[0]);
        return pid;
}

TEST(a_second_program_is_kept_out)
{
        struct store *store;
        char pid_text[32];
        struct err err;
        pid_t pid;

        begin();
        pid = holder(false);
        check_eq(store_open(&store, dir_path, 0, &err), -EBUSY);
        snprintf(pid_text, sizeof(pid_text), "process %d)", (int)pid);
        check(strstr(err.text, pid_text) != NULL);
        check_eq(store_set_aside(dir_path, &err), -EBUSY);
        store = kit_open_read_only(&scratch);
        check_str(kit_keys(store), "held");
        store_close(store);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        store = kit_open(&scratch);
        check_str(kit_keys(store), "held");
        store_close(store);
        end();
}

TEST(the_lock_ends_with_the_process)
{
        struct store *store;

        begin();
        waitpid(holder(true), NULL, 0);
        store = kit_open(&scratch);
        check_str(kit_keys(store), "held");
        store_close(store);
        end();
}

TEST(a_second_store_in_one_program_is_kept_out)
{
        struct store *store, *second;

        begin();
        store = kit_open(&scratch);
        check_eq(store_open(&second, dir_path, 0, NULL), -EBUSY);
        store_close(store);
        store = kit_open(&scratch);
        store_close(store);
        end();
}

/* Somebody's `sqlite3 state.db 'BEGIN EXCLUSIVE'`: a bounded wait. */
TEST(a_foreign_lock_is_waited_for_a_while)
{
        struct record r = kit_file("a", 1);
        struct timespec t0, t1;
        struct store *store;
        char path[512];
        sqlite3 *foreign;
        struct err err;

        begin();
        store = kit_open(&scratch);
        kit_path(&scratch, "state.db", path);
        check_eq(sqlite3_open(path, &foreign), SQLITE_OK);
        check_eq(sqlite3_exec(foreign, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
        clock_gettime(CLOCK_MONOTONIC, &t0);
        check_eq(store_commit(store, &r, 1, &err), -EBUSY);
        clock_gettime(CLOCK_MONOTONIC, &t1);
        check(t1.tv_sec - t0.tv_sec < 10);
        check_str(kit_keys(store), "");
        check_eq(sqlite3_exec(foreign, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
        kit_do(store, r);
        check_str(kit_keys(store), "a");
        sqlite3_close(foreign);
        store_close(store);
        end();
}

/* ---- kills --------------------------------------------------------------------------------- */

/* Batch i puts i%7+1 rows of its own, forgets those of batch i-3 and counts up, all at once. */
static void write_batch(struct store *store, int i)
{
        char keys[8][32], gone[32], count[16];
        struct record r[12];
        size_t n = 0;

        for (int k = 0; k <= i % 7; k++, n++) {
                snprintf(keys[n], sizeof(keys[n]), "%08d/%d", i, k);
                r[n] = kit_unverified(keys[n], (uint64_t)i);
        }
        snprintf(gone, sizeof(gone), "%08d", i - 3);
        snprintf(count, sizeof(count), "%d", i);
        r[n++] = kit_on(RECORD_FORGET_TREE, gone);
        r[n++] = kit_meta("count", count);
        r[n++] = kit_intent(count, keys[0], (uint64_t)i, i);
        r[n++] = kit_doubt(kit_file(keys[0], (uint64_t)i + 1), i);
        kit_commit(store, r, n);
}

static int read_count(struct store *store)
{
        char *value = NULL;
        int i;

        check_eq(store_meta_get(store, "count", &value, NULL), 0);
        i = value ? atoi(value) : -1;
        free(value);
        return i;
}

/* Whether the snapshot is exactly what batches 0 to i leave. */
static void check_batches(struct store *store, int i)
{
        struct intent *in = NULL;
        struct doubt *doubts = NULL;
        struct entry_list l = {0};
        size_t n = 0;

        kit_check_totals(store);
        check_eq(store_intents(store, &in, &n, NULL), 0);
        check_eq(n, i + 1);
        store_intents_free(in, n);
        check_eq(store_doubts(store, &doubts, &n, NULL), 0);
        check_eq(n, i < 0 ? 0 : i < 3 ? i + 1 : 3);
        store_doubts_free(doubts, n);
        check_eq(store_unverified(store, 100, &l, NULL), 0);
        check_eq(l.n, i < 0 ? 0 : i < 3 ? i + 1 : 3);
        for (size_t k = 0; k < l.n; k++) {
                struct entry_list below = {0};
                int batch = atoi(l.items[k].key);

                check_eq(batch, i + 1 - (int)(l.n - k));
                check_eq(store_children(store, l.items[k].key, &below, NULL), 0);
                check_eq(below.n, batch % 7 + 1);
                entry_list_finish(&below);
        }
        entry_list_finish(&l);
}

/* Goes on from what is there; tells what it has found and each batch that is committed. */
static void write_for_ever(int fd)
{
        struct store *store = kit_open(&scratch);

        for (int i = read_count(store);; write_batch(store, ++i))
                if (write(fd, &i, sizeof(i)) < 0)
                        _exit(1);
}

/* Lets a child write for `us` microseconds; returns the last batch that it has seen committed. */
static int write_and_kill(unsigned us)
{
        int pipe_fds[2], last = -1, i;
        pid_t pid;

        if (pipe(pipe_fds) < 0 || (pid = fork()) < 0)
                exit(2);
        if (pid == 0)
                write_for_ever(pipe_fds[1]);
        close(pipe_fds[1]);
        if (us % 8) /* sometimes it is killed while it opens */
                check_eq(read(pipe_fds[0], &last, sizeof(last)), sizeof(last));
        usleep(us);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        while (read(pipe_fds[0], &i, sizeof(i)) == sizeof(i))
                last = i;
        close(pipe_fds[0]);
        return last;
}

TEST(killed_in_the_middle_of_commits)
{
        int told = -1;

        begin();
        srand(4);
        for (int round = 0; round < 50 && !check_failed; round++) {
                int last = write_and_kill((unsigned)rand() % 40000), count;
                struct store *store;

                told = last > told ? last : told;
                store = kit_open(&scratch);
                count = read_count(store);
                check(count == told || count == told + 1);
                check_batches(store, count);
                store_close(store);
                told = count;
        }
        printf("# %d batches in 50 lives\n", told + 1);
        end();
}

/* ---- full disks ---------------------------------------------------------------------------- */

/* A file system of 1 MiB over the scratch folder, seen by nobody else. */
static bool small_disk(void)
{
        return unshare(CLONE_NEWNS) == 0 &&
               mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
               mount("tmpfs", scratch.path, "tmpfs", 0, "size=1m") == 0;
}

static int fill_until_full(struct store *store, int *round, struct err *err)
{
        int r = 0;

        for (; r == 0 && *round < 10000; ++*round) {
                char key[300];
                struct record rec = kit_file(key, (uint64_t)*round);

                snprintf(key, sizeof(key), "%05d%0200d", *round, 0);
                r = store_commit(store, &rec, 1, err);
        }
        --*round; /* the one that failed */
        return r;
}

static void use_up_disk(const void *unused _unused_)
{
        char path[512], zeros[4096] = {0};
        struct store *store;
        struct err err = ERR_NONE;
        int round = 0, fd;

        if (!small_disk()) {
                printf("# SKIP: needs the right to mount\n");
                return;
        }
        store = kit_open(&scratch);
        snprintf(path, sizeof(path), "%s/filler", scratch.path);
        fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        for (int i = 0; i < 100; i++)
                check_eq(write(fd, zeros, sizeof(zeros)), sizeof(zeros));
        check_eq(fill_until_full(store, &round, &err), -ENOSPC);
        check(strstr(err.text, "space") != NULL);
        check(round > 10);
        kit_check_totals(store);
        check_eq(fill_until_full(store, &round, &err), -ENOSPC);
        check_eq(ftruncate(fd, 0), 0);
        for (int i = 0; i < 20; i++) { /* heals */
                char key[32];

                snprintf(key, sizeof(key), "healed-%d", i);
                kit_do(store, kit_file(key, 1));
        }
        kit_check_totals(store);
        store_close(store);
        store = kit_open(&scratch);
        kit_check_totals(store);
        store_close(store);
        close(fd);
}

TEST(a_full_disk_says_so_and_heals)
{
        begin();
        scratch_child(use_up_disk, NULL);
        end();
}

/* No room for a new snapshot: nothing half is left that a later start would trip over. */
static void start_on_full_disk(const void *unused _unused_)
{
        char path[512], zeros[4096] = {0};
        struct store *store;
        struct err err = ERR_NONE;
        int fd;

        if (!small_disk()) {
                printf("# SKIP: needs the right to mount\n");
                return;
        }
        snprintf(path, sizeof(path), "%s/filler", scratch.path);
        fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        while (write(fd, zeros, sizeof(zeros)) == sizeof(zeros))
                ;
        for (off_t size = lseek(fd, 0, SEEK_END); size > 0; size -= 4096) {
                int r;

                check_eq(ftruncate(fd, size), 0);
                r = store_open(&store, dir_path, 0, &err);
                if (r == 0) {
                        check_str(kit_keys(store), "");
                        store_close(store);
                        close(fd);
                        return;
                }
                check_eq(r, -ENOSPC);
        }
        check_fail("it never had enough room");
}

TEST(starting_on_a_full_disk)
{
        begin();
        scratch_child(start_on_full_disk, NULL);
        end();
}

/* ---- failing disks ------------------------------------------------------------------------- */

enum fault_kind { FAULT_NONE, FAULT_SYNC, FAULT_WRITE, FAULT_READ };

static struct {
        enum fault_kind kind;
        int countdown; /* that many calls still go well */
        bool sticky;   /* all later ones fail too */
        bool hit;
        int rc, errnum;
        sqlite3_vfs *real;
} fault;

struct fault_file {
        sqlite3_file base;
        sqlite3_file *real; /* right behind this */
};

static sqlite3_file *real_of(sqlite3_file *f)
{
        return ((struct fault_file *)f)->real;
}

static bool fault_strikes(enum fault_kind kind)
{
        if (fault.kind != kind || fault.countdown-- > 0)
                return false;
        if (!fault.sticky)
                fault.kind = FAULT_NONE;
        fault.hit = true;
        errno = fault.errnum;
        return true;
}

static int fault_close(sqlite3_file *f)
{
        return real_of(f)->pMethods->xClose(real_of(f));
}

static int fault_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
        return fault_strikes(FAULT_READ) ? fault.rc
                                         : real_of(f)->pMethods->xRead(real_of(f), p, n, at);
}

static int fault_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
        return fault_strikes(FAULT_WRITE) ? fault.rc
                                          : real_of(f)->pMethods->xWrite(real_of(f), p, n, at);
}

static int fault_truncate(sqlite3_file *f, sqlite3_int64 size)
{
        return real_of(f)->pMethods->xTruncate(real_of(f), size);
}

static int fault_sync(sqlite3_file *f, int flags)
{
        return fault_strikes(FAULT_SYNC) ? fault.rc
                                         : real_of(f)->pMethods->xSync(real_of(f), flags);
}

static int fault_size(sqlite3_file *f, sqlite3_int64 *ret)
{
        return real_of(f)->pMethods->xFileSize(real_of(f), ret);
}

static int fault_lock(sqlite3_file *f, int level)
{
        return real_of(f)->pMethods->xLock(real_of(f), level);
}

static int fault_unlock(sqlite3_file *f, int level)
{
        return real_of(f)->pMethods->xUnlock(real_of(f), level);
}

static int fault_reserved(sqlite3_file *f, int *ret)
{
        return real_of(f)->pMethods->xCheckReservedLock(real_of(f), ret);
}

static int fault_control(sqlite3_file *f, int op, void *arg)
{
        if (op == SQLITE_FCNTL_LAST_ERRNO && fault.hit) {
                *(int *)arg = fault.errnum;
                return SQLITE_OK;
        }
        return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}

static int fault_sector(sqlite3_file *f)
{
        return real_of(f)->pMethods->xSectorSize(real_of(f));
}

static int fault_traits(sqlite3_file *f)
{
        return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static int fault_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
        return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, ret);
}

static int fault_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
        return real_of(f)->pMethods->xShmLock(real_of(f), offset, n, flags);
}

static void fault_shm_barrier(sqlite3_file *f)
{
        real_of(f)->pMethods->xShmBarrier(real_of(f));
}

static int fault_shm_unmap(sqlite3_file *f, int remove)
{
        return real_of(f)->pMethods->xShmUnmap(real_of(f), remove);
}

static const sqlite3_io_methods fault_methods = {
        .iVersion = 2,
        .xClose = fault_close,
        .xRead = fault_read,
        .xWrite = fault_write,
        .xTruncate = fault_truncate,
        .xSync = fault_sync,
        .xFileSize = fault_size,
        .xLock = fault_lock,
        .xUnlock = fault_unlock,
        .xCheckReservedLock = fault_reserved,
        .xFileControl = fault_control,
        .xSectorSize = fault_sector,
        .xDeviceCharacteristics = fault_traits,
        .xShmMap = fault_shm_map,
        .xShmLock = fault_shm_lock,
        .xShmBarrier = fault_shm_barrier,
        .xShmUnmap = fault_shm_unmap,
};

static int fault_open(sqlite3_vfs *vfs _unused_, const char *name, sqlite3_file *f, int flags,
                      int *ret_flags)
{
        struct fault_file *file = (struct fault_file *)f;
        int rc;

        file->real = (sqlite3_file *)(file + 1);
        file->base.pMethods = NULL;
        rc = fault.real->xOpen(fault.real, name, file->real, flags, ret_flags);
        if (file->real->pMethods)
                file->base.pMethods = &fault_methods;
        return rc;
}

/* Everything but the opening of files is the real one's. */
static void fault_install(void)
{
        static sqlite3_vfs vfs;

        if (fault.real)
                return;
        fault.real = sqlite3_vfs_find(NULL);
        vfs = *fault.real;
        vfs.zName = "fault";
        vfs.szOsFile = (int)sizeof(struct fault_file) + fault.real->szOsFile;
        vfs.xOpen = fault_open;
        vfs.pNext = NULL;
        sqlite3_vfs_register(&vfs, 1);
}

static void fault_arm(enum fault_kind kind, int after, bool sticky, int rc, int errnum)
{
        fault.kind = kind;
        fault.countdown = after;
        fault.sticky = sticky;
        fault.hit = false;
        fault.rc = rc;
        fault.errnum = errnum;
}

static void fault_disarm(void)
{
        fault.kind = FAULT_NONE;
}

/* Commits batches until one fails; returns its errno, or 0 when `max` have gone well. */
static int batches_until_failure(struct store *store, int *next, int max)
{
        for (; *next < max; ++*next) {
                char keys[40][64];
                struct record r[42];
                struct err err = ERR_NONE;
                char count[16];
                int e;

                snprintf(count, sizeof(count), "%d", *next);
                for (int i = 0; i < 40; i++) {
                        snprintf(keys[i], sizeof(keys[i]), "%d/%05d", i, *next);
                        r[i] = kit_file(keys[i], 1);
                }
                r[40] = kit_meta("count", count);
                e = store_commit(store, r, 41, &err);
                if (e < 0)
                        return e;
        }
        return 0;
}

/*
 * The n-th sync fails, in commits and in carrying the log over.  Whatever commit said 0 must be
 * there afterwards, and after the failure no other commit may say it.
 */
static bool one_failed_sync(int after, bool sticky)
{
        struct store *store;
        int next = 0, r, count;
        bool hit;

        begin();
        store = kit_open(&scratch);
        fault_arm(FAULT_SYNC, after, sticky, SQLITE_IOERR_FSYNC, EIO);
        r = batches_until_failure(store, &next, 120);
        hit = fault.hit;
        check(r == 0 || r == -EIO);
        if (r < 0) {
                fault_disarm(); /* a second fsync would now say that all is well */
                check_eq(batches_until_failure(store, &next, 120), -EIO);
        }
        store_close(store);
        fault_disarm();
        store = kit_open(&scratch);
        count = read_count(store) + 1; /* the batch that failed may be there */
        check(count == next || (r < 0 && count == next + 1));
        kit_check_totals(store);
        store_close(store);
        end();
        return hit;
}

TEST(a_failed_sync_ends_the_writing)
{
        int after = 0;

        fault_install();
        while (!check_failed && one_failed_sync(after, false))
                after += after < 10 ? 1 : 17;
        printf("# %d syncs\n", after);
        check(after > 100);
        one_failed_sync(5, true);
}

static bool one_failed_write(int after, int rc, int errnum, int want)
{
        struct store *store;
        int next = 0, r;
        bool hit;

        begin();
        store = kit_open(&scratch);
        fault_arm(FAULT_WRITE, after, false, rc, errnum);
        r = batches_until_failure(store, &next, 60);
        hit = fault.hit;
        fault_disarm();
        if (r < 0) {
                check_eq(r, want);
                check_eq(read_count(store), next - 1);
                kit_check_totals(store);
                check_eq(batches_until_failure(store, &next, 60), want == -EIO ? -EIO : 0);
        }
        store_close(store);
        store = kit_open(&scratch);
        r = read_count(store);
        check(r == next - 1 || (want == -EIO && r == next));
        kit_check_totals(store);
        store_close(store);
        end();
        return hit;
}

TEST(no_space_for_one_write_leaves_nothing)
{
        int after = 0;

        fault_install();
        while (!check_failed && one_failed_write(after, SQLITE_FULL, ENOSPC, -ENOSPC))
                after += after < 10 ? 1 : 101;
        printf("# %d writes\n", after);
        check(after > 500);
        one_failed_write(7, SQLITE_IOERR_WRITE, EDQUOT, -EDQUOT);
}

TEST(a_failed_write_ends_the_writing)
{
        fault_install();
        for (int after = 0; !check_failed && after < 2000; after += 97)
                one_failed_write(after, SQLITE_IOERR_WRITE, EIO, -EIO);
}

TEST(a_failed_read_is_no_end)
{
        struct store *store;
        struct entry_iter *it;
        const struct entry *e;
        struct err err;
        int next = 0, r, rounds = 0;

        fault_install();
        begin();
        store = kit_open(&scratch);
        batches_until_failure(store, &next, 50);
        for (int after = 0; after < 1000; after += after < 10 ? 1 : 13, rounds++) {
                check_eq(store_known_iter(store, &it, &err), 0);
                /* This is what SQLite makes of EIO, and takes for a damaged file. */
                fault_arm(FAULT_READ, after, false, SQLITE_IOERR_CORRUPTFS, EIO);
                while ((r = entry_iter_next(it, &e)) > 0)
                        ;
                fault_disarm();
                if (r < 0) {
                        check_eq(r, -EIO);
                        store_iter_err(it, &err);
                        check_eq(err.code, EIO);
                        check(strstr(err.text, "state.db") != NULL);
                }
                store_iter_destroy(it);
                if (r == 0)
                        break;
        }
        check(rounds > 5);
        next++;
        check_eq(batches_until_failure(store, &next, 60), 0);
        kit_check_totals(store);
        store_close(store);
        end();
}

TEST(opening_fails_cleanly_at_any_point)
{
        struct store *store;
        struct err err;
        int after = 0, r = -1;

        fault_install();
        for (enum fault_kind kind = FAULT_SYNC; kind <= FAULT_READ; kind++)
                for (after = 0, r = -1; r < 0 && after < 1000; after++) {
                        begin();
                        fault_arm(kind, after, true,
                                  kind == FAULT_SYNC    ? SQLITE_IOERR_FSYNC
                                  : kind == FAULT_WRITE ? SQLITE_IOERR_WRITE
                                                        : SQLITE_IOERR_READ, EIO);
                        r = store_open(&store, dir_path, 0, &err);
                        check(r == 0 || r == -EIO);
                        if (r == 0)
                                store_close(store);
                        fault_disarm();
                        store = kit_open(&scratch);
                        check_str(kit_keys(store), "");
                        store_close(store);
                        end();
                }
        check_eq(r, 0);
}

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}
