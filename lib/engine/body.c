/* SPDX-License-Identifier: MIT */

#include "lib/engine/body.h"

#include "lib/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#define BODY_CHUNK (512 * 1024)

struct body_buffer {
        char *data;
        size_t len; /* bytes in it; 0: free */
        size_t at;  /* of them handed out */
};

struct body {
        uv_work_t work;
        void (*ready)(void *userdata);
        void *userdata;
        bool working;    /* a read is under way on the pool */
        bool orphaned;   /* free it when that read has ended */

        struct source_root root;
        struct entry expected;
        struct source *source;
        size_t chunk;
        uint64_t read;        /* bytes of the file so far */
        struct body_buffer buffers[2];
        unsigned fill, drain; /* which buffer is read into, and handed out, next */
        bool begun;           /* the first read has come back */
        bool ended;           /* all was read: the md5 is known */
        int error;
        uint8_t md5[16];
        int64_t began_ns;
};

static void body_free(struct body *b)
{
        source_close(b->source);
        closep(&b->root.fd);
        free(b->buffers[0].data);
        free(b->buffers[1].data);
        free((char *)b->expected.key);
        free(b);
}

static int64_t body_wall_ns(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_REALTIME, &ts);
        return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Fills one buffer, and notes the end when it is reached.  Runs on the pool; while it runs, the
 * loop touches nothing but the other buffer. */
static void body_work(uv_work_t *work)
{
        struct body *b = CONTAINER_OF(work, struct body, work);
        struct body_buffer *buffer = &b->buffers[b->fill];
        int r;

        if (!b->source) {
                b->began_ns = body_wall_ns();
                r = source_open(&b->source, &b->root, &b->expected);
                if (r < 0) {
                        b->error = -r;
                        return;
                }
        }
        if (!buffer->data)
                buffer->data = malloc(b->chunk);
        if (!buffer->data) {
                b->error = ENOMEM;
                return;
        }
        buffer->at = 0;
        while (buffer->len < b->chunk || b->read == b->expected.size) {
                size_t room = b->chunk - buffer->len;
                ssize_t n = source_read(b->source, buffer->data + buffer->len, room ? room : 1);

                if (n < 0) {
                        b->error = (int)-n;
                        return;
                }
                if (n == 0) {
                        source_md5(b->source, b->md5);
                        b->ended = true;
                        return;
                }
                buffer->len += (size_t)n;
                b->read += (uint64_t)n;
        }
}

static void body_start_read(struct body *b);

static void body_worked(uv_work_t *work, int status _unused_)
{
        struct body *b = CONTAINER_OF(work, struct body, work);

        b->working = false;
        if (b->orphaned) {
                body_free(b);
                return;
        }
        b->begun = true;
        if (b->buffers[b->fill].len > 0)
                b->fill ^= 1;
        body_start_read(b);
        b->ready(b->userdata);
}

static void body_start_read(struct body *b)
{
        if (b->working || b->ended || b->error || b->buffers[b->fill].len > 0)
                return;
        b->working = uv_queue_work(b->work.loop, &b->work, body_work, body_worked) == 0;
        if (!b->working)
                b->error = ENOMEM;
}

int body_create(struct body **ret, uv_loop_t *loop, const struct source_root *root,
                const struct entry *expected, void (*ready)(void *userdata), void *userdata)
{
        struct body *b = calloc(1, sizeof(*b));

        if (!b)
                return -ENOMEM;
        b->work.loop = loop;
        b->ready = ready;
        b->userdata = userdata;
        /* Of its own: a read that nobody waits for any more must not meet a closed descriptor, or
         * one that by then leads elsewhere. */
        b->root = *root;
        b->root.fd = fcntl(root->fd, F_DUPFD_CLOEXEC, 0);
        b->expected = *expected;
        b->expected.key = str_dup(expected->key);
        /* One byte more than a small file has: its end is then seen by the same read. */
        b->chunk = expected->size < BODY_CHUNK ? (size_t)expected->size + 1 : BODY_CHUNK;
        if (!b->expected.key || b->root.fd < 0) {
                body_free(b);
                return -EMFILE;
        }
        body_start_read(b);
        if (!b->working) {
                body_free(b);
                return -ENOMEM;
        }
        *ret = b;
        return 0;
}

void body_destroy(struct body *b)
{
        if (!b)
                return;
        if (b->working)
                b->orphaned = true;
        else
                body_free(b);
}

bool body_ready(const struct body *b)
{
        if (!b->working)
                return b->begun;
        /* The buffer that is being read into is not ours to look at. */
        return b->drain != b->fill && b->buffers[b->drain].len > 0;
}

ssize_t body_read(struct body *b, void *out, size_t size)
{
        struct body_buffer *buffer = &b->buffers[b->drain];
        size_t n;

        if (!body_ready(b))
                return BODY_WAIT;
        if (!b->working && b->error)
                return BODY_ERROR;
        if (buffer->len == 0)
                return 0;
        n = buffer->len - buffer->at < size ? buffer->len - buffer->at : size;
        memcpy(out, buffer->data + buffer->at, n);
        buffer->at += n;
        if (buffer->at == buffer->len) {
                buffer->len = 0;
                b->drain ^= 1;
                body_start_read(b);
        }
        return (ssize_t)n;
}

int body_error(const struct body *b)
{
        return b->working ? 0 : b->error;
}

bool body_whole(const struct body *b)
{
        return !b->working && b->ended;
}

void body_md5(const struct body *b, uint8_t ret_md5[16])
{
        memcpy(ret_md5, b->md5, 16);
}

int64_t body_began_ns(const struct body *b)
{
        return b->began_ns;
}
