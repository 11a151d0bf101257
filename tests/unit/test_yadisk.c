/* SPDX-License-Identifier: MIT */

/* Requests as URLs, replies as structs, and what an answer means. */

#include "lib/yadisk/yadisk.h"

#include "lib/yadisk/verdict.h"
#include "lib/yadisk/yadisk_json.h"
#include "tests/unit/check.h"
#include "tests/unit/seed.h"

#include <errno.h>

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

static const struct yadisk y = {.api_url = "https://api", .root = "disk:/R"};

/* ---- URLs ------------------------------------------------------------------------------------ */

static void check_url(struct str *url, const char *want)
{
        check(!url->failed);
        check_str(str_z(url), want);
}

TEST(paths)
{
        static const struct yadisk deep = {.api_url = "https://api", .root = "disk:/a b/c"};
        static const struct yadisk app = {.api_url = "https://api", .root = "app:/Docs"};
        _cleanup_(str_finish) struct str s = STR_NULL(1000);

        yadisk_path(&s, &y, "");
        check_url(&s, "disk:/R");
        yadisk_path(&s, &y, "a/b");
        check_url(&s, "disk:/R/a/b");
        yadisk_path(&s, &deep, "x");
        check_url(&s, "disk:/a b/c/x");
        yadisk_path(&s, &app, "x");
        check_url(&s, "app:/Docs/x");
        yadisk_path_beside(&s, &y, "a", "w");
        check_url(&s, "disk:/R/w");
        yadisk_path_beside(&s, &y, "a/b/c", "w");
        check_url(&s, "disk:/R/a/b/w");
}

TEST(nasty_names)
{
        static const struct {
                const char *key, *want;
        } rows[] = {
                {"plain", "plain"},
                {"AZaz09-._~", "AZaz09-._~"},
                {"a+b", "a%2Bb"},
                {"a&b=c", "a%26b%3Dc"},
                {"#1", "%231"},
                {"100%", "100%25"},
                {"%41", "%2541"},
                {"why?", "why%3F"},
                {"a:b", "a%3Ab"},
                {"disk:", "disk%3A"},
                {"a\\b", "a%5Cb"},
                {"\"q\" 'q'", "%22q%22%20%27q%27"},
                {" lead and trail ", "%20lead%20and%20trail%20"},
                {"trailing.", "trailing."},
                {"-rf", "-rf"},
                {"a;b,c@d!e*f(g)", "a%3Bb%2Cc%40d%21e%2Af%28g%29"},
                {"[x]{y}<z>|^`$", "%5Bx%5D%7By%7D%3Cz%3E%7C%5E%60%24"},
                {"\xd0\xb9", "%D0%B9"},                 /* NFC */
                {"\xd0\xb8\xcc\x86", "%D0%B8%CC%86"},   /* NFD of the same */
                {"\xf0\x9f\x98\x80", "%F0%9F%98%80"},   /* emoji */
                {"a/b", "a%2Fb"},
                {"\x01\x7f\xff", "%01%7F%FF"},
        };
        _cleanup_(str_finish) struct str path = STR_NULL(1000), url = STR_NULL(1000);

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(str_finish) struct str want = STR_NULL(1000);

                str_addf(&want, "https://api/v1/disk/resources?path=disk%%3A%%2FR%%2F%s",
                         rows[i].want);
                yadisk_path(&path, &y, rows[i].key);
                yadisk_url_mkdir(&url, &y, str_z(&path));
                check_url(&url, str_z(&want));
        }
}

TEST(endpoints)
{
        static const uint8_t md5[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                        0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99, 0x88};
        _cleanup_(str_finish) struct str url = STR_NULL(YADISK_URL_MAX);

        yadisk_url_look(&url, &y, "disk:/a");
        check_url(&url, "https://api/v1/disk/resources?path=disk%3A%2Fa&limit=0"
                        "&fields=type,size,md5");
        yadisk_url_account(&url, &y);
        check_url(&url, "https://api/v1/disk?fields=user.uid");
        yadisk_url_list(&url, &y, "disk:/a", 0);
        check_url(&url, "https://api/v1/disk/resources?path=disk%3A%2Fa&limit=1000&offset=0"
                        "&sort=name&fields=type,_embedded.total,_embedded.offset,"
                        "_embedded.items.name,_embedded.items.type,_embedded.items.size,"
                        "_embedded.items.md5");
        yadisk_url_list(&url, &y, "disk:/a", UINT64_MAX);
        check(strstr(str_z(&url), "&offset=18446744073709551615&") != NULL);
        yadisk_url_upload(&url, &y, "disk:/a", true);
        check_url(&url, "https://api/v1/disk/resources/upload?path=disk%3A%2Fa&overwrite=true");
        yadisk_url_upload(&url, &y, "disk:/a", false);
        check_url(&url, "https://api/v1/disk/resources/upload?path=disk%3A%2Fa&overwrite=false");
        yadisk_url_move(&url, &y, "disk:/a+", "disk:/b&c", false);
        check_url(&url, "https://api/v1/disk/resources/move?from=disk%3A%2Fa%2B"
                        "&path=disk%3A%2Fb%26c&overwrite=false");
        yadisk_url_move(&url, &y, "disk:/a", "disk:/b", true);
        check_url(&url, "https://api/v1/disk/resources/move?from=disk%3A%2Fa"
                        "&path=disk%3A%2Fb&overwrite=true");
        yadisk_url_delete(&url, &y, "disk:/a", NULL, false);
        check_url(&url, "https://api/v1/disk/resources?path=disk%3A%2Fa&permanently=false");
        yadisk_url_delete(&url, &y, "disk:/a", md5, true);
        check_url(&url, "https://api/v1/disk/resources?path=disk%3A%2Fa"
                        "&md5=0123456789abcdefffeeddccbbaa9988&permanently=true");
        yadisk_url_operation(&url, &y, "/v1/disk/operations/ab12");
        check_url(&url, "https://api/v1/disk/operations/ab12");
}

/* A path that was cut short would name another thing: the folder above, in the end the whole
 * cloud folder. */
