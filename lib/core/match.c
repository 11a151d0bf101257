/* SPDX-License-Identifier: MIT */

/*
 * A pattern becomes a short program of tokens when it is read, and is then matched as a set of
 * places in that program which moves over the name byte by byte.  There is no backtracking: time is
 * at most bytes times tokens, whatever `a*a*a*b` or `**` + `/` in a row somebody wrote.  Most
 * patterns do not come that far: a name that does not begin and end with the same bytes is none of
 * theirs, and for a plain name, or one with a single star, that is all there is to say.
 *
 * git is the judge of the meaning.  Where git itself differs from its documentation (a literal
 * beginning makes it take `a**` + `/b` for a "leading" one) this follows the documentation.
 */

#include "lib/core/match.h"

#include "lib/base/str.h"
#include "lib/core/entry.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>

#define PATTERN_MAX 4096            /* bytes */
#define TEXT_MAX (1024 * 1024)      /* bytes of one .ydignore */

enum token_kind {
        TOKEN_BYTE, /* this byte */
        TOKEN_ANY,  /* one byte, not a slash */
        TOKEN_SET,  /* one byte of a set */
        /* From here on they can also stand for nothing. */
        TOKEN_STAR, /* any bytes without a slash, or none */
        TOKEN_DEEP, /* any bytes, or none */
        TOKEN_DIRS, /* any bytes and a slash, or nothing at all */
};

struct byte_set {
        uint32_t bits[8];
};

struct token {
        enum token_kind kind;
        unsigned char byte;
        uint32_t set; /* index into the rule's sets */
};

/* One pattern. */
struct rule {
        struct token *tokens;
        size_t n_tokens;
        struct byte_set *sets;
        uint32_t n_sets;
        size_t lead;   /* so many tokens at its beginning, … */
        size_t tail;   /* … and so many at its end, are plain bytes */
        size_t least;  /* no shorter text can match */
        bool negative; /* takes back */
        bool dir_only; /* matches folders only */
        bool anchored; /* matches the path below its folder, not the name */
        char *text;    /* as it was written … */
        unsigned line; /* … in this line, 0: no line */
};

/* One list of patterns. */
struct source {
        struct source *up;
        char *dir; /* key of the folder it stands in */
        struct rule *rules;
        size_t n_rules;
};

struct match {
        struct source *top; /* the innermost folder's; the last is that of match_create() */
};

/* ---- a pattern is read ------------------------------------------------- */

struct compiler {
        struct rule rule;
        const char *p, *end;
        const char *fault; /* why it is no pattern */
};

static void rule_finish(struct rule *r)
{
        free(r->tokens);
        free(r->sets);
        free(r->text);
}

static void set_add(struct byte_set *set, unsigned char from, unsigned char to)
{
        for (unsigned c = from; c <= to; c++)
                set->bits[c / 32] |= UINT32_C(1) << c % 32;
}

static bool set_has(const struct byte_set *set, unsigned char c)
{
        return set->bits[c / 32] >> c % 32 & 1;
}

