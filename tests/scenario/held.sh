# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2016,SC2119,SC2120
# The brake: many removals at once wait for a person, who releases exactly what was shown.

# hold N: N files in d and 20 beside it are mirrored, then d is gone; that is held
hold()
{
        env YDSYNC_MAX_DELETE "${LIMIT:-10/10%}"
        mkdir "$SRC/d" && for i in $(seq "$1"); do echo "$i" >"$SRC/d/$i"; done &&
                for i in $(seq 20); do echo "k$i" >"$SRC/keep$i"; done && once && mv "$SRC/d" "$T/d" && once 75
        log "HELD: $(($1 + 1)) of $(($1 + 21)) known entries are gone"
        none_removed
}

plan_id()
{
        sed -n 's/.*ydsync approve \([0-9a-f]\{16\}\).*/\1/p' "$T/log" | tail -n 1
}

# approve ID [STATUS]
approve()
{
        local got=0
        "$YDSYNC" --env "$T/env" approve "$1" >"$T/out" 2>"$T/approve.log" || got=$?
        [ "$got" = "${2:-0}" ] || die "approve ended with $got: $(cat "$T/approve.log")"
}

none_removed()
{
        want "nothing was removed" [ "$(count delete)" = 0 ]
}

scenario_held_is_released_by_its_id_alone()
{
        local id
        hold 30 && id=$(plan_id)
        approve 0123456789abcdef 64 && approve "" 64 && approve "${id%?}" 64 && approve "$id$id" 64 && once 75
        none_removed
        want "the same plan has the same id" [ "$(plan_id)" = "$id" ]
        approve "$id" && once && same
        want "one call removed the folder" [ "$(count delete)" = 1 ]
        quiet && approve "$id" 64
        want "it says so" grep -q 'no plan is held' "$T/approve.log"
}

scenario_held_plan_that_grew()
{
        local id
        hold 30 && id=$(plan_id) && approve "$id" && rm "$SRC/keep1" && once 75
        none_removed
        want "another id" [ "$(plan_id)" != "$id" ]
        approve "$id" 64
        want "it names the one that is held" grep -q "that is $(plan_id)" "$T/approve.log"
        approve "$(plan_id)" && once && same
}

scenario_held_plan_that_shrank()
{
        local id
        hold 30 && id=$(plan_id) && approve "$id" && mkdir "$SRC/d" && cp -p "$T/d/1" "$SRC/d/" && once 75
        none_removed
        want "another id" [ "$(plan_id)" != "$id" ]
}

# What was approved is over when it was not needed: the same loss again is a new one.
scenario_held_approval_is_used_up()
{
        local id
        hold 30 && id=$(plan_id) && approve "$id" && mv "$T/d" "$SRC/d" && once && mv "$SRC/d" "$T/d" && once 75
        none_removed
        want "held anew" [ "$(plan_id)" = "$id" ]
}

scenario_held_over_restarts()
{
        local i
        hold 30 && env SYNCHRONIZATION_PERIOD 200ms
        for i in 1 2 3; do
                start && within 20 grep -q HELD "$T/log" && echo "$i" >"$SRC/new$i" && within 20 cloud_file "new$i" && stop
        done
        once 75
        none_removed
        start && within 20 grep -q HELD "$T/log"
        want "said once" [ "$(grep -c HELD "$T/log")" = 1 ]
        approve "$(plan_id)" && within 20 equal && stop
}

scenario_held_is_shown_by_plan()
{
        local id got=0
        hold 30 && id=$(plan_id) && echo new >"$SRC/new"
        fake "reset?what=journal" -d '' >/dev/null
        "$YDSYNC" --env "$T/env" plan >"$T/out" 2>"$T/log" || got=$?
        want "plan has something to do: $got" [ "$got" = 1 ]
        want "what is held is marked" grep -qx 'HELD remove folder d' "$T/out"
        want "what is not, is not" grep -qx 'upload new' "$T/out"
        want "with the same id" [ "$(plan_id)" = "$id" ]
        want "without a call" [ "$(count total)" = 0 ]
        approve "$id"
        "$YDSYNC" --env "$T/env" plan >"$T/out" 2>"$T/log" || true
        want "released, it is shown so" grep -qx 'remove folder d' "$T/out"
        nolog HELD
}

# Who takes the snapshot away, in despair, gets everything compared and nothing removed.
scenario_held_then_the_snapshot_is_removed()
{
        hold 30 && rm -r "$T/state" && once
        none_removed
        want "all is still there" [ "$(cloud_tree | wc -l)" = 51 ]
        once && none_removed && approve 0123456789abcdef 64
}

