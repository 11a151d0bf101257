# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2119,SC2120,SC2034
#
# Changes are noticed at once; the periodic scan, an hour away in all of these, finds the rest.

# A daemon that has mirrored what is there.
watching()
{
        env SYNCHRONIZATION_PERIOD 1h && start && within 30 equal && within 30 rests
}

rests()
{
        "$YDSYNC" --env "$T/env" status --json | jq -e '.next_scan_seconds > 5'
}

scenario_watch_notices_at_once()
{
        mkdir "$SRC/a" && echo 1 >"$SRC/a/f" && watching
        echo 2 >"$SRC/a/f" && within 30 equal
        mkdir -p "$SRC/b/c/d" && within 30 equal && echo deep >"$SRC/b/c/d/f" && within 30 equal
        mv "$SRC/a" "$SRC/b/c/e" && within 30 equal && echo 3 >"$SRC/b/c/e/f" && within 30 equal
        rm -r "$SRC/b" && within 30 equal && stop
}

# Made, filled and moved into place faster than anybody looks.
scenario_watch_misses_nothing_in_new_folders()
{
        local i
        watching
        for i in $(seq 30); do mkdir -p "$SRC/n$i/m" && echo "$i" >"$SRC/n$i/m/f" && mv "$SRC/n$i" "$SRC/o$i"; done
        within 60 equal && stop
}

# One written to all the time makes no scan without a pause.
scenario_watch_is_not_driven()
{
        local i scans
        env YDSYNC_LOG_LEVEL debug && watching
        for i in $(seq 100); do echo "$i" >"$SRC/f"; sleep 0.02; done
        within 30 equal
        scans=$(grep -c ' scan: \|^scan: ' "$T/log")
        want "scans: $scans" [ "$scans" -le 40 ]
        stop
}

# More changes than the kernel keeps while we are stopped.
scenario_watch_survives_an_overflow()
{
        watching && kill -STOP "$DAEMON"
        for i in $(seq 200); do mkdir "$SRC/$i"; done
        (cd "$SRC" && seq 201 7000 | xargs touch && seq 201 7000 | xargs rm) && echo last >"$SRC/last"
        kill -CONT "$DAEMON" && within 60 equal && stop
}

scenario_watch_says_when_watches_are_few()
{
        unshare -Ur sh -c 'echo 3 >/proc/sys/user/max_inotify_watches' 2>/dev/null ||
                skip "no namespace with a limit of its own can be had"
        cat >"$T/few" <<'END'
#!/bin/sh
exec unshare -Ur sh -c 'echo 3 >/proc/sys/user/max_inotify_watches; exec "$@"' sh "$@"
END
        chmod +x "$T/few" && mkdir -p "$SRC/1" "$SRC/2" "$SRC/3" "$SRC/4" "$SRC/5"
        WRAP=$T/few && env SYNCHRONIZATION_PERIOD 2 && start && within 30 equal &&
                within 30 grep -q "not every folder is watched.*max_user_watches" "$T/log"
        for i in 1 2 3 4 5; do echo "$i" >"$SRC/$i/f"; done
        within 30 equal && stop
        want "it is said once" [ "$(grep -c "not every folder is watched" "$T/log")" = 1 ]
}
