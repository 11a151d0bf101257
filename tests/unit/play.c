/* SPDX-License-Identifier: MIT */

#include "tests/unit/play.h"

#include "tests/unit/check.h"

#include <errno.h>

const struct yadisk play_yadisk = {.api_url = "https://api", .root = "disk:/B/R"};

#define PLAY_READ_NS 5000000000

static void play_die(const char *what, const char *where)
{
        printf("# %s: \"%s\"\n", what, where);
        exit(2);
}

/* ---- names ----------------------------------------------------------------------------------- */

const char *play_wire(unsigned n)
{
        static char names[10][DISGUISE_WIRE_LEN + 1];
        uint8_t bytes[12] = {[11] = (uint8_t)n};

        disguise_wire_name(names[n], bytes);
        return names[n];
}

/* Every wire name in a text becomes short. */
static void play_shorten(struct str *s)
{
        for (unsigned n = 0; n < 10; n++) {
                char *at;

                while (s->s && (at = strstr(s->s, play_wire(n)))) {
                        char *rest = at + DISGUISE_WIRE_LEN;

                        at[0] = 'W';
                        at[1] = (char)('0' + n);
                        memmove(at + 2, rest, strlen(rest) + 1);
                        s->len -= DISGUISE_WIRE_LEN - 2;
                }
        }
}

static const char *play_lengthen(const char *name)
{
        return name[0] == 'W' && name[1] >= '0' && name[1] <= '9' && name[2] == '\0'
                       ? play_wire((unsigned)(name[1] - '0'))
                       : name;
}

/* ---- what is asked for ----------------------------------------------------------------------- */

static void play_show_md5(struct str *s, const uint8_t md5[16])
{
        uint8_t same[16];
        char hex[33];

        memset(same, md5[0], sizeof(same));
        str_hex(hex, md5, memcmp(md5, same, sizeof(same)) == 0 ? 1 : 16);
        str_addf(s, " #%s", hex);
}

static void play_show_entry(struct str *s, const struct entry *e)
{
        str_addf(s, " %c %s", "nfdo"[e->kind], *e->key ? e->key : ".");
        if (e->kind == KIND_FILE)
                str_addf(s, " %" PRIu64, e->size);
        if (e->has_md5)
                play_show_md5(s, e->md5);
        if (e->flags & ENTRY_UNVERIFIED)
                str_adds(s, " u");
        if (e->flags & ENTRY_RACY)
                str_adds(s, " r");
}

static void play_show_record(struct str *s, const struct record *r)
{
        static const char *const names[] = {
                [RECORD_ROW] = "row",           [RECORD_FORGET] = "forget",
                [RECORD_VERIFIED] = "verified", [RECORD_FORGET_TREE] = "forget-tree",
                [RECORD_INTENT] = "intent",     [RECORD_INTENT_DONE] = "done",
                [RECORD_REMOTE] = "remote",     [RECORD_REMOTE_CLEAR] = "clear",
                [RECORD_META] = "meta",         [RECORD_REMNANT] = "remnant",
                [RECORD_MOVE] = "move",
                [RECORD_DOUBT] = "doubt",       [RECORD_DOUBT_DONE] = "settled",
        };

        str_adds(s, names[r->verb]);
        switch (r->verb) {
        case RECORD_ROW:
        case RECORD_REMOTE:
                play_show_entry(s, &r->entry);
                return;
        case RECORD_FORGET:
        case RECORD_FORGET_TREE:
        case RECORD_VERIFIED:
                str_addf(s, " %s", *r->entry.key ? r->entry.key : ".");
                return;
        case RECORD_INTENT:
        case RECORD_REMNANT:
                str_addf(s, " %s %s %" PRIu64, r->wire, r->entry.key, r->entry.size);
                if (r->when_ms)
                        str_addf(s, " at %" PRId64, r->when_ms - PLAY_WALL_MS);
                return;
        case RECORD_INTENT_DONE:
                str_addf(s, " %s", r->wire);
                return;
        case RECORD_MOVE:
                str_addf(s, " %s to %s", r->from, r->entry.key);
                return;
        case RECORD_REMOTE_CLEAR:
                return;
        case RECORD_META:
                str_addf(s, " %s=%s", r->name, r->value ? r->value : "");
                return;
        case RECORD_DOUBT:
                play_show_entry(s, &r->entry);
                if (r->looked)
                        str_adds(s, " looked");
                return;
        case RECORD_DOUBT_DONE:
                str_addf(s, " %s", r->entry.key);
                return;
        }
}

