/* SPDX-License-Identifier: MIT */

/* The names of endpoint.h as data. */

#include <string.h>

#include "endpoint.h"

static const char *const names[] = {
#define E(code, name, group) [EP_##code] = name,
        ENDPOINTS(E)
#undef E
};

static const char *const groups[] = {
#define E(code, name, group) [EP_##code] = group,
        ENDPOINTS(E)
#undef E
};

const char *endpoint_name(enum endpoint ep)
{
        return ep < EP_COUNT_ ? names[ep] : "control";
}

bool endpoint_in_group(enum endpoint ep, const char *name)
{
        return ep < EP_COUNT_ && (strcmp(names[ep], name) == 0 || strcmp(groups[ep], name) == 0);
}

bool endpoint_is_oauth(enum endpoint ep)
{
        return ep == EP_DEVICE || ep == EP_TOKEN || ep == EP_REVOKE;
}
