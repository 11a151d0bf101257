/* SPDX-License-Identifier: MIT */

#include "lib/core/stir.h"

#include "lib/base/str.h"
#include "lib/core/entry.h"

#include <stdlib.h>
#include <string.h>

void stir_finish(struct stir *s)
{
        for (size_t i = 0; i < s->n; i++)
                free(s->folders[i].key);
        s->n = 0;
        s->all = false;
}

void stir_add_all(struct stir *s)
{
        stir_finish(s);
        s->all = true;
}

/* The first that is not before `key`. */
static size_t stir_find(const struct stir *s, const char *key)
{
        size_t low = 0, high = s->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (entry_key_cmp(s->folders[middle].key, key) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

void stir_add(struct stir *s, const char *key, bool whole)
{
        size_t at = stir_find(s, key);
        char *copy;

        if (s->all)
                return;
        if (at < s->n && str_eq(s->folders[at].key, key)) {
                s->folders[at].whole |= whole;
                return;
        }
        copy = s->n < STIR_MAX ? str_dup(key) : NULL;
        if (!copy) {
                stir_add_all(s);
                return;
        }
        memmove(&s->folders[at + 1], &s->folders[at], (s->n++ - at) * sizeof(*s->folders));
        s->folders[at] = (struct stir_folder){.key = copy, .whole = whole};
}

void stir_merge(struct stir *s, const struct stir *from)
{
        if (from->all)
                stir_add_all(s);
        for (size_t i = 0; i < from->n; i++)
                stir_add(s, from->folders[i].key, from->folders[i].whole);
}

/* Whether it lies in one that is wanted whole. */
static bool stir_is_within(const struct stir *s, const char *key)
{
        _cleanup_(freep) char *above = str_dup(key);

        while (above && *above) {
                size_t at;

                above[entry_key_parent(above)] = '\0';
                at = stir_find(s, above);
                if (at < s->n && s->folders[at].whole && str_eq(s->folders[at].key, above))
                        return true;
        }
        return !above; /* no memory: rather too much */
}

enum stir_need stir_need(const struct stir *s, const char *key)
{
        size_t at = stir_find(s, key);

        if (s->all || stir_is_within(s, key))
                return STIR_WHOLE;
        if (at == s->n)
                return STIR_NOTHING;
        if (str_eq(s->folders[at].key, key))
                return s->folders[at].whole ? STIR_WHOLE : STIR_ITSELF;
        return entry_key_below(s->folders[at].key, key) ? STIR_THROUGH : STIR_NOTHING;
}

bool stir_through(const struct stir *s, const char *key, size_t *at, const char **ret, size_t *ret_len)
{
        size_t skip = *key ? strlen(key) + 1 : 0;
        const char *before = *at > 0 ? *ret : NULL;

        if (*at == 0)
                *at = stir_find(s, key);
        for (; *at < s->n; ++*at) {
                const char *found = s->folders[*at].key;

                if (!entry_key_below(found, key)) {
                        if (str_eq(found, key))
                                continue;
                        return false;
                }
                found += skip;
                if (before && strncmp(found, before, *ret_len) == 0 &&
                    (found[*ret_len] == '/' || found[*ret_len] == '\0'))
                        continue;
                *ret = found;
                *ret_len = strcspn(found, "/");
                ++*at;
                return true;
        }
        return false;
}
