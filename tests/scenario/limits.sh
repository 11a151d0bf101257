# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2016,SC2119,SC2120,SC2086
# What runs out: descriptors, memory, threads, room for the snapshot and the log; and what others do
# to the state folder.  Nothing is removed and nothing is sent twice, and all is well once there is
# enough again.

# ends STATUS…: `once` ends with one of these, and says why unless that is 0.
ends()
{
        local got=0
        timeout "${TIMEOUT:-60}" $WRAP "$YDSYNC" --env "$T/env" once >"$T/out" 2>"$T/log" || got=$?
        grep -aE 'ERROR: .*Sanitizer|runtime error' "$T/log" && die "a sanitizer has spoken"
        [[ " $* " = *" $got "* ]] || die "once ended with $got, not one of $*"
        want "it says why" [ "$got" = 0 -o -s "$T/log" ]
}

# safe N: nothing was removed, and N uploads arrived, each once.
safe()
{
        want "nothing was deleted" [ "$(count delete)" = 0 ]
        want "nothing was sent twice: $(count put)" [ "$(count put)" = "$1" ]
}

# as_nobody ID: the binary runs as somebody without rights, to whom the folders belong from now on.
as_nobody()
{
        if [ "$(id -u)" = 0 ]; then
                setpriv --reuid "$1" --clear-groups test -x "$YDSYNC" || skip "the build cannot be run by another user"
                WRAP="$WRAP setpriv --reuid $1 --clear-groups"
                chmod 777 "$T" && chown -R "$1" "$SRC" "$T/env"
        fi
}

# ---- of the process -------------------------------------------------------------------------------

scenario_limit_descriptors()
{
        some_files
        for n in 6 10 14 16 17 18 20 24; do
                WRAP="prlimit --nofile=$n" TIMEOUT=150 ends 0 66 69 73 74 75 78
        done
        once && same
        safe 13
        quietly
}

scenario_limit_descriptors_of_a_daemon()
{
        env SYNCHRONIZATION_PERIOD 1 && some_files && start && within 20 equal
        prlimit --pid "$DAEMON" --nofile=3: && echo x >"$SRC/x" && rm "$SRC/1" && sleep 3
        want "it is still there" kill -0 "$DAEMON"
        log 'Too many open files'
        want "nothing was removed meanwhile" [ "$(count delete)" = 0 ]
        prlimit --pid "$DAEMON" --nofile=1024: && within 120 equal && stop
        want "nothing was sent twice" [ "$(count put)" = 14 ]
}

scenario_limit_file_size()
{
        some_files
        for n in 4096 8192 20000 40000; do
                WRAP="prlimit --fsize=$n" ends 0 73 74 75
        done
        once && same
        safe 13
        quietly
}

scenario_limit_memory()
{
        ldd "$YDSYNC" | grep -q asan && skip "the sanitizer needs all of the address space"
        [ -z "$WRAP" ] || skip "valgrind needs more memory than that"
        some_files
        for n in $(seq 40 5 200); do
                # Below some point the libraries do not even load: 127.
                WRAP="prlimit --as=${n}000000" ends 0 69 73 74 75 78 127
        done
        once && same
        safe 13
        quietly
}

scenario_limit_threads()
{
        [ "$(id -u)" = 0 ] || skip "needs a user of its own, and so root"
        some_files
        for n in 1 2 3 4 5 6 7 8; do
                (WRAP="prlimit --nproc=$n" && as_nobody 61234 && ends 74) || exit
        done
        log 'threads'
        want "nothing was asked" [ "$(count total)" = 0 ]
        WRAP="prlimit --nproc=20" && as_nobody 61234 && once && same
        quiet
}

scenario_streams_closed()
{
        local got=0
        "$YDSYNC" --env "$T/env" once <&- >&- 2>&- || got=$?
        want "without any it ended with $got" [ "$got" = 0 ]
        some_files
        "$YDSYNC" --env "$T/env" once 2>&- || got=$?
        want "without one for its messages it ended with $got" [ "$got" = 0 ]
        same
        want "no message went into the file that took its place" [ "$(wc -l <"$T/state/lock")" = 1 ]
        echo more >"$SRC/more"
        "$YDSYNC" --env "$T/env" once 2>&1 >/dev/null | true
        want "the reader of its messages was gone" [ "${PIPESTATUS[0]}" = 0 ]
        same
        rm "$SRC/more"
        "$YDSYNC" --env "$T/env" once >/dev/full 2>&1 || got=$?
        want "nobody could take its messages" [ "$got" = 0 ]
        same && quiet
}

