/* SPDX-License-Identifier: MIT */

/*
 * The glue follows libcurl's multi_socket model: curl tells which sockets to watch (uv_poll) and
 * when to be called again (uv_timer).  Three things are done on purpose:
 *
 *   - Finished transfers are always drained after curl was called, also when it says that none
 *     runs any more: the last one may have ended by a time-out.
 *   - Completions are gathered first and delivered after the drain, so that a callback may start or
 *     cancel requests.
 *   - A uv_poll_t lives until its close callback, longer than its socket.
 *
 * One watch timer looks once a second at all requests for those where nothing moves; it does not run
 * while there are none, so an idle program is not woken.
 */

#include "lib/engine/http.h"

#include "lib/base/die.h"
#include "lib/base/str.h"
#include "lib/core/pace.h"
#include "lib/engine/body.h"

#include <curl/curl.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define HTTP_CONNECT_MS 30000
#define HTTP_STALL_MS 60000
#define HTTP_REPLY_MS 300000   /* for a whole answer, which is never large */
#define HTTP_HEADERS_MAX (256 * 1024)
#define HTTP_PACE_MS 600000    /* less than this many bytes in so long is no sending, … */
#define HTTP_PACE_LEAST 16384  /* … however steadily they trickle */
#define HTTP_DISTRUST_MS 600000
#define HTTP_WATCH_MS 1000
#define HTTP_RATE_PIECE 16384

enum http_phase {
        HTTP_PHASE_BODY,    /* waiting for the first bytes of the file */
        HTTP_PHASE_SENDING, /* connecting, or bytes go out */
        HTTP_PHASE_WAITING, /* all is out, nothing has come */
        HTTP_PHASE_REPLY,   /* the answer is coming */
        HTTP_PHASE_DONE,    /* finished, the callback is due */
};

struct http_op {
        struct http_op *prev, *next; /* of http.ops */
        struct http *http;
        const struct http_req *req;
        http_done done;
        void *userdata;

        CURL *easy;
        struct curl_slist *headers;
        bool unset; /* an option of the request could not be set */
        bool added; /* to the multi handle */
        struct body *body;
        bool paused;        /* curl waits for bytes */
        bool rate_paused;   /* … of our own will */
        struct str reply;
        enum http_phase phase;
        int64_t moved_ms;   /* when something last moved */
        int64_t replied_ms; /* when the answer began */
        size_t headers_len; /* of the answer, interim ones too */
        int64_t pace_ms;    /* since when … */
        curl_off_t pace_out; /* … so much was out: see HTTP_PACE_LEAST */
        uint64_t sent;      /* handed to curl */
        curl_off_t out;     /* taken from curl by the network, when last looked … */
        int queued;         /* … and of that still in the kernel */
        enum http_fault fault; /* set by us when we gave up */
        CURLcode result;
        char error[CURL_ERROR_SIZE];
};

struct http_socket {
        uv_poll_t poll;
        struct http *http;
        curl_socket_t fd;
};

struct http {
        uv_loop_t *loop;
        CURLM *multi;          /* NULL: lost, and not needed since */
        unsigned parallel;
        uv_timer_t timer, watch, rate;
        unsigned open_handles; /* that have not been closed yet */
        bool closing, delivering;
        bool unwatched;        /* a socket is open that the loop does not know */
        void (*closed)(void *userdata);
        void *closed_userdata;
        struct http_op *ops;
        unsigned n_ops;
        struct source_root root;
        char *authorization;
        char *user_agent;
        int64_t distrust_ms; /* something stalled then: connections older than that may be dead; 0: none */
        struct pace upload;
        uint64_t upload_rate;
        uint64_t sent;
};

static int64_t http_now(const struct http *h)
{
        return (int64_t)uv_now(h->loop);
}

/* ---- the life of the client ------------------------------------------------------------------ */

static void http_free(struct http *h)
{
        curl_multi_cleanup(h->multi);
        if (h->authorization)
                mem_wipe(h->authorization, strlen(h->authorization));
        free(h->authorization);
        free(h->user_agent);
        free(h);
}

