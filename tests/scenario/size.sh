# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2016,SC2119,SC2120
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
        echo "# $n calls"
}

# Two large ones at half a megabyte a second would hold both transfers for seconds.
scenario_small_files_not_behind_large_ones()
{
        local i
        knob '{"put_bps":500000}' && env YDSYNC_PARALLEL 2
        mib 3 >"$SRC/a1" && mib 3 >"$SRC/a2"
        for i in 1 2 3 4 5; do echo $i >"$SRC/z$i"; done
        once && same
        want "the small ones are through first" \
                [ "$(grep -aoE 'uploaded [az][0-9]' "$T/log" | head -n 5 | grep -c z)" = 5 ]
}

scenario_real_tree()
{
        # shellcheck disable=SC2086
        (cd / && find usr/include usr/share/doc -xdev -type f -print0 | head -z -n "${FILES:-5000}" |
                tar --null -T - -cf - | tar -C "$SRC" -xf -)
        want "thousands of files" [ "$(find "$SRC" -type f | wc -l)" -gt 1000 ]
        TIMEOUT=300 once && same
        sleep 2 && TIMEOUT=120 once && TIMEOUT=120 quiet
        echo "# $(find "$SRC" -type f | wc -l) files"
}

# Memory must not grow with the tree.
scenario_two_hundred_thousand_files()
{
        local d kib
        knob '{"journal":false}'
        for d in $(seq 200); do
                mkdir -p "$SRC/a$d/b" || die "no folder"
                (cd "$SRC/a$d/b" && seq 1000 | xargs touch) || die "no files"
        done
        echo x >"$SRC/a1/b/1"
        env YDSYNC_PARALLEL 16 && env YDSYNC_LOG_LEVEL notice
        WRAP="$TOOLS/maxrss $T/rss" TIMEOUT=400 once
        kib=$(cut -d' ' -f1 "$T/rss")
        want "64 MiB at most: $kib KiB" [ "$kib" -le 65536 ]
        want "all are there" [ "$(cloud_tree | wc -l)" = 200400 ]
        sleep 2 && once && mark && WRAP="$TOOLS/maxrss $T/rss2" once
        want "nothing to do: $(calls) calls" [ "$(calls)" = 0 ]
        echo "# $kib KiB, $(cut -d' ' -f2 "$T/rss") s; without changes: $(cut -d' ' -f1 "$T/rss2") KiB, $(cut -d' ' -f2 "$T/rss2") s"
}
