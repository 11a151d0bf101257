/* SPDX-License-Identifier: MIT */

#include "lib/base/str.h"
#include "lib/engine/names.h"
#include "lib/engine/source.h"
#include "lib/engine/walk.h"
#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

/* ---- the folder reads of this program ------------------------------------------------------ */

/* Stands before the one of the C library. */
static struct {
        size_t chunk;         /* bytes at once, 0: as asked for */
        unsigned fail_at;     /* the how manieth read fails, from 1; 0: none */
        int errnum;           /* and how */
        bool untyped;         /* no types of entries */
        bool twice;           /* every folder is given two times over */
        void (*after)(void);  /* called once, after the read that came to fail_at */
        unsigned count;
} reads;

static __thread int reads_again = -1; /* the folder that is being given a second time */

static void reads_untype(char *buffer, ssize_t n)
{
        for (ssize_t i = 0; i < n;) {
                struct dirent64 *d = (void *)(buffer + i);

                d->d_type = DT_UNKNOWN;
                i += d->d_reclen;
        }
}

ssize_t getdents64(int fd, void *buffer, size_t size)
{
        ssize_t n;

        reads.count++;
        if (reads.errnum && reads.count == reads.fail_at) {
                errno = reads.errnum;
                return -1;
        }
        if (reads.chunk && reads.chunk < size)
                size = reads.chunk;
        n = syscall(SYS_getdents64, fd, buffer, size);
        if (n == 0 && reads.twice && reads_again != fd) {
                reads_again = fd;
                lseek(fd, 0, SEEK_SET);
                n = syscall(SYS_getdents64, fd, buffer, size);
        } else if (n == 0) {
                reads_again = -1;
        }
        if (n > 0 && reads.untyped)
                reads_untype(buffer, n);
        if (reads.after && reads.count == reads.fail_at)
                reads.after();
        return n;
}

static void reads_reset(void)
{
        memset(&reads, 0, sizeof(reads));
}

/* Counts from here; either one fails, or something is done after it. */
static void reads_break(unsigned at, int errnum, void (*after)(void))
{
        reads_reset();
        reads.fail_at = at;
        reads.errnum = errnum;
        reads.after = after;
}

/* ---- walks as text ------------------------------------------------------------------------- */

static const char *errno_name(int e)
{
        static const struct {
                int code;
                const char *name;
        } names[] = {{EACCES, "EACCES"}, {EIO, "EIO"},   {EMFILE, "EMFILE"}, {ESTALE, "ESTALE"},
                     {ENOSYS, "ENOSYS"}, {EFBIG, "EFBIG"}, {ELOOP, "ELOOP"}, {EAGAIN, "EAGAIN"}};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (names[i].code == e)
                        return names[i].name;
        return "E?";
}

/* "D a/b !EIO - ~": kind, key, error, excluded, partial; a line each, the watched folder as ".". */
static void text_add(struct str *text, const struct entry *e)
{
        str_addf(text, "%c ", "NFDO"[e->kind]);
        if (*e->key)
                str_add_printable(text, e->key);
        else
                str_addc(text, '.');
        if (e->err)
                str_addf(text, " !%s", errno_name(e->err));
        if (e->flags & ENTRY_EXCLUDED)
                str_adds(text, " -");
        if (e->flags & ENTRY_PARTIAL)
                str_adds(text, " ~");
        str_addc(text, '\n');
}

struct job {
        int fd;
        struct walk_options options;
        const char *at;                       /* the key at which to ... */
        void (*act)(const struct scratch *s); /* ... do this, after it was shown */
        const struct scratch *scratch;
};

/* Free the result.  The walk must end well and in tree order. */
static char *walk_text(const struct job *job)
{
        _cleanup_(walk_destroyp) struct walk *w = NULL;
        _cleanup_(freep) char *last = NULL;
        struct str text = STR_NULL(1 << 26);
        const struct entry *e;
        int r;

        check_eq(walk_create(&w, job->fd, &job->options, NULL), 0);
        while ((r = entry_iter_next(walk_iter(w), &e)) == 1) {
                if (last && e->err != ESTALE && entry_key_cmp(last, e->key) >= 0)
                        check_fail("\"%s\" after \"%s\"", e->key, last);
                if (e->err != ESTALE) {
                        free(last);
                        last = strdup(e->key);
                }
                text_add(&text, e);
                if (job->act && strcmp(e->key, job->at) == 0)
                        job->act(job->scratch);
        }
        check_eq(r, 0);
        check_eq(entry_iter_next(walk_iter(w), &e), 0);
        return str_take(&text);
}

static void check_job(const struct job *job, const char *expected)
{
        _cleanup_(freep) char *text = walk_text(job);

        check_str(text, expected);
}

static void check_walk(const struct scratch *s, const char *expected)
{
        check_job(&(struct job){.fd = s->fd}, expected);
}

