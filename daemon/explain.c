/* SPDX-License-Identifier: MIT */

#include "daemon/explain.h"

#include "daemon/root.h"
#include "lib/core/entry.h"
#include "lib/core/match.h"
#include "lib/engine/beneath.h"
#include "lib/engine/source.h"
#include "lib/engine/walk.h"
#include "lib/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <time.h>

struct explain {
        const struct config *config;
        const char *key;
        struct root root;
        struct entry here;       /* KIND_NONE with err: why it cannot be seen */
        bool known;
        struct entry row;
        bool adopted;            /* the snapshot describes the cloud */
        struct match *match;
        char *excluded;          /* the key that is left out: it, or a folder above; NULL: none */
        struct match_why why;
        char *ignore_at;         /* a folder whose .ydignore cannot be read, … */
        int ignore_err;          /* … and why */
};

/* ---- paths ------------------------------------------------------------------------------------ */

/* `path` without empty and "." components, and with ".." taken back. */
static char *explain_clean(const char *path)
{
        struct str s = STR_NULL(1 << 20);

        for (size_t n; *path; path += n + (path[n] == '/')) {
                n = strcspn(path, "/");
                if (n == 0 || (n == 1 && *path == '.'))
                        continue;
                if (n == 2 && path[0] == '.' && path[1] == '.') {
                        const char *slash = s.len ? strrchr(s.s, '/') : NULL;

                        str_truncate(&s, slash ? (size_t)(slash - s.s) : 0);
                        continue;
                }
                str_addc(&s, '/');
                str_add(&s, path, n);
        }
        str_adds(&s, "");
        return str_take(&s);
}

/* What is below `folder`, both clean; NULL: it is not. */
static const char *explain_below(const char *clean, const char *folder)
{
        size_t n = strlen(folder);

        if (strncmp(clean, folder, n) != 0 || (clean[n] != '\0' && clean[n] != '/'))
                return NULL;
        return clean + n + (clean[n] == '/');
}

int explain_key(const struct config *config, const char *path, char **ret, struct err *err)
{
        _cleanup_(str_finish) struct str whole = STR_NULL(1 << 20);
        _cleanup_(freep) char *real = realpath(config->folder, NULL);
        _cleanup_(freep) char *folder = explain_clean(config->folder);
        _cleanup_(freep) char *clean = NULL;
        const char *below;

        if (*path != '/') {
                str_adds(&whole, config->folder);
                str_addc(&whole, '/');
        }
        str_adds(&whole, path);
        clean = whole.failed ? NULL : explain_clean(str_z(&whole));
        if (!folder || !clean)
                return err_set(err, ENOMEM, "no memory");
        below = explain_below(clean, folder);
        if (!below && real) /* it is named by another way there */
                below = explain_below(clean, str_eq(real, "/") ? "" : real);
        if (!below)
                return err_set(err, EINVAL, "%s is not in the watched folder %s", path,
                               config->folder);
        *ret = str_dup(below);
        return *ret ? 0 : err_set(err, ENOMEM, "no memory");
}

/* ---- looking ---------------------------------------------------------------------------------- */

/* The patterns of the folder `dir`. */
static void explain_enter(struct explain *e, const char *dir)
{
        _cleanup_(freep) char *buffer = malloc(WALK_IGNORE_SIZE);
        _cleanup_(closep) int fd = beneath_open(e->root.fd, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
                                                e->config->follow);
        ssize_t n = fd >= 0 && buffer ? walk_read_ignore(fd, buffer) : -ENOENT;

        if (n >= 0)
                n = match_enter(e->match, dir, buffer, (size_t)n);
        if (n < 0 && n != -ENOENT) {
                e->ignore_at = str_dup(dir);
                e->ignore_err = (int)-n;
        }
}

