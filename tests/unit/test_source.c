/* SPDX-License-Identifier: MIT */

#include "lib/base/str.h"
#include "lib/engine/source.h"
#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <openssl/evp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

/* Reads of this program come a few bytes at a time and interrupted while `dribble` is set; stands
 * before the one of the C library. */
static bool dribble;

ssize_t read(int fd, void *buffer, size_t size)
{
        static unsigned count;

        if (dribble && ++count % 3 == 0) {
                errno = EINTR;
                return -1;
        }
        return syscall(SYS_read, fd, buffer, dribble && size > 5 ? 5 : size);
}

/* ---- helpers ------------------------------------------------------------------------------- */

static struct source_root root_of(const struct scratch *s)
{
        return (struct source_root){.fd = s->fd};
}

static struct entry look(const struct scratch *s, const char *key)
{
        struct source_root root = root_of(s);
        struct entry e = {.key = key};

        check_eq(source_look(&root, key, &e), 0);
        return e;
}

static int look_code(const struct source_root *root, const char *key)
{
        struct entry e = {.kind = KIND_FILE, .size = 77};
        int r = source_look(root, key, &e);

        check(r == 0 || e.size == 77); /* untouched */
        return r == 0 ? (int)e.kind : r;
}

static int open_code(const struct source_root *root, const struct entry *expected)
{
        _cleanup_(source_closep) struct source *source = NULL;
        int r = source_open(&source, root, expected);

        check((r == 0) == (source != NULL));
        return r;
}

static void check_md5(const struct scratch *s, const char *key, const char *hex)
{
        struct source_root root = root_of(s);
        struct entry e = look(s, key);
        uint8_t md5[16] = {0};
        char got[33];

        check_eq(source_digest(&root, &e, NULL, md5), 0);
        str_hex(got, md5, 16);
        check_str(got, hex);
}

/* So that what comes now has other times than what was, on old kernels too. */
static void tick(void)
{
        nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
}

static bool have_openat2(void)
{
        struct open_how how = {.flags = O_PATH | O_CLOEXEC};
        long fd = syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));

        if (fd >= 0)
                close((int)fd);
        else
                puts("# no openat2 here: following links is not tested");
        return fd >= 0;
}

/* ---- digests ------------------------------------------------------------------------------- */

TEST(md5_known_values)
{
        _cleanup_(scratch_finish) struct scratch s;
        char *million = malloc(1000001);

        scratch_init(&s);
        memset(million, 'a', 1000000);
        million[1000000] = '\0';
        scratch_file(&s, "0", "");
        scratch_file(&s, "1", "a");
        scratch_file(&s, "3", "abc");
        scratch_file(&s, "14", "message digest");
        scratch_file(&s, "million", million);
        check_md5(&s, "0", "d41d8cd98f00b204e9800998ecf8427e");
        check_md5(&s, "1", "0cc175b9c0f1b6a831c399e269772661");
        check_md5(&s, "3", "900150983cd24fb0d6963f7d28e17f72");
        check_md5(&s, "14", "f96b697d7cb7938d525a2f31aaf161d0");
        check_md5(&s, "million", "7707d6ae4e027c70eea2a935c2296f21");
        free(million);
}

TEST(short_and_interrupted_reads_are_no_end)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        scratch_file(&s, "f", "1234567890123456789012345678901234567890"
                              "1234567890123456789012345678901234567890");
        dribble = true;
        check_md5(&s, "f", "57edf4a22be3c955ac49da2e2107b67a");
        dribble = false;
}

TEST(a_large_file_with_holes)
{
        static const size_t size = 65u * 1024 * 1024 + 7;
        _cleanup_(scratch_finish) struct scratch s;
        _cleanup_(freep) char *zeros = calloc(1, size);
        uint8_t md5[16];
        char hex[33];

        scratch_init(&s);
        scratch_file(&s, "f", "");
        {
                _cleanup_(closep) int fd = openat(s.fd, "f", O_WRONLY | O_CLOEXEC);

                check_eq(ftruncate(fd, (off_t)size), 0);
        }
        check_eq(EVP_Digest(zeros, size, md5, NULL, EVP_md5(), NULL), 1);
        str_hex(hex, md5, 16);
        check_md5(&s, "f", hex);
}

