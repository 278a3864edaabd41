#!/bin/sh
# base-image.sh: makes the root file system that lab engines import as igor-base:latest, once.
#
# No image can be pulled where tests run, so the base is Debian's own bootstrap with python3-venv.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"

tarball=$cache/igor-base.tar
[ -s "$tarball" ] && exit 0
[ "$(id -u)" = 0 ] || fail "base-image.sh: only root can bootstrap the base image"
have debootstrap || fail "base-image.sh: debootstrap is missing"

mkdir -p "$cache"
# The folder becomes the image's /, and whoever runs in a container must be able to enter it.
work=$(mktemp -d "$cache/base.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
root=$work/root
say "making the base image in $tarball (about a minute)"
debootstrap --variant=minbase --include=python3-venv ${keyring:+--keyring="$keyring"} \
    bookworm "$root" "$(debian_mirror)" >"$work/log" 2>&1 || {
    tail -n 20 "$work/log" >&2
    fail "base-image.sh: debootstrap failed"
}
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/doc/* \
    "$root"/usr/share/man/* "$root"/usr/share/locale/* "$root"/var/log/*
chmod 755 "$root"
tar -C "$root" --numeric-owner -cf "$work/tar" .
mv "$work/tar" "$tarball"
