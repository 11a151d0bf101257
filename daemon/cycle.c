/* SPDX-License-Identifier: MIT */

/*
 * The life of the circle, and what its stages share.  Each stage is in a file of its own (see
 * cycle_impl.h) and ends by starting the next; a stage that finds that nothing may go on ends the
 * pass.
 */

#include "daemon/cycle_impl.h"

/* ---- what the stages share ------------------------------------------------------------------- */

static void cycle_job_work(uv_work_t *work)
{
        struct cycle *c = CONTAINER_OF(work, struct cycle, work);

        c->job(c);
}

static void cycle_job_done(uv_work_t *work, int status _unused_)
{
        struct cycle *c = CONTAINER_OF(work, struct cycle, work);

        c->working = false;
        if (c->stopping)
                cycle_stop_further(c);
        else
                c->after(c);
}

void cycle_job(struct cycle *c, void (*job)(struct cycle *c), void (*after)(struct cycle *c))
{
        c->job = job;
        c->after = after;
        c->err = ERR_NONE;
        c->working = true;
        uv_queue_work(c->loop, &c->work, cycle_job_work, cycle_job_done);
}

void cycle_fail(struct cycle *c, enum exit_status status)
{
        enum event event = status == EXIT_NO_FOLDER   ? EVENT_FOLDER_WRONG
                           : status == EXIT_TRY_AGAIN ? EVENT_CLOUD_UNMADE
                                                      : EVENT_STATE_FAILED;

        report_error(&c->report, event, &(struct event_about){.err = c->err.code}, "%s",
                     c->err.text);
        str_copy(c->fault, sizeof(c->fault), c->err.text);
        cycle_finish(c, status);
}

bool cycle_push(struct cycle *c, const char *key)
{
        char *copy = str_dup(key);

        if (copy && c->n_folders == c->size_folders) {
                size_t size = c->size_folders ? 2 * c->size_folders : 64;
                char **folders = reallocarray(c->folders, size, sizeof(char *));

                if (!folders) {
                        free(copy);
                        return false;
                }
                c->folders = folders;
                c->size_folders = size;
        }
        if (copy)
                c->folders[c->n_folders++] = copy;
        return copy;
}

void cycle_forget_folders(struct cycle *c)
{
        while (c->n_folders > 0)
                free(c->folders[--c->n_folders]);
}

void cycle_forget_moves(struct cycle *c)
{
        moves_destroy(c->moves);
        c->moves = NULL;
        spool_destroy(c->wave);
        c->wave = NULL;
}

void cycle_forget_pass(struct cycle *c)
{
        char **metas[] = {&c->meta_binding,    &c->meta_identity, &c->meta_dev,
                          &c->meta_adopted,    &c->meta_made,     &c->meta_approved,
                          &c->meta_held,       &c->meta_audit_last, &c->meta_audit_at,
                          &c->meta_audit_alarm, &c->meta_token,   &c->meta_uid,
                          &c->meta_paused,     &c->meta_mounts};

        for (size_t i = 0; i < ARRAY_SIZE(metas); i++) {
                free(*metas[i]);
                *metas[i] = NULL;
        }
        store_intents_free(c->intents, c->n_intents);
        c->intents = NULL;
        c->n_intents = 0;
        c->stir = NULL;
        doubts_destroy(TAKE_PTR(c->doubts));
        cycle_forget_folders(c);
        store_facts_free(c->moving, c->n_moving);
        c->moving = NULL;
        c->n_moving = c->moving_at = 0;
        cycle_forget_moves(c);
        scan_result_finish(&c->plan);
        root_close(&c->root);
}

void cycle_write(struct cycle *c, const struct record *records, size_t n, engine_done after)
{
        struct flow_end end = {.kind = END_STORE, .text = "no memory"};

        if (engine_start(c->engine, flow_write(records, n), after, c) < 0)
                after(c, NULL, &end);
}

void cycle_enter(struct cycle *c, enum cycle_stage stage)
{
        c->view.stage = stage;
}

int64_t cycle_now_ms(void)
{
        return (int64_t)(uv_hrtime() / 1000000);
}

void cycle_job_root_check(struct cycle *c)
{
        c->job_result = root_check(&c->root, c->config->folder, &c->err);
}

/* ---- life ------------------------------------------------------------------------------------ */

char *cycle_binding(const struct config *config)
{
        char *binding;

        if (asprintf(&binding, "%s %s %s", config->api_url, config->cloud, config->folder) < 0)
                return NULL;
        return binding;
}

void cycle_set_show(struct cycle *c, cycle_show_op show, void *userdata)
{
        c->show = show;
        c->show_userdata = userdata;
}

const struct cycle_view *cycle_view(struct cycle *c)
{
        if (c->compare && c->compare->under_way)
                c->compare->found = audit_found(c->comparer);
        c->view.compare = c->compare;
        c->view.failures = c->failures;
        c->view.quota = &c->quota;
        c->view.engine = c->engine;
        if (c->view.stage != CYCLE_RESTS)
                c->view.tally = c->tally;
        return &c->view;
}

int cycle_set_token(struct cycle *c, const char *token)
{
        if (!account_fingerprint(token, c->token))
                return -ENOMEM;
        return engine_set_token(c->engine, token);
}

void cycle_set_renewable(struct cycle *c, bool renewable)
{
        c->renewable = renewable;
}

void cycle_on_enter(struct cycle *c, void (*enter)(void *userdata, const char *key, int dir_fd),
                    void *userdata)
{
        c->enter = enter;
        c->enter_userdata = userdata;
}

void cycle_set_stir(struct cycle *c, const struct stir *stir)
{
        c->stir = stir;
}

