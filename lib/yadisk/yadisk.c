/* SPDX-License-Identifier: MIT */

#include "lib/yadisk/yadisk.h"

#include "lib/core/entry.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

void yadisk_path(struct str *ret, const struct yadisk *y, const char *key)
{
        str_clear(ret);
        str_adds(ret, y->root);
        if (*key) {
                str_addc(ret, '/');
                str_adds(ret, key);
        }
        if (ret->failed)
                str_truncate(ret, 0);
}

void yadisk_path_beside(struct str *ret, const struct yadisk *y, const char *key,
                        const char *name)
{
        size_t parent = entry_key_parent(key);

        yadisk_path(ret, y, "");
        str_addc(ret, '/');
        if (parent > 0) {
                str_add(ret, key, parent);
                str_addc(ret, '/');
        }
        str_adds(ret, name);
        if (ret->failed)
                str_truncate(ret, 0);
}

static void yadisk_add_path(struct str *url, const char *value)
{
        url->failed |= *value == '\0';
        str_add_escaped(url, value);
}

static void yadisk_begin(struct str *url, const struct yadisk *y, const char *endpoint,
                         const char *name, const char *path)
{
        str_clear(url);
        str_adds(url, y->api_url);
        str_adds(url, endpoint);
        str_addf(url, "?%s=", name);
        yadisk_add_path(url, path);
}

void yadisk_url_look(struct str *url, const struct yadisk *y, const char *path)
{
        yadisk_begin(url, y, "/v1/disk/resources", "path", path);
        str_adds(url, "&limit=0&fields=type,size,md5");
}

void yadisk_url_disk(struct str *url, const struct yadisk *y)
{
        str_clear(url);
        str_adds(url, y->api_url);
        str_adds(url, "/v1/disk?fields=total_space,used_space,max_file_size");
}

void yadisk_url_list(struct str *url, const struct yadisk *y, const char *path, uint64_t offset)
{
        yadisk_begin(url, y, "/v1/disk/resources", "path", path);
        str_addf(url, "&limit=%d&offset=%llu&sort=name", YADISK_LIST_LIMIT,
                 (unsigned long long)offset);
        str_adds(url, "&fields=type,_embedded.total,_embedded.offset,_embedded.items.name,"
                      "_embedded.items.type,_embedded.items.size,_embedded.items.md5");
}

void yadisk_url_mkdir(struct str *url, const struct yadisk *y, const char *path)
{
        yadisk_begin(url, y, "/v1/disk/resources", "path", path);
}

void yadisk_url_upload(struct str *url, const struct yadisk *y, const char *path, bool overwrite)
{
        yadisk_begin(url, y, "/v1/disk/resources/upload", "path", path);
        str_adds(url, overwrite ? "&overwrite=true" : "&overwrite=false");
}

void yadisk_url_move(struct str *url, const struct yadisk *y, const char *from, const char *path,
                     bool overwrite)
{
        yadisk_begin(url, y, "/v1/disk/resources/move", "from", from);
        str_adds(url, "&path=");
        yadisk_add_path(url, path);
        str_adds(url, overwrite ? "&overwrite=true" : "&overwrite=false");
}

void yadisk_url_delete(struct str *url, const struct yadisk *y, const char *path,
                       const uint8_t *md5, bool permanently)
{
        char hex[33];

        yadisk_begin(url, y, "/v1/disk/resources", "path", path);
        if (md5) {
                str_hex(hex, md5, 16);
                str_addf(url, "&md5=%s", hex);
        }
        str_adds(url, permanently ? "&permanently=true" : "&permanently=false");
}

void yadisk_url_account(struct str *url, const struct yadisk *y)
{
        str_clear(url);
        str_adds(url, y->api_url);
        str_adds(url, "/v1/disk?fields=user.uid");
}

bool yadisk_operation(struct str *ret, const char *href_or_id)
{
        static const char where[] = "/v1/disk/operations";
        const char *path = strstr(href_or_id, "://") ? strstr(href_or_id, where) : NULL;
        const char *id = path ? path + sizeof(where) - 1 : href_or_id;

        if (path && *id != '/' && !str_starts(id, "?id="))
                return false;
        if (path)
                id += *id == '/' ? 1 : 4;
        if (*id == '\0' || *id == '.' || strlen(id) > 512)
                return false;
        for (const char *c = id; *c; c++)
                if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
                        return false;
        str_clear(ret);
        str_addf(ret, "%s/%s", where, id);
        return !ret->failed;
}

void yadisk_url_operation(struct str *url, const struct yadisk *y, const char *operation)
{
        str_clear(url);
        str_adds(url, y->api_url);
        str_adds(url, operation);
}

/* All four numbers: a shorter notation may be a host name. */
static bool yadisk_loopback_v4(const char *host)
{
        unsigned part[3];
        int len = 0;

        return strspn(host, "0123456789.") == strlen(host) &&
               sscanf(host, "127.%3u.%3u.%3u%n", &part[0], &part[1], &part[2], &len) == 3 &&
               host[len] == '\0' && part[0] < 256 && part[1] < 256 && part[2] < 256;
}

/* Whether the URL's host is 127.x.x.x, [::1] or localhost, and a port at most comes after it. */
static bool yadisk_loopback(const char *after_scheme)
{
        char host[64] = "";
        size_t len = strcspn(after_scheme, "/?#");

        if (memchr(after_scheme, '@', len)) /* a user name that looks like a host */
                return false;
        len = *after_scheme == '[' ? strcspn(after_scheme, "]/?#") + 1
                                   : strcspn(after_scheme, ":/?#");
        if (len >= sizeof(host) || strlen(after_scheme) < len ||
            !strchr(":/?#", after_scheme[len]))
                return false;
        memcpy(host, after_scheme, len);
        if (str_eq(host, "[::1]") || strcasecmp(host, "localhost") == 0)
                return true;
        return yadisk_loopback_v4(host);
}

bool yadisk_link_allowed(const struct yadisk *y, const char *href)
{
        for (const char *c = href; *c; c++)
                if ((unsigned char)*c <= 0x20 || *c == 0x7f)
                        return false;
        if (strncasecmp(href, "https://", 8) == 0)
                return href[8] != '\0' && !strchr("/?#:", href[8]);
        return str_starts(y->api_url, "http://") && strncasecmp(href, "http://", 7) == 0 &&
               yadisk_loopback(href + 7);
}
