/* SPDX-License-Identifier: MIT */

/* START ─▶ ASK */

#include "lib/yadisk/flow_account.h"

#include "lib/yadisk/errand.h"

enum account_state { ACCOUNT_START, ACCOUNT_ASK };

static const char *const account_names[] = {
        [ACCOUNT_START] = "START", [ACCOUNT_ASK] = "ASK",
};

struct flow_account {
        struct errand e;
        char uid[YADISK_UID_MAX];
};

static struct flow_account *account_of(struct errand *e)
{
        return CONTAINER_OF(e, struct flow_account, e);
}

static struct ask account_ask(struct errand *e)
{
        yadisk_url_account(&e->url, e->yadisk);
        return errand_http(e, HTTP_GET);
}

static struct ask account_took(struct errand *e, const struct outcome *in)
{
        struct verdict v = verdict(in);

        if (e->state == ACCOUNT_START)
                return errand_go(e, ACCOUNT_ASK);
        switch (v.act) {
        case VERDICT_OK:
                if (yadisk_read_account(in->body, in->body_len, account_of(e)->uid) < 0)
                        return errand_garbled(e, in);
                return errand_end(e, END_NOTHING, 0, "%s", "");
        case VERDICT_STUCK:
        case VERDICT_ASKER:
                return errand_end(e, END_NOTHING, in->status, "%s", "");
        case VERDICT_AGAIN:
        case VERDICT_LOCKED:
        case VERDICT_FULL:
        case VERDICT_REFUSED:
                break;
        }
        return errand_trouble(e, in, &v);
}

static void account_destroy(struct flow *flow)
{
        struct flow_account *f = account_of(errand_of(flow));

        errand_finish(&f->e);
        free(f);
}

struct flow *flow_account(const struct yadisk *y)
{
        struct flow_account *f = calloc(1, sizeof(*f));

        if (!f)
                return NULL;
        errand_init(&f->e, y, account_names, account_ask, account_took, account_destroy);
        return &f->e.flow;
}

const char *flow_account_uid(const struct flow *flow)
{
        return CONTAINER_OF((struct flow *)flow, struct flow_account, e.flow)->uid;
}
