/* SPDX-License-Identifier: MIT */

/*
 * Ops on disk, in blocks.
 *
 * A block is a header (magic, length, number of ops, checksum) and its records.  It is read whole,
 * its checksum compared, and only then are records taken out of it: a disk that was full, another
 * program's write or a mistake of ours gives an error and never a wrong op.
 *
 * Within a block a record tells only in what it differs from the one before.  Ops come in tree
 * order, so that keys mostly share their beginning and inodes and times lie near each other.
 */

#include "lib/store/spool.h"

#include "lib/base/str.h"
#include "lib/store/sum.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#define BLOCK_FULL (64 << 10) /* a block is written when it has this many bytes */
#define BLOCK_MAX (2 << 20)   /* a longer one is not ours: BLOCK_FULL and the longest record */
#define KEY_MAX (1 << 20)
#define MAGIC 0x4c505359u     /* "YSPL" */

struct spool_head {
        uint32_t magic;
        uint32_t bytes; /* of the records that follow */
        uint32_t ops;
        uint32_t sum;   /* of the records, `ops` and the block's place in the file */
};

struct spool {
        int fd;
        char *dir;        /* for sentences */
        struct str block; /* records being gathered, or those being read */
        size_t at;        /* reading: next byte of `block` */
        uint32_t ops;     /* adding: records in `block`; reading: those left in it */
        off_t offset;     /* where the next block stands */
        uint64_t added, given;
        bool reading;
        int failed;       /* errno of a write that failed: the file has a hole in it */
        int broken;       /* negative errno of a read that failed; until the next rewind */
        struct op last;   /* the record before, key excepted */
        struct str key;   /* its key */
        struct str from;  /* its `from`, of a move */
};

/* ---- the file ------------------------------------------------------------------------------ */

static int spool_file(int *ret, const char *dir, struct err *err)
{
        _cleanup_(freep) char *path = NULL;
        int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);

        if (fd >= 0) {
                *ret = fd;
                return 0;
        }
        /* This is how kernels and file systems say that they do not know O_TMPFILE. */
        if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
                return err_errno(err, errno, "cannot make a temporary file in %s", dir);
        if (asprintf(&path, "%s/spool.XXXXXX", dir) < 0)
                return err_set(err, ENOMEM, "there is not enough memory for a path");
        fd = mkostemp(path, O_CLOEXEC);
        if (fd < 0)
                return err_errno(err, errno, "cannot make a temporary file in %s", dir);
        unlink(path);
        *ret = fd;
        return 0;
}

static int spool_write(struct spool *s, const void *bytes, size_t n, struct err *err)
{
        for (const char *p = bytes; n > 0;) {
                ssize_t done = pwrite(s->fd, p, n, s->offset);

                if (done < 0 && errno == EINTR)
                        continue;
                if (done <= 0) {
                        s->failed = done < 0 ? errno : EIO;
                        return err_errno(err, s->failed, "cannot write the plan to a temporary"
                                         " file in %s", s->dir);
                }
                p += done;
                n -= (size_t)done;
                s->offset += done;
        }
        return 0;
}

static int spool_full_memory(struct err *err)
{
        return err_set(err, ENOMEM, "there is not enough memory for the plan");
}

/* The number of bytes read: less than n only at the end of the file. */
static ssize_t spool_read(struct spool *s, void *bytes, size_t n, struct err *err)
{
        size_t got = 0;

        while (got < n) {
                ssize_t done = pread(s->fd, (char *)bytes + got, n - got, s->offset);

                if (done < 0 && errno == EINTR)
                        continue;
                if (done < 0)
                        return err_errno(err, errno, "cannot read the plan from a temporary file"
                                         " in %s", s->dir);
                if (done == 0)
                        break;
                got += (size_t)done;
                s->offset += done;
        }
        return (ssize_t)got;
}

static int spool_damaged(struct spool *s, struct err *err)
{
        return err_set(err, EIO, "the plan in a temporary file in %s is damaged", s->dir);
}

/* ---- blocks -------------------------------------------------------------------------------- */

/* Also over the place, so that a block cannot stand in for another one. */
static uint32_t spool_sum(const struct spool_head *head, off_t offset, const void *records)
{
        uint64_t state = MAGIC;

        sum_int(&state, (uint64_t)offset);
        sum_int(&state, head->ops);
        sum_bytes(&state, records, head->bytes);
        return sum_end(state);
}

