/* SPDX-License-Identifier: MIT */

/*
 * Members are written straight into the buffer, and their places remembered; the end of the object
 * puts them into a random order.  Nested objects are closed by then, so they simply move along.
 */

#include "object.h"

void object_begin(struct object *o, struct buf *b, const struct fields *f, bool shuffle)
{
        o->b = b;
        o->fields = f;
        o->shuffle = shuffle;
        o->n = 0;
        buf_char(b, '{');
}

bool object_key(struct object *o, const char *name, const struct fields **ret_sub)
{
        const struct fields *f = o->fields;

        while (f && strcmp(f->name, name) != 0)
                f = f->next;
        if ((o->fields && !f) || o->n == OBJECT_MAX_KEYS)
                return false;
        if (ret_sub)
                *ret_sub = f ? f->sub : NULL;
        if (o->n > 0)
                buf_char(o->b, ',');
        o->at[o->n++] = o->b->len;
        buf_char(o->b, '"');
        buf_str(o->b, name);
        buf_add(o->b, "\":", 2);
        return true;
}

static void shuffle_members(struct object *o)
{
        size_t start = o->at[0], len = o->b->len - start, to = start;
        _cleanup_(freep) char *copy = xmalloc(len);
        unsigned order[OBJECT_MAX_KEYS];

        memcpy(copy, o->b->s + start, len);
        for (unsigned i = 0; i < o->n; i++) {
                unsigned j = rng_below(rng_thread(), i + 1);

                if (j != i)
                        order[i] = order[j];
                order[j] = i;
        }
        o->at[o->n] = o->b->len + 1;    /* as if a comma followed the last one */
        for (unsigned i = 0; i < o->n; i++) {
                size_t from = o->at[order[i]], n = o->at[order[i] + 1] - 1 - from;

                if (i > 0)
                        o->b->s[to++] = ',';
                memcpy(o->b->s + to, copy + (from - start), n);
                to += n;
        }
}

void object_end(struct object *o)
{
        if (o->shuffle && o->n > 1)
                shuffle_members(o);
        buf_char(o->b, '}');
}

void object_strn(struct object *o, const char *name, const char *value, size_t n)
{
        if (object_key(o, name, NULL))
                buf_json(o->b, value, n);
}

void object_str(struct object *o, const char *name, const char *value)
{
        object_strn(o, name, value, strlen(value));
}

void object_int(struct object *o, const char *name, int64_t value)
{
        if (object_key(o, name, NULL))
                buf_int(o->b, value);
}

void object_bool(struct object *o, const char *name, bool value)
{
        if (object_key(o, name, NULL))
                buf_str(o->b, value ? "true" : "false");
}

void object_time(struct object *o, const char *name, int64_t epoch_s)
{
        if (!object_key(o, name, NULL))
                return;
        buf_char(o->b, '"');
        buf_time(o->b, epoch_s);
        buf_char(o->b, '"');
}

void object_hex(struct object *o, const char *name, const uint8_t *bytes, size_t n)
{
        if (!object_key(o, name, NULL))
                return;
        buf_char(o->b, '"');
        buf_hex(o->b, bytes, n);
        buf_char(o->b, '"');
}