static void http_handle_closed(struct http *h)
{
        void (*closed)(void *) = h->closed;
        void *userdata = h->closed_userdata;

        if (--h->open_handles > 0 || !h->closing)
                return;
        http_free(h);
        closed(userdata);
}

static void http_timer_closed(uv_handle_t *handle)
{
        http_handle_closed(handle->data);
}

static void http_socket_closed(uv_handle_t *handle)
{
        struct http_socket *s = CONTAINER_OF((uv_poll_t *)handle, struct http_socket, poll);
        struct http *h = s->http;

        free(s);
        http_handle_closed(h);
}

static void http_drain(struct http *h);
static void http_lost(struct http *h);

static void http_on_poll(uv_poll_t *poll, int status, int events)
{
        struct http_socket *s = CONTAINER_OF(poll, struct http_socket, poll);
        struct http *h = s->http;
        int flags = 0, running;

        if (status < 0)
                flags = CURL_CSELECT_ERR;
        if (events & UV_READABLE)
                flags |= CURL_CSELECT_IN;
        if (events & UV_WRITABLE)
                flags |= CURL_CSELECT_OUT;
        if (curl_multi_socket_action(h->multi, s->fd, flags, &running) != CURLM_OK)
                http_lost(h);
        http_drain(h);
}

static void http_on_timer(uv_timer_t *timer)
{
        struct http *h = timer->data;
        int running;

        if (curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running) != CURLM_OK)
                http_lost(h);
        http_drain(h);
}

static int http_timer_callback(CURLM *multi _unused_, long timeout_ms, void *userdata)
{
        struct http *h = userdata;

        if (h->closing)
                return 0;
        if (timeout_ms < 0)
                uv_timer_stop(&h->timer);
        else
                uv_timer_start(&h->timer, http_on_timer, (uint64_t)timeout_ms, 0);
        return 0;
}

static struct http_socket *http_socket_create(struct http *h, curl_socket_t fd)
{
        struct http_socket *s = calloc(1, sizeof(*s));

        if (!s)
                return NULL;
        s->http = h;
        s->fd = fd;
        if (uv_poll_init(h->loop, &s->poll, fd) < 0) {
                free(s);
                return NULL;
        }
        h->open_handles++;
        curl_multi_assign(h->multi, fd, s);
        return s;
}

/* When a socket cannot be watched curl is not told: it does not survive that.  See http_lost(). */
static int http_socket_callback(CURL *easy _unused_, curl_socket_t fd, int what, void *userdata,
                                void *socket_data)
{
        struct http *h = userdata;
        struct http_socket *s = socket_data;
        int events = 0;

        if (what == CURL_POLL_REMOVE) {
                if (s) {
                        curl_multi_assign(h->multi, fd, NULL);
                        uv_close((uv_handle_t *)&s->poll, http_socket_closed);
                }
                return 0;
        }
        if (!s)
                s = http_socket_create(h, fd);
        if (!s) {
                h->unwatched = true;
                return 0;
        }
        if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
                events |= UV_READABLE;
        if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
                events |= UV_WRITABLE;
        if (uv_poll_start(&s->poll, events, http_on_poll) < 0)
                h->unwatched = true;
        return 0;
}

/* Makes the multi handle if there is none. */
static int http_make_multi(struct http *h)
{
        if (h->multi)
                return 0;
        h->multi = curl_multi_init();
        if (!h->multi)
                return -ENOMEM;
        curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, http_socket_callback);
        curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
        curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, http_timer_callback);
        curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
        curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)(2 * h->parallel + 8));
        return 0;
}

/* A tenth of a second's worth, and not less than a piece. */
static double http_rate_burst(uint64_t bytes)
{
        return bytes / 10.0 > HTTP_RATE_PIECE ? bytes / 10.0 : HTTP_RATE_PIECE;
}

int http_create(struct http **ret, uv_loop_t *loop, const struct http_options *options,
                struct err *err)
{
        struct http *h = calloc(1, sizeof(*h));
        uv_timer_t *timers[3];

