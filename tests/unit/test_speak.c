/* SPDX-License-Identifier: MIT */

/* What reaches stderr and the log file. */

#include "daemon/speak.h"

#include "tests/unit/check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
        unsetenv("JOURNAL_STREAM");
        return check_main(argc, argv);
}

static char spoken[65536];

static void read_all(const char *path)
{
        FILE *f = fopen(path, "re");
        size_t n = f ? fread(spoken, 1, sizeof(spoken) - 1, f) : 0;

        spoken[n] = '\0';
        if (f)
                fclose(f);
}

/* What `say` writes to stderr, in `spoken`. */
static void listen(void (*say)(void))
{
        char path[] = "/tmp/ydsync-speak-XXXXXX";
        int before = dup(STDERR_FILENO), fd = mkstemp(path);

        require(before >= 0 && fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
        speak_init(LOG_INFO);
        say();
        speak_finish();
        log_init(LOG_INFO, NULL, NULL);
        dup2(before, STDERR_FILENO);
        close(before);
        close(fd);
        read_all(path);
        unlink(path);
}

static void say_levels(void)
{
        log_error("one");
        log_warning("two");
        log_notice("three");
        log_info("four");
        log_debug("five");
        event_say(EVENT_UPLOADED, &(struct event_about){.path = "x"}, "uploaded %s", "x");
}

TEST(a_person_reads_lines)
{
        listen(say_levels);
        check_str(spoken, "error: one\nwarning: two\nthree\nfour\nuploaded x\n");
}

static void say_again(void)
{
        for (int i = 0; i < 5; i++)
                log_warning("it does not work");
        log_info("a");
        log_info("a");
        log_warning("it does not work");
        log_error("it does not work");
        log_error("it does not work");
}

TEST(what_is_repeated_is_counted)
{
        listen(say_again);
        check_str(spoken, "warning: it does not work\n"
                          "warning: the message before was repeated 4 times\n"
                          "a\na\n"
                          "warning: it does not work\n"
                          "error: it does not work\n"
                          "error: the message before was repeated 1 time\n");
}

static void say_bytes(void)
{
        log_info("a\nb\x1b[2J\x7f\xff\xd0\xb9\xd0");
}

TEST(control_bytes_are_shown)
{
        listen(say_bytes);
        check_str(spoken, "a\\x0ab\\x1b[2J\\x7f\\xff\xd0\xb9\\xd0\n");
}

static void say_lines(void)
{
        speak_lines(EVENT_CONFIG_WRONG, "f:1: A: b\nf:2: C: d\n");
        log_error("e");
}

TEST(lines_with_a_place_begin_with_it)
{
        listen(say_lines);
        check_str(spoken, "f:1: A: b\nf:2: C: d\nerror: e\n");
}

static char dir[] = "/tmp/ydsync-logs-XXXXXX";

static void say_to_a_file(void)
{
        char log[64], away[64];
        struct err err;

        snprintf(log, sizeof(log), "%s/ydsync.log", dir);
        snprintf(away, sizeof(away), "%s/away", dir);
        check(speak_to_file("/nowhere/at/all", &err) < 0);
        check_eq(speak_to_file(dir, &err), 0);
        event_say(EVENT_REMOVED, NULL, "removed x");
        log_warning("careful");
        read_all(log);
        check(strstr(spoken, " info [removed] removed x\n"));
        check(strstr(spoken, " warning careful\n"));
        check_eq(rename(log, away), 0);
        log_info("afterwards");
        read_all(log);
        check(strstr(spoken, " info afterwards\n") && !strstr(spoken, "careful"));
        check_eq(unlink(log), 0);
        log_info("and again");
        read_all(log);
        check(strstr(spoken, " info and again\n"));
        check_eq(speak_to_file(NULL, &err), 0);
        log_info("not there");
        read_all(log);
        check(!strstr(spoken, "not there"));
        unlink(log);
        unlink(away);
}

TEST(the_log_file)
{
        require(mkdtemp(dir));
        listen(say_to_a_file);
        rmdir(dir);
}

static void say_lost(void)
{
        char log[64];
        struct err err;

        snprintf(log, sizeof(log), "%s/ydsync.log", dir);
        check_eq(symlink("/dev/full", log), 0);
        check(speak_to_file(dir, &err) < 0); /* a link is not followed */
        unlink(log);
        /* /dev/full: root alone may make it, and not everywhere */
        if (mknod(log, S_IFCHR | 0600, 0x107) < 0 || speak_to_file(dir, &err) < 0) {
                unlink(log);
                return;
        }
        log_info("in vain");
        log_info("likewise");
        unlink(log);
        log_info("it goes again");
        read_all(log);
        check(strstr(spoken, "[log-lost] 2 lines are missing"));
        unlink(log);
}

TEST(what_the_log_file_does_not_take_is_counted)
{
        strcpy(dir + sizeof(dir) - 7, "XXXXXX");
        require(mkdtemp(dir));
        listen(say_lost);
        rmdir(dir);
}
