/* SPDX-License-Identifier: MIT */

#include "daemon/quota.h"

#include "lib/base/str.h"

#include <stdio.h>

#define QUOTA_ROOM_FIRST_MS 60000
#define QUOTA_ROOM_MOST_MS 3600000
#define QUOTA_ALLOWANCE_FIRST_MS 3600000
#define QUOTA_ALLOWANCE_MOST_MS 21600000

static int64_t quota_delay_ms(const struct quota *q)
{
        bool room = q->pause == QUOTA_NO_ROOM;
        int64_t delay = room ? QUOTA_ROOM_FIRST_MS : QUOTA_ALLOWANCE_FIRST_MS;
        int64_t most = room ? QUOTA_ROOM_MOST_MS : QUOTA_ALLOWANCE_MOST_MS;

        for (unsigned i = 0; i < q->tries && delay < most; i++)
                delay *= 2;
        return delay < most ? delay : most;
}

static void quota_put_off(struct quota *q, int64_t now_ms)
{
        q->next_ms = now_ms + quota_delay_ms(q);
        q->room = 0;
        q->tickets = 0;
        q->blind = false;
}

void quota_pass_begins(struct quota *q, int64_t now_ms)
{
        q->missed = false;
        q->roomy = false;
        if (q->pause == QUOTA_NO_ALLOWANCE)
                q->tickets = now_ms >= q->next_ms;
}

bool quota_must_ask(const struct quota *q, int64_t now_ms)
{
        return q->pause == QUOTA_NO_ROOM && now_ms >= q->next_ms;
}

void quota_asked(struct quota *q, const struct flow_end *end, int64_t now_ms)
{
        if (end->kind != END_NOTHING)
                return; /* not answered: asked again at the next pass */
        q->tries++;
        quota_put_off(q, now_ms);
        if (end->knows_room) {
                q->room = end->room;
                q->largest = end->largest;
                q->roomy = true;
        } else {
                q->blind = true;
                q->tickets = 1;
        }
}

bool quota_admits(struct quota *q, uint64_t size)
{
        if (q->pause == QUOTA_OPEN)
                return true;
        if (q->tickets > 0) {
                q->tickets--;
                return true;
        }
        if (q->pause == QUOTA_NO_ROOM && q->room > 0 && size <= q->room) {
                q->room -= size;
                return true;
        }
        q->missed = true;
        q->roomy = false;
        return false;
}

bool quota_ended(struct quota *q, const struct flow_end *end, int64_t now_ms)
{
        bool began = q->pause == QUOTA_OPEN;

        if (end->knows_room)
                q->largest = end->largest;
        if (end->kind != END_FULL) {
                q->sent |= !began && end->kind == END_DONE;
                return false;
        }
        q->missed = true;
        q->roomy = false;
        if (!began && now_ms < q->next_ms && q->room == 0)
                return false; /* one of those that were under way when it was paused */
        q->pause = end->status == 423 ? QUOTA_NO_ALLOWANCE : QUOTA_NO_ROOM;
        q->sent = false;
        q->said = true;
        if (began)
                q->tries = 0;
        else if (q->pause == QUOTA_NO_ALLOWANCE)
                q->tries++;
        quota_put_off(q, now_ms);
        if (end->knows_room && q->pause == QUOTA_NO_ROOM)
                q->room = end->room;
        return began;
}

bool quota_unsaid(struct quota *q)
{
        bool unsaid = q->pause != QUOTA_OPEN && q->missed && !q->said;

        q->said |= unsaid;
        return unsaid;
}

bool quota_pass_ended(struct quota *q)
{
        bool enough = q->pause == QUOTA_NO_ALLOWANCE || q->blind || !q->missed;

        /* Roomy, and nothing was sent: all that was wanted had arrived before, in a run that did not
         * live to write it down, say.  Else each start would ask again. */
        if (q->pause == QUOTA_OPEN || !(q->sent || q->roomy) || !enough)
                return false;
        *q = (struct quota){.largest = q->largest};
        return true;
}

void quota_save(const struct quota *q, char ret[QUOTA_TEXT_MAX])
{
        *ret = '\0';
        if (q->pause != QUOTA_OPEN)
                snprintf(ret, QUOTA_TEXT_MAX, "%s %u",
                         q->pause == QUOTA_NO_ROOM ? "room" : "allowance", q->tries);
}

void quota_load(struct quota *q, const char *text, int64_t now_ms)
{
        struct quota read = {.largest = q->largest, .next_ms = now_ms};
        char kind[16];

        if (sscanf(text, "%15s %5u", kind, &read.tries) != 2)
                return;
        if (str_eq(kind, "room"))
                read.pause = QUOTA_NO_ROOM;
        else if (str_eq(kind, "allowance"))
                read.pause = QUOTA_NO_ALLOWANCE;
        else
                return;
        *q = read;
}
