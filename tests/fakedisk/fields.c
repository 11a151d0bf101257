/* SPDX-License-Identifier: MIT */

/* "name,_embedded.items.path" becomes a tree that follows the shape of the answer. */

#include "fields.h"
#include "util.h"

static struct fields *find(struct fields *f, const char *name, size_t n)
{
        while (f && (strlen(f->name) != n || memcmp(f->name, name, n) != 0))
                f = f->next;
        return f;
}

/* "_embedded" beside "_embedded.x" means only the latter, so a plain name adds nothing. */
struct fields *fields_parse(const char *text, size_t n)
{
        struct fields *root = NULL;

        while (n > 0) {
                const char *comma = memchr(text, ',', n);
                size_t len = comma ? (size_t)(comma - text) : n;
                struct fields **at = &root;

                n -= comma ? len + 1 : len;
                for (const char *s = text, *end = text + len; s < end;) {
                        const char *dot = memchr(s, '.', (size_t)(end - s));
                        size_t part = (size_t)((dot ? dot : end) - s);
                        struct fields *f = find(*at, s, part);

                        if (!f) {
                                f = xcalloc(1, sizeof *f);
                                f->name = xstrndup(s, part);
                                f->next = *at;
                                *at = f;
                        }
                        at = &f->sub;
                        s += part + 1;
                }
                text += len + 1;
        }
        return root;
}

void fields_destroy(struct fields *f)
{
        while (f) {
                struct fields *next = f->next;

                /* Hang what is below it behind it: no recursion. */
                if (f->sub) {
                        struct fields *last = f->sub;

                        while (last->next)
                                last = last->next;
                        last->next = next;
                        next = f->sub;
                }
                free(f->name);
                free(f);
                f = next;
        }
}
