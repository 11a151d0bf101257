/* SPDX-License-Identifier: MIT */
#pragma once

/* Where a user's own files are: the XDG base directories. */

/* $HOME, else what the user database says; NULL when neither knows.  free() it. */
char *xdg_home(void);

/* "$variable/tail", or "~/below/tail" where the variable holds no absolute path; NULL when the home
 * folder is not known.  free() it. */
char *xdg_path(const char *variable, const char *below, const char *tail);

/* Makes every missing folder above `path` (mode 0700), as the specification asks for; what cannot
 * be made shows when `path` itself is opened. */
void xdg_make_parents(const char *path);
