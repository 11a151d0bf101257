/* SPDX-License-Identifier: MIT */

/*
 * The socket is written to here and not by sd_journal_sendv(), which waits for as long as the
 * journal does not read: a mirror must not stand still because a log does.
 */

#include "daemon/journal.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define JOURNAL_PATIENCE_MS 1000
#define JOURNAL_TURN_MS 5
#define JOURNAL_LAST_MS 50
#define JOURNAL_PARTS_MAX 64 /* four a field */
#define JOURNAL_BUFFER (1 << 20)

static struct {
        int fd;
        bool gave_up; /* it did not read in time, and has not since */
        uint64_t lost;
} journal = {.fd = -1};

static const char *const journal_priority[] = {
        [LOG_ERROR] = "3", [LOG_WARNING] = "4", [LOG_NOTICE] = "5", [LOG_INFO] = "6",
        [LOG_DEBUG] = "7",
};

bool journal_begin(void)
{
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long dev, ino;
        struct stat st;

        return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
               fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

static int journal_connect(void)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET};
        int size = JOURNAL_BUFFER;

        journal_finish();
        journal.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (journal.fd < 0)
                return -errno;
        setsockopt(journal.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        if (connect(journal.fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
                int err = errno;

                journal_finish();
                return -err;
        }
        return 0;
}

/* One try, and another after a wait where one is due. */
static int journal_try(const struct iovec *iov, size_t n)
{
        struct msghdr message = {.msg_iov = (struct iovec *)iov, .msg_iovlen = n};
        struct pollfd room = {.fd = journal.fd, .events = POLLOUT};

        if (sendmsg(journal.fd, &message, MSG_NOSIGNAL) >= 0)
                return 0;
        if (errno == EAGAIN && !journal.gave_up && poll(&room, 1, JOURNAL_PATIENCE_MS) > 0 &&
            sendmsg(journal.fd, &message, MSG_NOSIGNAL) >= 0)
                return 0;
        return errno == ECONNREFUSED || errno == ENOTCONN ? -ENOTCONN : -EAGAIN;
}

static void journal_add(struct iovec *iov, size_t *n, const char *text)
{
        iov[(*n)++] = (struct iovec){.iov_base = (char *)text, .iov_len = strlen(text)};
}

/* NAME=value, one a line: no value has a newline in it (log.h). */
static void journal_add_field(struct iovec *iov, size_t *n, const char *name, const char *value)
{
        if (*n + 4 > JOURNAL_PARTS_MAX)
                return;
        journal_add(iov, n, name);
        journal_add(iov, n, "=");
        journal_add(iov, n, value);
        journal_add(iov, n, "\n");
}

int journal_send(const struct log_entry *entry)
{
        struct iovec iov[JOURNAL_PARTS_MAX];
        size_t n = 0;
        int r;

        journal_add_field(iov, &n, "MESSAGE", entry->line);
        journal_add_field(iov, &n, "PRIORITY", journal_priority[entry->level]);
        journal_add_field(iov, &n, "SYSLOG_IDENTIFIER", "ydsync");
        for (size_t i = 0; i < entry->n_fields; i++)
                journal_add_field(iov, &n, entry->fields[i].name, entry->fields[i].value);
        r = journal.fd < 0 ? journal_connect() : 0;
        if (r == 0)
                r = journal_try(iov, n);
        if (r == -ENOTCONN) { /* it was started anew */
                r = journal_connect();
                if (r == 0)
                        r = journal_try(iov, n);
        }
        journal.gave_up = r == -EAGAIN;
        journal.lost += r == -EAGAIN;
        return r;
}

uint64_t journal_take_lost(void)
{
        uint64_t lost = journal.gave_up ? 0 : journal.lost;

        journal.lost -= lost;
        return lost;
}

static void journal_sleep(long ms)
{
        struct timespec t = {.tv_nsec = ms * 1000000};

        nanosleep(&t, NULL);
}

/* The journal asks the kernel which unit a sender belongs to when it reads an entry.  Of a process that
 * is gone by then it learns nothing, and `journalctl -u` does not show why it ended. */
void journal_part(void)
{
        int unread = 0;

        if (journal.fd < 0)
                return;
        for (int ms = 0; ms < JOURNAL_PATIENCE_MS; ms += JOURNAL_TURN_MS) {
                if (ioctl(journal.fd, SIOCOUTQ, &unread) < 0 || unread == 0)
                        break;
                journal_sleep(JOURNAL_TURN_MS);
        }
        journal_sleep(JOURNAL_LAST_MS); /* it has read, and is about to ask */
        journal_finish();
}

void journal_finish(void)
{
        if (journal.fd >= 0)
                close(journal.fd);
        journal.fd = -1;
}
