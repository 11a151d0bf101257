# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2016,SC2119,SC2120
# The audit: what others did to the cloud folder, and what no stat here can show.

# A short period, so that every run later than a second audits, and a difference is believed after a
# quarter of a second.
audit_often()
{
        env YDSYNC_AUDIT_PERIOD 1s
}

cloud_remove()
{
        fake "remove?path=$(urlenc "$CLOUD${1:+/$1}")" -d '' >/dev/null
}

# audited [STATUS]: a run in which an audit is due
audited()
{
        sleep 1.1
        once "$@"
}

deletes()
{
        fake journal | jq -s '[.[] | select(.endpoint=="delete" and .status<300)] | length'
}

scenario_audit_finds_nothing()
{
        audit_often
        mkdir -p "$SRC/a/b" && echo 1 >"$SRC/a/1" && echo 2 >"$SRC/a/b/2" && echo 3 >"$SRC/3" && once
        fake "reset?what=journal" -d '' >/dev/null
        audited
        want "one call a folder" [ "$(fake journal | jq -s length)" = 3 ]
        want "and they are listings" [ "$(count list)" = 3 ]
        want "nothing is said" [ "$(wc -l <"$T/log")" = 0 ]
        env YDSYNC_AUDIT_PERIOD 1h && quiet
        env YDSYNC_AUDIT_PERIOD 0 && sleep 1 && quiet
}

scenario_audit_restores_a_file()
{
        audit_often
        mkdir "$SRC/d" && echo a >"$SRC/d/f" && echo b >"$SRC/d/g" && once && cloud_remove d/f && audited &&
                same
        log 'd/f is missing in the cloud'
        want "only that was sent" [ "$(count put)" = 3 ]
        want "nothing was removed" [ "$(deletes)" = 0 ]
        env YDSYNC_AUDIT_PERIOD 1h && quiet
}

scenario_audit_restores_a_changed_file()
{
        audit_often
        echo mine >"$SRC/f" && echo size >"$SRC/g" && once && cloud_put f they$'\n' && cloud_put g longer$'\n' &&
                audited && same
        log 'f was changed in the cloud by somebody else'
        log 'g was changed in the cloud by somebody else'
        want "theirs are in the Trash" [ "$(fake trash.txt | wc -l)" = 2 ]
}

scenario_audit_restores_what_changed_its_kind()
{
        audit_often
        mkdir -p "$SRC/d/e" && echo a >"$SRC/d/a" && echo b >"$SRC/d/e/b" && echo c >"$SRC/c" && once
        cloud_remove d && cloud_put d theirs && audited && same
        want "their file is in the Trash" [ "$(fake trash.txt | wc -l)" = 1 ]
        log 'something else stands in the cloud where folder d was'
        cloud_remove c && cloud_put c/theirs x && audited 75
        log 'folder that is not ours'
        want "their folder is left alone" cloud_file c/theirs
}

scenario_audit_restores_a_folder()
{
        audit_often
        mkdir -p "$SRC/d/e/f" "$SRC/d/g" "$SRC/x" && for i in 1 2 3; do
                echo "$i" >"$SRC/d/$i" && echo "$i" >"$SRC/d/e/$i" && echo "$i" >"$SRC/d/e/f/$i" && echo "$i" >"$SRC/x/$i"
        done && once && cloud_remove d && audited && same
        log 'folder d is missing in the cloud'
        nolog 'd/e.* is missing'
        want "nothing else was sent" [ "$(count put)" = 21 ]
        want "nothing was removed" [ "$(deletes)" = 0 ]
        env YDSYNC_AUDIT_PERIOD 1h && quiet
}

scenario_audit_leaves_foreign_things_alone()
{
        audit_often
        mkdir "$SRC/d" && echo a >"$SRC/d/a" && once && cloud_put d/foreign x && cloud_put theirs/x y && mark &&
                audited
        want "both are there" [ "$(cloud_tree | grep -c 'foreign\|theirs/x')" = 2 ]
        want "only listings" [ "$(calls)" = 2 ]
}

scenario_audit_sweeps_remnants()
{
        audit_often
        mkdir "$SRC/d" && echo a >"$SRC/d/a" && once && cloud_put "d/ydsync-upload-0123456789abcdef01234567" x &&
                audited && audited && same
}

scenario_audit_without_a_listing_forgets_nothing()
{
        local n
        audit_often
        mkdir -p "$SRC/d/e" && for i in 1 2 3 4; do echo "$i" >"$SRC/d/$i" && echo "$i" >"$SRC/d/e/$i"; done && once
        for n in '{"html":502}' '{"garbage":"{}"}' '{"garbage":""}' '{"truncate":true}' '{"status":404}' \
                '{"html":404}' '{"reset":"middle"}' \
                '{"garbage":"{\"type\":\"dir\",\"_embedded\":{\"total\":5,\"offset\":0,\"items\":[]}}"}'; do
                fake fault -X DELETE >/dev/null
                fault "{\"on\":\"list\",\"path\":\"Docs/d\",\"times\":2,\"do\":$n}"
                audited && same
                nolog 'missing|changed'
        done
        want "nothing was sent again" [ "$(count put)" = 8 ]
        want "nothing was removed" [ "$(deletes)" = 0 ]
}

scenario_audit_goes_on_beside_a_folder_that_cannot_be_listed()
{
        audit_often
        mkdir -p "$SRC/d" "$SRC/e" && echo 1 >"$SRC/d/1" && echo 2 >"$SRC/e/2" && once && cloud_remove e/2
        fault '{"on":"list","path":"Docs/d","times":-1,"do":{"error":"ForbiddenError","status":403}}'
        audited 75
        log 'folder d cannot be compared with the cloud'
        want "the other one was mended" cloud_file e/2
        fake fault -X DELETE >/dev/null
        audited && same
}

