"""Scan a tree, and scan it again with the help of the last scan.

git starts first. While it makes its list, igor looks at the files of the last list: usually the new
list is byte for byte the old one, and the scan is complete when git is done.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from igor_core.errors import IgorError
from igor_core.worktree import git
from igor_core.worktree.gitignore import Patterns
from igor_core.worktree.open_inside import is_inside, read_small
from igor_core.worktree.repository import Listing, Repository
from igor_core.worktree.stat_scan import StatScan, stat_scan
from igor_core.worktree.tree import File, shown, with_parents
from igor_core.worktree.walk import Walk, unreadable_folders

IGNORE_FILE = b".igor/ignore"

# How many git processes run at once for nested repositories.
AT_ONCE = 8


@dataclass(frozen=True)
class Scanned:
    """The paths of a tree. `changed` are those that may differ from the scan before.

    `lists` has the folders of all lists that make up the tree: "" and, ending with "/", the
    nested repositories. Its values are true where git made the list.
    """

    files: dict[bytes, File]
    passed_over: tuple[bytes, ...] = ()
    unreadable: tuple[bytes, ...] = ()
    changed: set[bytes] = field(default_factory=set)
    lists: dict[bytes, bool] = field(default_factory=dict)


class Scanner:
    """Scans one tree, one scan at a time; each scan blocks."""

    def __init__(
        self, root: Path, include: Sequence[str] = (), exclude: Sequence[str] = ()
    ) -> None:
        self.root = root
        self.include = Patterns(map(os.fsencode, include))
        self.dropped = Patterns(())
        self._exclude = b"\n".join(map(os.fsencode, exclude))
        self._ignore: bytes | None = None
        self._walks: dict[bytes, Walk] = {}
        self._parts: dict[bytes, Repository] = {}
        self._last = Scanned({})

    def scan(self) -> Scanned:
        """Return the whole tree. Raises IgorError if the root is gone or git refuses."""
        folder = open_root(self.root)
        try:
            self._read_ignore_file()
            with _Scan(self, folder, self._parts) as scan:
                scan.take(b"")
                self._parts, self._last = scan.parts, scan.result(self._last)
        finally:
            os.close(folder)
        return self._last

    def walk(self, prefix: bytes) -> Walk:
        """Return the walk below a folder outside git; it remembers earlier verdicts."""
        if prefix not in self._walks:
            folder = self.root / os.fsdecode(prefix)
            self._walks[prefix] = Walk(os.fsencode(folder), prefix, self.include)
        return self._walks[prefix]

    def _read_ignore_file(self) -> None:
        own = read_small(self.root, IGNORE_FILE) or b""
        if own != self._ignore:
            self._ignore = own
            self.dropped = Patterns.read(own + b"\n" + self._exclude)
            self._parts = {prefix: part.unlisted() for prefix, part in self._parts.items()}


def open_root(root: Path) -> int:
    """Return a descriptor of the project's folder. Raises IgorError if it is missing."""
    try:
        return os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise IgorError(f"{root} is gone", "was it moved, or is its disk not mounted?") from None
    except OSError as error:
        raise IgorError(f"{root} can't be read: {error.strerror}") from None


