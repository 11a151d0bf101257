/* SPDX-License-Identifier: MIT */

/*
 * PUT of a file's bytes to a link.  The link is the only credential.  Nothing is seen of the file
 * before the commit, which is one step in the model; a body that stops early leaves nothing, but a
 * chunked one that ends cleanly is believed, however short it is.
 *
 * Refusals are decided on the headers where that is possible, but answered after the body, since a
 * connection closed over unread bytes would lose the answer; a client that waits for "100
 * Continue" gets it at once.
 */

#include <stdio.h>

#include "link.h"
#include "reply.h"
#include "server.h"
#include "upload.h"

static void refuse_claim(struct request *rq, enum link_claim claim)
{
        switch (claim) {
        case LINK_CLAIMED:
                break;
        case LINK_UNKNOWN:
                reply_html(rq, 404);
                break;
        case LINK_EXPIRED:
                reply_html(rq, (int)rq->cfg.link_expired_status);
                break;
        case LINK_USED:
                reply_html(rq, 400);
                break;
        }
}

/* Content-Range: bytes N-M/S.  False when it makes no sense. */
static bool read_range(struct request *rq)
{
        const char *range = request_header(rq, "Content-Range");
        long long from, to, total;
        char end;

        if (!range)
                return true;
        if (sscanf(range, "bytes %lld-%lld/%lld%c", &from, &to, &total, &end) != 3 || from < 0 ||
            to < from || total <= to)
                return false;
        rq->range_from = from;
        rq->range_total = total;
        return true;
}

static void spoil(struct request *rq, int status)
{
        body_destroy(TAKE_PTR(rq->body));
        link_spoil(&rq->server->disk, TAKE_PTR(rq->link));
        reply_html(rq, status);
}

/* Takes up what is there of a resumable upload. */
static void resume(struct request *rq)
{
        int64_t held;

        rq->body = TAKE_PTR(rq->link->partial);
        held = rq->body ? body_size(rq->body) : 0;
        if (rq->range_from < 0 && held > 0) {
                body_destroy(TAKE_PTR(rq->body));
        } else if (rq->range_from >= 0 && rq->range_from != held) {
                link_abandon(&rq->server->disk, TAKE_PTR(rq->link), TAKE_PTR(rq->body));
                reply_html(rq, 412);
        }
}

static void begin(struct request *rq)
{
        const char *agreed = rq->reply.status ? "" : NULL;
        enum link_claim claim = link_claim(&rq->server->disk, rq->tail, &rq->link);
        int64_t size;

        if (claim != LINK_CLAIMED) {
                if (!agreed)
                        refuse_claim(rq, claim);
                return;
        }
        if (agreed) {
                link_spoil(&rq->server->disk, TAKE_PTR(rq->link));
                return;
        }
        if (!read_range(rq) || (rq->range_from >= 0 && !rq->cfg.resume)) {
                spoil(rq, 400);
                return;
        }
        size = rq->range_from >= 0 ? rq->range_total : rq->expected_length;
        if (size > rq->cfg.max_file_size) {
                spoil(rq, 413);
                return;
        }
        if (rq->cfg.resume)
                resume(rq);
        if (!rq->link)
                return;
        rq->bps = rq->cfg.put_bps;
        if (rq->link->slow && rq->cfg.throttle_shape == THROTTLE_SLOW_READ) {
                rq->bps = rq->cfg.throttle_bps;
                rq->burst = rq->cfg.throttle_burst;
        }
        if (!rq->body)
                rq->body = body_create(rq->server->store, rq->cfg.sha256);
        if (rq->fault && rq->fault->corrupt)
                body_corrupt(rq->body);
}

static void data(struct request *rq, const void *bytes, size_t n)
{
        if (body_size(rq->body) + (int64_t)n > rq->cfg.max_file_size)
                spoil(rq, 413);
        else if (body_write(rq->body, bytes, n) < 0)
                spoil(rq, 500);
}

/* How long the uploader keeps quiet after the last byte, for a body of this size. */
static int64_t silence_us(const struct request *rq, int64_t size)
{
        int64_t us = rq->cfg.put_pause_ms * 1000, throttled;

        us += (int64_t)((double)rq->cfg.put_pause_ms_per_gib * 1e3 * (double)size / 0x1p30);
        if (!rq->link->slow || rq->cfg.throttle_shape != THROTTLE_LATE_ANSWER)
                return us;
        throttled = rq->start_us - now_mono_us();
        if (size > rq->cfg.throttle_burst)
                throttled += (int64_t)((double)(size - rq->cfg.throttle_burst) * 1e6 /
                                       (double)rq->cfg.throttle_bps);
        return us + (throttled > 0 ? throttled : 0);
}

static void reply_stored(struct request *rq)
{
        reply_status(rq, 201);
        rq->reply.no_length = rq->cfg.put_reply == PUT_REPLY_NO_LENGTH;
}

static void commit(struct request *rq)
{
        enum svc_error e;

        if (rq->fault && rq->fault->forget) {
                store_unref(rq->server->store, TAKE_PTR(rq->content));
                link_spoil(&rq->server->disk, TAKE_PTR(rq->link));
                reply_stored(rq);
                return;
        }
        if (rq->cfg.put_reply == PUT_REPLY_202) {
                link_commit_later(&rq->server->disk, TAKE_PTR(rq->link), TAKE_PTR(rq->content),
                                  rq->cfg.put_commit_ms);
                reply_status(rq, 202);
                return;
        }
        e = link_commit(&rq->server->disk, TAKE_PTR(rq->link), TAKE_PTR(rq->content));
        if (e == SVC_OK)
                reply_stored(rq);
        else
                reply_html(rq, e == SVC_QUOTA ? 507 : 409);
        if (e != SVC_OK)
                rq->reply.error = svc_error_info(e)->name;
}

static int64_t end(struct request *rq)
{
        int64_t size, quiet;

        if (!rq->late) {
                size = body_size(rq->body);
                if (rq->range_from >= 0 && size < rq->range_total) {
                        link_abandon(&rq->server->disk, TAKE_PTR(rq->link), TAKE_PTR(rq->body));
                        reply_status(rq, 202);
                        return 0;
                }
                rq->content = body_commit(TAKE_PTR(rq->body));
                if (!rq->content) {
                        spoil(rq, 500);
                        return 0;
                }
                rq->late = true;
                quiet = silence_us(rq, size);
                if (quiet > 0)
                        return now_mono_us() + quiet;
        }
        commit(rq);
        return 0;
}

static void abandon(struct request *rq)
{
        store_unref(rq->server->store, TAKE_PTR(rq->content));
        if (rq->link)
                link_abandon(&rq->server->disk, TAKE_PTR(rq->link), TAKE_PTR(rq->body));
}

const struct stream upload_stream = {
        .begin = begin,
        .data = data,
        .end = end,
        .abandon = abandon,
};

void upload_head(struct request *rq)
{
        int64_t held = rq->cfg.resume ? link_held(&rq->server->disk, rq->tail) : -1;

        if (held < 0) {
                reply_html(rq, 404);
                return;
        }
        reply_status(rq, 200);
        rq->reply.length_only = held;
}
