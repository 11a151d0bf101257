/* SPDX-License-Identifier: MIT */

/* The text of a `.env`: what comes out keeps to the contract, and written down again in double
 * quotes it reads the same. */

#include "lib/base/dotenv.h"

#include "lib/base/str.h"
#include "tests/fuzz/fuzz.h"

#include <ctype.h>

static void check_pair(const struct dotenv *d, size_t i)
{
        const struct dotenv_pair *p = &d->pairs[i];

        must(p->key && p->value && p->line > 0);
        must(isalpha((unsigned char)p->key[0]) || p->key[0] == '_');
        for (const char *c = p->key; *c; c++)
                must(isalnum((unsigned char)*c) || *c == '_');
        must(i == 0 || d->pairs[i - 1].line < p->line);
        for (size_t j = 0; j < i && i < 50; j++)
                must(!str_eq(d->pairs[j].key, p->key));
        for (const char *c = p->value; *c; c += str_utf8(c))
                must(str_utf8(c) > 0);
}

static void check_mistake(const struct dotenv *d, size_t i)
{
        const struct dotenv_mistake *m = &d->mistakes[i];

        must(m->text && *m->text);
        must(i == 0 || d->mistakes[i - 1].line <= m->line || m->line == 0);
        for (const char *c = m->text; *c; c++)
                must((unsigned char)*c >= 0x20);
}

static void write_quoted(struct str *s, const struct dotenv_pair *p)
{
        str_addf(s, "%s=\"", p->key);
        for (const char *c = p->value; *c; c++) {
                const char *escape = strchr("\\\"$", *c);

                if (escape)
                        str_addc(s, '\\');
                if (*c == '\n' || *c == '\t')
                        str_adds(s, *c == '\n' ? "\\n" : "\\t");
                else
                        str_addc(s, *c);
        }
        str_adds(s, "\"\n");
}

/* Whether a value holds a byte for which there is no escape. */
static bool can_be_quoted(const struct dotenv_pair *p)
{
        for (const char *c = p->value; *c; c++)
                if (((unsigned char)*c < 0x20 && *c != '\n' && *c != '\t') || *c == 0x7f)
                        return false;
        return true;
}

static void check_again(const struct dotenv *d)
{
        struct str text = STR_NULL(DOTENV_MAX);
        struct dotenv again = {0};
        size_t n = 0;

        for (size_t i = 0; i < d->n_pairs; i++)
                if (can_be_quoted(&d->pairs[i]))
                        write_quoted(&text, &d->pairs[i]);
        if (!text.failed) {
                must(dotenv_parse(&again, str_z(&text), text.len) == 0);
                must(again.n_mistakes == 0);
                for (size_t i = 0; i < d->n_pairs; i++) {
                        if (!can_be_quoted(&d->pairs[i]))
                                continue;
                        must(n < again.n_pairs);
                        must(str_eq(again.pairs[n].key, d->pairs[i].key));
                        must(str_eq(again.pairs[n].value, d->pairs[i].value));
                        n++;
                }
                must(n == again.n_pairs);
        }
        dotenv_finish(&again);
        str_finish(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct dotenv d = {0};

        must(dotenv_parse(&d, (const char *)data, size) == 0);
        must(d.n_pairs <= DOTENV_PAIRS_MAX && d.n_mistakes <= DOTENV_MISTAKES_MAX + 1);
        for (size_t i = 0; i < d.n_pairs; i++)
                check_pair(&d, i);
        for (size_t i = 0; i < d.n_mistakes; i++)
                check_mistake(&d, i);
        check_again(&d);
        dotenv_finish(&d);
        return 0;
}
