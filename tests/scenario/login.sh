# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2119,SC2120,SC2034,SC2086
#
# From a code on the screen to a token that renews itself.

# A .env without a token, and a program that the service knows.
nobody_yet()
{
        env YANDEX_TOKEN '' && env YDSYNC_OAUTH_URL "$API" && env YDSYNC_CLIENT_ID my-program &&
                env YDSYNC_CLIENT_SECRET my-secret &&
                knob '{"client_id":"my-program","client_secret":"my-secret","device_pending":1,"device_interval":1}'
}

login()
{
        local status=${1:-0} got=0
        timeout 60 $WRAP "$YDSYNC" --env "$T/env" login >"$T/said" 2>"$T/log" </dev/null || got=$?
        [ "$got" = "$status" ] || die "login ended with $got, not $status: $(cat "$T/said")"
}

# The words of the tokens are nowhere but in their file.
nothing_told()
{
        local secret
        for secret in $(jq -r '.access_token, .refresh_token, .client_secret' "$T/state/token"); do
                ! grep -qF -- "$secret" "$T/log" "$T/said" "$T/out" 2>/dev/null || die "a secret is told"
        done
}

grants()
{
        jq -r "$1" "$T/state/token"
}

scenario_login_to_the_first_upload()
{
        echo x >"$SRC/x" && nobody_yet && once 78 && log 'ydsync login'
        login && grep -q 'https://ya.ru/device' "$T/said" && grep -q 'Signed in' "$T/said"
        want "for its owner alone" [ "$(stat -c %a "$T/state/token")" = 600 ]
        want "no picture where nobody looks" [ "$(wc -l <"$T/said")" -le 5 ]
        once && same && nothing_told && quiet
}

scenario_login_declined_late_and_wrong()
{
        nobody_yet && knob '{"device_result":"expired"}' && login 77 && log 'not good any more'
        knob '{"device_result":"denied"}' && login 77
        want "nothing is kept" [ ! -e "$T/state/token" ]
        knob '{"device_result":"ok"}' && env YDSYNC_CLIENT_SECRET other && login 77 &&
                log 'does not accept the program'
        env YDSYNC_CLIENT_ID '' && login 78 && log 'YDSYNC_CLIENT_ID'
}

scenario_login_with_a_bad_network()
{
        nobody_yet && fault '{"on": "token", "times": 2, "do": {"reset": "before"}}' && login
        fault '{"on": "device", "times": 1, "do": {"html": 502}}' && login 69
        fault '{"on": "device", "times": 1, "do": {"garbage": "{\"device_code\":\"x\",\"user_code\":\"y\",\"verification_url\":\"javascript:alert(1)\"}"}}' &&
                login 69
        env YDSYNC_OAUTH_URL http://127.0.0.1:9 && login 69
        echo x >"$SRC/x" && once && same
}

# Whoever has a token written down does without, and is told which of the two counts.
scenario_login_beside_a_token()
{
        nobody_yet && env YANDEX_TOKEN fake-token && login && log 'goes before'
        echo x >"$SRC/x" && once && same
}

scenario_login_file_that_others_can_read()
{
        nobody_yet && login && chmod 644 "$T/state/token" && once 78 && log 'chmod 600'
        echo '{}' >"$T/state/token" && chmod 600 "$T/state/token" && once 78 && log 'ydsync login'
        head -c 100000 /dev/urandom >"$T/state/token" && once 78
}

scenario_login_renewed_in_time()
{
        local before
        nobody_yet && knob '{"token_life_s":40}' && login && before=$(grants .refresh_token)
        env SYNCHRONIZATION_PERIOD 1 && echo x >"$SRC/x" && start && within 60 equal
        within 60 eval "[ \"\$(jq -r .refresh_token '$T/state/token')\" != '$before' ]"
        within 60 grep -q 'the token was renewed' "$T/log"
        echo y >"$SRC/y" && within 60 equal && stop && nothing_told
        nolog 'refused'
}

scenario_login_renewed_when_refused()
{
        local before
        nobody_yet && login && echo x >"$SRC/x" && once && same && before=$(grants .access_token)
        fault '{"on": "link", "do": {"error": "UnauthorizedError"}}' && echo y >"$SRC/y" && once && same
        want "another token" [ "$(grants .access_token)" != "$before" ]
        nolog 'Get a new token'
        # and by the daemon
        before=$(grants .access_token) && env SYNCHRONIZATION_PERIOD 1 && start && within 30 equal &&
                fault '{"on": "link", "do": {"error": "UnauthorizedError"}}' && echo z >"$SRC/z" &&
                within 60 equal && stop && nothing_told
        want "another token again" [ "$(grants .access_token)" != "$before" ]
}

scenario_login_that_cannot_be_renewed()
{
        nobody_yet && login && echo x >"$SRC/x" && once
        fake "reset?what=tokens" -d '' >/dev/null && echo y >"$SRC/y" && once 77 && log 'ydsync login' &&
                want "said once" [ "$(grep -c 'ydsync login' "$T/log")" = 1 ]
        login && once && same
}

# The daemon waits for an OAuth service that does not answer, and goes on when it does.
scenario_login_renewing_waits()
{
        nobody_yet && login && env SYNCHRONIZATION_PERIOD 1 && fast 30 && start &&
                within 30 grep -q 'made the cloud folder' "$T/log"
        fault '{"on": "token", "times": 1, "do": {"html": 503}}' &&
                fault '{"on": "link", "do": {"error": "UnauthorizedError"}}'
        echo x >"$SRC/x" && within 60 grep -q 'cannot be renewed yet' "$T/log" && within 60 equal && stop
        nolog 'stopped'
}

# Another login, while the daemon runs, is taken up.
scenario_login_again_while_it_runs()
{
        nobody_yet && login && env SYNCHRONIZATION_PERIOD 1 && echo x >"$SRC/x" && start && within 30 equal
        fake "reset?what=tokens" -d '' >/dev/null && login && cp "$T/log" "$T/log2"
        echo y >"$SRC/y" && within 60 equal && stop
}

# Killed between the reply and the disk, the refresh token is lost with it: somebody must sign in again,
# and hears so.
scenario_login_killed_while_renewing()
{
        nobody_yet && knob '{"token_life_s":4}' && login && sleep 2 && echo x >"$SRC/x"
        for step in 1 2 3 4; do
                YDSYNC_DIE_AT=$step timeout 60 "$YDSYNC" --env "$T/env" once >"$T/out" 2>"$T/log2"
                want "the file is whole" [ "$(grants '.refresh_token | length > 20')" = true ]
        done
        "$YDSYNC" --env "$T/env" once >"$T/out" 2>"$T/log" || grep -q 'ydsync login' "$T/log" ||
                die "it does not say what to do"
        login && once && same
}

scenario_login_shows_a_picture()
{
        nobody_yet
        script -qec "env LC_ALL=C.UTF-8 $YDSYNC --env $T/env login" /dev/null </dev/null >"$T/said" 2>&1
        want "a QR code" [ "$(grep -c '█' "$T/said")" -ge 10 ]
        grep -q 'Signed in' "$T/said"
}
