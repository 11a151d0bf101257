/* SPDX-License-Identifier: MIT */

#include "daemon/event.h"

#include "lib/base/str.h"

#include <inttypes.h>
#include <stdio.h>

#define EVENT_FIELDS_MAX 13

static const struct {
        const char *name;
        enum log_level level;
        const char *id;
} event_kinds[] = {
#define EVENT_KIND(value, name, level, id) {name, level, id},
        EVENT_TABLE(EVENT_KIND)
#undef EVENT_KIND
};

static uint64_t event_cycle;

#ifdef YDSYNC_TEST_HOOKS
static bool event_made[ARRAY_SIZE(event_kinds)];

/* For tests: the file $YDSYNC_EVENTS gets the names of all kinds that this process has made. */
__attribute__((destructor)) static void event_confess(void)
{
        const char *path = getenv("YDSYNC_EVENTS");
        FILE *f = path ? fopen(path, "ae") : NULL;

        for (size_t i = 0; f && i < ARRAY_SIZE(event_kinds); i++)
                if (event_made[i])
                        fprintf(f, "%s\n", event_kinds[i].name);
        if (f)
                fclose(f);
}
#endif

void event_set_cycle(uint64_t n)
{
        event_cycle = n;
}

/* The fields of one entry, and the memory of those that had to be made. */
struct event_fields {
        struct log_field fields[EVENT_FIELDS_MAX];
        size_t n;
        struct str path, from, remote, reason;
        char bytes[24], md5[33], status[12], err[12], cycle[24];
};

static void event_add(struct event_fields *f, const char *name, const char *value)
{
        f->fields[f->n++] = (struct log_field){name, value};
}

static void event_add_printable(struct event_fields *f, const char *name, struct str *s,
                                const char *value)
{
        *s = STR_NULL(65536);
        str_add_printable(s, value);
        if (!s->failed)
                event_add(f, name, str_z(s));
}

static void event_add_remote(struct event_fields *f, const struct event_about *about)
{
        f->remote = STR_NULL(65536);
        str_add_printable(&f->remote, about->root);
        if (*about->path) {
                str_adds(&f->remote, "/");
                str_add_printable(&f->remote, about->path);
        }
        if (!f->remote.failed)
                event_add(f, "YDSYNC_REMOTE", str_z(&f->remote));
}

static void event_add_about(struct event_fields *f, const struct event_about *about)
{
        if (about->op)
                event_add(f, "YDSYNC_OP", about->op);
        if (about->path && *about->path)
                event_add_printable(f, "YDSYNC_PATH", &f->path, about->path);
        if (about->from)
                event_add_printable(f, "YDSYNC_FROM", &f->from, about->from);
        if (about->path && about->root)
                event_add_remote(f, about);
        if (about->reason && *about->reason)
                event_add_printable(f, "YDSYNC_REASON", &f->reason, about->reason);
        if (about->bytes) {
                snprintf(f->bytes, sizeof(f->bytes), "%" PRIu64, *about->bytes);
                event_add(f, "YDSYNC_BYTES", f->bytes);
        }
        if (about->md5) {
                str_hex(f->md5, about->md5, 16);
                event_add(f, "YDSYNC_MD5", f->md5);
        }
        if (about->http_status) {
                snprintf(f->status, sizeof(f->status), "%d", about->http_status);
                event_add(f, "YDSYNC_HTTP_STATUS", f->status);
        }
        if (about->err) {
                snprintf(f->err, sizeof(f->err), "%d", about->err);
                event_add(f, "ERRNO", f->err);
        }
}

void event_vsay(enum event event, const struct event_about *about, const char *fmt, va_list ap)
{
        struct event_fields f = {0};

        if (!log_wants(event_kinds[event].level))
                return;
#ifdef YDSYNC_TEST_HOOKS
        event_made[event] = true;
#endif
        event_add(&f, "MESSAGE_ID", event_kinds[event].id);
        event_add(&f, LOG_FIELD_EVENT, event_kinds[event].name);
        if (event_cycle > 0) {
                snprintf(f.cycle, sizeof(f.cycle), "%" PRIu64, event_cycle);
                event_add(&f, "YDSYNC_CYCLE", f.cycle);
        }
        if (about)
                event_add_about(&f, about);
        log_fields(event_kinds[event].level, f.fields, f.n, fmt, ap);
        str_finish(&f.path);
        str_finish(&f.from);
        str_finish(&f.remote);
        str_finish(&f.reason);
}

void event_say(enum event event, const struct event_about *about, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        event_vsay(event, about, fmt, ap);
        va_end(ap);
}
