# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2016,SC2119,SC2120
# Die at every step: the program is killed before and after each commit and each request, in turn;
# the next run must come to the same end, send nothing twice that had arrived, and leave nothing.
# Needs a build with -Dtest_hooks=true.

# dies SETUP CHANGE: SETUP is mirrored, then CHANGE; the pass that carries CHANGE out dies.
dies()
{
        local steps n=0 sent twice
        YDSYNC_STEPS=$T/steps once >/dev/null
        [ -s "$T/steps" ] || {
                echo "needs a build with -Dtest_hooks=true"
                exit 77
        }
        env YDSYNC_PARALLEL 3
        while :; do
                n=$((n + 1))
                fake "reset?what=all" -d '' >/dev/null
                rm -rf "$T/state" "${SRC:?}" && mkdir "$SRC"
                "$1"
                [ "$1" = true ] || { once && same; }
                fake "reset?what=journal" -d '' >/dev/null
                "$2"
                sent=$(count bytes_in)
                DIE_STATUS=0
                YDSYNC_DIE_AT=$n YDSYNC_STEPS=$T/steps timeout 60 "$YDSYNC" --env "$T/env" once \
                        >"$T/out" 2>"$T/log" || DIE_STATUS=$?
                [ "$DIE_STATUS" = 137 ] || break
                sent=$(($(count bytes_in) - sent))
                mark
                once && same
                want "no wire name is left (step $n)" [ "$(cloud_tree | grep -c ydsync-upload-)" = 0 ]
                twice=$(fake journal | jq -rs '[.[] | select(.endpoint=="put" and .status==201) | .path]
                        | group_by(.) | map(select(length > 1)) | length')
                want "nothing that arrived was sent again (step $n)" [ "$twice" = 0 ]
                quietly
        done
        want "it ended well at last: $DIE_STATUS" [ "$DIE_STATUS" = 0 ]
        steps=$(cat "$T/steps")
        want "every step was tried: $n of $steps" [ "$n" -gt "$steps" ]
        want "there were steps" [ "$n" -gt 5 ]
        echo "# $((n - 1)) steps"
}

# A further pass has no work, but may look for a remnant that could still appear.
quietly()
{
        fake "reset?what=journal" -d '' >/dev/null
        once
        want "a further pass is silent" \
                [ "$(fake journal | jq -r .path | grep -vc ydsync-upload-)" = 0 ]
}

die_small()
{
        mkdir -p "$SRC/d/e" && echo 1 >"$SRC/1" && echo 2 >"$SRC/d/2" && echo 3 >"$SRC/d/e/3"
}

die_big()
{
        mkdir -p "$SRC/d" && head -c 70000 /dev/zero >"$SRC/d/f.zip" && head -c 80000 /dev/zero >"$SRC/g.mp4"
}

die_replace_big()
{
        head -c 90000 /dev/zero | tr '\0' x >"$SRC/d/f.zip" && head -c 80000 /dev/zero | tr '\0' y >"$SRC/g.mp4"
}

die_replace_and_remove()
{
        echo changed >"$SRC/1" && rm "$SRC/d/2" && rm -r "$SRC/d/e"
}

die_remove_tree()
{
        rm -r "$SRC/d"
}

die_retype()
{
        rm -r "$SRC/d" "$SRC/1" && echo file >"$SRC/d" && mkdir "$SRC/1" && echo in >"$SRC/1/in"
}

scenario_die_first_mirror()
{
        dies true die_small
}

scenario_die_disguised()
{
        dies true die_big
}

scenario_die_replacing_disguised()
{
        dies die_big die_replace_big
}

scenario_die_replacing_and_removing()
{
        dies die_small die_replace_and_remove
}

scenario_die_removing_a_tree()
{
        dies die_small die_remove_tree
}

scenario_die_changing_kinds()
{
        dies die_small die_retype
}
