/* SPDX-License-Identifier: MIT */

/*
 * A handful of sequences that every terminal of today knows.  Lines are not cut here: the terminal
 * is told not to wrap them, and knows best how wide a character is.
 */

#include "daemon/screen.h"

#include "lib/base/str.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>

#define SCREEN_BEGIN "\033[?1049h\033[?25l\033[?7l"
#define SCREEN_END "\033[?7h\033[?25h\033[?1049l"
#define SCREEN_LINES 24

static volatile sig_atomic_t screen_signalled;

static void screen_on_signal(int number)
{
        screen_signalled = number;
}

bool screen_is_there(void)
{
        const char *term = getenv("TERM");

        return isatty(STDOUT_FILENO) && term && *term && !str_eq(term, "dumb");
}

static void screen_set(int number, void (*handler)(int))
{
        struct sigaction action = {.sa_handler = handler};

        sigemptyset(&action.sa_mask);
        sigaction(number, &action, NULL);
}

void screen_begin(struct screen *s)
{
        static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
        struct termios raw;

        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
                screen_set(numbers[i], screen_on_signal);
        s->keys = tcgetattr(STDIN_FILENO, &s->before) == 0;
        if (s->keys) {
                raw = s->before;
                raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
                raw.c_cc[VMIN] = 1;
                raw.c_cc[VTIME] = 0;
                raw.c_cc[VSUSP] = _POSIX_VDISABLE; /* nobody would put the terminal in order */
                tcsetattr(STDIN_FILENO, TCSANOW, &raw);
        }
        fputs(SCREEN_BEGIN, stdout);
        fflush(stdout);
}

void screen_end(struct screen *s)
{
        fputs(SCREEN_END, stdout);
        fflush(stdout);
        if (s->keys)
                tcsetattr(STDIN_FILENO, TCSANOW, &s->before);
}

static unsigned screen_lines(void)
{
        struct winsize size;

        return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1 ? size.ws_row
                                                                              : SCREEN_LINES;
}

void screen_show(struct screen *s _unused_, const char *text, const char *last)
{
        unsigned left = screen_lines() - 1;

        fputs("\033[H", stdout);
        for (; *text && left > 0; left--) {
                size_t n = strcspn(text, "\n");

                printf("%.*s\033[K\r\n", (int)n, text);
                text += n + (text[n] == '\n');
        }
        printf("\033[J%s", last);
        fflush(stdout);
}

bool screen_wait(struct screen *s, int ms)
{
        struct pollfd in = {.fd = s->keys ? STDIN_FILENO : -1, .events = POLLIN};
        int n = poll(&in, 1, ms);
        char key;

        if (screen_signalled || (n < 0 && errno != EINTR))
                return true;
        if (n <= 0)
                return false;
        return read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q' || key == '\004';
}
