/* SPDX-License-Identifier: MIT */

/*
 * Flows against a model of the service: it does what it is asked, now or a little later, and may
 * lose the answer, refuse, or forget the operation.  Somebody else writes there too.  The program
 * may die at any moment and begin anew with what the snapshot holds.
 *
 * Contents are one byte: below 0x80 they are ours.
 */

#include "lib/yadisk/flow_list.h"
#include "lib/yadisk/flow_mkdir.h"
#include "tests/unit/check.h"
#include "tests/unit/play.h"
#include "tests/unit/seed.h"

#include <errno.h>
#include <stdarg.h>

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

#define OLD 0x10 /* four bytes of it */
#define NEW 0x11 /* five */
#define NEW_SIZE 5
#define FOREIGN 0x80
#define ASKS_MAX 5000
#define JOBS_MAX 4096

enum job_what { JOB_STORE, JOB_MOVE, JOB_DELETE };

/* Something the service was asked to do. */
struct job {
        enum job_what what;
        char path[64], to[64];
        int md5;            /* DELETE: the condition, -1: none */
        bool overwrite, erase;
        int64_t due_ms;
        bool pending, failed;
};

struct world {
        struct seed *seed;
        struct play play;
        struct tree cloud;    /* keys with a slash before them */
        struct tree snapshot;
        struct tree intents;  /* keys are wire names */
        struct job jobs[JOBS_MAX];
        unsigned n_jobs;
        unsigned faults;      /* per cent */
        unsigned next_foreign;
        bool somebody_else;   /* writes at our name now and then */
        bool trusting;        /* the flow has just seen its older version there */
        bool foreign_stays;   /* not even to the Trash */
        bool late;            /* the service is at what it was asked for before */
        unsigned sent;        /* whole bodies */
        struct str story;
        const char *path;     /* of the file at hand */
};

/* ---- the cloud ------------------------------------------------------------------------------- */

static void cloud_put(struct world *w, const char *path, enum kind kind, uint64_t size,
                      unsigned md5)
{
        struct entry e = {.key = path, .kind = kind, .size = size, .has_md5 = kind == KIND_FILE};

        memset(e.md5, (int)md5, sizeof(e.md5));
        tree_remove(&w->cloud, path);
        tree_add(&w->cloud, &e);
}

static bool cloud_has_parent(const struct world *w, const char *path)
{
        _cleanup_(freep) char *folder = str_dup(path);

        folder[entry_key_parent(folder)] = '\0';
        return *folder == '\0' || tree_find(&w->cloud, folder);
}

static void cloud_loses(struct world *w, const struct entry *e, bool for_good)
{
        if (e->kind == KIND_FILE && e->md5[0] >= FOREIGN && !(w->late && w->somebody_else) &&
            (for_good || w->foreign_stays))
                check_fail("%s, of somebody else's content %02x, is lost", e->key, e->md5[0]);
}

static const char *cloud_store(struct world *w, const struct job *j)
{
        const struct entry *there = tree_find(&w->cloud, j->path);

        if (!cloud_has_parent(w, j->path))
                return "409 error DiskPathDoesntExistsError";
        if (there && there->kind == KIND_DIR)
                return "409 error DiskPathPointsToExistentDirectoryError";
        if (there && !j->overwrite)
                return "409 error DiskResourceAlreadyExistsError";
        if (there)
                cloud_loses(w, there, true);
        cloud_put(w, j->path, KIND_FILE, NEW_SIZE, NEW);
        return "201";
}

static const char *cloud_move(struct world *w, const struct job *j)
{
        const struct entry *from = tree_find(&w->cloud, j->path);
        const struct entry *to = tree_find(&w->cloud, j->to);
        struct entry moved;

        if (!from)
                return "404 error DiskNotFoundError";
        if (!cloud_has_parent(w, j->to))
                return "409 error DiskPathDoesntExistsError";
        if (to && (!j->overwrite || to->kind == KIND_DIR))
                return "409 error DiskResourceAlreadyExistsError";
        if (to)
                cloud_loses(w, to, true);
        moved = *from;
        tree_remove(&w->cloud, j->path);
        cloud_put(w, j->to, moved.kind, moved.size, moved.md5[0]);
        return "201";
}

