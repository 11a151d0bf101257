/* SPDX-License-Identifier: MIT */

/*
 * dying OPTIONS -- COMMAND…
 *
 * Carries COMMAND (`ydsync … once`, built with test hooks) out undisturbed; then, from the same
 * beginning, once for each of its steps: killed at that step, run again, and compared with what the
 * undisturbed run left:
 *
 *      the Disk holds the same
 *      the Trash holds the same files
 *      no more bodies were stored than without dying, none under the same path again
 *      a further pass does no more than a further pass after the undisturbed run, but for looking
 *      after what a lost answer may still bring; after it, or one more, no wire name is left
 *
 * In the end everything is as the undisturbed run has left it, so that a scenario goes on as if
 * nothing had been.  The watched folder is never touched: ydsync does not write there, nor do we.
 *
 *      -a URL      the emulator
 *      -w FOLDER   a folder of our own, for copies of the state
 *      -s FOLDER   a state folder of ydsync, as often as needed
 *      -e STATUS   how COMMAND must end
 *      -m N        more steps than N: only every k-th is tried, so that at most N are
 *      -o, -l FILE standard output and error of the undisturbed run
 *
 * Prints `STEPS TRIED`.  Fails with a line `# …` for each thing that is not so.
 */

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STATES_MAX 4
#define TIMEOUT_S 60
#define QUIET_S 5 /* so long the emulator may be busy with what a killed program has asked for */
#define WIRE "ydsync-upload-"

static const char *api, *work, *states[STATES_MAX], *out_file, *log_file;
static size_t n_states;
static int expected, most;
static char **command;
static CURL *curl;
static bool failed;

static void die(const char *what)
{
        printf("# dying: %s: %s\n", what, strerror(errno));
        exit(1);
}

/* ---- texts ------------------------------------------------------------------------------------- */

struct text {
        char *s;
        size_t len;
};

static size_t text_add(char *data, size_t size, size_t n, void *userdata)
{
        struct text *t = userdata;
        char *s = realloc(t->s, t->len + size * n + 1);

        if (!s)
                return 0;
        memcpy(s + t->len, data, size * n);
        t->s = s;
        t->len += size * n;
        s[t->len] = '\0';
        return size * n;
}

static void text_finish(struct text *t)
{
        free(t->s);
        *t = (struct text){0};
}

static const char *text_z(const struct text *t)
{
        return t->s ? t->s : "";
}

static int by_text(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Takes off the next line of *at; NULL at the end. */
static char *next_line(char **at)
{
        char *line = *at, *end = line ? strchr(line, '\n') : NULL;

        if (!line || !*line)
                return NULL;
        if (end)
                *end = '\0';
        *at = end ? end + 1 : line + strlen(line);
        return line;
}

/* The lines of `t` that begin with `start`, sorted; none with a wire name. */
static struct text sorted(struct text *t, const char *start)
{
        struct text ret = {0};
        char **lines = NULL, *at = t->s, *line;
        size_t n = 0;

        while ((line = next_line(&at))) {
                if (strncmp(line, start, strlen(start)) != 0 || strstr(line, WIRE))
                        continue;
                lines = reallocarray(lines, n + 1, sizeof(*lines));
                if (!lines)
                        die("no memory");
                lines[n++] = line;
        }
        if (n > 0)
                qsort(lines, n, sizeof(*lines), by_text);
        for (size_t i = 0; i < n; i++) {
                text_add(lines[i], 1, strlen(lines[i]), &ret);
                text_add((char *)"\n", 1, 1, &ret);
        }
        free(lines);
        text_finish(t);
        return ret;
}

/* ---- the emulator ------------------------------------------------------------------------------ */

static struct text fake(const char *method, const char *what)
{
        char url[512];
        struct text ret = {0};
        long status = 0;
        CURLcode r;

        snprintf(url, sizeof(url), "%s/_fake/%s", api, what);
        curl_easy_reset(curl);
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, text_add);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, &ret);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
        if (strcmp(method, "POST") == 0)
                curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
        r = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        if (r != CURLE_OK || status != 200) {
                printf("# dying: %s: %s, %ld %s\n", url, curl_easy_strerror(r), status,
                       text_z(&ret));
                exit(1);
        }
        return ret;
}

static void fake_do(const char *what)
{
        struct text t = fake("POST", what);

        text_finish(&t);
}

static long count_of(const struct text *counts, const char *name)
{
        const char *at = strstr(text_z(counts), name);

        return at ? atol(at + strlen(name)) : -1;
}