/* The value of a query parameter, decoded; false when there is none. */
static bool play_query(const char *url, const char *name, struct str *ret)
{
        const char *at = strchr(url, '?');
        size_t len = strlen(name);

        str_clear(ret);
        while (at && (strncmp(at + 1, name, len) != 0 || at[1 + len] != '='))
                at = strchr(at + 1, '&');
        if (!at)
                return false;
        for (at += len + 2; *at && *at != '&'; at++) {
                uint8_t byte = (uint8_t)*at;
                char hex[3] = {at[0], at[0] ? at[1] : '\0', at[0] && at[1] ? at[2] : '\0'};

                if (*at == '%') {
                        check(hex[1] && hex[2]);
                        hex[0] = hex[1], hex[1] = hex[2], hex[2] = '\0';
                        check(str_unhex(&byte, 1, hex));
                        at += 2;
                }
                str_addc(ret, (char)byte);
        }
        return true;
}

static bool play_query_is(const char *url, const char *name, const char *value)
{
        _cleanup_(str_finish) struct str s = STR_NULL(1 << 20);

        return play_query(url, name, &s) && str_eq(str_z(&s), value);
}

static void play_show_path(struct str *s, const char *url, const char *name)
{
        _cleanup_(str_finish) struct str path = STR_NULL(1 << 20);
        size_t root = strlen(play_yadisk.root);

        check(play_query(url, name, &path));
        str_addc(s, ' ');
        if (str_eq(str_z(&path), play_yadisk.root))
                str_addc(s, '/');
        else if (str_starts(str_z(&path), play_yadisk.root) && path.s[root] == '/')
                str_adds(s, path.s + root);
        else
                str_adds(s, str_z(&path));
}

static void play_show_delete(struct str *s, const char *url)
{
        _cleanup_(str_finish) struct str md5 = STR_NULL(1 << 20);
        uint8_t bytes[16];

        str_adds(s, play_query_is(url, "permanently", "true") ? "erase" : "trash");
        play_show_path(s, url, "path");
        if (!play_query(url, "md5", &md5))
                return;
        check(str_unhex(bytes, sizeof(bytes), str_z(&md5)));
        play_show_md5(s, bytes);
}

static void play_show_resource(struct str *s, const struct http_req *req)
{
        _cleanup_(str_finish) struct str offset = STR_NULL(100);

        switch (req->method) {
        case HTTP_GET:
                str_adds(s, play_query(req->url, "offset", &offset) ? "list" : "look");
                play_show_path(s, req->url, "path");
                if (offset.len > 0)
                        str_addf(s, " %s", str_z(&offset));
                return;
        case HTTP_PUT:
                str_adds(s, "mkdir");
                play_show_path(s, req->url, "path");
                return;
        case HTTP_DELETE:
                play_show_delete(s, req->url);
                return;
        case HTTP_POST:
                break;
        }
        check_fail("POST %s", req->url);
}

/* What is sent to the API carries the token: only to the API, and only what was meant. */
static void play_show_api(struct str *s, const struct http_req *req)
{
        const char *path = req->url + strlen(play_yadisk.api_url);

        check(str_starts(req->url, "https://api/v1/disk"));
        check(!req->file && req->reply_max > 0);
        if (str_eq(path, "/v1/disk?fields=user.uid")) {
                check(req->method == HTTP_GET);
                str_adds(s, "account");
                return;
        }
        if (str_starts(path, "/v1/disk?")) {
                check(req->method == HTTP_GET);
                str_adds(s, "room");
        } else if (str_starts(path, "/v1/disk/resources?")) {
                play_show_resource(s, req);
        } else if (str_starts(path, "/v1/disk/resources/upload?")) {
                check(req->method == HTTP_GET);
                str_adds(s, play_query_is(req->url, "overwrite", "true") ? "link!" : "link");
                play_show_path(s, req->url, "path");
        } else if (str_starts(path, "/v1/disk/resources/move?")) {
                check(req->method == HTTP_POST);
                str_adds(s, play_query_is(req->url, "overwrite", "true") ? "move!" : "move");
                play_show_path(s, req->url, "from");
                play_show_path(s, req->url, "path");
        } else if (str_starts(path, "/v1/disk/operations/")) {
                check(req->method == HTTP_GET);
                str_addf(s, "poll %s", path + strlen("/v1/disk/operations/"));
        } else {
                check_fail("what is %s?", req->url);
        }
}