scenario_log_on_a_full_disk()
{
        needs_mounts
        mkdir "$T/logs" && mount -t tmpfs -o size=16k tmpfs "$T/logs" && env PATH_FILE_LOG "$T/logs"
        head -c 12288 /dev/zero >"$T/logs/filler" && some_files && once && same
        rm "$T/logs/filler" && echo x >"$SRC/x" && once && same
        want "there is a log again" grep -q 'uploaded x' "$T/logs/ydsync.log"
        quiet
}

# send_many SIGNAL: one after another, until the daemon is gone; if it is still there then, it is
# asked to end.
send_many()
{
        for _ in $(seq 300); do
                kill "-$1" "$DAEMON" 2>/dev/null || break
                sleep 0.001
        done
        kill -TERM "$DAEMON" 2>/dev/null
        wait "$DAEMON"
}

scenario_signals_at_any_moment()
{
        local got
        knob '{"latency_ms":20}' && some_files
        for delay in 0 0.005 0.01 0.02 0.05 0.1 0.2; do
                got=0
                start && sleep $delay && send_many TERM || got=$?
                # Before main() the system answers for us.
                want "SIGTERM after $delay s: $got" [ "$got" = 0 -o "$got" = 143 ]
        done
        for signal in HUP USR1 USR2; do
                start && sleep 0.15 && kill -PIPE "$DAEMON" && kill -WINCH "$DAEMON" && send_many $signal
        done
        DAEMON=
        knob '{"latency_ms":0}' && once && same
        want "nothing was removed but remnants" [ "$(fake journal | jq -r 'select(.endpoint=="delete") | .path' | grep -vc ydsync-upload-)" = 0 ]
        quietly
}

# ---- of the state folder --------------------------------------------------------------------------

small_state()
{
        needs_mounts
        mkdir "$T/small" && mount -t tmpfs -o "$1" tmpfs "$T/small" && env YDSYNC_STATE_DIR "$T/small/state"
}

scenario_state_on_a_full_disk_from_the_start()
{
        small_state size=4k && some_files
        for n in 4 8 12 16 24 32 40 48 64 80 96 112 128 160; do
                mount -o remount,size=${n}k "$T/small" && ends 0 73 74 75
                rm -rf "$T/kept" && cp -r "$T/small/state" "$T/kept" 2>/dev/null
        done
        mount -o remount,size=4m "$T/small" && once && same
        safe 13
        quietly
}

scenario_state_without_inodes()
{
        small_state nr_inodes=2 && some_files
        for n in 2 3 4 5 6 7 8; do
                mount -o remount,nr_inodes=$n "$T/small" && ends 0 73 74 75
        done
        mount -o remount,nr_inodes=100 "$T/small" && once && same
        safe 13
        quietly
}

scenario_state_fills_up_and_has_room_again()
{
        small_state size=1m && env SYNCHRONIZATION_PERIOD 1 && some_files && start && within 20 equal
        head -c 2m /dev/zero >"$T/small/filler" 2>/dev/null
        fake "reset?what=journal" -d '' >/dev/null
        for i in $(seq 40); do echo "$i" >"$SRC/new-file-$i"; done
        rm "$SRC/1" && within 20 grep -qaE 'No space left|no space left' "$T/log"
        sleep 3
        want "nothing is removed on a belief that cannot be kept up" [ "$(count delete)" = 0 ]
        want "said once" [ "$(grep -caiE 'no space left' "$T/log")" = 1 ]
        rm "$T/small/filler" && within 60 equal && stop
        want "one was removed" [ "$(count delete)" = 1 ]
        want "nothing was sent twice: $(count put)" [ "$(count put)" = 40 ]
}

scenario_fsync_fails()
{
        env YDSYNC_PARALLEL 2 && some_files && once && rm "$SRC/1" && for i in $(seq 20); do echo "$i" >"$SRC/new-$i"; done
        (traced -e trace=fdatasync,fsync -e inject=fdatasync,fsync:error=EIO && ends 74) || exit
        log 'disk failed|Input/output error'
        want "nothing was removed" [ "$(count delete)" = 0 ]
        want "after the first failure no more was sent: $(count put)" [ "$(count put)" -le 17 ]
        once && same
        want "nothing was sent twice: $(count put)" [ "$(count put)" = 33 ]
        quiet
}

