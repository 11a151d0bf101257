/* SPDX-License-Identifier: MIT */

/*
 * The control socket of a daemon that runs on: any bytes as what a program says there, in one piece
 * or in several.  Answers are JSON objects in UTF-8, a refusal says why; nothing outside the watched
 * folder is told of; only a POST changes something, and only the id of the held plan approves it;
 * and the next one is served.
 *
 * The mirror behind the desk is a stand-in that counts what it is told.
 */

#include "daemon/approval.h"
#include "daemon/desk.h"
#include "daemon/pause.h"
#include "lib/base/str.h"
#include "tests/fuzz/fuzz.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define HELD "0123456789abcdef"
#define SECRET "sesame-open-thyself" /* in a file beside the watched folder */
#define ANSWER_MAX (1 << 20)
#define PIECES_MAX 8

static char top[] = "desk", state[] = "desk/state", folder[512]; /* below the runner's folder */
static uv_loop_t loop;
static struct store *store;
static struct desk *desk;
static struct config config;
static struct quota quota;
static struct cycle_compare compare = {.runs = 1};
static struct cycle_view cycle;
static bool paused;
static unsigned changes; /* that the mirror was told of */

/* ---- a mirror --------------------------------------------------------------------------------- */

void mirror_view(struct mirror *m, struct mirror_view *ret)
{
        must(!m);
        *ret = (struct mirror_view){
                .config = &config, .cycle = paused ? NULL : &cycle, .paused = paused, .next_ms = -1};
}

int mirror_look(struct mirror *m)
{
        must(!m);
        changes++;
        return paused ? -EBUSY : 0;
}

int mirror_compare(struct mirror *m, bool repair)
{
        must(!m);
        changes++;
        compare.repair = repair;
        cycle.compare = &compare;
        return paused ? -EBUSY : 0;
}

void mirror_pause(struct mirror *m)
{
        must(!m);
        changes++;
        paused = true;
}

void mirror_resume(struct mirror *m)
{
        must(!m);
        changes++;
        paused = false;
}

/* One file is being sent. */
void engine_transfers(const struct engine *e,
                      void (*show)(void *userdata, const struct entry *file, uint64_t sent),
                      void *userdata)
{
        static const struct entry file = {.key = "d/f", .kind = KIND_FILE, .size = 4};

        must(!e);
        show(userdata, &file, 2);
}

/* ---- the world -------------------------------------------------------------------------------- */

static void make_file(const char *name, const char *text)
{
        char path[128];
        int fd;

        snprintf(path, sizeof(path), "%s/%s", top, name);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
        close(fd);
}

