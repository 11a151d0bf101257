/* SPDX-License-Identifier: MIT */

/*
 *   START ─▶ DOUBT ─▶ MAKE ─▶ RECORD
 *                       │ 409: a file stands there
 *                       ├─▶ LOOK ─▶ CLEAR (Trash, on condition of its md5) ─▶ MAKE
 *                       │ 409: no parent
 *                       └─▶ DEMAND ─▶ PARENTS ─▶ RECORD
 *
 * The cloud folder itself is in no doubt: nothing is believed of it but that it was made.
 */

#include "lib/yadisk/flow_mkdir.h"

#include "lib/yadisk/errand.h"

enum mkdir_state {
        MKDIR_START,
        MKDIR_DOUBT,
        MKDIR_MAKE,
        MKDIR_LOOK,
        MKDIR_CLEAR,
        MKDIR_CLEAR_POLL,
        MKDIR_DEMAND, /* an audit: what is known of the folders above is not so */
        MKDIR_PARENTS,
        MKDIR_RECORD,
};

static const char *const mkdir_names[] = {
        [MKDIR_START] = "START", [MKDIR_DOUBT] = "DOUBT", [MKDIR_MAKE] = "MAKE",
        [MKDIR_LOOK] = "LOOK", [MKDIR_CLEAR] = "CLEAR",
        [MKDIR_CLEAR_POLL] = "CLEAR_POLL", [MKDIR_DEMAND] = "DEMAND",
        [MKDIR_PARENTS] = "PARENTS",
        [MKDIR_RECORD] = "RECORD",
};

struct flow_mkdir {
        struct errand e;
        struct op op;
        char *key;
        struct str cloud;
        uint8_t there_md5[16];
        bool made; /* it was not there before */
        bool doubted;
};

static struct flow_mkdir *mkdir_of(struct errand *e)
{
        return CONTAINER_OF(e, struct flow_mkdir, e);
}

static const char *mkdir_path(struct flow_mkdir *f)
{
        yadisk_path(&f->cloud, f->e.yadisk, f->key);
        return str_z(&f->cloud);
}

static struct ask mkdir_ask_record(struct flow_mkdir *f)
{
        struct record *r = &f->e.records[0];
        size_t n = 1;

        switch (f->op.verb) {
        case OP_FORGET:
                *r = (struct record){.verb = RECORD_FORGET_TREE, .entry = f->op.entry};
                break;
        case OP_MKDIR:
        case OP_ADOPT:
        case OP_TOUCH:
        case OP_PUT:
        case OP_DROP:
        case OP_DROP_TREE:
        case OP_MOVE:
                *r = (struct record){.verb = RECORD_ROW, .entry = f->op.entry};
                r->entry.flags = 0;
                r->entry.size = 0;
                break;
        }
        if (*f->key == '\0')
                *r = (struct record){.verb = RECORD_META, .name = "cloud.made", .value = "1"};
        if (f->doubted)
                n = errand_settled(&f->e, n, f->key);
        return errand_record(&f->e, n);
}

static struct ask mkdir_ask(struct errand *e)
{
        struct flow_mkdir *f = mkdir_of(e);

        switch ((enum mkdir_state)e->state) {
        case MKDIR_START:
                break;
        case MKDIR_DOUBT:
                return errand_doubt(e, f->key, &f->op.entry);
        case MKDIR_MAKE:
                yadisk_url_mkdir(&e->url, e->yadisk, mkdir_path(f));
                return errand_http(e, HTTP_PUT);
        case MKDIR_LOOK:
                return errand_look_ask(e, mkdir_path(f));
        case MKDIR_CLEAR:
                yadisk_url_delete(&e->url, e->yadisk, mkdir_path(f), f->there_md5, false);
                return errand_http(e, HTTP_DELETE);
        case MKDIR_CLEAR_POLL:
                return errand_operation_ask(e);
        case MKDIR_DEMAND:
                return errand_parents_demand(e);
        case MKDIR_PARENTS:
                return errand_parents_ask(e);
        case MKDIR_RECORD:
                return mkdir_ask_record(f);
        }
        return errand_end(e, END_STUCK, 0, "internal: no such state");
}

static struct ask mkdir_begin(struct flow_mkdir *f)
{
        return errand_go(&f->e, f->op.there == OP_THERE_FILE ? MKDIR_LOOK : MKDIR_MAKE);
}

static struct ask mkdir_took_make(struct flow_mkdir *f, const struct outcome *in)
{
        struct verdict v = verdict_change(in);

        if (v.act == VERDICT_OK) {
                f->made = true;
                return errand_go(&f->e, MKDIR_RECORD);
        }
        if (v.error == YADISK_ERROR_FOLDER_EXISTS)
                return errand_go(&f->e, MKDIR_RECORD);
        if (v.error == YADISK_ERROR_EXISTS || v.error == YADISK_ERROR_EXISTS_OLD)
                return errand_back(&f->e, MKDIR_LOOK, &v);
        if (v.error == YADISK_ERROR_NO_PARENT) {
                if (!errand_parents_begin(&f->e, mkdir_path(f)))
                        return errand_end(&f->e, END_LATER, 0, "no memory");
                return errand_go(&f->e, *f->key ? MKDIR_DEMAND : MKDIR_PARENTS);
        }
        return errand_trouble(&f->e, in, &v);
}

