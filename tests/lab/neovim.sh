#!/bin/sh
# neovim.sh VERSION: puts that Neovim (0.10 or 0.12) into the cache folder, beside the system's own.
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

for tool in apt-get dpkg-deb patchelf; do
    have "$tool" || fail "neovim.sh: $tool is missing, so Neovim $version can't be fetched from Debian $suite"
done
[ -e "$keyring" ] || fail "neovim.sh: $keyring is missing; install debian-archive-keyring"

mkdir -p "$cache"
work=$(mktemp -d "$cache/nvim-$version.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# An apt of its own: empty package status, one suite, one signing key.
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/prefix"
: >"$work/status"
say "deb [signed-by=$keyring] $(debian_mirror) $suite main" >"$work/sources.list"
private_apt() {
    apt-get -qq -o Dir::State="$work" -o Dir::State::lists="$work/lists" \
        -o Dir::State::status="$work/status" -o Dir::Cache="$work" \
        -o Dir::Cache::archives="$work/archives" -o Dir::Etc::sourcelist="$work/sources.list" \
        -o Dir::Etc::sourceparts=- -o Dir::Etc::preferences=- -o Dir::Etc::preferencesparts=- \
        -o APT::Sandbox::User= -o Acquire::Languages=none -o DPkg::Post-Invoke= \
        -o APT::Update::Post-Invoke= "$@"
}
say "fetching Neovim $version from Debian $suite into $prefix"
private_apt update
private_apt install --yes --download-only --no-install-recommends neovim >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    fail "neovim.sh: Debian $suite did not give its neovim package"
}
for package in "$work"/archives/*.deb; do
    dpkg-deb -x "$package" "$work/prefix"
done

loader=$(find "$work/prefix" -name 'ld-linux*.so.*' | head -n 1)
libraries=$(dirname "$(find "$work/prefix" -name 'libc.so.6' | head -n 1)")
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
