/* SPDX-License-Identifier: MIT */

/* The linker sends the program's own calls here (--wrap). */

#include "tests/unit/alloc.h"

#include "lib/base/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned alloc_left; /* requests until one fails; 0: none will */
static bool alloc_for_good, alloc_failed, alloc_paused;

void alloc_fail(unsigned nth, bool for_good)
{
        alloc_left = nth;
        alloc_for_good = for_good;
        alloc_failed = alloc_paused = false;
}

bool alloc_well(void)
{
        alloc_left = 0;
        alloc_for_good = false;
        return alloc_failed;
}

void alloc_pause(void)
{
        alloc_paused = true;
}

void alloc_resume(void)
{
        alloc_paused = false;
}

static struct ask alloc_flow_next(struct flow *flow, const struct outcome *in)
{
        struct ask ask;

        alloc_resume();
        ask = flow_next(CONTAINER_OF(flow, struct alloc_flow, flow)->inner, in);
        alloc_pause();
        return ask;
}

static const char *alloc_flow_where(const struct flow *flow)
{
        const struct alloc_flow *f = CONTAINER_OF((struct flow *)flow, struct alloc_flow, flow);

        return f->inner->where(f->inner);
}

static void alloc_flow_destroy(struct flow *flow)
{
        flow_destroy(CONTAINER_OF(flow, struct alloc_flow, flow)->inner);
}

struct flow *alloc_flow(struct alloc_flow *f, struct flow *inner)
{
        *f = (struct alloc_flow){.flow = {.next = alloc_flow_next,
                                          .where = alloc_flow_where,
                                          .destroy = alloc_flow_destroy},
                                 .inner = inner};
        return &f->flow;
}

static bool alloc_refuses(void)
{
        if (alloc_paused || (alloc_left == 0 && !(alloc_failed && alloc_for_good)))
                return false;
        if (alloc_left > 0 && --alloc_left > 0)
                return false;
        alloc_failed = true;
        errno = ENOMEM;
        return true;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
        return alloc_refuses() ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
        return alloc_refuses() ? NULL : __real_calloc(n, size);
}

void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size)
{
        return alloc_refuses() ? NULL : __real_realloc(p, size);
}

void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
        return alloc_refuses() ? NULL : __real_reallocarray(p, n, size);
}

char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);
char *__wrap_strdup(const char *s)
{
        return alloc_refuses() ? NULL : __real_strdup(s);
}

char *__real_strndup(const char *s, size_t n);
char *__wrap_strndup(const char *s, size_t n);
char *__wrap_strndup(const char *s, size_t n)
{
        return alloc_refuses() ? NULL : __real_strndup(s, n);
}

int __real_vasprintf(char **ret, const char *fmt, va_list ap)
        __attribute__((format(printf, 2, 0)));
int __wrap_vasprintf(char **ret, const char *fmt, va_list ap)
        __attribute__((format(printf, 2, 0)));
int __wrap_vasprintf(char **ret, const char *fmt, va_list ap)
{
        return alloc_refuses() ? -1 : __real_vasprintf(ret, fmt, ap);
}

int __wrap_asprintf(char **ret, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int __wrap_asprintf(char **ret, const char *fmt, ...)
{
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = __wrap_vasprintf(ret, fmt, ap);
        va_end(ap);
        return n;
}