scenario_held_then_the_snapshot_is_damaged()
{
        hold 30 && printf 'x%.0s' $(seq 5000) >"$T/state/state.db" && once
        none_removed
        want "all is still there" [ "$(cloud_tree | wc -l)" = 51 ]
}

scenario_held_then_another_folder_is_configured()
{
        hold 30 && mkdir "$T/empty" && env PATH_TO_FOLDER_ON_PC "$T/empty" && once && once
        none_removed
        env PATH_TO_FOLDER_ON_PC "$SRC" && once && once
        none_removed
        want "all is still there" [ "$(cloud_tree | wc -l)" = 51 ]
}

scenario_held_when_everything_is_gone()
{
        mkdir "$SRC/d" && for i in $(seq 110); do echo "$i" >"$SRC/d/$i"; done && once && rm -r "$SRC/d" && once 75
        log 'HELD: 111 of 111 known entries are gone'
        none_removed
}

# What takes the place of something that is held back has to wait as well.
scenario_held_back_with_what_takes_its_place()
{
        local id
        hold 30 && echo file >"$SRC/d" && once 75
        none_removed
        want "the folder is still there" cloud_file d/1
        approve "$(plan_id)" && once && same
}

# An approval is not lost when the pass that takes it up comes to nothing.
scenario_held_approved_in_bad_times()
{
        hold 30 && env SYNCHRONIZATION_PERIOD 200ms && fault '{"on":"delete","times":-1,"do":{"silent":true}}'
        start && within 20 grep -q HELD "$T/log" && approve "$(plan_id)" && within 20 eval '[ "$(count delete)" -gt 0 ]'
        kill -KILL "$DAEMON" && wait "$DAEMON" 2>/dev/null
        DAEMON=
        fake fault -X DELETE >/dev/null && once && same
}

# Nor when somebody looks at the plan before the daemon has seen it.
scenario_held_approval_is_not_taken_by_plan()
{
        hold 30 && env SYNCHRONIZATION_PERIOD 1h && start && within 20 grep -q HELD "$T/log" && sleep 1
        plan_id >"$T/state/approved" && truncate -s 16 "$T/state/approved" # as the daemon leaves it for itself
        "$YDSYNC" --env "$T/env" plan >"$T/out" 2>"$T/plan.log" || true
        want "it is shown as released" grep -qx 'remove folder d' "$T/out"
        "$YDSYNC" --env "$T/env" sync >"$T/out" 2>&1 && within 30 equal && stop
}

# ---- the rest of an approved plan ------------------------------------------------------------------

# hold_many N: as hold, but each goes by itself, and there is next to nothing that may go unasked
hold_many()
{
        env YDSYNC_MAX_DELETE 1/1%
        mkdir "$SRC/d" && for i in $(seq "$1"); do echo "$i" >"$SRC/d/$i"; done &&
                for i in $(seq 20); do echo "k$i" >"$SRC/keep$i"; done && once && mv "$SRC/d" "$T/d" && mkdir "$SRC/d" && once 75
        log "HELD: $1 of $(($1 + 21)) known entries are gone"
        none_removed
}

# dies STEP: a pass is killed there, or has ended before: how many steps it has is not always the same
dies()
{
        local got=0
        YDSYNC_DIE_AT=$1 timeout 60 "$YDSYNC" --env "$T/env" once >"$T/out" 2>"$T/log" || got=$?
        want "killed at step $1: $got" [ "$got" = 137 -o "$got" = 0 ]
        nolog HELD
}

# dies_after N: a pass is killed when it has removed N, and three more are on their way
dies_after()
{
        local most
        most=$(($(count delete) + $1 + 3))
        env YDSYNC_PARALLEL 3
        fault '{"on":"delete","skip":'"$1"',"times":-1,"do":{"silent":true}}'
        command env -u YDSYNC_HASTE "$YDSYNC" --env "$T/env" once >"$T/out" 2>"$T/log" &
        DAEMON=$!
        within 30 eval "[ \"\$(count delete)\" -ge $most ]"
        kill -KILL "$DAEMON" && wait "$DAEMON" 2>/dev/null
        DAEMON=
        fake fault -X DELETE >/dev/null
        nolog HELD
}

# goes_on: what is left goes without a word of anybody.  What may yet arrive of a request that was
# under way is waited for.
goes_on()
{
        local got=0
        for i in $(seq 20); do
                got=0
                timeout 60 "$YDSYNC" --env "$T/env" once >"$T/out" 2>"$T/log" || got=$?
                nolog HELD
                [ "$got" = 75 ] || break
                sleep 0.1 # of a clock that is a thousand times as fast
        done
        want "it goes on to the end: $got" [ "$got" = 0 ]
        same && quiet
}

