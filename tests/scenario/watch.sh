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
        scans=$(grep -cE '(^| )scan( in part)?: ' "$T/log")
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

# ---- some folders only ----------------------------------------------------------------------------

# A daemon that has mirrored what is there, and says how it looks.
watching_closely()
{
        env YDSYNC_LOG_LEVEL debug && watching
        wholes=$(looks '')
}

# looks ' in part': how many such scans there were.
looks()
{
        grep -cE "(^| )scan$1: " "$T/log"
}

# Nothing but looks at single folders since then, and at least one.
in_part()
{
        want "scans of everything: $(looks ''), not $wholes" [ "$(looks '')" = "$wholes" ]
        want "no scan in part" [ "$(looks ' in part')" -gt 0 ]
}

two_trees()
{
        mkdir -p "$SRC/a/b/c" "$SRC/d/e" && echo 1 >"$SRC/a/1" && echo 2 >"$SRC/a/b/2"
        echo 3 >"$SRC/a/b/c/3" && echo 4 >"$SRC/d/4" && echo 5 >"$SRC/d/e/5" && echo 6 >"$SRC/6"
}

scenario_watch_looks_where_something_changed()
{
        two_trees && watching_closely
        echo 2+ >"$SRC/a/b/2" && within 30 equal
        echo 6+ >"$SRC/6" && rm "$SRC/d/e/5" && within 30 equal
        mkdir -p "$SRC/d/e/f/g" && echo new >"$SRC/d/e/f/g/h" && within 30 equal
        rm -r "$SRC/a/b" && within 30 equal
        in_part && stop && quietly
}

# From one folder to another: nothing is sent, and a folder brings all that is in it.
scenario_watch_moves_between_folders()
{
        local sent
        two_trees && watching_closely
        sent=$(count put)
        mv "$SRC/a/b" "$SRC/d/b" && within 30 equal
        mv "$SRC/d/4" "$SRC/a/4" && within 30 equal
        mv "$SRC/d" "$SRC/a/d" && within 30 equal
        want "something was sent" [ "$(count put)" = "$sent" ]
        echo 3+ >"$SRC/a/d/b/c/3" && within 30 equal # which is watched where it is now
        in_part && stop && quietly
}

# Of a folder that comes with patterns of its own nothing is sent that they leave out; and what they no
# longer leave out is.
scenario_watch_other_patterns()
{
        two_trees && watching_closely
        mkdir "$T/new" && echo '*.o' >"$T/new/.ydignore" && echo 1 >"$T/new/x.o" && echo 2 >"$T/new/x.c"
        mv "$T/new" "$SRC/a/new" && within 30 cloud_file a/new/x.c
        want "left out" eval '! cloud_file a/new/x.o'
        rm "$SRC/a/new/.ydignore" && within 30 equal
        in_part && stop && quietly
}

# More is gone than may go at once: that is held as a whole, by a look at everything.
scenario_watch_holds_what_is_too_much()
{
        local i
        for i in $(seq 40); do echo "$i" >"$SRC/$i"; done
        env YDSYNC_MAX_DELETE 5/10% && watching && find "$SRC" -type f -name '[12]*' -delete
        within 30 grep -q HELD "$T/log"
        rm "$SRC/3" # a few more are not slipped past it
        sleep 1
        want "nothing is removed" [ "$(cloud_tree | grep -c '^f')" = 40 ]
        stop
}
