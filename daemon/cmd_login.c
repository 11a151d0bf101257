/* SPDX-License-Identifier: MIT */

/*
 * Signing in without a browser of one's own: a code is shown here, entered elsewhere, and the tokens
 * come when that is done.
 */

#include "daemon/cmd.h"
#include "daemon/command.h"
#include "daemon/exit.h"
#include "daemon/grant.h"
#include "daemon/oauth_call.h"
#include "daemon/signals.h"
#include "daemon/xdg.h"
#include "lib/base/die.h"
#include "lib/base/tr.h"
#include "lib/yadisk/oauth.h"

#include <errno.h>
#include <langinfo.h>
#include <qrencode.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>

#define LOGIN_SLOWER_S 5
#define LOGIN_INTERVAL_MOST_S 60

/* ---- whose program ----------------------------------------------------------------------------- */

/* A line from the terminal, without its end; NULL when there is none. */
static char *login_line(void)
{
        _cleanup_(oauth_wipep) char *line = NULL;
        size_t size = 0;
        ssize_t n = getline(&line, &size, stdin);

        while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r' || line[n - 1] == ' '))
                line[--n] = '\0';
        if (n <= 0)
                return NULL;
        for (const char *c = line; *c; c++)
                if (*c <= ' ' || *c >= 0x7f)
                        return NULL;
        return TAKE_PTR(line);
}

static struct termios login_shown; /* how the terminal was */

static void login_interrupted(int number)
{
        tcsetattr(STDIN_FILENO, TCSANOW, &login_shown);
        signal(number, SIG_DFL);
        raise(number);
}

/* What is typed is not shown; whoever ends it gets the terminal back as it was. */
static char *login_secret_line(void)
{
        struct termios hidden;
        char *line;

        if (tcgetattr(STDIN_FILENO, &login_shown) < 0)
                return login_line();
        signal(SIGINT, login_interrupted);
        signal(SIGTERM, login_interrupted);
        hidden = login_shown;
        hidden.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
        line = login_line();
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &login_shown);
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        putc('\n', stderr);
        return line;
}

/* From the .env, from an earlier login, or from whoever sits there. */
static int login_client(const struct config *config, struct grant *g)
{
        struct err err = ERR_NONE;
        struct grant before;

        if (config->client_id) {
                g->client = str_dup(config->client_id);
                g->secret = str_dup(config->client_secret);
        } else if (grant_read(&before, config->state_dir, &err) == 0) {
                g->client = TAKE_PTR(before.client);
                g->secret = TAKE_PTR(before.secret);
                grant_finish(&before);
        } else if (isatty(STDIN_FILENO)) {
                fputs(tr("A program of your own, registered at https://oauth.yandex.ru/client/new with "
                         "the rights\ncloud_api:disk.read, cloud_api:disk.write and "
                         "cloud_api:disk.info, is what signs in.\n"), stderr);
                fputs(tr("Its ClientID: "), stderr);
                g->client = login_line();
                fputs(tr("Its secret (not shown; none: just Enter): "), stderr);
                g->secret = g->client ? login_secret_line() : NULL;
        }
        if (g->client)
                return EXIT_OK;
        log_error("it is not known which program signs in: register one at "
                  "https://oauth.yandex.ru/client/new and write YDSYNC_CLIENT_ID and "
                  "YDSYNC_CLIENT_SECRET into %s", config->file ? config->file : tr("the .env file"));
        return EXIT_BAD_CONFIG;
}

/* ---- what is shown ----------------------------------------------------------------------------- */

static bool login_dark(const QRcode *qr, int x, int y)
{
        return x >= 0 && y >= 0 && x < qr->width && y < qr->width &&
               (qr->data[y * qr->width + x] & 1);
}

/* Two rows in one line of half blocks, light on dark, with the quiet zone that readers need. */
static void login_show_qr(const char *text)
{
        static const char *const blocks[] = {"\xe2\x96\x88", "\xe2\x96\x80", "\xe2\x96\x84", " "};
        QRcode *qr;

        if (!isatty(STDOUT_FILENO) || !str_eq(nl_langinfo(CODESET), "UTF-8"))
                return;
        qr = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
        if (!qr)
                return;
        for (int y = -2; y < qr->width + 2; y += 2) {
                fputs("  ", stdout);
                for (int x = -2; x < qr->width + 2; x++)
                        fputs(blocks[login_dark(qr, x, y + 1) + 2 * login_dark(qr, x, y)], stdout);
                putchar('\n');
        }
        QRcode_free(qr);
}

static void login_show(const struct oauth_device *d)
{
        _cleanup_(str_finish) struct str span = STR_NULL(64);

        printf(tr("Open   %s\nenter  %s\n"), d->url, d->user_code);
        login_show_qr(d->url);
        str_add_span(&span, d->expires_s * 1000);
        printf(tr("and confirm it; the code is good for %s.\n"), str_z(&span));
        fflush(stdout);
}

/* ---- asking ------------------------------------------------------------------------------------ */

static int login_refused(enum oauth_error error, long status, const char *said)
{
        const char *what = NULL;

        switch (error) {
        case OAUTH_DECLINED:
                what = N_("the sign-in was declined");
                break;
        case OAUTH_OVER:
                what = N_("the code is not good any more; run `ydsync login` again");
                break;
        case OAUTH_CLIENT:
                what = N_("the service does not accept the program: check YDSYNC_CLIENT_ID, "
                          "YDSYNC_CLIENT_SECRET and its rights");
                break;
        case OAUTH_PENDING:
        case OAUTH_SLOWER:
        case OAUTH_STRANGE:
                break;
        }
        if (!what) {
                log_error("the OAuth service answers with HTTP %ld%s%s", status, *said ? ": " : "",
                          said);
                return EXIT_UNAVAILABLE;
        }
        log_error("%s%s%s%s", tr(what), *said ? " (" : "", said, *said ? ")" : "");
        return EXIT_NO_PERMISSION;
}

