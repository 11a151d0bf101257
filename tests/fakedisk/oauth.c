/* SPDX-License-Identifier: MIT */

/*
 * Forms in, JSON with spaces out.  Errors have their own shape here: {"error": …,
 * "error_description": …} with status 400.
 */

#include <openssl/evp.h>

#include "auth.h"
#include "oauth.h"
#include "reply.h"
#include "server.h"

static void refuse(struct request *rq, const char *error, const char *description)
{
        struct buf *b = reply_json(rq, 400);

        rq->reply.error = error;
        buf_printf(b, "{\"error\": \"%s\", \"error_description\": \"%s\"}", error, description);
}

/* "Authorization: Basic id:secret", decoded; false when it is there and malformed. */
static bool basic(const struct request *rq, struct buf *ret_id, struct buf *ret_secret)
{
        const char *h = request_header(rq, "Authorization"), *colon;
        _cleanup_(freep) unsigned char *plain = NULL;
        size_t n;
        int len;

        if (!h)
                return true;
        if (strncmp(h, "Basic ", 6) != 0)
                return false;
        n = strlen(h + 6);
        plain = xcalloc(1, n + 4);
        len = EVP_DecodeBlock(plain, (const unsigned char *)h + 6, (int)n);
        if (len < 0)
                return false;
        colon = strchr((const char *)plain, ':');
        if (!colon)
                return false;
        buf_add(ret_id, plain, (size_t)(colon - (const char *)plain));
        buf_str(ret_secret, colon + 1);
        return true;
}

/* Reads the form and the client's credentials; false when the answer is there already. */
static bool client(struct request *rq, bool need_secret)
{
        _cleanup_(buf_finish) struct buf id = {}, secret = {};
        const char *type = request_header(rq, "Content-Type"), *v;

        if (type && strncasecmp(type, "application/x-www-form-urlencoded", 33) != 0) {
                refuse(rq, "invalid_request", "Unexpected content type");
                return false;
        }
        request_parse_params(rq, rq->in.s ? rq->in.s : "", rq->in.len);
        if (!basic(rq, &id, &secret)) {
                refuse(rq, "Malformed Authorization header", "Basic auth required");
                return false;
        }
        if ((v = request_param(rq, "client_id")))
                id.len = 0, buf_str(&id, v);
        if ((v = request_param(rq, "client_secret")))
                secret.len = 0, buf_str(&secret, v);
        if (id.len == 0) {
                refuse(rq, "invalid_request", "client_id not passed");
                return false;
        }
        /* PKCE proves the client in another way. */
        need_secret = need_secret && !request_param(rq, "code_verifier");
        if ((rq->cfg.client_id[0] && strcmp(rq->cfg.client_id, id.s) != 0) ||
            (need_secret && secret.len == 0) ||
            (secret.len > 0 && rq->cfg.client_secret[0] &&
             strcmp(rq->cfg.client_secret, secret.s) != 0)) {
                refuse(rq, "invalid_client", "Client not found");
                return false;
        }
        return true;
}

void oauth_device(struct request *rq)
{
        char code[33], user_code[9];

        if (!client(rq, false))
                return;
        auth_device_begin(rq->server->auth, rq->cfg.device_pending, 300, code, user_code);
        buf_printf(reply_json(rq, 200),
                   "{\"device_code\": \"%s\", \"expires_in\": 300, \"interval\": %lld, "
                   "\"user_code\": \"%s\", \"verification_url\": \"https://ya.ru/device\"}",
                   code, (long long)rq->cfg.device_interval, user_code);
}

static void grant(struct request *rq, const struct grant *g)
{
        buf_printf(reply_json(rq, 200),
                   "{\"access_token\": \"%s\", \"expires_in\": %lld, \"refresh_token\": \"%s\", "
                   "\"token_type\": \"bearer\"}",
                   g->access, (long long)rq->cfg.token_life_s, g->refresh);
}

static void by_code(struct request *rq, const char *code)
{
        struct grant g;

        if (strcmp(code, rq->cfg.auth_code) != 0) {
                refuse(rq, "bad_verification_code", "Invalid code");
        } else if (!auth_use_code(rq->server->auth, code)) {
                refuse(rq, "invalid_grant", "Code has expired");
        } else {
                auth_grant(rq->server->auth, rq->cfg.token_life_s, &g);
                grant(rq, &g);
        }
}

static void by_device(struct request *rq, const char *code)
{
        struct grant g;

        switch (auth_device_poll(rq->server->auth, code, rq->cfg.device_result)) {
        case DEVICE_PENDING:
                refuse(rq, "authorization_pending",
                       "User has not yet authorized your application");
                break;
        case DEVICE_GRANTED:
                auth_grant(rq->server->auth, rq->cfg.token_life_s, &g);
                grant(rq, &g);
                break;
        case DEVICE_EXPIRED:
                refuse(rq, "invalid_grant", "Code has expired");
                break;
        case DEVICE_UNKNOWN:
                refuse(rq, "bad_verification_code", "Invalid code");
                break;
        }
}

static void by_refresh(struct request *rq, const char *token)
{
        struct grant g;

        if (auth_refresh(rq->server->auth, token, rq->cfg.token_life_s,
                         rq->cfg.refresh_same_access, &g))
                grant(rq, &g);
        else
                refuse(rq, "invalid_grant", "expired_token");
}

void oauth_token(struct request *rq)
{
        const char *type, *code, *refresh;

        if (!client(rq, true))
                return;
        type = request_param(rq, "grant_type");
        code = request_param(rq, "code");
        refresh = request_param(rq, "refresh_token");
        if (!type)
                refuse(rq, "invalid_request", "grant_type not passed");
        else if (strcmp(type, "authorization_code") == 0 && code)
                by_code(rq, code);
        else if (strcmp(type, "device_code") == 0 && code)
                by_device(rq, code);
        else if (strcmp(type, "refresh_token") == 0 && refresh)
                by_refresh(rq, refresh);
        else if (strcmp(type, "authorization_code") == 0 || strcmp(type, "device_code") == 0)
                refuse(rq, "invalid_request", "code not passed");
        else if (strcmp(type, "refresh_token") == 0)
                refuse(rq, "invalid_request", "refresh_token not passed");
        else
                refuse(rq, "unsupported_grant_type", "Unknown grant_type");
}

void oauth_revoke(struct request *rq)
{
        const char *token;

        if (!client(rq, true))
                return;
        token = request_param(rq, "access_token");
        if (!token) {
                refuse(rq, "invalid_request", "access_token not passed");
                return;
        }
        auth_revoke(rq->server->auth, token);
        buf_str(reply_json(rq, 200), "{\"status\": \"ok\"}");
}