static const char *cloud_delete(struct world *w, const struct job *j)
{
        const struct entry *e = tree_find(&w->cloud, j->path);

        if (!e)
                return "404 error DiskNotFoundError";
        if (j->md5 >= 0 && (e->kind != KIND_FILE || e->md5[0] != j->md5))
                return "409 error MD5DifferError";
        for (size_t i = w->cloud.n; i-- > 0;)
                if (str_eq(w->cloud.items[i].key, j->path) ||
                    entry_key_below(w->cloud.items[i].key, j->path)) {
                        cloud_loses(w, &w->cloud.items[i], j->erase);
                        tree_remove(&w->cloud, w->cloud.items[i].key);
                }
        return "204";
}

static const char *cloud_do(struct world *w, struct job *j)
{
        const char *answer = j->what == JOB_STORE  ? cloud_store(w, j)
                             : j->what == JOB_MOVE ? cloud_move(w, j)
                                                   : cloud_delete(w, j);

        j->pending = false;
        j->failed = *answer != '2';
        return answer;
}

/* What was asked for before somebody else wrote there, and is done after, cannot be called back. */
static void cloud_goes_on(struct world *w, int64_t now_ms)
{
        w->late = true;
        for (unsigned i = 0; i < w->n_jobs; i++)
                if (w->jobs[i].pending && w->jobs[i].due_ms <= now_ms)
                        cloud_do(w, &w->jobs[i]);
        w->late = false;
}

/* ---- answers --------------------------------------------------------------------------------- */

static char answer[4096];

static const char *say(const char *fmt, ...) _printf_(1, 2);
static const char *say(const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(answer, sizeof(answer), fmt, ap);
        va_end(ap);
        return answer;
}

static const char *say_no(struct world *w)
{
        static const char *const answers[] = {
                "500", "503 html", "429 retry=3000", "423 error DiskResourceLockedError", "423",
                "fault unreachable", "fault broken", "fault stalled", "200 html",
        };

        return answers[seed_below(w->seed, ARRAY_SIZE(answers))];
}

static const char *say_entry(const struct entry *e)
{
        if (!e)
                return "404 error DiskNotFoundError";
        if (e->kind == KIND_DIR)
                return "200 dir";
        return say("200 file %" PRIu64 " %02x", e->size, e->md5[0]);
}

/* Two items a page, whatever was asked for. */
static const char *say_page(struct world *w, const char *path, unsigned offset)
{
        _cleanup_(str_finish) struct str items = STR_NULL(4000);
        const struct entry *folder = tree_find(&w->cloud, path);
        unsigned total = 0;

        if (!folder)
                return "404 error DiskNotFoundError";
        if (folder->kind == KIND_FILE)
                return "200 raw {\"type\":\"file\"}";
        for (size_t i = 0; i < w->cloud.n; i++) {
                const struct entry *e = &w->cloud.items[i];

                if (!entry_key_below(e->key, path) || entry_key_parent(e->key) != strlen(path))
                        continue;
                if (total++ < offset || total > offset + 2)
                        continue;
                str_addf(&items, "%s%c %s %" PRIu64, items.len ? "|" : "",
                         e->kind == KIND_DIR ? 'd' : 'f', entry_key_name(e->key), e->size);
                if (e->kind == KIND_FILE)
                        str_addf(&items, " #%02x", e->md5[0]);
        }
        return say("200 page %u %u %s", total, offset, str_z(&items));
}

static struct job *new_job(struct world *w, enum job_what what, const char *path)
{
        struct job *j = &w->jobs[w->n_jobs++];

        if (w->n_jobs == JOBS_MAX)
                abort();
        *j = (struct job){.what = what, .md5 = -1};
        str_copy(j->path, sizeof(j->path), path);
        return j;
}

/* Done at once, done later, or not; and told, or not. */
static const char *say_done(struct world *w, struct job *j)
{
        const char *told;

        if (!seed_chance(w->seed, w->faults))
                return cloud_do(w, j);
        switch (seed_below(w->seed, 5)) {
        case 0:
        case 1:
                j->failed = true;
                return say_no(w);
        case 2: /* the answer is lost */
                cloud_do(w, j);
                return seed_chance(w->seed, 50) ? "fault broken" : "504 html";
        case 3: /* by and by */
                j->pending = true;
                j->due_ms = w->play.now_ms + seed_below(w->seed, 8000);
                return say("202 op %ld", (long)(j - w->jobs));
        default: /* accepted, and then not done */
                j->failed = true;
                told = seed_chance(w->seed, 50) ? "202 op %ld" : "202 op 9%ld";
                return str_eq(told, "202 op %ld") ? say("202 op %ld", (long)(j - w->jobs))
                                                  : say("202 op 9%ld", (long)(j - w->jobs));
        }
}

