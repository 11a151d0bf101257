/* SPDX-License-Identifier: MIT */

/*
 * Links that a server sends.  libcurl, which would follow them, is the judge of where they lead: a
 * link that was allowed leads over https anywhere, or over http to this machine, and nowhere else.
 * An operation is only ever asked for at the API, by a name that cannot lead away from it.
 */

#include "lib/yadisk/yadisk.h"

#include "tests/fuzz/fuzz.h"

#include <ctype.h>
#include <curl/curl.h>
#include <strings.h>

static bool host_is_here(const char *host)
{
        unsigned part[3];
        int len = 0;

        if (strcasecmp(host, "localhost") == 0 || str_eq(host, "[::1]"))
                return true;
        return sscanf(host, "127.%3u.%3u.%3u%n", &part[0], &part[1], &part[2], &len) == 3 &&
               host[len] == '\0';
}

/* What libcurl makes of it. */
static void check_leads(const char *href, bool http_too)
{
        CURLU *u = curl_url();
        char *scheme = NULL, *host = NULL, *user = NULL;

        must(u);
        if (curl_url_set(u, CURLUPART_URL, href, 0) == CURLUE_OK &&
            curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK) {
                if (strcasecmp(scheme, "https") != 0) {
                        must(http_too && strcasecmp(scheme, "http") == 0);
                        must(curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK);
                        must(host_is_here(host));
                        must(curl_url_get(u, CURLUPART_USER, &user, 0) != CURLUE_OK);
                }
        }
        curl_free(scheme);
        curl_free(host);
        curl_free(user);
        curl_url_cleanup(u);
}

static void check_allowed(const char *href)
{
        static const struct yadisk real = {"https://cloud-api.yandex.net", "disk:/B"};
        static const struct yadisk test = {"http://127.0.0.1:8080", "disk:/B"};

        if (yadisk_link_allowed(&real, href)) {
                must(strncasecmp(href, "https://", 8) == 0);
                must(yadisk_link_allowed(&test, href));
                check_leads(href, false);
        } else if (yadisk_link_allowed(&test, href)) {
                check_leads(href, true);
        }
}

static void check_operation(const char *href)
{
        static const struct yadisk api = {"https://cloud-api.yandex.net", "disk:/B"};
        struct str s = STR_NULL(1024), url = STR_NULL(YADISK_URL_MAX);
        static const char where[] = "/v1/disk/operations/";

        if (yadisk_operation(&s, href)) {
                const char *id = str_z(&s) + strlen(where);

                must(str_starts(str_z(&s), where) && *id && *id != '.');
                for (; *id; id++)
                        must(isalnum((unsigned char)*id) || strchr("-_.", *id));
                yadisk_url_operation(&url, &api, str_z(&s));
                must(!url.failed && str_starts(str_z(&url), api.api_url));
        }
        str_finish(&s);
        str_finish(&url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        char *href = input_string(&in, size);

        check_allowed(href);
        check_operation(href);
        free(href);
        return 0;
}
