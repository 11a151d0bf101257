/* SPDX-License-Identifier: MIT */

/*
 * A rule matches a request by its endpoint and path, lets the first `skip` matches pass, and then
 * strikes `times` times: each match, each `every`-th match, or with a probability.  A request takes
 * its fault along by reference, so rules may be cleared at any time.
 */

#include <pthread.h>
#include <stdio.h>

#include "fault.h"
#include "endpoint.h"
#include "svc_error.h"

struct rule {
        struct rule *next;
        char *on, *path;                /* `path` NULL matches all */
        int64_t skip, times, every;     /* times -1 = for ever */
        double probability;
        int64_t matches, hits;
        struct fault *fault;
        cJSON *source;
};

struct faults {
        pthread_mutex_t lock;
        struct rule *first, **last;
        struct rng rng;
        atomic_bool any;                /* spares the lock while there are none */
};

struct faults *fault_create(uint64_t seed)
{
        struct faults *f = xcalloc(1, sizeof *f);

        pthread_mutex_init(&f->lock, NULL);
        f->last = &f->first;
        f->rng.state = seed;
        return f;
}

void fault_unref(struct fault *f)
{
        if (!f || atomic_fetch_sub(&f->refs, 1) > 1)
                return;
        free(f->body);
        free(f->type);
        cJSON_Delete(f->headers);
        cJSON_Delete(f->before);
        cJSON_Delete(f->after);
        free(f);
}

static void rule_destroy(struct rule *r)
{
        if (!r)
                return;
        fault_unref(r->fault);
        cJSON_Delete(r->source);
        free(r->on);
        free(r->path);
        free(r);
}

static void destroy_list(struct rule *r)
{
        while (r) {
                struct rule *next = r->next;

                rule_destroy(r);
                r = next;
        }
}

void fault_clear(struct faults *f)
{
        pthread_mutex_lock(&f->lock);
        destroy_list(f->first);
        f->first = NULL;
        f->last = &f->first;
        atomic_store(&f->any, false);
        pthread_mutex_unlock(&f->lock);
}

static struct rule *rule_copy(const struct rule *r)
{
        struct rule *copy = xmalloc(sizeof *copy);

        *copy = *r;
        copy->next = NULL;
        copy->on = xstrdup(r->on);
        copy->path = r->path ? xstrdup(r->path) : NULL;
        copy->source = cJSON_Duplicate(r->source, true);
        atomic_fetch_add(&copy->fault->refs, 1);
        return copy;
}

void fault_copy(struct faults *to, struct faults *from)
{
        fault_clear(to);
        pthread_mutex_lock(&from->lock);
        pthread_mutex_lock(&to->lock);
        for (const struct rule *r = from->first; r; r = r->next) {
                *to->last = rule_copy(r);
                to->last = &(*to->last)->next;
        }
        to->rng = from->rng;
        atomic_store(&to->any, to->first != NULL);
        pthread_mutex_unlock(&to->lock);
        pthread_mutex_unlock(&from->lock);
}

void fault_destroy(struct faults *f)
{
        if (!f)
                return;
        fault_clear(f);
        pthread_mutex_destroy(&f->lock);
        free(f);
}

void fault_seed(struct faults *f, uint64_t seed)
{
        pthread_mutex_lock(&f->lock);
        f->rng.state = seed;
        pthread_mutex_unlock(&f->lock);
}

static char *error_body(enum svc_error e)
{
        const struct svc_error_info *info = svc_error_info(e);
        cJSON *o = cJSON_CreateObject();
        char *text;

        cJSON_AddStringToObject(o, "message", info->message);
        cJSON_AddStringToObject(o, "description", info->description);
        cJSON_AddStringToObject(o, "error", info->name);
        text = cJSON_PrintUnformatted(o);
        cJSON_Delete(o);
        return text;
}

static void html(struct fault *f, int status)
{
        struct buf b = {};

        buf_printf(&b, "<html>\r\n<head><title>%d</title></head>\r\n<body>\r\n"
                   "<center><h1>%d</h1></center>\r\n<hr><center>nginx</center>\r\n"
                   "</body>\r\n</html>\r\n", status, status);
        f->status = status;
        free(f->body);
        f->body = b.s;
        free(f->type);
        f->type = xstrdup("text/html");
}

static bool set_error(struct fault *f, const char *name)
{
        enum svc_error e = svc_error_find(name);

        if (e == SVC_OK)
                return false;
        f->status = f->status ? f->status : svc_error_info(e)->status;
        free(f->body);
        f->body = error_body(e);
        return true;
}

