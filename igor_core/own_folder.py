"""Shell functions that enter folders on a host where others may write around them.

As receiver/host/own.py does it for Python: no link is followed, and only what belongs to the user
is taken. sh can't hold a folder open, so each step is compared with where it should have led.
"""

#: What a script with these functions ends with where a folder is not safe to use.
UNSAFE_STATUS = 77

#: `own NAME MODE`: enter igor's own folder NAME in the current one, made if `$making` is not empty;
#: fails with 1 where it is not there. `tree NAME`: enter the project's folder in the current one.
#: `at PATH`: enter a folder by its real path. All but a missing folder ends the (sub)shell.
FUNCTIONS = f"""\
user=$(id -u)
unsafe() {{
    printf '%s is a link, or belongs to another user of this host\\n' "$1" >&2
    exit {UNSAFE_STATUS}
}}
own() {{
    where=$(pwd -P)/$1
    if [ ! -e "$1" ] && [ ! -L "$1" ]; then
        [ -n "$making" ] || return 1
        mkdir -m 700 -- "./$1" 2>/dev/null || [ -e "$1" ] || mkdir -- "./$1" || exit 73
    fi
    outer=$(stat -c %d:%i .) || exit 69
    cd -P -- "./$1" 2>/dev/null || unsafe "$where"
    [ "$(stat -c '%u %d:%i' .)" = "$(stat -c '%u %d:%i' -- "../$1" 2>/dev/null)" ] &&
        [ "$(stat -c %d:%i ..)" = "$outer" ] && [ "$(stat -c %u .)" = "$user" ] || unsafe "$where"
    chmod "$2" . || exit 73
}}
tree() {{
    where=$(pwd -P)/$1
    named=$(stat -c '%u %d:%i' -- "./$1") || exit 69
    mine "${{named%% *}}" || unsafe "$where"
    if [ -L "./$1" ]; then
        cd -P -- "./$1" || exit 73
        [ "$(stat -c '%u %d:%i' -- "$where")" = "$named" ] || unsafe "$where"
    else
        cd -P -- "./$1" || exit 73
        [ "$(stat -c '%u %d:%i' .)" = "$named" ] || unsafe "$where"
    fi
    mine "$(stat -c %u .)" || unsafe "$where"
}}
at() {{
    cd -P -- "$1" || exit 73
    [ "$(pwd -P)" = "$1" ] && mine "$(stat -c %u .)" || unsafe "$1"
}}
mine() {{ [ "$1" = "$user" ] || [ "$1" = 0 ]; }}
"""