static const char *say_stored(struct world *w, struct job *j)
{
        const char *told;

        w->sent++;
        if (!seed_chance(w->seed, w->faults)) {
                told = cloud_do(w, j);
                return *told == '2' ? "201 all 11" : told;
        }
        switch (seed_below(w->seed, 6)) {
        case 0:
                w->sent--;
                return seed_chance(w->seed, 50) ? "410" : "fault broken";
        case 1: /* not stored, and nobody says so */
                return seed_chance(w->seed, 50) ? "fault broken all 11" : "500 all 11";
        case 2: /* stored, and nobody says so */
                cloud_do(w, j);
                return seed_chance(w->seed, 50) ? "fault stalled all 11" : "502 all 11 html";
        case 3: /* stored later than the answer is lost */
                j->pending = true;
                j->due_ms = w->play.now_ms + seed_below(w->seed, 3000);
                return "fault broken all 11";
        case 4:
                j->pending = true;
                j->due_ms = w->play.now_ms + seed_below(w->seed, 8000);
                return "202 all 11";
        default:
                j->failed = true;
                return "202 all 11";
        }
}

static const char *say_progress(struct world *w, const char *id)
{
        unsigned long at = strtoul(id, NULL, 10);

        if (at >= w->n_jobs || seed_chance(w->seed, w->faults / 4))
                return "404 error DiskOperationNotFoundError";
        return w->jobs[at].pending  ? "200 status in-progress"
               : w->jobs[at].failed ? "200 status failed"
                                    : "200 status success";
}

static const char *say_link(struct world *w, const char *path, bool overwrite)
{
        const struct entry *there = tree_find(&w->cloud, path);
        struct job *j;

        if (!cloud_has_parent(w, path))
                return "409 error DiskPathDoesntExistsError";
        if (there && there->kind == KIND_DIR)
                return "409 error DiskPathPointsToExistentDirectoryError";
        if (there && !overwrite)
                return "409 error DiskResourceAlreadyExistsError";
        j = new_job(w, JOB_STORE, path);
        j->overwrite = overwrite;
        return say("200 link https://up/%ld %ld", (long)(j - w->jobs), (long)(j - w->jobs));
}

static const char *say_made(struct world *w, const char *path)
{
        if (str_starts(path, "disk:") || str_eq(path, "/") || tree_find(&w->cloud, path))
                return "409 error DiskPathPointsToExistentDirectoryError";
        if (!cloud_has_parent(w, path))
                return "409 error DiskPathDoesntExistsError";
        cloud_put(w, path, KIND_DIR, 0, 0);
        return "201";
}

static const char *say_looked(struct world *w, const char *path)
{
        const struct entry *e = tree_find(&w->cloud, path);

        if (str_eq(path, w->path))
                w->trusting = e && e->md5[0] == OLD;
        return say_entry(e);
}

static const char *say_http(struct world *w)
{
        char verb[16] = "", path[64] = "", third[64] = "";
        struct job *j;

        sscanf(str_z(&w->play.shown), "%15s %63s %63s", verb, path, third);
        if (str_eq(verb, "send"))
                return say_stored(w, &w->jobs[atoi(path + strlen("https://up/"))]);
        if (str_eq(verb, "trash") || str_eq(verb, "erase")) {
                j = new_job(w, JOB_DELETE, path);
                j->erase = *verb == 'e';
                j->md5 = *third ? (int)strtol(third + 1, NULL, 16) : -1;
                return say_done(w, j);
        }
        if (str_starts(verb, "move")) {
                j = new_job(w, JOB_MOVE, path);
                str_copy(j->to, sizeof(j->to), third);
                j->overwrite = verb[4] == '!';
                return say_done(w, j);
        }
        if (seed_chance(w->seed, w->faults / 2))
                return say_no(w);
        if (str_eq(verb, "look"))
                return say_looked(w, path);
        if (str_eq(verb, "list"))
                return say_page(w, path, (unsigned)atoi(third));
        if (str_eq(verb, "poll"))
                return say_progress(w, path);
        if (str_eq(verb, "mkdir"))
                return say_made(w, path);
        return say_link(w, path, verb[4] == '!');
}

