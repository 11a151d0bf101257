# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2016,SC2119,SC2120
# Exact names: every valid UTF-8 name arrives byte for byte, and stays.

# The names that broke other programs, one a line.
nasty_names()
{
        cat <<'END'
plus+plus
a+b & c.txt
hash#tag
100%
%41
%2B%2F
what?
colon:name
back\slash
"quoted"
'single'
 leading space
trailing space 
 both 
trailing dot.
trailing dots...
.hidden
..twodots
...
-rf
--help
~tilde
$HOME
`id`
;semicolon
a=b&c=d
*star*
<angle>
pipe|pipe
[bracket]
{brace}
comma,comma
@at
!bang
^caret
disk:
trash:
app:x
NUL
COM1
emoji 😀🎉
family 👨‍👩‍👧‍👦
русский файл
日本語
ελληνικά
ﷺ
é-nfc
é-nfd
Å
CASE
case
END
}

scenario_nasty_file_names()
{
        nasty_names | while IFS= read -r name; do
                printf '%s' "$name" >"$SRC/$name"
        done
        once && same
        want "all of them" [ "$(cloud_tree | wc -l)" = "$(nasty_names | wc -l)" ]
        sleep 2 && once && quiet
}

scenario_nasty_folder_names()
{
        nasty_names | while IFS= read -r name; do
                mkdir "$SRC/$name" && printf '%s' "$name" >"$SRC/$name/$name"
        done
        once && same && sleep 2 && once && quiet
        nasty_names | while IFS= read -r name; do
                printf 'changed %s' "$name" >"$SRC/$name/$name"
        done
        once && same
        rm -r "${SRC:?}"/* && env YDSYNC_MAX_DELETE 1000/100% && once
        want "only hidden ones are left" [ "$(cloud_tree | grep -c '^d')" = 3 ]
        same
}

scenario_nfc_and_nfd_are_two()
{
        printf 1 >"$SRC/"$'\xc3\xa9' && printf 2 >"$SRC/"$'e\xcc\x81' && once && same
        want "two files" [ "$(cloud_tree | wc -l)" = 2 ]
        rm "$SRC/"$'\xc3\xa9' && once && same && want "the other is there" [ "$(cloud_tree | wc -l)" = 1 ]
}

scenario_longest_names()
{
        local cyrillic latin
        cyrillic=$(printf 'ж%.0s' $(seq 127))x
        latin=$(printf 'n%.0s' $(seq 255))
        want "255 bytes" [ "$(printf %s "$cyrillic" | wc -c)" = 255 ]
        echo 1 >"$SRC/$cyrillic" && echo 2 >"$SRC/$latin" && mkdir "$SRC/d" &&
                echo 3 >"$SRC/d/$cyrillic" && once && same && sleep 2 && once && quiet
}

scenario_renamed_by_case()
{
        echo a >"$SRC/Name" && once && mv "$SRC/Name" "$SRC/name" && once && same && quiet
}

scenario_names_the_service_cannot_carry()
{
        echo a >"$SRC/good" && echo b >"$SRC/"$'bad\xff' && echo c >"$SRC/"$'line\nfeed' &&
                mkdir "$SRC/"$'dir\x01' && echo d >"$SRC/"$'dir\x01'/inner && once
        log 'left alone: bad\\xff: its name is not valid UTF-8'
        log 'left alone: line\\x0afeed: its name holds a control character'
        log 'left alone: dir\\x01:'
        nolog inner
        same && want "one file" [ "$(cloud_tree | wc -l)" = 1 ] && sleep 2 && once && quiet
}

scenario_remarks_are_made_once()
{
        env SYNCHRONIZATION_PERIOD 1 && echo b >"$SRC/"$'bad\xff' && start && sleep 3.5 && stop
        want "said once" [ "$(grep -c 'left alone' "$T/log")" = 1 ]
}

scenario_cloud_folder_with_a_nasty_name()
{
        env NAME_FOLDER_CLOUD 'disk:/a+b & c#d/100%: "x"' && env NAME_FOLDER_CLOUD ''
        printf '%s\n' "NAME_FOLDER_CLOUD='disk:/a+b & c#d/100%: \"x\"'" >>"$T/env"
        CLOUD='disk:/a+b & c#d/100%: "x"'
        mkdir "$SRC/d" && echo a >"$SRC/d/f" && once && same && sleep 2 && once && quiet
}

scenario_app_folder()
{
        # shellcheck disable=SC2034
        env NAME_FOLDER_CLOUD app:/Docs && CLOUD=disk:/Приложения/fakedisk/Docs
        mkdir "$SRC/d" && echo a >"$SRC/d/f" && mib 1 >"$SRC/d/z.zip" && once && same && sleep 2 &&
                once && quiet && rm -r "$SRC/d" && once && same
}