static void check_follow(const struct scratch *s, const char *expected)
{
        check_job(&(struct job){.fd = s->fd, .options.follow = true}, expected);
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

/* ---- names --------------------------------------------------------------------------------- */

static uint64_t seed = 1;

static unsigned rnd(unsigned n)
{
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        return (unsigned)(seed >> 33) % n;
}

static size_t random_name(char *ret, unsigned shape)
{
        static const char *begins[] = {"", "IMG_2023_", "a rather long beginning ", "\xff"};
        size_t n = (size_t)sprintf(ret, "%s", begins[shape % 4]);
        size_t end = n + 1 + rnd(shape > 3 ? 40 : 6);

        while (n < end)
                ret[n++] = (char)(shape == 8 ? 'a' : shape & 1 ? '0' + rnd(10) : 1 + rnd(255));
        ret[n] = '\0';
        return n;
}

static void check_sort(size_t n, unsigned shape)
{
        _cleanup_(names_finish) struct names s = {0};
        struct names_mark mark;
        char name[300];

        check_eq(names_push(&s, "zz", 2, 0), 0);
        mark = names_mark(&s);
        for (size_t i = 0; i < n; i++)
                check_eq(names_push(&s, name, random_name(name, shape), DT_REG), 0);
        names_sort(&s, mark);
        check_eq(s.n, n + 1);
        check(memcmp(names_at(&s, &s.v[0]), "zz", 2) == 0);
        for (size_t i = mark.n + 1; i < s.n; i++) {
                const struct name *a = &s.v[i - 1], *b = &s.v[i];
                size_t shorter = a->len < b->len ? a->len : b->len;
                int c = memcmp(names_at(&s, a), names_at(&s, b), shorter);

                if (c > 0 || (c == 0 && a->len > b->len))
                        check_fail("%zu of %zu names, shape %u, are not in order", i, n, shape);
        }
        names_pop(&s, mark);
        check_eq(s.n, 1);
        check_eq(s.len, 2);
}

TEST(names_of_all_shapes_are_sorted)
{
        static const size_t sizes[] = {0, 1, 2, 11, 12, 13, 14, 100, 20000};

        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
                for (unsigned shape = 0; shape <= 8; shape++)
                        check_sort(sizes[i], shape);
}

TEST(memory_of_a_wide_folder_is_given_back)
{
        _cleanup_(names_finish) struct names s = {0};

        for (unsigned i = 0; i < 300000; i++)
                check_eq(names_push(&s, "twenty bytes of name", 20, 0), 0);
        check(s.room * sizeof(*s.v) + s.size < 300000u * 60);
        names_pop(&s, (struct names_mark){0});
        check(s.room * sizeof(*s.v) + s.size < 2u * 1024 * 1024);
}

/* ---- what there is ------------------------------------------------------------------------- */

TEST(an_empty_folder_is_itself)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        check_walk(&s, "D .\n");
}

TEST(entries_come_in_tree_order)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        scratch_file(&s, "ab", "");
        scratch_file(&s, "a-", "");
        scratch_dir(&s, "a");
        scratch_dir(&s, "a/c");
        scratch_file(&s, "a/c/\xff", "");
        scratch_file(&s, "a/c/~", "");
        scratch_file(&s, "a/c!", "");
        scratch_file(&s, "a/b", "");
        scratch_dir(&s, "a!");
        scratch_file(&s, "a!/x", "");
        scratch_file(&s, "B", "");
        check_walk(&s, "D .\nF B\nD a\nF a/b\nD a/c\nF a/c/~\nF a/c/\\xff\nF a/c!\nD a!\nF a!/x\n"
                       "F a-\nF ab\n");
}

TEST(a_wide_folder_is_complete_and_in_order)
{
        _cleanup_(scratch_finish) struct scratch s;
        _cleanup_(freep) char *text = NULL;
        size_t lines = 0;

        scratch_init(&s);
        for (unsigned i = 0; i < 3000; i++) {
                char name[64];

                snprintf(name, sizeof(name), "IMG_%.*s_%u.jpg", (int)(i % 11), "0123456789",
                         i * 7 % 3000);
                scratch_file(&s, name, "");
        }
        text = walk_text(&(struct job){.fd = s.fd});
        for (const char *p = text; *p; p++)
                lines += *p == '\n';
        check_eq(lines, 3001);
}

TEST(names_are_bytes)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        scratch_file(&s, "a\nb", "");
        scratch_file(&s, "\xc3\x28", "");
        scratch_file(&s, "...", "");
        scratch_file(&s, " ", "");
        scratch_dir(&s, "..x");
        scratch_file(&s, "..x/..y", "");
        check_walk(&s, "D .\nF  \nF ...\nD ..x\nF ..x/..y\nF a\\x0ab\nF \\xc3(\n");
}

/* Compares what the walk shows of each entry with a look by its name and with lstat. */
static void check_stamps(const struct scratch *s)
{
        _cleanup_(walk_destroyp) struct walk *w = NULL;
        struct source_root root = {.fd = s->fd};
        const struct entry *e;

        check_eq(walk_create(&w, s->fd, &(struct walk_options){0}, NULL), 0);
        while (entry_iter_next(walk_iter(w), &e) == 1) {
                struct entry look = {0};
                struct stat st;

                if (e->kind == KIND_OTHER) /* is not looked at */
                        continue;
                check_eq(source_look(&root, e->key, &look), 0);
                check_eq(fstatat(s->fd, e->key, &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH), 0);
                check_eq(look.kind, e->kind);
                check_eq(look.size, e->size);
                check_eq(e->size, S_ISREG(st.st_mode) ? st.st_size : 0);
                check(entry_stamp_eq(&e->stamp, &look.stamp));
                check_eq(e->stamp.ino, st.st_ino);
                check_eq(e->stamp.dev, st.st_dev);
                check_eq(e->stamp.mtime_ns, (int64_t)((uint64_t)st.st_mtim.tv_sec * 1000000000u +
                                                      (uint64_t)st.st_mtim.tv_nsec));
        }
}

TEST(stamps_are_what_lstat_says)
{
        static const int64_t times[] = {-2177452800, -1, 0, 4294967296, 15032385535, 1700000000};
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        scratch_dir(&s, "x");
        scratch_file(&s, "x/long", "0123456789");
        for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
                char name[2] = {(char)('a' + i), '\0'};
                struct timespec t[2] = {{.tv_nsec = UTIME_OMIT}, {times[i], 123456789}};

                scratch_file(&s, name, "x");
                check_eq(utimensat(s.fd, name, t, 0), 0);
        }
        check_stamps(&s);
}

TEST(hard_links_have_one_inode)
{
        _cleanup_(scratch_finish) struct scratch s;
        _cleanup_(walk_destroyp) struct walk *w = NULL;
        const struct entry *e;
        uint64_t ino;

        scratch_init(&s);
        scratch_file(&s, "a", "x");
        check_eq(linkat(s.fd, "a", s.fd, "b", 0), 0);
        check_eq(walk_create(&w, s.fd, &(struct walk_options){0}, NULL), 0);
        check_eq(entry_iter_next(walk_iter(w), &e), 1);
        check_eq(entry_iter_next(walk_iter(w), &e), 1);
        ino = e->stamp.ino;
        check_eq(entry_iter_next(walk_iter(w), &e), 1);
        check_str(e->key, "b");
        check_eq(e->stamp.ino, ino);
        check(ino != 0);
}

