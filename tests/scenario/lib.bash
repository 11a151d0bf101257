# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2119,SC2120,SC2086
#
# The words that scenarios are written in.  Each scenario runs in a process and a folder of its own,
# with an emulator of its own:
#
#   $SRC     the watched folder            $API     the emulator
#   $CLOUD   the cloud folder              $T       everything, removed afterwards
#
#   once [STATUS]      run `ydsync once`; it must end with STATUS (0)
#   fast N             from now on the clocks of ydsync run N times as fast
#   start / stop       `ydsync run` in the background; SIGTERM, which must end it with 0
#   same               the two trees are equal, byte for byte
#   calls              requests of both kinds since the last `mark`
#   quiet              `once` makes no call at all
#   quietly            likewise, but it may look for what an interrupted upload could yet leave
#   env KEY VALUE      set a key in the .env (an empty VALUE takes it out)
#   knob JSON          set the emulator's knobs;  fault JSON  make it misbehave
#   log PATTERN        the log of the last run has a line that matches;  nolog PATTERN
#   want TEXT TEST…    a condition of one's own
#   within SECONDS COMMAND…   wait until COMMAND succeeds
#   skip WHY           this cannot be tried here
#   needs_mounts       … without being allowed to mount;  image NAME [MKFS-OPTION…]  makes $T/NAME
#   fuse [DIR]         DIR ($SRC) shows $T/back through a process, FUSE
#   traced OPTION…     from now on under strace, which writes to $T/trace
#   one_processor      … and on a machine with one processor, as far as the binary can see

die()
{
        echo "# $*"
        [ -s "$T/log" ] && sed 's/^/#   log: /' "$T/log" | tail -n 25
        exit 1
}

skip()
{
        echo "$*"
        exit 77
}

# What is mounted is seen by this scenario alone and goes with it (tests/scenario/run).
needs_mounts()
{
        [ "$INSIDE" = mounts ] || skip "mounting needs root and a mount namespace"
}

# image NAME [MKFS-OPTION…]: an empty ext4 of 16 MiB in a file, to be mounted with -o loop.
image()
{
        local name=$1
        shift
        needs_mounts
        truncate -s 16M "$T/$name" && mkdir -p "$T/probe"
        mkfs.ext4 -q "$@" "$T/$name" 2>"$T/mkfs" || skip "no file system can be made: $(cat "$T/mkfs")"
        mount -o loop "$T/$name" "$T/probe" 2>/dev/null || skip "no loop device can be had"
        rmdir "$T/probe/lost+found" && umount "$T/probe"
}

# fuse [DIR]: what is in $T/back is seen as DIR ($SRC) through a process, FUSE.
fuse()
{
        local dir=${1:-$SRC}
        needs_mounts
        mkdir -p "$T/back" "$dir"
        bindfs -f "$T/back" "$dir" >"$T/bindfs" 2>&1 &
        FUSE=$!
        for _ in $(seq 100); do
                mountpoint -q "$dir" && return
                kill -0 $FUSE 2>/dev/null || break
                sleep 0.05
        done
        skip "bindfs does not start: $(head -n 1 "$T/bindfs")"
}

# traced OPTION…: the binary runs under strace from now on, which writes to $T/trace.  The tracer is
# the grandchild, so that signals and exit statuses are the binary's own.  Leaks cannot be looked
# for in a traced process.
traced()
{
        WRAP="strace -D -f -qq -o $T/trace $*"
        ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
        strace -qq -o "$T/trace" true 2>/dev/null || skip "strace is not allowed here"
}

one_processor()
{
        WRAP="taskset -c $(sed -n 's/^Cpus_allowed_list:[^0-9]*\([0-9]*\).*/\1/p' /proc/self/status) $WRAP"
}

want()
{
        local text=$1
        shift
        "$@" || die "not so: $text ($*)"
}

env()
{
        grep -v "^$1=" "$T/env" >"$T/env.new" || true
        [ -z "$2" ] || printf '%s="%s"\n' "$1" "$2" >>"$T/env.new"
        mv "$T/env.new" "$T/env"
        chmod 600 "$T/env"
}