TEST(a_stop_ends_a_digest)
{
        _cleanup_(scratch_finish) struct scratch s;
        struct source_root root;
        atomic_bool stop = true;
        struct entry e;
        uint8_t md5[16];

        scratch_init(&s);
        scratch_file(&s, "f", "x");
        root = root_of(&s);
        e = look(&s, "f");
        check_eq(source_digest(&root, &e, &stop, md5), -ECANCELED);
        stop = false;
        check_eq(source_digest(&root, &e, &stop, md5), 0);
}

TEST(pieces_of_any_size_give_the_file)
{
        static const size_t sizes[] = {1, 2, 3, 9, 10, 11, 100};
        _cleanup_(scratch_finish) struct scratch s;
        struct source_root root;
        struct entry e;

        scratch_init(&s);
        scratch_file(&s, "f", "0123456789");
        root = root_of(&s);
        e = look(&s, "f");
        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
                _cleanup_(source_closep) struct source *source = NULL;
                char all[128];
                size_t len = 0;
                ssize_t n;

                check_eq(source_open(&source, &root, &e), 0);
                check_eq(source_read(source, all, 0), -EINVAL);
                while ((n = source_read(source, all + len, sizes[i])) > 0) {
                        check(n == (ssize_t)sizes[i] || len + (size_t)n == 10);
                        len += (size_t)n;
                }
                check_eq(n, 0);
                check_eq(len, 10);
                check(memcmp(all, "0123456789", 10) == 0);
                check_eq(source_read(source, all, 5), 0);
        }
}

TEST(descriptors_are_given_back)
{
        _cleanup_(scratch_finish) struct scratch s;
        struct source_root root;
        struct entry e;
        uint8_t md5[16];
        size_t before;

        scratch_init(&s);
        scratch_file(&s, "f", "x");
        root = root_of(&s);
        e = look(&s, "f");
        before = scratch_count_fds();
        check_eq(source_digest(&root, &e, NULL, md5), 0);
        e.size++;
        check_eq(source_digest(&root, &e, NULL, md5), -ESTALE);
        check_eq(scratch_count_fds(), before);
        source_close(NULL);
}

/* ---- what changes -------------------------------------------------------------------------- */

static void grow(const struct scratch *s)
{
        scratch_append(s, "f", "+");
}

static void shrink(const struct scratch *s)
{
        _cleanup_(closep) int fd = openat(s->fd, "f", O_WRONLY | O_CLOEXEC);

        check_eq(ftruncate(fd, 9), 0);
}

static void empty(const struct scratch *s)
{
        scratch_file(s, "f", "");
}

/* Same size, same inode, and the time put back: only ctime tells. */
static void rewrite(const struct scratch *s)
{
        _cleanup_(closep) int fd = openat(s->fd, "f", O_WRONLY | O_CLOEXEC);
        struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {0}};
        struct stat st;

        check_eq(fstat(fd, &st), 0);
        times[1] = st.st_mtim;
        check_eq(pwrite(fd, "X", 1, 0), 1);
        check_eq(futimens(fd, times), 0);
}

static void replace(const struct scratch *s)
{
        scratch_file(s, "new", "abcdefghij");
        scratch_rename(s, "new", "f");
}

static void rename_away_and_back_another(const struct scratch *s)
{
        check_eq(linkat(s->fd, "f", s->fd, "kept", 0), 0);
        replace(s);
}

static void touch(const struct scratch *s)
{
        check_eq(utimensat(s->fd, "f", NULL, 0), 0);
}

static void chmod_only(const struct scratch *s)
{
        scratch_mode(s, "f", 0600);
}

static void delete(const struct scratch *s)
{
        scratch_remove(s, "f");
}

static void to_folder(const struct scratch *s)
{
        delete(s);
        scratch_dir(s, "f");
}

static void to_pipe(const struct scratch *s)
{
        delete(s);
        scratch_fifo(s, "f");
}

static void to_socket(const struct scratch *s)
{
        delete(s);
        scratch_socket(s, "f");
}