TEST(a_path_that_does_not_fit_names_nothing)
{
        for (size_t max = 0; max < 20; max++) {
                struct str path = STR_NULL(max), url = STR_NULL(1000);

                yadisk_path(&path, &y, "folder/file");
                if (path.failed)
                        check_str(str_z(&path), "");
                else
                        check_str(str_z(&path), "disk:/R/folder/file");
                check_eq(path.failed, max < strlen("disk:/R/folder/file"));
                yadisk_url_delete(&url, &y, str_z(&path), NULL, true);
                check_eq(url.failed, path.failed);
                yadisk_url_move(&url, &y, "disk:/R/from", str_z(&path), true);
                check_eq(url.failed, path.failed);

                yadisk_path_beside(&path, &y, "folder/file", "wire");
                check_str(str_z(&path), path.failed ? "" : "disk:/R/folder/wire");
                yadisk_url_move(&url, &y, str_z(&path), "disk:/R/to", true);
                check_eq(url.failed, path.failed);
                str_finish(&path);
                str_finish(&url);
        }
}

TEST(a_url_that_does_not_fit_has_failed)
{
        for (size_t max = 0; max < 80; max++) {
                struct str url = STR_NULL(max);

                yadisk_url_upload(&url, &y, "disk:/R/\xd0\xb9", true);
                check_eq(url.failed,
                         max < strlen("https://api/v1/disk/resources/upload"
                                      "?path=disk%3A%2FR%2F%D0%B9&overwrite=true"));
                str_finish(&url);
        }
}

TEST(operations)
{
        static const struct {
                const char *given, *want; /* NULL: none */
        } rows[] = {
                {"ab12", "/v1/disk/operations/ab12"},
                {"A-b_1.2", "/v1/disk/operations/A-b_1.2"},
                {"https://api.net/v1/disk/operations/ab12", "/v1/disk/operations/ab12"},
                {"http://api.net/v1/disk/operations/ab12", "/v1/disk/operations/ab12"},
                {"https://x/v1/disk/operations?id=ab12", "/v1/disk/operations/ab12"},
                {"https://evil.com/v1/disk/operations/ab12", "/v1/disk/operations/ab12"},
                {"https://x/v1/disk/operations/ab12?fields=status", NULL},
                {"https://x/v1/disk/operations?id=ab12&x=1", NULL},
                {"https://x/v1/disk/operations?path=ab12", NULL},
                {"https://x/v1/disk/operations/", NULL},
                {"https://x/v1/disk/operations?id=", NULL},
                {"https://x/v1/disk/operations", NULL},
                {"https://x/v1/disk/operationsx/ab12", NULL},
                {"https://x/v1/disk/resources?path=a", NULL},
                {"https://x/v1/disk/operations/../resources", NULL},
                {"https://x/v1/disk/operations/a/b", NULL},
                {"", NULL},
                {"..", NULL},
                {".", NULL},
                {".ab", NULL},
                {"a b", NULL},
                {"a%2fb", NULL},
                {"a/b", NULL},
                {"a?b", NULL},
                {"a\nb", NULL},
                {"\xd0\xb9", NULL},
                {"/v1/disk/operations/ab12", NULL},
        };
        _cleanup_(str_finish) struct str s = STR_NULL(1024);

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                str_clear(&s);
                if (yadisk_operation(&s, rows[i].given) != !!rows[i].want)
                        check_fail("%s", rows[i].given);
                else
                        check_str(str_z(&s), rows[i].want ? rows[i].want : "");
        }
}

TEST(operation_ids_of_any_length)
{
        char id[600];
        _cleanup_(str_finish) struct str s = STR_NULL(1024);

        memset(id, 'a', sizeof(id));
        id[512] = '\0';
        check(yadisk_operation(&s, id));
        check_eq(s.len, strlen("/v1/disk/operations/") + 512);
        id[512] = 'a';
        id[513] = '\0';
        check(!yadisk_operation(&s, id));
}

TEST(an_operation_that_does_not_fit_is_none)
{
        _cleanup_(str_finish) struct str s = STR_NULL(strlen("/v1/disk/operations/ab"));

        check(yadisk_operation(&s, "ab"));
        check(!yadisk_operation(&s, "abc"));
}