scenario_audit_when_the_whole_folder_is_gone()
{
        env YDSYNC_AUDIT_PERIOD 8s
        mkdir "$SRC/d" && for i in $(seq 110); do echo "$i" >"$SRC/d/$i"; done && once
        cloud_remove "" && sleep 8.1 && mark && once 75
        log 'the audit: 111 of 111 known entries are not in disk:/Backup/Docs'
        want "nothing was sent on the strength of one look" [ "$(calls)" = 2 ]
        mark && once 75
        nolog 'the audit:'
        want "not before its time" [ "$(calls)" = 0 ]
        sleep 2.1 && once && same
        log 'Docs is missing in the cloud; it is sent again'
        want "nothing was removed" [ "$(deletes)" = 0 ]
        quiet
}

scenario_audit_takes_a_false_alarm_back()
{
        env YDSYNC_AUDIT_PERIOD 8s
        mkdir "$SRC/d" && for i in $(seq 110); do echo "$i" >"$SRC/d/$i"; done && once
        fake "move?from=$CLOUD/d&path=disk:/elsewhere" -d '' >/dev/null
        sleep 8.1 && once 75
        log 'the audit: 111 of 111 known entries'
        fake "move?from=disk:/elsewhere&path=$CLOUD/d" -d '' >/dev/null
        sleep 2.1 && once && same
        want "nothing was sent again" [ "$(count put)" = 110 ]
        quiet
}

scenario_audit_of_a_daemon()
{
        audit_often && env SYNCHRONIZATION_PERIOD 200ms
        mkdir -p "$SRC/d/e" && echo a >"$SRC/d/a" && echo b >"$SRC/d/e/b" && start && within 10 equal
        cloud_remove d/a && within 10 cloud_file d/a && cloud_put d/e/b theirs && within 10 equal
        cloud_remove d && within 10 equal
        stop
        log 'd/a is missing in the cloud'
}

# The place is kept: what was compared before the end of the program is not compared again.
scenario_audit_goes_on_after_a_kill()
{
        local n
        audit_often
        for i in $(seq 300); do mkdir "$SRC/$i" && echo "$i" >"$SRC/$i/f"; done
        once && env YDSYNC_PARALLEL 1 && knob '{"latency_ms":20}'
        cloud_remove 1/f && cloud_remove 99/f
        fake "reset?what=journal" -d '' >/dev/null
        sleep 1.1
        env YDSYNC_AUDIT_PERIOD 4s
        start
        within 60 eval '[ "$(count list)" -gt 275 ]'
        kill -KILL "$DAEMON" && wait "$DAEMON" 2>/dev/null
        DAEMON=
        want "the place is noted" [ -n "$(sqlite_at)" ]
        fake "reset?what=journal" -d '' >/dev/null
        knob '{"latency_ms":0}' && once && same
        n=$(fake journal | jq -rs '[.[] | select(.endpoint=="list")] | length')
        want "only the rest was listed: $n" [ "$n" -lt 200 ]
}

sqlite_at()
{
        sqlite3 -readonly "$T/state/state.db" "SELECT value FROM meta WHERE name = 'audit.at'"
}

scenario_audit_after_the_clock_jumped()
{
        env YDSYNC_AUDIT_PERIOD 20s
        command -v faketime >/dev/null || skip "needs faketime"
        ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0
        echo a >"$SRC/f" && once && cloud_remove f && mark && once
        want "it is not due" [ "$(calls)" = 0 ]
        WRAP="faketime -f +1h" once && same
        log 'f is missing in the cloud'
        # The stamp is an hour ahead now: that is no reason to wait for them.
        cloud_remove f && once && same
}

# rot FROM TO: other bytes on the disk, and no stat shows it
rot()
{
        local at
        umount "$SRC" || die "cannot unmount"
        at=$(grep -abo -m 1 -- "$1" "$T/disk" | cut -d: -f1) || die "the content is not on the disk"
        printf %s "$2" | dd of="$T/disk" bs=1 seek="${at%%[!0-9]*}" conv=notrunc status=none
        mount -o loop "$T/disk" "$SRC" || die "cannot mount"
}

scenario_audit_reads_again()
{
        image disk && mount -o loop "$T/disk" "$SRC" && mkdir "$SRC/d" && printf 'the right bytes, %4000s' x >"$SRC/d/f" && echo b >"$SRC/d/g" && sync &&
                sleep 2.1 && once && rot 'the right bytes' 'the wrong bytes'
        env YDSYNC_AUDIT_PERIOD 1h && quiet
        [ "$(head -c 15 "$SRC/d/f")" = 'the wrong bytes' ] || die "the test did not change the content"
        audit_often && audited && same
        log 'the content of d/f is no longer what was sent'
        log 'replaced d/f'
        want "only that was sent" [ "$(count put)" = 3 ]
        want "nothing is left to do" [ "$(fake trash.txt | wc -l)" = 0 ]
        env YDSYNC_AUDIT_PERIOD 1h && quiet
}

# The files are read beside the passes of a daemon, batch by batch.
scenario_audit_of_a_daemon_reads_again()
{
        env SYNCHRONIZATION_PERIOD 200ms
        image disk && mount -o loop "$T/disk" "$SRC"
        printf 'the right bytes, %4000s' x >"$SRC/f" && sync && sleep 2.1 && once &&
                rot 'the right bytes' 'the wrong bytes' && audit_often && start && within 20 equal
        stop
        log 'replaced f'
}
