/* SPDX-License-Identifier: MIT */

#include "daemon/mirror.h"

#include "daemon/event.h"
#include "daemon/signals.h"
#include "daemon/start.h"
#include "daemon/waker.h"

#include <errno.h>
#include <inttypes.h>
#include <systemd/sd-daemon.h>

#define MIRROR_PAUSE_MS 200

/* In a row: a disk that damages every snapshot is not ours to work round. */
#define MIRROR_REOPENS 3

struct mirror {
        struct mirror_args args;
        struct store *store;
        struct cycle *cycle;
        uv_loop_t loop;
        struct waker waker;  /* when the next pass is due */
        bool stopping;
        bool resting;        /* between two passes */
        bool look;           /* somebody asked for a pass */
        unsigned reopened;   /* how often in a row the snapshot was set aside or opened anew */
        int reopen_err;
        unsigned passes;
        enum exit_status status;
};

static void mirror_say_failed(const struct err *err)
{
        event_say(EVENT_STATE_FAILED, &(struct event_about){.err = err->code}, "%s", err->text);
}

/* ---- passes ---------------------------------------------------------------------------------- */

static void mirror_closed(void *userdata)
{
        struct mirror *m = userdata;

        m->cycle = NULL;
        signals_unwatch();
        waker_close(&m->waker);
}

static void mirror_stop(struct mirror *m)
{
        if (m->stopping)
                return;
        m->stopping = true;
        if (m->reopen_err) /* the cycle is on its way out already */
                return;
        sd_notify(0, "STOPPING=1\nSTATUS=stopping");
        waker_stop(&m->waker);
        cycle_stop(m->cycle, mirror_closed, m);
}

/* Asked again and again it looks again and again, but not all the time. */
static void mirror_look(struct mirror *m)
{
        if (m->look || m->stopping)
                return;
        m->look = true;
        event_say(EVENT_LOOK_ASKED, NULL, "asked to look at the folder now");
        if (m->resting)
                waker_set(&m->waker, MIRROR_PAUSE_MS);
}

static void mirror_heard(void *userdata, unsigned words)
{
        struct mirror *m = userdata;

        if (words & SIGNALS_LOOK)
                mirror_look(m);
        if (words & SIGNALS_END) {
                m->status = EXIT_OK;
                mirror_stop(m);
        }
}

static void mirror_pass_done(void *userdata, const struct pass_end *end);

static void mirror_pass(void *userdata)
{
        struct mirror *m = userdata;

        m->passes++;
        m->resting = m->look = false;
        cycle_pass(m->cycle, mirror_pass_done, m);
}

static int mirror_create_cycle(struct mirror *m, struct err *err)
{
        int r = cycle_create(&m->cycle, &m->loop, m->args.config, m->store, m->args.spool_dir, err);

        if (r == 0 && m->args.daemon)
                cycle_set_slices(m->cycle);
        return r;
}

static void mirror_rest(struct mirror *m, int64_t wait_ms)
{
        m->resting = true;
        waker_set(&m->waker, wait_ms);
}

/* The snapshot has gone bad under our hands: away with it, and compare with the cloud anew.  When its
 * disk failed it may be good all the same, and the next pass is in time to tell. */
static void mirror_reopen(void *userdata)
{
        struct mirror *m = userdata;
        struct err err = ERR_NONE;
        int r = 0;

        m->cycle = NULL;
        if (m->stopping) {
                mirror_closed(m);
                return;
        }
        store_close(TAKE_PTR(m->store));
        if (m->reopen_err == EUCLEAN) {
                r = store_set_aside(m->args.config->state_dir, &err);
                if (r == 0)
                        event_say(EVENT_STATE_RENEWED, NULL,
                                  "%s; the folder is compared with the cloud anew", err.text);
        }
        if (r == 0)
                r = store_open(&m->store, m->args.config->state_dir, 0, &err);
        if (r == 0)
                r = mirror_create_cycle(m, &err);
        if (r == 0) {
                bool later = m->reopen_err == EIO;

                m->reopen_err = 0;
                if (later)
                        mirror_rest(m, m->args.config->period_ms);
                else
                        cycle_pass(m->cycle, mirror_pass_done, m);
                return;
        }
        mirror_say_failed(&err);
        m->status = EXIT_IO_ERROR;
        m->stopping = true;
        mirror_closed(m);
}