static void play_show_http(struct str *s, const struct http_req *req)
{
        if (req->api) {
                play_show_api(s, req);
                return;
        }
        check(req->method == HTTP_PUT && req->file && req->file->kind == KIND_FILE);
        check(req->patience_ms >= 120000 && req->reply_max > 0);
        check(yadisk_link_allowed(&play_yadisk, req->url));
        str_addf(s, "send %s", req->url);
}

static void play_show_end(struct str *s, const struct flow_end *end)
{
        static const char *const names[] = {
                [END_DONE] = "DONE",       [END_NOTHING] = "NOTHING", [END_CHANGED] = "CHANGED",
                [END_LATER] = "LATER",     [END_STUCK] = "STUCK",     [END_FOREIGN] = "FOREIGN",
                [END_FULL] = "FULL",       [END_REFUSED] = "REFUSED", [END_STORE] = "STORE",
        };

        check(end->text != NULL);
        str_addf(s, "end %s%s", names[end->kind], end->vanished ? " vanished" : "");
        if (end->folder_gone)
                str_adds(s, " folder-gone");
        if (*end->text)
                str_addf(s, ": %s", end->text);
}

static bool play_is_doubt(const struct record *r)
{
        return r->verb == RECORD_DOUBT || r->verb == RECORD_DOUBT_DONE;
}

static void play_show_records(struct str *s, const struct ask *ask, bool doubts)
{
        const char *between = "";

        str_adds(s, "record ");
        for (size_t i = 0; i < ask->n_records; i++) {
                if (play_is_doubt(&ask->records[i]) && !doubts)
                        continue;
                str_adds(s, between);
                play_show_record(s, &ask->records[i]);
                between = "; ";
        }
}

static void play_show(struct str *s, const struct ask *ask, bool doubts)
{
        str_clear(s);
        switch (ask->want) {
        case ASK_HTTP:
                play_show_http(s, ask->http);
                break;
        case ASK_RECORD:
                play_show_records(s, ask, doubts);
                break;
        case ASK_DIGEST:
                str_addf(s, "digest %s", ask->entry->key);
                break;
        case ASK_LOOK:
                str_addf(s, "here %s", ask->key);
                break;
        case ASK_KNOWN:
                str_addf(s, "known %s", *ask->key ? ask->key : ".");
                break;
        case ASK_WAIT:
                check(ask->delay_ms >= 0 && ask->delay_ms <= 3600000);
                str_addf(s, "wait %" PRId64, ask->delay_ms);
                break;
        case ASK_DONE:
                play_show_end(s, &ask->end);
                break;
        }
        play_shorten(s);
}

/* ---- doubts ---------------------------------------------------------------------------------- */

static bool play_doubts(const struct play *p, const char *key)
{
        for (size_t i = 0; i < ARRAY_SIZE(p->doubted); i++)
                if (*key && str_eq(p->doubted[i], key))
                        return true;
        return false;
}

static void play_note_doubt(struct play *p, const char *key, bool over)
{
        for (size_t i = 0; over && i < ARRAY_SIZE(p->doubted); i++)
                if (str_eq(p->doubted[i], key))
                        p->doubted[i][0] = '\0';
        if (over || play_doubts(p, key))
                return;
        for (size_t i = 0; i < ARRAY_SIZE(p->doubted); i++)
                if (p->doubted[i][0] == '\0') {
                        str_copy(p->doubted[i], sizeof(p->doubted[i]), key);
                        return;
                }
        check_fail("more is in doubt at once than one flow can change: %s", key);
}

/* The path that an API request names, as a key; "" when it is no thing's own name. */
static void play_own_name(const struct http_req *req, char ret[256])
{
        _cleanup_(str_finish) struct str path = STR_NULL(1 << 20);
        size_t root = strlen(play_yadisk.root);

        *ret = '\0';
        if (play_query(req->url, "path", &path) && str_starts(str_z(&path), play_yadisk.root) &&
            path.s[root] == '/' && !disguise_is_wire(entry_key_name(path.s)) &&
            path.len - root < 256)
                str_copy(ret, 256, path.s + root + 1);
}

