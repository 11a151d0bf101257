/* SPDX-License-Identifier: MIT */

#include "lib/yadisk/yadisk_json.h"

#include "lib/base/str.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <errno.h>

DEFINE_CLEANUP(cJSON *, cJSON_Delete)

/* Beyond this a double no longer holds every whole number. */
#define YADISK_SIZE_MAX 9007199254740992.0

/*
 * A NUL would end a string early and so make another name or address of it.  cJSON lets it pass,
 * also as \u0000 and as a \u with other than digits.
 */
static bool yadisk_holds_nul(const char *body, size_t len)
{
        if (len == 0 || memchr(body, '\0', len))
                return len > 0;
        for (size_t i = 0; i + 1 < len; i++) {
                uint8_t bytes[2];
                char digits[5] = "";

                if (body[i] != '\\' || body[++i] != 'u')
                        continue;
                memcpy(digits, body + i + 1, len - i - 1 < 4 ? len - i - 1 : 4);
                if (!str_unhex(bytes, sizeof(bytes), digits) || (bytes[0] | bytes[1]) == 0)
                        return true;
        }
        return false;
}

/* One object, and nothing but white space after it. */
static cJSON *yadisk_parse(const char *body, size_t len)
{
        const char *end = NULL;
        cJSON *json;

        if (yadisk_holds_nul(body, len))
                return NULL;
        json = cJSON_ParseWithLengthOpts(body, len, &end, false);
        while (json && end < body + len && strchr(" \t\r\n", *end))
                end++;
        if (json && (!cJSON_IsObject(json) || end != body + len)) {
                cJSON_Delete(json);
                json = NULL;
        }
        return json;
}

static const char *yadisk_string(const cJSON *object, const char *name)
{
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

        return cJSON_IsString(item) ? item->valuestring : NULL;
}

static bool yadisk_number(const cJSON *object, const char *name, uint64_t *ret)
{
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

        if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) ||
            item->valuedouble > YADISK_SIZE_MAX ||
            item->valuedouble != (double)(uint64_t)item->valuedouble)
                return false;
        *ret = (uint64_t)item->valuedouble;
        return true;
}

static const struct {
        const char *name;
        enum yadisk_error error;
} yadisk_error_names[] = {
#define YADISK_ERROR_ROW(id, text) {text, YADISK_ERROR_##id},
        YADISK_ERRORS(YADISK_ERROR_ROW)
#undef YADISK_ERROR_ROW
};

static void yadisk_describe(const char *description, char *ret, size_t size)
{
        _cleanup_(str_finish) struct str s = STR_NULL(size - 1); /* takes whole characters */

        if (description)
                str_add_printable(&s, description);
        str_copy(ret, size, str_z(&s));
}

enum yadisk_error yadisk_read_error(const char *body, size_t len, char *ret_description,
                                    size_t size)
{
        _cleanup_(cJSON_Deletep) cJSON *json = yadisk_parse(body, len);
        const char *name = json ? yadisk_string(json, "error") : NULL;

        yadisk_describe(json ? yadisk_string(json, "description") : NULL, ret_description, size);
        if (!name)
                return YADISK_ERROR_NONE;
        for (size_t i = 0; i < ARRAY_SIZE(yadisk_error_names); i++)
                if (str_eq(name, yadisk_error_names[i].name))
                        return yadisk_error_names[i].error;
        return YADISK_ERROR_OTHER;
}

int yadisk_read_link(const char *body, size_t len, struct yadisk_link *ret)
{
        _cleanup_(cJSON_Deletep) cJSON *json = yadisk_parse(body, len);
        const char *href = json ? yadisk_string(json, "href") : NULL;
        const char *id = json ? yadisk_string(json, "operation_id") : NULL;
        struct yadisk_link link;

        if (!href || cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "templated")))
                return -EBADMSG;
        link = (struct yadisk_link){.href = str_dup(href), .operation_id = str_dup(id)};
        if (!link.href || (id && !link.operation_id)) {
                yadisk_link_finish(&link);
                return -ENOMEM;
        }
        *ret = link;
        return 0;
}

void yadisk_link_finish(struct yadisk_link *l)
{
        if (l->href)
                mem_wipe(l->href, strlen(l->href)); /* whoever has it can upload */
        free(l->href);
        free(l->operation_id);
        *l = (struct yadisk_link){0};
}

static int yadisk_resource(const cJSON *json, struct entry *ret)
{
        const char *type = yadisk_string(json, "type"), *md5 = yadisk_string(json, "md5");
        struct entry e = {0};

        if (!type)
                return -EBADMSG;
        if (str_eq(type, "dir")) {
                e.kind = KIND_DIR;
        } else if (str_eq(type, "file")) {
                e.kind = KIND_FILE;
                if (!yadisk_number(json, "size", &e.size))
                        return -EBADMSG;
                /* A file that was stored this moment may not have its md5 yet. */
                e.has_md5 = md5 && str_unhex(e.md5, sizeof(e.md5), md5);
        } else {
                e.kind = KIND_OTHER;
        }
        ret->kind = e.kind;
        ret->size = e.size;
        ret->has_md5 = e.has_md5;
        memcpy(ret->md5, e.md5, sizeof(e.md5));
        return 0;
}

