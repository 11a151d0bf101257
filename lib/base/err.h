/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What went wrong, said so that a person can act.
 *
 * The library fills a struct err and never logs; the first caller in daemon/ speaks, once.
 * A sentence grows on its way up by err_wrap(): "cannot open the snapshot: disk I/O error".  Formats
 * are looked up in the language of the reader (tr.h).
 */

#include "lib/base/mem.h"
#include "lib/base/tr.h"

#include <stdarg.h>
#include <stdbool.h>

struct err {
        int code;        /* a positive errno, or 0 while nothing is wrong */
        char text[2048]; /* one sentence without a full stop; never a secret */
};

#define ERR_NONE ((struct err){0})

/* Sets the sentence and returns -code.  `e` may be NULL: then only the code is returned. */
int err_set(struct err *e, int code, const char *fmt, ...) _printf_(3, 4);

/* As err_set(), with ": " and the text of the errno added. */
int err_errno(struct err *e, int code, const char *fmt, ...) _printf_(3, 4);

/* Puts "fmt: " before what is already there; returns -e->code. */
int err_wrap(struct err *e, const char *fmt, ...) _printf_(2, 3);
