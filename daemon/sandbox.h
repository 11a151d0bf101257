/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether the sandbox of the unit that we run in lets us see the watched folder.
 *
 * A unit can hide a folder in ways that look as if it were missing, empty or forbidden.  Then nothing
 * is wrong with the folder, waiting does not help, and the person who wrote the unit wants to know
 * which line of it to change.
 */

#include "lib/base/err.h"

#include <stdio.h>

/* 0: seen, or not to be seen for another reason, or not in a unit.  Negative errno: the sentence names
 * the directive that hides it and what to write instead. */
int sandbox_check(const char *folder, struct err *err);

/* What it rests on, for tests: the directive that `mountinfo` (as of /proc/self/mountinfo) suggests
 * for a `folder` that was opened with the errno `e` (0: it was opened), and what to write instead;
 * NULL when there is none. */
struct sandbox_blame {
        const char *directive, *remedy; /* static */
        bool names_folder;              /* the remedy ends with the folder's path */
};
const struct sandbox_blame *sandbox_blame(FILE *mountinfo, const char *folder, int e);