/* Waits until what the program has asked for is done with, whether somebody listens or not. */
static void settle(void)
{
        struct timespec nap = {.tv_nsec = 2000000};
        long open = 1;

        for (int i = 0; open != 0 && i < QUIET_S * 500; i++) {
                struct text t = fake("GET", "count");

                open = count_of(&t, "\"open\":");
                text_finish(&t);
                if (open != 0)
                        nanosleep(&nap, NULL);
        }
}

/* ---- the state folders ------------------------------------------------------------------------- */

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

static void copy_file(const char *from, const char *to, const struct stat *st)
{
        static char buffer[1 << 16];
        int in = open(from, O_RDONLY | O_CLOEXEC);
        int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        ssize_t n;

        if (in < 0 || out < 0)
                die(to);
        while ((n = read(in, buffer, sizeof(buffer))) > 0)
                if (write(out, buffer, (size_t)n) != n)
                        die(to);
        if (fchown(out, st->st_uid, st->st_gid) < 0 || fchmod(out, st->st_mode & 07777) < 0)
                die(to);
        close(in);
        close(out);
}

/* Makes `to` a copy of `from`, which may be missing; then so is the copy. */
static void copy_tree(const char *from, const char *to)
{
        char *roots[] = {(char *)from, NULL}, path[4096];
        FTSENT *e;
        FTS *fts;

        remove_tree(to);
        if (access(from, F_OK) < 0)
                return;
        fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
        if (!fts)
                die(from);
        while ((e = fts_read(fts))) {
                snprintf(path, sizeof(path), "%s%s", to, e->fts_path + strlen(from));
                if (e->fts_info == FTS_D) {
                        if (mkdir(path, 0700) < 0 ||
                            chown(path, e->fts_statp->st_uid, e->fts_statp->st_gid) < 0)
                                die(path);
                } else if (e->fts_info == FTS_F) {
                        copy_file(e->fts_path, path, e->fts_statp);
                }
        }
        fts_close(fts);
}

static void save(const char *name)
{
        char path[4096], what[64];

        settle();
        snprintf(what, sizeof(what), "save?name=%s", name);
        fake_do(what);
        for (size_t i = 0; i < n_states; i++) {
                snprintf(path, sizeof(path), "%s/%s.%zu", work, name, i);
                copy_tree(states[i], path);
        }
}

static void restore(const char *name)
{
        char path[4096], what[64];

        settle();
        snprintf(what, sizeof(what), "restore?name=%s", name);
        fake_do(what);
        for (size_t i = 0; i < n_states; i++) {
                snprintf(path, sizeof(path), "%s/%s.%zu", work, name, i);
                copy_tree(path, states[i]);
        }
}

/* ---- the program ------------------------------------------------------------------------------- */

static void to_file(int fd, const char *path)
{
        int to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

        if (to < 0 || dup2(to, fd) < 0)
                _exit(126);
}

static void on_alarm(int signal)
{
}

static char own_log[4096], own_out[4096], steps_file[4096]; /* of the runs that nobody sees */

static void check_log(const char *path)
{
        static char text[1 << 16];
        FILE *f = fopen(path, "r");
        size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

        text[n] = '\0';
        if (f)
                fclose(f);
        if (!strstr(text, "ERROR: AddressSanitizer") && !strstr(text, "runtime error:"))
                return;
        printf("# a sanitizer has spoken\n");
        failed = true;
}

static void say_log(void)
{
        char line[1024];
        FILE *f = fopen(own_log, "r");

        while (f && fgets(line, sizeof(line), f))
                printf("#   log: %s", line);
        if (f)
                fclose(f);
}

/* Exit status, 137 when it was killed, 124 when it did not come to an end. */
static int run(const char *log, const char *out, unsigned die_at, const char *steps)
{
        int status, r;
        char number[16];
        pid_t pid = fork();

        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                to_file(1, out);
                to_file(2, log);
                snprintf(number, sizeof(number), "%u", die_at);
                if (die_at > 0)
                        setenv("YDSYNC_DIE_AT", number, 1);
                if (steps)
                        setenv("YDSYNC_STEPS", steps, 1);
                execvp(command[0], command);
                _exit(127);
        }
        if (pid < 0)
                die("fork");
        alarm(TIMEOUT_S);
        r = waitpid(pid, &status, 0);
        alarm(0);
        if (r < 0) {
                kill(pid, SIGKILL);
                waitpid(pid, &status, 0);
                return 124;
        }
        check_log(log);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- what stands there ------------------------------------------------------------------------- */