/* A move from a thing's own name has a note of its own. */
static bool play_moves_whole(const struct http_req *req)
{
        _cleanup_(str_finish) struct str from = STR_NULL(1 << 20);

        return req->api && req->method == HTTP_POST && play_query(req->url, "from", &from) &&
               !disguise_is_wire(entry_key_name(str_z(&from)));
}

static void play_check_change(struct play *p, const struct http_req *req)
{
        char key[256] = "";

        if (!req->api)
                str_copy(key, sizeof(key), p->link_for);
        else
                play_own_name(req, key);
        if (req->api && strstr(req->url, "/resources/upload?"))
                str_copy(p->link_for, sizeof(p->link_for), key);
        if (req->method == HTTP_GET || !*key || play_doubts(p, key) || play_moves_whole(req))
                return;
        if (!p->demanded || !req->api || req->method != HTTP_PUT)
                check_fail("%s changes without a doubt", key);
}

static void play_check_doubts(struct play *p)
{
        switch (p->ask.want) {
        case ASK_HTTP:
                play_check_change(p, p->ask.http);
                return;
        case ASK_RECORD:
                for (size_t i = 0; i < p->ask.n_records; i++) {
                        const struct record *r = &p->ask.records[i];

                        if (play_is_doubt(r) && !r->looked)
                                play_note_doubt(p, r->entry.key, r->verb == RECORD_DOUBT_DONE);
                        p->demanded |= r->verb == RECORD_META && str_eq(r->name, "audit.at");
                }
                return;
        case ASK_DONE:
                if (p->ask.end.kind != END_DONE && p->ask.end.kind != END_NOTHING)
                        return;
                for (size_t i = 0; i < ARRAY_SIZE(p->doubted); i++)
                        if (p->doubted[i][0])
                                check_fail("it ended well, and %s is left in doubt", p->doubted[i]);
                return;
        case ASK_DIGEST:
        case ASK_LOOK:
        case ASK_KNOWN:
        case ASK_WAIT:
                return;
        }
}

/* Whether what is asked for only leads up to a change. */
static bool play_leads_up(const struct play *p)
{
        if (p->doubts)
                return false;
        if (p->ask.want == ASK_DIGEST)
                return str_eq(p->flow->where(p->flow), "EXPECT");
        if (p->ask.want != ASK_RECORD || p->ask.n_records == 0)
                return false;
        for (size_t i = 0; i < p->ask.n_records; i++)
                if (!play_is_doubt(&p->ask.records[i]))
                        return false;
        return true;
}

static void play_next(struct play *p, const struct outcome *in)
{
        struct outcome mine = *in;

        mine.now_ms = p->now_ms;
        mine.wall_ms = PLAY_WALL_MS + p->now_ms;
        check(p->flow->where(p->flow) != NULL);
        p->ask = flow_next(p->flow, &mine);
        check(p->flow->where(p->flow) != NULL);
        play_check_doubts(p);
}

void play_tell(struct play *p, const struct outcome *in)
{
        struct outcome well = {
                .kind = OUTCOME_LOCAL, .read_ns = PLAY_READ_NS, .retry_after_ms = -1};

        memset(well.md5, 0xc1, sizeof(well.md5));
        if (in->kind == OUTCOME_WOKE)
                p->now_ms += p->ask.delay_ms;
        play_next(p, in);
        while (play_leads_up(p))
                play_next(p, &well);
        p->asks++;
        play_show(&p->shown, &p->ask, p->doubts);
        p->over |= p->ask.want == ASK_DONE;
}

/* ---- what is given --------------------------------------------------------------------------- */

/* The words of a row, one after the other; `rest` is what was not taken yet. */
struct words {
        char *rest;
};

static const char *words_next(struct words *w)
{
        const char *word;

        do
                word = w->rest ? strsep(&w->rest, " ") : NULL;
        while (word && *word == '\0');
        return word ? word : "";
}

static bool words_take(struct words *w, const char *word)
{
        size_t len = strlen(word);

        if (!w->rest || strncmp(w->rest, word, len) != 0 ||
            (w->rest[len] != '\0' && w->rest[len] != ' '))
                return false;
        words_next(w);
        return true;
}

static const char *words_take_all(struct words *w)
{
        const char *all = w->rest ? w->rest : "";

        w->rest = NULL;
        return all;
}

