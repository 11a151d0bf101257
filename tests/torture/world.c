/* SPDX-License-Identifier: MIT */

#include "tests/torture/world.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN_MS 30000 /* of real time; the program's own waits take none */

void world_die(const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        fputs("not ok torture # ", stdout);
        vprintf(fmt, ap);
        putchar('\n');
        va_end(ap);
        fflush(stdout);
        _exit(2);
}

/* ---- leaves ----------------------------------------------------------------------------------- */

struct leaves leaves_parse(const char *text)
{
        struct leaves l = {NULL, 0};
        size_t lines = 0;

        for (const char *p = text; *p; p++)
                lines += *p == '\n';
        l.items = calloc(lines + 1, sizeof(*l.items));
        for (const char *end; *text; text = end + 1) {
                struct leaf *leaf = &l.items[l.n++];
                int at = 0;

                end = strchr(text, '\n');
                if (!end)
                        break;
                leaf->dir = *text == 'd';
                if (leaf->dir)
                        at = 2;
                else if (sscanf(text, "f %ld %32s %n", &leaf->size, leaf->md5, &at) != 2)
                        world_die("a line of a tree is odd: %.60s", text);
                leaf->path = strndup(text + at, (size_t)(end - text - at));
        }
        return l;
}

void leaves_finish(struct leaves *l)
{
        for (size_t i = 0; i < l->n; i++)
                free(l->items[i].path);
        free(l->items);
        *l = (struct leaves){NULL, 0};
}

const struct leaf *leaves_find(const struct leaves *l, const char *path)
{
        for (size_t i = 0; i < l->n; i++)
                if (strcmp(l->items[i].path, path) == 0)
                        return &l->items[i];
        return NULL;
}

bool leaf_same(const struct leaf *a, const struct leaf *b)
{
        return a && b && a->dir == b->dir &&
               (a->dir || (a->size == b->size && strcmp(a->md5, b->md5) == 0));
}

/* ---- the emulator ----------------------------------------------------------------------------- */

struct answer {
        char *text;
        size_t len;
};

static size_t world_on_answer(char *data, size_t size, size_t n, void *userdata)
{
        struct answer *a = userdata;
        char *longer = realloc(a->text, a->len + size * n + 1);

        if (!longer)
                return 0;
        a->text = longer;
        memcpy(a->text + a->len, data, size * n);
        a->len += size * n;
        a->text[a->len] = '\0';
        return size * n;
}

char *world_ask(struct world *w, const char *method, const char *path, const char *body,
                size_t body_len)
{
        struct answer a = {calloc(1, 1), 0};
        char url[4096];
        long status = 0;
        CURLcode result;

        snprintf(url, sizeof(url), "%s/_fake/%s", w->api, path);
        curl_easy_reset(w->curl);
        curl_easy_setopt(w->curl, CURLOPT_URL, url);
        curl_easy_setopt(w->curl, CURLOPT_TIMEOUT, 60L);
        curl_easy_setopt(w->curl, CURLOPT_WRITEFUNCTION, world_on_answer);
        curl_easy_setopt(w->curl, CURLOPT_WRITEDATA, &a);
        if (strcmp(method, "POST") == 0) {
                curl_easy_setopt(w->curl, CURLOPT_POSTFIELDSIZE, (long)body_len);
                curl_easy_setopt(w->curl, CURLOPT_POSTFIELDS, body ? body : "");
        } else if (strcmp(method, "GET") != 0) {
                curl_easy_setopt(w->curl, CURLOPT_CUSTOMREQUEST, method);
        }
        result = curl_easy_perform(w->curl);
        curl_easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, &status);
        if (result != CURLE_OK || status >= 400)
                world_die("the emulator on %s: %s: %ld %s", path, curl_easy_strerror(result), status,
                          a.text);
        return a.text;
}

static void world_tell(struct world *w, const char *method, const char *path)
{
        free(world_ask(w, method, path, NULL, 0));
}

struct leaves world_cloud(struct world *w)
{
        char *text = world_ask(w, "GET", "tree.txt?path=disk:/", NULL, 0);
        struct leaves l = leaves_parse(text);

