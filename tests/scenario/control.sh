# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2016,SC2119,SC2120
# The running daemon is asked and told: the control socket by hand, and the commands that use it.

# ask METHOD TARGET [OPTION…]: what it answers is in $T/answer, the status printed.
ask()
{
        local method=$1 target=$2
        shift 2
        curl -sS -m 60 --unix-socket "$T/state/control" -X "$method" -o "$T/answer" \
                -w '%{http_code}' "$@" "http://x$target"
}

# answers STATUS METHOD TARGET [OPTION…]
answers()
{
        local want=$1 got
        shift
        got=$(ask "$@") || die "no answer to $*"
        [ "$got" = "$want" ] || die "$1 $2 was answered with $got, not $want: $(cat "$T/answer")"
        jq -e 'type == "object"' "$T/answer" >/dev/null || die "no JSON object: $(cat "$T/answer")"
}

# tell STATUS COMMAND…: ydsync COMMAND ends with STATUS; what it says is in $T/said
tell()
{
        local want=$1 got=0
        shift
        timeout 60 "$YDSYNC" --env "$T/env" "$@" >"$T/said" 2>&1 || got=$?
        [ "$got" = "$want" ] || die "$* ended with $got, not $want: $(cat "$T/said")"
}

says()
{
        grep -aqE -- "$1" "$T/said" || die "it does not say: $1: $(cat "$T/said")"
}

is_state()
{
        [ "$(ask GET /status)" = 200 ] && [ "$(jq -r .state "$T/answer")" = "$1" ]
}

# running: the daemon has started and mirrored what there is
running()
{
        env SYNCHRONIZATION_PERIOD 1h
        start && within 60 is_state "${1:-idle}"
}

scenario_control_by_hand()
{
        mkdir "$SRC/d" && echo abc >"$SRC/d/f" && running
        want "nobody else may" [ "$(stat -Lc %a "$T/state/control")" = 600 ]
        answers 200 GET /status
        want "what is mirrored" [ "$(jq -c .mirrored "$T/answer")" = '{"files":1,"folders":1,"bytes":4}' ]
        want "when it goes on" [ "$(jq '.next_scan_seconds > 3000' "$T/answer")" = true ]
        want "which daemon" [ "$(jq .pid "$T/answer")" = "$DAEMON" ]
        answers 404 GET /
        answers 404 GET /statu
        answers 404 POST /status/x
        answers 405 POST /status
        answers 405 GET /sync
        answers 405 DELETE /pause
        answers 400 POST /approve
        answers 400 POST '/approve?id='
        answers 404 POST '/approve?id=0123456789abcdef'
        answers 200 GET '/status?x=y&&=&%'
        echo g >"$SRC/g" && answers 200 POST /sync
        within 60 cloud_has "f 2 $(echo g | md5sum | cut -d' ' -f1) g"
        stop
        want "it is gone with the daemon" [ ! -e "$T/state/control" ]
}

# silent N: N connections that say nothing, kept open until the scenario ends; says so in $T/silent
silent()
{
        python3 - "$T/state/control" "$1" "$T/silent" <<'END' &
import socket, sys, time
kept = []
for i in range(int(sys.argv[2])):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    if i % 2:
        s.send(b"GET /status HTTP/1.1\r\nHost: x\r\nX-")
    kept.append(s)
open(sys.argv[3], "w").write("there")
time.sleep(600)
END
        within 60 test -s "$T/silent"
}

scenario_control_hostile()
{
        running
        silent 100
        for _ in 1 2 3 4 5; do
                answers 200 GET /status
        done
        # Too long a head, too long a body, no HTTP at all: refused or put out, and it goes on.
        head -c 100000 /dev/zero | tr '\0' a >"$T/long"
        want "too long a path" grep -qE '^(414|431|400|000)$' <<<"$(ask GET "/$(cat "$T/long")" 2>/dev/null)"
        want "too long a header" grep -qE '^(431|400|000)$' \
                <<<"$(ask GET /status -H "X-Long: $(cat "$T/long")" 2>/dev/null)"
        answers 413 POST /sync --data-binary @"$T/long"
        head -c 30000000 /dev/zero >"$T/huge"
        want "an endless body" grep -qE '^(413|100|000)$' <<<"$(ask POST /sync -T "$T/huge" 2>/dev/null)"
        printf 'nonsense\r\n\r\n' | timeout 60 curl -s --unix-socket "$T/state/control" -m 20 telnet://x/ \
                >/dev/null 2>&1
        answers 200 GET /status
        stop
        nolog 'pass done'
}

