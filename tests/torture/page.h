/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the driver and the shim share: one page of memory.  The driver says which call is to go
 * wrong, the shim counts, and the count outlives a process that is killed.
 */

#include <stdatomic.h>
#include <stdint.h>

enum page_set {
        PAGE_IO,     /* calls on regular files and folders */
        PAGE_NET,    /* calls on sockets, and asking for addresses */
        PAGE_MEM,    /* memory */
        PAGE_THREAD, /* new threads */
        PAGE_START,  /* io and mem before the configuration is read: what the libraries set up */
        PAGE_SETS,
};

enum page_mode {
        PAGE_COUNT,     /* nothing goes wrong */
        PAGE_ERR,       /* the call fails */
        PAGE_STICKY,    /* the call fails, and so do all of its set that follow */
        PAGE_SHORT,     /* reads and writes move half of what they could, from this call on */
        PAGE_EINTR,     /* the call is interrupted by a signal, if it is one that can be */
        PAGE_KILL,      /* SIGKILL instead of the call */
        PAGE_KILLAFTER, /* SIGKILL when the call is through */
        PAGE_MODES,
};

struct page {
        enum page_set set;
        enum page_mode mode;
        uint64_t at;                     /* the call that goes wrong, from 1 */
        atomic_uint_fast64_t count[PAGE_SETS];
        atomic_int hit;                  /* it came to that */
        int err;                         /* what it failed with */
        char call[32];                   /* its name … */
        char where[160];                 /* … and who called */
};

/* Environment of a process under the shim. */
#define PAGE_ENV "TORTURE_PAGE"   /* the file with the page */
#define PAGE_SERVE "TORTURE_SERVE" /* "READ,WRITE": see shim.c */