        free(text);
        return l;
}

static void world_start_emulator(struct world *w)
{
        char ready[300], data[300], program[300], line[256];

        snprintf(ready, sizeof(ready), "%s/ready", w->dir);
        snprintf(data, sizeof(data), "%s/data", w->dir);
        snprintf(program, sizeof(program), "%s/tests/fakedisk/fakedisk", w->build);
        mkdir(data, 0700);
        w->emulator = fork();
        if (w->emulator == 0) {
                int null = open("/dev/null", O_RDWR);

                dup2(null, 1);
                execl(program, program, "--die-with-parent", "--ready-file", ready, "--data", data,
                      "--threads", "1", NULL);
                _exit(127);
        }
        for (int i = 0; i < 1000; i++) {
                FILE *f = fopen(ready, "r");

                if (f && fgets(line, sizeof(line), f) &&
                    sscanf(line, "READY api=%127s", w->api) == 1) {
                        fclose(f);
                        return;
                }
                if (f)
                        fclose(f);
                usleep(20000);
        }
        world_die("the emulator does not start");
}

/* ---- the folder ------------------------------------------------------------------------------- */

void world_sh(struct world *w, const char *fmt, ...)
{
        char command[4096];
        int at = snprintf(command, sizeof(command), "cd '%s' && ", w->dir);
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(command + at, sizeof(command) - (size_t)at, fmt, ap);
        va_end(ap);
        if (system(command) != 0)
                world_die("this failed: %s", command);
}

