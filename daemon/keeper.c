/* SPDX-License-Identifier: MIT */

#include "daemon/keeper.h"

#include "daemon/event.h"
#include "daemon/grant.h"
#include "daemon/oauth_call.h"
#include "lib/base/die.h"
#include "lib/yadisk/oauth.h"

#include <errno.h>
#include <stdatomic.h>
#include <time.h>

#define KEEPER_AGAIN_MS 600000 /* between two tries of renewing in time: there is plenty of it */

struct keeper {
        uv_loop_t *loop;
        char *state_dir, *oauth_url;
        struct grant grant;
        bool read;           /* `grant` is there … */
        bool unwritten;      /* … and newer than the file, which could not be written */
        int64_t next_ms;     /* of uv_hrtime(): no try before that */
        char said[256];      /* what went wrong last; "": nothing */
        uv_work_t work;
        bool working, closing, refused;
        atomic_bool stop;
        int result;
        struct err err;
        void (*done)(void *userdata, enum keeper_end end);
        void *userdata;
};

static void keeper_free(struct keeper *k)
{
        grant_finish(&k->grant);
        free(k->state_dir);
        free(k->oauth_url);
        free(k);
}

struct keeper *keeper_create(uv_loop_t *loop, const struct config *config)
{
        struct keeper *k = calloc(1, sizeof(*k));

        if (!k)
                return NULL;
        k->loop = loop;
        k->state_dir = str_dup(config->state_dir);
        k->oauth_url = str_dup(config->oauth_url);
        if (k->state_dir && k->oauth_url)
                return k;
        keeper_free(k);
        return NULL;
}

const char *keeper_token(const struct keeper *k)
{
        return k->grant.access;
}

/* ---- renewing --------------------------------------------------------------------------------- */

static int keeper_refused(const char *body, size_t len, long status, struct err *err)
{
        char said[200];

        switch (oauth_read_error(body, len, said)) {
        case OAUTH_OVER:
        case OAUTH_DECLINED:
        case OAUTH_CLIENT:
                return err_set(err, EACCES, "the sign-in is not good any more (%s): run `ydsync login`",
                               *said ? said : "refused");
        case OAUTH_PENDING:
        case OAUTH_SLOWER:
        case OAUTH_STRANGE:
                break;
        }
        return err_set(err, EIO, "the OAuth service answers with HTTP %ld%s%s", status,
                       *said ? ": " : "", said);
}

/*
 * Gets new tokens for the refresh token; nothing of them may be used before they are written down.
 *
 *   -EACCES     refused: somebody must sign in again
 *   -ECANCELED  *stop became true
 *   other       it did not work now
 */
static int keeper_renew(struct grant *g, const char *oauth_url, const atomic_bool *stop,
                        struct err *err)
{
        _cleanup_(oauth_wipe_str) struct str form = STR_NULL(OAUTH_FORM_MAX);
        _cleanup_(oauth_wipe_str) struct str reply = STR_NULL(OAUTH_REPLY_MAX);
        struct oauth_tokens tokens;
        long status = 0;
        int r;

        oauth_form_renew(&form, g->client, g->secret, g->refresh);
        die_step();
        r = oauth_post(oauth_url, "/token", &form, stop, &reply, &status, err);
        die_step();
        if (r < 0)
                return r;
        if (status != 200)
                return keeper_refused(str_z(&reply), reply.len, status, err);
        r = oauth_read_tokens(str_z(&reply), reply.len, &tokens);
        if (r < 0)
                return err_set(err, EIO, "the OAuth service answers with something unknown");
        oauth_wipe(g->access);
        oauth_wipe(g->refresh);
        g->access = TAKE_PTR(tokens.access);
        g->refresh = TAKE_PTR(tokens.refresh);
        g->since_s = time(NULL);
        g->until_s = g->since_s + tokens.life_s;
        return 0;
}

/* Once for each thing that is wrong, however often it is tried; but the end is always said. */
static void keeper_say(struct keeper *k)
{
        struct event_about about = {.reason = k->err.text, .err = k->err.code};
        bool over = k->refused && k->result == -EACCES;

        if (!over && str_eq(k->said, k->err.text))
                return;
        str_copy(k->said, sizeof(k->said), k->err.text);
        if (over)
                event_say(EVENT_TOKEN_REFUSED, &about, "stopped: the token is refused; %s",
                          k->err.text);
        else
                event_say(EVENT_TOKEN_NOT_RENEWED, &about, "the token cannot be renewed yet: %s",
                          k->err.text);
}

static void keeper_work(uv_work_t *work)
{
        struct keeper *k = CONTAINER_OF(work, struct keeper, work);

        if (!k->unwritten) {
                k->result = keeper_renew(&k->grant, k->oauth_url, &k->stop, &k->err);
                if (k->result < 0)
                        return;
        }
        k->result = grant_write(&k->grant, k->state_dir, &k->err);
        k->unwritten = k->result < 0;
}

/* Reads what another program, a login or a renewal, has left; true when it is another token than before. */
static bool keeper_reread(struct keeper *k)
{
        struct grant now;
        struct err err = ERR_NONE;
        bool other;

        if (k->read && !grant_is_stale(&k->grant, k->state_dir))
                return false;
        if (grant_read(&now, k->state_dir, &err) < 0)
                return false; /* what we have is as good as before */
        other = !k->read || !str_eq(now.access, k->grant.access);
        grant_finish(&k->grant);
        k->grant = now;
        k->read = true;
        k->unwritten = false;
        k->next_ms = 0;
        return other;
}

static void keeper_worked(uv_work_t *work, int status _unused_)
{
        struct keeper *k = CONTAINER_OF(work, struct keeper, work);

        k->working = false;
        if (k->closing) {
                keeper_free(k);
                return;
        }
        /* Two that renew at once: one of them comes with a refresh token that is used up already. */
        if (k->result == -EACCES && keeper_reread(k)) {
                k->done(k->userdata, KEEPER_CHANGED);
                return;
        }
        k->next_ms = (int64_t)(uv_hrtime() / 1000000) + KEEPER_AGAIN_MS;
        if (k->result < 0) {
                keeper_say(k);
        } else {
                *k->said = '\0';
                event_say(EVENT_TOKEN_RENEWED, NULL, "the token was renewed");
        }
        k->done(k->userdata, k->result == 0         ? KEEPER_CHANGED
                             : k->result == -EACCES ? KEEPER_REFUSED
                                                    : KEEPER_SAME);
}

bool keeper_look(struct keeper *k, bool refused,
                 void (*done)(void *userdata, enum keeper_end end), void *userdata)
{
        bool first = !k->read, other = keeper_reread(k);

        if (!k->read)
                return false;
        if (other && !first) {
                done(userdata, KEEPER_CHANGED);
                return true;
        }
        if (!refused && ((!k->unwritten && !grant_is_due(&k->grant, time(NULL))) ||
                         (int64_t)(uv_hrtime() / 1000000) < k->next_ms)) {
                if (first)
                        done(userdata, KEEPER_CHANGED);
                return first;
        }
        k->refused = refused;
        k->done = done;
        k->userdata = userdata;
        k->err = ERR_NONE;
        k->working = true;
        uv_queue_work(k->loop, &k->work, keeper_work, keeper_worked);
        return true;
}

void keeper_close(struct keeper *k)
{
        if (!k)
                return;
        atomic_store(&k->stop, true);
        k->closing = true;
        if (!k->working)
                keeper_free(k);
}
