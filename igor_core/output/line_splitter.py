"""Splits bytes into lines as a terminal shows them: without colours and overwritten text."""

import re
from collections.abc import Iterator

#: The rest of a longer line is ignored: a program may write megabytes without a newline.
LONGEST_LINE = 8192
_SLICE = 1 << 16

_ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC: titles, links
    r"|[()*+][0-9A-Za-z]|[ -/]?[0-~])?"
)
_CONTROLS = dict.fromkeys([*range(9), *range(10, 32), 127])


def plain(text: str) -> str:
    """Remove escape sequences and other control characters from a text."""
    if "\x1b" in text:
        text = _ESCAPE.sub("", text)
    return text if text.isprintable() else text.translate(_CONTROLS)


class LineSplitter:
    """Splits one stream; holds no more than LONGEST_LINE bytes."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._returned = False

    def feed(self, data: bytes) -> Iterator[str]:
        """Yield the lines that `data` completes, without their ends."""
        for start in range(0, len(data), _SLICE):
            *ended, rest = data[start : start + _SLICE].split(b"\n")
            for piece in ended:
                self._add(piece)
                yield self._take()
            self._add(rest)

    def rest(self) -> str:
        """Return the line that has not ended."""
        return self._take()

    def _add(self, piece: bytes) -> None:
        """Add to the line. What follows a carriage return replaces it, except at its end."""
        body = piece.rstrip(b"\r")
        if body:
            _overwritten, returned, seen = body.rpartition(b"\r")
            if returned or self._returned:
                self._held.clear()
            self._held += seen[: LONGEST_LINE - len(self._held)]
            self._returned = False
        self._returned |= len(body) < len(piece)

    def _take(self) -> str:
        text = self._held.decode("utf-8", "replace")
        self._held.clear()
        self._returned = False
        return plain(text)