struct look {
        int status;
        struct text tree, trash; /* the Disk; files in the Trash; both sorted, no wire names */
        unsigned stored;         /* bodies that arrived, in the journal */
        unsigned again;          /* of them, under a path that had one before */
        unsigned calls;          /* that are not about a wire name */
        unsigned changes;        /* requests that were granted a change */
        unsigned wires;          /* wire names on the Disk */
};

static void look_finish(struct look *l)
{
        text_finish(&l->tree);
        text_finish(&l->trash);
}

static bool is_endpoint(const char *line, const char *name)
{
        char member[64];

        snprintf(member, sizeof(member), "\"endpoint\":\"%s\"", name);
        return strstr(line, member);
}

static bool is_change(const char *line)
{
        return strstr(line, "\"status\":20") &&
               (is_endpoint(line, "put") || is_endpoint(line, "delete") ||
                is_endpoint(line, "move") || is_endpoint(line, "mkdir"));
}

static char *path_of(char *line)
{
        char *path = strstr(line, "\"path\":\""), *end = path ? strstr(path, "\",\"") : NULL;

        if (end)
                *end = '\0';
        return path ? path : line;
}

static void look_at_journal(struct look *l)
{
        struct text t = fake("GET", "journal");
        char **paths = NULL, *at = t.s, *line;

        l->stored = l->again = l->calls = l->changes = 0;
        while ((line = next_line(&at))) {
                l->calls += !strstr(line, WIRE);
                l->changes += is_change(line);
                if (!is_endpoint(line, "put") || !strstr(line, "\"status\":201"))
                        continue;
                paths = reallocarray(paths, l->stored + 1, sizeof(*paths));
                if (!paths)
                        die("no memory");
                paths[l->stored++] = path_of(line);
        }
        if (l->stored > 0)
                qsort(paths, l->stored, sizeof(*paths), by_text);
        for (unsigned i = 1; i < l->stored; i++)
                l->again += strcmp(paths[i - 1], paths[i]) == 0;
        free(paths);
        text_finish(&t);
}

static struct look look(int status)
{
        struct look l = {.status = status};
        struct text tree, trash;

        settle();
        tree = fake("GET", "tree.txt");
        trash = fake("GET", "trash.txt");
        for (const char *at = text_z(&tree); (at = strstr(at, WIRE)); at++)
                l.wires++;
        l.tree = sorted(&tree, "");
        l.trash = sorted(&trash, "f ");
        look_at_journal(&l);
        return l;
}

static void say_difference(const char *what, const char *now, const char *then)
{
        size_t n = 0;

        while (now[n] && now[n] == then[n])
                n++;
        while (n > 0 && now[n - 1] != '\n')
                n--;
        printf("#   %s: \"%.*s\" instead of \"%.*s\"\n", what, (int)strcspn(now + n, "\n"),
               now + n, (int)strcspn(then + n, "\n"), then + n);
}

__attribute__((format(printf, 2, 3))) static void not_so(unsigned step, const char *fmt, ...)
{
        va_list ap;

        printf("# killed at step %u: ", step);
        va_start(ap, fmt);
        vprintf(fmt, ap);
        va_end(ap);
        printf("\n");
        failed = true;
}

static bool same_text(const struct text *a, const struct text *b)
{
        return strcmp(text_z(a), text_z(b)) == 0;
}

/* `now` must be as `then`; where work was left, as it would have been a pass later will do too. */
static void compare(unsigned step, const char *when, const struct look *now, const struct look *then,
                    const struct look *later)
{
        bool early = same_text(&now->tree, &then->tree) && same_text(&now->trash, &then->trash);

        if (!early && (expected == 0 || !same_text(&now->tree, &later->tree) ||
                       !same_text(&now->trash, &later->trash))) {
                not_so(step, "%s, another end (status %d, undisturbed %d)", when, now->status,
                       then->status);
                say_difference("Disk", text_z(&now->tree), text_z(&then->tree));
                say_difference("Trash", text_z(&now->trash), text_z(&then->trash));
        }
        if (now->status != then->status && (expected == 0 || now->status != later->status))
                not_so(step, "%s, it ended with %d, not %d", when, now->status, then->status);
}

/* ---- dying ------------------------------------------------------------------------------------- */

/* What a pass after `last` comes to; its calls and changes are its own. */
static struct look once_more(const struct look *last)
{
        struct look l = look(run(own_log, own_out, 0, NULL));

        l.calls -= last->calls;
        l.changes -= last->changes;
        return l;
}

