"""A stream: bytes both ways between a client and a program on a host, each way with credit."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Protocol

from igor_core.agent.credit import Credit
from igor_core.agent.protocol import INITIAL_CREDIT, Kind, ProtocolError

# Large enough that a key costs one frame, not two; small enough that no sender runs dry.
GRANT_AT = INITIAL_CREDIT // 8
# The largest window that TIOCSWINSZ takes.
MOST_CELLS = (1 << 16) - 1


class Peer(Protocol):
    """The client's connection as a stream sees it."""

    def send(self, kind: Kind, ident: int, *fields: Any) -> None: ...

    def new_stream(self, stream: "Stream") -> int: ...

    def drop_stream(self, number: int) -> None: ...


class Controlled(Protocol):
    """A program with a window and signals; both overtake bytes that it has yet to read."""

    def resize(self, columns: int, rows: int) -> None: ...

    def signal(self, name: str) -> None: ...


class Stream:
    """One stream, numbered by the agent; OPEN tells the client of it."""

    def __init__(self, peer: Peer, program: Controlled | None = None) -> None:
        self._peer: Peer | None = peer
        self._program = program
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()
        self._receivable = INITIAL_CREDIT
        self._credit = Credit(INITIAL_CREDIT)
        self.ident = peer.new_stream(self)

    # The verb's side.

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield what the client sends, to its end; grant the taken bytes again, in big steps."""
        taken = 0
        while data := await self._chunks.get():
            yield data
            taken += len(data)
            if taken >= GRANT_AT:
                self._receivable += taken
                self._send(Kind.CREDIT, taken)
                taken = 0

    async def write(self, data: bytes) -> None:
        """Send to the client; wait while it grants nothing."""
        await self._credit.take(len(data))
        self._send(Kind.BYTES, data)

    def close(self, status: int, reason: str = "") -> None:
        """Report that the program ended, or with `reason` was lost. Only the first call counts."""
        self._send(Kind.CLOSE, status, reason)
        self._end()

    # The client's side.

    def received(self, data: bytes) -> None:
        """Take bytes from the client. Raises ProtocolError if they exceed its credit."""
        self._receivable -= len(data)
        if self._receivable < 0:
            raise ProtocolError("more BYTES than there was CREDIT for")
        if data:
            self._chunks.put_nowait(data)

    def granted(self, count: int) -> None:
        self._credit.grant(count)

    def resized(self, columns: int, rows: int) -> None:
        """Pass on the window's size. Raises ProtocolError if it is not a valid size."""
        if not (0 < columns <= MOST_CELLS and 0 < rows <= MOST_CELLS):
            raise ProtocolError(f"a window of {columns} x {rows}")
        if self._program is not None:
            self._program.resize(columns, rows)

    def signalled(self, name: str) -> None:
        """Pass on a signal. Raises ProtocolError if it is not a signal's name."""
        if not (name.isascii() and name.isalnum()):
            raise ProtocolError(f"no signal is called {name!r}")
        if self._program is not None:
            self._program.signal(name)

    def ended(self) -> None:
        """Note that the client's input has ended."""
        self._chunks.put_nowait(b"")

    def gone(self) -> None:
        """Note that the client has gone, or has been told the end of the job."""
        self.ended()
        self._end()

    def _send(self, kind: Kind, *fields: Any) -> None:
        if self._peer is not None:
            self._peer.send(kind, self.ident, *fields)

    def _end(self) -> None:
        if self._peer is not None:
            self._peer.drop_stream(self.ident)
            self._peer = None
        self._credit.lift()