TEST(special_files_are_shown_and_not_opened)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        scratch_fifo(&s, "pipe");
        scratch_socket(&s, "socket");
        scratch_link(&s, "pipe", "to pipe");
        alarm(20);
        check_walk(&s, "D .\nO pipe\nO socket\nO to pipe\n");
        if (have_openat2())
                check_follow(&s, "D .\nO pipe\nO socket\nO to pipe\n");
        reads.untyped = true;
        check_walk(&s, "D .\nO pipe\nO socket\nO to pipe\n");
        reads_reset();
        alarm(0);
}

TEST(a_file_system_without_types_costs_a_look)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        scratch_dir(&s, "d");
        scratch_file(&s, "d/f", "x");
        scratch_link(&s, "d", "l");
        reads.untyped = true;
        check_walk(&s, "D .\nD d\nF d/f\nO l\n");
        if (have_openat2())
                check_follow(&s, "D .\nD d\nF d/f\nD l\nF l/f\n");
        check_stamps(&s);
        reads_reset();
}

/* ---- symlinks ------------------------------------------------------------------------------ */

static void make_links(const struct scratch *s)
{
        char absolute[sizeof(s->path) + 8];

        snprintf(absolute, sizeof(absolute), "%s/d/f", s->path);
        scratch_dir(s, "d");
        scratch_file(s, "d/f", "x");
        scratch_dir(s, "d/sub");
        scratch_link(s, "../../d", "d/sub/up");      /* an ancestor */
        scratch_link(s, "../..", "d/sub/top");       /* the watched folder */
        scratch_link(s, "../../e", "d/sub/sideways");
        scratch_dir(s, "e");
        scratch_file(s, "e/g", "x");
        scratch_link(s, absolute, "l absolute");
        scratch_link(s, "l chain 2", "l chain");
        scratch_link(s, "e/g", "l chain 2");
        scratch_link(s, "nothing", "l dangling");
        scratch_link(s, "e/g/h", "l through a file");
        scratch_link(s, "l self", "l self");
        scratch_link(s, "..", "l out");
        scratch_link(s, "../../../../../../../../etc/passwd", "l out file");
        scratch_link(s, "/proc/self/cwd", "l magic");
}

TEST(links_are_left_alone)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        make_links(&s);
        check_walk(&s, "D .\nD d\nF d/f\nD d/sub\nO d/sub/sideways\nO d/sub/top\nO d/sub/up\n"
                       "D e\nF e/g\nO l absolute\nO l chain\nO l chain 2\nO l dangling\nO l magic\n"
                       "O l out\nO l out file\nO l self\nO l through a file\n");
}

TEST(links_are_followed_inside_the_tree_and_never_in_a_circle)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        if (!have_openat2())
                return;
        make_links(&s);
        check_follow(&s, "D .\nD d\nF d/f\nD d/sub\nD d/sub/sideways\nF d/sub/sideways/g\n"
                         "O d/sub/top\nO d/sub/up\n"
                         "D e\nF e/g\nO l absolute\nF l chain\nF l chain 2\nO l dangling\n"
                         "O l magic\nO l out\nO l out file\nO l self\nO l through a file\n");
}

TEST(folders_that_link_to_each_other_end)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        if (!have_openat2())
                return;
        scratch_dir(&s, "a");
        scratch_dir(&s, "b");
        scratch_link(&s, "../b", "a/to b");
        scratch_link(&s, "../a", "b/to a");
        scratch_file(&s, "a/~", "");
        check_job(&(struct job){.fd = s.fd, .options = {.follow = true, .max_open = 2}},
                  "D .\nD a\nD a/to b\nO a/to b/to a\nF a/~\nD b\nD b/to a\nO b/to a/to b\n"
                  "F b/to a/~\n");
}

/* A link leads to a folder that holds the one we came from. */
TEST(a_circle_through_a_real_folder_is_an_error)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        if (!have_openat2())
                return;
        scratch_dir(&s, "x");
        scratch_dir(&s, "x/a");
        scratch_link(&s, "..", "x/a/up");
        scratch_link(&s, "x/a", "l");
        check_follow(&s, "D .\nD l\nD l/up\nD l/up/a !ELOOP\nD x\nD x/a\nO x/a/up\n");
}

static void follow_without_openat2(const void *arg)
{
        const struct scratch *s = arg;

        if (scratch_forbid(SYS_openat2, ENOSYS))
                check_follow(s, "D .\nD d\nF d/f\nN l !ENOSYS\n");
        if (scratch_forbid(SYS_openat2, EPERM))
                check_follow(s, "D .\nD d\nF d/f\nN l !ENOSYS\n");
        check_walk(s, "D .\nD d\nF d/f\nO l\n");
}

TEST(links_that_cannot_be_judged_are_errors)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        scratch_dir(&s, "d");
        scratch_file(&s, "d/f", "");
        scratch_link(&s, "d", "l");
        scratch_child(follow_without_openat2, &s);
}

/* ---- what cannot be read ------------------------------------------------------------------- */

static void walk_locked(const void *arg)
{
        const struct scratch *s = arg;

        scratch_be_nobody();
        check_walk(s, "D .\nD a !EACCES\nD b\nN b/f !EACCES\nD c !EACCES\nF d\n");
}

TEST(folders_without_permission_carry_it)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        scratch_dir(&s, "a");
        scratch_file(&s, "a/f", "");
        scratch_dir(&s, "b");
        scratch_file(&s, "b/f", "");
        scratch_dir(&s, "c");
        scratch_file(&s, "d", "");
        scratch_mode(&s, "a", 0);
        scratch_mode(&s, "b", 0444);
        scratch_mode(&s, "c", 0111);
        scratch_child(walk_locked, &s);
}

