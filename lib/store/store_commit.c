/* SPDX-License-Identifier: MIT */

/*
 * One batch of records: all of it or nothing.
 *
 * The records are judged before the transaction begins, so that inside it only the disk can fail.
 * A disk that fails while writing (EIO, above all a failed fsync) ends the writing for good: what
 * is in the page cache then may never reach the disk although a second fsync says so.  Only a new
 * start, which reads what is really there, may write again.
 *
 * The order of writes, over the whole program.  "X, then Y" means that X is durable, here or there,
 * before Y begins; beside it stands what a power cut between the two would do the other way round.
 *
 *   intent, then the link for a wire name (flow_put)
 *           bytes under a name that nobody knows: half a file in the cloud for good, sent twice
 *   the bytes and the name right, then the row; and with it, in one transaction, the end of the
 *   intent (flow_put)
 *           a row for what is not there: the file would never be sent.  The intent gone too early:
 *           a wire name that stays for good
 *   the folder made, then its row (flow_mkdir)
 *           as above
 *   moved there, then the rows under their new keys (flow_move)
 *           rows for what is not there: the next look here finds it gone, and puts it anew
 *   removed there, then the row forgotten (flow_drop, flow_apart)
 *           a file in the cloud that has become foreign: it would never be removed
 *   the doubt, then whatever changes the cloud under a thing's own name; and with the row that says
 *   what stands there, in one transaction, the end of the doubt (errand.c)
 *           a row for what was removed, or nothing for what was made: should the thing be back here,
 *           or gone, by the next start, the one would be believed and the other be taken for foreign
 *   the rows of another folder forgotten, in one transaction with the binding and the identity of
 *   the new one, then the first listing (cycle.c)
 *           rows of the old folder, taken for files that were removed in the new one: all deleted
 *   everything listed and compared, then "adopted" (cycle.c)
 *           the rest would be taken for known, though nobody has looked at it
 *   a new snapshot whole and flushed under another name, the log of an old one gone, then the rename
 *   and the flush of the folder (store.c)
 *           an empty or torn database, or a new one with the log of another
 *
 * So a cut leaves at most a deed of which nothing but a doubt or an intent says so here, and the next
 * start settles that by looking (flow_settle.c, flow_put.c, flow_sweep.c).
 */

#include "lib/store/store_priv.h"

#include "lib/core/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* What the steps of one commit share. */
struct commit {
        struct store_db *db;
        struct store_tally tally;
        struct str raw, end;   /* bound keys */
        struct store_row row;  /* what stood there before */
        bool spends;           /* what is forgotten by this record goes with an approved plan … */
        uint64_t spent;        /* … and these are its shares, … */
        unsigned n_spent;      /* … of so many entries */
        struct err *err;
};

static void commit_finish(struct commit *c)
{
        str_finish(&c->raw);
        str_finish(&c->end);
        store_row_finish(&c->row);
}

/* ---- before the transaction ---------------------------------------------------------------- */

static const char *commit_meta_unfit(const struct record *rec)
{
        if (!rec->name || entry_key_unfit(rec->name) || str_starts(rec->name, "store."))
                return N_("a fact may not have this name");
        if (rec->value && strlen(rec->value) > STORE_META_MAX)
                return N_("a fact is too long");
        return NULL;
}

static const char *commit_wire_unfit(const char *wire)
{
        return !wire || strchr(wire, '/') ? N_("a wire name is no name") : entry_key_unfit(wire);
}

static const char *commit_move_unfit(const struct record *rec)
{
        const char *why;

        if (!rec->from || !rec->entry.key || *rec->from == '\0' || *rec->entry.key == '\0')
                return N_("it has no path");
        if (str_eq(rec->from, rec->entry.key) || entry_key_below(rec->from, rec->entry.key) ||
            entry_key_below(rec->entry.key, rec->from))
                return N_("a folder cannot be moved into itself");
        why = store_key_unfit(rec->entry.key);
        return why ? why : store_key_unfit(rec->from);
}

static struct doubt commit_doubt_of(const struct record *rec)
{
        struct doubt d = {.kind = rec->entry.kind,
                          .size = rec->entry.size,
                          .when_ms = rec->when_ms,
                          .looked = rec->looked};

        memcpy(d.md5, rec->entry.md5, sizeof(d.md5));
        return d;
}

