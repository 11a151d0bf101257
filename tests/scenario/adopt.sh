# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2016,SC2119,SC2120
# Adoption: what stands in the cloud already is recognised, what is foreign stays.

scenario_adopt_after_losing_the_snapshot()
{
        mkdir -p "$SRC/a/b" && echo 1 >"$SRC/a/1" && echo 2 >"$SRC/a/b/2" && mib 1 >"$SRC/z.zip" &&
                once && rm -r "$T/state" && once && same
        want "nothing was sent again" [ "$(count put)" = 3 ]
        want "nothing was deleted" [ "$(count delete)" = 0 ]
        sleep 2 && once && quiet
}

scenario_adopt_only_what_is_the_same()
{
        echo same >"$SRC/same" && echo here >"$SRC/diff" && echo longer >"$SRC/size" && mkdir "$SRC/d" &&
                echo in >"$SRC/d/in"
        cloud_put same same$'\n' && cloud_put diff ther$'\n' && cloud_put size x && cloud_put d/in in$'\n' &&
                cloud_put d/foreign f && cloud_put other/foreign f
        once
        want "three were equal or sent" [ "$(count put)" = 2 ]
        want "foreign files stay" [ "$(cloud_tree | grep -c foreign)" = 2 ]
        want "what was replaced is in the Trash" [ "$(fake trash.txt | wc -l)" = 2 ]
        want "and replaced" [ "$(cloud_file diff | cut -d' ' -f2)" = 5 ]
        sleep 2 && once && quiet
}

scenario_adopt_through_many_pages()
{
        knob '{"list_clamp":7}' && for i in $(seq 40); do echo "$i" >"$SRC/$i"; done && once &&
                rm -r "$T/state" && mark && once && same
        want "nothing was sent again" [ "$(count put)" = 40 ]
        sleep 2 && once && quiet
}

scenario_foreign_file_at_a_new_name()
{
        once && echo mine >"$SRC/f" && cloud_put f theirs && once && same
        want "theirs is in the Trash" [ "$(fake trash.txt | wc -l)" = 1 ]
        echo equal >"$SRC/g" && cloud_put g equal$'\n' && once && same
        want "an equal one was adopted" [ "$(count put)" = 1 ]
        sleep 2 && once && quiet
}

scenario_foreign_folder_at_a_file_name()
{
        once && echo mine >"$SRC/f" && cloud_put f/theirs x && once 75
        log 'folder that is not ours'
        want "theirs is there" cloud_file f/theirs
}

scenario_foreign_file_at_a_folder_name()
{
        once && mkdir "$SRC/d" && echo a >"$SRC/d/a" && cloud_put d theirs && once && same
        want "theirs is in the Trash" [ "$(fake trash.txt | wc -l)" = 1 ]
}

scenario_changed_in_the_cloud_then_here()
{
        echo a >"$SRC/f" && once && cloud_put f theirs && echo bb >"$SRC/f" && once && same
        want "theirs is in the Trash" [ "$(fake trash.txt | wc -l)" = 1 ]
}

# Between the first look and the last byte: theirs is met by the second look.
scenario_changed_in_the_cloud_while_a_large_file_goes_up()
{
        mib 9 >"$SRC/big" && once && mib 10 >"$SRC/big"
        fault '{"on":"put","do":{"after":[{"put":"disk:/Backup/Docs/big","text":"theirs"}]}}' && once && same
        want "theirs is in the Trash: $(fake trash.txt)" [ "$(fake trash.txt | grep -c '^f 6 ')" = 1 ]
        want "sent once" [ "$(count put)" = 2 ]
}

scenario_changed_in_the_cloud_then_removed_here()
{
        echo a >"$SRC/f" && once && cloud_put f theirs && rm "$SRC/f" && once
        log 'changed by somebody else'
        want "theirs is there" [ "$(cloud_file f | cut -d' ' -f2)" = 6 ]
        quiet
}

scenario_removed_in_the_cloud_then_here()
{
        mkdir "$SRC/d" && echo a >"$SRC/f" && echo b >"$SRC/d/f" && once && fake "remove?path=$CLOUD/f" -d '' &&
                fake "remove?path=$CLOUD/d" -d '' && rm -r "$SRC/f" "$SRC/d" && once && same && quiet
}

