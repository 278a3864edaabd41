"""A contestant's own copy of a corpus, and the changes that are made in it."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.corpus import LARGE, SAVED, path_of

CHANGED_BY_SWITCH = 200
DELETED = 10
_MARK = 200


@dataclass(frozen=True)
class Sight:
    """What is to be seen of one path on the host; `size` None: nothing at all.

    `marks` are the offsets and bytes that tell the new content from the old.
    """

    path: str
    size: int | None
    marks: tuple[tuple[int, bytes], ...] = ()

    def is_seen(self, top: str) -> bool:
        """Whether it is so now, below the folder `top`."""
        name = f"{top}/{self.path}"
        try:
            if self.size is None:
                return not os.path.lexists(name)
            if os.stat(name).st_size != self.size:
                return False
            return self._has_marks(name)
        except (FileNotFoundError, NotADirectoryError):
            return self.size is None

    def _has_marks(self, name: str) -> bool:
        descriptor = os.open(name, os.O_RDONLY)
        try:
            return all(os.pread(descriptor, len(text), at) == text for at, text in self.marks)
        finally:
            os.close(descriptor)


@dataclass(frozen=True)
class Edit:
    """A change to make in a tree. `path` is set where it is the save of that one file.

    `line` and `text`: the line (from 0) that an editor replaces for the same result.
    """

    apply: Callable[[], None]
    sights: tuple[Sight, ...] = ()
    path: str = ""
    line: int = 0
    text: str = ""


def nothing() -> Edit:
    """No change at all: what a push with nothing to do sees."""
    return Edit(lambda: None)


@dataclass
class Tree:
    """A folder with a corpus in it."""

    root: Path
    _lines: dict[str, list[bytes]] = field(default_factory=dict)
    _moved: int = 0

    def save(self, version: int, path: str = SAVED) -> Edit:
        """A new line in the middle of a file, of another length than in the versions before."""
        lines = self._read(path)
        number = len(lines) // 2
        text = f"version {version} " + "=" * (version % 97)
        lines[number] = text.encode()
        content = b"\n".join(lines)
        before = len(b"\n".join(lines[:number])) + 1
        marks = ((before, lines[number]), (len(content) - _MARK, content[-_MARK:]))
        seen = Sight(path, len(content), marks)
        return Edit(lambda: self._write(path, content), (seen,), path, number, text)

    def save_large(self, version: int) -> Edit:
        return self.save(version, LARGE)

    def switch_branch(self, version: int) -> Edit:
        """New content in 200 files, each replaced as git does it."""
        edits = [self.save(version, path_of(3 * n)) for n in range(CHANGED_BY_SWITCH)]

        def apply() -> None:
            for edit in edits:
                os.unlink(self.root / edit.path)
                edit.apply()

        return Edit(apply, tuple(edit.sights[0] for edit in edits))

    def before_removal(self, version: int) -> Edit:
        """Ten files more, for `remove` to delete, and a folder that it renames."""
        doomed = [f"doomed/file_{n}.py" for n in range(DELETED)]
        content = f"version {version}\n".encode()
        seen = tuple(Sight(path, len(content), ((0, content),)) for path in doomed)

        def apply() -> None:
            folder = self.root / f"moved_{self._moved}"
            if not folder.exists():
                shutil.copytree(self.root / "part_000" / "pkg_1", folder)
            (self.root / "doomed").mkdir(exist_ok=True)
            for path in doomed:
                (self.root / path).write_bytes(content)

        return Edit(apply, seen)

    def remove(self, version: int) -> Edit:
        """A folder of twenty files renamed, ten files of another folder deleted."""
        old, new = (f"moved_{self._moved + step}" for step in (0, 1))
        self._moved += 1
        names = sorted(os.listdir(self.root / old))
        doomed = sorted(os.listdir(self.root / "doomed"))
        sizes = {name: (self.root / old / name).stat().st_size for name in names}
        seen = [Sight(f"{new}/{name}", sizes[name]) for name in names]
        seen += [Sight(f"{old}/{name}", None) for name in names]
        seen += [Sight(f"doomed/{name}", None) for name in doomed]

        def apply() -> None:
            os.rename(self.root / old, self.root / new)
            for name in doomed:
                (self.root / "doomed" / name).unlink()

        return Edit(apply, tuple(seen))

    def _read(self, path: str) -> list[bytes]:
        if path not in self._lines:
            self._lines[path] = (self.root / path).read_bytes().split(b"\n")
        return self._lines[path]

    def _write(self, path: str, content: bytes) -> None:
        (self.root / path).write_bytes(content)


def difference(here: Path, there: Path) -> str:
    """What isn't the same in two trees, in a few words; empty where all is. Not git's or igor's."""
    names, others = _names(here), _names(there)
    for name in sorted(names ^ others):
        return f"{name} is only {'here' if name in names else 'on the host'}"
    for name in sorted(names):
        if (here / name).read_bytes() != (there / name).read_bytes():
            return f"{name} differs"
    return ""


def _names(root: Path) -> set[str]:
    found: set[str] = set()
    for folder, folders, files in os.walk(root):
        if folder == str(root):
            folders[:] = [name for name in folders if name not in (".git", ".igor")]
        found.update(os.path.relpath(f"{folder}/{name}", root) for name in files)
    return found
