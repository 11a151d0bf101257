/* SPDX-License-Identifier: MIT */

/*
 * names ADDRESS MODEFILE: a name server on UDP port 53 of ADDRESS.  What it does with a question is
 * the first word of MODEFILE, read each time:
 *
 *   silent          nothing
 *   nxdomain        no such name
 *   servfail        trouble
 *   IP              that IPv4 address (and no IPv6 one)
 *   late IP         the same, two seconds later
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAMES_HEAD 12

/* The length of the question that begins behind the head, or 0. */
static size_t names_question(const unsigned char *q, size_t len)
{
        size_t at = NAMES_HEAD;

        while (at < len && q[at] != 0)
                at += q[at] + 1u;
        return at + 5 <= len ? at + 5 - NAMES_HEAD : 0;
}

static size_t names_answer(unsigned char *a, size_t question, int code, const struct in_addr *ip)
{
        static const unsigned char record[] = {0xc0, NAMES_HEAD, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4};
        size_t len = NAMES_HEAD + question;
        bool wants_a = a[len - 3] == 1;

        a[2] = 0x81;
        a[3] = (unsigned char)(0x80 | code);
        a[6] = 0;
        a[7] = ip && wants_a;
        memset(a + 8, 0, 4);
        if (!a[7])
                return len;
        memcpy(a + len, record, sizeof(record));
        memcpy(a + len + sizeof(record), ip, 4);
        return len + sizeof(record) + 4;
}

static void names_reply(int fd, const char *file, unsigned char *q, size_t len,
                        const struct sockaddr_in *from)
{
        char mode[64] = "", ip_text[64] = "";
        size_t question = names_question(q, len);
        struct in_addr ip;
        int code = 0;
        FILE *f = fopen(file, "re");

        if (f) {
                if (fscanf(f, "%63s %63s", mode, ip_text) < 1)
                        *mode = '\0';
                fclose(f);
        }
        if (question == 0 || strcmp(mode, "silent") == 0)
                return;
        if (strcmp(mode, "late") == 0)
                sleep(2);
        else
                memcpy(ip_text, mode, sizeof(mode));
        if (strcmp(mode, "nxdomain") == 0)
                code = 3;
        else if (strcmp(mode, "servfail") == 0)
                code = 2;
        len = names_answer(q, question, code,
                           inet_pton(AF_INET, ip_text, &ip) == 1 ? &ip : NULL);
        sendto(fd, q, len, 0, (const struct sockaddr *)from, sizeof(*from));
}

int main(int argc, char **argv)
{
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(53)}, from;
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        unsigned char q[1024];

        if (argc != 3 || inet_pton(AF_INET, argv[1], &at.sin_addr) != 1)
                return 64;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
                perror("names");
                return 1;
        }
        for (;;) {
                socklen_t size = sizeof(from);
                ssize_t len = recvfrom(fd, q, 512, 0, (struct sockaddr *)&from, &size);

                if (len >= NAMES_HEAD)
                        names_reply(fd, argv[2], q, (size_t)len, &from);
        }
}
