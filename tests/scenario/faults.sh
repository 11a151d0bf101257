# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2016,SC2119,SC2120
# What the service and the network do to us; the mirror ends equal.

some_files()
{
        mkdir -p "$SRC/d/e" && for i in 1 2 3 4; do
                echo "$i $RANDOM" >"$SRC/$i" && echo "d $i" >"$SRC/d/$i" && echo "e $i" >"$SRC/d/e/$i"
        done && mib 1 >"$SRC/d/f.zip"
}

# survives FAULT…: the first mirror with these faults, then changes and removals with them again
survives()
{
        some_files
        for f in "$@"; do fault "$f"; done
        once
        fake fault -X DELETE >/dev/null
        same
        for f in "$@"; do fault "$f"; done
        echo changed >"$SRC/1" && rm "$SRC/2" && rm -r "$SRC/d/e" && mib 1 >"$SRC/d/f.zip" && once
        fake fault -X DELETE >/dev/null
        same && sleep 2 && once && fake "reset?what=journal" -d '' >/dev/null && once
        # What a lost answer may still bring is looked for.
        want "silent" [ "$(fake journal | jq -r .path | grep -vc ydsync-upload-)" = 0 ]
        want "no wire name is left" [ "$(cloud_tree | grep -c ydsync-upload-)" = 0 ]
}

scenario_fault_500_everywhere()
{
        survives '{"on":"any","every":4,"times":6,"do":{"status":500,"error":"InternalServerError"}}'
}

scenario_fault_502_html()
{
        survives '{"on":"any","every":5,"times":6,"do":{"html":502}}'
}

scenario_fault_503_empty()
{
        survives '{"on":"link","times":3,"do":{"status":503,"body":""}}' \
                '{"on":"put","times":3,"do":{"status":503,"body":""}}' \
                '{"on":"mkdir","times":2,"do":{"status":503,"body":""}}'
}

scenario_fault_html_with_200()
{
        survives '{"on":"link","times":2,"do":{"status":200,"type":"text/html","body":"<html>log in"}}' \
                '{"on":"list","times":2,"do":{"status":200,"type":"text/html","body":"<html>log in"}}'
}

scenario_fault_truncated_json()
{
        survives '{"on":"link","times":3,"do":{"truncate":true}}' \
                '{"on":"list","times":3,"do":{"truncate":true}}' \
                '{"on":"operation","times":1,"do":{"truncate":true}}'
}

scenario_fault_reset_before()
{
        survives '{"on":"any","every":5,"times":5,"do":{"reset":"before"}}'
}

scenario_fault_reset_after()
{
        survives '{"on":"mkdir","times":2,"do":{"reset":"after"}}' \
                '{"on":"move","times":1,"do":{"reset":"after"}}' \
                '{"on":"delete","times":1,"do":{"reset":"after"}}'
}

scenario_fault_put_reset_before_stored()
{
        echo a >"$SRC/f" && mib 1 >"$SRC/g.zip" && fault '{"on":"put","times":2,"do":{"reset":"before"}}' &&
                once && same
}

scenario_fault_put_reset_in_the_middle()
{
        mib 2 >"$SRC/f" && mib 1 >"$SRC/g.zip" && fault '{"on":"put","times":2,"do":{"reset":"middle"}}' &&
                once && same
}

scenario_fault_put_reset_after_stored()
{
        echo a >"$SRC/f" && mib 1 >"$SRC/g.zip" && fault '{"on":"put","times":2,"do":{"reset":"after"}}' &&
                once && same
        want "nothing was sent twice" [ "$(count put)" = 2 ]
        mark && echo bb >"$SRC/f" && fault '{"on":"put","times":1,"do":{"reset":"after"}}' && once && same
        want "nor when it replaced" [ "$(count put)" = 3 ]
}

scenario_fault_put_500_after_stored()
{
        echo a >"$SRC/f" && knob '{"visibility_ms":1500}' && fault '{"on":"put","do":{"reset":"after"}}' &&
                once && same
        want "nothing was sent twice" [ "$(count put)" = 1 ]
}