scenario_removed_folder_holds_foreign_files()
{
        mkdir -p "$SRC/d/e/g" "$SRC/d/h" && echo 1 >"$SRC/d/1" && echo 2 >"$SRC/d/e/2" &&
                echo 3 >"$SRC/d/e/g/3" && echo 4 >"$SRC/d/h/4" && once && cloud_put d/e/foreign x &&
                rm -r "$SRC/d" && once
        want "only the foreign file and its folders are left" [ "$(cloud_tree)" = "d d
d d/e
$(cloud_file d/e/foreign)" ]
        quiet
        mkdir -p "$SRC/d/e" && echo new >"$SRC/d/e/new" && once
        want "and can be used again" cloud_file d/e/new
}

scenario_cloud_folder_vanished()
{
        env YDSYNC_AUDIT_PERIOD 20s && mkdir -p "$SRC/d" "$SRC/e" && echo a >"$SRC/f" && echo d >"$SRC/d/1" && once &&
                fake "remove?path=disk:/Backup" -d '' && echo b >"$SRC/g" && echo e >"$SRC/e/1" && once && same
        log 'f is missing in the cloud'
        quiet
}

# unlistable FOLDER: the next listing of it is refused
unlistable()
{
        fault '{"on":"list","path":"Docs/'"$1"'","times":1,"do":{"error":"ForbiddenError","status":403}}'
}

scenario_adopt_beside_a_folder_that_cannot_be_listed()
{
        mkdir -p "$SRC/d/sub" "$SRC/e" && echo 1 >"$SRC/d/1" && echo 2 >"$SRC/d/2" && echo 3 >"$SRC/e/3" && echo 4 >"$SRC/4"
        cloud_put d/1 1$'\n' && cloud_put d/2 theirs && cloud_put e/3 3$'\n'
        unlistable d && once 75
        log 'Docs/d cannot be listed'
        want "everything is there" equal
        want "theirs is in the Trash" [ "$(fake trash.txt | wc -l)" = 1 ]
        want "what stands there was recognised" [ "$(count put)" = 2 ]
        rm "$SRC/e/3" && unlistable d && once 75
        want "nothing is removed yet" cloud_file e/3
        once && same
        want "nothing was sent again" [ "$(count put)" = 2 ]
        sleep 2 && once && quiet
}

# The mirror goes on, and the cloud is not listed again with each pass.
scenario_adopt_beside_such_a_folder_under_the_daemon()
{
        local n
        mkdir -p "$SRC/d" && echo 1 >"$SRC/d/1" && echo 4 >"$SRC/4" && cloud_put d/1 x && env SYNCHRONIZATION_PERIOD 100ms
        unlistable d && start && within 20 equal && rm "$SRC/4" && echo 2 >"$SRC/d/2" && echo 3 >"$SRC/3" &&
                within 20 cloud_file 3 && within 20 cloud_file d/2 && sleep 1
        n=$(fake journal | jq -s '[.[] | select(.endpoint=="list" and (.query | contains("limit=1000")))] | length')
        want "listed once: $n" [ "$n" = 2 ]
        want "nothing is removed yet" cloud_file 4
        stop
}

scenario_another_cloud_folder_is_adopted()
{
        echo a >"$SRC/f" && once && env NAME_FOLDER_CLOUD Other && CLOUD=disk:/Other && once && same
        want "the first is as it was" [ "$(cloud_tree disk:/Backup/Docs | wc -l)" = 1 ]
        want "nothing was deleted" [ "$(count delete)" = 0 ]
}

scenario_another_watched_folder_is_adopted()
{
        echo a >"$SRC/f" && once && mkdir "$T/two" && echo b >"$T/two/g" && env PATH_TO_FOLDER_ON_PC "$T/two" &&
                once
        want "both files are there" [ "$(cloud_tree | wc -l)" = 2 ]
        want "nothing was deleted" [ "$(count delete)" = 0 ]
}

scenario_folder_missing()
{
        echo a >"$SRC/f" && once && mv "$SRC" "$T/away" && mark && once 66
        want "no call" [ "$(calls)" = 0 ]
        log 'is not there'
        mkdir "$SRC" && once 66
        log 'not the one that was mirrored'
        want "no call for another folder" [ "$(calls)" = 0 ]
        rmdir "$SRC" && mv "$T/away" "$SRC" && quiet && same
}

scenario_many_removals_are_held()
{
        local id
        for i in $(seq 120); do echo "$i" >"$SRC/$i"; done && once && rm "$SRC"/1* && rm "$SRC"/2* &&
                rm "$SRC"/[3-9]* && echo new >"$SRC/new" && once 75
        log HELD
        want "nothing was deleted" [ "$(count delete)" = 0 ]
        want "uploads went on" cloud_file new
        id=$(sed -n 's/.*ydsync approve \([0-9a-f]*\).*/\1/p' "$T/log")
        "$YDSYNC" --env "$T/env" approve 0123 2>>"$T/log" && die "a wrong id was approved"
        once 75
        "$YDSYNC" --env "$T/env" approve "$id" >>"$T/log" || die "approve failed"
        once && same
        log 'pass done: 120 removed'
        sleep 2 && once && quiet
}
