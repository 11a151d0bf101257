# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2016,SC2119,SC2120,SC2034
# The network between us and the service, broken in each way a network of one's own can be.

# rude MODE: an API without manners, at $API
rude()
{
        "$TOOLS/rude" "$1" >"$T/rude" &
        RUDE=$!
        within 10 test -s "$T/rude"
        API2=http://127.0.0.1:$(head -n 1 "$T/rude")
        env YDSYNC_API_URL "$API2"
}

# met_with MODE PATTERN [SPEED]: a server like that holds nobody for long, fills no memory, and is named
met_with()
{
        local peak
        echo a >"$SRC/a" && fast "${3:-60}" && rude "$1" && start && within 30 grep -qE "$2" "$T/log"
        sleep 3
        peak=$(awk '/VmHWM/ { print $2 }' "/proc/$DAEMON/status")
        want "memory stays flat: $peak kB" [ "$peak" -le 700000 ]
        stop
        want "asked rarely" [ "$(grep -c connection "$T/rude")" -le 40 ]
}

scenario_server_mute()    { met_with mute 'the server fell silent'; }
scenario_server_loris()   { met_with loris 'the server fell silent' 200; }
scenario_server_line()    { met_with line 'the server fell silent'; }
scenario_server_interim() { met_with interim 'the server fell silent'; }
scenario_server_headers() { met_with headers 'longer than any should be|the connection broke'; }
scenario_server_body()    { met_with body 'longer than any should be'; }
scenario_server_half()    { met_with half 'the connection broke'; }
scenario_server_close()   { met_with close 'the connection broke'; }

# A server that takes a byte now and then: given up, although something moves.
scenario_upload_that_trickles()
{
        knob '{"put_bps":1}' && mib 1 >"$SRC/f" && fast 300 && start && within 20 eval '[ "$(count put)" -ge 2 ]'
        knob '{"put_bps":0}' && within 60 equal && stop
}

# The body was taken, and then there is silence: for a minute and a half, in which nothing is sent again.
scenario_put_answered_after_90_seconds()
{
        knob '{"put_pause_ms":3000}' && echo a >"$SRC/f" && mib 1 >"$SRC/g.zip" && fast 30 && once && same
        want "sent once each: $(count put)" [ "$(count put)" = 2 ]
}

# Stored, and the answer never comes.
scenario_put_stored_and_never_answered()
{
        fault '{"on":"put","times":2,"do":{"drop-answer":true}}' && echo a >"$SRC/f" && mib 1 >"$SRC/g.zip" &&
                fast 60 && once && same
        want "sent once each: $(count put)" [ "$(count put)" = 2 ]
}

scenario_put_stored_and_answered_404()
{
        echo a >"$SRC/f" && knob '{"visibility_ms":300}' &&
                fault '{"on":"put","times":1,"do":{"reset":"after"}}' && fast 10 && once && same
        want "sent once: $(count put)" [ "$(count put)" = 1 ]
}

# The new state shows half a minute late: nothing is sent again, nothing is taken for gone.
scenario_everything_shows_half_a_minute_late()
{
        some_files && knob '{"visibility_ms":1000}' && fast 30 && TIMEOUT=90 once && same
        want "nothing was deleted" [ "$(count delete)" = 0 ]
        local sent
        sent=$(count put)
        want "sent once each: $sent" [ "$sent" = 13 ]
        sleep 2 && once && same
        want "nothing more was sent" [ "$(count put)" = "$sent" ]
}

# An operation that takes minutes, then fails, or is forgotten while it is asked for.
scenario_operation_takes_minutes()
{
        mib 1 >"$SRC/f" && knob '{"put_reply":"202","put_commit_ms":1500,"op_polls":20}' && fast 30 && start && within 60 equal && stop
        want "sent once" [ "$(count put)" = 1 ]
}

scenario_operation_vanishes()
{
        mib 1 >"$SRC/f" && mkdir "$SRC/d" && echo 1 >"$SRC/d/1" &&
                knob '{"put_reply":"202","put_commit_ms":200}' &&
                fault '{"on":"operation","times":-1,"do":{"status":404,"error":"DiskOperationNotFoundError"}}' &&
                fast 5 && once && rm -r "$SRC/d" && knob '{"op_ms":500}' && once
        sleep 1 && same
        want "sent once each: $(count put)" [ "$(count put)" = 2 ]
}

