/* SPDX-License-Identifier: MIT */

/* START ─▶ LOOK ─▶ DELETE ─▶ RECORD */

#include "lib/yadisk/errand.h"
#include "lib/yadisk/flow_list.h"

enum sweep_state { SWEEP_START, SWEEP_LOOK, SWEEP_DELETE, SWEEP_RECORD };

static const char *const sweep_names[] = {
        [SWEEP_START] = "START", [SWEEP_LOOK] = "LOOK", [SWEEP_DELETE] = "DELETE",
        [SWEEP_RECORD] = "RECORD",
};

struct flow_sweep {
        struct errand e;
        char *key;
        char *wire;
        uint64_t size;
        int64_t when_ms;
        struct str cloud;
        uint8_t md5[16];
        bool removed;
};

static struct flow_sweep *sweep_of(struct errand *e)
{
        return CONTAINER_OF(e, struct flow_sweep, e);
}

static const char *sweep_path(struct flow_sweep *f)
{
        yadisk_path_beside(&f->cloud, f->e.yadisk, f->key, f->wire);
        return str_z(&f->cloud);
}

static struct ask sweep_ask(struct errand *e)
{
        struct flow_sweep *f = sweep_of(e);

        switch ((enum sweep_state)e->state) {
        case SWEEP_START:
                break;
        case SWEEP_LOOK:
                return errand_look_ask(e, sweep_path(f));
        case SWEEP_DELETE:
                yadisk_url_delete(&e->url, e->yadisk, sweep_path(f), f->md5, true);
                return errand_http(e, HTTP_DELETE);
        case SWEEP_RECORD:
                e->records[0] = (struct record){.verb = RECORD_INTENT_DONE, .wire = f->wire};
                return errand_record(e, 1);
        }
        return errand_end(e, END_STUCK, 0, "internal: no such state");
}

static struct ask sweep_took_look(struct flow_sweep *f, const struct outcome *in)
{
        struct entry found;
        struct ask ask;

        switch (errand_look_took(&f->e, in, &found, &ask)) {
        case ERRAND_LOOK_TROUBLE:
                return ask;
        case ERRAND_LOOK_NOTHING:
                if (!flow_sweep_due(f->size, f->when_ms, in->wall_ms))
                        return errand_end(&f->e, END_NOTHING, 0, "%s", "");
                return errand_go(&f->e, SWEEP_RECORD);
        case ERRAND_LOOK_DIR:
                return errand_go(&f->e, SWEEP_RECORD); /* not ours, whatever it is */
        case ERRAND_LOOK_FILE:
                break;
        }
        memcpy(f->md5, found.md5, sizeof(f->md5));
        return errand_go(&f->e, SWEEP_DELETE);
}

static struct ask sweep_took(struct errand *e, const struct outcome *in)
{
        struct flow_sweep *f = sweep_of(e);
        struct verdict v = verdict_removal(in);

        switch ((enum sweep_state)e->state) {
        case SWEEP_START:
                return errand_go(e, SWEEP_LOOK);
        case SWEEP_LOOK:
                return sweep_took_look(f, in);
        case SWEEP_DELETE:
                if (v.error == YADISK_ERROR_MD5_DIFFERS)
                        return errand_back(e, SWEEP_LOOK, &v);
                if (v.act != VERDICT_OK && !(v.act == VERDICT_ASKER && in->status == 404))
                        return errand_trouble(e, in, &v);
                f->removed = true;
                if (in->status == 202) /* accepted is not removed: the next sweep looks again */
                        return errand_end(e, END_DONE, 0, "%s", "");
                return errand_go(e, SWEEP_RECORD);
        case SWEEP_RECORD:
                if (in->err)
                        return errand_end(e, END_STORE, 0, "%s", in->text ? in->text : "");
                return errand_end(e, f->removed ? END_DONE : END_NOTHING, 0, "%s", "");
        }
        return errand_end(e, END_STUCK, 0, "internal: no such state");
}

static void sweep_destroy(struct flow *flow)
{
        struct flow_sweep *f = sweep_of(errand_of(flow));

        str_finish(&f->cloud);
        free(f->key);
        free(f->wire);
        errand_finish(&f->e);
        free(f);
}

bool flow_sweep_due(uint64_t size, int64_t when_ms, int64_t now_ms)
{
        int64_t window_ms = 60000 + (int64_t)((double)size / (1u << 30) * 300000);

        /* A clock that was set back must not keep it for ever. */
        return now_ms < when_ms || now_ms - when_ms >= window_ms;
}

struct flow *flow_sweep(const struct yadisk *y, const char *key, const char *wire, uint64_t size,
                        int64_t when_ms)
{
        struct flow_sweep *f = calloc(1, sizeof(*f));

        if (!f)
                return NULL;
        errand_init(&f->e, y, sweep_names, sweep_ask, sweep_took, sweep_destroy);
        f->size = size;
        f->when_ms = when_ms;
        f->cloud = STR_NULL(YADISK_URL_MAX);
        f->key = str_dup(key);
        f->wire = str_dup(wire);
        if (!f->key || !f->wire) {
                sweep_destroy(&f->e.flow);
                return NULL;
        }
        return &f->e.flow;
}
