/* SPDX-License-Identifier: MIT */

#include "daemon/oauth_call.h"

#include "lib/yadisk/oauth.h"

#include <curl/curl.h>
#include <errno.h>

#define CALL_TIMEOUT_S 30L

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

static int call_on_progress(void *userdata, curl_off_t a _unused_, curl_off_t b _unused_,
                            curl_off_t c _unused_, curl_off_t d _unused_)
{
        const atomic_bool *stop = userdata;

        return stop && atomic_load(stop);
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
                        const atomic_bool *stop, struct str *reply)
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
        curl_easy_setopt(easy, CURLOPT_XFERINFODATA, (void *)stop);
}

int oauth_post(const char *base, const char *path, const struct str *form, const atomic_bool *stop,
               struct str *reply, long *ret_status, struct err *err)
{
        _cleanup_(call_free_easy) CURL *easy = curl_easy_init();
        _cleanup_(str_finish) struct str url = STR_NULL(8192);
        CURLcode code;

        str_addf(&url, "%s%s", base, path);
        if (!easy || url.failed || form->failed ||
            curl_easy_setopt(easy, CURLOPT_URL, str_z(&url)) != CURLE_OK)
                return err_set(err, ENOMEM, "no memory");
        call_set_up(easy, base, form, stop, reply);
        code = curl_easy_perform(easy);
        if (code == CURLE_ABORTED_BY_CALLBACK)
                return -ECANCELED;
        if (code != CURLE_OK)
                return err_set(err, EIO, "%s does not answer: %s", base, curl_easy_strerror(code));
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, ret_status);
        return 0;
}
