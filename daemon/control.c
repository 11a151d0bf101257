/* SPDX-License-Identifier: MIT */

/*
 * Connections are accepted here and then given to libmicrohttpd, which has no socket of its own to
 * listen at and no thread: its epoll descriptor is watched by the loop, and a timer calls it when it
 * wants to be called.
 */

#include "daemon/control.h"

#include "daemon/socket.h"
#include "lib/base/str.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <grp.h>
#include <microhttpd.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define CONTROL_PLACES 64          /* connections at once … */
#define CONTROL_SILENCE_S 10       /* … and how long one may say nothing */
#define CONTROL_MEMORY (64 * 1024) /* bytes for what a request says */
#define CONTROL_BODY_MAX 65536     /* bytes; no request has one that means anything */
#define CONTROL_REST_MS 1000       /* after accept(2) has failed for want of something */
#define CONTROL_HANDLES 3

struct control_ask {
        struct control *control;
        struct MHD_Connection *connection;
        const struct control_route *route;
        struct control_ask *prev, *next;    /* of control.asks, while it waits */
        uint64_t body;
        unsigned status;                    /* of the reply; 0: none yet */
        char *json;
        bool told, waits;
};

struct control {
        uv_loop_t *loop;
        struct socket socket;
        const struct control_route *routes;
        void *userdata;
        struct MHD_Daemon *daemon;
        uv_poll_t door, epoll;
        uv_timer_t timer;
        unsigned open_handles;
        bool closing, running;
        bool resting;                       /* the door is shut for a moment */
        struct control_ask *asks;           /* those that wait */
        struct {
                int fd;
                bool heard;                 /* a whole request has come */
        } guests[CONTROL_PLACES];           /* oldest first */
        size_t n_guests;
};

/* ---- who -------------------------------------------------------------------------------------- */

static bool control_in_group(int fd, gid_t group)
{
        gid_t groups[256];
        socklen_t size = sizeof(groups);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
                return false;
        for (size_t i = 0; i < size / sizeof(gid_t); i++)
                if (groups[i] == group)
                        return true;
        return false;
}

static bool control_is_owner(const struct ucred *peer)
{
        return peer->uid == 0 || peer->uid == geteuid();
}

/* Whether the one at the other end may ask, and whether to change something. */
static bool control_admits(const struct control *c, int fd, bool changes)
{
        struct ucred peer;
        socklen_t size = sizeof(peer);
        struct stat st;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return false;
        if (control_is_owner(&peer))
                return true;
        if (changes || lstat(c->socket.path, &st) < 0 || !(st.st_mode & S_IWGRP))
                return false;
        return peer.gid == st.st_gid || control_in_group(fd, st.st_gid);
}

/* ---- turning libmicrohttpd -------------------------------------------------------------------- */

static void control_turn(struct control *c);

static void control_on_timer(uv_timer_t *timer)
{
        control_turn(timer->data);
}

static void control_on_door(uv_poll_t *poll, int status, int events);

static void control_open_door(struct control *c)
{
        c->resting = false;
        uv_poll_start(&c->door, UV_READABLE, control_on_door);
}

/* Lets it do what it can, and asks when it wants to be called again. */
static void control_turn(struct control *c)
{
        MHD_UNSIGNED_LONG_LONG ms = 0;
        bool wants;

        if (c->running || c->closing)
                return;
        c->running = true;
        if (c->resting)
                control_open_door(c);
        MHD_run(c->daemon);
        c->running = false;
        wants = MHD_get_timeout(c->daemon, &ms) == MHD_YES;
        if (c->resting && (!wants || ms > CONTROL_REST_MS))
                ms = CONTROL_REST_MS;
        if (wants || c->resting)
                uv_timer_start(&c->timer, control_on_timer, ms, 0);
        else
                uv_timer_stop(&c->timer);
}

static void control_on_epoll(uv_poll_t *poll, int status _unused_, int events _unused_)
{
        control_turn(poll->data);
}

/* ---- asks ------------------------------------------------------------------------------------- */

static void control_link(struct control_ask *ask)
{
        struct control *c = ask->control;

        ask->waits = true;
        ask->prev = NULL;
        ask->next = c->asks;
        if (c->asks)
                c->asks->prev = ask;
        c->asks = ask;
}

static void control_unlink(struct control_ask *ask)
{
        if (ask->prev)
                ask->prev->next = ask->next;
        else
                ask->control->asks = ask->next;
        if (ask->next)
                ask->next->prev = ask->prev;
        ask->waits = false;
}

void control_reply(struct control_ask *ask, unsigned status, char *json)
{
        struct control *c = ask->control;

        ask->status = json ? status : MHD_HTTP_SERVICE_UNAVAILABLE;
        ask->json = json;
        if (!ask->waits)
                return;
        control_unlink(ask);
        MHD_resume_connection(ask->connection);
        if (!c->running && !c->closing)
                uv_timer_start(&c->timer, control_on_timer, 0, 0);
}

