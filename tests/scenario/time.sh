# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2016,SC2034,SC2119,SC2120,SC2086
# Clocks, signals, and a machine that stops: no scan is lost, none comes in a storm, and the end
# comes when it is asked for.

# ---- signals --------------------------------------------------------------------------------------

scenario_sighup_looks_at_once()
{
        env SYNCHRONIZATION_PERIOD 1h && echo a >"$SRC/a" && start && within 20 equal &&
                echo b >"$SRC/b" && kill -HUP "$DAEMON" && within 20 equal
        log 'asked to look at the folder now'
        stop
}

# One that comes while a pass is under way is not lost: another pass follows.
scenario_sighup_during_a_pass()
{
        env SYNCHRONIZATION_PERIOD 1h && knob '{"put_pause_ms":3000}' && echo a >"$SRC/a" && start &&
                within 20 eval '[ "$(count parallel_put)" = 1 ]' && echo b >"$SRC/b" && kill -HUP "$DAEMON" &&
                within 30 equal && stop
}

scenario_signal_storm()
{
        local i signal
        env SYNCHRONIZATION_PERIOD 1h && env YDSYNC_PARALLEL 2 && knob '{"put_pause_ms":20}' &&
                for i in $(seq 60); do echo $i >"$SRC/$i"; done && start &&
                within 20 grep -q 'made the cloud folder' "$T/log"
        for i in $(seq 600); do
                for signal in HUP USR1 USR2 PIPE; do
                        kill "-$signal" "$DAEMON" || die "it has ended"
                done
        done
        within 40 equal
        want "each was sent once" [ "$(count put)" = 60 ]
        for i in $(seq 50); do kill -TERM "$DAEMON" 2>/dev/null && kill -HUP "$DAEMON" 2>/dev/null; done
        wait "$DAEMON"
        want "it ended well" [ $? = 0 ]
        DAEMON=
}

# At any moment of its life, also before there is a loop and after there was one.
scenario_sigterm_during_the_start()
{
        local i got
        some_files
        for i in $(seq 0 39); do
                start
                sleep "0.$(printf %03d $((i * 7)))"
                kill -TERM "$DAEMON" 2>/dev/null
                got=0
                wait "$DAEMON" || got=$?
                # The shell's child is the shell until it has become the program.
                [ $got = 143 ] && [ ! -s "$T/log" ] && got=0
                [ $got = 0 ] || die "after $i * 7 ms: $got"
        done
        DAEMON=
        once && same
}

# ---- what does not answer ---------------------------------------------------------------------------

# ends_in_time: SIGTERM ends the daemon within five seconds, with 0 (two more for a busy machine).
ends_in_time()
{
        local from=$SECONDS
        stop
        want "the end came in time: $((SECONDS - from)) s" [ $((SECONDS - from)) -le 7 ]
}

scenario_sigterm_while_a_file_system_hangs_in_the_scan()
{
        env SYNCHRONIZATION_PERIOD 1 && fuse && echo a >"$SRC/a" && start && within 20 equal &&
                kill -STOP $FUSE && sleep 2.5 && ends_in_time
        log 'something does not answer'
        kill -CONT $FUSE && echo b >"$SRC/b" && once && same
        want "nothing was removed" [ "$(count delete)" = 0 ]
}

scenario_sigterm_while_a_file_cannot_be_read()
{
        env SYNCHRONIZATION_PERIOD 1 && knob '{"put_bps":1000000}' && fuse && mib 8 >"$SRC/big" && start &&
                within 20 eval '[ "$(count parallel_put)" = 1 ]' && kill -STOP $FUSE && sleep 1 &&
                ends_in_time
        kill -CONT $FUSE && knob '{"put_bps":0}' && once && same
}

# Every flush of the snapshot takes a fifth of a second: slower, and otherwise the same.
scenario_slow_disk_of_the_state()
{
        traced -e trace=fsync,fdatasync -e inject=fsync,fdatasync:delay_exit=200000 && some_files && start &&
                within 60 equal && echo b >"$SRC/b" && ends_in_time && WRAP='' && once && same
}

scenario_stopped_and_continued_in_mid_upload()
{
        local i
        env SYNCHRONIZATION_PERIOD 1 && knob '{"put_bps":1500000}' && mib 4 >"$SRC/f" && mib 3 >"$SRC/g.zip" && start &&
                within 20 eval '[ "$(count parallel_put)" = 2 ]'
        for i in 1 2 3; do
                kill -STOP "$DAEMON" && sleep 1 && kill -CONT "$DAEMON" && sleep 0.3
        done
        within 40 equal && stop
        want "each was sent once" [ "$(count put)" = 2 ]
}

# ---- clocks -----------------------------------------------------------------------------------------