static void spool_restart(struct spool *s)
{
        str_clear(&s->block);
        str_clear(&s->key);
        s->last = (struct op){0};
        s->at = 0;
        s->ops = 0;
}

static int spool_flush(struct spool *s, struct err *err)
{
        struct spool_head head = {
                .magic = MAGIC,
                .bytes = (uint32_t)s->block.len,
                .ops = s->ops,
        };
        int r;

        if (s->ops == 0)
                return 0;
        head.sum = spool_sum(&head, s->offset, s->block.s);
        r = spool_write(s, &head, sizeof(head), err);
        if (r == 0)
                r = spool_write(s, s->block.s, s->block.len, err);
        spool_restart(s);
        return r;
}

static int spool_load_records(struct spool *s, size_t n, struct err *err)
{
        char part[16 << 10];

        while (s->block.len < n) {
                size_t left = n - s->block.len;
                ssize_t got = spool_read(s, part, left < sizeof(part) ? left : sizeof(part), err);

                if (got < 0)
                        return (int)got;
                if (got == 0)
                        return spool_damaged(s, err);
                str_add(&s->block, part, (size_t)got);
                if (s->block.failed)
                        return spool_full_memory(err);
        }
        return 0;
}

/* 1: a block is there to be taken from; 0: the end. */
static int spool_load(struct spool *s, struct err *err)
{
        struct spool_head head;
        off_t offset = s->offset;
        ssize_t n = spool_read(s, &head, sizeof(head), err);
        int r;

        spool_restart(s);
        if (n < 0)
                return (int)n;
        if (n == 0)
                return s->given == s->added ? 0 : spool_damaged(s, err);
        if ((size_t)n < sizeof(head) || head.magic != MAGIC || head.bytes > BLOCK_MAX ||
            head.ops == 0)
                return spool_damaged(s, err);
        r = spool_load_records(s, head.bytes, err);
        if (r < 0)
                return r;
        if (head.sum != spool_sum(&head, offset, str_z(&s->block)))
                return spool_damaged(s, err);
        s->ops = head.ops;
        return 1;
}

/* ---- records: out -------------------------------------------------------------------------- */

/* Seven bits a byte, the lowest first; the last byte is below 128. */
static void spool_put(struct str *s, uint64_t v)
{
        char bytes[10];
        size_t n = 0;

        for (; v >= 0x80; v >>= 7)
                bytes[n++] = (char)(v | 0x80);
        bytes[n++] = (char)v;
        str_add(s, bytes, n);
}

/* A difference, small in both directions; it wraps, so that every pair of numbers has one. */
static void spool_put_from(struct str *s, uint64_t v, uint64_t last)
{
        uint64_t d = v - last;

        spool_put(s, d >> 63 ? ~(d << 1) : d << 1);
}

static bool spool_any(const uint8_t md5[16])
{
        static const uint8_t zero[16];

        return memcmp(md5, zero, sizeof(zero)) != 0;
}

static uint64_t spool_bits(const struct op *op)
{
        const struct entry *e = &op->entry;

        return op->verb | (uint64_t)op->there << 4 | (uint64_t)e->kind << 8 |
               (uint64_t)op->was_known << 12 | (uint64_t)op->after_drop << 13 |
               (uint64_t)op->known_unverified << 14 | (uint64_t)e->has_md5 << 15 |
               (uint64_t)spool_any(e->md5) << 16 | (uint64_t)spool_any(op->known_md5) << 17 |
               (uint64_t)spool_any(op->there_md5) << 18 | (uint64_t)op->parks << 19;
}