static bool set_reset(struct fault *f, const char *when)
{
        static const char *const word[] = {
                [RESET_BEFORE] = "before", [RESET_MIDDLE] = "middle",
                [RESET_END] = "end", [RESET_AFTER] = "after",
        };

        for (size_t i = RESET_BEFORE; i < ARRAY_SIZE(word); i++)
                if (strcmp(word[i], when) == 0) {
                        f->reset = (enum fault_reset)i;
                        return true;
                }
        return false;
}

static bool set_text(struct fault *f, const char *key, const cJSON *v)
{
        if (strcmp(key, "body") == 0 || strcmp(key, "garbage") == 0) {
                free(f->body);
                f->body = xstrdup(v->valuestring);
                f->garbage = key[0] == 'g';
        } else if (strcmp(key, "type") == 0) {
                free(f->type);
                f->type = xstrdup(v->valuestring);
        } else if (strcmp(key, "error") == 0) {
                return set_error(f, v->valuestring);
        } else if (strcmp(key, "reset") == 0) {
                return set_reset(f, v->valuestring);
        } else {
                return false;
        }
        return true;
}

static bool set_number(struct fault *f, const char *key, const cJSON *v)
{
        int64_t n = (int64_t)v->valuedouble;

        if (strcmp(key, "status") == 0 && n >= 200 && n <= 599)
                f->status = (int)n;
        else if (strcmp(key, "html") == 0 && n >= 200 && n <= 599)
                html(f, (int)n);
        else if (strcmp(key, "delay_ms") == 0 && n >= 0)
                f->delay_ms = n;
        else if (strcmp(key, "slow_bps") == 0 && n > 0)
                f->slow_bps = n;
        else
                return false;
        return true;
}

static bool set_flag(struct fault *f, const char *key, const cJSON *v)
{
        struct {
                const char *key;
                bool *flag;
        } flags[] = {
                {"truncate", &f->truncate},     {"silent", &f->silent},
                {"drop-answer", &f->drop_answer}, {"corrupt", &f->corrupt},
                {"forget", &f->forget},
        };

        for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
                if (strcmp(flags[i].key, key) == 0) {
                        *flags[i].flag = cJSON_IsTrue(v);
                        return true;
                }
        return false;
}

static bool set_one(struct fault *f, const cJSON *v)
{
        const char *key = v->string;

        if (cJSON_IsString(v))
                return set_text(f, key, v);
        if (cJSON_IsNumber(v))
                return set_number(f, key, v);
        if (cJSON_IsBool(v))
                return set_flag(f, key, v);
        if (strcmp(key, "json") == 0) {
                free(f->body);
                f->body = cJSON_PrintUnformatted(v);
                return true;
        }
        if (strcmp(key, "headers") == 0 && cJSON_IsObject(v) && !f->headers)
                f->headers = cJSON_Duplicate(v, true);
        else if (strcmp(key, "before") == 0 && cJSON_IsArray(v) && !f->before)
                f->before = cJSON_Duplicate(v, true);
        else if (strcmp(key, "after") == 0 && cJSON_IsArray(v) && !f->after)
                f->after = cJSON_Duplicate(v, true);
        else
                return false;
        return true;
}

static struct fault *parse_do(const cJSON *o, char ret_why[256])
{
        struct fault *f;
        const cJSON *v;

        if (!cJSON_IsObject(o)) {
                snprintf(ret_why, 256, "a rule needs an object \"do\"");
                return NULL;
        }
        f = xcalloc(1, sizeof *f);
        atomic_init(&f->refs, 1);
        cJSON_ArrayForEach(v, o)
                if (!set_one(f, v)) {
                        snprintf(ret_why, 256, "\"do\": %.100s is unknown or has a wrong value",
                                 v->string);
                        fault_unref(f);
                        return NULL;
                }
        return f;
}

/* Does one of the names in "put|link" select this endpoint? */
static bool selects(const char *on, enum endpoint ep)
{
        char name[32];

        for (;; on++) {
                size_t n = strcspn(on, "|");

                snprintf(name, sizeof name, "%.*s", (int)(n < 31 ? n : 31), on);
                if (strcmp(name, "any") == 0 || endpoint_in_group(ep, name))
                        return true;
                on += n;
                if (!*on)
                        return false;
        }
}

static bool known(const char *on)
{
        for (int ep = 0; ep < EP_COUNT_; ep++)
                if (selects(on, (enum endpoint)ep))
                        return true;
        return false;
}

static bool number(const cJSON *o, const char *key, double def, double least, double *ret)
{
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

        *ret = v ? v->valuedouble : def;
        return !v || (cJSON_IsNumber(v) && v->valuedouble >= least);
}

