/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The REST API of Yandex.Disk: one function per endpoint, arguments -> URL.
 *
 * Pure: nothing is sent here.  Paths are sent with their scheme ("disk:/…", so that a ':' in a name
 * cannot be taken for one) and with everything but unreserved characters percent-encoded ('+' in a
 * query would arrive as a space).
 */

#include "lib/base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct yadisk {
        const char *api_url; /* "https://cloud-api.yandex.net", no slash at its end */
        const char *root;    /* the cloud folder: "disk:/Backup/Docs", no slash at its end */
};

#define YADISK_URL_MAX (512 * 1024)
#define YADISK_LIST_LIMIT 1000 /* items a page; see yadisk_listing.limit for what came */

/* The cloud path of a key: root, '/', key; the root itself for "".  When it does not fit, `ret` has
 * failed and is empty: a path cut short would name another thing. */
void yadisk_path(struct str *ret, const struct yadisk *y, const char *key);

/* The cloud path of `name` in the folder that `key` is in; likewise. */
void yadisk_path_beside(struct str *ret, const struct yadisk *y, const char *key,
                        const char *name);

/* Each replaces the content of `url`, which has failed when a path is "". */
void yadisk_url_look(struct str *url, const struct yadisk *y, const char *path);   /* GET */
void yadisk_url_disk(struct str *url, const struct yadisk *y);                      /* GET */
void yadisk_url_list(struct str *url, const struct yadisk *y, const char *path,
                     uint64_t offset);                                             /* GET */
void yadisk_url_mkdir(struct str *url, const struct yadisk *y, const char *path);  /* PUT */
void yadisk_url_upload(struct str *url, const struct yadisk *y, const char *path,
                       bool overwrite);                                            /* GET */
void yadisk_url_move(struct str *url, const struct yadisk *y, const char *from, const char *path,
                     bool overwrite);                                              /* POST */
/* `md5`: 16 bytes, only a file with that content is removed; NULL: no condition. */
void yadisk_url_delete(struct str *url, const struct yadisk *y, const char *path,
                       const uint8_t *md5, bool permanently);                      /* DELETE */
void yadisk_url_account(struct str *url, const struct yadisk *y); /* GET: whose Disk it is */

/* The part of an operation's link or id that is ours to ask for: "/v1/disk/operations/…".
 * False when it is no such link (or does not fit into `ret`); the host in it is never used, so the token goes nowhere else. */
bool yadisk_operation(struct str *ret, const char *href_or_id);
void yadisk_url_operation(struct str *url, const struct yadisk *y, const char *operation); /* GET */

/* Whether bytes may be sent to this upload link: https, or http to a loopback address when the API
 * itself is spoken to that way. */
bool yadisk_link_allowed(const struct yadisk *y, const char *href);