scenario_operation_says_success_and_nothing_is_there()
{
        mib 1 >"$SRC/f" && knob '{"put_reply":"202","put_commit_ms":100}' &&
                fault '{"on":"put","times":1,"do":{"forget":true}}' && fast 20 && TIMEOUT=90 once && same
}

# Links that no byte may go to.
scenario_link_that_is_not_safe()
{
        local href n=0
        for href in 'http://example.invalid/x' 'https://127.0.0.1:1/x' 'ftp://127.0.0.1/x' 'file:///etc/passwd' \
                'http://127.0.0.1@example.invalid/x' 'http://10.0.0.1/x' 'http://[::1]:1/x' '' 'x' \
                'http://user:pw@10.1.2.3:80/' 'gopher://127.0.0.1:1/x' 'HTTP://10.0.0.1/x'; do
                n=$((n + 1))
                echo "$n" >"$SRC/f$n" && fake fault -X DELETE >/dev/null
                fault "$(jq -nc --arg h "$href" '{on:"link",times:-1,do:{status:200,json:{href:$h,method:"PUT",templated:false,operation_id:"1"}}}')"
                fast 60 && once 75
                want "nothing was sent to $href" [ "$(count put)" = 0 ]
                rm "$SRC/f$n"
        done
        nolog 'user:pw'
}

# A proxy in the environment: what goes to this machine goes to no proxy; what goes out says what is wrong.
scenario_proxy_in_the_environment()
{
        local secret=y0_pr0xy
        echo a >"$SRC/a" && fake "token?add=$secret&life_s=3600" -d '' >/dev/null && env YANDEX_TOKEN "$secret"
        export http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 ALL_PROXY=http://127.0.0.1:9
        once && unset http_proxy ALL_PROXY
        env YDSYNC_API_URL https://cloud-api.example.invalid && start && within 20 grep -q 'cannot be reached (Failed to connect to 127.0.0.1 port 9' "$T/log"
        stop
        rm "$T/log" && rude close && env YDSYNC_API_URL https://cloud-api.example.invalid && export https_proxy="$API2" && fast 40 && start &&
                within 20 grep -qE 'the connection broke|cannot be reached' "$T/log" && stop
        nolog "$secret"
}

# small files get their turn while large ones are throttled
scenario_small_files_are_not_starved()
{
        for i in 1 2 3 4 5 6 7 8 9 10 11 12; do mib 3 >"$SRC/big$i.zip"; done
        echo small >"$SRC/zz" && knob '{"throttle":true,"throttle_bps":400000}' && env YDSYNC_DISGUISE never &&
                start && within 60 cloud_file zz
        want "before the last of the large ones" [ "$(cloud_tree | grep -c big)" -lt 12 ]
        stop
}

# A listing that is not one: nothing is adopted from it, nothing removed.
scenario_listing_that_lies()
{
        local page
        some_files && once && rm -r "$T/state" && fake "reset?what=journal" -d '' >/dev/null
        for page in '{"type":"dir","_embedded":{"items":[],"total":9,"offset":0,"limit":1000}}' \
                '{"type":"dir","_embedded":{"items":[{"name":"1","type":"dir"},{"name":"1","type":"dir"}],"total":2,"offset":0,"limit":1000}}' \
                '{"type":"dir","_embedded":{"items":[{"name":"../x","type":"dir"}],"total":2,"offset":0,"limit":1000}}' \
                '{"type":"dir","_embedded":{"items":[],"total":1e999,"offset":0,"limit":1000}}' \
                '{"type":"dir","_embedded":{"items":[],"total":0,"offset":500,"limit":1000}}' '[]' '{}' '' 'null'; do
                fault "$(jq -nc --arg p "$page" '{on:"list",times:3,do:{status:200,body:$p}}')"
        done
        fast 30 && start && within 60 equal && stop
        want "nothing was sent again" [ "$(count put)" = 0 ]
        want "nothing was deleted" [ "$(count delete)" = 0 ]
}
