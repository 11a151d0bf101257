/* SPDX-License-Identifier: MIT */

/*
 * One helper thread and a few buffers for the whole program.  Whoever finds no free buffer waits
 * for one, which takes as long as computing the md5 of a piece itself would.
 */

#include <pthread.h>

#include <openssl/evp.h>

#include "digest.h"
#include "util.h"

#define LONG 262144             /* a body becomes a long one here, bytes */
#define PIECE 262144            /* bytes of a buffer */
#define PIECES 16

struct piece {
        struct piece *next;
        struct digest *digest;
        size_t n;
        uint8_t bytes[PIECE];
};

struct digest_helper {
        pthread_mutex_t lock;           /* of the lists, and of every digest's `pending` */
        pthread_cond_t work, done;
        pthread_t thread;
        struct piece *free, *first, **last;
        unsigned made;                  /* buffers so far */
        bool stop;
        EVP_MD *md5, *sha256;
};

struct digest {
        struct digest_helper *helper;
        EVP_MD_CTX *md5, *sha256;       /* sha256 is NULL when it is not wanted */
        size_t size;                    /* bytes so far, up to LONG */
        unsigned pending;               /* pieces that the helper still has */
};

static void *help(void *arg)
{
        struct digest_helper *h = arg;

        pthread_mutex_lock(&h->lock);
        while (h->first || !h->stop) {
                struct piece *p = h->first;

                if (!p) {
                        pthread_cond_wait(&h->work, &h->lock);
                        continue;
                }
                h->first = p->next;
                if (!h->first)
                        h->last = &h->first;
                pthread_mutex_unlock(&h->lock);
                EVP_DigestUpdate(p->digest->md5, p->bytes, p->n);
                pthread_mutex_lock(&h->lock);
                p->digest->pending--;
                p->next = h->free;
                h->free = p;
                pthread_cond_broadcast(&h->done);
        }
        pthread_mutex_unlock(&h->lock);
        return NULL;
}

struct digest_helper *digest_helper_create(void)
{
        struct digest_helper *h = xcalloc(1, sizeof *h);

        pthread_mutex_init(&h->lock, NULL);
        pthread_cond_init(&h->work, NULL);
        pthread_cond_init(&h->done, NULL);
        h->last = &h->first;
        h->md5 = EVP_MD_fetch(NULL, "MD5", NULL);
        h->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
        if (!h->md5 || !h->sha256 || pthread_create(&h->thread, NULL, help, h) != 0)
                abort();
        return h;
}

void digest_helper_destroy(struct digest_helper *h)
{
        if (!h)
                return;
        pthread_mutex_lock(&h->lock);
        h->stop = true;
        pthread_cond_signal(&h->work);
        pthread_mutex_unlock(&h->lock);
        pthread_join(h->thread, NULL);
        while (h->free) {
                struct piece *p = h->free;

                h->free = p->next;
                free(p);
        }
        EVP_MD_free(h->md5);
        EVP_MD_free(h->sha256);
        pthread_mutex_destroy(&h->lock);
        pthread_cond_destroy(&h->work);
        pthread_cond_destroy(&h->done);
        free(h);
}

struct digest *digest_create(struct digest_helper *h, bool want_sha256)
{
        struct digest *d = xcalloc(1, sizeof *d);

        d->helper = h;
        d->md5 = EVP_MD_CTX_new();
        if (!d->md5 || EVP_DigestInit_ex2(d->md5, h->md5, NULL) != 1)
                abort();
        if (!want_sha256)
                return d;
        d->sha256 = EVP_MD_CTX_new();
        if (!d->sha256 || EVP_DigestInit_ex2(d->sha256, h->sha256, NULL) != 1)
                abort();
        return d;
}

/* Waits until the helper is through with it. */
static void settle(struct digest *d)
{
        struct digest_helper *h = d->helper;

        pthread_mutex_lock(&h->lock);
        while (d->pending > 0)
                pthread_cond_wait(&h->done, &h->lock);
        pthread_mutex_unlock(&h->lock);
}

void digest_destroy(struct digest *d)
{
        if (!d)
                return;
        settle(d);
        EVP_MD_CTX_free(d->md5);
        EVP_MD_CTX_free(d->sha256);
        free(d);
}

static struct piece *take_piece(struct digest_helper *h)
{
        struct piece *p;

        pthread_mutex_lock(&h->lock);
        while (!h->free && h->made == PIECES)
                pthread_cond_wait(&h->done, &h->lock);
        p = h->free;
        if (p)
                h->free = p->next;
        else
                h->made++;
        pthread_mutex_unlock(&h->lock);
        return p ? p : xmalloc(sizeof *p);
}

static void hand_over(struct digest *d, const uint8_t *bytes, size_t n)
{
        struct digest_helper *h = d->helper;
        struct piece *p = take_piece(h);

        memcpy(p->bytes, bytes, n);
        p->n = n;
        p->digest = d;
        p->next = NULL;
        pthread_mutex_lock(&h->lock);
        d->pending++;
        *h->last = p;
        h->last = &p->next;
        pthread_cond_signal(&h->work);
        pthread_mutex_unlock(&h->lock);
}

void digest_add(struct digest *d, const void *bytes, size_t n)
{
        const uint8_t *at = bytes;
        size_t left = n;

        if (d->size < LONG) {
                d->size += n;
                EVP_DigestUpdate(d->md5, bytes, n);
                left = 0;
        }
        while (left > 0) {
                size_t some = left < PIECE ? left : PIECE;

                hand_over(d, at, some);
                at += some;
                left -= some;
        }
        if (d->sha256)
                EVP_DigestUpdate(d->sha256, bytes, n);
}

void digest_end(struct digest *d, uint8_t ret_md5[16], uint8_t ret_sha256[32])
{
        settle(d);
        EVP_DigestFinal_ex(d->md5, ret_md5, NULL);
        if (d->sha256)
                EVP_DigestFinal_ex(d->sha256, ret_sha256, NULL);
}
