# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2016,SC2119,SC2120
# What dying mode (tests/scenario/run -d N) dies of: passes in which several things are under way at
# once, so that one kill meets many of them.  As they are they are small scenarios like any other.

# mirrored_then SETUP CHANGE: SETUP is mirrored, then CHANGE.
mirrored_then()
{
        env YDSYNC_PARALLEL 3
        "$1" && once && same && "$2" && once && same && quiet
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

scenario_die_disguised()
{
        mirrored_then die_big die_replace_big
}

scenario_die_replacing_and_removing()
{
        mirrored_then die_small die_replace_and_remove
}

scenario_die_removing_a_tree()
{
        mirrored_then die_small die_remove_tree
}

scenario_die_changing_kinds()
{
        mirrored_then die_small die_retype
}
