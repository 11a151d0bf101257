/* SPDX-License-Identifier: MIT */

/*
 * The table of keys, and how a value of each kind is read.  A reader is strict: nothing before,
 * between or behind what it knows, nothing out of range, no guess.  None tells anything of a token,
 * or of a URL, which may hold a password.
 */

#include "daemon/config_key.h"

#include "daemon/xdg.h"
#include "lib/core/entry.h"
#include "lib/core/match.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <strings.h>

#define URL_SIZE_MAX 2048
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define CLOUD_MAX 700 /* what ENTRY_PATH_MAX leaves of the service's limit, and a little less */

struct config_unit {
        const char *name;
        uint64_t factor;
};

/* ---- small helpers ----------------------------------------------------- */

struct shown {
        char text[128];
};

/* A value as it may stand in a sentence: printable, and not endless. */
static struct shown show(const char *value)
{
        struct str s = STR_NULL(100);
        struct shown out;

        str_add_printable(&s, value);
        snprintf(out.text, sizeof(out.text), "%s%s", str_z(&s), s.failed ? "…" : "");
        str_finish(&s);
        return out;
}

/* "what is wrong: write what the key wants". */
static int wrong(struct err *err, const struct config_key *k, const char *fmt, ...)
        _printf_(3, 4);

static int wrong(struct err *err, const struct config_key *k, const char *fmt, ...)
{
        char what[512];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(what, sizeof(what), tr(fmt), ap);
        va_end(ap);
        return err_set(err, EINVAL, "%s: write %s", what, tr(k->write));
}

static void *field(const struct config_key *k, struct config *c)
{
        return (char *)c + k->offset;
}

static int set_string(const struct config_key *k, struct config *c, char *string, struct err *err)
{
        char **p = field(k, c);

        if (!string)
                return err_errno(err, ENOMEM, "cannot take the value");
        free(*p);
        *p = string;
        return 0;
}

_Static_assert(sizeof(enum disguise_policy) == sizeof(unsigned), "set_number() writes enums");

static void set_number(const struct config_key *k, struct config *c, uint64_t n)
{
        if (k->size == sizeof(bool))
                *(bool *)field(k, c) = n != 0;
        else if (k->size == sizeof(unsigned))
                *(unsigned *)field(k, c) = (unsigned)n;
        else
                *(uint64_t *)field(k, c) = n;
}

/* ---- one value is read ------------------------------------------------- */

static int read_token(const struct config_key *k, const char *text, struct config *c,
                      struct err *err)
{
        if (strlen(text) > CONFIG_TOKEN_MAX)
                return wrong(err, k, "it is longer than any token");
        for (const char *s = text; *s; s++)
                if (*s <= ' ' || *s >= 0x7f)
                        return wrong(err, k, "it holds a space or another character that no "
                                             "token has");
        return set_string(k, c, str_dup(text), err);
}

/* Adds the next component of an absolute path; "." and empty ones are nothing. */
static bool add_component(struct str *path, const char *name, size_t n)
{
        if (n == 0 || (n == 1 && *name == '.'))
                return true;
        if (n == 2 && memcmp(name, "..", 2) == 0)
                return false;
        str_addc(path, '/');
        str_add(path, name, n);
        return true;
}

static int read_path(const struct config_key *k, const char *text, struct config *c,
                     struct err *err)
{
        _cleanup_(str_finish) struct str path = STR_NULL(PATH_MAX - 1);
        _cleanup_(freep) char *start = NULL;
        const char *rest = text;

        if (*text == '~' && (text[1] == '/' || !text[1])) {
                start = xdg_home();
                if (!start)
                        return wrong(err, k, "the home folder is not known (HOME is not set)");
                str_adds(&path, str_eq(start, "/") ? "" : start);
                rest++;
        } else if (*text != '/') {
                return wrong(err, k, "\"%s\" is not an absolute path", show(text).text);
        }
        while (*rest) {
                size_t n = strcspn(rest, "/");

                if (!add_component(&path, rest, n))
                        return wrong(err, k, "there is a \"..\" in \"%s\"", show(text).text);
                rest += n + (rest[n] == '/');
        }
        if (path.failed)
                return wrong(err, k, "the path is longer than the system allows");
        if (path.len == 0)
                return wrong(err, k, "\"/\" is the root of the whole system");
        return set_string(k, c, str_take(&path), err);
}