static void make_folder(const char *name)
{
        char path[128];

        snprintf(path, sizeof(path), "%s/%s", top, name);
        must(mkdir(path, 0700) == 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
        (void)st, (void)type, (void)ftw;
        return remove(path);
}

static void remove_all(void)
{
        nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_world(void)
{
        char here[256];

        must(getcwd(here, sizeof(here)));
        snprintf(folder, sizeof(folder), "%s/desk/src", here);
        remove_all();
        must(mkdir(top, 0700) == 0);
        make_folder("state");
        make_folder("src");
        make_folder("src/d");
        make_file("src/d/f", "abc");
        make_file("src/new", "n");
        make_file("src/.ydignore", "*.tmp\n/left/\n");
        make_file("src/x.tmp", "t");
        make_file("beside", SECRET);
        must(symlink("../beside", "desk/src/link") == 0);
}

static void make_snapshot(void)
{
        const struct record records[] = {
                {.verb = RECORD_ROW, .entry = {.key = "", .kind = KIND_DIR}},
                {.verb = RECORD_ROW, .entry = {.key = "d", .kind = KIND_DIR}},
                {.verb = RECORD_ROW,
                 .entry = {.key = "d/f", .kind = KIND_FILE, .size = 3, .has_md5 = true}},
                {.verb = RECORD_ROW,
                 .entry = {.key = "gone", .kind = KIND_FILE, .size = 3, .has_md5 = true}},
                {.verb = RECORD_META, .name = "held", .value = (char *)HELD},
        };
        struct err err = ERR_NONE;

        must(store_open(&store, state, 0, &err) == 0);
        must(store_commit(store, records, ARRAY_SIZE(records), &err) == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
        static const struct entry failing = {.key = "new", .kind = KIND_FILE};
        static struct failures *failures;
        struct err err = ERR_NONE;

        (void)argc, (void)argv;
        clearenv();
        atexit(remove_all);
        make_world();
        make_snapshot();
        config = (struct config){.folder = folder,
                                 .state_dir = state,
                                 .cloud = (char *)"disk:/Backup",
                                 .exclude = (char *)"*.bak"};
        failures = failures_create();
        must(failures);
        failures_add(failures, &failing, "it does not work", 0, 0);
        cycle = (struct cycle_view){.failures = failures, .quota = &quota, .held = HELD};
        must(uv_loop_init(&loop) == 0);
        must(desk_open(&desk, &loop, NULL, state, &err) == 0);
        return 0;
}

/* ---- asking ----------------------------------------------------------------------------------- */

static int call(void)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "desk/state/control"};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        must(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
        return fd;
}

/* The next bytes of the answer; false at its end. */
static bool hear(int fd, struct str *answer)
{
        char piece[4096];
        ssize_t n = recv(fd, piece, sizeof(piece), 0);

        if (n > 0)
                str_add(answer, piece, (size_t)n);
        return n > 0 || (n < 0 && errno == EAGAIN);
}

/* Until the other end or the loop has something to do, which may be a timer. */
static void wait_for(int fd)
{
        struct pollfd fds[] = {{.fd = fd, .events = POLLIN},
                               {.fd = uv_backend_fd(&loop), .events = POLLIN}};

        poll(fds, ARRAY_SIZE(fds), uv_backend_timeout(&loop));
}

/* Says the bytes, with a turn of the loop after each piece, and hears until the other end is done. */
static void ask(const uint8_t *data, size_t size, size_t piece, struct str *answer)
{
        int fd = call();

        while (size > 0) {
                size_t now = size < piece ? size : piece;
                ssize_t n = send(fd, data, now, MSG_NOSIGNAL);

                if (n < 0 && errno != EAGAIN)
                        break; /* it has heard enough */
                data += n > 0 ? n : 0;
                size -= n > 0 ? (size_t)n : 0;
                uv_run(&loop, UV_RUN_NOWAIT);
                hear(fd, answer);
        }
        shutdown(fd, SHUT_WR);
        while (hear(fd, answer)) {
                uv_run(&loop, UV_RUN_NOWAIT);
                wait_for(fd);
        }
        close(fd);
        uv_run(&loop, UV_RUN_NOWAIT);
        must(!answer->failed);
}

/* ---- what holds ------------------------------------------------------------------------------- */

static void check_utf8(const char *s, size_t len)
{
        for (size_t i = 0; i < len; i += str_utf8(s + i))
                must(s[i] && str_utf8(s + i) > 0);
}

static void check_path(const cJSON *path)
{
        const char *s = cJSON_GetStringValue(path);

        if (!s)
                return;
        must(*s != '/' && !str_eq(s, "..") && !str_starts(s, "../") && !strstr(s, "/../"));
}

static void check_body(int status, const char *body, size_t len)
{
        cJSON *o = cJSON_ParseWithLength(body, len);

        check_utf8(body, len);
        must(cJSON_IsObject(o) && len > 0 && body[len - 1] == '\n');
        must((status == 200) == !cJSON_HasObjectItem(o, "error"));
        check_path(cJSON_GetObjectItemCaseSensitive(o, "path"));
        cJSON_Delete(o);
}

/* The answers, one behind the other; what libmicrohttpd itself says of nonsense is not JSON. */
static unsigned check_answers(const char *s)
{
        unsigned n = 0;

        while (str_starts(s, "HTTP/1.")) {
                const char *body = strstr(s, "\r\n\r\n"), *length = strstr(s, "Content-Length: ");
                int status = atoi(s + 9);
                size_t len;

                if (!body || !length || length > body)
                        break;
                body += 4;
                len = strtoul(length + 16, NULL, 10);
                if (*body == '\0' || str_starts(body, "HTTP/1.")) {
                        s = body; /* of a HEAD, which has none */
                        continue;
                }
                must(len <= strlen(body));
                must(status >= 200 && status < 600 && status != 500);
                if (memmem(s, (size_t)(body - s), "application/json", 16))
                        check_body(status, body, len);
                s = body + len;
                n++;
        }
        return n;
}

/* What may have been changed by these bytes. */
static void check_changes(const uint8_t *data, size_t size)
{
        bool post = memmem(data, size, "POST", 4);
        char approved[64];

        if (changes > 0 || pause_is_set(state))
                must(post);
        must(pause_is_set(state) == paused);
        if (approval_read(state, approved, sizeof(approved)))
                must(post && str_eq(approved, HELD));
        else
                must(access("desk/state/approved", F_OK) < 0);
}

static void forget(void)
{
        struct err err = ERR_NONE;

        approval_remove(state);
        must(pause_set(state, false, &err) == 0);
        paused = false;
        changes = 0;
        cycle.compare = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char good[] = "GET /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        struct str answer = STR_NULL(ANSWER_MAX);
        bool whole = size == 0 || data[size - 1] % 2;

        if (memmem(data, size, SECRET, strlen(SECRET)))
                return -1; /* an answer may repeat what was asked */
        ask(data, size, whole ? size + 1 : size / PIECES_MAX + 1, &answer);
        must(!strstr(str_z(&answer), SECRET));
        check_answers(str_z(&answer));
        check_changes(data, size);
        forget();
        str_finish(&answer);
        answer = STR_NULL(ANSWER_MAX);
        ask((const uint8_t *)good, sizeof(good) - 1, sizeof(good), &answer);
        must(str_starts(str_z(&answer), "HTTP/1.1 200 ") && check_answers(str_z(&answer)) == 1);
        str_finish(&answer);
        return 0;
}
