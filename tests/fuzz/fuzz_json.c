/* SPDX-License-Identifier: MIT */

/* Every reader of the service's answers, on the same bytes; and what the answer means. */

#include "lib/yadisk/yadisk_json.h"

#include "lib/base/str.h"
#include "lib/yadisk/oauth.h"
#include "lib/yadisk/verdict.h"
#include "tests/fuzz/fuzz.h"

#include <ctype.h>
#include <errno.h>

#define SIZE_MAX_EXACT (UINT64_C(1) << 53)

static void check_text(const char *s)
{
        must(s);
        for (; *s; s += str_utf8(s))
                must(str_utf8(s) > 0 && (unsigned char)*s >= 0x20 && *s != 0x7f);
}

static void read_error(const char *body, size_t len)
{
        char description[160];
        enum yadisk_error error = yadisk_read_error(body, len, description, sizeof(description));

        must(error <= YADISK_ERROR_FIELD);
        must(strlen(description) < sizeof(description));
        check_text(description);
}

static void read_link_of(const char *body, size_t len)
{
        struct yadisk_link link = {0};
        int r = yadisk_read_link(body, len, &link);

        must(r == 0 || r == -EBADMSG);
        must((r == 0) == (link.href != NULL));
        must(r == 0 || !link.operation_id);
        yadisk_link_finish(&link);
        must(!link.href);
}

static void check_resource(const struct entry *e)
{
        must(e->kind == KIND_FILE || e->kind == KIND_DIR || e->kind == KIND_OTHER);
        must(e->size <= SIZE_MAX_EXACT);
        must(e->kind == KIND_FILE || (e->size == 0 && !e->has_md5));
}

static void read_resource(const char *body, size_t len)
{
        struct entry e = {.key = "kept", .kind = KIND_NONE};
        int r = yadisk_read_resource(body, len, &e);

        must(r == 0 || r == -EBADMSG);
        must(str_eq(e.key, "kept"));
        if (r == 0)
                check_resource(&e);
        else
                must(e.kind == KIND_NONE);
}

static void read_listing(const char *body, size_t len)
{
        struct yadisk_listing l = {0};
        int r = yadisk_read_listing(body, len, &l);

        must(r == 0 || r == -EBADMSG || r == -ENOTDIR);
        must(r == 0 || (!l.items.items && l.total == 0 && l.offset == 0));
        must(l.total <= SIZE_MAX_EXACT && l.offset <= SIZE_MAX_EXACT);
        for (size_t i = 0; i < l.items.n; i++) {
                const struct entry *e = &l.items.items[i];

                check_resource(e);
                must(e->kind != KIND_OTHER && *e->key && !strchr(e->key, '/'));
                must(!str_eq(e->key, ".") && !str_eq(e->key, ".."));
        }
        yadisk_listing_finish(&l);
}

static void read_account(const char *body, size_t len)
{
        char uid[YADISK_UID_MAX] = "kept";
        int r = yadisk_read_account(body, len, uid);

        must(r == 0 || r == -EBADMSG);
        must(r == 0 || str_eq(uid, "kept"));
        must(*uid && strlen(uid) < sizeof(uid));
        for (const char *c = uid; *c; c++)
                must(isalnum((unsigned char)*c));
}

static void read_room(const char *body, size_t len)
{
        struct yadisk_room room = {.total = 7, .used = 7, .largest = 7};
        int r = yadisk_read_room(body, len, &room);

        must(r == 0 || (r == -EBADMSG && room.total == 7 && room.used == 7));
        must(room.total <= SIZE_MAX_EXACT && room.used <= SIZE_MAX_EXACT);
        must(yadisk_room_free(&room) <= room.total);
}

static void read_operation(const char *body, size_t len)
{
        enum yadisk_progress progress;
        int r = yadisk_read_operation(body, len, &progress);

        must(r == 0 || r == -EBADMSG);
        must(r < 0 || progress <= YADISK_FAILED);
}

/* What the OAuth service says: strings that a header or a terminal can carry, numbers in bounds. */
static void read_oauth(const char *body, size_t len)
{
        struct oauth_device device = {0};
        struct oauth_tokens tokens = {0};
        char text[200];

        if (oauth_read_device(body, len, &device) == 0) {
                must(device.expires_s >= 10 && device.expires_s <= 3600);
                must(device.interval_s >= 1 && device.interval_s <= 60);
                must(str_starts(device.url, "http"));
                check_text(device.user_code);
        }
        oauth_device_finish(&device);
        if (oauth_read_tokens(body, len, &tokens) == 0) {
                must(tokens.life_s >= 1 && !strpbrk(tokens.access, " \r\n\t"));
                must(*tokens.refresh);
        }
        oauth_tokens_finish(&tokens);
        must(oauth_read_error(body, len, text) <= OAUTH_STRANGE);
        check_text(text);
}

/* Whatever the body says, it turns no bad status into a good one, and there is a sentence. */
static void judge(int status, const char *body, size_t len)
{
        struct outcome in = {.kind = OUTCOME_HTTP,
                             .status = status,
                             .body = body,
                             .body_len = len,
                             .retry_after_ms = -1};
        struct verdict v = verdict(&in);
        bool good = status == 200 || status == 201 || status == 202 || status == 204;

        must((v.act == VERDICT_OK) == good);
        must(verdict_news(&in) <= GATE_NEWS_REFUSED);
        must((verdict_removal(&in).act == VERDICT_OK) == (good && status != 200));
        must((verdict_change(&in).act == VERDICT_OK) == (status == 201 || status == 202));
        must(v.act == VERDICT_OK || v.act == VERDICT_ASKER || *v.text);
        check_text(v.description);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *body = malloc(size + 1); /* a NUL is promised behind it */

        must(body);
        if (size > 0)
                memcpy(body, data, size);
        body[size] = '\0';
        read_error(body, size);
        read_link_of(body, size);
        read_resource(body, size);
        read_listing(body, size);
        read_operation(body, size);
        read_account(body, size);
        read_room(body, size);
        read_oauth(body, size);
        judge(100 + (int)(size * 7 % 900), body, size);
        judge(404, body, size);
        free(body);
        return 0;
}
