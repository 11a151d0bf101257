# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2016,SC2119,SC2120
# The main job: what is new, changed, removed here is so there.

scenario_empty_folder()
{
        once && same && quiet
}

scenario_first_mirror()
{
        mkdir -p "$SRC/a/b/c" "$SRC/empty" && echo x >"$SRC/a/x" && : >"$SRC/zero" &&
                mib 3 >"$SRC/a/b/c/big" && echo y >"$SRC/a/b/y"
        once && same && quiet
}

scenario_changes()
{
        mkdir -p "$SRC/d/e" && echo 1 >"$SRC/d/one" && echo 2 >"$SRC/d/e/two" && once && same
        echo 11 >"$SRC/d/one" && echo 3 >"$SRC/d/three" && rm "$SRC/d/e/two" && once && same && quiet
}

scenario_same_size_change()
{
        echo aaaa >"$SRC/f" && once && echo bbbb >"$SRC/f" && once && same && quiet
}

scenario_touch_is_no_change()
{
        echo a >"$SRC/f" && once && touch "$SRC/f" && mark && once &&
                want "no call for a touched file" [ "$(calls)" = 0 ]
        chmod 600 "$SRC/f" && mark && once && want "nor for another mode" [ "$(calls)" = 0 ]
}

scenario_remove_file()
{
        echo a >"$SRC/f" && echo b >"$SRC/g" && once && rm "$SRC/f" && once && same && quiet
        want "it is in the Trash" [ "$(fake trash.txt | wc -l)" = 1 ]
}

scenario_remove_permanently()
{
        env YDSYNC_DELETE permanent && echo a >"$SRC/f" && once && rm "$SRC/f" && once && same
        want "it is not in the Trash" [ "$(fake trash.txt | wc -l)" = 0 ]
}

scenario_remove_never()
{
        env YDSYNC_DELETE never && echo a >"$SRC/f" && once && rm "$SRC/f" && once
        want "it stays in the cloud" cloud_file f
}

scenario_remove_folder_in_one_call()
{
        mkdir -p "$SRC/d/e/f" "$SRC/keep" && for i in 1 2 3 4 5 6 7 8 9; do
                echo $i >"$SRC/d/$i" && echo $i >"$SRC/d/e/$i" && echo $i >"$SRC/d/e/f/$i"
        done && once && same
        rm -r "$SRC/d" && once && same && want "one DELETE" [ "$(count delete)" = 1 ]
        quiet
}

scenario_file_becomes_folder()
{
        echo a >"$SRC/x" && once && rm "$SRC/x" && mkdir "$SRC/x" && echo b >"$SRC/x/y" && once &&
                same && quiet
}

scenario_folder_becomes_file()
{
        mkdir -p "$SRC/x/y" && echo a >"$SRC/x/y/z" && echo b >"$SRC/x/w" && once && rm -r "$SRC/x" &&
                echo c >"$SRC/x" && once && same && quiet
}

scenario_renames()
{
        mkdir -p "$SRC/a/b" && echo 1 >"$SRC/a/b/one" && echo 2 >"$SRC/two" && once
        mv "$SRC/a/b" "$SRC/a/c" && mv "$SRC/two" "$SRC/a/c/two" && once && same && quiet
}

scenario_ten_levels_within_a_period()
{
        env SYNCHRONIZATION_PERIOD 1 && start
        mkdir -p "$SRC/1/2/3/4/5/6/7/8/9/10" && echo deep >"$SRC/1/2/3/4/5/6/7/8/9/10/f" &&
                within 10 equal && echo deeper >"$SRC/1/2/3/4/5/6/7/8/9/10/f" && within 10 equal &&
                mv "$SRC/1/2/3" "$SRC/1/2/three" && within 10 equal && rm -r "$SRC/1/2" &&
                within 10 equal && stop
}

scenario_depth_beyond_path_max()
{
        local d=$SRC name
        name=$(printf 'n%.0s' $(seq 200))
        (
                cd "$SRC" || exit 1
                for _ in $(seq 25); do
                        mkdir "$name" && cd "$name" || exit 1
                done
                echo deep >file
        ) || die "cannot make the tree"
        once
        want "25 folders and a file" [ "$(cloud_tree | wc -l)" = 26 ]
        quiet
        d=$(cloud_tree | tail -n 1)
        want "the file is at the bottom" [ "${d##*/}" = file ]
}

