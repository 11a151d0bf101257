/* SPDX-License-Identifier: MIT */

/* /v1/disk and /v1/disk/resources: looking at resources, making, marking and deleting them. */

#include "api.h"
#include "change.h"
#include "reply.h"
#include "server.h"

#define ANY_NUMBER INT32_MAX

void api_root(struct request *rq)
{
        buf_str(reply_json(rq, 200), "{\"build\":\"2.180.3\",\"api_version\":\"v1\"}");
}

bool api_page(struct request *rq, struct page *ret)
{
        const char *sort = request_param(rq, "sort");

        *ret = (struct page){.limit = 20, .dirs_first = rq->cfg.list_dirs_first};
        if (!request_number(rq, "limit", ANY_NUMBER, &ret->limit) ||
            !request_number(rq, "offset", ANY_NUMBER, &ret->offset))
                return false;
        if (sort && *sort && !listing_parse_sort(sort, ret)) {
                reply_bad_field(rq, "sort", "Unknown field.");
                return false;
        }
        if (rq->cfg.list_clamp > 0 && ret->limit > rq->cfg.list_clamp)
                ret->limit = rq->cfg.list_clamp;
        return true;
}

bool api_disk_path(struct request *rq, const char *name, struct path *ret)
{
        if (!request_path(rq, name, AREA_DISK, ret))
                return false;
        if (ret->app && !rq->cfg.readonly)
                change_make_app(&rq->server->disk);
        return true;
}