class _Scan:
    """One scan. Starts git for the known repositories and looks at their files in advance."""

    def __init__(self, scanner: Scanner, folder: int, known: dict[bytes, Repository]) -> None:
        self.parts: dict[bytes, Repository] = {}
        self._scanner = scanner
        self._folder = folder
        self._known = known
        self._ahead = iter(known)
        self._started: set[bytes] = set()
        self._begun: dict[tuple[bytes, tuple[str, ...]], git.Listed] = {}
        self._looks: dict[bytes, StatScan] = {}
        self._found = StatScan()

    def __enter__(self) -> "_Scan":
        self._begin(b"")
        while len(self._begun) < AT_ONCE and self._begin_next():
            pass
        for prefix, part in self._known.items():
            self._looks[prefix] = stat_scan(self._folder, part.files, part.rest, part.folders)
        return self

    def __exit__(self, *_error: object) -> None:
        for listed in self._begun.values():
            listed.discard()

    def take(self, prefix: bytes) -> None:
        """Scan the root or a nested repository; `prefix` is empty or ends with "/"."""
        listing = self._listing(prefix)
        part, look = self._known.get(prefix, Repository()), self._looks.get(prefix, StatScan())
        part = part.found(look)
        if part.listing != listing:
            before, paths = part, self._paths(prefix, listing)
            part = before.relisted(listing, paths, self._scanner.dropped)
            new = part.rest - before.rest - before.files.keys()
            above = sorted(with_parents({path.rpartition(b"/")[0] for path in new}))
            more = stat_scan(self._folder, {}, new, above)
            part = part.found(more)
            gone = dict.fromkeys(before.files.keys() - part.files.keys())
            look = StatScan({**look.now, **gone}).plus(look.within(part.rest)).plus(more)
        self.parts[prefix] = part
        self._found = self._found.plus(look)
        root = self._scanner.root
        for path in look.folders:
            inner = root / os.fsdecode(path)
            is_repository = os.path.lexists(inner / ".git")
            if is_repository and not git.is_own_worktree(inner, root / os.fsdecode(prefix)):
                self.take(path + b"/")

    def result(self, last: Scanned) -> Scanned:
        found, changed = self._found, set(self._found.now)
        for prefix in self._known.keys() ^ self.parts.keys():
            changed.update((self._known.get(prefix) or self.parts[prefix]).files)
        return Scanned(
            self._all_files() if changed else last.files,
            tuple(sorted(found.passed_over)),
            tuple(sorted(found.unreadable)),
            changed,
            {prefix: part.by_git for prefix, part in self.parts.items()},
        )

    def _all_files(self) -> dict[bytes, File]:
        if len(self.parts) == 1:
            return self.parts[b""].files
        return {path: file for part in self.parts.values() for path, file in part.files.items()}

    def _listing(self, prefix: bytes) -> Listing:
        folder, include = self._scanner.root / os.fsdecode(prefix), self._scanner.include
        listed = self._answer(prefix, git.ALL)
        if listed is None or (not listed.raw and git.ignores_folder(folder)):
            return Listing(self._scanner.walk(prefix).paths(self._found.unreadable))
        if not listed.complete:
            self._found.unreadable += unreadable_folders(folder, prefix)
        ignored = self._answer(prefix, git.IGNORED) if include else None
        return Listing(listed.raw, ignored.raw if ignored else b"")

    def _paths(self, prefix: bytes, listing: Listing) -> Iterator[bytes]:
        """Yield the listed paths, relative to the root of the tree."""
        if isinstance(listing.names, list):
            yield from listing.names
            return
        for name in git.split(listing.names):
            yield self._admitted(prefix + name.rstrip(b"/"))
        for name in git.split(listing.ignored):
            path = self._admitted(prefix + name.rstrip(b"/"))
            if self._scanner.include.cover(path):
                yield path

    def _admitted(self, path: bytes) -> bytes:
        """Check a path that git listed: git checks names when adding them, not when reading."""
        if is_inside(path):
            return path
        raise IgorError(
            f"{self._scanner.root}: git lists {shown(path)!r} as a file of the project, which is "
            "outside of it or git's own; the index is crafted or damaged, so nothing is pushed",
            "look at it with 'git ls-files'; 'git rm --cached' takes a name out of the index",
        )

    def _answer(self, prefix: bytes, options: tuple[str, ...]) -> git.List | None:
        self._begin(prefix)
        try:
            return self._begun.pop((prefix, options)).answer()
        finally:
            self._begin_next()

    def _begin_next(self) -> bool:
        prefix = next(self._ahead, None)
        if prefix is not None:
            self._begin(prefix)
        return prefix is not None

    def _begin(self, prefix: bytes) -> None:
        if prefix in self._started:
            return
        self._started.add(prefix)
        folder = self._scanner.root / os.fsdecode(prefix)
        for options in (git.ALL, git.IGNORED) if self._scanner.include else (git.ALL,):
            self._begun[prefix, options] = git.Listed(folder, options)
