"""A fake agent: it speaks the agent's protocol on its socket and does what a test tells it.

It stands in where the real agent would be too slow or too well behaved: floods, lost connections,
questions at a bad moment. Like the real one it never stops reading, and it keeps to the credit that
its client grants.
"""

import contextlib
import os
import queue
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from igor_core import __version__, directories
from igor_core.agent.protocol import INITIAL_CREDIT, PROTOCOL, Decoder, Frame, Kind, encode
from igor_core.events import Outcome, Result, ResultKind

SECONDS = 60.0


def host(
    name: str, state: str = "fresh", pending: int = 0, since: float | None = None,
    held_back: Sequence[str] = (), error: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Return one host of a freshness event."""
    return {
        "host": name, "state": state, "pending": pending, "since": since,
        "held_back": list(held_back), "error": error,
    }  # fmt: skip


def kind(status: int) -> ResultKind:
    """Return the default kind of result for an exit status."""
    return {0: "done", 130: "cancelled"}.get(status, "failed")  # type: ignore[return-value]


def result(
    host: str, status: int = 0, text: str = "", hint: str = "", how: ResultKind | None = None
) -> dict[str, Any]:
    """Return one host's result, as in an outcome."""
    return Result(host, how or kind(status), status, 0.25, text, hint).to_wire()


class Query(NamedTuple):
    """A request on an editor's own connection, to be answered by `FakeAgent.answer`."""

    watcher: "Watcher"
    request: int
    verb: str
    root: str
    args: dict[str, Any]


class Watcher:
    """An editor's own connection: its saves, and the projects that it watches."""

    def __init__(self, connection: socket.socket, env: dict[str, str]) -> None:
        self.env = env
        self.watches: dict[str, int] = {}
        self._connection = connection

    def send(self, kind: Kind, ident: int, *fields: Any) -> None:
        self._connection.sendall(encode(kind, ident, *fields))

    def send_cut(self, kind: Kind, ident: int, *fields: Any) -> None:
        """Send the start of a frame byte by byte, then the rest."""
        data = encode(kind, ident, *fields)
        for byte in data[:20]:
            self._connection.sendall(bytes([byte]))
            time.sleep(0.005)
        self._connection.sendall(data[20:])

    def hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)


