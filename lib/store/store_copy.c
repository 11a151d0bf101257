/* SPDX-License-Identifier: MIT */

/* A copy of the snapshot in which one can try what would be. */

#include "lib/store/store_priv.h"

#include <errno.h>
#include <stdio.h>

static int copy_pages(struct store_db *db, sqlite3 *to, struct err *err)
{
        sqlite3_backup *backup = sqlite3_backup_init(to, "main", db->sqlite, "main");

        if (!backup)
                return err_set(err, EIO, "the snapshot %s cannot be copied: %s", db->path,
                               sqlite3_errmsg(to));
        sqlite3_backup_step(backup, -1);
        if (sqlite3_backup_finish(backup) != SQLITE_OK)
                return err_set(err, EIO, "the snapshot %s cannot be copied: %s", db->path,
                               sqlite3_errmsg(to));
        return 0;
}

int store_copy(struct store *s, const char *dir, struct store **ret, struct err *err)
{
        _cleanup_(freep) char *path = NULL;
        sqlite3 *to = NULL;
        int r = 0;

        if (asprintf(&path, "%s/" STORE_FILE, dir) < 0)
                return err_set(err, ENOMEM, "there is not enough memory for a path");
        if (sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
            SQLITE_OK)
                r = err_set(err, EIO, "no copy of the snapshot can be made in %s: %s", dir,
                            to ? sqlite3_errmsg(to) : "no memory");
        if (r == 0)
                r = copy_pages(&s->db, to, err);
        sqlite3_close(to);
        return r < 0 ? r : store_open(ret, dir, 0, err);
}
