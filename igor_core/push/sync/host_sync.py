"""Keeping one host's tree up to date with a clone."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from igor_core.errors import IgorError
from igor_core.push.plan import Change, exceeds_delete_limit
from igor_core.push.report import Nobody, PushOptions, PushReport, Reporter
from igor_core.push.sync.backlog import Backlog
from igor_core.push.sync.host_tree import HostTree
from igor_core.push.sync.local_files import LocalFiles, Reading
from igor_core.push.sync.retry import LAST_RETRY, Retry, bug
from igor_core.ssh.host import RemoteHost
from igor_core.ssh.login import Login
from igor_core.worktree.files import Tree

# More changed paths than this are left to a full push, which asks before many deletes and holds
# less content in memory.
MANY_CHANGES = 1000


class HostSync:
    """Sends the changes of a clone to one host, and knows what the host lacks (`backlog`).

    `error` is why the last attempt failed. `locate` returns the host's tree, once the host is
    connected; `on_change` is called when the state may have changed.
    """

    def __init__(
        self, remote: RemoteHost, locate: Callable[[], HostTree], files: LocalFiles
    ) -> None:
        self.remote = remote
        self.backlog = Backlog()
        self.error: IgorError | None = None
        self.on_change: Callable[[], None] = lambda: None
        self._files = files
        self._locate = locate
        self._host_tree: HostTree | None = None
        self._saves: set[asyncio.Future[PushReport]] = set()
        self._pushing = 0
        self._warming: asyncio.Task[None] | None = None
        self._retry = Retry(
            remote, is_done=self._is_done, catch_up=self._catch_up, ended=self._attempt_ended
        )
        remote.on_state(self._connection_changed)

    @property
    def host_tree(self) -> HostTree:
        """The tree on the host, which must have been connected once."""
        self._host_tree = self._host_tree or self._locate()
        return self._host_tree

    @property
    def verified(self) -> bool:
        """Whether the host is known to have everything but the backlog."""
        has_tree = self._host_tree is not None and self._host_tree.verified
        return self.backlog.is_compared and has_tree

    @property
    def state(self) -> str:
        """Either "fresh", "syncing", "stale", "offline", "needs login" or "not connected"."""
        connection = self.remote.state
        if connection in ("offline", "needs login"):
            return connection
        if connection != "connected":
            # While a lost host is tried again, it stays offline.
            return "offline" if self.error is not None else "not connected"
        if self._pushing or self._saves:
            return "syncing"
        return "fresh" if self.verified and not self.backlog.behind else "stale"

    # Local changes.

    @property
    def is_followed(self) -> bool:
        """Whether the host is kept up to date in the background."""
        return self._retry.is_running

    @property
    def takes_saves(self) -> bool:
        """Whether changes are sent at once; if not, they wait for a full push."""
        is_open = self._host_tree is not None and self._host_tree.opened
        return is_open and self.is_followed

    def take(self, paths: Collection[bytes], changes: Sequence[Change], generation: int) -> None:
        """Send changed paths; on return they are on the wire if the host takes saves."""
        if self.takes_saves:
            # Without the paths that can't be read.
            paths = [change.path for change in changes]
        if not paths:
            return
        self.backlog.add(paths, generation)
        gone = sum(1 for change in changes if change.file is None)
        if len(paths) > MANY_CHANGES or exceeds_delete_limit(gone, self._files.count + gone):
            self.compare_all(generation)
        elif self.takes_saves:
            self._send(changes, generation)
        else:
            self._retry.nudge()
        self.on_change()

    def compare_all(self, generation: int) -> None:
        """Push everything: which paths have changed up to this generation is not known."""
        self.backlog.compare_all(generation)
        self._retry.nudge()

    def hold_back(self, reading: Reading) -> None:
        """Hold back the paths that could not be read."""
        for item in reading.unreadable:
            self.backlog.hold_back(item, reading.generation)

    def _send(self, changes: Sequence[Change], generation: int) -> None:
        save = self.host_tree.send(changes)
        self._saves.add(save)
        save.add_done_callback(functools.partial(self._save_ended, changes, generation))

    async def _send_again(self, paths: Collection[bytes], generation: int) -> None:
        """Send paths whose last attempt failed."""
        reading = await self._files.read(paths)
        self.hold_back(reading)
        self._send(reading.changes, generation)

    def _save_ended(
        self, changes: Sequence[Change], generation: int, save: "asyncio.Future[PushReport]"
    ) -> None:
        self._saves.discard(save)
        if save.cancelled():
            return
        error = save.exception()
        if error is None:
            paths = [change.path for change in changes]
            self.backlog.acknowledge(paths, generation, save.result())
            if self.verified:
                self.error = None
            else:
                # Another receiver has taken over, or a file keeps changing.
                self._retry.try_again()
        else:
            self.error = error if isinstance(error, IgorError) else bug(self.remote, error)
            self._retry.try_again(LAST_RETRY)
        self.on_change()

    # Full pushes, and the barrier.

    async def push(
        self, scan: Awaitable[Tree], options: PushOptions, reporter: Reporter
    ) -> PushReport:
        """Push the whole tree. Raises HostError."""
        self._pushing += 1
        self.on_change()
        try:
            report = await self.host_tree.push(scan, options, reporter)
            if not options.dry_run and not report.outdated:
                self.error = None
                self.backlog.compared((await scan).number, report)
            return report
        except IgorError as error:
            self.error = error
            raise
        finally:
            self._pushing -= 1
            self.on_change()

    async def reach(
        self, scan: "asyncio.Future[Tree]", options: PushOptions, reporter: Reporter
    ) -> PushReport:
        """The barrier: wait until the host has what `scan` has found. Raises HostError.

        Costs no round trip if the host has acknowledged everything.
        """
        tree = await scan
        generation = tree.number
        report = PushReport(self.host_tree.paths.tree, unchanged=len(tree.files))
        while self.verified:
            late = self.backlog.late(generation)
            if not late:
                report.held_back = list(self.backlog.held_back.values())
                report.unchanged = len(tree.files) - len(report.sent) - len(report.held_back)
                return report
            report = (await self._next_save(late, generation)).after(report)
        return (await self.push(scan, options, reporter)).after(report)

    async def _next_save(self, late: Collection[bytes], generation: int) -> PushReport:
        """Wait for a save to end."""
        if not self._saves:
            await self._send_again(late, generation)
        report = PushReport(self.host_tree.paths.tree)
        if not self._saves:
            return report
        done, _ = await asyncio.wait(self._saves, return_when=asyncio.FIRST_COMPLETED)
        for save in done:
            error = save.exception()
            # If the connection was lost, the push that follows decides.
            if error is not None and self.verified:
                raise error
            if error is None:
                report = save.result().after(report)
        return report

    # In the background, for an editor that pushes on write.

    def follow(self, environment: Mapping[str, str], *, anew: bool = False) -> None:
        """Keep the host up to date from now on, and reconnect when it was lost.

        `environment` has what a login needs; nobody is asked anything. A login that was refused is
        tried again only with another environment, or `anew`: when a person opens the project.
        """
        self._retry.start(environment, anew=anew)

    def unfollow(self) -> None:
        self._retry.stop()
        if self._warming is not None:
            self._warming.cancel()
            self._warming = None

    def warm(self, environment: Mapping[str, str]) -> None:
        """Connect before the first command, if that is possible without a question."""
        if not self.is_followed and self.remote.state == "not connected":
            self._warming = asyncio.ensure_future(self._warm(environment))

    async def _warm(self, environment: Mapping[str, str]) -> None:
        try:
            await self.remote.connect(Login(None, environment))
            await self.host_tree.open()
        except IgorError as error:
            self._attempt_ended(error)

    def _is_done(self) -> bool:
        return self.verified and (not self.backlog.behind or bool(self._saves))

    async def _catch_up(self) -> None:
        """Bring the connected host up to date. Raises IgorError."""
        behind = self.backlog.behind
        if not self.verified:
            await self._push_quietly()
        elif behind and not self._saves:
            await self._send_again(list(behind), max(behind.values()))

    async def _push_quietly(self) -> None:
        report = await self.push(self._files.scan(), PushOptions(asks=False), Nobody())
        if report.outdated:
            self._retry.nudge()
        elif report.moving:
            # Not at once, since a program may keep writing there.
            self._retry.try_again()

    def _attempt_ended(self, error: IgorError | None) -> None:
        self.error = error or self.error
        self.on_change()

    def _connection_changed(self) -> None:
        """The connection was lost or made."""
        if self.is_followed and self.remote.state in ("connected", "not connected"):
            self._retry.nudge()
        self.on_change()
