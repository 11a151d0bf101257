/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the crash tests share: an emulator of their own, a watched folder in which somebody works at
 * random, the real binary, and the comparison of the two trees.  Everything random comes from one
 * seed.  What cannot go on ends the program with a line `not ok …`.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define KIT_KILLS_MAX 1024

struct kit {
        const char *name;     /* of the test, for messages */
        const char *build;    /* the build folder */
        char *base;           /* a folder of our own, removed in the end */
        char *src;            /* the watched folder */
        char *env;            /* the .env */
        char *log;            /* of the program run last */
        char *api;            /* the emulator */
        pid_t emulator;
        uint64_t seed, random;
        unsigned serial;      /* makes every name and every content new */
        size_t kill_at[KIT_KILLS_MAX]; /* requests made until each kill since the last rest */
        unsigned kills;
        long puts;            /* bodies sent until the end of the last kit_converge() */
};

/* `state` is where the program keeps its state; `base` a folder to work in, which is made. */
void kit_begin(struct kit *k, const char *base, const char *state);
void kit_end(struct kit *k);

__attribute__((noreturn, format(printf, 2, 3))) void kit_fail(struct kit *k, const char *fmt, ...);
__attribute__((format(printf, 1, 2))) char *kit_text(const char *fmt, ...);

/* ---- chance ---- */
uint64_t kit_random(struct kit *k);
unsigned kit_below(struct kit *k, unsigned n);

/* ---- the emulator ---- */
/* Asks for API/_fake/WHAT; `body` NULL is a GET.  malloced. */
char *kit_fake(struct kit *k, const char *what, const char *body);
long kit_count(struct kit *k, const char *name);

/* ---- the watched folder ---- */
/* One change: a file made, rewritten, grown, renamed, removed, a folder made, renamed, removed, a
 * file that becomes a folder or the other way round.  What has gone never comes back the same:
 * every content and every new name is used once. */
void kit_edit(struct kit *k);

/* ---- the program ---- */
/* Starts `ydsync COMMAND` with its log in k->log. */
pid_t kit_start(struct kit *k, const char *command);
/* Waits; exit status, 128 + signal, or 124 after `most_ms`, when it is killed. */
int kit_wait(pid_t pid, unsigned most_ms);
void kit_kill(struct kit *k, pid_t pid);

/* ---- both sides ---- */
/* The trees are equal, or it fails.  What the program had asked for when it was killed, and what was
 * removed here before it could learn of it, may be left there: it is counted and tidied up. */
void kit_compare(struct kit *k, const char *when);
/* How many files here stand in the cloud neither under their own name nor under a wire name. */
unsigned kit_missing(struct kit *k);
/* Passes until all is mirrored, then one more, which must be silent; fails otherwise. */
void kit_converge(struct kit *k, const char *when);
/* Nothing lies in the Trash or was destroyed that is still here as it was. */
void kit_check_removals(struct kit *k, const char *when);
void kit_nap(unsigned ms);
