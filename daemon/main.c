/* SPDX-License-Identifier: MIT */

/*
 * ydsync mirrors one local folder to Yandex.Disk, one way.
 *
 * The map.  Values go round a circle; the effects stand at its rim:
 *
 *      walk ──▶ diff ──▶ plan ──▶ engine ──▶ record
 *       ▲        ▲                  │ ▲         │
 *     folder   snapshot ◀───────────│─│─────────┘
 *                               ask ▼ │ outcome
 *                                  flows
 *
 *   daemon/main.c        this file: options, wiring, exit status
 *   daemon/signals.c     being told to end, or to look
 *   daemon/config.c      .env, environment, credential -> struct config
 *   daemon/cycle.c       the circle: one pass, stage by stage
 *   daemon/report.c      what a pass says
 *   daemon/scan.c        lib/engine/walk.c -> lib/core/diff.c -> lib/core/plan.c -> lib/store/spool.c
 *   daemon/audit.c       what is believed against what is there, now and then
 *   daemon/mounts.c      whether a disk mounted below is still the one it was
 *   daemon/work.c        the plan's ops -> flows, in the order of lib/core/order.c
 *   lib/yadisk/flow_*.c  what is asked of the service, step by step
 *   lib/yadisk/verdict.c what its answers mean
 *   lib/engine/engine.c  carries flows: lib/engine/http.c, source.c, recorder.c
 *   lib/store/store.c    the snapshot
 *
 * Why was this removed?  lib/core/plan.c.  Why is it slow?  lib/core/pace.c, disguise.c.  Why did it
 * try again?  lib/yadisk/verdict.c.  What is on the wire?  lib/yadisk/yadisk.c.
 */

#include "daemon/account.h"
#include "daemon/approval.h"
#include "daemon/cycle.h"
#include "daemon/signals.h"
#include "daemon/speak.h"
#include "daemon/start.h"
#include "daemon/waker.h"
#include "daemon/xdg.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

/* Passes of `once` before it leaves the rest to the next run: a file that is written to for ever
 * must not keep it. */
#define ONCE_PASSES 10
#define ONCE_PAUSE_MS 200

/* In a row: a disk that damages every snapshot is not ours to work round. */
#define MAIN_REOPENS 3

struct program {
        struct config config;
        struct store *store;
        struct cycle *cycle;
        uv_loop_t loop;
        struct waker waker;  /* when the next pass is due */
        bool daemon;
        bool stopping;
        bool resting;        /* between two passes */
        bool look;           /* somebody asked for a pass */
        unsigned reopened;   /* how often in a row the snapshot was set aside or opened anew */
        int reopen_err;
        const char *spool_dir;
        cycle_show_op show;  /* plan: nothing is written */
        unsigned passes;
        enum exit_status status;
};

struct command {
        const char *name;
        int (*run)(struct program *p, int argc, char **argv);
        const char *summary;
};

static int main_run(struct program *p, int argc, char **argv);
static int main_once(struct program *p, int argc, char **argv);
static int main_plan(struct program *p, int argc, char **argv);
static int main_approve(struct program *p, int argc, char **argv);

static const struct command main_commands[] = {
        {"run", main_run, "mirror, and go on mirroring every SYNCHRONIZATION_PERIOD"},
        {"once", main_once, "one full pass: scan, carry everything out, exit"},
        {"plan", main_plan, "show what `once` would do, changing nothing"},
        {"approve", main_approve, "ID: let the next pass carry out a held plan"},
};

static void main_help(FILE *out)
{
        fputs("Usage: ydsync [--env FILE] COMMAND\n"
              "Mirrors one local folder to Yandex.Disk, one way.\n\n"
              "Commands:\n",
              out);
        for (size_t i = 0; i < ARRAY_SIZE(main_commands); i++)
                fprintf(out, "  %-10s %s\n", main_commands[i].name, main_commands[i].summary);
        fputs("\nOptions:\n"
              "  --env FILE   the configuration; else $YDSYNC_ENV, /etc/ydsync/.env for root,\n"
              "               $XDG_CONFIG_HOME/ydsync/.env for others\n"
              "  --help       this text\n"
              "  --version    the version\n"
              "\n"
              "Exit status: 0 done, 1 plan has something to do, 64 usage, 66 watched folder\n"
              "missing or another one, 69 service unreachable, 73 no state, 74 input/output\n"
              "error, 75 some work left, 77 token refused, 78 configuration.\n",
              out);
}