static void spool_put_op(struct spool *s, const struct op *op)
{
        const struct entry *e = &op->entry, *last = &s->last.entry;
        const char *z = str_z(&s->key);
        struct str *b = &s->block;
        size_t same = 0, len = strlen(e->key);

        while (e->key[same] && e->key[same] == z[same])
                same++;
        spool_put(b, same);
        spool_put(b, len - same);
        str_add(b, e->key + same, len - same);
        spool_put(b, spool_bits(op));
        spool_put(b, (uint64_t)e->err);
        spool_put(b, e->flags);
        spool_put(b, e->size);
        spool_put_from(b, (uint64_t)e->stamp.mtime_ns, (uint64_t)last->stamp.mtime_ns);
        spool_put_from(b, (uint64_t)e->stamp.ctime_ns, (uint64_t)e->stamp.mtime_ns);
        spool_put_from(b, e->stamp.ino, last->stamp.ino);
        spool_put_from(b, e->stamp.dev, last->stamp.dev);
        spool_put(b, op->known_size);
        spool_put(b, op->there_size);
        spool_put(b, op->files);
        spool_put(b, op->bytes);
        if (op->verb == OP_MOVE) {
                spool_put(b, strlen(op->from));
                str_adds(b, op->from);
        }
        if (spool_any(e->md5))
                str_add(b, e->md5, sizeof(e->md5));
        if (spool_any(op->known_md5))
                str_add(b, op->known_md5, sizeof(op->known_md5));
        if (spool_any(op->there_md5))
                str_add(b, op->there_md5, sizeof(op->there_md5));
}

/* ---- records: in --------------------------------------------------------------------------- */

/* Beyond the end of the block every number is 0, every text is short, and `at` stays behind it. */
static uint64_t spool_get(struct spool *s)
{
        uint64_t v = 0;

        for (unsigned shift = 0; shift < 64; shift += 7) {
                uint8_t byte;

                if (s->at >= s->block.len)
                        break;
                byte = (uint8_t)s->block.s[s->at++];
                v |= (uint64_t)(byte & 0x7f) << shift;
                if (byte < 0x80)
                        return v;
        }
        s->at = SIZE_MAX;
        return 0;
}

static uint64_t spool_get_from(struct spool *s, uint64_t last)
{
        uint64_t v = spool_get(s);

        return last + (v >> 1 ^ -(v & 1));
}

static void spool_get_bytes(struct spool *s, void *ret, size_t n)
{
        if (s->at > s->block.len || n > s->block.len - s->at) {
                s->at = SIZE_MAX;
                return;
        }
        memcpy(ret, s->block.s + s->at, n);
        s->at += n;
}

static bool spool_get_key(struct spool *s)
{
        uint64_t same = spool_get(s), rest = spool_get(s);

        if (same > s->key.len || s->at > s->block.len || rest > s->block.len - s->at)
                return false;
        str_truncate(&s->key, same);
        str_add(&s->key, s->block.s + s->at, rest);
        s->at += rest;
        return !s->key.failed;
}

static bool spool_get_from_key(struct spool *s)
{
        uint64_t len = spool_get(s);

        if (s->at > s->block.len || len > s->block.len - s->at)
                return false;
        str_clear(&s->from);
        str_add(&s->from, s->block.s + s->at, len);
        s->at += len;
        return !s->from.failed;
}

static bool spool_get_bits(uint64_t bits, struct op *op)
{
        op->verb = (enum op_verb)(bits & 15);
        op->there = (enum op_there)(bits >> 4 & 15);
        op->entry.kind = (enum kind)(bits >> 8 & 15);
        op->was_known = bits >> 12 & 1;
        op->after_drop = bits >> 13 & 1;
        op->known_unverified = bits >> 14 & 1;
        op->entry.has_md5 = bits >> 15 & 1;
        op->parks = bits >> 19 & 1;
        return bits < 1 << 20 && op->verb <= OP_MOVE && op->there <= OP_THERE_DIR &&
               op->entry.kind <= KIND_OTHER;
}

static bool spool_get_op(struct spool *s, struct op *ret)
{
        const struct entry *last = &s->last.entry;
        struct op op = {0};
        uint64_t bits, error, flags;

        if (!spool_get_key(s))
                return false;
        bits = spool_get(s);
        error = spool_get(s);
        flags = spool_get(s);
        if (!spool_get_bits(bits, &op) || error > INT_MAX || flags > UINT_MAX)
                return false;
        op.entry.err = (int)error;
        op.entry.flags = (unsigned)flags;
        op.entry.size = spool_get(s);
        op.entry.stamp.mtime_ns = (int64_t)spool_get_from(s, (uint64_t)last->stamp.mtime_ns);
        op.entry.stamp.ctime_ns = (int64_t)spool_get_from(s, (uint64_t)op.entry.stamp.mtime_ns);
        op.entry.stamp.ino = spool_get_from(s, last->stamp.ino);
        op.entry.stamp.dev = spool_get_from(s, last->stamp.dev);
        op.known_size = spool_get(s);
        op.there_size = spool_get(s);
        op.files = spool_get(s);
        op.bytes = spool_get(s);
        if (op.verb == OP_MOVE && !spool_get_from_key(s))
                return false;
        if (bits >> 16 & 1)
                spool_get_bytes(s, op.entry.md5, sizeof(op.entry.md5));
        if (bits >> 17 & 1)
                spool_get_bytes(s, op.known_md5, sizeof(op.known_md5));
        if (bits >> 18 & 1)
                spool_get_bytes(s, op.there_md5, sizeof(op.there_md5));
        if (s->at > s->block.len)
                return false;
        *ret = op;
        return true;
}

