# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2016,SC2119,SC2120,SC2034
# What concerns the whole account: a service that does not work, a full Disk, a refused token.

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

# The Disk is full: uploads pause, removals and folders go on, and finding out costs no file.
scenario_quota_pause()
{
        mkdir "$SRC/gone" && echo x >"$SRC/gone/x" && once && mib 3 >"$SRC/big.txt" && mib 2 >"$SRC/big2.zip" &&
                knob '{"quota":1000000}' && fake "reset?what=journal" -d '' >/dev/null
        fast 30 && start && within 20 grep -q 'uploads are paused' "$T/log" && rm -r "$SRC/gone" &&
                mkdir "$SRC/new" && echo small >"$SRC/small" && sleep 12
        log 'uploads are paused: the Disk is full .*next try in 1 min|uploads are paused: the Disk is full .*next try in 60 s'
        want "said once" [ "$(grep -c 'paused' "$T/log")" = 1 ]
        want "removals went on" [ -z "$(cloud_file gone)" ]
        want "folders too" cloud_file new
        want "what fits is sent" cloud_file small
        want "each large file was sent once at most: $(count put)" [ "$(count put)" -le 3 ]
        want "the room was asked for: $(count disk)" [ "$(count disk)" -ge 2 ]
        want "ever more rarely: $(count disk)" [ "$(count disk)" -le 5 ]
        knob '{"quota":10737418240}' && within 60 equal && within 60 grep -q 'uploads go on again' "$T/log" &&
                stop
        want "no wire name is left" [ "$(cloud_tree | grep -c ydsync-upload-)" = 0 ]
}

# Trashed bytes count as used: a removal alone makes no room.
scenario_quota_trash_counts()
{
        mib 1 >"$SRC/old" && once && knob '{"quota":1600000}' && rm "$SRC/old" && mib 1 >"$SRC/new" && once 75
        log 'uploads are paused'
        fake "reset?what=journal" -d '' >/dev/null && once 75
        want "the next start does not send it again to see" [ "$(count put)" = 0 ]
        log 'uploads are still paused'
        fake "reset?what=journal" -d '' >/dev/null && env YANDEX_TOKEN fake-token && fake count >/dev/null
        curl -sf -X DELETE -H 'Authorization: OAuth fake-token' "$API/v1/disk/trash/resources" >/dev/null
        fast 60 && start && within 30 equal && stop
}

# An account that holds more than it has room for: every link is refused with 403.
scenario_over_quota_403()
{
        echo 1 >"$SRC/1" && echo 2 >"$SRC/2" && mib 1 >"$SRC/3" && once && knob '{"quota":1000}' &&
                for i in $(seq 30); do echo "$i" >"$SRC/n$i"; done
        fault '{"on":"link","times":-1,"do":{"status":403,"error":"ForbiddenError"}}' && mkdir "$SRC/d" && once 75
        log 'uploads are paused: the account holds more than it has room for'
        want "folders are made" cloud_file d
        want "few links: $(count link)" [ "$(count link)" -le $((3 + 8)) ]
}

# No upload allowance: one tries after an hour, and all follow when it gets through.
scenario_allowance_pause()
{
        echo a >"$SRC/a" && once && for i in $(seq 12); do echo "$i" >"$SRC/$i"; done
        fault '{"on":"link","times":-1,"do":{"status":423,"error":"DiskUploadTrafficLimitExceeded"}}'
        fake "reset?what=journal" -d '' >/dev/null && fast 600 && start && within 20 grep -q paused "$T/log"
        sleep 2 && local first
        first=$(count link)
        want "those under way: $first" [ "$first" -le 8 ]
        sleep 14 # more than two hours
        want "one tried: $(count link)" [ "$(count link)" -ge $((first + 1)) ]
        want "and not many: $(count link)" [ "$(count link)" -le $((first + 2)) ]
        rm "$SRC/a" && within 20 eval '! cloud_file a'
        fake fault -X DELETE >/dev/null && within 60 equal && stop
        want "said once" [ "$(grep -c 'are paused' "$T/log")" = 1 ]
        log 'uploads go on again'
}

# What is too large is parked with its reason, and not sent in whole to learn that again.
scenario_too_large_is_parked()
{
        knob '{"max_file_size":1000000}' && mib 2 >"$SRC/big.txt" && echo a >"$SRC/small" && fast 60 && start &&
                within 20 cloud_file small && within 20 grep -qE 'larger than the account allows \(at most 1.0 MB\)' "$T/log"
        echo more >>"$SRC/big.txt" && sleep 4
        want "sent once: $(count put)" [ "$(count put)" = 2 ]
        knob '{"max_file_size":10000000}' && echo more >>"$SRC/big.txt" && within 60 equal && stop
        want "said: $(grep -c larger "$T/log")" [ "$(grep -c larger "$T/log")" -le 2 ]
}

