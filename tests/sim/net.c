/* SPDX-License-Identifier: MIT */

/*
 * A request is two things: what the program waits for (struct http_op, gone with the program) and
 * what travels to the service (struct travel, which may arrive although nobody waits any more).
 */

#include "tests/sim/net.h"

#include "tests/sim/disk.h"

#include "lib/engine/http.h"
#include "tests/sim/edit.h"
#include "tests/sim/fault.h"
#include "tests/sim/look.h"
#include "tests/sim/rule.h"
#include "tests/sim/wire.h"

#include <errno.h>

struct http {
        struct source_root root;
        uint64_t sent;
        bool closed;
};

struct travel {
        struct travel *prev, *next;
        int64_t begun_ns;          /* when it was sent */
        struct http_op *op;        /* NULL: nobody waits for the answer */
        struct event *arrival;
        enum http_method method;
        char *url;
        bool upload;
        uint64_t content;
        struct reply reply;
};

struct http_op {
        struct http *http;
        const struct http_req *req;
        http_done done;
        void *userdata;
        struct event *next;        /* what happens to it next, where that is its own affair */
        struct travel *travel;     /* on its way */
        struct reading reading;
        uint64_t content;
        uint64_t sent;
        int64_t read_ns;
        bool whole;                /* the body was read to its end */
        struct outcome out;
};

static struct travel *travels;

static int64_t net_ms(unsigned from, unsigned to)
{
        return (int64_t)(from + sim_below(to - from + 1)) * MS;
}

/* ---- travelling ------------------------------------------------------------------------------- */

static void travel_free(struct travel *t)
{
        if (t->prev)
                t->prev->next = t->next;
        else
                travels = t->next;
        if (t->next)
                t->next->prev = t->prev;
        if (t->op)
                t->op->travel = NULL;
        loop_cancel(t->arrival);
        str_finish(&t->reply.body);
        free(t->url);
        free(t);
}

void net_finish(void)
{
        while (travels)
                travel_free(travels);
}

static void op_deliver(struct http_op *op)
{
        struct outcome in = op->out;

        in.sent = op->sent;
        if (op->whole) {
                content_md5(op->content, in.md5);
                in.read_ns = op->read_ns;
        }
        op->done(op->userdata, &in);
        if (op->travel)
                travel_free(op->travel);
        reading_finish(&op->reading);
        free(op);
}

static void op_due(void *userdata)
{
        struct http_op *op = userdata;

        op->next = NULL;
        op_deliver(op);
}

static void op_answered(struct http_op *op, const struct reply *r, int64_t delay_ns)
{
        op->out.kind = OUTCOME_HTTP;
        op->out.status = r->status;
        op->out.body = str_z(&r->body);
        op->out.body_len = r->body.len;
        op->out.retry_after_ms = r->retry_after_ms;
        op->next = loop_after(delay_ns, SIDE_CLIENT, op_due, op);
}

static void op_fails(struct http_op *op, enum http_fault fault, int err, int64_t delay_ns)
{
        op->out.kind = OUTCOME_FAULT;
        op->out.fault = fault;
        op->out.err = err;
        op->out.text = "it is so";
        op->out.sent_all = fault != HTTP_FAULT_UNREACHABLE && fault != HTTP_FAULT_TLS &&
                           (!op->req->file || op->sent == op->req->file->size);
        op->next = loop_after(delay_ns, SIDE_CLIENT, op_due, op);
}

static enum http_fault net_how_it_ends(void)
{
        return sim_chance(500) ? HTTP_FAULT_BROKEN : HTTP_FAULT_STALLED;
}

static void travel_arrives(void *userdata)
{
        struct travel *t = userdata;
        struct http_op *op = t->op;

        t->arrival = NULL;
        if (sim.failed)
                return;
        sim.counts.requests++;
        disk.asked_ns = t->begun_ns;
        if (t->upload)
                wire_upload(&t->reply, t->url, t->content);
        else
                wire_api(&t->reply, t->method, t->url);
        if (!op)
                travel_free(t);
        else if (fault_strikes(t->upload ? SIM_FAULT_STORED_LOST : SIM_FAULT_LOST_REPLY))
                op_fails(op, net_how_it_ends(), 0, net_ms(10, 60000));
        else
                op_answered(op, &t->reply, net_ms(1, 200));
}

static struct travel *travel_begin(struct http_op *op, int64_t delay_ns)
{
        struct travel *t = calloc(1, sizeof(*t));

        if (!t)
                abort();
        t->op = op;
        t->begun_ns = loop.now_ns;
        t->method = op->req->method;
        t->url = str_dup(op->req->url);
        t->upload = op->req->file;
        t->content = op->content;
        t->reply = (struct reply){.retry_after_ms = -1, .body = STR_NULL(1 << 20)};
        t->next = travels;
        if (travels)
                travels->prev = t;
        travels = t;
        op->travel = t;
        t->arrival = loop_after(delay_ns, SIDE_WORLD, travel_arrives, t);
        return t;
}

