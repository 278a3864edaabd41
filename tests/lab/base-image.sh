#!/bin/sh
# base-image.sh: make the root file system that lab engines import as igor-base:latest, once.
#
# Tests must not need an image registry, so the base is Debian's own bootstrap with python3-venv.
# Beside its bare Python there is a virtual environment, /venv/tools, with the packages of a usual
# one: a test's dockerfile chooses it with `ENV VIRTUAL_ENV=/venv/tools`.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"

tools='debugpy ipython pytest py-spy'

tarball=$cache/igor-base.tar
# The script that made it, without its comments: a changed script makes it again.
made_by=$cache/igor-base.made-by
recipe() { grep -v '^ *#' "$0" | cksum; }
[ -s "$tarball" ] && recipe | cmp -s - "$made_by" && exit 0
[ "$(id -u)" = 0 ] || fail "base-image.sh: only root can bootstrap the base image"
have debootstrap || fail "base-image.sh: debootstrap is missing"

mkdir -p "$cache"
# The folder becomes the image's /, and every user in a container must be able to enter it.
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
# Download outside, where the registry's settings are, and install inside without a network.
machine=$(uname -m)
"${PYTHON:-python3}" -m venv "$work/pip"
# shellcheck disable=SC2086 # one word for each package
"$work/pip/bin/pip" download --quiet --disable-pip-version-check --only-binary=:all: \
    --implementation cp --python-version 3.11 --platform "manylinux_2_34_$machine" \
    --platform "manylinux2014_$machine" --dest "$root/wheels" $tools
inside() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" "$@"; }
inside python3 -m venv /venv/tools
# shellcheck disable=SC2086
inside /venv/tools/bin/pip install --quiet --no-index --find-links /wheels $tools
rm -rf "$root/wheels"
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/doc/* \
    "$root"/usr/share/man/* "$root"/usr/share/locale/* "$root"/var/log/*
chmod 755 "$root"
tar -C "$root" --numeric-owner -cf "$work/tar" .
mv "$work/tar" "$tarball"
recipe >"$made_by"
