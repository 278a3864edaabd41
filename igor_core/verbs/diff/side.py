"""One path as it is on a host, or here: what a person compares before settling a difference."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from igor_core.push.channel.state import State
from igor_core.worktree.files import File
from igor_core.worktree.open_inside import open_file, open_folder

# What is larger isn't shown, only compared.
LARGE = 4 << 20
# What is larger is not taken over from a host.
MOST_TAKEN = 1 << 30
# git looks at so many bytes for a NUL to tell binary files from texts.
_LOOKED_AT = 8000


@dataclass(frozen=True)
class Side:
    """A path on one side; `name` is how the user knows it.

    `kind` is find's %y ("f", "l", "d", …), empty where nothing is there. `content` is None of
    what isn't a file, is larger than `LARGE`, or can't be read; `hash` is its sha256, of a
    large file too, empty where it isn't known.
    """

    name: str
    kind: str = ""
    size: int = 0
    mtime_ns: int = 0
    mode: int = 0
    target: bytes = b""
    content: bytes | None = None
    hash: bytes = b""

    @property
    def exists(self) -> bool:
        return self.kind != ""

    @property
    def is_text(self) -> bool:
        return self.content is not None and b"\0" not in self.content[:_LOOKED_AT]

    @property
    def state(self) -> State | None:
        if not self.exists:
            return None
        return State(self.kind, self.size, self.mtime_ns, self.mode, self.target)

    def is_like(self, other: "Side") -> bool:
        """Whether a push would find nothing to send: content, target, executable or not."""
        if self.kind != other.kind:
            return False
        if self.kind == "f":
            same = bool(self.hash) and self.hash == other.hash
            return same and not (self.mode ^ other.mode) & 0o100
        return self.target == other.target


def side_on_host(name: str, state: State | None, content: bytes | None, digest: bytes) -> Side:
    """A host's version; `content` as far as it was read."""
    if state is None:
        return Side(name)
    if state.kind == "f" and content is not None and len(content) <= LARGE:
        digest = hashlib.sha256(content).digest()
        size = len(content)
    else:
        content, size = None, state.size
    return Side(name, state.kind, size, state.mtime_ns, state.mode, state.target, content, digest)


def local_side(root: Path, path: bytes, name: str) -> Side:
    """The version here, as lstat sees it; nothing where a link or a file is on the way.

    Blocks. Raises OSError where it can't be looked at.
    """
    try:
        folder = open_folder(root, path)
    except (FileNotFoundError, NotADirectoryError):
        return Side(name)
    try:
        return _look(folder, path, name)
    except FileNotFoundError:
        return Side(name)
    finally:
        os.close(folder)


def as_file(path: bytes, version: Side) -> File | None:
    """A local version as a push's scan would have it."""
    if version.kind not in ("f", "l"):
        return None
    return File(path, version.kind, version.size, version.mtime_ns, version.mode, version.target)


def _look(folder: int, path: bytes, name: str) -> Side:
    base = path.rpartition(b"/")[2]
    found = os.lstat(base, dir_fd=folder)
    if stat.S_ISLNK(found.st_mode):
        target = os.readlink(base, dir_fd=folder)
        return Side(name, "l", len(target), found.st_mtime_ns, 0o777, target)
    if not stat.S_ISREG(found.st_mode):
        kind = "d" if stat.S_ISDIR(found.st_mode) else "?"
        return Side(name, kind, 0, found.st_mtime_ns, stat.S_IMODE(found.st_mode) & 0o777)
    with open(open_file(folder, path), "rb", buffering=0) as stream:
        found = os.fstat(stream.fileno())
        digest, parts = hashlib.sha256(), []
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
            if found.st_size <= LARGE:
                parts.append(chunk)
        content = b"".join(parts) if found.st_size <= LARGE else None
    mode = stat.S_IMODE(found.st_mode) & 0o777
    return Side(name, "f", found.st_size, found.st_mtime_ns, mode, b"", content, digest.digest())
