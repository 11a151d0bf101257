/* SPDX-License-Identifier: MIT */

/* hear SOCKET FILE: what is sent to the datagram socket (a path, or @NAME for an abstract one), as a
 * service manager's, goes into FILE. */

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(int argc, char **argv)
{
        struct sockaddr_un at = {.sun_family = AF_UNIX};
        char text[4096];
        ssize_t n;
        size_t len;
        FILE *out;
        int fd;

        if (argc != 3)
                return 64;
        len = strlen(argv[1]);
        if (len >= sizeof(at.sun_path))
                return 64;
        memcpy(at.sun_path, argv[1], len);
        if (*argv[1] == '@')
                at.sun_path[0] = '\0';
        fd = socket(AF_UNIX, SOCK_DGRAM, 0);
        if (fd < 0 ||
            bind(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)))
                return 74;
        out = fopen(argv[2], "w"); /* once it is there, what is sent is heard */
        if (!out)
                return 74;
        while ((n = recv(fd, text, sizeof(text), 0)) >= 0) {
                fprintf(out, "%.*s\n", (int)n, text);
                fflush(out);
        }
        return 74;
}
