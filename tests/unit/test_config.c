/* SPDX-License-Identifier: MIT */

#include "daemon/config.h"
#include "daemon/config_key.h"
#include "daemon/system.h"
#include "lib/base/dotenv.h"
#include "lib/core/match.h"
#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

/* ---- a world for one configuration --------------------------------------------------------- */

#define ROOM (1 << 20)

struct world {
        struct scratch s;
        char env[300]; /* path of its .env */
        struct config c;
        struct str errors, warnings; /* with "@" for the path of the scratch folder */
        int r;
};

/* Nothing in the environment but HOME=/home/me. */
static void world_init(struct world *w)
{
        clearenv();
        setenv("HOME", "/home/me", 1);
        *w = (struct world){.errors = STR_NULL(ROOM), .warnings = STR_NULL(ROOM)};
        scratch_init(&w->s);
        snprintf(w->env, sizeof(w->env), "%s/.env", w->s.path);
}

static void world_finish(struct world *w)
{
        config_finish(&w->c);
        str_finish(&w->errors);
        str_finish(&w->warnings);
        scratch_finish(&w->s);
}

static void put_at(struct str *to, const struct str *from, const char *path)
{
        const char *s = str_z(from), *hit;

        str_clear(to);
        for (; (hit = strstr(s, path)); s = hit + strlen(path)) {
                str_add(to, s, (size_t)(hit - s));
                str_addc(to, '@');
        }
        str_adds(to, s);
}

/* Loads; `named` as --env. */
static void load(struct world *w, const char *named)
{
        struct str errors = STR_NULL(ROOM), warnings = STR_NULL(ROOM);

        config_finish(&w->c);
        w->r = config_load(&w->c, named, &errors, &warnings);
        check_eq(w->r, errors.len > 0 ? -EINVAL : 0);
        put_at(&w->errors, &errors, w->s.path);
        put_at(&w->warnings, &warnings, w->s.path);
        str_finish(&errors);
        str_finish(&warnings);
}

static void load_text(struct world *w, const char *text)
{
        scratch_file(&w->s, ".env", text);
        scratch_mode(&w->s, ".env", 0600);
        load(w, w->env);
}

#define BASE                                                                                       \
        "YANDEX_TOKEN=y0_token\n"                                                                  \
        "PATH_TO_FOLDER_ON_PC=/home/me/docs\n"                                                     \
        "NAME_FOLDER_CLOUD=Backup/Docs\n"

/* What a sentence about such a value ends with. */
#define TOKEN_RULE                                                                                 \
        ": write the OAuth token alone, as YANDEX_TOKEN=… (\"ydsync login\" gets one), or give "   \
        "it as the systemd credential ydsync.token"
#define PATH_RULE " as a whole path from / or ~/ on ($HOME and the like are not expanded)"
#define FOLDER_RULE ": write the folder to mirror" PATH_RULE
#define CLOUD_RULE                                                                                 \
        ": write the folder on the Disk, like Backup/Docs, disk:/Backup/Docs or app:/Docs"
#define PERIOD_RULE ": write seconds (600) or a time like 10s, 5min or 1h, from 100ms to 30d"
#define RATE_RULE                                                                                  \
        ": write bytes a second like 500K, 2M or 1G, at least 1K, or 0 for no limit"
#define MAX_DELETE_RULE                                                                            \
        ": write entries and percent, like 100/10% (100/100% holds nothing back)"
#define NO_TOKEN "it holds a space or another character that no token has" TOKEN_RULE
#define NO_FILE "there is no such file: name one that exists, or copy .env.template there"

/* BASE and one more line, which is line 4. */
static void load_line(struct world *w, const char *line)
{
        struct str text = STR_NULL(ROOM);

        str_adds(&text, BASE);
        str_adds(&text, line);
        load_text(w, str_z(&text));
        str_finish(&text);
}

/* Lines that are wrong, each alone behind BASE, and what is said of them behind "@/.env:4: ". */
struct wrong {
        const char *line, *want;
};

static void check_wrong(const struct wrong *rows, size_t n)
{
        struct world w;

        world_init(&w);
        for (size_t i = 0; i < n; i++) {
                char want[1024];

                load_line(&w, rows[i].line);
                snprintf(want, sizeof(want), "@/.env:4: %s\n", rows[i].want);
                if (!str_eq(str_z(&w.errors), want))
                        check_fail("<%s>\n# says\n%s# not\n%s", rows[i].line, str_z(&w.errors),
                                   want);
        }
        world_finish(&w);
}

/* ---- what the predecessor's users have ----------------------------------------------------- */

TEST(the_five_old_keys)
{
        struct world w;

        world_init(&w);
        load_text(&w, "YANDEX_TOKEN=y0_AgAAAA-x # get one at https://yandex.ru/dev/disk/poligon/\n"
                      "PATH_TO_FOLDER_ON_PC=/home/me/Мои документы # the folder\n"
                      "NAME_FOLDER_CLOUD=Backup # its name there\n"
                      "SYNCHRONIZATION_PERIOD=600 # 10 minutes\n"
                      "PATH_FILE_LOG=/home/me/log # the log\n");
        check_str(str_z(&w.errors), "");
        check_str(str_z(&w.warnings), "");
        check_str(w.c.file, w.env);
        check_str(w.c.token, "y0_AgAAAA-x");
        check_str(w.c.folder, "/home/me/Мои документы");
        check_str(w.c.cloud, "disk:/Backup");
        check_eq(w.c.period_ms, 600000);
        check_str(w.c.log_dir, "/home/me/log");
        world_finish(&w);
}

TEST(defaults)
{
        struct world w;

        world_init(&w);
        load_text(&w, BASE);
        check_str(str_z(&w.errors), "");
        check_str(str_z(&w.warnings), "");
        check_eq(w.c.period_ms, 30000);
        check(w.c.log_dir == NULL);
        check_str(w.c.state_dir, "/home/me/.local/state/ydsync");
        check_str(w.c.api_url, "https://cloud-api.yandex.net");
        check_str(w.c.oauth_url, "https://oauth.yandex.ru");
        check_eq(w.c.parallel, 8);
        check_eq(w.c.api_rate, 20);
        check_eq(w.c.upload_rate, 0);
        check_eq(w.c.settle_ms, 3000);
        check_eq(w.c.disguise, DISGUISE_AUTO);
        check_eq(w.c.delete_mode, DELETE_TRASH);
        check_eq(w.c.max_delete, 100);
        check_eq(w.c.max_delete_percent, 10);
        check_eq(w.c.verify, VERIFY_BATCH);
        check_eq(w.c.audit_ms, 86400000);
        check(!w.c.follow);
        check_eq(w.c.log_level, LOG_INFO);
        world_finish(&w);
}