static const char *commit_doubt_unfit(const struct record *rec)
{
        struct doubt d = commit_doubt_of(rec);
        const char *why = rec->entry.key ? entry_key_unfit(rec->entry.key)
                                          : N_("it has no path");

        if (why || rec->verb == RECORD_DOUBT_DONE)
                return why;
        if (d.kind == KIND_FILE && !rec->entry.has_md5)
                return N_("what is to stand there cannot be told without its digest");
        return store_doubt_unfit(&d);
}

/* NULL, or half a sentence that says why this record cannot be carried out. */
static const char *commit_unfit(const struct record *rec)
{
        const char *why = NULL;

        switch (rec->verb) {
        case RECORD_ROW:
        case RECORD_REMOTE:
                why = rec->entry.key ? store_row_unfit(&rec->entry) : N_("it has no path");
                return why ? why : store_key_unfit(rec->entry.key);
        case RECORD_FORGET:
        case RECORD_FORGET_TREE:
        case RECORD_VERIFIED:
                return rec->entry.key ? NULL : N_("it has no path");
        case RECORD_MOVE:
                return commit_move_unfit(rec);
        case RECORD_INTENT:
        case RECORD_REMNANT:
                if (!rec->entry.key || rec->entry.size > INT64_MAX)
                        return N_("an intent has no path or an impossible size");
                why = commit_wire_unfit(rec->wire);
                return why ? why : entry_key_unfit(rec->entry.key);
        case RECORD_INTENT_DONE:
                return commit_wire_unfit(rec->wire);
        case RECORD_DOUBT:
        case RECORD_DOUBT_DONE:
                return commit_doubt_unfit(rec);
        case RECORD_META:
                return commit_meta_unfit(rec);
        case RECORD_REMOTE_CLEAR:
                return NULL;
        }
        return N_("it is unknown what is to be done");
}

static int commit_check(struct store *s, const struct record *records, size_t n, struct err *err)
{
        if (s->how != STORE_DB_WRITE)
                return err_set(err, EROFS, "the snapshot %s was opened for reading only", s->path);
        if (atomic_load(&s->broken))
                return err_set(err, atomic_load(&s->broken),
                               "nothing more is written to the snapshot %s since its disk failed;"
                               " ydsync must be started anew", s->path);
        for (size_t i = 0; i < n; i++) {
                _cleanup_(str_finish) struct str name = STR_NULL(sizeof(err->text));
                const char *why = commit_unfit(&records[i]);

                if (!why)
                        continue;
                str_add_printable(&name, records[i].entry.key ? records[i].entry.key : "");
                return err_set(err, EINVAL, "cannot write down \"%s\": %s", str_z(&name), tr(why));
        }
        return store_still_there(s, err);
}

/* ---- the steps ----------------------------------------------------------------------------- */

/* Carries out `stmt`; 1 when it changed a row. */
static int commit_change(struct commit *c, sqlite3_stmt *stmt)
{
        int r = store_db_step(c->db, stmt, c->err);

        return r < 0 ? r : sqlite3_changes(c->db->sqlite) > 0;
}

static int commit_row_with(struct commit *c, enum store_stmt id, enum store_table table,
                           const struct entry *entry)
{
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        int r = store_db_stmt(c->db, id, &stmt, c->err);

        if (r == 0)
                r = store_row_bind(c->db, stmt, table, entry, &c->raw, c->err);
        return r < 0 ? r : commit_change(c, stmt);
}

/* Reads the row at c->raw into c->row: 1, or 0 when there is none. */
static int commit_old(struct commit *c)
{
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        int r = store_db_stmt(c->db, STMT_ENTRY_GET, &stmt, c->err);

        if (r == 0)
                r = store_bind_str(c->db, stmt, 1, &c->raw, c->err);
        if (r == 0)
                r = store_db_step(c->db, stmt, c->err);
        if (r <= 0)
                return r;
        store_row_restart(&c->row);
        r = store_row_read(c->db, stmt, STORE_ENTRY, &c->row, c->err);
        return r < 0 ? r : 1;
}

static int commit_count(struct commit *c, const struct entry *entry, int sign)
{
        if (c->spends) {
                c->spent += plan_share(entry);
                c->n_spent++;
        }
        if (store_tally_entry(&c->tally, entry, sign))
                return 0;
        return err_set(c->err, EOVERFLOW, "the sizes in the snapshot %s add up to too much",
                       c->db->path);
}

