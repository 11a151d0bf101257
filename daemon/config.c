/* SPDX-License-Identifier: MIT */

/*
 * Where values come from.  For each key the first of these counts that has it: the environment, the
 * systemd credential (token only), the `.env`, the default.  A mistake never stops the rest from
 * being looked at, and a key that stands in a line with a mistake is not called missing too.
 *
 * Nothing here looks at the watched folder or makes a folder.
 */

#include "daemon/config.h"

#include "daemon/config_key.h"
#include "daemon/grant.h"
#include "daemon/system.h"
#include "daemon/xdg.h"
#include "lib/base/dotenv.h"
#include "lib/base/err.h"
#include "lib/core/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>

#define SYSTEM_FILE "/etc/ydsync/.env"
#define FROM_ENVIRONMENT "environment"
#define FROM_CREDENTIAL "credential " CONFIG_CREDENTIAL

/* ---- a file is read ---------------------------------------------------- */

/* A small file with a secret in it. */
struct text {
        char *s; /* with a NUL at its end */
        size_t len;
        struct stat st;
};

static void text_finish(struct text *t)
{
        if (t->s)
                mem_wipe(t->s, t->len);
        free(t->s);
        *t = (struct text){0};
}

static int open_regular(const char *path, struct stat *ret_st, struct err *err)
{
        /* O_NONBLOCK: a pipe must not hold us up before we saw that it is one. */
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

        if (fd < 0 && errno == ENOENT)
                return err_set(err, ENOENT, "there is no such file");
        if (fd < 0 || fstat(fd, ret_st) < 0)
                return err_errno(err, errno, "it cannot be read");
        if (S_ISDIR(ret_st->st_mode))
                return err_set(err, EISDIR, "it is a folder: name the file in it");
        if (!S_ISREG(ret_st->st_mode))
                return err_set(err, EINVAL, "it is not a regular file");
        return TAKE_FD(fd);
}

/* Reads up to `max` bytes and one more, which tells the caller that there is too much. */
static int text_read(struct text *ret, const char *path, size_t max, struct err *err)
{
        _cleanup_(text_finish) struct text t = {.s = calloc(1, max + 2)};
        _cleanup_(closep) int fd = -1;

        if (!t.s)
                return err_errno(err, ENOMEM, "it cannot be read");
        fd = open_regular(path, &t.st, err);
        if (fd < 0)
                return fd;
        while (t.len <= max) {
                ssize_t n = read(fd, t.s + t.len, max + 1 - t.len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return err_errno(err, errno, "it cannot be read");
                if (n == 0)
                        break;
                t.len += (size_t)n;
        }
        *ret = t;
        t = (struct text){0};
        return 0;
}

/* ---- everything together ----------------------------------------------- */

/* Where a value came from. */
struct value {
        const char *text;  /* NULL: nowhere */
        const char *where; /* FROM_ENVIRONMENT, FROM_CREDENTIAL or a file */
        unsigned line;     /* 0: not a file */
};

struct load {
        struct config c;
        struct dotenv env;
        char *file;           /* the `.env`, perhaps one that could not be read; NULL: none */
        char *tried[2];       /* where none was, or NULL; [0] is the place to recommend */
        struct text token;    /* the credential; .s is NULL when there is none */
        struct value at[CONFIG_KEYS];
        bool told[CONFIG_KEYS]; /* a mistake was reported already: do not call it missing too */
        struct str *errors, *warnings;
        unsigned mistakes;
        bool client;          /* a token may be missing */
};

/* One line; all of it or, when there is no room, nothing. */
static void remark(struct str *to, const char *where, unsigned line, const char *key,
                   const char *text)
{
        _cleanup_(str_finish) struct str s = STR_NULL(16 * PATH_MAX);

        str_add_printable(&s, where);
        if (line > 0)
                str_addf(&s, ":%u", line);
        if (key)
                str_addf(&s, ": %.64s", key);
        str_adds(&s, ": ");
        str_adds(&s, text);
        str_addc(&s, '\n');
        str_adds(to, str_z(&s));
}

/* The file, or where one would be looked for. */
static const char *place(const struct load *l)
{
        if (l->file)
                return l->file;
        return l->tried[0] ? l->tried[0] : SYSTEM_FILE;
}

static void mistake(struct load *l, const struct value *v, const char *key, const char *text)
{
        /* The credential is the token: its key goes without saying. */
        const bool bare = v->where && str_eq(v->where, FROM_CREDENTIAL);

        l->mistakes++;
        remark(l->errors, v->where ? v->where : place(l), v->line, bare ? NULL : key, text);
}

/* The trusted groups: root's, and that of the packaged `/etc/ydsync/.env` (root:ydsync, 0640). */
static bool is_trusted_group(gid_t gid)
{
        struct group gr, *found = NULL;
        char buf[16384];

        if (gid == 0)
                return true;
        if (getgrgid_r(gid, &gr, buf, sizeof(buf), &found) != 0 || !found)
                return false;
        return str_eq(gr.gr_name, "ydsync");
}

static void warn_of_mode(struct load *l, const char *where, const char *path,
                         const struct stat *st)
{
        _cleanup_(str_finish) struct str s = STR_NULL(4 * PATH_MAX);
        const bool all = st->st_mode & S_IROTH;
        const bool plain = path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                             "0123456789/._~@%+=:,-")] == '\0';

        if (!all && (!(st->st_mode & S_IRGRP) || is_trusted_group(st->st_gid)))
                return;
        str_adds(&s, all ? tr("it holds the token, and everybody on this machine can read it")
                         : tr("it holds the token, and its whole group can read it"));
        str_adds(&s, ": chmod 600 ");
        str_adds(&s, plain ? "" : "'");
        str_add_printable(&s, path);
        str_adds(&s, plain ? "" : "'");
        remark(l->warnings, where, 0, NULL, str_z(&s));
}

