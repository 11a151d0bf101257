/* SPDX-License-Identifier: MIT */

/*
 * The cloud folder: it is listed when nothing is known of it, so that what is there already is
 * recognised (an adoption), and it is made when there is none.
 */

#include "daemon/cycle_impl.h"

#include "lib/yadisk/flow_list.h"
#include "lib/yadisk/flow_mkdir.h"

static void cycle_cloud_made(void *userdata, struct flow *flow _unused_,
                             const struct flow_end *end)
{
        struct cycle *c = userdata;
        struct event_about about = {.op = "make-folder", .path = "", .root = c->yadisk.root};

        tally_end(&c->tally, c->engine, end);
        if (end->kind == END_DONE)
                event_say(EVENT_FOLDER_MADE, &about, "made the cloud folder %s", c->yadisk.root);
        if (end->kind != END_DONE && end->kind != END_NOTHING && !c->tally.halted) {
                err_set(&c->err, EIO, "cannot make the cloud folder %s: %s", c->yadisk.root,
                        end->text);
                c->tally.later++;
                cycle_fail(c, EXIT_TRY_AGAIN);
                return;
        }
        cycle_stage_settle(c);
}

void cycle_stage_cloud(struct cycle *c)
{
        struct op op = {.verb = OP_MKDIR, .entry = {.key = "", .kind = KIND_DIR}};
        struct flow_end end = {.kind = END_LATER, .text = "no memory"};

        if (c->tally.halted || c->show || (c->meta_made && !c->cloud_missing))
                cycle_stage_settle(c);
        else if (engine_start(c->engine, flow_mkdir(&c->yadisk, &op), cycle_cloud_made, c) < 0)
                cycle_cloud_made(c, NULL, &end);
}

static void cycle_list_done(void *userdata, struct flow *flow, const struct flow_end *end);

static void cycle_pump_lists(struct cycle *c)
{
        while (c->n_folders > 0 && !c->tally.halted && engine_room(c->engine) > 0) {
                char *key = c->folders[--c->n_folders];

                c->flows++;
                if (engine_start(c->engine, flow_list(&c->yadisk, key), cycle_list_done, c) < 0) {
                        c->flows--;
                        c->unlisted++;
                }
                free(key);
        }
}

static void cycle_say_unlisted(struct cycle *c, const char *key, const struct flow_end *end)
{
        _cleanup_(str_finish) struct str name = STR_NULL(65536);
        struct event_about about = {.op = "list",
                                    .path = key,
                                    .root = c->yadisk.root,
                                    .reason = end->reason ? end->reason : end->text,
                                    .http_status = end->status};

        c->unlisted++;
        c->root_unlisted |= *key == '\0';
        str_add_printable(&name, key);
        report_error(&c->report, EVENT_CLOUD_UNLISTED, &about,
                     "the cloud folder %s%s%s cannot be listed: %s%s", c->yadisk.root,
                     *key ? "/" : "", str_z(&name), end->text,
                     *key ? tr("; what is in it is met file by file, and nothing is removed before it "
                               "is listed")
                          : "");
}

/*
 * A folder that could not be listed is unknown: what goes there is put without overwriting, so that
 * what stands there is met and looked at.  The adoption is not over before all was listed; that is
 * tried again after half a minute, a minute, two … up to a day.
 */
static void cycle_listed(struct cycle *c)
{
        const int64_t first = 30000, most = 86400000;
        int64_t delay = first << (c->relists < 12 ? c->relists : 12);

        cycle_forget_folders(c);
        if (c->tally.halted) {
                cycle_stage_cloud(c);
                return;
        }
        if (c->root_unlisted || (c->show && c->unlisted)) {
                cycle_finish(c, EXIT_TRY_AGAIN);
                return;
        }
        c->relists = c->unlisted ? c->relists + 1 : 0;
        c->relist_ms = (int64_t)uv_now(c->loop) + (delay < most ? delay : most);
        c->listed = true;
        cycle_stage_cloud(c);
}

