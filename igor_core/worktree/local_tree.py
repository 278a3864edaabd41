"""What the laptop has: the local tree, kept between looks.

A reconcile compares everything (git's list, and an lstat of each file), a look just what was saved.
All but `read` is called in the thread of the event loop.
"""

import asyncio
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from igor_core.worktree.changes import Changes
from igor_core.worktree.files import File, Tree, next_number
from igor_core.worktree.membership import belonging
from igor_core.worktree.reading import Content, read
from igor_core.worktree.saved import cleaned, find
from igor_core.worktree.scanner import Scanned, Scanner
from igor_core.worktree.tree import look

__all__ = ["Content", "LocalTree", "Looked"]

# Of their own: a reconcile must not wait behind a large push that hashes.
_THREADS = ThreadPoolExecutor(4, "igor-tree")


@dataclass(frozen=True)
class Looked:
    """What a look found.

    `files` are the paths that belong to the tree as they are now, and None for those that did and
    are gone. They need not be the paths asked for: what was saved through a link is where the link
    points. `unasked` are paths that only git can place: `await ask(found.unasked)`. `reconcile`
    says that more than these may have changed (an ignore file, a folder, a repository inside).
    """

    files: dict[bytes, File | None] = field(default_factory=dict)
    unasked: tuple[bytes, ...] = ()
    reconcile: bool = False


class LocalTree:
    """The files of a project, looked at again as cheaply as can be.

    `include` and `exclude` are the config's; with others it is another LocalTree.
    """

    def __init__(
        self, root: Path, include: Sequence[str] = (), exclude: Sequence[str] = ()
    ) -> None:
        self.root = root
        self._root = os.fsencode(root)
        self._scanner = Scanner(root, include, exclude)
        self._scanned: Scanned | None = None
        # What looks found since the last scan, on top of it; a snapshot is made when asked for.
        self._since: dict[bytes, File | None] = {}
        self._during: set[bytes] | None = None
        self._changes = Changes()
        self._number = 0
        self._tree: Tree | None = None
        self._running: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    @property
    def number(self) -> int:
        """That of `tree`; larger after each look that found something. 0 before the first."""
        return self._number

    @property
    def tree(self) -> Tree | None:
        """All as last seen; None before the first reconcile. Never changes once handed out."""
        if self._scanned is None:
            return None
        if self._tree is None or self._tree.number != self._number:
            self._tree = Tree(
                self.root, self._all_files(self._scanned), self._scanned.passed_over,
                self._scanned.unreadable, self._number,
            )  # fmt: skip
        return self._tree

    def file(self, path: bytes) -> File | None:
        """One file as last seen; costs nothing, however large the tree."""
        if path in self._since:
            return self._since[path]
        return self._scanned.files.get(path) if self._scanned else None

    async def reconcile(self) -> Tree:
        """Look at everything. What was there before the call is in the result.

        Equal to scan(); `files` is the very same dict as before where nothing has changed. Callers
        share a scan that has not begun yet. One who is cancelled stops nobody else's.
        Raises IgorError where the root is gone or git refuses.
        """
        if self._next is None:
            self._next = asyncio.ensure_future(self._scan(self._running))
            # Where all callers are cancelled, nobody asks how it ended.
            self._next.add_done_callback(lambda scan: scan.cancelled() or scan.exception())
        await asyncio.shield(self._next)
        tree = self.tree
        assert tree is not None
        return tree

    def changed_since(self, number: int) -> set[bytes] | None:
        """The paths that may differ between the tree of that number and now.

        None where that is too long ago to tell.
        """
        return self._changes.since(number)

    def look(self, paths: Iterable[bytes]) -> Looked:
        """Look at what was saved; runs no program. Before the first reconcile it only asks for one.

        Paths are relative to the root. What is absolute, leaves the root, or is in .git, does not
        belong to the tree. Each path found counts as changed: it was written. Raises IgorError
        where the root is gone.
        """
        if self._scanned is None:
            return Looked(reconcile=True)
        found = find(self._root, paths, self.file)
        files = {path: file for path, file in found.files.items() if self.file(path) is not None}
        self._take(files)
        unasked = tuple(path for path in found.files if path not in files)
        return Looked(files, unasked, found.reconcile)

    async def ask(self, paths: Iterable[bytes]) -> Looked:
        """Look at paths that were not part of the tree; git is asked for just these.

        Nothing is `unasked` in the answer. Raises IgorError where git refuses.
        """
        if self._scanned is None:
            return Looked(reconcile=True)
        found = find(self._root, paths, self.file)
        loop, lists = asyncio.get_running_loop(), self._scanned.lists
        ours = await loop.run_in_executor(
            _THREADS, belonging, self._scanner, lists, list(found.files)
        )
        now = find(self._root, found.files, self.file)
        files = {path: file for path, file in now.files.items() if path in ours.paths}
        self._take(files)
        return Looked(files, (), found.reconcile or ours.reconcile or now.reconcile)

    def read(self, path: bytes, limit: int | None = None) -> Content | None:
        """The file as it is now, its content consistent with its size and time. Any thread may.

        None where it is gone, is neither a file nor a link, is behind a link or not below the root.
        A file of more than `limit` bytes is not read. Raises OSError where it can't be.
        """
        path = cleaned(path)
        return read(self._root, path, limit) if path else None

    def _all_files(self, scanned: Scanned) -> dict[bytes, File]:
        if not self._since:
            return scanned.files
        files = dict(scanned.files)
        for path, file in self._since.items():
            if file is not None:
                files[path] = file
            else:
                files.pop(path, None)
        return files

    def _take(self, files: dict[bytes, File | None]) -> None:
        if not files:
            return
        self._since.update(files)
        if self._during is not None:
            self._during.update(files)
        self._number = next_number()
        self._changes.add(files, self._number)

    async def _scan(self, before: "asyncio.Task[None] | None") -> None:
        if before is not None:
            await asyncio.wait([before])
        self._running, self._next = self._next, None
        self._during, number = set(), next_number()
        try:
            scanned = await asyncio.get_running_loop().run_in_executor(_THREADS, self._scanner.scan)
            self._merge(scanned, number)
        finally:
            self._during = self._running = None

    def _merge(self, scanned: Scanned, number: int) -> None:
        """Take over a scan that began as `number`; what was saved since is looked at once more."""
        first, since = self._scanned is None, {}
        for path in self._during or ():
            if path in scanned.files or self.file(path) is not None:
                file = self._now(path, scanned)
                if file != scanned.files.get(path):
                    since[path] = file
        doubtful = scanned.changed | self._since.keys() | since.keys()
        changed = [
            path
            for path in doubtful
            if self.file(path) != (since[path] if path in since else scanned.files.get(path))
        ]
        self._scanned, self._since = scanned, since
        self._number = number if number > self._number else next_number()
        if first:
            self._changes.begin(self._number)
        else:
            self._changes.add(changed, self._number)

    def _now(self, path: bytes, scanned: Scanned) -> File | None:
        try:
            return look(self._root, path)
        except OSError:
            return scanned.files.get(path)
