/* SPDX-License-Identifier: MIT */

/* Deeds of others, one after the other; each is a change of its own to everybody else. */

#include "change.h"
#include "others.h"

static bool parse(const cJSON *deed, const char *key, struct path *ret)
{
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(deed, key);

        if (!cJSON_IsString(v))
                return false;
        return !path_parse(ret, v->valuestring, strlen(v->valuestring), CONTROL_NAMES_ALLOWED);
}

static void put(struct server *s, const cJSON *deed, const struct path *p)
{
        const cJSON *text = cJSON_GetObjectItemCaseSensitive(deed, "text");
        struct body *b = body_create(s->store, true);
        struct content *c;

        if (cJSON_IsString(text))
                body_write(b, text->valuestring, strlen(text->valuestring));
        c = body_commit(b);
        if (c)
                change_others_put(&s->disk, p, c);
}

static void one(struct server *s, const cJSON *deed)
{
        _cleanup_(path_finish) struct path p = {}, to = {};

        if (parse(deed, "put", &p))
                put(s, deed, &p);
        else if (parse(deed, "mkdir", &p))
                change_others_mkdir(&s->disk, &p);
        else if (parse(deed, "remove", &p))
                change_others_remove(&s->disk, &p);
        else if (parse(deed, "move", &p) && parse(deed, "to", &to))
                change_others_move(&s->disk, &p, &to);
}

void others_do(struct server *s, const cJSON *deeds)
{
        const cJSON *deed;

        cJSON_ArrayForEach(deed, deeds)
                one(s, deed);
}