static void play_body_md5(struct str *body, const char *byte)
{
        str_adds(body, ",\"md5\":\"");
        for (int i = 0; i < 16; i++)
                str_adds(body, byte);
        str_adds(body, "\"");
}

static void play_body_page(struct str *body, struct words *w)
{
        const char *total = words_next(w), *offset = words_next(w);
        struct tree items;

        tree_init(&items, words_take_all(w));
        str_adds(body, "{\"type\":\"dir\",\"_embedded\":{\"items\":[");
        for (size_t i = 0; i < items.n; i++) {
                const struct entry *e = &items.items[i];
                char byte[3];

                str_addf(body, "%s{\"name\":\"%s\",\"type\":\"%s\"", i ? "," : "",
                         play_lengthen(e->key),
                         e->kind == KIND_DIR    ? "dir"
                         : e->kind == KIND_FILE ? "file"
                                                : "vd");
                if (e->kind == KIND_FILE)
                        str_addf(body, ",\"size\":%" PRIu64, e->size);
                str_hex(byte, e->md5, 1);
                if (e->has_md5)
                        play_body_md5(body, byte);
                str_adds(body, "}");
        }
        str_addf(body, "],\"total\":%s,\"offset\":%s}}", total, offset);
        tree_finish(&items);
}

static void play_body_file(struct str *body, struct words *w)
{
        const char *size = words_next(w), *byte = words_next(w);

        str_addf(body, "{\"type\":\"file\",\"size\":%s", size);
        if (*byte)
                play_body_md5(body, byte);
        str_adds(body, "}");
}

static void play_body_link(struct str *body, struct words *w)
{
        const char *href = words_next(w), *id = words_next(w);

        str_addf(body, "{\"href\":\"%s\",\"method\":\"PUT\"", *href ? href : "https://up/1");
        if (*id)
                str_addf(body, ",\"operation_id\":\"%s\"", id);
        str_adds(body, "}");
}

/* "room TOTAL USED [LARGEST]" */
static void play_body_room(struct str *body, struct words *w)
{
        const char *total = words_next(w), *used = words_next(w), *largest = words_next(w);

        str_addf(body, "{\"total_space\":%s,\"used_space\":%s", total, used);
        if (*largest)
                str_addf(body, ",\"max_file_size\":%s", largest);
        str_adds(body, "}");
}

static void play_body(struct str *body, struct words *w)
{
        const char *what = words_next(w);

        if (str_eq(what, "link"))
                play_body_link(body, w);
        else if (str_eq(what, "op"))
                str_addf(body, "{\"href\":\"https://cloud-api.yandex.net/v1/disk/operations/%s\"}",
                         words_next(w));
        else if (str_eq(what, "status"))
                str_addf(body, "{\"status\":\"%s\"}", words_next(w));
        else if (str_eq(what, "room"))
                play_body_room(body, w);
        else if (str_eq(what, "file"))
                play_body_file(body, w);
        else if (str_eq(what, "dir"))
                str_adds(body, "{\"type\":\"dir\"}");
        else if (str_eq(what, "other"))
                str_adds(body, "{\"type\":\"vd\"}");
        else if (str_eq(what, "page"))
                play_body_page(body, w);
        else if (str_eq(what, "error"))
                str_addf(body, "{\"error\":\"%s\",\"description\":\"said\"}", words_next(w));
        else if (str_eq(what, "html"))
                str_adds(body, "<html><body>502 Bad Gateway</body></html>");
        else if (str_eq(what, "raw"))
                str_adds(body, words_take_all(w));
        else if (*what)
                play_die("no such body", what);
}

static uint64_t play_file_size(const struct play *p)
{
        return p->ask.want == ASK_HTTP && p->ask.http->file ? p->ask.http->file->size : 0;
}

static void play_give_sent(struct play *p, struct words *w, struct outcome *in)
{
        if (!words_take(w, "all"))
                return;
        in->sent = play_file_size(p);
        in->sent_all = true;
        in->read_ns = PLAY_READ_NS;
        memset(in->md5, (int)strtoul(words_next(w), NULL, 16), sizeof(in->md5));
}

