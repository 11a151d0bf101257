# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2016,SC2119,SC2120,SC2034
# What concerns the whole account: a service that does not work, a full Disk, a refused token.

# fast N: the daemon's clocks run N times as fast, so that minutes of patience pass in seconds
fast()
{
        local lib
        lib=$(find /usr/lib -path '*/faketime/libfaketimeMT.so.1' 2>/dev/null | head -n 1)
        [ -n "$lib" ] || {
                echo "faketime is not here"
                exit 77
        }
        # Not by faketime(1), which stays between us and the signals we send.
        cat >"$T/fast" <<END
#!/bin/sh
export FAKETIME="+0 x$1" LD_PRELOAD=$lib ASAN_OPTIONS="\$ASAN_OPTIONS:verify_asan_link_order=0"
exec "\$@"
END
        chmod +x "$T/fast"
        WRAP="$T/fast${WRAP:+ $WRAP}"
}

many_files()
{
        mkdir "$SRC/d" && for i in $(seq 15); do echo "$i" >"$SRC/$i.txt" && echo "d $i" >"$SRC/d/$i.txt"; done
}

# per_minute SPEED: API requests in each minute since the first, as the daemon counts minutes
per_minute()
{
        fake journal | jq -rs --argjson m $((60000 / $1)) 'map(select(.origin=="api") | .t_ms) |
                . as $t | map((. - $t[0]) / $m | floor) | group_by(.) | map(length) | join(" ")'
}

# storm FAULT…: nothing works for some minutes, then everything does
storm()
{
        local n minutes first=1 cpu from=$SECONDS
        echo first >"$SRC/first" && once && fake "reset?what=journal" -d '' >/dev/null
        many_files && fast 40
        for f in "$@"; do fault "$f"; done
        start && sleep 9 && minutes=$(per_minute 40)
        cpu=$(cut -d' ' -f14,15 "/proc/$DAEMON/stat" | tr ' ' '+')
        for n in $minutes; do
                want "at most ten requests a minute: $minutes" [ "$n" -le $((first ? 18 : 10)) ]
                first=0
        done
        want "it goes on trying: $minutes" [ "$(wc -w <<<"$minutes")" -ge 4 ]
        want "not busy: $((cpu)) ticks" [ $((cpu)) -le 250 ]
        fake fault -X DELETE >/dev/null && within 30 equal && stop
        want "said when it began, and not each time" [ "$(grep -cE 'WARN|ERR|warning|error' "$T/log")" -le 3 ]
        echo "# requests in each minute: $minutes"
}

scenario_storm_500()
{
        storm '{"on":"any","times":-1,"do":{"status":500,"error":"InternalServerError"}}'
        log 'the service has trouble \(HTTP 500'
        log 'the service works again'
}

scenario_storm_429()
{
        storm '{"on":"any","times":-1,"do":{"status":429,"error":"TooManyRequestsError"}}'
        log 'too many requests'
}

scenario_storm_reset()
{
        storm '{"on":"any","times":-1,"do":{"reset":"before"}}'
        log 'the service works again'
}

scenario_storm_captive_portal()
{
        storm '{"on":"any","times":-1,"do":{"status":302,"type":"text/html","body":"<html>","headers":{"Location":"http://127.0.0.1:9/login"}}}'
}

scenario_storm_200_page()
{
        storm '{"on":"any","times":-1,"do":{"status":200,"type":"text/html","body":"<html>log in"}}'
}

scenario_storm_from_the_first_request()
{
        fault '{"on":"any","times":-1,"do":{"status":503,"body":""}}'
        many_files && fast 40 && start && sleep 6 && for n in $(per_minute 40); do
                want "at most ten requests a minute: $(per_minute 40)" [ "$n" -le 10 ]
        done
        fake fault -X DELETE >/dev/null && within 30 equal && stop
        want "not said each time" [ "$(grep -cE '^(warning|error)' "$T/log")" -le 3 ]
}

# The Disk is read-only: what only reads still works, and must not pass for an end of it.
scenario_storm_read_only()
{
        local n
        echo first >"$SRC/first" && echo second >"$SRC/second" && once && many_files && echo longer >"$SRC/first"
        rm "$SRC/second"
        knob '{"readonly":true}' && fake "reset?what=journal" -d '' >/dev/null && fast 40 && start && sleep 6
        for n in $(per_minute 40); do
                want "few requests: $(per_minute 40)" [ "$n" -le 22 ]
        done
        want "few in the last: $n" [ "$n" -le 10 ]
        log 'the Disk is read-only for now'
        knob '{"readonly":false}' && within 30 equal && stop
        want "said when it began, and not each time" [ "$(grep -cE '^(warning|error)' "$T/log")" -le 3 ]
}

# What is sent arrives nowhere, though links are given: removals and folders go on.
scenario_storm_uploads_only()
{
        echo gone >"$SRC/gone" && once && many_files && rm "$SRC/gone" && mkdir "$SRC/e"
        fault '{"on":"put","times":-1,"do":{"status":503,"body":""}}'
        fake "reset?what=journal" -d '' >/dev/null && fast 40 && start && sleep 6
        # What was sent is looked for: its answer might be the only thing that was lost.
        for n in $(per_minute 40 | cut -d' ' -f2-); do
                want "few requests: $(per_minute 40)" [ "$n" -le 16 ]
        done
        want "folders are made" cloud_file e
        within 30 eval '! cloud_file gone'
        log 'uploads do not get through \(HTTP 503\)'
        fake fault -X DELETE >/dev/null && within 30 equal && stop
        log 'uploads get through again'
}

# Every second request is refused: slow, but it gets on.
scenario_storm_429_half()
{
        many_files && fault '{"on":"list|link|mkdir","probability":0.5,"times":-1,"do":{"status":429,"error":"TooManyRequestsError"}}' &&
                fast 40 && start && within 60 equal && stop
        want "said once or twice" [ "$(grep -c 'too many requests' "$T/log")" -le 3 ]
}

# One file that alone goes wrong keeps no other waiting.
scenario_one_poison_file()
{
        env SYNCHRONIZATION_PERIOD 1 && echo bad >"$SRC/poison" && echo good >"$SRC/good" &&
                fault '{"on":"link|put","path":"/poison","times":-1,"do":{"status":500,"error":"InternalServerError"}}' &&
                start && within 10 cloud_file good
        for i in 1 2 3 4; do
                # Not while the poison's own tries hold the pass.
                echo "$i" >"$SRC/more$i"
        done
        fake fault -X DELETE >/dev/null && within 40 equal && stop
        nolog 'the service has trouble .*trying again'
        nolog 'stopped'
}

scenario_retry_after()
{
        local value ask=0
        many_files && once && fast 60 && start && sleep 1
        for value in '"120"' '"Wed, 21 Oct 2015 07:28:00 GMT"' '"-1"' '"soon"'; do
                ask=$((ask + 1))
                fault '{"on":"mkdir","times":1,"do":{"status":429,"error":"TooManyRequestsError","headers":{"Retry-After":'"$value"'}}}'
                mkdir "$SRC/new$ask" && within 20 cloud_file "new$ask"
        done
        stop
        want "two minutes were kept" [ "$(fake journal | jq -rs 'map(select(.path=="disk:/Backup/Docs/new1") | .t_ms) | .[1] - .[0]')" -ge 1990 ]
}

scenario_retry_after_absurd()
{
        local at
        many_files && once && fast 1800 && start && sleep 1
        fault '{"on":"mkdir","times":1,"do":{"status":503,"headers":{"Retry-After":"1000000000"}}}'
        mkdir "$SRC/new" && within 20 cloud_file new && stop
}
