/* SPDX-License-Identifier: MIT */

#include "daemon/account.h"
#include "daemon/cmd.h"
#include "daemon/command.h"
#include "daemon/mirror.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>

/* ---- what is shown --------------------------------------------------------------------------- */

static const char *plan_word(const struct op *op)
{
        switch (op->verb) {
        case OP_MKDIR:
                return N_("make folder");
        case OP_PUT:
                return op->was_known || op->there == OP_THERE_FILE ? N_("replace") : N_("upload");
        case OP_ADOPT:
        case OP_TOUCH:
                return "note";
        case OP_DROP:
                return N_("remove");
        case OP_DROP_TREE:
                return N_("remove folder");
        case OP_FORGET:
                return N_("no longer mirror");
        case OP_MOVE:
                return N_("move");
        }
        return "";
}

static bool plan_removes(const struct op *op)
{
        return op->verb == OP_DROP || op->verb == OP_DROP_TREE;
}

static void plan_show(void *userdata _unused_, const struct op *op, bool held)
{
        _cleanup_(str_finish) struct str name = STR_NULL(65536);

        if (op->verb == OP_MOVE) {
                str_add_printable(&name, op->from);
                str_adds(&name, tr(" to "));
        }
        str_add_printable(&name, op->entry.key);
        printf("%s%s %s\n", held && plan_removes(op) ? tr("HELD ") : "", tr(plan_word(op)),
               str_z(&name));
}

static void plan_show_json(void *userdata _unused_, const struct op *op, bool held)
{
        cJSON *o = cJSON_CreateObject();
        char *text;

        cJSON_AddStringToObject(o, "op", plan_word(op));
        cJSON_AddStringToObject(o, "path", op->entry.key);
        if (op->from)
                cJSON_AddStringToObject(o, "from", op->from);
        if (op->verb == OP_PUT || op->verb == OP_DROP)
                cJSON_AddNumberToObject(o, "bytes", (double)op->entry.size);
        if (op->verb == OP_DROP_TREE)
                cJSON_AddNumberToObject(o, "entries", (double)op->files + 1);
        cJSON_AddBoolToObject(o, "held", held && plan_removes(op));
        text = cJSON_PrintUnformatted(o);
        if (text)
                puts(text);
        cJSON_free(text);
        cJSON_Delete(o);
}

/* ---- the snapshot it is made from ------------------------------------------------------------ */

/* Whether the snapshot can tell what a pass would do; if not, the cloud is listed first, and that
 * is written into a snapshot of its own that is thrown away. */
static bool plan_snapshot_fits(const struct config *config, struct store **ret)
{
        _cleanup_(freep) char *binding = NULL;
        _cleanup_(freep) char *adopted = NULL;
        _cleanup_(freep) char *wanted = cycle_binding(config);
        _cleanup_(freep) char *token = NULL;
        char fingerprint[ACCOUNT_FINGERPRINT_LEN + 1];
        struct err err = ERR_NONE;

        if (store_open(ret, config->state_dir, STORE_READ_ONLY, &err) < 0)
                return false;
        if (store_meta_get(*ret, "binding", &binding, &err) == 0 &&
            store_meta_get(*ret, "adopted", &adopted, &err) == 0 &&
            store_meta_get(*ret, "account.token", &token, &err) == 0 && binding && adopted &&
            wanted && str_eq(binding, wanted) &&
            (!token || (account_fingerprint(config->token, fingerprint) &&
                        str_eq(token, fingerprint))))
                return true;
        store_close(TAKE_PTR(*ret));
        return false;
}

static void plan_remove_scratch(const char *dir)
{
        static const char *const files[] = {"state.db",     "state.db-wal", "state.db-shm",
                                            "state.db.new", "lock"};
        char path[256];

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
                unlink(path);
        }
        rmdir(dir);
}

/* Opens what there is, or a snapshot of its own. */
static int plan_open(const struct config *config, const char *scratch, struct store **ret,
                     struct err *err)
{
        return plan_snapshot_fits(config, ret) ? 0 : store_open(ret, scratch, 0, err);
}

int cmd_plan(const struct call *call)
{
        const bool json = call->options & OPTION_JSON;
        char scratch[] = "/tmp/ydsync-plan-XXXXXX";
        struct mirror_args args = {
                .config = &call->config,
                .spool_dir = scratch,
                .passes = 1,
                .show = json ? plan_show_json : plan_show,
        };
        struct err err = ERR_NONE;
        int status = EXIT_NO_STATE;

        if (!mkdtemp(scratch)) {
                log_error("no temporary folder can be made: %s", strerror(errno));
                return EXIT_NO_STATE;
        }
        if (plan_open(&call->config, scratch, &args.store, &err) < 0)
                log_error("%s", err.text);
        else
                status = (int)mirror_run(&args);
        plan_remove_scratch(scratch);
        return status;
}
