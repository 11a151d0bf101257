# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2119,SC2120,SC2086,SC2153,SC2154,SC2317
#
# What is said, where it goes, and what machines can read of it: the real journal, and the log file.

# From now on the binary runs as under systemd, with a journal that nobody else sees.
journald()
{
        local daemon=/lib/systemd/systemd-journald
        needs_mounts
        if [ ! -x $daemon ] || ! command -v systemd-cat >/dev/null; then
                skip "there is no journald here"
        fi
        cat >"$T/journald.conf" <<END
[Journal]
Storage=volatile
Audit=no
ReadKMsg=no
RateLimitBurst=0
RuntimeMaxUse=32M
END
        mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal /run/log/journal
        mount --bind "$T/journald.conf" /etc/systemd/journald.conf || skip "journald cannot be set up"
        $daemon >"$T/journald" 2>&1 &
        JOURNALD=$!
        for _ in $(seq 300); do
                [ -S /run/systemd/journal/stdout ] && break
                kill -0 $JOURNALD 2>/dev/null || break
                sleep 0.05
        done
        [ -S /run/systemd/journal/stdout ] || skip "journald does not start: $(head -n 1 "$T/journald")"
        cat >"$T/unit" <<'END'
#!/bin/sh
exec systemd-cat -t ydsync sh -c 'JOURNAL_STREAM=$(stat -Lc %d:%i /proc/self/fd/2); export JOURNAL_STREAM; exec "$@"' sh "$@"
END
        chmod +x "$T/unit"
        WRAP="$T/unit${WRAP:+ $WRAP}"
}

# All that the journal has of us, an object a line.
entries()
{
        journalctl -q --no-pager -D /run/log/journal -o json SYSLOG_IDENTIFIER=ydsync | jq -cS .
}

# event_id NAME: the MESSAGE_ID of that kind of event
event_id()
{
        sed -n "s/.*X([A-Z_]*, \"$1\", [A-Z_]*, \"\([0-9a-f]*\)\").*/\1/p" "$here/../../daemon/event.h"
}

# entry NAME FIELD=VALUE…: the journal has an entry of that kind with all these fields
entry()
{
        local field
        jq --arg id "$(event_id "$1")" 'select(.MESSAGE_ID == $id)' <"$T/entries" >"$T/found"
        shift
        for field; do
                jq --arg f "${field%%=*}" --arg v "${field#*=}" 'select(.[$f] == $v)' <"$T/found" >"$T/left"
                mv "$T/left" "$T/found"
        done
        [ -s "$T/found" ] || {
                jq -c 'with_entries(select(.key | test("^_|CURSOR") | not))' <"$T/entries" |
                        sed 's/^/#   /'
                die "the journal has no entry like: $*"
        }
}

# Reads the journal once it has taken what was said last.
read_entries()
{
        journalctl --sync 2>/dev/null || sleep 1
        entries >"$T/entries"
}

md5_of_stdin()
{
        md5sum | cut -d' ' -f1
}

scenario_journal_fields()
{
        local evil=$'d/new\nline\x1b[2J'
        journald
        mkdir "$SRC/d" && echo one >"$SRC/a" && echo gone >"$SRC/gone" && echo two >"$SRC/$evil"
        once
        echo three >"$SRC/a" && rm -r "$SRC/gone" "$SRC/d"
        once
        read_entries
        entry uploaded PRIORITY=6 YDSYNC_OP=upload YDSYNC_PATH=a YDSYNC_REMOTE=disk:/Backup/Docs/a \
                YDSYNC_BYTES=4 "YDSYNC_MD5=$(echo one | md5_of_stdin)" YDSYNC_CYCLE=1 "MESSAGE=uploaded a (4 B)"
        entry replaced PRIORITY=6 YDSYNC_OP=replace YDSYNC_PATH=a "YDSYNC_MD5=$(echo three | md5_of_stdin)"
        entry folder-made PRIORITY=6 YDSYNC_PATH=d YDSYNC_REMOTE=disk:/Backup/Docs/d
        entry folder-made YDSYNC_REMOTE=disk:/Backup/Docs
        entry name-unfit PRIORITY=4 'YDSYNC_PATH=d/new\x0aline\x1b[2J'
        entry removed PRIORITY=6 YDSYNC_OP=remove YDSYNC_PATH=gone YDSYNC_BYTES=5
        entry folder-removed PRIORITY=6 YDSYNC_PATH=d
        entry comparing PRIORITY=5
        entry pass-done PRIORITY=6
        want "every entry has a kind" [ "$(jq -c 'select(.MESSAGE_ID == null)' "$T/entries")" = "" ]
        want "no entry is a blob" [ "$(jq -r '.MESSAGE | type' "$T/entries" | sort -u)" = string ]
        want "nothing secret" [ "$(grep -cE 'fake-token|/upload' "$T/entries")" = 0 ]
        quiet && quiet && cp "$T/entries" "$T/before" && read_entries
        want "nothing to do, nothing to say" cmp "$T/before" "$T/entries"
}

scenario_journal_priorities()
{
        journald
        echo a >"$SRC/a" && cloud_put b "not ours" && echo b >"$SRC/b" && once
        env YDSYNC_PARALLEL 0 && once 78 && env YDSYNC_PARALLEL ""
        env YANDEX_TOKEN other && echo c >"$SRC/c" && once 77
        mv "$SRC" "$SRC.away" && once 66
        read_entries
        entry config-wrong PRIORITY=3
        want "with its place" grep -q 'env:[0-9]*: YDSYNC_PARALLEL' "$T/entries"
        entry token-refused PRIORITY=3
        entry folder-wrong PRIORITY=3 ERRNO=2
        want "the token is nowhere" [ "$(grep -c fake-token "$T/entries")" = 0 ]
        # Without its socket the stream is left, and what a line can carry.
        mv "$SRC.away" "$SRC" && env YANDEX_TOKEN fake-token && rm /run/systemd/journal/socket && once
        read_entries
        want "a line with a level" [ "$(jq -r 'select(.MESSAGE == "uploaded c (2 B)").PRIORITY' "$T/entries")" = 6 ]
}

