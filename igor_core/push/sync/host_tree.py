"""One tree on one host: whole pushes and single saves, by one set of rules."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from igor_core.errors import HostError
from igor_core.paths import HostPaths
from igor_core.push.change import Change
from igor_core.push.full import Asking, Sight, look, narrowed
from igor_core.push.push import Push, claim_of
from igor_core.push.report import Options, Report, Reporter
from igor_core.push.save import Batches, Save, joined
from igor_core.push.transport.open_tree import Known, Opened, Opener
from igor_core.ssh.host import RemoteHost
from igor_core.worktree.files import Tree, next_number, shown

__all__ = ["Change", "HostTree"]


class Trees(Known, Protocol):
    def say_once(self, host: str, say: Callable[[], str]) -> str: ...


class HostTree:
    """The tree of one clone (`root`) on one host; made by `Trees.on`, one for all who name it.

    `transport` as in the config: "receiver" or "rsync". All raise HostError.
    """

    def __init__(
        self, trees: Trees, remote: RemoteHost, paths: HostPaths, root: Path, transport: str
    ) -> None:
        self.remote = remote
        self.paths = paths
        self.root = root
        self.transport = transport
        self._trees = trees
        self._opener = Opener(trees, remote, paths, root, claim_of(root), transport)
        self._opened: Opened | None = None
        self._opening = asyncio.Lock()
        self._verified = False
        self._asking = Asking()
        self._batches = Batches()
        remote.on_state(self._host_changed)

    @property
    def opened(self) -> bool:
        """Whether a push or a save can go at once."""
        return self._opened is not None and self._opened.alive

    @property
    def verified(self) -> bool:
        """Whether a whole push has compared everything since the tree was opened."""
        return self._verified and self.opened

    @property
    def by(self) -> str:
        """By what it goes there, "receiver" or "rsync"; empty while it is not open."""
        return self._opened.transport.name if self._opened and self.opened else ""

    @property
    def real_path(self) -> str:
        """The tree's folder there without links; empty while it is not open."""
        return self._opened.path if self._opened and self.opened else ""

    async def open(self) -> None:
        """Be ready for saves: the receiver runs, the tree is open."""
        await self._ready()

    async def read(self, path: bytes, limit: int) -> bytes:
        """The first bytes of a file there."""
        return await (await self._ready()).transport.read(path, limit)

    async def push(self, scan: Awaitable[Tree], options: Options, reporter: Reporter) -> Report:
        """Bring the whole tree there to the state of `scan`, whose end it needn't wait for.

        A save meanwhile goes on its own and is never undone.
        """
        scanning = asyncio.ensure_future(scan)
        # Where the host can't be reached, nobody asks how it ended.
        scanning.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            return await self._push_by(scanning, options, reporter)
        except HostError:
            # Where the receiver has died and the connection lives, another one goes on.
            if self._opened is None or not self._is_replaceable(self._opened):
                raise
            return await self._push_by(scanning, options, reporter)

    async def _push_by(
        self, scanning: "asyncio.Future[Tree]", options: Options, reporter: Reporter
    ) -> Report:
        fresh = not self.opened or options.dry_run or (options.take_over and self.by == "rsync")
        opened = await self._open_for(options) if fresh else await self._ready()
        async with opened.traffic.lock:
            report = await self._push(opened, fresh, scanning, options, reporter)
        report.notice = self._notice(opened)
        return report

    def send(self, changes: Sequence[Change]) -> "asyncio.Future[Report]":
        """Bring just these paths there; in the warm case they are on the wire at return.

        Never raises; the future has the HostError.
        """
        save = Save(self.remote.name, self.root, changes, next_number())
        begun = self._opened if self.opened else None
        if begun is not None:
            save.begin(begun)
        task = asyncio.ensure_future(self._settle(save, begun))
        save.known_as(task)
        return task

    async def _settle(self, save: Save, begun: Opened | None) -> Report:
        """`begun` is by what it is under way, which may have died since."""
        opened = begun or await self._ready()
        try:
            report = await self._settled(save, opened)
        except HostError:
            if not self._is_replaceable(opened):
                raise
            # The receiver has died, the connection lives: what is there now decides.
            opened = await self._ready()
            report = await save.settle_anew(opened)
        report = joined(report, await save.settle_later(opened))
        if report.moving:
            self._verified = False
        report.notice = self._notice(opened)
        return report

    async def _settled(self, save: Save, opened: Opened) -> Report:
        if opened.transport.conditional:
            return await save.settle(opened)
        return await self._batches.settle(save, opened)

    def _is_replaceable(self, opened: Opened) -> bool:
        lost = opened.transport.conditional and not opened.alive
        return lost and self.remote.state == "connected"

    async def _ready(self) -> Opened:
        """The tree as it is open for writing; opened if need be."""
        if self._opened is None or not self._opened.alive:
            async with self._opening:
                if self._opened is None or not self._opened.alive:
                    self._verified = False
                    self._opened = await self._opener.open(writing=True, taking=False)
        return self._opened

    async def _open_for(self, options: Options) -> Opened:
        """As a push with these options opens a tree that is not open, or only looks at it."""
        if options.dry_run:
            return await self._opener.open(writing=False, taking=options.take_over)
        async with self._opening:
            self._verified = False
            self._opened = await self._opener.open(writing=True, taking=options.take_over)
            return self._opened

    async def _push(
        self,
        opened: Opened,
        fresh: bool,
        scanning: "asyncio.Future[Tree]",
        options: Options,
        reporter: Reporter,
    ) -> Report:
        traffic, report = opened.traffic, Report(opened.path)
        adopting = not (traffic.manifest.written or traffic.manifest.intended)
        tree, sight = await self._look(opened, fresh, scanning, options)
        if tree.number < traffic.newest:
            # It would delete there what was made here since.
            return Report(opened.path, outdated=True)
        if not options.dry_run:
            traffic.pushing(tree.number)
        known = await narrowed(tree, sight, traffic)
        known = replace(known, force=options.force, ours=options.ours)
        report.unchanged = len(tree.files) - len(known.local)
        push = Push(
            self.remote.name, self.root, opened.transport, traffic, options, reporter,
            tree.number, report, adopting,
        )  # fmt: skip
        try:
            await push.run(known)
        finally:
            held_back = {item.path for item in report.held_back}
            self._asking.others = frozenset(held_back & tree.files.keys())
        if not options.dry_run:
            report.moving += await push.unsettled()
            held = "\n".join(sorted(shown(item.path) for item in report.held_back))
            traffic.manifest.tell({"pushed": str(time.time()), "held_back": held})
            traffic.save_soon()
            self._verified = opened is self._opened and not report.moving
        return report

    async def _look(
        self,
        opened: Opened,
        fresh: bool,
        scanning: "asyncio.Future[Tree]",
        options: Options,
    ) -> tuple[Tree, Sight]:
        """Look at both sides, and at whose the tree is, at once."""
        transport = opened.transport
        looking = asyncio.ensure_future(
            look(self._asking, opened.traffic, transport, scanning, options.dry_run)
        )
        if fresh or not transport.conditional:
            return await looking
        try:
            found = await transport.open(self._opener.claim, writing=True, taking=options.take_over)
            if found.path != opened.path:
                self._opened = None
                raise HostError(
                    f"{self.remote.name}: {self.paths.tree} leads to another folder than before",
                    "push again",
                )
            return await looking
        finally:
            looking.cancel()

    def _notice(self, opened: Opened) -> str:
        if not opened.why_rsync:
            return ""
        why = f"no receiver there ({opened.why_rsync}); rsync is used, which is slower"
        return self._trees.say_once(self.remote.name, lambda: why)

    def _host_changed(self) -> None:
        if self.remote.state != "connected":
            self._opened, self._verified = None, False