/* ---- passes ---------------------------------------------------------------------------------- */

static void main_closed(void *userdata)
{
        struct program *p = userdata;

        p->cycle = NULL;
        signals_unwatch();
        waker_close(&p->waker);
}

static void main_stop(struct program *p)
{
        if (p->stopping)
                return;
        p->stopping = true;
        if (p->reopen_err) /* the cycle is on its way out already */
                return;
        sd_notify(0, "STOPPING=1\nSTATUS=stopping");
        waker_stop(&p->waker);
        cycle_stop(p->cycle, main_closed, p);
}

/* Asked again and again it looks again and again, but not all the time. */
static void main_look(struct program *p)
{
        if (p->look || p->stopping)
                return;
        p->look = true;
        log_info("asked to look at the folder now");
        if (p->resting)
                waker_set(&p->waker, ONCE_PAUSE_MS);
}

static void main_heard(void *userdata, unsigned words)
{
        struct program *p = userdata;

        if (words & SIGNALS_LOOK)
                main_look(p);
        if (words & SIGNALS_END) {
                p->status = EXIT_OK;
                main_stop(p);
        }
}

static void main_pass_done(void *userdata, const struct pass_end *end);

static void main_pass(void *userdata)
{
        struct program *p = userdata;

        p->passes++;
        p->resting = p->look = false;
        cycle_pass(p->cycle, main_pass_done, p);
}

static int main_create_cycle(struct program *p, struct err *err)
{
        int r = cycle_create(&p->cycle, &p->loop, &p->config, p->store, p->spool_dir, err);

        if (r == 0 && p->daemon)
                cycle_set_slices(p->cycle);
        return r;
}

static void main_rest(struct program *p, int64_t wait_ms)
{
        p->resting = true;
        waker_set(&p->waker, wait_ms);
}

/* The snapshot has gone bad under our hands: away with it, and compare with the cloud anew.  When its
 * disk failed it may be good all the same, and the next pass is in time to tell. */
static void main_reopen(void *userdata)
{
        struct program *p = userdata;
        struct err err = ERR_NONE;
        int r = 0;

        p->cycle = NULL;
        if (p->stopping) {
                main_closed(p);
                return;
        }
        store_close(TAKE_PTR(p->store));
        if (p->reopen_err == EUCLEAN) {
                r = store_set_aside(p->config.state_dir, &err);
                if (r == 0)
                        log_notice("%s; the folder is compared with the cloud anew", err.text);
        }
        if (r == 0)
                r = store_open(&p->store, p->config.state_dir, 0, &err);
        if (r == 0)
                r = main_create_cycle(p, &err);
        if (r == 0) {
                bool later = p->reopen_err == EIO;

                p->reopen_err = 0;
                if (later)
                        main_rest(p, p->config.period_ms);
                else
                        cycle_pass(p->cycle, main_pass_done, p);
                return;
        }
        log_error("%s", err.text);
        p->status = EXIT_IO_ERROR;
        p->stopping = true;
        main_closed(p);
}

static void main_after_pass(struct program *p, const struct pass_end *end)
{
        int64_t wait_ms = p->config.period_ms;
        int64_t soon_ms = (p->look ? 0 : end->again_ms) + 10 * end->scan_ms + ONCE_PAUSE_MS;

        /* A file that is written to all the time must not make us scan all the time. */
        if ((end->again || p->look) && soon_ms < wait_ms)
                wait_ms = soon_ms;
        sd_notifyf(0, "STATUS=%s", end->status == EXIT_OK ? "everything is mirrored"
                                                          : "some work is left; see the log");
        main_rest(p, wait_ms);
}

/* A daemon must not need a person to start it anew after a disk had a bad moment. */
static bool main_must_reopen(struct program *p, const struct pass_end *end)
{
        if (!end->state_err)
                p->reopened = 0;
        if (!end->state_err || !p->store || p->show)
                return false;
        return end->state_err == EIO ? p->daemon : p->reopened++ < MAIN_REOPENS;
}