TEST(upload_links)
{
        static const struct yadisk local = {.api_url = "http://127.0.0.1:8080", .root = "disk:/R"};
        static const struct {
                const char *href;
                bool from_https, from_http;
        } rows[] = {
                {"https://uploader61j.disk.yandex.net:443/upload-target/2024", true, true},
                {"HTTPS://uploader.example/x", true, true},
                {"https://1.2.3.4/x", true, true},
                {"https://[2a02::1]/x", true, true},
                {"https://", false, false},
                {"https:///x", false, false},
                {"https://:443/x", false, false},
                {"https://?x", false, false},
                {"https://#x", false, false},
                {"https:/x", false, false},
                {"https", false, false},
                {"", false, false},
                {"/upload", false, false},
                {"//host/upload", false, false},
                {"file:///etc/passwd", false, false},
                {"ftp://127.0.0.1/x", false, false},
                {"gopher://127.0.0.1/x", false, false},
                {"javascript:https://x", false, false},
                {" https://host/x", false, false},
                {"https://host/a b", false, false},
                {"https://host/a\r\nHost: evil", false, false},
                {"https://host/a\tb", false, false},
                {"https://host/\x7f", false, false},
                /* plain http: to ourselves alone, and only when the API is spoken to that way */
                {"http://127.0.0.1/x", false, true},
                {"http://127.0.0.1:9000/x", false, true},
                {"http://127.0.0.1", false, true},
                {"http://127.0.0.1?x=1", false, true},
                {"http://127.255.255.254/x", false, true},
                {"http://localhost/x", false, true},
                {"http://LocalHost:1/x", false, true},
                {"HTTP://127.0.0.1/x", false, true},
                {"http://[::1]/x", false, true},
                {"http://[::1]:9000/x", false, true},
                {"http://[::1]", false, true},
                {"http://127.0.0.1@evil/", false, false},
                {"http://127.0.0.1:80@evil/", false, false},
                {"http://localhost@evil/", false, false},
                {"http://[::1]@evil/", false, false},
                {"http://[::1]:80@evil/", false, false},
                {"http://user:pw@127.0.0.1/", false, false},
                {"http://127.0.0.1/@evil", false, true}, /* behind the host it means nothing */
                {"http://127.0.0.1?@evil", false, true},
                {"http://127.0.0.1#@evil", false, true},
                {"http://127.0.0.1\\@evil/", false, false},
                {"http://127.0.0.1\\.evil.com/", false, false},
                {"http://127.0.0.1.evil.com", false, false},
                {"http://127.evil.com/", false, false},
                {"http://127.0.0.1%2eevil.com/", false, false},
                {"http://127.0.0.1.2.3.4/", false, false},
                {"http://127.0.0.1./", false, false},
                {"http://127.0.0.256/", false, false},
                {"http://127.1/", false, false}, /* old notations are not spelled out: not taken */
                {"http://127.0.0/", false, false},
                {"http://127...1/", false, false},
                {"http://2130706433/", false, false},
                {"http://0x7f000001/", false, false},
                {"http://0/", false, false},
                {"http://0.0.0.0/", false, false},
                {"http://128.0.0.1/", false, false},
                {"http://1127.0.0.1/", false, false},
                {"http://localhost.evil.com/", false, false},
                {"http://localhos/", false, false},
                {"http://xlocalhost/", false, false},
                {"http://[::1].evil.com/", false, false},
                {"http://[::1]evil/", false, false},
                {"http://[::2]/", false, false},
                {"http://[::ffff:127.0.0.1]/", false, false},
                {"http://[::1", false, false},
                {"http:///x", false, false},
                {"http://", false, false},
                {"http://evil.com/127.0.0.1", false, false},
                {"http://uploader.disk.yandex.net/x", false, false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                if (yadisk_link_allowed(&y, rows[i].href) != rows[i].from_https)
                        check_fail("from https: %s", rows[i].href);
                if (yadisk_link_allowed(&local, rows[i].href) != rows[i].from_http)
                        check_fail("from http: %s", rows[i].href);
        }
}

/* ---- replies --------------------------------------------------------------------------------- */

/* A copy that ends exactly where it must: a byte too far is seen. */
static char *exact(const char *body, size_t len)
{
        char *copy = malloc(len ? len : 1);

        if (!copy)
                abort();
        memcpy(copy, body, len);
        return copy;
}

static int read_link(const char *body, size_t len, struct str *shown)
{
        struct yadisk_link link = {0};
        int r = yadisk_read_link(body, len, &link);

        if (r == 0)
                str_addf(shown, "%s %s", link.href, link.operation_id ? link.operation_id : "-");
        else
                check(!link.href && !link.operation_id);
        yadisk_link_finish(&link);
        return r;
}

static void show_resource(const struct entry *e, struct str *shown)
{
        char hex[33] = "-";

        if (e->has_md5)
                str_hex(hex, e->md5, 16);
        if (e->kind == KIND_FILE)
                str_addf(shown, "file %" PRIu64 " %s", e->size, hex);
        else
                str_adds(shown, e->kind == KIND_DIR ? "dir" : "other");
}

static int read_resource(const char *body, size_t len, struct str *shown)
{
        struct entry e = {.key = "untouched", .kind = KIND_NONE, .size = 77};
        int r = yadisk_read_resource(body, len, &e);

        check_str(e.key, "untouched");
        if (r == 0)
                show_resource(&e, shown);
        else
                check(e.kind == KIND_NONE && e.size == 77);
        return r;
}

static int read_listing(const char *body, size_t len, struct str *shown)
{
        struct yadisk_listing l = {0};
        int r = yadisk_read_listing(body, len, &l);

        if (r < 0) {
                check(l.items.n == 0 && l.items.items == NULL);
                return r;
        }
        str_addf(shown, "%" PRIu64 "@%" PRIu64 "+%" PRIu64, l.total, l.offset, l.strange);
        for (size_t i = 0; i < l.items.n; i++) {
                str_addf(shown, "|%s ", l.items.items[i].key);
                show_resource(&l.items.items[i], shown);
        }
        yadisk_listing_finish(&l);
        return 0;
}

static int read_operation(const char *body, size_t len, struct str *shown)
{
        static const char *const names[] = {
                [YADISK_RUNNING] = "running",
                [YADISK_SUCCEEDED] = "succeeded",
                [YADISK_FAILED] = "failed",
        };
        enum yadisk_progress progress = YADISK_RUNNING;
        int r = yadisk_read_operation(body, len, &progress);

        if (r == 0)
                str_adds(shown, names[progress]);
        return r;
}

static int read_account(const char *body, size_t len, struct str *shown)
{
        char uid[YADISK_UID_MAX] = "untouched";
        int r = yadisk_read_account(body, len, uid);

        check(r == 0 || str_eq(uid, "untouched"));
        if (r == 0)
                str_adds(shown, uid);
        return r;
}

static const struct reader {
        const char *name;
        int (*read)(const char *body, size_t len, struct str *shown);
        const char *good;
} readers[] = {
        {"link", read_link,
         "{\"operation_id\":\"ab12\",\"href\":\"https://up/x\",\"method\":\"PUT\","
         "\"templated\":false}"},
        {"resource", read_resource,
         "{\"type\":\"file\",\"size\":5,\"md5\":\"00112233445566778899aabbccddeeff\","
         "\"x\":[1,{}]}"},
        {"listing", read_listing,
         "{\"type\":\"dir\",\"_embedded\":{\"sort\":\"\",\"items\":["
         "{\"name\":\"a\",\"type\":\"file\",\"size\":1,"
         "\"md5\":\"00112233445566778899aabbccddeeff\"},"
         "{\"name\":\"b\",\"type\":\"dir\"}],\"limit\":20,\"offset\":0,\"total\":2}}"},
        {"operation", read_operation, "{\"status\":\"success\"}"},
        {"account", read_account, "{\"user\":{\"uid\":\"130000000000001\",\"login\":\"x\"}}"},
};

static const struct reader *reader_of(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
                if (str_eq(readers[i].name, name))
                        return &readers[i];
        abort();
}

/* `want`: what is shown, or "!" for -EBADMSG. */
static void check_reply_bytes(const struct reader *reader, const char *body, size_t len,
                              const char *want)
{
        _cleanup_(str_finish) struct str got = STR_NULL(1 << 20);
        _cleanup_(freep) char *copy = exact(body, len);
        int r = reader->read(copy, len, &got);

        if (r < 0)
                str_addf(&got, "%s", r == -EBADMSG ? "!" : r == -ENOTDIR ? "!ENOTDIR" : "!?");
        if (!str_eq(str_z(&got), want))
                check_fail("%s <%.*s>: <%s>, not <%s>", reader->name, (int)(len < 200 ? len : 200),
                           body, str_z(&got), want);
}

static void check_reply(const char *name, const char *body, const char *want)
{
        check_reply_bytes(reader_of(name), body, strlen(body), want);
}

#define MD5 "00112233445566778899aabbccddeeff"

TEST(accounts)
{
        check_reply("account", reader_of("account")->good, "130000000000001");
        check_reply("account", "{\"user\":{\"uid\":\"a1B2\"},\"x\":null}", "a1B2");
        check_reply("account", "{}", "!");
        check_reply("account", "{\"uid\":\"1\"}", "!");
        check_reply("account", "{\"user\":\"1\"}", "!");
        check_reply("account", "{\"user\":[{\"uid\":\"1\"}]}", "!");
        check_reply("account", "{\"user\":{\"uid\":1}}", "!");
        check_reply("account", "{\"user\":{\"uid\":\"\"}}", "!");
        check_reply("account", "{\"user\":{\"uid\":\"1 2\"}}", "!");
        check_reply("account", "{\"user\":{\"uid\":\"1\\n2\"}}", "!");
        check_reply("account", "{\"user\":{\"uid\":\"\xd0\xb0\"}}", "!");
        check_reply("account", "{\"user\":{\"uid\":\""
                               "0123456789012345678901234567890123456789012345678901234567890123"
                               "\"}}", "!");
        check_reply("account", "{\"user\":{\"uid\":\""
                               "012345678901234567890123456789012345678901234567890123456789012"
                               "\"}}",
                    "012345678901234567890123456789012345678901234567890123456789012");
}

TEST(links)
{
        check_reply("link", reader_of("link")->good, "https://up/x ab12");
        check_reply("link", "{\"href\":\"h\"}", "h -");
        check_reply("link", " \n{ \"href\" : \"h\" } \r\n\t", "h -");
        check_reply("link", "{\"href\":\"\"}", " -");
        check_reply("link", "{\"href\":\"h\",\"operation_id\":null}", "h -");
        check_reply("link", "{\"href\":\"h\",\"operation_id\":7}", "h -");
        check_reply("link", "{\"href\":\"h\",\"templated\":true}", "!");
        check_reply("link", "{\"href\":\"h\",\"templated\":false,\"href\":\"i\"}", "h -");
        check_reply("link", "{\"href\":7}", "!");
        check_reply("link", "{\"href\":null}", "!");
        check_reply("link", "{\"href\":[\"h\"]}", "!");
        check_reply("link", "{\"Href\":\"h\"}", "!");
        check_reply("link", "{\"link\":{\"href\":\"h\"}}", "!");
        check_reply("link", "{\"href\":\"\\u0430\\/\\\"\"}", "\xd0\xb0/\" -");
}

TEST(resources)
{
        check_reply("resource", reader_of("resource")->good, "file 5 " MD5);
        check_reply("resource", "{\"type\":\"dir\"}", "dir");
        check_reply("resource", "{\"type\":\"dir\",\"size\":7,\"md5\":\"" MD5 "\"}", "dir");
        check_reply("resource", "{\"type\":\"symlink\",\"size\":\"x\"}", "other");
        check_reply("resource", "{\"type\":\"\"}", "other");
        check_reply("resource", "{\"type\":\"file\",\"size\":0,\"md5\":\"" MD5 "\"}",
                    "file 0 " MD5);
        check_reply("resource", "{\"type\":\"file\",\"size\":9007199254740992,\"md5\":\"" MD5 "\"}",
                    "file 9007199254740992 " MD5);
        /* stored this moment: no md5 yet */
        check_reply("resource", "{\"type\":\"file\",\"size\":5}", "file 5 -");
        check_reply("resource", "{\"type\":\"file\",\"size\":5,\"md5\":null}", "file 5 -");
        check_reply("resource", "{\"type\":\"file\",\"size\":5,\"md5\":\"0011\"}", "file 5 -");
        check_reply("resource", "{\"type\":\"file\",\"size\":5,\"md5\":\"" MD5 "0\"}", "file 5 -");
        check_reply("resource", "{\"type\":\"file\",\"size\":5,\"md5\":\"x0112233445566778899aabb"
                                "ccddeeff\"}", "file 5 -");
        check_reply("resource", "{\"type\":\"file\"}", "!");
        check_reply("resource", "{\"type\":7}", "!");
        check_reply("resource", "{\"size\":5,\"md5\":\"" MD5 "\"}", "!");
        check_reply("resource", "{\"Type\":\"file\",\"size\":5}", "!");
}

TEST(sizes_that_are_none)
{
        static const char *const sizes[] = {
                "-1",   "-0.5", "1.5",  "1e400",    "-1e400", "9007199254740994", "1e300",
                "null", "true", "\"5\"", "[5]",      "{}",     "NaN",              "Infinity",
                "0x10", "+5",   "5 5",  "18446744073709551616",
        };

        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
                char body[200];

                snprintf(body, sizeof(body), "{\"type\":\"file\",\"size\":%s}", sizes[i]);
                check_reply("resource", body, "!");
                snprintf(body, sizeof(body),
                         "{\"_embedded\":{\"items\":[],\"total\":%s,\"offset\":0}}", sizes[i]);
                check_reply("listing", body, "!");
        }
        check_reply("resource", "{\"type\":\"file\",\"size\":5.0}", "file 5 -");
        check_reply("resource", "{\"type\":\"file\",\"size\":5e3}", "file 5000 -");
}

