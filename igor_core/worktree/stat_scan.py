"""Looking at many paths at once: what is no longer as it was."""

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from igor_core.worktree.open_inside import Inside
from igor_core.worktree.tree import File, file_of


@dataclass
class Look:
    """What a look found: `now` has just the files that are new or other than before, None if gone.

    `folders`, `passed_over` and `unreadable` are paths at which there is no file.
    """

    now: dict[bytes, File | None] = field(default_factory=dict)
    folders: list[bytes] = field(default_factory=list)
    passed_over: list[bytes] = field(default_factory=list)
    unreadable: list[bytes] = field(default_factory=list)

    def within(self, paths: frozenset[bytes]) -> "Look":
        """The same without what is at other paths than these, and without files."""
        return Look(
            {},
            [path for path in self.folders if path in paths],
            [path for path in self.passed_over if path in paths],
            [path for path in self.unreadable if path in paths],
        )

    def plus(self, other: "Look") -> "Look":
        return Look(
            {**self.now, **other.now},
            self.folders + other.folders,
            self.passed_over + other.passed_over,
            self.unreadable + other.unreadable,
        )


def look_at(
    root: int, files: Mapping[bytes, File], rest: Iterable[bytes], folders: Iterable[bytes]
) -> Look:
    """Look at `files` as they were known, and at a `rest` of which no file was known.

    `root` is the descriptor that the paths start from; `folders` are all above the paths, the
    outer ones first. git lists a tracked file still when a link has taken the place of its folder:
    what is behind it is none of the tree's. Should a link come between, its size and time are seen,
    never its content or target: whoever reads these walks there step by step.
    """
    look = Look()
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
            # What is below says why.
            continue
        if stat.S_ISLNK(mode) or (links and folder.rpartition(b"/")[0] in links):
            links.add(folder)
    return links


def _look_at_files(root: int, files: Mapping[bytes, File], inside: Inside, look: Look) -> None:
    """The loop that all files pass each time: no call but lstat, and nothing made."""
    lstat, regular = os.lstat, stat.S_IFREG
    for path, file in files.items():
        try:
            found = lstat(path, dir_fd=root)
        except OSError as error:
            _miss(path, error, file, look)
            continue
        if (
            found.st_mtime_ns != file.mtime_ns
            or found.st_size != file.size
            or found.st_mode != file.mode | regular
        ):
            _place(path, found, file, inside, look)


def _place(
    path: bytes, found: os.stat_result, known: File | None, inside: Inside, look: Look
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


def _miss(path: bytes, error: OSError, known: File | None, look: Look) -> None:
    if known is not None:
        look.now[path] = None
    if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
        look.unreadable.append(path)