static void main_pass_done(void *userdata, const struct pass_end *end)
{
        struct program *p = userdata;

        if (p->stopping)
                return;
        p->status = end->status;
        if (main_must_reopen(p, end)) {
                p->reopen_err = end->state_err;
                cycle_stop(p->cycle, main_reopen, p);
                return;
        }
        /* A token that is refused will be refused again; a person has to act. */
        if (p->daemon && end->status != EXIT_NO_PERMISSION) {
                main_after_pass(p, end);
                return;
        }
        if (!p->daemon && end->again && p->passes < ONCE_PASSES) {
                if (end->young > 0 && p->passes == 1)
                        log_info("%" PRIu64 " files were changed a moment ago; waiting until they "
                                 "rest",
                                 end->young);
                main_rest(p, end->again_ms + ONCE_PAUSE_MS);
                return;
        }
        if (!p->daemon && end->again && p->status == EXIT_OK) {
                log_notice("some files keep changing; the next run takes them up");
                p->status = EXIT_TRY_AGAIN;
        }
        main_stop(p);
}

static int main_watch(struct program *p, struct err *err)
{
        int r = waker_init(&p->waker, &p->loop, main_pass, p);

        if (r == 0)
                r = signals_watch(&p->loop, main_heard, p);
        return r == 0 ? 0 : err_errno(err, -r, "the event loop cannot start");
}

/* Runs passes until main_stop(). */
static enum exit_status main_loop(struct program *p, const char *spool_dir,
                                  cycle_show_op show)
{
        struct err err = ERR_NONE;
        int r = start_loop(&p->loop, &err);

        if (r == 0)
                r = main_watch(p, &err);
        p->spool_dir = spool_dir;
        p->show = show;
        if (r == 0)
                r = main_create_cycle(p, &err);
        if (r < 0) {
                log_error("%s", err.text);
                return EXIT_IO_ERROR;
        }
        if (show)
                cycle_set_show(p->cycle, show, stdout);
        main_pass(p);
        if (p->daemon)
                sd_notify(0, "READY=1\nSTATUS=first scan");
        uv_run(&p->loop, UV_RUN_DEFAULT);
        start_loop_finish(&p->loop);
        return p->status;
}

static int main_open_store(struct program *p)
{
        struct err err = ERR_NONE;
        int r;

        xdg_make_parents(p->config.state_dir);
        r = store_open(&p->store, p->config.state_dir, 0, &err);
        if (r == -EUCLEAN) {
                log_error("%s", err.text);
                r = store_set_aside(p->config.state_dir, &err);
                if (r == 0) {
                        log_notice("%s; the folder is compared with the cloud anew", err.text);
                        r = store_open(&p->store, p->config.state_dir, 0, &err);
                }
        }
        if (r == 0)
                return EXIT_OK;
        log_error("%s", err.text);
        return r == -EIO || r == -ENOSPC ? EXIT_IO_ERROR : EXIT_NO_STATE;
}

static int main_mirror(struct program *p, int argc)
{
        int status;

        if (argc > 1) {
                log_error("this command takes no arguments; see ydsync --help");
                return EXIT_USAGE_ERROR;
        }
        status = main_open_store(p);
        return status ? status : (int)main_loop(p, p->config.state_dir, NULL);
}

static int main_run(struct program *p, int argc, char **argv _unused_)
{
        p->daemon = true;
        return main_mirror(p, argc);
}

static int main_once(struct program *p, int argc, char **argv _unused_)
{
        return main_mirror(p, argc);
}

/* ---- plan ------------------------------------------------------------------------------------ */

static void main_show_op(void *userdata, const struct op *op, bool held)
{
        _cleanup_(str_finish) struct str name = STR_NULL(65536);
        const char *word = "";
        bool drop = false;

        str_add_printable(&name, op->entry.key);
        switch (op->verb) {
        case OP_MKDIR:
                word = "make folder";
                break;
        case OP_PUT:
                word = op->was_known || op->there == OP_THERE_FILE ? "replace" : "upload";
                break;
        case OP_ADOPT:
        case OP_TOUCH:
                word = "note";
                break;
        case OP_DROP:
                word = "remove";
                drop = true;
                break;
        case OP_DROP_TREE:
                word = "remove folder";
                drop = true;
                break;
        case OP_FORGET:
                word = "no longer mirror";
                break;
        }
        fprintf(userdata, "%s%s %s\n", held && drop ? "HELD " : "", word, str_z(&name));
}

