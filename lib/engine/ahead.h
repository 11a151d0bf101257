/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An iterator that runs ahead of who reads it, on a thread of its own.
 *
 * What it shows is what `inner` shows, in the same order, a thousand entries later at most.  For a
 * walk: the kernel is asked about the next files while the last ones are compared.  Where there is
 * one processor only, or no thread can be had, it is `inner` itself, read in step.
 *
 * From ahead_create() to ahead_destroy() nobody else may touch `inner` and what it rests on; it must
 * stay until after that.  ahead_destroy() waits for what is being read, some hundred entries.
 */

#include "lib/base/err.h"
#include "lib/base/mem.h"
#include "lib/core/entry_iter.h"

struct ahead;

int ahead_create(struct ahead **ret, struct entry_iter *inner, struct err *err);
void ahead_destroy(struct ahead *a);
DEFINE_CLEANUP(struct ahead *, ahead_destroy)

/* For one reader. */
struct entry_iter *ahead_iter(struct ahead *a);
