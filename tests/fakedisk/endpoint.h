/* SPDX-License-Identifier: MIT */
#pragma once

/* What a request is for: the names used by the journal, the counters and the fault rules. */

#include <stdbool.h>

/* E(code, name, the name that also selects it in a fault rule) */
#define ENDPOINTS(E)                            \
        E(DISK, "disk", "disk")                 \
        E(LIST, "list", "list")                 \
        E(MKDIR, "mkdir", "mkdir")              \
        E(PATCH, "patch", "patch")              \
        E(DELETE, "delete", "delete")           \
        E(COPY, "copy", "copy")                 \
        E(MOVE, "move", "move")                 \
        E(LINK, "link", "link")                 \
        E(URL, "url", "url")                    \
        E(DOWNLOAD, "download", "download")     \
        E(FILES, "files", "files")              \
        E(LAST, "last", "last")                 \
        E(OPERATION, "operation", "operation")  \
        E(TRASH, "trash", "trash")              \
        E(TRASH_DELETE, "trash-delete", "trash") \
        E(RESTORE, "restore", "trash")          \
        E(DEVICE, "device", "device")           \
        E(TOKEN, "token", "token")              \
        E(REVOKE, "revoke", "token")            \
        E(PUT, "put", "put")                    \
        E(HEAD, "head", "head")                 \
        E(GET, "get", "get")                    \
        E(OTHER, "other", "other")

enum endpoint {
#define E(code, name, group) EP_##code,
        ENDPOINTS(E)
#undef E
        EP_COUNT_,      /* how many there are */
        EP_CONTROL,     /* /_fake: neither counted nor journalled nor disturbed */
};

/* Where a request came in. */
enum origin {
        ORIGIN_API,
        ORIGIN_UPLOADER,
        ORIGIN_DOWNLOADER,
        ORIGIN_COUNT_,  /* how many there are */
};

const char *endpoint_name(enum endpoint ep);

/* Does a fault rule for `name` mean this endpoint? */
bool endpoint_in_group(enum endpoint ep, const char *name);

/* Is it one of OAuth, which shares the API's port? */
bool endpoint_is_oauth(enum endpoint ep);
