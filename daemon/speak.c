/* SPDX-License-Identifier: MIT */

#include "daemon/speak.h"

#include "daemon/journal.h"
#include "daemon/logfile.h"
#include "lib/base/str.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/uio.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#define SPEAK_AGAIN_S 3600

static struct {
        bool journal;   /* stderr is a stream to the journal */
        bool with_time; /* stderr is a terminal */
        bool bare;      /* no word for the level there */
        struct {
                enum log_level level;
                char line[1024]; /* longer ones are compared so far */
                time_t since;    /* said then … */
                unsigned times;  /* … and not said so often since */
        } last;
} speak;

static const char *const speak_prefix[] = {
        [LOG_ERROR] = SD_ERR, [LOG_WARNING] = SD_WARNING, [LOG_NOTICE] = SD_NOTICE,
        [LOG_INFO] = SD_INFO, [LOG_DEBUG] = SD_DEBUG,
};

static const char *const speak_word[] = {
        [LOG_ERROR] = N_("error: "), [LOG_WARNING] = N_("warning: "), [LOG_NOTICE] = "",
        [LOG_INFO] = "",         [LOG_DEBUG] = "debug: ",
};

/* One writev(2) a line, so that lines of several processes do not mix; and no memory is asked for,
 * which may be what is missing.  A stream that cannot be written stops nobody. */
static void speak_to_stderr(const struct log_entry *entry)
{
        char when[32] = "";
        const char *word = speak.journal ? speak_prefix[entry->level]
                           : speak.bare  ? ""
                                         : tr(speak_word[entry->level]);
        const char *parts[] = {when, word, entry->line, "\n"};
        struct iovec iov[ARRAY_SIZE(parts)];
        time_t now = time(NULL);
        ssize_t n _unused_;
        struct tm tm;

        if (speak.with_time)
                strftime(when, sizeof(when), "%H:%M:%S ", localtime_r(&now, &tm));
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                iov[i] = (struct iovec){.iov_base = (char *)parts[i], .iov_len = strlen(parts[i])};
        n = writev(STDERR_FILENO, iov, ARRAY_SIZE(iov));
}

static void speak_to_all(const struct log_entry *entry)
{
        int r = speak.journal ? journal_send(entry) : -ENOENT;

        if (r < 0 && r != -EAGAIN)
                speak_to_stderr(entry);
        logfile_write(entry);
}

/* What was kept back is told of. */
static void speak_of_repeats(void)
{
        struct log_entry entry = {.level = speak.last.level};
        char line[160];
        unsigned times = speak.last.times;

        speak.last.times = 0;
        if (times == 0)
                return;
        snprintf(line, sizeof(line),
                 trn("the message before was repeated %u time",
                     "the message before was repeated %u times", times),
                 times);
        entry.line = line;
        speak_to_all(&entry);
}

static bool speak_repeats(const struct log_entry *entry)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        if (*speak.last.line && entry->level == speak.last.level &&
            strncmp(entry->line, speak.last.line, sizeof(speak.last.line) - 1) == 0 &&
            now.tv_sec - speak.last.since < SPEAK_AGAIN_S) {
                speak.last.times++;
                return true;
        }
        speak_of_repeats();
        speak.last.level = entry->level;
        speak.last.since = now.tv_sec;
        str_copy(speak.last.line, sizeof(speak.last.line),
                 entry->level <= LOG_WARNING ? entry->line : "");
        return false;
}

/* Once they are taken again, how many were not. */
static void speak_of_losses(void)
{
        uint64_t lost = journal_take_lost();

        if (lost > 0)
                event_say(EVENT_LOG_LOST, NULL,
                          trn("%" PRIu64 " log entry is missing here: the journal did not take it",
                              "%" PRIu64 " log entries are missing here: the journal did not take "
                              "them",
                              lost),
                          lost);
        lost = logfile_take_lost();
        if (lost > 0)
                event_say(EVENT_LOG_LOST, NULL,
                          trn("%" PRIu64 " line is missing in the log file: it could not be written",
                              "%" PRIu64 " lines are missing in the log file: it could not be "
                              "written",
                              lost),
                          lost);
}

static void speak_sink(const struct log_entry *entry, void *userdata _unused_)
{
        static bool telling;

        if (!telling && speak_repeats(entry))
                return;
        speak_to_all(entry);
        if (telling)
                return;
        telling = true; /* what is told of losses may be lost itself */
        speak_of_losses();
        telling = false;
}

void speak_init(enum log_level max)
{
        speak.journal = journal_begin();
        log_init(max, speak_sink, NULL);
}

void speak_with_time(void)
{
        speak.with_time = !speak.journal && isatty(STDERR_FILENO);
}

void speak_lines(enum event event, const char *lines)
{
        speak.bare = true;
        while (*lines) {
                int n = (int)strcspn(lines, "\n");

                event_say(event, NULL, "%.*s", n, lines);
                lines += n + (lines[n] == '\n');
        }
        speak.bare = false;
}

int speak_to_file(const char *dir, struct err *err)
{
        if (dir)
                return logfile_open(dir, err);
        logfile_close();
        return 0;
}

void speak_finish(void)
{
        speak_of_repeats();
        logfile_close();
        journal_part();
}
