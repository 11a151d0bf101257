/* SPDX-License-Identifier: MIT */

#include "lib/engine/ahead.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <stdatomic.h>

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

/* Shows "k0", "k1" … with keys that get longer, then ends with `result`. */
struct numbers {
        struct entry_iter iter;
        struct entry entry;
        unsigned n, at, pad;
        int result;
        atomic_uint calls;
        char key[70000];
};

static int numbers_next(struct entry_iter *iter, const struct entry **ret)
{
        struct numbers *s = CONTAINER_OF(iter, struct numbers, iter);
        int len;

        atomic_fetch_add(&s->calls, 1);
        if (s->at == s->n)
                return s->result;
        len = snprintf(s->key, sizeof(s->key), "k%u", s->at);
        memset(s->key + len, 'x', s->pad);
        s->key[(unsigned)len + s->pad] = '\0';
        s->entry = (struct entry){.key = s->key, .kind = KIND_FILE, .size = s->at++};
        *ret = &s->entry;
        return 1;
}

static struct numbers *numbers(unsigned n, unsigned pad, int result)
{
        struct numbers *s = calloc(1, sizeof(*s));

        s->iter.next = numbers_next;
        s->n = n;
        s->pad = pad;
        s->result = result;
        return s;
}

static void read_all(unsigned n, unsigned pad, int result)
{
        struct numbers *s = numbers(n, pad, result);
        const struct entry *e;
        struct ahead *a;
        char key[32];
        int r;

        check_eq(ahead_create(&a, &s->iter, NULL), 0);
        for (unsigned i = 0; i < n; i++) {
                require(entry_iter_next(ahead_iter(a), &e) == 1);
                snprintf(key, sizeof(key), "k%u", i);
                check(strncmp(e->key, key, strlen(key)) == 0);
                check_eq(strlen(e->key), strlen(key) + pad);
                check_eq(e->size, i);
        }
        for (int i = 0; i < 3; i++) {
                r = entry_iter_next(ahead_iter(a), &e);
                check_eq(r, result);
        }
        ahead_destroy(a);
        free(s);
}

TEST(shows_what_there_is)
{
        read_all(0, 0, 0);
        read_all(1, 0, 0);
        for (unsigned n = 254; n < 259; n++)
                read_all(n, 0, 0);
        read_all(1024, 10, 0);
        read_all(100000, 30, 0);
}

TEST(an_early_end_comes_after_what_was_shown)
{
        read_all(0, 0, -EIO);
        read_all(256, 0, -ECANCELED);
        read_all(5000, 0, -EIO);
}

TEST(long_keys)
{
        read_all(700, 300, 0);
        read_all(40, 65000, 0);
}

/* Whatever the reader has taken of it, it ends, and no more is read than was promised. */
TEST(the_reader_may_leave)
{
        for (unsigned taken = 0; taken < 3000; taken += 97) {
                struct numbers *s = numbers(1000000, 5, 0);
                const struct entry *e;
                struct ahead *a;

                check_eq(ahead_create(&a, &s->iter, NULL), 0);
                for (unsigned i = 0; i < taken; i++)
                        check_eq(entry_iter_next(ahead_iter(a), &e), 1);
                ahead_destroy(a);
                check(atomic_load(&s->calls) <= taken + 1024 + 256);
                free(s);
        }
}
