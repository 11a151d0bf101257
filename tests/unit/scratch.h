/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A folder of one's own for a test, below $TMPDIR or /tmp, and what tests do in it.
 *
 * Whatever fails here ends the program: a test without its folder tells nothing.  Paths are below
 * the folder.  Removing copes with any depth and with folders without permissions.
 */

#include <stdbool.h>
#include <stddef.h>

struct scratch {
        int fd;
        char path[256];
};

void scratch_init(struct scratch *s);
void scratch_finish(struct scratch *s);

void scratch_dir(const struct scratch *s, const char *path);
void scratch_file(const struct scratch *s, const char *path, const char *text);
void scratch_append(const struct scratch *s, const char *path, const char *text);
void scratch_link(const struct scratch *s, const char *target, const char *path);
void scratch_fifo(const struct scratch *s, const char *path);
void scratch_socket(const struct scratch *s, const char *path);
void scratch_rename(const struct scratch *s, const char *from, const char *to);
void scratch_remove(const struct scratch *s, const char *path); /* a file or an empty folder */
void scratch_mode(const struct scratch *s, const char *path, unsigned mode);

/*
 * Folders in each other, `levels` of them, each with a name of `width` bytes and with an empty file
 * "~" beside the next; returns the key of the innermost, to be freed.
 */
char *scratch_deep(const struct scratch *s, unsigned levels, unsigned width);

/* Runs f(arg) in a child.  Its failed checks count for the test that runs. */
void scratch_child(void (*f)(const void *arg), const void *arg);

/* For a child: gives up root; no change for others. */
void scratch_be_nobody(void);

/* For a child: from now on this system call only returns the errno.  False where the system does
 * not allow such filters. */
bool scratch_forbid(int syscall_number, int errnum);

/* How many descriptors are open. */
size_t scratch_count_fds(void);