/* ---- bodies ----------------------------------------------------------------------------------- */

static void op_sent(void *userdata)
{
        struct http_op *op = userdata;
        int r;

        op->next = NULL;
        edit_may_come(SIM_EDIT_IN_SEND);
        op->sent = op->req->file->size / 2;
        if (fault_strikes(SIM_FAULT_RESET_MIDDLE)) {
                op_fails(op, net_how_it_ends(), 0, 0);
                return;
        }
        r = reading_end(&op->reading, &op->content);
        if (r < 0) {
                op_fails(op, HTTP_FAULT_LOCAL, -r, 0);
                return;
        }
        op->http->sent += op->req->file->size;
        op->sent = op->req->file->size;
        op->whole = true;
        if (fault_strikes(SIM_FAULT_RESET_END)) {
                op_fails(op, net_how_it_ends(), 0, net_ms(0, 60000));
        } else if (fault_strikes(SIM_FAULT_STORED_LATE)) {
                travel_begin(op, net_ms(200, 55000))->op = NULL;
                op->travel = NULL;
                op_fails(op, net_how_it_ends(), 0, net_ms(0, 2000));
        } else {
                travel_begin(op, net_ms(1, 100));
        }
}

static void op_reads(void *userdata)
{
        struct http_op *op = userdata;
        int r;

        op->next = NULL;
        edit_may_come(SIM_EDIT_IN_READ);
        op->read_ns = loop_wall_ns();
        r = reading_begin(&op->reading, &op->http->root, op->req->file);
        if (r < 0) {
                op_fails(op, HTTP_FAULT_LOCAL, -r, 0);
                return;
        }
        rule_sends(op->req->url, op->reading.content);
        op->next = loop_after(net_ms(5, op->req->file->size > 1000000 ? 60000
                                        : sim_chance(500)             ? 50
                                                                      : 2000),
                              SIDE_CLIENT, op_sent, op);
}

/* ---- http.h ----------------------------------------------------------------------------------- */

int http_create(struct http **ret, uv_loop_t *uv _unused_, const struct http_options *options _unused_,
                struct err *err _unused_)
{
        *ret = calloc(1, sizeof(struct http));
        if (!*ret)
                abort();
        return 0;
}

struct closing {
        struct http *http;
        void (*closed)(void *userdata);
        void *userdata;
};

static void http_closed(void *userdata)
{
        struct closing c = *(struct closing *)userdata;

        free(userdata);
        free(c.http);
        c.closed(c.userdata);
}

void http_close(struct http *h, void (*closed)(void *userdata), void *userdata)
{
        struct closing *c = calloc(1, sizeof(*c));

        if (!c)
                abort();
        *c = (struct closing){h, closed, userdata};
        loop_after(0, SIDE_CLIENT, http_closed, c);
}

void http_set_upload_rate(struct http *h _unused_, uint64_t bytes _unused_)
{
}

int http_set_token(struct http *h _unused_, const char *token _unused_)
{
        return 0;
}

void http_set_root(struct http *h, const struct source_root *root)
{
        h->root = *root;
}

struct http_op *http_start(struct http *h, const struct http_req *req, http_done done,
                           void *userdata)
{
        struct http_op *op = calloc(1, sizeof(*op));

        if (!op)
                abort();
        *op = (struct http_op){.http = h, .req = req, .done = done, .userdata = userdata,
                               .out = {.retry_after_ms = -1}};
        if (fault_lasts(SIM_FAULT_UNREACHABLE))
                op_fails(op, HTTP_FAULT_UNREACHABLE, 0, net_ms(1, 30000));
        else if (fault_strikes(SIM_FAULT_TLS))
                op_fails(op, HTTP_FAULT_TLS, 0, net_ms(1, 500));
        else if (req->file)
                op->next = loop_after(net_ms(0, 50), SIDE_CLIENT, op_reads, op);
        else if (fault_strikes(SIM_FAULT_LOST_REQUEST))
                op_fails(op, net_how_it_ends(), 0, net_ms(10, 60000));
        else
                travel_begin(op, net_ms(1, 300));
        return op;
}

/* What is on its way may arrive all the same. */
void http_cancel(struct http_op *op)
{
        if (!op)
                return;
        loop_cancel(op->next);
        if (op->travel && op->travel->arrival && sim_chance(600))
                op->travel->op = NULL;
        else if (op->travel)
                travel_free(op->travel);
        reading_finish(&op->reading);
        free(op);
}

uint64_t http_op_sent(const struct http_op *op _unused_)
{
        return 0;
}

uint64_t http_sent(const struct http *h)
{
        return h->sent;
}
