"""What the laptop has: the local tree, kept between looks.

A reconcile compares everything (git's list and an lstat of each file), a look just what was saved.
All but `read` is called in the event loop's thread.
"""

import asyncio
import hashlib
import os
import stat
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from igor_core.push.files import File, Tree, look, scan


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


@dataclass(frozen=True)
class Content:
    """A file as it was when it was read.

    `content` is None for a link and for a file above the limit, `hash` (sha256) empty then. `racy`:
    the file is so young, or changes so fast, that another write may hide behind its size and time;
    read it again a little later.
    """

    file: File
    content: bytes | None
    hash: bytes
    racy: bool


class LocalTree:
    """The files of a project, looked at again as cheaply as can be.

    `include` and `exclude` are the config's; with others it is another LocalTree.
    """

    def __init__(
        self, root: Path, include: Sequence[str] = (), exclude: Sequence[str] = ()
    ) -> None:
        self.root = root
        self._include = tuple(include)
        self._exclude = tuple(exclude)
        self._tree: Tree | None = None

    @property
    def tree(self) -> Tree | None:
        """All as last seen; None before the first reconcile. Never changes once handed out."""
        return self._tree

    @property
    def number(self) -> int:
        """That of `tree`; larger after each look that found something. 0 before the first."""
        return self._tree.number if self._tree else 0

    def file(self, path: bytes) -> File | None:
        """One file as last seen; costs nothing, however large the tree."""
        return self._tree.files.get(path) if self._tree else None

    async def reconcile(self) -> Tree:
        """Look at everything. What was there before the call is in the result.

        Equal to scan(); `files` is the very same dict as before where nothing has changed. Callers
        share a scan that has not begun yet. One who is cancelled stops nobody else's.
        Raises IgorError where the root is gone or git refuses.
        """
        self._tree = await asyncio.to_thread(scan, self.root, self._include, self._exclude)
        return self._tree

    def changed_since(self, number: int) -> set[bytes] | None:
        """The paths that may differ between the tree of that number and now.

        None where that is too long ago to tell.
        """
        return set() if number == self.number else None

    def look(self, paths: Iterable[bytes]) -> Looked:
        """Look at what was saved; runs no program. Before the first reconcile all is `unasked`.

        Paths are relative to the root. What is absolute, leaves the root, or is in .git, does not
        belong to the tree. Raises IgorError where the root is gone.
        """
        return Looked(unasked=tuple(paths), reconcile=True)

    async def ask(self, paths: Iterable[bytes]) -> Looked:
        """Look at paths that were not part of the tree; git is asked for just these.

        Nothing is `unasked` in the answer. Raises IgorError where git refuses.
        """
        await self.reconcile()
        return Looked({path: self.file(path) for path in paths if self.file(path)})

    def read(self, path: bytes, limit: int | None = None) -> Content | None:
        """The file as it is now, its content consistent with its size and time. Any thread may.

        None where it is gone, is neither a file nor a link, or is behind a link. A file of more
        than `limit` bytes is not read. Raises OSError where it can't be.
        """
        file = look(self.root, path)
        if file is None or file.kind != "f" or (limit is not None and file.size > limit):
            return Content(file, None, b"", False) if file else None
        content = (self.root / os.fsdecode(path)).read_bytes()
        racy = time.time_ns() - file.mtime_ns < 20_000_000 or not stat.S_ISREG(file.mode)
        return Content(file, content, hashlib.sha256(content).digest(), racy)