static void cycle_list_done(void *userdata, struct flow *flow, const struct flow_end *end)
{
        struct cycle *c = userdata;
        const struct entry_list *folders = flow_list_folders(flow);

        tally_end(&c->tally, c->engine, end);
        if (end->kind == END_NOTHING)
                c->cloud_missing = true; /* if it was the top one; the others do no harm */
        else if (end->kind != END_DONE && !c->tally.halted)
                cycle_say_unlisted(c, flow_list_key(flow), end);
        for (size_t i = 0; i < folders->n; i++)
                c->unlisted += !cycle_push(c, folders->items[i].key);
        cycle_pump_lists(c); /* while this one still counts: the next may end at once */
        if (--c->flows == 0)
                cycle_listed(c);
}

static void cycle_list_begin(void *userdata, struct flow *flow _unused_,
                             const struct flow_end *end)
{
        struct cycle *c = userdata;
        struct event_about about = {.path = "", .root = c->yadisk.root};

        tally_end(&c->tally, c->engine, end);
        if (c->tally.halted || !cycle_push(c, "")) {
                cycle_finish(c, cycle_status(c));
                return;
        }
        event_say(EVENT_COMPARING, &about,
                  "comparing %s with %s; nothing is removed in this pass", c->config->folder,
                  c->yadisk.root);
        cycle_enter(c, CYCLE_LISTS);
        c->flows = 1; /* this function itself */
        cycle_pump_lists(c);
        if (--c->flows == 0)
                cycle_listed(c);
}

static void cycle_adopt_anew(struct cycle *c)
{
        if (c->job_result < 0)
                cycle_fail(c, EXIT_IO_ERROR);
        else
                cycle_stage_adopt(c, true);
}

/* They are of another folder, or another account. */
static void cycle_job_forget_moving(struct cycle *c)
{
        c->job_result = 0;
        while (c->moving_at < c->n_moving && c->job_result == 0) {
                struct record over = {.verb = RECORD_META, .name = c->moving[c->moving_at++].name};

                c->job_result = store_commit(c->store, &over, 1, &c->err);
        }
}

/* First run, lost snapshot, or another folder: what is there already is recognised. */
void cycle_stage_adopt(struct cycle *c, bool rebind)
{
        struct record records[FLOW_WRITE_MAX];
        size_t n = 0;

        c->adopting = true;
        if (rebind && c->moving_at < c->n_moving) {
                cycle_job(c, cycle_job_forget_moving, cycle_adopt_anew);
                return;
        }
        if (!rebind && c->relists > 0 && (int64_t)uv_now(c->loop) < c->relist_ms) {
                c->unlisted = 1;
                cycle_stage_cloud(c);
                return;
        }
        records[n++] = (struct record){.verb = RECORD_REMOTE_CLEAR};
        if (rebind) {
                free(c->meta_made);
                free(c->meta_dev);
                c->meta_made = c->meta_dev = NULL;
                records[n++] =
                        (struct record){.verb = RECORD_FORGET_TREE, .entry = {.key = "",
                                                                              .kind = KIND_DIR}};
                records[n++] = (struct record){
                        .verb = RECORD_META, .name = "binding", .value = c->binding};
                records[n++] = (struct record){
                        .verb = RECORD_META, .name = "root.identity", .value = c->root.identity};
                records[n++] = (struct record){.verb = RECORD_META, .name = "root.dev"};
                records[n++] = (struct record){.verb = RECORD_META, .name = "adopted"};
                records[n++] = (struct record){.verb = RECORD_META, .name = "cloud.made"};
                records[n++] = (struct record){.verb = RECORD_META, .name = "mounts"};
                records[n++] = (struct record){.verb = RECORD_META, .name = "held"};
                records[n++] = (struct record){.verb = RECORD_META, .name = "approved"};
                n += cycle_account_records(c, records + n);
        }
        cycle_write(c, records, n, cycle_list_begin);
}