/* Whether the first `n` bytes of the key name something that a pattern leaves out. */
static void explain_judge(struct explain *e, size_t n)
{
        _cleanup_(freep) char *at = strndup(e->key, n);
        bool is_dir = e->key[n] == '/' || e->here.kind == KIND_DIR ||
                      (e->here.kind == KIND_NONE && e->known && e->row.kind == KIND_DIR);

        if (at && match_explain(e->match, at, is_dir, &e->why))
                e->excluded = TAKE_PTR(at);
}

/* Goes down to the key as the walk does, until something is left out. */
static void explain_rules(struct explain *e)
{
        size_t len = strlen(e->key), n = 0;

        while (n < len && !e->excluded) {
                _cleanup_(freep) char *dir = strndup(e->key, n);

                if (!dir)
                        return;
                explain_enter(e, dir);
                if (e->ignore_at)
                        return;
                n += n > 0;
                n += strcspn(e->key + n, "/");
                explain_judge(e, n);
        }
}

static void explain_look(struct explain *e)
{
        struct source_root root = {.fd = e->root.fd, .follow = e->config->follow};
        int r = *e->key ? source_look(&root, e->key, &e->here) : beneath_look(e->root.fd, "", &e->here);

        if (r < 0) {
                e->here = (struct entry){.kind = KIND_NONE, .err = -r};
        } else if (e->here.kind == KIND_FILE || e->here.kind == KIND_DIR) {
                _cleanup_(closep) int fd = beneath_open(e->root.fd, e->key,
                                                        O_RDONLY | O_NONBLOCK | O_NOFOLLOW |
                                                                O_NOCTTY,
                                                        e->config->follow);

                e->here.err = fd < 0 ? -fd : 0;
        }
}

/* No snapshot is as good as one that knows nothing. */
static int explain_snapshot(struct explain *e, struct err *err)
{
        _cleanup_(store_closep) struct store *store = NULL;
        _cleanup_(freep) char *adopted = NULL;
        int r = store_open(&store, e->config->state_dir, STORE_READ_ONLY, err);

        if (r == -ENOENT)
                return 0;
        if (r == 0)
                r = store_meta_get(store, "adopted", &adopted, err);
        if (r == 0)
                r = store_get(store, e->key, &e->row, err);
        e->adopted = adopted;
        e->known = r > 0;
        return r < 0 ? r : 0;
}

/* ---- what follows ----------------------------------------------------------------------------- */

