#!/bin/sh
# install.sh demo|test|bench: install what the demo, tests or benchmark need beyond Python packages.
#
# System packages come from apt, on a Debian-like system and when run by root or somebody with
# sudo; on a terminal it asks first. Otherwise it names what is missing and the command that gets it,
# and exits 1. Neovim and the lab's base image go into one cache folder. A second run does nothing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"

# One on each line: a command that shows that it is installed, and its Debian package.
demo_tools='git git
rsync rsync
python3 python3'
test_tools='ssh openssh-client
sshd openssh-server
tmux tmux
dockerd docker.io
docker docker.io
podman podman
newuidmap uidmap
fuse-overlayfs fuse-overlayfs
slirp4netns slirp4netns
catatonit catatonit
runc runc
debootstrap debootstrap
ip iproute2
iptables iptables
unshare util-linux
ps procps
luacheck lua-check
shellcheck shellcheck
zsh zsh
fish fish
tcsh tcsh
patchelf patchelf
xz xz-utils'
bench_tools='ssh openssh-client
sshd openssh-server
ip iproute2
iptables iptables
unshare util-linux
patchelf patchelf
unison unison
lsyncd lsyncd'

mode=${1:-}
case $mode in
    demo) tools=$demo_tools ;;
    test) tools="$demo_tools
$test_tools" ;;
    bench) tools="$demo_tools
$bench_tools" ;;
    *) fail "usage: install.sh demo, install.sh test or install.sh bench" ;;
esac

# Neovim itself may be new enough: 0.10 or later, whatever comes after the minor number.
neovim_is_new_enough() {
    have nvim || return 1
    minor=$(nvim --version 2>/dev/null | sed -n '1s/^NVIM v0\.\([0-9]*\).*/\1/p; 1s/^NVIM v[1-9].*/99/p')
    [ "${minor:-0}" -ge 10 ]
}

# The Neovims that must come from Debian's later suites.
wanted_neovims() {
    case $mode in
        test) say 0.10 0.12 ;;
        bench) say 0.12 ;;
        demo) neovim_is_new_enough || [ -x "$cache/nvim-0.12/bin/nvim" ] || say 0.12 ;;
    esac
}

missing_packages() {
    say "$tools" | while read -r tool package; do
        have "$tool" || say "$package"
    done
    python3 -c 'import ensurepip, venv' 2>/dev/null || say python3-venv
    if [ -n "$(wanted_neovims)" ]; then
        [ -e "$keyring" ] || say debian-archive-keyring
        have patchelf || say patchelf
    fi
}

# "sudo" or "env" (which changes nothing): what to put before a command that only root may run.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        say env
    elif have sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        say sudo
    fi
}

consent() {
    [ -t 0 ] || return 0
    printf 'Run it now? [Y/n] '
    answer=n
    read -r answer || return 1
    case $answer in [Nn]*) return 1 ;; esac
}

# Packages bring services that start at once and at each boot (docker, containerd, ssh). The lab
# starts its own, so a policy forbids it while apt runs, and what was not enabled before is
# disabled again.
policy=/usr/sbin/policy-rc.d

# Systemd's units (docker.service) and the older scripts (docker), with or without a running systemd.
enabled_services() {
    find /etc/systemd/system -path '*.wants/*' 2>/dev/null | sed 's|.*/||'
    find /etc/rc[2-5].d -name 'S*' 2>/dev/null | sed 's|.*/S[0-9]*||'
}

disable() {
    case $1 in
        *.*)
            if have systemctl; then
                $root systemctl disable --quiet "$1"
            else
                $root find /etc/systemd/system -path "*.wants/$1" -delete
            fi ;;
        *) $root update-rc.d "$1" disable ;;
    esac
}

install_packages() {
    before=" $(enabled_services | tr '\n' ' ') "
    if [ ! -e "$policy" ]; then
        # shellcheck disable=SC2064 # the name is known now
        trap "$root rm -f $policy" EXIT
        trap 'exit 130' INT TERM
        printf '#!/bin/sh\nexit 101\n' | $root tee "$policy" >/dev/null
        $root chmod 755 "$policy"
    fi
    $root apt-get update -qq
    # shellcheck disable=SC2086 # one word for each package
    $root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $packages >/dev/null
    for service in $(enabled_services | sort -u); do
        case $before in
            *" $service "*) ;;
            *) disable "$service" ;;
        esac
    done
}

packages=$(missing_packages | sort -u | tr '\n' ' ')
packages=${packages% }
if [ -n "$packages" ]; then
    have apt-get || fail "missing, and apt-get isn't here; install the equivalents of: $packages"
    root=$(as_root)
    command="apt-get install --no-install-recommends $packages"
    [ "$root" != sudo ] || command="sudo $command"
    say "missing system packages; the command that installs them:"
    say "    $command"
    [ -n "$root" ] || fail "Only root may run it: run it as root or with sudo, then try again."
    consent || fail "Not installed."
    install_packages
fi

for version in $(wanted_neovims); do
    "$here/neovim.sh" "$version"
done
if [ "$mode" = test ] && [ "$(id -u)" = 0 ]; then
    "$here/base-image.sh"
    "$here/late.sh" python3.14
    "$here/late.sh" gdb
fi
