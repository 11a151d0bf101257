/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Telling one token from another without keeping it: what is mirrored is bound to an account, and
 * another token may be of another one.
 */

#include <stdbool.h>

#define ACCOUNT_FINGERPRINT_LEN 64

/* SHA-256 of the token, in hex; false when there is no SHA-256. */
bool account_fingerprint(const char *token, char ret[ACCOUNT_FINGERPRINT_LEN + 1]);
