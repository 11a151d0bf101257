/* SPDX-License-Identifier: MIT */

#include "daemon/vain.h"

#include "daemon/failures.h"
#include "lib/base/str.h"

struct vain {
        struct failures *moves; /* by both keys: see vain_name() */
};

struct vain *vain_create(void)
{
        struct vain *v = calloc(1, sizeof(*v));

        if (!v)
                return NULL;
        v->moves = failures_create();
        if (v->moves)
                return v;
        vain_destroy(v);
        return NULL;
}

void vain_destroy(struct vain *v)
{
        if (v)
                failures_destroy(v->moves);
        free(v);
}

/* No key holds two slashes in a row.  False: no memory, and then it is as if it had not failed. */
static bool vain_name(struct str *ret, const char *from, const char *to)
{
        str_addf(ret, "%s//%s", from, to);
        return !ret->failed;
}

bool vain_waiting(const struct vain *v, const char *from, const struct entry *seen, int64_t now_ms)
{
        _cleanup_(str_finish) struct str name = STR_NULL(SIZE_MAX / 4);
        struct entry e = *seen;

        if (failures_count(v->moves) == 0 || !vain_name(&name, from, seen->key))
                return false;
        e.key = str_z(&name);
        return failures_waiting(v->moves, &e, now_ms);
}

void vain_add(struct vain *v, const char *from, const struct entry *seen, int64_t least_ms,
              int64_t now_ms)
{
        _cleanup_(str_finish) struct str name = STR_NULL(SIZE_MAX / 4);
        struct entry e = *seen;

        if (!vain_name(&name, from, seen->key))
                return;
        e.key = str_z(&name);
        failures_add(v->moves, &e, "", least_ms, now_ms);
}

void vain_clear(struct vain *v, const char *from, const char *to)
{
        _cleanup_(str_finish) struct str name = STR_NULL(SIZE_MAX / 4);

        if (failures_count(v->moves) > 0 && vain_name(&name, from, to))
                failures_clear(v->moves, str_z(&name));
}