#define LISTING(total, offset, items)                                                              \
        "{\"_embedded\":{\"items\":[" items "],\"total\":" total ",\"offset\":" offset "}}"

TEST(listings)
{
        check_reply("listing", reader_of("listing")->good, "2@0+0|a file 1 " MD5 "|b dir");
        check_reply("listing", LISTING("0", "0", ""), "0@0+0");
        check_reply("listing", LISTING("7", "5", "{\"name\":\"x\",\"type\":\"dir\"}"),
                    "7@5+0|x dir");
        check_reply("listing", "{\"type\":\"file\"}", "!ENOTDIR");
        check_reply("listing", "{\"type\":\"file\",\"_embedded\":{\"items\":[],\"total\":0,"
                               "\"offset\":0}}", "!ENOTDIR");
        check_reply("listing", "{\"type\":\"dir\"}", "!");
        check_reply("listing", "{\"type\":\"dir\",\"_embedded\":null}", "!");
        check_reply("listing", "{\"_embedded\":[]}", "!");
        check_reply("listing", "{\"_embedded\":{\"items\":[],\"total\":0}}", "!");
        check_reply("listing", "{\"_embedded\":{\"items\":[],\"offset\":0}}", "!");
        check_reply("listing", "{\"_embedded\":{\"items\":{},\"total\":0,\"offset\":0}}", "!");
        check_reply("listing", "{\"_embedded\":{\"total\":0,\"offset\":0}}", "!");
        check_reply("listing", "{\"items\":[],\"total\":0,\"offset\":0}", "!");
        /* one item that cannot be read, and the page is none */
        check_reply("listing", LISTING("1", "0", "7"), "!");
        check_reply("listing", LISTING("1", "0", "null"), "!");
        check_reply("listing", LISTING("1", "0", "[]"), "!");
        check_reply("listing", LISTING("1", "0", "{}"), "!");
        check_reply("listing", LISTING("1", "0", "{\"name\":\"a\"}"), "!");
        check_reply("listing", LISTING("1", "0", "{\"type\":\"dir\"}"), "!");
        check_reply("listing", LISTING("1", "0", "{\"name\":7,\"type\":\"dir\"}"), "!");
        check_reply("listing", LISTING("2", "0", "{\"name\":\"a\",\"type\":\"dir\"},"
                                                 "{\"name\":\"b\",\"type\":\"file\"}"), "!");
}