static void walk_nothing(const void *arg)
{
        const struct scratch *s = arg;

        scratch_be_nobody();
        check_walk(s, "D . !EACCES\n");
}

TEST(the_watched_folder_without_permission_carries_it)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        check_eq(fchmod(s.fd, 0111), 0);
        scratch_child(walk_nothing, &s);
        check_eq(fchmod(s.fd, 0755), 0);
}

TEST(a_folder_that_fails_half_way_carries_it)
{
        _cleanup_(scratch_finish) struct scratch s;
        _cleanup_(freep) char *text = NULL;
        size_t lines = 0;

        scratch_init(&s);
        scratch_dir(&s, "d");
        for (unsigned i = 0; i < 100; i++) {
                char name[16];

                snprintf(name, sizeof(name), "d/%03u", i);
                scratch_file(&s, name, "");
        }
        scratch_file(&s, "e", "");
        reads_break(4, EIO, NULL); /* after two for the watched folder and one for the other */
        reads.chunk = 512;
        text = walk_text(&(struct job){.fd = s.fd});
        reads_reset();
        check(str_starts(text, "D .\nD d !EIO\nF d/"));
        for (const char *p = text; *p; p++)
                lines += *p == '\n';
        check(lines > 4 && lines < 50);
        check(str_eq(text + strlen(text) - 4, "F e\n"));
}

TEST(an_interrupted_read_goes_on)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        scratch_file(&s, "a", "");
        reads_break(1, EINTR, NULL);
        check_walk(&s, "D .\nF a\n");
        reads_reset();
}

TEST(a_name_that_is_given_twice_is_shown_once)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        scratch_dir(&s, "a");
        scratch_file(&s, "a/b", "");
        scratch_file(&s, "c", "");
        reads.twice = true;
        check_walk(&s, "D .\nD a\nF a/b\nF c\n");
        reads_reset();
}

static void walk_few_descriptors(const void *arg)
{
        const struct scratch *s = arg;
        struct rlimit limit;

        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = (rlim_t)dup(s->fd) + 3; /* three free: ".", "a", "a/b" */
        check_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        close((int)limit.rlim_cur - 3);
        limit.rlim_cur--;
        check_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        check_walk(s, "D .\nD a\nD a/b !EMFILE\nF a/~\nF b\n");
}

TEST(too_few_descriptors_are_an_error_like_any_other)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        scratch_dir(&s, "a");
        scratch_dir(&s, "a/b");
        scratch_file(&s, "a/b/c", "");
        scratch_file(&s, "a/~", "");
        scratch_file(&s, "b", "");
        scratch_child(walk_few_descriptors, &s);
}

/* ---- what changes meanwhile ---------------------------------------------------------------- */

static struct scratch *changing;

static void after_listing(void)
{
        scratch_remove(changing, "a gone");
        scratch_remove(changing, "b gone");
        scratch_remove(changing, "c to folder");
        scratch_dir(changing, "c to folder");
        scratch_file(changing, "c to folder/x", "");
        scratch_remove(changing, "d to file");
        scratch_file(changing, "d to file", "");
        scratch_remove(changing, "e to link");
        scratch_link(changing, "/", "e to link");
        scratch_remove(changing, "f to pipe");
        scratch_fifo(changing, "f to pipe");
}

TEST(what_changes_after_its_folder_was_read_is_shown_as_it_is)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        scratch_file(&s, "a gone", "");
        scratch_dir(&s, "b gone");
        scratch_file(&s, "c to folder", "");
        scratch_dir(&s, "d to file");
        scratch_dir(&s, "e to link");
        scratch_file(&s, "f to pipe", "");
        changing = &s;
        reads_break(2, 0, after_listing);
        check_walk(&s, "D .\nD c to folder\nF c to folder/x\nF d to file\nO e to link\n"
                       "O f to pipe\n");
        reads_reset();
}

static void remove_all(const struct scratch *s)
{
        scratch_remove(s, "a/b/c");
        scratch_remove(s, "a/b");
        scratch_remove(s, "a/d");
        scratch_remove(s, "a");
}

TEST(a_folder_that_is_removed_while_it_is_walked_just_ends)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        scratch_dir(&s, "a");
        scratch_dir(&s, "a/b");
        scratch_file(&s, "a/b/c", "");
        scratch_file(&s, "a/d", "");
        scratch_file(&s, "e", "");
        check_job(&(struct job){.fd = s.fd, .at = "a/b", .act = remove_all, .scratch = &s},
                  "D .\nD a\nD a/b\nF e\n");
}

static void remove_d(void)
{
        scratch_remove(changing, "d/f");
        scratch_remove(changing, "d");
}

static void replace_d(void)
{
        remove_d();
        scratch_dir(changing, "d");
        scratch_file(changing, "d/g", "");
}

TEST(a_folder_that_is_removed_while_it_is_read_is_left_out)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        scratch_dir(&s, "d");
        scratch_file(&s, "d/f", "");
        scratch_file(&s, "e", "");
        changing = &s;
        reads_break(3, 0, remove_d); /* the first read of it: the next one says ENOENT */
        check_walk(&s, "D .\nF e\n");
        scratch_dir(&s, "d");
        scratch_file(&s, "d/f", "");
        reads_break(3, 0, replace_d);
        check_walk(&s, "D .\nD d\nF d/g\nF e\n");
        reads_break(3, ENOENT, NULL); /* for no reason */
        check_walk(&s, "D .\nD d\nF d/g\nF e\n");
        reads_reset();
}

static void make_ladder(const struct scratch *s)
{
        scratch_dir(s, "a");
        scratch_dir(s, "a/b");
        scratch_dir(s, "a/b/c");
        scratch_dir(s, "a/b/c/d");
        scratch_file(s, "a/b/c/d/~", "");
        scratch_file(s, "a/b/c/~", "");
        scratch_file(s, "a/b/~", "");
        scratch_file(s, "a/~", "");
        scratch_file(s, "~", "");
}