int yadisk_read_resource(const char *body, size_t len, struct entry *ret)
{
        _cleanup_(cJSON_Deletep) cJSON *json = yadisk_parse(body, len);

        return json ? yadisk_resource(json, ret) : -EBADMSG;
}

/* A name as a server would have to send it for it to be one component of a path. */
static bool yadisk_name_sane(const char *name)
{
        return *name && !strchr(name, '/') && !str_eq(name, ".") && !str_eq(name, "..");
}

static int yadisk_items(const cJSON *items, struct yadisk_listing *l)
{
        const cJSON *item;
        int n = cJSON_GetArraySize(items);

        l->items.items = calloc((size_t)n + 1, sizeof(struct entry));
        if (!l->items.items)
                return -ENOMEM;
        cJSON_ArrayForEach(item, items) {
                struct entry *e = &l->items.items[l->items.n];
                const char *name = cJSON_IsObject(item) ? yadisk_string(item, "name") : NULL;

                if (!name || yadisk_resource(item, e) < 0)
                        return -EBADMSG;
                if (!yadisk_name_sane(name) || e->kind == KIND_OTHER) {
                        l->strange++;
                        continue;
                }
                e->key = str_dup(name);
                if (!e->key)
                        return -ENOMEM;
                l->items.n++;
        }
        return 0;
}

int yadisk_read_listing(const char *body, size_t len, struct yadisk_listing *ret)
{
        _cleanup_(cJSON_Deletep) cJSON *json = yadisk_parse(body, len);
        const char *type = json ? yadisk_string(json, "type") : NULL;
        const cJSON *embedded = json ? cJSON_GetObjectItemCaseSensitive(json, "_embedded") : NULL;
        const cJSON *items;
        struct yadisk_listing l = {0};
        int r;

        if (type && str_eq(type, "file"))
                return -ENOTDIR;
        items = cJSON_GetObjectItemCaseSensitive(embedded, "items");
        if (!cJSON_IsArray(items) || !yadisk_number(embedded, "total", &l.total) ||
            !yadisk_number(embedded, "offset", &l.offset))
                return -EBADMSG;
        r = yadisk_items(items, &l);
        if (r < 0) {
                yadisk_listing_finish(&l);
                return r;
        }
        *ret = l;
        return 0;
}

void yadisk_listing_finish(struct yadisk_listing *l)
{
        for (size_t i = 0; i < l->items.n; i++)
                free((char *)l->items.items[i].key);
        free(l->items.items);
        *l = (struct yadisk_listing){0};
}

int yadisk_read_operation(const char *body, size_t len, enum yadisk_progress *ret)
{
        _cleanup_(cJSON_Deletep) cJSON *json = yadisk_parse(body, len);
        const char *status = json ? yadisk_string(json, "status") : NULL;

        if (!status)
                return -EBADMSG;
        if (str_eq(status, "success"))
                *ret = YADISK_SUCCEEDED;
        else if (str_eq(status, "failed") || str_eq(status, "failure"))
                *ret = YADISK_FAILED;
        else
                *ret = YADISK_RUNNING;
        return 0;
}

/* It is compared and kept, so it must be what such numbers are. */
static bool yadisk_uid_sane(const char *uid)
{
        size_t len = strlen(uid);

        if (len == 0 || len >= YADISK_UID_MAX)
                return false;
        for (size_t i = 0; i < len; i++)
                if (!isalnum((unsigned char)uid[i]) || (unsigned char)uid[i] >= 0x80)
                        return false;
        return true;
}

int yadisk_read_account(const char *body, size_t len, char ret_uid[YADISK_UID_MAX])
{
        _cleanup_(cJSON_Deletep) cJSON *json = yadisk_parse(body, len);
        const cJSON *user = json ? cJSON_GetObjectItemCaseSensitive(json, "user") : NULL;
        const char *uid = cJSON_IsObject(user) ? yadisk_string(user, "uid") : NULL;

        if (!uid || !yadisk_uid_sane(uid))
                return -EBADMSG;
        str_copy(ret_uid, YADISK_UID_MAX, uid);
        return 0;
}

int yadisk_read_room(const char *body, size_t len, struct yadisk_room *ret)
{
        _cleanup_(cJSON_Deletep) cJSON *json = yadisk_parse(body, len);
        struct yadisk_room r = {0};

        if (!yadisk_number(json, "total_space", &r.total) ||
            !yadisk_number(json, "used_space", &r.used))
                return -EBADMSG;
        if (!yadisk_number(json, "max_file_size", &r.largest))
                r.largest = 0;
        *ret = r;
        return 0;
}

uint64_t yadisk_room_free(const struct yadisk_room *r)
{
        return r->used < r->total ? r->total - r->used : 0;
}
