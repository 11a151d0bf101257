/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The HTTP side: three origins, each a libmicrohttpd daemon with a few threads.  Requests are
 * parsed, matched with a route and a fault, handed to their handler, journalled, and answered when
 * and how the knobs say.
 */

#include <pthread.h>
#include <stdatomic.h>

#include "request.h"
#include "timer.h"

#define SERVER_UID "130000000000001"

struct auth;
struct saves;

struct server {
        struct MHD_Daemon *daemon[ORIGIN_COUNT_];
        uint16_t port[ORIGIN_COUNT_];
        atomic_bool stopping;
        pthread_mutex_t cfg_lock;
        struct config cfg, cfg_at_start;        /* the knobs; under cfg_lock */
        struct timers *timers;
        struct store *store;
        bool remove;                            /* the store's directory, in the end */
        struct disk disk;
        struct faults *faults;
        struct journal *journal;
        struct auth *auth;
        struct rate *rate;
        struct saves *saves;
};

struct server_options {
        const struct config *cfg;
        const char *data;               /* directory of the contents */
        bool keep;                      /* keep contents at all */
        const char *const *tokens;      /* valid access tokens, ends with NULL */
        uint16_t port;                  /* of the API, 0 = any */
        unsigned threads;               /* per origin */
        unsigned keepalive_s;           /* idle connections are closed after; 0 = never */
};

/*
 * 0, or a negative errno with a sentence on stderr.  `remove` deletes the directory of the contents
 * in the end, and also when it fails.
 */
int server_start(const struct server_options *o, bool remove, struct server **ret);

/* Ends all connections. */
void server_stop(struct server *s);

void server_destroy(struct server *s);

/* Merges knobs and lets everybody know; false with a sentence in `ret_why`. */
bool server_configure(struct server *s, const cJSON *knobs, char ret_why[256]);

/* The knobs as they were at the start. */
void server_unconfigure(struct server *s);
