/* SPDX-License-Identifier: MIT */
#pragma once

/* One request to the service, to see whether it answers, takes the token, and has room. */

#include "daemon/config.h"
#include "lib/base/err.h"
#include "lib/yadisk/verdict.h"
#include "lib/yadisk/yadisk_json.h"

enum probe_end {
        PROBE_WORKS,       /* `room` is known */
        PROBE_UNKNOWN,     /* it works, and does not say how much room there is */
        PROBE_REFUSED,     /* the token */
        PROBE_UNREACHABLE, /* nobody answers, or not as the service does: `text` */
};

struct probe {
        enum probe_end end;
        struct yadisk_room room;
        char text[512];
};

/* Blocks, for half a minute or so at most where nobody answers.  Negative errno: it could not even
 * be tried. */
int probe_service(const struct config *config, struct probe *ret, struct err *err);
