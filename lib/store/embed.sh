#!/bin/sh
# SPDX-License-Identifier: MIT
#
# embed.sh FILE.sql: prints a C file in which `store_schema` is the text of FILE.sql.
# Lines of nothing but a comment are left out; comments inside a statement are kept, so that
# `.schema` shows them.

set -eu

echo '/* Made from schema.sql by embed.sh. */'
echo '#include "lib/store/store_priv.h"'
echo
echo 'const char store_schema[] ='
sed -e '/^--/d' -e '/^$/d' \
    -e 's/\\/\\\\/g' -e 's/"/\\"/g' \
    -e 's/^/        "/' -e 's/$/\\n"/' "$1"
echo '        ;'