/* Length of the "word:" before a path, 0 when there is none.  A colon in a name is no scheme unless
 * it looks like one of the service's, or a slash follows. */
static size_t scheme_length(const char *text)
{
        static const char *const known[] = {"disk:", "app:", "trash:"};
        size_t n = strspn(text, LETTERS);

        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (strncasecmp(text, known[i], strlen(known[i])) == 0)
                        return n + 1;
        return n > 0 && text[n] == ':' && text[n + 1] == '/' ? n + 1 : 0;
}

static int read_cloud(const struct config_key *k, const char *text, struct config *c,
                      struct err *err)
{
        _cleanup_(str_finish) struct str path = STR_NULL(CLOUD_MAX);
        size_t scheme = scheme_length(text), name;
        const char *why;

        if (strncasecmp(text, "trash:", 6) == 0)
                return wrong(err, k, "\"%s\" is in the Trash", show(text).text);
        if (scheme > 0 && !str_starts(text, "disk:") && !str_starts(text, "app:"))
                return wrong(err, k, "\"%s\" is on neither disk:/ nor app:/",
                             show(text).text);
        if (scheme > 0 && text[scheme] != '/')
                return wrong(err, k, "a slash is missing after \"%.*s\"", (int)scheme, text);
        str_add(&path, scheme > 0 ? text : "disk:", scheme > 0 ? scheme : 5);
        str_addc(&path, '/');
        name = path.len;
        str_adds(&path, text + scheme + (text[scheme] == '/'));
        while (path.len > name && path.s[path.len - 1] == '/')
                str_truncate(&path, path.len - 1);
        if (path.failed)
                return wrong(err, k, "the path is longer than %d bytes", CLOUD_MAX);
        if (path.len == name)
                return wrong(err, k, "\"%s\" is the root itself, which ydsync leaves alone",
                             show(text).text);
        why = entry_key_unfit(path.s + name);
        if (why)
                return wrong(err, k, "\"%s\" cannot be a folder there: %s", show(text).text, tr(why));
        return set_string(k, c, str_take(&path), err);
}

/* No unit at all. */
static const struct config_unit counts[] = {{"", 1}, {NULL}};

/* A number and a unit, both whole: nothing before, between or behind them. */
static int parse_amount(const char *text, const struct config_unit *units, uint64_t *ret)
{
        const char *s = text;
        uint64_t n = 0;

        for (; *s >= '0' && *s <= '9'; s++)
                if (__builtin_mul_overflow(n, 10, &n) ||
                    __builtin_add_overflow(n, (uint64_t)(*s - '0'), &n))
                        return -ERANGE;
        if (s == text)
                return -EINVAL;
        while (units->name && !str_eq(units->name, s))
                units++;
        if (!units->name)
                return -EINVAL;
        if (__builtin_mul_overflow(n, units->factor, &n))
                return -ERANGE;
        *ret = n;
        return 0;
}

static int read_amount(const struct config_key *k, const char *text, struct config *c,
                       struct err *err)
{
        uint64_t n = 0;
        int r;

        r = parse_amount(text, k->units, &n);
        if (r == 0 && !(n == 0 && k->zero) && (n < k->min || n > k->max))
                r = -ERANGE;
        if (r == -ERANGE)
                return wrong(err, k, "\"%s\" is out of range", show(text).text);
        if (r < 0)
                return wrong(err, k, "\"%s\" cannot be read", show(text).text);
        set_number(k, c, n);
        return 0;
}

