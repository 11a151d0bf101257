# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# Many files: calls and memory.

scenario_calls_for_a_thousand_files()
{
        local d i n
        for d in $(seq 50); do
                mkdir "$SRC/d$d" && for i in $(seq 20); do echo "$d $i" >"$SRC/d$d/f$i"; done
        done
        once && same
        n=$(count total)
        want "2,110 calls at most: $n" [ "$n" -le 2110 ]
        sleep 2 && once && quiet
}

scenario_real_tree()
{
        # shellcheck disable=SC2086
        (cd / && find usr/include usr/share/doc -xdev -type f -print0 | head -z -n "${FILES:-5000}" |
                tar --null -T - -cf - | tar -C "$SRC" -xf -)
        want "thousands of files" [ "$(find "$SRC" -type f | wc -l)" -gt 1000 ]
        TIMEOUT=300 once && same
        sleep 2 && TIMEOUT=120 once && TIMEOUT=120 quiet
        echo "$(find "$SRC" -type f | wc -l) files" >&2
}
