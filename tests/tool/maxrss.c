/* SPDX-License-Identifier: MIT */

/* maxrss FILE COMMAND…: runs COMMAND, writes "KIB SECONDS CPU" (peak resident memory, wall time,
 * seconds on a processor) to FILE and passes the exit status on. */

#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(const struct timeval *t)
{
        return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

int main(int argc, char **argv)
{
        struct timespec from, to;
        struct rusage usage;
        int status;
        pid_t pid;
        FILE *f;

        if (argc < 3)
                return 64;
        clock_gettime(CLOCK_MONOTONIC, &from);
        pid = fork();
        if (pid == 0) {
                execvp(argv[2], argv + 2);
                perror(argv[2]);
                _exit(127);
        }
        if (pid < 0 || wait4(pid, &status, 0, &usage) < 0)
                return 74;
        clock_gettime(CLOCK_MONOTONIC, &to);
        f = fopen(argv[1], "w");
        if (!f)
                return 74;
        fprintf(f, "%ld %.3f %.3f\n", usage.ru_maxrss,
                (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9,
                seconds(&usage.ru_utime) + seconds(&usage.ru_stime));
        fclose(f);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