/* As the product has it: root, the packaged service and its user share one file. */
static bool is_system(void)
{
        const char *state = getenv("STATE_DIRECTORY");
        struct passwd pw, *found = NULL;
        char buf[4096];

        if (geteuid() == 0 || (state && str_starts(state, "/var/lib/")))
                return true;
        return getpwuid_r(geteuid(), &pw, buf, sizeof(buf), &found) == 0 && found &&
               str_eq(pw.pw_name, "ydsync");
}

/* ---- the `.env` -------------------------------------------------------- */

static void env_failed(struct load *l, const struct err *err)
{
        char text[sizeof(err->text) + 128];

        snprintf(text, sizeof(text), "%s%s", err->text,
                 err->code == ENOENT   ? tr(": name one that exists, or copy .env.template there")
                 : err->code == EACCES ? tr(": let this user read it, or run as one who can")
                                       : "");
        mistake(l, &(struct value){0}, NULL, text);
        memset(l->told, true, sizeof(l->told)); /* what may stand in it is not missing */
}

/* Takes `path` as the `.env`.  -ENOENT: there is none, which is for the caller to judge. */
static int read_env(struct load *l, const char *path)
{
        _cleanup_(text_finish) struct text t = {0};
        struct err err = ERR_NONE;
        int r;

        r = text_read(&t, path, DOTENV_MAX, &err);
        if (r == -ENOENT)
                return r;
        l->file = str_dup(path);
        if (r < 0) {
                env_failed(l, &err);
                return 0;
        }
        if (!l->file || dotenv_parse(&l->env, t.s, t.len) < 0) {
                err_errno(&err, ENOMEM, "it cannot be read");
                env_failed(l, &err);
                return 0;
        }
        for (size_t i = 0; i < l->env.n_pairs; i++)
                if (str_eq(l->env.pairs[i].key, CONFIG_TOKEN) && *l->env.pairs[i].value)
                        warn_of_mode(l, path, path, &t.st);
        return 0;
}

/* A file that was named must be there. */
static void read_named_env(struct load *l, const char *path)
{
        struct err err = ERR_NONE;

        if (read_env(l, path) == 0)
                return;
        l->file = str_dup(path);
        err_set(&err, ENOENT, "there is no such file");
        env_failed(l, &err);
}