/* Whether the snapshot can tell what a pass would do; if not, the cloud is listed first, and that
 * is written into a snapshot of its own that is thrown away. */
static bool main_snapshot_fits(struct program *p)
{
        _cleanup_(freep) char *binding = NULL;
        _cleanup_(freep) char *adopted = NULL;
        _cleanup_(freep) char *wanted = cycle_binding(&p->config);
        _cleanup_(freep) char *token = NULL;
        char fingerprint[ACCOUNT_FINGERPRINT_LEN + 1];
        struct err err = ERR_NONE;

        if (store_open(&p->store, p->config.state_dir, STORE_READ_ONLY, &err) < 0)
                return false;
        if (store_meta_get(p->store, "binding", &binding, &err) == 0 &&
            store_meta_get(p->store, "adopted", &adopted, &err) == 0 &&
            store_meta_get(p->store, "account.token", &token, &err) == 0 && binding && adopted &&
            wanted && str_eq(binding, wanted) &&
            (!token || (account_fingerprint(p->config.token, fingerprint) &&
                        str_eq(token, fingerprint))))
                return true;
        store_close(p->store);
        p->store = NULL;
        return false;
}

static void main_remove_scratch(const char *dir)
{
        static const char *const files[] = {"state.db",     "state.db-wal", "state.db-shm",
                                            "state.db.new", "lock"};
        char path[256];

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
                unlink(path);
        }
        rmdir(dir);
}

static int main_plan(struct program *p, int argc, char **argv _unused_)
{
        char scratch[] = "/tmp/ydsync-plan-XXXXXX";
        struct err err = ERR_NONE;
        int status;

        if (argc > 1) {
                log_error("plan takes no arguments; see ydsync --help");
                return EXIT_USAGE_ERROR;
        }
        if (!mkdtemp(scratch)) {
                log_error("no temporary folder can be made: %s", strerror(errno));
                return EXIT_NO_STATE;
        }
        if (!main_snapshot_fits(p) && store_open(&p->store, scratch, 0, &err) < 0) {
                log_error("%s", err.text);
                status = EXIT_NO_STATE;
        } else {
                p->passes = ONCE_PASSES;
                status = (int)main_loop(p, scratch, main_show_op);
        }
        store_close(TAKE_PTR(p->store));
        main_remove_scratch(scratch);
        return status;
}

/* ---- approve --------------------------------------------------------------------------------- */

static int main_approve(struct program *p, int argc, char **argv)
{
        _cleanup_(freep) char *held = NULL;
        struct err err = ERR_NONE;
        struct record approve = {.verb = RECORD_META, .name = "approved"};
        int status;

        signals_leave();
        if (argc != 2) {
                log_error("approve takes the id of the held plan; the log names it");
                return EXIT_USAGE_ERROR;
        }
        if (store_open(&p->store, p->config.state_dir, STORE_READ_ONLY, &err) < 0 ||
            store_meta_get(p->store, "held", &held, &err) < 0) {
                log_error("%s", err.text);
                return EXIT_IO_ERROR;
        }
        if (!held || !str_eq(held, argv[1])) {
                if (held)
                        log_error("%s is not the plan that is held; that is %s", argv[1], held);
                else
                        log_error("no plan is held");
                return EXIT_USAGE_ERROR;
        }
        store_close(TAKE_PTR(p->store));
        approve.value = held;
        status = store_open(&p->store, p->config.state_dir, 0, &err);
        if (status == 0)
                status = store_commit(p->store, &approve, 1, &err);
        else if (status == -EBUSY) /* by the daemon, which takes it from there */
                status = approval_leave(p->config.state_dir, held, &err);
        if (status < 0) {
                log_error("%s", err.text);
                return EXIT_IO_ERROR;
        }
        printf("plan %s is approved; the next pass carries it out if it is still the same\n", held);
        return EXIT_OK;
}

