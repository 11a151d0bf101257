/* SPDX-License-Identifier: MIT */

/* As the XDG base directory specification has it: a relative path in a variable is ignored. */

#include "daemon/xdg.h"

#include "lib/base/mem.h"
#include "lib/base/str.h"

#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

char *xdg_home(void)
{
        const char *env = getenv("HOME");
        struct passwd pw, *found = NULL;
        char buf[4096];

        if (env && *env == '/')
                return str_dup(env);
        if (getpwuid_r(geteuid(), &pw, buf, sizeof(buf), &found) != 0 || !found)
                return NULL;
        return pw.pw_dir && *pw.pw_dir == '/' ? str_dup(pw.pw_dir) : NULL;
}

char *xdg_path(const char *variable, const char *below, const char *tail)
{
        const char *env = getenv(variable);
        _cleanup_(freep) char *home = NULL;
        char *path = NULL;

        if (env && *env == '/')
                return asprintf(&path, "%s/%s", env, tail) < 0 ? NULL : path;
        home = xdg_home();
        if (!home || asprintf(&path, "%s/%s/%s", home, below, tail) < 0)
                return NULL;
        return path;
}

void xdg_make_parents(const char *path)
{
        _cleanup_(freep) char *copy = str_dup(path);

        for (char *slash = copy ? strchr(copy + 1, '/') : NULL; slash;
             slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                mkdir(copy, 0700);
                *slash = '/';
        }
}
