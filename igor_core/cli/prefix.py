"""Output of several hosts at once: whole lines, each with its host before it."""

from collections.abc import Iterator

LONGEST = 1 << 16  # a line longer than this is cut: memory has an end, such lines may not


class Prefixer:
    """Collects the bytes of each host and stream into lines."""

    def __init__(self) -> None:
        self._partial: dict[tuple[str, str], bytearray] = {}

    def lines(self, host: str, stream: str, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without their ends."""
        held = self._partial.setdefault((host, stream), bytearray())
        held += data
        *complete, rest = held.split(b"\n")
        while len(rest) > LONGEST:
            complete.append(rest[:LONGEST])
            rest = rest[LONGEST:]
        self._partial[host, stream] = rest
        return [_last_state(bytes(line)) for line in complete]

    def rest(self) -> Iterator[tuple[str, str, bytes]]:
        """Host, stream and what is left of each that ended in the middle of a line."""
        for (host, stream), data in self._partial.items():
            if data:
                yield host, stream, _last_state(bytes(data))
        self._partial.clear()


def _last_state(line: bytes) -> bytes:
    """What a terminal would show of a line that a progress bar has redrawn with returns."""
    return line.rstrip(b"\r").rpartition(b"\r")[2]
