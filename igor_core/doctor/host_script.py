"""The script that looks at a host, in one round trip; and the one that looks at a disk.

For any POSIX sh; it changes nothing but for one file that it makes and removes again, since only
writing shows that a folder can be written. Its output is names and values, each ended by NUL; the
names are HostFacts' fields.

$1 is the config's dir, $2 the project's folder in it, $3 igor's private folder beside it,
$4 the engine's program or empty, $5 and $6 "yes" where ports are published and GPUs asked for.
"""

import shlex

from igor_core.doctor.host_facts import DF

_NEAREST = f"""
limited() {{ if command -v timeout >/dev/null; then timeout 10 "$@"; else "$@"; fi; }}
nearest() {{
    at=$1
    while [ ! -e "$at" ] && [ ! -L "$at" ] && [ "$at" != / ]; do at=$(dirname -- "$at"); done
}}
space() {{ limited {shlex.join(DF)} "$1" 2>/dev/null | tail -n 1; }}
"""

#: Prints the row of df for $1, or for the nearest folder above it: an engine that was never used
#: has no folder yet.
SPACE_SCRIPT = _NEAREST + 'LC_ALL=C; export LC_ALL; nearest "$1"; space "$at"'

HOST_SCRIPT = (
    _NEAREST
    + r"""
dir=$1 tree=$2 private=$3 engine=$4 ports=$5 gpus=$6
export LC_ALL=C

has() { command -v "$1" >/dev/null 2>&1; }
say() { printf '%s\0%s\0' "$1" "$2"; }
version() { has "$1" && say "$1" "$("$1" --version 2>&1 </dev/null | head -n 1)"; }
write_in() {
    file=$(mktemp "$1/.igor-doctor-XXXXXX") || return
    head -c 4 /dev/zero >"$file"
    rm -f -- "$file"
}

user=$(id -un)
say user "$user"
version python3
version rsync
# What is tried is what a push and a build do.
unfit=
case $(find / -maxdepth 0 -printf '%T@' 2>/dev/null) in *.??????*) ;; *) unfit="$unfit find" ;; esac
[ "$(printf 'a\0b\0' | xargs -0 -r sh -c 'echo $#' sh 2>/dev/null)" = 2 ] || unfit="$unfit xargs"
[ "$(printf '' | sha256sum -z 2>/dev/null | head -c 8)" = e3b0c442 ] || unfit="$unfit sha256sum"
[ "$(stat -c %F / 2>/dev/null)" = directory ] || unfit="$unfit stat"
case $(tar --version 2>/dev/null) in *'GNU tar'*) ;; *) unfit="$unfit tar" ;; esac
say unfit "$unfit"

nearest "$dir"
say nearest "$at"
if [ -d "$at" ]; then
    say write_error "$(write_in "$at" 2>&1 | tail -n 1)"
    say space "$(space "$at")"
fi
for path in "$at" "$tree" "$private"; do
    if [ -d "$path" ]; then
        [ "$path" = "$at" ] || { [ -w "$path" ] && [ -x "$path" ]; } || say not_writable "$path"
    elif [ -e "$path" ] || [ -L "$path" ]; then
        say not_folder "$path"
    fi
done

say shell "$SHELL"
before=$(date +%s%N)
# As sshd starts it: bash reads .bashrc when SSH_CLIENT is set and it is no shell's child.
printed=$(limited env SHLVL=0 "$SHELL" -c : </dev/null 2>/dev/null | head -c 200 | tr '\0' ' ')
after=$(date +%s%N)
case $before$after in
    *[!0-9]*) ;;
    *) say shell_milliseconds $(((after - before) / 1000000)) ;;
esac
say shell_output "$printed"

if [ -n "$engine" ]; then
    has "$engine" && say engine "$engine"
    say engine_host "$DOCKER_HOST"
    socket=/var/run/docker.sock
    [ -S "$socket" ] && say socket_group "$(stat -L -c %G "$socket" 2>/dev/null)"
    own=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/docker.sock
    [ -S "$own" ] && say own_socket "$own"
    say groups_now "$(id -Gn)"
    say groups_next "$(id -Gn "$user")"
fi
if [ "$gpus" = yes ]; then
    say driver "$(head -n 1 /proc/driver/nvidia/version 2>/dev/null)"
    for program in nvidia-container-runtime nvidia-container-runtime-hook nvidia-ctk; do
        has "$program" && say toolkit "$program"
    done
    say cdi "$(grep -ls nvidia.com/gpu /etc/cdi/* /var/run/cdi/* 2>/dev/null | head -n 1)"
fi
[ "$ports" = yes ] && has ss && say listening "$(ss -Hltunp 2>/dev/null)"
exit 0
"""
)