/* In ASCII, as the C locale has it. */
static bool set_add_class(struct byte_set *set, const char *name, size_t n)
{
        static const struct {
                const char *name;
                int (*has)(int c);
        } classes[] = {
                {"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
                {"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
                {"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit},
        };

        for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
                if (strlen(classes[i].name) != n || memcmp(classes[i].name, name, n) != 0)
                        continue;
                for (int c = 0; c < 128; c++)
                        if (classes[i].has(c))
                                set_add(set, (unsigned char)c, (unsigned char)c);
                return true;
        }
        return false;
}

/* `[:name:]` at c->p: its end, or NULL when it is an ordinary `[`. */
static const char *class_end(const struct compiler *c)
{
        const char *close;

        if (c->end - c->p < 4 || c->p[1] != ':')
                return NULL;
        close = memchr(c->p + 2, ']', (size_t)(c->end - c->p) - 2);
        return close && close[-1] == ':' && close - 1 >= c->p + 2 ? close + 1 : NULL;
}

/* One byte of a set, perhaps behind a backslash; false at the pattern's end. */
static bool set_byte(struct compiler *c, unsigned char *ret)
{
        if (c->p < c->end && *c->p == '\\')
                c->p++;
        if (c->p >= c->end)
                return false;
        *ret = (unsigned char)*c->p++;
        return true;
}

/* One element of `[…]`: a class, a byte, or a range. */
static bool compile_element(struct compiler *c, struct byte_set *set)
{
        const char *after = *c->p == '[' ? class_end(c) : NULL;
        unsigned char from, to;

        if (after) {
                if (!set_add_class(set, c->p + 2, (size_t)(after - c->p) - 4)) {
                        c->fault = N_("it holds an unknown [:class:]");
                        return false;
                }
                c->p = after;
                return true;
        }
        if (!set_byte(c, &from))
                return false;
        to = from;
        if (c->end - c->p >= 2 && c->p[0] == '-' && c->p[1] != ']') {
                c->p++;
                if (!set_byte(c, &to))
                        return false;
        }
        set_add(set, from, from); /* as in git, also when the range runs backwards */
        set_add(set, from, to);
        return true;
}

/* `[…]`; c->p stands behind the `[`. */
static void compile_set(struct compiler *c)
{
        struct rule *r = &c->rule;
        struct byte_set *set = &r->sets[r->n_sets];
        bool negated = c->p < c->end && (*c->p == '!' || *c->p == '^');
        const char *first;

        *set = (struct byte_set){0};
        c->p += negated;
        for (first = c->p; c->p < c->end && (*c->p != ']' || c->p == first);)
                if (!compile_element(c, set))
                        break;
        if (!c->fault && c->p >= c->end)
                c->fault = N_("its [ is not closed by a ]");
        if (c->fault)
                return;
        c->p++;
        for (size_t i = 0; negated && i < ARRAY_SIZE(set->bits); i++)
                set->bits[i] = ~set->bits[i];
        set->bits['/' / 32] &= ~(UINT32_C(1) << '/' % 32);
        r->tokens[r->n_tokens++] = (struct token){.kind = TOKEN_SET, .set = r->n_sets++};
}

static void compile_byte(struct compiler *c, enum token_kind kind, char byte)
{
        struct rule *r = &c->rule;

        r->tokens[r->n_tokens++] = (struct token){.kind = kind, .byte = (unsigned char)byte};
}

/* A run of stars; c->p stands behind its first, and `start` is where the pattern begins. */
static void compile_stars(struct compiler *c, const char *start)
{
        struct rule *r = &c->rule;
        const char *first = c->p - 1;
        enum token_kind kind = TOKEN_STAR;

        while (c->p < c->end && *c->p == '*')
                c->p++;
        if (r->anchored && c->p > first + 1 && (first == start || first[-1] == '/')) {
                if (c->p < c->end && *c->p == '/')
                        kind = TOKEN_DIRS;
                else if (c->p == c->end || (c->end - c->p >= 2 && memcmp(c->p, "\\/", 2) == 0))
                        kind = TOKEN_DEEP;
        }
        if (kind == TOKEN_DIRS) {
                c->p++;
                /* Twice in a row is the same as once; this keeps reach() short. */
                if (r->n_tokens > 0 && r->tokens[r->n_tokens - 1].kind == TOKEN_DIRS)
                        return;
        }
        r->tokens[r->n_tokens++] = (struct token){.kind = kind};
}

static void compile_tokens(struct compiler *c)
{
        const char *start = c->p;

        while (c->p < c->end && !c->fault) {
                char byte = *c->p++;

                if (byte == '*')
                        compile_stars(c, start);
                else if (byte == '?')
                        compile_byte(c, TOKEN_ANY, byte);
                else if (byte == '[')
                        compile_set(c);
                else if (byte != '\\')
                        compile_byte(c, TOKEN_BYTE, byte);
                else if (c->p < c->end)
                        compile_byte(c, TOKEN_BYTE, *c->p++);
                else
                        c->fault = N_("a single backslash stands at its end");
        }
}

/* `!`, the slashes at both ends, and whether it is anchored. */
static void compile_frame(struct compiler *c)
{
        struct rule *r = &c->rule;

        if (c->p < c->end && *c->p == '!') {
                r->negative = true;
                c->p++;
        }
        if (c->p < c->end && c->end[-1] == '/') {
                r->dir_only = true;
                c->end--;
        }
        r->anchored = c->p < c->end && memchr(c->p, '/', (size_t)(c->end - c->p));
        if (c->p < c->end && *c->p == '/')
                c->p++;
        if (c->p == c->end)
                c->fault = N_("it names nothing");
}

/* Drops the blanks at the end that no backslash keeps. */
static size_t trimmed(const char *p, size_t n)
{
        size_t keep = 0;

        for (size_t i = 0; i < n; i++) {
                if (p[i] == '\\' && i + 1 < n)
                        i++;
                else if (p[i] == ' ')
                        continue;
                keep = i + 1;
        }
        return keep;
}

static size_t count(const char *p, size_t n, char c)
{
        size_t found = 0;

        for (size_t i = 0; i < n; i++)
                found += p[i] == c;
        return found;
}

/* Room for as many tokens as the pattern has bytes is room enough. */
static int rule_allocate(struct rule *r, const char *p, size_t n)
{
        size_t n_sets = count(p, n, '[');

        r->tokens = calloc(n, sizeof(*r->tokens));
        r->sets = n_sets ? calloc(n_sets, sizeof(*r->sets)) : NULL;
        return r->tokens && (r->sets || n_sets == 0) ? 0 : -ENOMEM;
}

static void rule_measure(struct rule *r)
{
        while (r->lead < r->n_tokens && r->tokens[r->lead].kind == TOKEN_BYTE)
                r->lead++;
        while (r->tail < r->n_tokens - r->lead &&
               r->tokens[r->n_tokens - 1 - r->tail].kind == TOKEN_BYTE)
                r->tail++;
        for (size_t i = 0; i < r->n_tokens; i++)
                r->least += r->tokens[i].kind < TOKEN_STAR;
}

/* 0, -ENOMEM, or -EINVAL and *ret_fault says why it cannot be a pattern. */
static int rule_compile(struct rule *ret, const char *p, size_t n, const char **ret_fault)
{
        struct compiler c = {.p = p, .end = p + n};
        int r = 0;

        if (n > PATTERN_MAX)
                c.fault = N_("it is longer than 4096 bytes");
        else if (memchr(p, '\0', n))
                c.fault = N_("it holds a NUL byte");
        else
                compile_frame(&c);
        if (!c.fault)
                r = rule_allocate(&c.rule, c.p, (size_t)(c.end - c.p));
        if (!c.fault && r == 0)
                c.rule.text = strndup(p, n);
        if (!c.fault && r == 0 && !c.rule.text)
                r = -ENOMEM;
        if (!c.fault && r == 0)
                compile_tokens(&c);
        if (c.fault) {
                *ret_fault = c.fault;
                r = -EINVAL;
        }
        if (r < 0) {
                rule_finish(&c.rule);
                return r;
        }
        rule_measure(&c.rule);
        *ret = c.rule;
        return 0;
}

/* ---- a pattern is matched ---------------------------------------------- */

/* Which tokens may come next; index n_tokens is the end.  Only low <= i < high may be set. */
struct places {
        bool at[PATTERN_MAX + 1];
        size_t low, high;
};

static void places_clear(struct places *s)
{
        if (s->low < s->high)
                memset(s->at + s->low, 0, s->high - s->low);
        s->low = SIZE_MAX;
        s->high = 0;
}

static void places_add(struct places *s, size_t i)
{
        s->at[i] = true;
        if (i < s->low)
                s->low = i;
        if (i >= s->high)
                s->high = i + 1;
}

/* Token i may come next, and if it can stand for nothing, what follows it as well. */
static void reach(struct places *s, const struct rule *r, size_t i)
{
        for (;; i++) {
                places_add(s, i);
                if (i == r->n_tokens || r->tokens[i].kind < TOKEN_STAR)
                        return;
        }
}

/* Token i takes the byte c, or nothing comes of it. */
static void take_byte(struct places *next, const struct rule *r, size_t i, unsigned char c)
{
        const struct token *t = &r->tokens[i];

        switch (t->kind) {
        case TOKEN_BYTE:
                if (c == t->byte)
                        reach(next, r, i + 1);
                break;
        case TOKEN_ANY:
                if (c != '/')
                        reach(next, r, i + 1);
                break;
        case TOKEN_SET:
                if (set_has(&r->sets[t->set], c))
                        reach(next, r, i + 1);
                break;
        case TOKEN_STAR:
                if (c != '/')
                        reach(next, r, i);
                break;
        case TOKEN_DEEP:
                reach(next, r, i);
                break;
        case TOKEN_DIRS:
                places_add(next, i); /* begun: no longer nothing at all */
                if (c == '/')
                        reach(next, r, i + 1);
                break;
        }
}

static bool rule_matches_text(const struct rule *r, const char *text)
{
        struct places a, b, *now = &a, *next = &b;

        memset(a.at, 0, r->n_tokens + 1);
        memset(b.at, 0, r->n_tokens + 1);
        a.low = b.low = SIZE_MAX;
        a.high = b.high = 0;
        reach(now, r, 0);
        for (; *text && now->high > 0; text++) {
                struct places *old = now;

                for (size_t i = now->low; i < now->high && i < r->n_tokens; i++)
                        if (now->at[i])
                                take_byte(next, r, i, (unsigned char)*text);
                places_clear(now);
                now = next;
                next = old;
        }
        return *text == '\0' && now->at[r->n_tokens];
}

/* What is asked about, seen from the folder of one source. */
struct subject {
        const char *path, *name;
        size_t path_len, name_len;
        bool is_dir;
};

/* Whether the text begins and ends as it must. */
static bool rule_fits(const struct rule *r, const char *text, size_t len)
{
        if (len < r->least)
                return false;
        for (size_t i = 0; i < r->lead; i++)
                if ((unsigned char)text[i] != r->tokens[i].byte)
                        return false;
        for (size_t i = 1; i <= r->tail; i++)
                if ((unsigned char)text[len - i] != r->tokens[r->n_tokens - i].byte)
                        return false;
        return true;
}

static bool rule_matches(const struct rule *r, const struct subject *s)
{
        const char *text = r->anchored ? s->path : s->name;
        size_t len = r->anchored ? s->path_len : s->name_len;

        if ((r->dir_only && !s->is_dir) || !rule_fits(r, text, len))
                return false;
        if (r->lead == r->n_tokens)
                return len == r->lead;
        if (r->lead + 1 + r->tail == r->n_tokens && r->tokens[r->lead].kind == TOKEN_STAR)
                return !memchr(text + r->lead, '/', len - r->lead - r->tail);
        return rule_matches_text(r, text);
}

/* The last rule that matches, or NULL. */
static const struct rule *source_judge(const struct source *s, const struct subject *key)
{
        struct subject below = *key;
        size_t n = strlen(s->dir);

        if (!entry_key_below(key->path, s->dir))
                return NULL;
        n += n > 0;
        below.path += n;
        below.path_len -= n;
        for (size_t i = s->n_rules; i > 0; i--)
                if (rule_matches(&s->rules[i - 1], &below))
                        return &s->rules[i - 1];
        return NULL;
}

bool match_explain(const struct match *m, const char *key, bool is_dir, struct match_why *ret)
{
        const char *name = entry_key_name(key);
        struct subject subject = {.path = key, .name = name, .is_dir = is_dir};

        *ret = (struct match_why){0};
        subject.name_len = strlen(name);
        subject.path_len = (size_t)(name - key) + subject.name_len;
        for (const struct source *s = m->top; s; s = s->up) {
                const struct rule *r = source_judge(s, &subject);

                if (!r)
                        continue;
                *ret = (struct match_why){.pattern = r->text, .dir = s->dir, .line = r->line};
                return !r->negative;
        }
        return false;
}

bool match_excludes(const struct match *m, const char *key, bool is_dir)
{
        struct match_why why;

        return match_explain(m, key, is_dir, &why);
}

/* ---- lists of patterns ------------------------------------------------- */

static void source_destroy(struct source *s)
{
        for (size_t i = 0; i < s->n_rules; i++)
                rule_finish(&s->rules[i]);
        free(s->rules);
        free(s->dir);
        free(s);
}

DEFINE_CLEANUP(struct source *, source_destroy)

static int source_create(struct source **ret, const char *dir)
{
        _cleanup_(source_destroyp) struct source *s = calloc(1, sizeof(*s));

        if (!s)
                return -ENOMEM;
        s->dir = str_dup(dir);
        if (!s->dir)
                return -ENOMEM;
        *ret = TAKE_PTR(s);
        return 0;
}

/* As rule_compile(). */
static int source_add(struct source *s, const char *p, size_t n, unsigned line,
                      const char **ret_fault)
{
        struct rule rule;
        int r;

        if ((s->n_rules & (s->n_rules - 1)) == 0) { /* 0 or a power of two: full */
                size_t room = s->n_rules ? 2 * s->n_rules : 1;
                struct rule *rules = reallocarray(s->rules, room, sizeof(*rules));

                if (!rules)
                        return -ENOMEM;
                s->rules = rules;
        }
        r = rule_compile(&rule, p, n, ret_fault);
        if (r < 0)
                return r;
        rule.line = line;
        s->rules[s->n_rules++] = rule;
        return r;
}

static int refuse(struct err *err, const char *pattern, const char *fault)
{
        struct str shown = STR_NULL(200);

        str_add_printable(&shown, pattern);
        err_set(err, EINVAL, "the pattern \"%s\" matches nothing: %s", str_z(&shown), tr(fault));
        str_finish(&shown);
        return -EINVAL;
}

/* Takes the next pattern out of a comma-separated list and moves *p behind its comma. */
static void next_pattern(struct str *pattern, const char **p)
{
        const char *s = *p;

        str_clear(pattern);
        while (*s == ' ' || *s == '\t')
                s++;
        for (; *s && *s != ','; s++) {
                if (*s == '\\' && s[1]) {
                        s++;
                        if (*s != ',')
                                str_addc(pattern, '\\');
                }
                str_addc(pattern, *s);
        }
        *p = *s ? s + 1 : s;
}

static int source_add_list(struct source *s, const char *list, struct err *err)
{
        _cleanup_(str_finish) struct str pattern = STR_NULL(strlen(list));

        while (*list) {
                const char *fault;
                size_t n;
                int r;

                next_pattern(&pattern, &list);
                if (pattern.failed)
                        return err_errno(err, ENOMEM, "cannot read the patterns");
                n = trimmed(str_z(&pattern), pattern.len);
                if (n == 0)
                        continue;
                r = source_add(s, pattern.s, n, 0, &fault);
                if (r == -EINVAL)
                        return refuse(err, pattern.s, fault);
                if (r < 0)
                        return err_errno(err, -r, "cannot read the patterns");
        }
        return 0;
}

int match_create(struct match **ret, const char *patterns, struct err *err)
{
        _cleanup_(match_destroyp) struct match *m = calloc(1, sizeof(*m));
        int r;

        if (!m || source_create(&m->top, "") < 0)
                return err_errno(err, ENOMEM, "cannot read the patterns");
        r = source_add_list(m->top, patterns, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

void match_destroy(struct match *m)
{
        if (!m)
                return;
        while (m->top) {
                struct source *s = m->top;

                m->top = s->up;
                source_destroy(s);
        }
        free(m);
}

/* One line of a .ydignore, without its end. */
static int source_add_line(struct source *s, const char *line, size_t n, unsigned number)
{
        const char *fault;
        int r;

        if (n > 0 && line[n - 1] == '\r')
                n--;
        if (n == 0 || *line == '#')
                return 0;
        n = trimmed(line, n);
        r = source_add(s, line, n, number, &fault);
        return r == -EINVAL ? 0 : r;
}

int match_enter(struct match *m, const char *dir, const char *text, size_t len)
{
        _cleanup_(source_destroyp) struct source *s = NULL;
        unsigned number = 0;
        int r;

        if (len > TEXT_MAX)
                return -E2BIG;
        r = source_create(&s, dir);
        if (r < 0)
                return r;
        if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
                text += 3;
                len -= 3;
        }
        while (len > 0) {
                const char *lf = memchr(text, '\n', len);
                size_t n = lf ? (size_t)(lf - text) : len;

                r = source_add_line(s, text, n, ++number);
                if (r < 0)
                        return r;
                n += lf != NULL;
                text += n;
                len -= n;
        }
        s->up = m->top;
        m->top = TAKE_PTR(s);
        return 0;
}

void match_leave(struct match *m, const char *dir)
{
        struct source *s = m->top;

        /* The outermost is the list of match_create(): it stays. */
        if (!s || !s->up || !str_eq(s->dir, dir))
                return;
        m->top = s->up;
        source_destroy(s);
}
