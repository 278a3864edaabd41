"""Cuts what a remote program writes into frames; see remote/frames.py."""

from collections.abc import Iterator

from igor_core.remote.frames import HEADER
from igor_core.shapes import WrongShape

#: A login shell may print this much before the program greets.
MOST_PRINTED = 1 << 20
_TAIL_BYTES = 2000


class FrameReader:
    """Skips what comes before the greeting `magic`, then reads frames of up to `most_bytes`."""

    def __init__(self, magic: bytes, most_bytes: int) -> None:
        self.greeted = False
        self._magic = magic
        self._most_bytes = most_bytes
        self._inbox = bytearray()
        self._skipped = 0

    @property
    def tail(self) -> bytes:
        """The end of what is not read as frames yet."""
        return bytes(self._inbox[-_TAIL_BYTES:])

    def clear(self) -> None:
        self._inbox.clear()

    def feed(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Yield kind, number and payload of each whole frame.

        Raises ValueError for a frame that is too long, or if too much comes before the greeting.
        """
        self._inbox += data
        if self.greeted or self._find_greeting(len(data)):
            yield from self._frames()

    def _find_greeting(self, new: int) -> bool:
        """Drop what the login shell printed; the last `new` bytes have not been searched."""
        magic = self._magic
        at = self._inbox.find(magic, max(0, len(self._inbox) - new - len(magic)))
        if at >= 0:
            del self._inbox[: at + len(magic)]
            self.greeted = True
            return True
        surplus = max(0, len(self._inbox) - 4 * len(magic) - _TAIL_BYTES)
        self._skipped += surplus
        del self._inbox[:surplus]
        if self._skipped > MOST_PRINTED:
            raise ValueError(
                f"it printed more than {MOST_PRINTED >> 20} MB before igor's program began"
            )
        return False

    def _frames(self) -> Iterator[tuple[int, int, bytes]]:
        at = 0
        try:
            while len(self._inbox) - at >= HEADER.size:
                kind, number, length = HEADER.unpack_from(self._inbox, at)
                if length > self._most_bytes:
                    raise WrongShape(f"a frame of {length} bytes")
                start = at + HEADER.size
                if len(self._inbox) - start < length:
                    break
                at = start + length
                yield kind, number, bytes(self._inbox[start:at])
        finally:
            del self._inbox[:at]
