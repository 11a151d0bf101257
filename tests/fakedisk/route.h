/* SPDX-License-Identifier: MIT */
#pragma once

/* Which request goes to which handler. */

#include "request.h"

/* NULL when there is none; `ret_tail` is the part of `url` that stood for the '*', or NULL. */
const struct route *route_find(enum origin origin, const char *method, const char *url,
                               const char **ret_tail);

/* Does this path exist with any method? */
bool route_known(enum origin origin, const char *url);

/* Can the service's JSON satisfy this Accept header (NULL = there was none)? */
bool route_acceptable(const char *accept);