scenario_replaces_in_place()
{
        mib 1 >"$SRC/f.txt" && once && mib 2 >"$SRC/f.txt" && once && same && quiet
}

scenario_links_and_pipes_are_skipped()
{
        echo a >"$SRC/a" && ln -s a "$SRC/link" && ln -s / "$SRC/root" && ln -s nowhere "$SRC/dead" &&
                mkfifo "$SRC/pipe" && ln "$SRC/a" "$SRC/hard" && once && same && quiet
        want "two files" [ "$(cloud_tree | wc -l)" = 2 ]
}

scenario_follows_links_inside_the_tree()
{
        env YDSYNC_SYMLINKS follow && mkdir -p "$SRC/d/e" "$T/outside" && echo a >"$SRC/d/e/a" &&
                echo secret >"$T/outside/secret" && ln -s d "$SRC/linked" && ln -s ../.. "$SRC/d/e/up" &&
                ln -s "$T/outside" "$SRC/out" && ln -s d/e/a "$SRC/file" && once
        want "a linked folder is mirrored" cloud_file linked/e/a
        want "a linked file is mirrored" cloud_file file
        want "nothing outside is" [ -z "$(cloud_tree | grep secret)" ]
        quiet
}

scenario_excludes()
{
        env YDSYNC_EXCLUDE '*.o,/cache/' && mkdir -p "$SRC/cache" "$SRC/d/cache" &&
                touch "$SRC/a.o" "$SRC/a.c" "$SRC/cache/x" "$SRC/d/cache/x" "$SRC/d/b.o" "$SRC/d/keep" &&
                echo keep >"$SRC/d/.ydignore" && once
        want "what is left" [ "$(cloud_tree | sed 's/.* //' | tr '\n' ' ')" = \
                "a.c d d/.ydignore d/cache d/cache/x " ]
        quiet
        env YDSYNC_EXCLUDE '*.c' && rm "$SRC/d/.ydignore" && once
        want "excluded later: stays in the cloud" cloud_file a.c
        want "no longer excluded: mirrored" cloud_file d/b.o
        quiet
}

scenario_settles_first()
{
        env YDSYNC_SETTLE 1s && echo a >"$SRC/f" && once && same && quiet
}

scenario_growing_file_does_not_keep_once()
{
        env YDSYNC_SETTLE 1500ms
        echo a >"$SRC/still"
        while [ -e "$T/env" ]; do
                echo x >>"$SRC/log"
                sleep 0.05
        done &
        sleep 0.2
        once 75
        want "the quiet file is there" cloud_file still
}

scenario_plan_changes_nothing()
{
        mkdir "$SRC/d" && echo a >"$SRC/d/f" && echo g >"$SRC/d/g" && cloud_put d/f a$'\n' &&
                cloud_put other x
        "$YDSYNC" --env "$T/env" plan >"$T/out" 2>"$T/log"
        want "differences: 1" [ $? = 1 ]
        want "one is there already" [ "$(cat "$T/out")" = "upload d/g" ]
        want "no state" [ ! -e "$T/state/state.db" ]
        once && want "one was sent" [ "$(count put)" = 1 ]
        echo b >"$SRC/d/g" && echo h >"$SRC/d/h" && rm "$SRC/d/f" && "$YDSYNC" --env "$T/env" plan >"$T/out" 2>>"$T/log"
        want "the plan" [ "$(cat "$T/out")" = "replace d/g
upload d/h
remove d/f" ]
        once && "$YDSYNC" --env "$T/env" plan >"$T/out" 2>>"$T/log"
        want "no difference: 0" [ $? = 0 ]
}

scenario_plan_in_json()
{
        mkdir "$SRC/d" && echo a >"$SRC/d/f" && echo 'x"y' >"$SRC/q\"\\" && once &&
                rm -r "$SRC/d" && echo bcd >"$SRC/q\"\\" && mkdir "$SRC/n"
        "$YDSYNC" --env "$T/env" plan --json >"$T/out" 2>>"$T/log"
        want "differences: 1" [ $? = 1 ]
        jq -c . "$T/out" >"$T/lines" || die "no JSON"
        printf '%s\n' '{"op":"make folder","path":"n","held":false}' \
                '{"op":"replace","path":"q\"\\","bytes":4,"held":false}' \
                '{"op":"remove folder","path":"d","entries":2,"held":false}' | diff "$T/lines" - ||
                die "another plan"
}
