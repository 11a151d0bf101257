/* SPDX-License-Identifier: MIT */

#include "lib/yadisk/oauth.h"

#include "lib/base/mem.h"

#include <cjson/cJSON.h>
#include <errno.h>

/* ---- forms ------------------------------------------------------------------------------------ */

static void oauth_add(struct str *form, const char *name, const char *value)
{
        if (!value)
                return;
        if (form->len > 0)
                str_addc(form, '&');
        str_adds(form, name);
        str_addc(form, '=');
        str_add_escaped(form, value);
}

void oauth_form_device(struct str *form, const char *client)
{
        str_clear(form);
        oauth_add(form, "client_id", client);
}

static void oauth_form_token(struct str *form, const char *type, const char *client,
                             const char *secret)
{
        str_clear(form);
        oauth_add(form, "grant_type", type);
        oauth_add(form, "client_id", client);
        oauth_add(form, "client_secret", secret);
}

void oauth_form_poll(struct str *form, const char *client, const char *secret,
                     const char *device_code)
{
        oauth_form_token(form, "device_code", client, secret);
        oauth_add(form, "code", device_code);
}

void oauth_form_renew(struct str *form, const char *client, const char *secret,
                      const char *refresh)
{
        oauth_form_token(form, "refresh_token", client, secret);
        oauth_add(form, "refresh_token", refresh);
}

/* ---- replies ---------------------------------------------------------------------------------- */

void oauth_wipe(char *secret)
{
        if (secret)
                mem_wipe(secret, strlen(secret));
        free(secret);
}

/* cJSON keeps copies of all strings; those of a reply with tokens are secret. */
static void oauth_forget(cJSON *json)
{
        for (cJSON *item = json ? json->child : NULL; item; item = item->next)
                if (cJSON_IsString(item) && item->valuestring)
                        mem_wipe(item->valuestring, strlen(item->valuestring));
        cJSON_Delete(json);
}

static void oauth_forgetp(cJSON **json)
{
        oauth_forget(*json);
}

static cJSON *oauth_parse(const char *body, size_t len)
{
        cJSON *json = len <= OAUTH_REPLY_MAX ? cJSON_ParseWithLength(body, len) : NULL;

        if (cJSON_IsObject(json))
                return json;
        oauth_forget(json);
        return NULL;
}

char *oauth_string(const struct cJSON *json, const char *name, size_t most)
{
        const char *z = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
        size_t n = z ? strlen(z) : 0;

        if (n == 0 || n > most)
                return NULL;
        for (const char *c = z; *c; c++)
                if (*c <= ' ' || *c >= 0x7f)
                        return NULL;
        return str_dup(z);
}

/* A number within its bounds; `fallback` where it is missing or no number. */
static int64_t oauth_number(const cJSON *json, const char *name, int64_t least, int64_t most,
                            int64_t fallback)
{
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
        double v = cJSON_IsNumber(item) ? item->valuedouble : (double)fallback;

        if (!(v >= (double)least))
                return least;
        return v > (double)most ? most : (int64_t)v;
}

/* A link that a person is asked to open. */
static bool oauth_url_fit(const char *url)
{
        static const char *const starts[] = {"https://", "http://127.0.0.1", "http://[::1]",
                                             "http://localhost"};

        for (size_t i = 0; url && i < ARRAY_SIZE(starts); i++)
                if (str_starts(url, starts[i]))
                        return i == 0 || strchr(":/", url[strlen(starts[i])]);
        return false;
}

int oauth_read_device(const char *body, size_t len, struct oauth_device *ret)
{
        _cleanup_(oauth_forgetp) cJSON *json = oauth_parse(body, len);
        struct oauth_device d = {
                .device_code = oauth_string(json, "device_code", OAUTH_TEXT_MAX),
                .user_code = oauth_string(json, "user_code", 64),
                .url = oauth_string(json, "verification_url", 256),
                .expires_s = oauth_number(json, "expires_in", 10, 3600, 300),
                .interval_s = oauth_number(json, "interval", 1, 60, 5),
        };

        if (!d.device_code || !d.user_code || !oauth_url_fit(d.url)) {
                oauth_device_finish(&d);
                return -EPROTO;
        }
        *ret = d;
        return 0;
}

void oauth_device_finish(struct oauth_device *d)
{
        oauth_wipe(d->device_code);
        free(d->user_code);
        free(d->url);
        *d = (struct oauth_device){0};
}

int oauth_read_tokens(const char *body, size_t len, struct oauth_tokens *ret)
{
        _cleanup_(oauth_forgetp) cJSON *json = oauth_parse(body, len);
        struct oauth_tokens t = {
                .access = oauth_string(json, "access_token", OAUTH_TEXT_MAX),
                .refresh = oauth_string(json, "refresh_token", OAUTH_TEXT_MAX),
                .life_s = oauth_number(json, "expires_in", 1, INT64_C(10) * 366 * 86400, 3600),
        };

        if (!t.access || !t.refresh) {
                oauth_tokens_finish(&t);
                return -EPROTO;
        }
        *ret = t;
        return 0;
}

void oauth_tokens_finish(struct oauth_tokens *t)
{
        oauth_wipe(t->access);
        oauth_wipe(t->refresh);
        *t = (struct oauth_tokens){0};
}

enum oauth_error oauth_read_error(const char *body, size_t len, char text[200])
{
        static const struct {
                const char *name;
                enum oauth_error error;
        } known[] = {
                {"authorization_pending", OAUTH_PENDING}, {"slow_down", OAUTH_SLOWER},
                {"access_denied", OAUTH_DECLINED},        {"invalid_grant", OAUTH_OVER},
                {"bad_verification_code", OAUTH_OVER},    {"expired_token", OAUTH_OVER},
                {"invalid_client", OAUTH_CLIENT},         {"unauthorized_client", OAUTH_CLIENT},
                {"invalid_scope", OAUTH_CLIENT},
        };
        _cleanup_(oauth_forgetp) cJSON *json = oauth_parse(body, len);
        const char *error = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "error"));
        const char *said =
                cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "error_description"));
        struct str printable = STR_NULL(199);

        str_add_printable(&printable, said ? said : error ? error : "");
        str_copy(text, 200, str_z(&printable));
        str_finish(&printable);
        for (size_t i = 0; error && i < ARRAY_SIZE(known); i++)
                if (str_eq(error, known[i].name))
                        return known[i].error;
        return OAUTH_STRANGE;
}
