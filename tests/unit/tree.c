/* SPDX-License-Identifier: MIT */

#include "tests/unit/tree.h"

#include "lib/base/str.h"
#include "tests/unit/check.h"

#include <errno.h>

static const struct {
        const char *name;
        int err;
} tree_errnos[] = {
        {"EPERM", EPERM},   {"ENOENT", ENOENT}, {"EIO", EIO},         {"EACCES", EACCES},
        {"ENOMEM", ENOMEM}, {"EXDEV", EXDEV},   {"ENOTDIR", ENOTDIR}, {"EISDIR", EISDIR},
        {"EINVAL", EINVAL}, {"EMFILE", EMFILE}, {"ELOOP", ELOOP},     {"EILSEQ", EILSEQ},
        {"ESTALE", ESTALE}, {"ENOSPC", ENOSPC}, {"ECANCELED", ECANCELED},
        {"EBADMSG", EBADMSG},
};

static void tree_die(const char *what, const char *where)
{
        printf("# %s: \"%s\"\n", what, where);
        exit(2);
}

const char *tree_errno(int err)
{
        static char number[16];

        for (size_t i = 0; i < ARRAY_SIZE(tree_errnos); i++)
                if (tree_errnos[i].err == err)
                        return tree_errnos[i].name;
        snprintf(number, sizeof(number), "%d", err);
        return number;
}

static int tree_parse_errno(const char *word)
{
        for (size_t i = 0; i < ARRAY_SIZE(tree_errnos); i++)
                if (str_eq(tree_errnos[i].name, word))
                        return tree_errnos[i].err;
        tree_die("no such errno", word);
        return 0;
}

static enum kind tree_parse_kind(const char *word)
{
        switch (*word) {
        case 'd':
                return KIND_DIR;
        case 'f':
                return KIND_FILE;
        case 'o':
                return KIND_OTHER;
        case 'n':
                return KIND_NONE;
        }
        tree_die("no such kind", word);
        return KIND_NONE;
}

static void tree_parse_word(struct entry *e, const char *word)
{
        long long number = strtoll(word + 1, NULL, 10);

        switch (*word) {
        case '@':
                e->stamp.mtime_ns = number;
                e->stamp.ctime_ns = number;
                return;
        case '~':
                e->stamp.ctime_ns = number;
                return;
        case 'i':
                e->stamp.ino = (uint64_t)number;
                return;
        case '%':
                e->stamp.dev = (uint64_t)number;
                return;
        case '!':
                e->err = tree_parse_errno(word + 1);
                return;
        case '#':
                e->has_md5 = true;
                memset(e->md5, (int)strtoul(word + 1, NULL, 16), sizeof(e->md5));
                return;
        case 'x':
                e->flags |= ENTRY_EXCLUDED;
                return;
        case 'r':
                e->flags |= ENTRY_RACY;
                return;
        case 'u':
                e->flags |= ENTRY_UNVERIFIED;
                return;
        case 'p':
                e->flags |= ENTRY_PARTIAL;
                return;
        }
        if (*word < '0' || *word > '9')
                tree_die("no such word", word);
        e->size = strtoull(word, NULL, 10);
}

static void tree_parse(struct tree *t, char *text)
{
        struct entry e = {.stamp = {1, 1, 1, 0}};
        char *kind = strsep(&text, " "), *key = strsep(&text, " "), *word;

        if (*kind == '!') {
                t->end = -tree_parse_errno(kind + 1);
                return;
        }
        if (!key)
                tree_die("half an entry", kind);
        e.kind = tree_parse_kind(kind);
        e.key = str_eq(key, ".") ? "" : key;
        while ((word = strsep(&text, " ")))
                tree_parse_word(&e, word);
        tree_add(t, &e);
}

static int tree_next(struct entry_iter *it, const struct entry **ret)
{
        struct tree *t = CONTAINER_OF(it, struct tree, iter);

        if (t->shown)
                free((char *)t->shown->key);
        free(t->shown);
        t->shown = NULL;
        if (t->at == t->n)
                return t->end;
        t->shown = malloc(sizeof(*t->shown));
        if (!t->shown)
                abort();
        *t->shown = t->items[t->at++];
        t->shown->key = str_dup(t->shown->key);
        *ret = t->shown;
        return 1;
}

static void tree_seek(struct entry_iter *it, const char *key, bool past)
{
        struct tree *t = CONTAINER_OF(it, struct tree, iter);

        while (t->at < t->n && (entry_key_cmp(t->items[t->at].key, key) < 0 ||
                                (past && (str_eq(t->items[t->at].key, key) ||
                                          entry_key_below(t->items[t->at].key, key)))))
                t->at++;
}

void tree_seeks(struct tree *t)
{
        t->iter.seek = tree_seek;
}

void tree_init(struct tree *t, const char *text)
{
        _cleanup_(freep) char *copy = str_dup(text);
        char *rest = copy, *item;

        *t = (struct tree){.iter.next = tree_next};
        while ((item = strsep(&rest, "|")))
                if (*item)
                        tree_parse(t, item);
}

void tree_finish(struct tree *t)
{
        tree_rewind(t);
        for (size_t i = 0; i < t->n; i++)
                free((char *)t->items[i].key);
        free(t->items);
        t->items = NULL;
        t->n = t->size = 0;
}

void tree_rewind(struct tree *t)
{
        if (t->shown)
                free((char *)t->shown->key);
        free(t->shown);
        t->shown = NULL;
        t->at = 0;
}

void tree_add(struct tree *t, const struct entry *e)
{
        if (t->n == t->size) {
                t->size = t->size ? 2 * t->size : 16;
                t->items = reallocarray(t->items, t->size, sizeof(struct entry));
                if (!t->items)
                        abort();
        }
        t->items[t->n] = *e;
        t->items[t->n++].key = str_dup(e->key);
}

static int tree_by_key(const void *a, const void *b)
{
        return entry_key_cmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

void tree_sort(struct tree *t)
{
        if (t->n > 0)
                qsort(t->items, t->n, sizeof(struct entry), tree_by_key);
}

struct entry *tree_find(const struct tree *t, const char *key)
{
        for (size_t i = 0; i < t->n; i++)
                if (str_eq(t->items[i].key, key))
                        return &t->items[i];
        return NULL;
}

void tree_remove(struct tree *t, const char *key)
{
        struct entry *e = tree_find(t, key);
        size_t at = e ? (size_t)(e - t->items) : 0;

        if (!e)
                return;
        free((char *)e->key);
        memmove(e, e + 1, (t->n - at - 1) * sizeof(*e));
        t->n--;
}
