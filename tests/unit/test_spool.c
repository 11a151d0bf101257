/* SPDX-License-Identifier: MIT */

/* Ops go to disk and come back as they were, or not at all. */

#include "lib/store/spool.h"
#include "lib/base/str.h"
#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static struct scratch scratch;
static struct spool *spool;

static void begin(void)
{
        struct err err = ERR_NONE;

        scratch_init(&scratch);
        if (spool_create(&spool, scratch.path, &err) < 0) {
                printf("# %s\n", err.text);
                exit(2);
        }
}

static void end(void)
{
        spool_destroy(spool);
        spool = NULL;
        scratch_finish(&scratch);
}

static bool op_eq(const struct op *a, const struct op *b)
{
        const struct entry *x = &a->entry, *y = &b->entry;

        return a->verb == b->verb && a->parks == b->parks &&
               strcmp(a->from ? a->from : "", b->from ? b->from : "") == 0 && a->was_known == b->was_known &&
               a->after_drop == b->after_drop && a->known_unverified == b->known_unverified &&
               a->there == b->there && a->known_size == b->known_size &&
               memcmp(a->known_md5, b->known_md5, 16) == 0 && a->there_size == b->there_size &&
               memcmp(a->there_md5, b->there_md5, 16) == 0 && a->files == b->files &&
               a->bytes == b->bytes && strcmp(x->key, y->key) == 0 && x->kind == y->kind &&
               x->err == y->err && x->flags == y->flags && x->size == y->size &&
               entry_stamp_eq(&x->stamp, &y->stamp) && x->has_md5 == y->has_md5 &&
               memcmp(x->md5, y->md5, 16) == 0;
}

