/* SPDX-License-Identifier: MIT */

#include "daemon/probe.h"

#include "daemon/start.h"
#include "lib/engine/http.h"
#include "lib/yadisk/yadisk.h"

#include <errno.h>
#include <stdio.h>

#define PROBE_REPLY_MAX (256 * 1024)

struct probe_run {
        uv_loop_t *loop;
        struct probe *probe;
};

static void probe_judge(struct probe *p, const struct outcome *in)
{
        struct verdict v = verdict(in);

        if (v.act == VERDICT_OK) {
                p->end = yadisk_read_room(in->body, in->body_len, &p->room) == 0 ? PROBE_WORKS
                                                                                : PROBE_UNKNOWN;
                return;
        }
        p->end = v.act == VERDICT_REFUSED ? PROBE_REFUSED : PROBE_UNREACHABLE;
        if (in->kind == OUTCOME_HTTP)
                snprintf(p->text, sizeof(p->text), "%s (HTTP %d%s%s)", v.text, in->status,
                         *v.description ? ": " : "", v.description);
        else
                snprintf(p->text, sizeof(p->text), "%s%s%s", v.text, in->text ? ": " : "",
                         in->text ? in->text : "");
}

static void probe_done(void *userdata, struct outcome *in)
{
        struct probe_run *run = userdata;

        probe_judge(run->probe, in);
        uv_stop(run->loop);
}

static void probe_closed(void *userdata _unused_)
{
}

static int probe_ask(uv_loop_t *loop, const struct config *config, struct probe *ret,
                     struct err *err)
{
        const struct yadisk yadisk = {.api_url = config->api_url, .root = config->cloud};
        const struct http_options options = {.user_agent = "ydsync/" YDSYNC_VERSION, .parallel = 1};
        _cleanup_(str_finish) struct str url = STR_NULL(YADISK_URL_MAX);
        struct http_req req = {.method = HTTP_GET, .api = true, .reply_max = PROBE_REPLY_MAX};
        struct probe_run run = {.loop = loop, .probe = ret};
        struct http *http;
        int r = http_create(&http, loop, &options, err);

        if (r < 0)
                return r;
        yadisk_url_disk(&url, &yadisk);
        req.url = str_z(&url);
        r = http_set_token(http, config->token);
        if (r == 0 && (url.failed || !http_start(http, &req, probe_done, &run)))
                r = -ENOMEM;
        if (r == 0)
                uv_run(loop, UV_RUN_DEFAULT);
        http_close(http, probe_closed, NULL);
        return r < 0 ? err_set(err, -r, "no memory") : 0;
}

int probe_service(const struct config *config, struct probe *ret, struct err *err)
{
        uv_loop_t loop;
        int r = start_loop(&loop, err);

        if (r < 0)
                return r;
        *ret = (struct probe){.end = PROBE_UNREACHABLE, .text = "nobody answers"};
        r = probe_ask(&loop, config, ret, err);
        start_loop_finish(&loop);
        return r;
}
