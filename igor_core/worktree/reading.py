"""Read a local file so that its content, size and time belong to one version."""

import hashlib
import time
from dataclasses import dataclass, replace

from igor_core.worktree.open_inside import Inside
from igor_core.worktree.tree import File, is_racy, look

# Read a file that is being written at most this often.
_TRIES = 3


@dataclass(frozen=True)
class Content:
    """A file as it was when it was read.

    `content` is None, and `hash` (sha256) empty, for a link and for a file above the limit. A
    `racy` file is so young, or changes so fast, that another write may leave the same size and
    time: read it again a little later.
    """

    file: File
    content: bytes | None
    hash: bytes
    racy: bool


def read(root: bytes, path: bytes, limit: int | None = None, tries: int = _TRIES) -> Content | None:
    """Read the file as it is now. None if it is gone, neither a file nor a link, or behind a link.

    A file of more than `limit` bytes is not read. Raises OSError.
    """
    now, file = time.time_ns(), look(root, path)
    if file is None:
        return None
    if file.kind == "l" or (limit is not None and file.size > limit):
        return Content(file, None, b"", is_racy(file, now))
    try:
        content = _read(root, path, file.size)
    except OSError:
        if tries == 1 or look(root, path) == file:
            raise
        return read(root, path, limit, tries - 1)
    settled = len(content) == file.size and look(root, path) == file
    if not settled and tries > 1:
        return read(root, path, limit, tries - 1)
    hashed = hashlib.sha256(content).digest()
    racy = not settled or is_racy(file, now)
    return Content(replace(file, size=len(content)), content, hashed, racy)


def _read(root: bytes, path: bytes, size: int) -> bytes:
    """Read a file of `size` bytes, and one byte more if it has grown."""
    with Inside(root) as inside, open(inside.open(path), "rb") as stream:
        return stream.read(size + 1)
