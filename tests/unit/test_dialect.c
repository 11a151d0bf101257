/* SPDX-License-Identifier: MIT */

#include "lib/base/dialect.h"
#include "lib/base/dotenv.h"
#include "tests/unit/check.h"

struct row {
        const char *line;
        bool systemd, bash;
};

static void check_row(const struct row *row)
{
        struct dotenv env = {0};

        require(dotenv_parse(&env, row->line, strlen(row->line)) == 0);
        if (env.n_pairs != 1) {
                check_fail("no pair: %s", row->line);
        } else {
                if (dialect_systemd_agrees(row->line, strlen(row->line), env.pairs[0].value) !=
                    row->systemd)
                        check_fail("systemd: %s", row->line);
                if (dialect_bash_agrees(row->line, strlen(row->line), env.pairs[0].value) !=
                    row->bash)
                        check_fail("bash: %s", row->line);
        }
        dotenv_finish(&env);
}

TEST(who_reads_what_otherwise)
{
        static const struct row rows[] = {
                {"A=plain", true, true},
                {"A=", true, true},
                {"A=/home/a/b-c_d.e:f@g%h+i,j", true, true},
                {"A=https://host:1/x", true, true},
                {"A='x # y'", true, true},
                {"A=\"x # y\"", true, true},
                {"A='a\\b'", true, true},
                {"A='$HOME'", true, true},
                {"A=600 # ten", false, true},
                {"A=\"x\" # ten", false, false},
                {"A=a#b", true, false},
                {"A = v", true, false},
                {"A= v", true, false},
                {"export A=v", false, true},
                {"A=\\bar", false, false},
                {"A=C:\\dir", false, false},
                {"A=\"a\\nb\"", false, false},
                {"A=$HOME/x", true, false},
                {"A=\"$HOME/x\"", true, false},
                {"A=two words", true, false},
                {"A=a;b", true, false},
                {"A=~/x", true, false},
                {"A=*.tmp", true, false},
                {"A=v\r", true, false},
                {"A=\xd0\x9f", true, true},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
                check_row(&rows[i]);
}

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}
