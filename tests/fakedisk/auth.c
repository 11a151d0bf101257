/* SPDX-License-Identifier: MIT */

/* Tokens and codes, in plain lists: there are a handful of them. */

#include <pthread.h>
#include <stdio.h>
#include <strings.h>

#include "auth.h"
#include "server.h"

struct token {
        struct token *next;
        char access[AUTH_TOKEN_SIZE];
        char refresh[AUTH_TOKEN_SIZE];  /* "" = none, or used */
        int64_t expires_us;             /* monotonic, 0 = never */
        bool revoked;
        bool initial;                   /* known from the start */
};

struct code {
        struct code *next;
        char text[64];
        int64_t polls_left, expires_us;
        bool used;
};

struct auth {
        pthread_mutex_t lock;
        struct token *tokens;
        struct code *codes;
        struct rng rng;
};

static struct token *add(struct auth *a, const char *access, const char *refresh)
{
        struct token *t = xcalloc(1, sizeof *t);

        snprintf(t->access, sizeof t->access, "%s", access);
        snprintf(t->refresh, sizeof t->refresh, "%s", refresh);
        t->next = a->tokens;
        a->tokens = t;
        return t;
}

struct auth *auth_create(const char *const *tokens)
{
        struct auth *a = xcalloc(1, sizeof *a);

        pthread_mutex_init(&a->lock, NULL);
        a->rng.state = (uint64_t)now_real_us();
        for (; *tokens; tokens++)
                add(a, *tokens, AUTH_FIRST_REFRESH)->initial = true;
        return a;
}

static void forget_codes(struct auth *a)
{
        while (a->codes) {
                struct code *c = a->codes;

                a->codes = c->next;
                free(c);
        }
}

void auth_reset(struct auth *a)
{
        struct token **at = &a->tokens, *t;

        pthread_mutex_lock(&a->lock);
        while ((t = *at)) {
                if (t->initial) {
                        t->revoked = false;
                        snprintf(t->refresh, sizeof t->refresh, "%s", AUTH_FIRST_REFRESH);
                        at = &t->next;
                } else {
                        *at = t->next;
                        free(t);
                }
        }
        forget_codes(a);
        pthread_mutex_unlock(&a->lock);
}

void auth_destroy(struct auth *a)
{
        if (!a)
                return;
        while (a->tokens) {
                struct token *t = a->tokens;

                a->tokens = t->next;
                free(t);
        }
        forget_codes(a);
        pthread_mutex_destroy(&a->lock);
        free(a);
}

static bool is_good(const struct token *t, const char *access)
{
        return !t->revoked && strcmp(t->access, access) == 0 &&
               (t->expires_us == 0 || t->expires_us > now_mono_us());
}

bool auth_accepts(const struct request *rq)
{
        const char *h = request_header(rq, "Authorization");
        struct auth *a = rq->server->auth;
        bool ok = false;

        if (!h || strncmp(h, "OAuth ", 6) != 0)
                return false;
        pthread_mutex_lock(&a->lock);
        for (const struct token *t = a->tokens; t && !ok; t = t->next)
                ok = is_good(t, h + 6);
        pthread_mutex_unlock(&a->lock);
        return ok;
}

static int64_t deadline(int64_t life_s)
{
        return life_s > 0 ? now_mono_us() + life_s * 1000000 : 0;
}

void auth_add(struct auth *a, const char *token, int64_t life_s)
{
        pthread_mutex_lock(&a->lock);
        add(a, token, "")->expires_us = deadline(life_s);
        pthread_mutex_unlock(&a->lock);
}

void auth_revoke(struct auth *a, const char *token)
{
        pthread_mutex_lock(&a->lock);
        for (struct token *t = a->tokens; t; t = t->next)
                if (strcmp(t->access, token) == 0)
                        t->revoked = true;
        pthread_mutex_unlock(&a->lock);
}

