/* SPDX-License-Identifier: MIT */

/* plant DIR FOLDERS FILES BYTES [SUFFIX]: makes FOLDERS folders below DIR, each with FILES files of
 * BYTES bytes that no two of them share. */

#include "lib/base/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WIDE 100 /* folders of folders: as many folders in each of them */

static int plant_write(int fd, unsigned folder, unsigned file, size_t bytes)
{
        char piece[4096];

        memset(piece, '\n', sizeof(piece));
        for (size_t at = 0; at < bytes;) {
                size_t n = bytes - at < sizeof(piece) ? bytes - at : sizeof(piece);

                snprintf(piece, sizeof(piece), "%u %u %zu", folder, file, at);
                if (write(fd, piece, n) != (ssize_t)n)
                        return -1;
                at += n;
        }
        return 0;
}

static int plant_file(int dir, unsigned folder, unsigned file, size_t bytes, const char *suffix)
{
        _cleanup_(closep) int fd = -1;
        char name[128];

        snprintf(name, sizeof(name), "file-%06u%s", file, suffix);
        fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        return fd < 0 ? -1 : plant_write(fd, folder, file, bytes);
}

static int plant_folder(unsigned folder, unsigned files, size_t bytes, const char *suffix)
{
        _cleanup_(closep) int dir = -1;
        char upper[64], path[128];

        snprintf(upper, sizeof(upper), "shelf-%04u", folder / WIDE);
        snprintf(path, sizeof(path), "%s/folder-%06u", upper, folder);
        mkdir(upper, 0755);
        mkdir(path, 0755);
        dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (unsigned i = 0; dir >= 0 && i < files; i++)
                if (plant_file(dir, folder, i, bytes, suffix) < 0)
                        return -1;
        return dir < 0 ? -1 : 0;
}

static unsigned plant_number(const char *text)
{
        return (unsigned)strtoul(text, NULL, 10);
}

int main(int argc, char **argv)
{
        if (argc < 5 || chdir(argv[1]) < 0)
                return 64;
        for (unsigned i = 0; i < plant_number(argv[2]); i++)
                if (plant_folder(i, plant_number(argv[3]), plant_number(argv[4]),
                                 argc > 5 ? argv[5] : "") < 0) {
                        perror(argv[1]);
                        return 74;
                }
        return 0;
}
