"""Shell functions that enter folders on a host where others may write in the folders around.

They do for sh what remote/receiver/own.py does for Python: follow no link, and enter only what
belongs to the user. sh can't hold a folder open, so each step is checked against where it should
have led. Each step starts one program: on a slow host these dominate the time of a script.
"""

#: The exit status of a script with these functions if a folder is not safe to use.
UNSAFE_STATUS = 77

#: `own NAME MODE`: enter igor's own folder NAME in the current one, made if `$making` is not empty;
#: returns 1 if it is missing. `tree NAME`: enter the project's folder in the current one.
#: `at PATH`: enter a folder by its real path. All but a missing folder ends the (sub)shell.
#: `own` and `tree` leave the device and inode of the folder in `$here`.
FUNCTIONS = f"""\
user=$(id -u)
unsafe() {{
    printf '%s is a link, or belongs to another user of this host\\n' "$1" >&2
    exit {UNSAFE_STATUS}
}}
here=
own() {{
    where=$PWD/$1
    [ -n "$here" ] || here=$(stat -c %d:%i .) || exit 69
    if [ ! -e "$1" ] && [ ! -L "$1" ]; then
        [ -n "$making" ] || return 1
        mkdir -m 700 -- "./$1" 2>/dev/null || [ -e "$1" ] || mkdir -- "./$1" || exit 73
    fi
    cd -P -- "./$1" 2>/dev/null || unsafe "$where"
    set -- "$2" $(stat -c '%u %d:%i %a' . "../$1" .. 2>/dev/null)
    [ $# = 10 ] && [ "$2" = "$user" ] && [ "$2 $3" = "$5 $6" ] && [ "$9" = "$here" ] ||
        unsafe "$where"
    here=$3
    [ "$4" = "$1" ] || chmod "$1" . || exit 73
}}
tree() {{
    where=$PWD/$1
    named=$(stat -c '%u %d:%i' -- "./$1") || exit 69
    mine "${{named%% *}}" || unsafe "$where"
    link=
    [ -L "./$1" ] && link=yes
    cd -P -- "./$1" || exit 73
    set -- $(stat -c '%u %d:%i' . "$where" 2>/dev/null)
    [ $# = 4 ] && mine "$1" || unsafe "$where"
    here=$2
    [ -z "$link" ] || set -- "$3" "$4"
    [ "$1 $2" = "$named" ] || unsafe "$where"
}}
at() {{
    cd -P -- "$1" || exit 73
    [ "$PWD" = "$1" ] && mine "$(stat -c %u .)" || unsafe "$1"
}}
mine() {{ [ "$1" = "$user" ] || [ "$1" = 0 ]; }}
"""