static int commit_row(struct commit *c, const struct entry *entry)
{
        int r = store_key_encode(&c->raw, entry->key, c->err);

        if (r == 0)
                r = commit_row_with(c, STMT_ENTRY_NEW, STORE_ENTRY, entry);
        if (r < 0)
                return r;
        if (r == 0) {
                r = commit_old(c);
                if (r == 0)
                        return store_db_damaged(c->db, c->err, "a row is there and is not");
                if (r > 0)
                        r = commit_count(c, &c->row.entry, -1);
                if (r == 0)
                        r = commit_row_with(c, STMT_ENTRY_SET, STORE_ENTRY, entry);
        }
        return r < 0 ? r : commit_count(c, entry, 1);
}

static int commit_forget(struct commit *c, const char *key)
{
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        int r = store_key_encode(&c->raw, key, c->err);

        if (r == 0)
                r = commit_old(c);
        if (r > 0)
                r = commit_count(c, &c->row.entry, -1);
        else
                return r;
        if (r == 0)
                r = store_db_stmt(c->db, STMT_ENTRY_FORGET, &stmt, c->err);
        if (r == 0)
                r = store_bind_str(c->db, stmt, 1, &c->raw, c->err);
        return r < 0 ? r : store_db_step(c->db, stmt, c->err);
}

/* A statement over the range c->raw to c->end. */
static int commit_range(struct commit *c, enum store_stmt id, sqlite3_stmt **ret)
{
        int r = store_db_stmt(c->db, id, ret, c->err);

        if (r == 0)
                r = store_bind_str(c->db, *ret, 1, &c->raw, c->err);
        if (r == 0)
                r = store_bind_str(c->db, *ret, 2, &c->end, c->err);
        return r;
}

static int commit_uncount_range(struct commit *c)
{
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        int r = commit_range(c, STMT_ENTRY_RANGE, &stmt);

        store_row_restart(&c->row);
        while (r == 0) {
                r = store_db_step(c->db, stmt, c->err);
                if (r <= 0)
                        break;
                r = store_row_read(c->db, stmt, STORE_ENTRY, &c->row, c->err);
                if (r == 0)
                        r = commit_count(c, &c->row.entry, -1);
        }
        return r;
}

static int commit_forget_doubts(struct commit *c)
{
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        int r;

        if (c->tally.n[TALLY_DOUBTS] == 0)
                return 0;
        r = commit_range(c, STMT_DOUBT_FORGET_RANGE, &stmt);
        if (r == 0)
                r = store_db_step(c->db, stmt, c->err);
        if (r == 0)
                c->tally.n[TALLY_DOUBTS] -= sqlite3_changes(c->db->sqlite);
        return r;
}

static int commit_forget_tree(struct commit *c, const char *key)
{
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        int r = commit_forget(c, key);

        if (r == 0)
                r = store_key_range(&c->raw, &c->end, key, c->err);
        if (r == 0)
                r = commit_uncount_range(c);
        if (r == 0)
                r = commit_forget_doubts(c);
        if (r == 0)
                r = commit_range(c, STMT_ENTRY_FORGET_RANGE, &stmt);
        return r < 0 ? r : store_db_step(c->db, stmt, c->err);
}

static int commit_verified(struct commit *c, const struct entry *entry)
{
        struct entry now;
        int r = store_key_encode(&c->raw, entry->key, c->err);

        if (r == 0)
                r = commit_old(c);
        if (r <= 0)
                return r;
        now = c->row.entry;
        if (!(now.flags & ENTRY_UNVERIFIED) || now.size != entry->size ||
            now.has_md5 != entry->has_md5 ||
            (now.has_md5 && memcmp(now.md5, entry->md5, sizeof(now.md5)) != 0))
                return 0;
        now.flags &= ~(unsigned)ENTRY_UNVERIFIED;
        c->tally.n[TALLY_UNVERIFIED]--;
        r = commit_row_with(c, STMT_ENTRY_SET, STORE_ENTRY, &now);
        return r < 0 ? r : 0;
}

static int commit_remote(struct commit *c, const struct entry *entry)
{
        int r = store_key_encode(&c->raw, entry->key, c->err);

        if (r == 0)
                r = commit_row_with(c, STMT_REMOTE_NEW, STORE_REMOTE, entry);
        if (r > 0)
                c->tally.n[TALLY_REMOTE]++;
        else if (r == 0)
                r = commit_row_with(c, STMT_REMOTE_SET, STORE_REMOTE, entry);
        return r < 0 ? r : 0;
}

static int commit_remote_clear(struct commit *c)
{
        c->tally.n[TALLY_REMOTE] = 0;
        return store_db_do(c->db, STMT_REMOTE_CLEAR, c->err);
}

