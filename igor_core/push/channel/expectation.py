"""What a frame to the receiver expects to find at its path; otherwise nothing is done there."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from igor_core.push.channel.question import Seen


@dataclass(frozen=True, slots=True)
class Version:
    """The identity of a file: size and time, and by sha256 where these disagree.

    An empty `hash` is not known: then size and time must agree.
    """

    size: int
    mtime_ns: int
    hash: bytes = b""


class Recorded(Seen, Protocol):
    """What igor wrote, or meant to write: manifest.py's Record."""

    @property
    def hash(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Expectation:
    """Any one of these may be at the path: nothing, a file of a version, a link to a target.

    `anything` is whatever is there, but never a folder.
    """

    absent: bool = False
    versions: tuple[Version, ...] = ()
    targets: tuple[bytes, ...] = ()
    anything: bool = False

    @classmethod
    def of(cls, records: Iterable[Recorded], absent: bool = True) -> "Expectation":
        """One of these records, or (with `absent`) nothing: who deletes there loses nothing."""
        versions, targets = [], []
        for record in records:
            if record.kind == "l":
                targets.append(record.target)
            else:
                versions.append(Version(record.size, record.mtime_ns, record.hash))
        return cls(absent, tuple(versions), tuple(targets))


NOTHING = Expectation(absent=True)
ANYTHING = Expectation(absent=True, anything=True)