scenario_fault_202()
{
        knob '{"put_reply":"202","put_commit_ms":400,"op_polls":2}' && some_files && once && same
        want "nothing was sent twice" [ "$(count put)" = 13 ]
        sleep 2 && once && quiet
}

scenario_fault_operation_fails()
{
        mib 1 >"$SRC/f" && knob '{"put_reply":"202","put_commit_ms":200,"op_result":"failed"}' && start &&
                within 10 eval '[ "$(count put)" -ge 2 ]' && knob '{"op_result":"success"}' &&
                within 20 equal && stop
}

scenario_fault_late_visibility()
{
        knob '{"visibility_ms":1200}' && some_files && once && same
        want "nothing was sent twice" [ "$(count put)" = 13 ]
}

scenario_fault_used_link()
{
        echo a >"$SRC/f" && fault '{"on":"put","times":1,"do":{"status":400,"body":""}}' && once && same
}

scenario_fault_expired_link()
{
        echo a >"$SRC/f" && knob '{"link_life_ms":1}' && fault '{"on":"put","times":1,"do":{"status":410,"body":""}}' &&
                knob '{"link_life_ms":1800000}' && once && same
}

scenario_fault_429()
{
        knob '{"rate":20}' && some_files && TIMEOUT=90 once && same
}

scenario_fault_429_with_retry_after()
{
        some_files && fault '{"on":"link","times":2,"do":{"status":429,"headers":{"Retry-After":"2"},"error":"TooManyRequestsError"}}' &&
                mark && local from=$SECONDS && once && same
        want "it waited" [ $((SECONDS - from)) -ge 2 ]
        log 'too many requests'
}

scenario_pace_under_the_limit()
{
        env YDSYNC_API_RATE '' && knob '{"rate":40}' && for i in $(seq 60); do echo "$i" >"$SRC/$i"; done &&
                once && same
        want "never 429" [ "$(fake journal | grep -c '"status":429')" = 0 ]
        want "at most 40 a second: $(count max_rps)" [ "$(count max_rps)" -le 40 ]
}

scenario_fault_423_locked()
{
        survives '{"on":"link","times":3,"do":{"status":423,"error":"DiskResourceLockedError"}}' \
                '{"on":"delete","times":3,"do":{"status":423,"error":"DiskResourceLockedError"}}' \
                '{"on":"move","times":2,"do":{"status":423,"error":"DiskResourceLockedError"}}'
}

scenario_fault_423_while_a_tree_is_deleted()
{
        knob '{"op_ms":800}' && mkdir -p "$SRC/d/e" && echo 1 >"$SRC/d/e/1" && once && rm -r "$SRC/d" && once &&
                same
}

scenario_fault_404_parent_vanished()
{
        env YDSYNC_AUDIT_PERIOD 20s && mkdir -p "$SRC/a/b" && echo 1 >"$SRC/a/b/1" && once &&
                fake "remove?path=$(urlenc "$CLOUD/a")" -d '' && echo 2 >"$SRC/a/b/2" && once && same
        log 'a/b/1 is missing in the cloud'
}

scenario_fault_409_parent_at_commit()
{
        echo 1 >"$SRC/f" && fault '{"on":"put","times":1,"do":{"status":409,"body":""}}' && once && same
}

scenario_fault_401()
{
        some_files && once && knob '{"token_expired":true}' && echo b >"$SRC/new" && mark && once 77
        want "no storm: $(calls) calls" [ "$(calls)" -le 3 ]
        log 'token is not accepted'
        knob '{"token_expired":false}' && once && same
}

scenario_fault_401_in_the_middle()
{
        some_files && fault '{"on":"link","skip":5,"times":-1,"do":{"status":401,"error":"UnauthorizedError"}}' &&
                once 77
        fake fault -X DELETE >/dev/null && once && same
}