char *world_read(struct world *w, const char *name)
{
        char path[512];
        struct stat st;
        char *text;
        ssize_t n;
        int fd;

        snprintf(path, sizeof(path), "%s/%s", w->dir, name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                world_die("%s: %s", path, strerror(errno));
        text = calloc(1, (size_t)st.st_size + 1);
        n = text ? read(fd, text, (size_t)st.st_size) : -1;
        if (n < 0)
                world_die("%s cannot be read", path);
        close(fd);
        return text;
}

static void sum_add(unsigned long *sum, const void *bytes, size_t n)
{
        for (const unsigned char *p = bytes; n-- > 0;)
                *sum = (*sum ^ *p++) * 1099511628211ul;
}

unsigned long world_source_sum(struct world *w)
{
        unsigned long sum = 14695981039346656037ul;
        char path[300];
        char *roots[] = {path, NULL};
        FTSENT *e;
        FTS *fts;

        snprintf(path, sizeof(path), "%s/src", w->dir);
        fts = fts_open(roots, FTS_PHYSICAL, NULL);
        if (!fts)
                world_die("%s: %s", path, strerror(errno));
        while ((e = fts_read(fts))) {
                if (e->fts_info == FTS_DP)
                        continue;
                sum_add(&sum, e->fts_path, strlen(e->fts_path));
                sum_add(&sum, &e->fts_statp->st_ino, sizeof(e->fts_statp->st_ino));
                sum_add(&sum, &e->fts_statp->st_size, sizeof(e->fts_statp->st_size));
                sum_add(&sum, &e->fts_statp->st_mtim, sizeof(e->fts_statp->st_mtim));
                sum_add(&sum, &e->fts_statp->st_ctim, sizeof(e->fts_statp->st_ctim));
        }
        fts_close(fts);
        return sum;
}

void world_clear(struct world *w, const char *env)
{
        world_sh(w,
                 "rm -rf src state kept && mkdir src && printf '%%s\\n' "
                 "'YANDEX_TOKEN=fake-token' 'PATH_TO_FOLDER_ON_PC=\"%s/src\"' "
                 "'NAME_FOLDER_CLOUD=Backup/Docs' 'YDSYNC_STATE_DIR=\"%s/state\"' "
                 "'YDSYNC_API_URL=%s' 'YDSYNC_SETTLE=0' 'YDSYNC_API_RATE=0' 'YDSYNC_PARALLEL=3' "
                 "'%s' >env && chmod 600 env",
                 w->dir, w->dir, w->api, env);
        world_tell(w, "POST", "reset?what=all");
}

/* ---- the start -------------------------------------------------------------------------------- */

static void world_copy_folder(struct world *w, const char *from, const char *to)
{
        char source[512], target[512], buffer[1 << 16];
        char *roots[] = {target, NULL};
        FTSENT *e;
        FTS *fts;

        /* What is there goes first: the state folder is flat. */
        snprintf(target, sizeof(target), "%s/%s", w->dir, to);
        fts = fts_open(roots, FTS_PHYSICAL, NULL);
        while (fts && (e = fts_read(fts)))
                if (e->fts_info == FTS_DP)
                        rmdir(e->fts_path);
                else if (e->fts_info != FTS_D)
                        unlink(e->fts_path);
        fts_close(fts);
        snprintf(source, sizeof(source), "%s/%s", w->dir, from);
        roots[0] = source;
        fts = fts_open(roots, FTS_PHYSICAL, NULL);
        while (fts && (e = fts_read(fts))) {
                ssize_t n;
                int in, out;

                if (e->fts_level == 0 && e->fts_info == FTS_D)
                        mkdir(target, 0700);
                if (e->fts_info != FTS_F)
                        continue;
                snprintf(target, sizeof(target), "%s/%s/%s", w->dir, to, e->fts_name);
                in = open(e->fts_path, O_RDONLY | O_CLOEXEC);
                out = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
                if (in < 0 || out < 0)
                        world_die("%s cannot be copied", e->fts_path);
                while ((n = read(in, buffer, sizeof(buffer))) > 0)
                        if (write(out, buffer, (size_t)n) != n)
                                world_die("%s cannot be written", target);
                close(in);
                close(out);
        }
        fts_close(fts);
}

static void world_forget_start(struct world *w)
{
        for (size_t i = 0; i < w->cloud.n; i++)
                free(w->contents[i]);
        free(w->contents);
        w->contents = NULL;
        leaves_finish(&w->cloud);
        leaves_finish(&w->source);
}

void world_keep(struct world *w)
{
        char path[512];
        char *text;

        world_forget_start(w);
        world_sh(w, "'%s/tests/tool/treesum' '%s/src' >tree", w->build, w->dir);
        text = world_read(w, "tree");
        w->source = leaves_parse(text);
        free(text);
        w->source_sum = world_source_sum(w);
        w->cloud = world_cloud(w);
        w->contents = calloc(w->cloud.n + 1, sizeof(char *));
        for (size_t i = 0; i < w->cloud.n; i++) {
                snprintf(path, sizeof(path), "content?path=disk:/%s", w->cloud.items[i].path);
                if (!w->cloud.items[i].dir)
                        w->contents[i] = world_ask(w, "GET", path, NULL, 0);
        }
        world_copy_folder(w, "state", "kept");
}

void world_restore(struct world *w)
{
        char path[512];

        world_copy_folder(w, "kept", "state");
        world_tell(w, "POST", "reset?what=all");
        for (size_t i = 0; i < w->cloud.n; i++) {
                const struct leaf *leaf = &w->cloud.items[i];

                snprintf(path, sizeof(path), "%s?path=disk:/%s", leaf->dir ? "mkdir" : "put",
                         leaf->path);
                free(world_ask(w, "POST", path, w->contents[i], (size_t)leaf->size));
        }
}

/* ---- the program ------------------------------------------------------------------------------ */

void world_no_fault(struct world *w)
{
        w->page->mode = PAGE_COUNT;
        w->page->at = 0;
        w->page->err = 0;
        *w->page->call = *w->page->where = '\0';
        atomic_store(&w->page->hit, 0);
        for (int i = 0; i < PAGE_SETS; i++)
                atomic_store(&w->page->count[i], 0);
}

/* Becomes the program, with its output in files of the world. */
static void world_exec(struct world *w, const char *serve, const char *command, const char *arg)
{
        const char *also = getenv("TORTURE_PRELOAD");
        char program[300], env[300], page[300], shim[700], out[300], err[300];
        int fd;

        snprintf(program, sizeof(program), "%s/daemon/ydsync", w->build);
        snprintf(env, sizeof(env), "%s/env", w->dir);
        snprintf(page, sizeof(page), "%s/page", w->dir);
        snprintf(shim, sizeof(shim), "%s/tests/torture/shim.so%s%s", w->build, also ? ":" : "",
                 also ? also : "");
        snprintf(out, sizeof(out), "%s/out", w->dir);
        snprintf(err, sizeof(err), "%s/log", w->dir);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        fd = open("/dev/null", O_RDONLY);
        dup2(fd, 0);
        fd = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
        dup2(fd, 1);
        fd = open(err, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
        dup2(fd, 2);
        setenv("LD_PRELOAD", shim, 1);
        setenv(PAGE_ENV, page, 1);
        if (serve)
                setenv(PAGE_SERVE, serve, 1);
        execl(program, program, "--env", env, command, arg, NULL);
        _exit(127);
}

void world_serve(struct world *w, struct server *server, const char *command, const char *arg)
{
        int in[2], out[2];
        char serve[64];

        world_serve_end(server);
        if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
                world_die("no pipe: %s", strerror(errno));
        server->pid = fork();
        if (server->pid == 0) {
                fcntl(in[0], F_SETFD, 0);
                fcntl(out[1], F_SETFD, 0);
                snprintf(serve, sizeof(serve), "%d,%d", in[0], out[1]);
                world_exec(w, serve, command, arg);
        }
        close(in[0]);
        close(out[1]);
        server->in = in[1];
        server->out = out[0];
}

void world_serve_end(struct server *server)
{
        if (server->pid <= 0)
                return;
        close(server->in);
        close(server->out);
        waitpid(server->pid, NULL, 0);
        server->pid = 0;
}

static void world_empty_output(struct world *w)
{
        char path[300];

        snprintf(path, sizeof(path), "%s/log", w->dir);
        if (truncate(path, 0) < 0)
                world_die("%s: %s", path, strerror(errno));
}

static int32_t world_number(struct server *server)
{
        int32_t number;

        if (read(server->out, &number, sizeof(number)) != sizeof(number))
                world_die("the program does not serve");
        return number;
}

int world_run(struct world *w, struct server *server)
{
        struct pollfd ended = {.fd = server->out, .events = POLLIN};
        int32_t pid;

        world_empty_output(w);
        if (write(server->in, "x", 1) != 1)
                world_die("the program does not serve any more");
        pid = world_number(server);
        if (poll(&ended, 1, RUN_MS) == 1)
                return world_number(server);
        kill(pid, SIGKILL);
        world_number(server);
        return -1;
}

int world_run_anew(struct world *w, const char *command)
{
        int status = 0, waited = 0;
        pid_t pid = fork();

        if (pid == 0)
                world_exec(w, NULL, command, NULL);
        while (waitpid(pid, &status, WNOHANG) == 0) {
                usleep(1000);
                if (++waited < RUN_MS)
                        continue;
                kill(pid, SIGKILL);
                waitpid(pid, &status, 0);
                return -1;
        }
        return status;
}

/* ---- life ------------------------------------------------------------------------------------- */

void world_create(struct world *w, const char *build, const char *dir)
{
        char path[300];
        int fd;

        *w = (struct world){.build = build};
        snprintf(w->dir, sizeof(w->dir), "%s", dir);
        snprintf(path, sizeof(path), "%s/page", dir);
        if (mkdir(dir, 0700) < 0)
                world_die("%s: %s", dir, strerror(errno));
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0 || ftruncate(fd, sizeof(struct page)) < 0)
                world_die("%s: %s", path, strerror(errno));
        w->page = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
        if (w->page == MAP_FAILED)
                world_die("%s: %s", path, strerror(errno));
        w->curl = curl_easy_init();
        world_start_emulator(w);
        world_no_fault(w);
}

void world_destroy(struct world *w)
{
        world_serve_end(&w->once);
        world_serve_end(&w->other);
        world_forget_start(w);
        kill(w->emulator, SIGTERM);
        waitpid(w->emulator, NULL, 0);
        curl_easy_cleanup(w->curl);
        munmap(w->page, sizeof(struct page));
}
