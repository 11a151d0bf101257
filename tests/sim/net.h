/* SPDX-License-Identifier: MIT */
#pragma once

/* http.h: requests on their way to the service and back. */

/* Once a world, when the program is gone. */
void net_finish(void);