static void mirror_after_pass(struct mirror *m, const struct pass_end *end)
{
        int64_t wait_ms = m->args.config->period_ms;
        int64_t soon_ms = (m->look ? 0 : end->again_ms) + 10 * end->scan_ms + MIRROR_PAUSE_MS;

        /* A file that is written to all the time must not make us scan all the time. */
        if ((end->again || m->look) && soon_ms < wait_ms)
                wait_ms = soon_ms;
        sd_notifyf(0, "STATUS=%s", end->status == EXIT_OK ? "everything is mirrored"
                                                          : "some work is left; see the log");
        mirror_rest(m, wait_ms);
}

/* A daemon must not need a person to start it anew after a disk had a bad moment. */
static bool mirror_must_reopen(struct mirror *m, const struct pass_end *end)
{
        if (!end->state_err)
                m->reopened = 0;
        if (!end->state_err || !m->store || m->args.show)
                return false;
        return end->state_err == EIO ? m->args.daemon : m->reopened++ < MIRROR_REOPENS;
}

static void mirror_pass_done(void *userdata, const struct pass_end *end)
{
        struct mirror *m = userdata;

        if (m->stopping)
                return;
        m->status = end->status;
        if (mirror_must_reopen(m, end)) {
                m->reopen_err = end->state_err;
                cycle_stop(m->cycle, mirror_reopen, m);
                return;
        }
        /* A token that is refused will be refused again; a person has to act. */
        if (m->args.daemon && end->status != EXIT_NO_PERMISSION) {
                mirror_after_pass(m, end);
                return;
        }
        if (!m->args.daemon && end->again && m->passes < m->args.passes) {
                if (end->young > 0 && m->passes == 1)
                        event_say(EVENT_WAITING_YOUNG, NULL,
                                  "%" PRIu64 " files were changed a moment ago; waiting until they "
                                  "rest",
                                  end->young);
                mirror_rest(m, end->again_ms + MIRROR_PAUSE_MS);
                return;
        }
        if (!m->args.daemon && end->again && m->status == EXIT_OK) {
                event_say(EVENT_RESTLESS, NULL,
                          "some files keep changing; the next run takes them up");
                m->status = EXIT_TRY_AGAIN;
        }
        mirror_stop(m);
}

static int mirror_watch(struct mirror *m, struct err *err)
{
        int r = waker_init(&m->waker, &m->loop, mirror_pass, m);

        if (r == 0)
                r = signals_watch(&m->loop, mirror_heard, m);
        return r == 0 ? 0 : err_errno(err, -r, "the event loop cannot start");
}

static int mirror_begin(struct mirror *m, struct err *err)
{
        int r = start_loop(&m->loop, err);

        if (r == 0)
                r = mirror_watch(m, err);
        if (r == 0)
                r = mirror_create_cycle(m, err);
        return r;
}

/* Runs passes until mirror_stop(). */
enum exit_status mirror_run(const struct mirror_args *args)
{
        struct mirror m = {.args = *args, .store = args->store, .status = EXIT_OK};
        struct err err = ERR_NONE;

        if (mirror_begin(&m, &err) < 0) {
                mirror_say_failed(&err);
                store_close(m.store);
                return EXIT_IO_ERROR;
        }
        if (m.args.show)
                cycle_set_show(m.cycle, m.args.show, m.args.show_userdata);
        mirror_pass(&m);
        if (m.args.daemon)
                sd_notify(0, "READY=1\nSTATUS=first scan");
        uv_run(&m.loop, UV_RUN_DEFAULT);
        start_loop_finish(&m.loop);
        store_close(m.store);
        return m.status;
}