TEST(an_empty_value_is_the_default)
{
        struct world w;
        struct str text = STR_NULL(ROOM);

        world_init(&w);
        str_adds(&text, BASE);
        for (size_t i = 3; i < CONFIG_KEYS; i++)
                str_addf(&text, "%s=\n", config_key_table[i].name);
        load_text(&w, str_z(&text));
        check_str(str_z(&w.errors), "");
        check_eq(w.c.period_ms, 30000);
        check(w.c.log_dir == NULL);
        check_str(w.c.state_dir, "/home/me/.local/state/ydsync");
        check_eq(w.c.parallel, 8);
        check_str(w.c.exclude, config_key_find("YDSYNC_EXCLUDE")->fallback);
        str_finish(&text);
        world_finish(&w);
}

TEST(every_key_at_once)
{
        struct world w;

        world_init(&w);
        load_text(&w, BASE
                  "SYNCHRONIZATION_PERIOD=5min\nPATH_FILE_LOG=~/log/\nYDSYNC_STATE_DIR=/var/x//y/\n"
                  "YDSYNC_API_URL=http://127.0.0.1:8080/\nYDSYNC_OAUTH_URL=http://[::1]:1\n"
                  "YDSYNC_EXCLUDE=*.a, b\\,c\nYDSYNC_PARALLEL=64\nYDSYNC_API_RATE=0\n"
                  "YDSYNC_UPLOAD_RATE=2M\nYDSYNC_SETTLE=0\nYDSYNC_DISGUISE=never\n"
                  "YDSYNC_DELETE=permanent\nYDSYNC_MAX_DELETE=0/100%\nYDSYNC_VERIFY=off\n"
                  "YDSYNC_AUDIT_PERIOD=0\nYDSYNC_SYMLINKS=follow\nYDSYNC_LOG_LEVEL=Debug\n");
        check_str(str_z(&w.errors), "");
        check_eq(w.c.period_ms, 300000);
        check_str(w.c.log_dir, "/home/me/log");
        check_str(w.c.state_dir, "/var/x/y");
        check_str(w.c.api_url, "http://127.0.0.1:8080");
        check_str(w.c.oauth_url, "http://[::1]:1");
        check_str(w.c.exclude, "*.a, b\\,c");
        check_eq(w.c.parallel, 64);
        check_eq(w.c.api_rate, 0);
        check_eq(w.c.upload_rate, 2097152);
        check_eq(w.c.settle_ms, 0);
        check_eq(w.c.disguise, DISGUISE_NEVER);
        check_eq(w.c.delete_mode, DELETE_PERMANENT);
        check_eq(w.c.max_delete, 0);
        check_eq(w.c.max_delete_percent, 100);
        check_eq(w.c.verify, VERIFY_OFF);
        check_eq(w.c.audit_ms, 0);
        check(w.c.follow);
        check_eq(w.c.log_level, LOG_DEBUG);
        world_finish(&w);
}

/* ---- kinds of values ----------------------------------------------------------------------- */

TEST(times)
{
        static const struct {
                const char *text;
                int64_t ms;
        } rows[] = {
                {"30", 30000},     {"10s", 10000},     {"500ms", 500},   {"5min", 300000},
                {"5m", 300000},    {"1h", 3600000},    {"1d", 86400000}, {"100ms", 100},
                {"30d", 30 * 86400000LL}, {"007", 7000},
        };
        struct world w;

        world_init(&w);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char line[100];

                snprintf(line, sizeof(line), "SYNCHRONIZATION_PERIOD=%s", rows[i].text);
                load_line(&w, line);
                check_str(str_z(&w.errors), "");
                check_eq(w.c.period_ms, rows[i].ms);
        }
        world_finish(&w);
}

TEST(times_that_are_none)
{
        static const struct wrong rows[] = {
#define ROW(text, what)                                                                            \
        {"SYNCHRONIZATION_PERIOD='" text "'",                                                      \
         "SYNCHRONIZATION_PERIOD: \"" text "\" " what PERIOD_RULE}
                ROW("0", "is out of range"),
                ROW("99ms", "is out of range"),
                ROW("31d", "is out of range"),
                ROW("99999999999999999999", "is out of range"),
                ROW("18446744073709551615d", "is out of range"),
                ROW("18446744073709551616", "is out of range"),
                ROW("-5", "cannot be read"),
                ROW("+5", "cannot be read"),
                ROW("5 s", "cannot be read"),
                ROW(" 5", "cannot be read"),
                ROW("5s ", "cannot be read"),
                ROW("5x", "cannot be read"),
                ROW("5S", "cannot be read"),
                ROW("1.5h", "cannot be read"),
                ROW("s", "cannot be read"),
                ROW("0x10", "cannot be read"),
                ROW("1h30m", "cannot be read"),
                ROW("10 minutes", "cannot be read"),
#undef ROW
        };

        check_wrong(rows, ARRAY_SIZE(rows));
}

TEST(rates)
{
        static const struct {
                const char *text;
                uint64_t bytes;
        } rows[] = {
                {"0", 0}, {"1024", 1024}, {"500K", 512000}, {"500k", 512000}, {"2M", 2097152},
                {"1m", 1048576}, {"1G", 1073741824}, {"1g", 1073741824},
        };
        struct world w;

        world_init(&w);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char line[100];

                snprintf(line, sizeof(line), "YDSYNC_UPLOAD_RATE=%s", rows[i].text);
                load_line(&w, line);
                check_str(str_z(&w.errors), "");
                check_eq(w.c.upload_rate, rows[i].bytes);
        }
        world_finish(&w);
}