void control_refuse(struct control_ask *ask, unsigned status, const char *fmt, ...)
{
        _cleanup_(str_finish) struct str words = STR_NULL(4096);
        char text[1024];
        cJSON *o = cJSON_CreateObject();
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        str_add_printable(&words, text); /* it may name any path, and JSON is UTF-8 */
        cJSON_AddStringToObject(o, "error", str_z(&words));
        control_reply(ask, status, cJSON_PrintUnformatted(o));
        cJSON_Delete(o);
}

const char *control_argument(const struct control_ask *ask, const char *name)
{
        return MHD_lookup_connection_value(ask->connection, MHD_GET_ARGUMENT_KIND, name);
}

static enum MHD_Result control_send(struct control_ask *ask)
{
        static const char none[] = "{\"error\":\"no memory\"}\n";
        _cleanup_(freep) char *line = NULL;
        struct MHD_Response *response;
        enum MHD_Result r;
        int n = ask->json ? asprintf(&line, "%s\n", ask->json) : -1;

        if (n < 0) {
                line = NULL;
                response = MHD_create_response_from_buffer(sizeof(none) - 1, (void *)none,
                                                           MHD_RESPMEM_PERSISTENT);
        } else {
                response = MHD_create_response_from_buffer((size_t)n, line, MHD_RESPMEM_MUST_COPY);
        }
        if (!response)
                return MHD_NO;
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
        if (ask->status == MHD_HTTP_METHOD_NOT_ALLOWED && ask->route)
                MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, ask->route->method);
        r = MHD_queue_response(ask->connection, ask->status, response);
        MHD_destroy_response(response);
        return r;
}

/* ---- requests --------------------------------------------------------------------------------- */

static int control_fd(struct MHD_Connection *connection)
{
        const union MHD_ConnectionInfo *info =
                MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

        return info ? info->connect_fd : -1;
}

/* The route of this method and path; with *ret_other, one of the path when the method is another. */
static const struct control_route *control_find(const struct control *c, const char *method,
                                                const char *path,
                                                const struct control_route **ret_other)
{
        *ret_other = NULL;
        for (const struct control_route *r = c->routes; r->path; r++) {
                if (!str_eq(r->path, path))
                        continue;
                if (str_eq(r->method, method))
                        return r;
                *ret_other = r;
        }
        return NULL;
}

static void control_judge(struct control_ask *ask, const char *method, const char *path)
{
        struct control *c = ask->control;
        const struct control_route *other;

        ask->route = control_find(c, method, path, &other);
        if (ask->body > CONTROL_BODY_MAX) {
                control_refuse(ask, MHD_HTTP_CONTENT_TOO_LARGE, "the request is too large");
        } else if (!ask->route && other) {
                ask->route = other;
                control_refuse(ask, MHD_HTTP_METHOD_NOT_ALLOWED, "%s wants %s", path,
                               other->method);
        } else if (!ask->route) {
                control_refuse(ask, MHD_HTTP_NOT_FOUND, "there is nothing of this name here");
        } else if (!control_admits(c, control_fd(ask->connection), ask->route->changes)) {
                control_refuse(ask, MHD_HTTP_FORBIDDEN,
                               "only root and the user who runs ydsync may do this");
        } else {
                ask->route->answer(c->userdata, ask);
        }
}

static void control_heard(struct control *c, int fd)
{
        for (size_t i = 0; i < c->n_guests; i++)
                if (c->guests[i].fd == fd)
                        c->guests[i].heard = true;
}

/* Called with the head, with each piece of a body, at the end, and again once it was resumed. */
static enum MHD_Result control_on_access(void *userdata, struct MHD_Connection *connection,
                                         const char *path, const char *method,
                                         const char *version _unused_,
                                         const char *data _unused_, size_t *size, void **state)
{
        struct control_ask *ask = *state;

        if (!ask) {
                ask = *state = calloc(1, sizeof(*ask));
                if (ask)
                        *ask = (struct control_ask){.control = userdata, .connection = connection};
                return ask ? MHD_YES : MHD_NO;
        }
        if (*size > 0) {
                ask->body += *size;
                *size = 0;
                return ask->body > 16 * CONTROL_BODY_MAX ? MHD_NO : MHD_YES;
        }
        if (!ask->told) {
                ask->told = true;
                control_heard(ask->control, control_fd(connection));
                control_judge(ask, method, path);
        }
        if (ask->status)
                return control_send(ask);
        control_link(ask);
        MHD_suspend_connection(connection);
        return MHD_YES;
}

static void control_on_completed(void *userdata _unused_,
                                 struct MHD_Connection *connection _unused_, void **state,
                                 enum MHD_RequestTerminationCode how _unused_)
{
        struct control_ask *ask = *state;

        if (!ask)
                return;
        cJSON_free(ask->json);
        free(ask);
        *state = NULL;
}

/* ---- connections ------------------------------------------------------------------------------ */

static void control_forget(struct control *c, int fd)
{
        size_t n = 0;

        for (size_t i = 0; i < c->n_guests; i++)
                if (c->guests[i].fd != fd)
                        c->guests[n++] = c->guests[i];
        c->n_guests = n;
}

