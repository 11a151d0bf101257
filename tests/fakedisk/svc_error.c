/* SPDX-License-Identifier: MIT */

/* The table of svc_error.h, as data. */

#include <stddef.h>
#include <string.h>

#include "svc_error.h"
#include "util.h"

static const struct svc_error_info table[] = {
        [SVC_OK] = {200, "", "", ""},
#define E(code, status, name, description, message) \
        [SVC_##code] = {status, name, description, message},
        SVC_ERRORS(E)
#undef E
};

const struct svc_error_info *svc_error_info(enum svc_error e)
{
        return &table[e];
}

enum svc_error svc_error_find(const char *name)
{
        for (size_t i = 1; i < ARRAY_SIZE(table); i++)
                if (strcmp(table[i].name, name) == 0)
                        return (enum svc_error)i;
        return SVC_OK;
}
