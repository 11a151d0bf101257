/* SPDX-License-Identifier: MIT */
#pragma once

/* /_fake/: what tests turn and look at.  Needs no token, is not journalled, never goes wrong. */

#include "request.h"

void control_config_get(struct request *rq);
void control_config_set(struct request *rq);
void control_fault_get(struct request *rq);
void control_fault_add(struct request *rq);
void control_fault_clear(struct request *rq);
void control_journal(struct request *rq);
void control_journal_clear(struct request *rq);
void control_count(struct request *rq);
void control_reset(struct request *rq);
void control_tree(struct request *rq);
void control_tree_text(struct request *rq);
void control_trash(struct request *rq);
void control_trash_text(struct request *rq);
void control_mkdir(struct request *rq);
void control_remove(struct request *rq);
void control_move(struct request *rq);
void control_content(struct request *rq);
void control_save(struct request *rq);
void control_restore(struct request *rq);
void control_token(struct request *rq);

extern const struct stream control_put_stream;