scenario_fault_wrong_token()
{
        env YANDEX_TOKEN nonsense && echo a >"$SRC/f" && once 77
        nolog nonsense
}

scenario_fault_403_is_not_the_account()
{
        some_files && fault '{"on":"link","path":"/d/e/","times":-1,"do":{"status":403,"error":"ForbiddenError"}}' &&
                once 75
        want "the others are there" cloud_file d/1
        fake fault -X DELETE >/dev/null && once && same
}

scenario_fault_404_page_of_a_balancer()
{
        echo a >"$SRC/f" && once && rm "$SRC/f" && fault '{"on":"delete","times":1,"do":{"html":404}}' && once && same
}

scenario_fault_200_page_for_changes()
{
        survives '{"on":"move","times":1,"do":{"status":200,"type":"text/html","body":"<html>"}}' \
                '{"on":"mkdir","times":1,"do":{"status":200,"type":"text/html","body":"<html>"}}' \
                '{"on":"delete","times":1,"do":{"status":200,"type":"text/html","body":"<html>"}}' \
                '{"on":"put","times":1,"do":{"status":200,"type":"text/html","body":"<html>"}}'
}

scenario_half_a_mebibyte()
{
        local n
        for n in 524287 524288 524289 1048576; do head -c $n /dev/urandom >"$SRC/$n.txt"; done
        env YDSYNC_VERIFY off && once && same && sleep 2 && once && rm -r "$T/state" && mark && once && same
        want "the md5 that was written down is right" [ "$(count put)" = 4 ]
        rm "$SRC"/*.txt && once && same
}

scenario_stopped_in_the_first_pass()
{
        knob '{"put_bps":100000}' && echo a >"$SRC/a" && echo b >"$SRC/b" && mib 1 >"$SRC/big" && start &&
                within 10 eval '[ "$(cloud_tree | wc -l)" -ge 2 ]' && sleep 1 && stop
        rm "$SRC/a" && knob '{"put_bps":0}' && once && same
}

scenario_approve_beside_run()
{
        local id
        env SYNCHRONIZATION_PERIOD 1 && for i in $(seq 120); do echo "$i" >"$SRC/$i"; done && start &&
                within 15 equal && rm "$SRC"/* && within 10 grep -q HELD "$T/log"
        sleep 1.5
        id=$(sed -n 's/.*ydsync approve \([0-9a-f]*\).*/\1/p' "$T/log" | head -n 1)
        "$YDSYNC" --env "$T/env" approve "$id" >"$T/out" 2>&1 || die "refused: $(cat "$T/out")"
        within 10 equal && stop
}

scenario_foreign_file_where_a_file_became_a_folder()
{
        echo a >"$SRC/x" && once && cloud_put x theirs && rm "$SRC/x" && mkdir "$SRC/x" && echo f >"$SRC/x/f" &&
                once && same
        want "theirs is in the Trash" [ "$(fake trash.txt | wc -l)" = 1 ]
}

scenario_foreign_file_into_a_folder_being_removed()
{
        env YDSYNC_DELETE permanent && mkdir "$SRC/d" && echo 1 >"$SRC/d/1" && once && rm -r "$SRC/d" &&
                fault '{"on":"delete","do":{"before":[{"put":"disk:/Backup/Docs/d/late","text":"x"}]}}' && once && same
        want "it can be got back" [ "$(fake trash.txt | wc -l)" -ge 1 ]
}

scenario_fault_403()
{
        echo a >"$SRC/f" && knob '{"account":"unsupported"}' && once 77
        log 'this account has no Disk'
}

scenario_fault_413()
{
        knob '{"max_file_size":1000000}' && mib 2 >"$SRC/big.txt" && echo a >"$SRC/small" && once 75
        log 'cannot upload big.txt: it is larger than the account allows'
        want "the other is there" cloud_file small
}

