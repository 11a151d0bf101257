/* SPDX-License-Identifier: MIT */
#pragma once

/* So many requests in any second, and not one more. */

#include <stdbool.h>
#include <stdint.h>

struct rate;

struct rate *rate_create(void);
void rate_destroy(struct rate *r);

/* Counts a request if it may pass; `per_second` 0 lets everything pass. */
bool rate_admit(struct rate *r, int64_t per_second);
