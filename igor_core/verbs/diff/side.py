"""One side of a difference: a path as it is on a host, or locally."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from igor_core.push.channel.state import State
from igor_core.worktree.open_inside import open_file, open_folder

# A larger file is compared, but not shown.
LARGE = 4 << 20
# A larger file is not fetched from a host.
MOST_FETCHED = 1 << 30
# git looks for a NUL in this many bytes to tell binary files from text.
_LOOKED_AT = 8000


@dataclass(frozen=True)
class Side:
    """A path on one side; `name` is what the user calls it.

    `kind` is find's %y ("f", "l", "d", …), empty if the path does not exist. `content` is None
    unless it is a readable file of at most LARGE bytes. `hash` is the sha256 of a file of any
    size, empty if it is unknown.
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

    def is_like(self, other: "Side") -> bool:
        """Whether content, link target and executable bit are equal, as a push compares them."""
        if self.kind != other.kind:
            return False
        if self.kind == "f":
            same = bool(self.hash) and self.hash == other.hash
            return same and not (self.mode ^ other.mode) & 0o100
        return self.target == other.target


def side_on_host(name: str, state: State | None, content: bytes | None, digest: bytes) -> Side:
    """The host's side; `content` as far as it was read."""
    if state is None:
        return Side(name)
    if state.kind == "f" and content is not None and len(content) <= LARGE:
        digest = hashlib.sha256(content).digest()
        size = len(content)
    else:
        content, size = None, state.size
    return Side(
        name,
        kind=state.kind,
        size=size,
        mtime_ns=state.mtime_ns,
        mode=state.mode,
        target=state.target,
        content=content,
        hash=digest,
    )


def local_side(root: Path, path: bytes, name: str) -> Side:
    """The local side. It does not exist if a folder above is a link or a file.

    Blocks. Raises OSError.
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


def _look(folder: int, path: bytes, name: str) -> Side:
    base = path.rpartition(b"/")[2]
    found = os.lstat(base, dir_fd=folder)
    if stat.S_ISLNK(found.st_mode):
        target = os.readlink(base, dir_fd=folder)
        return Side(
            name,
            kind="l",
            size=len(target),
            mtime_ns=found.st_mtime_ns,
            mode=0o777,
            target=target,
        )
    if not stat.S_ISREG(found.st_mode):
        kind = "d" if stat.S_ISDIR(found.st_mode) else "?"
        mode = stat.S_IMODE(found.st_mode) & 0o777
        return Side(name, kind=kind, mtime_ns=found.st_mtime_ns, mode=mode)
    with open(open_file(folder, path), "rb", buffering=0) as stream:
        found = os.fstat(stream.fileno())
        digest, parts = hashlib.sha256(), []
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
            if found.st_size <= LARGE:
                parts.append(chunk)
        content = b"".join(parts) if found.st_size <= LARGE else None
    return Side(
        name,
        kind="f",
        size=found.st_size,
        mtime_ns=found.st_mtime_ns,
        mode=stat.S_IMODE(found.st_mode) & 0o777,
        content=content,
        hash=digest.digest(),
    )