# The period counts the time that the machine sleeps: the scan that was due comes at once.
scenario_period_goes_on_while_the_machine_sleeps()
{
        env SYNCHRONIZATION_PERIOD 1234s && traced -e trace=timerfd_create,timerfd_settime && start &&
                within 20 grep -q 'tv_sec=1234,' "$T/trace"
        want "by the clock that goes on" grep -q 'timerfd_create(CLOCK_BOOTTIME' "$T/trace"
        want "relative to now" grep -qE 'timerfd_settime\([0-9]+, 0, .*tv_sec=1234,' "$T/trace"
        stop
}

# jumping: the daemon's wall clock is what $T/clock says, its other clocks are not touched.
jumping()
{
        local lib
        lib=$(find /usr/lib -name libfaketimeMT.so.1 2>/dev/null | head -n 1)
        [ -n "$lib" ] || skip "faketime is not there"
        date '+@%Y-%m-%d %H:%M:%S' >"$T/clock"
        # The sanitizer's library has to come first of all, and must not ask for the time itself.
        lib="$(ldd "$YDSYNC" | sed -n 's/.*=> \(.*libasan[^ ]*\).*/\1/p'):$lib"
        WRAP="/usr/bin/env LD_PRELOAD=${lib#:} FAKETIME_TIMESTAMP_FILE=$T/clock FAKETIME_NO_CACHE=1
                FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1"
        ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0:allocator_release_to_os_interval_ms=-1
}

# The wall clock jumps while the daemon runs; each change is found within the period all the same,
# and there are no more passes than there would have been.
scenario_wall_clock_jumps()
{
        local when n=0
        env SYNCHRONIZATION_PERIOD 2 && env YDSYNC_SETTLE 1s && env YDSYNC_LOG_LEVEL debug && jumping &&
                echo 0 >"$SRC/f" && start && within 30 equal
        for when in '+1 hour' '-1 hour' '+10 years' '1970-01-01 00:00:07' now; do
                date -d "$when" '+@%Y-%m-%d %H:%M:%S' >"$T/clock"
                n=$((n + 1)) && echo $n >"$SRC/f" && echo $n >"$SRC/$n"
                within 30 equal
        done
        n=$(grep -c 'debug: scan:' "$T/log") && sleep 6.5
        n=$(($(grep -c 'debug: scan:' "$T/log") - n))
        want "a scan every two seconds: $n" [ $n -ge 1 ] && want "and not more: $n" [ $n -le 4 ]
        want "sent once each: $(count put)" [ "$(count put)" = 11 ]
        want "nothing was removed" [ "$(count delete)" = 0 ]
        stop
}

scenario_clock_of_1970_at_the_start()
{
        jumping && echo '@1970-01-01 00:00:10' >"$T/clock" && some_files && once && same
        echo '@1970-01-01 00:10:00' >"$T/clock" && mark && once && want "quiet" [ "$(calls)" = 0 ]
        date '+@%Y-%m-%d %H:%M:%S' >"$T/clock" && echo x >"$SRC/1" && once && same
}

# A machine that has been up for eighty years.
scenario_steady_clocks_that_are_far_on()
{
        needs_mounts && env SYNCHRONIZATION_PERIOD 1
        unshare --time --fork true 2>/dev/null || skip "no time namespace can be had"
        WRAP="unshare --time --monotonic 2500000000 --boottime 2500000000" && echo a >"$SRC/a" && start &&
                within 30 equal && fault '{"on":"link","times":1,"do":{"status":500}}' && echo b >"$SRC/b" &&
                within 30 equal && stop
}

# ---- the service manager --------------------------------------------------------------------------

# hear SOCKET: what is sent there goes into $T/heard.
hear()
{
        "$TOOLS/hear" "$1" "$T/heard" &
        HEAR=$!
        within 10 [ -e "$T/heard" ]
        sleep 0.2
}

scenario_service_manager_is_told()
{
        local socket
        for socket in "$T/notify" "@ydsync-scenario-$$"; do
                hear "$socket" && echo "$socket" >"$SRC/f" && NOTIFY_SOCKET=$socket start &&
                        within 20 equal && within 20 grep -q 'STATUS=everything is mirrored' "$T/heard" && stop
                want "ready" grep -qx READY=1 "$T/heard"
                want "stopping" grep -qx STOPPING=1 "$T/heard"
                kill $HEAR && rm "$T/heard"
        done
}

scenario_no_service_manager()
{
        local socket
        for socket in "$T/nobody" @nobody-$$ /nonexistent/socket garbage ''; do
                echo "$socket" >"$SRC/f" && NOTIFY_SOCKET=$socket once && same
        done
        NOTIFY_SOCKET=$T/nobody WATCHDOG_USEC=1000000 WATCHDOG_PID=1 start && sleep 1.5 && stop
}
