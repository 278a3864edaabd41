"""Write to stdout and stderr in one order, as fast as the reader takes it.

A slow reader (a pager, a full pipe) must not stop igor from noticing ctrl-c or the agent. So igor
writes nothing before the descriptor is ready, and counts bytes as consumed when written.
"""

import errno
import os
import select
import stat
import sys
from collections import Counter, deque

from igor_core.errors import IgorError

STDOUT, STDERR = 1, 2
NOTHING: Counter[int] = Counter()


class Outlet:
    """A queue in front of stdout and stderr."""

    def __init__(self) -> None:
        self._queue: deque[tuple[int, memoryview, Counter[int]]] = deque()
        self._closed: set[int] = set()
        self._consumed: Counter[int] = Counter()

    def put(self, descriptor: int, data: bytes) -> None:
        if data and descriptor not in self._closed:
            self._queue.append((descriptor, memoryview(data), NOTHING))

    def text(self, descriptor: int, text: str) -> None:
        """Queue text that is safe to show; escape characters that the locale can't encode."""
        self.put(descriptor, text.encode(sys.getfilesystemencoding(), "backslashreplace"))

    def lines(self, descriptor: int, lines: list[str]) -> None:
        self.text(descriptor, "".join(f"{line}\n" for line in lines))

    def mark(self, count: int, source: int) -> None:
        """Count `count` bytes of a request or stream as consumed once all that is already queued
        has been written."""
        self._queue.append((-1, memoryview(b""), Counter({source: count})))
        self._skip()

    def take_consumed(self) -> Counter[int]:
        """Return the bytes consumed since the last call, by request or stream."""
        consumed, self._consumed = self._consumed, Counter()
        return consumed

    def waits_for(self) -> int | None:
        """Return the descriptor that must be ready for the next write, None if all is written."""
        return self._queue[0][0] if self._queue else None

    @property
    def stdout_closed(self) -> bool:
        """Return whether stdout's reader has gone; output for stdout is dropped then."""
        return STDOUT in self._closed

    def write(self) -> None:
        """Write once to the descriptor of `waits_for`, which select has found ready."""
        descriptor, data, _count = self._queue.popleft()
        written = self._written(descriptor, data[: _chunk(descriptor)])
        if written < len(data) and descriptor not in self._closed:
            self._queue.appendleft((descriptor, data[written:], NOTHING))
        self._skip()

    def drain(self) -> None:
        """Write the whole queue, waiting for the readers."""
        while (descriptor := self.waits_for()) is not None:
            select.select([], [descriptor], [])
            self.write()

    def _written(self, descriptor: int, data: memoryview) -> int:
        try:
            return os.write(descriptor, data)
        except BlockingIOError:  # another process made it non-blocking, and filled it first
            return 0
        except OSError as error:
            # EPIPE: the reader of a pipe has gone. EIO: the terminal has.
            if error.errno not in (errno.EPIPE, errno.EIO):
                name = "stdout" if descriptor == STDOUT else "stderr"
                raise IgorError(f"{name} can't be written: {error.strerror}") from None
            self._closed.add(descriptor)
            return 0

    def _skip(self) -> None:
        """Skip marks, and output that nobody reads any more."""
        while self._queue and (self._queue[0][0] == -1 or self._queue[0][0] in self._closed):
            self._consumed += self._queue.popleft()[2]


def _chunk(descriptor: int) -> int:
    """Return how much a ready descriptor takes without waiting (POSIX: PIPE_BUF for a pipe)."""
    return 1 << 20 if stat.S_ISREG(os.fstat(descriptor).st_mode) else select.PIPE_BUF
