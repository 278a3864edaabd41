"""The local tree, kept in memory between looks at the disk.

A reconcile compares everything (git's list, and an lstat of each file), a look only the saved
paths. Call all methods but `read` from the event loop's thread.
"""

import asyncio
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from igor_core.worktree.changes import Changes
from igor_core.worktree.files import File, Tree, next_number
from igor_core.worktree.membership import belonging
from igor_core.worktree.reading import Content, read
from igor_core.worktree.saved import Looked, cleaned, find
from igor_core.worktree.scanner import Scanned, Scanner
from igor_core.worktree.tree import look

__all__ = ["Content", "LocalTree", "Looked"]

# Separate threads: a reconcile must not wait behind the hashing of a large push.
_THREADS = ThreadPoolExecutor(4, "igor-tree")


class LocalTree:
    """The files of a project, kept up to date at the least cost.

    `include` and `exclude` are the config's.
    """

    def __init__(
        self, root: Path, include: Sequence[str] = (), exclude: Sequence[str] = ()
    ) -> None:
        self.root = root
        self._root = os.fsencode(root)
        self._scanner = Scanner(root, include, exclude)
        self._scanned: Scanned | None = None
        # The paths found by looks since the last scan.
        self._since: dict[bytes, File | None] = {}
        self._during: set[bytes] | None = None
        self._changes = Changes()
        self._number = 0
        self._tree: Tree | None = None
        self._running: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    @property
    def number(self) -> int:
        """The number of `tree`, which grows with each change found; 0 before the first look."""
        return self._number

    @property
    def tree(self) -> Tree | None:
        """All files as last seen; None before the first reconcile. Never changes later."""
        if self._scanned is None:
            return None
        if self._tree is None or self._tree.number != self._number:
            self._tree = Tree(
                self.root, self._all_files(self._scanned), self._scanned.passed_over,
                self._scanned.unreadable, self._number,
            )  # fmt: skip
        return self._tree

    def file(self, path: bytes) -> File | None:
        """Return one file as last seen; takes constant time."""
        if path in self._since:
            return self._since[path]
        return self._scanned.files.get(path) if self._scanned else None

    async def reconcile(self) -> Tree:
        """Look at everything; the result has all that existed before the call.

        If nothing has changed, `files` is the same dict as before. Callers share a scan that has
        not begun; cancelling one caller does not stop the scan. Raises IgorError if the root is
        gone or git refuses.
        """
        if self._next is None:
            self._next = asyncio.ensure_future(self._scan(self._running))
            # If all callers are cancelled, nobody awaits the scan.
            self._next.add_done_callback(lambda scan: scan.cancelled() or scan.exception())
        await asyncio.shield(self._next)
        tree = self.tree
        assert tree is not None
        return tree

    def changed_since(self, number: int) -> set[bytes] | None:
        """Return the paths that may have changed since a tree; None if its number is too old."""
        return self._changes.since(number)

    def look(self, paths: Iterable[bytes]) -> Looked:
        """Look at saved paths without running git. Before the first reconcile, only ask for one.

        Paths are relative to the root; absolute paths, and paths that leave the root or are in
        .git, are ignored. Each path found counts as changed, since it was written. Raises IgorError
        if the root is gone.
        """
        if self._scanned is None:
            return Looked(reconcile=True)
        found = find(self._root, paths, self.file)
        files = {path: file for path, file in found.files.items() if self.file(path) is not None}
        self._take(files)
        unasked = tuple(path for path in found.files if path not in files)
        return Looked(files, unasked, found.reconcile)

    async def ask(self, paths: Iterable[bytes]) -> Looked:
        """Look at paths that were not part of the tree, and ask git about these only.

        `unasked` is empty in the result. Raises IgorError if git refuses.
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
        """Read the file as it is now, its content consistent with its size and time. Thread-safe.

        None if it is gone, neither a file nor a link, behind a link, or not below the root.
        A file of more than `limit` bytes is not read. Raises OSError.
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
        """Take over a scan that began as `number`, and look again at the paths saved since."""
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
