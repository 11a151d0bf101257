/* SPDX-License-Identifier: MIT */

#include "lib/core/entry.h"

#include "lib/base/str.h"
#include "lib/base/tr.h"

#include <stdlib.h>
#include <string.h>

/* '/' counts as 0 and so comes before every byte a name can hold; the end comes before that. */
static int entry_weight(char c)
{
        if (c == '\0')
                return -1;
        return c == '/' ? 0 : (unsigned char)c;
}

int entry_key_cmp(const char *a, const char *b)
{
        if (strcmp(a, b) == 0) /* mostly so, and quickly seen */
                return 0;
        while (*a && *a == *b)
                a++, b++;
        return entry_weight(*a) - entry_weight(*b);
}

bool entry_key_below(const char *key, const char *dir)
{
        size_t n = strlen(dir);

        if (n == 0)
                return *key != '\0';
        return strncmp(key, dir, n) == 0 && key[n] == '/';
}

size_t entry_key_parent(const char *key)
{
        const char *slash = strrchr(key, '/');

        return slash ? (size_t)(slash - key) : 0;
}

const char *entry_key_name(const char *key)
{
        const char *slash = strrchr(key, '/');

        return slash ? slash + 1 : key;
}

/* Judges one component and says in ret_len how long it is. */
static const char *entry_name_unfit(const char *name, size_t *ret_len, size_t *ret_chars)
{
        const char *s = name;
        size_t chars = 0;

        for (; *s && *s != '/'; chars++) {
                size_t n;

                if (*s >= 0x20 && *s < 0x7f) { /* nothing to be asked of these */
                        s++;
                        continue;
                }
                n = str_utf8(s);
                if (n == 0)
                        return N_("its name is not valid UTF-8");
                if ((unsigned char)*s < 0x20 || *s == 0x7f)
                        return N_("its name holds a control character");
                s += n;
        }
        *ret_len = (size_t)(s - name);
        *ret_chars = chars;
        if (*ret_len == 0)
                return N_("it has an empty name in its path");
        if (chars > ENTRY_NAME_MAX)
                return N_("its name is longer than 255 characters");
        if (name[0] == '.' && (*ret_len == 1 || (*ret_len == 2 && name[1] == '.')))
                return N_("its path holds a \".\" or \"..\"");
        return NULL;
}

const char *entry_key_unfit(const char *key)
{
        size_t total = 0;

        for (;;) {
                size_t len, chars;
                const char *why = entry_name_unfit(key, &len, &chars);

                if (why)
                        return why;
                total += chars + 1;
                if (total > ENTRY_PATH_MAX)
                        return N_("its path is longer than the service allows");
                if (key[len] == '\0')
                        return NULL;
                key += len + 1;
        }
}

bool entry_stamp_eq(const struct stamp *a, const struct stamp *b)
{
        return a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns && a->ino == b->ino;
}

bool entry_list_copy(struct entry_list *ret, const struct entry_list *from)
{
        ret->items = calloc(from->n + 1, sizeof(struct entry));
        for (size_t i = 0; ret->items && i < from->n; i++) {
                struct entry *e = &ret->items[i];

                *e = from->items[i];
                e->key = str_dup(e->key);
                if (!e->key)
                        break;
                ret->n++;
        }
        if (ret->items && ret->n == from->n)
                return true;
        entry_list_finish(ret);
        return false;
}

void entry_list_finish(struct entry_list *l)
{
        for (size_t i = 0; i < l->n; i++)
                free((char *)l->items[i].key);
        free(l->items);
        *l = (struct entry_list){0};
}