TEST(numbers_and_words_that_are_none)
{
        static const struct wrong rows[] = {
                {"YDSYNC_UPLOAD_RATE=2",
                 "YDSYNC_UPLOAD_RATE: \"2\" is out of range" RATE_RULE},
                {"YDSYNC_UPLOAD_RATE=2MB",
                 "YDSYNC_UPLOAD_RATE: \"2MB\" cannot be read" RATE_RULE},
                {"YDSYNC_UPLOAD_RATE=17179869184G",
                 "YDSYNC_UPLOAD_RATE: \"17179869184G\" is out of range" RATE_RULE},
                {"YDSYNC_PARALLEL=0",
                 "YDSYNC_PARALLEL: \"0\" is out of range: write a number from 1 to 64"},
                {"YDSYNC_PARALLEL=65",
                 "YDSYNC_PARALLEL: \"65\" is out of range: write a number from 1 to 64"},
                {"YDSYNC_PARALLEL=4294967304",
                 "YDSYNC_PARALLEL: \"4294967304\" is out of range: write a number from 1 to 64"},
                {"YDSYNC_PARALLEL=eight",
                 "YDSYNC_PARALLEL: \"eight\" cannot be read: write a number from 1 to 64"},
                {"YDSYNC_PARALLEL=8.", "YDSYNC_PARALLEL: \"8.\" cannot be read: write a number "
                                       "from 1 to 64"},
                {"YDSYNC_API_RATE=1001",
                 "YDSYNC_API_RATE: \"1001\" is out of range: write requests a second, from 1 to "
                 "1000, or 0 for no limit"},
                {"YDSYNC_SETTLE=2d", "YDSYNC_SETTLE: \"2d\" is out of range: write seconds (3) or "
                                     "a time like 500ms or 1min, up to 1d"},
                {"YDSYNC_AUDIT_PERIOD=10ms",
                 "YDSYNC_AUDIT_PERIOD: \"10ms\" is out of range: write a time like 12h or 7d, from "
                 "1s to 365d, or 0 for never"},
                {"YDSYNC_DISGUISE=yes",
                 "YDSYNC_DISGUISE: \"yes\" is none of its words: write auto, always or never"},
                {"YDSYNC_DELETE=autotrash", "YDSYNC_DELETE: \"autotrash\" is none of its words: "
                                            "write trash, permanent or never"},
                {"YDSYNC_VERIFY=on",
                 "YDSYNC_VERIFY: \"on\" is none of its words: write batch, each or off"},
                {"YDSYNC_SYMLINKS=1",
                 "YDSYNC_SYMLINKS: \"1\" is none of its words: write skip or follow"},
                {"YDSYNC_LOG_LEVEL=loud", "YDSYNC_LOG_LEVEL: \"loud\" is none of its words: write "
                                          "error, warning, notice, info or debug"},
                {"YDSYNC_EXCLUDE=a,[b", "YDSYNC_EXCLUDE: the pattern \"[b\" matches nothing: its [ "
                                        "is not closed by a ]: write patterns as in .gitignore "
                                        "with commas between them (\\, is a comma in one)"},
        };

        check_wrong(rows, ARRAY_SIZE(rows));
}

TEST(max_delete)
{
        static const struct wrong rows[] = {
#define ROW(text)                                                                                  \
        {"YDSYNC_MAX_DELETE=" text,                                                                \
         "YDSYNC_MAX_DELETE: \"" text "\" cannot be read" MAX_DELETE_RULE}
                ROW("100"), ROW("10%"), ROW("/"), ROW("100/10"), ROW("/10%"), ROW("100/%"),
                ROW("100/10%%"), ROW("100 / 10%"), ROW("-1/10%"), ROW("99999999999999999999/10%"),
#undef ROW
                {"YDSYNC_MAX_DELETE=100/101%",
                 "YDSYNC_MAX_DELETE: \"100/101%\" is out of range" MAX_DELETE_RULE},
        };
        struct world w;

        check_wrong(rows, ARRAY_SIZE(rows));
        world_init(&w);
        load_line(&w, "YDSYNC_MAX_DELETE=5000/25%");
        check_eq(w.c.max_delete, 5000);
        check_eq(w.c.max_delete_percent, 25);
        world_finish(&w);
}

TEST(urls)
{
        static const struct {
                const char *text, *want;
        } rows[] = {
                {"https://example.org", "https://example.org"},
                {"https://example.org/", "https://example.org"},
                {"https://example.org:8443/base/path//", "https://example.org:8443/base/path"},
                {"HTTPS://Example.org", "HTTPS://Example.org"},
                {"https://[2001:db8::1]:443", "https://[2001:db8::1]:443"},
                {"http://127.0.0.1", "http://127.0.0.1"},
                {"http://127.255.3.4:80/x", "http://127.255.3.4:80/x"},
                {"http://localhost:65535", "http://localhost:65535"},
                {"http://LOCALHOST", "http://LOCALHOST"},
                {"http://[::1]", "http://[::1]"},
                {"http://[0:0:0:0:0:0:0:1]:8080", "http://[0:0:0:0:0:0:0:1]:8080"},
        };
        struct world w;

        world_init(&w);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char line[200];

                snprintf(line, sizeof(line), "YDSYNC_API_URL=%s", rows[i].text);
                load_line(&w, line);
                check_str(str_z(&w.errors), "");
                check_str(w.c.api_url, rows[i].want);
        }
        world_finish(&w);
}

TEST(urls_that_are_none)
{
#define PLAIN                                                                                      \
        "http:// would send the token in the clear, and is taken only to this machine "            \
        "(127.0.0.1, [::1], localhost)"
        static const struct wrong rows[] = {
#define ROW(text, what)                                                                            \
        {"YDSYNC_API_URL='" text "'",                                                              \
         "YDSYNC_API_URL: " what ": write an address like https://HOST or http://127.0.0.1:PORT"}
                ROW("cloud-api.yandex.net", "it does not begin with https://"),
                ROW("ftp://example.org", "it does not begin with https://"),
                ROW("https:/example.org", "it does not begin with https://"),
                ROW("http://example.org", PLAIN),
                ROW("http://10.0.0.1", PLAIN),
                ROW("http://128.0.0.1", PLAIN),
                ROW("http://0.0.0.0", PLAIN),
                ROW("http://127.1", PLAIN),
                ROW("http://127.0.0.1.example.org", PLAIN),
                ROW("http://localhost.example.org", PLAIN),
                ROW("http://[::2]", PLAIN),
                ROW("http://[::ffff:10.0.0.1]", PLAIN),
                ROW("https://", "its host or port cannot be read"),
                ROW("https:///path", "its host or port cannot be read"),
                ROW("https://:443", "its host or port cannot be read"),
                ROW("https://a:", "its host or port cannot be read"),
                ROW("https://a:0", "its host or port cannot be read"),
                ROW("https://a:65536", "its host or port cannot be read"),
                ROW("https://a:99999999999", "its host or port cannot be read"),
                ROW("https://a:80x", "its host or port cannot be read"),
                ROW("https://a:8:0", "its host or port cannot be read"),
                ROW("https://[::1", "its host or port cannot be read"),
                ROW("https://[::1]x", "its host or port cannot be read"),
                ROW("https://[]", "its host or port cannot be read"),
                ROW("https://[1.2.3.4]", "its host or port cannot be read"),
                ROW("https://a_b", "its host or port cannot be read"),
                ROW("https://me@example.org", "it holds a user name or a password"),
                ROW("https://me:secret@example.org", "it holds a user name or a password"),
                ROW("http://127.0.0.1@example.org", "it holds a user name or a password"),
                ROW("https://a?b=c", "it holds a query (?) or a fragment (#)"),
                ROW("https://a/x?b", "it holds a query (?) or a fragment (#)"),
                ROW("https://a/#b", "it holds a query (?) or a fragment (#)"),
                ROW("https://a b", "it holds a character that no URL has"),
                ROW("https://пример.рф", "it holds a character that no URL has"),
                ROW("https://a/\\x", "it holds a character that no URL has"),
#undef ROW
        };
#undef PLAIN

        check_wrong(rows, ARRAY_SIZE(rows));
}

