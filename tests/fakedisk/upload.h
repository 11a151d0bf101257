/* SPDX-License-Identifier: MIT */
#pragma once

/* The uploader's origin. */

#include "request.h"

extern const struct stream upload_stream;       /* PUT */

/* How much of a resumable upload is there. */
void upload_head(struct request *rq);
