/* SPDX-License-Identifier: MIT */
#pragma once

/* What goes on, as JSON for the control socket and as text for a person. */

#include "daemon/mirror.h"

#include <cjson/cJSON.h>

/* malloced; NULL: no memory. */
char *status_json(const struct mirror_view *v, const char *socket);

/* The same for a person: lines, each ending with a newline. */
void status_text(struct str *ret, const cJSON *status);
