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

_MOST_INTEGER = (1 << 63) - 1  # of SQLite
_FINE_NS, _COARSE_NS, _SECOND_NS = 20_000_000, 2_000_000_000, 1_000_000_000


@dataclass(frozen=True, slots=True)
class File:
    """A regular file or a symbolic link of the tree, as lstat sees it.

    `kind` is "f" or "l"; `mode` the permission bits; `target` what a link points to. Size and time
    can be the same for another content (`cp -p`, `mv`, a checkout); then `ctime_ns`, which no
    program can set, or `inode` differs, as in git's index.
    """

    path: bytes
    kind: str
    size: int
    mtime_ns: int
    mode: int
    target: bytes = b""
    ctime_ns: int = 0
    inode: int = 0


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
        mode, target, size = found.st_mode & 0o777, b"", found.st_size
        kind = "f"
    elif stat.S_ISLNK(found.st_mode):
        mode, target = 0o777, inside.readlink(path)
        kind, size = "l", len(target)
    else:
        return None
    mtime, ctime, inode = found.st_mtime_ns, found.st_ctime_ns, found.st_ino & _MOST_INTEGER
    return File(path, kind, size, mtime, mode, target, ctime, inode)


def is_racy(file: File, now: int) -> bool:
    """Return whether a write after `now` (time.time_ns()) may leave the file's time the same.

    Kernels count file times in ticks of up to 10 ms, some file systems in seconds. A time further
    in the future was set on purpose.
    """
    times = (file.mtime_ns, file.ctime_ns)
    return file.kind == "f" and any(-_COARSE_NS < now - at <= _grain(at) for at in times)


def _grain(time_ns: int) -> int:
    return _COARSE_NS if time_ns % _SECOND_NS == 0 else _FINE_NS


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
