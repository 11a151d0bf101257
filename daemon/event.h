/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What ydsync tells, as a table of kinds.
 *
 * A line is for people, in their language.  Its kind is for machines and for the catalogue
 * (systemd/ydsync.catalog, which explains each): the id and the name of a kind never change, nor do
 * the names and the language of the fields that go with it.  Levels mean: ERROR needs a person,
 * WARNING is degraded and mends itself, NOTICE is a change of state, INFO is one change in the cloud
 * or one summary.
 */

#include "lib/base/log.h"
#include "lib/base/tr.h"

#include <stdint.h>

/* Enum value, stable name, level, MESSAGE_ID. */
#define EVENT_TABLE(X)                                                                             \
        X(UPLOADED, "uploaded", LOG_INFO, "7a51741335954645a5d4c8a26a3f88a0")                      \
        X(REPLACED, "replaced", LOG_INFO, "26ca5a713493405ca168df39de42fcdf")                      \
        X(ADOPTED, "adopted", LOG_INFO, "1784d4fe0dbd4b7a82d1aab2d8f026a9")                        \
        X(FOLDER_MADE, "folder-made", LOG_INFO, "9b5458c8200144939a6f94afd7bab4d8")                \
        X(MOVED, "moved", LOG_INFO, "d08226897afe411883115ae7bb723033")                            \
        X(NOT_MOVED, "not-moved", LOG_WARNING, "21749b9aec9a4097857a7bc29574c925")                 \
        X(REMOVED, "removed", LOG_INFO, "88acbf726f7e4a9785d62e45e48370d6")                        \
        X(FOLDER_REMOVED, "folder-removed", LOG_INFO, "162a2a7af716422fa9a015b6e8ee8bf2")          \
        X(NO_LONGER_MIRRORED, "no-longer-mirrored", LOG_INFO, "e14f3ec3c9de442c9f6c9515e4ddfa4b")  \
        X(REMNANT_REMOVED, "remnant-removed", LOG_INFO, "731c5a34a04d47078648c2fedfeadabe")        \
        X(PASS_DONE, "pass-done", LOG_INFO, "ee90ccfc8e7b439a96ff41ad74a3fab0")                    \
        X(COMPARING, "comparing", LOG_NOTICE, "8df48f58e7bd4cc7a9587c1c2fecd7ac")                  \
        X(OTHER_ACCOUNT, "other-account", LOG_NOTICE, "27da5966d6ee41f284e40c11469ca90c")          \
        X(LOOK_ASKED, "look-asked", LOG_INFO, "be6f49e61ab642d9b5a306aba521f1ba")                  \
        X(PAUSED, "paused", LOG_NOTICE, "b7ba841cac48468887b45b85c9402500")                        \
        X(RESUMED, "resumed", LOG_NOTICE, "f8c9f6b777684e6cb298fbaf63f34438")                      \
        X(CONTROL_FAILED, "control-failed", LOG_WARNING, "6fdac2bc0a28404ab36e4e33f7a09974")       \
        X(WAITING_YOUNG, "waiting-young", LOG_INFO, "118eb14a8b1045d88536c37436792ac9")            \
        X(RESTLESS, "restless", LOG_NOTICE, "244df9c19fa844c996c22ec68c24c466")                    \
        X(FAILED, "failed", LOG_WARNING, "d042f5efb8ab442fb59b9383eba039a0")                       \
        X(LEFT_ALONE, "left-alone", LOG_WARNING, "c15734a33e4a421b96c336f705da3e79")               \
        X(ARRIVED_WRONG, "arrived-wrong", LOG_WARNING, "3f04201cf0274e05959290ea3695a127")         \
        X(NOT_VERIFIED, "not-verified", LOG_WARNING, "16bb2a4a74a041cc945c0e5d11d35339")           \
        X(NAME_UNFIT, "name-unfit", LOG_WARNING, "1c0ed2accf88464c85d12b452d4394fc")               \
        X(UNREADABLE, "unreadable", LOG_WARNING, "72db706fbf4f4a758e07a855523dd16b")               \
        X(UNSEEN, "unseen", LOG_WARNING, "52d7a6ffa0cf4434b3c07d9b93d22b6a")                       \
        X(WATCH_SHORT, "watch-short", LOG_NOTICE, "c9c466f9334a4e3da3b92f94c1b550af")              \
        X(AND_MORE, "and-more", LOG_NOTICE, "84521bef4f9e4b24850f5cd97431a4ac")                    \
        X(CLOUD_UNLISTED, "cloud-unlisted", LOG_WARNING, "3eb536a5962d436990a0c5ac04b6b584")       \
        X(CLOUD_UNMADE, "cloud-unmade", LOG_WARNING, "09c86442006a4d85a3af40fe6d1cd8e5")           \
        X(TROUBLE, "trouble", LOG_WARNING, "eab6dcb89f314235ae023ba9ed8fb507")                     \
        X(TROUBLE_OVER, "trouble-over", LOG_NOTICE, "c1cb91cb96a543eda9fd96a0b436903d")            \
        X(SERVICE_AWAY, "service-away", LOG_WARNING, "0ab18a9d28234941af00d1e175815844")           \
        X(UPLOADS_PAUSED, "uploads-paused", LOG_WARNING, "69a7853321a04232a32f4cfe8fa1b0b8")       \
        X(UPLOADS_RESUMED, "uploads-resumed", LOG_NOTICE, "8fb2aae2fc664f9ba6183b584b10935f")      \
        X(HELD, "held", LOG_ERROR, "c0aab85fa6064fbf83a0b70a43e970a4")                             \
        X(TOKEN_RENEWED, "token-renewed", LOG_INFO, "1c0e1c8d7e5243b8a0446062f496058e")            \
        X(TOKEN_NOT_RENEWED, "token-not-renewed", LOG_WARNING, "e41d4340b4894b04b1c85e5e1c1d1ef3") \
        X(TOKEN_REFUSED, "token-refused", LOG_ERROR, "36d3dd14b9054077a74e9f3a00cd04a9")           \
        X(FOLDER_WRONG, "folder-wrong", LOG_ERROR, "5bb9c5e913e14ebc9ddb3e296a30bdf9")             \
        X(STATE_FAILED, "state-failed", LOG_ERROR, "eb12a99ddfec45b7949b59466dd917c8")             \
        X(STATE_RENEWED, "state-renewed", LOG_NOTICE, "286f2fa755834f098d2a13f9f1d74860")          \
        X(DRIFT, "drift", LOG_NOTICE, "b433bfbb783c450c86833bdeb625a277")                          \
        X(CONTENT_CHANGED, "content-changed", LOG_NOTICE, "53bb272c23924e60872a5b863b3772ee")      \
        X(AUDIT_WAITS, "audit-waits", LOG_WARNING, "bf824d1d60ff4ab3bb3cf112aec934a2")             \
        X(AUDIT_UNLISTED, "audit-unlisted", LOG_WARNING, "0edd4452ac334f6b99d46b2e6b6b4343")       \
        X(AUDIT_DONE, "audit-done", LOG_INFO, "4239687ac85d4b6a8ee8ba42698e0466")                  \
        X(AUDIT_CLEAN, "audit-clean", LOG_DEBUG, "1ad0f49cc4a9443181bc211717bfdea5")               \
        X(CONFIG_WRONG, "config-wrong", LOG_ERROR, "8f0d4fc777ee45e78bafe762f19d7f7a")             \
        X(CONFIG_DOUBTFUL, "config-doubtful", LOG_WARNING, "86b8f234ae2441a4b9cba07c52698668")     \
        X(CONFIG_CHANGED, "config-changed", LOG_NOTICE, "4df4181634cf42b1b6482b1ef8a88569")         \
        X(CONFIG_KEPT, "config-kept", LOG_NOTICE, "7f2f0ff6ba684984b2c8b401ef3ee594")               \
        X(LOG_FILE_FAILED, "log-file-failed", LOG_ERROR, "f4fbc9ee40794a1e82628148c51031d9")       \
        X(LOG_LOST, "log-lost", LOG_WARNING, "532adbda682445de8570b83013f9a40a")

enum event {
#define EVENT_VALUE(value, name, level, id) EVENT_##value,
        EVENT_TABLE(EVENT_VALUE)
#undef EVENT_VALUE
};

/* What an event is about; what does not apply stays zero. */
struct event_about {
        const char *op;        /* "upload", "replace", "remove" …: done, or tried in vain */
        const char *path;      /* below the watched folder, as it is on the disk; "": that folder */
        const char *from;      /* a move: where it was, likewise */
        const char *root;      /* the cloud folder: with `path` it makes YDSYNC_REMOTE */
        const char *reason;    /* why, in English */
        const uint64_t *bytes;
        const uint8_t *md5;    /* 16 bytes */
        int http_status;
        int err;               /* a positive errno */
};

/* Says one line, with the fields of `about` (NULL: none). */
void event_say(enum event event, const struct event_about *about, const char *fmt, ...)
        _printf_(3, 4);
void event_vsay(enum event event, const struct event_about *about, const char *fmt, va_list ap)
        _printf_(3, 0);

/* Entries belong to pass `n` from now on; 0: to none. */
void event_set_cycle(uint64_t n);
