"""The script that gathers a host's facts in one round trip; and one for a disk alone.

For any POSIX sh; it changes nothing but for one file that it makes and removes again, since only
writing shows that a folder can be written. Its output is names and values, each ended by NUL.

$1 is the config's dir there, $2 the project's folder in it, $3 igor's private folder beside it,
$4 the engine's program or empty, $5 and $6 "yes" where ports are published and GPUs wanted.
"""

_SPACE = r"""
has() { command -v "$1" >/dev/null 2>&1; }
limited() { if has timeout; then timeout 10 "$@"; else "$@"; fi; }
nearest() {
    at=$1
    while [ ! -e "$at" ] && [ ! -L "$at" ] && [ "$at" != / ]; do at=$(dirname -- "$at"); done
}
space() { limited df -B1 --output=fstype,size,avail,itotal,iavail,target -- "$1" | tail -n 1; }
"""

SPACE_SCRIPT = (
    _SPACE
    + """
export LC_ALL=C
nearest "$1"
space "$at" 2>/dev/null
"""
)

HOST_SCRIPT = (
    _SPACE
    + r"""
dir=$1 tree=$2 private=$3 engine=$4 ports=$5 gpus=$6
export LC_ALL=C

say() { printf '%s\0%s\0' "$1" "$2"; }
version() { has "$1" && say "$1" "$("$1" --version 2>&1 </dev/null | head -n 1)"; }
now() { date +%s%N; }
kind() {
    if [ -d "$1" ]; then echo folder
    elif [ -e "$1" ] || [ -L "$1" ]; then echo other
    else echo absent; fi
}
write_in() {
    file=$(mktemp "$1/.igor-doctor-XXXXXX") || return
    head -c 4 /dev/zero >"$file"
    rm -f -- "$file"
}

user=$(id -un)
say user "$user"
version python3
version rsync
version tar
# Try what a push does.
say find "$(find / -maxdepth 0 -printf '%T@' 2>/dev/null)"
say xargs "$(printf 'a\0b\0' | xargs -0 -r sh -c 'echo $#' sh 2>/dev/null)"
say sha256sum "$(printf '' | sha256sum -z 2>/dev/null | head -c 8)"
say stat "$(stat -c %F / 2>/dev/null)"

nearest "$dir"
say dir "$(kind "$dir")"
say nearest "$at"
say nearest_kind "$(kind "$at")"
[ -d "$at" ] && say write "$(write_in "$at" 2>&1 | tail -n 1)"
[ -d "$at" ] && say space "$(space "$at" 2>/dev/null)"
for folder in tree private; do
    eval path=\$$folder
    say "$folder" "$(kind "$path")"
    if [ -w "$path" ] && [ -x "$path" ]; then say "${folder}_writable" yes; fi
done

say shell "$SHELL"
before=$(now)
# As sshd starts it: bash reads .bashrc when SSH_CLIENT is set and it is no shell's child.
printed=$(limited env SHLVL=0 "$SHELL" -c : </dev/null 2>/dev/null | head -c 200 | tr '\0' ' ')
say shell_times "$before $(now)"
say shell_says "$printed"

if [ -n "$engine" ]; then
    has "$engine" && say engine yes
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
if [ "$ports" = yes ]; then
    for table in tcp tcp6 udp udp6; do say "$table" "$(cat /proc/net/$table 2>/dev/null)"; done
    say holders "$(ss -Hltunp 2>/dev/null)"
fi
exit 0
"""
)