        if (!h)
                return err_set(err, ENOMEM, "no memory");
        h->parallel = options->parallel;
        h->user_agent = str_dup(options->user_agent);
        if (!h->user_agent || http_make_multi(h) < 0) {
                http_free(h);
                return err_set(err, ENOMEM, "libcurl does not start");
        }
        if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS)) {
                http_free(h);
                return err_set(err, ENOTSUP, "this libcurl stands still while a name is looked up; one "
                                             "with a resolver of its own is needed");
        }
        h->loop = loop;
        h->root.fd = -1;
        timers[0] = &h->timer;
        timers[1] = &h->watch;
        timers[2] = &h->rate;
        for (size_t i = 0; i < ARRAY_SIZE(timers); i++) {
                uv_timer_init(loop, timers[i]);
                timers[i]->data = h;
                h->open_handles++;
        }
        h->upload_rate = options->upload_rate;
        pace_init(&h->upload, (double)options->upload_rate, http_rate_burst(options->upload_rate),
                  http_now(h));
        *ret = h;
        return 0;
}

void http_close(struct http *h, void (*closed)(void *userdata), void *userdata)
{
        h->closing = true;
        h->closed = closed;
        h->closed_userdata = userdata;
        uv_close((uv_handle_t *)&h->timer, http_timer_closed);
        uv_close((uv_handle_t *)&h->watch, http_timer_closed);
        uv_close((uv_handle_t *)&h->rate, http_timer_closed);
}

int http_set_token(struct http *h, const char *token)
{
        struct str header = STR_NULL(8192);

        if (h->authorization) {
                mem_wipe(h->authorization, strlen(h->authorization));
                free(h->authorization);
                h->authorization = NULL;
        }
        if (!token)
                return 0;
        /* In one piece, so that growing leaves no copy behind. */
        str_addf(&header, "Authorization: OAuth %s", token);
        h->authorization = str_take(&header);
        return h->authorization ? 0 : -ENOMEM;
}

void http_set_root(struct http *h, const struct source_root *root)
{
        h->root = *root;
}

uint64_t http_sent(const struct http *h)
{
        return h->sent;
}

/* ---- one request ----------------------------------------------------------------------------- */

static void http_moved(struct http_op *op)
{
        op->moved_ms = http_now(op->http);
}

static size_t http_on_reply(char *data, size_t size, size_t n, void *userdata)
{
        struct http_op *op = userdata;

        http_moved(op);
        str_add(&op->reply, data, size * n);
        if (!op->reply.failed)
                return size * n;
        op->fault = HTTP_FAULT_TOO_LARGE;
        return 0;
}

static size_t http_on_header(char *data _unused_, size_t size, size_t n, void *userdata)
{
        struct http_op *op = userdata;
        long status = 0;

        op->headers_len += size * n;
        if (op->headers_len > HTTP_HEADERS_MAX) {
                op->fault = HTTP_FAULT_TOO_LARGE;
                return 0;
        }
        curl_easy_getinfo(op->easy, CURLINFO_RESPONSE_CODE, &status);
        if (status < 200) /* "continue", for ever: no answer */
                return size * n;
        http_moved(op);
        if (op->phase != HTTP_PHASE_REPLY) {
                op->phase = HTTP_PHASE_REPLY;
                op->replied_ms = op->moved_ms;
        }
        return size * n;
}

static void http_unpause(struct http_op *op)
{
        op->paused = false;
        if (curl_easy_pause(op->easy, CURLPAUSE_CONT) != CURLE_OK)
                http_lost(op->http);
}

static void http_on_rate(uv_timer_t *timer)
{
        struct http *h = timer->data;

        for (struct http_op *op = h->ops; op; op = op->next)
                if (op->rate_paused) {
                        op->rate_paused = false;
                        http_unpause(op);
                }
        http_drain(h);
}

void http_set_upload_rate(struct http *h, uint64_t bytes)
{
        h->upload_rate = bytes;
        pace_change(&h->upload, (double)bytes, http_rate_burst(bytes), http_now(h));
        uv_timer_start(&h->rate, http_on_rate, 0, 0);
}

