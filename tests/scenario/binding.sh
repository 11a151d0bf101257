# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2016,SC2119,SC2120
# What is known is known of one account: another token, another account.

another_token()
{
        fake "token?add=another-token" -d '' >/dev/null
        env YANDEX_TOKEN another-token
}

nothing_deleted()
{
        want "nothing was deleted" [ "$(count delete)" = 0 ]
}

kept()
{
        sqlite3 -readonly "$T/state/state.db" "SELECT value FROM meta WHERE name = '$1'"
}

scenario_token_renewed()
{
        mkdir "$SRC/d" && echo a >"$SRC/d/a" && echo b >"$SRC/b" && once
        want "bound to the account" [ "$(kept account.uid)" = 130000000000001 ]
        want "the token is not kept" [ "$(grep -c fake-token "$T/state/state.db")" = 0 ]
        quiet
        another_token && mark && once
        want "one question: $(calls)" [ "$(calls)" = 1 ]
        nothing_deleted
        quiet
}

scenario_token_of_another_account()
{
        mkdir "$SRC/d" && echo a >"$SRC/d/a" && echo b >"$SRC/b" && echo c >"$SRC/c" && once
        # The other Disk: one file is the same, one is another's, one is not there.
        fake "reset?what=disk" -d '' >/dev/null
        cloud_put b b$'\n' && cloud_put c theirs && knob '{"uid":"77"}'
        another_token && rm "$SRC/b" && once
        log 'of another account'
        want "nothing was removed but what was replaced" [ "$(count delete)" = 1 ]
        want "and that is in the Trash" [ "$(fake trash.txt | wc -l)" = 1 ]
        want "ours is there" cloud_file d/a
        want "what only stands there stays" cloud_file b
        want "bound to the other account" [ "$(kept account.uid)" = 77 ]
        quiet
        # And back again.
        env YANDEX_TOKEN fake-token && fake "reset?what=disk" -d '' >/dev/null && knob '{"uid":"130000000000001"}' && once && same
        want "everything was sent" [ "$(count put)" = 7 ]
        quiet
}

scenario_token_whose_account_is_not_told()
{
        echo a >"$SRC/a" && fault '{"on":"disk","times":-1,"do":{"status":403}}' && once && same
        quiet
        rm "$SRC/a" && echo b >"$SRC/b" && another_token && once
        log 'whose it is cannot be told'
        nothing_deleted
        want "the new one was sent" cloud_file b
        quiet
}

scenario_account_question_in_trouble()
{
        echo a >"$SRC/a" && once
        another_token && fault '{"on":"disk","times":2,"do":{"status":500}}' && once && quiet
        env YANDEX_TOKEN fake-token && fault '{"on":"disk","do":{"garbage":"{\"user\":{\"uid\":7}}"}}' && once && quiet
        nothing_deleted
        env YANDEX_TOKEN refused && once 77
        log 'token is not accepted'
        env YANDEX_TOKEN fake-token && quiet
}

scenario_plan_with_another_token()
{
        echo a >"$SRC/a" && once && rm "$SRC/a" && another_token
        "$YDSYNC" --env "$T/env" plan >"$T/out" 2>"$T/log" || die "plan ended with $?"
        want "it would remove nothing" [ "$(grep -c . "$T/out")" = 0 ]
        env YANDEX_TOKEN fake-token && { "$YDSYNC" --env "$T/env" plan >"$T/out" 2>"$T/log" || true; }
        want "with the old one it would" grep -q '^remove a' "$T/out"
}