static void find_env(struct load *l, const char *named)
{
        const char *variable = getenv("YDSYNC_ENV");
        size_t n = 0;

        if (!named && variable && *variable)
                named = variable;
        if (named) {
                read_named_env(l, named);
                return;
        }
        if (is_system())
                l->tried[n++] = str_dup(SYSTEM_FILE);
        l->tried[n] = xdg_path("XDG_CONFIG_HOME", ".config", "ydsync/.env");
        for (size_t i = 0; i < ARRAY_SIZE(l->tried); i++)
                if (l->tried[i] && read_env(l, l->tried[i]) == 0)
                        return;
}

/* The parser's mistakes, and warnings of keys that mean nothing to us. */
static void judge_env(struct load *l)
{
        for (size_t i = 0; i < l->env.n_mistakes; i++) {
                const struct dotenv_mistake *m = &l->env.mistakes[i];
                const struct config_key *k = m->key ? config_key_find(m->key) : NULL;

                if (k)
                        l->told[k - config_key_table] = true;
                mistake(l, &(struct value){.where = l->file, .line = m->line}, m->key, m->text);
        }
        for (size_t i = 0; i < l->env.n_pairs; i++) {
                const struct dotenv_pair *p = &l->env.pairs[i];
                const char *nearest;
                char text[256];

                if (config_key_find(p->key))
                        continue;
                nearest = config_key_nearest(p->key);
                if (nearest)
                        snprintf(text, sizeof(text),
                                 tr("unknown key, it is ignored; did you mean %s?"), nearest);
                else
                        snprintf(text, sizeof(text), "%s", tr("unknown key, it is ignored"));
                remark(l->warnings, l->file, p->line, p->key, text);
        }
}

/* ---- the credential ---------------------------------------------------- */

/* Cuts off the line end that editors and `echo` leave; says why the rest is no token, or NULL. */
static const char *trim_credential(struct text *t)
{
        while (t->len > 0 && memchr(" \t\r\n", t->s[t->len - 1], 4))
                t->s[--t->len] = '\0';
        if (t->len > CONFIG_TOKEN_MAX)
                return tr("it is larger than any token: store the token alone in it");
        if (strlen(t->s) != t->len)
                return tr("there is a NUL byte in it: store the token alone in it");
        return NULL;
}

/* The token as systemd hands it over.  None at all is no mistake, nor is an empty one: that is what a
 * unit says that can do without (SetCredential=). */
static void read_credential(struct load *l)
{
        const char *dir = getenv("CREDENTIALS_DIRECTORY"), *fault;
        _cleanup_(freep) char *path = NULL;
        struct err err = ERR_NONE;
        int r;

        if (!dir || *dir != '/' || getenv(CONFIG_TOKEN) ||
            asprintf(&path, "%s/" CONFIG_CREDENTIAL, dir) < 0)
                return;
        r = text_read(&l->token, path, CONFIG_TOKEN_MAX, &err);
        if (r == -ENOENT)
                return;
        fault = r < 0 ? err.text : trim_credential(&l->token);
        if (!fault && l->token.len == 0) {
                text_finish(&l->token);
                return;
        }
        if (!fault) {
                warn_of_mode(l, FROM_CREDENTIAL, path, &l->token.st);
                return;
        }
        mistake(l, &(struct value){.where = FROM_CREDENTIAL}, NULL, fault);
        l->told[config_key_find(CONFIG_TOKEN) - config_key_table] = true;
        text_finish(&l->token);
}

/* ---- the values -------------------------------------------------------- */

/* Where the key's value comes from: the first that has it. */
static struct value find_value(const struct load *l, const struct config_key *k)
{
        const char *env = getenv(k->name);

        if (env)
                return (struct value){.text = env, .where = FROM_ENVIRONMENT};
        if (l->token.s && str_eq(k->name, CONFIG_TOKEN))
                return (struct value){.text = l->token.s, .where = FROM_CREDENTIAL};
        for (size_t i = 0; i < l->env.n_pairs; i++)
                if (str_eq(l->env.pairs[i].key, k->name))
                        return (struct value){
                                .text = l->env.pairs[i].value,
                                .where = l->file,
                                .line = l->env.pairs[i].line,
                        };
        return (struct value){0};
}

static void load_value(struct load *l, const struct config_key *k, const struct value *v)
{
        struct err err = ERR_NONE;

        if (k->read(k, v->text, &l->c, &err) < 0)
                mistake(l, v, k->name, err.text);
}

