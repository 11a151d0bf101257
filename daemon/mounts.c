/* SPDX-License-Identifier: MIT */

#include "daemon/mounts.h"

#include "lib/base/str.h"
#include "lib/engine/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MOUNTS_FACT_MAX 60000 /* a fact has its bounds */

static bool mounts_identify(int root_fd, const char *key, struct root *ret)
{
        _cleanup_(closep) int fd = beneath_open(root_fd, key, O_PATH | O_NOFOLLOW, false);

        return fd >= 0 && root_identify(fd, ret) == 0;
}

static bool mounts_add(struct mounts *m, const char *key, uint64_t dev, const char *identity)
{
        struct mount *new = &m->known[m->n_known];

        if (m->n_known == MOUNTS_MAX) {
                free(m->known[0].key);
                memmove(m->known, m->known + 1, --m->n_known * sizeof(*m->known));
                new--;
        }
        *new = (struct mount){.key = str_dup(key), .dev = dev};
        if (!new->key)
                return false;
        str_copy(new->identity, sizeof(new->identity), identity);
        m->n_known++;
        return true;
}

/* One line; what cannot be read is left out. */
static bool mounts_read_line(struct mounts *m, char *line)
{
        char *end, *identity, *key;
        uint64_t dev = strtoull(line, &end, 10);

        if (dev == 0 || *end != ' ')
                return true;
        identity = end + 1;
        key = strchr(identity, ' ');
        if (!key || key - identity >= ROOT_IDENTITY_MAX || key[1] == '\0')
                return true;
        *key++ = '\0';
        return mounts_add(m, key, dev, identity);
}

static bool mounts_read(struct mounts *m, const char *fact)
{
        _cleanup_(freep) char *copy = str_dup(fact);
        char *rest = copy, *line;

        while (copy && (line = strsep(&rest, "\n")))
                if (!mounts_read_line(m, line))
                        return false;
        return copy;
}

static void mounts_judge(struct mounts *m, int root_fd)
{
        for (size_t i = 0; i < m->n_known; i++) {
                const struct mount *known = &m->known[i];
                struct root now;
                bool same = mounts_identify(root_fd, known->key, &now) &&
                            strcmp(now.identity, known->identity) == 0;

                m->verdicts[m->n_verdicts++] = (struct diff_mount){
                        .known_dev = known->dev, .seen_dev = same ? now.dev : 0};
        }
}

/* Inside a mount that was found already?  The innermost comes last. */
static bool mounts_inside(const struct mounts *m, const struct entry *e)
{
        for (size_t i = m->n_found; i-- > 0;)
                if (entry_key_below(e->key, m->found[i].key))
                        return m->found[i].dev == e->stamp.dev;
        return e->stamp.dev == m->root_dev;
}

static int mounts_next(struct entry_iter *iter, const struct entry **ret)
{
        struct mounts *m = CONTAINER_OF(iter, struct mounts, iter);
        int r = entry_iter_next(m->inner, ret);
        const struct entry *e = r > 0 ? *ret : NULL;
        struct mount *found = &m->found[m->n_found];

        if (!e || e->kind != KIND_DIR)
                return r;
        if (!m->begun) {
                m->begun = true;
                m->root_dev = e->stamp.dev;
                return r;
        }
        if (m->n_found == MOUNTS_MAX || strchr(e->key, '\n') || mounts_inside(m, e))
                return r;
        *found = (struct mount){.key = str_dup(e->key), .dev = e->stamp.dev};
        if (!found->key)
                return -ENOMEM;
        m->n_found++;
        return r;
}

int mounts_begin(struct mounts *m, int root_fd, const char *fact, struct entry_iter *seen)
{
        *m = (struct mounts){.iter.next = mounts_next, .inner = seen};
        m->known = calloc(MOUNTS_MAX, sizeof(*m->known));
        if (!m->known || (fact && !mounts_read(m, fact)))
                return -ENOMEM;
        mounts_judge(m, root_fd);
        return 0;
}

static bool mounts_knows(const struct mounts *m, const char *key, const struct root *now)
{
        for (size_t i = 0; i < m->n_known; i++)
                if (m->known[i].dev == now->dev && str_eq(m->known[i].key, key) &&
                    str_eq(m->known[i].identity, now->identity))
                        return true;
        return false;
}

char *mounts_fact(struct mounts *m, int root_fd, const char *fact)
{
        _cleanup_(str_finish) struct str s = STR_NULL(MOUNTS_FACT_MAX);

        for (size_t i = 0; i < m->n_found; i++) {
                const struct mount *found = &m->found[i];
                struct root now;

                /* Changed since it was walked, or nothing that would be the same tomorrow. */
                if (!mounts_identify(root_fd, found->key, &now) || now.dev != found->dev ||
                    !now.lasting)
                        continue;
                if (!mounts_knows(m, found->key, &now) &&
                    !mounts_add(m, found->key, now.dev, now.identity))
                        return NULL;
        }
        for (size_t i = 0; i < m->n_known; i++)
                str_addf(&s, "%s%" PRIu64 " %s %s", i ? "\n" : "", m->known[i].dev,
                         m->known[i].identity, m->known[i].key);
        if (s.failed || s.len == 0 || (fact && str_eq(fact, str_z(&s))))
                return NULL;
        return str_take(&s);
}

void mounts_finish(struct mounts *m)
{
        for (size_t i = 0; m->known && i < m->n_known; i++)
                free(m->known[i].key);
        for (size_t i = 0; i < m->n_found; i++)
                free(m->found[i].key);
        free(m->known);
}
