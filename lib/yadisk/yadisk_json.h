/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reply bytes -> structs.  Every byte is hostile until checked: a reply that is not what it must be
 * gives -EBADMSG, never half a struct.  Unknown keys are passed over, the order of keys means
 * nothing.
 */

#include "lib/core/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The names by which decisions are taken; every other name counts by its HTTP status alone. */
#define YADISK_ERRORS(X)                                                                           \
        X(NOT_FOUND, "DiskNotFoundError")                                                          \
        X(OPERATION_NOT_FOUND, "DiskOperationNotFoundError")                                       \
        X(NO_PARENT, "DiskPathDoesntExistsError")                                                  \
        X(FOLDER_EXISTS, "DiskPathPointsToExistentDirectoryError")                                 \
        X(EXISTS, "DiskResourceAlreadyExistsError")                                                \
        X(EXISTS_OLD, "PlatformResourceAlreadyExists")                                             \
        X(MD5_DIFFERS, "MD5DifferError")                                                           \
        X(LOCKED, "DiskResourceLockedError")                                                       \
        X(TRAFFIC_LIMIT, "DiskUploadTrafficLimitExceeded")                                         \
        X(UNAUTHORIZED, "UnauthorizedError")                                                       \
        X(ACCOUNT_TYPE, "DiskUnsupportedUserAccountTypeError")                                     \
        X(FIELD, "FieldValidationError")

enum yadisk_error {
        YADISK_ERROR_NONE,  /* no error body, or none that can be read */
        YADISK_ERROR_OTHER, /* a name that nothing depends on */
#define YADISK_ERROR_ENUM(id, name) YADISK_ERROR_##id,
        YADISK_ERRORS(YADISK_ERROR_ENUM)
#undef YADISK_ERROR_ENUM
};

/* The `error` name of a reply, and its `description` (may be NULL) cut to the buffer and made
 * printable. */
enum yadisk_error yadisk_read_error(const char *body, size_t len, char *ret_description,
                                    size_t size);

/* A link: where to go next. */
struct yadisk_link {
        char *href;
        char *operation_id; /* uploads only; may be NULL */
};
int yadisk_read_link(const char *body, size_t len, struct yadisk_link *ret);
void yadisk_link_finish(struct yadisk_link *l);

/* kind, size, md5 of one resource; the key is not touched. */
int yadisk_read_resource(const char *body, size_t len, struct entry *ret);

/* One page of a folder; the keys of the items are their plain names. */
struct yadisk_listing {
        struct entry_list items; /* owned */
        uint64_t total;
        uint64_t offset;
        uint64_t strange; /* items left out: names that no local file can have, unknown types */
};
int yadisk_read_listing(const char *body, size_t len, struct yadisk_listing *ret);
void yadisk_listing_finish(struct yadisk_listing *l);

/* The number of the account that the token is of, as text: digits and letters, never empty. */
#define YADISK_UID_MAX 64 /* with the NUL */
int yadisk_read_account(const char *body, size_t len, char ret_uid[YADISK_UID_MAX]);

/* What the account has room for.  What is in the Trash counts as used. */
struct yadisk_room {
        uint64_t total, used;
        uint64_t largest; /* file, 0: not said */
};
int yadisk_read_room(const char *body, size_t len, struct yadisk_room *ret);
uint64_t yadisk_room_free(const struct yadisk_room *r);

enum yadisk_progress { YADISK_RUNNING, YADISK_SUCCEEDED, YADISK_FAILED };
int yadisk_read_operation(const char *body, size_t len, enum yadisk_progress *ret);
