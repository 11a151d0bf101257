/* SPDX-License-Identifier: MIT */

#include "daemon/mirror.h"

#include "daemon/config_key.h"
#include "daemon/desk.h"
#include "daemon/event.h"
#include "daemon/headline.h"
#include "daemon/keeper.h"
#include "daemon/notify.h"
#include "daemon/pause.h"
#include "daemon/reload.h"
#include "daemon/signals.h"
#include "daemon/speak.h"
#include "daemon/start.h"
#include "daemon/waker.h"
#include "daemon/watch.h"
#include "daemon/xdg.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>

#define MIRROR_PAUSE_MS 200
#define MIRROR_STIR_MS 50 /* so long after the first of many changes they are looked at together */
#define MIRROR_TICK_MS 1000
#define MIRROR_RENEW_MS 60000 /* between two tries of getting another token for one that is refused */

/* In a row: a disk that damages every snapshot is not ours to work round. */
#define MIRROR_REOPENS 3 /* in a row at once; a daemon goes on once a period */

struct mirror {
        struct mirror_args args;
        struct store *store;
        struct cycle *cycle;
        uv_loop_t loop;
        struct waker waker;  /* when the next pass is due … */
        int64_t due_ms;      /* … by uv_hrtime() */
        uv_timer_t tick;     /* while a pass of a daemon is under way: how fast it goes */
        struct speed speed;
        struct keeper *keeper; /* of a token that `login` got; NULL: it is another */
        bool renewed;        /* for the refusal of the last pass */
        struct watch *watch; /* NULL: changes are only found by scanning */
        bool watch_said;     /* that not all is watched */
        struct stir stir;    /* what is, or is once more, to be looked at; see mirror_in_part() */
        bool whole;          /* the next pass is to look at everything … */
        int64_t whole_ms;    /* … and so is one after that, by uv_hrtime() */
        int64_t soonest_ms;  /* by uv_hrtime(): no pass that nobody asked for before that … */
        int64_t soonest_part_ms; /* … or this, if it looks at some folders only … */
        int64_t stirred_ms;  /* … though something has changed then; 0: nothing since the last began */
        unsigned ticks;      /* of this pass */
        struct desk *desk;   /* NULL: nobody is listened to */
        struct reload *reload;
        struct config config;     /* of a daemon: what args.config leads to */
        struct config next;       /* waits until the cycle is gone … */
        struct store *next_store; /* … with a state folder of its own, or NULL */
        bool renewing;            /* … if this is set */
        bool answered;            /* the reload that was asked for; see mirror_reload_over() */
        int64_t began_ms;    /* wall clock */
        bool paused;         /* told to do nothing */
        bool left;           /* the last pass left something to be done */
        bool dropping;       /* the cycle is on its way out, and another may follow */
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
        notify_failed(err->code, err->text);
}

static void mirror_show_state(struct mirror *m)
{
        struct str line = STR_NULL(4096);
        struct mirror_view view;

        if (!m->args.daemon || m->stopping)
                return;
        mirror_view(m, &view);
        headline(&line, &view);
        notify_status(str_z(&line));
        str_finish(&line);
}

/* ---- passes ---------------------------------------------------------------------------------- */

static void mirror_closed(void *userdata)
{
        struct mirror *m = userdata;

        m->cycle = NULL;
        desk_close(TAKE_PTR(m->desk));
        watch_close(TAKE_PTR(m->watch));
        reload_close(TAKE_PTR(m->reload));
        keeper_close(TAKE_PTR(m->keeper));
        notify_unwatch();
        signals_unwatch();
        waker_close(&m->waker);
        uv_close((uv_handle_t *)&m->tick, NULL);
}

