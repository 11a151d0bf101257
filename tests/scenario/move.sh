# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2119,SC2120
#
# What is moved here is moved there: no bytes, a call for each.

# moved CHANGES: the last pass sent nothing, and made so many calls that change something.
moved()
{
        sent 0
        want "changes: $(changes)" [ "$(changes)" = "$1" ]
}

# sent FILES: so many since `still`
sent()
{
        want "files sent: $(count put)" [ "$(count put)" = "$1" ]
}

# The requests since `still` that change something.
changes()
{
        fake journal | jq -s '[.[] | select(.method == "POST" or .method == "PUT" or
                .method == "DELETE" or .method == "PATCH")] | length'
}

still()
{
        fake "reset?what=journal" -d '' >/dev/null
}

scenario_move_a_file()
{
        mkdir "$SRC/a" "$SRC/b" && mib 1 >"$SRC/a/f.zip" && once && still
        mv "$SRC/a/f.zip" "$SRC/b/g.zip" && once && moved 1 && log "moved a/f.zip to b/g.zip" &&
                same && quiet
}

scenario_move_a_folder()
{
        mkdir -p "$SRC/a/b/c" && for i in $(seq 40); do echo "$i" >"$SRC/a/b/f$i"; done
        echo deep >"$SRC/a/b/c/deep" && once && still
        mv "$SRC/a/b" "$SRC/elsewhere" && once && moved 1 && log "moved a/b to elsewhere" &&
                same && quiet
}

scenario_move_into_new_folders()
{
        mkdir "$SRC/a" && mib 1 >"$SRC/a/f" && mib 1 >"$SRC/g" && once && still
        mkdir -p "$SRC/x/y/z" "$SRC/x/w" && mv "$SRC/a/f" "$SRC/x/y/z/f" &&
                mv "$SRC/g" "$SRC/x/w/g" && once && moved 6 && same && quiet
}

