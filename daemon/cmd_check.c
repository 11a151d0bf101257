/* SPDX-License-Identifier: MIT */

#include "daemon/client.h"
#include "daemon/cmd.h"
#include "daemon/command.h"
#include "daemon/exit.h"
#include "daemon/grant.h"
#include "daemon/probe.h"
#include "daemon/root.h"
#include "daemon/signals.h"
#include "daemon/system.h"
#include "lib/base/dialect.h"
#include "lib/base/dotenv.h"
#include "lib/store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct check {
        struct config config;
        cJSON *found;     /* the findings, an array of objects */
        bool doubtful;    /* there is a warning */
        int status;       /* of the first thing that is wrong */
};

_printf_(5, 0) static void check_add(struct check *c, const char *name, const char *verdict,
                                     const char *remedy, const char *fmt, va_list ap)
{
        _cleanup_(str_finish) struct str text = STR_NULL(1 << 16);
        cJSON *o = cJSON_CreateObject();
        char raw[4096];

        vsnprintf(raw, sizeof(raw), tr(fmt), ap);
        str_add_printable(&text, raw);
        cJSON_AddStringToObject(o, "name", name);
        cJSON_AddStringToObject(o, "verdict", verdict);
        cJSON_AddStringToObject(o, "text", str_z(&text));
        if (remedy)
                cJSON_AddStringToObject(o, "remedy", tr(remedy));
        cJSON_AddItemToArray(c->found, o);
}

static void _printf_(3, 4) check_ok(struct check *c, const char *name, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        check_add(c, name, N_("ok"), NULL, fmt, ap);
        va_end(ap);
}

static void _printf_(4, 5) check_warn(struct check *c, const char *name, const char *remedy,
                                      const char *fmt, ...)
{
        va_list ap;

        c->doubtful = true;
        va_start(ap, fmt);
        check_add(c, name, N_("warning"), remedy, fmt, ap);
        va_end(ap);
}

static void _printf_(5, 6) check_wrong(struct check *c, const char *name, int status,
                                       const char *remedy, const char *fmt, ...)
{
        va_list ap;

        if (c->status == EXIT_OK)
                c->status = status;
        va_start(ap, fmt);
        check_add(c, name, N_("wrong"), remedy, fmt, ap);
        va_end(ap);
}

/* ---- the configuration ------------------------------------------------------------------------ */

static void check_remarks(struct check *c, const char *lines, bool wrong)
{
        for (size_t n; *lines; lines += n + (lines[n] == '\n')) {
                n = strcspn(lines, "\n");
                if (wrong)
                        check_wrong(c, N_("configuration"), EXIT_BAD_CONFIG, NULL, "%.*s", (int)n, lines);
                else
                        check_warn(c, N_("configuration"), NULL, "%.*s", (int)n, lines);
        }
}

/* Line `number` of the text. */
static const char *check_line(const char *text, unsigned number, size_t *ret_len)
{
        while (--number > 0) {
                text += strcspn(text, "\n");
                text += *text == '\n';
        }
        *ret_len = strcspn(text, "\n");
        return text;
}

static void check_dialect(struct check *c, const struct dotenv *env, const char *text,
                          const char *reader,
                          bool (*agrees)(const char *line, size_t len, const char *value))
{
        _cleanup_(str_finish) struct str keys = STR_NULL(4096);

        for (size_t i = 0; i < env->n_pairs; i++) {
                const struct dotenv_pair *p = &env->pairs[i];
                size_t len;
                const char *line = check_line(text, p->line, &len);

                if (!agrees(line, len, p->value))
                        str_addf(&keys, tr("%s%s (line %u)"), keys.len ? ", " : "", p->key, p->line);
        }
        if (keys.len > 0)
                check_warn(c, N_("dialect"), N_("ydsync itself reads it as it is meant; do not feed it to others"),
                           "%s: %s would read another value of %s", c->config.file, reader,
                           str_z(&keys));
}

/* Whoever feeds the file to systemd or a shell as well would get something else from it. */
static void check_dialects(struct check *c)
{
        _cleanup_(dotenv_finish) struct dotenv env = {0};
        _cleanup_(closep) int fd = c->config.file ? open(c->config.file, O_RDONLY | O_CLOEXEC) : -1;
        char *text = fd >= 0 ? calloc(1, DOTENV_MAX + 1) : NULL;
        ssize_t n = text ? read(fd, text, DOTENV_MAX) : -1;

        if (n > 0 && strlen(text) == (size_t)n && dotenv_parse(&env, text, (size_t)n) == 0) {
                check_dialect(c, &env, text, "systemd (EnvironmentFile=)", dialect_systemd_agrees);
                check_dialect(c, &env, text, "bash (source)", dialect_bash_agrees);
        }
        if (text)
                mem_wipe(text, DOTENV_MAX);
        free(text);
}

