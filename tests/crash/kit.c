/* SPDX-License-Identifier: MIT */

#include "kit.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WIRE "ydsync-upload-"
#define CLOUD "disk:/Backup/Docs"
#define ITEMS_MAX 4096
#define HASTE "8" /* its clocks are so much faster than ours */
#define PASSES 12 /* until everything that was in doubt is settled */

static CURL *curl;

void kit_fail(struct kit *k, const char *fmt, ...)
{
        char line[1024];
        va_list ap;
        FILE *f;

        printf("not ok %s ", k->name);
        va_start(ap, fmt);
        vprintf(fmt, ap);
        va_end(ap);
        printf(" (--seed %llu)\n", (unsigned long long)k->seed);
        f = k->log ? fopen(k->log, "r") : NULL;
        while (f && fgets(line, sizeof(line), f))
                printf("#   log: %s", line);
        if (f)
                fclose(f);
        fflush(stdout);
        exit(1);
}

char *kit_text(const char *fmt, ...)
{
        char *s;
        va_list ap;
        int r;

        va_start(ap, fmt);
        r = vasprintf(&s, fmt, ap);
        va_end(ap);
        if (r < 0)
                abort();
        return s;
}

void kit_nap(unsigned ms)
{
        struct timespec nap = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

        nanosleep(&nap, NULL);
}

uint64_t kit_random(struct kit *k)
{
        uint64_t z = (k->random += 0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
}

unsigned kit_below(struct kit *k, unsigned n)
{
        return (unsigned)(kit_random(k) % n);
}

/* ---- the emulator ------------------------------------------------------------------------------ */

struct answer {
        char *s;
        size_t len;
};

static size_t answer_add(char *data, size_t size, size_t n, void *userdata)
{
        struct answer *a = userdata;
        char *s = realloc(a->s, a->len + size * n + 1);

        if (!s)
                return 0;
        memcpy(s + a->len, data, size * n);
        a->s = s;
        a->len += size * n;
        s[a->len] = '\0';
        return size * n;
}

char *kit_fake(struct kit *k, const char *what, const char *body)
{
        char *url = kit_text("%s/_fake/%s", k->api, what);
        struct answer a = {0};
        long status = 0;
        CURLcode r;

        curl_easy_reset(curl);
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, answer_add);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, &a);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
        if (body)
                curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        r = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        if (r != CURLE_OK || (status != 200 && status != 404))
                kit_fail(k, "the emulator refuses %s: %s, %ld %s", what, curl_easy_strerror(r),
                         status, a.s ? a.s : "");
        free(url);
        if (status == 404) {
                free(a.s);
                a.s = NULL;
        }
        return a.s ? a.s : kit_text("%s", "");
}

long kit_count(struct kit *k, const char *name)
{
        char *counts = kit_fake(k, "count", NULL), *member = kit_text("\"%s\":", name);
        char *at = strstr(counts, member);
        long n = at ? atol(at + strlen(member)) : -1;

        free(member);
        free(counts);
        return n;
}

static void start_emulator(struct kit *k)
{
        char *program = kit_text("%s/tests/fakedisk/fakedisk", k->build);
        char *ready = kit_text("%s/ready", k->base), *data = kit_text("%s/data", k->base);
        char api[128] = "";
        FILE *f;

        k->emulator = fork();
        if (k->emulator == 0) {
                if (!freopen("/dev/null", "w", stdout))
                        _exit(126);
                execl(program, program, "--die-with-parent", "--ready-file", ready, "--data", data,
                      NULL);
                _exit(127);
        }
        for (int i = 0; i < 1000 && !*api; i++) {
                kit_nap(10);
                f = fopen(ready, "r");
                if (f && fscanf(f, "READY api=%127s", api) != 1)
                        *api = '\0';
                if (f)
                        fclose(f);
        }
        if (!*api)
                kit_fail(k, "the emulator does not start");
        k->api = kit_text("%s", api);
        free(program);
        free(ready);
        free(data);
}

/* ---- life -------------------------------------------------------------------------------------- */