once()
{
        local status=${1:-0} got=0
        if [ -n "${DYING:-}" ]; then
                die_everywhere "$status"
                return
        fi
        timeout "${TIMEOUT:-60}" $WRAP "$YDSYNC" --env "$T/env" once >"$T/out" 2>"$T/log" || got=$?
        grep -aE 'ERROR: .*Sanitizer|runtime error|==[0-9]+== (Invalid|Conditional|[0-9,]+ bytes)' \
                "$T/log" && die "a sanitizer has spoken"
        [ "$got" = "$status" ] || die "once ended with $got, not $status"
}

# What `once` is in dying mode (run -d): the pass as it is, and killed at each of its steps; see
# tests/tool/dying.c.  Afterwards all is as the undisturbed pass has left it.
die_everywhere()
{
        "$TOOLS/dying" -a "$API" -w "$T/dying" -s "$T/state" -s "$T/home" -e "$1" -m "$DYING" \
                -o "$T/out" -l "$T/log" -- $WRAP "$YDSYNC" --env "$T/env" once >"$T/died" 2>&1 || {
                cat "$T/died"
                exit 1
        }
        cat "$T/died" >>"$T/steps"
}

start()
{
        : >"$T/log" # now, not when the daemon is there: nobody must read the last one's
        $WRAP "$YDSYNC" --env "$T/env" run >"$T/out" 2>"$T/log" &
        DAEMON=$!
}

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

stop()
{
        local got=0
        kill -TERM "$DAEMON" || die "the daemon is not there any more"
        within 60 eval "! kill -0 $DAEMON"
        wait "$DAEMON" || got=$?
        DAEMON=
        [ "$got" = 0 ] || die "run ended with $got after SIGTERM"
}

within()
{
        local end=$((SECONDS + $1 + 1))
        shift
        until "$@" >/dev/null 2>&1; do
                [ "$SECONDS" -lt "$end" ] || die "did not come in time: $*"
                sleep 0.1
        done
}

fake()
{
        local path=$1
        shift
        curl -sS --fail-with-body -m 60 "$@" "$API/_fake/$path" || die "the emulator refused $path"
}

urlenc()
{
        jq -rn --arg x "$1" '$x | @uri'
}

cloud_tree()
{
        curl -sf -m 120 "$API/_fake/tree.txt?path=$(urlenc "${1:-$CLOUD}")"
}

equal()
{
        "$TOOLS/treesum" "$SRC" >"$T/here" && cloud_tree >"$T/there" && cmp -s "$T/here" "$T/there"
}

same()
{
        equal || {
                diff "$T/here" "$T/there" | head -n 20 | sed 's/^/#   /'
                die "the trees differ"
        }
}

mark()
{
        MARK=$(fake count | jq .total)
}

calls()
{
        echo $(($(fake count | jq .total) - MARK))
}

count()
{
        fake count | jq ".\"$1\""
}

quiet()
{
        mark
        once
        [ "$(calls)" = 0 ] || {
                fake journal | tail -n 5
                die "a pass with nothing to do made $(calls) calls"
        }
}

quietly()
{
        fake "reset?what=journal" -d '' >/dev/null
        once
        want "a further pass is silent" \
                [ "$(fake journal | jq -r .path | grep -vc ydsync-upload-)" = 0 ]
}

knob()
{
        fake config -d "$1" >/dev/null
}

fault()
{
        fake fault -d "$1" >/dev/null
}

hits()
{
        fake fault | jq '[.. | .hits? // empty] | add // 0'
}

log()
{
        grep -aqE -- "$1" "$T/log" || die "the log has no line like: $1"
}

nolog()
{
        ! grep -aqE -- "$1" "$T/log" || die "the log has a line like: $1"
}

# cloud_put NAME CONTENT: somebody else puts a file below the cloud folder.
cloud_put()
{
        fake "put?path=$(urlenc "$CLOUD/$1")" --data-binary "$2" >/dev/null
}

cloud_has()
{
        cloud_tree | grep -qxF -- "$1"
}

# cloud_file NAME: the line of that file or folder, as tree.txt shows it.
cloud_file()
{
        cloud_tree | grep -aE -- "^(d|f [0-9]+ [0-9a-f]+) $1\$"
}

# mib N: N MiB that no two files share
mib()
{
        head -c $(($1 << 20)) /dev/urandom
}