static void mirror_stop(struct mirror *m)
{
        if (m->stopping)
                return;
        m->stopping = true;
        desk_close(TAKE_PTR(m->desk));
        reload_close(TAKE_PTR(m->reload));
        notify_stopping();
        if (m->status == EXIT_OK)
                notify_status(tr("stopping"));
        if (m->reopen_err || m->dropping) /* the cycle is on its way out already */
                return;
        waker_stop(&m->waker);
        if (m->cycle)
                cycle_stop(m->cycle, mirror_closed, m);
        else
                mirror_closed(m);
}

static int64_t mirror_now_ms(void)
{
        return (int64_t)(uv_hrtime() / 1000000);
}

static void mirror_wake(struct mirror *m, int64_t wait_ms)
{
        m->due_ms = mirror_now_ms() + wait_ms;
        waker_set(&m->waker, wait_ms);
}

/* A pass may look at some folders only after one that has looked at everything, and left nothing that
 * is to be taken up at once. */
static bool mirror_knows_where(const struct mirror *m)
{
        return m->watch && !m->whole && !m->stir.all && watch_knows_where(m->watch);
}

/* What was just written must settle before it is sent; and what changes all the time must not make us
 * scan all the time. */
static int64_t mirror_stirred_wait_ms(const struct mirror *m)
{
        int64_t now_ms = mirror_now_ms();
        int64_t at_ms = m->stirred_ms + m->args.config->settle_ms + MIRROR_STIR_MS;
        int64_t soonest_ms = mirror_knows_where(m) ? m->soonest_part_ms : m->soonest_ms;

        if (at_ms < soonest_ms)
                at_ms = soonest_ms;
        return at_ms > now_ms ? at_ms - now_ms : 0;
}

/* Something has changed in the folder. */
static void mirror_stirred(void *userdata)
{
        struct mirror *m = userdata;
        int64_t wait_ms;

        if (m->stirred_ms == 0)
                m->stirred_ms = mirror_now_ms();
        wait_ms = mirror_stirred_wait_ms(m);
        if (m->resting && !m->paused && mirror_now_ms() + wait_ms < m->due_ms)
                mirror_wake(m, wait_ms);
}

/* Said once: it is the same at each scan. */
static void mirror_say_watch(struct mirror *m)
{
        struct err err = ERR_NONE;

        if (!m->watch || watch_trouble(m->watch, &err) == 0 || m->watch_said)
                return;
        m->watch_said = true;
        event_say(EVENT_WATCH_SHORT, &(struct event_about){.err = err.code},
                  "not every folder is watched for changes: %s; what changes there is found every "
                  "SYNCHRONIZATION_PERIOD",
                  err.text);
}

/* Asked again and again it looks again and again, but not all the time. */
int mirror_look(struct mirror *m)
{
        if (m->paused)
                return -EBUSY;
        if (m->look || m->stopping)
                return 0;
        m->look = true;
        event_say(EVENT_LOOK_ASKED, NULL, "asked to look at the folder now");
        if (m->resting)
                mirror_wake(m, MIRROR_PAUSE_MS);
        return 0;
}

static void mirror_heard(void *userdata, unsigned words)
{
        struct mirror *m = userdata;

        if ((words & SIGNALS_LOOK) && m->reload) {
                notify_reloading();
                reload_ask(m->reload); /* and then looks: mirror_reload_answered() */
        }
        if (words & SIGNALS_END) {
                m->status = EXIT_OK;
                mirror_stop(m);
        }
}

static void mirror_pass_done(void *userdata, const struct pass_end *end);

static void mirror_on_tick(uv_timer_t *tick)
{
        struct mirror *m = CONTAINER_OF(tick, struct mirror, tick);

        if (!m->cycle)
                return;
        speed_note(&m->speed, engine_stats(cycle_view(m->cycle)->engine).bytes_sent,
                   mirror_now_ms());
        if (m->ticks++ > 0) /* a look that finds nothing is not worth a word */
                mirror_show_state(m);
}

static void mirror_fail(struct mirror *m, const struct err *err);

