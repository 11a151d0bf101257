/* SPDX-License-Identifier: MIT */

#include "daemon/verify.h"

#include "lib/base/tr.h"

#include <inttypes.h>

static const char *verify_what(enum audit_find_kind kind)
{
        switch (kind) {
        case AUDIT_MISSING:
                return N_("missing");
        case AUDIT_CHANGED:
                return N_("changed");
        case AUDIT_RETYPED:
                return N_("of another kind");
        }
        return "";
}

char *verify_json(const struct cycle_compare *c)
{
        cJSON *o = cJSON_CreateObject(), *list;
        char *text;

        cJSON_AddNumberToObject(o, "run", (double)c->runs);
        cJSON_AddBoolToObject(o, "under_way", c->under_way);
        cJSON_AddBoolToObject(o, "repair", c->repair);
        cJSON_AddNumberToObject(o, "folders", (double)c->found.folders);
        cJSON_AddNumberToObject(o, "missing", (double)c->found.missing);
        cJSON_AddNumberToObject(o, "changed", (double)c->found.changed);
        cJSON_AddNumberToObject(o, "entries", (double)c->found.lost);
        cJSON_AddNumberToObject(o, "foreign", (double)c->found.foreign);
        cJSON_AddNumberToObject(o, "not_compared", (double)c->found.unlisted);
        list = cJSON_AddArrayToObject(o, "differences");
        for (size_t i = 0; i < c->n_finds; i++) {
                cJSON *one = cJSON_CreateObject();

                cJSON_AddStringToObject(one, "path", c->finds[i].key);
                cJSON_AddStringToObject(one, "kind",
                                        c->finds[i].known == KIND_DIR ? "folder" : "file");
                cJSON_AddStringToObject(one, "what", verify_what(c->finds[i].kind));
                cJSON_AddItemToArray(list, one);
        }
        text = cJSON_PrintUnformatted(o);
        cJSON_Delete(o);
        return text;
}

static uint64_t verify_n(const cJSON *o, const char *key)
{
        double n = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(o, key));

        return n > 0 && n < 1e18 ? (uint64_t)n : 0;
}

static const char *verify_s(const cJSON *o, const char *key)
{
        const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));

        return s ? s : "";
}

void verify_text(struct str *ret, const cJSON *o)
{
        const cJSON *list = cJSON_GetObjectItemCaseSensitive(o, "differences"), *one;
        uint64_t n = verify_n(o, "missing") + verify_n(o, "changed");
        int named = cJSON_GetArraySize(list);

        cJSON_ArrayForEach(one, list)
        {
                const char *path = verify_s(one, "path");

                str_addf(ret, "%s: ", tr(verify_s(one, "what")));
                str_add_printable(ret, *path ? path : tr("the cloud folder itself"));
                str_adds(ret, str_eq(verify_s(one, "kind"), "folder") ? "/\n" : "\n");
        }
        if (n > (uint64_t)named)
                str_addf(ret, tr("and %" PRIu64 " more\n"), n - (uint64_t)named);
        str_addf(ret, tr("%" PRIu64 " folders compared: %" PRIu64 " differences"),
                 verify_n(o, "folders"), n);
        if (n > 0)
                str_addf(ret, tr(" (%" PRIu64 " entries)"), verify_n(o, "entries"));
        str_addf(ret, tr(", %" PRIu64 " not known to ydsync and left alone"), verify_n(o, "foreign"));
        if (verify_n(o, "not_compared") > 0)
                str_addf(ret, tr(", %" PRIu64 " folders could not be compared"),
                         verify_n(o, "not_compared"));
        str_addc(ret, '\n');
}
