"""The writes and deletes that a push hands to a transport."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from igor_core.push.channel.precondition import Precondition
from igor_core.push.channel.state import State
from igor_core.worktree.files import File

# A write that fails for one of these reasons fails for all further files.
FATAL = ("No space left on device", "Disk quota exceeded", "Read-only file system")

# (bytes sent, files that are complete)
OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Write:
    """A file or link to write where `expect` holds; with its content, if that has been read."""

    file: File
    expect: Precondition
    content: bytes | None = None
    hash: bytes = b""

    @property
    def path(self) -> bytes:
        return self.file.path


@dataclass(frozen=True, slots=True)
class Delete:
    """A file or link to delete where `expect` holds; `found` is what the survey saw there."""

    path: bytes
    expect: Precondition
    found: State | None = None


@dataclass(frozen=True)
class Work:
    """What to do, in this order. Folders in `folders` that become empty are removed."""

    delete_first: Sequence[Delete] = ()
    write: Sequence[Write] = ()
    delete: Sequence[Delete] = ()
    folders: frozenset[bytes] = frozenset()

    @property
    def size(self) -> int:
        """The bytes of all files to write."""
        return sum(item.file.size for item in self.write)

    @property
    def is_empty(self) -> bool:
        return not (self.delete_first or self.write or self.delete)
