"""One clone of a project on this machine, and the hosts that follow it."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from igor_core.errors import IgorError
from igor_core.push.plan import HeldBack
from igor_core.push.report import Options
from igor_core.push.sync.freshness import Freshness
from igor_core.push.sync.host_tree import Change, HostTree
from igor_core.ssh.host import RemoteHost
from igor_core.worktree.files import Tree
from igor_core.worktree.local_tree import Content, LocalTree

# A file above this is not held in memory but streamed, to each host anew.
HELD_BYTES = 8 << 20
# What may be held of all files that leave at once.
FLIGHT_BYTES = 32 << 20
# Reading less than this takes no longer than asking a thread to do it.
AT_ONCE_BYTES = 256 << 10
AT_ONCE_FILES = 8
# After this a file that was read just when it was written is looked at again.
RACY_SECONDS = 0.03


class Clone:
    """Sees what changes in one local tree and tells each host that follows it.

    What is seen first is told first: a host never gets an older content after a newer one.
    """

    def __init__(
        self, root: Path, include: Sequence[str] = (), exclude: Sequence[str] = ()
    ) -> None:
        self.root = root
        self.local = LocalTree(root, include, exclude)
        self.hosts: dict[tuple[RemoteHost, tuple[str, ...]], Freshness] = {}
        self._turn = asyncio.Lock()
        self._told = 0
        # Files read just when they were written, and the hash of what was read.
        self._racy: dict[bytes, bytes] = {}
        self._next_scan: asyncio.Task[Tree] | None = None
        self._looking: set[asyncio.Task[None]] = set()

    def on(
        self, remote: RemoteHost, where: tuple[str, ...], locate: Callable[[], HostTree]
    ) -> Freshness:
        """The freshness of this clone's tree on a host; `where` tells several there apart."""
        key = remote, where
        if key not in self.hosts:
            self.hosts[key] = Freshness(remote, locate, self, Options())
        return self.hosts[key]

    async def saved(self, paths: Iterable[bytes]) -> None:
        """These files were written or deleted just now. Raises IgorError."""
        async with self._turn:
            looked = self.local.look(paths)
            found = set(looked.files)
            reconcile = looked.reconcile
            try:
                if looked.unasked:
                    asked = await self.local.ask(looked.unasked)
                    found.update(asked.files)
                    reconcile = reconcile or asked.reconcile
                if reconcile:
                    await self.local.reconcile()
            finally:
                # Where git refuses, what was known before goes all the same.
                await self._tell(found)

    @property
    def count(self) -> int:
        """How many files the tree has, as last seen."""
        return len(self.local.tree.files) if self.local.tree else 0

    def scan(self) -> "asyncio.Future[Tree]":
        """Look at everything and tell the hosts what has changed since the last look.

        Done, each of them has what it lacks in `behind`. Callers share a scan that has not begun.
        Raises IgorError.
        """
        if self._next_scan is None:
            self._next_scan = asyncio.ensure_future(self._scan())
        return asyncio.shield(self._next_scan)

    async def _scan(self) -> Tree:
        async with self._turn:
            self._next_scan = None
            tree = await self.local.reconcile()
            await self._tell(set())
            return tree

    async def _tell(self, seen: set[bytes]) -> None:
        """Tell of what has changed since the last time, and of `seen` whether changed or not."""
        changed = self.local.changed_since(self._told) if self._told else None
        generation = self._told = self.local.number
        if changed is None:
            for host in self.hosts.values():
                host.compare_all(generation)
            return
        paths = changed | seen | await self._unsettled()
        changes: Sequence[Change] = ()
        if any(host.takes_saves for host in self.hosts.values()):
            changes = await self._changes(paths)
        for host in self.hosts.values():
            host.take(paths, changes, generation)

    async def read(self, paths: Collection[bytes]) -> Sequence[Change]:
        """The files as they are now, each with its content; None for what is gone.

        What can't be read is held back on all hosts. What is seen meanwhile is told later: whoever
        sends this at once sends nothing older than what has been told before.
        """
        async with self._turn:
            return await self._changes(paths)

    async def _changes(self, paths: Collection[bytes]) -> Sequence[Change]:
        changes = []
        for path, content in await self._read(paths):
            if isinstance(content, OSError):
                for host in self.hosts.values():
                    reason = f"can't be read here: {content.strerror}"
                    host.hold_back(HeldBack(path, reason), self.local.number)
            elif content is None:
                changes.append(Change(path, None))
            else:
                changes.append(Change(path, content.file, content.content, content.hash))
        return changes

    async def _unsettled(self) -> set[bytes]:
        """Of the files that were read just when they were written, those with other content now."""
        before, self._racy = self._racy, {}
        return {
            path
            for path, content in await self._read(before)
            if not isinstance(content, Content) or content.hash != before[path]
        }

    async def _read(self, paths: Collection[bytes]) -> list[tuple[bytes, Content | OSError | None]]:
        """Another write may hide behind the size and time of what is `racy`: it is read again."""
        known = [file for path in paths if (file := self.local.file(path)) is not None]
        size = sum(file.size for file in known)
        if size <= AT_ONCE_BYTES and len(paths) <= AT_ONCE_FILES:
            read = self._read_now(paths)
        else:
            read = await asyncio.to_thread(self._read_now, paths)
        racy = {path: c.hash for path, c in read if isinstance(c, Content) and c.racy}
        self._racy = {p: h for p, h in self._racy.items() if p not in paths} | racy
        if racy:
            asyncio.get_running_loop().call_later(RACY_SECONDS, self._look_again)
        return read

    def _read_now(self, paths: Collection[bytes]) -> list[tuple[bytes, Content | OSError | None]]:
        left = FLIGHT_BYTES
        found: list[tuple[bytes, Content | OSError | None]] = []
        for path in paths:
            try:
                # What does not belong to the tree any more is as good as gone.
                belongs = self.local.file(path) is not None
                content = self.local.read(path, min(HELD_BYTES, left)) if belongs else None
            except OSError as error:
                found.append((path, error))
                continue
            left -= len(content.content or b"") if content else 0
            found.append((path, content))
        return found

    def _look_again(self) -> None:
        if self._racy:
            task = asyncio.ensure_future(self._tell_of_racy())
            self._looking.add(task)
            task.add_done_callback(self._looking.discard)

    async def _tell_of_racy(self) -> None:
        # What is wrong with the folder, the next save or command says.
        with contextlib.suppress(IgorError):
            async with self._turn:
                await self._tell(set())

    def close(self) -> None:
        for host in self.hosts.values():
            host.unfollow()
