/* SPDX-License-Identifier: MIT */

#include "daemon/speak.h"

#include "lib/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-daemon.h>
#include <time.h>

static struct {
        bool journal; /* stderr is a stream to the journal */
        int file;
} speak = {.file = -1};

static const char *const speak_prefix[] = {
        [LOG_ERROR] = SD_ERR, [LOG_WARNING] = SD_WARNING, [LOG_NOTICE] = SD_NOTICE,
        [LOG_INFO] = SD_INFO, [LOG_DEBUG] = SD_DEBUG,
};

static const char *const speak_word[] = {
        [LOG_ERROR] = "error: ", [LOG_WARNING] = "warning: ", [LOG_NOTICE] = "",
        [LOG_INFO] = "",         [LOG_DEBUG] = "debug: ",
};

/* One writev(2) a line, so that lines of several processes do not mix; and no memory is asked for,
 * which may be what is missing.  A log that cannot be written stops nobody. */
static void speak_write(int fd, const char *before, const char *word, const char *line)
{
        const char *parts[] = {before, word, line, "\n"};
        struct iovec iov[ARRAY_SIZE(parts)];
        ssize_t n _unused_;

        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                iov[i] = (struct iovec){.iov_base = (char *)parts[i], .iov_len = strlen(parts[i])};
        n = writev(fd, iov, ARRAY_SIZE(iov));
}

static void speak_sink(enum log_level level, const char *line, void *userdata _unused_)
{
        char when[64];
        struct tm tm;
        time_t now;

        speak_write(STDERR_FILENO, speak.journal ? speak_prefix[level] : "",
                    speak.journal ? "" : speak_word[level], line);
        if (speak.file < 0)
                return;
        now = time(NULL);
        strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S%z ", localtime_r(&now, &tm));
        speak_write(speak.file, when, speak_word[level], line);
}

void speak_init(enum log_level max)
{
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long dev, ino;
        struct stat st;

        speak.journal = stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
                        fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
        log_init(max, speak_sink, NULL);
}

int speak_to_file(const char *dir, struct err *err)
{
        _cleanup_(freep) char *path = NULL;

        if (asprintf(&path, "%s/ydsync.log", dir) < 0) {
                path = NULL;
                return err_set(err, ENOMEM, "no memory");
        }
        speak.file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                          0640);
        if (speak.file < 0)
                return err_errno(err, errno, "the log file %s cannot be written; correct "
                                 "PATH_FILE_LOG", path);
        return 0;
}

void speak_finish(void)
{
        if (speak.file >= 0)
                close(speak.file);
        speak.file = -1;
}
