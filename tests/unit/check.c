/* SPDX-License-Identifier: MIT */

#include "tests/unit/check.h"

struct check_test *check_first, **check_last = &check_first;
bool check_failed;

static bool check_wanted(const char *name, int argc, char **argv)
{
        for (int i = 1; i < argc; i++)
                if (strcmp(argv[i], name) == 0)
                        return true;
        return argc == 1;
}

int check_main(int argc, char **argv)
{
        bool any_failed = false;

        if (argc == 2 && strcmp(argv[1], "--list") == 0) {
                for (struct check_test *t = check_first; t; t = t->next)
                        puts(t->name);
                return 0;
        }
        setvbuf(stdout, NULL, _IOLBF, 0);
        for (struct check_test *t = check_first; t; t = t->next) {
                if (!check_wanted(t->name, argc, argv))
                        continue;
                check_failed = false;
                t->run();
                printf("%s %s\n", check_failed ? "not ok" : "ok", t->name);
                any_failed |= check_failed;
        }
        return any_failed;
}