static void to_link(const struct scratch *s)
{
        scratch_rename(s, "f", "behind");
        scratch_link(s, "behind", "f");
}

static const struct {
        const char *name;
        void (*act)(const struct scratch *s);
        int open_code; /* what source_open() says afterwards */
} changes[] = {
        {"grow", grow, -ESTALE},
        {"shrink", shrink, -ESTALE},
        {"empty", empty, -ESTALE},
        {"rewrite", rewrite, -ESTALE},
        {"replace", replace, -ESTALE},
        {"replace, the old one kept", rename_away_and_back_another, -ESTALE},
        {"touch", touch, -ESTALE},
        {"chmod", chmod_only, -ESTALE},
        {"delete", delete, -ENOENT},
        {"to folder", to_folder, -EISDIR},
        {"to pipe", to_pipe, -EINVAL},
        {"to socket", to_socket, -EINVAL},
        {"to link", to_link, -EINVAL},
};

static struct entry make_f(struct scratch *s)
{
        scratch_init(s);
        scratch_file(s, "f", "0123456789");
        tick();
        return look(s, "f");
}

TEST(a_file_that_changed_before_it_is_opened)
{
        alarm(60); /* nothing may block on a pipe */
        for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
                _cleanup_(scratch_finish) struct scratch s;
                struct entry e = make_f(&s);
                struct source_root root = root_of(&s);

                check_eq(open_code(&root, &e), 0);
                changes[i].act(&s);
                if (open_code(&root, &e) != changes[i].open_code)
                        check_fail("%s: %d", changes[i].name, open_code(&root, &e));
        }
        alarm(0);
}

/* Changed after `before` bytes: the rest must not be handed out whole. */
static void check_change(size_t i, size_t before)
{
        _cleanup_(scratch_finish) struct scratch s;
        _cleanup_(source_closep) struct source *source = NULL;
        struct entry e = make_f(&s);
        struct source_root root = root_of(&s);
        size_t len = before;
        char buffer[8];
        ssize_t n;

        check_eq(source_open(&source, &root, &e), 0);
        if (before > 0)
                check_eq(source_read(source, buffer, before), before);
        changes[i].act(&s);
        while ((n = source_read(source, buffer, 3)) > 0)
                len += (size_t)n;
        if (n != -ESTALE || len >= 10)
                check_fail("%s after %zu bytes: %zd, %zu bytes", changes[i].name, before, n, len);
        check_eq(source_read(source, buffer, 3), -ESTALE);
}

TEST(a_file_that_changes_while_it_is_read_is_never_handed_out_whole)
{
        for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
                check_change(i, 0);
                check_change(i, 4);
                check_change(i, 8);
        }
}

/* The descriptor sees nothing of it. */
/* A change that does not show in what is read is found long before the end all the same. */
TEST(a_large_file_that_changes_is_given_up_on_the_way)
{
        static const size_t size = 64u * 1024 * 1024, step = 1024 * 1024;
        _cleanup_(source_closep) struct source *source = NULL;
        _cleanup_(scratch_finish) struct scratch s;
        _cleanup_(freep) char *buffer = malloc(step);
        struct source_root root;
        struct entry e;
        size_t got = 0;
        ssize_t n = 0;

        scratch_init(&s);
        scratch_file(&s, "f", "");
        {
                _cleanup_(closep) int fd = openat(s.fd, "f", O_WRONLY | O_CLOEXEC);

                check_eq(ftruncate(fd, (off_t)size), 0);
        }
        tick();
        root = root_of(&s);
        e = look(&s, "f");
        check_eq(source_open(&source, &root, &e), 0);
        check_eq(source_read(source, buffer, step), (ssize_t)step);
        touch(&s);
        while (got < size && (n = source_read(source, buffer, step)) > 0)
                got += (size_t)n;
        check_eq(n, -ESTALE);
        check(got <= 16 * step);
}

