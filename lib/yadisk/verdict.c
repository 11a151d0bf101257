/* SPDX-License-Identifier: MIT */

#include "lib/yadisk/verdict.h"

#include "lib/base/tr.h"

#include <string.h>

static struct verdict verdict_is(enum verdict_act act, const char *text)
{
        return (struct verdict){.act = act, .text = text};
}

static struct verdict verdict_strange(void)
{
        return verdict_is(VERDICT_AGAIN, N_("the answer is none the service gives"));
}

static struct verdict verdict_fault(const struct outcome *in)
{
        switch (in->fault) {
        case HTTP_FAULT_UNREACHABLE:
                return verdict_is(VERDICT_AGAIN, N_("the server cannot be reached"));
        case HTTP_FAULT_TLS:
                return verdict_is(VERDICT_AGAIN, N_("the server's certificate was not accepted"));
        case HTTP_FAULT_BROKEN:
                return verdict_is(VERDICT_AGAIN, N_("the connection broke"));
        case HTTP_FAULT_STALLED:
                return verdict_is(VERDICT_AGAIN, N_("the server fell silent"));
        case HTTP_FAULT_TOO_LARGE:
                return verdict_is(VERDICT_AGAIN, N_("the answer is longer than any should be"));
        case HTTP_FAULT_SHUT:
                return verdict_is(VERDICT_AGAIN, N_("the service does not work at the moment"));
        case HTTP_FAULT_LOCAL:
        case HTTP_FAULT_NONE:
                break;
        }
        return verdict_is(VERDICT_ASKER, N_("it could not be read"));
}

static struct verdict verdict_locked(enum yadisk_error error)
{
        if (error == YADISK_ERROR_TRAFFIC_LIMIT)
                return verdict_is(VERDICT_FULL, N_("the account's upload allowance is used up"));
        if (error == YADISK_ERROR_LOCKED)
                return verdict_is(VERDICT_LOCKED, N_("another operation holds it"));
        return verdict_is(VERDICT_AGAIN, N_("the Disk is read-only for now"));
}

static struct verdict verdict_status(int status, enum yadisk_error error)
{
        switch (status) {
        case 200:
        case 201:
        case 202:
        case 204:
                return verdict_is(VERDICT_OK, "");
        case 404: /* the service names what it does not find; a balancer's page proves nothing */
                if (error == YADISK_ERROR_NONE)
                        return verdict_strange();
                return verdict_is(VERDICT_ASKER, "");
        case 409:
        case 410:
        case 412:
                return verdict_is(VERDICT_ASKER, "");
        case 401:
                return verdict_is(VERDICT_REFUSED, N_("the token is not accepted"));
        case 402:
                return verdict_is(VERDICT_REFUSED, N_("the service asks for payment"));
        case 403:
                if (error == YADISK_ERROR_ACCOUNT_TYPE)
                        return verdict_is(VERDICT_REFUSED, N_("this account has no Disk"));
                return verdict_is(VERDICT_STUCK, N_("access is denied"));
        case 413:
                return verdict_is(VERDICT_STUCK, N_("it is larger than the account allows"));
        case 423:
                return verdict_locked(error);
        case 429:
                return verdict_is(VERDICT_AGAIN, N_("too many requests"));
        case 507:
                return verdict_is(VERDICT_FULL, N_("the Disk is full"));
        }
        if (status >= 500)
                return verdict_is(VERDICT_AGAIN, N_("the service has trouble"));
        if (status >= 400)
                return verdict_is(VERDICT_STUCK, N_("the service refuses the request"));
        /* 1xx, 3xx, and successes no endpoint documents: not our server speaking (a captive
         * portal), so nothing was done. */
        return verdict_strange();
}

struct verdict verdict(const struct outcome *in)
{
        struct verdict v = verdict_is(VERDICT_OK, "");

        switch (in->kind) {
        case OUTCOME_START:
        case OUTCOME_WOKE:
                break;
        case OUTCOME_LOCAL:
                if (in->err)
                        v = verdict_is(VERDICT_ASKER, N_("it could not be read"));
                break;
        case OUTCOME_FAULT:
                v = verdict_fault(in);
                break;
        case OUTCOME_HTTP:
                if (in->status >= 400) {
                        char description[sizeof(v.description)];
                        enum yadisk_error error = yadisk_read_error(
                                in->body, in->body_len, description, sizeof(description));

                        v = verdict_status(in->status, error);
                        v.error = error;
                        memcpy(v.description, description, sizeof(description));
                } else {
                        v = verdict_status(in->status, YADISK_ERROR_NONE);
                }
                break;
        }
        return v;
}

struct verdict verdict_removal(const struct outcome *in)
{
        if (in->kind == OUTCOME_HTTP && in->status == 200)
                return verdict_strange();
        return verdict(in);
}

struct verdict verdict_change(const struct outcome *in)
{
        if (in->kind == OUTCOME_HTTP && in->status == 204)
                return verdict_strange();
        return verdict_removal(in);
}

static enum gate_news verdict_news_fault(enum http_fault fault)
{
        switch (fault) {
        case HTTP_FAULT_UNREACHABLE:
        case HTTP_FAULT_TLS:
        case HTTP_FAULT_STALLED: /* a minute without a byte: the others would wait as long */
                return GATE_NEWS_ALL;
        case HTTP_FAULT_BROKEN:
        case HTTP_FAULT_TOO_LARGE:
                return GATE_NEWS_PERHAPS;
        case HTTP_FAULT_SHUT:
        case HTTP_FAULT_LOCAL:
        case HTTP_FAULT_NONE:
                break;
        }
        return GATE_NEWS_NONE;
}

/* A page for people where the service would answer with an object: a captive portal. */
static bool verdict_is_page(const struct outcome *in)
{
        return in->body_len > 0 && in->body[strspn(in->body, " \t\r\n")] != '{';
}

enum gate_news verdict_news(const struct outcome *in)
{
        struct verdict v;

        if (in->kind != OUTCOME_HTTP)
                return in->kind == OUTCOME_FAULT ? verdict_news_fault(in->fault) : GATE_NEWS_NONE;
        if (in->status == 429)
                return GATE_NEWS_ALL;
        v = verdict(in);
        switch (v.act) {
        case VERDICT_OK:
                return verdict_is_page(in) ? GATE_NEWS_PERHAPS : GATE_NEWS_GOOD;
        case VERDICT_AGAIN:
                return in->status == 423 ? GATE_NEWS_KIND : GATE_NEWS_PERHAPS;
        case VERDICT_REFUSED:
                return GATE_NEWS_REFUSED;
        case VERDICT_ASKER:
        case VERDICT_LOCKED:
        case VERDICT_STUCK:
        case VERDICT_FULL:
                break;
        }
        return GATE_NEWS_GOOD;
}