/* Whether the next pass looks at some folders only. */
static bool mirror_in_part(struct mirror *m)
{
        bool may = mirror_knows_where(m) && !m->look && mirror_now_ms() < m->whole_ms;

        if (m->watch)
                watch_take(m->watch, &m->stir);
        return may && !stir_is_empty(&m->stir);
}

static void mirror_begin_pass(struct mirror *m)
{
        m->passes++;
        cycle_set_stir(m->cycle, mirror_in_part(m) ? &m->stir : NULL);
        m->resting = m->look = false;
        m->stirred_ms = 0;
        if (m->args.daemon) {
                m->speed = (struct speed){0};
                m->ticks = 0;
                reload_look(m->reload);
                uv_timer_start(&m->tick, mirror_on_tick, 0, MIRROR_TICK_MS);
        }
        cycle_pass(m->cycle, mirror_pass_done, m);
}

static void mirror_kept(void *userdata, enum keeper_end end)
{
        struct mirror *m = userdata;
        struct err err = ERR_NONE;

        if (m->stopping || m->paused || !m->cycle)
                return;
        if (end == KEEPER_CHANGED && cycle_set_token(m->cycle, keeper_token(m->keeper)) < 0) {
                err_set(&err, ENOMEM, "no memory");
                mirror_fail(m, &err);
                return;
        }
        mirror_begin_pass(m);
}

static void mirror_pass(void *userdata)
{
        struct mirror *m = userdata;

        m->resting = false;
        if (!m->keeper || !keeper_look(m->keeper, false, mirror_kept, m))
                mirror_begin_pass(m);
}

static void mirror_rest(struct mirror *m, int64_t wait_ms);

/* The token was refused, and this is what came of asking for another. */
static void mirror_kept_refused(void *userdata, enum keeper_end end)
{
        struct mirror *m = userdata;

        if (end == KEEPER_CHANGED) {
                m->renewed = true;
                cycle_set_renewable(m->cycle, false);
                mirror_kept(m, end);
        } else if (m->stopping || m->paused) {
                return;
        } else if (end == KEEPER_SAME && m->args.daemon) {
                mirror_rest(m, m->args.config->period_ms < MIRROR_RENEW_MS
                                       ? MIRROR_RENEW_MS
                                       : m->args.config->period_ms);
        } else {
                mirror_stop(m);
        }
}

/* Whether a pass that ended so can be made good by a new token: once, then a person has to act. */
static bool mirror_renews(struct mirror *m, const struct pass_end *end)
{
        bool refused = end->status == EXIT_NO_PERMISSION;

        if (!m->keeper || m->args.show)
                return false;
        if (!refused)
                m->renewed = false;
        cycle_set_renewable(m->cycle, !m->renewed);
        return refused && !m->renewed && keeper_look(m->keeper, true, mirror_kept_refused, m);
}

static int mirror_create_cycle(struct mirror *m, struct err *err)
{
        const char *spool_dir = m->args.spool_dir ? m->args.spool_dir : m->args.config->state_dir;
        int r = cycle_create(&m->cycle, &m->loop, m->args.config, m->store, spool_dir, err);

        if (r == 0 && m->args.daemon)
                cycle_set_slices(m->cycle);
        m->whole = true;
        stir_finish(&m->stir);
        keeper_close(TAKE_PTR(m->keeper));
        if (r == 0 && m->args.config->signed_in) {
                m->keeper = keeper_create(&m->loop, m->args.config);
                r = m->keeper ? 0 : err_set(err, ENOMEM, "no memory");
                cycle_set_renewable(m->cycle, !m->renewed && !m->args.show);
        }
        if (r == 0 && m->watch)
                cycle_on_enter(m->cycle, watch_folder, m->watch);
        return r;
}

static void mirror_rest(struct mirror *m, int64_t wait_ms)
{
        m->resting = true;
        mirror_wake(m, wait_ms);
        mirror_show_state(m);
}

