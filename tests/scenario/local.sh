# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2016,SC2119,SC2120,SC2086
# What the watched folder and its file system do to us: nothing is removed that was not proven gone,
# and all is well again once the folder is.

# ---- the folder itself ----------------------------------------------------------------------------

# harmless: since the last `mark` nothing was asked of the cloud.
harmless()
{
        want "no call: $(calls)" [ "$(calls)" = 0 ]
}

# passes N: the daemon has looked at the folder N times more.
passes()
{
        sleep $(($1 + 1)) # with SYNCHRONIZATION_PERIOD=1
}

scenario_disk_unmounted_between_scans()
{
        image disk && mount -o loop "$T/disk" "$SRC" && mkdir "$SRC/d" && echo a >"$SRC/d/a" &&
                echo b >"$SRC/b" && once && same
        umount "$SRC" && mark && once 66
        log "folder at $SRC is not the one that was mirrored: .*empty mount point"
        harmless
        mount -o loop "$T/disk" "$SRC" && quiet && same
}

scenario_disk_unmounted_under_the_daemon()
{
        env SYNCHRONIZATION_PERIOD 1 && image disk && mount -o loop "$T/disk" "$SRC" &&
                echo a >"$SRC/a" && echo b >"$SRC/b" && start && within 20 equal
        umount "$SRC" && within 20 grep -q 'not the one that was mirrored' "$T/log" && mark && passes 2
        harmless
        want "said once" [ "$(grep -c 'not the one' "$T/log")" = 1 ]
        mount -o loop "$T/disk" "$SRC" && echo c >"$SRC/c" && rm "$SRC/b" && within 20 equal && stop
        want "one was removed, that which is gone" [ "$(count delete)" = 1 ]
}

# Made in the same second, so that the birth times of their top folders do not differ.
scenario_another_fresh_disk_at_the_same_place()
{
        local i
        for i in $(seq 10); do
                rm -f "$T/one" "$T/two" && image one && image two
                [ "$(dumpe2fs -h "$T/one" 2>/dev/null | grep '^Filesystem created')" = \
                        "$(dumpe2fs -h "$T/two" 2>/dev/null | grep '^Filesystem created')" ] && break
        done
        mount -o loop "$T/one" "$SRC" && echo a >"$SRC/a" && once && same
        umount "$SRC" && mount -o loop "$T/two" "$SRC" && mark && once 66
        log 'not the one that was mirrored: another disk'
        harmless
        echo other >"$SRC/other" && once 66 && harmless
        umount "$SRC" && mount -o loop "$T/one" "$SRC" && quiet && same
}

scenario_old_disk_without_birth_times()
{
        image one -I 128 && image two -I 128 && mount -o loop "$T/one" "$SRC" && echo a >"$SRC/a" &&
                once && same
        umount "$SRC" && mount -o loop "$T/two" "$SRC" && mark && once 66 && harmless
        umount "$SRC" && mount -o loop "$T/one" "$SRC" && quiet && same
}

scenario_another_kind_of_file_system_at_the_same_place()
{
        needs_mounts && echo a >"$SRC/a" && once && same
        mount -t tmpfs none "$SRC" && mark && once 66 && harmless
        mount -t proc proc "$SRC" && mark && once 66 && harmless
        umount "$SRC" && umount "$SRC" && quiet && same
}

# The first start was too early: nothing is known yet, so nothing can be lost by beginning anew.
scenario_disk_mounted_after_the_start()
{
        env SYNCHRONIZATION_PERIOD 1 && image disk && mount -o loop "$T/disk" "$SRC" &&
                echo a >"$SRC/a" && umount "$SRC" && start && passes 1
        mount -o loop "$T/disk" "$SRC" && within 20 equal && stop
        want "nothing was removed" [ "$(count delete)" = 0 ]
}

scenario_folder_missing_at_the_start()
{
        env SYNCHRONIZATION_PERIOD 1 && echo a >"$SRC/a" && mv "$SRC" "$T/away" && start &&
                within 20 grep -q 'is not there' "$T/log" && mark && passes 1 && harmless
        mv "$T/away" "$SRC" && within 20 equal && stop
}