static void missing(struct load *l, const struct config_key *k, const struct value *v,
                    const char *how)
{
        struct err err = ERR_NONE;

        if (l->told[k - config_key_table])
                return;
        err_set(&err, EINVAL, "%s: write %s", tr(how), tr(k->write));
        mistake(l, v, k->name, err.text);
}

/* The state folder is the service's if its `.env` is, also for one who asks from a shell. */
static char *load_derived(const struct load *l, const struct config_key *k)
{
        char *dir = NULL;

        if (!k->derive)
                return NULL;
        if (!getenv("STATE_DIRECTORY") && is_system())
                dir = system_state_dir(l->file);
        return dir ? dir : k->derive();
}

/* Nothing was written for this key. */
static void load_default(struct load *l, const struct config_key *k, const struct value *v)
{
        _cleanup_(freep) char *derived = load_derived(l, k);

        if (l->client && str_eq(k->name, CONFIG_TOKEN))
                return;
        if (k->fallback)
                load_value(l, k, &(struct value){k->fallback, "default", 0});
        else if (derived)
                load_value(l, k, &(struct value){derived, FROM_ENVIRONMENT, 0});
        else if (k->derive)
                missing(l, k, v, N_("it is not set, and the home folder is not known"));
        else if (k->required)
                missing(l, k, v, v->text ? N_("it is empty") : N_("it is missing"));
}

/* Before the first "it is missing": there is not even a file. */
static void say_no_file(struct load *l)
{
        struct str s = STR_NULL(4 * PATH_MAX);

        str_adds(&s, tr("there is no such file"));
        if (l->tried[0] && l->tried[1]) {
                str_adds(&s, tr(", nor "));
                str_add_printable(&s, l->tried[1]);
        }
        str_adds(&s, tr(": copy .env.template there and fill it in"));
        mistake(l, &(struct value){0}, NULL, str_z(&s));
        str_finish(&s);
}

/* What the state folder will be; NULL when that is not known.  What is wrong with it is said later. */
static char *peek_state_dir(struct load *l)
{
        const struct config_key *k = config_key_find("YDSYNC_STATE_DIR");
        const struct value *v = &l->at[k - config_key_table];
        _cleanup_(freep) char *derived = load_derived(l, k);
        const char *text = v->text && *v->text ? v->text : derived;
        struct config scratch = {0};
        struct err err = ERR_NONE;

        return text && k->read(k, text, &scratch, &err) == 0 ? scratch.state_dir : NULL;
}

/* No token was written: the one that `login` got, which it has left in the state folder. */
static void load_sign_in(struct load *l, const struct config_key *k, const struct value *v)
{
        _cleanup_(freep) char *state_dir = l->client ? NULL : peek_state_dir(l);
        struct err err = ERR_NONE;
        struct grant grant;
        int r = state_dir ? grant_read(&grant, state_dir, &err) : -ENOENT;

        if (r == 0) {
                l->c.token = TAKE_PTR(grant.access);
                l->c.signed_in = true;
                grant_finish(&grant);
        } else if (r == -ENOENT || r == -ENOTDIR) {
                load_default(l, k, v);
        } else {
                mistake(l, v, k->name, err.text);
        }
}

static void load_values(struct load *l)
{
        bool any_missing = false;

        for (size_t i = 0; i < CONFIG_KEYS; i++) {
                l->at[i] = find_value(l, &config_key_table[i]);
                any_missing |= config_key_table[i].required && !l->at[i].text && !l->told[i];
        }
        if (any_missing && !l->file)
                say_no_file(l);
        for (size_t i = 0; i < CONFIG_KEYS; i++) {
                const struct value *v = &l->at[i];

                if (v->text && *v->text)
                        load_value(l, &config_key_table[i], v);
                else if (str_eq(config_key_table[i].name, CONFIG_TOKEN))
                        load_sign_in(l, &config_key_table[i], v);
                else
                        load_default(l, &config_key_table[i], v);
        }
}

/* ---- folders must lie apart -------------------------------------------- */

