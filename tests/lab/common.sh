# Shared by the scripts beside it: where the cache is, and which Debian mirror this machine uses.
# Sourced, never run.
# shellcheck shell=sh disable=SC2034

cache=${IGOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/igor-tests}
case $cache in /*) ;; *) cache=$PWD/$cache ;; esac
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x "/sbin/$1" ]; }

# The archive that this machine's apt uses, so that a mirror or a proxy stays in use. Security
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

# debian_packages WORK SUITE PACKAGE: downloads it from that suite of Debian, with what it needs, into
# WORK/archives, by an apt of its own: empty package status, one suite, one signing key.
debian_packages() {
    for tool in apt-get dpkg-deb patchelf; do
        have "$tool" || fail "$tool is missing, so $3 can't be fetched from Debian $2"
    done
    [ -e "$keyring" ] || fail "$keyring is missing; install debian-archive-keyring"
    mkdir -p "$1/lists/partial" "$1/archives/partial"
    : >"$1/status"
    say "deb [signed-by=$keyring] $(debian_mirror) $2 main" >"$1/sources.list"
    private_apt "$1" update
    private_apt "$1" install --yes --download-only --no-install-recommends "$3" >"$1/log" 2>&1 || {
        cat "$1/log" >&2
        fail "Debian $2 did not give its package $3"
    }
}

# unpack WORK SUITE PACKAGE: the package with what it needs, in WORK/prefix. $loader and $libraries are
# the dynamic loader and the libraries' folder in it.
unpack() {
    debian_packages "$@"
    mkdir "$1/prefix"
    for deb in "$1"/archives/*.deb; do
        dpkg-deb -x "$deb" "$1/prefix"
    done
    loader=$(find "$1/prefix" -name 'ld-linux*.so.*' | head -n 1)
    libraries=$(dirname "$(find "$1/prefix" -name 'libc.so.6' | head -n 1)")
}

private_apt() {
    apt=$1
    shift
    apt-get -qq -o Dir::State="$apt" -o Dir::State::lists="$apt/lists" \
        -o Dir::State::status="$apt/status" -o Dir::Cache="$apt" \
        -o Dir::Cache::archives="$apt/archives" -o Dir::Etc::sourcelist="$apt/sources.list" \
        -o Dir::Etc::sourceparts=- -o Dir::Etc::preferences=- -o Dir::Etc::preferencesparts=- \
        -o APT::Sandbox::User= -o Acquire::Languages=none -o DPkg::Post-Invoke= \
        -o APT::Update::Post-Invoke= "$@"
}