/* ---- this side ------------------------------------------------------------------------------- */

static void write_record(struct world *w, const struct record *r)
{
        struct entry e = r->entry;

        switch (r->verb) {
        case RECORD_ROW:
                tree_remove(&w->snapshot, e.key);
                tree_add(&w->snapshot, &e);
                return;
        case RECORD_FORGET_TREE:
                for (size_t i = w->snapshot.n; i-- > 0;)
                        if (entry_key_below(w->snapshot.items[i].key, e.key))
                                tree_remove(&w->snapshot, w->snapshot.items[i].key);
                tree_remove(&w->snapshot, e.key);
                return;
        case RECORD_FORGET:
                tree_remove(&w->snapshot, e.key);
                return;
        case RECORD_INTENT:
                e.key = r->wire;
                tree_add(&w->intents, &e);
                return;
        case RECORD_INTENT_DONE:
                tree_remove(&w->intents, r->wire);
                return;
        case RECORD_MOVE:
        case RECORD_VERIFIED:
        case RECORD_REMNANT:
        case RECORD_REMOTE:
        case RECORD_REMOTE_CLEAR:
        case RECORD_META:
        case RECORD_DOUBT:
        case RECORD_DOUBT_DONE:
                return;
        }
}

static const char *say_known(struct world *w)
{
        _cleanup_(str_finish) struct str rows = STR_NULL(4000);
        const char *folder = w->play.ask.key;

        tree_sort(&w->snapshot);
        for (size_t i = 0; i < w->snapshot.n; i++) {
                const struct entry *e = &w->snapshot.items[i];

                if (!entry_key_below(e->key, folder) || entry_key_parent(e->key) != strlen(folder))
                        continue;
                str_addf(&rows, "%s%c %s %" PRIu64 " #%02x", rows.len ? "|" : "",
                         e->kind == KIND_DIR ? 'd' : 'f', e->key, e->size, e->md5[0]);
        }
        return say("known %s", str_z(&rows));
}

static const char *say_answer(struct world *w)
{
        switch (w->play.ask.want) {
        case ASK_HTTP:
                return say_http(w);
        case ASK_RECORD:
                for (size_t i = 0; i < w->play.ask.n_records; i++)
                        write_record(w, &w->play.ask.records[i]);
                return "ok";
        case ASK_DIGEST:
                return "md5 11";
        case ASK_LOOK:
                return "here gone";
        case ASK_KNOWN:
                return say_known(w);
        case ASK_WAIT:
                return "woke";
        case ASK_DONE:
                break;
        }
        abort();
}

/* In the cloud "/d/W1" stands for the long name. */
static bool is_wire(const char *path)
{
        const char *name = entry_key_name(path);

        return name[0] == 'W' && name[2] == '\0';
}

/* What stands under a wire name is written down, so that it can be found again. */
static void check_wires(const struct world *w)
{
        for (size_t i = 0; i < w->cloud.n; i++) {
                const char *path = w->cloud.items[i].key;

                if (is_wire(path) &&
                    !tree_find(&w->intents, play_wire((unsigned)(entry_key_name(path)[1] - '0'))))
                        check_fail("%s is nobody's", path);
        }
}

static void interfere(struct world *w)
{
        if (!w->somebody_else || w->trusting || !seed_chance(w->seed, 8))
                return;
        if (seed_chance(w->seed, 30))
                tree_remove(&w->cloud, w->path);
        else if (cloud_has_parent(w, w->path) && w->next_foreign < 0xff)
                cloud_put(w, w->path, KIND_FILE, 3 + seed_below(w->seed, 4), w->next_foreign++);
}

