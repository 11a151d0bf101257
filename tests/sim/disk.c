/* SPDX-License-Identifier: MIT */

#include "tests/sim/disk.h"

#include "lib/core/disguise.h"
#include "lib/core/pair.h"
#include "tests/sim/fault.h"
#include "tests/sim/rule.h"

#include <stdio.h>

struct disk_model disk;

static struct thing *disk_thing(const char *name, enum kind kind, uint64_t content)
{
        struct thing *t = calloc(1, sizeof(*t));

        if (!t)
                abort();
        str_copy(t->name, sizeof(t->name), name);
        t->kind = kind;
        t->content = content;
        t->all = disk.all;
        disk.all = t;
        return t;
}

void disk_begin(void)
{
        static const unsigned pages[] = {1, 2, 3, 7, 1000, 1000};

        disk = (struct disk_model){.page = pages[sim_below(ARRAY_SIZE(pages))],
                                   .max_file = DISK_MAX_FILE};
        disk.root = disk_thing("", KIND_DIR, 0);
}

void disk_finish(void)
{
        while (disk.all) {
                struct thing *t = disk.all;

                disk.all = t->all;
                free(t);
        }
        while (disk.jobs) {
                struct job *j = disk.jobs;

                disk.jobs = j->next;
                free(j);
        }
        pairs_finish(&disk.trashed);
}

/* ---- finding ---------------------------------------------------------------------------------- */

struct thing *disk_child(struct thing *dir, const char *name)
{
        for (struct thing *t = dir->first; t; t = t->next)
                if (str_eq(t->name, name))
                        return t;
        return NULL;
}

struct thing *disk_find(struct thing *root, const char *path)
{
        struct thing *t = root;
        char name[DISK_NAME_MAX];

        while (t && *path) {
                size_t len = strcspn(path, "/");

                if (len >= sizeof(name) || t->kind != KIND_DIR)
                        return NULL;
                memcpy(name, path, len);
                name[len] = '\0';
                t = disk_child(t, name);
                path += len + (path[len] == '/');
        }
        return t;
}

bool disk_path(const struct thing *t, char ret[DISK_PATH_MAX])
{
        const char *names[32];
        size_t depth = 0, len = 0;

        for (; t != disk.root; t = t->parent) {
                if (!t || depth == ARRAY_SIZE(names))
                        return false;
                names[depth++] = t->name;
        }
        *ret = '\0';
        while (depth-- > 0)
                len += (size_t)snprintf(ret + len, DISK_PATH_MAX - len, "%s%s", len ? "/" : "",
                                        names[depth]);
        return true;
}

/* The folder that the path is in, and its last name; NULL: there is no such folder. */
static struct thing *disk_parent(const char *path, const char **ret_name)
{
        char folder[DISK_PATH_MAX];
        struct thing *t;

        *ret_name = entry_key_name(path);
        str_copy(folder, sizeof(folder), path);
        folder[entry_key_parent(path)] = '\0';
        t = disk_find(disk.root, folder);
        return t && t->kind == KIND_DIR ? t : NULL;
}

/* ---- changing --------------------------------------------------------------------------------- */

static struct thing *disk_copy(const struct thing *from)
{
        struct thing *t = disk_thing(from->name, from->kind, from->content);

        t->serial = from->serial;
        t->md5_ns = from->md5_ns;
        for (const struct thing *c = from->first; c; c = c->next) {
                struct thing *copy = disk_copy(c);

                copy->parent = t;
                copy->next = t->first;
                t->first = copy;
        }
        return t;
}

/* Before each change; what lags behind shows the state before the first in a while. */
static void disk_age(void)
{
        if (fault_possible(SIM_FAULT_STALE) &&
            (!disk.old || loop.now_ns - disk.old_ns > DISK_LAG_NS)) {
                disk.old = disk_copy(disk.root);
                disk.old_ns = loop.now_ns;
                disk.old_serial = disk.serial;
        }
        disk.serial++;
}

static void disk_unhang(struct thing *t)
{
        struct thing **link;

        for (link = &t->parent->first; *link != t; link = &(*link)->next)
                ;
        *link = t->next;
        t->parent = t->next = NULL;
}

/* Tells the rules what stands where now. */
static void disk_tell(struct thing *t)
{
        char path[DISK_PATH_MAX];

        if (disk_path(t, path))
                rule_stands(path, t);
        for (struct thing *c = t->first; c; c = c->next)
                disk_tell(c);
}

void disk_hang(struct thing *t, struct thing *dir, const char *name)
{
        disk_age();
        if (t->parent)
                disk_unhang(t);
        str_copy(t->name, sizeof(t->name), name);
        t->parent = dir;
        t->next = dir->first;
        dir->first = t;
        t->serial = disk.serial;
        t->since_ns = loop.now_ns;
        disk_tell(t);
}

struct thing *disk_put(struct thing *dir, const char *name, enum kind kind, uint64_t content)
{
        struct thing *t = disk_child(dir, name);

        if (t && t->kind == KIND_FILE && kind == KIND_FILE) {
                disk_age();
                t->content = content;
                t->serial = disk.serial;
                t->since_ns = loop.now_ns;
                disk_tell(t);
        } else {
                t = disk_thing(name, kind, content);
                disk_hang(t, dir, name);
        }
        t->md5_ns = fault_strikes(SIM_FAULT_MD5_LATE) ? loop.now_ns + sim_below(8000) * MS : 0;
        return t;
}

void disk_take_out(struct thing *t)
{
        disk_age();
        disk_unhang(t);
}

