/* SPDX-License-Identifier: MIT */
#pragma once

/* A terminal that shows one text, and the next in its place, until q or Ctrl-C. */

#include <stdbool.h>
#include <termios.h>

struct screen {
        struct termios before;
        bool keys; /* the keyboard is ours too */
};

bool screen_is_there(void);

/* What was on the terminal comes back at the end. */
void screen_begin(struct screen *s);
void screen_end(struct screen *s);

/* As much of it as there are lines for, and `last` at the foot. */
void screen_show(struct screen *s, const char *text, const char *last);

/* True: it is to end.  Otherwise after so long. */
bool screen_wait(struct screen *s, int ms);