TEST(tokens_that_are_none)
{
        static const char *const tokens[] = {"OAuth y0_secret", "y0_секрет", "y0_\\tsecret",
                                             "y0_secret\\n"};
        struct world w;

        world_init(&w);
        for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
                char text[300];

                snprintf(text, sizeof(text), "YANDEX_TOKEN=\"%s\"\nPATH_TO_FOLDER_ON_PC=/a\n"
                                             "NAME_FOLDER_CLOUD=b\n", tokens[i]);
                load_text(&w, text);
                check_str(str_z(&w.errors), "@/.env:1: YANDEX_TOKEN: " NO_TOKEN "\n");
        }
        world_finish(&w);
}

/* ---- folders ------------------------------------------------------------------------------- */

static void check_folder(const char *text, const char *want)
{
        struct world w;
        char env[500];

        world_init(&w);
        snprintf(env, sizeof(env), "YANDEX_TOKEN=t\nNAME_FOLDER_CLOUD=b\nPATH_TO_FOLDER_ON_PC='%s'",
                 text);
        load_text(&w, env);
        check_str(str_z(&w.errors), "");
        check_str(w.c.folder, want);
        world_finish(&w);
}

TEST(folders)
{
        check_folder("/a", "/a");
        check_folder("/a/b/", "/a/b");
        check_folder("//a///b//", "/a/b");
        check_folder("/a/./b/.", "/a/b");
        check_folder("/a b/ ", "/a b/ ");
        check_folder("/...", "/...");
        check_folder("/a/~/b", "/a/~/b");
        check_folder("~/docs", "/home/me/docs");
        check_folder("~//docs/", "/home/me/docs");
        check_folder("/~", "/~");
        check_folder("/Ж/é", "/Ж/é");
}

TEST(folders_that_are_none)
{
        static const struct {
                const char *text, *want;
        } rows[] = {
                {"docs", "\"docs\" is not an absolute path"},
                {"./docs", "\"./docs\" is not an absolute path"},
                {"$HOME/docs", "\"$HOME/docs\" is not an absolute path"},
                {"~you/docs", "\"~you/docs\" is not an absolute path"},
                {"C:\\docs", "\"C:\\docs\" is not an absolute path"},
                {"/a/../b", "there is a \"..\" in \"/a/../b\""},
                {"/a/..", "there is a \"..\" in \"/a/..\""},
                {"/", "\"/\" is the root of the whole system"},
                {"//./", "\"/\" is the root of the whole system"},
        };
        struct world w;

        world_init(&w);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char env[300], want[500];

                snprintf(env, sizeof(env), "YANDEX_TOKEN=t\nPATH_TO_FOLDER_ON_PC='%s'\n"
                                           "NAME_FOLDER_CLOUD=b\n", rows[i].text);
                snprintf(want, sizeof(want), "@/.env:2: PATH_TO_FOLDER_ON_PC: %s" FOLDER_RULE
                         "\n", rows[i].want);
                load_text(&w, env);
                check_str(str_z(&w.errors), want);
        }
        world_finish(&w);
}

TEST(a_log_folder_must_be_absolute)
{
        static const struct wrong rows[] = {
                {"PATH_FILE_LOG=log", "PATH_FILE_LOG: \"log\" is not an absolute path: write the "
                                      "folder for the log file" PATH_RULE ", or nothing"},
                {"YDSYNC_STATE_DIR=.", "YDSYNC_STATE_DIR: \".\" is not an absolute path: write a "
                                       "folder for ydsync's own notes" PATH_RULE},
        };

        check_wrong(rows, ARRAY_SIZE(rows));
}

TEST(home_comes_from_the_user_database_else)
{
        struct world w;

        world_init(&w);
        unsetenv("HOME");
        load_text(&w, "YANDEX_TOKEN=t\nNAME_FOLDER_CLOUD=b\nPATH_TO_FOLDER_ON_PC=~/x/y\n");
        check_str(str_z(&w.errors), "");
        check(w.c.folder && *w.c.folder == '/');
        world_finish(&w);
}

TEST(cloud_folders)
{
        static const struct {
                const char *text, *want;
        } rows[] = {
                {"Backup", "disk:/Backup"},
                {"Backup/Docs", "disk:/Backup/Docs"},
                {"/Backup/Docs", "disk:/Backup/Docs"},
                {"disk:/Backup/Docs", "disk:/Backup/Docs"},
                {"Backup/Docs/", "disk:/Backup/Docs"},
                {"/Backup//", "disk:/Backup"},
                {"app:/Docs", "app:/Docs"},
                {"app:/Docs/", "app:/Docs"},
                {"Резервные копии/Ёж", "disk:/Резервные копии/Ёж"},
                {"Backup: 2024/a", "disk:/Backup: 2024/a"},
                {"disk:/a:/b", "disk:/a:/b"},
                {"\" a\"", "disk:/ a"},
                {"diskette", "disk:/diskette"},
        };
        struct world w;

        world_init(&w);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char env[300];

                snprintf(env, sizeof(env), "YANDEX_TOKEN=t\nPATH_TO_FOLDER_ON_PC=/a\n"
                                           "NAME_FOLDER_CLOUD=%s", rows[i].text);
                load_text(&w, env);
                check_str(str_z(&w.errors), "");
                check_str(w.c.cloud, rows[i].want);
        }
        world_finish(&w);
}

TEST(cloud_folders_that_are_none)
{
        static const struct {
                const char *text, *want;
        } rows[] = {
                {"/", "\"/\" is the root itself, which ydsync leaves alone"},
                {"disk:/", "\"disk:/\" is the root itself, which ydsync leaves alone"},
                {"disk:///", "\"disk:///\" is the root itself, which ydsync leaves alone"},
                {"app:/", "\"app:/\" is the root itself, which ydsync leaves alone"},
                {"trash:/a", "\"trash:/a\" is in the Trash"},
                {"Trash:a", "\"Trash:a\" is in the Trash"},
                {"disk:a", "a slash is missing after \"disk:\""},
                {"app:", "a slash is missing after \"app:\""},
                {"Disk:/a", "\"Disk:/a\" is on neither disk:/ nor app:/"},
                {"photounlim:/a", "\"photounlim:/a\" is on neither disk:/ nor app:/"},
                {"a//b", "\"a//b\" cannot be a folder there: it has an empty name in its path"},
                {"//a", "\"//a\" cannot be a folder there: it has an empty name in its path"},
                {"a/../b", "\"a/../b\" cannot be a folder there: its path holds a \".\" or \"..\""},
                {"\"a\\nb\"", "\"a\\x0ab\" cannot be a folder there: its name holds a control "
                              "character"},
        };
        struct world w;

        world_init(&w);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char env[300], want[500];

                snprintf(env, sizeof(env), "YANDEX_TOKEN=t\nPATH_TO_FOLDER_ON_PC=/a\n"
                                           "NAME_FOLDER_CLOUD=%s", rows[i].text);
                snprintf(want, sizeof(want), "@/.env:3: NAME_FOLDER_CLOUD: %s" CLOUD_RULE "\n",
                         rows[i].want);
                load_text(&w, env);
                check_str(str_z(&w.errors), want);
        }
        world_finish(&w);
}

