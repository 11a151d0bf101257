/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A world for one worker: a folder with the watched folder, the state and the .env, an emulator of
 * its own, and the program as a server of children (see shim.c).  What goes wrong with the world
 * itself, rather than with the program, ends the worker.
 */

#include "tests/torture/page.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define WORLD_CLOUD "Backup/Docs/"

struct leaf {
        char *path;
        bool dir;
        long size;
        char md5[33];
};

struct leaves {
        struct leaf *items;
        size_t n;
};

/* A process that makes a child for each run. */
struct server {
        pid_t pid;
        int in, out;
};

struct world {
        const char *build;
        char dir[256];
        pid_t emulator;
        char api[128];
        void *curl;
        struct page *page;
        struct server once, other;

        struct leaves source;      /* the watched folder */
        unsigned long source_sum;  /* of its stamps */
        struct leaves cloud;       /* of the start, paths from the Disk's root … */
        char **contents;           /* … and what is in them */
};

void world_create(struct world *w, const char *build, const char *dir);
void world_destroy(struct world *w);

/* Runs a command of the shell in the world's folder; it must succeed. */
void world_sh(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Forgets everything: folders, state, emulator. */
void world_clear(struct world *w, const char *env);

/* What is there now is the start of each run. */
void world_keep(struct world *w);
void world_restore(struct world *w);

/* Starts a server for `ydsync COMMAND ARG`; ARG may be NULL. */
void world_serve(struct world *w, struct server *server, const char *command, const char *arg);
void world_serve_end(struct server *server);

/* A run with what the page says; its wait status, or -1 when it did not end. */
int world_run(struct world *w, struct server *server);

/* The same in a process that is loaded anew, so that PAGE_START counts. */
int world_run_anew(struct world *w, const char *command);

void world_no_fault(struct world *w);

/* Asks the emulator's controls; the answer is the caller's. */
char *world_ask(struct world *w, const char *method, const char *path, const char *body,
                size_t body_len);

char *world_read(struct world *w, const char *name);
struct leaves world_cloud(struct world *w);
unsigned long world_source_sum(struct world *w);

struct leaves leaves_parse(const char *text);
void leaves_finish(struct leaves *l);
const struct leaf *leaves_find(const struct leaves *l, const char *path);
bool leaf_same(const struct leaf *a, const struct leaf *b);

void world_die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
