# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2016,SC2034,SC2119,SC2120,SC2086
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
                echo a >"$SRC/a" && echo b >"$SRC/b" && start && within 20 equal &&
                within 20 grep -q 'pass done' "$T/log"
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

# What was seen to be gone from the disk, and then the disk goes: that nothing is there proves nothing.
scenario_nested_disk_unmounted_before_the_removals()
{
        image disk && mkdir "$SRC/d" && mount -o loop "$T/disk" "$SRC/d" && echo a >"$SRC/d/a" &&
                echo b >"$SRC/d/b" && once && same
        fault '{"on":"put","do":{"delay_ms":2500}}' && rm "$SRC/d/b" && echo new >"$SRC/new" &&
                start && within 20 eval '[ "$(count put)" = 3 ]' && umount -l "$SRC/d" &&
                within 20 grep -q 'd stands on another device' "$T/log" && stop
        want "nothing was removed" [ "$(count delete)" = 0 ]
        want "the file is there" cloud_file d/b
        mount -o loop "$T/disk" "$SRC/d" && once && same
        want "now it was removed" [ "$(count delete)" = 1 ]
}

# The numbers of devices are dealt out anew at each start.
scenario_nested_disk_with_another_number()
{
        local before
        image disk && image second && mkdir "$SRC/d" "$T/aside" && mount -o loop "$T/disk" "$SRC/d" &&
                echo a >"$SRC/d/a" && echo b >"$SRC/d/b" && once && same && before=$(stat -c %d "$SRC/d")
        umount "$SRC/d" && mount -o loop "$T/second" "$T/aside" && mount -o loop "$T/disk" "$SRC/d"
        [ "$(stat -c %d "$SRC/d")" != "$before" ] || mount -o loop "$T/second" "$T/aside" || true
        rm "$SRC/d/b" && echo c >"$SRC/d/c" && once && same
        quiet
}

# Another disk, freshly made, with the number that the first one had: nothing of the first is gone.
scenario_nested_disk_replaced_by_another()
{
        image disk && image second && mkdir "$SRC/d" && mount -o loop "$T/disk" "$SRC/d" &&
                echo a >"$SRC/d/a" && echo b >"$SRC/b" && once && same
        umount "$SRC/d" && mount -o loop "$T/second" "$SRC/d" && once 75
        log 'd stands on another device than before'
        want "what is on the first disk stays" cloud_file d/a
        want "nothing was removed" [ "$(count delete)" = 0 ]
        umount "$SRC/d" && mount -o loop "$T/disk" "$SRC/d" && once && same && quiet
}

