/* SPDX-License-Identifier: MIT */

#include "daemon/grant.h"

#include "lib/base/die.h"
#include "lib/base/str.h"
#include "lib/yadisk/oauth.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define GRANT_FILE_MAX (64 * 1024)

void grant_finish(struct grant *g)
{
        oauth_wipe(g->access);
        oauth_wipe(g->refresh);
        oauth_wipe(g->secret);
        free(g->client);
        *g = (struct grant){0};
}

static void grant_note_file(struct grant *g, const struct stat *st)
{
        g->ino = st->st_ino;
        g->mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* ---- reading ---------------------------------------------------------------------------------- */

static int64_t grant_number(const cJSON *json, const char *name)
{
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

        return cJSON_IsNumber(item) && item->valuedouble > 0 && item->valuedouble < 1e15
                       ? (int64_t)item->valuedouble
                       : 0;
}

static bool grant_parse(struct grant *g, const char *text, size_t len)
{
        cJSON *json = cJSON_ParseWithLength(text, len);

        g->access = oauth_string(json, "access_token", OAUTH_TEXT_MAX);
        g->refresh = oauth_string(json, "refresh_token", OAUTH_TEXT_MAX);
        g->client = oauth_string(json, "client_id", OAUTH_TEXT_MAX);
        g->secret = oauth_string(json, "client_secret", OAUTH_TEXT_MAX);
        g->since_s = grant_number(json, "since");
        g->until_s = grant_number(json, "until");
        for (cJSON *item = json ? json->child : NULL; item; item = item->next)
                if (cJSON_IsString(item) && item->valuestring)
                        mem_wipe(item->valuestring, strlen(item->valuestring));
        cJSON_Delete(json);
        return g->access && g->refresh && g->client && g->since_s > 0 && g->until_s > g->since_s;
}

static char *grant_path(const char *state_dir, struct err *err)
{
        char *path = NULL;

        if (asprintf(&path, "%s/" GRANT_NAME, state_dir) >= 0)
                return path;
        err_set(err, ENOMEM, "no memory");
        return NULL;
}

static int grant_take(struct grant *ret, int fd, const char *path, struct err *err)
{
        char text[GRANT_FILE_MAX];
        ssize_t n = read(fd, text, sizeof(text));
        bool good;

        if (n < 0)
                return err_errno(err, errno, "cannot read %s", path);
        good = (size_t)n < sizeof(text) && grant_parse(ret, text, (size_t)n);
        mem_wipe(text, (size_t)n);
        if (good)
                return 0;
        grant_finish(ret);
        return err_set(err, EUCLEAN, "%s is not what `ydsync login` has written: sign in again with "
                                     "`ydsync login`", path);
}

int grant_read(struct grant *ret, const char *state_dir, struct err *err)
{
        _cleanup_(freep) char *path = grant_path(state_dir, err);
        _cleanup_(closep) int fd = -1;
        struct stat st;
        int r;

        *ret = (struct grant){0};
        if (!path)
                return -ENOMEM;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0 || fstat(fd, &st) < 0)
                return err_errno(err, errno, "cannot read %s", path);
        if (!S_ISREG(st.st_mode) || (st.st_mode & 077))
                return err_set(err, EUCLEAN, "%s must be a file that its owner alone can read: chmod "
                                             "600, or sign in again with `ydsync login`", path);
        r = grant_take(ret, fd, path, err);
        if (r == 0)
                grant_note_file(ret, &st);
        return r;
}

bool grant_is_stale(const struct grant *g, const char *state_dir)
{
        _cleanup_(freep) char *path = grant_path(state_dir, NULL);
        struct grant now = {0};
        struct stat st;

        if (!path || lstat(path, &st) < 0)
                return false;
        grant_note_file(&now, &st);
        return now.ino != g->ino || now.mtime_ns != g->mtime_ns;
}

/* ---- writing ---------------------------------------------------------------------------------- */

static char *grant_print(const struct grant *g)
{
        cJSON *json = cJSON_CreateObject();
        char *text;

        cJSON_AddStringToObject(json, "access_token", g->access);
        cJSON_AddStringToObject(json, "refresh_token", g->refresh);
        cJSON_AddStringToObject(json, "client_id", g->client);
        if (g->secret)
                cJSON_AddStringToObject(json, "client_secret", g->secret);
        cJSON_AddNumberToObject(json, "since", (double)g->since_s);
        cJSON_AddNumberToObject(json, "until", (double)g->until_s);
        text = cJSON_Print(json);
        for (cJSON *item = json ? json->child : NULL; item; item = item->next)
                if (cJSON_IsString(item) && item->valuestring)
                        mem_wipe(item->valuestring, strlen(item->valuestring));
        cJSON_Delete(json);
        return text;
}

static bool grant_write_all(int fd, const char *text)
{
        size_t left = strlen(text);

        while (left > 0) {
                ssize_t n = write(fd, text, left);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return false;
                text += n;
                left -= (size_t)n;
        }
        return true;
}

/* Signed in by root, it is read by the user that the daemon runs as. */
static bool grant_give(int dir, int fd)
{
        struct stat st;

        return geteuid() != 0 || (fstat(dir, &st) == 0 && fchown(fd, st.st_uid, st.st_gid) == 0);
}

int grant_write(struct grant *g, const char *state_dir, struct err *err)
{
        _cleanup_(oauth_wipep) char *text = grant_print(g);
        _cleanup_(closep) int dir = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(closep) int fd = -1;
        struct stat st;
        bool done;

        if (!text)
                return err_set(err, ENOMEM, "no memory");
        if (dir < 0)
                return err_errno(err, errno, "the tokens cannot be kept in %s", state_dir);
        unlinkat(dir, GRANT_NAME ".new", 0);
        fd = openat(dir, GRANT_NAME ".new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                    0600);
        die_step();
        done = fd >= 0 && grant_give(dir, fd) && grant_write_all(fd, text) && fsync(fd) == 0 &&
               fstat(fd, &st) == 0 &&
               renameat(dir, GRANT_NAME ".new", dir, GRANT_NAME) == 0 && fsync(dir) == 0;
        die_step();
        if (!done)
                return err_errno(err, errno, "the tokens cannot be kept in %s", state_dir);
        grant_note_file(g, &st);
        return 0;
}

/* ---- its life --------------------------------------------------------------------------------- */

bool grant_is_due(const struct grant *g, int64_t now_s)
{
        return now_s < g->since_s || now_s - g->since_s >= (g->until_s - g->since_s) / 4;
}