static void play_give_http(struct play *p, struct words *w, struct outcome *in)
{
        _cleanup_(str_finish) struct str body = STR_NULL(64 << 20);

        in->kind = OUTCOME_HTTP;
        in->read_ns = PLAY_READ_NS;
        for (;;) {
                play_give_sent(p, w, in);
                if (w->rest && str_starts(w->rest, "retry="))
                        in->retry_after_ms = atoll(words_next(w) + 6);
                else if (w->rest && str_starts(w->rest, "sent="))
                        in->sent = strtoull(words_next(w) + 5, NULL, 10);
                else
                        break;
        }
        play_body(&body, w);
        in->body_len = body.len;
        in->body = str_take(&body);
}

static void play_give_fault(struct play *p, struct words *w, struct outcome *in)
{
        static const char *const names[] = {
                [HTTP_FAULT_NONE] = "none",       [HTTP_FAULT_UNREACHABLE] = "unreachable",
                [HTTP_FAULT_TLS] = "tls",         [HTTP_FAULT_BROKEN] = "broken",
                [HTTP_FAULT_STALLED] = "stalled", [HTTP_FAULT_TOO_LARGE] = "large",
                [HTTP_FAULT_SHUT] = "shut",       [HTTP_FAULT_LOCAL] = "local",
        };
        const char *name = words_next(w);

        in->kind = OUTCOME_FAULT;
        in->text = "the system's words";
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (str_eq(names[i], name))
                        in->fault = (enum http_fault)i;
        play_give_sent(p, w, in);
        if (in->fault == HTTP_FAULT_LOCAL) {
                struct tree t;
                _cleanup_(str_finish) struct str text = STR_NULL(100);

                str_addf(&text, "n x !%s", words_next(w));
                tree_init(&t, str_z(&text));
                in->err = t.items[0].err;
                tree_finish(&t);
        }
}

/* The entries of a row; the keys go with play_outcome_finish(). */
static void play_give_entries(const char *text, struct entry_list *ret)
{
        struct tree t;

        tree_init(&t, text);
        *ret = (struct entry_list){.items = t.items, .n = t.n};
        t.items = NULL;
        t.n = 0;
        tree_finish(&t);
}

static void play_give_local(struct words *w, const char *what, struct outcome *in)
{
        in->kind = OUTCOME_LOCAL;
        in->read_ns = PLAY_READ_NS;
        if (str_eq(what, "md5")) {
                memset(in->md5, (int)strtoul(words_next(w), NULL, 16), sizeof(in->md5));
        } else if (str_eq(what, "known")) {
                play_give_entries(words_take_all(w), &in->known);
        } else if (str_eq(what, "here") && words_take(w, "gone")) {
                in->err = ENOENT;
        } else if (str_eq(what, "here")) {
                struct entry_list one;

                play_give_entries(words_take_all(w), &one);
                in->look = one.items[0];
                free((char *)in->look.key);
                in->look.key = NULL;
                free(one.items);
        } else if (str_eq(what, "err")) {
                _cleanup_(str_finish) struct str text = STR_NULL(100);
                struct entry_list one;

                str_addf(&text, "n x !%s", words_next(w));
                play_give_entries(str_z(&text), &one);
                in->err = one.items[0].err;
                in->text = "the store's words";
                free((char *)one.items[0].key);
                free(one.items);
        } else if (!str_eq(what, "ok")) {
                play_die("no such outcome", what);
        }
}

void play_outcome(struct play *p, const char *give, struct outcome *ret)
{
        _cleanup_(freep) char *copy = str_dup(give);
        struct words w = {.rest = copy};
        const char *what = words_next(&w);

        *ret = (struct outcome){.retry_after_ms = -1};
        if (*what == '+') {
                p->now_ms += atoll(what + 1);
                what = words_next(&w);
        }
        if (str_eq(what, "start")) {
                ret->kind = OUTCOME_START;
        } else if (str_eq(what, "woke")) {
                ret->kind = OUTCOME_WOKE;
        } else if (str_eq(what, "fault")) {
                play_give_fault(p, &w, ret);
        } else if (*what >= '0' && *what <= '9') {
                ret->status = atoi(what);
                play_give_http(p, &w, ret);
                if (ret->status == 404 && ret->body_len == 0) { /* the service always names it */
                        free((char *)ret->body);
                        ret->body = str_dup("{\"error\":\"DiskNotFoundError\"}");
                        ret->body_len = strlen(ret->body);
                }
        } else {
                play_give_local(&w, what, ret);
        }
}