# A journal that does not read keeps nobody, and what it did not get is counted.
scenario_journal_full()
{
        journald
        mkdir "$SRC/d" && start && within 20 equal
        kill -STOP $JOURNALD
        for i in $(seq 700); do echo "$i" >"$SRC/d/$i"; done
        kill -HUP $DAEMON
        within 60 equal
        kill -CONT $JOURNALD
        lost()
        {
                echo x >>"$SRC/again"
                kill -HUP $DAEMON
                read_entries
                grep -q "\"$(event_id log-lost)\"" "$T/entries"
        }
        within 30 lost
        entry log-lost PRIORITY=4
        want "with their number" grep -qE '[0-9]+ log entries are missing here' "$T/entries"
        stop
}

scenario_log_file()
{
        mkdir "$T/logs" && env PATH_FILE_LOG "$T/logs"
        echo a >"$SRC/a" && start && within 20 grep -q ' info \[uploaded\] uploaded a (2 B)' "$T/logs/ydsync.log"
        mv "$T/logs/ydsync.log" "$T/logs/ydsync.log.1"
        echo x >"$SRC/"$'new\nline' && echo b >"$SRC/b" && kill -HUP $DAEMON
        within 20 grep -q ' info \[uploaded\] uploaded b ' "$T/logs/ydsync.log"
        stop
        want "one entry a line" [ "$(grep -cvE '^20[0-9-]{8}T[0-9:]{8}[+-][0-9]{4} (error|warning|notice|info) \[[a-z-]+\] ' "$T/logs/ydsync.log")" = 0 ]
        want "control bytes are shown" grep -qF 'new\x0aline' "$T/logs/ydsync.log"
        want "the old one is left alone" [ "$(grep -c 'uploaded b' "$T/logs/ydsync.log.1")" = 0 ]
}

# Kinds of entries that no other scenario makes (tests/catalog asks for each).
scenario_rare_entries()
{
        env PATH_FILE_LOG /proc/nowhere && once 78 && env PATH_FILE_LOG ""
        log 'the log file /proc/nowhere/ydsync.log cannot be written'
        fake "put?path=$(urlenc disk:/Backup)" --data-binary x >/dev/null && echo a >"$SRC/a" && once 75
        log 'cannot make the cloud folder disk:/Backup/Docs: '
        fake "reset?what=disk" -d '' >/dev/null
        fault '{"on":"list","path":"Docs","skip":1,"times":1,"do":{"error":"ForbiddenError","status":403}}'
        once 75
        log 'uploads could not be verified: '
        once && same && env YDSYNC_EXCLUDE 'a*' && once
        log 'no longer mirrored: a; what is in the cloud stays'
        want "it stays" cloud_has "f 2 $(md5sum <"$SRC/a" | cut -d' ' -f1) a"
        env YDSYNC_LOG_LEVEL debug && env YDSYNC_AUDIT_PERIOD 1s && sleep 1.1 && once
        log 'debug: audit done: '
        env YDSYNC_LOG_LEVEL "" && env YDSYNC_AUDIT_PERIOD 0
        env YDSYNC_EXCLUDE "" && echo to be moved >"$SRC/m" && once && mv "$SRC/m" "$SRC/m2"
        fault '{"on":"move","times":1,"do":{"status":403,"error":"ForbiddenError"}}' && once
        log 'cannot move m to m2: access is denied .*; it is sent anew'
        for i in $(seq 1010); do : >"$SRC/$i"$'\xff'; done
        once
        log 'and [0-9]+ more such entries'
}

# What a reader of Russian sees; what programs read stays as it is.
scenario_in_russian()
{
        grep -qa YDSYNC_LOCALEDIR "$YDSYNC" || skip "the build has no hooks for tests"
        mkdir "$T/logs" && env PATH_FILE_LOG "$T/logs"
        WRAP="/usr/bin/env LC_ALL=C.UTF-8 LANGUAGE=ru YDSYNC_LOCALEDIR=$build/packaging/po${WRAP:+ $WRAP}"
        mkdir "$SRC/d" && for i in 1 2 3 4; do echo $i >"$SRC/d/$i"; done
        echo a >"$SRC/файл" && once && same
        log '^отправлен файл \(2 Б\)$'
        log '^создана папка d$'
        log '^проход завершён: отправлено 5 \(10 Б\), создана 1 папка; [0-9]+ запрос(|а|ов) к API$'
        rm -r "$SRC/d" && fault '{"on":"link","times":1,"do":{"status":507,"error":"DiskStorageQuotaExhaustedError"}}'
        echo b >"$SRC/файл" && once 75
        log '^удалена папка d, в ней 4 объекта$'
        log '^внимание: отправка файлов приостановлена: Диск полон'
        want "a name for programs" grep -q ' info \[uploaded\] отправлен файл' "$T/logs/ydsync.log"
        $WRAP "$YDSYNC" --env "$T/env" plan >"$T/plan"
        want "the plan too" grep -qx 'заменить файл' "$T/plan"
        $WRAP "$YDSYNC" --env "$T/env" plan --json >"$T/plan"
        want "but for programs" [ "$(jq -r .op "$T/plan")" = replace ]
}