static struct ask mkdir_took_look(struct flow_mkdir *f, const struct outcome *in)
{
        struct verdict changing = {.act = VERDICT_AGAIN};
        struct entry found;
        struct ask ask;

        switch (errand_look_took(&f->e, in, &found, &ask)) {
        case ERRAND_LOOK_TROUBLE:
                return ask;
        case ERRAND_LOOK_NOTHING:
                return errand_back(&f->e, MKDIR_MAKE, &changing);
        case ERRAND_LOOK_DIR:
                return errand_go(&f->e, MKDIR_RECORD);
        case ERRAND_LOOK_FILE:
                break;
        }
        memcpy(f->there_md5, found.md5, sizeof(f->there_md5));
        return errand_go(&f->e, MKDIR_CLEAR);
}

static struct ask mkdir_took_clear(struct flow_mkdir *f, const struct outcome *in)
{
        struct verdict v = verdict_removal(in);

        if (v.act == VERDICT_ASKER && v.error == YADISK_ERROR_MD5_DIFFERS)
                return errand_back(&f->e, MKDIR_LOOK, &v);
        if (v.act != VERDICT_OK && !(v.act == VERDICT_ASKER && in->status == 404))
                return errand_trouble(&f->e, in, &v);
        if (in->status == 202 && errand_operation_begin(&f->e, in))
                return errand_go(&f->e, MKDIR_CLEAR_POLL);
        return errand_back(&f->e, MKDIR_MAKE, &v);
}

static struct ask mkdir_took_clear_poll(struct flow_mkdir *f, const struct outcome *in)
{
        struct verdict changing = {.act = VERDICT_AGAIN};
        struct ask ask;

        if (errand_operation_took(&f->e, in, 60000, &ask) == ERRAND_RUNNING)
                return ask;
        return errand_back(&f->e, MKDIR_MAKE, &changing);
}

static struct ask mkdir_took_record(struct flow_mkdir *f, const struct outcome *in)
{
        if (in->err)
                return errand_end(&f->e, END_STORE, 0, "%s", in->text ? in->text : "");
        return errand_end(&f->e, f->made ? END_DONE : END_NOTHING, 0, "%s", "");
}

static struct ask mkdir_took(struct errand *e, const struct outcome *in)
{
        struct flow_mkdir *f = mkdir_of(e);
        struct ask ask;

        switch ((enum mkdir_state)e->state) {
        case MKDIR_START:
                if (f->op.verb != OP_MKDIR)
                        return errand_go(e, MKDIR_RECORD);
                return *f->key ? errand_go(e, MKDIR_DOUBT) : mkdir_begin(f);
        case MKDIR_DOUBT:
                if (in->err)
                        return mkdir_took_record(f, in);
                f->doubted = true;
                return mkdir_begin(f);
        case MKDIR_MAKE:
                return mkdir_took_make(f, in);
        case MKDIR_LOOK:
                return mkdir_took_look(f, in);
        case MKDIR_CLEAR:
                return mkdir_took_clear(f, in);
        case MKDIR_CLEAR_POLL:
                return mkdir_took_clear_poll(f, in);
        case MKDIR_DEMAND:
                if (in->err)
                        return mkdir_took_record(f, in);
                return errand_go(e, MKDIR_PARENTS);
        case MKDIR_PARENTS:
                if (errand_parents_took(e, in, &ask) == ERRAND_PARENTS_MORE)
                        return ask;
                f->made = true;
                /* The last is this one; what is above the cloud folder itself tells nothing. */
                e->folder_gone = *f->key != '\0' && e->folders_made > 1;
                return errand_go(e, MKDIR_RECORD);
        case MKDIR_RECORD:
                return mkdir_took_record(f, in);
        }
        return errand_end(e, END_STUCK, 0, "internal: no such state");
}

static void mkdir_destroy(struct flow *flow)
{
        struct flow_mkdir *f = mkdir_of(errand_of(flow));

        str_finish(&f->cloud);
        free(f->key);
        errand_finish(&f->e);
        free(f);
}

struct flow *flow_mkdir(const struct yadisk *y, const struct op *op)
{
        struct flow_mkdir *f = calloc(1, sizeof(*f));

        if (!f)
                return NULL;
        errand_init(&f->e, y, mkdir_names, mkdir_ask, mkdir_took, mkdir_destroy);
        f->op = *op;
        f->cloud = STR_NULL(YADISK_URL_MAX);
        f->key = str_dup(op->entry.key);
        if (!f->key) {
                mkdir_destroy(&f->e.flow);
                return NULL;
        }
        f->op.entry.key = f->key;
        return &f->e.flow;
}

struct flow *flow_note(const struct yadisk *y, const struct op *op)
{
        return flow_mkdir(y, op);
}