static bool explain_young(const struct explain *e)
{
        struct timespec ts;

        clock_gettime(CLOCK_REALTIME, &ts);
        return e->here.kind == KIND_FILE &&
               e->here.stamp.ctime_ns > (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec -
                                                e->config->settle_ms * 1000000;
}

static const char *explain_known(const struct explain *e, const char **ret_why)
{
        const struct entry *row = &e->row, *here = &e->here;

        if (row->kind != here->kind) {
                *ret_why = N_("it was something else when it was mirrored; the next pass replaces it");
                return N_("changed");
        }
        if (here->kind == KIND_DIR) {
                *ret_why = N_("it stands in the cloud");
                return EXPLAIN_UNCHANGED;
        }
        if (row->size != here->size || !entry_stamp_eq(&row->stamp, &here->stamp)) {
                *ret_why = N_("it is another than what was sent; the next pass compares and sends it");
                return N_("changed");
        }
        *ret_why = row->flags & ENTRY_UNVERIFIED
                           ? N_("it was sent, and is yet to be compared with what arrived")
                           : N_("it stands in the cloud as it is here");
        return EXPLAIN_UNCHANGED;
}

static const char *explain_absent(const struct explain *e, const char **ret_why)
{
        if (e->here.err && e->here.err != ENOENT && e->here.err != ENOTDIR &&
            e->here.err != ENAMETOOLONG) {
                *ret_why = e->known ? N_("it cannot be seen; its copy in the cloud stays")
                                    : N_("it cannot be seen");
                return N_("unreadable");
        }
        if (e->known) {
                *ret_why = N_("it is no longer here; the next pass moves its copy to the Trash");
                return EXPLAIN_GONE;
        }
        *ret_why = N_("it is neither here nor known to be in the cloud");
        return N_("unknown");
}

static const char *explain_present(const struct explain *e, const char **ret_why)
{
        const char *unfit = entry_key_unfit(e->key);

        if (e->here.kind == KIND_OTHER) {
                *ret_why = N_("only regular files and folders are mirrored");
                return N_("left out");
        }
        if (unfit) {
                *ret_why = unfit;
                return N_("left out");
        }
        if (e->here.err) {
                *ret_why = N_("it cannot be read; it is mirrored once it can be");
                return N_("unreadable");
        }
        if (e->known)
                return explain_known(e, ret_why);
        *ret_why = explain_young(e) ? N_("it was changed a moment ago, and waits until it rests")
                                    : N_("it is new; the next pass takes it up");
        return explain_young(e) ? N_("settling") : N_("new");
}

static const char *explain_state(const struct explain *e, const char **ret_why)
{
        if (!*e->key) {
                *ret_why = N_("it is the watched folder itself");
                return EXPLAIN_UNCHANGED;
        }
        if (e->ignore_at) {
                *ret_why = N_("the .ydignore that stands above it cannot be read, so that nothing of "
                              "that folder is looked at");
                return N_("unreadable");
        }
        if (e->excluded) {
                *ret_why = e->known ? N_("a pattern leaves it out; its copy in the cloud stays as it is")
                                    : N_("a pattern leaves it out");
                return N_("left out");
        }
        return e->here.kind == KIND_NONE ? explain_absent(e, ret_why) : explain_present(e, ret_why);
}

/* ---- JSON ------------------------------------------------------------------------------------- */

static const char *explain_kind(const struct entry *e)
{
        switch (e->kind) {
        case KIND_FILE:
                return N_("file");
        case KIND_DIR:
                return N_("folder");
        case KIND_OTHER:
                return N_("other");
        case KIND_NONE:
                break;
        }
        return N_("nothing");
}

static void explain_words(cJSON *o, const char *name, const char *text)
{
        _cleanup_(str_finish) struct str s = STR_NULL(1 << 18);

        str_add_printable(&s, text);
        cJSON_AddStringToObject(o, name, str_z(&s));
}

static void explain_add_entry(cJSON *o, const char *name, const struct entry *e)
{
        cJSON *one = cJSON_AddObjectToObject(o, name);
        char text[33];
        struct tm tm;
        time_t seconds = (time_t)(e->stamp.mtime_ns / 1000000000);

        cJSON_AddStringToObject(one, "kind", explain_kind(e));
        if (e->err)
                cJSON_AddStringToObject(one, "error", strerror(e->err));
        if (e->kind != KIND_FILE)
                return;
        cJSON_AddNumberToObject(one, "bytes", (double)e->size);
        if (gmtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
                cJSON_AddStringToObject(one, "modified", text);
        if (!e->has_md5)
                return;
        str_hex(text, e->md5, 16);
        cJSON_AddStringToObject(one, "md5", text);
}

static void explain_add_rule(cJSON *o, const struct explain *e)
{
        _cleanup_(str_finish) struct str source = STR_NULL(1 << 18);
        cJSON *rule;

        if (!e->excluded)
                return;
        if (e->why.line)
                str_addf(&source, "%s%s" WALK_IGNORE_NAME ":%u", e->why.dir, *e->why.dir ? "/" : "",
                         e->why.line);
        else
                str_adds(&source, "YDSYNC_EXCLUDE");
        rule = cJSON_AddObjectToObject(o, "rule");
        explain_words(rule, "pattern", e->why.pattern);
        explain_words(rule, "source", str_z(&source));
        explain_words(rule, "leaves_out", e->excluded);
}

static cJSON *explain_json(const struct explain *e)
{
        cJSON *o = cJSON_CreateObject();
        const char *why = "", *state = explain_state(e, &why);

        explain_words(o, "path", e->key);
        cJSON_AddStringToObject(o, "state", state);
        cJSON_AddStringToObject(o, "why", why);
        explain_add_entry(o, "here", &e->here);
        if (e->known)
                explain_add_entry(o, "known", &e->row);
        explain_add_rule(o, e);
        if (!e->adopted)
                cJSON_AddStringToObject(o, "note", N_("the folder was not compared with the cloud yet"));
        return o;
}

static void explain_finish(struct explain *e)
{
        root_close(&e->root);
        match_destroy(e->match);
        free(e->excluded);
        free(e->ignore_at);
}

int explain_path(const struct config *config, const char *key, cJSON **ret, struct err *err)
{
        _cleanup_(explain_finish) struct explain e = {.config = config, .key = key, .root.fd = -1};
        int r = root_open(&e.root, config->folder, err);

        if (r == 0)
                r = match_create(&e.match, config->exclude, err);
        if (r == 0)
                r = explain_snapshot(&e, err);
        if (r < 0)
                return r;
        explain_look(&e);
        explain_rules(&e);
        *ret = explain_json(&e);
        return 0;
}

/* ---- text ------------------------------------------------------------------------------------- */

static const char *explain_s(const cJSON *o, const char *name)
{
        const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, name));

        return s ? s : "";
}

