/* SPDX-License-Identifier: MIT */
#pragma once

/* Yandex OAuth, on the port of the API. */

#include "request.h"

void oauth_device(struct request *rq);  /* POST /device/code */
void oauth_token(struct request *rq);   /* POST /token */
void oauth_revoke(struct request *rq);  /* POST /revoke_token */
