"""The end of a program's output (3.6)."""

import collections

from igor_core.remote.debug_helper.frames import STDOUT

KEPT_BYTES = 1 << 20
PIECE_BYTES = 1 << 16


class OutputTail:
    """The last KEPT_BYTES of the output; positions count all bytes ever written."""

    def __init__(self):
        self.pieces = collections.deque()
        self.end = 0

    @property
    def first(self):
        return self.pieces[0][0] if self.pieces else self.end

    def add(self, kind, data):
        """Append; small pieces are joined, as a program may write many short lines."""
        if self.pieces and self.pieces[-1][1] == kind and len(self.pieces[-1][2]) < PIECE_BYTES:
            self.pieces[-1][2].extend(data)
        else:
            self.pieces.append((self.end, kind, bytearray(data)))
        self.end += len(data)
        while self.end - self.first > KEPT_BYTES and len(self.pieces) > 1:
            self.pieces.popleft()

    def after(self, position):
        """Return (position, kind, data) of the first piece after `position`."""
        for at, kind, data in self.pieces:
            if position < at + len(data):
                skipped = max(0, position - at)
                return at + skipped, kind, bytes(data[skipped:])
        return self.end, STDOUT, b""
