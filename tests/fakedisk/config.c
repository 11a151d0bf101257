/* SPDX-License-Identifier: MIT */

/* The table of config.h as data: names, kinds and places, so that one loop parses them all. */

#include <stddef.h>
#include <stdio.h>

#include "config.h"
#include "util.h"

enum kind {
        KIND_INT,
        KIND_BOOL,
        KIND_WORD,
        KIND_TEXT,
};

struct knob {
        const char *name;
        enum kind kind;
        size_t at;              /* in struct config */
        int64_t def;            /* INT and BOOL */
        int64_t least, most;    /* INT */
        const char *text;       /* WORD: its words; TEXT: the default */
        const char *doc;
};

static const struct knob knobs[] = {
#define INT(n, def, least, most, doc) \
        {#n, KIND_INT, offsetof(struct config, n), def, least, most, NULL, doc},
#define BOOL(n, def, doc) {#n, KIND_BOOL, offsetof(struct config, n), def, 0, 1, NULL, doc},
#define WORD(n, words, doc) {#n, KIND_WORD, offsetof(struct config, n), 0, 0, 0, words, doc},
#define TEXT(n, def, doc) {#n, KIND_TEXT, offsetof(struct config, n), 0, 0, 0, def, doc},
        CONFIG_KNOBS(INT, BOOL, WORD, TEXT)
#undef INT
#undef BOOL
#undef WORD
#undef TEXT
};

#define TEXT_SIZE sizeof(((struct config *)0)->href_host)

static void *place(struct config *c, const struct knob *k)
{
        return (char *)c + k->at;
}

void config_init(struct config *c)
{
        memset(c, 0, sizeof *c);
        for (const struct knob *k = knobs; k < knobs + ARRAY_SIZE(knobs); k++)
                switch (k->kind) {
                case KIND_INT:
                        *(int64_t *)place(c, k) = k->def;
                        break;
                case KIND_BOOL:
                        *(bool *)place(c, k) = k->def != 0;
                        break;
                case KIND_WORD:
                        *(int *)place(c, k) = 0;
                        break;
                case KIND_TEXT:
                        snprintf(place(c, k), TEXT_SIZE, "%s", k->text);
                        break;
                }
}

/* The position of `word` in "a|b|c", -1 when it is not there. */
static int find_word(const char *words, const char *word)
{
        size_t n = strlen(word);

        for (int i = 0;; i++) {
                size_t len = strcspn(words, "|");

                if (len == n && memcmp(words, word, n) == 0)
                        return i;
                if (!words[len])
                        return -1;
                words += len + 1;
        }
}

static bool set(struct config *c, const struct knob *k, const cJSON *v)
{
        int i;

        switch (k->kind) {
        case KIND_INT:
                if (cJSON_IsNull(v) && k->least == -1) {
                        *(int64_t *)place(c, k) = -1;
                        return true;
                }
                if (!cJSON_IsNumber(v) || v->valuedouble < (double)k->least ||
                    v->valuedouble > (double)k->most)
                        return false;
                *(int64_t *)place(c, k) = (int64_t)v->valuedouble;
                return true;
        case KIND_BOOL:
                if (!cJSON_IsBool(v))
                        return false;
                *(bool *)place(c, k) = cJSON_IsTrue(v);
                return true;
        case KIND_WORD:
                i = cJSON_IsString(v) ? find_word(k->text, v->valuestring) : -1;
                if (i < 0)
                        return false;
                *(int *)place(c, k) = i;
                return true;
        case KIND_TEXT:
                if (!cJSON_IsString(v) || strlen(v->valuestring) >= TEXT_SIZE)
                        return false;
                snprintf(place(c, k), TEXT_SIZE, "%s", v->valuestring);
                return true;
        }
        return false;
}

static void expected(const struct knob *k, char *ret, size_t n)
{
        switch (k->kind) {
        case KIND_INT:
                snprintf(ret, n, "a number from %lld to %lld", (long long)k->least,
                         (long long)k->most);
                break;
        case KIND_BOOL:
                snprintf(ret, n, "true or false");
                break;
        case KIND_WORD:
                snprintf(ret, n, "one of %s", k->text);
                break;
        case KIND_TEXT:
                snprintf(ret, n, "a string of less than %zu bytes", TEXT_SIZE);
                break;
        }
}

bool config_merge(struct config *c, const cJSON *object, char ret_why[256])
{
        struct config next = *c;
        char want[128];
        const cJSON *v;

        if (!cJSON_IsObject(object)) {
                snprintf(ret_why, 256, "the knobs must be a JSON object");
                return false;
        }
        cJSON_ArrayForEach(v, object) {
                const struct knob *k = knobs, *end = knobs + ARRAY_SIZE(knobs);

                while (k < end && strcmp(k->name, v->string) != 0)
                        k++;
                if (k == end) {
                        snprintf(ret_why, 256, "there is no knob %.100s", v->string);
                        return false;
                }
                if (!set(&next, k, v)) {
                        expected(k, want, sizeof want);
                        snprintf(ret_why, 256, "%s must be %s", k->name, want);
                        return false;
                }
        }
        *c = next;
        return true;
}

static cJSON *value(const struct config *c, const struct knob *k)
{
        const char *p = (const char *)c + k->at, *w = k->text;
        char word[64];

        switch (k->kind) {
        case KIND_INT:
                if (k->least == -1 && *(const int64_t *)(const void *)p == -1)
                        return cJSON_CreateNull();
                return cJSON_CreateNumber((double)*(const int64_t *)(const void *)p);
        case KIND_BOOL:
                return cJSON_CreateBool(*(const bool *)p);
        case KIND_WORD:
                for (int i = *(const int *)(const void *)p; i > 0; i--)
                        w += strcspn(w, "|") + 1;
                snprintf(word, sizeof word, "%.*s", (int)strcspn(w, "|"), w);
                return cJSON_CreateString(word);
        case KIND_TEXT:
                return cJSON_CreateString(p);
        }
        return NULL;
}

char *config_print(const struct config *c)
{
        cJSON *object = cJSON_CreateObject();
        char *text;

        for (const struct knob *k = knobs; k < knobs + ARRAY_SIZE(knobs); k++)
                cJSON_AddItemToObject(object, k->name, value(c, k));
        text = cJSON_Print(object);
        cJSON_Delete(object);
        return text;
}

void config_help(void)
{
        struct config c;
        char *v;

        config_init(&c);
        for (const struct knob *k = knobs; k < knobs + ARRAY_SIZE(knobs); k++) {
                cJSON *item = value(&c, k);

                v = cJSON_PrintUnformatted(item);
                printf("  %-22s %s", k->name, k->doc);
                if (k->kind == KIND_WORD)
                        printf(" (%s; default %s)\n", k->text, v);
                else
                        printf(" (default %s)\n", v);
                free(v);
                cJSON_Delete(item);
        }
}