void kit_begin(struct kit *k, const char *base, const char *state)
{
        FILE *f;

        k->random = k->seed;
        k->base = kit_text("%s", base);
        k->src = kit_text("%s/src", base);
        k->env = kit_text("%s/env", base);
        k->log = kit_text("%s/log", base);
        curl = curl_easy_init();
        if ((mkdir(base, 0755) < 0 && errno != EEXIST) || mkdir(k->src, 0755) < 0 || !curl)
                kit_fail(k, "cannot make %s: %s", k->src, strerror(errno));
        start_emulator(k);
        f = fopen(k->env, "w");
        if (!f)
                kit_fail(k, "cannot write %s", k->env);
        fprintf(f,
                "YANDEX_TOKEN=fake-token\nPATH_TO_FOLDER_ON_PC=%s\nNAME_FOLDER_CLOUD=Backup/Docs\n"
                "SYNCHRONIZATION_PERIOD=1\nYDSYNC_STATE_DIR=%s\nYDSYNC_API_URL=%s\n"
                "YDSYNC_SETTLE=0\nYDSYNC_API_RATE=0\nYDSYNC_MAX_DELETE=100000/100%%\n",
                k->src, state, k->api);
        fclose(f);
        chmod(k->env, 0600);
        setenv("YDSYNC_HASTE", HASTE, 1);
        setenv("no_proxy", "*", 1);
}

static void remove_tree(const char *path)
{
        char *roots[] = {(char *)path, NULL};
        FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOSTAT, NULL);
        FTSENT *e;

        while (fts && (e = fts_read(fts)))
                if (e->fts_info == FTS_DP)
                        rmdir(e->fts_accpath);
                else if (e->fts_info != FTS_D)
                        unlink(e->fts_accpath);
        if (fts)
                fts_close(fts);
}

static void end(pid_t pid)
{
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
}

void kit_end(struct kit *k)
{
        if (k->emulator > 0)
                end(k->emulator);
        if (k->base)
                remove_tree(k->base);
        free(k->base);
        free(k->src);
        free(k->env);
        free(k->log);
        free(k->api);
        curl_easy_cleanup(curl);
}

/* ---- the program ------------------------------------------------------------------------------- */

pid_t kit_start(struct kit *k, const char *command)
{
        char *program = kit_text("%s/daemon/ydsync", k->build);
        pid_t pid = fork();
        int fd;

        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                fd = open(k->log, O_WRONLY | O_CREAT | O_TRUNC, 0644);
                if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
                        _exit(126);
                execl(program, program, "--env", k->env, command, NULL);
                _exit(127);
        }
        free(program);
        if (pid < 0)
                kit_fail(k, "cannot start the program");
        return pid;
}

