/* SPDX-License-Identifier: MIT */
#pragma once

/* Exit statuses, as sysexits names them; documented in the README. */

enum exit_status {
        EXIT_OK = 0,           /* done, everything mirrored */
        EXIT_DIFFERENT = 1,    /* plan, verify: there is a difference */
        EXIT_NOT_RUNNING = 3,  /* there is no daemon to ask */
        EXIT_USAGE_ERROR = 64,
        EXIT_NO_FOLDER = 66,   /* the watched folder is missing, or not the one we know */
        EXIT_UNAVAILABLE = 69, /* the service cannot be reached */
        EXIT_NO_STATE = 73,    /* the state cannot be created or opened */
        EXIT_IO_ERROR = 74,
        EXIT_TRY_AGAIN = 75,   /* some work left: failed files, a held plan */
        EXIT_NO_PERMISSION = 77, /* token refused, permission denied */
        EXIT_BAD_CONFIG = 78,
};
