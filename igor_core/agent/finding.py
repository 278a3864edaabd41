"""Find source locations in one job's output as it comes, without blocking other jobs."""

import asyncio
import time
from typing import Any

from igor_core.output import OutputParser, SourceTree

# How much is read at once depends on how long the last piece took.
LEAST, MOST = 1 << 9, 1 << 14
LONG_SECONDS = 0.002


class Finding:
    """Reads what programs on hosts write. Begins with a host once its tree is known."""

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
            # This output was shown, and people want the locations of a cancelled job as well.
            self._parser.feed(host, stream, data[at:][-MOST:], joined=joined)
            raise

    def _took(self, seconds: float) -> bool:
        """Make the next pieces smaller if this one took long, else larger.

        Return whether other jobs should have a turn now.
        """
        is_long = seconds > LONG_SECONDS
        self._size = max(LEAST, self._size // 2) if is_long else min(MOST, self._size * 2)
        return is_long or self._size == MOST

    def found(self) -> tuple[tuple[dict[str, Any], ...], int]:
        """End the reading; return the locations for the wire, and how many more there were."""
        entries = self._parser.finish()
        return tuple(entry.to_wire() for entry in entries), self._parser.dropped