TEST(own_files_stay_out_of_the_watched_folder)
{
        static const struct {
                const char *line, *want;
        } rows[] = {
                {"YDSYNC_STATE_DIR=/home/me/docs/.state",
                 "the folder of YDSYNC_STATE_DIR, \"/home/me/docs/.state\", lies in it, and ydsync "
                 "would mirror its own files for ever"},
                {"YDSYNC_STATE_DIR=/home/me/docs",
                 "the folder of YDSYNC_STATE_DIR, \"/home/me/docs\", lies in it, and ydsync would "
                 "mirror its own files for ever"},
                {"PATH_FILE_LOG=~/docs/log",
                 "the folder of PATH_FILE_LOG, \"/home/me/docs/log\", lies in it, and ydsync would "
                 "mirror its own files for ever"},
        };
        struct world w;

        world_init(&w);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char want[500];

                snprintf(want, sizeof(want), "@/.env:2: PATH_TO_FOLDER_ON_PC: %s: write another "
                                             "folder for one of the two\n", rows[i].want);
                load_line(&w, rows[i].line);
                check_str(str_z(&w.errors), want);
        }
        load_line(&w, "PATH_FILE_LOG=/home/me/docs-log");
        check_str(str_z(&w.errors), "");
        world_finish(&w);
}

TEST(own_files_stay_out_through_symlinks_too)
{
        struct world w;
        char env[1000];

        world_init(&w);
        scratch_dir(&w.s, "real");
        scratch_link(&w.s, "real", "link");
        snprintf(env, sizeof(env), "YANDEX_TOKEN=t\nPATH_TO_FOLDER_ON_PC=%s/link\n"
                                   "NAME_FOLDER_CLOUD=b\nPATH_FILE_LOG=%s/real/not/there\n",
                 w.s.path, w.s.path);
        load_text(&w, env);
        check_str(str_z(&w.errors),
                  "@/.env:2: PATH_TO_FOLDER_ON_PC: the folder of PATH_FILE_LOG, "
                  "\"@/real/not/there\", lies in it, and ydsync would mirror its own files for "
                  "ever: write another folder for one of the two\n");
        world_finish(&w);
}

TEST(state_folder)
{
        struct world w;

        world_init(&w);
        setenv("XDG_STATE_HOME", "/xdg/state", 1);
        load_text(&w, BASE);
        check_str(w.c.state_dir, "/xdg/state/ydsync");
        setenv("XDG_STATE_HOME", "relative", 1);
        load_text(&w, BASE);
        check_str(w.c.state_dir, "/home/me/.local/state/ydsync");
        setenv("STATE_DIRECTORY", "/srv/state/one:/srv/state/two", 1);
        load_text(&w, BASE);
        check_str(w.c.state_dir, "/srv/state/one");
        load_line(&w, "YDSYNC_STATE_DIR=~/s");
        check_str(w.c.state_dir, "/home/me/s");
        world_finish(&w);
}

/* ---- where values come from ---------------------------------------------------------------- */

TEST(the_environment_wins)
{
        struct world w;

        world_init(&w);
        setenv("YANDEX_TOKEN", "from-env", 1);
        setenv("SYNCHRONIZATION_PERIOD", "1h", 1);
        setenv("YDSYNC_PARALLEL", "", 1);
        load_text(&w, BASE "SYNCHRONIZATION_PERIOD=nonsense\nYDSYNC_PARALLEL=3\n");
        check_str(str_z(&w.errors), "");
        check_str(w.c.token, "from-env");
        check_eq(w.c.period_ms, 3600000);
        check_eq(w.c.parallel, 8); /* set to nothing: the default */
        world_finish(&w);
}

TEST(mistakes_in_the_environment)
{
        struct world w;

        world_init(&w);
        setenv("YANDEX_TOKEN", "my secret", 1);
        setenv("NAME_FOLDER_CLOUD", "", 1);
        setenv("YDSYNC_PARALLEL", "65", 1);
        load_text(&w, BASE);
        check_str(str_z(&w.errors),
                  "environment: YANDEX_TOKEN: " NO_TOKEN "\n"
                  "environment: NAME_FOLDER_CLOUD: it is empty" CLOUD_RULE "\n"
                  "environment: YDSYNC_PARALLEL: \"65\" is out of range: write a number from 1 to "
                  "64\n");
        world_finish(&w);
}

TEST(the_environment_alone_is_enough)
{
        struct world w;

        if (access("/etc/ydsync/.env", F_OK) == 0)
                return;
        world_init(&w);
        setenv("HOME", w.s.path, 1);
        setenv("YANDEX_TOKEN", "t", 1);
        setenv("PATH_TO_FOLDER_ON_PC", "/a", 1);
        setenv("NAME_FOLDER_CLOUD", "b", 1);
        load(&w, NULL);
        check_str(str_z(&w.errors), "");
        check(w.c.file == NULL);
        check_str(w.c.cloud, "disk:/b");
        world_finish(&w);
}

static void load_with_credential(struct world *w, const char *bytes, size_t n)
{
        char path[300];
        FILE *f;

        snprintf(path, sizeof(path), "%s/ydsync.token", w->s.path);
        f = fopen(path, "w");
        if (!f || fwrite(bytes, 1, n, f) != n || fclose(f) != 0)
                abort();
        scratch_mode(&w->s, "ydsync.token", 0400);
        setenv("CREDENTIALS_DIRECTORY", w->s.path, 1);
        load_text(w, BASE);
        scratch_remove(&w->s, "ydsync.token");
}

TEST(the_credential_wins_over_the_file)
{
        struct world w;

        world_init(&w);
        load_with_credential(&w, "y0_cred", 7);
        check_str(str_z(&w.errors), "");
        check_str(str_z(&w.warnings), "");
        check_str(w.c.token, "y0_cred");
        load_with_credential(&w, "y0_cred\r\n\n", 10);
        check_str(w.c.token, "y0_cred");
        setenv("YANDEX_TOKEN", "from-env", 1);
        load_with_credential(&w, "", 0); /* not even looked at */
        check_str(str_z(&w.errors), "");
        check_str(w.c.token, "from-env");
        unsetenv("YANDEX_TOKEN");
        load_text(&w, BASE); /* the folder without the credential */
        check_str(str_z(&w.errors), "");
        check_str(w.c.token, "y0_token");
        world_finish(&w);
}

