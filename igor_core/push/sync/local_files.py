"""The local files of one clone, watched for changes and read once for all hosts."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from igor_core.errors import IgorError
from igor_core.push.plan import Change, HeldBack
from igor_core.worktree.files import Tree
from igor_core.worktree.local_tree import Content, LocalTree

# A larger file is not held in memory, but streamed to each host.
HELD_BYTES = 8 << 20
# The most that is held of all files that leave at once.
TOTAL_HELD_BYTES = 32 << 20
# Reading less than this takes no longer than handing it to a thread.
SMALL_BYTES = 256 << 10
SMALL_FILES = 8
# A file that was read just when it was written is read again after this time.
RACY_SECONDS = 0.03

_Contents = list[tuple[bytes, Content | OSError | None]]


@dataclass(frozen=True)
class Reading:
    """Files as they are now, and those that can't be read, in `generation`."""

    changes: Sequence[Change]
    unreadable: Sequence[HeldBack]
    generation: int


class LocalFiles:
    """Notices changes of the local files, and calls `tell` with the paths that an editor saved.

    `tell` is called again for files that may have changed while they were read. Calls of `tell`,
    and readings, come one at a time, in the order in which changes are seen.
    """

    def __init__(
        self,
        root: Path,
        include: Sequence[str],
        exclude: Sequence[str],
        tell: Callable[[set[bytes]], Awaitable[None]],
    ) -> None:
        self.tree = LocalTree(root, include, exclude)
        self._tell = tell
        self._turn = asyncio.Lock()
        # The hashes of files that were read just when they were written.
        self._racy: dict[bytes, bytes] = {}
        self._next_scan: asyncio.Task[Tree] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def count(self) -> int:
        """The number of files in the tree, as last seen."""
        return len(self.tree.tree.files) if self.tree.tree else 0

    async def saved(self, paths: Iterable[bytes]) -> None:
        """Look at files that were just written or deleted. Raises IgorError."""
        async with self._turn:
            looked = self.tree.look(paths)
            found = set(looked.files)
            reconcile = looked.reconcile
            try:
                if looked.unasked:
                    asked = await self.tree.ask(looked.unasked)
                    found.update(asked.files)
                    reconcile = reconcile or asked.reconcile
                if reconcile:
                    await self.tree.reconcile()
            finally:
                # If git refuses, the files that were known before are sent all the same.
                await self._tell(found)

    def scan(self) -> "asyncio.Future[Tree]":
        """Look at all files. Callers share a scan that has not begun. Raises IgorError."""
        if self._next_scan is None:
            self._next_scan = asyncio.ensure_future(self._scan())
        return asyncio.shield(self._next_scan)

    async def _scan(self) -> Tree:
        async with self._turn:
            self._next_scan = None
            tree = await self.tree.reconcile()
            await self._tell(set())
            return tree

    async def read(self, paths: Collection[bytes]) -> Reading:
        """Read the files as they are now.

        Whatever is seen meanwhile is told later, so a host that is sent this at once never gets an
        older content after a newer one.
        """
        async with self._turn:
            return await self.read_in_turn(paths)

    async def read_in_turn(self, paths: Collection[bytes]) -> Reading:
        """Like `read`, for `tell` to call."""
        changes, unreadable = [], []
        for path, content in await self._read(paths):
            if isinstance(content, OSError):
                reason = f"the local file can't be read: {content.strerror}"
                unreadable.append(HeldBack(path, reason))
            else:
                changes.append(Change.of(path, content))
        return Reading(changes, unreadable, self.tree.number)

    async def changed_again(self) -> set[bytes]:
        """The files that have another content than when they were read while being written."""
        before, self._racy = self._racy, {}
        return {
            path
            for path, content in await self._read(before)
            if not isinstance(content, Content) or content.hash != before[path]
        }

    async def _read(self, paths: Collection[bytes]) -> _Contents:
        known = [file for path in paths if (file := self.tree.file(path)) is not None]
        size = sum(file.size for file in known)
        if size <= SMALL_BYTES and len(paths) <= SMALL_FILES:
            read = self._read_now(paths)
        else:
            read = await asyncio.to_thread(self._read_now, paths)
        racy = {path: c.hash for path, c in read if isinstance(c, Content) and c.racy}
        self._racy = {p: h for p, h in self._racy.items() if p not in paths} | racy
        if racy:
            asyncio.get_running_loop().call_later(RACY_SECONDS, self._look_again)
        return read

    def _read_now(self, paths: Collection[bytes]) -> _Contents:
        left = TOTAL_HELD_BYTES
        found: _Contents = []
        for path in paths:
            try:
                # A file that no longer belongs to the tree is deleted on the hosts.
                belongs = self.tree.file(path) is not None
                content = self.tree.read(path, min(HELD_BYTES, left)) if belongs else None
            except OSError as error:
                found.append((path, error))
                continue
            left -= len(content.content or b"") if content else 0
            found.append((path, content))
        return found

    def _look_again(self) -> None:
        if self._racy:
            task = asyncio.ensure_future(self._tell_of_racy())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _tell_of_racy(self) -> None:
        # The next save or command reports what is wrong with the folder.
        with contextlib.suppress(IgorError):
            async with self._turn:
                await self._tell(set())