scenario_folder_renamed_while_the_daemon_runs()
{
        env SYNCHRONIZATION_PERIOD 1 && some_files && start && within 20 equal && mv "$SRC" "$T/away" &&
                within 20 grep -q 'is not there' "$T/log" && mark && mkdir "$SRC" && passes 2 && harmless
        log 'not the one that was mirrored'
        rmdir "$SRC" && mv "$T/away" "$SRC" && echo new >"$SRC/new" && within 20 equal && stop
        want "nothing was removed" [ "$(count delete)" = 0 ]
}

# The walk holds on to the disk that it began on; what it saw of it is true.
scenario_disk_lazily_unmounted_during_the_scan()
{
        local i
        env SYNCHRONIZATION_PERIOD 1 && image disk && mount -o loop "$T/disk" "$SRC" &&
                for i in $(seq 12); do mkdir "$SRC/$i" && echo $i >"$SRC/$i/f"; done && once && same
        mark && traced -e trace=getdents64 -e inject=getdents64:delay_enter=50000 && start && within 20 grep -q getdents64 "$T/trace" && umount -l "$SRC" &&
                within 20 grep -q 'not the one that was mirrored' "$T/log" && harmless
        mount -o loop "$T/disk" "$SRC" && echo new >"$SRC/new" && within 40 equal && stop
        want "nothing was removed" [ "$(count delete)" = 0 ]
}

# unmounted_before_removing COMMAND…: that is done after the scan, while an upload keeps the pass
# from its removals.
unmounted_before_removing()
{
        fault '{"on":"put","do":{"delay_ms":2500}}' && rm "$SRC/b" && echo new >"$SRC/new" &&
                start && within 20 eval '[ "$(count put)" = 3 ]' && "$@" &&
                within 20 grep -q 'another folder than a moment ago' "$T/log" && stop
        want "nothing was removed" [ "$(count delete)" = 0 ]
        want "the file is there" cloud_file b
}

scenario_disk_lazily_unmounted_before_the_removals()
{
        image disk && mount -o loop "$T/disk" "$SRC" && echo a >"$SRC/a" && echo b >"$SRC/b" && once &&
                same && unmounted_before_removing umount -l "$SRC"
        mount -o loop "$T/disk" "$SRC" && once && same
        want "now it was removed" [ "$(count delete)" = 1 ]
}

scenario_other_disk_mounted_before_the_removals()
{
        needs_mounts && echo a >"$SRC/a" && echo b >"$SRC/b" && once && same &&
                unmounted_before_removing mount -t tmpfs none "$SRC"
        umount "$SRC" && once && same
        want "now it was removed" [ "$(count delete)" = 1 ]
}

# ---- a disk below the folder ------------------------------------------------------------------------

scenario_nested_disk_unmounted()
{
        image disk && mkdir "$SRC/d" && mount -o loop "$T/disk" "$SRC/d" && echo a >"$SRC/d/a" &&
                echo b >"$SRC/b" && echo c >"$SRC/c" && once && same
        umount "$SRC/d" && rm "$SRC/b" && once 75
        log 'd stands on another device than before; nothing below it is removed'
        want "what is on the disk stays" cloud_file d/a
        want "elsewhere removals go on" [ -z "$(cloud_file b)" ]
        echo x >"$SRC/d/x" && once 75
        want "what is new in the bare mount point is mirrored" cloud_file d/x
        mount -o loop "$T/disk" "$SRC/d" && once && same && quiet
}

scenario_disk_mounted_over_a_mirrored_folder()
{
        needs_mounts && mkdir "$SRC/d" && echo a >"$SRC/d/a" && once && same
        mount -t tmpfs none "$SRC/d" && echo x >"$SRC/d/x" && once 75
        log 'd stands on another device'
        want "what it hides stays" cloud_file d/a
        umount "$SRC/d" && once && same
}

# ---- file systems in user space ---------------------------------------------------------------------

scenario_fuse_process_killed()
{
        env SYNCHRONIZATION_PERIOD 1 && fuse && echo a >"$SRC/a" && mkdir "$SRC/d" && echo b >"$SRC/d/b" &&
                start && within 20 equal && mark && kill -KILL $FUSE &&
                within 20 grep -qE 'cannot be opened: Transport endpoint' "$T/log" && passes 2 && harmless
        want "said once" [ "$(grep -c 'Transport endpoint' "$T/log")" = 1 ]
        umount -l "$SRC" && fuse && echo c >"$SRC/c" && within 20 equal && stop
        want "nothing was removed" [ "$(count delete)" = 0 ]
}
