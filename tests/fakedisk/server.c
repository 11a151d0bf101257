/* SPDX-License-Identifier: MIT */

/*
 * Life of a request (see enum phase):
 *
 *      on_uri        the raw first line: decoded here, because libmicrohttpd would be lenient
 *      on_access     HEADERS  route, rate, token, fault; then the body in pieces; then the end,
 *                    which decides the answer and writes the journal; then, when it is time,
 *                    the answer
 *      on_completed  everything is freed
 *
 * Whoever has to wait is suspended and resumed by the timer; no thread ever sleeps for a request.
 *
 * A reset is made by connect(AF_UNSPEC): on Linux that sends an RST at once, whatever is still
 * buffered.  SO_LINGER alone would not do, because libmicrohttpd says FIN before it closes.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth.h"
#include "link.h"
#include "others.h"
#include "rate.h"
#include "reply.h"
#include "route.h"
#include "save.h"
#include "server.h"

#define SMALL_BODY (1 << 20)            /* most bytes of a body that is kept in memory */
#define POLL_SILENT_US 100000           /* how often a silent connection is looked after */

static int fd_of(const struct request *rq)
{
        const union MHD_ConnectionInfo *info =
                MHD_get_connection_info(rq->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

        return info ? info->connect_fd : -1;
}

static enum MHD_Result reset(struct request *rq)
{
        struct sockaddr none = {.sa_family = AF_UNSPEC};

        connect(fd_of(rq), &none, sizeof none);
        return MHD_NO;
}

static void wake(void *arg)
{
        struct request *rq = arg;

        MHD_resume_connection(rq->connection);
}

static void look_after(void *arg)
{
        struct request *rq = arg;
        struct pollfd p = {.fd = fd_of(rq), .events = POLLRDHUP};

        if (atomic_load(&rq->server->stopping) || poll(&p, 1, 0) != 0) {
                rq->hung_up = true;
                MHD_resume_connection(rq->connection);
                return;
        }
        timer_add(rq->server->timers, now_mono_us() + POLL_SILENT_US, look_after, rq);
}

static void suspend(struct request *rq, int64_t until_us)
{
        MHD_suspend_connection(rq->connection);
        timer_add(rq->server->timers, until_us, wake, rq);
}

static bool must_wait(const struct request *rq, int64_t until_us)
{
        return until_us > now_mono_us() && !atomic_load(&rq->server->stopping);
}

/* ---- the first line ------------------------------------------------------------------- */

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
        struct request *rq = xcalloc(1, sizeof *rq);
        size_t n = strcspn(uri, "?");

        rq->server = cls;
        rq->connection = connection;
        rq->start_us = now_mono_us();
        rq->range_from = -1;
        reply_init(&rq->reply);
        rq->url = xstrndup(uri, n);
        rq->query = xstrdup(uri[n] == '?' ? uri + n + 1 : "");
        request_parse_params(rq, rq->query, strlen(rq->query));
        return rq;
}

/* ---- journal -------------------------------------------------------------------------- */