/* Plays until the end, or `most` asks; returns whether it has ended. */
static bool play_flow(struct world *w, struct flow *flow, unsigned most)
{
        int64_t now_ms = w->play.now_ms;
        const char *give = "start";

        str_finish(&w->play.shown);
        play_begin(&w->play, flow);
        if (now_ms > w->play.now_ms)
                w->play.now_ms = now_ms;
        while (!w->play.over && w->play.asks < most && !check_failed) {
                struct outcome in;

                play_outcome(&w->play, give, &in);
                in.random = (uint32_t)seed_next(w->seed);
                play_tell(&w->play, &in);
                play_outcome_finish(&in);
                str_addf(&w->story, "# %" PRId64 ": %s -> %s\n", w->play.now_ms, give,
                         str_z(&w->play.shown));
                cloud_goes_on(w, w->play.now_ms);
                interfere(w);
                check_wires(w);
                if (!w->play.over)
                        give = say_answer(w);
        }
        if (w->play.over) {
                static char text[1100];

                str_copy(text, sizeof(text), w->play.ask.end.text);
                w->play.ask.end.text = text;
        }
        flow_destroy(w->play.flow);
        w->play.flow = NULL;
        return w->play.over;
}

static void world_init(struct world *w, struct seed *s)
{
        *w = (struct world){
                .seed = s, .next_foreign = FOREIGN, .path = "", .story = STR_NULL(1 << 24)};
        w->play.now_ms = 1000;
        w->faults = seed_chance(s, 25) ? 0 : 5 + seed_below(s, 50);
        tree_init(&w->cloud, "");
        tree_init(&w->snapshot, "");
        tree_init(&w->intents, "");
}

static void world_finish(struct world *w)
{
        str_finish(&w->play.shown);
        str_finish(&w->story);
        tree_finish(&w->cloud);
        tree_finish(&w->snapshot);
        tree_finish(&w->intents);
}

static void explain(const struct world *w)
{
        printf("%s# in the cloud:", str_z(&w->story));
        for (size_t i = 0; i < w->cloud.n; i++)
                printf(" %s %02x|", w->cloud.items[i].key, w->cloud.items[i].md5[0]);
        printf("\n");
}

/* ---- putting --------------------------------------------------------------------------------- */

/* As the daemon would: from the row, if there is one, and the intent of an earlier run. */
static struct flow *put_of(struct world *w, bool disguised, unsigned wire)
{
        const struct entry *row = tree_find(&w->snapshot, w->path + 1);
        char entry[80], known[40];
        struct play_put put = {.entry = entry,
                               .known = row ? known : NULL,
                               .disguise = disguised ? DISGUISE_ALWAYS : DISGUISE_NEVER,
                               .verify = (enum put_verify)seed_below(w->seed, 3)};
        struct op op;
        struct put_args args = {.yadisk = &play_yadisk,
                                .op = &op,
                                .disguise = put.disguise,
                                .verify = put.verify,
                                .wire = play_wire(wire)};

        snprintf(entry, sizeof(entry), "f %s %d", w->path + 1, NEW_SIZE);
        op = *play_op(OP_PUT, entry);
        if (row) {
                snprintf(known, sizeof(known), "%" PRIu64 " #%02x", row->size, row->md5[0]);
                op.was_known = true;
                op.known_size = row->size;
                memcpy(op.known_md5, row->md5, sizeof(op.known_md5));
        }
        if (w->intents.n > 0)
                args.leftover = w->intents.items[w->intents.n - 1].key;
        return flow_put(&args);
}

static void begin_put(struct world *w)
{
        w->path = seed_chance(w->seed, 50) ? "/a" : "/d/a";
        if (!str_eq(w->path, "/a") && seed_chance(w->seed, 80))
                cloud_put(w, "/d", KIND_DIR, 0, 0);
        if (!cloud_has_parent(w, w->path))
                return;
        switch (seed_below(w->seed, 5)) {
        case 0:
                cloud_put(w, w->path, KIND_FILE, NEW_SIZE, NEW);
                return;
        case 1:
                cloud_put(w, w->path, KIND_FILE, 3 + seed_below(w->seed, 4), w->next_foreign++);
                return;
        case 2:
        case 3:
                cloud_put(w, w->path, KIND_FILE, 4, OLD);
                break;
        case 4:
                return;
        }
        tree_add(&w->snapshot, tree_find(&w->cloud, w->path));
        free((char *)w->snapshot.items[0].key);
        w->snapshot.items[0].key = str_dup(w->path + 1);
}