class FakeAgent:
    """A fake agent that listens in `runtime`, the client's XDG_RUNTIME_DIR.

    There is one connection of a terminal or of an editor's commands; the connections of editors
    that watch and save are `watchers`.
    """

    def __init__(self, runtime: Path) -> None:
        folder = runtime / "igor"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.received: queue.Queue[Frame] = queue.Queue()
        self.greeted = 0
        self.saves: queue.Queue[tuple[str, list[str]]] = queue.Queue()
        self.watched: queue.Queue[Frame] = queue.Queue()
        self.trusted: queue.Queue[Frame] = queue.Queue()
        self.queries: queue.Queue[Query] = queue.Queue()
        self.watchers: list[Watcher] = []
        self.refuse: tuple[str, bool] | None = None  # another version, and whether it is busy
        self.mute = False  # whether to leave its clients without a welcome
        self._hung_up = threading.Event()
        self._reads = threading.Event()
        self._reads.set()
        self._results: dict[int, list[Result]] = defaultdict(list)
        self._credit: dict[int, int] = {}
        self._granted = threading.Condition()
        self._connection: socket.socket | None = None
        self._outgoing: queue.Queue[bytes] = queue.Queue()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(folder / "agent.sock"))
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self.hang_up()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def stop_reading(self) -> None:
        """Accept connections from now on but read nothing, like a stopped process."""
        self._reads.clear()

    def hang_up(self) -> None:
        """Close the connections, as a killed agent does."""
        for watcher in self.watchers:
            watcher.hang_up()
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)

    def leave(self) -> None:
        """Send nothing more, and wait until the client has read everything and disconnected."""
        self._outgoing.put(b"")
        self.wait_for_hang_up()

    def wait_for_hang_up(self, seconds: float = SECONDS) -> None:
        """Wait until the client has closed its connection."""
        assert self._hung_up.wait(seconds)

    def frame(self, *kinds: Kind, seconds: float = SECONDS) -> Frame:
        """Return the next frame of one of these kinds; skip the frames before it."""
        deadline = time.monotonic() + seconds
        while True:
            frame = self.received.get(timeout=max(0.01, deadline - time.monotonic()))
            if frame[0] in kinds:
                return frame

    def readable(self, seconds: float) -> bool:
        """Return whether a frame arrives within this time, without reading it."""
        with self.received.not_empty:
            return bool(self.received.queue) or self.received.not_empty.wait(seconds)

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
        """Send output within the client's credit; wait for more credit when it is used up."""
        with self._granted:
            assert self._granted.wait_for(lambda: self._credit[request] > 0, timeout=60)
            self._credit[request] -= len(data)
        self.event(request, "output", host=host, stream=stream, data=data)

    def credit(self, request: int) -> int:
        return self._credit[request]

    def result(
        self, request: int, host: str, status: int = 0, text: str = "", hint: str = "",
        how: ResultKind | None = None,
    ) -> None:  # fmt: skip
        result = Result(host, how or kind(status), status, 1.5, text, hint)
        self._results[request].append(result)
        self.send(Kind.EVENT, request, result.to_wire())

    def finish(
        self, request: int, status: int = 0, error: str = "", hint: str = "", data: Any = None,
        **more: Any,
    ) -> None:  # fmt: skip
        """End a job; `more` are other fields of its outcome."""
        outcome = Outcome(status, error, hint, tuple(self._results[request]), data)
        self.send(Kind.FINISHED, request, {**outcome.to_wire(), **more})

    def query(self, verb: str, seconds: float = 60) -> Query:
        """Return the next request for that verb on an editor's own connection."""
        while (query := self.queries.get(timeout=seconds)).verb != verb:
            pass
        return query

    def answer(self, query: Query, data: Any = None, error: str = "", hint: str = "") -> None:
        outcome = Outcome(1 if error else 0, error, hint, (), data)
        query.watcher.send(Kind.FINISHED, query.request, outcome.to_wire())

    def send(self, kind: Kind, ident: int, *fields: Any) -> None:
        """Send a frame without waiting for the client to read."""
        assert self._connection is not None
        self._outgoing.put(encode(kind, ident, *fields))

    def save(self, seconds: float = 60) -> tuple[str, list[str]]:
        """Return the next SAVE: the project's root and its paths, sorted."""
        return self.saves.get(timeout=seconds)

    def watch(self, seconds: float = 60) -> Frame:
        """Return the next REQUEST for the verb "watch"."""
        return self.watched.get(timeout=seconds)

    def fresh(self, root: Path, *hosts: dict[str, Any], **more: Any) -> None:
        """Send the freshness of its hosts to all who watch `root`."""
        event = {
            "type": "freshness", "group": "dev", "trusted": True, "push_on_write": True,
            "hosts": list(hosts) or [host("apollo")], **more,
        }  # fmt: skip
        for watcher in self.watchers:
            if str(root) in watcher.watches:
                with contextlib.suppress(OSError):
                    watcher.send(Kind.EVENT, watcher.watches[str(root)], event)

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._read, args=[connection], daemon=True).start()

    def _read(self, connection: socket.socket) -> None:
        decoder = Decoder()
        watcher: Watcher | None = None
        with connection, contextlib.suppress(OSError):
            while self._reads.wait() and (data := connection.recv(1 << 16)):
                for frame in decoder.feed(data):
                    if frame[0] is Kind.HELLO and _watches(frame[4]):
                        watcher = Watcher(connection, frame[4]["env"])
                        self._meet(watcher)
                    elif watcher is not None:
                        self._take_watcher(watcher, frame)
                    else:
                        self._take(connection, frame)
        if watcher is not None:
            self.watchers.remove(watcher)
        elif connection is self._connection:
            self._hung_up.set()

    def _meet(self, watcher: Watcher) -> None:
        self.watchers.append(watcher)
        if self.refuse is not None:
            watcher.send(Kind.REFUSED, 0, PROTOCOL, *self.refuse, os.getpid())
        elif not self.mute:
            # An editor that saves and exits at once reads no more.
            with contextlib.suppress(OSError):
                watcher.send(Kind.WELCOME, 0, PROTOCOL, __version__, {"pid": os.getpid()})

    def _take_watcher(self, watcher: Watcher, frame: Frame) -> None:
        kind, ident, *fields = frame
        if kind is Kind.SAVE:
            self.saves.put((fields[0], sorted(fields[1])))
        elif kind is Kind.CANCEL:
            watcher.watches = {root: n for root, n in watcher.watches.items() if n != ident}
        elif fields[0] == "watch":
            watcher.watches[fields[1]] = ident
            self.watched.put(frame)
        elif fields[0] == "trust":
            self.trusted.put(frame)
            watcher.send(Kind.FINISHED, ident, Outcome(0).to_wire())
        else:
            self.queries.put(Query(watcher, ident, *fields))

    def _take(self, connection: socket.socket, frame: Frame) -> None:
        kind, ident = frame[:2]
        if kind is Kind.HELLO:
            self._connection, self._outgoing = connection, queue.Queue()
            threading.Thread(target=_write, args=(connection, self._outgoing), daemon=True).start()
            self.greeted += 1
            self.received.put(frame)
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