/* Numbers of all lengths, the extremes among them. */
static uint64_t any_number(void)
{
        uint64_t v = (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();

        switch (rand() % 6) {
        case 0:
                return 0;
        case 1:
                return UINT64_MAX;
        case 2:
                return 1ull << (rand() % 64);
        case 3:
                return (1ull << (rand() % 64)) - 1;
        default:
                return v >> (rand() % 64);
        }
}

static void any_md5(uint8_t md5[16])
{
        for (int i = 0; i < 16; i++)
                md5[i] = (uint8_t)(rand() % 3 ? rand() : 0);
        if (rand() % 3 == 0)
                memset(md5, 0, 16);
}

static bool any_bool(void)
{
        return rand() % 2;
}

/* The key is written to `key`, which has room for 4096 bytes. */
static struct op any_op(char *key)
{
        struct op op = {
                .verb = (enum op_verb)(rand() % (OP_MOVE + 1)),
                .parks = any_bool(),
                .was_known = any_bool(),
                .after_drop = any_bool(),
                .known_unverified = any_bool(),
                .there = (enum op_there)(rand() % (OP_THERE_DIR + 1)),
                .known_size = any_number(),
                .there_size = any_number(),
                .files = any_number(),
                .bytes = any_number(),
                .entry = {
                        .key = key,
                        .kind = (enum kind)(rand() % (KIND_OTHER + 1)),
                        .err = any_bool() ? rand() : 0,
                        .flags = (unsigned)any_number(),
                        .size = any_number(),
                        .stamp = {(int64_t)any_number(), (int64_t)any_number(), any_number(),
                                  any_number()},
                        .has_md5 = any_bool(),
                },
        };
        size_t n = (size_t)rand() % (rand() % 50 ? 30 : 4000);

        any_md5(op.entry.md5);
        any_md5(op.known_md5);
        any_md5(op.there_md5);
        for (size_t i = 0; i < n; i++)
                key[i] = (char)(rand() % 2 ? 'a' + rand() % 2 : 1 + rand() % 255);
        key[n] = '\0';
        op.from = op.verb == OP_MOVE ? key + n / 2 : NULL;
        return op;
}

TEST(every_field_comes_back)
{
        enum { OPS = 5000 };
        static char key[4096];
        struct op want, got;

        begin();
        srand(1);
        for (int i = 0; i < OPS; i++) {
                want = any_op(key);
                check_eq(spool_add(spool, &want, NULL), 0);
                memset(key, 'x', sizeof(key) - 1); /* the key was copied */
        }
        check_eq(spool_count(spool), OPS);
        for (int round = 0; round < 3; round++) {
                srand(1);
                check_eq(spool_rewind(spool, NULL), 0);
                for (int i = 0; i < (round == 1 ? OPS / 2 : OPS); i++) {
                        want = any_op(key);
                        require(spool_next(spool, &got, NULL) == 1);
                        check(op_eq(&want, &got));
                }
        }
        check_eq(spool_next(spool, &got, NULL), 0);
        check_eq(spool_next(spool, &got, NULL), 0);
        check_eq(spool_count(spool), OPS);
        end();
}

TEST(an_empty_plan_is_one)
{
        struct op op;

        begin();
        check_eq(spool_count(spool), 0);
        check_eq(spool_rewind(spool, NULL), 0);
        check_eq(spool_next(spool, &op, NULL), 0);
        check_eq(spool_rewind(spool, NULL), 0);
        check_eq(spool_next(spool, &op, NULL), 0);
        end();
}

TEST(the_watched_folder_has_an_empty_key)
{
        struct op op = {.verb = OP_TOUCH, .entry = {.key = "", .kind = KIND_DIR}}, got;

        begin();
        check_eq(spool_add(spool, &op, NULL), 0);
        check_eq(spool_rewind(spool, NULL), 0);
        check_eq(spool_next(spool, &got, NULL), 1);
        check(op_eq(&op, &got));
        end();
}

TEST(keys_of_any_length)
{
        enum { LONGEST = 1 << 20 };
        char *key = calloc(1, LONGEST + 2);
        struct op op = {.entry.key = key}, got;

        begin();
        memset(key, 'k', LONGEST);
        for (int i = 0; i < 5; i++) {
                key[LONGEST - 1] = (char)('a' + i);
                check_eq(spool_add(spool, &op, NULL), 0);
        }
        key[LONGEST] = 'k';
        check_eq(spool_add(spool, &op, NULL), -EINVAL);
        key[LONGEST] = '\0';
        check_eq(spool_rewind(spool, NULL), 0);
        for (int i = 0; i < 5; i++) {
                key[LONGEST - 1] = (char)('a' + i);
                require(spool_next(spool, &got, NULL) == 1);
                check(strcmp(got.entry.key, key) == 0);
        }
        check_eq(spool_next(spool, &got, NULL), 0);
        free(key);
        end();
}

TEST(what_is_no_op_is_refused)
{
        struct op good = {.entry.key = "a"}, bad;
        struct err err;

        begin();
        bad = good;
        bad.verb = (enum op_verb)(OP_MOVE + 1);
        check_eq(spool_add(spool, &bad, &err), -EINVAL);
        bad.verb = OP_MOVE; /* from where? */
        check_eq(spool_add(spool, &bad, &err), -EINVAL);
        bad = good;
        bad.from = "b";
        check_eq(spool_add(spool, &bad, &err), -EINVAL);
        bad = good;
        bad.there = (enum op_there)(OP_THERE_DIR + 1);
        check_eq(spool_add(spool, &bad, &err), -EINVAL);
        bad = good;
        bad.entry.err = -1;
        check_eq(spool_add(spool, &bad, &err), -EINVAL);
        check_eq(spool_next(spool, &bad, &err), -EINVAL); /* not yet */
        check_eq(spool_add(spool, &good, &err), 0);
        check_eq(spool_rewind(spool, &err), 0);
        check_eq(spool_add(spool, &good, &err), -EINVAL); /* no longer */
        check_eq(spool_count(spool), 1);
        end();
}

static size_t files_in_scratch(void)
{
        DIR *d = opendir(scratch.path);
        size_t n = 0;

        while (readdir(d))
                n++;
        closedir(d);
        return n - 2;
}

TEST(nothing_is_left_in_the_folder)
{
        struct op op = {.entry.key = "a"};
        size_t fds = scratch_count_fds();

        begin();
        check_eq(spool_add(spool, &op, NULL), 0);
        check_eq(spool_rewind(spool, NULL), 0);
        check_eq(files_in_scratch(), 0);
        end();
        check_eq(scratch_count_fds(), fds);
        spool_destroy(NULL);
}

TEST(a_folder_that_is_not_there)
{
        struct spool *none;
        struct err err;

        check_eq(spool_create(&none, "/nonexistent/folder", &err), -ENOENT);
        check(strstr(err.text, "/nonexistent/folder") != NULL);
}

/* ---- damage -------------------------------------------------------------------------------- */

/* The spool's file, by way of /proc: it has no name. */
static int own_fd(void)
{
        int newest = -1;

        for (int fd = 3; fd < 64; fd++) {
                char link[64], target[PATH_MAX];
                ssize_t n;

                snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
                n = readlink(link, target, sizeof(target) - 1);
                if (n > 0 && strncmp(target, scratch.path, strlen(scratch.path)) == 0 &&
                    n > (ssize_t)strlen(scratch.path))
                        newest = fd;
        }
        return newest;
}

static void add_many(int n)
{
        for (int i = 0; i < n; i++) {
                char key[64];
                struct op op = {.verb = OP_PUT, .entry = {.key = key, .size = (uint64_t)i}};

                snprintf(key, sizeof(key), "folder/%08d", i);
                check_eq(spool_add(spool, &op, NULL), 0);
        }
}

/* Reads to the end: every op right, then 0 or an error. */
static int read_many(int n)
{
        struct op op;
        struct err err;
        int i = 0, r;

        check_eq(spool_rewind(spool, NULL), 0);
        for (; (r = spool_next(spool, &op, &err)) > 0; i++) {
                char key[64];

                snprintf(key, sizeof(key), "folder/%08d", i);
                check_str(op.entry.key, key);
                check_eq(op.entry.size, i);
        }
        check(r < 0 || i == n);
        if (r < 0)
                check_eq(spool_next(spool, &op, &err), r);
        return r;
}

TEST(a_changed_byte_is_noticed)
{
        enum { OPS = 10000 };
        off_t size;
        int fd;

        begin();
        add_many(OPS);
        check_eq(read_many(OPS), 0);
        fd = own_fd();
        size = lseek(fd, 0, SEEK_END);
        require(size > 100000);
        for (off_t at = 0; at < size; at += at < 64 ? 1 : 997) {
                char was, now;

                require(pread(fd, &was, 1, at) == 1);
                now = (char)(was ^ 1 << (at % 8));
                require(pwrite(fd, &now, 1, at) == 1);
                check_eq(read_many(OPS), -EIO);
                require(pwrite(fd, &was, 1, at) == 1);
        }
        check_eq(read_many(OPS), 0); /* and the error was not for ever */
        end();
}

TEST(a_shorter_file_is_noticed)
{
        enum { OPS = 10000 };
        off_t size;
        int fd;

        begin();
        add_many(OPS);
        check_eq(read_many(OPS), 0);
        fd = own_fd();
        size = lseek(fd, 0, SEEK_END);
        require(size > 0);
        while (size > 0) {
                size -= size > 3000 ? 2999 : size;
                check_eq(ftruncate(fd, size), 0);
                check_eq(read_many(OPS), -EIO);
        }
        end();
}

/* Whole blocks, each right in itself, but not where they were. */
TEST(blocks_in_another_order_are_noticed)
{
        enum { OPS = 20000 };
        static char first[1 << 20], second[1 << 20];
        uint32_t n[4];
        int fd;

        begin();
        add_many(OPS);
        check_eq(read_many(OPS), 0);
        fd = own_fd();
        require(pread(fd, n, sizeof(n), 0) == sizeof(n));
        n[1] += sizeof(n);
        require(pread(fd, first, n[1], 0) == n[1]);
        require(pread(fd, second, n[1], n[1]) == n[1]);
        require(pwrite(fd, second, n[1], 0) == n[1]);
        require(pwrite(fd, first, n[1], n[1]) == n[1]);
        check_eq(read_many(OPS), -EIO);
        end();
}

/* ---- the world ----------------------------------------------------------------------------- */

static void use_up_disk(const void *unused _unused_)
{
        struct op op = {.verb = OP_PUT};
        struct err err = ERR_NONE;
        int r = 0;

        if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("tmpfs", scratch.path, "tmpfs", 0, "size=1m") < 0) {
                printf("# SKIP: needs the right to mount\n");
                return;
        }
        spool_destroy(spool);
        require(spool_create(&spool, scratch.path, &err) == 0);
        for (int i = 0; r == 0 && i < 1000000; i++) {
                char key[64];

                snprintf(key, sizeof(key), "%d/%d", rand(), i);
                op.entry.key = key;
                r = spool_add(spool, &op, &err);
        }
        check_eq(r, -ENOSPC);
        check(strstr(err.text, scratch.path) != NULL);
        op.entry.key = "more";
        check_eq(spool_add(spool, &op, &err), -ENOSPC);
        check_eq(spool_rewind(spool, &err), -ENOSPC);
        spool_destroy(spool);
        require(spool_create(&spool, scratch.path, &err) == 0); /* the space is free again */
        check_eq(spool_add(spool, &op, &err), 0);
        check_eq(spool_rewind(spool, &err), 0);
        spool_destroy(spool);
}

TEST(a_full_disk_says_so)
{
        begin();
        scratch_child(use_up_disk, NULL);
        end();
}

/* From now on openat() refuses O_TMPFILE, as some file systems do. */
static bool forbid_tmpfile(void)
{
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
                BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_TMPFILE & ~O_DIRECTORY, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = {.len = ARRAY_SIZE(code), .filter = code};

        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
               prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void without_tmpfile(const void *unused _unused_)
{
        struct err err = ERR_NONE;

        if (!forbid_tmpfile()) {
                printf("# SKIP: no filters for system calls\n");
                return;
        }
        check_eq(open(scratch.path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), -1);
        spool_destroy(spool);
        require(spool_create(&spool, scratch.path, &err) == 0);
        check_eq(files_in_scratch(), 0);
        add_many(1000);
        check_eq(read_many(1000), 0);
        spool_destroy(spool);
}

TEST(without_nameless_files)
{
        begin();
        scratch_child(without_tmpfile, NULL);
        end();
}

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}