/* "100/10%" */
static int read_max_delete(const struct config_key *k, const char *text, struct config *c,
                           struct err *err)
{
        static const struct config_unit percents[] = {{"%", 1}, {NULL}};
        const char *slash = strchr(text, '/');
        _cleanup_(freep) char *head = strndup(text, slash ? (size_t)(slash - text) : 0);
        uint64_t n, percent;

        if (!head)
                return err_errno(err, ENOMEM, "cannot take the value");
        if (!slash || parse_amount(head, counts, &n) < 0 ||
            parse_amount(slash + 1, percents, &percent) < 0)
                return wrong(err, k, "\"%s\" cannot be read", show(text).text);
        if (percent > 100)
                return wrong(err, k, "\"%s\" is out of range", show(text).text);
        c->max_delete = n;
        c->max_delete_percent = (unsigned)percent;
        return 0;
}

static int read_word(const struct config_key *k, const char *text, struct config *c,
                     struct err *err)
{
        for (size_t i = 0; k->words[i]; i++)
                if (strcasecmp(text, k->words[i]) == 0) {
                        set_number(k, c, i);
                        return 0;
                }
        return wrong(err, k, "\"%s\" is none of its words", show(text).text);
}

static int read_exclude(const struct config_key *k, const char *text, struct config *c,
                        struct err *err)
{
        _cleanup_(match_destroyp) struct match *m = NULL;
        struct err inner = ERR_NONE;

        if (match_create(&m, text, &inner) < 0)
                return wrong(err, k, "%s", inner.text);
        return set_string(k, c, str_dup(text), err);
}

/* ---- a URL ------------------------------------------------------------- */

/* "localhost", 127.0.0.0/8, or the one IPv6 address; `host` without brackets. */
static bool is_loopback(const char *host)
{
        struct in_addr four;
        struct in6_addr six;

        if (inet_pton(AF_INET, host, &four) == 1)
                return ntohl(four.s_addr) >> 24 == 127;
        if (inet_pton(AF_INET6, host, &six) == 1)
                return IN6_IS_ADDR_LOOPBACK(&six);
        return strcasecmp(host, "localhost") == 0;
}

/* Fills in the host of "host", "host:port", "[::1]" or "[::1]:port"; false when it is none. */
static bool split_host(const char *at, size_t n, char *ret_host, size_t size)
{
        const bool bracket = n > 0 && *at == '[';
        const char *start = at + bracket;
        size_t len = strspn(start, bracket ? "0123456789abcdefABCDEF:." : LETTERS DIGITS ".-");
        const char *rest = start + len + bracket;
        struct in6_addr six;
        char digits[8];
        uint64_t number;

        if (len == 0 || len >= size || (bracket && start[len] != ']'))
                return false;
        memcpy(ret_host, start, len);
        ret_host[len] = '\0';
        if (bracket && inet_pton(AF_INET6, ret_host, &six) != 1)
                return false;
        if (rest == at + n)
                return true;
        n -= (size_t)(rest - at) + 1;
        if (*rest != ':' || n >= sizeof(digits))
                return false;
        memcpy(digits, rest + 1, n);
        digits[n] = '\0';
        return parse_amount(digits, counts, &number) == 0 && number >= 1 && number <= 65535;
}

/* Why it is no URL for us, or NULL. */
static const char *url_fault(const char *url)
{
        const bool plain = strncasecmp(url, "http://", 7) == 0;
        const char *at = url + (plain ? 7 : 8);
        char host[256];
        size_t n;

        if (strlen(url) > URL_SIZE_MAX)
                return N_("it is too long");
        for (const char *s = url; *s; s++)
                if (*s <= ' ' || *s >= 0x7f || strchr("\"<>\\^`{|}", *s))
                        return N_("it holds a character that no URL has");
        if (!plain && strncasecmp(url, "https://", 8) != 0)
                return N_("it does not begin with https://");
        n = strcspn(at, "/?#");
        if (memchr(at, '@', n))
                return N_("it holds a user name or a password");
        if (at[strcspn(at, "?#")])
                return N_("it holds a query (?) or a fragment (#)");
        if (!split_host(at, n, host, sizeof(host)))
                return N_("its host or port cannot be read");
        if (plain && !is_loopback(host))
                return N_("http:// would send the token in the clear, and is taken only to this "
                       "machine (127.0.0.1, [::1], localhost)");
        return NULL;
}