# again_from_the_approval: all is as it was then
again_from_the_approval()
{
        rm -rf "$T/state" && cp -a "$T/approved" "$T/state" && fake 'restore?name=approved' -d '' >/dev/null
}

keep_the_approval()
{
        cp -a "$T/state" "$T/approved" && fake 'save?name=approved' -d '' >/dev/null
}

scenario_held_rest_goes_on_wherever_it_was_killed()
{
        local step
        export YDSYNC_HASTE=1000
        hold_many 12 && env YDSYNC_PARALLEL 3 && approve "$(plan_id)" && keep_the_approval
        for step in 20 30 37 44 51 58; do
                again_from_the_approval && dies "$step" && goes_on
        done
        again_from_the_approval && dies_after 3 && dies_after 2 && dies 5 && goes_on
        rm -r "$SRC"/keep1* && once 75
        log HELD
}

scenario_held_rest_of_a_tree()
{
        local step
        export YDSYNC_HASTE=1000
        LIMIT=1/1% hold 6 && approve "$(plan_id)" && keep_the_approval
        for step in 3 5 7 9; do
                again_from_the_approval && dies "$step" && goes_on
        done
}

# Taken apart, file by file, since something of somebody else is in it.
scenario_held_rest_of_a_tree_taken_apart()
{
        local step
        export YDSYNC_HASTE=1000
        LIMIT=1/1% hold 6 && cloud_put d/theirs x && approve "$(plan_id)" && keep_the_approval
        for step in $(seq 8 9 44); do
                again_from_the_approval && dies "$step"
                for i in $(seq 20); do
                        timeout 60 "$YDSYNC" --env "$T/env" once >"$T/out" 2>"$T/log" && break
                        nolog HELD
                        sleep 0.1
                done
                nolog HELD
                want "theirs alone is left in it" [ "$(cloud_tree | grep -c ' d/')" = 1 ]
                want "theirs is" cloud_file d/theirs
        done
}

scenario_held_rest_after_a_stop()
{
        export YDSYNC_HASTE=1000
        hold_many 30 && env YDSYNC_PARALLEL 1 && env SYNCHRONIZATION_PERIOD 200ms
        approve "$(plan_id)" && fault '{"on":"delete","times":-1,"do":{"delay_ms":100}}'
        start && within 20 eval '[ "$(count delete)" -gt 4 ]' && stop
        nolog HELD
        want "it is stopped half way" [ "$(cloud_tree | wc -l)" -gt 24 ]
        fake fault -X DELETE >/dev/null && goes_on
}

# What fails is tried again, and is as approved as it was.
scenario_held_rest_that_failed()
{
        export YDSYNC_HASTE=1000
        hold_many 12 && approve "$(plan_id)"
        for i in 3 5 7 9; do fault '{"on":"delete","path":"/d/'"$i"'","times":-1,"do":{"status":403}}'; done
        once 75
        nolog HELD
        want "some are left" [ "$(cloud_tree | wc -l)" -gt 23 ]
        fake fault -X DELETE >/dev/null && goes_on
}

# What has gone meanwhile does not ride along, and what was approved is not approved with it.
scenario_held_rest_and_more()
{
        export YDSYNC_HASTE=1000
        hold_many 12 && approve "$(plan_id)" && dies_after 5
        fake 'reset?what=journal' -d '' >/dev/null
        rm "$SRC/keep1"
        timeout 60 "$YDSYNC" --env "$T/env" once >"$T/out" 2>"$T/log" && die "it went"
        log HELD
        none_removed
        approve "$(plan_id)" && goes_on
}

# Nor does what has gone in the place of something that has come back.
scenario_held_rest_of_another_kind()
{
        export YDSYNC_HASTE=1000
        hold_many 12 && approve "$(plan_id)" && dies_after 5
        fake 'reset?what=journal' -d '' >/dev/null
        cp -p "$T/d/"* "$SRC/d" && for i in $(cloud_tree | sed -n 's|^f .* d/||p' | head -n 4); do rm "$SRC/d/$i"; done
        rm "$SRC"/keep[1-4]
        timeout 60 "$YDSYNC" --env "$T/env" once >"$T/out" 2>"$T/log" && die "it went"
        log HELD
        none_removed
}

# The same word twice is no word for anything else.
scenario_held_rest_approved_twice()
{
        local id
        export YDSYNC_HASTE=1000
        hold_many 12 && id=$(plan_id) && approve "$id" && dies_after 5
        approve "$id" 64
        printf %s "$id" >"$T/state/approved" # as if a daemon had been told so, and was killed
        goes_on
        want "it was taken away" [ ! -e "$T/state/approved" ]
}