def _watches(client: dict[str, Any]) -> bool:
    """Return whether a HELLO is from an editor that watches and saves: such a client answers no
    prompts.
    """
    return client["name"] != "cli" and not client["answers"]


def _write(connection: socket.socket, outgoing: "queue.Queue[bytes]") -> None:
    with contextlib.suppress(OSError):
        while data := outgoing.get():
            connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)


class Client:
    """The fake agent's side of one command on a terminal, after its request."""

    def __init__(self, agent: FakeAgent) -> None:
        self._agent = agent
        self.hello = agent.frame(Kind.HELLO)[4]
        _kind, self.number, self.verb, self.root, self.args = agent.frame(Kind.REQUEST)
        self.send, self.wait, self.readable = agent.send, agent.frame, agent.readable
        self.wait_for_hang_up = agent.wait_for_hang_up

    def event(self, type: str, **fields: Any) -> None:
        self._agent.event(self.number, type, **fields)

    def step(self, host: str, text: str) -> None:
        self.event("step", host=host, text=text)

    def output(self, host: str, data: bytes, stream: str = "stdout") -> None:
        """Send output regardless of credit: a test may send more than the client grants."""
        self.event("output", host=host, stream=stream, data=data)

    def progress(self, host: str, done: int, total: int) -> None:
        self.event(
            "progress", host=host, label="push", done=done, total=total, unit="bytes", rate=1000.0
        )

    def finish(self, status: int = 0, error: str = "", hint: str = "", **more: Any) -> None:
        self._agent.finish(self.number, status, error, hint, **more)


@contextmanager
def fake_agent(script: Callable[[Client], None]) -> Iterator[None]:
    """Serve `script` to the next command on a terminal; afterwards the agent ends.

    At the end, what went wrong in the script is raised.
    """
    agent = FakeAgent(directories.runtime_directory().parent)
    failures: list[BaseException] = []

    def serve() -> None:
        try:
            script(Client(agent))
            agent.leave()
        except BaseException as failure:  # reported in the test's own thread
            failures.append(failure)
        finally:
            agent.close()
            directories.socket_path().unlink(missing_ok=True)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield
    thread.join(SECONDS)
    assert not thread.is_alive(), "the fake agent's script has not ended"
    if failures:
        raise failures[0]
