/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where the running daemon is spoken to: a Unix socket, mode 0600.
 *
 *      $RUNTIME_DIRECTORY/control               under systemd
 *      $XDG_RUNTIME_DIR/ydsync/control-HASH     else, one for each state folder
 *      STATE/control                            else
 *
 * STATE/control always leads there, as a symlink when it is not the socket itself: whoever knows the
 * state folder finds the daemon, whatever its environment was.  Paths may be longer than the 107
 * bytes that an address has room for.
 */

#include "lib/base/err.h"

#include <sys/types.h>

struct socket {
        int fd;           /* listens, does not block */
        char *path;       /* of the socket */
        char *link;       /* the symlink to it, or NULL */
        dev_t dev;
        ino_t ino;
};

#define SOCKET_NULL ((struct socket){.fd = -1})

/* A socket that nobody listens at any more is replaced; -EADDRINUSE: somebody does. */
int socket_listen(struct socket *ret, const char *state_dir, struct err *err);

/* Removes what was made, if it still is that. */
void socket_close(struct socket *s);

/* Where the daemon of this state folder is: malloced, NULL when there is nothing. */
char *socket_find(const char *state_dir);

/* `path` as it fits into an address: as it is, or through a descriptor of its folder, which must
 * stay open for as long as `ret` is used (-1: none is needed). */
#define SOCKET_PATH_SIZE 108
int socket_shorten(const char *path, char ret[SOCKET_PATH_SIZE], int *ret_fd);
