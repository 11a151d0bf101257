/* SPDX-License-Identifier: MIT */

/*
 * Names are byte strings here and never normalised.  The service is strict about the scheme: a
 * path without one must not contain a colon at all, because whatever is before the first colon
 * would be taken for a scheme.
 */

#include "config.h"
#include "path.h"

void path_finish(struct path *p)
{
        free(p->s);
        *p = (struct path){};
}

static bool skip(const char **s, size_t *n, const char *prefix)
{
        size_t len = strlen(prefix);

        if (*n < len || memcmp(*s, prefix, len) != 0)
                return false;
        *s += len;
        *n -= len;
        return true;
}

static const char *check_bytes(const char *s, size_t n, int control)
{
        for (size_t i = 0; i < n; i++) {
                unsigned char c = (unsigned char)s[i];

                if (c == 0)
                        return "Path contains a NUL character.";
                if ((c >= 0x20 && c != 0x7f) || control == CONTROL_NAMES_ALLOWED)
                        continue;
                if (control == CONTROL_NAMES_WHITESPACE && (c == '\t' || c == '\n' || c == '\r'))
                        continue;
                return "Path contains a control character.";
        }
        return NULL;
}

static const char *check_names(const char *s, size_t n)
{
        size_t chars;

        if (!utf8_valid(s, n, &chars))
                return "Path is not valid UTF-8.";
        if (chars > PATH_MAX_CHARS)
                return "Path is too long.";
        while (n > 0) {
                const char *slash = memchr(s, '/', n);
                size_t len = slash ? (size_t)(slash - s) : n;

                if (len == 0)
                        return "Path contains an empty name.";
                if ((len == 1 && s[0] == '.') || (len == 2 && s[0] == '.' && s[1] == '.'))
                        return "Path contains a forbidden name.";
                utf8_valid(s, len, &chars);
                if (chars > NAME_MAX_CHARS)
                        return "Name is too long.";
                s += slash ? len + 1 : len;
                n -= slash ? len + 1 : len;
        }
        return NULL;
}

const char *path_parse(struct path *ret, const char *raw, size_t n, int control)
{
        struct path p = {};
        struct buf text = {};
        const char *why;

        if (skip(&raw, &n, "trash:/"))
                p.area = AREA_TRASH;
        else if (skip(&raw, &n, "app:/"))
                p.app = true;
        else if (!skip(&raw, &n, "disk:/")) {
                if (memchr(raw, ':', n))
                        return "Unknown scheme of path.";
                skip(&raw, &n, "/");
        }
        if (n > 0 && raw[n - 1] == '/')
                n--;
        why = check_bytes(raw, n, control);
        if (!why)
                why = check_names(raw, n);
        if (why)
                return why;
        if (p.app)
                buf_str(&text, n > 0 ? PATH_APP "/" : PATH_APP);
        buf_add(&text, raw, n);
        p.len = text.len;
        p.s = text.s;
        *ret = p;
        return NULL;
}

void path_print(const struct path *p, struct buf *ret)
{
        buf_str(ret, p->area == AREA_TRASH ? "trash:/" : "disk:/");
        buf_add(ret, p->s, p->len);
}

const char *path_name(const struct path *p, size_t *ret_len, size_t *ret_parent_len)
{
        const char *slash = memrchr(p->s, '/', p->len);
        const char *name = slash ? slash + 1 : p->s;

        *ret_len = p->len - (size_t)(name - p->s);
        *ret_parent_len = slash ? (size_t)(slash - p->s) : 0;
        return name;
}

bool path_is_below(const struct path *p, const struct path *top)
{
        if (p->area != top->area || p->len < top->len)
                return false;
        if (top->len == 0)
                return true;
        return memcmp(p->s, top->s, top->len) == 0 &&
               (p->len == top->len || p->s[top->len] == '/');
}
