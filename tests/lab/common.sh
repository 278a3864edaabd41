# Shared by the scripts beside it: where the cache is, and which Debian mirror this machine uses.
# Sourced, never run.
# shellcheck shell=sh disable=SC2034

cache=${IGOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/igor-tests}
case $cache in /*) ;; *) cache=$PWD/$cache ;; esac
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x "/sbin/$1" ]; }

# The archive that apt uses here, so that a local mirror or a proxy stays in use. Security
# archives and other vendors' lists hold no whole suite, so only a path that ends in /debian counts.
debian_mirror() {
    found=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
                /etc/apt/sources.list.d/*.sources 2>/dev/null |
        sed -n -e '/^[[:space:]]*#/d' \
            -e 's|.*[[:space:]]\([a-z][a-z+]*://[^[:space:]]*/debian\)/*[[:space:]].*$|\1|p' \
            -e 's|.*[[:space:]]\([a-z][a-z+]*://[^[:space:]]*/debian\)/*$|\1|p' |
        head -n 1)
    say "${found:-http://deb.debian.org/debian}"
}