# What never arrives as it was sent is sent ever more rarely.
scenario_always_stored_wrong()
{
        echo abcdef >"$SRC/f" && fast 30 && fault '{"on":"put","times":-1,"do":{"corrupt":true}}' && start && sleep 15
        want "sent $(count put) times in seven minutes" [ "$(count put)" -ge 3 ]
        want "and not more: $(count put)" [ "$(count put)" -le 7 ]
        log 'not in the cloud as it was sent; next try in'
        fake fault -X DELETE >/dev/null && within 60 equal && stop
}

scenario_failing_path_is_named_with_its_next_try()
{
        echo bad >"$SRC/poison" && echo good >"$SRC/good" && fast 60 &&
                fault '{"on":"link","path":"/poison","times":-1,"do":{"status":400,"error":"FieldValidationError"}}' &&
                start && within 20 cloud_file good && sleep 10
        log 'cannot upload poison: the service refuses the request \(HTTP 400.*; next try in 15 min, or when it changes'
        want "said once" [ "$(grep -c poison "$T/log")" = 1 ]
        fake fault -X DELETE >/dev/null && echo better >"$SRC/poison" && within 30 equal && stop
}

# after_401: requests that began after the first refusal was answered
after_401()
{
        fake journal | jq -s 'map(select(.origin=="api")) |
                (map(select(.status==401) | .t_ms + .ms) | min) as $over |
                map(select(.t_ms > $over + 20)) | length'
}

# Refused in the middle of many transfers: nothing more is asked, and what is being sent is dropped.
scenario_token_refused_in_mid_transfer()
{
        local from
        many_files && mib 8 >"$SRC/0.txt" && mib 8 >"$SRC/0.zip" && knob '{"put_bps":200000}' &&
                env YDSYNC_API_RATE 5 && start && within 20 eval '[ "$(count link)" -ge 6 ]' && knob '{"token_expired":true}' && from=$SECONDS
        within 20 eval '! kill -0 "$DAEMON"'
        wait "$DAEMON"
        want "77" [ $? = 77 ]
        DAEMON=
        want "at once" [ $((SECONDS - from)) -le 15 ]
        want "nothing was asked after that: $(after_401)" [ "$(after_401)" = 0 ]
        want "said once" [ "$(grep -c 'token is not accepted' "$T/log")" = 1 ]
        want "in one line" [ "$(grep -cE '^(error|warning)' "$T/log")" = 1 ]
        knob '{"token_expired":false,"put_bps":0}' && once && same
        want "no wire name is left" [ "$(cloud_tree | grep -c ydsync-upload-)" = 0 ]
}

# The token is in no place where others look: log, arguments, environment, state, and no core is left.
scenario_token_is_nowhere()
{
        local secret="y0_s3cr3t$RANDOM$RANDOM"
        fake "token?add=$secret&life_s=3600" -d '' >/dev/null
        env YANDEX_TOKEN "$secret" && env YDSYNC_LOG_LEVEL debug && some_files &&
                fault '{"on":"any","every":7,"times":3,"do":{"status":500}}' &&
                fault '{"on":"any","every":9,"times":2,"do":{"reset":"after"}}' && start && within 30 equal
        want "not an argument" [ "$(tr '\0' '\n' <"/proc/$DAEMON/cmdline" | grep -c "$secret")" = 0 ]
        want "not in the environment" [ "$(tr '\0' '\n' <"/proc/$DAEMON/environ" | grep -c "$secret")" = 0 ]
        want "no core" [ "$(awk '/Max core file size/ { print $5 + $6 }' "/proc/$DAEMON/limits")" = 0 ]
        want "nor memory in one" [ "$(cat "/proc/$DAEMON/coredump_filter")" = 00000000 ]
        stop
        want "not in the log" [ "$(grep -c "$secret" "$T/log")" = 0 ]
        want "not in the state" [ "$(grep -rac "$secret" "$T/state" | grep -vc ':0$')" = 0 ]
        want "not to the upload host" [ "$(fake journal | jq -c 'select(.origin=="uploader" and .auth)' | wc -l)" = 0 ]
}

# A redirect is not followed, with or without the token, wherever it leads.
scenario_redirects_are_not_followed()
{
        local code other
        printf '%s' 'HTTP/1.1 200 OK' >"$T/page"
        "$TOOLS/../fakedisk/fakedisk" --die-with-parent --ready-file "$T/ready2" >"$T/fake2" 2>&1 &
        within 10 test -s "$T/ready2"
        other=$(sed -n 's/^READY api=\([^ ]*\).*/\1/p' "$T/ready2")
        echo a >"$SRC/a" && once && fast 20
        for code in 301 302 303 307 308; do
                echo "$code" >"$SRC/$code"
                fault '{"on":"link","times":2,"do":{"status":'$code',"headers":{"Location":"'"$other"'/v1/disk"},"body":""}}'
                fault '{"on":"put","times":1,"do":{"status":'$code',"headers":{"Location":"'"$other"'/x"},"body":""}}'
                once
        done
        same
        want "nobody came there" [ "$(curl -sf "$other/_fake/count" | jq .total)" = 0 ]
}