static void compare_counts(unsigned step, const struct look *now, const struct look *then)
{
        if (now->stored > then->stored)
                not_so(step, "%u bodies were stored, not %u", now->stored, then->stored);
        if (now->again > then->again)
                not_so(step, "%u were stored again, not %u", now->again, then->again);
}

/* True when it was killed there. */
static bool die_at(unsigned step, const struct look *then, const struct look *later)
{
        struct look now, further;
        int status;

        restore("before");
        status = run(own_log, own_out, step, NULL);
        if (status != 137) {
                if (status != then->status)
                        not_so(step, "it was not, and ended with %d, not %d", status, then->status);
                return false;
        }
        settle(); /* what it had sent to the last byte counts as arrived */
        now = look(run(own_log, own_out, 0, NULL));
        compare(step, "run again", &now, then, later);
        compare_counts(step, &now, expected == 0 ? then : later);
        further = once_more(&now);
        compare(step, "a further pass", &further, later, later);
        if (further.wires > later->wires) { /* it came late: the next pass must find it */
                look_finish(&further);
                sleep(1);
                further = once_more(&now);
        }
        if (further.wires > later->wires)
                not_so(step, "%u wire names are left, not %u", further.wires, later->wires);
        if (further.calls > later->calls)
                not_so(step, "a further pass made %u calls, not %u", further.calls, later->calls);
        look_finish(&now);
        look_finish(&further);
        return true;
}

static unsigned steps_of(void)
{
        FILE *f = fopen(steps_file, "r");
        unsigned n = 0;

        if (f && fscanf(f, "%u", &n) != 1)
                n = 0;
        if (f)
                fclose(f);
        return n;
}

/* A pass that is done is done: the next changes nothing. */
static void check_idle(const struct look *then, const struct look *later)
{
        struct look now = *later;

        if (expected != 0)
                return;
        compare(0, "run once more undisturbed", &now, then, then);
        if (later->changes > 0)
                not_so(0, "undisturbed, and a pass after it made %u changes", later->changes);
}

static void die_everywhere(void)
{
        unsigned steps, every, step, tried = 0;
        struct look then, later;

        save("before");
        unlink(steps_file);
        then = look(run(log_file, out_file, 0, steps_file));
        if (then.status != expected) {
                printf("# it ended with %d, not %d\n", then.status, expected);
                failed = true;
                return;
        }
        steps = steps_of();
        save("after");
        later = once_more(&then);
        check_idle(&then, &later);
        every = steps > (unsigned)most ? (steps + (unsigned)most - 1) / (unsigned)most : 1;
        for (step = 1; !failed && step <= 2 * steps && die_at(step, &then, &later); step += every)
                tried++;
        if (!failed && tried < steps / every / 2)
                not_so(step, "too few steps: %u of %u", tried, steps);
        restore("after");
        printf("%u %u\n", steps, tried);
        look_finish(&then);
        look_finish(&later);
}

static void options(int argc, char **argv)
{
        int o;

        while ((o = getopt(argc, argv, "a:w:s:e:m:o:l:")) != -1)
                switch (o) {
                case 'a':
                        api = optarg;
                        break;
                case 'w':
                        work = optarg;
                        break;
                case 's':
                        if (n_states < STATES_MAX)
                                states[n_states++] = optarg;
                        break;
                case 'e':
                        expected = atoi(optarg);
                        break;
                case 'm':
                        most = atoi(optarg);
                        break;
                case 'o':
                        out_file = optarg;
                        break;
                case 'l':
                        log_file = optarg;
                        break;
                default:
                        exit(64);
                }
        command = argv + optind;
        if (!api || !work || !out_file || !log_file || most < 1 || !*command)
                exit(64);
        snprintf(own_log, sizeof(own_log), "%s/log", work);
        snprintf(own_out, sizeof(own_out), "%s/out", work);
        snprintf(steps_file, sizeof(steps_file), "%s/steps", work);
}

int main(int argc, char **argv)
{
        struct sigaction alarmed = {.sa_handler = on_alarm}; /* without SA_RESTART */

        most = 1000000;
        options(argc, argv);
        sigaction(SIGALRM, &alarmed, NULL);
        if ((mkdir(work, 0755) < 0 && errno != EEXIST) || chmod(work, 0777) < 0)
                die(work); /* COMMAND may be another user's */
        curl = curl_easy_init();
        if (!curl)
                die("curl");
        die_everywhere();
        if (failed)
                say_log();
        curl_easy_cleanup(curl);
        return failed;
}
