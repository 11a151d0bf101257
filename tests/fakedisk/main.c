/* SPDX-License-Identifier: MIT */

/*
 * fakedisk: a faithful Yandex.Disk on 127.0.0.1.
 *
 *      main.c                  options, life (here)
 *      server.c request.c      libmicrohttpd, the life of a request
 *      route.c                 which request goes where
 *      api_*.c upload.c        the endpoints: API, uploader,
 *      download.c oauth.c      downloader, OAuth,
 *      control.c               and /_fake/ for tests
 *      reply.c object.c        the JSON of the service,
 *      fields.c                and which keys of it are wanted
 *      disk.c change.c         the model: the tree and its changes,
 *      report.c                dumps of it,
 *      op.c link.c             asynchronous operations, upload links
 *      tree.c listing.c        its data structures
 *      snapshot.c path.c media.c svc_error.c
 *      store.c body.c digest.c contents of files, and those that are still arriving
 *      fault.c others.c        what goes wrong on purpose, and what others do meanwhile
 *      journal.c endpoint.c config.c rate.c auth.c timer.c util.c
 *
 * Everything above the model speaks HTTP, nothing below does.
 */

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server.h"

#ifndef YDSYNC_VERSION
#define YDSYNC_VERSION "unknown"
#endif

#define MAX_TOKENS 64

struct args {
        struct config cfg;
        struct server_options server;
        const char *tokens[MAX_TOKENS + 1];
        const char *data;
        const char *ready_file;
        bool die_with_parent;
};

static const char usage[] =
        "Usage: fakedisk [OPTIONS]\n"
        "A Yandex.Disk on 127.0.0.1 for tests: API, uploader, downloader and OAuth.\n"
        "\n"
        "  --port N           port of the API and of OAuth (default: any free one)\n"
        "  --token T          a valid access token; may be repeated (default: fake-token)\n"
        "  --data DIR         where contents are kept (default: a directory in $TMPDIR that is\n"
        "                     removed at the end)\n"
        "  --no-content       hash bodies and throw them away; downloads answer 500\n"
        "  --throttle         128 KiB/s for archives, databases and videos\n"
        "  --latency MS       every API answer comes this much later\n"
        "  --quota BYTES      total_space\n"
        "  --rate N           API requests a second before 429 (default: 0 = no limit)\n"
        "  --max-file BYTES   larger uploads get 413\n"
        "  --seed N           of everything random\n"
        "  --config JSON      any of the knobs below\n"
        "  --ready-file FILE  written when it serves, with the line that goes to stdout\n"
        "  --threads N        threads of each origin (default: 2)\n"
        "  --keep-alive S     idle connections are closed after (default: 75; 0 = never)\n"
        "  --die-with-parent  end when the process that started it ends\n"
        "  --help, --version\n"
        "\n"
        "When it serves it prints: READY api=http://127.0.0.1:PORT oauth=http://127.0.0.1:PORT\n"
        "SIGTERM and SIGINT end it with status 0.\n"
        "\n"
        "Knobs, for --config and POST /_fake/config:\n";

enum {
        OPT_PORT = 256, OPT_TOKEN, OPT_DATA, OPT_NO_CONTENT, OPT_THROTTLE, OPT_LATENCY, OPT_QUOTA,
        OPT_RATE, OPT_MAX_FILE, OPT_SEED, OPT_CONFIG, OPT_READY_FILE, OPT_THREADS, OPT_KEEP_ALIVE,
        OPT_DIE_WITH_PARENT, OPT_HELP, OPT_VERSION,
};

static const struct option options[] = {
        {"port", required_argument, NULL, OPT_PORT},
        {"token", required_argument, NULL, OPT_TOKEN},
        {"data", required_argument, NULL, OPT_DATA},
        {"no-content", no_argument, NULL, OPT_NO_CONTENT},
        {"throttle", no_argument, NULL, OPT_THROTTLE},
        {"latency", required_argument, NULL, OPT_LATENCY},
        {"quota", required_argument, NULL, OPT_QUOTA},
        {"rate", required_argument, NULL, OPT_RATE},
        {"max-file", required_argument, NULL, OPT_MAX_FILE},
        {"seed", required_argument, NULL, OPT_SEED},
        {"config", required_argument, NULL, OPT_CONFIG},
        {"ready-file", required_argument, NULL, OPT_READY_FILE},
        {"threads", required_argument, NULL, OPT_THREADS},
        {"keep-alive", required_argument, NULL, OPT_KEEP_ALIVE},
        {"die-with-parent", no_argument, NULL, OPT_DIE_WITH_PARENT},
        {"help", no_argument, NULL, OPT_HELP},
        {"version", no_argument, NULL, OPT_VERSION},
        {},
};

static _Noreturn void complain(const char *what, const char *value)
{
        fprintf(stderr, "fakedisk: %s: %s; see fakedisk --help\n", what, value);
        exit(64);
}

static int64_t number(const char *option, int64_t max)
{
        int64_t n;

        if (!parse_number(optarg, max, &n))
                complain(option, "not a number it can take");
        return n;
}

