/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The rename-extension workaround: which names the service slows down, and the neutral name.
 *
 * Yandex.Disk limits uploads of third-party programs to 128 KiB/s when the *name* that the upload
 * link is asked for has a media type of `compressed`, `data` or `video`; the bytes do not matter.
 * A name without an extension is fast.  So such a file goes up under a wire name and is moved onto
 * its own on the server, which costs one call more.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum disguise_policy {
        DISGUISE_AUTO,   /* slow names, where the file is large enough to gain */
        DISGUISE_ALWAYS, /* every file that is not empty */
        DISGUISE_NEVER,
};

enum disguise_speed {
        DISGUISE_FAST,   /* known not to be slowed down */
        DISGUISE_SLOW,   /* known to be */
        DISGUISE_UNSURE, /* an extension nobody has measured: the service may well take it for data */
};

/* What a slowed-down upload gets, in bytes a second. */
#define DISGUISE_SLOW_RATE 131072

/* The speed class of a file name (the last component, or a whole path). */
enum disguise_speed disguise_speed(const char *name);

/* Whether a file of this name and size should go up under a wire name. */
bool disguise_wanted(enum disguise_policy policy, const char *name, uint64_t size);

/* "ydsync-upload-" and 24 hex digits: no extension, and nothing a person would choose. */
#define DISGUISE_WIRE_LEN 38
void disguise_wire_name(char ret[DISGUISE_WIRE_LEN + 1], const uint8_t random[12]);
bool disguise_is_wire(const char *name);