#define ITEM(name) "{\"name\":\"" name "\",\"type\":\"dir\"}"

TEST(strange_items_are_counted)
{
        static const char *const names[] = {"", ".", "..", "a/b", "/", "a/", "../x"};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                char body[300];

                snprintf(body, sizeof(body),
                         LISTING("3", "0", ITEM("a") "," ITEM("%s") "," ITEM("b")), names[i]);
                check_reply("listing", body, "3@0+1|a dir|b dir");
        }
        check_reply("listing", LISTING("2", "0", "{\"name\":\"a\",\"type\":\"vd\"}," ITEM("b")),
                    "2@0+1|b dir");
        check_reply("listing", LISTING("3", "0", ITEM(" ") "," ITEM("...") "," ITEM("a\\nb")),
                    "3@0+0|  dir|... dir|a\nb dir");
}

TEST(operations_go_on_succeed_or_fail)
{
        check_reply("operation", "{\"status\":\"success\"}", "succeeded");
        check_reply("operation", "{\"status\":\"failed\"}", "failed");
        check_reply("operation", "{\"status\":\"failure\"}", "failed");
        check_reply("operation", "{\"status\":\"in-progress\"}", "running");
        check_reply("operation", "{\"status\":\"Success\"}", "running");
        check_reply("operation", "{\"status\":\"\"}", "running");
        check_reply("operation", "{\"status\":true}", "!");
        check_reply("operation", "{\"status\":null}", "!");
        check_reply("operation", "{}", "!");
}

TEST(what_is_no_json_object)
{
        static const char *const bodies[] = {
                "", " ", "\n\n", "null", "true", "7", "\"href\"", "[]", "[{\"href\":\"h\"}]", "{",
                "}", "{]", "{\"", "{\"href\"}", "{\"href\":}", "{\"href\":\"h\",}",
                "{'href':'h'}", "{href:\"h\"}", "\xef\xbb\xbf", "undefined",
                "<html><head><title>502 Bad Gateway</title></head></html>",
                "<!DOCTYPE html>\n<html>{\"href\":\"h\"}</html>",
                "HTTP/1.1 200 OK\r\n\r\n{\"href\":\"h\"}",
        };

        for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
                for (size_t j = 0; j < ARRAY_SIZE(bodies); j++)
                        check_reply_bytes(&readers[i], bodies[j], strlen(bodies[j]), "!");
}

TEST(what_follows_the_object_is_not_passed_over)
{
        static const char *const tails[] = {"{}", "x", "<html>", "]", "}", ",", "\"", "\xff",
                                            " \n\t x"};

        for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
                for (size_t j = 0; j < ARRAY_SIZE(tails); j++) {
                        char body[600];

                        snprintf(body, sizeof(body), "%s%s", readers[i].good, tails[j]);
                        check_reply_bytes(&readers[i], body, strlen(body), "!");
                }
}

TEST(cut_at_every_byte)
{
        for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
                for (size_t len = 0; len < strlen(readers[i].good); len++)
                        check_reply_bytes(&readers[i], readers[i].good, len, "!");
}

/* One NUL could end a name or an address early, and make another of it. */
TEST(a_nul_anywhere_spoils_it)
{
        for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
                size_t len = strlen(readers[i].good);
                _cleanup_(freep) char *body = exact(readers[i].good, len);

                for (size_t at = 0; at < len; at++) {
                        char was = body[at];

                        body[at] = '\0';
                        check_reply_bytes(&readers[i], body, len, "!");
                        body[at] = was;
                }
        }
        check_reply_bytes(reader_of("operation"), "{\"status\":\"success\"}\0", 21, "!");
        check_reply("link", "{\"href\":\"https://good\\u0000.evil\"}", "!");
        check_reply("operation", "{\"status\":\"success\\u0000\"}", "!");
        check_reply("operation", "{\"x\\u0000\":1,\"status\":\"success\"}", "!");
        check_reply("listing", LISTING("1", "0", ITEM("a\\u0000b")), "!");
        check_reply("link", "{\"href\":\"a\\uzzzzb\"}", "!");
        check_reply("link", "{\"href\":\"a\\u00\"}", "!");
        check_reply("link", "{\"href\":\"a\\u 000\"}", "!");
        /* a name that looks so is none of these */
        check_reply("listing", LISTING("1", "0", ITEM("a\\\\u0000b")), "1@0+0|a\\u0000b dir");
        check_reply("listing", LISTING("1", "0", ITEM("\\\\\\\\u0000")), "1@0+0|\\\\u0000 dir");
        check_reply("listing", LISTING("1", "0", ITEM("\\\\\\u0000")), "!");
        check_reply("listing", LISTING("1", "0", ITEM("\\u0001")), "1@0+0|\001 dir");
        check_reply("listing", LISTING("1", "0", ITEM("\\ud83d\\ude00")),
                    "1@0+0|\xf0\x9f\x98\x80 dir");
        check_reply("link", "{\"href\":\"\\ud83d\"}", "!");
        check_reply("link", "{\"href\":\"\\ude00\"}", "!");
}

