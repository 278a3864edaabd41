"""What a push asks of whatever carries it to a host: the receiver, or rsync where that can't be.

The rules are not here: what is to be written or deleted has been decided, and with it what is
expected there. A transport carries it out and tells the ledger what became of each path.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from igor_core.push.channel.expectation import Expectation
from igor_core.push.channel.question import Question
from igor_core.push.channel.state import State
from igor_core.push.in_flight import Transfer
from igor_core.worktree.files import File

# What fails for one file fails for all.
FATAL = ("No space left on device", "Disk quota exceeded", "Read-only file system")

# (bytes sent, files that are complete)
OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Write:
    """A file or link to be put where `expect` is; `content` if it has been read already."""

    file: File
    expect: Expectation
    content: bytes | None = None
    hash: bytes = b""

    @property
    def path(self) -> bytes:
        return self.file.path


@dataclass(frozen=True, slots=True)
class Delete:
    """A file or link to be removed where it is as expected."""

    path: bytes
    expect: Expectation
    found: State | None = None


@dataclass(frozen=True)
class Work:
    """What is to be done, in this order. Of `folders` those that become empty are removed."""

    delete_first: Sequence[Delete] = ()
    write: Sequence[Write] = ()
    delete: Sequence[Delete] = ()
    folders: frozenset[bytes] = frozenset()

    @property
    def size(self) -> int:
        return sum(item.file.size for item in self.write)


@dataclass(frozen=True)
class Found:
    """A tree on a host: its real path, and whether it is there."""

    path: str
    exists: bool


class Transport(Protocol):
    """One tree on one host, by one means. All raise HostError."""

    name: str
    # Whether a write of what isn't there any more is refused by the host itself.
    conditional: bool

    @property
    def alive(self) -> bool: ...

    @property
    def broken(self) -> str:
        """What the host did that ended it, where it did not keep to the protocol."""
        ...

    async def open(self, claim: str, *, writing: bool, taking: bool) -> Found:
        """The tree's real path; with `writing` it is made and claimed. HostError for a claim."""
        ...

    async def survey(self, question: Question) -> dict[bytes, State | None]:
        """What is at those of the paths that are not as expected."""
        ...

    async def hashes(self, paths: Collection[bytes]) -> dict[bytes, bytes]:
        """sha256 of each that is a readable file."""
        ...

    async def read(self, path: bytes, limit: int) -> bytes: ...

    async def carry_out(self, work: Work, ledger: Transfer, on_progress: OnProgress) -> None: ...
