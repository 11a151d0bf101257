/* SPDX-License-Identifier: MIT */

#include "daemon/moves.h"

#include "lib/core/pair.h"

#include <errno.h>

struct moves {
        struct pairs *pairs;
        const struct vain *vain;
        int64_t now_ms;
        struct spool *wave; /* being filled */
        struct err *err;
};

static int moves_no_memory(struct err *err)
{
        return err_set(err, ENOMEM, "there is not enough memory to look for what was moved");
}

/* Shows every row that left to `look`. */
static int moves_left(struct pairs *p, struct spool *left,
                      int (*look)(struct pairs *p, const struct entry *known), struct err *err)
{
        struct op op;
        int r = spool_rewind(left, err);

        while (r == 0 && (r = spool_next(left, &op, err)) > 0) {
                r = look(p, &op.entry);
                if (r < 0)
                        moves_no_memory(err);
        }
        return r;
}

/* The makes, and among them what was too young to be one, in one tree order. */
static int moves_came(struct pairs *p, struct spool *makes, struct spool *young, struct err *err)
{
        struct op make, late;
        int m = spool_next(makes, &make, err), y = young ? spool_next(young, &late, err) : 0, r;

        while (m > 0 || (m == 0 && y > 0)) {
                bool first = y <= 0 ||
                             (m > 0 && entry_key_cmp(make.entry.key, late.entry.key) < 0);

                if (y < 0)
                        break;
                r = pair_came(p, first ? &make : &late);
                if (r < 0)
                        return moves_no_memory(err);
                if (first)
                        m = spool_next(makes, &make, err);
                else
                        y = spool_next(young, &late, err);
        }
        r = m < 0 ? m : y;
        return r < 0 ? r : spool_rewind(makes, err);
}

static int moves_pair(struct pairs *p, struct scan_result *plan, struct err *err)
{
        int r = moves_left(p, plan->left, pair_gone, err);

        if (r == 0)
                r = moves_came(p, plan->makes, plan->young, err);
        if (r == 0)
                r = moves_left(p, plan->left, pair_left, err);
        if (r == 0 && pair_choose(p) < 0)
                r = moves_no_memory(err);
        return r;
}

static bool moves_vain(void *userdata, const char *from, const struct entry *seen)
{
        const struct moves *m = userdata;

        return vain_waiting(m->vain, from, seen, m->now_ms);
}

int moves_find(struct moves **ret, struct scan_result *plan, const struct vain *vain,
               int64_t now_ms, struct err *err)
{
        struct moves *m;
        int r;

        *ret = NULL;
        if (!plan->left)
                return 0;
        m = calloc(1, sizeof(*m));
        if (m) {
                m->vain = vain;
                m->now_ms = now_ms;
                m->pairs = pairs_create(moves_vain, m);
        }
        if (!m || !m->pairs) {
                moves_destroy(m);
                return moves_no_memory(err);
        }
        r = moves_pair(m->pairs, plan, err);
        if (r == 0 && pair_count(m->pairs) > 0)
                *ret = m;
        else
                moves_destroy(m);
        return r;
}

void moves_destroy(struct moves *m)
{
        if (m)
                pairs_destroy(m->pairs);
        free(m);
}

uint64_t moves_count(const struct moves *m)
{
        return pair_count(m->pairs);
}

static int moves_add(void *userdata, const struct op *op)
{
        struct moves *m = userdata;

        return spool_add(m->wave, op, m->err);
}

int moves_wave(struct moves *m, const char *dir, struct spool **ret, struct err *err)
{
        _cleanup_(spool_destroyp) struct spool *wave = NULL;
        int r = spool_create(&wave, dir, err);

        *ret = NULL;
        if (r < 0)
                return r;
        m->wave = wave;
        m->err = err;
        r = pair_wave(m->pairs, moves_add, m);
        if (r > 0) {
                r = spool_rewind(wave, err);
                if (r == 0)
                        *ret = TAKE_PTR(wave);
        }
        return r;
}

void moves_made(struct moves *m, const char *from)
{
        pair_made(m->pairs, from);
}