static void check_put_end(const struct world *w)
{
        const struct entry *there = tree_find(&w->cloud, w->path);
        const struct entry *row = tree_find(&w->snapshot, w->path + 1);
        enum end_kind kind = w->play.ask.end.kind;

        if (kind != END_DONE && kind != END_NOTHING)
                return;
        if (!row || row->md5[0] != NEW)
                check_fail("done, and the row is of something else");
        if (!w->somebody_else && (!there || there->md5[0] != NEW || there->size != NEW_SIZE))
                check_fail("done, and it is not there");
}

/* Nothing of ours is lost on the way: the older version stands there until the new one is up. */
static bool old_or_new_is_there(const struct world *w)
{
        for (size_t i = 0; i < w->cloud.n; i++)
                if (w->cloud.items[i].md5[0] == NEW || w->cloud.items[i].md5[0] == OLD)
                        return true;
        return false;
}

static void sweep_all(struct world *w)
{
        w->faults = 0;
        for (unsigned round = 0; round < 10 && w->intents.n > 0; round++) {
                _cleanup_(freep) char *wire = str_dup(w->intents.items[0].key);

                w->play.now_ms += 3600000;
                play_flow(w, flow_sweep(&play_yadisk, w->path + 1, wire, NEW_SIZE, PLAY_WALL_MS),
                          ASKS_MAX);
        }
        check_eq(w->intents.n, 0);
        for (size_t i = 0; i < w->cloud.n; i++)
                if (is_wire(w->cloud.items[i].key))
                        check_fail("%s is left for good", w->cloud.items[i].key);
}

static void play_put_whole(struct seed *s)
{
        static struct world w;
        bool had_one;

        world_init(&w, s);
        begin_put(&w);
        w.somebody_else = seed_chance(s, 40);
        had_one = !w.somebody_else && old_or_new_is_there(&w);
        if (!play_flow(&w, put_of(&w, seed_chance(s, 60), 1), ASKS_MAX) && !check_failed)
                check_fail("no end");
        check_put_end(&w);
        if (w.faults == 0 && !w.somebody_else)
                check(w.play.ask.end.kind == END_DONE || w.play.ask.end.kind == END_NOTHING);
        if (had_one)
                check(old_or_new_is_there(&w));
        cloud_goes_on(&w, INT64_MAX);
        w.somebody_else = false;
        sweep_all(&w);
        if (check_failed)
                explain(&w);
        world_finish(&w);
}

TEST(put_on_a_service_with_faults)
{
        seed_run(4000, play_put_whole);
}

/* Under the wire name that was written down last. */
static bool newest_has_arrived(const struct world *w)
{
        for (size_t i = 0; i < w->cloud.n; i++) {
                const char *name = entry_key_name(w->cloud.items[i].key);

                if (w->intents.n > 0 && is_wire(w->cloud.items[i].key) &&
                    str_eq(play_wire((unsigned)(name[1] - '0')),
                           w->intents.items[w->intents.n - 1].key))
                        return true;
        }
        return false;
}

/* Killed at any ask; what was under way comes in or not; then once more, undisturbed. */
static void play_put_killed(struct seed *s)
{
        static struct world w;
        const struct entry *e;
        bool disguised = seed_chance(s, 70), arrived;
        unsigned runs = 1 + seed_below(s, 3);

        world_init(&w, s);
        begin_put(&w);
        for (unsigned run = 1; run <= runs; run++) {
                play_flow(&w, put_of(&w, disguised, run), 1 + seed_below(s, 14));
                w.play.now_ms += seed_below(s, 10000);
                cloud_goes_on(&w, w.play.now_ms);
        }
        cloud_goes_on(&w, INT64_MAX);
        w.faults = 0;
        w.sent = 0;
        e = tree_find(&w.cloud, w.path);
        arrived = (e && e->md5[0] == NEW) || newest_has_arrived(&w);
        play_flow(&w, put_of(&w, disguised, runs + 1), ASKS_MAX);
        check(w.play.over && (w.play.ask.end.kind == END_DONE ||
                              w.play.ask.end.kind == END_NOTHING));
        check_put_end(&w);
        if (arrived)
                check_eq(w.sent, 0); /* nothing is sent twice that had arrived */
        check(w.sent <= 1);
        sweep_all(&w);
        e = tree_find(&w.cloud, w.path);
        check(e && e->md5[0] == NEW);
        if (check_failed)
                explain(&w);
        world_finish(&w);
}

