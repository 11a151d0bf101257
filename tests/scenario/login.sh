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
        "$YDSYNC" --env "$T/env" check >"$T/said" && grep -qE 'lives for 36[45] d more' "$T/said" && nothing_told
}

# on_a_terminal COMMAND…: answers its two questions, the second once nothing is shown any more
on_a_terminal()
{
        python3 - "$@" <<'END' >"$T/said"
import os, pty, sys, termios, time
child, fd = pty.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])
said = b''
def until(word):
    global said
    while word not in said:
        said += os.read(fd, 4096)
until(b'ClientID: ')
os.write(fd, b'my-program\n')
until(b'Enter): ')
for _ in range(600):
    if not termios.tcgetattr(fd)[3] & termios.ECHO:
        break
    time.sleep(0.1)
os.write(fd, b'my-secret\n')
try:
    while True:
        more = os.read(fd, 4096)
        if not more:
            break
        said += more
except OSError:
    pass
sys.stdout.buffer.write(said)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
END
}

scenario_login_asks_for_the_program()
{
        nobody_yet && env YDSYNC_CLIENT_ID '' && env YDSYNC_CLIENT_SECRET ''
        LC_ALL=C on_a_terminal "$YDSYNC" --env "$T/env" login || die "it failed: $(cat "$T/said")"
        want "what was asked for is kept" [ "$(grants '.client_id + " " + .client_secret')" = "my-program my-secret" ]
        grep -q my-program "$T/said" && nothing_told
        login && echo x >"$SRC/x" && once && same # and known the next time
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
        fault '{"on": "device", "times": 1, "do": {"garbage": "{\"device_code\":\"x\",\"user_code\":\"y\",\"verification_url\":\"http://ya.ru/device\"}"}}' &&
                login 69
        want "no link that others could read along is shown" [ "$(grep -c ya.ru "$T/said")" = 0 ]
        jq -n '{on: "device", times: 1, do: {garbage: ("x" * 100000)}}' >"$T/rule"
        fake fault -d "@$T/rule" >/dev/null && login 69
        fault '{"on": "token", "times": 1, "do": {"garbage": "<html>"}}' && login 69
        want "nothing is kept" [ "$(grants .client_id)" = my-program ]
        env YDSYNC_OAUTH_URL http://127.0.0.1:9 && login 69
        echo x >"$SRC/x" && once && same
}

# Asked to ask more rarely, it waits five seconds longer each time: two questions in less than 5 s would
# be too many.
scenario_login_slower()
{
        local gap
        nobody_yet && knob '{"device_pending":0}' && export YDSYNC_HASTE=10
        fault '{"on": "token", "times": 1, "do": {"status": 400, "json": {"error": "slow_down"}}}'
        login && gap=$(fake journal | jq -s '[.[] | select(.endpoint == "token") | .t_ms] | .[1] - .[0]')
        want "six seconds between the two, ten times as fast" [ "$gap" -ge 590 ]
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

# The reply is lost, and with it the refresh token: the access token is used as long as it is good, and
# then somebody must sign in again.
scenario_login_renewed_in_vain()
{
        nobody_yet && knob '{"token_life_s":3600}' && login && echo x >"$SRC/x" && once && same
        fault '{"on": "token", "do": {"reset": "after"}}'
        jq '.since -= 3600' "$T/state/token" >"$T/older" && cat "$T/older" >"$T/state/token"
        echo y >"$SRC/y" && once && same && log 'cannot be renewed yet'
        echo z >"$SRC/z" && once && same && log 'cannot be renewed yet.*ydsync login'
        fault '{"on": "link", "do": {"error": "UnauthorizedError"}}' && echo a >"$SRC/a" && once 77 &&
                log 'stopped: the token is refused.*ydsync login'
        login && once && same
}

# The daemon waits for an OAuth service that does not answer, and goes on when it does.
scenario_login_renewing_waits()
{
        nobody_yet && login && env SYNCHRONIZATION_PERIOD 1 && fast 10 && start &&
                within 30 grep -q 'made the cloud folder' "$T/log"
        fault '{"on": "token", "times": 1, "do": {"html": 503}}' &&
                fault '{"on": "link", "do": {"error": "UnauthorizedError"}}'
        echo x >"$SRC/x" && within 60 grep -q 'cannot be renewed yet' "$T/log" && within 60 equal && stop
        nolog 'stopped'
}

idle()
{
        "$YDSYNC" --env "$T/env" status --json | jq -e '.state == "idle"'
}

# Another login, while the daemon runs, is taken up.
scenario_login_again_while_it_runs()
{
        nobody_yet && login && env SYNCHRONIZATION_PERIOD 1 && echo x >"$SRC/x" && once && start && within 60 idle
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
        knob '{"token_life_s":3600}'
        login && once && same
}

scenario_login_shows_a_picture()
{
        nobody_yet
        script -qec "env LC_ALL=C.UTF-8 $YDSYNC --env $T/env login" /dev/null </dev/null >"$T/said" 2>&1
        want "a QR code" [ "$(grep -c '█' "$T/said")" -ge 10 ]
        grep -q 'Signed in' "$T/said"
}
