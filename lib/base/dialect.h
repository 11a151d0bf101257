/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether somebody else would read a line of a `.env` as ydsync does: systemd (EnvironmentFile=) and
 * bash (source).  It need not be so, as ydsync reads its `.env` itself; but who feeds the same file
 * to one of them should hear of it.  Pure, and on the careful side: what is not surely the same is
 * called another.
 */

#include <stdbool.h>
#include <stddef.h>

/* `line`: one of the text, without its LF; it holds a pair whose value ydsync takes for `value`. */
bool dialect_systemd_agrees(const char *line, size_t len, const char *value);
bool dialect_bash_agrees(const char *line, size_t len, const char *value);