/* It is not repeated in the sentence: it may hold a password. */
static int read_url(const struct config_key *k, const char *text, struct config *c,
                    struct err *err)
{
        const char *fault = url_fault(text);
        size_t n = strlen(text);

        if (fault)
                return wrong(err, k, "%s", tr(fault));
        while (n > 0 && text[n - 1] == '/')
                n--;
        return set_string(k, c, strndup(text, n), err);
}

/* ---- the table --------------------------------------------------------- */

/*
 * What YDSYNC_EXCLUDE leaves out when it is not set: what programs drop and nobody misses.  Not
 * `*.tmp`, `*.bak`, `._*` (Mac metadata) or `.directory`: people keep things in those.
 */
#define EXCLUDE_EDITORS "*~,.*.sw[a-p],.*.kate-swp,#*#,.#*,.~lock.*#,~$*,.goutputstream-*"
#define EXCLUDE_DOWNLOADS "*.crdownload,*.part,*.filepart,.~tmp~/"
#define EXCLUDE_THUMBNAILS "Thumbs.db,ehthumbs.db,.thumbnails/,@eaDir/"
#define EXCLUDE_DESKTOPS "desktop.ini,$RECYCLE.BIN/,System Volume Information/,.Trash-*/,"        \
                         ".DS_Store,.Trashes/,.Spotlight-V100/,.fseventsd/"
#define EXCLUDE_SYSTEM "lost+found/,.fuse_hidden*,.nfs????????????????????????"
#define EXCLUDE_CLIENTS ".sync/" /* the official client's own notes */

#define EXCLUDE_DEFAULT                                                                            \
        EXCLUDE_EDITORS "," EXCLUDE_DOWNLOADS "," EXCLUDE_THUMBNAILS "," EXCLUDE_DESKTOPS          \
                        "," EXCLUDE_SYSTEM "," EXCLUDE_CLIENTS

#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

static const struct config_unit times[] = {
        {"", SECOND},    {"ms", 1},       {"s", SECOND}, {"m", MINUTE},
        {"min", MINUTE}, {"h", HOUR},     {"d", DAY},    {NULL},
};

static const struct config_unit sizes[] = {
        {"", 1},         {"K", 1 << 10},  {"k", 1 << 10}, {"M", 1 << 20},
        {"m", 1 << 20},  {"G", 1 << 30},  {"g", 1 << 30}, {NULL},
};

