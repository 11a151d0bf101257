/* SPDX-License-Identifier: MIT */

/*
 * The life of a sign-in: the file `token` as somebody may have left it, then any answers of the OAuth
 * service, and other files in between.  Whatever they say: the token that is in force can go into a
 * header, what was got by renewing is in the file before it is used, and what cannot be read there
 * leaves what was good as it was.
 *
 * The bytes: a file up to a NUL, then steps, each a byte that says which, and what goes with it up to
 * the next NUL.
 */

#include "daemon/grant.h"
#include "daemon/keeper.h"
#include "daemon/oauth_call.h"
#include "lib/base/str.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEPS_MAX 8

static char folder[] = "grant"; /* in the folder that the runner has made for us */
static uv_loop_t loop;

/* What the service answers next, and what became of it. */
static struct {
        long status; /* 0: nothing comes */
        char *body;
} reply;
static enum keeper_end ended;
static bool has_ended;

static void remove_all(void)
{
        unlink("grant/" GRANT_NAME);
        unlink("grant/" GRANT_NAME ".new");
        rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
        (void)argc, (void)argv;
        must(mkdir(folder, 0700) == 0 || errno == EEXIST);
        must(uv_loop_init(&loop) == 0);
        atexit(remove_all);
        return 0;
}

/* In place of the network. */
int oauth_post(const char *base, const char *path, const struct str *form, const atomic_bool *stop,
               struct str *ret, long *ret_status, struct err *err)
{
        must(str_eq(base, "https://oauth") && str_eq(path, "/token"));
        must(!form->failed && str_starts(str_z(form), "grant_type=refresh_token&client_id="));
        must(!strpbrk(str_z(form), " \r\n\t"));
        must(!atomic_load(stop));
        if (reply.status == 0)
                return err_set(err, EIO, "nothing came");
        str_adds(ret, reply.body);
        *ret_status = reply.status;
        return 0;
}

void oauth_wipe_str(struct str *s)
{
        str_finish(s);
}

/* ---- what holds ------------------------------------------------------------------------------- */

static void check_secret(const char *s)
{
        must(*s && strlen(s) <= 4096);
        for (; *s; s++)
                must(*s > ' ' && *s < 0x7f);
}

static void check_grant(const struct grant *g)
{
        check_secret(g->access);
        check_secret(g->refresh);
        check_secret(g->client);
        if (g->secret)
                check_secret(g->secret);
        must(g->since_s > 0 && g->until_s > g->since_s);
        must(grant_is_due(g, g->until_s) && grant_is_due(g, g->since_s - 1));
        must(!grant_is_stale(g, folder));
}

static void check_same(const struct grant *a, const struct grant *b)
{
        must(str_eq(a->access, b->access) && str_eq(a->refresh, b->refresh));
        must(str_eq(a->client, b->client) && !a->secret == !b->secret);
        must(!a->secret || str_eq(a->secret, b->secret));
        must(a->since_s == b->since_s && a->until_s == b->until_s);
}

/* Whatever the file holds: a grant that reads the same when it was written anew, or nothing. */
static void check_file(void)
{
        struct grant g, again;
        struct err err = ERR_NONE;
        int r = grant_read(&g, folder, &err);

        if (r < 0) {
                must(*err.text && !g.access && !g.refresh && !g.client && !g.secret);
                return;
        }
        check_grant(&g);
        must(grant_write(&g, folder, &err) == 0);
        must(!grant_is_stale(&g, folder));
        must(grant_read(&again, folder, &err) == 0);
        check_same(&g, &again);
        grant_finish(&again);
        grant_finish(&g);
}

/* A token that was got is in the file by now. */
static void check_kept(const char *token)
{
        struct grant g;

        must(grant_read(&g, folder, NULL) == 0);
        must(str_eq(g.access, token));
        check_grant(&g);
        grant_finish(&g);
}

/* ---- steps ------------------------------------------------------------------------------------ */

static void write_file(const char *text)
{
        int fd = open("grant/" GRANT_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        size_t len = strlen(text);

        must(fd >= 0);
        must(write(fd, text, len) == (ssize_t)len);
        close(fd);
}

static void on_done(void *userdata, enum keeper_end end)
{
        must(userdata == &loop && !has_ended);
        ended = end;
        has_ended = true;
}

static void look(struct keeper *k, bool refused)
{
        char *before = str_dup(keeper_token(k));
        bool told;

        has_ended = false;
        told = keeper_look(k, refused, on_done, &loop);
        uv_run(&loop, UV_RUN_DEFAULT);
        must(told == has_ended);
        if (keeper_token(k))
                check_secret(keeper_token(k));
        if (has_ended && ended == KEEPER_CHANGED)
                check_kept(keeper_token(k));
        else
                must(!before || str_eq(before, keeper_token(k)));
        must(!has_ended || keeper_token(k));
        free(before);
}

static void step(struct keeper *k, uint8_t what, const char *text)
{
        static const long statuses[] = {200, 0, 400, 401, 200, 403, 500, 200};

        switch (what % 4) {
        case 0:
                write_file(text);
                look(k, false);
                break;
        case 1:
                unlink("grant/" GRANT_NAME);
                look(k, false);
                break;
        default:
                reply.status = statuses[what / 4 % 8];
                reply.body = (char *)text;
                look(k, what % 4 == 2);
                reply.status = 0;
                break;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct config config = {.state_dir = folder, .oauth_url = (char *)"https://oauth"};
        struct input in = {.at = data, .left = size};
        char *text = input_until(&in, '\0');
        struct keeper *k = keeper_create(&loop, &config);

        must(k);
        write_file(text);
        free(text);
        check_file();
        look(k, false);
        for (int i = 0; i < STEPS_MAX && in.left > 0; i++) {
                uint8_t what = input_byte(&in);

                text = input_until(&in, '\0');
                step(k, what, text);
                free(text);
        }
        keeper_close(k);
        return 0;
}