static void move_c(const struct scratch *s)
{
        scratch_rename(s, "a/b/c", "0");
}

static void move_b_and_c(const struct scratch *s)
{
        scratch_rename(s, "a/b/c", "0");
        scratch_rename(s, "a/b", "1");
}

static void move_a(const struct scratch *s)
{
        scratch_rename(s, "a", "0");
}

static void check_ladder(void (*act)(const struct scratch *s), const char *expected)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        make_ladder(&s);
        check_job(&(struct job){.fd = s.fd, .options.max_open = 2, .at = "a/b/c/d/~", .act = act,
                                .scratch = &s}, expected);
}

TEST(a_folder_above_is_found_again_by_its_name)
{
        check_ladder(move_c, "D .\nD a\nD a/b\nD a/b/c\nD a/b/c/d\nF a/b/c/d/~\nF a/b/c/~\n"
                             "F a/b/~\nF a/~\nF ~\n");
}

TEST(a_folder_above_is_found_again_by_the_way_up)
{
        check_ladder(move_a, "D .\nD a\nD a/b\nD a/b/c\nD a/b/c/d\nF a/b/c/d/~\nF a/b/c/~\n"
                             "F a/b/~\nF a/~\nF ~\n");
}

TEST(a_folder_above_that_was_lost_says_so)
{
        check_ladder(move_b_and_c,
                     "D .\nD a\nD a/b\nD a/b/c\nD a/b/c/d\nF a/b/c/d/~\nF a/b/c/~\n"
                     "D a/b !ESTALE\nF a/~\nF ~\n");
}

static atomic_bool churn_over;

static void *churn(void *arg)
{
        const struct scratch *s = arg;

        for (unsigned i = 0; !churn_over; i++) {
                char name[32], other[32];

                snprintf(name, sizeof(name), "d%u", i % 7);
                snprintf(other, sizeof(other), "d%u/x%u", i * 5 % 7, i % 3);
                if (mkdirat(s->fd, name, 0755) < 0)
                        unlinkat(s->fd, name, AT_REMOVEDIR);
                close(openat(s->fd, other, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
                renameat(s->fd, other, s->fd, i & 1 ? "d3" : "d4/y");
                renameat(s->fd, "d4", s->fd, i & 2 ? "d5/z" : "d6");
                if (i % 3 == 0)
                        unlinkat(s->fd, other, 0);
                if (i % 5 == 0)
                        unlinkat(s->fd, "d3", 0);
        }
        return NULL;
}

TEST(a_tree_in_motion_stays_in_order_and_without_errors)
{
        _cleanup_(scratch_finish) struct scratch s;
        pthread_t thread;

        scratch_init(&s);
        churn_over = false;
        check_eq(pthread_create(&thread, NULL, churn, &s), 0);
        for (int i = 0; i < 500; i++) {
                struct job job = {.fd = s.fd, .options.max_open = 2 + (unsigned)i % 2};
                _cleanup_(freep) char *text = walk_text(&job);
                const char *error = strchr(text, '!');

                /* Folders that were moved away; a name that is something else at each look. */
                if (error && !str_starts(error, "!ESTALE") && !str_starts(error, "!EAGAIN"))
                        check_fail("%s", text);
        }
        churn_over = true;
        pthread_join(thread, NULL);
}

TEST(a_stop_ends_it)
{
        _cleanup_(scratch_finish) struct scratch s;
        _cleanup_(walk_destroyp) struct walk *w = NULL;
        atomic_bool stop = false;
        const struct entry *e;

        scratch_init(&s);
        scratch_file(&s, "a", "");
        check_eq(walk_create(&w, s.fd, &(struct walk_options){.stop = &stop}, NULL), 0);
        check_eq(entry_iter_next(walk_iter(w), &e), 1);
        stop = true;
        check_eq(entry_iter_next(walk_iter(w), &e), -ECANCELED);
        stop = false;
        check_eq(entry_iter_next(walk_iter(w), &e), -ECANCELED);
}

/* ---- depth --------------------------------------------------------------------------------- */

/* Every level has its folder and, behind that, "~"; the innermost has nothing. */
static void check_deep(const struct scratch *s, unsigned levels, unsigned max_open)
{
        _cleanup_(walk_destroyp) struct walk *w = NULL;
        struct walk_options options = {.max_open = max_open};
        size_t folders = 0, files = 0, most = 0, before = scratch_count_fds();
        const struct entry *e;
        int r;

        check_eq(walk_create(&w, s->fd, &options, NULL), 0);
        while ((r = entry_iter_next(walk_iter(w), &e)) == 1) {
                size_t now = levels < 100 || (folders + files) % 64 == 0 ? scratch_count_fds() : 0;

                check_eq(e->err, 0);
                folders += e->kind == KIND_DIR;
                files += e->kind == KIND_FILE;
                most = now > most ? now : most;
        }
        check_eq(r, 0);
        check_eq(folders, levels + 1);
        check_eq(files, levels);
        check(most <= before + (max_open ? max_open : 64));
        check_eq(scratch_count_fds(), before);
}

TEST(five_thousand_levels)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        free(scratch_deep(&s, 5000, 1));
        check_deep(&s, 5000, 4);
        check_deep(&s, 5000, 2);
        check_deep(&s, 5000, 0);
}

TEST(beyond_path_max)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        free(scratch_deep(&s, 31, 200));
        check_deep(&s, 31, 0);
        check_deep(&s, 31, 2);
}

/* Two folders with two folders each, and so on. */
static void make_bush(const struct scratch *s, const char *path, unsigned height)
{
        for (char c = 'a'; height > 0 && c <= 'b'; c++) {
                char below[64];

                snprintf(below, sizeof(below), "%s%c", path, c);
                scratch_dir(s, below);
                strcat(below, "/");
                make_bush(s, below, height - 1);
        }
}