scenario_disk_mounted_over_a_mirrored_folder()
{
        needs_mounts && mkdir "$SRC/d" && echo a >"$SRC/d/a" && once && same
        mount -t tmpfs none "$SRC/d" && echo x >"$SRC/d/x" && once 75
        log 'd stands on another device'
        want "what it hides stays" cloud_file d/a
        want "what is on it is mirrored" cloud_file d/x
        umount "$SRC/d" && once 75
        log 'd stands on another device than before; nothing below it is removed'
        want "what went with the disk stays" cloud_file d/x
        want "nothing was removed" [ "$(count delete)" = 0 ]
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

# ---- what cannot be read ----------------------------------------------------------------------------

scenario_file_with_a_bad_block()
{
        echo old >"$SRC/bad" && echo a >"$SRC/a" && echo gone >"$SRC/gone" && once && same &&
                echo newer >"$SRC/bad" && echo aa >"$SRC/a" && rm "$SRC/gone" &&
                traced -P "$SRC/bad" -e trace=read -e inject=read:error=EIO && once 75
        log 'cannot upload bad: it cannot be read: Input/output error'
        want "the old version stays" [ "$(cloud_file bad | cut -d' ' -f2)" = 4 ]
        want "the other is there" [ "$(cloud_file a | cut -d' ' -f2)" = 3 ]
        want "removals go on" [ -z "$(cloud_file gone)" ]
        WRAP='' && once && same && quiet
}

# Its list of names ends with an error after all of them, or at once.
scenario_folder_that_fails_half_way()
{
        local when
        mkdir "$SRC/d" "$SRC/e" && for i in 1 2 3; do echo $i >"$SRC/d/$i" && echo $i >"$SRC/e/$i"; done
        once && same
        for when in 2 1; do
                rm "$SRC/d/$when" "$SRC/e/$when" &&
                        traced -P "$SRC/d" -e trace=getdents64 -e "inject=getdents64:error=EIO:when=$when" && once 75
                log 'cannot see d: Input/output error; nothing there is removed'
                want "what is not shown in it stays" cloud_file "d/$when"
                want "elsewhere removals go on" [ -z "$(cloud_file "e/$when")" ]
        done
        WRAP='' && once && same && quiet
}

scenario_entry_that_cannot_be_looked_at()
{
        local errno
        echo a >"$SRC/strange-entry" && echo b >"$SRC/b" && once && same
        for errno in EIO EACCES ESTALE ENOMEM; do
                echo $errno >"$SRC/$errno" &&
                        traced -P strange-entry -e trace=statx -e inject=statx:error=$errno && once 75
                log 'cannot see strange-entry: '
                want "it stays" cloud_file strange-entry
                want "the others go on" cloud_file $errno
        done
        # What vanished between the reading of its folder and the look at it is no trouble.  (strace
        # counts in each thread; on one processor no pass has a new one for its walk.)
        traced -P strange-entry -e trace=statx -e inject=statx:error=ENOENT:when=1 && one_processor && once
        want "a last look finds it" cloud_file strange-entry
        WRAP='' && once && same && quiet
}

# unprivileged: the binary runs as a user to whom modes mean something.
unprivileged()
{
        [ "$EUID" = 0 ] || return 0
        setpriv --reuid 65534 --clear-groups test -x "$YDSYNC" || skip "the build cannot be run by another user"
        WRAP="setpriv --reuid 65534 --clear-groups"
        chmod 777 "$T" && chown -R 65534 "$SRC" "$T/env"
}

scenario_folder_without_permission_is_named_once()
{
        env SYNCHRONIZATION_PERIOD 1 && mkdir "$SRC/d" && echo a >"$SRC/d/a" && echo b >"$SRC/b" && unprivileged && start &&
                within 20 equal && chmod 0 "$SRC/d" && rm "$SRC/b" && within 20 grep -q 'cannot see d' "$T/log" &&
                within 20 eval '[ -z "$(cloud_file b)" ]' && passes 2
        want "said once" [ "$(grep -c 'cannot see d' "$T/log")" = 1 ]
        want "what is in it stays" cloud_file d/a
        chmod 755 "$SRC/d" && echo c >"$SRC/d/c" && within 20 equal && chmod 0 "$SRC/d" &&
                within 20 eval '[ "$(grep -c "cannot see d" "$T/log")" = 2 ]' && chmod 755 "$SRC/d" && stop
}

# ---- what must not be written -------------------------------------------------------------------------

# Nothing is ever tried on the source that could change it, whatever happens to it.
scenario_nothing_is_written_below_the_watched_folder()
{
        local calls
        calls=open,openat,openat2,creat,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat
        calls=$calls,mknod,mknodat,link,linkat,symlink,symlinkat,truncate,ftruncate,chmod,fchmod,fchmodat
        calls=$calls,chown,fchown,fchownat,lchown,utime,utimes,utimensat,futimesat,setxattr,lsetxattr
        calls=$calls,fsetxattr,removexattr,lremovexattr,fremovexattr,write,pwrite64,writev,pwritev,fallocate
        traced -y -e trace=$calls && some_files && once && same && cp "$T/trace" "$T/traces" &&
                echo x >"$SRC/1" && touch "$SRC/2" && rm -r "$SRC/d/e" && mib 1 >"$SRC/d/f.zip" && once && same
        cat "$T/trace" >>"$T/traces"
        want "the folder was read" [ "$(grep -c "<$SRC" "$T/traces")" -gt 20 ]
        grep -F "$SRC" "$T/traces" | grep -vE '^[0-9]+ +(<\.\.\. )?open(at2?)?[ (]' && die "that would change the source"
        grep -F "$SRC" "$T/traces" | grep -E 'O_(WRONLY|RDWR|CREAT|TRUNC|TMPFILE)' && die "opened for writing"
        return 0
}

scenario_read_only_disk()
{
        image disk && mount -o loop "$T/disk" "$SRC" && some_files && mount -o remount,ro "$SRC" && once && same &&
                quiet
        mount -o remount,rw "$SRC" && echo x >"$SRC/x" && rm "$SRC/1" && mount -o remount,ro "$SRC" && once &&
                same && quiet
}

scenario_immutable_and_append_only_files()
{
        image disk && mount -o loop "$T/disk" "$SRC" && echo a >"$SRC/a" && echo b >"$SRC/b" && mkdir "$SRC/d" &&
                echo c >"$SRC/d/c" && chattr +a "$SRC/b"
        chattr +i "$SRC/a" "$SRC/d" || skip "no attributes"
        once && same && echo bb >>"$SRC/b" && once && same && quiet
}

# ---- links, circles, and things that are no files ------------------------------------------------------

scenario_links_swapped_in_during_the_scan()
{
        local follow i
        mkdir "$T/outside" && echo secret >"$T/outside/secret" && echo secret >"$T/secret" &&
                env SYNCHRONIZATION_PERIOD 1
        for follow in skip follow; do
                env YDSYNC_SYMLINKS $follow && rm -rf "${SRC:?}"/* && mkdir "$SRC/d" "$SRC/still" &&
                        echo a >"$SRC/d/a" && echo f >"$SRC/f" && echo s >"$SRC/still/s" && start
                for i in $(seq 60); do
                        mv "$SRC/d" "$SRC/was" && ln -s ../outside "$SRC/d" && rm "$SRC/d" && ln -s / "$SRC/d" &&
                                rm "$SRC/d" && mv "$SRC/was" "$SRC/d"
                        ln -sf "$T/secret" "$SRC/g" && mv "$SRC/g" "$SRC/f" && echo $i >"$SRC/g" && mv "$SRC/g" "$SRC/f"
                        [ $((i % 15)) != 0 ] || kill -HUP "$DAEMON"
                done
                within 30 equal && stop
                want "nothing outside is there" [ "$(fake "content?path=$(urlenc "$CLOUD/f")")" = 60 ]
        done
        # It has seven bytes, and nothing else has.
        want "nor was at any time" [ "$(fake journal | jq -c 'select(.endpoint=="put" and .body_bytes==7)' | wc -l)" = 0 ]
}

scenario_folder_mounted_into_itself()
{
        needs_mounts && mkdir -p "$SRC/b" "$SRC/d/e" && echo a >"$SRC/a" && echo c >"$SRC/d/e/c" &&
                mount --bind "$SRC" "$SRC/b" && mount --bind "$SRC/d" "$SRC/d/e" && once 75
        log 'cannot read b: Too many levels'
        want "each file once" [ "$(cloud_tree | grep -c '^f')" = 1 ]
        umount "$SRC/d/e" && umount "$SRC/b" && once && same && quiet
}

scenario_pipes_sockets_and_devices()
{
        needs_mounts && echo a >"$SRC/a" && mkfifo "$SRC/pipe" && mknod "$SRC/zero" c 1 5 && mknod "$SRC/disk" b 7 200 &&
                touch "$SRC/endless" "$SRC/version"
        "$TOOLS/hear" "$SRC/socket" "$T/heard" &
        within 10 [ -S "$SRC/socket" ] && mount --bind /dev/zero "$SRC/endless" &&
                mount --bind /proc/version "$SRC/version" && traced -y -e trace=open,openat,openat2 && once 75
        want "one file" [ "$(cloud_tree | sed 's/.* //')" = a ]
        grep -E '"(pipe|zero|disk|endless|socket)"' "$T/trace" | grep -v O_PATH && die "opened"
        umount "$SRC/endless" "$SRC/version" && WRAP='' && once && quiet
        want "and what they hid" [ "$(cloud_tree | wc -l)" = 3 ]
}

scenario_hard_links_holes_and_nothing()
{
        local kib
        knob '{"max_file_size":4000000}' && echo a >"$SRC/a" && ln "$SRC/a" "$SRC/b" && : >"$SRC/zero" &&
                truncate -s 3M "$SRC/hole" && once && same && quiet
        truncate -s 100G "$SRC/huge" && WRAP="$TOOLS/maxrss $T/rss" once 75
        log 'cannot upload huge: it is larger than'
        kib=$(cut -d' ' -f1 "$T/rss")
        want "memory is flat: $kib KiB" [ "$kib" -le 400000 ]
        want "the content of it was not sent" [ "$(count bytes_in)" -le 20000000 ]
        rm "$SRC/huge" && echo aa >>"$SRC/a" && once && same
}

# ---- files that others write ----------------------------------------------------------------------------

# Same size, same time of change as shown by `ls`: the other stamp tells.
scenario_time_of_change_set_back()
{
        echo aaaa >"$SRC/f" && touch -d '2020-01-01' "$SRC/f" && once && cp -p "$SRC/f" "$T/ref" &&
                echo bbbb >"$SRC/f" && touch -r "$T/ref" "$SRC/f" && once && same && quiet
        # An older version, put in the newer one's place with its old time.
        echo cccc >"$SRC/f" && once && cp -p "$T/ref" "$SRC/f" && once && same && quiet
}

scenario_odd_times()
{
        local when n=0
        for when in '1901-12-14' '1969-12-31 23:59:59 UTC' '1970-01-01 UTC' '2038-01-20' '2106-02-08' \
                '2446-05-01' 'now + 1 year'; do
                n=$((n + 1)) && echo "$when" >"$SRC/$n"
                touch -d "$when" "$SRC/$n" || die "no such time: $when"
        done
        once && same && quiet
        want "sent once" [ "$(count put)" = 7 ]
}

scenario_touched_all_over()
{
        some_files && once && find "$SRC" -exec touch {} + && once && find "$SRC" -exec chmod go-r {} + && once
        want "nothing was sent again" [ "$(count put)" = 13 ]
        same
}

# An old disk keeps whole seconds: most edits leave size and both times as they were.  All are found.
scenario_racy_edits()
{
        local i=10000 n kept=0 edits=0 before
        env SYNCHRONIZATION_PERIOD 1 && image disk -I 128 && mount -o loop "$T/disk" "$SRC" &&
                for n in $(seq 30); do echo 10000 >"$SRC/$n"; done && start && within 30 equal
        while [ $kept -lt 300 ] && [ $i -lt 10500 ]; do
                i=$((i + 1))
                for n in $(seq 30); do
                        before=$(stat -c '%s %Y %Z %i' "$SRC/$n")
                        echo "$i" 1<>"$SRC/$n"
                        edits=$((edits + 1))
                        [ "$before" != "$(stat -c '%s %Y %Z %i' "$SRC/$n")" ] || kept=$((kept + 1))
                done
        done
        within 30 equal && stop
        want "there were hundreds of them: $kept of $edits" [ $kept -ge 300 ]
        sleep 2.5 && once && quiet
        echo "# $kept of $edits edits left the stamp as it was; $(count put) uploads"
}

# certify: the writer's versions say of themselves what they are: every line is the number of the
# version, and the last says how many there are.
certify()
{
        local f
        for f in "$@"; do
                [ -s "$f" ] || continue
                awk 'NR == 1 { n = $1 } $1 != n { exit 1 } $2 == "end" { e = $3; last = NR }
                        END { if (e != NR || last != NR) exit 1 }' "$f" || die "torn: $(head -c 100 "$f")"
        done
}

# rewrite FILE N: version N of it takes its place in one step.
rewrite()
{
        awk -v n="$2" 'BEGIN { m = 200 + n % 7 * 3000; for (i = 1; i < m; i++) print n, "line"; print n, "end", m }' \
                >"$T/next" && mv "$T/next" "$1"
}

scenario_every_version_is_one_that_was()
{
        local i name
        env SYNCHRONIZATION_PERIOD 1 && env YDSYNC_VERIFY each && knob '{"put_bps":2000000}' && rewrite "$SRC/f" 1 &&
                rewrite "$SRC/g.zip" 1 && mkdir "$T/seen" && start
        for i in $(seq 2 40); do
                rewrite "$SRC/f" $i && rewrite "$SRC/g.zip" $i
                for name in f g.zip; do
                        curl -sf -m 60 -o "$T/seen/$name" "$API/_fake/content?path=$(urlenc "$CLOUD/$name")" &&
                                mv "$T/seen/$name" "$T/seen/$(md5sum <"$T/seen/$name" | cut -c1-32)"
                done
                [ $((i % 10)) != 0 ] || kill -HUP "$DAEMON"
        done
        within 60 equal && stop
        certify "$T"/seen/*
        i=$(find "$T/seen" -type f | wc -l)
        want "several were seen: $i" [ "$i" -ge 3 ]
        echo "# $i versions were seen, $(fake journal | jq -c 'select(.endpoint=="put" and .status==201)' | wc -l) arrived"
}

scenario_file_shrinks_while_it_is_sent()
{
        echo old >"$SRC/f" && once && env SYNCHRONIZATION_PERIOD 1 && knob '{"put_bps":2000000}' && mib 12 >"$SRC/f" &&
                start && within 20 eval '[ "$(count parallel_put)" = 1 ]' && sleep 0.5 && truncate -s 1000000 "$SRC/f"
        want "the old version stands" [ "$(cloud_file f | cut -d' ' -f2)" = 4 ]
        within 30 equal && stop
        want "the long one never arrived" \
                [ "$(fake journal | jq -c 'select(.endpoint=="put" and .status==201)' | wc -l)" = 2 ]
}

# A log that grows all the time takes nothing from the others, and its state is there at last.
scenario_file_that_grows_for_ever()
{
        local writer
        while :; do date >>"$SRC/log" && sleep 0.01; done &
        writer=$!
        env SYNCHRONIZATION_PERIOD 1 && mkdir "$SRC/d" && for i in $(seq 20); do echo $i >"$SRC/d/$i"; done && start &&
                within 30 eval '[ "$(cloud_tree | grep -c "d/")" = 20 ]' && echo late >"$SRC/late" &&
                within 20 cloud_file late && rm "$SRC/late" && within 20 eval '[ -z "$(cloud_file late)" ]'
        kill $writer && within 20 equal && stop
}

# Editors save by a file of another name that takes the old one's place, or by removing first.
scenario_editors_save()
{
        local i
        env SYNCHRONIZATION_PERIOD 1 && echo 0 >"$SRC/a" && echo 0 >"$SRC/b" && start && within 20 equal
        for i in $(seq 100); do
                echo "$i" >"$SRC/.a.tmp" && mv "$SRC/.a.tmp" "$SRC/a"
                mv "$SRC/b" "$SRC/b~" && echo "$i" >"$SRC/b" && rm "$SRC/b~"
                [ $((i % 4)) != 0 ] || kill -HUP "$DAEMON"
                want "never gone for good" [ "$(cloud_tree | grep -c ' a$')" = 1 ]
        done
        within 20 equal && stop
        want "what was removed for a moment is in the Trash" \
                [ "$(count delete)" = "$(fake trash.txt | wc -l)" ]
}

scenario_folders_change_places_during_the_scan()
{
        local i
        env SYNCHRONIZATION_PERIOD 1 && mkdir -p "$SRC/A/x" "$SRC/B/x" && for i in $(seq 40); do
                echo "A$i" >"$SRC/A/x/$i" && echo "B$i" >"$SRC/B/x/b$i"
        done && start && within 30 equal
        for i in $(seq 60); do
                mv "$SRC/A" "$SRC/C" && mv "$SRC/B" "$SRC/A" && mv "$SRC/C" "$SRC/B"
                mv "$SRC/A/x" "$SRC/A/y" && mv "$SRC/A/y" "$SRC/A/x"
                [ $((i % 10)) != 0 ] || kill -HUP "$DAEMON"
        done
        within 40 equal
        for i in $(seq 20); do
                mv "$SRC/B" "$T/away" && echo file >"$SRC/B" && sleep 0.05 && rm "$SRC/B" && mv "$T/away" "$SRC/B"
                [ $((i % 5)) != 0 ] || kill -HUP "$DAEMON"
        done
        within 40 equal && stop && sleep 2.5 && once && quiet
}

# A file comes and goes all the time: no trouble, and what is gone elsewhere is removed.
scenario_file_that_comes_and_goes()
{
        local mover
        env SYNCHRONIZATION_PERIOD 1 && echo a >"$SRC/here" && echo b >"$SRC/b" && start && within 20 equal
        while :; do mv "$SRC/here" "$T/there.tmp" && mv "$T/there.tmp" "$SRC/here"; done 2>/dev/null &
        mover=$!
        rm "$SRC/b" && within 20 eval '[ -z "$(cloud_file b)" ]' && passes 2 && kill $mover
        wait $mover 2>/dev/null
        [ -e "$SRC/here" ] || mv "$T/there.tmp" "$SRC/here"
        within 20 equal && stop
}

# ---- two of us --------------------------------------------------------------------------------------

# The same folder by two daemons with a state of their own: needless, and harmless.
scenario_two_daemons_on_one_folder()
{
        local first
        env SYNCHRONIZATION_PERIOD 1 && some_files && start && first=$DAEMON && within 20 equal &&
                sed "s|$T/state|$T/state2|" "$T/env" >"$T/env2" && chmod 600 "$T/env2" &&
                { "$YDSYNC" --env "$T/env2" run >"$T/out2" 2>"$T/log2" & } && echo x >"$SRC/x" && rm "$SRC/1" &&
                mib 1 >"$SRC/d/f.zip" && within 30 equal && passes 2 && same
        want "nothing was given up" [ "$(grep -c HELD "$T/log" "$T/log2" | grep -vc ':0')" = 0 ]
        DAEMON=$(jobs -p | tail -n 1) && stop && DAEMON=$first && stop
        same
}

# Two folders into one cloud folder: each leaves the other's files alone; where both have a name, the
# later one stands and the other's is in the Trash.
scenario_two_folders_into_one_cloud_folder()
{
        mkdir "$T/two" && echo one >"$SRC/f" && echo a >"$SRC/a" && echo two, >"$T/two/f" && echo b >"$T/two/b" && once &&
                sed "s|$T/state|$T/state2|; s|$SRC|$T/two|" "$T/env" >"$T/env2" && chmod 600 "$T/env2"
        for _ in 1 2 3; do
                "$YDSYNC" --env "$T/env2" once 2>"$T/log2" || die "$(cat "$T/log2")"
                once
        done
        want "nobody's file was removed" [ "$(cloud_tree | sed 's/.* //' | tr '\n' ' ')" = "a b f " ]
        want "the other's is in the Trash" [ "$(fake trash.txt | wc -l)" = 1 ]
        rm "$SRC/a" "$SRC/f" && once
        want "what is the other's now is left alone" [ "$(cloud_file f | cut -d' ' -f2)" = 5 ]
}

# ---- much of it -----------------------------------------------------------------------------------

# FILES=1000000 takes it to a million.
scenario_long_files_in_one_folder()
{
        local kib files=${FILES:-100000}
        knob '{"journal":false}' && env YDSYNC_PARALLEL 16 && env YDSYNC_LOG_LEVEL notice && mkdir "$SRC/d"
        (cd "$SRC/d" && seq -f 'file-%.0f' "$files" | xargs touch) || die "no files"
        WRAP="$TOOLS/maxrss $T/rss" TIMEOUT=3000 once
        kib=$(cut -d' ' -f1 "$T/rss")
        want "700 bytes a file at most: $kib KiB" [ "$kib" -le $((32768 + files * 700 / 1024)) ]
        want "all are there" [ "$(cloud_tree | wc -l)" = $((files + 1)) ]
        sleep 2.5 && TIMEOUT=600 once && mark && WRAP="$TOOLS/maxrss $T/rss2" TIMEOUT=600 once
        want "nothing to do: $(calls) calls" [ "$(calls)" = 0 ]
        echo "# $kib KiB, $(cut -d' ' -f2 "$T/rss") s; without changes: $(cut -d' ' -f1 "$T/rss2") KiB, $(cut -d' ' -f2 "$T/rss2") s"
}
