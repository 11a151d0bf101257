/* SPDX-License-Identifier: MIT */
#pragma once

/* Other people who change the Disk at a chosen moment: "before" and "after" of a fault rule. */

#include "server.h"

/*
 * Carries out a list of deeds: {"put": PATH, "text": T}, {"mkdir": PATH}, {"remove": PATH},
 * {"move": FROM, "to": PATH}.  What cannot be done is left out.  NULL is an empty list.
 */
void others_do(struct server *s, const cJSON *deeds);
