# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2016,SC2119,SC2120,SC2034,SC2015
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

# Stored, and answered as if it were not.
scenario_put_stored_and_answered_with_an_error()
{
        local status n=0
        for status in 500 503 404; do
                n=$((n + 1)) && echo "content $n" >"$SRC/f$n"
                fault "$(jq -nc --arg n "$n" --argjson s $status '{on:"put",times:1,do:{status:$s,body:"",
                        before:[{put:"disk:/Backup/Docs/f\($n)",text:"content \($n)\n"}]}}')"
                once && same
                want "sent once each: $(count put)" [ "$(count put)" = "$n" ]
        done
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

# ---- a network of one's own ------------------------------------------------------------------------

# two_worlds: ydsync in one network namespace, the emulator in another, a cable between them.  What
# goes to 127.0.0.1 in the one arrives at 127.0.0.1 in the other.  Both end with this scenario.
two_worlds()
{
        unshare -n sleep 600 2>/dev/null &
        A=$!
        unshare -n sleep 600 2>/dev/null &
        B=$!
        sleep 0.3
        if ! kill -0 "$A" "$B" 2>/dev/null || ! us ip link add eth0 type veth peer name eth1 2>/dev/null; then
                echo "no network namespaces here"
                exit 77
        fi
        us ip link set eth1 netns "$B" && us ip addr add 198.51.100.1/24 dev eth0 &&
                them ip addr add 198.51.100.2/24 dev eth1 && us ip link set lo up && us ip link set eth0 up &&
                them ip link set lo up && them ip link set eth1 up
        us sysctl -qw net.ipv4.conf.all.route_localnet=1
        them sysctl -qw net.ipv4.conf.all.route_localnet=1
        us iptables -t nat -A OUTPUT -p tcp -d 127.0.0.1 -j DNAT --to-destination 198.51.100.2 &&
                us iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE &&
                them iptables -t nat -A PREROUTING -p tcp -d 198.51.100.2 -j DNAT --to-destination 127.0.0.1 || {
                echo "iptables cannot do it here"
                exit 77
        }
        them "$TOOLS/../fakedisk/fakedisk" --die-with-parent --ready-file "$T/ready2" >/dev/null 2>&1 &
        within 10 test -s "$T/ready2"
        API=$(sed -n 's/^READY api=\([^ ]*\).*/\1/p' "$T/ready2")
        env YDSYNC_API_URL "$API"
        WRAP="nsenter -t $A -n"
}

us()   { nsenter -t "$A" -n "$@"; }
them() { nsenter -t "$B" -n "$@"; }

# Whatever asks the emulator does so from its side.
curl()
{
        if [ -n "${B:-}" ]; then
                them curl "$@"
        else
                command curl "$@"
        fi
}

scenario_wire_pulled_again_and_again()
{
        two_worlds && knob '{"put_bps":700000}' && some_files && mib 3 >"$SRC/big.txt" && fast 10 && start &&
                within 20 eval '[ "$(count put)" -ge 3 ]'
        for _ in 1 2 3; do
                us ip link set eth0 down && sleep 1 && us ip link set eth0 up && sleep 1
        done
        within 60 equal && stop
}

# Away for longer than anybody waits: noticed, and all goes on when it is back.
scenario_wire_pulled_for_minutes()
{
        two_worlds && knob '{"put_bps":300000}' && some_files && mib 2 >"$SRC/big.txt" && fast 30 && start &&
                within 20 eval '[ "$(count put)" -ge 3 ]'
        us ip link set eth0 down && sleep 7 && us ip link set eth0 up && knob '{"put_bps":0}' && within 60 equal
        stop
}

scenario_no_network_at_the_start()
{
        two_worlds && us ip link set eth0 down && some_files && fast 20 && start && within 30 grep -q 'cannot be reached' "$T/log"
        sleep 2 && us ip link set eth0 up && within 30 equal && stop
        want "said once" [ "$(grep -c 'cannot be reached' "$T/log")" = 1 ]
        log 'the service works again'
}

# Each connection is swallowed after 300 KB, without a word.
scenario_black_hole_in_mid_transfer()
{
        two_worlds && us sysctl -qw net.netfilter.nf_conntrack_acct=1 &&
                us iptables -A OUTPUT -p tcp -m connbytes --connbytes 300000: --connbytes-dir original --connbytes-mode bytes -j DROP &&
                some_files && mib 2 >"$SRC/big.txt" && fast 60 && start && within 20 cloud_file d/1
        within 40 eval '[ "$(fake journal | jq -c '\''select(.endpoint=="link" and .path=="disk:/Backup/Docs/big.txt")'\'' | wc -l)" -ge 2 ]'
        want "it is not there" [ -z "$(cloud_file big.txt)" ]
        us iptables -F OUTPUT && within 60 equal && stop
}

