/* SPDX-License-Identifier: MIT */

/* Parameters: "+" is a space, %XX a byte, anything else itself. */

#include "reply.h"
#include "request.h"

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

static char *decode(const char *s, size_t n, size_t *ret_len)
{
        char *out = xmalloc(n + 1);
        size_t len = 0;

        for (size_t i = 0; i < n; i++) {
                if (s[i] == '%' && i + 2 < n && hex_digit(s[i + 1]) >= 0 &&
                    hex_digit(s[i + 2]) >= 0) {
                        out[len++] = (char)(hex_digit(s[i + 1]) << 4 | hex_digit(s[i + 2]));
                        i += 2;
                } else {
                        out[len++] = s[i] == '+' ? ' ' : s[i];
                }
        }
        out[len] = '\0';
        *ret_len = len;
        return out;
}

void request_parse_params(struct request *rq, const char *text, size_t n)
{
        while (n > 0) {
                const char *amp = memchr(text, '&', n);
                size_t len = amp ? (size_t)(amp - text) : n, name_len;
                const char *eq = memchr(text, '=', len);
                struct param p;

                p.name = decode(text, eq ? (size_t)(eq - text) : len, &name_len);
                p.value = decode(eq ? eq + 1 : "", eq ? len - (size_t)(eq - text) - 1 : 0, &p.len);
                rq->params = xrealloc(rq->params, (rq->param_count + 1) * sizeof p);
                rq->params[rq->param_count++] = p;
                text += amp ? len + 1 : len;
                n -= amp ? len + 1 : len;
        }
}

const struct param *request_find(const struct request *rq, const char *name)
{
        for (size_t i = 0; i < rq->param_count; i++)
                if (strcmp(rq->params[i].name, name) == 0)
                        return &rq->params[i];
        return NULL;
}

const char *request_param(const struct request *rq, const char *name)
{
        const struct param *p = request_find(rq, name);

        return p ? p->value : NULL;
}

const char *request_header(const struct request *rq, const char *name)
{
        return MHD_lookup_connection_value(rq->connection, MHD_HEADER_KIND, name);
}

bool request_bool(struct request *rq, const char *name, bool *ret)
{
        const char *v = request_param(rq, name);

        if (!v)
                return true;
        if (strcasecmp(v, "true") == 0) {
                *ret = true;
        } else if (strcasecmp(v, "false") == 0) {
                *ret = false;
        } else {
                reply_bad_field(rq, name, "Not a boolean.");
                return false;
        }
        return true;
}

bool request_number(struct request *rq, const char *name, int64_t max, int64_t *ret)
{
        const char *v = request_param(rq, name);

        if (!v || parse_number(v, max, ret))
                return true;
        reply_bad_field(rq, name, "Not a natural number.");
        return false;
}

bool request_path(struct request *rq, const char *name, enum area area, struct path *ret)
{
        const struct param *p = request_find(rq, name);
        const char *why;

        if (!p) {
                reply_bad_field(rq, name, "This field is required.");
                return false;
        }
        why = path_parse(ret, p->value, p->len, rq->cfg.control_names);
        if (!why && ret->area != area) {
                path_finish(ret);
                why = "Wrong scheme of path.";
        }
        if (why)
                reply_bad_field(rq, name, why);
        return !why;
}