TEST(a_folder_that_is_replaced_while_a_file_of_it_is_read)
{
        _cleanup_(scratch_finish) struct scratch s;
        _cleanup_(source_closep) struct source *source = NULL;
        struct source_root root;
        struct entry e;
        char buffer[16];

        scratch_init(&s);
        scratch_dir(&s, "d");
        scratch_file(&s, "d/f", "0123456789");
        e = look(&s, "d/f");
        root = root_of(&s);
        check_eq(source_open(&source, &root, &e), 0);
        scratch_rename(&s, "d", "e");
        scratch_dir(&s, "d");
        scratch_file(&s, "d/f", "0123456789");
        check_eq(source_read(source, buffer, 16), -ESTALE);
        source_close(source);
        source = NULL;
        e = look(&s, "d/f");
        check_eq(source_open(&source, &root, &e), 0);
        scratch_rename(&s, "d", "g");
        scratch_link(&s, "g", "d");
        check_eq(source_read(source, buffer, 16), -ESTALE);
}

TEST(an_empty_file_that_changes)
{
        for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
                _cleanup_(scratch_finish) struct scratch s;
                _cleanup_(source_closep) struct source *source = NULL;
                struct source_root root;
                struct entry e;
                char buffer[8];

                scratch_init(&s);
                scratch_file(&s, "f", "");
                tick();
                e = look(&s, "f");
                root = root_of(&s);
                check_eq(source_open(&source, &root, &e), 0);
                changes[i].act(&s);
                if (source_read(source, buffer, 8) != -ESTALE)
                        check_fail("%s", changes[i].name);
        }
}

TEST(an_empty_file_is_whole)
{
        _cleanup_(scratch_finish) struct scratch s;
        _cleanup_(source_closep) struct source *source = NULL;
        struct source_root root;
        struct entry e;
        uint8_t md5[16];
        char byte, hex[33];

        scratch_init(&s);
        scratch_file(&s, "f", "");
        e = look(&s, "f");
        root = root_of(&s);
        check_eq(source_open(&source, &root, &e), 0);
        check_eq(source_read(source, &byte, 1), 0);
        check_eq(source_read(source, &byte, 1), 0);
        source_md5(source, md5);
        str_hex(hex, md5, 16);
        check_str(hex, "d41d8cd98f00b204e9800998ecf8427e");
}

TEST(a_file_whose_size_is_not_so_is_never_whole)
{
        _cleanup_(closep) int fd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct source_root root = {.fd = fd};
        struct entry e = {.key = "limits"};
        uint8_t md5[16];

        check_eq(source_look(&root, e.key, &e), 0);
        check_eq(e.size, 0);
        check_eq(source_digest(&root, &e, NULL, md5), -ESTALE);
}

TEST(another_device_number_alone_is_no_change)
{
        _cleanup_(scratch_finish) struct scratch s;
        struct entry e = make_f(&s);
        struct source_root root = root_of(&s);
        uint8_t md5[16];

        e.stamp.dev++;
        check_eq(source_digest(&root, &e, NULL, md5), 0);
}

/* ---- looks --------------------------------------------------------------------------------- */

static void make_tree(const struct scratch *s)
{
        scratch_dir(s, "d");
        scratch_file(s, "d/f", "0123456789");
        scratch_fifo(s, "pipe");
        scratch_link(s, "d", "l");
        scratch_link(s, "d/f", "m");
        scratch_link(s, "nothing", "dangling");
        scratch_link(s, "..", "out");
        scratch_link(s, "/", "absolute");
}

/* The same with and without openat2. */
static void check_looks(const void *arg)
{
        const struct scratch *s = arg;
        struct source_root root = root_of(s);
        struct entry e;

        alarm(30);
        check_eq(look_code(&root, ""), KIND_DIR);
        check_eq(look_code(&root, "d"), KIND_DIR);
        check_eq(look_code(&root, "d/f"), KIND_FILE);
        check_eq(look_code(&root, "pipe"), KIND_OTHER);
        check_eq(look_code(&root, "l"), KIND_OTHER);
        check_eq(look_code(&root, "m"), KIND_OTHER);
        check_eq(look_code(&root, "dangling"), KIND_OTHER);
        check_eq(look_code(&root, "nothing"), -ENOENT);
        check_eq(look_code(&root, "d/nothing"), -ENOENT);
        check_eq(look_code(&root, "nothing/f"), -ENOENT);
        check_eq(look_code(&root, "d/f/g"), -ENOENT);
        check_eq(look_code(&root, "pipe/g"), -ENOENT);
        check_eq(look_code(&root, "l/f"), -ENOENT);
        e = look(s, "d/f");
        check_eq(open_code(&root, &e), 0);
        e.key = "m";
        check_eq(open_code(&root, &e), -EINVAL);
        e.key = "l/f";
        check_eq(open_code(&root, &e), -ENOENT);
        e.key = "pipe";
        check_eq(open_code(&root, &e), -EINVAL);
        e.key = "d";
        check_eq(open_code(&root, &e), -EISDIR);
        e.key = "../f";
        check(open_code(&root, &e) < 0);
}

