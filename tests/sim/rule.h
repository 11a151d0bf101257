/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What must hold.
 *
 *   (1) at rest, what is here is there, and what is not here is not there unless it is foreign
 *   (2) foreign content is never overwritten or erased, and trashed only to make room
 *   (3) the cloud's copy of a file that is here never goes before a newer one stands there
 *   (4) what is removed was proven to be absent, by a look right before; with the right folder, not
 *       while adopting, not over the brake
 *   (5) what has arrived is not sent again; nothing goes on for ever
 *   (6) no wire name stays
 *   (7) a row says only what the cloud held
 *   (9) nothing changes under a thing's own name before a doubt about it is written down
 *
 * The rules know the truth of all models and nothing of how the program decides.
 */

#include "tests/sim/disk.h"

#include "daemon/config.h"
#include "lib/core/op.h"
#include "lib/core/record.h"

void rule_begin(const struct config *config);
void rule_finish(void);

/* ---- told by the models ---- */

/* A client changes something: `content` takes the place of what is lost, where something does. */
void rule_asks(const struct job *j);
void rule_loses(const struct job *j, const char *path, const struct thing *t, uint64_t content);
void rule_moves(const struct job *j, const struct thing *from);
void rule_brings(const char *path, uint64_t content);
/* Whether the snapshot expects that this comes to stand there, so that it is known to be ours. */
bool rule_expects(const char *path, enum kind kind, uint64_t content);
void rule_claims(const char *path, uint64_t content); /* the service says that it stored it */
void rule_sends(const char *url, uint64_t content);
/* Whoever did it. */
void rule_stands(const char *path, const struct thing *t);
/* What a view shows at a path (NULL: nothing), as of `serial`. */
void rule_shows(const char *path, const struct thing *t, uint64_t serial, bool listing);

void rule_looked(const char *key, enum kind kind, int err);
void rule_recorded(const struct record *r);
void rule_scan_begins(void);
void rule_planned(const struct op *op, bool at_last); /* among the drops, after all makes */
void rule_root(bool proper, bool again); /* opened, or (again) checked, and whether it is the one */

/* ---- told by the world ---- */

void rule_pass_begins(void);
void rule_approved(void);                /* the plan that is held now */
void rule_touched(const char *path);     /* the second writer was there */
bool rule_was_touched(const char *path);
void rule_hidden(const char *key);       /* nobody can say what is there */
void rule_foreign(uint64_t content);     /* it stands in the cloud now */
void rule_foreign_gone(uint64_t content); /* and does not any more, by its owner's hand */
void rule_rebound(void);                 /* the cloud folder is another one now */
void rule_lost_snapshot(void);           /* what was known to be ours may not be any more */

/* At rest. */
void rule_judge(void);
/* Whether something stands in the way that only a person can put right. */
bool rule_excuses(void);