static void control_on_connection(void *userdata, struct MHD_Connection *connection,
                                  void **state _unused_,
                                  enum MHD_ConnectionNotificationCode what)
{
        if (what == MHD_CONNECTION_NOTIFY_CLOSED)
                control_forget(userdata, control_fd(connection));
}

/* Puts the oldest out who has not said what he wants, else the oldest. */
static void control_make_room(struct control *c)
{
        size_t i = 0;

        while (i < c->n_guests && c->guests[i].heard)
                i++;
        if (i == c->n_guests)
                i = 0;
        shutdown(c->guests[i].fd, SHUT_RDWR);
        control_forget(c, c->guests[i].fd);
}

static void control_accept(struct control *c)
{
        struct sockaddr_storage address = {.ss_family = AF_UNIX};
        int fd = accept4(c->socket.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
                c->resting = true;
                uv_poll_stop(&c->door);
        }
        if (fd < 0)
                return;
        if (!control_admits(c, fd, false)) {
                close(fd);
                return;
        }
        if (c->n_guests == CONTROL_PLACES)
                control_make_room(c);
        c->guests[c->n_guests].fd = fd;
        c->guests[c->n_guests++].heard = false;
        if (MHD_add_connection(c->daemon, fd, (struct sockaddr *)&address, sizeof(sa_family_t)) !=
            MHD_YES)
                control_forget(c, fd); /* it was closed */
}

static void control_on_door(uv_poll_t *poll, int status _unused_, int events _unused_)
{
        struct control *c = poll->data;

        control_accept(c);
        control_turn(c);
}

/* ---- life ------------------------------------------------------------------------------------- */

static struct MHD_Daemon *control_daemon(struct control *c)
{
        return MHD_start_daemon(
                MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
                control_on_access, c, MHD_OPTION_NOTIFY_COMPLETED, control_on_completed, NULL,
                MHD_OPTION_NOTIFY_CONNECTION, control_on_connection, c,
                /* Those that were put out are there until they have noticed. */
                MHD_OPTION_CONNECTION_LIMIT, 2u * CONTROL_PLACES, MHD_OPTION_CONNECTION_TIMEOUT,
                (unsigned)CONTROL_SILENCE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                (size_t)CONTROL_MEMORY, MHD_OPTION_END);
}

static void control_free(uv_handle_t *handle)
{
        struct control *c = handle->data;

        if (--c->open_handles > 0)
                return;
        free(c);
}

static void control_close_handles(struct control *c)
{
        c->open_handles = CONTROL_HANDLES;
        uv_close((uv_handle_t *)&c->door, control_free);
        uv_close((uv_handle_t *)&c->epoll, control_free);
        uv_close((uv_handle_t *)&c->timer, control_free);
}

/* All or nothing. */
static int control_watch(struct control *c)
{
        const union MHD_DaemonInfo *info =
                MHD_get_daemon_info(c->daemon, MHD_DAEMON_INFO_EPOLL_FD);
        int r = info ? uv_poll_init(c->loop, &c->epoll, info->epoll_fd) : -ENOTSUP;

        if (r < 0)
                return r;
        r = uv_poll_init(c->loop, &c->door, c->socket.fd);
        if (r < 0) {
                uv_close((uv_handle_t *)&c->epoll, NULL);
                uv_run(c->loop, UV_RUN_NOWAIT); /* it is forgotten before `c` is freed */
                return r;
        }
        uv_timer_init(c->loop, &c->timer);
        c->door.data = c->epoll.data = c->timer.data = c;
        uv_poll_start(&c->epoll, UV_READABLE, control_on_epoll);
        control_open_door(c);
        return 0;
}

int control_create(struct control **ret, uv_loop_t *loop, const char *state_dir,
                   const struct control_route *routes, void *userdata, struct err *err)
{
        struct control *c = calloc(1, sizeof(*c));
        int r;

        if (!c)
                return err_set(err, ENOMEM, "no memory");
        c->loop = loop;
        c->routes = routes;
        c->userdata = userdata;
        c->socket = SOCKET_NULL;
        r = socket_listen(&c->socket, state_dir, err);
        if (r == 0) {
                c->daemon = control_daemon(c);
                r = c->daemon ? control_watch(c) : -ENOMEM;
                if (r < 0)
                        err_errno(err, -r, "the server cannot be set up");
        }
        if (r < 0) {
                if (c->daemon)
                        MHD_stop_daemon(c->daemon);
                socket_close(&c->socket);
                free(c);
                return r;
        }
        *ret = c;
        return 0;
}

void control_close(struct control *c)
{
        if (!c)
                return;
        while (c->asks)
                control_refuse(c->asks, MHD_HTTP_SERVICE_UNAVAILABLE, "ydsync is ending");
        MHD_run(c->daemon);
        c->closing = true;
        uv_poll_stop(&c->door);
        uv_poll_stop(&c->epoll);
        uv_timer_stop(&c->timer);
        MHD_stop_daemon(c->daemon);
        socket_close(&c->socket);
        control_close_handles(c);
}

const char *control_path(const struct control *c)
{
        return c->socket.path;
}
