/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which entries are left out: patterns in gitignore syntax.
 *
 * The patterns of YDSYNC_EXCLUDE stand at the watched folder; a `.ydignore` file in a folder adds
 * patterns for what is below that folder and wins over those further up.  Within one source the
 * last pattern that matches decides; `!` takes back; a pattern with a slash at its beginning or in
 * its middle is anchored to its folder, others match the name at any depth; a slash at the end
 * matches folders only; `*` and `?` stop at slashes, `[a-z]` and `[!a-z]` are classes, `**`
 * crosses folders, a backslash takes the next character literally.  Bytes, case-sensitive.
 * As in git, what lies below an excluded folder cannot be taken back (the walk does not enter it).
 */

#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct match;

/* `patterns`: comma-separated (`\,` is a comma), "" for none.  -EINVAL names the wrong pattern. */
int match_create(struct match **ret, const char *patterns, struct err *err);
void match_destroy(struct match *m);
DEFINE_CLEANUP(struct match *, match_destroy)

/* The text of a .ydignore in the folder `dir` (a key).  Its lines hold until match_leave(dir).
 * Folders are entered and left like a stack.  A line that cannot be a pattern is passed over.
 * -E2BIG: more than 1 MiB of text; nothing was entered. */
int match_enter(struct match *m, const char *dir, const char *text, size_t len);
void match_leave(struct match *m, const char *dir);

/* Judges this key alone; what lies below an excluded folder is out because nobody asks for it. */
struct match_why {
        const char *pattern; /* as it was written; NULL: none has a say */
        const char *dir;     /* of the .ydignore that it stands in, … */
        unsigned line;       /* … from 1; 0: it is of match_create() */
};

/* The same, and the pattern that decides; good until match_leave(). */
bool match_explain(const struct match *m, const char *key, bool is_dir, struct match_why *ret);

bool match_excludes(const struct match *m, const char *key, bool is_dir);