static void explain_text_entry(struct str *s, const char *name, const cJSON *one)
{
        const cJSON *bytes = cJSON_GetObjectItemCaseSensitive(one, "bytes");

        if (!one)
                return;
        str_add_padded(s, tr(name), 11);
        str_adds(s, tr(explain_s(one, "kind")));
        if (bytes) {
                str_addf(s, tr(", %.0f B, of %s"), cJSON_GetNumberValue(bytes), explain_s(one, "modified"));
                if (*explain_s(one, "md5"))
                        str_addf(s, ", md5 %s", explain_s(one, "md5"));
        }
        if (*explain_s(one, "error"))
                str_addf(s, " (%s)", explain_s(one, "error"));
        str_addc(s, '\n');
}

static void explain_row(struct str *s, const char *name, const char *text)
{
        str_add_padded(s, tr(name), 11);
        str_addf(s, "%s\n", text);
}

void explain_text(struct str *ret, const cJSON *o)
{
        const cJSON *rule = cJSON_GetObjectItemCaseSensitive(o, "rule");
        const cJSON *failing = cJSON_GetObjectItemCaseSensitive(o, "failing");
        _cleanup_(str_finish) struct str when = STR_NULL(64);
        double next;

        explain_row(ret, N_("path"), explain_s(o, "path"));
        str_add_padded(ret, tr("state"), 11);
        str_addf(ret, "%s: %s\n", tr(explain_s(o, "state")), tr(explain_s(o, "why")));
        if (rule) {
                str_add_padded(ret, tr("rule"), 11);
                str_addf(ret, tr("%s (%s), which leaves out %s\n"), explain_s(rule, "pattern"),
                         explain_s(rule, "source"), explain_s(rule, "leaves_out"));
        }
        explain_text_entry(ret, N_("here"), cJSON_GetObjectItemCaseSensitive(o, "here"));
        explain_text_entry(ret, N_("in cloud"), cJSON_GetObjectItemCaseSensitive(o, "known"));
        if (failing) {
                next = cJSON_GetNumberValue(
                        cJSON_GetObjectItemCaseSensitive(failing, "next_try_seconds"));
                str_add_padded(ret, tr("tried"), 11);
                str_add_span(&when, next > 0 && next < 1e9 ? (int64_t)next * 1000 : 0);
                str_addf(ret, tr("%.0f times; next try in %s, or when it changes\n"),
                         cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(failing, "times")),
                         str_z(&when));
        }
        if (*explain_s(o, "note"))
                explain_row(ret, N_("note"), tr(explain_s(o, "note")));
}