static void add_random(struct auth *a, char **at, size_t n)
{
        static const char digit[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

        while (n-- > 0)
                *(*at)++ = digit[rng_below(&a->rng, 64)];
        **at = '\0';
}

/* Of the shapes that were seen: y0_ and 58 more, and 1:16:82:22. */
static void invent(struct auth *a, struct grant *ret)
{
        char *at = ret->access;

        memcpy(at, "y0_", 3);
        at += 3;
        add_random(a, &at, 58);
        at = ret->refresh;
        memcpy(at, "1:", 2);
        at += 2;
        add_random(a, &at, 16);
        *at++ = ':';
        add_random(a, &at, 82);
        *at++ = ':';
        add_random(a, &at, 22);
}

void auth_grant(struct auth *a, int64_t life_s, struct grant *ret)
{
        pthread_mutex_lock(&a->lock);
        invent(a, ret);
        add(a, ret->access, ret->refresh)->expires_us = deadline(life_s);
        pthread_mutex_unlock(&a->lock);
}

bool auth_refresh(struct auth *a, const char *refresh, int64_t life_s, bool same_access,
                  struct grant *ret)
{
        struct token *t;

        pthread_mutex_lock(&a->lock);
        for (t = a->tokens; t; t = t->next)
                if (t->refresh[0] && !t->revoked && strcmp(t->refresh, refresh) == 0)
                        break;
        if (t) {
                invent(a, ret);
                t->refresh[0] = '\0';
                if (same_access) {
                        memcpy(ret->access, t->access, sizeof ret->access);
                        memcpy(t->refresh, ret->refresh, sizeof t->refresh);
                        t->expires_us = deadline(life_s);
                } else {
                        add(a, ret->access, ret->refresh)->expires_us = deadline(life_s);
                }
        }
        pthread_mutex_unlock(&a->lock);
        return t != NULL;
}

static struct code *add_code(struct auth *a, const char *text)
{
        struct code *c = xcalloc(1, sizeof *c);

        snprintf(c->text, sizeof c->text, "%s", text);
        c->next = a->codes;
        a->codes = c;
        return c;
}

static struct code *find_code(struct auth *a, const char *text)
{
        struct code *c = a->codes;

        while (c && strcmp(c->text, text) != 0)
                c = c->next;
        return c;
}

void auth_device_begin(struct auth *a, int64_t polls, int64_t life_s, char ret_code[33],
                       char ret_user_code[9])
{
        static const char digit[] = "abcdefghijkmnpqrstuvwxyz23456789";
        char hex[65];
        struct code *c;

        pthread_mutex_lock(&a->lock);
        hex_name(hex, rng_next(&a->rng), rng_next(&a->rng));
        memcpy(ret_code, hex, 32);
        ret_code[32] = '\0';
        for (size_t i = 0; i < 8; i++)
                ret_user_code[i] = digit[rng_below(&a->rng, 32)];
        ret_user_code[8] = '\0';
        c = add_code(a, ret_code);
        c->polls_left = polls;
        c->expires_us = deadline(life_s);
        pthread_mutex_unlock(&a->lock);
}

enum device_state auth_device_poll(struct auth *a, const char *code, int result)
{
        enum device_state s = DEVICE_UNKNOWN;
        struct code *c;

        pthread_mutex_lock(&a->lock);
        c = find_code(a, code);
        if (c && (c->used || c->expires_us < now_mono_us())) {
                s = DEVICE_EXPIRED;
        } else if (c && c->polls_left > 0) {
                c->polls_left--;
                s = DEVICE_PENDING;
        } else if (c) {
                c->used = true;
                s = result == DEVICE_RESULT_OK ? DEVICE_GRANTED : DEVICE_EXPIRED;
        }
        pthread_mutex_unlock(&a->lock);
        return s;
}

bool auth_use_code(struct auth *a, const char *code)
{
        bool fresh;

        pthread_mutex_lock(&a->lock);
        fresh = !find_code(a, code);
        if (fresh)
                add_code(a, code)->used = true;
        pthread_mutex_unlock(&a->lock);
        return fresh;
}
