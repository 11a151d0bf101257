/* SPDX-License-Identifier: MIT */
#pragma once

/* The journal, spoken to in its own protocol: each entry with its fields. */

#include "lib/base/log.h"

#include <stdint.h>

/* Whether stderr is a stream to the journal; entries can be sent if so. */
bool journal_begin(void);

/*
 * 0: sent.  -EAGAIN: the journal does not read, and the entry is lost.  Anything else: there is no
 * journal.  A journal that has stopped reading is waited for once, for a second at most, and not
 * again before it has taken an entry.
 */
int journal_send(const struct log_entry *entry);

/* How many entries were lost since this was last asked; 0 as long as more would be. */
uint64_t journal_take_lost(void);

void journal_finish(void);

/* The same at the end of the program: first the journal may see, for a moment, whose entries they were. */
void journal_part(void);