/* ---- the face ------------------------------------------------------------------------------ */

int spool_create(struct spool **ret, const char *dir, struct err *err)
{
        _cleanup_(spool_destroyp) struct spool *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return spool_full_memory(err);
        s->fd = -1;
        s->block = STR_NULL(BLOCK_MAX);
        s->key = STR_NULL(KEY_MAX);
        s->from = STR_NULL(KEY_MAX);
        s->dir = strdup(dir);
        if (!s->dir)
                return spool_full_memory(err);
        r = spool_file(&s->fd, dir, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

void spool_destroy(struct spool *s)
{
        if (!s)
                return;
        if (s->fd >= 0)
                close(s->fd);
        str_finish(&s->block);
        str_finish(&s->key);
        str_finish(&s->from);
        free(s->dir);
        free(s);
}

static int spool_check(struct spool *s, const struct op *op, struct err *err)
{
        if (s->failed)
                return err_errno(err, s->failed, "cannot write the plan to a temporary file in %s",
                                 s->dir);
        if (s->reading)
                return err_set(err, EINVAL, "the plan is closed already");
        if (op->verb > OP_MOVE || (op->verb == OP_MOVE) != (op->from != NULL) || op->there > OP_THERE_DIR || op->entry.kind > KIND_OTHER ||
            op->entry.err < 0 || strlen(op->entry.key) > KEY_MAX ||
            (op->from && strlen(op->from) > KEY_MAX))
                return err_set(err, EINVAL, "the plan cannot hold this step");
        return 0;
}

int spool_add(struct spool *s, const struct op *op, struct err *err)
{
        int r = spool_check(s, op, err);

        if (r < 0)
                return r;
        spool_put_op(s, op);
        str_clear(&s->key);
        str_adds(&s->key, op->entry.key);
        if (s->block.failed || s->key.failed) {
                s->failed = ENOMEM; /* half a record may stand there */
                return spool_full_memory(err);
        }
        s->last = *op;
        s->ops++;
        s->added++;
        return s->block.len < BLOCK_FULL ? 0 : spool_flush(s, err);
}

int spool_rewind(struct spool *s, struct err *err)
{
        int r = 0;

        if (s->failed)
                r = err_errno(err, s->failed, "cannot write the plan to a temporary file in %s",
                              s->dir);
        else if (!s->reading)
                r = spool_flush(s, err);
        if (r < 0)
                return r;
        spool_restart(s);
        s->reading = true;
        s->broken = 0;
        s->offset = 0;
        s->given = 0;
        return 0;
}

/* 1: s->last and s->key are the next op. */
static int spool_take(struct spool *s, struct err *err)
{
        struct op op;

        if (s->ops == 0) {
                int r = s->at == s->block.len ? spool_load(s, err) : spool_damaged(s, err);

                if (r <= 0)
                        return r;
        }
        if (!spool_get_op(s, &op))
                return s->key.failed || s->from.failed ? spool_full_memory(err) : spool_damaged(s, err);
        s->last = op;
        s->ops--;
        s->given++;
        return 1;
}

int spool_next(struct spool *s, struct op *ret, struct err *err)
{
        int r;

        if (!s->reading)
                return err_set(err, EINVAL, "the plan is still being written");
        if (s->broken) /* what follows cannot be found any more */
                return err_errno(err, -s->broken, "cannot read the plan in %s", s->dir);
        r = spool_take(s, err);
        if (r < 0)
                s->broken = r;
        if (r <= 0)
                return r;
        *ret = s->last;
        ret->entry.key = str_z(&s->key);
        ret->from = ret->verb == OP_MOVE ? str_z(&s->from) : NULL;
        return 1;
}

uint64_t spool_count(const struct spool *s)
{
        return s->added;
}