scenario_resets_out_of_the_network()
{
        two_worlds && us sysctl -qw net.netfilter.nf_conntrack_acct=1 &&
                us iptables -A OUTPUT -p tcp -m connbytes --connbytes 200000: --connbytes-dir original --connbytes-mode bytes -j REJECT --reject-with tcp-reset &&
                some_files && mib 2 >"$SRC/big.txt" && fast 20 && start && within 20 cloud_file d/1 && sleep 2
        want "it is not there" [ -z "$(cloud_file big.txt)" ]
        us iptables -F OUTPUT && within 60 equal && stop
}

scenario_one_packet_in_ten_is_lost()
{
        two_worlds && us iptables -A INPUT -i eth0 -m statistic --mode random --probability 0.1 -j DROP &&
                us iptables -A OUTPUT -o eth0 -m statistic --mode random --probability 0.1 -j DROP &&
                some_files && TIMEOUT=120 once && same
}

# 64 kbit/s, and clocks eight times as fast: 8 kbit/s for ydsync.  Slow is no reason to give up.
scenario_long_slow_link()
{
        two_worlds && us tc qdisc add dev eth0 root tbf rate 64kbit burst 4kb latency 500ms || {
                echo "no traffic shaping here"
                exit 77
        }
        head -c 180000 /dev/urandom >"$SRC/big.txt" && echo a >"$SRC/a" && echo b >"$SRC/b" && fast 8 && once && same
        want "nothing was sent twice: $(count put)" [ "$(count put)" = 3 ]
}

scenario_address_changes_in_mid_transfer()
{
        two_worlds && knob '{"put_bps":400000}' && some_files && mib 2 >"$SRC/big.txt" && fast 30 && start &&
                within 20 eval '[ "$(count put)" -ge 3 ]'
        us ip addr add 198.51.100.3/24 dev eth0 && us ip addr del 198.51.100.1/24 dev eth0
        us ip addr add 198.51.100.3/24 dev eth0 2>/dev/null
        knob '{"put_bps":0}' && within 60 equal && stop
}

# The connections that were kept are dead and nobody says so: one minute is lost, not one for each.
scenario_kept_connections_die_in_silence()
{
        local port
        two_worlds && env SYNCHRONIZATION_PERIOD 20 && some_files && fast 20 && start && within 30 equal
        for port in $(us ss -tnH state established | awk '{ sub(/.*:/, "", $3); print $3 }'); do
                us iptables -A OUTPUT -p tcp --sport "$port" -j DROP
        done
        for i in $(seq 8); do echo "new $i" >"$SRC/new$i"; done
        within 20 equal && stop
}

# ---- names -----------------------------------------------------------------------------------------

# with_names MODE: https://cloud-api.example.test, whose name a server of ours gives out, or does not
with_names()
{
        two_worlds
        echo "$1" >"$T/mode" && echo "nameserver 198.51.100.2" >"$T/resolv"
        echo "127.0.0.1 localhost" >"$T/hosts"
        them "$TOOLS/names" 198.51.100.2 "$T/mode" &
        them iptables -t nat -F PREROUTING
        them "$TOOLS/rude" close 198.51.100.2 443 >"$T/rude" &
        within 10 test -s "$T/rude"
        cat >"$T/apart" <<END
#!/bin/sh
mount --make-rprivate / && mount --bind $T/resolv /etc/resolv.conf && mount --bind $T/hosts /etc/hosts || exit 99
exec "\$@"
END
        chmod +x "$T/apart" && WRAP="nsenter -t $A -n unshare -m $T/apart"
        $WRAP true 2>/dev/null || {
                echo "no mount namespaces here"
                exit 77
        }
        env YDSYNC_API_URL https://cloud-api.example.test && echo a >"$SRC/a"
}

# names_heal MODE PATTERN: said, never in the way of SIGTERM, and over as soon as there is an answer
names_heal()
{
        local from
        with_names "$1" && fast 20 && start && within 30 grep -qE "$2" "$T/log"
        want "nobody was reached" [ "$(grep -c connection "$T/rude")" = 0 ]
        from=$SECONDS && stop && want "out within 5 s" [ $((SECONDS - from)) -le 5 ]
        rm "$T/log" && start && within 30 test -s "$T/log" && sleep 1 && echo 198.51.100.2 >"$T/mode" &&
                within 30 grep -q connection "$T/rude"
        stop
}