static void system_folders(struct object *o)
{
        static const char *const folder[][2] = {
                {"odnoklassniki", "disk:/Социальные сети/Одноклассники"},
                {"google", "disk:/Социальные сети/Google+"},
                {"instagram", "disk:/Социальные сети/Instagram"},
                {"vkontakte", "disk:/Социальные сети/ВКонтакте"},
                {"attach", "disk:/Почтовые вложения"},
                {"mailru", "disk:/Социальные сети/Мой Мир"},
                {"downloads", "disk:/Загрузки/"},
                {"applications", "disk:/Приложения"},
                {"facebook", "disk:/Социальные сети/Facebook"},
                {"social", "disk:/Социальные сети/"},
                {"messenger", "disk:/Файлы Мессенджера"},
                {"calendar", "disk:/Материалы встреч"},
                {"scans", "disk:/Сканы"},
                {"screenshots", "disk:/Скриншоты/"},
                {"photostream", "disk:/Фотокамера/"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(folder); i++)
                object_str(o, folder[i][0], folder[i][1]);
}

void api_disk(struct request *rq)
{
        struct buf *b = reply_json(rq, 200);
        const struct fields *sub;
        struct object o, inner;
        struct disk_info i;

        disk_get_info(&rq->server->disk, &i);
        object_begin(&o, b, rq->fields, rq->cfg.shuffle);
        object_int(&o, "max_file_size", i.max_file_size);
        object_int(&o, "paid_max_file_size", INT64_C(53687091200));
        object_int(&o, "total_space", i.total);
        object_int(&o, "used_space", i.used);
        object_int(&o, "trash_size", i.trash);
        object_bool(&o, "is_paid", false);
        object_bool(&o, "unlimited_autoupload_enabled", false);
        object_bool(&o, "is_idm_managed_folder_address_access", false);
        object_bool(&o, "is_idm_managed_public_access", false);
        object_time(&o, "reg_time", i.reg_time);
        object_int(&o, "revision", (int64_t)i.revision);
        if (object_key(&o, "system_folders", &sub)) {
                object_begin(&inner, b, sub, rq->cfg.shuffle);
                system_folders(&inner);
                object_end(&inner);
        }
        if (object_key(&o, "user", &sub)) {
                object_begin(&inner, b, sub, rq->cfg.shuffle);
                object_time(&inner, "reg_time", i.reg_time);
                object_str(&inner, "display_name", "Фальшивый диск");
                object_str(&inner, "uid", rq->cfg.uid);
                object_str(&inner, "country", "ru");
                object_bool(&inner, "is_child", false);
                object_str(&inner, "login", "fakedisk");
                object_end(&inner);
        }
        if (rq->cfg.extra_keys && !rq->fields)
                object_int(&o, "photounlim_size", 0);
        object_end(&o);
}

void api_list(struct request *rq)
{
        _cleanup_(path_finish) struct path p = {};
        _cleanup_(snapshot_finish) struct snapshot l = {};
        struct page page;
        enum svc_error e;

        if (!api_disk_path(rq, "path", &p) || !api_page(rq, &page))
                return;
        e = disk_stat(&rq->server->disk, &p, &page, &l);
        if (e != SVC_OK)
                reply_path_error(rq, e, &p);
        else
                reply_stat(rq, &l, &page);
}

void api_mkdir(struct request *rq)
{
        _cleanup_(path_finish) struct path p = {};
        enum svc_error e;

        if (!api_disk_path(rq, "path", &p))
                return;
        e = change_mkdir(&rq->server->disk, &p);
        if (e != SVC_OK)
                reply_path_error(rq, e, &p);
        else
                reply_resource_link(rq, 201, &p);
}

static bool is_json(const struct request *rq)
{
        const char *type = request_header(rq, "Content-Type");

        return type && strncasecmp(type, "application/json", 16) == 0;
}

/* The object of custom properties in the body; NULL when there is none or it nests. */
static const cJSON *find_props(const cJSON *body)
{
        const cJSON *props = cJSON_GetObjectItemCaseSensitive(body, "custom_properties"), *v;

        if (!cJSON_IsObject(props))
                return NULL;
        cJSON_ArrayForEach(v, props)
                if (cJSON_IsObject(v) || cJSON_IsArray(v))
                        return NULL;
        return props;
}

static void delete_json(cJSON **o)
{
        cJSON_Delete(*o);
}

/* Only in the answer to the PATCH that took the last property away the key is there with null. */
static void add_null_props(struct request *rq)
{
        struct buf *b = &rq->reply.body;
        struct object o = {.b = b, .fields = rq->fields};

        b->len--;
        o.n = b->s[b->len - 1] != '{';
        if (object_key(&o, "custom_properties", NULL))
                buf_str(b, "null");
        buf_char(b, '}');
}

void api_patch(struct request *rq)
{
        _cleanup_(path_finish) struct path p = {};
        _cleanup_(snapshot_finish) struct snapshot l = {};
        _cleanup_(delete_json) cJSON *body = NULL;
        const cJSON *props;
        enum svc_error e;

        if (!api_disk_path(rq, "path", &p))
                return;
        if (!is_json(rq)) {
                reply_error(rq, SVC_MEDIA_TYPE, NULL);
                return;
        }
        body = cJSON_ParseWithLength(rq->in.s ? rq->in.s : "", rq->in.len);
        props = find_props(body);
        if (!props) {
                reply_bad_field(rq, "custom_properties", "Not a flat object.");
                return;
        }
        e = change_patch(&rq->server->disk, &p, props, &l);
        if (e == SVC_BAD_FIELD) {
                reply_bad_field(rq, "custom_properties", "Longer than 1024 characters.");
                return;
        }
        if (e != SVC_OK) {
                reply_path_error(rq, e, &p);
                return;
        }
        reply_stat(rq, &l, NULL);
        if (l.v[0].props_len == 0)
                add_null_props(rq);
}

void api_delete(struct request *rq)
{
        _cleanup_(path_finish) struct path p = {};
        bool permanently = false, force_async = false;
        char op[65];
        enum svc_error e;

        if (!api_disk_path(rq, "path", &p) || !request_bool(rq, "permanently", &permanently) ||
            !request_bool(rq, "force_async", &force_async))
                return;
        e = change_remove(&rq->server->disk, &p, permanently, request_param(rq, "md5"),
                          force_async, op);
        if (e != SVC_OK)
                reply_path_error(rq, e, &p);
        else if (op[0])
                reply_operation_link(rq, op);
        else
                reply_no_content(rq);
}

static void flat(struct request *rq, const struct snapshot *l, const struct page *page,
                 bool with_offset)
{
        const struct fields *sub;
        struct object o;

        object_begin(&o, reply_json(rq, 200), rq->fields, rq->cfg.shuffle);
        if (object_key(&o, "items", &sub))
                reply_items(rq, l, 0, sub, &rq->reply.body);
        object_int(&o, "limit", page->limit);
        if (with_offset)
                object_int(&o, "offset", page->offset);
        object_end(&o);
}

void api_files(struct request *rq)
{
        _cleanup_(snapshot_finish) struct snapshot l = {};
        struct page page;

        if (!api_page(rq, &page))
                return;
        disk_files(&rq->server->disk, &page, request_param(rq, "media_type"), &l);
        flat(rq, &l, &page, true);
}

void api_last(struct request *rq)
{
        _cleanup_(snapshot_finish) struct snapshot l = {};
        struct page page;

        if (!api_page(rq, &page))
                return;
        disk_last_uploaded(&rq->server->disk, page.limit, request_param(rq, "media_type"), &l);
        flat(rq, &l, &page, false);
}