TEST(wrong_types_everywhere)
{
        static const char *const values[] = {"null", "true",  "0",  "\"x\"", "[]",
                                             "{}",   "[{}]", "-1", "1e999"};

        /* No value may crash it; which are good is told above. */
        for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
                for (const char *colon = strchr(readers[i].good, ':'); colon;
                     colon = strchr(colon + 1, ':'))
                        for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
                                _cleanup_(str_finish) struct str body = STR_NULL(4096);
                                _cleanup_(str_finish) struct str got = STR_NULL(1 << 20);

                                str_add(&body, readers[i].good,
                                        (size_t)(colon + 1 - readers[i].good));
                                str_addf(&body, "%s%s", values[j],
                                         colon + 1 + strcspn(colon + 1, ",}"));
                                readers[i].read(str_z(&body), body.len, &got);
                        }
}

TEST(deep_nesting)
{
        size_t depth = 200000;
        _cleanup_(freep) char *body = malloc(2 * depth + 100);

        require(body != NULL);
        for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
                memset(body, '[', depth);
                memset(body + depth, ']', depth);
                check_reply_bytes(&readers[i], body, 2 * depth, "!");
                for (size_t j = 0; j < depth; j += 5)
                        memcpy(body + j, "{\"a\":", 5);
                check_reply_bytes(&readers[i], body, depth, "!");
        }
}

TEST(a_big_listing)
{
        _cleanup_(str_finish) struct str body = STR_NULL(64 << 20);
        struct yadisk_listing l;

        str_adds(&body, "{\"_embedded\":{\"total\":100000,\"offset\":0,\"items\":[");
        for (int i = 0; i < 100000; i++)
                str_addf(&body, "%s{\"name\":\"%06d\",\"type\":\"file\",\"size\":%d,\"md5\":\"" MD5
                                "\"}", i ? "," : "", i, i);
        str_adds(&body, "]}}");
        check_eq(yadisk_read_listing(body.s, body.len, &l), 0);
        check_eq(l.items.n, 100000);
        check_str(l.items.items[99999].key, "099999");
        check_eq(l.items.items[99999].size, 99999);
        yadisk_listing_finish(&l);
        check_eq(yadisk_read_listing(body.s, body.len - 3, &l), -EBADMSG);
}

TEST(long_strings)
{
        size_t len = 4 << 20;
        _cleanup_(freep) char *body = malloc(len + 100);
        struct yadisk_link link;

        require(body != NULL);
        strcpy(body, "{\"href\":\"");
        memset(body + 9, 'x', len);
        strcpy(body + 9 + len, "\"}");
        check_eq(yadisk_read_link(body, strlen(body), &link), 0);
        check_eq(strlen(link.href), len);
        yadisk_link_finish(&link);
        check(link.href == NULL);
}

static void play_garbage(struct seed *s)
{
        const struct reader *reader = &readers[seed_below(s, ARRAY_SIZE(readers))];
        _cleanup_(str_finish) struct str got = STR_NULL(1 << 20);
        size_t len = strlen(reader->good);
        _cleanup_(freep) char *body = exact(reader->good, len);
        char description[40];

        for (unsigned i = 1 + seed_below(s, 4); i > 0; i--)
                body[seed_below(s, (unsigned)len)] =
                        seed_chance(s, 50) ? "{}[]\",:\\u0e-"[seed_below(s, 12)]
                                           : (char)seed_next(s);
        reader->read(body, len, &got);
        yadisk_read_error(body, len, description, sizeof(description));
}