/* How many of `size` bytes may go now; 0: the rate says wait. */
static size_t http_rate_allows(struct http_op *op, size_t size)
{
        struct http *h = op->http;
        int64_t wait_ms;

        if (h->upload_rate == 0)
                return size;
        if (size > HTTP_RATE_PIECE)
                size = HTTP_RATE_PIECE;
        wait_ms = pace_take(&h->upload, (double)size, http_now(h));
        if (wait_ms == 0)
                return size;
        if (!uv_is_active((uv_handle_t *)&h->rate))
                uv_timer_start(&h->rate, http_on_rate, (uint64_t)wait_ms, 0);
        return 0;
}

static size_t http_on_body(char *buffer, size_t size, size_t n, void *userdata)
{
        struct http_op *op = userdata;
        size_t room = size * n;
        ssize_t got;

        http_moved(op);
        if (body_ready(op->body) && !body_error(op->body) && op->sent < op->req->file->size) {
                room = http_rate_allows(op, room);
                if (room == 0) {
                        op->paused = op->rate_paused = true;
                        return CURL_READFUNC_PAUSE;
                }
        }
        got = body_read(op->body, buffer, room);
        if (got == BODY_WAIT) {
                op->paused = true;
                return CURL_READFUNC_PAUSE;
        }
        if (got == BODY_ERROR) {
                op->fault = HTTP_FAULT_LOCAL;
                return CURL_READFUNC_ABORT;
        }
        op->sent += (uint64_t)got;
        op->http->sent += (uint64_t)got;
        if (op->sent == op->req->file->size && op->phase == HTTP_PHASE_SENDING)
                op->phase = HTTP_PHASE_WAITING;
        return (size_t)got;
}

static void http_finish(struct http_op *op)
{
        struct http *h = op->http;

        if (op->added)
                curl_multi_remove_handle(h->multi, op->easy);
        curl_easy_cleanup(op->easy);
        curl_slist_free_all(op->headers);
        body_destroy(op->body);
        str_finish(&op->reply);
        if (op->prev)
                op->prev->next = op->next;
        else
                h->ops = op->next;
        if (op->next)
                op->next->prev = op->prev;
        if (--h->n_ops == 0)
                uv_timer_stop(&h->watch);
        free(op);
}

void http_cancel(struct http_op *op)
{
        if (op)
                http_finish(op);
}

static enum http_fault http_fault_of(const struct http_op *op)
{
        if (op->fault != HTTP_FAULT_NONE)
                return op->fault;
        switch ((int)op->result) {
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_CONNECT:
        case CURLE_INTERFACE_FAILED:
                return HTTP_FAULT_UNREACHABLE;
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_INVALIDCERTSTATUS:
        case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
                return HTTP_FAULT_TLS;
        case CURLE_OPERATION_TIMEDOUT: /* curl's own: the connection was not made in time */
                return HTTP_FAULT_UNREACHABLE;
        }
        return HTTP_FAULT_BROKEN;
}

static void http_fill_answer(struct http_op *op, struct outcome *in)
{
        long status = 0;
        curl_off_t retry_after = 0;

        curl_easy_getinfo(op->easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(op->easy, CURLINFO_RETRY_AFTER, &retry_after);
        in->kind = OUTCOME_HTTP;
        in->status = (int)status;
        in->body = str_z(&op->reply);
        in->body_len = op->reply.len;
        if (retry_after > 0)
                in->retry_after_ms = retry_after > INT32_MAX ? INT64_C(1000) * INT32_MAX
                                                             : (int64_t)retry_after * 1000;
}

static void http_fill_fault(struct http_op *op, struct outcome *in)
{
        long request_size = 0;

        curl_easy_getinfo(op->easy, CURLINFO_REQUEST_SIZE, &request_size);
        in->kind = OUTCOME_FAULT;
        in->fault = http_fault_of(op);
        in->text = *op->error ? op->error : curl_easy_strerror(op->result);
        in->sent_all = request_size > 0 && (!op->req->file || op->sent == op->req->file->size);
        if (in->fault == HTTP_FAULT_LOCAL)
                in->err = op->body && body_error(op->body) ? body_error(op->body) : ENOMEM;
}

/* libcurl also takes "HTTP/2 -5" and "HTTP/2 2202" for the first line of an answer. */
static bool http_status_sane(const struct http_op *op)
{
        long status = 0;

        curl_easy_getinfo(op->easy, CURLINFO_RESPONSE_CODE, &status);
        return status >= 100 && status <= 999;
}

/* Tells the owner, after which the request is gone. */
static void http_deliver(struct http_op *op)
{
        struct outcome in = {.retry_after_ms = -1, .sent = op->sent};

        if (op->result == CURLE_OK && !http_status_sane(op))
                op->result = CURLE_WEIRD_SERVER_REPLY;
        if (op->fault == HTTP_FAULT_NONE && op->result == CURLE_OK)
                http_fill_answer(op, &in);
        else
                http_fill_fault(op, &in);
        die_step();
        if (op->body && body_whole(op->body)) {
                body_md5(op->body, in.md5);
                in.read_ns = body_began_ns(op->body);
        }
        op->done(op->userdata, &in);
        http_finish(op);
}

static void http_gather(struct http *h)
{
        CURLMsg *message;
        int left;
        struct http_op *op;

        while (h->multi && (message = curl_multi_info_read(h->multi, &left))) {
                if (message->msg != CURLMSG_DONE)
                        continue;
                curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &op);
                op->result = message->data.result;
                op->phase = HTTP_PHASE_DONE;
        }
}

