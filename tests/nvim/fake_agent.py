"""A fake agent: speaks the agent's protocol on its socket and does what a test tells it.

It stands where the real one would be too slow or too well behaved: floods, lost connections,
questions at a bad moment. It keeps to the credit that its client grants, as the real one does.
"""

import contextlib
import os
import queue
import socket
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from igor_core import __version__
from igor_core.agent.protocol import INITIAL_CREDIT, PROTOCOL, Decoder, Frame, Kind, encode
from igor_core.events import Outcome, Result


class FakeAgent:
    """Listens in `runtime`, the client's XDG_RUNTIME_DIR; one connection after the other."""

    def __init__(self, runtime: Path) -> None:
        folder = runtime / "igor"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.received: queue.Queue[Frame] = queue.Queue()
        self.greeted = 0
        self.mute = False  # whether it leaves its clients without a welcome
        self._hung_up = threading.Event()
        self._results: dict[int, list[Result]] = defaultdict(list)
        self._credit: dict[int, int] = {}
        self._granted = threading.Condition()
        self._connection: socket.socket | None = None
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(folder / "agent.sock"))
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self.hang_up()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def hang_up(self) -> None:
        """End the connection, as an agent does that is killed."""
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)

    def wait_for_hang_up(self, seconds: float = 10) -> None:
        """Until the client has closed its connection."""
        assert self._hung_up.wait(seconds)

    def frame(self, kind: Kind, seconds: float = 10) -> Frame:
        """The next frame of that kind; the frames before it are passed over."""
        deadline = time.monotonic() + seconds
        while True:
            frame = self.received.get(timeout=max(0.01, deadline - time.monotonic()))
            if frame[0] is kind:
                return frame

    def request(self) -> int:
        """Wait for a request and accept it."""
        request: int = self.frame(Kind.REQUEST)[1]
        self.event(request, "accepted", job=request + 100, verb="fake")
        return request

    def event(self, request: int, kind: str, **fields: Any) -> None:
        self.send(Kind.EVENT, request, {"type": kind, **fields})

    def output(
        self, request: int, data: bytes, host: str = "apollo", stream: str = "stdout"
    ) -> None:
        """Output as far as the client's credit goes; waits for more where it ends."""
        with self._granted:
            assert self._granted.wait_for(lambda: self._credit[request] > 0, timeout=60)
            self._credit[request] -= len(data)
        self.event(request, "output", host=host, stream=stream, data=data)

    def credit(self, request: int) -> int:
        return self._credit[request]

    def result(
        self, request: int, host: str, status: int = 0, text: str = "", hint: str = ""
    ) -> None:
        result = Result(host, status, 1.5, text, hint)
        self._results[request].append(result)
        self.send(Kind.EVENT, request, result.to_wire())

    def finish(
        self, request: int, status: int = 0, error: str = "", hint: str = "", data: Any = None
    ) -> None:
        outcome = Outcome(status, error, hint, tuple(self._results[request]), data)
        self.send(Kind.FINISHED, request, outcome.to_wire())

    def send(self, kind: Kind, ident: int, *fields: Any) -> None:
        assert self._connection is not None
        self._connection.sendall(encode(kind, ident, *fields))

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            self._read(connection)

    def _read(self, connection: socket.socket) -> None:
        decoder = Decoder()
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(1 << 16):
                for frame in decoder.feed(data):
                    self._take(connection, frame)
        self._hung_up.set()

    def _take(self, connection: socket.socket, frame: Frame) -> None:
        kind, ident = frame[:2]
        if kind is Kind.HELLO:
            self._connection = connection
            self.greeted += 1
            if not self.mute:
                self.send(Kind.WELCOME, 0, PROTOCOL, __version__, {"pid": os.getpid()})
            return
        with self._granted:
            if kind is Kind.REQUEST:
                self._credit[ident] = INITIAL_CREDIT
            elif kind is Kind.CREDIT:
                self._credit[ident] += frame[2]
            self._granted.notify_all()
        self.received.put(frame)