TEST(bytes_turned_over)
{
        seed_run(20000, play_garbage);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static enum yadisk_error read_error(const char *body, char *ret_description, size_t size)
{
        _cleanup_(freep) char *copy = exact(body, strlen(body));

        return yadisk_read_error(copy, strlen(body), ret_description, size);
}

TEST(error_names)
{
        static const struct {
                const char *body;
                enum yadisk_error want;
                const char *description;
        } rows[] = {
#define ROW(id, name) {"{\"error\":\"" name "\"}", YADISK_ERROR_##id, ""},
                YADISK_ERRORS(ROW)
#undef ROW
                {"{\"message\":\"\xd0\x9d\xd0\xb5\",\"description\":\"Resource not found.\","
                 "\"error\":\"DiskNotFoundError\"}",
                 YADISK_ERROR_NOT_FOUND, "Resource not found."},
                {"{\"error\":\"TooManyRequestsError\"}", YADISK_ERROR_OTHER, ""},
                {"{\"error\":\"\"}", YADISK_ERROR_OTHER, ""},
                {"{\"error\":\"disknotfounderror\"}", YADISK_ERROR_OTHER, ""},
                {"{\"error\":7,\"description\":\"d\"}", YADISK_ERROR_NONE, "d"},
                {"{\"description\":\"d\"}", YADISK_ERROR_NONE, "d"},
                {"{\"error\":\"x\",\"description\":[]}", YADISK_ERROR_OTHER, ""},
                {"{\"error\":\"x\",\"description\":\"a\\nb\\u0007\"}", YADISK_ERROR_OTHER,
                 "a\\x0ab\\x07"},
                {"{\"error\":\"x\",\"description\":\"\xff\"}", YADISK_ERROR_OTHER, "\\xff"},
                {"[\"DiskNotFoundError\"]", YADISK_ERROR_NONE, ""},
                {"<html>DiskNotFoundError</html>", YADISK_ERROR_NONE, ""},
                {"", YADISK_ERROR_NONE, ""},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char description[100] = "?";

                if (read_error(rows[i].body, description, sizeof(description)) != rows[i].want)
                        check_fail("%s", rows[i].body);
                check_str(description, rows[i].description);
        }
        {
                char description[4] = "?";

                check_eq(yadisk_read_error(NULL, 0, description, sizeof(description)),
                         YADISK_ERROR_NONE);
                check_str(description, "");
        }
}

/* The buffer's end is no reason to show half a character. */
TEST(descriptions_are_cut_between_characters)
{
        static const char body[] = "{\"error\":\"x\",\"description\":\"a\xd0\xb9\xd0\xb9\\n\"}";
        static const char *const want[] = {
                [1] = "", [2] = "a", [3] = "a", [4] = "a\xd0\xb9", [5] = "a\xd0\xb9",
                [6] = "a\xd0\xb9\xd0\xb9", [7] = "a\xd0\xb9\xd0\xb9", [8] = "a\xd0\xb9\xd0\xb9",
                [9] = "a\xd0\xb9\xd0\xb9", [10] = "a\xd0\xb9\xd0\xb9\\x0a",
        };

        for (size_t size = 1; size < ARRAY_SIZE(want); size++) {
                char *description = malloc(size);

                if (!description)
                        abort();
                read_error(body, description, size);
                check_str(description, want[size]);
                free(description);
        }
}

/* ---- verdicts -------------------------------------------------------------------------------- */

static struct verdict judge(int status, const char *error)
{
        char body[200] = "";
        struct outcome in = {.kind = OUTCOME_HTTP, .status = status, .retry_after_ms = -1};

        if (error && *error == '<')
                snprintf(body, sizeof(body), "%s", error);
        else if (error)
                snprintf(body, sizeof(body),
                         "{\"error\":\"%s\",\"description\":\"said\",\"message\":\"m\"}", error);
        in.body = body;
        in.body_len = strlen(body);
        return verdict(&in);
}

TEST(verdicts_by_status_and_name)
{
        static const struct {
                int status;
                const char *error;
                enum verdict_act want;
        } rows[] = {
                {200, NULL, VERDICT_OK},
                {201, NULL, VERDICT_OK},
                {202, NULL, VERDICT_OK},
                {204, NULL, VERDICT_OK},
                {200, "DiskNotFoundError", VERDICT_OK}, /* a success is one */
                {400, "FieldValidationError", VERDICT_STUCK},
                {400, NULL, VERDICT_STUCK},
                {401, "UnauthorizedError", VERDICT_REFUSED},
                {401, "Unauthorized", VERDICT_REFUSED},
                {401, NULL, VERDICT_REFUSED},
                {402, NULL, VERDICT_REFUSED},
                {403, "ForbiddenError", VERDICT_STUCK},
                {403, "DiskUnsupportedUserAccountTypeError", VERDICT_REFUSED},
                {403, "DiskSymlinkPasswordRequiredError", VERDICT_STUCK},
                {403, "<html>", VERDICT_STUCK},
                {404, "DiskNotFoundError", VERDICT_ASKER},
                {404, "DiskOperationNotFoundError", VERDICT_ASKER},
                {404, "<html>404</html>", VERDICT_AGAIN}, /* a balancer's page proves nothing */
                {404, NULL, VERDICT_AGAIN},
                {405, NULL, VERDICT_STUCK},
                {406, "NotAcceptableError", VERDICT_STUCK},
                {409, "DiskPathDoesntExistsError", VERDICT_ASKER},
                {409, "DiskPathPointsToExistentDirectoryError", VERDICT_ASKER},
                {409, "DiskResourceAlreadyExistsError", VERDICT_ASKER},
                {409, "PlatformResourceAlreadyExists", VERDICT_ASKER},
                {409, "MD5DifferError", VERDICT_ASKER},
                {409, "DiskPathPointsToRootError", VERDICT_ASKER},
                {409, NULL, VERDICT_ASKER},
                {410, NULL, VERDICT_ASKER},
                {412, NULL, VERDICT_ASKER},
                {413, "DiskFileSizeLimitExceededError", VERDICT_STUCK},
                {413, NULL, VERDICT_STUCK},
                {415, NULL, VERDICT_STUCK},
                {422, NULL, VERDICT_STUCK},
                {423, "DiskResourceLockedError", VERDICT_LOCKED},
                {423, "DiskUploadTrafficLimitExceeded", VERDICT_FULL},
                {423, "DiskReadOnlyError", VERDICT_AGAIN},
                {423, NULL, VERDICT_AGAIN},
                {429, "TooManyRequestsError", VERDICT_AGAIN},
                {429, "DiskResourceDownloadLimitExceededError", VERDICT_AGAIN},
                {429, NULL, VERDICT_AGAIN},
                {451, NULL, VERDICT_STUCK},
                {500, "InternalServerError", VERDICT_AGAIN},
                {500, "<html>500</html>", VERDICT_AGAIN},
                {500, NULL, VERDICT_AGAIN},
                {502, "<html>502</html>", VERDICT_AGAIN},
                {503, "DiskServiceUnavailableError", VERDICT_AGAIN},
                {504, NULL, VERDICT_AGAIN},
                {507, "DiskStorageQuotaExhaustedError", VERDICT_FULL},
                {507, "DiskNotEnoughFreeSpaceError", VERDICT_FULL},
                {507, NULL, VERDICT_FULL},
                {509, NULL, VERDICT_AGAIN},
                {599, NULL, VERDICT_AGAIN},
                /* not our server speaking */
                {0, NULL, VERDICT_AGAIN},
                {100, NULL, VERDICT_AGAIN},
                {203, NULL, VERDICT_AGAIN},
                {206, NULL, VERDICT_AGAIN},
                {207, NULL, VERDICT_AGAIN},
                {301, NULL, VERDICT_AGAIN},
                {302, "<html>log in to the hotel</html>", VERDICT_AGAIN},
                {304, NULL, VERDICT_AGAIN},
                {999, NULL, VERDICT_AGAIN},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct verdict v = judge(rows[i].status, rows[i].error);
                bool json = rows[i].error && *rows[i].error != '<' && rows[i].status >= 400;

                if (v.act != rows[i].want)
                        check_fail("%d %s: %d, not %d", rows[i].status,
                                   rows[i].error ? rows[i].error : "-", (int)v.act,
                                   (int)rows[i].want);
                check((v.act == VERDICT_OK || v.act == VERDICT_ASKER) == (*v.text == '\0'));
                check_str(v.description, json ? "said" : "");
                check((v.error == YADISK_ERROR_NONE) == !json);
        }
}

/* 200 is what a look, a listing, a link, an operation answer, 204 what a removal does; of another
 * change it is a proxy's page. */
TEST(no_change_answers_200)
{
        for (int status = 0; status < 600; status++) {
                struct outcome in = {.kind = OUTCOME_HTTP, .status = status, .body = ""};
                struct verdict v = verdict_change(&in);

                check_eq(v.act, status == 200 || status == 204 ? VERDICT_AGAIN : verdict(&in).act);
                check_eq(verdict_removal(&in).act,
                         status == 200 ? VERDICT_AGAIN : verdict(&in).act);
                check((v.act == VERDICT_OK || v.act == VERDICT_ASKER) == (*v.text == '\0'));
        }
}

TEST(every_status_has_a_verdict)
{
        for (int status = -1; status < 1100; status++) {
                struct verdict v = judge(status, "<html>");

                check(v.text != NULL);
                check((v.act == VERDICT_OK) == (status == 200 || status == 201 || status == 202 ||
                                                status == 204));
        }
}

TEST(verdicts_of_faults_and_local_steps)
{
        static const struct {
                struct outcome in;
                enum verdict_act want;
        } rows[] = {
                {{.kind = OUTCOME_START}, VERDICT_OK},
                {{.kind = OUTCOME_WOKE}, VERDICT_OK},
                {{.kind = OUTCOME_LOCAL}, VERDICT_OK},
                {{.kind = OUTCOME_LOCAL, .err = EIO}, VERDICT_ASKER},
                {{.kind = OUTCOME_FAULT, .fault = HTTP_FAULT_UNREACHABLE}, VERDICT_AGAIN},
                {{.kind = OUTCOME_FAULT, .fault = HTTP_FAULT_TLS}, VERDICT_AGAIN},
                {{.kind = OUTCOME_FAULT, .fault = HTTP_FAULT_BROKEN}, VERDICT_AGAIN},
                {{.kind = OUTCOME_FAULT, .fault = HTTP_FAULT_STALLED}, VERDICT_AGAIN},
                {{.kind = OUTCOME_FAULT, .fault = HTTP_FAULT_TOO_LARGE}, VERDICT_AGAIN},
                {{.kind = OUTCOME_FAULT, .fault = HTTP_FAULT_SHUT}, VERDICT_AGAIN},
                {{.kind = OUTCOME_FAULT, .fault = HTTP_FAULT_LOCAL, .err = ESTALE}, VERDICT_ASKER},
                {{.kind = OUTCOME_FAULT, .fault = HTTP_FAULT_NONE}, VERDICT_ASKER},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct verdict v = verdict(&rows[i].in);

                if (v.act != rows[i].want)
                        check_fail("row %zu: %d, not %d", i, (int)v.act, (int)rows[i].want);
                check((v.act == VERDICT_OK) == (*v.text == '\0'));
                check_eq(v.error, YADISK_ERROR_NONE);
        }
}

/* What one answer says about all requests. */
TEST(news)
{
        static const struct {
                int status;
                const char *body;
                enum gate_news want;
        } rows[] = {
                {200, "{\"href\":1}", GATE_NEWS_GOOD},
                {200, " \n{}", GATE_NEWS_GOOD},
                {200, "", GATE_NEWS_GOOD},
                {201, "", GATE_NEWS_GOOD},
                {204, "", GATE_NEWS_GOOD},
                {200, "<html>log in", GATE_NEWS_PERHAPS},
                {302, "", GATE_NEWS_PERHAPS},
                {400, "", GATE_NEWS_GOOD},
                {401, "", GATE_NEWS_REFUSED},
                {402, "", GATE_NEWS_REFUSED},
                {403, "", GATE_NEWS_GOOD},
                {403, "{\"error\":\"DiskUnsupportedUserAccountTypeError\"}", GATE_NEWS_REFUSED},
                {404, "<html>", GATE_NEWS_PERHAPS},
                {404, "{\"error\":\"DiskNotFoundError\"}", GATE_NEWS_GOOD},
                {409, "", GATE_NEWS_GOOD},
                {413, "", GATE_NEWS_GOOD},
                {423, "", GATE_NEWS_KIND},
                {423, "{\"error\":\"Maintenance\"}", GATE_NEWS_KIND},
                {423, "{\"error\":\"DiskResourceLockedError\"}", GATE_NEWS_GOOD},
                {423, "{\"error\":\"DiskUploadTrafficLimitExceeded\"}", GATE_NEWS_GOOD},
                {429, "", GATE_NEWS_ALL},
                {500, "", GATE_NEWS_PERHAPS},
                {503, "<html>", GATE_NEWS_PERHAPS},
                {507, "", GATE_NEWS_GOOD},
        };
        static const struct {
                enum http_fault fault;
                enum gate_news want;
        } faults[] = {
                {HTTP_FAULT_UNREACHABLE, GATE_NEWS_ALL},  {HTTP_FAULT_TLS, GATE_NEWS_ALL},
                {HTTP_FAULT_BROKEN, GATE_NEWS_PERHAPS},   {HTTP_FAULT_STALLED, GATE_NEWS_ALL},
                {HTTP_FAULT_TOO_LARGE, GATE_NEWS_PERHAPS}, {HTTP_FAULT_SHUT, GATE_NEWS_NONE},
                {HTTP_FAULT_LOCAL, GATE_NEWS_NONE},       {HTTP_FAULT_NONE, GATE_NEWS_NONE},
        };
        struct outcome start = {.kind = OUTCOME_START};

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct outcome in = {.kind = OUTCOME_HTTP,
                                     .status = rows[i].status,
                                     .body = rows[i].body,
                                     .body_len = strlen(rows[i].body)};

                if (verdict_news(&in) != rows[i].want)
                        check_fail("%d %s: %d, not %d", rows[i].status, rows[i].body,
                                   (int)verdict_news(&in), (int)rows[i].want);
        }
        for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
                struct outcome in = {.kind = OUTCOME_FAULT, .fault = faults[i].fault};

                check_eq(verdict_news(&in), faults[i].want);
        }
        check_eq(verdict_news(&start), GATE_NEWS_NONE);
}

