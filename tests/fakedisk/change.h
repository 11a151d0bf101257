/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Everything that changes the tree.  Functions with a `ret_op` may answer with an operation: then
 * it holds the operation's id and the effect may come later; otherwise it is "" and all is done.
 */

#include "disk.h"

/* What a move, copy or restore was asked to do. */
struct transfer {
        struct path from, to;   /* borrowed */
        bool overwrite;
        bool force_async;
};

enum svc_error change_mkdir(struct disk *d, const struct path *p);

/* `md5` (32 hex digits or NULL): only if the file has it. */
enum svc_error change_remove(struct disk *d, const struct path *p, bool permanently,
                             const char *md5, bool force_async, char ret_op[65]);

enum svc_error change_move(struct disk *d, const struct transfer *t, char ret_op[65]);
enum svc_error change_copy(struct disk *d, const struct transfer *t, char ret_op[65]);

/*
 * Merges `props` (an object; null removes) into the custom properties; `ret` is the resource
 * afterwards.  SVC_BAD_FIELD when it gets longer than 1024 characters.
 */
enum svc_error change_patch(struct disk *d, const struct path *p, const cJSON *props,
                            struct snapshot *ret);

/*
 * `name` is NULL (back to where it was), a new name, or a path with slashes; `ret_to` is where it
 * went, owned by the caller also on failure.
 */
enum svc_error change_restore(struct disk *d, const struct path *p, const char *name,
                              bool overwrite, bool force_async, struct path *ret_to,
                              char ret_op[65]);

/* Destroys an entry of the trash, or with the trash's root everything in it. */
enum svc_error change_trash_remove(struct disk *d, const struct path *p, bool force_async,
                                   char ret_op[65]);

/* locked: stores a file as an upload does, taking over the reference to `c` in any case. */
enum svc_error change_commit(struct disk *d, const struct path *p, bool overwrite,
                             struct content *c);

/* locked: would change_commit() be refused as things are?  Its size is not known yet. */
enum svc_error change_check_commit(struct disk *d, const struct path *p, bool overwrite);

/* Makes the folder of app:/ when it is not there. */
void change_make_app(struct disk *d);

/*
 * Other people: parents are made, files replaced, nothing is refused but what cannot be
 * (SVC_EXISTS for a file in the way, SVC_NOT_FOUND).  change_others_put() takes over `c`.
 */
enum svc_error change_others_mkdir(struct disk *d, const struct path *p);
enum svc_error change_others_put(struct disk *d, const struct path *p, struct content *c);
enum svc_error change_others_remove(struct disk *d, const struct path *p);
enum svc_error change_others_move(struct disk *d, const struct path *from, const struct path *to);