char *config_resolve(const char *path)
{
        _cleanup_(freep) char *head = str_dup(path);
        char *whole = NULL;

        for (size_t n = strlen(path); head && n > 0;) {
                _cleanup_(freep) char *real = realpath(head, NULL);

                if (real)
                        return asprintf(&whole, "%s%s", str_eq(real, "/") ? "" : real,
                                        path + n) < 0 ? NULL : whole;
                while (n > 0 && head[--n] != '/')
                        ;
                head[n] = '\0';
        }
        return str_dup(path);
}

/* A log or a state file below the watched folder would change with every pass that mirrors it. */
static void check_apart(struct load *l, const char *key, const char *dir)
{
        const struct config_key *k = config_key_find("PATH_TO_FOLDER_ON_PC");
        _cleanup_(str_finish) struct str text = STR_NULL(8 * PATH_MAX);
        _cleanup_(str_finish) struct str shown = STR_NULL(4 * PATH_MAX);
        _cleanup_(freep) char *watched = NULL, *other = NULL;
        const char *fault;

        if (!l->c.folder || !dir)
                return;
        watched = config_resolve(l->c.folder);
        other = config_resolve(dir);
        if (!watched || !other)
                fault = tr("cannot be compared with it for lack of memory");
        else if (str_eq(watched, other) || entry_key_below(other, watched))
                fault = tr("lies in it, and ydsync would mirror its own files for ever");
        else
                return;
        str_add_printable(&shown, dir);
        str_addf(&text, tr("the folder of %s, \"%s\", %s: write another folder for one of the two"),
                 key, str_z(&shown), fault);
        mistake(l, &l->at[k - config_key_table], k->name, str_z(&text));
}

/* ---- the way in and out ------------------------------------------------ */

void config_finish(struct config *c)
{
        if (c->token)
                mem_wipe(c->token, strlen(c->token));
        if (c->client_secret)
                mem_wipe(c->client_secret, strlen(c->client_secret));
        free(c->file);
        free(c->token);
        free(c->folder);
        free(c->cloud);
        free(c->log_dir);
        free(c->state_dir);
        free(c->api_url);
        free(c->oauth_url);
        free(c->client_id);
        free(c->client_secret);
        free(c->exclude);
        *c = (struct config){0};
}

int config_copy(struct config *ret, const struct config *from)
{
        struct config c = *from;
        int r = 0;

        c.file = str_dup(from->file);
        if (from->file && !c.file)
                r = -ENOMEM;
        for (size_t i = 0; i < CONFIG_KEYS; i++) {
                const struct config_key *k = &config_key_table[i];

                if (k->text) /* what is there is not ours to free */
                        *(char **)((char *)&c + k->offset) = NULL;
        }
        for (size_t i = 0; r == 0 && i < CONFIG_KEYS; i++)
                r = config_key_copy(&config_key_table[i], &c, from);
        if (r < 0)
                config_finish(&c);
        else
                *ret = c;
        return r;
}

static void load_finish(struct load *l)
{
        config_finish(&l->c);
        dotenv_finish(&l->env);
        text_finish(&l->token);
        free(l->file);
        free(l->tried[0]);
        free(l->tried[1]);
}

static int load(struct config *ret, const char *env_file, bool client, struct str *errors,
                struct str *warnings)
{
        _cleanup_(load_finish) struct load l = {
                .errors = errors, .warnings = warnings, .client = client};

        find_env(&l, env_file);
        judge_env(&l);
        read_credential(&l);
        load_values(&l);
        check_apart(&l, "YDSYNC_STATE_DIR", l.c.state_dir);
        check_apart(&l, "PATH_FILE_LOG", l.c.log_dir);
        if (l.mistakes > 0)
                return -EINVAL;
        l.c.file = TAKE_PTR(l.file);
        for (size_t i = 0; i < CONFIG_KEYS; i++)
                l.c.lines[i] = l.at[i].line;
        *ret = l.c;
        l.c = (struct config){0};
        return 0;
}

int config_load(struct config *ret, const char *env_file, struct str *errors, struct str *warnings)
{
        return load(ret, env_file, false, errors, warnings);
}

int config_load_for_client(struct config *ret, const char *env_file, struct str *errors,
                           struct str *warnings)
{
        return load(ret, env_file, true, errors, warnings);
}
