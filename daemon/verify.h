/* SPDX-License-Identifier: MIT */
#pragma once

/* What a comparison with the cloud has found, as JSON for the control socket and as text. */

#include "daemon/cycle.h"

#include <cjson/cJSON.h>

/* malloced; NULL: no memory. */
char *verify_json(const struct cycle_compare *c);

/* For a person: lines, each ending with a newline. */
void verify_text(struct str *ret, const cJSON *o);
