# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2016,SC2119,SC2120,SC2034
# The .env is edited while the daemon runs.

# said PATTERN: the log will have such a line, after the last `forget`
said()
{
        within 30 eval "tail -c +$((${FROM:-0} + 1)) \"\$T/log\" | grep -aqE -- '$1'"
}

forget()
{
        FROM=$(stat -c %s "$T/log")
}

# told PATTERN: the same of what the service manager is told;  forget_told
told()
{
        within 30 eval "tail -c +$((${TOLD:-0} + 1)) \"\$T/heard\" | grep -aqE -- '$1'"
}

forget_told()
{
        TOLD=$(stat -c %s "$T/heard")
}

# idle: no pass is under way
idle()
{
        within 30 eval '"$YDSYNC" --env "$T/env" status --json | jq -e ".state == \"idle\""'
}

# changed KEY…: said to be in force
changed()
{
        said "another configuration is in force: ${*// /, }\$"
}

# begin_with KEY VALUE…: a daemon that has mirrored a file
begin_with()
{
        while [ $# -gt 0 ]; do
                env "$1" "$2"
                shift 2
        done
        echo one >"$SRC/one" && start && within 30 equal
}

# deletes: how many requests have removed something
deletes()
{
        count delete
}

scenario_reload_another_folder()
{
        begin_with SYNCHRONIZATION_PERIOD 1h && mkdir "$T/other" && echo two >"$T/other/two" &&
                env PATH_TO_FOLDER_ON_PC "$T/other" && changed PATH_TO_FOLDER_ON_PC &&
                within 30 cloud_has "$(cd "$T/other" && "$TOOLS/treesum" .)" &&
                want "what the first one had stays" cloud_file one >/dev/null &&
                want "nothing was removed" [ "$(deletes)" = 0 ]
        # From now on it is this one that is mirrored.
        rm "$T/other/two" && kill -HUP "$DAEMON" && within 30 eval '! cloud_file two' && stop &&
                want "the other one's file stays" cloud_file one >/dev/null
}

scenario_reload_another_cloud_folder()
{
        begin_with SYNCHRONIZATION_PERIOD 1h && env NAME_FOLDER_CLOUD Backup/Other &&
                changed NAME_FOLDER_CLOUD && CLOUD=disk:/Backup/Other && within 30 equal && stop &&
                want "nothing was removed" [ "$(deletes)" = 0 ] && CLOUD=disk:/Backup/Docs && same
}

scenario_reload_period_log_and_level()
{
        begin_with SYNCHRONIZATION_PERIOD 1h && echo b >"$SRC/b" && env SYNCHRONIZATION_PERIOD 200ms &&
                changed SYNCHRONIZATION_PERIOD && within 30 equal && mkdir "$T/logs" &&
                env PATH_FILE_LOG "$T/logs" && changed PATH_FILE_LOG && echo c >"$SRC/c" &&
                within 30 grep -q 'uploaded c' "$T/logs/ydsync.log" && nolog 'scan: ' &&
                env YDSYNC_LOG_LEVEL debug && said 'scan: ' && env YDSYNC_LOG_LEVEL error &&
                env PATH_FILE_LOG '' && within 30 eval '! ls -l /proc/$DAEMON/fd | grep -q ydsync.log' &&
                stop && want "one transfer a file" [ "$(count put)" = 3 ]
}

# Limits are for the pass under way, and what it sends goes on.
scenario_reload_limits()
{
        env YDSYNC_UPLOAD_RATE 1K && env SYNCHRONIZATION_PERIOD 1h && mib 1 >"$SRC/large" && start &&
                within 30 eval '[ "$(count parallel_put)" = 1 ]' && env YDSYNC_UPLOAD_RATE 0 &&
                changed YDSYNC_UPLOAD_RATE && within 30 equal &&
                want "it was sent once" [ "$(count put)" = 1 ]
        knob '{"put_bps":2000}' && env YDSYNC_PARALLEL 1 && changed YDSYNC_PARALLEL &&
                mkdir "$T/d" && for i in 1 2 3 4 5 6; do head -c 40000 /dev/urandom >"$T/d/$i"; done &&
                mv "$T/d" "$SRC/d" && kill -HUP "$DAEMON" && within 30 eval '[ "$(count parallel_put)" = 1 ]' &&
                want "one at a time" [ "$(count max_parallel_put)" = 1 ] && env YDSYNC_PARALLEL 4 &&
                within 30 eval '[ "$(count parallel_put)" = 4 ]' && stop
}

scenario_reload_api_rate()
{
        env YDSYNC_API_RATE 1 && for i in $(seq 60); do echo "$i" >"$SRC/$i"; done && start &&
                within 30 eval '[ "$(count link)" -ge 1 ]' && env YDSYNC_API_RATE 0 &&
                changed YDSYNC_API_RATE && within 30 equal && stop
}

# What a pass is made of: it ends, and begins anew.
scenario_reload_what_is_mirrored()
{
        echo tmp >"$SRC/a.tmp" && echo linked >"$SRC/target" && ln -s target "$SRC/link"
        env YDSYNC_EXCLUDE '*.tmp' && env SYNCHRONIZATION_PERIOD 1h && start &&
                within 30 cloud_file target >/dev/null && env YDSYNC_EXCLUDE , && changed YDSYNC_EXCLUDE &&
                within 30 cloud_file a.tmp >/dev/null && env YDSYNC_SYMLINKS follow &&
                changed YDSYNC_SYMLINKS && within 30 cloud_file link >/dev/null &&
                env YDSYNC_SETTLE 1h && changed YDSYNC_SETTLE && echo young >"$SRC/young" &&
                kill -HUP "$DAEMON" && said 'asked to look' && sleep 0.5 &&
                want "it waits" eval '! cloud_file young' && env YDSYNC_SETTLE 0 &&
                within 30 cloud_file young >/dev/null && stop
}

scenario_reload_what_is_removed()
{
        for i in 1 2 3 4; do echo "$i" >"$SRC/$i"; done
        begin_with SYNCHRONIZATION_PERIOD 1h && env YDSYNC_DELETE never && changed YDSYNC_DELETE &&
                rm "$SRC/1" && echo 5 >"$SRC/5" && kill -HUP "$DAEMON" &&
                within 30 cloud_file 5 >/dev/null && idle && cloud_file 1 >/dev/null &&
                forget && env YDSYNC_DELETE permanent && changed YDSYNC_DELETE &&
                within 30 eval '! cloud_file 1' && env YDSYNC_MAX_DELETE 0/0% &&
                changed YDSYNC_MAX_DELETE && rm "$SRC/2" && kill -HUP "$DAEMON" &&
                said 'ydsync approve' && cloud_file 2 >/dev/null && env YDSYNC_MAX_DELETE 100/10% &&
                within 30 eval '! cloud_file 2' && stop &&
                want "for good" eval '! fake trash.txt | grep -q /2'
}

scenario_reload_how_it_is_sent()
{
        begin_with SYNCHRONIZATION_PERIOD 1h YDSYNC_DISGUISE never YDSYNC_VERIFY off &&
                env YDSYNC_DISGUISE always && changed YDSYNC_DISGUISE && mib 1 >"$SRC/a" &&
                kill -HUP "$DAEMON" && within 30 equal &&
                fake journal | jq -r .path | grep -q ydsync-upload- && mark && env YDSYNC_VERIFY each &&
                changed YDSYNC_VERIFY && echo b >"$SRC/b" && kill -HUP "$DAEMON" && within 30 equal &&
                env YDSYNC_AUDIT_PERIOD 1s && env SYNCHRONIZATION_PERIOD 300ms &&
                cloud_put one theirs && within 30 equal && stop
}

# The service, whose account it is, and where we keep our notes.
scenario_reload_service_account_and_state()
{
        begin_with SYNCHRONIZATION_PERIOD 300ms && env YDSYNC_OAUTH_URL http://127.0.0.1:1 &&
                changed YDSYNC_OAUTH_URL && fake "token?add=other" -d '' >/dev/null &&
                env YANDEX_TOKEN other && changed YANDEX_TOKEN && env YDSYNC_STATE_DIR "$T/elsewhere" &&
                changed YDSYNC_STATE_DIR && within 30 [ -e "$T/elsewhere/state.db" ] && echo c >"$SRC/c" &&
                within 30 equal && "$YDSYNC" --env "$T/env" status | grep -q "folder .*$SRC" &&
                want "nothing was sent twice" [ "$(count put)" = 2 ] &&
                want "nothing was removed" [ "$(deletes)" = 0 ] &&
                env YDSYNC_API_URL http://127.0.0.1:1 && changed YDSYNC_API_URL && echo d >"$SRC/d" &&
                said 'cannot be reached|connect' && env YDSYNC_API_URL "$API" && within 30 equal && stop
        nolog 'fake-token|other[^"]*token'
}

# Each is named with its line; the rest of the edit does not count either.
scenario_reload_with_mistakes()
{
        local line
        begin_with SYNCHRONIZATION_PERIOD 300ms
        mv "$T/env" "$T/env.good"
        while IFS='|' read -r line text; do
                forget && (umask 077 && printf '\nYDSYNC_UPLOAD_RATE=1G\n%s\n' "$line" &&
                        grep -v "^${line%%=*}=" "$T/env.good") >"$T/env.bad" &&
                        mv "$T/env.bad" "$T/env" && said "$T/env:3: $text" &&
                        said 'the configuration stays as it was'
                echo "$line" >"$SRC/f" && within 30 equal
        done <<END
SYNCHRONIZATION_PERIOD=soon|SYNCHRONIZATION_PERIOD: .*soon
YDSYNC_PARALLEL=900|YDSYNC_PARALLEL: .*900
NAME_FOLDER_CLOUD="open|NAME_FOLDER_CLOUD: .*is not closed
PATH_TO_FOLDER_ON_PC=$T/nowhere|PATH_TO_FOLDER_ON_PC: .*nowhere is not there
PATH_TO_FOLDER_ON_PC=$T/env|PATH_TO_FOLDER_ON_PC: .*is not a folder
PATH_FILE_LOG=$T/nowhere|PATH_FILE_LOG: .*nowhere
YDSYNC_STATE_DIR=/proc/state|YDSYNC_STATE_DIR: .*/proc
END
        cp -p "$T/env.good" "$T/env" && said 'right again, and as before' && nolog 'in force' && stop
}

# A folder that comes later is taken when it comes.
scenario_reload_waits_for_the_folder()
{
        begin_with SYNCHRONIZATION_PERIOD 300ms && env PATH_TO_FOLDER_ON_PC "$T/later" &&
                said 'later is not there' && echo b >"$SRC/b" && within 30 cloud_file b >/dev/null &&
                mkdir "$T/later" && echo x >"$T/later/x" && changed PATH_TO_FOLDER_ON_PC &&
                within 30 cloud_file x >/dev/null && stop &&
                want "said once" [ "$(grep -c 'later is not there' "$T/log")" = 1 ]
}

# A file that is open for writing is not read, however much of it makes sense already.
scenario_reload_half_written()
{
        mkdir "$T/other" && begin_with SYNCHRONIZATION_PERIOD 300ms
        cp "$T/env" "$T/env.whole"
        exec 9>"$T/env" && sed "s|^PATH_TO.*|PATH_TO_FOLDER_ON_PC=$T/other|" "$T/env.whole" |
                grep -v YDSYNC_SETTLE >&9
        for i in 1 2; do echo "$i" >"$SRC/$i" && within 30 equal; done
        nolog 'in force|stays as it was' && echo "YDSYNC_PARALLEL=2" >&9 && exec 9>&- &&
                said 'in force: PATH_TO_FOLDER_ON_PC, YDSYNC_PARALLEL, YDSYNC_SETTLE$' && stop
}

# Taken away and put back, as editors do; through a link; in a folder that is made anew.
scenario_reload_however_it_is_written()
{
        begin_with SYNCHRONIZATION_PERIOD 300ms && mv "$T/env" "$T/env~" &&
                (umask 077 && (cat "$T/env~" && echo YDSYNC_PARALLEL=1) >"$T/env") &&
                changed YDSYNC_PARALLEL && stop
        mkdir "$T/a" && mv "$T/env" "$T/a/real" && ln -s a/real "$T/env" && start && idle &&
                echo YDSYNC_VERIFY=each >>"$T/a/real" && changed YDSYNC_VERIFY && mv "$T/a" "$T/b" &&
                mkdir "$T/a" && (umask 077 && (cat "$T/b/real" && echo YDSYNC_UPLOAD_RATE=1G) \
                >"$T/a/real") && changed YDSYNC_UPLOAD_RATE && echo YDSYNC_DISGUISE=never >>"$T/a/real" &&
                changed YDSYNC_DISGUISE && chmod 644 "$T/a/real" && said 'it holds the token, .*chmod 600' &&
                rm "$T/env" && said 'there is no such file' && echo b >"$SRC/b" && within 30 equal && stop
}

# What is being sent to the old place is given up, and leaves nothing behind.
scenario_reload_in_mid_transfer()
{
        mkdir "$T/other" && echo two >"$T/other/two" && knob '{"put_bps":100000}' &&
                mib 4 >"$SRC/large.zip" && start && within 30 eval '[ "$(count parallel_put)" = 1 ]' &&
                env PATH_TO_FOLDER_ON_PC "$T/other" && changed PATH_TO_FOLDER_ON_PC &&
                within 30 cloud_file two >/dev/null && knob '{"put_bps":0}' &&
                want "the large one is not there" eval '! cloud_file large.zip' && stop
        SRC=$T/other && once && same
}

scenario_reload_is_told_to_the_service_manager()
{
        hear "$T/notify" && begin_with SYNCHRONIZATION_PERIOD 1h
        stop && NOTIFY_SOCKET=$T/notify WATCHDOG_USEC=400000 start && told '^READY=1$' &&
                forget_told && echo b >"$SRC/b" && kill -HUP "$DAEMON" && told '^READY=1$' &&
                within 30 equal && told '^STATUS=everything is mirrored: 2 files in '
        want "both in one, and before that it is ready" eval 'grep -aA1 "^RELOADING=1$" "$T/heard" |
                grep -q "^MONOTONIC_USEC=[0-9]"'
        within 30 eval '[ "$(grep -ac WATCHDOG=1 "$T/heard")" -ge 3 ]' && stop && kill "$HEAR"
}

# A thread that hangs on a disk is no reason to be shot: the loop turns.
scenario_watchdog_is_fed_while_a_disk_hangs()
{
        fuse && hear "$T/notify" && echo a >"$T/back/a"
        NOTIFY_SOCKET=$T/notify WATCHDOG_USEC=400000 SYNCHRONIZATION_PERIOD=200ms start && within 30 equal &&
                kill -STOP "$FUSE" && sleep 1 && forget_told &&
                within 30 eval '[ "$(tail -c +$TOLD "$T/heard" | grep -ac WATCHDOG=1)" -ge 5 ]' &&
                kill -CONT "$FUSE" && echo b >"$T/back/b" && within 30 equal && stop && kill "$HEAR"
        umount "$SRC"
}