static int64_t client_port(const struct request *rq)
{
        const union MHD_ConnectionInfo *info =
                MHD_get_connection_info(rq->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        struct sockaddr_in a;

        if (!info || info->client_addr->sa_family != AF_INET)
                return 0;
        memcpy(&a, info->client_addr, sizeof a);
        return ntohs(a.sin_port);
}

static void log_request(struct request *rq, int status, bool aborted)
{
        _cleanup_(buf_finish) struct buf path = {}, from = {};
        struct entry e = {
                .start_us = rq->start_us, .origin = rq->origin, .endpoint = rq->endpoint,
                .method = rq->method, .url = rq->url, .query = rq->query,
                .error = rq->reply.error, .status = status, .body_bytes = rq->body_bytes,
                .expected_length = rq->expected_length, .fault = rq->fault != NULL,
                .aborted = aborted, .slow = rq->bps > 0,
        };

        if (rq->logged || rq->phase == PHASE_HEADERS || rq->endpoint == EP_CONTROL)
                return;
        rq->logged = true;
        if (rq->cfg.journal) {
                e.client_port = client_port(rq);
                e.user_agent = request_header(rq, "User-Agent");
                e.auth = request_header(rq, "Authorization") != NULL;
                if (rq->path.s)
                        path_print(&rq->path, &path);
                if (rq->from.s)
                        path_print(&rq->from, &from);
                e.path = path.s;
                e.from = from.s;
        }
        journal_end(rq->server->journal, &e, rq->cfg.journal, rq->cfg.journal_max_mb << 20);
}

/* ---- headers -------------------------------------------------------------------------- */

static void expect_length(struct request *rq)
{
        const char *length = request_header(rq, MHD_HTTP_HEADER_CONTENT_LENGTH);

        if (!length || !parse_number(length, INT64_MAX / 2, &rq->expected_length))
                rq->expected_length = -1;
}

/* For fault rules and the journal: the path that the request is about, if it has a good one. */
static void learn_paths(struct request *rq)
{
        const struct param *path = request_find(rq, "path"), *from = request_find(rq, "from");
        int control = CONTROL_NAMES_ALLOWED;

        if (rq->origin == ORIGIN_UPLOADER && rq->tail)
                link_target(&rq->server->disk, rq->tail, &rq->path);
        if (rq->origin != ORIGIN_API)
                return;
        if (path)
                path_parse(&rq->path, path->value, path->len, control);
        if (from)
                path_parse(&rq->from, from->value, from->len, control);
}

static struct fault *find_fault(const struct request *rq)
{
        _cleanup_(buf_finish) struct buf path = {}, from = {};

        if (rq->path.s)
                path_print(&rq->path, &path);
        if (rq->from.s)
                path_print(&rq->from, &from);
        return fault_match(rq->server->faults, rq->endpoint, path.s, from.s);
}

/* Leaves an answer if the request may not even be looked at. */
static void admit(struct request *rq)
{
        enum svc_error e = SVC_OK;

        if (rq->origin != ORIGIN_API || rq->endpoint == EP_CONTROL ||
            endpoint_is_oauth(rq->endpoint))
                return;
        if (!rate_admit(rq->server->rate, rq->cfg.rate))
                e = SVC_TOO_MANY;
        else if (!rq->route)
                e = route_known(rq->origin, rq->url) ? SVC_METHOD : SVC_NO_METHOD;
        else if ((rq->route->flags & ROUTE_AUTH) &&
                 (rq->cfg.token_expired || !auth_accepts(rq)))
                e = SVC_UNAUTHORIZED;
        else if (rq->cfg.account == ACCOUNT_UNSUPPORTED)
                e = SVC_ACCOUNT;
        else if (!route_acceptable(request_header(rq, "Accept")))
                e = SVC_NOT_ACCEPTABLE;
        else if ((rq->route->flags & ROUTE_WRITE) && rq->cfg.readonly)
                e = SVC_READONLY;
        if (e != SVC_OK)
                reply_error(rq, e, NULL);
}

static void apply_fault_early(struct request *rq)
{
        const struct fault *f = rq->fault;

        if (!f || f->status == 0 || f->silent || f->reset != RESET_NONE)
                return;
        reply_status(rq, f->status);
        rq->reply.type = f->type ? f->type : "application/json";
        if (f->body)
                buf_str(&rq->reply.body, f->body);
}

static void identify(struct request *rq, enum origin origin, const char *method)
{
        pthread_mutex_lock(&rq->server->cfg_lock);
        rq->cfg = rq->server->cfg;
        pthread_mutex_unlock(&rq->server->cfg_lock);
        rq->origin = origin;
        rq->method = xstrdup(method);
        rq->route = route_find(origin, method, rq->url, &rq->tail);
        rq->endpoint = rq->route ? rq->route->endpoint : EP_OTHER;
        if (origin == ORIGIN_API && strncmp(rq->url, "/_fake/", 7) == 0)
                rq->endpoint = EP_CONTROL;
        rq->fields = fields_parse(request_param(rq, "fields"),
                                  request_param(rq, "fields") ?
                                  strlen(request_param(rq, "fields")) : 0);
        expect_length(rq);
        rq->phase = PHASE_BODY;
}

/* Lets the stream see the headers or a piece of the body; an answer from it closes it. */
static void open_stream(struct request *rq)
{
        if (!rq->route || !rq->route->stream || (rq->fault && rq->fault->silent))
                return;
        rq->route->stream->begin(rq);
        rq->stream_open = rq->reply.status == 0;
}

static void close_stream(struct request *rq)
{
        if (rq->stream_open)
                rq->route->stream->abandon(rq);
        rq->stream_open = false;
}

/* ---- the answer ----------------------------------------------------------------------- */

static ssize_t read_nothing(void *cls, uint64_t pos, char *buf, size_t max)
{
        return MHD_CONTENT_READER_END_OF_STREAM;
}

static ssize_t read_trickle(void *cls, uint64_t pos, char *buf, size_t max)
{
        struct request *rq = cls;
        int64_t bps = rq->fault->slow_bps, now = now_mono_us();
        int64_t ready = (int64_t)((double)(now - rq->wake_us) * (double)bps / 1e6) + 1;
        size_t left = rq->reply.body.len - rq->sent;

        if ((int64_t)rq->sent >= ready && !atomic_load(&rq->server->stopping)) {
                suspend(rq, now + 20000);
                return 0;
        }
        if ((int64_t)(rq->sent + left) > ready)
                left = (size_t)ready - rq->sent;
        if (left > max)
                left = max;
        if (left == 0)
                return MHD_CONTENT_READER_END_WITH_ERROR;
        memcpy(buf, rq->reply.body.s + rq->sent, left);
        rq->sent += left;
        return (ssize_t)left;
}

static ssize_t read_half(void *cls, uint64_t pos, char *buf, size_t max)
{
        struct request *rq = cls;
        size_t half = rq->reply.body.len / 2;

        if (pos >= half) {
                reset(rq);
                return MHD_CONTENT_READER_END_WITH_ERROR;
        }
        if (max > half - pos)
                max = half - pos;
        memcpy(buf, rq->reply.body.s + pos, max);
        return (ssize_t)max;
}

static struct MHD_Response *make_response(struct request *rq)
{
        struct reply *r = &rq->reply;
        struct MHD_Response *out;
        size_t len = r->body.len;

        if (r->no_length) {
                out = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 512, read_nothing, NULL,
                                                        NULL);
                MHD_set_response_options(out, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
                return out;
        }
        if (r->length_only > 0)
                return MHD_create_response_from_callback((uint64_t)r->length_only, 512,
                                                         read_nothing, NULL, NULL);
        if (r->fd >= 0) {
                out = MHD_create_response_from_fd_at_offset64((uint64_t)r->fd_size, r->fd,
                                                              (uint64_t)r->fd_at);
                r->fd = -1;
                return out;
        }
        if (rq->fault && rq->fault->slow_bps > 0 && len > 0)
                return MHD_create_response_from_callback(len, 4096, read_trickle, rq, NULL);
        if (rq->fault && rq->fault->reset == RESET_MIDDLE && len > 0)
                return MHD_create_response_from_callback(len, len / 2 + 1, read_half, rq, NULL);
        return MHD_create_response_from_buffer(len, len ? TAKE_PTR(r->body.s) : NULL,
                                               len ? MHD_RESPMEM_MUST_FREE :
                                               MHD_RESPMEM_PERSISTENT);
}

static void add_headers(const struct request *rq, struct MHD_Response *out)
{
        const struct reply *r = &rq->reply;
        const cJSON *v;

        if (r->type)
                MHD_add_response_header(out, MHD_HTTP_HEADER_CONTENT_TYPE, r->type);
        for (unsigned i = 0; i < r->header_count; i++)
                MHD_add_response_header(out, r->headers[i].name, r->headers[i].value);
        if (r->status == 204) {
                MHD_set_response_options(out, MHD_RF_INSANITY_HEADER_CONTENT_LENGTH, MHD_RO_END);
                MHD_add_response_header(out, MHD_HTTP_HEADER_CONTENT_LENGTH, "0");
        }
        if (rq->fault)
                cJSON_ArrayForEach(v, rq->fault->headers)
                        if (cJSON_IsString(v))
                                MHD_add_response_header(out, v->string, v->valuestring);
}

static enum MHD_Result on_answer(struct request *rq)
{
        struct MHD_Response *out;
        enum MHD_Result r;

        if (must_wait(rq, rq->wake_us)) {
                suspend(rq, rq->wake_us);
                return MHD_YES;
        }
        rq->wake_us = now_mono_us();
        out = make_response(rq);
        if (!out)
                return MHD_NO;
        add_headers(rq, out);
        r = MHD_queue_response(rq->connection, (unsigned)rq->reply.status, out);
        MHD_destroy_response(out);
        return r;
}

/* ---- the end of the request ----------------------------------------------------------- */

static int64_t latency_us(const struct request *rq)
{
        int64_t us = 0;

        if (rq->endpoint == EP_CONTROL)
                return 0;
        if (rq->origin == ORIGIN_API) {
                us = rq->cfg.latency_ms * 1000;
                if (rq->cfg.latency_jitter_ms > 0)
                        us += rng_below(rng_thread(), (uint32_t)rq->cfg.latency_jitter_ms * 1000);
        }
        return us + (rq->fault ? rq->fault->delay_ms * 1000 : 0);
}

static void damage(struct request *rq)
{
        struct buf *b = &rq->reply.body;
        const struct fault *f = rq->fault;

        if (f->truncate)
                b->len /= 2;
        if (f->garbage) {
                b->len = 0;
                buf_str(b, f->body);
                if (f->type)
                        rq->reply.type = f->type;
        }
}

static enum MHD_Result be_silent(struct request *rq)
{
        close_stream(rq);
        log_request(rq, 0, false);
        rq->phase = PHASE_SILENT;
        MHD_suspend_connection(rq->connection);
        timer_add(rq->server->timers, now_mono_us() + POLL_SILENT_US, look_after, rq);
        return MHD_YES;
}

/* Lets the handler decide.  False when it wants to be asked again at rq->wake_us. */
static bool process(struct request *rq)
{
        if (rq->stream_open) {
                rq->wake_us = rq->route->stream->end(rq);
                if (rq->wake_us > 0)
                        return false;
                rq->stream_open = false;
        } else if (rq->reply.status == 0 && rq->body_too_large) {
                reply_html(rq, 413);
        } else if (rq->reply.status == 0 && rq->route && rq->route->handle) {
                rq->route->handle(rq);
        }
        if (rq->reply.status == 0)
                reply_html(rq, rq->route ? 500 : 404);
        return true;
}

static enum MHD_Result on_end(struct request *rq)
{
        enum fault_reset kind = rq->fault ? rq->fault->reset : RESET_NONE;

        if (rq->fault && rq->fault->silent)
                return be_silent(rq);
        if (kind == RESET_END) {
                close_stream(rq);
                log_request(rq, 0, false);
                return reset(rq);
        }
        if (rq->phase == PHASE_END && must_wait(rq, rq->wake_us)) {
                suspend(rq, rq->wake_us);
                return MHD_YES;
        }
        if (rq->fault && !rq->others_came)
                others_do(rq->server, rq->fault->before);
        rq->others_came = true;
        if (!process(rq)) {
                rq->phase = PHASE_END;
                suspend(rq, rq->wake_us);
                return MHD_YES;
        }
        if (rq->fault) {
                others_do(rq->server, rq->fault->after);
                damage(rq);
        }
        if (rq->fault && rq->fault->drop_answer)
                return be_silent(rq);
        log_request(rq, kind == RESET_AFTER ? 0 : rq->reply.status, false);
        if (kind == RESET_AFTER)
                return reset(rq);
        rq->wake_us = now_mono_us() + latency_us(rq);
        rq->phase = PHASE_ANSWER;
        return on_answer(rq);
}

static enum MHD_Result on_headers(struct request *rq, enum origin origin, const char *method)
{
        const char *expect;

        identify(rq, origin, method);
        learn_paths(rq);
        journal_begin(rq->server->journal, origin, rq->endpoint);
        if (rq->endpoint == EP_PUT) {
                journal_put_begin(rq->server->journal);
                rq->counted = true;
        }
        admit(rq);
        if (rq->reply.status == 0)
                rq->fault = find_fault(rq);
        if (rq->fault && rq->fault->reset == RESET_BEFORE) {
                log_request(rq, 0, false);
                return reset(rq);
        }
        apply_fault_early(rq);
        open_stream(rq);
        expect = request_header(rq, MHD_HTTP_HEADER_EXPECT);
        if (rq->reply.status != 0 && expect && strcasecmp(expect, "100-continue") == 0)
                return on_end(rq);
        return MHD_YES;
}

/* ---- the body ------------------------------------------------------------------------- */

/* How many bytes of the body may be read now. */
static size_t allowance(const struct request *rq)
{
        int64_t us, may;

        if (rq->bps == 0)
                return SIZE_MAX;
        us = now_mono_us() - rq->start_us;
        may = rq->burst + (int64_t)((double)us * (double)rq->bps / 1e6) - rq->body_bytes;
        return may > 0 ? (size_t)may : 0;
}

static void take(struct request *rq, const char *bytes, size_t n)
{
        rq->body_bytes += (int64_t)n;
        if (rq->stream_open) {
                rq->route->stream->data(rq, bytes, n);
                rq->stream_open = rq->reply.status == 0;
        } else if (rq->route && rq->route->handle && rq->reply.status == 0) {
                if (rq->in.len + n <= SMALL_BODY)
                        buf_add(&rq->in, bytes, n);
                else
                        rq->body_too_large = true;
        }
}

static bool is_half(const struct request *rq)
{
        return rq->fault && rq->fault->reset == RESET_MIDDLE && rq->endpoint == EP_PUT &&
               rq->body_bytes * 2 >= rq->expected_length;
}

static enum MHD_Result on_data(struct request *rq, const char *bytes, size_t *n)
{
        size_t may = allowance(rq), some = *n < may ? *n : may;

        if (rq->fault && rq->fault->reset == RESET_MIDDLE && rq->expected_length > 1 &&
            some > (size_t)rq->expected_length / 2)
                some = (size_t)rq->expected_length / 2;
        if (some > 0)
                take(rq, bytes, some);
        if (is_half(rq)) {
                close_stream(rq);
                log_request(rq, 0, false);
                return reset(rq);
        }
        *n -= some;
        if (*n > 0)
                suspend(rq, now_mono_us() + (rq->bps > 0 ? 20000 : 0));
        return MHD_YES;
}

static enum MHD_Result on_access(void *cls, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *data,
                                 size_t *data_size, void **request)
{
        struct request *rq = *request;
        enum origin origin = (enum origin)(uintptr_t)cls;

        switch (rq->phase) {
        case PHASE_HEADERS:
                return on_headers(rq, origin, method);
        case PHASE_BODY:
                if (*data_size > 0)
                        return on_data(rq, data, data_size);
                return on_end(rq);
        case PHASE_END:
                return on_end(rq);
        case PHASE_ANSWER:
                return on_answer(rq);
        case PHASE_SILENT:
                return MHD_NO;
        }
        return MHD_NO;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode why)
{
        struct request *rq = *request;

        if (!rq)
                return;
        close_stream(rq);
        log_request(rq, 0, true);
        if (rq->counted)
                journal_put_end(rq->server->journal);
        for (size_t i = 0; i < rq->param_count; i++) {
                free(rq->params[i].name);
                free(rq->params[i].value);
        }
        free(rq->params);
        free(rq->method);
        free(rq->url);
        free(rq->query);
        fields_destroy(rq->fields);
        fault_unref(rq->fault);
        path_finish(&rq->path);
        path_finish(&rq->from);
        buf_finish(&rq->in);
        reply_finish(&rq->reply);
        free(rq);
        *request = NULL;
}

/* ---- life ----------------------------------------------------------------------------- */

/* A listening socket: the ports of all origins must be known before any of them serves. */
static int listen_on(uint16_t port, uint16_t *ret_port)
{
        struct sockaddr_in a = {
                .sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        socklen_t len = sizeof a;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, r;

        if (fd < 0)
                return -errno;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 4096) < 0 ||
            getsockname(fd, (struct sockaddr *)&a, &len) < 0) {
                r = -errno;
                close(fd);
                return r;
        }
        *ret_port = ntohs(a.sin_port);
        return fd;
}

