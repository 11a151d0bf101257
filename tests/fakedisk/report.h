/* SPDX-License-Identifier: MIT */
#pragma once

/* What is on the Disk, for tests to compare with what should be. */

#include "disk.h"

/*
 * One line per entry below `p` in tree order: "d PATH" or "f SIZE MD5 PATH", relative to it, with
 * backslashes and control characters escaped.  SVC_NOT_FOUND when it is missing.
 */
enum svc_error report_text(struct disk *d, const struct path *p, struct buf *ret);

/* The same of the trash, with the paths that things had, in the order of those. */
enum svc_error report_trash_text(struct disk *d, const struct path *p, struct buf *ret);

/* A JSON array of objects. */
enum svc_error report_json(struct disk *d, const struct path *p, struct buf *ret);
