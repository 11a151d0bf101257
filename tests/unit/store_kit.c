/* SPDX-License-Identifier: MIT */

#include "tests/unit/store_kit.h"

#include "lib/base/str.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

static void kit_die(const char *what, const char *why)
{
        printf("# %s: %s\n", what, why);
        printf("not ok %s\n", what);
        exit(2);
}

struct record kit_file(const char *key, uint64_t size)
{
        struct record r = {
                .verb = RECORD_ROW,
                .entry = {
                        .key = key,
                        .kind = KIND_FILE,
                        .size = size,
                        .stamp = {1700000000000000000 + (int64_t)(size % 1000), 1700000001000000000,
                                  1000 + size, 2050},
                        .has_md5 = true,
                },
        };

        for (size_t i = 0; i < sizeof(r.entry.md5); i++)
                r.entry.md5[i] = (uint8_t)(size >> (i % 8) ^ i);
        return r;
}

struct record kit_unverified(const char *key, uint64_t size)
{
        struct record r = kit_file(key, size);

        r.entry.flags = ENTRY_UNVERIFIED;
        return r;
}

struct record kit_dir(const char *key)
{
        return (struct record){
                .verb = RECORD_ROW,
                .entry = {.key = key, .kind = KIND_DIR, .stamp = {1, 2, 3, 2050}},
        };
}

struct record kit_on(enum record_verb verb, const char *key)
{
        return (struct record){.verb = verb, .entry.key = key};
}

struct record kit_meta(const char *name, const char *value)
{
        return (struct record){.verb = RECORD_META, .name = name, .value = value};
}

struct record kit_intent(const char *wire, const char *key, uint64_t size, int64_t when_ms)
{
        return (struct record){
                .verb = RECORD_INTENT,
                .wire = wire,
                .when_ms = when_ms,
                .entry = {.key = key, .size = size},
        };
}

struct record kit_doubt(struct record r, int64_t when_ms)
{
        r.verb = RECORD_DOUBT;
        r.when_ms = when_ms;
        return r;
}

void kit_path(const struct scratch *s, const char *sub, char ret[512])
{
        snprintf(ret, 512, "%s/state%s%s", s->path, sub ? "/" : "", sub ? sub : "");
}

static struct store *kit_open_with(const struct scratch *s, unsigned flags)
{
        struct err err = ERR_NONE;
        struct store *store;
        char path[512];

        kit_path(s, NULL, path);
        if (store_open(&store, path, flags, &err) < 0)
                kit_die("store_open", err.text);
        return store;
}

struct store *kit_open(const struct scratch *s)
{
        return kit_open_with(s, 0);
}

struct store *kit_open_read_only(const struct scratch *s)
{
        return kit_open_with(s, STORE_READ_ONLY);
}

void kit_commit(struct store *store, const struct record *records, size_t n)
{
        struct err err = ERR_NONE;

        if (store_commit(store, records, n, &err) < 0)
                kit_die("store_commit", err.text);
}

static struct str kit_text = {.max = 64 << 20};

static void kit_text_add(const char *key)
{
        str_addf(&kit_text, "%s%s", kit_text.len ? " " : "", *key ? key : ".");
}

const char *kit_list(struct entry_iter *it)
{
        const struct entry *e;
        int r;

        str_clear(&kit_text);
        while ((r = entry_iter_next(it, &e)) > 0)
                kit_text_add(e->key);
        if (r < 0)
                str_addf(&kit_text, "!%d", -r);
        store_iter_destroy(it);
        return str_z(&kit_text);
}

const char *kit_keys(struct store *store)
{
        struct entry_iter *it;
        struct err err;

        if (store_known_iter(store, &it, &err) < 0)
                kit_die("store_known_iter", err.text);
        return kit_list(it);
}

const char *kit_remote_keys(struct store *store)
{
        struct entry_iter *it;
        struct err err;

        if (store_remote_iter(store, &it, &err) < 0)
                kit_die("store_remote_iter", err.text);
        return kit_list(it);
}

static const char *kit_show(int r, struct entry_list *l)
{
        str_clear(&kit_text);
        for (size_t i = 0; r == 0 && i < l->n; i++)
                kit_text_add(l->items[i].key);
        if (r < 0)
                str_addf(&kit_text, "!%d", -r);
        entry_list_finish(l);
        return str_z(&kit_text);
}

const char *kit_children(struct store *store, const char *key)
{
        struct entry_list l = {0};

        return kit_show(store_children(store, key, &l, NULL), &l);
}

const char *kit_next(struct store *store, enum kind kind, const char *after, size_t max)
{
        struct entry_list l = {0};

        return kit_show(store_next(store, kind, after, max, &l, NULL), &l);
}

const char *kit_unverified_folders(struct store *store, size_t max)
{
        struct entry_list l = {0};

        return kit_show(store_unverified(store, max, &l, NULL), &l);
}

void kit_check_totals(struct store *store)
{
        struct store_totals counted = {0}, told = {0};
        const struct entry *e;
        struct entry_iter *it;
        struct err err;
        int r;

        if (store_known_iter(store, &it, &err) < 0)
                kit_die("store_known_iter", err.text);
        while ((r = entry_iter_next(it, &e)) > 0) {
                counted.files += e->kind == KIND_FILE;
                counted.dirs += e->kind == KIND_DIR;
                counted.bytes += e->size;
                counted.unverified += (e->flags & ENTRY_UNVERIFIED) != 0;
        }
        check_eq(r, 0);
        store_iter_destroy(it);
        check_eq(store_totals(store, &told, &err), 0);
        check_eq(told.files, counted.files);
        check_eq(told.dirs, counted.dirs);
        check_eq(told.bytes, counted.bytes);
        check_eq(told.unverified, counted.unverified);
}

bool kit_find(struct store *store, const char *key, struct entry *ret)
{
        const struct entry *e;
        struct entry_iter *it;
        bool found = false;
        struct err err;

        if (store_known_iter(store, &it, &err) < 0)
                kit_die("store_known_iter", err.text);
        while (!found && entry_iter_next(it, &e) > 0)
                if (strcmp(e->key, key) == 0) {
                        *ret = *e;
                        ret->key = NULL;
                        found = true;
                }
        store_iter_destroy(it);
        return found;
}

bool kit_entry_eq(const struct entry *a, const struct entry *b)
{
        return a->kind == b->kind && a->flags == b->flags && a->size == b->size &&
               entry_stamp_eq(&a->stamp, &b->stamp) && a->has_md5 == b->has_md5 &&
               memcmp(a->md5, b->md5, sizeof(a->md5)) == 0;
}

char *kit_slurp(const char *path, size_t *ret_n)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        char *bytes = NULL;
        struct stat st;

        if (fd >= 0 && fstat(fd, &st) == 0)
                bytes = calloc(1, (size_t)st.st_size + 1);
        if (!bytes || read(fd, bytes, (size_t)st.st_size) != st.st_size)
                kit_die("cannot read", path);
        close(fd);
        *ret_n = (size_t)st.st_size;
        return bytes;
}

void kit_spill(const char *path, const char *bytes, size_t n)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
                kit_die("cannot write", path);
        close(fd);
}

void kit_sql(const char *path, const char *sql)
{
        sqlite3 *db;
        char *why = NULL;

        if (sqlite3_open(path, &db) != SQLITE_OK ||
            sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
                kit_die(sql, why ? why : path);
        sqlite3_close(db);
}