/*
 * curl could not note a socket, or we could not watch it (no memory, no descriptor).  From then on a
 * multi handle is of no use, and of some danger: what it did not note it divides by.  All that is
 * out counts as broken off, and the next request gets another handle.
 */
static void http_lost(struct http *h)
{
        CURLM *lost = h->multi;

        http_gather(h);
        for (struct http_op *op = h->ops; op; op = op->next) {
                if (!op->added)
                        continue;
                curl_multi_remove_handle(lost, op->easy);
                op->added = false;
                if (op->phase != HTTP_PHASE_DONE)
                        op->result = CURLE_OUT_OF_MEMORY;
                op->phase = HTTP_PHASE_DONE;
        }
        h->multi = NULL;
        curl_multi_cleanup(lost);
        h->unwatched = false;
}

/* Gathers what has finished, then delivers: a callback may start and cancel others. */
static void http_drain(struct http *h)
{
        struct http_op *op;

        if (h->unwatched)
                http_lost(h);
        http_gather(h);
        if (h->delivering)
                return;
        h->delivering = true;
        for (op = h->ops; op;) {
                if (op->phase == HTTP_PHASE_DONE) {
                        http_deliver(op);
                        op = h->ops; /* the list may look quite different now */
                } else {
                        op = op->next;
                }
        }
        h->delivering = false;
}