TEST(put_killed_and_begun_anew)
{
        seed_run(4000, play_put_killed);
}

/* ---- dropping -------------------------------------------------------------------------------- */

/* A tree in the snapshot, and in the cloud nearly the same. */
static void grow(struct world *w, const char *key, unsigned depth, bool ours)
{
        static const char *const names[] = {"a", "b", "c"};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                struct entry e = {.kind = KIND_FILE, .size = 4, .has_md5 = true};
                bool one_is_ours;
                char path[64];

                snprintf(path, sizeof(path), "/%s/%s", key, names[i]);
                e.key = path + 1;
                memset(e.md5, OLD, sizeof(e.md5));
                if (seed_chance(w->seed, 35))
                        continue;
                if (depth < 3 && seed_chance(w->seed, 40)) {
                        e.kind = KIND_DIR;
                        e.size = 0;
                }
                one_is_ours = ours && !seed_chance(w->seed, 4);
                if (one_is_ours)
                        tree_add(&w->snapshot, &e);
                if (!one_is_ours || seed_chance(w->seed, 4)) /* it came, or was changed, there */
                        memset(e.md5, (int)w->next_foreign++, sizeof(e.md5));
                if (!seed_chance(w->seed, 5)) /* or was removed there */
                        cloud_put(w, path, e.kind, e.size, e.md5[0]);
                if (e.kind == KIND_DIR && tree_find(&w->cloud, path))
                        grow(w, path + 1, depth + 1, one_is_ours);
        }
}

static bool is_ours(const struct tree *known, const struct entry *e)
{
        const struct entry *row = tree_find(known, e->key + 1);

        return row && row->kind == e->kind && (e->kind == KIND_DIR || row->md5[0] == e->md5[0]);
}

static void check_dropped(const struct world *w, const struct tree *known, const struct tree *first)
{
        for (size_t i = 0; i < first->n; i++) {
                const struct entry *e = &first->items[i];
                bool still = tree_find(&w->cloud, e->key);

                if (!is_ours(known, e) && e->kind == KIND_FILE && !still)
                        check_fail("%s was not ours", e->key);
                if (is_ours(known, e) && e->kind == KIND_FILE && still)
                        check_fail("%s was ours, and stays", e->key);
        }
        check_eq(w->snapshot.n, 0);
}

/* A folder that is gone here: in one call where all is ours, piece by piece where it is not. */
static void play_drop(struct seed *s)
{
        static struct world w;
        struct drop_args args = {.yadisk = &play_yadisk, .permanently = seed_chance(s, 50)};
        struct entry top = {.key = "t", .kind = KIND_DIR};
        struct tree known, first;
        enum end_kind kind;

        world_init(&w, s);
        w.foreign_stays = true;
        tree_init(&known, "");
        tree_init(&first, "");
        tree_add(&w.snapshot, &top);
        cloud_put(&w, "/t", KIND_DIR, 0, 0);
        grow(&w, "t", 1, true);
        tree_sort(&w.cloud);
        for (size_t i = 0; i < w.snapshot.n; i++)
                tree_add(&known, &w.snapshot.items[i]);
        for (size_t i = 0; i < w.cloud.n; i++)
                tree_add(&first, &w.cloud.items[i]);
        args.op = play_op(OP_DROP_TREE, "d t");
        for (unsigned pass = 0; pass < 20 && w.snapshot.n > 0 && !check_failed; pass++) {
                if (pass > 10)
                        w.faults = 0;
                play_flow(&w, flow_drop(&args), ASKS_MAX);
                kind = w.play.ask.end.kind;
                if (kind == END_FOREIGN)
                        play_flow(&w, flow_apart(&args), ASKS_MAX);
                check(w.play.over);
                cloud_goes_on(&w, INT64_MAX);
        }
        check_dropped(&w, &known, &first);
        if (check_failed)
                explain(&w);
        tree_finish(&known);
        tree_finish(&first);
        world_finish(&w);
}

TEST(drop_on_a_service_with_faults)
{
        seed_run(3000, play_drop);
}
