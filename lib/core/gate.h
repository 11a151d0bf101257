/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether there is any point in asking: one for each kind of request that can fail as a whole.
 *
 * Open, everything passes.  News that it works for nobody shuts the gate: for a while that grows
 * from half a second to a minute, or for as long as the server asked.  Then one request goes
 * through and the rest wait for what becomes of it.  When it was answered, two may be under way,
 * then four … until the gate is as open as before: those that waited do not come all at once.
 *
 * One thing that alone goes wrong is no such news: GATE_SUSPECTS different things must have failed
 * with nothing good heard between them.
 *
 * A request that was let through before the gate last moved belongs to an older era: what it has to
 * say was true then, and no longer shuts or opens anything.
 */

#include <stdbool.h>
#include <stdint.h>

#define GATE_SUSPECTS 3
#define GATE_BUSY INT64_MAX

/* What an answer, or the lack of one, says about requests in general. */
enum gate_news {
        GATE_NEWS_NONE,    /* nothing */
        GATE_NEWS_GOOD,    /* the service works, whatever it said about the thing itself */
        GATE_NEWS_PERHAPS, /* it may be this thing alone */
        GATE_NEWS_KIND,    /* requests of this kind do not work */
        GATE_NEWS_ALL,     /* no request works */
        GATE_NEWS_REFUSED, /* none will until a person does something */
};

struct gate {
        bool shut;
        int64_t until_ms;    /* shut: nothing passes before this */
        unsigned times;      /* shut so often, less the good news since */
        unsigned window;     /* after trouble: so many under way at once; 0: any number */
        unsigned under_way;  /* passed in this era, and not come back */
        uint32_t era;
        uint64_t suspects[GATE_SUSPECTS]; /* different things that failed since the last good news */
        unsigned n_suspects;
};

/* 0: one may pass now.  Otherwise after how many ms to ask again; GATE_BUSY: when one has come
 * back. */
int64_t gate_wait(const struct gate *g, int64_t now_ms);

/* One passes; returns the era, to be given back with what is heard of it. */
uint32_t gate_pass(struct gate *g);

/* It has come back; to be called after gate_good() or gate_bad(), or alone when nothing was
 * learned. */
void gate_back(struct gate *g, uint32_t era);

/* True: this has opened the gate. */
bool gate_good(struct gate *g, uint32_t era);

/* `subject`: what was asked for, by any number; `sure`: it is not about the subject alone; `hint_ms`:
 * how long the server asked to wait, or < 0.  Returns for how long this has shut the gate, 0 if it
 * has not. */
int64_t gate_bad(struct gate *g, uint32_t era, uint64_t subject, bool sure, int64_t hint_ms,
                 int64_t now_ms, uint32_t random);