/* What the kernel has taken and the other side has not. */
static int http_queued(const struct http_op *op)
{
        curl_socket_t fd = CURL_SOCKET_BAD;
        int n = 0;

        if (!op->req->file ||
            curl_easy_getinfo(op->easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK ||
            fd == CURL_SOCKET_BAD || ioctl(fd, SIOCOUTQ, &n) < 0)
                return 0;
        return n;
}

/* curl takes bodies in pieces of 512 KiB: between two of them, only it knows that bytes go out.  And
 * when all have left it, on a slow line the last of them still take minutes. */
static void http_look_at_progress(struct http_op *op)
{
        curl_off_t out = 0;
        int queued = 0;

        if (op->added) {
                curl_easy_getinfo(op->easy, CURLINFO_SIZE_UPLOAD_T, &out);
                queued = http_queued(op);
        }
        if (out != op->out || queued != op->queued)
                http_moved(op);
        op->out = out;
        op->queued = queued;
}

uint64_t http_op_sent(const struct http_op *op)
{
        return op->out > op->queued ? (uint64_t)(op->out - op->queued) : 0;
}

static int64_t http_patience(const struct http_op *op)
{
        int64_t wanted = op->req->patience_ms;

        switch (op->phase) {
        case HTTP_PHASE_BODY:
        case HTTP_PHASE_DONE:
                return INT64_MAX;
        case HTTP_PHASE_SENDING:
                /* A throttled upload moves in bursts, with pauses between them. */
                return wanted / 2 > HTTP_STALL_MS ? wanted / 2 : HTTP_STALL_MS;
        case HTTP_PHASE_WAITING:
                return wanted > HTTP_STALL_MS ? wanted : HTTP_STALL_MS;
        case HTTP_PHASE_REPLY:
                return HTTP_STALL_MS;
        }
        return HTTP_STALL_MS;
}

/* A server that takes a byte now and then keeps a transfer moving, and busy for years. */
static bool http_trickles(struct http_op *op, int64_t now)
{
        bool slow;

        if (op->phase != HTTP_PHASE_SENDING || op->http->upload_rate > 0 ||
            now - op->pace_ms < HTTP_PACE_MS)
                return false;
        slow = op->out - op->pace_out < HTTP_PACE_LEAST;
        op->pace_ms = now;
        op->pace_out = op->out;
        return slow;
}

static void http_on_watch(uv_timer_t *timer)
{
        struct http *h = timer->data;
        int64_t now = http_now(h);

        for (struct http_op *op = h->ops; op; op = op->next) {
                bool stalled;

                http_look_at_progress(op);
                stalled = now - op->moved_ms > http_patience(op) || http_trickles(op, now) ||
                          (op->phase == HTTP_PHASE_REPLY && now - op->replied_ms > HTTP_REPLY_MS);
                if (!stalled || op->rate_paused)
                        continue;
                h->distrust_ms = now;
                op->fault = HTTP_FAULT_STALLED;
                op->result = CURLE_OPERATION_TIMEDOUT;
                op->phase = HTTP_PHASE_DONE;
        }
        http_drain(h);
}

static void http_fail_local(struct http_op *op)
{
        op->fault = HTTP_FAULT_LOCAL;
        op->phase = HTTP_PHASE_DONE;
}

static void http_add(struct http_op *op)
{
        op->phase = op->req->file && op->req->file->size > 0 ? HTTP_PHASE_SENDING
                                                             : HTTP_PHASE_WAITING;
        http_moved(op);
        op->pace_ms = op->moved_ms;
        op->added = http_make_multi(op->http) == 0 &&
                    curl_multi_add_handle(op->http->multi, op->easy) == CURLM_OK;
        if (!op->added)
                http_fail_local(op);
}

/* The first bytes, or more bytes, or an error. */
static void http_on_body_ready(void *userdata)
{
        struct http_op *op = userdata;
        struct http *h = op->http;

        if (op->phase == HTTP_PHASE_BODY) {
                if (body_error(op->body))
                        http_fail_local(op);
                else
                        http_add(op);
        } else if (op->paused && !op->rate_paused && op->phase != HTTP_PHASE_DONE) {
                http_unpause(op);
        }
        http_drain(h);
}

/* No more than this waits unsent in the kernel: progress is seen, and memory is not spent on it. */
static int http_on_socket(void *userdata _unused_, curl_socket_t fd, curlsocktype type _unused_)
{
        int most = 128 * 1024;

        setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof(most));
        return CURL_SOCKOPT_OK;
}

/* Some are copied, for which memory may be missing; and a DELETE must not become a GET. */
#define http_set(op, option, value)                                                                \
        ((op)->unset |= curl_easy_setopt((op)->easy, option, value) != CURLE_OK)

/*
 * After a suspend, or with another address, connections that were kept are dead and do not know it:
 * each would swallow a request and a minute.  The first that stalls speaks for all as old as it.
 */
static void http_options_trust(struct http_op *op)
{
        int64_t since_ms = http_now(op->http) - op->http->distrust_ms;

        if (op->http->distrust_ms == 0 || since_ms > HTTP_DISTRUST_MS)
                return;
        if (since_ms < 1000)
                http_set(op, CURLOPT_FRESH_CONNECT, 1L);
        else
                http_set(op, CURLOPT_MAXLIFETIME_CONN, (long)(since_ms / 1000));
}

