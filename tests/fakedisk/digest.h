/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * md5 and sha256 of something that arrives in pieces.  Of a long body the md5 is computed by a
 * helper thread while the caller computes the sha256 and writes the bytes away.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct digest_helper;
struct digest;

struct digest_helper *digest_helper_create(void);

/* No digest may be in use any more. */
void digest_helper_destroy(struct digest_helper *h);

/* `h` must outlive it.  It belongs to one thread at a time. */
struct digest *digest_create(struct digest_helper *h, bool want_sha256);
void digest_destroy(struct digest *d);

/* The bytes are not needed after the call. */
void digest_add(struct digest *d, const void *bytes, size_t n);

/* `ret_sha256` is left alone when it was not wanted. */
void digest_end(struct digest *d, uint8_t ret_md5[16], uint8_t ret_sha256[32]);
