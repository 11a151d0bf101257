/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The knobs: what this server does differently from the plain service.  All can be set on the
 * command line (--config) and while it runs (POST /_fake/config).  The table below is the only
 * place that lists them; the struct, the parser and --help come from it.
 *
 *   INT(name, default, least, most, what it does)
 *   BOOL(name, default, what it does)
 *   WORD(name, "first|second|…", what it does)      the first word is the default, value 0
 *   TEXT(name, default, what it does)
 */

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#define CONFIG_BIG (INT64_C(1) << 53)

#define CONFIG_KNOBS(INT, BOOL, WORD, TEXT)                                                      \
        INT(latency_ms, 0, 0, 600000, "every API answer comes this much later")                  \
        INT(latency_jitter_ms, 0, 0, 600000, "plus a random time up to this")                    \
        INT(rate, 0, 0, 1000000, "API requests a second before 429; 0 = no limit")               \
        INT(retry_after, -1, -1, 86400, "seconds in Retry-After of a 429; -1 = no header")       \
        BOOL(throttle, false, "slow uploads whose link name is an archive, database or video")   \
        WORD(throttle_shape, "slow-read|late-answer", "how a throttled upload is slow")          \
        INT(throttle_bps, 131072, 1, CONFIG_BIG, "bytes a second of a throttled upload")         \
        INT(throttle_burst, 0, 0, CONFIG_BIG, "bytes of it that pass at full speed")             \
        BOOL(throttle_unlisted, false, "also throttle unknown extensions stored as data")        \
        INT(put_bps, 0, 0, CONFIG_BIG, "bytes a second of every upload; 0 = no limit")           \
        WORD(put_reply, "no-length|length0|202", "how a finished PUT is answered")               \
        INT(put_commit_ms, 0, 0, 3600000, "after a 202: time until the file appears")            \
        INT(put_pause_ms, 0, 0, 3600000, "silence between the last byte and commit and answer")  \
        INT(put_pause_ms_per_gib, 0, 0, 3600000, "plus this much for each GiB")                  \
        INT(quota, INT64_C(10737418240), 0, CONFIG_BIG, "total_space, bytes")                    \
        INT(max_file_size, 1073741824, 0, CONFIG_BIG, "bytes; larger bodies get 413")            \
        INT(upload_limit_bytes, -1, -1, CONFIG_BIG,                                              \
            "bytes uploaded before links get 423 DiskUploadTrafficLimitExceeded; -1 = no limit") \
        INT(op_ms, 0, 0, 3600000, "how long an asynchronous operation runs and locks")           \
        INT(op_polls, 0, 0, 1000, "polls that say in-progress even when it is done")             \
        WORD(op_result, "success|failed|failure", "how operations end; not success: no effect")  \
        INT(op_retention_ms, 0, 0, 3600000, "a finished operation is forgotten after; 0 = kept") \
        WORD(op_href, "path|query", "operations/<id> or operations?id=<id>")                     \
        INT(link_life_ms, 1800000, 0, 86400000, "an upload link must be used within")            \
        INT(link_expired_status, 410, 404, 410, "what the uploader says then: 404 or 410")       \
        WORD(link_reuse, "refused|allowed", "a PUT on a link that was already used")             \
        BOOL(resume, false, "HEAD and Content-Range on the uploader")                            \
        INT(list_clamp, 0, 0, 1000000, "largest page of a listing; 0 = any")                     \
        BOOL(list_dirs_first, true, "folders before files in every order")                       \
        INT(visibility_ms, 0, 0, 3600000, "a new file has no metadata for this long")            \
        WORD(move_overwrite, "works|refused", "move with overwrite=true onto a file")            \
        WORD(overwrite_created, "reset|kept", "`created` of a file that is replaced")            \
        BOOL(overwrite_keeps_id, true, "`resource_id` of a file that is replaced")               \
        BOOL(overwrite_keeps_props, false, "custom properties of a file that is replaced")       \
        INT(patch_settle_ms, 0, 0, 600000, "PATCH this soon after an upload goes wrong")         \
        WORD(patch_settle, "error|lost", "how: 500, or 200 and nothing kept")                    \
        BOOL(lock_uploads, false, "deleting or moving a folder with a PUT under way gives 423")  \
        WORD(control_names, "whitespace|refused|allowed",                                        \
             "control characters in names: TAB, LF and CR pass, none, all")                      \
        BOOL(readonly, false, "maintenance: 423 for every change")                               \
        BOOL(token_expired, false, "401 for every API request")                                  \
        WORD(account, "ok|unsupported", "unsupported: 403 for every API request")                \
        BOOL(sha256, true, "compute sha256; without it listings lack the key")                   \
        BOOL(shuffle, true, "order of keys changes from reply to reply")                         \
        BOOL(extra_keys, true, "replies carry keys that no client knows")                        \
        BOOL(download_redirect, true, "the downloader sends to a storage address first")         \
        TEXT(href_scheme, "http", "scheme of every href")                                        \
        TEXT(href_host, "127.0.0.1", "host of every href")                                       \
        INT(device_pending, 2, 0, 1000, "polls of the device flow that say authorization_pending") \
        WORD(device_result, "ok|expired|denied", "how the device flow ends")                     \
        INT(device_interval, 5, 0, 3600, "`interval` of the device flow, seconds")               \
        INT(token_life_s, 31536000, 1, 315360000, "`expires_in` of new tokens")                  \
        BOOL(refresh_same_access, false, "a refresh gives the same access token again")          \
        TEXT(uid, "130000000000001", "number of the account, as GET /v1/disk tells it")          \
        TEXT(client_id, "", "the only accepted client_id; empty = any")                          \
        TEXT(client_secret, "", "the only accepted client_secret; empty = any")                  \
        TEXT(auth_code, "fake-code", "what grant_type=authorization_code accepts, once each")    \
        BOOL(journal, true, "keep a journal (counters always work)")                             \
        INT(journal_max_mb, 1024, 1, 65536, "the oldest entries go when it grows beyond")        \
        INT(seed, 1, 0, CONFIG_BIG, "of everything random; setting it starts it anew")