static void http_options_common(struct http_op *op)
{
        http_set(op, CURLOPT_URL, op->req->url);
        http_set(op, CURLOPT_PRIVATE, op);
        http_set(op, CURLOPT_ERRORBUFFER, op->error);
        http_set(op, CURLOPT_USERAGENT, op->http->user_agent);
        http_set(op, CURLOPT_NOSIGNAL, 1L);
        http_set(op, CURLOPT_NOPROGRESS, 1L);
        http_set(op, CURLOPT_QUICK_EXIT, 1L); /* does not wait for a name being resolved */
        http_set(op, CURLOPT_PROTOCOLS_STR, "http,https");
        http_set(op, CURLOPT_FOLLOWLOCATION, 0L);
        http_set(op, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS);
        http_set(op, CURLOPT_TCP_KEEPALIVE, 1L);
        http_set(op, CURLOPT_SOCKOPTFUNCTION, http_on_socket);
        /* Over HTTP/2 a connection that died silently is used again and again: cancelling ends the
         * stream only. */
        http_set(op, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        if (strncasecmp(op->req->url, "http:", 5) == 0) /* to this machine, and through nobody's hands */
                http_set(op, CURLOPT_PROXY, "");
        http_set(op, CURLOPT_WRITEFUNCTION, http_on_reply);
        http_set(op, CURLOPT_WRITEDATA, op);
        http_set(op, CURLOPT_HEADERFUNCTION, http_on_header);
        http_set(op, CURLOPT_HEADERDATA, op);
}

static bool http_add_header(struct http_op *op, const char *header)
{
        struct curl_slist *longer = curl_slist_append(op->headers, header);

        if (longer)
                op->headers = longer;
        return longer;
}

static void http_options_method(struct http_op *op)
{
        switch (op->req->method) {
        case HTTP_GET:
                http_set(op, CURLOPT_HTTPGET, 1L);
                break;
        case HTTP_DELETE:
                http_set(op, CURLOPT_CUSTOMREQUEST, "DELETE");
                break;
        case HTTP_POST:
                http_set(op, CURLOPT_POST, 1L);
                http_set(op, CURLOPT_POSTFIELDS, "");
                http_set(op, CURLOPT_POSTFIELDSIZE, 0L);
                break;
        case HTTP_PUT:
                http_set(op, CURLOPT_UPLOAD, 1L);
                http_set(op, CURLOPT_INFILESIZE_LARGE,
                                 (curl_off_t)(op->req->file ? op->req->file->size : 0));
                break;
        }
        if (op->req->file) {
                http_set(op, CURLOPT_READFUNCTION, http_on_body);
                http_set(op, CURLOPT_READDATA, op);
                http_set(op, CURLOPT_UPLOAD_BUFFERSIZE, 512 * 1024L);
        }
}

static bool http_prepare(struct http_op *op)
{
        struct http *h = op->http;

        op->easy = curl_easy_init();
        if (!op->easy)
                return false;
        http_options_common(op);
        http_options_method(op);
        http_options_trust(op);
        /* curl would wait a second for a server that does not know the word. */
        if (op->req->method == HTTP_PUT && !http_add_header(op, "Expect:"))
                return false;
        if (op->req->file && !http_add_header(op, "Content-Type: application/octet-stream"))
                return false;
        if (op->req->method == HTTP_POST && !http_add_header(op, "Content-Type:"))
                return false;
        if (op->req->api && h->authorization && !http_add_header(op, h->authorization))
                return false;
        http_set(op, CURLOPT_HTTPHEADER, op->headers);
        return !op->unset;
}

struct http_op *http_start(struct http *h, const struct http_req *req, http_done done,
                           void *userdata)
{
        struct http_op *op = calloc(1, sizeof(*op));

        if (!op)
                return NULL;
        *op = (struct http_op){.http = h,
                               .req = req,
                               .done = done,
                               .userdata = userdata,
                               .reply = STR_NULL(req->reply_max),
                               .next = h->ops};
        if (h->ops)
                h->ops->prev = op;
        h->ops = op;
        if (h->n_ops++ == 0)
                uv_timer_start(&h->watch, http_on_watch, HTTP_WATCH_MS, HTTP_WATCH_MS);
        http_moved(op);
        die_step();
        if (!http_prepare(op) ||
            (req->file &&
             body_create(&op->body, h->loop, &h->root, req->file, http_on_body_ready, op) < 0)) {
                http_finish(op);
                return NULL;
        }
        if (req->file)
                op->phase = HTTP_PHASE_BODY;
        else
                http_add(op);
        return op;
}