static void look_without_openat2(const void *arg)
{
        if (scratch_forbid(SYS_openat2, ENOSYS))
                check_looks(arg);
        if (scratch_forbid(SYS_openat2, EPERM))
                check_looks(arg);
}

TEST(looks)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        make_tree(&s);
        scratch_child(check_looks, &s);
        scratch_child(look_without_openat2, &s);
}

/* What is asked of a thing that is gone: on which disk that was seen. */
static void look_there(const void *arg)
{
        struct scratch own = *(const struct scratch *)arg, *s = &own;
        struct source_root root = root_of(s);
        struct entry e = {0};
        char path[300];

        snprintf(path, sizeof(path), "%s/d", s->path);
        check_eq(source_look_there(&root, "d/f", &e), 0);
        check_eq(e.kind, KIND_FILE);
        check_eq(e.stamp.dev, 0);
        if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "", MS_REC | MS_PRIVATE, "") < 0 ||
            mount("none", path, "tmpfs", 0, "") < 0) {
                puts("# nothing can be mounted here");
                return;
        }
        own.fd = open(own.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* the other sees no mounts of ours */
        root = root_of(s);
        check_eq(source_look_there(&root, "d/f", &e), -ENOENT);
        check_eq(e.kind, KIND_NONE);
        check(e.stamp.dev != 0);
        check_eq(source_look_there(&root, "d/x/y/z", &e), -ENOENT);
        check(e.stamp.dev != 0);
        check_eq(source_look_there(&root, "nothing/x", &e), -ENOENT);
        check_eq(e.stamp.dev, 0);
        check_eq(umount2(path, MNT_DETACH), 0);
        check_eq(source_look_there(&root, "d/x", &e), -ENOENT);
        check_eq(e.stamp.dev, 0);
        close(own.fd);
}

TEST(looks_know_the_disk)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        make_tree(&s);
        scratch_child(look_there, &s);
}

TEST(looks_that_follow)
{
        _cleanup_(scratch_finish) struct scratch s;
        struct source_root root;
        struct entry e;
        uint8_t md5[16];

        scratch_init(&s);
        make_tree(&s);
        root = root_of(&s);
        root.follow = true;
        if (!have_openat2())
                return;
        check_eq(look_code(&root, ""), KIND_DIR);
        check_eq(look_code(&root, "l"), KIND_DIR);
        check_eq(look_code(&root, "l/f"), KIND_FILE);
        check_eq(look_code(&root, "m"), KIND_FILE);
        check_eq(look_code(&root, "dangling"), KIND_OTHER);
        check_eq(look_code(&root, "out"), KIND_OTHER);
        check_eq(look_code(&root, "absolute"), KIND_OTHER);
        check_eq(look_code(&root, "pipe"), KIND_OTHER);
        check_eq(look_code(&root, "nothing"), -ENOENT);
        check_eq(look_code(&root, "out/nothing"), -ENOENT);
        check_eq(look_code(&root, "absolute/etc"), -ENOENT);
        check_eq(look_code(&root, "dangling/f"), -ENOENT);
        e = look(&s, "d/f");
        e.key = "l/f";
        check_eq(source_digest(&root, &e, NULL, md5), 0);
        e.key = "m";
        check_eq(source_digest(&root, &e, NULL, md5), 0);
        e.key = "out";
        check_eq(open_code(&root, &e), -EINVAL);
}

