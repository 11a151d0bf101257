/* SPDX-License-Identifier: MIT */

/*
 * Patterns: the first line is YDSYNC_EXCLUDE, then come keys up to an empty line, then the text of
 * a .ydignore.  A list judges as its lines one by one do, the last that says anything deciding; and
 * a folder that was left leaves nothing behind.
 */

#include "lib/core/match.h"

#include "lib/base/str.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>

#define KEYS_MAX 8
#define LINES_MAX 64

struct judged {
        char *key;
        bool excluded, is_dir;
};

/* What the pattern on this line says alone: excluded, kept, or nothing at all. */
static int judge_line(const char *dir, const char *line, size_t n, const struct judged *k)
{
        struct match *out = NULL, *in = NULL;
        struct err err = ERR_NONE;
        bool said_out, said_in;

        must(match_create(&out, "", &err) == 0);
        must(match_enter(out, dir, line, n) == 0);
        said_out = match_excludes(out, k->key, k->is_dir);
        match_destroy(out);
        must(match_create(&in, "**", &err) == 0); /* all is out: what is kept was taken back */
        must(match_enter(in, dir, line, n) == 0);
        said_in = !match_excludes(in, k->key, k->is_dir);
        match_destroy(in);
        must(!(said_out && said_in));
        return said_out ? 1 : said_in ? -1 : 0;
}

/* Line by line, from the last: the first that says anything decides. */
static bool judge_by_lines(const char *dir, const char *text, size_t n, const struct judged *k)
{
        while (n > 0) {
                const char *lf = n > 1 ? memrchr(text, '\n', n - 1) : NULL;
                const char *line = lf ? lf + 1 : text;
                size_t len = (size_t)(text + n - line);
                int said;

                len -= line[len - 1] == '\n';
                said = judge_line(dir, line, len, k);
                if (said != 0)
                        return said > 0;
                n = (size_t)(line - text);
        }
        return k->excluded;
}

static size_t count_lines(const char *text, size_t n)
{
        size_t lines = 0;

        for (size_t i = 0; i < n; i++)
                lines += text[i] == '\n';
        return lines;
}

static void check_ignore(struct match *m, const char *dir, struct judged *keys, size_t n_keys,
                         const char *text, size_t n)
{
        bool bom = n >= 3 && memmem(text, n, "\xef\xbb\xbf", 3); /* means another thing alone */

        must(match_enter(m, dir, text, n) == 0);
        for (size_t i = 0; i < n_keys && !bom && count_lines(text, n) < LINES_MAX; i++)
                must(match_excludes(m, keys[i].key, keys[i].is_dir) ==
                     judge_by_lines(dir, text, n, &keys[i]));
        match_leave(m, dir);
        for (size_t i = 0; i < n_keys; i++)
                must(match_excludes(m, keys[i].key, keys[i].is_dir) == keys[i].excluded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        struct judged keys[KEYS_MAX];
        char *patterns = input_until(&in, '\n'), *dir = NULL;
        struct match *m = NULL;
        struct err err = ERR_NONE;
        size_t n = 0;
        int r = match_create(&m, patterns, &err);

        must(r == 0 || (r == -EINVAL && err.text[0]));
        if (r < 0)
                must(match_create(&m, "*.tmp", &err) == 0);
        for (; n < KEYS_MAX && in.left > 0 && *in.at != '\n'; n++) {
                size_t len;

                keys[n].key = input_until(&in, '\n');
                len = strlen(keys[n].key);
                keys[n].is_dir = len > 1 && keys[n].key[len - 1] == '/';
                if (keys[n].is_dir)
                        keys[n].key[len - 1] = '\0';
                keys[n].excluded = match_excludes(m, keys[n].key, keys[n].is_dir);
        }
        input_byte(&in);
        dir = str_dup(n > 0 && keys[0].is_dir ? keys[0].key : "");
        if (in.left < 4096)
                check_ignore(m, dir, keys, n, (const char *)in.at, in.left);
        for (size_t i = 0; i < n; i++)
                free(keys[i].key);
        match_destroy(m);
        free(dir);
        free(patterns);
        return 0;
}