scenario_fault_507()
{
        mkdir "$SRC/gone" && echo x >"$SRC/gone/x" && once && knob '{"quota":1500000}' &&
                mib 2 >"$SRC/big.txt" && rm -r "$SRC/gone" && once 75
        log 'uploads are paused: the Disk is full'
        want "removals went on" [ "$(cloud_tree | grep -c gone)" = 0 ]
        knob '{"quota":10737418240}' && once && same
}

scenario_fault_upload_allowance()
{
        fault '{"on":"link","times":-1,"do":{"status":423,"error":"DiskUploadTrafficLimitExceeded"}}' &&
                echo a >"$SRC/f" && mkdir "$SRC/d" && once 75
        log "upload allowance"
        want "folders are made" cloud_file d
        fake fault -X DELETE >/dev/null && once && same
}

scenario_fault_maintenance()
{
        some_files && knob '{"readonly":true}' && start && sleep 1.5 && knob '{"readonly":false}' &&
                within 30 equal && stop
}

scenario_fault_stored_wrong()
{
        fast 10 && echo abcdef >"$SRC/f" && echo xyz >"$SRC/g" && fault '{"on":"put","times":1,"do":{"corrupt":true}}' &&
                once && same
        log 'not in the cloud as they were sent'
}

scenario_fault_stored_wrong_verify_each()
{
        fast 10 && env YDSYNC_VERIFY each && echo abcdef >"$SRC/f" && fault '{"on":"put","times":1,"do":{"corrupt":true}}' &&
                TIMEOUT=90 once 75
        once && same
}

scenario_fault_stored_nothing()
{
        fast 10 && echo abcdef >"$SRC/f" && fault '{"on":"put","times":1,"do":{"forget":true}}' && once && same
}

scenario_fault_silent_pause_after_the_last_byte()
{
        knob '{"put_pause_ms":2000}' && echo a >"$SRC/f" && once && same
        want "sent once" [ "$(count put)" = 1 ]
}

scenario_fault_server_down_then_up()
{
        some_files && env YDSYNC_API_URL http://127.0.0.1:9 && start && sleep 1 && stop
        log 'cannot be reached'
        env YDSYNC_API_URL "$API" && once && same
}

scenario_fault_link_to_another_host()
{
        echo a >"$SRC/f" && knob '{"href_host":"example.invalid"}' && once 75
        log 'address that is not safe'
        want "nothing was sent" [ "$(count put)" = 0 ]
        nolog 'upload-target'
}

scenario_no_token_to_the_upload_host()
{
        some_files && once && same
        want "no Authorization there" [ "$(fake journal | jq -c 'select(.origin=="uploader" and .auth)' | wc -l)" = 0 ]
        want "but on the API" [ "$(fake journal | jq -c 'select(.origin=="api" and (.auth|not))' | wc -l)" = 0 ]
        want "Content-Length always" [ "$(fake journal | jq -c 'select(.endpoint=="put" and (.expected_length < 0 or .expected_length == null))' | wc -l)" = 0 ]
        nolog fake-token
        nolog upload-target
}

scenario_file_changes_while_it_is_sent()
{
        env SYNCHRONIZATION_PERIOD 1 && knob '{"put_bps":8000000}' && mib 24 >"$SRC/f" && start &&
                within 10 eval '[ "$(count link)" -ge 1 ]' && sleep 0.7
        want "it is still being sent" [ -z "$(cloud_file f)" ]
        echo more >>"$SRC/f"
        want "the first was given up" [ -z "$(cloud_file f)" ]
        within 30 equal && stop
        want "twice begun, once stored" [ "$(fake journal | jq -c 'select(.endpoint=="put" and .status==201)' | wc -l)" = 1 ]
}

scenario_sigterm_in_mid_transfer()
{
        knob '{"put_bps":500000}' && mib 4 >"$SRC/f" && mib 4 >"$SRC/g.zip" && start &&
                within 10 eval '[ "$(count link)" -ge 2 ]' && sleep 0.3 && local from=$SECONDS && stop
        want "out within 5 s" [ $((SECONDS - from)) -le 5 ]
        want "nothing half-sent is there" [ "$(cloud_tree | wc -l)" = 0 ]
        knob '{"put_bps":0}' && once && same
}

