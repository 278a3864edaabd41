"""A fake agent: it speaks the agent's protocol on the agent's socket and does what a test says.

It shows what the command line makes of events, so it is no substitute for the real agent.
"""

import contextlib
import queue
import select
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from igor_core import __version__, directories
from igor_core.agent.protocol import PROTOCOL, Decoder, Frame, Kind, encode

SECONDS = 60.0


class Peer:
    """The fake agent's end of the connection of one client, after its request."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._decoder = Decoder()
        self._frames: deque[Frame] = deque()
        self._outgoing: queue.Queue[bytes] = queue.Queue()
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()
        self.hello = self.wait(Kind.HELLO)[4]
        self.send(Kind.WELCOME, 0, PROTOCOL, __version__, {"pid": 0})
        _kind, self.number, self.verb, self.root, self.args = self.wait(Kind.REQUEST)

    def send(self, kind: Kind, ident: int, *fields: Any) -> None:
        """Send a frame without waiting for the client to read: an agent never stops reading."""
        self._outgoing.put(encode(kind, ident, *fields))

    def close(self) -> None:
        """Let out what was sent; a client that has gone misses nothing."""
        self._outgoing.put(b"")
        self._writer.join(SECONDS)

    def _write(self) -> None:
        with contextlib.suppress(ConnectionError):
            while data := self._outgoing.get():
                self._connection.sendall(data)

    def event(self, type: str, **fields: Any) -> None:
        self.send(Kind.EVENT, self.number, {"type": type, **fields})

    def step(self, host: str, text: str) -> None:
        self.event("step", host=host, text=text)

    def output(self, host: str, data: bytes, stream: str = "stdout") -> None:
        self.event("output", host=host, stream=stream, data=data)

    def progress(self, host: str, done: int, total: int) -> None:
        self.event(
            "progress", host=host, label="push", done=done, total=total, unit="bytes", rate=1000.0
        )

    def finish(self, status: int = 0, error: str = "", hint: str = "", **more: Any) -> None:
        outcome = {"status": status, "error": error, "hint": hint, "results": [], "data": None}
        self.send(Kind.FINISHED, self.number, {**outcome, **more})

    def wait(self, kind: Kind) -> Frame:
        """The next frame of this kind, passing over others."""
        return self.wait_any(kind)

    def wait_any(self, *kinds: Kind) -> Frame:
        """The next frame of one of these kinds."""
        return next(frame for frame in self._incoming() if frame[0] in kinds)

    def readable(self, seconds: float) -> bool:
        """Whether a frame comes within this time."""
        return bool(self._frames or select.select([self._connection], [], [], seconds)[0])

    def gone(self) -> bool:
        """Wait until the client has closed the connection."""
        return all(True for _frame in self._incoming())

    def _incoming(self) -> Iterator[Frame]:
        while True:
            while self._frames:
                yield self._frames.popleft()
            data = self._connection.recv(1 << 16)
            if not data:
                return
            self._frames.extend(self._decoder.feed(data))


def result(host: str, status: int = 0, text: str = "", hint: str = "") -> dict[str, Any]:
    """One host's result, as an outcome has it."""
    fields = {"host": host, "status": status, "seconds": 0.25, "text": text, "hint": hint}
    return {"type": "result", "ok": status == 0, **fields}


class FakeAgent(threading.Thread):
    """Serves one client with `script`; `join` raises what went wrong in it."""

    def __init__(self, script: Callable[[Peer], None]) -> None:
        super().__init__(daemon=True)
        self._script = script
        self._error: BaseException | None = None
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.settimeout(SECONDS)
        self._path = directories.socket_path()
        self._listener.bind(str(self._path))
        self._listener.listen()

    def run(self) -> None:
        try:
            while not self._serve():
                pass
        except BaseException as error:  # shown by the test's own thread
            self._error = error
        finally:
            self._listener.close()
            self._path.unlink(missing_ok=True)

    def _serve(self) -> bool:
        """Serve the next client. False: it only looked whether somebody listens."""
        connection, _address = self._listener.accept()
        connection.settimeout(SECONDS)
        with connection:
            if not connection.recv(1, socket.MSG_PEEK):
                return False
            peer = Peer(connection)
            try:
                self._script(peer)
            finally:
                peer.close()
        return True

    def join(self, timeout: float | None = SECONDS) -> None:
        super().join(timeout)
        assert not self.is_alive(), "the fake agent's script has not ended"
        if self._error is not None:
            raise self._error


@contextmanager
def fake_agent(script: Callable[[Peer], None]) -> Iterator[None]:
    """While it is entered, the next client on the agent's socket meets `script`."""
    agent = FakeAgent(script)
    agent.start()
    yield
    agent.join()
