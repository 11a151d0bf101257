/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Ownership in words the compiler understands.
 *
 * A variable declared with _cleanup_(f) is given to f(&variable) when it leaves its scope.
 * TAKE_PTR(p) yields p and leaves NULL behind: ownership moves, visibly.
 */

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _unused_ __attribute__((unused))

#define TAKE_PTR(p)                                                                                \
        ({                                                                                         \
                __typeof__(p) *_taken_from = &(p);                                                 \
                __typeof__(p) _taken = *_taken_from;                                               \
                *_taken_from = NULL;                                                               \
                _taken;                                                                            \
        })

#define TAKE_FD(fd)                                                                                \
        ({                                                                                         \
                int *_taken_from = &(fd);                                                          \
                int _taken = *_taken_from;                                                         \
                *_taken_from = -1;                                                                 \
                _taken;                                                                            \
        })

/* Defines x_destroyp(), the cleanup for pointers whose destructor is x_destroy(). */
#define DEFINE_CLEANUP(type, destroy)                                                              \
        static inline void destroy##p(type *p)                                                     \
        {                                                                                          \
                if (*p)                                                                            \
                        destroy(*p);                                                               \
        }

#define CONTAINER_OF(ptr, type, member)                                                            \
        ((type *)(void *)((char *)(1 ? (ptr) : &((type *)0)->member) - offsetof(type, member)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline void freep(void *p)
{
        free(*(void **)p);
}

static inline void closep(int *fd)
{
        if (*fd >= 0)
                close(*fd);
}

/* Wipes memory that held a secret; the compiler must not leave it out. */
static inline void mem_wipe(void *p, size_t n)
{
        volatile unsigned char *v = p;
        while (n--)
                *v++ = 0;
}