struct config {
#define INT(name, def, least, most, doc) int64_t name;
#define BOOL(name, def, doc) bool name;
#define WORD(name, words, doc) int name;
#define TEXT(name, def, doc) char name[64];
        CONFIG_KNOBS(INT, BOOL, WORD, TEXT)
#undef INT
#undef BOOL
#undef WORD
#undef TEXT
};

/* Values of the WORD knobs, in the order of their words. */
enum { THROTTLE_SLOW_READ, THROTTLE_LATE_ANSWER };
enum { PUT_REPLY_NO_LENGTH, PUT_REPLY_LENGTH0, PUT_REPLY_202 };
enum { OP_RESULT_SUCCESS, OP_RESULT_FAILED, OP_RESULT_FAILURE };
enum { OP_HREF_PATH, OP_HREF_QUERY };
enum { LINK_REUSE_REFUSED, LINK_REUSE_ALLOWED };
enum { MOVE_OVERWRITE_WORKS, MOVE_OVERWRITE_REFUSED };
enum { OVERWRITE_CREATED_RESET, OVERWRITE_CREATED_KEPT };
enum { PATCH_SETTLE_ERROR, PATCH_SETTLE_LOST };
enum { CONTROL_NAMES_WHITESPACE, CONTROL_NAMES_REFUSED, CONTROL_NAMES_ALLOWED };
enum { ACCOUNT_OK, ACCOUNT_UNSUPPORTED };
enum { DEVICE_RESULT_OK, DEVICE_RESULT_EXPIRED, DEVICE_RESULT_DENIED };

/* The defaults. */
void config_init(struct config *c);

/*
 * Merges an object of knobs.  On a wrong name or value returns false with a sentence in `ret_why`,
 * and changes nothing.
 */
bool config_merge(struct config *c, const cJSON *knobs, char ret_why[256]);

/* All knobs as a JSON object, to be freed with free(). */
char *config_print(const struct config *c);

/* One line per knob for --help. */
void config_help(void);