/* ---- options --------------------------------------------------------------------------------- */

static int main_configure(struct program *p, const char *env_file)
{
        _cleanup_(str_finish) struct str errors = STR_NULL(1 << 20);
        _cleanup_(str_finish) struct str warnings = STR_NULL(1 << 20);
        struct err err = ERR_NONE;
        int r = config_load(&p->config, env_file, &errors, &warnings);

        fputs(str_z(&warnings), stderr);
        fputs(str_z(&errors), stderr);
        if (r < 0 && errors.len == 0) {
                log_error("there is not enough memory to read the configuration");
                return EXIT_IO_ERROR;
        }
        if (r < 0)
                return EXIT_BAD_CONFIG;
        speak_init(p->config.log_level);
        if (p->config.log_dir && speak_to_file(p->config.log_dir, &err) < 0) {
                log_error("%s", err.text);
                return EXIT_BAD_CONFIG;
        }
        return EXIT_OK;
}

/* A core that is piped to a program is written whatever the limit says: this leaves the memory out.
 * (Were the process not dumpable, its own user could not look into it with strace either.) */
static void main_keep_memory_out_of_cores(void)
{
        _cleanup_(closep) int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
        ssize_t n _unused_;

        if (fd >= 0)
                n = write(fd, "0", 1);
}

/* A core file would hold the token; a write to a closed pipe or past a limit is an error like any
 * other; the pool must not be so small that one scan fills it. */
static void main_prepare_process(void)
{
        struct rlimit none = {0, 0};
        int fd;

        /* What is opened must not take the place of a closed stream, and get its lines. */
        while ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0 && fd <= STDERR_FILENO)
                ;
        if (fd >= 0)
                close(fd);
        setrlimit(RLIMIT_CORE, &none);
        main_keep_memory_out_of_cores();
        signal(SIGPIPE, SIG_IGN);
        signal(SIGXFSZ, SIG_IGN);
        setenv("UV_THREADPOOL_SIZE", "8", 0);
        umask(0077);
}

static const struct command *main_find(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(main_commands); i++)
                if (str_eq(main_commands[i].name, name))
                        return &main_commands[i];
        return NULL;
}

int main(int argc, char **argv)
{
        static const struct option options[] = {
                {"env", required_argument, NULL, 'e'},
                {"help", no_argument, NULL, 'h'},
                {"version", no_argument, NULL, 'V'},
                {NULL, 0, NULL, 0},
        };
        struct program p = {.status = EXIT_OK};
        const struct command *command;
        const char *env_file = NULL;
        struct err err = ERR_NONE;
        int option, status;

        speak_init(LOG_INFO);
        while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
                if (option == 'e') {
                        env_file = optarg;
                } else if (option == 'h') {
                        main_help(stdout);
                        return EXIT_OK;
                } else if (option == 'V') {
                        puts("ydsync " YDSYNC_VERSION);
                        return EXIT_OK;
                } else {
                        fputs("Try: ydsync --help\n", stderr);
                        return EXIT_USAGE_ERROR;
                }
        }
        command = optind < argc ? main_find(argv[optind]) : NULL;
        if (!command) {
                if (optind < argc)
                        fprintf(stderr, "ydsync: no such command: %s\n", argv[optind]);
                main_help(stderr);
                return EXIT_USAGE_ERROR;
        }
        if (optind + 1 < argc && str_eq(argv[optind + 1], "--help")) {
                printf("Usage: ydsync [--env FILE] %s\n%s\n", command->name, command->summary);
                return EXIT_OK;
        }
        if (signals_begin(command->run == main_run) < 0) {
                log_error("no descriptor can be had: %s", strerror(errno));
                return EXIT_IO_ERROR;
        }
        main_prepare_process();
        if (start_libraries(&err) < 0) {
                log_error("%s", err.text);
                return EXIT_IO_ERROR;
        }
        status = main_configure(&p, env_file);
        if (status == EXIT_OK)
                status = command->run(&p, argc - optind, argv + optind);
        store_close(p.store);
        config_finish(&p.config);
        speak_finish();
        start_libraries_finish();
        return status;
}
