/* SPDX-License-Identifier: MIT */

#include "daemon/logfile.h"

#include "lib/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

static struct {
        int fd;
        char *path;
        uint64_t lost;
        bool failing; /* the last entry was */
} logfile = {.fd = -1};

static const char *const logfile_level[] = {
        [LOG_ERROR] = "error ", [LOG_WARNING] = "warning ", [LOG_NOTICE] = "notice ",
        [LOG_INFO] = "info ",   [LOG_DEBUG] = "debug ",
};

static int logfile_open_path(const char *path)
{
        return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                    0640);
}

int logfile_open(const char *dir, struct err *err)
{
        _cleanup_(freep) char *path = NULL;
        _cleanup_(closep) int fd = -1;

        if (asprintf(&path, "%s/ydsync.log", dir) < 0) {
                path = NULL;
                return err_set(err, ENOMEM, "no memory");
        }
        fd = logfile_open_path(path);
        if (fd < 0)
                return err_errno(err, errno, "the log file %s cannot be written; correct "
                                 "PATH_FILE_LOG", path);
        logfile_close();
        logfile.fd = TAKE_FD(fd);
        logfile.path = TAKE_PTR(path);
        return 0;
}

/* Somebody rotates it by moving it away: then what comes goes to a new one. */
static void logfile_follow(void)
{
        struct stat ours, there;
        int fd;

        if (fstat(logfile.fd, &ours) == 0 && stat(logfile.path, &there) == 0 &&
            ours.st_dev == there.st_dev && ours.st_ino == there.st_ino)
                return;
        fd = logfile_open_path(logfile.path);
        if (fd < 0)
                return; /* the old one is better than none */
        close(logfile.fd);
        logfile.fd = fd;
}

static const char *logfile_kind(const struct log_entry *entry)
{
        for (size_t i = 0; i < entry->n_fields; i++)
                if (str_eq(entry->fields[i].name, LOG_FIELD_EVENT))
                        return entry->fields[i].value;
        return NULL;
}

/* One writev(2) a line, so that lines of several processes do not mix; and no memory is asked for,
 * which may be what is missing.  A log that cannot be written stops nobody. */
void logfile_write(const struct log_entry *entry)
{
        const char *kind = logfile_kind(entry);
        char when[64];
        const char *parts[] = {when, logfile_level[entry->level], kind ? "[" : "", kind ? kind : "",
                               kind ? "] " : "", entry->line, "\n"};
        struct iovec iov[ARRAY_SIZE(parts)];
        struct tm tm;
        time_t now = time(NULL);

        if (logfile.fd < 0)
                return;
        logfile_follow();
        strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S%z ", localtime_r(&now, &tm));
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                iov[i] = (struct iovec){.iov_base = (char *)parts[i], .iov_len = strlen(parts[i])};
        logfile.failing = writev(logfile.fd, iov, ARRAY_SIZE(iov)) < 0;
        logfile.lost += logfile.failing;
}

uint64_t logfile_take_lost(void)
{
        uint64_t lost = logfile.failing ? 0 : logfile.lost;

        logfile.lost -= lost;
        return lost;
}

void logfile_close(void)
{
        if (logfile.fd >= 0)
                close(logfile.fd);
        logfile.fd = -1;
        free(TAKE_PTR(logfile.path));
}
