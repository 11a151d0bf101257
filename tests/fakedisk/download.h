/* SPDX-License-Identifier: MIT */
#pragma once

/* The downloader's origin. */

#include "request.h"

/* Adds the link that serves the content of a resource under this name. */
void download_href(const struct request *rq, const struct resource *r, const char *name,
                   size_t n, struct buf *ret);

/* What such a link points to: a redirect to where the bytes are. */
void download_link(struct request *rq);

/* The bytes, or a range of them. */
void download_content(struct request *rq);
