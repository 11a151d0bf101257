# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2016,SC2119,SC2120
# The rename-extension workaround, against an emulator that throttles.

# Prints the milliseconds that a `once` takes.
took()
{
        local from
        from=$(date +%s%N)
        once "$@" >&2 || exit 1
        echo $((($(date +%s%N) - from) / 1000000))
}

scenario_throttled_types_are_as_fast_as_text()
{
        local txt ms type all=
        knob '{"throttle":true}' && mib 2 >"$SRC/f.txt" && txt=$(took)
        for type in zip db mp4; do
                mib 2 >"$SRC/f.$type" && ms=$(took)
                want "$type: $ms ms, txt: $txt ms" [ "$ms" -lt $((txt + 4000)) ]
                all="$all, $type $ms"
                want "$type under its own name" cloud_file "f\\.$type"
        done
        same && sleep 2 && once && quiet
        echo "# txt $txt$all ms"
}

scenario_undisguised_is_slow()
{
        local ms
        env YDSYNC_DISGUISE never && knob '{"throttle":true}' && mib 1 >"$SRC/f.zip" && ms=$(took)
        want "the emulator throttles: $ms ms" [ "$ms" -gt 6000 ]
        want "no move" [ "$(count move)" = 0 ]
        same
        echo "# $ms ms for 1 MiB"
}

scenario_disguise_small_files_go_straight()
{
        echo small >"$SRC/f.zip" && head -c 60000 /dev/urandom >"$SRC/g.mp4" && once && same
        want "no move" [ "$(count move)" = 0 ]
}

scenario_disguise_always()
{
        env YDSYNC_DISGUISE always && echo small >"$SRC/f.txt" && : >"$SRC/zero" && once && same
        want "one move" [ "$(count move)" = 1 ]
}

scenario_disguise_unlisted_extension()
{
        knob '{"throttle":true,"throttle_unlisted":true}' && mib 3 >"$SRC/f.fastq9" && TIMEOUT=20 once &&
                same
}

scenario_disguise_over_an_older_version()
{
        mib 1 >"$SRC/f.zip" && once && mib 1 >"$SRC/f.zip" && once && same
        want "two moves" [ "$(count move)" = 2 ]
        sleep 2 && once && quiet
}

scenario_disguise_when_moves_do_not_overwrite()
{
        knob '{"move_overwrite":"refused"}' && mib 1 >"$SRC/f.zip" && once && mib 2 >"$SRC/f.zip" &&
                once && same
        want "the older version is in the Trash" [ "$(fake trash.txt | wc -l)" = 1 ]
        sleep 2 && once && quiet
}

scenario_disguise_with_asynchronous_moves()
{
        knob '{"op_ms":300,"op_polls":2}' && mib 1 >"$SRC/f.zip" && fault '{"on":"move","do":{"status":202,"json":{"href":"'"$API"'/v1/disk/operations/0000","method":"GET","templated":false}}}' &&
                once && same
}

scenario_disguise_killed_before_the_move()
{
        mib 1 >"$SRC/f.zip" && mib 1 >"$SRC/g.mp4" && fault '{"on":"move","times":-1,"do":{"silent":true}}'
        start
        within 10 eval '[ "$(count put)" = 2 ] && [ "$(count move)" = 2 ]'
        kill -KILL "$DAEMON" && { wait "$DAEMON" 2>/dev/null || true; } && DAEMON=
        want "two wire names" [ "$(cloud_tree | grep -c ydsync-upload-)" = 2 ]
        fake fault -X DELETE >/dev/null && mark && once && same
        want "no byte was sent twice" [ "$(count put)" = 2 ]
        sleep 2 && once && quiet
}

scenario_disguise_killed_and_file_changed()
{
        mib 1 >"$SRC/f.zip" && mib 1 >"$SRC/g.mp4" && fault '{"on":"move","times":-1,"do":{"silent":true}}'
        start
        within 10 eval '[ "$(count move)" = 2 ]'
        kill -KILL "$DAEMON" && { wait "$DAEMON" 2>/dev/null || true; } && DAEMON=
        fake fault -X DELETE >/dev/null && mib 1 >"$SRC/f.zip" && rm "$SRC/g.mp4" && once && same
        want "no wire name is left" [ "$(cloud_tree | grep -c ydsync-upload-)" = 0 ]
        sleep 2 && once && quiet
}

scenario_disguise_leftovers_without_a_snapshot()
{
        mib 1 >"$SRC/f.zip" && cloud_put ydsync-upload-00112233445566778899aabb left && once && same
}
