/* SPDX-License-Identifier: MIT */

/*
 * After the removals: an audit that is due, and a comparison for those who want to know.
 */

#include "daemon/cycle_impl.h"

/* ---- comparing, for those who want to know --------------------------------------------------- */

void cycle_forget_finds(struct cycle *c)
{
        while (c->compare && c->compare->n_finds > 0)
                free(c->compare->finds[--c->compare->n_finds].key);
}

void cycle_found(void *userdata, const struct audit_find *find)
{
        struct cycle *c = userdata;
        struct cycle_find *f;

        if (c->compare->n_finds == CYCLE_FINDS_MAX)
                return;
        f = &c->compare->finds[c->compare->n_finds];
        *f = (struct cycle_find){
                .key = str_dup(find->key), .known = find->known, .kind = find->kind};
        c->compare->n_finds += f->key != NULL;
}

static bool cycle_differs(const struct audit_found *found)
{
        return found->missing + found->changed > 0;
}

/* True: it is over. */
static bool cycle_compare_over(struct cycle *c)
{
        struct cycle_compare *compare = c->compare;

        compare->found = audit_found(c->comparer);
        if (audit_under_way(c->comparer))
                return false;
        compare->under_way = false;
        if (compare->repair && cycle_differs(&compare->found))
                audit_demand(c->audit);
        return true;
}

static void cycle_compared(void *userdata, int r, const struct err *err)
{
        struct cycle *c = userdata;

        c->compared = true;
        c->job_result = r;
        c->err = *err;
        if (r < 0) {
                cycle_fail(c, EXIT_IO_ERROR);
                return;
        }
        cycle_compare_over(c);
        cycle_stage_finish(c);
}

static void cycle_stage_compare(struct cycle *c)
{
        if (c->tally.halted || c->adopting || !c->compare || !c->compare->under_way) {
                cycle_stage_finish(c);
                return;
        }
        cycle_enter(c, CYCLE_AUDITS);
        audit_slice(c->comparer, c->root.fd, !c->slices, &c->tally, cycle_compared, c);
}

static void cycle_compared_alone(void *userdata, int r, const struct err *err)
{
        struct cycle *c = userdata;
        const struct audit_found *found = &c->compare->found;

        c->job_result = r;
        c->err = *err;
        if (r < 0) {
                cycle_fail(c, EXIT_IO_ERROR);
                return;
        }
        if (!cycle_compare_over(c)) {
                cycle_finish(c, c->tally.halted ? cycle_status(c) : EXIT_TRY_AGAIN);
                return;
        }
        c->compare_ended(c->compare_userdata, c->compare);
        cycle_finish(c, cycle_differs(found)  ? EXIT_DIFFERENT
                        : found->unlisted > 0 ? EXIT_TRY_AGAIN
                                              : EXIT_OK);
}

/* A pass that only compares: the snapshot must be of this very folder, cloud folder and token. */
void cycle_compare_alone(struct cycle *c)
{
        bool known = c->meta_adopted && c->meta_binding && str_eq(c->meta_binding, c->binding) &&
                     c->meta_token && str_eq(c->meta_token, c->token);

        if (!known) {
                err_set(&c->err, ENOENT, "the folder was not compared with this cloud folder yet; "
                        "`ydsync once` does that");
                cycle_fail(c, EXIT_TRY_AGAIN);
                return;
        }
        if (cycle_compare(c, false) < 0) {
                err_set(&c->err, ENOMEM, "no memory");
                cycle_fail(c, EXIT_IO_ERROR);
                return;
        }
        cycle_enter(c, CYCLE_AUDITS);
        audit_slice(c->comparer, c->root.fd, true, &c->tally, cycle_compared_alone, c);
}

/* ---- the audit ------------------------------------------------------------------------------- */

static void cycle_audited(void *userdata, int r, const struct err *err)
{
        struct cycle *c = userdata;

        c->job_result = r;
        c->err = *err;
        if (r < 0)
                cycle_fail(c, EXIT_IO_ERROR);
        else
                cycle_stage_compare(c);
}

void cycle_stage_audit(struct cycle *c)
{
        if (!c->tally.halted && !c->adopting && c->tally.folders_gone > 0)
                audit_demand(c->audit);
        if (c->tally.halted || c->adopting || !audit_wanted(c->audit)) {
                cycle_stage_compare(c);
                return;
        }
        cycle_enter(c, CYCLE_AUDITS);
        audit_slice(c->audit, c->root.fd, !c->slices, &c->tally, cycle_audited, c);
}
