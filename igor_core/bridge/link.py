"""The bridge's connection to the agent."""

import asyncio
import itertools
import socket
import threading
from typing import Any

from igor_core.agent.client import connect
from igor_core.agent.protocol import Decoder, Frame, Kind, ProtocolError, encode
from igor_core.bridge.batches import Batches
from igor_core.bridge.streams import Streams
from igor_core.errors import AgentError, IgorError


class Link(asyncio.Protocol):
    """The editor's one connection to the agent, opened by the first request and when it is lost."""

    def __init__(self, loop: asyncio.AbstractEventLoop, batches: Batches) -> None:
        self._loop = loop
        self._batches = batches
        self._requests = itertools.count(1, 2)
        self._running: set[int] = set()
        self.streams = Streams(self.send)
        self._transport: asyncio.Transport | None = None
        self._unsent: list[bytes] | None = None  # a list while the connection is being opened
        self._attaching: asyncio.Task[Any] | None = None

    def request(self, verb: str, root: str, args: dict[str, Any]) -> None:
        request = next(self._requests)
        self._running.add(request)
        started = {"type": "started", "verb": verb, "root": root, "args": args}
        self._batches.add(request, started)
        if self._transport is None and self._unsent is None:
            self._open()
        self.send(Kind.REQUEST, request, verb, root, args)

    def send(self, kind: Kind, ident: int, *fields: Any) -> None:
        """Send a frame, or keep it until the connection is there; without one it is void."""
        frame = encode(kind, ident, *fields)
        if self._unsent is not None:
            self._unsent.append(frame)
        elif self._transport is not None:
            self._transport.write(frame)

    def close(self) -> None:
        """The editor leaves: what it started goes on, or ends, as the agent's rules say."""
        self._running.clear()
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._decoder = Decoder()
        self._transport = transport
        unsent, self._unsent = self._unsent or [], None
        transport.write(b"".join(unsent))

    def data_received(self, data: bytes) -> None:
        try:
            for frame in self._decoder.feed(data):
                self._received(frame)
        except ProtocolError as error:
            self._lost(AgentError(f"the agent can't be understood: {error}", "igor agent stop"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost(AgentError("the agent has gone away", "its last words: igor agent log"))

    def _open(self) -> None:
        """Connect in a thread of its own: starting an agent takes its time.

        A daemon, unlike an executor's: the editor may leave before the agent has answered.
        """
        self._unsent = []
        threading.Thread(target=self._connect, name="igor: connect", daemon=True).start()

    def _connect(self) -> None:
        try:
            connection = connect("nvim", answers=True).detach()
        except IgorError as error:
            self._loop.call_soon_threadsafe(self._lost, error)
        except Exception as error:  # a bug must not leave the jobs waiting for ever
            text = f"connecting to the agent failed: {type(error).__name__}: {error}"
            self._loop.call_soon_threadsafe(self._lost, AgentError(text, "this is a bug of igor"))
        else:
            self._loop.call_soon_threadsafe(self._attach, connection)

    def _attach(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        attaching = self._loop.create_unix_connection(lambda: self, sock=connection)
        self._attaching = self._loop.create_task(attaching)

    def _received(self, frame: Frame) -> None:
        kind, request = frame[:2]
        if kind is Kind.EVENT:
            self._batches.add(request, frame[2])
        elif kind is Kind.FINISHED:
            self._running.discard(request)
            self.streams.drop(request)
            self._batches.add(request, {**frame[2], "type": "finished"})
        elif kind is Kind.OPEN:
            self._batches.add(frame[2], self.streams.opened(request, frame[2], frame[3]))
        elif kind is Kind.CREDIT:
            self.streams.granted(request, frame[2])
        elif kind is Kind.CLOSE:
            closed = self.streams.closed(request)
            if closed:
                self._batches.add(*closed)

    def _lost(self, error: IgorError) -> None:
        """No connection (any more): the jobs that it carried are told so, once."""
        if self._transport is not None:
            self._transport.abort()
        self._transport = self._unsent = None
        for request in sorted(self._running):
            lost = {"type": "lost", "error": error.message, "hint": error.hint}
            self._batches.add(request, lost)
        self._running.clear()
        self.streams.drop()
