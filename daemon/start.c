/* SPDX-License-Identifier: MIT */

/*
 * Two libraries need care.
 *
 * OpenSSL sets itself up when it is first needed, and does not see everything that fails then: a
 * context that could not be made is a null pointer later.
 *
 * libuv calls abort() when it cannot make a thread of its pool, or make room for one more
 * descriptor.  So it is made to do both now, while an abort() is only the end of a program that has
 * not begun: all threads are started, and the table of descriptors gets the size that it will need.
 */

#include "daemon/start.h"

#include "daemon/exit.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/engine/source.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

/* More than 64 transfers with a connection, a file and its folder each can have open. */
#define START_DESCRIPTORS 500

int start_libraries(struct err *err)
{
        if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) &&
            OSSL_LIB_CTX_get0_global_default() && source_prepare() == 0 &&
            curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
                return 0;
        return err_set(err, ENOMEM, "the libraries cannot be set up; is there too little memory?");
}

void start_libraries_finish(void)
{
        curl_global_cleanup();
}

static void start_aborted(int number _unused_)
{
        log_error("the threads and the event loop cannot be started: too many processes, too many "
                  "open files or too little memory");
        _exit(EXIT_IO_ERROR);
}

static void start_nothing(uv_work_t *work _unused_)
{
}

static void start_nothing_done(uv_work_t *work _unused_, int status _unused_)
{
}

static void start_polled(uv_poll_t *poll _unused_, int status _unused_, int events _unused_)
{
}

/* Watches a high descriptor for a moment: the table has room for all below it from then on. */
static int start_table(uv_loop_t *loop)
{
        _cleanup_(closep) int low = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        _cleanup_(closep) int high = -1;
        struct rlimit limit;
        uv_poll_t poll;
        int at = START_DESCRIPTORS, r;

        if (low < 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return -errno;
        if (limit.rlim_cur <= START_DESCRIPTORS)
                at = (int)limit.rlim_cur - 1;
        high = fcntl(low, F_DUPFD_CLOEXEC, at);
        if (high < 0)
                return -errno;
        r = uv_poll_init(loop, &poll, high);
        if (r < 0)
                return r;
        r = uv_poll_start(&poll, UV_READABLE, start_polled);
        uv_close((uv_handle_t *)&poll, NULL);
        uv_run(loop, UV_RUN_DEFAULT);
        return r;
}

static void start_close(uv_handle_t *handle, void *userdata _unused_)
{
        if (!uv_is_closing(handle))
                uv_close(handle, NULL);
}

void start_loop_finish(uv_loop_t *loop)
{
        uv_walk(loop, start_close, NULL);
        uv_run(loop, UV_RUN_DEFAULT);
        uv_loop_close(loop);
}

int start_loop(uv_loop_t *loop, struct err *err)
{
        struct sigaction guard = {.sa_handler = start_aborted}, before;
        uv_work_t work;
        int r;

        sigaction(SIGABRT, &guard, &before);
        r = uv_loop_init(loop);
        if (r < 0)
                return err_errno(err, -r, "the event loop cannot start");
        uv_queue_work(loop, &work, start_nothing, start_nothing_done);
        uv_run(loop, UV_RUN_DEFAULT);
        r = start_table(loop);
        sigaction(SIGABRT, &before, NULL);
        if (r == 0)
                return 0;
        start_loop_finish(loop);
        return err_errno(err, -r, "the event loop cannot start");
}
