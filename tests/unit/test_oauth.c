/* SPDX-License-Identifier: MIT */

/* What is asked of the OAuth service, what is believed of its answers, and how a sign-in is kept. */

#include "daemon/grant.h"
#include "lib/yadisk/oauth.h"
#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

TEST(forms)
{
        _cleanup_(str_finish) struct str s = STR_NULL(OAUTH_FORM_MAX);

        oauth_form_device(&s, "a b&c=1");
        check_str(str_z(&s), "client_id=a%20b%26c%3D1");
        oauth_form_poll(&s, "id", NULL, "c0de");
        check_str(str_z(&s), "grant_type=device_code&client_id=id&code=c0de");
        oauth_form_renew(&s, "id", "s+", "1:x/y");
        check_str(str_z(&s),
                  "grant_type=refresh_token&client_id=id&client_secret=s%2B&refresh_token=1%3Ax%2Fy");
}

static int device(const char *body, struct oauth_device *ret)
{
        return oauth_read_device(body, strlen(body), ret);
}

#define DEVICE(url, rest) "{\"device_code\": \"d\", \"user_code\": \"u\", \"verification_url\": \"" url "\"" rest "}"

TEST(a_code_to_enter)
{
        static const char *const bad[] = {
                "", "[]", "null", "{}", "{\"device_code\": \"d\"}", DEVICE("javascript:x", ""),
                DEVICE("http://evil.example", ""), DEVICE("http://127.0.0.1.evil.example/", ""),
                DEVICE("http://localhost@evil.example", ""), DEVICE("https://a b", ""),
                DEVICE("https://a\\u001b[2J", ""),
        };
        struct oauth_device d;

        check_eq(device(DEVICE("https://ya.ru/device", ", \"expires_in\": 300, \"interval\": 5"), &d), 0);
        check_str(d.device_code, "d");
        check_str(d.user_code, "u");
        check_str(d.url, "https://ya.ru/device");
        check_eq(d.expires_s, 300);
        check_eq(d.interval_s, 5);
        oauth_device_finish(&d);
        check_eq(device(DEVICE("http://127.0.0.1:80/x", ", \"expires_in\": 1e300, \"interval\": -7"), &d), 0);
        check_eq(d.expires_s, 3600);
        check_eq(d.interval_s, 1);
        oauth_device_finish(&d);
        check_eq(device(DEVICE("https://x", ", \"expires_in\": \"300\", \"interval\": null"), &d), 0);
        check_eq(d.expires_s, 300);
        check_eq(d.interval_s, 5);
        oauth_device_finish(&d);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                if (device(bad[i], &d) != -EPROTO)
                        check_fail("believed: %s", bad[i]);
}

TEST(tokens)
{
        static const char *const bad[] = {
                "{}", "{\"access_token\": \"a\"}", "{\"access_token\": \"a\", \"refresh_token\": 5}",
                "{\"access_token\": \"a\\r\\nX: y\", \"refresh_token\": \"r\"}",
                "{\"access_token\": \"\", \"refresh_token\": \"r\"}", "<html>",
        };
        static const char good[] = "{\"access_token\": \"a\", \"expires_in\": 100, "
                                   "\"refresh_token\": \"r\", \"token_type\": \"bearer\"}";
        struct oauth_tokens t;

        check_eq(oauth_read_tokens(good, sizeof(good) - 1, &t), 0);
        check_str(t.access, "a");
        check_str(t.refresh, "r");
        check_eq(t.life_s, 100);
        oauth_tokens_finish(&t);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                if (oauth_read_tokens(bad[i], strlen(bad[i]), &t) != -EPROTO)
                        check_fail("believed: %s", bad[i]);
}

TEST(what_an_error_means)
{
        static const struct {
                const char *body;
                enum oauth_error error;
                const char *text;
        } rows[] = {
                {"{\"error\": \"authorization_pending\", \"error_description\": \"wait\"}", OAUTH_PENDING, "wait"},
                {"{\"error\": \"slow_down\"}", OAUTH_SLOWER, "slow_down"},
                {"{\"error\": \"invalid_grant\", \"error_description\": \"a\\nb\"}", OAUTH_OVER, "a\\x0ab"},
                {"{\"error\": \"invalid_client\"}", OAUTH_CLIENT, "invalid_client"},
                {"{\"error\": 5}", OAUTH_STRANGE, ""},
                {"<html>", OAUTH_STRANGE, ""},
                {"", OAUTH_STRANGE, ""},
        };
        char text[200];

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                check_eq(oauth_read_error(rows[i].body, strlen(rows[i].body), text), rows[i].error);
                check_str(text, rows[i].text);
        }
}