static int commit_intent_with(struct commit *c, enum store_stmt id, const struct record *rec)
{
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        int r = store_db_stmt(c->db, id, &stmt, c->err);

        if (r == 0)
                r = store_bind_text(c->db, stmt, 1, rec->wire, c->err);
        if (r == 0)
                r = store_bind_str(c->db, stmt, 2, &c->raw, c->err);
        if (r == 0)
                r = store_bind_int(c->db, stmt, 3, (int64_t)rec->entry.size, c->err);
        if (r == 0)
                r = store_bind_int(c->db, stmt, 4, rec->when_ms, c->err);
        if (r == 0)
                r = store_bind_int(c->db, stmt, 5,
                                   store_intent_sum(rec->wire, &c->raw, rec->entry.size,
                                                    rec->when_ms), c->err);
        return r < 0 ? r : commit_change(c, stmt);
}

static int commit_intent(struct commit *c, const struct record *rec)
{
        int r = store_key_encode(&c->raw, rec->entry.key, c->err);

        if (r == 0)
                r = commit_intent_with(c, STMT_INTENT_NEW, rec);
        if (r > 0)
                c->tally.n[TALLY_INTENTS]++;
        else if (r == 0 && rec->verb == RECORD_INTENT)
                r = commit_intent_with(c, STMT_INTENT_SET, rec);
        return r < 0 ? r : 0;
}

/* Removes the row with this text for its key, and takes it from `*count`. */
static int commit_forget_text(struct commit *c, enum store_stmt id, const char *text,
                              int64_t *count)
{
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        int r = store_db_stmt(c->db, id, &stmt, c->err);

        if (r == 0)
                r = store_bind_text(c->db, stmt, 1, text, c->err);
        if (r == 0)
                r = commit_change(c, stmt);
        if (r > 0)
                (*count)--;
        return r < 0 ? r : 0;
}

/* Gives the row in c->row the key `to` and what its own has behind `from`. */
static int commit_move_row(struct commit *c, const char *from, const char *to)
{
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        _cleanup_(str_finish) struct str key = STR_NULL(STORE_STR_MAX);
        struct entry entry = c->row.entry;
        int r = store_db_stmt(c->db, STMT_ENTRY_FORGET, &stmt, c->err);

        str_adds(&key, to);
        str_adds(&key, entry.key + strlen(from));
        if (r == 0 && key.failed)
                r = err_set(c->err, ENOMEM, "there is not enough memory for a path");
        if (r == 0)
                r = store_bind_str(c->db, stmt, 1, &c->row.raw, c->err);
        if (r == 0)
                r = store_db_step(c->db, stmt, c->err);
        if (r < 0)
                return r;
        if (store_key_unfit(str_z(&key))) /* longer than a path can be: nobody can know it */
                return commit_count(c, &entry, -1);
        entry.key = str_z(&key);
        r = store_key_encode(&c->raw, entry.key, c->err);
        if (r == 0)
                r = commit_row_with(c, STMT_ENTRY_NEW, STORE_ENTRY, &entry);
        return r == 0 ? store_db_damaged(c->db, c->err, "a row is there and is not") : r < 0 ? r : 0;
}

/* Reads the first row below `key` into c->row: 1, or 0 when there is none. */
static int commit_first_below(struct commit *c, const char *key)
{
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        int r = store_key_range(&c->raw, &c->end, key, c->err);

        if (r == 0)
                r = commit_range(c, STMT_ENTRY_RANGE, &stmt);
        if (r == 0)
                r = store_db_step(c->db, stmt, c->err);
        if (r <= 0)
                return r;
        store_row_restart(&c->row);
        r = store_row_read(c->db, stmt, STORE_ENTRY, &c->row, c->err);
        return r < 0 ? r : 1;
}

static int commit_intent_below(struct commit *c, const char *key, struct intent *ret)
{
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        _cleanup_(str_finish) struct str scratch = STR_NULL(STORE_STR_MAX);
        int r = store_key_range(&c->raw, &c->end, key, c->err);

        if (r == 0)
                r = commit_range(c, STMT_INTENT_BELOW, &stmt);
        if (r == 0)
                r = store_db_step(c->db, stmt, c->err);
        if (r <= 0)
                return r;
        r = store_intent_read(c->db, stmt, &scratch, ret, c->err);
        return r < 0 ? r : 1;
}

/* The first intent for something below `from`, and so for a name in a folder that has moved: 1, or 0
 * when there is none. */
