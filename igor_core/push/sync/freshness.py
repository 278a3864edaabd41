"""What one host lacks of the local tree, counted in generations, and how it gets there.

A generation is the local tree's number: it grows with each change that is seen. A host has
generation g when it has acknowledged all that changed up to g.
"""

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Protocol

from igor_core.errors import IgorError
from igor_core.push.delete_limit import too_many
from igor_core.push.plan import HeldBack
from igor_core.push.report import Nobody, Options, Report, Reporter
from igor_core.push.sync.host_tree import Change, HostTree
from igor_core.push.sync.retry import LAST_RETRY, Retry, bug
from igor_core.ssh.host import RemoteHost
from igor_core.worktree.files import Tree

# More changed paths than this are compared and sent as a whole push, which asks before many
# deletions and reads no more content at once than it needs.
MANY_CHANGES = 1000


class Source(Protocol):
    """The clone that a host follows, see clone.py."""

    @property
    def count(self) -> int:
        """How many files the local tree has."""
        ...

    def scan(self) -> Awaitable[Tree]: ...

    async def read(self, paths: Collection[bytes]) -> Sequence[Change]: ...


class Freshness:
    """One host's tree beside the local one. `behind`: path → generation, until acknowledged.

    `error` says why the last attempt failed, `since` (Unix time) from when on it is behind.
    `locate` makes the tree of the host, which is connected then.
    """

    def __init__(
        self, remote: RemoteHost, locate: Callable[[], HostTree], source: Source, options: Options
    ) -> None:
        self.remote = remote
        self.behind: dict[bytes, int] = {}
        self.held_back: dict[bytes, HeldBack] = {}
        # What is known of paths by saves since the last whole push: of which generation.
        self._told_at: dict[bytes, int] = {}
        self.error: IgorError | None = None
        self.since: float | None = None
        self.on_change: Callable[[], None] = lambda: None
        self._options = options
        self._source = source
        self._locate = locate
        self._there: HostTree | None = None
        # The number of the last whole push, and of the first tree that one must have compared.
        self._compared_at = 0
        self._to_compare = 1
        self._flights: set[asyncio.Future[Report]] = set()
        self._pushing = 0
        self._follower = Retry(remote, self)
        remote.on_state(self._host_changed)

    @property
    def there(self) -> HostTree:
        """The tree; where its folder is, is known once the host is connected."""
        self._there = self._there or self._locate()
        return self._there

    @property
    def verified(self) -> bool:
        """Whether all but `behind` is known to be there."""
        compared = self._compared_at >= self._to_compare
        return compared and self._there is not None and self._there.verified

    @property
    def state(self) -> str:
        """Either "fresh", "syncing", "stale", "offline", "needs login" or "not connected"."""
        connection = self.remote.state
        if connection in ("offline", "needs login"):
            return connection
        if connection != "connected":
            # While it is tried again it is as far away as before.
            return "offline" if self.error is not None else "not connected"
        if self._pushing or self._flights:
            return "syncing"
        return "fresh" if self.verified and not self.behind else "stale"

    # Changes here.

    @property
    def is_followed(self) -> bool:
        """Whether it is kept up to date in the background."""
        return self._follower.follows

    @property
    def takes_saves(self) -> bool:
        """Whether changes go there at once; else they wait for a whole push."""
        is_open = self._there is not None and self._there.opened
        return is_open and self.is_followed

    def take(self, paths: Collection[bytes], changes: Sequence[Change], generation: int) -> None:
        """These have changed here; on their way at return where the host takes saves."""
        if self.takes_saves:
            # Without those that can't be read.
            paths = [change.path for change in changes]
        if not paths:
            return
        for path in paths:
            self.behind[path] = generation
        self.since = self.since or time.time()
        gone = sum(1 for change in changes if change.file is None)
        if len(paths) > MANY_CHANGES or too_many(gone, self._source.count + gone):
            self.compare_all(generation)
        elif self.takes_saves:
            self._send(changes, generation)
        else:
            self._follower.nudge()
        self.on_change()

    def compare_all(self, generation: int) -> None:
        """What has changed up to there is not known: only a whole push of it, or later, tells."""
        self._to_compare = generation
        self._follower.nudge()

    def hold_back(self, item: HeldBack, generation: int) -> None:
        """A path that can't be sent as it is here."""
        self.held_back[item.path] = item
        self._told_at[item.path] = generation
        self.behind.pop(item.path, None)

    def _send(self, changes: Sequence[Change], generation: int) -> None:
        flight = self.there.send(changes)
        self._flights.add(flight)
        flight.add_done_callback(functools.partial(self._landed, changes, generation))

    def _landed(
        self, changes: Sequence[Change], generation: int, flight: "asyncio.Future[Report]"
    ) -> None:
        self._flights.discard(flight)
        if flight.cancelled():
            return
        error = flight.exception()
        if error is None:
            self._acknowledged([change.path for change in changes], generation, flight.result())
            if self.verified:
                self.error = None
            else:
                # Another receiver has taken over, or a file changes on and on.
                self._follower.try_again()
        else:
            self._failed(error)
        self.on_change()

    def _acknowledged(self, paths: Collection[bytes], generation: int, report: Report) -> None:
        settled = set(paths).difference(report.moving)
        for path in settled:
            if self.behind.get(path, generation + 1) <= generation:
                del self.behind[path]
        # What is known by a later comparison or save stays.
        oldest = max(self._compared_at, 1)
        news = {path for path in settled if self._told_at.get(path, oldest) <= generation}
        for path in news:
            self._told_at[path] = generation
            self.held_back.pop(path, None)
        self.held_back |= {item.path: item for item in report.held_back if item.path in news}
        if not self.behind:
            self.since = None

    def _failed(self, error: BaseException) -> None:
        self.error = error if isinstance(error, IgorError) else bug(self.remote, error)
        self._follower.try_again(LAST_RETRY)

    # Whole pushes, and the barrier.

    async def push(self, scan: Awaitable[Tree], options: Options, reporter: Reporter) -> Report:
        """A whole push. Raises HostError."""
        self._pushing += 1
        self.on_change()
        try:
            report = await self.there.push(scan, options, reporter)
            if not options.dry_run and not report.outdated:
                self._compared((await scan).number, report)
            return report
        except IgorError as error:
            self.error = error
            raise
        finally:
            self._pushing -= 1
            self.on_change()

    def _compared(self, generation: int, report: Report) -> None:
        self.error = None
        self._compared_at = max(self._compared_at, generation)
        # What saves have found since then, the push knows nothing of.
        self._told_at = {path: at for path, at in self._told_at.items() if at > generation}
        later = {path: item for path, item in self.held_back.items() if path in self._told_at}
        pushed = {item.path: item for item in report.held_back if item.path not in self._told_at}
        self.held_back = pushed | later
        moving = set(report.moving)
        self.behind = {
            path: at for path, at in self.behind.items() if at > generation or path in moving
        }
        if not self.behind:
            self.since = None

    async def reach(
        self, scan: "asyncio.Future[Tree]", options: Options, reporter: Reporter
    ) -> Report:
        """The barrier: wait until the host has what `scan`, which is done, has found.

        Costs no round trip where all is acknowledged already. Raises HostError.
        """
        tree = await scan
        generation = tree.number
        report = Report(self.there.paths.tree, unchanged=len(tree.files))
        while self.verified:
            late = [path for path, at in self.behind.items() if at <= generation]
            if not late:
                report.held_back = list(self.held_back.values())
                report.unchanged = len(tree.files) - len(report.sent) - len(report.held_back)
                return report
            report = (await self._next_landing(late, generation)).after(report)
        return (await self.push(scan, options, reporter)).after(report)

    async def _next_landing(self, late: Collection[bytes], generation: int) -> Report:
        if not self._flights:
            # Their last attempt failed.
            self._send(await self._source.read(late), generation)
        if not self._flights:
            return Report(self.there.paths.tree)
        done, _ = await asyncio.wait(self._flights, return_when=asyncio.FIRST_COMPLETED)
        report = Report(self.there.paths.tree)
        for flight in done:
            error = flight.exception()
            # What fails because the connection was lost is decided by the push that follows.
            if error is not None and self.verified:
                raise error
            if error is None:
                report = flight.result().after(report)
        return report

    # In the background, for an editor that pushes each save.

    def follow(self, environment: Mapping[str, str]) -> None:
        """Keep the host up to date from now on, and come back to it when it was lost.

        `environment` has what a login needs; nobody is asked anything.
        """
        self._follower.follow(environment)

    def unfollow(self) -> None:
        self._follower.unfollow()

    def warm(self, environment: Mapping[str, str]) -> None:
        """Be connected before the first command, if that can be had without asking anybody."""
        self._follower.warm(environment)

    async def open(self) -> None:
        await self.there.open()

    @property
    def is_done(self) -> bool:
        return self.verified and (not self.behind or bool(self._flights))

    async def catch_up(self) -> None:
        """Bring the host, which is connected, up to date. Raises IgorError."""
        if not self.verified:
            await self._push_quietly()
        elif self.behind and not self._flights:
            generation = max(self.behind.values())
            self._send(await self._source.read(list(self.behind)), generation)

    async def _push_quietly(self) -> None:
        report = await self.push(self._source.scan(), self._options, Nobody())
        if report.outdated:
            self._follower.nudge()
        elif report.moving:
            # Not at once: a program may write there on and on.
            self._follower.try_again()

    def tell(self, error: IgorError | None) -> None:
        self.error = error or self.error
        self.on_change()

    def _host_changed(self) -> None:
        """The connection was lost, or somebody has logged in."""
        if self.is_followed and self.remote.state in ("connected", "not connected"):
            self._follower.nudge()
        self.on_change()
