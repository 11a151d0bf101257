/* SPDX-License-Identifier: MIT */

/*
 * rude MODE [ADDRESS [PORT]]: a server without manners.  Prints its port, then serves until it is
 * killed, each connection in a process of its own:
 *
 *   mute      reads, and never answers
 *   loris     a good head, then a byte of the body ten times a second, for ever
 *   line      a first line that does not end, a byte ten times a second
 *   headers   headers without end, as fast as they go
 *   body      a body without end
 *   interim   "100 Continue", ten times a second, for ever
 *   half      half an answer, then the end of its side only
 *   close     accepts, and closes
 *
 * Each connection is said in a line: "connection".
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define RUDE_PAUSE_US 100000

static void rude_send(int fd, const char *text)
{
        if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
                _exit(0);
}

static void rude_repeat(int fd, const char *text, useconds_t pause_us)
{
        for (;;) {
                rude_send(fd, text);
                if (pause_us)
                        usleep(pause_us);
        }
}

static void rude_serve(int fd, const char *mode)
{
        char request[65536];

        if (strcmp(mode, "close") == 0)
                return;
        if (read(fd, request, sizeof(request)) <= 0)
                return;
        if (strcmp(mode, "loris") == 0) {
                rude_send(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                              "Content-Length: 1000000\r\n\r\n{\"href\":\"");
                rude_repeat(fd, "x", RUDE_PAUSE_US);
        } else if (strcmp(mode, "line") == 0) {
                rude_send(fd, "HTTP/1.1 200 ");
                rude_repeat(fd, "O", RUDE_PAUSE_US);
        } else if (strcmp(mode, "headers") == 0) {
                rude_send(fd, "HTTP/1.1 200 OK\r\n");
                rude_repeat(fd, "X-More: and more and more and more and more and more\r\n", 0);
        } else if (strcmp(mode, "body") == 0) {
                rude_send(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"a\":\"");
                rude_repeat(fd, "more and more and more and more and more and more and more", 0);
        } else if (strcmp(mode, "interim") == 0) {
                rude_repeat(fd, "HTTP/1.1 100 Continue\r\n\r\n", RUDE_PAUSE_US);
        } else if (strcmp(mode, "half") == 0) {
                rude_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"href");
                shutdown(fd, SHUT_WR);
        }
        while (read(fd, request, sizeof(request)) > 0)
                ;
}

int main(int argc, char **argv)
{
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
        socklen_t len = sizeof(at);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

        if (argc < 2 || fd < 0)
                return 64;
        if (argc > 2 && inet_pton(AF_INET, argv[2], &at.sin_addr) != 1)
                return 64;
        if (argc > 3)
                at.sin_port = htons((in_port_t)atoi(argv[3]));
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGCHLD, SIG_IGN);
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 64) < 0 ||
            getsockname(fd, (struct sockaddr *)&at, &len) < 0) {
                perror("rude");
                return 1;
        }
        printf("%d\n", ntohs(at.sin_port));
        fflush(stdout);
        for (;;) {
                int peer = accept(fd, NULL, NULL);

                if (peer < 0)
                        return 1;
                printf("connection\n");
                fflush(stdout);
                if (fork() == 0) {
                        prctl(PR_SET_PDEATHSIG, SIGKILL);
                        rude_serve(peer, argv[1]);
                        _exit(0);
                }
                close(peer);
        }
}
