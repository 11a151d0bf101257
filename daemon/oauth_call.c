/* SPDX-License-Identifier: MIT */

#include "daemon/oauth_call.h"

#include "lib/yadisk/oauth.h"

#include <curl/curl.h>
#include <errno.h>
#include <time.h>

#define CALL_TIMEOUT_S 30L
#define CALL_GRACE_MS 2500 /* less than a program that was told to end has */

void oauth_wipe_str(struct str *s)
{
        if (s->s)
                mem_wipe(s->s, s->size);
        str_finish(s);
}

static size_t call_on_data(char *data, size_t size, size_t n, void *userdata)
{
        struct str *reply = userdata;

        str_add(reply, data, size * n);
        return reply->failed ? 0 : size * n;
}

/* How long somebody who wants to end has waited. */
struct call_stop {
        const atomic_bool *stop; /* NULL: nobody can */
        int64_t since_ms;        /* 0: nobody does */
};

static int64_t call_now_ms(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* What was asked for may have been given already, and a refresh token that does not arrive is lost:
 * so there is a grace. */
static int call_on_progress(void *userdata, curl_off_t a _unused_, curl_off_t b _unused_,
                            curl_off_t c _unused_, curl_off_t d _unused_)
{
        struct call_stop *s = userdata;

        if (!s->stop || !atomic_load(s->stop))
                return 0;
        if (s->since_ms == 0)
                s->since_ms = call_now_ms();
        return call_now_ms() - s->since_ms >= CALL_GRACE_MS;
}

static void call_free_easy(CURL **easy)
{
        curl_easy_cleanup(*easy);
}

static bool call_is_local(const char *base)
{
        return str_starts(base, "http://");
}

/* Nothing of an earlier answer is followed: the form holds secrets. */
static void call_set_up(CURL *easy, const char *base, const struct str *form,
                        struct call_stop *stop, struct str *reply)
{
        curl_easy_setopt(easy, CURLOPT_USERAGENT, "ydsync/" YDSYNC_VERSION);
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
        curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
        curl_easy_setopt(easy, CURLOPT_TIMEOUT, CALL_TIMEOUT_S);
        if (call_is_local(base))
                curl_easy_setopt(easy, CURLOPT_PROXY, "");
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)form->len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, str_z(form));
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, call_on_data);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, reply);
        curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, call_on_progress);
        curl_easy_setopt(easy, CURLOPT_XFERINFODATA, stop);
}

int oauth_post(const char *base, const char *path, const struct str *form, const atomic_bool *stop,
               struct str *reply, long *ret_status, struct err *err)
{
        _cleanup_(call_free_easy) CURL *easy = curl_easy_init();
        _cleanup_(str_finish) struct str url = STR_NULL(8192);
        struct call_stop asked = {.stop = stop};
        CURLcode code;

        str_addf(&url, "%s%s", base, path);
        if (!easy || url.failed || form->failed ||
            curl_easy_setopt(easy, CURLOPT_URL, str_z(&url)) != CURLE_OK)
                return err_set(err, ENOMEM, "no memory");
        call_set_up(easy, base, form, &asked, reply);
        code = curl_easy_perform(easy);
        if (code == CURLE_ABORTED_BY_CALLBACK)
                return -ECANCELED;
        if (code != CURLE_OK)
                return err_set(err, EIO, "%s does not answer: %s", base, curl_easy_strerror(code));
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, ret_status);
        return 0;
}