static void set_knob(struct args *a, const char *name, cJSON *value)
{
        cJSON *o = cJSON_CreateObject();
        char why[256];

        cJSON_AddItemToObject(o, name, value);
        if (!config_merge(&a->cfg, o, why))
                complain(name, why);
        cJSON_Delete(o);
}

static void set_number(struct args *a, const char *name)
{
        set_knob(a, name, cJSON_CreateNumber((double)number(name, CONFIG_BIG)));
}

static void set_config(struct args *a)
{
        cJSON *o = cJSON_Parse(optarg);
        char why[256] = "not JSON";

        if (!o || !config_merge(&a->cfg, o, why))
                complain("--config", why);
        cJSON_Delete(o);
}

static void add_token(struct args *a)
{
        size_t n = 0;

        while (a->tokens[n])
                n++;
        if (n == MAX_TOKENS)
                complain("--token", "too many");
        a->tokens[n] = optarg;
}

static void parse_one(struct args *a, int option)
{
        switch (option) {
        case OPT_PORT:
                a->server.port = (uint16_t)number("--port", 65535);
                break;
        case OPT_TOKEN:
                add_token(a);
                break;
        case OPT_DATA:
                a->data = optarg;
                break;
        case OPT_NO_CONTENT:
                a->server.keep = false;
                break;
        case OPT_THROTTLE:
                set_knob(a, "throttle", cJSON_CreateTrue());
                break;
        case OPT_LATENCY:
                set_number(a, "latency_ms");
                break;
        case OPT_QUOTA:
                set_number(a, "quota");
                break;
        case OPT_RATE:
                set_number(a, "rate");
                break;
        case OPT_MAX_FILE:
                set_number(a, "max_file_size");
                break;
        case OPT_SEED:
                set_number(a, "seed");
                break;
        case OPT_CONFIG:
                set_config(a);
                break;
        case OPT_READY_FILE:
                a->ready_file = optarg;
                break;
        case OPT_THREADS:
                a->server.threads = (unsigned)number("--threads", 64);
                break;
        case OPT_KEEP_ALIVE:
                a->server.keepalive_s = (unsigned)number("--keep-alive", 86400);
                break;
        case OPT_DIE_WITH_PARENT:
                a->die_with_parent = true;
                break;
        case OPT_HELP:
                fputs(usage, stdout);
                config_help();
                exit(0);
        case OPT_VERSION:
                puts("fakedisk " YDSYNC_VERSION);
                exit(0);
        default:
                exit(64);
        }
}

static void parse_args(struct args *a, int argc, char **argv)
{
        int option;

        *a = (struct args){.server = {.keep = true, .threads = 2, .keepalive_s = 75}};
        config_init(&a->cfg);
        while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
                parse_one(a, option);
        if (optind < argc)
                complain(argv[optind], "unexpected argument");
        if (!a->tokens[0])
                a->tokens[0] = "fake-token";
        a->server.cfg = &a->cfg;
        a->server.tokens = a->tokens;
}

/* A directory of our own: *ret is owned. */
static int make_private(char **ret)
{
        const char *tmp = getenv("TMPDIR");
        struct buf b = {};

        buf_printf(&b, "%s/fakedisk.XXXXXX", tmp && *tmp ? tmp : "/tmp");
        if (!mkdtemp(b.s)) {
                fprintf(stderr, "fakedisk: cannot make %s: %s\n", b.s, strerror(errno));
                buf_finish(&b);
                return -errno;
        }
        *ret = b.s;
        return 0;
}

static void announce(const struct args *a, const struct server *s)
{
        _cleanup_(buf_finish) struct buf line = {}, tmp = {};
        unsigned port = s->port[ORIGIN_API];
        FILE *f;

        buf_printf(&line, "READY api=http://127.0.0.1:%u oauth=http://127.0.0.1:%u\n", port, port);
        if (a->ready_file) {
                buf_printf(&tmp, "%s.new", a->ready_file);
                f = fopen(tmp.s, "we");
                if (!f || fputs(line.s, f) < 0 || fclose(f) != 0 ||
                    rename(tmp.s, a->ready_file) < 0)
                        fprintf(stderr, "fakedisk: cannot write %s: %s\n", a->ready_file,
                                strerror(errno));
        }
        fputs(line.s, stdout);
        fflush(stdout);
}

static void raise_limits(void)
{
        struct rlimit l;

        if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
                l.rlim_cur = l.rlim_max;
                setrlimit(RLIMIT_NOFILE, &l);
        }
}

int main(int argc, char **argv)
{
        _cleanup_(freep) char *private = NULL;
        struct server *s;
        struct args a;
        sigset_t set;
        int sig, r;

        parse_args(&a, argc, argv);
        if (a.die_with_parent)
                prctl(PR_SET_PDEATHSIG, SIGTERM);
        signal(SIGPIPE, SIG_IGN);
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
        raise_limits();
        if (!a.data && make_private(&private) < 0)
                return 73;
        a.server.data = a.data ? a.data : private;
        r = server_start(&a.server, private != NULL, &s);
        if (r < 0)
                return 69;
        announce(&a, s);
        sigwait(&set, &sig);
        server_stop(s);
        server_destroy(s);
        return 0;
}
