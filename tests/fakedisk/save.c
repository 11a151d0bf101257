/* SPDX-License-Identifier: MIT */

/*
 * A saved state is a second Disk, set of rules and journal that nobody serves.  Contents are shared
 * between all of them by reference, so that saving costs a walk over the tree and no byte.
 */

#include <pthread.h>

#include "save.h"
#include "server.h"

struct save {
        struct save *next;
        char *name;
        struct disk disk;
        struct faults *faults;
        struct journal *journal;
};

struct saves {
        pthread_mutex_t lock;
        struct save *first;
};

struct saves *save_create(void)
{
        struct saves *all = xcalloc(1, sizeof *all);

        pthread_mutex_init(&all->lock, NULL);
        return all;
}

void save_clear(struct saves *all)
{
        pthread_mutex_lock(&all->lock);
        while (all->first) {
                struct save *save = all->first;

                all->first = save->next;
                disk_finish(&save->disk);
                fault_destroy(save->faults);
                journal_destroy(save->journal);
                free(save->name);
                free(save);
        }
        pthread_mutex_unlock(&all->lock);
}

void save_destroy(struct saves *all)
{
        if (!all)
                return;
        save_clear(all);
        pthread_mutex_destroy(&all->lock);
        free(all);
}

static struct save *find(struct saves *all, const char *name)
{
        struct save *save = all->first;

        while (save && strcmp(save->name, name) != 0)
                save = save->next;
        return save;
}

static struct save *make(struct server *s, const char *name)
{
        struct save *save = xcalloc(1, sizeof *save);

        save->name = xstrdup(name);
        disk_init(&save->disk, s->store, &s->cfg_at_start);
        save->disk.copied_us = now_mono_us();
        save->faults = fault_create(0);
        save->journal = journal_create();
        save->next = s->saves->first;
        s->saves->first = save;
        return save;
}

void save_put(struct server *s, const char *name)
{
        struct save *save;

        pthread_mutex_lock(&s->saves->lock);
        save = find(s->saves, name);
        if (!save)
                save = make(s, name);
        disk_copy(&save->disk, &s->disk);
        fault_copy(save->faults, s->faults);
        journal_copy(save->journal, s->journal);
        pthread_mutex_unlock(&s->saves->lock);
}

bool save_take(struct server *s, const char *name)
{
        struct save *save;

        pthread_mutex_lock(&s->saves->lock);
        save = find(s->saves, name);
        if (save) {
                disk_copy(&s->disk, &save->disk);
                fault_copy(s->faults, save->faults);
                journal_copy(s->journal, save->journal);
        }
        pthread_mutex_unlock(&s->saves->lock);
        return save;
}