scenario_move_many_files_to_another_folder()
{
        mkdir "$SRC/a" "$SRC/b"
        for i in $(seq 50); do echo "content $i" >"$SRC/a/f$i"; done
        once && still && mv "$SRC"/a/* "$SRC/b/" && once && moved 50 && same && quiet
}

# While nobody looked, and with the daemon of before gone.
scenario_move_across_a_restart()
{
        mkdir "$SRC/a" && mib 1 >"$SRC/a/f" && env SYNCHRONIZATION_PERIOD 1 && start &&
                within 20 equal && within 20 grep -aq 'pass done' "$T/log" && stop && still
        mv "$SRC/a" "$SRC/b" && start && within 20 equal && within 20 grep -aq 'pass done' "$T/log" && stop && moved 1 &&
                quiet
}

scenario_move_a_chain()
{
        local i
        for i in 1 2 3 4 5; do mib 1 >"$SRC/log.$i"; done
        once && still
        for i in 5 4 3 2 1; do mv "$SRC/log.$i" "$SRC/log.$((i + 1))"; done
        once && moved 5 && same && quiet
}

scenario_move_a_swap()
{
        mib 1 >"$SRC/a" && mib 1 >"$SRC/b" && once && still
        mv "$SRC/a" "$SRC/t" && mv "$SRC/b" "$SRC/a" && mv "$SRC/t" "$SRC/b" && once && moved 3 &&
                same && quiet
        want "nothing is left over" [ "$(cloud_tree | grep -c ydsync-)" = 0 ]
}

# Both hold the same, and somebody has removed one of them: what is written down of the other, which was
# only moved aside, must not stand for it.
scenario_move_a_swap_of_which_one_is_not_there()
{
        echo same >"$SRC/a" && echo same >"$SRC/b" && sleep 2.5 && once && same
        curl -sf -X DELETE -H 'Authorization: OAuth fake-token' \
                "$API/v1/disk/resources?path=$(urlenc "$CLOUD/a")&permanently=true" >/dev/null
        mv "$SRC/a" "$SRC/t" && mv "$SRC/b" "$SRC/a" && mv "$SRC/t" "$SRC/b" && once
        want "the other is there" cloud_file b
        env YDSYNC_AUDIT_PERIOD 1 && sleep 1.1 && once && same # that one is missing, an audit finds
}

scenario_move_a_swap_of_folders()
{
        mkdir "$SRC/a" "$SRC/b" && mib 1 >"$SRC/a/f" && mib 1 >"$SRC/b/f" && echo 1 >"$SRC/b/g" &&
                once && still
        mv "$SRC/a" "$SRC/t" && mv "$SRC/b" "$SRC/a" && mv "$SRC/t" "$SRC/b" && once && moved 3 &&
                same && quiet
}

scenario_move_round_a_circle_of_three()
{
        local f
        for f in a b c; do mib 1 >"$SRC/$f"; done
        once && still
        mv "$SRC/a" "$SRC/t" && mv "$SRC/c" "$SRC/a" && mv "$SRC/b" "$SRC/c" &&
                mv "$SRC/t" "$SRC/b" && once && moved 4 && same && quiet
}

# The folder goes in one call, and what was changed in it is sent.
scenario_move_with_an_edit()
{
        mkdir "$SRC/a" && for i in 1 2 3 4; do mib 1 >"$SRC/a/f$i"; done
        once && still && mv "$SRC/a" "$SRC/b" && echo more >>"$SRC/b/f2" && rm "$SRC/b/f3" &&
                echo new >"$SRC/b/new" && once && same && quiet
        sent 2
}

scenario_move_out_of_a_moved_folder()
{
        mkdir -p "$SRC/a/in" && for i in 1 2 3 4; do mib 1 >"$SRC/a/f$i"; mib 1 >"$SRC/a/in/f$i"; done
        once && still && mv "$SRC/a" "$SRC/b" && mv "$SRC/b/f1" "$SRC/out" &&
                mv "$SRC/b/in" "$SRC/in" && once && moved 3 && same && quiet
}

scenario_move_and_something_new_at_the_old_place()
{
        mkdir "$SRC/a" && mib 1 >"$SRC/a/f" && mib 1 >"$SRC/g" && once && still
        mv "$SRC/a" "$SRC/b" && mkdir "$SRC/a" && echo other >"$SRC/a/f" && mv "$SRC/g" "$SRC/h" &&
                echo other >"$SRC/g" && once && same && quiet
        sent 2
}

# What looks like it and is not: the inode belongs to another now.
scenario_move_only_of_the_inode()
{
        local before after
        image disk && mount -o loop "$T/disk" "$SRC" && mkdir "$SRC/a" && echo one >"$SRC/a/f" && echo two >"$SRC/g" && once
        before=$(stat -c %i "$SRC/a" "$SRC/g" | paste -sd' ')
        rm -r "$SRC/a" "$SRC/g" && mkdir "$SRC/b" && echo 222 >"$SRC/b/f" && echo 333 >"$SRC/h"
        after=$(stat -c %i "$SRC/b" "$SRC/h" | paste -sd' ')
        [ "$before" = "$after" ] || skip "the file system gave other inodes: $before, then $after"
        once && nolog " to [bh]" && same && quiet
}

# Same size, same time of modification, another content.
scenario_move_of_another_content()
{
        echo one >"$SRC/a" && once && still
        printf 'two\n' | dd of="$SRC/a" conv=notrunc status=none && touch -d '2020-01-01' "$SRC/a" &&
                once && same
        printf 'one\n' | dd of="$SRC/a" conv=notrunc status=none && touch -d '2020-01-01' "$SRC/a" &&
                mv "$SRC/a" "$SRC/b" && once && same && quiet && nolog "moved a to b"
}

# Somebody else has something at the new place: his goes to the Trash, as always, and ours is sent.
scenario_move_onto_something_foreign()
{
        mib 1 >"$SRC/a" && once && cloud_put b "somebody's" && mv "$SRC/a" "$SRC/b" && once && same &&
                quiet
        want "his is in the Trash" [ "$(fake trash | grep -c 'b')" -ge 1 ]
}

scenario_move_of_what_is_gone_there()
{
        mkdir "$SRC/d" && mib 1 >"$SRC/a" && mib 1 >"$SRC/d/f" && once &&
                fake "remove?path=$(urlenc "$CLOUD/a")" -d '' >/dev/null &&
                fake "remove?path=$(urlenc "$CLOUD/d")" -d '' >/dev/null
        mv "$SRC/a" "$SRC/b" && mv "$SRC/d" "$SRC/e" && once && same && quietly
}

# The answer is lost after the deed: it is looked for, not done again and not sent.
scenario_move_whose_answer_is_lost()
{
        mkdir "$SRC/d" && mib 1 >"$SRC/a" && mib 1 >"$SRC/d/f" && once && still
        fault '{"on": "move", "times": 2, "do": {"reset": "after"}}'
        mv "$SRC/a" "$SRC/b" && mv "$SRC/d" "$SRC/e" && once && same && quiet
        sent 0
}

# What the service will not move is sent to its new place and removed at the old one.
scenario_move_that_the_service_refuses()
{
        mib 1 >"$SRC/a" && once && still && fault '{"on": "move", "times": -1, "do": {"status": 400}}' &&
                mv "$SRC/a" "$SRC/b.txt" && once && sent 1 && log 'cannot move a to b.txt: .*; it is sent anew' &&
                same && quiet
}

# It was moved there, and is moved back here before anybody knows.
scenario_move_back_while_the_answer_is_lost()
{
        mib 1 >"$SRC/a" && env SYNCHRONIZATION_PERIOD 1 && start && within 30 equal &&
                within 30 grep -q 'pass done' "$T/log"
        fault '{"on": "move", "times": 2, "do": {"reset": "after"}}' && still && mv "$SRC/a" "$SRC/b" &&
                within 30 was_moved
        mv "$SRC/b" "$SRC/a" && within 30 equal && stop && once && same && quiet
}

was_moved()
{
        fake journal | grep -q '"endpoint":"move"'
}

# A folder of many files in one call is not what the brake is for.
scenario_move_is_no_removal()
{
        mkdir "$SRC/a" && for i in $(seq 30); do echo "$i" >"$SRC/a/$i"; done
        env YDSYNC_MAX_DELETE "5/10%" && once && still && mv "$SRC/a" "$SRC/b" && once && moved 1 &&
                same && quiet
}

scenario_move_is_not_wanted_with_delete_never()
{
        env YDSYNC_DELETE never && mib 1 >"$SRC/a" && once && mv "$SRC/a" "$SRC/b" && once
        want "both are there" [ "$(cloud_tree | grep -cE ' (a|b)$')" = 2 ]
        quiet
}

scenario_move_is_shown_by_plan()
{
        mkdir "$SRC/a" && mib 1 >"$SRC/a/f" && mib 1 >"$SRC/a/g" && once && mv "$SRC/a" "$SRC/b" &&
                rm "$SRC/b/g" && echo new >"$SRC/b/h" && mark
        plan
        want "what plan says" [ "$(sort "$T/out" | paste -sd,)" = "move a to b,remove b/g,upload b/h" ]
        want "and no call" [ "$(calls)" = 0 ]
        once && same && quiet
}

plan()
{
        local got=0
        "$YDSYNC" --env "$T/env" plan >"$T/out" 2>"$T/log" || got=$?
        [ "$got" = 1 ] || die "plan ended with $got: $(cat "$T/log")"
}

scenario_move_while_uploads_are_paused()
{
        mib 1 >"$SRC/a" && once && knob '{"quota": 1100000}' && mib 1 >"$SRC/new" && once 75 && still
        mv "$SRC/a" "$SRC/b" && once 75 && want "it was moved" cloud_file b >/dev/null
}

# What cannot be moved there is not tried again at each pass while the rest of it has to wait.
scenario_move_in_vain_is_not_tried_each_time()
{
        env SYNCHRONIZATION_PERIOD 200ms && echo small >"$SRC/a" && once && cloud_put new/theirs x &&
                echo other >"$SRC/new" && start && within 20 grep -q 'cannot upload new' "$T/log"
        knob '{"quota":1500000}' && mib 2 >"$SRC/big" && within 20 grep -q 'uploads are paused' "$T/log" && still
        mv "$SRC/a" "$SRC/t" && mv "$SRC/new" "$SRC/a" && mv "$SRC/t" "$SRC/new" &&
                within 20 tried && sleep 3 && stop
        # Three at most: a pass may have come between the renames.
        want "moves tried: $(tries)" [ "$(tries)" -le 3 ]
}

tried()
{
        [ "$(tries)" -ge 1 ]
}

tries()
{
        fake journal | jq -s '[.[] | select(.endpoint == "move")] | length'
}
