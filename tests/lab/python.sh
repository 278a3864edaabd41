#!/bin/sh
# python.sh: puts Python 3.14 into the cache folder: the first that lets debuggers in by itself.
#
# Debian's package is unpacked with its libraries, and patched to load them from where containers see
# it, /opt/python3.14: what they have themselves is older.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"

suite=forky
there=/opt/python3.14
prefix=$cache/python-3.14
[ -x "$prefix/usr/bin/python3.14" ] && exit 0

mkdir -p "$cache"
work=$(mktemp -d "$cache/python-3.14.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

say "fetching Python 3.14 from Debian $suite into $prefix"
debian_packages "$work" "$suite" python3.14
mkdir "$work/prefix"
for package in "$work"/archives/*.deb; do
    dpkg-deb -x "$package" "$work/prefix"
done

loader=$(find "$work/prefix" -name 'ld-linux*.so.*' | head -n 1)
libraries=$(dirname "$(find "$work/prefix" -name 'libc.so.6' | head -n 1)")
final() { say "$there${1#"$work/prefix"}"; }
# Not a RUNPATH, which extension modules would not inherit.
patchelf --force-rpath --set-interpreter "$(final "$loader")" --set-rpath "$(final "$libraries")" \
    "$work/prefix/usr/bin/python3.14"
rm -rf "$work/prefix/usr/share" "$work/prefix/var"
chmod 755 "$work/prefix"
mv "$work/prefix" "$prefix"
