"""Output of several hosts at once: complete lines, each with its host in front."""

from collections.abc import Iterator

LONGEST = 1 << 16  # cut longer lines: a line without end must not fill the memory


class Prefixer:
    """Collects the bytes of each host and stream into lines."""

    def __init__(self) -> None:
        self._partial: dict[tuple[str, str], bytearray] = {}

    def lines(self, host: str, stream: str, data: bytes) -> list[bytes]:
        """Return the lines that `data` completes, without their line ends."""
        held = self._partial.setdefault((host, stream), bytearray())
        held += data
        *complete, rest = held.split(b"\n")
        while len(rest) > LONGEST:
            complete.append(rest[:LONGEST])
            rest = rest[LONGEST:]
        self._partial[host, stream] = rest
        return [_last_state(bytes(line)) for line in complete]

    def rest(self) -> Iterator[tuple[str, str, bytes]]:
        """Return host, stream and the incomplete last line of each stream that has one."""
        for (host, stream), data in self._partial.items():
            if data:
                yield host, stream, _last_state(bytes(data))
        self._partial.clear()


def _last_state(line: bytes) -> bytes:
    """Return what a terminal would show of a line that a progress bar redrew with "\\r"."""
    return line.rstrip(b"\r").rpartition(b"\r")[2]