TEST(an_empty_credential_is_none)
{
        struct world w;

        world_init(&w);
        load_with_credential(&w, " \n", 2);
        check_str(str_z(&w.errors), "");
        check_str(w.c.token, "y0_token");
        world_finish(&w);
}

TEST(mistakes_in_the_credential)
{
        static char large[5000];
        struct world w;

        world_init(&w);
        load_with_credential(&w, "y0_se\0cret", 10);
        check_str(str_z(&w.errors), "credential ydsync.token: there is a NUL byte in it: store the "
                                    "token alone in it\n");
        load_with_credential(&w, "YANDEX_TOKEN = y0_secret", 24);
        check_str(str_z(&w.errors), "credential ydsync.token: " NO_TOKEN "\n");
        memset(large, 'x', sizeof(large));
        load_with_credential(&w, large, sizeof(large));
        check_str(str_z(&w.errors), "credential ydsync.token: it is larger than any token: store "
                                    "the token alone in it\n");
        scratch_dir(&w.s, "ydsync.token");
        load_text(&w, BASE);
        check_str(str_z(&w.errors),
                  "credential ydsync.token: it is a folder: name the file in it\n");
        world_finish(&w);
}

TEST(the_order_of_places)
{
        struct world w;
        char path[300];

        if (access("/etc/ydsync/.env", F_OK) == 0)
                return;
        world_init(&w);
        setenv("HOME", w.s.path, 1);
        scratch_dir(&w.s, ".config");
        scratch_dir(&w.s, ".config/ydsync");
        scratch_file(&w.s, ".config/ydsync/.env", BASE "YDSYNC_PARALLEL=1");
        load(&w, NULL);
        check_eq(w.c.parallel, 1);
        scratch_dir(&w.s, "xdg");
        scratch_dir(&w.s, "xdg/ydsync");
        scratch_file(&w.s, "xdg/ydsync/.env", BASE "YDSYNC_PARALLEL=2");
        snprintf(path, sizeof(path), "%s/xdg", w.s.path);
        setenv("XDG_CONFIG_HOME", path, 1);
        load(&w, NULL);
        check_eq(w.c.parallel, 2);
        scratch_file(&w.s, "third", BASE "YDSYNC_PARALLEL=3");
        snprintf(path, sizeof(path), "%s/third", w.s.path);
        setenv("YDSYNC_ENV", path, 1);
        load(&w, NULL);
        check_eq(w.c.parallel, 3);
        check_str(w.c.file, path);
        scratch_file(&w.s, ".env", BASE "YDSYNC_PARALLEL=4");
        load(&w, w.env);
        check_eq(w.c.parallel, 4);
        setenv("YDSYNC_ENV", "", 1);
        load(&w, NULL);
        check_eq(w.c.parallel, 2);
        world_finish(&w);
}

/* ---- the file itself ----------------------------------------------------------------------- */

TEST(a_named_file_must_be_a_file)
{
        struct world w;

        world_init(&w);
        load(&w, w.env);
        check_str(str_z(&w.errors), "@/.env: " NO_FILE "\n");
        setenv("YDSYNC_ENV", w.env, 1);
        load(&w, NULL);
        check_str(str_z(&w.errors), "@/.env: " NO_FILE "\n");
        load(&w, w.s.path);
        check_str(str_z(&w.errors), "@: it is a folder: name the file in it\n");
        scratch_fifo(&w.s, ".env");
        load(&w, w.env);
        check_str(str_z(&w.errors), "@/.env: it is not a regular file\n");
        load(&w, "/dev/null");
        check_str(str_z(&w.errors), "/dev/null: it is not a regular file\n");
        load(&w, "");
        check_str(str_z(&w.errors), ": " NO_FILE "\n");
        world_finish(&w);
}

static void load_as_nobody(const void *arg)
{
        struct world w = *(const struct world *)arg;

        scratch_be_nobody();
        load(&w, w.env);
        check_str(str_z(&w.errors), "@/.env: it cannot be read: Permission denied: let this user "
                                    "read it, or run as one who can\n");
        config_finish(&w.c);
        str_finish(&w.errors);
        str_finish(&w.warnings);
}

TEST(a_file_that_cannot_be_read)
{
        struct world w;

        world_init(&w);
        scratch_file(&w.s, ".env", BASE);
        scratch_mode(&w.s, ".env", 0);
        scratch_child(load_as_nobody, &w);
        world_finish(&w);
}

TEST(a_file_that_is_too_large)
{
        struct world w;
        struct str text = STR_NULL(ROOM);

        world_init(&w);
        str_adds(&text, BASE);
        while (text.len <= DOTENV_MAX)
                str_adds(&text, "# and so on\n");
        load_text(&w, str_z(&text));
        check(str_starts(str_z(&w.errors), "@/.env: the file is larger than 64 KiB: leave out what "
                                           "does not belong there\n"));
        str_finish(&text);
        world_finish(&w);
}

TEST(no_file_at_all)
{
        struct world w;

        if (access("/etc/ydsync/.env", F_OK) == 0)
                return;
        world_init(&w);
        setenv("HOME", w.s.path, 1);
        setenv("YANDEX_TOKEN", "t", 1);
        setenv("PATH_TO_FOLDER_ON_PC", "/a", 1);
        load(&w, NULL);
        if (geteuid() == 0)
                check_str(str_z(&w.errors),
                          "/etc/ydsync/.env: there is no such file, nor @/.config/ydsync/.env: "
                          "copy .env.template there and fill it in\n"
                          "/etc/ydsync/.env: NAME_FOLDER_CLOUD: it is missing" CLOUD_RULE "\n");
        else
                check_str(str_z(&w.errors),
                          "@/.config/ydsync/.env: there is no such file: copy .env.template there "
                          "and fill it in\n"
                          "@/.config/ydsync/.env: NAME_FOLDER_CLOUD: it is missing" CLOUD_RULE
                          "\n");
        world_finish(&w);
}