static void mirror_drop(struct mirror *m);

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
                bool later = m->reopen_err == EIO || m->reopened > MIRROR_REOPENS;

                m->reopen_err = 0;
                if (m->renewing)
                        mirror_drop(m);
                else if (m->paused)
                        return;
                else if (later)
                        mirror_rest(m, m->args.config->period_ms);
                else
                        mirror_pass(m);
                return;
        }
        mirror_say_failed(&err);
        m->status = EXIT_IO_ERROR;
        m->stopping = true;
        mirror_closed(m);
}

/* What the pass means for the ones to come; how long until everything is to be looked at. */
static int64_t mirror_passed(struct mirror *m, const struct pass_end *end)
{
        int64_t now_ms = mirror_now_ms(), soonest_ms = now_ms + 10 * end->scan_ms + MIRROR_PAUSE_MS;
        bool sound = end->status == EXIT_OK || end->status == EXIT_TRY_AGAIN;

        if (end->in_part) {
                m->soonest_part_ms = soonest_ms;
                m->whole = !sound || (end->again && end->young == 0);
        } else {
                m->soonest_ms = soonest_ms;
                m->soonest_part_ms = now_ms + MIRROR_PAUSE_MS;
                m->whole = !sound || end->again;
                m->whole_ms = now_ms + m->args.config->period_ms;
        }
        if (!end->in_part || !end->again) /* otherwise these folders come once more */
                stir_finish(&m->stir);
        return m->whole_ms > now_ms ? m->whole_ms - now_ms : 0;
}

/* How long until another pass that the last one calls for.  A file that is written to all the time must
 * not make us scan all the time. */
static int64_t mirror_soon_ms(const struct mirror *m, const struct pass_end *end)
{
        int64_t soon_ms = (m->look ? 0 : end->again_ms) + 10 * end->scan_ms + MIRROR_PAUSE_MS;
        int64_t soonest_ms = m->soonest_ms - mirror_now_ms(); /* of a look at everything */

        return m->whole && !m->look && soon_ms < soonest_ms ? soonest_ms : soon_ms;
}

static void mirror_after_pass(struct mirror *m, const struct pass_end *end)
{
        int64_t wait_ms = mirror_passed(m, end);

        if ((end->again || m->look) && mirror_soon_ms(m, end) < wait_ms)
                wait_ms = mirror_soon_ms(m, end);
        if (m->stirred_ms && mirror_stirred_wait_ms(m) < wait_ms)
                wait_ms = mirror_stirred_wait_ms(m);
        mirror_say_watch(m);
        m->left = end->status != EXIT_OK || (m->left && end->in_part);
        mirror_rest(m, wait_ms);
}

/* A daemon must not need a person to start it anew after a disk had a bad moment. */
static bool mirror_must_reopen(struct mirror *m, const struct pass_end *end)
{
        if (!end->state_err)
                m->reopened = 0;
        if (!end->state_err || !m->store || m->args.show)
                return false;
        if (end->state_err == EIO)
                return m->args.daemon;
        return m->reopened++ < MIRROR_REOPENS || m->args.daemon;
}