/* Takes over `fd`. */
static int start_origin(struct server *s, enum origin origin, const struct server_options *o,
                        int fd)
{
        /* The API keeps little; the uploader reads in large pieces. */
        size_t memory = origin == ORIGIN_UPLOADER ? 512 << 10 : 128 << 10;

        s->daemon[origin] = MHD_start_daemon(
                MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
                on_access, (void *)(uintptr_t)origin,
                MHD_OPTION_LISTEN_SOCKET, fd,
                MHD_OPTION_URI_LOG_CALLBACK, on_uri, s,
                MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
                MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory,
                MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)65536,
                MHD_OPTION_CONNECTION_LIMIT, 8192u,
                MHD_OPTION_CONNECTION_TIMEOUT, o->keepalive_s,
                MHD_OPTION_THREAD_POOL_SIZE, o->threads > 1 ? o->threads : 0u,
                MHD_OPTION_END);
        if (s->daemon[origin])
                return 0;
        close(fd);
        return -EIO;
}

static int start_origins(struct server *s, const struct server_options *o)
{
        int fd[ORIGIN_COUNT_], r = 0, n;

        for (n = 0; n < ORIGIN_COUNT_; n++) {
                fd[n] = listen_on(n == ORIGIN_API ? o->port : 0, &s->port[n]);
                if (fd[n] < 0)
                        break;
        }
        if (n < ORIGIN_COUNT_)
                r = fd[n];
        for (int i = 0; i < n; i++)
                if (r < 0)
                        close(fd[i]);
                else
                        r = start_origin(s, (enum origin)i, o, fd[i]);
        return r;
}

