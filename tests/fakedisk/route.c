/* SPDX-License-Identifier: MIT */

/* The table of everything that can be asked for. */

#include "api.h"
#include "auth.h"
#include "control.h"
#include "download.h"
#include "oauth.h"
#include "route.h"
#include "upload.h"

#define API ORIGIN_API
#define READ ROUTE_AUTH
#define WRITE (ROUTE_AUTH | ROUTE_WRITE)

static const struct route routes[] = {
        /* the Disk */
        {API, "GET", "/v1/disk", EP_DISK, api_disk, NULL, READ},
        {API, "GET", "/v1/disk/", EP_DISK, api_disk, NULL, READ},
        {API, "GET", "/v1/disk/resources", EP_LIST, api_list, NULL, READ},
        {API, "PUT", "/v1/disk/resources", EP_MKDIR, api_mkdir, NULL, WRITE},
        {API, "PATCH", "/v1/disk/resources", EP_PATCH, api_patch, NULL, WRITE},
        {API, "DELETE", "/v1/disk/resources", EP_DELETE, api_delete, NULL, WRITE},
        {API, "POST", "/v1/disk/resources/copy", EP_COPY, api_copy, NULL, WRITE},
        {API, "POST", "/v1/disk/resources/move", EP_MOVE, api_move, NULL, WRITE},
        {API, "GET", "/v1/disk/resources/upload", EP_LINK, api_link, NULL, WRITE},
        {API, "POST", "/v1/disk/resources/upload", EP_URL, api_url, NULL, WRITE},
        {API, "GET", "/v1/disk/resources/download", EP_DOWNLOAD, api_download, NULL, READ},
        {API, "GET", "/v1/disk/resources/files", EP_FILES, api_files, NULL, READ},
        {API, "GET", "/v1/disk/resources/last-uploaded", EP_LAST, api_last, NULL, READ},
        {API, "GET", "/v1/disk/operations", EP_OPERATION, api_operation, NULL, READ},
        {API, "GET", "/v1/disk/operations/*", EP_OPERATION, api_operation, NULL, READ},
        {API, "GET", "/v1/disk/trash/resources", EP_TRASH, api_trash_list, NULL, READ},
        {API, "DELETE", "/v1/disk/trash/resources", EP_TRASH_DELETE, api_trash_delete, NULL,
         WRITE},
        {API, "PUT", "/v1/disk/trash/resources/restore", EP_RESTORE, api_restore, NULL, WRITE},
        {API, "GET", "/", EP_OTHER, api_root, NULL, 0},

        /* OAuth */
        {API, "POST", "/device/code", EP_DEVICE, oauth_device, NULL, 0},
        {API, "POST", "/token", EP_TOKEN, oauth_token, NULL, 0},
        {API, "POST", "/revoke_token", EP_REVOKE, oauth_revoke, NULL, 0},

        /* uploader and downloader */
        {ORIGIN_UPLOADER, "PUT", "/upload-target/*", EP_PUT, NULL, &upload_stream, 0},
        {ORIGIN_UPLOADER, "HEAD", "/upload-target/*", EP_HEAD, upload_head, NULL, 0},
        {ORIGIN_DOWNLOADER, "GET", "/disk/*", EP_GET, download_link, NULL, 0},
        {ORIGIN_DOWNLOADER, "HEAD", "/disk/*", EP_GET, download_link, NULL, 0},
        {ORIGIN_DOWNLOADER, "GET", "/rdisk/*", EP_GET, download_content, NULL, 0},
        {ORIGIN_DOWNLOADER, "HEAD", "/rdisk/*", EP_GET, download_content, NULL, 0},

        /* what tests turn */
        {API, "GET", "/_fake/config", EP_CONTROL, control_config_get, NULL, 0},
        {API, "POST", "/_fake/config", EP_CONTROL, control_config_set, NULL, 0},
        {API, "GET", "/_fake/fault", EP_CONTROL, control_fault_get, NULL, 0},
        {API, "POST", "/_fake/fault", EP_CONTROL, control_fault_add, NULL, 0},
        {API, "DELETE", "/_fake/fault", EP_CONTROL, control_fault_clear, NULL, 0},
        {API, "GET", "/_fake/journal", EP_CONTROL, control_journal, NULL, 0},
        {API, "DELETE", "/_fake/journal", EP_CONTROL, control_journal_clear, NULL, 0},
        {API, "GET", "/_fake/count", EP_CONTROL, control_count, NULL, 0},
        {API, "POST", "/_fake/reset", EP_CONTROL, control_reset, NULL, 0},
        {API, "POST", "/_fake/save", EP_CONTROL, control_save, NULL, 0},
        {API, "POST", "/_fake/restore", EP_CONTROL, control_restore, NULL, 0},
        {API, "GET", "/_fake/tree", EP_CONTROL, control_tree, NULL, 0},
        {API, "GET", "/_fake/tree.txt", EP_CONTROL, control_tree_text, NULL, 0},
        {API, "GET", "/_fake/trash", EP_CONTROL, control_trash, NULL, 0},
        {API, "GET", "/_fake/trash.txt", EP_CONTROL, control_trash_text, NULL, 0},
        {API, "POST", "/_fake/put", EP_CONTROL, NULL, &control_put_stream, 0},
        {API, "POST", "/_fake/mkdir", EP_CONTROL, control_mkdir, NULL, 0},
        {API, "POST", "/_fake/remove", EP_CONTROL, control_remove, NULL, 0},
        {API, "POST", "/_fake/move", EP_CONTROL, control_move, NULL, 0},
        {API, "GET", "/_fake/content", EP_CONTROL, control_content, NULL, 0},
        {API, "POST", "/_fake/token", EP_CONTROL, control_token, NULL, 0},
};

static bool covers(const struct route *r, const char *url, const char **ret_tail)
{
        size_t n = strlen(r->url);

        *ret_tail = NULL;
        if (r->url[n - 1] != '*')
                return strcmp(r->url, url) == 0;
        if (strncmp(r->url, url, n - 1) != 0 || !url[n - 1])
                return false;
        *ret_tail = url + n - 1;
        return true;
}

const struct route *route_find(enum origin origin, const char *method, const char *url,
                               const char **ret_tail)
{
        for (const struct route *r = routes; r < routes + ARRAY_SIZE(routes); r++)
                if (r->origin == origin && strcmp(r->method, method) == 0 &&
                    covers(r, url, ret_tail))
                        return r;
        *ret_tail = NULL;
        return NULL;
}

bool route_known(enum origin origin, const char *url)
{
        const char *tail;

        for (const struct route *r = routes; r < routes + ARRAY_SIZE(routes); r++)
                if (r->origin == origin && covers(r, url, &tail))
                        return true;
        return false;
}

bool route_acceptable(const char *accept)
{
        return !accept || !*accept || strstr(accept, "*/*") || strstr(accept, "application/*") ||
               strstr(accept, "application/json");
}
