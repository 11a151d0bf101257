/* SPDX-License-Identifier: MIT */

#include "lib/core/flow_write.h"

#include "lib/base/str.h"

struct flow_write {
        struct flow flow;
        struct record records[FLOW_WRITE_MAX];
        size_t n;
        struct str text;
};

static struct ask write_next(struct flow *flow, const struct outcome *in)
{
        struct flow_write *f = CONTAINER_OF(flow, struct flow_write, flow);
        struct ask end = {.want = ASK_DONE, .end = {.kind = END_NOTHING, .text = ""}};

        if (in->kind == OUTCOME_START)
                return (struct ask){
                        .want = ASK_RECORD, .records = f->records, .n_records = f->n};
        if (in->err) {
                str_adds(&f->text, in->text ? in->text : "");
                end.end.kind = END_STORE;
                end.end.text = str_z(&f->text);
        }
        return end;
}

static const char *write_where(const struct flow *flow _unused_)
{
        return "WRITE";
}

static void write_destroy(struct flow *flow)
{
        struct flow_write *f = CONTAINER_OF(flow, struct flow_write, flow);

        for (size_t i = 0; i < f->n; i++) {
                free((char *)f->records[i].entry.key);
                free((char *)f->records[i].wire);
                free((char *)f->records[i].name);
                free((char *)f->records[i].value);
        }
        str_finish(&f->text);
        free(f);
}

static bool write_copy(const char **field)
{
        if (*field)
                *field = str_dup(*field);
        else
                return true;
        return *field;
}

struct flow *flow_write(const struct record *records, size_t n)
{
        struct flow_write *f = calloc(1, sizeof(*f));
        bool ok = f && n <= FLOW_WRITE_MAX;

        if (!f)
                return NULL;
        f->flow = (struct flow){.next = write_next, .where = write_where,
                                .destroy = write_destroy};
        f->text = STR_NULL(4096);
        for (size_t i = 0; ok && i < n; i++) {
                struct record *r = &f->records[i];

                *r = records[i];
                ok = write_copy(&r->entry.key);
                ok = write_copy(&r->wire) && ok;
                ok = write_copy(&r->name) && ok;
                ok = write_copy(&r->value) && ok;
                f->n++;
        }
        if (!ok) {
                write_destroy(&f->flow);
                return NULL;
        }
        return &f->flow;
}