int server_start(const struct server_options *o, bool remove, struct server **ret)
{
        struct server *s = xcalloc(1, sizeof *s);
        int r;

        s->cfg = s->cfg_at_start = *o->cfg;
        s->remove = remove;
        pthread_mutex_init(&s->cfg_lock, NULL);
        atomic_init(&s->stopping, false);
        r = store_create(o->data, o->keep, &s->store);
        if (r < 0) {
                fprintf(stderr, "fakedisk: cannot keep contents in %s: %s\n", o->data,
                        strerror(-r));
                pthread_mutex_destroy(&s->cfg_lock);
                free(s);
                return r;
        }
        disk_init(&s->disk, s->store, o->cfg);
        s->faults = fault_create((uint64_t)o->cfg->seed);
        s->journal = journal_create();
        s->auth = auth_create(o->tokens);
        s->rate = rate_create();
        s->saves = save_create();
        s->timers = timer_create_thread();
        r = start_origins(s, o);
        if (r < 0) {
                fprintf(stderr, "fakedisk: cannot listen on 127.0.0.1:%u: %s\n", o->port,
                        strerror(-r));
                server_stop(s);
                server_destroy(s);
                return r;
        }
        *ret = s;
        return 0;
}

void server_stop(struct server *s)
{
        atomic_store(&s->stopping, true);
        timer_stop(s->timers);
        for (int i = 0; i < ORIGIN_COUNT_; i++)
                if (s->daemon[i])
                        MHD_stop_daemon(s->daemon[i]);
}