TEST(all_mistakes_are_told_at_once)
{
        struct world w;

        world_init(&w);
        load_text(&w, "# my settings\n"
                      "YANDEX_TOKEN=\"y0_secret\n"
                      "PATH_TO_FOLDER_ON_PC=docs\n"
                      "\n"
                      "NAME_FOLDER_CLOUD\n"
                      "SYNCHRONIZATION_PERIOD=soon\n"
                      "YDSYNC_PARALLEL=8\n"
                      "YDSYNC_PARALLEL=9\n"
                      "YDSYNC_VERIFI=each\n"
                      "COLOUR=blue\n");
        check_str(str_z(&w.errors),
                  "@/.env:2: YANDEX_TOKEN: the opening \" is not closed: write \" at the end of "
                  "the value, in the same line\n"
                  "@/.env:5: there is no \"=\": write KEY=value, or begin the line with # to make "
                  "it a comment\n"
                  "@/.env:8: YDSYNC_PARALLEL: it stands already in line 7: keep one of the two\n"
                  "@/.env:3: PATH_TO_FOLDER_ON_PC: \"docs\" is not an absolute path" FOLDER_RULE
                  "\n"
                  "@/.env: NAME_FOLDER_CLOUD: it is missing" CLOUD_RULE "\n"
                  "@/.env:6: SYNCHRONIZATION_PERIOD: \"soon\" cannot be read" PERIOD_RULE "\n");
        check_str(str_z(&w.warnings),
                  "@/.env:9: YDSYNC_VERIFI: unknown key, it is ignored; did you mean "
                  "YDSYNC_VERIFY?\n"
                  "@/.env:10: COLOUR: unknown key, it is ignored\n");
        world_finish(&w);
}

TEST(what_is_missing)
{
        struct world w;

        world_init(&w);
        load_text(&w, "YANDEX_TOKEN=\n");
        check_str(str_z(&w.errors),
                  "@/.env:1: YANDEX_TOKEN: it is empty" TOKEN_RULE "\n"
                  "@/.env: PATH_TO_FOLDER_ON_PC: it is missing" FOLDER_RULE "\n"
                  "@/.env: NAME_FOLDER_CLOUD: it is missing" CLOUD_RULE "\n");
        world_finish(&w);
}

TEST(the_nearest_name)
{
        check_str(config_key_nearest("YDSYNC_PARALEL"), "YDSYNC_PARALLEL");
        check_str(config_key_nearest("YDSYNC_APIRATE"), "YDSYNC_API_RATE");
        check_str(config_key_nearest("SYNCHRONISATION_PERIOD"), "SYNCHRONIZATION_PERIOD");
        check_str(config_key_nearest("PATH_TO_FOLDER"), "PATH_TO_FOLDER_ON_PC");
        check_str(config_key_nearest("YDSYNC_OAUTH"), "YDSYNC_OAUTH_URL");
        check(config_key_nearest("") == NULL);
        check(config_key_nearest("TZ") == NULL);
        check(config_key_nearest("COMPLETELY_DIFFERENT_AND_MUCH_LONGER_THAN_ALL_OF_THEM") == NULL);
}

TEST(others_who_can_read_the_token)
{
        struct world w;

        world_init(&w);
        load_text(&w, BASE);
        scratch_mode(&w.s, ".env", 0644);
        load(&w, w.env);
        check_str(str_z(&w.errors), "");
        check_str(str_z(&w.warnings), "@/.env: it holds the token, and everybody on this machine "
                                      "can read it: chmod 600 @/.env\n");
        scratch_file(&w.s, ".env", "PATH_TO_FOLDER_ON_PC=/a\nNAME_FOLDER_CLOUD=b\nYANDEX_TOKEN=\n");
        setenv("YANDEX_TOKEN", "t", 1);
        load(&w, w.env); /* no token in it */
        check_str(str_z(&w.warnings), "");
        world_finish(&w);
}

TEST(groups_that_can_read_the_token)
{
        struct world w;

        if (geteuid() != 0)
                return;
        world_init(&w);
        load_text(&w, BASE);
        scratch_mode(&w.s, ".env", 0640);
        require(chown(w.env, 0, 0) == 0);
        load(&w, w.env); /* root's group: as the package has it where there is no ydsync */
        check_str(str_z(&w.warnings), "");
        require(chown(w.env, 0, 54321) == 0);
        load(&w, w.env);
        check_str(str_z(&w.warnings), "@/.env: it holds the token, and its whole group can read "
                                      "it: chmod 600 @/.env\n");
        world_finish(&w);
}

TEST(the_chmod_can_be_pasted)
{
        struct world w;
        char path[300];

        world_init(&w);
        scratch_file(&w.s, "my env", BASE);
        scratch_mode(&w.s, "my env", 0604);
        snprintf(path, sizeof(path), "%s/my env", w.s.path);
        load(&w, path);
        check_str(str_z(&w.warnings), "@/my env: it holds the token, and everybody on this machine "
                                      "can read it: chmod 600 '@/my env'\n");
        world_finish(&w);
}