static bool check_configuration(struct check *c, const char *env_file)
{
        _cleanup_(str_finish) struct str errors = STR_NULL(1 << 20);
        _cleanup_(str_finish) struct str warnings = STR_NULL(1 << 20);
        int r = config_load(&c->config, env_file, &errors, &warnings);

        check_remarks(c, str_z(&warnings), false);
        check_remarks(c, str_z(&errors), true);
        if (r < 0 && errors.len == 0)
                check_wrong(c, N_("configuration"), EXIT_IO_ERROR, NULL, "there is not enough memory");
        if (r < 0)
                return false;
        check_ok(c, N_("configuration"), "%s", c->config.file ? c->config.file : tr("the environment"));
        check_dialects(c);
        return true;
}

/* ---- what is here ----------------------------------------------------------------------------- */

/* What the snapshot says of the folder; NULL: nothing, or there is no snapshot yet. */
static int check_recall(const struct check *c, char **ret_identity, struct err *err)
{
        _cleanup_(store_closep) struct store *store = NULL;
        int r = store_open(&store, c->config.state_dir, STORE_READ_ONLY, err);

        if (r == 0)
                r = store_meta_get(store, "root.identity", ret_identity, err);
        return r;
}

static void check_folder(struct check *c, const char *identity)
{
        _cleanup_(root_close) struct root root = {.fd = -1};
        struct err err = ERR_NONE;
        DIR *dir;

        if (root_open(&root, c->config.folder, &err) < 0) {
                check_wrong(c, N_("folder"), EXIT_NO_FOLDER, NULL, "%s", err.text);
                return;
        }
        if (identity && !str_eq(identity, root.identity)) {
                check_wrong(c, N_("folder"), EXIT_NO_FOLDER,
                            N_("mount what is missing; or, if it is the right one now, remove state.db "
                            "from the state folder: it is compared anew, and nothing is removed"),
                            "%s is not the folder that was mirrored", c->config.folder);
                return;
        }
        dir = opendir(c->config.folder);
        if (!dir) {
                check_wrong(c, N_("folder"), EXIT_NO_FOLDER, N_("let this user read it"),
                            "%s cannot be read: %s", c->config.folder, strerror(errno));
                return;
        }
        closedir(dir);
        check_ok(c, N_("folder"), "%s can be read", c->config.folder);
}

/* The folder itself, or the nearest one above that exists, must take files. */
static bool check_writable(const char *state_dir)
{
        _cleanup_(freep) char *path = str_dup(state_dir);
        char *slash;

        while (path && access(path, F_OK) < 0 && errno == ENOENT &&
               (slash = strrchr(path, '/')) && slash > path)
                *slash = '\0';
        return path && access(path, W_OK | X_OK) == 0;
}

static void check_state(struct check *c, int r, const struct err *err)
{
        const char *dir = c->config.state_dir;

        if (!check_writable(dir))
                check_wrong(c, N_("state"), EXIT_NO_STATE,
                            N_("set YDSYNC_STATE_DIR, or run as the user that it belongs to"),
                            "%s cannot be written: %s", dir, strerror(errno));
        else if (r == -EUCLEAN)
                check_warn(c, N_("state"), N_("the next run sets it aside and compares with the cloud anew"),
                           "%s", err->text);
        else if (r < 0 && r != -ENOENT)
                check_wrong(c, N_("state"), EXIT_NO_STATE, NULL, "%s", err->text);
        else
                check_ok(c, N_("state"), "%s%s", dir, r == -ENOENT ? tr(", nothing is known yet") : "");
}

static void check_daemon(struct check *c)
{
        _cleanup_(client_answer_finish) struct client_answer answer = {0};
        struct err err = ERR_NONE;
        int r = client_ask(&answer, c->config.state_dir, "GET", "/status", &err);
        const char *state;

        if (r == 0 && answer.status == 200) {
                state = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer.json, "state"));
                check_ok(c, N_("daemon"), "runs (%s)", state ? tr(state) : "");
        } else if (r == -ENOENT) {
                check_ok(c, N_("daemon"), "does not run");
        } else {
                check_warn(c, N_("daemon"), NULL, "%s", r < 0 ? err.text : tr("it does not answer as it should"));
        }
}

/* ---- the service ------------------------------------------------------------------------------ */