static bool keys_known(const cJSON *o, char ret_why[256])
{
        static const char *const key[] = {"on", "path", "skip", "times", "every", "probability",
                                          "do"};
        const cJSON *v;

        cJSON_ArrayForEach(v, o) {
                size_t i = 0;

                while (i < ARRAY_SIZE(key) && strcmp(key[i], v->string) != 0)
                        i++;
                if (i == ARRAY_SIZE(key)) {
                        snprintf(ret_why, 256, "a rule has no key %.100s", v->string);
                        return false;
                }
        }
        return true;
}

static struct rule *parse_rule(const cJSON *o, char ret_why[256])
{
        const cJSON *on = cJSON_GetObjectItemCaseSensitive(o, "on");
        const cJSON *path = cJSON_GetObjectItemCaseSensitive(o, "path");
        double skip, times, every, probability;
        struct fault *f;
        struct rule *r;

        if (!cJSON_IsObject(o) || !cJSON_IsString(on) || !known(on->valuestring)) {
                snprintf(ret_why, 256, "a rule needs \"on\" with the name of an endpoint");
                return NULL;
        }
        if (!keys_known(o, ret_why))
                return NULL;
        if ((path && !cJSON_IsString(path)) || !number(o, "skip", 0, 0, &skip) ||
            !number(o, "times", 1, -1, &times) || !number(o, "every", 1, 1, &every) ||
            !number(o, "probability", 1, 0, &probability)) {
                snprintf(ret_why, 256, "path, skip, times, every or probability is wrong");
                return NULL;
        }
        f = parse_do(cJSON_GetObjectItemCaseSensitive(o, "do"), ret_why);
        if (!f)
                return NULL;
        r = xcalloc(1, sizeof *r);
        r->on = xstrdup(on->valuestring);
        r->path = path ? xstrdup(path->valuestring) : NULL;
        r->skip = (int64_t)skip;
        r->times = (int64_t)times;
        r->every = (int64_t)every;
        r->probability = probability;
        r->fault = f;
        r->source = cJSON_Duplicate(o, true);
        return r;
}

bool fault_add(struct faults *f, const cJSON *rules, char ret_why[256])
{
        struct rule *list = NULL, **end = &list;
        const cJSON *o = cJSON_IsArray(rules) ? rules->child : rules;

        for (; o; o = cJSON_IsArray(rules) ? o->next : NULL) {
                *end = parse_rule(o, ret_why);
                if (!*end) {
                        destroy_list(list);
                        return false;
                }
                end = &(*end)->next;
        }
        if (!list)
                return true;
        pthread_mutex_lock(&f->lock);
        *f->last = list;
        f->last = end;
        atomic_store(&f->any, true);
        pthread_mutex_unlock(&f->lock);
        return true;
}

void fault_print(struct faults *f, struct buf *ret)
{
        cJSON *all = cJSON_CreateArray();
        char *text;

        pthread_mutex_lock(&f->lock);
        for (struct rule *r = f->first; r; r = r->next) {
                cJSON *o = cJSON_Duplicate(r->source, true);

                cJSON_AddNumberToObject(o, "matches", (double)r->matches);
                cJSON_AddNumberToObject(o, "hits", (double)r->hits);
                cJSON_AddItemToArray(all, o);
        }
        pthread_mutex_unlock(&f->lock);
        text = cJSON_Print(all);
        cJSON_Delete(all);
        buf_str(ret, text);
        buf_char(ret, '\n');
        free(text);
}

static bool matches(const struct rule *r, enum endpoint ep, const char *path, const char *from)
{
        if (!selects(r->on, ep))
                return false;
        return !r->path || (path && strstr(path, r->path)) || (from && strstr(from, r->path));
}

static bool strikes(struct faults *f, struct rule *r)
{
        int64_t nth = ++r->matches - r->skip;

        if (nth <= 0 || (r->times >= 0 && r->hits >= r->times))
                return false;
        if (nth % r->every != 0)
                return false;
        if (r->probability < 1 && (double)(rng_next(&f->rng) >> 11) * 0x1p-53 >= r->probability)
                return false;
        return true;
}

struct fault *fault_match(struct faults *f, enum endpoint ep, const char *path, const char *from)
{
        struct fault *hit = NULL;

        if (ep >= EP_COUNT_ || !atomic_load(&f->any))
                return NULL;
        pthread_mutex_lock(&f->lock);
        for (struct rule *r = f->first; r; r = r->next) {
                if (!matches(r, ep, path, from) || !strikes(f, r) || hit)
                        continue;
                r->hits++;
                hit = r->fault;
                atomic_fetch_add(&hit->refs, 1);
        }
        pthread_mutex_unlock(&f->lock);
        return hit;
}