scenario_control_other_users()
{
        local other="setpriv --reuid=65534 --regid=65534 --clear-groups"
        [ "$(id -u)" = 0 ] || skip "only root can be somebody else"
        running
        chmod 711 "$T" "$T/state"
        got=$($other curl -s -o /dev/null -w '%{http_code}' --unix-socket "$T/state/control" http://x/status)
        want "the mode keeps them out" [ "$got" = 000 ]
        chmod 666 "$(readlink -f "$T/state/control")"
        got=$($other curl -s -o /dev/null -w '%{http_code}' --unix-socket "$T/state/control" http://x/status)
        want "and the daemon where it does not" [ "$got" = 000 ]
        # The group of the socket may ask where an administrator lets it, but change nothing.
        other="setpriv --reuid=65534 --regid=0 --clear-groups"
        got=$($other curl -s -o /dev/null -w '%{http_code}' --unix-socket "$T/state/control" http://x/status)
        want "the group may ask" [ "$got" = 200 ]
        got=$($other curl -s -o /dev/null -w '%{http_code}' --unix-socket "$T/state/control" -X POST http://x/pause)
        want "but change nothing" [ "$got" = 403 ]
        answers 200 GET /status
        stop
        want "nothing was paused" [ ! -e "$T/state/paused" ]
}

scenario_control_stale_socket()
{
        running
        kill -KILL "$DAEMON" && wait "$DAEMON"
        tell 3 status
        says 'does not run'
        running
        answers 200 GET /status
        # A second one with the same state ends, and the first is not disturbed.
        got=0
        timeout 60 "$YDSYNC" --env "$T/env" run >"$T/said" 2>&1 || got=$?
        want "the state is in use" [ "$got" = 73 ]
        answers 200 GET /status
        want "the first one answers" [ "$(jq .pid "$T/answer")" = "$DAEMON" ]
        stop
}

# Two daemons that systemd would give one runtime folder: the second leaves the first one's socket.
scenario_control_place()
{
        local first
        export RUNTIME_DIRECTORY=$T/runtime
        mkdir "$T/runtime" && running && first=$DAEMON
        answers 200 GET /status
        want "it is where systemd wants it" [ "$(jq -r .socket "$T/answer")" = "$T/runtime/control" ]
        tell 0 status
        mkdir "$T/src2" && sed "s|/src\"|/src2\"|; s|/state\"|/state2\"|; s|Backup/Docs|Other|" "$T/env" >"$T/env2" &&
                chmod 600 "$T/env2"
        "$YDSYNC" --env "$T/env2" run >"$T/out2" 2>"$T/log2" &
        DAEMON=$!
        within 60 grep -q 'another program listens' "$T/log2"
        within 60 cloud_tree disk:/Other
        got=0
        "$YDSYNC" --env "$T/env2" status >"$T/said" 2>&1 || got=$?
        want "the second has none" [ "$got" = 3 ]
        stop
        DAEMON=$first
        answers 200 GET /status
        want "the first one's" [ "$(jq .pid "$T/answer")" = "$first" ]
        stop
        # A path that is longer than an address; and one folder for each user.
        unset RUNTIME_DIRECTORY
        XDG_RUNTIME_DIR=$T/$(printf 'long%.0s' {1..40})
        export XDG_RUNTIME_DIR
        mkdir "$XDG_RUNTIME_DIR" && start && within 60 "$YDSYNC" --env "$T/env" status
        want "it is there" [ -S "$XDG_RUNTIME_DIR"/ydsync/control-* ]
        tell 0 sync
        stop
        want "and gone" [ ! -e "$XDG_RUNTIME_DIR"/ydsync/control-* ]
}

scenario_control_commands()
{
        for words in status sync pause resume; do
                tell 3 $words
                says 'does not run'
                tell 64 $words more
        done
        mkdir "$SRC/d" && echo abc >"$SRC/d/f" && running
        tell 0 status
        says '^state +idle$'
        says '^mirrored +1 files in 1 folders, 4 B$'
        says '^next scan +in '
        tell 0 status --json
        want "JSON" [ "$(jq -r .state "$T/said")" = idle ]
        echo b >"$SRC/b" && tell 0 sync
        within 60 equal
        stop
}

scenario_control_pause()
{
        running
        tell 0 pause
        is_state paused || die "it does not pause"
        tell 75 sync
        says 'paused'
        echo a >"$SRC/a" && kill -HUP "$DAEMON"
        stop
        start && within 60 is_state paused
        log 'paused since an earlier run'
        tell 0 pause
        want "nothing was sent" [ "$(count put)" = 0 ]
        stop
        once
        want "once is told otherwise" [ "$(count put)" = 1 ]
}

# A transfer that is under way is given up, and begun again.
scenario_control_pause_in_mid_transfer()
{
        mib 6 >"$SRC/big" && knob '{"put_bps": 300000}'
        running uploading
        within 60 eval 'ask GET /status && [ "$(jq .transfers[0].sent "$T/answer")" -gt 0 ]'
        tell 0 pause
        is_state paused || die "it does not pause"
        knob '{"put_bps": 0}'
        tell 0 resume
        within 60 equal
        within 60 is_state idle
        stop
        same
}

scenario_control_approve()
{
        for i in $(seq 20); do echo "$i" >"$SRC/f$i"; done
        env YDSYNC_MAX_DELETE 2/10% && running
        tell 0 pause # so that all of it goes between two scans
        rm "$SRC"/f1? && tell 0 resume
        within 60 is_state held
        want "how much it holds" [ "$(jq -c '[.held.removals, .held.of]' "$T/answer")" = '[10,20]' ]
        id=$(jq -r .held.id "$T/answer")
        tell 0 status
        says "ydsync approve $id"
        tell 64 approve 0123456789abcdef
        says "that is $id"
        tell 0 approve "$id"
        within 60 equal
        within 60 is_state idle
        tell 64 approve "$id"
        stop
}

# thinks PATH STATE [KEY=VALUE…]: what the daemon, or the snapshot, says of PATH
thinks()
{
        tell 0 explain --json -- "$1"
        [ "$(jq -r .state "$T/said")" = "$2" ] || die "not $2: $(head -c 2000 "$T/said")"
}

scenario_control_explain()
{
        mkdir -p "$SRC/d/sub" "$SRC/old" && echo a >"$SRC/d/a" && echo b >"$SRC/d/b.log" &&
                printf '# notes\n\n*.log\n!keep.log\n/sub/\n' >"$SRC/d/.ydignore" &&
                echo k >"$SRC/d/keep.log" && echo x >"$SRC/d/sub/x" && echo o >"$SRC/old/o" &&
                echo t >"$SRC/x.tmp" && ln -s d "$SRC/link" && echo p >"$SRC/p'q\"%+ #" &&
                env YDSYNC_EXCLUDE '*.tmp,cache/' && echo f >"$SRC/fail"
        fault '{"on":"link","path":"/fail","times":-1,"do":{"status":403,"error":"ForbiddenError"}}'
        once 75
        for by in snapshot daemon; do
                [ "$by" = snapshot ] || running
                thinks d/a mirrored
                want "what stands there" [ "$(jq -r .known.md5 "$T/said")" = "$(md5sum <"$SRC/d/a" | cut -d' ' -f1)" ]
                thinks "$SRC/d/a" mirrored
                thinks "p'q\"%+ #" mirrored
                thinks d/keep.log mirrored
                thinks d/b.log 'left out'
                want "the rule" [ "$(jq -r '.rule | "\(.pattern) \(.source) \(.leaves_out)"' "$T/said")" = \
                        "*.log d/.ydignore:3 d/b.log" ]
                thinks d/sub/x 'left out'
                want "the rule above" [ "$(jq -r '.rule | "\(.pattern) \(.source) \(.leaves_out)"' "$T/said")" = \
                        "/sub/ d/.ydignore:5 d/sub" ]
                thinks x.tmp 'left out'
                want "the list" [ "$(jq -r .rule.source "$T/said")" = YDSYNC_EXCLUDE ]
                thinks link 'left out'
                thinks nothing unknown
                thinks d/../old/./o mirrored
                thinks . mirrored
                tell 64 explain /etc/passwd
                says 'not in the watched folder'
                tell 64 explain ../outside
        done
        thinks fail failing
        want "why" [ "$(jq '.failing.times >= 1 and .failing.next_try_seconds > 0' "$T/said")" = true ]
        tell 0 explain fail
        says '^state +failing: '
        says '^tried +[0-9]+ times; next try in '
        tell 0 status
        says '^  fail: .*tried'
        tell 0 pause && echo new >"$SRC/new" && echo changed >"$SRC/d/a"
        thinks new new
        thinks d/a changed
        (cd "$SRC/d" && thinks keep.log mirrored && thinks a changed) || exit 1
        rm -r "$SRC/old" && thinks old/o gone
        answers 400 GET /explain
        answers 400 GET '/explain?path=/etc/passwd'
        answers 400 GET '/explain?path=/%ff%1b'
        want "a refusal is UTF-8" iconv -f utf-8 -t utf-8 -o /dev/null "$T/answer"
        want "and shows what is none" grep -qF '/\\xff\\x1b is not' "$T/answer"
        answers 200 GET "/explain?path=$(urlenc "d/$(printf 'n%.0s' {1..9000})")"
        thinks "d/$(printf 'n%.0s' {1..40000})" unknown
        want "a name that cannot be" [ "$(jq -r .state "$T/answer")" != mirrored ]
        stop
}

# What is on the terminal: numbers, units and this scenario's folder are masked.
screen()
{
        tmux -S "$T/tmux" capture-pane -p | sed -E -e "s|$T|T|g" -e 's/ +$//' \
                -e 's/[0-9]+(\.[0-9]+)? (B|KB|MB|GB|s|min)([^a-z]|$)/N\3/g' -e 's/^ +[0-9]+ %/  N %/' |
                sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
}

shows()
{
        screen | grep -qE -- "$1"
}

# golden NAME: the screen is as tests/scenario/golden/NAME.txt has it, or comes to be.  With GOLDEN=3
# in the environment, it is written there after so many seconds: to be looked at before it is kept.
golden()
{
        local end=$((SECONDS + ${GOLDEN:-61})) kept=$here/golden/$1.txt
        until screen >"$T/screen" && cmp -s "$kept" "$T/screen"; do
                [ "$SECONDS" -lt "$end" ] || {
                        [ -z "${GOLDEN:-}" ] || { cp "$T/screen" "$kept" && return; }
                        diff "$kept" "$T/screen" | sed 's/^/#   /'
                        die "another screen than $kept"
                }
                sleep 0.2
        done
}

scenario_control_live_status()
{
        tmux -V >/dev/null 2>&1 || skip "tmux is not here"
        mkdir "$SRC/d" && mib 30 >"$SRC/d/big file" && knob '{"put_bps": 150000}'
        running uploading
        TERM=xterm-256color tmux -S "$T/tmux" -f /dev/null new-session -d -x 100 -y 20 \
                "'$YDSYNC' --env '$T/env' status; echo ended with \$?; read x; '$YDSYNC' --env '$T/env' status; echo and \$?; exec sleep 600" ||
                skip "tmux does not start"
        within 60 shows 'done in'
        golden uploading
        tmux -S "$T/tmux" send-keys x
        tell 0 pause
        golden paused
        knob '{"put_bps": 0}' && tell 0 resume
        golden idle
        tmux -S "$T/tmux" send-keys q
        within 60 shows '^ended with 0$'
        tmux -S "$T/tmux" send-keys Enter
        within 60 shows 'q ends this'
        stop
        within 60 shows '^and 3$'
        golden ended
        tmux -S "$T/tmux" kill-server
}

# checks STATUS: `check` ends with it; its findings are in $T/found as "name verdict"
checks()
{
        tell "$1" check --json
        jq -r '.checks[] | "\(.name) \(.verdict)"' "$T/said" >"$T/found" || die "no JSON: $(cat "$T/said")"
}

finds()
{
        grep -qxF -- "$1" "$T/found" || die "no finding \"$1\" in: $(cat "$T/said")"
}

scenario_control_check()
{
        checks 0
        printf '%s ok\n' configuration folder state daemon service token room | diff - "$T/found" ||
                die "other findings"
        want "nothing was made" [ ! -e "$T/state" ]
        tell 0 check
        says '^ok +service +http://127.0.0.1:[0-9]+ answers$'
        says '^ok +room +.* are free$'
        want "the token is nobody's business" [ "$(grep -c fake-token "$T/said")" = 0 ]
        cp "$T/env" "$T/env.good"
        echo 'SYNCHRONIZATION_PERIOD=600 # ten minutes' >>"$T/env" && checks 0
        finds 'dialect warning'
        want "one of them" [ "$(grep -c dialect "$T/found")" = 1 ]
        says 'systemd.*SYNCHRONIZATION_PERIOD \(line'
        echo 'NAME_FOLDER=x' >>"$T/env" && checks 0 && finds 'configuration warning'
        echo 'YDSYNC_PARALLEL=many' >>"$T/env" && echo YDSYNC_DELETE=x >>"$T/env" && checks 78
        want "both" [ "$(grep -cxF 'configuration wrong' "$T/found")" = 2 ]
        cp "$T/env.good" "$T/env" && env YANDEX_TOKEN other && checks 77 && finds 'token wrong' && finds 'service ok'
        cp "$T/env.good" "$T/env" && env YDSYNC_API_URL http://127.0.0.1:9 && checks 69 && finds 'service wrong'
        cp "$T/env.good" "$T/env" && env YDSYNC_STATE_DIR "$T/env/below" && checks 73 && finds 'state wrong'
        cp "$T/env.good" "$T/env" && once && mv "$SRC" "$T/away" && checks 66 && finds 'folder wrong'
        mkdir "$SRC" && checks 66 && says 'not the folder that was mirrored'
        rmdir "$SRC" && mv "$T/away" "$SRC" && running && checks 0
        says 'runs \(idle\)'
        stop
        # Whoever only speaks to the daemon needs no token, which it may have from elsewhere.
        env YANDEX_TOKEN "" && tell 3 status && tell 78 plan
}

scenario_control_verify()
{
        export YDSYNC_HASTE=30 # for the patience of an audit with what may show late
        tell 75 verify
        says 'was not compared with this cloud folder yet'
        want "no state was changed" [ "$(count total)" = 0 ]
        mkdir -p "$SRC/d/sub/deep" "$SRC/e" && echo a >"$SRC/d/a" && echo b >"$SRC/d/sub/b" &&
                echo c >"$SRC/d/sub/deep/c" && echo e >"$SRC/e/e" && echo f >"$SRC/e/f" && once
        for by in snapshot daemon; do
                [ "$by" = snapshot ] || running
                tell 0 verify
                says '^5 folders compared: 0 differences, 0 not known'
                cloud_remove d/sub && cloud_put e/e other$'\n' && cloud_put e/theirs x && fake "reset?what=journal" -d '' >/dev/null
                tell 1 verify
                says '^missing: d/sub/$'
                says '^changed: e/e$'
                says '^5 folders compared: 2 differences \(5 entries\), 1 not known to ydsync'
                want "each once" [ "$(wc -l <"$T/said")" = 3 ]
                tell 1 verify --json
                want "JSON" [ "$(jq -c '[.missing, .changed, .entries]' "$T/said")" = '[1,1,5]' ]
                want "nothing was changed" [ "$(fake journal | jq -r .method | grep -vc GET)" = 0 ]
                if [ "$by" = snapshot ]; then
                        tell 0 verify --repair
                else
                        tell 1 verify --repair
                        says 'puts it right now'
                fi
                within 120 cloud_file d/sub/deep/c
                fake "remove?path=$(urlenc "$CLOUD/e/theirs")" -d '' >/dev/null
                within 120 equal
        done
        within 60 is_state idle
        tell 0 verify
        answers 200 GET /verify
        answers 405 DELETE /verify
        tell 0 pause && tell 75 verify
        stop
}

# The snapshot is read beside the daemon, also while that writes it.
scenario_control_plan_beside_run()
{
        mkdir "$SRC/d" && echo a >"$SRC/d/a" && running
        tell 0 pause
        echo b >"$SRC/d/b" && rm "$SRC/d/a" && tell 1 plan
        printf '%s\n' 'upload d/b' 'remove d/a' | diff "$T/said" - || die "another plan"
        mib 6 >"$SRC/d/big" && knob '{"put_bps": 300000}'
        tell 0 resume && within 60 is_state uploading
        tell 1 plan --json
        want "what is not there yet" [ "$(jq -r 'select(.op == "upload") | .path' "$T/said" | grep -c big)" = 1 ]
        tell 0 pause && knob '{"put_bps": 0}' && tell 0 resume
        within 60 is_state idle
        tell 0 plan
        stop && same
}