static void check_room(struct check *c, const struct yadisk_room *room)
{
        _cleanup_(str_finish) struct str text = STR_NULL(256);
        _cleanup_(str_finish) struct str free_bytes = STR_NULL(64);
        _cleanup_(str_finish) struct str total = STR_NULL(64);

        str_add_size(&free_bytes, yadisk_room_free(room));
        str_add_size(&total, room->total);
        str_addf(&text, tr("%s of %s are free"), str_z(&free_bytes), str_z(&total));
        if (yadisk_room_free(room) == 0)
                check_warn(c, N_("room"), N_("empty the Trash or make room; uploads wait until then"), "%s",
                           str_z(&text));
        else
                check_ok(c, N_("room"), "%s", str_z(&text));
}

/* How long an accepted token lives is known of one that `login` got. */
static void check_life(struct check *c)
{
        _cleanup_(grant_finish) struct grant grant = {0};
        _cleanup_(str_finish) struct str left = STR_NULL(64);
        struct err err = ERR_NONE;
        int64_t left_s;

        if (!c->config.signed_in || grant_read(&grant, c->config.state_dir, &err) < 0) {
                check_ok(c, N_("token"), "it is accepted");
                return;
        }
        left_s = grant.until_s - time(NULL);
        str_add_span(&left, left_s > 0 ? left_s * 1000 : 0);
        check_ok(c, N_("token"), "it is accepted; it is the one of `ydsync login`, lives for %s more and is "
                 "renewed in time", str_z(&left));
}

static void check_service(struct check *c)
{
        const char *url = c->config.api_url;
        struct err err = ERR_NONE;
        struct probe probe;

        if (probe_service(&c->config, &probe, &err) < 0) {
                check_wrong(c, N_("service"), EXIT_IO_ERROR, NULL, "%s", err.text);
                return;
        }
        if (probe.end == PROBE_UNREACHABLE) {
                check_wrong(c, N_("service"), EXIT_UNAVAILABLE,
                            N_("look at the network, the clock and any proxy; ydsync goes on by itself "
                            "when it works"),
                            "%s: %s", url, probe.text);
                return;
        }
        check_ok(c, N_("service"), "%s answers", url);
        if (probe.end == PROBE_REFUSED) {
                check_wrong(c, N_("token"), EXIT_NO_PERMISSION,
                            c->config.signed_in ? N_("sign in again with `ydsync login`")
                                                : N_("get a new one and write it as YANDEX_TOKEN"),
                            "%s", probe.text);
                return;
        }
        check_life(c);
        if (probe.end == PROBE_WORKS)
                check_room(c, &probe.room);
}

/* ---- what is told ----------------------------------------------------------------------------- */

static const char *check_s(const cJSON *o, const char *key)
{
        const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));

        return s ? s : "";
}

static void check_print(const struct check *c)
{
        const cJSON *o;

        cJSON_ArrayForEach(o, c->found)
        {
                _cleanup_(str_finish) struct str head = STR_NULL(256);

                str_add_padded(&head, tr(check_s(o, "verdict")), 11);
                str_add_padded(&head, tr(check_s(o, "name")), 15);
                printf("%s%s\n", str_z(&head), check_s(o, "text"));
                if (*check_s(o, "remedy"))
                        printf("%26s%s\n", "", check_s(o, "remedy"));
        }
}

static void check_print_json(struct check *c)
{
        cJSON *o = cJSON_CreateObject();
        char *text;

        cJSON_AddStringToObject(o, "verdict",
                                c->status != EXIT_OK ? "wrong" : c->doubtful ? "warning" : "ok");
        cJSON_AddItemToObject(o, "checks", TAKE_PTR(c->found));
        text = cJSON_Print(o);
        puts(text ? text : "");
        cJSON_free(text);
        cJSON_Delete(o);
}

/* Root looks as the service would, if the configuration is one of the system. */
static void check_become(struct check *c)
{
        _cleanup_(freep) char *dir = system_state_dir(c->config.file);
        struct err err = ERR_NONE;

        if (dir && str_eq(dir, c->config.state_dir) && access(dir, F_OK) == 0 &&
            system_become(dir, &err) < 0)
                check_wrong(c, N_("state"), EXIT_NO_PERMISSION, NULL, "%s", err.text);
}

int cmd_check(const struct call *call)
{
        struct check c = {.found = cJSON_CreateArray()};

        signals_leave();
        if (check_configuration(&c, call->env_file)) {
                _cleanup_(freep) char *identity = NULL;
                struct err err = ERR_NONE;
                int r;

                check_become(&c);
                r = check_recall(&c, &identity, &err);
                check_folder(&c, identity);
                check_state(&c, r, &err);
                check_daemon(&c);
                check_service(&c);
        }
        if (call->options & OPTION_JSON)
                check_print_json(&c);
        else
                check_print(&c);
        cJSON_Delete(c.found);
        config_finish(&c.config);
        return c.status;
}