TEST(folders_that_are_closed_and_opened_again_leave_no_descriptors)
{
        _cleanup_(scratch_finish) struct scratch s;
        size_t before;

        scratch_init(&s);
        make_bush(&s, "", 6);
        before = scratch_count_fds();
        for (unsigned max_open = 2; max_open < 8; max_open++) {
                _cleanup_(walk_destroyp) struct walk *w = NULL;
                struct walk_options options = {.max_open = max_open};
                const struct entry *e;
                size_t n = 0;

                check_eq(walk_create(&w, s.fd, &options, NULL), 0);
                for (; entry_iter_next(walk_iter(w), &e) == 1; n++)
                        check(e->err == 0 && scratch_count_fds() <= before + max_open);
                check_eq(n, 127);
                check_eq(scratch_count_fds(), before);
        }
}

TEST(a_walk_that_is_given_up_leaves_no_descriptors)
{
        _cleanup_(scratch_finish) struct scratch s;
        _cleanup_(match_destroyp) struct match *m = NULL;
        struct walk_options options = {.max_open = 3};
        const struct entry *e;
        struct walk *w = NULL;
        size_t before;

        scratch_init(&s);
        make_bush(&s, "", 6);
        scratch_file(&s, "a/.ydignore", "*");
        before = scratch_count_fds();
        check_eq(match_create(&m, "", NULL), 0);
        options.match = m;
        check_eq(walk_create(&w, s.fd, &options, NULL), 0);
        for (unsigned i = 0; i < 3; i++)
                check_eq(entry_iter_next(walk_iter(w), &e), 1);
        check(e->flags & ENTRY_EXCLUDED);
        check(match_excludes(m, "a/x", false));
        walk_destroy(w);
        check(!match_excludes(m, "a/x", false));
        check_eq(scratch_count_fds(), before);
}

struct deep {
        const struct scratch *s;
        char *key;
};

static void move_deepest(const struct scratch *s)
{
        (void)s;
        if (renameat(changing->fd, "to move", changing->fd, "moved") < 0)
                check_fail("%s", strerror(errno));
}

/* The way up is closed by a move, and the way down again is longer than PATH_MAX. */
static void find_deep_again(const void *arg)
{
        const struct deep *deep = arg;
        _cleanup_(freep) char *text = NULL, *at = NULL, *lost = NULL, *way = strdup(deep->key);
        struct scratch inner = *deep->s;
        struct job job = {.fd = deep->s->fd, .options.max_open = 2, .act = move_deepest,
                          .scratch = deep->s};

        inner.fd = openat(deep->s->fd, ".", O_PATH | O_CLOEXEC);
        for (char *name = strtok(way, "/"); name; name = strtok(NULL, "/")) {
                int next = openat(inner.fd, name, O_PATH | O_CLOEXEC);

                close(inner.fd);
                inner.fd = next;
        }
        changing = &inner;
        check(asprintf(&at, "%s/to move/x/y", deep->key) > 0);
        check(asprintf(&lost, "F %s/~\n", deep->key) > 0);
        scratch_dir(&inner, "to move");
        scratch_dir(&inner, "to move/x");
        scratch_dir(&inner, "to move/x/y");
        scratch_file(&inner, "~", "");
        job.at = at;
        text = walk_text(&job);
        check(strstr(text, lost));
        check(!strchr(text, '!'));
        unlinkat(inner.fd, "moved/x/y", AT_REMOVEDIR);
        unlinkat(inner.fd, "moved/x", AT_REMOVEDIR);
        unlinkat(inner.fd, "moved", AT_REMOVEDIR);
        unlinkat(inner.fd, "~", 0);
        close(inner.fd);
}

static void find_deep_again_old_kernel(const void *arg)
{
        if (scratch_forbid(SYS_openat2, ENOSYS))
                find_deep_again(arg);
}

TEST(a_deep_folder_is_found_again_by_its_name)
{
        _cleanup_(scratch_finish) struct scratch s;
        _cleanup_(freep) char *key = NULL;
        struct deep deep = {.s = &s};

        scratch_init(&s);
        key = deep.key = scratch_deep(&s, 31, 200);
        scratch_child(find_deep_again, &deep);
        scratch_child(find_deep_again_old_kernel, &deep);
}

/* ---- patterns ------------------------------------------------------------------------------ */

static void check_match(const struct scratch *s, const char *patterns, const char *expected)
{
        _cleanup_(match_destroyp) struct match *m = NULL;
        struct job job = {.fd = s->fd};

        check_eq(match_create(&m, patterns, NULL), 0);
        job.options.match = m;
        check_job(&job, expected);
        check_job(&job, expected); /* all levels were left */
        if (have_openat2()) {
                job.options.follow = true;
                check_job(&job, expected);
        }
}

TEST(excluded_entries_are_shown_and_not_entered)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        scratch_dir(&s, "cache");
        scratch_file(&s, "cache/x", "");
        scratch_dir(&s, "d");
        scratch_file(&s, "d/a.o", "");
        scratch_file(&s, "d/cache", "");
        scratch_fifo(&s, "d/p.o");
        check_match(&s, "*.o,cache/", "D .\nD cache -\nD d\nF d/a.o -\nF d/cache\nO d/p.o -\n");
}

TEST(ydignore_holds_below_its_folder)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        scratch_dir(&s, "a");
        scratch_file(&s, "a/.ydignore", "*.tmp\n!keep.o\n/b/x\n");
        scratch_dir(&s, "a/b");
        scratch_file(&s, "a/b/.ydignore", "!y.tmp");
        scratch_file(&s, "a/b/x", "");
        scratch_file(&s, "a/b/y.tmp", "");
        scratch_file(&s, "a/b/z.tmp", "");
        scratch_file(&s, "a/keep.o", "");
        scratch_file(&s, "a/other.o", "");
        scratch_file(&s, "b.tmp", "");
        check_match(&s, "*.o", "D .\nD a\nF a/.ydignore\nD a/b\nF a/b/.ydignore\nF a/b/x -\n"
                               "F a/b/y.tmp\nF a/b/z.tmp -\nF a/keep.o\nF a/other.o -\nF b.tmp\n");
}

