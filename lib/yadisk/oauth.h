/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Yandex OAuth, as far as a program without a browser needs it: a code that a person enters
 * elsewhere, the tokens that come of it, and new ones for old ones.
 *
 * Pure: forms out, replies in; nothing is sent here.  Every reply is hostile until it was read.
 * Strings that are secret are wiped by the finish functions; a form is the caller's to wipe.
 */

#include "lib/base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define OAUTH_TEXT_MAX 4096     /* of a token or a code */
#define OAUTH_FORM_MAX (64 * 1024)
#define OAUTH_REPLY_MAX (64 * 1024)

/* Bodies of POST, application/x-www-form-urlencoded; `secret` may be NULL. */
void oauth_form_device(struct str *form, const char *client);                  /* /device/code */
void oauth_form_poll(struct str *form, const char *client, const char *secret, /* /token */
                     const char *device_code);
void oauth_form_renew(struct str *form, const char *client, const char *secret, /* /token */
                      const char *refresh);

struct oauth_device {
        char *device_code;   /* secret */
        char *user_code;     /* printable, at most 64 bytes */
        char *url;           /* https, or http to this machine; printable, at most 256 bytes */
        int64_t expires_s;   /* 10 to 3600 */
        int64_t interval_s;  /* 1 to 60 */
};
int oauth_read_device(const char *body, size_t len, struct oauth_device *ret); /* or -EPROTO, -ENOMEM */
void oauth_device_finish(struct oauth_device *d);

struct oauth_tokens {
        char *access, *refresh; /* secret; no character that a header could not carry */
        int64_t life_s;         /* of the access token, at least 1 */
};
int oauth_read_tokens(const char *body, size_t len, struct oauth_tokens *ret); /* likewise */
void oauth_tokens_finish(struct oauth_tokens *t);

enum oauth_error {
        OAUTH_PENDING,  /* the person has not yet entered the code */
        OAUTH_SLOWER,   /* likewise, and ask more rarely */
        OAUTH_DECLINED, /* the person said no */
        OAUTH_OVER,     /* the code or the refresh token is not good any more */
        OAUTH_CLIENT,   /* the program itself (its id, secret or rights) is refused */
        OAUTH_STRANGE,  /* anything else */
};
/* What an answer other than 200 says; `text`: the service's own words, printable, may be "". */
enum oauth_error oauth_read_error(const char *body, size_t len, char text[200]);

/* A copy of a member of `json` that is a string of visible ASCII, as what goes into a header or a form
 * must be, and at most `most` bytes long; else NULL. */
struct cJSON;
char *oauth_string(const struct cJSON *json, const char *name, size_t most);

/* Frees a string after wiping it. */
void oauth_wipe(char *secret);

static inline void oauth_wipep(char **secret)
{
        oauth_wipe(*secret);
}
