"""What a frame expects at its path; if the host has something else, the frame is refused."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a file: its size, and its sha256 or its time.

    Its time counts where no hash is known: `hash` is empty, or the file is over 64 MB.
    """

    size: int
    mtime_ns: int
    hash: bytes = b""


@dataclass(frozen=True, slots=True)
class Precondition:
    """What may be at the path: nothing, a file of one of `versions`, a link to one of `targets`.

    `anything` allows whatever is there, except a folder.
    """

    absent: bool = False
    versions: tuple[Version, ...] = ()
    targets: tuple[bytes, ...] = ()
    anything: bool = False


NOTHING = Precondition(absent=True)
ANYTHING = Precondition(absent=True, anything=True)
