/* SPDX-License-Identifier: MIT */

/*
 * Sorting is the one thing a walk does that `find` does not, so it is worth some care: eight bytes
 * of each name are kept beside it, most comparisons are of two integers that lie next to each
 * other, and the names themselves are touched again only where those bytes are the same (a
 * quicksort of three parts that moves on to the next eight bytes in the middle part).  In place,
 * because a second array for a folder of a million names would double what the walk needs.
 */

#include "lib/engine/names.h"

#include "lib/base/mem.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define ROOM_MIN 1024u          /* names */
#define SIZE_MIN (32u * 1024u)  /* bytes */
#define KEEP_MAX (512u * 1024u) /* bytes that are kept though unused */
#define SMALL 12u               /* below this, inserting is quicker than parting */

void names_finish(struct names *s)
{
        free(s->v);
        free(s->bytes);
        *s = (struct names){0};
}

/* By half again, not by double: an array of a wide folder shall not be half empty. */
static int names_grow(void *array, size_t *size, size_t least, size_t unit, size_t min)
{
        size_t want = *size + *size / 2;
        void *p;

        if (want < least)
                want = least;
        if (want < min)
                want = min;
        p = reallocarray(*(void **)array, want, unit);
        if (!p)
                return -ENOMEM;
        *(void **)array = p;
        *size = want;
        return 0;
}

int names_push(struct names *s, const char *name, size_t len, unsigned char type)
{
        size_t bytes = s->len + len;

        if (s->n == s->room && names_grow(&s->v, &s->room, s->n + 1, sizeof(*s->v), ROOM_MIN) < 0)
                return -ENOMEM;
        if (bytes > s->size && names_grow(&s->bytes, &s->size, bytes, 1, SIZE_MIN) < 0)
                return -ENOMEM;
        s->v[s->n++] = (struct name){.off = s->len, .len = len & 0xffff, .type = type};
        memcpy(s->bytes + s->len, name, len);
        s->len = bytes;
        return 0;
}

/* Keeping the old block is fine: it is only too large. */
static void names_shrink(void *array, size_t *size, size_t used, size_t unit)
{
        size_t keep = used + used / 2;
        void *p;

        if (keep < KEEP_MAX / unit)
                keep = KEEP_MAX / unit;
        if (*size / 2 < keep)
                return;
        p = reallocarray(*(void **)array, keep, unit);
        if (!p)
                return;
        *(void **)array = p;
        *size = keep;
}

void names_pop(struct names *s, struct names_mark mark)
{
        s->n = mark.n;
        s->len = mark.len;
        names_shrink(&s->v, &s->room, s->n, sizeof(*s->v));
        names_shrink(&s->bytes, &s->size, s->len, 1);
}

static uint64_t names_head(const char *bytes, const struct name *n, size_t skip)
{
        size_t left = n->len > skip ? n->len - skip : 0;
        uint64_t head = 0;

        memcpy(&head, bytes + n->off + (left ? skip : 0), left < 8 ? left : 8);
        return be64toh(head);
}

static void names_load(const char *bytes, struct name *v, size_t n, size_t skip)
{
        for (size_t i = 0; i < n; i++)
                v[i].head = names_head(bytes, &v[i], skip);
}

/* What all begin with tells nothing and is passed over: IMG_0001, IMG_0002, … */
static size_t names_common(const char *bytes, const struct name *v, size_t n)
{
        const char *first = bytes + v[0].off;
        size_t common = v[0].len;

        for (size_t i = 1; i < n && common > 0; i++) {
                const char *s = bytes + v[i].off;
                size_t k = 0;

                while (k < common && k < v[i].len && s[k] == first[k])
                        k++;
                common = k;
        }
        return common;
}

static bool names_less(const char *bytes, const struct name *a, const struct name *b, size_t skip)
{
        size_t shorter = a->len < b->len ? a->len : b->len;
        int c;

        if (a->head != b->head)
                return a->head < b->head;
        if (shorter <= skip + 8)
                return a->len < b->len;
        skip += 8;
        c = memcmp(bytes + a->off + skip, bytes + b->off + skip, shorter - skip);
        return c ? c < 0 : a->len < b->len;
}

static void names_insert(const char *bytes, struct name *v, size_t n, size_t skip)
{
        for (size_t i = 1; i < n; i++) {
                struct name x = v[i];
                size_t k = i;

                for (; k > 0 && names_less(bytes, &x, &v[k - 1], skip); k--)
                        v[k] = v[k - 1];
                v[k] = x;
        }
}

static void names_swap(struct name *a, struct name *b)
{
        struct name t = *a;

        *a = *b;
        *b = t;
}

/* The middle one of three taken at random: no order in which a folder gives its names is bad. */
static uint64_t names_pivot(const struct name *v, size_t n, uint64_t *seed)
{
        uint64_t h[3];

        for (size_t i = 0; i < 3; i++) {
                *seed = *seed * 6364136223846793005u + 1442695040888963407u;
                h[i] = v[(*seed >> 33) % n].head;
        }
        if ((h[0] < h[1]) == (h[1] < h[2]))
                return h[1];
        return (h[0] < h[1]) == (h[2] < h[0]) ? h[0] : h[2];
}

/* Less than the pivot, the same, more: [0, *ret_low), [*ret_low, *ret_high), [*ret_high, n). */
static void names_part(struct name *v, size_t n, uint64_t pivot, size_t *ret_low, size_t *ret_high)
{
        size_t low = 0, i = 0, high = n;

        while (i < high) {
                if (v[i].head < pivot)
                        names_swap(&v[i++], &v[low++]);
                else if (v[i].head > pivot)
                        names_swap(&v[i], &v[--high]);
                else
                        i++;
        }
        *ret_low = low;
        *ret_high = high;
}

struct names_range {
        struct name *v;
        size_t n;
        size_t skip; /* the heads are the bytes from here on */
};

/* The largest last. */
static void names_order(struct names_range *part)
{
        for (size_t i = 0; i < 2; i++)
                if (part[i].n > part[2].n) {
                        struct names_range t = part[i];

                        part[i] = part[2];
                        part[2] = t;
                }
}

/* Calls itself for the two smaller parts only, so never deeper than log2(n). */
static void names_quick(const char *bytes, struct names_range r, uint64_t *seed)
{
        while (r.n > SMALL) {
                uint64_t pivot = names_pivot(r.v, r.n, seed);
                struct names_range part[3];
                size_t low, high;

                names_part(r.v, r.n, pivot, &low, &high);
                part[0] = (struct names_range){r.v, low, r.skip};
                part[1] = (struct names_range){r.v + low, high - low, r.skip + 8};
                part[2] = (struct names_range){r.v + high, r.n - high, r.skip};
                if ((pivot & 0xff) == 0) /* these names end here: they are the same */
                        part[1].n = 0;
                names_load(bytes, part[1].v, part[1].n, part[1].skip);
                names_order(part);
                names_quick(bytes, part[0], seed);
                names_quick(bytes, part[1], seed);
                r = part[2];
        }
        names_insert(bytes, r.v, r.n, r.skip);
}

void names_sort(struct names *s, struct names_mark from)
{
        struct names_range r = {.n = s->n - from.n};
        uint64_t seed = r.n;

        if (r.n < 2)
                return;
        r.v = s->v + from.n;
        r.skip = names_common(s->bytes, r.v, r.n);
        names_load(s->bytes, r.v, r.n, r.skip);
        names_quick(s->bytes, r, &seed);
}
