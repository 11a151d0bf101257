/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The language of the reader.
 *
 * Texts are written in English where they arise, and looked up where they become a sentence: the
 * formats of log_*(), event_say() and err_*() in those functions, everything else by tr().  What
 * programs read (ids, names, fields of the journal, JSON) is never looked up.  Without setlocale()
 * everything stays as it is written.
 */

#include "lib/base/mem.h"

#include <libintl.h>
#include <stdint.h>

#define TR_DOMAIN "ydsync"

/* Marks a text that is looked up elsewhere: in a table, or a reason that becomes part of a sentence. */
#define N_(text) text

__attribute__((format_arg(1))) static inline const char *tr(const char *text)
{
        return *text ? dgettext(TR_DOMAIN, text) : text;
}

/* The form that goes with the number `n`. */
__attribute__((format_arg(1), format_arg(2))) static inline const char *
trn(const char *one, const char *many, uint64_t n)
{
        return dngettext(TR_DOMAIN, one, many, (unsigned long)n);
}
