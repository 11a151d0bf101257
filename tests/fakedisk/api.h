/* SPDX-License-Identifier: MIT */
#pragma once

/* Handlers of the API, one per method and path; see route.c for which is which. */

#include "request.h"

void api_root(struct request *rq);
void api_disk(struct request *rq);
void api_list(struct request *rq);
void api_mkdir(struct request *rq);
void api_patch(struct request *rq);
void api_delete(struct request *rq);
void api_files(struct request *rq);
void api_last(struct request *rq);

void api_copy(struct request *rq);
void api_move(struct request *rq);
void api_link(struct request *rq);
void api_url(struct request *rq);
void api_download(struct request *rq);
void api_operation(struct request *rq);

void api_trash_list(struct request *rq);
void api_trash_delete(struct request *rq);
void api_restore(struct request *rq);

/* limit, offset and sort; false when one is wrong, then the answer is there. */
bool api_page(struct request *rq, struct page *ret);

/* The path of a resource on the Disk; makes the folder of app:/ when that is meant. */
bool api_disk_path(struct request *rq, const char *name, struct path *ret);
