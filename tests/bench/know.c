/* SPDX-License-Identifier: MIT */

/*
 * know STATE FOLDER: everything that a walk of FOLDER shows is written into the snapshot in STATE, as
 * if it had been sent.  The snapshot must be there: a pass over the empty folder makes it, with all
 * the facts that a pass wants; so a million files are known in seconds, and a pass that then makes a
 * single call shows that they are not known as they should be.
 */

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/engine/walk.h"
#include "lib/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#define BATCH 10000

struct batch {
        struct store *store;
        struct record records[BATCH];
        size_t n;
        uint64_t root_dev;
};

static int batch_commit(struct batch *b, struct err *err)
{
        int r = store_commit(b->store, b->records, b->n, err);

        while (b->n > 0)
                free((char *)b->records[--b->n].entry.key);
        return r;
}

/* As a row of something sent has it: with a digest, and without the device of the folder itself. */
static int batch_add(struct batch *b, const struct entry *seen, struct err *err)
{
        struct record *r = &b->records[b->n];

        if (*seen->key == '\0') {
                b->root_dev = seen->stamp.dev;
                return 0;
        }
        *r = (struct record){.verb = RECORD_ROW, .entry = *seen};
        r->entry.key = str_dup(seen->key);
        if (!r->entry.key)
                return err_set(err, ENOMEM, "no memory");
        r->entry.has_md5 = seen->kind == KIND_FILE;
        memcpy(r->entry.md5, &seen->stamp.ino, sizeof(seen->stamp.ino));
        if (seen->stamp.dev == b->root_dev)
                r->entry.stamp.dev = 0;
        return ++b->n == BATCH ? batch_commit(b, err) : 0;
}

static int know(struct batch *b, struct entry_iter *seen, struct err *err)
{
        const struct entry *e;
        int r, s = 0;

        while (s >= 0 && (r = entry_iter_next(seen, &e)) > 0)
                s = batch_add(b, e, err);
        if (s >= 0 && r < 0)
                s = err_errno(err, -r, "the walk ended early");
        return s < 0 ? s : batch_commit(b, err);
}

int main(int argc, char **argv)
{
        static struct batch b;
        _cleanup_(store_closep) struct store *store = NULL;
        _cleanup_(walk_destroyp) struct walk *walk = NULL;
        _cleanup_(closep) int root = argc == 3 ? open(argv[2], O_RDONLY | O_DIRECTORY) : -1;
        struct walk_options options = {0};
        struct err err = ERR_NONE;

        if (root < 0)
                return 64;
        if (store_open(&store, argv[1], 0, &err) == 0 &&
            walk_create(&walk, root, &options, &err) == 0) {
                b.store = store;
                if (know(&b, walk_iter(walk), &err) == 0)
                        return 0;
        }
        fprintf(stderr, "know: %s\n", err.text);
        return 74;
}