scenario_name_does_not_exist()     { names_heal nxdomain 'cannot be reached \(Could not resolve host'; }
scenario_name_server_has_trouble() { names_heal servfail 'cannot be reached \(Could not resolve host'; }
scenario_name_server_is_silent()   { names_heal silent 'cannot be reached \(Resolving timed out'; }

scenario_name_comes_late()
{
        with_names 'late 198.51.100.2' && start && within 30 grep -q connection "$T/rude" && stop
}

scenario_no_name_server()
{
        local from
        with_names nxdomain && : >"$T/resolv" && start && within 30 grep -q 'cannot be reached' "$T/log"
        from=$SECONDS && stop && want "out within 5 s" [ $((SECONDS - from)) -le 5 ]
}

# The name has an IPv6 address first, and nothing that is sent there arrives.
scenario_ipv6_broken()
{
        with_names nxdomain && us ip -6 addr add 2001:db8::1/64 dev eth0 nodad 2>/dev/null &&
                printf '2001:db8::2 cloud-api.example.test\n198.51.100.2 cloud-api.example.test\n' >>"$T/hosts" || {
                echo "no IPv6 here"
                exit 77
        }
        start && within 20 grep -q connection "$T/rude" && stop
}

# ---- certificates ----------------------------------------------------------------------------------

# certificate NAME DATE SUBJECT [days]: $T/NAME.pem and its key, by our own authority, made at DATE
certificate()
{
        at "$2" openssl req -new -newkey rsa:2048 -nodes -keyout "$T/$1.key" -subj "/CN=$1" -out "$T/$1.csr" 2>/dev/null &&
                at "$2" openssl x509 -req -in "$T/$1.csr" -CA "$T/ca.pem" -CAkey "$T/ca.key" -CAcreateserial -days 30 \
                        -extfile <(printf 'subjectAltName=%s' "$3") -out "$T/$1.pem" 2>/dev/null
}

at()
{
        local lib
        lib=$(find /usr/lib -path '*/faketime/libfaketime.so.1' 2>/dev/null | head -n 1)
        [ -n "$lib" ] || {
                echo "faketime is not here"
                exit 77
        }
        FAKETIME=$1 LD_PRELOAD=$lib "${@:2}"
}

# tls_server NAME: with that certificate; what it is told is in $T/told
tls_server()
{
        local port
        : >"$T/told"
        openssl s_server -accept 127.0.0.1:0 -cert "$T/$1.pem" -key "$T/$1.key" < <(sleep 60) >"$T/told" 2>/dev/null &
        TLS=$!
        within 10 grep -q ACCEPT "$T/told"
        port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$T/told" | head -n 1)
        env YDSYNC_API_URL "https://127.0.0.1:$port"
}

# trusting: from now on our authority is the one that ydsync knows
trusting()
{
        printf '#!/bin/sh\nmount --make-rprivate / && mount --bind %s /etc/ssl/certs/ca-certificates.crt || exit 99\nexec "$@"\n' \
                "$T/ca.pem" >"$T/trust"
        chmod +x "$T/trust" && WRAP="unshare -m $T/trust"
        $WRAP true 2>/dev/null || {
                echo "no mount namespaces here"
                exit 77
        }
}

# refused NAME PATTERN: no word is said to that server, and why is
refused()
{
        tls_server "$1" && rm -f "$T/log" && start && within 20 grep -qE "certificate was not accepted .*$2.*; nothing was sent" "$T/log"
        stop
        kill "$TLS"
        want "$1 was told nothing" [ "$(grep -cE 'OAuth|GET|fake-token' "$T/told")" = 0 ]
}

scenario_certificates()
{
        echo a >"$SRC/a" && openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=ours -keyout "$T/ca.key" -out "$T/ca.pem" 2>/dev/null
        certificate good '+0' IP:127.0.0.1 && certificate other '+0' DNS:cloud-api.yandex.net,IP:127.0.0.2 &&
                certificate old '2020-01-01 00:00:00' IP:127.0.0.1 && certificate early '2050-01-01 00:00:00' IP:127.0.0.1
        openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=self -addext subjectAltName=IP:127.0.0.1 \
                -keyout "$T/self.key" -out "$T/self.pem" 2>/dev/null
        refused good 'unable to get local issuer certificate'
        trusting
        refused self 'self.signed certificate'
        refused other 'no alternative certificate subject name matches|does not match'
        refused old 'certificate has expired.*clock of this machine|clock'
        refused early 'not yet valid'
        # So that what was shown above is no accident: this one is trusted, and told.
        tls_server good && start && within 20 grep -q 'OAuth fake-token' "$T/told" && stop
}
