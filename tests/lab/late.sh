#!/bin/sh
# late.sh python3.14|gdb: put a program that the lab's Debian lacks, or has too old, into the cache
# folder: the first Python that lets debuggers in by itself, and a gdb that makes older ones do so.
#
# Debian's package is unpacked with its libraries, and patched to load them from where containers see
# it, /opt/NAME: what they have themselves is older.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"

name=${1:-}
case $name in
    python3.14|gdb) ;;
    *) fail "usage: late.sh python3.14 or late.sh gdb" ;;
esac
suite=forky
there=/opt/$name
prefix=$cache/$name
[ -x "$prefix/usr/bin/$name" ] && exit 0

mkdir -p "$cache"
work=$(mktemp -d "$cache/$name.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

say "fetching $name from Debian $suite into $prefix"
unpack "$work" "$suite" "$name"
final() { say "$there${1#"$work/prefix"}"; }
# Not a RUNPATH, which libraries would not inherit.
patchelf --force-rpath --set-interpreter "$(final "$loader")" --set-rpath "$(final "$libraries")" \
    "$work/prefix/usr/bin/$name"
rm -rf "$work/prefix/usr/share" "$work/prefix/var"
chmod 755 "$work/prefix"
mv "$work/prefix" "$prefix"
