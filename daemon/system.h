/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The configurations below /etc/ydsync belong to the system's services.  Whoever names one in a
 * command is to meet the state of that service, and to leave it as the service would.
 */

#include "lib/base/err.h"

/* The state folder that goes with an `.env`: "/etc/ydsync/.env" has "/var/lib/ydsync", and
 * "/etc/ydsync/PROFILE/.env" has "/var/lib/ydsync/PROFILE".  NULL for any other, for NULL, and when
 * there is no memory.  free() it. */
char *system_state_dir(const char *env_file);

/*
 * Root becomes whom the state folder belongs to (made for the user `ydsync` if it is missing), with
 * the one right that the service has, to read every folder.  Does nothing for others, for a state
 * folder of root, and where there is no such user.
 *
 * -errno: what root could not do, with a sentence.
 */
int system_become(const char *state_dir, struct err *err);
