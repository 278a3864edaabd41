"""Compare many paths with their last known state, with one lstat each."""

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from igor_core.worktree.open_inside import Inside
from igor_core.worktree.tree import File, file_of


@dataclass
class StatScan:
    """The changes: `now` has new and different files, None for those that are gone.

    `folders`, `passed_over` and `unreadable` are paths that are not files.
    """

    now: dict[bytes, File | None] = field(default_factory=dict)
    folders: list[bytes] = field(default_factory=list)
    passed_over: list[bytes] = field(default_factory=list)
    unreadable: list[bytes] = field(default_factory=list)

    def within(self, paths: frozenset[bytes]) -> "StatScan":
        """Keep, of the paths that are not files, those in `paths`."""
        return StatScan(
            {},
            [path for path in self.folders if path in paths],
            [path for path in self.passed_over if path in paths],
            [path for path in self.unreadable if path in paths],
        )

    def plus(self, other: "StatScan") -> "StatScan":
        return StatScan(
            {**self.now, **other.now},
            self.folders + other.folders,
            self.passed_over + other.passed_over,
            self.unreadable + other.unreadable,
        )


def stat_scan(
    root: int, files: Mapping[bytes, File], rest: Iterable[bytes], folders: Iterable[bytes]
) -> StatScan:
    """Compare `files`, as they were known, and find files at the paths in `rest`.

    `root` is the descriptor that the paths start from; `folders` are all folders above, the outer
    ones first. git still lists a tracked file after a link has replaced its folder; what is behind
    the link does not belong to the tree. If a link replaces a folder during the scan, only sizes
    and times behind it are seen: contents are read step by step.
    """
    look = StatScan()
    links = _links(root, folders)
    if links:
        hidden = {path for path in files if path.rpartition(b"/")[0] in links}
        look.now.update(dict.fromkeys(hidden))
        files = {path: file for path, file in files.items() if path not in hidden}
        rest = [path for path in rest if path.rpartition(b"/")[0] not in links]
    with Inside(root) as inside:
        _look_at_files(root, files, inside, look)
        for path in rest:
            try:
                _place(path, os.lstat(path, dir_fd=root), None, inside, look)
            except OSError as error:
                _miss(path, error, None, look)
    return look


def _links(root: int, folders: Iterable[bytes]) -> set[bytes]:
    links: set[bytes] = set()
    for folder in folders:
        try:
            mode = os.lstat(folder, dir_fd=root).st_mode
        except OSError:
            # The paths below will fail too.
            continue
        if stat.S_ISLNK(mode) or (links and folder.rpartition(b"/")[0] in links):
            links.add(folder)
    return links


def _look_at_files(root: int, files: Mapping[bytes, File], inside: Inside, look: StatScan) -> None:
    """Loop over all files; for speed, call nothing but lstat and allocate nothing."""
    lstat, regular = os.lstat, stat.S_IFREG
    for path, file in files.items():
        try:
            found = lstat(path, dir_fd=root)
        except OSError as error:
            _miss(path, error, file, look)
            continue
        if (
            found.st_ctime_ns != file.ctime_ns
            or found.st_mtime_ns != file.mtime_ns
            or found.st_size != file.size
            or found.st_ino != file.inode
            or found.st_mode != file.mode | regular
        ):
            _place(path, found, file, inside, look)


def _place(
    path: bytes, found: os.stat_result, known: File | None, inside: Inside, look: StatScan
) -> None:
    try:
        file = file_of(path, found, inside)
    except OSError as error:
        _miss(path, error, known, look)
        return
    if file != known:
        look.now[path] = file
    if file is None:
        (look.folders if stat.S_ISDIR(found.st_mode) else look.passed_over).append(path)


def _miss(path: bytes, error: OSError, known: File | None, look: StatScan) -> None:
    if known is not None:
        look.now[path] = None
    if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
        look.unreadable.append(path)
