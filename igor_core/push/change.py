"""What a save tells of a path."""

from dataclasses import dataclass

from igor_core.worktree.files import File


@dataclass(frozen=True)
class Change:
    """A path that is not as it was: the file as it is now, or None where it is gone here.

    `content` and its sha256 `hash` are read once for all hosts; `content` is None for what is
    gone, for links, and for files too large to be held.
    """

    path: bytes
    file: File | None
    content: bytes | None = None
    hash: bytes = b""
