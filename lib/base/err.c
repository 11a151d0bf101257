/* SPDX-License-Identifier: MIT */

#include "lib/base/err.h"

#include "lib/base/tr.h"

#include <stdio.h>
#include <string.h>

int err_set(struct err *e, int code, const char *fmt, ...)
{
        if (e) {
                va_list ap;

                e->code = code;
                va_start(ap, fmt);
                vsnprintf(e->text, sizeof(e->text), tr(fmt), ap);
                va_end(ap);
        }
        return -code;
}

int err_errno(struct err *e, int code, const char *fmt, ...)
{
        char reason[128];

        if (e) {
                va_list ap;
                size_t used;

                e->code = code;
                va_start(ap, fmt);
                vsnprintf(e->text, sizeof(e->text), tr(fmt), ap);
                va_end(ap);
                used = strlen(e->text);
                snprintf(e->text + used, sizeof(e->text) - used, ": %s",
                         strerror_r(code, reason, sizeof(reason)));
        }
        return -code;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
        char inner[sizeof(e->text)];
        va_list ap;
        size_t used;

        if (!e)
                return 0;
        memcpy(inner, e->text, sizeof(inner));
        va_start(ap, fmt);
        vsnprintf(e->text, sizeof(e->text), tr(fmt), ap);
        va_end(ap);
        used = strlen(e->text);
        snprintf(e->text + used, sizeof(e->text) - used, ": %s", inner);
        return -e->code;
}