TEST(ydignore_holds_no_longer_than_the_walk)
{
        _cleanup_(scratch_finish) struct scratch s;
        _cleanup_(match_destroyp) struct match *m = NULL;
        struct job job = {0};

        scratch_init(&s);
        scratch_file(&s, ".ydignore", "x");
        scratch_file(&s, "x", "");
        check_eq(match_create(&m, "", NULL), 0);
        job.fd = s.fd;
        job.options.match = m;
        check_job(&job, "D .\nF .ydignore\nF x -\n");
        scratch_remove(&s, ".ydignore");
        check_job(&job, "D .\nF x\n");
}

TEST(ydignore_that_is_no_regular_file_is_nothing)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        scratch_file(&s, "patterns", "x\n");
        scratch_dir(&s, "a");
        scratch_dir(&s, "a/.ydignore");
        scratch_file(&s, "a/x", "");
        scratch_dir(&s, "b");
        scratch_fifo(&s, "b/.ydignore");
        scratch_file(&s, "b/x", "");
        alarm(20);
        check_match(&s, "", "D .\nD a\nD a/.ydignore\nF a/x\nD b\nO b/.ydignore\nF b/x\n"
                            "F patterns\n");
        reads.untyped = true;
        check_match(&s, "", "D .\nD a\nD a/.ydignore\nF a/x\nD b\nO b/.ydignore\nF b/x\n"
                            "F patterns\n");
        reads_reset();
        alarm(0);
        scratch_dir(&s, "c");
        scratch_link(&s, "../patterns", "c/.ydignore");
        scratch_file(&s, "c/x", "");
        check_walk(&s, "D .\nD a\nD a/.ydignore\nF a/x\nD b\nO b/.ydignore\nF b/x\n"
                       "D c\nO c/.ydignore\nF c/x\nF patterns\n");
}

static void walk_locked_ydignore(const void *arg)
{
        const struct scratch *s = arg;
        _cleanup_(match_destroyp) struct match *m = NULL;
        struct job job = {.fd = s->fd};

        scratch_be_nobody();
        check_eq(match_create(&m, "", NULL), 0);
        job.options.match = m;
        check_job(&job, "D .\nD a !EACCES\nN a/.ydignore !EACCES\nD b !EFBIG\n"
                        "N b/.ydignore !EFBIG\nF c\n");
}

/* Nobody knows then what must not be sent. */
TEST(a_folder_whose_ydignore_cannot_be_read_shows_nothing_else)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        scratch_dir(&s, "a");
        scratch_file(&s, "a/.ydignore", "x\n");
        scratch_mode(&s, "a/.ydignore", 0);
        scratch_file(&s, "a/x", "");
        scratch_dir(&s, "b");
        scratch_file(&s, "b/.ydignore", "");
        for (unsigned i = 0; i < 4097; i++)
                scratch_append(&s, "b/.ydignore", "sixteen bytes.\n\n");
        scratch_file(&s, "b/x", "");
        scratch_file(&s, "c", "");
        scratch_child(walk_locked_ydignore, &s);
}

TEST(a_ydignore_in_the_part_that_was_not_read_holds)
{
        _cleanup_(scratch_finish) struct scratch s;
        _cleanup_(match_destroyp) struct match *m = NULL;
        _cleanup_(freep) char *text = NULL;
        struct job job = {0};

        scratch_init(&s);
        for (char c = 'a'; c <= 'z'; c++)
                scratch_file(&s, (char[2]){c, '\0'}, "");
        scratch_file(&s, ".ydignore", "*");
        check_eq(match_create(&m, "", NULL), 0);
        job.fd = s.fd;
        job.options.match = m;
        for (unsigned at = 1; at < 8; at++) {
                free(text);
                reads_break(at, EIO, NULL);
                reads.chunk = 128;
                text = walk_text(&job);
                check(str_starts(text, "D . !EIO\n"));
                for (const char *p = strchr(text, '\n') + 1; *p; p = strchr(p, '\n') + 1)
                        check(str_starts(strchr(p, '\n') - 2, " -\n"));
        }
        reads_reset();
}

TEST(a_ydignore_of_just_the_allowed_length_is_taken)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        for (unsigned i = 0; i < 4096; i++)
                scratch_append(&s, ".ydignore", "*.tmp\n\n\n\n\n\n\n\n\n\n\n");
        scratch_file(&s, "x.tmp", "");
        check_match(&s, "", "D .\nF .ydignore\nF x.tmp -\n");
}

TEST(a_link_to_a_folder_is_judged_as_a_folder_when_followed)
{
        _cleanup_(scratch_finish) struct scratch s;
        _cleanup_(match_destroyp) struct match *m = NULL;
        struct job job = {.options.follow = true};

        scratch_init(&s);
        if (!have_openat2())
                return;
        scratch_dir(&s, "d");
        scratch_file(&s, "d/f", "");
        scratch_link(&s, "d", "l");
        scratch_link(&s, "d/f", "m");
        check_eq(match_create(&m, "l/,m/", NULL), 0);
        job.fd = s.fd;
        job.options.match = m;
        check_job(&job, "D .\nD d\nF d/f\nD l -\nF m\n");
        job.options.follow = false;
        check_job(&job, "D .\nD d\nF d/f\nO l\nO m\n");
}

/* ---- mounts -------------------------------------------------------------------------------- */

static bool own_mounts(void)
{
        return geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
               mount("", "/", "", MS_REC | MS_PRIVATE, "") == 0;
}

