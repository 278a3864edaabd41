"""The files of a tree at one moment.

Paths are bytes, relative to the root: names need not be UTF-8.
"""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from igor_core.worktree.open_inside import Inside

_FINE_NS, _COARSE_NS, _SECOND_NS = 20_000_000, 2_000_000_000, 1_000_000_000


@dataclass(frozen=True, slots=True)
class File:
    """A regular file or a symbolic link of the tree, as lstat sees it.

    `kind` is "f" or "l"; `mode` the permission bits; `target` what a link points to.
    """

    path: bytes
    kind: str
    size: int
    mtime_ns: int
    mode: int
    target: bytes = b""


@dataclass(frozen=True)
class Tree:
    """The files of a project at one moment.

    `passed_over` are neither files nor links, `unreadable` are unreadable files and folders: paths
    at or below these are not known to be gone. A later scan has a larger `number`.
    """

    root: Path
    files: dict[bytes, File]
    passed_over: tuple[bytes, ...] = ()
    unreadable: tuple[bytes, ...] = ()
    number: int = 0

    def is_gone(self, path: bytes) -> bool:
        """Return whether a path that once belonged to the tree certainly no longer does."""
        return path not in self.files and self._unknown.isdisjoint(with_parents([path]))

    @cached_property
    def _unknown(self) -> frozenset[bytes]:
        return frozenset((*self.passed_over, *self.unreadable))


def look(root: Path | bytes, path: bytes) -> File | None:
    """Return the file as it is now; None if gone, neither a file nor a link, or behind a link.

    Raises OSError.
    """
    try:
        with Inside(root) as inside:
            return file_of(path, inside.lstat(path), inside)
    except (FileNotFoundError, NotADirectoryError):
        return None


def file_of(path: bytes, found: os.stat_result, inside: Inside) -> File | None:
    """Return the file that lstat found; None if it is neither a file nor a link."""
    if stat.S_ISREG(found.st_mode):
        return File(path, "f", found.st_size, found.st_mtime_ns, found.st_mode & 0o777)
    if stat.S_ISLNK(found.st_mode):
        target = inside.readlink(path)
        return File(path, "l", len(target), found.st_mtime_ns, 0o777, target)
    return None


def is_racy(file: File, now: int) -> bool:
    """Return whether a write after `now` (time.time_ns()) may leave the file's time the same.

    Kernels count file times in ticks of up to 10 ms, some file systems in seconds. A time further
    in the future was set on purpose.
    """
    grain = _COARSE_NS if file.mtime_ns % _SECOND_NS == 0 else _FINE_NS
    return file.kind == "f" and -_COARSE_NS < now - file.mtime_ns <= grain


def with_parents(files: Iterable[bytes]) -> set[bytes]:
    """Return the paths and all folders above them, except the root."""
    found: set[bytes] = set()
    for path in files:
        while path and path not in found:
            found.add(path)
            path = path.rpartition(b"/")[0]
    return found


def shown(path: bytes) -> str:
    """Return a path on one line, with non-UTF-8 bytes and control characters escaped."""
    text = path.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
