/* SPDX-License-Identifier: MIT */

/* From the bytes of a `.env` to the configuration: every value within its bounds or a sentence that
 * says why not, and the token in no sentence. */

#include "daemon/config.h"

#include "lib/base/dotenv.h"
#include "lib/core/match.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define SECRET "y0_SesameOpenThyself"
#define REMARKS_MAX (4 << 20)

static const char path[] = "./fuzzed.env"; /* in the folder that the runner has made for us */

static void remove_file(void)
{
        unlink(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
        (void)argc, (void)argv;
        clearenv();
        setenv("HOME", "/home/me", 1);
        atexit(remove_file);
        return 0;
}

/* The text, behind a line with a token that no other line can spell by chance. */
static void write_file(const uint8_t *data, size_t size)
{
        static const char token[] = "YANDEX_TOKEN=" SECRET "\n";
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        must(fd >= 0);
        must(write(fd, token, sizeof(token) - 1) == sizeof(token) - 1);
        must(write(fd, data, size) == (ssize_t)size);
        close(fd);
}

static void check_lines(const struct str *s)
{
        must(!s->failed);
        must(s->len == 0 || s->s[s->len - 1] == '\n');
        must(!strstr(str_z(s), SECRET));
        for (const char *c = str_z(s); *c; c++)
                must((unsigned char)*c >= 0x20 || *c == '\n');
}

static void check_folder(const char *s)
{
        must(s && *s == '/');
        must(s[1] == '\0' || s[strlen(s) - 1] != '/');
}

static void check_url(const char *s)
{
        must(s && (str_starts(s, "https://") || str_starts(s, "http://")));
        must(s[strlen(s) - 1] != '/');
}

static void check_config(const struct config *c)
{
        struct match *m = NULL;
        struct err err = ERR_NONE;

        must(c->token && str_eq(c->token, SECRET));
        check_folder(c->folder);
        check_folder(c->state_dir);
        if (c->log_dir)
                check_folder(c->log_dir);
        check_url(c->api_url);
        check_url(c->oauth_url);
        must(str_starts(c->cloud, "disk:/") || str_starts(c->cloud, "app:/"));
        must(c->cloud[strlen(c->cloud) - 1] != '/' && !strstr(c->cloud, "//"));
        must(!strstr(c->cloud, "/../") && !strstr(c->cloud, "/./"));
        must(c->period_ms >= 100 && c->settle_ms >= 0 && c->audit_ms >= 0);
        must(c->parallel >= 1 && c->parallel <= 64);
        must(c->max_delete_percent <= 100);
        must(c->disguise <= DISGUISE_NEVER && c->delete_mode <= DELETE_NEVER);
        must(c->verify <= VERIFY_OFF);
        must(match_create(&m, c->exclude, &err) == 0);
        match_destroy(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str errors = STR_NULL(REMARKS_MAX), warnings = STR_NULL(REMARKS_MAX);
        struct config c = {0};
        int r;

        if (size > DOTENV_MAX || memmem(data, size, SECRET, strlen(SECRET)))
                return -1;
        write_file(data, size);
        r = config_load(&c, path, &errors, &warnings);
        must(r == (errors.len > 0 ? -EINVAL : 0));
        check_lines(&errors);
        check_lines(&warnings);
        if (r == 0)
                check_config(&c);
        config_finish(&c);
        str_finish(&errors);
        str_finish(&warnings);
        return 0;
}
