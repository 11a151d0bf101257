/* SPDX-License-Identifier: MIT */

/*
 * A ring of batches.  One side fills them, the other reads them, and only a whole batch changes
 * hands, so that two threads meet every few hundred entries and not at each.  A batch keeps the
 * keys of its entries in one piece of memory, which is used again.
 */

#include "lib/engine/ahead.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define AHEAD_BATCHES 4
#define AHEAD_ENTRIES 256
#define AHEAD_KEYS (64u * 1024u) /* bytes of keys that end a batch early */
#define AHEAD_STACK (256u * 1024u)

struct batch {
        struct entry entries[AHEAD_ENTRIES]; /* their keys: once it is filled */
        size_t offs[AHEAD_ENTRIES];          /* where in `keys` */
        size_t n;
        char *keys;
        size_t len, size;
        bool last;  /* nothing comes after it but … */
        int result; /* … this */
};

struct ahead {
        struct entry_iter iter;
        struct entry_iter *inner;
        struct batch *batches;
        uv_thread_t thread;
        bool threaded;
        uv_mutex_t mutex; /* for what follows */
        uv_cond_t moved;
        size_t filled, read; /* how many batches ever; what lies between is full */
        bool closing;
        /* The reader's own. */
        struct batch *batch; /* being read, or NULL */
        size_t at;
};

/* ---- the side that fills ---------------------------------------------------------------------- */

static int batch_add(struct batch *b, const struct entry *e)
{
        size_t n = strlen(e->key) + 1;

        if (n > b->size - b->len) {
                size_t size = 2 * (b->len + n);
                char *keys = realloc(b->keys, size);

                if (!keys)
                        return -ENOMEM;
                b->keys = keys;
                b->size = size;
        }
        memcpy(b->keys + b->len, e->key, n);
        b->entries[b->n] = *e;
        b->offs[b->n++] = b->len;
        b->len += n;
        return 1;
}

static void batch_fill(struct batch *b, struct entry_iter *inner)
{
        const struct entry *e;
        int r = 1;

        b->n = b->len = 0;
        while (r > 0 && b->n < AHEAD_ENTRIES && b->len < AHEAD_KEYS) {
                r = entry_iter_next(inner, &e);
                if (r > 0)
                        r = batch_add(b, e);
        }
        b->last = r <= 0;
        b->result = r;
        for (size_t i = 0; i < b->n; i++)
                b->entries[i].key = b->keys + b->offs[i];
}

/* Waits for an empty batch; NULL when no more are wanted. */
static struct batch *ahead_empty(struct ahead *a)
{
        struct batch *b = NULL;

        uv_mutex_lock(&a->mutex);
        while (!a->closing && a->filled - a->read == AHEAD_BATCHES)
                uv_cond_wait(&a->moved, &a->mutex);
        if (!a->closing)
                b = &a->batches[a->filled % AHEAD_BATCHES];
        uv_mutex_unlock(&a->mutex);
        return b;
}

static void ahead_run(void *userdata)
{
        struct ahead *a = userdata;
        struct batch *b = ahead_empty(a);

        while (b) {
                bool last;

                batch_fill(b, a->inner);
                last = b->last; /* it is the reader's now */
                uv_mutex_lock(&a->mutex);
                a->filled++;
                uv_cond_signal(&a->moved);
                uv_mutex_unlock(&a->mutex);
                b = last ? NULL : ahead_empty(a);
        }
}

/* ---- the side that reads ---------------------------------------------------------------------- */

/* Gives back what was read and waits for the next. */
static void ahead_turn(struct ahead *a)
{
        uv_mutex_lock(&a->mutex);
        if (a->batch) {
                a->read++;
                uv_cond_signal(&a->moved);
        }
        while (a->filled == a->read)
                uv_cond_wait(&a->moved, &a->mutex);
        uv_mutex_unlock(&a->mutex);
        a->batch = &a->batches[a->read % AHEAD_BATCHES];
        a->at = 0;
}

static int ahead_next(struct entry_iter *iter, const struct entry **ret)
{
        struct ahead *a = CONTAINER_OF(iter, struct ahead, iter);

        if (!a->threaded)
                return entry_iter_next(a->inner, ret);
        while (!a->batch || a->at == a->batch->n) {
                if (a->batch && a->batch->last)
                        return a->batch->result;
                ahead_turn(a);
        }
        *ret = &a->batch->entries[a->at++];
        return 1;
}

/* ---- life ------------------------------------------------------------------------------------- */

static bool ahead_start(struct ahead *a)
{
        const uv_thread_options_t options = {.flags = UV_THREAD_HAS_STACK_SIZE,
                                             .stack_size = AHEAD_STACK};

        if (uv_mutex_init(&a->mutex) < 0)
                return false;
        if (uv_cond_init(&a->moved) < 0) {
                uv_mutex_destroy(&a->mutex);
                return false;
        }
        if (uv_thread_create_ex(&a->thread, &options, ahead_run, a) == 0)
                return true;
        uv_cond_destroy(&a->moved);
        uv_mutex_destroy(&a->mutex);
        return false;
}

int ahead_create(struct ahead **ret, struct entry_iter *inner, struct err *err)
{
        struct ahead *a = calloc(1, sizeof(*a));

        if (a)
                a->batches = calloc(AHEAD_BATCHES, sizeof(*a->batches));
        if (!a || !a->batches) {
                free(a);
                return err_set(err, ENOMEM, "there is no memory to walk the folder");
        }
        a->iter.next = ahead_next;
        a->inner = inner;
        a->threaded = uv_available_parallelism() > 1 && ahead_start(a);
        *ret = a;
        return 0;
}

static void ahead_stop(struct ahead *a)
{
        uv_mutex_lock(&a->mutex);
        a->closing = true;
        uv_cond_signal(&a->moved);
        uv_mutex_unlock(&a->mutex);
        uv_thread_join(&a->thread);
        uv_cond_destroy(&a->moved);
        uv_mutex_destroy(&a->mutex);
}

void ahead_destroy(struct ahead *a)
{
        if (!a)
                return;
        if (a->threaded)
                ahead_stop(a);
        for (size_t i = 0; i < AHEAD_BATCHES; i++)
                free(a->batches[i].keys);
        free(a->batches);
        free(a);
}

struct entry_iter *ahead_iter(struct ahead *a)
{
        return &a->iter;
}
