/* SPDX-License-Identifier: MIT */

#include "lib/yadisk/flow_room.h"

#include "lib/yadisk/errand.h"

enum room_state { ROOM_START, ROOM_ASK };

static const char *const room_names[] = {[ROOM_START] = "START", [ROOM_ASK] = "ASK"};

static struct ask room_ask(struct errand *e)
{
        return errand_room_ask(e);
}

static struct ask room_took(struct errand *e, const struct outcome *in)
{
        struct yadisk_room room;
        struct ask ask;

        if (e->state == ROOM_START)
                return errand_go(e, ROOM_ASK);
        switch (errand_room_took(e, in, &room, &ask)) {
        case ERRAND_ROOM_TROUBLE:
                return ask;
        case ERRAND_ROOM_UNKNOWN:
                return errand_end(e, END_NOTHING, 0, "%s", "");
        case ERRAND_ROOM_KNOWN:
                break;
        }
        ask = errand_end(e, END_NOTHING, 0, "%s", "");
        ask.end.knows_room = true;
        ask.end.room = yadisk_room_free(&room);
        ask.end.largest = room.largest;
        return ask;
}

static void room_destroy(struct flow *flow)
{
        struct errand *e = errand_of(flow);

        errand_finish(e);
        free(e);
}

struct flow *flow_room(const struct yadisk *y)
{
        struct errand *e = calloc(1, sizeof(*e));

        if (!e)
                return NULL;
        errand_init(e, y, room_names, room_ask, room_took, room_destroy);
        return &e->flow;
}