void server_destroy(struct server *s)
{
        save_destroy(s->saves);
        disk_finish(&s->disk);
        store_destroy(s->store, s->remove);
        fault_destroy(s->faults);
        journal_destroy(s->journal);
        auth_destroy(s->auth);
        rate_destroy(s->rate);
        timer_destroy(s->timers);
        pthread_mutex_destroy(&s->cfg_lock);
        free(s);
}

static void spread(struct server *s, const struct config *before)
{
        if (s->cfg.seed != before->seed)
                fault_seed(s->faults, (uint64_t)s->cfg.seed);
        disk_configure(&s->disk, &s->cfg);
}

bool server_configure(struct server *s, const cJSON *knobs, char ret_why[256])
{
        struct config before;
        bool ok;

        pthread_mutex_lock(&s->cfg_lock);
        before = s->cfg;
        ok = config_merge(&s->cfg, knobs, ret_why);
        if (ok)
                spread(s, &before);
        pthread_mutex_unlock(&s->cfg_lock);
        return ok;
}

void server_unconfigure(struct server *s)
{
        struct config before;

        pthread_mutex_lock(&s->cfg_lock);
        before = s->cfg;
        s->cfg = s->cfg_at_start;
        spread(s, &before);
        pthread_mutex_unlock(&s->cfg_lock);
}