static const char *const disguise_words[] = {
        [DISGUISE_AUTO] = "auto", [DISGUISE_ALWAYS] = "always", [DISGUISE_NEVER] = "never", NULL,
};
static const char *const delete_words[] = {
        [DELETE_TRASH] = "trash", [DELETE_PERMANENT] = "permanent", [DELETE_NEVER] = "never", NULL,
};
static const char *const verify_words[] = {
        [VERIFY_BATCH] = "batch", [VERIFY_EACH] = "each", [VERIFY_OFF] = "off", NULL,
};
static const char *const symlink_words[] = {[false] = "skip", [true] = "follow", NULL};
static const char *const level_words[] = {
        [LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
        [LOG_INFO] = "info",   [LOG_DEBUG] = "debug",     NULL,
};

/* $STATE_DIRECTORY may be a list: systemd gives one entry a folder. */
static char *derive_state_dir(void)
{
        const char *env = getenv("STATE_DIRECTORY");

        if (env && *env == '/')
                return strndup(env, strcspn(env, ":"));
        return xdg_path("XDG_STATE_HOME", ".local/state", "ydsync");
}

#define FIELD(f) .offset = offsetof(struct config, f), .size = sizeof(((struct config *)0)->f)
#define TEXT(f) FIELD(f), .text = true

const struct config_key config_key_table[] = {
        {
                CONFIG_TOKEN, read_token, TEXT(token), .required = true,
                .write = N_("the OAuth token alone, as YANDEX_TOKEN=… (\"ydsync login\" gets one), or "
                            "give it as the systemd credential ydsync.token"),
        },
        {
                "PATH_TO_FOLDER_ON_PC", read_path, TEXT(folder), .required = true,
                .write = N_("the folder to mirror as a whole path from / or ~/ on ($HOME and the like "
                            "are not expanded)"),
        },
        {
                "NAME_FOLDER_CLOUD", read_cloud, TEXT(cloud), .required = true,
                .write = N_("the folder on the Disk, like Backup/Docs, disk:/Backup/Docs or app:/Docs"),
        },
        {
                "SYNCHRONIZATION_PERIOD", read_amount, FIELD(period_ms), .live = true, .fallback = "30",
                .units = times, .min = 100, .max = 30 * DAY,
                .write = N_("seconds (600) or a time like 10s, 5min or 1h, from 100ms to 30d"),
        },
        {
                "PATH_FILE_LOG", read_path, TEXT(log_dir), .live = true,
                .write = N_("the folder for the log file as a whole path from / or ~/ on ($HOME and the "
                            "like are not expanded), or nothing"),
        },
        {
                "YDSYNC_STATE_DIR", read_path, TEXT(state_dir), .derive = derive_state_dir,
                .write = N_("a folder for ydsync's own notes as a whole path from / or ~/ on ($HOME and "
                            "the like are not expanded)"),
        },
        {
                "YDSYNC_API_URL", read_url, TEXT(api_url),
                .fallback = "https://cloud-api.yandex.net",
                .write = N_("an address like https://HOST or http://127.0.0.1:PORT"),
        },
        {
                "YDSYNC_OAUTH_URL", read_url, TEXT(oauth_url),
                .fallback = "https://oauth.yandex.ru",
                .write = N_("an address like https://HOST or http://127.0.0.1:PORT"),
        },
        {
                "YDSYNC_CLIENT_ID", read_token, TEXT(client_id),
                .write = N_("the id of your program at oauth.yandex.ru, or nothing: `ydsync login` asks "
                            "for it"),
        },
        {
                "YDSYNC_CLIENT_SECRET", read_token, TEXT(client_secret),
                .write = N_("the secret of your program at oauth.yandex.ru, or nothing"),
        },
        {
                "YDSYNC_EXCLUDE", read_exclude, TEXT(exclude), .fallback = EXCLUDE_DEFAULT,
                .write = N_("patterns as in .gitignore with commas between them (\\, is a comma in "
                            "one)"),
        },
        {
                "YDSYNC_PARALLEL", read_amount, FIELD(parallel), .live = true, .fallback = "8",
                .units = counts, .min = 1, .max = 64, .write = N_("a number from 1 to 64"),
        },
        {
                "YDSYNC_API_RATE", read_amount, FIELD(api_rate), .live = true, .fallback = "20",
                .units = counts, .min = 1, .max = 1000, .zero = true,
                .write = N_("requests a second, from 1 to 1000, or 0 for no limit"),
        },
        {
                "YDSYNC_UPLOAD_RATE", read_amount, FIELD(upload_rate), .live = true, .fallback = "0",
                .units = sizes, .min = 1 << 10, .max = INT64_MAX, .zero = true,
                .write = N_("bytes a second like 500K, 2M or 1G, at least 1K, or 0 for no limit"),
        },
        {
                "YDSYNC_SETTLE", read_amount, FIELD(settle_ms), .fallback = "3s",
                .units = times, .max = DAY,
                .write = N_("seconds (3) or a time like 500ms or 1min, up to 1d"),
        },
        {
                "YDSYNC_DISGUISE", read_word, FIELD(disguise), .fallback = "auto",
                .words = disguise_words, .write = N_("auto, always or never"),
        },
        {
                "YDSYNC_DELETE", read_word, FIELD(delete_mode), .fallback = "trash",
                .words = delete_words, .write = N_("trash, permanent or never"),
        },
        {
                "YDSYNC_MAX_DELETE", read_max_delete, FIELD(max_delete), .fallback = "100/10%",
                .write = N_("entries and percent, like 100/10% (100/100% holds nothing back)"),
        },
        {
                "YDSYNC_VERIFY", read_word, FIELD(verify), .fallback = "batch",
                .words = verify_words, .write = N_("batch, each or off"),
        },
        {
                "YDSYNC_AUDIT_PERIOD", read_amount, FIELD(audit_ms), .fallback = "24h",
                .units = times, .min = SECOND, .max = 365 * DAY, .zero = true,
                .write = N_("a time like 12h or 7d, from 1s to 365d, or 0 for never"),
        },
        {
                "YDSYNC_SYMLINKS", read_word, FIELD(follow), .fallback = "skip",
                .words = symlink_words, .write = N_("skip or follow"),
        },
        {
                "YDSYNC_LOG_LEVEL", read_word, FIELD(log_level), .live = true, .fallback = "info",
                .words = level_words, .write = N_("error, warning, notice, info or debug"),
        },
};

const struct config_key *config_key_find(const char *name)
{
        for (size_t i = 0; i < CONFIG_KEYS; i++)
                if (str_eq(config_key_table[i].name, name))
                        return &config_key_table[i];
        return NULL;
}

/* ---- two configurations ------------------------------------------------ */

static const void *field_of(const struct config_key *k, const struct config *c)
{
        return (const char *)c + k->offset;
}

static const char *text_of(const struct config_key *k, const struct config *c)
{
        return *(char *const *)field_of(k, c);
}

bool config_key_same(const struct config_key *k, const struct config *a, const struct config *b)
{
        const char *s, *t;

        if (!k->text)
                return memcmp(field_of(k, a), field_of(k, b), k->size) == 0 &&
                       (k->offset != offsetof(struct config, max_delete) ||
                        a->max_delete_percent == b->max_delete_percent);
        s = text_of(k, a);
        t = text_of(k, b);
        return s && t ? str_eq(s, t) : s == t;
}

int config_key_copy(const struct config_key *k, struct config *to, const struct config *from)
{
        const char *s;
        char *copy;

        if (!k->text) {
                memcpy(field(k, to), field_of(k, from), k->size);
                if (k->offset == offsetof(struct config, max_delete))
                        to->max_delete_percent = from->max_delete_percent;
                return 0;
        }
        s = text_of(k, from);
        copy = str_dup(s);
        if (s && !copy)
                return -ENOMEM;
        free(*(char **)field(k, to));
        *(char **)field(k, to) = copy;
        return 0;
}

/* How many letters must change to make one of the other. */
static size_t edit_distance(const char *a, const char *b)
{
        size_t row[64], n = strlen(b);

        for (size_t j = 0; j <= n; j++)
                row[j] = j;
        for (size_t i = 0; a[i]; i++) {
                size_t corner = row[0];

                row[0] = i + 1;
                for (size_t j = 0; j < n; j++) {
                        size_t best = corner + (a[i] != b[j]);

                        corner = row[j + 1];
                        if (best > row[j] + 1)
                                best = row[j] + 1;
                        if (best > corner + 1)
                                best = corner + 1;
                        row[j + 1] = best;
                }
        }
        return row[n];
}

const char *config_key_nearest(const char *name)
{
        size_t best = strlen(name) / 2 + 1;
        const char *nearest = NULL;

        for (size_t i = 0; i < CONFIG_KEYS; i++) {
                size_t d = edit_distance(name, config_key_table[i].name);

                if (d < best) {
                        best = d;
                        nearest = config_key_table[i].name;
                }
        }
        return nearest;
}
