# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2016,SC2119,SC2120
# Killed before and after each commit and each request of a change, and then the thing is no longer
# here, or is here again, as it was or as something else, before the next start.  Two passes later,
# the second when the service must have come to its end with what was begun, all is as it should be.

# doubt SETUP CHANGE THEN [LAST]: SETUP is mirrored; CHANGE is carried out and killed at each step, or
# at the LAST ones only; THEN comes before the next start.
doubt()
{
        local step=0 steps
        export YDSYNC_HASTE=1000 # what takes a minute takes 60 ms
        "$1" && once && same && doubt_keep
        "$2"
        YDSYNC_STEPS=$T/count once
        steps=$(cat "$T/count")
        [ -z "${4:-}" ] || step=$((steps - $4))
        while [ $((step += 1)) -le "$steps" ]; do
                doubt_take
                "$2"
                doubt_dies "$step"
                "$3"
                doubt_passes "$step"
        done
        quietly
        echo "# $steps steps"
}

# The pass is killed at that step.
doubt_dies()
{
        local got=0
        YDSYNC_DIE_AT=$1 timeout 60 "$YDSYNC" --env "$T/env" once >"$T/out" 2>"$T/log" || got=$?
        want "killed at step $1: $got" [ "$got" = 137 ]
}

doubt_keep()
{
        fake 'save?name=before' -d '' >/dev/null
        rm -rf "$T/before" && mkdir "$T/before" && cp -a "$SRC" "$T/state" "$T/before"
}

# The folder itself stays, by which it is known.
doubt_take()
{
        fake 'restore?name=before' -d '' >/dev/null
        find "$SRC" -mindepth 1 -delete && rm -rf "$T/state"
        cp -a "$T/before/src/." "$SRC" && cp -a "$T/before/state" "$T/state"
}

# Of the first pass work may be left: what may yet come is waited for.
doubt_passes()
{
        local got=0
        timeout 60 "$YDSYNC" --env "$T/env" once >"$T/out" 2>"$T/log" || got=$?
        [ "$got" = 0 ] || [ "$got" = 75 ] || die "killed at step $1: the first pass ended with $got"
        sleep 0.1 # 100 s
        got=0
        timeout 60 "$YDSYNC" --env "$T/env" once >"$T/out" 2>"$T/log" || got=$?
        [ "$got" = 0 ] || die "killed at step $1: the second pass ended with $got"
        equal || die "killed at step $1: here $(tr '\n' ' ' <"$T/here")there $(tr '\n' ' ' <"$T/there")"
}

doubt_nothing()
{
        echo keep >"$SRC/keep"
}

doubt_file()
{
        doubt_nothing && echo old >"$SRC/f"
}

doubt_folder()
{
        doubt_nothing && mkdir -p "$SRC/d/e" && echo 1 >"$SRC/d/1" && echo 2 >"$SRC/d/e/2"
}

doubt_write()
{
        echo newer >"$SRC/f"
}

doubt_write_disguised()
{
        head -c 70000 /dev/zero >"$SRC/f.zip"
}

doubt_mkdir()
{
        mkdir "$SRC/d"
}

doubt_remove()
{
        rm -rf "$SRC/f" "$SRC/f.zip" "$SRC/d"
}

doubt_back()
{
        cp -a "$T/before/src/." "$SRC"
}

doubt_other_kind()
{
        doubt_remove && mkdir "$SRC/f" && echo in >"$SRC/f/in" && echo file >"$SRC/d"
}

scenario_doubt_made_and_gone()
{
        doubt doubt_nothing doubt_write doubt_remove
}

scenario_doubt_made_disguised_and_gone()
{
        doubt doubt_nothing doubt_write_disguised doubt_remove
}

scenario_doubt_made_and_of_another_kind()
{
        doubt doubt_nothing doubt_write doubt_other_kind 6
}

scenario_doubt_folder_made_and_gone()
{
        doubt doubt_nothing doubt_mkdir doubt_remove
}

scenario_doubt_folder_made_and_of_another_kind()
{
        doubt doubt_nothing doubt_mkdir doubt_other_kind 4
}

scenario_doubt_replaced_and_gone()
{
        doubt doubt_file doubt_write doubt_remove 8
}

scenario_doubt_replaced_and_as_it_was()
{
        doubt doubt_file doubt_write doubt_back
}

scenario_doubt_removed_and_back()
{
        doubt doubt_file doubt_remove doubt_back
}

scenario_doubt_removed_and_of_another_kind()
{
        doubt doubt_file doubt_remove doubt_other_kind 4
}

scenario_doubt_folder_removed_and_back()
{
        doubt doubt_folder doubt_remove doubt_back
}

# What somebody else has put there meanwhile is neither ours nor touched.
doubt_theirs()
{
        cloud_put f theirs
}

scenario_doubt_about_what_is_somebody_elses_now()
{
        export YDSYNC_HASTE=1000
        doubt_file && once && doubt_remove
        doubt_dies 3 # before the request
        doubt_theirs && once && sleep 0.1 && once
        want "theirs is there" cloud_has "$(printf 'f 6 %s f' "$(printf theirs | md5sum | cut -d' ' -f1)")"
        quiet
}

# Killed when the doubt about the first change is durable, and nothing sent.
doubt_dies_in_doubt()
{
        local step=0
        until [ "$(sqlite3 -readonly "$T/state/state.db" 'SELECT count(*) FROM doubt')" = 1 ]; do
                doubt_dies $((step += 1))
        done
}

# The removal of a folder waits for what may yet come into it, and says so.
scenario_doubt_holds_the_folder_around_it()
{
        # Nothing else is to be written down then: the steps of one upload come one after the other.
        doubt_folder && once && sleep 2.5 && once && echo more >"$SRC/d/more"
        doubt_dies_in_doubt
        rm -r "$SRC/d" && once 75
        log '1 put off: what was interrupted there may still end'
        want "it is still there" cloud_has "d d"
        export YDSYNC_HASTE=1000
        sleep 0.1
        once && same && quiet
}

# A folder that is to stand where an upload may yet arrive waits for it: otherwise nobody would know
# afterwards whose file that is.
scenario_doubt_holds_something_else_at_its_place()
{
        doubt_nothing && once && sleep 2.5 && once && doubt_write
        doubt_dies_in_doubt
        rm "$SRC/f" && mkdir "$SRC/f" && once 75
        log '1 put off: what was interrupted there may still end'
        cloud_put f $'newer\n' # it comes late
        rmdir "$SRC/f"
        export YDSYNC_HASTE=1000
        sleep 0.1
        once && same && quiet
}