static int login_ask_code(const struct config *config, const struct grant *g,
                          struct oauth_device *ret)
{
        _cleanup_(oauth_wipe_str) struct str form = STR_NULL(OAUTH_FORM_MAX);
        _cleanup_(oauth_wipe_str) struct str reply = STR_NULL(OAUTH_REPLY_MAX);
        struct err err = ERR_NONE;
        char said[200];
        long status = 0;

        oauth_form_device(&form, g->client);
        if (oauth_post(config->oauth_url, "/device/code", &form, NULL, &reply, &status, &err) < 0) {
                log_error("%s", err.text);
                return EXIT_UNAVAILABLE;
        }
        if (status != 200)
                return login_refused(oauth_read_error(str_z(&reply), reply.len, said), status, said);
        if (oauth_read_device(str_z(&reply), reply.len, ret) == 0)
                return EXIT_OK;
        log_error("the OAuth service answers with something unknown");
        return EXIT_UNAVAILABLE;
}

static void login_sleep(int64_t s)
{
        int64_t ms = s * 1000 / die_haste();
        struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

        nanosleep(&ts, NULL);
}

/* One question whether it was confirmed: EXIT_OK with tokens, EXIT_TRY_AGAIN: not yet. */
static int login_poll(const struct config *config, const struct grant *g, struct oauth_device *d,
                      struct oauth_tokens *ret)
{
        _cleanup_(oauth_wipe_str) struct str form = STR_NULL(OAUTH_FORM_MAX);
        _cleanup_(oauth_wipe_str) struct str reply = STR_NULL(OAUTH_REPLY_MAX);
        struct err err = ERR_NONE;
        enum oauth_error error;
        char said[200];
        long status = 0;

        oauth_form_poll(&form, g->client, g->secret, d->device_code);
        /* Nothing came, or a page of a balancer: the code is as good as before. */
        if (oauth_post(config->oauth_url, "/token", &form, NULL, &reply, &status, &err) < 0 ||
            status >= 500)
                return EXIT_TRY_AGAIN;
        if (status == 200 && oauth_read_tokens(str_z(&reply), reply.len, ret) == 0)
                return EXIT_OK;
        if (status == 200) {
                log_error("the OAuth service answers with something unknown");
                return EXIT_UNAVAILABLE;
        }
        error = oauth_read_error(str_z(&reply), reply.len, said);
        if (error == OAUTH_SLOWER && d->interval_s < LOGIN_INTERVAL_MOST_S)
                d->interval_s += LOGIN_SLOWER_S;
        return error == OAUTH_PENDING || error == OAUTH_SLOWER ? EXIT_TRY_AGAIN
                                                               : login_refused(error, status, said);
}

static int login_wait(const struct config *config, const struct grant *g, struct oauth_device *d,
                      struct oauth_tokens *ret)
{
        time_t end = time(NULL) + d->expires_s;
        int status = EXIT_TRY_AGAIN;

        while (status == EXIT_TRY_AGAIN && time(NULL) < end) {
                login_sleep(d->interval_s);
                status = login_poll(config, g, d, ret);
        }
        return status == EXIT_TRY_AGAIN ? login_refused(OAUTH_OVER, 0, "") : status;
}

/* ---- all of it --------------------------------------------------------------------------------- */

static int login_keep(const struct config *config, struct grant *g)
{
        struct err err = ERR_NONE;
        char until[32] = "";
        time_t at = g->until_s;
        struct tm tm;

        xdg_make_parents(config->state_dir);
        mkdir(config->state_dir, 0700);
        if (grant_write(g, config->state_dir, &err) < 0) {
                log_error("%s", err.text);
                return EXIT_NO_STATE;
        }
        strftime(until, sizeof(until), "%Y-%m-%d", localtime_r(&at, &tm));
        printf(tr("Signed in. The token is kept in %s, is good until %s and renews itself.\n"),
               config->state_dir, until);
        if (config->token)
                log_warning("the token in YANDEX_TOKEN, or in the credential ydsync.token, goes before "
                            "it: take that out");
        return EXIT_OK;
}

int cmd_login(const struct call *call)
{
        _cleanup_(grant_finish) struct grant g = {0};
        _cleanup_(oauth_device_finish) struct oauth_device device = {0};
        _cleanup_(oauth_tokens_finish) struct oauth_tokens tokens = {0};
        int status;

        signals_leave(); /* Ctrl-C ends it, as it ends any program that waits */
        status = login_client(&call->config, &g);
        if (status == EXIT_OK)
                status = login_ask_code(&call->config, &g, &device);
        if (status != EXIT_OK)
                return status;
        login_show(&device);
        status = login_wait(&call->config, &g, &device, &tokens);
        if (status != EXIT_OK)
                return status;
        g.access = TAKE_PTR(tokens.access);
        g.refresh = TAKE_PTR(tokens.refresh);
        g.since_s = time(NULL);
        g.until_s = g.since_s + tokens.life_s;
        return login_keep(&call->config, &g);
}
