"""The contents of files as they were last sent, for patches against them."""

from collections import OrderedDict
from dataclasses import dataclass

from igor_core.push.channel.channel import LARGE
from igor_core.push.channel.precondition import Version
from igor_core.push.transport.work import Write

# A smaller file fits into the first packets that an idle TCP connection may send.
SMALL = 14_000
HELD = 16 << 20
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Middle:
    """What differs from the `base` version: all but the first `prefix` and last `suffix` bytes."""

    base: Version
    prefix: int
    suffix: int
    data: bytes


class PatchBases:
    """The contents of the files of one tree that were saved last, up to a total size."""

    def __init__(self, limit: int = HELD) -> None:
        self._limit = limit
        self._size = 0
        self._contents: OrderedDict[bytes, tuple[bytes, bytes]] = OrderedDict()

    def keep(self, path: bytes, content: bytes, digest: bytes) -> None:
        self.drop(path)
        if SMALL < len(content) <= self._limit:
            self._contents[path] = (content, digest)
            self._size += len(content)
            while self._size > self._limit:
                self.drop(next(iter(self._contents)))

    def drop(self, path: bytes) -> None:
        content, _digest = self._contents.pop(path, (b"", b""))
        self._size -= len(content)

    def middle(self, item: Write) -> Middle | None:
        """The part that differs from the version expected on the host.

        None if the content of that version is not held, or a patch would not pay.
        """
        held, digest = self._contents.get(item.path, (b"", b""))
        content = item.content
        if not held or content is None or len(item.expect.versions) != 1:
            return None
        base = item.expect.versions[0]
        if base.hash != digest or base.size != len(held):
            return None
        prefix = common_start(held, content)
        suffix = min(common_end(held, content), min(len(held), len(content)) - prefix)
        middle = content[prefix : len(content) - suffix]
        pays = len(middle) <= min(len(content) // 2, LARGE)
        return Middle(base, prefix, suffix, middle) if pays else None


def common_start(one: bytes, other: bytes) -> int:
    """How many bytes at the start are equal. Compares large chunks, which is fast."""
    end, at, step = min(len(one), len(other)), 0, _CHUNK
    while at < end and step:
        if one[at : at + step] == other[at : at + step] and at + step <= end:
            at += step
        else:
            step //= 2
    return at


def common_end(one: bytes, other: bytes) -> int:
    """How many bytes at the end are equal."""
    end, at, step = min(len(one), len(other)), 0, _CHUNK
    while at < end and step:
        if at + step <= end and _piece(one, at, step) == _piece(other, at, step):
            at += step
        else:
            step //= 2
    return at


def _piece(content: bytes, at: int, size: int) -> bytes:
    """The `size` bytes before the last `at` bytes."""
    return content[len(content) - at - size : len(content) - at]