TEST(room)
{
        static const struct {
                const char *body;
                int want;
                uint64_t free, largest;
        } rows[] = {
                {"{\"total_space\":100,\"used_space\":40,\"max_file_size\":7}", 0, 60, 7},
                {"{\"used_space\":100,\"total_space\":100,\"more\":{}}", 0, 0, 0},
                {"{\"total_space\":100,\"used_space\":101}", 0, 0, 0}, /* over its quota */
                {"{\"total_space\":100}", -EBADMSG, 0, 0},
                {"{\"total_space\":-1,\"used_space\":0}", -EBADMSG, 0, 0},
                {"{\"total_space\":1e999,\"used_space\":0}", -EBADMSG, 0, 0},
                {"{\"total_space\":\"100\",\"used_space\":0}", -EBADMSG, 0, 0},
                {"[]", -EBADMSG, 0, 0},
                {"", -EBADMSG, 0, 0},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct yadisk_room r = {.total = 5};
                int got = yadisk_read_room(rows[i].body, strlen(rows[i].body), &r);

                check_eq(got, rows[i].want);
                if (got == 0) {
                        check_eq(yadisk_room_free(&r), rows[i].free);
                        check_eq(r.largest, rows[i].largest);
                } else {
                        check_eq(r.total, 5);
                }
        }
}
