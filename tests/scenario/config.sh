# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2016,SC2119,SC2120
# The .env and the command line.

scenario_the_predecessors_env()
{
        mkdir "$T/logs" "$T/home"
        cat >"$T/env" <<END
YANDEX_TOKEN=fake-token # the token
PATH_TO_FOLDER_ON_PC=$SRC
NAME_FOLDER_CLOUD=Backup/Docs
SYNCHRONIZATION_PERIOD=600 # 10 minutes
PATH_FILE_LOG=$T/logs
END
        chmod 600 "$T/env"
        echo a >"$SRC/f"
        HOME=$T/home XDG_STATE_HOME=$T/home/state YDSYNC_API_URL=$API once && same
        nolog warning
        want "the log file" grep -q 'uploaded f' "$T/logs/ydsync.log"
}

scenario_every_mistake_is_listed()
{
        cat >"$T/env" <<'END'
YANDEX_TOKEN=fake-token
PATH_TO_FOLDER_ON_PC=relative/path
NAME_FOLDER_CLOUD=/
SYNCHRONIZATION_PERIOD=soon
YDSYNC_PARALEL=4
YDSYNC_PARALLEL=1000
YDSYNC_API_URL=http://example.com
END
        chmod 600 "$T/env" && once 78
        log "env:2: PATH_TO_FOLDER_ON_PC: "
        log "env:3: NAME_FOLDER_CLOUD: "
        log "env:4: SYNCHRONIZATION_PERIOD: "
        log "env:5: YDSYNC_PARALEL.*YDSYNC_PARALLEL"
        log "env:6: YDSYNC_PARALLEL: "
        log "env:7: YDSYNC_API_URL: "
        want "no call" [ "$(count total)" = 0 ]
}

scenario_token_that_others_can_read()
{
        chmod 644 "$T/env" && once
        log "chmod 600"
}

scenario_no_env_at_all()
{
        rm "$T/env" && once 78
        log "$T/env"
}

scenario_usage()
{
        "$YDSYNC" --help >"$T/log" || die "--help failed"
        log '^Usage: ydsync'
        "$YDSYNC" --version >"$T/log" || die "--version failed"
        log '^ydsync [0-9]+\.[0-9]+\.[0-9]+$'
        "$YDSYNC" 2>"$T/log"
        want "64 without a command" [ $? = 64 ]
        "$YDSYNC" frobnicate 2>"$T/log"
        want "64 for a wrong one" [ $? = 64 ]
        log 'no such command: frobnicate'
}

# Options stand where one likes, but only with the commands that take them; "--" ends them.
scenario_command_line()
{
        for words in "once --json" "--json once" "once a" approve "approve a b" "once --frobnicate" \
                "once -- --help" "approve -- --help x"; do
                # shellcheck disable=SC2086
                "$YDSYNC" $words >"$T/out" 2>"$T/log"
                want "64: $words" [ $? = 64 ]
                want "nothing on stdout: $words" [ ! -s "$T/out" ]
        done
        echo a >"$SRC/a" && "$YDSYNC" plan --env "$T/env" >"$T/out" 2>"$T/log"
        want "options after the command" [ $? = 1 ]
        "$YDSYNC" --json --env="$T/env" plan >"$T/out" 2>"$T/log"
        want "or before it" [ $? = 1 ]
        "$YDSYNC" approve --help >"$T/log" || die "approve --help failed"
        log '^Usage: ydsync approve ID'
        log '--env FILE'
        "$YDSYNC" --dump-options >"$T/log" || die "--dump-options failed"
        log "^command"$'\t'"approve"$'\t'"ID"$'\t'
        log "^option"$'\t'"plan"$'\t'"--json"$'\t\t'
        want "a line is three to five parts" [ "$(awk -F'\t' 'NF < 4 || NF > 5' "$T/log" | wc -l)" = 0 ]
}

scenario_upload_rate()
{
        local from
        env YDSYNC_UPLOAD_RATE 1M && mib 1 >"$SRC/a" && mib 1 >"$SRC/b" && mib 1 >"$SRC/c" &&
                from=$(date +%s%N) && once && same
        from=$((($(date +%s%N) - from) / 1000000))
        want "3 MiB at 1 MiB/s: $from ms" [ "$from" -gt 2300 ]
        want "and not much slower: $from ms" [ "$from" -lt 12000 ]
}

scenario_parallel_limit()
{
        env YDSYNC_PARALLEL 3 && knob '{"put_pause_ms":50}' && for i in $(seq 30); do echo "$i" >"$SRC/$i"; done &&
                once && same
        want "three at once, no more: $(count max_parallel_put)" [ "$(count max_parallel_put)" -le 3 ]
        want "and not one by one" [ "$(count max_parallel_put)" -ge 2 ]
}