scenario_second_instance_is_refused()
{
        echo a >"$SRC/f" && start && within 10 equal && cp "$T/log" "$T/first" && once 73
        log 'another ydsync|uses'
        stop
}

scenario_damaged_snapshot_is_set_aside()
{
        some_files && once && printf 'garbage' | dd of="$T/state/state.db" bs=1 seek=0 conv=notrunc 2>/dev/null &&
                once && same
        log 'kept as'
        want "nothing was sent again" [ "$(count put)" = 13 ]
        want "nothing was deleted" [ "$(count delete)" = 0 ]
}

scenario_snapshot_damaged_where_only_a_scan_sees_it()
{
        for i in $(seq 200); do echo "$i" >"$SRC/file-with-a-rather-long-name-$i"; done
        once && for _ in 1 2 3; do
                printf 'XXXXXXXX' | dd of="$T/state/state.db" bs=1 seek=$((4096 * 5 + RANDOM % 2000 + 1500)) \
                        conv=notrunc 2>/dev/null
        done
        once && same
        want "nothing was sent again" [ "$(count put)" = 200 ]
        want "nothing was deleted" [ "$(count delete)" = 0 ]
        sleep 2 && once && quiet
}

scenario_snapshot_removed_while_running()
{
        env SYNCHRONIZATION_PERIOD 1 && some_files && start && within 15 equal && rm "$T"/state/state.db* &&
                echo more >"$SRC/more" && within 15 equal && stop
        want "nothing was sent again" [ "$(count put)" = 14 ]
        want "nothing was deleted" [ "$(count delete)" = 0 ]
}

scenario_unreadable_file()
{
        if [ "$(id -u)" = 0 ]; then
                setpriv --reuid 65534 --clear-groups test -x "$YDSYNC" || {
                        echo "the build cannot be run by another user"
                        exit 77
                }
                # shellcheck disable=SC2034
                WRAP="setpriv --reuid 65534 --clear-groups"
        fi
        echo a >"$SRC/a" && echo b >"$SRC/b" && mkdir "$SRC/d" && echo c >"$SRC/d/c" && chmod 777 "$T" &&
                chown -R 65534 "$SRC" "$T/env" && once && same
        echo aa >"$SRC/a" && rm "$SRC/b" && chmod 0 "$SRC/a" "$SRC/d" && once 75
        log 'cannot upload a: it cannot be read: Permission denied'
        log 'cannot see d: Permission denied; nothing there is removed'
        want "what is below stays" cloud_file d/c
        want "elsewhere removals go on" [ "$(cloud_tree | grep -c ' b$')" = 0 ]
        chmod 700 "$SRC/a" "$SRC/d" && once && same
}

scenario_what_goes_on_failing_is_said_once()
{
        env SYNCHRONIZATION_PERIOD 1 && some_files && start && within 15 equal && mv "$SRC" "$T/away" && sleep 3.5
        want "a missing folder" [ "$(grep -c 'is not there' "$T/log")" = 1 ]
        mv "$T/away" "$SRC" && knob '{"readonly":false}' && fault '{"on":"any","times":-1,"do":{"reset":"before"}}' &&
                echo x >"$SRC/x" && sleep 3.5 && fake fault -X DELETE >/dev/null && within 30 equal && stop
        want "a broken line: $(grep -c warning "$T/log")" [ "$(grep -c warning "$T/log")" -le 2 ]
}

scenario_run_ends_when_the_token_is_refused()
{
        env SYNCHRONIZATION_PERIOD 1 && some_files && start && within 15 equal && knob '{"token_expired":true}' &&
                echo x >"$SRC/x" && within 10 eval '! kill -0 "$DAEMON"'
        wait "$DAEMON"
        want "77" [ $? = 77 ]
        DAEMON=
        want "said once" [ "$(grep -c 'token is not accepted' "$T/log")" = 1 ]
}