static void disk_note_trashed(const struct thing *t)
{
        if (t->kind == KIND_FILE)
                pairs_add(&disk.trashed, "", t->content);
        for (const struct thing *c = t->first; c; c = c->next)
                disk_note_trashed(c);
}

void disk_trash(struct thing *t)
{
        disk_note_trashed(t);
        disk_take_out(t);
}

/* ---- what clients ask for --------------------------------------------------------------------- */

struct job *disk_job(enum deed what, const char *path)
{
        struct job *j = calloc(1, sizeof(*j));

        if (!j)
                abort();
        *j = (struct job){.next = disk.jobs, .what = what, .id = ++disk.last_id,
                          .since_ns = disk.asked_ns};
        str_copy(j->path, sizeof(j->path), path);
        disk.jobs = j;
        return j;
}

struct job *disk_job_of(unsigned id)
{
        struct job *j = disk.jobs;

        while (j && j->id != id)
                j = j->next;
        return j;
}

static bool disk_related(const char *a, const char *b)
{
        return str_eq(a, b) || entry_key_below(a, b) || entry_key_below(b, a);
}

bool disk_locked(const char *path)
{
        for (const struct job *j = disk.jobs; j; j = j->next)
                if (j->state == JOB_PENDING && j->what != DEED_STORE &&
                    (disk_related(path, j->path) || (*j->to && disk_related(path, j->to))))
                        return true;
        return false;
}

const char *disk_would_store(const char *path, bool overwrite)
{
        const char *name;
        struct thing *dir = disk_parent(path, &name);
        const struct thing *there = dir ? disk_child(dir, name) : NULL;

        if (!dir)
                return "DiskPathDoesntExistsError";
        if (there && there->kind == KIND_DIR)
                return "DiskPathPointsToExistentDirectoryError";
        return there && !overwrite ? "DiskResourceAlreadyExistsError" : NULL;
}

static const char *disk_store(struct job *j)
{
        const char *name, *no = disk_would_store(j->path, j->overwrite);
        struct thing *dir = disk_parent(j->path, &name), *there;

        if (no)
                return no;
        there = disk_child(dir, name);
        if (there)
                rule_loses(j, j->path, there, j->content);
        rule_brings(j->path, j->content);
        there = disk_put(dir, name, KIND_FILE, j->content);
        there->alien = !rule_expects(j->path, KIND_FILE, j->content);
        there->sent = true;
        return NULL;
}

/* Somebody has asked for it, and no row says so yet. */
static void disk_of_nobody(struct thing *t)
{
        t->alien = true;
        for (struct thing *c = t->first; c; c = c->next)
                disk_of_nobody(c);
}

static const char *disk_move(struct job *j)
{
        struct thing *from = disk_find(disk.root, j->path), *dir, *there;
        const char *name;

        if (!from)
                return "DiskNotFoundError";
        if (entry_key_below(j->to, j->path))
                return "DiskPathDoesntExistsError"; /* into itself */
        dir = disk_parent(j->to, &name);
        if (!dir)
                return "DiskPathDoesntExistsError";
        there = disk_child(dir, name);
        if (there && (!j->overwrite || there->kind == KIND_DIR || there == from))
                return "DiskResourceAlreadyExistsError";
        if (there) {
                rule_loses(j, j->to, there, from->content);
                disk_take_out(there);
        }
        rule_moves(j, from);
        if (rule_was_touched(j->path)) /* what he has put there goes along, … */
                rule_touched(j->to);
        else if (from->kind == KIND_FILE && !pair_is_parked(j->to) && /* … and what has come late; it is compared afterwards */
                 (disguise_is_wire(entry_key_name(j->path)) || !fault_possible(SIM_FAULT_STORED_LATE)))
                rule_brings(j->to, from->content);
        disk_of_nobody(from);
        from->sent |= disguise_is_wire(from->name);
        if (disguise_is_wire(from->name))
                from->alien = !rule_expects(j->to, KIND_FILE, from->content);
        disk_hang(from, dir, name);
        return NULL;
}

static const char *disk_delete(struct job *j)
{
        struct thing *t = disk_find(disk.root, j->path);
        uint8_t md5[16];

        if (!t)
                return "DiskNotFoundError";
        content_md5(t->content, md5);
        if (j->has_md5 && (t->kind != KIND_FILE || memcmp(md5, j->md5, sizeof(md5)) != 0))
                return "MD5DifferError";
        rule_loses(j, j->path, t, 0);
        if (j->permanently)
                disk_take_out(t);
        else
                disk_trash(t);
        return NULL;
}

static const char *disk_mkdir(struct job *j)
{
        const char *name;
        struct thing *dir = disk_parent(j->path, &name), *there;

        if (!dir)
                return "DiskPathDoesntExistsError";
        there = disk_child(dir, name);
        if (there)
                return there->kind == KIND_DIR ? "DiskPathPointsToExistentDirectoryError"
                                               : "DiskResourceAlreadyExistsError";
        disk_put(dir, name, KIND_DIR, 0)->alien = !rule_expects(j->path, KIND_DIR, 0);
        return NULL;
}

const char *disk_do(struct job *j)
{
        const char *no = NULL;

        switch (j->what) {
        case DEED_STORE:
                no = disk_store(j);
                break;
        case DEED_MOVE:
                no = disk_move(j);
                break;
        case DEED_DELETE:
                no = disk_delete(j);
                break;
        case DEED_MKDIR:
                no = disk_mkdir(j);
                break;
        }
        j->state = no ? JOB_FAILED : JOB_DONE;
        return no;
}