/* ---- the file ---------------------------------------------------------------------------------- */

static struct grant grant(void)
{
        return (struct grant){.access = str_dup("acc"), .refresh = str_dup("ref"),
                              .client = str_dup("id"), .secret = str_dup("sec"),
                              .since_s = 1000, .until_s = 2000};
}

TEST(a_sign_in_is_kept)
{
        struct grant g = grant(), got;
        struct scratch s;
        struct err err;
        struct stat st;
        char path[600];

        scratch_init(&s);
        snprintf(path, sizeof(path), "%s/" GRANT_NAME, s.path);
        check_eq(grant_read(&got, s.path, &err), -ENOENT);
        check_eq(grant_write(&g, s.path, &err), 0);
        require(stat(path, &st) == 0);
        check_eq(st.st_mode & 07777, 0600);
        require(grant_read(&got, s.path, &err) == 0);
        check_str(got.access, "acc");
        check_str(got.refresh, "ref");
        check_str(got.client, "id");
        check_str(got.secret, "sec");
        check_eq(got.until_s, 2000);
        check(!grant_is_stale(&got, s.path));
        check_eq(grant_write(&g, s.path, &err), 0);
        check(grant_is_stale(&got, s.path));
        unlink(path);
        check(!grant_is_stale(&got, s.path));
        grant_finish(&got);
        grant_finish(&g);
        check_eq(grant_read(&got, "/nowhere", &err), -ENOENT);
        scratch_finish(&s);
}

TEST(what_is_no_sign_in)
{
        static const char *const bad[] = {
                "", "{}", "[]", "{\"access_token\":\"a\",\"refresh_token\":\"r\",\"client_id\":\"c\"}",
                "{\"access_token\":\"a b\",\"refresh_token\":\"r\",\"client_id\":\"c\",\"since\":1,\"until\":2}",
                "{\"access_token\":\"a\",\"refresh_token\":\"r\",\"client_id\":\"c\",\"since\":2,\"until\":1}",
                "{\"access_token\":\"a\",\"refresh_token\":\"r\",\"client_id\":\"c\",\"since\":1e99,\"until\":2e99}",
        };
        struct scratch s;
        struct grant g;
        struct err err;
        char path[600];

        scratch_init(&s);
        snprintf(path, sizeof(path), "%s/" GRANT_NAME, s.path);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

                check(write(fd, bad[i], strlen(bad[i])) == (ssize_t)strlen(bad[i]));
                close(fd);
                if (grant_read(&g, s.path, &err) != -EUCLEAN)
                        check_fail("believed: %s", bad[i]);
        }
        chmod(path, 0640);
        check_eq(grant_read(&g, s.path, &err), -EUCLEAN);
        unlink(path);
        check(symlink("/etc/passwd", path) == 0);
        check(grant_read(&g, s.path, &err) < 0);
        scratch_finish(&s);
}

TEST(when_it_is_renewed)
{
        struct grant g = {.since_s = 1000, .until_s = 2000};

        check(!grant_is_due(&g, 1000));
        check(!grant_is_due(&g, 1249));
        check(grant_is_due(&g, 1250));
        check(grant_is_due(&g, 9000));
        check(grant_is_due(&g, 999)); /* a clock that went back tells nothing */
}

TEST(root_signs_in_for_the_owner_of_the_state)
{
        struct grant g = grant();
        struct scratch s;
        struct err err;
        struct stat st;
        char path[600];

        scratch_init(&s);
        snprintf(path, sizeof(path), "%s/" GRANT_NAME, s.path);
        if (geteuid() == 0)
                check(chown(s.path, 12345, 12346) == 0);
        check_eq(grant_write(&g, s.path, &err), 0);
        require(stat(path, &st) == 0);
        check_eq(st.st_uid, geteuid() == 0 ? 12345 : geteuid());
        check_eq(st.st_gid, geteuid() == 0 ? 12346 : getegid());
        check_eq(st.st_mode & 07777, 0600);
        grant_finish(&g);
        scratch_finish(&s);
}