TEST(the_state_of_the_system_goes_with_its_env)
{
        static const struct {
                const char *env_file, *dir;
        } t[] = {
                {"/etc/ydsync/.env", "/var/lib/ydsync"},
                {"/etc/ydsync/photos/.env", "/var/lib/ydsync/photos"},
                {"/etc/ydsync/photos/env", NULL},
                {"/etc/ydsync/a/b/.env", NULL},
                {"/etc/ydsync/../.env", NULL},
                {"/etc/ydsync//.env", NULL},
                {"/etc/ydsync", NULL},
                {"/home/a/etc/ydsync/.env", NULL},
                {"etc/ydsync/.env", NULL},
                {"", NULL},
                {NULL, NULL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
                char *dir = system_state_dir(t[i].env_file);

                check_str(dir ? dir : "none", t[i].dir ? t[i].dir : "none");
                free(dir);
        }
}

/* ---- promises ------------------------------------------------------------------------------ */

TEST(nothing_is_touched_on_failure)
{
        struct world w;
        struct config c = {.parallel = 77};
        struct str errors = STR_NULL(10), warnings = STR_NULL(10);

        world_init(&w);
        check_eq(config_load(&c, "/nowhere/at/all", &errors, &warnings), -EINVAL);
        check_eq(c.parallel, 77); /* and that the remarks found no room changes nothing */
        str_finish(&errors);
        str_finish(&warnings);
        world_finish(&w);
}

TEST(finish_is_safe_twice)
{
        struct world w;
        struct config c = {0};

        config_finish(&c);
        world_init(&w);
        load_text(&w, BASE);
        config_finish(&w.c);
        check(w.c.token == NULL);
        config_finish(&w.c);
        world_finish(&w);
}

/* ---- what the defaults mean ---------------------------------------------------------------- */

TEST(the_default_list_leaves_litter_out_and_keeps_the_rest)
{
        static const char *const litter[] = {
                "a.txt~", ".a.txt.swp", ".a.txt.swo", ".a.kate-swp", "#a#", ".#a", ".~lock.a.odt#",
                "~$a.docx", ".goutputstream-X1", "a.zip.crdownload", "a.zip.part", "Thumbs.db",
                "d/Thumbs.db", "desktop.ini", ".DS_Store", ".fuse_hidden0001",
                ".nfs00000000012345670000abcd",
        };
        static const char *const folders[] = {
                "lost+found", ".Trash-1000", "d/.Trash-1000", "$RECYCLE.BIN", ".sync", "@eaDir",
                "System Volume Information", ".thumbnails", ".Trashes",
        };
        static const char *const kept[] = {
                "a", "a.tmp", "a.bak", "a.old", ".directory", "._a", ".git", "a.part1.rar", "a.swp",
                ".bashrc", ".ydignore", ".nfsrc", "lost+found", "~", "a~b", "part", "core",
                "node_modules", ".env", "a#", "#a", ".stversions", "Icon",
        };
        struct match *m = NULL;

        require(match_create(&m, config_key_find("YDSYNC_EXCLUDE")->fallback, NULL) == 0);
        for (size_t i = 0; i < ARRAY_SIZE(litter); i++)
                if (!match_excludes(m, litter[i], false))
                        check_fail("%s is kept", litter[i]);
        for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
                if (!match_excludes(m, folders[i], true))
                        check_fail("%s/ is kept", folders[i]);
        for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
                if (match_excludes(m, kept[i], false) && !str_eq(kept[i], "~"))
                        check_fail("%s is left out", kept[i]);
        match_destroy(m);
}

TEST(a_list_of_nothing)
{
        struct world w;
        struct match *m = NULL;

        world_init(&w);
        load_line(&w, "YDSYNC_EXCLUDE=,");
        check_str(str_z(&w.errors), "");
        require(match_create(&m, w.c.exclude, NULL) == 0);
        check(!match_excludes(m, "a~", false));
        match_destroy(m);
        world_finish(&w);
}

/* ---- .env.template ------------------------------------------------------------------------- */

/* The text of .env.template; with `all`, its "#KEY=" lines without their "#". */
static void read_template(struct str *text, bool all)
{
        const char *root = getenv("SOURCE_ROOT");
        char path[4096], line[4096];
        FILE *f;

        snprintf(path, sizeof(path), "%s/.env.template", root ? root : ".");
        f = fopen(path, "r");
        if (!f) {
                check_fail("%s: %s (set SOURCE_ROOT)", path, strerror(errno));
                return;
        }
        while (fgets(line, sizeof(line), f))
                str_adds(text, line + (all && line[0] == '#' && line[1] >= 'A' && line[1] <= 'Z'));
        fclose(f);
}

TEST(template_names_exactly_the_known_keys)
{
        static const char *const old[] = {
                "YANDEX_TOKEN", "PATH_TO_FOLDER_ON_PC", "NAME_FOLDER_CLOUD",
                "SYNCHRONIZATION_PERIOD", "PATH_FILE_LOG",
        };
        struct str text = STR_NULL(ROOM);
        struct dotenv d;

        read_template(&text, false);
        require(dotenv_parse(&d, str_z(&text), text.len) == 0);
        check_eq(d.n_mistakes, 0);
        check_eq(d.n_pairs, ARRAY_SIZE(old));
        for (size_t i = 0; i < d.n_pairs && i < ARRAY_SIZE(old); i++)
                check_str(d.pairs[i].key, old[i]);
        dotenv_finish(&d);
        str_clear(&text);
        read_template(&text, true);
        require(dotenv_parse(&d, str_z(&text), text.len) == 0);
        check_eq(d.n_mistakes, 0);
        check_eq(d.n_pairs, CONFIG_KEYS);
        for (size_t i = 0; i < d.n_pairs; i++) {
                const struct config_key *k = config_key_find(d.pairs[i].key);

                if (!k)
                        check_fail("%s is unknown", d.pairs[i].key);
                else
                        check_str(d.pairs[i].value, k->fallback ? k->fallback : "");
        }
        dotenv_finish(&d);
        str_finish(&text);
}

TEST(template_is_a_good_start)
{
        struct str text = STR_NULL(ROOM);
        struct world w;

        read_template(&text, true);
        world_init(&w);
        setenv("YANDEX_TOKEN", "t", 1);
        setenv("PATH_TO_FOLDER_ON_PC", "/a", 1);
        setenv("NAME_FOLDER_CLOUD", "b", 1);
        load_text(&w, str_z(&text));
        check_str(str_z(&w.errors), "");
        check_str(str_z(&w.warnings), "");
        check_eq(w.c.period_ms, 30000);
        str_finish(&text);
        world_finish(&w);
}

/* ---- two configurations ---------------------------------------------------------------------- */

/* How many keys have another value in the two. */
static unsigned differences(const struct config *a, const struct config *b)
{
        unsigned n = 0;

        for (size_t i = 0; i < CONFIG_KEYS; i++)
                n += !config_key_same(&config_key_table[i], a, b);
        return n;
}

TEST(a_copy_is_the_same_and_its_own)
{
        struct config copy;
        struct world w;

        world_init(&w);
        load_text(&w, BASE "YDSYNC_MAX_DELETE=7/3%\nPATH_FILE_LOG=/var/log\n");
        require(config_copy(&copy, &w.c) == 0);
        check_eq(differences(&copy, &w.c), 0);
        check(copy.folder != w.c.folder && copy.token != w.c.token);
        check_str(copy.file, w.c.file);
        load_text(&w, BASE);
        check_eq(differences(&copy, &w.c), 2);
        check_str(copy.log_dir, "/var/log");
        for (size_t i = 0; i < CONFIG_KEYS; i++)
                check_eq(config_key_copy(&config_key_table[i], &copy, &w.c), 0);
        check_eq(differences(&copy, &w.c), 0);
        check(!copy.log_dir);
        config_finish(&copy);
        world_finish(&w);
}

TEST(a_percentage_alone_is_a_difference)
{
        struct config copy;
        struct world w;

        world_init(&w);
        load_text(&w, BASE "YDSYNC_MAX_DELETE=100/11%\n");
        require(config_copy(&copy, &w.c) == 0);
        load_text(&w, BASE);
        check_eq(differences(&copy, &w.c), 1);
        config_finish(&copy);
        world_finish(&w);
}

TEST(a_configuration_knows_its_lines)
{
        struct world w;

        world_init(&w);
        setenv("NAME_FOLDER_CLOUD", "elsewhere", 1);
        load_text(&w, BASE);
        check_eq(w.c.lines[config_key_find("PATH_TO_FOLDER_ON_PC") - config_key_table], 2);
        check_eq(w.c.lines[config_key_find("NAME_FOLDER_CLOUD") - config_key_table], 0);
        check_eq(w.c.lines[config_key_find("YDSYNC_PARALLEL") - config_key_table], 0);
        world_finish(&w);
}
