"""Source locations in the output of one job, found as it comes, without blocking other jobs."""

import asyncio
import time
from typing import Any

from igor_core.output import OutputParser, SourceTree

# How much is read at once, by how long the last piece took.
LEAST, MOST = 1 << 9, 1 << 14
LONG_SECONDS = 0.002


class Finding:
    """Reads what programs on hosts write. A host is read from the moment its tree is known."""

    def __init__(self) -> None:
        self._trees: dict[str, SourceTree] = {}
        self._parser = OutputParser(self._trees)
        self._size = LEAST
        # If many hosts write much, each turn of the loop reads one of them.
        self._turn = asyncio.Lock()

    def know(self, host: str, tree: SourceTree) -> None:
        self._trees[host] = tree

    async def read(self, host: str, stream: str, data: bytes, joined: bool) -> None:
        """Read all of `data`, and let others have their turn where it takes long."""
        if host not in self._trees:
            return
        at = 0
        try:
            while at < len(data):
                async with self._turn:
                    began, piece = time.perf_counter(), data[at : at + self._size]
                    at += len(piece)
                    self._parser.feed(host, stream, piece, joined=joined)
                    if self._took(time.perf_counter() - began):
                        await asyncio.sleep(0)
        except asyncio.CancelledError:
            # It has been shown; of a job that is cancelled too, people want to see the places.
            self._parser.feed(host, stream, data[at:][-MOST:], joined=joined)
            raise

    def _took(self, seconds: float) -> bool:
        """Whether a piece took long; the next ones are smaller then, else larger."""
        is_long = seconds > LONG_SECONDS
        self._size = max(LEAST, self._size // 2) if is_long else min(MOST, self._size * 2)
        return is_long or self._size == MOST

    def found(self) -> tuple[tuple[dict[str, Any], ...], int]:
        """The places as they go on the wire, and how many more there were. Ends the reading."""
        entries = self._parser.finish()
        return tuple(entry.to_wire() for entry in entries), self._parser.dropped
