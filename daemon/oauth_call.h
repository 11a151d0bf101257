/* SPDX-License-Identifier: MIT */
#pragma once

/* Asking the OAuth service: one blocking POST. */

#include "lib/base/err.h"
#include "lib/base/str.h"

#include <stdatomic.h>

/*
 * Sends `form` to `base``path`.  0 and *ret_status with its answer in `reply` (secret: the caller
 * wipes it), -ECANCELED some seconds after *stop became true (NULL: never), or -EIO with a sentence: nothing
 * came, or more than a reply can have.
 */
int oauth_post(const char *base, const char *path, const struct str *form, const atomic_bool *stop,
               struct str *reply, long *ret_status, struct err *err);

/* Wipes the content of a string that held a secret, then frees it. */
void oauth_wipe_str(struct str *s);
