/* SPDX-License-Identifier: MIT */
#pragma once

/* Which tokens are good. */

#include "request.h"

struct auth;

#define AUTH_TOKEN_SIZE 160

/* What a successful grant gives. */
struct grant {
        char access[AUTH_TOKEN_SIZE];
        char refresh[AUTH_TOKEN_SIZE];
};

enum device_state {
        DEVICE_PENDING,         /* the person has not confirmed yet */
        DEVICE_GRANTED,         /* confirmed: the code is used up now */
        DEVICE_EXPIRED,         /* too late, or denied, or used already */
        DEVICE_UNKNOWN,         /* no such code */
};

/* `tokens` are good for ever; it ends with NULL.  The refresh token AUTH_FIRST_REFRESH works. */
#define AUTH_FIRST_REFRESH "fake-refresh"
struct auth *auth_create(const char *const *tokens);
void auth_destroy(struct auth *a);

/* Only the tokens of the start are good again. */
void auth_reset(struct auth *a);

/* Does the request carry "Authorization: OAuth <a good token>"? */
bool auth_accepts(const struct request *rq);

/* Makes a token good for `life_s` seconds, 0 = for ever. */
void auth_add(struct auth *a, const char *token, int64_t life_s);

/* No longer good; an unknown one is fine. */
void auth_revoke(struct auth *a, const char *token);

/* A new pair of tokens. */
void auth_grant(struct auth *a, int64_t life_s, struct grant *ret);

/* Trades a refresh token, which dies; false when it is dead or unknown. */
bool auth_refresh(struct auth *a, const char *refresh, int64_t life_s, bool same_access,
                  struct grant *ret);

/* A new device code that says DEVICE_PENDING `polls` times. */
void auth_device_begin(struct auth *a, int64_t polls, int64_t life_s, char ret_code[33],
                       char ret_user_code[9]);
enum device_state auth_device_poll(struct auth *a, const char *code, int result);

/* Takes a code of the authorization-code flow: false when it was used before. */
bool auth_use_code(struct auth *a, const char *code);
