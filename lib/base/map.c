/* SPDX-License-Identifier: MIT */

/*
 * Chained hash table; the hash is FNV-1a with a table that doubles.  Keys are paths of the user's
 * own folder: nobody gains by making them collide.
 */

#include "lib/base/map.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

struct map_node {
        struct map_node *next;
        void *value;
        uint64_t hash;
        size_t len;
        char key[];
};

struct map {
        struct map_node **buckets;
        size_t size; /* a power of two */
        size_t count;
};

struct map *map_create(void)
{
        struct map *m = calloc(1, sizeof(*m));

        if (!m)
                return NULL;
        m->size = 64;
        m->buckets = calloc(m->size, sizeof(struct map_node *));
        if (!m->buckets) {
                free(m);
                return NULL;
        }
        return m;
}

void map_destroy(struct map *m)
{
        if (!m)
                return;
        for (size_t i = 0; i < m->size; i++)
                while (m->buckets[i]) {
                        struct map_node *n = m->buckets[i];

                        m->buckets[i] = n->next;
                        free(n);
                }
        free(m->buckets);
        free(m);
}

static uint64_t map_hash(const char *key, size_t len)
{
        uint64_t h = 0xcbf29ce484222325u;

        for (size_t i = 0; i < len; i++)
                h = (h ^ (unsigned char)key[i]) * 0x100000001b3u;
        return h ^ h >> 29;
}

/* The link that points at the node, or at the NULL where it would stand. */
static struct map_node **map_find(const struct map *m, const char *key, size_t len, uint64_t hash)
{
        struct map_node **link = &m->buckets[hash & (m->size - 1)];

        while (*link && ((*link)->hash != hash || (*link)->len != len ||
                         memcmp((*link)->key, key, len) != 0))
                link = &(*link)->next;
        return link;
}

/* A table that could not grow still works, only slower. */
static void map_grow(struct map *m)
{
        size_t size = m->size * 2;
        struct map_node **buckets = calloc(size, sizeof(struct map_node *));

        if (!buckets)
                return;
        for (size_t i = 0; i < m->size; i++)
                while (m->buckets[i]) {
                        struct map_node *n = m->buckets[i];

                        m->buckets[i] = n->next;
                        n->next = buckets[n->hash & (size - 1)];
                        buckets[n->hash & (size - 1)] = n;
                }
        free(m->buckets);
        m->buckets = buckets;
        m->size = size;
}

int map_set(struct map *m, const char *key, size_t len, void *value)
{
        uint64_t hash = map_hash(key, len);
        struct map_node **link = map_find(m, key, len, hash), *n = *link;

        if (n) {
                n->value = value;
                return 0;
        }
        n = malloc(sizeof(*n) + len + 1);
        if (!n)
                return -ENOMEM;
        *n = (struct map_node){.value = value, .hash = hash, .len = len};
        memcpy(n->key, key, len);
        n->key[len] = '\0';
        *link = n;
        if (++m->count > m->size)
                map_grow(m);
        return 0;
}

void *map_get(const struct map *m, const char *key, size_t len)
{
        struct map_node *n = *map_find(m, key, len, map_hash(key, len));

        return n ? n->value : NULL;
}

void *map_remove(struct map *m, const char *key, size_t len)
{
        struct map_node **link = map_find(m, key, len, map_hash(key, len)), *n = *link;
        void *value;

        if (!n)
                return NULL;
        value = n->value;
        *link = n->next;
        free(n);
        m->count--;
        return value;
}

size_t map_count(const struct map *m)
{
        return m->count;
}
