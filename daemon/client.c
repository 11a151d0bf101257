/* SPDX-License-Identifier: MIT */

#include "daemon/client.h"

#include "daemon/exit.h"
#include "daemon/socket.h"

#include <curl/curl.h>
#include <errno.h>

#define CLIENT_REPLY_MAX (16 * 1024 * 1024)
#define CLIENT_TIMEOUT_S 60L

static size_t client_on_data(char *data, size_t size, size_t n, void *userdata)
{
        struct str *reply = userdata;

        str_add(reply, data, size * n);
        return reply->failed ? 0 : size * n;
}

static void client_free_easy(CURL **easy)
{
        curl_easy_cleanup(*easy);
}

static int client_not_there(struct err *err, const char *state_dir)
{
        return err_set(err, ENOENT, "ydsync does not run with this configuration (its state would be "
                       "in %s)", state_dir);
}

static int client_fault(CURL *easy, CURLcode code, const char *state_dir, struct err *err)
{
        long e = 0;

        curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &e);
        if (code == CURLE_COULDNT_CONNECT && (e == EACCES || e == EPERM))
                return err_set(err, EACCES, "this user may not speak to the running ydsync; root and "
                               "the user it runs as may");
        if (code == CURLE_COULDNT_CONNECT)
                return client_not_there(err, state_dir);
        return err_set(err, EIO, "the running ydsync does not answer: %s", curl_easy_strerror(code));
}

static int client_parse(CURL *easy, const struct str *reply, struct client_answer *ret,
                        struct err *err)
{
        ret->json = cJSON_ParseWithLength(str_z(reply), reply->len);
        if (!cJSON_IsObject(ret->json)) {
                client_answer_finish(ret);
                return err_set(err, EPROTO, "the running ydsync answers with something unknown");
        }
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &ret->status);
        return 0;
}

static int client_perform(struct client_answer *ret, const char *socket, const char *state_dir,
                          const char *method, const char *target, struct err *err)
{
        _cleanup_(client_free_easy) CURL *easy = curl_easy_init();
        _cleanup_(str_finish) struct str reply = STR_NULL(CLIENT_REPLY_MAX);
        _cleanup_(str_finish) struct str url = STR_NULL(CLIENT_REPLY_MAX);
        CURLcode code = CURLE_OUT_OF_MEMORY;

        str_addf(&url, "http://ydsync%s", target);
        if (!easy || url.failed ||
            curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, socket) != CURLE_OK ||
            curl_easy_setopt(easy, CURLOPT_URL, str_z(&url)) != CURLE_OK ||
            curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method) != CURLE_OK)
                return err_set(err, ENOMEM, "no memory");
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
        curl_easy_setopt(easy, CURLOPT_TIMEOUT, CLIENT_TIMEOUT_S);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, client_on_data);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, &reply);
        code = curl_easy_perform(easy);
        if (code != CURLE_OK)
                return client_fault(easy, code, state_dir, err);
        return client_parse(easy, &reply, ret, err);
}

int client_ask(struct client_answer *ret, const char *state_dir, const char *method,
               const char *target, struct err *err)
{
        _cleanup_(freep) char *path = socket_find(state_dir);
        _cleanup_(closep) int dir = -1;
        char socket[SOCKET_PATH_SIZE];

        *ret = (struct client_answer){0};
        if (!path || socket_shorten(path, socket, &dir) < 0)
                return client_not_there(err, state_dir);
        return client_perform(ret, socket, state_dir, method, target, err);
}

void client_answer_finish(struct client_answer *a)
{
        cJSON_Delete(a->json);
        *a = (struct client_answer){0};
}

int client_tell(struct client_answer *ret, const struct config *config, const char *method,
                const char *target)
{
        struct err err = ERR_NONE;
        const char *why;
        int r = client_ask(ret, config->state_dir, method, target, &err);

        if (r < 0) {
                log_error("%s", err.text);
                return r == -ENOENT ? EXIT_NOT_RUNNING
                       : r == -EACCES ? EXIT_NO_PERMISSION
                                      : EXIT_IO_ERROR;
        }
        if (ret->status == 200)
                return EXIT_OK;
        why = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(ret->json, "error"));
        log_error("%s", why ? tr(why) : tr("the running ydsync refuses"));
        return ret->status == 409   ? EXIT_TRY_AGAIN
               : ret->status == 403 ? EXIT_NO_PERMISSION
               : ret->status < 500  ? EXIT_USAGE_ERROR
                                    : EXIT_IO_ERROR;
}

char *client_escape(const char *value)
{
        char *escaped = curl_easy_escape(NULL, value, 0), *copy = str_dup(escaped);

        curl_free(escaped);
        return copy;
}
