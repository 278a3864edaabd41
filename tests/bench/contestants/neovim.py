"""A real Neovim in which a file is saved: with igor's push on write, or without igor."""

import contextlib
import time
from pathlib import Path
from typing import Any

import pynvim

from tests.bench.contestants.base import Contestant
from tests.bench.contestants.igor import IgorCommand
from tests.bench.contestants.listener import Listener
from tests.bench.tree import Edit
from tests.bench.watch import Turn
from tests.lab.cache import neovim
from tests.support.nvim.editor import INIT, variables

VERSION = "0.12"
_PROBE = Path(__file__).with_name("probe.lua")
#: After a save, until the timer has seen what there was to see.
_TICKING_SECONDS = 0.05
#: For the agent to tell that the hosts are fresh: it may find no moment to say that they weren't.
_PATIENCE = 0.5


class PlainNeovim(Contestant):
    """`:w` without igor: what the file system and the editor take by themselves."""

    delivers = False
    setup = "none"
    #: Whether a timer of 1 ms watches for stalls, which costs CPU time.
    is_ticking = False
    #: Whether each turn has an editor of its own, saved in at once.
    is_fresh = False
    _nvim: Any = None

    def open(self) -> None:
        """Editors start at their first turn, when the tree is on the host."""

    def first(self) -> None:
        """Nothing is brought anywhere."""

    def turn(self, edit: Edit) -> Turn:
        """Save the edit's file; one that is no save of a file can't be asked for."""
        if self.is_fresh or self._nvim is None:
            self._start(edit.path)
        elif not self._nvim.current.buffer.name.endswith(f"/{edit.path}"):
            self._nvim.command(f"edit {edit.path}")
        self._nvim.exec_lua("bench_probe.save(...)", edit.line, edit.text, async_=True)
        return Turn(self._began)

    def quantities(self) -> dict[str, float]:
        if self.is_ticking:
            time.sleep(_TICKING_SECONDS)
        _began, blocked, stall = self._taken()
        found = {"blocked": blocked / 1e6}
        return {**found, "stall": stall / 1e6} if self.is_ticking else found

    def close(self) -> None:
        self._quit()

    def _quit(self) -> None:
        if self._nvim is not None:
            with contextlib.suppress(OSError, EOFError):
                self._nvim.command("qa!")
            self._nvim.close()

    def _began(self) -> int:
        return int(self._taken()[0])

    def _taken(self) -> list[float]:
        """Neovim answers when the save is over."""
        taken: list[float] = self._nvim.exec_lua("return bench_probe.taken()")
        return taken

    def _start(self, path: str) -> None:
        self._quit()
        given = {**self.room.environment, **variables(self.room.home, self.setup)}
        words = [f"{name}={value}" for name, value in given.items()]
        place = ["env", "-i", "-C", str(self.ground.tree.root), *words]
        editor = [str(neovim(VERSION)), "-u", str(INIT), "--embed", path]
        self._nvim = pynvim.attach("child", argv=[*place, *editor])
        self.room.account.enter(self._nvim.call("getpid"))
        self._nvim.ui_attach(100, 40, rgb=True)
        self._nvim.exec_lua(_PROBE.read_text())
        if self.is_ticking:
            self._nvim.exec_lua("bench_probe.tick()")


class IgorNeovim(PlainNeovim, IgorCommand):
    """`:w` with igor's push on write, the agent warm and the project trusted."""

    delivers = True
    _listener: Listener | None = None
    setup = '{"push_on_write": true}'

    def open(self) -> None:
        IgorCommand.open(self)

    def first(self) -> None:
        self.igor("push")
        self._listener = Listener(self.room.environment, self.ground.tree.root)

    def turn(self, edit: Edit) -> Turn:
        assert self._listener
        self._listener.begin()
        turn = super().turn(edit)
        return Turn(turn.began_ns, self._listener.fileno(), self._listener.has_caught_up, _PATIENCE)

    def close(self) -> None:
        super().close()
        if self._listener:
            self._listener.close()


class TickingNeovim(PlainNeovim):
    is_ticking = True


class TickingIgorNeovim(IgorNeovim):
    is_ticking = True


class FreshNeovim(PlainNeovim):
    is_fresh = True


class FreshIgorNeovim(IgorNeovim):
    is_fresh = True
