"""The real peers that the suite needs: which are present, and how to get the others."""

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.lab.cache import base_tarball, late_program, neovim

INSTALL = "tests/lab/install.sh test"


@dataclass(frozen=True)
class Peer:
    """A real program that tests need; `remedy` says how to get it."""

    name: str
    is_present: Callable[[], bool]
    remedy: str = INSTALL


def _tool(*names: str) -> Callable[[], bool]:
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return lambda: all(shutil.which(name, path=path) for name in names)


def _is_linux_root() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0


def _has_neovim(version: str) -> Callable[[], bool]:
    return lambda: os.access(neovim(version), os.X_OK)


PEERS = (
    Peer("root", _is_linux_root, "run the tests as root on Linux, for instance with sudo"),
    Peer("namespaces", _tool("unshare", "nsenter", "setpriv", "ip", "iptables")),
    Peer("ssh", _tool("ssh", "ssh-keygen")),
    Peer("sshd", _tool("sshd")),
    Peer("rsync", _tool("rsync")),
    Peer("git", _tool("git")),
    Peer("tmux", _tool("tmux")),
    Peer("dockerd", _tool("dockerd", "docker")),
    Peer("podman", _tool("podman", "newuidmap", "slirp4netns", "catatonit")),
    Peer("base image", lambda: base_tarball().exists(), f"as root: {INSTALL}"),
    Peer("python 3.14", lambda: (late_program("python3.14") / "usr/bin/python3.14").exists()),
    Peer("gdb", lambda: (late_program("gdb") / "usr/bin/gdb").exists()),
    Peer("nvim 0.10", _has_neovim("0.10")),
    Peer("nvim 0.12", _has_neovim("0.12")),
    Peer("luacheck", _tool("luacheck")),
    Peer("shellcheck", _tool("shellcheck")),
    Peer("zsh", _tool("zsh")),
    Peer("fish", _tool("fish")),
    Peer("tcsh", _tool("tcsh")),
)

#: Neovim plugins of others, which no package list has. They are never required.
PLUGINS = ("vimspector", "nvim-dap", "iron.nvim", "vim-slime")
PLUGINS_REMEDY = "$IGOR_PLUGINS is a folder with checkouts of them"

#: Peers that a lab requires.
LAB = ("root", "namespaces", "ssh", "sshd", "dockerd", "base image")


def plugin(name: str) -> Path | None:
    """The folder of a plugin, None if it is absent."""
    folder = Path(os.environ.get("IGOR_PLUGINS", "/nonexistent")) / name
    return folder if folder.is_dir() else None


def absent(*names: str) -> list[Peer]:
    """The absent ones among the peers with these names, or among all peers without names."""
    wanted = [peer for peer in PEERS if not names or peer.name in names]
    return [peer for peer in wanted if not peer.is_present()]
