"""All contestants by the names that reports use, and what has to be installed for each."""

import shutil
from dataclasses import dataclass

from tests.bench.contestants import igor, lsyncd, neovim, rsync, scp, tar, unison
from tests.bench.contestants.base import Contestant
from tests.lab.cache import neovim as neovim_binary


@dataclass(frozen=True)
class Entry:
    """`kind` is the class; `tool` the program that it needs, `package` Debian's with it."""

    kind: type[Contestant]
    tool: str = "ssh"
    package: str = "openssh-client"


CONTESTANTS = {
    "igor, :w in Neovim": Entry(neovim.IgorNeovim, "nvim"),
    "igor, agent asked": Entry(igor.IgorAgent),
    "igor, agent told": Entry(igor.ToldAgent),
    "igor, file written": Entry(igor.SavedAgent),
    "igor push, warm agent": Entry(igor.IgorCommand),
    "igor push, no agent": Entry(igor.ColdIgorCommand),
    "rsync, warm ControlMaster": Entry(rsync.WarmRsync, "rsync", "rsync"),
    "rsync, fresh ssh": Entry(rsync.Rsync, "rsync", "rsync"),
    "scp, warm ControlMaster": Entry(scp.WarmScp),
    "scp, fresh ssh": Entry(scp.Scp),
    "tar, warm ControlMaster": Entry(tar.WarmTar, "tar", "tar"),
    "unison, warm ControlMaster": Entry(unison.WarmUnison, "unison", "unison"),
    "lsyncd, warm ControlMaster": Entry(lsyncd.WarmLsyncd, "lsyncd", "lsyncd"),
    "plain :w": Entry(neovim.PlainNeovim, "nvim"),
    "igor, :w with a timer": Entry(neovim.TickingIgorNeovim, "nvim"),
    "plain :w with a timer": Entry(neovim.TickingNeovim, "nvim"),
    "igor, first :w of a session": Entry(neovim.FreshIgorNeovim, "nvim"),
    "plain, first :w of a session": Entry(neovim.FreshNeovim, "nvim"),
}


def missing(names: list[str]) -> list[str]:
    """One sentence with the remedy for each contestant that can't take part."""
    return [sentence for name in names if (sentence := _lack(name, CONTESTANTS[name]))]


def _lack(name: str, entry: Entry) -> str:
    if entry.tool == "nvim":
        is_here = neovim_binary(neovim.VERSION).exists()
        remedy = f"tests/lab/neovim.sh {neovim.VERSION}"
    else:
        is_here = shutil.which(entry.tool) is not None
        remedy = f"apt-get install {entry.package}"
    return "" if is_here else f"{name}: {entry.tool} is missing; {remedy}"
