/* SPDX-License-Identifier: MIT */

/*
 * How a pass begins: what is remembered, which folder and whose Disk it is, and by which way the
 * circle is entered.
 */

#include "daemon/cycle_impl.h"

#include "daemon/approval.h"
#include "lib/yadisk/flow_account.h"
#include "lib/yadisk/flow_move.h"

/* ---- what is remembered ---------------------------------------------------------------------- */

static int cycle_read_metas(struct cycle *c)
{
        const struct {
                const char *name;
                char **ret;
        } metas[] = {
                {"binding", &c->meta_binding}, {"root.identity", &c->meta_identity},
                {"root.dev", &c->meta_dev},    {"adopted", &c->meta_adopted},
                {"cloud.made", &c->meta_made}, {"approved", &c->meta_approved},
                {"held", &c->meta_held},
                {"audit.last", &c->meta_audit_last},
                {AUDIT_AT, &c->meta_audit_at},
                {"audit.alarm", &c->meta_audit_alarm},
                {"account.token", &c->meta_token},
                {"account.uid", &c->meta_uid},
                {"mounts", &c->meta_mounts},
                {"uploads.paused", &c->meta_paused},
        };
        int r = 0;

        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(metas); i++)
                r = store_meta_get(c->store, metas[i].name, metas[i].ret, &c->err);
        return r;
}

/* An approval that was given while we run; a dry run leaves it where it is. */
static int cycle_take_approval(struct cycle *c)
{
        char id[CYCLE_ID_LEN + 1] = "";
        struct record approved = {.verb = RECORD_META, .name = "approved", .value = id};
        bool under_way;
        int r = 0;

        if (!approval_read(c->config->state_dir, id, sizeof(id)))
                return 0;
        under_way = c->meta_approved && !c->meta_held; /* it was given twice: the rest is what counts */
        if (!c->show) {
                r = under_way ? 0 : store_commit(c->store, &approved, 1, &c->err);
                if (r < 0)
                        return r;
                approval_remove(c->config->state_dir);
        }
        if (under_way)
                return 0;
        free(c->meta_approved);
        c->meta_approved = str_dup(id);
        return 0;
}

static void cycle_job_prepare(struct cycle *c)
{
        c->job_result = root_open(&c->root, c->config->folder, &c->err);
        if (c->job_result < 0)
                return;
        c->job_result = cycle_read_metas(c);
        if (c->job_result == 0)
                c->job_result = store_totals(c->store, &c->known, &c->err);
        if (c->job_result == 0)
                c->job_result = store_facts(c->store, FLOW_MOVE_FACT, &c->moving, &c->n_moving,
                                            &c->err);
        if (c->job_result == 0)
                c->job_result = cycle_take_approval(c);
}

/* An earlier run met the limit: the first pass of this one does not send a file to see it again. */
static void cycle_recall_pause(struct cycle *c)
{
        if (!c->recalled && c->meta_paused) {
                quota_load(&c->quota, c->meta_paused, cycle_now_ms());
                quota_pass_begins(&c->quota, cycle_now_ms());
        }
        c->recalled = true;
}

static void cycle_bound(struct cycle *c)
{
        cycle_recall_pause(c);
        if (!c->meta_binding || !str_eq(c->meta_binding, c->binding)) {
                cycle_stage_adopt(c, true);
                return;
        }
        if ((!c->meta_identity || !str_eq(c->meta_identity, c->root.identity)) &&
            c->known.files + c->known.dirs == 0) {
                /* Its disk came after us, say.  Nothing is known, so nothing can be taken for gone. */
                cycle_stage_adopt(c, true);
                return;
        }
        if (!c->meta_identity || !str_eq(c->meta_identity, c->root.identity)) {
                err_set(&c->err, ESTALE,
                        "the folder at %s is not the one that was mirrored: another disk, an empty "
                        "mount point, or a folder made anew.  Nothing is done.  If it is the right "
                        "one now, remove %s/state.db: the next start compares it with the cloud "
                        "and removes nothing",
                        c->config->folder, c->config->state_dir);
                cycle_fail(c, EXIT_NO_FOLDER);
                return;
        }
        if (!c->meta_adopted) {
                cycle_stage_adopt(c, false);
                return;
        }
        audit_recall(c->audit, c->meta_audit_last, c->meta_audit_at, c->meta_audit_alarm);
        if (c->show)
                cycle_stage_cloud(c);
        else
                cycle_stage_moving(c);
}

