/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * JSON objects whose keys pass through a `fields` filter and come in a different order each time.
 *
 *      struct object o;
 *
 *      object_begin(&o, buf, fields, shuffle);
 *      if (object_key(&o, "name", NULL))
 *              buf_json(buf, …);
 *      object_end(&o);
 */

#include "fields.h"
#include "util.h"

#define OBJECT_MAX_KEYS 64

struct object {
        struct buf *b;
        const struct fields *fields;
        bool shuffle;
        unsigned n;
        size_t at[OBJECT_MAX_KEYS + 1]; /* where each member begins */
};

/* `f` NULL wants every key. */
void object_begin(struct object *o, struct buf *b, const struct fields *f, bool shuffle);

/*
 * Begins a member: true if it is wanted, then its value must be added to the buffer next.
 * `ret_sub` (may be NULL) is the filter for the value.
 */
bool object_key(struct object *o, const char *name, const struct fields **ret_sub);

void object_end(struct object *o);

/* Whole members. */
void object_str(struct object *o, const char *name, const char *value);
void object_strn(struct object *o, const char *name, const char *value, size_t n);
void object_int(struct object *o, const char *name, int64_t value);
void object_bool(struct object *o, const char *name, bool value);
void object_time(struct object *o, const char *name, int64_t epoch_s);
void object_hex(struct object *o, const char *name, const uint8_t *bytes, size_t n);