static void mirror_pass_done(void *userdata, const struct pass_end *end)
{
        struct mirror *m = userdata;

        if (m->stopping)
                return;
        uv_timer_stop(&m->tick);
        m->status = end->status;
        if (mirror_must_reopen(m, end)) {
                m->reopen_err = end->state_err;
                cycle_stop(m->cycle, mirror_reopen, m);
                return;
        }
        if (mirror_renews(m, end))
                return;
        /* A token that is refused will be refused again; a person has to act. */
        if (m->args.daemon && end->status != EXIT_NO_PERMISSION) {
                mirror_after_pass(m, end);
                return;
        }
        if (m->args.daemon)
                notify_failed(EACCES, tr("the service refuses the token"));
        if (!m->args.daemon && end->again && m->passes < m->args.passes) {
                if (end->young > 0 && m->passes == 1)
                        event_say(EVENT_WAITING_YOUNG, NULL,
                                  trn("%" PRIu64 " file was changed a moment ago; waiting until it "
                                      "rests",
                                      "%" PRIu64 " files were changed a moment ago; waiting until "
                                      "they rest",
                                      end->young),
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
        int r = uv_timer_init(&m->loop, &m->tick);

        if (r == 0)
                r = waker_init(&m->waker, &m->loop, mirror_pass, m);
        if (r == 0)
                r = signals_watch(&m->loop, mirror_heard, m);
        return r == 0 ? 0 : err_errno(err, -r, "the event loop cannot start");
}

/* Being told of changes is a comfort: without it the periodic scan finds them. */
static void mirror_open_watch(struct mirror *m)
{
        const char *blind = watch_blind(m->args.config->folder);
        struct err err = ERR_NONE;

        if (blind)
                event_say(EVENT_WATCH_SHORT, NULL,
                          "%s stands on %s: what others change there is found every "
                          "SYNCHRONIZATION_PERIOD",
                          m->args.config->folder, blind);
        if (watch_open(&m->watch, &m->loop, mirror_stirred, m, &err) < 0)
                event_say(EVENT_WATCH_SHORT, &(struct event_about){.err = err.code},
                          "changes are found every SYNCHRONIZATION_PERIOD: %s", err.text);
}

static int mirror_follow(struct mirror *m, struct err *err);

static int mirror_begin(struct mirror *m, struct err *err)
{
        int r = start_loop(&m->loop, err);

        if (r == 0)
                r = mirror_watch(m, err);
        if (r == 0 && m->args.daemon)
                mirror_open_watch(m);
        if (r == 0 && m->args.daemon)
                r = mirror_follow(m, err);
        if (r == 0)
                r = mirror_create_cycle(m, err);
        return r;
}

/* ---- what a daemon is told ------------------------------------------------------------------- */

static void mirror_fail(struct mirror *m, const struct err *err)
{
        mirror_say_failed(err);
        m->status = EXIT_IO_ERROR;
        mirror_stop(m);
}

static void mirror_go_on(struct mirror *m)
{
        struct err err = ERR_NONE;

        if (!m->cycle && mirror_create_cycle(m, &err) < 0)
                mirror_fail(m, &err);
        else
                mirror_pass(m);
}

static void mirror_renew(struct mirror *m);

static void mirror_dropped(void *userdata)
{
        struct mirror *m = userdata;

        m->cycle = NULL;
        m->dropping = false;
        if (m->stopping) {
                mirror_closed(m);
                return;
        }
        if (m->renewing)
                mirror_renew(m);
        if (!m->paused)
                mirror_go_on(m);
}

int mirror_compare(struct mirror *m, bool repair)
{
        int r = m->cycle && !m->paused ? cycle_compare(m->cycle, repair) : -EBUSY;

        return r < 0 ? r : mirror_look(m);
}

/* What is under way is given up as at an end of the program, and taken up as after one. */
static void mirror_drop(struct mirror *m)
{
        uv_timer_stop(&m->tick);
        waker_stop(&m->waker);
        m->resting = false;
        if (m->reopen_err || m->dropping) /* on its way out already */
                return;
        m->dropping = true;
        if (m->cycle)
                cycle_stop(m->cycle, mirror_dropped, m);
        else
                mirror_dropped(m);
}

void mirror_pause(struct mirror *m)
{
        if (m->paused || m->stopping)
                return;
        m->paused = true;
        event_say(EVENT_PAUSED, NULL, "paused; `ydsync resume` goes on");
        mirror_show_state(m);
        if (m->resting) {
                waker_stop(&m->waker);
                m->resting = false;
        } else if (m->cycle) {
                mirror_drop(m);
        }
}

void mirror_resume(struct mirror *m)
{
        if (!m->paused || m->stopping)
                return;
        m->paused = false;
        event_say(EVENT_RESUMED, NULL, "going on");
        if (!m->dropping && !m->reopen_err)
                mirror_go_on(m);
}

void mirror_view(struct mirror *m, struct mirror_view *ret)
{
        *ret = (struct mirror_view){
                .config = m->args.config,
                .cycle = m->cycle ? cycle_view(m->cycle) : NULL,
                .paused = m->paused,
                .left = m->left,
                .began_ms = m->began_ms,
                .next_ms = m->resting ? m->due_ms : -1,
                .speed = m->speed,
        };
}

/* A daemon that cannot be spoken to mirrors all the same. */
static void mirror_listen(struct mirror *m)
{
        const char *state_dir = m->args.config->state_dir;
        struct err err = ERR_NONE;
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        m->began_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
        if (desk_open(&m->desk, &m->loop, m, state_dir, &err) < 0)
                event_say(EVENT_CONTROL_FAILED, NULL,
                          "status, sync, pause and the like cannot be answered: %s", err.text);
        m->paused = pause_is_set(state_dir);
        if (m->paused)
                event_say(EVENT_PAUSED, NULL, "paused since an earlier run; `ydsync resume` goes on");
}

/* ---- another configuration --------------------------------------------------------------------- */

static bool mirror_is_new(const struct mirror *m, const struct config *next, const char *key)
{
        return !config_key_same(config_key_find(key), m->args.config, next);
}

/* Which keys have another value; their values stay unsaid, one of them is the token. */
static void mirror_say_changed(const struct mirror *m, const struct config *next)
{
        struct str keys = STR_NULL(4096);

        for (size_t i = 0; i < CONFIG_KEYS; i++)
                if (mirror_is_new(m, next, config_key_table[i].name))
                        str_addf(&keys, "%s%s", keys.len > 0 ? ", " : "", config_key_table[i].name);
        event_say(EVENT_CONFIG_CHANGED, NULL, "another configuration is in force: %s", str_z(&keys));
        str_finish(&keys);
}

/* What could yet stand against it; it is said then.  `log`: the log file is to be opened anyway. */
static int mirror_prepare(struct mirror *m, const struct config *next, bool log)
{
        struct err err = ERR_NONE;
        int r;

        if (mirror_is_new(m, next, "YDSYNC_STATE_DIR")) {
                xdg_make_parents(next->state_dir);
                r = store_open(&m->next_store, next->state_dir, 0, &err);
                if (r < 0) {
                        reload_refuse(m->reload, next, "YDSYNC_STATE_DIR", &err);
                        return r;
                }
        }
        if (!log && !mirror_is_new(m, next, "PATH_FILE_LOG"))
                return 0;
        r = speak_to_file(next->log_dir, &err);
        if (r < 0)
                reload_refuse(m->reload, next, "PATH_FILE_LOG", &err);
        return r;
}

static void mirror_forget_next(struct mirror *m)
{
        store_close(TAKE_PTR(m->next_store));
        config_finish(&m->next);
        m->renewing = false;
}

/* The desk, which has the path of the state folder from us, must not lose it. */
static void mirror_move(struct mirror *m)
{
        char *state_dir = m->config.state_dir;

        if (!m->next_store) {
                m->config.state_dir = m->next.state_dir;
                m->next.state_dir = state_dir;
                return;
        }
        desk_close(TAKE_PTR(m->desk));
        store_close(m->store);
        m->store = TAKE_PTR(m->next_store);
}

static void mirror_listen(struct mirror *m);

/* What was asked for is done when it has been read, and counts. */
static void mirror_reload_over(struct mirror *m)
{
        if (!m->answered || m->renewing)
                return;
        m->answered = false;
        notify_ready();
}

/* There is no cycle: the next one begins with the next configuration. */
static void mirror_renew(struct mirror *m)
{
        const bool elsewhere = m->next_store;
        const bool other = mirror_is_new(m, &m->next, "PATH_TO_FOLDER_ON_PC");
        struct config old;

        mirror_move(m);
        old = m->config;
        m->config = m->next;
        m->next = old;
        mirror_forget_next(m);
        log_set_level(m->config.log_level);
        if (other) {
                watch_close(TAKE_PTR(m->watch));
                mirror_open_watch(m);
        }
        if (elsewhere)
                mirror_listen(m);
        mirror_reload_over(m);
}

/* Limits and the like: the pass under way goes on. */
static void mirror_adjust(struct mirror *m, const struct config *next)
{
        bool period = mirror_is_new(m, next, "SYNCHRONIZATION_PERIOD");

        for (size_t i = 0; i < CONFIG_KEYS; i++)
                if (config_key_table[i].live)
                        config_key_copy(&config_key_table[i], &m->config, next);
        log_set_level(m->config.log_level);
        if (m->cycle)
                cycle_set_limits(m->cycle);
        if (period)
                m->whole_ms = mirror_now_ms() + m->config.period_ms;
        if (period && m->resting)
                mirror_rest(m, m->config.period_ms);
}

/* Whether all that is new may change under a pass. */
static bool mirror_is_live(const struct mirror *m, const struct config *next)
{
        for (size_t i = 0; i < CONFIG_KEYS; i++)
                if (!config_key_table[i].live &&
                    !config_key_same(&config_key_table[i], m->args.config, next))
                        return false;
        return true;
}

static void mirror_changed(void *userdata, struct config *next)
{
        struct mirror *m = userdata;
        bool other = m->renewing; /* one that never came into force may have opened its log */

        mirror_forget_next(m);
        if (m->stopping || mirror_prepare(m, next, other) < 0) {
                mirror_forget_next(m);
                config_finish(next);
                return;
        }
        mirror_say_changed(m, next);
        if (mirror_is_live(m, next)) {
                mirror_adjust(m, next);
                config_finish(next);
                return;
        }
        m->next = *next;
        m->renewing = true;
        mirror_drop(m);
}

static void mirror_reload_answered(void *userdata)
{
        struct mirror *m = userdata;

        m->answered = true;
        mirror_reload_over(m);
        mirror_look(m);
}

/* A daemon's configuration is its own. */
static int mirror_follow(struct mirror *m, struct err *err)
{
        struct reload_args args = {
                .loop = &m->loop,
                .env_file = m->args.env_file,
                .config = &m->config,
                .changed = mirror_changed,
                .answered = mirror_reload_answered,
                .userdata = m,
        };
        int r = config_copy(&m->config, m->args.config);

        if (r < 0)
                return err_errno(err, -r, "the configuration cannot be kept");
        m->args.config = &m->config;
        r = notify_watch(&m->loop);
        if (r < 0)
                return err_errno(err, -r, "the watchdog cannot be fed");
        return reload_create(&m->reload, &args, err);
}

/* ---- from beginning to end --------------------------------------------------------------------- */

/* Runs passes until mirror_stop(). */
enum exit_status mirror_run(const struct mirror_args *args)
{
        struct mirror m = {.args = *args, .store = args->store, .status = EXIT_OK};
        struct err err = ERR_NONE;

        if (mirror_begin(&m, &err) < 0) {
                mirror_say_failed(&err);
                store_close(m.store);
                config_finish(&m.config);
                return EXIT_IO_ERROR;
        }
        if (m.args.show)
                cycle_set_show(m.cycle, m.args.show, m.args.show_userdata);
        if (m.args.compared)
                cycle_set_compare(m.cycle, m.args.compared, m.args.compared_userdata);
        if (m.args.audit)
                cycle_demand_audit(m.cycle);
        if (m.args.daemon)
                mirror_listen(&m);
        if (!m.paused)
                mirror_pass(&m);
        if (m.args.daemon) {
                notify_status(m.paused ? tr("paused") : tr("first scan"));
                notify_ready();
        }
        uv_run(&m.loop, UV_RUN_DEFAULT);
        start_loop_finish(&m.loop);
        store_close(m.store);
        mirror_forget_next(&m);
        stir_finish(&m.stir);
        config_finish(&m.config);
        return m.status;
}