/* ---- whose Disk it is ------------------------------------------------------------------------ */

/* What is to be kept of whom the token is of: nothing as long as that may still be told. */
size_t cycle_account_records(const struct cycle *c, struct record *ret)
{
        if (!c->noted)
                return 0;
        ret[0] = (struct record){.verb = RECORD_META, .name = "account.token", .value = c->token};
        ret[1] = (struct record){
                .verb = RECORD_META, .name = "account.uid", .value = *c->uid ? c->uid : NULL};
        return 2;
}

static void cycle_account_noted(void *userdata, struct flow *flow _unused_,
                                const struct flow_end *end)
{
        struct cycle *c = userdata;

        tally_end(&c->tally, c->engine, end);
        if (c->tally.halted)
                cycle_finish(c, cycle_status(c));
        else
                cycle_bound(c);
}

/*
 * Another token than last time.  When it is of the same account, that is noted.  When it is of
 * another one, or it cannot be told, nothing that is known is known of this Disk: it is compared
 * anew, and nothing is removed.
 */
static void cycle_account_told(void *userdata, struct flow *flow, const struct flow_end *end)
{
        struct cycle *c = userdata;
        const char *uid = flow ? flow_account_uid(flow) : "";
        struct record records[2];

        tally_end(&c->tally, c->engine, end);
        if (c->tally.halted) {
                cycle_finish(c, cycle_status(c));
                return;
        }
        str_copy(c->uid, sizeof(c->uid), uid);
        c->noted = end->kind == END_NOTHING;
        if (c->meta_token && (!*uid || !c->meta_uid || !str_eq(uid, c->meta_uid))) {
                event_say(EVENT_OTHER_ACCOUNT, NULL,
                          *uid && c->meta_uid
                                  ? N_("the token is of another account than before")
                                  : N_("the token is another one, and whose it is cannot be told"));
                cycle_stage_adopt(c, true);
        } else if (c->noted && c->meta_binding && str_eq(c->meta_binding, c->binding)) {
                cycle_write(c, records, cycle_account_records(c, records), cycle_account_noted);
        } else {
                cycle_bound(c); /* a new snapshot, which is bound to all of it at once */
        }
}

static void cycle_prepared(struct cycle *c)
{
        struct flow_end end = {.kind = END_LATER, .text = "no memory"};

        c->view.known = c->known;
        if (c->job_result < 0)
                cycle_fail(c, c->root.fd < 0 ? EXIT_NO_FOLDER : EXIT_IO_ERROR);
        else if (c->compare_ended)
                cycle_compare_alone(c);
        else if (c->show || (c->meta_token && str_eq(c->meta_token, c->token)))
                cycle_bound(c);
        else if (engine_start(c->engine, flow_account(&c->yadisk), cycle_account_told, c) < 0)
                cycle_account_told(c, NULL, &end);
}

void cycle_pass(struct cycle *c, void (*done)(void *userdata, const struct pass_end *end),
                void *userdata)
{
        c->done = done;
        c->userdata = userdata;
        report_begin(&c->report);
        event_set_cycle(++c->passes);
        c->adopting = c->cloud_missing = c->held = c->noted = false;
        c->listed = c->root_unlisted = false;
        c->unlisted = c->unsettled = 0;
        c->move_rounds = 0;
        c->moves_over = false;
        c->shown = 0;
        c->checks_failed = 0;
        c->tally = (struct tally){.renewable = c->renewable};
        *c->fault = '\0';
        c->compared = false;
        c->known = (struct store_totals){0};
        cycle_enter(c, CYCLE_PREPARES);
        quota_pass_begins(&c->quota, cycle_now_ms());
        c->before = engine_stats(c->engine);
        cycle_job(c, cycle_job_prepare, cycle_prepared);
}