static void walk_mounts(const void *arg)
{
        struct scratch own = *(const struct scratch *)arg, *s = &own;
        _cleanup_(walk_destroyp) struct walk *w = NULL;
        char path[sizeof(s->path) + 8];
        const struct entry *e;
        uint64_t dev = 0;

        if (!own_mounts()) {
                puts("# no mounts of our own here: bind mounts are not tested");
                return;
        }
        own.fd = open(own.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* the other is not ours */
        snprintf(path, sizeof(path), "%s/b", s->path);
        check_eq(mount(s->path, path, "", MS_BIND, ""), 0);
        check_walk(s, "D .\nF a\nD b !ELOOP\nD c\nF c/d\n");
        check_eq(umount2(path, MNT_DETACH), 0);
        check_eq(mount("none", path, "tmpfs", 0, ""), 0);
        check_eq(mkdirat(s->fd, "b/x", 0755), 0);
        check_eq(walk_create(&w, s->fd, &(struct walk_options){.max_open = 2}, NULL), 0);
        while (entry_iter_next(walk_iter(w), &e) == 1) {
                dev = dev ? dev : e->stamp.dev;
                check_eq(e->stamp.dev == dev, *e->key != 'b');
                check_eq(e->err, 0);
        }
        check_eq(umount2(path, MNT_DETACH), 0);
        close(own.fd);
}

TEST(mounts_are_entered_and_circles_are_not)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        scratch_file(&s, "a", "");
        scratch_dir(&s, "b");
        scratch_dir(&s, "c");
        scratch_file(&s, "c/d", "");
        scratch_child(walk_mounts, &s);
}

/* ---- some folders only ----------------------------------------------------------------------- */

/* The keys, in one line; those wanted whole end with a '+'. */
static void check_stir(const struct scratch *s, const char *keys, const char *expected)
{
        struct job job = {.fd = s->fd};
        _cleanup_(freep) char *copy = strdup(keys);
        struct stir stir = {0};
        char *rest = copy, *key;

        while ((key = strsep(&rest, " "))) {
                size_t n = strlen(key);
                bool whole = n > 0 && key[n - 1] == '+';

                key[n - whole] = '\0';
                stir_add(&stir, str_eq(key, ".") ? "" : key, whole);
        }
        job.options.stir = &stir;
        check_job(&job, expected);
        stir_finish(&stir);
}

static void make_two_deep(struct scratch *s)
{
        scratch_dir(s, "a");
        scratch_file(s, "a/1", "");
        scratch_dir(s, "a/b");
        scratch_file(s, "a/b/2", "");
        scratch_dir(s, "a/b/c");
        scratch_file(s, "a/b/c/3", "");
        scratch_dir(s, "d");
        scratch_file(s, "d/4", "");
        scratch_file(s, "e", "");
}

TEST(only_what_was_stirred_is_read)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        make_two_deep(&s);
        check_stir(&s, ".", "D .\nD a ~\nD d ~\nF e\n");
        check_stir(&s, "a", "D . ~\nD a\nF a/1\nD a/b ~\n");
        check_stir(&s, "a/b", "D . ~\nD a ~\nD a/b\nF a/b/2\nD a/b/c ~\n");
        check_stir(&s, "a+", "D . ~\nD a\nF a/1\nD a/b\nF a/b/2\nD a/b/c\nF a/b/c/3\n");
        check_stir(&s, "a/b/c d", "D . ~\nD a ~\nD a/b ~\nD a/b/c\nF a/b/c/3\nD d\nF d/4\n");
        check_stir(&s, ". a/b/c", "D .\nD a ~\nD a/b ~\nD a/b/c\nF a/b/c/3\nD d ~\nF e\n");
        check_stir(&s, ".+", "D .\nD a\nF a/1\nD a/b\nF a/b/2\nD a/b/c\nF a/b/c/3\nD d\nF d/4\nF e\n");
}

/* What is told may be old. */
TEST(what_was_stirred_and_is_not_there_any_more)
{
        _cleanup_(scratch_finish) struct scratch s;

        scratch_init(&s);
        make_two_deep(&s);
        check_stir(&s, "x/y/z", "D . ~\n");
        check_stir(&s, "a/x", "D . ~\nD a ~\n");
        check_stir(&s, "e", "D . ~\nF e\n");
        check_stir(&s, "e/f", "D . ~\nF e\n");
}

static void note_entered(void *userdata, const char *key, int dir_fd)
{
        struct str *text = userdata;
        struct stat st;

        check_eq(fstat(dir_fd, &st), 0);
        str_addf(text, "<%s>", key);
}

TEST(who_wants_to_know_is_told_of_each_folder_that_is_read)
{
        _cleanup_(scratch_finish) struct scratch s;
        _cleanup_(str_finish) struct str text = STR_NULL(4096);
        struct stir stir = {0};
        struct job job = {.options = {.enter = note_entered, .userdata = &text}};

        scratch_init(&s);
        make_two_deep(&s);
        job.fd = s.fd;
        free(walk_text(&job));
        check_str(str_z(&text), "<><a><a/b><a/b/c><d>");
        str_clear(&text);
        stir_add(&stir, "a/b", false);
        job.options.stir = &stir;
        free(walk_text(&job));
        check_str(str_z(&text), "<a/b>");
        stir_finish(&stir);
}

/* Patterns hold all the same, also those of folders that are only passed through. */
TEST(patterns_hold_where_not_all_is_read)
{
        _cleanup_(scratch_finish) struct scratch s;
        _cleanup_(match_destroyp) struct match *match = NULL;
        struct stir stir = {0};
        struct job job = {0};

        scratch_init(&s);
        make_two_deep(&s);
        scratch_file(&s, "a/.ydignore", "2\n");
        check_eq(match_create(&match, "d/", NULL), 0);
        stir_add(&stir, "a/b", false);
        stir_add(&stir, "d", true);
        job = (struct job){.fd = s.fd, .options = {.stir = &stir, .match = match}};
        check_job(&job, "D . ~\nD a ~\nD a/b\nF a/b/2 -\nD a/b/c ~\nD d -\n");
        stir_finish(&stir);
}
