#!/bin/sh
# neovim.sh VERSION: put a Neovim (0.10 or 0.12) into the cache folder, apart from the system's own.
#
# Debian's package is unpacked with the libraries it needs into a prefix of its own and patched to
# load them from there: the machine's libc and package lists stay as they are, and no root is needed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"

version=${1:?usage: neovim.sh 0.10 or 0.12}
case $version in
    0.10) suite=trixie ;;
    0.12) suite=forky ;;
    *) fail "neovim.sh: unknown version $version; use 0.10 or 0.12" ;;
esac
prefix=$cache/nvim-$version
[ -x "$prefix/bin/nvim" ] && exit 0

mkdir -p "$cache"
work=$(mktemp -d "$cache/nvim-$version.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

say "fetching Neovim $version from Debian $suite into $prefix"
unpack "$work" "$suite" neovim
final() { say "$prefix${1#"$work/prefix"}"; }
patchelf --set-interpreter "$(final "$loader")" --set-rpath "$(final "$libraries")" \
    "$work/prefix/usr/bin/nvim"
mkdir -p "$work/prefix/bin"
cat >"$work/prefix/bin/nvim" <<WRAPPER
#!/bin/sh
VIMRUNTIME='$prefix/usr/share/nvim/runtime'
export VIMRUNTIME
exec '$prefix/usr/bin/nvim' "\$@"
WRAPPER
chmod 755 "$work/prefix/bin/nvim"
mv "$work/prefix" "$prefix"

found=$("$prefix/bin/nvim" --version | sed -n '1s/^NVIM v//p')
case $found in
    "$version".*) say "Neovim $found is in $prefix" ;;
    *) say "warning: Debian $suite has Neovim ${found:-(it does not run)} now, $version.x was expected" ;;
esac