void cycle_set_slices(struct cycle *c)
{
        c->slices = true;
}

void cycle_set_limits(struct cycle *c)
{
        engine_set_limits(c->engine, c->config->parallel, c->config->api_rate,
                          c->config->upload_rate);
}

static int cycle_commit(void *userdata, const struct record *records, size_t n, struct err *err)
{
        return store_commit(((struct cycle *)userdata)->store, records, n, err);
}

static int cycle_children(void *userdata, const char *key, struct entry_list *ret, struct err *err)
{
        return store_children(((struct cycle *)userdata)->store, key, ret, err);
}

static void cycle_trouble(void *userdata, enum engine_lane lane, const struct outcome *in,
                          int64_t wait_ms)
{
        struct cycle *c = userdata;

        c->view.trouble[lane].on = wait_ms > 0;
        c->view.trouble[lane].until_ms = cycle_now_ms() + wait_ms;
        str_copy(c->view.trouble[lane].text, sizeof(c->view.trouble[lane].text),
                 verdict(in).text);
        report_trouble(&c->report, lane, in, wait_ms, (int64_t)(uv_hrtime() / 1000000));
}

static void cycle_free(void *userdata)
{
        struct cycle *c = userdata;

        free(c->folders);
        audit_destroy(c->audit);
        audit_destroy(c->comparer);
        cycle_forget_finds(c);
        free(c->compare);
        failures_destroy(c->failures);
        vain_destroy(c->vain);
        free(c->binding);
        if (c->scratch)
                store_close(c->scratch);
        if (c->stopped)
                c->stopped(c->userdata);
        free(c);
}

static void cycle_audit_idle(void *userdata)
{
        cycle_stop_further(userdata);
}

static struct audit *cycle_audit(struct cycle *c,
                                 void (*found)(void *userdata, const struct audit_find *find))
{
        struct audit_args args = {.loop = c->loop,
                                  .engine = c->engine,
                                  .yadisk = &c->yadisk,
                                  .config = c->config,
                                  .store = c->store,
                                  .failures = c->failures,
                                  .idle = cycle_audit_idle,
                                  .found = found,
                                  .userdata = c};

        return audit_create(&args);
}

int cycle_compare(struct cycle *c, bool repair)
{
        struct cycle_compare *compare = c->compare ? c->compare : calloc(1, sizeof(*compare));

        c->compare = compare;
        if (!c->comparer)
                c->comparer = cycle_audit(c, cycle_found);
        if (!c->comparer || !compare)
                return -ENOMEM;
        if (compare->under_way) {
                compare->repair |= repair;
                return 0;
        }
        cycle_forget_finds(c);
        compare->runs++;
        compare->under_way = true;
        compare->repair = repair;
        audit_begin(c->comparer);
        return 0;
}

void cycle_set_compare(struct cycle *c,
                       void (*ended)(void *userdata, const struct cycle_compare *compare),
                       void *userdata)
{
        c->compare_ended = ended;
        c->compare_userdata = userdata;
}

void cycle_demand_audit(struct cycle *c)
{
        audit_demand(c->audit);
}

int cycle_create(struct cycle **ret, uv_loop_t *loop, const struct config *config,
                 struct store *store, const char *spool_dir, struct err *err)
{
        struct cycle *c = calloc(1, sizeof(*c));
        struct engine_options options = {
                .user_agent = "ydsync/" YDSYNC_VERSION,
                .parallel = config->parallel,
                .api_rate = config->api_rate,
                .upload_rate = config->upload_rate,
                .judge = verdict_news,
                .desk = {.commit = cycle_commit,
                         .children = cycle_children,
                         .free_children = entry_list_finish,
                         .userdata = c},
        };
        int r;

        if (!c)
                return err_set(err, ENOMEM, "no memory");
        c->loop = loop;
        c->config = config;
        c->store = store;
        c->spool_dir = spool_dir;
        c->root.fd = -1;
        c->yadisk = (struct yadisk){.api_url = config->api_url, .root = config->cloud};
        c->failures = failures_create();
        c->vain = vain_create();
        c->binding = cycle_binding(config);
        if (!c->failures || !c->vain || !c->binding ||
            !account_fingerprint(config->token, c->token)) {
                cycle_free(c);
                return err_set(err, ENOMEM, "no memory");
        }
        r = engine_create(&c->engine, loop, &options, err);
        if (r < 0) {
                cycle_free(c);
                return r;
        }
        c->audit = cycle_audit(c, NULL);
        if (!c->audit) {
                engine_close(c->engine, cycle_free, c);
                return err_set(err, ENOMEM, "no memory");
        }
        engine_on_trouble(c->engine, cycle_trouble, c);
        r = engine_set_token(c->engine, config->token);
        *ret = c;
        return r;
}

static void cycle_engine_stopped(void *userdata)
{
        struct cycle *c = userdata;

        if (c->ops)
                work_abandon(c->ops);
        c->ops = NULL;
        cycle_forget_pass(c);
        engine_close(c->engine, cycle_free, c);
}

void cycle_stop_further(struct cycle *c)
{
        if (c->working || c->scan || !audit_idle(c->audit) ||
            (c->comparer && !audit_idle(c->comparer)))
                return; /* comes back here when that has ended */
        engine_stop(c->engine, cycle_engine_stopped, c);
}

void cycle_stop(struct cycle *c, void (*stopped)(void *userdata), void *userdata)
{
        c->stopping = true;
        atomic_store(&c->stop_job, true);
        c->stopped = stopped;
        c->userdata = userdata;
        if (c->scan)
                scan_cancel(c->scan);
        audit_stop(c->audit);
        if (c->comparer)
                audit_stop(c->comparer);
        cycle_stop_further(c);
}