static int commit_move_intent(struct commit *c, const char *from, const char *to)
{
        _cleanup_(str_finish) struct str key = STR_NULL(STORE_STR_MAX);
        struct intent intent = {0};
        int r = commit_intent_below(c, from, &intent);

        if (r > 0) {
                struct record moved = {.verb = RECORD_INTENT,
                                       .entry = {.key = str_z(&key), .size = intent.size},
                                       .wire = intent.wire,
                                       .when_ms = intent.when_ms};

                str_adds(&key, to);
                str_adds(&key, intent.key + strlen(from));
                moved.entry.key = str_z(&key);
                if (key.failed)
                        r = err_set(c->err, ENOMEM, "there is not enough memory for a path");
                else if (store_key_unfit(str_z(&key)))
                        r = commit_forget_text(c, STMT_INTENT_FORGET, intent.wire,
                                               &c->tally.n[TALLY_INTENTS]);
                else
                        r = commit_intent(c, &moved);
                r = r < 0 ? r : 1;
        }
        free(intent.wire);
        free(intent.key);
        return r;
}

static int commit_move(struct commit *c, const char *from, const char *to)
{
        int r = store_key_encode(&c->raw, from, c->err);

        if (r == 0)
                r = commit_old(c);
        if (r <= 0) /* nothing is known to be moved: it cannot take another's place */
                return r;
        r = commit_forget_tree(c, to);
        if (r == 0)
                r = store_key_encode(&c->raw, from, c->err);
        if (r == 0)
                r = commit_old(c);
        if (r > 0)
                r = commit_move_row(c, from, to);
        while (r == 0 && (r = commit_first_below(c, from)) > 0)
                r = commit_move_row(c, from, to);
        while (r == 0 && (r = commit_move_intent(c, from, to)) > 0)
                r = 0;
        return r;
}

static int commit_doubt_with(struct commit *c, enum store_stmt id, const struct doubt *d)
{
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        int r = store_db_stmt(c->db, id, &stmt, c->err);

        if (r == 0)
                r = store_bind_str(c->db, stmt, 1, &c->raw, c->err);
        if (r == 0)
                r = store_bind_int(c->db, stmt, 2, d->kind, c->err);
        if (r == 0)
                r = store_bind_int(c->db, stmt, 3, d->looked, c->err);
        if (r == 0)
                r = store_bind_int(c->db, stmt, 4, (int64_t)d->size, c->err);
        if (r == 0)
                r = store_bind_int(c->db, stmt, 5, d->when_ms, c->err);
        if (r == 0 && d->kind == KIND_FILE) { /* else the NULL of store_db_resetp() stands there */
                int rc = sqlite3_bind_blob(stmt, 6, d->md5, sizeof(d->md5), SQLITE_STATIC);

                r = rc == SQLITE_OK ? 0 : store_db_fail(c->db, rc, c->err);
        }
        if (r == 0)
                r = store_bind_int(c->db, stmt, 7, store_doubt_sum(d, &c->raw), c->err);
        return r < 0 ? r : commit_change(c, stmt);
}

static int commit_doubt(struct commit *c, const struct record *rec)
{
        struct doubt d = commit_doubt_of(rec);
        int r = store_key_encode(&c->raw, rec->entry.key, c->err);

        if (r == 0)
                r = commit_doubt_with(c, STMT_DOUBT_NEW, &d);
        if (r > 0)
                c->tally.n[TALLY_DOUBTS]++;
        else if (r == 0)
                r = commit_doubt_with(c, STMT_DOUBT_SET, &d);
        return r < 0 ? r : 0;
}

static int commit_doubt_done(struct commit *c, const char *key)
{
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        int r = store_key_encode(&c->raw, key, c->err);

        if (r == 0)
                r = store_db_stmt(c->db, STMT_DOUBT_FORGET, &stmt, c->err);
        if (r == 0)
                r = store_bind_str(c->db, stmt, 1, &c->raw, c->err);
        if (r == 0)
                r = commit_change(c, stmt);
        if (r > 0)
                c->tally.n[TALLY_DOUBTS]--;
        return r < 0 ? r : 0;
}

static int commit_meta_with(struct commit *c, enum store_stmt id, const struct record *rec)
{
        _cleanup_(store_db_resetp) sqlite3_stmt *stmt = NULL;
        int r = store_db_stmt(c->db, id, &stmt, c->err);

        if (r == 0)
                r = store_bind_text(c->db, stmt, 1, rec->name, c->err);
        if (r == 0)
                r = store_bind_text(c->db, stmt, 2, rec->value, c->err);
        if (r == 0)
                r = store_bind_int(c->db, stmt, 3, store_meta_sum(rec->name, rec->value), c->err);
        return r < 0 ? r : commit_change(c, stmt);
}

