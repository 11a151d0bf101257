/* SPDX-License-Identifier: MIT */
#pragma once

/* The commands, each in a file of its own: daemon/cmd_*.c.  Each returns an exit status. */

struct call;

int cmd_run(const struct call *call);
int cmd_once(const struct call *call);
int cmd_login(const struct call *call);
int cmd_plan(const struct call *call);
int cmd_status(const struct call *call);
int cmd_explain(const struct call *call);
int cmd_check(const struct call *call);
int cmd_verify(const struct call *call);
int cmd_sync(const struct call *call);
int cmd_pause(const struct call *call);
int cmd_resume(const struct call *call);
int cmd_approve(const struct call *call);