scenario_state_folder_is_none()
{
        some_files && echo file >"$T/state" && ends 73
        log "$T/state"
        rm "$T/state" && mkdir -p "$T/state/state.db" && ends 73
        log 'is a folder'
        rm -r "$T/state" && ln -s /dev/null "$T/state" && ends 73
        rm "$T/state" && mkdir "$T/state" && mkfifo "$T/state/state.db" && ends 73
        log 'no regular file'
        rm -r "$T/state" && ln -s "$T/nowhere/at/all" "$T/state" && ends 73
        rm "$T/state" && env YDSYNC_STATE_DIR "$T/deep/er/state" && once && same
        safe 13
        quiet
}

scenario_state_of_somebody_else()
{
        [ "$(id -u)" = 0 ] || skip "needs a second user, and so root"
        some_files && once && echo x >"$SRC/x" && mark
        (as_nobody 61235 && ends 73) || exit
        log 'ermission denied'
        want "nothing was asked" [ "$(calls)" = 0 ]
        chown -R 61235 "$T/state" && chmod 500 "$T/state" && chmod 400 "$T/state/state.db"
        (as_nobody 61235 && ends 73 74) || exit
        want "still nothing" [ "$(calls)" = 0 ]
        chmod 700 "$T/state" && chmod 600 "$T/state/state.db" && as_nobody 61235 && once && same
        safe 14
        quiet
}

scenario_state_folder_vanishes_while_running()
{
        env SYNCHRONIZATION_PERIOD 1 && some_files && start && within 20 equal && mv "$T/state" "$T/away" &&
                echo more >"$SRC/more" && sleep 3
        want "it goes on or ends" true
        mv "$T/away" "$T/state2"
        kill -TERM "$DAEMON" 2>/dev/null
        wait "$DAEMON"
        DAEMON=
        once && same
        safe 14
        sleep 2 && quiet
}

# Holds the write lock of the snapshot for so many seconds.
hold_snapshot()
{
        (printf 'begin immediate;\n' && touch "$T/held" && sleep "$1" && printf 'rollback;\n') |
                sqlite3 "$T/state/state.db" &
        HOLDER=$!
        within 5 test -e "$T/held"
        rm "$T/held"
        sleep 0.3
}

scenario_state_locked_by_another_program()
{
        some_files && once && echo x >"$SRC/x" && hold_snapshot 6 && mark
        ends 73 74 75
        log 'another program holds the snapshot'
        want "nothing was sent" [ "$(count put)" = 13 ]
        wait "$HOLDER"
        once && same
        safe 14
        env SYNCHRONIZATION_PERIOD 1 && start && sleep 2 && hold_snapshot 6 && echo y >"$SRC/y" && within 60 equal
        wait "$HOLDER"
        within 60 grep -q 'pass done.*\(uploaded\|already\)' "$T/log" && stop && once && same
        safe 15
        quiet
}

scenario_log_of_the_snapshot_removed()
{
        some_files && start && within 20 equal && kill -KILL "$DAEMON"
        wait "$DAEMON"
        DAEMON=
        want "there was a log" [ -s "$T/state/state.db-wal" ]
        rm "$T/state/state.db-shm" && once && same
        safe 13
        echo x >"$SRC/x" && start && within 20 equal && kill -KILL "$DAEMON"
        wait "$DAEMON"
        DAEMON=
        rm "$T/state/state.db-wal" "$T/state/state.db-shm" && once && same
        safe 14
        sleep 2 && once && quiet
}

scenario_snapshot_of_yesterday()
{
        some_files && once && cp -a "$T/state" "$T/yesterday" && echo new >"$SRC/new" && echo changed >"$SRC/1" &&
                rm "$SRC/d/2" && rm -r "$SRC/d/e" && once && same
        want "15 were sent" [ "$(count put)" = 15 ]
        rm -r "$T/state" && mv "$T/yesterday" "$T/state" && once && same
        want "none was sent again: $(count put)" [ "$(count put)" = 15 ]
        sleep 2 && once && quiet
}

scenario_each_page_of_the_snapshot_damaged()
{
        local pages
        some_files && once && cp -a "$T/state" "$T/whole" && pages=$(($(stat -c %s "$T/state/state.db") / 4096))
        for page in $(seq 0 $((pages - 1))); do
                for byte in '\000' '\377'; do
                        rm -r "$T/state" && cp -a "$T/whole" "$T/state" &&
                                head -c 4096 /dev/zero | tr '\000' "$byte" |
                                dd of="$T/state/state.db" bs=4096 seek="$page" conv=notrunc 2>/dev/null
                        once && same
                done
        done
        safe 13
        echo "# $pages pages"
}