static int commit_meta(struct commit *c, const struct record *rec)
{
        int r;

        if (!rec->value)
                return commit_forget_text(c, STMT_META_FORGET, rec->name, &c->tally.n[TALLY_META]);
        r = commit_meta_with(c, STMT_META_NEW, rec);
        if (r > 0)
                c->tally.n[TALLY_META]++;
        else if (r == 0)
                r = commit_meta_with(c, STMT_META_SET, rec);
        return r < 0 ? r : 0;
}

/* Takes what has gone from the approved plan, if there is one; nothing more is held then. */
static int commit_spend(struct commit *c)
{
        _cleanup_(freep) char *approved = NULL;
        struct record left = {.verb = RECORD_META, .name = "approved"};
        struct record held = {.verb = RECORD_META, .name = "held"};
        char id[17], *end;
        uint64_t rest;
        int r = store_meta_read(c->db, left.name, &approved, c->err);

        if (r < 0 || !approved)
                return r;
        rest = strtoull(approved, &end, 16) - c->spent;
        snprintf(id, sizeof(id), "%016" PRIx64, rest);
        left.value = *end == '\0' && rest != 0 ? id : NULL;
        r = commit_meta(c, &left);
        return r < 0 ? r : commit_meta(c, &held);
}

static int commit_record(struct commit *c, const struct record *rec)
{
        c->spends = rec->removed;
        switch (rec->verb) {
        case RECORD_ROW:
                return commit_row(c, &rec->entry);
        case RECORD_FORGET:
                return commit_forget(c, rec->entry.key);
        case RECORD_FORGET_TREE:
                return commit_forget_tree(c, rec->entry.key);
        case RECORD_MOVE:
                return commit_move(c, rec->from, rec->entry.key);
        case RECORD_VERIFIED:
                return commit_verified(c, &rec->entry);
        case RECORD_INTENT:
        case RECORD_REMNANT:
                return commit_intent(c, rec);
        case RECORD_INTENT_DONE:
                return commit_forget_text(c, STMT_INTENT_FORGET, rec->wire,
                                          &c->tally.n[TALLY_INTENTS]);
        case RECORD_REMOTE:
                return commit_remote(c, &rec->entry);
        case RECORD_REMOTE_CLEAR:
                return commit_remote_clear(c);
        case RECORD_META:
                return commit_meta(c, rec);
        case RECORD_DOUBT:
                return commit_doubt(c, rec);
        case RECORD_DOUBT_DONE:
                return commit_doubt_done(c, rec->entry.key);
        }
        return 0; /* commit_unfit() has refused it */
}

/* ---- the whole ----------------------------------------------------------------------------- */

static int commit_all(struct commit *c, const struct record *records, size_t n)
{
        struct store_tally before;
        int r = store_db_begin(c->db, STMT_BEGIN_WRITE, c->err);

        if (r == 0)
                r = store_tally_read(c->db, &c->tally, c->err);
        if (r < 0)
                return r;
        before = c->tally;
        for (size_t i = 0; r == 0 && i < n; i++)
                r = commit_record(c, &records[i]);
        if (r == 0 && c->n_spent > 0)
                r = commit_spend(c);
        if (r == 0 && memcmp(&before, &c->tally, sizeof(before)) != 0)
                r = store_tally_write(c->db, &c->tally, false, c->err);
        return r < 0 ? r : store_db_do(c->db, STMT_COMMIT, c->err);
}

int store_commit(struct store *s, const struct record *records, size_t n, struct err *err)
{
        _cleanup_(commit_finish) struct commit c = {
                .db = &s->db,
                .raw = STR_NULL(STORE_STR_MAX),
                .end = STR_NULL(STORE_STR_MAX),
                .row = STORE_ROW_NULL,
                .err = err,
        };
        int r = commit_check(s, records, n, err);

        if (r < 0 || n == 0)
                return r;
        r = commit_all(&c, records, n);
        if (r < 0) {
                store_db_rollback(&s->db);
                return store_note(s, r);
        }
        if (s->log_pages >= s->checkpoint_at)
                s->checkpoint_at = store_checkpoint(s, &s->db) + STORE_CHECKPOINT_PAGES;
        return 0;
}