void play_outcome_finish(struct outcome *in)
{
        free((char *)in->body);
        for (size_t i = 0; i < in->known.n; i++)
                free((char *)in->known.items[i].key);
        free(in->known.items);
}

/* ---- the game -------------------------------------------------------------------------------- */

void play_begin(struct play *p, struct flow *flow)
{
        *p = (struct play){.flow = flow, .shown = STR_NULL(1 << 24), .now_ms = 1000};
        if (!flow)
                abort();
}

void play_finish(struct play *p)
{
        flow_destroy(p->flow);
        str_finish(&p->shown);
}

/* "wait", "end LATER" and "end LATER: part of the text" agree with more than themselves. */
static bool play_agrees(const char *shown, const char *want)
{
        const char *text = str_starts(want, "end ") ? strstr(want, ": ") : NULL;
        size_t len = text ? (size_t)(text - want) : strlen(want);

        if (str_eq(shown, want))
                return true;
        if (str_eq(want, "wait"))
                return str_starts(shown, "wait ");
        if (!str_starts(want, "end ") || strncmp(shown, want, len) != 0 || shown[len] != ':')
                return false;
        return !text || strstr(shown + len, text + 2);
}

void play_step(struct play *p, const char *give, const char *want)
{
        struct outcome in;

        if (p->over) {
                if (p->ask.want == ASK_DONE)
                        check_fail("\"%s\" after the end", give);
                return;
        }
        if (str_eq(give, "woke") != (p->ask.want == ASK_WAIT) && !str_eq(give, "start"))
                check_fail("\"%s\" for \"%s\"", give, str_z(&p->shown));
        play_outcome(p, give, &in);
        play_tell(p, &in);
        play_outcome_finish(&in);
        if (play_agrees(str_z(&p->shown), want))
                return;
        check_fail("ask %u, after \"%s\": \"%s\", not \"%s\"", p->asks, give, str_z(&p->shown),
                   want);
        p->over = true;
        p->ask.want = ASK_LOOK; /* nothing that follows means anything */
}

void play_rows(struct flow *flow, bool doubts, const struct play_row *rows, size_t n)
{
        struct play p;

        play_begin(&p, flow);
        p.doubts = doubts;
        for (size_t i = 0; i < n; i++)
                play_step(&p, rows[i].give, rows[i].want);
        play_finish(&p);
}

/* ---- flows ----------------------------------------------------------------------------------- */

const struct op *play_op(enum op_verb verb, const char *entry)
{
        static char key[1 << 16];
        static struct op op;
        struct tree t;

        tree_init(&t, entry);
        op = (struct op){.verb = verb, .entry = t.items[0]};
        str_copy(key, sizeof(key), t.items[0].key);
        op.entry.key = key;
        tree_finish(&t);
        return &op;
}

static struct entry play_parse_values(const char *values)
{
        _cleanup_(str_finish) struct str text = STR_NULL(1000);
        struct entry e;
        struct tree t;

        str_addf(&text, "f x %s", values);
        tree_init(&t, str_z(&text));
        e = t.items[0];
        tree_finish(&t);
        return e;
}

struct flow *play_put_flow(const struct play_put *args)
{
        struct op op = *play_op(OP_PUT, args->entry);
        struct put_args put = {.yadisk = &play_yadisk,
                               .op = &op,
                               .largest = args->largest,
                               .disguise = args->disguise,
                               .verify = args->verify,
                               .wire = play_wire(1),
                               .leftover = args->leftover ? play_wire(2) : NULL,
                               .doubtful = args->doubtful,
                               .leftover_old = args->leftover_old};
        struct entry e;

        if (args->known) {
                e = play_parse_values(args->known);
                op.was_known = true;
                op.known_unverified = e.flags & ENTRY_UNVERIFIED;
                op.known_size = e.size;
                memcpy(op.known_md5, e.md5, sizeof(op.known_md5));
        }
        if (args->there && *args->there == '-') {
                op.there = OP_THERE_NOTHING;
        } else if (args->there && *args->there == 'd') {
                op.there = OP_THERE_DIR;
        } else if (args->there) {
                e = play_parse_values(args->there);
                op.there = OP_THERE_FILE;
                op.there_size = e.size;
                memcpy(op.there_md5, e.md5, sizeof(op.there_md5));
        }
        return flow_put(&put);
}
