/* SPDX-License-Identifier: MIT */

/*
 * Keys and names, three of them, one a line: tree order is an order, a folder comes before what is
 * in it, what may go up is UTF-8 without control characters, a log line has none either, a URL
 * gives back the path that it was made of, and the snapshot's keys sort as ours do.
 */

#include "lib/base/str.h"
#include "lib/core/disguise.h"
#include "lib/core/entry.h"
#include "lib/store/store_priv.h"
#include "lib/yadisk/yadisk.h"
#include "tests/fuzz/fuzz.h"

static int sign(int n)
{
        return (n > 0) - (n < 0);
}

/* A decoder of its own: the code point, or -1; *ret_n is the length. */
static int32_t decode(const unsigned char *s, size_t *ret_n)
{
        static const struct {
                unsigned char mask, lead;
                int32_t least;
        } forms[] = {
                {0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

        for (size_t n = 1; n <= 4; n++) {
                int32_t c = s[0] & ~forms[n - 1].mask;

                if ((s[0] & forms[n - 1].mask) != forms[n - 1].lead)
                        continue;
                for (size_t i = 1; i < n; i++) {
                        if (s[i] < 0x80 || s[i] > 0xbf)
                                return -1;
                        c = c * 64 + (s[i] - 0x80);
                }
                *ret_n = n;
                return c < forms[n - 1].least || c > 0x10ffff || c / 0x800 == 0x1b ? -1 : c;
        }
        return -1;
}

static void check_printable(const char *s)
{
        struct str once = STR_NULL(1 << 24), twice = STR_NULL(1 << 24);
        size_t n = 0;

        str_add_printable(&once, s);
        for (const unsigned char *c = (const unsigned char *)str_z(&once); *c; c += n) {
                int32_t point = decode(c, &n);

                must(point >= 0x20 && point != 0x7f);
                must(str_utf8((const char *)c) == n);
        }
        str_add_printable(&twice, str_z(&once));
        must(str_eq(str_z(&once), str_z(&twice)));
        str_finish(&once);
        str_finish(&twice);
}

/* The rules of entry.h, written down a second time. */
static bool is_unfit(const char *key)
{
        size_t total = 0, chars = 0, bytes = 0, n = 0;

        for (const unsigned char *c = (const unsigned char *)key;; c += n) {
                if (*c == '/' || *c == '\0') {
                        if (bytes == 0 || chars > ENTRY_NAME_MAX ||
                            (bytes == 1 && c[-1] == '.') ||
                            (bytes == 2 && c[-1] == '.' && c[-2] == '.'))
                                return true;
                        total += chars + 1;
                        if (*c == '\0')
                                return total > ENTRY_PATH_MAX;
                        chars = bytes = 0;
                        n = 1;
                        continue;
                }
                if (decode(c, &n) < 0x20 || *c == 0x7f)
                        return true;
                chars++;
                bytes += n;
        }
}

static void check_name(const char *key)
{
        const char *why = entry_key_unfit(key), *name = entry_key_name(key);
        size_t parent = entry_key_parent(key);

        must((why != NULL) == is_unfit(key));
        must(!why || *why);
        must(strlen(key) == parent + (strchr(key, '/') != NULL) + strlen(name));
        must(!strchr(name, '/') && str_eq(key + strlen(key) - strlen(name), name));
        must(!disguise_is_wire(name) || strlen(name) == DISGUISE_WIRE_LEN);
        check_printable(key);
}

static void check_order(const char *a, const char *b, const char *c)
{
        int ab = sign(entry_key_cmp(a, b)), bc = sign(entry_key_cmp(b, c));

        must(ab == -sign(entry_key_cmp(b, a)));
        must((ab == 0) == str_eq(a, b));
        if (ab <= 0 && bc <= 0)
                must(entry_key_cmp(a, c) <= 0);
        if (entry_key_below(a, b)) {
                must(ab > 0 && strlen(a) > strlen(b));
                /* what is below a folder comes in one piece */
                if (entry_key_cmp(c, b) > 0 && entry_key_cmp(c, a) < 0)
                        must(entry_key_below(c, b));
        }
}

/* As the service would read it. */
static void check_url(const char *key)
{
        static const struct yadisk y = {"https://api", "disk:/B"};
        struct str path = STR_NULL(YADISK_URL_MAX), url = STR_NULL(YADISK_URL_MAX);
        struct str back = STR_NULL(YADISK_URL_MAX);

        yadisk_path(&path, &y, key);
        yadisk_url_mkdir(&url, &y, str_z(&path));
        if (!path.failed && !url.failed) {
                const char *c = strchr(str_z(&url), '=');

                must(c);
                for (c++; *c; c++) {
                        char hex[3] = {c[0] == '%' ? c[1] : '0', c[0] == '%' ? c[2] : '0', '\0'};
                        uint8_t byte = 0;

                        must((unsigned char)*c > 0x20 && (unsigned char)*c < 0x7f);
                        must(!strchr("+&#?=", *c) && str_unhex(&byte, 1, hex));
                        str_addc(&back, *c == '%' ? (char)byte : *c);
                        c += *c == '%' ? 2 : 0;
                }
                must(str_eq(str_z(&back), str_z(&path)));
        }
        str_finish(&path);
        str_finish(&url);
        str_finish(&back);
}

static void check_encoded(const char *a, const char *b)
{
        struct str raw_a = STR_NULL(STORE_STR_MAX), raw_b = STR_NULL(STORE_STR_MAX);
        struct err err = ERR_NONE;

        if (!entry_key_unfit(a) && !entry_key_unfit(b)) {
                size_t least;
                int order;

                must(store_key_encode(&raw_a, a, &err) == 0);
                must(store_key_encode(&raw_b, b, &err) == 0);
                must(raw_a.len == strlen(a));
                least = raw_a.len < raw_b.len ? raw_a.len : raw_b.len;
                order = memcmp(raw_a.s, raw_b.s, least);
                if (order == 0)
                        order = (raw_a.len > least) - (raw_b.len > least);
                must(sign(order) == sign(entry_key_cmp(a, b)));
        }
        str_finish(&raw_a);
        str_finish(&raw_b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        char *a = input_until(&in, '\n'), *b = input_until(&in, '\n'), *c = input_until(&in, '\n');

        check_name(a);
        check_order(a, b, c);
        check_order(c, a, b);
        check_url(a);
        check_encoded(a, b);
        free(a);
        free(b);
        free(c);
        return 0;
}
