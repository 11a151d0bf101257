/* SPDX-License-Identifier: MIT */

/*
 * Whole answers, status line, headers and body, to requests of the real client, from a server on
 * this machine's loopback.  The first byte says what is asked; the rest is sent as it is.
 */

#include "lib/engine/http.h"
#include "lib/yadisk/verdict.h"
#include "tests/fuzz/fuzz.h"

#include <curl/curl.h>

#define REPLY_MAX 4096

static struct {
        uv_loop_t loop;
        uv_tcp_t listener;
        struct http *http;
        char url[64];
        const char *reply; /* of this run */
        size_t reply_len;
        unsigned open; /* connections that are not closed yet */
        bool done;
} world;

struct peer {
        uv_tcp_t tcp;
        uv_write_t write;
        unsigned blank; /* how much of the empty line behind the request has come */
        bool answered;
};

static void peer_closed(uv_handle_t *handle)
{
        free(CONTAINER_OF((uv_tcp_t *)handle, struct peer, tcp));
        world.open--;
}

static void peer_close(struct peer *p)
{
        if (!uv_is_closing((uv_handle_t *)&p->tcp))
                uv_close((uv_handle_t *)&p->tcp, peer_closed);
}

static void peer_written(uv_write_t *write, int status)
{
        (void)status;
        peer_close(CONTAINER_OF(write, struct peer, write));
}

static void peer_answer(struct peer *p)
{
        uv_buf_t buf = uv_buf_init((char *)world.reply, (unsigned)world.reply_len);

        p->answered = true;
        must(uv_write(&p->write, (uv_stream_t *)&p->tcp, &buf, 1, peer_written) == 0);
}

static void peer_room(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
        static char room[65536];

        (void)handle, (void)wanted;
        *buf = uv_buf_init(room, sizeof(room));
}

static void peer_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
        static const char blank[] = "\r\n\r\n";
        struct peer *p = CONTAINER_OF((uv_tcp_t *)stream, struct peer, tcp);

        if (n < 0) {
                peer_close(p);
                return;
        }
        for (ssize_t i = 0; i < n && !p->answered; i++) {
                p->blank = buf->base[i] == blank[p->blank] ? p->blank + 1 : buf->base[i] == '\r';
                if (p->blank == 4)
                        peer_answer(p);
        }
}

static void peer_came(uv_stream_t *listener, int status)
{
        struct peer *p = calloc(1, sizeof(*p));

        must(p && status == 0);
        must(uv_tcp_init(&world.loop, &p->tcp) == 0);
        world.open++;
        must(uv_accept(listener, (uv_stream_t *)&p->tcp) == 0);
        must(uv_read_start((uv_stream_t *)&p->tcp, peer_room, peer_read) == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
        struct http_options options = {.user_agent = "fuzz", .parallel = 1};
        struct sockaddr_in address;
        struct err err = ERR_NONE;
        int len = sizeof(address);

        (void)argc, (void)argv;
        must(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
        must(uv_loop_init(&world.loop) == 0);
        must(uv_tcp_init(&world.loop, &world.listener) == 0);
        must(uv_ip4_addr("127.0.0.1", 0, &address) == 0);
        must(uv_tcp_bind(&world.listener, (struct sockaddr *)&address, 0) == 0);
        must(uv_listen((uv_stream_t *)&world.listener, 16, peer_came) == 0);
        must(uv_tcp_getsockname(&world.listener, (struct sockaddr *)&address, &len) == 0);
        snprintf(world.url, sizeof(world.url), "http://127.0.0.1:%d/v1/disk",
                 ntohs(address.sin_port));
        must(http_create(&world.http, &world.loop, &options, &err) == 0);
        must(http_set_token(world.http, "secret") == 0);
        return 0;
}

static void check_outcome(void *userdata, struct outcome *in)
{
        const struct http_req *req = userdata;
        struct verdict v = verdict(in);

        must(!world.done);
        world.done = true;
        must(in->kind == OUTCOME_HTTP || in->kind == OUTCOME_FAULT);
        if (in->kind == OUTCOME_FAULT) {
                must(in->fault != HTTP_FAULT_NONE && in->fault != HTTP_FAULT_LOCAL);
                must(in->text && *in->text);
                return;
        }
        must(in->status >= 100 && in->status <= 999);
        must(in->body && in->body_len <= req->reply_max && in->body[in->body_len] == '\0');
        must(in->retry_after_ms == -1 ||
             (in->retry_after_ms > 0 && in->retry_after_ms <= INT64_C(1000) * INT32_MAX));
        must(v.act == VERDICT_OK || v.act == VERDICT_ASKER || *v.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const enum http_method methods[] = {HTTP_GET, HTTP_PUT, HTTP_POST, HTTP_DELETE};
        struct http_req req = {.url = world.url, .api = true};

        if (size == 0)
                return -1;
        req.method = methods[data[0] & 3];
        req.reply_max = data[0] & 4 ? 16 : REPLY_MAX;
        world.reply = (const char *)data + 1;
        world.reply_len = size - 1;
        world.done = false;
        must(http_start(world.http, &req, check_outcome, &req));
        while (!world.done || world.open > 0)
                uv_run(&world.loop, UV_RUN_ONCE);
        return 0;
}
