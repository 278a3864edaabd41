"""What belongs to the tree: exactly what git says, or gitignore's rules outside git.

Paths are bytes, relative to the project's root: names need not be UTF-8.
"""

import itertools
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from igor_core.errors import IgorError
from igor_core.push import git
from igor_core.push.gitignore import Patterns
from igor_core.push.walk import unreadable_folders, walk

IGNORE_FILE = ".igor/ignore"

_numbers = itertools.count(1)


def next_number() -> int:
    """Larger than that of each scan that has begun, smaller than that of each that will."""
    return next(_numbers)


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

    `passed_over` are neither files nor links, `unreadable` folders and files that can't be looked
    at: what is there, or below it, is not known to be gone. A later scan has a larger `number`.
    """

    root: Path
    files: dict[bytes, File]
    passed_over: tuple[bytes, ...] = ()
    unreadable: tuple[bytes, ...] = ()
    number: int = 0

    def is_gone(self, path: bytes) -> bool:
        """Whether a path that once belonged to the tree certainly no longer does."""
        return path not in self.files and self._unknown.isdisjoint(with_parents([path]))

    @cached_property
    def _unknown(self) -> frozenset[bytes]:
        return frozenset((*self.passed_over, *self.unreadable))


def scan(root: Path, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> Tree:
    """List the tree below `root`. Blocks; takes about 5 ms per thousand files.

    `exclude` (after `.igor/ignore`) takes away and `include` adds what git ignores, both in
    gitignore syntax. Raises IgorError where git refuses to answer.
    """
    number = next_number()
    found = _Scan(root, Patterns(map(os.fsencode, include)), _dropped(root, exclude))
    found.take_folder(b"")
    return Tree(root, found.files, tuple(found.passed_over), tuple(found.unreadable), number)


def look(root: Path, path: bytes) -> File | None:
    """The file as it is now; None where it is gone or neither a file nor a link.

    Raises OSError where it can't be looked at.
    """
    name = os.path.join(os.fsencode(root), path)
    try:
        return _file(path, name, os.lstat(name))
    except (FileNotFoundError, NotADirectoryError):
        return None


def with_parents(files: Iterable[bytes]) -> set[bytes]:
    """The paths and all folders above them, the root left out."""
    found: set[bytes] = set()
    for path in files:
        while path and path not in found:
            found.add(path)
            path = path.rpartition(b"/")[0]
    return found


def shown(path: bytes) -> str:
    """A path on one line: bytes that are not UTF-8 and control characters are escaped."""
    text = path.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _file(path: bytes, name: bytes, found: os.stat_result) -> File | None:
    if stat.S_ISREG(found.st_mode):
        mode = stat.S_IMODE(found.st_mode) & 0o777
        return File(path, "f", found.st_size, found.st_mtime_ns, mode)
    if stat.S_ISLNK(found.st_mode):
        target = os.readlink(name)
        return File(path, "l", len(target), found.st_mtime_ns, 0o777, target)
    return None


def _dropped(root: Path, exclude: Sequence[str]) -> Patterns:
    try:
        own = (root / IGNORE_FILE).read_bytes()
    except FileNotFoundError:
        own = b""
    except OSError as error:
        raise IgorError(f"{root / IGNORE_FILE} can't be read: {error.strerror}") from None
    return Patterns.read(b"\n".join([own, *map(os.fsencode, exclude)]))


@dataclass
class _Scan:
    """Collects the files of one tree, repositories inside of it by their own lists."""

    root: Path
    include: Patterns
    dropped: Patterns
    files: dict[bytes, File] = field(default_factory=dict)
    passed_over: list[bytes] = field(default_factory=list)
    unreadable: list[bytes] = field(default_factory=list)
    _folders: dict[bytes, bool] = field(default_factory=lambda: {b"": True})

    def take_folder(self, prefix: bytes) -> None:
        """All below the root or a repository inside; `prefix` is empty or ends with "/"."""
        for name in self._names(self.root / os.fsdecode(prefix), prefix):
            path = prefix + name.rstrip(b"/")
            if not self.dropped.cover(path):
                self._take(path)

    def _names(self, folder: Path, prefix: bytes) -> Iterator[bytes]:
        listed = git.list_files(folder)
        if listed is None or (not listed.paths and git.ignores_folder(folder)):
            yield from walk(folder, prefix, self.include, self.unreadable)
            return
        yield from listed.paths
        if not listed.complete:
            self.unreadable += unreadable_folders(folder, prefix)
        if self.include:
            ignored = git.list_files(folder, git.IGNORED)
            for name in ignored.paths if ignored else ():
                if self.include.cover(prefix + name.rstrip(b"/")):
                    yield name

    def _take(self, path: bytes) -> None:
        name = os.path.join(os.fsencode(self.root), path)
        try:
            # git lists a tracked file still when a link has taken the place of its folder.
            if not self._is_real_folder(path.rpartition(b"/")[0]):
                return
            found = os.lstat(name)
            file = _file(path, name, found)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError:
            self.unreadable.append(path)
            return
        if file is not None:
            self.files[path] = file
        elif not stat.S_ISDIR(found.st_mode):
            self.passed_over.append(path)
        elif os.path.lexists(os.path.join(name, b".git")):
            self.take_folder(path + b"/")

    def _is_real_folder(self, path: bytes) -> bool:
        known = self._folders.get(path)
        if known is None:
            above = self._is_real_folder(path.rpartition(b"/")[0])
            name = os.path.join(os.fsencode(self.root), path)
            known = self._folders[path] = above and stat.S_ISDIR(os.lstat(name).st_mode)
        return known
