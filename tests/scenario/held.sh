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
        hold 30 && env SYNCHRONIZATION_PERIOD 10s && start && within 20 grep -q HELD "$T/log" && sleep 1 && approve "$(plan_id)"
        "$YDSYNC" --env "$T/env" plan >"$T/out" 2>"$T/plan.log" || true
        want "it is shown as released" grep -qx 'remove folder d' "$T/out"
        within 30 equal && stop
}
