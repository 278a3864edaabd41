"""One tree on one host: full pushes and saves, by one set of rules."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from pathlib import Path

from igor_core.errors import HostError
from igor_core.paths import HostPaths
from igor_core.push.full import HostView, SurveyCache, differing, look
from igor_core.push.known_trees import KnownTrees
from igor_core.push.plan import Change
from igor_core.push.push import Push, claim_of
from igor_core.push.report import PushOptions, PushReport, Reporter
from igor_core.push.save import Save
from igor_core.push.save_queue import SaveQueue
from igor_core.push.transport.open_tree import OpenTree, TreeOpener
from igor_core.ssh.host import RemoteHost
from igor_core.worktree.files import Tree, next_number, shown


class HostTree:
    """The tree of one clone (`root`) on one host. All methods raise HostError.

    `transport` as in the config: "receiver" or "rsync".
    """

    def __init__(
        self, trees: KnownTrees, remote: RemoteHost, paths: HostPaths, root: Path, *, transport: str
    ) -> None:
        self.remote = remote
        self.paths = paths
        self.root = root
        self.transport = transport
        self._trees = trees
        self._opener = TreeOpener(
            trees, remote, paths, root, claim=claim_of(root), wanted=transport
        )
        self._opened: OpenTree | None = None
        self._opening = asyncio.Lock()
        self._verified = False
        self._survey_cache = SurveyCache()
        self._save_queue = SaveQueue()
        remote.on_state(self._connection_changed)

    @property
    def opened(self) -> bool:
        """Whether a push or a save can go at once."""
        return self._opened is not None and self._opened.alive

    @property
    def verified(self) -> bool:
        """Whether a full push has compared everything since the tree was opened."""
        return self._verified and self.opened

    @property
    def by(self) -> str:
        """The transport in use, "receiver" or "rsync"; empty while the tree is not open."""
        return self._opened.transport.name if self._opened and self.opened else ""

    @property
    def real_path(self) -> str:
        """The tree's folder on the host, without links; empty while it is not open."""
        return self._opened.path if self._opened and self.opened else ""

    async def open(self) -> None:
        """Get ready for saves: start the receiver, open the tree."""
        await self._ready()

    async def read(self, path: bytes, limit: int) -> bytes:
        """The first `limit` bytes of a file on the host."""
        return await (await self._ready()).transport.read(path, limit)

    async def push(
        self, scan: Awaitable[Tree], options: PushOptions, reporter: Reporter
    ) -> PushReport:
        """Bring the whole tree on the host to the state of `scan`, which may still be running.

        A save meanwhile goes on its own, and is never undone.
        """
        scanning = asyncio.ensure_future(scan)
        # If the host can't be reached, nobody awaits the scan.
        scanning.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            return await self._push_by(scanning, options, reporter)
        except HostError:
            # If only the receiver has died, a new one takes over.
            if self._opened is None or not self._is_replaceable(self._opened):
                raise
            return await self._push_by(scanning, options, reporter)

    async def _push_by(
        self, scanning: "asyncio.Future[Tree]", options: PushOptions, reporter: Reporter
    ) -> PushReport:
        fresh = not self.opened or options.dry_run or (options.take_over and self.by == "rsync")
        opened = await self._open_for(options) if fresh else await self._ready()
        async with opened.in_flight.lock:
            report = await self._push(opened, scanning, options, reporter, fresh=fresh)
        report.notice = self._notice(opened)
        return report

    def send(self, changes: Sequence[Change]) -> "asyncio.Future[PushReport]":
        """Send just these paths; on return they are on the wire if the tree is open.

        Never raises; the future fails with HostError.
        """
        save = Save(self.root, changes, next_number())
        begun = self._opened if self.opened else None
        if begun is not None:
            save.begin(begun)
        task = asyncio.ensure_future(self._finish(save, begun))
        save.known_as(task)
        return task

    async def _finish(self, save: Save, begun: OpenTree | None) -> PushReport:
        """Finish a save; `begun` is the open tree that it was begun with, if there was one."""
        opened = begun or await self._ready()
        try:
            if opened.transport.conditional:
                report = await save.finish(opened)
            else:
                report = await self._save_queue.finish(save, opened)
        except HostError:
            if not self._is_replaceable(opened):
                raise
            # Only the receiver has died: start over from what the host has now.
            opened = await self._ready()
            report = await save.finish_anew(opened)
        report.add(await save.finish_superseded(opened))
        if report.moving:
            self._verified = False
        report.notice = self._notice(opened)
        return report

    def _is_replaceable(self, opened: OpenTree) -> bool:
        lost = opened.transport.conditional and not opened.alive
        return lost and self.remote.state == "connected"

    async def _ready(self) -> OpenTree:
        """The tree open for writing; opened now if it is not."""
        if self._opened is None or not self._opened.alive:
            async with self._opening:
                if self._opened is None or not self._opened.alive:
                    self._verified = False
                    self._opened = await self._opener.open(writing=True, take_over=False)
        return self._opened

    async def _open_for(self, options: PushOptions) -> OpenTree:
        """Open the tree as a push with these options does; for a dry run only to look at it."""
        if options.dry_run:
            return await self._opener.open(writing=False, take_over=options.take_over)
        async with self._opening:
            self._verified = False
            self._opened = await self._opener.open(writing=True, take_over=options.take_over)
            return self._opened

    async def _push(
        self,
        opened: OpenTree,
        scanning: "asyncio.Future[Tree]",
        options: PushOptions,
        reporter: Reporter,
        *,
        fresh: bool,
    ) -> PushReport:
        in_flight = opened.in_flight
        first = not (in_flight.manifest.written or in_flight.manifest.intended)
        tree, view = await self._look(opened, scanning, options, fresh=fresh)
        if tree.number < in_flight.newest:
            # This push would undo on the host what has been done locally since.
            return PushReport(opened.path, outdated=True)
        if not options.dry_run:
            in_flight.pushing(tree.number)
        known = await differing(tree, view, in_flight, every=options.force)
        known = replace(known, force=options.force, ours=options.ours)
        push = Push(opened, tree.number, options, reporter, first=first)
        report = push.report
        report.unchanged = len(tree.files) - len(known.local)
        try:
            await push.run(known)
        finally:
            held_back = {item.path for item in report.held_back}
            self._survey_cache.others = frozenset(held_back & tree.files.keys())
        if not options.dry_run:
            report.moving += await push.wait_for_saves()
            held = "\n".join(sorted(shown(item.path) for item in report.held_back))
            in_flight.manifest.set_notes({"pushed": str(time.time()), "held_back": held})
            in_flight.save_soon()
            self._verified = opened is self._opened and not report.moving
        return report

    async def _look(
        self,
        opened: OpenTree,
        scanning: "asyncio.Future[Tree]",
        options: PushOptions,
        *,
        fresh: bool,
    ) -> tuple[Tree, HostView]:
        """Look at both sides, and check the owner of the tree, at once."""
        transport = opened.transport
        looking = asyncio.ensure_future(
            look(self._survey_cache, opened, scanning, only_looking=options.dry_run)
        )
        if fresh or not transport.conditional:
            return await looking
        try:
            found = await transport.open(
                self._opener.claim, writing=True, take_over=options.take_over
            )
            if found.path != opened.path:
                self._opened = None
                raise HostError(
                    f"{self.remote.name}: {self.paths.tree} leads to another folder than before",
                    "push again",
                )
            return await looking
        finally:
            looking.cancel()

    def _notice(self, opened: OpenTree) -> str:
        if not opened.why_rsync or not self._trees.is_news(self.remote.name):
            return ""
        return f"no receiver on the host ({opened.why_rsync}); using rsync, which is slower"

    def _connection_changed(self) -> None:
        if self.remote.state != "connected":
            self._opened, self._verified = None, False