int kit_wait(pid_t pid, unsigned most_ms)
{
        struct pollfd p = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
        bool ended = p.fd >= 0 && poll(&p, 1, (int)most_ms) > 0;
        int status = 0;

        if (p.fd >= 0)
                close(p.fd);
        if (!ended)
                kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        if (!ended)
                return 124;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void kit_kill(struct kit *k, pid_t pid)
{
        end(pid);
        if (k->kills < KIT_KILLS_MAX)
                k->kill_at[k->kills++] = (size_t)kit_count(k, "total");
}

/* ---- the watched folder ------------------------------------------------------------------------ */

struct item {
        char *path; /* below the watched folder */
        bool is_dir;
};

struct items {
        struct item v[ITEMS_MAX];
        unsigned n, dirs, files;
};

static int by_name(const FTSENT **a, const FTSENT **b)
{
        return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void items_read(const struct kit *k, struct items *ret)
{
        char *roots[] = {k->src, NULL};
        FTS *fts = fts_open(roots, FTS_PHYSICAL, by_name);
        FTSENT *e;

        ret->n = ret->dirs = ret->files = 0;
        while (fts && (e = fts_read(fts))) {
                bool is_dir = e->fts_info == FTS_D;

                if (e->fts_level == 0 || (!is_dir && e->fts_info != FTS_F) || ret->n == ITEMS_MAX)
                        continue;
                ret->v[ret->n++] = (struct item){kit_text("%s", e->fts_path), is_dir};
                ret->dirs += is_dir;
                ret->files += !is_dir;
        }
        if (fts)
                fts_close(fts);
}

static void items_finish(struct items *items)
{
        for (unsigned i = 0; i < items->n; i++)
                free(items->v[i].path);
}

/* One of the folders (or files), NULL when there is none. */
static const struct item *items_any(struct kit *k, const struct items *items, bool is_dir)
{
        unsigned n = is_dir ? items->dirs : items->files, at;

        if (n == 0)
                return NULL;
        at = kit_below(k, n);
        for (unsigned i = 0; i < items->n; i++)
                if (items->v[i].is_dir == is_dir && at-- == 0)
                        return &items->v[i];
        return NULL;
}

/* Bytes that no other file has or had. */
static void write_file(struct kit *k, const char *path, size_t size)
{
        uint64_t words[512];
        FILE *f = fopen(path, "w");

        if (!f)
                kit_fail(k, "cannot write %s: %s", path, strerror(errno));
        fprintf(f, "%08u", ++k->serial);
        for (size_t left = size > 8 ? size - 8 : 0, n; left > 0; left -= n) {
                for (size_t i = 0; i < 512; i++)
                        words[i] = kit_random(k);
                n = left < sizeof(words) ? left : sizeof(words);
                fwrite(words, 1, n, f);
        }
        fclose(f);
}

static size_t some_size(struct kit *k)
{
        switch (kit_below(k, 12)) {
        case 0:
                return 2000000 + kit_below(k, 2000000);
        case 1:
        case 2:
        case 3:
                return 66000 + kit_below(k, 200000);
        }
        return 8 + kit_below(k, 3000);
}

/* Some of a type that goes up under a wire name when it is large enough. */
static char *new_path(struct kit *k, const struct items *items)
{
        static const char *const types[] = {"", ".txt", ".zip", ".mp4", ".db", " +&#%.zip"};
        const struct item *dir = kit_below(k, 3) ? items_any(k, items, true) : NULL;

        return kit_text("%s/n%u%s", dir ? dir->path : k->src, ++k->serial,
                        types[kit_below(k, 6)]);
}

static void edit_new_file(struct kit *k, const struct items *items)
{
        char *path = new_path(k, items);

        write_file(k, path, some_size(k));
        free(path);
}

static void edit_new_folders(struct kit *k, const struct items *items)
{
        char *path = new_path(k, items);

        for (unsigned i = 0, n = 1 + kit_below(k, 4); i < n; i++) {
                char *deeper = kit_text("%s/d%u", path, ++k->serial);

                mkdir(path, 0755);
                free(path);
                path = deeper;
        }
        write_file(k, path, some_size(k));
        free(path);
}

static void edit_rewrite(struct kit *k, const struct items *items, bool same_size)
{
        const struct item *file = items_any(k, items, false);
        struct stat st;

        if (file && stat(file->path, &st) == 0)
                write_file(k, file->path, same_size ? (size_t)st.st_size : some_size(k));
}

static void edit_append(struct kit *k, const struct items *items)
{
        const struct item *file = items_any(k, items, false);
        FILE *f = file ? fopen(file->path, "a") : NULL;

        if (!f)
                return;
        fprintf(f, "%08u", ++k->serial);
        fclose(f);
}

static void edit_rename(struct kit *k, const struct items *items, bool is_dir)
{
        const struct item *what = items_any(k, items, is_dir);
        char *to;

        if (!what)
                return;
        to = new_path(k, items);
        rename(what->path, to); /* a folder into itself is refused, and then nothing is changed */
        free(to);
}

static void edit_remove(struct kit *k, const struct items *items, bool is_dir)
{
        const struct item *what = items_any(k, items, is_dir);

        if (what)
                remove_tree(what->path);
}

static void edit_retype(struct kit *k, const struct items *items, bool is_dir)
{
        const struct item *what = items_any(k, items, is_dir);
        char *inside;

        if (!what)
                return;
        remove_tree(what->path);
        if (is_dir) {
                write_file(k, what->path, some_size(k));
                return;
        }
        mkdir(what->path, 0755);
        inside = kit_text("%s/n%u", what->path, ++k->serial);
        write_file(k, inside, some_size(k));
        free(inside);
}

void kit_edit(struct kit *k)
{
        static struct items items;
        unsigned what = kit_below(k, 100);

        items_read(k, &items);
        if (items.n > 120 && what < 45)
                edit_remove(k, &items, kit_below(k, 3) == 0);
        else if (what < 30)
                edit_new_file(k, &items);
        else if (what < 40)
                edit_new_folders(k, &items);
        else if (what < 60)
                edit_rewrite(k, &items, kit_below(k, 2));
        else if (what < 65)
                edit_append(k, &items);
        else if (what < 72)
                edit_rename(k, &items, false);
        else if (what < 76)
                edit_rename(k, &items, true);
        else if (what < 90)
                edit_remove(k, &items, false);
        else if (what < 93)
                edit_remove(k, &items, true);
        else
                edit_retype(k, &items, kit_below(k, 3) == 0);
        items_finish(&items);
}

/* ---- both sides -------------------------------------------------------------------------------- */

static char *here(const struct kit *k)
{
        char *command = kit_text("%s/tests/tool/treesum '%s'", k->build, k->src), *line = NULL;
        struct answer a = {0};
        FILE *f = popen(command, "r"); /* the paths are our own */
        size_t cap = 0;
        ssize_t n;

        while (f && (n = getline(&line, &cap, f)) > 0)
                answer_add(line, 1, (size_t)n, &a);
        if (f)
                pclose(f);
        free(line);
        free(command);
        return a.s ? a.s : kit_text("%s", "");
}

/* ---- lines ---- */

struct lines {
        char *text;
        char **v;
        size_t n;
};

static struct lines lines_of(char *text)
{
        struct lines l = {.text = text};

        for (char *at = text, *end; *at && (end = strchr(at, '\n')); at = end + 1) {
                *end = '\0';
                l.v = reallocarray(l.v, l.n + 1, sizeof(*l.v));
                if (!l.v)
                        abort();
                l.v[l.n++] = at;
        }
        return l;
}

static void lines_finish(struct lines *l)
{
        free(l->v);
        free(l->text);
}

static bool lines_have(const struct lines *l, const char *line)
{
        for (size_t i = 0; i < l->n; i++)
                if (strcmp(l->v[i], line) == 0)
                        return true;
        return false;
}

/* "d NAME", "f SIZE MD5 NAME" */
static const char *name_of(const char *line)
{
        int spaces = *line == 'd' ? 1 : 3;

        while (spaces-- > 0)
                line = strchr(line, ' ') + 1;
        return line;
}

static const char *find_name(const struct lines *l, const char *name)
{
        for (size_t i = 0; i < l->n; i++)
                if (strcmp(name_of(l->v[i]), name) == 0)
                        return l->v[i];
        return NULL;
}

/* For whoever has to find out: when it was asked for, and when the program was killed. */
static void say_history(struct kit *k, const struct lines *journal, const char *name)
{
        for (size_t i = 0; i < journal->n; i++)
                if (strstr(journal->v[i], name))
                        printf("# request %zu: %.400s\n", i, journal->v[i]);
        printf("# killed after requests");
        for (unsigned i = 0; i < k->kills; i++)
                printf(" %zu", k->kill_at[i]);
        printf("\n");
}

/* Nothing stands in the cloud that is not here. */
static void check_extra(struct kit *k, const char *when, const struct lines *mine,
                        const struct lines *theirs)
{
        struct lines journal = lines_of(kit_fake(k, "journal", NULL));

        for (size_t i = 0; i < theirs->n; i++) {
                const char *name = name_of(theirs->v[i]);

                if (find_name(mine, name))
                        continue;
                say_history(k, &journal, name);
                kit_fail(k, "%s: only in the cloud: %s", when, theirs->v[i]);
        }
        lines_finish(&journal);
}

/* Whether the content of `line` (a file here) arrived under a wire name beside its own. */
static bool has_wire(const struct lines *theirs, const char *line)
{
        const char *name = name_of(line), *slash = strrchr(name, '/');
        size_t head = (size_t)(name - line), dir = slash ? (size_t)(slash + 1 - name) : 0;

        for (size_t i = 0; i < theirs->n; i++)
                if (strncmp(theirs->v[i], line, head + dir) == 0 &&
                    strncmp(theirs->v[i] + head + dir, WIRE, strlen(WIRE)) == 0)
                        return true;
        return false;
}

unsigned kit_missing(struct kit *k)
{
        struct lines mine = lines_of(here(k));
        struct lines theirs = lines_of(kit_fake(k, "tree.txt?path=" CLOUD, NULL));
        unsigned n = 0;

        for (size_t i = 0; i < mine.n; i++)
                n += *mine.v[i] == 'f' && !lines_have(&theirs, mine.v[i]) &&
                     !has_wire(&theirs, mine.v[i]);
        lines_finish(&mine);
        lines_finish(&theirs);
        return n;
}

void kit_compare(struct kit *k, const char *when)
{
        struct lines mine = lines_of(here(k));
        struct lines theirs = lines_of(kit_fake(k, "tree.txt?path=" CLOUD, NULL));

        for (size_t i = 0; i < mine.n; i++)
                if (!lines_have(&theirs, mine.v[i])) {
                        const char *there = find_name(&theirs, name_of(mine.v[i]));

                        kit_fail(k, "%s: here %s, there %s", when, mine.v[i],
                                 there ? there : "nothing");
                }
        check_extra(k, when, &mine, &theirs);
        lines_finish(&mine);
        lines_finish(&theirs);
}

/* Requests since `before` that are not about a wire name: a lost answer may still bring one. */
static long calls_after(struct kit *k, long before)
{
        char *journal = kit_fake(k, "journal", NULL), *at = journal, *end;
        long n = 0;

        for (; *at; at = end + 1) {
                end = strchr(at, '\n');
                *end = '\0';
                n += !strstr(at, WIRE);
        }
        free(journal);
        return n - before;
}

void kit_converge(struct kit *k, const char *when)
{
        long before;
        int status = -1;

        /* Two at least: what was under way when it was killed is looked at once more when the
         * service must have come to its end with it, which is 60 s, made short. */
        setenv("YDSYNC_HASTE", "200", 1);
        for (int i = 0; i < PASSES && (status != 0 || i < 2); i++) {
                if (i > 0)
                        kit_nap(350);
                status = kit_wait(kit_start(k, "once"), 60000);
        }
        if (status != 0)
                kit_fail(k, "%s: `once` still ends with %d", when, status);
        kit_compare(k, when);
        before = calls_after(k, 0);
        status = kit_wait(kit_start(k, "once"), 60000);
        before = calls_after(k, before);
        if (status != 0 || before != 0)
                kit_fail(k, "%s: a further pass made %ld calls and ended with %d", when, before,
                         status);
        setenv("YDSYNC_HASTE", HASTE, 1);
        kit_check_removals(k, when);
        k->puts = kit_count(k, "put");
        free(kit_fake(k, "reset?what=journal", ""));
        k->kills = 0;
}

/* Every line of the Trash that is a file: is the very same still here? */
static void check_trash(struct kit *k, const char *when)
{
        char *mine = here(k), *trash = kit_fake(k, "trash.txt", NULL), *line = trash, *end;

        for (; *line; line = end + 1) {
                char *path, *same;

                end = strchr(line, '\n');
                *end = '\0';
                path = strstr(line, " " CLOUD "/");
                if (*line != 'f' || !path)
                        continue;
                same = kit_text("%.*s %s\n", (int)(path - line), line,
                                path + strlen(" " CLOUD "/"));
                if (strstr(mine, same))
                        kit_fail(k, "%s: in the Trash, and still here: %s", when, same);
                free(same);
        }
        free(mine);
        free(trash);
}

void kit_check_removals(struct kit *k, const char *when)
{
        char *journal = kit_fake(k, "journal", NULL), *line = journal, *end;

        for (; *line; line = end + 1) {
                end = strchr(line, '\n');
                *end = '\0';
                if (strstr(line, "\"endpoint\":\"delete\"") && strstr(line, "permanently=true") &&
                    !strstr(line, WIRE))
                        kit_fail(k, "%s: destroyed for good: %s", when, line);
        }
        free(journal);
        check_trash(k, when);
}
