/* SPDX-License-Identifier: MIT */
#pragma once

/* What goes on, in one line: `systemctl status` shows it. */

#include "daemon/mirror.h"
#include "lib/base/str.h"

void headline(struct str *ret, const struct mirror_view *v);