static void follow_without_openat2(const void *arg)
{
        struct source_root root = root_of(arg);

        root.follow = true;
        if (!scratch_forbid(SYS_openat2, ENOSYS))
                return;
        check_eq(look_code(&root, "d/f"), KIND_FILE);
        check_eq(look_code(&root, "nothing"), -ENOENT);
        check_eq(look_code(&root, "l"), -ENOSYS);
        check_eq(look_code(&root, "l/f"), -ENOSYS);
        check_eq(look_code(&root, "dangling"), -ENOSYS);
}

TEST(links_that_cannot_be_judged_are_not_absent)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        make_tree(&s);
        scratch_child(follow_without_openat2, &s);
}

static void look_locked(const void *arg)
{
        struct source_root root = root_of(arg);
        struct entry e = look(arg, "f");

        scratch_be_nobody();
        check_eq(look_code(&root, "d/f"), -EACCES);
        check_eq(look_code(&root, "d/nothing"), -EACCES);
        check_eq(look_code(&root, "d"), KIND_DIR);
        check_eq(look_code(&root, "f"), KIND_FILE);
        check_eq(open_code(&root, &e), -EACCES);
}

TEST(what_cannot_be_seen_is_not_absent)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        scratch_dir(&s, "d");
        scratch_file(&s, "d/f", "");
        scratch_mode(&s, "d", 0);
        scratch_file(&s, "f", "");
        scratch_mode(&s, "f", 0);
        scratch_child(look_locked, &s);
}

static void read_of_another(const void *arg)
{
        const struct scratch *s = arg;

        scratch_be_nobody(); /* may not use O_NOATIME now */
        check_md5(s, "f", "781e5e245d69b566979b86e28d23f2c7");
}

TEST(files_of_others_are_read)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        scratch_file(&s, "f", "0123456789");
        scratch_child(read_of_another, &s);
}

/* ---- beyond PATH_MAX ----------------------------------------------------------------------- */

struct deep {
        const struct scratch *s;
        const char *key;
};

static void check_long(const void *arg)
{
        const struct deep *deep = arg;
        struct source_root root = root_of(deep->s);
        size_t parent = entry_key_parent(deep->key);
        char *file, *absent;

        check(asprintf(&file, "%.*s/~", (int)parent, deep->key) > 0);
        check(asprintf(&absent, "%s/nothing", deep->key) > 0);
        check(strlen(file) > 5000);
        check_eq(look_code(&root, deep->key), KIND_DIR);
        check_eq(look_code(&root, file), KIND_FILE);
        check_eq(look_code(&root, absent), -ENOENT);
        check_md5(deep->s, file, "d41d8cd98f00b204e9800998ecf8427e");
        absent[10] = 'X'; /* a folder far up */
        check_eq(look_code(&root, absent), -ENOENT);
        root.follow = true;
        check_eq(look_code(&root, file), KIND_FILE);
        check_eq(look_code(&root, absent), -ENOENT);
        free(file);
        free(absent);
}

static void check_long_without_openat2(const void *arg)
{
        if (scratch_forbid(SYS_openat2, ENOSYS))
                check_long(arg);
}

TEST(keys_longer_than_path_max)
{
        static const unsigned widths[] = {200, 255, 63, 16, 1};

        for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
                _cleanup_(scratch_finish) struct scratch s;
                _cleanup_(freep) char *key = NULL;
                struct deep deep = {.s = &s};

                scratch_init(&s);
                deep.key = key = scratch_deep(&s, 6200 / (widths[i] + 1), widths[i]);
                scratch_child(check_long, &deep);
                scratch_child(check_long_without_openat2, &deep);
        }
}

TEST(a_name_that_is_too_long_is_not_absent)
{
        _cleanup_(scratch_finish) struct scratch s;
        char key[6000];
        struct source_root root;

        scratch_init(&s);
        root = root_of(&s);
        memset(key, 'a', sizeof(key));
        key[sizeof(key) - 1] = '\0';
        check_eq(look_code(&root, key), -ENAMETOOLONG);
        key[300] = '\0';
        check_eq(look_code(&root, key), -ENAMETOOLONG);
}
